/* SPDX-License-Identifier: GPL-3.0-or-later */

/* A paced client: sends DNS queries at an even rate and says what came back, one line of JSON.
 *     paced ADDR@PORT RATE SECONDS [--name NAME] [--type N] [--sockets N] [--wait MS] [--nsid]
 * RATE is in queries a second. It uses N source ports in turn (8), so that every worker of a server
 * gets its share. SIGTERM or SIGINT ends the sending early. Prints "started" when it begins, and at
 * the end, MS (1000) after the last query:
 *   sent, received, lost
 *   wrong     answers with another RCODE than NOERROR, not counted as lost
 *   refused   "port unreachable" that came back (ICMP)
 *   max_ms    the slowest answer; p99_ms
 *   gap_ms    the longest time between two answers
 *   late_ms   by how much the client itself was late at worst: the machine was busy
 *   lost_from_ms, lost_to_ms   when the first and the last lost query were sent, after the start
 *   nsid      with --nsid: answers by NSID, and when the first and last of each came */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/mem.h"
#include "base/time.h"
#include "dns/message.h"

#define SOCKETS_MAX 64
#define NSIDS_MAX 32
#define BURST 64

struct sent {
    int64_t at_ns;
    int64_t rtt_ns; /* -1: no answer yet */
};

struct nsid {
    char text[64];
    uint64_t count;
    int64_t first_ns, last_ns;
};

struct paced {
    union addr to;
    double rate, seconds;
    const char *name;
    uint16_t type;
    uint32_t sockets;
    int64_t wait_ms;
    bool want_nsid;

    int fd[SOCKETS_MAX];
    uint8_t query[512];
    size_t query_len;
    struct sent *sent;
    uint64_t count, cap;
    uint64_t received, wrong, refused;
    int64_t start_ns, last_answer_ns, gap_ns, late_ns;
    struct nsid nsid[NSIDS_MAX];
};

static int64_t now_ns(void)
{
    return time_mono().ns;
}

