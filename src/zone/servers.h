/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ZONE_SERVERS_H
#define ZONE_SERVERS_H

#include "zone/build.h"

/* Warns of each server in the NS records of the apex and of cuts whose name is in the zone and has no
 * address there. The stage is sorted and whole; the zone is b->origin. */
void zone_servers_check(struct zone_build *b, const struct zone_stage *stage,
                        const char *const *file_names);

#endif
