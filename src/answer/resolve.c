/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The algorithm of RFC 1034 section 4.3.2, as RFC 4592 (wildcards), RFC 6672 (DNAME) and RFC 4035
 * section 3.1 (DNSSEC) have it: where does the name fall, and what of it goes into which section. */
#include <string.h>

#include "answer/state.h"

enum step {
    STEP_DONE,   /* the answer is complete, or is cut off */
    STEP_FOLLOW, /* sname is another one now: look again */
};

bool answer_put(struct answer_state *a, enum dns_section section, struct wire_owner *owner,
                const struct zone_rrset *set)
{
    unsigned parts = WIRE_DATA | (a->signed_wanted ? WIRE_SIGS : 0);
    if (answer_wire_rrset(&a->m, section, owner, set, parts))
        return true;
    a->tc = true; /* RFC 2181 section 9, RFC 4035 section 3.1.1 */
    return false;
}

/* The first answer decides what kind it is; a later link of a chain may still make it negative. */
static void kind_set(struct answer_state *a, enum answer_kind kind)
{
    a->info->kind = kind;
}

/* The SOA of a negative answer, with the TTL of RFC 2308 section 3. */
static void soa_put(struct answer_state *a)
{
    struct zone_rrset soa;
    if (!zone_node_find(a->zone, zone_apex(a->zone), DNS_TYPE_SOA, &soa))
        return;
    struct rd last = rd_init(soa.rdata + soa.rdata_len - 4, 4);
    uint32_t minimum_s = rd_u32(&last);
    if (soa.ttl_s > minimum_s)
        soa.ttl_s = minimum_s;
    if (soa.sig_ttl_s > minimum_s)
        soa.sig_ttl_s = minimum_s;
    struct dns_name origin;
    zone_origin(a->zone, &origin);
    struct wire_owner owner = { .name = &origin };
    answer_put(a, DNS_AUTHORITY, &owner, &soa);
}

/* The question's name is what the names of an answer point at. Its whole, or in a referral only the cut's
 * part of it, so that the referral is the same for every name below the cut (cache.c). */
static void names_begin(struct answer_state *a, unsigned labels)
{
    if (a->chain != 0)
        return;
    if (a->whole_name)
        labels = a->sname->labels;
    a->narrow = labels < a->sname->labels;
    answer_wire_question(&a->m, a->sname, labels);
}

static enum step nxdomain(struct answer_state *a, const struct zone_found *f)
{
    bool proof = a->signed_wanted;
    struct answer_cache_key key = { .node = f->encloser,
                                    .nsec = proof ? f->nsec : NULL,
                                    .kind = ANSWER_NXDOMAIN };
    key.base_len =
        (uint8_t)(a->sname->len - a->sname->label_at[a->sname->labels - f->encloser_labels]);
    a->rcode = DNS_RCODE_NXDOMAIN; /* of the last name of a chain: RFC 6604 section 3 */
    kind_set(a, ANSWER_NXDOMAIN);
    if (answer_cache_take(a, &key))
        return STEP_DONE;
    if (!proof || !zone_has_nsec3(a->zone)) /* there the name's hash decides */
        answer_cache_fill(a, &key);
    names_begin(a, f->encloser_labels);
    soa_put(a);
    answer_prove_nxdomain(a, f);
    return STEP_DONE;
}

static enum step nodata(struct answer_state *a, const struct zone_found *f, bool wildcard)
{
    kind_set(a, ANSWER_NODATA);
    if (wildcard) {
        soa_put(a);
        answer_prove_wildcard_nodata(a, f);
        return STEP_DONE;
    }
    struct answer_cache_key key = { .node = f->exact,
                                    .kind = ANSWER_NODATA,
                                    .base_len = a->sname->len };
    if (answer_cache_take(a, &key))
        return STEP_DONE;
    answer_cache_fill(a, &key);
    soa_put(a);
    answer_prove_nodata(a, f);
    return STEP_DONE;
}

