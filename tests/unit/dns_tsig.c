/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Signatures (RFC 8945): bytes that dig, kdig and BIND 9.18 made, what a wrong bit does, the errors of
 * section 5, streams with messages that are not signed. */
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
#include "dns/tsig.h"

#define SECRET "c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0"

static size_t bytes_of(const char *hex, uint8_t *out)
{
    size_t n = 0;
    for (unsigned v; sscanf(hex, "%2x", &v) == 1; hex += 2)
        out[n++] = (uint8_t)v;
    return n;
}

static struct tsig_key key_of(const char *algorithm)
{
    struct tsig_key k;
    assert_null(tsig_key_parse(&k, "key.Example.", algorithm, SECRET));
    return k;
}

static const struct tsig_key *find_key(void *arg, const struct dns_name *name)
{
    struct tsig_key *k = arg;
    return dns_name_equal(&k->name, name) ? k : NULL;
}

static enum tsig_status request(struct tsig *t, const uint8_t *msg, size_t len, struct tsig_key *k,
                                int64_t s, uint8_t *copy, size_t *body)
{
    memcpy(copy, msg, len);
    return tsig_verify_request(t, copy, len, find_key, k, (wall_t){ s, 0 }, body);
}

/* ---- requests of others ---- */

#define HEAD(id, add) id "0120000100000000000" add "076578616d706c6503636f6d0000"
#define OPT "00002904d0000000000000"
#define KEY "036b6579076578616d706c650000fa00ff00000000"
static const struct {
    const char *who, *algorithm, *hex;
} requests[] = {
    { "dig", "hmac-sha256",
      HEAD("f08a", "2") "060001" OPT
          KEY "003d0b686d61632d7368613235360000006b066f85012c0020cda8fcd63703ca0ef7b8dabef6bd21c3918cb51a5e94f4"
                        "770246d5579c8d9de0f08a00000000" },
    { "kdig", "hmac-sha256",
      HEAD(
          "60d9",
          "1") "fc0001" KEY
               "003d0b686d61632d7368613235360000006b066f85012c0020b28c3829d2af45f9a477eaffee88cf05d31a91bbd1b90b"
               "e8b442e2780fca91df60d900000000" },
    { "dig", "hmac-sha384",
      HEAD("4393", "2") "060001" OPT
          KEY "004d0b686d61632d7368613338340000006b066f85012c0030682a9c1664201d9b3af108efe57f69003dccf7c29da112"
                        "6a38eac8febda0c8c107f69ba43349d2a7b764c790c596ac20439300000000" },
    { "kdig", "hmac-sha512",
      HEAD(
          "73bc",
          "1") "fc0001" KEY
               "005d0b686d61632d7368613531320000006b066f85012c004053828868ed6534bba708af5c6e811cf8efd305c94c3977"
               "08b2bd53f4e89cdb6860478d51465bd1930c2f610a7f3b09183ac3fee68cfeb05afc5432c0a7f89cfd73bc00000000" },
};
#define MADE_AT 0x6b066f85

static void test_requests(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        uint8_t msg[512], copy[512];
        size_t len = bytes_of(requests[i].hex, msg), body;
        struct tsig_key k = key_of(requests[i].algorithm), other = k;
        struct tsig t;
        assert_int_equal(request(&t, msg, len, &k, MADE_AT, copy, &body), TSIG_OK);
        struct dns_query q;
        assert_int_equal(dns_query_parse(&q, copy, body), DNS_GRADE_OK);
        assert_false(q.tsig);
        assert_int_equal(request(&t, msg, len, &k, MADE_AT + 300, copy, &body), TSIG_OK);
        assert_int_equal(request(&t, msg, len, &k, MADE_AT - 300, copy, &body), TSIG_OK);
        assert_int_equal(request(&t, msg, len, &k, MADE_AT + 301, copy, &body), TSIG_BADTIME);
        assert_int_equal(request(&t, msg, len, &k, MADE_AT - 301, copy, &body), TSIG_BADTIME);
        other.secret[0] ^= 1;
        assert_int_equal(request(&t, msg, len, &other, MADE_AT, copy, &body), TSIG_BADSIG);
        other = k;
        other.algorithm = (enum tsig_algorithm)((k.algorithm + 1) % TSIG_ALGORITHMS);
        assert_int_equal(request(&t, msg, len, &other, MADE_AT, copy, &body), TSIG_BADKEY);
        /* A wrong bit anywhere, but in the id, which a forwarder may change (section 5.5). */
        for (size_t at = 0; at < len; at++) {
            msg[at] ^= 1;
            enum tsig_status s = request(&t, msg, len, &k, MADE_AT, copy, &body);
            if ((s == TSIG_OK) != (at < 2))
                fail_msg("%s: a wrong bit in byte %zu: %s", requests[i].who, at,
                         tsig_status_text(s));
            msg[at] ^= 1;
        }
        for (size_t cut = 0; cut < len; cut++)
            assert_int_not_equal(request(&t, msg, cut, &k, MADE_AT, copy, &body), TSIG_OK);
    }
}

