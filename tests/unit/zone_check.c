/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The checks of a built zone. Each single one is planted in tests/interop/zone-check; here is what they
 * have in common: levels, places, names alone, the loss of records. */
#include "zone/check.h"

#include "zone_help.h"

#define HEAD                                                                                       \
    "$TTL 300\n@ SOA ns1 host 5 20 10 90 60\n@ NS ns1\nns1 A 192.0.2.1\n" /* lines 1 to 4 */

static const struct zone_check_options quiet = { .shrink_percent = 50 };

static bool has(const struct zone_errors *errs, const char *what)
{
    for (uint32_t i = 0; i < errs->kept; i++)
        if (strstr(errs->at[i].what, what) != NULL)
            return true;
    return false;
}

/* A zone that is signed in form: RSA with a modulus of one byte is enough where nothing is verified. */
#define SIG(type, labels)                                                                          \
    "RRSIG " type " 8 " labels " 300 20300101000000 20200101000000 1547 example. AA==\n"
#define SIGNED                                                                                         \
    HEAD                                                                                               \
        "@ " SIG("SOA", "1") "@ " SIG("NS", "1") "ns1 " SIG("A", "2") "@ DNSKEY 256 3 8 AQMB\n@ " SIG( \
            "DNSKEY", "1") "@ NSEC ns1 NS SOA RRSIG NSEC DNSKEY\n"                                     \
                           "@ " SIG("NSEC", "1") "ns1 NSEC @ A RRSIG NSEC\nns1 " SIG("NSEC", "2")

static void a_key_tag_is_that_of_rfc_4034(void **state)
{
    (void)state;
    static struct zone_errors errs;
    AUTO(zone_set) s = zone_help_set("example", SIGNED);
    memset(&errs, 0, sizeof errs);
    bool good = zone_check(zone_set_at(s, 0), NULL, &quiet, NULL, NULL, NULL, &errs, NULL);
    for (uint32_t i = 0; i < errs.kept; i++)
        if (!has(&errs, "RSA key of 1 bits"))
            fail_msg("%s", errs.at[i].what);
    assert_true(good);
    assert_int_equal(errs.warnings, 1);
}

static const struct {
    const char *what;
    int64_t now_s; /* the signatures are of 2020-01-01 to 2030-01-01 */
    uint32_t horizon_s;
    bool strict, good;
    const char *says; /* NULL: nothing but the weak key */
} times[] = {
    { "no clock", 0, 100, true, true, NULL },
    { "in between", 1700000000, 100, true, true, NULL },
    { "the first second", 1577836800, 0, true, true, NULL },
    { "before it", 1577836799, 0, true, false,
      "has a signature that begins at 2020-01-01 00:00:00" },
    { "the last second", 1893456000, 0, true, true, NULL },
    { "after it", 1893456001, 0, true, false, "has a signature that ended at 2030-01-01 00:00:00" },
    { "after it, in a load", 1893456001, 0, false, true, "has a signature that ended at" },
    { "at the horizon", 1893456000 - 100, 100, true, true, NULL },
    { "within it", 1893456000 - 99, 100, true, true, "has a signature that ends at 2030-01-01" },
};

static void times_of_signatures(void **state)
{
    (void)state;
    static struct zone_errors errs;
    AUTO(zone_set) s = zone_help_set("example", SIGNED);
    for (size_t i = 0; i < BASE_COUNT(times); i++) {
        struct zone_check_options o = { .now_s = times[i].now_s,
                                        .horizon_s = times[i].horizon_s,
                                        .strict = times[i].strict };
        struct zone_check_seen seen;
        memset(&errs, 0, sizeof errs);
        bool good = zone_check(zone_set_at(s, 0), NULL, &o, NULL, NULL, NULL, &errs, &seen);
        if (good != times[i].good || (times[i].says == NULL && errs.errors + errs.warnings != 1) ||
            (times[i].says != NULL && !has(&errs, times[i].says)))
            fail_msg("%s: %d, %u errors, %u warnings, %s", times[i].what, good, errs.errors,
                     errs.warnings, errs.at[0].what);
        assert_int_equal(seen.signatures, 6);
        if (times[i].now_s != 0 && times[i].says == NULL)
            assert_int_equal(seen.end_s, 1893456000);
    }
}

static void some_of_each_kind_are_told(void **state)
{
    (void)state;
    static struct zone_errors errs;
    static char text[65536];
    size_t len = (size_t)snprintf(text, sizeof text, "%s", HEAD);
    for (int i = 0; i < 400; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "c%d CNAME nowhere\n", i);
    len += (size_t)snprintf(text + len, sizeof text - len, "m MX 1 c0\nz SPF \"v=spf1\"\n");
    close(zone_help_image("example", text, len, &errs));
    assert_int_equal(errs.errors, 0);
    assert_int_equal(errs.warnings, 402);
    assert_int_equal(errs.kept, ZONE_ERRORS_KEPT);
    assert_true(has(&errs, "m.example. MX points to c0.example., an alias"));
    assert_true(has(&errs, "z.example. has an SPF record"));
    for (uint32_t i = 1; i < errs.kept; i++)
        assert_true(errs.at[i - 1].line < errs.at[i].line);
    assert_int_equal(errs.at[ZONE_ERRORS_KEPT - 1].line, 406);
    assert_int_equal(errs.at[ZONE_ERRORS_KEPT - 2].line, 405);
}

static void told(void *arg, const struct zone_error *ze)
{
    (void)ze;
    ++*(uint32_t *)arg;
}

