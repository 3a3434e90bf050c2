/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fleet/auth.h"
#include "fleet/fleet.h"

static struct prefix prefix(const char *text)
{
    struct prefix p;
    assert_true(prefix_parse(&p, text));
    return p;
}

static struct fleet_message message(void)
{
    struct fleet_message m = { .node = fleet_node_id("ams1"),
                               .boot = 1700000000000,
                               .seq = 7,
                               .sent_ms = 1764000000123,
                               .load_qps = 4711,
                               .capacity_qps = 200000,
                               .draining = true,
                               .prefix_count = 2,
                               .grant_count = 1 };
    m.prefixes[0].prefix = prefix("192.0.2.0/24");
    m.prefixes[0].state = FLEET_ANNOUNCED;
    m.prefixes[1].prefix = prefix("2001:db8:53::/48");
    m.prefixes[1].state = FLEET_WISHING;
    m.prefixes[1].wish = 0x01020304;
    m.grants[0] = (struct fleet_grant){ .node = 9, .wish = 3, .prefix = 1 };
    return m;
}

static void round_trip(void **state)
{
    (void)state;
    static uint8_t a[FLEET_DATAGRAM_MAX], b[FLEET_DATAGRAM_MAX];
    struct fleet_message m = message(), read;
    size_t len = fleet_message_write(&m, a, sizeof a);
    assert_int_equal(len, 56 + 12 + 24 + 16);
    assert_true(fleet_message_parse(&read, a, len));
    assert_int_equal(read.sent_ms, m.sent_ms);
    assert_int_equal(read.prefixes[1].wish, 0x01020304);
    assert_true(prefix_equal(&read.prefixes[1].prefix, &m.prefixes[1].prefix));
    assert_int_equal(fleet_message_write(&read, b, sizeof b), len);
    assert_memory_equal(a, b, len);
}

static void the_largest_fits(void **state)
{
    (void)state;
    static uint8_t buf[FLEET_DATAGRAM_MAX - FLEET_TAG_LEN];
    static struct fleet_message m, read;
    m = message();
    m.prefix_count = FLEET_PREFIXES_MAX;
    m.grant_count = FLEET_GRANTS_MAX;
    for (uint32_t i = 0; i < FLEET_PREFIXES_MAX; i++)
        m.prefixes[i] = m.prefixes[1 % FLEET_PREFIXES_MAX];
    for (uint32_t i = 0; i < FLEET_PREFIXES_MAX; i++)
        m.prefixes[i].prefix = prefix("2001:db8::/32");
    size_t len = fleet_message_write(&m, buf, sizeof buf);
    assert_true(len > 0);
    assert_true(fleet_message_parse(&read, buf, len));
    assert_int_equal(fleet_message_write(&m, buf, len - 1), 0);
}

/* One byte of a good datagram changed: offset, new value, what it is. */
static const struct {
    const char *what;
    size_t at;
    uint8_t value;
} bad_rows[] = {
    { "no magic", 0, 'X' },
    { "another version", 4, 2 },
    { "an unknown flag", 5, 0x81 },
    { "more prefixes than there are", 6, 3 },
    { "fewer prefixes than there are", 6, 1 },
    { "too many prefixes", 6, 65 },
    { "more grants than there are", 7, 2 },
    { "too many grants", 7, 255 },
    { "a time before 1970", 32, 0x80 },
    { "a family that is none", 56, 5 },
    { "a length that no address has", 57, 33 },
    { "bits behind the length", 57, 8 },
    { "an unknown state", 58, FLEET_STATE_COUNT },
    { "a reserved byte", 59, 1 },
    { "a grant for a prefix that is not there", 56 + 12 + 24 + 12, 2 },
    { "a reserved byte of a grant", 56 + 12 + 24 + 13, 1 },
};

static void hostile_bytes(void **state)
{
    (void)state;
    static uint8_t good[FLEET_DATAGRAM_MAX], bad[FLEET_DATAGRAM_MAX];
    struct fleet_message m = message(), read;
    size_t len = fleet_message_write(&m, good, sizeof good);
    for (size_t i = 0; i < sizeof bad_rows / sizeof bad_rows[0]; i++) {
        memcpy(bad, good, len);
        bad[bad_rows[i].at] = bad_rows[i].value;
        if (fleet_message_parse(&read, bad, len))
            fail_msg("%s was taken", bad_rows[i].what);
    }
    for (size_t cut = 0; cut < len; cut++) {
        uint8_t *exact = malloc(cut + 1); /* so that a sanitizer sees a read too far */
        memcpy(exact, good, cut);
        assert_false(fleet_message_parse(&read, exact, cut));
        free(exact);
    }
    assert_false(fleet_message_parse(&read, good, len + 1));
    memset(good + 24, 0, 8); /* datagrams count from 1 */
    assert_false(fleet_message_parse(&read, good, len));
}

