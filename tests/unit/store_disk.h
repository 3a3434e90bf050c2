/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TESTS_UNIT_STORE_DISK_H
#define TESTS_UNIT_STORE_DISK_H

/* A folder on a disk that forgets. Files are memfds, since the store maps images; beside each stands what is
 * durable of it. A crash keeps of what was not synced what the dice say, sector by sector and name by name.
 * Calls can be made to fail, one or all from one on (the power is off: nothing has an effect any more). */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/io.h"
#include "zone_help.h"

#define DISK_FILES 512
#define DISK_SECTOR 512
#define DISK_OPEN 1024

struct disk_file {
    char name[32], durable_name[32]; /* empty: it has none */
    bool used;
    int fd;
    uint8_t *durable, *lost; /* lost: what a sync that failed took for written */
    size_t durable_len, lost_len;
};

enum disk_keep { DISK_KEEP_NONE, DISK_KEEP_ALL, DISK_KEEP_SOME, DISK_KEEPS };

struct disk {
    struct disk_file file[DISK_FILES];
    int open[DISK_OPEN]; /* descriptor -> file, + 1 */
    uint64_t seed;
    uint32_t calls;      /* that change something, so far */
    uint32_t off_at;     /* from this call on the power is off; 0: never */
    uint32_t fail_from;  /* calls from here … */
    uint32_t fail_count; /* … fail, so many of them */
    int error;
    uint64_t room; /* bytes that all files may have; 0: any number */
};

static uint32_t disk_rnd(struct disk *d, uint32_t below)
{
    d->seed ^= d->seed << 13;
    d->seed ^= d->seed >> 7;
    d->seed ^= d->seed << 17;
    return (uint32_t)(d->seed >> 33) % below;
}

static size_t disk_len(const struct disk_file *f)
{
    struct stat st;
    return fstat(f->fd, &st) == 0 ? (size_t)st.st_size : 0;
}

static uint8_t *disk_read(const struct disk_file *f, size_t *len)
{
    *len = disk_len(f);
    uint8_t *bytes = calloc(1, *len + 1);
    assert_int_equal(pread(f->fd, bytes, *len, 0), (ssize_t)*len);
    return bytes;
}

static bool disk_is_off(const struct disk *d)
{
    return d->off_at != 0 && d->calls >= d->off_at;
}

/* Whether this call fails, with errno. */
static bool disk_fails(struct disk *d)
{
    d->calls++;
    bool fails =
        disk_is_off(d) || (d->calls >= d->fail_from && d->calls < d->fail_from + d->fail_count);
    if (fails)
        errno = disk_is_off(d) || d->error == 0 ? EIO : d->error;
    return fails;
}

static struct disk_file *disk_find(struct disk *d, const char *name)
{
    for (int i = 0; i < DISK_FILES; i++)
        if (d->file[i].used && strcmp(d->file[i].name, name) == 0)
            return &d->file[i];
    return NULL;
}

static struct disk_file *disk_add(struct disk *d, const char *name)
{
    for (int i = 0; i < DISK_FILES; i++) {
        struct disk_file *f = &d->file[i];
        if (f->used)
            continue;
        *f = (struct disk_file){ .used = true, .fd = memfd_create(name, MFD_CLOEXEC) };
        assert_true(f->fd >= 0);
        snprintf(f->name, sizeof f->name, "%s", name);
        return f;
    }
    fail_msg("too many files");
    return NULL;
}

static void disk_drop(struct disk_file *f)
{
    close(f->fd);
    free(f->durable);
    free(f->lost);
    *f = (struct disk_file){ 0 };
}

static int disk_open(void *arg, const char *name, int flags)
{
    struct disk *d = arg;
    struct disk_file *f = disk_find(d, name);
    if ((flags & O_CREAT) != 0 && disk_fails(d))
        return -1;
    if (f != NULL && (flags & O_EXCL) != 0)
        return errno = EEXIST, -1;
    if (f == NULL && (flags & O_CREAT) == 0)
        return errno = ENOENT, -1;
    if (f == NULL)
        f = disk_add(d, name);
    if ((flags & O_TRUNC) != 0)
        assert_int_equal(ftruncate(f->fd, 0), 0);
    char path[40];
    snprintf(path, sizeof path, "/proc/self/fd/%d", f->fd);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_in_range(fd, 0, DISK_OPEN - 1);
    d->open[fd] = (int)(f - d->file) + 1;
    return fd;
}

