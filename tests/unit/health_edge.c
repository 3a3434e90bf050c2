/* SPDX-License-Identifier: GPL-3.0-or-later */
/* health on real sockets: a server on loopback, made of the answer room, that can serve another zone
 * than health believes in, and misbehave. Everything on one loop; waits for verdicts, not for times. */
#include "zone_help.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <uv.h>

#include "answer/answer.h"
#include "base/wr.h"
#include "health/health.h"

#define WAIT_MS 5000 /* until something that must happen has */
#define NSID "site-1"

#define HEADER "$ORIGIN t.\n$TTL 60\n"
#define REST "@ NS ns\nns A 192.0.2.1\nsub NS ns.sub\nns.sub A 192.0.2.2\n*.w TXT x\n"
#define ZONE(serial) HEADER "@ SOA ns host " serial " 2 3 4 5\n" REST
#define SIG "RRSIG SOA 13 1 60 20300101000000 20200101000000 1 t. AAAA\n"

struct server {
    uv_loop_t loop;
    int udp, tcp;
    uv_poll_t udp_poll, tcp_poll;
    union addr addr;
    struct zone_set *served;
    const char *nsid;
    bool silent_udp, silent_tcp;
    uint32_t answers[2];
};

static struct server *s;
static struct health *h;
static struct serve_page *page;
static uint32_t changes;

static size_t answer(const uint8_t *query, size_t len, enum answer_transport t, uint8_t *out)
{
    struct answer_info info;
    struct answer_options o = { .nsid = (const uint8_t *)s->nsid,
                                .nsid_len = (uint16_t)strlen(s->nsid) };
    const struct answer_client client = { .transport = t };
    return answer_compose(&o, s->served, &client, query, len, out, ANSWER_TCP_CAP, &info);
}

static void on_udp(uv_poll_t *poll, int status, int events)
{
    static uint8_t query[4096], out[ANSWER_TCP_CAP];
    union addr from;
    socklen_t from_len = sizeof from;
    (void)poll;
    (void)status;
    (void)events;
    ssize_t n = recvfrom(s->udp, query, sizeof query, 0, &from.sa, &from_len);
    if (n <= 0 || s->silent_udp)
        return;
    size_t len = answer(query, (size_t)n, ANSWER_UDP, out);
    if (sendto(s->udp, out, len, 0, &from.sa, from_len) > 0)
        atomic_fetch_add(&page->worker[0].tx_udp, 1);
    s->answers[0]++;
}

/* One query per connection, then it is closed: by us, or when it was silent by the probe. */
struct conn {
    uv_poll_t poll;
    int fd;
};

static void on_conn_closed(uv_handle_t *poll)
{
    free(poll->data);
}

static void on_conn(uv_poll_t *poll, int status, int events)
{
    static uint8_t query[4096], out[2 + ANSWER_TCP_CAP];
    struct conn *c = poll->data;
    (void)status;
    (void)events;
    ssize_t n = recv(c->fd, query, sizeof query, MSG_DONTWAIT);
    if (n > 0 && s->silent_tcp)
        return;
    if (n > 2) {
        size_t len = answer(query + 2, (size_t)n - 2, ANSWER_TCP, out + 2);
        wr_put_u16(out, (uint16_t)len);
        if (send(c->fd, out, len + 2, MSG_NOSIGNAL) > 0)
            atomic_fetch_add(&page->worker[0].tx_tcp, 1);
        s->answers[1]++;
    }
    uv_poll_stop(poll);
    close(c->fd);
    uv_close((uv_handle_t *)poll, on_conn_closed);
}

