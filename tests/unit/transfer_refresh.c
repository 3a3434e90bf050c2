/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The timers of a secondary zone: by the paragraph, and in a world of primaries that fail, are behind or
 * lie, for weeks of virtual time (RFC 1034 section 4.3.5, RFC 1996, RFC 7314). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "transfer/access.h"
#include "transfer/refresh.h"

static const struct transfer_refresh_terms two = { .primaries = 2, .min_s = 10, .max_s = 86400 };
static const wall_t wall = { 1700000000, 0 };
#define SOA(n)                                                                                     \
    {                                                                                              \
        .serial = (n), .refresh_s = 1000, .retry_s = 100, .expire_s = 10000                        \
    }

static mono_t at(int64_t s)
{
    return (mono_t){ 1000000000 + s * 1000000000 };
}

/* ---- by table: one scene, events in order, and what comes out ---- */

struct row {
    const char *what; /* NULL: the end of a scene */
    int64_t s;
    struct transfer_refresh_event ev;
    struct transfer_refresh_action out;
};

#define TIMER                                                                                      \
    {                                                                                              \
        .kind = TRANSFER_REFRESH_TIMER                                                             \
    }
#define NOTIFY(p, n)                                                                               \
    {                                                                                              \
        .kind = TRANSFER_REFRESH_NOTIFIED, .primary = p, .has_serial = true, .serial = n           \
    }
#define SAME                                                                                       \
    {                                                                                              \
        .kind = TRANSFER_REFRESH_SAME                                                              \
    }
#define FAILED                                                                                     \
    {                                                                                              \
        .kind = TRANSFER_REFRESH_FAILED                                                            \
    }
#define BEHIND                                                                                     \
    {                                                                                              \
        .kind = TRANSFER_REFRESH_BEHIND                                                            \
    }
#define NEWER(n)                                                                                   \
    {                                                                                              \
        .kind = TRANSFER_REFRESH_NEWER, .serial = n                                                \
    }
#define GOT(n)                                                                                     \
    {                                                                                              \
        .kind = TRANSFER_REFRESH_GOT, .soa = SOA(n)                                                \
    }
#define ASKS(p)                                                                                    \
    {                                                                                              \
        .what = TRANSFER_REFRESH_ASK, .primary = p                                                 \
    }
#define TRANSFERS(p)                                                                               \
    {                                                                                              \
        .what = TRANSFER_REFRESH_TRANSFER, .primary = p                                            \
    }
#define NONE                                                                                       \
    {                                                                                              \
        0                                                                                          \
    }

