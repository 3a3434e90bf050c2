/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What one side writes the other reads back: AXFR, IXFR, signed and not, in messages of all kinds; and
 * what a hostile or broken primary can send (RFC 1995, RFC 5936, RFC 7314, RFC 8945). */
#include "zone_help.h"

#include "base/wr.h"
#include "transfer/xfr.h"

static const wall_t now = { 1700000000, 0 };

/* A row of records as text, one a line. */
struct row {
    char *text;
    size_t len, cap;
    bool began, changes;
    uint32_t count, refuse_at;
};

static void row_add(struct row *r, const struct zone_change *c, bool sign)
{
    char name[DNS_TEXT_MAX];
    size_t need = r->len + DNS_TEXT_MAX + 2u * c->len + 64;
    if (need > r->cap) {
        r->cap = need * 2;
        r->text = realloc(r->text, r->cap);
    }
    r->len += (size_t)snprintf(r->text + r->len, r->cap - r->len, "%s%s %u %u ",
                               sign ? c->add ? "+" : "-" : "", dns_name_text(c->owner, name),
                               c->type, c->add || !sign ? c->ttl_s : 0);
    for (unsigned i = 0; i < c->len; i++)
        r->len += (size_t)snprintf(r->text + r->len, r->cap - r->len, "%02x", c->rdata[i]);
    r->text[r->len++] = '\n';
    r->text[r->len] = '\0';
}

static bool row_begin(void *arg, bool changes, uint32_t serial)
{
    struct row *r = arg;
    (void)serial;
    r->began = true;
    r->changes = changes;
    return true;
}

static bool row_record(void *arg, const struct zone_change *c)
{
    struct row *r = arg;
    assert_true(r->began);
    if (++r->count == r->refuse_at)
        return false;
    row_add(r, c, r->changes);
    return true;
}

/* ---- a zone with everything in it, or any number of names ---- */

#define APEX                                                                                       \
    "$ORIGIN Example.\n$TTL 60\n@ SOA ns host 5 7200 3600 1209600 300\n@ NS ns\n@ NS ns.Other.\n"  \
    "@ RRSIG SOA 13 1 60 20300101000000 20200101000000 1 example. AAAA\n"

static const char everything[] =
    APEX "ns A 192.0.2.1\n*.w TXT \"x\"\nsub NS ns.sub\nns.sub A 192.0.2.2\n"
         "deep.below.sub TXT \"occluded\"\na.b.c.d MX 10 mail.b.c.d\n"
         "srv SRV 1 2 3 ns\nMiXeD CNAME ns.EXAMPLE.\nd DNAME sub\nptr PTR a.b.c.d\n"
         "lonely RRSIG A 13 2 60 20300101000000 20200101000000 1 example. AAAA\n"
         "rp RP ns host\nunknown TYPE65280 \\# 3 010203\nhttps HTTPS 1 . alpn=h2\n";

static char *many_names(unsigned names)
{
    const size_t cap = 400 + (size_t)names * 120;
    char *text = malloc(cap);
    size_t at = (size_t)snprintf(text, cap, APEX "@ NSEC3PARAM 1 0 0 -\n");
    for (unsigned i = 0; i < names; i++)
        at += (size_t)snprintf(text + at, cap - at,
                               "n%u NS ns%u.provider%u.net.\nn%u NS ns.n%u\nns.n%u A 192.0.2.9\n",
                               i, i % 7, i % 90, i, i, i);
    for (unsigned i = 0; i < names / 4; i++)
        at += (size_t)snprintf(text + at, cap - at,
                               "%08x%024x NSEC3 1 0 0 - 00000000000000000000000000000000 NS\n",
                               i * 0x1000000u, 0);
    return text;
}

