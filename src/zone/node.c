/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One node: its records in order, checked, written. */
#include <stdlib.h>

#include "dns/type.h"
#include "zone/build.h"
#include "zone/errors.h"
#include "zone/rdata.h"

/* By type, data before signatures, canonical order; equal ones as they came in. */
static int compare_rrs(const void *a, const void *b)
{
    const struct zone_build_rr *x = a, *y = b;
    if (x->type != y->type)
        return x->type < y->type ? -1 : 1;
    if (x->sig != y->sig)
        return x->sig ? 1 : -1;
    return zone_rdata_compare(x->sig ? DNS_TYPE_RRSIG : x->type, x->rdata, x->len, y->rdata,
                              y->len);
}

void zone_build_node_order(struct zone_build_node *n)
{
    size_t i = 1;
    while (i < n->count && compare_rrs(&n->rr[i - 1], &n->rr[i]) < 0)
        i++;
    if (i >= n->count) /* as most zones come */
        return;
    qsort(n->rr, n->count, sizeof *n->rr, compare_rrs);
    size_t kept = 0;
    for (i = 0; i < n->count; i++)
        if (kept == 0 || compare_rrs(&n->rr[kept - 1], &n->rr[i]) != 0)
            n->rr[kept++] = n->rr[i];
    n->count = kept;
}

/* The records of one type, without or with the signatures' half: [begin, end). */
static size_t half_end(const struct zone_build_node *n, size_t begin)
{
    size_t end = begin + 1;
    while (end < n->count && n->rr[end].type == n->rr[begin].type &&
           n->rr[end].sig == n->rr[begin].sig)
        end++;
    return end;
}

const char *zone_build_owner_text(const struct zone_build *b, const struct zone_build_node *n,
                                  char buf[DNS_TEXT_MAX])
{
    uint8_t wire[DNS_NAME_MAX * 2];
    memcpy(wire, n->name, n->name_len);
    memcpy(wire + n->name_len, b->origin->wire, b->origin->len);
    struct rd r = rd_init(wire, n->name_len + b->origin->len);
    struct dns_name name;
    return dns_name_text(dns_name_parse(&name, &r) ? &name : b->origin, buf);
}

/* The lowest TTL holds for all, as in Knot DNS: nobody caches longer than any line allows. */
static void level_ttls(struct zone_build *b, struct zone_build_node *n, size_t begin, size_t end)
{
    uint32_t low = n->rr[begin].ttl_s;
    bool mixed = false;
    for (size_t i = begin + 1; i < end; i++) {
        mixed |= n->rr[i].ttl_s != low;
        low = n->rr[i].ttl_s < low ? n->rr[i].ttl_s : low;
    }
    if (!mixed)
        return;
    char type[DNS_TYPE_TEXT_MAX], owner[DNS_TEXT_MAX];
    if (!n->rr[begin].sig)
        zone_errors_add(b->errs, true, n->rr[begin].file, n->rr[begin].line,
                        "give all records of a name and type one TTL (RFC 2181 section 5.2)",
                        "%s %s has several TTLs; %u is used", zone_build_owner_text(b, n, owner),
                        dns_type_text(n->rr[begin].type, type), low);
    for (size_t i = begin; i < end; i++)
        n->rr[i].ttl_s = low;
}

static void check_single(struct zone_build *b, const struct zone_build_node *n, size_t begin,
                         size_t end)
{
    uint16_t type = n->rr[begin].type;
    if (end - begin < 2 || (type != DNS_TYPE_CNAME && type != DNS_TYPE_SOA &&
                            type != DNS_TYPE_DNAME && type != DNS_TYPE_NSEC))
        return;
    char text[DNS_TYPE_TEXT_MAX], owner[DNS_TEXT_MAX];
    zone_errors_add(b->errs, false, n->rr[begin + 1].file, n->rr[begin + 1].line,
                    "a name can have one only: remove the others",
                    "%s has %zu different %s records", zone_build_owner_text(b, n, owner),
                    end - begin, dns_type_text(type, text));
}

