/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "health/expect.h"

#include <string.h>

#include "base/assert.h"
#include "dns/type.h"

#define RCODE_NXDOMAIN 3
#define RCODE_SERVFAIL 2
#define RCODE_REFUSED 5
#define OPT_MAX (11 + 4 + 255) /* with an NSID */

/* ---- RDATA ---- */

static uint8_t fold(uint8_t c)
{
    return (uint8_t)(c - 'A') < 26 ? (uint8_t)(c | 0x20) : c;
}

static bool equal_folded(const uint8_t *a, const uint8_t *b, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (fold(a[i]) != fold(b[i]))
            return false;
    return true;
}

bool health_expect_rdata_equal(uint16_t type, const uint8_t *a, size_t a_len, const uint8_t *b,
                               size_t b_len)
{
    if (a_len != b_len)
        return false;
    if (memcmp(a, b, a_len) == 0)
        return true;
    struct rd r = rd_init(a, a_len);
    for (const char *field = dns_type_shape(type); *field != '\0'; field++) {
        size_t at = a_len - rd_left(&r);
        struct dns_name name;
        bool is_name = false;
        switch (*field) {
        case 'c':
        case 'd':
        case 'n':
            is_name = true;
            if (!dns_name_parse(&name, &r))
                return false;
            break;
        case 's':
            rd_skip(&r, rd_u8(&r));
            break;
        case 'r':
            rd_skip(&r, rd_left(&r));
            break;
        default:
            rd_skip(&r, (size_t)(*field - '0'));
        }
        size_t len = a_len - rd_left(&r) - at;
        if (r.bad ||
            (is_name ? !equal_folded(a + at, b + at, len) : memcmp(a + at, b + at, len) != 0))
            return false;
    }
    return rd_left(&r) == 0;
}

uint32_t health_expect_find_item(uint16_t type, const uint8_t *items, size_t items_len,
                                 uint32_t count, const uint8_t *rdata, size_t len)
{
    struct rd r = rd_init(items, items_len);
    for (uint32_t i = 0; i < count; i++) {
        uint16_t item_len = rd_u16(&r);
        const uint8_t *item = rd_bytes(&r, item_len);
        if (item != NULL && health_expect_rdata_equal(type, item, item_len, rdata, len))
            return i;
    }
    return count;
}

/* ---- what must be there ---- */

/* All that the cases below look at. */
struct work {
    struct compare *c;
    const struct compare_ask *ask;
    struct expect *x;
    const struct zone *z;
    const struct dns_name *qname;
};

static struct compare_want *want(struct work *w, enum dns_section section,
                                 const struct dns_name *owner, const struct zone_rrset *set,
                                 bool required)
{
    struct compare *c = w->c;
    if (c->want_count == COMPARE_WANTS_MAX)
        return NULL; /* the rest is still looked at, as something that may be there */
    for (uint32_t i = 0; i < c->want_count; i++)
        if (c->wants[i].section == section && c->wants[i].set.type == set->type &&
            dns_name_equal(&c->wants[i].owner, owner))
            return &c->wants[i]; /* one NSEC may prove two things */
    struct compare_want *n = &c->wants[c->want_count++];
    memset(n, 0, sizeof *n);
    n->section = section;
    n->required = required;
    n->owner = *owner;
    n->set = *set;
    n->ttl_s = set->ttl_s;
    n->sig_ttl_s = set->sig_ttl_s;
    if (!w->ask->dnssec_ok)
        n->set.sig_count = 0;
    if (required) {
        w->x->size_max += set->count * (owner->len + 10u) + set->rdata_len;
        w->x->size_max += n->set.sig_count * (owner->len + 10u);
        w->x->size_max += n->set.sig_count > 0 ? set->sigs_len : 0;
    }
    return n;
}

/* The RRset `type` of a node, under its own name. */
static void want_of(struct work *w, enum dns_section section, const struct zone_node *n,
                    uint16_t type)
{
    struct zone_rrset set;
    struct dns_name owner;
    if (n == NULL || !zone_node_find(w->z, n, type, &set))
        return;
    zone_node_name(w->z, n, &owner);
    want(w, section, &owner, &set, true);
}

/* The NSEC that matches or covers `name`; for a zone with NSEC3 it is remembered that some is due. */
static void want_proof(struct work *w, const struct dns_name *name)
{
    if (!w->ask->dnssec_ok)
        return;
    if (zone_has_nsec(w->z))
        want_of(w, DNS_AUTHORITY, zone_nsec_before(w->z, name), DNS_TYPE_NSEC);
    else if (zone_has_nsec3(w->z))
        w->x->nsec3 = true;
}

/* The SOA of a denial: its TTL is the lesser of its own and its last field (RFC 2308 section 3). */
static void want_negative_soa(struct work *w)
{
    struct zone_rrset soa;
    struct dns_name origin;
    zone_origin(w->z, &origin);
    if (!zone_node_find(w->z, zone_apex(w->z), DNS_TYPE_SOA, &soa) || soa.rdata_len < 4)
        return;
    struct compare_want *n = want(w, DNS_AUTHORITY, &origin, &soa, true);
    if (n == NULL)
        return;
    struct rd r = rd_init(soa.rdata + soa.rdata_len - 4, 4);
    uint32_t minimum = rd_u32(&r);
    if (minimum < n->ttl_s)
        n->ttl_s = minimum;
    if (minimum < n->sig_ttl_s)
        n->sig_ttl_s = minimum;
}

/* `*.<encloser>` of a name that does not exist. */
static bool wildcard_name(const struct dns_name *qname, uint8_t encloser_labels,
                          struct dns_name *out)
{
    uint8_t wire[DNS_NAME_MAX + 2];
    uint32_t at = qname->label_at[qname->labels - encloser_labels];
    wire[0] = 1;
    wire[1] = '*';
    memcpy(wire + 2, qname->wire + at, qname->len - at);
    struct rd r = rd_init(wire, 2u + qname->len - at);
    return dns_name_parse(out, &r);
}

