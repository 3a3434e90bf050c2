/* SPDX-License-Identifier: GPL-3.0-or-later */
/* NSEC3 (RFC 5155 section 7.1): each authoritative name and each empty non-terminal has one at the hash of
 * its name; delegations without DS may be left out where the one before has the opt-out flag; the hashes
 * form a ring. */
#include <nettle/sha1.h>
#include <stdlib.h>

#include "dns/type.h"
#include "zone/check_parts.h"

#define SHA1 1
#define OPT_OUT 0x01u
#define LABEL_LEN 32 /* 20 bytes in base32hex */
#define KEY_LEN (LABEL_LEN + 1)
#define ITERATIONS_MANY 50  /* Unbound and Knot Resolver stop here, BIND at 50 since 9.18.26 */
#define ITERATIONS_MAX 2500 /* RFC 5155 section 10.3 */

/* The fields of one NSEC3. */
struct nsec3 {
    uint8_t algorithm, flags, salt_len, next_len;
    uint16_t iterations;
    const uint8_t *salt, *next, *types;
    size_t types_len;
};

static bool parse(const struct check_item *item, struct nsec3 *n)
{
    struct rd r = rd_init(item->rdata, item->len);
    n->algorithm = rd_u8(&r);
    n->flags = rd_u8(&r);
    n->iterations = rd_u16(&r);
    n->salt_len = rd_u8(&r);
    n->salt = rd_bytes(&r, n->salt_len);
    n->next_len = rd_u8(&r);
    n->next = rd_bytes(&r, n->next_len);
    n->types_len = rd_left(&r);
    n->types = r.pos;
    return !r.bad;
}

static bool is_chain(const struct check *c, const struct nsec3 *n)
{
    return n->algorithm == SHA1 && n->iterations == c->nsec3.iterations &&
           n->salt_len == c->nsec3.salt_len &&
           (n->salt_len == 0 || memcmp(n->salt, c->nsec3.salt, n->salt_len) == 0);
}

/* The NSEC3 of the chain at this node. */
static bool chain_at(const struct check *c, const struct zone_node *n, struct nsec3 *out)
{
    struct zone_rrset r;
    struct check_item item;
    if (n == NULL || !zone_node_find(c->z, n, DNS_TYPE_NSEC3, &r))
        return false;
    for (uint32_t at = 0; check_item(r.rdata, r.rdata_len, &at, &item);)
        if (parse(&item, out) && is_chain(c, out))
            return true;
    return false;
}

static void tell_iterations(struct check *c, uint16_t iterations, const struct check_item *item)
{
    enum check_kind kind = iterations > ITERATIONS_MAX    ? CHECK_ITERATIONS_MAX
                           : iterations > ITERATIONS_MANY ? CHECK_ITERATIONS_MANY
                                                          : CHECK_ITERATIONS;
    zone_check_found(c, kind, NULL, DNS_TYPE_NSEC3PARAM, item, "hashes its names %u times more",
                     iterations);
}

void zone_check_nsec3_param(struct check *c)
{
    struct zone_rrset r;
    struct check_item item;
    const struct zone_node *apex = zone_apex(c->z);
    bool has = zone_node_find(c->z, apex, DNS_TYPE_NSEC3PARAM, &r);
    if (!has && c->z->nsec3 != 0)
        zone_check_found(c, CHECK_NSEC3PARAM, NULL, DNS_TYPE_NSEC3PARAM, NULL,
                         "has NSEC3 and no NSEC3PARAM that says how they are made");
    if (!has)
        return;
    if (c->nsec)
        zone_check_found(c, CHECK_NSEC_AND_NSEC3, NULL, DNS_TYPE_NSEC3PARAM, NULL,
                         "has both NSEC and NSEC3PARAM");
    for (uint32_t at = 0; check_item(r.rdata, r.rdata_len, &at, &item);) {
        struct rd rd = rd_init(item.rdata, item.len);
        uint8_t algorithm = rd_u8(&rd), flags = rd_u8(&rd);
        uint16_t iterations = rd_u16(&rd);
        uint8_t salt_len = rd_u8(&rd);
        const uint8_t *salt = rd_bytes(&rd, salt_len);
        if (rd.bad)
            continue; /* told by its form */
        if (algorithm != SHA1 || flags != 0) {
            zone_check_found(c, CHECK_NSEC3PARAM, NULL, DNS_TYPE_NSEC3PARAM, &item,
                             "has NSEC3PARAM of algorithm %u with flags %u (RFC 5155 section 4.1)",
                             algorithm, flags);
            continue;
        }
        if (iterations != 0)
            tell_iterations(c, iterations, &item);
        if (!c->nsec3.used)
            c->nsec3 = (struct check_nsec3){
                .used = true, .iterations = iterations, .salt_len = salt_len, .salt = salt
            };
    }
    if (c->nsec3.iterations > ITERATIONS_MAX)
        c->nsec3.used = false; /* no hash is worth its time: the zone is refused */
}