static struct disk_file *disk_of(struct disk *d, int fd)
{
    assert_in_range(fd, 0, DISK_OPEN - 1);
    assert_true(d->open[fd] != 0);
    return &d->file[d->open[fd] - 1];
}

static ssize_t disk_pread(void *arg, int fd, void *buf, size_t len, uint64_t at)
{
    (void)arg;
    return pread(fd, buf, len, (off_t)at);
}

static uint64_t disk_used(struct disk *d)
{
    uint64_t sum = 0;
    for (int i = 0; i < DISK_FILES; i++)
        if (d->file[i].used)
            sum += disk_len(&d->file[i]);
    return sum;
}

static ssize_t disk_pwrite(void *arg, int fd, const void *buf, size_t len, uint64_t at)
{
    struct disk *d = arg;
    bool was_off = disk_is_off(d), fails = disk_fails(d);
    struct disk_file *f = disk_of(d, fd);
    if (was_off)
        return -1;
    size_t have = disk_len(f);
    if (!fails && d->room != 0 && at + len > have && disk_used(d) + (at + len - have) > d->room) {
        fails = true;
        errno = ENOSPC;
    }
    if (fails) {
        int error = errno;
        size_t part = disk_rnd(d, 2) != 0 ? disk_rnd(d, (uint32_t)len + 1) : 0;
        if (part != 0)
            return pwrite(fd, buf, part, (off_t)at);
        errno = error;
        return -1;
    }
    return pwrite(fd, buf, len, (off_t)at);
}

static int disk_truncate(void *arg, int fd, uint64_t len)
{
    return disk_fails(arg) ? -1 : ftruncate(fd, (off_t)len);
}

static int disk_size(void *arg, int fd, uint64_t *len)
{
    *len = disk_len(disk_of(arg, fd));
    return 0;
}

/* What is durable becomes, sector by sector, what the file has now or what it had. */
static void disk_mix(struct disk *d, struct disk_file *f, enum disk_keep keep)
{
    size_t len, old = f->durable_len;
    uint8_t *now = disk_read(f, &len);
    size_t to = keep == DISK_KEEP_ALL    ? len
                : keep == DISK_KEEP_NONE ? old
                : disk_rnd(d, 3) == 0    ? len
                : disk_rnd(d, 2) == 0    ? old
                : len > old              ? old + disk_rnd(d, (uint32_t)(len - old) + 1)
                                         : len + disk_rnd(d, (uint32_t)(old - len) + 1);
    uint8_t *mixed = calloc(1, to + 1);
    for (size_t at = 0; at < to; at += DISK_SECTOR) {
        size_t n = to - at < DISK_SECTOR ? to - at : DISK_SECTOR;
        bool is_new = keep == DISK_KEEP_ALL || (keep == DISK_KEEP_SOME && disk_rnd(d, 2) != 0);
        const uint8_t *from = is_new ? now : f->durable;
        size_t from_len = is_new ? len : old;
        if (from != NULL && at < from_len)
            memcpy(mixed + at, from + at, from_len - at < n ? from_len - at : n);
    }
    free(now);
    free(f->durable);
    f->durable = mixed;
    f->durable_len = to;
}

static int disk_sync(void *arg, int fd)
{
    struct disk *d = arg;
    struct disk_file *f = disk_of(d, fd);
    bool was_off = disk_is_off(d), fails = disk_fails(d);
    if (was_off)
        return -1;
    if (fails) {
        /* The kernel drops the pages, takes them for clean, and calls the next sync good. */
        int error = errno;
        disk_mix(d, f, DISK_KEEP_SOME);
        free(f->lost);
        f->lost = disk_read(f, &f->lost_len);
        errno = error;
        return -1;
    }
    size_t len;
    uint8_t *now = disk_read(f, &len);
    for (size_t at = 0; f->lost != NULL && at < len && at < f->lost_len; at += DISK_SECTOR) {
        size_t n = len - at < DISK_SECTOR ? len - at : DISK_SECTOR;
        if (at + n > f->lost_len || memcmp(now + at, f->lost + at, n) != 0)
            continue;
        memset(now + at, 0, n);
        if (at < f->durable_len)
            memcpy(now + at, f->durable + at, f->durable_len - at < n ? f->durable_len - at : n);
    }
    free(f->durable);
    f->durable = now;
    f->durable_len = len;
    return 0;
}

static void disk_names_durable(struct disk_file *f)
{
    memcpy(f->durable_name, f->name, sizeof f->name);
}

