/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lab/stage.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lab/bird.h"
#include "lab/proc.h"
#include "lab/prompt.h"

#define RECENT_NS 150000000 /* "latest" queries: so much before the longest round trip */

bool stage_sleep(int64_t ms)
{
    mono_t until = mono_add_ms(time_mono(), ms);
    while (!lab_stop && mono_before(time_mono(), until)) {
        int64_t left = mono_ms_between(time_mono(), until);
        sleep_ms(left < 20 ? (left > 0 ? left : 1) : 20);
    }
    return !lab_stop;
}

static void tick(struct stage *s, int64_t waited_ms)
{
    if (s->tick != NULL)
        s->tick(s->tick_arg, waited_ms);
}

bool stage_watch(struct stage *s, int64_t ms, int64_t waited_ms)
{
    while (ms > 1000 && stage_sleep(1000)) {
        ms -= 1000;
        waited_ms += 1000;
        tick(s, waited_ms);
    }
    return stage_sleep(ms);
}

static void name_servers(struct stage *s)
{
    struct lab_topo *t = s->l->topo;
    for (uint32_t i = 0; i < t->host_count && s->server_count < FATE_SERVERS_MAX; i++)
        if (t->hosts[i].kind == LAB_NODE) {
            s->servers[s->server_count] = t->hosts[i].name;
            s->server_host[s->server_count++] = i;
        }
}

bool stage_start(struct stage *s, struct lab_host *h, struct err *e)
{
    wire_started(s->w, h, time_mono().ns);
    return node_start(s->l, h, e);
}

static bool nodes_up(struct stage *s, const struct node_faults *faults, int limit_ms, struct err *e)
{
    struct lab_topo *t = s->l->topo;
    if (!node_files(s->l, faults, e))
        return false;
    for (uint32_t i = 0; i < s->server_count; i++)
        if (!stage_start(s, &t->hosts[s->server_host[i]], e))
            return false;
    for (uint32_t i = 0; i < s->server_count; i++)
        if (!node_wait(s->l, s->w, &t->hosts[s->server_host[i]], limit_ms, e))
            return false;
    return true;
}

bool stage_up(struct stage *s, struct lab *l, const struct node_faults *faults, int limit_ms,
              struct err *e)
{
    memset(s, 0, sizeof *s);
    s->l = l;
    for (uint32_t i = 0; i < LAB_HOSTS_MAX; i++)
        s->flow[i] = -1;
    if (!lab_up(l, e))
        return false;
    name_servers(s);
    s->w = wire_new(l, e);
    s->t = s->w != NULL ? traffic_new(e) : NULL;
    s->begun_ns = time_mono().ns;
    if (s->t != NULL && nodes_up(s, faults, limit_ms, e))
        return true;
    stage_down(s);
    return false;
}

void stage_down(struct stage *s)
{
    traffic_free(s->t);
    wire_free(s->w);
    s->t = NULL;
    s->w = NULL;
    lab_down(s->l);
}

int stage_flow(struct stage *s, const struct lab_host *h, uint32_t qps, bool flood, struct err *e)
{
    char ns[64];
    struct lab_topo *t = s->l->topo;
    struct traffic_options o = { .netns = lab_ns(s->l, h, ns), .zone = t->zone, .qps = qps };
    o.to[0] = (struct traffic_target){ .v4 = t->service4, .v6 = t->service6 };
    o.target_count = 1;
    inet_pton(AF_INET, NODE_EXPECT_A, &o.expect);
    o.seconds_max = 1200;
    o.flood = flood;
    o.servers = s->servers;
    o.server_count = s->server_count;
    return traffic_start(s->t, &o, e);
}

bool stage_ask(struct stage *s, uint32_t qps, struct err *e)
{
    struct lab_topo *t = s->l->topo;
    for (uint32_t i = 0; i < t->host_count; i++) {
        if (t->hosts[i].kind != LAB_CLIENT)
            continue;
        s->flow[i] = stage_flow(s, &t->hosts[i], qps, false, e);
        if (s->flow[i] < 0)
            return false;
    }
    return true;
}

