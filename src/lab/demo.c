/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The show: who answers whom, eight ways to lose a server, unicast beside anycast. Every number is
 * measured in this run; every one that should be something is compared with what it should be. */
#include "lab/demo.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "lab/bird.h"
#include "lab/compare.h"
#include "lab/proc.h"
#include "lab/prompt.h"

struct demo {
    struct show sh;
    struct stage s;
    struct lab *l;
    struct scenario *sc;
    enum demo_break sabotage;
    uint32_t failures;
    int64_t
        setup_us; /* from the start of the nodes to a right answer of the home site everywhere */
    uint32_t rtt_us[STEP_CLIENTS_MAX]; /* anycast, median of both families */
    const struct lab_host *who[STEP_CLIENTS_MAX];
    uint32_t client_count;
    struct step_result result[STEPS_MAX];
    bool played[STEPS_MAX];
};

static void failed(struct demo *d, const char *what)
{
    d->failures++;
    show_bad(&d->sh, "%s", what);
}

static void intro(struct demo *d)
{
    const struct lab_topo *t = d->l->topo;
    char a4[INET_ADDRSTRLEN], a6[INET6_ADDRSTRLEN];
    uint32_t count[4] = { 0 };
    for (uint32_t i = 0; i < t->host_count; i++)
        count[t->hosts[i].kind]++;
    show_title(&d->sh, "Anycast in a box: %u sites on %u continents share one address",
               t->site_count, t->region_count);
    show_line(&d->sh, "%s and %s, announced by BGP from AS%u at every site",
              inet_ntop(AF_INET, &t->service4, a4, sizeof a4),
              inet_ntop(AF_INET6, &t->service6, a6, sizeof a6), t->as);
    show_line(&d->sh,
              "%u BIRD routers, each an AS of its own; %u perigee nodes, one fleet file; "
              "%u clients, %u bots",
              count[LAB_ROUTER], count[LAB_NODE], count[LAB_CLIENT], count[LAB_BOT]);
    for (uint32_t i = 0; i < t->link_count; i++) {
        const struct lab_link *k = &t->links[i];
        if (k->relation == LAB_PEERS)
            show_line(&d->sh, "%s <-> %s: %s one way", t->regions[t->hosts[k->a].region],
                      t->regions[t->hosts[k->b].region], show_us(k->delay_us));
    }
}

static bool set_up(struct demo *d, struct err *e)
{
    struct node_faults faults = { 0 };
    struct lab_topo *t = d->l->topo;
    show_title(&d->sh, "Setting up");
    if (d->sabotage == DEMO_BREAK_NSID)
        for (uint32_t i = 0; i < t->host_count; i++)
            if (t->hosts[i].kind == LAB_NODE) {
                faults.nsid_is = faults.nsid_of ? faults.nsid_is : t->hosts[i].name;
                faults.nsid_of = t->hosts[i].name; /* the last calls itself as the first */
            }
    show_doing(&d->sh, "namespaces, links, delays, routers, nodes");
    int64_t begun = time_mono().ns;
    if (!stage_up(&d->s, d->l, &faults, 30000, e))
        return false;
    d->s.tick = show_tick;
    d->s.tick_arg = &d->sh;
    int64_t up = time_mono().ns, started = d->l->node[d->s.server_host[0]].started_at.ns;
    if (!stage_ask(&d->s, d->sc->qps, e))
        return false;
    if (d->sabotage == DEMO_BREAK_NSID)
        stage_sleep(1500);
    else if (!stage_settle(&d->s, 20000, e))
        return false;
    d->setup_us = (time_mono().ns - started) / 1000;
    show_ok(&d->sh, "the internet stands after %s, all nodes announce %s after their start",
            show_us((uint64_t)(started - begun) / 1000), show_us((uint64_t)(up - started) / 1000));
    show_line(&d->sh, "captures, logs and the fleet file: %s", d->l->dir);
    return true;
}

/* What a client got over one family in a second. */
struct seen {
    const struct lab_host *client, *server; /* the one that answered most */
    uint32_t host;                          /* the client's index */
    uint8_t family;
    bool alone; /* nobody else answered */
    struct fate_report r;
};

