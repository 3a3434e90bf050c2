/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LAB_DELAY_H
#define LAB_DELAY_H

#include <stdint.h>

/* Delay for kernels without netem. A mangle rule sends what comes in by a router's interface to an
 * NFQUEUE; a process of its own (`perigee-lab --role delay NETNS:QUEUE:MICROSECONDS …`) holds each
 * packet's verdict for that long. Packets keep their order; none is copied to user space, only its
 * number. It ends when its stdin is closed. */
int delay_main(int argc, char **argv);

/* What waits in one queue, oldest first. Pure: the numbers that the kernel gave and when they are due,
 * in nanoseconds of any clock. */
#define DELAY_RING 65536 /* packets held at most; more are let through at once, and counted */
struct delay_ring {
    uint32_t head, count;
    struct {
        uint32_t id;
        int64_t due_ns;
    } at[DELAY_RING];
};

/* False when the ring is full. */
int delay_ring_push(struct delay_ring *r, uint32_t id, int64_t due_ns);
/* Takes out all that is due; gives the last one's number in *id, which stands for all before it.
 * 0 when nothing was due. */
int delay_ring_take(struct delay_ring *r, int64_t now_ns, uint32_t *id);
/* When the oldest is due; INT64_MAX when empty. */
int64_t delay_ring_next(const struct delay_ring *r);

#endif
