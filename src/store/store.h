/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "dns/name.h"
#include "zone/edit.h"

/* Zones on disk: snapshots (images) and journals, in one folder (docs/decisions/0005, docs/store.md).
 * Everything that was synced is there after any crash; what was not is cut off. Written by one process,
 * `transfer`, and by one thread of it but for what says otherwise; blocks on disk. Files of others in the
 * folder are left alone. */
struct store;

/* Opens the folder `dirfd` (which the caller keeps open), finds the newest snapshot that is whole and the
 * journals behind it, and says in the log what it cut off or found damaged. Damage is no error: what is
 * good is there. NULL when the folder cannot be read or belongs to a running process (a lock).
 * `history_max`: bytes of old journals that are kept for IXFR out, besides those that recovery needs. */
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

/* Appending. An entry is what is given between begin and end; one at a time. It goes to the file in
 * parts, so that memory does not grow with it, and counts for nothing before store_sync() returned true,
 * which makes all that were ended durable at once. Records of a STORE_CHANGE: those removed, then those
 * added, the SOA first of each (RFC 1995 section 4), and it applies to the version `from_serial` only. Of a
 * STORE_WHOLE: all of the zone in any order, once; `from_serial` is of no meaning. */
void store_begin(struct store *s, enum store_kind kind, const struct dns_name *origin,
                 uint32_t from_serial, uint32_t to_serial);
void store_record(struct store *s, const struct zone_change *record);
/* Of any kind but STORE_REMOVE; a zone's times stay until they are given again, or it is removed. */
void store_times(struct store *s, const struct store_times *times);
/* False when it could not be written (the disk is full, …) or has a broken record: then the entry never
 * was. Those ended before it may still count: store_sync() says. Another entry may be tried at any time. */
bool store_end(struct store *s, struct err *e);
/* Instead of store_end(): the entry never was. */
void store_abort(struct store *s);

/* A STORE_WHOLE of a built zone, begin and end included; `times` may be NULL. */
bool store_zone(struct store *s, const struct zone *z, const struct store_times *times,
                struct err *e);

/* False: none of the entries that were ended since the last store_sync() count; they are void in memory
 * and on disk, and the caller must not publish what they said. Later entries go to a new file (a sync that
 * failed once is never believed again), and store_is_due(). */
bool store_sync(struct store *s, struct err *e) BASE_MUST_USE;

/* At the start: a new edit with everything that the store holds, committed, its version in *out. NULL
 * with *e only when memory or descriptors are short: a store that is empty or damaged gives what it has.
 * `each` tells of each zone what is known besides; it may be NULL. Before the first entry, if at all. */
typedef void store_zone_handler(void *arg, const struct zone *z, const struct store_times *times);
struct zone_edit *store_recover(struct store *s, uint64_t last_version, store_zone_handler *each,
                                void *arg, struct zone_version *out, struct err *e) BASE_MUST_USE;

/* The history of a zone from one serial to another, for IXFR out: `to_serial` is the version that is
 * served. NULL when it does not reach so far back, or the serials are the same. The reader gives the
 * records of each step in the order in which they were stored. Files it needs stay readable while it is
 * open; open and close by the thread that has the store, next by any one thread. */
struct store_history;
struct store_history *store_history_open(struct store *s, const struct dns_name *origin,
                                         uint32_t from_serial, uint32_t to_serial) BASE_MUST_USE;
/* False at the end, and when a file cannot be read (*e is filled in then, and only then: start with all
 * zero). `out` and what it points to are borrowed until the next call. *step counts the versions, from 0. */
bool store_history_next(struct store_history *h, struct zone_change *out, uint32_t *step,
                        struct err *e);
/* Bytes of RDATA and owners in all steps, about: whether the whole zone would be shorter. */
uint64_t store_history_bytes(const struct store_history *h);
void store_history_close(struct store_history *h);

/* A new snapshot. begin: from here on entries go to a new journal; all ended entries must have been
 * synced. `set` is the version that has all that was synced before begin, and nothing later. write: the
 * long part, may run in a thread of its own that holds its own mapping. end: makes it count and removes
 * what is not needed any more; with `written` false it forgets the attempt. One at a time. Wanted when
 * store_is_due(): the journals behind the snapshot have outgrown it, or a file is suspect. */
bool store_is_due(const struct store *s);
struct store_snapshot;
struct store_snapshot *store_snapshot_begin(struct store *s, struct err *e) BASE_MUST_USE;
bool store_snapshot_write(struct store_snapshot *n, const struct zone_set *set, struct err *e);
bool store_snapshot_end(struct store *s, struct store_snapshot *n, bool written, struct err *e);

/* Bytes of all files, and of the journals among them. */
void store_usage(const struct store *s, uint64_t *bytes, uint64_t *journal_bytes);

#endif