struct catchment {
    struct seen seen[2 * STEP_CLIENTS_MAX];
    uint32_t count, pace_us;
    int64_t stall_us;
};

static void look_at(struct demo *d, uint32_t host, int64_t from, int64_t to, struct catchment *c)
{
    struct lab_topo *t = d->l->topo;
    uint32_t n;
    const struct fate *f = traffic_fates(d->s.t, d->s.flow[host], &n);
    uint32_t *scratch = base_alloc((n + 1) * sizeof *scratch);
    for (uint8_t family = 4; family <= 6; family = (uint8_t)(family + 2)) {
        struct seen *s = &c->seen[c->count++];
        struct fate_filter filter = { .from_ns = from, .to_ns = to, .family = family };
        filter.target = -1;
        *s = (struct seen){ .client = &t->hosts[host], .host = host, .family = family };
        fate_count(f, n, &filter, scratch, &s->r);
        uint32_t best = 0;
        for (uint32_t k = 1; k < d->s.server_count; k++)
            best = s->r.by_server[k] > s->r.by_server[best] ? k : best;
        s->server = &t->hosts[d->s.server_host[best]];
        s->alone = s->r.by_server[best] == s->r.right;
    }
    uint32_t pace = fate_pace_us(f, n, d->sc->qps, from, to, scratch);
    c->pace_us = pace > c->pace_us ? pace : c->pace_us;
    free(scratch);
}

static void look(struct demo *d, struct catchment *c)
{
    *c = (struct catchment){ .count = 0 };
    stage_sleep(300);
    (void)traffic_stall_us(d->s.t);
    int64_t from = time_mono().ns;
    stage_sleep(1000);
    int64_t to = time_mono().ns;
    stage_sleep(500);
    c->stall_us = traffic_stall_us(d->s.t);
    for (uint32_t i = 0; i < d->l->topo->host_count && c->count < 2 * STEP_CLIENTS_MAX; i++)
        if (d->s.flow[i] >= 0 && d->l->topo->hosts[i].kind == LAB_CLIENT)
            look_at(d, i, from, to, c);
}

static uint64_t way_us(const struct demo *d, const struct seen *s)
{
    return 2 * stage_delay_us(d->l->topo, s->host, (uint32_t)(s->server - d->l->topo->hosts));
}

/* What is wrong with it, in words; empty: nothing. */
static const char *seen_wrong(const struct demo *d, const struct seen *s, char out[200])
{
    const struct lab_topo *t = d->l->topo;
    uint32_t home = stage_home(t, s->client);
    uint64_t way = way_us(d, s);
    out[0] = '\0';
    if (s->server->site != home || !s->alone)
        snprintf(out, 200, "%s should be answered by %s alone over IPv%u", s->client->name,
                 t->sites[home].name, s->family);
    else if (s->r.wrong > 0 || s->r.lost > 0)
        snprintf(out, 200, "%s: %u lost and %u wrong of %u", s->client->name, s->r.lost, s->r.wrong,
                 s->r.sent);
    else if (s->r.rtt_us_median + 500 < way || s->r.rtt_us_median > way + 8000)
        snprintf(out, 200, "%s: an RTT of %s does not fit a way of %s: is it %s?", s->client->name,
                 show_us(s->r.rtt_us_median), show_us(way), s->server->name);
    return out;
}

/* One line per client and family; the medians of one second. */
static void catchment(struct demo *d)
{
    static struct catchment c;
    struct lab_topo *t = d->l->topo;
    char what[200];
    show_title(&d->sh, "Who answers whom (by NSID), and how fast");
    show_line(&d->sh, "%-9s %-10s %-5s %-6s %-6s %8s   %s", "client", "continent", "", "site",
              "node", "RTT", "the distance there and back");
    for (int tries = 0; tries < 3; tries++) {
        bool bad = false;
        look(d, &c);
        for (uint32_t i = 0; i < c.count; i++)
            bad = bad || seen_wrong(d, &c.seen[i], what)[0] != '\0';
        if (!bad || c.stall_us <= STEP_STALL_US || d->sabotage != DEMO_BREAK_NONE)
            break; /* else the machine stood still meanwhile: looks once more */
    }
    for (uint32_t i = 0; i < c.count; i++) {
        const struct seen *s = &c.seen[i];
        show_line(&d->sh, "%-9s %-10s IPv%u  %-6s %-6s %8s   %s", s->client->name,
                  t->regions[s->client->region], s->family, t->sites[s->server->site].name,
                  s->server->name, show_us(s->r.rtt_us_median), show_us(way_us(d, s)));
        if (seen_wrong(d, s, what)[0] != '\0')
            failed(d, what);
        if (s->family == 6) {
            d->rtt_us[d->client_count] = (c.seen[i - 1].r.rtt_us_median + s->r.rtt_us_median) / 2;
            d->who[d->client_count++] = s->client;
        }
    }
    show_line(&d->sh, "%s queries/s per client, evenly: 99 %% left within %s of their time",
              show_number(d->sc->qps), show_us(c.pace_us));
}

