/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ZONE_IMAGE_H
#define ZONE_IMAGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/crc.h"
#include "dns/name.h"
#include "zone/zone.h"

/* The layout of an image, for the files of this room only (docs/decisions/0001-zone-image.md).
 *
 * A page of head with two root slots, then objects of 8-byte alignment that are never written again:
 * a version adds objects behind the last one's and publishes itself by a slot. Objects name each other
 * by references: their position in units of 8 bytes; 0 is none. Integers are the host's; the head says
 * whose. Two kinds of trees, both of blocks: one of all zones by origin, and one per zone (two with
 * NSEC3) of its names, by canonical key below the origin. Whatever an image says, a reader checks each
 * reference and length against the mapping when it follows it: zone_image_at() and what builds on it. */
#define IMAGE_MAGIC "PERIGEE\n"
#define IMAGE_LAYOUT 3
#define IMAGE_ENDIAN 0x01020304u
#define IMAGE_PAGE 4096u   /* the head; objects begin here */
#define IMAGE_SLOT_A 1024u /* in sectors of their own, so that a torn write hurts one only */
#define IMAGE_SLOT_B 2048u
#define IMAGE_END_MAX ((uint64_t)UINT32_MAX * 8)

struct zone_image_head {
    char magic[8];
    uint32_t layout;
    uint32_t endian;
};

struct zone_image_slot {
    uint64_t version; /* 0: never written */
    uint64_t end;     /* bytes of the file that this version may refer to */
    uint64_t dead;    /* bytes below `end` that it does not refer to */
    uint32_t zones;   /* the root block of the tree of zones; 0: there are none */
    uint32_t zone_count;
    uint32_t data_crc; /* CRC-32C of the bytes from IMAGE_PAGE to `end` */
    uint32_t crc;      /* CRC-32C of this struct up to here */
};

/* A node of a tree. Behind the struct: u32 hint[count] (the first four bytes of each key behind the
 * prefix, big-endian value, padded with 0), u32 ref[count], and in inner blocks u32 nodes[count] (leaf
 * entries below); u16 key_end[count]; u8 any[count] (the flags of the entry, in inner blocks those of
 * all entries below); the prefix that all keys share; the keys behind it, one after the other. In inner
 * blocks the key of an entry is not above any key below it, and entry 0 has none. */
#define IMAGE_BLOCK_MAX 32 /* entries */
#define IMAGE_DEPTH_MAX 12 /* levels */
#define IMAGE_BLOCK_MAGIC 0x6b6cu
struct zone_image_block {
    uint16_t magic;
    uint8_t level; /* 0: a leaf */
    uint8_t count; /* 1..IMAGE_BLOCK_MAX */
    uint16_t prefix_len, keys_len;
    uint32_t size; /* bytes, all of the above included */
};

/* What a leaf of the tree of zones refers to. Behind the struct: the origin's wire form. */
#define IMAGE_ZONE_MAGIC 0x656e6f7au
struct zone {
    uint32_t magic;
    uint32_t self;         /* the reference of this struct: so a reader finds the mapping's begin */
    uint32_t names, nsec3; /* root blocks of the two trees; nsec3 may be 0 */
    uint32_t apex;         /* the node; 0 as `names` when the zone is ZONE_EMPTY */
    uint32_t node_count;
    uint32_t serial;
    uint32_t record_count; /* of all nodes, owners of NSEC3 included; each RRSIG is one */
    uint32_t nsec3_count;  /* nodes of `nsec3` */
    uint32_t units;        /* what the zone takes of the file, about, in units of 8 bytes */
    uint16_t origin_key_len;
    uint8_t any;        /* the flags of all nodes of `names` */
    uint8_t origin_len; /* the root label included */
    uint8_t state;      /* enum zone_state */
    uint8_t zero[3];
};

/* Bytes of a zone's object. */
static inline uint32_t zone_image_zone_size(const struct zone *z)
{
    return (uint32_t)sizeof *z + z->origin_len;
}

static inline const uint8_t *zone_image_origin(const struct zone *z)
{
    return (const uint8_t *)(z + 1);
}

/* What a leaf of a tree of names refers to. Behind the struct: name_len bytes of the labels below the
 * origin, in the text's case and without the root label; then the RRsets by ascending type. */
#define IMAGE_NODE_WILDCARD ZONE_NODE_WILDCARD
#define IMAGE_NODE_NSEC 0x80   /* owns NSEC */
#define IMAGE_NODE_PUBLIC 0x7f /* the flags that zone/zone.h knows */
struct zone_node {
    uint32_t size;
    uint8_t flags;
    uint8_t name_len;
    uint16_t rrset_count;
};

/* Packed, at any alignment. Then the RDATA, or a u32 reference to it with IMAGE_RRSET_SHARED (an
 * object of RDATA bytes only, that several RRsets use); then with IMAGE_RRSET_SIGS a struct zone_image_sigs
 * and the RRSIGs. */
#define IMAGE_RRSET_SHARED 0x80000000u
#define IMAGE_RRSET_SIGS 0x40000000u
#define IMAGE_RRSET_LEN 0x3fffffffu
struct zone_image_rrset {
    uint16_t type, count;
    uint32_t ttl_s;
    uint32_t len; /* bytes of RDATA, and the two flags */
};
struct zone_image_sigs {
    uint16_t count, zero;
    uint32_t ttl_s;
    uint32_t len;
};

