/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Numbers of RDATA that may be written as names: algorithms and the like. */
#include <stdio.h>
#include <string.h>

#include "zone/rdata_text.h"

struct mnemonic {
    const char *text;
    uint16_t value;
};

/* IANA "DNS Security Algorithm Numbers" (RFC 4034 section 2.2). */
static const struct mnemonic algorithms[] = {
    { "RSAMD5", 1 },       { "DH", 2 },
    { "DSA", 3 },          { "ECC", 4 },
    { "RSASHA1", 5 },      { "DSA-NSEC3-SHA1", 6 },
    { "NSEC3DSA", 6 },     { "RSASHA1-NSEC3-SHA1", 7 },
    { "NSEC3RSASHA1", 7 }, { "RSASHA256", 8 },
    { "RSASHA512", 10 },   { "ECC-GOST", 12 },
    { "ECCGOST", 12 },     { "ECDSAP256SHA256", 13 },
    { "ECDSA256", 13 },    { "ECDSAP384SHA384", 14 },
    { "ECDSA384", 14 },    { "ED25519", 15 },
    { "ED448", 16 },       { "SM2SM3", 17 },
    { "ECC-GOST12", 23 },  { "INDIRECT", 252 },
    { "PRIVATEDNS", 253 }, { "PRIVATEOID", 254 },
    { NULL, 0 },
};

/* IANA "Delegation Signer Digest Algorithms". */
static const struct mnemonic digests[] = {
    { "SHA-1", 1 }, { "SHA1", 1 },    { "SHA-256", 2 }, { "SHA256", 2 },
    { "GOST", 3 },  { "SHA-384", 4 }, { "SHA384", 4 },  { NULL, 0 },
};

/* RFC 4398 section 2.1. */
static const struct mnemonic certificates[] = {
    { "PKIX", 1 },  { "SPKI", 2 },  { "PGP", 3 },    { "IPKIX", 4 },
    { "ISPKI", 5 }, { "IPGP", 6 },  { "ACPKIX", 7 }, { "IACPKIX", 8 },
    { "URI", 253 }, { "OID", 254 }, { NULL, 0 },
};

/* RFC 2535 section 7.1 */
static const struct mnemonic key_protocols[] = {
    { "NONE", 0 },  { "TLS", 1 },   { "EMAIL", 2 }, { "DNSSEC", 3 },
    { "IPSEC", 4 }, { "ALL", 255 }, { NULL, 0 },
};

/* RFC 2535 section 7.1: joined by '|' */
static const struct mnemonic key_flags[] = {
    { "NOCONF", 0x4000 }, { "NOAUTH", 0x8000 }, { "NOKEY", 0xc000 },  { "FLAG2", 0x2000 },
    { "EXTEND", 0x1000 }, { "FLAG4", 0x0800 },  { "FLAG5", 0x0400 },  { "USER", 0x0000 },
    { "ZONE", 0x0100 },   { "HOST", 0x0200 },   { "NTYP3", 0x0300 },  { "FLAG8", 0x0080 },
    { "FLAG9", 0x0040 },  { "FLAG10", 0x0020 }, { "FLAG11", 0x0010 }, { "SIG0", 0 },
    { "SIG1", 1 },        { "SIG2", 2 },        { "SIG3", 3 },        { "SIG4", 4 },
    { "SIG5", 5 },        { "SIG6", 6 },        { "SIG7", 7 },        { "SIG8", 8 },
    { "SIG9", 9 },        { "SIG10", 10 },      { "SIG11", 11 },      { "SIG12", 12 },
    { "SIG13", 13 },      { "SIG14", 14 },      { "SIG15", 15 },      { NULL, 0 },
};

/* RFC 9859 section 3.2 */
static const struct mnemonic schemes[] = { { "NOTIFY", 1 }, { NULL, 0 } };

static bool find_mnemonic(const struct mnemonic *table, const struct zone_token *t, uint64_t *v)
{
    for (const struct mnemonic *m = table; m->text != NULL; m++)
        if (zone_token_is(t, m->text)) {
            *v = m->value;
            return true;
        }
    return false;
}

static bool read_mnemonic(struct zone_rdata_text *t, const struct mnemonic *table, const char *what,
                          unsigned bytes)
{
    uint64_t v;
    char unknown[64];
    if (!zone_rdata_text_word(t, what))
        return false;
    if (!find_mnemonic(table, &t->tok, &v) &&
        !zone_token_number(&t->tok, bytes == 1 ? UINT8_MAX : UINT16_MAX, &v)) {
        snprintf(unknown, sizeof unknown, "%s is not known; give its number", what);
        return zone_rdata_text_fault(t, unknown);
    }
    if (bytes == 1)
        wr_u8(t->w, (uint8_t)v);
    else
        wr_u16(t->w, (uint16_t)v);
    return true;
}

/* A number, or names joined by '|'. */
static bool read_key_flags(struct zone_rdata_text *t)
{
    uint64_t v, sum = 0;
    if (!zone_rdata_text_word(t, "the flags"))
        return false;
    if (!zone_token_number(&t->tok, UINT16_MAX, &sum)) {
        struct zone_token part = t->tok;
        const uint8_t *end = t->tok.at + t->tok.len;
        for (;; part.at += part.len + 1) {
            const uint8_t *bar = memchr(part.at, '|', (size_t)(end - part.at));
            part.len = (size_t)((bar != NULL ? bar : end) - part.at);
            if (!find_mnemonic(key_flags, &part, &v))
                return zone_rdata_text_fault(t, "flags that are not known; give their number");
            sum |= v;
            if (bar == NULL)
                break;
        }
    }
    wr_u16(t->w, (uint16_t)sum);
    return true;
}

bool zone_rdata_text_names(struct zone_rdata_text *t, char field)
{
    switch (field) {
    case 'g':
        return read_mnemonic(t, algorithms, "the algorithm", 1);
    case 'd':
        return read_mnemonic(t, digests, "the digest type", 1);
    case 'c':
        return read_mnemonic(t, certificates, "the certificate type", 2);
    case 'f':
        return read_key_flags(t);
    case 'p':
        return read_mnemonic(t, key_protocols, "the protocol", 1);
    default:
        return read_mnemonic(t, schemes, "the scheme", 1);
    }
}
