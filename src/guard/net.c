/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "guard/net.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define NET_BUFFER (4 << 20) /* bytes that wait in a UDP socket while a successor takes over */
#define NET_BACKLOG 1024
#define NET_PATIENCE_MS 1000 /* for what a killed run still holds */
#define NET_IPV6_MTU 1280    /* what every path carries: IPv6 routers do not fragment */

void guard_complain(int error, const char *hint, const char *fmt, ...)
{
    char line[640];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    fprintf(stderr, "perigee: %s%s%s%s%s\n", line, error ? ": " : "", error ? strerror(error) : "",
            hint ? "; " : "", hint ? hint : "");
}

bool guard_patience(mono_t until)
{
    const int error = errno;
    const bool again = mono_before(time_mono(), until);
    if (again)
        poll(NULL, 0, 10);
    errno = error;
    return again;
}

static bool set(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value) == 0;
}

static const char *bind_hint(int error, const union addr *a)
{
    switch (error) {
    case EADDRINUSE:
        return "another program answers there (ss -lnptu shows which)";
    case EADDRNOTAVAIL:
        return "this host does not have that address";
    case EACCES:
        return addr_port(a) < 1024 ? "ports below 1024 need CAP_NET_BIND_SERVICE: run as root"
                                   : NULL;
    default:
        return NULL;
    }
}

/* Answers are sent whole, at the size that the query allows: no DF, and what ICMP says of the path
 * changes nothing (it can be forged). */
static bool set_udp(int fd, const union addr *a)
{
    if (!set(fd, SOL_SOCKET, SO_RCVBUFFORCE, NET_BUFFER))
        set(fd, SOL_SOCKET, SO_RCVBUF, NET_BUFFER);
    if (!set(fd, SOL_SOCKET, SO_SNDBUFFORCE, NET_BUFFER))
        set(fd, SOL_SOCKET, SO_SNDBUF, NET_BUFFER);
    if (a->sa.sa_family == AF_INET)
        return set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_OMIT) &&
               (!addr_is_any(a) || set(fd, IPPROTO_IP, IP_PKTINFO, 1));
    return set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_OMIT) &&
           set(fd, IPPROTO_IPV6, IPV6_MTU, NET_IPV6_MTU) &&
           (!addr_is_any(a) || set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1));
}

/* How a socket shares its address. The first of a group is bound without SO_REUSEPORT, so that the
 * kernel refuses it if anybody else is there, another Perigee included; then it opens the group that
 * the other workers' sockets join. */
enum net_share { NET_ALONE, NET_FIRST, NET_JOIN };

/* The node's own addresses may come later than the node: a link that is slow at boot. Until then its
 * sessions are down and say why. */
static bool set_early(int fd, const union addr *a)
{
    if (a->sa.sa_family == AF_INET)
        return set(fd, IPPROTO_IP, IP_FREEBIND, 1);
    return set(fd, IPPROTO_IPV6, IPV6_FREEBIND, 1);
}

