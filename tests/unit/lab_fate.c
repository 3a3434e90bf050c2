/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "lab/fate.h"

#define MS 1000000ll

/* One letter a query, one query a millisecond: digits are right answers by that server, '.' none, 'x'
 * a wrong one, '!' one that could not be sent, 'L' a right one by server 0 that took 300 ms. */
static uint32_t make(const char *text, struct fate *out)
{
    uint32_t n = (uint32_t)strlen(text);
    for (uint32_t i = 0; i < n; i++) {
        uint64_t o = fate_pack(FATE_OPEN, 0, FATE_SERVER_NONE, 0);
        if (text[i] >= '0' && text[i] <= '9')
            o = fate_pack(FATE_RIGHT, 1000, (uint8_t)(text[i] - '0'), 0);
        else if (text[i] == 'x')
            o = fate_pack(FATE_WRONG, 1000, 1, 5);
        else if (text[i] == '!')
            o = fate_pack(FATE_UNSENT, 0, FATE_SERVER_NONE, 0);
        else if (text[i] == 'L')
            o = fate_pack(FATE_RIGHT, 300000, 0, 0);
        out[i] = (struct fate){ .sent_ns = i * MS, .family = i % 2 ? 6 : 4, .outcome = o };
    }
    return n;
}

static const struct {
    const char *what, *text;
    uint32_t right, wrong, lost, late, unsent;
    int64_t outage_us, first_ms, last_ms;
} cases[] = {
    { "all answered", "0000000000", 10, 0, 0, 0, 0, 0, -1, -1 },
    { "nothing asked", "", 0, 0, 0, 0, 0, 0, -1, -1 },
    { "none answered", "....", 0, 0, 4, 0, 0, 2000, 0, 3 },
    { "one gap, until the next answer of the family", "00...000", 5, 0, 3, 0, 0, 4000, 2, 4 },
    { "the longer of two gaps", "0.00....0", 4, 0, 5, 0, 0, 4000, 1, 7 },
    { "a gap at the end lasts to the last query", "000....", 3, 0, 4, 0, 0, 2000, 3, 6 },
    { "one family alone", "0.0.0.00", 5, 0, 3, 0, 0, 6000, 1, 5 },
    { "a wrong answer ends a gap and is not lost", "0..x0", 2, 1, 2, 0, 0, 2000, 1, 2 },
    { "what was not sent counts as lost, and is told", "0!0", 2, 0, 1, 0, 1, 0, 1, 1 },
    { "slow answers are late, not lost", "0L0L", 4, 0, 0, 2, 0, 0, -1, -1 },
};

static void every_query_has_one_fate(void **state)
{
    (void)state;
    for (size_t i = 0; i < BASE_COUNT(cases); i++) {
        struct fate at[64];
        struct fate_report r;
        struct fate_filter f = { .to_ns = 1000 * MS, .target = -1, .late_us = 250000 };
        uint32_t n = make(cases[i].text, at), scratch[64];
        fate_count(at, n, &f, scratch, &r);
        if (r.sent != n || r.right != cases[i].right || r.wrong != cases[i].wrong ||
            r.lost != cases[i].lost || r.late != cases[i].late || r.unsent != cases[i].unsent ||
            r.outage_us != cases[i].outage_us || r.lost_first_ms != cases[i].first_ms ||
            r.lost_last_ms != cases[i].last_ms)
            fail_msg("%s: right %u wrong %u lost %u late %u unsent %u outage %lld %lld..%lld",
                     cases[i].what, r.right, r.wrong, r.lost, r.late, r.unsent,
                     (long long)r.outage_us, (long long)r.lost_first_ms, (long long)r.lost_last_ms);
        assert_int_equal(r.right + r.wrong + r.lost, r.sent);
    }
}

static void filters_take_a_window_and_a_family(void **state)
{
    (void)state;
    struct fate at[64];
    struct fate_report r;
    uint32_t n = make("0.1.2.3.4.", at);
    struct fate_filter f = { .from_ns = 2 * MS, .to_ns = 6 * MS, .target = -1 };
    fate_count(at, n, &f, NULL, &r);
    assert_int_equal(r.sent, 4);
    assert_int_equal(r.right, 2);
    assert_int_equal(r.lost_first_ms, 1); /* counted from the window's begin */
    f.family = 6;
    fate_count(at, n, &f, NULL, &r);
    assert_int_equal(r.sent, 2);
    assert_int_equal(r.lost, 2);
    at[0].target = 3;
    f = (struct fate_filter){ .to_ns = 100 * MS, .target = 3 };
    fate_count(at, n, &f, NULL, &r);
    assert_int_equal(r.sent, 1);
}