/* ---- BIND's responses ---- */

#define ASK "123400000001000000000000076578616d706c650000fc0001"
static const char *const stream[] = {
    "123484000001000100000001076578616d706c650000fc0001c00c000600010000003c001d026e73c00c0168c00c0000000500"
    "000002000000030000000400000005036b6579076578616d706c650000fa00ff00000000003d0b686d61632d73686132353600"
    "00006b067f08012c00201d140afb7dc7e76b075bce060c68a49cb1964acebc699a781b35ae8c0716fa5c123400000000",
    "123484000000000100000001076578616d706c6500000200010000003c0005026e73c00c036b6579076578616d706c650000fa"
    "00ff00000000003d0b686d61632d7368613235360000006b067f08012c00201362fafee3ad90ce2b25b0019f25878bf154d717"
    "add656534a52e8a5186170e0123400000000",
    "123484000000000100000001026e73076578616d706c6500000100010000003c0004c0000201036b6579076578616d706c6500"
    "00fa00ff00000000003d0b686d61632d7368613235360000006b067f08012c0020e48f680034a3aa47e23cc4fcdd15a6238b5a"
    "0d29f201c19f3028a0eff54382d7123400000000",
    "123484000000000100000001076578616d706c6500000600010000003c001d026e73c00c0168c00c0000000500000002000000"
    "030000000400000005036b6579076578616d706c650000fa00ff00000000003d0b686d61632d7368613235360000006b067f08"
    "012c0020e962eb995f1f380712b8f01bac21017a5becde7eefcc3fa6002cb05b75069817123400000000",
};
#define STREAM_AT 0x6b067f08

static size_t signed_ask(struct tsig *t, const struct tsig_key *k, int64_t s, uint8_t *msg)
{
    size_t len = bytes_of(ASK, msg);
    tsig_begin(t, k);
    return tsig_sign(t, msg, len, 512, (wall_t){ s, 0 });
}

static void test_stream(void **state)
{
    (void)state;
    struct tsig_key k = key_of("hmac-sha256");
    struct tsig t;
    uint8_t msg[512], want[512];
    size_t body, len = signed_ask(&t, &k, STREAM_AT, msg);
    assert_int_equal(
        len, bytes_of("123400000001000000000001076578616d706c650000fc0001036b6579074578616d70"
                      "6c650000fa00ff00000000003d0b686d61632d7368613235360000006b067f08012c00"
                      "201202900f63d964c3bc17879284df3e7385212eaa3a416652de6ecc1573931984"
                      "123400000000",
                      want));
    assert_memory_equal(msg, want, len);
    struct tsig kept = t;
    for (int i = 0; i < 4; i++) {
        len = bytes_of(stream[i], msg);
        assert_int_equal(tsig_verify_response(&t, msg, len, (wall_t){ STREAM_AT, 0 }, &body),
                         TSIG_OK);
        assert_true(tsig_may_end(&t));
    }
    /* Out of order, or one left out. */
    t = kept;
    len = bytes_of(stream[1], msg);
    assert_int_equal(tsig_verify_response(&t, msg, len, (wall_t){ STREAM_AT, 0 }, &body),
                     TSIG_BADSIG);
    t = kept;
    len = bytes_of(stream[0], msg);
    assert_int_equal(tsig_verify_response(&t, msg, len, (wall_t){ STREAM_AT, 0 }, &body), TSIG_OK);
    len = bytes_of(stream[2], msg);
    assert_int_equal(tsig_verify_response(&t, msg, len, (wall_t){ STREAM_AT, 0 }, &body),
                     TSIG_BADSIG);
}

