/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "control/request.h"

/* `error` is a part of the words that the client gets; NULL: the line is a request. */
static const struct {
    const char *what, *line, *error;
    enum control_command command;
    const char *reason;
} rows[] = {
    { "the least", "{\"command\":\"status\"}", NULL, CONTROL_STATUS, "" },
    { "with its line's end", "{\"command\": \"zones\"}\r\n", NULL, CONTROL_ZONES, "" },
    { "with a reason", "{\"command\":\"drain\",\"reason\":\"new disks\"}", NULL, CONTROL_DRAIN,
      "new disks" },
    { "with what a later version may add", "{\"command\":\"undrain\",\"later\":[1]}", NULL,
      CONTROL_UNDRAIN, "" },
    { "a reason of two lines becomes one", "{\"command\":\"drain\",\"reason\":\"a\\nb\\u001bc\"}",
      NULL, CONTROL_DRAIN, "a b c" },
    { "a quote would end a log's value", "{\"command\":\"drain\",\"reason\":\"a \\\"b\\\"\"}", NULL,
      CONTROL_DRAIN, "a 'b'" },
    { "a reason in UTF-8", "{\"command\":\"drain\",\"reason\":\"Größe\"}", NULL, CONTROL_DRAIN,
      "Größe" },
    { "nothing", "", "not JSON" },
    { "words", "status", "not JSON" },
    { "half", "{\"command\":", "not JSON" },
    { "more than one", "{\"command\":\"status\"} {}", "not JSON" },
    { "a key twice", "{\"command\":\"drain\",\"command\":\"status\"}", "not JSON" },
    { "no UTF-8", "{\"command\":\"\xff\"}", "not JSON" },
    { "a zero in the text", "{\"command\":\"status\\u0000\"}", "not JSON" },
    { "a list", "[\"status\"]", "not a JSON object" },
    { "no command", "{}", "no \"command\"" },
    { "a command that is none", "{\"command\":\"fly\"}", "\"fly\"" },
    { "a command in capitals", "{\"command\":\"STATUS\"}", "\"STATUS\"" },
    { "a command that is a number", "{\"command\":1}", "no \"command\"" },
    { "a reason that is a number", "{\"command\":\"drain\",\"reason\":1}", "not text" },
    { "a reason that is null", "{\"command\":\"drain\",\"reason\":null}", "not text" },
};

static void each_line_has_its_answer(void **state)
{
    (void)state;
    for (size_t i = 0; i < BASE_COUNT(rows); i++) {
        struct control_request r;
        struct err e = { 0 };
        bool ok = control_request_parse(&r, rows[i].line, strlen(rows[i].line), &e);
        if (ok != (rows[i].error == NULL))
            fail_msg("%s: %s", rows[i].what, ok ? "accepted" : e.what);
        if (!ok && strstr(e.what, rows[i].error) == NULL)
            fail_msg("%s: '%s' does not say '%s'", rows[i].what, e.what, rows[i].error);
        if (ok && (r.command != rows[i].command || strcmp(r.reason, rows[i].reason) != 0))
            fail_msg("%s: %s, '%s'", rows[i].what, control_command_name(r.command), r.reason);
    }
}

/* Cut at a character's edge (RFC 3629), whatever its length. */
static void a_long_reason_is_cut(void **state)
{
    (void)state;
    for (size_t shift = 0; shift < 4; shift++) {
        char line[CONTROL_REQUEST_MAX];
        struct control_request r;
        struct err e = { 0 };
        int used = snprintf(line, sizeof line, "{\"command\":\"drain\",\"reason\":\"%.*s",
                            (int)shift, "xxxx");
        for (int i = 0; i < 100; i++)
            used += snprintf(line + used, sizeof line - (size_t)used,
                             "\xe2\x82\xac"); /* the euro sign, three bytes */
        snprintf(line + used, sizeof line - (size_t)used, "\"}");
        assert_true(control_request_parse(&r, line, strlen(line), &e));
        size_t len = strlen(r.reason);
        assert_true(len < CONTROL_REASON_MAX && len > CONTROL_REASON_MAX - 4);
        assert_int_equal((len - shift) % 3, 0);
    }
}

static void depth_and_length_are_bounded(void **state)
{
    (void)state;
    char line[CONTROL_REQUEST_MAX + 1];
    struct control_request r;
    struct err e = { 0 };
    memset(line, '[', sizeof line);
    assert_false(control_request_parse(&r, line, CONTROL_REQUEST_MAX, &e));
    assert_false(control_request_parse(&r, line, sizeof line, &e));
    assert_non_null(strstr(e.what, "longer"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_line_has_its_answer),
        cmocka_unit_test(a_long_reason_is_cut),
        cmocka_unit_test(depth_and_length_are_bounded),
    };
    return cmocka_run_group_tests_name("control_request", tests, NULL, NULL);
}
