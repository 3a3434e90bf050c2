/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Master-file text of every type, read by libzscanner with ours behind it, and by our own reader alone:
 * both must come to the same bytes. */
#include <stdlib.h>
#include <string.h>

#include "zone_help.h"

#include "zone/text.h"

#define HEAD "$ORIGIN example.\n$TTL 300\n@ SOA ns host 1 2 3 4 5\n@ NS ns\n" /* lines 1 to 4 */

struct reading {
    struct zone_stage stage;
    struct zone_errors errs;
    struct zone_text text;
};

static struct reading *read_text(const char *what, bool own)
{
    struct reading *r = calloc(1, sizeof *r);
    struct dns_name origin;
    char *copy = strdup(what);
    assert_true(dns_name_from_text(&origin, "example."));
    zone_stage_init(&r->stage);
    zone_text_init(&r->text, &origin, &r->stage, &r->errs);
    r->text.own_only = own;
    zone_text_bytes(&r->text, "memory", (uint8_t *)copy, strlen(what));
    free(copy);
    return r;
}

static void reading_free(struct reading *r)
{
    zone_text_fini(&r->text);
    zone_stage_fini(&r->stage);
    free(r);
}

/* The records of the name `label` as hexadecimal with TTL and type, in order. */
static void show(const struct reading *r, const char *label, char *out, size_t cap)
{
    size_t at = 0;
    out[0] = '\0';
    for (size_t i = 0; i < r->stage.runs; i++) {
        const struct zone_stage_run *run = zone_stage_run_at(&r->stage, i);
        const uint8_t *name = zone_stage_name(run);
        if (run->name_len != strlen(label) + 1 || memcmp(name + 1, label, strlen(label)) != 0)
            continue;
        const struct zone_stage_record *rec = zone_stage_first(run);
        for (uint32_t k = 0; k < run->records; k++, rec = zone_stage_after(rec)) {
            at += (size_t)snprintf(out + at, cap - at, "%s%u %u ", at != 0 ? "\n" : "", rec->ttl_s,
                                   rec->type);
            for (size_t b = 0; b < rec->len; b++)
                at += (size_t)snprintf(out + at, cap - at, "%02x", zone_stage_rdata(rec)[b]);
        }
    }
}

static const struct {
    const char *rfc, *type, *text, *bytes;
} rows[] = {
#include "zone_text_rows.h"
};

static void rdata_of_every_type(void **state)
{
    (void)state;
    for (size_t i = 0; i < BASE_COUNT(rows); i++)
        for (int own = 0; own < 2; own++) {
            char text[2048], got[2048];
            snprintf(text, sizeof text, HEAD "x %s %s\n", rows[i].type, rows[i].text);
            struct reading *r = read_text(text, own != 0);
            show(r, "x", got, sizeof got);
            const char *bytes = strrchr(got, ' ');
            if (r->errs.errors != 0 || bytes == NULL || strcmp(bytes + 1, rows[i].bytes) != 0)
                fail_msg("RFC %s, %s %s%s: %s%s", rows[i].rfc, rows[i].type, rows[i].text,
                         own != 0 ? " by our own reader" : "", got, r->errs.at[0].what);
            reading_free(r);
        }
}

/* What names, TTLs, lines and directives come to, at the name x. */
static const struct {
    const char *rfc, *text, *got;
} forms[] = {
    { "1035 5.1", "x 60 IN A 1.1.1.1\n", "60 1 01010101" },
    { "1035 5.1", "x IN 60 A 1.1.1.1\n", "60 1 01010101" },
    { "1035 5.1", "x A 1.1.1.1\n  A 1.1.1.2\n", "300 1 01010101\n300 1 01010102" },
    { "1035 5.1", "x ( A\n 1.1.1.1 ) ; a\n", "300 1 01010101" },
    { "1035 5.1", "\\120 A 1.1.1.1\n", "300 1 01010101" },
    { "1035 5.1", "$ORIGIN example.\nx A 1.1.1.1", "300 1 01010101" },
    { "1035 5.1", "x A 1.1.1.1\r\n", "300 1 01010101" },
    { "1035 5.1", "$ORIGIN sub\n$ORIGIN example.\nx A 1.1.1.1\n", "300 1 01010101" },
    { "9460 2.1", "x SVCB 1 . key3=\\000\\001\n", "300 64 000100000300020001" },
    { "9460 2.1", "x HTTPS 1 . key1=\\002h2\n", "300 65 00010000010003026832" },
    { "1035 5.1", "x TXT (a)(b)\n", "300 16 01610162" },
    { "1035 5.1", "x TXT a(b)c \"(d)\"\n", "300 16 01610162016303286429" },
    { "1035 5.1", "x TXT ( \"a\nb\" )\n", "300 16 03610a62" },
    { "1035 5.1", "\"x\" A 1.1.1.1\n", "300 1 01010101" },
    { "1035 5.1", "$TTL 7\nx A 1.1.1.1 (\n)\n", "7 1 01010101" },
    { "2308 4", "$TTL 1h1m\nx A 1.1.1.1\n", "3660 1 01010101" },
    { "3597 5", "x CLASS1 TYPE1 \\# 4 01010101\n", "300 1 01010101" },
    { "BIND", "$GENERATE 0-3/2 x A 1.1.1.$\n", "300 1 01010100\n300 1 01010102" },
    { "BIND", "$GENERATE 1-1 x 60 IN TXT \"${255,4,X} \\$ ${-1}\"\n", "60 16 043031303001240130" },
    { "BIND", "$GENERATE 8-8 x A 1.1.1.${2,0,o}\n", "300 1 0101010c" },
};

