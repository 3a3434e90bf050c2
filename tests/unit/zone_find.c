/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where names fall in a zone: RFC 1034, 2308, 4034, 4592, 5155, 6672. */
#include "base/wr.h"
#include "zone_help.h"

static const char zone_text[] = "$TTL 300\n"
                                "@ SOA ns1 host 5 1 1 1 60\n"
                                "@ NS ns1\n"
                                "ns1 A 192.0.2.1\n"
                                "Host A 192.0.2.2\n"
                                "a.b.c.deep TXT \"x\"\n"
                                "* TXT \"top wildcard\"\n"
                                "*.wild A 192.0.2.3\n"
                                "sub.*.wild TXT \"below an asterisk\"\n"
                                "cut NS ns.cut\n"
                                "cut DS 1 8 1 aabb\n"
                                "ns.cut A 192.0.2.4\n"
                                "deeper.cut NS ns.elsewhere.\n"
                                "x.deeper.cut A 192.0.2.5\n"
                                "dn DNAME target.example.\n"
                                "hidden.dn A 192.0.2.6\n"
                                "alias CNAME host\n"
                                "odd\\000label A 192.0.2.7\n"
                                "odd\\001label A 192.0.2.8\n"
                                "with\\.dot A 192.0.2.9\n"
                                "under.with\\.dot A 192.0.2.9\n";

#define NONE NULL
static const struct {
    const char *rfc, *name, *exact, *encloser, *cut, *dname, *wildcard;
} lookups[] = {
    { "1034 4.3.2", "example.com", "example.com.", "example.com.", NONE, NONE, NONE },
    { "4343 3", "hOST.EXAMPLE.com", "Host.example.com.", "Host.example.com.", NONE, NONE, NONE },
    { "4592 3.3.1", "nope.example.com", NONE, "example.com.", NONE, NONE, "*.example.com." },
    { "4592 3.3.1", "x.y.z.example.com", NONE, "example.com.", NONE, NONE, "*.example.com." },
    { "4592 2.2.2", "c.deep.example.com", "c.deep.example.com.", "c.deep.example.com.", NONE, NONE,
      NONE },
    { "4592 2.2.2", "z.c.deep.example.com", NONE, "c.deep.example.com.", NONE, NONE, NONE },
    { "4592 2.2.1", "x.host.example.com", NONE, "Host.example.com.", NONE, NONE, NONE },
    { "4592 2.2.1", "q.wild.example.com", NONE, "wild.example.com.", NONE, NONE,
      "*.wild.example.com." },
    { "4592 2.2.1", "*.wild.example.com", "*.wild.example.com.", "*.wild.example.com.", NONE, NONE,
      NONE },
    { "4592 2.2.1", "z.*.wild.example.com", NONE, "*.wild.example.com.", NONE, NONE, NONE },
    { "4592 2.1.3", "sub.*.wild.example.com", "sub.*.wild.example.com.", "sub.*.wild.example.com.",
      NONE, NONE, NONE },
    { "1034 4.3.2 3b", "cut.example.com", "cut.example.com.", "cut.example.com.",
      "cut.example.com.", NONE, NONE },
    { "1034 4.3.2 3b", "www.cut.example.com", NONE, "cut.example.com.", "cut.example.com.", NONE,
      NONE },
    { "1034 4.3.2 3b", "ns.cut.example.com", "ns.cut.example.com.", "ns.cut.example.com.",
      "cut.example.com.", NONE, NONE },
    { "1034 4.3.2 3b", "x.deeper.cut.example.com", "x.deeper.cut.example.com.",
      "x.deeper.cut.example.com.", "cut.example.com.", NONE, NONE },
    { "1034 4.3.2 3b", "q.x.deeper.cut.example.com", NONE, "x.deeper.cut.example.com.",
      "cut.example.com.", NONE, NONE },
    { "6672 3.2", "dn.example.com", "dn.example.com.", "dn.example.com.", NONE, NONE, NONE },
    { "6672 3.2", "a.dn.example.com", NONE, "dn.example.com.", NONE, "dn.example.com.", NONE },
    { "6672 3.2", "hidden.dn.example.com", "hidden.dn.example.com.", "hidden.dn.example.com.", NONE,
      "dn.example.com.", NONE },
    { "6672 3.2", "q.hidden.dn.example.com", NONE, "hidden.dn.example.com.", NONE,
      "dn.example.com.", NONE },
    { "2181 11", "odd\\000label.example.com", "odd\\000label.example.com.",
      "odd\\000label.example.com.", NONE, NONE, NONE },
    { "2181 11", "odd\\001label.example.com", "odd\\001label.example.com.",
      "odd\\001label.example.com.", NONE, NONE, NONE },
    { "2181 11", "odd\\002label.example.com", NONE, "example.com.", NONE, NONE, "*.example.com." },
    { "1035 5.1", "with\\.dot.example.com", "with\\.dot.example.com.", "with\\.dot.example.com.",
      NONE, NONE, NONE },
    { "1035 5.1", "with.dot.example.com", NONE, "example.com.", NONE, NONE, "*.example.com." },
};

