/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef GUARD_NET_H
#define GUARD_NET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/mem.h"
#include "base/time.h"
#include "guard/guard.h"
#include "serve/link.h"

/* The sockets that outlive every other process of the node, and the addresses they are bound to. */
struct guard_net {
    struct serve_setup *setup; /* owned; its `socket` rows name the open descriptors */
    mono_t patience;           /* what is in use is tried again until then */
    int setup_fd;              /* sealed copy of `setup` for serve processes */
    int bgp[GUARD_LISTENERS_MAX];
    uint32_t bgp_count;
    int fleet;        /* -1: none */
    int control;      /* the listening unix socket, -1: none */
    const char *path; /* where that is bound; borrowed; NULL: not ours to remove */
    struct guard_claim {
        int lock;   /* abstract unix socket that says "in use by a living node"; -1: not managed */
        bool added; /* put there by this node, or by a killed run of it */
    } claim[GUARD_SERVICES_MAX]; /* by index of the options' services */
};

/* Opens all that `o` asks for. Prints a line for each thing that cannot be had; false if there was
 * one (guard_net_close() is still due). */
bool guard_net_open(struct guard_net *n, const struct guard_options *o) BASE_MUST_USE;
/* Closes everything, takes the added addresses away and removes the unix socket. */
void guard_net_close(struct guard_net *n, const struct guard_options *o);

/* guard/address.c: rtnetlink. 0 or an errno. */
enum guard_address_state {
    GUARD_ADDRESS_ABSENT,
    GUARD_ADDRESS_OURS,    /* it carries the mark of a Perigee node */
    GUARD_ADDRESS_FOREIGN, /* somebody else put it there */
};
int guard_address_find(const union addr *a, unsigned ifindex, enum guard_address_state *state);
int guard_address_add(const union addr *a, unsigned ifindex);
int guard_address_remove(const union addr *a, unsigned ifindex);
/* Takes away every marked address of the interface that no living node has claimed. */
int guard_address_sweep(unsigned ifindex);
/* Claims `a` in this network namespace until the returned descriptor is closed or the process ends;
 * -1 with EADDRINUSE when another node has. */
int guard_address_claim(const union addr *a);

/* guard/control_socket.c: binds and listens. A socket that nobody listens on is replaced; one
 * that somebody does is tried again until `patience`. -1 after printing one line. */
int guard_control_socket(const char *path, mono_t patience);

/* Whether it is worth trying again before `until`; waits a little if so. Leaves errno alone. */
bool guard_patience(mono_t until);

/* One line on stderr: "perigee: what: errno's text; hint". errno 0 and hint NULL are left out. */
void guard_complain(int error, const char *hint, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
