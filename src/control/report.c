/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What status and the other views show, as JSON. docs/operating.md describes every key and promises to
 * keep them: new keys come, old ones stay. Ages are milliseconds up to the moment of the report;
 * what never happened is null. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "control/parts.h"

#define ZONES_SHOWN_MAX 1000  /* of a node with more, status tells the number */
#define ROUTES_SHOWN_MAX 1024 /* per neighbor: BGP_ROUTES_MAX */

/* Milliseconds since `at`; null when it never was. */
static json_t *age(mono_t at, mono_t now)
{
    return at.ns == MONO_ZERO.ns || at.ns == MONO_NEVER.ns ? json_null()
                                                           : json_integer(mono_ms_between(at, now));
}

/* Milliseconds until `at`; null when it does not come. */
static json_t *left(mono_t at, mono_t now)
{
    return at.ns == MONO_ZERO.ns || at.ns == MONO_NEVER.ns ? json_null()
                                                           : json_integer(mono_ms_between(now, at));
}

/* A time of this process as the calendar's: "2026-11-25T01:02:03.456Z". */
static json_t *moment(mono_t at, mono_t now)
{
    wall_t wall = time_wall();
    char text[40];
    struct tm tm;
    if (at.ns == MONO_ZERO.ns || at.ns == MONO_NEVER.ns)
        return json_null();
    int64_t ms = wall.s * 1000 + wall.ns / 1000000 - mono_ms_between(at, now);
    time_t s = (time_t)(ms / 1000);
    gmtime_r(&s, &tm);
    size_t n = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(text + n, sizeof text - n, ".%03dZ", (int)(ms % 1000));
    return json_string(text);
}

/* Some texts hold what a neighbor or a zone says, cut at a length: what is no UTF-8 shows as '?'. */
static json_t *text_report(const char *text)
{
    json_t *j = json_string(text);
    if (j != NULL)
        return j;
    char *copy = base_strdup(text);
    for (char *p = copy; *p != '\0'; p++)
        if ((unsigned char)*p >= 0x80)
            *p = '?';
    j = json_string(copy);
    free(copy);
    return j;
}

static json_t *text_or_null(const char *text)
{
    return text == NULL || text[0] == '\0' ? json_null() : text_report(text);
}

json_t *control_report_error(const char *text)
{
    return json_pack("{s:b, s:o}", "ok", 0, "error", text_report(text));
}

/* The neighbors that hold the prefix: with a session, the speaker tells them in the same turn. */
static json_t *told_report(const struct control *c, uint32_t prefix)
{
    json_t *told = json_array();
    for (uint32_t r = 0; r < c->out.route_count; r++) {
        struct bgp_neighbor_status s;
        if (c->out.routes[r].prefix != prefix)
            continue;
        bgp_speaker_status(c->bgp, c->out.routes[r].neighbor, &s);
        if (s.state == BGP_ESTABLISHED)
            json_array_append_new(told, json_string(s.name));
    }
    return told;
}

static json_t *prefix_report(const struct control *c, uint32_t i, mono_t now)
{
    char text[PREFIX_TEXT_MAX];
    const struct announce_prefix *p = &c->announce.config.prefixes[i];
    const struct announce_status *s = &c->out.prefixes[i];
    return json_pack("{s:s, s:s, s:s, s:b, s:o, s:o, s:o, s:o, s:o, s:i, s:o, s:o, s:i, s:b, s:b, "
                     "s:o}",
                     "prefix", prefix_text(&p->prefix, text), "service", p->service, "state",
                     announce_state_name(s->state), "announced",
                     announce_state_is_out(s->state) && !c->bundle.dry_run, "since",
                     moment(s->since, now), "since_ms", age(s->since, now), "reason",
                     text_report(s->reason), "now", text_or_null(s->now), "evidence_age_ms",
                     age(s->evidence_at, now), "lease_ms", (int)p->terms.lease_ms, "lease_left_ms",
                     left(s->lease_until, now), "hold_left_ms", left(s->hold_until, now), "flaps",
                     (int)s->flaps, "last_site", s->last_site, "wishes_to_step_back", s->wish,
                     "neighbors", told_report(c, i));
}

