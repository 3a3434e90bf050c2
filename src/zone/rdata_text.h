/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ZONE_RDATA_TEXT_H
#define ZONE_RDATA_TEXT_H

#include "base/err.h"
#include "base/wr.h"
#include "dns/name.h"
#include "zone/token.h"

/* RDATA of every type that has a presentation form, from text and as bytes, by one table. Files of this
 * room only. Pure. */

/* One row: the type, its fields, and how the RDATA is written, for who wrote it wrong. The fields are
 * letters (both for text and for wire form):
 *   1 2 4 8  a number of so many bytes       t  seconds, units allowed (1h30m)
 *   T  a time (YYYYMMDDHHmmSS or seconds)    n  a name
 *   a  an IPv4 address                       A  an IPv6 address
 *   s  a character-string                    S  one or more of them          o  none or one
 *   D  a character-string of digits          G  one that is a decimal number
 *   h  hexadecimal to the end                b  Base64 to the end            B  the same, may be none
 *   C  Base64 to the end, "-" for none
 *   x  hexadecimal with a length byte        X  Base32hex with a length byte
 *   y  a type                                m  types as a bitmap            O  as NXT's bitmap
 *   g  a DNSSEC algorithm                    d  a digest type                c  a certificate type
 *   f  flags of KEY                          p  a protocol of KEY            z  a scheme of DSYNC
 *   l  64 bits as four groups                e  EUI-48                       E  EUI-64
 *   k  a tag of CAA                          u  text to the end, any length
 * and for RDATA that is like no other: L LOC, P APL, W WKS, N NSAP, M ATMA, 6 A6, V SvcParams,
 * I IPSECKEY's gateway and key, R AMTRELAY's relay, Q HIP. */
struct zone_rdata_row {
    uint16_t type;
    char fields[14];
    const char *written;
};

/* NULL: the type has no presentation form but \#. */
const struct zone_rdata_row *zone_rdata_row(uint16_t type);

/* Reads RDATA up to the end of the entry, also in generic form (RFC 3597 section 5), which is held to
 * what its type asks for. False with *e filled (what, hint, line) when it is wrong. */
bool zone_rdata_read(uint16_t type, struct zone_lexer *lx, const struct dns_name *origin,
                     struct wr *w, struct err *e);

/* What is wrong with RDATA in wire form, every field of a known type looked at; NULL: nothing. */
const char *zone_rdata_wire_fault(uint16_t type, const uint8_t *rdata, size_t len);

/* A name from a token: "@", relative to `origin`, or absolute. NULL, or what is wrong with it. */
const char *zone_token_name(const struct zone_token *t, const struct dns_name *origin,
                            struct dns_name *name);

/* "3600", "1h30m", "2W": RFC 1035 section 5.1 with the units that all servers read. */
bool zone_token_period(const struct zone_token *t, uint32_t *seconds);

/* A mnemonic or TYPEn. */
bool zone_token_type(const struct zone_token *t, uint16_t *type);

/* A decimal number up to `max`, digits only. */
bool zone_token_number(const struct zone_token *t, uint64_t max, uint64_t *value);

/* Between the files of this reader. */

struct zone_rdata_text {
    struct zone_lexer *lx;
    struct zone_token tok; /* the one in hand */
    const struct dns_name *origin;
    struct wr *w;
    struct err *e;
    uint16_t type;
};

/* "TYPE: what 'token'", the hint from the type's row; always false. */
bool zone_rdata_text_fault(struct zone_rdata_text *t, const char *what);
/* Takes a token in hand; false and told when there is none (`what` is missing) or it is bad. */
bool zone_rdata_text_word(struct zone_rdata_text *t, const char *what);
/* The same, but an end is none: sets *end. */
bool zone_rdata_text_more(struct zone_rdata_text *t, bool *end);
bool zone_rdata_text_number(struct zone_rdata_text *t, const char *what, uint64_t max, uint64_t *v);
bool zone_rdata_text_name(struct zone_rdata_text *t);
bool zone_rdata_text_address(struct zone_rdata_text *t, int family);
/* Writes the token in hand as bytes, escapes undone, at most `max`; no length in front. */
bool zone_rdata_text_bytes(struct zone_rdata_text *t, const uint8_t *at, size_t len, size_t max);
bool zone_rdata_text_hex(struct zone_rdata_text *t, const uint8_t *at, size_t len);
bool zone_rdata_text_base64(struct zone_rdata_text *t, const uint8_t *at, size_t len);
/* Base64 over all tokens that are left, those of the token in hand first if `in_hand`. */
bool zone_rdata_text_base64_rest(struct zone_rdata_text *t, bool may_be_none);
/* RDATA that is like no other (rdata_odd.c), SvcParams (rdata_svcb.c). */
bool zone_rdata_text_odd(struct zone_rdata_text *t, char field);
bool zone_rdata_text_svcb(struct zone_rdata_text *t);
/* A number that may be written as a name (rdata_names.c): the fields g, d, c, f, p and z of a row. */
bool zone_rdata_text_names(struct zone_rdata_text *t, char field);

/* The same for wire form. NULL: nothing is wrong, and `r` is behind the field. */
const char *zone_rdata_wire_odd(struct rd *r, char field);
const char *zone_rdata_wire_svcb(struct rd *r);

#endif
