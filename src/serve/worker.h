/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SERVE_WORKER_H
#define SERVE_WORKER_H

/* Inside serve only. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "answer/answer.h"
#include "base/mem.h"
#include "base/time.h"
#include "serve/link.h"

/* What the threads of the process share. Written by the link thread only, before the workers start,
 * but for the atomic fields. */
struct serve {
    const struct serve_setup *setup;
    struct serve_page *page;
    struct serve_flight *flight; /* one per worker */
    struct answer_options options;
    char identity[SERVE_NSID_MAX + 1];

    _Atomic(const struct zone_set *) image; /* the link thread stores (release), workers load */
    _Atomic(const struct answer_cookies *) cookies; /* likewise; NULL: none */
    _Atomic bool draining;                          /* the link thread stores */
    _Atomic uint32_t drained;                       /* workers that found all queues empty */
};

#define WORKER_ANSWER_STRIDE (ANSWER_UDP_CAP + 64) /* buffers must not share the same cache sets */
#define WORKER_WAIT_MS 5                           /* at most; half of SERVE_TICK_MS */

struct tcp;
struct worker {
    struct serve *serve;
    uint32_t idx;
    int epoll;
    pthread_t thread;
    struct serve_worker_page *row;
    struct serve_flight *flight;
    struct iovec rx_iov[SERVE_BATCH], tx_iov[SERVE_BATCH];
    uint8_t *answers;              /* SERVE_BATCH times WORKER_ANSWER_STRIDE */
    struct answer_options options; /* those of serve, with a cache of its own */
    struct tcp *tcp;
};

/* What an epoll event is about: the kind, and an index into setup->socket or into the connections. */
enum wake { WAKE_UDP, WAKE_LISTENER, WAKE_CONNECTION };
static inline uint64_t wake_data(enum wake kind, uint32_t idx)
{
    return (uint64_t)kind << 32 | idx;
}

/* All memory it will ever need, and its epoll set. False when the system refuses. */
bool serve_worker_init(struct worker *w, struct serve *s, uint32_t idx) BASE_MUST_USE;
bool serve_worker_start(struct worker *w) BASE_MUST_USE;
/* From the link thread: the worker reads its sockets from here on. */
bool serve_worker_activate(struct worker *w);

/* Adds to a counter that only this thread writes. */
static inline void count_add(_Atomic uint64_t *c, uint64_t n)
{
    atomic_store_explicit(c, atomic_load_explicit(c, memory_order_relaxed) + n,
                          memory_order_relaxed);
}

/* No pointer into the image is held here. Release: pairs with the acquire of who frees the image. */
static inline void worker_progress(struct worker *w)
{
    _Atomic uint64_t *p = &w->row->progress;
    atomic_store_explicit(p, atomic_load_explicit(p, memory_order_relaxed) + 1,
                          memory_order_release);
}

static inline const struct zone_set *serve_image(struct serve *s)
{
    return atomic_load_explicit(&s->image, memory_order_acquire);
}

static inline const struct answer_cookies *serve_cookies(struct serve *s)
{
    return atomic_load_explicit(&s->cookies, memory_order_acquire);
}

/* Makes the control message of a received datagram that of its answer. */
void serve_worker_choose_source(struct msghdr *h);

/* tcp.c: the connections of one worker. */
struct tcp *serve_tcp_new(struct worker *w);
void serve_tcp_on_listener(struct tcp *t, uint32_t socket_idx, mono_t now);
void serve_tcp_on_connection(struct tcp *t, uint32_t idx, uint32_t events, mono_t now);
/* Closes what has been idle for too long, and listens again after running out of descriptors. */
void serve_tcp_tick(struct tcp *t, mono_t now);
bool serve_tcp_is_quiet(const struct tcp *t); /* nothing half read, nothing half written */

/* replay.c: answers what a dead predecessor had read; returns how many it answered. */
uint32_t serve_replay_flight(struct serve *s, int fd, uint64_t skip);

/* prove.c: asks `zs` for the SOA and NS of its zones (PROVE_ZONES_MAX of them at most) by the real way
 * of an answer, and compares with the image. False with `why` filled in. */
#define PROVE_ZONES_MAX 4096
bool serve_prove_image(const struct serve *s, const struct zone_set *zs, char *why, uint32_t cap);

/* sandbox.c: from here on the process may only do what serving takes. False after a log line. */
bool serve_sandbox_enter(void) BASE_MUST_USE;

#endif
