/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Zone text that is wrong, and files that do not hold still. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "zone_help.h"

#define HEAD "$TTL 300\n@ SOA ns1 host 5 2 1 9 60\n@ NS ns1\nns1 A 192.0.2.1\n" /* lines 1 to 4 */

static const struct {
    const char *what, *text;
    uint32_t errors, line; /* line: of the first */
    const char *first;     /* its beginning */
} broken[] = {
    { "nothing", "", 2, 0, "example. has no SOA record" },
    { "only a comment", "; nothing here\n", 2, 0, "example. has no SOA record" },
    { "no SOA", "@ NS a\na A 1.1.1.1\n", 1, 0, "example. has no SOA record" },
    { "no NS", "@ SOA a b 1 1 1 1 1\n", 1, 0, "example. has no NS record" },
    { "NS only below", "@ SOA a b 1 1 1 1 1\nx NS a\n", 1, 0, "example. has no NS record" },
    { "the same SOA twice, as AXFR has it", HEAD "@ SOA NS1 host 5 2 1 9 60\n", 0, 0, NULL },
    { "several SOAs", HEAD "@ SOA ns1 host 6 2 1 9 60\n", 1, 5,
      "example. has 2 different SOA records" },
    { "a SOA below", HEAD "sub SOA ns1 host 6 2 1 9 60\n", 1, 5,
      "sub.example. is not the zone's origin and has a SOA record" },
    { "outside", HEAD "www.example.org. A 1.1.1.1\n", 1, 5,
      "www.example.org. is not in the zone example." },
    { "outside, by a forgotten dot", HEAD "$ORIGIN example.org.\nx A 1.1.1.1\ny A 1.1.1.1\n", 2, 6,
      "x.example.org. is not in the zone example." },
    { "like the origin only at its end", HEAD "myexample. A 1.1.1.1\n", 1, 5,
      "myexample. is not in the zone example." },
    { "CNAME and other data", HEAD "w CNAME ns1\nw A 1.1.1.1\n", 1, 5,
      "w.example. has CNAME and other data (A)" },
    { "CNAME at the origin", HEAD "@ CNAME ns1\n", 1, 5,
      "example. has CNAME and other data (SOA)" },
    { "two CNAMEs", HEAD "w CNAME ns1\nw CNAME ns2\n", 1, 6,
      "w.example. has 2 different CNAME records" },
    { "CNAME with NSEC and RRSIG is right (RFC 4034 section 4)",
      HEAD "w CNAME ns1\nw NSEC @ CNAME\n"
           "w RRSIG CNAME 8 2 40 20300101000000 20200101000000 1 example. AAAA\n",
      0, 0, NULL },
    { "two DNAMEs", HEAD "w DNAME a.\nw DNAME b.\n", 1, 6,
      "w.example. has 2 different DNAME records" },
    { "DNAME and NS", HEAD "w DNAME a.\nw NS b.\n", 1, 5, "w.example. has DNAME and NS" },
    { "DNAME and NS at the origin is right (RFC 6672 section 2.3)", HEAD "@ DNAME a.\n", 0, 0,
      NULL },
    { "a broken address", HEAD "w A 1.1.1\n", 1, 5, "A: invalid IPv4 address" },
    { "all errors, not the first only", HEAD "w A 1.1.1\nw A 1.1.1.1 1\nw FOO bar\nx A 1.1.1.1\n",
      3, 5, "A: invalid IPv4 address" },
    { "a broken SOA is told once", "@ SOA a b 1 1 1\n@ NS a\n", 1, 1, "" },
    { "an unknown directive does not end the reading", HEAD "$FOO 1-2\nb A 1.1.1\n", 2, 5,
      "invalid directive: '$FOO'" },
    { "an open parenthesis is told where it stands", HEAD "w TXT ( a\nb\n", 1, 5,
      "a parenthesis that is never closed" },
    { "another class", HEAD "w CH TXT a\n", 1, 5, "a record of another class: 'CH'" },
    { "a TTL beyond RFC 2181 section 8", HEAD "w 2147483648 A 1.1.1.1\n", 1, 5,
      "the TTL 2147483648 is too large" },
    { "the largest TTL", HEAD "w 2147483647 A 1.1.1.1\n", 0, 0, NULL },
    { "a meta type", HEAD "w TYPE255 \\# 0\n", 1, 5, "ANY: this type cannot be in a zone" },
    { "OPT", HEAD "w TYPE41 \\# 0\n", 1, 5, "OPT: this type cannot be in a zone" },
    { "a known type in generic form", HEAD "w TYPE1 \\# 4 01020304\n", 0, 0, NULL },
    { "an address of three bytes", HEAD "w TYPE1 \\# 3 010203\n", 1, 5, "" },
    { "a broken name in generic form", HEAD "w TYPE2 \\# 3 0161ff\n", 1, 5,
      "NS: in generic form: a broken name" },
    { "a name with bytes behind it", HEAD "w TYPE5 \\# 4 01610000\n", 1, 5,
      "CNAME: in generic form: there are bytes behind the data" },
    { "a SOA that ends early",
      "@ TYPE6 \\# 22 0000 0000000100000001000000010000000100000001\n@ NS a\n", 0, 0, NULL },
    { "a SOA that ends earlier", "@ TYPE6 \\# 6 000000000001\n@ NS a\n", 1, 1,
      "SOA: in generic form: the data ends early" },
    { "an unknown type", HEAD "w TYPE65280 \\# 3 0161ff\n", 0, 0, NULL },
    { "a label of 64 bytes",
      HEAD "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa A 1.1.1.1\n", 1, 5,
      "a name with a label of more than 63 bytes" },
    { "carriage returns", "@ SOA a b 1 1 1 1 1\r\n@ NS a\r\n", 0, 0, NULL },
    { "no line end at the end", HEAD "w A 1.1.1.1", 0, 0, NULL },
    { "a missing include", HEAD "$INCLUDE /nonexistent/perigee\n", 2, 0,
      "cannot open it: No such file or directory" },
};

