/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ZONE_EDIT_H
#define ZONE_EDIT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "dns/name.h"
#include "zone/load.h"
#include "zone/version.h"
#include "zone/zone.h"

/* The live image and its one writer. An edit gathers any number of changes to any number of zones; a
 * commit makes them the next version, all or nothing, at the cost of what changed. Objects are appended;
 * readers of older versions see what they saw (docs/decisions/0005). One thread at a time; blocks on
 * memory only. */
struct zone_edit;

/* A new image without zones, in a memfd of its own that can grow and not shrink. The first version is
 * the one after `last_version`, so that versions of a process count up over several files. */
struct zone_edit *zone_edit_new(uint64_t last_version, struct err *e) BASE_MUST_USE;
/* The same with the zones of the image in `fd` (a file of zone_set_write() or zone_build_image(), whose
 * bytes zone_image_verify() found whole), committed already: its bytes are copied as they are, without a
 * look at each record, so that a start costs what reading the file costs. What lies behind the image's
 * end is not looked at. The caller keeps `fd`. */
struct zone_edit *zone_edit_from(int fd, uint64_t last_version, struct err *e) BASE_MUST_USE;
void zone_edit_free(struct zone_edit *ed);

/* A descriptor of the same file that can only be read. Borrowed. */
int zone_edit_fd(const struct zone_edit *ed);

/* The newest committed version; borrowed until the next commit. What it gives stays readable. */
const struct zone_set *zone_edit_set(const struct zone_edit *ed);

/* Each of these adds to the edit that the next commit publishes. False with an error in `errs`: then
 * this call has added nothing, what was added before is still there. */

/* One record more or less. The owner is at or below the zone's origin; RDATA is uncompressed. Both
 * borrowed for the call. For a removal the TTL does not matter, nor the case of names (RFC 1995
 * section 2). */
struct zone_change {
    const struct dns_name *owner;
    const uint8_t *rdata;
    uint32_t ttl_s;
    uint16_t type, len;
    bool add; /* false: remove */
};

/* Changes in their order. Removing what is not there, and a result that a load would refuse, are
 * errors. Time and memory in proportion to `count`. */
bool zone_edit_change(struct zone_edit *ed, const struct dns_name *origin,
                      const struct zone_change *changes, uint32_t count, struct zone_errors *errs);

/* A whole zone, record by record in any order: from AXFR. */
struct zone_whole;
struct zone_whole *zone_whole_new(const struct dns_name *origin) BASE_MUST_USE;
void zone_whole_free(struct zone_whole *w);
/* False when the record is outside the zone or its RDATA is broken, with an error in `errs`. */
bool zone_whole_add(struct zone_whole *w, const struct dns_name *owner, uint16_t type,
                    uint32_t ttl_s, const uint8_t *rdata, uint16_t len, struct zone_errors *errs);
/* Makes it the content of the zone, which need not have been there. `w` is empty afterwards. */
bool zone_edit_replace(struct zone_edit *ed, struct zone_whole *w, struct zone_errors *errs);

/* The zone `z` of another image, as it is. */
bool zone_edit_import(struct zone_edit *ed, const struct zone *z, struct zone_errors *errs);

/* A zone's state. Without content a zone can only be ZONE_EMPTY. A zone that is not there is added. */
bool zone_edit_state(struct zone_edit *ed, const struct dns_name *origin, enum zone_state state,
                     struct zone_errors *errs);

/* Takes the zone away; no error when it is not there. */
void zone_edit_remove(struct zone_edit *ed, const struct dns_name *origin);

/* What the zone will be after the commit, for checks before it: NULL when it is not part of this edit
 * or not there. Borrowed until the next call on `ed`. */
const struct zone *zone_edit_pending(struct zone_edit *ed, const struct dns_name *origin);

/* Publishes; *out names the version. False when memory is short or the file is full: nothing changed. */
bool zone_edit_commit(struct zone_edit *ed, struct zone_version *out, struct err *e);
/* Forgets what was added since the last commit. */
void zone_edit_abort(struct zone_edit *ed);

/* Bytes of the file, and those that the newest version does not use. */
void zone_edit_usage(const struct zone_edit *ed, uint64_t *bytes, uint64_t *dead);
/* A copy without what is dead, in a new file; versions go on counting. */
struct zone_edit *zone_edit_compact(const struct zone_edit *ed, struct zone_version *out,
                                    struct err *e) BASE_MUST_USE;

/* Writes a version as an image of its own to `fd_out`, an empty file; for snapshots, from any thread that
 * holds its own mapping. zone_image_verify() checks what was read back. */
bool zone_set_write(const struct zone_set *s, int fd_out, struct err *e);

/* What leads from one version of a zone to another: removals and additions, name by name, RRSIGs
 * included; SOA first of each kind is the caller's to arrange. Costs one walk over both, less where
 * both are of one file and share blocks. Stops when `each` returns false. */
typedef bool zone_diff_handler(void *arg, const struct zone_change *change);
bool zone_diff(const struct zone *from, const struct zone *to, zone_diff_handler *each, void *arg);

/* The zones that differ between two versions (another object, state or serial; also those that are in
 * one of them only, the other then being NULL), in canonical order. O(changes) for versions of one
 * file. */
typedef bool zone_set_diff_handler(void *arg, const struct zone *from, const struct zone *to);
void zone_set_diff(const struct zone_set *from, const struct zone_set *to,
                   zone_set_diff_handler *each, void *arg);

#endif
