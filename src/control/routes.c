/* SPDX-License-Identifier: GPL-3.0-or-later */

/* From what announce wants to what BGP sends: the neighbor's fixed attributes are added here. */
#include <stdlib.h>

#include "base/assert.h"
#include "control/parts.h"

_Static_assert(ANNOUNCE_NEIGHBORS_MAX >= CONFIG_NEIGHBORS_MAX, "every neighbor of a node");
_Static_assert(ANNOUNCE_PREFIXES_MAX >= CONFIG_PREFIXES_MAX, "every prefix of a node");
_Static_assert(VERDICT_ADDRESSES_MAX >= CONFIG_ADDRESSES_MAX, "every service address of a node");
_Static_assert(FLEET_NODES_MAX >= CONFIG_NODES_MAX, "every node of a fleet");
_Static_assert(FLEET_NODE_ADDRESSES_MAX >= CONFIG_NODE_ADDRESSES_MAX, "every address of a node");
_Static_assert(BGP_COMMUNITIES_MAX > CONFIG_COMMUNITIES_MAX, "and GRACEFUL_SHUTDOWN");
_Static_assert(BGP_LARGE_MAX >= CONFIG_COMMUNITIES_MAX, "every large community");

void control_routes_init(struct control_routes *r)
{
    r->rows = base_calloc(ANNOUNCE_ROUTES_MAX, sizeof *r->rows);
    r->count = 0;
}

void control_routes_fini(struct control_routes *r)
{
    free(r->rows);
    r->rows = NULL;
}

static void attrs_fill(struct bgp_attrs *a, const struct config_neighbor *n,
                       const struct announce_route *route)
{
    bool fits = true;
    *a = (struct bgp_attrs){ .origin = BGP_ORIGIN_IGP, .prepend = route->prepend };
    a->has_med = n->has_med;
    a->med = n->med;
    a->has_local_pref = route->has_local_pref;
    a->local_pref = route->local_pref;
    for (uint32_t i = 0; i < n->communities.count; i++)
        bgp_attrs_add_community(a, n->communities.at[i]); /* false: given twice */
    if (route->graceful_shutdown)
        fits = bgp_attrs_add_community(a, BGP_COMMUNITY_GRACEFUL_SHUTDOWN);
    base_assert(fits);
    for (uint32_t i = 0; i < n->large_communities.count; i++) {
        const struct config_large_community *l = &n->large_communities.at[i];
        bgp_attrs_add_large(a, (struct bgp_large){ l->global, l->local1, l->local2 });
    }
}

void control_routes_fill(struct control_routes *r, const struct config_node *node,
                         const struct announce_config *config, const struct announce_out *out)
{
    base_assert(out->route_count <= ANNOUNCE_ROUTES_MAX);
    r->count = out->route_count;
    for (uint32_t i = 0; i < out->route_count; i++) {
        const struct announce_route *from = &out->routes[i];
        struct bgp_route *to = &r->rows[i];
        to->prefix = control_bgp_prefix(&config->prefixes[from->prefix].prefix);
        to->neighbor = from->neighbor;
        to->reason = out->prefixes[from->prefix].reason;
        attrs_fill(&to->attrs, &node->neighbors.at[from->neighbor], from);
    }
    r->gone = (struct bgp_gone){ .rows = r->why };
    for (uint32_t i = 0; i < config->prefix_count; i++)
        if (!announce_state_is_out(out->prefixes[i].state))
            r->why[r->gone.count++] =
                (struct bgp_why){ control_bgp_prefix(&config->prefixes[i].prefix),
                                  out->prefixes[i].reason };
}

static bool is_fleet_as(const struct config *config, uint32_t as)
{
    for (uint32_t i = 0; i < config->nodes.count; i++)
        if (config->nodes.at[i].as == as)
            return true;
    return false;
}

bool control_routes_is_other_site(const struct config *config, const struct config_node *node,
                                  const struct bgp_seen *seen)
{
    const struct bgp_path *p = &seen->path;
    if (seen->relation != BGP_RELATION_EQUAL || p->has_set || p->cut || p->count == 0 ||
        !is_fleet_as(config, p->origin))
        return false;
    if (p->origin != node->as)
        return true;
    /* The sites share an AS number. Our own route may be told back to us, by the neighbor that has it
     * from us or, through half the Internet, by another one; but the network in front of our number is
     * then always one that we announce to. A site behind the same network cannot be told apart from
     * such an echo: not counted. */
    uint32_t upstream = 0;
    for (uint32_t i = 0; i < p->count && p->as[i] != node->as; i++)
        upstream = p->as[i];
    for (uint32_t i = 0; i < node->neighbors.count; i++)
        if (node->neighbors.at[i].as == upstream)
            return false;
    return upstream != 0;
}
