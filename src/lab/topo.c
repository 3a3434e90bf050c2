/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Reads a topology. Two passes: names first (regions, routers, sites, clients), then what refers to
 * them, so that a wrong reference is told beside all other errors. */
#include "lab/topo.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

struct reader {
    struct yml *y;
    struct lab_topo *t;
};

/* Names become parts of namespaces, interfaces and files. */
static bool name_ok(const char *s)
{
    size_t len = strlen(s);
    if (len == 0 || len > LAB_NAME_MAX || s[0] == '-')
        return false;
    return strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

static bool read_name(struct reader *r, yml_node n, char out[LAB_NAME_MAX + 1])
{
    const char *s = yml_text(r->y, n);
    if (s == NULL)
        return false;
    if (!name_ok(s))
        return yml_error(r->y, n, "a-z, 0-9 and '-', at most 11, no '-' in front",
                         "'%.40s' cannot be a name", s);
    memcpy(out, s, strlen(s) + 1);
    return true;
}

bool lab_topo_rename(struct lab_topo *t, const char *name)
{
    if (!name_ok(name) || strchr(name, '-') != NULL)
        return false;
    memcpy(t->name, name, strlen(name) + 1);
    return true;
}

struct lab_host *lab_topo_find(struct lab_topo *t, const char *name)
{
    for (uint32_t i = 0; i < t->host_count; i++)
        if (strcmp(t->hosts[i].name, name) == 0)
            return &t->hosts[i];
    return NULL;
}

struct lab_site *lab_topo_site(struct lab_topo *t, const char *name)
{
    for (uint32_t i = 0; i < t->site_count; i++)
        if (strcmp(t->sites[i].name, name) == 0)
            return &t->sites[i];
    return NULL;
}

struct lab_host *lab_topo_router(struct lab_topo *t, const struct lab_host *h)
{
    return &t->hosts[t->links[h->link].a];
}

static void read_region(struct reader *r, yml_node map, uint32_t *out)
{
    yml_node n = yml_need(r->y, map, "region");
    const char *s = yml_text(r->y, n);
    *out = 0;
    if (s == NULL)
        return;
    for (uint32_t i = 0; i < r->t->region_count; i++)
        if (strcmp(r->t->regions[i], s) == 0) {
            *out = i;
            return;
        }
    yml_error(r->y, n, "add it to 'regions'", "there is no region '%.40s'", s);
}

/* A new host with a name of its own; NULL when it cannot be. */
static struct lab_host *add_host(struct reader *r, yml_node map, enum lab_kind kind)
{
    yml_node n = yml_need(r->y, map, "name");
    struct lab_host h = { .kind = kind };
    if (n == NULL || !read_name(r, n, h.name))
        return NULL;
    if (lab_topo_find(r->t, h.name) != NULL) {
        yml_error(r->y, n, "every name once", "there is another '%s'", h.name);
        return NULL;
    }
    if (r->t->host_count == LAB_HOSTS_MAX) {
        yml_error(r->y, n, NULL, "more than %d hosts", LAB_HOSTS_MAX);
        return NULL;
    }
    r->t->hosts[r->t->host_count] = h;
    return &r->t->hosts[r->t->host_count++];
}

static struct lab_host *find_router(struct reader *r, yml_node n)
{
    const char *s = yml_text(r->y, n);
    if (s == NULL)
        return NULL;
    struct lab_host *h = lab_topo_find(r->t, s);
    if (h == NULL || h->kind != LAB_ROUTER) {
        yml_error(r->y, n, "name one of 'routers'", "there is no router '%.40s'", s);
        return NULL;
    }
    return h;
}

/* Links are numbered; the number makes their networks: 100.64.0.0/10 in /30s and 2001:db8:ff00::/40
 * in /64s. Both are for exactly such use (RFC 6598, RFC 3849), and stay inside the namespaces. */
static void link_addresses(struct lab_link *l, uint32_t idx)
{
    uint32_t base = 0x64400000u + idx * 4;
    l->a4.s_addr = htonl(base + 1);
    l->b4.s_addr = htonl(base + 2);
    uint8_t v6[16] = { 0x20, 0x01, 0x0d, 0xb8, 0xff, 0, (uint8_t)(idx >> 8), (uint8_t)idx };
    v6[15] = 1;
    memcpy(&l->a6, v6, sizeof v6);
    v6[15] = 2;
    memcpy(&l->b6, v6, sizeof v6);
}

static struct lab_link *add_link(struct reader *r, yml_node map, struct lab_host *a,
                                 struct lab_host *b, enum lab_relation relation)
{
    struct lab_topo *t = r->t;
    uint64_t delay = yml_time_us(r->y, yml_get(r->y, map, "delay"), 0);
    uint64_t rate = yml_rate(r->y, yml_get(r->y, map, "rate"), 0);
    if (delay > 2000000)
        yml_error(r->y, yml_get(r->y, map, "delay"), "2s is the most", "too long for a delay");
    if (t->link_count == LAB_LINKS_MAX) {
        yml_error(r->y, map, NULL, "more than %d links", LAB_LINKS_MAX);
        return NULL;
    }
    struct lab_link *l = &t->links[t->link_count];
    *l = (struct lab_link){ .a = (uint32_t)(a - t->hosts), .b = (uint32_t)(b - t->hosts) };
    l->relation = relation;
    l->delay_us = delay;
    l->rate_bps = rate;
    link_addresses(l, t->link_count++);
    return l;
}

static void attach(struct reader *r, yml_node map, struct lab_host *h)
{
    struct lab_host *router = find_router(r, yml_need(r->y, map, "router"));
    if (router == NULL)
        return;
    struct lab_link *l = add_link(r, map, router, h, LAB_ATTACHED);
    if (l != NULL)
        h->link = (uint32_t)(l - r->t->links);
}

static void read_regions(struct reader *r, yml_node list)
{
    for (uint32_t i = 0; i < yml_count(r->y, list); i++) {
        if (i == LAB_REGIONS_MAX) {
            yml_error(r->y, list, NULL, "more than %d regions", LAB_REGIONS_MAX);
            return;
        }
        if (read_name(r, yml_at(r->y, list, i), r->t->regions[r->t->region_count]))
            r->t->region_count++;
    }
}

static void read_routers(struct reader *r, yml_node list)
{
    static const char *const keys[] = { "name", "region", "as", NULL };
    for (uint32_t i = 0; i < yml_count(r->y, list); i++) {
        yml_node map = yml_at(r->y, list, i);
        yml_keys(r->y, map, keys);
        struct lab_host *h = add_host(r, map, LAB_ROUTER);
        if (h == NULL)
            continue;
        read_region(r, map, &h->region);
        h->as = yml_u32(r->y, yml_need(r->y, map, "as"), 1, UINT32_MAX, 1);
    }
}

static void read_clients(struct reader *r, yml_node list, enum lab_kind kind)
{
    static const char *const keys[] = { "name", "region", "router", "delay", "rate", NULL };
    for (uint32_t i = 0; i < yml_count(r->y, list); i++) {
        yml_node map = yml_at(r->y, list, i);
        yml_keys(r->y, map, keys);
        struct lab_host *h = add_host(r, map, kind);
        if (h == NULL)
            continue;
        read_region(r, map, &h->region);
        attach(r, map, h);
    }
}

static void read_nodes(struct reader *r, yml_node list, uint32_t site)
{
    static const char *const keys[] = { "name", "router", "delay", "rate", NULL };
    if (yml_count(r->y, list) == 0)
        yml_error(r->y, list, NULL, "a site needs at least one node");
    for (uint32_t i = 0; i < yml_count(r->y, list); i++) {
        yml_node map = yml_at(r->y, list, i);
        yml_keys(r->y, map, keys);
        struct lab_host *h = add_host(r, map, LAB_NODE);
        if (h == NULL)
            continue;
        h->region = r->t->sites[site].region;
        h->site = site;
        h->as = r->t->as;
        attach(r, map, h);
    }
}

static void read_sites(struct reader *r, yml_node list)
{
    static const char *const keys[] = { "name", "region", "capacity", "nodes", NULL };
    for (uint32_t i = 0; i < yml_count(r->y, list); i++) {
        yml_node map = yml_at(r->y, list, i);
        yml_keys(r->y, map, keys);
        struct lab_site s = { .name = "" };
        yml_node name = yml_need(r->y, map, "name");
        if (name == NULL || !read_name(r, name, s.name))
            continue;
        if (lab_topo_site(r->t, s.name) != NULL || r->t->site_count == LAB_SITES_MAX) {
            yml_error(r->y, name, "every name once", "another site '%s', or too many", s.name);
            continue;
        }
        read_region(r, map, &s.region);
        s.capacity = yml_u32(r->y, yml_get(r->y, map, "capacity"), 0, 100000000, 0);
        r->t->sites[r->t->site_count++] = s;
        read_nodes(r, yml_need(r->y, map, "nodes"), r->t->site_count - 1);
    }
}

static void read_links(struct reader *r, yml_node list)
{
    static const char *const keys[] = { "between", "relation", "delay", "rate", NULL };
    for (uint32_t i = 0; i < yml_count(r->y, list); i++) {
        yml_node map = yml_at(r->y, list, i);
        yml_keys(r->y, map, keys);
        yml_node ends = yml_need(r->y, map, "between");
        if (ends == NULL)
            continue;
        if (yml_count(r->y, ends) != 2) {
            yml_error(r->y, ends, "[one, other]", "a link has two ends");
            continue;
        }
        struct lab_host *a = find_router(r, yml_at(r->y, ends, 0));
        struct lab_host *b = find_router(r, yml_at(r->y, ends, 1));
        yml_node rel = yml_get(r->y, map, "relation");
        const char *text = yml_text(r->y, rel);
        bool provider = text && strcmp(text, "provider") == 0;
        if (text && !provider && strcmp(text, "peers") != 0)
            yml_error(r->y, rel, "peers, or provider (the first is the second's)",
                      "no relation '%.40s'", text);
        if (a == NULL || b == NULL)
            continue;
        if (a == b)
            yml_error(r->y, ends, NULL, "a link from '%s' to itself", a->name);
        else
            add_link(r, map, a, b, provider ? LAB_PROVIDER : LAB_PEERS);
    }
}

static void read_prefix(struct reader *r, yml_node n, int family, char out[64])
{
    const char *s = yml_text(r->y, n);
    if (s == NULL)
        return;
    char head[64];
    uint8_t bytes[16];
    const char *slash = strchr(s, '/');
    size_t len = slash ? (size_t)(slash - s) : 0;
    bool ok = len > 0 && len < sizeof head && strlen(s) < 64;
    if (ok) {
        memcpy(head, s, len);
        head[len] = '\0';
        size_t digits = strspn(slash + 1, "0123456789");
        ok = inet_pton(family, head, bytes) == 1 && digits > 0 && digits < 4 &&
             slash[1 + digits] == '\0' &&
             strtol(slash + 1, NULL, 10) <= (family == AF_INET ? 32 : 128);
    }
    if (ok)
        memcpy(out, s, strlen(s) + 1);
    else
        yml_error(r->y, n, family == AF_INET ? "192.0.2.0/24" : "2001:db8:53::/48",
                  "'%.60s' is no %s prefix", s, family == AF_INET ? "IPv4" : "IPv6");
}

static void read_options(struct reader *r, yml_node map)
{
    if (map == NULL || map->type != YAML_MAPPING_NODE)
        return;
    for (yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top;
         p++) {
        const char *k = yml_text(r->y, yaml_document_get_node(&r->y->doc, p->key));
        const char *v = yml_text(r->y, yaml_document_get_node(&r->y->doc, p->value));
        if (k == NULL || v == NULL || r->t->option_count == LAB_OPTIONS_MAX)
            continue;
        struct lab_option *o = &r->t->options[r->t->option_count++];
        o->key = base_strdup(k);
        o->value = base_strdup(v);
    }
}

static void read_service(struct reader *r, yml_node map)
{
    static const char *const keys[] = { "as",        "addresses", "announce", "zone",
                                        "hold_time", "options",   NULL };
    yml_keys(r->y, map, keys);
    struct lab_topo *t = r->t;
    t->as = yml_u32(r->y, yml_need(r->y, map, "as"), 1, UINT32_MAX, 1);
    uint64_t hold_us = yml_time_us(r->y, yml_get(r->y, map, "hold_time"), 9000000);
    t->hold_s = (uint32_t)(hold_us / 1000000);
    if (t->hold_s < 3 || t->hold_s > 600)
        yml_error(r->y, yml_get(r->y, map, "hold_time"), NULL, "hold_time is 3s to 600s");
    yml_node addresses = yml_need(r->y, map, "addresses");
    const char *a4 =
        yml_count(r->y, addresses) == 2 ? yml_text(r->y, yml_at(r->y, addresses, 0)) : NULL;
    const char *a6 = a4 ? yml_text(r->y, yml_at(r->y, addresses, 1)) : NULL;
    if (addresses && (!a6 || inet_pton(AF_INET, a4, &t->service4) != 1 ||
                      inet_pton(AF_INET6, a6, &t->service6) != 1))
        yml_error(r->y, addresses, "[192.0.2.53, 2001:db8:53::53]",
                  "one IPv4 address, then one IPv6 address");
    yml_node announce = yml_need(r->y, map, "announce");
    if (announce && yml_count(r->y, announce) != 2)
        yml_error(r->y, announce, "[192.0.2.0/24, 2001:db8:53::/48]", "two prefixes are needed");
    else if (announce) {
        read_prefix(r, yml_at(r->y, announce, 0), AF_INET, t->prefix4);
        read_prefix(r, yml_at(r->y, announce, 1), AF_INET6, t->prefix6);
    }
    yml_node zone = yml_get(r->y, map, "zone");
    const char *z = zone ? yml_text(r->y, zone) : "lab.example";
    if (z && strlen(z) < sizeof t->zone &&
        strspn(z, "abcdefghijklmnopqrstuvwxyz0123456789-.") == strlen(z))
        memcpy(t->zone, z, strlen(z) + 1);
    else
        yml_error(r->y, zone, "lab.example", "this cannot be the zone's name");
    read_options(r, yml_get(r->y, map, "options"));
}

struct lab_topo *lab_topo_read(struct yml *y, yml_node root)
{
    static const char *const keys[] = { "lab",   "service", "regions", "routers", "links",
                                        "sites", "clients", "bots",    NULL };
    struct reader r = { .y = y, .t = base_calloc(1, sizeof(struct lab_topo)) };
    yml_keys(y, root, keys);
    yml_node name = yml_need(y, root, "lab");
    if (name != NULL && yml_text(y, name) && !lab_topo_rename(r.t, yml_text(y, name)))
        yml_error(y, name, "a-z and 0-9, at most 11", "'%.40s' cannot be a lab's name",
                  yml_text(y, name));
    read_service(&r, yml_need(y, root, "service"));
    read_regions(&r, yml_need(y, root, "regions"));
    read_routers(&r, yml_need(y, root, "routers"));
    read_links(&r, yml_get(y, root, "links"));
    read_sites(&r, yml_need(y, root, "sites"));
    read_clients(&r, yml_get(y, root, "clients"), LAB_CLIENT);
    read_clients(&r, yml_get(y, root, "bots"), LAB_BOT);
    if (y->errors == 0)
        return r.t;
    lab_topo_free(r.t);
    return NULL;
}

void lab_topo_free(struct lab_topo *t)
{
    if (t == NULL)
        return;
    for (uint32_t i = 0; i < t->option_count; i++) {
        free(t->options[i].key);
        free(t->options[i].value);
    }
    free(t);
}
