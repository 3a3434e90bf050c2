/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Framing, OPEN, NOTIFICATION, ROUTE-REFRESH, and the words of the room. */
#include "bgp_help.h"

#include "bgp/msg.h"

#define ONES "ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff "

/* ---- framing (RFC 4271 section 6.1) ------------------------------------------------------------- */

static const struct {
    const char *rfc, *what, *bytes;
    size_t max;
    enum bgp_frame frame;
    uint8_t sub;
    size_t len;
} frame_cases[] = {
    { "4271 4.1", "nothing yet", "", 4096, BGP_FRAME_MORE, 0, 0 },
    { "4271 4.1", "a part of the marker", "ff ff", 4096, BGP_FRAME_MORE, 0, 0 },
    { "4271 4.1", "a header without its type", ONES "00 13", 4096, BGP_FRAME_MORE, 0, 0 },
    { "4271 4.4", "a KEEPALIVE", ONES "00 13 04", 4096, BGP_FRAME_WHOLE, 0, 19 },
    { "4271 4.4", "a KEEPALIVE and the next message's begin", ONES "00 13 04 ff", 4096,
      BGP_FRAME_WHOLE, 0, 19 },
    { "4271 6.1", "the first octet of the marker is wrong", "00", 4096, BGP_FRAME_BAD, 1, 1 },
    { "4271 6.1", "the last octet of the marker is wrong",
      "ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff fe", 4096, BGP_FRAME_BAD, 1, 16 },
    { "4271 6.1", "shorter than a header", ONES "00 12 04", 4096, BGP_FRAME_BAD, 2, 19 },
    { "4271 6.1", "longer than 4096", ONES "10 01 02", 4096, BGP_FRAME_BAD, 2, 19 },
    { "4271 6.1", "4096 may come", ONES "10 00 02", 4096, BGP_FRAME_MORE, 0, 0 },
    { "8654 4", "an extended UPDATE, agreed", ONES "10 01 02", 65535, BGP_FRAME_MORE, 0, 0 },
    { "8654 4", "the longest UPDATE, agreed", ONES "ff ff 02", 65535, BGP_FRAME_MORE, 0, 0 },
    { "8654 4", "OPEN stays within 4096", ONES "10 01 01", 65535, BGP_FRAME_BAD, 2, 19 },
    { "8654 4", "KEEPALIVE stays within 4096", ONES "10 01 04", 65535, BGP_FRAME_BAD, 2, 19 },
    { "4271 6.1", "an OPEN of 28 octets", ONES "00 1c 01", 4096, BGP_FRAME_BAD, 2, 19 },
    { "4271 6.1", "an OPEN of 29 octets may come", ONES "00 1d 01", 4096, BGP_FRAME_MORE, 0, 0 },
    { "4271 6.1", "an UPDATE of 22 octets", ONES "00 16 02", 4096, BGP_FRAME_BAD, 2, 19 },
    { "4271 6.1", "a NOTIFICATION of 20 octets", ONES "00 14 03", 4096, BGP_FRAME_BAD, 2, 19 },
    { "4271 6.1", "a KEEPALIVE of 20 octets", ONES "00 14 04", 4096, BGP_FRAME_BAD, 2, 19 },
    { "4271 6.1", "type 0", ONES "00 13 00", 4096, BGP_FRAME_BAD, 3, 19 },
    { "4271 6.1", "type 6", ONES "00 13 06", 4096, BGP_FRAME_BAD, 3, 19 },
    { "4271 6.1", "of a wrong length and a wrong type the length is told", ONES "00 00 09", 4096,
      BGP_FRAME_BAD, 2, 19 },
};

