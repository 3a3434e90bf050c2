/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes as a query to a server of zones with everything in them. The first byte chooses transport,
 * client and options. Whatever comes back is a whole response of the right size, id and question, with
 * options that were asked for. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "answer/answer.h"
#include "base/assert.h"
#include "fuzz.h"
#include "zone/load.h"

static const char test_zone[] =
    "$ORIGIN t.\n$TTL 60\n"
    "@ SOA ns host 1 2 3 4 5\n@ NS ns\n@ NS ns.sub\n@ MX 5 mail\n@ NSEC a NS SOA MX NSEC\n"
    "@ RRSIG SOA 13 1 60 20300101000000 20200101000000 1 t. AAAA\n"
    "ns A 192.0.2.1\nns AAAA 2001:db8::1\n"
    "sub NS ns.sub\nsub NS ns.other\nsub DS 1 13 2 "
    "0000000000000000000000000000000000000000000000000000000000000000\n"
    "ns.sub A 192.0.2.2\nother NS ns.other\nns.other A 192.0.2.3\n"
    "* TXT wild\n* MX 1 a\n*.w CNAME a.b\na.b CNAME loop1\nloop1 CNAME loop2\nloop2 CNAME loop1\n"
    "d DNAME u.\ndd DNAME d\nea DNAME eb\nx.eb CNAME y.ea\nz.eb CNAME ea\nlong DNAME "
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.u.\n"
    "mail A 192.0.2.4\nsrv SRV 1 2 3 ns\nhttps HTTPS 1 . alpn=h2\nx.y.z A 192.0.2.5\n"
    "big TXT \"1\"\nbig TXT \"2\"\nbig TXT \"3\"\nn NAPTR 1 2 \"u\" \"x\" \"!a!b!\" ns\n"
    "hx.x HTTPS 0 hy.y\nhy.y HTTPS 0 hx.x\nf HTTPS 0 a.w\nf HTTPS 1 back.u.\nc HTTPS 0 b.a\n"
    "*.a HTTPS 0 loop1\n*.a A 192.0.2.7\nns.z SRV 1 2 3 b.a\nns.z SRV 1 2 4 b.a\nns.z SRV 1 2 5 c.a\n";
static const char other_zone[] =
    "$ORIGIN u.\n$TTL 60\n@ SOA ns host 1 2 3 4 5\n@ NS ns\nns A 192.0.2.9\n"
    "back CNAME a.d.t.\n*.x A 192.0.2.8\n";

static const struct zone_set *zones;

