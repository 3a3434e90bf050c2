/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lab/traffic.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "dns/message.h"
#include "lab/proc.h"

#define LABEL_LEN 11  /* q, 2 hex digits of the flow, 8 of the number */
#define QUERY_MAX 160 /* bytes */
#define BURST 64      /* queries sent in a row before answers are looked at */
#define SPIN_NS 40000 /* nearer than this is waited for without sleeping */

struct flow {
    _Atomic int state; /* 0 free, 1 sending, 2 stopped (still reads), 3 to be closed, 4 setting up;
                          the main thread sets 1, 2, 3; the thread that owns the flow sets 0 */
    struct traffic_options o;
    struct dns_name zone;
    char *zone_text;
    int fd4[TRAFFIC_PORTS], fd6[TRAFFIC_PORTS];
    uint8_t query[QUERY_MAX];
    size_t query_len;
    struct fate *fates; /* mapped; written by the traffic thread */
    uint32_t cap;
    _Atomic uint32_t count; /* fates that may be read (release) */
    _Atomic uint64_t sent;
    int64_t begin_ns;
    uint64_t next; /* queries that are due so far were sent */
    int64_t flood_next_ns;
    uint64_t random; /* of a flood */
    int idx;
};

struct traffic {
    struct flow flow[TRAFFIC_FLOWS_MAX];
    pthread_t asker, flooder;
    bool threads;
    int ep;
    _Atomic int64_t stall_ns;
    _Atomic bool stop;
};

static int64_t due_ns(const struct flow *f)
{
    return f->begin_ns + (int64_t)(f->next * 1000000000ull / f->o.qps);
}

static void make_query(struct flow *f)
{
    char text[DNS_TEXT_MAX];
    struct dns_name name;
    snprintf(text, sizeof text, "q%02x%08x.%s", (unsigned)f->idx, 0u, f->o.zone);
    f->query_len = 0;
    if (!dns_name_from_text(&name, text))
        return;
    struct dns_ask ask = { .qname = &name, .qtype = 1, .qclass = 1, .edns = true, .nsid = true };
    ask.udp_payload = 1232;
    f->query_len = dns_ask_write(&ask, f->query, sizeof f->query);
}

/* The number goes into the name, and its low bits into the id. */
static void number_query(uint8_t *q, uint64_t n)
{
    static const char hex[] = "0123456789abcdef";
    q[0] = (uint8_t)(n >> 8);
    q[1] = (uint8_t)n;
    for (int i = 0; i < 8; i++)
        q[DNS_HEADER_LEN + 4 + i] = (uint8_t)hex[n >> (28 - 4 * i) & 15];
}

static socklen_t target_address(const struct flow *f, uint64_t n, bool v6,
                                struct sockaddr_storage *out)
{
    const struct traffic_target *to = &f->o.to[n / 2 % f->o.target_count];
    memset(out, 0, sizeof *out);
    if (v6) {
        struct sockaddr_in6 *a = (struct sockaddr_in6 *)out;
        *a = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons(53) };
        a->sin6_addr = to->v6;
        return sizeof *a;
    }
    struct sockaddr_in *a = (struct sockaddr_in *)out;
    *a = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(53), .sin_addr = to->v4 };
    return sizeof *a;
}

static bool is_v6(const struct flow *f, uint64_t n)
{
    return f->o.family == 0 ? n & 1 : f->o.family == 6;
}

