/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The system calls, and whole reads and writes made of them. */
#include "store/io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static int folder_of(void *arg)
{
    return *(const int *)arg;
}

static int io_open(void *arg, const char *name, int flags)
{
    return openat(folder_of(arg), name, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
}

static ssize_t io_pread(void *arg, int fd, void *buf, size_t len, uint64_t at)
{
    (void)arg;
    return pread(fd, buf, len, (off_t)at);
}

static ssize_t io_pwrite(void *arg, int fd, const void *buf, size_t len, uint64_t at)
{
    (void)arg;
    return pwrite(fd, buf, len, (off_t)at);
}

static int io_truncate(void *arg, int fd, uint64_t len)
{
    (void)arg;
    return ftruncate(fd, (off_t)len);
}

static int io_size(void *arg, int fd, uint64_t *len)
{
    (void)arg;
    struct stat st;
    if (fstat(fd, &st) != 0)
        return -1;
    if (!S_ISREG(st.st_mode)) {
        errno = EINVAL;
        return -1;
    }
    *len = (uint64_t)st.st_size;
    return 0;
}

static int io_sync(void *arg, int fd)
{
    (void)arg;
    return fdatasync(fd);
}

static int io_sync_folder(void *arg)
{
    return fsync(folder_of(arg));
}

static int io_rename(void *arg, const char *from, const char *to)
{
    return renameat(folder_of(arg), from, folder_of(arg), to);
}

static int io_remove(void *arg, const char *name)
{
    return unlinkat(folder_of(arg), name, 0);
}

static int io_close(void *arg, int fd)
{
    (void)arg;
    return close(fd);
}

static int io_lock(void *arg, int fd)
{
    (void)arg;
    return flock(fd, LOCK_EX | LOCK_NB);
}

static int io_list(void *arg, void (*each)(void *list_arg, const char *name), void *list_arg)
{
    int fd = openat(folder_of(arg), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    if (d == NULL) {
        if (fd >= 0)
            close(fd);
        return -1;
    }
    struct dirent *entry;
    errno = 0;
    while ((entry = readdir(d)) != NULL)
        each(list_arg, entry->d_name);
    int error = errno;
    closedir(d);
    errno = error;
    return error == 0 ? 0 : -1;
}

struct store_io store_io_of(const int *dirfd)
{
    return (struct store_io){
        .arg = (void *)(uintptr_t)dirfd,
        .open = io_open,
        .pread = io_pread,
        .pwrite = io_pwrite,
        .truncate = io_truncate,
        .size = io_size,
        .sync = io_sync,
        .sync_folder = io_sync_folder,
        .rename = io_rename,
        .remove = io_remove,
        .close = io_close,
        .lock = io_lock,
        .list = io_list,
    };
}

bool store_io_read(const struct store_io *io, int fd, void *buf, size_t len, uint64_t at)
{
    uint8_t *p = buf;
    while (len != 0) {
        ssize_t n = io->pread(io->arg, fd, p, len, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            errno = n == 0 ? 0 : errno;
            return false;
        }
        p += n;
        at += (uint64_t)n;
        len -= (size_t)n;
    }
    return true;
}

bool store_io_write(const struct store_io *io, int fd, const void *buf, size_t len, uint64_t at)
{
    const uint8_t *p = buf;
    while (len != 0) {
        ssize_t n = io->pwrite(io->arg, fd, p, len, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            errno = n == 0 ? ENOSPC : errno;
            return false;
        }
        p += n;
        at += (uint64_t)n;
        len -= (size_t)n;
    }
    return true;
}
