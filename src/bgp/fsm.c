/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The state machine. fsm_goto() is the only place where a connection's state changes; what must
 * happen whenever a state is left or reached (timers, CLOSE, UP, DOWN, the line for the log) happens
 * there. The functions below it read like RFC 4271 section 8.2.2: one per event, a case per state. */
#include "bgp/fsm.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"

struct step {
    struct bgp_fsm *f;
    const struct bgp_fsm_event *ev;
    mono_t now;
    struct bgp_fsm_actions *out;
};

static const char *const state_names[BGP_STATE_COUNT] = {
    [BGP_IDLE] = "Idle",
    [BGP_CONNECT] = "Connect",
    [BGP_ACTIVE] = "Active",
    [BGP_OPEN_SENT] = "OpenSent",
    [BGP_OPEN_CONFIRM] = "OpenConfirm",
    [BGP_ESTABLISHED] = "Established",
};

const char *bgp_state_text(enum bgp_state s)
{
    return (unsigned)s < BGP_STATE_COUNT ? state_names[s] : "?";
}

/* ---- actions ---------------------------------------------------------------------------------- */

static struct bgp_fsm_action *act(struct step *s, enum bgp_fsm_action_kind kind,
                                  enum bgp_conn_side side)
{
    base_assert(s->out->n < BGP_FSM_ACTIONS_MAX);
    struct bgp_fsm_action *a = &s->out->a[s->out->n++];
    *a = (struct bgp_fsm_action){ .kind = kind, .side = side, .why = "" };
    return a;
}

