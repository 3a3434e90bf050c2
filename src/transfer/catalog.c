/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading a catalog zone. Its shape (RFC 9432 section 4):
 *
 *     version.$CATZ                 TXT "2"
 *     <unique-N>.zones.$CATZ        PTR  the member
 *     coo.<unique-N>.zones.$CATZ    PTR  the catalog that may take it over
 *     group.<unique-N>.zones.$CATZ  TXT  any number of groups
 */
#include "transfer/catalog.h"

#include <stdio.h>
#include <string.h>

#include "dns/type.h"

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

/* `label` before `below`, whose names are of the catalog. */
static bool below(const uint8_t *label, const struct dns_name *above, struct dns_name *out)
{
    struct dns_name one = { .len = (uint8_t)(label[0] + 2), .labels = 1 };
    memcpy(one.wire, label, label[0] + 1u);
    one.wire[label[0] + 1] = 0;
    one.label_at[1] = (uint8_t)(label[0] + 1);
    return dns_name_join(&one, 1, above, out);
}

static bool zones_name(const struct zone *z, struct dns_name *out)
{
    struct dns_name origin;
    zone_origin(z, &origin);
    return below((const uint8_t *)"\5zones", &origin, out);
}

/* The RRset of this type at `name`. */
static bool rrset_at(const struct zone *z, const struct dns_name *name, uint16_t type,
                     struct zone_rrset *out)
{
    const struct zone_node *n = zone_find_exact(z, name);
    return n != NULL && zone_node_find(z, n, type, out) && out->count != 0;
}

bool transfer_catalog_version(const struct zone *z, char why[TRANSFER_CATALOG_WHY])
{
    struct dns_name origin, name;
    struct zone_rrset r;
    zone_origin(z, &origin);
    if (!below((const uint8_t *)"\7version", &origin, &name) ||
        !rrset_at(z, &name, DNS_TYPE_TXT, &r)) {
        snprintf(why, TRANSFER_CATALOG_WHY,
                 "it has no schema version: add the record `version TXT \"2\"` "
                 "(RFC 9432 section 4.3.1)");
        return false;
    }
    if (r.count == 1 && r.rdata_len == 4 &&
        memcmp(r.rdata,
               "\0\2\1"
               "2",
               4) == 0)
        return true;
    snprintf(
        why, TRANSFER_CATALOG_WHY,
        "its schema version must be the one record `version TXT \"2\"` (RFC 9432 section 4.3.1)");
    return false;
}

/* The one name that a PTR RRset has. */
static bool one_name(const struct zone_rrset *r, struct dns_name *out)
{
    struct rd rd = rd_init(r->rdata, r->rdata_len);
    rd_skip(&rd, 2);
    return r->count == 1 && dns_name_parse(out, &rd);
}

static void too_many(const struct dns_name *owner, char why[TRANSFER_CATALOG_WHY])
{
    char text[DNS_TEXT_MAX];
    snprintf(
        why, TRANSFER_CATALOG_WHY,
        "%.160s must have one PTR record and has others beside (RFC 9432 sections 4.1 and 4.4.1)",
        dns_name_text(owner, text));
}

/* A number for the groups of a member, in the image's order, which is canonical. */
static uint64_t groups_of(const struct zone *z, const struct dns_name *member)
{
    struct dns_name name;
    struct zone_rrset r;
    uint64_t h = 0xcbf29ce484222325u;
    if (!below((const uint8_t *)"\5group", member, &name) || !rrset_at(z, &name, DNS_TYPE_TXT, &r))
        return 0;
    for (uint32_t i = 0; i < r.rdata_len; i++)
        h = (h ^ r.rdata[i]) * 0x100000001b3u;
    return h != 0 ? h : 1;
}

