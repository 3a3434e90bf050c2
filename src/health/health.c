/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The edge: one timer that samples the serving process's page and asks the paths that are due, and the
 * callback in which answers come back. What they mean is check.c's. */
#include "health/health.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "dns/message.h"
#include "dns/type.h"
#include "health/check.h"
#include "health/compare.h"
#include "health/question.h"
#include "probe/probe.h"

#define UDP_PAYLOAD 1232
#define CLASS_IN 1
#define CHANGED_MS 1000
#define PROOF_MS 1000
#define IN_FLIGHT_MAX 512 /* all paths together: each has a socket */

struct health {
    uv_loop_t *loop;
    struct probe_client *client;
    struct asked *asked;
    uv_timer_t *timer; /* its own memory, so that libuv may close it later */
    void (*changed)(void *arg);
    void *arg;
    struct check check;
    uint32_t timeout_ms[VERDICT_PATHS_MAX];
    uint8_t nsid[PROBE_NSID_MAX];
    uint32_t nsid_len, changed_ms;
    struct question_walk walks[VERDICT_PATHS_MAX]; /* each path is asked for everything */

    struct zone_set *zones, *zones_before; /* owned */
    uint32_t version;
    mono_t before_until; /* when the zones before no longer count */

    const struct serve_page *page;
    uint64_t base_queries, base_answers; /* of processes that are gone */
    uint64_t own_answers;
    uint64_t own_sent[VERDICT_TRANSPORTS]; /* of the active process, to our own probes */
    uint64_t sent[VERDICT_TRANSPORTS];     /* of the active process, to clients; never goes back */
    struct health_traffic traffic;
    struct verdict_set verdict;
    struct compare compare;
};

/* A probe on its way. */
struct asked {
    struct health *h;
    struct asked *next, **slot; /* in h->asked */
    uint32_t path;
    struct question q;
    enum question_kind wanted;
    mono_t asked_at;
    bool overdue; /* the path was told so */
};

static void on_tick(uv_timer_t *timer);

static bool add_addresses(struct health *h, const struct health_options *o, struct err *e)
{
    for (uint32_t i = 0; i < o->address_count; i++) {
        uint32_t path = h->check.path_count;
        if (!health_check_add(&h->check, &o->addresses[i].addr, o->addresses[i].check_ms))
            return err_set(e, ERR_LIMIT, "split them over several nodes",
                           "more than %u service addresses", VERDICT_ADDRESSES_MAX);
        for (uint32_t t = 0; t < VERDICT_TRANSPORTS; t++)
            h->timeout_ms[path + t] = o->addresses[i].timeout_ms;
    }
    return true;
}

struct health *health_new(uv_loop_t *loop, const struct health_options *o, struct err *e)
{
    struct health *h = base_calloc(1, sizeof *h);
    h->loop = loop;
    h->changed = o->changed;
    h->arg = o->arg;
    h->changed_ms = o->changed_ms != 0 ? o->changed_ms : CHANGED_MS;
    for (uint32_t i = 0; i < VERDICT_PATHS_MAX; i++)
        h->walks[i].random = o->seed + ((uint64_t)i << 32);
    base_assert(o->nsid_len <= sizeof h->nsid);
    if (o->nsid != NULL)
        memcpy(h->nsid, o->nsid, o->nsid_len);
    h->nsid_len = o->nsid != NULL ? o->nsid_len : 0;
    health_check_init(&h->check, o->proof_ms);
    h->client = add_addresses(h, o, e) ? probe_client_new(loop, IN_FLIGHT_MAX, ~o->seed, e) : NULL;
    if (h->client == NULL) {
        free(h);
        return NULL;
    }
    h->timer = base_calloc(1, sizeof *h->timer);
    uv_timer_init(loop, h->timer);
    h->timer->data = h;
    uv_timer_start(h->timer, on_tick, 0, CHECK_SAMPLE_MS);
    return h;
}

