/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The rules of health/verdict.h, one by one, in virtual time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "health/check.h"

#define ALL_KINDS (QUESTION_BIT(QUESTION_KINDS) - 1)
#define UDP 0
#define TCP 1

static struct check *c;
static struct check_sample sample;
static struct verdict_set v;
static mono_t now;

static int setup(void **state)
{
    union addr a;
    (void)state;
    c = calloc(1, sizeof *c);
    memset(&sample, 0, sizeof sample);
    now = mono_add_ms(MONO_ZERO, 100000);
    health_check_init(c, 0);
    assert_true(addr_parse(&a, "192.0.2.53", 53));
    assert_true(health_check_add(c, &a, 50));
    sample.worker_count = 2;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(c);
    return 0;
}

static void later(int64_t ms)
{
    now = mono_add_ms(now, ms);
}

/* `workers` is a mask of those that advance. */
static void take_sample(uint32_t workers, uint64_t udp, uint64_t tcp)
{
    for (uint32_t i = 0; i < sample.worker_count; i++)
        sample.progress[i] += (workers >> i) & 1;
    sample.sent[UDP] += udp;
    sample.sent[TCP] += tcp;
    health_check_sample(c, &sample, now);
}

static struct question question(const char *name, enum question_kind kind)
{
    struct question q = { .kind = kind, .qtype = 1 };
    assert_true(dns_name_from_text(&q.qname, name));
    return q;
}

static struct check_result result(enum check_outcome outcome, const struct question *q)
{
    return (struct check_result){ .outcome = outcome,
                                  .q = q,
                                  .wanted = q->kind,
                                  .sent_at = now,
                                  .why = VERDICT_RECORD,
                                  .text = "it is wrong" };
}

/* A probe of path 0 that was sent `ago_ms` ago ends so. */
static bool ended(enum check_outcome outcome, const struct question *q, int64_t ago_ms)
{
    struct check_result r = result(outcome, q);
    r.sent_at = mono_add_ms(now, -ago_ms);
    c->paths[0].in_flight++;
    bool changed = health_check_ended(c, 0, &r, now);
    health_check_verdict(c, now, &v);
    return changed;
}

static void prove_all(void)
{
    for (uint32_t k = 0; k < QUESTION_KINDS; k++) {
        struct question q = question("a.", (enum question_kind)k);
        ended(CHECK_RIGHT, &q, 0);
    }
}

static void begin(void)
{
    health_check_zones(c, ALL_KINDS, now);
    health_check_process(c, true, now);
    take_sample(3, 0, 0);
    later(10);
    take_sample(3, 0, 0);
    later(10);
    prove_all();
}

#define assert_age(at, ms) assert_int_equal(mono_ms_between(at, now), ms)

static void nothing_at_first(void **state)
{
    (void)state;
    health_check_verdict(c, now, &v);
    assert_int_equal(v.path_count, 2);
    assert_int_equal(v.paths[UDP].why, VERDICT_UNTRIED);
    assert_int_equal(v.paths[TCP].transport, VERDICT_TCP);
    assert_int_equal(v.paths[UDP].evidence_at.ns, 0);
    assert_int_equal(v.progress_at.ns, 0);
    struct check_turn t;
    assert_false(health_check_take_turn(c, 0, now, &t));
    assert_int_equal(health_check_next(c).ns, MONO_NEVER.ns);
}

/* Rule 1: by the time of sending. Rule 2: every kind. */
static void proven_by_every_kind(void **state)
{
    (void)state;
    health_check_zones(c, ALL_KINDS, now);
    health_check_process(c, true, now);
    for (uint32_t k = 0; k < QUESTION_KINDS; k++) {
        struct question q = question("a.", (enum question_kind)k);
        later(10);
        bool changed = ended(CHECK_RIGHT, &q, 7);
        assert_age(v.paths[UDP].evidence_at, 7);
        assert_int_equal(v.paths[UDP].proven, k == QUESTION_KINDS - 1);
        assert_int_equal(changed, k == 0 || k == QUESTION_KINDS - 1 ? changed : 0);
    }
    assert_int_equal(v.paths[UDP].how, VERDICT_BY_PROBE);
    assert_false(v.paths[TCP].proven);
    /* New zones: proven anew; the evidence goes on to age and to be renewed. */
    health_check_zones(c, QUESTION_BIT(QUESTION_SOA), now);
    health_check_verdict(c, now, &v);
    assert_false(v.paths[UDP].proven);
    assert_age(v.paths[UDP].evidence_at, 7);
    struct question q = question("a.", QUESTION_RECORD);
    ended(CHECK_RIGHT, &q, 0);
    assert_false(v.paths[UDP].proven);
    assert_age(v.paths[UDP].evidence_at, 0);
    q.kind = QUESTION_SOA;
    ended(CHECK_RIGHT, &q, 0);
    assert_true(v.paths[UDP].proven);
}

