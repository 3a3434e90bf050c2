/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What a prefix rests on: its evidence, how old it is, and what is missing. */
#include <stdio.h>
#include <string.h>

#include "announce/parts.h"

/* How long a wrong answer must stand (the failed question is asked again meanwhile) before the standby
 * is asked to take over: a reload that is just going through is no fault. */
#define REPLACE_AFTER_MS 40

/* The first thing that is missing is the one that is told. */
static void missing(struct announce_proof *p, const char *what)
{
    p->proven = false;
    if (p->text[0] == '\0')
        snprintf(p->text, sizeof p->text, "%s", what);
}

static void oldest(struct announce_proof *p, mono_t evidence_at)
{
    if (mono_before(evidence_at, p->evidence_at))
        p->evidence_at = evidence_at;
}

static void add_path(struct announce_proof *p, const struct verdict_path *path)
{
    char addr[ADDR_TEXT_MAX], text[ANNOUNCE_REASON_MAX];
    const char *transport = verdict_transport_name(path->transport);
    addr_text(&path->addr, addr);
    oldest(p, path->evidence_at);
    if (path->why != VERDICT_FINE) {
        snprintf(text, sizeof text, "%s by %s: %s: %s", addr, transport,
                 verdict_why_name(path->why), path->text);
        missing(p, text);
    } else if (!path->proven) {
        snprintf(text, sizeof text, "%s by %s: not every kind of question was answered rightly yet",
                 addr, transport);
        missing(p, text);
    }
}

static void add_paths(const struct announce_prefix *c, const struct announce_input *in,
                      struct announce_proof *p)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < in->verdict->path_count; i++) {
        const struct verdict_path *path = &in->verdict->paths[i];
        if (!prefix_holds(&c->prefix, &path->addr))
            continue;
        add_path(p, path);
        count++;
    }
    if (count == 0) {
        p->evidence_at = MONO_ZERO;
        missing(p, "no service address lies in it");
    }
}

static void hard(struct announce_proof *p, const char *what)
{
    p->text[0] = '\0';
    missing(p, what);
    p->hard = true;
}

/* Faults that no evidence, however young, outweighs. */
static void add_hard(const struct announce *a, const struct announce_input *in,
                     struct announce_proof *p)
{
    char text[ANNOUNCE_REASON_MAX];
    const struct announce_serve *s = &in->serve;
    if (mono_before(in->now, a->crash_until)) {
        snprintf(text, sizeof text,
                 "the serving process crashed %u times within %u s: waits until %u s have passed "
                 "without a crash",
                 s->crashes > a->config.crashes ? s->crashes : a->config.crashes,
                 a->config.crash_window_ms / 1000, a->config.crash_window_ms / 1000);
        hard(p, text);
    } else if (!s->active && s->standby_failed_at.ns != MONO_ZERO.ns &&
               mono_before(s->standby_proven_at, s->standby_failed_at)) {
        snprintf(text, sizeof text, "no process answers, and the standby failed its proof: %s",
                 s->standby_text != NULL && s->standby_text[0] != '\0' ? s->standby_text
                                                                       : "guard gave no reason");
        hard(p, text);
    } else if (!in->verdict->zones_loaded) {
        hard(p, "no zone is loaded");
    }
}

/* When the evidence stops holding. While our own loop did not run, answers may have waited unread:
 * then it holds a little longer, so that they are read before they are missed. */
static mono_t lease_end(const struct announce_terms *t, const struct announce_input *in,
                        mono_t evidence_at)
{
    mono_t end = mono_add_ms(evidence_at, t->lease_ms);
    if (in->verdict->resumed_at.ns == MONO_ZERO.ns)
        return end;
    mono_t resumed = mono_add_ms(in->verdict->resumed_at, t->resume_ms);
    mono_t most = mono_add_ms(evidence_at, 2 * (int64_t)t->lease_ms);
    mono_t extended = mono_min(resumed, most);
    return mono_before(end, extended) ? extended : end;
}