static void frames(void **state)
{
    (void)state;
    struct guarded g = guarded_new();
    for (size_t i = 0; i < sizeof frame_cases / sizeof frame_cases[0]; i++) {
        uint8_t bytes[64];
        size_t have = hex(frame_cases[i].bytes, bytes, sizeof bytes), len;
        struct bgp_error e = { 0 };
        enum bgp_frame got =
            bgp_msg_frame(guarded_put(&g, bytes, have), have, frame_cases[i].max, &len, &e);
        if (got != frame_cases[i].frame ||
            (got == BGP_FRAME_BAD && (e.code != 1 || e.subcode != frame_cases[i].sub)) ||
            (got != BGP_FRAME_MORE && len != frame_cases[i].len))
            fail_msg("RFC %s, %s: frame %d error %u/%u len %zu", frame_cases[i].rfc,
                     frame_cases[i].what, got, e.code, e.subcode, len);
    }
    guarded_free(&g);
}

/* RFC 4271 section 6.1: the data of these errors is the erroneous length or type field. */
static void frame_error_data(void **state)
{
    (void)state;
    uint8_t bytes[32];
    struct bgp_error e;
    size_t len, have = hex(ONES "00 12 04", bytes, sizeof bytes);
    bgp_msg_frame(bytes, have, 4096, &len, &e);
    assert_int_equal(e.data_len, 2);
    assert_memory_equal(e.own, "\x00\x12", 2);
    have = hex(ONES "00 13 63", bytes, sizeof bytes);
    bgp_msg_frame(bytes, have, 4096, &len, &e);
    assert_int_equal(e.data_len, 1);
    assert_int_equal(e.own[0], 0x63);
}

/* ---- OPEN (RFC 4271 sections 4.2, 6.2) ------------------------------------------------------------- */

/* version 4, AS, hold time, identifier 10.0.0.2, parameters */
#define OPEN_65001(hold, rest) "04 fd e9 " hold " 0a 00 00 02 " rest