static void is_node(const struct zone *z, const struct zone_node *n, const char *want,
                    const char *name, const char *what)
{
    char text[DNS_TEXT_MAX] = "none";
    struct dns_name got;
    if (n != NULL) {
        zone_node_name(z, n, &got);
        dns_name_text(&got, text);
    }
    if (strcmp(text, want != NULL ? want : "none") != 0)
        fail_msg("%s of %s is %s, not %s", what, name, text, want != NULL ? want : "none");
}

static void names_fall_where_they_belong(void **state)
{
    (void)state;
    struct zone_set *s = zone_help_set("example.com", zone_text);
    for (size_t i = 0; i < BASE_COUNT(lookups); i++) {
        struct dns_name name;
        struct zone_found f;
        assert_true(dns_name_from_text(&name, lookups[i].name));
        const struct zone *z = zone_set_find(s, &name);
        assert_non_null(z);
        zone_lookup(z, &name, &f);
        is_node(z, f.exact, lookups[i].exact, lookups[i].name, "exact");
        is_node(z, f.encloser, lookups[i].encloser, lookups[i].name, "encloser");
        is_node(z, f.cut, lookups[i].cut, lookups[i].name, "cut");
        is_node(z, f.dname, lookups[i].dname, lookups[i].name, "dname");
        is_node(z, f.wildcard, lookups[i].wildcard, lookups[i].name, "wildcard");
        struct dns_name encloser;
        zone_node_name(z, f.encloser, &encloser);
        assert_int_equal(f.encloser_labels, encloser.labels);
    }
    zone_set_free(s);
}

static const struct {
    const char *name;
    uint32_t flags;
} flag_cases[] = {
    { "example.com", 0 },
    { "cut.example.com", ZONE_NODE_CUT | ZONE_NODE_DS },
    { "ns.cut.example.com", ZONE_NODE_OCCLUDED },
    { "deeper.cut.example.com", ZONE_NODE_OCCLUDED },
    { "dn.example.com", ZONE_NODE_DNAME },
    { "hidden.dn.example.com", ZONE_NODE_OCCLUDED },
    { "alias.example.com", ZONE_NODE_CNAME },
    { "deep.example.com", ZONE_NODE_EMPTY },
    { "wild.example.com", ZONE_NODE_EMPTY },
    { "*.wild.example.com", ZONE_NODE_WILDCARD },
};

static void flags_say_what_a_node_is(void **state)
{
    (void)state;
    struct zone_set *s = zone_help_set("example.com", zone_text);
    const struct zone *z = zone_set_at(s, 0);
    for (size_t i = 0; i < BASE_COUNT(flag_cases); i++) {
        struct dns_name name;
        struct zone_found f;
        assert_true(dns_name_from_text(&name, flag_cases[i].name));
        zone_lookup(z, &name, &f);
        assert_non_null(f.exact);
        if (zone_node_flags(f.exact) != flag_cases[i].flags)
            fail_msg("%s has flags 0x%x, not 0x%x", flag_cases[i].name, zone_node_flags(f.exact),
                     flag_cases[i].flags);
    }
    zone_set_free(s);
}

