/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ZONE_APPLY_H
#define ZONE_APPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "dns/name.h"
#include "zone/edit.h"
#include "zone/load.h"

/* From one version of an image to the next, in the same file, at the cost of the change: objects are
 * appended and a root slot published; what readers of the old version see stays as it is. */

/* Applies the changes in their order to the zone with this origin in the image `fd` (open for reading
 * and writing, not sealed against writing) and publishes the result as the next version. All or
 * nothing: removing what is not there, and a result that zone_build_image() would refuse, are errors.
 * One writer at a time. Blocks on disk. */
bool zone_image_apply(int fd, const struct dns_name *origin, const struct zone_change *changes,
                      uint32_t count, struct zone_errors *errs);

/* Bytes of the image, and those of them that its newest version does not use any more: when they are
 * most of it, it is time for zone_image_compact(). */
bool zone_image_usage(int fd, uint64_t *bytes, uint64_t *dead, struct err *e);

/* Writes the newest version of `fd` as the first version of `fd_out`, an empty file, without what is
 * dead. */
bool zone_image_compact(int fd, int fd_out, struct err *e);

/* Reads all of the newest version and compares it with its checksum: false when a byte of it is not
 * what was written. For a file that comes from a disk; takes about a second for ten gigabytes. */
bool zone_image_verify(int fd, struct err *e);

#endif
