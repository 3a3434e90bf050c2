/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ZONE_ENTRY_H
#define ZONE_ENTRY_H

#include "base/err.h"
#include "dns/name.h"
#include "zone/token.h"

/* One entry of a master file (RFC 1035 section 5.1): a record, a directive, or nothing. Our own
 * reading, for what libzscanner cannot. Files of this room only. Pure. */

#define ZONE_ENTRY_PATH_MAX 4096    /* bytes of an included file's name, the final zero included */
#define ZONE_GENERATE_MAX (1 << 20) /* records that one $GENERATE may make */

/* What an entry takes from those before it. */
struct zone_entry_state {
    struct dns_name origin;
    struct dns_name owner; /* of the last record */
    bool has_owner;
    bool has_default_ttl, has_last_ttl;
    uint32_t default_ttl_s;  /* $TTL (RFC 2308 section 4) */
    uint32_t last_ttl_s;     /* the last one stated (RFC 1035 section 5.1) */
    uint32_t fallback_ttl_s; /* where the text says none */
};

enum zone_entry_kind {
    ZONE_ENTRY_BLANK,
    ZONE_ENTRY_RECORD,   /* owner is in the state */
    ZONE_ENTRY_SETTING,  /* $ORIGIN or $TTL: is in the state */
    ZONE_ENTRY_INCLUDE,  /* path, origin */
    ZONE_ENTRY_GENERATE, /* generate */
    ZONE_ENTRY_BAD,      /* err; the entry is passed over */
};

/* $GENERATE FIRST-LAST[/STEP] OWNER [TTL] [CLASS] TYPE RDATA, as BIND reads it. Borrows the text. */
struct zone_generate {
    uint32_t first, last, step;
    struct zone_token owner;
    const uint8_t *head; /* what is between: TTL, CLASS and TYPE */
    size_t head_len;
    const uint8_t *rdata;
    size_t rdata_len;
    bool quoted; /* the RDATA is one quoted string: \" in it is " */
};

struct zone_entry {
    enum zone_entry_kind kind;
    uint32_t line; /* where it begins */
    bool
        owner_bad; /* of a bad one: the owner could not be read, so that records without one follow it */
    uint32_t ttl_s;
    bool ttl_stated;
    uint16_t type;
    size_t rdata_len;
    uint8_t rdata[UINT16_MAX];
    char path[ZONE_ENTRY_PATH_MAX];
    struct dns_name origin; /* of the included file */
    struct zone_generate generate;
    struct err err;
};

/* Reads the entry that begins at lx->pos, which is at the beginning of a line, and moves to its end:
 * lx->pos is then at a line end or the end of the text. */
void zone_entry_read(struct zone_entry *en, struct zone_entry_state *st, struct zone_lexer *lx);

/* Whether the record that begins at lx->pos states its TTL. */
bool zone_entry_states_ttl(struct zone_lexer lx);

/* The record of one step of a $GENERATE, with `value` in the range: fills the entry anew; its line is
 * `line`. `text` has room for ZONE_GENERATE_TEXT bytes. */
#define ZONE_GENERATE_TEXT 8192
void zone_generate_step(struct zone_entry *en, struct zone_entry_state *st,
                        const struct zone_generate *g, uint32_t line, uint32_t value, char *text);

/* Reads what follows the word $GENERATE. False with *e filled. */
bool zone_generate_read(struct zone_generate *g, struct zone_lexer *lx, struct err *e);

#endif