static json_t *path_report(const struct verdict_path *p, mono_t now)
{
    char text[ADDR_TEXT_MAX];
    return json_pack(
        "{s:s, s:s, s:b, s:s, s:o, s:o, s:i, s:s, s:o, s:o, s:I, s:I, s:I}", "address",
        addr_text(&p->addr, text), "transport", verdict_transport_name(p->transport), "proven",
        p->proven, "evidence_by", verdict_how_name(p->how), "evidence_age_ms",
        age(p->evidence_at, now), "probed_age_ms", age(p->probed_at, now), "rtt_us", (int)p->rtt_us,
        "fault", verdict_why_name(p->why), "fault_text", text_or_null(p->text), "fault_age_ms",
        age(p->why_since, now), "probes_right", (json_int_t)p->probes_right, "probes_wrong",
        (json_int_t)p->probes_wrong, "probes_late", (json_int_t)p->probes_late);
}

static json_t *families_report(uint32_t families)
{
    json_t *list = json_array();
    if (families & BGP_FAMILY_BIT(BGP_IPV4))
        json_array_append_new(list, json_string("ipv4"));
    if (families & BGP_FAMILY_BIT(BGP_IPV6))
        json_array_append_new(list, json_string("ipv6"));
    return list;
}

static json_t *neighbor_report(const struct control *c, uint32_t i, mono_t now)
{
    struct bgp_neighbor_status s;
    char text[BGP_ADDR_TEXT_MAX];
    bgp_speaker_status(c->bgp, i, &s);
    bool up = s.state == BGP_ESTABLISHED;
    return json_pack(
        "{s:s, s:s, s:I, s:b, s:s, s:b, s:o, s:o, s:o, s:i, s:o, s:i, s:i, s:i, s:I, s:I, "
        "s:I, s:I, s:o, s:o}",
        "neighbor", s.name, "address", bgp_addr_text(&s.addr, text), "as", (json_int_t)s.remote_as,
        "ibgp", s.ibgp, "state", bgp_state_text(s.state), "up", up, "since", moment(s.since, now),
        "since_ms", age(s.since, now), "next_try_ms", left(s.next_try, now), "hold_time_s",
        (int)s.hold_s, "families", families_report(s.families), "routes_out", (int)s.routes_out,
        "routes_due", (int)s.routes_due, "routes_seen", (int)s.routes_seen, "updates_sent",
        (json_int_t)s.counters.row[BGP_tx_updates], "updates_received",
        (json_int_t)s.counters.row[BGP_rx_updates], "times_up",
        (json_int_t)s.counters.row[BGP_established], "times_down",
        (json_int_t)s.counters.row[BGP_downs], "last_error", text_or_null(s.last_error),
        "last_error_age_ms", age(s.last_error_at, now));
}

static json_t *neighbors_array(const struct control *c, mono_t now)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < bgp_speaker_neighbor_count(c->bgp); i++)
        json_array_append_new(list, neighbor_report(c, i, now));
    return list;
}

static json_t *zones_array(const struct control *c)
{
    const struct zone_set *set = health_zones(c->health);
    json_t *list = json_array();
    uint32_t count = set != NULL ? zone_set_count(set) : 0;
    for (uint32_t i = 0; i < count && i < ZONES_SHOWN_MAX; i++) {
        const struct zone *z = zone_set_at(set, i);
        struct dns_name origin;
        char text[DNS_TEXT_MAX];
        zone_origin(z, &origin);
        json_array_append_new(list,
                              json_pack("{s:s, s:I, s:s}", "zone", dns_name_text(&origin, text),
                                        "serial", (json_int_t)zone_serial(z), "denial",
                                        zone_has_nsec(z)    ? "nsec"
                                        : zone_has_nsec3(z) ? "nsec3"
                                                            : "none"));
    }
    return list;
}

static json_t *zones_report(const struct control *c, mono_t now)
{
    const struct zone_set *set = health_zones(c->health);
    return json_pack("{s:i, s:i, s:o, s:o, s:o}", "version", (int)c->zones.version, "count",
                     set != NULL ? (int)zone_set_count(set) : 0, "age_ms", age(c->zones.at, now),
                     "reload_error", text_or_null(c->zones.error), "zones", zones_array(c));
}