/* The mapping, which the versions of one file share. It lies in a private page in front of the image, so
 * that a struct zone leads to it. All but `len` and `users` never changes. */
struct zone_image_map {
    const uint8_t *base;
    /* Bytes that may be read: up to the end of the longest version that is in use. The file has at least
     * so many and never fewer, so that a broken reference of a shorter version does no harm either. */
    _Atomic uint64_t len;
    uint64_t room;   /* bytes that `len` can grow to */
    uint64_t mapped; /* bytes of address space, for unmapping */
    uint64_t dev, ino;
    _Atomic uint32_t users;
};

/* What zone/zone.h calls a set of zones: a version, and its mapping. */
struct zone_set {
    struct zone_image_map *map;
    struct zone_image_slot slot; /* data_crc and crc are 0 when the version was told and not read */
    uint64_t id;
};

/* Maps the file with room for it to grow, if it can: `room` is the least, in bytes. One user. */
struct zone_image_map *zone_image_map_file(int fd, uint64_t room, struct err *e);
void zone_image_map_release(struct zone_image_map *m);
/* The file has these bytes now. */
void zone_image_map_reach(struct zone_image_map *m, uint64_t len);
/* A set of this version; it takes over one use of the mapping. */
struct zone_set *zone_image_set_new(struct zone_image_map *m, const struct zone_image_slot *slot);

static inline const void *zone_image_at(const struct zone_image_map *m, uint64_t at, uint64_t len)
{
    uint64_t have = atomic_load_explicit(&m->len, memory_order_relaxed);
    return at <= have && len <= have - at ? m->base + at : NULL;
}

static inline const struct zone_image_map *zone_image_map_of(const struct zone *z)
{
    const uint8_t *base = (const uint8_t *)z - (uint64_t)z->self * 8;
    return (const struct zone_image_map *)(const void *)(base - IMAGE_PAGE);
}

/* A place in a tree: the way down to a leaf entry. */
struct zone_image_pos {
    const struct zone_image_map *map;
    const struct zone_image_block *block[IMAGE_DEPTH_MAX];
    uint16_t idx[IMAGE_DEPTH_MAX];
    unsigned depth; /* blocks in use; 0: no place */
};

/* A leaf entry, with its key in two parts. */
struct zone_image_entry {
    const uint8_t *prefix, *suffix;
    uint16_t prefix_len, suffix_len;
    uint32_t ref;
    uint8_t any;
};

/* Checks that there is a whole block of this level at `ref`; NULL when there is not. */
const struct zone_image_block *zone_image_block_at(const struct zone_image_map *m, uint32_t ref,
                                                   unsigned level);
/* The root block of a tree, whatever its level. */
const struct zone_image_block *zone_image_root_at(const struct zone_image_map *m, uint32_t ref);
/* Entry `i` of a block that zone_image_block_at() gave; false when its bounds are broken. */
bool zone_image_block_entry(const struct zone_image_block *b, unsigned i,
                            struct zone_image_entry *out);
uint32_t zone_image_block_nodes(const struct zone_image_block *b, unsigned i);

/* Goes to the last entry that is not above `key`; false when there is none (or the tree is broken).
 * *common is the length of what the entry's key and `key` share. */
bool zone_image_seek(const struct zone_image_map *m, uint32_t root, const uint8_t *key,
                     size_t key_len, struct zone_image_pos *pos, size_t *common);
bool zone_image_first(const struct zone_image_map *m, uint32_t root, struct zone_image_pos *pos);
bool zone_image_next(struct zone_image_pos *pos);
/* Back to the last entry at or before this one that has one of the flags `any`. */
bool zone_image_back_to(struct zone_image_pos *pos, uint8_t any);
bool zone_image_last(const struct zone_image_map *m, uint32_t root, struct zone_image_pos *pos);
bool zone_image_entry(const struct zone_image_pos *pos, struct zone_image_entry *out);
/* The entry whose key is `key`. */
bool zone_image_find(const struct zone_image_map *m, uint32_t root, const uint8_t *key,
                     size_t key_len, struct zone_image_entry *out);

const struct zone_node *zone_image_node_at(const struct zone_image_map *m, uint32_t ref);
const struct zone *zone_image_zone_at(const struct zone_image_map *m, uint32_t ref);
/* The RRset at *pos (0: the first) of a node; false after the last or when it is broken. */
bool zone_image_rrset_at(const struct zone_image_map *m, const struct zone_node *n, uint32_t *pos,
                         struct zone_rrset *out);

/* The newest good slot of a head page; false when there is none within `file_len` bytes. */
bool zone_image_slot_newest(const uint8_t head[IMAGE_PAGE], uint64_t file_len,
                            struct zone_image_slot *out, unsigned *which);
static inline uint32_t zone_image_crc(uint32_t crc, const void *bytes, size_t len)
{
    return crc_32c(crc, bytes, len);
}

/* The canonical key of `labels` labels at `wire` (without a root label), as dns_name_key() writes. */
size_t zone_image_key(const uint8_t *wire, size_t wire_len, uint8_t key[DNS_KEY_MAX]);

#endif
