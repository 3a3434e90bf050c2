/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef BASE_ADDR_H
#define BASE_ADDR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/mem.h"

/* An IPv4 or IPv6 address with a port, as the socket calls take it. */
union addr {
    struct sockaddr sa;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
};

#define ADDR_TEXT_MAX 72 /* "address%scope@port" and the final zero */

/* Reads "192.0.2.1", "2001:db8::1@5300" or "fe80::1%eth0@53" (the interface by
 * name or number); without a port it has `port`. No name
 * look-up. False when it is neither, or the port is not 1..65535. */
bool addr_parse(union addr *a, const char *text, uint16_t port) BASE_MUST_USE;

/* Writes "192.0.2.1@53", "fe80::1%2@53" and returns buf. */
const char *addr_text(const union addr *a, char buf[ADDR_TEXT_MAX]);
/* The same without the port. */
const char *addr_host_text(const union addr *a, char buf[ADDR_TEXT_MAX]);

socklen_t addr_len(const union addr *a);
uint16_t addr_port(const union addr *a);
/* 0.0.0.0 or [::]. */
bool addr_is_any(const union addr *a);
/* Same family and address; the port does not matter. */
bool addr_same_host(const union addr *a, const union addr *b);

#endif
