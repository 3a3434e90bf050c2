/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Primaries of all kinds: right, odd, broken, hostile (RFC 1034, 1982, 1995, 1996, 5936, 6891, 8945). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/wr.h"
#include "transfer/xfr.h"

static const wall_t now = { 1700000000, 0 };

/* ---- primaries of all kinds, by table ---- */

/* Messages as text: "|" ends one, " " a record. S7: the SOA with serial 7; T7: the same with other timers;
 * a: an address of a.example.; o: one outside; s: an SOA of a.example.; c: class CHAOS; q: a meta type; n:
 * a broken NS; m: an MX whose name is compressed; ?: without question; !N: RCODE N; t: truncated; u: not
 * authoritative; w: another question; i: another id; r: no response; x: bytes behind; E: EXPIRE; N: opcode
 * NOTIFY; g: AAAA in the authority section. */
static void put_rr(struct wr *w, uint16_t owner, uint16_t type, uint16_t rclass, const void *rdata,
                   uint16_t len)
{
    if (owner == 1)
        wr_bytes(w, "\1a\xc0\x0c", 4);
    else if (owner == 2)
        wr_bytes(w, "\1o\3net", 7);
    else
        wr_bytes(w, "\xc0\x0c", 2);
    wr_u16(w, type);
    wr_u16(w, rclass);
    wr_u32(w, 60);
    wr_u16(w, len);
    wr_bytes(w, rdata, len);
}

static void put_soa(struct wr *w, uint16_t owner, uint32_t serial, uint32_t refresh)
{
    uint8_t rdata[22] = { 0 };
    struct wr r = wr_init(rdata + 2, 20);
    wr_u32(&r, serial);
    wr_u32(&r, refresh);
    put_rr(w, owner, DNS_TYPE_SOA, 1, rdata, sizeof rdata);
}

static const char *put_message(const char *t, uint16_t qtype, uint8_t *msg, size_t *len)
{
    struct wr w = wr_init(msg, 4000);
    uint16_t id = 77, flags = 0x8400, count = 0, authority = 0, additional = 0;
    bool question = true, other = false;
    const char *end = t + strcspn(t, "|");
    for (const char *p = t; p < end; p++) {
        question = *p == '?' ? false : question;
        other = other || *p == 'w';
        id = *p == 'i' ? 78 : id;
        flags = (uint16_t)(*p == 't' ? flags | 0x200 : *p == 'u' ? flags & ~0x400 : flags);
        flags = (uint16_t)(*p == 'r' ? flags & ~0x8000 : *p == 'N' ? flags | 0x2000 : flags);
        if (*p == '!')
            flags = (uint16_t)(flags | strtoul(p + 1, NULL, 10));
    }
    wr_u16(&w, id);
    wr_u16(&w, flags);
    wr_u16(&w, 1);
    wr_u32(&w, 0);
    wr_u16(&w, 0);
    wr_bytes(&w, other ? "\7exampl3" : "\7eXample", 9);
    wr_u16(&w, qtype);
    wr_u16(&w, 1);
    if (!question) { /* the name is still there to be pointed at: as owner of a first record */
        msg[5] = 0;
        w.pos -= 4;
        wr_u16(&w, 28);
        wr_u16(&w, 1);
        wr_u32(&w, 60);
        wr_u16(&w, 0);
        count++;
    }
    while (t < end) {
        uint32_t n = (uint32_t)strtoul(t + 1, NULL, 10);
        count++;
        switch (*t) {
        case 'S':
            put_soa(&w, 0, n, 60);
            break;
        case 'T':
            put_soa(&w, 0, n, 61);
            break;
        case 's':
            put_soa(&w, 1, n, 60);
            break;
        case 'a':
            put_rr(&w, 1, 1, 1, "abcd", 4);
            break;
        case 'o':
            put_rr(&w, 2, 1, 1, "abcd", 4);
            break;
        case 'c':
            put_rr(&w, 1, 1, 3, "abcd", 4);
            break;
        case 'q':
            put_rr(&w, 1, 255, 1, "abcd", 4);
            break;
        case 'n':
            put_rr(&w, 1, 2, 1, "\3abc", 4);
            break;
        case 'm':
            put_rr(&w, 1, 15, 1, "\0\12\xc0\x0c", 4);
            break;
        case 'x':
            wr_u8(&w, 0);
            count--;
            break;
        case 'g':
            put_rr(&w, 1, 28, 1, "abcdabcdabcdabcd", 16);
            authority++;
            count--;
            break;
        case 'E':
            wr_bytes(&w, "\0\0\x29\4\xd0\0\0\0\0\0\10\0\11\0\4\0\0\0\x64", 19);
            additional++;
            count--;
            break;
        default:
            count--;
            break;
        }
        t++;
        while (t < end && (*t == ' ' || (*t >= '0' && *t <= '9')))
            t++;
    }
    wr_put_u16(msg + 6, count);
    wr_put_u16(msg + 8, authority);
    wr_put_u16(msg + 10, additional);
    *len = wr_len(&w);
    return *end == '|' ? end + 1 : NULL;
}

