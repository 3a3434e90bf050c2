/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The records that a master file holds, one a line: owner, TTL, TYPEn, RDATA in hexadecimal; errors on
 * stderr as they are told to an operator. For tests that compare what several programs read.
 *
 *     zone-text [--own] ORIGIN FILE      --own: our own reader alone, without libzscanner */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "zone/errors.h"
#include "zone/text.h"

static void print_run(const struct zone_stage_run *run, const struct dns_name *origin)
{
    const struct zone_stage_record *rec = zone_stage_first(run);
    struct dns_name owner;
    uint8_t wire[DNS_NAME_MAX];
    char text[DNS_TEXT_MAX];
    memcpy(wire, zone_stage_name(run), run->name_len);
    memcpy(wire + run->name_len, origin->wire, origin->len);
    struct rd r = rd_init(wire, (size_t)run->name_len + origin->len);
    if (!dns_name_parse(&owner, &r))
        abort();
    for (uint32_t i = 0; i < run->records; i++, rec = zone_stage_after(rec)) {
        printf("%s %u TYPE%u ", dns_name_text(&owner, text), rec->ttl_s, rec->type);
        for (size_t k = 0; k < rec->len; k++)
            printf("%02x", zone_stage_rdata(rec)[k]);
        printf("\n");
    }
}

int main(int argc, char **argv)
{
    static struct zone_errors errs;
    struct zone_stage stage;
    struct dns_name origin;
    bool own = argc == 4 && strcmp(argv[1], "--own") == 0;
    if (argc != 3 + own || !dns_name_from_text(&origin, argv[1 + own])) {
        fprintf(stderr, "usage: zone-text [--own] ORIGIN FILE\n");
        return 2;
    }
    struct zone_text *t = calloc(1, sizeof *t);
    zone_stage_init(&stage);
    zone_text_init(t, &origin, &stage, &errs);
    t->own_only = own;
    zone_text_file(t, argv[2 + own]);
    for (size_t i = 0; i < stage.runs; i++)
        print_run(zone_stage_run_at(&stage, i), &origin);
    for (uint32_t i = 0; i < errs.kept; i++) {
        char text[ZONE_ERROR_TEXT_MAX];
        fprintf(stderr, "%s\n", zone_error_text(&errs.at[i], text, sizeof text));
    }
    zone_text_fini(t);
    zone_stage_fini(&stage);
    free(t);
    return errs.errors != 0;
}