/* Hashes a name of the zone (RFC 5155 section 5). */
static void hash_of(const struct check *c, const struct zone_node *n, uint8_t hash[CHECK_HASH_LEN])
{
    uint8_t wire[2 * DNS_NAME_MAX];
    const uint8_t *name = (const uint8_t *)(n + 1);
    size_t len = (size_t)n->name_len + c->z->origin_len;
    struct sha1_ctx ctx;
    sha1_init(&ctx);
    memcpy(wire, name, n->name_len);
    memcpy(wire + n->name_len, zone_image_origin(c->z), c->z->origin_len);
    for (size_t i = 0; i < len; i++) /* a length byte is no letter */
        wire[i] = (uint8_t)(wire[i] - 'A') < 26 ? (uint8_t)(wire[i] | 0x20) : wire[i];
    sha1_update(&ctx, len, wire);
    for (unsigned i = 0;; i++) {
        sha1_update(&ctx, c->nsec3.salt_len, c->nsec3.salt);
        sha1_digest(&ctx, CHECK_HASH_LEN, hash); /* begins anew as well */
        if (i == c->nsec3.iterations)
            return;
        sha1_update(&ctx, CHECK_HASH_LEN, hash);
    }
}

static void key_of(const uint8_t hash[CHECK_HASH_LEN], uint8_t key[KEY_LEN])
{
    static const char digits[] = "0123456789abcdefghijklmnopqrstuv";
    for (unsigned i = 0; i < CHECK_HASH_LEN / 5; i++) {
        uint64_t v = 0;
        for (unsigned k = 0; k < 5; k++)
            v = v << 8 | hash[i * 5 + k];
        for (unsigned k = 0; k < 8; k++)
            key[i * 8 + k] = (uint8_t)digits[v >> (35 - 5 * k) & 31];
    }
    key[LABEL_LEN] = 0;
}

/* The entry at or before a key, the last of all where there is none (the ring). */
static bool seek(const struct check *c, const uint8_t *key, size_t len, struct zone_image_pos *pos,
                 const struct zone_node **n, bool *exact)
{
    struct zone_image_entry e;
    size_t common = 0;
    *exact = false;
    if (c->z->nsec3 == 0)
        return false;
    bool found = zone_image_seek(c->map, c->z->nsec3, key, len, pos, &common);
    if (!found && !zone_image_last(c->map, c->z->nsec3, pos))
        return false;
    if (!zone_image_entry(pos, &e))
        return false;
    *exact = found && common == len && (size_t)e.prefix_len + e.suffix_len == len;
    *n = zone_image_node_at(c->map, e.ref);
    return *n != NULL;
}

/* Whether the NSEC3 before a hash that has none lets unsigned delegations out. */
static bool opted_out(const struct check *c, struct zone_image_pos *pos,
                      const struct zone_node *covering)
{
    struct nsec3 n;
    struct zone_image_entry e;
    const struct zone_node *at = covering;
    for (unsigned i = 0; i < 16; i++) { /* owners that are of another chain only */
        if (chain_at(c, at, &n))
            return (n.flags & OPT_OUT) != 0;
        struct zone_image_pos back;
        size_t common;
        uint8_t key[DNS_KEY_MAX];
        size_t len = zone_image_key((const uint8_t *)(at + 1), at->name_len, key);
        if (len == 0 || !zone_image_seek(c->map, c->z->nsec3, key, len - 1, &back, &common) ||
            !zone_image_entry(&back, &e) || (at = zone_image_node_at(c->map, e.ref)) == NULL)
            return false;
        *pos = back;
    }
    return false;
}

static bool is_under(const struct check *c, size_t above_len, const struct zone_node *above)
{
    uint8_t key[DNS_KEY_MAX];
    if (c->node_key_len <= above_len)
        return false;
    size_t len = zone_image_key((const uint8_t *)(above + 1), above->name_len, key);
    return len == above_len && memcmp(key, c->node_key, len) == 0;
}

