/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/addr.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool port_parse(const char *text, uint16_t *port)
{
    uint32_t v = 0;
    if (text[0] == '\0' || strlen(text) > 5)
        return false;
    for (const char *p = text; *p != '\0'; p++) {
        if (*p < '0' || *p > '9')
            return false;
        v = v * 10 + (uint32_t)(*p - '0');
    }
    *port = (uint16_t)v;
    return v >= 1 && v <= 65535;
}

bool addr_parse(union addr *a, const char *text, uint16_t port)
{
    char host[ADDR_TEXT_MAX];
    memset(a, 0, sizeof *a);
    size_t len = strcspn(text, "@");
    if (len >= sizeof host || (text[len] == '@' && !port_parse(text + len + 1, &port)))
        return false;
    memcpy(host, text, len);
    host[len] = '\0';
    if (inet_pton(AF_INET, host, &a->in.sin_addr) == 1) {
        a->in.sin_family = AF_INET;
        a->in.sin_port = htons(port);
        return true;
    }
    char *scope = strchr(host, '%');
    if (scope != NULL) {
        *scope++ = '\0';
        a->in6.sin6_scope_id = if_nametoindex(scope);
        if (a->in6.sin6_scope_id == 0)
            return false;
    }
    if (inet_pton(AF_INET6, host, &a->in6.sin6_addr) != 1)
        return false;
    a->in6.sin6_family = AF_INET6;
    a->in6.sin6_port = htons(port);
    return true;
}

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
        char name[IF_NAMESIZE];
        if (if_indextoname(a->in6.sin6_scope_id, name) != NULL)
            snprintf(buf + len, ADDR_TEXT_MAX - len, "%%%s", name);
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
