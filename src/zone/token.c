/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "zone/token.h"

#include <string.h>

struct zone_lexer zone_lexer_init(const void *text, size_t len, uint32_t line)
{
    const uint8_t *p = text;
    return (struct zone_lexer){ .pos = p, .end = p + len, .line = line };
}

static bool ends_word(uint8_t c)
{
    switch (c) {
    case '\0':
    case '\t':
    case '\n':
    case '\r':
    case ' ':
    case '"':
    case '(':
    case ')':
    case ';':
        return true;
    default:
        return false;
    }
}

static void bad(struct zone_token *t, const char *fault)
{
    t->kind = ZONE_TOKEN_BAD;
    t->fault = fault;
}

static void take_word(struct zone_lexer *lx, struct zone_token *t)
{
    const uint8_t *p = lx->pos;
    t->kind = ZONE_TOKEN_WORD;
    t->at = p;
    while (p < lx->end && !ends_word(*p))
        /* An escape takes the next character with it, whatever it is, but for a line end. */
        p += *p == '\\' && lx->end - p > 1 && p[1] != '\n' && p[1] != '\r' ? 2 : 1;
    t->len = (size_t)(p - t->at);
    lx->pos = p;
}

/* A quoted string may go on in the next line only inside of parentheses, as in libzscanner: a quote
 * that somebody forgot must not eat the file. */
static void take_quoted(struct zone_lexer *lx, struct zone_token *t)
{
    const uint8_t *p = lx->pos + 1;
    t->kind = ZONE_TOKEN_QUOTED;
    t->at = p;
    while (p < lx->end && *p != '"') {
        if (*p == '\n' && lx->depth == 0)
            break;
        if (*p == '\0')
            bad(t, "a zero byte");
        if (*p == '\\' && lx->end - p > 1 && p[1] != '\n')
            p++;
        lx->line += *p == '\n';
        p++;
    }
    t->len = (size_t)(p - t->at);
    lx->pos = p;
    if (p == lx->end || *p != '"')
        bad(t, lx->depth == 0 ? "a quote that is not closed in its line"
                              : "a quote that is never closed; the rest of the file was not read");
    else
        lx->pos = p + 1;
}

/* Passes over white space, comments and parentheses; false when a token is made of it (an end, a
 * fault). */
static bool skip_blank(struct zone_lexer *lx, struct zone_token *t)
{
    const uint8_t *from = lx->pos;
    for (; lx->pos < lx->end; lx->pos++) {
        uint8_t c = *lx->pos;
        if (c == ';') {
            const uint8_t *nl = memchr(lx->pos, '\n', (size_t)(lx->end - lx->pos));
            lx->pos = (nl != NULL ? nl : lx->end) - 1;
        } else if (c == '(') {
            if (lx->depth++ == 0)
                lx->open_line = lx->line;
        } else if (c == ')' && lx->depth != 0) {
            lx->depth--;
        } else if (c == '\n') {
            if (lx->depth == 0)
                break;
            lx->line++;
        } else if (c == '\r' && (lx->end - lx->pos == 1 || lx->pos[1] == '\n')) {
            continue; /* of a line end */
        } else if (c != ' ' && c != '\t') {
            break;
        }
    }
    t->glued = lx->pos == from;
    t->line = lx->line;
    t->at = lx->pos;
    if (lx->pos < lx->end && *lx->pos != '\n')
        return true;
    t->kind = ZONE_TOKEN_END;
    if (lx->depth == 0)
        return false;
    lx->depth = 0;
    t->line = lx->open_line;
    bad(t, "a parenthesis that is never closed; the rest of the file was not read");
    return false;
}

void zone_lexer_next(struct zone_lexer *lx, struct zone_token *t)
{
    *t = (struct zone_token){ .kind = ZONE_TOKEN_END };
    if (!skip_blank(lx, t))
        return;
    switch (*lx->pos) {
    case '"':
        take_quoted(lx, t);
        return;
    case ')':
        bad(t, "a closing parenthesis that none opens");
        break;
    case '\0':
        bad(t, "a zero byte");
        break;
    case '\r':
        bad(t, "a carriage return inside a line");
        break;
    default:
        take_word(lx, t);
        return;
    }
    lx->pos++;
}

void zone_lexer_skip(struct zone_lexer *lx)
{
    struct zone_token t;
    do
        zone_lexer_next(lx, &t);
    while (t.kind != ZONE_TOKEN_END);
}

int zone_token_char(const uint8_t **at, const uint8_t *end, bool *escaped)
{
    const uint8_t *p = *at;
    *escaped = *p == '\\';
    if (!*escaped) {
        *at = p + 1;
        return *p;
    }
    if (end - p < 2)
        return -1;
    if (p[1] < '0' || p[1] > '9') {
        *at = p + 2;
        return p[1];
    }
    int v = 0;
    if (end - p < 4)
        return -1;
    for (int i = 1; i <= 3; i++) {
        if (p[i] < '0' || p[i] > '9')
            return -1;
        v = v * 10 + (p[i] - '0');
    }
    *at = p + 4;
    return v <= 255 ? v : -1;
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

bool zone_token_is(const struct zone_token *t, const char *word)
{
    size_t len = strlen(word);
    if (t->kind != ZONE_TOKEN_WORD || t->len != len)
        return false;
    for (size_t i = 0; i < len; i++)
        if (lower(t->at[i]) != lower((uint8_t)word[i]))
            return false;
    return true;
}
