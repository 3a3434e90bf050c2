/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ZONE_CHECK_PARTS_H
#define ZONE_CHECK_PARTS_H

#include "base/wr.h"
#include "zone/check.h"
#include "zone/image.h"

/* The parts of zone/check.h. Files of this room only. */

/* How bad: STRICT is an error with zone_check_options.strict and a warning without. */
enum check_level { CHECK_WARN, CHECK_STRICT, CHECK_REFUSE };

/* Everything that can be found: name, level, what to do (NULL: nothing to add). docs/checks.md has a
 * planted example of each. */
#define CHECK_KINDS(X)                                                                             \
    X(SHRUNK, REFUSE, "is the zone complete? if it is, have this version accepted")                \
    X(ZONEMD_BAD, REFUSE, "the zone is not what its publisher digested: get or make it again")     \
    X(ZONEMD_MISSING, REFUSE, "a digest is required here, by the option zonemd")                   \
    X(ZONEMD_UNKNOWN, WARN, "publish one of scheme 1 with SHA-384 (RFC 8976)")                     \
    X(ITERATIONS_MAX, REFUSE, "use 0 iterations (RFC 9276); 2500 is the most (RFC 5155 10.3)")     \
    X(ITERATIONS_MANY, STRICT,                                                                     \
      "use 0 iterations (RFC 9276 section 3.1): resolvers take the zone for unsigned or broken")   \
    X(ITERATIONS, WARN, "use 0 iterations and no salt (RFC 9276 section 3.1)")                     \
    X(SOA_TIMES, WARN, "RFC 1912 section 2.2 has usual values")                                    \
    X(SOA_RNAME, WARN, "write the address with a dot for the @ (RFC 1035 section 3.3.13)")         \
    X(NS_ADDRESS, WARN, "add an A or AAAA record for it, or is a final dot missing?")              \
    X(NS_NONE, STRICT, "add addresses for them: nobody can reach the zone")                        \
    X(CUT_NONE, WARN, "add glue for them: nobody can reach what is delegated")                     \
    X(NS_CNAME, WARN, "name the server itself (RFC 2181 section 10.3)")                            \
    X(NS_NUMBER, WARN, "name the server, not its address")                                         \
    X(TARGET_CNAME, WARN, "name the host itself (RFC 2181 section 10.3, RFC 2782)")                \
    X(TARGET_ADDRESS, WARN, "add it, or is a final dot missing?")                                  \
    X(CNAME_LOOP, WARN, "let the alias end at a name with data")                                   \
    X(OCCLUDED, WARN, "it is never answered with: move it to the zone below the cut")              \
    X(BELOW_DNAME, WARN, "it is never answered with (RFC 6672 section 2.4): remove it")            \
    X(AT_CUT, WARN, "it is never answered with: move it to the zone that is delegated")            \
    X(DS_APEX, STRICT, "a DS belongs to the parent zone (RFC 4035 section 2.4)")                   \
    X(DS_NO_CUT, WARN, "add the NS records of the delegation, or remove the DS")                   \
    X(DS_BROKEN, WARN, "make it anew from the child's DNSKEY")                                     \
    X(WILDCARD_NS, WARN, "resolvers differ in what they make of it (RFC 4592 section 4.2)")        \
    X(WILDCARD_DNAME, WARN, "resolvers differ in what they make of it (RFC 4592 section 4.4)")     \
    X(WILDCARD_INSIDE, WARN, "only a leftmost * is a wildcard (RFC 4592 section 2.1.1)")           \
    X(SPF_SEVERAL, WARN, "join them into one (RFC 7208 section 3.2)")                              \
    X(SPF_TYPE, WARN, "publish it as TXT (RFC 7208 section 3.1)")                                  \
    X(RDATA_BROKEN, STRICT, "write the record anew")                                               \
    X(KEY_BROKEN, STRICT, "make the key anew")                                                     \
    X(KEY_WEAK, WARN, "roll to ECDSA P-256 or Ed25519 (RFC 8624 section 3.1)")                     \
    X(KEY_ELSEWHERE, WARN, "keys belong to a zone's origin (RFC 4035 section 2.1)")                \
    X(KEY_NSEC3, STRICT, "roll to an algorithm above 5 (RFC 5155 section 2)")                      \
    X(KEYS_UNSIGNED, STRICT, "sign the zone, or remove the keys")                                  \
    X(SIGS_NO_KEY, STRICT, "sign the zone again: its DNSKEY records are missing")                  \
    X(CDS_ELSEWHERE, WARN, "it belongs to the origin (RFC 7344 section 4.1)")                      \
    X(CDS_WRONG, STRICT, "let CDS and CDNSKEY name keys of the zone (RFC 7344 section 4)")         \
    X(NSEC3PARAM, STRICT, "sign the zone again")                                                   \
    X(NSEC_AND_NSEC3, WARN, "end the change from one to the other")                                \
    X(NSEC_MISSING, STRICT, "sign the zone again")                                                 \
    X(NSEC_NEXT, STRICT, "sign the zone again")                                                    \
    X(NSEC_TYPES, STRICT, "sign the zone again")                                                   \
    X(NSEC_GLUE, STRICT, "sign the zone again")                                                    \
    X(NSEC3_MISSING, STRICT, "sign the zone again")                                                \
    X(NSEC3_NEXT, STRICT, "sign the zone again")                                                   \
    X(NSEC3_TYPES, STRICT, "sign the zone again")                                                  \
    X(NSEC3_ORPHAN, STRICT, "sign the zone again")                                                 \
    X(NSEC3_BROKEN, STRICT, "sign the zone again")                                                 \
    X(NO_DENIAL, STRICT, "sign the zone again: it can prove no absence")                           \
    X(SIG_MISSING, STRICT, "sign the zone again")                                                  \
    X(SIG_ALGORITHM, STRICT, "each algorithm of the keys signs everything (RFC 4035 section 2.2)") \
    X(SIG_ORPHAN, WARN, "sign the zone again")                                                     \
    X(SIG_NOT_OURS, WARN, "glue and NS records of a delegation are not signed (RFC 4035 2.2)")     \
    X(SIG_KEY, STRICT, "sign the zone again: the key is not in its DNSKEY records")                \
    X(SIG_SIGNER, STRICT, "sign the zone again")                                                   \
    X(SIG_LABELS, STRICT, "sign the zone again")                                                   \
    X(SIG_TTL, WARN, "sign the zone again after a change of TTL (RFC 4034 section 3)")             \
    X(SIG_EARLY, STRICT, "is the clock of the signer right, and that of this host?")               \
    X(SIG_ENDED, STRICT, "sign the zone again; is the signer still running?")                      \
    X(SIG_ENDING, WARN, "is the signer still running?")                                            \
    X(SIG_FORGED, STRICT, "sign the zone again: the data is not what was signed")                  \
    X(SIG_UNKNOWN, WARN, "no signature of this algorithm can be verified here")

