/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TRANSFER_REFRESH_H
#define TRANSFER_REFRESH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"
#include "store/store.h"
#include "transfer/xfr.h"

/* When a secondary asks whom for one zone (RFC 1034 section 4.3.5, RFC 1996, RFC 7314). A pure state
 * machine: events and the time in, what to do out. There is one for each of 100,000 zones, so it is
 * small; what zones have in common is passed with each call.
 *
 * A round asks the primaries one after the other until one has what is wanted. One that confirms the
 * version or gives a newer one ends it; after a round without, the next begins when the SOA's retry time
 * has passed, or for a zone that was never had after a time that doubles. Times are shortened by up to a
 * tenth at random, so that zones do not run in step. A primary that is behind is passed over: a serial
 * never goes back but by an operator's order. */

/* The same for many zones. */
struct transfer_refresh_terms {
    uint8_t primaries;     /* 1..255 */
    uint32_t min_s, max_s; /* bounds of the SOA's refresh and retry; min_s at least 1 */
};

#define TRANSFER_REFRESH_HOLD_MS                                                                   \
    2000 /* between a NOTIFY that told nothing new and what the next starts */
#define TRANSFER_REFRESH_FIRST_S 5 /* a zone that was never had: after the first round, doubling */
#define TRANSFER_REFRESH_FIRST_MAX_S 3600      /* up to this */
#define TRANSFER_REFRESH_EXPIRE_MAX_S 14515200 /* 24 weeks, as in BIND */

enum transfer_refresh_state {
    TRANSFER_REFRESH_WAITING,      /* for `next` */
    TRANSFER_REFRESH_ASKING,       /* an SOA query is on its way */
    TRANSFER_REFRESH_TRANSFERRING, /* an IXFR or AXFR is */
};

/* Read it by the functions below, and `serial`, `has_zone`, `expired`, `state`. */
struct transfer_refresh {
    mono_t next;    /* when the next round begins */
    mono_t expires; /* when the zone must not be served any more; MONO_NEVER without zone */
    mono_t done;    /* when the last round that was started ended; MONO_ZERO: none did */
    uint32_t refresh_s, retry_s, expire_s; /* in bounds */
    uint32_t serial;
    uint32_t wanted; /* the newest serial that a NOTIFY told */
    uint32_t random; /* state of the jitter */
    uint8_t state;   /* enum transfer_refresh_state */
    uint8_t primary; /* which one is asked, or asked first in the next round */
    uint8_t tried;   /* primaries in this round */
    uint8_t fails;   /* rounds in a row that got nothing; sticks at 255 */
    bool has_zone : 1, expired : 1;
    /* a newer version was told of; AXFR whatever the serial, in this round and in the next; another round
     * follows, and must; a primary has confirmed the version in this round; the last round got nothing */
    bool has_wanted : 1, whole : 1, order : 1, again : 1, must : 1, confirmed : 1, quiet : 1;
};
_Static_assert(sizeof(struct transfer_refresh) <= 64, "there are 100,000 of these");

/* What is known at the start. */
struct transfer_refresh_start {
    uint32_t seed;      /* any number, another for each zone */
    uint32_t spread_ms; /* the first round begins at random within this time */
    bool has_zone;      /* a version is there, with this SOA: */
    struct xfr_soa soa;
    struct store_times
        times; /* of the store; all 0: nothing is known, it counts as just refreshed */
};

enum transfer_refresh_kind {
    TRANSFER_REFRESH_TIMER, /* time has passed: transfer_refresh_next() or any other moment */
    TRANSFER_REFRESH_NOTIFIED, /* NOTIFY from `primary` (or -1: from another who may), perhaps with `serial` */
    TRANSFER_REFRESH_ORDER,       /* an operator: ask now */
    TRANSFER_REFRESH_ORDER_WHOLE, /* an operator: AXFR now, whatever the serial */
    /* what came of ASK or TRANSFER */
    TRANSFER_REFRESH_SAME,   /* XFR_UP_TO_DATE */
    TRANSFER_REFRESH_BEHIND, /* XFR_BEHIND */
    TRANSFER_REFRESH_NEWER,  /* XFR_NEWER, with `serial` */
    TRANSFER_REFRESH_GOT,    /* a version is there, checked, stored and published, with `soa` */
    TRANSFER_REFRESH_FAILED, /* anything else, time-outs and versions that were not accepted included */
};

struct transfer_refresh_event {
    enum transfer_refresh_kind kind;
    int primary;
    bool has_serial;
    uint32_t serial;
    struct xfr_soa soa;
    bool has_expire; /* SAME and GOT: the EXPIRE option was there (RFC 7314) */
    uint32_t expire_s;
};

enum transfer_refresh_do {
    TRANSFER_REFRESH_NOTHING,
    TRANSFER_REFRESH_ASK,      /* SOA query to `primary`: tell what came of it, a time-out too */
    TRANSFER_REFRESH_TRANSFER, /* IXFR if there is a version and not `whole`, else AXFR; likewise */
};

struct transfer_refresh_action {
    enum transfer_refresh_do what;
    uint8_t primary;
    bool whole; /* AXFR, and any serial is welcome */
    bool
        expire; /* the zone has expired now: it must not be answered from (RFC 1034 section 4.3.5) */
    bool revive; /* it was expired and is valid again: answer from it */
};

void transfer_refresh_begin(struct transfer_refresh *r, const struct transfer_refresh_terms *terms,
                            const struct transfer_refresh_start *start, mono_t now, wall_t wall);
/* An event in, what to do out. Results that nobody waits for are passed over. */
void transfer_refresh_step(struct transfer_refresh *r, const struct transfer_refresh_terms *terms,
                           const struct transfer_refresh_event *ev, mono_t now,
                           struct transfer_refresh_action *out);
/* When a TRANSFER_REFRESH_TIMER is due; MONO_NEVER: nothing waits. */
mono_t transfer_refresh_next(const struct transfer_refresh *r);
/* After the terms have changed (a reload): brings times and primaries into the new bounds. */
void transfer_refresh_bound(struct transfer_refresh *r, const struct transfer_refresh_terms *terms,
                            mono_t now);
/* For the store: refreshed and expires as they are; `changed` and `flags` are left alone. */
void transfer_refresh_times(const struct transfer_refresh *r, struct store_times *times, mono_t now,
                            wall_t wall);
/* For EXPIRE in answers (RFC 7314 section 3): seconds until the zone expires, 0 when it has. */
uint32_t transfer_refresh_left_s(const struct transfer_refresh *r, mono_t now);

#endif
