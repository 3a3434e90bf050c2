/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LAB_NODE_H
#define LAB_NODE_H

#include "lab/lab.h"
#include "lab/wire.h"

/* The perigee nodes of the lab: `perigee run` from one and the same fleet file, each in its own
 * namespace. Files: fleet.yaml, fleet.secret and ZONE.zone in the lab's directory, node/NAME.log. */
#define NODE_EXPECT_A "198.51.100.80" /* what the zone's wildcard says */

/* What a sabotaged fleet file may get wrong on purpose. */
struct node_faults {
    const char *nsid_of, *nsid_is; /* this node calls itself by that other name */
};

/* Writes the fleet file (`faults` may be NULL), the secret and the zone. */
bool node_files(struct lab *l, const struct node_faults *faults, struct err *e);

/* Starts one node; it is running when this returns, nothing more. */
bool node_start(struct lab *l, struct lab_host *h, struct err *e);
/* SIGTERM, and waits for the end: at most `limit_ms`. False when it did not end in time. */
bool node_stop(struct lab *l, struct lab_host *h, int limit_ms);
/* SIGKILL to every process in the node's namespace, at once. */
void node_kill(struct lab *l, struct lab_host *h);
/* Waits until the node's link has carried announcements of both prefixes. */
bool node_wait(struct lab *l, struct wire *w, const struct lab_host *h, int limit_ms,
               struct err *e);

#define NODE_WORKERS_MAX 64
struct node_procs {
    pid_t guard, control;
    pid_t serve, standby; /* the one that reads the sockets, and one that waits; 0: not seen */
    pid_t workers[NODE_WORKERS_MAX]; /* thread ids of the former */
    uint32_t worker_count;
};
/* Looks into /proc of the node's namespace and into the pages that its processes show. */
void node_procs(struct lab *l, const struct lab_host *h, struct node_procs *out);
/* Waits until there is an active serve and a standby beside it. */
bool node_ready(struct lab *l, const struct lab_host *h, int limit_ms, struct node_procs *out);

/* Runs `perigee VERB …` for this node (status, drain, undrain): output and errors to `out`. Returns
 * the exit status. */
int node_command(struct lab *l, const struct lab_host *h, const char *const *verb, char *out,
                 size_t cap);

/* Stops one thread and leaves the others running, as a thread in an endless wait would (ptrace). It
 * goes on when this process or the caller's thread ends. */
bool node_freeze_thread(pid_t tid, struct err *e);

#endif
