/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The zone of RFC 5155 appendix A, and the answers of its appendix B. Signatures are made up: nobody looks
 * at them here. The apex's NS that the RFC shows beside positive answers is not sent (decisions/0003). */
#include "zone_help.h"

#include "answer_text.h"

/* clang-format off */
#define SIG(owner, type) owner " RRSIG " type " 7 2 3600 20400101000000 20200101000000 1 example. AAAA\n"
#define NSEC3(owner, next, types) \
    owner " NSEC3 1 1 " ITERATIONS " aabbccdd " next " " types "\n" SIG(owner, "NSEC3")
#define ZONE \
    "$ORIGIN example.\n$TTL 3600\n" \
    "@ SOA ns1 bugs.x.w 1 3600 300 3600000 3600\n" SIG("@", "SOA") \
    "@ NS ns1\n@ NS ns2\n" SIG("@", "NS") "@ MX 1 xx\n" SIG("@", "MX") \
    "@ NSEC3PARAM 1 0 " ITERATIONS " aabbccdd\n" SIG("@", "NSEC3PARAM") \
    NSEC3("0p9mhaveqvm6t7vbl5lop2u3t2rp3tom", "2t7b4g4vsa5smi47k61mv5bv1a22bojr", \
          "MX NS SOA NSEC3PARAM RRSIG") \
    "2t7b4g4vsa5smi47k61mv5bv1a22bojr A 192.0.2.127\n" SIG("2t7b4g4vsa5smi47k61mv5bv1a22bojr", "A") \
    NSEC3("2t7b4g4vsa5smi47k61mv5bv1a22bojr", "2vptu5timamqttgl4luu9kg21e0aor3s", "A RRSIG") \
    NSEC3("2vptu5timamqttgl4luu9kg21e0aor3s", "35mthgpgcu1qg68fab165klnsnk3dpvl", "MX RRSIG") \
    NSEC3("35mthgpgcu1qg68fab165klnsnk3dpvl", "b4um86eghhds6nea196smvmlo4ors995", "NS DS RRSIG") \
    "a NS ns1.a\na NS ns2.a\na DS 58470 5 1 3079F1593EBAD6DC121E202A8B766A6A4837206C\n" SIG("a", "DS") \
    "ns1.a A 192.0.2.5\nns2.a A 192.0.2.6\n" \
    "ai A 192.0.2.9\n" SIG("ai", "A") "ai HINFO \"KLH-10\" \"ITS\"\n" SIG("ai", "HINFO") \
    "ai AAAA 2001:db8::f00:baa9\n" SIG("ai", "AAAA") \
    NSEC3("b4um86eghhds6nea196smvmlo4ors995", "gjeqe526plbf1g8mklp59enfd789njgi", "MX RRSIG") \
    "c NS ns1.c\nc NS ns2.c\nns1.c A 192.0.2.7\nns2.c A 192.0.2.8\n" \
    NSEC3("gjeqe526plbf1g8mklp59enfd789njgi", "ji6neoaepv8b5o6k4ev33abha8ht9fgc", "HINFO A AAAA RRSIG") \
    NSEC3("ji6neoaepv8b5o6k4ev33abha8ht9fgc", "k8udemvp1j2f7eg6jebps17vp3n8i58h", "") \
    NSEC3("k8udemvp1j2f7eg6jebps17vp3n8i58h", "kohar7mbb8dc2ce8a9qvl8hon4k53uhi", "") \
    NSEC3("kohar7mbb8dc2ce8a9qvl8hon4k53uhi", "q04jkcevqvmu85r014c7dkba38o0ji5r", "A RRSIG") \
    "ns1 A 192.0.2.1\n" SIG("ns1", "A") "ns2 A 192.0.2.2\n" SIG("ns2", "A") \
    NSEC3("q04jkcevqvmu85r014c7dkba38o0ji5r", "r53bq7cc2uvmubfu5ocmm6pers9tk9en", "A RRSIG") \
    NSEC3("r53bq7cc2uvmubfu5ocmm6pers9tk9en", "t644ebqk9bibcna874givr6joj62mlhv", "MX RRSIG") \
    "*.w MX 1 ai\n" SIG("*.w", "MX") "x.w MX 1 xx\n" SIG("x.w", "MX") "x.y.w MX 1 xx\n" SIG("x.y.w", "MX") \
    NSEC3("t644ebqk9bibcna874givr6joj62mlhv", "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom", "HINFO A AAAA RRSIG") \
    "xx A 192.0.2.10\n" SIG("xx", "A") "xx HINFO \"KLH-10\" \"TOPS-20\"\n" SIG("xx", "HINFO") \
    "xx AAAA 2001:db8::f00:baaa\n" SIG("xx", "AAAA")
/* clang-format on */

#define ITERATIONS "12"
static const char zone_12[] = ZONE;
#undef ITERATIONS
#define ITERATIONS "500"
static const char zone_500[] = ZONE;
#undef ITERATIONS
#define ITERATIONS "501"
static const char zone_501[] = ZONE;

#define SOA "example. SOA 3600, example. RRSIG SOA"
#define N3(hash) hash ".example. NSEC3, " hash ".example. RRSIG NSEC3"
#define H_APEX "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom"
#define H_NS1 "2t7b4g4vsa5smi47k61mv5bv1a22bojr"
#define H_NS2 "q04jkcevqvmu85r014c7dkba38o0ji5r"
#define H_A "35mthgpgcu1qg68fab165klnsnk3dpvl"
#define H_X_W "b4um86eghhds6nea196smvmlo4ors995"
#define H_Y_W "ji6neoaepv8b5o6k4ev33abha8ht9fgc"
#define H_W "k8udemvp1j2f7eg6jebps17vp3n8i58h"
#define H_WILD "r53bq7cc2uvmubfu5ocmm6pers9tk9en"