static int disk_sync_folder(void *arg)
{
    struct disk *d = arg;
    if (disk_fails(d))
        return -1;
    for (int i = 0; i < DISK_FILES; i++)
        if (d->file[i].used)
            disk_names_durable(&d->file[i]);
    return 0;
}

static int disk_rename(void *arg, const char *from, const char *to)
{
    struct disk *d = arg;
    if (disk_fails(d))
        return -1;
    struct disk_file *f = disk_find(d, from), *over = disk_find(d, to);
    if (f == NULL)
        return errno = ENOENT, -1;
    if (over != NULL)
        over->name[0] = '\0';
    snprintf(f->name, sizeof f->name, "%s", to);
    return 0;
}

static int disk_remove(void *arg, const char *name)
{
    struct disk *d = arg;
    if (disk_fails(d))
        return -1;
    struct disk_file *f = disk_find(d, name);
    if (f == NULL)
        return errno = ENOENT, -1;
    f->name[0] = '\0';
    return 0;
}

static int disk_close(void *arg, int fd)
{
    struct disk *d = arg;
    (void)disk_of(d, fd);
    d->open[fd] = 0;
    return close(fd);
}

static int disk_lock(void *arg, int fd)
{
    (void)arg;
    (void)fd;
    return 0;
}

static int disk_list(void *arg, void (*each)(void *list_arg, const char *name), void *list_arg)
{
    struct disk *d = arg;
    for (int i = 0; i < DISK_FILES; i++) {
        char name[32];
        memcpy(name, d->file[i].name, sizeof name);
        if (d->file[i].used && name[0] != '\0')
            each(list_arg, name);
    }
    return 0;
}

/* The node is up again: what was not durable is there as far as `keep` says, and the power is on. Nothing
 * may be open. */
static void disk_crash(struct disk *d, enum disk_keep keep)
{
    for (int i = 0; i < DISK_OPEN; i++)
        assert_int_equal(d->open[i], 0);
    for (int i = 0; i < DISK_FILES; i++) {
        struct disk_file *f = &d->file[i];
        if (!f->used)
            continue;
        disk_mix(d, f, keep);
        bool name_kept = keep == DISK_KEEP_ALL || (keep == DISK_KEEP_SOME && disk_rnd(d, 2) != 0);
        if (!name_kept)
            memcpy(f->name, f->durable_name, sizeof f->name);
        if (f->name[0] == '\0') {
            disk_drop(f);
            continue;
        }
        assert_int_equal(ftruncate(f->fd, 0), 0);
        assert_int_equal(pwrite(f->fd, f->durable, f->durable_len, 0), (ssize_t)f->durable_len);
        free(f->lost);
        f->lost = NULL;
        disk_names_durable(f);
    }
    d->off_at = d->fail_count = 0;
    d->room = 0;
}

/* Files that have no name any more and that nobody has open are gone. */
static void disk_reap(struct disk *d)
{
    for (int i = 0; i < DISK_FILES; i++) {
        bool open = false;
        for (int fd = 0; fd < DISK_OPEN; fd++)
            open |= d->open[fd] == i + 1;
        if (d->file[i].used && !open && d->file[i].name[0] == '\0' &&
            d->file[i].durable_name[0] == '\0')
            disk_drop(&d->file[i]);
    }
}

/* The same files, all durable. */
static inline void disk_copy(struct disk *to, const struct disk *from)
{
    memset(to, 0, sizeof *to);
    to->seed = from->seed;
    for (int i = 0; i < DISK_FILES; i++) {
        const struct disk_file *f = &from->file[i];
        if (!f->used || f->name[0] == '\0')
            continue;
        struct disk_file *n = disk_add(to, f->name);
        n->durable = disk_read(f, &n->durable_len);
        memcpy(n->durable_name, n->name, sizeof n->name);
        assert_int_equal(pwrite(n->fd, n->durable, n->durable_len, 0), (ssize_t)n->durable_len);
    }
}

static void disk_fini(struct disk *d)
{
    for (int i = 0; i < DISK_FILES; i++)
        if (d->file[i].used)
            disk_drop(&d->file[i]);
}

static struct store_io disk_io(struct disk *d)
{
    return (struct store_io){ .arg = d,
                              .open = disk_open,
                              .pread = disk_pread,
                              .pwrite = disk_pwrite,
                              .truncate = disk_truncate,
                              .size = disk_size,
                              .sync = disk_sync,
                              .sync_folder = disk_sync_folder,
                              .rename = disk_rename,
                              .remove = disk_remove,
                              .close = disk_close,
                              .lock = disk_lock,
                              .list = disk_list };
}

#endif
