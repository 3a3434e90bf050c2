/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Zones in a hash table with chains; steps of history of all zones in one row, in the order in which they
 * were stored, each of which knows how far back its zone's one before is. So the oldest of all are dropped
 * by moving the row's begin, and a file that is removed takes its steps with it. */
#include "store/index.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/mem.h"
#include "store/frame.h"

#define NONE UINT32_MAX

struct zone_row {
    uint64_t last;  /* position of its newest step; steps 0: of no meaning */
    uint32_t steps; /* so many belong to one history, if they are still in the row */
    uint32_t next;  /* in its bucket, or in the list of free rows */
    uint8_t *name;  /* in wire form, owned; NULL: a free row */
    struct store_times times;
    bool has_times;
};

struct store_index {
    uint64_t seed;
    struct zone_row *row;
    uint32_t rows, rows_cap, rows_free; /* rows_free: the first free row, or NONE */
    uint32_t zones;
    uint32_t *bucket;
    uint32_t buckets;        /* a power of two */
    struct store_step *step; /* [first..end), a position is `base` and the place in here */
    uint32_t first, end, steps_cap, steps_max;
    uint64_t base;
};

struct store_index *store_index_new(uint64_t seed, uint32_t steps_max)
{
    base_assert(steps_max >= STORE_STEPS_ZONE_PART);
    struct store_index *x = base_calloc(1, sizeof *x);
    x->seed = seed;
    x->steps_max = steps_max;
    x->rows_free = NONE;
    x->buckets = 64;
    x->bucket = base_alloc(x->buckets * sizeof *x->bucket);
    memset(x->bucket, 0xff, x->buckets * sizeof *x->bucket);
    return x;
}