static void percentiles_are_of_right_answers(void **state)
{
    (void)state;
    struct fate at[101];
    uint32_t scratch[101];
    for (uint32_t i = 0; i <= 100; i++) {
        at[i] = (struct fate){ .sent_ns = i * MS, .family = 4 };
        at[i].outcome = fate_pack(FATE_RIGHT, (100 - i) * 10 + 1, 0, 0);
    }
    struct fate_filter f = { .to_ns = 1000 * MS, .target = -1 };
    struct fate_report r;
    fate_count(at, 101, &f, scratch, &r);
    assert_int_equal(r.rtt_us_min, 1);
    assert_int_equal(r.rtt_us_median, 501);
    assert_int_equal(r.rtt_us_p95, 951);
    assert_int_equal(r.rtt_us_max, 1001);
}

static void moves_follow_the_majority(void **state)
{
    (void)state;
    static char text[601];
    static struct fate at[600];
    struct fate_report r;
    memset(text, '1', 600);
    memset(text + 200, '.', 100); /* nobody for 100 ms, */
    memset(text + 300, '2', 200); /* then another for 200 ms, */
    text[250] = '1';              /* and single strays, which change nothing */
    text[400] = '1';
    struct fate_filter f = { .to_ns = 1000 * MS, .target = -1 };
    fate_count(at, make(text, at), &f, NULL, &r);
    assert_int_equal(r.move_count, 4);
    assert_int_equal(r.moves[0].server, 1);
    assert_int_equal(r.moves[1].server, FATE_SERVER_NONE);
    assert_int_equal(r.moves[1].at_ms, 200);
    assert_int_equal(r.moves[2].server, 2);
    assert_int_equal(r.moves[2].at_ms, 300);
    assert_int_equal(r.moves[3].server, 1);
    assert_int_equal(r.moves[3].at_ms, 500);
}

static void pace_is_how_late_the_latest_left(void **state)
{
    (void)state;
    struct fate at[200];
    uint32_t scratch[200];
    for (uint32_t i = 0; i < 200; i++)
        at[i] = (struct fate){ .sent_ns = 5 * MS + i * MS + (i % 2) * 100000 };
    assert_int_equal(fate_pace_us(at, 200, 1000, 0, 1000 * MS, scratch), 100);
    at[17].sent_ns += MS; /* two of two hundred are not more than one percent */
    at[18].sent_ns += MS;
    assert_int_equal(fate_pace_us(at, 200, 1000, 0, 1000 * MS, scratch), 100);
    at[19].sent_ns += MS;
    assert_true(fate_pace_us(at, 200, 1000, 0, 1000 * MS, scratch) > 900);
    assert_int_equal(fate_pace_us(at, 0, 1000, 0, 1000 * MS, scratch), 0);
}

static void sums_add(void **state)
{
    (void)state;
    struct fate at[64];
    struct fate_filter f = { .to_ns = 1000 * MS, .target = -1 };
    struct fate_report a, b;
    fate_count(at, make("00..0", at), &f, NULL, &a);
    fate_count(at, make("1...x", at), &f, NULL, &b);
    fate_add(&a, &b);
    assert_int_equal(a.sent, 10);
    assert_int_equal(a.lost, 5);
    assert_int_equal(a.wrong, 1);
    assert_int_equal(a.by_server[0], 3);
    assert_int_equal(a.by_server[1], 1);
    assert_int_equal(a.outage_us, 2000);
    assert_int_equal(a.lost4, 2);
    assert_int_equal(a.lost6, 3);
    assert_int_equal(a.lost_first_ms, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_query_has_one_fate),
        cmocka_unit_test(filters_take_a_window_and_a_family),
        cmocka_unit_test(percentiles_are_of_right_answers),
        cmocka_unit_test(moves_follow_the_majority),
        cmocka_unit_test(pace_is_how_late_the_latest_left),
        cmocka_unit_test(sums_add),
    };
    return cmocka_run_group_tests_name("lab_fate", tests, NULL, NULL);
}