static const struct row scenes[] = {
    { "1034 4.3.5: refresh asks, the same serial ends the round", 1000, TIMER, ASKS(0) },
    { "same", 1000, SAME, NONE },
    { "not before the next refresh", 1800, TIMER, NONE },
    { "the next refresh", 2000, TIMER, ASKS(0) },
    { NULL },
    { "1034 4.3.5: the next primary, then retry", 1000, TIMER, ASKS(0) },
    { "the first fails", 1001, FAILED, ASKS(1) },
    { "the second fails", 1002, FAILED, NONE },
    { "not before retry", 1080, TIMER, NONE },
    { "retry, from the first", 1102, TIMER, ASKS(0) },
    { "it has a newer one", 1103, NEWER(6), TRANSFERS(0) },
    { "it came", 1104, GOT(6), NONE },
    { "next refresh, from the first again", 2104, TIMER, ASKS(0) },
    { NULL },
    { "a primary that is behind is passed over", 1000, TIMER, ASKS(0) },
    { "behind", 1001, BEHIND, ASKS(1) },
    { "the other confirms", 1002, SAME, NONE },
    { "no retry is due", 1200, TIMER, NONE },
    { NULL },
    { "a transfer that breaks goes on with the next primary", 1000, TIMER, ASKS(0) },
    { "newer", 1001, NEWER(6), TRANSFERS(0) },
    { "cut off", 1002, FAILED, ASKS(1) },
    { "newer", 1003, NEWER(6), TRANSFERS(1) },
    { "got", 1004, GOT(6), NONE },
    { NULL },
    { "1996 3.11: a NOTIFY asks the one that sent it", 5, NOTIFY(1, 6), ASKS(1) },
    { "newer", 6, NEWER(6), TRANSFERS(1) },
    { "1996: another NOTIFY meanwhile, of a still newer one", 7, NOTIFY(0, 7), NONE },
    { "got the first", 8, GOT(6), NONE },
    { "once more", 8, TIMER, ASKS(0) },
    { NULL },
    { "a NOTIFY of what is on its way is not asked for twice", 5, NOTIFY(1, 6), ASKS(1) },
    { "newer", 6, NEWER(6), TRANSFERS(1) },
    { "the same again", 7, NOTIFY(0, 6), NONE },
    { "got it", 8, GOT(6), NONE },
    { "nothing is due", 500, TIMER, NONE },
    { NULL },
    { "1996 3.11: a NOTIFY of what is had is no news", 5, NOTIFY(0, 5), NONE },
    { "nor of an older one", 6, NOTIFY(0, 4), NONE },
    { "without serial it asks", 7, { .kind = TRANSFER_REFRESH_NOTIFIED, .primary = -1 }, ASKS(0) },
    { "nothing new", 7, SAME, NONE },
    { "the next one is held", 8, { .kind = TRANSFER_REFRESH_NOTIFIED, .primary = -1 }, NONE },
    { "not yet", 8, TIMER, NONE },
    { "for two seconds", 9, TIMER, ASKS(0) },
    { NULL },
    { "told of 9: the primary that has 5 is not enough", 5, NOTIFY(-1, 9), ASKS(0) },
    { "it has 5", 6, SAME, ASKS(1) },
    { "nor has the other", 7, SAME, NONE },
    { "looked for again after retry", 107, TIMER, ASKS(0) },
    { NULL },
    { "1034 4.3.5: it expires while it is asked for", 9990, TIMER, ASKS(0) },
    { "expired", 10000, TIMER, { .expire = true } },
    { "the second", 10001, FAILED, ASKS(1) },
    { "confirmed: it is valid again", 10002, SAME, { .revive = true } },
    { NULL },
    { "7314 4: what is left at the one that gave it", 1000, TIMER, ASKS(0) },
    { "newer", 1000, NEWER(6), TRANSFERS(0) },
    { "got with 50 s left",
      1000,
      { .kind = TRANSFER_REFRESH_GOT, .soa = SOA(6), .has_expire = true, .expire_s = 50 },
      NONE },
    { "still served", 1049, TIMER, NONE },
    { "expired", 1050, TIMER, { .expire = true } },
    { NULL },
    { "7314 4: a confirmation does not shorten", 1000, TIMER, ASKS(0) },
    { "same", 1000, { .kind = TRANSFER_REFRESH_SAME, .has_expire = true, .expire_s = 50 }, NONE },
    { "still served", 1051, TIMER, NONE },
    { NULL },
    { "retransfer takes any serial",
      5,
      { .kind = TRANSFER_REFRESH_ORDER_WHOLE },
      { .what = TRANSFER_REFRESH_TRANSFER, .whole = true } },
    { "got an older one", 6, GOT(2), NONE },
    { "asked as always then", 1006, TIMER, ASKS(0) },
    { NULL },
    { "retransfer during a transfer comes after it", 5, NOTIFY(0, 6), ASKS(0) },
    { "newer", 5, NEWER(6), TRANSFERS(0) },
    { "order", 5, { .kind = TRANSFER_REFRESH_ORDER_WHOLE }, NONE },
    { "got", 6, GOT(6), NONE },
    { "then", 6, TIMER, { .what = TRANSFER_REFRESH_TRANSFER, .whole = true } },
    { NULL },
    { "results that nobody waits for", 5, GOT(9), NONE },
    { "are passed over", 5, FAILED, NONE },
    { NULL },
};

static void begin(struct transfer_refresh *r, bool has_zone)
{
    struct transfer_refresh_start start = { .seed = 7, .has_zone = has_zone, .soa = SOA(5) };
    transfer_refresh_begin(r, &two, &start, at(0), wall);
}

