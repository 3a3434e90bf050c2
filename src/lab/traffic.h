/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LAB_TRAFFIC_H
#define LAB_TRAFFIC_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/time.h"
#include "lab/fate.h"

/* The paced clients and the bots. One thread asks for all clients, evenly paced, from many source
 * ports in each client's namespace, every query with a name of its own, IPv4 and IPv6 in turn, and
 * keeps the fate of each; when an answer came is the kernel's time stamp, so that a busy machine does
 * not make a server look slow. A second thread floods and looks at no answer. */
#define TRAFFIC_FLOWS_MAX 32
#define TRAFFIC_TARGETS_MAX 4
#define TRAFFIC_PORTS 16 /* source ports per family and flow */

struct traffic_target {
    struct in_addr v4;
    struct in6_addr v6;
};

struct traffic_options {
    const char *netns;
    const char *zone;      /* asked is q<number>.ZONE A; it must have the wildcard record */
    struct in_addr expect; /* the address it has */
    struct traffic_target to[TRAFFIC_TARGETS_MAX]; /* asked in turn */
    uint32_t target_count;
    uint32_t qps;
    uint32_t seconds_max;       /* room for so many seconds of fates; it stops when full */
    uint8_t family;             /* 4, 6; 0: in turn */
    bool flood;                 /* no fates, answers are not read */
    const char *const *servers; /* NSID texts; borrowed; the index is the server's number */
    uint32_t server_count;
};

struct traffic;

/* Starts the two threads. The caller owns the result; NULL with *e filled. */
struct traffic *traffic_new(struct err *e) BASE_MUST_USE;
/* Ends every flow and both threads; NULL is fine. */
void traffic_free(struct traffic *t);

/* Begins to ask. Returns the flow's number, -1 with *e filled. */
int traffic_start(struct traffic *t, const struct traffic_options *o, struct err *e);
/* Sends no more; answers are taken in until traffic_end(). */
void traffic_stop(struct traffic *t, int flow);
/* Closes the sockets and frees the fates. */
void traffic_end(struct traffic *t, int flow);

/* The fates so far, in the order of sending. Borrowed until traffic_end(). */
const struct fate *traffic_fates(struct traffic *t, int flow, uint32_t *count);
/* The longest time by which the clients' thread was late since the last call: how long the machine itself
 * stood still, or was too busy to measure. */
int64_t traffic_stall_us(struct traffic *t);
uint64_t traffic_sent(struct traffic *t, int flow);

#endif