static void every_error_is_told(void **state)
{
    (void)state;
    static struct zone_errors errs;
    for (size_t i = 0; i < BASE_COUNT(broken); i++) {
        struct err e = { 0 };
        int fd = zone_help_image("example", broken[i].text, strlen(broken[i].text), &errs);
        struct zone_set *s = zone_set_map(fd, &e);
        close(fd);
        if ((s != NULL) != (errs.errors == 0))
            fail_msg("%s: %u errors and %s", broken[i].what, errs.errors, s ? "an image" : "none");
        zone_set_free(s);
        char text[ZONE_ERROR_TEXT_MAX] = "";
        const struct zone_error *first = zone_help_first(&errs);
        if (first != NULL)
            zone_error_text(first, text, sizeof text);
        if (errs.errors != broken[i].errors)
            fail_msg("%s: %u errors, not %u; the first: %s", broken[i].what, errs.errors,
                     broken[i].errors, text);
        if (first != NULL && (first->line != broken[i].line ||
                              strncmp(first->what, broken[i].first, strlen(broken[i].first)) != 0))
            fail_msg("%s: the first error is: %s", broken[i].what, text);
    }
}

static void a_zero_byte_is_an_error_of_its_line(void **state)
{
    (void)state;
    static const char text[] = HEAD "w\0w A 1.1.1.1\nx A 1.1.1.1\n";
    static struct zone_errors errs;
    close(zone_help_image("example", text, sizeof text - 1, &errs));
    assert_int_equal(errs.errors, 1);
    assert_int_equal(errs.at[0].line, 5);
}

static void lines_may_be_long_and_errors_many(void **state)
{
    (void)state;
    static struct zone_errors errs;
    size_t cap = 4u << 20;
    char *text = malloc(cap);
    assert_non_null(text);
    size_t len = (size_t)snprintf(text, cap, "%s", HEAD);
    memset(text + len, 'a', cap - len); /* one label of 4 MB */
    close(zone_help_image("example", text, cap, &errs));
    assert_int_equal(errs.errors, 1);
    assert_int_equal(errs.at[0].line, 5);
    memset(text + len, ' ', cap - len);
    text[len] = ';'; /* a comment of 4 MB */
    close(zone_help_image("example", text, cap, &errs));
    assert_int_equal(errs.errors, 0);
    for (size_t i = len; i < cap; i++)
        text[i] = "a A 1\n"[(i - len) % 6];
    close(zone_help_image("example", text, cap, &errs));
    assert_true(errs.errors > 600000);
    assert_int_equal(errs.kept, ZONE_ERRORS_KEPT);
    assert_int_equal(errs.at[19].line, 24);
    free(text);
}

