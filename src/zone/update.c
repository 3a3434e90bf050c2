/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "zone/update.h"

#include <stdlib.h>

/* Entries of one level on their way into blocks. */
struct item {
    size_t key_at;
    uint32_t ref, nodes;
    uint16_t key_len;
    uint8_t any;
};

struct list {
    struct item *at;
    size_t count, cap;
    uint8_t *keys;
    size_t used, keys_cap;
};

struct update {
    const struct zone_image_map *map;
    struct zone_image_writer *w;
    const struct zone_tree_change *change;
    struct zone_tree_level *block; /* where a block is put together */
    uint64_t dead;
};

/* The key is given in two parts, as blocks have it. */
static void list_add(struct list *l, const uint8_t *prefix, size_t prefix_len,
                     const uint8_t *suffix, size_t suffix_len, uint32_t ref, uint32_t nodes,
                     uint8_t any)
{
    if (l->count == l->cap) {
        l->cap = l->cap * 2 + 64;
        l->at = base_realloc(l->at, l->cap * sizeof *l->at);
    }
    if (l->keys == NULL || l->used + prefix_len + suffix_len > l->keys_cap) {
        l->keys_cap = l->keys_cap * 2 + prefix_len + suffix_len + 1024;
        l->keys = base_realloc(l->keys, l->keys_cap);
    }
    l->at[l->count++] = (struct item){ .key_at = l->used,
                                       .key_len = (uint16_t)(prefix_len + suffix_len),
                                       .ref = ref,
                                       .nodes = nodes,
                                       .any = any };
    if (prefix_len != 0)
        memcpy(l->keys + l->used, prefix, prefix_len);
    if (suffix_len != 0)
        memcpy(l->keys + l->used + prefix_len, suffix, suffix_len);
    l->used += prefix_len + suffix_len;
}

static void list_fini(struct list *l)
{
    free(l->at);
    free(l->keys);
}

static int compare(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
    int c = memcmp(a, b, a_len < b_len ? a_len : b_len);
    return c != 0 ? c : (a_len > b_len) - (a_len < b_len);
}

/* Below 0, 0, above 0: the change's key against an entry's. */
static int compare_entry(const struct zone_tree_change *c, const struct zone_image_entry *e)
{
    size_t n = c->key_len < e->prefix_len ? c->key_len : e->prefix_len;
    int order = memcmp(c->key, e->prefix, n);
    if (order != 0 || n < e->prefix_len)
        return order != 0 ? order : -1;
    return compare(c->key + n, c->key_len - n, e->suffix, e->suffix_len);
}

/* Writes the entries as blocks of about equal size and adds those to the level above. The first block
 * goes under the key `sep`, as the block did that it takes the place of. */
static void write_blocks(struct update *u, unsigned level, const struct list *l, const uint8_t *sep,
                         size_t sep_len, struct list *out)
{
    size_t blocks = (l->count + IMAGE_BLOCK_MAX - 1) / IMAGE_BLOCK_MAX, done = 0;
    for (size_t i = 0; i < blocks; i++) {
        size_t end = l->count * (i + 1) / blocks;
        const struct item *first = &l->at[done];
        uint32_t nodes = 0;
        uint8_t any = 0;
        struct zone_tree_level *b = u->block;
        b->count = 0;
        size_t used = 0;
        for (size_t k = done; k < end; k++) {
            const struct item *it = &l->at[k];
            if (it->key_len != 0)
                memcpy(b->keys + used, l->keys + it->key_at, it->key_len);
            used += it->key_len;
            b->key_end[b->count] = (uint16_t)used;
            b->ref[b->count] = it->ref;
            b->nodes[b->count] = it->nodes;
            b->any[b->count++] = it->any;
            nodes += it->nodes;
            any |= it->any;
        }
        const uint8_t *key = sep;
        size_t key_len = sep_len;
        if (i != 0) { /* as short as it can be to be above the key before it */
            const struct item *before = first - 1;
            key = l->keys + first->key_at;
            key_len = 0;
            while (level == 0 && key_len < before->key_len && key_len < first->key_len &&
                   l->keys[before->key_at + key_len] == key[key_len])
                key_len++;
            key_len = level == 0 && key_len < first->key_len ? key_len + 1 : first->key_len;
        }
        uint32_t ref = zone_image_write_block(u->w, level, b);
        list_add(out, key, key_len, NULL, 0, ref, nodes, any);
        done = end;
    }
}

