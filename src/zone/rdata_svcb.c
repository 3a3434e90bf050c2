/* SPDX-License-Identifier: GPL-3.0-or-later */
/* SvcParams of SVCB and HTTPS (RFC 9460 sections 2.1, 2.2, 7, 8 and appendix A). */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "zone/rdata_text.h"

#define SVCB_PARAMS_MAX 512 /* of one record */

enum svcb_key {
    SVCB_MANDATORY = 0,
    SVCB_ALPN = 1,
};

/* How the value of a key looks. */
enum svcb_value {
    VALUE_KEYS,     /* keys, ascending on the wire */
    VALUE_STRINGS,  /* a list of strings of 1 to 255 bytes, each with its length */
    VALUE_SEGMENTS, /* the same, may be empty, and so may the strings */
    VALUE_NONE,
    VALUE_NUMBER,  /* 16 bits */
    VALUE_NUMBERS, /* a list of them, none twice */
    VALUE_IPV4,    /* a list */
    VALUE_IPV6,    /* a list */
    VALUE_BASE64,
    VALUE_TEXT, /* dohpath's template */
    VALUE_BYTES,
};

/* IANA "DNS SVCB Service Parameter Keys". */
static const struct svcb_row {
    const char *name;
    uint16_t key;
    enum svcb_value value;
} rows[] = {
    { "mandatory", SVCB_MANDATORY, VALUE_KEYS }, /* RFC 9460 section 8 */
    { "alpn", SVCB_ALPN, VALUE_STRINGS },        /* 7.1 */
    { "no-default-alpn", 2, VALUE_NONE },        /* 7.1 */
    { "port", 3, VALUE_NUMBER },                 /* 7.2 */
    { "ipv4hint", 4, VALUE_IPV4 },               /* 7.3 */
    { "ech", 5, VALUE_BASE64 },                  /* RFC 9848 */
    { "ipv6hint", 6, VALUE_IPV6 },               /* RFC 9460 section 7.3 */
    { "dohpath", 7, VALUE_TEXT },                /* RFC 9461 section 5 */
    { "ohttp", 8, VALUE_NONE },                  /* RFC 9540 section 4 */
    { "tls-supported-groups", 9, VALUE_NUMBERS },
    { "docpath", 10, VALUE_SEGMENTS },
};

struct param {
    uint16_t key, len;
    uint32_t at; /* in the bytes of all values */
};

static enum svcb_value value_of(uint16_t key)
{
    return key < BASE_COUNT(rows) ? rows[key].value : VALUE_BYTES;
}

/* *raw: written as keyN, whose value is that of the wire (section 2.1). */
static bool find_key(const uint8_t *at, size_t len, uint16_t *key, bool *raw)
{
    *raw = false;
    struct zone_token t = { .kind = ZONE_TOKEN_WORD, .at = at, .len = len };
    uint64_t v;
    for (size_t i = 0; i < BASE_COUNT(rows); i++)
        if (len == strlen(rows[i].name) &&
            memcmp(at, rows[i].name, len) == 0) { /* lower case only */
            *key = rows[i].key;
            return true;
        }
    if (len < 4 || memcmp(at, "key", 3) != 0)
        return false;
    t.at += 3;
    t.len -= 3;
    /* Section 2.1: no leading zeros. */
    if ((t.len > 1 && t.at[0] == '0') || !zone_token_number(&t, UINT16_MAX, &v))
        return false;
    *key = (uint16_t)v;
    *raw = true;
    return true;
}

/* The value of one parameter, a char-string undone (appendix A.1): `text` is what is left of it. */
struct value {
    struct zone_rdata_text *t;
    uint8_t *text;
    size_t len;
};

/* The next item of a comma-separated list (appendix A.1): a backslash takes the next character with
 * it. False at the end; *at begins at 0. `item` has room for the whole. */
static bool next_item(const struct value *v, size_t *at, uint8_t *item, size_t *item_len)
{
    if (*at > v->len)
        return false;
    *item_len = 0;
    for (; *at < v->len && v->text[*at] != ','; ++*at) {
        if (v->text[*at] == '\\' && *at + 1 < v->len)
            ++*at;
        item[(*item_len)++] = v->text[*at];
    }
    ++*at;
    return true;
}

