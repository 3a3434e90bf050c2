/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ZONE_STAGE_H
#define ZONE_STAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The records of one zone between the text and the image. Compact, because for a million delegations
 * this is the larger half of what loading needs: a run is an owner name and the records that follow
 * each other in the text under it; one array of runs is sorted, nothing else moves. */
struct zone_stage_run {
    uint32_t records;
    uint16_t file;    /* index of the file it stands in */
    uint16_t key_len; /* the owner's key below the origin, behind this struct */
    uint8_t name_len; /* the owner's labels below the origin, behind the key */
    uint8_t zero[3];
};

struct zone_stage_record {
    uint32_t line, ttl_s;
    uint16_t type, len; /* RDATA behind this struct */
};

struct zone_stage_ref {
    uint64_t head; /* the first eight bytes of the key, as a number that orders like them */
    uint32_t at;   /* in units of 4 bytes */
    uint32_t zero;
};

struct zone_stage {
    uint8_t *bytes;
    size_t used, cap;
    struct zone_stage_ref *run;
    size_t runs, runs_cap;
    uint32_t *
        left; /* by region of memory: runs that begin there and are not done; NULL before the sort */
    bool *begun; /* by region: a run begins there */
    size_t regions;
    /* Only owners for which this is true are taken; NULL: all. Set after zone_stage_init(). */
    bool (*want)(void *arg, const uint8_t *key, size_t key_len);
    void *want_arg;
    bool unwanted; /* the last owner was not taken */
    bool sorted;   /* the runs came in order */
    bool full;     /* more than the 16 GiB it can hold */
};

void zone_stage_init(struct zone_stage *s);
void zone_stage_fini(struct zone_stage *s);
void zone_stage_reset(struct zone_stage *s); /* forgets the records, keeps the room */

/* Begins a run. */
void zone_stage_owner(struct zone_stage *s, uint16_t file, const uint8_t *key, size_t key_len,
                      const uint8_t *name, size_t name_len);
/* Adds a record to the last run. */
void zone_stage_record(struct zone_stage *s, uint32_t line, uint16_t type, uint32_t ttl_s,
                       const uint8_t *rdata, size_t len);
void zone_stage_sort(struct zone_stage *s);
/* Run `i` of the sorted stage is not needed again. Memory is given back by the region, so that a stage
 * whose text was about in order shrinks while the image grows. Each run once. */
void zone_stage_done(struct zone_stage *s, size_t i);

static inline const struct zone_stage_run *zone_stage_run_at(const struct zone_stage *s, size_t i)
{
    return (const struct zone_stage_run *)(const void *)(s->bytes + (size_t)s->run[i].at * 4);
}

static inline const uint8_t *zone_stage_key(const struct zone_stage_run *r)
{
    return (const uint8_t *)(r + 1);
}

static inline const uint8_t *zone_stage_name(const struct zone_stage_run *r)
{
    return zone_stage_key(r) + r->key_len;
}

static inline const struct zone_stage_record *zone_stage_first(const struct zone_stage_run *r)
{
    size_t at = sizeof *r + r->key_len + r->name_len;
    return (const struct zone_stage_record *)(const void *)((const uint8_t *)r +
                                                            ((at + 3) & ~(size_t)3));
}

static inline const struct zone_stage_record *zone_stage_after(const struct zone_stage_record *rec)
{
    size_t at = sizeof *rec + rec->len;
    return (const struct zone_stage_record *)(const void *)((const uint8_t *)rec +
                                                            ((at + 3) & ~(size_t)3));
}

static inline const uint8_t *zone_stage_rdata(const struct zone_stage_record *rec)
{
    return (const uint8_t *)(rec + 1);
}

#endif
