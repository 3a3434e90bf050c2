/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What this node knows of the others, and what it says of itself. See fleet.h for how stepping back
 * is agreed. */
#include "fleet/fleet.h"

#include <string.h>

#include "base/assert.h"

const char *fleet_state_name(enum fleet_state s)
{
    static const char *const names[] = { "out", "announced", "wishing", "shed", "draining" };
    base_assert(s < FLEET_STATE_COUNT);
    return names[s];
}

const char *fleet_grade_name(enum fleet_grade g)
{
    static const char *const names[] = { "taken",   "form", "tag", "source",
                                         "unknown", "self", "old", "clock" };
    base_assert(g < FLEET_GRADE_COUNT);
    return names[g];
}

static void set_config(struct fleet *f, const struct fleet_config *c)
{
    base_assert(c->node_count <= FLEET_NODES_MAX);
    base_assert(c->self < c->node_count);
    f->config = *c;
    if (f->config.send_ms == 0)
        f->config.send_ms = FLEET_SEND_MS;
    if (f->config.expire_ms == 0)
        f->config.expire_ms = FLEET_EXPIRE_MS;
    if (f->config.clock_ms == 0)
        f->config.clock_ms = FLEET_CLOCK_MS;
}

void fleet_init(struct fleet *f, const struct fleet_config *c, uint64_t boot, uint32_t random)
{
    memset(f, 0, sizeof *f);
    set_config(f, c);
    f->boot = boot;
    f->wish_next = random;
    for (uint32_t i = 0; i < c->node_count; i++)
        f->peers[i].id = fleet_node_id(c->nodes[i].name);
}

void fleet_configure(struct fleet *f, const struct fleet_config *c)
{
    uint32_t was_count = f->config.node_count;
    set_config(f, c);
    for (uint32_t i = 0; i < c->node_count; i++) {
        uint64_t id = fleet_node_id(c->nodes[i].name);
        uint32_t at = i;
        while (at < was_count && f->peers[at].id != id)
            at++;
        if (at == i && at < was_count)
            continue;
        if (at < was_count) {
            struct fleet_peer peer = f->peers[i];
            f->peers[i] = f->peers[at];
            f->peers[at] = peer;
            continue;
        }
        /* New: it takes row i; who was there moves behind, for a later row that names it. Without
         * room it is forgotten, and known again with its next datagram. */
        if (i < was_count && was_count < FLEET_NODES_MAX)
            f->peers[was_count++] = f->peers[i];
        else if (i >= was_count)
            was_count = i + 1;
        memset(&f->peers[i], 0, sizeof f->peers[i]);
        f->peers[i].id = id;
    }
}

bool fleet_is_fresh(const struct fleet *f, uint32_t idx, mono_t now)
{
    const struct fleet_peer *p = &f->peers[idx];
    return p->heard && idx != f->config.self &&
           mono_before(now, mono_add_ms(p->heard_at, f->config.expire_ms));
}

static uint64_t self_id(const struct fleet *f)
{
    return f->peers[f->config.self].id;
}

/* The row of `prefix` in a message; its count when it is not there. */
static uint32_t row_of(const struct fleet_message *m, const struct prefix *prefix)
{
    uint32_t i = 0;
    while (i < m->prefix_count && !prefix_equal(&m->prefixes[i].prefix, prefix))
        i++;
    return i;
}

/* ---- what this node says ---- */

static uint32_t wish_of(const struct fleet *f, const struct prefix *prefix)
{
    for (uint32_t i = 0; i < f->wish_count; i++)
        if (prefix_equal(&f->wishes[i].prefix, prefix))
            return f->wishes[i].wish;
    return 0;
}

static uint32_t next_wish(struct fleet *f)
{
    f->wish_next++;
    if (f->wish_next == 0)
        f->wish_next = 1;
    return f->wish_next;
}

