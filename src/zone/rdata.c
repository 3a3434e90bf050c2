/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "base/rd.h"
#include "dns/type.h"
#include "zone/rdata.h"

static inline uint8_t lower(uint8_t c)
{
    return (uint8_t)(c - 'A') < 26 ? (uint8_t)(c | 0x20) : c;
}

/* Steps over one field of the shape; NULL when it is not there. */
static const uint8_t *field_end(char field, const uint8_t *p, const uint8_t *end)
{
    switch (field) {
    case '1':
    case '2':
    case '4':
    case '8':
        return end - p >= field - '0' ? p + (field - '0') : NULL;
    case 's':
        return end - p >= 1 && end - p > p[0] ? p + 1 + p[0] : NULL;
    case 'r':
        return end;
    default: /* a name: labels up to the root label */
        while (p < end && *p != 0)
            p += *p < end - p ? 1 + *p : end - p;
        return p < end ? p + 1 : NULL;
    }
}

/* Whether names of this field are compared in lower case: those of the types before RFC 3597, and
 * what RFC 4034 section 6.2 adds; not NSEC's (RFC 6840 section 5.1) nor those of newer types. */
static bool field_folds(uint16_t type, char field)
{
    return field == 'c' || field == 'd' ||
           (field == 'n' && (type == DNS_TYPE_DNAME || type == DNS_TYPE_RRSIG));
}

static int compare_bytes(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
    int c = memcmp(a, b, a_len < b_len ? a_len : b_len);
    return c != 0 ? c : (a_len > b_len) - (a_len < b_len);
}

static int compare_folded(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
    for (size_t i = 0; i < a_len && i < b_len; i++)
        if (lower(a[i]) != lower(b[i]))
            return lower(a[i]) < lower(b[i]) ? -1 : 1;
    return (a_len > b_len) - (a_len < b_len);
}

int zone_rdata_compare(uint16_t type, const uint8_t *a, size_t a_len, const uint8_t *b,
                       size_t b_len)
{
    const uint8_t *a_end = a + a_len, *b_end = b + b_len;
    /* Field by field. While all fields so far are equal they have equal lengths, so the order of the
     * first fields that differ is the order of the whole. */
    for (const char *field = dns_type_shape(type); *field != '\0'; field++) {
        const uint8_t *a_next = field_end(*field, a, a_end), *b_next = field_end(*field, b, b_end);
        if (a_next == NULL || b_next == NULL)
            break; /* broken: as bytes */
        int c = field_folds(type, *field)
                    ? compare_folded(a, (size_t)(a_next - a), b, (size_t)(b_next - b))
                    : compare_bytes(a, (size_t)(a_next - a), b, (size_t)(b_next - b));
        if (c != 0)
            return c;
        a = a_next;
        b = b_next;
    }
    return compare_bytes(a, (size_t)(a_end - a), b, (size_t)(b_end - b));
}

void zone_rdata_canonical(uint16_t type, const uint8_t *rdata, size_t len, uint8_t *out)
{
    const uint8_t *p = rdata, *end = rdata + len;
    memcpy(out, rdata, len);
    for (const char *field = dns_type_shape(type); *field != '\0'; field++) {
        const uint8_t *next = field_end(*field, p, end);
        if (next == NULL)
            return; /* broken: as bytes */
        /* A length byte is no letter: it is below 64. */
        for (; field_folds(type, *field) && p < next; p++)
            out[p - rdata] = lower(*p);
        p = next;
    }
}

const char *zone_rdata_fault(uint16_t type, const uint8_t *rdata, size_t len)
{
    if (!dns_type_is_data(type))
        return "this type cannot be in a zone";
    if (!dns_rdata_valid(type, rdata, len))
        return "the data is broken";
    if (type == DNS_TYPE_A && len != 4)
        return "an A record has four bytes";
    if (type == DNS_TYPE_AAAA && len != 16)
        return "an AAAA record has sixteen bytes";
    if (type == DNS_TYPE_SOA) {
        const uint8_t *p = field_end('c', rdata, rdata + len);
        p = p != NULL ? field_end('c', p, rdata + len) : NULL;
        if (p == NULL || rdata + len - p != 20)
            return "a SOA record ends with five numbers";
    }
    return NULL;
}

uint32_t zone_soa_serial(const uint8_t *rdata, size_t len)
{
    struct rd r = rd_init(rdata + len - 20, 20);
    return rd_u32(&r);
}