static const struct {
    const char *rfc, *what, *bytes;
    uint32_t local_as, remote_as;
    uint8_t err, sub;
} open_cases[] = {
    { "4271 4.2", "the plainest one", OPEN_65001("00 5a", "00"), 64512, 65001, 0, 0 },
    { "4271 6.2", "version 3", "03 fd e9 00 5a 0a 00 00 02 00", 64512, 65001, 2, 1 },
    { "4271 6.2", "version 5", "05 fd e9 00 5a 0a 00 00 02 00", 64512, 65001, 2, 1 },
    { "4271 6.2", "another AS", OPEN_65001("00 5a", "00"), 64512, 65002, 2, 2 },
    { "7607", "AS 0", "04 00 00 00 5a 0a 00 00 02 00", 64512, 65001, 2, 2 },
    { "4271 4.2", "no hold timer", OPEN_65001("00 00", "00"), 64512, 65001, 0, 0 },
    { "4271 6.2", "one second is refused", OPEN_65001("00 01", "00"), 64512, 65001, 2, 6 },
    { "4271 6.2", "two seconds are refused", OPEN_65001("00 02", "00"), 64512, 65001, 2, 6 },
    { "4271 4.2", "three seconds is the least", OPEN_65001("00 03", "00"), 64512, 65001, 0, 0 },
    { "6286 2.2", "identifier 0", "04 fd e9 00 5a 00 00 00 00 00", 64512, 65001, 2, 3 },
    { "6286 2.2", "our own identifier, within our AS", "04 fd e9 00 5a 0a 00 00 01 00", 65001,
      65001, 2, 3 },
    { "6286 2.1", "our own identifier, in another AS", "04 fd e9 00 5a 0a 00 00 01 00", 64512,
      65001, 0, 0 },
    { "6286 2.1", "an identifier that is no host's address", "04 fd e9 00 5a ff ff ff ff 00", 64512,
      65001, 0, 0 },
    { "4271 6.2", "parameters longer than the message", OPEN_65001("00 5a", "05 02 00"), 64512,
      65001, 2, 0 },
    { "4271 6.2", "octets behind the parameters", OPEN_65001("00 5a", "00 00"), 64512, 65001, 2,
      0 },
    { "4271 6.2", "a parameter longer than the parameters", OPEN_65001("00 5a", "02 02 05"), 64512,
      65001, 2, 0 },
    { "4271 6.2", "half a parameter", OPEN_65001("00 5a", "01 02"), 64512, 65001, 2, 0 },
    { "4271 6.2", "an unknown parameter", OPEN_65001("00 5a", "03 09 01 00"), 64512, 65001, 2, 4 },
    { "5492 5", "authentication, the deprecated one", OPEN_65001("00 5a", "02 01 00"), 64512, 65001,
      2, 4 },
    { "5492 4", "a capability longer than its parameter", OPEN_65001("00 5a", "04 02 02 41 04"),
      64512, 65001, 2, 0 },
    { "5492 3", "an unknown capability is passed over", OPEN_65001("00 5a", "06 02 04 c8 02 01 02"),
      64512, 65001, 0, 0 },
    { "5492 4", "two parameters with one capability each",
      OPEN_65001("00 5a", "08 02 02 02 00 02 02 46 00"), 64512, 65001, 0, 0 },
    { "6793 4.1", "the 4-octet AS counts", "04 5b a0 00 5a 0a 00 00 02 08 02 06 41 04 fa 56 ea 01",
      64512, 4200000001u, 0, 0 },
    { "6793 4.1", "and not the field's", "04 5b a0 00 5a 0a 00 00 02 08 02 06 41 04 fa 56 ea 01",
      64512, 23456, 2, 2 },
    { "6793 3", "a 4-octet AS of three octets",
      "04 5b a0 00 5a 0a 00 00 02 07 02 05 41 03 fa 56 ea", 64512, 65001, 2, 0 },
    { "7607", "a 4-octet AS 0", "04 fd e9 00 5a 0a 00 00 02 08 02 06 41 04 00 00 00 00", 64512,
      65001, 2, 2 },
    { "9072 2", "extended parameters", OPEN_65001("00 5a", "ff ff 00 05 02 00 02 02 00"), 64512,
      65001, 0, 0 },
    { "9072 2", "extended parameters with another length octet",
      OPEN_65001("00 5a", "01 ff 00 05 02 00 02 02 00"), 64512, 65001, 0, 0 },
    { "9072 2", "extended parameters that are too long",
      OPEN_65001("00 5a", "ff ff 00 06 02 00 02 02 00"), 64512, 65001, 2, 0 },
    { "9072 2", "255 with no octets is an empty list of the old kind", OPEN_65001("00 5a", "00"),
      64512, 65001, 0, 0 },
    { "4760 8", "a multiprotocol capability of a wrong length is passed over",
      OPEN_65001("00 5a", "05 02 03 01 01 00"), 64512, 65001, 0, 0 },
};

static void opens(void **state)
{
    (void)state;
    struct guarded g = guarded_new();
    for (size_t i = 0; i < sizeof open_cases / sizeof open_cases[0]; i++) {
        uint8_t bytes[128];
        size_t len = hex(open_cases[i].bytes, bytes, sizeof bytes);
        struct bgp_open_expect x = { open_cases[i].local_as, open_cases[i].remote_as, 0x0a000001 };
        struct bgp_open o;
        struct bgp_error e = { 0 };
        bool ok = bgp_open_parse(rd_init(guarded_put(&g, bytes, len), len), &x, &o, &e);
        if (ok != (open_cases[i].err == 0) || e.code != open_cases[i].err ||
            e.subcode != open_cases[i].sub)
            fail_msg("RFC %s, %s: %s %u/%u (%s)", open_cases[i].rfc, open_cases[i].what,
                     ok ? "taken" : "refused", e.code, e.subcode, e.why ? e.why : "");
        for (size_t cut = 0; cut < len && ok; cut++) { /* every truncation of it is refused */
            bool got = bgp_open_parse(rd_init(guarded_put(&g, bytes, cut), cut), &x, &o, &e);
            if (got)
                fail_msg("RFC %s, %s: taken with %zu of %zu octets", open_cases[i].rfc,
                         open_cases[i].what, cut, len);
        }
    }
    guarded_free(&g);
}

