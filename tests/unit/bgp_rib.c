/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The tables: what goes out is the difference and nothing more; what is kept is bounded. */
#include "bgp_help.h"

#include "base/mem.h"
#include "bgp/rib.h"

#define NOW ((mono_t){ 1000000000 })

/* ---- Adj-RIB-Out against a model of the neighbor --------------------------------------------------- */

#define MODEL_MAX 64
struct model {
    struct bgp_prefix prefix[MODEL_MAX];
    uint32_t med[MODEL_MAX];
    uint8_t path_len[MODEL_MAX];
    unsigned count;
    /* of the last bytes that it read */
    unsigned announced, withdrawn, updates, eor, borr, eorr;
    bool withdrawn_after_announced;
};

static int model_at(const struct model *m, const struct bgp_prefix *p)
{
    for (unsigned i = 0; i < m->count; i++) {
        if (bgp_prefix_eq(&m->prefix[i], p))
            return (int)i;
    }
    return -1;
}

static void model_list(struct model *m, struct rd list, uint8_t family, const struct bgp_update *u,
                       bool gone)
{
    struct bgp_prefix p;
    while (bgp_nlri_next(&list, (enum bgp_family)family, &p)) {
        int at = model_at(m, &p);
        if (gone) {
            m->withdrawn++;
            m->withdrawn_after_announced |= m->announced > 0;
            assert_true(at >= 0); /* never a withdrawal of what is not there */
            m->count--;
            m->prefix[at] = m->prefix[m->count];
            m->med[at] = m->med[m->count];
            m->path_len[at] = m->path_len[m->count];
            continue;
        }
        m->announced++;
        if (at < 0)
            at = (int)m->count++;
        assert_true(at < MODEL_MAX);
        m->prefix[at] = p;
        m->med[at] = u->attrs.has_med ? u->attrs.med : 0;
        m->path_len[at] = (uint8_t)u->attrs.path.len;
    }
}

static void model_read(struct model *m, const uint8_t *bytes, size_t have)
{
    while (have > 0) {
        size_t len;
        struct bgp_error e;
        assert_int_equal(bgp_msg_frame(bytes, have, BGP_MSG_MAX, &len, &e), BGP_FRAME_WHOLE);
        if (bytes[18] == BGP_UPDATE) {
            struct bgp_update_context ctx = { .as4 = true,
                                              .families = BGP_FAMILY_ALL,
                                              .local_as = 1 };
            struct bgp_update u;
            assert_int_equal(bgp_update_parse(rd_init(bytes + 19, len - 19), &ctx, &u),
                             BGP_GRADE_NONE);
            m->updates += !u.end_of_rib;
            m->eor += u.end_of_rib;
            model_list(m, u.withdrawn, BGP_IPV4, &u, true);
            model_list(m, u.mp_withdrawn, u.mp_withdrawn_family, &u, true);
            model_list(m, u.nlri, BGP_IPV4, &u, false);
            model_list(m, u.mp_nlri, u.mp_nlri_family, &u, false);
        } else {
            assert_int_equal(bytes[18], BGP_ROUTE_REFRESH);
            m->borr += bytes[21] == BGP_REFRESH_BEGIN;
            m->eorr += bytes[21] == BGP_REFRESH_END;
        }
        bytes += len;
        have -= len;
    }
}

static void model_begin(struct model *m)
{
    m->announced = m->withdrawn = m->updates = m->eor = m->borr = m->eorr = 0;
    m->withdrawn_after_announced = false;
}

static struct bgp_out_context context(void)
{
    struct bgp_out_context c = { .as4 = true,
                                 .local_as = 64512,
                                 .families = BGP_FAMILY_ALL,
                                 .has_next_hop = { true, true },
                                 .len_max = BGP_MSG_MAX };
    bgp_addr_parse("10.0.0.1", &c.next_hop[BGP_IPV4]);
    bgp_addr_parse("2001:db8::1", &c.next_hop[BGP_IPV6]);
    return c;
}

struct bench {
    struct bgp_rib_out rib;
    struct bgp_rib_out_row rows[2 * MODEL_MAX];
    struct bgp_out_context ctx;
    struct model model;
    uint8_t buf[65536];
};

static void bench_init(struct bench *b)
{
    memset(b, 0, sizeof *b);
    bgp_rib_out_init(&b->rib, b->rows, 2 * MODEL_MAX);
    b->ctx = context();
}