static void a_partial_answer_proves_no_kind(void **state)
{
    (void)state;
    health_check_zones(c, QUESTION_BIT(QUESTION_SOA), now);
    health_check_process(c, true, now);
    struct question q = question("a.", QUESTION_SOA);
    struct check_result r = result(CHECK_RIGHT, &q);
    r.partial = true;
    c->paths[0].in_flight++;
    health_check_ended(c, 0, &r, now);
    health_check_verdict(c, now, &v);
    assert_false(v.paths[UDP].proven);
    assert_age(v.paths[UDP].evidence_at, 0);
}

/* Rule 3. */
static void answers_that_left_renew(void **state)
{
    (void)state;
    begin();
    later(10);
    take_sample(3, 1, 0);
    later(10);
    take_sample(3, 1, 0);
    health_check_verdict(c, now, &v);
    assert_int_equal(v.paths[UDP].how, VERDICT_BY_ANSWERS);
    assert_age(v.paths[UDP].evidence_at, 10);         /* between the last two samples */
    assert_int_equal(v.paths[TCP].evidence_at.ns, 0); /* another transport, not proven */
    /* No answer left: it ages. */
    later(10);
    take_sample(3, 0, 1);
    health_check_verdict(c, now, &v);
    assert_age(v.paths[UDP].evidence_at, 20);
}

static void answers_count_while_all_workers_advance(void **state)
{
    (void)state;
    begin();
    later(10);
    take_sample(3, 1, 0);
    for (int i = 1; i <= 20; i++) {
        later(10);
        take_sample(1, 5, 0); /* worker 1 hangs */
    }
    health_check_verdict(c, now, &v);
    assert_age(v.progress_at, 220);
    assert_int_equal(v.worker_slowest, 1);
    assert_age(v.paths[UDP].evidence_at, 210); /* by the last probe */
}

static void answers_count_for_as_long_as_a_probe_vouches(void **state)
{
    (void)state;
    begin();
    for (int i = 0; i < 150; i++) {
        later(10);
        take_sample(3, 5, 0);
    }
    health_check_verdict(c, now, &v);
    /* The last probe is 1,500 ms old: answers vouched for the first 1,000 of them. */
    assert_in_range(mono_ms_between(v.paths[UDP].evidence_at, now), 500, 520);
    struct question q = question("a.", QUESTION_SOA);
    ended(CHECK_RIGHT, &q, 0);
    later(10);
    take_sample(3, 5, 0);
    later(10);
    take_sample(3, 5, 0);
    health_check_verdict(c, now, &v);
    assert_age(v.paths[UDP].evidence_at, 10);
}

static void answers_of_a_new_process_need_a_probe(void **state)
{
    (void)state;
    begin();
    later(10);
    take_sample(3, 1, 0);
    health_check_process(c, false, now);
    mono_t progress = v.progress_at;
    later(30);
    health_check_process(c, true, now);
    memset(&sample, 0, sizeof sample);
    sample.worker_count = 2;
    for (int i = 0; i < 5; i++) {
        later(10);
        take_sample(3, 5, 0);
    }
    health_check_verdict(c, now, &v);
    assert_true(mono_before(progress, v.progress_at));
    assert_true(mono_ms_between(v.paths[UDP].evidence_at, now) >= 80);
    struct question q = question("a.", QUESTION_SOA);
    ended(CHECK_RIGHT, &q, 85); /* sent before the process came: of the old one */
    later(10);
    take_sample(3, 5, 0);
    health_check_verdict(c, now, &v);
    assert_true(mono_ms_between(v.paths[UDP].evidence_at, now) >= 80);
    ended(CHECK_RIGHT, &q, 1);
    later(10);
    take_sample(3, 5, 0);
    later(10);
    take_sample(3, 5, 0);
    health_check_verdict(c, now, &v);
    assert_age(v.paths[UDP].evidence_at, 10);
    assert_true(v.paths[UDP].proven);
}

