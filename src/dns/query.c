/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a server reads of a query: header, question, OPT, and whether a TSIG is there (RFC 1035 section
 * 4.1, RFC 6891, RFC 9619). The rest is passed over, but it has to be whole. */
#include "dns/message.h"

/* Passes over a name; a pointer ends it. What it points at is not looked at: nobody reads it. */
static void name_skip(struct rd *r)
{
    for (;;) {
        uint8_t len = rd_u8(r);
        if (r->bad || len == 0)
            return;
        if (len >= 0xc0) {
            rd_skip(r, 1);
            return;
        }
        if (len > DNS_LABEL_MAX) {
            r->bad = true;
            return;
        }
        rd_skip(r, len);
    }
}

static void option_take(struct dns_query *q, uint16_t code, const uint8_t *data, uint16_t len)
{
    switch (code) {
    case DNS_EDNS_NSID:
        q->nsid_asked = true;
        break;
    case DNS_EDNS_EXPIRE:
        q->expire_asked = true;
        break;
    case DNS_EDNS_COOKIE:
        if (q->cookie != NULL)
            break;
        q->cookie = data;
        q->cookie_len = (uint8_t)(len == 8 || (len >= 16 && len <= 40) ? len : 0);
        break;
    case DNS_EDNS_KEEPALIVE:
        q->keepalive_asked = true;
        q->keepalive_broken |= len != 0;
        break;
    case DNS_EDNS_PADDING:
        q->padding_asked = true;
        break;
    case DNS_EDNS_ZONEVERSION:
        q->zoneversion_asked = true;
        break;
    default:
        break;
    }
}

static bool options_parse(struct dns_query *q, struct rd r)
{
    while (!r.bad && rd_left(&r) > 0) {
        uint16_t code = rd_u16(&r), len = rd_u16(&r);
        const uint8_t *data = rd_bytes(&r, len);
        if (data != NULL)
            option_take(q, code, data, len);
    }
    return !r.bad;
}

/* The OPT behind its type field (RFC 6891 section 6.1.2). False when it is broken or the second. */
static bool opt_parse(struct dns_query *q, struct rd *r, bool root_owner)
{
    uint16_t payload = rd_u16(r);
    rd_skip(r, 1); /* the upper bits of the RCODE: nothing in a query */
    uint8_t version = rd_u8(r);
    uint16_t flags = rd_u16(r), len = rd_u16(r);
    struct rd options = rd_sub(r, len);
    if (r->bad || !root_owner || q->edns || !options_parse(q, options))
        return false;
    q->edns = true;
    q->edns_version = version;
    q->dnssec_ok = (flags & DNS_EDNS_DO) != 0;
    q->udp_payload = payload < DNS_UDP_PLAIN_MAX ? DNS_UDP_PLAIN_MAX : payload;
    return true;
}

/* One record; false when it is broken, or must not be where it is. */
static bool record_parse(struct dns_query *q, struct rd *r, const uint8_t *msg, bool additional,
                         bool last)
{
    const uint8_t *owner = r->pos;
    name_skip(r);
    uint16_t type = rd_u16(r);
    if (r->bad)
        return false;
    if (type == DNS_TYPE_OPT)
        return additional && opt_parse(q, r, owner[0] == 0);
    rd_skip(r, 6);
    rd_skip(r, rd_u16(r));
    if (type == DNS_TYPE_TSIG && !r->bad) {
        if (!additional || !last) /* RFC 8945 section 5.2 */
            return false;
        q->tsig = true;
        q->tsig_at = (uint16_t)(owner - msg);
    }
    return !r->bad;
}

static void query_clear(struct dns_query *q)
{
    q->empty = q->question = q->edns = q->dnssec_ok = q->tsig = false;
    q->nsid_asked = q->zoneversion_asked = q->expire_asked = q->padding_asked = false;
    q->keepalive_asked = q->keepalive_broken = false;
    q->qtype = q->qclass = q->question_len = 0;
    q->edns_version = q->cookie_len = 0;
    q->udp_payload = DNS_UDP_PLAIN_MAX;
    q->cookie = NULL;
    q->tsig_at = 0;
}

static bool question_parse(struct dns_query *q, struct rd *r, const uint8_t *msg)
{
    /* A pointer in the first name of a message can go nowhere (it would have to go before). */
    if (!dns_name_parse(&q->qname, r))
        return false;
    q->qtype = rd_u16(r);
    q->qclass = rd_u16(r);
    if (r->bad)
        return false;
    q->question = true;
    q->question_len = (uint16_t)(r->pos - msg - DNS_HEADER_LEN);
    return true;
}

/* Everything behind the header; false when it is no message of one question. */
static bool body_parse(struct dns_query *q, struct rd *r, const uint8_t *msg)
{
    uint16_t qdcount = rd_u16(r);
    uint32_t before =
        rd_u16(r); /* answers and authorities: of no meaning in a query (IXFR aside) */
    before += rd_u16(r);
    uint32_t total = before + rd_u16(r);
    if (qdcount > 1 || (qdcount == 1 && !question_parse(q, r, msg))) /* RFC 9619 section 4 */
        return false;
    /* Read on without a question too: the answer to an OPT is one with OPT (RFC 6891 6.1.1). */
    for (uint32_t i = 0; i < total; i++)
        if (!record_parse(q, r, msg, i >= before, i + 1 == total))
            return false;
    q->empty = rd_left(r) == 0 && qdcount == 0;
    return rd_left(r) == 0 && q->question;
}

enum dns_grade dns_query_parse(struct dns_query *q, const uint8_t *msg, size_t len)
{
    query_clear(q);
    struct rd r = rd_init(msg, len);
    q->id = rd_u16(&r);
    q->flags = rd_u16(&r);
    q->opcode = DNS_FLAGS_OPCODE(q->flags);
    if (len < DNS_HEADER_LEN || len > DNS_MESSAGE_MAX || (q->flags & DNS_FLAG_QR) != 0)
        return DNS_GRADE_DROP;
    bool whole = body_parse(q, &r, msg);
    if (q->opcode != DNS_OPCODE_QUERY)
        return DNS_GRADE_NOTIMP;
    if (!whole)
        return DNS_GRADE_FORMERR;
    return q->edns && q->edns_version != 0 ? DNS_GRADE_BADVERS : DNS_GRADE_OK;
}