/* RFC 4034 section 6.1 has this example. */
static void order_is_canonical(void **state)
{
    (void)state;
    static const char *const order[] = {
        "example.",         "a.example.",      "yljkjljk.a.example.",
        "Z.a.example.",     "zABC.a.EXAMPLE.", "z.example.",
        "\\001.z.example.", "*.z.example.",    "\\200.z.example."
    };
    struct zone_set *s = zone_help_set(
        "example", "$TTL 1\n@ SOA a b 1 1 1 1 1\n@ NS a\n\\200.z A 1.1.1.1\n*.z A 1.1.1.1\n"
                   "\\001.z A 1.1.1.1\nz A 1.1.1.1\nzABC.a A 1.1.1.1\nZ.a A 1.1.1.1\n"
                   "yljkjljk.a A 1.1.1.1\na A 1.1.1.1\n");
    const struct zone *z = zone_set_at(s, 0);
    const struct zone_node *n = zone_apex(z);
    for (size_t i = 0; i < BASE_COUNT(order); i++, n = zone_node_after(z, n)) {
        struct dns_name got, want;
        assert_non_null(n);
        zone_node_name(z, n, &got);
        assert_true(dns_name_from_text(&want, order[i]));
        if (!dns_name_equal(&got, &want))
            fail_msg("name %zu is not %s", i, order[i]);
    }
    assert_null(n);
    zone_set_free(s);
}

static void rrsets_are_whole_and_in_order(void **state)
{
    (void)state;
    struct zone_set *s = zone_help_set(
        "example", "$TTL 10\n@ SOA a b 1 1 1 1 1\n@ NS b\n@ NS A\n@ NS a\n@ NS B\n"
                   "@ MX 10 b\n@ MX 5 c\n@ MX 10 a\n"
                   "t 50 TXT \"b\"\nt 40 TXT \"a\"\nt 60 TXT \"c\"\n"
                   "t RRSIG TXT 8 2 40 20300101000000 20200101000000 1 example. AAAA\n"
                   "u RRSIG A 8 2 40 20300101000000 20200101000000 1 example. AAAA\n");
    const struct zone *z = zone_set_at(s, 0);
    struct zone_rrset r;
    /* RFC 2181 section 5: the same record twice is one; the first's case is kept. RFC 4034 6.3. */
    assert_true(zone_node_find(z, zone_apex(z), 2, &r));
    assert_int_equal(r.count, 2);
    assert_memory_equal(r.rdata, "\0\x0b\1A\7example\0\0\x0b\1b\7example\0", 26);
    assert_int_equal(r.rdata_len, 26);
    assert_true(zone_node_find(z, zone_apex(z), 15, &r));
    assert_int_equal(r.count, 3);
    assert_int_equal(r.rdata[3], 5);
    assert_int_equal(r.rdata[5], 'c');
    assert_false(zone_node_find(z, zone_apex(z), 1, &r));
    /* The lowest TTL of the lines holds; signatures come with what they cover. */
    struct dns_name name;
    struct zone_found f;
    assert_true(dns_name_from_text(&name, "t.example"));
    zone_lookup(z, &name, &f);
    assert_true(zone_node_find(z, f.exact, 16, &r));
    assert_int_equal(r.count, 3);
    assert_int_equal(r.ttl_s, 40);
    assert_int_equal(r.sig_count, 1);
    assert_int_equal(r.sig_ttl_s, 10);
    assert_false(zone_node_find(z, f.exact, 46, &r));
    uint32_t pos = 0;
    assert_true(zone_node_next(z, f.exact, &pos, &r));
    assert_false(zone_node_next(z, f.exact, &pos, &r));
    /* A signature of nothing. */
    assert_true(dns_name_from_text(&name, "u.example"));
    zone_lookup(z, &name, &f);
    assert_false(zone_node_find(z, f.exact, 1, &r));
    pos = 0;
    assert_true(zone_node_next(z, f.exact, &pos, &r));
    assert_int_equal(r.type, 1);
    assert_int_equal(r.count, 0);
    assert_int_equal(r.sig_count, 1);
    zone_set_free(s);
}