/* A name at or below a cut: NS, and DS or the proof that there is none (RFC 4035 section 3.1.4). */
static enum step referral(struct answer_state *a, const struct zone_node *cut,
                          const struct dns_name *cut_name)
{
    kind_set(a, ANSWER_REFERRAL);
    names_begin(a, cut_name->labels);
    if (a->chain == 0) {
        a->aa = false;
        struct answer_cache_key key = { .node = cut,
                                        .kind = ANSWER_REFERRAL,
                                        .base_len = cut_name->len };
        if (cut_name != a->sname) /* a wildcard's would have another owner each time */
            answer_cache_fill(a, &key);
    }
    struct zone_rrset ns, ds;
    struct wire_owner owner = { .name = cut_name };
    if (!zone_node_find(a->zone, cut, DNS_TYPE_NS, &ns))
        return STEP_DONE;
    /* Never signed here: the cut's NS belongs to the child (RFC 4035 section 2.2). */
    if (!answer_wire_rrset(&a->m, DNS_AUTHORITY, &owner, &ns, WIRE_DATA)) {
        a->tc = true;
        return STEP_DONE;
    }
    answer_additional_note_cut(a, &ns, cut_name->labels);
    if (!a->signed_wanted || !(zone_has_nsec(a->zone) || zone_has_nsec3(a->zone)))
        return STEP_DONE; /* a DS that nobody signed proves nothing */
    if (zone_node_find(a->zone, cut, DNS_TYPE_DS, &ds))
        answer_put(a, DNS_AUTHORITY, &owner, &ds);
    else
        answer_prove_insecure_cut(a, cut, cut_name);
    return STEP_DONE;
}

/* Makes `next` the name to look up. */
static enum step follow(struct answer_state *a, const struct dns_name *next)
{
    a->sname = next;
    a->chain++;
    kind_set(a, ANSWER_ALIAS);
    return a->chain < ANSWER_CHAIN_MAX ? STEP_FOLLOW : STEP_DONE;
}

static struct dns_name *target_room(struct answer_state *a)
{
    return a->sname == &a->targets[0] ? &a->targets[1] : &a->targets[0];
}

bool answer_has(const struct answer_state *a, const struct dns_name *owner, uint16_t type)
{
    struct dns_reader d = { .msg = a->m.w.begin, .len = wr_len(&a->m.w) };
    d.r = rd_init(d.msg, d.len);
    rd_skip(&d.r, (size_t)DNS_HEADER_LEN + a->q->question_len);
    memcpy(d.left, a->m.count, sizeof d.left);
    struct dns_rr rr;
    while (dns_reader_next(&d, &rr) == DNS_READER_RR)
        if (rr.type == type && dns_name_equal(&rr.owner, owner))
            return true;
    return false;
}

/* Then the chain is a loop. */
static bool alias_seen(const struct answer_state *a, const struct dns_name *owner)
{
    return answer_has(a, owner, DNS_TYPE_CNAME);
}

static enum step cname(struct answer_state *a, const struct zone_found *f,
                       const struct zone_rrset *set, bool wildcard)
{
    if (a->chain > 0 && alias_seen(a, a->sname)) {
        kind_set(a, ANSWER_ALIAS);
        return STEP_DONE;
    }
    struct wire_owner owner = { .name = a->sname };
    struct dns_name *next = target_room(a);
    struct rd r = rd_init(set->rdata, set->rdata_len);
    rd_skip(&r, 2);
    if (!answer_put(a, DNS_ANSWER, &owner, set) || !dns_name_parse(next, &r)) {
        kind_set(a, ANSWER_ALIAS);
        return STEP_DONE;
    }
    if (wildcard)
        answer_prove_wildcard(a, f);
    return follow(a, next);
}

static bool dname_seen(const struct answer_state *a, const struct zone_node *node)
{
    for (unsigned i = 0; i < a->dnames_used; i++)
        if (a->dnames[i] == node)
            return true;
    return false;
}

/* A chain may come by the same DNAME more than once; its record is in the answer once. */
static bool dname_put(struct answer_state *a, const struct zone_node *node,
                      const struct dns_name *node_name, const struct zone_rrset *set)
{
    if (dname_seen(a, node))
        return true;
    struct wire_owner owner = { .name = node_name };
    if (!answer_put(a, DNS_ANSWER, &owner, set))
        return false;
    a->dnames[a->dnames_used++] = node; /* one for a link, and one at the end: it fits */
    return true;
}

