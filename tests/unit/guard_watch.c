/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "guard/watch.h"

#define LIMIT_MS 80
#define STARVED_MS 400

static mono_t at(int64_t ms)
{
    return (mono_t){ .ns = 1000000000 + ms * 1000000 };
}

/* A guard that looks every 10 ms; the counter moves until `stop_ms`. */
static int64_t late_after(int64_t stop_ms)
{
    struct watch w;
    guard_watch_init(&w, at(0));
    for (int64_t ms = 10; ms <= 1000; ms += 10) {
        uint64_t value = (uint64_t)(ms < stop_ms ? ms : stop_ms);
        switch (guard_watch_look(&w, value, at(ms), LIMIT_MS)) {
        case WATCH_FINE:
            break;
        case WATCH_SUSPECT:
            guard_watch_suspect(&w, 0, at(ms));
            break;
        case WATCH_LATE:
            return ms - stop_ms;
        }
    }
    return -1;
}

static void one_that_stands_still_is_late(void **state)
{
    (void)state;
    assert_int_equal(late_after(100), LIMIT_MS);
    assert_int_equal(late_after(500), LIMIT_MS);
    assert_int_equal(late_after(0), LIMIT_MS); /* it never moved at all */
    assert_int_equal(late_after(2000), -1);
}

static void nobody_is_blamed_for_a_blind_guard(void **state)
{
    (void)state;
    struct watch w;
    guard_watch_init(&w, at(0));
    assert_int_equal(guard_watch_look(&w, 1, at(10), LIMIT_MS), WATCH_FINE);
    /* The machine slept for an hour: the counter stands still, but for how long is not known. */
    assert_int_equal(guard_watch_look(&w, 1, at(3600000), LIMIT_MS), WATCH_FINE);
    for (int64_t ms = 10; ms < LIMIT_MS; ms += 10)
        assert_int_not_equal(guard_watch_look(&w, 1, at(3600000 + ms), LIMIT_MS), WATCH_LATE);
    assert_int_equal(guard_watch_look(&w, 1, at(3600000 + LIMIT_MS), LIMIT_MS), WATCH_LATE);
}

static void suspicion_is_told_once_and_ends_with_a_step(void **state)
{
    (void)state;
    struct watch w;
    guard_watch_init(&w, at(0));
    for (int64_t ms = 10; ms < 40; ms += 10)
        assert_int_equal(guard_watch_look(&w, 0, at(ms), LIMIT_MS), WATCH_FINE);
    assert_int_equal(guard_watch_look(&w, 0, at(40), LIMIT_MS), WATCH_SUSPECT);
    guard_watch_suspect(&w, 5, at(40));
    assert_int_equal(guard_watch_look(&w, 0, at(50), LIMIT_MS), WATCH_FINE);
    assert_int_equal(guard_watch_look(&w, 1, at(60), LIMIT_MS), WATCH_FINE);
    assert_true(w.suspected.ns == MONO_NEVER.ns);
}

static void the_hung_are_told_from_the_starved(void **state)
{
    static const struct {
        const char *what;
        char state;
        int64_t ran_ms; /* since it was suspected, 40 ms ago */
        int64_t still_ms;
        bool hung;
    } cases[] = {
        { "stopped", 'T', 0, 80, true },
        { "stopped by a tracer", 't', 0, 80, true },
        { "sleeps", 'S', 0, 80, true },
        { "not known", 0, 0, 80, true },
        { "spins", 'R', 39, 80, true },
        { "spins, with half a processor", 'R', 20, 80, true },
        { "spins beside many others", 'R', 12, 80, true },
        { "waits for a processor", 'R', 1, 80, false },
        { "still waits for one", 'R', 4, 390, false },
        { "waits for the disk", 'D', 0, 80, false },
        { "waits for a processor for ever", 'R', 1, 400, true },
        { "waits for the disk for ever", 'D', 0, 400, true },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct watch w;
        guard_watch_init(&w, at(0));
        guard_watch_suspect(&w, 7000000, at(cases[i].still_ms - 40));
        bool hung =
            guard_watch_is_hung(&w, cases[i].state, 7000000 + (uint64_t)cases[i].ran_ms * 1000000,
                                at(cases[i].still_ms), STARVED_MS);
        if (hung != cases[i].hung)
            fail_msg("a thread that %s is%s taken for hung", cases[i].what, hung ? "" : " not");
    }
}

static void ends_are_counted_within_the_window(void **state)
{
    (void)state;
    struct watch_ends e;
    guard_watch_ends_init(&e);
    assert_int_equal(guard_watch_ends_count(&e, at(0)), 0);
    guard_watch_ends_add(&e, at(0));
    guard_watch_ends_add(&e, at(5000));
    guard_watch_ends_add(&e, at(9999));
    assert_int_equal(guard_watch_ends_count(&e, at(9999)), 3);
    assert_int_equal(guard_watch_ends_count(&e, at(10000)), 2); /* the first is ten seconds ago */
    assert_int_equal(guard_watch_ends_count(&e, at(30000)), 0);
    for (int i = 0; i < 100; i++)
        guard_watch_ends_add(&e, at(40000));
    assert_int_equal(guard_watch_ends_count(&e, at(40000)), WATCH_ENDS_MAX);
}

static void waiting_grows_to_a_bound(void **state)
{
    static const int64_t wanted[] = { 0, 0, 0, 250, 500, 1000, 2000, 4000, 4000 };
    (void)state;
    for (uint32_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        assert_int_equal(guard_watch_backoff_ms(i), wanted[i]);
    assert_int_equal(guard_watch_backoff_ms(UINT32_MAX), 4000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_stands_still_is_late),
        cmocka_unit_test(nobody_is_blamed_for_a_blind_guard),
        cmocka_unit_test(suspicion_is_told_once_and_ends_with_a_step),
        cmocka_unit_test(the_hung_are_told_from_the_starved),
        cmocka_unit_test(ends_are_counted_within_the_window),
        cmocka_unit_test(waiting_grows_to_a_bound),
    };
    return cmocka_run_group_tests_name("guard_watch", tests, NULL, NULL);
}
