/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ANSWER_STATE_H
#define ANSWER_STATE_H

#include "answer/answer.h"
#include "answer/wire.h"

/* One answer on its way, on the stack of answer_compose(). Inside the room only. */

#define ANSWER_CHAIN_MAX 16  /* CNAMEs and DNAMEs followed for one question */
#define ANSWER_PROOFS_MAX 24 /* NSEC or NSEC3 owners in one answer: one a link, three at its end */
#define ANSWER_HOSTS_MAX 64  /* names whose addresses are in the additional section */

#define ANSWER_COOKIE_CLIENT_LEN 8
#define ANSWER_COOKIE_LEN 24 /* the client's and ours */

/* The owner of a denial. Proofs are collected while the answer section grows, and written behind it. */
struct answer_proof {
    const struct zone *zone;
    const struct zone_node *node;
    uint16_t type; /* NSEC or NSEC3 */
};

/* The RRset whose RDATA names hosts that get their addresses into the additional section. */
struct answer_extra {
    bool there;
    bool referral;      /* the NS of a cut: the addresses are glue */
    uint8_t cut_labels; /* of the cut's name, then */
    struct zone_rrset set;
};

/* What decides the bytes of an answer of which nothing is in the answer section. */
struct answer_cache_key {
    const struct zone_node *node; /* the cut; the encloser; the node without the type */
    const struct zone_node *nsec; /* NXDOMAIN with its proof: what covers the name; or NULL */
    uint8_t kind;                 /* enum answer_kind */
    uint8_t base_len;             /* of the node's name: no part of the key, but known with it */
};

struct answer_state {
    const struct answer_options *o;
    const struct answer_client *client;
    const struct zone_set *zs;
    const struct dns_query *q;
    struct answer_info *info;
    struct wire m;

    bool signed_wanted; /* DO was set */
    bool aa, tc;
    bool tsig_refused; /* the answer says so in a TSIG of its own */
    uint16_t rcode;
    uint16_t ede; /* what is to be sent with it */

    uint16_t opt_len; /* held back for the OPT; 0: none is sent */
    bool cookie_due;
    uint8_t cookie[ANSWER_COOKIE_LEN];

    const struct zone *zone;      /* where the present name is looked up */
    const struct dns_name *sname; /* SNAME of RFC 1034 section 4.3.2: qname, then a target */
    struct dns_name targets[2];   /* room for snames, used in turn */
    uint8_t chain;                /* links followed so far */
    const struct zone_node *dnames[ANSWER_CHAIN_MAX + 1]; /* owners whose DNAME is in already */
    uint8_t dnames_used;

    bool narrow;     /* a referral whose names point at the cut's part of the question only */
    bool whole_name; /* that did not fit: now at all of the question's name */
    bool fill_wanted;
    struct answer_cache_key fill; /* what the answer is kept under when it is complete */

    uint8_t proofs_used, hosts_used;
    struct answer_extra extra;
    struct answer_proof proofs[ANSWER_PROOFS_MAX];
    const struct zone_node *hosts[ANSWER_HOSTS_MAX];
};

/* edns.c: reads the query's options and holds back the room that the answers to them take. Returns what the
 * response has to say because of them: NOERROR, FORMERR or BADCOOKIE. */
uint16_t answer_edns_begin(struct answer_state *a);
void answer_edns_write(struct answer_state *a);

/* cookie.c: whether the client has an address that a cookie can be made for, and what the COOKIE option's `len` bytes (8, or 16 to 40) are worth, and the one to answer
 * with. */
bool answer_cookie_may(const struct answer_client *client);
enum answer_cookie answer_cookie_read(const struct answer_cookies *c,
                                      const struct answer_client *client, const uint8_t *cookie,
                                      uint8_t len, uint8_t out[ANSWER_COOKIE_LEN]);

/* compose.c: makes it a response without records, that says `rcode` and why. */
void answer_error_set(struct answer_state *a, uint16_t rcode, uint16_t ede);

/* The UDP payload that we send and announce. */
uint16_t answer_payload_max(const struct answer_options *o);

/* resolve.c: fills the sections for a question of class IN. */
void answer_resolve(struct answer_state *a);

/* Whether a record of this owner and type is in the message already. Reads all of it: for what is rare. */
bool answer_has(const struct answer_state *a, const struct dns_name *owner, uint16_t type);

/* Writes an RRset with its signatures if they are wanted. False, and TC set, when it does not fit. */
bool answer_put(struct answer_state *a, enum dns_section section, struct wire_owner *owner,
                const struct zone_rrset *set);

/* prove.c: what a signed zone adds when DO is set (RFC 4035 section 3.1.3, RFC 5155 section 7.2), all
 * about a->sname in a->zone. They only note owners; answer_prove_write() writes them. They do nothing in a zone
 * without NSEC and NSEC3, or when DO is not set. */
void answer_prove_nodata(struct answer_state *a,
                         const struct zone_found *f); /* the type is not there */
void answer_prove_wildcard_nodata(struct answer_state *a, const struct zone_found *f);
void answer_prove_nxdomain(struct answer_state *a, const struct zone_found *f);
void answer_prove_wildcard(struct answer_state *a,
                           const struct zone_found *f); /* no closer match */
void answer_prove_insecure_cut(struct answer_state *a, const struct zone_node *cut,
                               const struct dns_name *cut_name);
void answer_prove_write(struct answer_state *a);

/* nsec3.c: writes the hash of `n` (RFC 5155 section 5) as the name of an NSEC3 owner below `origin`:
 * 32 digits of base32hex. False when it would be longer than a name. */
#define NSEC3_ITERATIONS_MAX 500 /* beyond it nothing is hashed: prove.c */
struct nsec3_params {
    uint16_t iterations;
    uint8_t salt_len;
    const uint8_t *salt;
};
bool answer_nsec3_params_of(const struct zone *z,
                            struct nsec3_params *p); /* false: none that we know */
bool answer_nsec3_owner(const struct nsec3_params *p, const struct dns_name *n,
                        const struct dns_name *origin, struct dns_name *out);

/* cache.c: takes what is behind the question out of the cache, or returns false: then
 * answer_cache_fill() sees to it that answer_cache_keep() puts it there when it is complete. */
bool answer_cache_take(struct answer_state *a, const struct answer_cache_key *key);
void answer_cache_fill(struct answer_state *a, const struct answer_cache_key *key);
void answer_cache_keep(struct answer_state *a);

/* additional.c: notes an RRset that may name hosts, and writes what there is of their addresses. */
void answer_additional_note(struct answer_state *a, const struct zone_rrset *set);
void answer_additional_note_cut(struct answer_state *a, const struct zone_rrset *ns,
                                uint8_t cut_labels);
bool answer_additional_write(struct answer_state *a); /* false: something was left out */

#endif
