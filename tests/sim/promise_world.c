/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "promise_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

#define KINDS (QUESTION_BIT(QUESTION_KINDS) - 1)

const char *world_fault_name(enum fault f)
{
#define FAULT_NAME(id) #id,
    static const char *const names[] = { FAULTS(FAULT_NAME) };
    return names[f];
}

static uint64_t next_random(struct world *w)
{
    uint64_t z = w->random += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

uint32_t world_below(struct world *w, uint32_t limit)
{
    return (uint32_t)(next_random(w) % limit);
}

static mono_t in_ms(const struct world *w, int64_t ms)
{
    return mono_add_ms(w->now, ms);
}

mono_t world_ago(const struct world *w, int64_t ms)
{
    return mono_add_ms(w->now, -ms);
}

static bool until(const struct world *w, mono_t then)
{
    return mono_before(w->now, then);
}

/* Short mostly, long sometimes. */
static int64_t a_while_ms(struct world *w)
{
    static const uint32_t most_ms[] = { 100, 300, 1000, 5000 };
    return 10 + (int64_t)world_below(w, most_ms[world_below(w, 4)]);
}

bool world_is_out(const struct world *w, uint32_t node, uint32_t prefix)
{
    const struct node *n = &w->nodes[node];
    return n->alive && announce_state_is_out(n->announce.memory[prefix].state) &&
           n->announce.started;
}

/* ---- setting up ---- */

static void make_config(const struct world *w, uint32_t idx, struct announce_config *c)
{
    static const char *const texts[PREFIXES] = { "192.0.2.0/24", "2001:db8::/48" };
    memset(c, 0, sizeof *c);
    c->prefix_count = PREFIXES;
    for (uint32_t p = 0; p < PREFIXES; p++) {
        bool good = prefix_parse(&c->prefixes[p].prefix, texts[p]);
        base_assert(good);
        c->prefixes[p].service = "dns";
        c->prefixes[p].terms = (struct announce_terms){ .lease_ms = LEASE_MS,
                                                        .hold_ms = 500,
                                                        .hold_max_ms = 4000,
                                                        .hold_decay_ms = 5000,
                                                        .drain_delay_ms = 1000,
                                                        .drain_quiet_ms = 500,
                                                        .drain_limit_ms = 3000 };
    }
    c->neighbor_count = 1;
    c->neighbors[0].families = ANNOUNCE_IPV4 | ANNOUNCE_IPV6;
    c->capacity_qps = CAPACITY;
    c->capacity_stay_ms = 300; /* shorter than a grant is remembered: that must hold alone */
    c->capacity_calm_ms = 2000;
    c->capacity_return_ms = 4000;
    c->capacity_return_max_ms = 8000;
    c->rank = idx;
    c->rank_count = w->node_count;
    c->rank_ms = RANK_MS;
    c->fleet = w->fleet;
}

static void start_cores(struct world *w, uint32_t idx)
{
    static const char *const texts[PREFIXES] = { "192.0.2.53", "2001:db8::53" };
    struct node *n = &w->nodes[idx];
    static struct announce_config ac;
    static struct fleet_config fc;
    make_config(w, idx, &ac);
    announce_init(&n->announce, &ac);
    memset(&fc, 0, sizeof fc);
    fc.self = idx;
    fc.secret = true;
    fc.node_count = w->node_count;
    for (uint32_t i = 0; i < w->node_count; i++)
        snprintf(fc.nodes[i].name, sizeof fc.nodes[i].name, "n%u", i);
    fleet_init(&n->fleet, &fc, (uint64_t)(w->now.ns / 1000000) + n->boots++,
               (uint32_t)next_random(w));
    health_check_init(&n->check, PROOF_MS);
    for (uint32_t p = 0; p < PREFIXES; p++) {
        union addr a;
        bool good = addr_parse(&a, texts[p], 53) && health_check_add(&n->check, &a, 50);
        base_assert(good);
        n->gone_told[p] = false;
    }
    health_check_zones(&n->check, KINDS, w->now);
    n->pending_count = 0;
    memset(&n->serve, 0, sizeof n->serve);
    n->crash_count = 0;
    n->alive = true;
    n->process = n->hung = false;
    n->process_at = in_ms(w, 100 + world_below(w, 300));
    n->standby_at = in_ms(w, 1000);
    n->ran_at = n->ran_before = w->now;
    n->announce_at = w->now;
}

struct world *world_new(uint64_t seed)
{
    struct world *w = calloc(1, sizeof *w);
    base_assert(w != NULL);
    w->seed = w->random = seed;
    w->now = mono_add_ms(MONO_ZERO, 1000000);
    w->node_count = 1 + world_below(w, 5);
    w->fleet = world_below(w, 4) != 0;
    w->load = world_below(w, 2) == 0 ? 100 : 500 * w->node_count;
    w->fault_every_ms = 100 + world_below(w, 3000);
    bool only_load = world_below(w, 3) == 0; /* nothing breaks: who steps back, and who may? */
    for (uint32_t f = 0; f < FAULT_COUNT; f++)
        w->allowed[f] = only_load ? f == FAULT_LOAD || f == FAULT_LOSS || f == FAULT_PARTITION
                                  : world_below(w, 3) != 0;
    for (uint32_t i = 0; i < w->node_count; i++) {
        w->nodes[i].clock_ms = (int64_t)world_below(w, 2 * CLOCK_MAX_MS) - CLOCK_MAX_MS;
        w->nodes[i].weight = 1;
        w->nodes[i].drain = w->allowed[FAULT_DRAIN] && world_below(w, 8) == 0;
        start_cores(w, i);
    }
    return w;
}

/* ---- faults ---- */

/* The process ends; the standby takes over, or a new one is started. */
static void end_process(struct world *w, struct node *n)
{
    bool standby = !until(w, n->standby_at);
    n->process = n->hung = false;
    n->serve.active = n->serve.standby = false;
    n->process_at = in_ms(w, standby ? 10 : 150 + world_below(w, 500));
    n->standby_at = in_ms(w, 300 + world_below(w, 1000));
    n->announce_at = w->now;
    health_check_process(&n->check, false, w->now);
}

static void crash(struct world *w, struct node *n)
{
    if (!n->process)
        return;
    n->crash_at[n->crash_count++ % 8] = w->now;
    uint32_t lately = 0;
    for (uint32_t i = 0; i < 8 && i < n->crash_count; i++)
        lately += mono_ms_between(n->crash_at[i], w->now) < 10000;
    n->serve.crashes = lately;
    n->serve.crashed_at = w->now;
    end_process(w, n);
}

static void die(struct world *w, uint32_t idx)
{
    struct node *n = &w->nodes[idx];
    for (uint32_t p = 0; p < PREFIXES; p++)
        if (world_is_out(w, idx, p))
            n->hard_at[p] = w->now;
    n->alive = false;
    n->back_at = in_ms(w, 500 + world_below(w, 8000));
}

static void change_load(struct world *w)
{
    static const uint32_t percent[] = { 10, 50, 90, 120, 200, 500 };
    w->load =
        (uint64_t)CAPACITY * percent[world_below(w, 6)] / 100 * (1 + world_below(w, w->node_count));
    for (uint32_t i = 0; i < w->node_count; i++)
        w->nodes[i].weight = 1 + world_below(w, 10);
}

static void do_fault(struct world *w, enum fault f)
{
    uint32_t idx = world_below(w, w->node_count), path = world_below(w, PATHS);
    struct node *n = &w->nodes[idx];
    int32_t most_ms = CLOCK_MAX_MS;
    w->faults++;
    switch (f) {
    case FAULT_CRASH:
        crash(w, n);
        return;
    case FAULT_HANG:
        if (n->process && !n->hung) {
            n->hung = true;
            n->killed_at = in_ms(w, 40 + world_below(w, 200));
        }
        return;
    case FAULT_WRONG:
        n->wrong_until[path] = in_ms(w, a_while_ms(w));
        return;
    case FAULT_SILENT:
        n->silent_until[path] = in_ms(w, a_while_ms(w));
        return;
    case FAULT_REFUSED:
        n->refused_until[path] = in_ms(w, a_while_ms(w));
        return;
    case FAULT_ADDRESS:
        n->gone_until[path / VERDICT_TRANSPORTS] = in_ms(w, a_while_ms(w));
        return;
    case FAULT_STANDBY:
        n->standby_at = world_below(w, 2) == 0 ? in_ms(w, 5000) : in_ms(w, a_while_ms(w));
        n->serve.standby = false;
        n->serve.standby_failed_at = w->now;
        return;
    case FAULT_STALL:
        n->stalled_until = in_ms(w, a_while_ms(w));
        return;
    case FAULT_NODE:
        if (n->alive)
            die(w, idx);
        return;
    case FAULT_PARTITION:
        w->cut_until[idx][world_below(w, w->node_count)] = in_ms(w, 2 * a_while_ms(w));
        return;
    case FAULT_LOSS:
        n->loss_until = in_ms(w, a_while_ms(w));
        return;
    case FAULT_LOAD:
        change_load(w);
        return;
    case FAULT_DRAIN:
        n->drain = !n->drain;
        return;
    case FAULT_ZONES:
        if (n->alive)
            health_check_zones(&n->check, KINDS, w->now);
        return;
    case FAULT_CLOCK:
        n->clock_ms = (int64_t)world_below(w, 2 * most_ms) - most_ms;
        return;
    case FAULT_COUNT:
        break;
    }
    base_unreachable("fault");
}

static void faults(struct world *w)
{
    if (w->healed || world_below(w, w->fault_every_ms) >= TICK_MS)
        return;
    enum fault f = (enum fault)world_below(w, FAULT_COUNT);
    if (w->allowed[f])
        do_fault(w, f);
}

void world_heal(struct world *w)
{
    w->healed = true;
    w->load = 10;
    for (uint32_t i = 0; i < w->node_count; i++) {
        struct node *n = &w->nodes[i];
        n->drain = false;
        n->stalled_until = n->loss_until = MONO_ZERO;
        n->clock_ms = 0;
        n->back_at = mono_min(n->back_at, w->now);
        memset(n->wrong_until, 0, sizeof n->wrong_until);
        memset(n->silent_until, 0, sizeof n->silent_until);
        memset(n->refused_until, 0, sizeof n->refused_until);
        memset(n->gone_until, 0, sizeof n->gone_until);
        for (uint32_t j = 0; j < w->node_count; j++)
            w->cut_until[i][j] = MONO_ZERO;
    }
}

/* ---- the truth of a node ---- */

static void guard(struct world *w, struct node *n)
{
    if (n->process && n->hung && !until(w, n->killed_at))
        crash(w, n);
    if (!n->process && !until(w, n->process_at)) {
        n->process = true;
        n->serve.active = true;
        memset(n->progress, 0, sizeof n->progress);
        memset(n->sent, 0, sizeof n->sent);
        health_check_process(&n->check, true, w->now);
    }
    if (!n->serve.standby && n->process && !until(w, n->standby_at)) {
        n->serve.standby = true;
        n->serve.standby_proven_at = w->now;
    }
    for (uint32_t p = 0; p < PREFIXES; p++) {
        bool gone = until(w, n->gone_until[p]);
        if (gone == n->gone_told[p])
            continue;
        n->gone_told[p] = gone;
        health_check_address(&n->check, &n->check.paths[p * VERDICT_TRANSPORTS].v.addr, !gone,
                             w->now);
    }
}

/* Whether the path itself lets right answers through. */
static bool path_is_right(const struct world *w, const struct node *n, uint32_t path)
{
    return !until(w, n->wrong_until[path]) && !until(w, n->silent_until[path]) &&
           !until(w, n->refused_until[path]) && !until(w, n->gone_until[path / VERDICT_TRANSPORTS]);
}

/* Clients go to whoever announces; who is prepended gets a third of the others. */
static uint64_t share(const struct world *w, uint32_t idx)
{
    uint64_t all = 0, own = 0;
    for (uint32_t i = 0; i < w->node_count; i++) {
        if (!world_is_out(w, i, 0) && !world_is_out(w, i, 1))
            continue;
        bool worse = w->nodes[i].announce.memory[0].state == ANNOUNCE_REDUCED ||
                     w->nodes[i].announce.memory[0].state == ANNOUNCE_DRAINING;
        uint64_t weight = w->nodes[i].weight * (worse ? 1 : 3);
        all += weight;
        own = i == idx ? weight : own;
    }
    return all == 0 ? 0 : w->load * own / all;
}

static void serve(struct world *w, uint32_t idx)
{
    struct node *n = &w->nodes[idx];
    if (!n->process)
        return;
    n->milli += share(w, idx) * TICK_MS;
    uint64_t count = n->milli / 1000;
    n->milli %= 1000;
    n->queries += count;
    n->answers += count;
    n->sent[VERDICT_UDP] += count;
    n->sent[VERDICT_TCP] += count / 10;
    n->progress[0]++;
    n->progress[1] += !n->hung;
    if (!n->hung)
        n->process_right_at = w->now;
    for (uint32_t i = 0; i < PATHS; i++)
        if (path_is_right(w, n, i)) /* by the other worker, when one hangs */
            n->right_at[i] = w->now;
}

/* ---- a node's control ---- */

static void probes_end(struct world *w, struct node *n)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < n->pending_count; i++) {
        struct pending *p = &n->pending[i];
        struct check_result r = {
            .q = &p->q, .wanted = p->wanted, .sent_at = p->sent_at, .text = "x"
        };
        bool old = mono_ms_between(p->sent_at, w->now) >= LEASE_MS;
        /* One worker of two hangs: half of the probes meet it. */
        bool met = n->hung && p->sent_at.ns / 10000000 % 2 == 0;
        if (until(w, n->refused_until[p->path])) {
            r.outcome = CHECK_REFUSED;
            r.why = VERDICT_REFUSED;
        } else if (old || p->lost) {
            r.outcome = CHECK_SILENT;
        } else if (!n->process || met || until(w, n->silent_until[p->path]) ||
                   until(w, n->gone_until[p->path / VERDICT_TRANSPORTS])) {
            n->pending[kept++] = *p;
            continue;
        } else if (until(w, n->wrong_until[p->path])) {
            r.outcome = CHECK_WRONG;
            r.why = VERDICT_RECORD;
        } else {
            r.outcome = CHECK_RIGHT;
            n->sent[n->check.paths[p->path].v.transport]++;
        }
        if (p->lost && r.outcome == CHECK_SILENT && !old) {
            n->pending[kept++] = *p;
            continue;
        }
        if (health_check_ended(&n->check, p->path, &r, w->now))
            n->announce_at = w->now;
    }
    n->pending_count = kept;
}