/* A sabotaged run only needs what shows the sabotage. */
static bool wanted(const struct demo *d, const struct step *st)
{
    switch (d->sabotage) {
    case DEMO_BREAK_NONE:
        return true;
    case DEMO_BREAK_WITHDRAW:
        return st->verb == STEP_KILL_NODE;
    case DEMO_BREAK_HANG:
        return st->verb == STEP_STOP_WORKER;
    case DEMO_BREAK_NSID:
    case DEMO_BREAK_UNICAST:
        return false;
    }
    return true;
}

static bool play_steps(struct demo *d, struct err *e)
{
    uint32_t number = 0;
    if (d->sabotage == DEMO_BREAK_NSID || d->sabotage == DEMO_BREAK_UNICAST)
        return true;
    show_title(&d->sh, "%s, at %s queries/s per client", d->sc->name, show_number(d->sc->qps));
    d->s.hang_repair = d->sabotage == DEMO_BREAK_HANG;
    for (uint32_t i = 0; i < d->sc->count; i++) {
        const struct step *st = &d->sc->steps[i];
        if (!wanted(d, st))
            continue;
        show_begin(&d->sh, ++number, st);
        if (!step_play(&d->s, st, &d->result[i], e))
            return false;
        if (d->result[i].failure_count > 0 && d->result[i].stall_us > STEP_STALL_US &&
            d->sabotage == DEMO_BREAK_NONE) {
            show_line(&d->sh, "the machine itself stood still for %s; once more",
                      show_us((uint64_t)d->result[i].stall_us));
            if (!step_play(&d->s, st, &d->result[i], e))
                return false;
        }
        show_step(&d->sh, &d->s, st, &d->result[i]);
        d->played[i] = true;
        d->failures += d->result[i].failure_count;
        if (d->sabotage != DEMO_BREAK_NONE && d->failures > 0)
            return true;
    }
    return true;
}

static const struct step_result *find_result(const struct demo *d, enum step_verb verb,
                                             const struct step **st)
{
    const struct step_result *found = NULL;
    for (uint32_t i = 0; i < d->sc->count; i++)
        if (d->sc->steps[i].verb == verb) {
            *st = &d->sc->steps[i];
            found = d->played[i] ? &d->result[i] : found; /* the last of its kind */
        }
    return found;
}

static void table_row(struct demo *d, const char *what, const char *unicast, const char *anycast)
{
    show_line(&d->sh, "%-34s | %-30s | %s", what, unicast, anycast);
}

static uint32_t fleet_lines(const struct demo *d)
{
    char path[400], line[512];
    uint32_t n = 0;
    snprintf(path, sizeof path, "%s/fleet.yaml", d->l->dir);
    FILE *f = fopen(path, "re");
    while (f != NULL && fgets(line, sizeof line, f) != NULL)
        n += line[strspn(line, " \n")] != '\0' && line[strspn(line, " ")] != '#';
    if (f != NULL)
        fclose(f);
    return n;
}

/* Lines of the router's configuration that are there for this node. */
static uint32_t router_lines(const struct demo *d, const struct lab_host *h)
{
    char path[400], line[512], want[40];
    uint32_t n = 0;
    bool inside = false;
    snprintf(want, sizeof want, "protocol bgp %s_", h->name);
    snprintf(path, sizeof path, "%s/bird/%s.conf", d->l->dir, lab_topo_router(d->l->topo, h)->name);
    FILE *f = fopen(path, "re");
    while (f != NULL && fgets(line, sizeof line, f) != NULL) {
        inside = inside || strncmp(line, want, strlen(want)) == 0;
        n += inside;
        inside = inside && line[0] != '}';
    }
    if (f != NULL)
        fclose(f);
    return n;
}

