/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "health/compare.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "dns/type.h"
#include "health/expect.h"

static bool wrong(struct compare_result *out, enum verdict_why why, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Keeps the first thing that is wrong. Always false. */
static bool wrong(struct compare_result *out, enum verdict_why why, const char *fmt, ...)
{
    if (out->why != VERDICT_FINE)
        return false;
    va_list args;
    va_start(args, fmt);
    vsnprintf(out->text, sizeof out->text, fmt, args);
    va_end(args);
    out->why = why;
    return false;
}

/* "www.example.com. A"; a long name keeps its beginning. */
#define LABEL_MAX 100
static const char *label(const struct dns_name *owner, uint16_t type, char buf[LABEL_MAX])
{
    char name[DNS_TEXT_MAX], mnemonic[DNS_TYPE_TEXT_MAX];
    snprintf(buf, LABEL_MAX, "%.*s %s", LABEL_MAX - DNS_TYPE_TEXT_MAX - 2,
             dns_name_text(owner, name), dns_type_text(type, mnemonic));
    return buf;
}

/* ---- reading ---- */

static bool keep_record(struct compare *c, const struct dns_reader *d, const struct dns_rr *rr,
                        struct compare_result *out)
{
    if (c->record_count == COMPARE_RECORDS_MAX)
        return wrong(out, VERDICT_BROKEN, "more than %u records", COMPARE_RECORDS_MAX);
    struct compare_record *r = &c->records[c->record_count];
    int32_t len = dns_reader_rdata(d, rr, c->bytes + c->used, sizeof c->bytes - c->used);
    if (len < 0)
        return wrong(out, VERDICT_BROKEN, "the RDATA of record %u is broken", c->record_count + 1);
    r->section = rr->section;
    r->owner = rr->owner;
    r->type = rr->type;
    r->covered = 0;
    r->ttl_s = rr->ttl_s;
    r->at = c->used;
    r->len = (uint32_t)len;
    if (rr->type == DNS_TYPE_RRSIG) {
        struct rd rdata = rd_init(c->bytes + r->at, r->len);
        r->covered = rd_u16(&rdata);
    }
    c->used += r->len;
    c->record_count++;
    return true;
}

static bool check_opt(const struct compare_ask *ask, const struct dns_rr *opt,
                      struct compare_result *out)
{
    uint16_t len = 0;
    const uint8_t *nsid = dns_opt_find(opt, DNS_EDNS_NSID, &len);
    if (ask->nsid_len == 0)
        return true;
    if (nsid == NULL)
        return wrong(out, VERDICT_NSID, "the answer has no NSID");
    if (len != ask->nsid_len || memcmp(nsid, ask->nsid, len) != 0)
        return wrong(out, VERDICT_NSID, "the NSID is '%.*s', not '%.*s'", len < 50 ? len : 50,
                     (const char *)nsid, ask->nsid_len < 50 ? (int)ask->nsid_len : 50,
                     (const char *)ask->nsid);
    return true;
}

/* Everything that is there into c->records, and what the OPT says into *rcode. */
static bool read_all(struct compare *c, struct dns_reader *d, const struct compare_ask *ask,
                     uint16_t *rcode, struct compare_result *out)
{
    struct dns_rr rr;
    enum dns_reader_got got;
    bool opt = false;
    c->record_count = c->used = 0;
    *rcode = dns_full_rcode(d->flags, NULL);
    while ((got = dns_reader_next(d, &rr)) == DNS_READER_RR) {
        if (rr.type == DNS_TYPE_OPT && rr.section == DNS_ADDITIONAL) {
            opt = true;
            *rcode = dns_full_rcode(d->flags, &rr);
            if (!check_opt(ask, &rr, out))
                return false;
        } else if (!keep_record(c, d, &rr, out)) {
            return false;
        }
    }
    if (got == DNS_READER_BROKEN)
        return wrong(out, VERDICT_BROKEN, "the message breaks off, or has bytes left over");
    if (!opt && ask->nsid_len != 0)
        return wrong(out, VERDICT_NSID, "the answer has no OPT, so no NSID");
    return true;
}

/* ---- holding it against the zone ---- */

static uint32_t serial_of(const uint8_t *rdata, size_t len)
{
    struct rd r = rd_init(len >= 20 ? rdata + len - 20 : rdata, len >= 20 ? 20 : 0);
    return rd_u32(&r);
}

/* The serial stands first for what is old: all else that differs follows from it. */
static bool wrong_record(struct compare_result *out, const struct compare *c,
                         const struct compare_record *r, const struct zone_rrset *set)
{
    char what[LABEL_MAX], text[INET6_ADDRSTRLEN] = "";
    const uint8_t *rdata = c->bytes + r->at;
    label(&r->owner, r->type, what);
    if (r->type == DNS_TYPE_SOA && set != NULL && set->count == 1 && set->rdata_len > 2) {
        uint32_t has = serial_of(rdata, r->len);
        uint32_t wants = serial_of(set->rdata + 2, set->rdata_len - 2);
        if (has != wants)
            return wrong(out, VERDICT_SERIAL, "%s has serial %u, the zone %u", what, has, wants);
    }
    if (r->type == DNS_TYPE_A && r->len == 4)
        inet_ntop(AF_INET, rdata, text, sizeof text);
    else if (r->type == DNS_TYPE_AAAA && r->len == 16)
        inet_ntop(AF_INET6, rdata, text, sizeof text);
    else
        snprintf(text, sizeof text, "of %u bytes", r->len);
    return wrong(out, VERDICT_RECORD, "%s %s is not in the zone", what, text);
}

static struct compare_want *want_of_record(struct compare *c, const struct compare_record *r)
{
    uint16_t type = r->covered != 0 ? r->covered : r->type;
    for (uint32_t i = 0; i < c->want_count; i++) {
        struct compare_want *w = &c->wants[i];
        if (w->section == r->section && w->set.type == type && dns_name_equal(&w->owner, &r->owner))
            return w;
    }
    return NULL;
}

/* False when it was there already. */
static bool mark(uint64_t seen[COMPARE_ITEMS_MAX / 64], uint32_t item)
{
    if (item >= COMPARE_ITEMS_MAX)
        return true;
    uint64_t bit = (uint64_t)1 << item % 64;
    bool first = (seen[item / 64] & bit) == 0;
    seen[item / 64] |= bit;
    return first;
}

static bool check_ttl(const struct compare_record *r, uint32_t ttl_s, uint32_t zone_ttl_s,
                      struct compare_result *out)
{
    char what[LABEL_MAX];
    if (r->ttl_s == ttl_s || (r->covered != 0 && r->ttl_s == zone_ttl_s))
        return true;
    return wrong(out, VERDICT_TTL, "%s has TTL %u, not %u", label(&r->owner, r->type, what),
                 r->ttl_s, ttl_s);
}

/* A record of an RRset that the answer must have. */
static bool check_wanted(const struct compare *c, const struct compare_record *r,
                         struct compare_want *w, struct compare_result *out)
{
    const struct zone_rrset *s = &w->set;
    const uint8_t *rdata = c->bytes + r->at;
    char what[LABEL_MAX];
    uint32_t item;
    bool first;
    if (r->covered != 0) {
        item = health_expect_find_item(DNS_TYPE_RRSIG, s->sigs, s->sigs_len, s->sig_count, rdata,
                                       r->len);
        if (item == s->sig_count)
            return wrong_record(out, c, r, NULL);
        first = mark(w->sig_seen, item);
    } else {
        item = health_expect_find_item(s->type, s->rdata, s->rdata_len, s->count, rdata, r->len);
        if (item == s->count)
            return wrong_record(out, c, r, s);
        first = mark(w->seen, item);
    }
    if (!first)
        return wrong(out, VERDICT_RECORD, "%s comes twice", label(&r->owner, r->type, what));
    return r->covered != 0 ? check_ttl(r, w->sig_ttl_s, s->sig_ttl_s, out)
                           : check_ttl(r, w->ttl_s, w->ttl_s, out);
}

/* The node of this very name, among the zone's names and its NSEC3 owners. */
static const struct zone_node *node_of(const struct zone *z, const struct compare_record *r)
{
    struct zone_found found;
    bool matches = false;
    if (r->type == DNS_TYPE_NSEC3 || r->covered == DNS_TYPE_NSEC3) {
        const struct zone_node *n = zone_nsec3_before(z, &r->owner, &matches);
        return matches ? n : NULL;
    }
    zone_lookup(z, &r->owner, &found);
    return found.exact;
}

/* A record that nobody asked for: allowed where it is the zone's, as it stands there. */
static bool check_extra(const struct compare *c, const struct compare_ask *ask,
                        const struct compare_record *r, struct compare_result *out)
{
    struct zone_rrset s;
    const uint8_t *rdata = c->bytes + r->at;
    const struct zone *z = zone_set_find(ask->zones, &r->owner);
    const struct zone_node *n = z != NULL ? node_of(z, r) : NULL;
    uint16_t type = r->covered != 0 ? r->covered : r->type;
    if (n == NULL || !zone_node_find(z, n, type, &s))
        return wrong_record(out, c, r, NULL);
    if (r->covered != 0) {
        if (health_expect_find_item(DNS_TYPE_RRSIG, s.sigs, s.sigs_len, s.sig_count, rdata,
                                    r->len) == s.sig_count)
            return wrong_record(out, c, r, NULL);
        return check_ttl(r, s.sig_ttl_s, s.sig_ttl_s, out);
    }
    if (health_expect_find_item(s.type, s.rdata, s.rdata_len, s.count, rdata, r->len) == s.count)
        return wrong_record(out, c, r, &s);
    return check_ttl(r, s.ttl_s, s.ttl_s, out);
}

/* The records of what the answer must have, and whatever stands in its answer section. */
static bool check_all_wanted(struct compare *c, const struct expect *x, struct compare_result *out)
{
    for (uint32_t i = 0; i < c->record_count; i++) {
        const struct compare_record *r = &c->records[i];
        struct compare_want *w = want_of_record(c, r);
        if (w != NULL && !check_wanted(c, r, w, out))
            return false;
        if (w == NULL && r->section == DNS_ANSWER && !x->chain)
            return wrong_record(out, c, r, NULL);
    }
    return true;
}

static bool check_all_extra(struct compare *c, const struct compare_ask *ask,
                            struct compare_result *out)
{
    for (uint32_t i = 0; i < c->record_count; i++) {
        const struct compare_record *r = &c->records[i];
        if (r->section != DNS_ANSWER && want_of_record(c, r) == NULL &&
            !check_extra(c, ask, r, out))
            return false;
    }
    return true;
}

static uint32_t count_seen(const uint64_t seen[COMPARE_ITEMS_MAX / 64])
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < COMPARE_ITEMS_MAX / 64; i++)
        n += (uint32_t)__builtin_popcountll(seen[i]);
    return n;
}