static void probes_start(struct world *w, struct node *n)
{
    struct check_turn t;
    for (uint32_t i = 0; i < PATHS; i++) {
        if (!health_check_take_turn(&n->check, i, w->now, &t))
            continue; /* once per tick: the bursts are the edge's */
        base_assert(n->pending_count < PENDING_MAX);
        struct pending *p = &n->pending[n->pending_count++];
        memset(p, 0, sizeof *p);
        p->path = i;
        p->sent_at = w->now;
        p->lost = world_below(w, 100) < (until(w, n->loss_until) ? 50u : 0u);
        if (t.again) {
            p->q = n->check.paths[i].faults[t.fault].q;
        } else {
            p->q = (struct question){ .kind = t.kind, .qtype = (uint16_t)world_below(w, 8) };
            p->q.qname.len = 1;
        }
        p->wanted = p->q.kind;
    }
}

static wall_t wall_of(const struct world *w, const struct node *n)
{
    int64_t ms = 1764000000000 + w->now.ns / 1000000 + n->clock_ms;
    return (wall_t){ .s = ms / 1000, .ns = (int32_t)(ms % 1000 * 1000000) };
}

static void tell_others(struct world *w, uint32_t idx)
{
    struct node *n = &w->nodes[idx];
    static uint8_t bytes[FLEET_DATAGRAM_MAX];
    struct fleet_self self = { .load_qps = n->out.load_qps,
                               .capacity_qps = CAPACITY,
                               .prefix_count = PREFIXES };
    for (uint32_t p = 0; p < PREFIXES; p++) {
        const struct announce_status *s = &n->out.prefixes[p];
        self.prefixes[p].prefix = n->announce.config.prefixes[p].prefix;
        self.prefixes[p].out = announce_state_is_out(s->state);
        self.prefixes[p].wish = s->wish;
        self.prefixes[p].draining = s->state == ANNOUNCE_DRAINING;
    }
    size_t len = fleet_write(&n->fleet, &self, w->now, wall_of(w, n), bytes, sizeof bytes);
    base_assert(len > 0);
    base_assert(len <= sizeof w->datagrams[0].bytes);
    for (uint32_t to = 0; to < w->node_count; to++) {
        bool lost = world_below(w, 100) < (until(w, n->loss_until) ? 60u : 1u);
        if (to == idx || until(w, w->cut_until[idx][to]) || (lost && !w->healed) ||
            w->datagram_count == DATAGRAMS_MAX)
            continue;
        struct datagram *d = &w->datagrams[w->datagram_count++];
        d->from = idx;
        d->to = to;
        d->len = len;
        d->due = in_ms(w, 1 + world_below(w, DELAY_MAX_MS));
        memcpy(d->bytes, bytes, len);
    }
}