static void nsec_before_matches_or_covers(void **state)
{
    (void)state;
    struct zone_set *s = zone_help_set(
        "example", "$TTL 10\n@ SOA a b 1 1 1 1 1\n@ NS a\n@ NSEC b NS SOA\nb A 1.1.1.1\n"
                   "b NSEC cut A\nx.b.ent A 1.1.1.1\ncut NS ns.cut\ncut NSEC x.b.ent NS\n"
                   "ns.cut A 1.1.1.1\nns2.cut A 1.1.1.1\nx.b.ent NSEC @ A\n");
    static const struct {
        const char *name, *nsec;
    } cases[] = {
        { "example", "example." },
        { "a.example", "example." },
        { "b.example", "b.example." },
        { "0.b.example", "b.example." },
        { "c.example", "b.example." },
        { "cut.example", "cut.example." },
        { "ns.cut.example", "cut.example." },
        { "zz.cut.example", "cut.example." },
        { "ent.example", "cut.example." },
        { "b.ent.example", "cut.example." },
        { "x.b.ent.example", "x.b.ent.example." },
        { "z.example", "x.b.ent.example." },
    };
    const struct zone *z = zone_set_at(s, 0);
    assert_true(zone_has_nsec(z));
    assert_false(zone_has_nsec3(z));
    for (size_t i = 0; i < BASE_COUNT(cases); i++) {
        struct dns_name name;
        assert_true(dns_name_from_text(&name, cases[i].name));
        is_node(z, zone_nsec_before(z, &name), cases[i].nsec, cases[i].name, "NSEC");
    }
    zone_set_free(s);
}

/* RFC 5155 section 7.2.8: owners of NSEC3 are no names of the zone. */
static void nsec3_owners_are_apart(void **state)
{
    (void)state;
    struct zone_set *s = zone_help_set(
        "example", "$TTL 10\n@ SOA a b 1 1 1 1 1\n@ NS a\n@ NSEC3PARAM 1 0 0 -\n"
                   "33333333 NSEC3 1 0 0 - 66666666 NS SOA\n66666666 NSEC3 1 0 0 - 33333333 A\n"
                   "66666666 RRSIG NSEC3 8 2 40 20300101000000 20200101000000 1 example. AAAA\n"
                   "44444444 RRSIG NSEC3 8 2 40 20300101000000 20200101000000 1 example. AAAA\n");
    const struct zone *z = zone_set_at(s, 0);
    struct dns_name name;
    struct zone_found f;
    bool matches;
    assert_true(zone_has_nsec3(z));
    assert_true(dns_name_from_text(&name, "66666666.example"));
    zone_lookup(z, &name, &f);
    assert_null(f.exact);
    is_node(z, zone_nsec3_before(z, &name, &matches), "66666666.example.", "66666666", "NSEC3");
    assert_true(matches);
    assert_true(dns_name_from_text(&name, "55555555.example"));
    is_node(z, zone_nsec3_before(z, &name, &matches), "33333333.example.", "55555555", "NSEC3");
    assert_false(matches);
    assert_true(
        dns_name_from_text(&name, "11111111.example")); /* before the first: the last covers */
    is_node(z, zone_nsec3_before(z, &name, &matches), "66666666.example.", "11111111", "NSEC3");
    assert_false(matches);
    assert_null(zone_node_after(z, zone_apex(z)));
    zone_set_free(s);
}

static void longest_origin_wins(void **state)
{
    (void)state;
    static const char *const origins[] = { ".",   "com",      "example.com",  "a.b.example.com",
                                           "net", "exam.com", "example-a.com" };
    static const struct {
        const char *name, *origin;
    } cases[] = {
        { "org", "." },
        { "com", "com." },
        { "www.com", "com." },
        { "EXAMPLE.com", "example.com." },
        { "b.example.com", "example.com." },
        { "z.b.example.com", "example.com." },
        { "x.y.a.b.example.com", "a.b.example.com." },
        { "aa.b.example.com", "example.com." },
        { "exampl.com", "com." },
        { "examplea.com", "com." },
        { "examp.le.com", "com." },
        { "q.exam.com", "exam.com." },
        { "neta", "." },
    };
    static const char text[] = "@ SOA a b 1 1 1 1 1\n@ NS a\n";
    struct zone_source sources[BASE_COUNT(origins)];
    struct zone_errors errs = { 0 };
    struct err e = { 0 };
    char path[32];
    int file = zone_help_file(text, sizeof text - 1, path), fd = zone_image_memfd(&e);
    for (size_t i = 0; i < BASE_COUNT(origins); i++)
        sources[i] = (struct zone_source){ .origin = origins[i], .path = path };
    assert_true(zone_build_image(sources, BASE_COUNT(origins), fd, &errs));
    assert_true(zone_image_seal(fd, &e));
    struct zone_set *s = zone_set_map(fd, &e);
    assert_non_null(s);
    assert_int_equal(zone_set_count(s), BASE_COUNT(origins));
    for (size_t i = 0; i < BASE_COUNT(cases); i++) {
        struct dns_name name, origin;
        char got[DNS_TEXT_MAX];
        assert_true(dns_name_from_text(&name, cases[i].name));
        const struct zone *z = zone_set_find(s, &name);
        assert_non_null(z);
        zone_origin(z, &origin);
        assert_string_equal(dns_name_text(&origin, got), cases[i].origin);
    }
    assert_null(zone_set_at(s, BASE_COUNT(origins)));
    zone_set_free(s);
    close(fd);
    /* The same zone twice is refused. */
    fd = zone_image_memfd(&e);
    sources[1].origin = "COM.";
    sources[2].origin = "com";
    memset(&errs, 0, sizeof errs);
    assert_false(zone_build_image(sources, BASE_COUNT(origins), fd, &errs));
    assert_int_equal(errs.errors, 1);
    assert_string_equal(zone_help_first(&errs)->what, "the zone com. is given twice");
    assert_null(zone_set_map(fd, &e));
    close(fd);
    close(file);
}

