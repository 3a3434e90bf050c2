/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Random zones and names, each look-up against a list that is searched from end to end. Replay one
 * with PERIGEE_SEED=…, which a failure prints. */
#include "base/wr.h"
#include "dns/type.h"
#include "zone_help.h"

#define OWNERS_MAX 3000
#define HAS_NS 1u
#define HAS_DNAME 2u
#define HAS_NSEC 4u
#define HAS_ANY 8u

struct owner {
    struct dns_name name;
    unsigned has;
};

static struct owner model[OWNERS_MAX * 8];
static size_t model_count;
static uint64_t seed;
static char *text;
static size_t text_len, text_cap;

static uint32_t rnd(uint32_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 33) % below;
}

static struct owner *model_find(const struct dns_name *name)
{
    for (size_t i = 0; i < model_count; i++)
        if (dns_name_equal(&model[i].name, name))
            return &model[i];
    return NULL;
}

static struct owner *model_put(const struct dns_name *name, unsigned has)
{
    struct owner *o = model_find(name);
    if (o == NULL) {
        o = &model[model_count++];
        *o = (struct owner){ .name = *name };
    }
    o->has |= has;
    return o;
}

static const char *const few_labels[] = {
    "a", "B", "b", "*", "c", "\\000", "\\001", "-", "aa", "z"
};

/* A name below the origin: few different labels, so that names meet. */
static void random_name(struct dns_name *out, const struct dns_name *origin, bool wide)
{
    char buf[DNS_TEXT_MAX], under[DNS_TEXT_MAX];
    struct wr w = wr_init(buf, sizeof buf - 1);
    for (uint32_t depth = 1 + rnd(wide ? 2 : 4); depth != 0; depth--) {
        char label[16];
        if (wide)
            snprintf(label, sizeof label, "n%u", rnd(100000));
        else
            snprintf(label, sizeof label, "%s", few_labels[rnd(BASE_COUNT(few_labels))]);
        wr_bytes(&w, label, strlen(label));
        wr_bytes(&w, ".", 1);
    }
    dns_name_text(origin, under);
    if (origin->labels != 0)
        wr_bytes(&w, under, strlen(under));
    wr_u8(&w, 0);
    assert_true(dns_name_from_text(out, buf));
}

static void put_line(const struct dns_name *name, const char *rest)
{
    char owner[DNS_TEXT_MAX];
    if (text_cap - text_len < 2048) {
        text_cap = text_cap * 2 + 65536;
        text = realloc(text, text_cap);
        assert_non_null(text);
    }
    text_len += (size_t)snprintf(text + text_len, text_cap - text_len, "%s %s\n",
                                 dns_name_text(name, owner), rest);
}

static void random_zone(const struct dns_name *origin, bool wide)
{
    uint32_t count = wide ? 40 + rnd(OWNERS_MAX - 100) : rnd(30);
    bool nsec = rnd(2) != 0;
    model_count = 0;
    text_len = 0;
    put_line(origin, "1 SOA a. b. 1 1 1 1 1");
    put_line(origin, "1 NS a.");
    model_put(origin, HAS_ANY | (nsec ? HAS_NSEC : 0));
    if (nsec)
        put_line(origin, "1 NSEC a. NS SOA");
    if (rnd(30) == 0) {
        put_line(origin, "1 DNAME elsewhere.");
        model_put(origin, HAS_DNAME);
    }
    for (uint32_t i = 0; i < count; i++) {
        struct dns_name name;
        random_name(&name, origin, wide);
        struct owner *o = model_put(&name, HAS_ANY);
        put_line(&name, "1 A 192.0.2.1");
        uint32_t kind = rnd(8);
        if (kind == 0 && (o->has & HAS_DNAME) == 0) {
            put_line(&name, "1 NS a.");
            o->has |= HAS_NS;
        } else if (kind == 1 && (o->has & (HAS_NS | HAS_DNAME)) == 0) {
            put_line(&name, "1 DNAME elsewhere.");
            o->has |= HAS_DNAME;
        }
        if (nsec && rnd(2) != 0 && (o->has & HAS_NSEC) == 0) {
            put_line(&name, "1 NSEC a. A");
            o->has |= HAS_NSEC;
        }
    }
    /* Empty non-terminals. */
    for (size_t i = 0, n = model_count; i < n; i++)
        for (unsigned labels = origin->labels; labels < model[i].name.labels; labels++) {
            struct dns_name above;
            dns_name_ancestor(&model[i].name, labels, &above);
            model_put(&above, 0);
        }
}

