/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TRANSFER_XFR_H
#define TRANSFER_XFR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "base/time.h"
#include "dns/message.h"
#include "dns/tsig.h"
#include "zone/edit.h"
#include "zone/zone.h"

/* Zone transfer, both sides, without sockets: AXFR (RFC 5936), IXFR (RFC 1995), the SOA query, NOTIFY
 * (RFC 1996), what TLS asks for (RFC 9103). Pure: messages in, records and messages out. docs/transfers.md
 * has every paragraph. */

enum xfr_type { XFR_SOA, XFR_IXFR, XFR_AXFR, XFR_NOTIFY };

/* ---- requests: what a secondary sends, and a primary that notifies ---- */

struct xfr_ask {
    enum xfr_type type;
    uint16_t id;
    const struct dns_name *origin;
    const uint8_t
        *soa; /* RDATA, uncompressed: IXFR: of the version that is had; NOTIFY: of the one that
                           is new, or NULL */
    uint16_t soa_len;
    uint32_t
        serial; /* IXFR without `soa`: the serial that is had (the other fields are of no meaning) */
    bool edns;  /* with an OPT: payload 1232, and for all but NOTIFY EXPIRE is asked (RFC 7314) */
    uint16_t
        padding; /* over TLS: pad to a multiple of this (RFC 8467: 128); 0: no padding. Needs `edns` */
    const struct tsig *tsig; /* what will sign it, so that it counts for the padding; may be NULL */
};
/* Returns the length, 0 when `cap` is too small: XFR_ASK_MAX + padding is always enough, its signature
 * included. Sign afterwards. */
#define XFR_ASK_MAX (DNS_HEADER_LEN + 2 * DNS_NAME_MAX + 64 + 2 * DNS_NAME_MAX + TSIG_ROOM)
size_t xfr_ask_write(const struct xfr_ask *a, uint8_t *out, size_t cap);

/* ---- responses, as a secondary (or who notified) reads them ---- */

enum xfr_got {
    XFR_MORE, /* the next message, please */
    XFR_DONE, /* complete: the records that were given are the zone, or the changes; NOTIFY: heard */
    XFR_UP_TO_DATE, /* SOA or IXFR: `new_serial` is the one that is had */
    XFR_BEHIND,     /* SOA or IXFR: `new_serial` is older (RFC 1982) than what is had */
    XFR_NEWER,      /* answer to an SOA query: `new_serial` is newer, or nothing is had */
    XFR_WANT_AXFR,  /* this primary does not do IXFR, or not from there: ask for AXFR */
    XFR_WANT_TCP,   /* a truncated answer over UDP, or changes that do not fit */
    XFR_NO_EDNS,    /* FORMERR or the like to a request with an OPT: ask once more without */
    XFR_FAILED,     /* refused, broken, or another zone: `why` */
};

/* RDATA of an SOA at its longest. */
#define XFR_SOA_MAX (2 * DNS_NAME_MAX + 20)

struct xfr_in {
    /* set by the caller before xfr_in_begin() */
    enum xfr_type type; /* what was asked */
    uint16_t id;
    const struct dns_name *origin; /* borrowed until the end */
    bool have_serial;              /* there is a version already, `serial` */
    uint32_t serial;
    bool udp;             /* one message only */
    bool edns;            /* the request had an OPT */
    struct tsig tsig;     /* of the request, after its tsig_sign(); unsigned if it has no key */
    uint32_t records_max; /* more than this fail; 0: any number */
    uint64_t bytes_max;   /* likewise, of all messages */
    /* Before the first record: whether what follows are changes (false: a whole zone, also as an
     * answer to IXFR, RFC 1995 section 4). False ends the transfer as failed. Not for SOA and NOTIFY. */
    bool (*begin)(void *arg, bool changes, uint32_t new_serial);
    /* Takes each record in the order of the message. For changes `add` tells which half it belongs to, and
     * each half begins with its SOA: the old one is removed, the new one added. For whole zones `add` is
     * true; the closing SOA is not given again. Owners are at or below the origin, RDATA is uncompressed.
     * Nothing counts before XFR_DONE: a signature may be wrong later on. The change is borrowed for the
     * call. False ends the transfer as failed. */
    bool (*record)(void *arg, const struct zone_change *change);
    void *arg;

    /* results */
    uint32_t new_serial;
    bool has_expire; /* the EXPIRE option was there (RFC 7314) */
    uint32_t expire_s;
    uint16_t rcode; /* of the last message, with its upper bits */
    uint32_t messages, records,
        outside; /* outside: records that are no part of the zone, passed over */
    uint64_t bytes;
    uint8_t soa[XFR_SOA_MAX]; /* of the new version: RDATA, uncompressed */
    uint16_t soa_len;         /* 0: none came yet */
    char why[200];

