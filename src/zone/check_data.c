/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What one name says, without its signatures: delegations, addresses, aliases, the SOA. */
#include <stdio.h>

#include "dns/type.h"
#include "zone/check_parts.h"

#define NEAR 8       /* names behind a cut that are looked at before the tree is searched */
#define CHAIN_MAX 16 /* aliases that are followed */
#define NEGATIVE_MAX_S 86400u /* RFC 2308 section 5 */

/* Where the target of a record stands. */
enum target {
    TARGET_GOOD,    /* has an address, or is none of this zone's business */
    TARGET_NONE,    /* is in the zone and has none */
    TARGET_MISSING, /* does not even exist */
    TARGET_ALIAS,   /* is an alias */
};

static bool has_type(const struct check *c, const struct zone_node *n, uint16_t type)
{
    struct zone_rrset r;
    return zone_node_find(c->z, n, type, &r);
}

static bool has_address(const struct check *c, const struct zone_node *n)
{
    return has_type(c, n, DNS_TYPE_A) || has_type(c, n, DNS_TYPE_AAAA);
}

static bool is_entry(const struct zone_image_entry *e, const uint8_t *key, size_t len)
{
    return (size_t)e->prefix_len + e->suffix_len == len &&
           memcmp(e->prefix, key, e->prefix_len) == 0 &&
           memcmp(e->suffix, key + e->prefix_len, e->suffix_len) == 0;
}

/* Glue stands right behind its cut: the walk's next names are looked at before the tree is searched. */
static const struct zone_node *find_near(const struct check *c, const struct dns_name *name)
{
    uint8_t key[DNS_KEY_MAX];
    struct zone_image_entry e;
    if (c->pos == NULL)
        return NULL;
    struct zone_image_pos pos = *c->pos;
    size_t len = zone_image_key(name->wire, (size_t)name->len - c->origin.len, key);
    for (unsigned i = 0; i < NEAR && zone_image_next(&pos) && zone_image_entry(&pos, &e); i++)
        if (is_entry(&e, key, len))
            return zone_image_node_at(c->map, e.ref);
    return NULL;
}

/* `n` owns the record. */
static enum target find_target(struct check *c, const struct zone_node *n,
                               const struct dns_name *name)
{
    struct zone_found f;
    zone_lookup(c->z, name, &f);
    if (f.exact != NULL && has_address(c, f.exact))
        return TARGET_GOOD;
    if (f.cut != NULL) /* another zone's: without glue here it may still have an address there */
        return f.cut == n ? TARGET_NONE : TARGET_GOOD;
    if (f.dname != NULL)
        return TARGET_ALIAS;
    const struct zone_node *at = f.exact != NULL ? f.exact : f.wildcard;
    if (at == NULL)
        return TARGET_MISSING;
    if (has_address(c, at))
        return TARGET_GOOD;
    return has_type(c, at, DNS_TYPE_CNAME) ? TARGET_ALIAS : TARGET_NONE;
}

static bool is_address(const struct dns_name *n)
{
    if (n->labels != 4)
        return false;
    for (unsigned i = 0; i < 4; i++) {
        const uint8_t *label = n->wire + n->label_at[i];
        for (unsigned k = 1; k <= label[0]; k++)
            if (label[k] < '0' || label[k] > '9')
                return false;
    }
    return true;
}

/* A server that was found with an address not long ago: many delegations share their servers. */
static struct dns_name *remembered(struct check *c, const struct dns_name *name)
{
    uint32_t h = 0;
    for (unsigned i = 0; i < name->len; i++)
        h = (h ^ name->wire[i]) * 16777619u;
    if (c->server == NULL)
        c->server = base_calloc(c->servers, sizeof *c->server);
    return &c->server[h % c->servers];
}

static enum target find_server(struct check *c, const struct zone_node *n,
                               const struct dns_name *name)
{
    struct dns_name *row = remembered(c, name);
    if (row->len == name->len && memcmp(row->wire, name->wire, name->len) == 0)
        return TARGET_GOOD;
    const struct zone_node *near = find_near(c, name);
    enum target t = near != NULL && has_address(c, near) ? TARGET_GOOD : find_target(c, n, name);
    if (t == TARGET_GOOD)
        *row = *name;
    return t;
}

