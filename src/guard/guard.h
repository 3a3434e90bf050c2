/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef GUARD_GUARD_H
#define GUARD_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

#define GUARD_SERVICES_MAX 64  /* service addresses of a node */
#define GUARD_LISTENERS_MAX 16 /* addresses on which BGP is awaited */

/* One service address, where queries are answered by UDP and TCP. */
struct guard_service {
    union addr at; /* 0.0.0.0 and [::] too */
    const char
        *interface; /* put the address on it ("lo"), take it away at the end; NULL: leave that
                              to the operator. An address that was there before is left there. */
};

/* One zone: `origin` is a name ("example.com."), `file` a master file. Both borrowed. */
struct guard_zone {
    const char *origin;
    const char *file;
};

/* All that guard needs to know. Everything is borrowed until guard_run() returns; zero or NULL takes
 * the default where one is named. */
struct guard_options {
    const char *node; /* this node's name: in log lines, and handed to control; may be NULL */

    const struct guard_service *services;
    uint32_t service_count; /* 1..GUARD_SERVICES_MAX */

    const struct guard_zone *zones;
    uint32_t zone_count;

    uint32_t workers;    /* threads of serve, 1..SERVE_WORKERS_MAX; default: one per usable CPU */
    const uint8_t *nsid; /* RFC 5001; NULL: none */
    uint32_t nsid_len;   /* at most SERVE_NSID_MAX (serve/link.h) */
    uint32_t tcp_clients_max; /* connections of a serve process; default 1024 */
    uint32_t tcp_idle_ms;     /* an idle connection is closed after this; default 10000 */

    /* DNS cookies (RFC 7873): secrets from a file that is read again with each reload
     * (base/secret_file.h), or random ones of this guard; with neither there are no cookies. */
    const char *cookie_file;
    bool cookies_random;   /* only without `cookie_file` */
    bool cookies_required; /* a UDP client that sends a cookie must send a valid one */

    /* The control process. Without `control_socket` there is none, and the rest is not looked at. */
    const char
        *control_socket; /* path of the unix socket; its directory is made if it is missing */
    int config_fd;       /* sealed memfd, handed to control as it is (GUARD_CONTROL_FD_CONFIG) */
    const union addr *bgp_listeners; /* with ports; may be none */
    uint32_t bgp_listener_count;     /* at most GUARD_LISTENERS_MAX */
    const union addr *fleet;         /* the node's own UDP address for the fleet; NULL: none */
    uint32_t
        stop_limit_ms; /* after SIGTERM, how long to wait until control has drained; default 10000 */

    const char *user; /* the children run as this user and its group; NULL: as guard does */
};

/* Runs the node until SIGTERM or SIGINT; SIGHUP loads the zones again. Reports what goes wrong at
 * start on stderr, one line each, and everything after as log events. Needs a process with one
 * thread. Returns the exit status: 0 after an orderly stop, 1 when it could not start or go on. */
int guard_run(const struct guard_options *o);

#endif
