/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LAB_WIRE_H
#define LAB_WIRE_H

#include "lab/bgpwatch.h"
#include "lab/lab.h"

/* Listens on every node's link (at the router's end) and keeps the BGP of it, as pcap files and as a
 * list of events; and on every node's loopback, for the first right answer after each start of the
 * node. One thread; packet sockets, no program and no interface of the host. */
struct wire;

struct wire_event {
    uint32_t node;            /* index of the host */
    struct bgpwatch_event ev; /* at_ns is mono */
};

/* Listens from now on, until wire_free(); the nodes need not run yet. NULL with *e filled. */
struct wire *wire_new(struct lab *l, struct err *e) BASE_MUST_USE;
void wire_free(struct wire *w);

struct wire_sum {
    uint32_t updates;                      /* UPDATEs by the node that announce or withdraw */
    uint32_t announced, withdrawn;         /* prefixes in them */
    int64_t first_announce, last_announce; /* mono ns; 0: none */
    int64_t first_withdraw, last_withdraw;
    int64_t first_close; /* the session was ended: NOTIFICATION, FIN or RST */
    uint16_t path_len_max;
    bool graceful_shutdown;
};

/* What node `h` said in [from, to). h NULL: all nodes together. */
void wire_sum(struct wire *w, const struct lab_host *h, int64_t from_ns, int64_t to_ns,
              struct wire_sum *out);

/* Prefixes (4 and 6) that the node has announced and not withdrawn, by what went over its link. */
uint32_t wire_announced(struct wire *w, const struct lab_host *h);

/* Goes through the node's events in order: an announcement of a family that was not announced before must
 * have a right answer on the loopback (see wire_first_proof()) between the moment in which the family
 * was withdrawn, or `started_ns` (the last start), and itself. Returns how many had none; `worst_ns`
 * gets the longest time by which the first proof came too late, INT64_MAX if none came. */
uint32_t wire_unproven(struct wire *w, const struct lab_host *h, int64_t *worst_ns);
/* The node was started: its announcements are gone, whatever was heard of them. */
void wire_started(struct wire *w, const struct lab_host *h, int64_t at_ns);

/* Mono ns of the first answer NOERROR, AA from the service address on the node's own loopback at or
 * after `from_ns`; 0: none so far. */
int64_t wire_first_proof(struct wire *w, const struct lab_host *h, int64_t from_ns);

/* Copies the events of [from, to), at most `cap`; returns how many. */
uint32_t wire_events(struct wire *w, int64_t from_ns, int64_t to_ns, struct wire_event *out,
                     uint32_t cap);

#endif
