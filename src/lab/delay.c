/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The delay process: one thread, one netlink socket per queue, one timer. The kernel numbers the
 * packets of a queue in ascending order and takes one verdict for "this one and all before it", so the
 * packets of a constant delay are a plain first-in first-out ring. */
#include "lab/delay.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/time.h"
#include "lab/proc.h"

#define QUEUES_MAX 128
#define EARLY_NS 30000 /* closer than this is due: a wake-up costs as much */

struct queue {
    int fd;
    uint16_t num;
    int64_t delay_ns;
    uint64_t held, overflow;
    struct delay_ring *ring;
};

int delay_ring_push(struct delay_ring *r, uint32_t id, int64_t due_ns)
{
    if (r->count == DELAY_RING)
        return 0;
    uint32_t pos = (r->head + r->count++) % DELAY_RING;
    r->at[pos].id = id;
    r->at[pos].due_ns = due_ns;
    return 1;
}

int delay_ring_take(struct delay_ring *r, int64_t now_ns, uint32_t *id)
{
    int taken = 0;
    while (r->count > 0 && r->at[r->head].due_ns <= now_ns) {
        *id = r->at[r->head].id;
        r->head = (r->head + 1) % DELAY_RING;
        r->count--;
        taken++;
    }
    return taken;
}

int64_t delay_ring_next(const struct delay_ring *r)
{
    return r->count > 0 ? r->at[r->head].due_ns : INT64_MAX;
}

static struct nlmsghdr *message(char *buf, uint16_t type, uint16_t num)
{
    struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
    h->nlmsg_type = (uint16_t)(NFNL_SUBSYS_QUEUE << 8 | type);
    h->nlmsg_flags = NLM_F_REQUEST;
    struct nfgenmsg *g = mnl_nlmsg_put_extra_header(h, sizeof *g);
    g->nfgen_family = AF_UNSPEC;
    g->version = NFNETLINK_V0;
    g->res_id = htons(num);
    return h;
}

static bool talk(int fd, struct nlmsghdr *h)
{
    struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
    return sendto(fd, h, h->nlmsg_len, 0, (struct sockaddr *)&kernel, sizeof kernel) ==
           (ssize_t)h->nlmsg_len;
}

static bool configure(struct queue *q)
{
    char buf[512];
    struct nlmsghdr *h = message(buf, NFQNL_MSG_CONFIG, q->num);
    struct nfqnl_msg_config_cmd cmd = { .command = NFQNL_CFG_CMD_BIND };
    mnl_attr_put(h, NFQA_CFG_CMD, sizeof cmd, &cmd);
    struct nfqnl_msg_config_params params = { .copy_range = 0, .copy_mode = NFQNL_COPY_META };
    mnl_attr_put(h, NFQA_CFG_PARAMS, sizeof params, &params);
    mnl_attr_put_u32(h, NFQA_CFG_QUEUE_MAXLEN, htonl(DELAY_RING));
    mnl_attr_put_u32(h, NFQA_CFG_FLAGS, htonl(NFQA_CFG_F_GSO | NFQA_CFG_F_FAIL_OPEN));
    mnl_attr_put_u32(h, NFQA_CFG_MASK, htonl(NFQA_CFG_F_GSO | NFQA_CFG_F_FAIL_OPEN));
    h->nlmsg_flags |= NLM_F_ACK;
    if (!talk(q->fd, h))
        return false;
    ssize_t n = recv(q->fd, buf, sizeof buf, 0);
    const struct nlmsghdr *ack = (const struct nlmsghdr *)buf;
    if (n < (ssize_t)sizeof *ack || ack->nlmsg_type != NLMSG_ERROR)
        return false;
    const struct nlmsgerr *err = mnl_nlmsg_get_payload(ack);
    errno = -err->error;
    return err->error == 0;
}

