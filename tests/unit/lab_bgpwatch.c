/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/wr.h"
#include "lab/bgpwatch.h"

static const uint8_t node4[4] = { 100, 64, 0, 2 }, router4[4] = { 100, 64, 0, 1 };
static const uint8_t node6[16] = { 0x20, 1, [15] = 2 }, router6[16] = { 0x20, 1, [15] = 1 };

static struct bgpwatch_event seen[64];
static uint32_t seen_count;

static void note(void *arg, const struct bgpwatch_event *ev)
{
    (void)arg;
    assert_true(seen_count < BASE_COUNT(seen));
    seen[seen_count++] = *ev;
}

static void start(struct bgpwatch *w)
{
    seen_count = 0;
    bgpwatch_init(w, node4, node6, note, NULL);
}

/* Ethernet, IPv4 or IPv6, TCP around `payload`. Returns the length. */
static size_t frame(uint8_t *out, bool v6, bool from_node, uint32_t seq, uint8_t flags,
                    const uint8_t *payload, size_t len)
{
    struct wr w = wr_init(out, 2000);
    uint8_t zero[16] = { 0 };
    wr_bytes(&w, zero, 12);
    wr_u16(&w, v6 ? 0x86dd : 0x0800);
    if (v6) {
        wr_u32(&w, 0x60000000);
        wr_u16(&w, (uint16_t)(20 + len));
        wr_u8(&w, 6);
        wr_u8(&w, 255);
        wr_bytes(&w, from_node ? node6 : router6, 16);
        wr_bytes(&w, from_node ? router6 : node6, 16);
    } else {
        wr_u8(&w, 0x45);
        wr_u8(&w, 0xc0);
        wr_u16(&w, (uint16_t)(40 + len));
        wr_u32(&w, 0x00004000);
        wr_u8(&w, 255);
        wr_u8(&w, 6);
        wr_u16(&w, 0);
        wr_bytes(&w, from_node ? node4 : router4, 4);
        wr_bytes(&w, from_node ? router4 : node4, 4);
    }
    wr_u16(&w, from_node ? 40000 : 179);
    wr_u16(&w, from_node ? 179 : 40000);
    wr_u32(&w, seq);
    wr_u32(&w, 0);
    wr_u8(&w, 0x50);
    wr_u8(&w, flags);
    wr_bytes(&w, zero, 6);
    wr_bytes(&w, payload, len);
    return wr_len(&w);
}

static size_t message(uint8_t *out, uint8_t type, const uint8_t *body, size_t len)
{
    memset(out, 0xff, 16);
    wr_put_u16(out + 16, (uint16_t)(19 + len));
    out[18] = type;
    if (len > 0)
        memcpy(out + 19, body, len);
    return 19 + len;
}

