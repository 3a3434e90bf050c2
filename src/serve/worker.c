/* SPDX-License-Identifier: GPL-3.0-or-later */

/* A worker: one thread, one loop, its own sockets of every service address, its own connections. The
 * way of a query: recvmmsg() into the flight (serve/link.h), answer_compose(), sendmmsg(). Between
 * the two calls there is no lock, no allocation and no other system call, and one look at the clock. */
#include "serve/worker.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "serve/fault.h"

#define WORKER_EVENTS 64
#define WORKER_BATCHES 8 /* of one socket before the others have their turn */

static void *map_lazily(size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                   -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

static void prepare_rx(struct worker *w, uint32_t i)
{
    struct serve_flight *f = w->flight;
    w->rx_iov[i] = (struct iovec){ .iov_base = f->query[i], .iov_len = SERVE_QUERY_MAX };
    f->rx[i].msg_hdr = (struct msghdr){ .msg_name = &f->from[i],
                                        .msg_namelen = sizeof f->from[i],
                                        .msg_iov = &w->rx_iov[i],
                                        .msg_iovlen = 1,
                                        .msg_control = f->control[i],
                                        .msg_controllen = SERVE_CONTROL_MAX };
    f->rx[i].msg_len = 0;
}

bool serve_worker_init(struct worker *w, struct serve *s, uint32_t idx)
{
    *w = (struct worker){
        .serve = s, .idx = idx, .row = &s->page->worker[idx], .flight = &s->flight[idx]
    };
    w->answers = map_lazily((size_t)SERVE_BATCH * WORKER_ANSWER_STRIDE);
    w->epoll = epoll_create1(EPOLL_CLOEXEC);
    w->options = s->options;
    w->options.cache = map_lazily(answer_cache_size());
    if (w->answers == NULL || w->options.cache == NULL || w->epoll < 0)
        return false;
    for (uint32_t i = 0; i < SERVE_BATCH; i++)
        prepare_rx(w, i);
    w->tcp = serve_tcp_new(w);
    return w->tcp != NULL;
}

/* Answers leave from the address that was asked. The control message that came with the query says
 * which; it is sent back, without the interface, so that routing stays the kernel's choice (but for
 * link-local addresses, which mean nothing without one). */
void serve_worker_choose_source(struct msghdr *h)
{
    struct cmsghdr *c = CMSG_FIRSTHDR(h);
    if (c == NULL)
        return;
    if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
        struct in_pktinfo info;
        memcpy(&info, CMSG_DATA(c), sizeof info);
        info.ipi_ifindex = 0;
        info.ipi_spec_dst = info.ipi_addr;
        memcpy(CMSG_DATA(c), &info, sizeof info);
    } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
        struct in6_pktinfo info;
        memcpy(&info, CMSG_DATA(c), sizeof info);
        if (!IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr))
            info.ipi6_ifindex = 0;
        memcpy(CMSG_DATA(c), &info, sizeof info);
    }
}

/* Composes the answers to `n` queries; returns how many there are to send. */
static uint32_t compose(struct worker *w, uint32_t n, bool any)
{
    struct serve_flight *f = w->flight;
    const struct zone_set *zs = serve_image(w->serve);
    struct answer_client client = { .transport = ANSWER_UDP, .now = time_wall() };
    uint64_t rcodes[16] = { 0 };
    w->options.cookies = serve_cookies(w->serve);
    uint32_t count = 0;
    for (uint32_t i = 0; i < n; i++) {
        struct answer_info info;
        uint8_t *out = w->answers + (size_t)count * WORKER_ANSWER_STRIDE;
        atomic_signal_fence(memory_order_seq_cst);
        f->busy_with = i + 1;
        atomic_signal_fence(memory_order_seq_cst);
        fault_before(f->query[i], f->rx[i].msg_len);
        client.addr = &f->from[i];
        size_t len = answer_compose(&w->options, zs, &client, f->query[i], f->rx[i].msg_len, out,
                                    ANSWER_UDP_CAP, &info);
        len = fault_after(out, len);
        if (len == 0)
            continue;
        w->tx_iov[count] = (struct iovec){ .iov_base = out, .iov_len = len };
        struct msghdr *tx = &f->tx[count].msg_hdr;
        *tx = (struct msghdr){ .msg_name = &f->from[i],
                               .msg_namelen = f->rx[i].msg_hdr.msg_namelen,
                               .msg_iov = &w->tx_iov[count],
                               .msg_iovlen = 1 };
        if (any && f->rx[i].msg_hdr.msg_controllen != 0) {
            tx->msg_control = f->control[i];
            tx->msg_controllen = f->rx[i].msg_hdr.msg_controllen;
            serve_worker_choose_source(tx);
        }
        f->tx[count].msg_len = 0;
        f->tx_slot[count++] = (uint8_t)i;
        rcodes[info.rcode & 15]++;
    }
    f->busy_with = 0;
    for (uint32_t i = 0; i < 16; i++)
        if (rcodes[i] != 0)
            count_add(&w->row->tx_rcode[i], rcodes[i]);
    count_add(&w->row->rx_garbage, n - count);
    return count;
}

