/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The probe against a server that misbehaves in every way, on loopback. Server and probe share one
 * loop: the server's sockets are polled, and what it does is a row of the table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/wr.h"
#include "probe/probe.h"

#define TIMEOUT_MS 150

enum trick {
    HONEST,
    SILENT,
    LATE, /* UDP: the right answer, after the time is up */
    OTHER_ID,
    OTHER_NAME,
    GARBAGE,       /* three datagrams that are nothing, then the answer */
    OTHER_ADDRESS, /* UDP: from 127.0.0.2 */
    TWICE,
    ONLY_HEADER,
    HUGE,        /* as long as a message may be */
    SHUT,        /* TCP: closed after the query */
    SHUT_HALF,   /* TCP: half of the answer, then closed */
    BY_BYTES,    /* TCP: one byte at a time */
    EMPTY_FRAME, /* TCP: length 0 */
};

struct server {
    uv_loop_t loop;
    int udp, udp_other, tcp, conn;
    union addr addr;
    uv_poll_t udp_poll, tcp_poll;
    uv_poll_t *conn_poll; /* on the heap: libuv closes it in its own time */
    bool conn_open;
    enum trick trick;
    uv_timer_t late; /* sends what LATE has kept */
    uint8_t kept[512];
    size_t kept_len;
    union addr kept_for;
    uint32_t late_sent;
};

static struct server *s;
static struct probe_client *client;
static uint32_t ended;
static struct probe_answer last;
static uint8_t last_msg[65536];

static int bound(int type, const char *addr, uint16_t port)
{
    union addr a;
    assert_true(addr_parse(&a, addr, port));
    if (port == 1)
        a.in.sin_port = 0;
    int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, &a.sa, addr_len(&a)), 0);
    return fd;
}

/* Turns a query into its answer; returns the length. */
static size_t reply(uint8_t *msg, size_t len)
{
    msg[2] |= 0x84;
    switch (s->trick) {
    case OTHER_ID:
        msg[0] ^= 1;
        break;
    case OTHER_NAME:
        msg[13] ^= 1;
        break;
    case ONLY_HEADER:
        return 12;
    case HUGE:
        memset(msg + len, 0, 65000 - len);
        return 65000;
    default:
        break;
    }
    return len;
}

static void on_late(uv_timer_t *timer)
{
    (void)timer;
    s->late_sent++;
    sendto(s->udp, s->kept, s->kept_len, 0, &s->kept_for.sa, addr_len(&s->kept_for));
}

static void on_udp(uv_poll_t *poll, int status, int events)
{
    static uint8_t msg[65536];
    union addr from;
    socklen_t from_len = sizeof from;
    (void)poll;
    (void)status;
    (void)events;
    ssize_t n = recvfrom(s->udp, msg, sizeof msg, 0, &from.sa, &from_len);
    if (n <= 0 || s->trick == SILENT)
        return;
    if (s->trick == GARBAGE)
        for (int i = 0; i < 3; i++)
            sendto(s->udp, "garbage", (size_t)i, 0, &from.sa, from_len);
    size_t len = reply(msg, (size_t)n);
    if (s->trick == LATE) {
        memcpy(s->kept, msg, len);
        s->kept_len = len;
        s->kept_for = from;
        uv_timer_start(&s->late, on_late, TIMEOUT_MS + 20, 0);
        return;
    }
    int fd = s->trick == OTHER_ADDRESS ? s->udp_other : s->udp;
    for (int i = 0; i < (s->trick == TWICE ? 2 : 1); i++)
        assert_true(sendto(fd, msg, len, 0, &from.sa, from_len) > 0);
}

static void on_conn_closed(uv_handle_t *poll)
{
    free(poll);
}

static void close_conn(void)
{
    if (!s->conn_open)
        return;
    uv_poll_stop(s->conn_poll);
    close(s->conn);
    s->conn_open = false;
    uv_close((uv_handle_t *)s->conn_poll, on_conn_closed);
}

static void on_conn(uv_poll_t *poll, int status, int events)
{
    static uint8_t msg[65536 + 2];
    (void)poll;
    (void)status;
    (void)events;
    ssize_t n = recv(s->conn, msg, sizeof msg, 0);
    if (n <= 2) {
        close_conn();
        return;
    }
    if (s->trick == SILENT)
        return;
    if (s->trick == SHUT) {
        close_conn();
        return;
    }
    size_t len = reply(msg + 2, (size_t)n - 2);
    wr_put_u16(msg, (uint16_t)(s->trick == EMPTY_FRAME ? 0 : len));
    len = s->trick == EMPTY_FRAME ? 2 : len + 2;
    if (s->trick == SHUT_HALF)
        len /= 2;
    size_t step = s->trick == BY_BYTES ? 1 : len;
    for (size_t i = 0; i < len; i += step)
        assert_true(send(s->conn, msg + i, step, MSG_NOSIGNAL) > 0);
    if (s->trick == SHUT_HALF)
        close_conn();
}

