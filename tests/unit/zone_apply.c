/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Updates: what a change makes of an image is what building the changed zone anew makes. Random zones
 * and changes, from a seed; then writes that tear, and versions that readers still hold. */
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>

#include "base/wr.h"
#include "dns/type.h"
#include "zone/apply.h"
#include "zone/image.h"
#include "zone_help.h"

#define LINES_MAX 3000

struct line {
    char owner[40];
    const char *rest;
};

static struct line lines[2][LINES_MAX];
static size_t line_count[2];
static uint64_t seed;
static char text[2][LINES_MAX * 120];

static uint32_t rnd(uint32_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 33) % below;
}

static const char *const kinds[] = {
    "A 192.0.2.1",
    "A 192.0.2.2",
    "TXT x",
    "NSEC a. A",
    "RRSIG A 8 2 1 20300101000000 20200101000000 1 . AAAA",
    "RRSIG NSEC 8 2 1 20300101000000 20200101000000 1 . AAAA",
    "AAAA 2001:db8::1",
    "TYPE65280 \\# 1 00",
};

static void random_line(struct line *l, bool wide)
{
    static const char *const labels[] = { "a", "B", "*", "c", "\\000", "d" };
    struct wr w = wr_init(l->owner, sizeof l->owner - 1);
    unsigned sum = 0;
    for (uint32_t depth = 1 + rnd(wide ? 2 : 4); depth != 0; depth--) {
        char label[16];
        uint32_t pick = rnd(wide ? 3000 : (uint32_t)BASE_COUNT(labels));
        if (wide)
            snprintf(label, sizeof label, "n%u", pick);
        else
            snprintf(label, sizeof label, "%s", labels[pick]);
        sum += pick;
        wr_bytes(&w, label, strlen(label));
        if (depth != 1)
            wr_bytes(&w, ".", 1);
    }
    wr_u8(&w, 0);
    l->rest = kinds[rnd(BASE_COUNT(kinds))];
    /* A name owns NS or DNAME, never both. */
    if (rnd(6) == 0)
        l->rest = sum % 2 != 0 ? "NS a." : "DNAME b.";
    if (rnd(20) == 0) {
        snprintf(l->owner, sizeof l->owner, "%08u", rnd(100));
        l->rest = rnd(2) != 0 ? "NSEC3 1 0 0 - 00000000 A" : "NSEC3 1 0 0 - 00000001 A";
    }
}

static void write_text(int which, unsigned serial)
{
    int at = snprintf(text[which], sizeof text[which],
                      "$TTL 1\n@ SOA a. b. %u 1 1 1 1\n@ NS a.\n@ NSEC3PARAM 1 0 0 -\n", serial);
    for (size_t i = 0; i < line_count[which]; i++)
        at += snprintf(text[which] + at, sizeof text[which] - (size_t)at, "%s %s\n",
                       lines[which][i].owner, lines[which][i].rest);
}

/* A zone, and one that differs from it in some lines. */
static void random_zones(bool wide)
{
    line_count[0] = wide ? 200 + rnd(2500) : rnd(30);
    for (size_t i = 0; i < line_count[0]; i++)
        random_line(&lines[0][i], wide);
    line_count[1] = 0;
    uint32_t keep = rnd(100);
    for (size_t i = 0; i < line_count[0]; i++)
        if (rnd(100) < keep)
            lines[1][line_count[1]++] = lines[0][i];
    for (uint32_t more = rnd(wide ? 200 : 10); more != 0; more--)
        random_line(&lines[1][line_count[1]++], wide);
    write_text(0, 1);
    write_text(1, 2);
}

static struct zone_change changes[LINES_MAX * 2 + 10];
static struct dns_name owners[LINES_MAX * 2 + 10];
static uint32_t change_count;

static bool holds(const struct zone *z, const struct zone_node *n, uint16_t type, bool sig,
                  const uint8_t *rdata, uint16_t len)
{
    struct zone_rrset r;
    uint32_t pos = 0;
    while (n != NULL && zone_node_next(z, n, &pos, &r)) {
        if (r.type != type)
            continue;
        const uint8_t *p = sig ? r.sigs : r.rdata, *end = p + (sig ? r.sigs_len : r.rdata_len);
        for (; p != end; p += 2 + (p[0] << 8 | p[1]))
            if ((p[0] << 8 | p[1]) == len && memcmp(p + 2, rdata, len) == 0)
                return true;
    }
    return false;
}

