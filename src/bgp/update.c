/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading UPDATE (RFC 4271 section 4.3, 4760, 6793, 1997, 8092, 9234) with the errors graded as RFC
 * 7606 says. One row per attribute: its flags, and a small function that reads its value and says how
 * bad it is. A parse goes on after an error as long as the bytes can be told apart, because the worst
 * error decides (RFC 7606 section 3 h), and because the prefixes are needed to treat them as
 * withdrawn. */
#include <string.h>

#include "bgp/msg.h"

enum {
    FLAG_OPTIONAL = 0x80,
    FLAG_TRANSITIVE = 0x40,
    FLAG_EXTENDED = 0x10,

    ATTR_ORIGIN = 1,
    ATTR_AS_PATH = 2,
    ATTR_NEXT_HOP = 3,
    ATTR_MED = 4,
    ATTR_LOCAL_PREF = 5,
    ATTR_ATOMIC_AGGREGATE = 6,
    ATTR_AGGREGATOR = 7,
    ATTR_COMMUNITIES = 8,
    ATTR_ORIGINATOR_ID = 9,
    ATTR_CLUSTER_LIST = 10,
    ATTR_MP_REACH = 14,
    ATTR_MP_UNREACH = 15,
    ATTR_EXT_COMMUNITIES = 16,
    ATTR_AS4_PATH = 17,
    ATTR_AS4_AGGREGATOR = 18,
    ATTR_EXT_COMMUNITIES_V6 = 25,
    ATTR_LARGE_COMMUNITIES = 32,
    ATTR_ONLY_TO_CUSTOMER = 35,

    SEGMENT_SET = 1,
    SEGMENT_SEQUENCE = 2,
};

struct parse {
    const struct bgp_update_context *ctx;
    struct bgp_update *out;
    uint8_t seen[32];      /* a bit per attribute type */
    struct rd path, path4; /* AS_PATH and AS4_PATH, checked; empty when absent */
    bool has_path4, aggregator_as_is_real;
    bool reachable; /* the message announces a prefix, of whatever family */
    /* the attribute in hand, for the error's data */
    const uint8_t *attr;
    size_t attr_len;
};

/* Notes an error; the first one of the worst grade stays. */
static enum bgp_grade grade(struct parse *p, enum bgp_grade g, uint8_t subcode, const char *why)
{
    if (g > p->out->grade) {
        p->out->grade = g;
        p->out->error =
            (struct bgp_error){ .code = BGP_ERR_UPDATE, .subcode = subcode, .why = why };
        if (p->attr != NULL) {
            p->out->error.data = p->attr;
            p->out->error.data_len = (uint16_t)p->attr_len;
        }
    }
    return g;
}

static enum bgp_grade bad_len(struct parse *p, enum bgp_grade g, const char *why)
{
    return grade(p, g, BGP_UPDATE_BAD_ATTR_LEN, why);
}

/* ---- attributes ------------------------------------------------------------------------------- */

static void on_origin(struct parse *p, struct rd v)
{
    uint8_t origin = rd_u8(&v);
    if (v.bad || rd_left(&v) != 0) {
        bad_len(p, BGP_GRADE_WITHDRAW, "ORIGIN is not one octet"); /* RFC 7606 section 7.1 */
    } else if (origin > BGP_ORIGIN_INCOMPLETE) {
        grade(p, BGP_GRADE_WITHDRAW, BGP_UPDATE_BAD_ORIGIN, "ORIGIN is none of the three");
    } else {
        p->out->attrs.has_origin = true;
        p->out->attrs.origin = origin;
    }
}

/* RFC 7606 section 7.2, and 7607 (AS 0). Confederation segments do not come from outside (RFC 5065
 * section 5.3): malformed, like any other segment type. NULL: it is right. */
