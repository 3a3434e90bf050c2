/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Apart from addr.c, which is pure: the name of an interface is the kernel's to know. */
#include "base/addr.h"

#include <arpa/inet.h>
#include <net/if.h>
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

static bool scope_parse(const char *text, uint32_t *scope_id)
{
    *scope_id = if_nametoindex(text);
    for (const char *p = text; *scope_id == 0 && *p != '\0'; p++)
        if (*p < '0' || *p > '9')
            return false;
    if (*scope_id == 0)
        *scope_id = (uint32_t)strtoul(text, NULL, 10);
    return *scope_id != 0;
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
        if (!scope_parse(scope, &a->in6.sin6_scope_id))
            return false;
    }
    if (inet_pton(AF_INET6, host, &a->in6.sin6_addr) != 1)
        return false;
    a->in6.sin6_family = AF_INET6;
    a->in6.sin6_port = htons(port);
    return true;
}
