/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/addr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

const char *addr_host_text(const union addr *a, char buf[ADDR_TEXT_MAX])
{
    buf[0] = '\0';
    if (a->sa.sa_family == AF_INET) {
        inet_ntop(AF_INET, &a->in.sin_addr, buf, ADDR_TEXT_MAX);
        return buf;
    }
    inet_ntop(AF_INET6, &a->in6.sin6_addr, buf, ADDR_TEXT_MAX);
    if (a->in6.sin6_scope_id != 0) {
        size_t len = strlen(buf);
        snprintf(buf + len, ADDR_TEXT_MAX - len, "%%%u", (unsigned)a->in6.sin6_scope_id);
    }
    return buf;
}

const char *addr_text(const union addr *a, char buf[ADDR_TEXT_MAX])
{
    addr_host_text(a, buf);
    size_t len = strlen(buf);
    snprintf(buf + len, ADDR_TEXT_MAX - len, "@%u", (unsigned)addr_port(a));
    return buf;
}

socklen_t addr_len(const union addr *a)
{
    return a->sa.sa_family == AF_INET ? sizeof a->in : sizeof a->in6;
}

uint16_t addr_port(const union addr *a)
{
    return ntohs(a->sa.sa_family == AF_INET ? a->in.sin_port : a->in6.sin6_port);
}

bool addr_is_any(const union addr *a)
{
    if (a->sa.sa_family == AF_INET)
        return a->in.sin_addr.s_addr == htonl(INADDR_ANY);
    return IN6_IS_ADDR_UNSPECIFIED(&a->in6.sin6_addr);
}

bool addr_same_host(const union addr *a, const union addr *b)
{
    if (a->sa.sa_family != b->sa.sa_family)
        return false;
    if (a->sa.sa_family == AF_INET)
        return a->in.sin_addr.s_addr == b->in.sin_addr.s_addr;
    return IN6_ARE_ADDR_EQUAL(&a->in6.sin6_addr, &b->in6.sin6_addr) &&
           a->in6.sin6_scope_id == b->in6.sin6_scope_id;
}