static const char *path_fault(struct rd v, bool as4)
{
    while (rd_left(&v) > 0) {
        uint8_t type = rd_u8(&v), count = rd_u8(&v);
        if (v.bad)
            return "one octet is left behind the last segment of AS_PATH";
        if (type != SEGMENT_SET && type != SEGMENT_SEQUENCE)
            return "AS_PATH has a segment of unknown type";
        if (count == 0)
            return "AS_PATH has an empty segment";
        bool zero = false;
        for (unsigned i = 0; i < count; i++)
            zero |= (as4 ? rd_u32(&v) : rd_u16(&v)) == 0;
        if (v.bad)
            return "AS_PATH ends in the middle of a segment";
        if (zero)
            return "AS_PATH contains AS 0";
    }
    return NULL;
}

static void on_as_path(struct parse *p, struct rd v)
{
    const char *fault = path_fault(v, p->ctx->as4);
    if (fault != NULL) {
        grade(p, BGP_GRADE_WITHDRAW, BGP_UPDATE_BAD_AS_PATH, fault);
        return;
    }
    p->out->attrs.has_path = true;
    p->path = v;
}

/* RFC 6793 section 6: a malformed AS4_PATH is discarded; section 4.1: so is one between 4-octet
 * speakers, without being an error worth a word. Confederation segments are taken out of it by the
 * letter; here the attribute goes as a whole. */
static void on_as4_path(struct parse *p, struct rd v)
{
    if (p->ctx->as4)
        return;
    const char *fault = path_fault(v, true);
    if (fault != NULL || rd_left(&v) == 0) {
        grade(p, BGP_GRADE_DISCARD, BGP_UPDATE_BAD_OPTIONAL, fault ? fault : "AS4_PATH is empty");
        return;
    }
    p->has_path4 = true;
    p->path4 = v;
}

static bool v4_host(const uint8_t a[4])
{
    static const uint8_t zero[4];
    return memcmp(a, zero, 4) != 0 && a[0] < 224;
}

static void on_next_hop(struct parse *p, struct rd v)
{
    const uint8_t *a = rd_bytes(&v, 4);
    if (a == NULL || rd_left(&v) != 0) {
        bad_len(p, BGP_GRADE_WITHDRAW, "NEXT_HOP is not four octets"); /* RFC 7606 section 7.3 */
    } else if (!v4_host(a)) {
        grade(p, BGP_GRADE_WITHDRAW, BGP_UPDATE_BAD_NEXT_HOP, "NEXT_HOP is no host's address");
    } else {
        p->out->attrs.has_next_hop = true;
        memcpy(p->out->attrs.next_hop, a, 4);
    }
}

static void on_med(struct parse *p, struct rd v)
{
    uint32_t med = rd_u32(&v);
    if (v.bad || rd_left(&v) != 0) {
        bad_len(p, BGP_GRADE_WITHDRAW, "MULTI_EXIT_DISC is not four octets"); /* 7606 7.4 */
        return;
    }
    p->out->attrs.has_med = true;
    p->out->attrs.med = med;
}

static void on_local_pref(struct parse *p, struct rd v)
{
    if (!p->ctx->ibgp) { /* RFC 7606 section 7.5 */
        grade(p, BGP_GRADE_DISCARD, BGP_UPDATE_BAD_ATTR_LIST, "LOCAL_PREF from an external peer");
        return;
    }
    uint32_t pref = rd_u32(&v);
    if (v.bad || rd_left(&v) != 0) {
        bad_len(p, BGP_GRADE_WITHDRAW, "LOCAL_PREF is not four octets");
        return;
    }
    p->out->attrs.has_local_pref = true;
    p->out->attrs.local_pref = pref;
}

static void on_atomic_aggregate(struct parse *p, struct rd v)
{
    if (rd_left(&v) != 0)
        bad_len(p, BGP_GRADE_DISCARD, "ATOMIC_AGGREGATE is not empty"); /* 7606 7.6 */
    else
        p->out->attrs.atomic_aggregate = true;
}