static void errors_push_warnings_out(void **state)
{
    (void)state;
    static struct zone_errors errs;
    char text[4096];
    int len = snprintf(text, sizeof text, "%s", HEAD);
    for (int i = 0; i < 30; i++)
        len += snprintf(text + len, sizeof text - (size_t)len, "n%d 1 A 1.1.1.1\nn%d 2 A 1.1.1.2\n",
                        i, i);
    close(zone_help_image("example", text, (size_t)len, &errs));
    assert_int_equal(errs.errors, 0);
    assert_int_equal(errs.warnings, 30);
    assert_int_equal(errs.kept, ZONE_ERRORS_KEPT);
    assert_true(errs.at[0].warning);
    assert_string_equal(errs.at[0].what, "n0.example. A has several TTLs; 1 is used");
    snprintf(text + len, sizeof text - (size_t)len, "z CNAME a\nz A 1.1.1.1\n");
    close(zone_help_image("example", text, strlen(text), &errs));
    assert_int_equal(errs.errors, 1);
    assert_false(errs.at[ZONE_ERRORS_KEPT - 1].warning);
}

static const struct {
    const char *what, *text;
    uint32_t warnings, line;
    const char *first;
} servers[] = {
    { "a server with an address", "", 0, 0, NULL },
    { "one elsewhere", "s NS ns.example.org.\n", 0, 0, NULL },
    { "glue", "s NS ns.s\nns.s AAAA 2001:db8::1\n", 0, 0, NULL },
    { "no glue", "s NS ns.s\nns.s TXT x\n", 2, 5,
      "s.example. has no server with an address in the zone; one is ns.s.example." },
    { "no address above", "s NS x\nt NS x\n", 2, 5,
      "s.example. has no server with an address in the zone; one is x.example." },
    { "one with and one without", "s NS ns1\ns NS x\n", 1, 6,
      "s.example. has the server x.example., which has no address in the zone" },
    { "another zone knows", "s NS a.t\nt NS ns1\n", 0, 0, NULL },
    { "an address by a wildcard", "s NS a.b.w\n*.w A 192.0.2.1\n", 0, 0, NULL },
    { "a wildcard without one", "s NS a.b.w\n*.w TXT x\n", 1, 5,
      "s.example. has no server with an address in the zone; one is a.b.w.example." },
    { "a forgotten dot", "s NS ns.example.org\n", 1, 5,
      "s.example. has no server with an address in the zone; one is ns.example.org.example." },
    { "below a cut nobody is asked", "s NS ns.s\nns.s A 192.0.2.1\nx.s NS nowhere\n", 1, 7,
      "x.s.example. NS is below the delegation s.example." },
    { "another case", "s NS NS.S\nns.s A 192.0.2.1\n", 0, 0, NULL },
};

static void servers_have_addresses(void **state)
{
    (void)state;
    static struct zone_errors errs;
    char text[512];
    for (size_t i = 0; i < BASE_COUNT(servers); i++) {
        snprintf(text, sizeof text, "%s%s", HEAD, servers[i].text);
        close(zone_help_image("example", text, strlen(text), &errs));
        assert_int_equal(errs.errors, 0);
        if (errs.warnings != servers[i].warnings)
            fail_msg("%s: %u warnings, not %u", servers[i].what, errs.warnings,
                     servers[i].warnings);
        if (errs.warnings == 0)
            continue;
        assert_int_equal(errs.at[0].line, servers[i].line);
        assert_string_equal(errs.at[0].what, servers[i].first);
    }
}

/* A folder for files that have names. */
static char folder[] = "/tmp/perigee-zone-XXXXXX";

static const char *put_file(const char *name, const char *text)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
    return path;
}

static uint32_t load(const char *path, struct zone_errors *errs, struct zone_set **s)
{
    struct err e = { 0 };
    struct zone_source source = { .origin = "example.", .path = path };
    int fd = zone_image_memfd(&e);
    memset(errs, 0, sizeof *errs);
    *s = zone_build_image(&source, 1, fd, errs) ? zone_set_map(fd, &e) : NULL;
    close(fd);
    return errs->errors;
}

static bool has(const struct zone_set *s, const char *text)
{
    struct dns_name name;
    struct zone_found f;
    assert_true(dns_name_from_text(&name, text));
    zone_lookup(zone_set_at(s, 0), &name, &f);
    return f.exact != NULL && (zone_node_flags(f.exact) & ZONE_NODE_EMPTY) == 0;
}