static void add_missing(const struct zone *in, const struct zone_node *n, const struct zone *out,
                        const struct zone_node *other, bool add)
{
    struct zone_rrset r;
    uint32_t pos = 0;
    while (zone_node_next(in, n, &pos, &r))
        for (int sig = 0; sig < 2; sig++) {
            const uint8_t *p = sig ? r.sigs : r.rdata, *end = p + (sig ? r.sigs_len : r.rdata_len);
            for (; p != end; p += 2 + (p[0] << 8 | p[1])) {
                uint16_t len = (uint16_t)(p[0] << 8 | p[1]);
                if (holds(out, other, r.type, sig, p + 2, len))
                    continue;
                zone_node_name(in, n, &owners[change_count]);
                changes[change_count] = (struct zone_change){ .owner = &owners[change_count],
                                                              .rdata = p + 2,
                                                              .ttl_s = r.ttl_s,
                                                              .type = sig ? DNS_TYPE_RRSIG : r.type,
                                                              .len = len,
                                                              .add = add };
                change_count++;
            }
        }
}

static const struct zone_node *exact(const struct zone *z, const struct zone *in,
                                     const struct zone_node *n)
{
    struct dns_name name;
    struct zone_found f;
    zone_node_name(in, n, &name);
    zone_lookup(z, &name, &f);
    return f.exact;
}

/* The NSEC3 owners of a zone, in no order: found by their names. */
static const struct zone_node *nsec3_at(const struct zone *z, unsigned i)
{
    char name_text[40];
    struct dns_name name, origin, all;
    bool matches;
    snprintf(name_text, sizeof name_text, "%08u", i);
    assert_true(dns_name_from_text(&name, name_text));
    zone_origin(z, &origin);
    assert_true(dns_name_join(&name, 1, &origin, &all));
    const struct zone_node *n = zone_nsec3_before(z, &all, &matches);
    return matches ? n : NULL;
}

/* What turns `from` into `to`: removals first, as RFC 1995 section 4 has them. */
static void make_changes(const struct zone *from, const struct zone *to)
{
    change_count = 0;
    for (const struct zone_node *n = zone_apex(from); n != NULL; n = zone_node_after(from, n))
        add_missing(from, n, to, exact(to, from, n), false);
    for (unsigned i = 0; i < 100; i++)
        if (nsec3_at(from, i) != NULL)
            add_missing(from, nsec3_at(from, i), to, nsec3_at(to, i), false);
    for (const struct zone_node *n = zone_apex(to); n != NULL; n = zone_node_after(to, n))
        add_missing(to, n, from, exact(from, to, n), true);
    for (unsigned i = 0; i < 100; i++)
        if (nsec3_at(to, i) != NULL)
            add_missing(to, nsec3_at(to, i), from, nsec3_at(from, i), true);
}

static void same_node(const struct zone *x, const struct zone_node *a, const struct zone *y,
                      const struct zone_node *b, uint64_t from_seed)
{
    struct dns_name a_name, b_name;
    struct zone_rrset r, s;
    uint32_t r_pos = 0, s_pos = 0;
    char t[DNS_TEXT_MAX];
    if (a == NULL && b == NULL)
        return;
    if (a == NULL || b == NULL)
        fail_msg("a name is missing\nreplay: PERIGEE_SEED=%llu", (unsigned long long)from_seed);
    zone_node_name(x, a, &a_name);
    zone_node_name(y, b, &b_name);
    if (!dns_name_equal(&a_name, &b_name) || a->flags != b->flags)
        fail_msg("%s: another name, or flags 0x%x and not 0x%x\nreplay: PERIGEE_SEED=%llu",
                 dns_name_text(&a_name, t), a->flags, b->flags, (unsigned long long)from_seed);
    for (;;) {
        bool more = zone_node_next(x, a, &r_pos, &r);
        assert_int_equal(more, zone_node_next(y, b, &s_pos, &s));
        if (!more)
            return;
        assert_int_equal(r.type, s.type);
        assert_int_equal(r.count, s.count);
        assert_int_equal(r.sig_count, s.sig_count);
        assert_int_equal(r.ttl_s, s.ttl_s);
        assert_int_equal(r.rdata_len, s.rdata_len);
        assert_int_equal(r.sigs_len, s.sigs_len);
        assert_memory_equal(r.rdata, s.rdata, r.rdata_len);
        if (r.sigs_len != 0)
            assert_memory_equal(r.sigs, s.sigs, r.sigs_len);
    }
}

