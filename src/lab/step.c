/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Plays one step: settle, deed, wait, mend, settle, count, judge. */
#include "lab/step.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab/glue.h"
#include "lab/proc.h"
#include "lab/prompt.h"

#define LEAD_MS 300     /* of quiet before the deed */
#define SETTLE_MS 20000 /* until all is as before: hold-downs are in it */
#define TARGETS_MAX 16

struct play {
    struct stage *s;
    const struct step *st;
    struct step_result *r;
    struct lab_host *at[TARGETS_MAX]; /* the nodes concerned */
    uint32_t at_count;
    pid_t freezer;
    int bots[STEP_BOTS_MAX];
};

static void fail(struct step_result *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void fail(struct step_result *r, const char *fmt, ...)
{
    if (r->failure_count == BASE_COUNT(r->failures))
        return;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(r->failures[r->failure_count++], sizeof r->failures[0], fmt, ap);
    va_end(ap);
}

static bool one_process(enum step_verb v)
{
    return v == STEP_KILL_SERVE || v == STEP_STOP_WORKER || v == STEP_STOP_SERVE ||
           v == STEP_CRASH_LOOP || v == STEP_STOP_CONTROL || v == STEP_STOP_NODE;
}

static void find_targets(struct play *p)
{
    struct lab_topo *t = p->s->l->topo;
    const struct lab_site *site = lab_topo_site(t, p->st->at);
    for (uint32_t i = 0; i < t->host_count && p->at_count < TARGETS_MAX; i++) {
        struct lab_host *h = &t->hosts[i];
        if (h->kind == LAB_NODE &&
            (strcmp(h->name, p->st->at) == 0 || (site != NULL && &t->sites[h->site] == site) ||
             strcmp(t->regions[h->region], p->st->at) == 0))
            p->at[p->at_count++] = h;
    }
    if (site != NULL && one_process(p->st->verb)) {
        p->at[0] = stage_serving(p->s, site);
        p->at_count = p->at[0] != NULL;
    }
}

/* A child of its own holds the stopped thread: a tracer must be there to reap the thread when the
 * process is killed, or its end would never be seen by its parent. */
static bool freeze_worker(struct play *p, pid_t tid, struct err *e)
{
    int fds[2];
    char word = 0;
    if (pipe(fds) != 0)
        return err_set_errno(e, NULL, "pipe");
    p->freezer = fork();
    if (p->freezer == 0) {
        struct err ignored;
        setpgid(0, 0);
        word = node_freeze_thread(tid, &ignored) ? 'y' : 'n';
        if (write(fds[1], &word, 1) != 1)
            _exit(1);
        for (int status; waitpid(tid, &status, __WALL) == tid && WIFSTOPPED(status);)
            ;
        _exit(0);
    }
    close(fds[1]);
    bool ok = read(fds[0], &word, 1) == 1 && word == 'y';
    close(fds[0]);
    return ok || err_set(e, ERR_SYSTEM, NULL, "cannot stop thread %d", tid);
}

static bool need_procs(struct play *p, struct lab_host *h, struct node_procs *out, struct err *e)
{
    if (node_ready(p->s->l, h, 15000, out))
        return true;
    return err_set(e, ERR_PEER, NULL,
                   "%s has no active server with a standby: serve %d, standby %d", h->name,
                   out->serve, out->standby);
}

static bool crash_loop(struct play *p, struct lab_host *h, struct err *e)
{
    struct node_procs procs;
    for (int i = 0; i < 3; i++) {
        if (!need_procs(p, h, &procs, e))
            return false;
        p->r->deed_ns = time_mono().ns;
        kill(procs.serve, SIGKILL);
        for (pid_t was = procs.serve; procs.serve == was && !lab_stop; sleep_ms(2))
            node_procs(p->s->l, h, &procs);
    }
    return true;
}

static bool command(struct play *p, struct lab_host *h, const char *verb, struct err *e)
{
    char out[2000];
    const char *words[] = { verb, NULL };
    int status = node_command(p->s->l, h, words, out, sizeof out);
    out[strcspn(out, "\n")] = '\0';
    return status == 0 || err_set(e, ERR_PEER, NULL, "perigee %s at %s: status %d: %.80s", verb,
                                  h->name, status, out);
}

static bool start_bots(struct play *p, struct err *e)
{
    for (uint32_t i = 0; i < p->st->bot_count; i++) {
        const struct lab_host *h = lab_topo_find(p->s->l->topo, p->st->bots[i]);
        p->bots[i] = stage_flow(p->s, h, p->st->bot_qps[i], true, e);
        if (p->bots[i] < 0)
            return false;
    }
    return true;
}

static bool deed_at(struct play *p, struct lab_host *h, struct err *e)
{
    struct node_procs procs = { 0 };
    enum step_verb v = p->st->verb;
    bool process = v == STEP_KILL_SERVE || v == STEP_STOP_WORKER || v == STEP_STOP_SERVE ||
                   v == STEP_STOP_CONTROL;
    if (process && !need_procs(p, h, &procs, e))
        return false;
    p->r->deed_ns = time_mono().ns;
    switch (v) {
    case STEP_KILL_SERVE:
        return kill(procs.serve, SIGKILL) == 0 || err_set_errno(e, NULL, "kill serve");
    case STEP_STOP_SERVE:
        return kill(procs.serve, SIGSTOP) == 0 || err_set_errno(e, NULL, "stop serve");
    case STEP_STOP_CONTROL:
        return kill(procs.control, SIGSTOP) == 0 || err_set_errno(e, NULL, "stop control");
    case STEP_STOP_WORKER:
        if (p->s->hang_repair)
            kill(procs.guard, SIGSTOP);
        return freeze_worker(p, procs.workers[0], e);
    case STEP_CRASH_LOOP:
        return crash_loop(p, h, e);
    case STEP_DRAIN:
        return command(p, h, "drain", e);
    case STEP_STOP_NODE:
        if (p->s->l->glue != LAB_GLUE_NONE)
            kill(p->s->l->node[h - p->s->l->topo->hosts].dns, SIGTERM);
        else
            kill(p->s->l->node[h - p->s->l->topo->hosts].guard, SIGTERM);
        return true;
    case STEP_KILL_NODE:
        node_kill(p->s->l, h);
        return true;
    case STEP_CUT_HOST:
        return lab_cut(p->s->l, h, true, e);
    case STEP_OVERLOAD:
    case STEP_FLOOD:
    case STEP_WAIT:
        return true;
    }
    return false;
}

/* Somebody starts Knot again; the healthcheck does not. */
static bool mend_glue(struct lab *l, struct lab_host *h, struct err *e)
{
    struct lab_node *n = &l->node[h - l->topo->hosts];
    proc_kill(n->dns);
    n->dns = 0;
    return glue_start_dns(l, h, e);
}

static bool mend_at(struct play *p, struct lab_host *h, struct err *e)
{
    struct lab *l = p->s->l;
    if (l->glue != LAB_GLUE_NONE && one_process(p->st->verb))
        return mend_glue(l, h, e);
    switch (p->st->verb) {
    case STEP_DRAIN:
        return command(p, h, "undrain", e);
    case STEP_STOP_NODE:
        if (!node_stop(l, h, 20000))
            return err_set(e, ERR_PEER, NULL, "%s did not end within 20 s of SIGTERM", h->name);
        return stage_start(p->s, h, e);
    case STEP_KILL_NODE:
        return stage_start(p->s, h, e);
    case STEP_CUT_HOST:
        return lab_cut(l, h, false, e);
    case STEP_STOP_WORKER:
        if (p->s->hang_repair)
            kill(l->node[h - l->topo->hosts].guard, SIGCONT);
        return true;
    case STEP_WAIT:
    case STEP_KILL_SERVE:
    case STEP_STOP_SERVE:
    case STEP_CRASH_LOOP:
    case STEP_STOP_CONTROL:
    case STEP_OVERLOAD:
    case STEP_FLOOD:
        return true;
    }
    return false;
}

bool step_cap_sites(struct stage *s, uint64_t bps, struct err *e)
{
    const struct lab_topo *t = s->l->topo;
    bool done[LAB_LINKS_MAX] = { false };
    for (uint32_t i = 0; i < s->server_count; i++) {
        uint32_t router = t->links[t->hosts[s->server_host[i]].link].a;
        for (uint32_t k = 0; k < t->link_count; k++) {
            if (done[k] || t->links[k].relation != LAB_PROVIDER || t->links[k].b != router)
                continue;
            done[k] = true;
            if (!lab_rate(s->l, &t->links[k], bps, e))
                return false;
        }
    }
    return true;
}

static bool concerned(const struct play *p, uint32_t host)
{
    for (uint32_t i = 0; i < p->at_count; i++)
        if (p->at[i] == &p->s->l->topo->hosts[host])
            return true;
    return false;
}

/* When the last of the concerned nodes' prefixes was gone for the router: withdrawn, or its session
 * ended. -1: some never was. */
static int64_t withdrawn_ms(const struct play *p)
{
    static struct wire_event ev[20000];
    int64_t last = -1;
    uint32_t n = wire_events(p->s->w, p->r->deed_ns, p->r->ended_ns, ev, 20000), gone = 0;
    for (uint32_t i = 0; i < p->at_count; i++)
        for (uint8_t family = 4; family <= 6; family = (uint8_t)(family + 2)) {
            for (uint32_t k = 0; k < n; k++) {
                const struct bgpwatch_event *b = &ev[k].ev;
                bool ends = b->kind == BGPWATCH_CLOSED || b->kind == BGPWATCH_NOTIFICATION;
                bool says = b->kind == BGPWATCH_UPDATE && b->by_first && b->withdrawn > 0;
                if (&p->s->l->topo->hosts[ev[k].node] != p->at[i] || b->family != family ||
                    (!ends && !says))
                    continue;
                gone++;
                if (b->at_ns > last)
                    last = b->at_ns;
                break;
            }
        }
    return gone == 2 * p->at_count && last >= 0 ? (last - p->r->deed_ns) / 1000000 : -1;
}

static void add_wire(const struct play *p)
{
    struct wire_sum *sum = &p->r->wire;
    *sum = (struct wire_sum){ 0 };
    for (uint32_t i = 0; i < p->s->server_count; i++) {
        struct wire_sum one;
        if (!concerned(p, p->s->server_host[i]) && p->at_count > 0)
            continue;
        wire_sum(p->s->w, &p->s->l->topo->hosts[p->s->server_host[i]], p->r->deed_ns,
                 p->r->ended_ns, &one);
        sum->updates += one.updates;
        sum->announced += one.announced;
        sum->withdrawn += one.withdrawn;
        sum->graceful_shutdown |= one.graceful_shutdown;
        if (one.path_len_max > sum->path_len_max)
            sum->path_len_max = one.path_len_max;
    }
    p->r->withdrawn_ms = withdrawn_ms(p);
}

static void count_clients(struct play *p)
{
    struct stage *s = p->s;
    struct step_result *r = p->r;
    struct fate_filter f = { .from_ns = r->begun_ns, .to_ns = r->ended_ns, .target = -1 };
    f.late_us = p->st->late_ms > 0 ? (uint32_t)p->st->late_ms * 1000 : 0;
    memset(&r->all, 0, sizeof r->all);
    r->all.lost_first_ms = r->all.lost_last_ms = -1;
    for (uint32_t i = 0; i < s->l->topo->host_count && r->client_count < STEP_CLIENTS_MAX; i++) {
        if (s->flow[i] < 0 || s->l->topo->hosts[i].kind != LAB_CLIENT)
            continue;
        uint32_t count;
        const struct fate *at = traffic_fates(s->t, s->flow[i], &count);
        uint32_t *scratch = base_alloc((count + 1) * sizeof *scratch);
        uint32_t n = r->client_count++;
        r->who[n] = &s->l->topo->hosts[i];
        fate_count(at, count, &f, scratch, &r->client[n]);
        struct fate_filter d = f;
        d.from_ns = r->deed_ns;
        d.to_ns = r->mended_ns;
        fate_count(at, count, &d, scratch, &r->during[n]);
        for (uint32_t m = 0; m < r->client[n].move_count; m++)
            r->client[n].moves[m].at_ms -= (int32_t)((r->deed_ns - r->begun_ns) / 1000000);
        fate_add(&r->all, &r->client[n]);
        free(scratch);
    }
}

/* Whether clients of a concerned region were answered by the expected site for a while. */
static bool went_to(const struct play *p, const char *site)
{
    const struct lab_topo *t = p->s->l->topo;
    for (uint32_t i = 0; i < p->r->client_count; i++) {
        if (p->at_count == 0 || p->r->who[i]->region != p->at[0]->region)
            continue;
        for (uint32_t m = 0; m < p->r->client[i].move_count; m++) {
            uint8_t server = p->r->client[i].moves[m].server;
            if (server < p->s->server_count &&
                strcmp(t->sites[t->hosts[p->s->server_host[server]].site].name, site) == 0)
                return true;
        }
    }
    return false;
}

static void judge_shares(struct play *p)
{
    const struct lab_topo *t = p->s->l->topo;
    for (uint32_t i = 0; i < p->r->client_count; i++) {
        const struct fate_report *d = &p->r->during[i];
        uint32_t region = p->r->who[i]->region;
        int32_t least = p->st->answered_min[region], most = p->st->answered_max[region];
        int32_t percent = d->sent ? (int32_t)(d->right * 100ull / d->sent) : 0;
        if (least >= 0 && percent < least)
            fail(p->r, "%s (%s): %d %% answered, at least %d %% should be", p->r->who[i]->name,
                 t->regions[region], percent, least);
        if (most >= 0 && percent > most)
            fail(p->r, "%s (%s): %d %% answered, at most %d %%: was it a flood?",
                 p->r->who[i]->name, t->regions[region], percent, most);
    }
}

static void judge(struct play *p)
{
    const struct step *st = p->st;
    struct step_result *r = p->r;
    if (r->all.wrong > 0)
        fail(r, "%u answers were wrong", r->all.wrong);
    if (r->all.unsent > 0)
        fail(r, "%u queries could not be sent: the lab itself failed", r->all.unsent);
    if (st->lost_max >= 0 && r->all.lost > st->lost_max)
        fail(r, "%u queries lost, at most %lld may be", r->all.lost, (long long)st->lost_max);
    if (st->lost_min >= 0 && r->all.lost < st->lost_min)
        fail(r, "%u queries lost, at least %lld should be: was it broken at all?", r->all.lost,
             (long long)st->lost_min);
    if (st->late_ms >= 0 && r->all.late > 0)
        fail(r, "%u answers came later than %lld ms", r->all.late, (long long)st->late_ms);
    if (st->updates_max >= 0 && r->wire.updates > st->updates_max)
        fail(r, "%u UPDATEs on the wire, at most %lld may be", r->wire.updates,
             (long long)st->updates_max);
    if (st->updates_min >= 0 && r->wire.updates < st->updates_min)
        fail(r, "%u UPDATEs on the wire, at least %lld should be", r->wire.updates,
             (long long)st->updates_min);
    if (st->outage_ms_max >= 0 && r->all.outage_us / 1000 > st->outage_ms_max)
        fail(r, "a client had no answer for %lld ms, at most %lld may be",
             (long long)r->all.outage_us / 1000, (long long)st->outage_ms_max);
    if (st->withdrawn_ms_max >= 0 && r->withdrawn_ms < 0)
        fail(r, "the routes were not withdrawn");
    else if (st->withdrawn_ms_max >= 0 && r->withdrawn_ms > st->withdrawn_ms_max)
        fail(r, "withdrawn after %lld ms, %lld may pass", (long long)r->withdrawn_ms,
             (long long)st->withdrawn_ms_max);
    if (st->to[0] != '\0' && !went_to(p, st->to))
        fail(r, "no client went to %s", st->to);
    if (st->longer_path && r->wire.path_len_max < 2)
        fail(r, "no UPDATE with a longer AS path was seen");
    if (st->graceful && !r->wire.graceful_shutdown)
        fail(r, "no UPDATE with GRACEFUL_SHUTDOWN was seen");
    judge_shares(p);
    if (r->back_ms < 0)
        fail(r, "the clients did not come back to their sites");
}

static bool all_announced(struct play *p)
{
    for (uint32_t i = 0; i < p->at_count; i++)
        if (wire_announced(p->s->w, p->at[i]) < 2)
            return false;
    return true;
}

/* All as before: the nodes concerned announce, and every client is answered by its own site. */
static void settle_after(struct play *p, int64_t mended_ns)
{
    struct err e = { 0 };
    mono_t until = mono_add_ms(time_mono(), SETTLE_MS);
    while (!lab_stop && mono_before(time_mono(), until) && !all_announced(p))
        sleep_ms(10);
    bool home = stage_settle(p->s, (int)mono_ms_between(time_mono(), until), &e);
    p->r->back_ms = home && all_announced(p) ? (time_mono().ns - mended_ns) / 1000000 : -1;
}

static bool play(struct play *p, struct err *e)
{
    struct step_result *r = p->r;
    const struct step *st = p->st;
    bool ok = (st->cap_bps == 0 || step_cap_sites(p->s, st->cap_bps, e)) && start_bots(p, e);
    for (uint32_t i = 0; ok && i < p->at_count; i++) {
        int64_t first = r->deed_ns;
        ok = deed_at(p, p->at[i], e);
        if (i > 0)
            r->deed_ns = first;
    }
    if (ok)
        stage_watch(p->s, (int64_t)(st->for_us / 1000), 0);
    r->mended_ns = time_mono().ns;
    for (uint32_t i = 0; i < st->bot_count; i++) {
        uint64_t sent = p->bots[i] < 0 ? 0 : traffic_sent(p->s->t, p->bots[i]);
        r->bots[i] = lab_topo_find(p->s->l->topo, st->bots[i]);
        r->bot_qps[i] = (uint32_t)(sent * 1000000000ull / (uint64_t)(r->mended_ns - r->deed_ns));
        r->bot_count = i + 1;
        traffic_end(p->s->t, p->bots[i]);
    }
    if (st->cap_bps > 0)
        ok = step_cap_sites(p->s, 0, e) && ok;
    for (uint32_t i = 0; i < p->at_count; i++)
        ok = mend_at(p, p->at[i], e) && ok;
    if (!ok)
        return false;
    settle_after(p, r->mended_ns);
    stage_sleep(200);
    r->ended_ns = time_mono().ns;
    stage_sleep(700); /* the last answers are on their way */
    return true;
}

bool step_play(struct stage *s, const struct step *st, struct step_result *r, struct err *e)
{
    struct play p = {
        .s = s,
        .st = st,
        .r = r,
    };
    for (int i = 0; i < STEP_BOTS_MAX; i++)
        p.bots[i] = -1;
    memset(r, 0, sizeof *r);
    r->back_ms = -1;
    if (!stage_settle(s, SETTLE_MS, e))
        return false;
    find_targets(&p);
    (void)traffic_stall_us(s->t);
    r->begun_ns = time_mono().ns;
    stage_sleep(LEAD_MS);
    r->deed_ns = time_mono().ns;
    bool ok = play(&p, e);
    if (p.freezer > 0)
        proc_kill(p.freezer);
    if (!ok)
        return false;
    r->stall_us = traffic_stall_us(s->t);
    count_clients(&p);
    add_wire(&p);
    judge(&p);
    return !lab_stop || err_set(e, ERR_LIMIT, NULL, "stopped");
}
