/* SPDX-License-Identifier: GPL-3.0-or-later */
/* RDATA from text, field by field of the table in rdata_rows.c. */
#include "zone/rdata_text.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "dns/type.h"

#define RDATA_NEAR_MAX 40 /* bytes of a token that a message shows */

bool zone_rdata_text_fault(struct zone_rdata_text *t, const char *what)
{
    char type[DNS_TYPE_TEXT_MAX], near[RDATA_NEAR_MAX + 4];
    const struct zone_rdata_row *row = zone_rdata_row(t->type);
    char hint[sizeof t->e->hint] = "";
    size_t len = 0;
    for (; len < RDATA_NEAR_MAX && len < t->tok.len; len++) {
        uint8_t c = t->tok.at[len];
        near[len] = c >= ' ' && c < 127 ? (char)c : '?';
    }
    snprintf(near + len, sizeof near - len, "%s", len < t->tok.len ? "..." : "");
    dns_type_text(t->type, type);
    if (row != NULL)
        snprintf(hint, sizeof hint, "write %s %s", type, row->written);
    t->e->line = t->tok.line;
    if (t->tok.kind == ZONE_TOKEN_BAD)
        return err_set(t->e, ERR_INPUT, NULL, "%s", t->tok.fault);
    if (t->tok.kind == ZONE_TOKEN_END)
        return err_set(t->e, ERR_INPUT, hint, "%s: %s", type, what);
    return err_set(t->e, ERR_INPUT, hint, "%s: %s: '%s'", type, what, near);
}

bool zone_rdata_text_more(struct zone_rdata_text *t, bool *end)
{
    zone_lexer_next(t->lx, &t->tok);
    *end = t->tok.kind == ZONE_TOKEN_END;
    return t->tok.kind != ZONE_TOKEN_BAD || zone_rdata_text_fault(t, "");
}

bool zone_rdata_text_word(struct zone_rdata_text *t, const char *what)
{
    bool end;
    char missing[64];
    if (!zone_rdata_text_more(t, &end))
        return false;
    if (!end)
        return true;
    snprintf(missing, sizeof missing, "%s is missing", what);
    return zone_rdata_text_fault(t, missing);
}

bool zone_token_number(const struct zone_token *t, uint64_t max, uint64_t *value)
{
    uint64_t v = 0;
    if (t->kind != ZONE_TOKEN_WORD || t->len == 0)
        return false;
    for (size_t i = 0; i < t->len; i++) {
        uint64_t digit = (uint64_t)t->at[i] - '0';
        if (digit > 9 || v > max / 10 || (v == max / 10 && digit > max % 10))
            return false;
        v = v * 10 + digit;
    }
    *value = v;
    return true;
}

bool zone_token_period(const struct zone_token *t, uint32_t *seconds)
{
    uint64_t sum = 0, v = 0;
    bool digits = false;
    if (t->kind != ZONE_TOKEN_WORD)
        return false;
    for (size_t i = 0; i < t->len; i++) {
        uint8_t c = t->at[i];
        if (c >= '0' && c <= '9') {
            v = v * 10 + (uint64_t)(c - '0');
            digits = true;
        } else {
            static const char units[] = "smhdw";
            static const uint32_t unit_s[] = { 1, 60, 3600, 86400, 604800 };
            const char *unit = memchr(units, c | 0x20, sizeof units - 1);
            if (unit == NULL || !digits)
                return false;
            sum += v * unit_s[unit - units];
            v = 0;
            digits = false;
        }
        if (v > UINT32_MAX || sum > UINT32_MAX)
            return false;
    }
    sum += v;
    *seconds = (uint32_t)sum;
    return sum <= UINT32_MAX && t->len != 0;
}

static void token_text(const struct zone_token *t, char *buf, size_t cap)
{
    size_t len = t->kind == ZONE_TOKEN_WORD && t->len < cap ? t->len : 0;
    if (len != 0)
        memcpy(buf, t->at, len);
    if (memchr(buf, '\0', len) != NULL)
        len = 0;
    buf[len] = '\0';
}