/* A name that must be proven is below these: so they must be proven as well. */
static void tell_empties(struct check *c)
{
    for (unsigned i = 0; i < c->empties; i++) {
        struct check_empty *e = &c->empty[i];
        if (!e->told)
            zone_check_found(c, CHECK_NSEC3_MISSING, e->node, 0, NULL,
                             "is an empty non-terminal and has no NSEC3");
        e->told = true;
    }
}

static void check_absent(struct check *c, const struct zone_node *n, struct zone_image_pos *pos,
                         const struct zone_node *covering)
{
    bool insecure = (n->flags & (ZONE_NODE_CUT | ZONE_NODE_DS)) == ZONE_NODE_CUT;
    bool empty = (n->flags & ZONE_NODE_EMPTY) != 0;
    bool out = (insecure || empty) && covering != NULL && opted_out(c, pos, covering);
    if (!out) {
        zone_check_found(c, CHECK_NSEC3_MISSING, n, 0, NULL,
                         insecure ? "has no NSEC3 and is not opted out" : "has no NSEC3");
    } else if (empty && c->pos != NULL && c->empties <= DNS_LABELS_MAX) {
        /* Right only if nothing below it must be proven. */
        c->empty[c->empties++] = (struct check_empty){ .node = n, .key_len = c->node_key_len };
    }
}

void zone_check_nsec3_name(struct check *c, const struct zone_node *n)
{
    uint8_t hash[CHECK_HASH_LEN], key[KEY_LEN];
    struct zone_image_pos pos;
    const struct zone_node *at = NULL;
    struct nsec3 found;
    bool exact = false;
    while (c->empties != 0 &&
           !is_under(c, c->empty[c->empties - 1].key_len, c->empty[c->empties - 1].node))
        c->empties--;
    if ((n->flags & ZONE_NODE_OCCLUDED) != 0)
        return;
    bool insecure = (n->flags & (ZONE_NODE_CUT | ZONE_NODE_DS)) == ZONE_NODE_CUT;
    if (c->empties != 0 && !insecure && (n->flags & ZONE_NODE_EMPTY) == 0)
        tell_empties(c);
    hash_of(c, n, hash);
    key_of(hash, key);
    if (!seek(c, key, KEY_LEN, &pos, &at, &exact))
        at = NULL;
    if (at == NULL || !exact || !chain_at(c, at, &found)) {
        check_absent(c, n, &pos, at);
        return;
    }
    c->matched++;
    zone_check_types(c, CHECK_NSEC3_TYPES, n, at, DNS_TYPE_NSEC3, found.types, found.types_len,
                     true);
}

/* One link of the ring. */
static void check_link(struct check *c, const struct zone_node *n, const struct nsec3 *link,
                       const struct zone_node *next)
{
    uint8_t key[KEY_LEN], next_key[DNS_KEY_MAX];
    if (link->next_len != CHECK_HASH_LEN) {
        zone_check_found(c, CHECK_NSEC3_BROKEN, n, DNS_TYPE_NSEC3, NULL,
                         "NSEC3 has a hash of %u bytes instead of %u", link->next_len,
                         CHECK_HASH_LEN);
        return;
    }
    if ((link->flags & (uint8_t)~OPT_OUT) != 0)
        zone_check_found(c, CHECK_NSEC3_BROKEN, n, DNS_TYPE_NSEC3, NULL, "NSEC3 has the flags %u",
                         link->flags);
    if (next == NULL)
        return; /* a broken image */
    key_of(link->next, key);
    size_t len = zone_image_key((const uint8_t *)(next + 1), next->name_len, next_key);
    if (len != KEY_LEN || memcmp(key, next_key, len) != 0)
        zone_check_found(c, CHECK_NSEC3_NEXT, n, DNS_TYPE_NSEC3, NULL,
                         "NSEC3 does not point to the next hash, %.*s",
                         next->name_len != 0 ? *(const uint8_t *)(next + 1) : 0,
                         (const char *)(next + 1) + 1);
}

static int compare_hashes(const void *a, const void *b)
{
    return memcmp(a, b, CHECK_HASH_LEN);
}