static const struct bgp_gone GONE = { .text = "gone" };

static bool drain(struct bench *b, size_t cap)
{
    struct wr w = wr_init(b->buf, cap);
    bool done = bgp_rib_out_write(&b->rib, &w, &b->ctx, false, NOW, NULL, NULL);
    assert_false(w.full);
    model_read(&b->model, b->buf, wr_len(&w));
    return done;
}

static struct bgp_prefix numbered(unsigned i)
{
    struct bgp_prefix p = { .family = i % 3 == 0 ? BGP_IPV6 : BGP_IPV4 };
    p.len = p.family == BGP_IPV4 ? 24 : 48;
    p.addr[0] = p.family == BGP_IPV4 ? 10 : 0x20;
    p.addr[2] = (uint8_t)i;
    return p;
}

static int want_cmp(const void *a, const void *b)
{
    const struct bgp_rib_want *x = a, *y = b;
    return bgp_prefix_cmp(&x->prefix, &y->prefix);
}

static void up(struct bench *b)
{
    bgp_rib_out_up(&b->rib, BGP_FAMILY_ALL, 0);
}

/* The neighbor holds exactly the set. */
static void agrees(const struct bench *b, const struct bgp_rib_want *set, unsigned count)
{
    assert_int_equal(b->model.count, count);
    assert_int_equal(b->rib.told, count);
    assert_int_equal(bgp_rib_out_due(&b->rib), 0);
    for (unsigned i = 0; i < count; i++) {
        int at = model_at(&b->model, &set[i].prefix);
        assert_true(at >= 0);
        assert_int_equal(b->model.med[at], set[i].attrs->has_med ? set[i].attrs->med : 0);
        assert_int_equal(b->model.path_len[at], 1 + set[i].attrs->prepend);
    }
}

/* Random sets, sessions that come and go, refreshes, buffers of any size: the neighbor always ends up
 * with the set, and hears of each prefix once. */
static void any_set_any_buffer(void **state)
{
    (void)state;
    static struct bench b;
    static const struct bgp_attrs attrs[] = {
        { 0 }, { .prepend = 2 }, { .has_med = true, .med = 7 }, { .has_med = true, .med = 8 }
    };
    uint64_t seed = 0x5eed;
    struct bgp_rib_want set[MODEL_MAX], last[MODEL_MAX];
    unsigned last_count = 0;
    bench_init(&b);
    up(&b);
    for (unsigned round = 0; round < 3000; round++) {
        unsigned count = 0, changed = 0, gone = 0;
        for (unsigned i = 0; i < 40; i++) {
            uint32_t r = rng_next(&seed);
            if (r & 1)
                set[count++] = (struct bgp_rib_want){ numbered(i), &attrs[r >> 1 & 3], "test" };
        }
        qsort(set, count, sizeof set[0], want_cmp);
        for (unsigned i = 0; i < count; i++) {
            bool same = false;
            for (unsigned k = 0; k < last_count; k++)
                same |= bgp_prefix_eq(&set[i].prefix, &last[k].prefix) &&
                        bgp_attrs_eq(set[i].attrs, last[k].attrs);
            changed += !same;
        }
        for (unsigned k = 0; k < last_count; k++) {
            bool in = false;
            for (unsigned i = 0; i < count; i++)
                in |= bgp_prefix_eq(&set[i].prefix, &last[k].prefix);
            gone += !in;
        }
        model_begin(&b.model);
        assert_true(bgp_rib_out_set(&b.rib, set, count, &GONE, NOW));
        unsigned what = rng_next(&seed) % 8;
        size_t cap = 200 + rng_next(&seed) % (what == 0 ? 100 : 60000);
        for (unsigned turns = 0; !drain(&b, cap); turns++)
            assert_true(turns < 500);
        agrees(&b, set, count);
        assert_int_equal(b.model.withdrawn, gone);
        assert_int_equal(b.model.announced, changed);
        assert_false(b.model.withdrawn_after_announced);
        if (what == 1) { /* the session falls and comes back */
            bgp_rib_out_down(&b.rib, NOW);
            b.model.count = 0;
            model_begin(&b.model);
            up(&b);
            while (!drain(&b, cap))
                ;
            agrees(&b, set, count);
            assert_int_equal(b.model.announced, count);
            assert_int_equal(b.model.eor, 2); /* RFC 4724: one per family */
        } else if (what == 2) {               /* RFC 2918, 7313 */
            model_begin(&b.model);
            bgp_rib_out_refresh(&b.rib, BGP_IPV4, round & 1);
            while (!drain(&b, cap))
                ;
            agrees(&b, set, count);
            unsigned v4 = 0;
            for (unsigned i = 0; i < count; i++)
                v4 += set[i].prefix.family == BGP_IPV4;
            assert_int_equal(b.model.announced, v4);
            assert_int_equal(b.model.borr, round & 1);
            assert_int_equal(b.model.eorr, round & 1);
        }
        memcpy(last, set, sizeof set);
        last_count = count;
    }
}

