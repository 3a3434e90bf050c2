/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a descriptor to a mapping, and to versions of what is in it. What is found there: set.c, find.c,
 * tree.c. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "zone/image.h"

/* Address space for a file that grows; none of it is memory before it is in the file and touched. */
#define MAP_ROOM_MIN ((uint64_t)1 << 30)
#define MAP_TRIES 8 /* looks at the slots while a writer writes them */

static bool slot_is_sound(const struct zone_image_slot *s, uint64_t file_len)
{
    return s->version != 0 && s->end >= IMAGE_PAGE && s->end <= file_len &&
           s->end <= IMAGE_END_MAX && s->end % 8 == 0;
}

bool zone_image_slot_newest(const uint8_t head[IMAGE_PAGE], uint64_t file_len,
                            struct zone_image_slot *out, unsigned *which)
{
    static const unsigned at[2] = { IMAGE_SLOT_A, IMAGE_SLOT_B };
    bool found = false;
    for (unsigned i = 0; i < 2; i++) {
        struct zone_image_slot s;
        memcpy(&s, head + at[i], sizeof s);
        if (s.crc != zone_image_crc(0, &s, offsetof(struct zone_image_slot, crc)) ||
            !slot_is_sound(&s, file_len))
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

/* Bytes to map: all of a file that stays as it is; a multiple of one that can grow and not shrink. What
 * lies behind the end of the file is never touched: readers stay below the end of a version. */
static uint64_t room_for(int fd, uint64_t len, uint64_t least)
{
    int seals = fcntl(fd, F_GET_SEALS);
    if (least == 0 &&
        (seals < 0 || (seals & F_SEAL_SHRINK) == 0 || (seals & (F_SEAL_GROW | F_SEAL_WRITE)) != 0))
        return len;
    uint64_t room = least > len ? least : len;
    room = room * 4 > MAP_ROOM_MIN ? room * 4 : MAP_ROOM_MIN;
    return room < IMAGE_END_MAX ? room : IMAGE_END_MAX;
}

static struct zone_image_map *map_bytes(int fd, const struct stat *st, uint64_t room, struct err *e)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), len = (uint64_t)st->st_size;
    room = (room + page - 1) / page * page;
    /* Ours in front of the image; behind it one that nobody can read. */
    uint64_t all = page + room + page;
    uint8_t *p = mmap(NULL, all, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) {
        err_set_errno(e, NULL, "cannot map the zone image");
        return NULL;
    }
    if (mprotect(p, page, PROT_READ | PROT_WRITE) != 0 ||
        mmap(p + page, room, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED) {
        err_set_errno(e, NULL, "cannot map the zone image");
        munmap(p, all);
        return NULL;
    }
    if (room > len + page)
        (void)madvise(p + page, room, MADV_DONTDUMP); /* a core file would be as long */
    struct zone_image_map *m = (struct zone_image_map *)(void *)(p + page - IMAGE_PAGE);
    m->base = p + page;
    m->room = room;
    m->mapped = all;
    m->dev = st->st_dev;
    m->ino = st->st_ino;
    atomic_init(&m->len, len < room ? len : room);
    atomic_init(&m->users, 1);
    return m;
}

struct zone_image_map *zone_image_map_file(int fd, uint64_t least, struct err *e)
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
    struct zone_image_map *m = map_bytes(fd, &st, room_for(fd, (uint64_t)st.st_size, least), e);
    if (m != NULL && !head_is_good((const struct zone_image_head *)(const void *)m->base, e)) {
        zone_image_map_release(m);
        return NULL;
    }
    return m;
}

void zone_image_map_release(struct zone_image_map *m)
{
    if (atomic_fetch_sub_explicit(&m->users, 1, memory_order_acq_rel) != 1)
        return;
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    const uint8_t *p = m->base - page;
    munmap((void *)(uintptr_t)p, m->mapped);
}

void zone_image_map_reach(struct zone_image_map *m, uint64_t len)
{
    uint64_t have = atomic_load_explicit(&m->len, memory_order_relaxed);
    while (have < len && !atomic_compare_exchange_weak_explicit(
                             &m->len, &have, len, memory_order_release, memory_order_relaxed))
        ;
}

struct zone_set *zone_image_set_new(struct zone_image_map *m, const struct zone_image_slot *slot)
{
    static _Atomic uint64_t ids; /* of this process; nothing but being different depends on it */
    struct zone_set *s = base_alloc(sizeof *s);
    s->map = m;
    s->slot = *slot;
    s->id = atomic_fetch_add_explicit(&ids, 1, memory_order_relaxed) + 1;
    return s;
}

/* The set of a version that is sound, or NULL; in either case the use of the mapping has moved. */
static struct zone_set *finish(struct zone_image_map *m, const struct zone_image_slot *slot,
                               struct err *e)
{
    zone_image_map_reach(m, slot->end);
    if (slot->zone_count != 0 && zone_image_root_at(m, slot->zones) == NULL) {
        err_set(e, ERR_INPUT, NULL, "the zone image is damaged");
        zone_image_map_release(m);
        return NULL;
    }
    return zone_image_set_new(m, slot);
}

struct zone_set *zone_set_map(int fd, struct err *e)
{
    struct zone_image_map *m = zone_image_map_file(fd, 0, e);
    struct zone_image_slot slot;
    struct stat st;
    unsigned which, tries = 0;
    if (m == NULL)
        return NULL;
    /* A writer may publish meanwhile, in the slot that is looked at. */
    while (fstat(fd, &st) != 0 || (uint64_t)st.st_size > m->room ||
           !zone_image_slot_newest(m->base, (uint64_t)st.st_size, &slot, &which))
        if (++tries == MAP_TRIES) {
            err_set(e, ERR_INPUT, NULL, "the zone image was never finished, or is damaged");
            zone_image_map_release(m);
            return NULL;
        }
    atomic_store_explicit(&m->len, slot.end, memory_order_relaxed);
    return finish(m, &slot, e);
}

struct zone_set *zone_set_map_version(int fd, const struct zone_version *v,
                                      const struct zone_set *before, struct err *e)
{
    struct zone_image_slot slot = { .version = v->version,
                                    .end = v->end,
                                    .dead = v->dead,
                                    .zones = v->zones,
                                    .zone_count = v->zone_count };
    struct stat st;
    if (v->version == 0)
        return zone_set_map(fd, e);
    if (fstat(fd, &st) != 0) {
        err_set_errno(e, NULL, "cannot look at the zone image");
        return NULL;
    }
    if (!slot_is_sound(&slot, (uint64_t)st.st_size)) {
        err_set(e, ERR_INPUT, NULL, "version %llu cannot be in this zone image",
                (unsigned long long)v->version);
        return NULL;
    }
    int seals = fcntl(fd, F_GET_SEALS);
    if (seals < 0 || (seals & F_SEAL_SHRINK) == 0) { /* what shrinks under a mapping is a fault */
        err_set(e, ERR_INPUT, NULL, "the zone image is not sealed against shrinking");
        return NULL;
    }
    struct zone_image_map *m = before != NULL ? before->map : NULL;
    if (m != NULL && m->dev == st.st_dev && m->ino == st.st_ino && slot.end <= m->room)
        atomic_fetch_add_explicit(&m->users, 1, memory_order_relaxed);
    else
        m = zone_image_map_file(fd, 0, e);
    return m != NULL ? finish(m, &slot, e) : NULL;
}

void zone_set_free(struct zone_set *s)
{
    if (s == NULL)
        return;
    zone_image_map_release(s->map);
    free(s);
}

void zone_set_cleanup(struct zone_set **s)
{
    zone_set_free(*s);
}
