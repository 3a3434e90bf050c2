/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dns/message.h"
#include "probe/probe.h"

#define BYTES(s) (s), sizeof(s) - 1
#define QUERY "\x12\x34\0\0\0\1\0\0\0\0\0\0\3wWw\1t\0\0\1\0\1"
#define HEAD(id, flags, counts) id flags counts
#define ONE "\0\1\0\0\0\0\0\0"
#define QUESTION "\3wWw\1t\0\0\1\0\1"

static const struct {
    const char *what, *msg;
    size_t len;
    bool belongs;
} rows[] = {
    { "the response", BYTES(HEAD("\x12\x34", "\x80\0", ONE) QUESTION), true },
    { "with records behind", BYTES(HEAD("\x12\x34", "\x84\0", "\0\1\0\1\0\0\0\0") QUESTION "x"),
      true },
    { "another id", BYTES(HEAD("\x12\x35", "\x80\0", ONE) QUESTION), false },
    { "a query", BYTES(HEAD("\x12\x34", "\0\0", ONE) QUESTION), false },
    { "another opcode", BYTES(HEAD("\x12\x34", "\xa0\0", ONE) QUESTION), false },
    { "another case of the name", BYTES(HEAD("\x12\x34", "\x80\0", ONE) "\3www\1t\0\0\1\0\1"),
      false },
    { "another name", BYTES(HEAD("\x12\x34", "\x80\0", ONE) "\3wWx\1t\0\0\1\0\1"), false },
    { "another type", BYTES(HEAD("\x12\x34", "\x80\0", ONE) "\3wWw\1t\0\0\2\0\1"), false },
    { "another class", BYTES(HEAD("\x12\x34", "\x80\0", ONE) "\3wWw\1t\0\0\1\0\3"), false },
    { "two questions", BYTES(HEAD("\x12\x34", "\x80\0", "\0\2\0\0\0\0\0\0") QUESTION QUESTION),
      false },
    { "half a question", BYTES(HEAD("\x12\x34", "\x80\0", ONE) "\3wWw\1t\0\0\1"), false },
    { "a compressed question", BYTES(HEAD("\x12\x34", "\x80\0", ONE) "\xc0\x0c\0\1\0\1pad"),
      false },
    { "no question, FORMERR", BYTES(HEAD("\x12\x34", "\x80\1", "\0\0\0\0\0\0\0\0")), true },
    { "no question, NOTIMP", BYTES(HEAD("\x12\x34", "\x80\4", "\0\0\0\0\0\0\0\0")), true },
    { "no question, REFUSED", BYTES(HEAD("\x12\x34", "\x80\5", "\0\0\0\0\0\0\0\0")), true },
    { "no question, NOERROR", BYTES(HEAD("\x12\x34", "\x80\0", "\0\0\0\0\0\0\0\0")), false },
    { "eleven bytes", BYTES("\x12\x34\x80\0\0\1\0\0\0\0\0"), false },
    { "nothing", BYTES(""), false },
};

static void what_belongs(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        /* Exactly as long as the message, so that a sanitizer sees a read too far. */
        uint8_t *msg = malloc(rows[i].len + 1);
        memcpy(msg, rows[i].msg, rows[i].len);
        bool belongs =
            probe_response_belongs((const uint8_t *)QUERY, sizeof QUERY - 1, msg, rows[i].len);
        if (belongs != rows[i].belongs)
            fail_msg("%s: %d", rows[i].what, belongs);
        free(msg);
    }
}

static void letters_are_mixed(void **state)
{
    (void)state;
    struct probe_question q = {
        .qtype = 6, .qclass = 1, .edns = true, .dnssec_ok = true, .nsid = true, .udp_payload = 1232
    };
    uint8_t a[512], b[512];
    assert_true(dns_name_from_text(&q.qname, "abcdefgh-09.EXAMPLE."));
    size_t len = probe_query_write(&q, 7, 0, a, sizeof a);
    assert_int_equal(probe_query_write(&q, 7, ~(uint64_t)0, b, sizeof b), len);
    assert_memory_equal(a, b, 12);
    uint32_t differ = 0;
    for (size_t i = 12; i < len; i++)
        if (a[i] != b[i]) {
            assert_int_equal(a[i] ^ b[i], 0x20);
            differ++;
        }
    assert_int_equal(differ, 15);
    struct dns_query read;
    assert_int_equal(dns_query_parse(&read, b, len), DNS_GRADE_OK);
    assert_true(dns_name_equal(&read.qname, &q.qname));
    assert_true(read.dnssec_ok && read.nsid_asked);
    assert_int_equal(read.udp_payload, 1232);
    q.keep_case = true;
    assert_int_equal(probe_query_write(&q, 7, ~(uint64_t)0, b, sizeof b), len);
    assert_memory_equal(a, b, len);
}

static void what_a_person_sees(void **state)
{
    (void)state;
    static const char chaos[] = "\0\7\x84\0\0\1\0\1\0\0\0\1\2id\6server\0\0\x10\0\3"
                                "\xc0\x0c\0\x10\0\3\0\0\0\0\0\7\6am\"\x01s1"
                                "\0\0\x29\4\xd0\0\0\0\0\0\x0a\0\3\0\6site-1";
    static const char soa[] = "\0\7\x84\0\0\1\0\1\0\0\0\0\1t\0\0\6\0\1"
                              "\xc0\x0c\0\6\0\1\0\0\0\x3c\0\x1c\1n\xc0\x0c\1h\xc0\x0c\0\0\0\x2a"
                              "\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4";
    struct probe_summary s;
    char text[PROBE_NSID_TEXT_MAX];
    assert_true(probe_summary_read((const uint8_t *)chaos, sizeof chaos - 1, &s));
    assert_true(s.aa && s.edns && s.has_nsid);
    assert_int_equal(s.rcode, 0);
    assert_string_equal(s.text, "am\"\\001s1");
    assert_string_equal(probe_nsid_text(s.nsid, s.nsid_len, text), "site-1");
    assert_string_equal(probe_nsid_text((const uint8_t *)"\1\xff", 2, text), "01ff");
    assert_string_equal(probe_nsid_text((const uint8_t *)"", 0, text), "");

    uint8_t *msg = malloc(sizeof soa);
    memcpy(msg, soa, sizeof soa - 1);
    assert_true(probe_summary_read(msg, sizeof soa - 1, &s));
    assert_true(s.has_serial);
    assert_int_equal(s.serial, 42);
    for (size_t cut = 0; cut < sizeof soa - 1; cut++)
        assert_false(probe_summary_read(msg, cut, &s));
    /* A pointer that points at itself, and at what follows. */
    msg[20] = 0x13;
    assert_false(probe_summary_read(msg, sizeof soa - 1, &s));
    free(msg);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_belongs),
        cmocka_unit_test(letters_are_mixed),
        cmocka_unit_test(what_a_person_sees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
