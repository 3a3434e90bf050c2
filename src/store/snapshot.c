/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Snapshots: the image of a version, then the times of its zones, then a foot that says which journal goes
 * on from it. Written under another name and renamed when it is durable. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/crc.h"
#include "base/log.h"
#include "store/state.h"
#include "zone/apply.h"

#define TABLE_ROW_MAX (DNS_NAME_MAX + 25)
#define TABLE_PART (64u * 1024)
#define READ_PART (1024u * 1024)

struct store_snapshot {
    const struct store_io *io; /* of the store, which stays until store_snapshot_end() */
    int fd;
    struct store_foot foot;
    uint64_t bytes; /* of the file, once it is written */
    uint8_t *table;
};

static void snapshot_free(struct store_snapshot *n)
{
    n->io->close(n->io->arg, n->fd);
    free(n->table);
    free(n);
}

struct store_snapshot *store_snapshot_begin(struct store *s, struct err *e)
{
    char name[STORE_NAME_MAX];
    size_t table_len;
    base_assert(!s->snapshot_going);
    base_assert(!s->pen.open);
    base_assert(s->pen.pendings == 0);
    store_journal_leave(s);
    if (!store_journal_new(s, e))
        return NULL;
    s->cur->pinned = true;
    const struct store_head *h = &s->cur->head;
    store_snapshot_name(h->number, false, name);
    int fd = s->io.open(s->io.arg, name, O_RDWR | O_CREAT | O_TRUNC);
    if (fd < 0) {
        err_set_errno(e, NULL, "cannot create %s in the store", name);
        return NULL;
    }
    struct store_snapshot *n = base_calloc(1, sizeof *n);
    n->io = &s->io;
    n->fd = fd;
    n->foot.number = h->number;
    n->foot.journal_id = h->id;
    n->table = store_index_table(s->index, &table_len, &n->foot.count);
    n->foot.table_len = table_len;
    n->foot.table_crc = crc_32c(0, n->table, table_len);
    s->snapshot_going = true;
    return n;
}

bool store_snapshot_write(struct store_snapshot *n, const struct zone_set *set, struct err *e)
{
    uint8_t foot[STORE_FOOT_LEN];
    struct store_foot *f = &n->foot;
    const struct store_io *io = n->io;
    if (!zone_set_write(set, n->fd, e))
        return false;
    bool good = io->size(io->arg, n->fd, &f->image_len) == 0;
    store_foot_write(f, foot);
    good = good && store_io_write(io, n->fd, n->table, f->table_len, f->image_len) &&
           store_io_write(io, n->fd, foot, sizeof foot, f->image_len + f->table_len) &&
           io->sync(io->arg, n->fd) == 0;
    n->bytes = f->image_len + f->table_len + sizeof foot;
    if (!good)
        return err_set_errno(e, errno == ENOSPC ? "make room on the disk of state_dir" : NULL,
                             "cannot write a snapshot of the zones");
    return zone_image_verify(n->fd, e);
}

bool store_snapshot_end(struct store *s, struct store_snapshot *n, bool written, struct err *e)
{
    char from[STORE_NAME_MAX], to[STORE_NAME_MAX];
    unsigned files;
    store_snapshot_name(n->foot.number, false, from);
    store_snapshot_name(n->foot.number, true, to);
    bool good = written;
    if (written && (s->io.rename(s->io.arg, from, to) != 0 || s->io.sync_folder(s->io.arg) != 0))
        good = err_set_errno(e, NULL, "cannot give a snapshot its name, %s", to);
    s->snapshot_going = false;
    if (good) {
        s->snapshot[1] = s->snapshot[0];
        s->snapshot[0].number = n->foot.number;
        s->snapshot[0].bytes = n->bytes;
        s->snapshot_journal_id = n->foot.journal_id;
        s->not_due = 0;
        s->suspect = false;
        store_clean(s);
    } else {
        s->io.remove(s->io.arg, from);
        s->not_due = store_journal_behind(s, &files) + STORE_DUE_MIN / 4;
    }
    snapshot_free(n);
    return good;
}

