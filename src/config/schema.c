/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The table of the fleet file. Parser, limits, defaults, errors and docs/configuration.md come from
 * these rows; a new option is one row here and one field in config/config.h. */
#include "config/schema.h"

#include "config/config.h"

#define FIELD(type, field) .offset = offsetof(struct type, field)
#define KEYS(rows) .keys = rows, .count = BASE_COUNT(rows)

static const struct config_key fleet_keys[] = {
    { "secret_file", CONFIG_KIND_FILE, FIELD(config_fleet, secret_file),
      .doc =
          "A file with one secret line, the same on every node, by which the nodes know each "
          "other's datagrams. Mode 0600; 16 to 255 characters. Without it only the sender's address "
          "says who speaks, and addresses can be forged: fine in a lab." },
    { "port", CONFIG_KIND_NUMBER, FIELD(config_fleet, port), .min = 1, .max = 65535, .def = "4953",
      .doc = "The UDP port of these datagrams, on the nodes' own addresses." },
};
static const struct config_table fleet_table = {
    "fleet", "How the nodes tell each other what they announce.", KEYS(fleet_keys),
    sizeof(struct config_fleet)
};

static const struct config_key cookies_keys[] = {
    { "secret_file", CONFIG_KIND_FILE, FIELD(config_cookies, secret_file),
      .doc =
          "A file of secrets, the same on every node: 32 hexadecimal digits a line, `#` begins a "
          "comment, at most 8. Mode 0600. The first makes cookies, all verify; a reload reads it "
          "again. Without it a node that is alone makes its own secret, and several nodes have no "
          "cookies." },
    { "required", CONFIG_KIND_BOOL, FIELD(config_cookies, required), .def = "no",
      .doc =
          "`yes`: a client that sends a cookie over UDP gets BADCOOKIE and a new one unless it is "
          "valid. One that sends none is answered all the same." },
};
static const struct config_table cookies_table = {
    "cookies",
    "DNS cookies (RFC 7873, RFC 9018): by them a server knows that a client is where it says. How "
    "to roll the secrets: [answers](answers.md#cookies).",
    KEYS(cookies_keys), sizeof(struct config_cookies)
};

static const struct config_key zone_keys[] = {
    { "origin", CONFIG_KIND_ORIGIN, .required = true, FIELD(config_zone, origin),
      .doc = "The name of the zone, with or without the final dot." },
    { "file", CONFIG_KIND_FILE, .required = true, FIELD(config_zone, file),
      .doc = "Its master file (RFC 1035 section 5)." },
};
static const struct config_table zone_table = {
    "zone",
    "A zone that is answered. A node answers the zones of all its services on all its "
    "service addresses.",
    KEYS(zone_keys), sizeof(struct config_zone)
};