static void check_servers(struct check *c, const struct zone_node *n, const struct zone_rrset *r)
{
    struct check_item item, first = { 0 };
    struct dns_name name;
    char text[DNS_TEXT_MAX];
    unsigned without = 0;
    for (uint32_t at = 0; check_item(r->rdata, r->rdata_len, &at, &item);) {
        struct rd rd = rd_init(item.rdata, item.len);
        if (!dns_name_parse(&name, &rd))
            continue;
        if (is_address(&name))
            zone_check_found(c, CHECK_NS_NUMBER, n, DNS_TYPE_NS, &item, "has the server %s",
                             dns_name_text(&name, text));
        if (!dns_name_is_under(&name, &c->origin))
            continue;
        enum target t = find_server(c, n, &name);
        if (t == TARGET_ALIAS)
            zone_check_found(c, CHECK_NS_CNAME, n, DNS_TYPE_NS, &item,
                             "has the server %.100s, which is an alias",
                             dns_name_text(&name, text));
        if ((t == TARGET_NONE || t == TARGET_MISSING) && without++ == 0)
            first = item;
    }
    if (without == 0)
        return;
    if (without == r->count) {
        struct rd rd = rd_init(first.rdata, first.len);
        zone_check_found(c, n->name_len == 0 ? CHECK_NS_NONE : CHECK_CUT_NONE, n, DNS_TYPE_NS,
                         &first, "has no server with an address in the zone; one is %.100s",
                         dns_name_parse(&name, &rd) ? dns_name_text(&name, text) : "");
        return;
    }
    for (uint32_t at = 0; check_item(r->rdata, r->rdata_len, &at, &item);) {
        struct rd rd = rd_init(item.rdata, item.len);
        if (!dns_name_parse(&name, &rd) || !dns_name_is_under(&name, &c->origin))
            continue;
        enum target t = find_server(c, n, &name);
        if (t == TARGET_NONE || t == TARGET_MISSING)
            zone_check_found(c, CHECK_NS_ADDRESS, n, DNS_TYPE_NS, &item,
                             "has the server %.100s, which has no address in the zone",
                             dns_name_text(&name, text));
    }
}

/* The targets of MX and SRV (RFC 2181 section 10.3, RFC 2782). */
static void check_targets(struct check *c, const struct zone_node *n, const struct zone_rrset *r,
                          size_t skip)
{
    struct check_item item;
    struct dns_name name;
    char text[DNS_TEXT_MAX], type[DNS_TYPE_TEXT_MAX];
    for (uint32_t at = 0; check_item(r->rdata, r->rdata_len, &at, &item);) {
        struct rd rd = rd_init(item.rdata, item.len);
        rd_skip(&rd, skip);
        if (rd.bad || !dns_name_parse(&name, &rd) || name.len == 1) /* ".": there is no service */
            continue;
        if (!dns_name_is_under(&name, &c->origin))
            continue;
        enum target t = find_server(c, n, &name);
        if (t == TARGET_ALIAS)
            zone_check_found(c, CHECK_TARGET_CNAME, n, r->type, &item,
                             "%s points to %.100s, an alias", dns_type_text(r->type, type),
                             dns_name_text(&name, text));
        else if (t != TARGET_GOOD)
            zone_check_found(c, CHECK_TARGET_ADDRESS, n, r->type, &item,
                             "%s points to %.100s, which has no address",
                             dns_type_text(r->type, type), dns_name_text(&name, text));
    }
}

/* Follows an alias while it stays in the zone. */
static void check_alias(struct check *c, const struct zone_node *n, const struct zone_rrset *r)
{
    struct zone_rrset at = *r;
    struct dns_name name;
    struct zone_found f;
    char text[DNS_TEXT_MAX];
    for (unsigned i = 0; i < CHAIN_MAX; i++) {
        struct rd rd = rd_init(at.rdata + 2, at.rdata_len - 2);
        if (!dns_name_parse(&name, &rd) || !dns_name_is_under(&name, &c->origin))
            return;
        zone_lookup(c->z, &name, &f);
        if (f.cut != NULL || f.dname != NULL)
            return;
        const struct zone_node *next = f.exact != NULL ? f.exact : f.wildcard;
        if (next == NULL && i == 0)
            zone_check_found(c, CHECK_TARGET_ADDRESS, n, DNS_TYPE_CNAME, NULL,
                             "is an alias of %.100s, which does not exist",
                             dns_name_text(&name, text));
        if (next == n)
            zone_check_found(c, CHECK_CNAME_LOOP, n, DNS_TYPE_CNAME, NULL,
                             "is an alias that leads back to itself");
        if (next == NULL || next == n || !zone_node_find(c->z, next, DNS_TYPE_CNAME, &at))
            return;
    }
}

static bool is_spf(const struct check_item *item)
{
    static const char head[] = "v=spf1";
    size_t len = sizeof head - 1;
    if (item->len < 1 + len || item->rdata[0] < len || memcmp(item->rdata + 1, head, len) != 0)
        return false;
    return item->rdata[0] == len || (item->len > 1 + len && item->rdata[1 + len] == ' ');
}

