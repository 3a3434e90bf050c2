/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The TCP connections of one worker (RFC 7766): many queries on one, answered in order as they come.
 * What bounds a client: the number of connections (the longest idle one makes way for a new one), the
 * time between two whole queries, and one buffer of answers that it has not taken; while that waits,
 * nothing more is read from it. All memory is mapped at the start and touched when it is used. */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "serve/fault.h"
#include "serve/frame.h"
#include "serve/worker.h"

#define TCP_QUERY_MAX 4096
#define TCP_IN_CAP (TCP_QUERY_MAX + 2)
#define TCP_FRAME_MAX (ANSWER_TCP_CAP + 2)
#define TCP_OUT_CAP (2 * TCP_FRAME_MAX)
#define TCP_OUT_BUFFERS 64  /* slow clients of a worker at one time */
#define TCP_ACCEPTS 16      /* in one turn */
#define TCP_PAUSE_MS 100    /* no accept for so long after running out of descriptors */
#define TCP_GRACE_MS 100    /* so young a connection does not make way for another */
#define TCP_SHORT_MS 1000   /* what clients are asked to keep to when there is little room */
#define TCP_NONE UINT32_MAX /* no connection, no buffer */

struct tcp_conn {
    int fd; /* -1: free */
    union addr from;
    uint32_t prev, next; /* by `since`, oldest first; or the free list by `next` */
    mono_t since;        /* the last whole query, or when all answers were taken */
    uint32_t in_len;
    uint32_t out;              /* index of its buffer of answers; TCP_NONE */
    uint32_t out_off, out_len; /* bytes taken, bytes there */
    uint32_t out_answers;      /* counted as sent when the last byte is */
    bool at_end;               /* the client will send no more */
    uint8_t in[TCP_IN_CAP];
};

struct tcp {
    struct worker *w;
    uint32_t cap, open, used; /* may be, are, and have ever been at once: memory of the rest is not
                                 touched */
    struct tcp_conn *conn;
    uint32_t oldest, newest, free;
    uint8_t *scratch; /* TCP_OUT_CAP: answers of the turn */
    uint8_t *out[TCP_OUT_BUFFERS];
    uint32_t out_free[TCP_OUT_BUFFERS], out_free_count;
    mono_t paused_until; /* MONO_ZERO: it listens */
};