void store_index_free(struct store_index *x)
{
    if (x == NULL)
        return;
    for (uint32_t i = 0; i < x->rows; i++)
        free(x->row[i].name);
    free(x->row);
    free(x->bucket);
    free(x->step);
    free(x);
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

/* Names come from others: the seed keeps them from choosing names that meet in a bucket. */
static uint64_t hash_of(uint64_t seed, const uint8_t *wire, size_t len)
{
    uint64_t h = seed ^ 0x9e3779b97f4a7c15u;
    for (size_t i = 0; i < len; i++) {
        h = (h ^ lower(wire[i])) * 0xff51afd7ed558ccdu;
        h ^= h >> 32;
    }
    return h;
}

static size_t wire_len(const uint8_t *wire)
{
    size_t at = 0;
    while (wire[at] != 0)
        at += 1u + wire[at];
    return at + 1;
}

static bool same_name(const uint8_t *wire, const struct dns_name *name)
{
    for (size_t i = 0; i < name->len; i++)
        if (lower(wire[i]) != lower(name->wire[i]))
            return false;
    return true;
}

static uint32_t *bucket_of(const struct store_index *x, const uint8_t *wire, size_t len)
{
    return &x->bucket[hash_of(x->seed, wire, len) & (x->buckets - 1)];
}

static struct zone_row *find(const struct store_index *x, const struct dns_name *origin)
{
    for (uint32_t i = *bucket_of(x, origin->wire, origin->len); i != NONE; i = x->row[i].next)
        if (same_name(x->row[i].name, origin))
            return &x->row[i];
    return NULL;
}

static void rehash(struct store_index *x)
{
    x->buckets *= 2;
    x->bucket = base_realloc(x->bucket, x->buckets * sizeof *x->bucket);
    memset(x->bucket, 0xff, x->buckets * sizeof *x->bucket);
    for (uint32_t i = 0; i < x->rows; i++) {
        struct zone_row *z = &x->row[i];
        if (z->name == NULL)
            continue;
        uint32_t *b = bucket_of(x, z->name, wire_len(z->name));
        z->next = *b;
        *b = i;
    }
}

static struct zone_row *find_or_add(struct store_index *x, const struct dns_name *origin)
{
    struct zone_row *z = find(x, origin);
    if (z != NULL)
        return z;
    if (x->zones == x->buckets)
        rehash(x);
    uint32_t i = x->rows_free;
    if (i != NONE) {
        x->rows_free = x->row[i].next;
    } else {
        if (x->rows == x->rows_cap) {
            x->rows_cap = x->rows_cap == 0 ? 64 : x->rows_cap + x->rows_cap / 2;
            x->row = base_realloc(x->row, x->rows_cap * sizeof *x->row);
        }
        i = x->rows++;
    }
    uint32_t *b = bucket_of(x, origin->wire, origin->len);
    z = &x->row[i];
    *z = (struct zone_row){ .next = *b, .name = base_alloc(origin->len) };
    memcpy(z->name, origin->wire, origin->len);
    *b = i;
    x->zones++;
    return z;
}

void store_index_remove(struct store_index *x, const struct dns_name *origin)
{
    uint32_t *at = bucket_of(x, origin->wire, origin->len);
    while (*at != NONE && !same_name(x->row[*at].name, origin))
        at = &x->row[*at].next;
    if (*at == NONE)
        return;
    uint32_t i = *at;
    struct zone_row *z = &x->row[i];
    *at = z->next;
    free(z->name);
    *z = (struct zone_row){ .next = x->rows_free };
    x->rows_free = i;
    x->zones--;
}

/* How many of a zone's steps are still in the row. */
static uint32_t steps_left(const struct store_index *x, const struct zone_row *z)
{
    uint32_t n = 0;
    uint64_t pos = z->last, begin = x->base + x->first;
    while (n < z->steps && pos >= begin) {
        n++;
        pos -= x->step[pos - x->base].back;
    }
    return n;
}

/* Leaves out of the row what belongs to no history any more and what is too much of one zone's; then, if
 * that was little, the oldest eighth. */
static void make_room(struct store_index *x)
{
    uint8_t *keep = base_calloc(x->end, 1);
    uint32_t zone_max = x->steps_max / STORE_STEPS_ZONE_PART;
    for (uint32_t i = 0; i < x->rows; i++) {
        struct zone_row *z = &x->row[i];
        uint32_t left = z->name == NULL ? 0 : steps_left(x, z);
        z->steps = left < zone_max ? left : zone_max;
        uint64_t pos = z->last;
        for (uint32_t n = 0; n < z->steps; n++) {
            keep[pos - x->base] = 1;
            pos -= x->step[pos - x->base].back;
        }
    }
    uint64_t base = x->base + x->end; /* positions are never used twice */
    uint32_t n = 0;
    for (uint32_t i = x->first; i < x->end; i++) {
        if (keep[i] == 0)
            continue;
        struct zone_row *z = &x->row[x->step[i].zone];
        x->step[n] = x->step[i];
        /* The first one of a zone that moves has its last one still in the old row. */
        x->step[n].back = z->last >= base ? (uint32_t)(base + n - z->last) : 1;
        z->last = base + n++;
    }
    free(keep);
    x->base = base;
    x->first = n > x->steps_max - x->steps_max / 8 ? x->steps_max / 8 : 0;
    x->end = n;
}

static void row_room(struct store_index *x)
{
    if (x->end < x->steps_cap)
        return;
    if (x->first >= x->steps_cap / 4 && x->first != 0) {
        memmove(x->step, x->step + x->first, (x->end - x->first) * sizeof *x->step);
        x->base += x->first;
        x->end -= x->first;
        x->first = 0;
    } else if (x->steps_cap < x->steps_max) {
        uint32_t cap = x->steps_cap == 0 ? 64 : x->steps_cap * 2;
        x->steps_cap = cap < x->steps_max ? cap : x->steps_max;
        x->step = base_realloc(x->step, x->steps_cap * sizeof *x->step);
    } else {
        make_room(x);
        row_room(x);
    }
}

void store_index_step(struct store_index *x, const struct dns_name *origin,
                      const struct store_step *step)
{
    row_room(x); /* first: it may change what is left of the zone's own */
    struct zone_row *z = find_or_add(x, origin);
    bool forward = step->to != step->from && step->to - step->from < 0x80000000u;
    bool goes_on = z->steps != 0 && z->last >= x->base + x->first &&
                   x->step[z->last - x->base].to == step->from;
    if (!goes_on || !forward)
        z->steps = 0;
    if (!forward)
        return;
    uint64_t pos = x->base + x->end;
    struct store_step *s = &x->step[x->end++];
    *s = *step;
    s->zone = (uint32_t)(z - x->row);
    s->back = z->steps != 0 ? (uint32_t)(pos - z->last) : 1;
    z->last = pos;
    z->steps++;
}

void store_index_whole(struct store_index *x, const struct dns_name *origin)
{
    struct zone_row *z = find(x, origin);
    if (z != NULL)
        z->steps = 0;
}

void store_index_times_set(struct store_index *x, const struct dns_name *origin,
                           const struct store_times *t)
{
    struct zone_row *z = find_or_add(x, origin);
    z->times = *t;
    z->has_times = true;
}

void store_index_entry(struct store_index *x, enum store_kind kind, const struct dns_name *origin,
                       const struct store_step *step, const struct store_times *t)
{
    switch (kind) {
    case STORE_CHANGE:
        store_index_step(x, origin, step);
        break;
    case STORE_WHOLE:
        store_index_whole(x, origin);
        break;
    case STORE_REMOVE:
        store_index_remove(x, origin);
        break;
    case STORE_TIMES:
        break;
    }
    if (t != NULL)
        store_index_times_set(x, origin, t);
}

const struct store_times *store_index_times(const struct store_index *x,
                                            const struct dns_name *origin)
{
    const struct zone_row *z = find(x, origin);
    return z != NULL && z->has_times ? &z->times : NULL;
}

void store_index_times_clear(struct store_index *x)
{
    for (uint32_t i = 0; i < x->rows; i++)
        x->row[i].has_times = false;
}

void store_index_drop(struct store_index *x, uint32_t file)
{
    while (x->first < x->end && x->step[x->first].file < file)
        x->first++;
}

struct store_step *store_index_find(const struct store_index *x, const struct dns_name *origin,
                                    uint32_t from, uint32_t to, uint32_t *count)
{
    const struct zone_row *z = find(x, origin);
    uint32_t left = z == NULL ? 0 : steps_left(x, z), n = 0;
    uint64_t pos = left == 0 ? 0 : z->last, end = 0;
    bool found = false;
    for (; left != 0 && !found; left--) {
        const struct store_step *s = &x->step[pos - x->base];
        if (n == 0 && s->to == to)
            end = pos;
        if (n != 0 || s->to == to)
            n++;
        found = n != 0 && s->from == from;
        pos -= s->back;
    }
    if (!found)
        return NULL;
    struct store_step *way = base_alloc(n * sizeof *way);
    pos = end;
    for (uint32_t i = n; i != 0; i--) {
        way[i - 1] = x->step[pos - x->base];
        pos -= way[i - 1].back;
    }
    *count = n;
    return way;
}

uint8_t *store_index_table(const struct store_index *x, size_t *len, uint32_t *rows)
{
    size_t cap = 1;
    *rows = 0;
    for (uint32_t i = 0; i < x->rows; i++)
        if (x->row[i].name != NULL && x->row[i].has_times)
            cap += wire_len(x->row[i].name) + 25;
    uint8_t *bytes = base_alloc(cap);
    struct wr w = wr_init(bytes, cap);
    for (uint32_t i = 0; i < x->rows; i++) {
        const struct zone_row *z = &x->row[i];
        if (z->name == NULL || !z->has_times)
            continue;
        wr_bytes(&w, z->name, wire_len(z->name));
        store_times_write(&w, &z->times);
        ++*rows;
    }
    base_assert(!w.full);
    *len = wr_len(&w);
    return bytes;
}