static void on_tcp(uv_poll_t *poll, int status, int events)
{
    int one = 1;
    (void)poll;
    (void)status;
    (void)events;
    int fd = accept4(s->tcp, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    assert_true(fd >= 0);
    close_conn();
    setsockopt(fd, IPPROTO_TCP, 1 /* TCP_NODELAY */, &one, sizeof one);
    s->conn = fd;
    s->conn_open = true;
    s->conn_poll = calloc(1, sizeof *s->conn_poll);
    assert_int_equal(uv_poll_init(&s->loop, s->conn_poll, fd), 0);
    assert_int_equal(uv_poll_start(s->conn_poll, UV_READABLE, on_conn), 0);
}

static int setup(void **state)
{
    struct err e = { 0 };
    (void)state;
    s = calloc(1, sizeof *s);
    uv_loop_init(&s->loop);
    s->udp = bound(SOCK_DGRAM, "127.0.0.1", 1);
    socklen_t len = sizeof s->addr;
    assert_int_equal(getsockname(s->udp, &s->addr.sa, &len), 0);
    s->udp_other = bound(SOCK_DGRAM, "127.0.0.2", addr_port(&s->addr));
    s->tcp = bound(SOCK_STREAM, "127.0.0.1", addr_port(&s->addr));
    assert_int_equal(listen(s->tcp, 8), 0);
    uv_timer_init(&s->loop, &s->late);
    uv_poll_init(&s->loop, &s->udp_poll, s->udp);
    uv_poll_init(&s->loop, &s->tcp_poll, s->tcp);
    uv_poll_start(&s->udp_poll, UV_READABLE, on_udp);
    uv_poll_start(&s->tcp_poll, UV_READABLE, on_tcp);
    client = probe_client_new(&s->loop, 8, 42, &e);
    assert_non_null(client);
    ended = 0;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    probe_client_free(client);
    close_conn();
    uv_poll_stop(&s->udp_poll);
    uv_poll_stop(&s->tcp_poll);
    uv_close((uv_handle_t *)&s->late, NULL);
    uv_close((uv_handle_t *)&s->udp_poll, NULL);
    uv_close((uv_handle_t *)&s->tcp_poll, NULL);
    uv_run(&s->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&s->loop), 0);
    close(s->udp);
    close(s->udp_other);
    close(s->tcp);
    free(s);
    return 0;
}

static void on_done(void *arg, const struct probe_question *q, const struct probe_answer *a)
{
    (void)arg;
    (void)q;
    ended++;
    last = *a;
    if (a->status == PROBE_ANSWERED)
        memcpy(last_msg, a->msg, a->len);
}

static struct probe_question question(bool tcp)
{
    struct probe_question q = { .addr = s->addr,
                                .tcp = tcp,
                                .qtype = 1,
                                .qclass = 1,
                                .edns = true,
                                .udp_payload = 1232,
                                .timeout_ms = TIMEOUT_MS };
    assert_true(dns_name_from_text(&q.qname, "www.example."));
    return q;
}

static void ask_and_wait(const struct probe_question *q)
{
    uint32_t before = ended;
    assert_true(probe_ask(client, q, on_done, NULL));
    assert_int_equal(ended, before); /* never from within */
    while (ended == before)
        uv_run(&s->loop, UV_RUN_ONCE);
    assert_int_equal(ended, before + 1);
    assert_int_equal(probe_in_flight(client), 0);
}

static const struct {
    const char *what;
    enum trick trick;
    bool tcp;
    enum probe_status status;
} rows[] = {
    { "an honest server", HONEST, false, PROBE_ANSWERED },
    { "silence", SILENT, false, PROBE_TIMEOUT },
    { "an answer after the time", LATE, false, PROBE_TIMEOUT },
    { "another id", OTHER_ID, false, PROBE_TIMEOUT },
    { "another name", OTHER_NAME, false, PROBE_TIMEOUT },
    { "garbage first", GARBAGE, false, PROBE_ANSWERED },
    { "another address", OTHER_ADDRESS, false, PROBE_SOURCE },
    { "an answer twice", TWICE, false, PROBE_ANSWERED },
    { "a header alone", ONLY_HEADER, false, PROBE_TIMEOUT },
    { "a huge answer", HUGE, false, PROBE_ANSWERED },
    { "an honest server", HONEST, true, PROBE_ANSWERED },
    { "silence", SILENT, true, PROBE_TIMEOUT },
    { "another id", OTHER_ID, true, PROBE_BROKEN },
    { "another name", OTHER_NAME, true, PROBE_BROKEN },
    { "a header alone", ONLY_HEADER, true, PROBE_BROKEN },
    { "an answer twice", TWICE, true, PROBE_ANSWERED },
    { "a huge answer", HUGE, true, PROBE_ANSWERED },
    { "closed without an answer", SHUT, true, PROBE_CLOSED },
    { "closed in the answer", SHUT_HALF, true, PROBE_CLOSED },
    { "byte by byte", BY_BYTES, true, PROBE_ANSWERED },
    { "an empty message", EMPTY_FRAME, true, PROBE_BROKEN },
};

