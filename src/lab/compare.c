/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lab/compare.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "lab/proc.h"
#include "lab/prompt.h"

#define WATCH_MS 2000 /* of each measurement */

struct unicast {
    struct stage *s;
    struct lab_host *host[LAB_SITES_MAX]; /* by site */
    pid_t pid[LAB_SITES_MAX];
    int flow[STEP_CLIENTS_MAX];
    struct compare_unicast *out;
    bool near;
};

static bool start_servers(struct unicast *u, struct err *e)
{
    struct lab_topo *t = u->s->l->topo;
    for (uint32_t i = 0; i < t->host_count; i++)
        if (t->hosts[i].kind == LAB_NODE && u->host[t->hosts[i].site] == NULL)
            u->host[t->hosts[i].site] = &t->hosts[i];
    for (uint32_t i = 0; i < t->site_count; i++) {
        const struct lab_link *k = &t->links[u->host[i]->link];
        char ns[64], a4[64], a6[80], zone[400], log[400];
        snprintf(zone, sizeof zone, "%s=%s/%s.zone", t->zone, u->s->l->dir, t->zone);
        snprintf(log, sizeof log, "%s/node/%s-unicast.log", u->s->l->dir, u->host[i]->name);
        inet_ntop(AF_INET, &k->b4, a4, sizeof a4);
        inet_ntop(AF_INET6, &k->b6, a6, sizeof a6);
        const char *argv[] = {
            u->s->l->perigee, "serve",          "--listen", a4, "--listen", a6, "--zone", zone,
            "--nsid",         u->host[i]->name, NULL
        };
        struct proc_opts o = { .netns = lab_ns(u->s->l, u->host[i], ns), .log = log };
        u->pid[i] = proc_start(&o, argv, e);
        if (u->pid[i] <= 0)
            return false;
        u->out->servers++;
        snprintf(u->out->command, sizeof u->out->command,
                 "perigee serve --listen %s --listen %s --zone %s=%s.zone", a4, a6, t->zone,
                 t->zone);
    }
    return true;
}

static struct traffic_target address_of(const struct unicast *u, uint32_t site)
{
    const struct lab_link *k = &u->s->l->topo->links[u->host[site]->link];
    return (struct traffic_target){ .v4 = k->b4, .v6 = k->b6 };
}

/* site -1: all in turn; target i of the flow is site i. */
static int ask(struct unicast *u, const struct lab_host *h, int site, uint32_t qps, bool flood,
               struct err *e)
{
    struct lab_topo *t = u->s->l->topo;
    char ns[64];
    struct traffic_options o = { .netns = lab_ns(u->s->l, h, ns), .zone = t->zone, .qps = qps };
    for (uint32_t i = 0; i < t->site_count && i < TRAFFIC_TARGETS_MAX; i++)
        o.to[o.target_count++] = address_of(u, u->near && !flood ? stage_home(t, h) : i);
    if (site >= 0) {
        o.to[0] = o.to[site];
        o.target_count = 1;
    }
    inet_pton(AF_INET, NODE_EXPECT_A, &o.expect);
    o.seconds_max = 60;
    o.flood = flood;
    o.servers = u->s->servers;
    o.server_count = u->s->server_count;
    return traffic_start(u->s->t, &o, e);
}

static void count(struct unicast *u, uint32_t client, int target, int64_t from, int64_t to,
                  struct fate_report *r)
{
    uint32_t n;
    const struct fate *f = traffic_fates(u->s->t, u->flow[client], &n);
    uint32_t *scratch = base_alloc((n + 1) * sizeof *scratch);
    struct fate_filter filter = { .from_ns = from, .to_ns = to, .target = target };
    fate_count(f, n, &filter, scratch, r);
    free(scratch);
}

static bool start_clients(struct unicast *u, uint32_t qps, struct err *e)
{
    struct lab_topo *t = u->s->l->topo;
    for (uint32_t i = 0; i < t->host_count && u->out->client_count < STEP_CLIENTS_MAX; i++) {
        if (t->hosts[i].kind != LAB_CLIENT)
            continue;
        uint32_t c = u->out->client_count++;
        u->out->who[c] = &t->hosts[i];
        u->flow[c] = ask(u, &t->hosts[i], -1, qps, false, e);
        if (u->flow[c] < 0)
            return false;
    }
    return true;
}

