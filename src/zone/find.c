/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finding in a zone. The tree of names holds every name that exists, empty non-terminals too, in
 * canonical order, so that a subtree is one interval that begins with its top. One search for a name
 * gives the last name at or before it; every existing ancestor of the name is an ancestor of that one
 * or itself, so what the two keys share, cut back to whole labels, is the closest encloser. */
#include "zone/image.h"

void zone_origin(const struct zone *z, struct dns_name *out)
{
    struct rd r = rd_init(zone_image_origin(z), z->origin_len);
    if (!dns_name_parse(out, &r) || rd_left(&r) != 0)
        *out = (struct dns_name){ .len = 1 }; /* a broken image */
}

uint32_t zone_serial(const struct zone *z)
{
    return z->serial;
}

uint32_t zone_record_count(const struct zone *z)
{
    return z->record_count;
}

const struct zone_node *zone_apex(const struct zone *z)
{
    return zone_image_node_at(zone_image_map_of(z), z->apex);
}

enum zone_state zone_state(const struct zone *z)
{
    return (enum zone_state)z->state;
}

bool zone_has_nsec(const struct zone *z)
{
    const struct zone_node *apex = zone_apex(z);
    return apex != NULL && (apex->flags & IMAGE_NODE_NSEC) != 0;
}

bool zone_has_nsec3(const struct zone *z)
{
    struct zone_rrset rrset;
    const struct zone_node *apex = zone_apex(z);
    return z->nsec3 != 0 && apex != NULL && zone_node_find(z, apex, 51, &rrset);
}

uint32_t zone_node_flags(const struct zone_node *n)
{
    return n->flags & IMAGE_NODE_PUBLIC;
}

uint32_t zone_flags(const struct zone *z)
{
    return z->any & IMAGE_NODE_PUBLIC;
}

void zone_node_name(const struct zone *z, const struct zone_node *n, struct dns_name *out)
{
    uint8_t wire[DNS_NAME_MAX];
    if ((size_t)n->name_len + z->origin_len <= sizeof wire) {
        memcpy(wire, n + 1, n->name_len);
        memcpy(wire + n->name_len, zone_image_origin(z), z->origin_len);
        struct rd r = rd_init(wire, (size_t)n->name_len + z->origin_len);
        if (dns_name_parse(out, &r) && rd_left(&r) == 0)
            return;
    }
    zone_origin(z, out); /* a broken image */
}

/* Whether `count` items with their length fields fill `len` bytes exactly. */
static bool items_fill(const uint8_t *p, uint32_t len, uint32_t count)
{
    for (; count != 0; count--) {
        if (len < 2)
            return false;
        uint32_t item = 2u + ((uint32_t)p[0] << 8 | p[1]);
        if (item > len)
            return false;
        p += item;
        len -= item;
    }
    return len == 0;
}

bool zone_image_rrset_at(const struct zone_image_map *m, const struct zone_node *n, uint32_t *pos,
                         struct zone_rrset *out)
{
    uint32_t at = *pos != 0 ? *pos : (uint32_t)sizeof *n + n->name_len;
    if (at > n->size)
        return false;
    struct rd r = rd_init((const uint8_t *)n + at, n->size - at);
    struct zone_image_rrset head;
    const uint8_t *p = rd_bytes(&r, sizeof head);
    if (p == NULL)
        return false;
    memcpy(&head, p, sizeof head);
    *out = (struct zone_rrset){ .type = head.type, .count = head.count, .ttl_s = head.ttl_s };
    out->rdata_len = head.len & IMAGE_RRSET_LEN;
    if ((head.len & IMAGE_RRSET_SHARED) != 0) {
        uint32_t ref = 0;
        p = rd_bytes(&r, sizeof ref);
        if (p != NULL)
            memcpy(&ref, p, sizeof ref);
        out->rdata = zone_image_at(m, (uint64_t)ref * 8, out->rdata_len);
    } else {
        out->rdata = rd_bytes(&r, out->rdata_len);
    }
    if ((head.len & IMAGE_RRSET_SIGS) != 0) {
        struct zone_image_sigs sigs = { 0 };
        p = rd_bytes(&r, sizeof sigs);
        if (p != NULL)
            memcpy(&sigs, p, sizeof sigs);
        out->sig_count = sigs.count;
        out->sig_ttl_s = sigs.ttl_s;
        out->sigs_len = sigs.len;
        out->sigs = rd_bytes(&r, sigs.len);
        if (out->sigs == NULL || !items_fill(out->sigs, out->sigs_len, out->sig_count))
            return false;
    }
    if (r.bad || out->rdata == NULL || !items_fill(out->rdata, out->rdata_len, out->count))
        return false;
    *pos = (uint32_t)(r.pos - (const uint8_t *)n);
    return true;
}

bool zone_node_next(const struct zone *z, const struct zone_node *n, uint32_t *pos,
                    struct zone_rrset *out)
{
    return zone_image_rrset_at(zone_image_map_of(z), n, pos, out);
}

