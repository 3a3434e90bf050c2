/* SPDX-License-Identifier: GPL-3.0-or-later */

/* One prefix: the only place where its state changes. One function per state decides; go() changes,
 * and keeps why. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "announce/parts.h"
#include "base/assert.h"

/* All that a state's function looks at. */
struct step {
    struct announce *a;
    const struct announce_input *in;
    const struct announce_terms *terms;
    const struct announce_others *others;
    struct announce_memory *m;
    struct announce_proof proof;
    mono_t next; /* when this prefix wants to be looked at again */
    bool changed;
};

static void go(struct step *s, enum announce_state to, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void go(struct step *s, enum announce_state to, const char *fmt, ...)
{
    struct announce_memory *m = s->m;
    char reason[sizeof m->reason];
    va_list args;
    va_start(args, fmt);
    vsnprintf(reason, sizeof reason, fmt, args);
    va_end(args);
    memcpy(m->reason, reason, sizeof m->reason);
    if (!s->changed)
        m->before = m->state; /* as the step found it */
    m->state = to;
    m->since = s->in->now;
    s->changed = true;
}

/* Whether `ms` have passed in this state; if not, comes back when they will have. */
static bool stayed(struct step *s, int64_t ms)
{
    mono_t due = mono_add_ms(s->m->since, ms);
    if (announce_passed(due, s->in->now))
        return true;
    s->next = mono_min(s->next, due);
    return false;
}

static int64_t hold_ms(const struct step *s)
{
    if (s->m->flaps == 0)
        return 0;
    uint32_t doublings = s->m->flaps - 1 < 20 ? s->m->flaps - 1 : 20;
    uint64_t ms = (uint64_t)s->terms->hold_ms << doublings;
    return (int64_t)(ms < s->terms->hold_max_ms ? ms : s->terms->hold_max_ms);
}

static bool drain_is_asked(const struct step *s)
{
    return s->in->drain || s->in->stop;
}

static const char *drain_words(const struct step *s)
{
    if (s->in->drain_why != NULL && s->in->drain_why[0] != '\0')
        return s->in->drain_why;
    return s->in->drain ? "an operator asked for it" : "the node is being stopped";
}

/* A soft withdrawal waits until those whom we vouched for know that we do no more. */
static bool grants_are_over(struct step *s)
{
    if (s->in->grant_at.ns == MONO_ZERO.ns)
        return true;
    mono_t due = mono_add_ms(s->in->grant_at, s->in->grant_hold_ms);
    if (announce_passed(due, s->in->now))
        return true;
    s->next = mono_min(s->next, due);
    return false;
}

/* Whether another site takes over what this one no longer answers: it is bound to stay by the fleet's
 * word. BGP's counts only where the nodes of the fleet have never been heard to speak: when they
 * have, and fall silent, what BGP still shows may be the route of a dead host that waits for its
 * hold timer. */
static bool another_takes_over(const struct step *s)
{
    if (s->others->permit)
        return true;
    return s->others->seen_bgp && !(s->a->config.fleet && s->a->heard_ever);
}

/* By BGP alone two sites of a fleet could see each other and leave together. So they take turns by the
 * wall clock, in the order of the fleet file, and act only in the first quarter of their turn: before
 * the next one acts, BGP has had three quarters of a turn, less what the clocks differ, to show it. */
static bool its_turn(struct step *s)
{
    const struct announce_config *c = &s->a->config;
    if (s->others->permit || c->rank_count <= 1)
        return true;
    int64_t ms = s->in->wall.s * 1000 + s->in->wall.ns / 1000000;
    int64_t turn = ms / c->rank_ms % c->rank_count, into_ms = ms % c->rank_ms;
    return turn == c->rank % c->rank_count && into_ms < c->rank_ms / 4;
}

static void forget_flaps(struct step *s)
{
    struct announce_memory *m = s->m;
    if (m->flaps == 0)
        return;
    if (announce_passed(m->decay_at, s->in->now)) {
        m->flaps--;
        m->decay_at = mono_add_ms(s->in->now, s->terms->hold_decay_ms);
    }
    s->next = mono_min(s->next, m->decay_at);
}

static void announce_it(struct step *s, const char *why)
{
    s->m->fault = false;
    s->m->decay_at = mono_add_ms(s->in->now, s->terms->hold_decay_ms);
    if (s->a->over)
        go(s, ANNOUNCE_REDUCED, "%s; over capacity (%u answers/s): prepended", why,
           s->a->config.capacity_qps);
    else
        go(s, ANNOUNCE_ANNOUNCED, "%s", why);
}

/* It is out and must not be: hard faults, and evidence that ran out. */
static bool withdrawn_by_fault(struct step *s)
{
    if (s->proof.holding)
        return false;
    struct announce_memory *m = s->m;
    m->fault = true;
    if (m->flaps < 32)
        m->flaps++;
    m->proven_since = MONO_NEVER;
    m->quiet_since = s->in->now;
    enum announce_state to = m->state == ANNOUNCE_DRAINING ? ANNOUNCE_EMPTYING : ANNOUNCE_FAILED;
    go(s, to, "withdrawn: %s", s->proof.text);
    return true;
}

static void start_drain(struct step *s)
{
    s->m->quiet_since = s->in->now;
    if (!announce_state_is_out(s->m->state))
        go(s, ANNOUNCE_EMPTYING, "draining (%s): was not announced", drain_words(s));
    else
        go(s, ANNOUNCE_DRAINING, "draining (%s): announced as the worse way for %u ms",
           drain_words(s), s->terms->drain_delay_ms);
}

/* ---- one function per state ---- */

static void in_waiting(struct step *s)
{
    if (s->proof.proven)
        announce_it(s, "proven: zones are loaded and every address answers rightly by UDP and TCP");
}

static void in_failed(struct step *s)
{
    if (!s->proof.proven)
        return;
    if (hold_ms(s) == 0)
        announce_it(s, "proven again");
    else
        go(s, ANNOUNCE_HELD,
           "proven again; announced when it stays so for %lld ms (withdrawn %u times lately)",
           (long long)hold_ms(s), s->m->flaps);
}

static void in_held(struct step *s)
{
    if (!s->proof.proven) {
        go(s, ANNOUNCE_FAILED, "not proven any more while held: %s", s->proof.text);
        return;
    }
    mono_t due = mono_add_ms(s->m->proven_since, hold_ms(s));
    if (announce_passed(due, s->in->now))
        announce_it(s, "proven again, for as long as the hold-down asks");
    else
        s->next = mono_min(s->next, due);
}

static void in_announced(struct step *s)
{
    if (withdrawn_by_fault(s))
        return;
    forget_flaps(s);
    if (s->a->over)
        go(s, ANNOUNCE_REDUCED,
           "over capacity: %llu answers/s, at most %u: prepended, so that other sites get more",
           (unsigned long long)(s->a->answer_mqps / 1000), s->a->config.capacity_qps);
}

static void in_reduced(struct step *s)
{
    struct announce_memory *m = s->m;
    if (withdrawn_by_fault(s))
        return;
    forget_flaps(s);
    if (!s->a->over) {
        go(s, ANNOUNCE_ANNOUNCED, "below %u %% of the capacity for %u ms",
           s->a->config.capacity_low_percent, s->a->config.capacity_calm_ms);
        return;
    }
    if (!announce_load_wishes(s->a, s->in->now)) {
        m->wish_since = MONO_NEVER;
        return;
    }
    if (m->wish_since.ns == MONO_NEVER.ns)
        m->wish_since = s->in->now;
    if (!another_takes_over(s) || !grants_are_over(s) || !its_turn(s))
        return;
    m->return_at = announce_load_shed(s->a, s->in->now);
    go(s, ANNOUNCE_SHED,
       "stayed over capacity although prepended (%llu answers/s, at most %u); another site is "
       "known to announce it (%s); comes back in %lld ms",
       (unsigned long long)(s->a->answer_mqps / 1000), s->a->config.capacity_qps,
       s->others->permit ? "it said that it stays" : "seen by BGP",
       (long long)mono_ms_between(s->in->now, m->return_at));
}

static void in_shed(struct step *s)
{
    const char *why = NULL;
    if (!s->proof.holding) {
        s->m->fault = true;
        go(s, ANNOUNCE_FAILED, "not proven any more while withdrawn for load: %s", s->proof.text);
        return;
    }
    if (!another_takes_over(s))
        why = "no other site is known to take over any more";
    else if (announce_passed(s->m->return_at, s->in->now))
        why = "withdrawn for load for long enough";
    if (why == NULL) {
        s->next = mono_min(s->next, s->m->return_at);
        return;
    }
    announce_load_returned(s->a, s->in->now);
    s->m->wish_since = MONO_NEVER;
    go(s, ANNOUNCE_REDUCED, "%s: announced again, prepended", why);
}

static void in_draining(struct step *s)
{
    if (withdrawn_by_fault(s))
        return;
    if (!drain_is_asked(s)) {
        announce_it(s, "the drain was called off");
        return;
    }
    if (!stayed(s, s->terms->drain_delay_ms) || !grants_are_over(s))
        return;
    s->m->quiet_since = s->in->now;
    go(s, ANNOUNCE_EMPTYING, "draining (%s): withdrawn; answers until no query has come for %u ms",
       drain_words(s), s->terms->drain_quiet_ms);
}

static void end_drain(struct step *s)
{
    if (s->m->fault)
        go(s, ANNOUNCE_FAILED, "the drain was called off; withdrawn by fault before");
    else
        go(s, ANNOUNCE_WAITING, "the drain was called off");
}

static void in_emptying(struct step *s)
{
    if (!drain_is_asked(s)) {
        end_drain(s);
        return;
    }
    if (s->a->query_last_mqps > (uint64_t)s->terms->drain_quiet_qps * 1000)
        s->m->quiet_since = s->in->now;
    mono_t quiet = mono_add_ms(s->m->quiet_since, s->terms->drain_quiet_ms);
    if (announce_passed(quiet, s->in->now))
        go(s, ANNOUNCE_DRAINED, "drained: no query came for %u ms", s->terms->drain_quiet_ms);
    else if (stayed(s, s->terms->drain_limit_ms))
        go(s, ANNOUNCE_DRAINED, "drained: queries still came after %u ms (%llu per second)",
           s->terms->drain_limit_ms, (unsigned long long)(s->a->query_mqps / 1000));
    else
        s->next = mono_min(s->next, quiet);
}

static void in_drained(struct step *s)
{
    if (!drain_is_asked(s))
        end_drain(s);
}

static void step_state(struct step *s)
{
    switch (s->m->state) {
    case ANNOUNCE_WAITING:
        in_waiting(s);
        return;
    case ANNOUNCE_ANNOUNCED:
        in_announced(s);
        return;
    case ANNOUNCE_REDUCED:
        in_reduced(s);
        return;
    case ANNOUNCE_SHED:
        in_shed(s);
        return;
    case ANNOUNCE_FAILED:
        in_failed(s);
        return;
    case ANNOUNCE_HELD:
        in_held(s);
        return;
    case ANNOUNCE_DRAINING:
        in_draining(s);
        return;
    case ANNOUNCE_EMPTYING:
        in_emptying(s);
        return;
    case ANNOUNCE_DRAINED:
        in_drained(s);
        return;
    case ANNOUNCE_STATE_COUNT:
        break;
    }
    base_unreachable("announce state");
}

/* The order matters: a fault before a drain (a draining prefix whose evidence ran out is withdrawn at
 * once), a drain before everything that would announce. */
static void decide(struct step *s)
{
    struct announce_memory *m = s->m;
    if (!s->proof.proven)
        m->proven_since = MONO_NEVER;
    else if (m->proven_since.ns == MONO_NEVER.ns)
        m->proven_since = s->in->now;

    bool in_drain = m->state == ANNOUNCE_DRAINING || m->state == ANNOUNCE_EMPTYING ||
                    m->state == ANNOUNCE_DRAINED;
    if (drain_is_asked(s) && !in_drain && (!announce_state_is_out(m->state) || s->proof.holding))
        start_drain(s);
    /* Each state may lead on in the same step (failed -> held -> announced); the number of states
     * bounds it. */
    for (uint32_t i = 0; i < ANNOUNCE_STATE_COUNT; i++) {
        enum announce_state before = m->state;
        step_state(s);
        if (m->state == before)
            break;
    }
    if (m->state != ANNOUNCE_REDUCED && m->state != ANNOUNCE_SHED)
        m->wish_since = MONO_NEVER;
}

static void fill_status(const struct step *s, struct announce_status *st)
{
    const struct announce_memory *m = s->m;
    const struct announce_proof *p = &s->proof;
    bool out = announce_state_is_out(m->state);
    st->state = m->state;
    st->before = m->before;
    st->since = m->since;
    memcpy(st->reason, m->reason, sizeof st->reason);
    if (out && p->text[0] != '\0')
        snprintf(st->now, sizeof st->now, "the lease ends in %lld ms: %.200s",
                 (long long)mono_ms_between(s->in->now, p->lease_until), p->text);
    else if (m->wish_since.ns != MONO_NEVER.ns && m->state == ANNOUNCE_REDUCED)
        snprintf(st->now, sizeof st->now,
                 "over capacity and would step back, but no other site is known to take over");
    else
        snprintf(st->now, sizeof st->now, "%s", p->text);
    st->evidence_at = p->evidence_at.ns == MONO_NEVER.ns ? MONO_ZERO : p->evidence_at;
    st->lease_until = p->lease_until;
    st->proven_since = m->proven_since;
    st->hold_until =
        m->state == ANNOUNCE_HELD ? mono_add_ms(m->proven_since, hold_ms(s)) : MONO_ZERO;
    st->flaps = m->flaps;
    st->last_site = s->others->announcing == 0 && !s->others->seen_bgp;
    st->wish = m->state == ANNOUNCE_SHED || m->wish_since.ns != MONO_NEVER.ns;
    st->changed = s->changed;
}

void announce_state_step(struct announce *a, uint32_t idx, const struct announce_input *in,
                         struct announce_out *out)
{
    struct step s = { .a = a,
                      .in = in,
                      .terms = &a->config.prefixes[idx].terms,
                      .others = &in->others[idx],
                      .m = &a->memory[idx],
                      .next = MONO_NEVER };
    announce_proof_of(a, idx, in, &s.proof);
    decide(&s);
    if (announce_state_is_out(s.m->state))
        s.next = mono_min(s.next, s.proof.lease_until);
    out->next = mono_min(out->next, s.next);
    fill_status(&s, &out->prefixes[idx]);
}
