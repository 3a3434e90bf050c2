/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/wr.h"
#include "dns/message.h"

#define BYTES(s) (s), sizeof(s) - 1
#define HEAD(flags, counts) "\x12\x34" flags counts
#define ONE "\0\1\0\0\0\0\0\0"
#define ONE_OPT "\0\1\0\0\0\0\0\1"
#define QUESTION "\1a\0\0\1\0\1"
#define OPT(version, rdata_len) "\0\0\x29\x10\0\0" version "\0\0" rdata_len
#define TSIG "\1k\0\0\xfa\0\xff\0\0\0\0\0\1x"

static const struct {
    const char *rfc, *what, *msg;
    size_t len;
    enum dns_grade grade;
    bool question, edns;
} query_rows[] = {
    { "1035 4.1.1", "a plain query", BYTES(HEAD("\1\0", ONE) QUESTION), DNS_GRADE_OK, true, false },
    { "6891 6.1.1", "a query with OPT", BYTES(HEAD("\1\0", ONE_OPT) QUESTION OPT("\0", "\0\0")),
      DNS_GRADE_OK, true, true },
    { "6891 6.1.3", "EDNS version 1", BYTES(HEAD("\1\0", ONE_OPT) QUESTION OPT("\1", "\0\0")),
      DNS_GRADE_BADVERS, true, true },
    { "6891 6.1.1", "two OPTs",
      BYTES(HEAD("\1\0", "\0\1\0\0\0\0\0\2") QUESTION OPT("\0", "\0\0") OPT("\0", "\0\0")),
      DNS_GRADE_FORMERR, true, true },
    { "6891 6.1.1", "an OPT in the answer section",
      BYTES(HEAD("\1\0", "\0\1\0\1\0\0\0\0") QUESTION OPT("\0", "\0\0")), DNS_GRADE_FORMERR, true,
      false },
    { "6891 6.1.2", "an OPT whose owner is not the root",
      BYTES(HEAD("\1\0", ONE_OPT) QUESTION "\1a" OPT("\0", "\0\0")), DNS_GRADE_FORMERR, true,
      false },
    { "6891 6.1.2", "an option that is longer than its OPT",
      BYTES(HEAD("\1\0", ONE_OPT) QUESTION OPT("\0", "\0\4") "\0\3\0\1"), DNS_GRADE_FORMERR, true,
      false },
    { "6891 6.1.2", "half an option code",
      BYTES(HEAD("\1\0", ONE_OPT) QUESTION OPT("\0", "\0\1") "\0"), DNS_GRADE_FORMERR, true,
      false },
    { "6891 6.1.2", "an unknown option is passed over",
      BYTES(HEAD("\1\0", ONE_OPT) QUESTION OPT("\0", "\0\5") "\xff\xfe\0\1x"), DNS_GRADE_OK, true,
      true },
    { "1035 4.1.1", "eleven bytes", BYTES("\x12\x34\1\0\0\1\0\0\0\0\0"), DNS_GRADE_DROP, false,
      false },
    { "1035 4.1.1", "a response", BYTES(HEAD("\x81\0", ONE) QUESTION), DNS_GRADE_DROP, false,
      false },
    { "1035 4.1.1", "a broken response", BYTES(HEAD("\x81\0", ONE)), DNS_GRADE_DROP, false, false },
    { "9619 4", "no question", BYTES(HEAD("\1\0", "\0\0\0\0\0\0\0\0")), DNS_GRADE_FORMERR, false,
      false },
    { "6891 6.1.1", "no question, but an OPT",
      BYTES(HEAD("\1\0", "\0\0\0\0\0\0\0\1") OPT("\0", "\0\0")), DNS_GRADE_FORMERR, false, true },
    { "9619 4", "two questions", BYTES(HEAD("\1\0", "\0\2\0\0\0\0\0\0") QUESTION QUESTION),
      DNS_GRADE_FORMERR, false, false },
    { "1035 4.1.1", "a header alone that promises a question", BYTES(HEAD("\1\0", ONE)),
      DNS_GRADE_FORMERR, false, false },
    { "1035 4.1.2", "a question that breaks off", BYTES(HEAD("\1\0", ONE) "\1a\0\0\1\0"),
      DNS_GRADE_FORMERR, false, false },
    { "1035 4.1.4", "a pointer in the question", BYTES(HEAD("\1\0", ONE) "\xc0\x0c\0\1\0\1"),
      DNS_GRADE_FORMERR, false, false },
    { "1035 4.1.1", "bytes left over", BYTES(HEAD("\1\0", ONE) QUESTION "x"), DNS_GRADE_FORMERR,
      true, false },
    { "1035 4.1.1", "a count that lies",
      BYTES(HEAD("\1\0", "\0\1\xff\xff\xff\xff\xff\xff") QUESTION), DNS_GRADE_FORMERR, true,
      false },
    { "1995 3", "IXFR's SOA in the authority section is passed over",
      BYTES(HEAD("\0\0", "\0\1\0\0\0\1\0\0") QUESTION "\xc0\x0c\0\6\0\1\0\0\0\0\0\1x"),
      DNS_GRADE_OK, true, false },
    { "8945 5.1", "a TSIG at the end",
      BYTES(HEAD("\1\0", "\0\1\0\0\0\0\0\2") QUESTION OPT("\0", "\0\0") TSIG), DNS_GRADE_OK, true,
      true },
    { "8945 5.2", "a TSIG that is not at the end",
      BYTES(HEAD("\1\0", "\0\1\0\0\0\0\0\2") QUESTION TSIG OPT("\0", "\0\0")), DNS_GRADE_FORMERR,
      true, false },
    { "8906 3.1.4", "an opcode nobody knows",
      BYTES(HEAD("\x79\0", ONE_OPT) QUESTION OPT("\0", "\0\0")), DNS_GRADE_NOTIMP, true, true },
    { "8906 3.1.4", "an opcode nobody knows, and nothing else",
      BYTES(HEAD("\x79\0", "\0\0\0\0\0\0\0\0")), DNS_GRADE_NOTIMP, false, false },
    { "1996", "NOTIFY", BYTES(HEAD("\x24\0", ONE) QUESTION), DNS_GRADE_NOTIMP, true, false },
    { "2136", "UPDATE", BYTES(HEAD("\x28\0", ONE) QUESTION), DNS_GRADE_NOTIMP, true, false },
};