static void body_and_tag(void **state)
{
    (void)state;
    uint8_t d[FLEET_DATAGRAM_MAX + 1] = { 0 };
    const uint8_t *tag;
    size_t body_len;
    assert_false(fleet_split(d, FLEET_TAG_LEN, &body_len, &tag));
    assert_true(fleet_split(d, FLEET_TAG_LEN + 1, &body_len, &tag));
    assert_int_equal(body_len, 1);
    assert_ptr_equal(tag, d + 1);
    assert_false(fleet_split(d, sizeof d, &body_len, &tag));
}

/* RFC 4231 section 4.4 (the key is 20 bytes), and each bit of a tag counts. */
static void the_tag(void **state)
{
    (void)state;
    static const uint8_t want[FLEET_TAG_LEN] = { 0x77, 0x3e, 0xa9, 0x1e, 0x36, 0x80, 0x0e, 0x46,
                                                 0x85, 0x4d, 0xb8, 0xeb, 0xd0, 0x91, 0x81, 0xa7,
                                                 0x29, 0x59, 0x09, 0x8b, 0x3e, 0xf8, 0xc1, 0x22,
                                                 0xd9, 0x63, 0x55, 0x14, 0xce, 0xd5, 0x65, 0xfe };
    uint8_t key[20], data[50], tag[FLEET_TAG_LEN];
    struct err e = { 0 };
    memset(key, 0xaa, sizeof key);
    memset(data, 0xdd, sizeof data);
    assert_true(fleet_tag(key, sizeof key, data, sizeof data, tag, &e));
    assert_true(fleet_tag_equal(tag, want));
    for (uint32_t i = 0; i < 8 * FLEET_TAG_LEN; i++) {
        tag[i / 8] ^= (uint8_t)(1 << i % 8);
        assert_false(fleet_tag_equal(tag, want));
        tag[i / 8] ^= (uint8_t)(1 << i % 8);
    }
    assert_false(fleet_tag(key, FLEET_SECRET_MIN - 1, data, sizeof data, tag, &e));
    assert_int_equal(e.kind, ERR_INPUT);
    assert_true(e.hint[0] != '\0');
}

/* ---- what is taken, and from whom ---- */

static struct fleet *f;
static mono_t now;
static wall_t wall;
static union addr from_nyc, from_elsewhere;

static void make(bool secret)
{
    static const char *const names[] = { "ams1", "nyc1", "sin1" };
    struct fleet_config *c = calloc(1, sizeof *c);
    free(f);
    f = calloc(1, sizeof *f);
    c->node_count = 3;
    c->secret = secret;
    for (uint32_t i = 0; i < 3; i++) {
        char text[32];
        snprintf(c->nodes[i].name, sizeof c->nodes[i].name, "%s", names[i]);
        snprintf(text, sizeof text, "10.%u.0.1", i + 1);
        c->nodes[i].address_count = 1;
        assert_true(addr_parse(&c->nodes[i].addresses[0], text, 4953));
    }
    fleet_init(f, c, 1000, 0xfffffffe);
    free(c);
    now = mono_add_ms(MONO_ZERO, 5000);
    wall = (wall_t){ .s = 1764000000 };
    assert_true(addr_parse(&from_nyc, "10.2.0.1", 4953));
    assert_true(addr_parse(&from_elsewhere, "10.9.0.1", 4953));
}

static enum fleet_grade give(const char *node, uint64_t boot, uint64_t seq, int64_t clock_s,
                             const union addr *from, bool tag)
{
    static uint8_t buf[FLEET_DATAGRAM_MAX];
    struct fleet_message m = message();
    m.node = fleet_node_id(node);
    m.boot = boot;
    m.seq = seq;
    m.sent_ms = (wall.s + clock_s) * 1000;
    m.grant_count = 0;
    size_t len = fleet_message_write(&m, buf, sizeof buf);
    return fleet_receive(f, buf, len, from, tag, now, wall);
}