static void same_zone(const struct zone *x, const struct zone *y, uint64_t from_seed)
{
    const struct zone_node *a = zone_apex(x), *b = zone_apex(y);
    uint32_t count = 0;
    for (; a != NULL || b != NULL; a = zone_node_after(x, a), b = zone_node_after(y, b)) {
        same_node(x, a, y, b, from_seed);
        assert_ptr_equal(exact(x, x, a), a);
        count++;
    }
    for (unsigned i = 0; i < 100; i++)
        same_node(x, nsec3_at(x, i), y, nsec3_at(y, i), from_seed);
    assert_int_equal(x->node_count, count);
    assert_int_equal(y->node_count, count);
    assert_int_equal(x->any, y->any);
    assert_int_equal(zone_serial(x), zone_serial(y));
    assert_int_equal(zone_record_count(x), zone_record_count(y));
    assert_int_equal(x->nsec3_count, y->nsec3_count);
}

static struct zone_set *map(int fd)
{
    struct err e = { 0 };
    struct zone_set *s = zone_set_map(fd, &e);
    if (s == NULL)
        print_error("%s\n", e.what);
    assert_non_null(s);
    return s;
}

static void apply_round(uint64_t from_seed, const struct dns_name *origin)
{
    static struct zone_errors errs;
    struct err e = { 0 };
    char origin_text[DNS_TEXT_MAX];
    dns_name_text(origin, origin_text);
    seed = from_seed * 0x9e3779b97f4a7c15u + 1;
    random_zones(rnd(50) == 0);
    int old_fd = zone_help_image(origin_text, text[0], strlen(text[0]), &errs);
    assert_int_equal(errs.errors, 0);
    int fd = zone_help_image(origin_text, text[0], strlen(text[0]), &errs);
    int new_fd = zone_help_image(origin_text, text[1], strlen(text[1]), &errs);
    assert_int_equal(errs.errors, 0);
    struct zone_set *was = map(old_fd), *before = map(fd), *want = map(new_fd);
    make_changes(zone_set_at(was, 0), zone_set_at(want, 0));
    memset(&errs, 0, sizeof errs);
    if (!zone_image_apply(fd, origin, changes, change_count, &errs))
        fail_msg("%s\nreplay: PERIGEE_SEED=%llu", errs.at[0].what, (unsigned long long)from_seed);
    struct zone_set *after = map(fd);
    assert_int_equal(zone_set_version(after), 2);
    same_zone(zone_set_at(after, 0), zone_set_at(want, 0), from_seed);
    same_zone(zone_set_at(before, 0), zone_set_at(was, 0), from_seed); /* who reads it goes on */
    assert_true(zone_image_verify(fd, &e));
    /* Without what is dead it is as small as one made anew. */
    int small_fd = zone_image_memfd(&e);
    uint64_t bytes, dead, anew;
    assert_true(zone_image_compact(fd, small_fd, &e));
    struct zone_set *small = map(small_fd);
    same_zone(zone_set_at(small, 0), zone_set_at(want, 0), from_seed);
    assert_true(zone_image_usage(small_fd, &bytes, &dead, &e));
    assert_true(zone_image_usage(new_fd, &anew, &dead, &e));
    assert_int_equal(bytes, anew);
    assert_int_equal(dead, 0);
    zone_set_free(small);
    zone_set_free(after);
    zone_set_free(before);
    zone_set_free(was);
    zone_set_free(want);
    close(small_fd);
    close(new_fd);
    close(fd);
    close(old_fd);
}

static void a_change_makes_what_building_makes(void **state)
{
    (void)state;
    static const char *const origins[] = { "example.com", ".", "b" };
    const char *given = getenv("PERIGEE_SEED");
    uint64_t first = given != NULL ? strtoull(given, NULL, 10) : 1;
    for (uint64_t s = first; s < first + (given != NULL ? 1 : 600); s++) {
        struct dns_name origin;
        assert_true(dns_name_from_text(&origin, origins[s % BASE_COUNT(origins)]));
        apply_round(s, &origin);
    }
}

static const char small_zone[] = "$TTL 1\n@ SOA a b 1 1 1 1 1\n@ NS a\na A 192.0.2.1\nc CNAME a\n";