/* Datagrams that are due, in any order; to a control that does not run they wait. */
static void deliver(struct world *w)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < w->datagram_count; i++) {
        struct datagram *d = &w->datagrams[i];
        struct node *n = &w->nodes[d->to];
        if (until(w, d->due) || (n->alive && until(w, n->stalled_until))) {
            w->datagrams[kept++] = *d;
            continue;
        }
        if (!n->alive)
            continue;
        static const union addr from; /* not looked at: there is a secret */
        enum fleet_grade g =
            fleet_receive(&n->fleet, d->bytes, d->len, &from, true, w->now, wall_of(w, n));
        base_assert(g == FLEET_TAKEN || g == FLEET_OLD);
        n->announce_at = w->now;
    }
    w->datagram_count = kept;
}

static void bgp(struct world *w)
{
    for (uint32_t i = 0; i < w->node_count; i++)
        for (uint32_t j = 0; j < w->node_count; j++)
            for (uint32_t p = 0; p < PREFIXES; p++) {
                bool out = world_is_out(w, i, p);
                if (out == w->visible[i][j][p]) {
                    w->visible_at[i][j][p] = MONO_ZERO;
                } else if (w->visible_at[i][j][p].ns == MONO_ZERO.ns) {
                    w->visible_at[i][j][p] = in_ms(w, 20 + world_below(w, BGP_DELAY_MAX_MS));
                } else if (!until(w, w->visible_at[i][j][p])) {
                    w->visible[i][j][p] = out;
                }
            }
}

