/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From staged records in canonical order to the objects of a zone. Names come in the order of the
 * tree, so one pass knows everything about a name from those before it: which of its ancestors exist
 * (the others become empty non-terminals) and whether it lies below a delegation or a DNAME. */
#include "zone/build.h"

#include <stdlib.h>

#include "dns/type.h"
#include "zone/errors.h"
#include "zone/rdata.h"

/* The zone at hand. */
struct pass {
    struct zone_build *b;
    const struct zone_stage *stage;
    const char *const *file_names;
    struct zone fields;
    bool has_soa, has_ns;
    bool occluding; /* names below `occluder` are occluded */
    uint8_t last[DNS_KEY_MAX], occluder[DNS_KEY_MAX];
    size_t last_len, occluder_len;
    bool any_name;
};

void zone_build_init(struct zone_build *b, struct zone_image_writer *w, struct zone_errors *errs)
{
    *b = (struct zone_build){ .w = w, .errs = errs, .rr_cap = 64, .zones_cap = 16 };
    b->rr = base_alloc(b->rr_cap * sizeof *b->rr);
    b->zone = base_alloc(b->zones_cap * sizeof *b->zone);
    zone_tree_init(&b->names, w);
    zone_tree_init(&b->nsec3, w);
}

void zone_build_fini(struct zone_build *b)
{
    for (size_t i = 0; i < b->zones; i++)
        free(b->zone[i].key);
    free(b->zone);
    free(b->rr);
    free(b->shared);
    zone_tree_fini(&b->names);
    zone_tree_fini(&b->nsec3);
}

void zone_build_gather(struct zone_build *b, size_t *count, const struct zone_build_rr *rr)
{
    if (*count == b->rr_cap) {
        b->rr_cap *= 2;
        b->rr = base_realloc(b->rr, b->rr_cap * sizeof *b->rr);
    }
    b->rr[(*count)++] = *rr;
}

/* All records of the name that run `i` begins with; *i moves behind its last run. */
static size_t gather_runs(struct pass *p, size_t *i)
{
    const struct zone_stage_run *first = zone_stage_run_at(p->stage, *i);
    size_t count = 0;
    for (; *i < p->stage->runs; ++*i) {
        const struct zone_stage_run *run = zone_stage_run_at(p->stage, *i);
        if (run->key_len != first->key_len ||
            memcmp(zone_stage_key(run), zone_stage_key(first), run->key_len) != 0)
            break;
        const struct zone_stage_record *rec = zone_stage_first(run);
        for (uint32_t k = 0; k < run->records; k++, rec = zone_stage_after(rec)) {
            struct zone_build_rr rr = { .rdata = zone_stage_rdata(rec),
                                        .line = rec->line,
                                        .ttl_s = rec->ttl_s,
                                        .type = rec->type,
                                        .len = rec->len,
                                        .sig = rec->type == DNS_TYPE_RRSIG,
                                        .file = p->file_names[run->file] };
            if (rr.sig)
                rr.type = (uint16_t)(rr.rdata[0] << 8 | rr.rdata[1]);
            zone_build_gather(p->b, &count, &rr);
        }
    }
    return count;
}

/* Moves NSEC3 and its signatures to the front; returns how many there are. */
static size_t split_nsec3(struct zone_build_rr *rr, size_t count)
{
    size_t front = 0;
    for (size_t i = 0; i < count; i++) {
        if (rr[i].type != DNS_TYPE_NSEC3)
            continue;
        struct zone_build_rr moved = rr[i];
        memmove(&rr[front + 1], &rr[front], (i - front) * sizeof *rr);
        rr[front++] = moved;
    }
    return front;
}

static void set_flags(struct pass *p, struct zone_build_node *n)
{
    if (p->occluding &&
        (n->key_len <= p->occluder_len || memcmp(n->key, p->occluder, p->occluder_len) != 0))
        p->occluding = false;
    n->flags = zone_build_node_flags(n, p->occluding);
    if (!p->occluding && (n->flags & (ZONE_NODE_CUT | ZONE_NODE_DNAME)) != 0) {
        p->occluding = true;
        memcpy(p->occluder, n->key, n->key_len);
        p->occluder_len = n->key_len;
    }
}

