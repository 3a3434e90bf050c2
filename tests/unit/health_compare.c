/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What equals the zone and what does not. The answers are those of the answer room, from a zone that is
 * right, or that has one thing changed: each change must be found. */
#include "zone_help.h"

#include "answer/answer.h"
#include "base/wr.h"
#include "dns/type.h"
#include "health/compare.h"
#include "health/question.h"
#include "probe/probe.h"

#define SIG(covers, labels, ttl)                                                                   \
    "RRSIG " covers " 13 " labels " " ttl " 20300101000000 20200101000000 1 t. AAAA\n"

/* Signed with NSEC; the signatures' bytes are nobody's. */
#define SOA(serial) "@ SOA ns host " serial " 2 3 4 5\n@ " SIG("SOA", "1", "60")
/* It would break these lines in another bad place with every run. */
/* clang-format off */
#define SIGNED_REST \
    "@ NS ns\n@ NS ns.sub\n@ " SIG("NS", "1", "60") "@ MX 5 mail\n@ " SIG("MX", "1", "60") \
    "@ 5 NSEC a NS SOA MX RRSIG NSEC\n@ 5 " SIG("NSEC", "1", "5") "a 90 A 192.0.2.7\n" \
    "a 90 A 192.0.2.8\na 90 " SIG("A", "2", "90") "a 5 NSEC ns A RRSIG NSEC\na 5 " \
    SIG("NSEC", "2", "5") "ns A 192.0.2.1\nns " SIG("A", "2", "60") "ns AAAA 2001:db8::1\nns " \
    SIG("AAAA", "2", "60") "ns 5 NSEC sub A AAAA RRSIG NSEC\nns 5 " SIG("NSEC", "2", "5") \
    "sub NS ns.sub\nsub NS ns.other.\n" \
    "sub DS 1 13 2 0000000000000000000000000000000000000000000000000000000000000000\nsub " \
    SIG("DS", "2", "60") "sub 5 NSEC un NS DS RRSIG NSEC\nsub 5 " SIG("NSEC", "2", "5") \
    "ns.sub A 192.0.2.2\nns.sub AAAA 2001:db8::2\nun NS ns\nun 5 NSEC *.w NS RRSIG NSEC\n" \
    "un 5 " SIG("NSEC", "2", "5") "*.w TXT wild\n*.w " SIG("TXT", "2", "60") \
    "*.w 5 NSEC t. TXT RRSIG NSEC\n*.w 5 " SIG("NSEC", "2", "5")
/* clang-format on */
#define HEADER "$ORIGIN t.\n$TTL 60\n"
#define SIGNED HEADER SOA("1") SIGNED_REST

static const uint8_t nsid[] = "site-1";

static struct zone_set *set_of(const char *text)
{
    return zone_help_set("t.", text);
}

/* Answers `q` from `zones` as a server with this NSID does. */
static size_t answer_as(const struct zone_set *zones, const struct question *q, const char *site,
                        enum answer_transport t, uint16_t payload, uint8_t *out)
{
    uint8_t query[512];
    struct answer_info info;
    struct answer_options o = { .nsid = (const uint8_t *)site,
                                .nsid_len = (uint16_t)strlen(site),
                                .udp_payload_max = payload };
    struct probe_question pq = { .qname = q->qname,
                                 .qtype = q->qtype,
                                 .qclass = 1,
                                 .edns = true,
                                 .dnssec_ok = true,
                                 .nsid = true,
                                 .udp_payload = payload };
    size_t len = probe_query_write(&pq, 1, 0x5555555555555555u, query, sizeof query);
    assert_true(len > 0);
    const struct answer_client client = { .transport = t };
    len = answer_compose(&o, zones, &client, query, len, out, ANSWER_TCP_CAP, &info);
    assert_true(len > 0);
    return len;
}

static struct compare *scratch;

