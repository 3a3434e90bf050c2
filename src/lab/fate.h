/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LAB_FATE_H
#define LAB_FATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* What became of each query, and sums over it. Pure. Written by the traffic thread, one query at a
 * time; read by the other thread while it goes on. */
enum fate_state {
    FATE_OPEN = 0, /* not answered: lost, unless it is still on its way */
    FATE_RIGHT,    /* NOERROR, AA, our record, from the address that was asked, by a known server */
    FATE_WRONG,    /* anything else that came back: refused, SERVFAIL, other data, unknown NSID */
    FATE_UNSENT,   /* the client's own kernel refused it: counted as lost, and told apart */
};

#define FATE_SERVER_NONE 255
#define FATE_SERVERS_MAX 64

/* `outcome` packs what is known when the answer comes, so that it is published in one store (release;
 * the reader's load acquires): round trip in us, server, RCODE, state. */
struct fate {
    int64_t sent_ns; /* mono */
    uint8_t family;  /* 4 or 6 */
    uint8_t target;  /* which of the flow's addresses was asked */
    _Atomic uint64_t outcome;
};

static inline uint64_t fate_pack(enum fate_state s, uint32_t rtt_us, uint8_t server, uint8_t rcode)
{
    return (uint64_t)rtt_us << 32 | (uint64_t)rcode << 16 | (uint64_t)server << 8 | s;
}
static inline enum fate_state fate_state_of(uint64_t o)
{
    return (enum fate_state)(o & 0xff);
}
static inline uint8_t fate_server_of(uint64_t o)
{
    return (uint8_t)(o >> 8);
}
static inline uint8_t fate_rcode_of(uint64_t o)
{
    return (uint8_t)(o >> 16);
}
static inline uint32_t fate_rtt_of(uint64_t o)
{
    return (uint32_t)(o >> 32);
}

#define FATE_MOVES_MAX 12
struct fate_move { /* from `at_ms` after the start, most answers came from `server` */
    int32_t at_ms;
    uint8_t server; /* FATE_SERVER_NONE: no answers */
};

struct fate_filter {
    int64_t from_ns, to_ns; /* sent in [from, to) */
    uint8_t family;         /* 4, 6; 0: both */
    int target;             /* -1: all */
    uint32_t late_us;       /* answers slower than this are counted in `late`; 0: none */
};

struct fate_report {
    uint32_t sent, right, wrong, lost, late, unsent;
    uint32_t lost4, lost6; /* `lost` by family */
    int64_t
        outage_us; /* the longest time in which a family had no answer: from the first lost query
                          until the next that was answered was sent; 0: none lost */
    int64_t lost_first_ms, lost_last_ms;                        /* after from_ns; -1: none */
    uint32_t rtt_us_min, rtt_us_median, rtt_us_p95, rtt_us_max; /* of right answers; 0: none */
    uint32_t by_server[FATE_SERVERS_MAX];                       /* right answers */
    struct fate_move moves[FATE_MOVES_MAX];
    uint32_t move_count;
};

/* `at` in the order of sending. Uses scratch of `count` values for the percentiles; NULL: none. */
void fate_count(const struct fate *at, uint32_t count, const struct fate_filter *f,
                uint32_t *scratch, struct fate_report *out);

/* How evenly they were sent: 99 % of those in [from, to) left within so many us of their time at `qps` a
 * second. `scratch` has room for `count` values. 0 when there are none. */
uint32_t fate_pace_us(const struct fate *at, uint32_t count, uint32_t qps, int64_t from_ns,
                      int64_t to_ns, uint32_t *scratch);

/* Adds `more` into `sum`: counts add, extremes meet, moves and percentiles stay those of `sum`. */
void fate_add(struct fate_report *sum, const struct fate_report *more);

#endif
