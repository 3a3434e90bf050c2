/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The signatures of a name (RFC 4035 sections 2.2 and 5.3.1): that there is one for each algorithm of the
 * keys over each RRset that is authoritative, that its fields fit, and that its time has come and has not
 * gone. With zone_check_options.signatures also that it is right. */
#include <stdio.h>
#include <time.h>

#include "dns/type.h"
#include "zone/check_parts.h"

/* An RRSIG without its signature. */
struct sig {
    uint16_t covered, tag;
    uint8_t algorithm, labels;
    uint32_t ttl_s, end_s, begin_s;
    struct dns_name signer;
};

/* What the signatures of one RRset came to. */
struct tally {
    uint64_t good[4];    /* algorithms with a signature that is good now */
    uint64_t end_s[256]; /* by algorithm: when its last one ends; only where `good` */
    bool any;
};

static bool has_bit(const uint64_t bits[4], unsigned i)
{
    return (bits[i / 64] >> (i % 64) & 1) != 0;
}

static bool parse(const struct check_item *item, struct sig *s)
{
    struct rd r = rd_init(item->rdata, item->len);
    s->covered = rd_u16(&r);
    s->algorithm = rd_u8(&r);
    s->labels = rd_u8(&r);
    s->ttl_s = rd_u32(&r);
    s->end_s = rd_u32(&r);
    s->begin_s = rd_u32(&r);
    s->tag = rd_u16(&r);
    return !r.bad && dns_name_parse(&s->signer, &r);
}

/* A time of a signature in full: within 68 years of now (RFC 4034 section 3.1.5). */
static int64_t full_time(uint32_t t, int64_t now_s)
{
    return now_s + (int32_t)(t - (uint32_t)now_s);
}

static const char *date(int64_t s, char buf[32])
{
    struct tm tm;
    time_t t = (time_t)s;
    if (gmtime_r(&t, &tm) == NULL || strftime(buf, 32, "%Y-%m-%d %H:%M:%S", &tm) == 0)
        buf[0] = '\0';
    return buf;
}

static unsigned labels_of(const struct check *c, const struct zone_node *n)
{
    const uint8_t *p = (const uint8_t *)(n + 1), *end = p + n->name_len;
    unsigned labels = c->origin.labels;
    for (; p < end; p += 1 + p[0])
        labels++;
    /* A leading `*` is not counted (RFC 4034 section 3.1.3). */
    return labels - (n->name_len >= 2 && ((const uint8_t *)(n + 1))[0] == 1 &&
                     ((const uint8_t *)(n + 1))[1] == '*');
}

static struct check_key *key_of(struct check *c, const struct sig *s, unsigned *from)
{
    for (; *from < c->keys; ++*from) {
        struct check_key *k = &c->key[*from];
        if (k->tag == s->tag && k->algorithm == s->algorithm)
            return &c->key[(*from)++];
    }
    return NULL;
}

/* Key tags are not unique: any key of the tag may be the one. */
static bool check_made(struct check *c, const struct zone_node *n, const struct zone_rrset *r,
                       const struct check_item *item, const struct sig *s)
{
    char type[DNS_TYPE_TEXT_MAX];
    enum check_verdict verdict = CHECK_FORGED;
    unsigned from = 0;
    for (struct check_key *k; verdict == CHECK_FORGED && (k = key_of(c, s, &from)) != NULL;)
        verdict = zone_check_verify(c, n, r, item, k);
    if (verdict == CHECK_FORGED)
        zone_check_found(c, CHECK_SIG_FORGED, n, DNS_TYPE_RRSIG, item,
                         "%s has a signature by key %u that is wrong", dns_type_text(r->type, type),
                         s->tag);
    if (verdict == CHECK_UNKNOWN)
        zone_check_found(c, CHECK_SIG_UNKNOWN, n, DNS_TYPE_RRSIG, item,
                         "%s is signed with algorithm %u", dns_type_text(r->type, type),
                         s->algorithm);
    return verdict != CHECK_FORGED;
}

