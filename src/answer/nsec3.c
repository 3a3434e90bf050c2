/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The hashed owner names of NSEC3 (RFC 5155 section 5). SHA-1 (FIPS 180-4 section 6.1) is here because
 * this room calls no library; it keeps nothing secret. */
#include <string.h>

#include "answer/state.h"

#define SHA1_LEN 20
#define SHA1_BLOCK 64

static inline uint32_t rol(uint32_t v, unsigned by)
{
    return v << by | v >> (32 - by);
}

static void sha1_block(uint32_t h[5], const uint8_t *block)
{
    uint32_t w[80];
    for (unsigned i = 0; i < 16; i++)
        w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
               (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
    for (unsigned i = 16; i < 80; i++)
        w[i] = rol(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    uint32_t a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
    for (unsigned i = 0; i < 80; i++) {
        uint32_t f, k;
        if (i < 20) {
            f = (b & c) | (~b & d);
            k = 0x5a827999;
        } else if (i < 40) {
            f = b ^ c ^ d;
            k = 0x6ed9eba1;
        } else if (i < 60) {
            f = (b & c) | (b & d) | (c & d);
            k = 0x8f1bbcdc;
        } else {
            f = b ^ c ^ d;
            k = 0xca62c1d6;
        }
        uint32_t t = rol(a, 5) + f + e + k + w[i];
        e = d;
        d = c;
        c = rol(b, 30);
        b = a;
        a = t;
    }
    h[0] += a;
    h[1] += b;
    h[2] += c;
    h[3] += d;
    h[4] += e;
}

/* `len` is at most 510: a name and a salt. */
static void sha1(const uint8_t *bytes, size_t len, uint8_t out[SHA1_LEN])
{
    uint32_t h[5] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0 };
    size_t at = 0;
    for (; len - at >= SHA1_BLOCK; at += SHA1_BLOCK)
        sha1_block(h, bytes + at);
    uint8_t last[2 * SHA1_BLOCK] = { 0 };
    size_t rest = len - at, size = rest + 9 <= SHA1_BLOCK ? SHA1_BLOCK : 2 * SHA1_BLOCK;
    memcpy(last, bytes + at, rest);
    last[rest] = 0x80;
    wr_put_u16(last + size - 2, (uint16_t)(len * 8));
    for (size_t i = 0; i < size; i += SHA1_BLOCK)
        sha1_block(h, last + i);
    for (unsigned i = 0; i < 5; i++) {
        wr_put_u16(out + 4 * i, (uint16_t)(h[i] >> 16));
        wr_put_u16(out + 4 * i + 2, (uint16_t)h[i]);
    }
}

bool answer_nsec3_params_of(const struct zone *z, struct nsec3_params *p)
{
    struct zone_rrset set;
    if (!zone_node_find(z, zone_apex(z), DNS_TYPE_NSEC3PARAM, &set))
        return false;
    struct rd r = rd_init(set.rdata, set.rdata_len);
    bool found = false;
    for (uint16_t i = 0; i < set.count; i++) {
        struct rd item = rd_sub(&r, rd_u16(&r));
        uint8_t algorithm = rd_u8(&item), flags = rd_u8(&item);
        struct nsec3_params one = { .iterations = rd_u16(&item), .salt_len = rd_u8(&item) };
        one.salt = rd_bytes(&item, one.salt_len);
        if (item.bad || algorithm != 1 || flags != 0) /* RFC 5155 section 4.1.2 */
            continue;
        if (!found || one.iterations < p->iterations)
            *p = one;
        found = true;
    }
    return found;
}

/* RFC 4648 section 7, without padding: 20 bytes are 32 digits. */
static void base32hex(const uint8_t bytes[SHA1_LEN], uint8_t out[32])
{
    static const char digits[] = "0123456789abcdefghijklmnopqrstuv";
    for (unsigned i = 0; i < 32; i++) {
        unsigned bit = i * 5, byte = bit / 8;
        unsigned two = (unsigned)bytes[byte] << 8 | (byte + 1 < SHA1_LEN ? bytes[byte + 1] : 0);
        out[i] = (uint8_t)digits[two >> (11 - bit % 8) & 31];
    }
}

bool answer_nsec3_owner(const struct nsec3_params *p, const struct dns_name *n,
                        const struct dns_name *origin, struct dns_name *out)
{
    uint8_t text[DNS_NAME_MAX + 255], hash[SHA1_LEN];
    size_t len = n->len;
    for (size_t i = 0; i < len; i++) { /* length bytes are below 'A' */
        uint8_t c = n->wire[i];
        text[i] = (uint8_t)(c - 'A') < 26 ? (uint8_t)(c | 0x20) : c;
    }
    for (uint32_t i = 0; i <= p->iterations; i++) {
        if (p->salt_len > 0)
            memcpy(text + len, p->salt, p->salt_len);
        sha1(text, len + p->salt_len, hash);
        memcpy(text, hash, SHA1_LEN);
        len = SHA1_LEN;
    }
    struct dns_name label;
    uint8_t wire[34] = { 32 };
    base32hex(hash, wire + 1);
    struct rd r = rd_init(wire, sizeof wire);
    return dns_name_parse(&label, &r) && dns_name_join(&label, 1, origin, out);
}
