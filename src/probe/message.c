/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The pure half of the probe: queries as bytes, and what a response is worth. */
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/rd.h"
#include "dns/message.h"
#include "dns/type.h"
#include "probe/probe.h"

#define TYPE_TXT 16
#define TYPE_SOA 6
#define TYPE_OPT 41

/* Flips letters of the name where `mix` has a bit, in order and round again. */
static void mix_case(struct dns_name *n, uint64_t mix)
{
    uint32_t bit = 0;
    for (uint32_t label = 0; label < n->labels; label++) {
        uint32_t at = n->label_at[label];
        for (uint32_t i = 1; i <= n->wire[at]; i++) {
            uint8_t *c = &n->wire[at + i];
            if (((*c | 0x20) >= 'a' && (*c | 0x20) <= 'z') && (mix >> bit++ % 64 & 1) != 0)
                *c ^= 0x20;
        }
    }
}

size_t probe_query_write(const struct probe_question *q, uint16_t id, uint64_t mix, uint8_t *out,
                         size_t cap)
{
    struct dns_name qname = q->qname;
    if (!q->keep_case)
        mix_case(&qname, mix);
    struct dns_ask ask = { .id = id,
                           .rd = q->rd,
                           .qname = &qname,
                           .qtype = q->qtype,
                           .qclass = q->qclass,
                           .edns = q->edns,
                           .dnssec_ok = q->dnssec_ok,
                           .nsid = q->nsid,
                           .udp_payload = q->udp_payload };
    return dns_ask_write(&ask, out, cap);
}

/* Where the question ends: header, name, type and class. 0 when the name is broken or compressed. */
static size_t question_end(const uint8_t *msg, size_t len)
{
    struct dns_name name;
    struct rd r = rd_init(msg, len);
    rd_skip(&r, DNS_HEADER_LEN);
    if (r.bad || !dns_name_parse(&name, &r))
        return 0;
    rd_skip(&r, 4);
    return r.bad ? 0 : len - rd_left(&r);
}

bool probe_response_belongs(const uint8_t *query, size_t query_len, const uint8_t *msg, size_t len)
{
    struct rd q = rd_init(query, query_len);
    struct rd r = rd_init(msg, len);
    uint16_t query_id = rd_u16(&q), id = rd_u16(&r);
    uint16_t query_flags = rd_u16(&q), flags = rd_u16(&r);
    uint16_t qdcount = rd_u16(&r);
    if (q.bad || r.bad || len < DNS_HEADER_LEN || id != query_id || (flags & DNS_FLAG_QR) == 0 ||
        DNS_FLAGS_OPCODE(flags) != DNS_FLAGS_OPCODE(query_flags))
        return false;
    if (qdcount == 0) {
        uint8_t rcode = DNS_FLAGS_RCODE(flags);
        return rcode == 1 || rcode == 4 || rcode == 5; /* FORMERR, NOTIMP, REFUSED */
    }
    size_t end = question_end(query, query_len);
    base_assert(end != 0);
    return qdcount == 1 && len >= end &&
           memcmp(query + DNS_HEADER_LEN, msg + DNS_HEADER_LEN, end - DNS_HEADER_LEN) == 0;
}

static bool prints(uint8_t c)
{
    return c >= 0x20 && c < 0x7f;
}

/* The first character-string of a TXT record. */
static void read_text(const struct dns_rr *rr, struct probe_summary *s)
{
    struct rd r = rr->rdata;
    uint8_t len = rd_u8(&r);
    const uint8_t *bytes = rd_bytes(&r, len);
    size_t at = 0;
    for (uint32_t i = 0; bytes != NULL && i < len && at + 5 < sizeof s->text; i++) {
        if (prints(bytes[i]))
            s->text[at++] = (char)bytes[i];
        else
            at += (size_t)snprintf(s->text + at, sizeof s->text - at, "\\%03u", bytes[i]);
    }
    s->text[at] = '\0';
}

static bool read_serial(const struct dns_reader *d, const struct dns_rr *rr, uint32_t *serial)
{
    uint8_t rdata[2 * DNS_NAME_MAX + 20];
    int32_t len = dns_reader_rdata(d, rr, rdata, sizeof rdata);
    if (len < 22)
        return false;
    struct rd r = rd_init(rdata + len - 20, 20);
    *serial = rd_u32(&r);
    return true;
}

static void read_opt(const struct dns_rr *rr, struct probe_summary *s)
{
    uint16_t len = 0;
    const uint8_t *nsid = dns_opt_find(rr, DNS_EDNS_NSID, &len);
    s->edns = true;
    if (nsid == NULL)
        return;
    s->has_nsid = true;
    s->nsid_len = (uint8_t)(len < PROBE_NSID_MAX ? len : PROBE_NSID_MAX);
    memcpy(s->nsid, nsid, s->nsid_len);
}

bool probe_summary_read(const uint8_t *msg, size_t len, struct probe_summary *s)
{
    struct dns_reader d;
    struct dns_rr rr;
    enum dns_reader_got got;
    memset(s, 0, sizeof *s);
    if (!dns_reader_open(&d, msg, len))
        return false;
    s->aa = (d.flags & DNS_FLAG_AA) != 0;
    s->tc = (d.flags & DNS_FLAG_TC) != 0;
    s->ad = (d.flags & DNS_FLAG_AD) != 0;
    s->rcode = dns_full_rcode(d.flags, NULL);
    s->answers = d.count[DNS_ANSWER];
    s->authority = d.count[DNS_AUTHORITY];
    s->additional = d.count[DNS_ADDITIONAL];
    while ((got = dns_reader_next(&d, &rr)) == DNS_READER_RR) {
        if (rr.section == DNS_ADDITIONAL && rr.type == TYPE_OPT) {
            read_opt(&rr, s);
            s->rcode = dns_full_rcode(d.flags, &rr);
        } else if (rr.section == DNS_ANSWER && rr.type == TYPE_TXT && s->text[0] == '\0') {
            read_text(&rr, s);
        } else if (rr.section != DNS_ADDITIONAL && rr.type == TYPE_SOA && !s->has_serial) {
            s->has_serial = read_serial(&d, &rr, &s->serial);
        }
    }
    return got == DNS_READER_END;
}

const char *probe_nsid_text(const uint8_t *nsid, size_t len, char buf[PROBE_NSID_TEXT_MAX])
{
    bool all_print = len > 0;
    if (len > PROBE_NSID_MAX)
        len = PROBE_NSID_MAX;
    for (size_t i = 0; i < len; i++)
        all_print = all_print && prints(nsid[i]);
    if (all_print) {
        memcpy(buf, nsid, len);
        buf[len] = '\0';
        return buf;
    }
    buf[0] = '\0';
    for (size_t i = 0; i < len; i++)
        snprintf(buf + 2 * i, 3, "%02x", nsid[i]);
    return buf;
}

const char *probe_status_name(enum probe_status status)
{
    static const char *const names[] = { "answered", "timeout", "refused", "unreachable", "closed",
                                         "source",   "broken",  "full",    "no_socket" };
    base_assert(status < PROBE_STATUS_COUNT);
    return names[status];
}
