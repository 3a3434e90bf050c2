/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Transaction signatures (RFC 8945). A MAC covers what came before it (the MAC of the request, or of the
 * message before), the message without its TSIG, and what the TSIG says besides: all of it in requests
 * and first responses, time and fudge only in later messages of a stream (sections 4.3 and 5.3). */
#include <nettle/base64.h>
#include <nettle/memops.h>
#include <string.h>

#include "base/wr.h"
#include "dns/message.h"
#include "dns/tsig.h"

#define MAC_LEN_MIN 10 /* section 5.2.2.1 */

static const struct {
    const char *text;
    const uint8_t *wire; /* canonical: in lower case */
    uint8_t wire_len, mac_len;
} algorithms[TSIG_ALGORITHMS] = {
    [TSIG_HMAC_SHA256] = { "hmac-sha256", (const uint8_t *)"\013hmac-sha256", 13, 32 },
    [TSIG_HMAC_SHA384] = { "hmac-sha384", (const uint8_t *)"\013hmac-sha384", 13, 48 },
    [TSIG_HMAC_SHA512] = { "hmac-sha512", (const uint8_t *)"\013hmac-sha512", 13, 64 },
};

static inline uint8_t lower(uint8_t c)
{
    return (uint8_t)(c - 'A') < 26 ? (uint8_t)(c | 0x20) : c;
}

bool tsig_algorithm_parse(enum tsig_algorithm *a, const char *text)
{
    for (int i = 0; i < TSIG_ALGORITHMS; i++) {
        const char *t = text, *name = algorithms[i].text;
        while (*name != '\0' && lower((uint8_t)*t) == (uint8_t)*name) {
            t++;
            name++;
        }
        if (*name == '\0' && (*t == '\0' || (t[0] == '.' && t[1] == '\0'))) {
            *a = (enum tsig_algorithm)i;
            return true;
        }
    }
    return false;
}

const char *tsig_algorithm_name(enum tsig_algorithm a)
{
    return algorithms[a].text;
}

const char *tsig_key_parse(struct tsig_key *k, const char *name, const char *algorithm,
                           const char *secret)
{
    struct base64_decode_ctx ctx;
    uint8_t bytes[BASE64_DECODE_LENGTH(2048)];
    size_t len = strlen(secret), got = sizeof bytes;
    memset(k, 0, sizeof *k);
    if (!dns_name_from_text(&k->name, name))
        return "its name is no domain name";
    if (!tsig_algorithm_parse(&k->algorithm, algorithm))
        return "its algorithm is none of hmac-sha256, hmac-sha384, hmac-sha512";
    base64_decode_init(&ctx);
    if (len > 2048)
        return "its secret is too long";
    if (base64_decode_update(&ctx, &got, bytes, len, secret) != 1 || base64_decode_final(&ctx) != 1)
        return "its secret is no base64";
    if (got == 0 || got > TSIG_SECRET_MAX)
        return got == 0 ? "its secret is empty" : "its secret is too long";
    memcpy(k->secret, bytes, got);
    k->secret_len = (uint16_t)got;
    return NULL;
}

const char *tsig_status_text(enum tsig_status s)
{
    static const char *const texts[] = {
        [TSIG_OK] = "signature good",
        [TSIG_ABSENT] = "not signed",
        [TSIG_UNSIGNED] = "not signed, in the middle of a stream",
        [TSIG_FORMERR] = "TSIG or message broken",
        [TSIG_BADKEY] = "unknown key or algorithm (BADKEY)",
        [TSIG_BADSIG] = "signature wrong (BADSIG)",
        [TSIG_BADTIME] = "signed at another time: clocks differ (BADTIME)",
        [TSIG_BADTRUNC] = "signature too short (BADTRUNC)",
        [TSIG_TOLD] = "the server refused the signature",
    };
    return texts[s];
}