static void same(const struct zone *z, const struct zone_node *got, const struct owner *want,
                 const struct dns_name *name, const char *what, uint64_t from_seed)
{
    struct dns_name got_name;
    char a[DNS_TEXT_MAX] = "none", b[DNS_TEXT_MAX] = "none", c[DNS_TEXT_MAX];
    if (got != NULL) {
        zone_node_name(z, got, &got_name);
        dns_name_text(&got_name, a);
    }
    if (want != NULL)
        dns_name_text(&want->name, b);
    if ((got == NULL) != (want == NULL) || (got != NULL && !dns_name_equal(&got_name, &want->name)))
        fail_msg("%s of %s is %s, not %s\nreplay: PERIGEE_SEED=%llu", what, dns_name_text(name, c),
                 a, b, (unsigned long long)from_seed);
}

struct want {
    const struct owner *exact, *encloser, *cut, *dname, *wildcard, *nsec;
};

static void model_lookup(const struct dns_name *origin, const struct dns_name *name, struct want *w)
{
    *w = (struct want){ .exact = model_find(name) };
    for (unsigned labels = origin->labels; labels <= name->labels; labels++) {
        struct dns_name above;
        dns_name_ancestor(name, labels, &above);
        const struct owner *o = model_find(&above);
        if (o == NULL)
            break;
        w->encloser = o;
        if (w->cut != NULL || w->dname != NULL)
            continue;
        if ((o->has & HAS_NS) != 0)
            w->cut = o;
        else if ((o->has & HAS_DNAME) != 0 && labels < name->labels)
            w->dname = o;
    }
    struct dns_name star, wild;
    assert_true(dns_name_from_text(&star, "*"));
    if (w->exact == NULL && dns_name_join(&star, 1, &w->encloser->name, &wild))
        w->wildcard = model_find(&wild);
    for (size_t i = 0; i < model_count; i++)
        if ((model[i].has & HAS_NSEC) != 0 && dns_name_compare(&model[i].name, name) <= 0 &&
            (w->nsec == NULL || dns_name_compare(&w->nsec->name, &model[i].name) < 0))
            w->nsec = &model[i];
}

static void ask(const struct zone *z, const struct dns_name *origin, const struct dns_name *name,
                uint64_t from_seed)
{
    struct zone_found f;
    struct want w;
    model_lookup(origin, name, &w);
    zone_lookup(z, name, &f);
    same(z, f.exact, w.exact, name, "exact", from_seed);
    same(z, f.encloser, w.encloser, name, "encloser", from_seed);
    same(z, f.cut, w.cut, name, "cut", from_seed);
    same(z, f.dname, w.dname, name, "dname", from_seed);
    same(z, f.wildcard, w.wildcard, name, "wildcard", from_seed);
    same(z, zone_nsec_before(z, name), w.nsec, name, "NSEC", from_seed);
    assert_int_equal(f.encloser_labels, w.encloser->name.labels);
}

/* Every name once and in order. */
static void walk(const struct zone *z, uint64_t from_seed)
{
    size_t count = 0;
    struct dns_name before = { 0 }, now;
    for (const struct zone_node *n = zone_apex(z); n != NULL; n = zone_node_after(z, n)) {
        zone_node_name(z, n, &now);
        const struct owner *o = model_find(&now);
        if (o == NULL || (count != 0 && dns_name_compare(&before, &now) >= 0) ||
            ((zone_node_flags(n) & ZONE_NODE_EMPTY) != 0) != ((o->has & HAS_ANY) == 0))
            fail_msg("a wrong name in the walk\nreplay: PERIGEE_SEED=%llu",
                     (unsigned long long)from_seed);
        before = now;
        count++;
    }
    if (count != model_count)
        fail_msg("the walk has %zu names, not %zu\nreplay: PERIGEE_SEED=%llu", count, model_count,
                 (unsigned long long)from_seed);
}

static void look_ups_agree_with_a_list(void **state)
{
    (void)state;
    static const char *const origins[] = { "example.com", ".", "b" };
    const char *given = getenv("PERIGEE_SEED");
    uint64_t first = given != NULL ? strtoull(given, NULL, 10) : 1;
    unsigned rounds = given != NULL ? 1 : 400;
    for (unsigned round = 0; round < rounds; round++) {
        uint64_t from_seed = first + round;
        seed = from_seed * 0x9e3779b97f4a7c15u + 1;
        struct dns_name origin, name;
        bool wide = rnd(40) == 0;
        assert_true(dns_name_from_text(&origin, origins[rnd(BASE_COUNT(origins))]));
        random_zone(&origin, wide);
        char origin_text[DNS_TEXT_MAX];
        struct zone_set *s = zone_help_set(dns_name_text(&origin, origin_text), text);
        const struct zone *z = zone_set_at(s, 0);
        walk(z, from_seed);
        for (int i = 0; i < 100; i++) {
            random_name(&name, &origin, wide);
            ask(z, &origin, &name, from_seed);
            ask(z, &origin, &model[rnd((uint32_t)model_count)].name, from_seed);
        }
        zone_set_free(s);
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(look_ups_agree_with_a_list),
    };
    return cmocka_run_group_tests_name("zone_model", tests, NULL, NULL);
}
