/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The digest of a zone. The image has names in canonical order in one tree and the owners of NSEC3 in
 * another, with RRSIGs beside what they cover; the digest wants one sequence by owner, type and RDATA
 * (RFC 8976 section 3.3.1), so the trees are merged and each name's RRSIGs come at their type's turn. */
#include "zone/zonemd.h"

#include <stdio.h>
#include <string.h>

#include "dns/type.h"
#include "zone/rdata.h"

#define HEAD 6 /* serial, scheme, algorithm */

static const struct {
    uint8_t algorithm, len;
    const char *name;
} algorithms[] = {
    { ZONE_ZONEMD_SHA384, SHA384_DIGEST_SIZE, "SHA-384" },
    { ZONE_ZONEMD_SHA512, SHA512_DIGEST_SIZE, "SHA-512" },
};

/* One ZONEMD. */
struct zonemd {
    uint32_t serial;
    uint8_t scheme, algorithm;
    const uint8_t *digest;
    size_t len;
};

static int known(uint8_t algorithm)
{
    for (unsigned i = 0; i < BASE_COUNT(algorithms); i++)
        if (algorithms[i].algorithm == algorithm)
            return (int)i;
    return -1;
}

/* The item at *at of an RRset, behind which *at moves; false after the last. */
static bool next_item(const struct zone_rrset *r, uint32_t *at, struct zonemd *out)
{
    while (*at < r->rdata_len) {
        const uint8_t *p = r->rdata + *at + 2;
        size_t len = (size_t)(r->rdata[*at] << 8 | r->rdata[*at + 1]);
        *at += 2 + (uint32_t)len;
        if (len < HEAD)
            continue;
        *out = (struct zonemd){ .serial = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
                                          (uint32_t)p[2] << 8 | p[3],
                                .scheme = p[4],
                                .algorithm = p[5],
                                .digest = p + HEAD,
                                .len = len - HEAD };
        return true;
    }
    return false;
}

static unsigned count_kind(const struct zone_rrset *r, const struct zonemd *kind)
{
    struct zonemd other;
    unsigned count = 0;
    for (uint32_t at = 0; next_item(r, &at, &other);)
        count += other.scheme == kind->scheme && other.algorithm == kind->algorithm;
    return count;
}

/* Whether it can be verified; *m learns why not, and what digest it needs (RFC 8976 section 4, steps 4
 * and 5). */
static void consider(struct zone_zonemd *m, const struct zone_rrset *r, const struct zonemd *md)
{
    int i = md->scheme == ZONE_ZONEMD_SIMPLE ? known(md->algorithm) : -1;
    if (i < 0) {
        if (m->why[0] == '\0')
            snprintf(m->why, sizeof m->why, "scheme %u with algorithm %u is not known here",
                     md->scheme, md->algorithm);
        return;
    }
    const char *name = algorithms[i].name;
    m->result = ZONE_ZONEMD_BAD;
    if (count_kind(r, md) > 1)
        snprintf(m->why, sizeof m->why, "there are several of scheme 1 with %s", name);
    else if (md->serial != m->z->serial)
        snprintf(m->why, sizeof m->why, "it is of serial %u, and the zone has serial %u",
                 md->serial, m->z->serial);
    else if (md->len != algorithms[i].len)
        snprintf(m->why, sizeof m->why, "its %s has %zu bytes instead of %u", name, md->len,
                 algorithms[i].len);
    else
        m->wanted |= 1u << i;
}

static void begin(struct zone_zonemd *m, const struct zone *z)
{
    const struct zone_image_map *map = zone_image_map_of(z);
    m->z = z;
    m->wanted = 0;
    m->records = 0;
    m->used = 0;
    m->why[0] = '\0';
    sha384_init(&m->sha384);
    sha512_init(&m->sha512);
    m->more_names = z->names != 0 && zone_image_first(map, z->names, &m->names);
    m->more_nsec3 = z->nsec3 != 0 && zone_image_first(map, z->nsec3, &m->nsec3);
}

void zone_zonemd_begin(struct zone_zonemd *m, const struct zone *z)
{
    struct zone_rrset r;
    struct zonemd md;
    const struct zone_node *apex = zone_apex(z);
    begin(m, z);
    m->result = ZONE_ZONEMD_NONE;
    if (apex != NULL && zone_node_find(z, apex, DNS_TYPE_ZONEMD, &r)) {
        m->result = ZONE_ZONEMD_UNSUPPORTED;
        for (uint32_t at = 0; next_item(&r, &at, &md);)
            consider(m, &r, &md);
    } else {
        snprintf(m->why, sizeof m->why, "there is no ZONEMD");
    }
    if (m->wanted == 0)
        m->more_names = m->more_nsec3 = false;
}

