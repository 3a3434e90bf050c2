/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ZONE_UPDATE_H
#define ZONE_UPDATE_H

#include "zone/writer.h"

/* Changing a tree by writing anew the blocks on the way to what changes. Files of this room only. */
struct zone_tree_change {
    const uint8_t *key; /* borrowed */
    size_t key_len;
    uint32_t ref; /* 0: the entry goes away */
    uint8_t any;
};

/* Applies changes in ascending order of their keys, each key once, to the tree `root` (0: an empty
 * one) of the mapping and returns the new root, 0 when nothing is left. *nodes and *any are those of
 * the whole tree; *dead grows by the bytes of the blocks that only older versions use. */
uint32_t zone_tree_update(const struct zone_image_map *m, struct zone_image_writer *w,
                          uint32_t root, const struct zone_tree_change *changes, size_t count,
                          uint32_t *nodes, uint8_t *any, uint64_t *dead);

#endif