#define OLD true, 5
#define NOTHING false, 0
static const struct {
    const char *what;
    enum xfr_type type;
    bool have;
    uint32_t serial;
    const char *messages;
    enum xfr_got got;
    const char
        *row; /* what came: + and - for changes, one letter a record; NULL: does not matter */
    bool udp, no_edns;
} primaries[] = {
    { "5936 2.2: SOA first and last", XFR_AXFR, NOTHING, "S7 a m S7", XFR_DONE, "Sam" },
    { "5936 2.2: one record a message", XFR_AXFR, OLD, "S7|a|m|S7", XFR_DONE, "Sam" },
    { "1995 4: an empty message in the middle", XFR_AXFR, NOTHING, "S7||S7", XFR_FAILED },
    { "5936 2.2: cut off", XFR_AXFR, NOTHING, "S7 a|a", XFR_MORE, "Saa" },
    { "5936 2.2: an SOA alone", XFR_AXFR, NOTHING, "S7 S7", XFR_DONE, "S" },
    { "5936 2.2: does not begin with the SOA", XFR_AXFR, NOTHING, "a S7 S7", XFR_FAILED, "" },
    { "5936 2.2: the last SOA is another", XFR_AXFR, NOTHING, "S7 a S8", XFR_FAILED, "Sa" },
    { "5936 2.2: the same serial, other timers", XFR_AXFR, NOTHING, "S7 a T7", XFR_FAILED, "Sa" },
    { "5936 2.2: records behind the end", XFR_AXFR, NOTHING, "S7 a S7 a", XFR_FAILED, "Sa" },
    { "5936 2.2: a message behind the end", XFR_AXFR, NOTHING, "S7 a S7|a", XFR_FAILED, "Sa" },
    { "1035 4.1: bytes behind the records", XFR_AXFR, NOTHING, "S7 a S7 x", XFR_FAILED },
    { "5936 2.2.4: an authority section is passed over", XFR_AXFR, NOTHING, "S7 a S7 g", XFR_DONE,
      "Sa" },
    { "5936 2.2.2: another question", XFR_AXFR, NOTHING, "w S7 a S7", XFR_FAILED, "" },
    { "5936 2.2.1: another id", XFR_AXFR, NOTHING, "S7 a|i S7", XFR_FAILED, "Sa" },
    { "5936 2.2.1: no response", XFR_AXFR, NOTHING, "r S7 a S7", XFR_FAILED, "" },
    { "5936 2.2.1: truncated", XFR_AXFR, NOTHING, "t S7 a S7", XFR_FAILED, "" },
    { "5936 2.2.1: an error in the middle", XFR_AXFR, NOTHING, "S7 a|!2", XFR_FAILED, "Sa" },
    { "a record outside the zone is passed over", XFR_AXFR, NOTHING, "S7 o a S7", XFR_DONE, "Sa" },
    { "an SOA of another name", XFR_AXFR, NOTHING, "S7 s7 S7", XFR_FAILED, "" },
    { "another class", XFR_AXFR, NOTHING, "S7 c S7", XFR_FAILED, "" },
    { "6895 3.1: a type that no zone holds", XFR_AXFR, NOTHING, "S7 q S7", XFR_FAILED, "" },
    { "a broken record", XFR_AXFR, NOTHING, "S7 n S7", XFR_FAILED, "" },
    { "1982: older than what is had", XFR_AXFR, OLD, "S4 a S4", XFR_BEHIND, "" },
    { "5936: as old as what is had", XFR_AXFR, OLD, "S5 a S5", XFR_UP_TO_DATE, "" },
    { "refused", XFR_AXFR, NOTHING, "!5", XFR_FAILED, "" },
    { "NOTAUTH", XFR_AXFR, NOTHING, "!9", XFR_FAILED, "" },
    { "6891 7: FORMERR to an OPT", XFR_AXFR, NOTHING, "!1", XFR_NO_EDNS, "" },
    { "6891 7: FORMERR without", XFR_AXFR, NOTHING, "!1", XFR_FAILED, "", false, true },
    { "1995 4: one step", XFR_IXFR, OLD, "S7 S5 a S7 m S7", XFR_DONE, "-S-a+S+m" },
    { "1995 4: two steps", XFR_IXFR, OLD, "S7 S5 a|S6 m S6 a|S7 S7", XFR_DONE, "-S-a+S+m-S-a+S" },
    { "1995 4: nothing but the SOA changes", XFR_IXFR, OLD, "S7 S5 S7 S7", XFR_DONE, "-S+S" },
    { "1995 4: a whole zone", XFR_IXFR, OLD, "S7 a|m S7", XFR_DONE, "Sam" },
    { "1995 4: a whole zone where nothing is had", XFR_IXFR, NOTHING, "S7 a S7", XFR_DONE, "Sa" },
    { "1995 2: up to date", XFR_IXFR, OLD, "S5", XFR_UP_TO_DATE, "" },
    { "1995 2: older", XFR_IXFR, OLD, "S4", XFR_BEHIND, "" },
    { "1995 4: the first SOA alone in its message", XFR_IXFR, OLD, "S7|S5|S7|S7", XFR_DONE,
      "-S+S" },
    { "1995 4: changes from elsewhere", XFR_IXFR, OLD, "S7 S4 S7 S7", XFR_WANT_AXFR, "" },
    { "1995 4: a gap between steps", XFR_IXFR, OLD, "S9 S5 S6 S7 S9 S9", XFR_FAILED },
    { "1995 4: a step backwards", XFR_IXFR, OLD, "S7 S5 S4 S4 S7 S7", XFR_FAILED, "-S" },
    { "1995 4: a step on the spot", XFR_IXFR, OLD, "S7 S5 S5 S5 S7 S7", XFR_FAILED, "-S" },
    { "1995 4: a step beyond the end", XFR_IXFR, OLD, "S7 S5 S8 S8 S7 S7", XFR_FAILED, "-S" },
    { "1995 4: the last step leads to another SOA", XFR_IXFR, OLD, "S7 S5 T7 S7", XFR_FAILED,
      "-S" },
    { "1995 4: the last SOA is another", XFR_IXFR, OLD, "S7 S5 S7 T7", XFR_FAILED, "-S+S" },
    { "1995 4: behind the end", XFR_IXFR, OLD, "S7 S5 S7 S7 a", XFR_FAILED, "-S+S" },
    { "1995 4: NOTIMP", XFR_IXFR, OLD, "!4", XFR_WANT_AXFR, "" },
    { "1995 4: REFUSED", XFR_IXFR, OLD, "!5", XFR_WANT_AXFR, "" },
    { "6891 7: FORMERR, with an OPT", XFR_IXFR, OLD, "!1", XFR_NO_EDNS, "" },
    { "1995 4: FORMERR without", XFR_IXFR, OLD, "!1", XFR_WANT_AXFR, "", false, true },
    { "NOTAUTH", XFR_IXFR, OLD, "!9", XFR_FAILED, "" },
    { "1995 2: UDP: the SOA alone, newer", XFR_IXFR, OLD, "S7", XFR_WANT_TCP, "", true },
    { "1995 2: UDP: truncated", XFR_IXFR, OLD, "t S7 S5", XFR_WANT_TCP, "", true },
    { "1995 2: UDP: not whole", XFR_IXFR, OLD, "S7 S5 a", XFR_WANT_TCP, "-S-a", true },
    { "1995 2: UDP: whole", XFR_IXFR, OLD, "S7 S5 S7 S7", XFR_DONE, "-S+S", true },
    { "5452 9: UDP: somebody else's answer", XFR_IXFR, OLD, "i S5|S7 S5 S7 S7", XFR_DONE, "-S+S",
      true },
    { "1034 4.3.5: a newer SOA", XFR_SOA, OLD, "S7", XFR_NEWER, NULL },
    { "1034 4.3.5: the same", XFR_SOA, OLD, "S5 E", XFR_UP_TO_DATE, NULL },
    { "1034 4.3.5: older", XFR_SOA, OLD, "S4", XFR_BEHIND, NULL },
    { "1982: over the edge", XFR_SOA, true, 0xfffffff0u, "S7", XFR_NEWER, NULL },
    { "1982: 2^31 apart: not newer", XFR_SOA, true, 0x80000007u, "S7", XFR_BEHIND, NULL },
    { "1034 4.3.5: nothing is had", XFR_SOA, NOTHING, "S7", XFR_NEWER, NULL },
    { "not authoritative", XFR_SOA, OLD, "u S7", XFR_FAILED, NULL },
    { "of another name", XFR_SOA, OLD, "s7", XFR_FAILED, NULL },
    { "two of them", XFR_SOA, OLD, "S7 S8", XFR_FAILED, NULL },
    { "without any", XFR_SOA, OLD, "a", XFR_FAILED, NULL },
    { "truncated", XFR_SOA, OLD, "t", XFR_WANT_TCP, NULL, true },
    { "NXDOMAIN", XFR_SOA, OLD, "!3", XFR_FAILED, NULL },
    { "1996 4.7: heard", XFR_NOTIFY, NOTHING, "N", XFR_DONE, NULL },
    { "1996: refused", XFR_NOTIFY, NOTHING, "N !5", XFR_FAILED, NULL },
    { "1996: an answer of another opcode", XFR_NOTIFY, NOTHING, "", XFR_FAILED, NULL },
};

