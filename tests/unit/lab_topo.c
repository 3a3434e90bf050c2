/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "lab/stage.h"
#include "lab/step.h"
#include "lab/topo.h"

static const char good[] = "lab: t\n"
                           "service:\n"
                           "  as: 65001\n"
                           "  addresses: [192.0.2.53, 2001:db8:53::53]\n"
                           "  announce: [192.0.2.0/24, 2001:db8:53::/48]\n"
                           "  options: {lease: 200ms}\n"
                           "regions: [here, there]\n"
                           "routers:\n"
                           "  - {name: r1, region: here, as: 1}\n"
                           "  - {name: r2, region: there, as: 4200000000}\n"
                           "links:\n"
                           "  - {between: [r1, r2], delay: 40ms, rate: 4mbit}\n"
                           "sites:\n"
                           "  - name: a\n"
                           "    region: here\n"
                           "    capacity: 5\n"
                           "    nodes: [{name: a1, router: r1, delay: 1ms}]\n"
                           "clients:\n"
                           "  - {name: c1, region: there, router: r2}\n"
                           "bots:\n"
                           "  - {name: b1, region: here, router: r1}\n";

static struct lab_topo *read_text(struct yml *y, const char *text)
{
    yml_node root = yml_read(y, "t.yaml", text, strlen(text));
    struct lab_topo *t = root ? lab_topo_read(y, root) : NULL;
    yml_fini(y);
    return t;
}

static void a_good_one_is_read(void **state)
{
    (void)state;
    struct yml y;
    struct lab_topo *t = read_text(&y, good);
    assert_non_null(t);
    assert_int_equal(t->host_count, 5);
    assert_int_equal(t->link_count, 4);
    assert_int_equal(t->links[0].delay_us, 40000);
    assert_int_equal(t->links[0].rate_bps, 4000000);
    assert_int_equal(t->links[0].relation, LAB_PEERS);
    struct lab_host *a1 = lab_topo_find(t, "a1");
    assert_non_null(a1);
    assert_int_equal(a1->kind, LAB_NODE);
    assert_int_equal(a1->as, 65001);
    assert_string_equal(lab_topo_router(t, a1)->name, "r1");
    assert_int_equal(t->sites[0].capacity, 5);
    assert_string_equal(t->zone, "lab.example");
    assert_string_equal(t->options[0].value, "200ms");
    /* Every link has networks of its own. */
    for (uint32_t i = 0; i < t->link_count; i++)
        for (uint32_t k = 0; k < i; k++)
            assert_true(ntohl(t->links[i].a4.s_addr) / 4 != ntohl(t->links[k].a4.s_addr) / 4);
    uint32_t c1 = (uint32_t)(lab_topo_find(t, "c1") - t->hosts);
    assert_int_equal(stage_delay_us(t, c1, (uint32_t)(a1 - t->hosts)), 41000);
    assert_int_equal(stage_home(t, &t->hosts[c1]), 0); /* none in its own region */
    assert_false(lab_topo_rename(t, "a-b"));
    assert_true(lab_topo_rename(t, "other"));
    lab_topo_free(t);
}

/* A line of the good one is replaced; the one error must be told at that line with these words. */
static const struct {
    const char *what, *find, *put, *says;
} bad[] = {
    { "unknown key", "delay: 40ms", "dealy: 40ms",
      "12:25: unknown key 'dealy'; did you mean 'delay'?" },
    { "time without unit", "delay: 40ms", "delay: 40", "12:32: '40' is not a number with a unit" },
    { "delay too long", "delay: 40ms", "delay: 3s", "12:32: too long for a delay" },
    { "rate without unit", "rate: 4mbit", "rate: 4000", "is not a number with a unit" },
    { "no such router", "between: [r1, r2]", "between: [r1, r9]", "there is no router 'r9'" },
    { "a node is no router", "between: [r1, r2]", "between: [r1, a1]", "there is no router 'a1'" },
    { "to itself", "between: [r1, r2]", "between: [r1, r1]", "from 'r1' to itself" },
    { "three ends", "between: [r1, r2]", "between: [r1, r2, r1]", "a link has two ends" },
    { "no such relation", "delay: 40ms", "relation: friends", "no relation 'friends'" },
    { "no such region", "{name: c1, region: there", "{name: c1, region: mars",
      "there is no region 'mars'" },
    { "name twice", "{name: c1", "{name: a1", "there is another 'a1'" },
    { "name with capital", "{name: c1", "{name: C1", "'C1' cannot be a name" },
    { "name too long", "{name: c1", "{name: abcdefghijkl", "cannot be a name" },
    { "name as an option", "{name: c1", "{name: -c1", "cannot be a name" },
    { "name as a path", "{name: c1", "{name: ../c1", "cannot be a name" },
    { "lab with a hyphen", "lab: t", "lab: a-b", "1:6: 'a-b' cannot be a lab's name" },
    { "lab missing", "lab: t\n", "", "'lab' is missing" },
    { "AS 0", "as: 65001", "as: 0", "a number from 1 to 4294967295" },
    { "AS too large", "as: 4200000000", "as: 4294967296", "a number from 1 to 4294967295" },
    { "AS in words", "as: 65001", "as: many", "not 'many'" },
    { "one address", "[192.0.2.53, 2001:db8:53::53]", "[192.0.2.53]", "one IPv4 address" },
    { "wrong order", "[192.0.2.53, 2001:db8:53::53]", "[\"2001:db8:53::53\", 192.0.2.53]",
      "one IPv4 address" },
    { "no prefix", "192.0.2.0/24,", "192.0.2.0,", "'192.0.2.0' is no IPv4 prefix" },
    { "prefix too long", "192.0.2.0/24,", "192.0.2.0/33,", "is no IPv4 prefix" },
    { "prefix with more", "192.0.2.0/24,", "192.0.2.0/24x,", "is no IPv4 prefix" },
    { "hold time", "  options", "  hold_time: 1s\n  options", "hold_time is 3s to 600s" },
    { "zone", "  options", "  zone: 'a b'\n  options", "cannot be the zone's name" },
    { "site without nodes", "[{name: a1, router: r1, delay: 1ms}]", "[]", "at least one node" },
    { "key twice", "as: 65001", "as: 65001\n  as: 65001", "'as' is given twice" },
    { "a list where a word is", "lab: t", "lab: [t]", "one value is needed here" },
    { "a word where a list is", "regions: [here, there]", "regions: here", "a list is needed" },
    { "anchor", "lab: t", "lab: &x t\nx: *x", "aliases are not taken" },
    { "not YAML", "lab: t", "lab: [t", "t.yaml:" },
};