/* RFC 6672 section 3.2, step 3C: the DNAME, and the CNAME it stands for. */
static enum step dname(struct answer_state *a, const struct zone_node *node,
                       const struct dns_name *node_name)
{
    kind_set(a, ANSWER_ALIAS);
    struct zone_rrset set;
    if (!zone_node_find(a->zone, node, DNS_TYPE_DNAME, &set))
        return STEP_DONE;
    struct dns_name substitute, *next = target_room(a);
    struct rd r = rd_init(set.rdata, set.rdata_len);
    rd_skip(&r, 2);
    if (!dns_name_parse(&substitute, &r))
        return STEP_DONE;
    bool fits_name =
        dns_name_join(a->sname, a->sname->labels - node_name->labels, &substitute, next);
    if (a->chain > 0 && alias_seen(a, a->sname))
        return STEP_DONE;
    if (!dname_put(a, node, node_name, &set))
        return STEP_DONE;
    if (!fits_name) {
        a->rcode = DNS_RCODE_YXDOMAIN;
        kind_set(a, ANSWER_ERROR);
        return STEP_DONE;
    }
    struct answer_wire_mark mark = answer_wire_mark(&a->m);
    struct wire_owner alias = { .name = a->sname };
    /* The TTL is the DNAME's (section 3.1); the CNAME is not signed (section 5.3.1). */
    uint8_t *rdlength =
        answer_wire_rr_begin(&a->m, &alias, DNS_TYPE_CNAME, DNS_CLASS_IN, set.ttl_s);
    if (rdlength != NULL)
        (void)answer_wire_name(&a->m, next);
    if (rdlength == NULL || a->m.w.full) {
        answer_wire_back(&a->m, &mark);
        a->tc = true;
        return STEP_DONE;
    }
    answer_wire_rr_end(&a->m, DNS_ANSWER, rdlength);
    if (a->q->qtype == DNS_TYPE_CNAME) { /* that is what was asked for */
        kind_set(a, ANSWER_DATA);
        return STEP_DONE;
    }
    return follow(a, next);
}

/* ANY, and RRSIG, which is none of the node's types: all of the node, or as little as RFC 8482 section
 * 4.1 (and section 7 for RRSIG) allows. Returns whether there was something. */
static bool several(struct answer_state *a, const struct zone_node *node)
{
    struct zone_rrset set;
    struct wire_owner owner = { .name = a->sname };
    bool any = a->q->qtype == DNS_TYPE_ANY, found = false;
    uint32_t pos = 0;
    while (zone_node_next(a->zone, node, &pos, &set)) {
        unsigned parts = any ? WIRE_DATA | (a->signed_wanted ? WIRE_SIGS : 0) : WIRE_SIGS;
        if ((any ? set.count : set.sig_count) == 0)
            continue;
        found = true;
        if (set.type == DNS_TYPE_DNAME && dname_seen(a, node))
            continue;
        if (!answer_wire_rrset(&a->m, DNS_ANSWER, &owner, &set, parts)) {
            a->tc = true;
            break;
        }
        if (!a->o->any_full)
            break;
    }
    return found;
}

/* Something owns this name, itself or as the wildcard that stands for it. */
static enum step at_node(struct answer_state *a, const struct zone_found *f,
                         const struct zone_node *node, bool wildcard)
{
    uint16_t qtype = a->q->qtype;
    struct zone_rrset set;
    bool found;
    if (qtype == DNS_TYPE_ANY || qtype == DNS_TYPE_RRSIG) {
        found = several(a, node);
    } else if (zone_node_find(a->zone, node, qtype, &set)) {
        struct wire_owner owner = { .name = a->sname };
        found = true;
        if (qtype == DNS_TYPE_DNAME && !wildcard) /* which may be in already */
            (void)dname_put(a, node, a->sname, &set);
        else if (answer_put(a, DNS_ANSWER, &owner, &set))
            answer_additional_note(a, &set);
    } else if ((zone_node_flags(node) & ZONE_NODE_CNAME) != 0 &&
               zone_node_find(a->zone, node, DNS_TYPE_CNAME, &set)) {
        return cname(a, f, &set, wildcard);
    } else {
        found = false;
    }
    if (!found)
        return nodata(a, f, wildcard);
    kind_set(a, ANSWER_DATA);
    if (wildcard)
        answer_prove_wildcard(a, f);
    return STEP_DONE;
}

/* The cut, or the DNAME, that takes the name away from its owner; the higher of the two if there are
 * both, since what is below it is not there (RFC 6672 section 2.4). */
static bool taken_away(struct answer_state *a, const struct zone_found *f, enum step *step)
{
    struct dns_name cut_name, dname_name;
    const struct zone_node *cut = f->cut, *dn = f->dname;
    /* DS belongs to the parent's side of the cut (RFC 4035 section 3.1.4.1). */
    bool ds = cut == f->exact && a->q->qtype == DNS_TYPE_DS;
    if (dn == NULL && (cut == NULL || ds))
        return false;
    *step = STEP_DONE;
    struct answer_cache_key key = { .node = cut, .kind = ANSWER_REFERRAL };
    if (dn == NULL && answer_cache_take(a, &key)) {
        kind_set(a, ANSWER_REFERRAL);
        a->aa = false;
        return true;
    }
    if (cut != NULL)
        zone_node_name(a->zone, cut, &cut_name);
    if (dn != NULL)
        zone_node_name(a->zone, dn, &dname_name);
    if (dn != NULL && (cut == NULL || dname_name.labels < cut_name.labels)) {
        names_begin(a, a->sname->labels);
        *step = dname(a, dn, &dname_name);
        return true;
    }
    if (ds)
        return false;
    *step = referral(a, cut, &cut_name);
    return true;
}

