/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "bgp/types.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

bool bgp_addr_parse(const char *text, struct bgp_addr *a)
{
    struct bgp_addr got = { .family = BGP_IPV4 };
    if (inet_pton(AF_INET, text, got.bytes) != 1) {
        got = (struct bgp_addr){ .family = BGP_IPV6 };
        if (inet_pton(AF_INET6, text, got.bytes) != 1)
            return false;
    }
    *a = got;
    return true;
}

const char *bgp_addr_text(const struct bgp_addr *a, char buf[BGP_ADDR_TEXT_MAX])
{
    int af = a->family == BGP_IPV4 ? AF_INET : AF_INET6;
    if (inet_ntop(af, a->bytes, buf, BGP_ADDR_TEXT_MAX) == NULL)
        buf[0] = '\0';
    return buf;
}

bool bgp_addr_eq(const struct bgp_addr *a, const struct bgp_addr *b)
{
    size_t len = a->family == BGP_IPV4 ? 4 : 16;
    return a->family == b->family && memcmp(a->bytes, b->bytes, len) == 0;
}

bool bgp_addr_is_zero(const struct bgp_addr *a)
{
    static const uint8_t zero[16];
    return memcmp(a->bytes, zero, a->family == BGP_IPV4 ? 4 : 16) == 0;
}

bool bgp_addr_is_link_local(const struct bgp_addr *a)
{
    if (a->family == BGP_IPV4)
        return a->bytes[0] == 169 && a->bytes[1] == 254;
    return a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80;
}

uint8_t bgp_prefix_len_max(uint8_t family)
{
    return family == BGP_IPV4 ? 32 : 128;
}

/* Whether the first `len` bits are the same. */
static bool same_bits(const uint8_t *a, const uint8_t *b, uint8_t len)
{
    size_t whole = len / 8;
    uint8_t mask = (uint8_t)(0xff00 >> (len % 8));
    return memcmp(a, b, whole) == 0 && (mask == 0 || ((a[whole] ^ b[whole]) & mask) == 0);
}

bool bgp_prefix_parse(const char *text, struct bgp_prefix *p)
{
    const char *slash = strchr(text, '/');
    char host[BGP_ADDR_TEXT_MAX];
    if (slash == NULL || (size_t)(slash - text) >= sizeof host)
        return false;
    memcpy(host, text, (size_t)(slash - text));
    host[slash - text] = '\0';
    struct bgp_addr a;
    if (!bgp_addr_parse(host, &a))
        return false;
    unsigned len = 0;
    const char *digit = slash + 1;
    if (*digit == '\0' || (digit[0] == '0' && digit[1] != '\0'))
        return false;
    for (; *digit != '\0'; digit++) {
        if (*digit < '0' || *digit > '9' || len > 128)
            return false;
        len = len * 10 + (unsigned)(*digit - '0');
    }
    if (len > bgp_prefix_len_max(a.family))
        return false;
    struct bgp_prefix got = { .family = a.family, .len = (uint8_t)len };
    memcpy(got.addr, a.bytes, sizeof got.addr);
    for (unsigned bit = len; bit < bgp_prefix_len_max(a.family); bit++) {
        if (got.addr[bit / 8] & (0x80 >> (bit % 8)))
            return false;
    }
    *p = got;
    return true;
}

const char *bgp_prefix_text(const struct bgp_prefix *p, char buf[BGP_PREFIX_TEXT_MAX])
{
    struct bgp_addr a = { .family = p->family };
    memcpy(a.bytes, p->addr, sizeof a.bytes);
    char host[BGP_ADDR_TEXT_MAX];
    snprintf(buf, BGP_PREFIX_TEXT_MAX, "%s/%u", bgp_addr_text(&a, host), p->len);
    return buf;
}

int bgp_prefix_cmp(const struct bgp_prefix *a, const struct bgp_prefix *b)
{
    if (a->family != b->family)
        return a->family < b->family ? -1 : 1;
    int by_addr = memcmp(a->addr, b->addr, sizeof a->addr);
    return by_addr != 0 ? by_addr : (int)a->len - (int)b->len;
}

bool bgp_prefix_eq(const struct bgp_prefix *a, const struct bgp_prefix *b)
{
    return bgp_prefix_cmp(a, b) == 0;
}

bool bgp_prefix_covers(const struct bgp_prefix *outer, const struct bgp_prefix *inner)
{
    return outer->family == inner->family && outer->len <= inner->len &&
           same_bits(outer->addr, inner->addr, outer->len);
}

bool bgp_attrs_eq(const struct bgp_attrs *a, const struct bgp_attrs *b)
{
    return a->origin == b->origin && a->prepend == b->prepend && a->has_med == b->has_med &&
           (!a->has_med || a->med == b->med) && a->has_local_pref == b->has_local_pref &&
           (!a->has_local_pref || a->local_pref == b->local_pref) &&
           a->community_count == b->community_count && a->large_count == b->large_count &&
           memcmp(a->communities, b->communities, a->community_count * sizeof(uint32_t)) == 0 &&
           memcmp(a->large, b->large, a->large_count * sizeof(struct bgp_large)) == 0;
}

bool bgp_attrs_add_community(struct bgp_attrs *a, uint32_t community)
{
    if (a->community_count >= BGP_COMMUNITIES_MAX)
        return false;
    for (unsigned i = 0; i < a->community_count; i++) {
        if (a->communities[i] == community)
            return false;
    }
    a->communities[a->community_count++] = community;
    return true;
}

bool bgp_attrs_add_large(struct bgp_attrs *a, struct bgp_large large)
{
    if (a->large_count >= BGP_LARGE_MAX)
        return false;
    for (unsigned i = 0; i < a->large_count; i++) {
        if (memcmp(&a->large[i], &large, sizeof large) == 0) /* three words, no padding */
            return false;
    }
    a->large[a->large_count++] = large;
    return true;
}

/* Up to three decimal numbers with colons between. How many there are; 0: not of this form. */
static unsigned numbers(const char *text, uint32_t out[3])
{
    unsigned n = 0;
    while (n < 3) {
        uint64_t v = 0;
        const char *first = text;
        for (; *text >= '0' && *text <= '9'; text++) {
            v = v * 10 + (uint64_t)(*text - '0');
            if (v > UINT32_MAX)
                return 0;
        }
        if (text == first)
            return 0;
        out[n++] = (uint32_t)v;
        if (*text == '\0')
            return n;
        if (*text++ != ':')
            return 0;
    }
    return 0;
}

bool bgp_attrs_parse_community(struct bgp_attrs *a, const char *text)
{
    static const struct {
        const char *name;
        uint32_t value;
    } known[] = {
        { "no-export", BGP_COMMUNITY_NO_EXPORT },
        { "no-advertise", BGP_COMMUNITY_NO_ADVERTISE },
        { "graceful-shutdown", BGP_COMMUNITY_GRACEFUL_SHUTDOWN },
        { "blackhole", BGP_COMMUNITY_BLACKHOLE },
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(text, known[i].name) == 0)
            return bgp_attrs_add_community(a, known[i].value);
    }
    uint32_t v[3];
    unsigned n = numbers(text, v);
    if (n == 2 && v[0] <= UINT16_MAX && v[1] <= UINT16_MAX)
        return bgp_attrs_add_community(a, v[0] << 16 | v[1]);
    if (n == 3)
        return bgp_attrs_add_large(a, (struct bgp_large){ v[0], v[1], v[2] });
    return false;
}
