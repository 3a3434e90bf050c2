/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Catalog zones (RFC 9432) and the members of several: by table. */
#include "base/time.h"
#include "transfer/catalog.h"
#include "transfer/members.h"
#include "zone_help.h"

#define HEAD "@ 0 SOA invalid. invalid. 1 3600 600 2147483646 0\n@ 0 NS invalid.\n"
#define V2 HEAD "version 0 TXT \"2\"\n"

/* ---- what a catalog says ---- */

/* All members as "label=origin" with "+coo:" and the groups behind. */
static void say_members(const struct zone *z, char *out, size_t cap)
{
    struct transfer_catalog_walk w;
    struct transfer_catalog_member m;
    char why[TRANSFER_CATALOG_WHY] = "", text[DNS_TEXT_MAX], group[TRANSFER_CATALOG_GROUP];
    size_t at = 0;
    enum transfer_catalog_got got;
    out[0] = '\0';
    if (!transfer_catalog_version(z, why)) {
        snprintf(out, cap, "broken: %s", why);
        return;
    }
    transfer_catalog_begin(&w, z);
    while ((got = transfer_catalog_next(&w, &m, why)) == TRANSFER_CATALOG_MEMBER) {
        struct transfer_catalog_member again;
        assert_int_equal(transfer_catalog_member(z, m.label, &again, why), TRANSFER_CATALOG_MEMBER);
        assert_true(dns_name_equal(&again.origin, &m.origin));
        at += (size_t)snprintf(out + at, cap - at, "%s%.*s=%s", at == 0 ? "" : " ", m.label[0],
                               (const char *)m.label + 1, dns_name_text(&m.origin, text));
        if (m.has_coo)
            at += (size_t)snprintf(out + at, cap - at, "+coo:%s", dns_name_text(&m.coo, text));
        for (uint32_t i = 0; transfer_catalog_group(z, m.label, i, group); i++)
            at += (size_t)snprintf(out + at, cap - at, "+%s", group);
        assert_int_equal(m.groups != 0, transfer_catalog_group(z, m.label, 0, group));
    }
    if (got == TRANSFER_CATALOG_BROKEN)
        snprintf(out, cap, "broken: %s", why);
}

