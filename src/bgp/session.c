/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One neighbor on its sockets. Everything that happens comes in as an event for the state machine
 * (feed), and what it answers is carried out in order (carry_out). Sending may find a connection
 * broken; that becomes an event of its own after the step, never within (feed's loop). */
#include "bgp/session.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/log.h"
#include "bgp/socket.h"

#define SEEN_LOG_PER_S 20
#define TX_ROOM_MIN 8192 /* UPDATEs are written only while there is room for two */

static void feed(struct bgp_session *s, const struct bgp_fsm_event *ev);

static void count(struct bgp_session *s, enum bgp_counter c, uint64_t n)
{
    s->counters.row[c] += n;
}

static struct bgp_speaker_event event_of(const struct bgp_session *s,
                                         enum bgp_speaker_event_kind kind)
{
    return (struct bgp_speaker_event){
        .kind = kind, .neighbor = s->idx, .name = s->name, .at = time_mono()
    };
}

static void text_copy(char *to, size_t cap, const char *from)
{
    snprintf(to, cap, "%s", from != NULL ? from : "");
}

/* ---- bytes out -------------------------------------------------------------------------------- */

static void tx_count(struct bgp_session *s, const uint8_t *bytes, size_t len)
{
    struct rd r = rd_init(bytes, len);
    while (rd_left(&r) >= BGP_HEADER_LEN) {
        rd_skip(&r, 16);
        uint16_t whole = rd_u16(&r);
        uint8_t type = rd_u8(&r);
        rd_skip(&r, whole - BGP_HEADER_LEN);
        count(s, BGP_tx_messages, 1);
        count(s, BGP_tx_updates, type == BGP_UPDATE);
        count(s, BGP_tx_keepalives, type == BGP_KEEPALIVE);
        count(s, BGP_tx_notifications, type == BGP_NOTIFICATION);
    }
}

static void broken(struct bgp_session *s, enum bgp_conn_side side, const char *why)
{
    if (s->broken[side])
        return;
    s->broken[side] = true;
    text_copy(s->broken_why[side], sizeof s->broken_why[side], why);
}

/* True while TCP takes more. */
static bool flush(struct bgp_session *s, enum bgp_conn_side side)
{
    size_t sent;
    enum bgp_flush got = bgp_link_flush(s->links[side], &sent);
    count(s, BGP_tx_bytes, sent);
    s->sent[side] |= sent > 0;
    if (got == BGP_FLUSH_BROKEN)
        broken(s, side, strerror(errno));
    count(s, BGP_tx_blocked, got == BGP_FLUSH_BLOCKED);
    return got == BGP_FLUSH_DONE;
}

static void act_send(struct bgp_session *s, const struct bgp_fsm_action *a)
{
    struct bgp_link *l = s->links[a->side];
    if (l == NULL || s->broken[a->side])
        return;
    if (!bgp_link_write(l, a->bytes, a->len)) {
        broken(s, a->side, "the neighbor takes no bytes and the buffer is full");
        return;
    }
    tx_count(s, a->bytes, a->len);
    flush(s, a->side);
}

/* Neither logged nor told to the owner here: between two neighbors' bytes there is no time for that. */
static void told(void *arg, const struct bgp_rib_out_row *row, enum bgp_rib_change change)
{
    struct bgp_session *s = arg;
    struct bgp_speaker_event ev = event_of(s, BGP_SPEAKER_ROUTE);
    ev.prefix = row->prefix;
    ev.out_old = change != BGP_RIB_ANNOUNCED;
    ev.out_new = change != BGP_RIB_WITHDRAWN;
    text_copy(ev.text, sizeof ev.text, row->reason);
    bgp_speaker_event(s->speaker, &ev);
}

/* Writes what the neighbor has still to hear, as far as TCP takes it. */
static void push(struct bgp_session *s, bool withdrawals_only)
{
    enum bgp_conn_side side = bgp_fsm_side(&s->fsm);
    if (bgp_fsm_state(&s->fsm) != BGP_ESTABLISHED)
        return;
    bool done = false;
    while (!done && s->out.dirty && s->links[side] != NULL && !s->broken[side]) {
        struct wr w = bgp_link_room(s->links[side]);
        if (wr_left(&w) < TX_ROOM_MIN)
            return; /* `room` comes back here */
        done = bgp_rib_out_write(&s->out, &w, &s->out_ctx, withdrawals_only, time_mono(), told, s);
        done |= withdrawals_only || wr_len(&w) == 0;
        tx_count(s, w.begin, wr_len(&w));
        bgp_link_wrote(s->links[side], wr_len(&w));
        flush(s, side);
    }
}

/* ---- routes of others ------------------------------------------------------------------------- */

static bool seen_may_log(struct bgp_session *s)
{
    mono_t now = time_mono();
    if (mono_ms_between(s->seen_log_at, now) >= 1000) {
        s->seen_log_at = now;
        s->seen_log_count = 0;
    }
    return s->seen_log_count++ < SEEN_LOG_PER_S;
}

static void seen_changed(void *arg, const struct bgp_seen *old, const struct bgp_seen *now)
{
    static const char *const relations[] = { "none", "equal", "covers", "inside" };
    struct bgp_session *s = arg;
    const struct bgp_seen *row = now != NULL ? now : old;
    struct bgp_speaker_event ev = event_of(s, now != NULL ? BGP_SPEAKER_SEEN : BGP_SPEAKER_GONE);
    ev.prefix = row->prefix;
    ev.seen = row;
    bgp_speaker_event(s->speaker, &ev);
    if (!seen_may_log(s))
        return;
    char prefix[BGP_PREFIX_TEXT_MAX];
    log_info(now != NULL ? "route_seen" : "route_gone",
             "prefix=%s neighbor=%s relation=%s origin_as=%u path_len=%u own_as=%d",
             bgp_prefix_text(&row->prefix, prefix), s->name, relations[row->relation],
             row->path.origin, row->path.len, row->own_as);
}

static void act_update(struct bgp_session *s, const struct bgp_update *u, mono_t now)
{
    count(s, BGP_rx_prefixes, u->prefix_count);
    count(s, BGP_rx_discarded, u->grade == BGP_GRADE_DISCARD);
    count(s, BGP_rx_as_withdraw, u->grade == BGP_GRADE_WITHDRAW);
    if (u->grade != BGP_GRADE_NONE) {
        text_copy(s->last_error, sizeof s->last_error, u->error.why);
        s->last_error_at = now;
        log_debug("bgp_update_damaged", "neighbor=%s treated_as=%s why=\"%s\"", s->name,
                  u->grade == BGP_GRADE_WITHDRAW ? "withdraw" : "attribute_discarded",
                  u->error.why);
    }
    bgp_rib_in_apply(&s->in, u, now, seen_changed, s);
    s->counters.row[BGP_rx_seen_full] = s->in.dropped_full;
    if (!bgp_rib_count_apply(&s->announced, u))
        s->max_reached = true;
}

/* ---- up and down ------------------------------------------------------------------------------ */

/* Next hops and the manner of speaking, once the connection is known. */
static void out_context(struct bgp_session *s, enum bgp_conn_side side)
{
    const struct bgp_negotiated *n = &s->fsm.conn[side].nego;
    const struct bgp_neighbor_config *c = &s->config;
    struct sockaddr_storage at;
    socklen_t len = sizeof at;
    struct bgp_addr local = { 0 }, global = { 0 }, link_local = { 0 };
    uint32_t scope = 0;
    if (getsockname(bgp_link_fd(s->links[side]), (struct sockaddr *)&at, &len) == 0 &&
        bgp_socket_addr_parse(&at, &local, &scope))
        bgp_socket_next_hops(&local, &c->addr, scope, &global, &link_local);
    struct bgp_out_context *o = &s->out_ctx;
    *o = (struct bgp_out_context){ .as4 = n->as4,
                                   .ibgp = c->local_as == c->remote_as,
                                   .v4_over_v6_next_hop = n->v4_over_v6_next_hop,
                                   .local_as = c->local_as,
                                   .families = n->families,
                                   .len_max = BGP_MSG_MAX };
    struct bgp_addr own = bgp_addr_is_zero(&global) ? local : global;
    for (int f = 0; f < BGP_FAMILIES; f++) {
        bool same = own.family == f && !bgp_addr_is_zero(&own);
        bool v6_for_v4 = f == BGP_IPV4 && own.family == BGP_IPV6 && n->v4_over_v6_next_hop;
        o->has_next_hop[f] = c->has_next_hop[f] || same || v6_for_v4;
        o->next_hop[f] = c->has_next_hop[f] ? c->next_hop[f] : own;
        /* RFC 2545 section 3: only if the global next hop is on the same link. */
        if (o->next_hop[f].family == BGP_IPV6 && o->has_next_hop[f])
            o->has_link_local |=
                !bgp_addr_is_zero(&link_local) && bgp_addr_eq(&o->next_hop[f], &own);
    }
    memcpy(o->link_local, link_local.bytes, 16);
}

static void act_up(struct bgp_session *s, enum bgp_conn_side side)
{
    const struct bgp_negotiated *n = &s->fsm.conn[side].nego;
    count(s, BGP_established, 1);
    bgp_link_len_max(s->links[side], n->extended_message ? BGP_MSG_MAX_EXTENDED : BGP_MSG_MAX);
    out_context(s, side);
    uint32_t sendable = 0;
    for (int f = 0; f < BGP_FAMILIES; f++) {
        if (bgp_out_can(&s->out_ctx, (enum bgp_family)f))
            sendable |= BGP_FAMILY_BIT(f);
        else if (n->families & BGP_FAMILY_BIT(f))
            log_warn("bgp_no_next_hop",
                     "neighbor=%s family=%s hint=\"set next_hop for this family\"", s->name,
                     f == BGP_IPV4 ? "ipv4" : "ipv6");
    }
    bgp_rib_out_up(&s->out, sendable, n->families);
    bgp_rib_count_init(&s->announced, s->announced.slots, s->announced.mask + 1,
                       s->config.max_prefixes, bgp_speaker_seed(s->speaker));
    s->max_reached = false;
    log_info("bgp_up", "neighbor=%s as=%u hold_s=%u families=%s%s id=%u.%u.%u.%u", s->name,
             s->config.remote_as, n->hold_s, n->families & 1 ? "ipv4" : "",
             n->families & 2 ? (n->families & 1 ? ",ipv6" : "ipv6") : "", n->remote_id >> 24,
             n->remote_id >> 16 & 255, n->remote_id >> 8 & 255, n->remote_id & 255);
    struct bgp_speaker_event ev = event_of(s, BGP_SPEAKER_UP);
    bgp_speaker_event(s->speaker, &ev);
}

static void act_down(struct bgp_session *s, const char *why, mono_t now)
{
    count(s, BGP_downs, 1);
    log_warn("bgp_down", "neighbor=%s why=\"%s\" routes=%u", s->name, why, s->out.told);
    struct bgp_speaker_event ev = event_of(s, BGP_SPEAKER_DOWN);
    ev.routes = s->out.told;
    text_copy(ev.text, sizeof ev.text, why);
    bgp_speaker_event(s->speaker, &ev);
    bgp_rib_out_down(&s->out, now);
    bgp_rib_in_clear(&s->in, seen_changed, s);
}

static void act_state(struct bgp_session *s, const struct bgp_fsm_action *a)
{
    log_debug("bgp_state", "neighbor=%s side=%s from=%s to=%s why=\"%s\"", s->name,
              a->side == BGP_OUT ? "out" : "in", bgp_state_text(a->from), bgp_state_text(a->to),
              a->why);
    struct bgp_speaker_event ev = event_of(s, BGP_SPEAKER_STATE);
    ev.from = a->from;
    ev.to = a->to;
    text_copy(ev.text, sizeof ev.text, a->why);
    bgp_speaker_event(s->speaker, &ev);
}

static void act_error(struct bgp_session *s, const char *why, mono_t now)
{
    text_copy(s->last_error, sizeof s->last_error, why);
    s->last_error_at = now;
    log_warn("bgp_error", "neighbor=%s what=\"%s\"", s->name, why);
}

static void act_refresh(struct bgp_session *s, const struct bgp_fsm_action *a)
{
    enum bgp_family family = (enum bgp_family)a->family;
    switch ((enum bgp_refresh_kind)a->refresh) {
    case BGP_REFRESH_REQUEST:
        bgp_rib_out_refresh(&s->out, family, s->fsm.conn[a->side].nego.enhanced_refresh);
        return;
    case BGP_REFRESH_BEGIN:
        bgp_rib_in_refresh_begin(&s->in, family);
        return;
    case BGP_REFRESH_END:
        bgp_rib_in_refresh_end(&s->in, family, seen_changed, s);
        return;
    }
}

/* ---- links ------------------------------------------------------------------------------------ */

static void link_connected(void *arg, struct bgp_link *l)
{
    struct bgp_fsm_event ev = { .kind = BGP_EV_TCP_UP, .side = bgp_link_side(l) };
    feed(arg, &ev);
}

static void link_message(void *arg, struct bgp_link *l, const uint8_t *bytes, size_t len)
{
    static const enum bgp_counter by_type[] = {
        0, 0, BGP_rx_updates, BGP_rx_notifications, BGP_rx_keepalives, BGP_rx_refreshes
    };
    struct bgp_session *s = arg;
    count(s, BGP_rx_messages, 1);
    count(s, BGP_rx_bytes, len);
    if (len >= BGP_HEADER_LEN && bytes[18] >= BGP_UPDATE && bytes[18] <= BGP_ROUTE_REFRESH)
        count(s, by_type[bytes[18]], 1);
    struct bgp_fsm_event ev = {
        .kind = BGP_EV_MESSAGE, .side = bgp_link_side(l), .bytes = bytes, .len = len
    };
    feed(s, &ev);
}

static void link_down(void *arg, struct bgp_link *l, const char *cause)
{
    struct bgp_fsm_event ev = { .kind = BGP_EV_TCP_DOWN, .side = bgp_link_side(l), .text = cause };
    feed(arg, &ev);
}

static void link_room(void *arg, struct bgp_link *l)
{
    struct bgp_session *s = arg;
    s->stepping = true; /* what is found broken is told below, by feed */
    if (flush(s, bgp_link_side(l)) && l == s->links[bgp_fsm_side(&s->fsm)])
        push(s, false);
    s->stepping = false;
    struct bgp_fsm_event ev = { .kind = BGP_EV_SENT, .side = bgp_link_side(l) };
    feed(s, &ev);
}

static struct bgp_link *link_take(struct bgp_session *s, int fd, bool connecting,
                                  enum bgp_conn_side side)
{
    struct bgp_link_owner owner = { .arg = s,
                                    .connected = link_connected,
                                    .message = link_message,
                                    .down = link_down,
                                    .room = link_room };
    s->broken[side] = s->sent[side] = false;
    return bgp_link_new(bgp_speaker_loop(s->speaker), fd, connecting, side, &owner,
                        bgp_speaker_links(s->speaker));
}

static void act_connect(struct bgp_session *s)
{
    const struct bgp_neighbor_config *c = &s->config;
    struct bgp_socket_options options = { c->password, c->ttl_security_hops };
    uint32_t scope = c->interface != NULL ? if_nametoindex(c->interface) : 0;
    bool done = false;
    count(s, BGP_connects, 1);
    int fd = bgp_socket_connect(&c->addr, c->port ? c->port : BGP_PORT, scope,
                                c->has_source ? &c->source : NULL, &options, &done);
    if (fd < 0) {
        broken(s, BGP_OUT, strerror(errno));
        return;
    }
    /* A connection that is made at once is seen by the loop as writable, like any other. */
    s->links[BGP_OUT] = link_take(s, fd, true, BGP_OUT);
}

static void act_close(struct bgp_session *s, enum bgp_conn_side side)
{
    struct bgp_link *l = s->links[side];
    s->links[side] = NULL;
    s->sent[side] = false;
    s->broken[side] = false;
    if (l != NULL)
        bgp_link_let_go(l);
}

/* ---- feeding the machine ---------------------------------------------------------------------- */

static void carry_out(struct bgp_session *s, const struct bgp_fsm_actions *out, mono_t now)
{
    for (uint32_t i = 0; i < out->n; i++) {
        const struct bgp_fsm_action *a = &out->a[i];
        switch (a->kind) {
        case BGP_ACT_CONNECT:
            act_connect(s);
            break;
        case BGP_ACT_SEND:
            act_send(s, a);
            break;
        case BGP_ACT_CLOSE:
            act_close(s, a->side);
            break;
        case BGP_ACT_STATE:
            act_state(s, a);
            break;
        case BGP_ACT_UP:
            act_up(s, a->side);
            break;
        case BGP_ACT_DOWN:
            act_down(s, a->why, now);
            break;
        case BGP_ACT_UPDATE:
            act_update(s, &out->update, now);
            break;
        case BGP_ACT_REFRESH:
            act_refresh(s, a);
            break;
        case BGP_ACT_ERROR:
            act_error(s, a->why, now);
            break;
        }
    }
    push(s, false);
}

static void on_timer(uv_timer_t *timer);

static void timer_arm(struct bgp_session *s)
{
    int wait = time_poll_ms(time_mono(), bgp_fsm_next(&s->fsm));
    if (wait < 0) {
        uv_timer_stop(&s->timer);
        return;
    }
    uv_update_time(s->timer.loop);
    uv_timer_start(&s->timer, on_timer, (uint64_t)wait, 0);
}

/* What the last step's sends have brought to light. False: nothing. */
static bool next_event(struct bgp_session *s, struct bgp_fsm_event *ev)
{
    for (int i = 0; i < BGP_CONN_SIDES; i++) {
        enum bgp_conn_side side = (enum bgp_conn_side)i;
        if (s->broken[side]) {
            *ev = (struct bgp_fsm_event){ .kind = BGP_EV_TCP_DOWN,
                                          .side = side,
                                          .text = s->broken_why[side] };
            s->broken[side] = false;
            return true;
        }
        if (s->sent[side]) {
            s->sent[side] = false;
            *ev = (struct bgp_fsm_event){ .kind = BGP_EV_SENT, .side = side };
            return true;
        }
    }
    if (s->max_reached) {
        s->max_reached = false;
        *ev =
            (struct bgp_fsm_event){ .kind = BGP_EV_RESET, .cease_subcode = BGP_CEASE_MAX_PREFIXES };
        return true;
    }
    return false;
}

static void feed(struct bgp_session *s, const struct bgp_fsm_event *first)
{
    base_assert(!s->stepping);
    s->stepping = true;
    struct bgp_fsm_event ev = *first;
    struct bgp_fsm_actions out;
    do {
        mono_t now = time_mono();
        ev.random = bgp_speaker_random(s->speaker);
        bgp_fsm_step(&s->fsm, &ev, now, &out);
        carry_out(s, &out, now);
    } while (next_event(s, &ev));
    s->counters.row[BGP_collisions] = s->fsm.collisions;
    s->stepping = false;
    timer_arm(s);
}

static void on_timer(uv_timer_t *timer)
{
    struct bgp_session *s = timer->data;
    /* A loop that was held up may find a hold timer due and the keepalive that would have restarted
     * it unread. What has come counts. */
    for (int side = 0; side < BGP_CONN_SIDES; side++) {
        if (s->links[side] != NULL)
            bgp_link_read(s->links[side]);
    }
    struct bgp_fsm_event ev = { .kind = BGP_EV_TIMER };
    feed(s, &ev);
}

/* ---- what the speaker asks of a session ---------------------------------------------------------- */

void bgp_session_start(struct bgp_session *s)
{
    struct bgp_fsm_event ev = { .kind = BGP_EV_START };
    feed(s, &ev);
}

void bgp_session_end(struct bgp_session *s, enum bgp_fsm_event_kind kind, uint8_t subcode,
                     const char *text)
{
    struct bgp_fsm_event ev = { .kind = kind, .cease_subcode = subcode, .text = text };
    feed(s, &ev);
}

void bgp_session_abort(struct bgp_session *s)
{
    for (int side = 0; side < BGP_CONN_SIDES; side++) {
        if (s->links[side] != NULL)
            bgp_link_abort(s->links[side]);
        s->links[side] = NULL;
    }
}

bool bgp_session_accepts(const struct bgp_session *s)
{
    return bgp_fsm_accepts(&s->fsm);
}

void bgp_session_accepted(struct bgp_session *s, int fd)
{
    const struct bgp_neighbor_config *c = &s->config;
    if (!bgp_fsm_accepts(&s->fsm) || !bgp_socket_usual(fd, c->addr.family) ||
        (c->ttl_security_hops != 0 && !bgp_socket_gtsm(fd, c->addr.family, c->ttl_security_hops))) {
        count(s, BGP_accepts_refused, 1);
        close(fd);
        return;
    }
    count(s, BGP_accepts, 1);
    if (s->links[BGP_IN] != NULL) {
        struct bgp_fsm_event old = { .kind = BGP_EV_TCP_DOWN,
                                     .side = BGP_IN,
                                     .text = "replaced by a newer connection" };
        feed(s, &old);
    }
    s->links[BGP_IN] = link_take(s, fd, false, BGP_IN);
    struct bgp_fsm_event ev = { .kind = BGP_EV_TCP_UP, .side = BGP_IN };
    feed(s, &ev);
}

void bgp_session_set(struct bgp_session *s, const struct bgp_rib_want *set, uint32_t n,
                     const struct bgp_gone *gone, mono_t now)
{
    uint32_t cap = n + s->out.count;
    if (cap > s->out.cap) {
        s->out.rows = base_realloc(s->out.rows, cap * sizeof *s->out.rows);
        s->out.cap = cap;
    }
    bool fits = bgp_rib_out_set(&s->out, set, n, gone, now);
    base_assert(fits);
}

void bgp_session_push(struct bgp_session *s, bool withdrawals_only)
{
    base_assert(!s->stepping);
    if (!s->out.dirty || bgp_fsm_state(&s->fsm) != BGP_ESTABLISHED)
        return;
    s->stepping = true;
    push(s, withdrawals_only);
    s->stepping = false;
    struct bgp_fsm_event ev;
    if (next_event(s, &ev))
        feed(s, &ev);
}

void bgp_session_watch(struct bgp_session *s, const struct bgp_prefix *watch, uint32_t n)
{
    bgp_rib_in_watch(&s->in, watch, n, seen_changed, s);
    enum bgp_conn_side side = bgp_fsm_side(&s->fsm);
    const struct bgp_negotiated *nego = &s->fsm.conn[side].nego;
    if (bgp_fsm_state(&s->fsm) != BGP_ESTABLISHED || !nego->route_refresh)
        return;
    uint8_t buf[BGP_FAMILIES * 32];
    struct wr w = wr_init(buf, sizeof buf);
    for (int f = 0; f < BGP_FAMILIES; f++) {
        if (nego->families & BGP_FAMILY_BIT(f))
            bgp_refresh_write(&w, (enum bgp_family)f, BGP_REFRESH_REQUEST);
    }
    struct bgp_fsm_action send = {
        .kind = BGP_ACT_SEND, .side = side, .bytes = buf, .len = (uint32_t)wr_len(&w)
    };
    act_send(s, &send);
    struct bgp_fsm_event ev;
    if (next_event(s, &ev))
        feed(s, &ev);
}

/* ---- configuration ---------------------------------------------------------------------------- */

static bool next_hop_check(const struct bgp_neighbor_config *c, uint32_t families, struct err *e)
{
    bool v6 = families & BGP_FAMILY_BIT(BGP_IPV6);
    if (v6 && c->addr.family == BGP_IPV4 && !c->has_next_hop[BGP_IPV6])
        return err_set(e, ERR_INPUT, "give an IPv6 next hop for it, or a second session over IPv6",
                       "neighbor %s: IPv6 prefixes over an IPv4 session have no next hop", c->name);
    if (c->has_next_hop[BGP_IPV6] && c->next_hop[BGP_IPV6].family != BGP_IPV6)
        return err_set(e, ERR_INPUT, NULL, "neighbor %s: the IPv6 next hop is an IPv4 address",
                       c->name);
    return true;
}

bool bgp_session_check(const struct bgp_neighbor_config *c, struct err *e)
{
    if (c->name == NULL || c->name[0] == '\0' || strlen(c->name) >= BGP_NEIGHBOR_NAME_MAX)
        return err_set(e, ERR_INPUT, "name it with 1 to 63 characters", "a neighbor has no name");
    if (bgp_addr_is_zero(&c->addr))
        return err_set(e, ERR_INPUT, NULL, "neighbor %s: the address is zero", c->name);
    bool link_local = c->addr.family == BGP_IPV6 && bgp_addr_is_link_local(&c->addr);
    if (link_local && (c->interface == NULL || c->interface[0] == '\0'))
        return err_set(e, ERR_INPUT, "name the interface",
                       "neighbor %s: a link-local address without its interface", c->name);
    if (c->interface != NULL && strlen(c->interface) >= IFNAMSIZ)
        return err_set(e, ERR_INPUT, NULL, "neighbor %s: no interface has so long a name", c->name);
    if (c->local_as == 0 || c->remote_as == 0 || c->local_as == BGP_AS_TRANS ||
        c->remote_as == BGP_AS_TRANS)
        return err_set(e, ERR_INPUT, "AS 0 (RFC 7607) and 23456 (RFC 6793) are nobody's",
                       "neighbor %s: AS %u cannot be", c->name,
                       c->local_as == 0 || c->local_as == BGP_AS_TRANS ? c->local_as
                                                                       : c->remote_as);
    if (c->hold_s == 1 || c->hold_s == 2)
        return err_set(e, ERR_INPUT, "use 0 (no timer) or at least 3s",
                       "neighbor %s: hold time %us is too short", c->name, c->hold_s);
    if (c->password != NULL && (c->password[0] == '\0' || strlen(c->password) > BGP_PASSWORD_MAX))
        return err_set(e, ERR_INPUT, "TCP-MD5 takes 1 to 80 bytes", "neighbor %s: the password",
                       c->name);
    if (c->has_source && c->source.family != c->addr.family)
        return err_set(e, ERR_INPUT, NULL, "neighbor %s: source and address are of two families",
                       c->name);
    if (c->families & ~BGP_FAMILY_ALL)
        return err_set(e, ERR_INPUT, NULL, "neighbor %s: unknown family", c->name);
    if (c->max_prefixes > BGP_MAX_PREFIXES)
        return err_set(e, ERR_INPUT, NULL, "neighbor %s: more than %u prefixes", c->name,
                       (unsigned)BGP_MAX_PREFIXES);
    return next_hop_check(c, c->families ? c->families : BGP_FAMILY_BIT(c->addr.family), e);
}

static void count_init(struct bgp_session *s)
{
    uint32_t max = s->config.max_prefixes, slots = 2;
    while (slots < 2 * max)
        slots *= 2;
    uint64_t *memory = max > 0 ? base_calloc(slots, sizeof *memory) : NULL;
    bgp_rib_count_init(&s->announced, memory, max > 0 ? slots : 0, max, 0);
}

void bgp_session_init(struct bgp_session *s, struct bgp_speaker *speaker, uint32_t idx,
                      const struct bgp_neighbor_config *c)
{
    s->speaker = speaker;
    s->idx = idx;
    s->config = *c;
    text_copy(s->name, sizeof s->name, c->name);
    text_copy(s->interface, sizeof s->interface, c->interface);
    text_copy(s->password, sizeof s->password, c->password);
    s->config.name = s->name;
    s->config.interface = c->interface != NULL ? s->interface : NULL;
    s->config.password = c->password != NULL ? s->password : NULL;
    s->offered = c->families ? c->families : BGP_FAMILY_BIT(c->addr.family);
    bool v4_next_hop = c->has_next_hop[BGP_IPV4] && c->next_hop[BGP_IPV4].family == BGP_IPV4;
    struct bgp_fsm_config fc = {
        .local_as = c->local_as,
        .remote_as = c->remote_as,
        .router_id = bgp_speaker_router_id(speaker),
        .hold_s = c->hold_s,
        .passive = c->passive,
        .families = s->offered,
        .v4_over_v6_next_hop = (s->offered & BGP_FAMILY_BIT(BGP_IPV4)) && !v4_next_hop &&
                               (c->addr.family == BGP_IPV6 || c->has_next_hop[BGP_IPV4]),
        .connect_retry_ms = c->connect_retry_ms,
    };
    bgp_fsm_init(&s->fsm, &fc, time_mono());
    bgp_rib_out_init(&s->out, NULL, 0);
    bgp_rib_in_init(&s->in, base_calloc(BGP_SEEN_MAX, sizeof(struct bgp_seen)), BGP_SEEN_MAX,
                    c->local_as, idx);
    count_init(s);
    uv_timer_init(bgp_speaker_loop(speaker), &s->timer);
    s->timer.data = s;
}

void bgp_session_fini(struct bgp_session *s)
{
    free(s->out.rows);
    free(s->in.rows);
    free(s->announced.slots);
    explicit_bzero(s->password, sizeof s->password);
}
