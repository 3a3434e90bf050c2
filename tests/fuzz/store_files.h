/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef STORE_FILES_H
#define STORE_FILES_H

/* A folder of the store that has one file of any bytes, for fuzz targets. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/crc.h"
#include "base/log.h"
#include "fuzz.h"
#include "store/io.h"
#include "store/state.h"

static int store_files_fd;        /* the file */
static char store_files_name[32]; /* … and its name */

static int files_open(void *arg, const char *name, int flags)
{
    (void)arg;
    if (strcmp(name, store_files_name) == 0)
        return dup(store_files_fd);
    if ((flags & O_CREAT) != 0)
        return memfd_create(name, MFD_CLOEXEC);
    errno = ENOENT;
    return -1;
}

static ssize_t files_pread(void *arg, int fd, void *buf, size_t len, uint64_t at)
{
    (void)arg;
    return pread(fd, buf, len, (off_t)at);
}

static ssize_t files_pwrite(void *arg, int fd, const void *buf, size_t len, uint64_t at)
{
    (void)arg;
    return pwrite(fd, buf, len, (off_t)at);
}

static int files_truncate(void *arg, int fd, uint64_t len)
{
    (void)arg;
    return ftruncate(fd, (off_t)len);
}

static int files_size(void *arg, int fd, uint64_t *len)
{
    struct stat st;
    (void)arg;
    base_assert(fstat(fd, &st) == 0);
    *len = (uint64_t)st.st_size;
    return 0;
}

static int files_fd_good(void *arg, int fd)
{
    (void)arg;
    return fd >= 0 ? 0 : -1;
}

static int files_good(void *arg)
{
    (void)arg;
    return 0;
}

static int files_rename(void *arg, const char *from, const char *to)
{
    (void)arg;
    return from == to ? -1 : 0;
}

static int files_remove(void *arg, const char *name)
{
    (void)arg;
    return name[0] == '\0' ? -1 : 0;
}

static int files_close(void *arg, int fd)
{
    (void)arg;
    return close(fd);
}

static int files_list(void *arg, void (*each)(void *list_arg, const char *name), void *list_arg)
{
    (void)arg;
    each(list_arg, store_files_name);
    return 0;
}

static struct store_io store_files_io(void)
{
    return (struct store_io){ .open = files_open,
                              .pread = files_pread,
                              .pwrite = files_pwrite,
                              .truncate = files_truncate,
                              .size = files_size,
                              .sync = files_fd_good,
                              .sync_folder = files_good,
                              .rename = files_rename,
                              .remove = files_remove,
                              .close = files_close,
                              .lock = files_fd_good,
                              .list = files_list };
}

/* Seven of eight steps back in serials that small zones have. */
static void store_files_history(struct store *s)
{
    static const char *const names[] = { ".", "example", "z1.example" };
    for (size_t i = 0; i < BASE_COUNT(names); i++)
        for (uint32_t from = 0; from < 4; from++)
            for (uint32_t to = 1; to < 6; to++) {
                struct dns_name origin;
                struct zone_change c;
                struct err e = { 0 };
                uint32_t step;
                base_assert(dns_name_from_text(&origin, names[i]));
                struct store_history *h = store_history_open(s, &origin, from, to);
                while (h != NULL && store_history_next(h, &c, &step, &e))
                    base_assert(dns_name_is_under(c.owner, &origin));
                store_history_close(h);
            }
}

/* Opens it, reads its history, writes an entry and closes it. */
static void store_files_try(const char *name, const uint8_t *bytes, size_t len)
{
    struct store_io io = store_files_io();
    struct err e = { 0 };
    struct dns_name origin;
    log_init("fuzz", LOG_LEVEL_ERROR);
    snprintf(store_files_name, sizeof store_files_name, "%s", name);
    store_files_fd = memfd_create(name, MFD_CLOEXEC);
    base_assert(write(store_files_fd, bytes, len) == (ssize_t)len);
    struct store *s = store_open_io(&io, 1 << 20, &e);
    base_assert(s != NULL);
    store_files_history(s);
    base_assert(dns_name_from_text(&origin, "example"));
    struct store_times t = { .refreshed = 1 };
    store_begin(s, STORE_TIMES, &origin, 0, 0);
    store_times(s, &t);
    base_assert(store_end(s, &e) || s->next_number == UINT32_MAX);
    (void)!store_sync(s, &e);
    (void)store_is_due(s);
    store_close(s);
    close(store_files_fd);
}

static inline void store_files_put_u32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> (24 - 8 * i));
}

#endif
