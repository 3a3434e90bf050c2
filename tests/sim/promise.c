/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Thousands of schedules of faults over a fleet in virtual time (promise_world.h). What must hold is
 * asked after every decision; then all is healed, and the fleet must settle.
 *
 *     sim_promise                          all seeds, as TAP
 *     sim_promise --seed 0x2a --verbose    one seed, with every change of state
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "promise_world.h"

#define BATCHES 10
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SEEDS_PER_BATCH 30 /* several times slower */
#else
#define SEEDS_PER_BATCH 200
#endif
#define FAULTY_MS 40000
#define SETTLE_MS 30000 /* hold-down, return after load, drain: all are shorter in this world */
#define CALM_MS 5000

static bool verbose;
static char failure[512];
static mono_t empty_since[PREFIXES];         /* nobody announces, and somebody is SHED */
static mono_t fault_at[NODES_MAX][PREFIXES]; /* the last withdrawal by fault */
static uint32_t flaps[NODES_MAX][PREFIXES];
static uint64_t boots[NODES_MAX];
static uint64_t states_seen[ANNOUNCE_STATE_COUNT];

static void fail(const struct world *w, uint32_t node, uint32_t prefix, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

static void fail(const struct world *w, uint32_t node, uint32_t prefix, const char *fmt, ...)
{
    va_list args;
    if (failure[0] != '\0')
        return;
    int at = snprintf(failure, sizeof failure,
                      "at %lld ms, node %u, prefix %u: ", (long long)(w->now.ns / 1000000), node,
                      prefix);
    va_start(args, fmt);
    vsnprintf(failure + at, sizeof failure - (size_t)at, fmt, args);
    va_end(args);
}

/* No route without evidence younger than its lease, measured by the truth: what the node believes
 * cannot be younger than that. */
static void evidence_is_young(const struct world *w, uint32_t idx, uint32_t p)
{
    const struct node *n = &w->nodes[idx];
    /* A control that did not run until just now may wait a little, but never beyond two leases. */
    bool resumed = mono_ms_between(n->check.resumed_at, w->now) < ANNOUNCE_RESUME_MS + TICK_MS;
    int64_t lease_ms = (resumed ? 2 * LEASE_MS : LEASE_MS) + TICK_MS;
    int64_t process_ms = mono_ms_between(n->process_right_at, w->now);
    if (process_ms > lease_ms)
        fail(w, idx, p, "announced, but no process has answered for %lld ms",
             (long long)process_ms);
    for (uint32_t i = 0; i < VERDICT_TRANSPORTS; i++) {
        uint32_t path = p * VERDICT_TRANSPORTS + i;
        int64_t ms = mono_ms_between(n->right_at[path], w->now);
        /* Silence of one path, while answers leave by others, is noticed by the probes alone. */
        int64_t most_ms = lease_ms + PROOF_MS;
        if (ms > most_ms)
            fail(w, idx, p, "announced, but path %u has not been right for %lld ms", path,
                 (long long)ms);
    }
    int64_t believed_ms = mono_ms_between(n->out.prefixes[p].evidence_at, w->now);
    if (believed_ms >= (resumed ? 2 : 1) * LEASE_MS)
        fail(w, idx, p, "announced on evidence of %lld ms", (long long)believed_ms);
}

/* At the moment in which a site steps back for load another one has the prefix out, or lost it by
 * fault so lately that nobody can know. */
static void another_is_out(const struct world *w, uint32_t idx, uint32_t p)
{
    bool told = w->fleet && w->nodes[idx].announce.heard_ever;
    int64_t news_ms = told ? FLEET_EXPIRE_MS + DELAY_MAX_MS : BGP_DELAY_MAX_MS;
    for (uint32_t i = 0; i < w->node_count; i++) {
        if (i == idx)
            continue;
        if (world_is_out(w, i, p))
            return;
        if (w->nodes[i].hard_at[p].ns != 0 &&
            mono_ms_between(w->nodes[i].hard_at[p], w->now) <= news_ms + 2 * TICK_MS + 100)
            return;
    }
    fail(w, idx, p, "stepped back for load as the last one: %s",
         w->nodes[idx].out.prefixes[p].reason);
}

/* What was found wrong, and is not right again, withdraws when the lease ends; a crash loop at once. */
static void no_fault_is_open(const struct world *w, uint32_t idx, uint32_t p)
{
    const struct node *n = &w->nodes[idx];
    bool resumed = mono_ms_between(n->check.resumed_at, w->now) < ANNOUNCE_RESUME_MS + TICK_MS;
    for (uint32_t i = 0; i < VERDICT_TRANSPORTS; i++) {
        const struct verdict_path *v = &n->verdict.paths[p * VERDICT_TRANSPORTS + i];
        int64_t ms = mono_ms_between(v->why_since, w->now);
        if (v->why != VERDICT_FINE && ms > (resumed ? 2 : 1) * LEASE_MS + TICK_MS)
            fail(w, idx, p, "announced with a fault (%s) open for %lld ms",
                 verdict_why_name(v->why), (long long)ms);
    }
    if (n->serve.crashes >= ANNOUNCE_CRASHES &&
        mono_ms_between(n->serve.crashed_at, w->now) < ANNOUNCE_CRASH_WINDOW_MS)
        fail(w, idx, p, "announced after %u crashes", n->serve.crashes);
}

static void hold_down_was_kept(const struct world *w, uint32_t idx, uint32_t p)
{
    const struct node *n = &w->nodes[idx];
    const struct announce_status *s = &n->out.prefixes[p];
    if (flaps[idx][p] == 0 || boots[idx] != n->boots)
        return; /* a node that was started anew remembers no flaps */
    int64_t ms = mono_ms_between(fault_at[idx][p], w->now);
    if (ms < 500)
        fail(w, idx, p, "announced again %lld ms after a fault: %s", (long long)ms, s->reason);
}

static void on_change(struct world *w, uint32_t idx, uint32_t p)
{
    const struct announce_status *s = &w->nodes[idx].out.prefixes[p];
    bool was = announce_state_is_out(s->before), is = announce_state_is_out(s->state);
    states_seen[s->state]++;
    if (verbose)
        printf("# %9.3f n%u p%u %-9s -> %-9s load %llu: %s\n", (double)w->now.ns / 1e9, idx, p,
               announce_state_name(s->before), announce_state_name(s->state),
               (unsigned long long)w->nodes[idx].out.load_qps, s->reason);
    if (s->state == ANNOUNCE_SHED)
        another_is_out(w, idx, p);
    if (was && !is && (s->state == ANNOUNCE_FAILED)) {
        fault_at[idx][p] = w->now;
        flaps[idx][p] = s->flaps;
        boots[idx] = w->nodes[idx].boots;
    }
    if (!was && is && s->before != ANNOUNCE_SHED)
        hold_down_was_kept(w, idx, p);
}

static void check_node(struct world *w, uint32_t idx)
{
    const struct node *n = &w->nodes[idx];
    if (!mono_before(w->now, n->out.next) || mono_ms_between(w->now, n->out.next) > 100)
        fail(w, idx, 0, "wants to be called in %lld us",
             (long long)mono_us_between(w->now, n->out.next));
    uint32_t routes = 0;
    for (uint32_t p = 0; p < PREFIXES; p++) {
        const struct announce_status *s = &n->out.prefixes[p];
        bool out = announce_state_is_out(s->state);
        routes += out;
        if (s->reason[0] == '\0')
            fail(w, idx, p, "%s without a reason", announce_state_name(s->state));
        if (!out && s->now[0] == '\0' &&
            (s->state == ANNOUNCE_WAITING || s->state == ANNOUNCE_FAILED))
            fail(w, idx, p, "%s, but nothing is missing", announce_state_name(s->state));
        if (s->changed)
            on_change(w, idx, p);
        if (out)
            evidence_is_young(w, idx, p);
        if (out)
            no_fault_is_open(w, idx, p);
        if (out && n->drain && s->state != ANNOUNCE_DRAINING)
            fail(w, idx, p, "announced although drained");
    }
    if (routes != n->out.route_count)
        fail(w, idx, 0, "%u routes for %u prefixes that are out", n->out.route_count, routes);
    if (n->out.drained && !n->drain)
        fail(w, idx, 0, "says drained, and nobody asked for it");
}

/* A site that stepped back comes back when nobody is left. */
static void check_empty(struct world *w)
{
    int64_t most_ms = (w->fleet ? FLEET_EXPIRE_MS : 0) + BGP_DELAY_MAX_MS + 200;
    for (uint32_t p = 0; p < PREFIXES; p++) {
        bool out = false, shed = false;
        for (uint32_t i = 0; i < w->node_count; i++) {
            const struct node *n = &w->nodes[i];
            bool runs = n->alive && !mono_before(w->now, n->stalled_until);
            out = out || world_is_out(w, i, p);
            shed = shed || (runs && n->announce.memory[p].state == ANNOUNCE_SHED);
        }
        if (out || !shed)
            empty_since[p] = w->now;
        else if (mono_ms_between(empty_since[p], w->now) > most_ms)
            fail(w, 0, p, "nobody announces, and who stepped back does not return");
    }
}

static bool all_announced(const struct world *w)
{
    for (uint32_t i = 0; i < w->node_count; i++)
        for (uint32_t p = 0; p < PREFIXES; p++)
            if (!w->nodes[i].alive || w->nodes[i].announce.memory[p].state != ANNOUNCE_ANNOUNCED)
                return false;
    return true;
}

static void settle(struct world *w)
{
    mono_t begin = w->now, calm_since = MONO_NEVER;
    world_heal(w);
    while (failure[0] == '\0' && mono_ms_between(begin, w->now) < SETTLE_MS) {
        world_tick(w, check_node);
        if (!all_announced(w))
            calm_since = MONO_NEVER;
        else if (calm_since.ns == MONO_NEVER.ns)
            calm_since = w->now;
        if (calm_since.ns != MONO_NEVER.ns && mono_ms_between(calm_since, w->now) >= CALM_MS)
            return;
    }
    if (failure[0] == '\0')
        for (uint32_t i = 0; i < w->node_count; i++)
            for (uint32_t p = 0; p < PREFIXES; p++)
                if (w->nodes[i].announce.memory[p].state != ANNOUNCE_ANNOUNCED)
                    fail(w, i, p, "healed, but still %s: %s; %s",
                         announce_state_name(w->nodes[i].announce.memory[p].state),
                         w->nodes[i].out.prefixes[p].reason, w->nodes[i].out.prefixes[p].now);
    if (failure[0] == '\0')
        fail(w, 0, 0, "healed, but does not come to rest");
}

/* True when everything held. Adds to the counts. */
static bool run_seed(uint64_t seed, uint64_t *decisions, uint64_t *fault_count)
{
    struct world *w = world_new(seed);
    failure[0] = '\0';
    memset(empty_since, 0, sizeof empty_since);
    memset(fault_at, 0, sizeof fault_at);
    memset(flaps, 0, sizeof flaps);
    if (verbose) {
        printf("# seed 0x%llx: %u nodes, %s, load %llu, a fault every %u ms of:",
               (unsigned long long)seed, w->node_count, w->fleet ? "fleet" : "BGP alone",
               (unsigned long long)w->load, w->fault_every_ms);
        for (uint32_t f = 0; f < FAULT_COUNT; f++)
            if (w->allowed[f])
                printf(" %s", world_fault_name((enum fault)f));
        printf("\n");
    }
    mono_t begin = w->now;
    while (failure[0] == '\0' && mono_ms_between(begin, w->now) < FAULTY_MS) {
        world_tick(w, check_node);
        check_empty(w);
    }
    if (failure[0] == '\0')
        settle(w);
    *decisions += w->decisions;
    *fault_count += w->faults;
    free(w);
    return failure[0] == '\0';
}

static bool run_batch(const char *program, uint32_t batch, uint64_t first, uint32_t count)
{
    uint64_t decisions = 0, fault_count = 0;
    bool good = true;
    for (uint64_t seed = first; seed < first + count; seed++)
        if (!run_seed(seed, &decisions, &fault_count)) {
            printf("# %s\n# replay: %s --seed 0x%llx --verbose\n", failure, program,
                   (unsigned long long)seed);
            good = false;
        }
    printf("%sok %u - seeds 0x%llx to 0x%llx: %llu decisions, %llu faults\n", good ? "" : "not ",
           batch, (unsigned long long)first, (unsigned long long)(first + count - 1),
           (unsigned long long)decisions, (unsigned long long)fault_count);
    fflush(stdout);
    return good;
}

/* A test that never reaches a state says nothing about it. */
static bool all_states_seen(uint32_t number)
{
    bool good = true;
    for (uint32_t s = 1; s < ANNOUNCE_STATE_COUNT; s++)
        if (states_seen[s] == 0) {
            printf("# the state '%s' was never reached\n",
                   announce_state_name((enum announce_state)s));
            good = false;
        }
    printf("%sok %u - every state was reached\n", good ? "" : "not ", number);
    return good;
}

int main(int argc, char **argv)
{
    uint64_t first = 1, decisions = 0, fault_count = 0;
    uint32_t count = SEEDS_PER_BATCH;
    bool one = false, good = true;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--verbose") == 0)
            verbose = true;
        else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc)
            one = (first = strtoull(argv[++i], NULL, 0), true);
        else if (strcmp(argv[i], "--seeds") == 0 && i + 1 < argc)
            count = (uint32_t)strtoul(argv[++i], NULL, 0) / BATCHES;
    }
    if (one) {
        good = run_seed(first, &decisions, &fault_count);
        printf("1..1\n%sok 1 - seed 0x%llx %s\n", good ? "" : "not ", (unsigned long long)first,
               failure);
        return good ? 0 : 1;
    }
    printf("1..%u\n", BATCHES + 1);
    for (uint32_t b = 0; b < BATCHES; b++)
        good = run_batch(argv[0], b + 1, first + (uint64_t)b * count, count) && good;
    good = all_states_seen(BATCHES + 1) && good;
    return good ? 0 : 1;
}