static void free_asked(struct asked *a)
{
    *a->slot = a->next;
    if (a->next != NULL)
        a->next->slot = a->slot;
    free(a);
}

static void on_timer_closed(uv_handle_t *timer)
{
    free(timer);
}

void health_free(struct health *h)
{
    if (h == NULL)
        return;
    uv_timer_stop(h->timer);
    uv_close((uv_handle_t *)h->timer, on_timer_closed);
    probe_client_free(h->client);
    /* It does not call back for what it gives up. */
    for (struct asked *a = h->asked, *next; a != NULL; a = next) {
        next = a->next;
        free(a);
    }
    zone_set_free(h->zones);
    zone_set_free(h->zones_before);
    free(h);
}

/* ---- the page ---- */

struct totals {
    uint64_t queries, answers;
};

static struct totals read_totals(const struct serve_page *page)
{
    struct totals t = { 0, 0 };
    uint32_t workers =
        page != NULL ? atomic_load_explicit(&page->workers, memory_order_acquire) : 0;
    for (uint32_t i = 0; i < workers && i < SERVE_WORKERS_MAX; i++) {
        const struct serve_worker_page *w = &page->worker[i];
        t.queries += atomic_load_explicit(&w->rx_queries, memory_order_relaxed);
        t.answers += atomic_load_explicit(&w->tx_answers, memory_order_relaxed);
    }
    return t;
}

static uint64_t less(uint64_t a, uint64_t b)
{
    return a > b ? a - b : 0;
}

/* Probes that are on their way may be in the page's counts already, so all of them are taken away: too
 * little for a moment, never too much. */
static void sample_traffic(struct health *h, mono_t now)
{
    struct totals t = read_totals(h->page);
    uint64_t own = h->own_answers + probe_in_flight(h->client);
    uint64_t queries = less(h->base_queries + t.queries, own);
    uint64_t answers = less(h->base_answers + t.answers, own);
    if (queries > h->traffic.queries)
        h->traffic.queries = queries;
    if (answers > h->traffic.answers)
        h->traffic.answers = answers;
    h->traffic.at = now;
}

/* What clients got: the probes are witnesses by themselves, and one path's must not vouch for
 * another's. */
static void sample_sent(struct health *h, struct check_sample *s)
{
    for (uint32_t i = 0; i < h->check.path_count; i++)
        s->sent[h->check.paths[i].v.transport] =
            less(s->sent[h->check.paths[i].v.transport],
                 h->check.paths[i].in_flight + h->check.paths[i].overdue);
    for (uint32_t t = 0; t < VERDICT_TRANSPORTS; t++) {
        uint64_t sent = less(s->sent[t], h->own_sent[t]);
        if (sent > h->sent[t])
            h->sent[t] = sent;
        s->sent[t] = h->sent[t];
    }
}

static void sample_page(struct health *h, mono_t now)
{
    struct check_sample s = { 0 };
    const struct serve_page *page = h->page;
    if (page != NULL)
        s.worker_count = atomic_load_explicit(&page->workers, memory_order_acquire);
    if (s.worker_count > SERVE_WORKERS_MAX) /* it is another process's memory */
        s.worker_count = SERVE_WORKERS_MAX;
    for (uint32_t i = 0; i < s.worker_count; i++) {
        const struct serve_worker_page *w = &page->worker[i];
        s.progress[i] = atomic_load_explicit(&w->progress, memory_order_relaxed);
        s.sent[VERDICT_UDP] += atomic_load_explicit(&w->tx_udp, memory_order_relaxed);
        s.sent[VERDICT_TCP] += atomic_load_explicit(&w->tx_tcp, memory_order_relaxed);
    }
    sample_sent(h, &s);
    health_check_sample(&h->check, &s, now);
    sample_traffic(h, now);
}