static const struct config_key service_keys[] = {
    { "name", CONFIG_KIND_NAME, .required = true, FIELD(config_service, name),
      .doc = "Its name, for status and log." },
    { "addresses", CONFIG_KIND_ADDRESS, .list = true, .required = true,
      .most = CONFIG_ADDRESSES_MAX, FIELD(config_service, addresses),
      .doc = "Where queries are answered, at every site the same." },
    { "announce", CONFIG_KIND_PREFIX, .list = true, .most = CONFIG_PREFIXES_MAX,
      FIELD(config_service, announce),
      .doc = "The prefixes that carry the addresses, as the neighbors accept them: on the Internet "
             "usually an IPv4 /24 and an IPv6 /48. Without it the addresses themselves, as /32 and "
             "/128. A prefix is announced only while every address in it is proven." },
    { "port", CONFIG_KIND_NUMBER, FIELD(config_service, port), .min = 1, .max = 65535, .def = "53",
      .doc = "Port for UDP and TCP." },
    { "zones", CONFIG_KIND_TABLE, .list = true, .required = true, FIELD(config_service, zones),
      .sub = &zone_table, .doc = "What is answered." },
    { "lease", CONFIG_KIND_TIME_MS, FIELD(config_service, lease_ms), .min = 50, .max = 60000,
      .def = "200ms",
      .doc = "How long a proof holds: when the last one is older, the prefix is withdrawn. A fault "
             "that is repaired within it changes no route." },
    { "check_interval", CONFIG_KIND_TIME_MS, FIELD(config_service, check_ms), .min = 10,
      .max = 30000, .def = "50ms",
      .doc = "Time between two probes of an address, for UDP and TCP each. At most half of the "
             "lease." },
    { "hold_down", CONFIG_KIND_TIME_MS, FIELD(config_service, hold_down_ms), .min = 1,
      .max = 3600000, .def = "2s",
      .doc = "After a withdrawal a prefix is proven for this long before it is announced again. "
             "Doubles with each withdrawal that follows soon, so that routers do not punish it as "
             "flapping." },
    { "hold_down_max", CONFIG_KIND_TIME_MS, FIELD(config_service, hold_down_max_ms), .min = 1,
      .max = 86400000, .def = "5m", .doc = "Where this doubling stops." },
    { "drain_delay", CONFIG_KIND_TIME_MS, FIELD(config_service, drain_delay_ms), .min = 0,
      .max = 3600000, .def = "2s",
      .doc =
          "A draining node first announces itself as the worse way (GRACEFUL_SHUTDOWN of RFC 8326, "
          "`drain_prepend`), for this long, so that other ways are there before this one goes." },
    { "drain_quiet", CONFIG_KIND_TIME_MS, FIELD(config_service, drain_quiet_ms), .min = 100,
      .max = 3600000, .def = "2s",
      .doc = "After the withdrawal it answers until no query has come for this long." },
    { "drain_limit", CONFIG_KIND_TIME_MS, FIELD(config_service, drain_limit_ms), .min = 0,
      .max = 86400000, .def = "30s",
      .doc =
          "A drain is over after this time, even if queries still come. At least `drain_delay`." },
    { "drain_prepend", CONFIG_KIND_NUMBER, FIELD(config_service, drain_prepend), .min = 1,
      .max = 10, .def = "3",
      .doc = "How often the own AS number is prepended while draining or over capacity." },
};
static const struct config_table service_table = {
    "service",
    "What clients use: addresses that all sites share, the prefixes that carry them, the "
    "zones that are answered there, and the terms of the promise.",
    KEYS(service_keys), sizeof(struct config_service)
};

static const struct config_key site_keys[] = {
    { "name", CONFIG_KIND_NAME, .required = true, FIELD(config_site, name),
      .doc = "Its name: an airport's code, a city." },
    { "capacity", CONFIG_KIND_NUMBER, FIELD(config_site, capacity), .min = 0, .max = 4000000000,
      .def = "0",
      .doc = "Answers per second that each node of the site can give. Above it the prefixes are "
             "announced as the worse way, and if it stays above, withdrawn, but only while another "
             "site is known to announce them. 0: no limit." },
};
static const struct config_table site_table = { "site", "A place where nodes stand.",
                                                KEYS(site_keys), sizeof(struct config_site) };