/* Sums over the workers of the active process: whatever they sent, our own probes included. */
static json_t *page_report(const struct serve_page *page)
{
    uint64_t rx = 0, tx = 0, udp = 0, tcp = 0, garbage = 0, open = 0, refused = 0, fail = 0;
    if (page == NULL)
        return json_null();
    uint32_t workers = atomic_load_explicit(&page->workers, memory_order_relaxed);
    if (workers > SERVE_WORKERS_MAX)
        workers = SERVE_WORKERS_MAX;
#define READ(field) atomic_load_explicit(&w->field, memory_order_relaxed)
    for (uint32_t i = 0; i < workers; i++) {
        const struct serve_worker_page *w = &page->worker[i];
        rx += READ(rx_queries);
        tx += READ(tx_answers);
        udp += READ(tx_udp);
        tcp += READ(tx_tcp);
        garbage += READ(rx_garbage);
        open += READ(tcp_open);
        refused += READ(tcp_refused);
        fail += READ(tx_rcode[2]);
    }
#undef READ
    return json_pack("{s:i, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "workers", (int)workers,
                     "queries", (json_int_t)rx, "answers", (json_int_t)tx, "answers_udp",
                     (json_int_t)udp, "answers_tcp", (json_int_t)tcp, "servfail", (json_int_t)fail,
                     "garbage", (json_int_t)garbage, "tcp_open", (json_int_t)open, "tcp_refused",
                     (json_int_t)refused);
}

static json_t *serve_report(const struct control *c, mono_t now)
{
    const struct control_serve *s = &c->serve;
    json_t *down = s->down_why == 0
                       ? json_null()
                       : json_pack("{s:i, s:s, s:i, s:o, s:b}", "pid", (int)s->down_pid, "what",
                                   control_down_words(s->down_why), "arg", (int)s->down_arg,
                                   "age_ms", age(s->down_at, now), "repaired", s->down_repaired);
    return json_pack("{s:o, s:o, s:o, s:i, s:i, s:o, s:o, s:I, s:I, s:o}", "pid",
                     s->active_pid ? json_integer(s->active_pid) : json_null(), "standby_pid",
                     s->standby_pid ? json_integer(s->standby_pid) : json_null(), "since_ms",
                     age(s->active_since, now), "crashes_in_10s", (int)s->levels.crashes, "downs",
                     (int)s->downs, "last_down", down, "standby_failed",
                     text_or_null(s->standby_text), "answers_per_s", (json_int_t)c->out.load_qps,
                     "queries_per_s", (json_int_t)c->out.query_qps, "counters",
                     page_report(s->page));
}

static json_t *peer_prefixes(const struct fleet_peer *p)
{
    json_t *list = json_array();
    char text[PREFIX_TEXT_MAX];
    for (uint32_t i = 0; i < p->last.prefix_count; i++)
        json_array_append_new(
            list, json_pack("{s:s, s:s}", "prefix", prefix_text(&p->last.prefixes[i].prefix, text),
                            "state", fleet_state_name(p->last.prefixes[i].state)));
    return list;
}

static json_t *fleet_report(const struct control *c, mono_t now)
{
    const struct fleet *f = &c->fleet.fleet;
    json_t *list = json_array();
    for (uint32_t i = 0; i < f->config.node_count; i++) {
        const struct fleet_peer *p = &f->peers[i];
        const struct config_node *n = &c->bundle.config->nodes.at[i];
        if (i == f->config.self)
            continue;
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:b, s:o, s:I, s:I, s:b, s:o}", "node", n->name, "site",
                            n->site, "heard", fleet_is_fresh(f, i, now), "heard_age_ms",
                            p->heard ? age(p->heard_at, now) : json_null(), "answers_per_s",
                            (json_int_t)p->last.load_qps, "capacity",
                            (json_int_t)p->last.capacity_qps, "draining", p->last.draining,
                            "prefixes", p->heard ? peer_prefixes(p) : json_array()));
    }
    return list;
}

json_t *control_report_status(struct control *c)
{
    mono_t now = time_mono();
    json_t *prefixes = json_array(), *paths = json_array();
    const struct verdict_set *v = health_verdict(c->health);
    for (uint32_t i = 0; i < c->announce.config.prefix_count; i++)
        json_array_append_new(prefixes, prefix_report(c, i, now));
    for (uint32_t i = 0; i < v->path_count; i++)
        json_array_append_new(paths, path_report(&v->paths[i], now));
    json_t *drain =
        json_pack("{s:b, s:o, s:b, s:b, s:o}", "wanted", c->drain.wanted, "reason",
                  text_or_null(c->drain.why), "done", c->out.drained, "kept_over_restart",
                  c->drain.kept, "error", text_or_null(c->drain.error));
    char hash[20];
    snprintf(hash, sizeof hash, "%016llx", (unsigned long long)c->bundle.hash);
    return json_pack(
        "{s:b, s:s, s:s, s:s, s:s, s:s, s:b, s:o, s:I, s:b, s:o, s:I, s:b, s:o, s:o, s:o, "
        "s:o, s:o, s:o}",
        "ok", 1, "node", c->bundle.node->name, "site", c->bundle.node->site, "version",
        PERIGEE_VERSION, "file", c->bundle.file, "file_hash", hash, "dry_run", c->bundle.dry_run,
        "started", moment(c->started_at, now), "uptime_ms",
        (json_int_t)mono_ms_between(c->started_at, now), "stopping", c->stopping, "drain", drain,
        "capacity", (json_int_t)c->announce.config.capacity_qps, "over_capacity",
        c->out.over_capacity, "prefixes", prefixes, "paths", paths, "neighbors",
        neighbors_array(c, now), "zones", zones_report(c, now), "serve", serve_report(c, now),
        "fleet", fleet_report(c, now));
}