static void who_asks_is_told_all(void **state)
{
    (void)state;
    static struct zone_errors errs;
    static char text[65536];
    struct err e = { 0 };
    uint32_t count = 0;
    char path[32];
    size_t len = (size_t)snprintf(text, sizeof text, "%s", HEAD);
    for (int i = 0; i < 400; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "c%d CNAME nowhere\n", i);
    int text_fd = zone_help_file(text, len, path), fd = zone_image_memfd(&e);
    struct zone_source source = { .origin = "example", .path = path };
    memset(&errs, 0, sizeof errs);
    errs.tell = told;
    errs.arg = &count;
    assert_true(zone_build_image(&source, 1, fd, &errs));
    close(fd);
    close(text_fd);
    assert_int_equal(count, 400);
    assert_int_equal(errs.kept, ZONE_ERRORS_KEPT);
}

static const struct {
    uint32_t before, now;
    uint8_t percent;
    bool good;
} losses[] = {
    { 100, 50, 50, true }, { 100, 49, 50, false }, { 100, 100, 0, true }, { 100, 99, 0, false },
    { 100, 3, 100, true }, { 9, 3, 50, true },     { 10, 4, 50, false },  { 10, 400, 50, true },
    { 100, 10, 90, true }, { 100, 9, 90, false },
};

static struct zone_set *zone_of(uint32_t records)
{
    static char text[8192];
    size_t len = (size_t)snprintf(text, sizeof text, "%s", HEAD);
    for (uint32_t i = 3; i < records; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "n%u A 192.0.2.1\n", i);
    return zone_help_set("example", text);
}

static void a_zone_that_shrank_is_refused(void **state)
{
    (void)state;
    static struct zone_errors errs;
    for (size_t i = 0; i < BASE_COUNT(losses); i++) {
        AUTO(zone_set) before = zone_of(losses[i].before);
        AUTO(zone_set) now = zone_of(losses[i].now);
        struct zone_check_options o = { .shrink_percent = losses[i].percent };
        assert_int_equal(zone_record_count(zone_set_at(now, 0)), losses[i].now);
        memset(&errs, 0, sizeof errs);
        bool good = zone_check_shrink(zone_set_at(now, 0), zone_set_at(before, 0),
                                      losses[i].percent, "f", &errs);
        if (good != losses[i].good)
            fail_msg("%u to %u at %u %%: %d", losses[i].before, losses[i].now, losses[i].percent,
                     good);
        assert_int_equal(errs.errors, !good);
        memset(&errs, 0, sizeof errs);
        good = zone_check(zone_set_at(now, 0), zone_set_at(before, 0), &o, NULL, NULL, NULL, &errs,
                          NULL);
        assert_int_equal(good, losses[i].good);
    }
    AUTO(zone_set) s = zone_of(20);
    memset(&errs, 0, sizeof errs);
    assert_true(zone_check_shrink(zone_set_at(s, 0), NULL, 50, NULL, &errs));
}

/* After an IXFR: what is wrong with the names that changed is seen, the rest is not looked at. */
static const struct {
    const char *what, *text, *names[3];
    const char *says; /* NULL: nothing */
} changes[] = {
    { "nothing", SIGNED, { "ns1.example", "example" }, NULL },
    { "a name that is gone", SIGNED, { "x.example" }, NULL },
    { "another zone's name", SIGNED, { "www.example.org" }, NULL },
    { "a record that is not signed", SIGNED "ns1 TXT x\n", { "ns1.example" }, "TXT is not signed" },
    { "one elsewhere", SIGNED "ns1 TXT x\n", { "x.example" }, NULL },
    { "a list that is old", SIGNED "ns1 TXT x\n", { "ns1.example" }, "NSEC does not list TXT" },
    { "a name without NSEC", SIGNED "x TXT x\n", { "x.example" }, "x.example. has no NSEC" },
    { "a name that the one before skips",
      SIGNED "o NSEC @ NSEC RRSIG\no " SIG("NSEC", "2"),
      { "o.example" },
      "ns1.example. NSEC does not point to the next name, o.example." },
    { "a name that skips the one behind",
      SIGNED "a NSEC @ NSEC RRSIG\na " SIG("NSEC", "2"),
      { "a.example" },
      "a.example. NSEC does not point to the next name, ns1.example." },
    { "a server without address",
      SIGNED "s NS x\n",
      { "s.example" },
      "has no server with an address" },
};

static void names_alone(void **state)
{
    (void)state;
    static struct zone_errors errs;
    for (size_t i = 0; i < BASE_COUNT(changes); i++) {
        AUTO(zone_set) s = zone_help_set("example", changes[i].text);
        struct dns_name names[3];
        size_t count = 0;
        for (; count < 3 && changes[i].names[count] != NULL; count++)
            assert_true(dns_name_from_text(&names[count], changes[i].names[count]));
        memset(&errs, 0, sizeof errs);
        assert_true(zone_check_names(zone_set_at(s, 0), NULL, &quiet, names, count, &errs));
        if (changes[i].says == NULL ? errs.warnings != 1 : !has(&errs, changes[i].says))
            fail_msg("%s: %u warnings, %s", changes[i].what, errs.warnings, errs.at[1].what);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_tag_is_that_of_rfc_4034), cmocka_unit_test(times_of_signatures),
        cmocka_unit_test(some_of_each_kind_are_told),    cmocka_unit_test(who_asks_is_told_all),
        cmocka_unit_test(a_zone_that_shrank_is_refused), cmocka_unit_test(names_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