static bool check_fields(struct check *c, const struct zone_node *n, const struct zone_rrset *r,
                         const struct check_item *item, const struct sig *s)
{
    char text[DNS_TEXT_MAX], type[DNS_TYPE_TEXT_MAX];
    unsigned from = 0;
    dns_type_text(r->type, type);
    if (!dns_name_equal(&s->signer, &c->origin)) {
        zone_check_found(c, CHECK_SIG_SIGNER, n, DNS_TYPE_RRSIG, item,
                         "%s is signed in the name of %s", type, dns_name_text(&s->signer, text));
        return false;
    }
    if (s->labels != labels_of(c, n)) {
        zone_check_found(c, CHECK_SIG_LABELS, n, DNS_TYPE_RRSIG, item,
                         "%s has a signature for a name of %u labels", type, s->labels);
        return false;
    }
    if (c->keys != 0 && key_of(c, s, &from) == NULL) {
        zone_check_found(
            c, CHECK_SIG_KEY, n, DNS_TYPE_RRSIG, item,
            "%s has a signature by a key that the zone does not have (tag %u, algorithm %u)", type,
            s->tag, s->algorithm);
        return false;
    }
    if (s->ttl_s != r->ttl_s || r->sig_ttl_s != r->ttl_s)
        zone_check_found(c, CHECK_SIG_TTL, n, DNS_TYPE_RRSIG, item,
                         "%s has TTL %u, its signature %u and was made for %u", type, r->ttl_s,
                         r->sig_ttl_s, s->ttl_s);
    return true;
}

/* Whether it is good now; told are those that leave their algorithm without one (in missing()). */
static bool in_time(const struct check *c, const struct sig *s)
{
    return c->o->now_s == 0 || (full_time(s->begin_s, c->o->now_s) <= c->o->now_s &&
                                full_time(s->end_s, c->o->now_s) >= c->o->now_s);
}

static void take_sig(struct check *c, const struct zone_node *n, const struct zone_rrset *r,
                     const struct check_item *item, struct tally *t)
{
    struct sig s;
    c->seen.signatures++;
    if (!parse(item, &s))
        return;
    t->any = true;
    if (!check_fields(c, n, r, item, &s) || !in_time(c, &s))
        return;
    if (c->o->signatures && !check_made(c, n, r, item, &s))
        return;
    uint64_t end_s = c->o->now_s != 0 ? (uint64_t)full_time(s.end_s, c->o->now_s) : 0;
    if (!has_bit(t->good, s.algorithm) || end_s > t->end_s[s.algorithm])
        t->end_s[s.algorithm] = end_s;
    t->good[s.algorithm / 64] |= (uint64_t)1 << (s.algorithm % 64);
}

/* Why no signature of this algorithm is good, by the last one that only its time spoils. */
static bool tell_time(struct check *c, const struct zone_node *n, const struct zone_rrset *r,
                      unsigned algorithm)
{
    struct check_item item, which = { 0 };
    struct sig s;
    int64_t end_s = 0, begin_s = 0;
    char type[DNS_TYPE_TEXT_MAX], buf[32];
    for (uint32_t at = 0; check_item(r->sigs, r->sigs_len, &at, &item);) {
        if (!parse(&item, &s) || s.algorithm != algorithm || in_time(c, &s))
            continue;
        which = item;
        end_s = full_time(s.end_s, c->o->now_s);
        begin_s = full_time(s.begin_s, c->o->now_s);
    }
    if (which.rdata == NULL)
        return false;
    dns_type_text(r->type, type);
    if (end_s < c->o->now_s)
        zone_check_found(c, CHECK_SIG_ENDED, n, DNS_TYPE_RRSIG, &which,
                         "%s has a signature that ended at %s", type, date(end_s, buf));
    else
        zone_check_found(c, CHECK_SIG_EARLY, n, DNS_TYPE_RRSIG, &which,
                         "%s has a signature that begins at %s only", type, date(begin_s, buf));
    return true;
}

