/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ZONE_TOKEN_H
#define ZONE_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Master-file text as tokens (RFC 1035 section 5.1): white space, comments, parentheses and quotes are
 * understood here; escapes are only stepped over, their meaning is zone_token_char()'s. Files of
 * this room only. Pure. */

enum zone_token_kind {
    ZONE_TOKEN_END,    /* of the entry: a line end outside of parentheses, or of the text */
    ZONE_TOKEN_WORD,   /* without quotes */
    ZONE_TOKEN_QUOTED, /* `at` and `len` are what is between the quotes */
    ZONE_TOKEN_BAD,    /* `fault` says why; the next call goes on behind it */
};

struct zone_token {
    enum zone_token_kind kind;
    bool glued; /* no white space before it */
    uint32_t line;
    const uint8_t *at;
    size_t len;
    const char *fault;
};

struct zone_lexer {
    const uint8_t *pos, *end;
    uint32_t line;      /* of `pos`, 1-based */
    uint32_t depth;     /* parentheses that are open */
    uint32_t open_line; /* where the outermost of them is */
};

/* Borrows the text. */
struct zone_lexer zone_lexer_init(const void *text, size_t len, uint32_t line);

/* The next token. After ZONE_TOKEN_END `pos` is at the line end (or the end of the text), and stays
 * there. */
void zone_lexer_next(struct zone_lexer *lx, struct zone_token *t);

/* Passes over what is left of the entry, up to its line end. */
void zone_lexer_skip(struct zone_lexer *lx);

/* Takes the next character of *at (up to `end`), an escape as one (\X, \DDD). -1 when the escape is
 * broken; *escaped says whether it was one. */
int zone_token_char(const uint8_t **at, const uint8_t *end, bool *escaped);

/* Whether the token is this word, in any case. A quoted one never is. */
bool zone_token_is(const struct zone_token *t, const char *word);

#endif
