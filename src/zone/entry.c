/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "zone/entry.h"

#include <stdio.h>
#include <string.h>

#include "base/wr.h"
#include "dns/type.h"
#include "zone/rdata_text.h"

/* An entry being read. */
struct entry_reader {
    struct zone_entry *en;
    struct zone_entry_state *st;
    struct zone_lexer *lx;
    struct zone_token tok;
};

static const char *near_text(const struct zone_token *t, char buf[40])
{
    size_t len = 0;
    for (; len < 36 && len < t->len; len++)
        buf[len] = t->at[len] >= ' ' && t->at[len] < 127 ? (char)t->at[len] : '?';
    snprintf(buf + len, 4, "%s", len < t->len ? "..." : "");
    return buf;
}

/* Always false. */
static bool fault(struct entry_reader *r, const char *hint, const char *what)
{
    char near[40];
    struct err *e = &r->en->err;
    e->line = r->tok.line;
    if (r->tok.kind == ZONE_TOKEN_BAD)
        return err_set(e, ERR_INPUT, NULL, "%s", r->tok.fault);
    if (r->tok.kind == ZONE_TOKEN_END)
        return err_set(e, ERR_INPUT, hint, "%s", what);
    return err_set(e, ERR_INPUT, hint, "%s: '%s'", what, near_text(&r->tok, near));
}

static void next(struct entry_reader *r)
{
    zone_lexer_next(r->lx, &r->tok);
}

static bool expect_end(struct entry_reader *r, const char *directive)
{
    char what[64];
    next(r);
    snprintf(what, sizeof what, "there is more than %s wants", directive);
    return r->tok.kind == ZONE_TOKEN_END || fault(r, NULL, what);
}

static bool read_origin(struct entry_reader *r)
{
    struct dns_name name;
    next(r);
    if (r->tok.kind == ZONE_TOKEN_END)
        return fault(r, "write $ORIGIN NAME", "$ORIGIN without a name");
    const char *wrong = zone_token_name(&r->tok, &r->st->origin, &name);
    if (wrong != NULL)
        return fault(r, "write $ORIGIN NAME", wrong);
    if (!expect_end(r, "$ORIGIN"))
        return false;
    r->st->origin = name;
    r->en->kind = ZONE_ENTRY_SETTING;
    return true;
}

static bool read_ttl(struct entry_reader *r)
{
    uint32_t s;
    next(r);
    if (r->tok.kind == ZONE_TOKEN_END || !zone_token_period(&r->tok, &s))
        return fault(r, "write seconds, like $TTL 3600 or $TTL 1h (RFC 2308 section 4)",
                     "$TTL without a time");
    if (s > INT32_MAX)
        return fault(r, "use at most 2147483647 (RFC 2181 section 8)", "the TTL is too large");
    if (!expect_end(r, "$TTL"))
        return false;
    r->st->default_ttl_s = s;
    r->st->has_default_ttl = true;
    r->en->kind = ZONE_ENTRY_SETTING;
    return true;
}

/* A file name: escapes undone. */
static bool read_path(struct entry_reader *r)
{
    char *path = r->en->path;
    size_t len = 0;
    bool escaped;
    next(r);
    if (r->tok.kind == ZONE_TOKEN_END || r->tok.len == 0)
        return fault(r, "write $INCLUDE FILE [ORIGIN]", "$INCLUDE without a file");
    if (r->tok.kind == ZONE_TOKEN_BAD)
        return fault(r, NULL, "");
    for (const uint8_t *p = r->tok.at, *end = p + r->tok.len; p < end;) {
        int c = zone_token_char(&p, end, &escaped);
        if (c <= 0 || len + 1 >= sizeof r->en->path)
            return fault(r, "write $INCLUDE FILE [ORIGIN]", "a file name that is none");
        path[len++] = (char)c;
    }
    path[len] = '\0';
    return true;
}

static bool read_include(struct entry_reader *r)
{
    if (!read_path(r))
        return false;
    r->en->origin = r->st->origin;
    next(r);
    if (r->tok.kind == ZONE_TOKEN_BAD)
        return fault(r, NULL, "");
    if (r->tok.kind != ZONE_TOKEN_END) {
        const char *wrong = zone_token_name(&r->tok, &r->st->origin, &r->en->origin);
        if (wrong != NULL)
            return fault(r, "write $INCLUDE FILE [ORIGIN]", wrong);
        if (!expect_end(r, "$INCLUDE"))
            return false;
    }
    r->en->kind = ZONE_ENTRY_INCLUDE;
    return true;
}

static bool read_directive(struct entry_reader *r)
{
    if (zone_token_is(&r->tok, "$ORIGIN"))
        return read_origin(r);
    if (zone_token_is(&r->tok, "$TTL"))
        return read_ttl(r);
    if (zone_token_is(&r->tok, "$INCLUDE"))
        return read_include(r);
    if (!zone_token_is(&r->tok, "$GENERATE"))
        return fault(
            r,
            "known are $ORIGIN, $TTL, $INCLUDE and $GENERATE; a name that begins with $ is "
            "written \\$",
            "invalid directive");
    r->en->kind = ZONE_ENTRY_GENERATE;
    return zone_generate_read(&r->en->generate, r->lx, &r->en->err);
}