static void compare(const struct zone_set *zones, const struct question *q, const uint8_t *msg,
                    size_t len, uint16_t payload, struct compare_result *r)
{
    struct compare_ask ask = { .zones = zones,
                               .q = q,
                               .dnssec_ok = true,
                               .nsid = nsid,
                               .nsid_len = sizeof nsid - 1,
                               .udp_payload = payload };
    health_compare_answer(scratch, &ask, msg, len, r);
}

static void ask(struct question *q, const char *name, uint16_t type)
{
    memset(q, 0, sizeof *q);
    assert_true(dns_name_from_text(&q->qname, name));
    q->qtype = type;
}

/* ---- one thing is wrong ---- */

static const struct {
    const char *what;
    const char *served, *zone;
    const char *name;
    uint16_t type;
    enum verdict_why why;
} rows[] = {
    { "the right SOA", SIGNED, SIGNED, "t.", DNS_TYPE_SOA, VERDICT_FINE },
    { "the right addresses", SIGNED, SIGNED, "a.t.", DNS_TYPE_A, VERDICT_FINE },
    { "the right denial of a name", SIGNED, SIGNED, "nope.t.", DNS_TYPE_A, VERDICT_FINE },
    { "the right denial of a type", SIGNED, SIGNED, "a.t.", DNS_TYPE_TXT, VERDICT_FINE },
    { "the right denial of an empty non-terminal", SIGNED, SIGNED, "w.t.", DNS_TYPE_TXT,
      VERDICT_FINE },
    { "the right referral", SIGNED, SIGNED, "x.sub.t.", DNS_TYPE_A, VERDICT_FINE },
    { "the right insecure referral", SIGNED, SIGNED, "x.un.t.", DNS_TYPE_A, VERDICT_FINE },
    { "the right DS", SIGNED, SIGNED, "sub.t.", DNS_TYPE_DS, VERDICT_FINE },
    { "the right wildcard", SIGNED, SIGNED, "x.w.t.", DNS_TYPE_TXT, VERDICT_FINE },
    { "the right wildcard without the type", SIGNED, SIGNED, "x.w.t.", DNS_TYPE_A, VERDICT_FINE },
    { "a name of no zone", SIGNED, SIGNED, "www.example.", DNS_TYPE_A, VERDICT_FINE },

    { "an old serial", SIGNED, HEADER SOA("2") SIGNED_REST, "t.", DNS_TYPE_SOA, VERDICT_SERIAL },
    { "an old serial in a denial", SIGNED, HEADER SOA("2") SIGNED_REST, "nope.t.", DNS_TYPE_A,
      VERDICT_SERIAL },
    { "a wrong address", HEADER SOA("1") SIGNED_REST "q A 192.0.2.9\n",
      HEADER SOA("1") SIGNED_REST "q A 192.0.2.10\n", "q.t.", DNS_TYPE_A, VERDICT_RECORD },
    { "an address too much", HEADER SOA("1") SIGNED_REST "a 90 A 192.0.2.9\n", SIGNED, "a.t.",
      DNS_TYPE_A, VERDICT_RECORD },
    { "an address too little", SIGNED, HEADER SOA("1") SIGNED_REST "a 90 A 192.0.2.9\n", "a.t.",
      DNS_TYPE_A, VERDICT_MISSING },
    { "another TTL", HEADER SOA("1") SIGNED_REST "q 61 A 192.0.2.9\n",
      HEADER SOA("1") SIGNED_REST "q 60 A 192.0.2.9\n", "q.t.", DNS_TYPE_A, VERDICT_TTL },
    { "a missing signature", HEADER SOA("1") SIGNED_REST "q A 192.0.2.9\n",
      HEADER SOA("1") SIGNED_REST "q A 192.0.2.9\nq " SIG("A", "2", "60"), "q.t.", DNS_TYPE_A,
      VERDICT_SIGNATURE },
    { "a missing signature of the SOA", HEADER "@ SOA ns host 1 2 3 4 5\n" SIGNED_REST, SIGNED,
      "t.", DNS_TYPE_SOA, VERDICT_SIGNATURE },
    { "a signature that is not the zone's",
      HEADER SOA("1") SIGNED_REST "q A 192.0.2.9\nq RRSIG A 13 2 60 20300101000000 "
                                  "20200101000000 1 t. BBBB\n",
      HEADER SOA("1") SIGNED_REST "q A 192.0.2.9\nq " SIG("A", "2", "60"), "q.t.", DNS_TYPE_A,
      VERDICT_RECORD },
    { "a name that should exist", SIGNED, HEADER SOA("1") SIGNED_REST "q A 192.0.2.9\n", "q.t.",
      DNS_TYPE_A, VERDICT_RCODE },
    { "a name that should not exist", HEADER SOA("1") SIGNED_REST "q A 192.0.2.9\n", SIGNED, "q.t.",
      DNS_TYPE_A, VERDICT_RCODE },
    { "another zone altogether", SIGNED, SIGNED, "t.", DNS_TYPE_NS, VERDICT_FINE },
    { "a type that should exist", SIGNED, HEADER SOA("1") SIGNED_REST "a TXT x\n", "a.t.",
      DNS_TYPE_TXT, VERDICT_MISSING },
    { "glue that is missing", SIGNED,
      HEADER SOA("1") SIGNED_REST "sub NS n2.sub\nn2.sub A 192.0.2.3\n", "x.sub.t.", DNS_TYPE_A,
      VERDICT_MISSING },
    { "glue that is wrong", HEADER SOA("1") SIGNED_REST "sub NS n2.sub\nn2.sub A 192.0.2.4\n",
      HEADER SOA("1") SIGNED_REST "sub NS n2.sub\nn2.sub A 192.0.2.3\n", "x.sub.t.", DNS_TYPE_A,
      VERDICT_RECORD },
    { "a delegation that is authoritative here", HEADER SOA("1") SIGNED_REST "q A 192.0.2.9\n",
      HEADER SOA("1") SIGNED_REST "q NS ns\n", "q.t.", DNS_TYPE_A, VERDICT_AUTHORITY },
};