static void table_speed(struct demo *d, const struct compare_unicast *u)
{
    char what[80], uni[80], any[80];
    const struct lab_topo *t = d->l->topo;
    for (uint32_t c = 0; c < u->client_count; c++) {
        uint32_t least = UINT32_MAX, most = 0;
        for (uint32_t s = 0; s < t->site_count; s++) {
            least = u->rtt_us[c][s] < least ? u->rtt_us[c][s] : least;
            most = u->rtt_us[c][s] > most ? u->rtt_us[c][s] : most;
        }
        snprintf(what, sizeof what, "speed: RTT from %s", t->regions[u->who[c]->region]);
        snprintf(uni, sizeof uni, "%s to %s, by address", show_us(least), show_us(most));
        snprintf(any, sizeof any, "%s", show_us(d->rtt_us[c]));
        table_row(d, what, uni, any);
        /* Somewhere in the world the one address of a unicast server is far: three times farther than
         * the nearest site is little. */
        if (most < 3 * (uint64_t)d->rtt_us[c] || least == 0)
            failed(d, "unicast servers should be far from other continents");
    }
}

static void table_flood(struct demo *d, const struct compare_unicast *u)
{
    char what[80], uni[80], any[80];
    const struct lab_topo *t = d->l->topo;
    const struct step *st = NULL;
    const struct step_result *r = find_result(d, STEP_FLOOD, &st);
    double worst_uni = 100, best_any = 0;
    for (uint32_t c = 0; r != NULL && c < u->client_count; c++) {
        const struct fate_report *f = &r->during[c];
        double share = f->sent ? 100.0 * f->right / f->sent : 0;
        snprintf(what, sizeof what, "flood: answered in %s", t->regions[u->who[c]->region]);
        snprintf(uni, sizeof uni, "%.0f %% at the flooded address", u->flood_answered[c]);
        snprintf(any, sizeof any, "%.0f %%", share);
        table_row(d, what, uni, any);
        worst_uni = u->flood_answered[c] < worst_uni ? u->flood_answered[c] : worst_uni;
        best_any = share > best_any ? share : best_any;
    }
    if (r != NULL && (worst_uni > 70 || best_any < 95))
        failed(d, "the flood should hurt the unicast address everywhere, anycast at home only");
}

static void table_death(struct demo *d, const struct compare_unicast *u)
{
    char uni[80], any[120];
    const struct step *st = NULL;
    const struct step_result *r = find_result(d, STEP_KILL_NODE, &st);
    if (r == NULL)
        return;
    snprintf(uni, sizeof uni, "%.0f %% of %s lost until repaired",
             u->dead_sent ? 100.0 * u->dead_lost / u->dead_sent : 0, show_number(u->dead_sent));
    snprintf(any, sizeof any, "%s of %s lost, then the next site answers", show_number(r->all.lost),
             show_number(r->all.sent));
    table_row(d, "a site's servers die", uni, any);
    if (u->dead_lost * 100ull < u->dead_sent * 95ull)
        failed(d, "a dead unicast server should answer nothing");
}

static void table(struct demo *d, const struct compare_unicast *u)
{
    char uni[120], any[120];
    const struct lab_topo *t = d->l->topo;
    show_title(&d->sh, "Unicast beside anycast: the same servers, measured in this run");
    table_row(d, "", "unicast", "anycast");
    snprintf(uni, sizeof uni, "%u", u->servers);
    snprintf(any, sizeof any, "%u at %u sites", d->s.server_count, t->site_count);
    table_row(d, "servers", uni, any);
    snprintf(any, sizeof any, "%u", d->s.server_count);
    table_row(d, "servers per address", "1", any);
    table_speed(d, u);
    table_flood(d, u);
    table_death(d, u);
    snprintf(any, sizeof any, "1 per node, and a router that takes the route");
    table_row(d, "set-up: commands", "1 per server", any);
    snprintf(any, sizeof any, "%u for %u nodes, and %u per node at its router", fleet_lines(d),
             d->s.server_count, router_lines(d, &t->hosts[d->s.server_host[0]]));
    table_row(d, "set-up: lines of configuration", "0", any);
    table_row(d, "set-up: until answers come", show_us((uint64_t)u->ready_us),
              show_us((uint64_t)d->setup_us));
    show_line(&d->sh,
              "Single queries, no retries: a resolver that gets no answer asks again about a "
              "second later,");
    show_line(&d->sh, "at another address if the zone has one. Unicast: %s", u->command);
}