static const struct {
    const char *section, *what, *text, *says;
} reads[] = {
    { "4.1", "no member", V2, "" },
    { "4.1", "three members, by label",
      V2 "b.zones 0 PTR example.net.\na.zones 0 PTR example.com.\nc.zones 0 PTR example.org.\n",
      "a=example.com. b=example.net. c=example.org." },
    { "4.1", "labels and the word zones in any case", V2 "A1.ZONES 0 PTR Example.com.\n",
      "a1=Example.com." },
    { "4.1", "two records at a member", V2 "a.zones 0 PTR x.\na.zones 0 PTR y.\n",
      "broken: a.zones.cat." },
    { "4.1", "the root and a top-level domain", V2 "a.zones 0 PTR .\nb.zones 0 PTR de.\n",
      "a=. b=de." },
    { "4.1", "PTR elsewhere is no member",
      V2 "a 0 PTR x.\nzones 0 PTR y.\na.b.zones 0 PTR z.\nzones.zones 0 TXT x\n", "" },
    { "4.2", "properties of no member are passed over",
      V2 "group.a.zones 0 TXT x\ncoo.b.zones 0 PTR x.\nb.zones 0 TXT x\n", "" },
    { "4.3.1", "no version", HEAD "a.zones 0 PTR x.\n", "broken: it has no schema version" },
    { "4.3.1", "version 1", HEAD "version 0 TXT 1\n", "broken: its schema version must be" },
    { "4.3.1", "two versions", HEAD "version 0 TXT 1\nversion 0 TXT 2\n",
      "broken: its schema version must be" },
    { "4.3.1", "a version in two strings", HEAD "version 0 TXT \"2\" \"\"\n",
      "broken: its schema version must be" },
    { "4.3.1", "a version of another type", HEAD "version 0 A 192.0.2.2\n",
      "broken: it has no schema version" },
    { "4.4.1", "change of ownership", V2 "a.zones 0 PTR x.\ncoo.a.zones 0 PTR other.cat.\n",
      "a=x.+coo:other.cat." },
    { "4.4.1", "two new owners",
      V2 "a.zones 0 PTR x.\ncoo.a.zones 0 PTR o.\ncoo.a.zones 0 PTR p.\n",
      "broken: coo.a.zones.cat." },
    { "4.4.2", "a group", V2 "a.zones 0 PTR x.\ngroup.a.zones 0 TXT nodnssec\n", "a=x.+nodnssec" },
    { "4.4.2", "several groups, and one in two strings",
      V2 "a.zones 0 PTR x.\ngroup.a.zones 0 TXT b\ngroup.a.zones 0 TXT \"a\" \"c\"\n",
      "a=x.+ac+b" },
    { "4.5", "custom properties",
      V2 "a.zones 0 PTR x.\nfoo.ext.a.zones 0 A 192.0.2.1\nfoo.ext 0 TXT y\n", "a=x." },
    /* As Knot DNS 3.2 with `catalog-role: generate` and BIND 9.18's manual write them. */
    { "4", "as Knot DNS makes it",
      "@ 0 SOA cat. invalid. 1700000000 3600 600 2147483646 0\n@ 0 NS invalid.\n"
      "version 0 TXT \"2\"\n"
      "0000000065a0d7a1.zones 0 PTR example.com.\n"
      "group.0000000065a0d7a1.zones 0 TXT \"signed\"\n",
      "0000000065a0d7a1=example.com.+signed" },
    { "4", "as in the manual of BIND",
      "$TTL 3600\n@ IN SOA . . 1 86400 3600 86400 3600\n@ IN NS invalid.\n"
      "version IN TXT \"2\"\n"
      "5960775ba382e7a4e09263fc06e7c00569b6a05c.zones IN PTR domain1.example.\n"
      "masters.ext IN A 192.0.2.1\nallow-query.ext IN APL 1:10.0.0.1/24\n"
      "primaries.ext.5960775ba382e7a4e09263fc06e7c00569b6a05c.zones IN A 192.0.2.2\n",
      "5960775ba382e7a4e09263fc06e7c00569b6a05c=domain1.example." },
};

static void reads_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < BASE_COUNT(reads); i++) {
        char said[1000];
        struct zone_set *s = zone_help_set("cat", reads[i].text);
        say_members(zone_set_at(s, 0), said, sizeof said);
        bool broken = strncmp(reads[i].says, "broken", 6) == 0;
        if (broken ? strncmp(said, reads[i].says, strlen(reads[i].says)) != 0
                   : strcmp(said, reads[i].says) != 0)
            fail_msg("RFC 9432 section %s, %s: \"%s\"", reads[i].section, reads[i].what, said);
        zone_set_free(s);
    }
}

static void labels(void **state)
{
    (void)state;
    static const struct {
        const char *owner, *label;
    } rows[] = {
        { "a.zones.cat", "a" },           { "coo.A.zones.cat", "a" },
        { "x.ext.b.zones.cat", "b" },     { "zones.cat", NULL },
        { "version.cat", NULL },          { "cat", NULL },
        { "a.zones.zones.cat", "zones" }, { "a.b.cat", NULL },
    };
    struct zone_set *s = zone_help_set("cat", V2);
    for (size_t i = 0; i < BASE_COUNT(rows); i++) {
        struct dns_name n;
        uint8_t label[TRANSFER_CATALOG_LABEL];
        assert_true(dns_name_from_text(&n, rows[i].owner));
        bool got = transfer_catalog_label(zone_set_at(s, 0), &n, label);
        assert_int_equal(got, rows[i].label != NULL);
        if (got)
            assert_memory_equal(label + 1, rows[i].label, label[0]);
    }
    zone_set_free(s);
}

/* ---- what a new version changes ---- */

struct said {
    char text[1000];
    size_t at;
};

