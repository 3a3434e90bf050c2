/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ANNOUNCE_ANNOUNCE_H
#define ANNOUNCE_ANNOUNCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/prefix.h"
#include "base/time.h"
#include "health/verdict.h"

/* The promise: a prefix is announced while, and only while, this node has just proven that it answers
 * correctly on it. A pure function of everything that is known and of the time: in goes a full
 * picture, out comes the whole set of routes that should be out, each with its reason, and when to
 * ask again at the latest. No clock, socket, memory or random of its own; all times are mono_t of one
 * clock. docs/promise.md says the same for operators.
 *
 * A prefix depends on the service addresses that lie in it, whosever service they are of, and each of
 * those on UDP and TCP. Its *evidence* is the oldest of: the evidence of each such path
 * (verdict.h) and the progress of the workers. It holds for `lease_ms` from its own time.
 *
 *   proven    zones are loaded, a process answers, every path has been proven, no path has an open
 *             fault, and the evidence is younger than the lease: needed to announce
 *   holding   evidence is younger than the lease: enough to stay announced (a fault that is repaired
 *             and proven within the lease changes no route)
 *
 * When our own loop did not run for a while (verdict_set.resumed_at), nobody can say whether answers
 * were missing or only unread: evidence then holds until `resume_ms` after the loop runs again,
 * but never beyond twice the lease. */

#define ANNOUNCE_PREFIXES_MAX 64
#define ANNOUNCE_NEIGHBORS_MAX 64
#define ANNOUNCE_ROUTES_MAX (ANNOUNCE_PREFIXES_MAX * ANNOUNCE_NEIGHBORS_MAX)
#define ANNOUNCE_REASON_MAX 256

/* Defaults of what may be left 0 in the configuration. */
#define ANNOUNCE_LEASE_MS 200
#define ANNOUNCE_RESUME_MS 100
#define ANNOUNCE_HOLD_MS 2000
#define ANNOUNCE_HOLD_MAX_MS 300000
#define ANNOUNCE_HOLD_DECAY_MS 60000
#define ANNOUNCE_CRASHES 3
#define ANNOUNCE_CRASH_WINDOW_MS 10000
#define ANNOUNCE_DRAIN_DELAY_MS 2000
#define ANNOUNCE_DRAIN_QUIET_MS 2000
#define ANNOUNCE_DRAIN_LIMIT_MS 30000
#define ANNOUNCE_PREPEND 3
#define ANNOUNCE_CAPACITY_STAY_MS 5000
#define ANNOUNCE_CAPACITY_CALM_MS 10000
#define ANNOUNCE_CAPACITY_RETURN_MS 30000
#define ANNOUNCE_CAPACITY_RETURN_MAX_MS 600000
#define ANNOUNCE_CAPACITY_LOW_PERCENT 80
#define ANNOUNCE_RANK_MS 10000

/* The terms of one prefix: those of the service whose addresses it carries. */
struct announce_terms {
    uint32_t lease_ms;    /* how long evidence holds; 0: ANNOUNCE_LEASE_MS */
    uint32_t resume_ms;   /* 0: ANNOUNCE_RESUME_MS */
    uint32_t hold_ms;     /* proven for so long before it is announced again after a withdrawal by
                                fault; doubles with every such withdrawal; 0: ANNOUNCE_HOLD_MS */
    uint32_t hold_max_ms; /* where doubling ends */
    uint32_t
        hold_decay_ms;  /* one withdrawal is forgotten for every so long announced without fault */
    bool drain_at_once; /* drain_delay_ms is 0 indeed, not the default */
    uint32_t drain_delay_ms;  /* a draining prefix is the worse way for so long, then withdrawn */
    uint32_t drain_quiet_ms;  /* drained when fewer than drain_quiet_qps came for so long */
    uint32_t drain_quiet_qps; /* 0: none at all */
    uint32_t drain_limit_ms;  /* drained so long after the withdrawal in any case */
    uint8_t prepend;          /* own AS that many more times while draining or over capacity;
                                0: ANNOUNCE_PREPEND */
};

struct announce_prefix {
    struct prefix prefix;
    const char *service; /* for the reasons; borrowed for the life of struct announce */
    struct announce_terms terms;
};

#define ANNOUNCE_IPV4 0x1
#define ANNOUNCE_IPV6 0x2

struct announce_neighbor {
    uint32_t families; /* which prefixes it is told: ANNOUNCE_IPV4 | ANNOUNCE_IPV6 */
    bool ibgp;
    uint8_t prepend; /* always */
    bool has_local_pref;
    uint32_t local_pref; /* iBGP, in good times; if not given 100 */
};