/* A process has advanced when every worker has; until then what was known of the one before stays. */
static void progress_of_a_new_process(void **state)
{
    (void)state;
    begin();
    later(10);
    take_sample(3, 0, 0);
    health_check_verdict(c, now, &v);
    mono_t before = v.progress_at;
    health_check_process(c, true, now);
    sample.worker_count = 0;
    later(10);
    take_sample(0, 0, 0);
    sample.worker_count = 2;
    for (int i = 0; i < 3; i++) {
        later(10);
        take_sample(1, 0, 0);
    }
    health_check_verdict(c, now, &v);
    assert_int_equal(v.progress_at.ns, before.ns);
    later(10);
    take_sample(3, 0, 0);
    health_check_verdict(c, now, &v);
    assert_age(v.progress_at, 10);
}

/* Rule 4. */
static void a_wrong_answer_is_asked_again(void **state)
{
    (void)state;
    begin();
    struct question wrong = question("www.a.", QUESTION_RECORD);
    struct question other = question("b.a.", QUESTION_RECORD);
    later(10);
    assert_true(ended(CHECK_WRONG, &wrong, 1));
    assert_int_equal(v.paths[UDP].why, VERDICT_RECORD);
    assert_string_equal(v.paths[UDP].text, "it is wrong");
    assert_age(v.paths[UDP].why_since, 0);
    assert_true(v.paths[UDP].proven);
    /* Neither other right answers nor answers that left renew anything. */
    for (int i = 0; i < 10; i++) {
        later(10);
        ended(CHECK_RIGHT, &other, 0);
        take_sample(3, 5, 5);
    }
    assert_age(v.paths[UDP].evidence_at, 110);
    assert_age(v.paths[UDP].why_since, 100);
    /* It is asked again, every other time, and often. */
    uint32_t again = 0, turns = 0;
    struct check_turn t;
    for (int i = 0; i < 10; i++) {
        later(10);
        if (!health_check_take_turn(c, 0, now, &t))
            continue;
        turns++;
        if (t.again) {
            again++;
            assert_true(health_question_equal(&c->paths[0].faults[t.fault].q, &wrong));
        }
    }
    assert_int_equal(turns, 10);
    assert_int_equal(again, 5);
    /* Names are compared without case. */
    struct question same = question("WWW.a.", QUESTION_RECORD);
    assert_true(ended(CHECK_RIGHT, &same, 0));
    assert_int_equal(v.paths[UDP].why, VERDICT_FINE);
    assert_string_equal(v.paths[UDP].text, "");
    assert_age(v.paths[UDP].evidence_at, 0);
}

static void many_faults_are_closed_one_by_one(void **state)
{
    (void)state;
    begin();
    char name[16];
    for (uint32_t i = 0; i < 2 * CHECK_FAULTS_MAX; i++) {
        snprintf(name, sizeof name, "n%u.", i);
        struct question q = question(name, QUESTION_RECORD);
        ended(CHECK_WRONG, &q, 0);
        ended(CHECK_WRONG, &q, 0);
    }
    assert_int_equal(c->paths[0].fault_count, CHECK_FAULTS_MAX);
    for (uint32_t i = 0; i < CHECK_FAULTS_MAX; i++) {
        assert_int_equal(v.paths[UDP].why, VERDICT_RECORD);
        snprintf(name, sizeof name, "n%u.", i);
        struct question q = question(name, QUESTION_RECORD);
        ended(CHECK_RIGHT, &q, 0);
    }
    assert_int_equal(v.paths[UDP].why, VERDICT_FINE);
}

/* Rule 5. */
static void silence_proves_nothing_and_opens_nothing(void **state)
{
    (void)state;
    begin();
    struct question q = question("www.a.", QUESTION_RECORD);
    for (int i = 1; i <= 5; i++) {
        later(10);
        assert_false(ended(CHECK_SILENT, &q, 200));
        assert_int_equal(v.paths[UDP].late_in_row, i);
    }
    assert_int_equal(v.paths[UDP].why, VERDICT_FINE);
    assert_age(v.paths[UDP].evidence_at, 50);
    assert_int_equal(v.paths[UDP].probes_late, 5);
    /* Answers that leave still count: a lost probe under load is no fault. */
    later(10);
    take_sample(3, 5, 0);
    later(10);
    take_sample(3, 5, 0);
    health_check_verdict(c, now, &v);
    assert_age(v.paths[UDP].evidence_at, 10);
    ended(CHECK_UNASKED, &q, 0);
    assert_int_equal(v.paths[UDP].probes_late, 5);
}