bool zone_node_find(const struct zone *z, const struct zone_node *n, uint16_t type,
                    struct zone_rrset *out)
{
    const struct zone_image_map *m = zone_image_map_of(z);
    uint32_t pos = 0;
    while (zone_image_rrset_at(m, n, &pos, out) && out->type <= type)
        if (out->type == type)
            return out->count != 0;
    return false;
}

/* The key of `name` below the origin of `z`; `all` is the buffer it lies in. False when the name is
 * not at or below the origin, which the contract excludes. */
static bool key_below(const struct zone *z, const struct dns_name *name, uint8_t all[DNS_KEY_MAX],
                      const uint8_t **key, size_t *len)
{
    size_t whole = dns_name_key(name, all);
    if (whole < z->origin_key_len)
        return false;
    *key = all + z->origin_key_len;
    *len = whole - z->origin_key_len;
    return true;
}

static size_t label_end(const uint8_t *key, size_t len)
{
    while (len > 0 && key[len - 1] != 0)
        len--;
    return len;
}

static unsigned labels_in(const uint8_t *key, size_t len)
{
    unsigned n = 0;
    for (size_t i = 0; i < len; i++)
        n += key[i] == 0;
    return n;
}

static const struct zone_node *node_of(const struct zone_image_map *m, const struct zone *z,
                                       const uint8_t *key, size_t len)
{
    if (len == 0)
        return zone_apex(z);
    struct zone_image_entry e;
    return zone_image_find(m, z->names, key, len, &e) ? zone_image_node_at(m, e.ref) : NULL;
}

/* The highest cut or DNAME strictly above the name whose key this is, from the top down. */
static void find_occluder(const struct zone_image_map *m, const struct zone *z, const uint8_t *key,
                          size_t len, struct zone_found *out)
{
    for (size_t i = 0; i < len; i++) {
        if (i != 0 && key[i - 1] != 0)
            continue;
        const struct zone_node *n = node_of(m, z, key, i);
        if (n == NULL)
            return;
        if ((n->flags & ZONE_NODE_CUT) != 0)
            out->cut = n;
        else if ((n->flags & ZONE_NODE_DNAME) != 0)
            out->dname = n;
        if (out->cut != NULL || out->dname != NULL)
            return;
    }
}

static const struct zone_node *find_wildcard(const struct zone_image_map *m, const struct zone *z,
                                             const uint8_t *key, size_t encloser_len)
{
    if ((z->any & IMAGE_NODE_WILDCARD) == 0 || encloser_len > DNS_KEY_MAX - 2)
        return NULL;
    uint8_t wild[DNS_KEY_MAX];
    memcpy(wild, key, encloser_len);
    wild[encloser_len] = '*';
    wild[encloser_len + 1] = 0;
    struct zone_image_entry e;
    return zone_image_find(m, z->names, wild, encloser_len + 2, &e) ? zone_image_node_at(m, e.ref)
                                                                    : NULL;
}

/* The longest existing ancestor of the key, starting from `len` bytes of it: found at once in an
 * image that is in order. */
static const struct zone_node *find_encloser(const struct zone_image_map *m, const struct zone *z,
                                             const uint8_t *key, size_t *len)
{
    for (;;) {
        const struct zone_node *n = node_of(m, z, key, *len);
        if (n != NULL || *len == 0)
            return n != NULL ? n : zone_apex(z);
        *len = label_end(key, *len - 1);
    }
}

void zone_lookup(const struct zone *z, const struct dns_name *name, struct zone_found *out)
{
    const struct zone_image_map *m = zone_image_map_of(z);
    uint8_t all[DNS_KEY_MAX];
    const uint8_t *key;
    size_t len, common = 0, encloser_len = 0;
    *out = (struct zone_found){ 0 };
    if (!key_below(z, name, all, &key, &len)) {
        key = all;
        len = 0;
    }
    struct zone_image_pos pos;
    struct zone_image_entry e;
    bool there =
        zone_image_seek(m, z->names, key, len, &pos, &common) && zone_image_entry(&pos, &e);
    if (there) {
        encloser_len = label_end(key, common);
        size_t e_len = (size_t)e.prefix_len + e.suffix_len;
        if (e_len == encloser_len)
            out->encloser = zone_image_node_at(m, e.ref);
        if (e_len == len && common == len)
            out->exact = out->encloser;
    }
    if (out->encloser == NULL)
        out->encloser = find_encloser(m, z, key, &encloser_len);
    out->encloser_labels =
        (uint8_t)(name->labels - labels_in(key + encloser_len, len - encloser_len));
    if (out->encloser == NULL)
        return; /* ZONE_EMPTY */
    uint8_t flags = out->encloser->flags;
    if ((flags & ZONE_NODE_OCCLUDED) != 0)
        find_occluder(m, z, key, encloser_len, out);
    else if ((flags & ZONE_NODE_CUT) != 0)
        out->cut = out->encloser;
    else if ((flags & ZONE_NODE_DNAME) != 0 && out->exact == NULL)
        out->dname = out->encloser;
    if (out->exact != NULL)
        return;
    out->wildcard = find_wildcard(m, z, key, encloser_len);
    if (out->cut == NULL && out->dname == NULL && (z->any & IMAGE_NODE_NSEC) != 0 && there &&
        zone_image_back_to(&pos, IMAGE_NODE_NSEC) && zone_image_entry(&pos, &e))
        out->nsec = zone_image_node_at(m, e.ref);
}