static void on_aggregator(struct parse *p, struct rd v)
{
    size_t want = p->ctx->as4 ? 8 : 6;
    if (rd_left(&v) != want) {
        bad_len(p, BGP_GRADE_DISCARD, "AGGREGATOR has a wrong length"); /* 7606 7.7 */
        return;
    }
    p->aggregator_as_is_real = !p->ctx->as4 && rd_u16(&v) != BGP_AS_TRANS;
}

static void on_as4_aggregator(struct parse *p, struct rd v)
{
    if (!p->ctx->as4 && rd_left(&v) != 8) /* RFC 6793 section 6 */
        bad_len(p, BGP_GRADE_DISCARD, "AS4_AGGREGATOR is not eight octets");
}

/* A non-empty list of things of `unit` octets: the communities of all kinds. */
static bool list_of(struct parse *p, const struct rd *v, size_t unit, const char *why)
{
    if (rd_left(v) != 0 && rd_left(v) % unit == 0)
        return true;
    bad_len(p, BGP_GRADE_WITHDRAW, why);
    return false;
}

static void on_communities(struct parse *p, struct rd v)
{
    if (list_of(p, &v, 4, "COMMUNITIES is no multiple of four octets")) { /* 7606 7.8 */
        p->out->attrs.communities = v.pos;
        p->out->attrs.community_count = (uint16_t)(rd_left(&v) / 4);
    }
}

static void on_large_communities(struct parse *p, struct rd v)
{
    if (list_of(p, &v, 12, "LARGE_COMMUNITY is no multiple of twelve octets")) { /* RFC 8092 6 */
        p->out->attrs.large = v.pos;
        p->out->attrs.large_count = (uint16_t)(rd_left(&v) / 12);
    }
}

static void on_ext_communities(struct parse *p, struct rd v)
{
    list_of(p, &v, 8, "EXTENDED COMMUNITIES is no multiple of eight octets"); /* 7606 7.14 */
}

static void on_ext_communities_v6(struct parse *p, struct rd v)
{
    list_of(p, &v, 20, "IPv6 EXTENDED COMMUNITIES is no multiple of twenty octets"); /* 7606 7.15 */
}

static void on_originator_id(struct parse *p, struct rd v)
{
    if (!p->ctx->ibgp) /* RFC 7606 section 7.9 */
        grade(p, BGP_GRADE_DISCARD, BGP_UPDATE_BAD_ATTR_LIST,
              "ORIGINATOR_ID from an external peer");
    else if (rd_left(&v) != 4)
        bad_len(p, BGP_GRADE_WITHDRAW, "ORIGINATOR_ID is not four octets");
}

static void on_cluster_list(struct parse *p, struct rd v)
{
    if (!p->ctx->ibgp) /* RFC 7606 section 7.10 */
        grade(p, BGP_GRADE_DISCARD, BGP_UPDATE_BAD_ATTR_LIST, "CLUSTER_LIST from an external peer");
    else
        list_of(p, &v, 4, "CLUSTER_LIST is no multiple of four octets");
}

static void on_only_to_customer(struct parse *p, struct rd v)
{
    uint32_t as = rd_u32(&v);
    if (v.bad || rd_left(&v) != 0) {
        bad_len(p, BGP_GRADE_WITHDRAW, "ONLY_TO_CUSTOMER is not four octets"); /* RFC 9234 5 */
        return;
    }
    p->out->attrs.has_only_to_customer = true;
    p->out->attrs.only_to_customer = as;
}

/* ---- prefixes --------------------------------------------------------------------------------- */

