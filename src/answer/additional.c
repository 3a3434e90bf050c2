/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Addresses of the hosts that an answer names (RFC 1034 section 4.3.2 step 6), glue above all, and what
 * SVCB leads to (RFC 9460 section 4.1). Only what the same zone holds: its own data, and glue for NS. */
#include "answer/state.h"

#define SVCB_CHAIN_MAX 8 /* aliases followed, of both kinds */

/* Where the host's name begins in RDATA; -1: such a type gets no addresses. */
static int host_at(uint16_t type)
{
    switch (type) {
    case DNS_TYPE_NS:
        return 0;
    case DNS_TYPE_MX:    /* RFC 1035 section 3.3.9 */
    case DNS_TYPE_AFSDB: /* RFC 1183 section 1 */
    case DNS_TYPE_RT:    /* RFC 1183 section 3.3 */
    case DNS_TYPE_KX:    /* RFC 2230 section 3.1 */
    case DNS_TYPE_SVCB:  /* svcb_write() */
    case DNS_TYPE_HTTPS:
        return 2;
    case DNS_TYPE_SRV: /* RFC 2782 */
        return 6;
    default:
        return -1;
    }
}

void answer_additional_note(struct answer_state *a, const struct zone_rrset *set)
{
    a->extra.there = host_at(set->type) >= 0;
    a->extra.referral = false;
    a->extra.set = *set;
}

void answer_additional_note_cut(struct answer_state *a, const struct zone_rrset *ns,
                                uint8_t cut_labels)
{
    a->extra = (struct answer_extra){
        .there = true, .referral = true, .cut_labels = cut_labels, .set = *ns
    };
}

static bool host_seen(struct answer_state *a, const struct zone_node *n)
{
    for (unsigned i = 0; i < a->hosts_used; i++)
        if (a->hosts[i] == n)
            return true;
    if (a->hosts_used == ANSWER_HOSTS_MAX)
        return true; /* more hosts than a packet of addresses: enough */
    a->hosts[a->hosts_used++] = n;
    return false;
}

/* The node that holds the host's addresses; NULL when there is none that may be used. *exact: it is
 * the host's own, not a wildcard's. */
static const struct zone_node *host_find(const struct answer_state *a, const struct dns_name *host,
                                         bool *exact)
{
    uint32_t any = zone_flags(a->zone);
    const struct zone_node *n = zone_find_exact(a->zone, host);
    *exact = n != NULL;
    if (n != NULL && (zone_node_flags(n) & (ZONE_NODE_OCCLUDED | ZONE_NODE_CUT)) == 0)
        return n;
    if (n != NULL && a->extra.set.type != DNS_TYPE_NS)
        return NULL; /* at or below a cut only name servers' addresses are ours to give */
    if (n != NULL ? (any & ZONE_NODE_DNAME) == 0 : (any & ZONE_NODE_WILDCARD) == 0)
        return n; /* nothing that could be wrong with it, or no other way to get there */
    struct zone_found f;
    zone_lookup(a->zone, host, &f);
    if (f.dname != NULL || (n == NULL && f.cut != NULL))
        return NULL; /* no wildcard works below a cut */
    return n != NULL ? n : f.wildcard;
}

/* The addresses of a host, if the zone has them. False when they do not fit. */
static bool host_write(struct answer_state *a, const struct dns_name *host)
{
    static const uint16_t types[] = { DNS_TYPE_A, DNS_TYPE_AAAA };
    bool exact;
    const struct zone_node *n = host_find(a, host, &exact);
    if (n == NULL || (exact && host_seen(a, n)))
        return true;
    /* one wildcard stands for many hosts, and one of them may be named twice */
    if (!exact && (answer_has(a, host, types[0]) || answer_has(a, host, types[1])))
        return true;
    struct wire_owner owner = { .name = host };
    unsigned parts = WIRE_DATA | (a->signed_wanted ? WIRE_SIGS : 0);
    for (unsigned i = 0; i < BASE_COUNT(types); i++) {
        struct zone_rrset set;
        if (zone_node_find(a->zone, n, types[i], &set) &&
            !answer_wire_rrset(&a->m, DNS_ADDITIONAL, &owner, &set, parts))
            return false;
    }
    return true;
}

/* All hosts of the noted RRset that are (`in_cut`) or are not at or below the cut. False when one did
 * not fit. */
static bool hosts_write(struct answer_state *a, const struct dns_name *origin,
                        const struct dns_name *cut_name, bool in_cut)
{
    const struct answer_extra *x = &a->extra;
    struct rd r = rd_init(x->set.rdata, x->set.rdata_len);
    bool fits = true;
    for (uint16_t i = 0; i < x->set.count; i++) {
        struct rd item = rd_sub(&r, rd_u16(&r));
        struct dns_name host;
        rd_skip(&item, (size_t)host_at(x->set.type));
        if (!dns_name_parse(&host, &item))
            continue;
        if (!dns_name_is_under(&host, origin))
            continue;
        if (dns_name_is_under(&host, cut_name) == in_cut && !host_write(a, &host))
            fits = false;
    }
    return fits;
}