static uint32_t most(uint32_t count)
{
    return count < COMPARE_ITEMS_MAX ? count : COMPARE_ITEMS_MAX;
}

/* How many records of a wanted RRset are there, signatures or data: each must come once. */
static bool check_complete(const struct compare *c, struct compare_result *out)
{
    char what[LABEL_MAX];
    for (uint32_t i = 0; i < c->want_count; i++) {
        const struct compare_want *w = &c->wants[i];
        if (!w->required)
            continue;
        label(&w->owner, w->set.type, what);
        uint32_t seen = count_seen(w->seen);
        if (seen < most(w->set.count))
            return wrong(out, VERDICT_MISSING, "%s: %u of %u records are there", what, seen,
                         w->set.count);
        if (count_seen(w->sig_seen) < most(w->set.sig_count))
            return wrong(out, VERDICT_SIGNATURE, "%s: %u of %u signatures are there", what,
                         count_seen(w->sig_seen), w->set.sig_count);
    }
    return true;
}

static bool check_nsec3(const struct compare *c, struct compare_result *out)
{
    for (uint32_t i = 0; i < c->record_count; i++)
        if (c->records[i].section == DNS_AUTHORITY && c->records[i].type == DNS_TYPE_NSEC3)
            return true;
    return wrong(out, VERDICT_MISSING, "no NSEC3 record proves the denial");
}

