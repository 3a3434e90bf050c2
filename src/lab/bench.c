/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lab/bench.h"

#include <stdlib.h>
#include <string.h>

#include "lab/prompt.h"
#include "lab/show.h"

#define RUNS_MAX 1000

/* What must be reached; -1: only told. Of losses and times the worst of all runs counts. */
struct kind {
    const char *title;
    enum step_verb verb;
    uint32_t qps;
    uint32_t for_ms;
    int64_t lost, updates, withdrawn_ms, late_ms;
};

static const struct kind kinds[] = {
    { "serve killed, 1,000 q/s", STEP_KILL_SERVE, 1000, 600, 64, 0, -1, -1 },
    { "serve killed, 10,000 q/s", STEP_KILL_SERVE, 10000, 600, 64, 0, -1, -1 },
    { "one worker hung", STEP_STOP_WORKER, 1000, 800, 0, 0, -1, 250 },
    { "all of serve hung", STEP_STOP_SERVE, 1000, 800, 0, 0, -1, 250 },
    { "crash loop, third crash", STEP_CRASH_LOOP, 1000, 500, -1, -1, 50, -1 },
    { "SIGTERM, drain, start", STEP_STOP_NODE, 1000, 500, 0, -1, -1, -1 },
    { "everything killed, -9", STEP_KILL_NODE, 1000, 500, 20, -1, -1, -1 },
    { "control hung", STEP_STOP_CONTROL, 1000, 800, -1, -1, 500, -1 },
};

/* The same failures for Knot DNS and ExaBGP's healthcheck: nothing to reach, and somebody who starts the
 * server again after ten seconds. */
static const struct kind glue_kinds[] = {
    { "crash (server killed)", STEP_KILL_SERVE, 1000, 10000, -1, -1, -1, -1 },
    { "hang (server stopped)", STEP_STOP_SERVE, 1000, 12000, -1, -1, -1, -1 },
    { "graceful stop (SIGTERM)", STEP_STOP_NODE, 1000, 10000, -1, -1, -1, -1 },
};

struct series {
    uint32_t lost[RUNS_MAX], updates[RUNS_MAX], slowest_us[RUNS_MAX];
    int64_t withdrawn_ms[RUNS_MAX];
    uint32_t repeated; /* runs that do not count (STEP_STALL_US): at most as many as count */
    uint32_t count, wrong, never; /* never: runs in which the routes were not withdrawn */
};