/* From the command to the first right answer of each site at the client that is nearest. */
static bool wait_ready(struct unicast *u, int64_t begun, struct err *e)
{
    mono_t until = mono_add_ms(time_mono(), 15000);
    for (uint32_t site = 0; site < u->s->l->topo->site_count; site++) {
        for (;;) {
            struct fate_report r;
            uint32_t right = 0;
            for (uint32_t c = 0; c < u->out->client_count; c++) {
                count(u, c, (int)site, 0, INT64_MAX, &r);
                right += r.right;
            }
            if (right > 0)
                break;
            if (lab_stop || !mono_before(time_mono(), until))
                return err_set(e, ERR_PEER, NULL, "no answer from %s at its own address",
                               u->host[site]->name);
            sleep_ms(5);
        }
    }
    u->out->ready_us = (time_mono().ns - begun) / 1000;
    return true;
}

static void measure_rtt(struct unicast *u)
{
    struct fate_report r;
    int64_t from = time_mono().ns;
    stage_sleep(WATCH_MS);
    int64_t to = time_mono().ns;
    stage_sleep(500);
    for (uint32_t c = 0; c < u->out->client_count; c++)
        for (uint32_t site = 0; site < u->s->l->topo->site_count; site++) {
            count(u, c, (int)site, from, to, &r);
            u->out->rtt_us[c][site] = r.rtt_us_median;
        }
}

/* All bots at the address of site 0. */
static bool measure_flood(struct unicast *u, const struct step *flood, struct err *e)
{
    int bots[STEP_BOTS_MAX];
    struct fate_report r;
    bool ok = step_cap_sites(u->s, flood->cap_bps, e);
    for (uint32_t i = 0; i < flood->bot_count; i++) {
        const struct lab_host *h = lab_topo_find(u->s->l->topo, flood->bots[i]);
        bots[i] = ok ? ask(u, h, 0, flood->bot_qps[i], true, e) : -1;
        ok = ok && bots[i] >= 0;
    }
    stage_sleep(700); /* until the queue in front of the cap is full */
    int64_t from = time_mono().ns;
    stage_sleep(WATCH_MS);
    int64_t to = time_mono().ns;
    for (uint32_t i = 0; i < flood->bot_count; i++)
        traffic_end(u->s->t, bots[i]);
    ok = step_cap_sites(u->s, 0, e) && ok;
    stage_sleep(700);
    for (uint32_t c = 0; c < u->out->client_count; c++) {
        count(u, c, 0, from, to, &r);
        u->out->flood_answered[c] = r.sent ? 100.0 * r.right / r.sent : 0;
    }
    return ok;
}

static void measure_death(struct unicast *u)
{
    char ns[64];
    struct fate_report r;
    netns_kill(lab_ns(u->s->l, u->host[0], ns));
    proc_kill(u->pid[0]);
    u->pid[0] = 0;
    int64_t from = time_mono().ns;
    stage_sleep(WATCH_MS);
    int64_t to = time_mono().ns;
    stage_sleep(500);
    for (uint32_t c = 0; c < u->out->client_count; c++) {
        count(u, c, 0, from, to, &r);
        u->out->dead_lost += r.lost;
        u->out->dead_sent += r.sent;
    }
}

bool compare_unicast(struct stage *s, const struct step *flood, uint32_t qps, bool near,
                     struct compare_unicast *out, struct err *e)
{
    static struct unicast u;
    memset(&u, 0, sizeof u);
    memset(out, 0, sizeof *out);
    u.s = s;
    u.out = out;
    u.near = near;
    for (int i = 0; i < STEP_CLIENTS_MAX; i++)
        u.flow[i] = -1;
    int64_t begun = time_mono().ns;
    bool ok = start_servers(&u, e) && start_clients(&u, qps, e) && wait_ready(&u, begun, e);
    if (ok)
        measure_rtt(&u);
    if (ok && flood != NULL)
        ok = measure_flood(&u, flood, e);
    if (ok)
        measure_death(&u);
    for (uint32_t c = 0; c < out->client_count; c++)
        traffic_end(s->t, u.flow[c]);
    for (uint32_t i = 0; i < LAB_SITES_MAX; i++) {
        char ns[64];
        if (u.host[i] != NULL)
            netns_kill(lab_ns(s->l, u.host[i], ns));
        proc_kill(u.pid[i]);
    }
    return ok && (!lab_stop || err_set(e, ERR_LIMIT, NULL, "stopped"));
}
