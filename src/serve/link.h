/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SERVE_LINK_H
#define SERVE_LINK_H

#include <stdatomic.h>
#include <stdint.h>

/* What a serve process shares with those who watch it: one page in a memfd that guard makes, the
 * serve process maps for writing, guard and control for reading. */
#define SERVE_WORKERS_MAX 64
#define SERVE_NSID_MAX 128

/* One writer each: the worker of this row. Readers: guard (hang detection), control (evidence, load).
 * A worker advances `progress` at least every SERVE_TICK_MS, idle or busy; nobody else may. */
#define SERVE_TICK_MS 10
struct serve_worker_page {
    _Alignas(64) _Atomic uint64_t progress;
    _Atomic uint64_t rx_queries;     /* UDP and TCP queries read */
    _Atomic uint64_t tx_answers;     /* answers handed to the kernel without an error */
    _Atomic uint64_t tx_udp, tx_tcp; /* of these, by transport */
    _Atomic uint64_t rx_garbage;     /* too short, or a response: dropped in silence */
    _Atomic uint64_t tx_rcode[16];   /* answers by RCODE (its low 4 bits) */
    _Atomic uint64_t tcp_open;       /* connections open now */
    _Atomic uint64_t tcp_refused;    /* closed because the connection limit was reached */
    _Atomic uint64_t tx_bytes;
};

struct serve_page {
    _Atomic uint32_t workers; /* rows in use; 0 until the process has set them up */
    _Atomic uint32_t active;  /* 1 once it reads the sockets, 0 while it stands by */
    _Atomic uint32_t version; /* of the image it answers from */
    struct serve_worker_page worker[SERVE_WORKERS_MAX];
};

#endif
