/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The bytes of a response: records and compressed names (RFC 1035 sections 4.1.3 and 4.1.4). */
#include <string.h>

#include "answer/wire.h"

void answer_wire_init(struct wire *m, uint8_t *out, size_t limit)
{
    m->w = wr_init(out, limit);
    m->w.pos += DNS_HEADER_LEN;
    memset(m->count, 0, sizeof m->count);
    memset(m->heads, 0, sizeof m->heads);
    m->names_used = m->pointers_used = 0;
}

struct answer_wire_mark answer_wire_mark(const struct wire *m)
{
    return (struct answer_wire_mark){ .pos = m->w.pos,
                                      .count = { m->count[0], m->count[1], m->count[2] },
                                      .names_used = m->names_used,
                                      .pointers_used = m->pointers_used };
}

void answer_wire_back(struct wire *m, const struct answer_wire_mark *mark)
{
    wr_back(&m->w, mark->pos);
    memcpy(m->count, mark->count, sizeof m->count);
    m->pointers_used = mark->pointers_used;
    while (m->names_used > mark->names_used) {
        const struct answer_wire_name *gone = &m->names[--m->names_used];
        m->heads[gone->bucket] = gone->next;
    }
}

static inline uint8_t lower(uint8_t c)
{
    return (uint8_t)(c - 'A') < 26 ? (uint8_t)(c | 0x20) : c;
}

/* A label's first and last byte, its length, and what it hangs under: labels of one parent differ in
 * these more often than not, and the rest of the bucket is compared. */
static inline uint8_t bucket_of(uint16_t parent, const uint8_t *label)
{
    uint32_t h = parent * 0x9e3779b1u;
    h ^= (uint32_t)label[0] << 24 | (uint32_t)(label[1] | 0x20) << 16 |
         (uint32_t)(label[label[0]] | 0x20);
    h *= 0x85ebca6bu;
    return (uint8_t)(h >> 26);
}
_Static_assert(WIRE_BUCKETS == 64, "bucket_of() gives six bits");

static inline bool label_equal(const uint8_t *a, const uint8_t *b)
{
    if (a[0] != b[0])
        return false;
    for (unsigned i = a[0]; i > 0; i--) /* from the end: ns1, ns2 */
        if (a[i] != b[i] && lower(a[i]) != lower(b[i]))
            return false;
    return true;
}

static inline uint16_t label_find(const struct wire *m, uint16_t parent, const uint8_t *label)
{
    uint8_t i = m->heads[bucket_of(parent, label)];
    while (i != 0) {
        const struct answer_wire_name *e = &m->names[i - 1];
        if (e->parent == parent && label_equal(m->w.begin + e->at, label))
            return e->at;
        i = e->next;
    }
    return 0;
}

static inline void label_enter(struct wire *m, uint16_t parent, uint16_t at)
{
    if (m->names_used == WIRE_NAMES_MAX)
        return; /* later names are a little longer, that is all */
    uint8_t bucket = bucket_of(parent, m->w.begin + at);
    m->names[m->names_used++] = (struct answer_wire_name){
        .at = at, .parent = parent, .next = m->heads[bucket], .bucket = bucket
    };
    m->heads[bucket] = m->names_used;
}
_Static_assert(WIRE_NAMES_MAX < 256, "an index and one fits a byte");

uint16_t answer_wire_name_find(const struct wire *m, const struct dns_name *n)
{
    uint16_t at = 0;
    for (unsigned i = n->labels; i-- > 0;) {
        at = label_find(m, at, n->wire + n->label_at[i]);
        if (at == 0)
            return 0;
    }
    return at;
}

void answer_wire_question(struct wire *m, const struct dns_name *qname, unsigned labels)
{
    uint16_t parent = 0;
    for (unsigned i = qname->labels; labels > 0; labels--) {
        uint16_t at = (uint16_t)(DNS_HEADER_LEN + qname->label_at[--i]);
        label_enter(m, parent, at);
        parent = at;
    }
}

/* There is room for two bytes at `p`. */
static inline void pointer_put(struct wire *m, uint8_t *p, uint16_t to)
{
    wr_put_u16(p, (uint16_t)(0xc000 | to));
    m->pointer_at[m->pointers_used] = (uint16_t)(p - m->w.begin);
    if (m->pointers_used < WIRE_POINTERS_MAX)
        m->pointers_used++;
}

