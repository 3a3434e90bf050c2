/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "bgp/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/tcp.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <string.h>
#include <unistd.h>

#ifndef IPV6_MINHOPCOUNT
#define IPV6_MINHOPCOUNT 73 /* linux/in6.h, which clashes with netinet/in.h */
#endif

socklen_t bgp_socket_addr(const struct bgp_addr *a, uint16_t port, uint32_t scope,
                          struct sockaddr_storage *out)
{
    memset(out, 0, sizeof *out);
    if (a->family == BGP_IPV4) {
        struct sockaddr_in *in = (struct sockaddr_in *)out;
        in->sin_family = AF_INET;
        in->sin_port = htons(port);
        memcpy(&in->sin_addr, a->bytes, 4);
        return sizeof *in;
    }
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons(port);
    memcpy(&in6->sin6_addr, a->bytes, 16);
    in6->sin6_scope_id = bgp_addr_is_link_local(a) ? scope : 0;
    return sizeof *in6;
}

bool bgp_socket_addr_parse(const struct sockaddr_storage *from, struct bgp_addr *a, uint32_t *scope)
{
    *scope = 0;
    *a = (struct bgp_addr){ .family = BGP_IPV4 };
    if (from->ss_family == AF_INET) {
        memcpy(a->bytes, &((const struct sockaddr_in *)from)->sin_addr, 4);
        return true;
    }
    if (from->ss_family != AF_INET6)
        return false;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)from;
    if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
        memcpy(a->bytes, in6->sin6_addr.s6_addr + 12, 4);
        return true;
    }
    a->family = BGP_IPV6;
    memcpy(a->bytes, &in6->sin6_addr, 16);
    *scope = in6->sin6_scope_id;
    return true;
}

static int socket_domain(int fd)
{
    int domain = 0;
    socklen_t len = sizeof domain;
    return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 ? domain : -1;
}

bool bgp_socket_md5(int fd, const struct bgp_addr *peer, const char *password)
{
    struct tcp_md5sig key = { 0 };
    struct sockaddr_storage at;
    size_t len = password != NULL ? strlen(password) : 0;
    if (len > sizeof key.tcpm_key) {
        errno = EINVAL;
        return false;
    }
    if (peer->family == BGP_IPV4 && socket_domain(fd) == AF_INET6) {
        struct bgp_addr mapped = { .family = BGP_IPV6, .bytes = { [10] = 0xff, [11] = 0xff } };
        memcpy(mapped.bytes + 12, peer->bytes, 4);
        bgp_socket_addr(&mapped, 0, 0, &at);
    } else {
        bgp_socket_addr(peer, 0, 0, &at);
    }
    memcpy(&key.tcpm_addr, &at, sizeof key.tcpm_addr);
    key.tcpm_keylen = (uint16_t)len;
    if (len > 0)
        memcpy(key.tcpm_key, password, len);
    if (setsockopt(fd, IPPROTO_TCP, TCP_MD5SIG, &key, sizeof key) == 0)
        return true;
    return len == 0 && errno == ENOENT; /* there was none to take away */
}

static bool set_int(int fd, int level, int name, int value)
{
    return setsockopt(fd, level, name, &value, sizeof value) == 0;
}

bool bgp_socket_gtsm(int fd, uint8_t family, uint8_t hops)
{
    if (family == BGP_IPV4)
        return set_int(fd, IPPROTO_IP, IP_TTL, 255) &&
               set_int(fd, IPPROTO_IP, IP_MINTTL, 256 - hops);
    return set_int(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 255) &&
           set_int(fd, IPPROTO_IPV6, IPV6_MINHOPCOUNT, 256 - hops);
}

bool bgp_socket_listener_ttl(int fd)
{
    bool v6 = socket_domain(fd) == AF_INET6;
    return set_int(fd, IPPROTO_IP, IP_TTL, 255) &&
           (!v6 || set_int(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 255));
}

bool bgp_socket_usual(int fd, uint8_t family)
{
    const int cs6 = 0xc0; /* network control, RFC 4594 */
    bool tos = family == BGP_IPV4 ? set_int(fd, IPPROTO_IP, IP_TOS, cs6)
                                  : set_int(fd, IPPROTO_IPV6, IPV6_TCLASS, cs6);
    (void)tos; /* a wish, not a need */
    /* What a slow neighbor has not taken waits here as a difference that shrinks, and not in the kernel
     * as messages that have been overtaken. */
    bool lowat = set_int(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, 16384);
    (void)lowat;
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 &&
           fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 && set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
}