static const struct {
    const char *what;
    uint8_t body[96];
    uint8_t len, family, announced, withdrawn, path_len;
    bool graceful;
} updates[] = {
    { "two IPv4 prefixes, path of one",
      { 0, 0, 0, 9, 0x40, 2, 6, 2, 1, 0, 0, 0xfd, 0xe9, 24, 192, 0, 2, 32, 192, 0, 2, 53 },
      22,
      4,
      2,
      0,
      1,
      false },
    { "an IPv4 withdrawal", { 0, 4, 24, 192, 0, 2, 0, 0 }, 8, 4, 0, 1, 0, false },
    { "prepended, with GRACEFUL_SHUTDOWN",
      { 0, 0, 0, 24, 0x40, 2,    14, 2, 3,    0,    0, 0, 1,  0,   0, 0,
        1, 0, 0, 0,  1,    0xc0, 8,  4, 0xff, 0xff, 0, 0, 24, 192, 0, 2 },
      32,
      4,
      1,
      0,
      3,
      true },
    { "IPv6 by MP_REACH_NLRI (RFC 4760 3)",
      { 0, 0, 0, 31, 0x80, 14, 28, 0, 2, 1, 16, 0x20, 1, 0,    0,    0, 0,   0,
        0, 0, 0, 0,  0,    0,  0,  0, 2, 0, 48, 0x20, 1, 0x0d, 0xb8, 0, 0x53 },
      35,
      6,
      1,
      0,
      0,
      false },
    { "IPv6 by MP_UNREACH_NLRI, extended length",
      { 0, 0, 0, 14, 0x90, 15, 0, 10, 0, 2, 1, 48, 0x20, 1, 0x0d, 0xb8, 0, 0x53 },
      18,
      6,
      0,
      1,
      0,
      false },
    { "End-of-RIB of IPv4 (RFC 4724 2)", { 0, 0, 0, 0 }, 4, 0, 0, 0, 0, false },
    { "End-of-RIB of IPv6", { 0, 0, 0, 6, 0x80, 15, 3, 0, 2, 1 }, 10, 0, 0, 0, 0, false },
    { "withdrawn length beyond the end", { 0, 99, 0, 0 }, 4, 0, 0, 0, 0, false },
    { "attribute beyond the end",
      { 0, 0, 0, 4, 0x40, 2, 200, 0, 24, 1, 2, 3 },
      12,
      4,
      1,
      0,
      0,
      false },
};

static void updates_are_counted(void **state)
{
    (void)state;
    for (size_t i = 0; i < BASE_COUNT(updates); i++) {
        static struct bgpwatch w;
        uint8_t msg[300], f[2000];
        start(&w);
        size_t len = message(msg, 2, updates[i].body, updates[i].len);
        bgpwatch_frame(&w, f, frame(f, false, true, 100, 0x18, msg, len), 77);
        if (seen_count != 1 || seen[0].family != updates[i].family || !seen[0].by_first ||
            seen[0].announced != updates[i].announced ||
            seen[0].withdrawn != updates[i].withdrawn || seen[0].path_len != updates[i].path_len ||
            seen[0].graceful_shutdown != updates[i].graceful || seen[0].at_ns != 77)
            fail_msg("%s: %u events, family %u, %u announced, %u withdrawn, path %u",
                     updates[i].what, seen_count, seen[0].family, seen[0].announced,
                     seen[0].withdrawn, seen[0].path_len);
    }
}

static void streams_are_put_together(void **state)
{
    (void)state;
    static struct bgpwatch w;
    uint8_t stream[300], f[2000];
    size_t one = message(stream, 2, updates[0].body, updates[0].len);
    size_t two = message(stream + one, 4, NULL, 0);
    size_t all = one + two + message(stream + one + two, 2, updates[1].body, updates[1].len);
    for (int v6 = 0; v6 < 2; v6++)
        for (size_t cut = 1; cut < all; cut++) {
            start(&w);
            bgpwatch_frame(&w, f, frame(f, v6, true, 999, 0x02, NULL, 0), 1);
            bgpwatch_frame(&w, f, frame(f, v6, true, 1000, 0x18, stream, cut), 2);
            /* all of the first again (a retransmission), with what follows */
            bgpwatch_frame(&w, f, frame(f, v6, true, 1000, 0x18, stream, all), 3);
            assert_int_equal(seen_count, 2);
            assert_int_equal(seen[0].announced, 2);
            assert_int_equal(seen[1].withdrawn, 1);
        }
    assert_int_equal(w.holes, 0);
}

static void a_hole_is_survived(void **state)
{
    (void)state;
    static struct bgpwatch w;
    uint8_t stream[300], f[2000];
    start(&w);
    size_t one = message(stream, 2, updates[0].body, updates[0].len);
    size_t all = one + message(stream + one, 2, updates[1].body, updates[1].len);
    bgpwatch_frame(&w, f, frame(f, false, true, 0, 0x18, stream, 10), 1);
    /* bytes 10 to 19 are missing: the first message is lost, the second is found by its marker */
    bgpwatch_frame(&w, f, frame(f, false, true, 20, 0x18, stream + 20, all - 20), 2);
    assert_int_equal(w.holes, 1);
    assert_int_equal(seen_count, 1);
    assert_int_equal(seen[0].withdrawn, 1);
}