struct announce_config {
    uint32_t prefix_count, neighbor_count;
    struct announce_prefix prefixes[ANNOUNCE_PREFIXES_MAX];
    struct announce_neighbor neighbors[ANNOUNCE_NEIGHBORS_MAX];
    uint32_t capacity_qps;         /* 0: no limit, the next are unused */
    uint32_t capacity_stay_ms;     /* above it for so long although prepended: ask to withdraw */
    uint32_t capacity_calm_ms;     /* below capacity_low_percent for so long: prepend no more */
    uint32_t capacity_low_percent; /* of the capacity */
    uint32_t capacity_return_ms;   /* withdrawn for load at least so long; doubles when it recurs */
    uint32_t capacity_return_max_ms;
    uint32_t crashes, crash_window_ms; /* the so manieth crash within so long withdraws at once */
    uint32_t
        rank; /* this node's place among the fleet's nodes, from 0: where sites know of each other
                      by BGP alone, they step back for load by turns of the wall clock */
    uint32_t rank_count; /* nodes in the fleet file; 0 or 1: this one alone */
    uint32_t rank_ms;    /* how long each node's turn lasts */
    bool fleet; /* other nodes are configured: once heard, only their word counts, and not BGP's */
    bool dry_run; /* decide everything, announce nothing: announce_out.routes stays empty */
};

/* Whether another site announces a prefix. `fleet` gives the first three (fleet/fleet.h), the BGP
 * speaker the last: exactly this prefix, seen from a neighbor, originated by another site. */
struct announce_others {
    uint32_t heard;      /* other nodes heard within the expiry, whatever they say of the prefix */
    uint32_t announcing; /* of these, who announces it now */
    bool permit;         /* one of the announcing has seen that we wish to step back, and stays */
    bool seen_bgp;
};

/* The serving processes, as guard tells. Levels, not edges: pass the latest of each every time. */
struct announce_serve {
    bool active;              /* GUARD_EV_SERVE_ACTIVE came after the last GUARD_EV_SERVE_DOWN, or
                                  that one said `repaired` */
    bool standby;             /* a proven standby waits (GUARD_EV_STANDBY with a pid) */
    uint32_t crashes;         /* the latest guard_event.crashes */
    mono_t crashed_at;        /* its time; MONO_ZERO: never */
    mono_t standby_failed_at; /* of the latest GUARD_EV_STANDBY_FAILED; MONO_ZERO: never */
    mono_t standby_proven_at; /* of the latest GUARD_EV_STANDBY with a pid */
    const char *standby_text; /* its text, or NULL; borrowed for the call */
};

struct announce_input {
    mono_t now; /* never goes back */
    wall_t
        wall; /* at the same moment; used only to take turns where BGP alone tells of other sites */
    const struct verdict_set *verdict;
    struct announce_serve serve;
    uint64_t queries, answers; /* of clients, since the start: health_traffic(). Never go back */
    bool drain;                /* asked for by an operator, kept over restarts by control */
    bool stop;                 /* SIGTERM: the same way, but not kept */
    const char *drain_why;     /* "maintenance window", or NULL; borrowed for the call */
    mono_t grant_at;           /* when we last vouched for another node that steps back
                               (fleet_granted_at); a soft withdrawal waits until it knows that we
                               do no more. MONO_ZERO: never */
    uint32_t grant_hold_ms;    /* how long that takes (fleet_grant_hold_ms) */
    struct announce_others others[ANNOUNCE_PREFIXES_MAX]; /* in the order of the configuration */
};

/* States of a prefix. Announced in the first column, withdrawn in the second. */
#define ANNOUNCE_STATES(X)                                                                         \
    X(WAITING, "waiting")     /*   out  never announced yet: proof is not complete */              \
    X(ANNOUNCED, "announced") /* in    proven, evidence younger than the lease */                  \
    X(REDUCED, "reduced")     /* in    over capacity: prepended */                                 \
    X(SHED, "shed")           /*   out stayed over capacity, and another site takes over */        \
    X(FAILED, "failed")       /*   out evidence ran out, or a hard fault: proof is not complete */ \
    X(HELD, "held")           /*   out proven again, but not yet for long enough */                \
    X(DRAINING, "draining")   /* in    drain: GRACEFUL_SHUTDOWN, prepended */                      \
    X(EMPTYING, "emptying")   /*   out drain: still answering what comes */                        \
    X(DRAINED, "drained")     /*   out drain: no query comes any more, or the limit passed */

