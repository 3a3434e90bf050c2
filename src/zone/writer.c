/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/assert.h"
#include "zone/writer.h"

#define WRITER_BUFFER (1u << 17)

static void fail_errno(struct zone_image_writer *w, const char *what)
{
    if (!w->failed)
        err_set_errno(w->e, NULL, "cannot %s the zone image", what);
    w->failed = true;
}

static bool write_all(struct zone_image_writer *w, const void *bytes, size_t len, uint64_t at)
{
    const uint8_t *p = bytes;
    while (len != 0 && !w->failed) {
        ssize_t n = pwrite(w->fd, p, len, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            fail_errno(w, "write");
            break;
        }
        p += n;
        at += (uint64_t)n;
        len -= (size_t)n;
    }
    return !w->failed;
}

static void begin(struct zone_image_writer *w, int fd, struct err *e)
{
    *w =
        (struct zone_image_writer){ .fd = fd, .cap = WRITER_BUFFER, .flushed = IMAGE_PAGE, .e = e };
    w->buf = base_alloc(w->cap);
}

bool zone_image_writer_init(struct zone_image_writer *w, int fd, struct err *e)
{
    begin(w, fd, e);
    uint8_t page[IMAGE_PAGE] = { 0 };
    struct zone_image_head head = { .layout = IMAGE_LAYOUT, .endian = IMAGE_ENDIAN };
    memcpy(head.magic, IMAGE_MAGIC, sizeof head.magic);
    memcpy(page, &head, sizeof head);
    w->last_at = IMAGE_SLOT_B;
    if (ftruncate(fd, 0) != 0)
        fail_errno(w, "empty");
    return write_all(w, page, sizeof page, 0);
}

bool zone_image_writer_open(struct zone_image_writer *w, int fd, struct err *e)
{
    begin(w, fd, e);
    uint8_t page[IMAGE_PAGE];
    struct zone_image_head head;
    off_t end = lseek(fd, 0, SEEK_END);
    if (end < 0 || pread(fd, page, sizeof page, 0) != (ssize_t)sizeof page) {
        fail_errno(w, "read");
        zone_image_writer_fini(w);
        return false;
    }
    memcpy(&head, page, sizeof head);
    w->failed = memcmp(head.magic, IMAGE_MAGIC, sizeof head.magic) != 0 ||
                head.layout != IMAGE_LAYOUT || head.endian != IMAGE_ENDIAN ||
                !zone_image_slot_newest(page, (uint64_t)end, &w->last, &w->last_at);
    if (w->failed)
        zone_image_writer_fini(w);
    if (w->failed)
        return err_set(e, ERR_INPUT, "load the zones again",
                       "this is no zone image that can change");
    w->flushed = w->last.end;
    w->crc = w->last.data_crc;
    return true;
}

void zone_image_writer_fini(struct zone_image_writer *w)
{
    free(w->buf);
    w->buf = NULL;
}

static void flush(struct zone_image_writer *w)
{
    w->crc = zone_image_crc(w->crc, w->buf, w->used);
    write_all(w, w->buf, w->used, w->flushed);
    w->flushed += w->used;
    w->used = 0;
}

void *zone_image_writer_room(struct zone_image_writer *w, size_t size, uint32_t *ref)
{
    size_t room = (size + 7) & ~(size_t)7;
    *ref = 0;
    if (w->used + room > w->cap)
        flush(w);
    if (!w->failed && zone_image_writer_at(w) + room > IMAGE_END_MAX) {
        err_set(w->e, ERR_LIMIT, "spread the zones over several nodes",
                "the zones need more than %llu GiB", (unsigned long long)(IMAGE_END_MAX >> 30));
        w->failed = true;
    }
    if (w->failed)
        return NULL;
    if (room > w->cap) {
        w->cap = room;
        w->buf = base_realloc(w->buf, w->cap);
    }
    uint8_t *p = w->buf + w->used;
    *ref = (uint32_t)(zone_image_writer_at(w) / 8);
    memset(p + room - 8 * (room != 0), 0, 8 * (room != 0)); /* no stale bytes behind the object */
    w->used += room;
    return p;
}

