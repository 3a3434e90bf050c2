/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Responses, as a primary writes them (RFC 5936 section 2.2, RFC 1995 section 4).
 *
 * The records come one by one from the zone or from its history; messages take as many as fit. A message
 * is filled to OUT_FILL bytes, as far as compression pointers reach, so that every owner and name server
 * in it can be pointed at: longer ones are larger in sum (docs/transfers.md has the figures). Names are
 * compressed over a hash table of labels, each at an offset under the offset of the labels behind it,
 * that is new with each message and lives on the stack. */
#include "base/assert.h"
#include "transfer/xfr_parts.h"

#define OUT_FILL (DNS_POINTER_MAX + 1)
#define OUT_SLOTS 4096u
#define OUT_NAMES_MAX 3072u /* so that a search ends */

enum stage { FIRST_SOA, BODY, LAST_SOA, END };

struct slot {
    uint16_t at, parent; /* at 0: free */
};

/* One message while it is written. */
struct writing {
    struct xfr_out *x;
    struct wr w;
    uint16_t records;
    uint32_t names;
    const struct zone_node *node; /* whose name `owner` is, */
    uint16_t owner_at;            /* where it is in the message; 0: not yet, or out of reach */
    uint16_t origin_at; /* the same of the origin; 0: the client wrote it in another case */
    struct dns_name owner, origin; /* in the zone's case */
    struct slot slots[OUT_SLOTS];
};

struct record {
    const struct dns_name *owner;
    const uint8_t *rdata;
    uint32_t ttl_s;
    uint16_t type, len;
};

/* ---- names ---- */

static inline uint32_t label_hash(uint16_t parent, const uint8_t *label)
{
    uint32_t h = parent * 0x9e3779b1u + label[0];
    for (unsigned i = 1; i <= label[0]; i++)
        h = (h ^ label[i]) * 0x01000193u;
    return (h ^ h >> 15) * 0x85ebca6bu >> 20;
}
_Static_assert(OUT_SLOTS == 1u << 12, "label_hash() gives twelve bits");

/* Case counts, so that a secondary gets every name as it is in the zone (RFC 5936 section 3.4). */
static inline bool label_equal(const uint8_t *a, const uint8_t *b)
{
    return a[0] == b[0] && memcmp(a + 1, b + 1, a[0]) == 0;
}

/* The slot of the label under `parent`, or the free one where it belongs. */
static struct slot *label_slot(struct writing *m, uint16_t parent, const uint8_t *label)
{
    uint32_t i = label_hash(parent, label);
    for (;; i++) {
        struct slot *s = &m->slots[i % OUT_SLOTS];
        if (s->at == 0 || (s->parent == parent && label_equal(m->w.begin + s->at, label)))
            return s;
    }
}

static void label_enter(struct writing *m, struct slot *s, uint16_t parent, uint16_t at)
{
    if (m->names == OUT_NAMES_MAX)
        return; /* later names are a little longer, that is all */
    m->names++;
    *s = (struct slot){ .at = at, .parent = parent };
}

static bool is_under_exactly(const struct dns_name *n, const struct dns_name *origin)
{
    return n->labels >= origin->labels && n->len >= origin->len &&
           n->label_at[n->labels - origin->labels] == n->len - origin->len &&
           memcmp(n->wire + n->len - origin->len, origin->wire, origin->len) == 0;
}

