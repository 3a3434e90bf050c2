/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "bgp/link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/mem.h"

struct bgp_link {
    uv_poll_t poll;
    uv_timer_t linger;
    int fd;
    unsigned handles; /* libuv still holds so many of the two */
    enum bgp_conn_side side;
    bool connecting, closed, let_go, shut;
    struct bgp_link_owner owner;
    struct bgp_link_count *count;
    size_t len_max;
    size_t rx_len, tx_begin, tx_end;
    uint8_t rx[BGP_LINK_RX_CAP];
    uint8_t tx[BGP_LINK_TX_CAP];
};

static void on_poll(uv_poll_t *poll, int status, int events);

static void arm(struct bgp_link *l)
{
    int events = UV_READABLE;
    if (l->connecting || l->tx_begin != l->tx_end)
        events |= UV_WRITABLE;
    uv_poll_start(&l->poll, events, on_poll);
}

struct bgp_link *bgp_link_new(uv_loop_t *loop, int fd, bool connecting, enum bgp_conn_side side,
                              const struct bgp_link_owner *owner, struct bgp_link_count *count)
{
    struct bgp_link *l = base_alloc(sizeof *l);
    memset(l, 0,
           offsetof(struct bgp_link, rx)); /* the buffers stay untouched until they are used */
    l->fd = fd;
    l->side = side;
    l->connecting = connecting;
    l->owner = *owner;
    l->count = count;
    l->len_max = BGP_MSG_MAX;
    int failed = uv_poll_init(loop, &l->poll, fd);
    base_assert(failed == 0);
    uv_timer_init(loop, &l->linger);
    l->poll.data = l->linger.data = l;
    l->handles = 2;
    count->links++;
    arm(l);
    return l;
}

enum bgp_conn_side bgp_link_side(const struct bgp_link *l)
{
    return l->side;
}

int bgp_link_fd(const struct bgp_link *l)
{
    return l->fd;
}

void bgp_link_len_max(struct bgp_link *l, size_t len_max)
{
    l->len_max = len_max;
}

/* ---- the end ---------------------------------------------------------------------------------- */

static void on_closed(uv_handle_t *h)
{
    struct bgp_link *l = h->data;
    if (--l->handles > 0)
        return;
    struct bgp_link_count *count = l->count;
    free(l);
    if (--count->links == 0 && count->empty != NULL)
        count->empty(count->arg);
}

void bgp_link_abort(struct bgp_link *l)
{
    if (l->closed)
        return;
    l->closed = l->let_go = true;
    uv_close((uv_handle_t *)&l->poll, on_closed);
    uv_close((uv_handle_t *)&l->linger, on_closed);
    close(l->fd);
}

static void on_linger(uv_timer_t *timer)
{
    bgp_link_abort(timer->data);
}

/* Everything is said: the neighbor sees the end of the stream. Closing at once instead could turn into
 * a reset (if bytes of the neighbor lie unread), and a reset may overtake our NOTIFICATION. */
static void shut(struct bgp_link *l)
{
    if (!l->shut && l->tx_begin == l->tx_end) {
        l->shut = true;
        shutdown(l->fd, SHUT_WR);
    }
}

void bgp_link_let_go(struct bgp_link *l)
{
    size_t sent;
    if (l->closed)
        return;
    l->let_go = true;
    if (l->connecting || bgp_link_flush(l, &sent) == BGP_FLUSH_BROKEN) {
        bgp_link_abort(l);
        return;
    }
    shut(l);
    arm(l);
    uv_update_time(l->linger.loop);
    uv_timer_start(&l->linger, on_linger, BGP_LINK_LINGER_MS, 0);
}

/* ---- bytes out -------------------------------------------------------------------------------- */

struct wr bgp_link_room(struct bgp_link *l)
{
    if (l->tx_begin > 0) {
        memmove(l->tx, l->tx + l->tx_begin, l->tx_end - l->tx_begin);
        l->tx_end -= l->tx_begin;
        l->tx_begin = 0;
    }
    return wr_init(l->tx + l->tx_end, sizeof l->tx - l->tx_end);
}

void bgp_link_wrote(struct bgp_link *l, size_t len)
{
    base_assert(l->tx_end + len <= sizeof l->tx);
    l->tx_end += len;
}

