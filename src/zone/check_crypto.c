/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Signatures verified, by GnuTLS: RSA with SHA-1 (5, 7), SHA-256 (8), SHA-512 (10), ECDSA P-256 (13) and
 * P-384 (14), Ed25519 (15), Ed448 (16). */
#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>

#include "dns/type.h"
#include "zone/check_parts.h"
#include "zone/rdata.h"

static const struct {
    uint8_t algorithm;
    gnutls_sign_algorithm_t sign;
    gnutls_ecc_curve_t curve; /* 0: RSA */
    unsigned coordinate;      /* bytes of a number of an ECDSA signature; 0: none */
} algorithms[] = {
    { 5, GNUTLS_SIGN_RSA_SHA1, 0, 0 },
    { 7, GNUTLS_SIGN_RSA_SHA1, 0, 0 },
    { 8, GNUTLS_SIGN_RSA_SHA256, 0, 0 },
    { 10, GNUTLS_SIGN_RSA_SHA512, 0, 0 },
    { 13, GNUTLS_SIGN_ECDSA_SHA256, GNUTLS_ECC_CURVE_SECP256R1, 32 },
    { 14, GNUTLS_SIGN_ECDSA_SHA384, GNUTLS_ECC_CURVE_SECP384R1, 48 },
    { 15, GNUTLS_SIGN_EDDSA_ED25519, GNUTLS_ECC_CURVE_ED25519, 0 },
    { 16, GNUTLS_SIGN_EDDSA_ED448, GNUTLS_ECC_CURVE_ED448, 0 },
};

static int known(uint8_t algorithm)
{
    for (unsigned i = 0; i < BASE_COUNT(algorithms); i++)
        if (algorithms[i].algorithm == algorithm)
            return (int)i;
    return -1;
}

/* GnuTLS reads bytes through a struct that could also change them. */
static gnutls_datum_t datum(const uint8_t *p, size_t len)
{
    return (gnutls_datum_t){ .data = (uint8_t *)(uintptr_t)p, .size = (unsigned)len };
}

static int import_rsa(gnutls_pubkey_t key, const uint8_t *p, size_t len)
{
    struct rd r = rd_init(p, len);
    size_t exponent_len = rd_u8(&r);
    if (exponent_len == 0)
        exponent_len = rd_u16(&r);
    const uint8_t *exponent = rd_bytes(&r, exponent_len);
    if (r.bad || exponent_len == 0 || rd_left(&r) == 0)
        return GNUTLS_E_PARSING_ERROR;
    gnutls_datum_t m = datum(r.pos, rd_left(&r)), e = datum(exponent, exponent_len);
    return gnutls_pubkey_import_rsa_raw(key, &m, &e);
}

static bool make(struct check_key *k)
{
    int i = known(k->algorithm);
    gnutls_pubkey_t key;
    if (i < 0 || gnutls_pubkey_init(&key) != 0)
        return false;
    const uint8_t *p = k->rdata + 4;
    const size_t len = k->len - 4u;
    int rc;
    if (algorithms[i].curve == 0) {
        rc = import_rsa(key, p, len);
    } else if (algorithms[i].coordinate != 0) {
        gnutls_datum_t x = datum(p, len / 2), y = datum(p + len / 2, len / 2);
        rc = gnutls_pubkey_import_ecc_raw(key, algorithms[i].curve, &x, &y);
    } else {
        gnutls_datum_t x = datum(p, len);
        rc = gnutls_pubkey_import_ecc_raw(key, algorithms[i].curve, &x, NULL);
    }
    if (rc != 0) {
        gnutls_pubkey_deinit(key);
        return false;
    }
    k->handle = key;
    return true;
}

void zone_check_key_free(struct check_key *key)
{
    if (key->handle != NULL)
        gnutls_pubkey_deinit(key->handle);
    key->handle = NULL;
}

/* What is signed (RFC 4034 section 3.1.8.1) into c->scratch; returns where the signature begins in the
 * RRSIG's RDATA, 0 when that is broken. */
static size_t put_signed(struct check *c, const struct zone_node *n, const struct zone_rrset *r,
                         const struct check_item *sig)
{
    struct rd rd = rd_init(sig->rdata, sig->len);
    struct dns_name signer;
    rd_skip(&rd, 18);
    if (rd.bad || !dns_name_parse(&signer, &rd))
        return 0;
    const size_t head = (size_t)(rd.pos - sig->rdata);
    const size_t owner_len = (size_t)n->name_len + c->z->origin_len;
    size_t need = head + r->rdata_len + r->count * (owner_len + 8);
    if ((size_t)(c->scratch.end - c->scratch.begin) < need) {
        free(c->scratch.begin);
        c->scratch = wr_init(base_alloc(need * 2), need * 2);
    }
    struct wr *w = &c->scratch;
    wr_back(w, w->begin);
    uint8_t *to = wr_room(w, head);
    zone_rdata_canonical(DNS_TYPE_RRSIG, sig->rdata, head, to);
    uint8_t owner[2 * DNS_NAME_MAX];
    memcpy(owner, n + 1, n->name_len);
    memcpy(owner + n->name_len, zone_image_origin(c->z), c->z->origin_len);
    for (size_t i = 0; i < owner_len; i++)
        owner[i] = (uint8_t)(owner[i] - 'A') < 26 ? (uint8_t)(owner[i] | 0x20) : owner[i];
    struct check_item item;
    for (uint32_t at = 0; check_item(r->rdata, r->rdata_len, &at, &item);) {
        wr_bytes(w, owner, owner_len);
        wr_u16(w, r->type);
        wr_u16(w, DNS_CLASS_IN);
        wr_bytes(w, sig->rdata + 4, 4); /* the original TTL */
        wr_u16(w, item.len);
        to = wr_room(w, item.len);
        if (to != NULL)
            zone_rdata_canonical(r->type, item.rdata, item.len, to);
    }
    return w->full ? 0 : head;
}

enum check_verdict zone_check_verify(struct check *c, const struct zone_node *n,
                                     const struct zone_rrset *r, const struct check_item *sig,
                                     struct check_key *key)
{
    if (key->handle == NULL && (key->unknown || !make(key)))
        key->unknown = true;
    if (key->unknown)
        return known(key->algorithm) < 0 ? CHECK_UNKNOWN : CHECK_FORGED;
    const int i = known(key->algorithm);
    const size_t begin = put_signed(c, n, r, sig);
    if (begin == 0)
        return CHECK_FORGED;
    gnutls_datum_t data = datum(c->scratch.begin, wr_len(&c->scratch));
    gnutls_datum_t given = datum(sig->rdata + begin, sig->len - begin), der = { 0 };
    const unsigned coordinate = algorithms[i].coordinate;
    if (coordinate != 0) {
        if (given.size != 2 * coordinate)
            return CHECK_FORGED;
        gnutls_datum_t a = datum(given.data, coordinate);
        gnutls_datum_t b = datum(given.data + coordinate, coordinate);
        if (gnutls_encode_rs_value(&der, &a, &b) != 0)
            return CHECK_FORGED;
        given = der;
    }
    /* SHA-1 is broken for collisions; whether a signature is right is still a question with an answer. */
    int rc = gnutls_pubkey_verify_data2(
        key->handle, algorithms[i].sign,
        GNUTLS_VERIFY_ALLOW_SIGN_WITH_SHA1 | GNUTLS_VERIFY_ALLOW_BROKEN, &data, &given);
    gnutls_free(der.data);
    return rc >= 0 ? CHECK_VERIFIED : CHECK_FORGED;
}
