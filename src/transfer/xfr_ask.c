/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Requests and empty responses, written: RFC 1035 section 4.1, RFC 1995 section 3, RFC 1996 section 3. */
#include "transfer/xfr_parts.h"

/* The block of RFC 8467 section 4.1, counted over the whole message, TSIG included. */
static void padding_write(struct wr *w, const struct xfr_opt *o)
{
    size_t whole = wr_len(w) + 4 + o->behind, over = whole % o->padding;
    size_t pad = over == 0 ? 0 : o->padding - over;
    if (wr_left(w) < 4)
        return;
    if (pad > wr_left(w) - 4)
        pad = wr_left(w) - 4;
    wr_u16(w, DNS_EDNS_PADDING);
    wr_u16(w, (uint16_t)pad);
    uint8_t *p = wr_room(w, pad);
    if (p != NULL)
        memset(p, 0, pad); /* RFC 7830 section 3 */
}

void xfr_opt_write(struct wr *w, const struct xfr_opt *o)
{
    wr_u8(w, 0);
    wr_u16(w, DNS_TYPE_OPT);
    wr_u16(w, XFR_PAYLOAD);
    wr_u32(w, (uint32_t)(o->rcode >> 4) << 24);
    uint8_t *length = wr_room(w, 2);
    if (o->expire_asked)
        wr_u32(w, (uint32_t)DNS_EDNS_EXPIRE << 16);
    if (o->expire) {
        wr_u32(w, (uint32_t)DNS_EDNS_EXPIRE << 16 | 4);
        wr_u32(w, o->expire_s);
    }
    if (o->ede >= 0) {
        wr_u32(w, (uint32_t)DNS_EDNS_EDE << 16 | 2);
        wr_u16(w, (uint16_t)o->ede);
    }
    if (o->padding != 0)
        padding_write(w, o);
    if (length == NULL || w->full)
        return;
    wr_put_u16(length, (uint16_t)(w->pos - length - 2));
    wr_put_u16(w->begin + 10, (uint16_t)((w->begin[10] << 8 | w->begin[11]) + 1));
}

static void soa_write(struct wr *w, const struct xfr_ask *a)
{
    static const uint8_t zero[16];
    wr_u16(w, 0xc000 | DNS_HEADER_LEN); /* the question's name */
    wr_u16(w, DNS_TYPE_SOA);
    wr_u16(w, DNS_CLASS_IN);
    wr_u32(w, 0);
    if (a->soa != NULL) {
        wr_u16(w, a->soa_len);
        wr_bytes(w, a->soa, a->soa_len);
        return;
    }
    wr_u16(w, 22);
    wr_u16(w, 0); /* two root names */
    wr_u32(w, a->serial);
    wr_bytes(w, zero, 16);
}

size_t xfr_ask_write(const struct xfr_ask *a, uint8_t *out, size_t cap)
{
    static const uint16_t qtypes[] = { [XFR_SOA] = DNS_TYPE_SOA,
                                       [XFR_IXFR] = DNS_TYPE_IXFR,
                                       [XFR_AXFR] = DNS_TYPE_AXFR,
                                       [XFR_NOTIFY] = DNS_TYPE_SOA };
    const bool notify = a->type == XFR_NOTIFY, soa = notify && a->soa != NULL;
    size_t signature = a->tsig != NULL ? tsig_size(a->tsig) : 0;
    struct wr w = wr_init(out, cap);
    wr_u16(&w, a->id);
    wr_u16(&w, notify ? DNS_OPCODE_NOTIFY << 11 | DNS_FLAG_AA : 0); /* RFC 1996 section 3.3 */
    wr_u16(&w, 1);
    wr_u16(&w, soa ? 1 : 0);
    wr_u16(&w, a->type == XFR_IXFR ? 1 : 0);
    wr_u16(&w, 0);
    wr_bytes(&w, a->origin->wire, a->origin->len);
    wr_u16(&w, qtypes[a->type]);
    wr_u16(&w, DNS_CLASS_IN);
    if (soa || a->type == XFR_IXFR)
        soa_write(&w, a);
    if (a->edns && !w.full)
        xfr_opt_write(&w, &(struct xfr_opt){ .expire_asked = !notify,
                                             .ede = -1,
                                             .padding = a->padding,
                                             .behind = signature });
    return w.full || wr_left(&w) < signature ? 0 : wr_len(&w);
}

size_t xfr_reply_write(const struct xfr_request *r, uint16_t rcode, int ede, uint8_t *out,
                       size_t cap)
{
    struct wr w = wr_init(out, cap);
    uint16_t flags = (uint16_t)(DNS_FLAG_QR | (r->flags & (0x7800 | DNS_FLAG_RD)) | (rcode & 15));
    if (r->type == XFR_NOTIFY && rcode == DNS_RCODE_NOERROR)
        flags |= DNS_FLAG_AA; /* RFC 1996 section 4.7 */
    wr_u16(&w, r->id);
    wr_u16(&w, flags);
    wr_u16(&w, r->question ? 1 : 0);
    wr_u32(&w, 0);
    wr_u16(&w, 0);
    if (r->question) {
        wr_bytes(&w, r->origin.wire, r->origin.len);
        wr_u16(&w, r->qtype);
        wr_u16(&w, r->qclass);
    }
    if (r->edns && !w.full)
        xfr_opt_write(&w, &(struct xfr_opt){ .rcode = rcode, .ede = ede });
    return w.full ? 0 : wr_len(&w);
}
