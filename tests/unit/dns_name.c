/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dns/name.h"

#define X63 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk"
#define X61 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghi"

/* RFC 1035 sections 2.3.4 and 5.1. `out` is the text that comes back, NULL: it is refused. */
static const struct {
    const char *what, *in, *out;
} text_rows[] = {
    { "the root", ".", "." },
    { "a name without its final dot", "www.example.com", "www.example.com." },
    { "case is kept", "WwW.Example.", "WwW.Example." },
    { "an escaped dot is no separator", "a\\.b.c.", "a\\.b.c." },
    { "a decimal escape", "a\\046b.", "a\\.b." },
    { "bytes that do not print", "\\000\\255 x.", "\\000\\255\\032x." },
    { "an escaped backslash", "a\\\\.", "a\\\\." },
    { "the longest label", X63 ".", X63 "." },
    { "the longest name", X63 "." X63 "." X63 "." X61 ".", X63 "." X63 "." X63 "." X61 "." },
    { "a label of 64 bytes", X63 "x.", NULL },
    { "a name of 256 bytes", X63 "." X63 "." X63 "." X61 "x.", NULL },
    { "no text", "", NULL },
    { "an empty label", "a..b.", NULL },
    { "a leading dot", ".a.", NULL },
    { "an escape above 255", "\\256.", NULL },
    { "an escape of two digits", "\\12.", NULL },
    { "an escape of nothing", "a\\", NULL },
};

static void text_goes_there_and_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < BASE_COUNT(text_rows); i++) {
        struct dns_name n, again;
        char text[DNS_TEXT_MAX];
        bool ok = dns_name_from_text(&n, text_rows[i].in);
        if (ok != (text_rows[i].out != NULL))
            fail_msg("%s: %s", text_rows[i].what, ok ? "accepted" : "refused");
        if (!ok)
            continue;
        assert_string_equal(dns_name_text(&n, text), text_rows[i].out);
        struct rd r = rd_init(n.wire, n.len);
        assert_true(dns_name_parse(&again, &r));
        assert_int_equal(again.labels, n.labels);
        assert_int_equal(rd_left(&r), 0);
        assert_memory_equal(again.wire, n.wire, n.len);
        assert_memory_equal(again.label_at, n.label_at, n.labels + 1u);
    }
}

static void labels_are_bounded_by_the_length(void **state)
{
    (void)state;
    char text[260] = "";
    for (int i = 0; i < 127; i++)
        memcpy(text + 2 * i, "a.", 3);
    struct dns_name n;
    assert_true(dns_name_from_text(&n, text));
    assert_int_equal(n.labels, DNS_LABELS_MAX);
    assert_int_equal(n.len, DNS_NAME_MAX);
    struct rd r = rd_init(n.wire, n.len);
    assert_true(dns_name_parse(&n, &r));
    memcpy(text + 254, "a.", 3);
    assert_false(dns_name_from_text(&n, text));
    uint8_t wire[300] = { 0 };
    for (int i = 0; i < 128; i++)
        wire[2 * i] = 1;
    r = rd_init(wire, sizeof wire);
    assert_false(dns_name_parse(&n, &r));
    assert_true(r.bad);
}

