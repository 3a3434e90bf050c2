/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Versions of one file that share a mapping, and zones that cannot be answered from. */
#include <fcntl.h>

#include "zone_help.h"

#include "answer/answer.h"
#include "dns/message.h"
#include "health/question.h"
#include "zone/apply.h"
#include "zone/build.h"
#include "zone/image.h"

#define TEXT "$TTL 300\n@ SOA ns1 host 5 20 10 90 60\n@ NS ns1\nns1 A 192.0.2.1\n"

static struct zone_version version_of(const struct zone_set *s)
{
    return (struct zone_version){ .version = s->slot.version,
                                  .end = s->slot.end,
                                  .dead = s->slot.dead,
                                  .zones = s->slot.zones,
                                  .zone_count = s->slot.zone_count };
}

/* Adds the name `label` to the zone in `fd`; returns the version that has it. */
static struct zone_version add_name(int fd, const char *name)
{
    static struct zone_errors errs;
    struct err e = { 0 };
    struct dns_name owner, origin;
    static const uint8_t address[4] = { 192, 0, 2, 7 };
    assert_true(dns_name_from_text(&owner, name));
    assert_true(dns_name_from_text(&origin, "example"));
    const struct zone_change change = { .owner = &owner,
                                        .rdata = address,
                                        .ttl_s = 60,
                                        .type = DNS_TYPE_A,
                                        .len = sizeof address,
                                        .add = true };
    memset(&errs, 0, sizeof errs);
    assert_true(zone_image_apply(fd, &origin, &change, 1, &errs));
    AUTO(zone_set) s = zone_set_map(fd, &e);
    assert_non_null(s);
    return version_of(s);
}

static bool has_name(const struct zone_set *s, const char *text)
{
    struct dns_name name;
    assert_true(dns_name_from_text(&name, text));
    return zone_find_exact(zone_set_at(s, 0), &name) != NULL;
}

static void versions_share_a_mapping(void **state)
{
    (void)state;
    static struct zone_errors errs;
    struct err e = { 0 };
    int fd = zone_help_image("example", TEXT, strlen(TEXT), &errs);
    assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
    struct zone_set *first = zone_set_map(fd, &e);
    assert_non_null(first);
    const struct zone_version one = version_of(first), two = add_name(fd, "a.example"),
                              three = add_name(fd, "b.example");
    struct zone_set *second = zone_set_map_version(fd, &two, first, &e);
    struct zone_set *again = zone_set_map_version(fd, &one, second, &e);
    struct zone_set *third = zone_set_map_version(fd, &three, second, &e);
    assert_non_null(second);
    assert_non_null(again);
    assert_non_null(third);
    assert_ptr_equal(first->map, second->map);
    assert_ptr_equal(first->map, again->map);
    assert_true(zone_set_id(second) != zone_set_id(third));
    assert_int_equal(zone_set_version(third), 3);
    zone_set_free(first); /* the mapping lives on with the others */
    zone_set_free(second);
    assert_false(has_name(again, "a.example"));
    assert_true(has_name(third, "a.example"));
    assert_true(has_name(third, "b.example"));
    zone_set_free(again);
    zone_set_free(third);
    close(fd);
}

static void versions_that_cannot_be_are_refused(void **state)
{
    (void)state;
    static struct zone_errors errs;
    struct err e = { 0 };
    int fd = zone_help_image("example", TEXT, strlen(TEXT), &errs);
    AUTO(zone_set) s = zone_set_map(fd, &e);
    struct zone_version v = version_of(s);
    assert_null(zone_set_map_version(fd, &v, s, &e)); /* it could shrink below us */
    assert_string_equal(e.what, "the zone image is not sealed against shrinking");
    assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
    const struct zone_version wrong[] = {
        { v.version, v.end + 4096, 0, v.zones, 1, { 0 } }, /* behind the file */
        { v.version, v.end + 1, 0, v.zones, 1, { 0 } },
        { v.version, 8, 0, v.zones, 1, { 0 } },
        { v.version, v.end, 0, v.zones + 1, 1, { 0 } },
        { v.version, v.end, 0, UINT32_MAX, 1, { 0 } },
        { v.version, v.end, 0, 0, 1, { 0 } },
    };
    for (size_t i = 0; i < BASE_COUNT(wrong); i++)
        if (zone_set_map_version(fd, &wrong[i], s, &e) != NULL)
            fail_msg("wrong version %zu was taken", i);
    close(fd);
}