/* Opens a socket bound to `a`; it listens if it is TCP. Returns -1 with errno set. */
static int open_once(const union addr *a, int type, enum net_share share)
{
    int fd = socket(a->sa.sa_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    bool ok = a->sa.sa_family == AF_INET || set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    ok = ok && (share != NET_JOIN || set(fd, SOL_SOCKET, SO_REUSEPORT, 1));
    if (type == SOCK_STREAM)
        ok = ok && set(fd, SOL_SOCKET, SO_REUSEADDR, 1) && set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    else
        ok = ok && set_udp(fd, a);
    ok = ok && (share != NET_ALONE || set_early(fd, a));
    ok = ok && bind(fd, &a->sa, addr_len(a)) == 0;
    ok = ok && (share != NET_FIRST || set(fd, SOL_SOCKET, SO_REUSEPORT, 1));
    ok = ok && (type != SOCK_STREAM || listen(fd, NET_BACKLOG) == 0);
    if (ok)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

/* The processes of a run that was killed a moment ago may still be closing theirs. */
static int open_bound(const struct guard_net *n, const union addr *a, int type,
                      enum net_share share)
{
    int fd;
    while ((fd = open_once(a, type, share)) < 0 && errno == EADDRINUSE && share != NET_JOIN &&
           guard_patience(n->patience)) {
    }
    return fd;
}

static bool open_service(struct guard_net *n, const union addr *a, uint32_t workers)
{
    char text[ADDR_TEXT_MAX];
    for (uint32_t tcp = 0; tcp <= 1; tcp++) {
        for (uint32_t w = 0; w < workers; w++) {
            int fd =
                open_bound(n, a, tcp ? SOCK_STREAM : SOCK_DGRAM, w == 0 ? NET_FIRST : NET_JOIN);
            if (fd < 0) {
                guard_complain(errno, bind_hint(errno, a), "cannot listen on %s (%s)",
                               addr_text(a, text), tcp ? "TCP" : "UDP");
                return false;
            }
            n->setup->socket[n->setup->socket_count++] = (struct serve_socket){
                .fd = fd, .worker = (uint16_t)w, .tcp = (uint8_t)tcp, .any = addr_is_any(a)
            };
        }
    }
    return true;
}

static bool open_setup(struct guard_net *n, const struct guard_options *o)
{
    struct serve_setup *s = n->setup;
    s->workers = o->workers;
    s->tcp_clients_max = o->tcp_clients_max;
    s->tcp_idle_ms = o->tcp_idle_ms;
    s->nsid_len = o->nsid_len;
    if (o->nsid_len != 0)
        memcpy(s->nsid, o->nsid, o->nsid_len);
    bool ok = true;
    for (uint32_t i = 0; i < o->service_count; i++)
        ok = open_service(n, &o->services[i].at, o->workers) && ok;
    if (!ok)
        return false;
    const size_t size = sizeof *s + s->socket_count * sizeof s->socket[0];
    n->setup_fd = memfd_create("perigee-setup", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (n->setup_fd < 0 || write(n->setup_fd, s, size) != (ssize_t)size ||
        fcntl(n->setup_fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW) != 0) {
        guard_complain(errno, NULL, "cannot make the shared set-up of serve");
        return false;
    }
    return true;
}

static bool open_listeners(struct guard_net *n, const struct guard_options *o)
{
    char text[ADDR_TEXT_MAX];
    bool ok = true;
    for (uint32_t i = 0; i < o->bgp_listener_count; i++) {
        const union addr *a = &o->bgp_listeners[i];
        int fd = open_bound(n, a, SOCK_STREAM, NET_ALONE);
        if (fd < 0) {
            guard_complain(errno, bind_hint(errno, a), "cannot listen for BGP on %s (TCP)",
                           addr_text(a, text));
            ok = false;
            continue;
        }
        n->bgp[n->bgp_count++] = fd;
    }
    if (o->fleet != NULL) {
        n->fleet = open_bound(n, o->fleet, SOCK_DGRAM, NET_ALONE);
        if (n->fleet < 0) {
            guard_complain(errno, bind_hint(errno, o->fleet),
                           "cannot listen for the fleet on %s (UDP)", addr_text(o->fleet, text));
            ok = false;
        }
    }
    return ok;
}

static bool complain_address(int error, const struct guard_service *s)
{
    char text[ADDR_TEXT_MAX];
    const char *hint = NULL;
    if (error == EPERM)
        hint = "that needs CAP_NET_ADMIN: run as root, or put the address there yourself and set "
               "manage_addresses: false";
    guard_complain(error, hint, "cannot put %s on %s", addr_host_text(&s->at, text), s->interface);
    return false;
}

static bool add_address(struct guard_claim *c, const struct guard_service *s, unsigned ifindex)
{
    char text[ADDR_TEXT_MAX];
    enum guard_address_state state;
    c->lock = guard_address_claim(&s->at);
    if (c->lock < 0) {
        guard_complain(0, "stop it first, or give each node its own service addresses",
                       "another node of this host has the service address %s (%s)",
                       addr_host_text(&s->at, text), strerror(errno));
        return false;
    }
    int error = guard_address_find(&s->at, ifindex, &state);
    if (error == 0 && state == GUARD_ADDRESS_ABSENT)
        error = guard_address_add(&s->at, ifindex);
    if (error != 0)
        return complain_address(error, s);
    c->added = state != GUARD_ADDRESS_FOREIGN;
    return true;
}

/* Several services may share an address and differ in the port: one claim is enough for all. */
static bool is_repeated(const struct guard_options *o, uint32_t idx)
{
    for (uint32_t i = 0; i < idx; i++)
        if (o->services[i].interface != NULL &&
            addr_same_host(&o->services[i].at, &o->services[idx].at))
            return true;
    return false;
}

static bool add_addresses(struct guard_net *n, const struct guard_options *o)
{
    bool ok = true;
    for (uint32_t i = 0; i < o->service_count; i++) {
        const struct guard_service *s = &o->services[i];
        if (s->interface == NULL || addr_is_any(&s->at) || is_repeated(o, i))
            continue;
        unsigned ifindex = if_nametoindex(s->interface);
        if (ifindex == 0) {
            ok = complain_address(ENODEV, s);
            continue;
        }
        int error = guard_address_sweep(ifindex);
        if (error != 0 && error != EPERM)
            ok = complain_address(error, s);
        ok = add_address(&n->claim[i], s, ifindex) && ok;
    }
    return ok;
}

bool guard_net_open(struct guard_net *n, const struct guard_options *o)
{
    const size_t rows = (size_t)o->service_count * o->workers * 2;
    *n = (struct guard_net){ .setup_fd = -1, .fleet = -1, .control = -1 };
    n->patience = mono_add_ms(time_mono(), NET_PATIENCE_MS);
    n->setup = base_calloc(1, sizeof *n->setup + rows * sizeof n->setup->socket[0]);
    for (uint32_t i = 0; i < GUARD_SERVICES_MAX; i++)
        n->claim[i].lock = -1;
    /* First of all: if this node runs already, nothing else is worth saying. */
    if (o->control_socket != NULL) {
        n->control = guard_control_socket(o->control_socket, n->patience);
        if (n->control < 0)
            return false;
        n->path = o->control_socket;
    }
    if (!add_addresses(n, o))
        return false;
    bool ok = open_setup(n, o);
    if (o->control_socket != NULL)
        ok = open_listeners(n, o) && ok;
    return ok;
}

static void close_all(const int *fds, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        close(fds[i]);
}

void guard_net_close(struct guard_net *n, const struct guard_options *o)
{
    for (uint32_t i = 0; i < n->setup->socket_count; i++)
        close(n->setup->socket[i].fd);
    close_all(n->bgp, n->bgp_count);
    for (uint32_t i = 0; i < o->service_count; i++) {
        const struct guard_service *s = &o->services[i];
        if (n->claim[i].added)
            guard_address_remove(&s->at, if_nametoindex(s->interface));
        if (n->claim[i].lock >= 0)
            close(n->claim[i].lock);
    }
    if (n->path != NULL)
        unlink(n->path);
    const int rest[] = { n->control, n->fleet, n->setup_fd };
    for (uint32_t i = 0; i < BASE_COUNT(rest); i++)
        if (rest[i] >= 0)
            close(rest[i]);
    free(n->setup);
}