static bool sync_file(struct zone_image_writer *w)
{
    /* A memfd has no disk behind it and says so or does nothing. */
    if (fdatasync(w->fd) != 0 && errno != EINVAL && errno != EROFS)
        fail_errno(w, "sync");
    return !w->failed;
}

bool zone_image_writer_commit(struct zone_image_writer *w, uint32_t zones, uint32_t zone_count,
                              uint64_t dead)
{
    flush(w);
    if (w->failed || !sync_file(w))
        return false;
    struct zone_image_slot slot = { .version = w->last.version + 1,
                                    .end = w->flushed,
                                    .dead = dead,
                                    .zones = zones,
                                    .zone_count = zone_count,
                                    .data_crc = w->crc };
    slot.crc = zone_image_crc(0, &slot, offsetof(struct zone_image_slot, crc));
    unsigned at = w->last_at == IMAGE_SLOT_A ? IMAGE_SLOT_B : IMAGE_SLOT_A;
    if (!write_all(w, &slot, sizeof slot, at) || !sync_file(w))
        return false;
    w->last = slot;
    w->last_at = at;
    return true;
}

void zone_tree_init(struct zone_tree_builder *t, struct zone_image_writer *w)
{
    *t = (struct zone_tree_builder){ .w = w };
}

void zone_tree_fini(struct zone_tree_builder *t)
{
    for (unsigned i = 0; i < IMAGE_DEPTH_MAX; i++)
        free(t->level[i]);
}

static size_t shared(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
    size_t i = 0;
    while (i < a_len && i < b_len && a[i] == b[i])
        i++;
    return i;
}

static uint32_t hint_of(const uint8_t *bytes, size_t len)
{
    uint8_t four[4] = { 0 };
    memcpy(four, bytes, len < 4 ? len : 4);
    return (uint32_t)four[0] << 24 | (uint32_t)four[1] << 16 | (uint32_t)four[2] << 8 | four[3];
}

uint32_t zone_image_write_block(struct zone_image_writer *w, unsigned level,
                                const struct zone_tree_level *l)
{
    unsigned n = l->count, first = level != 0 ? 1 : 0; /* inner blocks: entry 0 has no key */
    base_assert(n > 0 && n <= IMAGE_BLOCK_MAX);
    unsigned begin_of_first = first != 0 ? l->key_end[0] : 0;
    size_t prefix = 0;
    if (n > first) { /* keys are in order: what the first and the last share, all share */
        unsigned last_at = n > 1 ? l->key_end[n - 2] : 0;
        prefix = shared(l->keys + begin_of_first, (size_t)l->key_end[first] - begin_of_first,
                        l->keys + last_at, (size_t)l->key_end[n - 1] - last_at);
    }
    size_t keys = l->key_end[n - 1] - begin_of_first - prefix * (n - first);
    size_t size = sizeof(struct zone_image_block) + n * (level != 0 ? 15u : 11u) + prefix + keys;
    uint32_t ref;
    struct zone_image_block *b = zone_image_writer_room(w, size, &ref);
    if (b == NULL)
        return 0;
    *b = (struct zone_image_block){ .magic = IMAGE_BLOCK_MAGIC,
                                    .level = (uint8_t)level,
                                    .count = (uint8_t)n,
                                    .prefix_len = (uint16_t)prefix,
                                    .keys_len = (uint16_t)keys,
                                    .size = (uint32_t)((size + 7) & ~(size_t)7) };
    uint32_t *hint = (uint32_t *)(b + 1), *refs = hint + n, *nodes = refs + n;
    uint16_t *key_end = (uint16_t *)(level != 0 ? nodes + n : nodes);
    uint8_t *any = (uint8_t *)(key_end + n), *to = any + n;
    memcpy(to, l->keys + begin_of_first, prefix);
    uint8_t *suffixes = to + prefix;
    to = suffixes;
    for (unsigned i = 0; i < n; i++) {
        size_t begin_at = (i != 0 ? l->key_end[i - 1] : 0) + prefix;
        size_t len = i >= first ? l->key_end[i] - begin_at : 0;
        memcpy(to, l->keys + begin_at * (len != 0), len);
        hint[i] = hint_of(to, len);
        to += len;
        key_end[i] = (uint16_t)(to - suffixes);
        refs[i] = l->ref[i];
        any[i] = l->any[i];
        if (level != 0)
            nodes[i] = l->nodes[i];
    }
    return ref;
}