static void every_trick(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct probe_question q = question(rows[i].tcp);
        s->trick = rows[i].trick;
        ask_and_wait(&q);
        if (last.status != rows[i].status)
            fail_msg("%s by %s: %s", rows[i].what, rows[i].tcp ? "tcp" : "udp",
                     probe_status_name(last.status));
        assert_false(mono_before(last.received_at, last.sent_at));
        if (last.status == PROBE_TIMEOUT)
            assert_true(last.rtt_us + 2000 >= TIMEOUT_MS * 1000); /* libuv counts whole ms */
        if (rows[i].trick == GARBAGE || rows[i].trick == OTHER_ID)
            assert_true(rows[i].tcp || last.stray > 0);
        if (rows[i].trick == OTHER_ADDRESS)
            assert_int_equal(ntohl(last.from.in.sin_addr.s_addr), 0x7f000002);
        if (rows[i].trick == HUGE)
            assert_int_equal(last.len, 65000);
    }
}

static void nobody_listens(void **state)
{
    (void)state;
    for (int tcp = 0; tcp < 2; tcp++) {
        struct probe_question q = question(tcp != 0);
        q.addr.in.sin_addr.s_addr = htonl(0x7f000003);
        ask_and_wait(&q);
        assert_int_equal(last.status, PROBE_REFUSED);
        assert_true(last.rtt_us < TIMEOUT_MS * 1000);
        q.source = q.addr;
        q.source.in.sin_port = 0;
        q.source.in.sin_addr.s_addr = htonl(0xc0000201); /* 192.0.2.1 is not here */
        ask_and_wait(&q);
        assert_int_equal(last.status, PROBE_UNREACHABLE);
    }
}

/* The loop sleeps until the late answer is there, too: the kernel's stamp says that it was late. */
static void late_is_late_for_a_late_loop(void **state)
{
    (void)state;
    s->trick = LATE;
    struct probe_question q = question(false);
    uint32_t before = ended;
    assert_true(probe_ask(client, &q, on_done, NULL));
    on_udp(NULL, 0, 0);
    usleep((TIMEOUT_MS + 30) * 1000);
    on_late(NULL);
    while (ended == before)
        uv_run(&s->loop, UV_RUN_ONCE);
    assert_int_equal(last.status, PROBE_TIMEOUT);
    assert_true(last.rtt_us + 2000 >= TIMEOUT_MS * 1000); /* libuv counts whole ms */
}

/* The source is what the server sees. */
static void a_source_of_ones_own(void **state)
{
    (void)state;
    for (int tcp = 0; tcp < 2; tcp++) {
        struct probe_question q = question(tcp != 0);
        q.source = s->addr;
        q.source.in.sin_port = 0;
        q.source.in.sin_addr.s_addr = htonl(0x7f000009);
        s->trick = HONEST;
        ask_and_wait(&q);
        assert_int_equal(last.status, PROBE_ANSWERED);
    }
}

static void no_more_than_in_flight(void **state)
{
    (void)state;
    s->trick = SILENT;
    struct probe_question q = question(false);
    for (int i = 0; i < 8; i++)
        assert_true(probe_ask(client, &q, on_done, NULL));
    assert_false(probe_ask(client, &q, on_done, NULL));
    assert_int_equal(probe_in_flight(client), 8);
    while (ended < 8)
        uv_run(&s->loop, UV_RUN_ONCE);
    assert_true(probe_ask(client, &q, on_done, NULL)); /* given up by teardown, without a call */
}

/* The loop sleeps over the answer: it came in time all the same, says the kernel. */
static void a_late_loop_is_not_a_late_answer(void **state)
{
    (void)state;
    for (int tcp = 0; tcp < 2; tcp++) {
        struct probe_question q = question(tcp != 0);
        s->trick = HONEST;
        uint32_t before = ended;
        assert_true(probe_ask(client, &q, on_done, NULL));
        /* The server answers by hand, without the probe's turn of the loop. */
        if (tcp == 0) {
            on_udp(NULL, 0, 0);
        } else {
            /* Until the query is there, but not longer. */
            while (!s->conn_open)
                uv_run(&s->loop, UV_RUN_ONCE);
            while (recv(s->conn, last_msg, 1, MSG_PEEK) < 0)
                uv_run(&s->loop, UV_RUN_NOWAIT);
            if (ended != before)
                continue; /* it was answered already */
            on_conn(NULL, 0, 0);
        }
        usleep(2 * TIMEOUT_MS * 1000);
        while (ended == before)
            uv_run(&s->loop, UV_RUN_ONCE);
        assert_int_equal(last.status, PROBE_ANSWERED);
        assert_true(last.rtt_us < TIMEOUT_MS * 1000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_trick, setup, teardown),
        cmocka_unit_test_setup_teardown(late_is_late_for_a_late_loop, setup, teardown),
        cmocka_unit_test_setup_teardown(nobody_listens, setup, teardown),
        cmocka_unit_test_setup_teardown(a_source_of_ones_own, setup, teardown),
        cmocka_unit_test_setup_teardown(no_more_than_in_flight, setup, teardown),
        cmocka_unit_test_setup_teardown(a_late_loop_is_not_a_late_answer, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