static void a_query_gets_its_grade(void **state)
{
    (void)state;
    for (size_t i = 0; i < BASE_COUNT(query_rows); i++) {
        struct dns_query q;
        enum dns_grade got =
            dns_query_parse(&q, (const uint8_t *)query_rows[i].msg, query_rows[i].len);
        if (got != query_rows[i].grade || q.question != query_rows[i].question ||
            q.edns != query_rows[i].edns)
            fail_msg("RFC %s, %s: grade %d, question %d, edns %d", query_rows[i].rfc,
                     query_rows[i].what, got, q.question, q.edns);
    }
}

/* Cut at every byte it is never fine, and never read past its end (the bytes are on the heap, so that
 * an address sanitizer sees it). */
static void a_cut_query_is_never_fine(void **state)
{
    (void)state;
    for (size_t i = 0; i < BASE_COUNT(query_rows); i++)
        for (size_t len = 0; len < query_rows[i].len; len++) {
            uint8_t *msg = malloc(len + 1);
            assert_non_null(msg);
            memcpy(msg, query_rows[i].msg, len);
            struct dns_query q;
            enum dns_grade got = dns_query_parse(&q, msg, len);
            if (len < DNS_HEADER_LEN)
                assert_int_equal(got, DNS_GRADE_DROP);
            else
                assert_int_not_equal(got, DNS_GRADE_BADVERS);
            if (got == DNS_GRADE_OK && query_rows[i].grade == DNS_GRADE_OK)
                fail_msg("%s, cut at %zu, is fine", query_rows[i].what, len);
            free(msg);
        }
}

static void edns_is_read(void **state)
{
    (void)state;
    static const char msg[] =
        HEAD("\1\0", ONE_OPT) QUESTION "\0\0\x29\0\x64\0\0\x80\0\0\x10\0\3\0\0\0\x0a\0\x08"
                                       "client!!";
    struct dns_query q;
    assert_int_equal(dns_query_parse(&q, (const uint8_t *)msg, sizeof msg - 1), DNS_GRADE_OK);
    assert_int_equal(q.udp_payload, 512); /* RFC 6891 section 6.2.3: less is as good as 512 */
    assert_true(q.dnssec_ok);
    assert_true(q.nsid_asked);
    assert_int_equal(q.cookie_len, 8);
    assert_memory_equal(q.cookie, "client!!", 8);
    assert_int_equal(q.id, 0x1234);
    assert_int_equal(q.question_len, 7);
    assert_int_equal(q.qname.labels, 1);
}

