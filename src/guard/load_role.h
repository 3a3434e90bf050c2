/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef GUARD_LOAD_ROLE_H
#define GUARD_LOAD_ROLE_H

/* The loader, `perigee-load --role load`: zone text in, a sealed image out, exit status 0. */
#define LOAD_FD_LINK 3    /* nothing is said on it; its end ends the process */
#define LOAD_FD_SOURCES 4 /* origin, file, origin, file, …, each with a final zero */
#define LOAD_FD_IMAGE 5   /* empty memfd, filled and sealed */
#define LOAD_FD_ERRORS 6  /* struct zone_errors, shared */

/* Needs the descriptors above; returns the exit status. Blocks on disk. */
int guard_load_main(int argc, char **argv);

#endif
