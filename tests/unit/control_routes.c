/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Between announce and BGP: attributes, and which heard routes tell of another site. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "control/parts.h"

#define OWN 65001
#define SISTER 65002 /* another node of the fleet, of another AS */

static struct config_neighbor upstream = { .as = 64501 };
static struct config_node nodes[] = { { .as = OWN, .neighbors = { &upstream, 1 } },
                                      { .as = SISTER } };
static const struct config fleet = { .nodes = { nodes, 2 } };

static const struct {
    const char *what;
    uint32_t path[6]; /* 0 ends it */
    enum bgp_relation relation;
    bool has_set, other_site;
} rows[] = {
    { "a site with an AS number of its own",
      { 64501, 64502, SISTER },
      BGP_RELATION_EQUAL,
      false,
      true },
    { "the same at the next router", { SISTER }, BGP_RELATION_EQUAL, false, true },
    { "a site of our AS number behind two networks",
      { 64501, 64502, OWN },
      BGP_RELATION_EQUAL,
      false,
      true },
    { "the same, prepended", { 64501, 64502, OWN, OWN, OWN }, BGP_RELATION_EQUAL, false, true },
    { "our own route, told back", { 64501, OWN }, BGP_RELATION_EQUAL, false, false },
    { "our own route, prepended by us",
      { 64501, OWN, OWN, OWN },
      BGP_RELATION_EQUAL,
      false,
      false },
    { "our own route, prepended by the neighbor",
      { 64501, 64501, OWN },
      BGP_RELATION_EQUAL,
      false,
      false },
    { "our own route, told back through half the Internet",
      { 64502, 64503, 64501, OWN },
      BGP_RELATION_EQUAL,
      false,
      false },
    { "somebody who is not of the fleet", { 64501, 64666 }, BGP_RELATION_EQUAL, false, false },
    { "a covering route", { 64501, 64502, SISTER }, BGP_RELATION_COVERS, false, false },
    { "a more specific one", { 64501, 64502, SISTER }, BGP_RELATION_INSIDE, false, false },
    { "an origin that is a set", { 64501, 64502, SISTER }, BGP_RELATION_EQUAL, true, false },
    { "an empty path", { 0 }, BGP_RELATION_EQUAL, false, false },
};

static void another_site_is_told_from_an_echo(void **state)
{
    (void)state;
    for (size_t i = 0; i < BASE_COUNT(rows); i++) {
        struct bgp_seen seen = { .relation = rows[i].relation };
        struct bgp_path *p = &seen.path;
        while (p->count < 6 && rows[i].path[p->count] != 0) {
            p->as[p->count] = rows[i].path[p->count];
            p->count++;
        }
        p->len = p->count;
        p->has_set = rows[i].has_set;
        p->origin = p->count != 0 ? p->as[p->count - 1] : 0;
        if (control_routes_is_other_site(&fleet, &nodes[0], &seen) != rows[i].other_site)
            fail_msg("%s: taken for %s", rows[i].what,
                     rows[i].other_site ? "no other site" : "another site");
    }
}