/* The zone that `sname` is looked up in. DS of an apex is the parent's, if the parent is ours too
 * (RFC 4035 section 3.1.4.1). */
static const struct zone *zone_choose(const struct answer_state *a)
{
    if (a->zs == NULL)
        return NULL;
    const struct zone *z = zone_set_find(a->zs, a->sname);
    if (z == NULL || a->q->qtype != DNS_TYPE_DS || a->sname->labels == 0)
        return z;
    struct dns_name origin;
    zone_origin(z, &origin);
    if (origin.labels != a->sname->labels)
        return z;
    struct dns_name above;
    dns_name_ancestor(a->sname, a->sname->labels - 1u, &above);
    const struct zone *parent = zone_set_find(a->zs, &above);
    return parent != NULL ? parent : z;
}

static enum step look_up(struct answer_state *a)
{
    struct zone_found f;
    enum step step;
    zone_lookup(a->zone, a->sname, &f);
    if (taken_away(a, &f, &step))
        return step;
    if (f.exact == NULL && f.wildcard != NULL && a->q->qtype != DNS_TYPE_DS &&
        (zone_node_flags(f.wildcard) & ZONE_NODE_CUT) != 0)
        return referral(a, f.wildcard, a->sname); /* RFC 4592 section 4.2 leaves it open */
    if (f.exact == NULL && f.wildcard == NULL)
        return nxdomain(a, &f);
    names_begin(a, a->sname->labels);
    if (f.exact != NULL)
        return at_node(a, &f, f.exact, false);
    return at_node(a, &f, f.wildcard, true);
}

/* Writes all sections; false when something was left out. */
static bool sections_write(struct answer_state *a)
{
    a->aa = true;
    while (!a->tc && look_up(a) == STEP_FOLLOW) {
        a->zone = zone_choose(a);
        if (a->zone != NULL && zone_state(a->zone) != ZONE_SERVED)
            a->zone = NULL;
        if (a->zone == NULL)
            break; /* the client asks elsewhere */
    }
    if (!a->tc)
        answer_prove_write(a);
    return !a->tc && answer_additional_write(a);
}

/* A zone that is ours and cannot be answered from: SERVFAIL, and why (RFC 8914 sections 4.15 and 4.25). */
static bool zone_unusable(struct answer_state *a, const struct zone *z)
{
    enum zone_state state = zone_state(z);
    if (state == ZONE_SERVED)
        return false;
    answer_error_set(a, DNS_RCODE_SERVFAIL,
                     state == ZONE_EMPTY ? DNS_EDE_NOT_READY : DNS_EDE_INVALID_DATA);
    return true;
}

/* Transfers are not given where queries are answered. Of what is no zone of ours: NOTAUTH (RFC 5936 section
 * 2.2.1); AXFR over UDP: there is no such thing (section 4.2). */
static void transfer_refuse(struct answer_state *a)
{
    struct dns_name origin;
    if (a->zone != NULL)
        zone_origin(a->zone, &origin);
    if (a->zone == NULL || origin.labels != a->sname->labels)
        answer_error_set(a, DNS_RCODE_NOTAUTH, DNS_EDE_NOT_AUTHORITATIVE);
    else if (a->q->qtype == DNS_TYPE_AXFR && a->client->transport == ANSWER_UDP)
        answer_error_set(a, DNS_RCODE_NOTIMP, DNS_EDE_NOT_SUPPORTED);
    else
        answer_error_set(a, DNS_RCODE_REFUSED, DNS_EDE_PROHIBITED);
}

void answer_resolve(struct answer_state *a)
{
    a->sname = &a->q->qname;
    a->zone = zone_choose(a);
    a->info->zone = a->zone;
    if (a->q->qtype == DNS_TYPE_AXFR || a->q->qtype == DNS_TYPE_IXFR) {
        transfer_refuse(a);
        return;
    }
    if (a->zone == NULL) {
        answer_error_set(a, DNS_RCODE_REFUSED, DNS_EDE_NOT_AUTHORITATIVE);
        return;
    }
    if (zone_unusable(a, a->zone))
        return;
    struct answer_wire_mark mark = answer_wire_mark(&a->m);
    if (sections_write(a)) {
        answer_cache_keep(a);
    } else if (a->narrow) { /* a few bytes less may do it */
        answer_wire_back(&a->m, &mark);
        a->tc = a->extra.there = a->fill_wanted = false;
        a->proofs_used = a->hosts_used = 0;
        a->ede = DNS_EDE_NONE;
        a->whole_name = true;
        (void)sections_write(a);
    }
}