static void put_node(struct pass *p, struct zone_build_node *n)
{
    set_flags(p, n);
    p->fields.record_count += (uint32_t)n->count;
    uint32_t ref = zone_build_node_write(p->b, n);
    zone_tree_add(&p->b->names, n->key, n->key_len, ref, n->flags);
    if (n->key_len == 0)
        p->fields.apex = ref;
    memcpy(p->last, n->key, n->key_len);
    p->last_len = n->key_len;
    p->any_name = true;
}

/* The labels of `name` that remain when only `keep` of `labels` are left at its end. */
static const uint8_t *name_tail(const uint8_t *name, unsigned labels, unsigned keep)
{
    while (labels-- > keep)
        name += 1 + name[0];
    return name;
}

/* Empty non-terminals between the last name and this one (RFC 4592 section 2.2.2), the apex too if
 * the zone has no record there. */
static void put_missing_ancestors(struct pass *p, const struct zone_build_node *n)
{
    size_t common = 0;
    unsigned labels = 0, depth = 0;
    while (common < p->last_len && common < n->key_len && p->last[common] == n->key[common])
        common++;
    for (size_t i = 0; i < n->key_len; i++)
        labels += n->key[i] == 0;
    if (!p->any_name && n->key_len != 0) {
        struct zone_build_node apex = { .key = n->key, .name = n->name };
        put_node(p, &apex);
    }
    for (size_t i = 0; i + 1 < n->key_len; i++) {
        if (n->key[i] != 0)
            continue;
        depth++;
        if (i < common)
            continue;
        const uint8_t *name = name_tail(n->name, labels, depth);
        struct zone_build_node empty = { .key = n->key,
                                         .key_len = i + 1,
                                         .name = name,
                                         .name_len = (size_t)(n->name + n->name_len - name) };
        put_node(p, &empty);
    }
}

static void note_apex(struct pass *p, const struct zone_build_node *n)
{
    for (size_t i = 0; i < n->count; i++) {
        const struct zone_build_rr *rr = &n->rr[i];
        if (rr->sig)
            continue;
        p->has_ns |= rr->type == DNS_TYPE_NS;
        if (rr->type == DNS_TYPE_SOA && !p->has_soa) {
            p->has_soa = true;
            p->fields.serial = zone_soa_serial(rr->rdata, rr->len);
        }
    }
}

/* The NSEC3 of a name, which is no name of the zone by it (RFC 5155 section 7.2.8). */
static void put_hashed(struct pass *p, const struct zone_build_node *name, size_t count)
{
    struct zone_build_node n = *name;
    n.rr = p->b->rr;
    n.count = count;
    zone_build_node_order(&n);
    zone_build_node_check(p->b, &n, false);
    if (!n.rr[0].sig) { /* data is before signatures: there is an NSEC3 */
        zone_tree_add(&p->b->nsec3, n.key, n.key_len, zone_build_node_write(p->b, &n), 0);
        p->fields.record_count += (uint32_t)n.count;
        return;
    }
    char owner[DNS_TEXT_MAX];
    zone_errors_add(p->b->errs, true, n.rr[0].file, n.rr[0].line, "sign the zone again",
                    "%s has a signature of NSEC3 and no NSEC3; it is left out",
                    zone_build_owner_text(p->b, &n, owner));
}

static void put_name(struct pass *p, const struct zone_stage_run *run, size_t count)
{
    struct zone_build *b = p->b;
    struct zone_build_node n = { .key = zone_stage_key(run),
                                 .key_len = run->key_len,
                                 .name = zone_stage_name(run),
                                 .name_len = run->name_len };
    size_t hashed = split_nsec3(b->rr, count);
    if (hashed != 0)
        put_hashed(p, &n, hashed);
    if (hashed == count)
        return;
    n.rr = b->rr + hashed;
    n.count = count - hashed;
    zone_build_node_order(&n);
    zone_build_node_check(b, &n, n.key_len == 0);
    if (n.key_len == 0)
        note_apex(p, &n);
    put_missing_ancestors(p, &n);
    put_node(p, &n);
}