static void check_spf(struct check *c, const struct zone_node *n, const struct zone_rrset *r)
{
    struct check_item item, last = { 0 };
    unsigned count = 0;
    for (uint32_t at = 0; check_item(r->rdata, r->rdata_len, &at, &item);)
        if (is_spf(&item) && count++ != UINT32_MAX)
            last = item;
    if (count > 1)
        zone_check_found(c, CHECK_SPF_SEVERAL, n, DNS_TYPE_TXT, &last, "has %u SPF records", count);
}

static void check_ds(struct check *c, const struct zone_node *n, const struct zone_rrset *r)
{
    static const uint8_t digest_len[] = { 0, 20, 32, 32, 48 }; /* by digest type */
    struct check_item item;
    if (n->name_len == 0)
        zone_check_found(c, CHECK_DS_APEX, n, DNS_TYPE_DS, NULL,
                         "is the zone's origin and has a DS");
    else if ((n->flags & (ZONE_NODE_CUT | ZONE_NODE_OCCLUDED)) == 0)
        zone_check_found(c, CHECK_DS_NO_CUT, n, DNS_TYPE_DS, NULL, "has a DS and is no delegation");
    for (uint32_t at = 0; check_item(r->rdata, r->rdata_len, &at, &item);) {
        uint8_t type = item.len > 4 ? item.rdata[3] : 0;
        if (item.len <= 4 ||
            (type < sizeof digest_len && type != 0 && item.len != 4u + digest_len[type]))
            zone_check_found(c, CHECK_DS_BROKEN, n, DNS_TYPE_DS, &item,
                             "has a DS with a digest of %d bytes, not of its type %u", item.len - 4,
                             type);
    }
}

static void check_form(struct check *c, const struct zone_node *n, const struct zone_rrset *r)
{
    struct check_item item;
    char type[DNS_TYPE_TEXT_MAX];
    for (uint32_t at = 0; check_item(r->rdata, r->rdata_len, &at, &item);) {
        const char *fault = zone_check_rdata_fault(r->type, item.rdata, item.len);
        if (fault != NULL)
            zone_check_found(c, CHECK_RDATA_BROKEN, n, r->type, &item, "%s: %s",
                             dns_type_text(r->type, type), fault);
    }
}

/* Data that no answer carries. True: nothing else of the RRset is worth a look. */
static bool check_hidden(struct check *c, const struct zone_node *n, const struct zone_rrset *r)
{
    char text[DNS_TEXT_MAX], type[DNS_TYPE_TEXT_MAX];
    struct dns_name above;
    bool address = r->type == DNS_TYPE_A || r->type == DNS_TYPE_AAAA;
    if ((n->flags & ZONE_NODE_OCCLUDED) != 0) {
        const struct zone_node *o = c->occluder;
        bool dname = o != NULL && (o->flags & ZONE_NODE_DNAME) != 0;
        if (r->type == DNS_TYPE_NSEC || (address && !dname))
            return true;
        if (o != NULL)
            zone_node_name(c->z, o, &above);
        zone_check_found(c, dname ? CHECK_BELOW_DNAME : CHECK_OCCLUDED, n, r->type, NULL,
                         "%s is below the %s %.100s", dns_type_text(r->type, type),
                         dname ? "DNAME" : "delegation",
                         o != NULL ? dns_name_text(&above, text) : "");
        return true;
    }
    if ((n->flags & ZONE_NODE_CUT) != 0 && !address && r->type != DNS_TYPE_NS &&
        r->type != DNS_TYPE_DS && r->type != DNS_TYPE_NSEC) {
        zone_check_found(c, CHECK_AT_CUT, n, r->type, NULL, "%s stands at a delegation",
                         dns_type_text(r->type, type));
        return true;
    }
    return false;
}