/* A full send buffer is waited for, but not for long: the queue of queries grows meanwhile. */
static bool wait_for_room(int fd, uint32_t *tries)
{
    struct pollfd p = { .fd = fd, .events = POLLOUT };
    return (*tries)++ < 2 && poll(&p, 1, 2) == 1;
}

static void send_answers(struct worker *w, int fd, uint32_t count)
{
    struct serve_flight *f = w->flight;
    uint32_t sent = 0, errors = 0, tries = 0;
    uint64_t bytes = 0;
    f->tx_count = count;
    atomic_signal_fence(memory_order_seq_cst); /* what a successor reads is in memory by now */
    while (sent < count) {
        int n = sendmmsg(fd, f->tx + sent, count - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n > 0) {
            sent += (uint32_t)n;
        } else if (errno == EAGAIN || errno == ENOBUFS) {
            if (wait_for_room(fd, &tries))
                continue;
            errors += count - sent;
            sent = count;
        } else if (errno != EINTR) {
            errors++; /* this one has no way out; it must not stop the others */
            sent++;
        }
    }
    for (uint32_t i = 0; i < count; i++)
        bytes += f->tx[i].msg_len;
    count_add(&w->row->tx_bytes, bytes);
    count_add(&w->row->tx_errors, errors);
    count_add(&w->row->tx_udp, count - errors);
    count_add(&w->row->tx_answers, count - errors);
}

/* Nothing of the batch is in flight any more. Queries first: see replay.c. */
static void clear_flight(struct worker *w, uint32_t n)
{
    struct serve_flight *f = w->flight;
    for (uint32_t i = 0; i < n; i++) {
        f->rx[i].msg_len = 0;
        f->rx[i].msg_hdr.msg_namelen = sizeof f->from[i];
        f->rx[i].msg_hdr.msg_controllen = SERVE_CONTROL_MAX;
    }
    atomic_signal_fence(memory_order_seq_cst);
    f->tx_count = 0;
}

/* Returns how many queries it read. */
static uint32_t serve_batch(struct worker *w, uint32_t socket_idx)
{
    const struct serve_socket *s = &w->serve->setup->socket[socket_idx];
    w->flight->socket = socket_idx;
    int n = recvmmsg(s->fd, w->flight->rx, SERVE_BATCH, MSG_DONTWAIT, NULL);
    if (n <= 0)
        return 0;
    count_add(&w->row->rx_queries, (uint64_t)n);
    uint32_t count = compose(w, (uint32_t)n, s->any);
    if (count != 0)
        send_answers(w, s->fd, count);
    clear_flight(w, (uint32_t)n);
    return (uint32_t)n;
}

static void on_udp(struct worker *w, uint32_t socket_idx)
{
    for (uint32_t i = 0; i < WORKER_BATCHES; i++) {
        uint32_t n = serve_batch(w, socket_idx);
        worker_progress(w);
        if (n < SERVE_BATCH)
            return;
    }
}

static void on_event(struct worker *w, const struct epoll_event *ev, mono_t now)
{
    const uint32_t idx = (uint32_t)ev->data.u64;
    switch ((enum wake)(ev->data.u64 >> 32)) {
    case WAKE_UDP:
        on_udp(w, idx);
        return;
    case WAKE_LISTENER:
        serve_tcp_on_listener(w->tcp, idx, now);
        return;
    case WAKE_CONNECTION:
        serve_tcp_on_connection(w->tcp, idx, ev->events, now);
        return;
    }
}

static void *run(void *arg)
{
    struct worker *w = arg;
    struct epoll_event events[WORKER_EVENTS];
    bool drained = false;
    prctl(PR_SET_NAME, "perigee-worker");
    atomic_store_explicit(&w->row->tid, (int32_t)gettid(), memory_order_relaxed);
    for (;;) {
        worker_progress(w);
        int n = epoll_wait(w->epoll, events, WORKER_EVENTS, WORKER_WAIT_MS);
        const mono_t now = time_mono();
        for (int i = 0; i < n; i++) {
            on_event(w, &events[i], now);
            worker_progress(w);
        }
        serve_tcp_tick(w->tcp, now);
        if (n == 0 && !drained && serve_tcp_is_quiet(w->tcp) &&
            atomic_load_explicit(&w->serve->draining, memory_order_acquire)) {
            drained = true; /* and go on: whatever comes until the end is still answered */
            atomic_fetch_add_explicit(&w->serve->drained, 1, memory_order_release);
        }
    }
    return NULL;
}

bool serve_worker_start(struct worker *w)
{
    return pthread_create(&w->thread, NULL, run, w) == 0;
}

bool serve_worker_activate(struct worker *w)
{
    const struct serve_setup *setup = w->serve->setup;
    for (uint32_t i = 0; i < setup->socket_count; i++) {
        const struct serve_socket *s = &setup->socket[i];
        struct epoll_event ev = { .events = EPOLLIN,
                                  .data.u64 = wake_data(s->tcp ? WAKE_LISTENER : WAKE_UDP, i) };
        if (s->worker == w->idx && epoll_ctl(w->epoll, EPOLL_CTL_ADD, s->fd, &ev) != 0)
            return false;
    }
    return true;
}