static void die(const char *what)
{
    fprintf(stderr, "paced: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void parse(struct paced *p, int argc, char **argv)
{
    *p = (struct paced){ .name = "www.example.com", .type = 1, .sockets = 8, .wait_ms = 1000 };
    if (argc < 4 || !addr_parse(&p->to, argv[1], 53) || (p->rate = atof(argv[2])) <= 0 ||
        (p->seconds = atof(argv[3])) <= 0) {
        fputs("usage: paced ADDR@PORT RATE SECONDS [--name NAME] [--type N] [--sockets N] "
              "[--wait MS] [--nsid]\n",
              stderr);
        exit(2);
    }
    for (int i = 4; i < argc; i++) {
        if (strcmp(argv[i], "--nsid") == 0)
            p->want_nsid = true;
        else if (i + 1 == argc)
            exit(2);
        else if (strcmp(argv[i], "--name") == 0)
            p->name = argv[++i];
        else if (strcmp(argv[i], "--type") == 0)
            p->type = (uint16_t)atoi(argv[++i]);
        else if (strcmp(argv[i], "--sockets") == 0)
            p->sockets = (uint32_t)atoi(argv[++i]);
        else if (strcmp(argv[i], "--wait") == 0)
            p->wait_ms = atoi(argv[++i]);
        else
            exit(2);
    }
    if (p->sockets == 0 || p->sockets > SOCKETS_MAX)
        p->sockets = 8;
}

static void open_sockets(struct paced *p)
{
    struct dns_name name;
    const int size = 4 << 20;
    if (!dns_name_from_text(&name, p->name)) {
        fprintf(stderr, "paced: no name: %s\n", p->name);
        exit(2);
    }
    const struct dns_ask ask = { .qname = &name,
                                 .qtype = p->type,
                                 .qclass = 1,
                                 .edns = true,
                                 .nsid = p->want_nsid,
                                 .udp_payload = 1232 };
    p->query_len = dns_ask_write(&ask, p->query, sizeof p->query);
    for (uint32_t i = 0; i < p->sockets; i++) {
        p->fd[i] = socket(p->to.sa.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (p->fd[i] < 0)
            die("socket");
        setsockopt(p->fd[i], SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
        if (connect(p->fd[i], &p->to.sa, addr_len(&p->to)) != 0)
            die("connect");
    }
    p->cap = (uint64_t)(p->rate * p->seconds) + 2;
    p->sent = base_calloc(p->cap, sizeof *p->sent);
}

/* Query number n leaves from socket n modulo sockets, and has the quotient as its id. */
static void send_one(struct paced *p)
{
    const uint64_t n = p->count++;
    const uint16_t id = (uint16_t)(n / p->sockets);
    p->query[0] = (uint8_t)(id >> 8);
    p->query[1] = (uint8_t)id;
    p->sent[n] = (struct sent){ .at_ns = now_ns(), .rtt_ns = -1 };
    for (int tries = 0; tries < 3; tries++) {
        if (send(p->fd[n % p->sockets], p->query, p->query_len, 0) >= 0)
            return;
        if (errno != ECONNREFUSED) /* that is about an earlier one; this one was not sent */
            return;
        p->refused++;
    }
}

static void note_nsid(struct paced *p, const uint8_t *msg, size_t len, int64_t now)
{
    struct dns_reader d;
    struct dns_rr rr;
    char text[sizeof p->nsid[0].text] = "";
    if (!dns_reader_open(&d, msg, len))
        return;
    while (dns_reader_next(&d, &rr) == DNS_READER_RR) {
        uint16_t n = 0;
        const uint8_t *id = rr.type == DNS_TYPE_OPT ? dns_opt_find(&rr, DNS_EDNS_NSID, &n) : NULL;
        for (uint16_t i = 0; id != NULL && i < n && i + 1u < sizeof text; i++)
            text[i] =
                id[i] > ' ' && id[i] < 127 && id[i] != '"' && id[i] != '\\' ? (char)id[i] : '?';
    }
    for (uint32_t i = 0; i < NSIDS_MAX; i++) {
        struct nsid *s = &p->nsid[i];
        if (s->count == 0) {
            snprintf(s->text, sizeof s->text, "%s", text);
            s->first_ns = now;
        }
        if (strcmp(s->text, text) == 0) {
            s->count++;
            s->last_ns = now;
            return;
        }
    }
}

static void on_answer(struct paced *p, uint32_t socket, const uint8_t *msg, size_t len, int64_t now)
{
    if (len < 12 || p->count <= socket)
        return;
    const uint64_t id = (uint64_t)(msg[0] << 8 | msg[1]);
    /* The latest query of this socket with that id. */
    const uint64_t last = (p->count - 1 - socket) / p->sockets;
    if (id > last)
        return;
    const uint64_t n = (last - ((last - id) & 0xffff)) * p->sockets + socket;
    if (p->sent[n].rtt_ns >= 0)
        return; /* twice */
    p->sent[n].rtt_ns = now - p->sent[n].at_ns;
    p->received++;
    p->wrong += (msg[3] & 15) != 0;
    if (p->last_answer_ns != 0 && now - p->last_answer_ns > p->gap_ns)
        p->gap_ns = now - p->last_answer_ns;
    p->last_answer_ns = now;
    if (p->want_nsid)
        note_nsid(p, msg, len, now);
}

static void receive(struct paced *p, uint32_t socket)
{
    uint8_t buf[4096];
    for (;;) {
        ssize_t n = recv(p->fd[socket], buf, sizeof buf, 0);
        if (n >= 0)
            on_answer(p, socket, buf, (size_t)n, now_ns());
        else if (errno == ECONNREFUSED)
            p->refused++;
        else
            return;
    }
}

static void run(struct paced *p, int signals)
{
    struct pollfd fds[SOCKETS_MAX + 1];
    const double step_ns = 1e9 / p->rate;
    int64_t end = 0;
    bool sending = true;
    p->start_ns = now_ns();
    for (uint32_t i = 0; i < p->sockets; i++)
        fds[i] = (struct pollfd){ .fd = p->fd[i], .events = POLLIN };
    fds[p->sockets] = (struct pollfd){ .fd = signals, .events = POLLIN };
    while (sending || (now_ns() < end && p->received < p->count)) {
        int64_t now = now_ns(), next = p->start_ns + (int64_t)(step_ns * (double)p->count);
        if (sending && now - next > p->late_ns)
            p->late_ns = now - next;
        for (int i = 0; sending && next <= now && p->count < p->cap && i < BURST; i++) {
            send_one(p);
            next = p->start_ns + (int64_t)(step_ns * (double)p->count);
        }
        if (sending && (double)(now - p->start_ns) >= p->seconds * 1e9) {
            sending = false;
            end = now + p->wait_ms * 1000000;
        }
        int64_t wait = (sending ? next : end) - now_ns();
        struct timespec ts = { .tv_sec = wait > 0 ? wait / 1000000000 : 0,
                               .tv_nsec = wait > 0 ? wait % 1000000000 : 0 };
        ppoll(fds, p->sockets + 1, &ts, NULL);
        for (uint32_t i = 0; i < p->sockets; i++)
            if (fds[i].revents != 0)
                receive(p, i);
        if (fds[p->sockets].revents != 0 && sending) {
            sending = false;
            fds[p->sockets].fd = -1;
            end = now_ns() + p->wait_ms * 1000000;
        }
    }
}

static int by_size(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static double ms(int64_t ns)
{
    return (double)ns / 1e6;
}

static void print(const struct paced *p)
{
    int64_t *rtt = base_calloc(p->received + 1, sizeof *rtt);
    uint64_t n = 0, first = p->count, last = 0;
    for (uint64_t i = 0; i < p->count; i++) {
        if (p->sent[i].rtt_ns >= 0) {
            rtt[n++] = p->sent[i].rtt_ns;
            continue;
        }
        last = i;
        if (first == p->count)
            first = i;
    }
    qsort(rtt, n, sizeof *rtt, by_size);
    printf("{\"sent\": %lu, \"received\": %lu, \"lost\": %lu, \"wrong\": %lu, \"refused\": %lu, ",
           p->count, p->received, p->count - p->received, p->wrong, p->refused);
    printf("\"max_ms\": %.2f, \"p99_ms\": %.2f, \"gap_ms\": %.2f, \"late_ms\": %.2f, ",
           ms(n ? rtt[n - 1] : 0), ms(n ? rtt[n * 99 / 100] : 0), ms(p->gap_ns), ms(p->late_ns));
    const bool lost = first != p->count;
    printf("\"lost_from_ms\": %.1f, \"lost_to_ms\": %.1f",
           lost ? ms(p->sent[first].at_ns - p->start_ns) : 0,
           lost ? ms(p->sent[last].at_ns - p->start_ns) : 0);
    if (p->want_nsid) {
        printf(", \"nsid\": {");
        for (uint32_t i = 0; i < NSIDS_MAX && p->nsid[i].count != 0; i++)
            printf("%s\"%s\": {\"count\": %lu, \"first_ms\": %.1f, \"last_ms\": %.1f}",
                   i ? ", " : "", p->nsid[i].text, p->nsid[i].count,
                   ms(p->nsid[i].first_ns - p->start_ns), ms(p->nsid[i].last_ns - p->start_ns));
        printf("}");
    }
    printf("}\n");
    free(rtt);
}

int main(int argc, char **argv)
{
    struct paced p;
    sigset_t set;
    parse(&p, argc, argv);
    open_sockets(&p);
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    int signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    puts("started");
    fflush(stdout);
    run(&p, signals);
    print(&p);
    return 0;
}
