/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From node to node, for those who want them all: transfers. */
#include "zone/image.h"

_Static_assert(sizeof(struct zone_image_pos) <= sizeof((struct zone_walk *)NULL)->place,
               "a place fits");

void zone_walk_begin(struct zone_walk *w, const struct zone *z)
{
    struct zone_image_pos pos;
    *w = (struct zone_walk){ .z = z, .left = (uint64_t)z->node_count + z->nsec3_count };
    w->more = z->names != 0 && zone_image_first(zone_image_map_of(z), z->names, &pos);
    if (w->more)
        memcpy(w->place, &pos, sizeof pos);
}

const struct zone_node *zone_walk_next(struct zone_walk *w)
{
    const struct zone_image_map *m = zone_image_map_of(w->z);
    struct zone_image_pos pos;
    struct zone_image_entry e;
    memcpy(&pos, w->place, sizeof pos);
    if (!w->more && !w->nsec3) {
        w->nsec3 = true;
        w->more = w->z->nsec3 != 0 && zone_image_first(m, w->z->nsec3, &pos);
    }
    if (!w->more || w->left == 0 || !zone_image_entry(&pos, &e))
        return NULL;
    w->left--;
    w->more = zone_image_next(&pos);
    memcpy(w->place, &pos, sizeof pos);
    return zone_image_node_at(m, e.ref);
}