static void what_is_asked_can_be_read(void **state)
{
    (void)state;
    struct dns_name name;
    assert_true(dns_name_from_text(&name, "www.Example.com."));
    struct dns_ask ask = { .id = 7,
                           .rd = true,
                           .qname = &name,
                           .qtype = DNS_TYPE_AAAA,
                           .qclass = DNS_CLASS_IN,
                           .edns = true,
                           .dnssec_ok = true,
                           .nsid = true,
                           .udp_payload = 1232 };
    uint8_t msg[512];
    size_t len = dns_ask_write(&ask, msg, sizeof msg);
    assert_true(len > 0);
    struct dns_query q;
    assert_int_equal(dns_query_parse(&q, msg, len), DNS_GRADE_OK);
    assert_true(q.nsid_asked && q.dnssec_ok && q.edns);
    assert_int_equal(q.udp_payload, 1232);
    assert_int_equal(q.qtype, DNS_TYPE_AAAA);
    for (size_t cap = 0; cap < len; cap++)
        assert_int_equal(dns_ask_write(&ask, msg, cap), 0);
}

/* A response with a compressed MX, a SRV whose target is compressed (RFC 3597 section 4 makes a
 * reader take it), and an OPT with NSID and an extended RCODE. */
static const char response[] =
    HEAD("\x84\0", "\0\1\0\2\0\0\0\1") "\7eXample\0\0\x0f\0\1"
                                       "\xc0\x0c\0\x0f\0\1\0\0\0\x0a\0\7\0\5\2mx\xc0\x0c"
                                       "\xc0\x0c\0\x21\0\1\0\0\0\x0a\0\x08\0\1\0\2\0\3\xc0\x0c"
                                       "\0\0\x29\x04\xd0\1\0\0\0\0\6\0\3\0\2fr";

static void a_response_is_walked_over(void **state)
{
    (void)state;
    struct dns_reader d;
    struct dns_rr rr;
    uint8_t rdata[512];
    assert_true(dns_reader_open(&d, (const uint8_t *)response, sizeof response - 1));
    assert_true(d.question);
    assert_int_equal(d.qtype, DNS_TYPE_MX);
    assert_int_equal(dns_reader_next(&d, &rr), DNS_READER_RR);
    assert_int_equal(rr.section, DNS_ANSWER);
    assert_true(dns_name_equal(&rr.owner, &d.qname));
    assert_int_equal(dns_reader_rdata(&d, &rr, rdata, sizeof rdata), 14);
    assert_memory_equal(rdata, "\0\5\2mx\7eXample\0", 14);
    assert_int_equal(dns_reader_rdata(&d, &rr, rdata, 13), -1);
    assert_int_equal(dns_reader_next(&d, &rr), DNS_READER_RR);
    assert_int_equal(dns_reader_rdata(&d, &rr, rdata, sizeof rdata), 15);
    assert_int_equal(dns_reader_next(&d, &rr), DNS_READER_RR);
    assert_int_equal(rr.section, DNS_ADDITIONAL);
    uint16_t len;
    const uint8_t *nsid = dns_opt_find(&rr, DNS_EDNS_NSID, &len);
    assert_non_null(nsid);
    assert_int_equal(len, 2);
    assert_memory_equal(nsid, "fr", 2);
    assert_null(dns_opt_find(&rr, DNS_EDNS_COOKIE, &len));
    assert_int_equal(dns_full_rcode(d.flags, &rr), DNS_RCODE_BADVERS);
    assert_int_equal(dns_reader_next(&d, &rr), DNS_READER_END);
}

static void a_cut_response_is_broken(void **state)
{
    (void)state;
    for (size_t len = 0; len < sizeof response - 1; len++) {
        uint8_t *msg = malloc(len + 1);
        assert_non_null(msg);
        memcpy(msg, response, len);
        struct dns_reader d;
        struct dns_rr rr;
        if (dns_reader_open(&d, msg, len)) {
            enum dns_reader_got got;
            while ((got = dns_reader_next(&d, &rr)) == DNS_READER_RR)
                ;
            assert_int_equal(got, DNS_READER_BROKEN);
        }
        free(msg);
    }
}

