/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The client's side of a message: a query written, a response walked over (RFC 1035 section 4.1). */
#include "dns/message.h"
#include "base/wr.h"

size_t dns_ask_write(const struct dns_ask *ask, uint8_t *out, size_t cap)
{
    struct wr w = wr_init(out, cap);
    wr_u16(&w, ask->id);
    wr_u16(&w, (uint16_t)((ask->rd ? DNS_FLAG_RD : 0) | (ask->cd ? DNS_FLAG_CD : 0)));
    wr_u16(&w, 1);
    wr_u32(&w, 0);
    wr_u16(&w, ask->edns ? 1 : 0);
    wr_bytes(&w, ask->qname->wire, ask->qname->len);
    wr_u16(&w, ask->qtype);
    wr_u16(&w, ask->qclass);
    if (ask->edns) {
        wr_u8(&w, 0);
        wr_u16(&w, DNS_TYPE_OPT);
        wr_u16(&w, ask->udp_payload);
        wr_u16(&w, 0); /* RCODE bits and version */
        wr_u16(&w, ask->dnssec_ok ? DNS_EDNS_DO : 0);
        wr_u16(&w, (uint16_t)((ask->nsid ? 4 : 0) + ask->options_len));
        if (ask->nsid)
            wr_u32(&w, DNS_EDNS_NSID << 16);
        wr_bytes(&w, ask->options, ask->options_len);
    }
    return w.full ? 0 : wr_len(&w);
}

bool dns_reader_open(struct dns_reader *d, const uint8_t *msg, size_t len)
{
    d->msg = msg;
    d->len = len;
    d->r = rd_init(msg, len);
    d->id = rd_u16(&d->r);
    d->flags = rd_u16(&d->r);
    d->qdcount = rd_u16(&d->r);
    for (int i = 0; i < 3; i++)
        d->count[i] = d->left[i] = rd_u16(&d->r);
    d->question = false;
    d->qtype = d->qclass = 0;
    for (uint16_t i = 0; i < d->qdcount; i++) {
        struct dns_name other;
        struct dns_name *name = i == 0 ? &d->qname : &other;
        if (!dns_name_parse_compressed(name, &d->r, msg, len))
            return false;
        uint16_t qtype = rd_u16(&d->r), qclass = rd_u16(&d->r);
        if (i == 0) {
            d->question = !d->r.bad;
            d->qtype = qtype;
            d->qclass = qclass;
        }
    }
    return !d->r.bad;
}

enum dns_reader_got dns_reader_next(struct dns_reader *d, struct dns_rr *rr)
{
    int s = 0;
    while (s < 3 && d->left[s] == 0)
        s++;
    if (s == 3)
        return d->r.bad || rd_left(&d->r) != 0 ? DNS_READER_BROKEN : DNS_READER_END;
    rr->section = (enum dns_section)s;
    if (!dns_name_parse_compressed(&rr->owner, &d->r, d->msg, d->len))
        return DNS_READER_BROKEN;
    rr->type = rd_u16(&d->r);
    rr->rclass = rd_u16(&d->r);
    rr->ttl_s = rd_u32(&d->r);
    rr->rdata = rd_sub(&d->r, rd_u16(&d->r));
    if (d->r.bad)
        return DNS_READER_BROKEN;
    d->left[s]--;
    return DNS_READER_RR;
}

int32_t dns_reader_rdata(const struct dns_reader *d, const struct dns_rr *rr, uint8_t *out,
                         size_t cap)
{
    struct wr w = wr_init(out, cap);
    if (!dns_rdata_expand(rr->type, rr->rdata, d->msg, d->len, &w))
        return -1;
    return (int32_t)wr_len(&w);
}

const uint8_t *dns_opt_find(const struct dns_rr *opt, uint16_t code, uint16_t *len)
{
    struct rd r = opt->rdata;
    while (!r.bad && rd_left(&r) > 0) {
        uint16_t option = rd_u16(&r), option_len = rd_u16(&r);
        const uint8_t *data = rd_bytes(&r, option_len);
        if (data != NULL && option == code) {
            *len = option_len;
            return data;
        }
    }
    return NULL;
}

uint16_t dns_full_rcode(uint16_t flags, const struct dns_rr *opt)
{
    uint16_t rcode = DNS_FLAGS_RCODE(flags);
    return opt != NULL ? (uint16_t)(rcode | (opt->ttl_s >> 24) << 4) : rcode;
}