static bool prepare(int fd, const struct bgp_addr *peer, uint32_t scope,
                    const struct bgp_addr *source, const struct bgp_socket_options *options)
{
    if (!bgp_socket_usual(fd, peer->family))
        return false;
    if (source != NULL) {
        struct sockaddr_storage at;
        socklen_t len = bgp_socket_addr(source, 0, scope, &at);
        if (bind(fd, (struct sockaddr *)&at, len) != 0)
            return false;
    }
    if (options->password != NULL && !bgp_socket_md5(fd, peer, options->password))
        return false;
    return options->ttl_security_hops == 0 ||
           bgp_socket_gtsm(fd, peer->family, options->ttl_security_hops);
}

int bgp_socket_connect(const struct bgp_addr *peer, uint16_t port, uint32_t scope,
                       const struct bgp_addr *source, const struct bgp_socket_options *options,
                       bool *done)
{
    int domain = peer->family == BGP_IPV4 ? AF_INET : AF_INET6;
    int fd = socket(domain, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
    if (fd < 0)
        return -1;
    struct sockaddr_storage at;
    socklen_t len = bgp_socket_addr(peer, port, scope, &at);
    if (prepare(fd, peer, scope, source, options)) {
        *done = connect(fd, (struct sockaddr *)&at, len) == 0;
        if (*done || errno == EINPROGRESS)
            return fd;
    }
    int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

/* ---- next hops -------------------------------------------------------------------------------- */

static bool ifaddr_v6(const struct ifaddrs *i, struct bgp_addr *a)
{
    if (i->ifa_addr == NULL || i->ifa_addr->sa_family != AF_INET6)
        return false;
    const struct sockaddr_in6 *in6 = (const void *)i->ifa_addr;
    *a = (struct bgp_addr){ .family = BGP_IPV6 };
    memcpy(a->bytes, &in6->sin6_addr, 16);
    return true;
}

static bool on_subnet(const struct ifaddrs *i, const struct bgp_addr *peer)
{
    if (i->ifa_netmask == NULL || i->ifa_addr == NULL || i->ifa_addr->sa_family != AF_INET6)
        return false;
    const struct sockaddr_in6 *own = (const void *)i->ifa_addr;
    const struct sockaddr_in6 *mask = (const void *)i->ifa_netmask;
    bool any = false;
    for (unsigned k = 0; k < 16; k++) {
        uint8_t m = mask->sin6_addr.s6_addr[k];
        any |= m != 0;
        if ((own->sin6_addr.s6_addr[k] ^ peer->bytes[k]) & m)
            return false;
    }
    return any;
}

void bgp_socket_next_hops(const struct bgp_addr *local, const struct bgp_addr *peer, uint32_t scope,
                          struct bgp_addr *global, struct bgp_addr *link_local)
{
    *global = *link_local = (struct bgp_addr){ .family = BGP_IPV6 };
    struct ifaddrs *all;
    if (local->family != BGP_IPV6 || getifaddrs(&all) != 0)
        return;
    bool on_link_local = bgp_addr_is_link_local(local);
    char name[IF_NAMESIZE] = "";
    struct bgp_addr a;
    if (on_link_local && if_indextoname(scope, name) == NULL)
        name[0] = '\0';
    for (struct ifaddrs *i = all; i != NULL && !on_link_local; i = i->ifa_next) {
        if (ifaddr_v6(i, &a) && bgp_addr_eq(&a, local) && on_subnet(i, peer) &&
            !(i->ifa_flags & IFF_LOOPBACK))
            memcpy(name, i->ifa_name, strnlen(i->ifa_name, sizeof name - 1) + 1);
    }
    for (struct ifaddrs *i = all; i != NULL && name[0] != '\0'; i = i->ifa_next) {
        if (!ifaddr_v6(i, &a) || strcmp(i->ifa_name, name) != 0)
            continue;
        if (bgp_addr_is_link_local(&a) && bgp_addr_is_zero(link_local))
            *link_local = a;
        else if (!bgp_addr_is_link_local(&a) && on_link_local && bgp_addr_is_zero(global))
            *global = a;
    }
    if (on_link_local)
        *link_local = *local;
    freeifaddrs(all);
}
