/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a descriptor to a mapping. What is found in it: set.c, find.c, tree.c. */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "zone/image.h"

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
    /* Ours in front of the image; behind it one that nobody can read. */
    uint64_t room = page + (len + page - 1) / page * page + page;
    uint8_t *p = mmap(NULL, room, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) {
        err_set_errno(e, NULL, "cannot map the zone image");
        return NULL;
    }
    if (mprotect(p, page, PROT_READ | PROT_WRITE) != 0 ||
        mmap(p + page, len, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED) {
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
    static _Atomic uint64_t ids; /* of this process; nothing but being different depends on it */
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
    s->id = atomic_fetch_add_explicit(&ids, 1, memory_order_relaxed) + 1;
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