static void what_cannot_be_is_refused_whole(void **state)
{
    (void)state;
    static const struct {
        const char *owner;
        uint16_t type;
        bool add;
        const char *rdata;
        uint16_t len;
        const char *what;
    } cases[] = {
        { "a.example", 1, false, "\1\2\3\4", 4,
          "a.example. A: the record to be removed is not there" },
        { "b.example", 1, false, "\1\2\3\4", 4,
          "b.example. A: the record to be removed is not there" },
        { "a.example", 1, true, "\1\2\3", 3, "a.example. A: an A record has four bytes" },
        { "a.org", 1, true, "\1\2\3\4", 4, "a.org. A: it is outside the zone" },
        { "c.example", 1, true, "\1\2\3\4", 4, "c.example. has CNAME and other data (A)" },
        { "example", 2, false, "\1a\7EXAMPLE", 11, "example. would have no SOA or no NS record" },
        { "example", 255, true, "", 0, "example. ANY: this type cannot be in a zone" },
    };
    static struct zone_errors errs;
    struct dns_name origin, owner;
    assert_true(dns_name_from_text(&origin, "example"));
    int fd = zone_help_image("example", small_zone, strlen(small_zone), &errs);
    for (size_t i = 0; i < BASE_COUNT(cases); i++) {
        assert_true(dns_name_from_text(&owner, cases[i].owner));
        struct zone_change c = { .owner = &owner,
                                 .rdata = (const uint8_t *)cases[i].rdata,
                                 .type = cases[i].type,
                                 .len = cases[i].len,
                                 .add = cases[i].add };
        memset(&errs, 0, sizeof errs);
        assert_false(zone_image_apply(fd, &origin, &c, 1, &errs));
        assert_string_equal(errs.at[0].what, cases[i].what);
        struct zone_set *s = map(fd);
        assert_int_equal(zone_set_version(s), 1);
        zone_set_free(s);
    }
    /* No such zone; and an image that nobody may write. */
    struct err e = { 0 };
    struct zone_change c = {
        .owner = &origin, .rdata = (const uint8_t *)"", .type = 65280, .add = true
    };
    assert_true(dns_name_from_text(&owner, "com"));
    memset(&errs, 0, sizeof errs);
    assert_false(zone_image_apply(fd, &owner, &c, 1, &errs));
    assert_string_equal(errs.at[0].what, "there is no zone com.");
    assert_true(zone_image_seal(fd, &e));
    memset(&errs, 0, sizeof errs);
    assert_false(zone_image_apply(fd, &origin, &c, 1, &errs));
    assert_string_equal(errs.at[0].what, "cannot write the zone image: Operation not permitted");
    close(fd);
}

static int copy_of(int fd, size_t len)
{
    int copy = memfd_create("copy", MFD_CLOEXEC);
    static uint8_t bytes[1 << 20];
    assert_true(pread(fd, bytes, sizeof bytes, 0) >= (ssize_t)len);
    assert_int_equal(write(copy, bytes, len), (ssize_t)len);
    return copy;
}

static uint64_t version_of(int fd)
{
    struct err e = { 0 };
    struct zone_set *s = zone_set_map(fd, &e);
    uint64_t version = s != NULL ? zone_set_version(s) : 0;
    zone_set_free(s);
    return version;
}

/* Whatever part of a write reached the disk, what is mapped is a version that was whole. */
static void a_torn_write_leaves_the_version_before(void **state)
{
    (void)state;
    static struct zone_errors errs;
    struct err e = { 0 };
    struct dns_name origin;
    assert_true(dns_name_from_text(&origin, "example"));
    int fd = zone_help_image("example", small_zone, strlen(small_zone), &errs);
    off_t old_end = lseek(fd, 0, SEEK_END);
    uint8_t slots[IMAGE_PAGE], old_head[IMAGE_PAGE];
    assert_int_equal(pread(fd, old_head, sizeof old_head, 0), sizeof old_head);
    struct zone_change c = {
        .owner = &origin, .rdata = (const uint8_t *)"", .type = 65280, .add = true
    };
    assert_true(zone_image_apply(fd, &origin, &c, 1, &errs));
    off_t new_end = lseek(fd, 0, SEEK_END);
    assert_true(new_end > old_end);
    assert_int_equal(pread(fd, slots, sizeof slots, 0), sizeof slots);
    /* The slot is there, what it means is not. */
    for (off_t end = old_end; end < new_end; end++) {
        int copy = copy_of(fd, (size_t)end);
        assert_int_equal(version_of(copy), 1);
        close(copy);
    }
    /* A part of the slot. */
    for (size_t n = 0; n <= sizeof(struct zone_image_slot); n++) {
        uint8_t head[IMAGE_PAGE];
        memcpy(head, old_head, sizeof head);
        memcpy(head + IMAGE_SLOT_B, slots + IMAGE_SLOT_B, n);
        int copy = copy_of(fd, (size_t)new_end);
        assert_int_equal(pwrite(copy, head, sizeof head, 0), sizeof head);
        uint64_t version = version_of(copy);
        assert_true(version == 1 || n == sizeof(struct zone_image_slot) ||
                    memcmp(head, slots, sizeof head) == 0);
        close(copy);
    }
    /* Both slots are broken: no version at all, said so. */
    int copy = copy_of(fd, (size_t)new_end);
    assert_int_equal(pwrite(copy, "xxxxxxxx", 8, IMAGE_SLOT_A + 8), 8);
    assert_int_equal(version_of(copy), 2);
    assert_int_equal(pwrite(copy, "xxxxxxxx", 8, IMAGE_SLOT_B + 8), 8);
    assert_null(zone_set_map(copy, &e));
    assert_string_equal(e.what, "the zone image was never finished, or is damaged");
    close(copy);
    /* A byte that changed on the disk. */
    copy = copy_of(fd, (size_t)new_end);
    assert_true(zone_image_verify(copy, &e));
    assert_int_equal(pwrite(copy, "\xff", 1, new_end - 40), 1);
    assert_false(zone_image_verify(copy, &e));
    close(copy);
    close(fd);
}

