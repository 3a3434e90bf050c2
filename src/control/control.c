/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The process `control`: the only place where the way of a query and the way of a promise meet.
 *
 * One thread, one loop. What comes in (verdicts of health, what guard tells of the serving processes and
 * the zones, sessions and routes of BGP, datagrams of the other nodes, an operator's wish, the time)
 * only marks that a decision is due. It falls in the loop's check phase, after all sockets of this turn
 * have been read, so that an answer that waits unread is not taken for missing: control_decide() puts
 * everything into announce_step() and hands the routes to the speaker, which writes the difference to
 * its sockets in the same call.
 *
 * The loop's own progress is counted in a page that guard watches: a control that hangs must not vouch
 * for anything, so guard kills it, and the kernel closes its BGP sessions. Nothing slow runs here: the
 * drain's file is written by a thread, zones are loaded by a process of their own. */
#include "control/control.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/log.h"
#include "base/role.h"
#include "base/sandbox.h"
#include "control/parts.h"

#define REPLACE_AGAIN_MS 10000 /* from one replacement to the next */
#define TICK_MS (CONTROL_TICK_MS / 2)

/* ---- decisions -------------------------------------------------------------------------------- */

static void on_soon(uv_idle_t *soon)
{
    (void)soon; /* that it runs keeps the loop from sleeping */
}

void control_wake(struct control *c)
{
    c->dirty = true;
    uv_idle_start(&c->soon, on_soon);
}

static void on_changed(void *arg)
{
    control_wake(arg);
}

static void on_due(uv_timer_t *due)
{
    control_wake(due->data);
}

/* Which prefixes a neighbor has heard from another site. */
static void seen_refresh(struct control *c)
{
    const struct announce_config *a = &c->announce.config;
    if (!c->seen_changed)
        return;
    c->seen_changed = false;
    memset(c->other_seen, 0, sizeof c->other_seen);
    uint32_t count = bgp_speaker_seen(c->bgp, c->seen, CONTROL_SEEN_MAX);
    for (uint32_t i = 0; i < count && i < CONTROL_SEEN_MAX; i++) {
        if (!control_routes_is_other_site(c->bundle.config, c->bundle.node, &c->seen[i]))
            continue;
        struct prefix p = control_prefix(&c->seen[i].prefix);
        for (uint32_t j = 0; j < a->prefix_count; j++)
            c->other_seen[j] = c->other_seen[j] || prefix_equal(&a->prefixes[j].prefix, &p);
    }
}

static void input_fill(struct control *c, struct announce_input *in, mono_t now)
{
    const struct announce_config *a = &c->announce.config;
    struct health_traffic traffic;
    *in = (struct announce_input){ .now = now, .verdict = health_verdict(c->health) };
    health_traffic(c->health, &traffic);
    in->wall = time_wall();
    in->serve = c->serve.levels;
    in->answers = traffic.answers;
    in->queries = traffic.queries;
    in->drain = c->drain.wanted;
    in->stop = c->stopping;
    in->drain_why = c->drain.why[0] != '\0' ? c->drain.why : NULL;
    in->grant_at = fleet_granted_at(&c->fleet.fleet);
    in->grant_hold_ms = fleet_grant_hold_ms(&c->fleet.fleet);
    seen_refresh(c);
    for (uint32_t i = 0; i < a->prefix_count; i++) {
        struct fleet_others others;
        fleet_others(&c->fleet.fleet, &a->prefixes[i].prefix, now, &others);
        in->others[i] = (struct announce_others){ others.heard, others.announcing, others.permit,
                                                  c->other_seen[i] };
    }
}

static void log_prefixes(const struct control *c)
{
    char prefix[PREFIX_TEXT_MAX], reason[ANNOUNCE_REASON_MAX];
    for (uint32_t i = 0; i < c->announce.config.prefix_count; i++) {
        const struct announce_status *s = &c->out.prefixes[i];
        if (!s->changed)
            continue;
        bool bad = s->state == ANNOUNCE_FAILED;
        log_event(bad ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO, "prefix",
                  "prefix=%s old=%s new=%s reason=\"%s\"",
                  prefix_text(&c->announce.config.prefixes[i].prefix, prefix),
                  announce_state_name(s->before), announce_state_name(s->state),
                  log_quoted(s->reason, reason, sizeof reason));
    }
}

static void on_speaker_stopped(void *arg)
{
    struct control *c = arg;
    log_info("control_drained", "what=\"every route is withdrawn and no query comes any more\"");
    control_link_send(&c->link, GUARD_REQ_DRAINED, 0, NULL);
}

/* Whether an answer is wrong now; what another process could not change does not count. */
static bool has_wrong_answer(const struct verdict_set *v)
{
    for (uint32_t i = 0; i < v->path_count; i++)
        if (v->paths[i].why != VERDICT_FINE && v->paths[i].why != VERDICT_UNTRIED &&
            v->paths[i].why != VERDICT_UNREACHABLE)
            return true;
    return false;
}

/* Repair first: a process that answers wrongly is replaced by the standby. When that one is no better,
 * another would hardly be: the next try comes only after a while, and the routes are gone by then. */
static void replace_step(struct control *c, mono_t now)
{
    char why[ANNOUNCE_REASON_MAX];
    if (c->out.replace) {
        c->replace_due =
            c->replaced_at.ns == MONO_ZERO.ns ? now : mono_add_ms(c->replaced_at, REPLACE_AGAIN_MS);
        if (mono_before(c->replace_due, now))
            c->replace_due = now;
        memcpy(c->replace_why, c->out.replace_why, sizeof c->replace_why);
    }
    if (mono_before(now, c->replace_due))
        return;
    c->replace_due = MONO_NEVER;
    if (!c->serve.levels.standby || !has_wrong_answer(health_verdict(c->health)))
        return;
    c->replaced_at = now;
    log_warn("replace_serve", "reason=\"%s\"", log_quoted(c->replace_why, why, sizeof why));
    control_link_send(&c->link, GUARD_REQ_REPLACE_SERVE, 0, c->replace_why);
}

static void act(struct control *c, mono_t now)
{
    struct announce_out *out = &c->out;
    if (out->changed) {
        control_routes_fill(&c->routes, c->bundle.node, &c->announce.config, out);
        bool ok = bgp_speaker_set_routes(c->bgp, c->routes.rows, c->routes.count, &c->routes.gone);
        base_assert(ok);
        log_prefixes(c);
    }
    replace_step(c, now);
    if (c->stopping && out->drained && !c->drained_said) {
        c->drained_said = true;
        bgp_speaker_stop(c->bgp, "this node stops", on_speaker_stopped, c);
    }
}

void control_decide(struct control *c)
{
    struct announce_input in;
    mono_t now = time_mono();
    c->dirty = false;
    uv_idle_stop(&c->soon);
    input_fill(c, &in, now);
    announce_step(&c->announce, &in, &c->out);
    act(c, now);
    control_fleet_send(&c->fleet, &c->announce.config, &c->out, c->out.changed, now);
    mono_t next = mono_min(c->out.next, fleet_next(&c->fleet.fleet, now));
    next = mono_min(next, c->replace_due);
    int wait_ms = time_poll_ms(now, next);
    if (wait_ms < 0 || wait_ms > 1000)
        wait_ms = 1000; /* rates are averaged over about a second */
    uv_update_time(c->loop);
    uv_timer_start(&c->due, on_due, wait_ms > 0 ? (uint64_t)wait_ms : 1, 0);
    c->decisions++;
}

static void on_check(uv_check_t *check)
{
    struct control *c = check->data;
    if (c->dirty)
        control_decide(c);
}

static void on_tick(uv_timer_t *tick)
{
    struct control *c = tick->data;
    atomic_fetch_add_explicit(&c->page->progress, 1, memory_order_relaxed);
}

/* ---- what guard tells --------------------------------------------------------------------------- */

static void on_zones(void *arg, struct zone_set *set, uint32_t version, uint32_t load)
{
    struct control *c = arg;
    if (set == NULL) {
        control_socket_reply_reload(&c->socket, 0, load, control_report_error(c->zones.error));
        return;
    }
    json_t *reply = json_pack("{s:b, s:i, s:i}", "ok", 1, "zones", (int)zone_set_count(set),
                              "version", (int)version);
    health_take_zones(c->health, set, version);
    control_socket_reply_reload(&c->socket, 0, load, reply);
    control_wake(c);
}

static void on_zones_failed(struct control *c, const struct guard_event *ev)
{
    char text[sizeof ev->text];
    memcpy(c->zones.error, ev->text, sizeof c->zones.error);
    log_error("zones_refused", "what=\"%s\" effect=\"the version before stays\"",
              log_quoted(ev->text, text, sizeof text));
    /* Whom an earlier load answers, whose image is being mapped, waits for that. */
    control_socket_reply_reload(&c->socket, c->zones.load, ev->load,
                                control_report_error(ev->text));
}

static void on_address(void *arg, const union addr *addr, bool here)
{
    struct control *c = arg;
    health_set_address(c->health, addr, here);
    control_wake(c);
}

static void on_listener(struct control *c, int fd)
{
    struct err e;
    if (fd >= 0 && !bgp_speaker_listen(c->bgp, fd, &e))
        log_error("bgp_listen", "what=\"%s\"", e.what);
}

/* A descriptor that nobody asked for. */
static void fd_drop(int fd)
{
    if (fd >= 0)
        close(fd);
}

static void on_guard_event(struct control *c, const struct guard_event *ev, int fd)
{
    const struct serve_page *before = c->serve.page;
    switch ((enum guard_event_kind)ev->kind) {
    case GUARD_EV_BGP_LISTENER:
        on_listener(c, fd);
        break;
    case GUARD_EV_FLEET_SOCKET:
        control_fleet_open(&c->fleet, c->loop, fd);
        break;
    case GUARD_EV_SERVE_ACTIVE:
    case GUARD_EV_SERVE_DOWN:
    case GUARD_EV_STANDBY:
    case GUARD_EV_STANDBY_FAILED:
        if (control_serve_event(&c->serve, ev, fd)) {
            health_set_page(c->health, c->serve.page);
            control_serve_unmap(before);
        }
        break;
    case GUARD_EV_ZONES:
        control_zones_event(&c->zones, ev, fd);
        break;
    case GUARD_EV_ZONES_FAILED:
        on_zones_failed(c, ev);
        fd_drop(fd);
        break;
    case GUARD_EV_ADDRESS:
        log_info("address", "address=%s by=guard present=%s", ev->text, ev->arg ? "yes" : "no");
        fd_drop(fd); /* address.c sees for itself, also what others do */
        break;
    case GUARD_EV_STOP:
        log_info("control_stop", "what=\"draining\"");
        c->stopping = true;
        fd_drop(fd);
        break;
    case GUARD_EV_RELOAD:
        log_info("reload", "by=SIGHUP");
        control_file_look(c->loop, &c->bundle);
        fd_drop(fd);
        break;
    }
    control_wake(c);
}

/* ---- what BGP tells ----------------------------------------------------------------------------- */

/* The session is gone, and with it every route that this neighbor had. */
static void log_lost(const struct control *c, const struct bgp_speaker_event *ev)
{
    char prefix[PREFIX_TEXT_MAX], reason[BGP_REASON_MAX];
    for (uint32_t i = 0; i < c->out.route_count && ev->routes != 0; i++) {
        const struct announce_route *r = &c->out.routes[i];
        if (r->neighbor == ev->neighbor)
            log_info("route",
                     "prefix=%s neighbor=%s old=announced new=none reason=\"session down: %s\"",
                     prefix_text(&c->announce.config.prefixes[r->prefix].prefix, prefix), ev->name,
                     log_quoted(ev->text, reason, sizeof reason));
    }
}

/* States, sessions and routes are logged by the speaker, where they happen. */
static void on_bgp_event(void *arg, const struct bgp_speaker_event *ev)
{
    struct control *c = arg;
    if (ev->kind == BGP_SPEAKER_DOWN)
        log_lost(c, ev);
    if (ev->kind != BGP_SPEAKER_SEEN && ev->kind != BGP_SPEAKER_GONE)
        return;
    c->seen_changed = true;
    control_wake(c);
}

/* ---- what operators ask ------------------------------------------------------------------------ */

static json_t *on_drain(struct control *c, const struct control_request *r, bool wanted)
{
    if (c->stopping)
        return control_report_error("this node is stopping");
    if (c->drain.wanted != wanted || (wanted && r->reason[0] != '\0'))
        control_drain_set(&c->drain, wanted, r->reason);
    control_decide(c); /* not later than the reply */
    return control_report_status(c);
}

/* NULL: it could not be made. */
static json_t *report(struct control *c, const struct control_request *r)
{
    switch (r->command) {
    case CONTROL_STATUS:
        control_decide(c); /* so that ages and rates are of now */
        return control_report_status(c);
    case CONTROL_NEIGHBORS:
        return control_report_neighbors(c);
    case CONTROL_ROUTES:
        return control_report_routes(c);
    case CONTROL_ZONES:
        return control_report_zones(c);
    case CONTROL_DRAIN:
        return on_drain(c, r, true);
    case CONTROL_UNDRAIN:
        return on_drain(c, r, false);
    case CONTROL_RELOAD:
    case CONTROL_COMMAND_COUNT:
        break;
    }
    return NULL;
}

static json_t *on_request(struct control *c, const struct control_request *r)
{
    if (r->command != CONTROL_RELOAD) {
        json_t *reply = report(c, r);
        return reply != NULL ? reply : control_report_error("the report could not be made");
    }
    if (c->stopping)
        return control_report_error("this node is stopping");
    log_info("reload", "by=\"control socket\"");
    control_file_look(c->loop, &c->bundle);
    if (!control_link_send(&c->link, GUARD_REQ_RELOAD_ZONES, ++c->socket.reloads, NULL))
        return control_report_error("guard takes no request now; try again");
    return NULL; /* on_zones or on_zones_failed answers */
}

/* ---- start -------------------------------------------------------------------------------------- */

static void loop_start(struct control *c)
{
    c->loop = uv_default_loop();
    uv_timer_init(c->loop, &c->tick);
    uv_timer_init(c->loop, &c->due);
    uv_check_init(c->loop, &c->check);
    uv_idle_init(c->loop, &c->soon);
    c->tick.data = c->due.data = c->check.data = c->soon.data = c;
    uv_timer_start(&c->tick, on_tick, 0, TICK_MS);
    uv_check_start(&c->check, on_check);
}

static bool rooms_start(struct control *c, struct err *e)
{
    struct announce_config *a = base_calloc(1, sizeof *a); /* large */
    char *state_dir = config_expand(c->bundle.config->state_dir, c->bundle.node);
    control_drain_init(&c->drain, c->loop, state_dir);
    free(state_dir);
    control_announce_config(a, &c->bundle);
    announce_init(&c->announce, a);
    free(a);
    control_fleet_init(&c->fleet, c->bundle.config, c->bundle.node, c);
    control_routes_init(&c->routes);
    control_zones_init(&c->zones, c->loop, on_zones, c);
    c->seen = base_calloc(CONTROL_SEEN_MAX, sizeof *c->seen);
    c->health = control_health_new(c->loop, &c->bundle, on_changed, c, e);
    if (c->health == NULL)
        return false;
    c->bgp = control_speaker_new(c->loop, &c->bundle, &c->announce.config, on_bgp_event, c, e);
    if (c->bgp == NULL)
        return false;
    if (!control_socket_open(&c->socket, c->loop, GUARD_CONTROL_FD_UNIX, c, on_request, e))
        return false;
    control_link_init(&c->link, c->loop, GUARD_CONTROL_FD_LINK, c, on_guard_event);
    control_address_init(&c->address, c->loop, &c->bundle, on_address, c);
    bgp_speaker_start(c->bgp);
    return true;
}

int control_main(int argc, char **argv)
{
    struct control *c = base_calloc(1, sizeof *c);
    struct err e = { 0 };
    (void)argc;
    (void)argv;
    log_init("control", LOG_LEVEL_INFO);
    role_begin("perigee-control", GUARD_CONTROL_FD_LINK);
    if (!sandbox_deny())
        return 1;
    if (!config_bundle_open(&c->bundle, GUARD_CONTROL_FD_CONFIG, &e)) {
        log_error("control_start", "what=\"%s\"", e.what);
        return 1;
    }
    log_init("control", c->bundle.config->log_debug ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO);
    void *page =
        mmap(NULL, sizeof *c->page, PROT_READ | PROT_WRITE, MAP_SHARED, GUARD_CONTROL_FD_PAGE, 0);
    if (page == MAP_FAILED) {
        log_error("control_start", "what=\"cannot map the page shared with guard\"");
        return 1;
    }
    c->page = page;
    c->started_at = time_mono();
    c->replace_due = MONO_NEVER;
    c->started_wall = time_wall();
    loop_start(c);
    if (!rooms_start(c, &e)) {
        log_error("control_start", "what=\"%s\"", e.what);
        return 1;
    }
    log_info("control_start", "node=%s neighbors=%u prefixes=%u dry_run=%s", c->bundle.node->name,
             c->bundle.node->neighbors.count, c->announce.config.prefix_count,
             c->bundle.dry_run ? "yes" : "no");
    control_wake(c);
    uv_run(c->loop, UV_RUN_DEFAULT);
    return 1; /* the loop has handles that never close: only the link ends this process */
}