/* An image of example. alone: without content, or expired. */
static struct zone_set *set_in_state(enum zone_state want)
{
    static struct zone_errors errs;
    struct err e = { 0 };
    struct dns_name origin;
    struct zone_image_writer w;
    struct zone_build b;
    struct zone fields = { .state = ZONE_EMPTY };
    int fd;
    assert_true(dns_name_from_text(&origin, "example"));
    if (want == ZONE_EMPTY) {
        fd = zone_image_memfd(&e);
        assert_true(zone_image_writer_init(&w, fd, &e));
        zone_build_init(&b, &w, &errs);
        zone_build_zone_add(&b, &origin, zone_build_zone_write(&w, &origin, &fields));
        uint32_t root = zone_build_zones_end(&b);
        assert_true(zone_image_writer_commit(&w, root, 1, 0));
        zone_build_fini(&b);
        zone_image_writer_fini(&w);
    } else {
        fd = zone_help_image("example", TEXT, strlen(TEXT), &errs);
        AUTO(zone_set) s = zone_set_map(fd, &e);
        const uint8_t expired = ZONE_EXPIRED;
        off_t at = (off_t)zone_set_at(s, 0)->self * 8 + (off_t)offsetof(struct zone, state);
        assert_int_equal(pwrite(fd, &expired, 1, at), 1);
    }
    struct zone_set *s = zone_set_map(fd, &e);
    assert_non_null(s);
    close(fd);
    return s;
}

static const struct {
    enum zone_state state;
    uint16_t ede;
} unusable[] = { { ZONE_EMPTY, DNS_EDE_NOT_READY }, { ZONE_EXPIRED, DNS_EDE_INVALID_DATA } };

/* RFC 8914 sections 4.15 and 4.25. */
static void they_are_servfail(void **state)
{
    (void)state;
    static const char *const names[] = { "example", "www.example", "ns1.example" };
    static uint8_t out[ANSWER_TCP_CAP];
    for (size_t i = 0; i < BASE_COUNT(unusable); i++) {
        AUTO(zone_set) s = set_in_state(unusable[i].state);
        assert_int_equal(zone_state(zone_set_at(s, 0)), unusable[i].state);
        for (size_t k = 0; k < BASE_COUNT(names); k++) {
            struct answer_options o = { 0 };
            struct answer_client client = { .transport = ANSWER_UDP };
            struct answer_info info;
            struct dns_name qname;
            uint8_t query[512];
            assert_true(dns_name_from_text(&qname, names[k]));
            const struct dns_ask ask = { .id = 7,
                                         .qname = &qname,
                                         .qtype = DNS_TYPE_SOA,
                                         .qclass = 1,
                                         .edns = true,
                                         .udp_payload = 1232 };
            size_t len = dns_ask_write(&ask, query, sizeof query);
            assert_true(answer_compose(&o, s, &client, query, len, out, sizeof out, &info) > 12);
            assert_int_equal(info.rcode, 2);
            assert_int_equal(info.ede, unusable[i].ede);
        }
    }
}

/* Who walks through the zones for questions finds nothing to ask, and comes back. */
static void nothing_is_found_in_them(void **state)
{
    (void)state;
    AUTO(zone_set) s = set_in_state(ZONE_EMPTY);
    struct dns_name name;
    struct zone_found found;
    assert_true(dns_name_from_text(&name, "a.example"));
    const struct zone *z = zone_set_find(s, &name);
    assert_non_null(z);
    assert_null(zone_apex(z));
    assert_false(zone_has_nsec(z));
    assert_false(zone_has_nsec3(z));
    assert_int_equal(zone_record_count(z), 0);
    zone_lookup(z, &name, &found);
    assert_null(found.exact);
    assert_null(found.encloser);
    assert_null(zone_find_exact(z, &name));
    struct question_walk walk = { .random = 1 };
    struct question q;
    for (unsigned i = 0; i < 100; i++)
        health_question_pick(s, &walk, (enum question_kind)(i % 3), &q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_share_a_mapping),
        cmocka_unit_test(versions_that_cannot_be_are_refused),
        cmocka_unit_test(they_are_servfail),
        cmocka_unit_test(nothing_is_found_in_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