#define CHECK_KIND_ENUM(name, level, hint) CHECK_##name,
enum check_kind { CHECK_KINDS(CHECK_KIND_ENUM) CHECK_KIND_COUNT };
#undef CHECK_KIND_ENUM

/* One thing that was found. */
struct check_finding {
    enum check_kind kind;
    uint32_t nth;         /* of its kind, from 0 */
    struct dns_name name; /* owner */
    uint16_t type, rdata_len;
    const uint8_t *rdata;
    const char *file; /* filled in at the end */
    uint32_t line;
    char what[200];
};

/* A key of the DNSKEY RRset. */
#define CHECK_KEYS_MAX 64
struct check_key {
    const uint8_t *rdata;
    uint16_t len, flags, tag;
    uint8_t protocol, algorithm;
    bool usable;  /* a zone key that is not revoked */
    void *handle; /* of check_crypto.c; NULL: not made yet */
    bool unknown; /* check_crypto.c does not know the algorithm, or the key is broken */
};

/* The parameters of the NSEC3 chain that answers come from. */
struct check_nsec3 {
    bool used;
    uint16_t iterations;
    uint8_t salt_len;
    const uint8_t *salt;
};

#define CHECK_HASH_LEN 20 /* SHA-1 */

/* An empty non-terminal above the name at hand that owns no NSEC3. */
struct check_empty {
    const struct zone_node *node;
    size_t key_len;
    bool told;
};

/* Servers whose address was found not long ago: in zones of many names and of few. */
#define CHECK_SERVERS 256
#define CHECK_SERVERS_FEW 16

