/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "health/question.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "dns/type.h"

#define LOOK_MAX 256       /* nodes looked at for one question */
#define KINDS_ZONES_MAX 64 /* zones, and nodes of each, looked at for health_question_kinds() */
#define KINDS_NODES_MAX 1024
#define RECORDS_MAX 48 /* an RRset with more is not asked for: its answer is no probe */
#define BYTES_MAX 16384
#define JUMP_STEPS 32     /* a random name is followed by up to so many steps, to get below it */
#define TYPE_ABSENT 65399 /* of the range for private use (RFC 6895 section 3.1) */

const char *health_question_kind_name(enum question_kind k)
{
    static const char *const names[] = { "soa", "record", "denial", "referral" };
    base_assert(k < QUESTION_KINDS);
    return names[k];
}

bool health_question_equal(const struct question *a, const struct question *b)
{
    return a->qtype == b->qtype && dns_name_equal(&a->qname, &b->qname);
}

static uint64_t next_random(struct question_walk *w)
{
    uint64_t z = w->random += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* A label of 1 to 12 letters and digits in front of `below`; `below` itself when it does not fit. */
static void random_child(struct question_walk *w, const struct dns_name *below,
                         struct dns_name *out)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    uint8_t wire[DNS_NAME_MAX];
    uint64_t r = next_random(w);
    size_t len = 1 + r % 12;
    *out = *below;
    if (1 + len + below->len > DNS_NAME_MAX || below->labels >= DNS_LABELS_MAX)
        return;
    wire[0] = (uint8_t)len;
    for (size_t i = 1; i <= len; i++) {
        r = i % 8 == 0 ? next_random(w) : r / 36;
        wire[i] = (uint8_t)letters[r % 36];
    }
    memcpy(wire + 1 + len, below->wire, below->len);
    struct rd rd = rd_init(wire, 1 + len + below->len);
    bool good = dns_name_parse(out, &rd);
    base_assert(good);
}

static void ask_soa(const struct zone *z, struct question *q)
{
    q->kind = QUESTION_SOA;
    q->qtype = DNS_TYPE_SOA;
    zone_origin(z, &q->qname);
}

/* ---- where in the zones ---- */

/* The zone number `idx`, or the next one that is served: of others nothing is asked. When none is near, the
 * one it began with, for its SERVFAIL. */
static const struct zone *served_from(const struct zone_set *s, uint32_t *idx)
{
    const uint32_t count = zone_set_count(s), begin = *idx % count;
    *idx = begin;
    for (uint32_t i = 0; i < count && i < LOOK_MAX; i++) {
        uint32_t at = (begin + i) % count;
        const struct zone *z = zone_set_at(s, at);
        if (z != NULL && zone_state(z) == ZONE_SERVED) {
            *idx = at;
            return z;
        }
    }
    return zone_set_at(s, begin);
}

static const struct zone_node *jump(const struct zone *z, struct question_walk *w)
{
    struct dns_name origin, near;
    zone_origin(z, &origin);
    random_child(w, &origin, &near);
    const struct zone_node *n = zone_node_before(z, &near);
    uint64_t steps = next_random(w) % JUMP_STEPS;
    for (; n != NULL && steps > 0; steps--)
        n = zone_node_after(z, n);
    return n != NULL ? n : zone_apex(z);
}

/* The next node of the walk; at the end of a zone the first of the next. */
static const struct zone_node *step(const struct zone_set *s, struct question_place *p,
                                    const struct zone **z)
{
    *z = p->node != NULL ? zone_set_at(s, p->zone_idx) : served_from(s, &p->zone_idx);
    p->node = p->node != NULL ? zone_node_after(*z, p->node) : zone_apex(*z);
    p->rrset = 0;
    if (p->node == NULL) {
        p->zone_idx++;
        *z = served_from(s, &p->zone_idx);
        p->node = zone_apex(*z);
    }
    return p->node;
}

void health_question_restart(struct question_walk *w)
{
    memset(w->places, 0, sizeof w->places);
}

/* ---- what a node can be asked ---- */

static bool is_askable(const struct zone_rrset *r)
{
    return r->count > 0 && r->count <= RECORDS_MAX && r->rdata_len + r->sigs_len <= BYTES_MAX;
}

/* The RRset number `number` (from 0) of those of an authoritative node that can be asked for; of a
 * delegation only DS (RFC 4035 section 3.1.4.1). False when there are not so many; *count says how many
 * there are. */
static bool ask_record(const struct zone *z, const struct zone_node *n, uint32_t number,
                       uint32_t *count, struct question *q)
{
    uint32_t flags = zone_node_flags(n), pos = 0;
    struct zone_rrset set;
    bool found = false;
    *count = 0;
    if ((flags & (ZONE_NODE_OCCLUDED | ZONE_NODE_EMPTY)) != 0)
        return false;
    bool cut = (flags & ZONE_NODE_CUT) != 0;
    if (cut && (flags & ZONE_NODE_DS) == 0)
        return false;
    while (zone_node_next(z, n, &pos, &set)) {
        if (!is_askable(&set) || (cut && set.type != DNS_TYPE_DS))
            continue;
        if ((*count)++ != number)
            continue;
        q->kind = set.type == DNS_TYPE_SOA ? QUESTION_SOA : QUESTION_RECORD;
        q->qtype = set.type;
        found = true;
    }
    if (found)
        zone_node_name(z, n, &q->qname);
    return found;
}

