/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How many prefixes a neighbor announces, without keeping them: a set of their 64-bit hashes, open
 * addressing with linear probing, at most half full. Two prefixes of one hash count as one: with a
 * seed that the neighbor does not know this is a matter of chance, 1 in 10^7 for a full table. */
#include "base/assert.h"
#include "bgp/rib.h"

static uint64_t mix(uint64_t x) /* the finalizer of splitmix64 */
{
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

static uint64_t hash(const struct bgp_rib_count *c, const struct bgp_prefix *p)
{
    uint64_t h = mix(c->seed ^ (uint64_t)(p->family << 8 | p->len));
    for (unsigned i = 0; i < 16; i += 8) {
        uint64_t word = 0;
        for (unsigned k = 0; k < 8; k++)
            word = word << 8 | p->addr[i + k];
        h = mix(h ^ word);
    }
    return h != 0 ? h : 1; /* 0 marks an empty slot */
}

void bgp_rib_count_init(struct bgp_rib_count *c, uint64_t *slots, uint32_t slot_count, uint32_t max,
                        uint64_t seed)
{
    base_assert(slot_count == 0 || (slot_count & (slot_count - 1)) == 0);
    base_assert(slot_count >= 2 * (uint64_t)max);
    *c = (struct bgp_rib_count){ .slots = slots, .mask = slot_count - 1, .max = max, .seed = seed };
    for (uint32_t i = 0; i < slot_count; i++)
        slots[i] = 0;
}

static bool add(struct bgp_rib_count *c, uint64_t h)
{
    uint32_t i = (uint32_t)h & c->mask;
    for (; c->slots[i] != 0; i = (i + 1) & c->mask) {
        if (c->slots[i] == h)
            return true;
    }
    if (c->count >= c->max)
        return false;
    c->slots[i] = h;
    c->count++;
    return true;
}

/* Takes h out and moves up what was pushed behind it, so that no tombstones are needed. */
static void take_out(struct bgp_rib_count *c, uint64_t h)
{
    uint32_t i = (uint32_t)h & c->mask;
    for (; c->slots[i] != h; i = (i + 1) & c->mask) {
        if (c->slots[i] == 0)
            return;
    }
    c->count--;
    uint32_t hole = i;
    for (uint32_t k = (i + 1) & c->mask; c->slots[k] != 0; k = (k + 1) & c->mask) {
        uint32_t home = (uint32_t)c->slots[k] & c->mask;
        if (((k - home) & c->mask) >= ((k - hole) & c->mask)) {
            c->slots[hole] = c->slots[k];
            hole = k;
        }
    }
    c->slots[hole] = 0;
}

static void list_out(struct bgp_rib_count *c, struct rd list, enum bgp_family family)
{
    struct bgp_prefix p;
    while (c->count > 0 && bgp_nlri_next(&list, family, &p))
        take_out(c, hash(c, &p));
}

static bool list_in(struct bgp_rib_count *c, struct rd list, enum bgp_family family)
{
    struct bgp_prefix p;
    while (bgp_nlri_next(&list, family, &p)) {
        if (!add(c, hash(c, &p)))
            return false;
    }
    return true;
}

bool bgp_rib_count_apply(struct bgp_rib_count *c, const struct bgp_update *u)
{
    if (c->max == 0)
        return true;
    list_out(c, u->withdrawn, BGP_IPV4);
    list_out(c, u->mp_withdrawn, u->mp_withdrawn_family);
    if (u->grade == BGP_GRADE_WITHDRAW) {
        list_out(c, u->nlri, BGP_IPV4);
        list_out(c, u->mp_nlri, u->mp_nlri_family);
        return true;
    }
    return list_in(c, u->nlri, BGP_IPV4) && list_in(c, u->mp_nlri, u->mp_nlri_family);
}
