/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LAB_LAB_H
#define LAB_LAB_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/time.h"
#include "lab/topo.h"

/* A topology that stands: namespaces `pgl-LAB-HOST` (so `ip netns exec` finds them), the BIRDs, the
 * delay process, the perigee nodes. Files are in build/lab/LAB (or where `dir` says):
 *     fleet.yaml, LAB.zone         what the nodes read
 *     bird/HOST.conf .log .ctl     the routers
 *     node/NAME.log                the nodes
 *     wire/NAME.pcap               what went over the link between node and router: BGP
 * One lab of a name at a time; lab_up() first removes what a killed run of that name left. */
/* The nodes' control sockets, and what they remember over restarts, are here, below LAB/NODE: they run
 * as `nobody`, who may not go into every checkout. Removed with the lab. */
#define LAB_STATE "/run/perigee-lab"

struct lab_node {
    pid_t guard;       /* 0: not running; with glue: ExaBGP */
    pid_t dns;         /* with glue: Knot; else 0 */
    mono_t started_at; /* of the last start */
    int starts;
};

enum lab_glue {
    LAB_GLUE_NONE,    /* the nodes are perigee */
    LAB_GLUE_DEFAULT, /* Knot and ExaBGP's healthcheck with its own figures */
    LAB_GLUE_TUNED,   /* as fast as it can be made */
};

struct lab {
    struct lab_topo *topo; /* borrowed */
    char repo[256];        /* the checkout: tools/, examples/ */
    char perigee[256];     /* the program under test */
    char dir[256];
    enum lab_glue glue;
    bool sticky; /* sabotage: the first node's router keeps its route whatever the node says */
    bool netem;  /* the kernel has it: then there is no delay process */
    pid_t bird[LAB_HOSTS_MAX];
    struct lab_node node[LAB_HOSTS_MAX];
    pid_t delay;
    int delay_stdin;
};

/* Finds the checkout and the programs. `dir` NULL: build/lab/NAME below the checkout. `t` NULL: only
 * `repo` and `perigee` are filled. */
bool lab_init(struct lab *l, struct lab_topo *t, const char *dir, struct err *e);

/* Namespaces, links, addresses, delays, routers; not the nodes. On failure everything is gone again. */
bool lab_up(struct lab *l, struct err *e);
/* Ends every process in the lab's namespaces and removes them. Never fails; safe at any time. */
void lab_down(struct lab *l);
/* The same by name alone: for what an earlier run left. Returns how many namespaces there were. */
uint32_t lab_clean(const char *name);

/* "pgl-LAB-HOST" */
const char *lab_ns(const struct lab *l, const struct lab_host *h, char buf[64]);

/* Caps a link towards its end b (tbf, or netem's rate); 0 takes the cap away. */
bool lab_rate(struct lab *l, const struct lab_link *link, uint64_t bps, struct err *e);
/* Drops everything on a node's link, both ways, without taking the link down: as when a cable behind
 * a switch is pulled and neither side sees it. */
bool lab_cut(struct lab *l, const struct lab_host *h, bool cut, struct err *e);

/* Makes DIR/SUB and its parents. */
bool lab_mkdir(const struct lab *l, const char *sub, struct err *e);

#endif