/* A text that lives as long as the actions. Cut, never overrun. */
static const char *words(struct step *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static const char *words(struct step *s, const char *fmt, ...)
{
    char *at = s->out->text + s->out->text_len;
    size_t cap = sizeof s->out->text - s->out->text_len;
    if (cap < 2)
        return "";
    if (cap > BGP_FSM_WHY_MAX)
        cap = BGP_FSM_WHY_MAX;
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(at, cap, fmt, ap);
    va_end(ap);
    s->out->text_len += (uint32_t)(n < 0 ? 0 : (size_t)n < cap ? (size_t)n : cap - 1) + 1;
    return at;
}

static struct wr send_begin(struct step *s)
{
    return wr_init(s->out->buf + s->out->buf_len, sizeof s->out->buf - s->out->buf_len);
}

static void send_end(struct step *s, enum bgp_conn_side side, const struct wr *w)
{
    base_assert(!w->full);
    struct bgp_fsm_action *a = act(s, BGP_ACT_SEND, side);
    a->bytes = w->begin;
    a->len = (uint32_t)wr_len(w);
    s->out->buf_len += a->len;
}

/* RFC 4271 section 10: a random share of 75 to 100 percent. */
static int64_t jitter(const struct step *s, int64_t ms)
{
    return ms * (768 + (int64_t)(s->ev->random % 257)) / 1024;
}

/* ---- the one place where a state changes ------------------------------------------------------- */

static void timers_off(struct bgp_fsm_conn *c)
{
    c->hold_at = c->keepalive_at = c->send_hold_at = MONO_NEVER;
}

static void fsm_goto(struct step *s, enum bgp_conn_side side, enum bgp_state to, const char *why)
{
    struct bgp_fsm_conn *c = &s->f->conn[side];
    enum bgp_state from = c->state;
    if (to < BGP_OPEN_SENT) {
        timers_off(c);
        if (c->tcp)
            act(s, BGP_ACT_CLOSE, side);
        c->tcp = false;
    }
    if (from == to)
        return;
    c->state = to;
    c->since = s->now;
    struct bgp_fsm_action *a = act(s, BGP_ACT_STATE, side);
    a->from = from;
    a->to = to;
    a->why = why;
    if (from == BGP_ESTABLISHED)
        act(s, BGP_ACT_DOWN, side)->why = why;
    if (to == BGP_ESTABLISHED)
        act(s, BGP_ACT_UP, side)->why = why;
}

/* ---- the neighbor: trying, waiting ---------------------------------------------------------------- */

/* The next of a row of waits that double: `first`, twice that, … up to `max`. */
static int64_t next_wait(uint32_t *last_ms, uint32_t first, uint32_t max)
{
    *last_ms = *last_ms == 0 ? first : *last_ms > max / 2 ? max : *last_ms * 2;
    if (*last_ms > max)
        *last_ms = max;
    return *last_ms;
}

static void try_connect(struct step *s, const char *why)
{
    struct bgp_fsm *f = s->f;
    fsm_goto(s, BGP_OUT, BGP_CONNECT, why);
    f->retry_at = mono_add_ms(s->now, BGP_FSM_CONNECT_MS);
    f->conn[BGP_OUT].tcp = true;
    act(s, BGP_ACT_CONNECT, BGP_OUT);
}

/* Active: the neighbor may come; and we go ourselves after a wait. */
static void wait_active(struct step *s, const char *why)
{
    struct bgp_fsm *f = s->f;
    uint32_t max =
        f->config.connect_retry_ms ? f->config.connect_retry_ms : BGP_FSM_CONNECT_RETRY_MS;
    fsm_goto(s, BGP_OUT, BGP_ACTIVE, why);
    f->retry_at =
        f->config.passive
            ? MONO_NEVER
            : mono_add_ms(s->now, jitter(s, next_wait(&f->retry_ms, BGP_FSM_RETRY_FIRST_MS, max)));
}

static void begin(struct step *s, const char *why)
{
    s->f->idle_until = MONO_NEVER;
    if (s->f->config.passive)
        wait_active(s, why);
    else
        try_connect(s, why);
}

/* Both connections are Idle, and the neighbor is wanted: after a wait it starts anew. */
static void idle_if_all_down(struct step *s)
{
    struct bgp_fsm *f = s->f;
    if (!f->enabled || f->conn[BGP_OUT].state != BGP_IDLE || f->conn[BGP_IN].state != BGP_IDLE)
        return;
    f->retry_at = MONO_NEVER;
    f->idle_until = mono_add_ms(
        s->now, jitter(s, next_wait(&f->idle_ms, BGP_FSM_IDLE_FIRST_MS, BGP_FSM_IDLE_MAX_MS)));
}

/* One connection ends. The other one, if it lives, is not touched. */
static void drop(struct step *s, enum bgp_conn_side side, const char *why)
{
    struct bgp_fsm *f = s->f;
    struct bgp_fsm_conn *c = &f->conn[side];
    if (c->state == BGP_ESTABLISHED && mono_ms_between(c->since, s->now) >= BGP_FSM_STABLE_MS)
        f->idle_ms = f->retry_ms = 0;
    f->connect_retry_counter++;
    if (side == BGP_OUT)
        f->retry_at = MONO_NEVER;
    fsm_goto(s, side, BGP_IDLE, why);
    idle_if_all_down(s);
}

/* ---- errors ----------------------------------------------------------------------------------- */

static void notify(struct step *s, enum bgp_conn_side side, const struct bgp_error *e)
{
    struct wr w = send_begin(s);
    bgp_notification_write(&w, e);
    send_end(s, side, &w);
}

/* NOTIFICATION, and the connection ends. */
static void fail(struct step *s, enum bgp_conn_side side, const struct bgp_error *e)
{
    char buf[64];
    const char *name = bgp_error_text(e->code, e->subcode, buf);
    const char *why = e->why != NULL && e->why[0] != '\0' ? words(s, "sent %s: %s", name, e->why)
                                                          : words(s, "sent %s", name);
    notify(s, side, e);
    act(s, BGP_ACT_ERROR, side)->why = why;
    drop(s, side, why);
}

static void fail_code(struct step *s, enum bgp_conn_side side, uint8_t code, uint8_t subcode,
                      const char *why)
{
    struct bgp_error e = { .code = code, .subcode = subcode, .why = why };
    fail(s, side, &e);
}

/* RFC 6608: which message came where it may not. */
static void fail_unexpected(struct step *s, enum bgp_conn_side side, uint8_t type)
{
    static const char *const names[] = { "",          "OPEN",         "UPDATE", "NOTIFICATION",
                                         "KEEPALIVE", "ROUTE-REFRESH" };
    enum bgp_state state = s->f->conn[side].state;
    struct bgp_error e = { .code = BGP_ERR_FSM, .data_len = 1, .own = { type } };
    e.subcode = state == BGP_OPEN_SENT      ? BGP_FSM_ERR_OPEN_SENT
                : state == BGP_OPEN_CONFIRM ? BGP_FSM_ERR_OPEN_CONFIRM
                                            : BGP_FSM_ERR_ESTABLISHED;
    e.why = words(s, "%s in %s", names[type], bgp_state_text(state));
    fail(s, side, &e);
}

static void cease(struct step *s, enum bgp_conn_side side, uint8_t subcode, const char *text)
{
    struct wr w = send_begin(s);
    bgp_cease_write(&w, subcode, text);
    send_end(s, side, &w);
}

/* ---- start and stop (events 1 to 8) ---------------------------------------------------------------- */

static void on_start(struct step *s)
{
    struct bgp_fsm *f = s->f;
    if (f->enabled)
        return;
    f->enabled = true;
    f->connect_retry_counter = 0;
    f->retry_ms = f->idle_ms = 0;
    begin(s, "started");
}

static void on_stop(struct step *s, bool again)
{
    struct bgp_fsm *f = s->f;
    char buf[64];
    const char *text = s->ev->text != NULL ? s->ev->text : "";
    const char *name = bgp_error_text(BGP_ERR_CEASE, s->ev->cease_subcode, buf);
    const char *why = words(s, "%s%s%s", name, text[0] ? ": " : "", text);
    bool was = f->enabled;
    f->enabled = false; /* so that nothing starts again while both go down */
    for (int side = 0; side < BGP_CONN_SIDES; side++) {
        if (f->conn[side].state >= BGP_OPEN_SENT) {
            cease(s, (enum bgp_conn_side)side, s->ev->cease_subcode, s->ev->text);
            act(s, BGP_ACT_ERROR, (enum bgp_conn_side)side)->why = words(s, "sent %s", why);
        }
        fsm_goto(s, (enum bgp_conn_side)side, BGP_IDLE, why);
    }
    f->retry_at = f->idle_until = MONO_NEVER;
    f->connect_retry_counter = 0;
    f->retry_ms = f->idle_ms = 0;
    if (s->ev->cease_subcode == BGP_CEASE_MAX_PREFIXES)
        f->idle_ms = BGP_FSM_IDLE_MAX_MS; /* the same would come again at once */
    f->enabled = was && again;
    idle_if_all_down(s);
}

/* ---- TCP (events 16 to 18) --------------------------------------------------------------------- */

static void send_open(struct step *s, enum bgp_conn_side side)
{
    const struct bgp_fsm_config *c = &s->f->config;
    struct bgp_open o = { .as = c->local_as,
                          .hold_s = c->hold_s,
                          .id = c->router_id,
                          .as4 = true,
                          .families = c->families,
                          .route_refresh = true,
                          .enhanced_refresh = true,
                          .extended_message = true,
                          .v4_over_v6_next_hop = c->v4_over_v6_next_hop };
    struct wr w = send_begin(s);
    bgp_open_write(&w, &o);
    send_end(s, side, &w);
}

static void on_tcp_up(struct step *s)
{
    struct bgp_fsm *f = s->f;
    enum bgp_conn_side side = s->ev->side;
    struct bgp_fsm_conn *c = &f->conn[side];
    bool wanted = side == BGP_OUT ? c->state == BGP_CONNECT : bgp_fsm_accepts(f);
    if (!wanted) { /* the edge asked too late, or not at all */
        if (c->state < BGP_OPEN_SENT)
            act(s, BGP_ACT_CLOSE, side);
        return;
    }
    if (c->state >= BGP_OPEN_SENT)
        return; /* the edge has to end the older one first */
    c->tcp = true;
    if (side == BGP_OUT)
        f->retry_at = MONO_NEVER;
    timers_off(c);
    uint32_t wait = f->config.open_hold_ms ? f->config.open_hold_ms : BGP_FSM_OPEN_HOLD_MS;
    c->hold_at = mono_add_ms(s->now, wait);
    c->nego = (struct bgp_negotiated){ 0 };
    send_open(s, side);
    fsm_goto(s, side, BGP_OPEN_SENT, side == BGP_OUT ? "connected" : "accepted");
}

static void on_tcp_down(struct step *s)
{
    struct bgp_fsm *f = s->f;
    enum bgp_conn_side side = s->ev->side;
    struct bgp_fsm_conn *c = &f->conn[side];
    const char *cause = s->ev->text != NULL ? s->ev->text : "closed by the neighbor";
    switch (c->state) {
    case BGP_IDLE:
    case BGP_ACTIVE:
        return;
    case BGP_CONNECT:
        wait_active(s, words(s, "connection failed: %s", cause));
        return;
    case BGP_OPEN_SENT: {
        const char *why = words(s, "connection lost before OPEN: %s", cause);
        bool other_up = f->conn[!side].state >= BGP_OPEN_SENT;
        if (side == BGP_OUT && !other_up)
            wait_active(s, why);
        else
            drop(s, side, why);
        return;
    }
    case BGP_OPEN_CONFIRM:
    case BGP_ESTABLISHED:
        drop(s, side, words(s, "connection lost: %s", cause));
        return;
    }
    base_unreachable("bgp state");
}

/* ---- messages (events 19 to 28) ------------------------------------------------------------------- */

/* RFC 4271 section 6.8 and 6286 section 2.3: does the connection that we opened stay? */
static bool ours_stays(const struct bgp_fsm *f, uint32_t remote_id)
{
    if (f->config.router_id != remote_id)
        return f->config.router_id > remote_id;
    return f->config.local_as > f->config.remote_as;
}

/* False: the connection `side` was the one to go. */
static bool settle_collision(struct step *s, enum bgp_conn_side side, uint32_t remote_id)
{
    enum bgp_conn_side other = (enum bgp_conn_side) !side;
    enum bgp_state state = s->f->conn[other].state;
    if (state != BGP_OPEN_CONFIRM && state != BGP_ESTABLISHED)
        return true;
    enum bgp_conn_side stays = state == BGP_ESTABLISHED      ? other
                               : ours_stays(s->f, remote_id) ? BGP_OUT
                                                             : BGP_IN;
    s->f->collisions++;
    fail_code(s, (enum bgp_conn_side) !stays, BGP_ERR_CEASE, BGP_CEASE_COLLISION,
              "the other connection is kept");
    return stays == side;
}

static void negotiate(struct bgp_fsm *f, struct bgp_negotiated *n, const struct bgp_open *o)
{
    *n = (struct bgp_negotiated){
        .remote_id = o->id,
        .hold_s = f->config.hold_s < o->hold_s ? f->config.hold_s : o->hold_s,
        .families = f->config.families & o->families,
        .as4 = o->as4,
        .route_refresh = o->route_refresh,
        .enhanced_refresh = o->route_refresh && o->enhanced_refresh,
        .extended_message = o->extended_message,
        .v4_over_v6_next_hop = f->config.v4_over_v6_next_hop && o->v4_over_v6_next_hop,
        .peer_restarts = o->graceful_restart,
    };
}

static void hold_restart(struct step *s, struct bgp_fsm_conn *c)
{
    c->hold_at = c->nego.hold_s ? mono_add_ms(s->now, c->nego.hold_s * 1000) : MONO_NEVER;
}

/* RFC 9687. Without keepalives nothing may be sent for days, and nothing is wrong with that. */
static void send_hold_restart(struct step *s, struct bgp_fsm_conn *c)
{
    uint32_t wait = s->f->config.send_hold_ms;
    if (wait == 0) {
        uint32_t twice = 2000u * c->nego.hold_s;
        wait = twice > BGP_FSM_SEND_HOLD_MS ? twice : BGP_FSM_SEND_HOLD_MS;
    }
    c->send_hold_at = c->nego.hold_s ? mono_add_ms(s->now, wait) : MONO_NEVER;
}

static void keepalive_send(struct step *s, enum bgp_conn_side side)
{
    struct bgp_fsm_conn *c = &s->f->conn[side];
    struct wr w = send_begin(s);
    bgp_keepalive_write(&w);
    send_end(s, side, &w);
    c->keepalive_at =
        c->nego.hold_s ? mono_add_ms(s->now, jitter(s, c->nego.hold_s * 1000 / 3)) : MONO_NEVER;
}

static void on_open(struct step *s, struct rd body)
{
    struct bgp_fsm *f = s->f;
    enum bgp_conn_side side = s->ev->side;
    struct bgp_fsm_conn *c = &f->conn[side];
    if (c->state != BGP_OPEN_SENT) {
        fail_unexpected(s, side, BGP_OPEN);
        return;
    }
    struct bgp_open_expect expect = { f->config.local_as, f->config.remote_as,
                                      f->config.router_id };
    struct bgp_open o;
    struct bgp_error e;
    if (!bgp_open_parse(body, &expect, &o, &e)) {
        fail(s, side, &e);
        return;
    }
    if ((f->config.families & o.families) == 0) { /* RFC 5492 section 3 */
        bool v4 = (f->config.families & BGP_FAMILY_BIT(BGP_IPV4)) != 0;
        e = (struct bgp_error){ .code = BGP_ERR_OPEN,
                                .subcode = BGP_OPEN_BAD_CAPABILITY,
                                .data_len = 6,
                                .own = { 1, 4, 0, v4 ? 1 : 2, 0, 1 },
                                .why = "no address family in common" };
        fail(s, side, &e);
        return;
    }
    if (!settle_collision(s, side, o.id))
        return;
    negotiate(f, &c->nego, &o);
    keepalive_send(s, side);
    if (c->nego.hold_s !=
        0) /* without a hold time the wait for OPEN goes on as one for KEEPALIVE */
        hold_restart(s, c);
    fsm_goto(s, side, BGP_OPEN_CONFIRM, "OPEN received");
}

/* The session is up: there is one connection only from here on. */
static void established(struct step *s, enum bgp_conn_side side)
{
    struct bgp_fsm *f = s->f;
    enum bgp_conn_side other = (enum bgp_conn_side) !side;
    struct bgp_fsm_conn *c = &f->conn[side];
    if (f->conn[other].state >= BGP_OPEN_SENT) {
        cease(s, other, BGP_CEASE_COLLISION, NULL);
        f->collisions++;
    }
    fsm_goto(s, other, BGP_IDLE, "the other connection is established");
    f->retry_at = f->idle_until = MONO_NEVER;
    f->retry_ms = 0;
    send_hold_restart(s, c);
    fsm_goto(s, side, BGP_ESTABLISHED, "KEEPALIVE received");
}

static void on_keepalive(struct step *s)
{
    struct bgp_fsm_conn *c = &s->f->conn[s->ev->side];
    switch (c->state) {
    case BGP_OPEN_CONFIRM:
        hold_restart(s, c);
        established(s, s->ev->side);
        return;
    case BGP_ESTABLISHED:
        hold_restart(s, c);
        return;
    default:
        fail_unexpected(s, s->ev->side, BGP_KEEPALIVE);
    }
}

static void on_update(struct step *s, struct rd body)
{
    struct bgp_fsm *f = s->f;
    struct bgp_fsm_conn *c = &f->conn[s->ev->side];
    if (c->state != BGP_ESTABLISHED) {
        fail_unexpected(s, s->ev->side, BGP_UPDATE);
        return;
    }
    hold_restart(s, c);
    struct bgp_update_context ctx = { .as4 = c->nego.as4,
                                      .ibgp = f->config.local_as == f->config.remote_as,
                                      .v4_over_v6_next_hop = c->nego.v4_over_v6_next_hop,
                                      .families = c->nego.families,
                                      .local_as = f->config.local_as };
    if (bgp_update_parse(body, &ctx, &s->out->update) == BGP_GRADE_RESET)
        fail(s, s->ev->side, &s->out->update.error);
    else
        act(s, BGP_ACT_UPDATE, s->ev->side);
}

static void on_refresh(struct step *s, struct rd body)
{
    struct bgp_fsm_conn *c = &s->f->conn[s->ev->side];
    struct bgp_refresh r;
    struct bgp_error e;
    if (c->state != BGP_ESTABLISHED) {
        fail_unexpected(s, s->ev->side, BGP_ROUTE_REFRESH);
        return;
    }
    if (!bgp_refresh_parse(body, &r, &e)) {
        if (e.code == BGP_ERR_NONE || !c->nego.enhanced_refresh)
            return;
        e.data = s->ev->bytes; /* RFC 7313 section 5: the complete message */
        e.data_len = (uint16_t)s->ev->len;
        fail(s, s->ev->side, &e);
        return;
    }
    if (!r.known || !(c->nego.families & BGP_FAMILY_BIT(r.family)) ||
        (r.kind != BGP_REFRESH_REQUEST && !c->nego.enhanced_refresh))
        return; /* RFC 2918 section 4: what was not agreed is ignored */
    struct bgp_fsm_action *a = act(s, BGP_ACT_REFRESH, s->ev->side);
    a->family = r.family;
    a->refresh = r.kind;
}

static void on_notification(struct step *s, struct rd body)
{
    struct bgp_notification n;
    char buf[64];
    const char *why = "received a NOTIFICATION that is too short";
    if (bgp_notification_parse(body, &n))
        why = words(s, "received %s%s%s%s", n.hard ? "Hard Reset, " : "",
                    bgp_error_text(n.code, n.subcode, buf), n.text[0] ? ": " : "", n.text);
    act(s, BGP_ACT_ERROR, s->ev->side)->why = why;
    drop(s, s->ev->side, why);
}

static void on_message(struct step *s)
{
    struct bgp_fsm_conn *c = &s->f->conn[s->ev->side];
    if (c->state < BGP_OPEN_SENT)
        return; /* of a connection that is gone */
    size_t max = c->nego.extended_message ? BGP_MSG_MAX_EXTENDED : BGP_MSG_MAX;
    size_t len;
    struct bgp_error e;
    switch (bgp_msg_frame(s->ev->bytes, s->ev->len, max, &len, &e)) {
    case BGP_FRAME_MORE:
        return;
    case BGP_FRAME_BAD:
        fail(s, s->ev->side, &e);
        return;
    case BGP_FRAME_WHOLE:
        break;
    }
    struct rd body = rd_init(s->ev->bytes, len);
    rd_skip(&body, BGP_HEADER_LEN - 1);
    switch ((enum bgp_msg_type)rd_u8(&body)) {
    case BGP_OPEN:
        on_open(s, body);
        return;
    case BGP_UPDATE:
        on_update(s, body);
        return;
    case BGP_NOTIFICATION:
        on_notification(s, body);
        return;
    case BGP_KEEPALIVE:
        on_keepalive(s);
        return;
    case BGP_ROUTE_REFRESH:
        on_refresh(s, body);
        return;
    }
    base_unreachable("bgp message type");
}

/* ---- timers (events 9 to 13, 29) ------------------------------------------------------------------- */

static bool due(mono_t at, mono_t now)
{
    return !mono_before(now, at);
}

static void conn_timers(struct step *s, enum bgp_conn_side side)
{
    struct bgp_fsm_conn *c = &s->f->conn[side];
    if (due(c->hold_at, s->now)) {
        fail_code(s, side, BGP_ERR_HOLD_EXPIRED, 0,
                  c->state == BGP_OPEN_SENT ? "no OPEN came" : "nothing came for the hold time");
        return;
    }
    if (due(c->send_hold_at, s->now)) { /* RFC 9687: it may not get through, but is tried */
        fail_code(s, side, BGP_ERR_SEND_HOLD_EXPIRED, 0, "the neighbor takes no bytes");
        return;
    }
    if (due(c->keepalive_at, s->now))
        keepalive_send(s, side);
}

static void on_timer(struct step *s)
{
    struct bgp_fsm *f = s->f;
    conn_timers(s, BGP_OUT);
    conn_timers(s, BGP_IN);
    if (due(f->retry_at, s->now)) {
        f->connect_retry_counter++;
        f->retry_at = MONO_NEVER;
        if (f->conn[BGP_OUT].state == BGP_CONNECT) { /* the old attempt goes, a new one comes */
            fsm_goto(s, BGP_OUT, BGP_CONNECT, "connection attempt timed out");
            try_connect(s, "connection attempt timed out");
        } else if (f->conn[BGP_OUT].state == BGP_ACTIVE) {
            try_connect(s, "retry");
        }
    }
    if (due(f->idle_until, s->now))
        begin(s, "idle hold time is over");
}

static void on_sent(struct step *s)
{
    struct bgp_fsm_conn *c = &s->f->conn[s->ev->side];
    if (c->state == BGP_ESTABLISHED)
        send_hold_restart(s, c);
}

/* ---- the machine ------------------------------------------------------------------------------ */

void bgp_fsm_init(struct bgp_fsm *f, const struct bgp_fsm_config *config, mono_t now)
{
    *f = (struct bgp_fsm){ .config = *config, .retry_at = MONO_NEVER, .idle_until = MONO_NEVER };
    for (int side = 0; side < BGP_CONN_SIDES; side++) {
        f->conn[side].since = now;
        timers_off(&f->conn[side]);
    }
}

void bgp_fsm_step(struct bgp_fsm *f, const struct bgp_fsm_event *ev, mono_t now,
                  struct bgp_fsm_actions *out)
{
    struct step s = { f, ev, now, out };
    out->n = 0;
    out->buf_len = 0;
    out->text_len = 0;
    switch (ev->kind) {
    case BGP_EV_START:
        on_start(&s);
        return;
    case BGP_EV_STOP:
        on_stop(&s, false);
        return;
    case BGP_EV_RESET:
        on_stop(&s, true);
        return;
    case BGP_EV_TIMER:
        on_timer(&s);
        return;
    case BGP_EV_TCP_UP:
        on_tcp_up(&s);
        return;
    case BGP_EV_TCP_DOWN:
        on_tcp_down(&s);
        return;
    case BGP_EV_MESSAGE:
        on_message(&s);
        return;
    case BGP_EV_SENT:
        on_sent(&s);
        return;
    }
    base_unreachable("bgp event kind");
}

mono_t bgp_fsm_next(const struct bgp_fsm *f)
{
    mono_t next = mono_min(f->retry_at, f->idle_until);
    for (int side = 0; side < BGP_CONN_SIDES; side++) {
        const struct bgp_fsm_conn *c = &f->conn[side];
        next = mono_min(next, mono_min(c->hold_at, mono_min(c->keepalive_at, c->send_hold_at)));
    }
    return next;
}

enum bgp_conn_side bgp_fsm_side(const struct bgp_fsm *f)
{
    return f->conn[BGP_IN].state > f->conn[BGP_OUT].state ? BGP_IN : BGP_OUT;
}

enum bgp_state bgp_fsm_state(const struct bgp_fsm *f)
{
    return f->conn[bgp_fsm_side(f)].state;
}

bool bgp_fsm_accepts(const struct bgp_fsm *f)
{
    /* RFC 4271 section 8.2.2: refused in Idle. With the outgoing one up the collision is settled when
     * the neighbor's OPEN has come. */
    return f->enabled && f->conn[BGP_IN].state <= BGP_OPEN_SENT &&
           (f->conn[BGP_OUT].state != BGP_IDLE || f->conn[BGP_IN].state != BGP_IDLE);
}
