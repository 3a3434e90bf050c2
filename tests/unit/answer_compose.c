/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "answer/answer.h"
#include "answer_text.h"
#include "answer_zones.h"
#include "zone/load.h"

static const struct zone_set *zones;

static void file_of(const char *text, char path[64])
{
    snprintf(path, 64, "/tmp/perigee-unit-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static int zones_load(void **state)
{
    (void)state;
    static struct zone_errors errs;
    struct zone_source sources[BASE_COUNT(zone_rows)];
    static char paths[BASE_COUNT(zone_rows)][64];
    struct err e = { 0 };
    char text[ZONE_ERROR_TEXT_MAX];
    for (size_t i = 0; i < BASE_COUNT(zone_rows); i++) {
        file_of(zone_rows[i].text, paths[i]);
        sources[i] = (struct zone_source){ zone_rows[i].origin, paths[i] };
    }
    int fd = zone_image_memfd(&e);
    bool ok = fd >= 0 && zone_build_image(sources, BASE_COUNT(zone_rows), fd, &errs);
    for (uint32_t i = 0; i < errs.kept; i++)
        if (!errs.at[i].warning)
            fprintf(stderr, "%s\n", zone_error_text(&errs.at[i], text, sizeof text));
    for (size_t i = 0; i < BASE_COUNT(zone_rows); i++)
        unlink(paths[i]);
    zones = ok ? zone_set_map(fd, &e) : NULL;
    close(fd);
    return zones != NULL ? 0 : -1;
}

static const struct answer_options options = {
    .nsid = (const uint8_t *)"fra1", .nsid_len = 4, .identity = "node1.fra", .version = "perigee"
};

static void answers_are_as_the_rfcs_say(void **state)
{
    (void)state;
    for (size_t i = 0; i < BASE_COUNT(answer_rows); i++) {
        uint8_t query[512], out[DNS_MESSAGE_MAX];
        enum answer_transport t;
        struct answer_info info;
        struct text text;
        size_t len = query_of(answer_rows[i].question, query, &t);
        size_t got = answer_compose(&options, zones, over(t), query, len, out, sizeof out, &info);
        const char *is = response_text(out, got, &text);
        if (strcmp(is, answer_rows[i].answer) != 0)
            fail_msg("RFC %s, %s: %s\n  is     %s\n  not    %s", answer_rows[i].rfc,
                     answer_rows[i].what, answer_rows[i].question, is, answer_rows[i].answer);
        /* the same one over any limit is never too long, and always whole */
        for (size_t cap = DNS_UDP_PLAIN_MAX; cap < got; cap += 13) {
            size_t cut =
                answer_compose(&options, zones, over(ANSWER_TCP), query, len, out, cap, &info);
            assert_true(cut <= cap);
            (void)response_text(out, cut, &text);
        }
    }
}

/* ---- headers, sizes, EDNS ---- */

static size_t ask(const uint8_t *query, size_t len, enum answer_transport t, uint8_t *out,
                  struct answer_info *info)
{
    return answer_compose(&options, zones, over(t), query, len, out, DNS_MESSAGE_MAX, info);
}

/* Any order, any spelling: what the cache gives is what is composed. */
static void the_cache_changes_nothing(void **state)
{
    (void)state;
    struct answer_options cached = options;
    cached.cache = calloc(1, answer_cache_size());
    assert_non_null(cached.cache);
    unsigned seed = 1;
    uint32_t hits = 0;
    for (int i = 0; i < 20000; i++) {
        static uint8_t query[512], out[DNS_MESSAGE_MAX], again[DNS_MESSAGE_MAX];
        enum answer_transport t;
        struct answer_info info;
        char question[1024], below[16];
        const char *row = answer_rows[(size_t)rand_r(&seed) % BASE_COUNT(answer_rows)].question;
        snprintf(below, sizeof below, "%.*s", rand_r(&seed) % 14, "x.Yy.z.ns.a.b.c");
        size_t end = strlen(below);
        if (end > 0 && below[end - 1] != '.')
            strcat(below, ".");
        snprintf(question, sizeof question, "%s%s", strlen(row) < 200 && row[0] != '.' ? below : "",
                 row);
        size_t len = query_of(question, query, &t);
        size_t got = answer_compose(&options, zones, over(t), query, len, out, sizeof out, &info);
        size_t twice =
            answer_compose(&cached, zones, over(t), query, len, again, sizeof again, &info);
        assert_int_equal(got, twice);
        if (memcmp(out, again, got) != 0)
            fail_msg("another answer to %s", question);
        hits += info.kind == ANSWER_REFERRAL;
    }
    assert_true(hits > 100);
    free(cached.cache);
}

static void questions_come_back_as_they_were(void **state)
{
    (void)state;
    uint8_t query[512], out[DNS_MESSAGE_MAX];
    enum answer_transport t;
    struct answer_info info;
    size_t len = query_of("wWw.ExAmPlE. A", query, &t);
    query[2] |= 0x01; /* RD */
    query[3] |= 0x30; /* AD, CD */
    size_t got = ask(query, len, t, out, &info);
    assert_true(got > len);
    assert_memory_equal(out, query, 2);
    assert_int_equal(out[2], 0x85); /* QR, AA, RD */
    assert_int_equal(out[3], 0);    /* not RA, and neither CD nor AD: RFC 4035 section 3.1.6 */
    assert_memory_equal(out + 12, query + 12, len - 12);
    /* the owner points at the question, whose case it takes */
    assert_int_equal(out[len], 0xc0);
    assert_int_equal(out[len + 1], 12);
    assert_int_equal(info.kind, ANSWER_DATA);
    assert_int_equal(info.qtype, DNS_TYPE_A);
}

static void a_response_gets_no_response(void **state)
{
    (void)state;
    uint8_t query[512], out[DNS_MESSAGE_MAX];
    enum answer_transport t;
    struct answer_info info;
    size_t len = query_of("www.example. A", query, &t);
    for (size_t cut = 0; cut < DNS_HEADER_LEN; cut++)
        assert_int_equal(ask(query, cut, t, out, &info), 0);
    query[2] |= 0x80;
    assert_int_equal(ask(query, len, t, out, &info), 0);
    assert_int_equal(info.kind, ANSWER_DROPPED);
}

static void broken_queries_get_formerr(void **state)
{
    (void)state;
    uint8_t query[512], out[DNS_MESSAGE_MAX];
    enum answer_transport t;
    struct answer_info info;
    size_t len = query_of("www.example. A do", query, &t);
    for (size_t cut = DNS_HEADER_LEN; cut < len; cut++) {
        uint8_t *msg = malloc(cut);
        assert_non_null(msg);
        memcpy(msg, query, cut);
        size_t got = ask(msg, cut, t, out, &info);
        assert_true(got >= DNS_HEADER_LEN);
        assert_int_equal(out[3] & 15, DNS_RCODE_FORMERR);
        struct text text;
        (void)response_text(out, got, &text);
        free(msg);
    }
}

static const struct {
    const char *rfc, *what;
    size_t offset;
    uint8_t value;
    uint16_t rcode;
    bool opt;
} header_rows[] = {
    { "1035 4.1.1", "nothing changed", 0, 0, DNS_RCODE_NOERROR, true },
    { "8906 3.1.4", "opcode STATUS", 2, 2 << 3, DNS_RCODE_NOTIMP, true },
    { "1996", "opcode NOTIFY", 2, 4 << 3, DNS_RCODE_NOTIMP, true },
    { "2136", "opcode UPDATE", 2, 5 << 3, DNS_RCODE_NOTIMP, true },
    { "8906 3.1.4", "opcode 15", 2, 15 << 3, DNS_RCODE_NOTIMP, true },
    { "9619 4", "QDCOUNT 0, and the question is no record", 5, 0, DNS_RCODE_FORMERR, false },
    { "9619 4", "QDCOUNT 2", 5, 2, DNS_RCODE_FORMERR, false },
    { "1035 4.1.1", "an answer that is not there", 7, 1, DNS_RCODE_FORMERR, false },
    { "1035 4.1.1", "an additional record that is not there", 11, 2, DNS_RCODE_FORMERR, true },
};

static void headers_are_checked(void **state)
{
    (void)state;
    for (size_t i = 0; i < BASE_COUNT(header_rows); i++) {
        uint8_t query[512], out[DNS_MESSAGE_MAX];
        enum answer_transport t;
        struct answer_info info;
        struct dns_reader d;
        struct dns_rr rr;
        size_t len = query_of("www.example. A edns", query, &t);
        if (header_rows[i].offset != 0)
            query[header_rows[i].offset] = header_rows[i].value;
        size_t got = ask(query, len, t, out, &info);
        bool opt = false;
        assert_true(dns_reader_open(&d, out, got));
        while (dns_reader_next(&d, &rr) == DNS_READER_RR)
            opt |= rr.type == DNS_TYPE_OPT;
        if (info.rcode != header_rows[i].rcode || opt != header_rows[i].opt)
            fail_msg("RFC %s, %s: rcode %u, opt %d", header_rows[i].rfc, header_rows[i].what,
                     info.rcode, opt);
    }
}

static void edns_is_answered(void **state)
{
    (void)state;
    uint8_t query[512], out[DNS_MESSAGE_MAX];
    enum answer_transport t;
    struct answer_info info;
    struct dns_name name;
    assert_true(dns_name_from_text(&name, "www.example."));
    for (int nsid = 0; nsid <= 1; nsid++)
        for (int version = 0; version <= 1; version++) {
            struct dns_ask a = { .id = 1,
                                 .qname = &name,
                                 .qtype = DNS_TYPE_AAAA,
                                 .qclass = DNS_CLASS_IN,
                                 .edns = true,
                                 .dnssec_ok = true,
                                 .nsid = nsid == 1,
                                 .udp_payload = 4096 };
            size_t len = dns_ask_write(&a, query, sizeof query);
            query[12 + 13 + 4 + 6] = (uint8_t)version;
            t = ANSWER_UDP;
            size_t got = ask(query, len, t, out, &info);
            struct dns_reader d;
            struct dns_rr rr, opt = { 0 };
            assert_true(dns_reader_open(&d, out, got));
            while (dns_reader_next(&d, &rr) == DNS_READER_RR)
                if (rr.type == DNS_TYPE_OPT)
                    opt = rr;
            assert_int_equal(opt.type, DNS_TYPE_OPT);
            assert_int_equal(opt.rclass, 1232);                /* our size, not theirs */
            assert_int_equal(opt.ttl_s & 0xffff, DNS_EDNS_DO); /* RFC 3225 section 3 */
            assert_int_equal(opt.ttl_s >> 16 & 255, 0);        /* the version that we speak */
            uint16_t want = version == 0 ? DNS_RCODE_NOERROR : DNS_RCODE_BADVERS;
            assert_int_equal(dns_full_rcode(d.flags, &opt), want);
            uint16_t option_len = 0;
            const uint8_t *option = dns_opt_find(&opt, DNS_EDNS_NSID, &option_len);
            assert_int_equal(option != NULL, nsid == 1); /* RFC 5001 section 2.1 */
            if (option != NULL)
                assert_memory_equal(option, "fra1", 4);
        }
    /* RFC 6891 section 6.1.1: none without being asked */
    size_t len = query_of("www.example. A", query, &t), got = ask(query, len, t, out, &info);
    assert_true(got > 0);
    assert_int_equal(out[11], 0);
}

/* RFC 8945 section 5.2.1: a key that we do not have. */
static void tsig_is_not_ignored(void **state)
{
    (void)state;
    static const char tsig[] =
        "\1k\0\0\xfa\0\xff\0\0\0\0\0\x1f\x0bhmac-sha256\0\0\0\1\2\3\4\1\x2c\0\2"
        "ab\0\7\0\0\0\0";
    uint8_t query[512], out[DNS_MESSAGE_MAX];
    enum answer_transport t;
    struct answer_info info;
    size_t len = query_of("www.example. A edns", query, &t);
    memcpy(query + len, tsig, sizeof tsig - 1);
    query[11] = 2;
    size_t got = ask(query, len + sizeof tsig - 1, t, out, &info);
    assert_int_equal(info.rcode, DNS_RCODE_NOTAUTH);
    struct dns_reader d;
    struct dns_rr rr;
    uint16_t last = 0;
    assert_true(dns_reader_open(&d, out, got));
    while (dns_reader_next(&d, &rr) == DNS_READER_RR)
        last = rr.type;
    assert_int_equal(last, DNS_TYPE_TSIG);
    struct dns_name algorithm;
    assert_true(dns_name_parse(&algorithm, &rr.rdata));
    rd_skip(&rr.rdata, 8);
    assert_int_equal(rd_u16(&rr.rdata), 0); /* no MAC */
    assert_int_equal(rd_u16(&rr.rdata), 77);
    assert_int_equal(rd_u16(&rr.rdata), DNS_RCODE_BADKEY);
}

static void sizes_are_kept(void **state)
{
    (void)state;
    static const struct {
        const char *question;
        size_t limit;
        bool tc;
    } rows[] = {
        { "big.example. TXT", 512, true },
        { "big.example. TXT edns", 1232, true },
        { "big.example. TXT tcp", 65535, false },
        { "www.example. A", 512, false },
    };
    for (size_t i = 0; i < BASE_COUNT(rows); i++) {
        uint8_t query[512], out[DNS_MESSAGE_MAX];
        enum answer_transport t;
        struct answer_info info;
        size_t len = query_of(rows[i].question, query, &t), got = ask(query, len, t, out, &info);
        assert_true(got <= rows[i].limit);
        assert_int_equal(info.truncated, rows[i].tc);
        assert_int_equal((out[2] & 2) != 0, rows[i].tc);
    }
}

/* RFC 6672 section 3.2: each substitution makes the name longer, and there is no end of it. */
static void chains_are_bounded(void **state)
{
    (void)state;
    uint8_t query[512], out[DNS_MESSAGE_MAX];
    enum answer_transport t;
    struct answer_info info;
    struct dns_reader d;
    size_t len = query_of("a.grow.example. A tcp", query, &t), got = ask(query, len, t, out, &info);
    assert_true(dns_reader_open(&d, out, got));
    assert_int_equal(d.count[DNS_ANSWER], 2 + 16); /* both DNAMEs, and a CNAME for each link */
    assert_int_equal(info.rcode, DNS_RCODE_NOERROR);
    assert_int_equal(info.kind, ANSWER_ALIAS);
}

static void no_zones_refuse(void **state)
{
    (void)state;
    uint8_t query[512], out[DNS_MESSAGE_MAX];
    enum answer_transport t;
    struct answer_info info;
    size_t len = query_of("www.example. A", query, &t);
    assert_true(answer_compose(&options, NULL, over(t), query, len, out, sizeof out, &info) > 0);
    assert_int_equal(info.kind, ANSWER_REFUSED);
    assert_int_equal(info.rcode, DNS_RCODE_REFUSED);
    assert_null(info.zone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_as_the_rfcs_say),
        cmocka_unit_test(the_cache_changes_nothing),
        cmocka_unit_test(headers_are_checked),
        cmocka_unit_test(questions_come_back_as_they_were),
        cmocka_unit_test(a_response_gets_no_response),
        cmocka_unit_test(broken_queries_get_formerr),
        cmocka_unit_test(edns_is_answered),
        cmocka_unit_test(tsig_is_not_ignored),
        cmocka_unit_test(sizes_are_kept),
        cmocka_unit_test(no_zones_refuse),
        cmocka_unit_test(chains_are_bounded),
    };
    return cmocka_run_group_tests_name("answer_compose", tests, zones_load, NULL);
}