/* Section 5.3.2: requests that BIND refused, and what it said. Ours says the same, byte for byte. */
static const struct {
    const char *what, *algorithm, *request, *response;
    int64_t now;
    enum tsig_status status;
    uint16_t error;
    uint8_t mac_min;
} refusals[] = {
    { "unknown key", "hmac-sha256",
      "123400000001000000000001076578616d706c650000fc0001056f74686572076578616d706c650000fa00ff00000000003d0b"
      "686d61632d7368613235360000006b067f0d012c0020ea80632d8cfd6bcece307bcad2466c7227c55a41ac6b69a04836ba7254"
      "650be0123400000000",
      "123480090001000000000001076578616d706c650000fc0001056f74686572076578616d706c650000fa00ff00000000001d0b"
      "686d61632d7368613235360000006b067f0d012c0000123400110000",
      0x6b067f0d, TSIG_BADKEY, TSIG_ERROR_BADKEY, 0 },
    { "another algorithm", "hmac-sha256",
      "123400000001000000000001076578616d706c650000fc0001036b6579076578616d706c650000fa00ff00000000005d0b686d"
      "61632d7368613531320000006b067f0a012c0040c58af2b7541884e36daddcc5b67bef88eddbe21b1230ee7584cbdfadc23507"
      "2d6abaa191fd2aab766789858ec94189664f387e75f2c0e4fcc09a27b2331e4397123400000000",
      "123480090001000000000001076578616d706c650000fc0001036b6579076578616d706c650000fa00ff00000000001d0b686d"
      "61632d7368613531320000006b067f0a012c0000123400110000",
      0x6b067f0a, TSIG_BADKEY, TSIG_ERROR_BADKEY, 0 },
    { "wrong signature", "hmac-sha256",
      "123400000001000000000001076578616d706c650000fc0001036b6579076578616d706c650000fa00ff00000000003d0b686d"
      "61632d7368613235360000006b067f10012c002000000000000000000000000000000000000000000000000000000000000000"
      "00123400000000",
      "123480090001000000000001076578616d706c650000fc0001036b6579076578616d706c650000fa00ff00000000001d0b686d"
      "61632d7368613235360000006b067f10012c0000123400100000",
      0x6b067f10, TSIG_BADSIG, TSIG_ERROR_BADSIG, 0 },
    { "another time", "hmac-sha256",
      "123400000001000000000001076578616d706c650000fc0001036b6579076578616d706c650000fa00ff00000000003d0b686d"
      "61632d7368613235360000006b066b80012c002042d95e17b5b40f7e1086d258ae04e440bee2a201937cd56feb920812a813af"
      "66123400000000",
      "123480090001000000000001076578616d706c650000fc0001036b6579076578616d706c650000fa00ff0000000000430b686d"
      "61632d7368613235360000006b066b80012c0020507022f690e8e01d7799677eb0ce6c5a7339fe25225106a86859919cb22bd1"
      "8b12340012000600006b067f0e",
      0x6b067f0e, TSIG_BADTIME, TSIG_ERROR_BADTIME, 0 },
    { "a MAC that is too short here", "hmac-sha256",
      "123400000001000000000001076578616d706c650000fc0001036b6579076578616d706c650000fa00ff00000000002d0b686d"
      "61632d7368613235360000006b067f0b012c0010591182812f95e8b98388ece16bb7aa64123400000000",
      "123480090001000000000001076578616d706c650000fc0001036b6579076578616d706c650000fa00ff00000000003d0b686d"
      "61632d7368613235360000006b067f0b012c00201bb33a61fe87d4b3d1665a78a080804c8b6f449cad734ec05b2fc39c7bfe02"
      "ad123400160000",
      0x6b067f0b, TSIG_BADTRUNC, TSIG_ERROR_BADTRUNC, 32 },
    { "section 5.2.2.1: half a MAC is enough", "hmac-sha256",
      "123400000001000000000001076578616d706c650000fc0001036b6579076578616d706c650000fa00ff00000000002d0b686d"
      "61632d7368613235360000006b067f0b012c0010591182812f95e8b98388ece16bb7aa64123400000000",
      NULL, 0x6b067f0b, TSIG_OK, 0, 0 },
};