json_t *control_report_neighbors(struct control *c)
{
    return json_pack("{s:b, s:s, s:o}", "ok", 1, "node", c->bundle.node->name, "neighbors",
                     neighbors_array(c, time_mono()));
}

json_t *control_report_zones(struct control *c)
{
    return json_pack("{s:b, s:s, s:o}", "ok", 1, "node", c->bundle.node->name, "zones",
                     zones_report(c, time_mono()));
}

static json_t *communities_report(const struct bgp_attrs *a)
{
    json_t *list = json_array();
    char text[48];
    for (uint32_t i = 0; i < a->community_count; i++) {
        snprintf(text, sizeof text, "%u:%u", a->communities[i] >> 16, a->communities[i] & 0xffff);
        json_array_append_new(list, json_string(text));
    }
    for (uint32_t i = 0; i < a->large_count; i++) {
        snprintf(text, sizeof text, "%u:%u:%u", a->large[i].global, a->large[i].local1,
                 a->large[i].local2);
        json_array_append_new(list, json_string(text));
    }
    return list;
}

static json_t *route_report(const struct bgp_route_status *r, const char *neighbor, mono_t now)
{
    char text[BGP_PREFIX_TEXT_MAX];
    return json_pack("{s:s, s:s, s:b, s:b, s:o, s:i, s:o, s:o, s:o, s:o}", "prefix",
                     bgp_prefix_text(&r->prefix, text), "neighbor", neighbor, "announced", r->out,
                     "wanted", r->wanted, "since", moment(r->since, now), "prepend",
                     (int)r->attrs.prepend, "communities", communities_report(&r->attrs), "med",
                     r->attrs.has_med ? json_integer(r->attrs.med) : json_null(), "local_pref",
                     r->attrs.has_local_pref ? json_integer(r->attrs.local_pref) : json_null(),
                     "reason", text_or_null(r->reason));
}

static json_t *seen_report(const struct control *c, const struct bgp_seen *s, mono_t now)
{
    static const char *const relations[] = { "none", "equal", "covers", "inside" };
    char text[BGP_PREFIX_TEXT_MAX];
    json_t *path = json_array();
    for (uint32_t i = 0; i < s->path.count; i++)
        json_array_append_new(path, json_integer(s->path.as[i]));
    return json_pack("{s:s, s:s, s:s, s:o, s:b, s:o}", "prefix", bgp_prefix_text(&s->prefix, text),
                     "neighbor", c->bundle.node->neighbors.at[s->neighbor].name, "relation",
                     relations[s->relation], "path", path, "other_site",
                     control_routes_is_other_site(c->bundle.config, c->bundle.node, s), "since",
                     moment(s->since, now));
}

json_t *control_report_routes(struct control *c)
{
    struct bgp_route_status *rows = base_calloc(ROUTES_SHOWN_MAX, sizeof *rows);
    mono_t now = time_mono();
    json_t *out = json_array(), *seen = json_array();
    for (uint32_t n = 0; n < bgp_speaker_neighbor_count(c->bgp); n++) {
        uint32_t count = bgp_speaker_routes(c->bgp, n, rows, ROUTES_SHOWN_MAX);
        for (uint32_t i = 0; i < count && i < ROUTES_SHOWN_MAX; i++)
            json_array_append_new(
                out, route_report(&rows[i], c->bundle.node->neighbors.at[n].name, now));
    }
    free(rows);
    uint32_t count = bgp_speaker_seen(c->bgp, c->seen, CONTROL_SEEN_MAX);
    for (uint32_t i = 0; i < count && i < CONTROL_SEEN_MAX; i++)
        json_array_append_new(seen, seen_report(c, &c->seen[i], now));
    return json_pack("{s:b, s:s, s:o, s:o}", "ok", 1, "node", c->bundle.node->name, "out", out,
                     "seen", seen);
}
