/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/addr.h"

/* text, the port it has when the text has none, what is written back (NULL: refused) */
static const struct {
    const char *text;
    uint16_t port;
    const char *back;
} rows[] = {
    { "192.0.2.1", 53, "192.0.2.1@53" },
    { "192.0.2.1@5300", 53, "192.0.2.1@5300" },
    { "0.0.0.0@1", 53, "0.0.0.0@1" },
    { "2001:DB8::1", 179, "2001:db8::1@179" },
    { "::@65535", 53, "::@65535" },
    { "::ffff:192.0.2.1", 53, "::ffff:192.0.2.1@53" },
    { "fe80::1%lo", 53, "fe80::1%1@53" },
    { "fe80::1%1@5", 53, "fe80::1%1@5" },
    { "", 53, NULL },
    { "@53", 53, NULL },
    { "192.0.2.1@", 53, NULL },
    { "192.0.2.1@0", 53, NULL },
    { "192.0.2.1@65536", 53, NULL },
    { "192.0.2.1@000053", 53, NULL },
    { "192.0.2.1@5x", 53, NULL },
    { "192.0.2.1@-1", 53, NULL },
    { "192.0.2.1:53", 53, NULL },
    { "192.0.2", 53, NULL },
    { "192.0.2.256", 53, NULL },
    { "192.0.2.1 ", 53, NULL },
    { "192.0.2.1%lo", 53, NULL },
    { "2001:db8:::1", 53, NULL },
    { "fe80::1%", 53, NULL },
    { "fe80::1%0", 53, NULL },
    { "fe80::1%no such interface", 53, NULL },
    { "localhost", 53, NULL },
    { "2001:db8::1@53@54", 53, NULL },
    { "1111111111111111111111111111111111111111111111111111111111111111111111111111111111", 53,
      NULL },
};

static void text_and_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < BASE_COUNT(rows); i++) {
        union addr a;
        char text[ADDR_TEXT_MAX];
        bool good = addr_parse(&a, rows[i].text, rows[i].port);
        if (good != (rows[i].back != NULL))
            fail_msg("\"%s\": %s", rows[i].text, good ? "is taken" : "is refused");
        if (good)
            assert_string_equal(addr_text(&a, text), rows[i].back);
    }
}

static void the_longest_text_fits(void **state)
{
    (void)state;
    union addr a;
    char text[ADDR_TEXT_MAX];
    assert_true(
        addr_parse(&a, "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255%4294967295@65535", 1));
    addr_text(&a, text);
    assert_non_null(strchr(text, '@'));
    assert_true(strlen(text) < ADDR_TEXT_MAX - 1);
}

static union addr parsed(const char *text)
{
    union addr a;
    assert_true(addr_parse(&a, text, 53));
    return a;
}

static void same_host_is_family_and_address(void **state)
{
    (void)state;
    const struct {
        const char *a, *b;
        bool same;
    } pairs[] = {
        { "192.0.2.1@1", "192.0.2.1@2", true },     { "192.0.2.1", "192.0.2.2", false },
        { "2001:db8::1@1", "2001:db8::1@2", true }, { "2001:db8::1", "2001:db8::2", false },
        { "192.0.2.1", "::ffff:192.0.2.1", false }, { "fe80::1%1", "fe80::1%2", false },
    };
    for (size_t i = 0; i < BASE_COUNT(pairs); i++) {
        union addr a = parsed(pairs[i].a), b = parsed(pairs[i].b);
        assert_int_equal(addr_same_host(&a, &b), pairs[i].same);
        assert_int_equal(addr_same_host(&b, &a), pairs[i].same);
    }
}

static void any_address_and_sizes(void **state)
{
    (void)state;
    union addr v4 = parsed("0.0.0.0"), v6 = parsed("::"), one = parsed("::1@7");
    assert_true(addr_is_any(&v4));
    assert_true(addr_is_any(&v6));
    assert_false(addr_is_any(&one));
    assert_int_equal(addr_len(&v4), sizeof(struct sockaddr_in));
    assert_int_equal(addr_len(&v6), sizeof(struct sockaddr_in6));
    assert_int_equal(addr_port(&one), 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_and_back),
        cmocka_unit_test(the_longest_text_fits),
        cmocka_unit_test(same_host_is_family_and_address),
        cmocka_unit_test(any_address_and_sizes),
    };
    return cmocka_run_group_tests_name("base_addr", tests, NULL, NULL);
}
