/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ZONE_ZONE_H
#define ZONE_ZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "dns/name.h"
#include "zone/version.h"

/* The reading side of an image: all zones of a node in one version, position-independent, mapped
 * read-only by several processes at once. Everything returned is borrowed from the set and valid
 * until zone_set_free(). No function here allocates, blocks or writes, but map and free. */
struct zone_set;
struct zone;
/* A name that exists: an owner, or an empty non-terminal (RFC 4592 section 2.2.2). Owners of NSEC3
 * are no names of the zone (RFC 5155 section 7.2.8) and found by zone_nsec3_before() only. */
struct zone_node;

/* Maps the image in `fd` (a sealed memfd or a file); the caller keeps `fd`. NULL with *e filled when
 * it is no image, of another layout version, or torn. A file that was checked here can be read
 * without further checks, whatever its offsets say. */
struct zone_set *zone_set_map(int fd, struct err *e) BASE_MUST_USE;
/* The version `v` of the image in `fd`. Shares the mapping of `before` (which may be NULL) when that is
 * of the same file, so that it costs nothing in proportion to the image; each set is still freed by
 * itself. */
struct zone_set *zone_set_map_version(int fd, const struct zone_version *v,
                                      const struct zone_set *before, struct err *e) BASE_MUST_USE;
void zone_set_free(struct zone_set *s);
void zone_set_cleanup(struct zone_set **s);

/* Counts up from 1 with each change of the image. */
uint64_t zone_set_version(const struct zone_set *s);
/* No two mappings of a process have the same, so that what was remembered of one is not taken for
 * another's that lies at the same address. Never 0. */
uint64_t zone_set_id(const struct zone_set *s);

uint32_t zone_set_count(const struct zone_set *s);
/* Zones in canonical order of their origins; NULL when there are not so many. */
const struct zone *zone_set_at(const struct zone_set *s, uint32_t idx);

/* The zone with the longest origin at or above `name`; NULL when none is. */
const struct zone *zone_set_find(const struct zone_set *s, const struct dns_name *name);

/* Whether a zone can be answered from. */
enum zone_state {
    ZONE_SERVED = 0, /* it has content, and that is valid */
    ZONE_EMPTY,      /* it is configured and has no content yet: it has no apex node */
    ZONE_EXPIRED, /* it has content, older than the SOA's expire time (RFC 1035 section 3.3.13) */
};
enum zone_state zone_state(const struct zone *z);

void zone_origin(const struct zone *z, struct dns_name *out);
uint32_t zone_serial(const struct zone *z);
uint32_t zone_record_count(const struct zone *z);        /* each RRSIG and NSEC3 is one */
bool zone_has_nsec(const struct zone *z);                /* the apex owns an NSEC */
bool zone_has_nsec3(const struct zone *z);               /* the apex owns an NSEC3PARAM */
const struct zone_node *zone_apex(const struct zone *z); /* NULL when it is ZONE_EMPTY */

/* One RRset and the RRSIGs that cover it. RDATA is `count` times { u16 length in network order,
 * bytes }, names in it uncompressed and in the case of the zone's text, in canonical order without
 * duplicates. The same for the signatures (`sig_count` may be 0). */
struct zone_rrset {
    uint16_t type;
    uint16_t count, sig_count;
    uint32_t ttl_s, sig_ttl_s;
    const uint8_t *rdata, *sigs;
    uint32_t rdata_len, sigs_len; /* bytes of all items, their length fields included */
};

/* RRSIG is not found as a type of its own here: it comes with what it covers. zone_node_next() also
 * gives RRSIGs that cover nothing, as an rrset with count 0 and the covered type. */
bool zone_node_find(const struct zone *z, const struct zone_node *n, uint16_t type,
                    struct zone_rrset *out);
/* All RRsets of a node by ascending type: start with *pos = 0, go on while true. */
bool zone_node_next(const struct zone *z, const struct zone_node *n, uint32_t *pos,
                    struct zone_rrset *out);

