/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What lies between the values of a fleet file: names that nobody has, things given twice, addresses
 * that cannot be shared. Runs after any number of other errors, so every value may be missing: a check
 * that lacks what it needs says nothing, for somebody else has said it. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "config/config.h"
#include "config/schema.h"

#define INPUT(r, field, or_field, hint, ...)                                                       \
    (void)err_set(config_error_of(r, field, or_field), ERR_INPUT, hint, __VA_ARGS__)

static uint32_t place_line(const struct config_reading *r, const void *field)
{
    const struct config_place *p = config_place_find(&r->places, field);
    return p ? p->line : 0;
}

/* The names of one list, each to stand for one thing. */
struct names {
    const char **at;
    const void **fields;
    uint32_t count;
    bool broken; /* one of them is missing: what refers to it is not told twice */
};

static struct names names_new(uint32_t cap)
{
    return (struct names){ base_calloc(cap + 1, sizeof(char *)),
                           base_calloc(cap + 1, sizeof(void *)), 0, false };
}

static void names_free(struct names *n)
{
    free(n->at);
    free(n->fields);
}

static void names_add(struct config_reading *r, struct names *n, const char *what,
                      char *const *field)
{
    if (*field == NULL) {
        n->broken = true;
        return;
    }
    for (uint32_t i = 0; i < n->count; i++)
        if (strcasecmp(n->at[i], *field) == 0) {
            const struct config_place *first = config_place_find(&r->places, n->fields[i]);
            INPUT(r, field, NULL, "give each its own name", "%s '%s' is there already, on line %u",
                  what, *field, first ? first->line : 0);
            return;
        }
    n->at[n->count] = *field;
    n->fields[n->count++] = field;
}

static void names_refer(struct config_reading *r, const struct names *n, const char *what,
                        char *const *field)
{
    if (*field == NULL || n->broken)
        return;
    for (uint32_t i = 0; i < n->count; i++)
        if (strcmp(n->at[i], *field) == 0)
            return;
    char hint[120] = "";
    const char *nearest = config_nearest(*field, n->at, n->count);
    if (nearest != NULL)
        snprintf(hint, sizeof hint, "did you mean '%s'?", nearest);
    INPUT(r, field, NULL, hint, "no %s is named '%s'", what, *field);
}

/* Why an IPv4 address cannot be shared by sites; NULL when it can. */
static const char *ipv4_refused(const union addr *a)
{
    uint32_t ip = ntohl(a->in.sin_addr.s_addr);
    if (ip >> 28 == 14)
        return "is multicast (RFC 5771)";
    if (ip == UINT32_MAX)
        return "is the limited broadcast address (RFC 919 section 7)";
    if (ip >> 28 == 15)
        return "is reserved (RFC 1112 section 4)";
    if (ip >> 24 == 127)
        return "is loopback: it never leaves this host (RFC 1122 section 3.2.1.3)";
    if (ip >> 24 == 0)
        return "is \"this network\", no address of a host (RFC 1122 section 3.2.1.3)";
    if (ip >> 16 == 0xa9fe)
        return "is link-local: no router forwards it (RFC 3927 section 2.7)";
    return NULL;
}

/* RFC 2526 section 2: the highest 128 interface identifiers of each subnet, 7 bits of anycast ID. In
 * an EUI-64 subnet the universal/local bit is 0 (fdff:ffff:ffff:ff80 and up), in others all are ones. */
static bool ipv6_reserved_anycast(const uint8_t *b)
{
    static const uint8_t ones[7] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
    return (b[8] == 0xfd || b[8] == 0xff) && memcmp(b + 9, ones, 6) == 0 && b[15] >= 0x80;
}

static const char *ipv6_refused(const union addr *a)
{
    static const uint8_t zero[16];
    const struct in6_addr *in6 = &a->in6.sin6_addr;
    const uint8_t *b = in6->s6_addr;
    if (IN6_IS_ADDR_UNSPECIFIED(in6))
        return "is the unspecified address (RFC 4291 section 2.5.2)";
    if (IN6_IS_ADDR_LOOPBACK(in6))
        return "is loopback: it never leaves this host (RFC 4291 section 2.5.3)";
    if (IN6_IS_ADDR_MULTICAST(in6))
        return "is multicast (RFC 4291 section 2.7)";
    if (IN6_IS_ADDR_LINKLOCAL(in6))
        return "is link-local: no router forwards it (RFC 4291 section 2.5.6)";
    if (IN6_IS_ADDR_V4MAPPED(in6))
        return "is IPv4-mapped: write the IPv4 address (RFC 4291 section 2.5.5.2)";
    if (memcmp(b + 8, zero, 8) == 0)
        return "is the subnet-router anycast address, which every router there answers (RFC 4291 "
               "section 2.6.1)";
    if (ipv6_reserved_anycast(b))
        return "is one of the reserved anycast addresses (RFC 2526 section 2)";
    return NULL;
}