static void one_thing_wrong(void **state)
{
    (void)state;
    static uint8_t msg[ANSWER_TCP_CAP];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct zone_set *served = set_of(rows[i].served), *zone = set_of(rows[i].zone);
        struct question q;
        struct compare_result r;
        ask(&q, rows[i].name, rows[i].type);
        for (int t = 0; t < 2; t++) {
            size_t len =
                answer_as(served, &q, (const char *)nsid, (enum answer_transport)t, 1232, msg);
            compare(zone, &q, msg, len, t == ANSWER_UDP ? 1232 : 0, &r);
            if (r.why != rows[i].why)
                fail_msg("%s: %s (%s)", rows[i].what, verdict_why_name(r.why), r.text);
            assert_true((r.why == VERDICT_FINE) == (r.text[0] == '\0'));
        }
        zone_set_free(served);
        zone_set_free(zone);
    }
}

static void another_server(void **state)
{
    (void)state;
    static uint8_t msg[ANSWER_TCP_CAP];
    struct zone_set *zone = set_of(SIGNED);
    struct question q;
    struct compare_result r;
    ask(&q, "t.", DNS_TYPE_SOA);
    size_t len = answer_as(zone, &q, "site-2", ANSWER_TCP, 1232, msg);
    compare(zone, &q, msg, len, 0, &r);
    assert_int_equal(r.why, VERDICT_NSID);
    assert_string_equal(r.text, "the NSID is 'site-2', not 'site-1'");
    len = answer_as(zone, &q, "", ANSWER_TCP, 1232, msg);
    compare(zone, &q, msg, len, 0, &r);
    assert_int_equal(r.why, VERDICT_NSID);
    zone_set_free(zone);
}