static void send_one(struct flow *f)
{
    struct sockaddr_storage to;
    uint64_t n = f->next++;
    bool v6 = is_v6(f, n);
    int fd = (v6 ? f->fd6 : f->fd4)[n / 2 % TRAFFIC_PORTS];
    socklen_t len = target_address(f, n, v6, &to);
    number_query(f->query, n);
    struct fate *q = &f->fates[n];
    q->family = v6 ? 6 : 4;
    q->target = (uint8_t)(n / 2 % f->o.target_count);
    q->sent_ns = time_mono().ns;
    /* Counted first: the answer may be here before sendto() returns. */
    atomic_store_explicit(&f->count, (uint32_t)n + 1, memory_order_release);
    if (sendto(fd, f->query, f->query_len, MSG_DONTWAIT, (struct sockaddr *)&to, len) < 0 &&
        sendto(fd, f->query, f->query_len, MSG_DONTWAIT, (struct sockaddr *)&to, len) < 0)
        atomic_store_explicit(&q->outcome, fate_pack(FATE_UNSENT, 0, FATE_SERVER_NONE, 0),
                              memory_order_release);
    atomic_fetch_add_explicit(&f->sent, 1, memory_order_relaxed);
}

static uint8_t server_of(const struct flow *f, const uint8_t *nsid, uint16_t len)
{
    for (uint32_t i = 0; nsid != NULL && i < f->o.server_count; i++)
        if (strlen(f->o.servers[i]) == len && memcmp(f->o.servers[i], nsid, len) == 0)
            return (uint8_t)i;
    return FATE_SERVER_NONE;
}

/* The number in "q<flow><number>"; false when the name is none of ours. */
static bool number_of(const struct flow *f, const struct dns_name *name, uint64_t *n)
{
    char hex[9] = "", label[LABEL_LEN + 1] = "", want[8], *end;
    if (name->labels == 0 || name->wire[0] != LABEL_LEN)
        return false;
    memcpy(label, name->wire + 1, LABEL_LEN);
    snprintf(want, sizeof want, "q%02x", (unsigned)f->idx);
    memcpy(hex, label + 3, 8);
    *n = strtoull(hex, &end, 16);
    return strncmp(label, want, 3) == 0 && *end == '\0';
}

static bool same_source(const struct flow *f, uint64_t n, bool v6,
                        const struct sockaddr_storage *from)
{
    struct sockaddr_storage to;
    target_address(f, n, v6, &to);
    if (v6)
        return memcmp(&((const struct sockaddr_in6 *)from)->sin6_addr,
                      &((struct sockaddr_in6 *)&to)->sin6_addr, 16) == 0;
    return ((const struct sockaddr_in *)from)->sin_addr.s_addr ==
           ((struct sockaddr_in *)&to)->sin_addr.s_addr;
}

static void take_answer(struct flow *f, bool v6, const uint8_t *msg, size_t len, int64_t at_ns,
                        const struct sockaddr_storage *from)
{
    struct dns_reader d;
    struct dns_rr rr;
    uint64_t n;
    if (!dns_reader_open(&d, msg, len) || !(d.flags & DNS_FLAG_QR) || !d.question ||
        !number_of(f, &d.qname, &n) || n >= f->next || d.id != (uint16_t)n)
        return;
    struct fate *q = &f->fates[n];
    if (fate_state_of(atomic_load_explicit(&q->outcome, memory_order_relaxed)) != FATE_OPEN)
        return; /* a second answer changes nothing */
    uint16_t nsid_len = 0, rcode = DNS_FLAGS_RCODE(d.flags);
    const uint8_t *nsid = NULL;
    bool right = rcode == 0 && (d.flags & DNS_FLAG_AA) && q->family == (v6 ? 6 : 4) &&
                 same_source(f, n, v6, from) && d.count[DNS_ANSWER] == 1;
    enum dns_reader_got got;
    while ((got = dns_reader_next(&d, &rr)) == DNS_READER_RR) {
        if (rr.section == DNS_ANSWER)
            right = right && rr.type == 1 && dns_name_equal(&rr.owner, &d.qname) &&
                    rd_left(&rr.rdata) == 4 && memcmp(rr.rdata.pos, &f->o.expect, 4) == 0;
        if (rr.type == 41)
            nsid = dns_opt_find(&rr, DNS_EDNS_NSID, &nsid_len);
    }
    uint8_t server = server_of(f, nsid, nsid_len);
    right = right && got == DNS_READER_END && server != FATE_SERVER_NONE;
    int64_t rtt_us = (at_ns - q->sent_ns) / 1000;
    atomic_store_explicit(&q->outcome,
                          fate_pack(right ? FATE_RIGHT : FATE_WRONG,
                                    rtt_us > 0 ? (uint32_t)rtt_us : 1, server, (uint8_t)rcode),
                          memory_order_release);
}