/* Every length at which the disk may be full: an error that says so, and the version before. */
static void a_full_disk_is_an_error(void **state)
{
    (void)state;
    static struct zone_errors errs;
    struct rlimit was, now;
    struct sigaction ignore = { .sa_handler = SIG_IGN }, before;
    struct dns_name origin;
    assert_true(dns_name_from_text(&origin, "example"));
    struct zone_change c = {
        .owner = &origin, .rdata = (const uint8_t *)"", .type = 65280, .add = true
    };
    int fd = zone_help_image("example", small_zone, strlen(small_zone), &errs);
    off_t end = lseek(fd, 0, SEEK_END);
    assert_int_equal(sigaction(SIGXFSZ, &ignore, &before), 0);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
    for (off_t room = end; room < end + 600; room += 8) {
        now = was;
        now.rlim_cur = (rlim_t)room;
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &now), 0);
        memset(&errs, 0, sizeof errs);
        bool done = zone_image_apply(fd, &origin, &c, 1, &errs);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
        assert_int_equal(version_of(fd), done ? 2 : 1);
        if (done)
            break;
        assert_string_equal(errs.at[0].what, "cannot write the zone image: File too large");
    }
    assert_int_equal(version_of(fd), 2);
    /* And where there is no room for an image at all. */
    now = was;
    now.rlim_cur = 64; /* less than a page; the text's file is written before */
    struct err e = { 0 };
    char path[32];
    int text_fd = zone_help_file(small_zone, strlen(small_zone), path), out = zone_image_memfd(&e);
    struct zone_source source = { .origin = "example", .path = path };
    memset(&errs, 0, sizeof errs);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &now), 0);
    bool built = zone_build_image(&source, 1, out, &errs);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
    assert_false(built);
    assert_string_equal(errs.at[0].what, "cannot write the zone image: File too large");
    assert_int_equal(sigaction(SIGXFSZ, &before, NULL), 0);
    close(out);
    close(text_fd);
    close(fd);
}

static void many_versions_stay_in_proportion(void **state)
{
    (void)state;
    static struct zone_errors errs;
    struct err e = { 0 };
    struct dns_name origin;
    seed = 7;
    line_count[0] = 2000;
    for (size_t i = 0; i < line_count[0]; i++)
        random_line(&lines[0][i], true);
    write_text(0, 1);
    assert_true(dns_name_from_text(&origin, "example"));
    int fd = zone_help_image("example", text[0], strlen(text[0]), &errs);
    uint64_t first, bytes, dead;
    assert_true(zone_image_usage(fd, &first, &dead, &e));
    for (int i = 0; i < 100; i++) {
        struct zone_change c = { .owner = &origin,
                                 .rdata = (const uint8_t *)"x",
                                 .len = 1,
                                 .type = 65280,
                                 .add = i % 2 == 0 };
        assert_true(zone_image_apply(fd, &origin, &c, 1, &errs));
    }
    assert_true(zone_image_usage(fd, &bytes, &dead, &e));
    assert_true((bytes - first) / 100 < 4096);
    assert_true(dead > (bytes - first) / 2);
    assert_int_equal(version_of(fd), 101);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_makes_what_building_makes),
        cmocka_unit_test(what_cannot_be_is_refused_whole),
        cmocka_unit_test(a_torn_write_leaves_the_version_before),
        cmocka_unit_test(a_full_disk_is_an_error),
        cmocka_unit_test(many_versions_stay_in_proportion),
    };
    return cmocka_run_group_tests_name("zone_apply", tests, NULL, NULL);
}