static void tell_tally(struct check *c, const struct zone_node *n, const struct zone_rrset *r,
                       const struct tally *t)
{
    char type[DNS_TYPE_TEXT_MAX], buf[32];
    int64_t first_end_s = 0;
    for (unsigned word = 0; word < 4; word++) {
        for (uint64_t left = c->algorithms[word]; left != 0; left &= left - 1) {
            unsigned a = word * 64 + (unsigned)__builtin_ctzll(left);
            if (has_bit(t->good, a)) {
                int64_t end_s = (int64_t)t->end_s[a];
                first_end_s = first_end_s == 0 || end_s < first_end_s ? end_s : first_end_s;
            } else if (t->any && tell_time(c, n, r, a)) {
                continue;
            } else if (r->sig_count == 0) {
                zone_check_found(c, CHECK_SIG_MISSING, n, r->type, NULL, "%s is not signed",
                                 dns_type_text(r->type, type));
                return;
            } else {
                zone_check_found(c, CHECK_SIG_ALGORITHM, n, r->type, NULL,
                                 "%s has no good signature of algorithm %u",
                                 dns_type_text(r->type, type), a);
            }
        }
    }
    if (first_end_s == 0 || c->o->now_s == 0)
        return;
    if (c->seen.end_s == 0 || first_end_s < c->seen.end_s)
        c->seen.end_s = first_end_s;
    if (c->o->horizon_s != 0 && first_end_s < c->o->now_s + c->o->horizon_s)
        zone_check_found(c, CHECK_SIG_ENDING, n, r->type, NULL,
                         "%s has a signature that ends at %s", dns_type_text(r->type, type),
                         date(first_end_s, buf));
}

/* Whether what is here is this zone's word, and so signed (RFC 4035 section 2.2). */
static bool is_ours(const struct zone_node *n, uint16_t type, bool hashed)
{
    if (hashed)
        return true;
    if ((n->flags & ZONE_NODE_OCCLUDED) != 0)
        return false;
    return (n->flags & ZONE_NODE_CUT) == 0 || type == DNS_TYPE_DS || type == DNS_TYPE_NSEC;
}

void zone_check_sigs(struct check *c, const struct zone_node *n, bool hashed)
{
    struct zone_rrset r;
    struct check_item item;
    char type[DNS_TYPE_TEXT_MAX];
    for (uint32_t pos = 0; zone_node_next(c->z, n, &pos, &r);) {
        if (!c->is_signed && r.sig_count == 0)
            continue;
        if (c->keys == 0 && !c->sigs_without_key) {
            c->sigs_without_key = true;
            zone_check_found(c, CHECK_SIGS_NO_KEY, n, DNS_TYPE_RRSIG, NULL,
                             "%s is signed, and the zone has no keys", dns_type_text(r.type, type));
        }
        if (r.count == 0) {
            zone_check_found(c, CHECK_SIG_ORPHAN, n, DNS_TYPE_RRSIG, NULL,
                             "has a signature of %s and no such record",
                             dns_type_text(r.type, type));
            continue;
        }
        if (!is_ours(n, r.type, hashed)) {
            if (r.sig_count != 0)
                zone_check_found(c, CHECK_SIG_NOT_OURS, n, DNS_TYPE_RRSIG, NULL,
                                 "%s is signed and not this zone's to sign",
                                 dns_type_text(r.type, type));
            continue;
        }
        if (c->keys == 0)
            continue;
        struct tally t;
        memset(t.good, 0, sizeof t.good);
        t.any = false;
        for (uint32_t at = 0; check_item(r.sigs, r.sigs_len, &at, &item);)
            take_sig(c, n, &r, &item, &t);
        if (c->is_signed)
            tell_tally(c, n, &r, &t);
    }
}
