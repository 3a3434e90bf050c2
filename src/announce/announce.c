/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The promise as a pure function: a picture in, the routes that should be out. What a prefix rests on
 * is in proof.c, the load in load.c, the states in state.c; here they come together.
 *
 * One step looks at everything anew. Nothing is remembered that a later picture could contradict, but
 * the state of each prefix with its times, and averages. */
#include "announce/announce.h"

#include <string.h>

#include "announce/parts.h"
#include "base/assert.h"

#define ROW_NAME(id, name) name,
static const char *const state_names[] = { ANNOUNCE_STATES(ROW_NAME) };

const char *announce_state_name(enum announce_state s)
{
    base_assert(s < ANNOUNCE_STATE_COUNT);
    return state_names[s];
}

bool announce_state_is_out(enum announce_state s)
{
    return s == ANNOUNCE_ANNOUNCED || s == ANNOUNCE_REDUCED || s == ANNOUNCE_DRAINING;
}

static void default_u32(uint32_t *v, uint32_t value)
{
    if (*v == 0)
        *v = value;
}

static void default_terms(struct announce_terms *t)
{
    default_u32(&t->lease_ms, ANNOUNCE_LEASE_MS);
    default_u32(&t->resume_ms, ANNOUNCE_RESUME_MS);
    default_u32(&t->hold_ms, ANNOUNCE_HOLD_MS);
    default_u32(&t->hold_max_ms, ANNOUNCE_HOLD_MAX_MS);
    if (t->hold_max_ms < t->hold_ms)
        t->hold_max_ms = t->hold_ms;
    default_u32(&t->hold_decay_ms, ANNOUNCE_HOLD_DECAY_MS);
    if (t->drain_at_once)
        t->drain_delay_ms = 0;
    else
        default_u32(&t->drain_delay_ms, ANNOUNCE_DRAIN_DELAY_MS);
    default_u32(&t->drain_quiet_ms, ANNOUNCE_DRAIN_QUIET_MS);
    default_u32(&t->drain_limit_ms, ANNOUNCE_DRAIN_LIMIT_MS);
    if (t->prepend == 0)
        t->prepend = ANNOUNCE_PREPEND;
}

static void set_config(struct announce *a, const struct announce_config *config)
{
    base_assert(config->prefix_count <= ANNOUNCE_PREFIXES_MAX);
    base_assert(config->neighbor_count <= ANNOUNCE_NEIGHBORS_MAX);
    struct announce_config *c = &a->config;
    *c = *config;
    for (uint32_t i = 0; i < c->prefix_count; i++)
        default_terms(&c->prefixes[i].terms);
    default_u32(&c->capacity_stay_ms, ANNOUNCE_CAPACITY_STAY_MS);
    default_u32(&c->capacity_calm_ms, ANNOUNCE_CAPACITY_CALM_MS);
    default_u32(&c->capacity_low_percent, ANNOUNCE_CAPACITY_LOW_PERCENT);
    default_u32(&c->capacity_return_ms, ANNOUNCE_CAPACITY_RETURN_MS);
    default_u32(&c->capacity_return_max_ms, ANNOUNCE_CAPACITY_RETURN_MAX_MS);
    default_u32(&c->crashes, ANNOUNCE_CRASHES);
    default_u32(&c->crash_window_ms, ANNOUNCE_CRASH_WINDOW_MS);
    default_u32(&c->rank_ms, ANNOUNCE_RANK_MS);
}

static void init_memory(struct announce_memory *m)
{
    memset(m, 0, sizeof *m);
    m->state = m->before = ANNOUNCE_WAITING;
    m->proven_since = m->wish_since = MONO_NEVER;
    static const char reason[] = "not announced yet: nothing has been proven since the start";
    memcpy(m->reason, reason, sizeof reason);
}

void announce_init(struct announce *a, const struct announce_config *c)
{
    memset(a, 0, sizeof *a);
    set_config(a, c);
    for (uint32_t i = 0; i < ANNOUNCE_PREFIXES_MAX; i++)
        init_memory(&a->memory[i]);
    a->rate_at = a->above_since = a->below_since = MONO_NEVER;
}

