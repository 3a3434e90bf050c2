/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "zone/stage.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"

#define STAGE_REGION ((size_t)1 << 20) /* bytes */

void zone_stage_init(struct zone_stage *s)
{
    *s = (struct zone_stage){ .cap = 1 << 16, .runs_cap = 1 << 10 };
    s->bytes = base_alloc(s->cap);
    s->run = base_alloc(s->runs_cap * sizeof *s->run);
    zone_stage_reset(s);
}

void zone_stage_fini(struct zone_stage *s)
{
    free(s->bytes);
    free(s->run);
    free(s->left);
    free(s->begun);
}

void zone_stage_reset(struct zone_stage *s)
{
    s->used = 0;
    free(s->left);
    free(s->begun);
    s->left = NULL;
    s->begun = NULL;
    s->regions = 0;
    s->runs = 0;
    s->sorted = true;
    s->full = false;
}

/* Growing doubles, by mremap for what is large: nothing is copied, and room that is not used takes no
 * memory. */
static void *room(struct zone_stage *s, size_t size)
{
    size = (size + 3) & ~(size_t)3;
    s->full |= s->used + size > (size_t)UINT32_MAX * 4;
    if (s->full) /* and stays so: no record may land under another's name */
        return NULL;
    if (s->used + size > s->cap) {
        while (s->used + size > s->cap)
            s->cap *= 2;
        s->bytes = base_realloc(s->bytes, s->cap);
    }
    void *p = s->bytes + s->used;
    s->used += size;
    return p;
}

static uint64_t head_of(const uint8_t *key, size_t len)
{
    uint64_t head = 0;
    for (size_t i = 0; i < 8; i++)
        head = head << 8 | (i < len ? key[i] : 0);
    return head;
}

static int compare_keys(const struct zone_stage_run *a, const struct zone_stage_run *b)
{
    size_t len = a->key_len < b->key_len ? a->key_len : b->key_len;
    int c = memcmp(zone_stage_key(a), zone_stage_key(b), len);
    return c != 0 ? c : (a->key_len > b->key_len) - (a->key_len < b->key_len);
}

void zone_stage_owner(struct zone_stage *s, uint16_t file, const uint8_t *key, size_t key_len,
                      const uint8_t *name, size_t name_len)
{
    s->unwanted = s->want != NULL && !s->want(s->want_arg, key, key_len);
    if (s->unwanted)
        return;
    size_t at = s->used;
    struct zone_stage_run *r = room(s, sizeof *r + key_len + name_len);
    if (r == NULL)
        return;
    *r = (struct zone_stage_run){ .file = file,
                                  .key_len = (uint16_t)key_len,
                                  .name_len = (uint8_t)name_len };
    memcpy(r + 1, key, key_len);
    memcpy((uint8_t *)(r + 1) + key_len, name, name_len);
    if (s->runs == s->runs_cap) {
        s->runs_cap *= 2;
        s->run = base_realloc(s->run, s->runs_cap * sizeof *s->run);
    }
    s->run[s->runs++] =
        (struct zone_stage_ref){ .head = head_of(key, key_len), .at = (uint32_t)(at / 4) };
    if (s->sorted && s->runs > 1) {
        uint64_t before = s->run[s->runs - 2].head, head = s->run[s->runs - 1].head;
        s->sorted = before < head ||
                    (before == head && compare_keys(zone_stage_run_at(s, s->runs - 2),
                                                    zone_stage_run_at(s, s->runs - 1)) <= 0);
    }
}

void zone_stage_record(struct zone_stage *s, uint32_t line, uint16_t type, uint32_t ttl_s,
                       const uint8_t *rdata, size_t len)
{
    struct zone_stage_record *rec = s->unwanted ? NULL : room(s, sizeof *rec + len);
    if (rec == NULL)
        return;
    *rec = (struct zone_stage_record){
        .line = line, .ttl_s = ttl_s, .type = type, .len = (uint16_t)len
    };
    memcpy(rec + 1, rdata, len);
    struct zone_stage_run *run =
        (struct zone_stage_run *)(void *)(s->bytes + (size_t)s->run[s->runs - 1].at * 4);
    run->records++;
}

/* Equal names stay in the order of the text. */
static int compare_refs(const void *a, const void *b, void *stage)
{
    const struct zone_stage_ref *x = a, *y = b;
    const struct zone_stage *s = stage;
    if (x->head != y->head)
        return x->head < y->head ? -1 : 1;
    int c =
        compare_keys((const struct zone_stage_run *)(const void *)(s->bytes + (size_t)x->at * 4),
                     (const struct zone_stage_run *)(const void *)(s->bytes + (size_t)y->at * 4));
    return c != 0 ? c : (x->at > y->at) - (x->at < y->at);
}

static size_t region_of(const struct zone_stage *s, size_t i)
{
    return (size_t)s->run[i].at * 4 / STAGE_REGION;
}

void zone_stage_sort(struct zone_stage *s)
{
    if (!s->sorted)
        qsort_r(s->run, s->runs, sizeof *s->run, compare_refs, s);
    s->sorted = true;
    s->regions = s->used / STAGE_REGION + 1;
    s->left = base_calloc(s->regions, sizeof *s->left);
    s->begun = base_calloc(s->regions, sizeof *s->begun);
    for (size_t i = 0; i < s->runs; i++) {
        s->left[region_of(s, i)]++;
        s->begun[region_of(s, i)] = true;
    }
}

/* Whether nothing in a region is needed: no run that begins there, and not the last one of the region
 * before, whose records may reach into it. */
static bool is_done(const struct zone_stage *s, size_t region)
{
    size_t before = region;
    while (before > 0 && !s->begun[before - 1])
        before--;
    return s->left[region] == 0 && (before == 0 || s->left[before - 1] == 0);
}

static void give_back(struct zone_stage *s, size_t region)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    size_t end = (region + 1) * STAGE_REGION < s->used ? (region + 1) * STAGE_REGION : s->used;
    uintptr_t from = ((uintptr_t)s->bytes + region * STAGE_REGION + page - 1) / page * page;
    uintptr_t to = ((uintptr_t)s->bytes + end) / page * page;
    if (from < to)
        madvise((void *)from, to - from, MADV_DONTNEED);
}

void zone_stage_done(struct zone_stage *s, size_t i)
{
    size_t region = region_of(s, i);
    if (--s->left[region] != 0)
        return;
    /* This one, and those behind it up to and with the next in which runs begin. */
    for (size_t r = region; r < s->regions; r++) {
        if (is_done(s, r))
            give_back(s, r);
        if (r != region && s->begun[r])
            break;
    }
}