/* RFC 4271 section 6.2: the data of a refused version is the largest one that we speak. */
static void open_version_data(void **state)
{
    (void)state;
    uint8_t bytes[16];
    size_t len = hex("03 fd e9 00 5a 0a 00 00 02 00", bytes, sizeof bytes);
    struct bgp_open_expect x = { 64512, 65001, 1 };
    struct bgp_open o;
    struct bgp_error e;
    assert_false(bgp_open_parse(rd_init(bytes, len), &x, &o, &e));
    assert_int_equal(e.data_len, 2);
    assert_memory_equal(e.own, "\0\4", 2);
}

static void capabilities(void **state)
{
    (void)state;
    uint8_t bytes[128];
    size_t len = hex(OPEN_65001("00 5a", "36 02 34 "
                                         "01 04 00 01 00 01 "       /* IPv4 unicast, RFC 4760 */
                                         "01 04 00 02 00 01 "       /* IPv6 unicast */
                                         "01 04 00 01 00 80 "       /* VPNv4: not ours */
                                         "02 00 46 00 06 00 "       /* RFC 2918, 7313, 8654 */
                                         "05 06 00 01 00 01 00 02 " /* RFC 8950 */
                                         "40 06 c0 78 00 01 01 80 " /* RFC 4724, flags R and N */
                                         "41 04 00 00 fd e9 "       /* RFC 6793 */
                                         "05 04 00 01 00 01"),      /* RFC 8950, cut */
                     bytes, sizeof bytes);
    struct bgp_open_expect x = { 64512, 65001, 1 };
    struct bgp_open o;
    struct bgp_error e = { 0 };
    assert_true(bgp_open_parse(rd_init(bytes, len), &x, &o, &e));
    assert_int_equal(o.families, BGP_FAMILY_ALL);
    assert_true(o.multiprotocol);
    assert_true(o.route_refresh);
    assert_true(o.enhanced_refresh);
    assert_true(o.extended_message);
    assert_true(o.v4_over_v6_next_hop);
    assert_true(o.graceful_restart);
    assert_int_equal(o.restart_flags, 0xc);
    assert_int_equal(o.restart_s, 0x78);
    assert_true(o.as4);
    assert_int_equal(o.as, 65001);
    /* RFC 4760 section 8: who says nothing speaks of IPv4; who speaks of something else, of that */
    len = hex(OPEN_65001("00 5a", "00"), bytes, sizeof bytes);
    assert_true(bgp_open_parse(rd_init(bytes, len), &x, &o, &e));
    assert_int_equal(o.families, BGP_FAMILY_BIT(BGP_IPV4));
    len = hex(OPEN_65001("00 5a", "08 02 06 01 04 00 19 00 41"), bytes, sizeof bytes);
    assert_true(bgp_open_parse(rd_init(bytes, len), &x, &o, &e));
    assert_int_equal(o.families, 0);
}

/* parse(write(x)) == x */
static void open_round_trip(void **state)
{
    (void)state;
    uint64_t seed = 0x5eed;
    for (unsigned i = 0; i < 2000; i++) {
        uint32_t r = rng_next(&seed);
        struct bgp_open o = { .as = i % 3 ? 1 + r % 65000 : 4200000000u + r % 1000,
                              .hold_s = (uint16_t)(3 + r % 1000),
                              .id = 1 + rng_next(&seed) / 2,
                              .families = r % 4,
                              .route_refresh = r & 16,
                              .enhanced_refresh = r & 32,
                              .extended_message = r & 64,
                              .v4_over_v6_next_hop = r & 128,
                              .graceful_restart = r & 256,
                              .restart_flags = r >> 9 & 0xf,
                              .restart_s = r >> 13 & 0xfff };
        o.as4 = o.as > 65535 || (r & 1u << 30);
        uint8_t buf[BGP_MSG_MAX];
        struct wr w = wr_init(buf, sizeof buf);
        bgp_open_write(&w, &o);
        size_t len;
        struct bgp_error e = { 0 };
        assert_int_equal(bgp_msg_frame(buf, wr_len(&w), BGP_MSG_MAX, &len, &e), BGP_FRAME_WHOLE);
        assert_int_equal(len, wr_len(&w));
        struct bgp_open_expect x = { 64999, o.as, 0xffffffff };
        struct bgp_open got;
        assert_true(bgp_open_parse(rd_init(buf + 19, len - 19), &x, &got, &e));
        assert_int_equal(got.as, o.as);
        assert_int_equal(got.as2, o.as > 65535 ? BGP_AS_TRANS : o.as); /* RFC 6793 section 9 */
        assert_int_equal(got.hold_s, o.hold_s);
        assert_int_equal(got.id, o.id);
        assert_int_equal(got.as4, o.as4);
        assert_int_equal(got.families, o.families ? o.families : BGP_FAMILY_BIT(BGP_IPV4));
        assert_int_equal(got.route_refresh, o.route_refresh);
        assert_int_equal(got.enhanced_refresh, o.enhanced_refresh);
        assert_int_equal(got.extended_message, o.extended_message);
        assert_int_equal(got.v4_over_v6_next_hop, o.v4_over_v6_next_hop);
        assert_int_equal(got.graceful_restart, o.graceful_restart);
    }
}

