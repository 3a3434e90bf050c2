/* SPDX-License-Identifier: GPL-3.0-or-later */
/* $GENERATE, which BIND invented and others follow: many records that differ by a number. The number
 * takes the place of $ in owner and RDATA, as ${OFFSET,WIDTH,BASE} says, and the text that comes out is
 * read like any other. */
#include <stdio.h>
#include <string.h>

#include "base/wr.h"
#include "zone/entry.h"
#include "zone/rdata_text.h"

#define GENERATE_WIDTH_MAX 255 /* digits of a number */

static const char hint[] =
    "write $GENERATE FIRST-LAST[/STEP] OWNER [TTL] [CLASS] TYPE DATA; data of "
    "several fields may stand in quotes";

static bool fault(struct err *e, const struct zone_token *t, const char *what)
{
    e->line = t->line;
    if (t->kind == ZONE_TOKEN_BAD)
        return err_set(e, ERR_INPUT, NULL, "%s", t->fault);
    return err_set(e, ERR_INPUT, hint, "%s", what);
}

/* "1-10" or "1-10/2" */
static bool read_range(struct zone_generate *g, const struct zone_token *t)
{
    struct zone_token part = *t;
    const uint8_t *end = t->at + t->len;
    uint64_t first, last, step = 1;
    const uint8_t *dash = memchr(t->at, '-', t->len), *slash = memchr(t->at, '/', t->len);
    if (t->kind != ZONE_TOKEN_WORD || dash == NULL || (slash != NULL && slash < dash))
        return false;
    part.len = (size_t)(dash - t->at);
    bool good = zone_token_number(&part, INT32_MAX, &first);
    part.at = dash + 1;
    part.len = (size_t)((slash != NULL ? slash : end) - part.at);
    good = good && zone_token_number(&part, INT32_MAX, &last);
    if (good && slash != NULL) {
        part.at = slash + 1;
        part.len = (size_t)(end - part.at);
        good = zone_token_number(&part, INT32_MAX, &step);
    }
    if (!good || first > last || step == 0)
        return false;
    *g = (struct zone_generate){ .first = (uint32_t)first,
                                 .last = (uint32_t)last,
                                 .step = (uint32_t)step };
    return true;
}

/* Whether a token in front of the type is TTL or class. */
static bool is_head(const struct zone_token *t)
{
    return t->len != 0 &&
           ((t->at[0] >= '0' && t->at[0] <= '9') || zone_token_is(t, "IN") ||
            zone_token_is(t, "CH") || zone_token_is(t, "HS") ||
            (t->len > 5 &&
             zone_token_is(&(struct zone_token){ .kind = t->kind, .at = t->at, .len = 5 },
                           "CLASS")));
}

bool zone_generate_read(struct zone_generate *g, struct zone_lexer *lx, struct err *e)
{
    struct zone_token t;
    zone_lexer_next(lx, &t);
    if (!read_range(g, &t))
        return fault(e, &t, "$GENERATE without a range like 1-10 or 0-254/2");
    if ((g->last - g->first) / g->step >= ZONE_GENERATE_MAX)
        return fault(e, &t, "a $GENERATE of more than 1048576 records");
    zone_lexer_next(lx, &g->owner);
    if (g->owner.kind != ZONE_TOKEN_WORD)
        return fault(e, &g->owner, "$GENERATE without an owner");
    zone_lexer_next(lx, &t);
    g->head = t.at;
    while (t.kind == ZONE_TOKEN_WORD && is_head(&t))
        zone_lexer_next(lx, &t);
    if (t.kind != ZONE_TOKEN_WORD)
        return fault(e, &t, "$GENERATE without a type");
    g->head_len = (size_t)(t.at + t.len - g->head);
    zone_lexer_next(lx, &t);
    if (t.kind != ZONE_TOKEN_WORD && t.kind != ZONE_TOKEN_QUOTED)
        return fault(e, &t, "$GENERATE without data");
    struct zone_token first = t, last = t;
    g->rdata = t.at;
    while (t.kind == ZONE_TOKEN_WORD || t.kind == ZONE_TOKEN_QUOTED) {
        last = t;
        zone_lexer_next(lx, &t);
    }
    if (t.kind != ZONE_TOKEN_END)
        return fault(e, &t, "");
    g->quoted = first.kind == ZONE_TOKEN_QUOTED && first.at == last.at;
    if (!g->quoted && first.kind == ZONE_TOKEN_QUOTED)
        g->rdata--;
    g->rdata_len = (size_t)(last.at + last.len - g->rdata) +
                   (!g->quoted && last.kind == ZONE_TOKEN_QUOTED ? 1 : 0);
    return true;
}

/* Nibbles, the lowest first, with dots between: for ip6.arpa. `width` counts the dots too. */
static void put_nibbles(struct wr *w, uint32_t value, uint32_t width, bool upper)
{
    do {
        wr_u8(w, (uint8_t)(upper ? "0123456789ABCDEF" : "0123456789abcdef")[value & 15]);
        value >>= 4;
        if (width > 0)
            width--;
        if (width == 0 && value == 0)
            return;
        wr_u8(w, '.');
        if (width > 0)
            width--;
    } while (value != 0 || width > 0);
}