static int compare_u16(const void *a, const void *b)
{
    const uint16_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static bool put_keys(struct value *v, struct wr *w, uint8_t *item)
{
    uint16_t keys[SVCB_PARAMS_MAX];
    size_t count = 0, at = 0, len;
    bool raw;
    while (next_item(v, &at, item, &len)) {
        if (count == SVCB_PARAMS_MAX || !find_key(item, len, &keys[count], &raw))
            return zone_rdata_text_fault(v->t, "a mandatory key that is none");
        count++;
    }
    qsort(keys, count, sizeof keys[0], compare_u16);
    for (size_t i = 0; i < count; i++)
        wr_u16(w, keys[i]);
    return true;
}

static bool put_strings(struct value *v, struct wr *w, uint8_t *item, bool may_be_empty)
{
    size_t at = 0, len;
    if (v->len == 0)
        return may_be_empty || zone_rdata_text_fault(v->t, "the list is empty");
    for (size_t i = 0; i < v->len; i++)
        if (v->text[i] == '\\' && (++i == v->len || (v->text[i] != '\\' && v->text[i] != ',')))
            return zone_rdata_text_fault(v->t,
                                         "in a list a backslash stands before a comma or another "
                                         "backslash (RFC 9460 appendix A.1)");
    while (next_item(v, &at, item, &len)) {
        if (len > 255 || (len == 0 && !may_be_empty))
            return zone_rdata_text_fault(v->t, "an item of a list that is empty or over 255 bytes");
        wr_u8(w, (uint8_t)len);
        wr_bytes(w, item, len);
    }
    return true;
}

static bool put_numbers(struct value *v, struct wr *w, uint8_t *item, bool one)
{
    size_t at = 0, len;
    while (next_item(v, &at, item, &len)) {
        struct zone_token t = { .kind = ZONE_TOKEN_WORD, .at = item, .len = len };
        uint64_t number;
        if (!zone_token_number(&t, UINT16_MAX, &number) || (one && at <= v->len))
            return zone_rdata_text_fault(v->t, one ? "not a number up to 65535"
                                                   : "not a list of numbers up to 65535");
        wr_u16(w, (uint16_t)number);
    }
    return true;
}

static bool put_addresses(struct value *v, struct wr *w, uint8_t *item, int family)
{
    size_t at = 0, len;
    while (next_item(v, &at, item, &len)) {
        char text[INET6_ADDRSTRLEN] = "";
        uint8_t addr[16];
        if (len < sizeof text && memchr(item, '\0', len) == NULL)
            memcpy(text, item, len);
        if (inet_pton(family, text, addr) != 1)
            return zone_rdata_text_fault(v->t, "not a list of addresses");
        wr_bytes(w, addr, family == AF_INET ? 4 : 16);
    }
    return true;
}

static bool put_base64(struct value *v, struct wr *w)
{
    struct wr *before = v->t->w;
    v->t->w = w;
    bool good = v->len != 0 ? zone_rdata_text_base64(v->t, v->text, v->len)
                            : zone_rdata_text_fault(v->t, "the value is missing");
    v->t->w = before;
    return good;
}

static bool put_value(struct value *v, uint16_t key, struct wr *w, uint8_t *item)
{
    switch (value_of(key)) {
    case VALUE_KEYS:
        return put_keys(v, w, item);
    case VALUE_STRINGS:
        return put_strings(v, w, item, false);
    case VALUE_SEGMENTS:
        return put_strings(v, w, item, true);
    case VALUE_NONE:
        return v->len == 0 || zone_rdata_text_fault(v->t, "this key has no value");
    case VALUE_NUMBER:
    case VALUE_NUMBERS:
        return put_numbers(v, w, item, value_of(key) == VALUE_NUMBER);
    case VALUE_IPV4:
        return put_addresses(v, w, item, AF_INET);
    case VALUE_IPV6:
        return put_addresses(v, w, item, AF_INET6);
    case VALUE_BASE64:
        return put_base64(v, w);
    case VALUE_TEXT:
    case VALUE_BYTES:
        wr_bytes(w, v->text, v->len);
        return true;
    }
    return false;
}

/* Wire form of one value. */

static const char *wire_keys(struct rd *v)
{
    int last = SVCB_MANDATORY;
    do {
        uint16_t key = rd_u16(v);
        if (!v->bad && key <= last)
            return key == SVCB_MANDATORY ? "mandatory names itself"
                                         : "the keys of mandatory are out of order, or twice";
        last = key;
    } while (!v->bad && rd_left(v) != 0);
    return v->bad ? "the value of mandatory ends early" : NULL;
}

static const char *wire_strings(struct rd *v, bool may_be_empty)
{
    if (rd_left(v) == 0)
        return may_be_empty ? NULL : "the list is empty";
    while (!v->bad && rd_left(v) != 0) {
        uint8_t len = rd_u8(v);
        if (len == 0 && !may_be_empty)
            return "an item of a list is empty";
        rd_skip(v, len);
    }
    return v->bad ? "a list ends early" : NULL;
}

static const char *wire_numbers(struct rd *v)
{
    if (rd_left(v) == 0 || rd_left(v) % 2 != 0)
        return "not a list of numbers";
    const uint8_t *p = v->pos;
    size_t count = rd_left(v) / 2;
    static const char *const twice = "a number is twice in a list";
    uint8_t seen[8192] = { 0 };
    for (size_t i = 0; i < count; i++) {
        unsigned n = (unsigned)(p[2 * i] << 8 | p[2 * i + 1]);
        if (seen[n / 8] & 1u << n % 8)
            return twice;
        seen[n / 8] |= (uint8_t)(1u << n % 8);
    }
    return NULL;
}

/* RFC 9461 section 5: a template of a path with the variable dns. */
static const char *wire_dohpath(struct rd *v)
{
    const uint8_t *p = memchr(v->pos, '{', rd_left(v));
    const uint8_t *close = p != NULL ? memchr(p, '}', (size_t)(v->end - p)) : NULL;
    if (rd_left(v) == 0 || v->pos[0] != '/')
        return "dohpath does not begin with /";
    for (; close != NULL && p + 3 < close; p++)
        if (memcmp(p + 1, "dns", 3) == 0)
            return NULL;
    return "dohpath has no variable like {?dns}";
}

static const char *wire_value(uint16_t key, struct rd *v)
{
    size_t len = rd_left(v);
    switch (value_of(key)) {
    case VALUE_KEYS:
        return wire_keys(v);
    case VALUE_STRINGS:
        return wire_strings(v, false);
    case VALUE_SEGMENTS:
        return wire_strings(v, true);
    case VALUE_NONE:
        return len == 0 ? NULL : "a key that has no value has one";
    case VALUE_NUMBER:
        return len == 2 ? NULL : "port is not a number";
    case VALUE_NUMBERS:
        return wire_numbers(v);
    case VALUE_IPV4:
        return len != 0 && len % 4 == 0 ? NULL : "ipv4hint is not a list of addresses";
    case VALUE_IPV6:
        return len != 0 && len % 16 == 0 ? NULL : "ipv6hint is not a list of addresses";
    case VALUE_BASE64:
        return len != 0 ? NULL : "the value is missing";
    case VALUE_TEXT:
        return wire_dohpath(v);
    case VALUE_BYTES:
        return NULL;
    }
    return NULL;
}

/* Whether every key that `mandatory` (its value) names is among the keys; both ascend. */
static bool has_keys(struct rd mandatory, struct rd params)
{
    while (rd_left(&mandatory) != 0) {
        uint16_t want = rd_u16(&mandatory), key;
        do {
            if (rd_left(&params) == 0)
                return false;
            key = rd_u16(&params);
            rd_skip(&params, rd_u16(&params));
        } while (key < want);
        if (key != want)
            return false;
    }
    return true;
}

const char *zone_rdata_wire_svcb(struct rd *r)
{
    int last = -1;
    struct rd all = *r, mandatory = rd_init(r->pos, 0);
    while (!r->bad && rd_left(r) != 0) {
        uint16_t key = rd_u16(r);
        struct rd value = rd_sub(r, rd_u16(r)), left = value;
        if (r->bad)
            return "a parameter ends early";
        if (key <= last)
            return key == last ? "a key is given twice" : "the keys are out of order";
        last = key;
        const char *fault = wire_value(key, &left);
        if (fault != NULL)
            return fault;
        if (key == SVCB_MANDATORY)
            mandatory = value;
    }
    return has_keys(mandatory, all) ? NULL : "a key that is mandatory is missing";
}

static int compare_params(const void *a, const void *b)
{
    const struct param *x = a, *y = b;
    return (x->key > y->key) - (x->key < y->key);
}

/* The scratch of one record. */
struct scratch {
    uint8_t text[UINT16_MAX], item[UINT16_MAX], bytes[UINT16_MAX];
    struct param param[SVCB_PARAMS_MAX];
    size_t count;
};

/* One "key", "key=value" or "key="value"", whose word is in hand. */
static bool read_param(struct zone_rdata_text *t, struct scratch *s, struct wr *bytes)
{
    const uint8_t *at = t->tok.at;
    const uint8_t *equals = memchr(at, '=', t->tok.len);
    size_t key_len = equals != NULL ? (size_t)(equals - at) : t->tok.len;
    struct param *p = &s->param[s->count];
    bool raw = false;
    if (t->tok.kind != ZONE_TOKEN_WORD || !find_key(at, key_len, &p->key, &raw))
        return zone_rdata_text_fault(t, "a key that is not known; write keyN");
    if (s->count == SVCB_PARAMS_MAX)
        return zone_rdata_text_fault(t, "more than 511 parameters");
    struct wr text = wr_init(s->text, sizeof s->text), *w = t->w;
    struct zone_token value = { .at = at };
    if (equals != NULL) {
        value.at = equals + 1;
        value.len = t->tok.len - key_len - 1;
    }
    struct zone_lexer before = *t->lx;
    struct zone_token quoted;
    zone_lexer_next(t->lx, &quoted);
    if (equals != NULL && value.len == 0 && quoted.kind == ZONE_TOKEN_QUOTED && quoted.glued)
        value = quoted;
    else
        *t->lx = before;
    t->w = &text;
    bool good = zone_rdata_text_bytes(t, value.at, value.len, UINT16_MAX);
    t->w = w;
    p->at = (uint32_t)wr_len(bytes);
    struct value v = { .t = t, .text = s->text, .len = wr_len(&text) };
    if (!good)
        return false;
    if (raw)
        wr_bytes(bytes, v.text, v.len);
    else if (!put_value(&v, p->key, bytes, s->item))
        return false;
    p->len = (uint16_t)(wr_len(bytes) - p->at);
    s->count++;
    return true;
}

static bool read_params(struct zone_rdata_text *t, struct scratch *s)
{
    struct wr bytes = wr_init(s->bytes, sizeof s->bytes);
    bool end = false;
    for (;;) {
        if (!zone_rdata_text_more(t, &end))
            return false;
        if (end)
            break;
        if (!read_param(t, s, &bytes))
            return false;
    }
    if (bytes.full)
        return zone_rdata_text_fault(t, "more than 65535 bytes of data");
    qsort(s->param, s->count, sizeof s->param[0], compare_params);
    const uint8_t *from = t->w->pos;
    for (size_t i = 0; i < s->count; i++) {
        wr_u16(t->w, s->param[i].key);
        wr_u16(t->w, s->param[i].len);
        wr_bytes(t->w, s->bytes + s->param[i].at, s->param[i].len);
    }
    struct rd r = rd_init(from, (size_t)(t->w->pos - from));
    const char *fault = t->w->full ? "more than 65535 bytes of data" : zone_rdata_wire_svcb(&r);
    return fault == NULL || zone_rdata_text_fault(t, fault);
}

bool zone_rdata_text_svcb(struct zone_rdata_text *t)
{
    struct scratch *s = base_alloc(sizeof *s);
    s->count = 0;
    bool good = read_params(t, s);
    free(s);
    return good;
}
