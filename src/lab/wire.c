/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lab/wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "dns/message.h"
#include "lab/proc.h"

#define EVENTS_MAX 65536
#define STARTS_MAX 4096
#define PROOFS_MAX 65536
#define PROOF_EVERY_NS                                                                             \
    50000000 /* one so often is enough, and the first after a start or a withdrawal */

struct tap {
    struct wire *wire;
    uint32_t node;
    bool loopback;
    int fd;
    FILE *pcap;
    struct bgpwatch watch;
};

struct proof {
    uint32_t node;
    int64_t at_ns;
};

struct wire {
    struct lab *lab;
    pthread_t thread;
    int wake[2];
    struct tap *taps;
    uint32_t tap_count;
    pthread_mutex_t lock; /* the rest: the thread writes, the others read */
    struct wire_event *events;
    uint32_t event_count;
    struct proof *proofs; /* thinned */
    int64_t proof_last[LAB_HOSTS_MAX];
    struct proof starts[STARTS_MAX]; /* of nodes, in order */
    uint32_t start_count;
    uint32_t proof_count;
    uint8_t announced[LAB_HOSTS_MAX];      /* bit 0: IPv4, bit 1: IPv6 */
    uint16_t connection[LAB_HOSTS_MAX][2]; /* over which they were announced */
};

/* IPv4 or IPv6 with this protocol, whole frames. */
static bool attach_filter(int fd, uint8_t proto)
{
    struct sock_filter code[9] = {
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x0800, 3, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x86dd, 0, 5),
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 20),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, proto, 2, 3),
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 23),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, proto, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 65535),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    struct sock_fprog prog = { .len = 9, .filter = code };
    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof prog) == 0;
}

static void on_event(void *arg, const struct bgpwatch_event *ev)
{
    struct tap *t = arg;
    struct wire *w = t->wire;
    pthread_mutex_lock(&w->lock);
    if (w->event_count < EVENTS_MAX)
        w->events[w->event_count++] = (struct wire_event){ .node = t->node, .ev = *ev };
    uint8_t bit = ev->family == 6 ? 2 : 1;
    if (ev->by_first && ev->kind == BGPWATCH_UPDATE) {
        if (ev->withdrawn > 0) {
            w->announced[t->node] &= (uint8_t)~bit;
            w->proof_last[t->node] = 0;
        }
        if (ev->announced > 0) {
            w->announced[t->node] |= bit;
            w->connection[t->node][bit - 1] = ev->connection;
        }
    }
    /* The end of a connection that lost a collision says nothing of the other (RFC 4271 section 6.8). */
    if ((ev->kind == BGPWATCH_NOTIFICATION || ev->kind == BGPWATCH_CLOSED) &&
        ev->connection == w->connection[t->node][bit - 1])
        w->announced[t->node] &= (uint8_t)~bit; /* one session a family, over its own family */
    pthread_mutex_unlock(&w->lock);
}

/* A DNS answer on the node's own loopback: what its health checks, or anybody there, got back. */
static void on_loopback(struct tap *t, const uint8_t *frame, size_t len, int64_t at_ns)
{
    struct wire *w = t->wire;
    const struct lab_topo *topo = w->lab->topo;
    struct rd r = rd_init(frame, len);
    rd_skip(&r, 12);
    bool v4 = rd_u16(&r) == 0x0800;
    rd_skip(&r, v4 ? 12 : 8);
    const uint8_t *src = rd_bytes(&r, v4 ? 4 : 16);
    rd_skip(&r, v4 ? 4 : 16);
    uint16_t sport = rd_u16(&r);
    rd_skip(&r, 6);
    if (r.bad || sport != 53)
        return;
    if (memcmp(src, v4 ? (const void *)&topo->service4 : (const void *)&topo->service6,
               v4 ? 4 : 16) != 0)
        return;
    rd_skip(&r, 2);
    uint16_t flags = rd_u16(&r);
    if (r.bad || !(flags & DNS_FLAG_QR) || !(flags & DNS_FLAG_AA) || DNS_FLAGS_RCODE(flags) != 0)
        return;
    pthread_mutex_lock(&w->lock);
    if (at_ns - w->proof_last[t->node] > PROOF_EVERY_NS && w->proof_count < PROOFS_MAX) {
        w->proof_last[t->node] = at_ns;
        w->proofs[w->proof_count++] = (struct proof){ .node = t->node, .at_ns = at_ns };
    }
    pthread_mutex_unlock(&w->lock);
}