static void say_event(void *arg, const struct transfer_members_event *ev)
{
    static const char *const what[] = { "added", "removed", "reset", "moved", "groups", "ignored" };
    struct said *s = arg;
    char name[DNS_TEXT_MAX];
    s->at += (size_t)snprintf(s->text + s->at, sizeof s->text - s->at, "%s%s %s%u",
                              s->at == 0 ? "" : ", ", what[ev->what],
                              dns_name_text(ev->origin, name), ev->catalog);
    if (ev->what == TRANSFER_MEMBERS_MOVED)
        s->at += (size_t)snprintf(s->text + s->at, sizeof s->text - s->at, " from %u%s", ev->before,
                                  ev->reset ? " anew" : "");
    if (ev->configured)
        s->at += (size_t)snprintf(s->text + s->at, sizeof s->text - s->at, " configured");
}

#define STEPS 5
static const struct {
    const char *section, *what;
    struct {
        /* The members of catalog 0 or 1 ("cat0.", "cat1."); "-": not configured any more; NULL: the
         * operator's file has x. (catalog 0) or has it no longer (1). */
        int catalog;
        const char *text, *says;
    } step[STEPS];
} changes[] = {
    { "5.1",
      "members come and go",
      { { 0, "a.zones 0 PTR x.\nb.zones 0 PTR y.\n", "added x.0, added y.0" },
        { 0, "b.zones 0 PTR y.\nc.zones 0 PTR z.\n", "removed x.0, added z.0" },
        { 0, "b.zones 0 PTR y.\nc.zones 0 PTR z.\n", "" },
        { 0, "-", "removed y.0, removed z.0" } } },
    { "5.1",
      "a broken catalog changes nothing",
      { { 0, "a.zones 0 PTR x.\n", "added x.0" },
        { 0, "a.zones 0 PTR x.\na.zones 0 PTR y.\n", "broken" },
        { 0, "b.zones 0 PTR z.\ncoo.b.zones 0 PTR p.\ncoo.b.zones 0 PTR q.\n", "broken" },
        { 0, "version 0 TXT 3\nb.zones 0 PTR z.\n", "broken" },
        { 0, "a.zones 0 PTR x.\nb.zones 0 PTR z.\n", "added z.0" } } },
    { "5.2",
      "a name clash: who has it keeps it, and then the other has it, anew",
      { { 0, "a.zones 0 PTR x.\n", "added x.0" },
        { 1, "a.zones 0 PTR X.\n", "ignored X.1" },
        { 1, "a.zones 0 PTR x.\nb.zones 0 PTR y.\n", "added y.1" },
        { 0, "", "moved x.1 from 0 anew" } } },
    { "5.2",
      "twice in one catalog: the lower label",
      { { 0, "b.zones 0 PTR x.\na.zones 0 PTR x.\n", "added x.0, ignored x.0" },
        { 0, "b.zones 0 PTR x.\n", "reset x.0" },
        { 0, "b.zones 0 PTR x.\na.zones 0 PTR x.\n", "ignored x.0" } } },
    { "5.2",
      "the operator's file before all catalogs",
      { { 0, NULL, "" },
        { 0, "a.zones 0 PTR x.\n", "ignored x.0 configured" },
        { 1, NULL, "added x.0" },
        { 0, NULL, "removed x.0 configured" },
        { 0, "", "" } } },
    { "5.3",
      "only who has it can remove it",
      { { 0, "a.zones 0 PTR x.\n", "added x.0" },
        { 1, "a.zones 0 PTR x.\n", "ignored x.1" },
        { 1, "", "" },
        { 0, "", "removed x.0" } } },
    { "5.4",
      "a label that changes",
      { { 0, "a.zones 0 PTR x.\n", "added x.0" },
        { 0, "b.zones 0 PTR x.\n", "reset x.0" },
        { 0, "0.zones 0 PTR x.\n", "reset x.0" } } },
    { "5.4",
      "a label that gets another zone",
      { { 0, "a.zones 0 PTR x.\n", "added x.0" },
        { 0, "a.zones 0 PTR y.\n", "removed x.0, added y.0" },
        { 0, "a.zones 0 PTR x.\nb.zones 0 PTR y.\n", "added x.0, reset y.0" } } },
    { "4.4.1",
      "coo: moves with the update of the new owner, its state with the same label",
      { { 0, "a.zones 0 PTR x.\n", "added x.0" },
        { 0, "a.zones 0 PTR x.\ncoo.a.zones 0 PTR cat1.\n", "" },
        { 1, "a.zones 0 PTR x.\n", "moved x.1 from 0" },
        { 0, "", "" },
        { 1, "", "removed x.1" } } },
    { "4.4.1",
      "coo: another label resets",
      { { 0, "a.zones 0 PTR x.\ncoo.a.zones 0 PTR CAT1.\n", "added x.0" },
        { 1, "b.zones 0 PTR x.\n", "moved x.1 from 0 anew" } } },
    { "4.4.1",
      "coo to another catalog does not move",
      { { 0, "a.zones 0 PTR x.\ncoo.a.zones 0 PTR cat2.\n", "added x.0" },
        { 1, "a.zones 0 PTR x.\n", "ignored x.1" } } },
    { "4.4.1",
      "coo after the new owner has it: not before an update there",
      { { 1, "a.zones 0 PTR y.\n", "added y.1" },
        { 0, "a.zones 0 PTR x.\n", "added x.0" },
        { 1, "a.zones 0 PTR x.\n", "ignored x.1, removed y.1" },
        { 0, "a.zones 0 PTR x.\ncoo.a.zones 0 PTR cat1.\n", "" },
        { 0, "", "moved x.1 from 0" } } },
    { "4.4.2",
      "groups change",
      { { 0, "a.zones 0 PTR x.\n", "added x.0" },
        { 0, "a.zones 0 PTR x.\ngroup.a.zones 0 TXT g\n", "groups x.0" },
        { 0, "a.zones 0 PTR x.\ngroup.a.zones 0 TXT G\n", "groups x.0" },
        { 0, "a.zones 0 PTR x.\n", "groups x.0" } } },
};

