/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ZONE_PLACE_H
#define ZONE_PLACE_H

#include "zone/check.h"
#include "zone/text.h"

/* Finds where in a zone's text records stand, by reading it again: a zone with nothing to tell costs
 * nothing for it. Files of this room only. */
struct zone_place {
    const struct dns_name *origin;
    const char *path;
    struct zone_text *text; /* made when first used: places borrow its file names */
};

/* Fills in file and line of each of `count` wanted names and types; file NULL: the text does not have it.
 * Reads the text again when it is first asked: blocks on disk. `place` is a struct zone_place, as the
 * handler of zone_check() takes it. */
void zone_place_find(void *place, struct zone_check_place *wanted, size_t count);
void zone_place_fini(struct zone_place *p);

#endif
