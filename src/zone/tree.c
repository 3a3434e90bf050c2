/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading the trees of an image. Nothing that an image says is believed: a reference is checked when
 * it is followed, a length when it is used, and levels only go down, so that every walk ends. A broken
 * image gives wrong answers or none, never a read outside the mapping. */
#include "zone/image.h"

/* The parts of a block, see struct zone_image_block. */
struct parts {
    const uint32_t *hint, *ref, *nodes; /* nodes: NULL in a leaf */
    const uint16_t *key_end;
    const uint8_t *any, *prefix, *keys;
};

static size_t fixed_size(const struct zone_image_block *b)
{
    size_t entry = 4 + 4 + (b->level != 0 ? 4 : 0) + 2 + 1;
    return sizeof *b + b->count * entry + b->prefix_len;
}

static struct parts parts_of(const struct zone_image_block *b)
{
    struct parts p;
    p.hint = (const uint32_t *)(b + 1);
    p.ref = p.hint + b->count;
    p.nodes = b->level != 0 ? p.ref + b->count : NULL;
    p.key_end = (const uint16_t *)(p.ref + (size_t)b->count * (b->level != 0 ? 2 : 1));
    p.any = (const uint8_t *)(p.key_end + b->count);
    p.prefix = p.any + b->count;
    p.keys = p.prefix + b->prefix_len;
    return p;
}

/* A search reads some of ten cache lines, each found by the one before: asking for all at once makes
 * one wait of many (1.6 times as many look-ups in a million names). Nothing is read by it, so it needs
 * no check. */
static inline void expect(const struct zone_image_block *b)
{
    for (unsigned line = 1; line < 10; line++)
        __builtin_prefetch((const uint8_t *)b + line * 64u);
}

const struct zone_image_block *zone_image_root_at(const struct zone_image_map *m, uint32_t ref)
{
    const struct zone_image_block *b = zone_image_at(m, (uint64_t)ref * 8, sizeof *b);
    if (ref == 0 || b == NULL)
        return NULL;
    expect(b);
    if (b->magic != IMAGE_BLOCK_MAGIC || b->level >= IMAGE_DEPTH_MAX || b->count == 0 ||
        b->count > IMAGE_BLOCK_MAX || fixed_size(b) + b->keys_len > b->size ||
        zone_image_at(m, (uint64_t)ref * 8, b->size) == NULL)
        return NULL;
    return b;
}

const struct zone_image_block *zone_image_block_at(const struct zone_image_map *m, uint32_t ref,
                                                   unsigned level)
{
    const struct zone_image_block *b = zone_image_root_at(m, ref);
    return b != NULL && b->level == level ? b : NULL;
}

bool zone_image_block_entry(const struct zone_image_block *b, unsigned i,
                            struct zone_image_entry *out)
{
    struct parts p = parts_of(b);
    uint16_t begin = i != 0 ? p.key_end[i - 1] : 0, end = p.key_end[i];
    if (begin > end || end > b->keys_len)
        return false;
    out->prefix = p.prefix;
    out->prefix_len = b->prefix_len;
    out->suffix = p.keys + begin;
    out->suffix_len = (uint16_t)(end - begin);
    out->ref = p.ref[i];
    out->any = p.any[i];
    return true;
}

uint32_t zone_image_block_nodes(const struct zone_image_block *b, unsigned i)
{
    return b->level != 0 ? parts_of(b).nodes[i] : 1;
}

static uint32_t hint_of(const uint8_t *bytes, size_t len)
{
    uint8_t four[4] = { 0 };
    memcpy(four, bytes, len < 4 ? len : 4);
    return (uint32_t)four[0] << 24 | (uint32_t)four[1] << 16 | (uint32_t)four[2] << 8 | four[3];
}

static int compare(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
    int c = memcmp(a, b, a_len < b_len ? a_len : b_len);
    return c != 0 ? c : (a_len > b_len) - (a_len < b_len);
}

/* The last entry that is not above the key; -1: none. In inner blocks entry 0 is below everything. */
static int block_find(const struct zone_image_block *b, const uint8_t *key, size_t key_len)
{
    struct parts p = parts_of(b);
    int none = b->level != 0 ? 0 : -1;
    int c = memcmp(key, p.prefix, key_len < b->prefix_len ? key_len : b->prefix_len);
    if (c < 0 || (c == 0 && key_len < b->prefix_len))
        return none;
    if (c > 0)
        return b->count - 1;
    key += b->prefix_len;
    key_len -= b->prefix_len;
    uint32_t hint = hint_of(key, key_len);
    int lo = none + 1, hi = b->count; /* the first entry above the key is in [lo, hi] */
    while (lo < hi) {
        int mid = (lo + hi) / 2;
        bool above = p.hint[mid] > hint;
        if (p.hint[mid] == hint) {
            struct zone_image_entry e;
            if (!zone_image_block_entry(b, (unsigned)mid, &e))
                return none;
            above = compare(e.suffix, e.suffix_len, key, key_len) > 0;
        }
        if (above)
            hi = mid;
        else
            lo = mid + 1;
    }
    return lo - 1;
}