bool bgp_nlri_next(struct rd *r, enum bgp_family family, struct bgp_prefix *p)
{
    if (r->bad || rd_left(r) == 0)
        return false;
    *p = (struct bgp_prefix){ .family = (uint8_t)family, .len = rd_u8(r) };
    if (p->len > bgp_prefix_len_max((uint8_t)family)) {
        r->bad = true;
        return false;
    }
    size_t octets = (p->len + 7u) / 8;
    const uint8_t *from = rd_bytes(r, octets);
    if (from == NULL)
        return false;
    if (octets > 0) {
        memcpy(p->addr, from, octets);
        if (p->len % 8 != 0) /* RFC 4271 section 4.3: trailing bits are irrelevant */
            p->addr[octets - 1] &= (uint8_t)(0xff00 >> (p->len % 8));
    }
    return true;
}

/* RFC 7606 section 5.3: each prefix has a possible length and ends inside the field. */
static bool nlri_ok(struct rd r, enum bgp_family family, uint32_t *count)
{
    struct bgp_prefix p;
    while (bgp_nlri_next(&r, family, &p))
        ++*count;
    return !r.bad;
}

static bool mp_family(uint16_t afi, uint8_t safi, const struct parse *p, uint8_t *family)
{
    if (afi < 1 || afi > 2 || safi != 1)
        return false;
    *family = afi == 1 ? BGP_IPV4 : BGP_IPV6;
    return (p->ctx->families & BGP_FAMILY_BIT(*family)) != 0;
}

static bool mp_next_hop_len_ok(const struct parse *p, uint8_t family, size_t len)
{
    if (family == BGP_IPV6)
        return len == 16 || len == 32;
    return len == 4 || (p->ctx->v4_over_v6_next_hop && (len == 16 || len == 32)); /* RFC 8950 */
}

static bool v6_host(const uint8_t a[16])
{
    static const uint8_t zero[16];
    return memcmp(a, zero, 16) != 0 && a[0] != 0xff;
}

/* RFC 4760 section 3. What cannot be told apart resets the session (RFC 7606 section 7.11). */
static void on_mp_reach(struct parse *p, struct rd v)
{
    struct bgp_update *u = p->out;
    uint16_t afi = rd_u16(&v);
    uint8_t safi = rd_u8(&v), family;
    uint8_t hop_len = rd_u8(&v);
    const uint8_t *hop = rd_bytes(&v, hop_len);
    rd_u8(&v); /* reserved */
    if (v.bad) {
        grade(p, BGP_GRADE_RESET, BGP_UPDATE_BAD_OPTIONAL, "MP_REACH_NLRI is too short");
        return;
    }
    p->reachable |= rd_left(&v) > 0;
    if (!mp_family(afi, safi, p, &family))
        return; /* not agreed: passed over */
    if (!mp_next_hop_len_ok(p, family, hop_len)) {
        grade(p, BGP_GRADE_RESET, BGP_UPDATE_BAD_OPTIONAL,
              "MP_REACH_NLRI has a next hop of a wrong length");
        return;
    }
    if (!nlri_ok(v, family, &u->prefix_count)) {
        grade(p, BGP_GRADE_RESET, BGP_UPDATE_BAD_OPTIONAL, "MP_REACH_NLRI has a malformed prefix");
        return;
    }
    if (hop_len == 4 ? !v4_host(hop) : !v6_host(hop))
        grade(p, BGP_GRADE_WITHDRAW, BGP_UPDATE_BAD_OPTIONAL, "the next hop is no host's address");
    u->has_mp_reach = true;
    u->mp_nlri_family = family;
    u->mp_nlri = v;
    u->mp_next_hop_len = hop_len;
    memcpy(u->mp_next_hop, hop, hop_len);
}

static void on_mp_unreach(struct parse *p, struct rd v)
{
    struct bgp_update *u = p->out;
    uint16_t afi = rd_u16(&v);
    uint8_t safi = rd_u8(&v), family;
    if (v.bad) { /* RFC 7606 section 7.12 */
        grade(p, BGP_GRADE_RESET, BGP_UPDATE_BAD_OPTIONAL, "MP_UNREACH_NLRI is too short");
        return;
    }
    if (!mp_family(afi, safi, p, &family))
        return;
    if (!nlri_ok(v, family, &u->prefix_count)) {
        grade(p, BGP_GRADE_RESET, BGP_UPDATE_BAD_OPTIONAL,
              "MP_UNREACH_NLRI has a malformed prefix");
        return;
    }
    u->has_mp_unreach = true;
    u->mp_withdrawn_family = family;
    u->mp_withdrawn = v;
}

