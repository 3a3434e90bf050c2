/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The zones of an image, and from references to checked objects. Pure: a mapping is bytes. */
#include "zone/image.h"

uint32_t zone_set_count(const struct zone_set *s)
{
    return s->slot.zone_count;
}

uint64_t zone_set_id(const struct zone_set *s)
{
    return s->id;
}

uint64_t zone_set_version(const struct zone_set *s)
{
    return s->slot.version;
}

const struct zone *zone_set_at(const struct zone_set *s, uint32_t idx)
{
    const struct zone_image_block *b = zone_image_root_at(s->map, s->slot.zones);
    for (;;) {
        unsigned i = 0;
        while (b != NULL && i < b->count && idx >= zone_image_block_nodes(b, i))
            idx -= zone_image_block_nodes(b, i++);
        struct zone_image_entry e;
        if (b == NULL || i == b->count || !zone_image_block_entry(b, i, &e))
            return NULL;
        if (b->level == 0)
            return zone_image_zone_at(s->map, e.ref);
        b = zone_image_block_at(s->map, e.ref, b->level - 1u);
    }
}

/* The place just behind the last label that ends within the first `len` bytes of a key. */
static size_t label_end(const uint8_t *key, size_t len)
{
    while (len > 0 && key[len - 1] != 0)
        len--;
    return len;
}

const struct zone *zone_set_find(const struct zone_set *s, const struct dns_name *name)
{
    uint8_t key[DNS_KEY_MAX];
    size_t len = dns_name_key(name, key), common;
    struct zone_image_pos pos;
    struct zone_image_entry e;
    /* An origin above the name has a key that is a prefix of the name's. The last entry at or before
     * the name lies at or below it in the tree of names, so the search goes on with what the two
     * share, which gets shorter each time. */
    while (zone_image_seek(s->map, s->slot.zones, key, len, &pos, &common) &&
           zone_image_entry(&pos, &e)) {
        size_t e_len = (size_t)e.prefix_len + e.suffix_len;
        if (common == e_len && (common == 0 || key[common - 1] == 0))
            return zone_image_zone_at(s->map, e.ref);
        size_t shorter = label_end(key, common);
        if (shorter == len) /* cannot be, unless the tree is out of order */
            return NULL;
        len = shorter;
    }
    return NULL;
}

const struct zone *zone_image_zone_at(const struct zone_image_map *m, uint32_t ref)
{
    uint64_t at = (uint64_t)ref * 8;
    const struct zone *z = zone_image_at(m, at, sizeof *z);
    if (ref == 0 || z == NULL || z->magic != IMAGE_ZONE_MAGIC || z->self != ref)
        return NULL;
    if (zone_image_at(m, at, zone_image_zone_size(z)) == NULL || z->state > ZONE_EXPIRED)
        return NULL;
    if (z->state == ZONE_EMPTY)
        return z->apex == 0 && z->names == 0 && z->nsec3 == 0 ? z : NULL;
    return zone_image_node_at(m, z->apex) != NULL ? z : NULL;
}

const struct zone_node *zone_image_node_at(const struct zone_image_map *m, uint32_t ref)
{
    const struct zone_node *n = zone_image_at(m, (uint64_t)ref * 8, sizeof *n);
    if (ref == 0 || n == NULL || n->size < sizeof *n + n->name_len)
        return NULL;
    return zone_image_at(m, (uint64_t)ref * 8, n->size) != NULL ? n : NULL;
}