bool bgp_link_write(struct bgp_link *l, const uint8_t *bytes, size_t len)
{
    struct wr w = bgp_link_room(l);
    wr_bytes(&w, bytes, len);
    if (w.full)
        return false;
    bgp_link_wrote(l, len);
    return true;
}

enum bgp_flush bgp_link_flush(struct bgp_link *l, size_t *sent)
{
    *sent = 0;
    if (l->closed) {
        errno = EPIPE;
        return BGP_FLUSH_BROKEN;
    }
    while (!l->connecting && l->tx_begin < l->tx_end) {
        ssize_t n =
            send(l->fd, l->tx + l->tx_begin, l->tx_end - l->tx_begin, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            break;
        if (n < 0)
            return BGP_FLUSH_BROKEN;
        l->tx_begin += (size_t)n;
        *sent += (size_t)n;
    }
    bool blocked = l->tx_begin < l->tx_end;
    arm(l);
    return blocked ? BGP_FLUSH_BLOCKED : BGP_FLUSH_DONE;
}

/* ---- bytes in --------------------------------------------------------------------------------- */

/* Hands over the messages that are whole. False: the link is not the session's any more. */
static bool messages(struct bgp_link *l)
{
    size_t at = 0;
    while (at < l->rx_len && !l->let_go) {
        size_t len;
        struct bgp_error e;
        enum bgp_frame frame = bgp_msg_frame(l->rx + at, l->rx_len - at, l->len_max, &len, &e);
        if (frame == BGP_FRAME_MORE)
            break;
        l->owner.message(l->owner.arg, l, l->rx + at, len);
        if (frame == BGP_FRAME_BAD)
            break; /* the state machine has let the link go */
        at += len;
    }
    if (at > 0)
        memmove(l->rx, l->rx + at, l->rx_len - at);
    l->rx_len -= at;
    return !l->let_go;
}

/* Reads away what comes after the session has let go, until the neighbor closes too. */
static void discard(struct bgp_link *l)
{
    for (unsigned i = 0; i < 16; i++) {
        ssize_t n = recv(l->fd, l->rx, sizeof l->rx, MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
            bgp_link_abort(l);
            return;
        }
        if (n < 0)
            return;
    }
}

void bgp_link_read(struct bgp_link *l)
{
    size_t budget = BGP_LINK_READ_BUDGET;
    while (budget > 0 && !l->let_go && !l->connecting) {
        size_t room = sizeof l->rx - l->rx_len;
        base_assert(room > 0); /* a message is never longer than the buffer */
        ssize_t n = recv(l->fd, l->rx + l->rx_len, room < budget ? room : budget, MSG_DONTWAIT);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return;
        if (n <= 0) {
            l->owner.down(l->owner.arg, l, n == 0 ? "closed by the neighbor" : strerror(errno));
            return;
        }
        l->rx_len += (size_t)n;
        budget -= (size_t)n;
        if (!messages(l))
            return;
    }
}

static void connect_result(struct bgp_link *l)
{
    int failure = 0;
    socklen_t len = sizeof failure;
    if (getsockopt(l->fd, SOL_SOCKET, SO_ERROR, &failure, &len) != 0)
        failure = errno;
    if (failure != 0) {
        l->owner.down(l->owner.arg, l, strerror(failure));
        return;
    }
    l->connecting = false;
    arm(l);
    l->owner.connected(l->owner.arg, l);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct bgp_link *l = poll->data;
    size_t sent;
    if (l->let_go) {
        if (status < 0 || bgp_link_flush(l, &sent) == BGP_FLUSH_BROKEN) {
            bgp_link_abort(l);
            return;
        }
        shut(l);
        discard(l);
        return;
    }
    if (l->connecting) {
        connect_result(l);
        return;
    }
    if (status < 0 || (events & (UV_READABLE | UV_DISCONNECT)))
        bgp_link_read(l);
    if (!l->let_go && status < 0)
        arm(l); /* libuv stops a poll that reports an error; there was none to be read */
    if (!l->let_go && (events & UV_WRITABLE))
        l->owner.room(l->owner.arg, l);
}
