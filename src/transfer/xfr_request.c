/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Requests, read: AXFR (RFC 5936 section 2.1), IXFR (RFC 1995 section 3), NOTIFY (RFC 1996 section 3). */
#include <string.h>

#include "transfer/xfr_parts.h"

bool xfr_soa_read(struct xfr_soa *s, const uint8_t *rdata, size_t len)
{
    struct rd r = rd_init(rdata, len);
    struct dns_name name;
    for (unsigned i = 0; i < 2; i++) /* MNAME, RNAME */
        if (!dns_name_parse(&name, &r))
            return false;
    s->serial = rd_u32(&r);
    s->refresh_s = rd_u32(&r);
    s->retry_s = rd_u32(&r);
    s->expire_s = rd_u32(&r);
    rd_skip(&r, 4);
    return !r.bad && rd_left(&r) == 0;
}

/* The serial of the SOA where this kind of request has it; false when the record is broken. */
static bool serial_read(struct xfr_request *r, const struct dns_reader *d, const struct dns_rr *rr)
{
    uint8_t rdata[XFR_SOA_MAX];
    struct xfr_soa soa;
    int32_t len = dns_reader_rdata(d, rr, rdata, sizeof rdata);
    if (len < 0 || !xfr_soa_read(&soa, rdata, (size_t)len))
        return false;
    r->has_serial = true;
    r->serial = soa.serial;
    return true;
}

static uint16_t opt_read(struct xfr_request *r, const struct dns_rr *rr)
{
    uint16_t len;
    if (r->edns || rr->section != DNS_ADDITIONAL || rr->owner.labels != 0)
        return DNS_RCODE_FORMERR; /* RFC 6891 section 6.1.1 */
    r->edns = true;
    r->udp_payload = rr->rclass < DNS_UDP_PLAIN_MAX ? DNS_UDP_PLAIN_MAX : rr->rclass;
    r->dnssec_ok = (rr->ttl_s & DNS_EDNS_DO) != 0;
    r->expire_asked = dns_opt_find(rr, DNS_EDNS_EXPIRE, &len) != NULL;
    r->padding_asked = dns_opt_find(rr, DNS_EDNS_PADDING, &len) != NULL;
    return (rr->ttl_s >> 16 & 0xff) != 0 ? DNS_RCODE_BADVERS : DNS_RCODE_NOERROR;
}

static uint16_t records_read(struct xfr_request *r, struct dns_reader *d)
{
    static struct dns_rr const none;
    const enum dns_section where = r->type == XFR_IXFR ? DNS_AUTHORITY : DNS_ANSWER;
    struct dns_rr rr = none;
    enum dns_reader_got got;
    uint16_t rcode = DNS_RCODE_NOERROR;
    while ((got = dns_reader_next(d, &rr)) == DNS_READER_RR) {
        if (rr.type == DNS_TYPE_OPT) {
            uint16_t found = opt_read(r, &rr);
            rcode = rcode == DNS_RCODE_NOERROR ? found : rcode;
        } else if (r->type != XFR_AXFR && rr.section == where && rr.type == DNS_TYPE_SOA &&
                   rr.rclass == DNS_CLASS_IN && !r->has_serial &&
                   dns_name_equal(&rr.owner, &r->origin) && !serial_read(r, d, &rr)) {
            rcode = DNS_RCODE_FORMERR;
        }
    }
    if (got == DNS_READER_BROKEN)
        return DNS_RCODE_FORMERR;
    if (rcode == DNS_RCODE_NOERROR && r->type == XFR_IXFR && !r->has_serial)
        return DNS_RCODE_FORMERR; /* RFC 1995 section 3 */
    return rcode;
}

bool xfr_request_parse(struct xfr_request *r, const uint8_t *msg, size_t len, uint16_t *rcode)
{
    struct dns_reader d;
    memset(r, 0, sizeof *r);
    r->udp_payload = DNS_UDP_PLAIN_MAX;
    *rcode = DNS_RCODE_NOERROR;
    if (len < DNS_HEADER_LEN)
        return false;
    bool whole = dns_reader_open(&d, msg, len);
    uint8_t opcode = DNS_FLAGS_OPCODE(d.flags);
    r->id = d.id;
    r->flags = d.flags;
    if ((d.flags & DNS_FLAG_QR) != 0)
        return false;
    if (whole && d.qdcount == 1) {
        r->question = true;
        r->origin = d.qname;
        r->qtype = d.qtype;
        r->qclass = d.qclass;
    }
    if (opcode == DNS_OPCODE_NOTIFY)
        r->type = XFR_NOTIFY;
    else if (opcode == DNS_OPCODE_QUERY && r->question && r->qclass == DNS_CLASS_IN &&
             (r->qtype == DNS_TYPE_AXFR || r->qtype == DNS_TYPE_IXFR))
        r->type = r->qtype == DNS_TYPE_AXFR ? XFR_AXFR : XFR_IXFR;
    else
        return false;
    if (!r->question) {
        *rcode = DNS_RCODE_FORMERR;
        return true;
    }
    *rcode = records_read(r, &d);
    if (*rcode == DNS_RCODE_NOERROR && r->type == XFR_NOTIFY) {
        if (r->qclass != DNS_CLASS_IN)
            *rcode = DNS_RCODE_FORMERR;
        else if (r->qtype != DNS_TYPE_SOA)
            *rcode = DNS_RCODE_NOTIMP; /* RFC 1996 section 3.7 has one type only */
    }
    return true;
}
