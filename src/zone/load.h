/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ZONE_LOAD_H
#define ZONE_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* From zone text to an image. Made for a short-lived process of its own (`--role load`): it reads
 * what an operator wrote with the largest parser of the program, and holds nothing else. */

struct zone_check_options;

/* One zone: `origin` as text ("example.com", a final dot or not, "." is the root), `path` of its
 * master file (RFC 1035 section 5). `check` says how the built zone is checked (zone/check.h); NULL: by
 * ZONE_CHECK_DEFAULTS, without a clock and without its digest. Borrowed. */
struct zone_source {
    const char *origin;
    const char *path;
    const struct zone_check_options *check;
};

#define ZONE_ERRORS_KEPT 20 /* the rest is only counted */
#define ZONE_PATH_MAX 256   /* bytes of a file name as reported, the final zero included */

struct zone_error {
    bool warning;             /* the zone is served all the same */
    uint32_t line;            /* 1-based; 0 if none */
    char file[ZONE_PATH_MAX]; /* empty if none; long paths keep their end */
    char what[200];           /* "www.example.com. has CNAME and other data (A)" */
    char hint[200];           /* empty if there is nothing to say */
};

/* Everything that was found, in the order of the files. Holds nothing that a reader follows, so that it
 * can live in memory that two processes share. Errors are kept before warnings. Start with all zero. */
struct zone_errors {
    uint32_t errors;   /* how many, kept or not; 0: the image is good */
    uint32_t warnings; /* how many, kept or not */
    uint32_t kept;     /* rows of at[] in use */
    struct zone_error at[ZONE_ERRORS_KEPT];
    /* Who writes may have each told at once, kept or not; NULL: nobody is told. */
    void (*tell)(void *arg, const struct zone_error *ze);
    void *arg;
};

/* Loads all zones and writes one image of them to `fd_out`, an empty file or memfd open for reading
 * and writing (zone_image_memfd()); on true it can be given to zone_set_map(). On false errs->errors
 * is not 0 and the contents of `fd_out` are nothing. All zones are read even if one is wrong, so that
 * all errors show. Blocks on disk and takes seconds for millions of names: never call it from a loop
 * or a worker. Needs no network, no other descriptor than those of the files it opens, and
 * no clock but the time in the options of its checks. */
bool zone_build_image(const struct zone_source *sources, uint32_t count, int fd_out,
                      struct zone_errors *errs);

/* Writes "file:line: what; hint" (the parts there are, "warning: " in front of `what` if it is one)
 * to buf, always terminated; returns buf. ZONE_ERROR_TEXT_MAX holds any. */
#define ZONE_ERROR_TEXT_MAX 768
const char *zone_error_text(const struct zone_error *ze, char *buf, uint32_t cap);

/* A memfd that can be sealed, close-on-exec; -1 with *e filled. The caller owns it. */
int zone_image_memfd(struct err *e);

/* Nobody can write, shrink or grow it from here on. */
bool zone_image_seal(int fd, struct err *e);

#endif
