/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What a dead predecessor had read and not answered (struct serve_flight). Its memory is as little
 * trusted as a packet: every number is checked, and queries are copied before they are looked at. */
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "serve/worker.h"

static bool was_answered(const struct serve_flight *f, uint32_t slot)
{
    const uint32_t count = f->tx_count < SERVE_BATCH ? f->tx_count : SERVE_BATCH;
    for (uint32_t j = 0; j < count; j++)
        if (f->tx_slot[j] == slot)
            return f->tx[j].msg_len != 0;
    return false;
}

/* Wildcard sockets: the answer leaves from where the query came to. The bytes were the kernel's, but
 * the dead process could write there: they are only taken in the form that a receiver gets. */
static size_t copy_control(const struct serve_flight *f, uint32_t slot, uint8_t *control)
{
    const size_t len = f->rx[slot].msg_hdr.msg_controllen;
    struct cmsghdr h;
    if (len < sizeof h || len > SERVE_CONTROL_MAX)
        return 0;
    memcpy(control, f->control[slot], len);
    memcpy(&h, control, sizeof h);
    const bool v4 = h.cmsg_level == IPPROTO_IP && h.cmsg_type == IP_PKTINFO &&
                    h.cmsg_len == CMSG_LEN(sizeof(struct in_pktinfo));
    const bool v6 = h.cmsg_level == IPPROTO_IPV6 && h.cmsg_type == IPV6_PKTINFO &&
                    h.cmsg_len == CMSG_LEN(sizeof(struct in6_pktinfo));
    return (v4 || v6) && h.cmsg_len <= len ? len : 0;
}

static bool replay_one(struct serve *s, const struct serve_flight *f, uint32_t slot, wall_t now)
{
    uint8_t query[SERVE_QUERY_MAX], out[ANSWER_UDP_CAP];
    _Alignas(struct cmsghdr) uint8_t control[SERVE_CONTROL_MAX];
    struct answer_info info;
    union addr from = f->from[slot];
    const uint32_t socket_idx = f->socket, len = f->rx[slot].msg_len;
    if (len == 0 || len > sizeof query || socket_idx >= s->setup->socket_count)
        return false;
    if (from.sa.sa_family != AF_INET && from.sa.sa_family != AF_INET6)
        return false;
    memcpy(query, f->query[slot], len);
    const struct answer_client client = { .transport = ANSWER_UDP, .addr = &from, .now = now };
    size_t answer_len =
        answer_compose(&s->options, serve_image(s), &client, query, len, out, sizeof out, &info);
    if (answer_len == 0)
        return false;
    struct iovec iov = { .iov_base = out, .iov_len = answer_len };
    struct msghdr m = {
        .msg_name = &from, .msg_namelen = addr_len(&from), .msg_iov = &iov, .msg_iovlen = 1
    };
    const struct serve_socket *socket = &s->setup->socket[socket_idx];
    if (socket->any) {
        m.msg_controllen = copy_control(f, slot, control);
        m.msg_control = m.msg_controllen != 0 ? control : NULL;
        serve_worker_choose_source(&m);
    }
    return !socket->tcp && sendmsg(socket->fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
}

uint32_t serve_replay_flight(struct serve *s, int fd, uint64_t skip)
{
    const size_t size = sizeof(struct serve_flight) * s->setup->workers;
    struct stat st;
    uint32_t count = 0;
    const wall_t now = time_wall();
    if (fstat(fd, &st) != 0 || (size_t)st.st_size < size)
        return 0;
    const struct serve_flight *f = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
    if (f == MAP_FAILED)
        return 0;
    for (uint32_t w = 0; w < s->setup->workers; w++) {
        const uint32_t suspect = (skip >> w & 1) != 0 ? f[w].busy_with : 0;
        for (uint32_t slot = 0; slot < SERVE_BATCH; slot++)
            if (f[w].rx[slot].msg_len != 0 && slot + 1 != suspect && !was_answered(&f[w], slot))
                count += replay_one(s, &f[w], slot, now);
    }
    union {
        const void *in;
        void *out;
    } map = { .in = f };
    munmap(map.out, size);
    return count;
}