uint32_t zone_build_zone_write(struct zone_image_writer *w, const struct dns_name *origin,
                               const struct zone *fields)
{
    uint32_t ref;
    size_t size = sizeof *fields + origin->len;
    struct zone *z = zone_image_writer_room(w, size, &ref);
    if (z == NULL)
        return 0;
    uint8_t key[DNS_KEY_MAX];
    *z = *fields;
    z->magic = IMAGE_ZONE_MAGIC;
    z->self = ref;
    z->origin_key_len = (uint16_t)dns_name_key(origin, key);
    z->origin_len = origin->len;
    memcpy(z + 1, origin->wire, origin->len);
    return ref;
}

void zone_build_zone_add(struct zone_build *b, const struct dns_name *origin, uint32_t ref)
{
    if (b->zones == b->zones_cap) {
        b->zones_cap *= 2;
        b->zone = base_realloc(b->zone, b->zones_cap * sizeof *b->zone);
    }
    uint8_t key[DNS_KEY_MAX];
    struct zone_build_zone_ref *zr = &b->zone[b->zones++];
    zr->key_len = (uint16_t)dns_name_key(origin, key);
    zr->origin_len = origin->len;
    zr->key = base_alloc((size_t)zr->key_len + origin->len);
    memcpy(zr->key, key, zr->key_len);
    memcpy(zr->key + zr->key_len, origin->wire, origin->len);
    zr->ref = ref;
}

void zone_build_zone(struct zone_build *b, const struct dns_name *origin, struct zone_stage *stage,
                     const char *const *file_names, bool complete)
{
    struct pass p = { .b = b, .stage = stage, .file_names = file_names };
    b->origin = origin;
    uint64_t begin = zone_image_writer_at(b->w);
    uint8_t nsec3_any;
    zone_stage_sort(stage);
    for (size_t i = 0, first = 0; i < stage->runs; first = i) {
        const struct zone_stage_run *run = zone_stage_run_at(stage, i);
        size_t count = gather_runs(&p, &i);
        if (count != 0)
            put_name(&p, run, count);
        for (; first < i; first++)
            zone_stage_done(stage, first);
    }
    p.fields.names = zone_tree_end(&b->names, &p.fields.node_count, &p.fields.any);
    p.fields.nsec3 = zone_tree_end(&b->nsec3, &p.fields.nsec3_count, &nsec3_any);
    p.fields.units = (uint32_t)((zone_image_writer_at(b->w) - begin) / 8);
    char text[DNS_TEXT_MAX];
    if (!p.has_soa && complete)
        zone_errors_add(
            b->errs, false, file_names[0], 0,
            "a zone begins with the SOA record of its origin: is this the right file, and "
            "the right origin?",
            "%s has no SOA record", dns_name_text(origin, text));
    if (!p.has_ns && complete)
        zone_errors_add(b->errs, false, file_names[0], 0,
                        "name the servers of the zone at its origin (RFC 1034 section 4.2.1)",
                        "%s has no NS record", dns_name_text(origin, text));
    if (p.fields.names != 0)
        zone_build_zone_add(b, origin, zone_build_zone_write(b->w, origin, &p.fields));
}

static int compare_zones(const void *a, const void *b)
{
    const struct zone_build_zone_ref *x = a, *y = b;
    int c = memcmp(x->key, y->key, x->key_len < y->key_len ? x->key_len : y->key_len);
    return c != 0 ? c : (x->key_len > y->key_len) - (x->key_len < y->key_len);
}

uint32_t zone_build_zones_end(struct zone_build *b)
{
    uint32_t count;
    uint8_t any;
    qsort(b->zone, b->zones, sizeof *b->zone, compare_zones);
    for (size_t i = 0; i < b->zones; i++)
        zone_tree_add(&b->names, b->zone[i].key, b->zone[i].key_len, b->zone[i].ref, 0);
    return zone_tree_end(&b->names, &count, &any);
}
