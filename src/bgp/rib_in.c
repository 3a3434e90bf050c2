/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Adj-RIB-In: the few routes of a neighbor that concern our own prefixes. */
#include <string.h>

#include "bgp/rib.h"

void bgp_rib_in_init(struct bgp_rib_in *rib, struct bgp_seen *rows, uint32_t cap, uint32_t local_as,
                     uint32_t neighbor)
{
    *rib =
        (struct bgp_rib_in){ .rows = rows, .cap = cap, .local_as = local_as, .neighbor = neighbor };
}

enum bgp_relation bgp_rib_in_relation(const struct bgp_rib_in *rib, const struct bgp_prefix *p)
{
    enum bgp_relation best = BGP_RELATION_NONE;
    for (uint32_t i = 0; i < rib->watch_count; i++) {
        const struct bgp_prefix *own = &rib->watch[i];
        /* Nearly all of a full table ends here. */
        if (own->len >= 8 && p->len >= 8 && own->addr[0] != p->addr[0])
            continue;
        if (bgp_prefix_eq(own, p))
            return BGP_RELATION_EQUAL;
        if (bgp_prefix_covers(own, p))
            best = BGP_RELATION_INSIDE;
        else if (best == BGP_RELATION_NONE && bgp_prefix_covers(p, own))
            best = BGP_RELATION_COVERS;
    }
    return best;
}

static struct bgp_seen *row_find(struct bgp_rib_in *rib, const struct bgp_prefix *p)
{
    for (uint32_t i = 0; i < rib->count; i++) {
        if (bgp_prefix_eq(&rib->rows[i].prefix, p))
            return &rib->rows[i];
    }
    return NULL;
}

static void row_drop(struct bgp_rib_in *rib, struct bgp_seen *row, bgp_rib_in_changed *changed,
                     void *arg)
{
    struct bgp_seen old = *row;
    *row = rib->rows[--rib->count];
    if (changed != NULL)
        changed(arg, &old, NULL);
}

/* A place for a new row. When there is none, a more specific route makes room for one that says more
 * (an equal or covering one): the flood of more specifics is seen by then. */
static struct bgp_seen *row_place(struct bgp_rib_in *rib, enum bgp_relation relation,
                                  bgp_rib_in_changed *changed, void *arg)
{
    if (rib->count < rib->cap)
        return &rib->rows[rib->count++];
    rib->dropped_full++;
    if (relation == BGP_RELATION_INSIDE)
        return NULL;
    for (uint32_t i = rib->count; i-- > 0;) {
        if (rib->rows[i].relation != BGP_RELATION_INSIDE)
            continue;
        row_drop(rib, &rib->rows[i], changed, arg);
        return &rib->rows[rib->count++];
    }
    return NULL;
}

static void communities_copy(struct bgp_seen *s, const struct bgp_update_attrs *a)
{
    s->community_count = a->community_count;
    s->large_count = a->large_count;
    if (a->community_count > 0) {
        struct rd r = rd_init(a->communities, a->community_count * 4u);
        for (unsigned i = 0; i < a->community_count && i < BGP_SEEN_COMMUNITIES_MAX; i++)
            s->communities[i] = rd_u32(&r);
    }
    if (a->large_count > 0) {
        struct rd r = rd_init(a->large, a->large_count * 12u);
        for (unsigned i = 0; i < a->large_count && i < BGP_SEEN_COMMUNITIES_MAX; i++) {
            s->large[i].global = rd_u32(&r);
            s->large[i].local1 = rd_u32(&r);
            s->large[i].local2 = rd_u32(&r);
        }
    }
}

/* What all prefixes of one list of the message have in common. */
static void seen_from(struct bgp_seen *s, const struct bgp_rib_in *rib, const struct bgp_update *u,
                      bool mp, mono_t now)
{
    const struct bgp_update_attrs *a = &u->attrs;
    *s = (struct bgp_seen){ 0 };
    s->neighbor = rib->neighbor;
    s->path = a->path;
    s->own_as = a->path.own;
    s->has_med = a->has_med;
    s->med = a->med;
    s->has_local_pref = a->has_local_pref;
    s->local_pref = a->local_pref;
    s->has_only_to_customer = a->has_only_to_customer;
    s->only_to_customer = a->only_to_customer;
    s->next_hop_len = mp ? u->mp_next_hop_len : 4;
    memcpy(s->next_hop, mp ? u->mp_next_hop : a->next_hop, s->next_hop_len);
    communities_copy(s, a);
    s->since = now;
}

static bool path_eq(const struct bgp_path *a, const struct bgp_path *b)
{
    return a->len == b->len && a->count == b->count && a->cut == b->cut &&
           a->has_set == b->has_set && a->own == b->own && a->first == b->first &&
           a->origin == b->origin && memcmp(a->as, b->as, a->count * sizeof a->as[0]) == 0;
}

