/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/addr.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/prefix.h"
#include "dns/name.h"

/* The fleet file: one YAML file describes services, sites, nodes and neighbors of the whole fleet, and
 * every node reads the same one. One table (config/schema.c) says what may stand in it; parser,
 * defaults, limits, errors and docs/configuration.md come from that table.
 *
 * Everything in struct config is owned by it and lives until config_free(). Lists are allocated once,
 * so pointers into it stay valid. Text that was not given is NULL unless its default is said here. */

struct config_large_community { /* RFC 8092 */
    uint32_t global, local1, local2;
};

/* Addresses come as union addr, with the port that goes with them (service, neighbor, bgp_port, fleet
 * port) already filled in; sa.sa_family is AF_UNSPEC (0) where none was given. */
struct config_addresses {
    union addr *at;
    uint32_t count;
};

struct config_prefixes {
    struct prefix *at;
    uint32_t count;
};

struct config_texts {
    char **at;
    uint32_t count;
};

struct config_communities { /* RFC 1997, host order: high 16 bits are the AS */
    uint32_t *at;
    uint32_t count;
};

struct config_large_communities {
    struct config_large_community *at;
    uint32_t count;
};

struct config_zone {
    struct dns_name origin;
    char *file; /* absolute, or with the fleet file's folder in front */
};

struct config_zones {
    struct config_zone *at;
    uint32_t count;
};

/* What clients use: addresses that every site shares, the prefixes that carry them, the zones that are
 * answered there, and the terms of the promise. */
struct config_service {
    char *name;
    struct config_addresses addresses; /* where queries are answered */
    struct config_prefixes announce;   /* if none were given: the host prefixes of `addresses` */
    uint32_t port;                     /* 53 */
    struct config_zones zones;
    uint32_t lease_ms;         /* how long a proof holds */
    uint32_t check_ms;         /* between two probes of an address */
    uint32_t hold_down_ms;     /* proven for this long before it is announced again */
    uint32_t hold_down_max_ms; /* where a flapping prefix's hold-down stops doubling */
    uint32_t drain_delay_ms;   /* announced as the worse way for this long, then withdrawn */
    uint32_t drain_quiet_ms;   /* a drain is done when no query has come for this long */
    uint32_t drain_limit_ms;   /* it is done after this long in any case */
    uint32_t drain_prepend;    /* own AS that many more times while draining or over capacity */
};

struct config_services {
    struct config_service *at;
    uint32_t count;
};

struct config_site {
    char *name;
    uint32_t capacity; /* answers per second; 0: unlimited */
};

struct config_sites {
    struct config_site *at;
    uint32_t count;
};

#define CONFIG_FAMILY_IPV4 0x1
#define CONFIG_FAMILY_IPV6 0x2

struct config_neighbor {
    char *name;         /* if not given: its address as text */
    union addr address; /* required */
    uint32_t as;        /* required; the node's own AS makes it iBGP */
    uint32_t port;      /* 179 */
    char *password;     /* TCP-MD5 (RFC 2385), read from password_file; NULL: none */
    char *password_file;
    bool passive;      /* true: wait for its connection, never connect */
    bool ttl_security; /* GTSM (RFC 5082) */
    uint32_t multihop; /* hops at most; 0: directly connected */
    uint32_t hold_s;   /* 0 or at least 3 (RFC 4271 section 4.2) */
    union addr source; /* local address of the session; not given: the kernel chooses */
    uint32_t families; /* CONFIG_FAMILY_*; if not given, that of `address` */
    union addr next_hop_ipv4, next_hop_ipv6; /* not given: own address of the session */
    struct config_communities communities;
    struct config_large_communities large_communities;
    bool has_med, has_local_pref;
    uint32_t med, local_pref;
    uint32_t prepend; /* own AS that many more times, always */
};

struct config_neighbors {
    struct config_neighbor *at;
    uint32_t count;
};

struct config_node {
    char *name;
    char *site;                        /* of a struct config_site */
    struct config_addresses addresses; /* its own: fleet datagrams, BGP; never those of a service */
    union addr router_id;              /* IPv4; if not given the first IPv4 of `addresses` */
    uint32_t as;
    uint32_t workers;                   /* 0: one per processor */
    bool manage_addresses;              /* true: guard puts the service addresses on `interface` */
    char *interface;                    /* "lo" */
    char *nsid;                         /* if not given: the node's name */
    uint32_t bgp_port;                  /* where it listens for neighbors; 0: nowhere */
    struct config_addresses bgp_listen; /* if not given: `addresses` */
    struct config_texts services;       /* names; if not given: every service of the fleet */
    struct config_neighbors neighbors;
};

struct config_nodes {
    struct config_node *at;
    uint32_t count;
};

