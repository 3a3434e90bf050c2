/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The keys of the origin: DNSKEY, and CDS and CDNSKEY that speak of them. */
#include <stdlib.h>

#include "dns/type.h"
#include "zone/check_parts.h"

#define FLAG_ZONE 0x0100u
#define FLAG_REVOKE 0x0080u
#define PROTOCOL 3
#define RSA_MIN_BITS 1024u
#define RSA_MAX_BITS 4096u

/* RFC 4034 appendix B. */
static uint16_t tag_of(const struct check_item *k)
{
    uint32_t sum = 0;
    if (k->len >= 4 && k->rdata[3] == 1) /* RSAMD5 */
        return k->len >= 7 ? (uint16_t)(k->rdata[k->len - 3] << 8 | k->rdata[k->len - 2]) : 0;
    for (size_t i = 0; i < k->len; i++)
        sum += (i & 1) != 0 ? k->rdata[i] : (uint32_t)k->rdata[i] << 8;
    return (uint16_t)(sum + (sum >> 16));
}

/* Bits of the modulus (RFC 3110 section 2); 0: it is broken. */
static unsigned rsa_bits(const uint8_t *p, size_t len)
{
    struct rd r = rd_init(p, len);
    size_t exponent = rd_u8(&r);
    if (exponent == 0)
        exponent = rd_u16(&r);
    rd_skip(&r, exponent);
    if (r.bad || exponent == 0 || rd_left(&r) == 0)
        return 0;
    while (rd_left(&r) != 0 && *r.pos == 0)
        rd_skip(&r, 1);
    if (rd_left(&r) == 0)
        return 0;
    unsigned bits = (unsigned)rd_left(&r) * 8;
    for (uint8_t top = *r.pos; (top & 0x80) == 0; top = (uint8_t)(top << 1))
        bits--;
    return bits;
}

/* NULL: the key's form is right, as far as it is known. */
static const char *form_fault(const struct check_key *k)
{
    size_t len = k->len - 4u;
    switch (k->algorithm) {
    case 5:
    case 7:
    case 8:
    case 10:
        return rsa_bits(k->rdata + 4, len) == 0 ? "its RSA numbers are broken" : NULL;
    case 13:
        return len != 64 ? "a P-256 key has 64 bytes (RFC 6605 section 4)" : NULL;
    case 14:
        return len != 96 ? "a P-384 key has 96 bytes (RFC 6605 section 4)" : NULL;
    case 15:
        return len != 32 ? "an Ed25519 key has 32 bytes (RFC 8080 section 3)" : NULL;
    case 16:
        return len != 57 ? "an Ed448 key has 57 bytes (RFC 8080 section 3)" : NULL;
    default:
        return NULL;
    }
}

static bool is_rsa(uint8_t algorithm)
{
    return algorithm == 5 || algorithm == 7 || algorithm == 8 || algorithm == 10;
}

static void check_strength(struct check *c, const struct check_key *k,
                           const struct check_item *item)
{
    if (k->algorithm == 1 || k->algorithm == 3 || k->algorithm == 6 || k->algorithm == 12)
        zone_check_found(c, CHECK_KEY_WEAK, NULL, DNS_TYPE_DNSKEY, item,
                         "has a key of the withdrawn algorithm %u", k->algorithm);
    else if (k->algorithm == 5 || k->algorithm == 7)
        zone_check_found(c, CHECK_KEY_WEAK, NULL, DNS_TYPE_DNSKEY, item,
                         "has a key of algorithm %u, which signs SHA-1", k->algorithm);
    else if (is_rsa(k->algorithm)) {
        unsigned bits = rsa_bits(k->rdata + 4, k->len - 4u);
        if (bits < RSA_MIN_BITS || bits > RSA_MAX_BITS)
            zone_check_found(c, CHECK_KEY_WEAK, NULL, DNS_TYPE_DNSKEY, item,
                             "has an RSA key of %u bits", bits);
    }
}

static void take_key(struct check *c, const struct check_item *item)
{
    if (item->len < 5 || c->keys == CHECK_KEYS_MAX)
        return; /* zone_check_rdata_fault() tells the first; the second is not of this world */
    struct check_key *k = &c->key[c->keys++];
    *k = (struct check_key){ .rdata = item->rdata,
                             .len = item->len,
                             .flags = (uint16_t)(item->rdata[0] << 8 | item->rdata[1]),
                             .protocol = item->rdata[2],
                             .algorithm = item->rdata[3],
                             .tag = tag_of(item) };
    const char *fault = form_fault(k);
    if (k->protocol != PROTOCOL)
        fault = "its protocol is not 3 (RFC 4034 section 2.1.2)";
    if (fault != NULL)
        zone_check_found(c, CHECK_KEY_BROKEN, NULL, DNS_TYPE_DNSKEY, item, "has the key %u: %s",
                         k->tag, fault);
    k->unknown = fault != NULL;
    k->usable = (k->flags & FLAG_ZONE) != 0 && (k->flags & FLAG_REVOKE) == 0 && fault == NULL;
    if (k->usable)
        c->algorithms[k->algorithm / 64] |= (uint64_t)1 << (k->algorithm % 64);
    if (fault == NULL)
        check_strength(c, k, item);
}

static bool is_delete(const struct check_item *i)
{
    static const uint8_t cds[] = { 0, 0, 0, 0, 0 }, cdnskey[] = { 0, 0, 3, 0, 0 };
    return i->len == sizeof cds &&
           (memcmp(i->rdata, cds, i->len) == 0 || memcmp(i->rdata, cdnskey, i->len) == 0);
}