uint64_t stage_delay_us(const struct lab_topo *t, uint32_t from, uint32_t to)
{
    static uint64_t best[LAB_HOSTS_MAX];
    for (uint32_t i = 0; i < t->host_count; i++)
        best[i] = i == from ? 0 : UINT64_MAX;
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t i = 0; i < t->link_count; i++) {
            const struct lab_link *k = &t->links[i];
            uint32_t ends[2] = { k->a, k->b };
            for (int d = 0; d < 2; d++) {
                uint64_t here = best[ends[d]];
                if (here != UINT64_MAX && here + k->delay_us < best[ends[1 - d]]) {
                    best[ends[1 - d]] = here + k->delay_us;
                    changed = true;
                }
            }
        }
    }
    return best[to];
}

uint32_t stage_home(const struct lab_topo *t, const struct lab_host *client)
{
    uint32_t home = 0;
    uint64_t least = UINT64_MAX;
    for (uint32_t i = 0; i < t->host_count; i++) {
        if (t->hosts[i].kind != LAB_NODE)
            continue;
        if (t->hosts[i].region == client->region)
            return t->hosts[i].site;
        uint64_t d = stage_delay_us(t, (uint32_t)(client - t->hosts), i);
        if (d < least) {
            least = d;
            home = t->hosts[i].site;
        }
    }
    return home;
}

/* Who answered the queries of `h` that were sent in the RECENT_NS before the last answer could be
 * missing; counts into tally[server]. Returns how many were asked. */
static uint32_t recent(struct stage *s, const struct lab_host *h, uint32_t tally[FATE_SERVERS_MAX],
                       uint32_t *answered)
{
    uint32_t count, asked = 0;
    int flow = s->flow[h - s->l->topo->hosts];
    *answered = 0;
    if (flow < 0)
        return 0;
    const struct fate *f = traffic_fates(s->t, flow, &count);
    /* Only what was sent after the newest answered query minus the window: far sites answer late. */
    uint32_t i = count;
    while (i > 0 && fate_state_of(atomic_load(&f[i - 1].outcome)) == FATE_OPEN && count - i < 5000)
        i--;
    if (i == 0)
        return 0;
    int64_t newest = f[i - 1].sent_ns;
    if (time_mono().ns - newest > 600000000)
        return 0;
    for (; i > 0 && f[i - 1].sent_ns > newest - RECENT_NS; i--, asked++) {
        uint64_t o = atomic_load(&f[i - 1].outcome);
        if (fate_state_of(o) == FATE_RIGHT && fate_server_of(o) < FATE_SERVERS_MAX) {
            tally[fate_server_of(o)]++;
            (*answered)++;
        }
    }
    return asked;
}

int stage_site_of(struct stage *s, const struct lab_host *h)
{
    uint32_t tally[FATE_SERVERS_MAX] = { 0 }, answered;
    int site = -1;
    if (recent(s, h, tally, &answered) == 0 || answered == 0)
        return -1;
    for (uint32_t i = 0; i < s->server_count; i++) {
        if (tally[i] == 0)
            continue;
        int at = (int)s->l->topo->hosts[s->server_host[i]].site;
        if (site >= 0 && site != at)
            return -1;
        site = at;
    }
    return site;
}

struct lab_host *stage_serving(struct stage *s, const struct lab_site *site)
{
    struct lab_topo *t = s->l->topo;
    uint32_t tally[FATE_SERVERS_MAX] = { 0 }, answered, most = 0;
    struct lab_host *best = NULL;
    for (uint32_t i = 0; i < t->host_count; i++)
        if (t->hosts[i].kind == LAB_CLIENT)
            recent(s, &t->hosts[i], tally, &answered);
    for (uint32_t i = 0; i < s->server_count; i++) {
        struct lab_host *h = &t->hosts[s->server_host[i]];
        if (&t->sites[h->site] == site && (best == NULL || tally[i] > most)) {
            most = tally[i];
            best = h;
        }
    }
    return best;
}