static void flush(struct zone_zonemd *m)
{
    if ((m->wanted & 1) != 0)
        sha384_update(&m->sha384, m->used, m->buf);
    if ((m->wanted & 2) != 0)
        sha512_update(&m->sha512, m->used, m->buf);
    m->used = 0;
}

static void put(struct zone_zonemd *m, const void *bytes, size_t len)
{
    const uint8_t *p = bytes;
    while (len > sizeof m->buf - m->used) {
        size_t part = sizeof m->buf - m->used;
        memcpy(m->buf + m->used, p, part);
        m->used += part;
        p += part;
        len -= part;
        flush(m);
    }
    memcpy(m->buf + m->used, p, len);
    m->used += len;
}

/* A name's owner part of each record: the name in lower case. */
struct owner {
    uint8_t wire[DNS_NAME_MAX + 1];
    size_t len;
};

static void put_items(struct zone_zonemd *m, const struct owner *o, uint16_t type, uint32_t ttl_s,
                      const uint8_t *items, uint32_t items_len)
{
    uint8_t head[8] = { (uint8_t)(type >> 8),  (uint8_t)type,          0,
                        DNS_CLASS_IN,          (uint8_t)(ttl_s >> 24), (uint8_t)(ttl_s >> 16),
                        (uint8_t)(ttl_s >> 8), (uint8_t)ttl_s };
    uint8_t rdata[UINT16_MAX];
    for (uint32_t at = 0; at < items_len;) {
        const size_t len = (size_t)(items[at] << 8 | items[at + 1]);
        put(m, o->wire, o->len);
        put(m, head, sizeof head);
        put(m, items + at, 2);
        zone_rdata_canonical(type, items + at + 2, len, rdata);
        put(m, rdata, len);
        at += 2 + (uint32_t)len;
        m->records++;
    }
}

/* What of a node comes at which turn: its types below RRSIG, its RRSIGs, its types above. */
enum turn { TURN_LOW, TURN_SIGS, TURN_HIGH };

static void put_rrset(struct zone_zonemd *m, const struct owner *o, enum turn turn, bool apex,
                      const struct zone_rrset *r)
{
    if (apex && r->type == DNS_TYPE_ZONEMD)
        return;
    if (turn == TURN_SIGS)
        put_items(m, o, DNS_TYPE_RRSIG, r->sig_ttl_s, r->sigs, r->sigs_len);
    else if ((turn == TURN_LOW) == (r->type < DNS_TYPE_RRSIG))
        put_items(m, o, r->type, r->ttl_s, r->rdata, r->rdata_len);
}

/* All records of a name; `hashed` owns NSEC3 of the same name. Either may be NULL. */
static void put_name(struct zone_zonemd *m, const struct zone_node *n,
                     const struct zone_node *hashed)
{
    const struct zone *z = m->z;
    struct owner o;
    const struct zone_node *any = n != NULL ? n : hashed;
    const bool apex = n != NULL && any->name_len == 0;
    if ((size_t)any->name_len + z->origin_len > DNS_NAME_MAX)
        return; /* a broken image */
    memcpy(o.wire, any + 1, any->name_len);
    memcpy(o.wire + any->name_len, zone_image_origin(z), z->origin_len);
    o.len = (size_t)any->name_len + z->origin_len;
    for (size_t i = 0; i < o.len; i++)
        o.wire[i] = (uint8_t)(o.wire[i] - 'A') < 26 ? (uint8_t)(o.wire[i] | 0x20) : o.wire[i];
    for (enum turn turn = TURN_LOW; turn <= TURN_HIGH; turn++) {
        struct zone_rrset r, h = { .type = UINT16_MAX };
        uint32_t pos = 0, hashed_pos = 0;
        bool left = hashed != NULL && zone_node_next(z, hashed, &hashed_pos, &h);
        while (n != NULL && zone_node_next(z, n, &pos, &r)) {
            for (; left && h.type <= r.type; left = zone_node_next(z, hashed, &hashed_pos, &h))
                put_rrset(m, &o, turn, false, &h);
            put_rrset(m, &o, turn, apex, &r);
        }
        for (; left; left = zone_node_next(z, hashed, &hashed_pos, &h))
            put_rrset(m, &o, turn, false, &h);
    }
}

