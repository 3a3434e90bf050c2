/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The edge of the probe. An exchange is one question with its own socket and timer; it ends exactly
 * once, in finish(), which calls back, and lives until libuv has closed its two handles.
 *
 * A UDP socket is not connected, although that would be simpler: a connected one hides answers from
 * another address, and such an answer is what a service address with a wrong source looks like to a
 * resolver. IP_RECVERR makes the kernel tell ICMP errors all the same.
 *
 * Arrival is the kernel's time stamp, not the moment at which this loop came round to look: a probe
 * must not fail because we were late. For the same reason a timer that fires reads the socket once
 * more before it gives up. */
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/rd.h"
#include "base/wr.h"
#include "dns/message.h"
#include "probe/probe.h"

#define QUERY_MAX 512
#define READS_MAX 16 /* datagrams of one exchange taken in one turn of the loop */

struct exchange {
    struct probe_client *client;
    struct exchange *next, **slot; /* in client->exchanges */
    struct probe_question q;
    probe_done *done;
    void *arg;
    int fd; /* -1: none */
    uv_poll_t poll;
    uv_timer_t timer;
    bool poll_open;
    uint32_t handles; /* that libuv has not closed yet */
    bool finished;
    struct probe_answer answer;
    struct timespec sent_wall;
    mono_t connect_at;
    uint8_t query[2 + QUERY_MAX]; /* two bytes of length in front for TCP */
    size_t query_len;             /* without them */
    size_t sent;                  /* TCP: bytes that are out */
    bool connected;
    uint8_t *reply; /* TCP: owned; two bytes of length, then the message */
    size_t reply_len, reply_cap;
};

struct probe_client {
    uv_loop_t *loop;
    struct exchange *exchanges;
    uint32_t in_flight, in_flight_max;
    uint64_t random;
    bool freed;                   /* goes when the last exchange has */
    uint32_t living;              /* exchanges whose memory is still there */
    uint8_t buf[DNS_MESSAGE_MAX]; /* of the datagram that is just being read */
};