/* RFC 3597 section 4: what a field is decides whether its name may be compressed. */
static const struct {
    uint16_t type;
    const char *what, *rdata;
    size_t len;
    int32_t out; /* -1: broken */
} rdata_rows[] = {
    { DNS_TYPE_A, "any bytes", BYTES("\xc0\0\2\1"), 4 },
    { DNS_TYPE_NS, "a pointer", BYTES("\xc0\0"), 3 },
    { DNS_TYPE_NS, "a byte behind the name", BYTES("\xc0\0x"), -1 },
    { DNS_TYPE_SOA, "two pointers", BYTES("\xc0\0\xc0\0abcdabcdabcdabcdabcd"), 26 },
    { DNS_TYPE_DNAME, "a pointer where none may be", BYTES("\xc0\0"), -1 },
    { DNS_TYPE_NSEC, "a pointer where none may be", BYTES("\xc0\0\0\1\2"), -1 },
    { DNS_TYPE_NAPTR, "strings before the name", BYTES("\0\1\0\2\1u\0\2ab\xc0\0"), 13 },
    { DNS_TYPE_NAPTR, "a string too long", BYTES("\0\1\0\2\1u\0\7ab\xc0\0"), -1 },
    { DNS_TYPE_SRV, "too short", BYTES("\0\1\0"), -1 },
    { DNS_TYPE_MX, "empty", BYTES(""), -1 },
    { 65280, "an unknown type with bytes that look like a pointer", BYTES("\xc0\0"), 2 },
};

static void rdata_is_expanded(void **state)
{
    (void)state;
    for (size_t i = 0; i < BASE_COUNT(rdata_rows); i++) {
        uint8_t msg[64] = "\1z", out[64]; /* the name z. at offset 0 */
        memcpy(msg + 3, rdata_rows[i].rdata, rdata_rows[i].len);
        size_t len = 3 + rdata_rows[i].len;
        struct wr w = wr_init(out, sizeof out);
        bool ok =
            dns_rdata_expand(rdata_rows[i].type, rd_init(msg + 3, rdata_rows[i].len), msg, len, &w);
        if (ok != (rdata_rows[i].out >= 0) || (ok && (int32_t)wr_len(&w) != rdata_rows[i].out))
            fail_msg("type %u, %s: %d, %zu", rdata_rows[i].type, rdata_rows[i].what, ok,
                     wr_len(&w));
        if (ok)
            assert_true(dns_rdata_valid(rdata_rows[i].type, out, wr_len(&w)));
    }
}

static void types_have_names(void **state)
{
    (void)state;
    char text[DNS_TYPE_TEXT_MAX];
    for (uint32_t t = 0; t <= 65535; t++) {
        uint16_t back = 0;
        assert_true(dns_type_from_text(dns_type_text((uint16_t)t, text), &back));
        assert_int_equal(back, t);
    }
    uint16_t t;
    assert_true(dns_type_from_text("nsec3param", &t));
    assert_int_equal(t, 51);
    assert_true(dns_type_from_text("Type1", &t)); /* RFC 3597 section 5: the same as A */
    assert_int_equal(t, 1);
    assert_false(dns_type_from_text("TYPE65536", &t));
    assert_false(dns_type_from_text("TYPE", &t));
    assert_false(dns_type_from_text("", &t));
    assert_string_equal(dns_type_text(23, text), "NSAP-PTR");
    assert_string_equal(dns_rcode_text(3, text), "NXDOMAIN");
    assert_string_equal(dns_rcode_text(16, text), "BADVERS");
    assert_string_equal(dns_rcode_text(4095, text), "RCODE4095");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_query_gets_its_grade),
        cmocka_unit_test(a_cut_query_is_never_fine),
        cmocka_unit_test(edns_is_read),
        cmocka_unit_test(what_is_asked_can_be_read),
        cmocka_unit_test(a_response_is_walked_over),
        cmocka_unit_test(a_cut_response_is_broken),
        cmocka_unit_test(rdata_is_expanded),
        cmocka_unit_test(types_have_names),
    };
    return cmocka_run_group_tests_name("dns_message", tests, NULL, NULL);
}
