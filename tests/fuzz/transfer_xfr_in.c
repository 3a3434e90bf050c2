/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes as what a primary answers: a mode byte, then messages with two bytes of length before each.
 * Mode: bits 0-1 what was asked; 2 no version is had; 3 over UDP; 4 without OPT; 5 signed; 6 the messages
 * are made from choices of records, so that the search gets deep; 7 the messages are rows of bytes as they
 * are, else their header and question are put right. Whatever comes: every record lies in the zone, the
 * rows are those of the contract, and a transfer that is done is whole. */
#include <string.h>

#include "base/assert.h"
#include "base/wr.h"
#include "fuzz.h"
#include "transfer/xfr.h"
#include "zone/rdata.h"

#define RECORDS_MAX 5000
static const wall_t now = { 1700000000, 0 };

struct seen {
    const struct xfr_in *x;
    bool began, changes, removing, soa;
    uint32_t records, serial;
};

static bool on_begin(void *arg, bool changes, uint32_t new_serial)
{
    struct seen *s = arg;
    base_assert(!s->began);
    base_assert(!s->x->have_serial || xfr_serial_newer(new_serial, s->x->serial));
    s->began = true;
    s->changes = changes;
    return true;
}

static bool on_record(void *arg, const struct zone_change *c)
{
    struct seen *s = arg;
    struct xfr_soa soa;
    base_assert(s->began);
    base_assert(dns_name_is_under(c->owner, s->x->origin));
    base_assert(dns_type_is_data(c->type));
    base_assert(dns_rdata_valid(c->type, c->rdata, c->len));
    base_assert(s->records++ <= RECORDS_MAX);
    bool is_soa = c->type == DNS_TYPE_SOA;
    if (is_soa)
        base_assert(xfr_soa_read(&soa, c->rdata, c->len));
    if (!s->changes) {
        base_assert(c->add);
        base_assert(is_soa == (s->records == 1));
        return true;
    }
    if (s->records == 1)
        base_assert(is_soa && !c->add && soa.serial == s->x->serial);
    if (is_soa && c->add)
        base_assert(xfr_serial_newer(soa.serial, s->serial));
    if (is_soa && !c->add && s->records > 1)
        base_assert(soa.serial == s->serial);
    if (is_soa)
        s->serial = soa.serial;
    base_assert(is_soa || c->add == !s->removing);
    s->removing = !c->add;
    return true;
}

static void soa_put(struct wr *w, uint32_t serial)
{
    wr_u16(w, 22);
    wr_u16(w, 0);
    wr_u32(w, serial);
    for (int i = 0; i < 4; i++)
        wr_u32(w, 60);
}

/* One record a byte. */
static void record_put(struct wr *w, uint8_t choice)
{
    static const uint16_t types[] = { 1, 2, 5, 15, 16, 46, 41, 250 };
    wr_u16(w, 0xc000 | DNS_HEADER_LEN);
    if ((choice & 0xc0) == 0) {
        wr_u16(w, DNS_TYPE_SOA);
        wr_u16(w, DNS_CLASS_IN);
        wr_u32(w, 60);
        soa_put(w, choice & 15);
        return;
    }
    wr_u16(w, types[choice & 7]);
    wr_u16(w, (choice & 0xf8) == 0xf8 ? DNS_CLASS_CH : DNS_CLASS_IN);
    wr_u32(w, 60);
    wr_u16(w, 4);
    wr_u16(w, (choice & 0x20) != 0 ? 0 : 0x000a);
    wr_u16(w, 0xc00c);
}

/* A message out of choices; returns its length. */
static size_t made(const struct xfr_in *x, struct rd *r, uint8_t *msg, size_t cap)
{
    static const uint16_t qtypes[] = { DNS_TYPE_SOA, DNS_TYPE_IXFR, DNS_TYPE_AXFR, DNS_TYPE_SOA };
    struct wr w = wr_init(msg, cap);
    uint8_t count = rd_u8(r), rcode = rd_u8(r);
    wr_u16(&w, x->id);
    wr_u16(&w, (uint16_t)(DNS_FLAG_QR | DNS_FLAG_AA | (rcode > 250 ? rcode & 15 : 0)));
    wr_u16(&w, rcode & 1);
    wr_u16(&w, count);
    wr_u32(&w, 0);
    if ((rcode & 1) != 0) {
        wr_bytes(&w, x->origin->wire, x->origin->len);
        wr_u16(&w, qtypes[x->type]);
        wr_u16(&w, DNS_CLASS_IN);
    } else {
        msg[DNS_HEADER_LEN] = 0; /* what the owners point at */
    }
    for (; count > 0; count--)
        record_put(&w, rd_u8(r));
    return w.full ? 0 : wr_len(&w);
}

