/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ANSWER_ANSWER_H
#define ANSWER_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/time.h"
#include "dns/message.h"
#include "zone/zone.h"

#define ANSWER_NSID_MAX 128

/* DNS cookies (RFC 7873) in the form that servers of several makers share (RFC 9018): the first secret
 * makes server cookies, any of them verifies. A fleet behind one address has the same list everywhere;
 * a new secret is added at the end first, and moved to the front when all nodes have it. */
#define ANSWER_COOKIE_SECRET_LEN 16
#define ANSWER_COOKIE_SECRETS_MAX 8
struct answer_cookies {
    uint32_t count; /* of secrets; 0: COOKIE options are ignored */
    bool require;   /* over UDP a cookie that is not valid gets BADCOOKIE, and no answer */
    uint8_t secret[ANSWER_COOKIE_SECRETS_MAX][ANSWER_COOKIE_SECRET_LEN];
};

/* What is the same for every answer of a process. Borrowed for the call only. */
struct answer_options {
    const uint8_t *nsid; /* bytes of the NSID option, sent to those who ask (RFC 5001) */
    uint16_t nsid_len;   /* 0: the option is not sent; at most ANSWER_NSID_MAX */
    /* TXT of id.server. and hostname.bind., version.server. and version.bind. in class CHAOS
     * (RFC 4892); at most 255 bytes; NULL: such a question is refused. */
    const char *identity;
    const char *version;
    uint16_t udp_payload_max; /* of our UDP answers, and what our OPT announces; 0 means 1232 */
    bool any_full;            /* ANY gives all RRsets of a name, and not one (RFC 8482 4.1) */
    uint32_t tcp_idle_ms;     /* told to those who ask over TCP (RFC 7828); 0: not told */
    const struct answer_cookies *cookies; /* NULL: COOKIE options are ignored */
    struct answer_cache *cache;           /* NULL: none; the only thing that a call changes */
};

/* Referrals as they were composed, so that the next one to the same cut is a copy. It changes no byte of
 * any answer. Memory of answer_cache_size() bytes, aligned as malloc() does and all zero, is an empty
 * one; pages of it that were never needed are never touched. One thread at a time; several sets of zones
 * may use it, also after one of them was freed (zone_set_id() tells them apart). */
struct answer_cache;
size_t answer_cache_size(void);

enum answer_transport {
    ANSWER_UDP,
    ANSWER_TCP,
    ANSWER_TLS, /* as TCP, and padded for those who ask (RFC 7830, RFC 8467) */
};

/* Who asks, how, and when. */
struct answer_client {
    enum answer_transport transport;
    const union addr
        *addr;  /* where the query came from, borrowed; NULL: COOKIE options are ignored */
    wall_t now; /* for cookies only; one reading of the clock for a batch will do */
    /* Not 0: the caller has verified the query's TSIG and will sign the response. A TSIG in the query is
     * passed over, and so many bytes are left free behind the response. */
    uint16_t tsig_room;
    /* Not 0: told to those who ask for the SOA with an EXPIRE option (RFC 7314), the seconds for which a
     * copy of the zone made now is good. */
    uint32_t expire_s;
};

/* What kind of answer it became: for counters. */
enum answer_kind {
    ANSWER_DROPPED,  /* nothing is sent */
    ANSWER_DATA,     /* the type asked for, at the name or at the end of its chain */
    ANSWER_ALIAS,    /* CNAMEs or DNAMEs that lead out of what is served here */
    ANSWER_REFERRAL, /* at or below a cut */
    ANSWER_NODATA,   /* the name exists, the type does not */
    ANSWER_NXDOMAIN,
    ANSWER_REFUSED, /* no zone of ours, a class or a kind of question that is not served */
    ANSWER_CHAOS,   /* identity or version */
    ANSWER_ERROR, /* FORMERR, SERVFAIL, NOTIMP, BADVERS, YXDOMAIN, NOTAUTH, BADCOOKIE: see rcode */
};

/* What the query's COOKIE option was worth. */
enum answer_cookie {
    ANSWER_COOKIE_NONE,   /* none, or cookies are off */
    ANSWER_COOKIE_CLIENT, /* a client's part only, or a server's part that is not ours or too old */
    ANSWER_COOKIE_VALID,  /* made by one of the secrets, for this address, within the hour */
};

struct answer_info {
    enum answer_kind kind;
    uint16_t rcode; /* the whole one, with the extended bits */
    uint16_t ede;   /* enum dns_ede: the extended error that was sent; DNS_EDE_NONE */
    bool truncated;
    enum answer_cookie cookie;
    uint16_t qtype, qclass;  /* 0 when no question could be read */
    const struct zone *zone; /* the zone of the question's name; NULL when none is ours */
};

/* Room that every answer fits in. */
#define ANSWER_UDP_CAP 4096
#define ANSWER_TCP_CAP DNS_MESSAGE_MAX

/* Makes the response to `query` from `zs` into `out` and returns its length; 0 means that nothing is
 * sent: the query is shorter than a header, or is itself a response. Whatever the query is, the
 * response is whole, no longer than `cap` and than what the client takes over its transport, and has its
 * id.
 *
 * `cap` must be at least DNS_UDP_PLAIN_MAX. `zs` may be NULL: then no zone is served. `info` is filled
 * in always. Pure: no clock, no allocation, no system call; `out` must not overlap `query`.
 * docs/answers.md lists what is answered and how, by RFC. */
size_t answer_compose(const struct answer_options *o, const struct zone_set *zs,
                      const struct answer_client *client, const uint8_t *query, size_t len,
                      uint8_t *out, size_t cap, struct answer_info *info);

/* The response that says no more than `verdict`: for who decides before a zone is asked (access, rate,
 * transfers). What the query itself deserves (FORMERR, NOTIMP, BADVERS) goes before. Otherwise as
 * answer_compose(). */
struct answer_verdict {
    uint16_t rcode;
    uint16_t ede; /* enum dns_ede, for those who sent an OPT; DNS_EDE_NONE */
};
size_t answer_error(const struct answer_options *o, const struct answer_client *client,
                    const struct answer_verdict *verdict, const uint8_t *query, size_t len,
                    uint8_t *out, size_t cap, struct answer_info *info);

#endif