static const char *unicast_refused(const union addr *a)
{
    return a->sa.sa_family == AF_INET ? ipv4_refused(a) : ipv6_refused(a);
}

/* A node's own address and a next hop need not be reached from everywhere: loopback is fine for a router
 * on the same host, and IPv4 link-local ones are what some clouds give. */
static const char *own_refused(const union addr *a)
{
    if (a->sa.sa_family == AF_INET) {
        uint32_t ip = ntohl(a->in.sin_addr.s_addr);
        return ip >> 24 == 127 || ip >> 16 == 0xa9fe ? NULL : ipv4_refused(a);
    }
    return IN6_IS_ADDR_LOOPBACK(&a->in6.sin6_addr) ? NULL : ipv6_refused(a);
}

/* The directed broadcast or network address of a prefix that is announced: routers may take them for
 * their own (RFC 1812 section 4.2.2.11, 5.3.5). */
static const char *ipv4_edge(const struct prefix *p, const union addr *a)
{
    if (a->sa.sa_family != AF_INET || p->len > 30 || !prefix_holds(p, a))
        return NULL;
    uint32_t mask = UINT32_MAX >> p->len, host = ntohl(a->in.sin_addr.s_addr) & mask;
    return host == mask ? "broadcast" : host == 0 ? "network" : NULL;
}

static void check_service_address(struct config_reading *r, const struct config_service *s,
                                  const union addr *a)
{
    char text[ADDR_TEXT_MAX];
    if (a->sa.sa_family == AF_UNSPEC)
        return;
    const char *why = unicast_refused(a);
    if (why != NULL) {
        INPUT(r, a, NULL, "choose an ordinary unicast address; sharing it is what makes it anycast",
              "%s cannot be a service address: it %s", addr_host_text(a, text), why);
        return;
    }
    bool held = false;
    for (uint32_t i = 0; i < s->announce.count; i++) {
        const struct prefix *p = &s->announce.at[i];
        held = held || p->len == 0 || prefix_holds(p, a);
        const char *edge = ipv4_edge(p, a);
        if (edge != NULL) {
            INPUT(r, a, NULL, "choose one in between",
                  "%s is the %s address of its prefix (RFC 1812 section 4.2.2.11)",
                  addr_host_text(a, text), edge);
            return;
        }
    }
    if (!held)
        INPUT(r, a, NULL, "announce a prefix that holds it, or take it out",
              "%s lies in no prefix of 'announce': nobody would reach it", addr_host_text(a, text));
}

static void check_announce(struct config_reading *r, const struct config_service *s)
{
    char text[PREFIX_TEXT_MAX];
    for (uint32_t i = 0; i < s->announce.count; i++) {
        const struct prefix *p = &s->announce.at[i];
        bool used = p->len == 0; /* broken, and said */
        for (uint32_t j = 0; j < s->addresses.count; j++)
            used = used || s->addresses.at[j].sa.sa_family == AF_UNSPEC ||
                   prefix_holds(p, &s->addresses.at[j]);
        if (!used)
            INPUT(r, p, NULL, "a prefix is announced on the proof of an address in it",
                  "%s holds none of the service's addresses", prefix_text(p, text));
    }
}

static void check_times(struct config_reading *r, const struct config_service *s)
{
    if (s->lease_ms != 0 && s->check_ms * 2 > s->lease_ms)
        INPUT(r, &s->check_ms, &s->lease_ms, "make the lease longer, or check more often",
              "check_interval %ums is more than half of the lease, %ums: one lost packet would "
              "withdraw",
              s->check_ms, s->lease_ms);
    if (s->drain_limit_ms < s->drain_delay_ms)
        INPUT(r, &s->drain_limit_ms, &s->drain_delay_ms, "give it at least as long",
              "drain_limit %ums is shorter than drain_delay, %ums", s->drain_limit_ms,
              s->drain_delay_ms);
    if (s->hold_down_max_ms < s->hold_down_ms)
        INPUT(r, &s->hold_down_max_ms, &s->hold_down_ms, "give it at least as long",
              "hold_down_max %ums is shorter than hold_down, %ums", s->hold_down_max_ms,
              s->hold_down_ms);
}

