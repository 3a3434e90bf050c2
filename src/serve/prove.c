/* SPDX-License-Identifier: GPL-3.0-or-later */

/* A process proves an image to itself before it answers from it: real queries through the real way of
 * an answer, and what comes out is read again and compared with what the image says. */
#include <stdio.h>
#include <string.h>

#include "dns/message.h"
#include "serve/fault.h"
#include "serve/worker.h"

/* Whether the items of an rrset have one of exactly these bytes. */
static bool has_item(const struct zone_rrset *set, const uint8_t *bytes, uint32_t len)
{
    struct rd r = rd_init(set->rdata, set->rdata_len);
    for (uint32_t i = 0; i < set->count; i++) {
        const uint16_t item_len = rd_u16(&r);
        const uint8_t *item = rd_bytes(&r, item_len);
        if (item == NULL)
            return false;
        if (item_len == len && memcmp(item, bytes, len) == 0)
            return true;
    }
    return false;
}

static const char *compare(struct dns_reader *d, const struct dns_name *origin,
                           const struct zone_rrset *set)
{
    static _Thread_local uint8_t rdata[DNS_MESSAGE_MAX];
    struct dns_rr rr;
    enum dns_reader_got got;
    uint32_t found = 0, sigs = 0;
    while ((got = dns_reader_next(d, &rr)) == DNS_READER_RR) {
        if (rr.section != DNS_ANSWER || !dns_name_equal(&rr.owner, origin))
            continue;
        sigs += rr.type == DNS_TYPE_RRSIG;
        if (rr.type != set->type)
            continue;
        int32_t len = dns_reader_rdata(d, &rr, rdata, sizeof rdata);
        if (len < 0 || !has_item(set, rdata, (uint32_t)len))
            return "a record that the zone does not have";
        if (rr.ttl_s != set->ttl_s)
            return "another TTL than the zone's";
        found++;
    }
    if (got != DNS_READER_END)
        return "a broken message";
    if (found != set->count)
        return "not all records";
    return sigs == set->sig_count ? NULL : "not all signatures";
}

/* NULL when the answer is right. */
static const char *ask(const struct serve *s, const struct zone_set *zs, const struct zone *z,
                       uint16_t type)
{
    static _Thread_local uint8_t out[ANSWER_TCP_CAP];
    uint8_t query[512];
    struct dns_name origin;
    struct zone_rrset set;
    struct dns_reader d;
    struct answer_info info;
    zone_origin(z, &origin);
    if (!zone_node_find(z, zone_apex(z), type, &set))
        return "the image lacks it";
    const struct dns_ask how = { .id = 0x5e1f,
                                 .qname = &origin,
                                 .qtype = type,
                                 .qclass = 1,
                                 .edns = true,
                                 .dnssec_ok = true,
                                 .udp_payload = 4096 };
    const struct answer_client client = { .transport = ANSWER_TCP };
    size_t len = dns_ask_write(&how, query, sizeof query);
    len = answer_compose(&s->options, zs, &client, query, len, out, sizeof out, &info);
    len = fault_after_proof(out, len);
    if (len == 0 || !dns_reader_open(&d, out, len))
        return "no message";
    if (d.id != how.id || !d.question || d.qtype != type || !dns_name_equal(&d.qname, &origin))
        return "an answer to another question";
    if (DNS_FLAGS_RCODE(d.flags) != 0 || (d.flags & DNS_FLAG_AA) == 0)
        return "no authoritative answer";
    return compare(&d, &origin, &set);
}

bool serve_prove_image(const struct serve *s, const struct zone_set *zs, char *why, uint32_t cap)
{
    const uint32_t count = zone_set_count(zs);
    char text[DNS_TEXT_MAX];
    struct dns_name origin;
    for (uint32_t i = 0; i < count && i < PROVE_ZONES_MAX; i++) {
        const struct zone *z = zone_set_at(zs, i);
        if (z == NULL || zone_state(z) != ZONE_SERVED)
            continue; /* SERVFAIL proves nothing */
        const char *wrong = ask(s, zs, z, DNS_TYPE_SOA);
        const char *type = "SOA";
        if (wrong == NULL) {
            wrong = ask(s, zs, z, DNS_TYPE_NS);
            type = "NS";
        }
        if (wrong != NULL) {
            zone_origin(z, &origin);
            snprintf(why, cap, "%s of %.100s: %s", type, dns_name_text(&origin, text), wrong);
            return false;
        }
    }
    return true;
}