static void test_scenes(void **state)
{
    (void)state;
    struct transfer_refresh r;
    begin(&r, true);
    for (size_t i = 0; i < sizeof scenes / sizeof scenes[0]; i++) {
        const struct row *row = &scenes[i];
        struct transfer_refresh_action out;
        if (row->what == NULL) {
            begin(&r, true);
            continue;
        }
        transfer_refresh_step(&r, &two, &row->ev, at(row->s), &out);
        if (out.what != row->out.what || out.primary != row->out.primary ||
            out.whole != row->out.whole || out.expire != row->out.expire ||
            out.revive != row->out.revive)
            fail_msg("%s: what %d primary %d whole %d expire %d revive %d", row->what, out.what,
                     out.primary, out.whole, out.expire, out.revive);
    }
}

/* A zone that was never had: at once, then after times that double, up to an hour. */
static void test_first(void **state)
{
    (void)state;
    struct transfer_refresh r;
    struct transfer_refresh_action out;
    const struct transfer_refresh_event timer = TIMER, failed = FAILED;
    begin(&r, false);
    mono_t now = at(0);
    int64_t wait = TRANSFER_REFRESH_FIRST_S * 1000;
    for (int i = 0; i < 15; i++) {
        transfer_refresh_step(&r, &two, &timer, now, &out);
        assert_int_equal(out.what, TRANSFER_REFRESH_TRANSFER);
        transfer_refresh_step(&r, &two, &failed, now, &out);
        assert_int_equal(out.what, TRANSFER_REFRESH_TRANSFER);
        transfer_refresh_step(&r, &two, &failed, now, &out);
        assert_int_equal(out.what, TRANSFER_REFRESH_NOTHING);
        int64_t ms = mono_ms_between(now, transfer_refresh_next(&r));
        assert_in_range(ms, wait * 9 / 10 - 1, wait);
        wait = wait * 2 < 3600000 ? wait * 2 : 3600000;
        now = transfer_refresh_next(&r);
    }
}

static void test_restart(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        int64_t refreshed, expires; /* seconds from now */
        bool expired;
        int64_t next_low, next_high, left;
    } cases[] = {
        { "fresh", -10, 9990, false, 890, 990, 9990 },
        { "refresh is overdue", -2000, 8000, false, 0, 5, 8000 },
        { "expired while it was down", -20000, -10000, true, 0, 5, 0 },
        { "the calendar was set back: no longer than the SOA says", 5000, 99999, false, 0, 5,
          10000 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct transfer_refresh r;
        struct transfer_refresh_start start = {
            .seed = 1, .spread_ms = 5000, .has_zone = true, .soa = SOA(5)
        };
        start.times.refreshed = wall.s + cases[i].refreshed;
        start.times.expires = wall.s + cases[i].expires;
        transfer_refresh_begin(&r, &two, &start, at(0), wall);
        int64_t next = mono_ms_between(at(0), transfer_refresh_next(&r)) / 1000;
        if (r.expired != cases[i].expired || next < cases[i].next_low || next > cases[i].next_high)
            fail_msg("%s: expired %d next %d", cases[i].what, r.expired, (int)next);
        assert_int_equal(transfer_refresh_left_s(&r, at(0)), cases[i].left);
        struct store_times times = { 0 };
        transfer_refresh_times(&r, &times, at(0), wall);
        assert_int_equal(times.expires, wall.s + cases[i].left);
    }
}

/* ---- a world ---- */

struct primary {
    uint32_t serial;
    bool down;
    unsigned lies; /* of 100 */
};

struct world {
    uint64_t random;
    struct primary primary[3];
    struct transfer_refresh r;
    struct transfer_refresh_terms terms;
    mono_t now, confirmed; /* when a primary last vouched for the version */
    bool served;
    int64_t asked_ms; /* when a round last began by itself */
};

static uint32_t pick(struct world *w, uint32_t below)
{
    w->random = w->random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((w->random >> 33) % below);
}