struct config_fleet {
    char *secret_file; /* NULL: the nodes do not speak with each other */
    char *secret;      /* its content without the final line end, as text */
    uint32_t port;     /* UDP, on the nodes' own addresses */
};

#define CONFIG_COOKIE_SECRETS_MAX 8
#define CONFIG_COOKIE_SECRET_LEN 16
struct config_cookies { /* RFC 7873, RFC 9018 */
    char *secret_file;  /* base/secret_file.h; NULL: a node that is alone makes its own */
    bool required;      /* a UDP client that sends a cookie must send a valid one */
};

struct config {
    char *user;           /* who control and serve run as; NULL: perigee or nobody */
    char *control_socket; /* "{node}" in it stands for the node's name */
    char *state_dir;      /* likewise; what survives a restart */
    bool log_debug;
    struct config_fleet fleet;
    struct config_cookies cookies;
    struct config_services services;
    struct config_sites sites;
    struct config_nodes nodes;
};

/* All errors of one reading, in the order of the file. The texts in `at` borrow `file`. */
#define CONFIG_ERRORS_MAX 100 /* more are counted, not kept */
struct config_errors {
    struct err at[CONFIG_ERRORS_MAX];
    uint32_t count; /* all that were found; at most CONFIG_ERRORS_MAX are in `at` */
};

/* How much of each a fleet file may have. */
#define CONFIG_SERVICES_MAX 64
#define CONFIG_ADDRESSES_MAX 64 /* of all services of a node */
#define CONFIG_PREFIXES_MAX 64  /* likewise */
#define CONFIG_NODES_MAX 64
#define CONFIG_NODE_ADDRESSES_MAX 8
#define CONFIG_NEIGHBORS_MAX 64   /* of a node */
#define CONFIG_COMMUNITIES_MAX 15 /* of a neighbor, of each kind; draining adds one */

/* Limits of its bytes, checked before libyaml builds anything. */
#define CONFIG_FILE_MAX (16u << 20) /* bytes */
#define CONFIG_DEPTH_MAX 16         /* nested maps and lists */

struct config_source {
    const char *file; /* its name, for errors and for the folder of relative paths */
    const char *yaml; /* its bytes */
    size_t len;
    const char *node; /* whose files are looked at; NULL: those of all nodes, or */
    bool this_host;   /* those of the node that has this host's name */
    bool no_files;    /* true: no file is looked at, and no secret read */
};

/* Reads the whole file, whatever is wrong in it, and tells every error; returns NULL when there was
 * one. Blocks on disk unless `no_files` is set: reads secrets, asks whether zone files can be read. The
 * errors borrow source->file. */
struct config *config_parse(const struct config_source *source,
                            struct config_errors *errors) BASE_MUST_USE;
void config_free(struct config *c);
void config_cleanup(struct config **c);

/* Reads a whole file of at most `cap` bytes. Blocks on disk. The caller frees; NULL with *e. */
char *config_slurp(const char *path, size_t cap, size_t *len, struct err *e) BASE_MUST_USE;

/* Prints one line per error to `out`, and at the end how many were left out. */
void config_errors_print(const struct config_errors *errors, FILE *out);

/* NULL when there is no such node. `name` NULL: the host name, whole or up to its first dot. */
const struct config_node *config_find_node(const struct config *c, const char *name);
const struct config_site *config_find_site(const struct config *c, const char *name);
const struct config_service *config_find_service(const struct config *c, const char *name);

/* The services that `n` offers, in the order of the file: start with *pos = 0; NULL after the last. */
const struct config_service *config_service_next(const struct config *c,
                                                 const struct config_node *n, uint32_t *pos);

/* `text` with every "{node}" replaced by the name of `n`. The caller frees. */
char *config_expand(const char *text, const struct config_node *n);

/* The reference page (docs/configuration.md), from the same table that parses. */
void config_print_reference(FILE *out);

/* What guard hands to control (guard/link.h): the fleet file's bytes, its name, which node this is, and
 * the node's secrets, which control itself may not read. */
struct config_bundle {
    struct config *config; /* owned when it came from config_bundle_open() */
    const struct config_node *node;
    bool dry_run;
    char *file;    /* its name, and */
    uint64_t hash; /* config_hash() of its bytes: filled in by config_bundle_open(), owned */
};
uint64_t config_hash(const char *yaml, size_t len); /* FNV-1a: whether a file has changed */

/* Returns a sealed memfd that the caller closes; -1 with *e filled in. */
int config_bundle_new(const struct config_bundle *b, const struct config_source *source,
                      struct err *e) BASE_MUST_USE;

/* The other side. The caller keeps `fd`. */
bool config_bundle_open(struct config_bundle *b, int fd, struct err *e) BASE_MUST_USE;

#endif