/* Every record of the zone, the SOA first, by the room's own walk. */
static void row_of_zone(struct row *r, const struct zone *z)
{
    struct zone_walk w;
    struct dns_name owner;
    zone_walk_begin(&w, z);
    for (int soa = 1; soa >= 0; soa--) {
        const struct zone_node *n = soa ? zone_apex(z) : zone_walk_next(&w);
        for (; n != NULL; n = soa ? NULL : zone_walk_next(&w)) {
            struct zone_rrset set;
            uint32_t pos = 0;
            zone_node_name(z, n, &owner);
            while (zone_node_next(z, n, &pos, &set))
                for (int sigs = 0; sigs < 2; sigs++) {
                    const bool is_soa = set.type == DNS_TYPE_SOA && !sigs;
                    struct rd items =
                        sigs ? rd_init(set.sigs, set.sigs_len) : rd_init(set.rdata, set.rdata_len);
                    while (is_soa == (soa != 0) && rd_left(&items) > 0) {
                        uint16_t len = rd_u16(&items);
                        struct zone_change c = { .owner = &owner,
                                                 .type = sigs ? DNS_TYPE_RRSIG : set.type,
                                                 .ttl_s = sigs ? set.sig_ttl_s : set.ttl_s,
                                                 .len = len,
                                                 .rdata = rd_bytes(&items, len),
                                                 .add = true };
                        row_add(r, &c, false);
                    }
                }
        }
    }
}

static void key_of(struct tsig_key *k, const char *algorithm)
{
    assert_null(tsig_key_parse(k, "Key.Example.", algorithm, "c2VjcmV0IHNlY3JldA=="));
}

static const struct tsig_key *find_key(void *arg, const struct dns_name *name)
{
    struct tsig_key *k = arg;
    return dns_name_equal(&k->name, name) ? k : NULL;
}

/* A request from one side to the other: both exchanges are ready for the response. */
static void ask(const struct dns_name *origin, enum xfr_type type, struct tsig_key *key,
                struct xfr_in *in, struct xfr_out *out, uint16_t padding)
{
    uint8_t msg[2048];
    tsig_begin(&in->tsig, key);
    struct xfr_ask a = { .type = type,
                         .id = 77,
                         .origin = origin,
                         .serial = in->serial,
                         .edns = true,
                         .padding = padding ? 128 : 0,
                         .tsig = &in->tsig };
    size_t len = xfr_ask_write(&a, msg, sizeof msg), body;
    assert_true(len > 0);
    len = tsig_sign(&in->tsig, msg, len, sizeof msg, now);
    if (padding)
        assert_int_equal(len % 128, 0);
    enum tsig_status s = tsig_verify_request(&out->tsig, msg, len, find_key, key, now, &body);
    assert_int_equal(s, key != NULL ? TSIG_OK : TSIG_ABSENT);
    struct xfr_request r;
    uint16_t rcode;
    assert_true(xfr_request_parse(&r, msg, body, &rcode));
    assert_int_equal(rcode, 0);
    assert_int_equal(r.type, type);
    assert_true(r.edns && r.expire_asked && r.padding_asked == (padding != 0));
    assert_true(dns_name_equal(&r.origin, origin));
    if (type == XFR_IXFR)
        assert_true(r.has_serial && r.serial == in->serial);
    in->type = type;
    in->id = 77;
    in->edns = true;
    in->origin = origin;
    in->begin = row_begin;
    in->record = row_record;
    out->id = r.id;
    out->flags = r.flags;
    out->qtype = r.qtype;
    out->edns = out->expire_asked = true;
    out->expire_s = 4711;
    out->origin = origin;
    out->padding = padding;
    xfr_in_begin(in);
    xfr_out_begin(out);
}

/* All messages from `out` to `in`. */
static enum xfr_got run(struct xfr_out *out, struct xfr_in *in)
{
    static uint8_t msg[XFR_MESSAGE_CAP];
    enum xfr_got got = XFR_MORE;
    size_t len;
    while ((len = xfr_out_message(out, msg, sizeof msg, now)) != 0) {
        assert_int_equal(got, XFR_MORE);
        if (out->padding != 0 && len < 60000)
            assert_int_equal(len % out->padding, 0);
        if (out->udp_max != 0)
            assert_in_range(len, 12, out->udp_max);
        got = xfr_in_message(in, msg, len, now);
        if (got == XFR_FAILED)
            print_error("why: %s\n", in->why);
    }
    return got;
}

static void axfr_is(const char *text, struct tsig_key *key, uint16_t padding)
{
    struct zone_set *set = zone_help_set("example.", text);
    const struct zone *z = zone_set_at(set, 0);
    struct dns_name origin;
    zone_origin(z, &origin);
    struct row want = { 0 }, got = { 0 };
    struct xfr_in in = { .arg = &got };
    struct xfr_out out = { .type = XFR_AXFR, .zone = z };
    ask(&origin, XFR_AXFR, key, &in, &out, padding);
    assert_int_equal(run(&out, &in), XFR_DONE);
    assert_false(out.failed || got.changes);
    row_of_zone(&want, z);
    assert_string_equal(want.text, got.text);
    assert_int_equal(in.records, out.records);
    assert_int_equal(in.records, zone_record_count(z) + 1);
    assert_true(in.has_expire);
    assert_int_equal(in.expire_s, 4711);
    assert_int_equal(in.new_serial, 5);
    free(want.text);
    free(got.text);
    zone_set_free(set);
}

