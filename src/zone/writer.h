/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ZONE_WRITER_H
#define ZONE_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "zone/image.h"

/* Writing images: objects are appended, a commit publishes them. Files of this room only. */

/* Appends to a file through a buffer, by write calls and not by a mapping, so that a full disk is an
 * error and not a SIGBUS. Sticky: after the first failure nothing more is written. */
struct zone_image_writer {
    int fd;
    uint8_t *buf;
    size_t used, cap;
    uint64_t flushed;            /* the file's bytes before the buffer */
    uint32_t crc;                /* of all bytes before the buffer, from IMAGE_PAGE */
    struct zone_image_slot last; /* what this version goes on from; version 0: nothing */
    unsigned last_at;
    bool failed;
    struct err *e; /* says why when `failed` */
};

/* Begins an image in an empty file, or goes on with the newest version of one. */
bool zone_image_writer_init(struct zone_image_writer *w, int fd, struct err *e);
bool zone_image_writer_open(struct zone_image_writer *w, int fd, struct err *e);
void zone_image_writer_fini(struct zone_image_writer *w);

/* Room for an object of `size` bytes, which the caller fills before the next call; *ref is its
 * reference. NULL when the writer has failed. */
void *zone_image_writer_room(struct zone_image_writer *w, size_t size, uint32_t *ref);

/* Where the next object will be. */
static inline uint64_t zone_image_writer_at(const struct zone_image_writer *w)
{
    return w->flushed + w->used;
}

/* Writes everything, waits until it is on disk, then publishes: the next version has this tree of
 * zones. `dead` is what the version leaves unused of the file. */
bool zone_image_writer_commit(struct zone_image_writer *w, uint32_t zones, uint32_t zone_count,
                              uint64_t dead);

/* Builds a tree from entries in ascending order of their keys, from the leaves up. */
struct zone_tree_level {
    unsigned count;
    uint32_t ref[IMAGE_BLOCK_MAX], nodes[IMAGE_BLOCK_MAX];
    uint16_t key_end[IMAGE_BLOCK_MAX];
    uint8_t any[IMAGE_BLOCK_MAX];
    uint8_t keys[IMAGE_BLOCK_MAX * DNS_KEY_MAX];
};

struct zone_tree_builder {
    struct zone_image_writer *w;
    unsigned levels;
    struct zone_tree_level *level[IMAGE_DEPTH_MAX];
    uint8_t last_key[DNS_KEY_MAX]; /* of the leaf block written last */
    size_t last_len;
    bool any_block;
};

void zone_tree_init(struct zone_tree_builder *t, struct zone_image_writer *w);
void zone_tree_fini(struct zone_tree_builder *t);
void zone_tree_add(struct zone_tree_builder *t, const uint8_t *key, size_t key_len, uint32_t ref,
                   uint8_t any);
/* Returns the root block (0: no entry was added, or the writer has failed) and leaves `t` empty. */
uint32_t zone_tree_end(struct zone_tree_builder *t, uint32_t *nodes, uint8_t *any);

/* One block of `count` entries whose keys are behind each other in `keys`, ending at key_end[]. */
uint32_t zone_image_write_block(struct zone_image_writer *w, unsigned level,
                                const struct zone_tree_level *l);

#endif