static void check_company(struct zone_build *b, const struct zone_build_node *n, bool apex)
{
    char text[DNS_TYPE_TEXT_MAX], owner[DNS_TEXT_MAX];
    const struct zone_build_rr *cname = NULL, *dname = NULL, *ns = NULL, *other = NULL;
    for (size_t i = 0; i < n->count; i++) {
        const struct zone_build_rr *rr = &n->rr[i];
        if (rr->sig || rr->type == DNS_TYPE_NSEC)
            continue;
        if (rr->type == DNS_TYPE_CNAME)
            cname = rr;
        else
            other = rr;
        if (rr->type == DNS_TYPE_DNAME)
            dname = rr;
        if (rr->type == DNS_TYPE_NS)
            ns = rr;
        if (rr->type == DNS_TYPE_SOA && !apex)
            zone_errors_add(b->errs, false, rr->file, rr->line,
                            "is this the file of another zone? give each zone a file of its own",
                            "%s is not the zone's origin and has a SOA record",
                            zone_build_owner_text(b, n, owner));
    }
    if (cname != NULL && other != NULL)
        zone_errors_add(b->errs, false, cname->file, cname->line,
                        "an alias has nothing else: remove the CNAME or the rest (RFC 2181 section "
                        "10.1)",
                        "%s has CNAME and other data (%s)", zone_build_owner_text(b, n, owner),
                        dns_type_text(other->type, text));
    if (dname != NULL && ns != NULL && !apex)
        zone_errors_add(b->errs, false, dname->file, dname->line,
                        "remove one of them (RFC 6672 section 2.3)",
                        "%s has DNAME and NS, and is not the zone's origin",
                        zone_build_owner_text(b, n, owner));
}

void zone_build_node_check(struct zone_build *b, struct zone_build_node *n, bool apex)
{
    if (n->count == 1 && n->rr[0].type != DNS_TYPE_SOA)
        return; /* alone: nothing to contradict */
    char owner[DNS_TEXT_MAX];
    for (size_t i = 0, end; i < n->count; i = end) {
        end = half_end(n, i);
        level_ttls(b, n, i, end);
        if (!n->rr[i].sig)
            check_single(b, n, i, end);
        if (end - i > UINT16_MAX)
            zone_errors_add(b->errs, false, n->rr[i].file, n->rr[i].line,
                            "no answer can carry so many: remove some",
                            "%s has %zu records of one type", zone_build_owner_text(b, n, owner),
                            end - i);
    }
    check_company(b, n, apex);
}

uint8_t zone_build_node_flags(const struct zone_build_node *n, bool occluded)
{
    uint8_t flags = n->count == 0 ? ZONE_NODE_EMPTY : 0;
    if (n->name_len >= 2 && n->name[0] == 1 && n->name[1] == '*')
        flags |= IMAGE_NODE_WILDCARD;
    if (occluded)
        flags |= ZONE_NODE_OCCLUDED;
    for (size_t i = 0; i < n->count; i++) {
        const struct zone_build_rr *rr = &n->rr[i];
        if (rr->sig)
            continue;
        if (rr->type == DNS_TYPE_CNAME)
            flags |= ZONE_NODE_CNAME;
        if (rr->type == DNS_TYPE_NSEC)
            flags |= IMAGE_NODE_NSEC;
        if (occluded)
            continue;
        if (rr->type == DNS_TYPE_NS && n->key_len != 0)
            flags |= ZONE_NODE_CUT;
        if (rr->type == DNS_TYPE_DNAME)
            flags |= ZONE_NODE_DNAME;
        if (rr->type == DNS_TYPE_DS && (flags & ZONE_NODE_CUT) != 0)
            flags |= ZONE_NODE_DS; /* records are by type: NS is before DS */
    }
    return flags;
}

static uint32_t items_len(const struct zone_build_node *n, size_t begin, size_t end)
{
    size_t len = 0;
    for (size_t i = begin; i < end; i++)
        len += 2u + n->rr[i].len;
    return (uint32_t)len; /* at most 65,535 records of 65,537 bytes: below 2^32 */
}

static uint8_t *put_items(uint8_t *to, const struct zone_build_node *n, size_t begin, size_t end)
{
    for (size_t i = begin; i < end; i++) {
        to[0] = (uint8_t)(n->rr[i].len >> 8);
        to[1] = (uint8_t)n->rr[i].len;
        memcpy(to + 2, n->rr[i].rdata, n->rr[i].len);
        to += 2 + n->rr[i].len;
    }
    return to;
}