bool zone_token_type(const struct zone_token *t, uint16_t *type)
{
    char text[DNS_TYPE_TEXT_MAX];
    token_text(t, text, sizeof text);
    return dns_type_from_text(text, type);
}

const char *zone_token_name(const struct zone_token *t, const struct dns_name *origin,
                            struct dns_name *name)
{
    static const char *const too_long = "a name of more than 255 bytes";
    const uint8_t *p = t->at, *end = p + t->len;
    uint8_t wire[DNS_NAME_MAX];
    size_t used = 1, label = 0; /* `label`: where the length byte of this one is */
    bool absolute = false, escaped;
    if (t->kind != ZONE_TOKEN_WORD)
        return "a name that is quoted";
    if (t->len == 1 && *p == '@') {
        *name = *origin;
        return NULL;
    }
    if (t->len == 1 && *p == '.')
        p = end, absolute = true;
    while (p < end) {
        int c = zone_token_char(&p, end, &escaped);
        if (c < 0)
            return "a name with a broken escape (\\DDD is decimal, up to \\255)";
        if (c == '.' && !escaped) {
            if (used - label == 1)
                return "a name with an empty label";
            absolute = p == end;
            wire[label] = (uint8_t)(used - label - 1);
            label = used++;
        } else {
            if (used - label > DNS_LABEL_MAX)
                return "a name with a label of more than 63 bytes";
            if (used < sizeof wire)
                wire[used] = (uint8_t)c;
            used++;
        }
        if (used > sizeof wire)
            return too_long;
    }
    wire[label] = (uint8_t)(used - label - 1);
    if (!absolute) {
        if (used + origin->len > sizeof wire)
            return too_long;
        memcpy(wire + used, origin->wire, origin->len);
        used += origin->len;
    }
    struct rd r = rd_init(wire, used);
    return dns_name_parse(name, &r) ? NULL : too_long;
}

bool zone_rdata_text_number(struct zone_rdata_text *t, const char *what, uint64_t max, uint64_t *v)
{
    char not_one[64];
    if (!zone_rdata_text_word(t, what))
        return false;
    if (zone_token_number(&t->tok, max, v))
        return true;
    snprintf(not_one, sizeof not_one, "%s is no number up to %llu", what, (unsigned long long)max);
    return zone_rdata_text_fault(t, not_one);
}

bool zone_rdata_text_name(struct zone_rdata_text *t)
{
    struct dns_name name;
    if (!zone_rdata_text_word(t, "a name"))
        return false;
    const char *fault = zone_token_name(&t->tok, t->origin, &name);
    if (fault != NULL)
        return zone_rdata_text_fault(t, fault);
    wr_bytes(t->w, name.wire, name.len);
    return true;
}

bool zone_rdata_text_address(struct zone_rdata_text *t, int family)
{
    char text[INET6_ADDRSTRLEN];
    uint8_t addr[16];
    const char *what = family == AF_INET ? "invalid IPv4 address" : "invalid IPv6 address";
    if (!zone_rdata_text_word(t, "the address"))
        return false;
    token_text(&t->tok, text, sizeof text);
    if (inet_pton(family, text, addr) != 1)
        return zone_rdata_text_fault(t, what);
    wr_bytes(t->w, addr, family == AF_INET ? 4 : 16);
    return true;
}

bool zone_rdata_text_bytes(struct zone_rdata_text *t, const uint8_t *at, size_t len, size_t max)
{
    const uint8_t *end = at + len;
    bool escaped;
    while (at < end) {
        int c = zone_token_char(&at, end, &escaped);
        if (c < 0)
            return zone_rdata_text_fault(t, "a broken escape (\\DDD is decimal, up to \\255)");
        if (max-- == 0)
            return zone_rdata_text_fault(t,
                                         "text that is too long (split strings of over 255 bytes)");
        wr_u8(t->w, (uint8_t)c);
    }
    return true;
}