uint16_t answer_wire_name(struct wire *m, const struct dns_name *n)
{
    uint16_t parent = 0;
    unsigned i = n->labels; /* labels from i on are in the message */
    while (i > 0) {
        uint16_t at = label_find(m, parent, n->wire + n->label_at[i - 1]);
        if (at == 0)
            break;
        parent = at;
        i--;
    }
    size_t begin = wr_len(&m->w), head = n->label_at[i];
    uint8_t *p = wr_room(&m->w, head + (parent != 0 ? 2 : 1));
    if (p == NULL)
        return 0;
    memcpy(p, n->wire, head);
    if (parent != 0)
        pointer_put(m, p + head, parent);
    else
        p[head] = 0;
    while (i-- > 0) {
        size_t at = begin + n->label_at[i];
        if (at > DNS_POINTER_MAX)
            return 0;
        label_enter(m, parent, (uint16_t)at);
        parent = (uint16_t)at;
    }
    return parent;
}

static void owner_write(struct wire *m, struct wire_owner *owner)
{
    if (owner->at == 0) {
        owner->at = answer_wire_name(m, owner->name);
        return;
    }
    uint8_t *p = wr_room(&m->w, 2);
    if (p != NULL)
        pointer_put(m, p, owner->at);
}

uint8_t *answer_wire_rr_begin(struct wire *m, struct wire_owner *owner, uint16_t type,
                              uint16_t rclass, uint32_t ttl_s)
{
    owner_write(m, owner);
    uint8_t *p = wr_room(&m->w, 10);
    if (p == NULL)
        return NULL;
    wr_put_u16(p, type);
    wr_put_u16(p + 2, rclass);
    wr_put_u16(p + 4, (uint16_t)(ttl_s >> 16));
    wr_put_u16(p + 6, (uint16_t)ttl_s);
    return p + 8;
}

void answer_wire_rr_end(struct wire *m, enum dns_section section, uint8_t *rdlength)
{
    wr_put_u16(rdlength, (uint16_t)(m->w.pos - (rdlength + 2)));
    m->count[section]++;
}

/* How many names the RDATA of a compressible type holds, and how many bytes are before them. Only
 * the types of RFC 1035 (RFC 3597 section 4). */
static unsigned rdata_names(uint16_t type, unsigned *before)
{
    *before = 0;
    switch (type) {
    case DNS_TYPE_NS:
    case DNS_TYPE_MD:
    case DNS_TYPE_MF:
    case DNS_TYPE_CNAME:
    case DNS_TYPE_MB:
    case DNS_TYPE_MG:
    case DNS_TYPE_MR:
    case DNS_TYPE_PTR:
        return 1;
    case DNS_TYPE_SOA:
    case DNS_TYPE_MINFO:
        return 2;
    case DNS_TYPE_MX:
        *before = 2;
        return 1;
    default:
        return 0;
    }
}

static void rdata_write(struct wire *m, struct rd *r, unsigned names, unsigned before)
{
    wr_bytes(&m->w, rd_bytes(r, before), before);
    struct dns_name n;
    for (; names > 0 && dns_name_parse(&n, r); names--)
        (void)answer_wire_name(m, &n);
    size_t left = rd_left(r);
    wr_bytes(&m->w, rd_bytes(r, left), left);
}

/* One list of `count` items of {length, bytes}. */
static bool items_write(struct wire *m, enum dns_section section, struct wire_owner *owner,
                        const struct zone_rrset *set, bool sigs)
{
    uint16_t type = sigs ? DNS_TYPE_RRSIG : set->type;
    uint32_t ttl_s = sigs ? set->sig_ttl_s : set->ttl_s;
    unsigned before, names = rdata_names(type, &before);
    struct rd r = sigs ? rd_init(set->sigs, set->sigs_len) : rd_init(set->rdata, set->rdata_len);
    for (uint16_t i = sigs ? set->sig_count : set->count; i > 0; i--) {
        struct rd item = rd_sub(&r, rd_u16(&r));
        uint8_t *rdlength = answer_wire_rr_begin(m, owner, type, DNS_CLASS_IN, ttl_s);
        if (rdlength == NULL)
            return false;
        if (names == 0)
            wr_bytes(&m->w, item.pos, rd_left(&item));
        else
            rdata_write(m, &item, names, before);
        if (m->w.full)
            return false;
        answer_wire_rr_end(m, section, rdlength);
    }
    return true;
}

bool answer_wire_rrset(struct wire *m, enum dns_section section, struct wire_owner *owner,
                       const struct zone_rrset *set, unsigned parts)
{
    struct answer_wire_mark mark = answer_wire_mark(m);
    uint16_t owner_at = owner->at;
    if (((parts & WIRE_DATA) == 0 || items_write(m, section, owner, set, false)) &&
        ((parts & WIRE_SIGS) == 0 || items_write(m, section, owner, set, true)))
        return true;
    answer_wire_back(m, &mark);
    owner->at = owner_at;
    return false;
}