/* A wish keeps its number while it lasts; a later wish has another. */
static void number_wishes(struct fleet *f, const struct fleet_self *self)
{
    uint32_t numbers[FLEET_PREFIXES_MAX] = { 0 };
    for (uint32_t i = 0; i < self->prefix_count; i++) {
        if (self->prefixes[i].wish)
            numbers[i] = wish_of(f, &self->prefixes[i].prefix);
        if (self->prefixes[i].wish && numbers[i] == 0)
            numbers[i] = next_wish(f);
    }
    for (uint32_t i = 0; i < self->prefix_count; i++) {
        f->wishes[i].prefix = self->prefixes[i].prefix;
        f->wishes[i].wish = numbers[i];
    }
    f->wish_count = self->prefix_count;
}

static enum fleet_state state_of(const struct fleet_self *self, uint32_t i)
{
    if (!self->prefixes[i].out)
        return self->prefixes[i].wish ? FLEET_SHED : FLEET_OUT;
    if (self->prefixes[i].draining || self->draining)
        return FLEET_DRAINING;
    return self->prefixes[i].wish ? FLEET_WISHING : FLEET_ANNOUNCED;
}

/* Grants the wishes for the prefix of row `row`, which this node announces and will go on to. */
static void add_grants(const struct fleet *f, struct fleet_message *m, uint8_t row, mono_t now)
{
    for (uint32_t i = 0; i < f->config.node_count; i++) {
        if (!fleet_is_fresh(f, i, now))
            continue;
        const struct fleet_message *peer = &f->peers[i].last;
        uint32_t at = row_of(peer, &m->prefixes[row].prefix);
        if (at == peer->prefix_count || peer->prefixes[at].wish == 0)
            continue;
        if (peer->prefixes[at].state != FLEET_WISHING && peer->prefixes[at].state != FLEET_SHED)
            continue;
        if (m->grant_count == FLEET_GRANTS_MAX)
            return;
        m->grants[m->grant_count++] = (struct fleet_grant){ .node = f->peers[i].id,
                                                            .wish = peer->prefixes[at].wish,
                                                            .prefix = row };
    }
}

size_t fleet_write(struct fleet *f, const struct fleet_self *self, mono_t now, wall_t wall,
                   uint8_t *out, size_t cap)
{
    base_assert(self->prefix_count <= FLEET_PREFIXES_MAX);
    number_wishes(f, self);
    struct fleet_message m = { .node = self_id(f),
                               .boot = f->boot,
                               .seq = f->seq + 1,
                               .sent_ms = wall.s * 1000 + wall.ns / 1000000,
                               .load_qps = self->load_qps,
                               .capacity_qps = self->capacity_qps,
                               .draining = self->draining,
                               .prefix_count = self->prefix_count };
    for (uint32_t i = 0; i < self->prefix_count; i++) {
        m.prefixes[i].prefix = self->prefixes[i].prefix;
        m.prefixes[i].state = state_of(self, i);
        m.prefixes[i].wish = f->wishes[i].wish;
    }
    for (uint32_t i = 0; i < self->prefix_count; i++)
        if (m.prefixes[i].state == FLEET_ANNOUNCED)
            add_grants(f, &m, (uint8_t)i, now);
    size_t len = fleet_message_write(&m, out, cap);
    if (len == 0)
        return 0;
    f->seq++;
    f->sent_at = now;
    if (m.grant_count > 0)
        f->granted_at = now;
    return len;
}

/* ---- what others say ---- */

static bool is_from(const struct fleet_node_config *n, const union addr *from)
{
    for (uint32_t i = 0; i < n->address_count; i++)
        if (addr_same_host(&n->addresses[i], from))
            return true;
    return false;
}

/* Whether what was heard of a peer is so long ago that its (boot, seq) need not grow any more: its
 * clock may have been set back meanwhile. With a secret not before an old datagram would fail the
 * clock's test. */
static bool is_forgotten(const struct fleet *f, const struct fleet_peer *p, mono_t now)
{
    int64_t ms =
        f->config.secret ? 2 * (int64_t)f->config.clock_ms : 10 * (int64_t)f->config.expire_ms;
    return !p->heard || mono_ms_between(p->heard_at, now) >= ms;
}

