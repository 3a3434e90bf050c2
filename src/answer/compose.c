/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The way of a query through this room: compose.c reads it, decides what kind of question it is, and
 * puts header, OPT and TSIG around the answer; resolve.c finds where the name falls and fills the
 * sections; prove.c adds the denials of a signed zone, additional.c the addresses; wire.c writes and
 * compresses. Everything lives on the stack of answer_compose(): no allocation, no clock, no call to
 * the system. RFC 1034, 1035, 2181, 2308, 4035, 4592, 5001, 5155, 6672, 6891, 8482, 9471. */
#include <string.h>

#include "answer/state.h"

#define UDP_PAYLOAD_DEFAULT 1232 /* fits every path (dnsflagday.net/2020) */

uint16_t answer_payload_max(const struct answer_options *o)
{
    uint16_t max = o->udp_payload_max != 0 ? o->udp_payload_max : UDP_PAYLOAD_DEFAULT;
    return max < DNS_UDP_PLAIN_MAX ? DNS_UDP_PLAIN_MAX : max;
}

static size_t response_limit(const struct answer_options *o, const struct dns_query *q,
                             enum answer_transport t, size_t cap)
{
    size_t limit = DNS_MESSAGE_MAX;
    if (t == ANSWER_UDP) {
        uint16_t ours = answer_payload_max(o);
        limit = q->udp_payload < ours ? q->udp_payload : ours; /* 512 without EDNS */
    }
    return cap < limit ? cap : limit;
}

/* As it came, case included. */
static void question_write(struct answer_state *a, const uint8_t *query)
{
    if (a->q->question)
        wr_bytes(&a->m.w, query + DNS_HEADER_LEN, a->q->question_len);
}

static void header_write(struct answer_state *a)
{
    const struct dns_query *q = a->q;
    /* RD is copied (RFC 1035 section 4.1.1); CD and AD are not (RFC 4035 section 3.1.6). */
    uint16_t flags =
        (uint16_t)(DNS_FLAG_QR | (q->flags & 0x7800) | (q->flags & DNS_FLAG_RD) | (a->rcode & 15));
    flags |= (uint16_t)((a->aa ? DNS_FLAG_AA : 0) | (a->tc ? DNS_FLAG_TC : 0));
    uint8_t *h = a->m.w.begin;
    wr_put_u16(h, q->id);
    wr_put_u16(h + 2, flags);
    wr_put_u16(h + 4, q->question ? 1 : 0);
    for (unsigned i = 0; i < 3; i++)
        wr_put_u16(h + 6 + 2 * i, a->m.count[i]);
}

/* ---- what is not a question about a zone ---- */

void answer_error_set(struct answer_state *a, uint16_t rcode, uint16_t ede)
{
    a->rcode = rcode;
    a->ede = ede;
    a->info->kind = rcode == DNS_RCODE_REFUSED ? ANSWER_REFUSED : ANSWER_ERROR;
}

static bool name_is(const struct dns_name *n, const char *text)
{
    struct dns_name other;
    return dns_name_from_text(&other, text) && dns_name_equal(n, &other);
}

/* RFC 4892: the identity and version of a server as TXT of class CHAOS. */
static void chaos(struct answer_state *a)
{
    const struct dns_query *q = a->q;
    const char *text = NULL;
    if (name_is(&q->qname, "id.server.") || name_is(&q->qname, "hostname.bind."))
        text = a->o->identity;
    else if (name_is(&q->qname, "version.server.") || name_is(&q->qname, "version.bind."))
        text = a->o->version;
    if (text == NULL) {
        answer_error_set(a, DNS_RCODE_REFUSED, DNS_EDE_NOT_SUPPORTED);
        return;
    }
    a->info->kind = ANSWER_CHAOS;
    a->aa = true;
    if (q->qtype != DNS_TYPE_TXT && q->qtype != DNS_TYPE_ANY)
        return;
    size_t len = strnlen(text, 255);
    struct wire_owner owner = { .at = DNS_HEADER_LEN };
    uint8_t *rdlength = answer_wire_rr_begin(&a->m, &owner, DNS_TYPE_TXT, DNS_CLASS_CH, 0);
    wr_u8(&a->m.w, (uint8_t)len);
    wr_bytes(&a->m.w, text, len);
    if (a->m.w.full) { /* the name is longer than any of these: it cannot be */
        a->tc = true;
        return;
    }
    answer_wire_rr_end(&a->m, DNS_ANSWER, rdlength);
}

/* We share no key with anybody, so every TSIG has one that we do not know: NOTAUTH, and a TSIG without a
 * MAC that says BADKEY (RFC 8945 sections 5.2.1 and 5.3.2). It is the last record. */
static void tsig_write(struct answer_state *a, const uint8_t *query, size_t len)
{
    struct rd r = rd_init(query + a->q->tsig_at, len - a->q->tsig_at);
    struct dns_name key, algorithm;
    if (!dns_name_parse_compressed(&key, &r, query, len))
        return;
    rd_skip(&r, 10);
    if (!dns_name_parse_compressed(&algorithm, &r, query, len))
        return;
    const uint8_t *time_and_fudge = rd_bytes(&r, 8);
    if (r.bad)
        return;
    struct answer_wire_mark mark = answer_wire_mark(&a->m);
    struct wire_owner owner = { .name = &key };
    uint8_t *rdlength = answer_wire_rr_begin(&a->m, &owner, DNS_TYPE_TSIG, DNS_CLASS_ANY, 0);
    wr_bytes(&a->m.w, algorithm.wire, algorithm.len);
    wr_bytes(&a->m.w, time_and_fudge, 8);
    wr_u16(&a->m.w, 0); /* no MAC */
    wr_u16(&a->m.w, a->q->id);
    wr_u16(&a->m.w, DNS_RCODE_BADKEY);
    wr_u16(&a->m.w, 0); /* no other data */
    if (a->m.w.full) {
        answer_wire_back(&a->m, &mark);
        a->tc = true;
        return;
    }
    answer_wire_rr_end(&a->m, DNS_ADDITIONAL, rdlength);
}