static void set_one(struct bench *b, const char *prefix, const struct bgp_attrs *a)
{
    struct bgp_rib_want w = { .attrs = a, .reason = "because" };
    if (prefix != NULL)
        assert_true(bgp_prefix_parse(prefix, &w.prefix));
    assert_true(bgp_rib_out_set(&b->rib, &w, prefix != NULL, &GONE, NOW));
}

static unsigned bytes_out(struct bench *b)
{
    struct wr w = wr_init(b->buf, sizeof b->buf);
    bgp_rib_out_write(&b->rib, &w, &b->ctx, false, NOW, NULL, NULL);
    return (unsigned)wr_len(&w);
}

/* A, then B, then A again before anything was sent: nothing is sent. */
static void there_and_back_says_nothing(void **state)
{
    (void)state;
    static struct bench b;
    static const struct bgp_attrs plain, med = { .has_med = true, .med = 1 };
    bench_init(&b);
    up(&b);
    set_one(&b, "192.0.2.0/24", &plain);
    assert_true(bytes_out(&b) > 0);
    set_one(&b, "192.0.2.0/24", &med);
    set_one(&b, "192.0.2.0/24", &plain);
    assert_int_equal(bytes_out(&b), 0);
    set_one(&b, NULL, &plain);
    set_one(&b, "192.0.2.0/24", &plain);
    assert_int_equal(bytes_out(&b), 0);
    assert_int_equal(b.rib.told, 1);
}

static void nothing_without_a_session(void **state)
{
    (void)state;
    static struct bench b;
    static const struct bgp_attrs plain;
    bench_init(&b);
    set_one(&b, "192.0.2.0/24", &plain);
    assert_int_equal(bytes_out(&b), 0);
    assert_int_equal(bgp_rib_out_due(&b.rib), 0);
    bgp_rib_out_up(&b.rib, BGP_FAMILY_BIT(BGP_IPV6), 0); /* IPv4 cannot be sent here */
    bytes_out(&b);
    assert_int_equal(b.rib.told, 0);
}

/* RFC 7606 section 5.1 asks for one kind of prefixes in a message; and equal attributes share one. */
static void equal_attributes_share_a_message(void **state)
{
    (void)state;
    static struct bench b;
    static const struct bgp_attrs plain;
    struct bgp_rib_want set[30];
    bench_init(&b);
    up(&b);
    for (unsigned i = 0; i < 30; i++)
        set[i] = (struct bgp_rib_want){ numbered(i), &plain, NULL };
    qsort(set, 30, sizeof set[0], want_cmp);
    assert_true(bgp_rib_out_set(&b.rib, set, 30, NULL, NOW));
    drain(&b, sizeof b.buf);
    assert_int_equal(b.model.updates, 2); /* IPv4, IPv6 */
    model_begin(&b.model);
    assert_true(bgp_rib_out_set(&b.rib, NULL, 0, NULL, NOW));
    drain(&b, sizeof b.buf);
    assert_int_equal(b.model.updates, 2);
    assert_int_equal(b.model.withdrawn, 30);
    assert_int_equal(b.rib.count, 0);
}

/* Withdrawals alone, in a pass of their own: what is to be announced waits. */
static void withdrawals_first(void **state)
{
    (void)state;
    static struct bench b;
    static const struct bgp_attrs plain;
    bench_init(&b);
    up(&b);
    set_one(&b, "192.0.2.0/24", &plain);
    drain(&b, sizeof b.buf);
    model_begin(&b.model);
    set_one(&b, "198.51.100.0/24", &plain);
    struct wr w = wr_init(b.buf, sizeof b.buf);
    assert_false(bgp_rib_out_write(&b.rib, &w, &b.ctx, true, NOW, NULL, NULL));
    model_read(&b.model, b.buf, wr_len(&w));
    assert_int_equal(b.model.withdrawn, 1);
    assert_int_equal(b.model.announced, 0);
    assert_int_equal(bgp_rib_out_due(&b.rib), 1);
    drain(&b, sizeof b.buf);
    assert_int_equal(b.model.announced, 1);
}

