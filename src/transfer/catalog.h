/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TRANSFER_CATALOG_H
#define TRANSFER_CATALOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dns/name.h"
#include "zone/zone.h"

/* What a catalog zone says (RFC 9432), read from its image. Pure. Which of it counts beside other catalogs
 * and configured zones: transfer/members.h. */

#define TRANSFER_CATALOG_LABEL 64 /* room for a label with its length byte */
#define TRANSFER_CATALOG_WHY 320  /* room for why a catalog is broken */

struct transfer_catalog_member {
    uint8_t
        label[TRANSFER_CATALOG_LABEL]; /* `<unique-N>`: its length, then its bytes in lower case */
    struct dns_name origin;
    bool has_coo;        /* change of ownership (RFC 9432 section 4.4.1) … */
    struct dns_name coo; /* … to this catalog */
    uint64_t groups;     /* of all its groups (section 4.4.2): another number for others; 0: none */
};

enum transfer_catalog_got {
    TRANSFER_CATALOG_NONE, /* there is no such member */
    TRANSFER_CATALOG_MEMBER,
    TRANSFER_CATALOG_BROKEN, /* the catalog must not be processed (section 5.1): `why` */
};

/* Whether its schema version is there, and is "2" (section 4.3.1). Its members stay as they are while it
 * is not. `why`: a sentence with what to do. */
bool transfer_catalog_version(const struct zone *z, char why[TRANSFER_CATALOG_WHY]);

/* The member with this label. */
enum transfer_catalog_got transfer_catalog_member(const struct zone *z, const uint8_t *label,
                                                  struct transfer_catalog_member *out,
                                                  char why[TRANSFER_CATALOG_WHY]);

/* The label of the member that an owner name of the catalog belongs to: of what an IXFR changed. False when
 * it belongs to none. */
bool transfer_catalog_label(const struct zone *z, const struct dns_name *owner,
                            uint8_t label[TRANSFER_CATALOG_LABEL]);

/* All members, by their labels in canonical order. Properties that are not known, custom ones (section 4.5)
 * among them, are passed over. */
struct transfer_catalog_walk {
    const struct zone *z;
    struct zone_walk walk;
    struct dns_name zones; /* the name above all members */
};
void transfer_catalog_begin(struct transfer_catalog_walk *w, const struct zone *z);
enum transfer_catalog_got transfer_catalog_next(struct transfer_catalog_walk *w,
                                                struct transfer_catalog_member *out,
                                                char why[TRANSFER_CATALOG_WHY]);

/* Group `i` of a member, counted from 0: the text of its TXT record, whose strings are put together.
 * False when there are not so many. Borrowed: copied to `text`, which is always ended by a zero. */
#define TRANSFER_CATALOG_GROUP 256
bool transfer_catalog_group(const struct zone *z, const uint8_t *label, uint32_t i,
                            char text[TRANSFER_CATALOG_GROUP]);

#endif