static void test_refusals(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        struct tsig_key k;
        struct tsig server, client;
        uint8_t msg[512], copy[512], want[512];
        wall_t now = { refusals[i].now, 0 };
        size_t body, len = bytes_of(refusals[i].request, msg);
        assert_null(tsig_key_parse(&k, "key.example.", refusals[i].algorithm, SECRET));
        k.mac_min = refusals[i].mac_min;
        assert_int_equal(request(&server, msg, len, &k, now.s, copy, &body), refusals[i].status);
        assert_int_equal(server.error, refusals[i].error);
        if (refusals[i].response == NULL)
            continue;
        copy[2] = 0x80;
        copy[3] = DNS_RCODE_NOTAUTH;
        size_t size = tsig_size(&server), want_len = bytes_of(refusals[i].response, want);
        len = tsig_sign(&server, copy, body, sizeof copy, now);
        assert_int_equal(len, body + size);
        assert_int_equal(len, want_len);
        if (memcmp(copy, want, len) != 0)
            fail_msg("%s: not the bytes that BIND wrote", refusals[i].what);
        /* The client that asked so. */
        if (refusals[i].status == TSIG_BADKEY)
            continue;
        tsig_begin(&client, &k);
        client.response = true;
        client.mac_len = server.mac_len;
        struct rd r = rd_init(msg, sizeof msg);
        rd_skip(&r, 25 + 21 + 2 + 13 + 8);
        client.mac_len = (uint8_t)rd_u16(&r);
        memcpy(client.mac, rd_bytes(&r, client.mac_len), client.mac_len);
        assert_int_equal(tsig_verify_response(&client, copy, len, now, &body), TSIG_TOLD);
        assert_int_equal(client.error, refusals[i].error);
        if (refusals[i].error == TSIG_ERROR_BADTIME)
            assert_int_equal(client.time_s, now.s);
    }
}

/* ---- streams with gaps ---- */

static size_t plain(uint8_t *msg, uint8_t n)
{
    struct wr w = wr_init(msg, 512);
    wr_u16(&w, 0x1234);
    wr_u16(&w, 0x8400);
    wr_u32(&w, 0);
    wr_u32(&w, 0);
    msg[3] = (uint8_t)(n & 0x0f);
    return wr_len(&w);
}

static void test_gaps(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        unsigned gap; /* unsigned messages between */
        bool first, tampered;
        enum tsig_status last;
    } cases[] = {
        { "5.3.1: every message signed", 0, true, false, TSIG_OK },
        { "5.3.1: one in ten", 9, true, false, TSIG_OK },
        { "5.3.1: 99 in a row", 99, true, false, TSIG_OK },
        { "5.3.1: 100 are too many", 100, true, false, TSIG_ABSENT },
        { "5.3.1: the first must be signed", 1, false, false, TSIG_ABSENT },
        { "what was not signed is covered by the next signature", 5, true, true, TSIG_BADSIG },
    };
    const wall_t now = { STREAM_AT, 0 };
    struct tsig_key k = key_of("hmac-sha512");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct tsig client, server;
        uint8_t msg[512];
        size_t body, len = signed_ask(&client, &k, now.s, msg);
        enum tsig_status s;
        assert_int_equal(tsig_verify_request(&server, msg, len, find_key, &k, now, &body), TSIG_OK);
        if (cases[i].first) {
            len = tsig_sign(&server, msg, plain(msg, 0), sizeof msg, now);
            assert_int_equal(tsig_verify_response(&client, msg, len, now, &body), TSIG_OK);
        }
        for (unsigned n = 0; n < cases[i].gap; n++) {
            len = plain(msg, (uint8_t)n);
            s = tsig_verify_response(&client, msg, len, now, &body);
            if (s == TSIG_ABSENT)
                break;
            assert_int_equal(s, TSIG_UNSIGNED);
            assert_false(tsig_may_end(&client));
            msg[3] ^= cases[i].tampered && n == 2;
            assert_int_equal(tsig_verify_response(&server, msg, len, now, &body), TSIG_UNSIGNED);
        }
        if (cases[i].last == TSIG_ABSENT) {
            assert_int_equal(s, TSIG_ABSENT);
            continue;
        }
        len = tsig_sign(&server, msg, plain(msg, 1), sizeof msg, now);
        assert_int_equal(tsig_verify_response(&client, msg, len, now, &body), cases[i].last);
        assert_int_equal(tsig_may_end(&client), cases[i].last == TSIG_OK && true);
    }
}

/* ---- what is no TSIG ---- */