/* One of its RRsets, by chance. */
static bool ask_any_record(const struct zone *z, const struct zone_node *n, struct question_walk *w,
                           struct question *q)
{
    uint32_t count;
    if (!ask_record(z, n, 0, &count, q))
        return false;
    return ask_record(z, n, (uint32_t)(next_random(w) % count), &count, q);
}

static bool ask_referral(const struct zone *z, const struct zone_node *n, struct question_walk *w,
                         struct question *q)
{
    uint32_t flags = zone_node_flags(n);
    struct dns_name cut;
    struct zone_rrset ns;
    if ((flags & ZONE_NODE_CUT) == 0 || (flags & ZONE_NODE_OCCLUDED) != 0 ||
        !zone_node_find(z, n, DNS_TYPE_NS, &ns) || !is_askable(&ns))
        return false;
    q->kind = QUESTION_REFERRAL;
    q->qtype = DNS_TYPE_A;
    zone_node_name(z, n, &cut);
    random_child(w, &cut, &q->qname);
    return true;
}

/* A name that does not exist below `n`, or a type that it does not own. */
static bool ask_denial(const struct zone *z, const struct zone_node *n, struct question_walk *w,
                       struct question *q)
{
    const uint32_t aside = ZONE_NODE_CUT | ZONE_NODE_OCCLUDED | ZONE_NODE_CNAME | ZONE_NODE_DNAME;
    struct zone_found found;
    struct dns_name owner;
    if ((zone_node_flags(n) & aside) != 0)
        return false;
    zone_node_name(z, n, &owner);
    q->kind = QUESTION_DENIAL;
    q->qtype = TYPE_ABSENT;
    q->qname = owner;
    if (next_random(w) % 3 == 0)
        return true;
    random_child(w, &owner, &q->qname);
    zone_lookup(z, &q->qname, &found);
    q->qtype = DNS_TYPE_A;
    /* What lies below a wildcard exists by it, also as another alias. */
    const struct zone_node *at = found.exact != NULL ? found.exact : found.wildcard;
    return found.cut == NULL && found.dname == NULL &&
           (at == NULL || (zone_node_flags(at) & aside) == 0);
}

static bool ask(const struct zone *z, const struct zone_node *n, struct question_walk *w,
                enum question_kind kind, struct question *q)
{
    switch (kind) {
    case QUESTION_SOA:
        ask_soa(z, q);
        return true;
    case QUESTION_RECORD:
        return ask_any_record(z, n, w, q);
    case QUESTION_DENIAL:
        return ask_denial(z, n, w, q);
    case QUESTION_REFERRAL:
        return ask_referral(z, n, w, q);
    }
    base_unreachable("question kind");
}

/* The next in the walk; SOA when none is found in a bounded look. */
static void ask_next(const struct zone_set *s, struct question_walk *w, enum question_kind kind,
                     struct question *q)
{
    struct question_place *p = &w->places[kind];
    const struct zone *z = served_from(s, &p->zone_idx);
    uint32_t count;
    if (kind == QUESTION_RECORD && p->node != NULL && ask_record(z, p->node, p->rrset, &count, q)) {
        p->rrset++;
        return;
    }
    for (uint32_t i = 0; i < LOOK_MAX; i++) {
        const struct zone_node *n = step(s, p, &z);
        if (n == NULL)
            break; /* nothing is served */
        bool found =
            kind == QUESTION_RECORD ? ask_record(z, n, p->rrset, &count, q) : ask(z, n, w, kind, q);
        p->rrset++;
        if (found)
            return;
    }
    ask_soa(z, q);
}

void health_question_pick(const struct zone_set *s, struct question_walk *w,
                          enum question_kind kind, struct question *q)
{
    base_assert(zone_set_count(s) > 0);
    uint32_t idx = (uint32_t)(next_random(w) % zone_set_count(s));
    const struct zone *z = served_from(s, &idx);
    if (kind == QUESTION_SOA) {
        ask_soa(z, q);
        return;
    }
    const struct zone_node *n = next_random(w) % 4 == 0 ? jump(z, w) : NULL;
    for (uint32_t i = 0; i < LOOK_MAX / 2 && n != NULL; i++, n = zone_node_after(z, n))
        if (ask(z, n, w, kind, q))
            return;
    ask_next(s, w, kind, q);
}

uint32_t health_question_kinds(const struct zone_set *s)
{
    uint32_t kinds =
        QUESTION_BIT(QUESTION_SOA) | QUESTION_BIT(QUESTION_RECORD) | QUESTION_BIT(QUESTION_DENIAL);
    for (uint32_t i = 0; i < zone_set_count(s) && i < KINDS_ZONES_MAX; i++) {
        const struct zone *z = zone_set_at(s, i);
        const struct zone_node *n = zone_apex(z);
        for (uint32_t k = 0; n != NULL && k < KINDS_NODES_MAX; k++, n = zone_node_after(z, n))
            if ((zone_node_flags(n) & ZONE_NODE_CUT) != 0)
                return kinds | QUESTION_BIT(QUESTION_REFERRAL);
    }
    return kinds;
}
