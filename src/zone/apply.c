/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An update. The names that it touches are gathered, each with its records as they shall be; names are
 * added to these that change without a record of their own being touched: empty non-terminals that
 * come and go, and what lies below a delegation or a DNAME that came or went. Then the nodes are
 * written, and the trees' blocks on the way to them. */
#include "zone/apply.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dns/type.h"
#include "zone/build.h"
#include "zone/errors.h"
#include "zone/rdata.h"
#include "zone/update.h"

/* A name that the update touches. */
struct touched {
    uint8_t *key, *name; /* below the origin; owned, one allocation */
    uint16_t key_len;
    uint8_t name_len;
    bool gone;                /* does not exist in the new version */
    struct zone_build_rr *rr; /* its records in the new version; owned */
    size_t count, cap;
    const struct zone_node *old; /* NULL: it did not exist */
    uint32_t old_count;          /* its records */
};

struct touched_list {
    struct touched *at;
    size_t count, cap;
};

struct apply {
    struct zone_set *set;
    const struct zone_image_map *map;
    const struct zone *z;
    struct zone_build b;
    struct zone_errors *errs;
    const struct dns_name *origin;
    struct touched_list names, nsec3; /* sorted by key, each once */
    uint64_t dead;
};

static int compare_key(const struct touched *t, const uint8_t *key, size_t key_len)
{
    int c = memcmp(t->key, key, t->key_len < key_len ? t->key_len : key_len);
    return c != 0 ? c : (t->key_len > key_len) - (t->key_len < key_len);
}