static void test_broken(void **state)
{
    (void)state;
    /* ASK is 25 bytes; then the owner (13), type, class, TTL (8), length, the algorithm (13), time, fudge
     * (8), MAC size, MAC (32), id, error, other length. */
    static const struct {
        const char *what;
        size_t at;
        const char *hex; /* what is written there */
        size_t cut, add; /* bytes less or more at the end */
        enum tsig_status status;
    } cases[] = {
        { "untouched", 0, "", 0, 0, TSIG_OK },
        { "5.2: class IN", 25 + 13 + 2, "0001", 0, 0, TSIG_FORMERR },
        { "4.2: a TTL", 25 + 13 + 4, "00000001", 0, 0, TSIG_FORMERR },
        { "5.2.2.1: a MAC of 33 bytes", 25 + 13 + 10 + 13 + 8, "0021", 0, 0, TSIG_FORMERR },
        { "5.2.2.1: other data where there is none", 25 + 13 + 10 + 13 + 8 + 2 + 32 + 4, "0001", 0,
          0, TSIG_FORMERR },
        { "a length that is too small", 25 + 13 + 8, "003c", 0, 0, TSIG_FORMERR },
        { "a length that is too large", 25 + 13 + 8, "003e", 0, 0, TSIG_FORMERR },
        { "a byte is missing", 0, "", 1, 0, TSIG_FORMERR },
        { "a byte behind it", 0, "", 0, 1, TSIG_FORMERR },
        { "counted among the answers", 6, "000100000000", 0, 0, TSIG_FORMERR },
        { "another record is to come", 10, "0002", 0, 0, TSIG_FORMERR },
        { "an answer is announced that is not there", 6, "0001", 0, 0, TSIG_FORMERR },
        { "it is not counted", 10, "0000", 0, 0, TSIG_ABSENT },
        { "an error in a request is part of what is signed", 25 + 13 + 10 + 13 + 8 + 2 + 32 + 2,
          "0011", 0, 0, TSIG_BADSIG },
    };
    struct tsig_key k = key_of("hmac-sha256");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct tsig t;
        uint8_t msg[512] = { 0 }, copy[512], patch[16];
        size_t body, len = signed_ask(&t, &k, STREAM_AT, msg);
        memcpy(msg + cases[i].at, patch, bytes_of(cases[i].hex, patch));
        enum tsig_status s =
            request(&t, msg, len - cases[i].cut + cases[i].add, &k, STREAM_AT, copy, &body);
        if (s != cases[i].status)
            fail_msg("%s: %s", cases[i].what, tsig_status_text(s));
        if (s == TSIG_FORMERR) /* nothing that a TSIG could answer */
            assert_int_equal(tsig_size(&t), 0);
    }
}

/* The owner may point into the message (RFC 1035 section 4.1.4); of several TSIGs none counts. */
static void test_pointer_and_two(void **state)
{
    (void)state;
    struct tsig_key k = key_of("hmac-sha256");
    struct tsig t;
    uint8_t msg[1024], copy[1024];
    size_t body,
        len = bytes_of("123400000001000000000000"
                       "034b4559076578616d706c650000fc0001",
                       msg),
        at = len;
    tsig_begin(&t, &k);
    len = tsig_sign(&t, msg, len, sizeof msg, (wall_t){ STREAM_AT, 0 });
    memmove(msg + at + 2, msg + at + 13, len - at - 13);
    msg[at] = 0xc0;
    msg[at + 1] = 12;
    assert_int_equal(request(&t, msg, len - 11, &k, STREAM_AT, copy, &body), TSIG_OK);
    assert_int_equal(body, at);
    len = signed_ask(&t, &k, STREAM_AT, msg);
    tsig_begin(&t, &k);
    len = tsig_sign(&t, msg, len, sizeof msg, (wall_t){ STREAM_AT, 0 });
    assert_int_equal(request(&t, msg, len, &k, STREAM_AT, copy, &body), TSIG_FORMERR);
    /* No room: nothing is written. */
    tsig_begin(&t, &k);
    len = bytes_of(ASK, msg);
    assert_int_equal(tsig_sign(&t, msg, len, len + tsig_size(&t) - 1, (wall_t){ STREAM_AT, 0 }), 0);
    assert_true(tsig_size(&t) <= TSIG_ROOM);
}

static void test_keys(void **state)
{
    (void)state;
    static const struct {
        const char *name, *algorithm, *secret;
        bool good;
    } cases[] = {
        { "k.", "HMAC-sha256", SECRET, true },  { "k", "hmac-sha384.", " c2Vj\ncmV0 ", true },
        { "k", "hmac-md5", SECRET, false },     { "k", "hmac-sha1", SECRET, false },
        { "k", "hmac-sha2567", SECRET, false }, { "k..", "hmac-sha256", SECRET, false },
        { "k", "hmac-sha256", "", false },      { "k", "hmac-sha256", "c2VjcmV", false },
        { "k", "hmac-sha256", "*", false },
    };
    struct tsig_key k;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(tsig_key_parse(&k, cases[i].name, cases[i].algorithm, cases[i].secret) ==
                             NULL,
                         cases[i].good);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests), cmocka_unit_test(test_stream),
        cmocka_unit_test(test_refusals), cmocka_unit_test(test_gaps),
        cmocka_unit_test(test_broken),   cmocka_unit_test(test_pointer_and_two),
        cmocka_unit_test(test_keys),
    };
    return cmocka_run_group_tests_name("dns_tsig", tests, NULL, NULL);
}
