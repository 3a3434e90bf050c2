/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SERVE_LINK_H
#define SERVE_LINK_H

#include <stdatomic.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/addr.h"

/* What guard and a serve process say to each other, and what serve shows to those who watch it.
 * Serve is started as `perigee-serve --role serve` with these descriptors open, and the sockets of
 * struct serve_setup beside them: */
#define SERVE_FD_LINK 3   /* SOCK_SEQPACKET: orders come, reports go; its end ends the process */
#define SERVE_FD_SETUP 4  /* struct serve_setup, sealed */
#define SERVE_FD_PAGE 5   /* struct serve_page: serve writes, guard and control read */
#define SERVE_FD_FLIGHT 6 /* struct serve_flight, one per worker: serve writes */

#define SERVE_WORKERS_MAX 64
#define SERVE_NSID_MAX 128

/* One writer each: the worker of this row. Readers: guard (hang detection), control (evidence, load).
 * A worker advances `progress` at least every SERVE_TICK_MS, idle or busy; nobody else may. It does
 * so only while it holds no pointer into the image, so two steps of it are a quiescent state too. */
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
    _Atomic uint64_t tx_errors; /* answers that the kernel refused to send */
    _Atomic int32_t tid;        /* of the thread, for guard's look into /proc */
};

struct serve_page {
    _Atomic uint32_t workers;      /* rows in use; 0 until the process has set them up */
    _Atomic uint32_t active;       /* 1 once it reads the sockets, 0 while it stands by */
    _Atomic uint32_t version;      /* of the image it answers from */
    _Atomic uint32_t replayed;     /* queries of its predecessor that it answered */
    struct serve_worker_page link; /* `progress` and `tid` of the thread that reads the orders */
    struct serve_worker_page worker[SERVE_WORKERS_MAX];
};

/* What a serve process is started with. */
struct serve_socket {
    int32_t fd;
    uint16_t worker; /* the worker that reads it */
    uint8_t tcp;     /* 1: a listening TCP socket, 0: UDP */
    uint8_t any;     /* 1: bound to 0.0.0.0 or [::], so that each datagram tells its own address */
};

struct serve_setup {
    uint32_t workers; /* 1..SERVE_WORKERS_MAX */
    uint32_t socket_count;
    uint32_t tcp_clients_max; /* connections of the process */
    uint32_t tcp_idle_ms;
    uint32_t nsid_len;
    uint8_t nsid[SERVE_NSID_MAX];
    struct serve_socket socket[];
};

/* Secrets of DNS cookies (RFC 9018): the first makes, all verify. */
#define SERVE_COOKIE_SECRETS_MAX 8
#define SERVE_COOKIE_SECRET_LEN 16
struct serve_cookies {
    uint32_t count;   /* 0: no cookies */
    uint32_t require; /* 1: a UDP client that sends a cookie must send a valid one */
    uint8_t secret[SERVE_COOKIE_SECRETS_MAX][SERVE_COOKIE_SECRET_LEN];
};

/* guard to serve */
enum serve_order_kind {
    SERVE_ORDER_IMAGE = 1, /* fd: prove the image of `version`, then answer from it */
    SERVE_ORDER_ACTIVATE,  /* read the sockets from now on */
    SERVE_ORDER_REPLAY,    /* fd: the flight of a dead predecessor; answer what it left, but not the
                              query that a worker in `skip` (bit i is worker i) was busy with */
    SERVE_ORDER_COOKIES,   /* fd: struct serve_cookies, to be used from now on */
    SERVE_ORDER_DRAIN,     /* answer what is queued, report, and end */
};

struct serve_order {
    uint32_t kind; /* enum serve_order_kind */
    uint32_t version;
    uint64_t skip;
};

/* serve to guard */
enum serve_report_kind {
    SERVE_REPORT_READY = 1,    /* the image of `version` is proven and in use */
    SERVE_REPORT_IMAGE_FAILED, /* it failed its proof, the old one stays: text */
    SERVE_REPORT_DRAINED,      /* the queues are empty; the process ends */
};

struct serve_report {
    uint32_t kind; /* enum serve_report_kind */
    uint32_t version;
    char text[200];
};

/* Queries in flight: read from the socket, not yet answered. A worker reads its batches straight into
 * this shared memory, where the kernel itself notes each datagram that it hands out (rx[i].msg_len)
 * and each answer that it takes (tx[j].msg_len). So what a killed process had read and not answered
 * is known exactly, and its successor answers it. The successor trusts nothing in here. */
#define SERVE_BATCH 64
#define SERVE_QUERY_MAX 4160 /* 65 cache lines, so that buffers do not share the same cache sets */
#define SERVE_CONTROL_MAX 64 /* room for the message that tells the address that was asked */
struct serve_flight {
    _Alignas(4096) uint32_t socket; /* index into setup of the socket being read */
    uint32_t busy_with;             /* slot of the query being answered, plus one; 0: none */
    uint32_t tx_count;
    uint8_t tx_slot[SERVE_BATCH]; /* tx[j] answers rx[tx_slot[j]] */
    struct mmsghdr rx[SERVE_BATCH], tx[SERVE_BATCH];
    union addr from[SERVE_BATCH];
    _Alignas(64) uint8_t control[SERVE_BATCH][SERVE_CONTROL_MAX];
    _Alignas(64) uint8_t query[SERVE_BATCH][SERVE_QUERY_MAX];
};

#endif