/* splitmix64: ids and letters that an off-path sender cannot simply count up. */
static uint64_t next_random(struct probe_client *c)
{
    uint64_t z = c->random += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

struct probe_client *probe_client_new(uv_loop_t *loop, uint32_t in_flight_max, uint64_t seed,
                                      struct err *e)
{
    struct probe_client *c = calloc(1, sizeof *c);
    if (c == NULL) {
        err_set(e, ERR_LIMIT, NULL, "no memory for the probe");
        return NULL;
    }
    c->loop = loop;
    c->in_flight_max = in_flight_max;
    c->random = seed;
    return c;
}

static void release_client(struct probe_client *c)
{
    if (c->freed && c->living == 0)
        free(c);
}

static void on_closed(uv_handle_t *h)
{
    struct exchange *x = h->data;
    if (--x->handles > 0)
        return;
    struct probe_client *c = x->client;
    free(x->reply);
    free(x);
    c->living--;
    release_client(c);
}

static void close_socket(struct exchange *x)
{
    if (x->poll_open) {
        uv_poll_stop(&x->poll);
        uv_close((uv_handle_t *)&x->poll, on_closed);
        x->poll_open = false;
    }
    if (x->fd < 0)
        return;
    if (x->q.tcp && x->q.reset) {
        const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };
        setsockopt(x->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    }
    close(x->fd);
    x->fd = -1;
}

/* Takes the exchange out of the client and lets libuv close its handles. */
static void drop(struct exchange *x)
{
    x->finished = true;
    *x->slot = x->next;
    if (x->next != NULL)
        x->next->slot = x->slot;
    x->client->in_flight--;
    close_socket(x);
    uv_close((uv_handle_t *)&x->timer, on_closed);
}

void probe_client_free(struct probe_client *c)
{
    if (c == NULL)
        return;
    while (c->exchanges != NULL)
        drop(c->exchanges);
    c->freed = true;
    release_client(c);
}

uint32_t probe_in_flight(const struct probe_client *c)
{
    return c->in_flight;
}

/* The one end of every exchange. The callback may ask again or free the client. */
static void finish(struct exchange *x, enum probe_status status, int sys_errno)
{
    base_assert(!x->finished);
    x->answer.status = status;
    x->answer.sys_errno = sys_errno;
    if (x->answer.received_at.ns == 0)
        x->answer.received_at = time_mono();
    if (x->answer.sent_at.ns == 0) /* it never left */
        x->answer.sent_at = x->answer.received_at;
    x->answer.rtt_us = (uint32_t)mono_us_between(x->answer.sent_at, x->answer.received_at);
    drop(x);
    x->done(x->arg, &x->q, &x->answer);
}

static enum probe_status status_of(int sys_errno)
{
    switch (sys_errno) {
    case ECONNREFUSED:
        return PROBE_REFUSED;
    case ECONNRESET:
    case EPIPE:
        return PROBE_CLOSED;
    case ETIMEDOUT:
        return PROBE_TIMEOUT;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOBUFS:
    case EAGAIN:
        return PROBE_NO_SOCKET;
    default:
        return PROBE_UNREACHABLE;
    }
}

static void fail(struct exchange *x, int sys_errno)
{
    finish(x, status_of(sys_errno), sys_errno);
}

/* ---- reading ---- */

static int64_t wall_ns(const struct timespec *t)
{
    return (int64_t)t->tv_sec * 1000000000 + t->tv_nsec;
}

/* When the kernel had the bytes. Its stamp is of the wall clock: if that was set meanwhile, the result
 * would lie outside what is possible, and now is taken instead. */
static mono_t arrival(const struct exchange *x, const struct msghdr *msg)
{
    mono_t now = time_mono();
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL;
         c = CMSG_NXTHDR((struct msghdr *)(uintptr_t)msg, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS)
            continue;
        struct timespec stamp;
        memcpy(&stamp, CMSG_DATA(c), sizeof stamp);
        mono_t at = { x->answer.sent_at.ns + wall_ns(&stamp) - wall_ns(&x->sent_wall) };
        if (!mono_before(at, x->answer.sent_at) && !mono_before(now, at))
            return at;
    }
    return now;
}

static ssize_t receive(struct exchange *x, uint8_t *buf, size_t cap, union addr *from, mono_t *at)
{
    _Alignas(struct cmsghdr) uint8_t control[128];
    struct iovec iov = { .iov_base = buf, .iov_len = cap };
    struct msghdr msg = { .msg_name = from,
                          .msg_namelen = sizeof *from,
                          .msg_iov = &iov,
                          .msg_iovlen = 1,
                          .msg_control = control,
                          .msg_controllen = sizeof control };
    memset(from, 0, sizeof *from);
    ssize_t n = recvmsg(x->fd, &msg, MSG_DONTWAIT);
    if (n >= 0)
        *at = arrival(x, &msg);
    return n;
}

static void answered(struct exchange *x, const uint8_t *msg, size_t len, mono_t at)
{
    x->answer.received_at = at;
    x->answer.msg = msg;
    x->answer.len = len;
    if (mono_us_between(x->answer.sent_at, at) > (int64_t)x->q.timeout_ms * 1000)
        finish(x, PROBE_TIMEOUT, 0);
    else
        finish(x, PROBE_ANSWERED, 0);
}

static bool is_other(const struct exchange *x, const union addr *from)
{
    return addr_port(from) != addr_port(&x->q.addr) || !addr_same_host(from, &x->q.addr);
}