/* Follows the entry that the last block of `pos` stands at; the new block stands at entry 0. */
static bool descend(struct zone_image_pos *pos)
{
    const struct zone_image_block *b = pos->block[pos->depth - 1];
    uint32_t ref = parts_of(b).ref[pos->idx[pos->depth - 1]];
    const struct zone_image_block *child = zone_image_block_at(pos->map, ref, b->level - 1u);
    if (child == NULL)
        return false;
    pos->block[pos->depth] = child;
    pos->idx[pos->depth] = 0;
    pos->depth++;
    return true;
}

static bool begin(const struct zone_image_map *m, uint32_t root, struct zone_image_pos *pos)
{
    pos->map = m;
    pos->block[0] = zone_image_root_at(m, root);
    pos->idx[0] = 0;
    pos->depth = pos->block[0] != NULL ? 1 : 0;
    return pos->depth != 0;
}

static inline const struct zone_image_block *bottom(const struct zone_image_pos *pos)
{
    return pos->block[pos->depth - 1];
}

bool zone_image_first(const struct zone_image_map *m, uint32_t root, struct zone_image_pos *pos)
{
    if (!begin(m, root, pos))
        return false;
    while (bottom(pos)->level != 0)
        if (!descend(pos))
            return false;
    return true;
}

/* From the block that `pos` ends with down to the last leaf entry under it that has one of `any` (0:
 * any entry). */
static bool last_under(struct zone_image_pos *pos, uint8_t any)
{
    for (;;) {
        const struct zone_image_block *b = bottom(pos);
        const uint8_t *flags = parts_of(b).any;
        int i = b->count - 1;
        while (i >= 0 && any != 0 && (flags[i] & any) == 0)
            i--;
        if (i < 0)
            return false;
        pos->idx[pos->depth - 1] = (uint16_t)i;
        if (b->level == 0)
            return true;
        if (!descend(pos))
            return false;
    }
}

bool zone_image_last(const struct zone_image_map *m, uint32_t root, struct zone_image_pos *pos)
{
    return begin(m, root, pos) && last_under(pos, 0);
}

/* To the last entry before the one that `pos` stands at. */
static bool back(struct zone_image_pos *pos, uint8_t any)
{
    while (pos->depth != 0) {
        const uint8_t *flags = parts_of(bottom(pos)).any;
        int i = pos->idx[pos->depth - 1] - 1;
        while (i >= 0 && any != 0 && (flags[i] & any) == 0)
            i--;
        if (i >= 0) {
            pos->idx[pos->depth - 1] = (uint16_t)i;
            return bottom(pos)->level == 0 || (descend(pos) && last_under(pos, any));
        }
        pos->depth--;
    }
    return false;
}

bool zone_image_back_to(struct zone_image_pos *pos, uint8_t any)
{
    if ((parts_of(bottom(pos)).any[pos->idx[pos->depth - 1]] & any) != 0)
        return true;
    return back(pos, any);
}

bool zone_image_next(struct zone_image_pos *pos)
{
    while (pos->depth != 0) {
        if (pos->idx[pos->depth - 1] + 1 < bottom(pos)->count) {
            pos->idx[pos->depth - 1]++;
            while (bottom(pos)->level != 0)
                if (!descend(pos))
                    return false;
            return true;
        }
        pos->depth--;
    }
    return false;
}

static size_t shared(const uint8_t *a, const uint8_t *b, size_t len)
{
    size_t i = 0;
    while (i < len && a[i] == b[i])
        i++;
    return i;
}

static size_t common_with(const struct zone_image_pos *pos, const uint8_t *key, size_t key_len)
{
    struct zone_image_entry e;
    if (!zone_image_entry(pos, &e))
        return 0;
    size_t n = shared(key, e.prefix, key_len < e.prefix_len ? key_len : e.prefix_len);
    if (n < e.prefix_len)
        return n;
    key += n;
    key_len -= n;
    return n + shared(key, e.suffix, key_len < e.suffix_len ? key_len : e.suffix_len);
}

bool zone_image_seek(const struct zone_image_map *m, uint32_t root, const uint8_t *key,
                     size_t key_len, struct zone_image_pos *pos, size_t *common)
{
    *common = 0;
    if (!begin(m, root, pos))
        return false;
    for (;;) {
        const struct zone_image_block *b = bottom(pos);
        int i = block_find(b, key, key_len);
        if (b->level == 0 && i < 0) {
            pos->idx[pos->depth - 1] = 0;
            if (!back(pos, 0))
                return false;
            break;
        }
        pos->idx[pos->depth - 1] = (uint16_t)i;
        if (b->level == 0)
            break;
        if (!descend(pos))
            return false;
    }
    *common = common_with(pos, key, key_len);
    return true;
}

bool zone_image_entry(const struct zone_image_pos *pos, struct zone_image_entry *out)
{
    return pos->depth != 0 && zone_image_block_entry(bottom(pos), pos->idx[pos->depth - 1], out);
}

bool zone_image_find(const struct zone_image_map *m, uint32_t root, const uint8_t *key,
                     size_t key_len, struct zone_image_entry *out)
{
    struct zone_image_pos pos;
    size_t common;
    return zone_image_seek(m, root, key, key_len, &pos, &common) && zone_image_entry(&pos, out) &&
           common == key_len && (size_t)out->prefix_len + out->suffix_len == key_len;
}