/* ---- SVCB and HTTPS ---- */

struct svcb_walk {
    struct answer_state *a;
    struct dns_name origin;
    unsigned links; /* that may still be followed */
    bool fits;
};

static void svcb_put(struct svcb_walk *w, const struct dns_name *name, const struct zone_rrset *set)
{
    struct wire_owner owner = { .name = name };
    unsigned parts = WIRE_DATA | (w->a->signed_wanted ? WIRE_SIGS : 0);
    w->fits = answer_wire_rrset(&w->a->m, DNS_ADDITIONAL, &owner, set, parts) && w->fits;
}

/* The node of `name`; where CNAMEs lead away from it, they are written and `name` becomes their target. NULL
 * when that is not in the zone. */
static const struct zone_node *svcb_node(struct svcb_walk *w, struct dns_name *name)
{
    for (; w->fits && w->links > 0; w->links--) {
        bool exact;
        struct zone_rrset set;
        const struct zone_node *n =
            dns_name_is_under(name, &w->origin) ? host_find(w->a, name, &exact) : NULL;
        if (n == NULL || (zone_node_flags(n) & ZONE_NODE_CNAME) == 0 ||
            !zone_node_find(w->a->zone, n, DNS_TYPE_CNAME, &set))
            return n;
        if (answer_has(w->a, name, DNS_TYPE_CNAME))
            return NULL;
        svcb_put(w, name, &set);
        struct rd r = rd_init(set.rdata, set.rdata_len);
        rd_skip(&r, 2);
        if (!dns_name_parse(name, &r))
            return NULL;
    }
    return NULL;
}

/* Addresses of all targets of one RRset. *alias: the target of an AliasMode record, where to go on; false
 * when there is none. */
static bool svcb_targets(struct svcb_walk *w, const struct dns_name *owner,
                         const struct zone_rrset *set, struct dns_name *alias)
{
    struct rd r = rd_init(set->rdata, set->rdata_len);
    bool found = false;
    for (uint16_t i = 0; i < set->count && w->fits; i++) {
        struct rd item = rd_sub(&r, rd_u16(&r));
        struct dns_name target;
        bool alias_mode = rd_u16(&item) == 0;
        if (!dns_name_parse(&target, &item))
            continue;
        if (alias_mode && target.labels == 0)
            continue;           /* there is no such service (RFC 9460 section 2.5.1) */
        if (target.labels == 0) /* the owner itself (section 2.5.2) */
            target = *owner;
        if (svcb_node(w, &target) == NULL)
            continue;
        w->fits = host_write(w->a, &target) && w->fits;
        if (alias_mode && !found) {
            *alias = target;
            found = true;
        }
    }
    return found;
}

/* What a client of this RRset will ask for next: the targets' addresses, and the RRset that an alias leads to.
 * Proofs of what is not there are left out: nobody waits for them. */
static bool svcb_write(struct answer_state *a)
{
    struct svcb_walk w = { .a = a, .links = SVCB_CHAIN_MAX, .fits = true };
    struct zone_rrset set = a->extra.set;
    struct dns_name owner = *a->sname, alias;
    zone_origin(a->zone, &w.origin);
    while (svcb_targets(&w, &owner, &set, &alias) && w.fits && w.links-- > 0) {
        bool exact;
        const struct zone_node *n = host_find(a, &alias, &exact);
        if (n == NULL || !zone_node_find(a->zone, n, a->extra.set.type, &set) ||
            answer_has(a, &alias, set.type))
            break;
        svcb_put(&w, &alias, &set);
        owner = alias;
    }
    return w.fits;
}

bool answer_additional_write(struct answer_state *a)
{
    if (!a->extra.there)
        return true;
    if (a->extra.set.type == DNS_TYPE_SVCB || a->extra.set.type == DNS_TYPE_HTTPS)
        return svcb_write(a);
    struct dns_name origin, cut_name;
    zone_origin(a->zone, &origin);
    if (!a->extra.referral)
        return hosts_write(a, &origin, &origin, true);
    /* RFC 9471 section 3.1: all glue below the cut, or TC. Section 3.2: the rest as there is room. */
    dns_name_ancestor(a->sname, a->extra.cut_labels, &cut_name);
    if (!hosts_write(a, &origin, &cut_name, true))
        a->tc = true;
    return hosts_write(a, &origin, &cut_name, false) && !a->tc;
}
