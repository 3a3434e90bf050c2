/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Images that are none, or are damaged. A read behind the image meets a page that nobody can read, or
 * the end of the file within its last page, and ends the test. */
#include <sys/stat.h>

#include "zone/image.h"
#include "zone_help.h"

static const char zone_text[] =
    "$TTL 300\n@ SOA ns1 host 5 1 1 1 60\n@ NS ns1\nns1 A 192.0.2.1\n@ NSEC ns1 NS SOA NSEC\n"
    "ns1 NSEC @ A\na.b.c.deep TXT \"x\"\n* TXT \"w\"\ncut NS ns.cut\nns.cut A 192.0.2.4\n"
    "dn DNAME target.example.\nhidden.dn A 192.0.2.6\n00000000 NSEC3 1 0 0 - 00000000 A\n"
    "@ RRSIG SOA 8 1 300 20300101000000 20200101000000 1 example. AAAA\n";

static const char *refusal(const void *bytes, size_t len)
{
    static struct err e;
    char path[32];
    int fd = zone_help_file(bytes, len, path);
    memset(&e, 0, sizeof e);
    struct zone_set *s = zone_set_map(fd, &e);
    close(fd);
    if (s == NULL)
        return e.what;
    zone_set_free(s);
    return "";
}

static size_t image_bytes(uint8_t *out, size_t cap)
{
    static struct zone_errors errs;
    int fd = zone_help_image("example", zone_text, strlen(zone_text), &errs);
    assert_int_equal(errs.errors, 0);
    ssize_t len = pread(fd, out, cap, 0);
    close(fd);
    assert_in_range(len, IMAGE_PAGE, cap - 1);
    return (size_t)len;
}

static void what_is_no_image_is_refused(void **state)
{
    (void)state;
    static uint8_t good[1 << 16], bad[1 << 16];
    size_t len = image_bytes(good, sizeof good);
    assert_string_equal(refusal(good, len), "");
    assert_string_equal(refusal("", 0), "this is not a zone image: it has 0 bytes");
    assert_string_equal(refusal(good, IMAGE_PAGE - 1),
                        "this is not a zone image: it has 4095 bytes");
    static const uint8_t zeros[IMAGE_PAGE];
    assert_string_equal(refusal(zeros, sizeof zeros), "this is not a zone image");
    memcpy(bad, good, len);
    bad[offsetof(struct zone_image_head, layout)]++;
    assert_string_equal(refusal(bad, len), "the zone image has layout 4, not 3");
    memcpy(bad, good, len);
    bad[offsetof(struct zone_image_head, endian)] = 1;
    assert_string_equal(refusal(bad, len), "the zone image is from a machine of other byte order");
    static const char torn[] = "the zone image was never finished, or is damaged";
    for (size_t cut = IMAGE_PAGE; cut < len; cut += 8)
        assert_string_equal(refusal(good, cut), torn);
    for (size_t i = 0; i < sizeof(struct zone_image_slot); i++) {
        memcpy(bad, good, len);
        bad[IMAGE_SLOT_A + i] ^= 0x10;
        assert_string_equal(refusal(bad, len), torn);
    }
}

static uint64_t seed = 0x5eed;

static uint32_t rnd(uint32_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 33) % below;
}

static unsigned read_node(const struct zone *z, const struct zone_node *n)
{
    struct zone_rrset r;
    uint32_t pos = 0;
    unsigned sum = 0;
    while (n != NULL && zone_node_next(z, n, &pos, &r)) {
        for (uint32_t i = 0; i < r.rdata_len; i++)
            sum += r.rdata[i];
        for (uint32_t i = 0; i < r.sigs_len; i++)
            sum += r.sigs[i];
    }
    return sum;
}

static unsigned read_zone(const struct zone *z)
{
    static const char *const names[] = {
        "example",    "ns1.example",        "x.c.deep.example", "q.cut.example",   "q.dn.example",
        "zz.example", "a.b.c.deep.example", "0.example",        "00000000.example"
    };
    unsigned sum = 0;
    for (size_t i = 0; i < BASE_COUNT(names); i++) {
        struct dns_name name;
        struct zone_found f;
        bool matches;
        assert_true(dns_name_from_text(&name, names[i]));
        zone_lookup(z, &name, &f);
        assert_non_null(f.encloser);
        sum += read_node(z, f.exact) + read_node(z, f.encloser) + read_node(z, f.cut) +
               read_node(z, f.dname) + read_node(z, f.wildcard);
        sum += read_node(z, zone_nsec_before(z, &name));
        sum += read_node(z, zone_nsec3_before(z, &name, &matches));
    }
    struct dns_name name;
    for (const struct zone_node *n = zone_apex(z); n != NULL; n = zone_node_after(z, n)) {
        zone_node_name(z, n, &name);
        sum += read_node(z, n);
    }
    return sum;
}

/* The slot does not speak for the objects: damage behind it is met by the reader. */
static void a_damaged_image_never_hurts_a_reader(void **state)
{
    (void)state;
    static uint8_t good[1 << 16], bad[1 << 16];
    size_t len = image_bytes(good, sizeof good);
    unsigned sum = 0, gone = 0;
    struct dns_name name;
    assert_true(dns_name_from_text(&name, "www.example"));
    for (int round = 0; round < 20000; round++) {
        struct err e = { 0 };
        char path[32];
        memcpy(bad, good, len);
        for (uint32_t n = 1 + rnd(3); n != 0; n--) {
            size_t at = IMAGE_PAGE + rnd((uint32_t)(len - IMAGE_PAGE));
            uint32_t kind = rnd(3);
            bad[at] = kind == 0 ? (uint8_t)(bad[at] ^ 1u << rnd(8)) : kind == 1 ? 0xff : 0;
        }
        int fd = zone_help_file(bad, len, path);
        struct zone_set *s = zone_set_map(fd, &e);
        close(fd);
        const struct zone *z = s != NULL ? zone_set_find(s, &name) : NULL;
        if (z != NULL)
            sum += read_zone(z);
        gone += z == NULL;
        zone_set_free(s);
    }
    assert_true(sum != 0);
    assert_in_range(gone, 100, 19000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_image_is_refused),
        cmocka_unit_test(a_damaged_image_never_hurts_a_reader),
    };
    return cmocka_run_group_tests_name("zone_image", tests, NULL, NULL);
}
