/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The configuration, as each room wants it. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/assert.h"
#include "control/parts.h"

struct bgp_prefix control_bgp_prefix(const struct prefix *p)
{
    struct bgp_prefix b = { .family = p->family == 4 ? BGP_IPV4 : BGP_IPV6, .len = p->len };
    memcpy(b.addr, p->bytes, sizeof b.addr);
    return b;
}

struct prefix control_prefix(const struct bgp_prefix *p)
{
    struct prefix out = { .family = p->family == BGP_IPV4 ? 4 : 6, .len = p->len };
    memcpy(out.bytes, p->addr, sizeof out.bytes);
    return out;
}

static struct bgp_addr bgp_address(const union addr *a)
{
    struct bgp_addr b = { .family = a->sa.sa_family == AF_INET ? BGP_IPV4 : BGP_IPV6 };
    if (a->sa.sa_family == AF_INET)
        memcpy(b.bytes, &a->in.sin_addr, 4);
    else
        memcpy(b.bytes, &a->in6.sin6_addr, 16);
    return b;
}

static void terms_fill(struct announce_terms *t, const struct config_service *s)
{
    t->lease_ms = s->lease_ms;
    t->hold_ms = s->hold_down_ms;
    t->hold_max_ms = s->hold_down_max_ms;
    t->drain_at_once = s->drain_delay_ms == 0;
    t->drain_delay_ms = s->drain_delay_ms;
    t->drain_quiet_ms = s->drain_quiet_ms;
    /* The operator's limit is for the whole drain, announce's for what follows the withdrawal. */
    uint32_t rest_ms = s->drain_limit_ms - s->drain_delay_ms;
    t->drain_limit_ms = rest_ms == 0 ? 1 : rest_ms; /* 0 would be its default */
    t->prepend = (uint8_t)s->drain_prepend;
}

static uint32_t node_index(const struct config_bundle *b)
{
    return (uint32_t)(b->node - b->config->nodes.at);
}

void control_announce_config(struct announce_config *a, const struct config_bundle *b)
{
    const struct config_site *site = config_find_site(b->config, b->node->site);
    *a = (struct announce_config){ .rank = node_index(b), .dry_run = b->dry_run };
    a->capacity_qps = site->capacity;
    a->rank_count = b->config->nodes.count;
    a->fleet = b->config->nodes.count > 1;
    uint32_t pos = 0;
    for (const struct config_service *s; (s = config_service_next(b->config, b->node, &pos));)
        for (uint32_t i = 0; i < s->announce.count; i++) {
            struct announce_prefix *p = &a->prefixes[a->prefix_count++];
            p->prefix = s->announce.at[i];
            p->service = s->name;
            terms_fill(&p->terms, s);
        }
    for (uint32_t i = 0; i < b->node->neighbors.count; i++) {
        const struct config_neighbor *n = &b->node->neighbors.at[i];
        struct announce_neighbor *to = &a->neighbors[a->neighbor_count++];
        to->families = (n->families & CONFIG_FAMILY_IPV4 ? ANNOUNCE_IPV4 : 0) |
                       (n->families & CONFIG_FAMILY_IPV6 ? ANNOUNCE_IPV6 : 0);
        to->ibgp = n->as == b->node->as;
        to->prepend = (uint8_t)n->prepend;
        to->has_local_pref = n->has_local_pref;
        to->local_pref = n->local_pref;
    }
}

void control_fleet_config(struct fleet_config *f, const struct config *c,
                          const struct config_node *node)
{
    *f = (struct fleet_config){ .self = (uint32_t)(node - c->nodes.at) };
    f->node_count = c->nodes.count;
    f->secret = c->fleet.secret != NULL;
    for (uint32_t i = 0; i < c->nodes.count; i++) {
        const struct config_node *n = &c->nodes.at[i];
        snprintf(f->nodes[i].name, sizeof f->nodes[i].name, "%s", n->name);
        f->nodes[i].address_count = n->addresses.count;
        memcpy(f->nodes[i].addresses, n->addresses.at, n->addresses.count * sizeof(union addr));
    }
}

struct health *control_health_new(uv_loop_t *loop, const struct config_bundle *b,
                                  void (*changed)(void *), void *arg, struct err *e)
{
    struct health_address addresses[CONFIG_ADDRESSES_MAX];
    struct health_options o = { .addresses = addresses, .changed = changed, .arg = arg };
    uint32_t pos = 0;
    for (const struct config_service *s; (s = config_service_next(b->config, b->node, &pos));)
        for (uint32_t i = 0; i < s->addresses.count; i++)
            addresses[o.address_count++] =
                (struct health_address){ s->addresses.at[i], s->check_ms, s->lease_ms };
    o.nsid = (const uint8_t *)b->node->nsid;
    o.nsid_len = (uint32_t)strlen(b->node->nsid);
    if (getrandom(&o.seed, sizeof o.seed, 0) != (ssize_t)sizeof o.seed)
        o.seed = (uint64_t)time_mono().ns; /* an early boot without entropy */
    return health_new(loop, &o, e);
}

static void neighbor_fill(struct bgp_neighbor_config *to, const struct config_neighbor *n,
                          const struct config_node *node)
{
    *to = (struct bgp_neighbor_config){ .name = n->name, .addr = bgp_address(&n->address) };
    to->port = (uint16_t)n->port;
    to->remote_as = n->as;
    to->local_as = node->as;
    to->passive = n->passive;
    to->password = n->password;
    to->ttl_security_hops = !n->ttl_security ? 0 : n->multihop == 0 ? 1 : (uint8_t)n->multihop;
    to->hold_s = (uint16_t)n->hold_s;
    to->has_source = n->source.sa.sa_family != AF_UNSPEC;
    if (to->has_source)
        to->source = bgp_address(&n->source);
    to->families = (n->families & CONFIG_FAMILY_IPV4 ? BGP_FAMILY_BIT(BGP_IPV4) : 0) |
                   (n->families & CONFIG_FAMILY_IPV6 ? BGP_FAMILY_BIT(BGP_IPV6) : 0);
    const union addr *hops[BGP_FAMILIES] = {
        [BGP_IPV4] = &n->next_hop_ipv4, [BGP_IPV6] = &n->next_hop_ipv6
    };
    for (int i = 0; i < BGP_FAMILIES; i++) {
        to->has_next_hop[i] = hops[i]->sa.sa_family != AF_UNSPEC;
        if (to->has_next_hop[i])
            to->next_hop[i] = bgp_address(hops[i]);
    }
}

struct bgp_speaker *control_speaker_new(uv_loop_t *loop, const struct config_bundle *b,
                                        const struct announce_config *a,
                                        bgp_speaker_handler *handler, void *arg, struct err *e)
{
    struct bgp_neighbor_config neighbors[CONFIG_NEIGHBORS_MAX];
    struct bgp_prefix watch[CONFIG_PREFIXES_MAX];
    for (uint32_t i = 0; i < b->node->neighbors.count; i++)
        neighbor_fill(&neighbors[i], &b->node->neighbors.at[i], b->node);
    for (uint32_t i = 0; i < a->prefix_count; i++)
        watch[i] = control_bgp_prefix(&a->prefixes[i].prefix);
    struct bgp_speaker_options o = {
        .router_id = ntohl(b->node->router_id.in.sin_addr.s_addr),
        .neighbors = neighbors,
        .neighbor_count = b->node->neighbors.count,
        .watch = watch,
        .watch_count = a->prefix_count,
        .handler = handler,
        .arg = arg,
    };
    return bgp_speaker_new(loop, &o, e);
}
