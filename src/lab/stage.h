/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LAB_STAGE_H
#define LAB_STAGE_H

#include "lab/fate.h"
#include "lab/lab.h"
#include "lab/node.h"
#include "lab/traffic.h"
#include "lab/wire.h"

/* A lab with its nodes announced and its clients asking: where scenarios are played. */
struct stage {
    struct lab *l;
    struct wire *w;
    struct traffic *t;
    int flow[LAB_HOSTS_MAX];               /* of each client and bot; -1: asks nothing */
    const char *servers[FATE_SERVERS_MAX]; /* names of the nodes: what an NSID may say */
    uint32_t server_host[FATE_SERVERS_MAX];
    uint32_t server_count;
    int64_t begun_ns;
    void (*tick)(void *arg,
                 int64_t waited_ms); /* called about once a second of a long wait; or NULL */
    void *tick_arg;
    bool hang_repair; /* sabotage: guard is stopped with a worker, so that nobody repairs it */
};

/* Everything up: lab, wire, nodes started and announced within `limit_ms`. Says on stderr what it does.
 * On failure everything is gone again. */
bool stage_up(struct stage *s, struct lab *l, const struct node_faults *faults, int limit_ms,
              struct err *e);
void stage_down(struct stage *s);

/* node_start(), and the wire knows of it. */
bool stage_start(struct stage *s, struct lab_host *h, struct err *e);

/* Each client of the topology asks `qps` queries a second at the service's addresses. */
bool stage_ask(struct stage *s, uint32_t qps, struct err *e);
/* A client or bot asks on top; returns the flow. */
int stage_flow(struct stage *s, const struct lab_host *h, uint32_t qps, bool flood, struct err *e);

/* The site whose answers client `h` got for its latest queries; -1: none, or more than one. */
int stage_site_of(struct stage *s, const struct lab_host *h);
/* The node that answered most of the latest queries of all clients at `site`; NULL: none. */
struct lab_host *stage_serving(struct stage *s, const struct lab_site *site);

/* The delay, one way, between two hosts along the shortest way. UINT64_MAX: there is none. */
uint64_t stage_delay_us(const struct lab_topo *t, uint32_t from, uint32_t to);
/* The site of the client's own region; the nearest by delay when there is none. */
uint32_t stage_home(const struct lab_topo *t, const struct lab_host *client);

/* Waits until every client is answered by its home site. */
bool stage_settle(struct stage *s, int limit_ms, struct err *e);
/* The same with ticks; `waited_ms` of this wait came before. */
bool stage_watch(struct stage *s, int64_t ms, int64_t waited_ms);
/* Sleeps, and comes back at once (false) when Ctrl-C was pressed. */
bool stage_sleep(int64_t ms);

/* The outside check, over everything so far: no route is announced without a right answer on the node's
 * loopback since it was started or withdrew it; BIRD's log tells of the same announcements as the wire; no answer of
 * any client was wrong. Returns the
 * number of violations, each told by a line on `out`. */
uint32_t stage_outside_check(struct stage *s, FILE *out);

#endif