/* CLOCK_REALTIME minus CLOCK_MONOTONIC: the kernel stamps packets with the former. */
static int64_t clock_offset_ns(void)
{
    struct timespec r;
    int64_t before = time_mono().ns;
    clock_gettime(CLOCK_REALTIME, &r);
    int64_t after = time_mono().ns;
    return (int64_t)r.tv_sec * 1000000000 + r.tv_nsec - (before + after) / 2;
}

static int64_t stamp_ns(struct msghdr *m, int64_t offset)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c))
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
            struct timespec ts;
            memcpy(&ts, CMSG_DATA(c), sizeof ts);
            return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec - offset;
        }
    return time_mono().ns;
}

static void read_answers(struct flow *f, int fd, bool v6)
{
    enum { BATCH = 32 };
    static uint8_t buf[BATCH][1500];
    static char control[BATCH][128];
    struct sockaddr_storage from[BATCH];
    struct iovec iov[BATCH];
    struct mmsghdr m[BATCH];
    for (int i = 0; i < BATCH; i++) {
        iov[i] = (struct iovec){ .iov_base = buf[i], .iov_len = sizeof buf[i] };
        m[i].msg_hdr = (struct msghdr){ .msg_iov = &iov[i], .msg_iovlen = 1, .msg_name = &from[i] };
        m[i].msg_hdr.msg_namelen = sizeof from[i];
        m[i].msg_hdr.msg_control = control[i];
        m[i].msg_hdr.msg_controllen = sizeof control[i];
    }
    int n = recvmmsg(fd, m, BATCH, MSG_DONTWAIT, NULL);
    int64_t offset = n > 0 ? clock_offset_ns() : 0;
    for (int i = 0; i < n; i++)
        take_answer(f, v6, buf[i], m[i].msg_len, stamp_ns(&m[i].msg_hdr, offset), &from[i]);
}

static void close_flow(struct flow *f)
{
    for (int i = 0; i < TRAFFIC_PORTS; i++) {
        if (f->fd4[i] >= 0)
            close(f->fd4[i]);
        if (f->fd6[i] >= 0)
            close(f->fd6[i]);
    }
    if (f->fates != NULL)
        munmap(f->fates, (size_t)f->cap * sizeof f->fates[0]);
    free(f->zone_text);
    f->fates = NULL;
    f->zone_text = NULL;
    atomic_store_explicit(&f->state, 0, memory_order_release);
}

/* Sends what is due; returns when the next is due. */
static int64_t send_due(struct flow *f, int64_t now)
{
    for (int i = 0; i < BURST; i++) {
        if (f->next >= f->cap)
            return INT64_MAX;
        if (due_ns(f) > now)
            break;
        send_one(f);
    }
    return due_ns(f);
}

static void *ask_loop(void *arg)
{
    struct traffic *t = arg;
    struct epoll_event evs[64];
    prctl(PR_SET_NAME, "lab-clients");
    prctl(PR_SET_TIMERSLACK, 1ul);
    while (!atomic_load_explicit(&t->stop, memory_order_acquire)) {
        int64_t now = time_mono().ns, next = now + 20000000;
        for (int i = 0; i < TRAFFIC_FLOWS_MAX; i++) {
            struct flow *f = &t->flow[i];
            int state = atomic_load_explicit(&f->state, memory_order_acquire);
            if (state == 0 || state == 4 || f->o.flood)
                continue;
            if (state == 3) {
                close_flow(f);
                continue;
            }
            if (state == 1 && f->next < f->cap && now - due_ns(f) > atomic_load(&t->stall_ns))
                atomic_store(&t->stall_ns, now - due_ns(f));
            int64_t due = state == 1 ? send_due(f, now) : INT64_MAX;
            next = due < next ? due : next;
        }
        int64_t wait = next - time_mono().ns;
        struct timespec ts = { .tv_nsec = wait > SPIN_NS ? wait - SPIN_NS / 2 : 0 };
        int n = epoll_pwait2(t->ep, evs, 64, &ts, NULL);
        for (int i = 0; i < n; i++) {
            struct flow *f = &t->flow[evs[i].data.u64 >> 8];
            bool v6 = evs[i].data.u64 & 0x80;
            read_answers(f, (v6 ? f->fd6 : f->fd4)[evs[i].data.u64 & 0x7f], v6);
        }
    }
    return NULL;
}