static bool queue_open(struct queue *q, const char *spec)
{
    char ns[64];
    unsigned num;
    long long us;
    if (sscanf(spec, "%63[^:]:%u:%lld", ns, &num, &us) != 3 || num > 65535 || us < 0)
        return false;
    q->num = (uint16_t)num;
    q->delay_ns = us * 1000;
    q->ring = base_calloc(1, sizeof *q->ring);
    q->fd = netns_socket(ns, AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK, NETLINK_NETFILTER);
    struct sockaddr_nl any = { .nl_family = AF_NETLINK };
    int size = 8 << 20, on = 1;
    if (q->fd < 0 || bind(q->fd, (struct sockaddr *)&any, sizeof any) != 0)
        return false;
    setsockopt(q->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
    setsockopt(q->fd, SOL_NETLINK, NETLINK_NO_ENOBUFS, &on, sizeof on);
    return configure(q);
}

static void verdict(struct queue *q, uint32_t id)
{
    char buf[128];
    struct nlmsghdr *h = message(buf, NFQNL_MSG_VERDICT_BATCH, q->num);
    struct nfqnl_msg_verdict_hdr v = { .verdict = htonl(NF_ACCEPT), .id = htonl(id) };
    mnl_attr_put(h, NFQA_VERDICT_HDR, sizeof v, &v);
    (void)talk(q->fd, h);
}

static void hold(struct queue *q, const struct nlmsghdr *h, int64_t now_ns)
{
    const struct nlattr *a;
    if ((h->nlmsg_type & 0xff) != NFQNL_MSG_PACKET || h->nlmsg_type >> 8 != NFNL_SUBSYS_QUEUE)
        return;
    mnl_attr_for_each(a, h, sizeof(struct nfgenmsg))
    {
        if (mnl_attr_get_type(a) != NFQA_PACKET_HDR)
            continue;
        const struct nfqnl_msg_packet_hdr *p = mnl_attr_get_payload(a);
        uint32_t id = ntohl(p->packet_id);
        q->held++;
        if (!delay_ring_push(q->ring, id, now_ns + q->delay_ns)) {
            q->overflow++;
            verdict(q, id);
        }
    }
}

static void drain_socket(struct queue *q)
{
    static char buf[65536] __attribute__((aligned(8)));
    for (int turns = 0; turns < 256; turns++) {
        ssize_t n = recv(q->fd, buf, sizeof buf, MSG_DONTWAIT);
        if (n <= 0)
            return;
        int len = (int)n;
        int64_t now = time_mono().ns;
        for (const struct nlmsghdr *h = (const struct nlmsghdr *)buf; mnl_nlmsg_ok(h, len);
             h = mnl_nlmsg_next(h, &len))
            hold(q, h, now);
    }
}

static void arm(int timer, int64_t due_ns)
{
    struct itimerspec t = { .it_value = { 0, 0 } };
    if (due_ns != INT64_MAX) {
        t.it_value.tv_sec = due_ns / 1000000000;
        t.it_value.tv_nsec = due_ns % 1000000000;
    }
    timerfd_settime(timer, TFD_TIMER_ABSTIME, &t, NULL);
}

static void loop(struct queue *queues, uint32_t count, int ep, int timer)
{
    struct epoll_event evs[QUEUES_MAX];
    int64_t armed = INT64_MAX;
    for (;;) {
        int n = epoll_wait(ep, evs, QUEUES_MAX, -1);
        if (n < 0 && errno != EINTR)
            return;
        for (int i = 0; i < n; i++) {
            uint32_t which = evs[i].data.u32;
            uint64_t ticks;
            if (which == QUEUES_MAX) {
                if (read(timer, &ticks, sizeof ticks) > 0)
                    armed = INT64_MAX;
            } else if (which > QUEUES_MAX) {
                return; /* the lab is gone, or closed our stdin */
            } else {
                drain_socket(&queues[which]);
            }
        }
        int64_t now = time_mono().ns + EARLY_NS, next = INT64_MAX;
        for (uint32_t i = 0; i < count; i++) {
            uint32_t id;
            if (delay_ring_take(queues[i].ring, now, &id))
                verdict(&queues[i], id);
            int64_t due = delay_ring_next(queues[i].ring);
            next = due < next ? due : next;
        }
        if (next < armed || (armed == INT64_MAX && next != INT64_MAX)) {
            arm(timer, next);
            armed = next;
        }
    }
}

int delay_main(int argc, char **argv)
{
    static struct queue queues[QUEUES_MAX];
    uint32_t count = 0;
    struct sched_param rt = { .sched_priority = 2 };
    prctl(PR_SET_NAME, "lab-delay");
    sched_setscheduler(0, SCHED_FIFO,
                       &rt); /* better when it may; the delay is only less exact if not */
    int ep = epoll_create1(EPOLL_CLOEXEC);
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    struct epoll_event ev = { .events = EPOLLIN, .data.u32 = QUEUES_MAX };
    epoll_ctl(ep, EPOLL_CTL_ADD, timer, &ev);
    ev.data.u32 = QUEUES_MAX + 1;
    epoll_ctl(ep, EPOLL_CTL_ADD, 0, &ev);
    for (int i = 1; i < argc && count < QUEUES_MAX; i++) {
        if (!queue_open(&queues[count], argv[i])) {
            fprintf(stderr, "perigee-lab: delay queue %s: %s\n", argv[i], strerror(errno));
            return 1;
        }
        ev.data.u32 = count;
        epoll_ctl(ep, EPOLL_CTL_ADD, queues[count++].fd, &ev);
    }
    if (write(1, "ready\n", 6) != 6)
        return 1;
    loop(queues, count, ep, timer);
    for (uint32_t i = 0; i < count; i++)
        fprintf(stderr, "queue=%u delay_us=%lld held=%llu overflow=%llu\n", queues[i].num,
                (long long)(queues[i].delay_ns / 1000), (unsigned long long)queues[i].held,
                (unsigned long long)queues[i].overflow);
    return 0;
}
