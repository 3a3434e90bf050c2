/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ZONE_TEXT_H
#define ZONE_TEXT_H

#include "dns/name.h"
#include "zone/load.h"
#include "zone/stage.h"

/* Zone text into a stage: by libzscanner, and by our own reader (zone/entry.h) what it refuses. Files of
 * this room only. */

struct zone_entry;

#define ZONE_INCLUDE_DEPTH_MAX 8 /* files that include each other */
#define ZONE_FILES_MAX 1024      /* files of one zone */
#define ZONE_TTL_DEFAULT_S 3600  /* where the text says none, as in Knot DNS */

/* Where the records of one zone go. */
struct zone_text {
    struct dns_name origin;
    struct zone_stage *stage;
    struct zone_errors *errs;
    char *file[ZONE_FILES_MAX]; /* the zone's own first, then those it includes; owned */
    unsigned files;
    /* The owner of the last record, to see that the next has the same. */
    uint8_t owner[DNS_NAME_MAX];
    size_t owner_len; /* 0: there is none */
    uint16_t owner_file;
    bool owner_outside;
    /* The last TTL that a record stated, for those that follow without one where there is no $TTL
     * (RFC 1035 section 5.1). */
    uint32_t last_ttl_s, default_ttl_s;
    bool has_last_ttl,
        has_default_ttl;      /* $TTL goes on behind an included file, as in BIND and NSD */
    struct zone_entry *entry; /* the one our own reader has in hand; owned */
    bool own_only;            /* for tests: libzscanner reads nothing */
};

void zone_text_init(struct zone_text *t, const struct dns_name *origin, struct zone_stage *stage,
                    struct zone_errors *errs);
void zone_text_fini(struct zone_text *t);

/* Reads the master file at `path` with all that it includes. False when something was wrong. */
bool zone_text_file(struct zone_text *t, const char *path);

/* The same from memory; `path` names it in messages and is where relative includes start from. */
bool zone_text_bytes(struct zone_text *t, const char *path, uint8_t *bytes, size_t len);

#endif