static void *map_lazily(size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                   -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

struct tcp *serve_tcp_new(struct worker *w)
{
    struct tcp *t = base_calloc(1, sizeof *t);
    const uint32_t workers = w->serve->setup->workers;
    t->w = w;
    /* Each worker has its share, and needs to ask no other: one without connections could make no
     * room when another has them all. */
    t->cap = (w->serve->setup->tcp_clients_max + workers - 1) / workers;
    t->conn = map_lazily(t->cap * sizeof *t->conn);
    t->scratch = map_lazily((size_t)TCP_OUT_CAP * (1 + TCP_OUT_BUFFERS));
    if (t->conn == NULL || t->scratch == NULL)
        return NULL;
    t->oldest = t->newest = t->free = TCP_NONE;
    for (uint32_t i = 0; i < TCP_OUT_BUFFERS; i++) {
        t->out[i] = t->scratch + (size_t)TCP_OUT_CAP * (1 + i);
        t->out_free[t->out_free_count++] = i;
    }
    return t;
}

static uint32_t conn_idx(const struct tcp *t, const struct tcp_conn *c)
{
    return (uint32_t)(c - t->conn);
}

static void list_remove(struct tcp *t, struct tcp_conn *c)
{
    *(c->prev == TCP_NONE ? &t->oldest : &t->conn[c->prev].next) = c->next;
    *(c->next == TCP_NONE ? &t->newest : &t->conn[c->next].prev) = c->prev;
}

static void list_append(struct tcp *t, struct tcp_conn *c, mono_t now)
{
    c->since = now;
    c->prev = t->newest;
    c->next = TCP_NONE;
    *(c->prev == TCP_NONE ? &t->oldest : &t->conn[c->prev].next) = conn_idx(t, c);
    t->newest = conn_idx(t, c);
}

static void conn_touch(struct tcp *t, struct tcp_conn *c, mono_t now)
{
    list_remove(t, c);
    list_append(t, c, now);
}

static void out_release(struct tcp *t, struct tcp_conn *c)
{
    if (c->out == TCP_NONE)
        return;
    t->out_free[t->out_free_count++] = c->out;
    c->out = TCP_NONE;
    c->out_len = c->out_off = c->out_answers = 0;
}

static void conn_close(struct tcp *t, struct tcp_conn *c)
{
    out_release(t, c);
    list_remove(t, c);
    close(c->fd);
    c->fd = -1;
    c->next = t->free;
    t->free = conn_idx(t, c);
    t->open--;
    count_add(&t->w->row->tcp_open, UINT64_MAX); /* minus one */
}

static bool conn_wait(struct tcp *t, struct tcp_conn *c, int op, uint32_t events)
{
    struct epoll_event ev = { .events = events,
                              .data.u64 = wake_data(WAKE_CONNECTION, conn_idx(t, c)) };
    return epoll_ctl(t->w->epoll, op, c->fd, &ev) == 0;
}

static void count_sent(struct tcp *t, uint32_t answers, uint64_t bytes)
{
    count_add(&t->w->row->tx_tcp, answers);
    count_add(&t->w->row->tx_answers, answers);
    count_add(&t->w->row->tx_bytes, bytes);
}

enum sent { SENT_ALL, SENT_PART, SENT_FAILED };

static enum sent send_some(int fd, const uint8_t *bytes, uint32_t len, uint32_t *off)
{
    while (*off < len) {
        ssize_t n = send(fd, bytes + *off, len - *off, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n > 0)
            *off += (uint32_t)n;
        else if (errno == EAGAIN)
            return SENT_PART;
        else if (errno != EINTR)
            return SENT_FAILED;
    }
    return SENT_ALL;
}

/* Sends the scratch. What the client does not take moves to a buffer of the connection's own. */
static enum sent flush(struct tcp *t, struct tcp_conn *c, uint32_t len, uint32_t answers)
{
    uint32_t off = 0;
    enum sent sent = send_some(c->fd, t->scratch, len, &off);
    if (sent == SENT_ALL)
        count_sent(t, answers, len);
    if (sent != SENT_PART)
        return sent;
    if (t->out_free_count == 0 || !conn_wait(t, c, EPOLL_CTL_MOD, EPOLLOUT))
        return SENT_FAILED;
    c->out = t->out_free[--t->out_free_count];
    memcpy(t->out[c->out], t->scratch + off, len - off);
    c->out_off = 0;
    c->out_len = len - off;
    c->out_answers = answers;
    return SENT_PART;
}

/* What is told to who asks how long an idle connection stays (RFC 7828). The longest idle one makes way when all
 * are taken; before it comes to that, clients may close theirs themselves (section 3.3.2). */
static uint32_t idle_ms(const struct tcp *t)
{
    const uint32_t ms = t->w->serve->setup->tcp_idle_ms;
    return t->open > t->cap - t->cap / 4 && ms > TCP_SHORT_MS ? TCP_SHORT_MS : ms;
}

/* Composes the answer to one query at the end of the scratch; its length with the two bytes before,
 * 0 when there is none. The image is asked for anew: a turn may last. */
static uint32_t compose(struct tcp *t, const struct tcp_conn *c, const struct frame *f, uint32_t at)
{
    struct serve *s = t->w->serve;
    struct answer_info info;
    uint8_t *out = t->scratch + at;
    worker_progress(t->w);
    count_add(&t->w->row->rx_queries, 1);
    fault_before(f->message, f->len);
    const struct answer_client client = { .transport = ANSWER_TCP,
                                          .addr = &c->from,
                                          .now = time_wall() };
    t->w->options.cookies = serve_cookies(s);
    t->w->options.tcp_idle_ms = idle_ms(t);
    size_t len = answer_compose(&t->w->options, serve_image(s), &client, f->message, f->len,
                                out + 2, ANSWER_TCP_CAP, &info);
    len = fault_after(out + 2, len);
    if (len == 0) {
        count_add(&t->w->row->rx_garbage, 1);
        return 0;
    }
    count_add(&t->w->row->tx_rcode[info.rcode & 15], 1);
    out[0] = (uint8_t)(len >> 8);
    out[1] = (uint8_t)len;
    return (uint32_t)len + 2;
}

/* Answers the whole queries that have come. False when the connection is to be closed. */
static bool answer_all(struct tcp *t, struct tcp_conn *c, mono_t now)
{
    struct frame f;
    uint32_t used = 0, len = 0, answers = 0;
    enum sent sent = SENT_ALL;
    while (sent == SENT_ALL) {
        enum frame_got got = serve_frame_next(c->in + used, c->in_len - used, TCP_QUERY_MAX, &f);
        if (got == FRAME_TOO_LONG)
            return false;
        if (got == FRAME_MORE)
            break;
        uint32_t n = compose(t, c, &f, len);
        if (n == 0)
            return false; /* no query at all: whoever sends that is no resolver */
        used += f.used;
        len += n;
        answers++;
        if (TCP_OUT_CAP - len < TCP_FRAME_MAX) {
            sent = flush(t, c, len, answers);
            len = answers = 0;
        }
    }
    if (sent == SENT_ALL && len != 0)
        sent = flush(t, c, len, answers);
    if (used != 0) {
        memmove(c->in, c->in + used, c->in_len - used);
        c->in_len -= used;
        conn_touch(t, c, now);
    }
    return sent != SENT_FAILED && !(c->at_end && sent == SENT_ALL);
}

static bool on_readable(struct tcp *t, struct tcp_conn *c, mono_t now)
{
    ssize_t n = recv(c->fd, c->in + c->in_len, TCP_IN_CAP - c->in_len, MSG_DONTWAIT);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR;
    c->at_end = n == 0;
    c->in_len += (uint32_t)n;
    return answer_all(t, c, now);
}

static bool on_writable(struct tcp *t, struct tcp_conn *c, mono_t now)
{
    enum sent sent = send_some(c->fd, t->out[c->out], c->out_len, &c->out_off);
    if (sent != SENT_ALL)
        return sent == SENT_PART;
    count_sent(t, c->out_answers, c->out_len);
    out_release(t, c);
    conn_touch(t, c, now);
    if (!conn_wait(t, c, EPOLL_CTL_MOD, EPOLLIN))
        return false;
    return answer_all(t, c, now); /* what came before the pause */
}

void serve_tcp_on_connection(struct tcp *t, uint32_t idx, uint32_t events, mono_t now)
{
    struct tcp_conn *c = &t->conn[idx];
    if (c->fd < 0)
        return; /* closed earlier in this turn */
    bool keep;
    if (c->out != TCP_NONE)
        keep = (events & (EPOLLERR | EPOLLHUP)) == 0 && on_writable(t, c, now);
    else
        keep = on_readable(t, c, now);
    if (!keep)
        conn_close(t, c);
}

/* Closes the longest idle connection, unless even that one has only just come. */
static bool give_up_oldest(struct tcp *t, mono_t now)
{
    if (t->oldest == TCP_NONE || mono_ms_between(t->conn[t->oldest].since, now) < TCP_GRACE_MS)
        return false;
    conn_close(t, &t->conn[t->oldest]);
    return true;
}

static void conn_open(struct tcp *t, int fd, const union addr *from, mono_t now)
{
    if (t->open == t->cap) {
        count_add(&t->w->row->tcp_refused, 1);
        if (!give_up_oldest(t, now)) {
            close(fd);
            return;
        }
    }
    struct tcp_conn *c = &t->conn[t->free != TCP_NONE ? t->free : t->used];
    if (t->free != TCP_NONE)
        t->free = c->next;
    else
        t->used++;
    c->fd = fd;
    c->from = *from;
    c->in_len = c->out_len = c->out_off = c->out_answers = 0;
    c->out = TCP_NONE;
    c->at_end = false;
    list_append(t, c, now);
    t->open++;
    count_add(&t->w->row->tcp_open, 1);
    if (!conn_wait(t, c, EPOLL_CTL_ADD, EPOLLIN))
        conn_close(t, c);
}

static void listen_again(struct tcp *t, bool on)
{
    const struct serve_setup *setup = t->w->serve->setup;
    for (uint32_t i = 0; i < setup->socket_count; i++) {
        const struct serve_socket *s = &setup->socket[i];
        struct epoll_event ev = { .events = on ? EPOLLIN : 0,
                                  .data.u64 = wake_data(WAKE_LISTENER, i) };
        if (s->tcp && s->worker == t->w->idx)
            epoll_ctl(t->w->epoll, EPOLL_CTL_MOD, s->fd, &ev);
    }
}

void serve_tcp_on_listener(struct tcp *t, uint32_t socket_idx, mono_t now)
{
    const int listener = t->w->serve->setup->socket[socket_idx].fd;
    for (uint32_t i = 0; i < TCP_ACCEPTS; i++) {
        union addr from = { 0 };
        socklen_t from_len = sizeof from;
        int fd = accept4(listener, &from.sa, &from_len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            conn_open(t, fd, &from, now);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            if (give_up_oldest(t, now))
                continue;
            /* The connection stays in the queue; waiting for it would be a loop without rest. */
            listen_again(t, false);
            t->paused_until = mono_add_ms(now, TCP_PAUSE_MS);
        }
        return;
    }
}

void serve_tcp_tick(struct tcp *t, mono_t now)
{
    const int64_t idle_ms = t->w->serve->setup->tcp_idle_ms;
    while (t->oldest != TCP_NONE && mono_ms_between(t->conn[t->oldest].since, now) >= idle_ms)
        conn_close(t, &t->conn[t->oldest]);
    if (t->paused_until.ns != 0 && !mono_before(now, t->paused_until)) {
        t->paused_until = MONO_ZERO;
        listen_again(t, true);
    }
}

bool serve_tcp_is_quiet(const struct tcp *t)
{
    for (uint32_t i = t->oldest; i != TCP_NONE; i = t->conn[i].next)
        if (t->conn[i].in_len != 0 || t->conn[i].out != TCP_NONE)
            return false;
    return true;
}