/* Whether a CDS (key tag, algorithm) or a CDNSKEY (the key) speaks of a key of the zone. */
static bool names_key(const struct check *c, uint16_t type, const struct check_item *i)
{
    for (unsigned k = 0; k < c->keys; k++) {
        const struct check_key *key = &c->key[k];
        if (type == DNS_TYPE_CDNSKEY && i->len == key->len &&
            memcmp(i->rdata, key->rdata, i->len) == 0)
            return true;
        if (type == DNS_TYPE_CDS && i->len > 4 &&
            key->tag == (uint16_t)(i->rdata[0] << 8 | i->rdata[1]) && key->algorithm == i->rdata[2])
            return true;
    }
    return false;
}

/* Whether one RRset is a request for removal (RFC 8078 section 4); fills *count. */
static bool check_child(struct check *c, uint16_t type, unsigned *count)
{
    struct zone_rrset r;
    struct check_item item;
    char text[DNS_TYPE_TEXT_MAX];
    bool removal = false, unknown = false;
    *count = 0;
    if (!zone_node_find(c->z, zone_apex(c->z), type, &r))
        return false;
    for (uint32_t at = 0; check_item(r.rdata, r.rdata_len, &at, &item); ++*count) {
        removal |= is_delete(&item);
        unknown |= !is_delete(&item) && !names_key(c, type, &item);
    }
    if (removal && *count > 1)
        zone_check_found(c, CHECK_CDS_WRONG, NULL, type, NULL,
                         "has %s that ask for removal and for something else (RFC 8078 section 4)",
                         dns_type_text(type, text));
    else if (unknown)
        zone_check_found(c, CHECK_CDS_WRONG, NULL, type, NULL,
                         "has %s of a key that it does not have", dns_type_text(type, text));
    return removal;
}

/* Each key in one is in the other (RFC 7344 section 4). */
static bool same_keys(const struct check *c)
{
    struct zone_rrset cds, cdnskey;
    struct check_item a, b;
    if (!zone_node_find(c->z, zone_apex(c->z), DNS_TYPE_CDS, &cds) ||
        !zone_node_find(c->z, zone_apex(c->z), DNS_TYPE_CDNSKEY, &cdnskey))
        return false;
    for (unsigned way = 0; way < 2; way++) {
        const struct zone_rrset *from = way == 0 ? &cds : &cdnskey;
        const struct zone_rrset *to = way == 0 ? &cdnskey : &cds;
        for (uint32_t at = 0; check_item(from->rdata, from->rdata_len, &at, &a);) {
            bool found = false;
            for (uint32_t bt = 0; !found && check_item(to->rdata, to->rdata_len, &bt, &b);) {
                const struct check_item *ds = way == 0 ? &a : &b, *key = way == 0 ? &b : &a;
                found = ds->len > 4 && key->len > 4 && ds->rdata[2] == key->rdata[3] &&
                        tag_of(key) == (uint16_t)(ds->rdata[0] << 8 | ds->rdata[1]);
            }
            if (!found)
                return false;
        }
    }
    return true;
}

static void check_children(struct check *c)
{
    unsigned cds, cdnskey;
    bool cds_removal = check_child(c, DNS_TYPE_CDS, &cds);
    bool cdnskey_removal = check_child(c, DNS_TYPE_CDNSKEY, &cdnskey);
    if (cds != 0 && cdnskey != 0 &&
        (cds_removal != cdnskey_removal || (!cds_removal && !same_keys(c))))
        zone_check_found(c, CHECK_CDS_WRONG, NULL, DNS_TYPE_CDS, NULL,
                         "has CDS and CDNSKEY that do not say the same");
}

void zone_check_keys(struct check *c)
{
    struct zone_rrset r, soa;
    struct check_item item;
    const struct zone_node *apex = zone_apex(c->z);
    bool keys = zone_node_find(c->z, apex, DNS_TYPE_DNSKEY, &r);
    for (uint32_t at = 0; keys && check_item(r.rdata, r.rdata_len, &at, &item);)
        take_key(c, &item);
    bool sigs = zone_node_find(c->z, apex, DNS_TYPE_SOA, &soa) && soa.sig_count != 0;
    c->is_signed = keys && sigs;
    if (keys && !sigs)
        zone_check_found(c, CHECK_KEYS_UNSIGNED, NULL, DNS_TYPE_DNSKEY, NULL,
                         "has keys, and its SOA is not signed");
    check_children(c);
    c->nsec = (apex->flags & IMAGE_NODE_NSEC) != 0;
    zone_check_nsec3_param(c);
    if (c->is_signed && !c->nsec && !c->nsec3.used)
        zone_check_found(c, CHECK_NO_DENIAL, NULL, 0, NULL,
                         "is signed and has neither NSEC nor NSEC3");
    for (unsigned k = 0; c->nsec3.used && k < c->keys; k++)
        if (c->key[k].usable && c->key[k].algorithm <= 5) {
            zone_check_found(c, CHECK_KEY_NSEC3, NULL, DNS_TYPE_DNSKEY, NULL,
                             "has NSEC3 and keys of algorithm %u", c->key[k].algorithm);
            break;
        }
}

void zone_check_keys_fini(struct check *c)
{
    for (unsigned k = 0; k < c->keys; k++)
        zone_check_key_free(&c->key[k]);
}
