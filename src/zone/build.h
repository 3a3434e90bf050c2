/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ZONE_BUILD_H
#define ZONE_BUILD_H

#include "zone/load.h"
#include "zone/stage.h"
#include "zone/writer.h"

/* Building zones into an image, one after the other, then the tree of all. Files of this room only. */

/* One record on its way into a node. */
struct zone_build_rr {
    const uint8_t *rdata;
    uint32_t line, ttl_s;
    uint16_t type; /* for an RRSIG the type it covers */
    uint16_t len;
    bool sig;
    const char *file; /* borrowed; NULL if none */
};

/* A node to be written. `key` and `name` are those below the origin. */
struct zone_build_node {
    const uint8_t *key, *name;
    size_t key_len, name_len;
    struct zone_build_rr *rr; /* put in order by zone_build_node_order() */
    size_t count;
    uint8_t flags;
};

/* Identical RDATA of several RRsets (the servers of a hoster) is written once. This is a cache of
 * fixed size: what falls out of it is written again. */
#define BUILD_SHARED_MIN 16u
#define BUILD_SHARED_MAX 178u
#define BUILD_SHARED_ROWS 32768u
struct zone_build_shared {
    uint32_t ref;
    uint16_t len; /* 0: unused */
    uint8_t bytes[BUILD_SHARED_MAX];
};

struct zone_build_zone_ref {
    uint8_t *key; /* of the origin, then its wire form; owned */
    uint16_t key_len;
    uint8_t origin_len;
    uint32_t ref;
};

struct zone_build {
    struct zone_image_writer *w;
    struct zone_errors *errs;
    const struct dns_name *origin;    /* of the zone at hand, borrowed */
    struct zone_build_shared *shared; /* made when first used */
    struct zone_tree_builder names, nsec3;
    struct zone_build_rr *rr; /* of the node at hand */
    size_t rr_cap;
    struct zone_build_zone_ref *zone;
    size_t zones, zones_cap;
};

void zone_build_init(struct zone_build *b, struct zone_image_writer *w, struct zone_errors *errs);
void zone_build_fini(struct zone_build *b);

/* Writes the zone whose records are in `stage` (which it sorts) and checks what a zone must be.
 * `file_names` are what the runs' file numbers mean; [0] is the zone's own. `complete` is false when
 * records are known to be missing, so that their absence is no error of its own. */
void zone_build_zone(struct zone_build *b, const struct dns_name *origin, struct zone_stage *stage,
                     const char *const *file_names, bool complete);

/* Adds a zone that is written already to those of the image. */
void zone_build_zone_add(struct zone_build *b, const struct dns_name *origin, uint32_t ref);

/* Writes the tree of all zones; returns its root, 0 if there is none. */
uint32_t zone_build_zones_end(struct zone_build *b);

/* The parts that an update needs as well. */
/* Adds a record to b->rr, of which *count are in use. */
void zone_build_gather(struct zone_build *b, size_t *count, const struct zone_build_rr *rr);
/* The whole name of a node, for messages; returns `buf`. */
const char *zone_build_owner_text(const struct zone_build *b, const struct zone_build_node *n,
                                  char buf[DNS_TEXT_MAX]);
/* Puts the records in order and each once. */
void zone_build_node_order(struct zone_build_node *n);
/* Gives each RRset one TTL and tells what contradicts itself, in the zone b->origin. */
void zone_build_node_check(struct zone_build *b, struct zone_build_node *n, bool apex);
/* What kind of node it is; `occluded`: it lies below a cut or a DNAME. */
uint8_t zone_build_node_flags(const struct zone_build_node *n, bool occluded);
uint32_t zone_build_node_write(struct zone_build *b, const struct zone_build_node *n);
uint32_t zone_build_zone_write(struct zone_image_writer *w, const struct dns_name *origin,
                               const struct zone *fields);

#endif