static void attributes_come_from_neighbor_and_decision(void **state)
{
    (void)state;
    uint32_t communities[] = { 64501u << 16 | 100, 64501u << 16 | 100 };
    struct config_large_community large[] = { { 64501, 1, 2 } };
    struct config_neighbor neighbors[] = {
        { .communities = { communities, 2 },
          .large_communities = { large, 1 },
          .has_med = true,
          .med = 50 },
        { .as = OWN },
    };
    struct config_node node = { .as = OWN, .neighbors = { neighbors, 2 } };
    struct announce_config *a = base_calloc(1, sizeof *a);
    struct announce_out *out = base_calloc(1, sizeof *out);
    struct control_routes r;
    control_routes_init(&r);
    a->prefix_count = 1;
    assert_true(prefix_parse(&a->prefixes[0].prefix, "192.0.2.0/24"));
    snprintf(out->prefixes[0].reason, sizeof out->prefixes[0].reason, "draining");
    out->route_count = 2;
    out->routes[0] = (struct announce_route){ .prepend = 4, .graceful_shutdown = true };
    out->routes[1] =
        (struct announce_route){ .neighbor = 1, .has_local_pref = true, .local_pref = 0 };
    control_routes_fill(&r, &node, a, out);
    assert_int_equal(r.count, 2);
    const struct bgp_route *x = &r.rows[0], *y = &r.rows[1];
    assert_int_equal(x->prefix.family, BGP_IPV4);
    assert_int_equal(x->prefix.len, 24);
    assert_string_equal(x->reason, "draining");
    assert_int_equal(x->attrs.prepend, 4);
    assert_int_equal(x->attrs.community_count, 2); /* given twice is told once */
    assert_int_equal(x->attrs.communities[1], BGP_COMMUNITY_GRACEFUL_SHUTDOWN);
    assert_int_equal(x->attrs.large_count, 1);
    assert_true(x->attrs.has_med && x->attrs.med == 50);
    assert_false(x->attrs.has_local_pref);
    assert_int_equal(y->neighbor, 1);
    assert_true(y->attrs.has_local_pref && y->attrs.local_pref == 0 && !y->attrs.has_med);
    control_routes_fini(&r);
    free(out);
    free(a);
}

/* What is withdrawn says why: each prefix for itself, and only those that are not out. */
static void each_withdrawn_prefix_has_its_own_reason(void **state)
{
    (void)state;
    static const char *const prefixes[] = { "192.0.2.0/24", "2001:db8:53::/48", "198.51.100.0/24" };
    static const char *const reasons[] = { "no answer by udp", "address is gone", "proven" };
    struct announce_config *a = base_calloc(1, sizeof *a);
    struct announce_out *out = base_calloc(1, sizeof *out);
    struct config_node node = { .as = OWN };
    struct control_routes r;
    control_routes_init(&r);
    a->prefix_count = 3;
    for (uint32_t i = 0; i < 3; i++) {
        assert_true(prefix_parse(&a->prefixes[i].prefix, prefixes[i]));
        out->prefixes[i].state = i < 2 ? ANNOUNCE_FAILED : ANNOUNCE_ANNOUNCED;
        snprintf(out->prefixes[i].reason, sizeof out->prefixes[i].reason, "%s", reasons[i]);
    }
    control_routes_fill(&r, &node, a, out);
    assert_int_equal(r.gone.count, 2);
    for (uint32_t i = 0; i < 2; i++) {
        char text[BGP_PREFIX_TEXT_MAX];
        assert_string_equal(bgp_prefix_text(&r.gone.rows[i].prefix, text), prefixes[i]);
        assert_string_equal(r.gone.rows[i].reason, reasons[i]);
    }
    control_routes_fini(&r);
    free(out);
    free(a);
}

static void prefixes_survive_both_ways(void **state)
{
    (void)state;
    static const char *const texts[] = { "192.0.2.0/24", "192.0.2.53/32", "2001:db8:53::/48",
                                         "2001:db8:53::53/128" };
    for (size_t i = 0; i < BASE_COUNT(texts); i++) {
        struct prefix p;
        char text[BGP_PREFIX_TEXT_MAX];
        assert_true(prefix_parse(&p, texts[i]));
        struct bgp_prefix b = control_bgp_prefix(&p);
        assert_string_equal(bgp_prefix_text(&b, text), texts[i]);
        struct prefix back = control_prefix(&b);
        assert_true(prefix_equal(&back, &p));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_site_is_told_from_an_echo),
        cmocka_unit_test(attributes_come_from_neighbor_and_decision),
        cmocka_unit_test(each_withdrawn_prefix_has_its_own_reason),
        cmocka_unit_test(prefixes_survive_both_ways),
    };
    return cmocka_run_group_tests_name("control_routes", tests, NULL, NULL);
}