const char *tsig_error_text(uint16_t error)
{
    switch (error) {
    case 0:
        return "no error";
    case TSIG_ERROR_BADSIG:
        return "BADSIG";
    case TSIG_ERROR_BADKEY:
        return "BADKEY";
    case TSIG_ERROR_BADTIME:
        return "BADTIME";
    case TSIG_ERROR_BADTRUNC:
        return "BADTRUNC";
    default:
        return "an error that is not TSIG's";
    }
}

/* ---- the digest ---- */

static void digest_begin(struct tsig *t)
{
    const struct tsig_key *k = t->key;
    if (k->algorithm == TSIG_HMAC_SHA256)
        hmac_sha256_set_key(&t->room.sha256, k->secret_len, k->secret);
    else if (k->algorithm == TSIG_HMAC_SHA384)
        hmac_sha384_set_key(&t->room.sha512, k->secret_len, k->secret);
    else
        hmac_sha512_set_key(&t->room.sha512, k->secret_len, k->secret);
}

static void digest_add(struct tsig *t, const uint8_t *bytes, size_t len)
{
    if (t->key->algorithm == TSIG_HMAC_SHA256)
        hmac_sha256_update(&t->room.sha256, len, bytes);
    else
        hmac_sha512_update(&t->room.sha512, len, bytes);
}

static void digest_end(struct tsig *t, uint8_t mac[TSIG_MAC_MAX])
{
    size_t len = algorithms[t->key->algorithm].mac_len;
    if (t->key->algorithm == TSIG_HMAC_SHA256)
        hmac_sha256_digest(&t->room.sha256, len, mac);
    else if (t->key->algorithm == TSIG_HMAC_SHA384)
        hmac_sha384_digest(&t->room.sha512, len, mac);
    else
        hmac_sha512_digest(&t->room.sha512, len, mac);
}

/* The MAC of the message before, with its length (section 4.3.1). */
static void digest_add_before(struct tsig *t)
{
    uint8_t len[2] = { 0, t->mac_len };
    digest_add(t, len, sizeof len);
    digest_add(t, t->mac, t->mac_len);
}

/* What a TSIG says besides its MAC. */
struct said {
    uint64_t time_s; /* 48 bits */
    uint16_t fudge_s, error, other_len;
    const uint8_t *other;
};

static void put_time(struct wr *w, uint64_t time_s)
{
    wr_u16(w, (uint16_t)(time_s >> 32));
    wr_u32(w, (uint32_t)time_s);
}

/* The variables of section 4.3.3: names in lower case, not compressed. */
static void digest_add_said(struct tsig *t, const struct said *s, bool timers_only)
{
    uint8_t buf[2 * DNS_NAME_MAX + 32];
    struct wr w = wr_init(buf, sizeof buf);
    if (!timers_only) {
        for (unsigned i = 0; i < t->key->name.len; i++) /* length bytes are no letters */
            wr_u8(&w, lower(t->key->name.wire[i]));
        wr_u16(&w, DNS_CLASS_ANY);
        wr_u32(&w, 0);
        wr_bytes(&w, algorithms[t->key->algorithm].wire, algorithms[t->key->algorithm].wire_len);
    }
    put_time(&w, s->time_s);
    wr_u16(&w, s->fudge_s);
    if (!timers_only) {
        wr_u16(&w, s->error);
        wr_u16(&w, s->other_len);
    }
    digest_add(t, buf, wr_len(&w));
    if (!timers_only)
        digest_add(t, s->other, s->other_len);
}

/* The whole digest of a message that has, or will have, a TSIG. `msg` is without it, its count in the
 * header too. */
static void digest_whole(struct tsig *t, const uint8_t *msg, size_t len, uint16_t id,
                         const struct said *s, uint8_t mac[TSIG_MAC_MAX])
{
    if (!t->pending) {
        digest_begin(t);
        if (t->response)
            digest_add_before(t);
    }
    uint8_t id_bytes[2] = { (uint8_t)(id >> 8), (uint8_t)id };
    digest_add(t, id_bytes, 2);
    digest_add(t, msg + 2, len - 2);
    digest_add_said(t, s, t->first_done);
    digest_end(t, mac);
    t->pending = false;
}