static void add_at(struct zone_tree_builder *t, unsigned level, const uint8_t *key, size_t key_len,
                   uint32_t ref, uint32_t nodes, uint8_t any);

/* Writes what has gathered at a level as one block and adds it to the level above. */
static void close_block(struct zone_tree_builder *t, unsigned level)
{
    struct zone_tree_level *l = t->level[level];
    uint32_t ref = zone_image_write_block(t->w, level, l), nodes = 0;
    uint8_t any = 0;
    for (unsigned i = 0; i < l->count; i++) {
        nodes += l->nodes[i];
        any |= l->any[i];
    }
    size_t key_len = l->key_end[0];
    if (level == 0) {
        /* As short as it can be to tell this block's first key from the last of the one before. */
        if (t->any_block) {
            size_t same = shared(t->last_key, t->last_len, l->keys, key_len);
            key_len = same < key_len ? same + 1 : key_len;
        }
        size_t last_at = l->count > 1 ? l->key_end[l->count - 2] : 0;
        t->last_len = l->key_end[l->count - 1] - last_at;
        memcpy(t->last_key, l->keys + last_at, t->last_len);
        t->any_block = true;
    }
    add_at(t, level + 1, l->keys, key_len, ref, nodes, any);
    l->count = 0;
}

static void add_at(struct zone_tree_builder *t, unsigned level, const uint8_t *key, size_t key_len,
                   uint32_t ref, uint32_t nodes, uint8_t any)
{
    base_assert(level < IMAGE_DEPTH_MAX); /* 32 entries a block: 2^60 names */
    if (t->level[level] == NULL)
        t->level[level] = base_calloc(1, sizeof *t->level[level]);
    if (level >= t->levels)
        t->levels = level + 1;
    struct zone_tree_level *l = t->level[level];
    if (l->count == IMAGE_BLOCK_MAX)
        close_block(t, level);
    unsigned at = l->count != 0 ? l->key_end[l->count - 1] : 0;
    memcpy(l->keys + at, key, key_len);
    l->key_end[l->count] = (uint16_t)(at + key_len);
    l->ref[l->count] = ref;
    l->nodes[l->count] = nodes;
    l->any[l->count] = any;
    l->count++;
}

void zone_tree_add(struct zone_tree_builder *t, const uint8_t *key, size_t key_len, uint32_t ref,
                   uint8_t any)
{
    add_at(t, 0, key, key_len, ref, 1, any);
}

uint32_t zone_tree_end(struct zone_tree_builder *t, uint32_t *nodes, uint8_t *any)
{
    uint32_t root = 0;
    *nodes = 0;
    *any = 0;
    for (unsigned level = 0; level < t->levels; level++) {
        struct zone_tree_level *l = t->level[level];
        if (level + 1 < t->levels) {
            if (l->count != 0)
                close_block(t, level);
            continue;
        }
        for (unsigned i = 0; i < l->count; i++) {
            *nodes += l->nodes[i];
            *any |= l->any[i];
        }
        /* The top level: one inner entry alone needs no block. */
        root = level != 0 && l->count == 1 ? l->ref[0] : zone_image_write_block(t->w, level, l);
    }
    for (unsigned level = 0; level < t->levels; level++)
        t->level[level]->count = 0;
    t->levels = 0;
    t->any_block = false;
    return root;
}