static void decide(struct world *w, uint32_t idx)
{
    struct node *n = &w->nodes[idx];
    static struct announce_input in;
    memset(&in, 0, sizeof in);
    health_check_verdict(&n->check, w->now, &n->verdict);
    n->verdict.zones_loaded = true;
    in.now = w->now;
    in.wall = wall_of(w, n);
    in.verdict = &n->verdict;
    in.serve = n->serve;
    in.queries = n->queries;
    in.answers = n->answers;
    in.drain = n->drain;
    in.grant_at = fleet_granted_at(&n->fleet);
    in.grant_hold_ms = fleet_grant_hold_ms(&n->fleet);
    for (uint32_t p = 0; p < PREFIXES; p++) {
        struct fleet_others o;
        fleet_others(&n->fleet, &n->announce.config.prefixes[p].prefix, w->now, &o);
        in.others[p].heard = o.heard;
        in.others[p].announcing = o.announcing;
        in.others[p].permit = o.permit;
        for (uint32_t i = 0; i < w->node_count; i++)
            in.others[p].seen_bgp = in.others[p].seen_bgp || (i != idx && w->visible[i][idx][p]);
    }
    announce_step(&n->announce, &in, &n->out);
    n->announce_at = n->out.next;
    w->decisions++;
    for (uint32_t p = 0; p < PREFIXES; p++)
        if (n->out.prefixes[p].changed && announce_state_is_out(n->out.prefixes[p].before) &&
            !announce_state_is_out(n->out.prefixes[p].state) &&
            n->out.prefixes[p].state != ANNOUNCE_SHED)
            n->hard_at[p] = w->now; /* a fault, or a drain */
    if (n->out.replace && n->serve.standby)
        end_process(w, n); /* no crash: it was asked for */
}