/* ---- reading ---- */

struct found {
    size_t at; /* where the record begins */
    struct dns_name name, algorithm;
    struct said said;
    const uint8_t *mac;
    uint16_t mac_len, original_id;
};

static bool name_skip(struct rd *r)
{
    for (;;) {
        uint8_t len = rd_u8(r);
        if (r->bad || len == 0)
            return !r->bad;
        if (len >= 0xc0) {
            rd_skip(r, 1);
            return !r->bad;
        }
        if (len > DNS_LABEL_MAX)
            return false;
        rd_skip(r, len);
    }
}

/* The record behind its owner and type (section 4.2). */
static bool found_parse(struct found *f, struct rd *r)
{
    uint16_t rclass = rd_u16(r);
    uint32_t ttl_s = rd_u32(r);
    struct rd data = rd_sub(r, rd_u16(r));
    if (r->bad || rclass != DNS_CLASS_ANY || ttl_s != 0 || !dns_name_parse(&f->algorithm, &data))
        return false;
    uint64_t high = rd_u16(&data);
    f->said.time_s = high << 32 | rd_u32(&data);
    f->said.fudge_s = rd_u16(&data);
    f->mac_len = rd_u16(&data);
    f->mac = rd_bytes(&data, f->mac_len);
    f->original_id = rd_u16(&data);
    f->said.error = rd_u16(&data);
    f->said.other_len = rd_u16(&data);
    f->said.other = rd_bytes(&data, f->said.other_len);
    return !data.bad && rd_left(&data) == 0;
}

/* TSIG_OK: *f is filled in. */
static enum tsig_status find(struct found *f, const uint8_t *msg, size_t len)
{
    struct rd r = rd_init(msg, len);
    rd_skip(&r, 4);
    uint16_t questions = rd_u16(&r);
    uint32_t before = rd_u16(&r);
    before += rd_u16(&r);
    uint32_t total = before + rd_u16(&r);
    for (; questions > 0; questions--) {
        if (!name_skip(&r))
            return TSIG_FORMERR;
        rd_skip(&r, 4);
    }
    for (uint32_t i = 0; i < total && !r.bad; i++) {
        struct rd owner = r;
        if (!name_skip(&r))
            return TSIG_FORMERR;
        if (rd_u16(&r) != DNS_TYPE_TSIG) {
            rd_skip(&r, 6);
            rd_skip(&r, rd_u16(&r));
            continue;
        }
        f->at = (size_t)(owner.pos - msg);
        if (i < before || i + 1 != total || !dns_name_parse_compressed(&f->name, &owner, msg, len))
            return TSIG_FORMERR; /* section 5.1: the last of the additional section */
        return found_parse(f, &r) && rd_left(&r) == 0 ? TSIG_OK : TSIG_FORMERR;
    }
    return r.bad ? TSIG_FORMERR : TSIG_ABSENT;
}

/* Takes the last record off the header's count. */
static void strip(uint8_t *msg)
{
    wr_put_u16(msg + 10, (uint16_t)((msg[10] << 8 | msg[11]) - 1));
}

static bool same_algorithm(const struct found *f, const struct tsig_key *k)
{
    if (f->algorithm.len != algorithms[k->algorithm].wire_len)
        return false;
    for (unsigned i = 0; i < f->algorithm.len; i++)
        if (lower(f->algorithm.wire[i]) != algorithms[k->algorithm].wire[i])
            return false;
    return true;
}