/* Reads datagrams until one belongs or none is left; true when the exchange has ended. */
static bool read_udp(struct exchange *x)
{
    for (uint32_t i = 0; i < READS_MAX; i++) {
        union addr from;
        mono_t at;
        ssize_t n = receive(x, x->client->buf, sizeof x->client->buf, &from, &at);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return false;
        if (n < 0) {
            fail(x, errno);
            return true;
        }
        if (!probe_response_belongs(x->query + 2, x->query_len, x->client->buf, (size_t)n)) {
            x->answer.stray++;
            continue;
        }
        if (is_other(x, &from)) {
            x->answer.received_at = at;
            x->answer.from = from;
            finish(x, PROBE_SOURCE, 0);
            return true;
        }
        answered(x, x->client->buf, (size_t)n, at);
        return true;
    }
    return false;
}

/* How many bytes of the reply are still wanted: first its length, then itself. */
static size_t reply_wanted(const struct exchange *x)
{
    if (x->reply_len < 2)
        return 2 - x->reply_len;
    return 2 + (size_t)(x->reply[0] << 8 | x->reply[1]) - x->reply_len;
}

static bool make_room(struct exchange *x, size_t more)
{
    if (x->reply_len + more <= x->reply_cap)
        return true;
    uint8_t *grown = realloc(x->reply, x->reply_len + more);
    if (grown == NULL)
        return false;
    x->reply = grown;
    x->reply_cap = x->reply_len + more;
    return true;
}

static bool read_tcp(struct exchange *x)
{
    union addr from;
    mono_t at = { 0 };
    for (;;) {
        size_t wanted = reply_wanted(x);
        if (wanted == 0)
            break;
        if (!make_room(x, wanted)) {
            finish(x, PROBE_NO_SOCKET, ENOMEM);
            return true;
        }
        ssize_t n = receive(x, x->reply + x->reply_len, wanted, &from, &at);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return false;
        if (n <= 0) {
            if (n == 0)
                finish(x, PROBE_CLOSED, 0);
            else
                fail(x, errno);
            return true;
        }
        x->reply_len += (size_t)n;
    }
    if (!probe_response_belongs(x->query + 2, x->query_len, x->reply + 2, x->reply_len - 2))
        finish(x, PROBE_BROKEN, 0);
    else
        answered(x, x->reply + 2, x->reply_len - 2, at);
    return true;
}

/* ---- sending ---- */

static void stamp_sent(struct exchange *x)
{
    clock_gettime(CLOCK_REALTIME, &x->sent_wall);
    x->answer.sent_at = time_mono();
}

static void on_poll(uv_poll_t *poll, int status, int events);

static bool watch(struct exchange *x, int events)
{
    int rc = uv_poll_start(&x->poll, events, on_poll);
    if (rc < 0)
        finish(x, PROBE_NO_SOCKET, -rc);
    return rc == 0;
}

/* TCP: writes what is left of the query. The time of sending is that of its last byte. */
static void write_tcp(struct exchange *x)
{
    if (!x->connected) {
        int refused = 0;
        socklen_t len = sizeof refused;
        getsockopt(x->fd, SOL_SOCKET, SO_ERROR, &refused, &len);
        if (refused != 0) {
            fail(x, refused);
            return;
        }
        x->connected = true;
        x->answer.connect_us = (uint32_t)mono_us_between(x->connect_at, time_mono());
    }
    stamp_sent(x);
    ssize_t n = send(x->fd, x->query + x->sent, 2 + x->query_len - x->sent, MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN && errno != EINTR) {
        fail(x, errno);
        return;
    }
    x->sent += n > 0 ? (size_t)n : 0;
    if (x->sent == 2 + x->query_len)
        watch(x, UV_READABLE);
}

/* libuv reports a socket error as UV_EBADF and says no more: the socket tells itself. */
static void on_poll_error(struct exchange *x)
{
    if (!x->q.tcp && read_udp(x))
        return;
    if (x->q.tcp && x->connected && read_tcp(x))
        return;
    int refused = 0;
    socklen_t len = sizeof refused;
    getsockopt(x->fd, SOL_SOCKET, SO_ERROR, &refused, &len);
    fail(x, refused != 0 ? refused : ECONNRESET);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct exchange *x = poll->data;
    if (x->finished)
        return;
    if (status < 0)
        on_poll_error(x);
    else if (x->q.tcp && (events & UV_WRITABLE) != 0)
        write_tcp(x);
    else if (x->q.tcp)
        read_tcp(x);
    else
        read_udp(x);
}