static bool read_string(struct zone_rdata_text *t)
{
    uint8_t *len = wr_room(t->w, 1), *from = t->w->pos;
    if (!zone_rdata_text_bytes(t, t->tok.at, t->tok.len, 255) || len == NULL)
        return len != NULL ? false : zone_rdata_text_fault(t, "more than 65535 bytes of data");
    *len = (uint8_t)(t->w->pos - from);
    return true;
}

static bool read_strings(struct zone_rdata_text *t)
{
    bool end = false;
    if (!zone_rdata_text_word(t, "a string"))
        return false;
    while (!end)
        if (!read_string(t) || !zone_rdata_text_more(t, &end))
            return false;
    return true;
}

static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Digits may be split between tokens anywhere; *half is the digit that waits for its other, or -1. */
static bool read_hex(struct zone_rdata_text *t, const uint8_t *at, size_t len, int *half)
{
    for (size_t i = 0; i < len; i++) {
        int v = hex_value(at[i]);
        if (v < 0)
            return zone_rdata_text_fault(t, "invalid hexadecimal");
        if (*half >= 0)
            wr_u8(t->w, (uint8_t)(*half << 4 | v));
        *half = *half >= 0 ? -1 : v;
    }
    return true;
}

bool zone_rdata_text_hex(struct zone_rdata_text *t, const uint8_t *at, size_t len)
{
    int half = -1;
    if (!read_hex(t, at, len, &half))
        return false;
    return half < 0 || zone_rdata_text_fault(t, "an odd number of hexadecimal digits");
}

static bool read_hex_rest(struct zone_rdata_text *t)
{
    int half = -1;
    bool end = false;
    if (!zone_rdata_text_word(t, "hexadecimal data"))
        return false;
    while (!end) {
        if (t->tok.kind != ZONE_TOKEN_WORD)
            return zone_rdata_text_fault(t, "invalid hexadecimal");
        if (!read_hex(t, t->tok.at, t->tok.len, &half) || !zone_rdata_text_more(t, &end))
            return false;
    }
    return half < 0 || zone_rdata_text_fault(t, "an odd number of hexadecimal digits");
}

/* Base64 (RFC 4648 section 4) that may be split anywhere. */
struct base64 {
    uint32_t bits;
    unsigned chars, pads; /* of the group of four that is begun; pads stay counted */
};

static int base64_value(uint8_t c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *p = c != '\0' ? strchr(digits, c) : NULL;
    return p != NULL ? (int)(p - digits) : -1;
}

static bool read_base64(struct zone_rdata_text *t, struct base64 *b, const uint8_t *at, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        bool pad = at[i] == '=';
        int v = pad ? 0 : base64_value(at[i]);
        if (v < 0 || (b->pads != 0 && (!pad || b->chars == 0)) || (pad && b->chars < 2))
            return zone_rdata_text_fault(t, "invalid Base64");
        b->bits = b->bits << 6 | (uint32_t)v;
        b->pads += pad;
        if (++b->chars < 4)
            continue;
        for (unsigned k = 0; k < 3 - b->pads; k++)
            wr_u8(t->w, (uint8_t)(b->bits >> (16 - 8 * k)));
        b->chars = 0;
    }
    return true;
}

bool zone_rdata_text_base64(struct zone_rdata_text *t, const uint8_t *at, size_t len)
{
    struct base64 b = { 0 };
    if (!read_base64(t, &b, at, len))
        return false;
    return b.chars == 0 || zone_rdata_text_fault(t, "Base64 that ends early (padding with =?)");
}

bool zone_rdata_text_base64_rest(struct zone_rdata_text *t, bool may_be_none)
{
    struct base64 b = { 0 };
    bool end = false;
    if (may_be_none ? !zone_rdata_text_more(t, &end) : !zone_rdata_text_word(t, "Base64 data"))
        return false;
    while (!end) {
        if (t->tok.kind != ZONE_TOKEN_WORD)
            return zone_rdata_text_fault(t, "invalid Base64");
        if (!read_base64(t, &b, t->tok.at, t->tok.len) || !zone_rdata_text_more(t, &end))
            return false;
    }
    return b.chars == 0 || zone_rdata_text_fault(t, "Base64 that ends early (padding with =?)");
}