static void with_a_secret(void **state)
{
    (void)state;
    make(true);
    assert_int_equal(give("nyc1", 5, 1, 0, &from_elsewhere, true), FLEET_TAKEN);
    assert_int_equal(give("nyc1", 5, 2, 0, &from_nyc, false), FLEET_BAD_TAG);
    assert_int_equal(give("nyc1", 5, 1, 0, &from_nyc, true), FLEET_OLD);
    assert_int_equal(give("nyc1", 5, 3, 61, &from_nyc, true), FLEET_CLOCK);
    assert_int_equal(give("nyc1", 5, 3, -61, &from_nyc, true), FLEET_CLOCK);
    assert_int_equal(give("nyc1", 5, 3, 59, &from_nyc, true), FLEET_TAKEN);
    assert_int_equal(give("nyc1", 5, 2, 0, &from_nyc, true), FLEET_OLD);
    assert_int_equal(give("nyc1", 4, 9, 0, &from_nyc, true), FLEET_OLD);
    assert_int_equal(give("nyc1", 6, 1, 0, &from_nyc, true), FLEET_TAKEN);
    assert_int_equal(give("ams1", 6, 1, 0, &from_nyc, true), FLEET_SELF);
    assert_int_equal(give("par1", 6, 1, 0, &from_nyc, true), FLEET_UNKNOWN);
    assert_int_equal(fleet_receive(f, (const uint8_t *)"x", 1, &from_nyc, true, now, wall),
                     FLEET_BAD_FORM);
    assert_int_equal(f->grades[FLEET_TAKEN], 3);
    assert_int_equal(f->grades[FLEET_OLD], 3);
    /* A node whose clock was set back is heard again, but only when no old datagram of it could be
     * taken for a new one. */
    now = mono_add_ms(now, 2 * FLEET_CLOCK_MS - 1);
    assert_int_equal(give("nyc1", 3, 1, 0, &from_nyc, true), FLEET_OLD);
    now = mono_add_ms(now, 1);
    assert_int_equal(give("nyc1", 3, 1, 0, &from_nyc, true), FLEET_TAKEN);
}

static void without_a_secret(void **state)
{
    (void)state;
    make(false);
    assert_int_equal(give("nyc1", 5, 1, 0, &from_nyc, false), FLEET_TAKEN);
    assert_int_equal(give("nyc1", 5, 2, 0, &from_elsewhere, true), FLEET_BAD_SOURCE);
    assert_int_equal(give("sin1", 5, 1, 0, &from_nyc, true), FLEET_BAD_SOURCE);
    assert_int_equal(give("nyc1", 5, 2, 100000, &from_nyc, false), FLEET_TAKEN);
}

static void what_was_heard_expires(void **state)
{
    (void)state;
    make(true);
    struct prefix v4 = prefix("192.0.2.0/24"), other = prefix("192.0.3.0/24");
    struct fleet_others o;
    assert_int_equal(give("nyc1", 5, 1, 0, &from_nyc, true), FLEET_TAKEN);
    fleet_others(f, &v4, now, &o);
    assert_int_equal(o.heard, 1);
    assert_int_equal(o.announcing, 1);
    assert_false(o.permit);
    fleet_others(f, &other, now, &o);
    assert_int_equal(o.announcing, 0);
    now = mono_add_ms(now, FLEET_EXPIRE_MS - 1);
    assert_true(fleet_is_fresh(f, 1, now));
    now = mono_add_ms(now, 1);
    fleet_others(f, &v4, now, &o);
    assert_int_equal(o.heard, 0);
    assert_int_equal(o.announcing, 0);
}

static void a_new_configuration_keeps_who_stays(void **state)
{
    (void)state;
    make(true);
    assert_int_equal(give("nyc1", 5, 1, 0, &from_nyc, true), FLEET_TAKEN);
    static struct fleet_config c;
    c = f->config;
    c.nodes[1] = c.nodes[2];
    c.nodes[2] = f->config.nodes[1];
    snprintf(c.nodes[0].name, sizeof c.nodes[0].name, "par1");
    c.nodes[3] = f->config.nodes[0];
    c.self = 3;
    c.node_count = 4;
    fleet_configure(f, &c);
    assert_int_equal(f->peers[3].id, fleet_node_id("ams1"));
    assert_int_equal(f->peers[0].id, fleet_node_id("par1"));
    assert_false(fleet_is_fresh(f, 1, now));
    assert_true(fleet_is_fresh(f, 2, now));
    assert_int_equal(give("nyc1", 5, 1, 0, &from_nyc, true), FLEET_OLD);
    assert_int_equal(give("par1", 5, 1, 0, &from_nyc, true), FLEET_TAKEN);
}

/* ---- wishes and grants ---- */

/* Writes as `x` and gives it to `y`. */
static void tell(struct fleet *x, const struct fleet_self *self, struct fleet *y)
{
    static uint8_t buf[FLEET_DATAGRAM_MAX];
    size_t len = fleet_write(x, self, now, wall, buf, sizeof buf);
    assert_true(len > 0);
    assert_int_equal(fleet_receive(y, buf, len, &from_nyc, true, now, wall), FLEET_TAKEN);
}

