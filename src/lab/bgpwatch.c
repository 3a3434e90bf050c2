/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lab/bgpwatch.h"

#include <string.h>

#include "base/rd.h"

#define BGP_PORT 179
#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04

struct segment {
    uint8_t family, flags;
    uint8_t src[16], dst[16];
    uint16_t sport, dport;
    uint32_t seq;
    struct rd payload;
};

void bgpwatch_init(struct bgpwatch *w, const uint8_t first4[4], const uint8_t first6[16],
                   bgpwatch_fn *fn, void *arg)
{
    memset(w, 0, sizeof *w);
    memcpy(w->first4, first4, 4);
    memcpy(w->first6, first6, 16);
    w->fn = fn;
    w->arg = arg;
}

static bool parse_ip(struct segment *s, struct rd *r, struct rd *tcp)
{
    uint16_t ethertype;
    rd_skip(r, 12);
    ethertype = rd_u16(r);
    const uint8_t *src = NULL, *dst = NULL;
    if (ethertype == 0x0800) {
        uint8_t ihl = (uint8_t)((rd_u8(r) & 15) * 4);
        rd_u8(r);
        uint16_t total = rd_u16(r);
        rd_skip(r, 2);
        uint16_t fragment = rd_u16(r);
        rd_u8(r);
        uint8_t proto = rd_u8(r);
        rd_skip(r, 2);
        src = rd_bytes(r, 4);
        dst = rd_bytes(r, 4);
        if (r->bad || ihl < 20 || total < ihl || proto != 6 || (fragment & 0x3fff) != 0)
            return false;
        rd_skip(r, ihl - 20u);
        *tcp = rd_sub(r, (size_t)total - ihl);
        s->family = 4;
    } else if (ethertype == 0x86dd) {
        rd_skip(r, 4);
        uint16_t payload = rd_u16(r);
        uint8_t next = rd_u8(r);
        rd_u8(r);
        src = rd_bytes(r, 16);
        dst = rd_bytes(r, 16);
        if (r->bad || next != 6)
            return false;
        *tcp = rd_sub(r, payload);
        s->family = 6;
    }
    if (r->bad || src == NULL || dst == NULL)
        return false;
    memcpy(s->src, src, s->family == 4 ? 4 : 16);
    memcpy(s->dst, dst, s->family == 4 ? 4 : 16);
    return true;
}

static bool parse_segment(struct segment *s, const uint8_t *frame, size_t len)
{
    struct rd r = rd_init(frame, len), tcp;
    memset(s, 0, sizeof *s);
    if (!parse_ip(s, &r, &tcp))
        return false;
    s->sport = rd_u16(&tcp);
    s->dport = rd_u16(&tcp);
    s->seq = rd_u32(&tcp);
    rd_skip(&tcp, 4);
    uint8_t offset = (uint8_t)((rd_u8(&tcp) >> 4) * 4);
    s->flags = rd_u8(&tcp);
    rd_skip(&tcp, 6);
    if (tcp.bad || offset < 20)
        return false;
    rd_skip(&tcp, offset - 20u);
    s->payload = tcp;
    return !tcp.bad && (s->sport == BGP_PORT || s->dport == BGP_PORT);
}

static struct bgpwatch_stream *stream_of(struct bgpwatch *w, const struct segment *s)
{
    struct bgpwatch_stream *oldest = &w->stream[0];
    for (int i = 0; i < BGPWATCH_STREAMS; i++) {
        struct bgpwatch_stream *t = &w->stream[i];
        if (t->used && t->family == s->family && t->sport == s->sport && t->dport == s->dport &&
            memcmp(t->src, s->src, 16) == 0 && memcmp(t->dst, s->dst, 16) == 0)
            return t;
        if (!t->used || (oldest->used && t->touched < oldest->touched))
            oldest = t;
    }
    *oldest = (struct bgpwatch_stream){ .used = true, .family = s->family };
    oldest->sport = s->sport;
    oldest->dport = s->dport;
    memcpy(oldest->src, s->src, 16);
    memcpy(oldest->dst, s->dst, 16);
    return oldest;
}