/* What a primary says to what the machine does. */
static struct transfer_refresh_event reply(struct world *w, const struct transfer_refresh_action *a)
{
    const struct primary *p = &w->primary[a->primary];
    struct transfer_refresh_event ev = FAILED;
    assert_in_range(a->primary, 0, w->terms.primaries - 1);
    if (p->down)
        return ev;
    if (pick(w, 100) < p->lies) {
        static const enum transfer_refresh_kind kinds[] = {
            TRANSFER_REFRESH_SAME, TRANSFER_REFRESH_BEHIND, TRANSFER_REFRESH_NEWER,
            TRANSFER_REFRESH_FAILED, TRANSFER_REFRESH_GOT
        };
        ev.kind = kinds[pick(w, 4)]; /* it cannot make up a transfer */
        ev.serial = pick(w, 1000000);
        ev.has_expire = pick(w, 2) != 0;
        ev.expire_s = pick(w, 100000);
        return ev;
    }
    bool newer = !w->r.has_zone || xfr_serial_newer(p->serial, w->r.serial);
    if (!newer && !a->whole)
        ev.kind = p->serial == w->r.serial ? TRANSFER_REFRESH_SAME : TRANSFER_REFRESH_BEHIND;
    else if (a->what == TRANSFER_REFRESH_ASK)
        ev.kind = TRANSFER_REFRESH_NEWER;
    else
        ev = (struct transfer_refresh_event){ .kind = TRANSFER_REFRESH_GOT,
                                              .soa = { p->serial, 1 + pick(w, 20000), pick(w, 3000),
                                                       pick(w, 200000) } };
    return ev;
}

static void heard(struct world *w, const struct transfer_refresh_event *ev,
                  const struct transfer_refresh_action *out, uint32_t serial_before, bool had)
{
    if (ev->kind == TRANSFER_REFRESH_GOT || ev->kind == TRANSFER_REFRESH_SAME)
        w->confirmed = w->now;
    if (out->expire)
        w->served = false;
    if (out->revive || (ev->kind == TRANSFER_REFRESH_GOT && !w->r.expired))
        w->served = true;
    if (had && w->r.serial != serial_before && !xfr_serial_newer(w->r.serial, serial_before))
        fail_msg("the serial went from %u to %u", serial_before, w->r.serial);
    if (w->served && w->now.ns > w->confirmed.ns + (int64_t)w->r.expire_s * 1000000000)
        fail_msg("served beyond expire");
    if (w->served)
        assert_false(w->r.expired);
}

static void step(struct world *w, struct transfer_refresh_event ev)
{
    struct transfer_refresh_action out;
    for (unsigned turns = 0;; turns++) {
        uint32_t before = w->r.serial;
        bool had = w->r.has_zone;
        transfer_refresh_step(&w->r, &w->terms, &ev, w->now, &out);
        heard(w, &ev, &out, before, had);
        if (out.what == TRANSFER_REFRESH_NOTHING)
            return;
        assert_true(turns < 10); /* at most two for each primary */
        w->now.ns += (int64_t)pick(w, 5000) * 1000000;
        if (pick(w, 10) == 0) {
            struct transfer_refresh_event notify = NOTIFY(0, w->primary[0].serial);
            struct transfer_refresh_action nothing;
            transfer_refresh_step(&w->r, &w->terms, &notify, w->now, &nothing);
            assert_int_equal(nothing.what, TRANSFER_REFRESH_NOTHING);
            if (nothing.expire)
                w->served = false;
        }
        ev = reply(w, &out);
    }
}

static void change_world(struct world *w, bool faults)
{
    struct primary *p = &w->primary[pick(w, 3)];
    switch (pick(w, 4)) {
    case 0:
        p->serial += 1 + pick(w, 5);
        break;
    case 1:
        p->down = faults && pick(w, 3) != 0;
        break;
    case 2:
        if (w->primary[0].serial != p->serial && pick(w, 2) == 0)
            p->serial = w->primary[0].serial;
        break;
    default:
        if (pick(w, 5) == 0)
            step(w, (struct transfer_refresh_event){ .kind = TRANSFER_REFRESH_NOTIFIED,
                                                     .primary = (int)pick(w, 4) - 1,
                                                     .has_serial = pick(w, 2) != 0,
                                                     .serial = p->serial });
        break;
    }
}