static void read_tap(struct tap *t)
{
    static uint8_t buf[65536];
    char control[128];
    bool wrote = false;
    for (int turns = 0; turns < 64; turns++) {
        struct sockaddr_ll from;
        struct iovec iov = { .iov_base = buf, .iov_len = sizeof buf };
        struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_name = &from };
        m.msg_namelen = sizeof from;
        m.msg_control = control;
        m.msg_controllen = sizeof control;
        ssize_t n = recvmsg(t->fd, &m, MSG_DONTWAIT);
        if (n <= 0)
            break;
        struct timespec real, ts = { 0 };
        clock_gettime(CLOCK_REALTIME, &real);
        int64_t offset = (int64_t)real.tv_sec * 1000000000 + real.tv_nsec - time_mono().ns;
        for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c != NULL; c = CMSG_NXTHDR(&m, c))
            if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS)
                memcpy(&ts, CMSG_DATA(c), sizeof ts);
        int64_t wall = (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
        if (t->loopback && from.sll_pkttype == PACKET_OUTGOING)
            continue; /* each comes twice there */
        uint8_t head[PCAP_FRAME_LEN];
        pcap_frame(head, wall, (uint32_t)n, (uint32_t)n);
        if (t->pcap != NULL && !t->loopback) {
            fwrite(head, 1, sizeof head, t->pcap);
            fwrite(buf, 1, (size_t)n, t->pcap);
        }
        if (t->loopback)
            on_loopback(t, buf, (size_t)n, wall - offset);
        else
            bgpwatch_frame(&t->watch, buf, (size_t)n, wall - offset);
        wrote = true;
    }
    if (wrote && t->pcap != NULL)
        fflush(t->pcap); /* whole to the last frame, however this ends */
}

static void *wire_loop(void *arg)
{
    struct wire *w = arg;
    struct pollfd *p = base_calloc(w->tap_count + 1, sizeof *p);
    prctl(PR_SET_NAME, "lab-wire");
    for (uint32_t i = 0; i < w->tap_count; i++)
        p[i] = (struct pollfd){ .fd = w->taps[i].fd, .events = POLLIN };
    p[w->tap_count] = (struct pollfd){ .fd = w->wake[0], .events = POLLIN };
    while (poll(p, w->tap_count + 1, -1) >= 0 || errno == EINTR) {
        for (uint32_t i = 0; i < w->tap_count; i++)
            if (p[i].revents != 0)
                read_tap(&w->taps[i]);
        if (p[w->tap_count].revents != 0)
            break;
    }
    free(p);
    return NULL;
}