#define ZONE_NODE_CUT 0x01      /* owns NS and is not the apex: a delegation point */
#define ZONE_NODE_DNAME 0x02    /* owns DNAME */
#define ZONE_NODE_OCCLUDED 0x04 /* below a cut or a DNAME: glue at best, never authoritative */
#define ZONE_NODE_EMPTY 0x08    /* owns no record: an empty non-terminal */
#define ZONE_NODE_CNAME 0x10    /* owns CNAME */
#define ZONE_NODE_DS 0x20       /* a cut that owns DS */
#define ZONE_NODE_WILDCARD 0x40 /* its leftmost label is `*` (RFC 4592 section 2.1.1) */
uint32_t zone_node_flags(const struct zone_node *n);
uint32_t zone_flags(const struct zone *z); /* those of any node: what is not in here is nowhere */

/* The owner name, in the case of the zone's text. */
void zone_node_name(const struct zone *z, const struct zone_node *n, struct dns_name *out);

/* Everything an answer needs to know about where `name` falls. */
struct zone_found {
    const struct zone_node *exact; /* the node of this very name, occluded ones too; or NULL */
    const struct zone_node
        *encloser;                 /* the closest encloser (RFC 4592 section 3.3.1); exact if set */
    uint8_t encloser_labels;       /* labels of the encloser's name */
    const struct zone_node *cut;   /* the highest cut at or above the name; or NULL */
    const struct zone_node *dname; /* the highest DNAME owner strictly above it; or NULL */
    const struct zone_node *wildcard; /* `*.<encloser>` when exact is NULL and it exists; or NULL */
    const struct zone_node
        *nsec; /* zone_nsec_before(), when exact, cut and dname are NULL; or NULL */
};

/* `name` must be at or below the origin of `z`. In a zone that is ZONE_EMPTY nothing is found, not even an
 * encloser. */
void zone_lookup(const struct zone *z, const struct dns_name *name, struct zone_found *out);

/* The node of this very name, occluded ones too; NULL when there is none. `name` must be at or below
 * the origin of `z`. Cheaper than zone_lookup(), for glue. */
const struct zone_node *zone_find_exact(const struct zone *z, const struct dns_name *name);

/* The last node at or before `name` in canonical order that owns an NSEC: the one that matches or
 * covers it (RFC 4035 section 3.1.3). NULL when the zone has no NSEC. */
const struct zone_node *zone_nsec_before(const struct zone *z, const struct dns_name *name);

/* The NSEC3 record that matches `hashed` (a hash in base32hex as the single label below the origin;
 * *matches is true) or the last one before it, and the last of all where there is none before: the
 * one that covers it (RFC 5155 section 7.2.1). NULL when the zone has no NSEC3. */
const struct zone_node *zone_nsec3_before(const struct zone *z, const struct dns_name *hashed,
                                          bool *matches);

/* The last node at or before `name` in canonical order: one at random, for a name at random. `name`
 * must be at or below the origin of `z`; NULL only in a broken image. */
const struct zone_node *zone_node_before(const struct zone *z, const struct dns_name *name);

/* All nodes in canonical order: zone_apex() first, NULL after the last. */
const struct zone_node *zone_node_after(const struct zone *z, const struct zone_node *n);

/* All owners of records and all empty non-terminals in canonical order, then all owners of NSEC3 in
 * theirs, which zone_node_after() never gives. A walk knows its place, so that a step costs the same in a
 * zone of any size. */
struct zone_walk {
    const struct zone *z;
    uint64_t left; /* nodes at most: a walk over a broken image ends as well */
    bool more, nsec3;
    uint64_t place[18];
};
void zone_walk_begin(struct zone_walk *w, const struct zone *z);
const struct zone_node *zone_walk_next(struct zone_walk *w); /* NULL after the last */

#endif