/* All labels that either version has, in no good order and twice. */
static uint32_t labels_of(const struct zone_set *a, const struct zone_set *b,
                          uint8_t (*out)[TRANSFER_CATALOG_LABEL])
{
    const struct zone_set *const sets[] = { b, a, a };
    struct zone_walk w;
    uint32_t n = 0;
    for (size_t i = 0; i < BASE_COUNT(sets); i++) {
        const struct zone_node *node;
        if (sets[i] == NULL)
            continue;
        const struct zone *z = zone_set_at(sets[i], 0);
        zone_walk_begin(&w, z);
        while ((node = zone_walk_next(&w)) != NULL) {
            struct dns_name name;
            zone_node_name(z, node, &name);
            n += transfer_catalog_label(z, &name, out[n]);
        }
    }
    return n;
}

static void run_row(size_t row, bool some)
{
    struct transfer_members *m = transfer_members_new(row);
    struct zone_set *had[2] = { NULL, NULL };
    for (int i = 0; i < STEPS && changes[row].step[i].says != NULL; i++) {
        int k = changes[row].step[i].catalog;
        const char *text = changes[row].step[i].text;
        char name[8], zone[1000], why[TRANSFER_CATALOG_WHY];
        uint8_t all[100][TRANSFER_CATALOG_LABEL];
        struct said s = { "", 0 };
        struct dns_name origin;
        bool good = true;
        snprintf(name, sizeof name, text == NULL ? "x" : "cat%d", k);
        assert_true(dns_name_from_text(&origin, name));
        if (text == NULL) {
            transfer_members_configured(m, &origin, k == 0, say_event, &s);
        } else if (strcmp(text, "-") == 0) {
            good =
                transfer_members_update(m, (uint16_t)k, &origin, NULL, NULL, 0, say_event, &s, why);
        } else {
            snprintf(zone, sizeof zone, "%s%s", strstr(text, "version") != NULL ? HEAD : V2, text);
            struct zone_set *set = zone_help_set(name, zone);
            uint32_t n = labels_of(had[k], set, all);
            bool part = some && had[k] != NULL;
            good = transfer_members_update(
                m, (uint16_t)k, &origin, zone_set_at(set, 0),
                part ? (const uint8_t(*)[TRANSFER_CATALOG_LABEL])all : NULL, n, say_event, &s, why);
            struct zone_set *old = good ? had[k] : set;
            had[k] = good ? set : had[k];
            zone_set_free(old);
        }
        if (strcmp(good ? s.text : "broken", changes[row].step[i].says) != 0)
            fail_msg("RFC 9432 section %s, %s, step %d: \"%s\"", changes[row].section,
                     changes[row].what, i, good ? s.text : why);
    }
    zone_set_free(had[0]);
    zone_set_free(had[1]);
    transfer_members_free(m);
}

