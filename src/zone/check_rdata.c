/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The form of RDATA beyond what a zone must have to be built (zone/rdata.h): text from a scanner is right
 * by itself, what came as `\# …` or by a transfer need not be. */
#include "dns/type.h"
#include "zone/check_parts.h"

/* One letter a field, as in dns_type_shape(), and at the end:
 *   S  one or more character-strings   b  a type bit map (RFC 4034 section 4.1.2)
 *   r  any bytes                       R  at least one byte
 *   ?  so far it may end               p  SvcParams (RFC 9460 section 2.2)
 *   a  APL items (RFC 3123)            z  a byte with the length of bytes that follow (salt, hash) */
static const struct {
    uint16_t type;
    const char *form;
} forms[] = {
    { DNS_TYPE_HINFO, "ss" },     { DNS_TYPE_TXT, "S" },       { DNS_TYPE_X25, "s" },
    { DNS_TYPE_ISDN, "s?s" },     { DNS_TYPE_LOC, "844" },     { DNS_TYPE_APL, "a" },
    { DNS_TYPE_CERT, "41R" },     { DNS_TYPE_SSHFP, "2R" },    { DNS_TYPE_IPSECKEY, "21r" },
    { DNS_TYPE_NSEC, "nb" },      { DNS_TYPE_NSEC3, "4zzb" },  { DNS_TYPE_NSEC3PARAM, "4z" },
    { DNS_TYPE_DNSKEY, "4R" },    { DNS_TYPE_CDNSKEY, "4R" },  { DNS_TYPE_TLSA, "21R" },
    { DNS_TYPE_SMIMEA, "21R" },   { DNS_TYPE_CDS, "4R" },      { DNS_TYPE_CSYNC, "42b" },
    { DNS_TYPE_ZONEMD, "4284r" }, { DNS_TYPE_SVCB, "2np" },    { DNS_TYPE_HTTPS, "2np" },
    { DNS_TYPE_SPF, "S" },        { DNS_TYPE_NID, "28" },      { DNS_TYPE_L32, "24" },
    { DNS_TYPE_L64, "28" },       { DNS_TYPE_EUI48, "42" },    { DNS_TYPE_EUI64, "8" },
    { DNS_TYPE_URI, "4R" },       { DNS_TYPE_CAA, "1sr" },     { DNS_TYPE_OPENPGPKEY, "R" },
    { DNS_TYPE_RESINFO, "S" },    { DNS_TYPE_AMTRELAY, "2r" }, { DNS_TYPE_DSYNC, "212n" },
};

static const char *form_of(uint16_t type)
{
    for (unsigned i = 0; i < BASE_COUNT(forms); i++)
        if (forms[i].type == type)
            return forms[i].form;
    return NULL;
}

static void skip_name(struct rd *r)
{
    uint8_t len;
    while ((len = rd_u8(r)) != 0 && !r->bad)
        rd_skip(r, len);
}

static const char *read_bit_map(struct rd *r)
{
    int before = -1;
    while (rd_left(r) != 0) {
        uint8_t window = rd_u8(r), len = rd_u8(r);
        const uint8_t *bits = rd_bytes(r, len);
        if (r->bad || len == 0 || len > 32 || window <= before || bits[len - 1] == 0)
            return "its list of types is broken (RFC 4034 section 4.1.2)";
        before = window;
    }
    return NULL;
}

static const char *read_params(struct rd *r, bool alias)
{
    int before = -1;
    if (alias && rd_left(r) != 0)
        return "an alias has parameters (RFC 9460 section 2.4.2)";
    while (rd_left(r) != 0) {
        uint16_t key = rd_u16(r), len = rd_u16(r);
        rd_skip(r, len);
        if (r->bad || key <= before)
            return "its parameters are broken or not in order (RFC 9460 section 2.2)";
        before = key;
    }
    return NULL;
}

static void read_apl(struct rd *r)
{
    while (rd_left(r) != 0 && !r->bad) {
        rd_skip(r, 3);
        rd_skip(r, rd_u8(r) & 0x7f);
    }
}

/* One field; `begin` is the whole RDATA. */
static const char *read_field(char field, struct rd *r, const uint8_t *begin)
{
    switch (field) {
    case '1':
    case '2':
    case '4':
    case '8':
        rd_skip(r, (size_t)(field - '0'));
        return NULL;
    case 's':
    case 'z':
        rd_skip(r, rd_u8(r));
        return NULL;
    case 'n':
        skip_name(r);
        return NULL;
    case 'S':
        do
            rd_skip(r, rd_u8(r));
        while (rd_left(r) != 0 && !r->bad);
        return NULL;
    case 'b':
        return read_bit_map(r);
    case 'p':
        return read_params(r, begin[0] == 0 && begin[1] == 0);
    case 'a':
        read_apl(r);
        return NULL;
    case 'R':
        r->bad |= rd_left(r) == 0;
        rd_skip(r, rd_left(r));
        return NULL;
    default:
        rd_skip(r, rd_left(r));
        return NULL;
    }
}

const char *zone_check_rdata_fault(uint16_t type, const uint8_t *rdata, size_t len)
{
    if (type <= DNS_TYPE_SOA || type == DNS_TYPE_AAAA || type == DNS_TYPE_DS)
        return NULL; /* the most, and looked at elsewhere */
    const char *form = form_of(type);
    if (form == NULL)
        return NULL;
    struct rd r = rd_init(rdata, len);
    for (; *form != '\0'; form++) {
        if (*form == '?') {
            if (rd_left(&r) == 0)
                return NULL;
            continue;
        }
        const char *fault = read_field(*form, &r, rdata);
        if (fault != NULL)
            return fault;
        if (r.bad)
            return "it ends too early";
    }
    return rd_left(&r) != 0 ? "it is too long" : NULL;
}