static void weeks(uint64_t seed)
{
    struct world w = {
        .random = seed, .terms = { .primaries = (uint8_t)(1 + seed % 3), .min_s = 5, .max_s = 7200 }
    };
    w.now = w.confirmed = at(0);
    struct transfer_refresh_start start = { .seed = (uint32_t)seed, .spread_ms = 60000 };
    for (unsigned i = 0; i < 3; i++) {
        w.primary[i].serial = 0xffffff00u + pick(&w, 400); /* over the edge soon */
        w.primary[i].lies = seed % 4 == 0 ? pick(&w, 60) : 0;
    }
    transfer_refresh_begin(&w.r, &w.terms, &start, w.now, wall);
    mono_t change = w.now, end = mono_add_ms(w.now, 3LL * 7 * 86400000);
    uint64_t rounds = 0;
    while (mono_before(w.now, end)) {
        mono_t next = mono_min(transfer_refresh_next(&w.r), change);
        assert_true(next.ns != INT64_MAX);
        if (mono_before(w.now, next))
            w.now = next;
        if (!mono_before(w.now, change)) {
            change_world(&w, true);
            change = mono_add_ms(w.now, 1 + pick(&w, 7200000));
        }
        if (!mono_before(w.now, transfer_refresh_next(&w.r)))
            rounds++;
        step(&w, (struct transfer_refresh_event)TIMER);
    }
    /* Not more often than the bounds (and NOTIFYs: below one in an hour) allow. */
    assert_in_range(rounds, 1, 3 * 7 * 86400 / 4);
    /* Heal: one good primary is enough, whatever the others do. */
    struct primary *good = &w.primary[pick(&w, w.terms.primaries)];
    for (unsigned i = 0; i < 3; i++) {
        w.primary[i].lies = 0;
        w.primary[i].down = &w.primary[i] != good && pick(&w, 2) != 0;
        if (w.r.has_zone && &w.primary[i] != good)
            w.primary[i].serial = w.r.serial;
    }
    good->serial = w.r.has_zone ? w.r.serial + 1 : 1;
    for (unsigned i = 0; i < 3; i++)
        if (&w.primary[i] != good)
            w.primary[i].down = true;
    end = mono_add_ms(w.now, 2 * 7300000);
    while (mono_before(w.now, end)) {
        w.now = mono_min(transfer_refresh_next(&w.r), end);
        step(&w, (struct transfer_refresh_event)TIMER);
    }
    if (w.r.serial != good->serial || !w.r.has_zone)
        fail_msg("did not converge");
}

static void test_weeks(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 300; seed++)
        weeks(seed);
}

static void test_access(void **state)
{
    (void)state;
    struct tsig_key a = { 0 }, b = { 0 };
    struct prefix net, host;
    union addr in, out, mapped;
    assert_true(dns_name_from_text(&a.name, "a.") && dns_name_from_text(&b.name, "b."));
    assert_true(prefix_parse(&net, "192.0.2.0/24") && prefix_parse(&host, "2001:db8::1/128"));
    assert_true(addr_parse(&in, "192.0.2.7", 53) && addr_parse(&out, "198.51.100.1", 53));
    assert_true(addr_parse(&mapped, "::ffff:192.0.2.7", 53));
    const struct {
        const char *what;
        struct transfer_access rule;
        const union addr *from;
        const struct tsig_key *key;
        bool allowed;
    } cases[] = {
        { "in the prefix", { net, NULL }, &in, NULL, true },
        { "in the prefix, signed", { net, NULL }, &in, &a, true },
        { "mapped into IPv6", { net, NULL }, &mapped, NULL, true },
        { "elsewhere", { net, NULL }, &out, NULL, false },
        { "another family", { host, NULL }, &in, NULL, false },
        { "a remote with its key", { net, &a }, &in, &a, true },
        { "a remote without its key", { net, &a }, &in, NULL, false },
        { "a remote with another key", { net, &a }, &in, &b, false },
        { "the key, from elsewhere", { net, &a }, &out, &a, false },
        { "the key alone", { { 0 }, &a }, &out, &a, true },
        { "another key", { { 0 }, &a }, &out, &b, false },
        { "a rule that says nothing", { { 0 }, NULL }, &in, &a, false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (transfer_access_allows(&cases[i].rule, 1, cases[i].from, cases[i].key) !=
            cases[i].allowed)
            fail_msg("%s", cases[i].what);
    assert_false(transfer_access_allows(NULL, 0, &in, &a));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scenes),  cmocka_unit_test(test_first),
        cmocka_unit_test(test_restart), cmocka_unit_test(test_weeks),
        cmocka_unit_test(test_access),
    };
    return cmocka_run_group_tests_name("transfer_refresh", tests, NULL, NULL);
}
