/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The decision, in virtual time: two prefixes with one address each, one eBGP and one iBGP neighbor.
 * run() lets time pass in small steps; what is true meanwhile is in `w`. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "announce/announce.h"

#define STEP_MS 5

/* The world around one node. */
struct world {
    struct announce a;
    struct announce_config c;
    struct announce_input in;
    struct verdict_set v;
    struct announce_out out;
    bool good[4];      /* path i is answered rightly: evidence is renewed at every step */
    bool working;      /* the workers advance */
    uint64_t qps, aps; /* of clients */
    uint64_t micro_q, micro_a;
    uint32_t changes; /* steps in which a state or route changed */
};

static struct world *w;

static struct prefix prefix(const char *text)
{
    struct prefix p;
    assert_true(prefix_parse(&p, text));
    return p;
}

static int setup(void **state)
{
    w = calloc(1, sizeof *w);
    *state = w;
    w->c.prefix_count = 2;
    w->c.prefixes[0] =
        (struct announce_prefix){ .prefix = prefix("192.0.2.0/24"), .service = "dns" };
    w->c.prefixes[1] =
        (struct announce_prefix){ .prefix = prefix("2001:db8:53::/48"), .service = "dns" };
    w->c.neighbor_count = 2;
    w->c.neighbors[0] =
        (struct announce_neighbor){ .families = ANNOUNCE_IPV4 | ANNOUNCE_IPV6, .prepend = 1 };
    w->c.neighbors[1] = (struct announce_neighbor){ .families = ANNOUNCE_IPV4, .ibgp = true };
    static const char *const addrs[] = { "192.0.2.53", "2001:db8:53::53" };
    for (uint32_t i = 0; i < 4; i++) {
        struct verdict_path *p = &w->v.paths[i];
        assert_true(addr_parse(&p->addr, addrs[i / 2], 53));
        p->transport = (enum verdict_transport)(i % 2);
        p->why = VERDICT_FINE;
        w->good[i] = true;
    }
    w->v.path_count = 4;
    w->v.worker_count = 2;
    w->in.verdict = &w->v;
    w->in.now = mono_add_ms(MONO_ZERO, 1000000);
    w->in.serve.active = w->in.serve.standby = true;
    w->working = true;
    return 0;
}

static int teardown(void **state)
{
    free(*state);
    return 0;
}

static void start(void)
{
    announce_init(&w->a, &w->c);
}

static void step(void)
{
    w->v.at = w->in.now;
    for (uint32_t i = 0; i < 4; i++)
        if (w->good[i]) {
            w->v.paths[i].proven = true;
            w->v.paths[i].evidence_at = w->v.paths[i].probed_at = w->in.now;
        }
    if (w->working)
        w->v.progress_at = w->in.now;
    announce_step(&w->a, &w->in, &w->out);
    w->changes += w->out.changed;
    for (uint32_t i = 0; i < w->c.prefix_count; i++) {
        assert_true(w->out.prefixes[i].reason[0] != '\0');
        assert_false(mono_before(w->out.next, w->in.now) || w->out.next.ns == w->in.now.ns);
    }
}

static void run(int64_t ms)
{
    for (int64_t t = 0; t < ms; t += STEP_MS) {
        w->in.now = mono_add_ms(w->in.now, STEP_MS);
        w->micro_q += w->qps * STEP_MS;
        w->micro_a += w->aps * STEP_MS;
        w->in.queries = w->micro_q / 1000;
        w->in.answers = w->micro_a / 1000;
        step();
    }
}

static void everything_proven(void)
{
    w->v.zones_loaded = true;
    start();
    step();
}

static enum announce_state state_of(uint32_t i)
{
    return w->out.prefixes[i].state;
}