static void on_timeout(uv_timer_t *timer)
{
    struct exchange *x = timer->data;
    if (x->finished)
        return;
    if (x->answer.status != PROBE_TIMEOUT) /* it could not even be sent */
        finish(x, x->answer.status, x->answer.sys_errno);
    else if (x->q.tcp ? !x->connected || !read_tcp(x) : !read_udp(x))
        finish(x, PROBE_TIMEOUT, 0);
}

static int open_socket(struct exchange *x)
{
    const union addr *a = &x->q.addr;
    int on = 1;
    int type = x->q.tcp ? SOCK_STREAM : SOCK_DGRAM;
    x->fd = socket(a->sa.sa_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (x->fd < 0)
        return errno;
    setsockopt(x->fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
    if (x->q.tcp)
        setsockopt(x->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    else if (a->sa.sa_family == AF_INET)
        setsockopt(x->fd, IPPROTO_IP, IP_RECVERR, &on, sizeof on);
    else
        setsockopt(x->fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on);
    if (x->q.source.sa.sa_family != AF_UNSPEC &&
        bind(x->fd, &x->q.source.sa, addr_len(&x->q.source)) < 0)
        return errno;
    int rc = uv_poll_init(x->client->loop, &x->poll, x->fd);
    if (rc < 0)
        return -rc;
    x->poll.data = x;
    x->poll_open = true;
    x->handles++;
    return 0;
}

/* Errors come back as an errno: the caller must not call back from within probe_ask(). */
static int start(struct exchange *x)
{
    int refused = open_socket(x);
    if (refused != 0)
        return refused;
    const union addr *a = &x->q.addr;
    int events = UV_READABLE;
    if (x->q.tcp) {
        x->connect_at = time_mono();
        events = UV_WRITABLE;
        if (connect(x->fd, &a->sa, addr_len(a)) < 0 && errno != EINPROGRESS)
            return errno;
    } else {
        stamp_sent(x);
        if (sendto(x->fd, x->query + 2, x->query_len, 0, &a->sa, addr_len(a)) < 0)
            return errno;
    }
    return -uv_poll_start(&x->poll, events, on_poll);
}

bool probe_ask(struct probe_client *c, const struct probe_question *q, probe_done *done, void *arg)
{
    if (c->in_flight >= c->in_flight_max)
        return false;
    struct exchange *x = calloc(1, sizeof *x);
    if (x == NULL)
        return false;
    x->client = c;
    x->q = *q;
    x->done = done;
    x->arg = arg;
    x->fd = -1;
    x->answer.status = PROBE_TIMEOUT;
    uint16_t id = (uint16_t)next_random(c);
    x->query_len = probe_query_write(q, id, next_random(c), x->query + 2, QUERY_MAX);
    base_assert(x->query_len != 0);
    wr_put_u16(x->query, (uint16_t)x->query_len);

    x->next = c->exchanges;
    x->slot = &c->exchanges;
    if (x->next != NULL)
        x->next->slot = &x->next;
    c->exchanges = x;
    c->in_flight++;
    c->living++;
    uv_timer_init(c->loop, &x->timer);
    x->timer.data = x;
    x->handles = 1;
    int refused = start(x);
    if (refused != 0) {
        x->answer.status = status_of(refused);
        if (x->answer.status == PROBE_TIMEOUT)
            x->answer.status = PROBE_UNREACHABLE;
        x->answer.sys_errno = refused;
    }
    uv_update_time(c->loop); /* the loop's clock stands still while callbacks run */
    uv_timer_start(&x->timer, on_timeout, refused != 0 ? 0 : q->timeout_ms, 0);
    return true;
}