struct check {
    const struct zone *z;
    const struct zone_image_map *map;
    const struct zone_check_options *o;
    struct dns_name origin;
    struct check_finding *found;
    size_t found_count, found_cap;
    uint32_t count[CHECK_KIND_COUNT]; /* found, kept or not */
    uint32_t keep;                    /* of a kind */

    /* signed zones */
    struct check_key key[CHECK_KEYS_MAX];
    unsigned keys;
    uint64_t algorithms[4]; /* bits: those of usable keys */
    bool is_signed;         /* has keys, and a signed SOA */
    bool sigs_without_key;  /* told already */
    bool nsec;
    struct check_nsec3 nsec3;
    uint32_t matched; /* NSEC3 of the chain whose name was found */
    struct zone_check_seen seen;
    struct wr scratch; /* what is signed; made when first needed */

    /* the walk */
    const struct zone_image_pos *pos; /* the name at hand; NULL: not a walk */
    const uint8_t *node_key;          /* its key */
    size_t node_key_len;
    const struct zone_node *occluder;  /* the cut or DNAME that it lies below */
    const struct zone_node *nsec_node; /* the last that owned NSEC */
    uint8_t nsec_next[DNS_KEY_MAX];    /* and the key that it points to */
    size_t nsec_next_len;
    bool nsec_next_known;
    struct check_empty empty[DNS_LABELS_MAX + 1];
    unsigned empties;
    struct dns_name *server; /* [servers], len 0: unused; made when first used */
    uint32_t servers;
};

/* One item of an RRset. */
struct check_item {
    const uint8_t *rdata;
    uint16_t len;
};
/* The item at *at, behind which *at moves; false after the last. Start with *at = 0. */
static inline bool check_item(const uint8_t *items, uint32_t len, uint32_t *at,
                              struct check_item *out)
{
    if (*at + 2 > len)
        return false;
    out->len = (uint16_t)(items[*at] << 8 | items[*at + 1]);
    out->rdata = items + *at + 2;
    *at += 2u + out->len;
    return *at <= len;
}

/* Keeps or counts a finding. `n` is the owner; the text goes on after its name. `rdata` NULL: the
 * RRset is meant. */
void zone_check_found(struct check *c, enum check_kind kind, const struct zone_node *n,
                      uint16_t type, const struct check_item *rdata, const char *fmt, ...)
    __attribute__((format(printf, 6, 7)));

/* check_data.c: the origin's own, and one name. */
void zone_check_apex(struct check *c);
void zone_check_node(struct check *c, const struct zone_node *n);

/* check_rdata.c: NULL, or what is wrong with the form of RDATA. */
const char *zone_check_rdata_fault(uint16_t type, const uint8_t *rdata, size_t len);

/* check_key.c: the DNSKEY, CDS, CDNSKEY and NSEC3PARAM records of the origin. */
void zone_check_keys(struct check *c);
void zone_check_keys_fini(struct check *c);

/* check_sig.c: the signatures of a node; `occluded` in the sense of zone_node_flags(). */
void zone_check_sigs(struct check *c, const struct zone_node *n, bool hashed);

/* check_crypto.c: whether the RRSIG `sig` of `r` at `n` was made by `key`. */
enum check_verdict { CHECK_VERIFIED, CHECK_FORGED, CHECK_UNKNOWN };
enum check_verdict zone_check_verify(struct check *c, const struct zone_node *n,
                                     const struct zone_rrset *r, const struct check_item *sig,
                                     struct check_key *key);
void zone_check_key_free(struct check_key *key);

/* check_nsec.c */
void zone_check_nsec_name(struct check *c, const struct zone_node *n);
void zone_check_nsec_end(struct check *c);
/* The links to and from one name, without a walk. */
void zone_check_nsec_links(struct check *c, const struct zone_node *n);
/* Whether a type bit map is that of the node; tells the difference as `kind`. */
void zone_check_types(struct check *c, enum check_kind kind, const struct zone_node *n,
                      const struct zone_node *owner, uint16_t type, const uint8_t *map, size_t len,
                      bool hashed);

/* check_nsec3.c */
void zone_check_nsec3_param(struct check *c);
void zone_check_nsec3_name(struct check *c, const struct zone_node *n);
void zone_check_nsec3_ring(struct check *c);
void zone_check_nsec3_links(struct check *c, const struct zone_node *n);

#endif