static void changes_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < BASE_COUNT(changes); i++) {
        run_row(i, false);
        run_row(i, true);
    }
}

/* ---- many ---- */

static void count_event(void *arg, const struct transfer_members_event *ev)
{
    uint32_t *counts = arg;
    counts[ev->what]++;
}

/* 100,000 members come, one more, one fewer, and all go. */
static void many(void **state)
{
    (void)state;
    enum { MANY = 100000 };
    char *text = malloc((size_t)MANY * 48 + 200), why[TRANSFER_CATALOG_WHY];
    uint32_t counts[6] = { 0 };
    int at = snprintf(text, 200, "%s", V2);
    for (int i = 0; i <= MANY; i++)
        at += snprintf(text + at, 48, "u%06d.zones 0 PTR m%06d.example.\n", i, i);
    struct zone_set *more = zone_help_set("cat", text);
    *(strstr(text, "u100000.zones") - 0) = '\0';
    struct zone_set *set = zone_help_set("cat", text);
    struct dns_name cat, name;
    assert_true(dns_name_from_text(&cat, "cat"));
    struct transfer_members *m = transfer_members_new(1);
    assert_true(transfer_members_update(m, 0, &cat, zone_set_at(set, 0), NULL, 0, count_event,
                                        counts, why));
    assert_int_equal(counts[TRANSFER_MEMBERS_ADDED], MANY);
    assert_int_equal(transfer_members_count(m), MANY);
    uint8_t label[1][TRANSFER_CATALOG_LABEL];
    assert_true(dns_name_from_text(&name, "u100000.zones.cat"));
    assert_true(transfer_catalog_label(zone_set_at(more, 0), &name, label[0]));
    mono_t begin = time_mono();
    for (int i = 0; i < 100; i++) {
        const struct zone_set *s = i % 2 == 0 ? more : set;
        assert_true(transfer_members_update(m, 0, &cat, zone_set_at(s, 0),
                                            (const uint8_t(*)[TRANSFER_CATALOG_LABEL])label, 1,
                                            count_event, counts, why));
    }
    print_message("one member more or less of %d: %lld us\n", MANY,
                  (long long)mono_us_between(begin, time_mono()) / 100);
    assert_int_equal(counts[TRANSFER_MEMBERS_ADDED], MANY + 50);
    assert_int_equal(counts[TRANSFER_MEMBERS_REMOVED], 50);
    begin = time_mono();
    assert_true(transfer_members_update(m, 0, &cat, zone_set_at(more, 0), NULL, 0, count_event,
                                        counts, why));
    print_message("all of them compared: %lld us\n",
                  (long long)mono_us_between(begin, time_mono()));
    assert_int_equal(counts[TRANSFER_MEMBERS_ADDED], MANY + 51);
    assert_true(transfer_members_update(m, 0, &cat, NULL, NULL, 0, count_event, counts, why));
    assert_int_equal(transfer_members_count(m), 0);
    transfer_members_free(m);
    zone_set_free(more);
    zone_set_free(set);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_it),
        cmocka_unit_test(labels),
        cmocka_unit_test(changes_it),
        cmocka_unit_test(many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