/* MAC, then time, then length (sections 5.2.2 to 5.2.4), of a message that is stripped already. */
static enum tsig_status check(struct tsig *t, const struct found *f, const uint8_t *msg, wall_t now)
{
    uint8_t mac[TSIG_MAC_MAX];
    size_t whole = algorithms[t->key->algorithm].mac_len, least = whole / 2;
    if (least < MAC_LEN_MIN)
        least = MAC_LEN_MIN;
    if (f->mac_len > whole || f->mac_len < least)
        return TSIG_FORMERR;
    digest_whole(t, msg, f->at, f->original_id, &f->said, mac);
    if (!memeql_sec(mac, f->mac, f->mac_len))
        return TSIG_BADSIG;
    memcpy(t->mac, f->mac, f->mac_len);
    t->mac_len = (uint8_t)f->mac_len;
    if (f->said.error == TSIG_ERROR_BADTIME && t->response)
        return TSIG_OK; /* its time is our own (section 5.2.3) */
    int64_t apart = now.s - (int64_t)f->said.time_s;
    if (apart > f->said.fudge_s || -apart > f->said.fudge_s)
        return TSIG_BADTIME;
    return f->mac_len < t->key->mac_min && f->mac_len < whole ? TSIG_BADTRUNC : TSIG_OK;
}

static void remember_unknown(struct tsig *t, const struct found *f)
{
    t->room.unknown.name_len = f->name.len;
    memcpy(t->room.unknown.name, f->name.wire, f->name.len);
    t->room.unknown.algorithm_len = f->algorithm.len;
    memcpy(t->room.unknown.algorithm, f->algorithm.wire, f->algorithm.len);
}

void tsig_begin(struct tsig *t, const struct tsig_key *key)
{
    memset(t, 0, sizeof *t);
    t->key = key;
}

enum tsig_status tsig_verify_request(struct tsig *t, uint8_t *msg, size_t len, tsig_find *find_key,
                                     void *arg, wall_t now, size_t *body_len)
{
    struct found f;
    tsig_begin(t, NULL);
    *body_len = len;
    enum tsig_status s = find(&f, msg, len);
    if (s != TSIG_OK)
        return s;
    strip(msg);
    *body_len = f.at;
    t->key = find_key(arg, &f.name);
    if (t->key == NULL || !same_algorithm(&f, t->key)) {
        t->key = NULL;
        t->error = TSIG_ERROR_BADKEY;
        remember_unknown(t, &f);
        return TSIG_BADKEY;
    }
    s = check(t, &f, msg, now);
    t->response = true;
    switch (s) {
    case TSIG_OK:
        break;
    case TSIG_BADSIG:
        t->error = TSIG_ERROR_BADSIG;
        break;
    case TSIG_BADTIME:
        t->error = TSIG_ERROR_BADTIME;
        t->time_s = (int64_t)f.said.time_s;
        t->fudge_s = f.said.fudge_s;
        break;
    case TSIG_BADTRUNC:
        t->error = TSIG_ERROR_BADTRUNC;
        break;
    default: /* FORMERR: nothing of it can be answered with a TSIG */
        t->key = NULL;
        break;
    }
    return s;
}

/* A message without TSIG, in the middle of a stream (section 5.3.1). */
static enum tsig_status pass_unsigned(struct tsig *t, const uint8_t *msg, size_t len)
{
    if (!t->first_done || t->unsigned_count >= TSIG_UNSIGNED_MAX)
        return TSIG_ABSENT;
    if (!t->pending) {
        digest_begin(t);
        digest_add_before(t);
        t->pending = true;
    }
    digest_add(t, msg, len);
    t->unsigned_count++;
    t->ended_signed = false;
    return TSIG_UNSIGNED;
}

static int64_t other_time(const struct said *s)
{
    struct rd r = rd_init(s->other, s->other_len);
    uint64_t high = rd_u16(&r);
    return (int64_t)(high << 32 | rd_u32(&r));
}

enum tsig_status tsig_verify_response(struct tsig *t, uint8_t *msg, size_t len, wall_t now,
                                      size_t *body_len)
{
    struct found f;
    *body_len = len;
    if (t->key == NULL)
        return TSIG_OK;
    enum tsig_status s = find(&f, msg, len);
    if (s == TSIG_ABSENT)
        return pass_unsigned(t, msg, len);
    if (s != TSIG_OK)
        return s;
    strip(msg);
    *body_len = f.at;
    if (!dns_name_equal(&f.name, &t->key->name) || !same_algorithm(&f, t->key))
        return TSIG_BADKEY;
    if (f.mac_len == 0 && f.said.error != 0) { /* it could not sign: nobody vouches for it */
        t->error = f.said.error;
        return TSIG_TOLD;
    }
    s = check(t, &f, msg, now);
    if (s != TSIG_OK)
        return s;
    t->first_done = t->ended_signed = true;
    t->unsigned_count = 0;
    if (f.said.error == 0)
        return TSIG_OK;
    t->error = f.said.error;
    if (t->error == TSIG_ERROR_BADTIME && f.said.other_len == 6)
        t->time_s = other_time(&f.said);
    return TSIG_TOLD;
}