static void forms_of_entries(void **state)
{
    (void)state;
    for (size_t i = 0; i < BASE_COUNT(forms); i++)
        for (int own = 0; own < 2; own++) {
            char text[2048], got[2048];
            snprintf(text, sizeof text, HEAD "%s", forms[i].text);
            struct reading *r = read_text(text, own != 0);
            show(r, "x", got, sizeof got);
            if (r->errs.errors != 0 || strcmp(got, forms[i].got) != 0)
                fail_msg("%s, '%s'%s: %s%s", forms[i].rfc, forms[i].text,
                         own != 0 ? " by our own reader" : "", got, r->errs.at[0].what);
            reading_free(r);
        }
}

/* What is wrong is told with its line, and the entry behind it is read. */
static const struct {
    const char *text;
    uint32_t line; /* 0: it is right */
} wrong[] = {
    { "y AMTRELAY 10 0 1 2001:db8::1\n", 5 },
    { "y AMTRELAY 10 2 1 192.0.2.1\n", 5 },
    { "y HIP 2 2001 AwEAA\n", 5 },
    { "y HIP 2\n", 5 },
    { "y NSAP 4700\n", 5 },
    { "y ISDN 12 34 56\n", 5 },
    { "y X25 12a4\n", 5 },
    { "y GPOS a 0 0\n", 5 },
    { "y WKS 192.0.2.1 300 25\n", 5 },
    { "y SVCB 1 . mandatory=alpn\n", 5 },
    { "y SVCB 1 . alpn=h2 alpn=h3\n", 5 },
    { "y SVCB 1 . ohttp=1\n", 5 },
    { "y SVCB 0 . key=\n", 5 },
    { "y SVCB 1 . key3=1\n", 5 }, /* RFC 9460 section 2.1: the value is that of the wire */
    { "y SVCB 1 . key4=abc\n", 5 },
    { "y SVCB 1 . dohpath=/q\n", 5 }, /* RFC 9461 section 5 */
    { "y LOC 90 0 1 N 1 E 0\n", 5 },
    { "y CAA 0 is-sue \"a\"\n", 5 }, /* RFC 8659 section 4.1 */
    { "y SVCB 1 . alpn=\"f\\/a\"\n", 0 },
    { "y SVCB 1 . alpn=\"f\\\\oo\"\n", 5 }, /* RFC 9460 appendix A.1 */
    { "y SVCB 1 . key007=a\n", 5 },
    /* A record may not end before its parenthesis does; the token at fault is in the next line. */
    { "y A ( 1.1.1.1 ; )\nz A 1.1.1.1\n", 6 },
    { "y SOA a b ( 1 1 1 1 1 ; )\n@ NS a )\n", 6 },
    { "y TXT (a\n", 5 },
    { "y\\", 5 },
    { "y DSYNC CDS NOTIFY 65536 a.\n", 5 },
    { "y TXT \"open\n", 5 },
    { "y TXT \\300\n", 5 },
    { "y A 1.1.1.1 )\n", 5 },
    { "y A ( 1.1.1.1\n", 5 },
    { "y..z A 1.1.1.1\n", 5 },
    { "y TYPE1 \\# 4 0101\n", 5 },
    { "y TYPE65536 \\# 0\n", 5 },
    { "y CLASS3 A 1.1.1.1\n", 5 },
    { "$GENERATE 3-1 y A 1.1.1.1\n", 5 },
    { "$GENERATE 0-99999999999 y$ A 1.1.1.1\n", 5 },
    { "$GENERATE 0-4294967295 y$ A 1.1.1.1\n", 5 },
    { "$GENERATE 1-1/0 y A 1.1.1.1\n", 5 },
    { "$GENERATE 1-1 y${0,300,d} A 1.1.1.1\n", 5 },
    { "$GENERATE 1-1 y\n", 5 },
    { "$TTL\n", 5 },
    { "$ORIGIN\n", 5 },
    { "x A 1.1.1.1\n\ny NS ..\n", 7 },
};

static void faults_have_a_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < BASE_COUNT(wrong); i++)
        for (int own = 0; own < 2; own++) {
            char text[2048];
            snprintf(text, sizeof text, HEAD "%s", wrong[i].text);
            struct reading *r = read_text(text, own != 0);
            if ((r->errs.errors != 0) != (wrong[i].line != 0) ||
                r->errs.at[0].line != wrong[i].line)
                fail_msg("'%s'%s: %u errors, line %u: %s", wrong[i].text,
                         own != 0 ? " by our own reader" : "", r->errs.errors, r->errs.at[0].line,
                         r->errs.at[0].what);
            reading_free(r);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rdata_of_every_type),
        cmocka_unit_test(forms_of_entries),
        cmocka_unit_test(faults_have_a_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