/* The member at the node `n` with this name. */
static enum transfer_catalog_got read_member(const struct zone *z, const struct zone_node *n,
                                             const struct dns_name *name,
                                             struct transfer_catalog_member *out,
                                             char why[TRANSFER_CATALOG_WHY])
{
    struct zone_rrset r;
    struct dns_name coo;
    if (!zone_node_find(z, n, DNS_TYPE_PTR, &r) || r.count == 0)
        return TRANSFER_CATALOG_NONE;
    if (!one_name(&r, &out->origin)) {
        too_many(name, why);
        return TRANSFER_CATALOG_BROKEN;
    }
    out->has_coo =
        below((const uint8_t *)"\3coo", name, &coo) && rrset_at(z, &coo, DNS_TYPE_PTR, &r);
    if (out->has_coo && !one_name(&r, &out->coo)) {
        too_many(&coo, why);
        return TRANSFER_CATALOG_BROKEN;
    }
    out->label[0] = name->wire[0];
    for (unsigned i = 1; i <= name->wire[0]; i++)
        out->label[i] = lower(name->wire[i]);
    out->groups = groups_of(z, name);
    return TRANSFER_CATALOG_MEMBER;
}

enum transfer_catalog_got transfer_catalog_member(const struct zone *z, const uint8_t *label,
                                                  struct transfer_catalog_member *out,
                                                  char why[TRANSFER_CATALOG_WHY])
{
    struct dns_name zones, name;
    if (!zones_name(z, &zones) || !below(label, &zones, &name))
        return TRANSFER_CATALOG_NONE;
    const struct zone_node *n = zone_find_exact(z, &name);
    return n == NULL ? TRANSFER_CATALOG_NONE : read_member(z, n, &name, out, why);
}

bool transfer_catalog_label(const struct zone *z, const struct dns_name *owner,
                            uint8_t label[TRANSFER_CATALOG_LABEL])
{
    struct dns_name zones;
    if (!zones_name(z, &zones) || owner->labels <= zones.labels ||
        !dns_name_is_under(owner, &zones))
        return false;
    const uint8_t *p = owner->wire + owner->label_at[owner->labels - zones.labels - 1];
    label[0] = p[0];
    for (unsigned i = 1; i <= p[0]; i++)
        label[i] = lower(p[i]);
    return true;
}

void transfer_catalog_begin(struct transfer_catalog_walk *w, const struct zone *z)
{
    w->z = z;
    zone_walk_begin(&w->walk, z);
    if (!zones_name(z, &w->zones))
        w->walk.left = 0; /* a catalog whose name is so long can have no member */
}

enum transfer_catalog_got transfer_catalog_next(struct transfer_catalog_walk *w,
                                                struct transfer_catalog_member *out,
                                                char why[TRANSFER_CATALOG_WHY])
{
    const struct zone_node *n;
    struct dns_name name;
    while ((n = zone_walk_next(&w->walk)) != NULL) {
        zone_node_name(w->z, n, &name);
        if (name.labels != w->zones.labels + 1 || !dns_name_is_under(&name, &w->zones))
            continue;
        enum transfer_catalog_got got = read_member(w->z, n, &name, out, why);
        if (got != TRANSFER_CATALOG_NONE)
            return got;
    }
    return TRANSFER_CATALOG_NONE;
}

bool transfer_catalog_group(const struct zone *z, const uint8_t *label, uint32_t i,
                            char text[TRANSFER_CATALOG_GROUP])
{
    struct dns_name zones, member, name;
    struct zone_rrset r;
    size_t used = 0;
    text[0] = '\0';
    if (!zones_name(z, &zones) || !below(label, &zones, &member) ||
        !below((const uint8_t *)"\5group", &member, &name) ||
        !rrset_at(z, &name, DNS_TYPE_TXT, &r) || i >= r.count)
        return false;
    struct rd rd = rd_init(r.rdata, r.rdata_len);
    for (; i != 0; i--)
        rd_skip(&rd, rd_u16(&rd));
    struct rd strings = rd_sub(&rd, rd_u16(&rd));
    while (!strings.bad && rd_left(&strings) != 0) {
        uint8_t len = rd_u8(&strings);
        const uint8_t *p = rd_bytes(&strings, len);
        for (unsigned k = 0; p != NULL && k < len && used + 1 < TRANSFER_CATALOG_GROUP; k++)
            text[used++] = (char)p[k];
    }
    text[used] = '\0';
    return true;
}
