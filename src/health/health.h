/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef HEALTH_HEALTH_H
#define HEALTH_HEALTH_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/addr.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/time.h"
#include "health/verdict.h"
#include "serve/link.h"
#include "zone/zone.h"

/* The edge of health: on control's loop it asks every service address by every transport, all the
 * time, holds the answers against the zone image (health/expect.h), samples the page of the serving
 * process, and keeps the verdicts. What it knows decides nothing: `announce` does.
 *
 * How the pieces talk: probe (edge) -> health/expect (pure: what must the answer be?) -> health/check
 * (pure: rules 1 to 5 of verdict.h) -> struct verdict_set. All on the loop's thread. */

struct health;

struct health_address {
    union addr addr;     /* with its port */
    uint32_t check_ms;   /* between two probes of a path; 50 */
    uint32_t timeout_ms; /* an answer that comes later does not count; the lease: 200 */
};

struct health_options {
    const struct health_address *addresses; /* copied */
    uint32_t address_count;                 /* at most VERDICT_ADDRESSES_MAX */
    const uint8_t *nsid; /* what our server says in NSID; copied. NULL: not asked for */
    uint32_t nsid_len;
    uint32_t proof_ms;   /* rule 3: how long a right probe lets answers vouch; 0: 1000 */
    uint32_t changed_ms; /* after new zones the old version's answers count for so long; 0: 1000 */
    uint64_t seed;       /* decides which names are asked; from the kernel, or fixed in a test */

    /* Something got worse or better: a fault opened or closed, a path became proven, the evidence of
     * a repair came. Called from the loop; must not call health_* or decide anything: set a flag and
     * decide after the loop has read all its sockets (uv_check_t), so that answers which wait unread
     * are not taken for missing. Between calls evidence is renewed silently: look at
     * health_verdict() when announce's next deadline has come. */
    void (*changed)(void *arg);
    void *arg;
};

/* Does not probe before health_take_zones() and health_set_page(). NULL with *e filled in. */
struct health *health_new(uv_loop_t *loop, const struct health_options *o,
                          struct err *e) BASE_MUST_USE;
void health_free(struct health *h); /* memory goes when the loop has run the close callbacks */

/* New zones: takes the ownership of `set`. Probes are held against it from now on; for `changed_ms`
 * an answer that equals the version before is right as well. */
void health_take_zones(struct health *h, struct zone_set *set, uint32_t version);
/* Borrowed until the next health_take_zones(); NULL before the first. */
const struct zone_set *health_zones(const struct health *h);

/* The process that answers now (GUARD_EV_SERVE_ACTIVE); NULL: there is none (GUARD_EV_SERVE_DOWN
 * without repair). The page is the caller's and must stay mapped until the next call. Every path is
 * probed at once. */
void health_set_page(struct health *h, const struct serve_page *page);

/* A service address came or went (GUARD_EV_ADDRESS): an address that is gone is an open fault
 * (VERDICT_UNREACHABLE) at once, without waiting for a probe. */
void health_set_address(struct health *h, const union addr *addr, bool present);

/* All verdicts as of now, borrowed until the next call. Samples the page, so that what is known is
 * as young as it can be. Cheap enough for every turn of the loop. */
const struct verdict_set *health_verdict(struct health *h);

/* What clients asked and got since the start, over all processes that served: the pages' counts
 * without our own probes. Sampled while no probe is on its way, so that those never look like a
 * client. Never goes back; for announce_input and status. */
struct health_traffic {
    uint64_t queries, answers;
    mono_t at; /* when it was sampled */
};
void health_traffic(const struct health *h, struct health_traffic *out);

#endif