void health_set_page(struct health *h, const struct serve_page *page)
{
    struct totals last = read_totals(h->page);
    h->base_queries += last.queries;
    h->base_answers += last.answers;
    h->page = page;
    memset(h->own_sent, 0, sizeof h->own_sent);
    memset(h->sent, 0, sizeof h->sent);
    health_check_process(&h->check, page != NULL, time_mono());
    on_tick(h->timer);
}

void health_set_address(struct health *h, const union addr *addr, bool present)
{
    health_check_address(&h->check, addr, present, time_mono());
}

void health_traffic(const struct health *h, struct health_traffic *out)
{
    *out = h->traffic;
}

/* ---- the zones ---- */

void health_take_zones(struct health *h, struct zone_set *set, uint32_t version)
{
    mono_t now = time_mono();
    zone_set_free(h->zones_before);
    h->zones_before = h->zones;
    h->before_until = mono_add_ms(now, h->changed_ms);
    h->zones = set;
    h->version = version;
    for (uint32_t i = 0; i < VERDICT_PATHS_MAX; i++)
        health_question_restart(&h->walks[i]);
    health_check_zones(&h->check, zone_set_count(set) > 0 ? health_question_kinds(set) : 0, now);
}

const struct zone_set *health_zones(const struct health *h)
{
    return h->zones;
}

/* ---- probes ---- */

static void compare_with(struct health *h, const struct zone_set *zones, const struct asked *a,
                         const struct probe_question *pq, const struct probe_answer *pa,
                         struct compare_result *out)
{
    struct compare_ask ask = { .zones = zones,
                               .q = &a->q,
                               .dnssec_ok = pq->dnssec_ok,
                               .nsid = h->nsid,
                               .nsid_len = h->nsid_len,
                               .udp_payload = pq->tcp ? 0 : pq->udp_payload };
    health_compare_answer(&h->compare, &ask, pa->msg, pa->len, out);
}

/* An answer of the zones before is right for a moment after they changed, but proves nothing of the
 * new ones. */
static void judge(struct health *h, const struct asked *a, const struct probe_question *pq,
                  const struct probe_answer *pa, struct check_result *r, struct compare_result *c)
{
    struct compare_result before;
    h->own_answers++;
    h->own_sent[pq->tcp ? VERDICT_TCP : VERDICT_UDP]++;
    compare_with(h, h->zones, a, pq, pa, c);
    r->partial = c->truncated;
    if (c->why != VERDICT_FINE && h->zones_before != NULL) {
        compare_with(h, h->zones_before, a, pq, pa, &before);
        if (before.why == VERDICT_FINE) {
            *c = before;
            r->partial = true;
        }
    }
    bool late = pa->rtt_us > h->timeout_ms[a->path] * 1000;
    r->outcome = c->why != VERDICT_FINE ? CHECK_WRONG : late ? CHECK_LATE : CHECK_RIGHT;
    r->why = c->why;
    r->text = c->text;
}

static void no_answer(const struct probe_answer *pa, struct check_result *r, char text[160])
{
    char from[ADDR_TEXT_MAX];
    r->outcome = CHECK_REFUSED;
    r->text = text;
    text[0] = '\0';
    switch (pa->status) {
    case PROBE_ANSWERED:
        base_unreachable("an answer is no missing answer");
    case PROBE_TIMEOUT:
        r->outcome = CHECK_SILENT;
        return;
    case PROBE_REFUSED:
        r->why = VERDICT_REFUSED;
        snprintf(text, 160, "the kernel says that nothing listens there");
        return;
    case PROBE_UNREACHABLE:
        r->why = VERDICT_UNREACHABLE;
        snprintf(text, 160, "the kernel says: %s", strerrordesc_np(pa->sys_errno));
        return;
    case PROBE_CLOSED:
        r->why = VERDICT_BROKEN;
        snprintf(text, 160, "the connection was closed before the answer");
        return;
    case PROBE_SOURCE:
        r->outcome = CHECK_WRONG;
        r->why = VERDICT_SOURCE;
        snprintf(text, 160, "the answer came from %s", addr_text(&pa->from, from));
        return;
    case PROBE_BROKEN:
        r->outcome = CHECK_WRONG;
        r->why = VERDICT_QUESTION;
        snprintf(text, 160, "what came is no response to the query");
        return;
    case PROBE_FULL:
    case PROBE_NO_SOCKET:
        r->outcome = CHECK_UNASKED;
        return;
    }
    base_unreachable("probe status");
}

