/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef BGP_SOCKET_H
#define BGP_SOCKET_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "bgp/types.h"

/* What a BGP connection asks of a Linux TCP socket. All functions return false with errno set. */

struct bgp_socket_options {
    const char *password;      /* NULL: none */
    uint8_t ttl_security_hops; /* 0: off */
};

/* `scope`: the interface's index for link-local addresses, else 0. */
socklen_t bgp_socket_addr(const struct bgp_addr *a, uint16_t port, uint32_t scope,
                          struct sockaddr_storage *out);

/* The address and scope in a socket address; IPv4-mapped IPv6 becomes IPv4. */
bool bgp_socket_addr_parse(const struct sockaddr_storage *from, struct bgp_addr *a,
                           uint32_t *scope);

/* Sets the TCP-MD5 key (RFC 2385) for connections with `peer`; password NULL or "" takes it away.
 * Needs no capability. */
bool bgp_socket_md5(int fd, const struct bgp_addr *peer, const char *password);

/* GTSM (RFC 5082): sends with TTL 255, and drops what has come further than `hops` allow. */
bool bgp_socket_gtsm(int fd, uint8_t family, uint8_t hops);

/* A listener's answers to SYN leave with TTL 255, which neighbors with GTSM want to see. */
bool bgp_socket_listener_ttl(int fd);

/* TCP_NODELAY, little unsent in the kernel, CS6, non-blocking, close-on-exec: for every connection. */
bool bgp_socket_usual(int fd, uint8_t family);

/* A socket that is connecting to the neighbor; -1 with errno. *done: connected already. */
int bgp_socket_connect(const struct bgp_addr *peer, uint16_t port, uint32_t scope,
                       const struct bgp_addr *source, const struct bgp_socket_options *options,
                       bool *done);

/* Addresses for IPv6 next hops of a connection whose local address is `local` (RFC 2545 section 3).
 * *link_local: of the interface that holds `local`, when `peer` is on one of its subnets or is
 * link-local itself; *global: a global address of that interface when `local` is link-local. What is
 * not found stays zero. */
void bgp_socket_next_hops(const struct bgp_addr *local, const struct bgp_addr *peer, uint32_t scope,
                          struct bgp_addr *global, struct bgp_addr *link_local);

#endif