static void test_axfr(void **state)
{
    (void)state;
    static const char *const algorithms[] = { NULL, "hmac-sha256", "hmac-sha384.", "HMAC-SHA512" };
    char *many = many_names(3000);
    for (size_t i = 0; i < BASE_COUNT(algorithms); i++) {
        struct tsig_key k;
        if (algorithms[i] != NULL)
            key_of(&k, algorithms[i]);
        for (uint16_t padding = 0; padding <= 468; padding += 468) {
            axfr_is(everything, algorithms[i] ? &k : NULL, padding);
            axfr_is(many, algorithms[i] ? &k : NULL, padding);
        }
    }
    free(many);
}

/* ---- changes ---- */

struct step {
    const char *owner;
    uint16_t type;
    bool add;
    uint32_t serial; /* of an SOA; else the TXT's or A's number */
};

struct history {
    const struct step *steps;
    size_t count, at;
    struct dns_name owner;
    uint8_t rdata[64];
};

static bool history_next(void *arg, struct zone_change *out, uint32_t *step)
{
    struct history *h = arg;
    if (h->at == h->count)
        return false;
    const struct step *s = &h->steps[h->at++];
    struct wr w = wr_init(h->rdata, sizeof h->rdata);
    assert_true(dns_name_from_text(&h->owner, s->owner));
    if (s->type == DNS_TYPE_SOA) {
        wr_bytes(&w, "\2ns\7Example\0\4host\7Example", 26);
        wr_u32(&w, s->serial);
        wr_u32(&w, 7200);
        wr_u32(&w, 3600);
        wr_u32(&w, 1209600);
        wr_u32(&w, 300);
    } else {
        wr_u32(&w, s->serial);
    }
    *out = (struct zone_change){ .owner = &h->owner,
                                 .type = s->type,
                                 .ttl_s = 60,
                                 .add = s->add,
                                 .rdata = h->rdata,
                                 .len = (uint16_t)wr_len(&w) };
    *step = 0;
    return true;
}

#define SOA_FROM(n)                                                                                \
    {                                                                                              \
        "example.", DNS_TYPE_SOA, false, n                                                         \
    }
#define SOA_TO(n)                                                                                  \
    {                                                                                              \
        "example.", DNS_TYPE_SOA, true, n                                                          \
    }
static const struct step one_step[] = {
    SOA_FROM(3), { "a.example.", 1, false, 1 }, SOA_TO(5), { "a.example.", 1, true, 2 }
};
static const struct step two_steps[] = { SOA_FROM(3), { "a.example.", 1, false, 1 },
                                         SOA_TO(4),   { "b.example.", 1, true, 2 },
                                         SOA_FROM(4), SOA_TO(5) };
static const struct step gap[] = { SOA_FROM(3), SOA_TO(4), SOA_FROM(6), SOA_TO(5) };
static const struct step elsewhere[] = { SOA_FROM(3), SOA_TO(4) };
static const struct step no_soa[] = { { "a.example.", 1, false, 1 } };

static void test_ixfr(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        const struct step *steps;
        size_t count;
        bool fails;
    } cases[] = {
        { "one step", one_step, BASE_COUNT(one_step), false },
        { "two steps", two_steps, BASE_COUNT(two_steps), false },
        { "a step that begins elsewhere", gap, BASE_COUNT(gap), true },
        { "changes that end elsewhere", elsewhere, BASE_COUNT(elsewhere), true },
        { "changes without SOA", no_soa, BASE_COUNT(no_soa), true },
        { "no changes at all", no_soa, 0, true },
    };
    struct zone_set *set = zone_help_set("example.", everything);
    struct dns_name origin;
    struct tsig_key k;
    key_of(&k, "hmac-sha256");
    zone_origin(zone_set_at(set, 0), &origin);
    for (size_t i = 0; i < BASE_COUNT(cases); i++)
        for (uint16_t udp = 0; udp <= 1200; udp += 600) {
            struct history h = { cases[i].steps, cases[i].count, 0 }, again = h;
            struct row want = { .changes = true }, got = { 0 };
            struct xfr_in in = { .arg = &got, .have_serial = true, .serial = 3, .udp = udp != 0 };
            struct xfr_out out = { .type = XFR_IXFR,
                                   .zone = zone_set_at(set, 0),
                                   .udp_max = udp,
                                   .next = history_next,
                                   .arg = &h };
            ask(&origin, XFR_IXFR, &k, &in, &out, 0);
            enum xfr_got r = run(&out, &in);
            assert_int_equal(out.failed, cases[i].fails);
            if (!cases[i].fails) {
                struct zone_change c;
                uint32_t step;
                assert_int_equal(r, XFR_DONE);
                assert_true(got.changes);
                while (history_next(&again, &c, &step))
                    row_add(&want, &c, true);
                assert_string_equal(want.text, got.text);
            }
            free(want.text);
            free(got.text);
        }
    zone_set_free(set);
}