static void on_probed(void *arg, const struct probe_question *pq, const struct probe_answer *pa)
{
    struct asked *a = arg;
    struct health *h = a->h;
    struct compare_result compared;
    char text[160];
    struct check_result r = { .q = &a->q,
                              .wanted = a->wanted,
                              .overdue = a->overdue,
                              .sent_at = pa->sent_at,
                              .rtt_us = pa->rtt_us };
    if (pa->status == PROBE_ANSWERED)
        judge(h, a, pq, pa, &r, &compared);
    else
        no_answer(pa, &r, text);
    bool changed = health_check_ended(&h->check, a->path, &r, time_mono());
    free_asked(a);
    if (changed && h->changed != NULL)
        h->changed(h->arg);
}

static void ask(struct health *h, uint32_t path, const struct check_turn *t)
{
    const struct check_path *p = &h->check.paths[path];
    struct asked *a = base_alloc(sizeof *a);
    a->h = h;
    a->path = path;
    a->asked_at = time_mono();
    a->overdue = false;
    a->next = h->asked;
    a->slot = &h->asked;
    if (a->next != NULL)
        a->next->slot = &a->next;
    h->asked = a;
    if (t->again) {
        a->q = p->faults[t->fault].q;
        a->wanted = a->q.kind;
    } else {
        health_question_pick(h->zones, &h->walks[path], t->kind, &a->q);
        a->wanted = t->kind;
    }
    struct probe_question pq = { .addr = p->v.addr,
                                 .tcp = p->v.transport == VERDICT_TCP,
                                 .qname = a->q.qname,
                                 .qtype = a->q.qtype,
                                 .qclass = CLASS_IN,
                                 .reset = true,
                                 .edns = true,
                                 .dnssec_ok = true,
                                 .nsid = h->nsid_len != 0,
                                 .udp_payload = UDP_PAYLOAD,
                                 .timeout_ms = h->timeout_ms[path] + h->check.proof_ms };
    if (probe_ask(h->client, &pq, on_probed, a))
        return;
    const struct check_result r = { .outcome = CHECK_UNASKED, .q = &a->q };
    health_check_ended(&h->check, path, &r, time_mono());
    free_asked(a);
}

/* Probes that go on although their time is up: their answers may still vouch. */
static void tell_overdue(struct health *h, mono_t now)
{
    for (struct asked *a = h->asked; a != NULL; a = a->next)
        if (!a->overdue && mono_ms_between(a->asked_at, now) > (int64_t)h->timeout_ms[a->path]) {
            a->overdue = true;
            health_check_overdue(&h->check, a->path, now);
        }
}

static void on_tick(uv_timer_t *timer)
{
    struct health *h = timer->data;
    mono_t now = time_mono();
    struct check_turn t;
    tell_overdue(h, now);
    sample_page(h, now);
    if (h->zones_before != NULL && !mono_before(now, h->before_until)) {
        zone_set_free(h->zones_before);
        h->zones_before = NULL;
    }
    for (uint32_t i = 0; i < h->check.path_count; i++)
        while (health_check_take_turn(&h->check, i, now, &t))
            ask(h, i, &t);
}

const struct verdict_set *health_verdict(struct health *h)
{
    mono_t now = time_mono();
    sample_page(h, now);
    health_check_verdict(&h->check, now, &h->verdict);
    h->verdict.zone_count = h->zones != NULL ? zone_set_count(h->zones) : 0;
    h->verdict.zones_loaded = h->verdict.zone_count > 0;
    h->verdict.version = h->version;
    return &h->verdict;
}
