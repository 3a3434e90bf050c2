/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/time.h"
#include "dns/name.h"
#include "zone/edit.h"

/* Zones on disk: a snapshot (an image) and journals, in one folder (docs/decisions/0005). Everything that
 * was synced is there after any crash; what was not is cut off. Written by one process, `transfer`; blocks
 * on disk. Files of others in the folder are left alone. */
struct store;

/* Opens the folder `dirfd` (which the caller keeps) and finds the newest snapshot that is whole and the
 * journals behind it. Says in the log what it cut off. NULL when the folder cannot be written or belongs
 * to a running process (a lock). `history_max`: bytes of old journals that are kept for IXFR out. */
struct store *store_open(int dirfd, uint64_t history_max, struct err *e) BASE_MUST_USE;
void store_close(struct store *s);

/* What a journal entry says. */
enum store_kind {
    STORE_CHANGE = 1, /* a version of a zone from the one before: IXFR in, or text that changed */
    STORE_WHOLE,      /* a version of a zone, whole: AXFR; ends its history for IXFR */
    STORE_REMOVE,     /* the zone is gone */
    STORE_TIMES,      /* when it was refreshed last and so on; no version */
};

/* Of one zone, over a restart. Wall-clock seconds; 0: never. */
struct store_times {
    int64_t refreshed; /* its primary last said that this is the newest version */
    int64_t expires;   /* when it must not be served any more */
    int64_t changed;   /* when this version came */
    uint8_t flags;     /* of the owner's use */
};

/* Appending. An entry is gathered in memory by the calls between begin and end, then written; nothing of
 * it counts before store_sync() returned true, which makes all that were ended durable at once. Records
 * of a STORE_CHANGE: those removed, then those added, the SOA first of each (RFC 1995 section 4). */
void store_begin(struct store *s, enum store_kind kind, const struct dns_name *origin,
                 uint32_t from_serial, uint32_t to_serial);
void store_record(struct store *s, const struct zone_change *record);
void store_times(struct store *s, const struct store_times *times);
bool store_end(struct store *s, struct err *e);
bool store_sync(struct store *s, struct err *e) BASE_MUST_USE;

/* At the start: brings everything that the store holds into `ed`, an empty edit, and commits. `each` tells
 * of each zone what is known besides; it may be NULL. */
typedef void store_zone_handler(void *arg, const struct dns_name *origin,
                                const struct store_times *times);
bool store_recover(struct store *s, struct zone_edit *ed, store_zone_handler *each, void *arg,
                   struct zone_version *out, struct err *e) BASE_MUST_USE;

/* The history of a zone from a serial to the newest, for IXFR out: false when it does not reach so far
 * back. The reader gives the records of each step in the order in which they were stored. */
struct store_history;
struct store_history *store_history_open(struct store *s, const struct dns_name *origin,
                                         uint32_t from_serial) BASE_MUST_USE;
/* False at the end, and when a file cannot be read (*e is filled in then, and only then). `out` and what it
 * points to are borrowed until the next call. *step counts the versions, from 0. */
bool store_history_next(struct store_history *h, struct zone_change *out, uint32_t *step,
                        struct err *e);
/* Bytes of RDATA and owners in all steps: whether the whole zone would be shorter. */
uint64_t store_history_bytes(const struct store_history *h);
void store_history_close(struct store_history *h);

/* A new snapshot. begin: from here on entries go to a new journal; `set` is the version that has all that
 * went to the ones before. write: the long part, may run in a thread of its own with its own mapping. end:
 * makes it count and removes what is not needed any more. Wanted when store_is_due(): the journals behind
 * the snapshot have outgrown it. */
bool store_is_due(const struct store *s);
struct store_snapshot;
struct store_snapshot *store_snapshot_begin(struct store *s, struct err *e) BASE_MUST_USE;
bool store_snapshot_write(struct store_snapshot *n, const struct zone_set *set, struct err *e);
bool store_snapshot_end(struct store *s, struct store_snapshot *n, bool written, struct err *e);

void store_usage(const struct store *s, uint64_t *bytes, uint64_t *journal_bytes);

#endif
