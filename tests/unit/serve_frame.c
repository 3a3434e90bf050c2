/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "serve/frame.h"

static void each_stage_of_a_message(void **state)
{
    static const struct {
        const char *rfc, *what;
        uint8_t bytes[8];
        uint32_t len, max;
        enum frame_got got;
        uint32_t message_len, used;
    } cases[] = {
        { "1035 4.2.2", "nothing yet", { 0 }, 0, 100, FRAME_MORE, 0, 0 },
        { "1035 4.2.2", "half of the length", { 0 }, 1, 100, FRAME_MORE, 0, 0 },
        { "1035 4.2.2", "the length alone", { 0, 3 }, 2, 100, FRAME_MORE, 0, 0 },
        { "1035 4.2.2", "one byte is missing", { 0, 3, 1, 2 }, 4, 100, FRAME_MORE, 0, 0 },
        { "1035 4.2.2", "exactly one", { 0, 3, 1, 2, 3 }, 5, 100, FRAME_MESSAGE, 3, 5 },
        { "7766 6.2.1.1", "one and a part", { 0, 3, 1, 2, 3, 0 }, 6, 100, FRAME_MESSAGE, 3, 5 },
        { "1035 4.2.2", "an empty message", { 0, 0, 9 }, 3, 100, FRAME_MESSAGE, 0, 2 },
        { "", "the longest that is taken", { 0, 3, 1, 2, 3 }, 5, 3, FRAME_MESSAGE, 3, 5 },
        { "", "one more is too long", { 0, 4, 1 }, 3, 3, FRAME_TOO_LONG, 0, 0 },
        { "", "both bytes of the length count", { 1, 0, 1 }, 3, 255, FRAME_TOO_LONG, 0, 0 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct frame f = { 0 };
        uint8_t bytes[8]; /* behind the end of what has come there is something else */
        memset(bytes, 0xee, sizeof bytes);
        memcpy(bytes, cases[i].bytes, cases[i].len);
        enum frame_got got = serve_frame_next(bytes, cases[i].len, cases[i].max, &f);
        if (got != cases[i].got || f.len != cases[i].message_len || f.used != cases[i].used)
            fail_msg("RFC %s: %s", cases[i].rfc, cases[i].what);
        if (got == FRAME_MESSAGE)
            assert_ptr_equal(f.message, bytes + 2);
    }
}

/* Whatever the cut, the same messages come out. */
static void cuts_do_not_matter(void **state)
{
    static const uint8_t stream[] = { 0, 1, 7, 0, 3, 1, 2, 3, 0, 0, 0, 2, 5, 6 };
    (void)state;
    for (uint32_t step = 1; step <= sizeof stream; step++) {
        uint8_t buf[sizeof stream];
        uint32_t have = 0, count = 0, sum = 0;
        for (uint32_t pos = 0; pos < sizeof stream; pos += step) {
            uint32_t n = pos + step > sizeof stream ? (uint32_t)sizeof stream - pos : step;
            struct frame f;
            memcpy(buf + have, stream + pos, n);
            have += n;
            while (serve_frame_next(buf, have, 100, &f) == FRAME_MESSAGE) {
                for (uint32_t i = 0; i < f.len; i++)
                    sum += f.message[i];
                count++;
                memmove(buf, buf + f.used, have - f.used);
                have -= f.used;
            }
        }
        assert_int_equal(count, 4);
        assert_int_equal(sum, 7 + 6 + 11);
        assert_int_equal(have, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_stage_of_a_message),
        cmocka_unit_test(cuts_do_not_matter),
    };
    return cmocka_run_group_tests_name("serve_frame", tests, NULL, NULL);
}