static bool open_tap(struct wire *w, struct tap *t, uint32_t node, bool loopback, struct err *e)
{
    char ns[64], path[400];
    struct lab *l = w->lab;
    struct lab_host *h = &l->topo->hosts[node];
    const struct lab_link *k = &l->topo->links[h->link];
    t->wire = w;
    t->node = node;
    t->loopback = loopback;
    lab_ns(l, loopback ? h : lab_topo_router(l->topo, h), ns);
    /* Protocol 0 until it is bound, so that nothing of another interface comes in. */
    t->fd = netns_socket(ns, AF_PACKET, SOCK_RAW, 0);
    if (t->fd < 0)
        return err_set_errno(e, NULL, "packet socket in %s", ns);
    struct ifreq ifr = { 0 };
    snprintf(ifr.ifr_name, sizeof ifr.ifr_name, "%s", loopback ? "lo" : h->name);
    int on = 1, size = 4 << 20;
    setsockopt(t->fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
    setsockopt(t->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
    if (!attach_filter(t->fd, loopback ? 17 : 6) || ioctl(t->fd, SIOCGIFINDEX, &ifr) != 0)
        return err_set_errno(e, NULL, "interface %s of %s", ifr.ifr_name, ns);
    struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
    at.sll_ifindex = ifr.ifr_ifindex;
    if (bind(t->fd, (struct sockaddr *)&at, sizeof at) != 0)
        return err_set_errno(e, NULL, "listening on %s of %s", ifr.ifr_name, ns);
    bgpwatch_init(&t->watch, (const uint8_t *)&k->b4, (const uint8_t *)&k->b6, on_event, t);
    if (loopback)
        return true;
    snprintf(path, sizeof path, "%s/wire/%s.pcap", l->dir, h->name);
    t->pcap = fopen(path, "we");
    if (t->pcap == NULL)
        return err_set_errno(e, NULL, "cannot write %s", path);
    uint8_t head[PCAP_HEADER_LEN];
    pcap_header(head);
    fwrite(head, 1, sizeof head, t->pcap);
    return true;
}

struct wire *wire_new(struct lab *l, struct err *e)
{
    struct wire *w = base_calloc(1, sizeof *w);
    w->lab = l;
    w->taps = base_calloc(2 * LAB_HOSTS_MAX, sizeof w->taps[0]);
    w->events = base_calloc(EVENTS_MAX, sizeof w->events[0]);
    w->proofs = base_calloc(PROOFS_MAX, sizeof w->proofs[0]);
    w->wake[0] = w->wake[1] = -1;
    pthread_mutex_init(&w->lock, NULL);
    bool ok = lab_mkdir(l, "wire", e);
    for (uint32_t i = 0; ok && i < l->topo->host_count; i++) {
        if (l->topo->hosts[i].kind != LAB_NODE)
            continue;
        ok = open_tap(w, &w->taps[w->tap_count++], i, false, e) &&
             open_tap(w, &w->taps[w->tap_count++], i, true, e);
    }
    if (ok && pipe2(w->wake, O_CLOEXEC) != 0)
        ok = err_set_errno(e, NULL, "pipe");
    if (ok && pthread_create(&w->thread, NULL, wire_loop, w) != 0)
        ok = err_set_errno(e, NULL, "wire thread");
    if (ok)
        return w;
    if (w->wake[1] >= 0)
        close(w->wake[1]);
    w->wake[1] = -1;
    wire_free(w);
    return NULL;
}

void wire_free(struct wire *w)
{
    if (w == NULL)
        return;
    if (w->wake[1] >= 0) {
        close(w->wake[1]);
        pthread_join(w->thread, NULL);
    }
    if (w->wake[0] >= 0)
        close(w->wake[0]);
    for (uint32_t i = 0; i < w->tap_count; i++) {
        if (w->taps[i].fd >= 0)
            close(w->taps[i].fd);
        if (w->taps[i].pcap != NULL)
            fclose(w->taps[i].pcap);
    }
    pthread_mutex_destroy(&w->lock);
    free(w->taps);
    free(w->events);
    free(w->proofs);
    free(w);
}

static void stretch(int64_t *first, int64_t *last, int64_t at)
{
    if (*first == 0)
        *first = at;
    *last = at;
}

void wire_sum(struct wire *w, const struct lab_host *h, int64_t from_ns, int64_t to_ns,
              struct wire_sum *out)
{
    *out = (struct wire_sum){ 0 };
    pthread_mutex_lock(&w->lock);
    for (uint32_t i = 0; i < w->event_count; i++) {
        const struct bgpwatch_event *ev = &w->events[i].ev;
        if (ev->at_ns < from_ns || ev->at_ns >= to_ns ||
            (h != NULL && &w->lab->topo->hosts[w->events[i].node] != h))
            continue;
        if (ev->kind != BGPWATCH_UPDATE && ev->kind != BGPWATCH_OPEN && out->first_close == 0)
            out->first_close = ev->at_ns;
        if (!ev->by_first || ev->kind != BGPWATCH_UPDATE ||
            (ev->announced == 0 && ev->withdrawn == 0))
            continue;
        out->updates++;
        out->announced += ev->announced;
        out->withdrawn += ev->withdrawn;
        if (ev->announced > 0)
            stretch(&out->first_announce, &out->last_announce, ev->at_ns);
        if (ev->withdrawn > 0)
            stretch(&out->first_withdraw, &out->last_withdraw, ev->at_ns);
        if (ev->path_len > out->path_len_max)
            out->path_len_max = ev->path_len;
        out->graceful_shutdown |= ev->graceful_shutdown;
    }
    pthread_mutex_unlock(&w->lock);
}

uint32_t wire_announced(struct wire *w, const struct lab_host *h)
{
    pthread_mutex_lock(&w->lock);
    uint8_t bits = w->announced[h - w->lab->topo->hosts];
    pthread_mutex_unlock(&w->lock);
    return (bits & 1u) + (bits >> 1 & 1u);
}

int64_t wire_first_proof(struct wire *w, const struct lab_host *h, int64_t from_ns)
{
    int64_t found = 0;
    pthread_mutex_lock(&w->lock);
    for (uint32_t i = 0; i < w->proof_count && found == 0; i++)
        if (&w->lab->topo->hosts[w->proofs[i].node] == h && w->proofs[i].at_ns >= from_ns)
            found = w->proofs[i].at_ns;
    pthread_mutex_unlock(&w->lock);
    return found;
}

void wire_started(struct wire *w, const struct lab_host *h, int64_t at_ns)
{
    uint32_t node = (uint32_t)(h - w->lab->topo->hosts);
    pthread_mutex_lock(&w->lock);
    if (w->start_count < STARTS_MAX)
        w->starts[w->start_count++] = (struct proof){ .node = node, .at_ns = at_ns };
    w->announced[node] = 0;
    w->proof_last[node] = 0; /* its first proof counts, however soon it comes */
    pthread_mutex_unlock(&w->lock);
}

/* The lock is held. */
static int64_t proof_in(const struct wire *w, uint32_t node, int64_t from_ns)
{
    for (uint32_t i = 0; i < w->proof_count; i++)
        if (w->proofs[i].node == node && w->proofs[i].at_ns >= from_ns)
            return w->proofs[i].at_ns;
    return INT64_MAX;
}

static int64_t last_start(const struct wire *w, uint32_t node, int64_t before_ns)
{
    int64_t at = 0;
    for (uint32_t i = 0; i < w->start_count; i++)
        if (w->starts[i].node == node && w->starts[i].at_ns <= before_ns)
            at = w->starts[i].at_ns;
    return at;
}

uint32_t wire_unproven(struct wire *w, const struct lab_host *h, int64_t *worst_ns)
{
    uint32_t node = (uint32_t)(h - w->lab->topo->hosts), bad = 0;
    int64_t since[2] = { 0, 0 }; /* when the family was withdrawn */
    bool out[2] = { false, false };
    *worst_ns = 0;
    pthread_mutex_lock(&w->lock);
    for (uint32_t i = 0; i < w->event_count; i++) {
        const struct bgpwatch_event *ev = &w->events[i].ev;
        if (w->events[i].node != node || !ev->by_first || ev->kind != BGPWATCH_UPDATE ||
            ev->family == 0)
            continue;
        int v6 = ev->family == 6;
        int64_t start = last_start(w, node, ev->at_ns);
        if (start > since[v6]) {
            since[v6] = start;
            out[v6] = false;
        }
        if (ev->withdrawn > 0) {
            since[v6] = ev->at_ns;
            out[v6] = false;
        }
        if (ev->announced == 0 || out[v6])
            continue;
        out[v6] = true;
        int64_t proof = proof_in(w, node, since[v6]);
        if (proof <= ev->at_ns)
            continue;
        bad++;
        int64_t late = proof == INT64_MAX ? INT64_MAX : proof - ev->at_ns;
        *worst_ns = late > *worst_ns ? late : *worst_ns;
    }
    pthread_mutex_unlock(&w->lock);
    return bad;
}

uint32_t wire_events(struct wire *w, int64_t from_ns, int64_t to_ns, struct wire_event *out,
                     uint32_t cap)
{
    uint32_t n = 0;
    pthread_mutex_lock(&w->lock);
    for (uint32_t i = 0; i < w->event_count && n < cap; i++)
        if (w->events[i].ev.at_ns >= from_ns && w->events[i].ev.at_ns < to_ns)
            out[n++] = w->events[i];
    pthread_mutex_unlock(&w->lock);
    return n;
}
