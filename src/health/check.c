/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "health/check.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/mem.h"

#define PROOF_MS 1000

void health_check_init(struct check *c, uint32_t proof_ms)
{
    memset(c, 0, sizeof *c);
    c->proof_ms = proof_ms != 0 ? proof_ms : PROOF_MS;
}

bool health_check_add(struct check *c, const union addr *addr, uint32_t check_ms)
{
    if (c->path_count + VERDICT_TRANSPORTS > VERDICT_PATHS_MAX)
        return false;
    for (uint32_t t = 0; t < VERDICT_TRANSPORTS; t++) {
        struct check_path *p = &c->paths[c->path_count++];
        memset(p, 0, sizeof *p);
        p->v.addr = *addr;
        p->v.transport = (enum verdict_transport)t;
        p->v.why = VERDICT_UNTRIED;
        p->check_ms = check_ms;
    }
    return true;
}

/* ---- faults ---- */

/* Shows the fault that has been open longest, in the order: the address, the socket, an answer. */
static void show_fault(struct check_path *p)
{
    struct verdict_path *v = &p->v;
    if (p->gone) {
        v->why = VERDICT_UNREACHABLE;
        snprintf(v->text, sizeof v->text, "the address is not on this host any more");
        return;
    }
    if (p->refused) {
        v->why = p->refused_why;
        v->why_since = p->refused_since;
        memcpy(v->text, p->refused_text, sizeof v->text);
        return;
    }
    if (p->fault_count > 0) {
        v->why = p->faults[0].why;
        v->why_since = p->faults[0].since;
        memcpy(v->text, p->faults[0].text, sizeof v->text);
        return;
    }
    v->why = v->probed_at.ns == MONO_ZERO.ns ? VERDICT_UNTRIED : VERDICT_FINE;
    v->why_since = MONO_ZERO;
    v->text[0] = '\0';
    if (v->why == VERDICT_UNTRIED)
        snprintf(v->text, sizeof v->text, "no probe has come back yet");
}

static bool has_fault(const struct check_path *p)
{
    return p->gone || p->refused || p->fault_count > 0;
}

static uint32_t find_fault(const struct check_path *p, const struct question *q)
{
    uint32_t i = 0;
    while (i < p->fault_count && !health_question_equal(&p->faults[i].q, q))
        i++;
    return i;
}

static void open_fault(struct check_path *p, const struct check_result *r, mono_t now)
{
    uint32_t i = find_fault(p, r->q);
    if (i == CHECK_FAULTS_MAX)
        return; /* enough are open; the others will be asked when these are closed */
    struct check_fault *f = &p->faults[i];
    if (i == p->fault_count) {
        p->fault_count++;
        f->q = *r->q;
        f->since = now;
    }
    f->why = r->why;
    snprintf(f->text, sizeof f->text, "%s", r->text);
}

static void close_fault(struct check_path *p, const struct question *q)
{
    uint32_t i = find_fault(p, q);
    if (i == p->fault_count)
        return;
    for (; i + 1 < p->fault_count; i++)
        p->faults[i] = p->faults[i + 1];
    p->fault_count--;
}

/* ---- what changes around ---- */

void health_check_zones(struct check *c, uint32_t kinds, mono_t now)
{
    c->kinds = kinds;
    for (uint32_t i = 0; i < c->path_count; i++) {
        struct check_path *p = &c->paths[i];
        p->kinds = 0;
        p->v.proven = false;
        p->vouched_after = now;
        p->next_at = now;
    }
}

void health_check_process(struct check *c, bool active, mono_t now)
{
    memset(c->workers, 0, sizeof c->workers);
    c->worker_count = 0;
    c->sampled = false;
    c->active = active;
    for (uint32_t i = 0; i < c->path_count; i++) {
        c->paths[i].vouched_after = now;
        c->paths[i].next_at = now;
    }
}

void health_check_address(struct check *c, const union addr *addr, bool present, mono_t now)
{
    for (uint32_t i = 0; i < c->path_count; i++) {
        struct check_path *p = &c->paths[i];
        if (!addr_same_host(&p->v.addr, addr) || p->gone == !present)
            continue;
        p->gone = !present;
        p->next_at = now;
        if (p->gone)
            p->v.why_since = now;
        show_fault(p);
    }
}

/* ---- the counters ---- */

/* When every worker has advanced since. Between two samples the moment is not known: the earlier one
 * is taken. */
static void sample_workers(struct check *c, const struct check_sample *s)
{
    mono_t before = c->sampled ? c->sampled_at : MONO_ZERO;
    mono_t slowest = MONO_NEVER;
    for (uint32_t i = 0; i < s->worker_count; i++) {
        struct check_worker *w = &c->workers[i];
        if (c->sampled && s->progress[i] != w->progress)
            w->advanced_at = before;
        w->progress = s->progress[i];
        if (mono_before(w->advanced_at, slowest)) {
            slowest = w->advanced_at;
            c->worker_slowest = i;
        }
    }
    if (s->worker_count > 0 && slowest.ns != MONO_ZERO.ns && mono_before(c->progress_at, slowest))
        c->progress_at = slowest;
}