static bool compare(struct demo *d, struct err *e)
{
    static struct compare_unicast u;
    struct lab_topo *t = d->l->topo;
    const struct step *flood = NULL;
    const struct step_result *r = find_result(d, STEP_FLOOD, &flood);
    show_doing(&d->sh, "stopping the nodes; one plain server per site at its own address instead");
    for (uint32_t i = 0; i < t->host_count; i++) {
        traffic_end(d->s.t, d->s.flow[i]);
        d->s.flow[i] = -1;
    }
    for (uint32_t i = 0; i < d->s.server_count; i++)
        kill(d->l->node[d->s.server_host[i]].guard, SIGTERM);
    for (uint32_t i = 0; i < d->s.server_count; i++)
        if (!node_stop(d->l, &t->hosts[d->s.server_host[i]], 20000)) {
            failed(d, "a node did not end within 20 s of SIGTERM");
            node_kill(d->l, &t->hosts[d->s.server_host[i]]);
        }
    if (!compare_unicast(&d->s, r ? flood : NULL, d->sc->qps, d->sabotage == DEMO_BREAK_UNICAST, &u,
                         e))
        return false;
    table(d, &u);
    return true;
}

static void outside(struct demo *d)
{
    show_title(&d->sh, "What the routers and the wire say");
    uint32_t bad = stage_outside_check(&d->s, d->sh.out);
    d->failures += bad;
    struct wire_sum all;
    wire_sum(d->s.w, NULL, 0, INT64_MAX, &all);
    if (bad == 0)
        show_ok(&d->sh,
                "no route before the first right answer, no wrong answer by a site with its route "
                "out; %u UPDATEs in all",
                all.updates);
}

static bool perform(struct demo *d, struct err *e)
{
    intro(d);
    if (!set_up(d, e))
        return false;
    catchment(d);
    if (!play_steps(d, e))
        return false;
    if (d->sabotage == DEMO_BREAK_NONE)
        outside(d);
    return (d->sabotage != DEMO_BREAK_NONE && d->sabotage != DEMO_BREAK_UNICAST) || compare(d, e);
}

int demo_run(struct lab *l, struct scenario *sc, enum demo_break sabotage, bool keep)
{
    struct demo *d = base_calloc(1, sizeof *d);
    struct err e = { 0 };
    char text[600];
    d->l = l;
    d->sc = sc;
    d->sabotage = sabotage;
    l->sticky = sabotage == DEMO_BREAK_WITHDRAW;
    show_init(&d->sh, stdout);
    bool ok = perform(d, &e);
    if (!ok)
        show_bad(&d->sh, "%s", err_text(&e, text, sizeof text));
    if (keep && d->s.w != NULL) {
        for (uint32_t i = 0; i < d->s.server_count; i++) /* the comparison had stopped them */
            if (l->node[d->s.server_host[i]].guard <= 0)
                (void)stage_start(&d->s, &l->topo->hosts[d->s.server_host[i]], &e);
        prompt(l, &d->s);
    }
    if (d->s.w != NULL)
        stage_down(&d->s);
    int64_t seconds = (time_mono().ns - d->sh.begun_ns) / 1000000000;
    if (ok && d->failures == 0)
        show_title(&d->sh, "All as it should be, in %lld s.", (long long)seconds);
    else
        show_title(&d->sh, "NOT as it should be: %u findings above, after %lld s.",
                   d->failures + !ok, (long long)seconds);
    ok = ok && d->failures == 0;
    free(d);
    return ok ? 0 : 1;
}