/* ---- the list of attributes -------------------------------------------------------------------- */

static const struct attr_row {
    uint8_t type, flags; /* Optional and Transitive as they must be */
    void (*read)(struct parse *p, struct rd value);
} attr_rows[] = {
    { ATTR_ORIGIN, FLAG_TRANSITIVE, on_origin },
    { ATTR_AS_PATH, FLAG_TRANSITIVE, on_as_path },
    { ATTR_NEXT_HOP, FLAG_TRANSITIVE, on_next_hop },
    { ATTR_MED, FLAG_OPTIONAL, on_med },
    { ATTR_LOCAL_PREF, FLAG_TRANSITIVE, on_local_pref },
    { ATTR_ATOMIC_AGGREGATE, FLAG_TRANSITIVE, on_atomic_aggregate },
    { ATTR_AGGREGATOR, FLAG_OPTIONAL | FLAG_TRANSITIVE, on_aggregator },
    { ATTR_COMMUNITIES, FLAG_OPTIONAL | FLAG_TRANSITIVE, on_communities },
    { ATTR_ORIGINATOR_ID, FLAG_OPTIONAL, on_originator_id },
    { ATTR_CLUSTER_LIST, FLAG_OPTIONAL, on_cluster_list },
    { ATTR_MP_REACH, FLAG_OPTIONAL, on_mp_reach },
    { ATTR_MP_UNREACH, FLAG_OPTIONAL, on_mp_unreach },
    { ATTR_EXT_COMMUNITIES, FLAG_OPTIONAL | FLAG_TRANSITIVE, on_ext_communities },
    { ATTR_AS4_PATH, FLAG_OPTIONAL | FLAG_TRANSITIVE, on_as4_path },
    { ATTR_AS4_AGGREGATOR, FLAG_OPTIONAL | FLAG_TRANSITIVE, on_as4_aggregator },
    { ATTR_EXT_COMMUNITIES_V6, FLAG_OPTIONAL | FLAG_TRANSITIVE, on_ext_communities_v6 },
    { ATTR_LARGE_COMMUNITIES, FLAG_OPTIONAL | FLAG_TRANSITIVE, on_large_communities },
    { ATTR_ONLY_TO_CUSTOMER, FLAG_OPTIONAL | FLAG_TRANSITIVE, on_only_to_customer },
};

static const struct attr_row *row_of(uint8_t type)
{
    for (size_t i = 0; i < sizeof attr_rows / sizeof attr_rows[0]; i++) {
        if (attr_rows[i].type == type)
            return &attr_rows[i];
    }
    return NULL;
}

/* True when this type was here before. */
static bool seen_before(struct parse *p, uint8_t type)
{
    uint8_t bit = (uint8_t)(1u << (type % 8));
    bool before = (p->seen[type / 8] & bit) != 0;
    p->seen[type / 8] |= bit;
    return before;
}