static const struct config_key neighbor_keys[] = {
    { "name", CONFIG_KIND_NAME, FIELD(config_neighbor, name),
      .doc = "Its name, for status and log. Without it: the address." },
    { "address", CONFIG_KIND_ADDRESS, .required = true, FIELD(config_neighbor, address),
      .doc = "Where it is reached." },
    { "as", CONFIG_KIND_AS, .required = true, FIELD(config_neighbor, as), .min = 1,
      .max = UINT32_MAX, .doc = "Its AS number. The node's own number makes the session iBGP." },
    { "port", CONFIG_KIND_NUMBER, FIELD(config_neighbor, port), .min = 1, .max = 65535,
      .def = "179", .doc = "Its TCP port." },
    { "password_file", CONFIG_KIND_FILE, FIELD(config_neighbor, password_file),
      .doc =
          "A file with one line: the password for TCP-MD5 (RFC 2385), at most 80 characters. Mode "
          "0600." },
    { "passive", CONFIG_KIND_BOOL, FIELD(config_neighbor, passive), .def = "no",
      .doc = "`yes` waits for its connection and never connects." },
    { "ttl_security", CONFIG_KIND_BOOL, FIELD(config_neighbor, ttl_security), .def = "no",
      .doc = "`yes` accepts only packets that no router, or at most `multihop` hops, can have "
             "forwarded (GTSM, RFC 5082). The neighbor must do the same." },
    { "multihop", CONFIG_KIND_NUMBER, FIELD(config_neighbor, multihop), .min = 0, .max = 255,
      .def = "0",
      .doc = "With `ttl_security`: how many routers may lie between. 0: it is directly connected. "
             "Without `ttl_security` a session works over any distance." },
    { "hold_time", CONFIG_KIND_TIME_S, FIELD(config_neighbor, hold_s), .min = 0, .max = 65535,
      .def = "9s",
      .doc = "The session is dead when nothing has come for this long (RFC 4271 section 4.2). `0s` "
             "(no timer) or at least 3s; the smaller of both sides' counts." },
    { "source", CONFIG_KIND_ADDRESS, FIELD(config_neighbor, source),
      .doc = "The own address of the session. Without it the kernel chooses." },
    { "families", CONFIG_KIND_FAMILY, .list = true, FIELD(config_neighbor, families),
      .doc = "`ipv4`, `ipv6` or both: which prefixes the session carries. Without it: those of the "
             "family of `address`." },
    { "next_hop_ipv4", CONFIG_KIND_ADDRESS, FIELD(config_neighbor, next_hop_ipv4), .min = 4,
      .doc =
          "Next hop of the IPv4 prefixes. Without it: the own address of the session; needed when "
          "an IPv6 session carries IPv4." },
    { "next_hop_ipv6", CONFIG_KIND_ADDRESS, FIELD(config_neighbor, next_hop_ipv6), .min = 6,
      .doc =
          "Next hop of the IPv6 prefixes. Without it: the own address of the session; needed when "
          "an IPv4 session carries IPv6." },
    { "communities", CONFIG_KIND_COMMUNITY, .list = true, .most = CONFIG_COMMUNITIES_MAX,
      FIELD(config_neighbor, communities),
      .doc = "Communities (RFC 1997) on every route to it: `64500:100`, or `no-export`, "
             "`no-advertise`, `blackhole`." },
    { "large_communities", CONFIG_KIND_LARGE_COMMUNITY, .list = true,
      .most = CONFIG_COMMUNITIES_MAX, FIELD(config_neighbor, large_communities),
      .doc = "Large communities (RFC 8092): `64500:1:2`." },
    { "med", CONFIG_KIND_NUMBER, FIELD(config_neighbor, med),
      .has_offset = offsetof(struct config_neighbor, has_med), .min = 0, .max = UINT32_MAX,
      .doc = "MULTI_EXIT_DISC of every route to it. Without it: none." },
    { "local_pref", CONFIG_KIND_NUMBER, FIELD(config_neighbor, local_pref),
      .has_offset = offsetof(struct config_neighbor, has_local_pref), .min = 0, .max = UINT32_MAX,
      .doc = "LOCAL_PREF of every route to it, iBGP only. Without it: 100." },
    { "prepend", CONFIG_KIND_NUMBER, FIELD(config_neighbor, prepend), .min = 0, .max = 10,
      .def = "0", .doc = "The own AS number that many more times in the path, always." },
};
static const struct config_table neighbor_table = {
    "neighbor",
    "A BGP neighbor of a node. It gets the prefixes of the node's services and nothing "
    "else.",
    KEYS(neighbor_keys), sizeof(struct config_neighbor)
};