static void on_tcp(uv_poll_t *poll, int status, int events)
{
    (void)poll;
    (void)status;
    (void)events;
    int fd = accept4(s->tcp, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return;
    struct conn *c = calloc(1, sizeof *c);
    c->fd = fd;
    uv_poll_init(&s->loop, &c->poll, fd);
    c->poll.data = c;
    uv_poll_start(&c->poll, UV_READABLE, on_conn);
}

static void on_changed(void *arg)
{
    (void)arg;
    changes++;
}

static int setup(void **state)
{
    struct err e = { 0 };
    socklen_t len = sizeof s->addr;
    (void)state;
    s = calloc(1, sizeof *s);
    page = calloc(1, sizeof *page);
    s->nsid = NSID;
    uv_loop_init(&s->loop);
    s->udp = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    s->tcp = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_true(addr_parse(&s->addr, "127.0.0.1", 1));
    s->addr.in.sin_port = 0;
    assert_int_equal(bind(s->udp, &s->addr.sa, sizeof s->addr.in), 0);
    assert_int_equal(getsockname(s->udp, &s->addr.sa, &len), 0);
    assert_int_equal(bind(s->tcp, &s->addr.sa, sizeof s->addr.in), 0);
    assert_int_equal(listen(s->tcp, 64), 0);
    uv_poll_init(&s->loop, &s->udp_poll, s->udp);
    uv_poll_init(&s->loop, &s->tcp_poll, s->tcp);
    uv_poll_start(&s->udp_poll, UV_READABLE, on_udp);
    uv_poll_start(&s->tcp_poll, UV_READABLE, on_tcp);
    s->served = zone_help_set("t.", ZONE("1"));
    struct health_address a = { s->addr, 20, 200 };
    struct health_options o = { .addresses = &a,
                                .address_count = 1,
                                .nsid = (const uint8_t *)NSID,
                                .nsid_len = sizeof NSID - 1,
                                .changed_ms = 100,
                                .seed = 42,
                                .changed = on_changed };
    h = health_new(&s->loop, &o, &e);
    assert_non_null(h);
    page->workers = 1;
    changes = 0;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    health_free(h);
    uv_poll_stop(&s->udp_poll);
    uv_poll_stop(&s->tcp_poll);
    uv_close((uv_handle_t *)&s->udp_poll, NULL);
    uv_close((uv_handle_t *)&s->tcp_poll, NULL);
    uv_run(&s->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&s->loop), 0);
    close(s->udp);
    close(s->tcp);
    zone_set_free(s->served);
    free(page);
    free(s);
    return 0;
}

static const struct verdict_path *path(uint32_t i)
{
    return &health_verdict(h)->paths[i];
}

/* Runs until path `i` has this fault (FINE: is proven and has none); fails when it does not come. */
static void until(uint32_t i, enum verdict_why why)
{
    mono_t begin = time_mono();
    while (path(i)->why != why || (why == VERDICT_FINE && !path(i)->proven)) {
        uv_run(&s->loop, UV_RUN_ONCE);
        atomic_fetch_add(&page->worker[0].progress, 1);
        if (mono_ms_between(begin, time_mono()) > WAIT_MS)
            fail_msg("path %u: %s (%s), not %s", i, verdict_why_name(path(i)->why), path(i)->text,
                     verdict_why_name(why));
    }
}

static void both(enum verdict_why why)
{
    until(0, why);
    until(1, why);
}

static void begin(void)
{
    health_take_zones(h, zone_help_set("t.", ZONE("1")), 1);
    health_set_page(h, page);
    both(VERDICT_FINE);
}

static void serve_zone(const char *text)
{
    zone_set_free(s->served);
    s->served = zone_help_set("t.", text);
}

static void proven_when_all_is_right(void **state)
{
    (void)state;
    const struct verdict_set *v = health_verdict(h);
    assert_false(v->zones_loaded);
    assert_int_equal(v->path_count, 2);
    assert_int_equal(path(0)->why, VERDICT_UNTRIED);
    begin();
    v = health_verdict(h);
    assert_true(v->zones_loaded);
    assert_int_equal(v->version, 1);
    assert_int_equal(v->worker_count, 1);
    assert_true(v->progress_at.ns != 0);
    assert_true(changes >= 2);
    for (uint32_t i = 0; i < 2; i++)
        assert_in_range(mono_ms_between(path(i)->evidence_at, time_mono()), 0, 200);
}

static void what_is_wrong_is_found_and_found_right_again(void **state)
{
    (void)state;
    static const struct {
        const char *what, *served;
        enum verdict_why why;
    } rows[] = {
        { "an old serial", ZONE("0"), VERDICT_SERIAL },
        { "a wrong record",
          HEADER "@ SOA ns host 1 2 3 4 5\n@ NS ns\nns A 192.0.2.9\nsub NS ns.sub\n"
                 "ns.sub A 192.0.2.2\n*.w TXT x\n",
          VERDICT_RECORD },
        { "a missing delegation",
          HEADER "@ SOA ns host 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n*.w TXT x\n", VERDICT_RCODE },
    };
    begin();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        serve_zone(rows[i].served);
        both(rows[i].why);
        assert_true(path(0)->text[0] != '\0');
        /* Nothing renews the evidence while it is wrong. */
        mono_t evidence = path(0)->evidence_at;
        for (int k = 0; k < 30; k++)
            uv_run(&s->loop, UV_RUN_ONCE);
        assert_int_equal(path(0)->evidence_at.ns, evidence.ns);
        serve_zone(ZONE("1"));
        both(VERDICT_FINE);
        assert_true(mono_before(evidence, path(0)->evidence_at));
    }
}