/* ---- NOTIFICATION ------------------------------------------------------------------------------- */

static const struct {
    const char *rfc, *what, *bytes;
    bool ok;
    uint8_t code, sub;
    bool hard;
    const char *text;
} notification_cases[] = {
    { "4271 4.5", "code and subcode", "06 02", true, 6, 2, false, "" },
    { "4271 4.5", "only a code", "06", false, 0, 0, false, "" },
    { "4271 4.5", "nothing", "", false, 0, 0, false, "" },
    { "9003 2", "a text", "06 02 05 68 65 6c 6c 6f", true, 6, 2, false, "hello" },
    { "9003 2", "a reset with a text", "06 04 02 68 69", true, 6, 4, false, "hi" },
    { "9003 2", "no text", "06 02 00", true, 6, 2, false, "" },
    { "9003 4", "a text that is cut is passed over", "06 02 05 68 65", true, 6, 2, false, "" },
    { "9003 5", "control characters do not reach the log", "06 02 03 61 0a 62", true, 6, 2, false,
      "a?b" },
    { "9003 2", "other subcodes have no text", "06 05 02 68 69", true, 6, 5, false, "" },
    { "8538 3", "Hard Reset: the reason is inside", "06 09 06 02 02 68 69", true, 6, 2, true,
      "hi" },
    { "8538 3", "Hard Reset with nothing inside", "06 09", true, 6, 9, false, "" },
    { "8538 3", "Hard Reset with half a reason", "06 09 06", true, 6, 9, false, "" },
    { "4271 4.5", "a code that nobody knows", "63 63 00", true, 0x63, 0x63, false, "" },
};

static void notifications(void **state)
{
    (void)state;
    struct guarded g = guarded_new();
    for (size_t i = 0; i < sizeof notification_cases / sizeof notification_cases[0]; i++) {
        uint8_t bytes[64];
        size_t len = hex(notification_cases[i].bytes, bytes, sizeof bytes);
        struct bgp_notification n;
        bool ok = bgp_notification_parse(rd_init(guarded_put(&g, bytes, len), len), &n);
        if (ok != notification_cases[i].ok || n.hard != notification_cases[i].hard ||
            (ok &&
             (n.code != notification_cases[i].code || n.subcode != notification_cases[i].sub ||
              strcmp(n.text, notification_cases[i].text) != 0)))
            fail_msg("RFC %s, %s: %u/%u \"%s\"", notification_cases[i].rfc,
                     notification_cases[i].what, n.code, n.subcode, n.text);
    }
    guarded_free(&g);
}