static const struct {
    const char *zone, *rfc, *what, *question, *answer;
} rows[] = {
    { zone_12, "5155 B.1", "name error", "a.c.x.w.example. A do",
      "NXDOMAIN aa | | " SOA ", " N3(H_X_W) ", " N3(H_APEX) ", " N3(H_A) " |" },
    { zone_12, "5155 B.2", "no data", "ns1.example. MX do",
      "NOERROR aa | | " SOA ", " N3(H_NS1) " |" },
    { zone_12, "5155 B.2.1", "no data, empty non-terminal", "y.w.example. A do",
      "NOERROR aa | | " SOA ", " N3(H_Y_W) " |" },
    { zone_12, "5155 B.3", "referral to an opt-out unsigned zone", "mc.c.example. MX do",
      "NOERROR | | c.example. NS ns1.c.example., c.example. NS ns2.c.example., " N3(H_APEX) ", " N3(
          H_A) " | ns1.c.example. A, ns2.c.example. A" },
    { zone_12, "5155 7.2.7", "referral to a signed zone", "mc.a.example. MX do",
      "NOERROR | | a.example. NS ns1.a.example., a.example. NS ns2.a.example., a.example. DS, "
      "a.example. RRSIG DS | ns1.a.example. A, ns2.a.example. A" },
    { zone_12, "5155 B.4", "wildcard expansion", "a.z.w.example. MX do",
      "NOERROR aa | a.z.w.example. MX, a.z.w.example. RRSIG MX | " N3(
          H_NS2) " | ai.example. A, ai.example. RRSIG A, ai.example. AAAA, ai.example. RRSIG "
                 "AAAA" },
    { zone_12, "5155 B.5", "wildcard no data", "a.z.w.example. AAAA do",
      "NOERROR aa | | " SOA ", " N3(H_W) ", " N3(H_NS2) ", " N3(H_WILD) " |" },
    { zone_12, "5155 B.6", "DS no data at the child", "example. DS do",
      "NOERROR aa | | " SOA ", " N3(H_APEX) " |" },
    { zone_12, "5155 7.2.4", "DS no data in an opt-out span", "c.example. DS do",
      "NOERROR aa | | " SOA ", " N3(H_APEX) ", " N3(H_A) " |" },
    { zone_12, "5155 7.2.8", "the owner of an NSEC3 that is a name too", H_NS1 ".example. A do",
      "NOERROR aa | " H_NS1 ".example. A, " H_NS1 ".example. RRSIG A | |" },
    { zone_12, "5155 7.2.8", "the owner of an NSEC3 that is no name", H_A ".example. NSEC3",
      "NXDOMAIN aa | | example. SOA 3600 |" },
    { zone_12, "5155 7.2.1", "no proofs without DO", "a.c.x.w.example. A edns",
      "NXDOMAIN aa | | example. SOA 3600 |" },
    /* RFC 9276: nobody validates this many, but they have to see how many there are */
    { zone_501, "9276 3.2", "name error", "a.c.x.w.example. A do",
      "NXDOMAIN aa | | " SOA ", " N3("t644ebqk9bibcna874givr6joj62mlhv") " |" },
    { zone_501, "9276 3.2", "no data", "ns1.example. MX do",
      "NOERROR aa | | " SOA ", " N3("t644ebqk9bibcna874givr6joj62mlhv") " |" },
    { zone_501, "9276 3.2", "referral", "mc.c.example. MX do",
      "NOERROR | | c.example. NS ns1.c.example., c.example. NS ns2.c.example., " N3(
          "t644ebqk9bibcna874givr6joj62mlhv") " | ns1.c.example. A, ns2.c.example. A" },
};

static void answers(void **state)
{
    (void)state;
    static struct answer_cache *cache;
    const char *text = NULL;
    struct zone_set *zs = NULL;
    cache = calloc(1, answer_cache_size());
    assert_non_null(cache);
    const struct answer_options o = { .cache = cache };
    for (size_t i = 0; i < BASE_COUNT(rows); i++) {
        uint8_t query[512], out[DNS_MESSAGE_MAX];
        enum answer_transport t;
        struct answer_info info;
        struct text got;
        if (rows[i].zone != text) {
            zone_set_free(zs);
            text = rows[i].zone;
            zs = zone_help_set("example.", text);
        }
        for (int again = 0; again < 3; again++) { /* composed, kept, taken */
            size_t len = query_of(rows[i].question, query, &t);
            len = answer_compose(&o, zs, over(t), query, len, out, sizeof out, &info);
            if (strcmp(response_text(out, len, &got), rows[i].answer) != 0)
                fail_msg("RFC %s, %s: %s\n  is     %s\n  not    %s", rows[i].rfc, rows[i].what,
                         rows[i].question, got.buf, rows[i].answer);
            assert_int_equal(info.ede, text == zone_501 ? DNS_EDE_NSEC3_ITERATIONS : DNS_EDE_NONE);
        }
    }
    zone_set_free(zs);
    free(cache);
}

/* At the limit everything is still hashed. */
static void the_limit(void **state)
{
    (void)state;
    uint8_t query[512], out[DNS_MESSAGE_MAX];
    enum answer_transport t;
    struct answer_info info;
    struct zone_set *zs = zone_help_set("example.", zone_500);
    const struct answer_options o = { 0 };
    size_t len = query_of("a.c.x.w.example. A do", query, &t);
    len = answer_compose(&o, zs, over(t), query, len, out, sizeof out, &info);
    assert_true(len > 0);
    assert_int_equal(info.ede, DNS_EDE_NONE);
    zone_set_free(zs);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(answers), cmocka_unit_test(the_limit) };
    return cmocka_run_group_tests_name("answer_nsec3", tests, NULL, NULL);
}
