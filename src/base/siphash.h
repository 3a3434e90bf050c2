/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
#ifndef BASE_SIPHASH_H
#define BASE_SIPHASH_H

/* SipHash-2-4 with a result of 64 bits (Aumasson, Bernstein: "SipHash: a fast short-input PRF", 2012),
 * for DNS cookies (RFC 9018 section 4.4). No include, so that BPF programs can share it; with a `len`
 * that is known at compile time no loop is left that a verifier could not see through. */

typedef __UINT64_TYPE__ siphash_u64;

static inline siphash_u64 siphash_rotl(siphash_u64 v, unsigned by)
{
    return v << by | v >> (64 - by);
}

static inline siphash_u64 siphash_le64(const unsigned char *p)
{
    return (siphash_u64)p[0] | (siphash_u64)p[1] << 8 | (siphash_u64)p[2] << 16 |
           (siphash_u64)p[3] << 24 | (siphash_u64)p[4] << 32 | (siphash_u64)p[5] << 40 |
           (siphash_u64)p[6] << 48 | (siphash_u64)p[7] << 56;
}

static inline void siphash_rounds(siphash_u64 v[4], unsigned rounds)
{
    for (unsigned i = 0; i < rounds; i++) {
        v[0] += v[1];
        v[1] = siphash_rotl(v[1], 13) ^ v[0];
        v[0] = siphash_rotl(v[0], 32);
        v[2] += v[3];
        v[3] = siphash_rotl(v[3], 16) ^ v[2];
        v[0] += v[3];
        v[3] = siphash_rotl(v[3], 21) ^ v[0];
        v[2] += v[1];
        v[1] = siphash_rotl(v[1], 17) ^ v[2];
        v[2] = siphash_rotl(v[2], 32);
    }
}

/* The hash of `len` bytes under a key of 16. Its bytes in the order in which the reference code writes
 * them are those of the result from the lowest on. */
static inline siphash_u64 siphash24(const unsigned char *key, const unsigned char *msg,
                                    unsigned len)
{
    siphash_u64 k0 = siphash_le64(key), k1 = siphash_le64(key + 8);
    siphash_u64 v[4] = { k0 ^ 0x736f6d6570736575u, k1 ^ 0x646f72616e646f6du,
                         k0 ^ 0x6c7967656e657261u, k1 ^ 0x7465646279746573u };
    unsigned at = 0;
    for (; at + 8 <= len; at += 8) {
        siphash_u64 m = siphash_le64(msg + at);
        v[3] ^= m;
        siphash_rounds(v, 2);
        v[0] ^= m;
    }
    siphash_u64 last = (siphash_u64)len << 56;
    for (unsigned i = 0; at + i < len; i++)
        last |= (siphash_u64)msg[at + i] << 8 * i;
    v[3] ^= last;
    siphash_rounds(v, 2);
    v[0] ^= last;
    v[2] ^= 0xff;
    siphash_rounds(v, 4);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

#endif
