/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The chain of NSEC (RFC 4034 section 4, RFC 4035 section 2.3): each authoritative name that owns
 * anything has one; it lists what is there and points to the next; the last points to the origin. */
#include "dns/type.h"
#include "zone/check_parts.h"

#define MAP_MAX (256 * 34) /* bytes of a type bit map */
#define TYPES_MAX 1024     /* types of one name that are compared */

static bool is_authoritative(const struct zone_node *n)
{
    return (n->flags & (ZONE_NODE_OCCLUDED | ZONE_NODE_EMPTY)) == 0;
}

/* The types that a proof of this name lists, ascending. RRSIG is among them by rule and not by what is
 * there: a missing signature is told by itself. */
static size_t types_of(const struct check *c, const struct zone_node *n, bool hashed,
                       uint16_t type[TYPES_MAX])
{
    struct zone_rrset r;
    size_t count = 0;
    bool cut = n != NULL && (n->flags & ZONE_NODE_CUT) != 0, ours = !hashed, rrsig = false;
    for (uint32_t pos = 0; n != NULL && zone_node_next(c->z, n, &pos, &r);) {
        if (r.count == 0 ||
            (cut && r.type != DNS_TYPE_NS && r.type != DNS_TYPE_DS && r.type != DNS_TYPE_NSEC))
            continue;
        /* With NSEC3 a delegation without DS has nothing that is signed. */
        ours |= !cut || r.type != DNS_TYPE_NS;
        if (r.type > DNS_TYPE_RRSIG && !rrsig && ours && count < TYPES_MAX) {
            type[count++] = DNS_TYPE_RRSIG;
            rrsig = true;
        }
        if (count < TYPES_MAX)
            type[count++] = r.type;
    }
    if (!rrsig && ours && count != 0 && count < TYPES_MAX)
        type[count++] = DNS_TYPE_RRSIG;
    return count;
}

/* The first type of the map behind *last that is one of its bits; -1: no more. */
static int next_type(const uint8_t *map, size_t len, int last)
{
    struct rd r = rd_init(map, len);
    while (rd_left(&r) != 0) {
        unsigned window = rd_u8(&r), bytes = rd_u8(&r);
        const uint8_t *bits = rd_bytes(&r, bytes);
        if (bits == NULL)
            return -1;
        for (unsigned i = 0; i < bytes * 8; i++) {
            int type = (int)(window << 8 | i);
            if (type > last && (bits[i / 8] & 0x80u >> i % 8) != 0)
                return type;
        }
    }
    return -1;
}

/* The map of these types, as every signer writes it. */
static size_t map_of(const uint16_t *type, size_t count, uint8_t map[MAP_MAX])
{
    size_t len = 0;
    for (size_t i = 0; i < count;) {
        uint8_t *window = map + len;
        memset(window, 0, 34);
        window[0] = (uint8_t)(type[i] >> 8);
        for (; i < count && type[i] >> 8 == window[0]; i++) {
            unsigned low = type[i] & 0xff;
            window[2 + low / 8] |= (uint8_t)(0x80u >> low % 8);
            window[1] = (uint8_t)(low / 8 + 1);
        }
        len += 2u + window[1];
    }
    return len;
}

void zone_check_types(struct check *c, enum check_kind kind, const struct zone_node *n,
                      const struct zone_node *owner, uint16_t type, const uint8_t *map, size_t len,
                      bool hashed)
{
    uint16_t want[TYPES_MAX];
    uint8_t want_map[MAP_MAX];
    char text[DNS_TYPE_TEXT_MAX], name[DNS_TYPE_TEXT_MAX];
    size_t count = types_of(c, n, hashed, want);
    /* NSEC3 of an empty non-terminal lists nothing: types_of() gave none. */
    size_t want_len = map_of(want, count, want_map);
    if (want_len == len && memcmp(map, want_map, len) == 0)
        return;
    dns_type_text(type, name);
    int has = next_type(map, len, -1);
    for (size_t i = 0; i < count || has >= 0;) {
        if (i < count && has == want[i]) {
            i++;
            has = next_type(map, len, has);
        } else if (has >= 0 && (i == count || has < want[i])) {
            zone_check_found(c, kind, owner, type, NULL, "%s lists %s, which is not there", name,
                             dns_type_text((uint16_t)has, text));
            return;
        } else {
            zone_check_found(c, kind, owner, type, NULL, "%s does not list %s, which is there",
                             name, dns_type_text(want[i], text));
            return;
        }
    }
    zone_check_found(c, kind, owner, type, NULL, "%s has a list of types of an odd form", name);
}