static int by_u32(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static int by_i64(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* A node that has not crashed yet: what it remembers of earlier runs (three crashes in ten seconds
 * withdraw, a hold-down that grows with flapping) must not be measured in this one. */
static bool fresh_node(struct stage *s, struct err *e)
{
    struct lab_topo *t = s->l->topo;
    for (uint32_t i = 0; i < s->server_count; i++) {
        struct lab_host *h = &t->hosts[s->server_host[i]];
        if (h->site != 0)
            continue;
        node_kill(s->l, h);
        if (!stage_start(s, h, e) || !node_wait(s->l, s->w, h, 20000, e))
            return false;
    }
    return true;
}

static bool play_series(struct stage *s, struct show *sh, const struct kind *k, unsigned runs,
                        struct series *out, struct err *e)
{
    static struct step_result r;
    struct step st = { .verb = k->verb, .for_us = k->for_ms * 1000u };
    memset(out, 0, sizeof *out);
    snprintf(st.title, sizeof st.title, "%s", k->title);
    snprintf(st.at, sizeof st.at, "%s", s->l->topo->sites[0].name);
    st.lost_max = st.lost_min = st.late_ms = st.updates_max = st.updates_min = -1;
    st.outage_ms_max = st.withdrawn_ms_max = -1;
    for (uint32_t i = 0; i < LAB_REGIONS_MAX; i++)
        st.answered_min[i] = st.answered_max[i] = -1;
    for (unsigned i = 0; i < runs && i < RUNS_MAX; i++) {
        show_doing(sh, "%s: run %u of %u", k->title, i + 1, runs);
        if ((s->l->glue == LAB_GLUE_NONE && !fresh_node(s, e)) || !step_play(s, &st, &r, e))
            return false;
        if (r.back_ms < 0)
            return err_set(e, ERR_PEER, NULL, "%s: the clients did not come back", k->title);
        if (r.stall_us > STEP_STALL_US && out->repeated < runs) {
            out->repeated++;
            i--;
            continue;
        }
        uint32_t n = out->count++;
        out->lost[n] = r.all.lost;
        out->updates[n] = r.wire.updates;
        out->slowest_us[n] = r.all.rtt_us_max;
        out->withdrawn_ms[n] = r.withdrawn_ms;
        out->never += r.withdrawn_ms < 0;
        out->wrong += r.all.wrong;
    }
    return true;
}

static bool judge(const struct kind *k, struct series *s)
{
    uint32_t last = s->count - 1;
    qsort(s->lost, s->count, sizeof s->lost[0], by_u32);
    qsort(s->updates, s->count, sizeof s->updates[0], by_u32);
    qsort(s->slowest_us, s->count, sizeof s->slowest_us[0], by_u32);
    qsort(s->withdrawn_ms, s->count, sizeof s->withdrawn_ms[0], by_i64);
    return s->wrong == 0 && (k->lost < 0 || s->lost[last] <= k->lost) &&
           (k->updates < 0 || s->updates[last] <= k->updates) &&
           (k->late_ms < 0 || s->slowest_us[last] <= k->late_ms * 1000) &&
           (k->withdrawn_ms < 0 || (s->never == 0 && s->withdrawn_ms[last] <= k->withdrawn_ms));
}

static const char *goal_text(const struct kind *k, char out[120])
{
    out[0] = '\0';
    if (k->lost >= 0)
        snprintf(out, 120, "lost <= %lld", (long long)k->lost);
    if (k->updates >= 0)
        snprintf(out + strlen(out), 120 - strlen(out), ", UPDATEs %lld", (long long)k->updates);
    if (k->late_ms >= 0)
        snprintf(out + strlen(out), 120 - strlen(out), ", slowest <= %lld ms",
                 (long long)k->late_ms);
    if (k->withdrawn_ms >= 0)
        snprintf(out + strlen(out), 120 - strlen(out), "gone <= %lld ms",
                 (long long)k->withdrawn_ms);
    return out;
}

static void show_series(struct show *sh, const struct kind *k, const struct series *s, bool ok)
{
    char goal[120], gone[40] = "-";
    uint32_t mid = s->count / 2, last = s->count - 1;
    if (s->never == 0)
        snprintf(gone, sizeof gone, "%lld/%lld ms", (long long)s->withdrawn_ms[mid],
                 (long long)s->withdrawn_ms[last]);
    else if (s->never < s->count)
        snprintf(gone, sizeof gone, "%u of %u not", s->never, s->count);
    void (*line)(struct show *, const char *, ...) = ok ? show_ok : show_bad;
    if (goal_text(k, goal)[0] == '\0')
        line = show_line; /* only told */
    line(sh, "%-26s %6u %6u   %5u %5u   %9s %9s   %-14s %s", k->title, s->lost[mid], s->lost[last],
         s->updates[mid], s->updates[last], show_us(s->slowest_us[mid]),
         show_us(s->slowest_us[last]), gone, goal);
    if (s->repeated > 0)
        show_line(sh, "(%u more were made again: the machine stood still for over %d ms in them)",
                  s->repeated, STEP_STALL_US / 1000);
    if (s->wrong > 0)
        show_line(sh, "%u WRONG ANSWERS", s->wrong);
}

static void json_series(FILE *f, const char *who, const struct kind *k, const struct series *s,
                        bool ok, bool first)
{
    uint32_t mid = s->count / 2, last = s->count - 1;
    fprintf(
        f,
        "%s  {\"of\": \"%s\", \"kind\": \"%s\", \"qps\": %u, \"runs\": %u, \"lost_median\": %u, "
        "\"lost_worst\": %u, \"updates_median\": %u, \"updates_worst\": %u, "
        "\"slowest_us_median\": %u, \"slowest_us_worst\": %u, \"withdrawn_ms_median\": %lld, "
        "\"withdrawn_ms_worst\": %lld, \"not_withdrawn\": %u, \"wrong\": %u, \"repeated\": %u, \"reached\": %s}",
        first ? "" : ",\n", who, k->title, k->qps, s->count, s->lost[mid], s->lost[last],
        s->updates[mid], s->updates[last], s->slowest_us[mid], s->slowest_us[last],
        (long long)s->withdrawn_ms[mid], (long long)s->withdrawn_ms[last], s->never, s->wrong,
        s->repeated, ok ? "true" : "false");
}

/* Another rate of questions: the flows are made anew. */
static bool ask_at(struct stage *s, uint32_t qps, uint32_t *now, struct err *e)
{
    if (*now == qps)
        return true;
    for (uint32_t i = 0; i < s->l->topo->host_count; i++) {
        traffic_end(s->t, s->flow[i]);
        s->flow[i] = -1;
    }
    *now = qps;
    return stage_ask(s, qps, e);
}

struct list {
    const struct kind *kinds;
    size_t count;
    const char *title, *only;
    unsigned runs;
};

static bool play_list(struct stage *s, struct show *sh, const struct list *o, FILE *json,
                      bool *first, bool *all, struct err *e)
{
    static struct series series;
    uint32_t qps = 0;
    show_title(sh, "%s: %u runs each, one client behind another router, BIRD upstream, two sites",
               o->title, o->runs);
    show_line(sh, "%-26s %13s   %11s   %19s   %-14s %s", "", "queries lost", "UPDATEs",
              "slowest answer", "route gone", "to reach (worst)");
    show_line(sh, "%-26s %6s %6s   %5s %5s   %9s %9s   %-14s", "", "median", "worst", "med.",
              "worst", "median", "worst", "median/worst");
    for (size_t i = 0; i < o->count; i++) {
        const struct kind *k = &o->kinds[i];
        if (o->only != NULL && strstr(k->title, o->only) == NULL)
            continue;
        if (!ask_at(s, k->qps, &qps, e) || !play_series(s, sh, k, o->runs, &series, e))
            return false;
        bool ok = judge(k, &series);
        show_series(sh, k, &series, ok);
        json_series(json, o->title, k, &series, ok, *first);
        *first = false;
        *all = *all && ok;
    }
    return true;
}

/* One lab from its beginning to its end. */
static bool play_lab(struct lab *l, struct show *sh, const struct list *list, FILE *json,
                     bool *first, bool *all, struct err *e)
{
    struct stage s;
    show_doing(sh, "setting up");
    if (!stage_up(&s, l, NULL, 60000, e))
        return false;
    bool ok = play_list(&s, sh, list, json, first, all, e);
    if (ok && l->glue == LAB_GLUE_NONE && stage_outside_check(&s, stdout) > 0)
        *all = false;
    stage_down(&s);
    return ok;
}

int bench_failover(struct lab *l, const struct bench_options *o)
{
    const struct list lists[] = {
        { kinds, BASE_COUNT(kinds), "perigee", o->only, o->runs },
        { glue_kinds, BASE_COUNT(glue_kinds), "Knot DNS and ExaBGP's healthcheck, its own figures",
          NULL, o->beside },
        { glue_kinds, BASE_COUNT(glue_kinds),
          "Knot DNS and ExaBGP's healthcheck, tuned to the limit", NULL, o->beside },
    };
    struct show sh;
    struct err e = { 0 };
    char text[600], path[400];
    bool all = true, first = true;
    show_init(&sh, stdout);
    snprintf(path, sizeof path, "%s/failover.json", l->dir);
    bool ok = lab_mkdir(l, "", &e);
    FILE *json = ok ? fopen(o->json ? o->json : path, "we") : NULL;
    if (ok && json == NULL)
        ok = err_set_errno(&e, NULL, "cannot write %s", o->json ? o->json : path);
    if (ok) {
        fprintf(json, "[\n");
        for (int i = 0; ok && i < (o->beside > 0 ? 3 : 1); i++) {
            l->glue = (enum lab_glue)i;
            ok = play_lab(l, &sh, &lists[i], json, &first, &all, &e);
        }
        fprintf(json, "\n]\n");
        fclose(json);
    }
    if (!ok)
        show_bad(&sh, "%s", err_text(&e, text, sizeof text));
    return ok && all ? 0 : 1;
}
