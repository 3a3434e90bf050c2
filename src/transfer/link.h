/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TRANSFER_LINK_H
#define TRANSFER_LINK_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/addr.h"
#include "zone/version.h"

/* What guard and the process `transfer` say to each other: fixed-size messages over a SOCK_SEQPACKET
 * pair, some with one descriptor. Transfer is started as `perigee-transfer --role transfer NODE` with
 * SIGINT, SIGTERM, SIGHUP and SIGPIPE ignored and these descriptors open. When the link is closed it
 * exits at once. One that is started anew is told everything again. */
#define TRANSFER_FD_LINK 3
#define TRANSFER_FD_CONFIG                                                                         \
    4                       /* the bundle of the fleet file, as control gets it (config/config.h) */
#define TRANSFER_FD_PAGE 5  /* struct transfer_page: transfer writes, guard and control read */
#define TRANSFER_FD_STORE 6 /* the folder of the store, open; its own, mode 0700 */
#define TRANSFER_FD_HANDED 7 /* SOCK_DGRAM: what serve hands over, struct transfer_handed */

/* Transfer advances `progress` from its own loop at least every TRANSFER_TICK_MS. */
#define TRANSFER_TICK_MS 100
struct transfer_page {
    _Atomic uint64_t progress;
    _Atomic uint64_t xfr_in, xfr_in_failed, xfr_out,
        xfr_out_refused; /* transfers, of either kind */
    _Atomic uint64_t soa_queries, notify_in, notify_in_refused, notify_out, notify_passed_on;
    _Atomic uint64_t records_in, records_out, updates; /* updates: versions published */
    _Atomic uint64_t zones, zones_expired, zones_empty;
    _Atomic uint64_t store_bytes, journal_bytes;
};

/* guard to transfer */
enum transfer_event_kind {
    TRANSFER_EV_LISTENER =
        1,               /* fd: a listening TCP socket at an address of the node; arg: 1 is TLS */
    TRANSFER_EV_UDP,     /* fd: a UDP socket at an address of the node: queries, NOTIFY */
    TRANSFER_EV_SERVICE, /* fd: a UDP socket bound to a service address: only to send from it */
    TRANSFER_EV_STARTED, /* the sockets above were all */
    TRANSFER_EV_TEXT,    /* fd: the sealed image of all zones from text; arg: number of the load */
    TRANSFER_EV_TEXT_FAILED, /* the load was refused: the old text stays */
    TRANSFER_EV_PUBLISHED,   /* `version` is answered from */
    TRANSFER_EV_REFUSED,     /* `version` failed serve's proof: text; the one before stays */
    TRANSFER_EV_RELOAD,      /* SIGHUP or `perigee reload`: read keys and certificates anew */
    TRANSFER_EV_ORDER,       /* an operator's command, from control: arg is enum transfer_order */
};

/* What an operator may ask for one zone (`text` is its origin) or for all (empty). */
enum transfer_order {
    TRANSFER_ORDER_REFRESH = 1, /* ask the primary for the SOA now */
    TRANSFER_ORDER_RETRANSFER,  /* AXFR, whatever the serial */
    TRANSFER_ORDER_NOTIFY,      /* tell the secondaries */
    TRANSFER_ORDER_ACCEPT,      /* accept a version that the shrink limit refused */
};

struct transfer_event {
    uint32_t kind; /* enum transfer_event_kind */
    uint32_t arg;
    uint64_t version;
    union addr addr; /* of a socket: where it is bound */
    char text[256];
};

/* transfer to guard */
enum transfer_request_kind {
    TRANSFER_REQ_PUBLISH =
        1, /* fd: the image, read-only; `version`: which; arg: the newest load of text
                                 that is in it */
    TRANSFER_REQ_TEXT_REFUSED, /* the zones of load `arg` may not be served: text (shrink, checks) */
};

struct transfer_request {
    uint32_t kind; /* enum transfer_request_kind */
    uint32_t arg;
    struct zone_version version;
    char text[256];
};

/* What serve hands over: a NOTIFY (RFC 1996) that came by UDP to a service address. Transfer answers it
 * through the socket of TRANSFER_EV_SERVICE. Lost when the queue is full, as datagrams are. */
#define TRANSFER_HANDED_MAX 512
struct transfer_handed {
    union addr from, to; /* `to`: the service address and port */
    uint32_t len;
    uint8_t message[TRANSFER_HANDED_MAX];
};

#endif