static bool read_base64_or_dash(struct zone_rdata_text *t)
{
    struct zone_lexer before = *t->lx;
    bool end;
    if (!zone_rdata_text_word(t, "Base64 data, or - for none"))
        return false;
    if (zone_token_is(&t->tok, "-"))
        return zone_rdata_text_more(t, &end) &&
               (end || zone_rdata_text_fault(t, "there is more than its RDATA"));
    *t->lx = before;
    return zone_rdata_text_base64_rest(t, false);
}

/* Base32 with the hex alphabet and no padding (RFC 5155 section 3.3). */
static bool read_base32hex(struct zone_rdata_text *t)
{
    uint32_t bits = 0;
    unsigned have = 0;
    if (!zone_rdata_text_word(t, "the hash"))
        return false;
    uint8_t *len = wr_room(t->w, 1), *from = t->w->pos;
    for (size_t i = 0; i < t->tok.len; i++) {
        uint8_t c = t->tok.at[i], letter = (uint8_t)((c | 0x20) - 'a');
        uint32_t v = c >= '0' && c <= '9' ? (uint32_t)(c - '0') : letter < 22 ? letter + 10u : 99u;
        if (v == 99 || t->tok.kind != ZONE_TOKEN_WORD)
            return zone_rdata_text_fault(t, "invalid Base32hex");
        bits = bits << 5 | v;
        have += 5;
        if (have >= 8)
            wr_u8(t->w, (uint8_t)(bits >> (have -= 8)));
    }
    size_t n = (size_t)(t->w->pos - from);
    if (have >= 5 || (bits & ((1u << have) - 1)) != 0 || n == 0 || n > 255)
        return zone_rdata_text_fault(t, "a hash that is not whole Base32hex");
    if (len != NULL)
        *len = (uint8_t)n;
    return true;
}

static bool read_salt(struct zone_rdata_text *t)
{
    if (!zone_rdata_text_word(t, "the salt, or - for none"))
        return false;
    uint8_t *len = wr_room(t->w, 1), *from = t->w->pos;
    bool none = zone_token_is(&t->tok, "-");
    if (t->tok.kind != ZONE_TOKEN_WORD || (!none && !zone_rdata_text_hex(t, t->tok.at, t->tok.len)))
        return t->e->kind != ERR_NONE ? false : zone_rdata_text_fault(t, "invalid hexadecimal");
    if (t->w->pos - from > 255)
        return zone_rdata_text_fault(t, "a salt of more than 255 bytes");
    if (len != NULL)
        *len = (uint8_t)(t->w->pos - from);
    return true;
}

static bool read_type(struct zone_rdata_text *t)
{
    uint16_t type;
    if (!zone_rdata_text_word(t, "a type"))
        return false;
    if (!zone_token_type(&t->tok, &type))
        return zone_rdata_text_fault(t, "a type that is not known; write TYPEn");
    wr_u16(t->w, type);
    return true;
}

/* RFC 4034 section 4.1.2; `limit` is where the types end (NXT: 128, and no windows, RFC 2535 section
 * 5.2). */
static bool read_bitmap(struct zone_rdata_text *t, unsigned limit)
{
    uint8_t bits[8192] = { 0 };
    uint16_t type;
    bool end;
    for (;;) {
        if (!zone_rdata_text_more(t, &end))
            return false;
        if (end)
            break;
        if (!zone_token_type(&t->tok, &type) || type >= limit)
            return zone_rdata_text_fault(t, "a type that is not known; write TYPEn");
        bits[type / 8] |= (uint8_t)(0x80 >> type % 8);
    }
    for (unsigned window = 0; window < limit; window += 256) {
        unsigned len = limit < 256 ? limit / 8 : 32;
        while (len > 0 && bits[window / 8 + len - 1] == 0)
            len--;
        if (len == 0)
            continue;
        if (limit > 256) {
            wr_u8(t->w, (uint8_t)(window / 256));
            wr_u8(t->w, (uint8_t)len);
        }
        wr_bytes(t->w, bits + window / 8, len);
    }
    return true;
}