/* Bots do not march in step: exponential gaps, so that the flood's packets find no better or worse
 * places in a router's queue than a good query does. xorshift64 with a fixed seed: any run is alike. */
static int64_t random_gap_ns(struct flow *f)
{
    f->random ^= f->random << 13;
    f->random ^= f->random >> 7;
    f->random ^= f->random << 17;
    double u = (double)(f->random >> 11) / 9007199254740992.0;
    return (int64_t)(-log1p(-u) * 1e9 / f->o.qps);
}

/* All that are due; what is more than 100 ms behind is given up. */
static int64_t flood_due(struct flow *f, int64_t now)
{
    if (f->flood_next_ns < now - 100000000)
        f->flood_next_ns = now;
    while (f->flood_next_ns <= now) {
        struct sockaddr_storage to;
        uint64_t n = f->next++;
        bool v6 = is_v6(f, n);
        socklen_t len = target_address(f, n, v6, &to);
        number_query(f->query, n);
        if (sendto((v6 ? f->fd6 : f->fd4)[n / 2 % TRAFFIC_PORTS], f->query, f->query_len,
                   MSG_DONTWAIT, (struct sockaddr *)&to, len) > 0)
            atomic_fetch_add_explicit(&f->sent, 1, memory_order_relaxed);
        f->flood_next_ns += random_gap_ns(f);
    }
    return f->flood_next_ns;
}

static void *flood_loop(void *arg)
{
    struct traffic *t = arg;
    prctl(PR_SET_NAME, "lab-bots");
    prctl(PR_SET_TIMERSLACK, 1ul);
    while (!atomic_load_explicit(&t->stop, memory_order_acquire)) {
        int64_t now = time_mono().ns, next = now + 10000000;
        for (int i = 0; i < TRAFFIC_FLOWS_MAX; i++) {
            struct flow *f = &t->flow[i];
            int state = atomic_load_explicit(&f->state, memory_order_acquire);
            if (state == 0 || state == 4 || !f->o.flood)
                continue;
            if (state == 3) {
                close_flow(f);
                continue;
            }
            int64_t due = state == 1 ? flood_due(f, now) : INT64_MAX;
            next = due < next ? due : next;
        }
        int64_t wait = next - time_mono().ns;
        struct timespec ts = { .tv_nsec = wait > 0 ? wait : 0 };
        nanosleep(&ts, NULL);
    }
    return NULL;
}

struct traffic *traffic_new(struct err *e)
{
    struct traffic *t = base_calloc(1, sizeof *t);
    t->ep = epoll_create1(EPOLL_CLOEXEC);
    if (t->ep < 0 || pthread_create(&t->asker, NULL, ask_loop, t) != 0) {
        err_set_errno(e, NULL, "traffic thread");
        free(t);
        return NULL;
    }
    if (pthread_create(&t->flooder, NULL, flood_loop, t) != 0)
        abort();
    t->threads = true;
    return t;
}

void traffic_free(struct traffic *t)
{
    if (t == NULL)
        return;
    atomic_store_explicit(&t->stop, true, memory_order_release);
    pthread_join(t->asker, NULL);
    pthread_join(t->flooder, NULL);
    for (int i = 0; i < TRAFFIC_FLOWS_MAX; i++)
        if (atomic_load(&t->flow[i].state) != 0)
            close_flow(&t->flow[i]);
    close(t->ep);
    free(t);
}