static void no_zone_at_all_is_an_image_too(void **state)
{
    (void)state;
    struct zone_errors errs = { 0 };
    struct err e = { 0 };
    struct dns_name name;
    int fd = zone_image_memfd(&e);
    assert_true(zone_build_image(NULL, 0, fd, &errs));
    struct zone_set *s = zone_set_map(fd, &e);
    assert_non_null(s);
    assert_int_equal(zone_set_count(s), 0);
    assert_null(zone_set_at(s, 0));
    assert_true(dns_name_from_text(&name, "example"));
    assert_null(zone_set_find(s, &name));
    zone_set_free(s);
    close(fd);
}

/* RFC 1035 section 2.3.4: 255 bytes in all, 127 labels. */
static void longest_names_are_found(void **state)
{
    (void)state;
    static const char head[] = "$TTL 1\n@ SOA a b 1 1 1 1 1\n@ NS a\n";
    static const uint8_t sizes[] = { 63, 63, 63, 61 };
    char longest[1100], deepest[300], text[4096];
    struct wr w = wr_init(longest, sizeof longest);
    for (size_t i = 0; i < BASE_COUNT(sizes); i++) {
        for (uint8_t k = 0; k < sizes[i]; k++)
            wr_bytes(&w, "\\000", 4);
        wr_bytes(&w, ".", i + 1 < BASE_COUNT(sizes) ? 1 : 2); /* the last with the final zero */
    }
    w = wr_init(deepest, sizeof deepest);
    for (int i = 0; i < 127; i++)
        wr_bytes(&w, "a.", 2);
    wr_u8(&w, 0);
    snprintf(text, sizeof text, "%s%s A 1.1.1.1\n%s A 2.2.2.2\n", head, longest, deepest);
    struct zone_set *s = zone_help_set(".", text);
    const struct zone *z = zone_set_at(s, 0);
    struct dns_name name;
    struct zone_found f;
    assert_true(dns_name_from_text(&name, longest));
    assert_int_equal(name.len, 255);
    zone_lookup(z, &name, &f);
    assert_non_null(f.exact);
    assert_true(dns_name_from_text(&name, deepest));
    assert_int_equal(name.labels, 127);
    zone_lookup(z, &name, &f);
    assert_non_null(f.exact);
    assert_int_equal(f.encloser_labels, 127);
    zone_set_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_fall_where_they_belong),
        cmocka_unit_test(flags_say_what_a_node_is),
        cmocka_unit_test(order_is_canonical),
        cmocka_unit_test(rrsets_are_whole_and_in_order),
        cmocka_unit_test(nsec_before_matches_or_covers),
        cmocka_unit_test(nsec3_owners_are_apart),
        cmocka_unit_test(longest_origin_wins),
        cmocka_unit_test(no_zone_at_all_is_an_image_too),
        cmocka_unit_test(longest_names_are_found),
    };
    return cmocka_run_group_tests_name("zone_find", tests, NULL, NULL);
}