/* 0: the token is no class. */
static uint16_t class_of(const struct zone_token *t)
{
    static const struct {
        const char *text;
        uint16_t value;
    } classes[] = { { "IN", DNS_CLASS_IN },    { "CH", DNS_CLASS_CH },
                    { "HS", DNS_CLASS_HS },    { "CS", 2 },
                    { "CHAOS", DNS_CLASS_CH }, { "HESIOD", DNS_CLASS_HS } };
    uint64_t v;
    for (size_t i = 0; i < BASE_COUNT(classes); i++)
        if (zone_token_is(t, classes[i].text))
            return classes[i].value;
    struct zone_token number = *t, word = *t;
    word.len = 5;
    if (t->len <= 5 || !zone_token_is(&word, "CLASS"))
        return 0;
    number.at += 5;
    number.len -= 5;
    return zone_token_number(&number, UINT16_MAX, &v) && v != 0 ? (uint16_t)v : 0;
}

/* TTL, class and type: TTL and class are optional and come in either order. The class is the last one
 * stated, and only IN is served, so it is always IN. */
static bool read_head(struct entry_reader *r)
{
    struct zone_entry *en = r->en;
    uint16_t class;
    bool has_class = false;
    for (;; next(r)) {
        if (r->tok.kind == ZONE_TOKEN_END)
            return fault(r, "write OWNER [TTL] [CLASS] TYPE DATA",
                         "a record without type and data");
        if (r->tok.kind == ZONE_TOKEN_BAD)
            return fault(r, NULL, "");
        bool digit = r->tok.len != 0 && r->tok.at[0] >= '0' && r->tok.at[0] <= '9';
        if (!en->ttl_stated && digit && zone_token_period(&r->tok, &en->ttl_s)) {
            en->ttl_stated = true;
        } else if (digit) {
            return fault(r, "write seconds, like 3600 or 1h30m", "an invalid TTL");
        } else if (!has_class && (class = class_of(&r->tok)) != 0) {
            has_class = true;
            if (class != DNS_CLASS_IN)
                return fault(r, "only the class IN is served", "a record of another class");
        } else {
            break;
        }
    }
    if (!zone_token_type(&r->tok, &en->type))
        return fault(
            r,
            "write a type that is not known as TYPEn \\# LENGTH HEXADECIMAL (RFC 3597 section 5)",
            "unsupported record type");
    char type[DNS_TYPE_TEXT_MAX];
    if (dns_type_is_data(en->type))
        return true;
    snprintf(en->err.what, sizeof en->err.what, "%s: this type cannot be in a zone",
             dns_type_text(en->type, type));
    en->err.line = r->tok.line;
    en->err.kind = ERR_INPUT;
    return false;
}

static void set_ttl(struct entry_reader *r)
{
    struct zone_entry_state *st = r->st;
    if (r->en->ttl_stated && r->en->ttl_s > INT32_MAX) {
        return; /* is refused by who takes the record */
    } else if (r->en->ttl_stated) {
        st->last_ttl_s = r->en->ttl_s;
        st->has_last_ttl = true;
    } else if (st->has_default_ttl) {
        r->en->ttl_s = st->default_ttl_s;
    } else {
        r->en->ttl_s = st->has_last_ttl ? st->last_ttl_s : st->fallback_ttl_s;
    }
}

static bool read_record(struct entry_reader *r, bool has_owner)
{
    struct zone_entry *en = r->en;
    if (has_owner) {
        struct zone_token owner = r->tok;
        if (owner.kind == ZONE_TOKEN_QUOTED && owner.len != 0) /* as BIND and NSD read it */
            owner.kind = ZONE_TOKEN_WORD;
        const char *wrong = zone_token_name(&owner, &r->st->origin, &r->st->owner);
        r->st->has_owner = wrong == NULL;
        en->owner_bad = wrong != NULL;
        if (wrong != NULL)
            return fault(r, "write OWNER [TTL] [CLASS] TYPE DATA", wrong);
        next(r);
    } else if (!r->st->has_owner) {
        return fault(r, "begin the line with the owner's name, or @ for the origin",
                     "a record without owner, and none before it");
    }
    if (!read_head(r))
        return false;
    set_ttl(r);
    struct wr w = wr_init(en->rdata, sizeof en->rdata);
    if (!zone_rdata_read(en->type, r->lx, &r->st->origin, &w, &en->err))
        return false;
    en->rdata_len = wr_len(&w);
    en->kind = ZONE_ENTRY_RECORD;
    return true;
}

static bool read_entry(struct entry_reader *r)
{
    bool blank = r->lx->pos < r->lx->end && (*r->lx->pos == ' ' || *r->lx->pos == '\t');
    next(r);
    if (r->tok.kind == ZONE_TOKEN_END)
        return true;
    r->en->line = r->tok.line;
    if (r->tok.kind == ZONE_TOKEN_BAD)
        return fault(r, NULL, "");
    bool own = !blank && r->tok.glued;
    if (own && r->tok.kind == ZONE_TOKEN_WORD && r->tok.at[0] == '$')
        return read_directive(r);
    return read_record(r, own);
}

void zone_entry_read(struct zone_entry *en, struct zone_entry_state *st, struct zone_lexer *lx)
{
    struct entry_reader r = { .en = en, .st = st, .lx = lx };
    en->kind = ZONE_ENTRY_BLANK;
    en->line = lx->line;
    en->ttl_stated = en->owner_bad = false;
    en->err = (struct err){ 0 };
    if (!read_entry(&r))
        en->kind = ZONE_ENTRY_BAD;
    zone_lexer_skip(lx);
}

bool zone_entry_states_ttl(struct zone_lexer lx)
{
    struct zone_token t;
    bool blank = lx.pos < lx.end && (*lx.pos == ' ' || *lx.pos == '\t');
    zone_lexer_next(&lx, &t);
    if (!blank && t.glued)
        zone_lexer_next(&lx, &t);
    if (class_of(&t) != 0)
        zone_lexer_next(&lx, &t);
    return t.kind == ZONE_TOKEN_WORD && t.len != 0 && t.at[0] >= '0' && t.at[0] <= '9';
}