static bool seen_eq(const struct bgp_seen *a, const struct bgp_seen *b)
{
    return path_eq(&a->path, &b->path) && a->next_hop_len == b->next_hop_len &&
           memcmp(a->next_hop, b->next_hop, a->next_hop_len) == 0 && a->has_med == b->has_med &&
           a->med == b->med && a->has_local_pref == b->has_local_pref &&
           a->local_pref == b->local_pref && a->has_only_to_customer == b->has_only_to_customer &&
           a->only_to_customer == b->only_to_customer && a->community_count == b->community_count &&
           a->large_count == b->large_count &&
           memcmp(a->communities, b->communities, sizeof a->communities) == 0 &&
           memcmp(a->large, b->large, sizeof a->large) == 0;
}

static void announce(struct bgp_rib_in *rib, const struct bgp_prefix *p, const struct bgp_seen *s,
                     enum bgp_relation relation, bgp_rib_in_changed *changed, void *arg)
{
    struct bgp_seen now = *s;
    now.prefix = *p;
    now.relation = relation;
    struct bgp_seen *row = row_find(rib, p);
    if (row == NULL) {
        row = row_place(rib, relation, changed, arg);
        if (row == NULL)
            return;
        *row = now;
        if (changed != NULL)
            changed(arg, NULL, row);
        return;
    }
    row->stale = false;
    if (seen_eq(row, &now))
        return;
    struct bgp_seen old = *row;
    *row = now;
    row->since = old.since;
    if (changed != NULL)
        changed(arg, &old, row);
}

static void list_withdraw(struct bgp_rib_in *rib, struct rd list, enum bgp_family family,
                          bgp_rib_in_changed *changed, void *arg)
{
    struct bgp_prefix p;
    while (rib->count > 0 && bgp_nlri_next(&list, family, &p)) {
        if (bgp_rib_in_relation(rib, &p) == BGP_RELATION_NONE)
            continue;
        struct bgp_seen *row = row_find(rib, &p);
        if (row != NULL)
            row_drop(rib, row, changed, arg);
    }
}

static void list_announce(struct bgp_rib_in *rib, const struct bgp_update *u, bool mp, mono_t now,
                          bgp_rib_in_changed *changed, void *arg)
{
    struct rd list = mp ? u->mp_nlri : u->nlri;
    enum bgp_family family = mp ? u->mp_nlri_family : BGP_IPV4;
    struct bgp_seen common;
    struct bgp_prefix p;
    bool made = false;
    while (bgp_nlri_next(&list, family, &p)) {
        enum bgp_relation relation = bgp_rib_in_relation(rib, &p);
        if (relation == BGP_RELATION_NONE)
            continue;
        if (!made)
            seen_from(&common, rib, u, mp, now);
        made = true;
        announce(rib, &p, &common, relation, changed, arg);
    }
}

void bgp_rib_in_apply(struct bgp_rib_in *rib, const struct bgp_update *u, mono_t now,
                      bgp_rib_in_changed *changed, void *arg)
{
    list_withdraw(rib, u->withdrawn, BGP_IPV4, changed, arg);
    list_withdraw(rib, u->mp_withdrawn, u->mp_withdrawn_family, changed, arg);
    if (u->grade == BGP_GRADE_WITHDRAW) { /* RFC 7606 section 2 */
        list_withdraw(rib, u->nlri, BGP_IPV4, changed, arg);
        list_withdraw(rib, u->mp_nlri, u->mp_nlri_family, changed, arg);
        return;
    }
    list_announce(rib, u, false, now, changed, arg);
    list_announce(rib, u, true, now, changed, arg);
}

void bgp_rib_in_clear(struct bgp_rib_in *rib, bgp_rib_in_changed *changed, void *arg)
{
    while (rib->count > 0)
        row_drop(rib, &rib->rows[rib->count - 1], changed, arg);
}

void bgp_rib_in_refresh_begin(struct bgp_rib_in *rib, enum bgp_family family)
{
    for (uint32_t i = 0; i < rib->count; i++) {
        if (rib->rows[i].prefix.family == family)
            rib->rows[i].stale = true;
    }
}

void bgp_rib_in_refresh_end(struct bgp_rib_in *rib, enum bgp_family family,
                            bgp_rib_in_changed *changed, void *arg)
{
    for (uint32_t i = rib->count; i-- > 0;) {
        if (rib->rows[i].prefix.family == family && rib->rows[i].stale)
            row_drop(rib, &rib->rows[i], changed, arg);
    }
}

void bgp_rib_in_watch(struct bgp_rib_in *rib, const struct bgp_prefix *watch, uint32_t count,
                      bgp_rib_in_changed *changed, void *arg)
{
    rib->watch = watch;
    rib->watch_count = count;
    for (uint32_t i = rib->count; i-- > 0;) {
        rib->rows[i].relation = bgp_rib_in_relation(rib, &rib->rows[i].prefix);
        if (rib->rows[i].relation == BGP_RELATION_NONE)
            row_drop(rib, &rib->rows[i], changed, arg);
    }
}