static void a_missing_signature(void **state)
{
    (void)state;
    health_take_zones(h, zone_help_set("t.", ZONE("1") "@ " SIG), 1);
    health_set_page(h, page);
    both(VERDICT_SIGNATURE);
    serve_zone(ZONE("1") "@ " SIG);
    both(VERDICT_FINE);
}

static void another_server(void **state)
{
    (void)state;
    begin();
    s->nsid = "site-2";
    both(VERDICT_NSID);
    s->nsid = NSID;
    both(VERDICT_FINE);
}

static void silence_of_one_transport(void **state)
{
    (void)state;
    begin();
    s->silent_tcp = true;
    mono_t since = time_mono();
    while (mono_ms_between(since, time_mono()) < 300) {
        uv_run(&s->loop, UV_RUN_ONCE);
        /* Clients are answered all the while, but by UDP. */
        atomic_fetch_add(&page->worker[0].tx_udp, 5);
        atomic_fetch_add(&page->worker[0].progress, 1);
        health_verdict(h);
    }
    assert_int_equal(path(1)->why, VERDICT_FINE);
    assert_true(mono_ms_between(path(1)->evidence_at, time_mono()) > 200);
    assert_true(mono_ms_between(path(0)->evidence_at, time_mono()) < 200);
    assert_int_equal(path(0)->how, VERDICT_BY_ANSWERS);
    s->silent_tcp = false;
    until(1, VERDICT_FINE);
}

/* The old version is right for a moment after new zones came; then it is not. */
static void new_zones(void **state)
{
    (void)state;
    begin();
    mono_t since = time_mono();
    health_take_zones(h, zone_help_set("t.", ZONE("2")), 2);
    assert_int_equal(zone_serial(zone_set_at(health_zones(h), 0)), 2);
    while (mono_ms_between(since, time_mono()) < 60) {
        uv_run(&s->loop, UV_RUN_ONCE);
        assert_int_equal(path(0)->why, VERDICT_FINE);
        assert_false(path(0)->proven);
    }
    both(VERDICT_SERIAL);
    serve_zone(ZONE("2"));
    both(VERDICT_FINE);
}

static void nobody_listens(void **state)
{
    (void)state;
    begin();
    uv_poll_stop(&s->tcp_poll);
    uv_poll_stop(&s->udp_poll);
    shutdown(s->tcp, SHUT_RDWR);
    until(1, VERDICT_REFUSED);
    union addr other = s->addr;
    health_set_address(h, &other, false);
    until(0, VERDICT_UNREACHABLE);
    health_set_address(h, &other, true);
    uv_poll_start(&s->udp_poll, UV_READABLE, on_udp);
    until(0, VERDICT_FINE);
}

/* Clients are counted without the probes, over processes. */
static void traffic_without_our_own(void **state)
{
    (void)state;
    struct health_traffic t;
    begin();
    for (int i = 0; i < 50; i++) {
        uv_run(&s->loop, UV_RUN_ONCE);
        atomic_store(&page->worker[0].tx_answers, s->answers[0] + s->answers[1]);
        atomic_store(&page->worker[0].rx_queries, s->answers[0] + s->answers[1]);
        health_verdict(h);
        health_traffic(h, &t);
        assert_int_equal(t.answers, 0);
    }
    atomic_fetch_add(&page->worker[0].tx_answers, 1000);
    atomic_fetch_add(&page->worker[0].rx_queries, 2000);
    health_verdict(h);
    health_traffic(h, &t);
    assert_in_range(t.answers, 1000 - 32, 1000);
    assert_in_range(t.queries, 2000 - 32, 2000);
    uint64_t before = t.answers;
    struct serve_page *next = calloc(1, sizeof *next);
    health_set_page(h, NULL);
    health_set_page(h, next);
    health_traffic(h, &t);
    assert_true(t.answers >= before);
    health_set_page(h, page);
    free(next);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(proven_when_all_is_right), CASE(what_is_wrong_is_found_and_found_right_again),
        CASE(a_missing_signature),      CASE(another_server),
        CASE(silence_of_one_transport), CASE(new_zones),
        CASE(nobody_listens),           CASE(traffic_without_our_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