static void every_mistake_is_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < BASE_COUNT(bad); i++) {
        char text[4096], all[8192] = "";
        const char *at = strstr(good, bad[i].find);
        assert_non_null(at);
        snprintf(text, sizeof text, "%.*s%s%s", (int)(at - good), good, bad[i].put,
                 at + strlen(bad[i].find));
        struct yml y;
        struct lab_topo *t = read_text(&y, text);
        FILE *f = fmemopen(all, sizeof all, "w");
        yml_print(&y, f);
        fclose(f);
        if (t != NULL || y.errors == 0 || strstr(all, bad[i].says) == NULL)
            fail_msg("%s: should say \"%s\", says:\n%s", bad[i].what, bad[i].says, all);
    }
}

static void all_mistakes_are_told_at_once(void **state)
{
    (void)state;
    struct yml y;
    assert_null(read_text(&y, "lab: X\nservice: {as: 0, colour: red}\nregions: []\nrouters: []\n"
                              "sites: []\n"));
    assert_true(y.errors >= 4);
    assert_null(read_text(&y, ""));
    assert_int_equal(y.errors, 1);
    assert_null(read_text(&y, "- a\n"));
    assert_int_equal(y.errors, 1);
}

static void nesting_is_bounded(void **state)
{
    (void)state;
    char text[64];
    memset(text, '[', sizeof text);
    struct yml y;
    yml_node root = yml_read(&y, "t.yaml", text, sizeof text);
    assert_null(root);
    assert_string_equal(y.at[0].what, "nested too deeply");
    yml_fini(&y);
}

static bool read_steps(struct yml *y, struct lab_topo *t, const char *text, struct scenario *sc)
{
    yml_node root = yml_read(y, "s.yaml", text, strlen(text));
    bool ok = root != NULL && scenario_read(y, root, t, sc);
    yml_fini(y);
    return ok;
}

static void scenarios_are_read(void **state)
{
    (void)state;
    static struct scenario sc;
    struct yml y;
    struct lab_topo *t = read_text(&y, good);
    assert_true(
        read_steps(&y, t,
                   "scenario: s\nsteps:\n"
                   "  - {do: kill-serve, at: a1, for: 300ms, expect: {lost: 64, updates: 0}}\n"
                   "  - {do: overload, at: a, bots: {b1: 500}, expect: {answered: {here: 9}}}\n",
                   &sc));
    assert_int_equal(sc.count, 2);
    assert_int_equal(sc.qps, 1000);
    assert_int_equal(sc.steps[0].verb, STEP_KILL_SERVE);
    assert_int_equal(sc.steps[0].for_us, 300000);
    assert_int_equal(sc.steps[0].lost_max, 64);
    assert_int_equal(sc.steps[0].updates_max, 0);
    assert_int_equal(sc.steps[0].withdrawn_ms_max, -1);
    assert_int_equal(sc.steps[1].bot_qps[0], 500);
    assert_int_equal(sc.steps[1].answered_min[0], 9);
    assert_int_equal(sc.steps[1].answered_min[1], -1);
    static const struct {
        const char *step, *says;
    } wrong[] = {
        { "{do: sing, at: a1}", "nothing called 'sing' can be done" },
        { "{do: kill-serve}", "'at' is missing" },
        { "{at: a1}", "'do' is missing" },
        { "{do: kill-serve, at: r1}", "'r1' is no node, site or region" },
        { "{do: kill-serve, at: a1, expect: {lots: 1}}", "did you mean 'lost'?" },
        { "{do: kill-serve, at: a1, expect: {to: mars}}", "there is no site 'mars'" },
        { "{do: overload, at: a1}", "overload needs 'bots'" },
        { "{do: flood, bots: {b1: 5}}", "flood needs 'cap'" },
        { "{do: flood, bots: {c1: 5}, cap: 1mbit}", "unknown key 'c1'" },
    };
    for (size_t i = 0; i < BASE_COUNT(wrong); i++) {
        char text[400], all[4096] = "";
        snprintf(text, sizeof text, "steps:\n  - %s\n", wrong[i].step);
        assert_false(read_steps(&y, t, text, &sc));
        FILE *f = fmemopen(all, sizeof all, "w");
        yml_print(&y, f);
        fclose(f);
        if (strstr(all, wrong[i].says) == NULL)
            fail_msg("%s: should say \"%s\", says:\n%s", wrong[i].step, wrong[i].says, all);
    }
    lab_topo_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_one_is_read),
        cmocka_unit_test(every_mistake_is_told),
        cmocka_unit_test(all_mistakes_are_told_at_once),
        cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(scenarios_are_read),
    };
    return cmocka_run_group_tests_name("lab_topo", tests, NULL, NULL);
}