/* Rule 3: in a flood every answer is late, and clients' are; late ones that are right vouch for them. */
static void late_answers_vouch_and_are_no_evidence(void **state)
{
    (void)state;
    begin();
    struct question q = question("www.a.", QUESTION_RECORD);
    mono_t evidence = v.paths[UDP].evidence_at;
    for (int i = 0; i < 30; i++) {
        later(100);
        ended(CHECK_LATE, &q, 500);
        assert_int_equal(v.paths[UDP].late_in_row, i + 1);
    }
    assert_int_equal(v.paths[UDP].evidence_at.ns, evidence.ns);
    later(10);
    take_sample(3, 5, 0);
    later(10);
    take_sample(3, 5, 0);
    health_check_verdict(c, now, &v);
    assert_age(v.paths[UDP].evidence_at, 10);
    assert_int_equal(v.paths[UDP].how, VERDICT_BY_ANSWERS);
    /* It closes a fault as well, but proves no kind. */
    ended(CHECK_WRONG, &q, 0);
    assert_int_equal(v.paths[UDP].why, VERDICT_RECORD);
    ended(CHECK_LATE, &q, 500);
    assert_int_equal(v.paths[UDP].why, VERDICT_FINE);
}

/* A probe whose time is up makes room for the next, and is still listened to. */
static void what_is_overdue_is_not_forgotten(void **state)
{
    (void)state;
    begin();
    struct question q = question("www.a.", QUESTION_RECORD);
    struct check_turn t;
    later(50);
    assert_true(health_check_take_turn(c, 0, now, &t));
    struct check_result r = result(CHECK_LATE, &q);
    later(210);
    health_check_overdue(c, 0, now);
    assert_int_equal(c->paths[0].in_flight, 0);
    assert_int_equal(c->paths[0].overdue, 1);
    assert_int_equal(c->paths[0].v.probes_late, 1);
    later(300);
    r.overdue = true;
    health_check_ended(c, 0, &r, now);
    assert_int_equal(c->paths[0].overdue, 0);
    assert_int_equal(c->paths[0].v.probes_late, 1);
    assert_age(c->paths[0].vouched_at, 510);
}

static void what_the_kernel_refuses_is_a_fault(void **state)
{
    (void)state;
    begin();
    struct question q = question("www.a.", QUESTION_RECORD), other = question("b.", QUESTION_SOA);
    later(10);
    struct check_result r = result(CHECK_REFUSED, &q);
    r.why = VERDICT_REFUSED;
    c->paths[0].in_flight++;
    assert_true(health_check_ended(c, 0, &r, now));
    later(10);
    take_sample(3, 5, 0);
    later(10);
    take_sample(3, 5, 0);
    health_check_verdict(c, now, &v);
    assert_int_equal(v.paths[UDP].why, VERDICT_REFUSED);
    assert_age(v.paths[UDP].evidence_at, 30);
    /* Any right answer shows that somebody listens again. */
    assert_true(ended(CHECK_RIGHT, &other, 0));
    assert_int_equal(v.paths[UDP].why, VERDICT_FINE);
    assert_age(v.paths[UDP].evidence_at, 0);
}

static void an_address_that_went(void **state)
{
    (void)state;
    union addr a;
    begin();
    later(10);
    assert_true(addr_parse(&a, "192.0.2.53", 0));
    health_check_address(c, &a, false, now);
    struct question q = question("b.", QUESTION_SOA);
    later(10);
    ended(CHECK_RIGHT, &q, 0); /* another host's, by a route of the host */
    assert_int_equal(v.paths[UDP].why, VERDICT_UNREACHABLE);
    assert_int_equal(v.paths[TCP].why, VERDICT_UNREACHABLE);
    assert_age(v.paths[UDP].why_since, 10);
    assert_age(v.paths[UDP].evidence_at, 20);
    health_check_address(c, &a, true, now);
    ended(CHECK_RIGHT, &q, 0);
    assert_int_equal(v.paths[UDP].why, VERDICT_FINE);
    assert_age(v.paths[UDP].evidence_at, 0);
}

/* ---- turns ---- */