/* Writes a name, compressed; returns where the whole of it can be pointed at, or 0. */
static uint16_t name_write(struct writing *m, const struct dns_name *n)
{
    uint16_t parent = 0;
    base_assert(n != NULL);
    unsigned i = n->labels; /* labels from i on are in the message */
    if (m->origin_at != 0 && is_under_exactly(n, &m->origin)) {
        parent = m->origin_at;
        i -= m->origin.labels;
    }
    while (i > 0) {
        const struct slot *s = label_slot(m, parent, n->wire + n->label_at[i - 1]);
        if (s->at == 0)
            break;
        parent = s->at;
        i--;
    }
    size_t begin = wr_len(&m->w), head = n->label_at[i];
    wr_bytes(&m->w, n->wire, head);
    if (parent != 0)
        wr_u16(&m->w, (uint16_t)(0xc000 | parent));
    else
        wr_u8(&m->w, 0);
    if (m->w.full)
        return 0;
    while (i-- > 0) {
        size_t at = begin + n->label_at[i];
        if (at > DNS_POINTER_MAX)
            return 0;
        struct slot *s = label_slot(m, parent, m->w.begin + at);
        if (s->at == 0)
            label_enter(m, s, parent, (uint16_t)at);
        parent = (uint16_t)at;
    }
    return parent;
}

/* The labels of the origin in the question, for names that share only some of them. */
static void origin_enter(struct writing *m)
{
    const struct dns_name *origin = m->x->origin; /* in the client's case */
    uint16_t parent = 0;
    for (unsigned i = origin->labels; i-- > 0;) {
        uint16_t at = (uint16_t)(DNS_HEADER_LEN + origin->label_at[i]);
        label_enter(m, label_slot(m, parent, m->w.begin + at), parent, at);
        parent = at;
    }
    if (origin->len == m->origin.len && memcmp(origin->wire, m->origin.wire, origin->len) == 0)
        m->origin_at = parent;
}

/* ---- records ---- */

/* RDATA with its names compressed, for the types of RFC 1035 (RFC 3597 section 4). */
static void rdata_write(struct writing *m, const struct record *rec)
{
    struct rd r = rd_init(rec->rdata, rec->len);
    struct dns_name n;
    unsigned names = 1;
    switch (rec->type) {
    case DNS_TYPE_MX:
        wr_bytes(&m->w, rd_bytes(&r, 2), 2);
        break;
    case DNS_TYPE_SOA:
    case DNS_TYPE_MINFO:
        names = 2;
        break;
    case DNS_TYPE_NS:
    case DNS_TYPE_MD:
    case DNS_TYPE_MF:
    case DNS_TYPE_CNAME:
    case DNS_TYPE_MB:
    case DNS_TYPE_MG:
    case DNS_TYPE_MR:
    case DNS_TYPE_PTR:
        break;
    default:
        wr_bytes(&m->w, rec->rdata, rec->len);
        return;
    }
    for (; names > 0 && dns_name_parse(&n, &r); names--)
        (void)name_write(m, &n);
    size_t left = r.bad ? 0 : rd_left(&r);
    wr_bytes(&m->w, r.pos, left);
}

/* False when it does not fit; the message is then what it was before, but for its table. */
static bool record_write(struct writing *m, const struct record *rec, size_t fill)
{
    uint8_t *mark = m->w.pos;
    uint16_t owner_at = m->owner_at;
    if (owner_at != 0)
        wr_u16(&m->w, (uint16_t)(0xc000 | owner_at));
    else
        owner_at = name_write(m, rec->owner);
    uint8_t *p = wr_room(&m->w, 10);
    if (p != NULL) {
        wr_put_u16(p, rec->type);
        wr_put_u16(p + 2, DNS_CLASS_IN);
        wr_put_u16(p + 4, (uint16_t)(rec->ttl_s >> 16));
        wr_put_u16(p + 6, (uint16_t)rec->ttl_s);
        rdata_write(m, rec);
    }
    if (p == NULL || m->w.full || (m->records != 0 && wr_len(&m->w) > fill)) {
        wr_back(&m->w, mark);
        return false;
    }
    wr_put_u16(p + 8, (uint16_t)(m->w.pos - p - 10));
    m->records++;
    m->owner_at = owner_at;
    return true;
}

/* ---- what comes next ---- */