static void ends_are_seen(void **state)
{
    (void)state;
    static struct bgpwatch w;
    uint8_t msg[64], f[2000], cease[] = { 6, 2 };
    start(&w);
    size_t len = message(msg, 3, cease, sizeof cease);
    bgpwatch_frame(&w, f, frame(f, true, false, 5, 0x19, msg, len), 9);
    assert_int_equal(seen_count, 2);
    assert_int_equal(seen[0].kind, BGPWATCH_NOTIFICATION);
    assert_int_equal(seen[0].code, 6);
    assert_int_equal(seen[0].family, 6);
    assert_false(seen[0].by_first);
    assert_int_equal(seen[1].kind, BGPWATCH_CLOSED);
}

/* Whatever is cut off, wherever: nothing is read past the end (the sanitizers watch), nothing hangs. */
static void broken_frames_do_no_harm(void **state)
{
    (void)state;
    static struct bgpwatch w;
    uint8_t msg[300], f[2000];
    size_t len = message(msg, 2, updates[2].body, updates[2].len);
    size_t whole = frame(f, false, true, 100, 0x18, msg, len);
    for (size_t cut = 0; cut < whole; cut++) {
        start(&w);
        bgpwatch_frame(&w, f, cut, 1);
        assert_int_equal(seen_count, 0);
    }
    for (size_t at = 0; at < whole; at++) {
        start(&w);
        f[at] ^= 0xff;
        bgpwatch_frame(&w, f, whole, 1);
        f[at] ^= 0xff;
    }
}

static void count_frames(void *arg, const uint8_t *bytes, size_t len, int64_t at_ns)
{
    (void)bytes;
    (void)len;
    *(int64_t *)arg += at_ns;
}

static void pcap_files_are_walked(void **state)
{
    (void)state;
    uint8_t file[PCAP_HEADER_LEN + 2 * (PCAP_FRAME_LEN + 5)] = { 0 };
    int64_t sum = 0;
    pcap_header(file);
    pcap_frame(file + PCAP_HEADER_LEN, 1000000007, 5, 60);
    pcap_frame(file + PCAP_HEADER_LEN + PCAP_FRAME_LEN + 5, 2000000001, 5, 5);
    assert_true(pcap_walk(file, sizeof file, count_frames, &sum));
    assert_true(sum == 3000000008);
    for (size_t cut = 0; cut < sizeof file; cut++)
        if (cut != PCAP_HEADER_LEN && cut != PCAP_HEADER_LEN + PCAP_FRAME_LEN + 5)
            assert_false(pcap_walk(file, cut, count_frames, &sum));
    /* the other byte order, microseconds */
    const uint8_t other[] = { 0xa1, 0xb2, 0xc3, 0xd4, 0,    2,    0, 4, 0, 0, 0, 0, 0,   0,
                              0,    0,    0,    0,    0xff, 0xff, 0, 0, 0, 1, 0, 0, 0,   1,
                              0,    0,    0,    2,    0,    0,    0, 1, 0, 0, 0, 1, 0x55 };
    sum = 0;
    assert_true(pcap_walk(other, sizeof other, count_frames, &sum));
    assert_true(sum == 1000002000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(updates_are_counted),      cmocka_unit_test(streams_are_put_together),
        cmocka_unit_test(a_hole_is_survived),       cmocka_unit_test(ends_are_seen),
        cmocka_unit_test(broken_frames_do_no_harm), cmocka_unit_test(pcap_files_are_walked),
    };
    return cmocka_run_group_tests_name("lab_bgpwatch", tests, NULL, NULL);
}
