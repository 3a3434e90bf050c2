/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TESTS_SIM_PROMISE_WORLD_H
#define TESTS_SIM_PROMISE_WORLD_H

/* A fleet in virtual time: the real cores (health/check, announce, fleet) on modelled serving processes,
 * a modelled network between the nodes and a modelled BGP view of each. One seed decides everything;
 * nothing here reads a clock. Time goes by ticks of TICK_MS. */
#include <stdbool.h>
#include <stdint.h>

#include "announce/announce.h"
#include "fleet/fleet.h"
#include "health/check.h"

#define TICK_MS 10
#define NODES_MAX 8
#define PREFIXES 2 /* one IPv4, one IPv6, with one address each */
#define PATHS (PREFIXES * VERDICT_TRANSPORTS)
#define LEASE_MS 200
#define PROOF_MS 1000
#define DELAY_MAX_MS 300      /* of a datagram */
#define BGP_DELAY_MAX_MS 2000 /* until others see a change */
#define RANK_MS 4000
#define CLOCK_MAX_MS                                                                               \
    300 /* wall clocks of nodes that know each other by BGP alone are not farther off */
#define CAPACITY 1000

/* Kinds of faults; a seed switches some off altogether. */
#define FAULTS(X)                                                                                  \
    X(CRASH)     /* the serving process dies; the standby, if there is one, takes over */          \
    X(HANG)      /* one worker stops; guard kills the process after a while */                     \
    X(WRONG)     /* a path answers wrongly for a while */                                          \
    X(SILENT)    /* a path is not answered for a while */                                          \
    X(REFUSED)   /* the kernel refuses on a path for a while */                                    \
    X(ADDRESS)   /* a service address goes away for a while */                                     \
    X(STANDBY)   /* the standby fails its proof, or there is none for a while */                   \
    X(STALL)     /* control does not run for a while */                                            \
    X(NODE)      /* the whole node dies and comes back later */                                    \
    X(PARTITION) /* no datagrams from one node to another for a while */                           \
    X(LOSS)      /* many datagrams and probes are lost for a while */                              \
    X(LOAD)      /* clients ask more, or less */                                                   \
    X(DRAIN)     /* an operator drains, or undrains */                                             \
    X(ZONES)     /* new zones */                                                                   \
    X(CLOCK)     /* a wall clock is set */
#define FAULT_ENUM(id) FAULT_##id,
enum fault { FAULTS(FAULT_ENUM) FAULT_COUNT };
#undef FAULT_ENUM

struct pending { /* a probe on its way */
    uint32_t path;
    bool lost;
    struct question q;
    enum question_kind wanted;
    mono_t sent_at;
};
#define PENDING_MAX (PATHS * CHECK_IN_FLIGHT_MAX)

struct node {
    /* The real cores. */
    struct check check;
    struct announce announce;
    struct fleet fleet;
    struct announce_out out;
    struct verdict_set verdict;

    /* The truth. */
    bool alive;
    mono_t back_at;    /* dead: when it comes back */
    bool process;      /* a serving process is active */
    mono_t process_at; /* there is none: when the next one is */
    bool hung;         /* one worker of it stands still */
    mono_t killed_at;  /* hung: when guard kills it */
    mono_t standby_at; /* when a proven standby waits; MONO_NEVER: none comes */
    mono_t crash_at[8];
    uint32_t crash_count;
    mono_t wrong_until[PATHS], silent_until[PATHS], refused_until[PATHS], gone_until[PREFIXES];
    bool gone_told[PREFIXES];
    mono_t stalled_until, ran_at, ran_before; /* control: the last two times it ran */
    mono_t loss_until;
    bool drain; /* kept over restarts */
    int64_t clock_ms;
    uint64_t boots;
    struct announce_serve serve;

    /* When a query was last answered rightly, or would have been. */
    mono_t right_at[PATHS];    /* by all: process, workers, path */
    mono_t process_right_at;   /* by process and workers */
    uint64_t queries, answers; /* of clients */
    uint64_t milli;            /* remainder of clients' share */
    uint64_t weight;           /* how many clients are near */
    uint64_t sent[VERDICT_TRANSPORTS], progress[2];
    struct pending pending[PENDING_MAX];
    uint32_t pending_count;
    mono_t hard_at[PREFIXES]; /* when it last went out of the routes by fault or death */
    mono_t announce_at;       /* next decision at the latest */
};

struct datagram {
    uint32_t from, to;
    mono_t due;
    size_t len;
    uint8_t bytes[512];
};
#define DATAGRAMS_MAX 2048

struct world {
    uint64_t seed, random;
    mono_t now;
    uint32_t node_count;
    bool fleet; /* nodes speak with each other; else only BGP tells */
    bool allowed[FAULT_COUNT];
    uint32_t fault_every_ms; /* on average, all kinds together */
    bool healed;
    uint64_t load; /* clients' queries/s, all sites together */
    struct node nodes[NODES_MAX];
    mono_t cut_until[NODES_MAX][NODES_MAX];
    /* What neighbors of node j see of node i's prefix p. */
    bool visible[NODES_MAX][NODES_MAX][PREFIXES];
    mono_t visible_at[NODES_MAX][NODES_MAX][PREFIXES]; /* when it becomes what is_out() says */
    struct datagram datagrams[DATAGRAMS_MAX];
    uint32_t datagram_count;
    uint64_t faults, decisions;
};

struct world *world_new(uint64_t seed);
/* One tick: faults, network, truth, then every node that runs. Calls `check` after each decision. */
void world_tick(struct world *w, void (*check)(struct world *w, uint32_t node));
/* No more faults, everything repaired, nobody drained, load far below capacity. */
void world_heal(struct world *w);

bool world_is_out(const struct world *w, uint32_t node, uint32_t prefix);
uint32_t world_below(struct world *w, uint32_t limit);
mono_t world_ago(const struct world *w, int64_t ms);
const char *world_fault_name(enum fault f);

#endif