/* Where RDATA of this kind lies that is written already or now; 0: it is not to be shared. */
static uint32_t share(struct zone_build *b, const struct zone_build_node *n, size_t begin,
                      size_t end, uint32_t len)
{
    uint8_t bytes[BUILD_SHARED_MAX];
    if (len < BUILD_SHARED_MIN || len > sizeof bytes)
        return 0;
    if (b->shared == NULL)
        b->shared = base_calloc(BUILD_SHARED_ROWS, sizeof *b->shared);
    put_items(bytes, n, begin, end);
    uint64_t hash = 0, word;
    for (uint32_t i = 0; i < len; i += 8) {
        word = 0;
        memcpy(&word, bytes + i, len - i < 8 ? len - i : 8);
        hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
        hash ^= hash >> 29;
    }
    struct zone_build_shared *row = &b->shared[hash % BUILD_SHARED_ROWS];
    if (row->len == len && memcmp(row->bytes, bytes, len) == 0)
        return row->ref;
    uint32_t ref;
    uint8_t *to = zone_image_writer_room(b->w, len, &ref);
    if (to == NULL)
        return 0;
    memcpy(to, bytes, len);
    row->ref = ref;
    row->len = (uint16_t)len;
    memcpy(row->bytes, bytes, len);
    return ref;
}

/* One RRset of a node that is being laid out. */
struct plan {
    size_t begin, sigs, end; /* records, signatures, the next type */
    uint32_t len, sigs_len, shared;
};

static size_t plan_rrset(struct zone_build *b, const struct zone_build_node *n, size_t begin,
                         struct plan *p)
{
    p->begin = p->sigs = begin;
    if (!n->rr[begin].sig)
        p->sigs = half_end(n, begin);
    p->end = p->sigs;
    if (p->sigs < n->count && n->rr[p->sigs].sig && n->rr[p->sigs].type == n->rr[begin].type)
        p->end = half_end(n, p->sigs);
    p->len = items_len(n, p->begin, p->sigs);
    p->sigs_len = items_len(n, p->sigs, p->end);
    p->shared = share(b, n, p->begin, p->sigs, p->len);
    return sizeof(struct zone_image_rrset) + (p->shared != 0 ? sizeof p->shared : p->len) +
           (p->end != p->sigs ? sizeof(struct zone_image_sigs) + p->sigs_len : 0);
}

static uint8_t *put_rrset(uint8_t *to, const struct zone_build_node *n, const struct plan *p)
{
    struct zone_image_rrset head = { .type = n->rr[p->begin].type,
                                     .count = (uint16_t)(p->sigs - p->begin),
                                     .ttl_s = n->rr[p->begin].ttl_s,
                                     .len = p->len };
    head.len |= p->shared != 0 ? IMAGE_RRSET_SHARED : 0;
    head.len |= p->end != p->sigs ? IMAGE_RRSET_SIGS : 0;
    memcpy(to, &head, sizeof head);
    to += sizeof head;
    if (p->shared != 0) {
        memcpy(to, &p->shared, sizeof p->shared);
        to += sizeof p->shared;
    } else {
        to = put_items(to, n, p->begin, p->sigs);
    }
    if (p->end == p->sigs)
        return to;
    struct zone_image_sigs sigs = { .count = (uint16_t)(p->end - p->sigs),
                                    .ttl_s = n->rr[p->sigs].ttl_s,
                                    .len = p->sigs_len };
    memcpy(to, &sigs, sizeof sigs);
    return put_items(to + sizeof sigs, n, p->sigs, p->end);
}

uint32_t zone_build_node_write(struct zone_build *b, const struct zone_build_node *n)
{
    struct plan few[8], *plan = few;
    size_t rrsets = 0, cap = BASE_COUNT(few), size = sizeof(struct zone_node) + n->name_len;
    for (size_t i = 0; i < n->count; i = plan[rrsets++].end) {
        if (rrsets == cap) {
            cap *= 2;
            struct plan *more = base_alloc(cap * sizeof *more);
            memcpy(more, plan, rrsets * sizeof *more);
            if (plan != few)
                free(plan);
            plan = more;
        }
        size += plan_rrset(b, n, i, &plan[rrsets]);
    }
    uint32_t ref = 0;
    struct zone_node *node =
        size <= IMAGE_RRSET_LEN ? zone_image_writer_room(b->w, size, &ref) : NULL;
    if (node != NULL) {
        *node = (struct zone_node){ .size = (uint32_t)size,
                                    .flags = n->flags,
                                    .name_len = (uint8_t)n->name_len,
                                    .rrset_count = (uint16_t)rrsets };
        memcpy(node + 1, n->name, n->name_len);
        uint8_t *to = (uint8_t *)(node + 1) + n->name_len;
        for (size_t i = 0; i < rrsets; i++)
            to = put_rrset(to, n, &plan[i]);
    } else if (!b->w->failed) {
        zone_errors_add(b->errs, false, n->rr[0].file, n->rr[0].line, "no answer can carry so many",
                        "a name has records of more than %u MiB", IMAGE_RRSET_LEN >> 20);
    }
    if (plan != few)
        free(plan);
    return ref;
}
