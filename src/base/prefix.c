/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/prefix.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

static uint8_t len_max(uint8_t family)
{
    return family == 4 ? 32 : 128;
}

/* Clears every bit behind the length. */
static void clear_host_bits(struct prefix *p)
{
    if (p->len % 8 != 0)
        p->bytes[p->len / 8] &= (uint8_t)(0xff << (8 - p->len % 8));
    for (uint32_t i = (p->len + 7u) / 8; i < sizeof p->bytes; i++)
        p->bytes[i] = 0;
}

/* The host prefix of an address. */
static struct prefix host_prefix(const union addr *a)
{
    struct prefix p = { 0 };
    if (a->sa.sa_family == AF_INET) {
        p.family = 4;
        memcpy(p.bytes, &a->in.sin_addr, 4);
    } else if (a->sa.sa_family == AF_INET6) {
        p.family = 6;
        memcpy(p.bytes, &a->in6.sin6_addr, 16);
    }
    p.len = len_max(p.family);
    return p;
}

struct prefix prefix_of(const union addr *a, uint8_t len)
{
    struct prefix p = host_prefix(a);
    base_assert(p.family != 0);
    base_assert(len <= p.len);
    p.len = len;
    clear_host_bits(&p);
    return p;
}

bool prefix_parse(struct prefix *p, const char *text)
{
    char addr[INET6_ADDRSTRLEN];
    memset(p, 0, sizeof *p);
    size_t addr_len = strcspn(text, "/");
    if (addr_len >= sizeof addr)
        return false;
    memcpy(addr, text, addr_len);
    addr[addr_len] = '\0';
    if (inet_pton(AF_INET, addr, p->bytes) == 1)
        p->family = 4;
    else if (inet_pton(AF_INET6, addr, p->bytes) == 1)
        p->family = 6;
    else
        return false;
    p->len = len_max(p->family);
    if (text[addr_len] == '\0')
        return true;
    const char *digits = text + addr_len + 1;
    size_t digit_count = strspn(digits, "0123456789");
    if (digit_count == 0 || digit_count > 3 || digits[digit_count] != '\0')
        return false;
    long len = strtol(digits, NULL, 10);
    if (len > p->len)
        return false;
    p->len = (uint8_t)len;
    return prefix_valid(p);
}

const char *prefix_text(const struct prefix *p, char buf[PREFIX_TEXT_MAX])
{
    int family = p->family == 4 ? AF_INET : AF_INET6;
    if (p->family == 0 || inet_ntop(family, p->bytes, buf, PREFIX_TEXT_MAX) == NULL) {
        snprintf(buf, PREFIX_TEXT_MAX, "none");
        return buf;
    }
    size_t len = strlen(buf);
    snprintf(buf + len, PREFIX_TEXT_MAX - len, "/%u", p->len);
    return buf;
}

bool prefix_valid(const struct prefix *p)
{
    if ((p->family != 4 && p->family != 6) || p->len > len_max(p->family))
        return false;
    struct prefix clear = *p;
    clear_host_bits(&clear);
    return prefix_equal(&clear, p);
}

bool prefix_equal(const struct prefix *a, const struct prefix *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

bool prefix_holds(const struct prefix *p, const union addr *a)
{
    struct prefix host = host_prefix(a);
    if (host.family == 0 || host.family != p->family)
        return false;
    host.len = p->len;
    clear_host_bits(&host);
    return prefix_equal(&host, p);
}