struct letters {
    char text[64];
    bool changes, refuse;
};

static bool letters_count(void *arg, const struct zone_change *c)
{
    (void)c;
    return !((struct letters *)arg)->refuse;
}

static bool letters_begin(void *arg, bool changes, uint32_t serial)
{
    (void)serial;
    ((struct letters *)arg)->changes = changes;
    return true;
}

static bool letters_record(void *arg, const struct zone_change *c)
{
    struct letters *l = arg;
    size_t at = strlen(l->text);
    if (l->changes)
        l->text[at++] = c->add ? '+' : '-';
    l->text[at] = c->type == DNS_TYPE_SOA ? 'S' : c->type == DNS_TYPE_MX ? 'm' : 'a';
    if (c->type == DNS_TYPE_MX)
        assert_true(c->len == 11 && memcmp(c->rdata + 2, "\7eXample", 9) == 0);
    return true;
}

static void test_primaries(void **state)
{
    (void)state;
    static const uint16_t qtypes[] = { DNS_TYPE_SOA, DNS_TYPE_IXFR, DNS_TYPE_AXFR, DNS_TYPE_SOA };
    struct dns_name origin;
    assert_true(dns_name_from_text(&origin, "Example."));
    for (size_t i = 0; i < BASE_COUNT(primaries); i++) {
        struct letters row = { 0 };
        struct xfr_in x = { .type = primaries[i].type,
                            .id = 77,
                            .origin = &origin,
                            .have_serial = primaries[i].have,
                            .serial = primaries[i].serial,
                            .udp = primaries[i].udp,
                            .edns = !primaries[i].no_edns,
                            .begin = letters_begin,
                            .record = letters_record,
                            .arg = &row };
        uint8_t msg[4096];
        size_t len;
        enum xfr_got got = XFR_MORE;
        xfr_in_begin(&x);
        for (const char *t = primaries[i].messages; t != NULL;) {
            t = put_message(t, qtypes[x.type], msg, &len);
            got = xfr_in_message(&x, msg, len, now);
        }
        if (got != primaries[i].got)
            fail_msg("%s: %d, not %d (%s)", primaries[i].what, got, primaries[i].got, x.why);
        if (primaries[i].row != NULL && strcmp(row.text, primaries[i].row) != 0)
            fail_msg("%s: %s, not %s", primaries[i].what, row.text, primaries[i].row);
        if (strchr(primaries[i].messages, 'E') != NULL)
            assert_true(x.has_expire && x.expire_s == 100);
    }
}