static void expect_nxdomain(struct work *w, const struct zone_found *found)
{
    struct dns_name wildcard;
    w->x->rcode = RCODE_NXDOMAIN;
    want_negative_soa(w);
    want_proof(w, w->qname);
    if (wildcard_name(w->qname, found->encloser_labels, &wildcard))
        want_proof(w, &wildcard);
}

/* The addresses below the cut of the servers of a delegation must be there (RFC 9471 section 2.1). */
static void want_glue(struct work *w, const struct dns_name *cut, const struct zone_rrset *ns)
{
    static const uint16_t types[] = { DNS_TYPE_A, DNS_TYPE_AAAA };
    struct rd r = rd_init(ns->rdata, ns->rdata_len);
    for (uint32_t i = 0; i < ns->count; i++) {
        struct rd item = rd_sub(&r, rd_u16(&r));
        struct dns_name server;
        struct zone_found found;
        struct zone_rrset set;
        if (!dns_name_parse(&server, &item) || !dns_name_is_under(&server, cut))
            continue;
        zone_lookup(w->z, &server, &found);
        for (uint32_t t = 0; t < 2 && found.exact != NULL; t++)
            if (zone_node_find(w->z, found.exact, types[t], &set)) {
                set.sig_count = 0; /* glue is not signed (RFC 4035 section 2.2) */
                want(w, DNS_ADDITIONAL, &server, &set, true);
            }
    }
}

static void expect_referral(struct work *w, const struct zone_node *cut)
{
    struct zone_rrset ns;
    struct dns_name owner;
    zone_node_name(w->z, cut, &owner);
    w->x->aa = false;
    if (zone_node_find(w->z, cut, DNS_TYPE_NS, &ns)) {
        ns.sig_count = 0;
        want(w, DNS_AUTHORITY, &owner, &ns, true);
        want_glue(w, &owner, &ns);
    }
    if (!w->ask->dnssec_ok)
        return;
    if ((zone_node_flags(cut) & ZONE_NODE_DS) != 0)
        want_of(w, DNS_AUTHORITY, cut, DNS_TYPE_DS);
    else
        want_proof(w, &owner); /* that there is no DS (RFC 4035 section 3.1.4.1) */
}

/* The node `n` answers: qname itself, or a wildcard in its stead. */
static void expect_node(struct work *w, const struct zone_node *n, bool by_wildcard)
{
    struct zone_rrset set;
    struct dns_name owner;
    uint16_t qtype = w->ask->q->qtype;
    bool alias = (zone_node_flags(n) & ZONE_NODE_CNAME) != 0;
    bool there = zone_node_find(w->z, n, qtype, &set) && set.count > 0;
    if (!there && alias)
        there = w->x->chain = zone_node_find(w->z, n, DNS_TYPE_CNAME, &set);
    if (there) {
        want(w, DNS_ANSWER, w->qname, &set, true);
        if (by_wildcard && set.sig_count > 0)
            want_proof(w, w->qname); /* RFC 4035 section 3.1.3.3 */
        return;
    }
    want_negative_soa(w);
    want_proof(w, w->qname); /* matches, or covers an empty non-terminal and a wildcard's name */
    if (by_wildcard) {
        zone_node_name(w->z, n, &owner);
        want_proof(w, &owner); /* RFC 4035 section 3.1.3.4 */
    }
}

/* DS lives above the cut: also when the zone below is served here (RFC 4035 section 3.1.4.1). */
static const struct zone *zone_of(const struct zone_set *s, const struct question *q)
{
    struct dns_name origin, parent;
    const struct zone *z = zone_set_find(s, &q->qname);
    if (z == NULL || q->qtype != DNS_TYPE_DS || q->qname.labels == 0)
        return z;
    zone_origin(z, &origin);
    if (!dns_name_equal(&origin, &q->qname))
        return z;
    uint32_t at = q->qname.label_at[1];
    struct rd r = rd_init(q->qname.wire + at, q->qname.len - at);
    bool good = dns_name_parse(&parent, &r);
    base_assert(good);
    const struct zone *above = zone_set_find(s, &parent);
    return above != NULL ? above : z;
}

void health_expect_answer(struct compare *c, const struct compare_ask *ask, struct expect *x)
{
    struct work w = { .c = c, .ask = ask, .x = x, .qname = &ask->q->qname };
    struct zone_found found;
    memset(x, 0, sizeof *x);
    x->aa = true;
    x->size_max = DNS_HEADER_LEN + ask->q->qname.len + 4u + OPT_MAX;
    c->want_count = 0;
    w.z = zone_of(ask->zones, ask->q);
    if (w.z == NULL) {
        x->rcode = RCODE_REFUSED;
        x->any_aa = true;
        return;
    }
    if (zone_state(w.z) != ZONE_SERVED) {
        x->rcode = RCODE_SERVFAIL;
        x->any_aa = true;
        return;
    }
    zone_lookup(w.z, w.qname, &found);
    if (found.cut != NULL && (found.cut != found.exact || ask->q->qtype != DNS_TYPE_DS)) {
        expect_referral(&w, found.cut);
    } else if (found.dname != NULL) {
        x->chain = true;
        want_of(&w, DNS_ANSWER, found.dname, DNS_TYPE_DNAME);
    } else if (found.exact != NULL) {
        expect_node(&w, found.exact, false);
    } else if (found.wildcard != NULL) {
        expect_node(&w, found.wildcard, true);
    } else {
        expect_nxdomain(&w, &found);
    }
}