bool tsig_may_end(const struct tsig *t)
{
    return t->key == NULL || t->ended_signed;
}

/* ---- writing ---- */

/* Whether the next TSIG has a MAC (section 5.3.2). */
static bool has_mac(const struct tsig *t)
{
    return t->key != NULL && t->error != TSIG_ERROR_BADSIG;
}

size_t tsig_size(const struct tsig *t)
{
    size_t fixed = 10 + 6 + 2 + 2 + 2 + 2 + 2;
    if (t->key == NULL)
        return t->error != 0
                   ? fixed + t->room.unknown.name_len + (size_t)t->room.unknown.algorithm_len
                   : 0;
    return fixed + t->key->name.len + algorithms[t->key->algorithm].wire_len +
           (has_mac(t) ? algorithms[t->key->algorithm].mac_len : 0) +
           (t->error == TSIG_ERROR_BADTIME ? 6 : 0);
}

size_t tsig_sign(struct tsig *t, uint8_t *msg, size_t len, size_t cap, wall_t now)
{
    size_t size = tsig_size(t), mac_len = 0;
    if (size == 0)
        return len;
    if (len < DNS_HEADER_LEN || size > cap || len > cap - size)
        return 0;
    const bool late = t->error == TSIG_ERROR_BADTIME;
    uint8_t other[6], mac[TSIG_MAC_MAX];
    struct wr w = wr_init(other, sizeof other);
    put_time(&w, (uint64_t)now.s);
    struct said s = { .time_s = (uint64_t)(late ? t->time_s : now.s) & 0xffffffffffffu,
                      .fudge_s = late ? t->fudge_s : TSIG_FUDGE_S,
                      .error = t->error,
                      .other_len = late ? 6 : 0,
                      .other = other };
    uint16_t id = (uint16_t)(msg[0] << 8 | msg[1]);
    if (has_mac(t)) {
        digest_whole(t, msg, len, id, &s, mac);
        mac_len = t->mac_len = algorithms[t->key->algorithm].mac_len;
        memcpy(t->mac, mac, mac_len);
    }
    const bool known = t->key != NULL;
    const uint8_t *algorithm =
        known ? algorithms[t->key->algorithm].wire : t->room.unknown.algorithm;
    size_t algorithm_len =
        known ? algorithms[t->key->algorithm].wire_len : t->room.unknown.algorithm_len;
    w = wr_init(msg + len, size);
    wr_bytes(&w, known ? t->key->name.wire : t->room.unknown.name,
             known ? t->key->name.len : t->room.unknown.name_len);
    wr_u16(&w, DNS_TYPE_TSIG);
    wr_u16(&w, DNS_CLASS_ANY);
    wr_u32(&w, 0);
    wr_u16(&w, (uint16_t)(algorithm_len + 16 + mac_len + s.other_len));
    wr_bytes(&w, algorithm, algorithm_len);
    put_time(&w, s.time_s);
    wr_u16(&w, s.fudge_s);
    wr_u16(&w, (uint16_t)mac_len);
    wr_bytes(&w, mac, mac_len);
    wr_u16(&w, id);
    wr_u16(&w, s.error);
    wr_u16(&w, s.other_len);
    wr_bytes(&w, other, s.other_len);
    wr_put_u16(msg + 10, (uint16_t)((msg[10] << 8 | msg[11]) + 1));
    t->first_done = t->response; /* a request's TSIG is followed by the response's first */
    t->response = true;
    return len + size;
}
