/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ZONE_VERSION_H
#define ZONE_VERSION_H

#include <stdint.h>

/* Which version of an image is meant, by where its roots are: passed between processes beside a
 * descriptor of the file. All zero means the newest one in the file (a sealed image has only one). A
 * reader believes nothing of it: references are checked like all others. */
struct zone_version {
    uint64_t version; /* counts up with each change */
    uint64_t end;     /* bytes of the file that it may refer to */
    uint64_t dead;
    uint32_t zones; /* the root block of the tree of zones; 0: none */
    uint32_t zone_count;
    uint64_t zero[2]; /* room for what is to come */
};

#endif
