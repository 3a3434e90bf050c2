/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The link to guard: fixed-size messages, some with a descriptor. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/log.h"
#include "control/parts.h"

#define EVENTS_PER_TURN 64 /* the loop has other things to do as well */

/* One message: 1 taken, 0 none now, -1 the link is closed. */
static int event_read(int fd, struct guard_event *ev, int *passed)
{
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec iov = { ev, sizeof *ev };
    struct msghdr m = { .msg_iov = &iov,
                        .msg_iovlen = 1,
                        .msg_control = control.bytes,
                        .msg_controllen = sizeof control.bytes };
    ssize_t n;
    *passed = -1;
    do
        n = recvmsg(fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;
    if (n == 0)
        return -1;
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    if (c != NULL && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
        c->cmsg_len == CMSG_LEN(sizeof(int)))
        memcpy(passed, CMSG_DATA(c), sizeof *passed);
    base_assert(n == (ssize_t)sizeof *ev); /* guard is the same binary */
    ev->text[sizeof ev->text - 1] = '\0';
    return 1;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct control_link *l = poll->data;
    struct guard_event ev;
    int fd, got = 1;
    (void)events;
    for (int i = 0; i < EVENTS_PER_TURN && got == 1; i++) {
        got = status < 0 ? -1 : event_read(l->fd, &ev, &fd);
        if (got == 1)
            l->handler(l->control, &ev, fd);
    }
    if (got < 0) {
        /* Guard is gone, or wants this process to end: the kernel closes the BGP sessions. */
        log_info("control_end", "why=\"guard closed the link\"");
        _exit(0);
    }
}

void control_link_init(struct control_link *l, uv_loop_t *loop, int fd, struct control *c,
                       control_link_handler *handler)
{
    l->fd = fd;
    l->control = c;
    l->handler = handler;
    int rc = uv_poll_init(loop, &l->poll, fd);
    base_assert(rc == 0);
    l->poll.data = l;
    rc = uv_poll_start(&l->poll, UV_READABLE | UV_DISCONNECT, on_readable);
    base_assert(rc == 0);
}

bool control_link_send(struct control_link *l, enum guard_request_kind kind, uint32_t arg,
                       const char *text)
{
    struct guard_request r = { .kind = kind, .arg = arg };
    snprintf(r.text, sizeof r.text, "%s", text ? text : "");
    if (send(l->fd, &r, sizeof r, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)sizeof r)
        return true;
    log_error("link_send", "kind=%d what=\"%s\"", kind, strerror(errno));
    return false;
}