static unsigned two_digits(const uint8_t *p)
{
    return (unsigned)(p[0] - '0') * 10 + (unsigned)(p[1] - '0');
}

/* Days from 1970-01-01 to the first day of a month, by the calendar that is ours since 1582. */
static int64_t days_to(unsigned year, unsigned month)
{
    unsigned y = month <= 2 ? year - 1 : year, m = month <= 2 ? month + 9 : month - 3;
    return (int64_t)y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 - 719468;
}

/* RFC 4034 section 3.2: fourteen digits are a date, fewer are seconds. */
static bool read_time(struct zone_rdata_text *t)
{
    uint64_t v;
    if (!zone_rdata_text_word(t, "the time"))
        return false;
    if (t->tok.len != 14 || !zone_token_number(&t->tok, UINT64_MAX, &v)) {
        if (!zone_token_number(&t->tok, UINT32_MAX, &v))
            return zone_rdata_text_fault(t, "a time is YYYYMMDDHHmmSS or seconds since 1970");
        wr_u32(t->w, (uint32_t)v);
        return true;
    }
    const uint8_t *p = t->tok.at;
    unsigned year = two_digits(p) * 100 + two_digits(p + 2), month = two_digits(p + 4);
    unsigned day = two_digits(p + 6), hour = two_digits(p + 8), minute = two_digits(p + 10);
    unsigned second = two_digits(p + 12);
    bool month_good = month >= 1 && month <= 12;
    int64_t first = month_good ? days_to(year, month) : 0;
    int64_t next = month_good ? days_to(month == 12 ? year + 1 : year, month % 12 + 1) : 0;
    if (!month_good || day < 1 || day > next - first || hour > 23 || minute > 59 || second > 60 ||
        year < 1970)
        return zone_rdata_text_fault(t, "a time that is none");
    int64_t s = (first + day - 1) * 86400 + hour * 3600 + minute * 60 + second;
    wr_u32(t->w, (uint32_t)s); /* modulo 2^32, as section 3.1.5 compares them */
    return true;
}

/* "aabb:1:2:3" (RFC 6742 section 2.1.2) */
static bool read_groups(struct zone_rdata_text *t)
{
    size_t at = 0;
    if (!zone_rdata_text_word(t, "64 bits as four groups"))
        return false;
    for (unsigned group = 0; group < 4; group++) {
        unsigned v = 0, digits = 0;
        for (; at < t->tok.len && hex_value(t->tok.at[at]) >= 0 && digits < 5; at++, digits++)
            v = v << 4 | (unsigned)hex_value(t->tok.at[at]);
        bool last = group == 3;
        if (digits == 0 || digits > 4 || (last ? at != t->tok.len : at == t->tok.len) ||
            (!last && t->tok.at[at++] != ':'))
            return zone_rdata_text_fault(t, "not four groups of hexadecimal with colons");
        wr_u16(t->w, (uint16_t)v);
    }
    return true;
}

/* "00-00-5e-00-53-2a" (RFC 7043 sections 3.2 and 4.2) */
static bool read_eui(struct zone_rdata_text *t, unsigned bytes)
{
    if (!zone_rdata_text_word(t, "the EUI"))
        return false;
    const uint8_t *p = t->tok.at;
    bool good = t->tok.kind == ZONE_TOKEN_WORD && t->tok.len == bytes * 3 - 1;
    for (unsigned i = 0; good && i < bytes; i++, p += 3) {
        int a = hex_value(p[0]), b = hex_value(p[1]);
        good = a >= 0 && b >= 0 && (i + 1 == bytes || p[2] == '-');
        wr_u8(t->w, (uint8_t)((unsigned)a << 4 | (unsigned)b));
    }
    return good || zone_rdata_text_fault(t, "not pairs of hexadecimal digits with hyphens");
}