static bool soa_record(struct writing *m, struct record *rec)
{
    struct xfr_out *x = m->x;
    struct zone_rrset set;
    const struct zone_node *apex = zone_apex(x->zone);
    if (apex == NULL || !zone_node_find(x->zone, apex, DNS_TYPE_SOA, &set) || set.rdata_len < 2)
        return false;
    *rec = (struct record){ .owner = &m->origin,
                            .type = DNS_TYPE_SOA,
                            .ttl_s = set.ttl_s,
                            .len = (uint16_t)(set.rdata[0] << 8 | set.rdata[1]),
                            .rdata = set.rdata + 2 };
    return true;
}

/* The item at x->item of the half of x->rrset that is being sent; false when the half is done. */
static bool item_record(const struct xfr_out *x, struct record *rec)
{
    const struct zone_rrset *set = &x->rrset;
    const bool apex_soa = set->type == DNS_TYPE_SOA && x->node == zone_apex(x->zone);
    if (x->item >= (x->sigs ? set->sig_count : set->count) || (!x->sigs && apex_soa))
        return false; /* the SOA is first and last, and nowhere else (RFC 5936 section 2.2) */
    const uint8_t *item = (x->sigs ? set->sigs : set->rdata) + x->offset;
    rec->type = x->sigs ? DNS_TYPE_RRSIG : set->type;
    rec->ttl_s = x->sigs ? set->sig_ttl_s : set->ttl_s;
    rec->len = (uint16_t)(item[0] << 8 | item[1]);
    rec->rdata = item + 2;
    return true;
}

/* The next record of the zone, every node and both halves of every RRset; false after the last. */
static bool zone_record(struct writing *m, struct record *rec)
{
    struct xfr_out *x = m->x;
    for (;;) {
        if (x->has_rrset && item_record(x, rec)) {
            if (m->node != x->node) {
                zone_node_name(x->zone, x->node, &m->owner);
                m->node = x->node;
                m->owner_at = 0;
            }
            rec->owner = &m->owner;
            return true;
        }
        x->item = 0;
        x->offset = 0;
        if (x->has_rrset && !x->sigs) {
            x->sigs = true;
            continue;
        }
        x->sigs = false;
        x->has_rrset = x->node != NULL && zone_node_next(x->zone, x->node, &x->pos, &x->rrset);
        if (x->has_rrset)
            continue;
        x->pos = 0;
        x->node = zone_walk_next(&x->walk);
        if (x->node == NULL)
            return false;
    }
}

/* The next record of the history; false after the last. Each step begins where the one before ended. */
static bool change_record(struct writing *m, struct record *rec)
{
    struct xfr_out *x = m->x;
    struct xfr_soa soa;
    uint32_t step;
    if (!x->has_pending) {
        x->has_pending = x->next(x->arg, &x->pending, &step);
        if (!x->has_pending) {
            x->failed = x->failed || x->serial != zone_serial(x->zone);
            return false;
        }
        const struct zone_change *c = &x->pending;
        if (c->type == DNS_TYPE_SOA) {
            bool ok = xfr_soa_read(&soa, c->rdata, c->len);
            x->failed = x->failed || !ok || (!c->add && x->changed && soa.serial != x->serial);
            x->serial = soa.serial;
            x->changed = true;
        } else if (!x->changed) {
            x->failed = true; /* its first record is the SOA that is had */
        }
    }
    const struct zone_change *c = &x->pending;
    m->owner_at = 0;
    *rec = (struct record){
        .owner = c->owner, .type = c->type, .ttl_s = c->ttl_s, .len = c->len, .rdata = c->rdata
    };
    return true;
}

/* The record that is due; false when all were sent, or x->failed. */
static bool due(struct writing *m, struct record *rec)
{
    struct xfr_out *x = m->x;
    if (x->stage == BODY && !(x->type == XFR_AXFR ? zone_record(m, rec) : change_record(m, rec)))
        x->stage = LAST_SOA;
    if (x->stage == FIRST_SOA || x->stage == LAST_SOA) {
        m->owner_at = m->origin_at;
        m->node = NULL;
        if (!x->failed && !soa_record(m, rec))
            x->failed = true;
    }
    return x->stage != END && !x->failed;
}