static void too_many_change_nothing(void **state)
{
    (void)state;
    static struct bench b;
    static const struct bgp_attrs plain;
    struct bgp_rib_want set[8];
    bench_init(&b);
    b.rib.cap = 8;
    for (unsigned i = 0; i < 8; i++)
        set[i] = (struct bgp_rib_want){ numbered(3 * i + 1), &plain, NULL };
    up(&b);
    assert_true(bgp_rib_out_set(&b.rib, set, 5, NULL, NOW));
    drain(&b, sizeof b.buf);
    struct bgp_rib_want other[8];
    for (unsigned i = 0; i < 8; i++)
        other[i] = (struct bgp_rib_want){ numbered(100 + 3 * i), &plain, NULL };
    qsort(other, 8, sizeof other[0], want_cmp);
    assert_false(bgp_rib_out_set(&b.rib, other, 4, NULL, NOW)); /* 5 to withdraw and 4 more: 9 */
    assert_int_equal(bgp_rib_out_due(&b.rib), 0);
    assert_int_equal(b.rib.told, 5);
    assert_true(bgp_rib_out_set(&b.rib, other, 3, NULL, NOW));
}

struct told {
    unsigned count;
    enum bgp_rib_change last;
    char reason[96];
};

static void on_told(void *arg, const struct bgp_rib_out_row *row, enum bgp_rib_change change)
{
    struct told *t = arg;
    t->count++;
    t->last = change;
    memcpy(t->reason, row->reason, sizeof t->reason);
}

static void changes_are_told_with_their_reason(void **state)
{
    (void)state;
    static struct bench b;
    static const struct bgp_attrs plain, med = { .has_med = true, .med = 1 };
    struct told t = { 0 };
    bench_init(&b);
    up(&b);
    const struct {
        const char *prefix;
        const struct bgp_attrs *attrs;
        enum bgp_rib_change change;
        const char *reason;
    } rows[] = { { "192.0.2.0/24", &plain, BGP_RIB_ANNOUNCED, "because" },
                 { "192.0.2.0/24", &med, BGP_RIB_CHANGED, "because" },
                 { NULL, &plain, BGP_RIB_WITHDRAWN, "gone" } };
    for (unsigned i = 0; i < BASE_COUNT(rows); i++) {
        set_one(&b, rows[i].prefix, rows[i].attrs);
        struct wr w = wr_init(b.buf, sizeof b.buf);
        bgp_rib_out_write(&b.rib, &w, &b.ctx, false, NOW, on_told, &t);
        assert_int_equal(t.count, i + 1);
        assert_int_equal(t.last, rows[i].change);
        assert_string_equal(t.reason, rows[i].reason);
    }
}

static void on_gone(void *arg, const struct bgp_rib_out_row *row, enum bgp_rib_change change)
{
    unsigned *mask = arg;
    assert_int_equal(change, BGP_RIB_WITHDRAWN);
    const bool v6 = row->prefix.family == BGP_IPV6;
    assert_string_equal(row->reason, row->prefix.len == 32 ? "neither" : v6 ? "of six" : "of four");
    *mask |= 1u << row->prefix.len / 24;
}

/* Two that go in one step for two reasons, and one that nobody gave a reason for. */
static void each_goes_for_its_own_reason(void **state)
{
    (void)state;
    static struct bench b;
    static const struct bgp_attrs plain;
    struct bgp_rib_want set[] = { { .attrs = &plain }, { .attrs = &plain }, { .attrs = &plain } };
    unsigned gone = 0;
    bench_init(&b);
    up(&b);
    assert_true(bgp_prefix_parse("192.0.2.0/24", &set[0].prefix));
    assert_true(bgp_prefix_parse("198.51.100.1/32", &set[1].prefix));
    assert_true(bgp_prefix_parse("2001:db8:53::/72", &set[2].prefix));
    assert_true(bgp_rib_out_set(&b.rib, set, 3, NULL, NOW));
    assert_true(drain(&b, sizeof b.buf));
    const struct bgp_why why[] = { { set[2].prefix, "of six" }, { set[0].prefix, "of four" } };
    const struct bgp_gone reasons = { .rows = why, .count = 2, .text = "neither" };
    assert_true(bgp_rib_out_set(&b.rib, NULL, 0, &reasons, NOW));
    struct wr w = wr_init(b.buf, sizeof b.buf);
    bgp_rib_out_write(&b.rib, &w, &b.ctx, false, NOW, on_gone, &gone);
    assert_int_equal(gone, 1u << 1 | 1u << 3);
    assert_int_equal(b.rib.count, 0);
}