bool stage_settle(struct stage *s, int limit_ms, struct err *e)
{
    struct lab_topo *t = s->l->topo;
    mono_t begun = time_mono(), until = mono_add_ms(begun, limit_ms);
    int64_t ticks = 0;
    for (;;) {
        int64_t waited = mono_ms_between(begun, time_mono());
        if (waited / 1000 > ticks) {
            ticks = waited / 1000;
            tick(s, waited);
        }
        const struct lab_host *away = NULL;
        int site = -1;
        for (uint32_t i = 0; i < t->host_count && away == NULL; i++) {
            if (t->hosts[i].kind != LAB_CLIENT || s->flow[i] < 0)
                continue;
            site = stage_site_of(s, &t->hosts[i]);
            if (site != (int)stage_home(t, &t->hosts[i]))
                away = &t->hosts[i];
        }
        if (away == NULL)
            return true;
        if (lab_stop)
            return err_set(e, ERR_LIMIT, NULL, "stopped");
        if (!mono_before(time_mono(), until))
            return err_set(e, ERR_PEER, NULL, "client %s should be answered by %s, and is by %s",
                           away->name, t->sites[stage_home(t, away)].name,
                           site < 0 ? "none alone" : t->sites[site].name);
        sleep_ms(20);
    }
}

/* "… <TRACE> ams1_4.ipv4 > added [best] 192.0.2.0/24 …": how often BIRD took the node's route in. */
static uint32_t bird_learned(struct stage *s, const struct lab_host *h)
{
    char path[400], line[1024], want[2][64];
    const struct lab_host *r = lab_topo_router(s->l->topo, h);
    uint32_t n = 0;
    char name[LAB_NAME_MAX + 1];
    for (size_t i = 0; i <= strlen(h->name); i++)
        name[i] = h->name[i] == '-' ? '_' : h->name[i];
    snprintf(want[0], sizeof want[0], "%s_4.ipv4 > added", name);
    snprintf(want[1], sizeof want[1], "%s_6.ipv6 > added", name);
    snprintf(path, sizeof path, "%s/bird/%s.log", s->l->dir, r->name);
    FILE *f = fopen(path, "re");
    while (f != NULL && fgets(line, sizeof line, f) != NULL)
        n += strstr(line, want[0]) != NULL || strstr(line, want[1]) != NULL;
    if (f != NULL)
        fclose(f);
    return n;
}

/* Every answer of every client so far, also between the steps. */
static uint32_t wrong_answers(struct stage *s, FILE *out)
{
    uint32_t bad = 0;
    for (uint32_t i = 0; i < s->l->topo->host_count; i++) {
        if (s->flow[i] < 0 || s->l->topo->hosts[i].kind != LAB_CLIENT)
            continue;
        uint32_t n;
        const struct fate *f = traffic_fates(s->t, s->flow[i], &n);
        struct fate_filter all = { .to_ns = INT64_MAX, .target = -1 };
        struct fate_report r;
        fate_count(f, n, &all, NULL, &r);
        if (r.wrong > 0) {
            fprintf(out, "%s got %u wrong answers of %u\n", s->l->topo->hosts[i].name, r.wrong,
                    r.sent);
            bad++;
        }
    }
    return bad;
}

uint32_t stage_outside_check(struct stage *s, FILE *out)
{
    struct lab_topo *t = s->l->topo;
    uint32_t bad = wrong_answers(s, out);
    for (uint32_t i = 0; i < s->server_count; i++) {
        const struct lab_host *h = &t->hosts[s->server_host[i]];
        struct wire_sum all;
        int64_t late;
        wire_sum(s->w, h, 0, INT64_MAX, &all);
        uint32_t unproven = wire_unproven(s->w, h, &late);
        if (unproven > 0) {
            fprintf(out, "%s announced %u times without a right answer before it (%lld ms early)\n",
                    h->name, unproven, late == INT64_MAX ? -1LL : (long long)late / 1000000);
            bad++;
        }
        uint32_t learned = bird_learned(s, h);
        if (learned == 0 && all.announced > 0) {
            fprintf(out, "%s announced %u prefixes, BIRD's log knows of none\n", h->name,
                    all.announced);
            bad++;
        }
    }
    return bad;
}
