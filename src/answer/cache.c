/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Referrals are most of what a registry answers, and all names below a cut get the same one. Behind the
 * fixed header and the question every compression pointer of it is known up to one number: how much
 * longer the queried name is than the cut's. So a referral is kept as its bytes, where its pointers are,
 * and where they would point if the cut itself had been asked for; the next one is a copy, with that
 * number added to each. What is kept is only what was composed in whole; where there is less room than
 * it takes, it is composed anew. */
#include <string.h>

#include "answer/state.h"

#define CACHE_SETS 1024
#define CACHE_WAYS 4     /* 4,096 referrals: 5.6 MiB when all are in use */
#define CACHE_BYTES 1104 /* of a referral; longer ones (few) are composed each time */
#define CACHE_POINTERS 80

struct slot {
    uint64_t set; /* zone_set_id(); 0: empty */
    const struct zone_node *cut;
    bool signed_wanted;
    uint8_t name_len; /* of the cut's name */
    uint8_t pointers;
    uint16_t authority, additional; /* records */
    uint16_t len;
    uint16_t pointer_at[CACHE_POINTERS]; /* from the question's end */
    uint16_t pointer_to[CACHE_POINTERS];
    uint8_t bytes[CACHE_BYTES];
};

/* A referral may be in any slot of its set, so that a few that meet do not chase each other out. */
struct answer_cache {
    struct slot sets[CACHE_SETS][CACHE_WAYS];
    uint8_t next[CACHE_SETS]; /* the slot that the next one to keep goes into */
};

size_t answer_cache_size(void)
{
    return sizeof(struct answer_cache);
}

static unsigned set_of(const struct answer_state *a, const struct zone_node *cut)
{
    uint64_t h = ((uint64_t)(uintptr_t)cut >> 3 << 1 | a->signed_wanted) * 0x9e3779b97f4a7c15u;
    return (unsigned)(h >> 54);
}
_Static_assert(CACHE_SETS == 1 << 10, "set_of() gives ten bits");

static const struct slot *slot_find(const struct answer_state *a, const struct zone_node *cut)
{
    const struct slot *s = a->o->cache->sets[set_of(a, cut)];
    uint64_t set = zone_set_id(a->zs);
    for (unsigned i = 0; i < CACHE_WAYS; i++)
        if (s[i].cut == cut && s[i].set == set && s[i].signed_wanted == a->signed_wanted)
            return &s[i];
    return NULL;
}

bool answer_cache_take(struct answer_state *a, const struct zone_node *cut)
{
    if (a->o->cache == NULL)
        return false;
    const struct slot *s = slot_find(a, cut);
    if (s == NULL)
        return false;
    struct wr *w = &a->m.w;
    uint8_t *p = wr_left(w) >= s->len ? wr_room(w, s->len) : NULL;
    if (p == NULL)
        return false;
    uint16_t longer = (uint16_t)(a->sname->len - s->name_len);
    memcpy(p, s->bytes, s->len);
    for (unsigned i = 0; i < s->pointers; i++)
        wr_put_u16(p + s->pointer_at[i], (uint16_t)(0xc000 | (s->pointer_to[i] + longer)));
    a->m.count[DNS_AUTHORITY] = s->authority;
    a->m.count[DNS_ADDITIONAL] = s->additional;
    a->info->kind = ANSWER_REFERRAL;
    a->aa = false;
    return true;
}

void answer_cache_fill(struct answer_state *a, const struct zone_node *cut, uint8_t name_len)
{
    a->fill = a->o->cache != NULL ? cut : NULL;
    a->fill_len = name_len;
}

void answer_cache_keep(struct answer_state *a)
{
    const uint8_t *begin = a->m.w.begin + DNS_HEADER_LEN + a->q->question_len;
    size_t len = (size_t)(a->m.w.pos - begin);
    if (a->fill == NULL || len > CACHE_BYTES || a->m.pointers_used > CACHE_POINTERS)
        return;
    struct answer_cache *c = a->o->cache;
    unsigned set = set_of(a, a->fill);
    struct slot *s = &c->sets[set][c->next[set]];
    c->next[set] = (uint8_t)((c->next[set] + 1) % CACHE_WAYS);
    uint16_t longer = (uint16_t)(a->sname->len - a->fill_len);
    s->set = zone_set_id(a->zs);
    s->cut = a->fill;
    s->signed_wanted = a->signed_wanted;
    s->name_len = a->fill_len;
    s->pointers = a->m.pointers_used;
    s->authority = a->m.count[DNS_AUTHORITY];
    s->additional = a->m.count[DNS_ADDITIONAL];
    s->len = (uint16_t)len;
    for (unsigned i = 0; i < s->pointers; i++) {
        const uint8_t *p = a->m.w.begin + a->m.pointer_at[i];
        s->pointer_at[i] = (uint16_t)(p - begin);
        s->pointer_to[i] = (uint16_t)(((p[0] & 0x3f) << 8 | p[1]) - longer);
    }
    memcpy(s->bytes, begin, len);
}