/* ---- Adj-RIB-In -------------------------------------------------------------------------------- */

struct seen_log {
    unsigned came, went, changed;
};

static void on_seen(void *arg, const struct bgp_seen *old, const struct bgp_seen *now)
{
    struct seen_log *l = arg;
    l->came += old == NULL;
    l->went += now == NULL;
    l->changed += old != NULL && now != NULL;
}

struct inbox {
    struct bgp_rib_in rib;
    struct bgp_seen rows[8];
    struct bgp_prefix watch[2];
    struct seen_log log;
};

static void inbox_init(struct inbox *in)
{
    memset(in, 0, sizeof *in);
    bgp_rib_in_init(&in->rib, in->rows, 8, 64512, 3);
    assert_true(bgp_prefix_parse("192.0.2.0/24", &in->watch[0]));
    assert_true(bgp_prefix_parse("2001:db8:53::/48", &in->watch[1]));
    bgp_rib_in_watch(&in->rib, in->watch, 2, NULL, NULL);
}

/* An UPDATE that announces (with that MED) or withdraws one prefix; our own AS in its path or not. */
static void hear_graded(struct inbox *in, const char *text, bool withdraw, uint32_t med, bool own,
                        enum bgp_grade grade)
{
    uint8_t buf[BGP_MSG_MAX];
    struct bgp_out_context c = context();
    struct bgp_prefix p;
    struct bgp_attrs a = { .has_med = true, .med = med, .prepend = 1 };
    c.local_as = own ? 64512 : 65001;
    bgp_attrs_add_community(&a, 65001u << 16 | 9);
    bgp_attrs_add_large(&a, (struct bgp_large){ 4200000000u, 1, 2 });
    assert_true(bgp_prefix_parse(text, &p));
    struct wr w = wr_init(buf, sizeof buf);
    struct bgp_update_writer u;
    if (withdraw)
        bgp_update_begin_withdraw(&u, &w, &c, (enum bgp_family)p.family);
    else
        bgp_update_begin(&u, &w, &c, (enum bgp_family)p.family, &a);
    bgp_update_add(&u, &p);
    bgp_update_end(&u);
    struct bgp_update_context ctx = { .as4 = true, .families = BGP_FAMILY_ALL, .local_as = 64512 };
    struct bgp_update parsed;
    bgp_update_parse(rd_init(buf + 19, wr_len(&w) - 19), &ctx, &parsed);
    if (grade > parsed.grade)
        parsed.grade = grade;
    bgp_rib_in_apply(&in->rib, &parsed, NOW, on_seen, &in->log);
}

static void hear(struct inbox *in, const char *text, bool withdraw, uint32_t med, bool own)
{
    hear_graded(in, text, withdraw, med, own, BGP_GRADE_NONE);
}

static const struct {
    const char *prefix;
    enum bgp_relation relation;
} relations[] = {
    { "192.0.2.0/24", BGP_RELATION_EQUAL },     { "192.0.0.0/16", BGP_RELATION_COVERS },
    { "0.0.0.0/0", BGP_RELATION_COVERS },       { "192.0.2.128/25", BGP_RELATION_INSIDE },
    { "192.0.2.53/32", BGP_RELATION_INSIDE },   { "192.0.3.0/24", BGP_RELATION_NONE },
    { "192.0.2.0/23", BGP_RELATION_COVERS },    { "128.0.0.0/1", BGP_RELATION_COVERS },
    { "0.0.0.0/1", BGP_RELATION_NONE },         { "10.0.0.0/8", BGP_RELATION_NONE },
    { "2001:db8:53::/48", BGP_RELATION_EQUAL }, { "::/0", BGP_RELATION_COVERS },
    { "2001:db8::/32", BGP_RELATION_COVERS },   { "2001:db8:53:1::/64", BGP_RELATION_INSIDE },
    { "2001:db8:54::/48", BGP_RELATION_NONE },
};