static const struct config_key node_keys[] = {
    { "name", CONFIG_KIND_NAME, .required = true, FIELD(config_node, name),
      .doc = "Its host name (whole, or up to the first dot), or what `--node` says." },
    { "site", CONFIG_KIND_NAME, .required = true, FIELD(config_node, site),
      .doc = "The name of the site where it stands." },
    { "addresses", CONFIG_KIND_ADDRESS, .list = true, .required = true,
      .most = CONFIG_NODE_ADDRESSES_MAX, FIELD(config_node, addresses),
      .doc =
          "Its own addresses, never those of a service: here it listens for BGP and for the other "
          "nodes." },
    { "router_id", CONFIG_KIND_ADDRESS, FIELD(config_node, router_id), .min = 4,
      .doc = "BGP identifier (RFC 6286). Without it: the first IPv4 address of `addresses`." },
    { "as", CONFIG_KIND_AS, .required = true, FIELD(config_node, as), .min = 1, .max = UINT32_MAX,
      .doc = "Its AS number." },
    { "workers", CONFIG_KIND_NUMBER, FIELD(config_node, workers), .min = 0, .max = 64, .def = "0",
      .doc = "Threads that answer queries. 0: one per processor." },
    { "manage_addresses", CONFIG_KIND_BOOL, FIELD(config_node, manage_addresses), .def = "yes",
      .doc = "`yes` puts the service addresses on `interface` at the start, if they are not there, "
             "and takes "
             "those away again at the end. `no` leaves that to you." },
    { "interface", CONFIG_KIND_TEXT, FIELD(config_node, interface), .min = 1, .max = 15,
      .def = "lo", .doc = "The interface that gets the addresses." },
    { "nsid", CONFIG_KIND_TEXT, FIELD(config_node, nsid), .min = 1, .max = 128,
      .doc = "What it answers to NSID (RFC 5001) and to `id.server.` Without it: its name." },
    { "bgp_port", CONFIG_KIND_NUMBER, FIELD(config_node, bgp_port), .min = 0, .max = 65535,
      .def = "179", .doc = "Where it listens for BGP. 0: nowhere, it only connects." },
    { "bgp_listen", CONFIG_KIND_ADDRESS, .list = true, .most = CONFIG_NODE_ADDRESSES_MAX,
      FIELD(config_node, bgp_listen),
      .doc = "The addresses on which it listens for BGP. Without it: `addresses`." },
    { "services", CONFIG_KIND_NAME, .list = true, FIELD(config_node, services),
      .doc = "The services that it offers. Without it: all." },
    { "neighbors", CONFIG_KIND_TABLE, .list = true, .most = CONFIG_NEIGHBORS_MAX,
      FIELD(config_node, neighbors), .sub = &neighbor_table, .doc = "To whom it announces." },
};
static const struct config_table node_table = { "node", "A machine that answers and announces.",
                                                KEYS(node_keys), sizeof(struct config_node) };

static const struct config_key root_keys[] = {
    { "user", CONFIG_KIND_NAME, FIELD(config, user),
      .doc = "The user whom control and the serving processes become after the start as root. "
             "Without it: `perigee` if there is such a user, else `nobody`." },
    { "control_socket", CONFIG_KIND_FILE, FIELD(config, control_socket), .max = 90,
      .def = "/run/perigee/{node}/control.sock",
      .doc = "Where `perigee status` and the other commands reach the node; mode 0660. `{node}` "
             "stands for its name." },
    { "state_dir", CONFIG_KIND_FILE, FIELD(config, state_dir), .def = "/var/lib/perigee/{node}",
      .doc =
          "What survives a restart: whether the node is drained. `{node}` stands for its name." },
    { "log", CONFIG_KIND_LOG_LEVEL, FIELD(config, log_debug), .def = "info",
      .doc = "`info` or `debug`." },
    { "cookies", CONFIG_KIND_TABLE, FIELD(config, cookies), .sub = &cookies_table,
      .doc = "DNS cookies." },
    { "fleet", CONFIG_KIND_TABLE, FIELD(config, fleet), .sub = &fleet_table,
      .doc = "How the nodes speak with each other." },
    { "services", CONFIG_KIND_TABLE, .list = true, .required = true, .most = CONFIG_SERVICES_MAX,
      FIELD(config, services), .sub = &service_table, .doc = "What clients use." },
    { "sites", CONFIG_KIND_TABLE, .list = true, .required = true, FIELD(config, sites),
      .sub = &site_table, .doc = "The places." },
    { "nodes", CONFIG_KIND_TABLE, .list = true, .required = true, .most = CONFIG_NODES_MAX,
      FIELD(config, nodes), .sub = &node_table, .doc = "The machines." },
};
const struct config_table config_table_root = { "fleet file", "", KEYS(root_keys),
                                                sizeof(struct config) };