static void add_change(struct list *l, const struct zone_tree_change *c)
{
    if (c->ref != 0)
        list_add(l, c->key, c->key_len, NULL, 0, c->ref, 1, c->any);
}

static void merge_leaf(struct update *u, const struct zone_image_block *b, size_t lo, size_t hi,
                       struct list *l)
{
    for (unsigned i = 0; b != NULL && i < b->count; i++) {
        struct zone_image_entry e;
        if (!zone_image_block_entry(b, i, &e))
            continue;
        int order = 1;
        while (lo < hi && (order = compare_entry(&u->change[lo], &e)) < 0)
            add_change(l, &u->change[lo++]);
        if (lo < hi && order == 0)
            add_change(l, &u->change[lo++]);
        else
            list_add(l, e.prefix, e.prefix_len, e.suffix, e.suffix_len, e.ref, 1, e.any);
    }
    while (lo < hi)
        add_change(l, &u->change[lo++]);
}

/* The block with the changes [lo, hi) becomes any number of blocks, which are added to `out`. */
static void update_block(struct update *u, const struct zone_image_block *b, size_t lo, size_t hi,
                         const uint8_t *sep, size_t sep_len, struct list *out)
{
    struct list l = { 0 };
    unsigned level = b != NULL ? b->level : 0;
    if (b != NULL)
        u->dead += b->size;
    if (level == 0)
        merge_leaf(u, b, lo, hi, &l);
    for (unsigned i = 0; level != 0 && i < b->count; i++) {
        struct zone_image_entry e, next;
        size_t end = lo;
        if (!zone_image_block_entry(b, i, &e))
            continue;
        bool last = i + 1u == b->count || !zone_image_block_entry(b, i + 1, &next);
        while (end < hi && (last || compare_entry(&u->change[end], &next) < 0))
            end++;
        uint8_t key[DNS_KEY_MAX];
        size_t key_len = i != 0 ? (size_t)e.prefix_len + e.suffix_len : sep_len;
        if (key_len > sizeof key)
            continue; /* a broken image */
        if (i != 0) {
            memcpy(key, e.prefix, e.prefix_len);
            memcpy(key + e.prefix_len, e.suffix, e.suffix_len);
        } else if (sep_len != 0) {
            memcpy(key, sep, sep_len);
        }
        const struct zone_image_block *child = zone_image_block_at(u->map, e.ref, level - 1);
        if (end == lo || child == NULL)
            list_add(&l, key, key_len, NULL, 0, e.ref, zone_image_block_nodes(b, i), e.any);
        else
            update_block(u, child, lo, end, key, key_len, &l);
        lo = end;
    }
    write_blocks(u, level, &l, sep, sep_len, out);
    list_fini(&l);
}

uint32_t zone_tree_update(const struct zone_image_map *m, struct zone_image_writer *w,
                          uint32_t root, const struct zone_tree_change *changes, size_t count,
                          uint32_t *nodes, uint8_t *any, uint64_t *dead)
{
    struct update u = { .map = m, .w = w, .change = changes };
    const struct zone_image_block *b = root != 0 ? zone_image_root_at(m, root) : NULL;
    unsigned level = b != NULL ? b->level : 0;
    struct list l = { 0 };
    u.block = base_alloc(sizeof *u.block);
    update_block(&u, b, 0, count, NULL, 0, &l);
    while (l.count > 1) {
        struct list above = { 0 };
        write_blocks(&u, ++level, &l, NULL, 0, &above);
        list_fini(&l);
        l = above;
    }
    *nodes = l.count != 0 ? l.at[0].nodes : 0;
    *any = l.count != 0 ? l.at[0].any : 0;
    uint32_t now = l.count != 0 ? l.at[0].ref : 0;
    list_fini(&l);
    free(u.block);
    *dead += u.dead;
    return now;
}