static void turns_come_in_time_and_in_bounds(void **state)
{
    (void)state;
    struct check_turn t;
    uint32_t kinds = 0;
    begin();
    uint32_t turns = 0;
    for (int i = 0; i < 1000; i++) {
        later(1);
        if (!health_check_take_turn(c, 0, now, &t))
            continue;
        turns++;
        kinds |= QUESTION_BIT(t.kind);
        c->paths[0].in_flight--;
    }
    assert_in_range(turns, 20, 27);
    assert_int_equal(kinds, ALL_KINDS);
    /* Without answers no more than so many are on their way. */
    for (int i = 0; i < 10000; i++) {
        later(10);
        health_check_take_turn(c, 0, now, &t);
    }
    assert_int_equal(c->paths[0].in_flight, CHECK_IN_FLIGHT_MAX);
}

/* A question that is not answered at once does not keep the next one waiting; the longer there is no
 * evidence, the more are asked at once. */
static void what_is_missing_is_asked_again_soon(void **state)
{
    (void)state;
    static const uint32_t at_once[] = { 1, 2, 2, 3, 3, 4, 4, 4, 4, 4 };
    struct check_turn t;
    begin();
    later(50);
    assert_true(health_check_take_turn(c, 0, now, &t));
    assert_false(health_check_take_turn(c, 0, now, &t));
    struct question q = question("a.", QUESTION_SOA);
    struct check_result r = result(CHECK_RIGHT, &q);
    assert_false(health_check_ended(c, 0, &r, now));
    later(20);
    assert_false(health_check_take_turn(c, 0, now, &t));
    later(30);
    for (int i = 0; i < 10; i++) {
        uint32_t count = 0;
        while (health_check_take_turn(c, 0, now, &t))
            count++;
        assert_int_equal(count, at_once[i]);
        later(2 * CHECK_EAGER_MS);
    }
}

static void kinds_that_are_missing_come_first(void **state)
{
    (void)state;
    struct check_turn t;
    health_check_zones(c, QUESTION_BIT(QUESTION_SOA) | QUESTION_BIT(QUESTION_REFERRAL), now);
    health_check_process(c, true, now);
    struct question q = question("a.", QUESTION_SOA);
    ended(CHECK_RIGHT, &q, 0);
    for (int i = 0; i < 5; i++) {
        later(10); /* not proven: every 10 ms */
        assert_true(health_check_take_turn(c, 0, now, &t));
        assert_int_equal(t.kind, QUESTION_REFERRAL);
    }
    /* Where the picked zone has none, what was asked in its stead counts. */
    struct check_result r = result(CHECK_RIGHT, &q);
    r.wanted = QUESTION_REFERRAL;
    assert_true(health_check_ended(c, 0, &r, now));
    assert_true(c->paths[0].v.proven);
}

static void a_loop_that_stood_still_is_seen(void **state)
{
    (void)state;
    begin();
    take_sample(3, 0, 0);
    later(CHECK_STALL_MS - 1);
    take_sample(3, 0, 0);
    health_check_verdict(c, now, &v);
    assert_int_equal(v.resumed_at.ns, 0);
    later(CHECK_STALL_MS);
    take_sample(3, 0, 0);
    health_check_verdict(c, now, &v);
    assert_age(v.resumed_at, 0);
    /* What advanced meanwhile may have done so at its beginning. */
    assert_age(v.progress_at, CHECK_STALL_MS);
}

static void no_more_addresses_than_fit(void **state)
{
    (void)state;
    union addr a;
    assert_true(addr_parse(&a, "192.0.2.54", 53));
    for (uint32_t i = 1; i < VERDICT_ADDRESSES_MAX; i++)
        assert_true(health_check_add(c, &a, 50));
    assert_false(health_check_add(c, &a, 50));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(nothing_at_first),
        CASE(proven_by_every_kind),
        CASE(a_partial_answer_proves_no_kind),
        CASE(answers_that_left_renew),
        CASE(answers_count_while_all_workers_advance),
        CASE(answers_count_for_as_long_as_a_probe_vouches),
        CASE(answers_of_a_new_process_need_a_probe),
        CASE(progress_of_a_new_process),
        CASE(a_wrong_answer_is_asked_again),
        CASE(many_faults_are_closed_one_by_one),
        CASE(silence_proves_nothing_and_opens_nothing),
        CASE(late_answers_vouch_and_are_no_evidence),
        CASE(what_is_overdue_is_not_forgotten),
        CASE(what_the_kernel_refuses_is_a_fault),
        CASE(an_address_that_went),
        CASE(turns_come_in_time_and_in_bounds),
        CASE(what_is_missing_is_asked_again_soon),
        CASE(kinds_that_are_missing_come_first),
        CASE(a_loop_that_stood_still_is_seen),
        CASE(no_more_addresses_than_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