static void attribute(struct parse *p, uint8_t flags, uint8_t type, struct rd value)
{
    bool mp = type == ATTR_MP_REACH || type == ATTR_MP_UNREACH;
    const struct attr_row *row = row_of(type);
    if (seen_before(p, type)) { /* RFC 7606 section 3 g */
        if (mp)
            grade(p, BGP_GRADE_RESET, BGP_UPDATE_BAD_ATTR_LIST, "MP_(UN)REACH_NLRI is there twice");
        else
            grade(p, BGP_GRADE_DISCARD, BGP_UPDATE_BAD_ATTR_LIST, "an attribute is there twice");
        return;
    }
    if (row == NULL) {
        if (!(flags & FLAG_OPTIONAL)) /* RFC 4271 section 6.3, not softened by RFC 7606 */
            grade(p, BGP_GRADE_RESET, BGP_UPDATE_UNKNOWN_WELL_KNOWN,
                  "an unknown attribute says that it is well-known");
        return; /* unknown and optional: nothing is passed on here, so nothing to keep */
    }
    if ((flags & (FLAG_OPTIONAL | FLAG_TRANSITIVE)) != row->flags) { /* RFC 7606 section 3 c */
        grade(p, BGP_GRADE_WITHDRAW, BGP_UPDATE_BAD_FLAGS, "an attribute has wrong flags");
        if (!mp) /* the prefixes in it are needed all the same */
            return;
    }
    row->read(p, value);
}

static void attributes(struct parse *p, struct rd list)
{
    while (rd_left(&list) > 0) {
        const uint8_t *begin = list.pos;
        uint8_t flags = rd_u8(&list), type = rd_u8(&list);
        size_t len = flags & FLAG_EXTENDED ? rd_u16(&list) : rd_u8(&list);
        struct rd value = rd_sub(&list, len);
        p->attr = begin;
        p->attr_len = (size_t)(list.pos - begin);
        if (list.bad) { /* RFC 7606 section 4 */
            p->attr_len = (size_t)(list.end - begin);
            grade(p, BGP_GRADE_WITHDRAW, BGP_UPDATE_BAD_ATTR_LEN,
                  "an attribute ends behind the list of attributes");
            break;
        }
        attribute(p, flags, type, value);
    }
    p->attr = NULL;
}

/* ---- the path --------------------------------------------------------------------------------- */

static uint32_t path_len(struct rd v, bool as4)
{
    uint32_t len = 0;
    while (rd_left(&v) > 0) {
        uint8_t type = rd_u8(&v), count = rd_u8(&v);
        rd_skip(&v, (size_t)count * (as4 ? 4 : 2));
        len += type == SEGMENT_SET ? 1 : count;
    }
    return len;
}

/* Appends the first `hops` of a checked path. */
static void path_append(struct bgp_path *path, struct rd v, bool as4, uint32_t hops,
                        uint32_t local_as)
{
    while (rd_left(&v) > 0 && hops > 0) {
        bool set = rd_u8(&v) == SEGMENT_SET;
        uint8_t count = rd_u8(&v);
        for (unsigned i = 0; i < count; i++) {
            uint32_t as = as4 ? rd_u32(&v) : rd_u16(&v);
            if (!set && hops == 0)
                continue; /* the rest of the segment belongs to the other path */
            if (path->count < BGP_PATH_MAX)
                path->as[path->count++] = as;
            else
                path->cut = true;
            path->own |= as == local_as;
            if (!set || i == 0) {
                if (path->len == 0)
                    path->first = set ? 0 : as;
                path->origin = set ? 0 : as;
                path->len++;
                hops--;
            }
        }
        path->has_set |= set;
    }
}

/* RFC 6793 section 4.2.3: what a 2-octet speaker passed on in AS4_PATH replaces the end of AS_PATH. */
static void path_merge(struct parse *p)
{
    struct bgp_path *path = &p->out->attrs.path;
    uint32_t len = path_len(p->path, p->ctx->as4);
    uint32_t len4 = path_len(p->path4, true);
    if (!p->has_path4 || p->aggregator_as_is_real || len < len4)
        len4 = 0;
    path_append(path, p->path, p->ctx->as4, len - len4, p->ctx->local_as);
    if (len4 > 0)
        path_append(path, p->path4, true, len4, p->ctx->local_as);
}

/* ---- the message ------------------------------------------------------------------------------ */