/* Zones of all services, by origin: a node has one zone of a name, whatever service asks for it. */
static int zone_compare(const void *a, const void *b)
{
    const struct config_zone *const *x = a, *const *y = b;
    int c = dns_name_compare(&(*x)->origin, &(*y)->origin);
    return c != 0 ? c : (*x < *y ? -1 : *x > *y);
}

static void check_zones(struct config_reading *r)
{
    uint32_t count = 0, n = 0;
    char name[DNS_TEXT_MAX];
    for (uint32_t i = 0; i < r->c->services.count; i++)
        count += r->c->services.at[i].zones.count;
    const struct config_zone **zones = base_calloc(count + 1, sizeof *zones);
    for (uint32_t i = 0; i < r->c->services.count; i++)
        for (uint32_t j = 0; j < r->c->services.at[i].zones.count; j++)
            if (r->c->services.at[i].zones.at[j].origin.len != 0)
                zones[n++] = &r->c->services.at[i].zones.at[j];
    qsort(zones, n, sizeof *zones, zone_compare);
    for (uint32_t i = 1; i < n; i++) {
        const struct config_zone *a = zones[i - 1], *b = zones[i];
        if (!dns_name_equal(&a->origin, &b->origin) || a->file == NULL || b->file == NULL)
            continue;
        /* The same zone in two services is fine when it is the same file. */
        const struct config_place *first = config_place_find(&r->places, &a->origin);
        bool same_service = false;
        for (uint32_t k = 0; k < r->c->services.count; k++) {
            const struct config_zones *z = &r->c->services.at[k].zones;
            same_service = same_service || (a >= z->at && a < z->at + z->count && b >= z->at &&
                                            b < z->at + z->count);
        }
        if (same_service || strcmp(a->file, b->file) != 0)
            INPUT(r, &b->origin, NULL, "leave one of them out",
                  "zone %s is there already, on line %u", dns_name_text(&b->origin, name),
                  first ? first->line : 0);
    }
    free(zones);
}

/* A prefix has one promise, and that has one set of terms. */
static void check_prefix_once(struct config_reading *r, uint32_t service, uint32_t idx)
{
    char text[PREFIX_TEXT_MAX];
    const struct prefix *p = &r->c->services.at[service].announce.at[idx];
    for (uint32_t i = 0; i <= service && p->len != 0; i++) {
        const struct config_prefixes *list = &r->c->services.at[i].announce;
        for (uint32_t j = 0; j < (i < service ? list->count : idx); j++) {
            if (!prefix_equal(&list->at[j], p))
                continue;
            INPUT(r, p, &r->c->services.at[service], "put their addresses into one service",
                  "%s is announced already, on line %u", prefix_text(p, text),
                  place_line(r, &list->at[j]));
            return;
        }
    }
}

/* A node can watch over so many addresses and prefixes at once. */
static void check_sums(struct config_reading *r, const struct config_node *n)
{
    uint32_t pos = 0, addresses = 0, prefixes = 0;
    for (const struct config_service *s; (s = config_service_next(r->c, n, &pos)) != NULL;) {
        addresses += s->addresses.count;
        prefixes += s->announce.count;
    }
    if (addresses > CONFIG_ADDRESSES_MAX || prefixes > CONFIG_PREFIXES_MAX)
        INPUT(r, n, NULL, "give it fewer services with 'services'",
              "this node has %u service addresses and %u prefixes; at most %u and %u", addresses,
              prefixes, CONFIG_ADDRESSES_MAX, CONFIG_PREFIXES_MAX);
}

static void check_services(struct config_reading *r, struct names *services)
{
    for (uint32_t i = 0; i < r->c->services.count; i++) {
        const struct config_service *s = &r->c->services.at[i];
        names_add(r, services, "service", &s->name);
        for (uint32_t j = 0; j < s->addresses.count; j++)
            check_service_address(r, s, &s->addresses.at[j]);
        for (uint32_t j = 0; j < s->announce.count; j++)
            check_prefix_once(r, i, j);
        check_announce(r, s);
        check_times(r, s);
    }
}

