/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ZONE_CHECK_H
#define ZONE_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dns/name.h"
#include "zone/load.h"
#include "zone/zone.h"

/* What can be wrong with a zone although each of its records is right: docs/checks.md has the table of
 * all checks. They read a built zone by zone/zone.h, so that it does not matter whether it came as
 * text, by AXFR, or is what an IXFR made of another. What cannot even be built (CNAME and other data,
 * no SOA, data outside of the zone …) was refused before, by zone_build_image() and
 * zone_image_apply(). */

enum zone_check_zonemd {
    ZONE_CHECK_ZONEMD_OFF,
    ZONE_CHECK_ZONEMD_IF_PRESENT, /* one that is there must be right; one of unknown kind is warned of */
    ZONE_CHECK_ZONEMD_REQUIRED, /* refuse the zone without a right one */
};

struct zone_check_options {
    int64_t
        now_s; /* wall clock, seconds since 1970; 0: the times of signatures are not looked at */
    uint32_t horizon_s; /* warn of signatures that end within; 0: of those only that have ended */
    uint8_t
        shrink_percent; /* refuse a zone that lost more than this share of its records; 100: never */
    bool
        strict; /* what is served wrongly or cannot be validated is an error; else it is a warning, for
                    the world's registries serve such zones every day */
    bool signatures; /* verify them all: RSA takes 30 µs each, ECDSA 150 */
    enum zone_check_zonemd zonemd;
};

/* What a node does that is told nothing else; now_s must be set. */
#define ZONE_CHECK_HORIZON_S (2u * 86400u)
#define ZONE_CHECK_SHRINK_PERCENT 50
#define ZONE_CHECK_DEFAULTS                                                                        \
    ((struct zone_check_options){ .horizon_s = ZONE_CHECK_HORIZON_S,                               \
                                  .shrink_percent = ZONE_CHECK_SHRINK_PERCENT,                     \
                                  .zonemd = ZONE_CHECK_ZONEMD_IF_PRESENT })

/* What a check of a signed zone has seen of its signatures, for those who want to know when the next
 * look is due. */
struct zone_check_seen {
    uint32_t signatures; /* looked at */
    int64_t end_s; /* the first to end does so then; 0: there is none, or now_s was not given */
};

/* Where in the operator's text a record stands: fills *file (borrowed) and *line and returns true when
 * it is known. A check asks it for what it tells only, all at once at its end. */
struct zone_check_place {
    const struct dns_name *owner; /* borrowed, all of them */
    const uint8_t *rdata;         /* NULL: any record of the type */
    uint16_t rdata_len;
    uint16_t type;    /* 0: any record of the name */
    const char *file; /* to be filled; as long as `arg` of the function lives. NULL: not known */
    uint32_t line;
};
typedef void zone_check_find_places(void *arg, struct zone_check_place *places, size_t count);

/* Checks the whole zone; `before` is the version that it shall replace (NULL: there is none, and its
 * loss of records is not judged). `find` may be NULL; `seen` too. False when anything was an error (not
 * only warnings): then the zone should not be served. `file` names the zone's source in messages whose
 * place is not known, and may be NULL. Takes well under a microsecond a record, and with NSEC3 one or
 * two a name; blocks never, allocates little. */
bool zone_check(const struct zone *z, const struct zone *before, const struct zone_check_options *o,
                const char *file, zone_check_find_places *find, void *arg, struct zone_errors *errs,
                struct zone_check_seen *seen);

/* After a change: checks the given names only (those that own what was added or removed; owners of
 * NSEC3 too), the origin always, and the loss of records. Costs as much as there are names. It does not
 * see what the change did to others: a server elsewhere that pointed to an address that is gone, an
 * alias that now loops, a link of the NSEC or NSEC3 chain that skips a name which was not in the list
 * (the links that begin at the given names, and those that should lead to them, it sees), the whole
 * ring of NSEC3, and the zone's digest: that is zone/zonemd.h's, to be run in the background. */
bool zone_check_names(const struct zone *z, const struct zone *before,
                      const struct zone_check_options *o, const struct dns_name *names,
                      size_t count, struct zone_errors *errs);

/* The shrink guard alone: whether `z` may replace `before`, by their numbers of records. A zone that
 * was tiny (below 10 records) may shrink as it likes. */
bool zone_check_shrink(const struct zone *z, const struct zone *before, uint8_t shrink_percent,
                       const char *file, struct zone_errors *errs);

#endif
