/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TESTS_UNIT_ZONE_HELP_H
#define TESTS_UNIT_ZONE_HELP_H

/* Zones for tests, from text in memory: no file is left behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "zone/load.h"
#include "zone/zone.h"

/* A file of `len` bytes that has no name but the one written to `path`. */
static inline int zone_help_file(const void *bytes, size_t len, char path[32])
{
    int fd = memfd_create("zone-text", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, len), (ssize_t)len);
    snprintf(path, 32, "/proc/self/fd/%d", fd);
    return fd;
}

/* Builds an image of one zone into a new memfd, which the caller closes. */
static inline int zone_help_image(const char *origin, const char *text, size_t len,
                                  struct zone_errors *errs)
{
    struct err e = { 0 };
    char path[32];
    int text_fd = zone_help_file(text, len, path), fd = zone_image_memfd(&e);
    assert_true(fd >= 0);
    struct zone_source source = { .origin = origin, .path = path };
    memset(errs, 0, sizeof *errs);
    (void)zone_build_image(&source, 1, fd, errs);
    close(text_fd);
    return fd;
}

/* The set of one good zone; the caller frees it. */
static inline struct zone_set *zone_help_set(const char *origin, const char *text)
{
    static struct zone_errors errs;
    struct err e = { 0 };
    int fd = zone_help_image(origin, text, strlen(text), &errs);
    for (uint32_t i = 0; i < errs.kept && errs.errors != 0; i++)
        print_error("%s\n", errs.at[i].what);
    assert_int_equal(errs.errors, 0);
    struct zone_set *s = zone_set_map(fd, &e);
    close(fd);
    assert_non_null(s);
    return s;
}

/* The first that is an error and not a warning; NULL when there is none. */
static inline const struct zone_error *zone_help_first(const struct zone_errors *errs)
{
    for (uint32_t i = 0; i < errs->kept; i++)
        if (!errs->at[i].warning)
            return &errs->at[i];
    return NULL;
}

#endif