static void put_number(struct wr *w, int64_t value, uint32_t width, char base)
{
    char text[GENERATE_WIDTH_MAX + 16];
    int n = 0;
    if (base == 'n' || base == 'N') {
        put_nibbles(w, (uint32_t)value, width, base == 'N');
        return;
    }
    switch (base) {
    case 'd':
        n = snprintf(text, sizeof text, "%0*d", (int)width, (int)value);
        break;
    case 'o':
        n = snprintf(text, sizeof text, "%0*o", (int)width, (unsigned)value);
        break;
    case 'x':
        n = snprintf(text, sizeof text, "%0*x", (int)width, (unsigned)value);
        break;
    default:
        n = snprintf(text, sizeof text, "%0*X", (int)width, (unsigned)value);
        break;
    }
    wr_bytes(w, text, (size_t)n);
}

/* "{OFFSET[,WIDTH[,BASE]]}" from *at on; false when it is none. */
static bool read_modifier(const uint8_t **at, const uint8_t *end, int64_t *offset, uint32_t *width,
                          char *base)
{
    const uint8_t *p = *at + 1, *close = memchr(p, '}', (size_t)(end - p));
    if (close == NULL)
        return false;
    struct zone_token t = { .kind = ZONE_TOKEN_WORD };
    uint64_t v;
    for (unsigned part = 0;; part++) {
        const uint8_t *comma = memchr(p, ',', (size_t)(close - p));
        const uint8_t *stop = comma != NULL ? comma : close;
        bool negative = part == 0 && p < stop && *p == '-',
             sign = negative || (p < stop && *p == '+');
        t.at = p + sign;
        t.len = (size_t)(stop - t.at);
        if (part < 2 && !zone_token_number(&t, part == 0 ? INT32_MAX : GENERATE_WIDTH_MAX, &v))
            return false;
        if (part == 0)
            *offset = negative ? -(int64_t)v : (int64_t)v;
        else if (part == 1)
            *width = (uint32_t)v;
        else if (part == 2 && t.len == 1 && t.at[0] != '\0' && strchr("doxXnN", t.at[0]) != NULL)
            *base = (char)t.at[0];
        else
            return false;
        if (comma == NULL)
            break;
        p = comma + 1;
    }
    *at = close + 1;
    return true;
}

/* Writes the template with `value` for each $. */
static bool put_template(struct wr *w, const uint8_t *p, size_t len, uint32_t value, bool quoted)
{
    for (const uint8_t *end = p + len; p < end;) {
        int64_t offset = 0;
        uint32_t width = 0;
        char base = 'd';
        if (*p == '\\' && end - p > 1) {
            if (!quoted || p[1] != '"')
                wr_u8(w, p[0]);
            wr_u8(w, p[1]);
            p += 2;
        } else if (*p != '$') {
            wr_u8(w, *p++);
        } else if (end - p > 1 && p[1] == '$') {
            wr_u8(w, '$');
            p += 2;
        } else {
            p++;
            if (p < end && *p == '{' && !read_modifier(&p, end, &offset, &width, &base))
                return false;
            int64_t sum = (int64_t)value + offset;
            if (sum < INT32_MIN || sum > INT32_MAX)
                return false;
            put_number(w, sum, width, base);
        }
    }
    return true;
}

void zone_generate_step(struct zone_entry *en, struct zone_entry_state *st,
                        const struct zone_generate *g, uint32_t line, uint32_t value, char *text)
{
    struct zone_generate kept = *g; /* it may lie in *en */
    struct wr w = wr_init(text, ZONE_GENERATE_TEXT);
    bool good = put_template(&w, kept.owner.at, kept.owner.len, value, false);
    wr_bytes(&w, " ( ", 3); /* head and data may have been on several lines */
    wr_bytes(&w, kept.head, kept.head_len);
    wr_u8(&w, ' ');
    good = good && put_template(&w, kept.rdata, kept.rdata_len, value, kept.quoted);
    wr_bytes(&w, "\n)", 2); /* and end with a comment */
    if (!good || w.full) {
        en->kind = ZONE_ENTRY_BAD;
        en->err = (struct err){ .line = line };
        err_set(
            &en->err, ERR_INPUT,
            "write $, $$ for a dollar sign, or ${OFFSET,WIDTH,BASE} with BASE one of d o x X n N",
            w.full ? "a $GENERATE that makes a line of over 8192 bytes"
                   : "an invalid ${} in $GENERATE");
        return;
    }
    struct zone_lexer lx = zone_lexer_init(text, wr_len(&w), line);
    zone_entry_read(en, st, &lx);
    if (en->kind != ZONE_ENTRY_RECORD && en->kind != ZONE_ENTRY_BAD) {
        en->kind = ZONE_ENTRY_BAD;
        en->err = (struct err){ .line = line };
        err_set(&en->err, ERR_INPUT, hint, "a $GENERATE that makes no record");
    }
    en->err.line = line;
    en->generate = kept;
}