/* The record that was due is in the message. */
static void done(struct xfr_out *x, const struct record *rec)
{
    x->records++;
    if (x->stage == FIRST_SOA) {
        x->stage = x->type == XFR_AXFR || x->type == XFR_IXFR ? BODY : END;
    } else if (x->stage == LAST_SOA) {
        x->stage = END;
    } else if (x->type == XFR_AXFR) {
        x->item++;
        x->offset += 2u + rec->len;
    } else {
        x->has_pending = false;
    }
}

/* ---- messages ---- */

void xfr_out_begin(struct xfr_out *x)
{
    x->failed = false;
    x->messages = x->records = 0;
    x->bytes = 0;
    x->stage = FIRST_SOA;
    x->sigs = x->has_pending = x->has_rrset = x->changed = false;
    x->item = 0;
    x->offset = x->pos = x->serial = 0;
    x->node = NULL;
    if (x->type == XFR_AXFR)
        zone_walk_begin(&x->walk, x->zone);
}

/* Header and question, as they were asked (RFC 5936 sections 2.2.1 and 2.2.2). */
static void message_begin(struct writing *m, uint8_t *out, size_t cap)
{
    const struct xfr_out *x = m->x;
    m->w = wr_init(out, cap);
    m->records = 0;
    m->names = 0;
    m->node = NULL;
    m->owner_at = m->origin_at = 0;
    zone_origin(x->zone, &m->origin);
    memset(m->slots, 0, sizeof m->slots);
    wr_u16(&m->w, x->id);
    wr_u16(&m->w, (uint16_t)(DNS_FLAG_QR | DNS_FLAG_AA | (x->flags & DNS_FLAG_RD)));
    wr_u16(&m->w, 1);
    wr_u32(&m->w, 0);
    wr_u16(&m->w, 0);
    wr_bytes(&m->w, x->origin->wire, x->origin->len);
    wr_u16(&m->w, x->qtype);
    wr_u16(&m->w, DNS_CLASS_IN);
    if (!m->w.full)
        origin_enter(m);
}

static void records_write(struct writing *m, size_t fill)
{
    struct record rec = { 0 };
    while (due(m, &rec)) {
        if (!record_write(m, &rec, fill)) {
            if (m->records == 0 && m->x->udp_max == 0)
                m->x->failed = true; /* too long for any message */
            return;
        }
        done(m->x, &rec);
    }
}

size_t xfr_out_message(struct xfr_out *x, uint8_t *out, size_t cap, wall_t now)
{
    struct writing m;
    if (x->stage == END || x->failed)
        return 0;
    const bool opt = x->edns && (x->messages == 0 || x->padding != 0), udp = x->udp_max != 0;
    size_t limit = udp && x->udp_max < cap ? x->udp_max : cap;
    const size_t behind = (opt ? XFR_OPT_MAX : 0) + tsig_size(&x->tsig);
    if (limit < behind + DNS_HEADER_LEN) {
        x->failed = true;
        return 0;
    }
    const uint32_t before = x->records;
    m.x = x;
    message_begin(&m, out, limit - behind);
    records_write(&m, udp ? limit : OUT_FILL - behind);
    if (udp && !x->failed && x->stage != END) { /* RFC 1995 section 2 */
        x->type = XFR_SOA;
        x->stage = FIRST_SOA;
        x->records = before;
        message_begin(&m, out, limit - behind);
        records_write(&m, limit);
        x->failed = x->failed || x->stage != END;
    }
    if (x->failed)
        return 0;
    wr_put_u16(out + 6, m.records);
    m.w.end = out + limit - tsig_size(&x->tsig);
    if (opt)
        xfr_opt_write(&m.w, &(struct xfr_opt){ .expire = x->expire_asked && x->messages == 0,
                                               .expire_s = x->expire_s,
                                               .ede = -1,
                                               .padding = x->padding,
                                               .behind = tsig_size(&x->tsig) });
    size_t len = tsig_sign(&x->tsig, out, wr_len(&m.w), limit, now);
    x->messages++;
    x->bytes += len;
    return len;
}