/* RFC 1995 section 2: what does not fit a datagram is the SOA alone; section 4: up to date is, too. */
static void test_ixfr_small(void **state)
{
    (void)state;
    enum { STEPS = 100 };
    struct step steps[STEPS + 2] = { SOA_FROM(3) };
    for (int i = 1; i <= STEPS; i++)
        steps[i] = (struct step){ "some.long.name.example.", 1, false, (uint32_t)i };
    steps[STEPS + 1] = (struct step)SOA_TO(5);
    struct zone_set *set = zone_help_set("example.", everything);
    struct dns_name origin;
    zone_origin(zone_set_at(set, 0), &origin);
    struct history h = { steps, STEPS + 2, 0 };
    struct row got = { 0 };
    struct xfr_in in = { .arg = &got, .have_serial = true, .serial = 3, .udp = true };
    struct xfr_out out = { .type = XFR_IXFR,
                           .zone = zone_set_at(set, 0),
                           .udp_max = 512,
                           .next = history_next,
                           .arg = &h };
    ask(&origin, XFR_IXFR, NULL, &in, &out, 0);
    assert_int_equal(run(&out, &in), XFR_WANT_TCP);
    assert_int_equal(out.records, 1);
    static const struct {
        uint32_t had;
        enum xfr_got got;
    } had[] = { { 5, XFR_UP_TO_DATE },
                { 6, XFR_BEHIND },
                { 4, XFR_MORE },
                { 0x80000004u, XFR_BEHIND /* 2^31 + 1 newer than 5 is older: RFC 1982 */ },
                { 0x80000005u, XFR_BEHIND },
                { 0x80000006u, XFR_MORE } };
    for (size_t i = 0; i < BASE_COUNT(had); i++) {
        in = (struct xfr_in){ .arg = &got, .have_serial = true, .serial = had[i].had };
        out = (struct xfr_out){ .type = XFR_SOA, .zone = zone_set_at(set, 0) };
        ask(&origin, XFR_IXFR, NULL, &in, &out, 0);
        assert_int_equal(run(&out, &in), had[i].got);
    }
    free(got.text);
    zone_set_free(set);
}

/* ---- requests ---- */