#define assert_state(i, s)                                                                         \
    do {                                                                                           \
        if (state_of(i) != ANNOUNCE_##s)                                                           \
            fail_msg("prefix %u is %s (%s), not %s", (unsigned)(i),                                \
                     announce_state_name(state_of(i)), w->out.prefixes[i].reason, #s);             \
    } while (0)

/* Runs until the state of prefix `i` changes; returns the ms that took, at most `ms`. */
static int64_t until_change(uint32_t i, int64_t ms)
{
    enum announce_state before = state_of(i);
    int64_t t = 0;
    while (t < ms && state_of(i) == before) {
        run(STEP_MS);
        t += STEP_MS;
    }
    return t;
}

/* ---- what is needed to announce ---- */

static void takes_every_proof(void **state)
{
    (void)state;
    static const char *const what[] = { "zones", "process", "worker", "v4 udp", "v4 tcp" };
    for (uint32_t missing = 0; missing < 6; missing++) {
        memset(w->v.paths[0].text, 0, sizeof w->v.paths[0].text);
        w->v.zones_loaded = missing != 0;
        w->in.serve.active = missing != 1;
        w->working = missing != 2;
        w->v.progress_at = MONO_ZERO;
        for (uint32_t i = 0; i < 2; i++) {
            w->v.paths[i].evidence_at = MONO_ZERO;
            w->v.paths[i].proven = false;
            w->good[i] = missing != 3 + i;
        }
        start();
        run(1000);
        if (missing == 5) {
            assert_state(0, ANNOUNCED);
            assert_int_equal(w->out.route_count, 3);
        } else {
            if (state_of(0) != ANNOUNCE_WAITING)
                fail_msg("announced without %s", what[missing]);
            assert_true(w->out.prefixes[0].now[0] != '\0');
        }
        w->in.now = mono_add_ms(w->in.now, 10000);
    }
}

static void a_prefix_depends_on_its_addresses_only(void **state)
{
    (void)state;
    w->v.zones_loaded = true;
    w->good[3] = false;
    start();
    run(500);
    assert_state(0, ANNOUNCED);
    assert_state(1, WAITING);
    assert_non_null(strstr(w->out.prefixes[1].now, "2001:db8:53::53@53 by tcp"));
}

static void without_an_address_never(void **state)
{
    (void)state;
    w->v.zones_loaded = true;
    w->c.prefixes[1].prefix = prefix("2001:db8:99::/48");
    start();
    run(2000);
    assert_state(0, ANNOUNCED);
    assert_state(1, WAITING);
    assert_string_equal(w->out.prefixes[1].now, "no service address lies in it");
}

static void an_open_fault_is_no_proof(void **state)
{
    (void)state;
    w->v.zones_loaded = true;
    w->v.paths[0].why = VERDICT_RECORD;
    strcpy(w->v.paths[0].text, "www.t. A 192.0.2.9 is not in the zone");
    start();
    run(1000);
    assert_state(0, WAITING);
    assert_non_null(strstr(w->out.prefixes[0].now, "record: www.t. A"));
    assert_state(1, ANNOUNCED);
}

/* ---- the lease ---- */

static void withdrawn_when_the_lease_ends(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 4; i++) {
        teardown(state);
        setup(state);
        everything_proven();
        run(1000);
        w->good[i] = false;
        int64_t ms = until_change(i / 2, 1000);
        assert_in_range(ms, ANNOUNCE_LEASE_MS, ANNOUNCE_LEASE_MS + STEP_MS);
        assert_state(i / 2, FAILED);
        assert_state(1 - i / 2, ANNOUNCED);
        assert_non_null(strstr(w->out.prefixes[i / 2].reason, "evidence"));
    }
}

static void a_fault_repaired_inside_the_lease_changes_nothing(void **state)
{
    (void)state;
    everything_proven();
    run(1000);
    w->changes = 0;
    w->in.serve.active = w->working = false;
    memset(w->good, 0, sizeof w->good);
    w->in.serve.crashed_at = w->in.now;
    w->in.serve.crashes = 1;
    run(150);
    assert_state(0, ANNOUNCED);
    assert_non_null(strstr(w->out.prefixes[0].now, "the lease ends in"));
    w->in.serve.active = w->working = true;
    memset(w->good, 1, sizeof w->good);
    run(5000);
    assert_state(0, ANNOUNCED);
    assert_int_equal(w->changes, 0);
    assert_int_equal(w->out.prefixes[0].flaps, 0);
}

static void a_hung_worker_withdraws(void **state)
{
    (void)state;
    everything_proven();
    run(1000);
    w->working = false;
    w->v.worker_slowest = 1;
    assert_in_range(until_change(0, 1000), ANNOUNCE_LEASE_MS, ANNOUNCE_LEASE_MS + STEP_MS);
    assert_state(0, FAILED);
    assert_state(1, FAILED);
    assert_non_null(strstr(w->out.prefixes[0].reason, "worker 1 has made no progress"));
}

static void asks_to_be_called_when_the_lease_ends(void **state)
{
    (void)state;
    everything_proven();
    w->in.now = mono_add_ms(w->in.now, 150);
    w->working = false;
    memset(w->good, 0, sizeof w->good);
    step();
    assert_int_equal(mono_ms_between(w->in.now, w->out.next), 50);
    w->in.now = w->out.next;
    step();
    assert_state(0, FAILED);
}

/* When our own loop stood still, answers may wait unread: a little longer, but never beyond twice the
 * lease. */
static void a_loop_that_stood_still(void **state)
{
    (void)state;
    everything_proven();
    run(1000);
    mono_t evidence = w->in.now;
    w->working = false;
    memset(w->good, 0, sizeof w->good);
    w->in.now = mono_add_ms(w->in.now, 270);
    w->v.resumed_at = w->in.now;
    step();
    assert_state(0, ANNOUNCED);
    until_change(0, 1000);
    assert_state(0, FAILED);
    assert_in_range(mono_ms_between(evidence, w->in.now), 370, 375);

    teardown(state);
    setup(state);
    everything_proven();
    run(1000);
    w->working = false;
    memset(w->good, 0, sizeof w->good);
    w->in.now = mono_add_ms(w->in.now, 401);
    w->v.resumed_at = w->in.now;
    step();
    assert_state(0, FAILED);
}

/* ---- crashes and standby ---- */

static void the_third_crash_withdraws_at_once(void **state)
{
    (void)state;
    everything_proven();
    run(1000);
    for (uint32_t n = 1; n <= 3; n++) {
        w->in.serve.crashed_at = w->in.now;
        w->in.serve.crashes = n;
        step();
        if (n < 3)
            assert_state(0, ANNOUNCED);
        run(n < 3 ? 1000 : 0);
    }
    assert_state(0, FAILED);
    assert_state(1, FAILED);
    assert_non_null(strstr(w->out.prefixes[0].reason, "crashed 3 times within 10 s"));
    /* Proof alone does not bring it back before ten seconds without a crash. */
    run(9000);
    assert_state(0, FAILED);
    run(1100);
    assert_state(0, HELD);
    run(2000);
    assert_state(0, ANNOUNCED);
}

static void two_crashes_are_no_loop(void **state)
{
    (void)state;
    everything_proven();
    for (uint32_t i = 0; i < 10; i++) {
        w->in.serve.crashed_at = w->in.now;
        w->in.serve.crashes = 2;
        run(5100);
    }
    assert_state(0, ANNOUNCED);
}

static void a_standby_that_fails_its_proof(void **state)
{
    (void)state;
    everything_proven();
    run(1000);
    /* While the active process answers, nothing is lost but the reserve. */
    w->in.serve.standby = false;
    w->in.serve.standby_failed_at = w->in.now;
    w->in.serve.standby_text = "it answered SERVFAIL";
    run(1000);
    assert_state(0, ANNOUNCED);
    w->in.serve.active = false;
    run(STEP_MS);
    assert_state(0, FAILED);
    assert_non_null(strstr(w->out.prefixes[0].reason, "it answered SERVFAIL"));
}

static void a_wrong_answer_asks_for_the_standby_once(void **state)
{
    (void)state;
    uint32_t asked = 0;
    everything_proven();
    run(1000);
    w->v.paths[0].why = VERDICT_SIGNATURE;
    w->v.paths[0].why_since = w->in.now;
    strcpy(w->v.paths[0].text, "t. SOA: 0 of 1 signatures are there");
    w->good[0] = false;
    mono_t since = w->in.now;
    for (int i = 0; i < 20; i++) {
        run(STEP_MS);
        if (w->out.replace) {
            asked++;
            assert_in_range(mono_ms_between(since, w->in.now), 40, 45);
            assert_non_null(strstr(w->out.replace_why, "signature"));
        }
    }
    assert_int_equal(asked, 1);
    assert_state(0, ANNOUNCED);
    run(200);
    assert_state(0, FAILED);
    /* What another process would not do better is not asked for. */
    w->v.paths[2].why = VERDICT_NSID;
    w->v.paths[2].why_since = w->in.now;
    for (int i = 0; i < 60; i++) {
        run(STEP_MS);
        assert_false(w->out.replace);
    }
}

/* ---- hold-down ---- */

static void hold_down_grows_and_is_forgotten(void **state)
{
    (void)state;
    static const int64_t holds_ms[] = { 2000, 4000, 8000, 16000, 32000 };
    everything_proven();
    for (uint32_t i = 0; i < 5; i++) {
        run(500);
        w->good[0] = false;
        until_change(0, 1000);
        assert_state(0, FAILED);
        assert_int_equal(w->out.prefixes[0].flaps, i + 1);
        w->good[0] = true;
        run(STEP_MS);
        assert_state(0, HELD);
        int64_t ms = until_change(0, 100000);
        assert_in_range(ms, holds_ms[i] - STEP_MS, holds_ms[i] + STEP_MS);
        assert_state(0, ANNOUNCED);
    }
    assert_int_equal(w->out.prefixes[0].flaps, 5);
    assert_int_equal(w->out.prefixes[1].flaps, 0);
    run(ANNOUNCE_HOLD_DECAY_MS + STEP_MS);
    assert_int_equal(w->out.prefixes[0].flaps, 4);
    run(4 * ANNOUNCE_HOLD_DECAY_MS);
    assert_int_equal(w->out.prefixes[0].flaps, 0);
}

static void hold_down_has_an_end(void **state)
{
    (void)state;
    w->c.prefixes[0].terms.hold_max_ms = 5000;
    everything_proven();
    for (uint32_t i = 0; i < 40; i++) {
        w->good[0] = false;
        run(ANNOUNCE_LEASE_MS + STEP_MS);
        assert_state(0, FAILED);
        w->good[0] = true;
        run(STEP_MS);
        assert_in_range(until_change(0, 100000), 1900, 5000);
        assert_state(0, ANNOUNCED);
    }
}

static void proof_must_last_through_the_hold(void **state)
{
    (void)state;
    everything_proven();
    w->good[0] = false;
    run(1000);
    w->good[0] = true;
    run(1500);
    assert_state(0, HELD);
    w->good[0] = false;
    run(ANNOUNCE_LEASE_MS + STEP_MS);
    assert_state(0, FAILED);
    w->good[0] = true;
    run(1950);
    assert_state(0, HELD);
    run(100);
    assert_state(0, ANNOUNCED);
}

/* ---- drain ---- */

static void drains_in_steps(void **state)
{
    (void)state;
    w->qps = w->aps = 1000;
    everything_proven();
    run(1000);
    w->in.drain = true;
    w->in.drain_why = "new memory";
    step();
    assert_state(0, DRAINING);
    assert_non_null(strstr(w->out.prefixes[0].reason, "new memory"));
    assert_int_equal(w->out.route_count, 3);
    for (uint32_t i = 0; i < 3; i++) {
        const struct announce_route *r = &w->out.routes[i];
        assert_true(r->graceful_shutdown);
        assert_int_equal(r->prepend, (r->neighbor == 0 ? 1 : 0) + ANNOUNCE_PREPEND);
        assert_int_equal(r->has_local_pref, r->neighbor == 1);
        assert_int_equal(r->local_pref, 0);
    }
    assert_in_range(until_change(0, 10000), ANNOUNCE_DRAIN_DELAY_MS,
                    ANNOUNCE_DRAIN_DELAY_MS + STEP_MS);
    assert_state(0, EMPTYING);
    assert_int_equal(w->out.route_count, 0);
    assert_false(w->out.drained);
    run(3000);
    assert_state(0, EMPTYING);
    w->qps = w->aps = 0;
    assert_in_range(until_change(0, 10000), ANNOUNCE_DRAIN_QUIET_MS - 200,
                    ANNOUNCE_DRAIN_QUIET_MS + 200);
    assert_state(0, DRAINED);
    assert_true(w->out.drained);
    run(60000);
    assert_state(0, DRAINED);
    w->in.drain = false;
    step();
    assert_state(0, ANNOUNCED);
    assert_false(w->out.drained);
}

static void a_drain_ends_at_its_limit(void **state)
{
    (void)state;
    w->qps = w->aps = 1000;
    everything_proven();
    w->in.stop = true;
    run(ANNOUNCE_DRAIN_DELAY_MS + STEP_MS);
    assert_state(0, EMPTYING);
    assert_in_range(until_change(0, 100000), ANNOUNCE_DRAIN_LIMIT_MS - 2 * STEP_MS,
                    ANNOUNCE_DRAIN_LIMIT_MS + STEP_MS);
    assert_state(0, DRAINED);
    assert_non_null(strstr(w->out.prefixes[0].reason, "queries still came"));
}

static void a_drain_can_be_called_off(void **state)
{
    (void)state;
    everything_proven();
    w->in.drain = true;
    run(500);
    assert_state(0, DRAINING);
    w->in.drain = false;
    step();
    assert_state(0, ANNOUNCED);
    assert_false(w->out.routes[0].graceful_shutdown);
}

static void a_fault_while_draining_withdraws(void **state)
{
    (void)state;
    w->c.prefixes[0].terms.drain_delay_ms = 10000;
    everything_proven();
    w->in.drain = true;
    run(500);
    w->good[0] = false;
    run(ANNOUNCE_LEASE_MS + STEP_MS);
    assert_state(0, EMPTYING);
    run(2 * ANNOUNCE_DRAIN_QUIET_MS);
    assert_state(0, DRAINED);
    /* It comes back by the way of a fault. */
    w->good[0] = true;
    w->in.drain = false;
    run(STEP_MS);
    assert_state(0, HELD);
}

static void drained_from_the_start_stays_drained(void **state)
{
    (void)state;
    w->in.drain = true;
    everything_proven();
    for (int i = 0; i < 200; i++) {
        run(100);
        assert_int_equal(w->out.route_count, 0);
    }
    assert_state(0, DRAINED);
    assert_true(w->out.drained);
}

static void a_drain_at_once(void **state)
{
    (void)state;
    w->c.prefixes[0].terms.drain_at_once = true;
    everything_proven();
    w->in.drain = true;
    step();
    assert_state(0, EMPTYING);
    assert_state(1, DRAINING);
}

/* Those whom we vouched for must have noticed first. */
static void a_drain_waits_for_grants(void **state)
{
    (void)state;
    everything_proven();
    run(100);
    w->in.drain = true;
    w->in.grant_at = w->in.now;
    w->in.grant_hold_ms = 5000;
    assert_state(0, ANNOUNCED);
    run(4900);
    assert_state(0, DRAINING);
    run(100 + STEP_MS);
    assert_state(0, EMPTYING);
}

/* ---- capacity ---- */

static void over_capacity(void)
{
    w->c.capacity_qps = 1000;
    w->qps = w->aps = 900;
    everything_proven();
    run(5000);
    assert_state(0, ANNOUNCED);
    w->qps = w->aps = 2000;
    run(1500);
    assert_state(0, REDUCED);
    assert_true(w->out.over_capacity);
    assert_int_equal(w->out.routes[0].prepend, 1 + ANNOUNCE_PREPEND);
    assert_false(w->out.routes[0].graceful_shutdown);
    assert_int_equal(w->out.routes[1].local_pref, 100);
}

static void prepends_above_capacity_and_no_more_below(void **state)
{
    (void)state;
    over_capacity();
    /* Between the low mark and the limit nothing changes. */
    w->qps = w->aps = 900;
    run(60000);
    assert_state(0, REDUCED);
    w->qps = w->aps = 700;
    run(5000);
    assert_state(0, REDUCED);
    run(10000);
    assert_state(0, ANNOUNCED);
}

static void a_short_peak_is_no_load(void **state)
{
    (void)state;
    w->c.capacity_qps = 1000;
    w->qps = w->aps = 500;
    everything_proven();
    run(5000);
    w->aps = 3000;
    run(150);
    w->aps = 500;
    run(3000);
    assert_state(0, ANNOUNCED);
}

static void the_last_site_never_steps_back(void **state)
{
    (void)state;
    over_capacity();
    run(100000);
    assert_state(0, REDUCED);
    assert_true(w->out.prefixes[0].wish);
    assert_true(w->out.prefixes[0].last_site);
    assert_non_null(strstr(w->out.prefixes[0].now, "no other site"));
    /* Another announces, but has not said that it stays. */
    w->c.fleet = true;
    announce_configure(&w->a, &w->c);
    w->in.others[0].heard = w->in.others[0].announcing = 1;
    w->in.others[0].seen_bgp = true;
    run(100000);
    assert_state(0, REDUCED);
    assert_false(w->out.prefixes[0].last_site);
}

static void steps_back_by_permit_and_returns(void **state)
{
    (void)state;
    w->c.fleet = true;
    over_capacity();
    w->in.others[0].heard = w->in.others[0].announcing = 1;
    w->in.others[0].permit = true;
    run(3000);
    assert_state(0, REDUCED);
    run(3000);
    assert_state(0, SHED);
    assert_state(1, REDUCED);
    assert_true(w->out.prefixes[0].wish);
    /* When nobody takes over any more, it is back in the same step. */
    w->in.others[0].permit = false;
    step();
    assert_state(0, REDUCED);
    w->in.others[0].permit = true;
    run(6000);
    assert_state(0, SHED);
    /* And at the latest after its time. */
    w->qps = w->aps = 100;
    assert_in_range(until_change(0, 1000000), ANNOUNCE_CAPACITY_RETURN_MS - 1000,
                    2 * ANNOUNCE_CAPACITY_RETURN_MS);
    assert_state(0, REDUCED);
    run(20000);
    assert_state(0, ANNOUNCED);
}

static void a_grant_of_ours_holds_us(void **state)
{
    (void)state;
    w->c.fleet = true;
    over_capacity();
    w->in.others[0].permit = true;
    w->in.grant_hold_ms = 2200;
    for (int i = 0; i < 100; i++) {
        w->in.grant_at = w->in.now;
        run(200);
    }
    assert_state(0, REDUCED);
    run(2300);
    assert_state(0, SHED);
}

static void by_bgp_alone_one_after_the_other(void **state)
{
    (void)state;
    w->c.rank = 2;
    w->c.rank_count = 3;
    w->in.wall.s = 1764000000; /* the turn of rank 0 begins */
    over_capacity();
    w->in.others[0].seen_bgp = true;
    int64_t ms = 0;
    mono_t begin = w->in.now;
    while (state_of(0) == ANNOUNCE_REDUCED && ms < 60000) {
        ms = mono_ms_between(begin, w->in.now);
        w->in.wall.s = 1764000000 + ms / 1000;
        w->in.wall.ns = (int32_t)(ms % 1000 * 1000000);
        run(STEP_MS);
    }
    assert_state(0, SHED);
    assert_in_range(ms, 2 * ANNOUNCE_RANK_MS, 2 * ANNOUNCE_RANK_MS + 2 * STEP_MS);
    w->in.others[0].seen_bgp = false;
    step();
    assert_state(0, REDUCED);
    /* It waits for the next turn, and acts only at its beginning. */
    w->in.others[0].seen_bgp = true;
    w->in.wall.s = 1764000000 + 2 * ANNOUNCE_RANK_MS / 1000 + 3;
    run(20000);
    assert_state(0, REDUCED);
    w->in.wall.s += 3 * ANNOUNCE_RANK_MS / 1000 - 1;
    run(STEP_MS);
    assert_state(0, SHED);
}

static void alone_in_its_fleet_by_bgp(void **state)
{
    (void)state;
    over_capacity();
    w->in.others[0].seen_bgp = true;
    run(6000);
    assert_state(0, SHED);
}

static void shed_and_then_at_fault(void **state)
{
    (void)state;
    w->c.fleet = true;
    over_capacity();
    w->in.others[0].permit = true;
    run(6000);
    assert_state(0, SHED);
    w->good[1] = false;
    run(ANNOUNCE_LEASE_MS + STEP_MS);
    assert_state(0, FAILED);
    run(100000);
    assert_state(0, FAILED);
    w->good[1] = true;
    w->in.others[0].permit = false;
    run(STEP_MS);
    assert_true(announce_state_is_out(state_of(0)));
}

/* ---- the rest ---- */

static void dry_run_decides_and_announces_nothing(void **state)
{
    (void)state;
    w->c.dry_run = true;
    everything_proven();
    run(1000);
    assert_state(0, ANNOUNCED);
    assert_int_equal(w->out.route_count, 0);
}

static void a_new_configuration_keeps_what_stays(void **state)
{
    (void)state;
    everything_proven();
    w->good[0] = false;
    run(1000);
    assert_state(0, FAILED);
    assert_state(1, ANNOUNCED);
    struct announce_prefix first = w->c.prefixes[0];
    w->c.prefixes[0] = w->c.prefixes[1];
    w->c.prefixes[1] = first;
    w->c.prefixes[2] = first;
    w->c.prefixes[2].prefix = prefix("192.0.2.53/32");
    w->c.prefix_count = 3;
    announce_configure(&w->a, &w->c);
    step();
    assert_state(0, ANNOUNCED);
    assert_state(1, FAILED);
    assert_state(2, WAITING);
    assert_int_equal(w->out.prefixes[1].flaps, 1);
    w->c.prefix_count = 0;
    announce_configure(&w->a, &w->c);
    step();
    assert_int_equal(w->out.route_count, 0);
    assert_false(w->out.drained);
}

/* A worse picture never adds a route: from any state reached at random, taking proof away leaves a
 * subset of the routes. */
static void a_worse_verdict_never_adds_a_route(void **state)
{
    (void)state;
    srandom(1);
    w->c.capacity_qps = 1000;
    everything_proven();
    for (int round = 0; round < 3000; round++) {
        for (uint32_t i = 0; i < 4; i++)
            w->good[i] = random() % 8 != 0;
        w->working = random() % 16 != 0;
        w->in.drain = random() % 16 == 0;
        w->in.serve.active = random() % 16 != 0;
        w->aps = (uint64_t)random() % 2000;
        w->in.others[0].permit = random() % 4 == 0;
        run(random() % 60 * 50);
        struct announce better = w->a, worse = w->a;
        struct announce_out out_better, out_worse;
        memset(&out_better, 0, sizeof out_better);
        memset(&out_worse, 0, sizeof out_worse);
        w->in.now = mono_add_ms(w->in.now, STEP_MS);
        announce_step(&better, &w->in, &out_better);
        struct verdict_set kept = w->v;
        uint32_t k = (uint32_t)random() % 4;
        w->v.paths[k].evidence_at = MONO_ZERO;
        if (k == 3)
            w->v.progress_at = MONO_ZERO;
        announce_step(&worse, &w->in, &out_worse);
        w->v = kept;
        assert_true(out_worse.route_count <= out_better.route_count);
        for (uint32_t i = 0; i < out_worse.route_count; i++) {
            bool there = false;
            for (uint32_t j = 0; j < out_better.route_count; j++)
                there = there || (out_worse.routes[i].prefix == out_better.routes[j].prefix &&
                                  out_worse.routes[i].neighbor == out_better.routes[j].neighbor);
            assert_true(there);
        }
    }
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(takes_every_proof),
        CASE(a_prefix_depends_on_its_addresses_only),
        CASE(without_an_address_never),
        CASE(an_open_fault_is_no_proof),
        CASE(withdrawn_when_the_lease_ends),
        CASE(a_fault_repaired_inside_the_lease_changes_nothing),
        CASE(a_hung_worker_withdraws),
        CASE(asks_to_be_called_when_the_lease_ends),
        CASE(a_loop_that_stood_still),
        CASE(the_third_crash_withdraws_at_once),
        CASE(two_crashes_are_no_loop),
        CASE(a_standby_that_fails_its_proof),
        CASE(a_wrong_answer_asks_for_the_standby_once),
        CASE(hold_down_grows_and_is_forgotten),
        CASE(hold_down_has_an_end),
        CASE(proof_must_last_through_the_hold),
        CASE(drains_in_steps),
        CASE(a_drain_ends_at_its_limit),
        CASE(a_drain_can_be_called_off),
        CASE(a_fault_while_draining_withdraws),
        CASE(drained_from_the_start_stays_drained),
        CASE(a_drain_at_once),
        CASE(a_drain_waits_for_grants),
        CASE(prepends_above_capacity_and_no_more_below),
        CASE(a_short_peak_is_no_load),
        CASE(the_last_site_never_steps_back),
        CASE(steps_back_by_permit_and_returns),
        CASE(a_grant_of_ours_holds_us),
        CASE(by_bgp_alone_one_after_the_other),
        CASE(alone_in_its_fleet_by_bgp),
        CASE(shed_and_then_at_fault),
        CASE(dry_run_decides_and_announces_nothing),
        CASE(a_new_configuration_keeps_what_stays),
        CASE(a_worse_verdict_never_adds_a_route),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
