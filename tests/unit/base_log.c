/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/time.h"

/* What one log_event() writes to stderr. */
static char said[4096];

#define SAID(...)                                                                                  \
    do {                                                                                           \
        int pipe_[2], kept_ = dup(STDERR_FILENO);                                                  \
        assert_int_equal(pipe(pipe_), 0);                                                          \
        dup2(pipe_[1], STDERR_FILENO);                                                             \
        close(pipe_[1]);                                                                           \
        log_event(__VA_ARGS__);                                                                    \
        dup2(kept_, STDERR_FILENO);                                                                \
        close(kept_);                                                                              \
        ssize_t n_ = read(pipe_[0], said, sizeof said - 1);                                        \
        close(pipe_[0]);                                                                           \
        said[n_ < 0 ? 0 : n_] = '\0';                                                              \
    } while (0)

static void a_line_is_time_level_process_event_and_pairs(void **state)
{
    (void)state;
    log_init("control", LOG_LEVEL_INFO);
    SAID(LOG_LEVEL_WARN, "bgp_down", "neighbor=%s routes=%d", "192.0.2.1", 2);
    assert_int_equal(said[strlen("2026-11-25T01:02:03")], '.');
    assert_string_equal(said + strlen("2026-11-25T01:02:03.456"),
                        "Z warn control bgp_down neighbor=192.0.2.1 routes=2\n");
    SAID(LOG_LEVEL_INFO, "started", "%s", "");
    assert_string_equal(strchr(said, 'Z'), "Z info control started\n");
}

static void levels_above_the_limit_are_dropped(void **state)
{
    (void)state;
    log_init("serve", LOG_LEVEL_WARN);
    SAID(LOG_LEVEL_INFO, "x", "a=1");
    assert_string_equal(said, "");
    SAID(LOG_LEVEL_ERROR, "x", "a=1");
    assert_non_null(strstr(said, " error serve x a=1\n"));
}

static void a_long_line_is_cut_and_still_ends(void **state)
{
    (void)state;
    log_init("serve", LOG_LEVEL_INFO);
    char text[3000];
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    SAID(LOG_LEVEL_INFO, "x", "text=%s", text);
    assert_true(strlen(said) <= 1024);
    assert_int_equal(said[strlen(said) - 1], '\n');
    SAID(LOG_LEVEL_INFO, text, "a=1"); /* an event name that leaves no room */
    assert_true(strlen(said) <= 1024);
    assert_int_equal(said[strlen(said) - 1], '\n');
}

static void bytes_of_others_cannot_begin_a_line(void **state)
{
    (void)state;
    log_init("control", LOG_LEVEL_INFO);
    SAID(LOG_LEVEL_INFO, "bgp_down", "text=\"%s\"", "bye\n2026 error control faked\r\x1b[2J\x7f");
    assert_ptr_equal(strchr(said, '\n'), said + strlen(said) - 1);
    assert_null(strchr(said, '\r'));
    assert_null(strchr(said, '\x1b'));
    assert_non_null(strstr(said, "bye?2026 error control faked??[2J?"));
}

/* A journal or pager that takes nothing more: guard and control go on, and say later what is missing. */
static void a_reader_that_stands_still_stops_nobody(void **state)
{
    const bool is_socket = *(bool *)*state;
    int pair[2], kept = dup(STDERR_FILENO);
    char read_[65536];
    assert_int_equal(is_socket ? socketpair(AF_UNIX, SOCK_STREAM, 0, pair) : pipe(pair), 0);
    log_init("guard", LOG_LEVEL_INFO);
    fcntl(pair[0], F_SETFL, O_NONBLOCK);
    dup2(pair[1], STDERR_FILENO);
    close(pair[1]);
    for (int i = 0; i < 20000; i++) /* more than either holds */
        log_info("x", "i=%d", i);
    while (read(pair[0], read_, sizeof read_) > 0)
        ;
    log_info("y", "i=%d", 0);
    dup2(kept, STDERR_FILENO);
    close(kept);
    ssize_t n = read(pair[0], read_, sizeof read_ - 1);
    close(pair[0]);
    read_[n < 0 ? 0 : n] = '\0';
    assert_non_null(strstr(read_, " warn guard log_lost lines="));
    assert_non_null(strstr(read_, " info guard y i=0\n"));
}

static void poll_waits_rounded_up(void **state)
{
    (void)state;
    const mono_t now = { 1000000000 };
    assert_int_equal(time_poll_ms(now, MONO_NEVER), -1);
    assert_int_equal(time_poll_ms(now, now), 0);
    assert_int_equal(time_poll_ms(now, MONO_ZERO), 0);
    assert_int_equal(time_poll_ms(now, (mono_t){ now.ns + 1 }), 1);
    assert_int_equal(time_poll_ms(now, mono_add_ms(now, 5)), 5);
    assert_int_equal(time_poll_ms(now, mono_add_us(now, 5001)), 6);
    assert_int_equal(time_poll_ms(now, (mono_t){ INT64_MAX - 1 }), INT32_MAX);
}

static void never_stays_never(void **state)
{
    (void)state;
    assert_true(mono_add_ms(MONO_NEVER, 5).ns == INT64_MAX);
    assert_true(mono_add_us(MONO_NEVER, 5).ns == INT64_MAX);
    assert_true(mono_before(mono_min(MONO_NEVER, MONO_ZERO), MONO_NEVER));
    mono_t first = time_mono(), second = time_mono();
    assert_false(mono_before(second, first));
    assert_true(time_wall().s > 1700000000);
}

static void no_quote_ends_a_quoted_text(void **state)
{
    (void)state;
    char buf[16];
    assert_string_equal(log_quoted("a \"b\"\nc=1", buf, sizeof buf), "a 'b' c=1");
    assert_string_equal(log_quoted("0123456789abcdef", buf, sizeof buf), "0123456789abcde");
}

int main(void)
{
    static bool is_pipe = false, is_socket = true;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_time_level_process_event_and_pairs),
        cmocka_unit_test(levels_above_the_limit_are_dropped),
        cmocka_unit_test(a_long_line_is_cut_and_still_ends),
        cmocka_unit_test(bytes_of_others_cannot_begin_a_line),
        cmocka_unit_test(no_quote_ends_a_quoted_text),
        cmocka_unit_test_prestate(a_reader_that_stands_still_stops_nobody, &is_pipe),
        cmocka_unit_test_prestate(a_reader_that_stands_still_stops_nobody, &is_socket),
        cmocka_unit_test(poll_waits_rounded_up),
        cmocka_unit_test(never_stays_never),
    };
    return cmocka_run_group_tests_name("base_log", tests, NULL, NULL);
}