/* Rule 3. */
static bool answers_count(const struct check *c, const struct check_path *p, mono_t now)
{
    const struct verdict_path *v = &p->v;
    return v->proven && !has_fault(p) && mono_before(p->vouched_after, p->vouched_at) &&
           mono_before(now, mono_add_ms(p->vouched_at, c->proof_ms));
}

static void sample_answers(struct check *c, const struct check_sample *s, mono_t now)
{
    mono_t left_at = mono_min(c->sampled_at, c->progress_at);
    for (uint32_t i = 0; i < c->path_count; i++) {
        struct check_path *p = &c->paths[i];
        bool left = s->sent[p->v.transport] > c->sent[p->v.transport];
        if (!left || !answers_count(c, p, now) || !mono_before(p->v.evidence_at, left_at))
            continue;
        p->v.evidence_at = left_at;
        p->v.how = VERDICT_BY_ANSWERS;
    }
}

void health_check_sample(struct check *c, const struct check_sample *s, mono_t now)
{
    base_assert(s->worker_count <= CHECK_WORKERS_MAX);
    if (c->sampled_at.ns != MONO_ZERO.ns && mono_ms_between(c->sampled_at, now) >= CHECK_STALL_MS)
        c->resumed_at = now;
    if (s->worker_count != c->worker_count) {
        /* It has just set its page up. */
        memset(c->workers, 0, sizeof c->workers);
        c->worker_count = s->worker_count;
        c->sampled = false;
    }
    sample_workers(c, s);
    if (c->sampled)
        sample_answers(c, s, now);
    memcpy(c->sent, s->sent, sizeof c->sent);
    c->sampled = s->worker_count > 0;
    c->sampled_at = now;
}

/* ---- probes ---- */

static bool is_ready(const struct check *c)
{
    return c->active && c->kinds != 0;
}

/* With many paths not so often, so that all of them together do not keep the node from answering: after
 * a reload every path is eager at once. */
static uint32_t eager_ms(const struct check *c)
{
    return c->path_count / 2 > CHECK_EAGER_MS ? c->path_count / 2 : CHECK_EAGER_MS;
}

/* Up to a quarter less than asked for, differently each time, so that the paths do not march in
 * step. */
static uint32_t interval_ms(const struct check *c, const struct check_path *p, uint32_t path)
{
    bool eager = !p->v.proven || p->refused || p->fault_count > 0 || p->v.late_in_row > 0;
    if (eager && p->check_ms > eager_ms(c))
        return eager_ms(c);
    return p->check_ms - (p->turn * 13 + path * 29) % (p->check_ms / 4 + 1);
}

/* A right answer comes in a fraction of a millisecond. One that is still missing a moment later is lost or
 * late: then the next question does not wait for its turn, so that under loss there are many in a
 * lease and not four. */
static bool is_due(const struct check *c, const struct check_path *p, mono_t now)
{
    if (!mono_before(now, p->next_at))
        return true;
    return p->in_flight > 0 && !mono_before(now, mono_add_ms(p->asked_at, 2 * eager_ms(c)));
}

/* How many are asked in addition. The loop may be late, and then few turns fit into a lease: under loss
 * they must be worth more. */
static uint32_t burst_of(const struct check *c, const struct check_path *p, mono_t now)
{
    if (c->path_count > CHECK_BURST_PATHS || p->in_flight == 0 ||
        p->v.evidence_at.ns == MONO_ZERO.ns || has_fault(p))
        return 0;
    int64_t more = mono_ms_between(p->v.evidence_at, now) / CHECK_BURST_MS;
    return (uint32_t)(more < CHECK_BURST_MAX - 1 ? more : CHECK_BURST_MAX - 1);
}

/* The kinds that are still to be proven come first, then each in its turn. Records have half of the
 * turns: there are most of them. */
static enum question_kind next_kind(const struct check *c, const struct check_path *p)
{
    static const enum question_kind turns[] = {
        QUESTION_SOA,    QUESTION_RECORD,   QUESTION_DENIAL,
        QUESTION_RECORD, QUESTION_REFERRAL, QUESTION_RECORD
    };
    uint32_t missing = c->kinds & ~p->kinds;
    uint32_t from = missing != 0 ? missing : c->kinds;
    for (uint32_t i = 0; i < BASE_COUNT(turns); i++) {
        enum question_kind kind = turns[(p->turn + i) % BASE_COUNT(turns)];
        if ((from & QUESTION_BIT(kind)) != 0)
            return kind;
    }
    return QUESTION_SOA;
}

