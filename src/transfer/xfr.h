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
 * (RFC 1996). Pure: messages in, records and messages out. */

/* ---- requests: what a secondary sends, and a primary that notifies ---- */

enum xfr_type { XFR_SOA, XFR_IXFR, XFR_AXFR, XFR_NOTIFY };

struct xfr_ask {
    enum xfr_type type;
    uint16_t id;
    const struct dns_name *origin;
    uint32_t serial;    /* IXFR: the version that is had; NOTIFY: the one that is new */
    const uint8_t *soa; /* IXFR and NOTIFY: RDATA of the SOA to send; NULL: none (NOTIFY) */
    uint16_t soa_len;
    bool edns;        /* with an OPT: EXPIRE (RFC 7314) is asked for, payload 1232 */
    uint16_t padding; /* over TLS: pad to a multiple of this (RFC 8467: 128); 0: no padding */
};
/* Returns the length, 0 when `cap` is too small (512 + padding is always enough). Sign afterwards. */
size_t xfr_ask_write(const struct xfr_ask *a, uint8_t *out, size_t cap);

/* ---- responses, as a secondary reads them ---- */

enum xfr_got {
    XFR_MORE,       /* the next message, please */
    XFR_DONE,       /* complete: the records that were given are the zone, or the changes */
    XFR_UP_TO_DATE, /* SOA or IXFR: the serial is not newer (RFC 1982) than what is had */
    XFR_NEWER,      /* answer to an SOA query: `serial` is newer */
    XFR_WANT_AXFR,  /* this primary does not do IXFR, or not from there: ask for AXFR */
    XFR_WANT_TCP,   /* a truncated answer over UDP */
    XFR_NO_EDNS,    /* FORMERR or the like to a request with an OPT: ask once without */
    XFR_FAILED,     /* refused, broken, or another zone: `why` */
};

struct xfr_in {
    /* set by the caller before xfr_in_begin() */
    enum xfr_type type; /* XFR_SOA, XFR_IXFR, XFR_AXFR */
    uint16_t id;
    const struct dns_name *origin; /* borrowed until the end */
    bool have_serial;              /* there is a version already, `serial` */
    uint32_t serial;
    bool udp;                   /* one message only */
    const struct tsig_key *key; /* NULL: unsigned */
    struct tsig tsig;           /* begun by the caller's tsig_sign() of the request */
    /* Takes each record in the order of the message. For an IXFR `add` tells which half it belongs to, and
     * each step begins with the SOA that is removed. For whole zones `add` is true; the closing SOA is
     * not given again. False ends the transfer as failed. The change is borrowed for the call. */
    bool (*record)(void *arg, const struct zone_change *change);
    /* Before the first record: whether what follows are changes (false: a whole zone, also as an
     * answer to IXFR, RFC 1995 section 4). */
    bool (*begin)(void *arg, bool changes, uint32_t new_serial);
    void *arg;

    /* results */
    uint32_t new_serial;
    bool has_expire; /* the EXPIRE option was there (RFC 7314) */
    uint32_t expire_s;
    uint32_t messages, records;
    uint64_t bytes;
    char why[160];

    /* inside */
    uint8_t stage;
    uint32_t step_serial;
    struct dns_name scratch;
};
void xfr_in_begin(struct xfr_in *x);
/* One whole message; `msg` is changed (TSIG is taken off). Trailing records, a serial that goes
 * backwards, an SOA that does not match, another owner or class, more messages than promised: failed. */
enum xfr_got xfr_in_message(struct xfr_in *x, uint8_t *msg, size_t len, wall_t now);

/* ---- responses, as a primary writes them ---- */

/* The source of an IXFR's changes (store_history_next()); false at its end. */
typedef bool xfr_out_next(void *arg, struct zone_change *out, uint32_t *step);

struct xfr_out {
    /* set by the caller */
    enum xfr_type type; /* what is sent: XFR_AXFR or XFR_IXFR */
    uint16_t qtype;     /* what was asked: the question is echoed so */
    uint16_t id, flags; /* of the request */
    const struct dns_name *origin;
    const struct zone *zone; /* stays readable until the end */
    xfr_out_next *next; /* IXFR: the changes; NULL with XFR_IXFR: the single SOA, "up to date" */
    void *arg;
    bool edns;         /* the request had an OPT: each message gets one */
    bool expire_asked; /* EXPIRE goes into the first message's OPT */
    uint32_t expire_s;
    uint16_t padding; /* block (468 over TLS); 0: none */
    struct tsig tsig; /* of the request; unsigned if it has no key */

    /* inside */
    uint8_t stage;
    const struct zone_node *node;
    uint32_t pos, item, step;
    bool more, sigs;
    struct zone_change pending;
    uint8_t at_records[64];
};
void xfr_out_begin(struct xfr_out *x);
/* Writes the next message of at most 65,535 bytes, compressed, signed, and returns its length; 0: there are no
 * more. `cap` must be XFR_MESSAGE_CAP. */
#define XFR_MESSAGE_CAP 65535
size_t xfr_out_message(struct xfr_out *x, uint8_t *out, size_t cap, wall_t now);

/* ---- requests, as a primary or a notified secondary reads them ---- */

struct xfr_request {
    enum xfr_type type;
    uint16_t id, flags, qtype;
    struct dns_name origin;
    bool has_serial; /* IXFR: of the SOA in the authority section; NOTIFY: in the answer section */
    uint32_t serial;
    bool edns, expire_asked, padding_asked, dnssec_ok;
    uint16_t udp_payload;
};
/* False when the message is no transfer request and no NOTIFY (an ordinary query for answer_compose(), or
 * nothing that deserves an answer here). *rcode is not 0 when it is one and broken: FORMERR. */
bool xfr_request_parse(struct xfr_request *r, const uint8_t *msg, size_t len, uint16_t *rcode);

/* A response without records: to a NOTIFY, or a refusal. With an OPT if the request had one, and then
 * with an extended error (RFC 8914) unless `ede` is below 0. */
size_t xfr_reply_write(const struct xfr_request *r, uint16_t rcode, int ede, uint8_t *out,
                       size_t cap);

#endif