static void test_requests(void **state)
{
    (void)state;
    /* Behind the header: question, then sections. */
#define Q(type, rclass) "\7example\0\0" type "\0" rclass
#define SOA_RR "\xc0\x0c\0\6\0\1\0\0\0\0\0\x16\0\0\0\0\0\7\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define OPT_RR(version) "\0\0\x29\1\0\0" version "\0\0\0\4\0\11\0\0"
#define BYTES(s) s, sizeof(s) - 1
    static const struct {
        const char *what;
        uint16_t flags, count[4];
        const char *body;
        size_t len;
        bool is, has_serial;
        enum xfr_type type;
        uint16_t rcode;
    } cases[] = {
        { "5936 2.1: AXFR", 0, { 1 }, BYTES(Q("\xfc", "\1")), true, false, XFR_AXFR, 0 },
        { "5936 2.1: with an OPT",
          0,
          { 1, 0, 0, 1 },
          BYTES(Q("\xfc", "\1") OPT_RR("\0")),
          true,
          false,
          XFR_AXFR,
          0 },
        { "6891 6.1.3: of a version to come",
          0,
          { 1, 0, 0, 1 },
          BYTES(Q("\xfc", "\1") OPT_RR("\1")),
          true,
          false,
          XFR_AXFR,
          16 },
        { "6891 6.1.1: two OPTs",
          0,
          { 1, 0, 0, 2 },
          BYTES(Q("\xfc", "\1") OPT_RR("\0") OPT_RR("\0")),
          true,
          false,
          XFR_AXFR,
          1 },
        { "bytes behind it", 0, { 1 }, BYTES(Q("\xfc", "\1") "x"), true, false, XFR_AXFR, 1 },
        { "another class is an ordinary query", 0, { 1 }, BYTES(Q("\xfc", "\3")), false },
        { "an ordinary query", 0, { 1 }, BYTES(Q("\6", "\1")), false },
        { "a response", 0x8000, { 1 }, BYTES(Q("\xfc", "\1")), false },
        { "another opcode", 0x2800, { 1 }, BYTES(Q("\xfc", "\1")), false },
        { "9619: two questions", 0, { 2 }, BYTES(Q("\xfc", "\1") Q("\xfc", "\1")), false },
        { "1995 3: IXFR", 0, { 1, 0, 1 }, BYTES(Q("\xfb", "\1") SOA_RR), true, true, XFR_IXFR, 0 },
        { "1995 3: without SOA", 0, { 1 }, BYTES(Q("\xfb", "\1")), true, false, XFR_IXFR, 1 },
        { "1995 3: the SOA elsewhere",
          0,
          { 1, 1 },
          BYTES(Q("\xfb", "\1") SOA_RR),
          true,
          false,
          XFR_IXFR,
          1 },
        { "1995 3: a broken SOA",
          0,
          { 1, 0, 1 },
          BYTES(Q("\xfb", "\1") "\xc0\x0c\0\6\0\1\0\0\0\0\0\1\0"),
          true,
          false,
          XFR_IXFR,
          1 },
        { "1996 3.7: NOTIFY", 0x2400, { 1 }, BYTES(Q("\6", "\1")), true, false, XFR_NOTIFY, 0 },
        { "1996 3.7: with the SOA",
          0x2400,
          { 1, 1 },
          BYTES(Q("\6", "\1") SOA_RR),
          true,
          true,
          XFR_NOTIFY,
          0 },
        { "1996 3.7: of another type",
          0x2400,
          { 1 },
          BYTES(Q("\1", "\1")),
          true,
          false,
          XFR_NOTIFY,
          4 },
        { "1996: of another class",
          0x2400,
          { 1 },
          BYTES(Q("\6", "\3")),
          true,
          false,
          XFR_NOTIFY,
          1 },
        { "1996: two questions",
          0x2400,
          { 2 },
          BYTES(Q("\6", "\1") Q("\6", "\1")),
          true,
          false,
          XFR_NOTIFY,
          1 },
        { "1996: no question", 0x2400, { 0 }, BYTES(""), true, false, XFR_NOTIFY, 1 },
        { "1996: the answer to one", 0xa400, { 1 }, BYTES(Q("\6", "\1")), false },
    };
    for (size_t i = 0; i < BASE_COUNT(cases); i++) {
        uint8_t msg[256], out[DNS_UDP_PLAIN_MAX];
        struct wr w = wr_init(msg, sizeof msg);
        struct xfr_request r;
        uint16_t rcode;
        wr_u16(&w, 99);
        wr_u16(&w, cases[i].flags);
        for (int k = 0; k < 4; k++)
            wr_u16(&w, cases[i].count[k]);
        wr_bytes(&w, cases[i].body, cases[i].len);
        bool is = xfr_request_parse(&r, msg, wr_len(&w), &rcode);
        if (is != cases[i].is || (is && (rcode != cases[i].rcode || r.type != cases[i].type ||
                                         r.has_serial != cases[i].has_serial)))
            fail_msg("%s: %d rcode %u", cases[i].what, is, rcode);
        if (is && r.has_serial)
            assert_int_equal(r.serial, 7 << 16 >> 16);
        for (size_t cut = 0; cases[i].rcode == 0 && cut < wr_len(&w); cut++)
            if (xfr_request_parse(&r, msg, cut, &rcode))
                assert_int_not_equal(rcode, 0);
        if (!is)
            continue;
        (void)xfr_request_parse(&r, msg, wr_len(&w), &rcode);
        size_t len = xfr_reply_write(&r, rcode, DNS_EDE_PROHIBITED, out, sizeof out);
        struct dns_reader d;
        struct dns_rr rr, opt = { 0 };
        bool has_opt = false;
        assert_true(dns_reader_open(&d, out, len));
        assert_true(d.id == 99 && (d.flags & DNS_FLAG_QR) != 0);
        while (dns_reader_next(&d, &rr) == DNS_READER_RR) {
            has_opt = true;
            opt = rr;
        }
        assert_int_equal(has_opt, r.edns);
        assert_int_equal(dns_full_rcode(d.flags, has_opt ? &opt : NULL), rcode);
        if (has_opt) {
            uint16_t ede;
            assert_non_null(dns_opt_find(&opt, DNS_EDNS_EDE, &ede));
        }
    }
}

