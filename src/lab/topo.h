/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LAB_TOPO_H
#define LAB_TOPO_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/mem.h"
#include "lab/yml.h"

/* A topology: routers of several networks on several continents, links between them with delay and
 * rate, the sites of one anycast service, and clients. lab/demo.yaml is the commented example;
 * docs/lab.md describes every key. Reading it is pure: text in, a struct or errors out. */
#define LAB_NAME_MAX 11 /* letters of a name: it becomes an interface's, which has 15 */
#define LAB_HOSTS_MAX 200
#define LAB_LINKS_MAX 400
#define LAB_SITES_MAX 32
#define LAB_REGIONS_MAX 16
#define LAB_OPTIONS_MAX 24

enum lab_kind {
    LAB_ROUTER, /* BIRD */
    LAB_NODE,   /* perigee */
    LAB_CLIENT, /* asks */
    LAB_BOT,    /* a client that only floods */
};

struct lab_host {
    char name[LAB_NAME_MAX + 1];
    enum lab_kind kind;
    uint32_t region; /* index */
    uint32_t site;   /* index; of a node */
    uint32_t as;     /* of a router; a node has the service's */
    uint32_t link;   /* index of the only link of a node, client or bot */
};

enum lab_relation {
    LAB_PEERS,    /* each tells the other only of itself and its customers */
    LAB_PROVIDER, /* a is the provider of b: it tells b everything, and everyone of b */
    LAB_ATTACHED, /* a router and a node, client or bot */
};

/* End `a` has the first address of the link's networks, end `b` the second. In the namespace of one
 * end the interface has the name of the other. */
struct lab_link {
    uint32_t a, b; /* indices of hosts; of an attached link `a` is the router */
    enum lab_relation relation;
    uint64_t delay_us;      /* one way, both directions */
    uint64_t rate_bps;      /* towards b; 0: not limited */
    struct in_addr a4, b4;  /* of a /30 */
    struct in6_addr a6, b6; /* of a /64 */
};

struct lab_site {
    char name[LAB_NAME_MAX + 1];
    uint32_t region;
    uint32_t capacity; /* answers/s, for the fleet file; 0: no limit */
};

struct lab_option {
    char *key, *value; /* handed on to the fleet file as they are */
};

struct lab_topo {
    char name[LAB_NAME_MAX + 1];
    char regions[LAB_REGIONS_MAX][LAB_NAME_MAX + 1];
    struct lab_host hosts[LAB_HOSTS_MAX];
    struct lab_link links[LAB_LINKS_MAX];
    struct lab_site sites[LAB_SITES_MAX];
    struct lab_option options[LAB_OPTIONS_MAX];
    uint32_t region_count, host_count, link_count, site_count, option_count;
    uint32_t as; /* of the service */
    uint32_t hold_s;
    struct in_addr service4;
    struct in6_addr service6;
    char prefix4[64], prefix6[64]; /* as text */
    char zone[64];                 /* origin, no final dot */
};

/* NULL when something is wrong: the errors are in *y then. The caller frees. */
struct lab_topo *lab_topo_read(struct yml *y, yml_node root) BASE_MUST_USE;
void lab_topo_free(struct lab_topo *t);

/* False when it cannot be a lab's name: a-z and 0-9 (no '-', so that no lab's namespaces look like
 * another's). */
bool lab_topo_rename(struct lab_topo *t, const char *name);

/* NULL when there is none of that name. */
struct lab_host *lab_topo_find(struct lab_topo *t, const char *name);
struct lab_site *lab_topo_site(struct lab_topo *t, const char *name);

/* The router to which a node, client or bot is attached. */
struct lab_host *lab_topo_router(struct lab_topo *t, const struct lab_host *h);

#endif
