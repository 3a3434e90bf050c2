/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Whether the service addresses are on this host. The kernel says by netlink that some address came or
 * went; which one is asked with bind(), so that nothing has to be parsed and a lost message costs
 * nothing. (Where net.ipv4.ip_nonlocal_bind allows any address, the probes notice it, later.) */
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/log.h"
#include "control/parts.h"

static bool is_here(const union addr *a)
{
    union addr any_port = *a;
    int fd = socket(a->sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return true; /* not known: the probes find out */
    if (a->sa.sa_family == AF_INET)
        any_port.in.sin_port = 0;
    else
        any_port.in6.sin6_port = 0;
    bool here = bind(fd, &any_port.sa, addr_len(&any_port)) == 0 || errno != EADDRNOTAVAIL;
    close(fd);
    return here;
}

static void look(struct control_address *w)
{
    char text[ADDR_TEXT_MAX];
    for (uint32_t i = 0; i < w->count; i++) {
        bool here = is_here(&w->at[i]);
        if (here == w->here[i])
            continue;
        w->here[i] = here;
        log_event(here ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR, "address", "address=%s present=%s",
                  addr_host_text(&w->at[i], text), here ? "yes" : "no");
        w->handler(w->arg, &w->at[i], here);
    }
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct control_address *w = poll->data;
    char bytes[8192];
    (void)events;
    /* Whatever it says, and if it says that messages were lost (ENOBUFS): look. */
    for (int i = 0; i < 16 && recv(w->fd, bytes, sizeof bytes, MSG_DONTWAIT) > 0; i++)
        ;
    if (status < 0)
        uv_poll_stop(&w->poll);
    look(w);
}

void control_address_init(struct control_address *w, uv_loop_t *loop, const struct config_bundle *b,
                          control_address_handler *handler, void *arg)
{
    struct sockaddr_nl own = { .nl_family = AF_NETLINK,
                               .nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR };
    uint32_t pos = 0;
    w->handler = handler;
    w->arg = arg;
    for (const struct config_service *s; (s = config_service_next(b->config, b->node, &pos));)
        for (uint32_t i = 0; i < s->addresses.count; i++) {
            w->here[w->count] = true;
            w->at[w->count++] = s->addresses.at[i];
        }
    w->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    if (w->fd < 0 || bind(w->fd, (const struct sockaddr *)&own, sizeof own) != 0) {
        log_warn("address_watch", "what=\"%s\" effect=\"probes notice later\"", strerror(errno));
        return;
    }
    int rc = uv_poll_init(loop, &w->poll, w->fd);
    base_assert(rc == 0);
    w->poll.data = w;
    rc = uv_poll_start(&w->poll, UV_READABLE, on_readable);
    base_assert(rc == 0);
    look(w);
}