/* A small answer with TC is wrong; one that does not fit is right as far as it goes. */
static void truncation(void **state)
{
    (void)state;
    static uint8_t msg[ANSWER_TCP_CAP];
    static char big[8192];
    int at = snprintf(big, sizeof big, "%s", SIGNED);
    for (int i = 0; i < 40; i++)
        at += snprintf(big + at, sizeof big - (size_t)at, "big TXT \"%060d\"\n", i);
    struct zone_set *zone = set_of(big);
    struct question q;
    struct compare_result r;
    ask(&q, "big.t.", DNS_TYPE_TXT);
    size_t len = answer_as(zone, &q, (const char *)nsid, ANSWER_UDP, 1232, msg);
    assert_true((msg[2] & 2) != 0);
    compare(zone, &q, msg, len, 1232, &r);
    assert_int_equal(r.why, VERDICT_FINE);
    assert_true(r.truncated);
    compare(zone, &q, msg, len, 0, &r); /* the same over TCP */
    assert_int_equal(r.why, VERDICT_TRUNCATED);

    ask(&q, "a.t.", DNS_TYPE_A);
    len = answer_as(zone, &q, (const char *)nsid, ANSWER_UDP, 1232, msg);
    msg[2] |= 2;
    compare(zone, &q, msg, len, 1232, &r);
    assert_int_equal(r.why, VERDICT_TRUNCATED);
    zone_set_free(zone);
}

/* Every prefix of an answer, and every byte changed: never fine but where the change says nothing
 * (id, RA and the like), never a crash. */
static void mangled(void **state)
{
    (void)state;
    static uint8_t msg[ANSWER_TCP_CAP], bad[ANSWER_TCP_CAP];
    struct zone_set *zone = set_of(SIGNED);
    struct question q;
    struct compare_result r;
    uint32_t fine = 0;
    ask(&q, "x.sub.t.", DNS_TYPE_A);
    size_t len = answer_as(zone, &q, (const char *)nsid, ANSWER_TCP, 1232, msg);
    for (size_t cut = 0; cut < len; cut++) {
        compare(zone, &q, msg, cut, 0, &r);
        assert_int_equal(r.why, VERDICT_BROKEN);
    }
    for (size_t i = 12; i < len; i++)
        for (uint32_t bit = 0; bit < 8; bit++) {
            memcpy(bad, msg, len);
            bad[i] ^= (uint8_t)(1u << bit);
            compare(zone, &q, bad, len, 0, &r);
            fine += r.why == VERDICT_FINE;
        }
    /* What may change: the question itself (the probe asks that), classes, letters' case, and the
     * OPT's size, version and flags. */
    assert_true(fine < 400);
    zone_set_free(zone);
}

/* ---- everything is right ---- */

/* Asks `count` questions as health does, and everything must be fine, by UDP and by TCP. */
static void all_right(const struct zone_set *zones, uint32_t count, uint64_t seed)
{
    static uint8_t msg[ANSWER_TCP_CAP];
    struct question_walk w = { .random = seed };
    uint32_t kinds = health_question_kinds(zones), seen = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct question q;
        struct compare_result r;
        char name[DNS_TEXT_MAX], type[DNS_TYPE_TEXT_MAX];
        enum question_kind kind = (enum question_kind)(i % QUESTION_KINDS);
        if ((kinds & QUESTION_BIT(kind)) == 0)
            continue;
        health_question_pick(zones, &w, kind, &q);
        seen |= QUESTION_BIT(q.kind);
        enum answer_transport t = i / QUESTION_KINDS % 2 == 0 ? ANSWER_UDP : ANSWER_TCP;
        size_t len = answer_as(zones, &q, (const char *)nsid, t, 1232, msg);
        compare(zones, &q, msg, len, t == ANSWER_UDP ? 1232 : 0, &r);
        if (r.why != VERDICT_FINE)
            fail_msg("question %u of seed %llu: %s %s by %s: %s: %s", i, (unsigned long long)seed,
                     dns_name_text(&q.qname, name), dns_type_text(q.qtype, type),
                     t == ANSWER_UDP ? "udp" : "tcp", verdict_why_name(r.why), r.text);
    }
    assert_int_equal(seen, kinds);
}