static void includes_are_read(void **state)
{
    (void)state;
    static struct zone_errors errs;
    struct zone_set *s;
    char path[128];
    put_file("inner", "deep A 1.1.1.1\n");
    put_file("outer",
             "x A 1.1.1.1\n$INCLUDE inner sub.example.\ny A 1.1.1.1\n$ORIGIN q.example.\nz A "
             "1.1.1.1\n");
    /* RFC 1035 section 5.1: the origin of the including file stays what it was. */
    snprintf(path, sizeof path, "%s", put_file("zone", HEAD "$INCLUDE outer\nlast A 1.1.1.1\n"));
    assert_int_equal(load(path, &errs, &s), 0);
    assert_true(has(s, "x.example"));
    assert_true(has(s, "deep.sub.example"));
    assert_true(has(s, "y.example"));
    assert_true(has(s, "z.q.example"));
    assert_true(has(s, "last.example"));
    zone_set_free(s);
    /* An error in an included file names that file. */
    put_file("inner", "deep A 1.1.1\nw CNAME a\nw A 1.1.1.1\n");
    assert_int_equal(load(path, &errs, &s), 2);
    assert_non_null(strstr(errs.at[0].file, "/inner"));
    assert_int_equal(errs.at[0].line, 1);
    assert_non_null(strstr(errs.at[1].file, "/inner"));
    assert_int_equal(errs.at[1].line, 2);
    /* A file that includes itself. */
    put_file("inner", "$INCLUDE outer\n");
    assert_true(load(path, &errs, &s) >= 1);
    assert_string_equal(errs.at[0].what, "files include each other more than 8 deep");
    /* A relative origin is one below that of the including file, as for any name. */
    put_file("inner", "a A 1.1.1.1\n$ORIGIN deeper\nb A 1.1.1.1\n");
    put_file("outer", "$ORIGIN q.example.\n$INCLUDE inner sub\nc A 1.1.1.1\n");
    assert_int_equal(load(path, &errs, &s), 0);
    assert_true(has(s, "a.sub.q.example"));
    assert_true(has(s, "b.deeper.sub.q.example"));
    assert_true(has(s, "c.q.example"));
    zone_set_free(s);
}

static void what_is_no_file_is_refused(void **state)
{
    (void)state;
    static struct zone_errors errs;
    struct zone_set *s;
    char path[128];
    assert_int_equal(load(folder, &errs, &s), 1);
    assert_string_equal(errs.at[0].what, "it is not a file");
    snprintf(path, sizeof path, "%s/fifo", folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(load(path, &errs, &s), 1); /* and does not wait for a writer */
    assert_string_equal(errs.at[0].what, "it is not a file");
    snprintf(path, sizeof path, "%s/absent", folder);
    assert_int_equal(load(path, &errs, &s), 1);
    assert_int_equal(load("/dev/zero", &errs, &s), 1);
}

static _Atomic bool stop_changing;

static void *change_file(void *arg)
{
    int fd = open(arg, O_WRONLY | O_CLOEXEC);
    static char block[1 << 20];
    memset(block, '\n', sizeof block);
    for (int i = 0; !atomic_load(&stop_changing); i++) {
        if (ftruncate(fd, (off_t)sizeof block * (i % 3)) != 0 ||
            pwrite(fd, block, sizeof block, (off_t)sizeof block) < 0)
            break;
    }
    close(fd);
    return NULL;
}

/* A mapped file would end the process here (SIGBUS). */
static void a_file_that_shrinks_and_grows_is_refused_or_read(void **state)
{
    (void)state;
    static struct zone_errors errs;
    struct zone_set *s;
    char path[128];
    uint32_t changed = 0;
    snprintf(path, sizeof path, "%s", put_file("moving", HEAD));
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, change_file, path), 0);
    for (int i = 0; i < 200; i++) {
        if (load(path, &errs, &s) == 0)
            zone_set_free(s);
        changed +=
            errs.errors != 0 && strcmp(errs.at[0].what, "the file changed while it was read") == 0;
    }
    atomic_store(&stop_changing, true);
    pthread_join(thread, NULL);
    print_message("# changed while it was read: %u of 200\n", changed);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) != NULL ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    static const char *const names[] = { "inner", "outer", "zone", "fifo", "moving" };
    char path[128];
    for (size_t i = 0; i < BASE_COUNT(names); i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_error_is_told),
        cmocka_unit_test(a_zero_byte_is_an_error_of_its_line),
        cmocka_unit_test(lines_may_be_long_and_errors_many),
        cmocka_unit_test(errors_push_warnings_out),
        cmocka_unit_test(servers_have_addresses),
        cmocka_unit_test(includes_are_read),
        cmocka_unit_test(what_is_no_file_is_refused),
        cmocka_unit_test(a_file_that_shrinks_and_grows_is_refused_or_read),
    };
    return cmocka_run_group_tests_name("zone_load", tests, make_folder, remove_folder);
}