static void missing(struct parse *p, uint8_t type, const char *why)
{
    if (grade(p, BGP_GRADE_WITHDRAW, BGP_UPDATE_MISSING_WELL_KNOWN, why) &&
        p->out->error.subcode == BGP_UPDATE_MISSING_WELL_KNOWN) {
        p->out->error.own[0] = type;
        p->out->error.data_len = 1;
    }
}

/* RFC 7606 section 3 d: a mandatory attribute that is not there. One that was there and malformed has
 * had its grade already. */
static void mandatory(struct parse *p)
{
    bool v4 = rd_left(&p->out->nlri) > 0;
    if (!v4 && rd_left(&p->out->mp_nlri) == 0)
        return;
    if (!(p->seen[0] & 1u << ATTR_ORIGIN))
        missing(p, ATTR_ORIGIN, "ORIGIN is missing");
    if (!(p->seen[0] & 1u << ATTR_AS_PATH))
        missing(p, ATTR_AS_PATH, "AS_PATH is missing");
    if (v4 && !(p->seen[0] & 1u << ATTR_NEXT_HOP))
        missing(p, ATTR_NEXT_HOP, "NEXT_HOP is missing");
}

/* RFC 4724 section 2: an UPDATE of 23 octets, or one with nothing but an empty MP_UNREACH_NLRI. */
static void end_of_rib(struct bgp_update *u, size_t withdrawn_len, size_t attrs_len,
                       size_t nlri_len)
{
    if (u->grade != BGP_GRADE_NONE || withdrawn_len != 0 || nlri_len != 0)
        return;
    if (attrs_len == 0) {
        u->end_of_rib = true;
        u->end_of_rib_family = BGP_IPV4;
    } else if (u->has_mp_unreach && rd_left(&u->mp_withdrawn) == 0 &&
               (attrs_len == 6 || attrs_len == 7)) {
        u->end_of_rib = true;
        u->end_of_rib_family = u->mp_withdrawn_family;
    }
}

enum bgp_grade bgp_update_parse(struct rd body, const struct bgp_update_context *ctx,
                                struct bgp_update *out)
{
    static const uint8_t nothing[1];
    struct rd empty = rd_init(nothing, 0);
    *out = (struct bgp_update){
        .withdrawn = empty, .nlri = empty, .mp_withdrawn = empty, .mp_nlri = empty
    };
    struct parse p = { .ctx = ctx, .out = out, .path = empty, .path4 = empty };
    struct rd withdrawn = rd_sub(&body, rd_u16(&body));
    struct rd attrs = rd_sub(&body, rd_u16(&body));
    if (body.bad) /* RFC 7606 section 3 a: the parts cannot be told apart */
        return grade(&p, BGP_GRADE_RESET, BGP_UPDATE_BAD_ATTR_LIST,
                     "the lengths of withdrawn routes and attributes exceed the message");
    size_t nlri_len = rd_left(&body), withdrawn_len = rd_left(&withdrawn);
    bool v4 = (ctx->families & BGP_FAMILY_BIT(BGP_IPV4)) != 0;
    if (!nlri_ok(withdrawn, BGP_IPV4, &out->prefix_count) ||
        !nlri_ok(body, BGP_IPV4, &out->prefix_count))
        return grade(&p, BGP_GRADE_RESET, BGP_UPDATE_BAD_NETWORK, "a prefix is malformed");
    if (v4) {
        out->withdrawn = withdrawn;
        out->nlri = body;
    }
    p.reachable = nlri_len > 0;
    attributes(&p, attrs);
    mandatory(&p);
    path_merge(&p);
    /* RFC 7606 section 5.2: without a prefix to withdraw, "treat as withdraw" may hide the loss of
     * those that were in the damaged attribute. */
    if (out->grade == BGP_GRADE_WITHDRAW && !p.reachable)
        out->grade = BGP_GRADE_RESET;
    end_of_rib(out, withdrawn_len, rd_left(&attrs), nlri_len);
    return out->grade;
}