/* Whose evidence is the oldest, when nothing else is missing. */
static void tell_oldest(const struct announce_prefix *c, const struct announce_input *in,
                        struct announce_proof *p)
{
    char text[ANNOUNCE_REASON_MAX], addr[ADDR_TEXT_MAX];
    long long ms = (long long)mono_ms_between(p->evidence_at, in->now);
    snprintf(text, sizeof text, "worker %u has made no progress for %lld ms",
             in->verdict->worker_slowest, ms);
    for (uint32_t i = 0; i < in->verdict->path_count; i++) {
        const struct verdict_path *path = &in->verdict->paths[i];
        if (path->evidence_at.ns == p->evidence_at.ns && prefix_holds(&c->prefix, &path->addr))
            snprintf(text, sizeof text,
                     "%s by %s: no evidence for %lld ms (%u probes are not answered)",
                     addr_text(&path->addr, addr), verdict_transport_name(path->transport), ms,
                     path->late_in_row + path->waiting);
    }
    missing(p, text);
}

void announce_proof_of(const struct announce *a, uint32_t idx, const struct announce_input *in,
                       struct announce_proof *p)
{
    const struct announce_prefix *c = &a->config.prefixes[idx];
    memset(p, 0, sizeof *p);
    p->proven = true;
    p->evidence_at = MONO_NEVER;
    if (!in->serve.active)
        missing(p, "no process answers");
    add_paths(c, in, p);
    oldest(p, in->verdict->progress_at);
    if (in->verdict->progress_at.ns == MONO_ZERO.ns)
        missing(p, "not every worker of the serving process has made progress yet");
    add_hard(a, in, p);

    if (p->evidence_at.ns != MONO_ZERO.ns)
        p->lease_until = lease_end(&c->terms, in, p->evidence_at);
    p->holding = !p->hard && mono_before(in->now, p->lease_until);
    if (!p->holding && p->evidence_at.ns != MONO_ZERO.ns && p->text[0] == '\0')
        tell_oldest(c, in, p);
    if (!p->holding)
        p->proven = false;
}

void announce_crash_step(struct announce *a, const struct announce_input *in)
{
    const struct announce_serve *s = &in->serve;
    if (!mono_before(a->crash_seen, s->crashed_at))
        return;
    a->crash_seen = s->crashed_at;
    if (s->crashes >= a->config.crashes)
        a->crash_until = mono_add_ms(s->crashed_at, a->config.crash_window_ms);
}

/* Faults that another process with the same zones may not have. */
static bool may_be_the_process(enum verdict_why why)
{
    switch (why) {
    case VERDICT_BROKEN:
    case VERDICT_QUESTION:
    case VERDICT_TRUNCATED:
    case VERDICT_RCODE:
    case VERDICT_AUTHORITY:
    case VERDICT_SERIAL:
    case VERDICT_RECORD:
    case VERDICT_MISSING:
    case VERDICT_TTL:
    case VERDICT_SIGNATURE:
        return true;
    case VERDICT_FINE:
    case VERDICT_UNTRIED:
    case VERDICT_TIMEOUT:
    case VERDICT_REFUSED:
    case VERDICT_UNREACHABLE:
    case VERDICT_SOURCE:
    case VERDICT_NSID:
    case VERDICT_WHY_COUNT:
        return false;
    }
    return false;
}

void announce_replace_step(struct announce *a, const struct announce_input *in,
                           struct announce_out *out)
{
    char addr[ADDR_TEXT_MAX];
    if (!in->serve.active || !in->serve.standby)
        return;
    for (uint32_t i = 0; i < in->verdict->path_count; i++) {
        const struct verdict_path *path = &in->verdict->paths[i];
        if (!may_be_the_process(path->why) || !mono_before(a->replace_seen, path->why_since))
            continue;
        mono_t due = mono_add_ms(path->why_since, REPLACE_AFTER_MS);
        if (mono_before(in->now, due)) {
            out->next = mono_min(out->next, due);
            continue;
        }
        a->replace_seen = in->now;
        out->replace = true;
        snprintf(out->replace_why, sizeof out->replace_why, "%s by %s: %s: %s",
                 addr_text(&path->addr, addr), verdict_transport_name(path->transport),
                 verdict_why_name(path->why), path->text);
        return;
    }
}
