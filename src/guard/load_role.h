/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef GUARD_LOAD_ROLE_H
#define GUARD_LOAD_ROLE_H

#include <stdint.h>

#include "serve/link.h"

/* The loader, `perigee-load --role load`: zone text in, a sealed image out, exit status 0. */
#define LOAD_FD_LINK 3    /* nothing is said on it; its end ends the process */
#define LOAD_FD_SOURCES 4 /* origin, file, origin, file, …, each with a final zero */
#define LOAD_FD_IMAGE 5   /* empty memfd, filled and sealed */
#define LOAD_FD_ERRORS 6  /* struct zone_errors, shared */
#define LOAD_FD_COOKIES 7 /* struct load_cookies, shared */

/* Guard writes the name of a file of secrets, or nothing; the loader what is in it. */
struct load_cookies {
    char file[4096];
    uint32_t count; /* 0: `why` */
    uint8_t secret[SERVE_COOKIE_SECRETS_MAX][SERVE_COOKIE_SECRET_LEN];
    char why[300];
};
void guard_load_cookies(void); /* in the loader */

/* Needs the descriptors above; returns the exit status. Blocks on disk. */
int guard_load_main(int argc, char **argv);

#endif