static void tsig_refuse(struct answer_state *a)
{
    a->tsig_refused = true;
    answer_error_set(a, DNS_RCODE_NOTAUTH, DNS_EDE_NONE);
}

static void dispatch(struct answer_state *a, enum dns_grade grade)
{
    const struct dns_query *q = a->q;
    if (grade == DNS_GRADE_FORMERR)
        answer_error_set(a, DNS_RCODE_FORMERR, DNS_EDE_NONE);
    else if (grade == DNS_GRADE_NOTIMP)
        answer_error_set(a, DNS_RCODE_NOTIMP, DNS_EDE_NOT_SUPPORTED);
    else if (grade == DNS_GRADE_BADVERS)
        answer_error_set(a, DNS_RCODE_BADVERS, DNS_EDE_NONE);
    else if (q->tsig)
        tsig_refuse(a);
    else if (q->qclass == DNS_CLASS_CH)
        chaos(a);
    else if (q->qclass != DNS_CLASS_IN && q->qclass != DNS_CLASS_ANY)
        answer_error_set(a, DNS_RCODE_REFUSED, DNS_EDE_NOT_SUPPORTED);
    else
        answer_resolve(a);
    if (q->qclass == DNS_CLASS_ANY)
        a->aa = false; /* RFC 1035 section 6.2: we do not know all classes */
}

/* What the sections of the response are about. */
static void decide(struct answer_state *a, enum dns_grade grade, uint16_t edns_rcode,
                   const struct answer_verdict *given)
{
    bool cookie_only = a->q->empty && a->cookie_due && a->q->edns_version == 0;
    if (cookie_only || (grade == DNS_GRADE_OK && edns_rcode != DNS_RCODE_NOERROR)) {
        answer_error_set(a, edns_rcode, DNS_EDE_NONE);
    } else if (grade == DNS_GRADE_OK && given != NULL) {
        answer_error_set(a, given->rcode, given->ede);
    } else {
        dispatch(a, grade);
    }
}

static size_t respond(struct answer_state *a, enum dns_grade grade,
                      const struct answer_verdict *given, const uint8_t *query, size_t len,
                      uint8_t *out, size_t cap)
{
    uint16_t edns_rcode = answer_edns_begin(a);
    size_t limit = response_limit(a->o, a->q, a->client->transport, cap);
    size_t least = (size_t)DNS_HEADER_LEN + a->q->question_len + a->opt_len;
    if (a->client->tsig_room < limit - least)
        limit -= a->client->tsig_room;
    answer_wire_init(&a->m, out, limit);
    question_write(a, query);
    a->m.w.end -= a->opt_len;
    decide(a, grade, edns_rcode, given);
    a->m.w.end = out + limit;
    answer_edns_write(a);
    if (a->tsig_refused)
        tsig_write(a, query, len);
    header_write(a);
    a->info->rcode = a->rcode;
    a->info->truncated = a->tc;
    return wr_len(&a->m.w);
}

static size_t compose(const struct answer_options *o, const struct zone_set *zs,
                      const struct answer_client *client, const struct answer_verdict *given,
                      const uint8_t *query, size_t len, uint8_t *out, size_t cap,
                      struct answer_info *info)
{
    struct dns_query q;
    enum dns_grade grade = dns_query_parse(&q, query, len);
    *info = (struct answer_info){
        .kind = ANSWER_DROPPED, .ede = DNS_EDE_NONE, .qtype = q.qtype, .qclass = q.qclass
    };
    if (grade == DNS_GRADE_DROP || cap < DNS_UDP_PLAIN_MAX)
        return 0;
    struct answer_state a;
    a.o = o;
    a.client = client;
    a.zs = zs;
    a.q = &q;
    a.info = info;
    a.signed_wanted = q.dnssec_ok;
    a.tsig_refused = false;
    a.aa = a.tc = a.extra.there = false;
    a.rcode = DNS_RCODE_NOERROR;
    a.ede = DNS_EDE_NONE;
    a.fill_wanted = a.narrow = a.whole_name = false;
    a.chain = a.dnames_used = a.proofs_used = a.hosts_used = 0;
    if (client->tsig_room != 0)
        q.tsig = false;
    return respond(&a, grade, given, query, len, out, cap);
}

size_t answer_compose(const struct answer_options *o, const struct zone_set *zs,
                      const struct answer_client *client, const uint8_t *query, size_t len,
                      uint8_t *out, size_t cap, struct answer_info *info)
{
    return compose(o, zs, client, NULL, query, len, out, cap, info);
}

size_t answer_error(const struct answer_options *o, const struct answer_client *client,
                    const struct answer_verdict *verdict, const uint8_t *query, size_t len,
                    uint8_t *out, size_t cap, struct answer_info *info)
{
    return compose(o, NULL, client, verdict, query, len, out, cap, info);
}