/* An address and the field where it stands, to find those given twice. */
struct owned {
    const union addr *address;
    bool service;
};

static int owned_compare(const void *a, const void *b)
{
    const struct owned *x = a, *y = b;
    sa_family_t fx = x->address->sa.sa_family, fy = y->address->sa.sa_family;
    if (fx != fy)
        return fx < fy ? -1 : 1;
    int c = fx == AF_INET ? memcmp(&x->address->in.sin_addr, &y->address->in.sin_addr, 4)
                          : memcmp(&x->address->in6.sin6_addr, &y->address->in6.sin6_addr, 16);
    if (c != 0)
        return c;
    return x->address < y->address ? -1 : x->address > y->address;
}

static void owned_add(struct owned *all, uint32_t *n, const struct config_addresses *list,
                      bool service)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (list->at[i].sa.sa_family != AF_UNSPEC)
            all[(*n)++] = (struct owned){ &list->at[i], service };
}

/* An address belongs to one service or to one node, once. */
static void check_owners(struct config_reading *r)
{
    uint32_t cap = 0, n = 0;
    char text[ADDR_TEXT_MAX];
    for (uint32_t i = 0; i < r->c->services.count; i++)
        cap += r->c->services.at[i].addresses.count;
    for (uint32_t i = 0; i < r->c->nodes.count; i++)
        cap += r->c->nodes.at[i].addresses.count;
    struct owned *all = base_calloc(cap + 1, sizeof *all);
    for (uint32_t i = 0; i < r->c->services.count; i++)
        owned_add(all, &n, &r->c->services.at[i].addresses, true);
    for (uint32_t i = 0; i < r->c->nodes.count; i++)
        owned_add(all, &n, &r->c->nodes.at[i].addresses, false);
    qsort(all, n, sizeof *all, owned_compare);
    for (uint32_t i = 1; i < n; i++) {
        const struct owned *a = &all[i - 1], *b = &all[i];
        if (!addr_same_host(a->address, b->address))
            continue;
        uint32_t la = place_line(r, a->address), lb = place_line(r, b->address);
        if (lb < la) { /* told where it stands the second time */
            const struct owned *t = a;
            a = b, b = t;
            la = lb;
        }
        if (a->service != b->service)
            INPUT(r, b->address, NULL, "a node's own address is reached there and nowhere else",
                  "%s is both a service address and a node's own (line %u)",
                  addr_host_text(b->address, text), la);
        else
            INPUT(r, b->address, NULL, "leave one of them out", "%s is there already, on line %u",
                  addr_host_text(b->address, text), la);
    }
    free(all);
}

static void check_next_hop(struct config_reading *r, const struct config_neighbor *n)
{
    bool v4 = n->address.sa.sa_family == AF_INET;
    if (n->address.sa.sa_family == AF_UNSPEC)
        return;
    if (v4 && (n->families & CONFIG_FAMILY_IPV6) && n->next_hop_ipv6.sa.sa_family == AF_UNSPEC)
        INPUT(r, &n->families, NULL, "add next_hop_ipv6: this node's IPv6 address on that link",
              "an IPv4 session that carries ipv6 needs next_hop_ipv6 (RFC 2545 section 3)");
    if (!v4 && (n->families & CONFIG_FAMILY_IPV4) && n->next_hop_ipv4.sa.sa_family == AF_UNSPEC)
        INPUT(r, &n->families, NULL, "add next_hop_ipv4: this node's IPv4 address on that link",
              "an IPv6 session that carries ipv4 needs next_hop_ipv4");
    const union addr *hops[] = { &n->next_hop_ipv4, &n->next_hop_ipv6 };
    for (int i = 0; i < 2; i++) {
        char text[ADDR_TEXT_MAX];
        const char *why = hops[i]->sa.sa_family ? own_refused(hops[i]) : NULL;
        if (why != NULL)
            INPUT(r, hops[i], NULL, NULL, "%s cannot be a next hop: it %s",
                  addr_host_text(hops[i], text), why);
    }
}

