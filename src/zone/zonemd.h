/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ZONE_ZONEMD_H
#define ZONE_ZONEMD_H

#include <nettle/sha2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "zone/image.h"
#include "zone/zone.h"

/* The digest of a whole zone (RFC 8976), scheme SIMPLE, SHA-384 and SHA-512. It runs over the image in
 * canonical order, in steps of a size that the caller chooses, so that it can run in the background
 * beside other work. Allocates nothing, blocks never, and may run in any thread as long as the set that
 * the zone is borrowed from lives. */

#define ZONE_ZONEMD_SIMPLE 1 /* the scheme */
#define ZONE_ZONEMD_SHA384 1 /* the algorithms */
#define ZONE_ZONEMD_SHA512 2
#define ZONE_ZONEMD_LEN_MIN 12 /* bytes of a digest (RFC 8976 section 2.2.4) */
#define ZONE_ZONEMD_LEN_MAX 64

enum zone_zonemd_result {
    ZONE_ZONEMD_NONE,        /* the origin owns no ZONEMD: nothing to verify */
    ZONE_ZONEMD_UNSUPPORTED, /* only such of schemes or algorithms that are not known here */
    ZONE_ZONEMD_GOOD,        /* one of them is right (RFC 8976 section 4) */
    ZONE_ZONEMD_BAD,
};

/* A verification on its way. Nothing in it is for the caller, who may forget it at any time. */
struct zone_zonemd {
    const struct zone *z;
    struct sha384_ctx sha384; /* nettle's are of a fixed size and own nothing */
    struct sha512_ctx sha512;
    uint32_t wanted; /* bit of each algorithm whose digest is needed */
    struct zone_image_pos names, nsec3;
    bool more_names, more_nsec3;
    uint64_t records;               /* digested so far */
    enum zone_zonemd_result result; /* as far as it is known before the digest is */
    size_t used;
    uint8_t buf[4096]; /* on its way into the hashes */
    char why[200];
};

/* Begins to verify. `z` is borrowed until the last step. */
void zone_zonemd_begin(struct zone_zonemd *m, const struct zone *z);

/* Digests the records of further names until at least `records` are done. False when it was the last
 * step: then zone_zonemd_end() has the result. */
bool zone_zonemd_step(struct zone_zonemd *m, uint32_t records);

/* The result, after the last step. `why` is a sentence for GOOD too ("SHA-384 of serial 7, 14 records");
 * it lives as long as *m. */
enum zone_zonemd_result zone_zonemd_end(struct zone_zonemd *m, const char **why);

/* All steps at once. */
enum zone_zonemd_result zone_zonemd_verify(struct zone_zonemd *m, const struct zone *z,
                                           const char **why);

/* The digest of the zone, whatever its own ZONEMD says. Returns its length, 0 when the algorithm is not
 * known. */
size_t zone_zonemd_digest(const struct zone *z, uint8_t algorithm,
                          uint8_t digest[ZONE_ZONEMD_LEN_MAX]);

#endif
