/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ZONE_SERVERS_H
#define ZONE_SERVERS_H

#include "zone/build.h"

/* Warns of each server in the NS records of `n` (a cut, or the apex) whose name is in the zone and has
 * no address there. `at` is where the sorted stage has this name: glue mostly stands right behind. */
void zone_servers_check(struct zone_build *b, const struct zone_build_node *n,
                        const struct zone_stage *stage, size_t at);

#endif