/* The first that is not below the key. */
static size_t lower_bound(const struct touched_list *l, const uint8_t *key, size_t key_len)
{
    size_t lo = 0, hi = l->count;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (compare_key(&l->at[mid], key, key_len) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static struct touched *find_touched(const struct touched_list *l, const uint8_t *key,
                                    size_t key_len)
{
    size_t i = lower_bound(l, key, key_len);
    return i < l->count && compare_key(&l->at[i], key, key_len) == 0 ? &l->at[i] : NULL;
}

static void add_rr(struct touched *t, const struct zone_build_rr *rr)
{
    if (t->count == t->cap) {
        t->cap = t->cap * 2 + 4;
        t->rr = base_realloc(t->rr, t->cap * sizeof *t->rr);
    }
    t->rr[t->count++] = *rr;
}

static void add_items(struct touched *t, const uint8_t *items, uint32_t len,
                      struct zone_build_rr rr)
{
    for (uint32_t at = 0; at < len; at += 2u + rr.len) {
        rr.len = (uint16_t)(items[at] << 8 | items[at + 1]);
        rr.rdata = items + at + 2;
        add_rr(t, &rr);
    }
}

/* The records that a node has now. */
static void add_old(const struct apply *a, struct touched *t)
{
    struct zone_rrset r;
    uint32_t pos = 0;
    while (t->old != NULL && zone_node_next(a->z, t->old, &pos, &r)) {
        add_items(t, r.rdata, r.rdata_len,
                  (struct zone_build_rr){ .type = r.type, .ttl_s = r.ttl_s });
        add_items(t, r.sigs, r.sigs_len,
                  (struct zone_build_rr){ .type = r.type, .ttl_s = r.sig_ttl_s, .sig = true });
    }
}

/* Takes a name into the list, with the records it has in the old version. */
static struct touched *touch(struct apply *a, struct touched_list *l, const uint8_t *key,
                             size_t key_len, const uint8_t *name, size_t name_len)
{
    size_t i = lower_bound(l, key, key_len);
    if (i < l->count && compare_key(&l->at[i], key, key_len) == 0)
        return &l->at[i];
    if (l->count == l->cap) {
        l->cap = l->cap * 2 + 16;
        l->at = base_realloc(l->at, l->cap * sizeof *l->at);
    }
    memmove(&l->at[i + 1], &l->at[i], (l->count++ - i) * sizeof *l->at);
    struct touched *t = &l->at[i];
    *t = (struct touched){ .key_len = (uint16_t)key_len, .name_len = (uint8_t)name_len };
    t->key = base_alloc(key_len + name_len + 1);
    t->name = t->key + key_len;
    memcpy(t->key, key, key_len);
    memcpy(t->name, name, name_len);
    struct zone_image_entry e;
    uint32_t root = l == &a->names ? a->z->names : a->z->nsec3;
    if (root != 0 && zone_image_find(a->map, root, key, key_len, &e))
        t->old = zone_image_node_at(a->map, e.ref);
    add_old(a, t);
    t->old_count = (uint32_t)t->count;
    return t;
}

static bool same_rr(const struct zone_build_rr *x, const struct zone_build_rr *y)
{
    return x->type == y->type && x->sig == y->sig &&
           zone_rdata_compare(x->sig ? DNS_TYPE_RRSIG : x->type, x->rdata, x->len, y->rdata,
                              y->len) == 0;
}

static void refuse(struct apply *a, const struct zone_change *c, const char *what)
{
    char name[DNS_TEXT_MAX], type[DNS_TYPE_TEXT_MAX];
    zone_errors_add(a->errs, false, NULL, 0, "transfer the zone whole", "%s %s: %s",
                    dns_name_text(c->owner, name), dns_type_text(c->type, type), what);
}

static void apply_one(struct apply *a, const struct zone_change *c)
{
    const char *fault = zone_rdata_fault(c->type, c->rdata, c->len);
    if (fault == NULL && !dns_name_is_under(c->owner, a->origin))
        fault = "it is outside the zone";
    if (fault != NULL) {
        refuse(a, c, fault);
        return;
    }
    struct zone_build_rr rr = { .rdata = c->rdata,
                                .ttl_s = c->ttl_s,
                                .type = c->type,
                                .len = c->len,
                                .sig = c->type == DNS_TYPE_RRSIG };
    if (rr.sig)
        rr.type = (uint16_t)(c->rdata[0] << 8 | c->rdata[1]);
    uint8_t key[DNS_KEY_MAX];
    size_t below = (size_t)c->owner->len - a->origin->len;
    size_t key_len = zone_image_key(c->owner->wire, below, key);
    struct touched *t = touch(a, rr.type == DNS_TYPE_NSEC3 ? &a->nsec3 : &a->names, key, key_len,
                              c->owner->wire, below);
    size_t i = 0;
    while (i < t->count && !same_rr(&t->rr[i], &rr))
        i++;
    if (!c->add && i == t->count)
        refuse(a, c, "the record to be removed is not there");
    if (!c->add && i < t->count)
        t->rr[i] = t->rr[--t->count];
    if (c->add && i < t->count) /* there already: the TTL may be another */
        t->rr[i].ttl_s = c->ttl_s;
    else if (c->add) {
        for (i = 0; i < t->count; i++) /* what is there takes the new TTL: RFC 2181 section 5.2 */
            if (t->rr[i].type == rr.type && t->rr[i].sig == rr.sig)
                t->rr[i].ttl_s = c->ttl_s;
        add_rr(t, &rr);
    }
}

/* The labels of `name` at its end that belong to the first `key_len` bytes of its key. */
static const uint8_t *name_of_ancestor(const struct touched *t, size_t key_len)
{
    const uint8_t *name = t->name;
    for (size_t i = key_len; i < t->key_len; i++)
        if (t->key[i] == 0)
            name += 1 + name[0];
    return name;
}

/* The length of the parent's key. */
static size_t parent_len(const uint8_t *key, size_t len)
{
    for (len = len != 0 ? len - 1 : 0; len > 0 && key[len - 1] != 0; len--)
        ;
    return len;
}

/* Names above the touched ones that do not exist yet, and empty ones that may cease to. */
static void touch_ancestors(struct apply *a)
{
    for (size_t i = 0; i < a->names.count; i++) {
        struct touched self = a->names.at[i]; /* the list may move */
        size_t len = self.key_len;
        while (len != 0) {
            struct zone_image_entry e;
            len = parent_len(self.key, len);
            if (find_touched(&a->names, self.key, len) != NULL)
                break; /* its own ancestors are looked after when its turn comes */
            bool there = zone_image_find(a->map, a->z->names, self.key, len, &e);
            if (there && (e.any & ZONE_NODE_EMPTY) == 0)
                break;
            const uint8_t *name = name_of_ancestor(&self, len);
            touch(a, &a->names, self.key, len, name, (size_t)(self.name + self.name_len - name));
            i++; /* it came in before this one */
        }
    }
}

static bool key_is_under(const struct zone_image_entry *e, const uint8_t *key, size_t len)
{
    size_t n = len < e->prefix_len ? len : e->prefix_len;
    return memcmp(e->prefix, key, n) == 0 && len - n <= e->suffix_len &&
           memcmp(e->suffix, key + n, len - n) == 0;
}

static size_t entry_key(const struct zone_image_entry *e, uint8_t key[DNS_KEY_MAX])
{
    size_t len = (size_t)e->prefix_len + e->suffix_len;
    if (len > DNS_KEY_MAX)
        return 0; /* a broken image */
    memcpy(key, e->prefix, e->prefix_len);
    memcpy(key + e->prefix_len, e->suffix, e->suffix_len);
    return len;
}

/* Whether a name below this one owns a record in the new version. */
static bool has_below(const struct apply *a, const struct touched *t)
{
    for (size_t i = lower_bound(&a->names, t->key, t->key_len) + 1; i < a->names.count; i++) {
        const struct touched *o = &a->names.at[i];
        if (o->key_len < t->key_len || memcmp(o->key, t->key, t->key_len) != 0)
            break;
        if (o->count != 0)
            return true;
    }
    struct zone_image_pos pos;
    struct zone_image_entry e;
    size_t common;
    bool more = zone_image_seek(a->map, a->z->names, t->key, t->key_len, &pos, &common);
    for (more = more && zone_image_next(&pos); more; more = zone_image_next(&pos)) {
        uint8_t key[DNS_KEY_MAX];
        if (!zone_image_entry(&pos, &e) || !key_is_under(&e, t->key, t->key_len))
            return false;
        size_t len = entry_key(&e, key);
        if ((e.any & ZONE_NODE_EMPTY) == 0 && find_touched(&a->names, key, len) == NULL)
            return true;
    }
    return false;
}

static bool owns(const struct apply *a, const struct touched *t, const struct zone_node *n,
                 uint16_t type)
{
    struct zone_rrset r;
    if (t == NULL)
        return n != NULL && zone_node_find(a->z, n, type, &r);
    for (size_t i = 0; i < t->count; i++)
        if (t->rr[i].type == type && !t->rr[i].sig)
            return true;
    return false;
}

/* Whether a name strictly above is a cut or owns a DNAME in the new version. */
static bool is_occluded(const struct apply *a, const uint8_t *key, size_t key_len)
{
    for (size_t len = 0; len < key_len; len++) {
        if (len != 0 && key[len - 1] != 0)
            continue;
        const struct touched *t = find_touched(&a->names, key, len);
        struct zone_image_entry e;
        const struct zone_node *n = NULL;
        if (t == NULL && zone_image_find(a->map, a->z->names, key, len, &e))
            n = zone_image_node_at(a->map, e.ref);
        if ((len != 0 && owns(a, t, n, DNS_TYPE_NS)) || owns(a, t, n, DNS_TYPE_DNAME))
            return true;
    }
    return false;
}

/* Names below one that has become, or is no longer, a cut or an owner of DNAME. */
static void touch_subtrees(struct apply *a)
{
    for (size_t i = 0; i < a->names.count; i++) {
        struct touched self = a->names.at[i];
        bool occludes = (self.key_len != 0 && owns(a, &self, NULL, DNS_TYPE_NS)) ||
                        owns(a, &self, NULL, DNS_TYPE_DNAME);
        bool occluded =
            self.old != NULL && (owns(a, NULL, self.old, DNS_TYPE_DNAME) ||
                                 (self.key_len != 0 && owns(a, NULL, self.old, DNS_TYPE_NS)));
        if (occludes == occluded)
            continue;
        struct zone_image_pos pos;
        struct zone_image_entry e;
        size_t common;
        bool more = zone_image_seek(a->map, a->z->names, self.key, self.key_len, &pos, &common);
        for (more = more && zone_image_next(&pos); more; more = zone_image_next(&pos)) {
            uint8_t key[DNS_KEY_MAX];
            if (!zone_image_entry(&pos, &e) || !key_is_under(&e, self.key, self.key_len))
                break;
            const struct zone_node *n = zone_image_node_at(a->map, e.ref);
            if (n != NULL)
                touch(a, &a->names, key, entry_key(&e, key), (const uint8_t *)(n + 1), n->name_len);
        }
    }
}

/* Writes the nodes of a list and then the tree with them. */
static uint32_t write_list(struct apply *a, struct touched_list *l, uint32_t root,
                           struct zone *fields)
{
    struct zone_tree_change *change = base_alloc((l->count + 1) * sizeof *change);
    uint32_t nodes;
    uint8_t any;
    for (size_t i = 0; i < l->count; i++) {
        struct touched *t = &l->at[i];
        struct zone_build_node n = { .key = t->key,
                                     .name = t->name,
                                     .key_len = t->key_len,
                                     .name_len = t->name_len,
                                     .rr = t->rr,
                                     .count = t->count };
        change[i] = (struct zone_tree_change){ .key = t->key, .key_len = t->key_len };
        a->dead += t->old != NULL ? t->old->size : 0;
        fields->record_count -= t->old_count;
        if (t->gone)
            continue;
        zone_build_node_order(&n);
        zone_build_node_check(&a->b, &n, l == &a->names && t->key_len == 0);
        if (l == &a->names)
            n.flags = zone_build_node_flags(&n, is_occluded(a, t->key, t->key_len));
        fields->record_count += (uint32_t)n.count;
        change[i].ref = zone_build_node_write(&a->b, &n);
        change[i].any = n.flags;
        if (l == &a->names && t->key_len == 0)
            fields->apex = change[i].ref;
    }
    uint32_t now = zone_tree_update(a->map, a->b.w, root, change, l->count, &nodes, &any, &a->dead);
    free(change);
    if (l == &a->names) {
        fields->node_count = nodes;
        fields->any = any;
    } else {
        fields->nsec3_count = nodes;
    }
    return now;
}

static void decide_existence(struct apply *a)
{
    touch_ancestors(a);
    for (size_t i = 0; i < a->names.count; i++) {
        struct touched *t = &a->names.at[i];
        t->gone = t->count == 0 && t->key_len != 0 && !has_below(a, t);
    }
    for (size_t i = 0; i < a->nsec3.count; i++)
        a->nsec3.at[i].gone = !owns(a, &a->nsec3.at[i], NULL, DNS_TYPE_NSEC3);
}

static void check_apex(struct apply *a, struct zone *fields)
{
    const struct touched *t = find_touched(&a->names, (const uint8_t *)"", 0);
    char text[DNS_TEXT_MAX];
    if (t == NULL)
        return;
    for (size_t i = 0; i < t->count; i++)
        if (t->rr[i].type == DNS_TYPE_SOA && !t->rr[i].sig)
            fields->serial = zone_soa_serial(t->rr[i].rdata, t->rr[i].len);
    if (!owns(a, t, NULL, DNS_TYPE_SOA) || !owns(a, t, NULL, DNS_TYPE_NS))
        zone_errors_add(a->errs, false, NULL, 0, "transfer the zone whole",
                        "%s would have no SOA or no NS record", dns_name_text(a->origin, text));
}

/* The new version of the zone and of the tree of zones; returns the latter's root. */
static uint32_t write_version(struct apply *a)
{
    struct zone fields = *a->z;
    decide_existence(a);
    touch_subtrees(a);
    check_apex(a, &fields);
    fields.names = write_list(a, &a->names, a->z->names, &fields);
    if (a->nsec3.count != 0)
        fields.nsec3 = write_list(a, &a->nsec3, a->z->nsec3, &fields);
    uint8_t key[DNS_KEY_MAX], any;
    uint32_t nodes;
    struct zone_tree_change change = { .key = key, .key_len = dns_name_key(a->origin, key) };
    change.ref = zone_build_zone_write(a->b.w, a->origin, &fields);
    a->dead += zone_image_zone_size(a->z);
    return zone_tree_update(a->map, a->b.w, a->set->slot.zones, &change, 1, &nodes, &any, &a->dead);
}

static void list_fini(struct touched_list *l)
{
    for (size_t i = 0; i < l->count; i++) {
        free(l->at[i].key);
        free(l->at[i].rr);
    }
    free(l->at);
}

static void apply_all(struct apply *a, const struct zone_change *changes, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        apply_one(a, &changes[i]);
    if (a->errs->errors != 0)
        return;
    uint32_t zones = write_version(a);
    if (a->errs->errors == 0)
        zone_image_writer_commit(a->b.w, zones, a->set->slot.zone_count,
                                 a->set->slot.dead + a->dead);
}

bool zone_image_apply(int fd, const struct dns_name *origin, const struct zone_change *changes,
                      uint32_t count, struct zone_errors *errs)
{
    struct err e = { 0 };
    struct zone_image_writer w;
    struct apply a = { .errs = errs, .origin = origin };
    char text[DNS_TEXT_MAX];
    a.set = zone_set_map(fd, &e);
    if (a.set != NULL && zone_image_writer_open(&w, fd, &e)) {
        struct dns_name name;
        zone_build_init(&a.b, &w, errs);
        a.b.origin = origin;
        a.map = a.set->map;
        a.z = zone_set_find(a.set, origin);
        if (a.z != NULL)
            zone_origin(a.z, &name);
        if (a.z == NULL || !dns_name_equal(&name, origin))
            zone_errors_add(errs, false, NULL, 0, NULL, "there is no zone %s",
                            dns_name_text(origin, text));
        else
            apply_all(&a, changes, count);
        list_fini(&a.names);
        list_fini(&a.nsec3);
        zone_build_fini(&a.b);
        zone_image_writer_fini(&w);
    }
    if (e.kind != ERR_NONE)
        zone_errors_add_err(errs, NULL, &e);
    zone_set_free(a.set);
    return errs->errors == 0;
}