/* Limits of the caller, and records that it does not take. */
static void test_limits(void **state)
{
    (void)state;
    struct dns_name origin;
    assert_true(dns_name_from_text(&origin, "Example."));
    for (int i = 0; i < 3; i++) {
        struct letters row = { .refuse = i == 2 };
        struct xfr_in x = { .type = XFR_AXFR,
                            .id = 77,
                            .origin = &origin,
                            .begin = letters_begin,
                            .record = letters_count,
                            .arg = &row,
                            .records_max = i == 0 ? 50 : 0,
                            .bytes_max = i == 1 ? 5000 : 0 };
        uint8_t msg[4096];
        size_t len;
        unsigned messages = 0;
        enum xfr_got got;
        xfr_in_begin(&x);
        (void)put_message("S7", DNS_TYPE_AXFR, msg, &len);
        while ((got = xfr_in_message(&x, msg, len, now)) == XFR_MORE) {
            (void)put_message("a a a", DNS_TYPE_AXFR, msg, &len);
            assert_in_range(++messages, 1, 1000);
        }
        assert_int_equal(got, XFR_FAILED);
        assert_true(x.why[0] != '\0' && x.bytes < 6000);
        assert_true(i != 0 || x.records == 51);
    }
}

/* A signature that is missing, wrong, or not there at the end (RFC 8945 section 5.3). */
static void test_signed(void **state)
{
    (void)state;
    static const struct {
        const char *what, *messages; /* as above; the digits: 1 signed, 0 not, 2 wrongly */
        const char *how;
        enum xfr_got got;
    } cases[] = {
        { "all", "S7|a|S7", "111", XFR_DONE },
        { "first and last", "S7|a|S7", "101", XFR_DONE },
        { "not the first", "S7|a|S7", "011", XFR_FAILED },
        { "not the last", "S7|a|S7", "110", XFR_FAILED },
        { "wrong in the middle", "S7|a|S7", "121", XFR_FAILED },
        { "wrong at the end", "S7|a|S7", "112", XFR_FAILED },
        { "an unsigned refusal", "!9", "0", XFR_FAILED },
    };
    struct dns_name origin;
    struct tsig_key k;
    assert_null(tsig_key_parse(&k, "k.", "hmac-sha256", "c2VjcmV0"));
    assert_true(dns_name_from_text(&origin, "Example."));
    for (size_t i = 0; i < BASE_COUNT(cases); i++) {
        struct letters row = { 0 };
        struct xfr_in x = { .type = XFR_AXFR,
                            .id = 77,
                            .origin = &origin,
                            .begin = letters_begin,
                            .record = letters_record,
                            .arg = &row };
        uint8_t msg[4096];
        struct xfr_ask a = { .type = XFR_AXFR, .id = 77, .origin = &origin };
        size_t len = xfr_ask_write(&a, msg, sizeof msg), body;
        tsig_begin(&x.tsig, &k);
        (void)tsig_sign(&x.tsig, msg, len, sizeof msg, now);
        struct tsig server = x.tsig;
        const char *how = cases[i].how;
        enum xfr_got got = XFR_MORE;
        xfr_in_begin(&x);
        for (const char *t = cases[i].messages; t != NULL; how++) {
            t = put_message(t, DNS_TYPE_AXFR, msg, &len);
            if (*how == '0')
                (void)tsig_verify_response(&server, msg, len, now, &body);
            else
                len = tsig_sign(&server, msg, len, sizeof msg, now);
            msg[len - 10] ^= *how == '2'; /* in the MAC */
            got = xfr_in_message(&x, msg, len, now);
            if (got == XFR_FAILED)
                break;
        }
        if (got != cases[i].got)
            fail_msg("%s: %d (%s)", cases[i].what, got, x.why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_primaries),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_signed),
    };
    return cmocka_run_group_tests_name("transfer_in", tests, NULL, NULL);
}