/* Prefixes in wire form (RFC 4271 section 4.3): how many. */
static uint16_t count_prefixes(struct rd r)
{
    uint16_t n = 0;
    while (!r.bad && rd_left(&r) > 0) {
        rd_skip(&r, (rd_u8(&r) + 7u) / 8u);
        n += !r.bad;
    }
    return n;
}

static void read_path(struct rd r, struct bgpwatch_event *ev)
{
    while (!r.bad && rd_left(&r) > 0) {
        uint8_t type = rd_u8(&r), count = rd_u8(&r);
        rd_skip(&r, count * 4u); /* both sides speak 4-octet AS numbers here (RFC 6793) */
        if (!r.bad)
            ev->path_len = (uint16_t)(ev->path_len + (type == 1 ? 1 : count));
    }
}

static void read_attributes(struct rd r, struct bgpwatch_event *ev)
{
    while (!r.bad && rd_left(&r) > 0) {
        uint8_t flags = rd_u8(&r), type = rd_u8(&r);
        uint16_t len = flags & 0x10 ? rd_u16(&r) : rd_u8(&r);
        struct rd v = rd_sub(&r, len);
        if (r.bad)
            return;
        if (type == 2)
            read_path(v, ev);
        if (type == 8)
            while (rd_left(&v) >= 4)
                ev->graceful_shutdown |= rd_u32(&v) == 0xffff0000u;
        if (type != 14 && type != 15)
            continue;
        uint16_t afi = rd_u16(&v);
        rd_u8(&v);
        if (type == 14) { /* MP_REACH_NLRI, RFC 4760 section 3 */
            rd_skip(&v, rd_u8(&v));
            rd_u8(&v);
        }
        uint16_t n = count_prefixes(v);
        if (type == 14)
            ev->announced = (uint16_t)(ev->announced + n);
        else
            ev->withdrawn = (uint16_t)(ev->withdrawn + n);
        if (n > 0)
            ev->family = afi == 2 ? 6 : 4;
    }
}

static void read_update(struct rd r, struct bgpwatch_event *ev)
{
    struct rd withdrawn = rd_sub(&r, rd_u16(&r));
    struct rd attributes = rd_sub(&r, rd_u16(&r));
    if (r.bad)
        return;
    ev->withdrawn = count_prefixes(withdrawn);
    ev->announced = count_prefixes(r);
    if (ev->withdrawn > 0 || ev->announced > 0)
        ev->family = 4;
    read_attributes(attributes, ev);
}

static void report(struct bgpwatch *w, const struct bgpwatch_stream *t, struct bgpwatch_event ev)
{
    ev.by_first =
        t->family == 4 ? memcmp(t->src, w->first4, 4) == 0 : memcmp(t->src, w->first6, 16) == 0;
    ev.connection = t->sport == BGP_PORT ? t->dport : t->sport;
    w->fn(w->arg, &ev);
}

static void message(struct bgpwatch *w, const struct bgpwatch_stream *t, struct rd r, uint8_t type,
                    int64_t at_ns)
{
    struct bgpwatch_event ev = { .at_ns = at_ns, .family = type == 2 ? 0 : t->family };
    if (type == 1) {
        ev.kind = BGPWATCH_OPEN;
    } else if (type == 2) {
        ev.kind = BGPWATCH_UPDATE;
        read_update(r, &ev);
    } else if (type == 3) {
        ev.kind = BGPWATCH_NOTIFICATION;
        ev.code = rd_u8(&r);
        ev.subcode = rd_u8(&r);
    } else {
        return;
    }
    report(w, t, ev);
}

static bool marker_at(const uint8_t *p)
{
    for (int i = 0; i < 16; i++)
        if (p[i] != 0xff)
            return false;
    return true;
}

/* Takes whole messages from the front of the buffer. */
static void take_messages(struct bgpwatch *w, struct bgpwatch_stream *t, int64_t at_ns)
{
    uint32_t pos = 0;
    while (t->len - pos >= 19) {
        uint16_t len = (uint16_t)(t->buf[pos + 16] << 8 | t->buf[pos + 17]);
        if (!marker_at(t->buf + pos) || len < 19 || len > 4096) {
            pos++; /* after a hole, or no BGP at all */
            continue;
        }
        if (t->len - pos < len)
            break;
        message(w, t, rd_init(t->buf + pos + 19, len - 19u), t->buf[pos + 18], at_ns);
        pos += len;
    }
    memmove(t->buf, t->buf + pos, t->len - pos);
    t->len -= pos;
}