static int open_port(struct traffic *t, struct flow *f, int port, bool v6, struct err *e)
{
    int on = 1, size = f->o.flood ? 4096 : 1 << 20;
    int fd = netns_socket(f->o.netns, v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        err_set_errno(e, NULL, "socket in %s", f->o.netns);
        return -1;
    }
    setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    struct epoll_event ev = { .events = EPOLLIN };
    ev.data.u64 = (uint64_t)f->idx << 8 | (v6 ? 0x80u : 0) | (unsigned)port;
    if (!f->o.flood && epoll_ctl(t->ep, EPOLL_CTL_ADD, fd, &ev) != 0)
        err_set_errno(e, NULL, "epoll");
    return fd;
}

int traffic_start(struct traffic *t, const struct traffic_options *o, struct err *e)
{
    struct flow *f = NULL;
    for (int i = 0; i < TRAFFIC_FLOWS_MAX && f == NULL; i++)
        if (atomic_load_explicit(&t->flow[i].state, memory_order_acquire) == 0)
            f = &t->flow[i];
    if (f == NULL) {
        err_set(e, ERR_LIMIT, NULL, "more than %d flows", TRAFFIC_FLOWS_MAX);
        return -1;
    }
    memset(f, 0, sizeof *f);
    atomic_store(&f->state, 4);
    f->idx = (int)(f - t->flow);
    f->o = *o;
    f->zone_text = base_strdup(o->zone);
    f->o.zone = f->zone_text;
    make_query(f);
    f->cap = o->flood ? UINT32_MAX : o->qps * o->seconds_max;
    bool ok = f->query_len > 0 && o->qps > 0 && o->target_count > 0;
    for (int i = 0; i < TRAFFIC_PORTS; i++) {
        f->fd4[i] = ok ? open_port(t, f, i, false, e) : -1;
        f->fd6[i] = ok ? open_port(t, f, i, true, e) : -1;
        ok = ok && f->fd4[i] >= 0 && f->fd6[i] >= 0;
    }
    if (ok && !o->flood) {
        void *p = mmap(NULL, (size_t)f->cap * sizeof f->fates[0], PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        ok = p != MAP_FAILED;
        f->fates = ok ? p : NULL;
    }
    if (!ok) {
        close_flow(f);
        if (e->what[0] == '\0')
            err_set(e, ERR_INPUT, NULL, "no flow for the zone %s", o->zone);
        return -1;
    }
    f->begin_ns = f->flood_next_ns = time_mono().ns + 1000000;
    f->random = 0x9e3779b97f4a7c15u + (uint64_t)f->idx;
    atomic_store_explicit(&f->state, 1, memory_order_release);
    return f->idx;
}

void traffic_stop(struct traffic *t, int flow)
{
    if (flow >= 0 && atomic_load(&t->flow[flow].state) == 1)
        atomic_store_explicit(&t->flow[flow].state, 2, memory_order_release);
}

void traffic_end(struct traffic *t, int flow)
{
    if (flow < 0 || atomic_load(&t->flow[flow].state) == 0)
        return;
    atomic_store_explicit(&t->flow[flow].state, 3, memory_order_release);
    while (atomic_load_explicit(&t->flow[flow].state, memory_order_acquire) == 3)
        sleep_ms(1);
}

const struct fate *traffic_fates(struct traffic *t, int flow, uint32_t *count)
{
    *count = atomic_load_explicit(&t->flow[flow].count, memory_order_acquire);
    return t->flow[flow].fates;
}

int64_t traffic_stall_us(struct traffic *t)
{
    return atomic_exchange(&t->stall_ns, 0) / 1000;
}

uint64_t traffic_sent(struct traffic *t, int flow)
{
    return atomic_load_explicit(&t->flow[flow].sent, memory_order_relaxed);
}