    /* inside */
    uint8_t stage;
    uint32_t step_serial, soa_ttl_s;
};
void xfr_in_begin(struct xfr_in *x);
/* One whole message; `msg` is changed (TSIG is taken off). Trailing records, a serial that goes
 * backwards, an SOA that does not match, another class, a type that no zone holds: failed. */
enum xfr_got xfr_in_message(struct xfr_in *x, uint8_t *msg, size_t len, wall_t now);

/* The four numbers of an SOA's RDATA that a secondary lives by; false when it is none. */
struct xfr_soa {
    uint32_t serial, refresh_s, retry_s, expire_s;
};
bool xfr_soa_read(struct xfr_soa *s, const uint8_t *rdata, size_t len) BASE_MUST_USE;

/* Serial number arithmetic (RFC 1982 section 3.2): whether `a` is newer than `b`. Of two that are 2^31
 * apart neither is. */
static inline bool xfr_serial_newer(uint32_t a, uint32_t b)
{
    return a != b && (uint32_t)(a - b) < 0x80000000u;
}

/* ---- responses, as a primary writes them ---- */

/* The source of an IXFR's changes (store_history_next()); false at its end. The records of each step: those
 * removed, then those added, the SOA first of each. `out` and what it points to stay until the next call. */
typedef bool xfr_out_next(void *arg, struct zone_change *out, uint32_t *step);

struct xfr_out {
    /* set by the caller */
    enum xfr_type type; /* what is sent: XFR_SOA (only the SOA: up to date), XFR_AXFR or XFR_IXFR */
    uint16_t qtype;     /* what was asked: the question is echoed so */
    uint16_t id, flags; /* of the request */
    const struct dns_name *origin;
    const struct zone *zone; /* the newest version; has content; stays readable until the end */
    xfr_out_next *next;      /* XFR_IXFR: the changes up to `zone` */
    void *arg;
    uint16_t
        udp_max; /* over UDP: bytes of the one message; what does not fit becomes the SOA alone (RFC
                         1995 section 2). 0: TCP or TLS */
    bool edns;   /* the request had an OPT: the first message gets one, all if they are padded */
    bool expire_asked; /* EXPIRE goes into the first message's OPT */
    uint32_t expire_s;
    uint16_t padding; /* block (468 over TLS); 0: none. Needs `edns` */
    struct tsig tsig; /* of the request; unsigned if it has no key */

    /* results */
    bool failed; /* a record is too long for a message, or the changes do not lead to `zone` */
    uint32_t messages, records;
    uint64_t bytes;

    /* inside */
    uint8_t stage;
    bool sigs, has_pending, has_rrset, changed;
    uint16_t item;
    uint32_t offset, pos, serial;
    const struct zone_node *node;
    struct zone_rrset rrset;
    struct zone_walk walk;
    struct zone_change pending;
};
void xfr_out_begin(struct xfr_out *x);
/* Writes the next message, compressed and signed, and returns its length; 0: there are no more, or
 * x->failed: then the connection is to be closed, so that nobody takes it for whole. `cap` must be
 * XFR_MESSAGE_CAP. */
#define XFR_MESSAGE_CAP 65535
size_t xfr_out_message(struct xfr_out *x, uint8_t *out, size_t cap, wall_t now);

/* ---- requests, as a primary or a notified secondary reads them ---- */

struct xfr_request {
    enum xfr_type type; /* XFR_IXFR, XFR_AXFR or XFR_NOTIFY */
    uint16_t id, flags, qtype, qclass;
    bool question; /* `origin`, `qtype` and `qclass` could be read */
    struct dns_name origin;
    bool has_serial; /* IXFR: of the SOA in the authority section; NOTIFY: in the answer section */
    uint32_t serial;
    bool edns, expire_asked, padding_asked, dnssec_ok;
    uint16_t udp_payload; /* at least 512 */
};
/* False when the message is no transfer request and no NOTIFY (an ordinary query for answer_compose(), a
 * response, or nothing that deserves an answer). *rcode is not 0 when it is one and must be refused
 * whatever the zone: FORMERR; NOTIMP for a NOTIFY of another type than SOA; BADVERS. */
bool xfr_request_parse(struct xfr_request *r, const uint8_t *msg, size_t len, uint16_t *rcode);

/* A response without records: to a NOTIFY, or a refusal. With an OPT if the request had one, and then
 * with an extended error (RFC 8914) unless `ede` is below 0. Sign afterwards. Returns 0 when `cap` is too
 * small (DNS_UDP_PLAIN_MAX is always enough, without the signature). */
size_t xfr_reply_write(const struct xfr_request *r, uint16_t rcode, int ede, uint8_t *out,
                       size_t cap);

#endif
