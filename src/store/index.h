/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef STORE_INDEX_H
#define STORE_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dns/name.h"
#include "store/store.h"

/* What is known in memory of each zone: its times, and where its history is. Some 100 bytes for a zone
 * that has either, 32 for a step of history. No files here. */

#define STORE_STEPS_MAX (1u << 18) /* of all zones: 8 MiB; the oldest go first */
#define STORE_STEPS_ZONE_PART 64   /* of them a zone keeps this part when room is needed */

/* One version from another, and the entry that has the changes. */
struct store_step {
    uint64_t at; /* where its first frame begins in the journal */
    uint32_t file;
    uint32_t from, to;
    uint32_t bytes; /* of its items, about; sticks at its maximum */
    uint32_t zone;  /* of the index's own use, like `back` */
    uint32_t back;
};

struct store_index;
/* `seed`: a random number. `steps_max`: STORE_STEPS_MAX, or less for tests. */
struct store_index *store_index_new(uint64_t seed, uint32_t steps_max);
void store_index_free(struct store_index *x);

/* Adds a step. It goes on from the last one's serial or it begins a new history, since a history has no
 * gaps; so does one that does not go forward (RFC 1982). Steps come in the order of their files. */
void store_index_step(struct store_index *x, const struct dns_name *origin,
                      const struct store_step *step);
/* The zone came whole: its history begins anew. */
void store_index_whole(struct store_index *x, const struct dns_name *origin);
void store_index_remove(struct store_index *x, const struct dns_name *origin);
void store_index_times_set(struct store_index *x, const struct dns_name *origin,
                           const struct store_times *t);
/* What an entry of a journal means: one of the above, and its times if it has any. */
void store_index_entry(struct store_index *x, enum store_kind kind, const struct dns_name *origin,
                       const struct store_step *step, const struct store_times *t);
/* NULL when none were given. */
const struct store_times *store_index_times(const struct store_index *x,
                                            const struct dns_name *origin);
void store_index_times_clear(struct store_index *x);
/* Steps in files below `file` are gone. */
void store_index_drop(struct store_index *x, uint32_t file);

/* The steps that lead from one serial to the other, in order, in an array that the caller frees; *count of
 * them. NULL when there is no such way. */
struct store_step *store_index_find(const struct store_index *x, const struct dns_name *origin,
                                    uint32_t from, uint32_t to, uint32_t *count);

/* The table of times for a snapshot (store/frame.h), which the caller frees. */
uint8_t *store_index_table(const struct store_index *x, size_t *len, uint32_t *rows);

#endif