static size_t next_message(const struct xfr_in *x, struct rd *r, uint8_t mode, uint8_t *msg)
{
    if ((mode & 0x40) != 0)
        return made(x, r, msg, DNS_MESSAGE_MAX);
    size_t len = rd_u16(r);
    if (len > rd_left(r))
        len = rd_left(r);
    if (len != 0)
        memcpy(msg, rd_bytes(r, len), len);
    if ((mode & 0x80) == 0 && len >= DNS_HEADER_LEN) {
        wr_put_u16(msg, x->id);
        msg[2] = (uint8_t)(msg[2] | 0x80);
    }
    return len;
}

static void check_end(const struct xfr_in *x, const struct seen *s, enum xfr_got got)
{
    switch (got) {
    case XFR_DONE:
        if (x->type == XFR_NOTIFY)
            return;
        base_assert(s->began);
        base_assert(tsig_may_end(&x->tsig));
        base_assert(!s->changes || (!s->removing && s->serial == x->new_serial));
        return;
    case XFR_FAILED:
    case XFR_WANT_AXFR:
    case XFR_NO_EDNS:
    case XFR_BEHIND:
        base_assert(x->why[0] != '\0');
        return;
    case XFR_UP_TO_DATE:
        base_assert(x->have_serial && x->new_serial == x->serial);
        return;
    case XFR_NEWER:
        base_assert(x->type == XFR_SOA);
        return;
    case XFR_WANT_TCP:
    case XFR_MORE:
        base_assert(got == XFR_MORE || x->udp);
        return;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t msg[DNS_MESSAGE_MAX + 2048];
    static struct tsig_key key = { .algorithm = TSIG_HMAC_SHA256, .secret_len = 4 };
    struct dns_name origin;
    struct rd r = rd_init(data, size);
    uint8_t mode = rd_u8(&r);
    struct seen seen = { 0 };
    base_assert(dns_name_from_text(&origin, "example."));
    base_assert(dns_name_from_text(&key.name, "k."));
    struct xfr_in x = { .type = (enum xfr_type)(mode & 3),
                        .id = 7,
                        .origin = &origin,
                        .have_serial = (mode & 4) == 0,
                        .serial = 5,
                        .udp = (mode & 8) != 0,
                        .edns = (mode & 16) == 0,
                        .records_max = RECORDS_MAX,
                        .bytes_max = 1 << 20,
                        .begin = on_begin,
                        .record = on_record,
                        .arg = &seen };
    struct tsig server = { 0 };
    const bool is_signed = (mode & 0x20) != 0;
    seen.x = &x;
    tsig_begin(&x.tsig, is_signed ? &key : NULL);
    if (is_signed) {
        uint8_t ask[512];
        struct xfr_ask a = { .type = x.type, .id = 7, .origin = &origin };
        size_t len = xfr_ask_write(&a, ask, sizeof ask);
        base_assert(tsig_sign(&x.tsig, ask, len, sizeof ask, now) > len);
        server = x.tsig;
    }
    xfr_in_begin(&x);
    enum xfr_got got = XFR_MORE;
    for (unsigned i = 0; got == XFR_MORE && rd_left(&r) > 0 && i < 200; i++) {
        size_t len = next_message(&x, &r, mode, msg);
        if (is_signed && len >= DNS_HEADER_LEN && (rd_u8(&r) & 3) != 0) {
            len = tsig_sign(&server, msg, len, sizeof msg, now);
        }
        if (len > DNS_MESSAGE_MAX)
            return 0;
        got = xfr_in_message(&x, msg, len, now);
    }
    check_end(&x, &seen, got);
    if (got != XFR_MORE)
        base_assert(xfr_in_message(&x, msg, 0, now) == XFR_FAILED || x.udp);
    return 0;
}
