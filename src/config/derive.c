/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What follows from other values when it was not given, and the questions asked of a configuration. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"
#include "config/config.h"
#include "config/schema.h"

static void port_set(union addr *a, uint32_t port)
{
    if (a->sa.sa_family == AF_INET)
        a->in.sin_port = htons((uint16_t)port);
    else if (a->sa.sa_family == AF_INET6)
        a->in6.sin6_port = htons((uint16_t)port);
}

static void derive_service(struct config_service *s)
{
    for (uint32_t i = 0; i < s->addresses.count; i++)
        port_set(&s->addresses.at[i], s->port);
    if (s->announce.count != 0 || s->addresses.count == 0)
        return;
    s->announce.at = base_calloc(s->addresses.count, sizeof *s->announce.at);
    s->announce.count = s->addresses.count;
    for (uint32_t i = 0; i < s->addresses.count; i++) {
        if (s->addresses.at[i].sa.sa_family != AF_UNSPEC)
            s->announce.at[i] = prefix_of(&s->addresses.at[i],
                                          s->addresses.at[i].sa.sa_family == AF_INET ? 32 : 128);
    }
}

static void derive_neighbor(struct config_neighbor *n)
{
    char text[ADDR_TEXT_MAX];
    if (n->address.sa.sa_family == AF_UNSPEC)
        return;
    port_set(&n->address, n->port);
    if (n->name == NULL)
        n->name = base_strdup(addr_host_text(&n->address, text));
    if (n->families == 0)
        n->families = n->address.sa.sa_family == AF_INET ? CONFIG_FAMILY_IPV4 : CONFIG_FAMILY_IPV6;
}

static void derive_node(const struct config *c, struct config_node *n)
{
    for (uint32_t i = 0; i < n->addresses.count; i++) {
        const union addr *a = &n->addresses.at[i];
        if (n->router_id.sa.sa_family == AF_UNSPEC && a->sa.sa_family == AF_INET)
            n->router_id = *a;
    }
    if (n->nsid == NULL && n->name != NULL)
        n->nsid = base_strdup(n->name);
    if (n->bgp_listen.count == 0 && n->addresses.count != 0) {
        n->bgp_listen.at = base_calloc(n->addresses.count, sizeof(union addr));
        n->bgp_listen.count = n->addresses.count;
        memcpy(n->bgp_listen.at, n->addresses.at, n->addresses.count * sizeof(union addr));
    }
    for (uint32_t i = 0; i < n->addresses.count; i++)
        port_set(&n->addresses.at[i], c->fleet.port);
    for (uint32_t i = 0; i < n->bgp_listen.count; i++)
        port_set(&n->bgp_listen.at[i], n->bgp_port);
    for (uint32_t i = 0; i < n->neighbors.count; i++)
        derive_neighbor(&n->neighbors.at[i]);
}

void config_derive(struct config *c)
{
    for (uint32_t i = 0; i < c->services.count; i++)
        derive_service(&c->services.at[i]);
    for (uint32_t i = 0; i < c->nodes.count; i++)
        derive_node(c, &c->nodes.at[i]);
}

static void secret_free(char *secret)
{
    if (secret != NULL)
        explicit_bzero(secret, strlen(secret));
    free(secret);
}

void config_free(struct config *c)
{
    if (c == NULL)
        return;
    /* Secrets have no key of their own in the table: they came out of files. */
    secret_free(c->fleet.secret);
    for (uint32_t i = 0; i < c->nodes.count; i++)
        for (uint32_t j = 0; j < c->nodes.at[i].neighbors.count; j++)
            secret_free(c->nodes.at[i].neighbors.at[j].password);
    config_table_free(&config_table_root, c);
    free(c);
}

void config_cleanup(struct config **c)
{
    config_free(*c);
}

static const struct config_node *node_named(const struct config *c, const char *name, size_t len)
{
    for (uint32_t i = 0; i < c->nodes.count; i++) {
        const char *node = c->nodes.at[i].name;
        if (node != NULL && strlen(node) == len && strncasecmp(node, name, len) == 0)
            return &c->nodes.at[i];
    }
    return NULL;
}

const struct config_node *config_find_node(const struct config *c, const char *name)
{
    char host[256] = "";
    if (name != NULL)
        return node_named(c, name, strlen(name));
    if (gethostname(host, sizeof host - 1) != 0)
        return NULL;
    const struct config_node *n = node_named(c, host, strlen(host));
    return n != NULL ? n : node_named(c, host, strcspn(host, "."));
}

const struct config_site *config_find_site(const struct config *c, const char *name)
{
    for (uint32_t i = 0; name != NULL && i < c->sites.count; i++)
        if (c->sites.at[i].name != NULL && strcmp(c->sites.at[i].name, name) == 0)
            return &c->sites.at[i];
    return NULL;
}

const struct config_service *config_find_service(const struct config *c, const char *name)
{
    for (uint32_t i = 0; name != NULL && i < c->services.count; i++)
        if (c->services.at[i].name != NULL && strcmp(c->services.at[i].name, name) == 0)
            return &c->services.at[i];
    return NULL;
}

static bool node_offers(const struct config_node *n, const struct config_service *s)
{
    if (n->services.count == 0)
        return true;
    for (uint32_t i = 0; i < n->services.count; i++)
        if (n->services.at[i] != NULL && s->name != NULL && strcmp(n->services.at[i], s->name) == 0)
            return true;
    return false;
}

const struct config_service *config_service_next(const struct config *c,
                                                 const struct config_node *n, uint32_t *pos)
{
    while (*pos < c->services.count) {
        const struct config_service *s = &c->services.at[(*pos)++];
        if (node_offers(n, s))
            return s;
    }
    return NULL;
}

char *config_expand(const char *text, const struct config_node *n)
{
    static const char mark[] = "{node}";
    char *out = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&out, &len);
    base_assert(f != NULL);
    for (const char *at; (at = strstr(text, mark)) != NULL; text = at + sizeof mark - 1)
        fprintf(f, "%.*s%s", (int)(at - text), text, n->name);
    fputs(text, f);
    fclose(f);
    return out;
}