bool health_check_take_turn(struct check *c, uint32_t path, mono_t now, struct check_turn *t)
{
    struct check_path *p = &c->paths[path];
    if (!is_ready(c))
        return false;
    if (is_due(c, p, now)) {
        /* Missed turns are not made up for. */
        p->next_at = mono_add_ms(now, interval_ms(c, p, path));
        p->burst = burst_of(c, p, now);
    } else if (p->burst > 0 && p->asked_at.ns == now.ns) {
        p->burst--;
    } else {
        return false;
    }
    if (p->in_flight >= CHECK_IN_FLIGHT_MAX || p->in_flight + p->overdue >= 2 * CHECK_IN_FLIGHT_MAX)
        return false;
    p->asked_at = now;
    p->in_flight++;
    p->turn++;
    /* What failed is asked again, by turns with new questions. */
    t->again = p->fault_count > 0 && p->turn % 2 == 0;
    t->fault = t->again ? p->turn / 2 % p->fault_count : 0;
    t->kind = next_kind(c, p);
    return true;
}

mono_t health_check_next(const struct check *c)
{
    mono_t next = MONO_NEVER;
    for (uint32_t i = 0; is_ready(c) && i < c->path_count; i++)
        next = mono_min(next, c->paths[i].next_at);
    return next;
}

/* What is answered is right, whenever it came. */
static void vouch(struct check_path *p, const struct check_result *r)
{
    close_fault(p, r->q);
    p->refused = false;
    if (mono_before(p->vouched_at, r->sent_at))
        p->vouched_at = r->sent_at;
}

static void silent(const struct check *c, struct check_path *p, mono_t now)
{
    p->v.probes_late++;
    p->v.late_in_row++;
    p->next_at = mono_min(p->next_at, mono_add_ms(now, eager_ms(c)));
}

void health_check_overdue(struct check *c, uint32_t path, mono_t now)
{
    struct check_path *p = &c->paths[path];
    base_assert(p->in_flight > 0);
    p->in_flight--;
    p->overdue++;
    silent(c, p, now);
}

static void right(struct check *c, struct check_path *p, const struct check_result *r)
{
    struct verdict_path *v = &p->v;
    v->probes_right++;
    v->late_in_row = 0;
    vouch(p, r);
    if (!r->partial)
        p->kinds |= QUESTION_BIT(r->q->kind) | QUESTION_BIT(r->wanted);
    /* An answer to a question of before the zones came proves nothing of these. */
    v->proven = v->proven || (c->kinds != 0 && (c->kinds & ~p->kinds) == 0);
    if (mono_before(v->probed_at, r->sent_at)) {
        v->probed_at = r->sent_at;
        v->rtt_us = r->rtt_us;
    }
    if (!has_fault(p) && mono_before(v->evidence_at, r->sent_at)) {
        v->evidence_at = r->sent_at;
        v->how = VERDICT_BY_PROBE;
    }
}

static void refused(struct check_path *p, const struct check_result *r, mono_t now)
{
    if (!p->refused)
        p->refused_since = now;
    p->refused = true;
    p->refused_why = r->why;
    snprintf(p->refused_text, sizeof p->refused_text, "%s", r->text);
}

bool health_check_ended(struct check *c, uint32_t path, const struct check_result *r, mono_t now)
{
    struct check_path *p = &c->paths[path];
    bool proven = p->v.proven, fault = has_fault(p);
    uint32_t *on_its_way = r->overdue ? &p->overdue : &p->in_flight;
    base_assert(*on_its_way > 0);
    (*on_its_way)--;
    switch (r->outcome) {
    case CHECK_RIGHT:
        right(c, p, r);
        break;
    case CHECK_LATE:
        if (!r->overdue)
            silent(c, p, now);
        vouch(p, r);
        break;
    case CHECK_WRONG:
        p->v.probes_wrong++;
        p->v.late_in_row = 0;
        p->refused = false;
        open_fault(p, r, now);
        break;
    case CHECK_REFUSED:
        p->v.probes_wrong++;
        refused(p, r, now);
        break;
    case CHECK_SILENT:
        if (!r->overdue)
            silent(c, p, now);
        break;
    case CHECK_UNASKED:
        break;
    }
    if (r->outcome == CHECK_WRONG || r->outcome == CHECK_REFUSED)
        p->next_at = mono_min(p->next_at, mono_add_ms(now, eager_ms(c)));
    show_fault(p);
    return proven != p->v.proven || fault != has_fault(p);
}

void health_check_verdict(const struct check *c, mono_t now, struct verdict_set *out)
{
    out->at = now;
    out->progress_at = c->progress_at;
    out->worker_count = c->worker_count;
    out->worker_slowest = c->worker_slowest;
    out->resumed_at = c->resumed_at;
    out->path_count = c->path_count;
    for (uint32_t i = 0; i < c->path_count; i++) {
        out->paths[i] = c->paths[i].v;
        out->paths[i].waiting = c->paths[i].in_flight;
    }
}