void announce_configure(struct announce *a, const struct announce_config *c)
{
    struct announce_memory was[ANNOUNCE_PREFIXES_MAX];
    struct prefix was_prefix[ANNOUNCE_PREFIXES_MAX];
    uint32_t was_count = a->config.prefix_count;
    for (uint32_t i = 0; i < was_count; i++) {
        was[i] = a->memory[i];
        was_prefix[i] = a->config.prefixes[i].prefix;
    }
    set_config(a, c);
    for (uint32_t i = 0; i < a->config.prefix_count; i++) {
        init_memory(&a->memory[i]);
        a->memory[i].since = a->rate_at.ns == MONO_NEVER.ns ? MONO_ZERO : a->rate_at;
        for (uint32_t k = 0; k < was_count; k++)
            if (prefix_equal(&was_prefix[k], &a->config.prefixes[i].prefix))
                a->memory[i] = was[k];
    }
}

static uint8_t add_prepend(uint8_t a, uint8_t b)
{
    return (uint8_t)(a + b > UINT8_MAX ? UINT8_MAX : a + b);
}

static void add_routes(const struct announce *a, uint32_t idx, struct announce_out *out)
{
    const struct announce_prefix *p = &a->config.prefixes[idx];
    enum announce_state state = a->memory[idx].state;
    uint32_t family = p->prefix.family == 4 ? ANNOUNCE_IPV4 : ANNOUNCE_IPV6;
    bool worse = state == ANNOUNCE_REDUCED || state == ANNOUNCE_DRAINING;
    if (!announce_state_is_out(state) || a->config.dry_run)
        return;
    for (uint32_t n = 0; n < a->config.neighbor_count; n++) {
        const struct announce_neighbor *nb = &a->config.neighbors[n];
        if ((nb->families & family) == 0)
            continue;
        struct announce_route *r = &out->routes[out->route_count++];
        r->prefix = (uint16_t)idx;
        r->neighbor = (uint16_t)n;
        r->prepend = add_prepend(nb->prepend, worse ? p->terms.prepend : 0);
        r->graceful_shutdown = state == ANNOUNCE_DRAINING;
        r->has_local_pref = nb->ibgp;
        r->local_pref = nb->has_local_pref ? nb->local_pref : 100;
        if (state == ANNOUNCE_DRAINING || !nb->ibgp)
            r->local_pref = 0;
    }
}

/* FNV-1a over the fields, so that padding does not count. */
static uint64_t hash_routes(const struct announce_out *out)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (uint32_t i = 0; i < out->route_count; i++) {
        const struct announce_route *r = &out->routes[i];
        const uint64_t fields[] = { r->prefix,         r->neighbor,
                                    r->prepend,        r->graceful_shutdown,
                                    r->has_local_pref, r->local_pref };
        for (uint32_t f = 0; f < sizeof fields / sizeof fields[0]; f++)
            h = (h ^ fields[f]) * 0x100000001b3u;
    }
    return h;
}

void announce_step(struct announce *a, const struct announce_input *in, struct announce_out *out)
{
    out->route_count = 0;
    out->next = mono_add_ms(in->now, ANNOUNCE_SAMPLE_MS);
    out->replace = false;
    out->replace_why[0] = '\0';
    out->drained = a->config.prefix_count > 0;
    out->changed = false;

    if (!a->started) {
        a->started = true;
        for (uint32_t i = 0; i < a->config.prefix_count; i++)
            a->memory[i].since = in->now;
    }
    announce_crash_step(a, in);
    announce_load_step(a, in);
    announce_replace_step(a, in, out);
    for (uint32_t i = 0; i < a->config.prefix_count; i++)
        a->heard_ever = a->heard_ever || in->others[i].heard > 0;
    for (uint32_t i = 0; i < a->config.prefix_count; i++) {
        announce_state_step(a, i, in, out);
        add_routes(a, i, out);
        out->drained = out->drained && a->memory[i].state == ANNOUNCE_DRAINED;
        out->changed = out->changed || out->prefixes[i].changed;
    }
    uint64_t hash = hash_routes(out);
    out->changed = out->changed || hash != a->routes_hash;
    a->routes_hash = hash;
    out->load_qps = a->answer_mqps / 1000;
    out->query_qps = a->query_mqps / 1000;
    out->over_capacity = a->over;
}