#define ANNOUNCE_STATE_ENUM(id, name) ANNOUNCE_##id,
enum announce_state { ANNOUNCE_STATES(ANNOUNCE_STATE_ENUM) ANNOUNCE_STATE_COUNT };
#undef ANNOUNCE_STATE_ENUM
/* "waiting", … Part of the output's promise (--json, metrics). */
const char *announce_state_name(enum announce_state s);
bool announce_state_is_out(enum announce_state s); /* routes of it are out: IN the table above */

/* What is known and decided of one prefix. Never without a reason. */
struct announce_status {
    enum announce_state state, before; /* `before`: the state before this one */
    mono_t since;
    char reason[ANNOUNCE_REASON_MAX]; /* why it is in this state; kept from when it came */
    char now[ANNOUNCE_REASON_MAX];    /* what is missing or running out right now; empty: nothing */
    mono_t evidence_at;  /* the oldest that it rests on; MONO_ZERO: something was never proven */
    mono_t lease_until;  /* when that no longer holds */
    mono_t proven_since; /* proven without a break since; MONO_NEVER: not now */
    mono_t hold_until;   /* HELD: when it may be announced; else MONO_ZERO */
    uint32_t flaps;      /* withdrawals by fault that are not forgotten */
    bool last_site;      /* no other site is known to announce it */
    bool wish;           /* over capacity, would step back: told to the fleet */
    bool changed;        /* the state changed in this very step: log it */
};

/* What goes out to a neighbor for a prefix. Attributes that the neighbor's configuration fixes
 * (communities, MED, next hop) are the caller's to add. */
struct announce_route {
    uint16_t prefix, neighbor; /* index into the configuration */
    uint8_t prepend;           /* the neighbor's own, plus what the state asks for */
    bool graceful_shutdown;    /* with community 65535:0 (RFC 8326) */
    bool has_local_pref;       /* iBGP: always; eBGP: never */
    uint32_t local_pref;       /* 0 while draining (RFC 8326 section 3.1) */
};

struct announce_out {
    struct announce_status prefixes[ANNOUNCE_PREFIXES_MAX]; /* configuration's order and count */
    uint32_t route_count;
    struct announce_route routes[ANNOUNCE_ROUTES_MAX]; /* by prefix, then neighbor */
    mono_t next;  /* call again by then, with a fresh picture */
    bool changed; /* some state or route differs from the step before */
    bool drained; /* every prefix is drained: with `stop`, guard may end everything */
    bool replace; /* the active process answers wrongly and a proven standby waits: let it take
                         over (GUARD_REQ_REPLACE_SERVE). Said once per fault */
    char replace_why[ANNOUNCE_REASON_MAX];
    uint64_t load_qps;  /* answers/s to clients, averaged over about a second */
    uint64_t query_qps; /* queries/s, the same way */
    bool over_capacity;
};

/* What is remembered of a prefix from step to step. */
struct announce_memory {
    enum announce_state state, before;
    mono_t since;
    mono_t proven_since; /* MONO_NEVER: not proven now */
    mono_t quiet_since;  /* EMPTYING: no more than drain_quiet_qps since */
    mono_t decay_at;     /* when one of `flaps` is forgotten */
    mono_t wish_since;   /* MONO_NEVER: no wish to step back */
    mono_t return_at;    /* SHED: when it comes back */
    bool fault;          /* withdrawn by fault, and not announced again yet */
    uint32_t flaps;
    char reason[ANNOUNCE_REASON_MAX];
};

/* All in place, no pointer into the heap; the copy of the configuration borrows the service names. */
struct announce {
    struct announce_config config;
    struct announce_memory memory[ANNOUNCE_PREFIXES_MAX];
    bool started;
    bool heard_ever;                     /* another node of the fleet has been heard */
    mono_t rate_at;                      /* of the last sample of the counters */
    uint64_t rate_queries, rate_answers; /* the counters then */
    uint64_t query_mqps, answer_mqps; /* averages over about a second, thousandths of one per s */
    uint64_t query_last_mqps;         /* of the last sample alone */
    bool over;                        /* over capacity, with hysteresis */
    mono_t over_since, above_since, below_since;
    mono_t shed_at; /* the last withdrawal for load */
    uint32_t sheds; /* those that are not forgotten */
    mono_t crash_seen, crash_until, replace_seen;
    uint64_t routes_hash;
};

/* Copies `c` and fills in the defaults. Every prefix is WAITING. */
void announce_init(struct announce *a, const struct announce_config *c);

/* One decision. `out` is wholly overwritten. The edge compares out->routes with what is out and sends
 * the difference in the same turn of the loop, withdrawals first. */
void announce_step(struct announce *a, const struct announce_input *in, struct announce_out *out);

/* A new configuration (reload): prefixes that stay keep their memory, by prefix. */
void announce_configure(struct announce *a, const struct announce_config *c);

#endif