/* RFC 1035 section 4.1.4. The message begins with 4 bytes of something else. */
static const struct {
    const char *what, *wire;
    uint8_t len, at;
    const char *out;
    uint8_t behind; /* where reading goes on */
} pointer_rows[] = {
    { "no pointer", "....\1a\1b\0!", 10, 4, "a.b.", 9 },
    { "a pointer at the end", "....\1a\0\1b\xc0\4!", 12, 7, "b.a.", 11 },
    { "a pointer alone", "....\1a\0\xc0\4!", 10, 7, "a.", 9 },
    { "a pointer to a pointer", "....\1a\0\xc0\4\1c\xc0\7!", 14, 9, "c.a.", 13 },
    { "a pointer to itself", "....\xc0\4", 6, 4, NULL, 0 },
    { "a pointer into its own name", "....\1a\xc0\4", 8, 4, NULL, 0 },
    { "a pointer forward", "....\xc0\6\1a\0", 9, 4, NULL, 0 },
    { "two pointers that chase each other", "....\xc0\6\xc0\4", 8, 6, NULL, 0 },
    { "half a pointer", "....\xc0", 5, 4, NULL, 0 },
    { "a label type of RFC 2673", "....\x41\1\0\0", 8, 4, NULL, 0 },
    { "a reserved label type", "....\x80\1\0\0", 8, 4, NULL, 0 },
    { "no end", "....\1a", 6, 4, NULL, 0 },
    { "a label that breaks off", "....\5ab", 7, 4, NULL, 0 },
    { "nothing", "....", 4, 4, NULL, 0 },
};

static void pointers_go_backwards(void **state)
{
    (void)state;
    for (size_t i = 0; i < BASE_COUNT(pointer_rows); i++) {
        const uint8_t *msg = (const uint8_t *)pointer_rows[i].wire;
        uint8_t len = pointer_rows[i].len, at = pointer_rows[i].at;
        struct rd r = rd_init(msg + at, (size_t)len - at);
        struct dns_name n;
        bool ok = dns_name_parse_compressed(&n, &r, msg, len);
        if (ok != (pointer_rows[i].out != NULL) || ok == r.bad)
            fail_msg("%s: %s", pointer_rows[i].what, ok ? "accepted" : "refused");
        char text[DNS_TEXT_MAX];
        if (ok) {
            assert_string_equal(dns_name_text(&n, text), pointer_rows[i].out);
            assert_int_equal(r.pos - msg, pointer_rows[i].behind);
        }
        r = rd_init(msg + at, (size_t)len - at);
        bool plain = dns_name_parse(&n, &r);
        if (plain && strchr(pointer_rows[i].wire, 0xc0) != NULL)
            fail_msg("%s: an uncompressed name with a pointer", pointer_rows[i].what);
    }
}

static void a_long_chain_of_pointers_ends(void **state)
{
    (void)state;
    static uint8_t msg[16384];
    for (unsigned at = 2; at + 1 < sizeof msg; at += 2) {
        msg[at] = (uint8_t)(0xc0 | (at - 2) >> 8);
        msg[at + 1] = (uint8_t)(at - 2);
    }
    struct rd r = rd_init(msg + 16000, 2);
    struct dns_name n;
    assert_true(dns_name_parse_compressed(&n, &r, msg, sizeof msg));
    assert_int_equal(n.labels, 0);
}

/* RFC 4034 section 6.1, its own example first. */
static const char *const ordered[] = {
    "example.",   "a.example.",       "yljkjljk.a.example.", "Z.a.example.",     "zABC.a.EXAMPLE.",
    "z.example.", "\\001.z.example.", "*.z.example.",        "\\200.z.example.",
};

static int sign(int v)
{
    return (v > 0) - (v < 0);
}

static void order_is_canonical(void **state)
{
    (void)state;
    for (size_t a = 0; a < BASE_COUNT(ordered); a++)
        for (size_t b = 0; b < BASE_COUNT(ordered); b++) {
            struct dns_name x, y;
            assert_true(dns_name_from_text(&x, ordered[a]));
            assert_true(dns_name_from_text(&y, ordered[b]));
            int want = (a > b) - (a < b);
            if (sign(dns_name_compare(&x, &y)) != want)
                fail_msg("%s against %s", ordered[a], ordered[b]);
            assert_int_equal(dns_name_equal(&x, &y), want == 0);
        }
}