static bool check_header(const struct dns_reader *d, const struct expect *x, uint16_t rcode,
                         struct compare_result *out)
{
    char has[DNS_TYPE_TEXT_MAX], wants[DNS_TYPE_TEXT_MAX];
    if (rcode != x->rcode)
        return wrong(out, VERDICT_RCODE, "%s instead of %s", dns_rcode_text(rcode, has),
                     dns_rcode_text(x->rcode, wants));
    bool aa = (d->flags & DNS_FLAG_AA) != 0;
    if (aa != x->aa && !x->any_aa)
        return wrong(out, VERDICT_AUTHORITY, "AA is %s", aa ? "set on a referral" : "not set");
    return true;
}

void health_compare_answer(struct compare *c, const struct compare_ask *ask, const uint8_t *msg,
                           size_t len, struct compare_result *out)
{
    struct dns_reader d;
    struct expect x;
    uint16_t rcode;
    memset(out, 0, sizeof *out);
    if (!dns_reader_open(&d, msg, len) || (d.flags & DNS_FLAG_QR) == 0) {
        wrong(out, VERDICT_BROKEN, "it is no response");
        return;
    }
    if (!read_all(c, &d, ask, &rcode, out))
        return;
    health_expect_answer(c, ask, &x);
    if (!check_header(&d, &x, rcode, out) || !check_all_wanted(c, &x, out))
        return;
    if ((d.flags & DNS_FLAG_TC) != 0) {
        if (x.size_max <= ask->udp_payload || ask->udp_payload == 0)
            wrong(out, VERDICT_TRUNCATED, "truncated, although at most %u bytes are needed",
                  x.size_max);
    } else if (check_complete(c, out) && x.nsec3) {
        check_nsec3(c, out);
    }
    check_all_extra(c, ask, out);
    out->truncated = (d.flags & DNS_FLAG_TC) != 0 && out->why == VERDICT_FINE;
}
