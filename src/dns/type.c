/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The types, their names, and where names are in their RDATA (RFC 1035, 3597, 6895). */
#include <stdio.h>
#include <string.h>

#include "dns/name.h"
#include "dns/type.h"

struct type_row {
    uint16_t type;
    char text[DNS_TYPE_TEXT_MAX], shape[6];
};

#define TYPE_ROW(name, number, shape) { number, #name, shape },
static const struct type_row rows[] = { DNS_TYPES(TYPE_ROW) }; /* by ascending number */

static const struct type_row *row_find(uint16_t type)
{
    size_t low = 0, high = BASE_COUNT(rows);
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (rows[mid].type < type)
            low = mid + 1;
        else
            high = mid;
    }
    return low < BASE_COUNT(rows) && rows[low].type == type ? &rows[low] : NULL;
}

const char *dns_type_text(uint16_t type, char buf[DNS_TYPE_TEXT_MAX])
{
    const struct type_row *row = row_find(type);
    if (row == NULL)
        snprintf(buf, DNS_TYPE_TEXT_MAX, "TYPE%u", type);
    else if (type == DNS_TYPE_NSAP_PTR) /* the one whose name is no C word */
        snprintf(buf, DNS_TYPE_TEXT_MAX, "NSAP-PTR");
    else
        memcpy(buf, row->text, DNS_TYPE_TEXT_MAX);
    return buf;
}

static char upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static bool text_is(const char *text, const char *upper_case)
{
    while (*text != '\0' && upper(*text) == *upper_case) {
        text++;
        upper_case++;
    }
    return *text == '\0' && *upper_case == '\0';
}

bool dns_type_from_text(const char *text, uint16_t *type)
{
    char name[DNS_TYPE_TEXT_MAX];
    for (size_t i = 0; i < BASE_COUNT(rows); i++)
        if (text_is(text, dns_type_text(rows[i].type, name))) {
            *type = rows[i].type;
            return true;
        }
    for (const char *t = "TYPE"; *t != '\0'; t++, text++)
        if (upper(*text) != *t)
            return false;
    unsigned v = 0, digits = 0;
    for (; *text >= '0' && *text <= '9' && digits < 6; text++, digits++)
        v = v * 10 + (unsigned)(*text - '0');
    *type = (uint16_t)v;
    return *text == '\0' && digits > 0 && v <= 65535;
}

const char *dns_rcode_text(uint16_t rcode, char buf[DNS_TYPE_TEXT_MAX])
{
    static const char names[][DNS_TYPE_TEXT_MAX] = {
        "NOERROR",  "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP",  "REFUSED",
        "YXDOMAIN", "YXRRSET", "NXRRSET",  "NOTAUTH",  "NOTZONE",
    };
    if (rcode < BASE_COUNT(names))
        memcpy(buf, names[rcode], DNS_TYPE_TEXT_MAX);
    else if (rcode == DNS_RCODE_BADVERS)
        snprintf(buf, DNS_TYPE_TEXT_MAX, "BADVERS");
    else if (rcode == DNS_RCODE_BADCOOKIE)
        snprintf(buf, DNS_TYPE_TEXT_MAX, "BADCOOKIE");
    else
        snprintf(buf, DNS_TYPE_TEXT_MAX, "RCODE%u", rcode);
    return buf;
}

const char *dns_type_shape(uint16_t type)
{
    const struct type_row *row = row_find(type);
    return row != NULL ? row->shape : "r";
}

bool dns_type_is_data(uint16_t type)
{
    return type != 0 && type != DNS_TYPE_OPT && !(type >= 128 && type <= 255);
}

/* Passes over one field that is no name; a field 'r' takes all that is left. */
static void field_skip(struct rd *r, char field)
{
    if (field == 'r')
        rd_skip(r, rd_left(r));
    else if (field == 's')
        rd_skip(r, rd_u8(r));
    else
        rd_skip(r, (size_t)(field - '0'));
}

static bool field_is_name(char field)
{
    return field == 'c' || field == 'd' || field == 'n';
}

bool dns_rdata_valid(uint16_t type, const uint8_t *rdata, size_t len)
{
    struct rd r = rd_init(rdata, len);
    struct dns_name name;
    for (const char *field = dns_type_shape(type); *field != '\0'; field++) {
        if (!field_is_name(*field))
            field_skip(&r, *field);
        else if (!dns_name_parse(&name, &r))
            return false;
    }
    return !r.bad && rd_left(&r) == 0;
}

bool dns_rdata_expand(uint16_t type, struct rd r, const uint8_t *msg, size_t msg_len, struct wr *w)
{
    struct dns_name name;
    for (const char *field = dns_type_shape(type); *field != '\0'; field++) {
        if (!field_is_name(*field)) {
            const uint8_t *from = r.pos;
            field_skip(&r, *field);
            wr_bytes(w, from, (size_t)(r.pos - from));
            continue;
        }
        if (*field == 'n' ? !dns_name_parse(&name, &r)
                          : !dns_name_parse_compressed(&name, &r, msg, msg_len))
            return false;
        wr_bytes(w, name.wire, name.len);
    }
    return !r.bad && rd_left(&r) == 0 && !w->full;
}
