/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ANSWER_TEXT_H
#define ANSWER_TEXT_H

/* Questions in text, and answers in text: "RCODE flags | answer | authority | additional", each record
 * "owner TYPE what-matters", with ", " between. OPT is left out. Behind cmocka.h and what it needs. */
#include <stdio.h>
#include <string.h>

#include "answer/answer.h"

struct text {
    char buf[8192];
    size_t len;
};

static inline void add(struct text *t, const char *s)
{
    size_t n = strlen(s);
    assert_true(t->len + n < sizeof t->buf);
    memcpy(t->buf + t->len, s, n + 1);
    t->len += n;
}

static inline void add_rr(struct text *t, const struct dns_reader *d, const struct dns_rr *rr)
{
    char name[DNS_TEXT_MAX], type[DNS_TYPE_TEXT_MAX], number[16];
    uint8_t rdata[4096];
    int32_t len = dns_reader_rdata(d, rr, rdata, sizeof rdata);
    assert_true(len >= 0);
    add(t, dns_name_text(&rr->owner, name));
    add(t, " ");
    add(t, dns_type_text(rr->type, type));
    struct rd r = rd_init(rdata, (size_t)len);
    struct dns_name target;
    switch (rr->type) {
    case DNS_TYPE_NS:
    case DNS_TYPE_CNAME:
    case DNS_TYPE_DNAME:
        assert_true(dns_name_parse(&target, &r));
        add(t, " ");
        add(t, dns_name_text(&target, name));
        break;
    case DNS_TYPE_RRSIG:
        add(t, " ");
        add(t, dns_type_text(rd_u16(&r), type));
        break;
    case DNS_TYPE_SOA:
        snprintf(number, sizeof number, " %u", rr->ttl_s);
        add(t, number);
        break;
    default:
        break;
    }
}

static inline const char *response_text(const uint8_t *msg, size_t len, struct text *t)
{
    static const enum dns_section sections[] = { DNS_ANSWER, DNS_AUTHORITY, DNS_ADDITIONAL };
    struct dns_reader d;
    struct dns_rr rr;
    char rcode[DNS_TYPE_TEXT_MAX];
    t->len = 0;
    assert_true(dns_reader_open(&d, msg, len));
    add(t, dns_rcode_text(DNS_FLAGS_RCODE(d.flags), rcode));
    add(t, (d.flags & DNS_FLAG_AA) != 0 ? " aa" : "");
    add(t, (d.flags & DNS_FLAG_TC) != 0 ? " tc" : "");
    enum dns_reader_got got = dns_reader_next(&d, &rr);
    for (size_t s = 0; s < BASE_COUNT(sections); s++) {
        const char *before = " ";
        add(t, " |");
        for (; got == DNS_READER_RR && rr.section == sections[s]; got = dns_reader_next(&d, &rr)) {
            if (rr.type == DNS_TYPE_OPT)
                continue;
            add(t, before);
            add_rr(t, &d, &rr);
            before = ", ";
        }
    }
    assert_int_equal(got, DNS_READER_END);
    return t->buf;
}

/* "name TYPE [do] [edns] [tcp]" to a query. */
static inline size_t query_of(const char *text, uint8_t out[512], enum answer_transport *t)
{
    char copy[512], *save = NULL;
    struct dns_name name;
    struct dns_ask ask = { .id = 77, .qname = &name, .qclass = DNS_CLASS_IN, .udp_payload = 1232 };
    snprintf(copy, sizeof copy, "%s", text);
    char *word = strtok_r(copy, " ", &save);
    assert_true(dns_name_from_text(&name, word));
    assert_true(dns_type_from_text(strtok_r(NULL, " ", &save), &ask.qtype));
    *t = ANSWER_UDP;
    while ((word = strtok_r(NULL, " ", &save)) != NULL) {
        if (strcmp(word, "tcp") == 0)
            *t = ANSWER_TCP;
        else if (strcmp(word, "ch") == 0)
            ask.qclass = DNS_CLASS_CH;
        else if (strcmp(word, "any") == 0)
            ask.qclass = DNS_CLASS_ANY;
        else if (strcmp(word, "hs") == 0)
            ask.qclass = DNS_CLASS_HS;
        else
            ask.edns = true;
        ask.dnssec_ok |= strcmp(word, "do") == 0;
    }
    return dns_ask_write(&ask, out, 512);
}

/* A client of which only the transport is known. */
static inline const struct answer_client *over(enum answer_transport t)
{
    static struct answer_client clients[3];
    clients[t].transport = t;
    return &clients[t];
}

#endif
