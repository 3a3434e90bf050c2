/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Service addresses by rtnetlink. Each address that a node puts on an interface carries a mark
 * (IFA_PROTO, kernel 5.18 and later), so the next start recognises what a killed run left behind.
 * Several nodes may share a network namespace (the lab does so): a node claims an address by an
 * abstract unix socket, which lives exactly as long as the process and the namespace see it. */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "guard/net.h"

#define ADDRESS_MARK 0x50 /* IFA_PROTO values above 3 are free for user space */
#define SWEEP_MAX 256

struct address_dump {
    const union addr *wanted; /* NULL: collect the marked ones */
    unsigned ifindex;
    enum guard_address_state state;
    union addr marked[SWEEP_MAX];
    uint32_t marked_count;
};

static size_t host_bytes(const union addr *a, const void **bytes)
{
    if (a->sa.sa_family == AF_INET) {
        *bytes = &a->in.sin_addr;
        return 4;
    }
    *bytes = &a->in6.sin6_addr;
    return 16;
}

static int on_address(const struct nlmsghdr *h, void *data)
{
    struct address_dump *d = data;
    const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(h);
    union addr a = { .sa.sa_family = ifa->ifa_family };
    uint8_t mark = 0;
    const struct nlattr *attr;
    const void *bytes;
    bool local = false;
    if (ifa->ifa_index != d->ifindex || (a.sa.sa_family != AF_INET && a.sa.sa_family != AF_INET6))
        return MNL_CB_OK;
    const size_t len = host_bytes(&a, &bytes);
    uint8_t *host =
        a.sa.sa_family == AF_INET ? (uint8_t *)&a.in.sin_addr : (uint8_t *)&a.in6.sin6_addr;
    mnl_attr_for_each(attr, h, sizeof *ifa)
    {
        const uint16_t type = mnl_attr_get_type(attr);
        /* IFA_LOCAL is the interface's own; IFA_ADDRESS is the peer's when both are there. */
        if ((type == IFA_LOCAL || (type == IFA_ADDRESS && !local)) &&
            mnl_attr_get_payload_len(attr) == len) {
            memcpy(host, mnl_attr_get_payload(attr), len);
            local = local || type == IFA_LOCAL;
        } else if (type == IFA_PROTO) {
            mark = mnl_attr_get_u8(attr);
        }
    }
    if (d->wanted == NULL) {
        if (mark == ADDRESS_MARK && d->marked_count < SWEEP_MAX)
            d->marked[d->marked_count++] = a;
    } else if (addr_same_host(&a, d->wanted)) {
        d->state = mark == ADDRESS_MARK ? GUARD_ADDRESS_OURS : GUARD_ADDRESS_FOREIGN;
    }
    return MNL_CB_OK;
}

/* Sends one request and handles its answers. The kernel answers rtnetlink within the call. */
static int talk(struct nlmsghdr *h, mnl_cb_t on_message, void *data)
{
    char buf[16384];
    int error = 0;
    struct mnl_socket *s = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
    if (s == NULL)
        return errno;
    if (mnl_socket_bind(s, 0, MNL_SOCKET_AUTOPID) < 0 || mnl_socket_sendto(s, h, h->nlmsg_len) < 0)
        goto refused;
    for (;;) {
        ssize_t n = mnl_socket_recvfrom(s, buf, sizeof buf);
        if (n < 0)
            goto refused;
        int more =
            mnl_cb_run(buf, (size_t)n, h->nlmsg_seq, mnl_socket_get_portid(s), on_message, data);
        if (more < 0)
            goto refused;
        if (more == MNL_CB_STOP)
            break;
    }
    goto done;
refused:
    error = errno;
done:
    mnl_socket_close(s);
    return error;
}

static int dump(struct address_dump *d)
{
    char buf[256];
    struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
    h->nlmsg_type = RTM_GETADDR;
    h->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    h->nlmsg_seq = 1;
    mnl_nlmsg_put_extra_header(h, sizeof(struct ifaddrmsg));
    return talk(h, on_address, d);
}

static int change(const union addr *a, unsigned ifindex, uint16_t type, uint16_t flags)
{
    char buf[256];
    struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
    h->nlmsg_type = type;
    h->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
    h->nlmsg_seq = 1;
    struct ifaddrmsg *ifa = mnl_nlmsg_put_extra_header(h, sizeof *ifa);
    const void *bytes;
    const size_t len = host_bytes(a, &bytes);
    ifa->ifa_family = (uint8_t)a->sa.sa_family;
    ifa->ifa_prefixlen = (uint8_t)(len * 8);
    ifa->ifa_index = ifindex;
    /* No duplicate address detection: the address is meant to exist at many sites. */
    ifa->ifa_flags = a->sa.sa_family == AF_INET6 ? IFA_F_NODAD : 0;
    mnl_attr_put(h, IFA_LOCAL, len, bytes);
    mnl_attr_put(h, IFA_ADDRESS, len, bytes);
    mnl_attr_put_u8(h, IFA_PROTO, ADDRESS_MARK);
    /* Never the source of what the host itself begins, for the answer could reach another site: in
     * IPv6 that is what "deprecated" says (RFC 6724 section 5 rule 3). IPv4 takes the address of the
     * interface that a packet leaves by. */
    const struct ifa_cacheinfo never_preferred = { .ifa_prefered = 0, .ifa_valid = UINT32_MAX };
    if (a->sa.sa_family == AF_INET6)
        mnl_attr_put(h, IFA_CACHEINFO, sizeof never_preferred, &never_preferred);
    return talk(h, NULL, NULL);
}

int guard_address_find(const union addr *a, unsigned ifindex, enum guard_address_state *state)
{
    struct address_dump d = { .wanted = a, .ifindex = ifindex, .state = GUARD_ADDRESS_ABSENT };
    int error = dump(&d);
    *state = d.state;
    return error;
}

int guard_address_add(const union addr *a, unsigned ifindex)
{
    return change(a, ifindex, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);
}

int guard_address_remove(const union addr *a, unsigned ifindex)
{
    return change(a, ifindex, RTM_DELADDR, 0);
}

int guard_address_claim(const union addr *a)
{
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    char host[ADDR_TEXT_MAX];
    int len = snprintf(un.sun_path + 1, sizeof un.sun_path - 1, "perigee/address/%s",
                       addr_host_text(a, host));
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len);
    if (bind(fd, (struct sockaddr *)&un, size) != 0) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

int guard_address_sweep(unsigned ifindex)
{
    struct address_dump d = { .ifindex = ifindex };
    int error = dump(&d);
    for (uint32_t i = 0; error == 0 && i < d.marked_count; i++) {
        int claim = guard_address_claim(&d.marked[i]);
        if (claim < 0)
            continue; /* a living node's */
        error = guard_address_remove(&d.marked[i], ifindex);
        close(claim);
    }
    return error;
}