const struct zone_node *zone_find_exact(const struct zone *z, const struct dns_name *name)
{
    uint8_t all[DNS_KEY_MAX];
    const uint8_t *key;
    size_t len;
    return key_below(z, name, all, &key, &len) ? node_of(zone_image_map_of(z), z, key, len) : NULL;
}

const struct zone_node *zone_nsec_before(const struct zone *z, const struct dns_name *name)
{
    const struct zone_image_map *m = zone_image_map_of(z);
    uint8_t all[DNS_KEY_MAX];
    const uint8_t *key;
    size_t len, common;
    struct zone_image_pos pos;
    struct zone_image_entry e;
    if ((z->any & IMAGE_NODE_NSEC) == 0 || !key_below(z, name, all, &key, &len))
        return NULL;
    if (!zone_image_seek(m, z->names, key, len, &pos, &common) ||
        !zone_image_back_to(&pos, IMAGE_NODE_NSEC) || !zone_image_entry(&pos, &e))
        return NULL;
    return zone_image_node_at(m, e.ref);
}

const struct zone_node *zone_node_before(const struct zone *z, const struct dns_name *name)
{
    const struct zone_image_map *m = zone_image_map_of(z);
    uint8_t all[DNS_KEY_MAX];
    const uint8_t *key;
    size_t len, common;
    struct zone_image_pos pos;
    struct zone_image_entry e;
    if (!key_below(z, name, all, &key, &len) ||
        !zone_image_seek(m, z->names, key, len, &pos, &common) || !zone_image_entry(&pos, &e))
        return NULL;
    return zone_image_node_at(m, e.ref);
}

const struct zone_node *zone_nsec3_before(const struct zone *z, const struct dns_name *hashed,
                                          bool *matches)
{
    const struct zone_image_map *m = zone_image_map_of(z);
    uint8_t all[DNS_KEY_MAX];
    const uint8_t *key;
    size_t len, common = 0;
    struct zone_image_pos pos;
    struct zone_image_entry e;
    *matches = false;
    if (z->nsec3 == 0 || !key_below(z, hashed, all, &key, &len))
        return NULL;
    if (!zone_image_seek(m, z->nsec3, key, len, &pos, &common) &&
        !zone_image_last(m, z->nsec3, &pos))
        return NULL;
    if (!zone_image_entry(&pos, &e))
        return NULL;
    *matches = common == len && (size_t)e.prefix_len + e.suffix_len == len;
    return zone_image_node_at(m, e.ref);
}

const struct zone_node *zone_node_after(const struct zone *z, const struct zone_node *n)
{
    const struct zone_image_map *m = zone_image_map_of(z);
    uint8_t key[DNS_KEY_MAX];
    if ((size_t)n->name_len + z->origin_len > DNS_NAME_MAX)
        return NULL;
    size_t len = zone_image_key((const uint8_t *)(n + 1), n->name_len, key), common;
    struct zone_image_pos pos;
    struct zone_image_entry e;
    if (!zone_image_seek(m, z->names, key, len, &pos, &common) || !zone_image_next(&pos) ||
        !zone_image_entry(&pos, &e))
        return NULL;
    const struct zone_node *next = zone_image_node_at(m, e.ref);
    if (next == NULL || (size_t)next->name_len + z->origin_len > DNS_NAME_MAX)
        return NULL;
    /* Names only go up, so that a walk over a broken image ends as well. */
    uint8_t next_key[DNS_KEY_MAX];
    size_t next_len = zone_image_key((const uint8_t *)(next + 1), next->name_len, next_key);
    int c = memcmp(key, next_key, len < next_len ? len : next_len);
    return c < 0 || (c == 0 && len < next_len) ? next : NULL;
}

size_t zone_image_key(const uint8_t *wire, size_t wire_len, uint8_t key[DNS_KEY_MAX])
{
    uint8_t at[DNS_LABELS_MAX + 1];
    unsigned labels = 0;
    size_t i = 0, len = 0;
    while (i < wire_len && wire[i] != 0 && labels < DNS_LABELS_MAX) {
        if (i + 1 + wire[i] > wire_len)
            break; /* broken: the labels until here */
        at[labels++] = (uint8_t)i;
        i += 1u + wire[i];
    }
    while (labels-- != 0) {
        const uint8_t *label = wire + at[labels];
        for (unsigned k = 1; k <= label[0]; k++) {
            uint8_t c = label[k];
            c = (uint8_t)(c - 'A') < 26 ? (uint8_t)(c | 0x20) : c;
            if (c <= 1) {
                key[len++] = 1;
                c = (uint8_t)(c + 1);
            }
            key[len++] = c;
        }
        key[len++] = 0;
    }
    return len;
}
