/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TRANSFER_MEMBERS_H
#define TRANSFER_MEMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "dns/name.h"
#include "transfer/catalog.h"
#include "zone/zone.h"

/* The members of all catalogs, and what a new version of a catalog changes of them (RFC 9432 section 5). A
 * catalog claims zones; of several claims of a zone one counts, and those of the operator's file before
 * all. Without files or sockets; the same calls give the same events. About 200 bytes for a member. */
struct transfer_members;
struct transfer_members *transfer_members_new(uint64_t seed) BASE_MUST_USE; /* seed: at random */
void transfer_members_free(struct transfer_members *m);

enum transfer_members_what {
    TRANSFER_MEMBERS_ADDED,
    TRANSFER_MEMBERS_REMOVED, /* its data is to be forgotten (section 5.3), unless `configured` */
    TRANSFER_MEMBERS_RESET, /* its label changed: forgotten, then had anew (sections 5.4 and 5.6) */
    TRANSFER_MEMBERS_MOVED, /* another catalog has it now; `reset`: as for RESET (section 4.4.1) */
    TRANSFER_MEMBERS_GROUPS,  /* its groups changed */
    TRANSFER_MEMBERS_IGNORED, /* claimed, and somebody else has it (section 5.2): for the log */
};

struct transfer_members_event {
    enum transfer_members_what what;
    const struct dns_name *origin;
    uint16_t catalog; /* that has it now; of REMOVED: that had it; of IGNORED: that claims it */
    uint16_t before;  /* MOVED: that had it; IGNORED: that has it, unless `configured` */
    bool reset;
    bool configured;      /* IGNORED, REMOVED: since the operator's file has the zone */
    const uint8_t *label; /* in `catalog` */
};
/* Called within an update, which it must not call again. What it gets is borrowed for the call. */
typedef void transfer_members_handler(void *arg, const struct transfer_members_event *ev);

/* The catalog number `catalog` (numbers are the caller's) has the content `z`, whose origin is `name`.
 * `labels` are those of the members that the change touched (transfer_catalog_label() of all owners of an
 * IXFR, each TRANSFER_CATALOG_LABEL bytes, in any order, repeated or not); NULL: compare all. `z` NULL: the
 * catalog is no longer configured, all of its members go. False when it is broken: then nothing changes,
 * and `why` says what is wrong. Costs what is touched, or one walk. */
bool transfer_members_update(struct transfer_members *m, uint16_t catalog,
                             const struct dns_name *name, const struct zone *z,
                             const uint8_t (*labels)[TRANSFER_CATALOG_LABEL], uint32_t count,
                             transfer_members_handler *each, void *arg,
                             char why[TRANSFER_CATALOG_WHY]);

/* The operator's file has this zone, or has it no longer: what it has no catalog can have. */
void transfer_members_configured(struct transfer_members *m, const struct dns_name *origin,
                                 bool has, transfer_members_handler *each, void *arg);

/* The catalog that has the zone, and its label there; false when none does. `label` may be NULL. */
bool transfer_members_find(const struct transfer_members *m, const struct dns_name *origin,
                           uint16_t *catalog, uint8_t *label);
uint32_t transfer_members_count(const struct transfer_members *m);

#endif