/* RFC 9003 section 2: at most 255 octets, and not half a character. */
static void shutdown_text_is_cut_at_a_character(void **state)
{
    (void)state;
    char text[300];
    memset(text, 'a', sizeof text);
    memcpy(text + 254, "\xc3\xa4", 2); /* the 255th and 256th octet are one character */
    text[299] = '\0';
    uint8_t buf[BGP_MSG_MAX];
    struct wr w = wr_init(buf, sizeof buf);
    bgp_cease_write(&w, BGP_CEASE_SHUTDOWN, text);
    assert_int_equal(wr_len(&w), 19 + 2 + 1 + 254);
    struct bgp_notification n;
    assert_true(bgp_notification_parse(rd_init(buf + 19, wr_len(&w) - 19), &n));
    assert_int_equal(strlen(n.text), 254);
    w = wr_init(buf, sizeof buf);
    bgp_cease_write(&w, BGP_CEASE_COLLISION, "no text goes with this one");
    assert_int_equal(wr_len(&w), 21);
}

static void notification_data_is_bounded(void **state)
{
    (void)state;
    static uint8_t data[60000], buf[BGP_MSG_MAX];
    struct bgp_error e = { .code = 3, .subcode = 4, .data = data, .data_len = sizeof data };
    struct wr w = wr_init(buf, sizeof buf);
    bgp_notification_write(&w, &e);
    assert_false(w.full);
    assert_int_equal(wr_len(&w), BGP_MSG_MAX);
}

/* ---- ROUTE-REFRESH ------------------------------------------------------------------------------- */

static const struct {
    const char *rfc, *what, *bytes;
    bool ok, known;
    uint8_t family, kind, err;
} refresh_cases[] = {
    { "2918 3", "IPv4", "00 01 00 01", true, true, BGP_IPV4, 0, 0 },
    { "2918 3", "IPv6", "00 02 00 01", true, true, BGP_IPV6, 0, 0 },
    { "7313 3.2", "BoRR", "00 02 01 01", true, true, BGP_IPV6, 1, 0 },
    { "7313 3.2", "EoRR", "00 01 02 01", true, true, BGP_IPV4, 2, 0 },
    { "2918 4", "another SAFI", "00 01 00 80", true, false, 0, 0, 0 },
    { "2918 4", "another AFI", "00 19 00 01", true, false, 0, 0, 0 },
    { "7313 5", "an unknown subtype is ignored", "00 01 ff 01", true, false, 0, 255, 0 },
    { "7313 5", "a BoRR of five octets", "00 01 01 01 00", false, false, 0, 1, 7 },
    { "7313 5", "an EoRR of three octets", "00 01 02", false, false, 0, 2, 7 },
    { "5291", "a request with a filter that nobody agreed to", "00 01 00 01 01 80 00 00", false,
      false, 0, 0, 0 },
    { "2918", "two octets", "00 01", false, false, 0, 0, 0 },
};

static void refreshes(void **state)
{
    (void)state;
    struct guarded g = guarded_new();
    for (size_t i = 0; i < sizeof refresh_cases / sizeof refresh_cases[0]; i++) {
        uint8_t bytes[32];
        size_t len = hex(refresh_cases[i].bytes, bytes, sizeof bytes);
        struct bgp_refresh r;
        struct bgp_error e = { 0 };
        bool ok = bgp_refresh_parse(rd_init(guarded_put(&g, bytes, len), len), &r, &e);
        if (ok != refresh_cases[i].ok || e.code != refresh_cases[i].err ||
            (ok && (r.known != refresh_cases[i].known || r.kind != refresh_cases[i].kind)) ||
            (r.known && r.family != refresh_cases[i].family))
            fail_msg("RFC %s, %s: ok %d known %d kind %u error %u", refresh_cases[i].rfc,
                     refresh_cases[i].what, ok, r.known, r.kind, e.code);
    }
    for (unsigned i = 0; i < 6; i++) {
        uint8_t buf[32];
        struct wr w = wr_init(buf, sizeof buf);
        bgp_refresh_write(&w, i % 2 ? BGP_IPV6 : BGP_IPV4, (enum bgp_refresh_kind)(i / 2));
        struct bgp_refresh r;
        struct bgp_error e;
        assert_true(bgp_refresh_parse(rd_init(buf + 19, wr_len(&w) - 19), &r, &e));
        assert_int_equal(r.family, i % 2);
        assert_int_equal(r.kind, i / 2);
    }
    guarded_free(&g);
}

