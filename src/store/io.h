/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef STORE_IO_H
#define STORE_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "store/store.h"

/* Every system call of this room goes through this table, so that tests can let each of them fail, stop
 * the world at any of them, and take away what was not synced. Files are real descriptors, since images
 * are mapped. Each function returns what the system call does, with errno. */
struct store_io {
    void *arg;
    int (*open)(void *arg, const char *name, int flags);
    ssize_t (*pread)(void *arg, int fd, void *buf, size_t len, uint64_t at);
    ssize_t (*pwrite)(void *arg, int fd, const void *buf, size_t len, uint64_t at);
    int (*truncate)(void *arg, int fd, uint64_t len);
    int (*size)(void *arg, int fd, uint64_t *len);
    int (*sync)(void *arg, int fd); /* fdatasync */
    int (*sync_folder)(void *arg);  /* names are durable from here on */
    int (*rename)(void *arg, const char *from, const char *to);
    int (*remove)(void *arg, const char *name);
    int (*close)(void *arg, int fd);
    int (*lock)(void *arg, int fd); /* of this process until it is closed; never waits */
    /* Gives every name of the folder to `each`. */
    int (*list)(void *arg, void (*each)(void *list_arg, const char *name), void *list_arg);
};

/* The kernel's, for names in the folder *dirfd, which is borrowed. */
struct store_io store_io_of(const int *dirfd);

struct store *store_open_io(const struct store_io *io, uint64_t history_max, struct err *e)
    BASE_MUST_USE; /* as store_open(); what io->arg points to is borrowed until store_close() */

/* All of the bytes, or false with errno. A file that ends before them: false with errno 0. */
bool store_io_read(const struct store_io *io, int fd, void *buf, size_t len, uint64_t at);
bool store_io_write(const struct store_io *io, int fd, const void *buf, size_t len, uint64_t at);

#endif