static bool damaged(struct err *e, const char *name, const char *why)
{
    return err_set(e, ERR_INPUT, NULL, "%s is damaged: %s", name, why);
}

/* The table of times, in parts, against its checksum. */
static bool table_good(const struct store_io *io, int fd, const struct store_foot *f)
{
    uint8_t *part = base_alloc(TABLE_PART);
    uint64_t at = 0;
    uint32_t crc = 0;
    bool good = true;
    while (good && at < f->table_len) {
        uint64_t left = f->table_len - at;
        size_t len = left < TABLE_PART ? (size_t)left : TABLE_PART;
        good = store_io_read(io, fd, part, len, f->image_len + at);
        crc = good ? crc_32c(crc, part, len) : crc;
        at += len;
    }
    free(part);
    return good && crc == f->table_crc;
}

/* Reads all of the file, so that a disk that refuses is an error here and not a SIGBUS in a mapping. */
static bool readable(const struct store_io *io, int fd, uint64_t bytes)
{
    uint8_t *part = base_alloc(READ_PART);
    bool good = true;
    for (uint64_t at = 0; good && at < bytes; at += READ_PART) {
        uint64_t left = bytes - at;
        good = store_io_read(io, fd, part, left < READ_PART ? (size_t)left : READ_PART, at);
    }
    free(part);
    return good;
}

static bool check(const struct store_io *io, int fd, const char *name, uint32_t number,
                  struct store_foot *f, uint64_t *bytes, struct err *e)
{
    uint8_t foot[STORE_FOOT_LEN];
    uint64_t image_bytes, dead;
    if (io->size(io->arg, fd, bytes) != 0)
        return err_set_errno(e, NULL, "cannot look at %s", name);
    if (*bytes < sizeof foot)
        return damaged(e, name, "it is too short");
    errno = 0;
    if (!readable(io, fd, *bytes) ||
        !store_io_read(io, fd, foot, sizeof foot, *bytes - sizeof foot))
        return err_set_errno(e, NULL, "cannot read %s", name);
    if (!store_foot_parse(f, foot) || f->number != number)
        return damaged(e, name, "its end is not what was written");
    uint64_t rest = *bytes - sizeof foot;
    if (f->image_len > rest || rest - f->image_len != f->table_len)
        return damaged(e, name, "its parts have another length than the file");
    if (!zone_image_verify(fd, e) || !zone_image_usage(fd, &image_bytes, &dead, e))
        return false;
    if (image_bytes > f->image_len)
        return damaged(e, name, "its image is longer than it was");
    return table_good(io, fd, f) || damaged(e, name, "the times are not what was written");
}

int store_snapshot_check(const struct store_io *io, uint32_t number, struct store_foot *foot,
                         uint64_t *bytes, struct err *e)
{
    char name[STORE_NAME_MAX];
    store_snapshot_name(number, true, name);
    int fd = io->open(io->arg, name, O_RDONLY);
    if (fd < 0) {
        err_set_errno(e, NULL, "cannot open %s", name);
        return -1;
    }
    if (check(io, fd, name, number, foot, bytes, e))
        return fd;
    io->close(io->arg, fd);
    return -1;
}

bool store_snapshot_times(const struct store_io *io, int fd, const struct store_foot *foot,
                          struct store_index *x)
{
    uint8_t *part = base_alloc(TABLE_PART);
    uint64_t at = 0;
    bool good = true;
    for (uint32_t rows = 0; good && rows < foot->count;) {
        uint64_t left = foot->table_len - at;
        size_t len = left < TABLE_PART ? (size_t)left : TABLE_PART;
        good = store_io_read(io, fd, part, len, foot->image_len + at);
        struct rd r = rd_init(part, good ? len : 0);
        /* As long as there is a whole row for certain. */
        while (good && rows < foot->count && (rd_left(&r) >= TABLE_ROW_MAX || len == left)) {
            struct dns_name origin;
            struct store_times t;
            good = dns_name_parse(&origin, &r);
            store_times_parse(&t, &r);
            good = good && !r.bad;
            if (good)
                store_index_times_set(x, &origin, &t);
            rows++;
        }
        at += (uint64_t)(r.pos - part);
    }
    free(part);
    return good;
}