/* ---- words -------------------------------------------------------------------------------------- */

static void prefixes(void **state)
{
    (void)state;
    static const char *const good[] = { "0.0.0.0/0",      "10.0.0.0/8", "192.0.2.0/24",
                                        "192.0.2.1/32",   "::/0",       "2001:db8::/32",
                                        "2001:db8::1/128" };
    static const char *const bad[] = { "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0",    "2001:db8::1/64",
                                       "::/129",     "10.0.0.0/",   "10.0.0.0/08", "10.0.0.0/-1",
                                       "x/8",        "/8",          "10.0.0.0/8 ", "" };
    struct bgp_prefix p, q;
    char text[BGP_PREFIX_TEXT_MAX];
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        if (!bgp_prefix_parse(good[i], &p) || strcmp(bgp_prefix_text(&p, text), good[i]) != 0)
            fail_msg("%s became %s", good[i], text);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (bgp_prefix_parse(bad[i], &p))
            fail_msg("\"%s\" was taken", bad[i]);
    }
    assert_true(bgp_prefix_parse("10.0.0.0/8", &p));
    assert_true(bgp_prefix_parse("10.1.0.0/16", &q));
    assert_true(bgp_prefix_covers(&p, &q));
    assert_false(bgp_prefix_covers(&q, &p));
    assert_true(bgp_prefix_covers(&p, &p));
    assert_true(bgp_prefix_parse("::/0", &q));
    assert_false(bgp_prefix_covers(&q, &p));
    assert_true(bgp_prefix_parse("10.128.0.0/9", &p));
    assert_true(bgp_prefix_parse("10.64.0.0/10", &q));
    assert_false(bgp_prefix_covers(&p, &q));
}

static void communities_from_text(void **state)
{
    (void)state;
    struct bgp_attrs a = { 0 };
    assert_true(bgp_attrs_parse_community(&a, "64512:7"));
    assert_true(bgp_attrs_parse_community(&a, "no-export"));
    assert_true(bgp_attrs_parse_community(&a, "graceful-shutdown"));
    assert_true(bgp_attrs_parse_community(&a, "4200000000:1:4294967295"));
    assert_false(bgp_attrs_parse_community(&a, "64512:7")); /* twice */
    assert_false(bgp_attrs_parse_community(&a, "65536:1"));
    assert_false(bgp_attrs_parse_community(&a, "1"));
    assert_false(bgp_attrs_parse_community(&a, "1:2:3:4"));
    assert_false(bgp_attrs_parse_community(&a, "1:2:"));
    assert_false(bgp_attrs_parse_community(&a, "1:2:4294967296"));
    assert_false(bgp_attrs_parse_community(&a, "no-such"));
    assert_int_equal(a.community_count, 3);
    assert_int_equal(a.communities[0], 64512u << 16 | 7);
    assert_int_equal(a.communities[1], 0xffffff01);
    assert_int_equal(a.communities[2], 0xffff0000);
    assert_int_equal(a.large_count, 1);
    assert_int_equal(a.large[0].local2, 4294967295u);
    for (unsigned i = 0; i < 40; i++)
        bgp_attrs_add_community(&a, i);
    assert_int_equal(a.community_count, BGP_COMMUNITIES_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames),
        cmocka_unit_test(frame_error_data),
        cmocka_unit_test(opens),
        cmocka_unit_test(open_version_data),
        cmocka_unit_test(capabilities),
        cmocka_unit_test(open_round_trip),
        cmocka_unit_test(notifications),
        cmocka_unit_test(shutdown_text_is_cut_at_a_character),
        cmocka_unit_test(notification_data_is_bounded),
        cmocka_unit_test(refreshes),
        cmocka_unit_test(prefixes),
        cmocka_unit_test(communities_from_text),
    };
    return cmocka_run_group_tests_name("bgp_msg", tests, NULL, NULL);
}