/* RFC 8659 section 4.1 */
static bool read_tag(struct zone_rdata_text *t)
{
    if (!zone_rdata_text_word(t, "the tag"))
        return false;
    for (size_t i = 0; i < t->tok.len; i++) {
        uint8_t c = t->tok.at[i], letter = (uint8_t)((c | 0x20) - 'a');
        if (letter >= 26 && !(c >= '0' && c <= '9'))
            return zone_rdata_text_fault(t, "a tag has letters and digits only");
    }
    if (t->tok.len == 0)
        return zone_rdata_text_fault(t, "the tag is empty");
    return read_string(t);
}

static bool read_digits(struct zone_rdata_text *t, bool decimal)
{
    size_t digits = 0, points = 0;
    if (!zone_rdata_text_word(t, "a number"))
        return false;
    for (size_t i = 0; i < t->tok.len; i++) {
        uint8_t c = t->tok.at[i];
        digits += c >= '0' && c <= '9';
        points += c == '.';
        bool sign = i == 0 && (c == '-' || c == '+');
        if (!(c >= '0' && c <= '9') && (!decimal || !(sign || (c == '.' && points == 1))))
            return zone_rdata_text_fault(t, "not a number");
    }
    if (decimal ? digits == 0 : digits < 4)
        return zone_rdata_text_fault(t, decimal ? "not a number" : "fewer than four digits");
    return read_string(t);
}

static bool read_number(struct zone_rdata_text *t, unsigned bytes)
{
    static const uint64_t max[] = { 0, UINT8_MAX, UINT16_MAX, 0, UINT32_MAX, 0, 0, 0, UINT64_MAX };
    uint64_t v;
    if (!zone_rdata_text_number(t, "a number", max[bytes], &v))
        return false;
    for (unsigned i = bytes; i-- > 0;)
        wr_u8(t->w, (uint8_t)(v >> (8 * i)));
    return true;
}

static bool read_period(struct zone_rdata_text *t)
{
    uint32_t s;
    if (!zone_rdata_text_word(t, "a time"))
        return false;
    if (!zone_token_period(&t->tok, &s))
        return zone_rdata_text_fault(t, "not seconds (like 3600, 1h30m, 2w)");
    wr_u32(t->w, s);
    return true;
}

static bool read_optional_string(struct zone_rdata_text *t)
{
    struct zone_lexer before = *t->lx;
    bool end;
    if (!zone_rdata_text_more(t, &end))
        return false;
    if (end)
        *t->lx = before;
    return end || read_string(t);
}

/* A field that is text of any length and the last. */
static bool read_text_rest(struct zone_rdata_text *t)
{
    return zone_rdata_text_word(t, "a text") &&
           zone_rdata_text_bytes(t, t->tok.at, t->tok.len, UINT16_MAX);
}

/* *done: the field took all that was left, and its end. */
static bool read_field(struct zone_rdata_text *t, char field, bool *done)
{
    *done = strchr("ShbBCmO", field) != NULL;
    switch (field) {
    case '1':
    case '2':
    case '4':
    case '8':
        return read_number(t, (unsigned)(field - '0'));
    case 't':
        return read_period(t);
    case 'T':
        return read_time(t);
    case 'n':
        return zone_rdata_text_name(t);
    case 'a':
        return zone_rdata_text_address(t, AF_INET);
    case 'A':
        return zone_rdata_text_address(t, AF_INET6);
    case 's':
        return zone_rdata_text_word(t, "a string") && read_string(t);
    case 'S':
        return read_strings(t);
    case 'o':
        return read_optional_string(t);
    case 'D':
    case 'G':
        return read_digits(t, field == 'G');
    case 'h':
        return read_hex_rest(t);
    case 'b':
    case 'B':
        return zone_rdata_text_base64_rest(t, field == 'B');
    case 'C':
        return read_base64_or_dash(t);
    case 'x':
        return read_salt(t);
    case 'X':
        return read_base32hex(t);
    case 'y':
        return read_type(t);
    case 'm':
    case 'O':
        return read_bitmap(t, field == 'O' ? 128 : 65536);
    case 'g':
    case 'd':
    case 'c':
    case 'f':
    case 'p':
    case 'z':
        return zone_rdata_text_names(t, field);
    case 'l':
        return read_groups(t);
    case 'e':
    case 'E':
        return read_eui(t, field == 'e' ? 6 : 8);
    case 'k':
        return read_tag(t);
    case 'u':
        return read_text_rest(t);
    default:
        *done = true;
        return field == 'V' ? zone_rdata_text_svcb(t) : zone_rdata_text_odd(t, field);
    }
}