static void name_random(struct dns_name *n, unsigned *seed)
{
    /* few labels of few bytes, the odd ones among them, so that prefixes and ties happen */
    static const uint8_t bytes[] = { 0, 1, 2, '*', 'a', 'A', 'b', 'Z', 0xff };
    uint8_t wire[64], at = 0;
    for (unsigned labels = (unsigned)rand_r(seed) % 5; labels > 0; labels--) {
        uint8_t len = (uint8_t)(1 + rand_r(seed) % 3);
        wire[at++] = len;
        for (; len > 0; len--)
            wire[at++] = bytes[(unsigned)rand_r(seed) % sizeof bytes];
    }
    wire[at++] = 0;
    struct rd r = rd_init(wire, at);
    assert_true(dns_name_parse(n, &r));
}

static void keys_order_as_names_do(void **state)
{
    (void)state;
    unsigned seed = 20261125;
    for (int i = 0; i < 200000; i++) {
        struct dns_name a, b;
        name_random(&a, &seed);
        name_random(&b, &seed);
        uint8_t ka[DNS_KEY_MAX], kb[DNS_KEY_MAX];
        size_t la = dns_name_key(&a, ka), lb = dns_name_key(&b, kb), least = la < lb ? la : lb;
        int by_key = least ? memcmp(ka, kb, least) : 0;
        if (by_key == 0)
            by_key = (la > lb) - (la < lb);
        assert_int_equal(sign(by_key), sign(dns_name_compare(&a, &b)));
        bool under = dns_name_is_under(&a, &b);
        assert_int_equal(under, la >= lb && (lb == 0 || memcmp(ka, kb, lb) == 0));
        assert_int_equal(dns_name_equal(&a, &b), by_key == 0);
    }
}

static void the_longest_key_fits(void **state)
{
    (void)state;
    uint8_t wire[255] = { 0 }, key[DNS_KEY_MAX];
    wire[0] = wire[64] = wire[128] = 63;
    wire[192] = 61;
    struct rd r = rd_init(wire, sizeof wire);
    struct dns_name n;
    assert_true(dns_name_parse(&n, &r));
    assert_int_equal(dns_name_key(&n, key), 2 * 250 + 4);
    assert_true(2 * 250 + 4 <= DNS_KEY_MAX);
}

static void names_are_taken_apart_and_joined(void **state)
{
    (void)state;
    struct dns_name n, tail, out, want;
    assert_true(dns_name_from_text(&n, "a.b.Old.example."));
    dns_name_ancestor(&n, 2, &out);
    assert_true(dns_name_from_text(&want, "Old.example."));
    assert_memory_equal(out.wire, want.wire, want.len);
    assert_memory_equal(out.label_at, want.label_at, 3);
    dns_name_ancestor(&n, 0, &out);
    assert_int_equal(out.len, 1);
    assert_true(dns_name_from_text(&tail, "new."));
    assert_true(dns_name_join(&n, 2, &tail, &out));
    assert_true(dns_name_from_text(&want, "a.b.new."));
    assert_int_equal(out.labels, 3);
    assert_memory_equal(out.wire, want.wire, want.len);
    assert_memory_equal(out.label_at, want.label_at, 4);
    /* RFC 6672 section 2.2: 255 bytes are a name, 256 are none */
    assert_true(dns_name_from_text(&n, "ab.x."));
    assert_true(dns_name_from_text(&tail, X63 "." X63 "." X63 "." X61 "."));
    assert_false(dns_name_join(&n, 1, &tail, &out));
    assert_true(dns_name_join(&n, 0, &tail, &out));
    assert_true(dns_name_equal(&out, &tail));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_goes_there_and_back),
        cmocka_unit_test(labels_are_bounded_by_the_length),
        cmocka_unit_test(pointers_go_backwards),
        cmocka_unit_test(a_long_chain_of_pointers_ends),
        cmocka_unit_test(order_is_canonical),
        cmocka_unit_test(keys_order_as_names_do),
        cmocka_unit_test(the_longest_key_fits),
        cmocka_unit_test(names_are_taken_apart_and_joined),
    };
    return cmocka_run_group_tests_name("dns_name", tests, NULL, NULL);
}