static enum fleet_grade grade(const struct fleet *f, const struct fleet_message *m, uint32_t idx,
                              const union addr *from, bool tag_right, mono_t now, int64_t clock_ms)
{
    const struct fleet_peer *p = &f->peers[idx];
    if (f->config.secret && !tag_right)
        return FLEET_BAD_TAG;
    if (idx == f->config.node_count)
        return FLEET_UNKNOWN;
    if (idx == f->config.self)
        return FLEET_SELF;
    if (!f->config.secret && !is_from(&f->config.nodes[idx], from))
        return FLEET_BAD_SOURCE;
    if (f->config.secret &&
        (clock_ms > (int64_t)f->config.clock_ms || clock_ms < -(int64_t)f->config.clock_ms))
        return FLEET_CLOCK;
    if (!is_forgotten(f, p, now) &&
        (m->boot < p->last.boot || (m->boot == p->last.boot && m->seq <= p->last.seq)))
        return FLEET_OLD;
    return FLEET_TAKEN;
}

enum fleet_grade fleet_receive(struct fleet *f, const uint8_t *body, size_t len,
                               const union addr *from, bool tag_right, mono_t now, wall_t wall)
{
    struct fleet_message m;
    if (!fleet_message_parse(&m, body, len)) {
        f->grades[FLEET_BAD_FORM]++;
        return FLEET_BAD_FORM;
    }
    uint32_t idx = 0;
    while (idx < f->config.node_count && f->peers[idx].id != m.node)
        idx++;
    /* Both are at most 2^63 apart: sent_ms is not negative. */
    int64_t clock_ms = m.sent_ms - (wall.s * 1000 + wall.ns / 1000000);
    enum fleet_grade g = grade(f, &m, idx, from, tag_right, now, clock_ms);
    f->grades[g]++;
    if (g != FLEET_TAKEN)
        return g;
    struct fleet_peer *p = &f->peers[idx];
    p->heard = true;
    p->heard_at = now;
    p->clock_ms = clock_ms;
    p->last = m;
    return FLEET_TAKEN;
}

static bool grants(const struct fleet_message *m, uint32_t row, uint64_t node, uint32_t wish)
{
    if (m->prefixes[row].state != FLEET_ANNOUNCED || wish == 0)
        return false;
    for (uint32_t i = 0; i < m->grant_count; i++)
        if (m->grants[i].prefix == row && m->grants[i].node == node && m->grants[i].wish == wish)
            return true;
    return false;
}

static bool is_announced(enum fleet_state s)
{
    return s == FLEET_ANNOUNCED || s == FLEET_WISHING || s == FLEET_DRAINING;
}

void fleet_others(const struct fleet *f, const struct prefix *prefix, mono_t now,
                  struct fleet_others *out)
{
    memset(out, 0, sizeof *out);
    uint32_t wish = wish_of(f, prefix);
    for (uint32_t i = 0; i < f->config.node_count; i++) {
        if (!fleet_is_fresh(f, i, now))
            continue;
        const struct fleet_message *m = &f->peers[i].last;
        out->heard++;
        uint32_t row = row_of(m, prefix);
        if (row == m->prefix_count)
            continue;
        if (is_announced(m->prefixes[row].state))
            out->announcing++;
        if (!out->permit && grants(m, row, self_id(f), wish)) {
            out->permit = true;
            out->permit_by = f->peers[i].id;
        }
    }
}

mono_t fleet_granted_at(const struct fleet *f)
{
    return f->granted_at;
}

uint32_t fleet_grant_hold_ms(const struct fleet *f)
{
    return 2 * f->config.expire_ms + f->config.send_ms;
}

mono_t fleet_next(const struct fleet *f, mono_t now)
{
    mono_t next = mono_add_ms(f->sent_at, f->config.send_ms);
    for (uint32_t i = 0; i < f->config.node_count; i++)
        if (fleet_is_fresh(f, i, now))
            next = mono_min(next, mono_add_ms(f->peers[i].heard_at, f->config.expire_ms));
    return next;
}