static void only_what_concerns_us(void **state)
{
    (void)state;
    for (unsigned i = 0; i < BASE_COUNT(relations); i++) {
        struct inbox in;
        struct bgp_prefix p;
        inbox_init(&in);
        assert_true(bgp_prefix_parse(relations[i].prefix, &p));
        if (bgp_rib_in_relation(&in.rib, &p) != relations[i].relation)
            fail_msg("%s: relation %d", relations[i].prefix, bgp_rib_in_relation(&in.rib, &p));
        hear(&in, relations[i].prefix, false, 1, false);
        assert_int_equal(in.rib.count, relations[i].relation != BGP_RELATION_NONE);
        assert_int_equal(in.log.came, in.rib.count);
    }
}

static void seen_comes_changes_goes(void **state)
{
    (void)state;
    struct inbox in;
    inbox_init(&in);
    hear(&in, "192.0.2.0/24", false, 1, true);
    assert_int_equal(in.rib.count, 1);
    assert_true(in.rows[0].own_as); /* another site of ours */
    assert_int_equal(in.rows[0].neighbor, 3);
    assert_int_equal(in.rows[0].path.origin, 64512);
    assert_int_equal(in.rows[0].community_count, 1);
    assert_int_equal(in.rows[0].communities[0], 65001u << 16 | 9);
    assert_int_equal(in.rows[0].large_count, 1);
    assert_int_equal(in.rows[0].large[0].local2, 2);
    hear(&in, "192.0.2.0/24", false, 1, true);
    assert_int_equal(in.log.changed, 0); /* the same again is no news */
    hear(&in, "192.0.2.0/24", false, 2, true);
    hear(&in, "192.0.2.0/24", false, 2, false);
    assert_int_equal(in.log.changed, 2);
    assert_false(in.rows[0].own_as);
    hear(&in, "192.0.2.0/24", true, 0, false);
    assert_int_equal(in.log.went, 1);
    hear(&in, "192.0.2.0/24", true, 0, false);
    assert_int_equal(in.log.went, 1);
    hear(&in, "2001:db8::/32", false, 0, false);
    bgp_rib_in_clear(&in.rib, on_seen, &in.log);
    assert_int_equal(in.log.went, 2);
    assert_int_equal(in.rib.count, 0);
}

/* RFC 7606 section 2: treat-as-withdraw takes away what was there; attribute discard takes nothing. */
static void damaged_updates_withdraw(void **state)
{
    (void)state;
    static const char *const prefixes[] = { "192.0.2.0/24", "2001:db8:53::/48" };
    for (unsigned i = 0; i < BASE_COUNT(prefixes); i++) {
        struct inbox in;
        inbox_init(&in);
        hear_graded(&in, prefixes[i], false, 1, false, BGP_GRADE_WITHDRAW);
        assert_int_equal(in.rib.count, 0);
        hear_graded(&in, prefixes[i], false, 1, false, BGP_GRADE_DISCARD);
        assert_int_equal(in.rib.count, 1);
        hear_graded(&in, prefixes[i], false, 2, false, BGP_GRADE_WITHDRAW);
        assert_int_equal(in.rib.count, 0);
        assert_int_equal(in.log.went, 1);
    }
}

static void full_of_more_specifics(void **state)
{
    (void)state;
    struct inbox in;
    inbox_init(&in);
    for (unsigned i = 0; i < 20; i++) {
        char text[64];
        snprintf(text, sizeof text, "192.0.2.%u/32", i);
        hear(&in, text, false, 1, false);
    }
    assert_int_equal(in.rib.count, 8);
    assert_int_equal(in.rib.dropped_full, 12);
    hear(&in, "192.0.2.0/24", false, 1, false); /* says more than one of them */
    assert_int_equal(in.rib.count, 8);
    bool there = false;
    for (unsigned i = 0; i < in.rib.count; i++)
        there |= in.rows[i].relation == BGP_RELATION_EQUAL;
    assert_true(there);
}