/* The key, below the origin, of the name that an NSEC points to; false when it is not in the zone. Fills
 * what is behind the name too. */
static bool next_key(const struct check *c, const struct check_item *item, uint8_t key[DNS_KEY_MAX],
                     size_t *len, struct rd *rest)
{
    struct dns_name name;
    *rest = rd_init(item->rdata, item->len);
    if (!dns_name_parse(&name, rest) || !dns_name_is_under(&name, &c->origin))
        return false;
    *len = zone_image_key(name.wire, (size_t)name.len - c->origin.len, key);
    return true;
}

static void check_point(struct check *c, const uint8_t *key, size_t len, const struct zone_node *to)
{
    char text[DNS_TEXT_MAX];
    struct dns_name name;
    if (c->nsec_node == NULL || !c->nsec_next_known ||
        (c->nsec_next_len == len && memcmp(c->nsec_next, key, len) == 0))
        return;
    zone_node_name(c->z, to, &name);
    zone_check_found(c, CHECK_NSEC_NEXT, c->nsec_node, DNS_TYPE_NSEC, NULL,
                     "NSEC does not point to the next name, %.100s", dns_name_text(&name, text));
}

/* What of an NSEC is right or wrong by itself; its target is kept for the next name. */
static bool take_nsec(struct check *c, const struct zone_node *n)
{
    struct zone_rrset r;
    struct check_item item;
    struct rd rest;
    uint32_t at = 0;
    if (!zone_node_find(c->z, n, DNS_TYPE_NSEC, &r) ||
        !check_item(r.rdata, r.rdata_len, &at, &item))
        return false;
    c->nsec_node = n;
    c->nsec_next_known = next_key(c, &item, c->nsec_next, &c->nsec_next_len, &rest);
    if (!c->nsec_next_known) {
        zone_check_found(c, CHECK_NSEC_NEXT, n, DNS_TYPE_NSEC, NULL, "NSEC points out of the zone");
        return true;
    }
    zone_check_types(c, CHECK_NSEC_TYPES, n, n, DNS_TYPE_NSEC, rest.pos, rd_left(&rest), false);
    return true;
}

void zone_check_nsec_name(struct check *c, const struct zone_node *n)
{
    bool has = (n->flags & IMAGE_NODE_NSEC) != 0;
    if (!is_authoritative(n)) {
        if (has)
            zone_check_found(c, CHECK_NSEC_GLUE, n, DNS_TYPE_NSEC, NULL,
                             "has NSEC and is below a delegation or a DNAME");
        return;
    }
    if (!has) {
        zone_check_found(c, CHECK_NSEC_MISSING, n, 0, NULL, "has no NSEC");
        return;
    }
    check_point(c, c->node_key, c->node_key_len, n);
    take_nsec(c, n);
}

void zone_check_nsec_end(struct check *c)
{
    check_point(c, (const uint8_t *)"", 0, zone_apex(c->z));
}

void zone_check_nsec_links(struct check *c, const struct zone_node *n)
{
    struct zone_image_pos pos;
    struct zone_image_entry e;
    size_t common;
    const struct zone_node *before = NULL, *after = zone_apex(c->z);
    uint8_t key[DNS_KEY_MAX];
    bool has = (n->flags & IMAGE_NODE_NSEC) != 0;
    if (!is_authoritative(n) || !has) {
        zone_check_nsec_name(c, n);
        return;
    }
    c->nsec_node = NULL;
    if (!zone_image_seek(c->map, c->z->names, c->node_key, c->node_key_len, &pos, &common))
        return;
    /* Without its last byte a key is above all that are before it, and below it. */
    struct zone_image_pos back;
    bool there = c->node_key_len == 0 ? zone_image_last(c->map, c->z->names, &back)
                                      : zone_image_seek(c->map, c->z->names, c->node_key,
                                                        c->node_key_len - 1, &back, &common);
    if (there && zone_image_back_to(&back, IMAGE_NODE_NSEC) && zone_image_entry(&back, &e))
        before = zone_image_node_at(c->map, e.ref);
    if (before != NULL && take_nsec(c, before))
        check_point(c, c->node_key, c->node_key_len, n);
    while (zone_image_next(&pos) && zone_image_entry(&pos, &e)) {
        const struct zone_node *at = zone_image_node_at(c->map, e.ref);
        if (at == NULL || (at->flags & IMAGE_NODE_NSEC) == 0)
            continue;
        after = at;
        break;
    }
    if (!take_nsec(c, n))
        return;
    size_t len = zone_image_key((const uint8_t *)(after + 1), after->name_len, key);
    check_point(c, key, len, after);
}