static void a_wish_is_granted_by_who_stays(void **state)
{
    (void)state;
    make(true);
    static struct fleet a, b;
    a = *f;
    b = *f;
    b.config.self = 1;
    struct prefix p = prefix("192.0.2.0/24");
    struct fleet_self busy = { .prefix_count = 1 }, calm = { .prefix_count = 1 };
    struct fleet_others o;
    busy.prefixes[0].prefix = calm.prefixes[0].prefix = p;
    busy.prefixes[0].out = calm.prefixes[0].out = true;

    /* No wish, no grant. */
    tell(&a, &busy, &b);
    tell(&b, &calm, &a);
    fleet_others(&a, &p, now, &o);
    assert_int_equal(o.announcing, 1);
    assert_false(o.permit);
    assert_int_equal(fleet_granted_at(&b).ns, 0);

    busy.prefixes[0].wish = true;
    tell(&a, &busy, &b);
    assert_int_equal(b.peers[0].last.prefixes[0].state, FLEET_WISHING);
    tell(&b, &calm, &a);
    fleet_others(&a, &p, now, &o);
    assert_true(o.permit);
    assert_int_equal(o.permit_by, fleet_node_id("nyc1"));
    assert_int_equal(fleet_granted_at(&b).ns, now.ns);

    /* It holds while the other goes on; then it is gone at once. */
    busy.prefixes[0].out = false;
    tell(&a, &busy, &b);
    assert_int_equal(b.peers[0].last.prefixes[0].state, FLEET_SHED);
    tell(&b, &calm, &a);
    fleet_others(&a, &p, now, &o);
    assert_true(o.permit);
    calm.prefixes[0].wish = true;
    tell(&b, &calm, &a);
    fleet_others(&a, &p, now, &o);
    assert_false(o.permit);
    assert_int_equal(o.announcing, 1);
    calm.prefixes[0].wish = false;
    calm.prefixes[0].draining = true;
    tell(&b, &calm, &a);
    fleet_others(&a, &p, now, &o);
    assert_false(o.permit);
    calm.prefixes[0].draining = false;
    tell(&b, &calm, &a);
    fleet_others(&a, &p, now, &o);
    assert_true(o.permit);
    fleet_others(&a, &p, mono_add_ms(now, FLEET_EXPIRE_MS), &o);
    assert_false(o.permit);

    /* A grant of an earlier wish is none for a later one. */
    busy.prefixes[0].out = true;
    busy.prefixes[0].wish = false;
    tell(&a, &busy, &b);
    busy.prefixes[0].wish = true;
    tell(&a, &busy, &b);
    fleet_others(&a, &p, now, &o);
    assert_false(o.permit);
}

static void two_who_wish_grant_nothing(void **state)
{
    (void)state;
    make(true);
    static struct fleet a, b;
    a = *f;
    b = *f;
    b.config.self = 1;
    struct prefix p = prefix("192.0.2.0/24");
    struct fleet_self busy = { .prefix_count = 1 };
    struct fleet_others o;
    busy.prefixes[0].prefix = p;
    busy.prefixes[0].out = busy.prefixes[0].wish = true;
    for (int i = 0; i < 4; i++) {
        tell(&a, &busy, &b);
        tell(&b, &busy, &a);
    }
    fleet_others(&a, &p, now, &o);
    assert_false(o.permit);
    fleet_others(&b, &p, now, &o);
    assert_false(o.permit);
}

static void when_to_write_next(void **state)
{
    (void)state;
    make(true);
    static uint8_t buf[FLEET_DATAGRAM_MAX];
    struct fleet_self self = { .prefix_count = 0 };
    assert_false(mono_before(now, fleet_next(f, now)));
    fleet_write(f, &self, now, wall, buf, sizeof buf);
    assert_int_equal(mono_ms_between(now, fleet_next(f, now)), FLEET_SEND_MS);
    f->config.send_ms = 100000;
    assert_int_equal(give("nyc1", 5, 1, 0, &from_nyc, true), FLEET_TAKEN);
    assert_int_equal(mono_ms_between(now, fleet_next(f, now)), FLEET_EXPIRE_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),
        cmocka_unit_test(the_largest_fits),
        cmocka_unit_test(hostile_bytes),
        cmocka_unit_test(body_and_tag),
        cmocka_unit_test(the_tag),
        cmocka_unit_test(with_a_secret),
        cmocka_unit_test(without_a_secret),
        cmocka_unit_test(what_was_heard_expires),
        cmocka_unit_test(a_new_configuration_keeps_who_stays),
        cmocka_unit_test(a_wish_is_granted_by_who_stays),
        cmocka_unit_test(two_who_wish_grant_nothing),
        cmocka_unit_test(when_to_write_next),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(f);
    return failed;
}