/* RFC 8078 section 4 writes the record that asks for the removal of DS in these words, though a lone
 * "0" is neither hexadecimal nor Base64 (its erratum 5049). */
static bool read_removal(struct zone_rdata_text *t)
{
    static const char *const cds[] = { "0", "0", "0", "0" }, *const cdnskey[] = { "0", "3", "0",
                                                                                  "0" };
    struct zone_lexer before = *t->lx;
    if (t->type != DNS_TYPE_CDS && t->type != DNS_TYPE_CDNSKEY)
        return false;
    bool good = true;
    for (size_t i = 0; i < 4 && good; i++) {
        zone_lexer_next(t->lx, &t->tok);
        good = zone_token_is(&t->tok, (t->type == DNS_TYPE_CDS ? cds : cdnskey)[i]);
    }
    zone_lexer_next(t->lx, &t->tok);
    if (!good || t->tok.kind != ZONE_TOKEN_END) {
        *t->lx = before;
        return false;
    }
    wr_u16(t->w, 0);
    wr_u8(t->w, t->type == DNS_TYPE_CDS ? 0 : 3);
    wr_u16(t->w, 0);
    return true;
}

/* RFC 3597 section 5, behind the \#. */
static bool read_generic(struct zone_rdata_text *t)
{
    uint64_t len = 0;
    bool end;
    uint8_t *from = t->w->pos;
    char wrong[120];
    if (!zone_rdata_text_number(t, "the length", UINT16_MAX, &len))
        return false;
    if (len != 0 ? !read_hex_rest(t) : !zone_rdata_text_more(t, &end))
        return false;
    if (t->tok.kind != ZONE_TOKEN_END)
        return zone_rdata_text_fault(t, "there is more than its RDATA");
    size_t have = (size_t)(t->w->pos - from);
    if (have != len) {
        snprintf(wrong, sizeof wrong, "there are %zu bytes, and %u are announced", have,
                 (unsigned)len);
        return zone_rdata_text_fault(t, wrong);
    }
    const char *fault = zone_rdata_wire_fault(t->type, from, have);
    if (fault == NULL)
        return true;
    snprintf(wrong, sizeof wrong, "in generic form: %s", fault);
    return zone_rdata_text_fault(t, wrong);
}

static bool read_rdata(struct zone_rdata_text *t)
{
    struct zone_lexer before = *t->lx;
    const struct zone_rdata_row *row = zone_rdata_row(t->type);
    bool done = false;
    zone_lexer_next(t->lx, &t->tok);
    if (zone_token_is(&t->tok, "\\#"))
        return read_generic(t);
    if (row == NULL)
        return zone_rdata_text_fault(t, "the data of this type is written \\# LENGTH HEXADECIMAL");
    *t->lx = before;
    if (read_removal(t))
        return true;
    for (const char *field = row->fields; *field != '\0'; field++)
        if (!read_field(t, *field, &done))
            return false;
    if (!done && !zone_rdata_text_more(t, &done))
        return false;
    return t->tok.kind == ZONE_TOKEN_END ||
           zone_rdata_text_fault(t, "there is more than its RDATA");
}

bool zone_rdata_read(uint16_t type, struct zone_lexer *lx, const struct dns_name *origin,
                     struct wr *w, struct err *e)
{
    struct zone_rdata_text t = { .lx = lx, .origin = origin, .w = w, .e = e, .type = type };
    if (!read_rdata(&t))
        return false;
    if (!w->full)
        return true;
    return zone_rdata_text_fault(&t, "more than 65535 bytes of data");
}