/* RFC 7313 section 4: what is not sent between BoRR and EoRR is gone. */
static void refresh_sweeps(void **state)
{
    (void)state;
    struct inbox in;
    inbox_init(&in);
    hear(&in, "192.0.2.0/24", false, 1, false);
    hear(&in, "192.0.0.0/16", false, 1, false);
    hear(&in, "2001:db8::/32", false, 1, false);
    bgp_rib_in_refresh_begin(&in.rib, BGP_IPV4);
    hear(&in, "192.0.2.0/24", false, 1, false);
    bgp_rib_in_refresh_end(&in.rib, BGP_IPV4, on_seen, &in.log);
    assert_int_equal(in.rib.count, 2);
    assert_int_equal(in.log.went, 1);
    bgp_rib_in_refresh_end(&in.rib, BGP_IPV4, on_seen, &in.log); /* without a begin: nothing */
    assert_int_equal(in.rib.count, 2);
}

/* Another watch list, shorter. */
static void watch_shrinks(void **state)
{
    (void)state;
    struct inbox in;
    inbox_init(&in);
    hear(&in, "192.0.2.0/24", false, 1, false);
    hear(&in, "2001:db8::/32", false, 1, false);
    bgp_rib_in_watch(&in.rib, in.watch, 1, on_seen, &in.log);
    assert_int_equal(in.rib.count, 1);
    assert_int_equal(in.log.went, 1);
}

/* ---- counting --------------------------------------------------------------------------------- */

static bool count_one(struct bgp_rib_count *c, unsigned i, bool withdraw)
{
    uint8_t nlri[5] = { 32, 10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i };
    static const uint8_t nothing[1];
    struct rd list = rd_init(nlri, sizeof nlri), empty = rd_init(nothing, 0);
    struct bgp_update u = { .withdrawn = withdraw ? list : empty,
                            .nlri = withdraw ? empty : list,
                            .mp_nlri = empty,
                            .mp_withdrawn = empty };
    return bgp_rib_count_apply(c, &u);
}

static void prefixes_are_counted_once(void **state)
{
    (void)state;
    static uint64_t slots[2048];
    static bool there[4096];
    struct bgp_rib_count c;
    uint64_t seed = 0x5eed;
    unsigned model = 0;
    bgp_rib_count_init(&c, slots, 2048, 1000, 42);
    for (unsigned i = 0; i < 200000; i++) {
        unsigned k = rng_next(&seed) % (i % 50000 < 25000 ? 1100 : 4096);
        bool withdraw = rng_next(&seed) % 100 < (model > 990 ? 60u : 45u);
        bool ok = count_one(&c, k, withdraw);
        if (withdraw) {
            model -= there[k];
            there[k] = false;
            assert_true(ok);
        } else if (there[k] || model < 1000) {
            model += !there[k];
            there[k] = true;
            assert_true(ok);
        } else {
            assert_false(ok);
        }
        assert_int_equal(c.count, model);
    }
    uint8_t nlri[] = { 32, 10, 0, 0, 1 };
    struct rd list = rd_init(nlri, sizeof nlri), empty = rd_init(nlri, 0);
    struct bgp_update damaged = { .grade = BGP_GRADE_WITHDRAW,
                                  .nlri = list,
                                  .withdrawn = empty,
                                  .mp_nlri = empty,
                                  .mp_withdrawn = empty };
    bgp_rib_count_init(&c, slots, 2048, 1000, 42);
    assert_true(count_one(&c, 1, false));
    assert_int_equal(c.count, 1);
    assert_true(bgp_rib_count_apply(&c, &damaged));
    assert_int_equal(c.count, 0);
    bgp_rib_count_init(&c, NULL, 0, 0, 0);
    assert_true(count_one(&c, 1, false)); /* no bound: nothing is counted */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_set_any_buffer),
        cmocka_unit_test(there_and_back_says_nothing),
        cmocka_unit_test(nothing_without_a_session),
        cmocka_unit_test(equal_attributes_share_a_message),
        cmocka_unit_test(withdrawals_first),
        cmocka_unit_test(too_many_change_nothing),
        cmocka_unit_test(changes_are_told_with_their_reason),
        cmocka_unit_test(each_goes_for_its_own_reason),
        cmocka_unit_test(only_what_concerns_us),
        cmocka_unit_test(seen_comes_changes_goes),
        cmocka_unit_test(damaged_updates_withdraw),
        cmocka_unit_test(full_of_more_specifics),
        cmocka_unit_test(refresh_sweeps),
        cmocka_unit_test(watch_shrinks),
        cmocka_unit_test(prefixes_are_counted_once),
    };
    return cmocka_run_group_tests_name("bgp_rib", tests, NULL, NULL);
}
