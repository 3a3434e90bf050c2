/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Referrals and denials are most of what a root or a registry answers. All names below a cut get the same
 * referral, all names in one gap between two NSECs and below the same encloser the same denial. Behind
 * the fixed header and the question every compression pointer is known up to one number: how much
 * longer the queried name is than the cut's or the encloser's (the base). So what is behind the question
 * is kept as its bytes, where its pointers are, and where they would point if the base itself had been
 * asked for; the next one is a copy, with that number added to each. What is kept is only what was
 * composed in whole, and has nothing to say in its OPT; where there is less room than it takes, it is composed anew. */
#include <string.h>

#include "answer/state.h"

#define CACHE_SETS 2048
#define CACHE_WAYS 4     /* 8,192 in all: 12 MiB when all are in use */
#define CACHE_BYTES 1176 /* of one; what is longer (little is) is composed each time */
#define CACHE_POINTERS 80

struct slot {
    uint64_t set; /* zone_set_id(); 0: empty */
    struct answer_cache_key key;
    bool signed_wanted;
    uint8_t pointers;
    uint16_t authority, additional; /* records */
    uint16_t len;
    uint16_t pointer_at[CACHE_POINTERS]; /* from the question's end */
    uint16_t pointer_to[CACHE_POINTERS];
    uint8_t bytes[CACHE_BYTES];
};

/* One may be in any slot of its set, so that a few that meet do not chase each other out. */
struct answer_cache {
    struct slot sets[CACHE_SETS][CACHE_WAYS];
    uint8_t next[CACHE_SETS]; /* the slot that the next one to keep goes into */
    uint16_t
        door[CACHE_SETS]; /* who was composed last: only who comes again is kept, so that a million
                                * names asked once each do not wash through the cache */
};

size_t answer_cache_size(void)
{
    return sizeof(struct answer_cache);
}

/* The upper bits choose the set, others tell those of a set apart at its door. */
static uint64_t hash_of(const struct answer_state *a, const struct answer_cache_key *key)
{
    uint64_t h = (uint64_t)(uintptr_t)key->node >> 3 << 1 | a->signed_wanted;
    return (h ^ (uint64_t)(uintptr_t)key->nsec << 20 ^ key->kind) * 0x9e3779b97f4a7c15u;
}

static unsigned set_of(const struct answer_state *a, const struct answer_cache_key *key)
{
    return (unsigned)(hash_of(a, key) >> 53);
}
_Static_assert(CACHE_SETS == 1 << 11, "set_of() gives eleven bits");

static const struct slot *slot_find(const struct answer_state *a,
                                    const struct answer_cache_key *key)
{
    const struct slot *s = a->o->cache->sets[set_of(a, key)];
    uint64_t set = zone_set_id(a->zs);
    for (unsigned i = 0; i < CACHE_WAYS; i++, s++)
        if (s->key.node == key->node && s->key.nsec == key->nsec && s->key.kind == key->kind &&
            s->set == set && s->signed_wanted == a->signed_wanted)
            return s;
    return NULL;
}

bool answer_cache_take(struct answer_state *a, const struct answer_cache_key *key)
{
    if (a->o->cache == NULL || a->chain != 0)
        return false;
    const struct slot *s = slot_find(a, key);
    if (s == NULL)
        return false;
    struct wr *w = &a->m.w;
    uint8_t *p = wr_left(w) >= s->len ? wr_room(w, s->len) : NULL;
    if (p == NULL)
        return false;
    uint16_t longer = (uint16_t)(a->sname->len - s->key.base_len);
    memcpy(p, s->bytes, s->len);
    for (unsigned i = 0; i < s->pointers; i++)
        wr_put_u16(p + s->pointer_at[i], (uint16_t)(0xc000 | (s->pointer_to[i] + longer)));
    a->m.count[DNS_AUTHORITY] = s->authority;
    a->m.count[DNS_ADDITIONAL] = s->additional;
    return true;
}

void answer_cache_fill(struct answer_state *a, const struct answer_cache_key *key)
{
    struct answer_cache *c = a->o->cache;
    if (c == NULL || a->chain != 0 || a->whole_name)
        return;
    uint64_t h = hash_of(a, key);
    uint16_t *door = &c->door[h >> 53];
    a->fill_wanted = *door == (uint16_t)(h >> 32);
    *door = (uint16_t)(h >> 32);
    a->fill = *key;
}

void answer_cache_keep(struct answer_state *a)
{
    const uint8_t *begin = a->m.w.begin + DNS_HEADER_LEN + a->q->question_len;
    size_t len = (size_t)(a->m.w.pos - begin);
    if (!a->fill_wanted || a->ede != DNS_EDE_NONE || len > CACHE_BYTES ||
        a->m.pointers_used > CACHE_POINTERS)
        return;
    struct answer_cache *c = a->o->cache;
    unsigned set = set_of(a, &a->fill);
    struct slot *s = &c->sets[set][c->next[set]];
    c->next[set] = (uint8_t)((c->next[set] + 1) % CACHE_WAYS);
    uint16_t longer = (uint16_t)(a->sname->len - a->fill.base_len);
    s->set = zone_set_id(a->zs);
    s->key = a->fill;
    s->signed_wanted = a->signed_wanted;
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