static const char *file_of(const char *text, char path[64])
{
    snprintf(path, 64, "/tmp/perigee-fuzz-XXXXXX");
    int fd = mkstemp(path);
    base_assert(fd >= 0);
    base_assert(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
    return path;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    static struct zone_errors errs;
    struct err e = { 0 };
    char a[64], b[64], text[ZONE_ERROR_TEXT_MAX];
    struct zone_source sources[] = { { "t.", file_of(test_zone, a) },
                                     { "u.", file_of(other_zone, b) } };
    int fd = zone_image_memfd(&e);
    bool ok = fd >= 0 && zone_build_image(sources, 2, fd, &errs);
    for (uint32_t i = 0; i < errs.kept; i++)
        fprintf(stderr, "%s\n", zone_error_text(&errs.at[i], text, sizeof text));
    base_assert(ok);
    zones = zone_set_map(fd, &e);
    base_assert(zones != NULL);
    unlink(a);
    unlink(b);
    return 0;
}

/* No record is twice in a section. */
static void records_differ(const uint8_t *out, size_t got)
{
    enum { RRS = 64 };
    static struct seen {
        enum dns_section section;
        uint16_t type;
        struct dns_name owner;
        int32_t len;
        uint8_t rdata[300];
    } seen[RRS];
    struct dns_reader d;
    struct dns_rr rr;
    unsigned n = 0;
    base_assert(dns_reader_open(&d, out, got));
    while (n < RRS && dns_reader_next(&d, &rr) == DNS_READER_RR) {
        struct seen *s = &seen[n];
        s->section = rr.section;
        s->type = rr.type;
        s->owner = rr.owner;
        s->len = dns_reader_rdata(&d, &rr, s->rdata, sizeof s->rdata);
        if (s->len < 0)
            continue;
        for (unsigned i = 0; i < n; i++)
            base_assert(seen[i].section != s->section || seen[i].type != s->type ||
                        seen[i].len != s->len || !dns_name_equal(&seen[i].owner, &s->owner) ||
                        memcmp(seen[i].rdata, s->rdata, (size_t)s->len) != 0);
        n++;
    }
}

/* RFC 9018 appendix A.1: the cookie of this client, at this time, by this secret. */
#define COOKIE_TIME_S 1559731985
#define COOKIE "\x24\x64\xc4\xab\xcf\x10\xc9\x57"
#define COOKIE_SERVER "\1\0\0\0\x5c\xf7\x9f\x11\x1f\x81\x30\xc3\xee\xe2\x94\x80"
static const struct answer_cookies cookies = { .count = 2,
                                               .secret = { { 0xe5, 0xe9, 0x73, 0xe5, 0xa6, 0xb2,
                                                             0xa4, 0x3f, 0x48, 0xe7, 0xdc, 0x84,
                                                             0x9e, 0x37, 0xbf, 0xcf } } };

/* The upper bits of a byte as options of a query. */
static uint16_t options_of(uint8_t bits, uint8_t out[64])
{
    static const struct {
        uint8_t bit;
        uint16_t len;
        const char *bytes;
    } rows[] = {
        { 0x08, 12, "\0\x0a\0\x08" COOKIE }, { 0x10, 28, "\0\x0a\0\x18" COOKIE COOKIE_SERVER },
        { 0x20, 4, "\0\x0b\0\0" },           { 0x40, 4, "\0\x13\0\0" },
        { 0x80, 4, "\0\x0c\0\0" },
    };
    uint16_t len = 0;
    for (size_t i = 0; i < BASE_COUNT(rows); i++)
        if ((bits & rows[i].bit) != 0) {
            memcpy(out + len, rows[i].bytes, rows[i].len);
            len = (uint16_t)(len + rows[i].len);
        }
    return len;
}

/* Bytes as a choice of labels of the zones above, a type and flags: a good query that gets deep. */
static size_t query_of(const uint8_t *data, size_t size, uint8_t query[512])
{
    static const char *const labels[] = { "t",    "u",     "sub", "ns", "other", "w",    "a",
                                          "b",    "loop1", "d",   "dd", "long",  "mail", "srv",
                                          "big",  "x",     "y",   "z",  "*",     "back", "https",
                                          "nope", "c",     "ea",  "eb", "f" };
    static const uint16_t types[] = { 1,  2,  5,  6,  15, 16, 28,  33, 35,
                                      39, 43, 46, 47, 48, 65, 255, 99 };
    struct dns_name name;
    char text[512] = "";
    uint8_t options[64];
    if (size < 4)
        return 0;
    for (size_t i = 3; i < size && i < 12; i++) {
        strcat(text, labels[data[i] % BASE_COUNT(labels)]);
        strcat(text, ".");
    }
    base_assert(dns_name_from_text(&name, text));
    struct dns_ask ask = { .id = 7,
                           .qname = &name,
                           .qtype = types[data[0] % BASE_COUNT(types)],
                           .qclass = DNS_CLASS_IN,
                           .edns = (data[1] & 1) != 0,
                           .dnssec_ok = (data[1] & 2) != 0,
                           .nsid = (data[1] & 4) != 0,
                           .udp_payload = (uint16_t)(data[2] * 8),
                           .options = options };
    ask.options_len = options_of(data[1], options);
    return dns_ask_write(&ask, query, 512);
}

/* Each option once, and none that was not asked for, but extended errors. */
static void options_hold(const struct dns_query *q, const struct answer_client *client,
                         const struct dns_rr *opt, size_t got, const struct answer_info *info)
{
    struct rd r = opt->rdata;
    uint32_t seen = 0;
    while (rd_left(&r) > 0) {
        uint16_t code = rd_u16(&r), len = rd_u16(&r);
        const uint8_t *data = rd_bytes(&r, len);
        base_assert(data != NULL);
        base_assert(code < 32 && (seen >> code & 1) == 0);
        seen |= 1u << code;
        if (code == DNS_EDNS_NSID)
            base_assert(q->nsid_asked && len == 4);
        else if (code == DNS_EDNS_COOKIE)
            base_assert(q->cookie_len >= 8 && len == 24 && memcmp(data, q->cookie, 8) == 0);
        else if (code == DNS_EDNS_KEEPALIVE)
            base_assert(q->keepalive_asked && len == 2 && client->transport != ANSWER_UDP);
        else if (code == DNS_EDNS_ZONEVERSION)
            base_assert(q->zoneversion_asked && len == 6 && info->zone != NULL);
        else if (code == DNS_EDNS_EDE)
            base_assert(len == 2 && (data[0] << 8 | data[1]) == info->ede);
        else
            base_assert(code == DNS_EDNS_PADDING && q->padding_asked && rd_left(&r) == 0 &&
                        client->transport == ANSWER_TLS);
    }
    base_assert((seen >> DNS_EDNS_EDE & 1) == (info->ede != DNS_EDE_NONE));
    if ((seen >> DNS_EDNS_PADDING & 1) != 0 && got + client->tsig_room < 65000)
        base_assert((got + client->tsig_room) % 468 == 0 ||
                    got + client->tsig_room == DNS_UDP_PLAIN_MAX);
}

static void response_holds(const uint8_t *query, size_t len, const uint8_t *out, size_t got,
                           size_t limit, const struct answer_client *client,
                           const struct answer_info *info)
{
    static uint8_t rdata[DNS_MESSAGE_MAX];
    struct dns_query q;
    struct dns_reader d;
    struct dns_rr rr, opt = { 0 };
    enum dns_reader_got step;
    unsigned opts = 0;
    base_assert(dns_query_parse(&q, query, len) != DNS_GRADE_DROP);
    base_assert(got <= limit);
    base_assert(dns_reader_open(&d, out, got));
    base_assert(d.id == q.id);
    base_assert((d.flags & DNS_FLAG_QR) != 0);
    base_assert(DNS_FLAGS_OPCODE(d.flags) == q.opcode);
    base_assert(DNS_FLAGS_RCODE(d.flags) == (info->rcode & 15));
    base_assert(((d.flags & DNS_FLAG_TC) != 0) == info->truncated);
    base_assert(d.question == q.question);
    if (q.question)
        base_assert(memcmp(out + DNS_HEADER_LEN, query + DNS_HEADER_LEN, q.question_len) == 0);
    while ((step = dns_reader_next(&d, &rr)) == DNS_READER_RR) {
        base_assert(dns_reader_rdata(&d, &rr, rdata, sizeof rdata) >= 0);
        opts += rr.type == DNS_TYPE_OPT;
        if (rr.type == DNS_TYPE_OPT)
            opt = rr;
    }
    base_assert(step == DNS_READER_END);
    records_differ(out, got);
    base_assert(opts == (q.edns ? 1 : 0));
    if (opts != 0)
        options_hold(&q, client, &opt, got, info);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t out[DNS_MESSAGE_MAX], made[512];
    if (size < 1)
        return 0;
    struct answer_options o = { .nsid = (const uint8_t *)"site",
                                .nsid_len = 4,
                                .identity = "me",
                                .version = "1",
                                .tcp_idle_ms = 10000,
                                .cookies = (data[0] & 0x10) != 0 ? &cookies : NULL,
                                .any_full = (data[0] & 2) != 0 };
    enum answer_transport t = (data[0] & 1) == 0      ? ANSWER_UDP
                              : (data[0] & 0x40) != 0 ? ANSWER_TLS
                                                      : ANSWER_TCP;
    union addr addr;
    base_assert(addr_parse(&addr, (data[0] & 0x20) != 0 ? "2001:db8::1" : "198.51.100.100", 53));
    const uint8_t *query = data + 1;
    size_t len = size - 1;
    if ((data[0] & 8) != 0) {
        len = query_of(data + 1, size - 1, made);
        query = made;
    }
    size_t cap = (data[0] & 4) != 0 ? DNS_UDP_PLAIN_MAX : sizeof out;
    struct answer_info info;
    const struct answer_client client = { .transport = t,
                                          .addr = &addr,
                                          .now.s = COOKIE_TIME_S,
                                          .tsig_room = (data[0] & 0x80) != 0 ? 200 : 0 };
    size_t got = answer_compose(&o, zones, &client, query, len, out, cap, &info);
    if (got == 0) {
        base_assert(info.kind == ANSWER_DROPPED);
        base_assert(len < DNS_HEADER_LEN || len > DNS_MESSAGE_MAX || (query[2] & 0x80) != 0);
        return 0;
    }
    static uint8_t again[DNS_MESSAGE_MAX];
    static struct answer_cache *cache;
    if (cache == NULL)
        cache = calloc(1, answer_cache_size());
    o.cache = cache;
    for (int i = 0; i < 3; i++) {
        base_assert(answer_compose(&o, zones, &client, query, len, again, cap, &info) == got);
        base_assert(memcmp(out, again, got) == 0);
    }
    base_assert(info.kind != ANSWER_DROPPED);
    base_assert(got >= DNS_HEADER_LEN);
    response_holds(query, len, out, got, t != ANSWER_UDP || cap < 1232 ? cap : 1232, &client,
                   &info);
    return 0;
}