static void control(struct world *w, uint32_t idx, void (*check)(struct world *w, uint32_t node))
{
    struct node *n = &w->nodes[idx];
    if (until(w, n->stalled_until))
        return;
    if (mono_ms_between(n->ran_at, w->now) > TICK_MS)
        n->ran_before = n->ran_at;
    struct check_sample s = { .worker_count = n->process ? 2 : 0 };
    memcpy(s.progress, n->progress, sizeof n->progress);
    memcpy(s.sent, n->sent, sizeof n->sent);
    probes_end(w, n);
    health_check_sample(&n->check, &s, w->now);
    probes_start(w, n);
    bool told = false;
    if (!until(w, n->announce_at) || w->now.ns / 1000000 % 50 == 0) {
        decide(w, idx);
        check(w, idx);
        if (w->fleet && n->out.changed) {
            tell_others(w, idx);
            told = true;
        }
    }
    if (w->fleet && !told && !until(w, mono_add_ms(n->fleet.sent_at, FLEET_SEND_MS)))
        tell_others(w, idx);
    n->ran_at = w->now;
}

void world_tick(struct world *w, void (*check)(struct world *w, uint32_t node))
{
    w->now = in_ms(w, TICK_MS);
    faults(w);
    bgp(w);
    deliver(w);
    for (uint32_t i = 0; i < w->node_count; i++) {
        struct node *n = &w->nodes[i];
        if (!n->alive && !until(w, n->back_at))
            start_cores(w, i);
        if (!n->alive)
            continue;
        guard(w, n);
        serve(w, i);
        control(w, i, check);
    }
}
