/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Claims of zones. Each row is a claim: a member of a catalog, or the operator's file. Rows of the same zone
 * hang together, and at most one of them counts. An update first brings the rows up to date and gathers the
 * zones they are of, then settles each of those zones once, by comparing who had it with who has it now: so a
 * member whose label changes in one update is one event, whatever the order of the records. */
#include "transfer/members.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

#define NONE UINT32_MAX
#define OPERATOR UINT16_MAX /* the catalog number of the operator's file */

struct claim {
    uint8_t *origin; /* wire form, owned */
    uint8_t *coo;    /* wire form, owned; or NULL */
    uint64_t groups;
    uint32_t next_label, next_origin; /* in the buckets */
    uint32_t seen;                    /* the walk that saw it last */
    uint16_t catalog;
    bool used, counts, fresh; /* fresh: added or changed by the update at hand */
    uint8_t label[TRANSFER_CATALOG_LABEL];
};

/* A zone that an update touches, and who had it before. */
struct touched {
    uint8_t *origin; /* wire form, owned */
    bool had, had_coo;
    uint16_t catalog;
    uint64_t groups;
    uint8_t label[TRANSFER_CATALOG_LABEL];
    struct dns_name coo;
};

struct transfer_members {
    uint64_t seed;
    struct claim *claim;
    uint32_t claims, cap, free_list, used, counting;
    uint32_t *by_label, *by_origin;
    uint32_t buckets; /* a power of two, of both */
    uint32_t walk;
    struct touched *touched;
    uint32_t touches, touched_cap;
    struct dns_name *catalog_name; /* by number; len 0: not known */
    uint32_t catalogs;
};

struct transfer_members *transfer_members_new(uint64_t seed)
{
    struct transfer_members *m = base_calloc(1, sizeof *m);
    m->seed = seed;
    m->free_list = NONE;
    m->buckets = 64;
    m->by_label = base_alloc(m->buckets * sizeof *m->by_label);
    m->by_origin = base_alloc(m->buckets * sizeof *m->by_origin);
    memset(m->by_label, 0xff, m->buckets * sizeof *m->by_label);
    memset(m->by_origin, 0xff, m->buckets * sizeof *m->by_origin);
    return m;
}