/* Which NSEC3 match no name: all are hashed again, for it is known that there are some. */
static void tell_orphans(struct check *c)
{
    struct zone_image_pos pos;
    struct zone_image_entry e;
    size_t count = 0, cap = (size_t)c->z->node_count + 1;
    uint8_t *hashes = base_alloc(cap * CHECK_HASH_LEN);
    for (bool more = zone_image_first(c->map, c->z->names, &pos); more && count < cap;
         more = zone_image_next(&pos)) {
        const struct zone_node *n =
            zone_image_entry(&pos, &e) ? zone_image_node_at(c->map, e.ref) : NULL;
        if (n != NULL && (n->flags & ZONE_NODE_OCCLUDED) == 0)
            hash_of(c, n, hashes + count++ * CHECK_HASH_LEN);
    }
    qsort(hashes, count, CHECK_HASH_LEN, compare_hashes);
    size_t at = 0;
    for (bool more = zone_image_first(c->map, c->z->nsec3, &pos); more;
         more = zone_image_next(&pos)) {
        const struct zone_node *n =
            zone_image_entry(&pos, &e) ? zone_image_node_at(c->map, e.ref) : NULL;
        struct nsec3 link;
        uint8_t key[KEY_LEN], own[DNS_KEY_MAX];
        if (n == NULL || !chain_at(c, n, &link))
            continue;
        size_t len = zone_image_key((const uint8_t *)(n + 1), n->name_len, own);
        int d = 1;
        for (; at < count && d > 0; at += d > 0) {
            key_of(hashes + at * CHECK_HASH_LEN, key);
            d = len == KEY_LEN ? memcmp(own, key, KEY_LEN) : -1;
        }
        if (d != 0)
            zone_check_found(c, CHECK_NSEC3_ORPHAN, n, DNS_TYPE_NSEC3, NULL,
                             "NSEC3 is the hash of no name of the zone");
    }
    free(hashes);
}

void zone_check_nsec3_ring(struct check *c)
{
    struct zone_image_pos pos;
    struct zone_image_entry e;
    struct nsec3 link, last = { 0 };
    const struct zone_node *first = NULL, *before = NULL;
    uint32_t count = 0;
    for (bool more = c->z->nsec3 != 0 && zone_image_first(c->map, c->z->nsec3, &pos); more;
         more = zone_image_next(&pos)) {
        const struct zone_node *n =
            zone_image_entry(&pos, &e) ? zone_image_node_at(c->map, e.ref) : NULL;
        if (!chain_at(c, n, &link))
            continue;
        count++;
        if (before != NULL)
            check_link(c, before, &last, n);
        else
            first = n;
        before = n;
        last = link;
    }
    if (before != NULL)
        check_link(c, before, &last, first);
    if (count > c->matched)
        tell_orphans(c);
}

/* The NSEC3 of the chain behind (or, `back`, before) this one in the ring. */
static const struct zone_node *neighbour(const struct check *c, const struct zone_node *n,
                                         bool back, struct nsec3 *out)
{
    uint8_t key[DNS_KEY_MAX];
    struct zone_image_pos pos;
    struct zone_image_entry e;
    size_t common;
    const struct zone_node *at = n;
    for (unsigned i = 0; i < 16; i++) {
        size_t len = zone_image_key((const uint8_t *)(at + 1), at->name_len, key);
        bool there =
            len != 0 && zone_image_seek(c->map, c->z->nsec3, key, len - back, &pos, &common);
        if (!back)
            there = there && zone_image_next(&pos);
        if (!there)
            there = back ? zone_image_last(c->map, c->z->nsec3, &pos)
                         : zone_image_first(c->map, c->z->nsec3, &pos);
        if (!there || !zone_image_entry(&pos, &e))
            return NULL;
        at = zone_image_node_at(c->map, e.ref);
        if (at == NULL)
            return NULL;
        if (chain_at(c, at, out))
            return at;
    }
    return NULL;
}

void zone_check_nsec3_links(struct check *c, const struct zone_node *n)
{
    uint8_t hash[CHECK_HASH_LEN], key[KEY_LEN];
    struct zone_image_pos pos;
    const struct zone_node *at;
    struct nsec3 link, other;
    bool exact;
    zone_check_nsec3_name(c, n);
    if ((n->flags & ZONE_NODE_OCCLUDED) != 0)
        return;
    hash_of(c, n, hash);
    key_of(hash, key);
    if (!seek(c, key, KEY_LEN, &pos, &at, &exact) || !exact || !chain_at(c, at, &link))
        return;
    const struct zone_node *next = neighbour(c, at, false, &other);
    if (next != NULL)
        check_link(c, at, &link, next);
    const struct zone_node *before = neighbour(c, at, true, &other);
    if (before != NULL && before != at)
        check_link(c, before, &other, at);
}