static void take_payload(struct bgpwatch *w, struct bgpwatch_stream *t, const struct segment *s,
                         int64_t at_ns)
{
    struct rd p = s->payload;
    uint32_t seq = s->seq;
    if (t->synced && (int32_t)(seq - t->next_seq) < 0) {
        uint32_t again = t->next_seq - seq;
        if (again >= rd_left(&p))
            return;
        rd_skip(&p, again);
        seq = t->next_seq;
    }
    if (t->synced && seq != t->next_seq) {
        w->holes++;
        t->len = 0;
    }
    t->synced = true;
    t->next_seq = seq + (uint32_t)rd_left(&p);
    while (rd_left(&p) > 0) {
        size_t n = rd_left(&p), room = BGPWATCH_BUFFER - t->len;
        n = n < room ? n : room;
        memcpy(t->buf + t->len, rd_bytes(&p, n), n);
        t->len += (uint32_t)n;
        take_messages(w, t, at_ns);
    }
}

void bgpwatch_frame(struct bgpwatch *w, const uint8_t *frame, size_t len, int64_t at_ns)
{
    struct segment s;
    if (!parse_segment(&s, frame, len))
        return;
    struct bgpwatch_stream *t = stream_of(w, &s);
    t->touched = ++w->frames;
    if (s.flags & TCP_SYN) {
        t->synced = true;
        t->next_seq = s.seq + 1;
        t->len = 0;
        return;
    }
    if (rd_left(&s.payload) > 0)
        take_payload(w, t, &s, at_ns);
    if (s.flags & (TCP_FIN | TCP_RST)) {
        report(w, t,
               (struct bgpwatch_event){
                   .at_ns = at_ns, .kind = BGPWATCH_CLOSED, .family = t->family });
        t->used = false;
    }
}

#define PCAP_US 0xa1b2c3d4u
#define PCAP_NS 0xa1b23c4du

static uint32_t swap32(uint32_t v, bool swap)
{
    return swap ? __builtin_bswap32(v) : v;
}

static uint32_t host32(struct rd *r)
{
    uint32_t v = 0;
    const uint8_t *p = rd_bytes(r, 4);
    if (p != NULL)
        memcpy(&v, p, 4);
    return v;
}

bool pcap_walk(const uint8_t *bytes, size_t len, pcap_fn *fn, void *arg)
{
    struct rd r = rd_init(bytes, len);
    uint32_t magic = host32(&r);
    bool swap = magic == __builtin_bswap32(PCAP_US) || magic == __builtin_bswap32(PCAP_NS);
    magic = swap32(magic, swap);
    rd_skip(&r, 16);
    uint32_t link = swap32(host32(&r), swap);
    if (r.bad || (magic != PCAP_US && magic != PCAP_NS) || link != 1)
        return false;
    while (rd_left(&r) > 0) {
        int64_t s = swap32(host32(&r), swap), fraction = swap32(host32(&r), swap);
        uint32_t kept = swap32(host32(&r), swap);
        rd_skip(&r, 4);
        const uint8_t *frame = rd_bytes(&r, kept);
        if (frame == NULL)
            return false;
        fn(arg, frame, kept, s * 1000000000 + fraction * (magic == PCAP_NS ? 1 : 1000));
    }
    return true;
}

static void put32(uint8_t *p, uint32_t v)
{
    memcpy(p, &v, 4);
}

void pcap_header(uint8_t out[PCAP_HEADER_LEN])
{
    memset(out, 0, PCAP_HEADER_LEN);
    put32(out, PCAP_NS);
    uint16_t version[2] = { 2, 4 };
    memcpy(out + 4, version, 4);
    put32(out + 16, 65535);
    put32(out + 20, 1);
}

void pcap_frame(uint8_t out[PCAP_FRAME_LEN], int64_t wall_ns, uint32_t kept, uint32_t len)
{
    put32(out, (uint32_t)(wall_ns / 1000000000));
    put32(out + 4, (uint32_t)(wall_ns % 1000000000));
    put32(out + 8, kept);
    put32(out + 12, len);
}
