/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/rd.h"
#include "base/wr.h"

static void err_says_where_what_and_hint(void **state)
{
    (void)state;
    struct err e = { .file = "a.yaml", .line = 3, .column = 7 };
    char text[512];
    assert_false(err_set(&e, ERR_INPUT, "use at least 3s", "hold_time %us is too short", 2u));
    assert_string_equal(err_text(&e, text, sizeof text),
                        "a.yaml:3:7: hold_time 2s is too short; use at least 3s");
    struct err s = { 0 };
    errno = EACCES;
    assert_false(err_set_errno(&s, NULL, "cannot open %s", "/x"));
    assert_int_equal(s.sys_errno, EACCES);
    assert_string_equal(err_text(&s, text, sizeof text), "cannot open /x: Permission denied");
}

static void reader_is_sticky(void **state)
{
    (void)state;
    const uint8_t bytes[] = { 1, 2, 3, 4, 5 };
    struct rd r = rd_init(bytes, sizeof bytes);
    assert_int_equal(rd_u16(&r), 0x0102);
    assert_int_equal(rd_u32(&r), 0); /* only three are left */
    assert_true(r.bad);
    assert_int_equal(rd_u8(&r), 0); /* and it stays bad */
    assert_true(r.bad);
}

static void writer_is_sticky(void **state)
{
    (void)state;
    uint8_t buf[4];
    struct wr w = wr_init(buf, sizeof buf);
    wr_u16(&w, 0x0102);
    uint8_t *mark = w.pos;
    wr_u32(&w, 7);
    assert_true(w.full);
    wr_u8(&w, 9);
    assert_int_equal(wr_len(&w), 2);
    wr_back(&w, mark);
    wr_u8(&w, 9);
    assert_false(w.full);
    assert_int_equal(buf[2], 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(err_says_where_what_and_hint),
        cmocka_unit_test(reader_is_sticky),
        cmocka_unit_test(writer_is_sticky),
    };
    return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
