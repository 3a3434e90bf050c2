/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Zone text of any bytes, by our own reader alone: what it takes is sound RDATA at names in the zone, and
 * what it refuses has an error. */
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct zone_errors errs;
    static struct zone_text text;
    struct zone_stage stage;
    struct dns_name origin;
    if (is_left_out(data, size))
        return -1;
    uint8_t *copy = malloc(size + 1);
    base_assert(copy != NULL);
    memcpy(copy, data, size);
    base_assert(dns_name_from_text(&origin, "example.com"));
    memset(&errs, 0, sizeof errs);
    zone_stage_init(&stage);
    zone_text_init(&text, &origin, &stage, &errs);
    text.own_only = true;
    bool good = zone_text_bytes(&text, "memory", copy, size);
    base_assert(good || errs.errors != 0);
    look_at(&stage);
    zone_text_fini(&text);
    zone_stage_fini(&stage);
    free(copy);
    return 0;
}