static void signed_zone(void **state)
{
    (void)state;
    struct zone_set *zone = set_of(SIGNED);
    for (uint64_t seed = 1; seed <= 50; seed++)
        all_right(zone, 400, seed);
    zone_set_free(zone);
}

static void odd_zone(void **state)
{
    (void)state;
    struct zone_set *zone = set_of(
        HEADER "@ SOA ns host 7 2 3 4 5\n@ NS ns\n* TXT x\n*.w CNAME a\nd DNAME u.\n"
               "a CNAME b\nb CNAME nope\ne.f.g A 192.0.2.1\nsub NS ns.sub\nns.sub A 192.0.2.2\n"
               "deep.sub A 192.0.2.3\n*.m MX 5 a\n");
    for (uint64_t seed = 1; seed <= 50; seed++)
        all_right(zone, 400, seed);
    zone_set_free(zone);
}

/* The walk comes by every RRset that can be asked for, whatever is taken at random in between. */
static void every_rrset_in_its_turn(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint16_t type;
    } all[] = { { "t.", DNS_TYPE_SOA },    { "t.", DNS_TYPE_NS },      { "t.", DNS_TYPE_MX },
                { "t.", DNS_TYPE_NSEC },   { "a.t.", DNS_TYPE_A },     { "a.t.", DNS_TYPE_NSEC },
                { "ns.t.", DNS_TYPE_A },   { "ns.t.", DNS_TYPE_AAAA }, { "sub.t.", DNS_TYPE_DS },
                { "*.w.t.", DNS_TYPE_TXT } };
    struct zone_set *zone = set_of(SIGNED);
    struct question_walk w = { .random = 3 };
    bool seen[sizeof all / sizeof all[0]] = { false };
    for (uint32_t i = 0; i < 30; i++) {
        struct question q, wanted;
        health_question_pick(zone, &w, QUESTION_RECORD, &q);
        for (size_t k = 0; k < sizeof all / sizeof all[0]; k++) {
            ask(&wanted, all[k].name, all[k].type);
            seen[k] = seen[k] || health_question_equal(&q, &wanted);
        }
    }
    for (size_t k = 0; k < sizeof all / sizeof all[0]; k++)
        if (!seen[k])
            fail_msg("%s type %u was not asked for", all[k].name, all[k].type);
    zone_set_free(zone);
}

/* The root zone of the shared data, where it is there. */
static void root_zone(void **state)
{
    (void)state;
    static const char *const files[] = { "root-signed-2017.zone", "root-unsigned-2026.zone" };
    const char *shared = getenv("PERIGEE_SHARED");
    for (uint32_t i = 0; i < 2; i++) {
        char path[512];
        static struct zone_errors errs;
        struct err e = { 0 };
        snprintf(path, sizeof path, "%s/data/%s", shared != NULL ? shared : "../shared", files[i]);
        if (access(path, R_OK) != 0) {
            print_message("%s is not there\n", path);
            skip();
        }
        struct zone_source source = { .origin = ".", .path = path };
        int fd = zone_image_memfd(&e);
        memset(&errs, 0, sizeof errs);
        assert_true(zone_build_image(&source, 1, fd, &errs));
        struct zone_set *zone = zone_set_map(fd, &e);
        close(fd);
        assert_non_null(zone);
        all_right(zone, 20000, 0x5eed);
        zone_set_free(zone);
    }
}

int main(void)
{
    scratch = malloc(sizeof *scratch);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_thing_wrong),
        cmocka_unit_test(another_server),
        cmocka_unit_test(truncation),
        cmocka_unit_test(mangled),
        cmocka_unit_test(signed_zone),
        cmocka_unit_test(odd_zone),
        cmocka_unit_test(every_rrset_in_its_turn),
        cmocka_unit_test(root_zone),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(scratch);
    return failed;
}