static void check_rrset(struct check *c, const struct zone_node *n, const struct zone_rrset *r)
{
    char type[DNS_TYPE_TEXT_MAX];
    switch (r->type) {
    case DNS_TYPE_NS:
        check_servers(c, n, r);
        return;
    case DNS_TYPE_CNAME:
        check_alias(c, n, r);
        return;
    case DNS_TYPE_MX:
        check_targets(c, n, r, 2);
        return;
    case DNS_TYPE_SRV:
        check_targets(c, n, r, 6);
        return;
    case DNS_TYPE_DS:
        check_ds(c, n, r);
        return;
    case DNS_TYPE_TXT:
        check_spf(c, n, r);
        return;
    case DNS_TYPE_SPF:
        zone_check_found(c, CHECK_SPF_TYPE, n, r->type, NULL, "has an SPF record");
        return;
    case DNS_TYPE_DNSKEY:
    case DNS_TYPE_NSEC3PARAM:
        if (n->name_len != 0)
            zone_check_found(c, CHECK_KEY_ELSEWHERE, n, r->type, NULL,
                             "is not the zone's origin and has %s", dns_type_text(r->type, type));
        return;
    case DNS_TYPE_CDS:
    case DNS_TYPE_CDNSKEY:
        if (n->name_len != 0)
            zone_check_found(c, CHECK_CDS_ELSEWHERE, n, r->type, NULL,
                             "is not the zone's origin and has %s", dns_type_text(r->type, type));
        return;
    default:
        return;
    }
}

/* `*` that is a label and no wildcard, and wildcards that own what they should not. */
static void check_wildcard(struct check *c, const struct zone_node *n)
{
    const uint8_t *label = (const uint8_t *)(n + 1), *end = label + n->name_len;
    if ((n->flags & ZONE_NODE_WILDCARD) != 0 && (n->flags & ZONE_NODE_CUT) != 0)
        zone_check_found(c, CHECK_WILDCARD_NS, n, DNS_TYPE_NS, NULL, "is a wildcard and has NS");
    if ((n->flags & ZONE_NODE_WILDCARD) != 0 && (n->flags & ZONE_NODE_DNAME) != 0)
        zone_check_found(c, CHECK_WILDCARD_DNAME, n, DNS_TYPE_DNAME, NULL,
                         "is a wildcard and has DNAME");
    if ((n->flags & ZONE_NODE_EMPTY) != 0)
        return;
    for (label += n->name_len != 0 ? 1 + label[0] : 0; label < end; label += 1 + label[0])
        if (label[0] == 1 && label + 1 < end && label[1] == '*') {
            zone_check_found(c, CHECK_WILDCARD_INSIDE, n, 0, NULL, "has a * that is not leftmost");
            return;
        }
}

void zone_check_node(struct check *c, const struct zone_node *n)
{
    struct zone_rrset r;
    for (uint32_t pos = 0; zone_node_next(c->z, n, &pos, &r);) {
        if (r.count == 0)
            continue;
        check_form(c, n, &r);
        if (!check_hidden(c, n, &r))
            check_rrset(c, n, &r);
    }
    if ((c->z->any & ZONE_NODE_WILDCARD) != 0)
        check_wildcard(c, n);
    zone_check_sigs(c, n, false);
}

static void check_soa(struct check *c, const struct zone_rrset *r)
{
    struct check_item item;
    struct dns_name mname, rname;
    uint32_t at = 0;
    char text[DNS_TEXT_MAX];
    if (!check_item(r->rdata, r->rdata_len, &at, &item))
        return;
    struct rd rd = rd_init(item.rdata, item.len);
    if (!dns_name_parse(&mname, &rd) || !dns_name_parse(&rname, &rd))
        return;
    rd_skip(&rd, 4);
    uint32_t refresh = rd_u32(&rd), retry = rd_u32(&rd), expire = rd_u32(&rd);
    uint32_t minimum = rd_u32(&rd);
    if (rd.bad)
        return;
    if (memchr(rname.wire, '@', rname.len) != NULL)
        zone_check_found(c, CHECK_SOA_RNAME, NULL, DNS_TYPE_SOA, NULL,
                         "has the address %.80s in its SOA, with an @",
                         dns_name_text(&rname, text));
    if (retry > refresh)
        zone_check_found(c, CHECK_SOA_TIMES, NULL, DNS_TYPE_SOA, NULL,
                         "has a retry time of %u s above its refresh time of %u s", retry, refresh);
    if ((uint64_t)refresh + retry > expire)
        zone_check_found(c, CHECK_SOA_TIMES, NULL, DNS_TYPE_SOA, NULL,
                         "expires after %u s, before a secondary that failed once has tried again",
                         expire);
    if (refresh == 0 || retry == 0)
        zone_check_found(c, CHECK_SOA_TIMES, NULL, DNS_TYPE_SOA, NULL,
                         "lets its secondaries ask without pause");
    if (minimum > NEGATIVE_MAX_S)
        zone_check_found(c, CHECK_SOA_TIMES, NULL, DNS_TYPE_SOA, NULL,
                         "has absences cached for %u s, over a day", minimum);
}

void zone_check_apex(struct check *c)
{
    struct zone_rrset r;
    if (zone_node_find(c->z, zone_apex(c->z), DNS_TYPE_SOA, &r))
        check_soa(c, &r);
}