static void check_neighbor(struct config_reading *r, const struct config_node *node, uint32_t idx)
{
    const struct config_neighbor *n = &node->neighbors.at[idx];
    char text[ADDR_TEXT_MAX];
    for (uint32_t i = 0; i < idx && n->address.sa.sa_family != AF_UNSPEC; i++)
        if (addr_same_host(&node->neighbors.at[i].address, &n->address))
            INPUT(r, &n->address, NULL,
                  "one session per neighbor; 'families' lets it carry both kinds",
                  "neighbor %s is there already, on line %u", addr_host_text(&n->address, text),
                  place_line(r, &node->neighbors.at[i].address));
    if (n->address.sa.sa_family != AF_UNSPEC && n->source.sa.sa_family != AF_UNSPEC &&
        n->address.sa.sa_family != n->source.sa.sa_family)
        INPUT(r, &n->source, NULL, "take the node's own address of the neighbor's kind",
              "source %s and the neighbor's address are of different families",
              addr_host_text(&n->source, text));
    if (n->hold_s == 1 || n->hold_s == 2)
        INPUT(r, &n->hold_s, NULL, "use 0s (no timer) or at least 3s",
              "hold_time %us is too short (RFC 4271 section 4.2)", n->hold_s);
    if (n->has_local_pref && n->as != node->as && n->as != 0 && node->as != 0)
        INPUT(r, &n->local_pref, NULL, "use med, prepend or communities towards another AS",
              "local_pref is for iBGP, and AS %u is not this node's (RFC 4271 section 5.1.5)",
              n->as);
    if (n->passive && node->bgp_port == 0)
        INPUT(r, &n->passive, NULL, "set bgp_port, or let it connect",
              "waits for a neighbor, but bgp_port 0 listens nowhere");
    check_next_hop(r, n);
}

static void check_node(struct config_reading *r, const struct config_node *n, uint32_t idx)
{
    char text[ADDR_TEXT_MAX];
    for (uint32_t i = 0; i < n->addresses.count; i++) {
        const union addr *a = &n->addresses.at[i];
        const char *why = a->sa.sa_family ? own_refused(a) : NULL;
        if (why != NULL)
            INPUT(r, a, NULL, "give the address by which the other nodes and the routers know it",
                  "%s cannot be a node's own address: it %s", addr_host_text(a, text), why);
    }
    bool own = true; /* every address that was given could be read */
    for (uint32_t i = 0; i < n->addresses.count; i++)
        own = own && n->addresses.at[i].sa.sa_family != AF_UNSPEC;
    if (n->router_id.sa.sa_family == AF_UNSPEC && n->addresses.count != 0 && own &&
        config_place_find(&r->places, &n->router_id) == NULL)
        INPUT(r, n, NULL, "add router_id: any IPv4 address that no other router of the AS has",
              "a node without an IPv4 address needs router_id (RFC 6286)");
    for (uint32_t i = 0; i < idx; i++) {
        const struct config_node *o = &r->c->nodes.at[i];
        if (n->router_id.sa.sa_family == AF_INET && o->as == n->as &&
            addr_same_host(&o->router_id, &n->router_id) &&
            config_place_find(&r->places, &n->router_id) != NULL)
            INPUT(r, &n->router_id, NULL, "give each its own",
                  "router_id %s is that of node '%s' too (RFC 6286 section 2.1)",
                  addr_host_text(&n->router_id, text), o->name ? o->name : "?");
    }
    if (n->router_id.sa.sa_family == AF_INET && n->router_id.in.sin_addr.s_addr == 0)
        INPUT(r, &n->router_id, NULL, NULL, "router_id 0.0.0.0 is none (RFC 6286 section 2.1)");
    for (uint32_t i = 0; i < n->neighbors.count; i++)
        check_neighbor(r, n, i);
}

void config_check(struct config_reading *r)
{
    const struct config *c = r->c;
    struct names services = names_new(c->services.count), sites = names_new(c->sites.count),
                 nodes = names_new(c->nodes.count);
    check_services(r, &services);
    check_zones(r);
    for (uint32_t i = 0; i < c->sites.count; i++)
        names_add(r, &sites, "site", &c->sites.at[i].name);
    for (uint32_t i = 0; i < c->nodes.count; i++) {
        const struct config_node *n = &c->nodes.at[i];
        names_add(r, &nodes, "node", &n->name);
        names_refer(r, &sites, "site", &n->site);
        for (uint32_t j = 0; j < n->services.count; j++)
            names_refer(r, &services, "service", &n->services.at[j]);
        check_node(r, n, i);
        check_sums(r, n);
    }
    check_owners(r);
    names_free(&services);
    names_free(&sites);
    names_free(&nodes);
}
