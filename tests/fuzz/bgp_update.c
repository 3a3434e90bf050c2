/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes as the body of an UPDATE (the first octet says how it is read), then into the tables. The
 * grade and its error belong together, all prefixes are possible ones, and the tables keep their
 * bounds. */
#include <string.h>

#include "base/assert.h"
#include "bgp/rib.h"
#include "fuzz.h"

#define ROWS 8

static uint32_t walk(struct rd list, uint8_t family)
{
    struct bgp_prefix p;
    uint32_t count = 0;
    while (bgp_nlri_next(&list, (enum bgp_family)family, &p)) {
        base_assert(p.len <= bgp_prefix_len_max(p.family));
        char text[BGP_PREFIX_TEXT_MAX];
        struct bgp_prefix again;
        base_assert(bgp_prefix_parse(bgp_prefix_text(&p, text), &again)); /* no bit behind len */
        base_assert(bgp_prefix_eq(&p, &again));
        count++;
    }
    base_assert(!list.bad);
    base_assert(rd_left(&list) == 0);
    return count;
}

static void error_belongs(const struct bgp_update *u)
{
    base_assert((u->error.code == 0) == (u->grade == BGP_GRADE_NONE));
    if (u->grade == BGP_GRADE_NONE)
        return;
    base_assert(u->error.code == BGP_ERR_UPDATE);
    base_assert(u->error.why != NULL);
    base_assert(u->error.data != NULL || u->error.data_len <= sizeof u->error.own);
}

static void into_tables(const struct bgp_update *u)
{
    static const struct bgp_prefix watch[] = {
        { .family = BGP_IPV4, .len = 24, .addr = { 192, 0, 2 } },
        { .family = BGP_IPV6, .len = 32, .addr = { 0x20, 1, 0xd, 0xb8 } },
    };
    struct bgp_seen rows[ROWS];
    struct bgp_rib_in in;
    uint64_t slots[64];
    struct bgp_rib_count count;
    bgp_rib_in_init(&in, rows, ROWS, 64512, 0);
    bgp_rib_in_watch(&in, watch, 2, NULL, NULL);
    bgp_rib_in_apply(&in, u, MONO_ZERO, NULL, NULL);
    base_assert(in.count <= ROWS);
    for (uint32_t i = 0; i < in.count; i++)
        base_assert(rows[i].relation != BGP_RELATION_NONE);
    bgp_rib_count_init(&count, slots, 64, 32, 7);
    bgp_rib_count_apply(&count, u);
    base_assert(count.count <= 32);
    bgp_rib_in_clear(&in, NULL, NULL);
    base_assert(in.count == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > BGP_MSG_MAX_EXTENDED - BGP_HEADER_LEN + 1)
        return 0;
    struct bgp_update_context ctx = { .as4 = data[0] & 1,
                                      .ibgp = data[0] & 2,
                                      .v4_over_v6_next_hop = data[0] & 4,
                                      .families = data[0] & 8 ? BGP_FAMILY_ALL : data[0] >> 4 & 3,
                                      .local_as = 64512 };
    struct bgp_update u;
    enum bgp_grade grade = bgp_update_parse(rd_init(data + 1, size - 1), &ctx, &u);
    base_assert(grade == u.grade);
    error_belongs(&u);
    if (grade == BGP_GRADE_RESET)
        return 0;
    walk(u.withdrawn, BGP_IPV4);
    walk(u.nlri, BGP_IPV4);
    walk(u.mp_withdrawn, u.mp_withdrawn_family);
    walk(u.mp_nlri, u.mp_nlri_family);
    base_assert(u.attrs.path.count <= BGP_PATH_MAX);
    base_assert(!u.end_of_rib || u.prefix_count == 0);
    into_tables(&u);
    return 0;
}