void transfer_members_free(struct transfer_members *m)
{
    if (m == NULL)
        return;
    for (uint32_t i = 0; i < m->claims; i++) {
        free(m->claim[i].origin);
        free(m->claim[i].coo);
    }
    free(m->claim);
    free(m->by_label);
    free(m->by_origin);
    free(m->touched);
    free(m->catalog_name);
    free(m);
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

static uint64_t hash(const struct transfer_members *m, uint64_t more, const uint8_t *p, size_t len)
{
    uint64_t h = m->seed ^ (more * 0x9e3779b97f4a7c15u);
    for (size_t i = 0; i < len; i++) {
        h = (h ^ lower(p[i])) * 0xff51afd7ed558ccdu;
        h ^= h >> 32;
    }
    return h;
}

static void name_of(const uint8_t *wire, struct dns_name *out)
{
    struct rd r = rd_init(wire, DNS_NAME_MAX);
    bool good = dns_name_parse(out, &r);
    base_assert(good);
}

static uint8_t *keep(const struct dns_name *n)
{
    uint8_t *p = base_alloc(n->len);
    memcpy(p, n->wire, n->len);
    return p;
}

static size_t wire_len(const uint8_t *wire)
{
    size_t at = 0;
    while (wire[at] != 0)
        at += 1u + wire[at];
    return at + 1;
}

static bool same_wire(const uint8_t *a, const uint8_t *b)
{
    size_t len = wire_len(a);
    if (len != wire_len(b))
        return false;
    for (size_t i = 0; i < len; i++)
        if (lower(a[i]) != lower(b[i]))
            return false;
    return true;
}

static bool same_label(const uint8_t *a, const uint8_t *b)
{
    return memcmp(a, b, a[0] + 1u) == 0;
}

static uint32_t *label_bucket(const struct transfer_members *m, uint16_t catalog,
                              const uint8_t *label)
{
    return &m->by_label[hash(m, catalog + 1u, label, label[0] + 1u) & (m->buckets - 1)];
}

static uint32_t *origin_bucket(const struct transfer_members *m, const uint8_t *origin)
{
    return &m->by_origin[hash(m, 0, origin, wire_len(origin)) & (m->buckets - 1)];
}

static struct claim *claim_of(const struct transfer_members *m, uint16_t catalog,
                              const uint8_t *label)
{
    for (uint32_t i = *label_bucket(m, catalog, label); i != NONE; i = m->claim[i].next_label)
        if (m->claim[i].catalog == catalog && same_label(m->claim[i].label, label))
            return &m->claim[i];
    return NULL;
}

static void hang(struct transfer_members *m, uint32_t i)
{
    struct claim *c = &m->claim[i];
    uint32_t *o = origin_bucket(m, c->origin);
    c->next_origin = *o;
    *o = i;
    if (c->catalog == OPERATOR)
        return; /* it has no labels */
    uint32_t *l = label_bucket(m, c->catalog, c->label);
    c->next_label = *l;
    *l = i;
}

static void grow(struct transfer_members *m)
{
    m->buckets *= 2;
    m->by_label = base_realloc(m->by_label, m->buckets * sizeof *m->by_label);
    m->by_origin = base_realloc(m->by_origin, m->buckets * sizeof *m->by_origin);
    memset(m->by_label, 0xff, m->buckets * sizeof *m->by_label);
    memset(m->by_origin, 0xff, m->buckets * sizeof *m->by_origin);
    for (uint32_t i = 0; i < m->claims; i++)
        if (m->claim[i].used)
            hang(m, i);
}

static struct claim *add_claim(struct transfer_members *m, uint16_t catalog, const uint8_t *label,
                               const struct dns_name *origin)
{
    if (m->used == m->buckets)
        grow(m);
    uint32_t i = m->free_list;
    if (i != NONE) {
        m->free_list = m->claim[i].next_label;
    } else {
        if (m->claims == m->cap) {
            m->cap = m->cap == 0 ? 64 : m->cap + m->cap / 2;
            m->claim = base_realloc(m->claim, m->cap * sizeof *m->claim);
        }
        i = m->claims++;
    }
    struct claim *c = &m->claim[i];
    *c = (struct claim){ .origin = keep(origin), .catalog = catalog, .used = true };
    memcpy(c->label, label, label[0] + 1u);
    hang(m, i);
    m->used++;
    return c;
}

static void drop_claim(struct transfer_members *m, struct claim *c)
{
    uint32_t i = (uint32_t)(c - m->claim);
    uint32_t *at = label_bucket(m, c->catalog, c->label);
    while (c->catalog != OPERATOR && *at != i)
        at = &m->claim[*at].next_label;
    if (c->catalog != OPERATOR)
        *at = c->next_label;
    at = origin_bucket(m, c->origin);
    while (*at != i)
        at = &m->claim[*at].next_origin;
    *at = c->next_origin;
    m->counting -= c->counts && c->catalog != OPERATOR;
    m->used--;
    free(c->origin);
    free(c->coo);
    *c = (struct claim){ .next_label = m->free_list };
    m->free_list = i;
}

/* Remembers who has a zone before the update changes anything of it. A zone is touched once or twice: by
 * what goes and by what comes; the second row is passed over when it is settled. */
static void touch(struct transfer_members *m, const uint8_t *origin)
{
    if (m->touches == m->touched_cap) {
        m->touched_cap = m->touched_cap == 0 ? 16 : m->touched_cap * 2;
        m->touched = base_realloc(m->touched, m->touched_cap * sizeof *m->touched);
    }
    struct touched *t = &m->touched[m->touches];
    *t = (struct touched){ 0 };
    for (uint32_t i = *origin_bucket(m, origin); i != NONE; i = m->claim[i].next_origin) {
        const struct claim *c = &m->claim[i];
        if (!c->counts || !same_wire(c->origin, origin))
            continue;
        t->had = true;
        t->catalog = c->catalog;
        t->groups = c->groups;
        memcpy(t->label, c->label, sizeof t->label);
        t->had_coo = c->coo != NULL;
        if (t->had_coo)
            name_of(c->coo, &t->coo);
    }
    struct dns_name n;
    name_of(origin, &n);
    t->origin = keep(&n);
    m->touches++;
}

/* Which of two claims of a zone is the better one, when neither counted before: the lower catalog, and in
 * it the lower label. */
static bool better(const struct claim *a, const struct claim *b)
{
    if (a->catalog != b->catalog)
        return a->catalog < b->catalog;
    size_t len = (a->label[0] < b->label[0] ? a->label[0] : b->label[0]);
    int c = memcmp(a->label + 1, b->label + 1, len);
    return c != 0 ? c < 0 : a->label[0] < b->label[0];
}

static bool coo_leads_to(const struct transfer_members *m, const struct touched *t,
                         uint16_t catalog)
{
    return t->had_coo && catalog < m->catalogs && m->catalog_name[catalog].len != 0 &&
           dns_name_equal(&t->coo, &m->catalog_name[catalog]);
}

/* How strong a claim is: the operator's file; then a catalog that takes over by coo, in the update that adds
 * or changes the member there (RFC 9432 section 4.4.1); then who had it; if that is gone, the catalog that it
 * was given to; then the same catalog under another label (section 5.4); then any. */
static unsigned strength(const struct transfer_members *m, const struct touched *t,
                         const struct claim *c)
{
    if (c->catalog == OPERATOR)
        return 6;
    if (!t->had)
        return 1;
    bool given = c->catalog != t->catalog && coo_leads_to(m, t, c->catalog);
    if (given && c->fresh)
        return 5;
    if (c->catalog == t->catalog && same_label(c->label, t->label))
        return 4;
    return given ? 3 : c->catalog == t->catalog ? 2 : 1;
}

static struct claim *winner(struct transfer_members *m, const struct touched *t)
{
    struct claim *best = NULL;
    unsigned most = 0;
    for (uint32_t i = *origin_bucket(m, t->origin); i != NONE; i = m->claim[i].next_origin) {
        struct claim *c = &m->claim[i];
        if (!same_wire(c->origin, t->origin))
            continue;
        unsigned s = strength(m, t, c);
        m->counting -= c->counts && c->catalog != OPERATOR;
        c->counts = false;
        if (best == NULL || s > most || (s == most && better(c, best))) {
            best = c;
            most = s;
        }
    }
    if (best != NULL) {
        best->counts = true;
        m->counting += best->catalog != OPERATOR;
    }
    return best;
}

static void tell_ignored(struct transfer_members *m, const struct touched *t,
                         const struct claim *best, const struct dns_name *origin,
                         transfer_members_handler *each, void *arg)
{
    for (uint32_t i = *origin_bucket(m, t->origin); i != NONE; i = m->claim[i].next_origin) {
        const struct claim *c = &m->claim[i];
        if (c->counts || !c->fresh || c->catalog == OPERATOR || !same_wire(c->origin, t->origin))
            continue;
        struct transfer_members_event ev = { .what = TRANSFER_MEMBERS_IGNORED,
                                             .origin = origin,
                                             .catalog = c->catalog,
                                             .before = best->catalog,
                                             .configured = best->catalog == OPERATOR,
                                             .label = c->label };
        each(arg, &ev);
    }
}

/* Who has the zone now, and what that is beside who had it. */
static void settle(struct transfer_members *m, const struct touched *t,
                   transfer_members_handler *each, void *arg)
{
    struct dns_name origin;
    name_of(t->origin, &origin);
    const struct claim *now = winner(m, t);
    bool had = t->had && t->catalog != OPERATOR, has = now != NULL && now->catalog != OPERATOR;
    struct transfer_members_event ev = { .origin = &origin, .before = t->catalog };
    if (has) {
        ev.catalog = now->catalog;
        ev.label = now->label;
    } else {
        ev.catalog = t->catalog;
        ev.label = t->label;
    }
    bool tell = true;
    if (had && has && t->catalog != now->catalog) {
        ev.what = TRANSFER_MEMBERS_MOVED;
        ev.reset = !coo_leads_to(m, t, now->catalog) || !same_label(t->label, now->label);
    } else if (had && has && !same_label(t->label, now->label)) {
        ev.what = TRANSFER_MEMBERS_RESET;
        ev.reset = true;
    } else if (had && has) {
        ev.what = TRANSFER_MEMBERS_GROUPS;
        tell = t->groups != now->groups;
    } else if (had) {
        ev.what = TRANSFER_MEMBERS_REMOVED;
        ev.configured = now != NULL;
    } else {
        ev.what = TRANSFER_MEMBERS_ADDED;
        tell = has;
    }
    if (tell)
        each(arg, &ev);
    if (now != NULL)
        tell_ignored(m, t, now, &origin, each, arg);
    for (uint32_t i = *origin_bucket(m, t->origin); i != NONE; i = m->claim[i].next_origin)
        if (same_wire(m->claim[i].origin, t->origin))
            m->claim[i].fresh = false;
}

static int by_origin(const void *a, const void *b)
{
    struct dns_name x, y;
    name_of(((const struct touched *)a)->origin, &x);
    name_of(((const struct touched *)b)->origin, &y);
    return dns_name_compare(&x, &y);
}

static void settle_all(struct transfer_members *m, transfer_members_handler *each, void *arg)
{
    if (m->touches > 1)
        qsort(m->touched, m->touches, sizeof *m->touched, by_origin);
    for (uint32_t i = 0; i < m->touches; i++) {
        struct touched *t = &m->touched[i];
        /* Rows of one zone stand together; one that saw who had it is the one to go by. */
        uint32_t last = i;
        while (last + 1 < m->touches && same_wire(m->touched[last + 1].origin, t->origin))
            if (m->touched[++last].had)
                t = &m->touched[last];
        settle(m, t, each, arg);
        for (; i < last; i++)
            free(m->touched[i].origin);
        free(m->touched[last].origin);
    }
    m->touches = 0;
}

/* A member is there: its claim becomes what it says. */
static void take_member(struct transfer_members *m, uint16_t catalog,
                        const struct transfer_catalog_member *member)
{
    struct claim *c = claim_of(m, catalog, member->label);
    if (c != NULL) {
        struct dns_name origin, coo = { 0 };
        name_of(c->origin, &origin);
        if (c->coo != NULL)
            name_of(c->coo, &coo);
        bool same_coo = member->has_coo == (c->coo != NULL) &&
                        (!member->has_coo || dns_name_equal(&member->coo, &coo));
        c->seen = m->walk;
        if (dns_name_equal(&origin, &member->origin) && same_coo && c->groups == member->groups)
            return;
        touch(m, c->origin);
        if (!dns_name_equal(&origin, &member->origin)) {
            drop_claim(m, c);
            c = NULL;
        }
    }
    if (c == NULL) {
        touch(m, member->origin.wire);
        c = add_claim(m, catalog, member->label, &member->origin);
        c->seen = m->walk;
    }
    free(c->coo);
    c->coo = member->has_coo ? keep(&member->coo) : NULL;
    c->groups = member->groups;
    c->fresh = true;
}

static void lose_member(struct transfer_members *m, struct claim *c)
{
    touch(m, c->origin);
    drop_claim(m, c);
}

static bool update_all(struct transfer_members *m, uint16_t catalog, const struct zone *z,
                       char why[TRANSFER_CATALOG_WHY])
{
    struct transfer_catalog_walk w;
    struct transfer_catalog_member member;
    enum transfer_catalog_got got;
    transfer_catalog_begin(&w, z);
    while ((got = transfer_catalog_next(&w, &member, why)) == TRANSFER_CATALOG_MEMBER)
        continue;
    if (got == TRANSFER_CATALOG_BROKEN)
        return false;
    m->walk++;
    transfer_catalog_begin(&w, z);
    while (transfer_catalog_next(&w, &member, why) == TRANSFER_CATALOG_MEMBER)
        take_member(m, catalog, &member);
    for (uint32_t i = 0; i < m->claims; i++) {
        struct claim *c = &m->claim[i];
        if (c->used && c->catalog == catalog && c->seen != m->walk)
            lose_member(m, c);
    }
    return true;
}

static bool update_some(struct transfer_members *m, uint16_t catalog, const struct zone *z,
                        const uint8_t (*labels)[TRANSFER_CATALOG_LABEL], uint32_t count,
                        char why[TRANSFER_CATALOG_WHY])
{
    struct transfer_catalog_member member;
    for (uint32_t i = 0; i < count; i++)
        if (transfer_catalog_member(z, labels[i], &member, why) == TRANSFER_CATALOG_BROKEN)
            return false;
    for (uint32_t i = 0; i < count; i++) {
        struct claim *c = claim_of(m, catalog, labels[i]);
        if (transfer_catalog_member(z, labels[i], &member, why) == TRANSFER_CATALOG_MEMBER)
            take_member(m, catalog, &member);
        else if (c != NULL)
            lose_member(m, c);
    }
    return true;
}

static void name_catalog(struct transfer_members *m, uint16_t catalog, const struct dns_name *name)
{
    if (catalog >= m->catalogs) {
        m->catalog_name = base_realloc(m->catalog_name, (catalog + 1u) * sizeof *m->catalog_name);
        memset(m->catalog_name + m->catalogs, 0,
               (catalog + 1u - m->catalogs) * sizeof *m->catalog_name);
        m->catalogs = catalog + 1u;
    }
    m->catalog_name[catalog] = *name;
}

bool transfer_members_update(struct transfer_members *m, uint16_t catalog,
                             const struct dns_name *name, const struct zone *z,
                             const uint8_t (*labels)[TRANSFER_CATALOG_LABEL], uint32_t count,
                             transfer_members_handler *each, void *arg,
                             char why[TRANSFER_CATALOG_WHY])
{
    base_assert(catalog != OPERATOR);
    base_assert(m->touches == 0);
    name_catalog(m, catalog, name);
    why[0] = '\0';
    if (z == NULL) {
        for (uint32_t i = 0; i < m->claims; i++)
            if (m->claim[i].used && m->claim[i].catalog == catalog)
                lose_member(m, &m->claim[i]);
    } else if (!transfer_catalog_version(z, why)) {
        return false;
    } else if (labels == NULL ? !update_all(m, catalog, z, why)
                              : !update_some(m, catalog, z, labels, count, why)) {
        return false;
    }
    settle_all(m, each, arg);
    return true;
}

void transfer_members_configured(struct transfer_members *m, const struct dns_name *origin,
                                 bool has, transfer_members_handler *each, void *arg)
{
    static const uint8_t no_label[TRANSFER_CATALOG_LABEL];
    struct claim *c = NULL;
    for (uint32_t i = *origin_bucket(m, origin->wire); i != NONE; i = m->claim[i].next_origin)
        if (m->claim[i].catalog == OPERATOR && same_wire(m->claim[i].origin, origin->wire))
            c = &m->claim[i];
    if ((c != NULL) == has)
        return;
    base_assert(m->touches == 0);
    touch(m, origin->wire);
    if (has)
        (void)add_claim(m, OPERATOR, no_label, origin);
    else
        drop_claim(m, c);
    settle_all(m, each, arg);
}

bool transfer_members_find(const struct transfer_members *m, const struct dns_name *origin,
                           uint16_t *catalog, uint8_t *label)
{
    for (uint32_t i = *origin_bucket(m, origin->wire); i != NONE; i = m->claim[i].next_origin) {
        const struct claim *c = &m->claim[i];
        if (!c->counts || c->catalog == OPERATOR || !same_wire(c->origin, origin->wire))
            continue;
        *catalog = c->catalog;
        if (label != NULL)
            memcpy(label, c->label, sizeof c->label);
        return true;
    }
    return false;
}

uint32_t transfer_members_count(const struct transfer_members *m)
{
    return m->counting;
}
