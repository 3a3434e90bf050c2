/* SPDX-License-Identifier: GPL-3.0-or-later */
/* RDATA in wire form, held against the fields of its type: what came as \# is as right as what came in
 * the form of its type (RFC 3597 section 5). */
#include <string.h>

#include "dns/type.h"
#include "zone/rdata_text.h"

static const char *wire_string(struct rd *r)
{
    rd_skip(r, rd_u8(r));
    return NULL;
}

static const char *wire_strings(struct rd *r)
{
    do
        wire_string(r);
    while (!r->bad && rd_left(r) != 0);
    return NULL;
}

static const char *wire_rest(struct rd *r, size_t least)
{
    const char *fault = rd_left(r) < least ? "the data ends early" : NULL;
    rd_skip(r, rd_left(r));
    return fault;
}

/* RFC 4034 section 4.1.2 */
static const char *wire_bitmap(struct rd *r)
{
    int last = -1;
    while (!r->bad && rd_left(r) != 0) {
        uint8_t window = rd_u8(r), len = rd_u8(r);
        const uint8_t *p = rd_bytes(r, len);
        if (p == NULL)
            break;
        if (window <= last)
            return "the windows of the types are out of order";
        if (len == 0 || len > 32 || p[len - 1] == 0)
            return "a window of the types is empty, too long, or ends with a zero byte";
        last = window;
    }
    return NULL;
}

/* RFC 2535 section 5.2: one window, types below 128, no zero byte at the end. */
static const char *wire_nxt_bitmap(struct rd *r)
{
    size_t len = rd_left(r);
    const uint8_t *p = rd_bytes(r, len);
    return len > 16 || (len != 0 && p[len - 1] == 0) ? "the types are not as NXT wants them" : NULL;
}

static const char *wire_tag(struct rd *r)
{
    uint8_t len = rd_u8(r);
    const uint8_t *p = rd_bytes(r, len);
    for (size_t i = 0; p != NULL && i < len; i++)
        if ((uint8_t)((p[i] | 0x20) - 'a') >= 26 && (uint8_t)(p[i] - '0') > 9)
            return "a tag has letters and digits only";
    return len == 0 && !r->bad ? "the tag is empty" : NULL;
}

static const char *wire_digits(struct rd *r, bool decimal)
{
    uint8_t len = rd_u8(r);
    const uint8_t *p = rd_bytes(r, len);
    for (size_t i = 0; p != NULL && i < len; i++)
        if ((uint8_t)(p[i] - '0') > 9 && (!decimal || strchr("+-.", p[i]) == NULL))
            return "not a number";
    return !r->bad && len < (decimal ? 1 : 4) ? "not a number" : NULL;
}

static const char *wire_hash(struct rd *r)
{
    uint8_t len = rd_u8(r);
    rd_skip(r, len);
    return len == 0 && !r->bad ? "the hash is empty" : NULL;
}

static const char *wire_name(struct rd *r)
{
    struct dns_name name;
    return dns_name_parse(&name, r) ? NULL : "a broken name";
}

/* Bytes of a field that has always so many; 0: it is another. */
static size_t fixed_size(char field)
{
    switch (field) {
    case '1':
    case 'g':
    case 'd':
    case 'p':
    case 'z':
        return 1;
    case '2':
    case 'y':
    case 'c':
    case 'f':
        return 2;
    case '4':
    case 't':
    case 'T':
    case 'a':
        return 4;
    case '8':
    case 'l':
    case 'E':
        return 8;
    case 'e':
        return 6;
    case 'A':
        return 16;
    default:
        return 0;
    }
}

static const char *wire_field(struct rd *r, char field)
{
    switch (field) {
    case 'n':
        return wire_name(r);
    case 'o':
        return rd_left(r) != 0 ? wire_string(r) : NULL;
    case 's':
    case 'x':
        return wire_string(r);
    case 'S':
        return wire_strings(r);
    case 'D':
    case 'G':
        return wire_digits(r, field == 'G');
    case 'h':
    case 'b':
        return wire_rest(r, 1);
    case 'B':
    case 'C':
    case 'u':
        return wire_rest(r, 0);
    case 'X':
        return wire_hash(r);
    case 'm':
        return wire_bitmap(r);
    case 'O':
        return wire_nxt_bitmap(r);
    case 'k':
        return wire_tag(r);
    case 'V':
        return zone_rdata_wire_svcb(r);
    default:
        return zone_rdata_wire_odd(r, field);
    }
}

const char *zone_rdata_wire_fault(uint16_t type, const uint8_t *rdata, size_t len)
{
    const struct zone_rdata_row *row = zone_rdata_row(type);
    struct rd r = rd_init(rdata, len);
    if (row == NULL)
        return NULL; /* unknown: anything, also nothing */
    for (const char *field = row->fields; *field != '\0'; field++) {
        size_t size = fixed_size(*field);
        const char *fault = NULL;
        if (size != 0)
            rd_skip(&r, size);
        else
            fault = wire_field(&r, *field);
        if (fault != NULL)
            return fault;
        if (r.bad)
            return "the data ends early";
    }
    return rd_left(&r) == 0 ? NULL : "there are bytes behind the data";
}