static size_t key_at(const struct zone_image_pos *pos, uint8_t key[DNS_KEY_MAX],
                     const struct zone_node **n)
{
    struct zone_image_entry e;
    *n = NULL;
    if (!zone_image_entry(pos, &e) || (size_t)e.prefix_len + e.suffix_len > DNS_KEY_MAX)
        return 0;
    memcpy(key, e.prefix, e.prefix_len);
    memcpy(key + e.prefix_len, e.suffix, e.suffix_len);
    *n = zone_image_node_at(pos->map, e.ref);
    return (size_t)e.prefix_len + e.suffix_len;
}

/* The next name of the two trees. */
static void step_name(struct zone_zonemd *m)
{
    uint8_t key[DNS_KEY_MAX], hashed_key[DNS_KEY_MAX];
    const struct zone_node *n = NULL, *hashed = NULL;
    int c = m->more_names ? -1 : 1;
    size_t len = m->more_names ? key_at(&m->names, key, &n) : 0;
    if (m->more_nsec3) {
        size_t hashed_len = key_at(&m->nsec3, hashed_key, &hashed);
        if (m->more_names)
            c = memcmp(key, hashed_key, len < hashed_len ? len : hashed_len);
        if (m->more_names && c == 0)
            c = (len > hashed_len) - (len < hashed_len);
    }
    if (c <= 0)
        m->more_names = zone_image_next(&m->names);
    if (m->more_nsec3 && c >= 0)
        m->more_nsec3 = zone_image_next(&m->nsec3);
    n = c <= 0 ? n : NULL;
    hashed = c >= 0 ? hashed : NULL;
    if (n != NULL || hashed != NULL)
        put_name(m, n, hashed);
}

bool zone_zonemd_step(struct zone_zonemd *m, uint32_t records)
{
    const uint64_t until = m->records + records;
    while ((m->more_names || m->more_nsec3) && m->records < until)
        step_name(m);
    return m->more_names || m->more_nsec3;
}

static void finish(struct zone_zonemd *m,
                   uint8_t digest[BASE_COUNT(algorithms)][ZONE_ZONEMD_LEN_MAX])
{
    flush(m);
    sha384_digest(&m->sha384, SHA384_DIGEST_SIZE, digest[0]);
    sha512_digest(&m->sha512, SHA512_DIGEST_SIZE, digest[1]);
}

enum zone_zonemd_result zone_zonemd_end(struct zone_zonemd *m, const char **why)
{
    uint8_t digest[BASE_COUNT(algorithms)][ZONE_ZONEMD_LEN_MAX];
    struct zone_rrset r;
    struct zonemd md;
    const uint32_t wanted = m->wanted;
    *why = m->why;
    if (wanted == 0 || !zone_node_find(m->z, zone_apex(m->z), DNS_TYPE_ZONEMD, &r))
        return m->result;
    finish(m, digest);
    m->wanted = 0; /* once */
    for (uint32_t at = 0; m->result == ZONE_ZONEMD_BAD && next_item(&r, &at, &md);) {
        int i = md.scheme == ZONE_ZONEMD_SIMPLE ? known(md.algorithm) : -1;
        if (i < 0 || (wanted & 1u << i) == 0)
            continue;
        bool good = memcmp(digest[i], md.digest, md.len) == 0;
        m->result = good ? ZONE_ZONEMD_GOOD : ZONE_ZONEMD_BAD;
        if (good)
            snprintf(m->why, sizeof m->why, "%s of serial %u over %llu records", algorithms[i].name,
                     md.serial, (unsigned long long)m->records);
        else
            snprintf(m->why, sizeof m->why, "its %s is not that of the zone's %llu records",
                     algorithms[i].name, (unsigned long long)m->records);
    }
    return m->result;
}

enum zone_zonemd_result zone_zonemd_verify(struct zone_zonemd *m, const struct zone *z,
                                           const char **why)
{
    zone_zonemd_begin(m, z);
    while (zone_zonemd_step(m, UINT32_MAX))
        ;
    return zone_zonemd_end(m, why);
}

size_t zone_zonemd_digest(const struct zone *z, uint8_t algorithm,
                          uint8_t digest[ZONE_ZONEMD_LEN_MAX])
{
    struct zone_zonemd m;
    uint8_t all[BASE_COUNT(algorithms)][ZONE_ZONEMD_LEN_MAX];
    int i = known(algorithm);
    if (i < 0)
        return 0;
    begin(&m, z);
    m.wanted = 1u << i;
    while (zone_zonemd_step(&m, UINT32_MAX))
        ;
    finish(&m, all);
    memcpy(digest, all[i], algorithms[i].len);
    return algorithms[i].len;
}
