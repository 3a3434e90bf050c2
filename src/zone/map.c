/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a descriptor to a mapping, and from references to checked objects. */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "zone/image.h"

struct zone_set {
    struct zone_image_map *map;
    struct zone_image_slot slot;
};

bool zone_image_slot_newest(const uint8_t head[IMAGE_PAGE], uint64_t file_len,
                            struct zone_image_slot *out, unsigned *which)
{
    static const unsigned at[2] = { IMAGE_SLOT_A, IMAGE_SLOT_B };
    bool found = false;
    for (unsigned i = 0; i < 2; i++) {
        struct zone_image_slot s;
        memcpy(&s, head + at[i], sizeof s);
        if (s.version == 0 || s.crc != zone_image_crc(0, &s, offsetof(struct zone_image_slot, crc)))
            continue;
        if (s.end < IMAGE_PAGE || s.end > file_len || s.end > IMAGE_END_MAX || s.end % 8 != 0)
            continue;
        if (!found || s.version > out->version) {
            *out = s;
            *which = at[i];
        }
        found = true;
    }
    return found;
}

static bool head_is_good(const struct zone_image_head *h, struct err *e)
{
    static const char again[] = "load the zones again with this version of perigee";
    if (memcmp(h->magic, IMAGE_MAGIC, sizeof h->magic) != 0)
        return err_set(e, ERR_INPUT, NULL, "this is not a zone image");
    if (h->endian != IMAGE_ENDIAN)
        return err_set(e, ERR_INPUT, again, "the zone image is from a machine of other byte order");
    if (h->layout != IMAGE_LAYOUT)
        return err_set(e, ERR_INPUT, again, "the zone image has layout %u, not %u", h->layout,
                       (unsigned)IMAGE_LAYOUT);
    return true;
}

static struct zone_image_map *map_file(int fd, uint64_t len, struct err *e)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t room = page + (len + page - 1) / page * page;
    uint8_t *p = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) {
        err_set_errno(e, NULL, "cannot map the zone image");
        return NULL;
    }
    if (mmap(p + page, len, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED) {
        err_set_errno(e, NULL, "cannot map the zone image");
        munmap(p, room);
        return NULL;
    }
    struct zone_image_map *m = (struct zone_image_map *)(void *)(p + page - IMAGE_PAGE);
    m->base = p + page;
    m->len = len;
    m->mapped = room;
    return m;
}

static void unmap(struct zone_image_map *m)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    const uint8_t *p = m->base - page;
    munmap((void *)(uintptr_t)p, m->mapped);
}

struct zone_set *zone_set_map(int fd, struct err *e)
{
    struct stat st;
    if (fstat(fd, &st) != 0) {
        err_set_errno(e, NULL, "cannot look at the zone image");
        return NULL;
    }
    if (st.st_size < (off_t)IMAGE_PAGE) {
        err_set(e, ERR_INPUT, NULL, "this is not a zone image: it has %lld bytes",
                (long long)st.st_size);
        return NULL;
    }
    struct zone_image_map *m = map_file(fd, (uint64_t)st.st_size, e);
    if (m == NULL)
        return NULL;
    struct zone_image_slot slot;
    unsigned which;
    if (!head_is_good((const struct zone_image_head *)(const void *)m->base, e)) {
        unmap(m);
        return NULL;
    }
    if (!zone_image_slot_newest(m->base, m->len, &slot, &which)) {
        err_set(e, ERR_INPUT, NULL, "the zone image was never finished, or is damaged");
        unmap(m);
        return NULL;
    }
    m->len = slot.end;
    struct zone_set *s = base_alloc(sizeof *s);
    s->map = m;
    s->slot = slot;
    if (slot.zone_count != 0 && zone_image_root_at(m, slot.zones) == NULL) {
        err_set(e, ERR_INPUT, NULL, "the zone image is damaged");
        zone_set_free(s);
        return NULL;
    }
    return s;
}

void zone_set_free(struct zone_set *s)
{
    if (s == NULL)
        return;
    unmap(s->map);
    free(s);
}

void zone_set_cleanup(struct zone_set **s)
{
    zone_set_free(*s);
}

uint32_t zone_set_count(const struct zone_set *s)
{
    return s->slot.zone_count;
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
    if (ref == 0 || z == NULL || z->magic != IMAGE_ZONE_MAGIC || z->self != at)
        return NULL;
    if (z->size < sizeof *z + z->origin_len || zone_image_at(m, at, z->size) == NULL)
        return NULL;
    struct rd r = rd_init(z->origin, z->origin_len);
    struct dns_name origin;
    if (!dns_name_parse(&origin, &r) || rd_left(&r) != 0 || z->origin_key_len > DNS_KEY_MAX ||
        zone_image_root_at(m, z->names) == NULL || zone_image_node_at(m, z->apex) == NULL)
        return NULL;
    return z;
}

const struct zone_node *zone_image_node_at(const struct zone_image_map *m, uint32_t ref)
{
    const struct zone_node *n = zone_image_at(m, (uint64_t)ref * 8, sizeof *n);
    if (ref == 0 || n == NULL || n->size < sizeof *n + n->name_len)
        return NULL;
    return zone_image_at(m, (uint64_t)ref * 8, n->size) != NULL ? n : NULL;
}