/* RFC 1996 section 3.7, and what this side says of itself. */
static void test_notify(void **state)
{
    (void)state;
    struct dns_name origin;
    uint8_t msg[XFR_ASK_MAX + 468];
    uint16_t rcode;
    struct xfr_request r;
    assert_true(dns_name_from_text(&origin, "example."));
    uint8_t soa[22] = { [5] = 9 };
    for (int i = 0; i < 4; i++) {
        struct xfr_ask a = { .type = XFR_NOTIFY,
                             .id = 3,
                             .origin = &origin,
                             .edns = i > 1,
                             .soa = i % 2 ? soa : NULL,
                             .soa_len = 22 };
        size_t len = xfr_ask_write(&a, msg, sizeof msg);
        assert_true(xfr_request_parse(&r, msg, len, &rcode));
        assert_true(rcode == 0 && r.type == XFR_NOTIFY && r.has_serial == (i % 2 == 1) &&
                    r.edns == (i > 1) && !r.expire_asked && (r.flags & DNS_FLAG_AA) != 0);
        if (r.has_serial)
            assert_int_equal(r.serial, 9);
        for (size_t cap = 0; cap < len; cap++)
            assert_int_equal(xfr_ask_write(&a, msg, cap), 0);
    }
}

/* A client that writes the origin in another case: names keep that of the zone (RFC 5936 section 3.4). */
static void test_case(void **state)
{
    (void)state;
    struct zone_set *set = zone_help_set("example.", everything);
    struct dns_name origin;
    struct row want = { 0 }, got = { 0 };
    assert_true(dns_name_from_text(&origin, "eXaMpLe."));
    struct xfr_in in = { .arg = &got };
    struct xfr_out out = { .type = XFR_AXFR, .zone = zone_set_at(set, 0) };
    ask(&origin, XFR_AXFR, NULL, &in, &out, 0);
    assert_int_equal(run(&out, &in), XFR_DONE);
    row_of_zone(&want, zone_set_at(set, 0));
    /* But the SOA, whose owner is what the secondary calls its zone. */
    assert_string_equal(strchr(want.text, '\n'), strchr(got.text, '\n'));
    free(want.text);
    free(got.text);
    zone_set_free(set);
}

/* The largest record a message holds, and one that none does: nobody shall take that for whole. */
static void test_large(void **state)
{
    (void)state;
    for (unsigned size = 65470; size <= 65500; size += 10) {
        const size_t cap = 200000;
        char *text = malloc(cap);
        size_t at = (size_t)snprintf(text, cap, APEX "ns A 192.0.2.1\nbig TYPE65280 \\# %u ", size);
        memset(text + at, 'a', 2 * (size_t)size);
        memcpy(text + at + 2 * (size_t)size, "\n", 2);
        struct zone_set *set = zone_help_set("example.", text);
        struct dns_name origin;
        struct row got = { 0 };
        zone_origin(zone_set_at(set, 0), &origin);
        struct xfr_in in = { .arg = &got };
        struct xfr_out out = { .type = XFR_AXFR, .zone = zone_set_at(set, 0) };
        ask(&origin, XFR_AXFR, NULL, &in, &out, 0);
        enum xfr_got end = run(&out, &in);
        const bool fits = 12 + 13 + 6 + 10 + size <= 65535;
        assert_int_equal(out.failed, !fits);
        assert_int_equal(end, fits ? XFR_DONE : XFR_MORE);
        free(got.text);
        free(text);
        zone_set_free(set);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_axfr),       cmocka_unit_test(test_ixfr),
        cmocka_unit_test(test_ixfr_small), cmocka_unit_test(test_requests),
        cmocka_unit_test(test_notify),     cmocka_unit_test(test_case),
        cmocka_unit_test(test_large),
    };
    return cmocka_run_group_tests_name("transfer_xfr", tests, NULL, NULL);
}
