/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Zone text of any bytes, by our own reader alone and by libzscanner with ours behind it: what it takes is
 * sound RDATA at names in the zone, what it refuses has an error, and both come to the same records. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/assert.h"
#include "fuzz.h"
#include "zone/rdata_text.h"
#include "zone/text.h"

/* Other files are no part of the input, and a million records no finding. */
static bool is_left_out(const uint8_t *data, size_t size)
{
    for (size_t i = 0; i + 8 <= size; i++)
        if (strncasecmp((const char *)data + i, "$INCLUDE", 8) == 0)
            return true;
    return size > 4096;
}

static void look_at(const struct zone_stage *stage)
{
    for (size_t i = 0; i < stage->runs; i++) {
        const struct zone_stage_run *run = zone_stage_run_at(stage, i);
        const struct zone_stage_record *rec = zone_stage_first(run);
        for (uint32_t k = 0; k < run->records; k++, rec = zone_stage_after(rec)) {
            base_assert(rec->ttl_s <= INT32_MAX);
            base_assert(zone_rdata_wire_fault(rec->type, zone_stage_rdata(rec), rec->len) == NULL);
        }
    }
}

static void stage_read(struct zone_stage *stage, struct zone_errors *errs, const uint8_t *data,
                       size_t size, bool own_only)
{
    static struct zone_text text;
    struct dns_name origin;
    uint8_t *copy = malloc(size + 1);
    base_assert(copy != NULL);
    memcpy(copy, data, size);
    base_assert(dns_name_from_text(&origin, "example.com"));
    memset(errs, 0, sizeof *errs);
    zone_stage_init(stage);
    zone_text_init(&text, &origin, stage, errs);
    text.own_only = own_only;
    bool good = zone_text_bytes(&text, "memory", copy, size);
    base_assert(good || errs->errors != 0);
    zone_text_fini(&text);
    free(copy);
}

/* The same records in the same order. */
static void compare(const struct zone_stage *a, const struct zone_stage *b)
{
    base_assert(a->runs == b->runs);
    for (size_t i = 0; i < a->runs; i++) {
        const struct zone_stage_run *x = zone_stage_run_at(a, i), *y = zone_stage_run_at(b, i);
        base_assert(x->records == y->records);
        base_assert(x->name_len == y->name_len);
        base_assert(memcmp(zone_stage_name(x), zone_stage_name(y), x->name_len) == 0);
        const struct zone_stage_record *p = zone_stage_first(x), *q = zone_stage_first(y);
        for (uint32_t k = 0; k < x->records; k++) {
            base_assert(p->type == q->type);
            base_assert(p->ttl_s == q->ttl_s);
            base_assert(p->len == q->len);
            base_assert(memcmp(zone_stage_rdata(p), zone_stage_rdata(q), p->len) == 0);
            p = zone_stage_after(p);
            q = zone_stage_after(q);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct zone_errors errs, errs_own;
    struct zone_stage stage, own;
    if (is_left_out(data, size))
        return -1;
    stage_read(&stage, &errs, data, size, false);
    stage_read(&own, &errs_own, data, size, true);
    look_at(&own);
    base_assert((errs.errors == 0) == (errs_own.errors == 0));
    if (errs.errors == 0)
        compare(&stage, &own);
    zone_stage_fini(&stage);
    zone_stage_fini(&own);
    return 0;
}
