/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/secret_file.h"

#define ONE "00112233445566778899aabbccddeeff"
#define TWO "FFEEDDCCBBAA99887766554433221100"

static const struct {
    const char *text;
    uint32_t count;
    const char *what; /* part of the error */
} rows[] = {
    { ONE, 1, "" },
    { ONE "\n", 1, "" },
    { "# made on Monday\n\n  " ONE "  # first\r\n" TWO "\n", 2, "" },
    { "", 0, "no secret" },
    { "\n# nothing\n", 0, "no secret" },
    { ONE "0\n", 0, "line 1: a secret has 32" },
    { "\n00112233445566778899aabbccddeefg\n", 0, "line 2: a secret has 32" },
    { ONE "\n" TWO "\n" ONE "\n", 0, "line 3: the same secret" },
    { ONE " " TWO "\n", 0, "line 1" },
    { "01112233445566778899aabbccddeeff\n02112233445566778899aabbccddeeff\n"
      "03112233445566778899aabbccddeeff\n04112233445566778899aabbccddeeff\n",
      0, "line 4: more than 3" },
};

static void lines(void **state)
{
    (void)state;
    for (size_t i = 0; i < BASE_COUNT(rows); i++) {
        uint8_t out[3][16];
        struct err e = { 0 };
        size_t len = strlen(rows[i].text);
        char *text = malloc(len + 1); /* so that the sanitizers see its end */
        assert_non_null(text);
        memcpy(text, rows[i].text, len);
        uint32_t count = secret_file_parse(text, len, out[0], 16, 3, &e);
        free(text);
        if (count != rows[i].count || strstr(e.what, rows[i].what) == NULL)
            fail_msg("row %zu: %u secrets, '%s'", i, count, e.what);
        if (count > 0)
            assert_memory_equal(out[0], "\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb", 12);
        if (count > 1)
            assert_memory_equal(out[1], "\xff\xee\xdd\xcc\xbb\xaa\x99\x88", 8);
    }
}

static void files(void **state)
{
    (void)state;
    char path[] = "/tmp/perigee-unit-XXXXXX";
    uint8_t out[16];
    struct err e = { 0 };
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, ONE "\n", 33), 33);
    assert_int_equal(fchmod(fd, 0600), 0);
    assert_int_equal(secret_file_read(path, out, 16, 1, &e), 1);
    assert_int_equal(out[15], 0xff);
    assert_int_equal(fchmod(fd, 0640), 0);
    assert_int_equal(secret_file_read(path, out, 16, 1, &e), 0);
    assert_non_null(strstr(e.what, "can be read by others (mode 640)"));
    assert_int_equal(fchmod(fd, 0600), 0);
    assert_int_equal(ftruncate(fd, 9000), 0);
    assert_int_equal(secret_file_read(path, out, 16, 1, &e), 0);
    assert_int_equal(e.kind, ERR_LIMIT);
    close(fd);
    unlink(path);
    assert_int_equal(secret_file_read(path, out, 16, 1, &e), 0);
    assert_int_equal(e.kind, ERR_SYSTEM);
    assert_int_equal(secret_file_read("/tmp", out, 16, 1, &e), 0);
    assert_non_null(strstr(e.what, "folder"));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(lines), cmocka_unit_test(files) };
    return cmocka_run_group_tests_name("base_secret_file", tests, NULL, NULL);
}
