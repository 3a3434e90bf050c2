/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The speaker: all neighbors, the listening sockets, and the queue of events for its owner. */
#include "bgp/speaker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "base/assert.h"
#include "base/log.h"
#include "bgp/session.h"
#include "bgp/socket.h"

#define LISTENERS_MAX 64
#define ACCEPT_BUDGET 16
#define EVENTS_MAX 65536
#define EVENTS_BUDGET 512    /* per turn of the loop */
#define EVENTS_SEEN_MAX 4096 /* of these for the routes of others, who may be many */

struct listener {
    uv_poll_t poll;
    int fd;
    struct bgp_speaker *speaker;
};

struct bgp_speaker {
    uv_loop_t *loop;
    uint32_t router_id;
    bgp_speaker_handler *handler;
    void *arg;
    uint64_t seed, rng;
    struct bgp_session *sessions;
    uint32_t session_count;
    struct bgp_prefix *watch;
    uint32_t watch_count;
    struct listener *listeners[LISTENERS_MAX];
    uint32_t listener_count;
    struct bgp_link_count links;
    /* events, oldest first; delivered from the idle callback */
    uv_idle_t idle;
    struct bgp_speaker_event *events;
    uint32_t event_first, event_count, event_cap;
    uint64_t events_lost;
    uint64_t accepts_unknown;
    bool stopping, freed;
    uint32_t handles; /* libuv still holds so many: idle, listeners, the sessions' timers */
    void (*done)(void *arg);
    void *done_arg;
};

/* ---- for sessions ----------------------------------------------------------------------------- */

uv_loop_t *bgp_speaker_loop(struct bgp_speaker *s)
{
    return s->loop;
}

struct bgp_link_count *bgp_speaker_links(struct bgp_speaker *s)
{
    return &s->links;
}

uint32_t bgp_speaker_random(struct bgp_speaker *s)
{
    uint64_t x = s->rng += 0x9e3779b97f4a7c15u; /* splitmix64 */
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return (uint32_t)((x ^ x >> 31) >> 32);
}

uint64_t bgp_speaker_seed(const struct bgp_speaker *s)
{
    return s->seed;
}

uint32_t bgp_speaker_router_id(const struct bgp_speaker *s)
{
    return s->router_id;
}

static void deliver(uv_idle_t *idle);

static bool events_grow(struct bgp_speaker *s)
{
    uint32_t cap = s->event_cap == 0 ? 64 : s->event_cap * 2;
    if (cap > EVENTS_MAX)
        return false;
    struct bgp_speaker_event *events = base_alloc(cap * sizeof *events);
    for (uint32_t i = 0; i < s->event_count; i++)
        events[i] = s->events[(s->event_first + i) % s->event_cap];
    free(s->events);
    s->events = events;
    s->event_first = 0;
    s->event_cap = cap;
    return true;
}

void bgp_speaker_event(struct bgp_speaker *s, const struct bgp_speaker_event *ev)
{
    bool seen = ev->kind == BGP_SPEAKER_SEEN || ev->kind == BGP_SPEAKER_GONE;
    if (s->freed)
        return;
    if ((seen && s->event_count >= EVENTS_SEEN_MAX) ||
        (s->event_count == s->event_cap && !events_grow(s))) {
        if (s->events_lost++ == 0)
            log_warn("bgp_events_lost", "queued=%u", s->event_count);
        return;
    }
    struct bgp_speaker_event *to = &s->events[(s->event_first + s->event_count++) % s->event_cap];
    *to = *ev;
    if (ev->seen != NULL) {
        struct bgp_seen *copy = base_alloc(sizeof *copy); /* freed once it is delivered */
        *copy = *ev->seen;
        to->seen = copy;
    }
    uv_idle_start(&s->idle, deliver);
}

static void say_done(struct bgp_speaker *s)
{
    void (*done)(void *) = s->done;
    s->done = NULL;
    if (done != NULL)
        done(s->done_arg);
}

static void seen_free(const struct bgp_speaker_event *ev)
{
    union {
        const struct bgp_seen *borrowed;
        void *owned;
    } seen = { .borrowed = ev->seen }; /* ours: bgp_speaker_event made the copy */
    free(seen.owned);
}

/* "Every route change is one log line: prefix, neighbor, old, new, reason." */
static void route_log(const struct bgp_speaker_event *ev)
{
    char prefix[BGP_PREFIX_TEXT_MAX], reason[BGP_REASON_MAX];
    log_info("route", "prefix=%s neighbor=%s old=%s new=%s reason=\"%s\"",
             bgp_prefix_text(&ev->prefix, prefix), ev->name, ev->out_old ? "announced" : "none",
             !ev->out_new  ? "withdrawn"
             : ev->out_old ? "changed"
                           : "announced",
             log_quoted(ev->text, reason, sizeof reason));
}

/* What is queued now, so many at a time that sockets are served in between; what the handler causes
 * comes in a later turn. */
static void deliver(uv_idle_t *idle)
{
    struct bgp_speaker *s = idle->data;
    uint32_t budget = EVENTS_BUDGET + s->event_count / 4; /* more when they pile up */
    if (budget > s->event_count)
        budget = s->event_count;
    for (uint32_t n = budget; n > 0; n--) {
        struct bgp_speaker_event ev = s->events[s->event_first];
        s->event_first = (s->event_first + 1) % s->event_cap;
        s->event_count--;
        if (ev.kind == BGP_SPEAKER_ROUTE)
            route_log(&ev);
        if (s->handler != NULL)
            s->handler(s->arg, &ev);
        seen_free(&ev);
    }
    if (s->event_count > 0)
        return;
    uv_idle_stop(&s->idle);
    if (s->stopping && s->links.links == 0)
        say_done(s);
}

/* ---- making it -------------------------------------------------------------------------------- */

static bool same_place(const struct bgp_neighbor_config *a, const struct bgp_neighbor_config *b)
{
    const char *ai = a->interface != NULL ? a->interface : "";
    const char *bi = b->interface != NULL ? b->interface : "";
    return bgp_addr_eq(&a->addr, &b->addr) && strcmp(ai, bi) == 0;
}

static bool options_check(const struct bgp_speaker_options *o, struct err *e)
{
    if (o->router_id == 0)
        return err_set(e, ERR_INPUT, "use an IPv4 address of this node", "the router id is zero");
    if (o->neighbor_count > BGP_NEIGHBORS_MAX)
        return err_set(e, ERR_INPUT, NULL, "more than %d neighbors", BGP_NEIGHBORS_MAX);
    for (uint32_t i = 0; i < o->neighbor_count; i++) {
        const struct bgp_neighbor_config *c = &o->neighbors[i];
        if (!bgp_session_check(c, e))
            return false;
        for (uint32_t k = 0; k < i; k++) {
            if (strcmp(o->neighbors[k].name, c->name) == 0)
                return err_set(e, ERR_INPUT, NULL, "two neighbors are named %s", c->name);
            if (same_place(&o->neighbors[k], c))
                return err_set(e, ERR_INPUT, "one session per address",
                               "neighbors %s and %s have the same address", o->neighbors[k].name,
                               c->name);
        }
    }
    return true;
}

static int by_prefix(const void *a, const void *b)
{
    return bgp_prefix_cmp(a, b);
}

static void watch_copy(struct bgp_speaker *s, const struct bgp_prefix *watch, uint32_t count)
{
    s->watch = base_calloc(count, sizeof *watch);
    if (count > 0)
        memcpy(s->watch, watch, count * sizeof *watch);
    qsort(s->watch, count, sizeof *watch, by_prefix);
    s->watch_count = count;
}

static void links_empty(void *arg);

struct bgp_speaker *bgp_speaker_new(struct uv_loop_s *loop, const struct bgp_speaker_options *o,
                                    struct err *e)
{
    uint64_t seed = o->seed;
    if (!options_check(o, e))
        return NULL;
    if (seed == 0 && getrandom(&seed, sizeof seed, 0) != sizeof seed) {
        err_set_errno(e, NULL, "getrandom");
        return NULL;
    }
    struct bgp_speaker *s = base_calloc(1, sizeof *s);
    s->loop = loop;
    s->router_id = o->router_id;
    s->handler = o->handler;
    s->arg = o->arg;
    s->seed = s->rng = seed;
    s->links = (struct bgp_link_count){ .empty = links_empty, .arg = s };
    watch_copy(s, o->watch, o->watch_count);
    uv_idle_init(loop, &s->idle);
    s->idle.data = s;
    s->sessions = base_calloc(o->neighbor_count, sizeof *s->sessions);
    s->session_count = o->neighbor_count;
    for (uint32_t i = 0; i < o->neighbor_count; i++) {
        bgp_session_init(&s->sessions[i], s, i, &o->neighbors[i]);
        bgp_session_watch(&s->sessions[i], s->watch, s->watch_count);
    }
    s->handles = 1 + s->session_count;
    return s;
}

void bgp_speaker_start(struct bgp_speaker *s)
{
    for (uint32_t i = 0; i < s->session_count; i++) {
        if (!s->sessions[i].config.disabled)
            bgp_session_start(&s->sessions[i]);
    }
}

/* ---- listening -------------------------------------------------------------------------------- */

static struct bgp_session *session_of(struct bgp_speaker *s, const struct bgp_addr *from,
                                      uint32_t scope)
{
    for (uint32_t i = 0; i < s->session_count; i++) {
        struct bgp_session *n = &s->sessions[i];
        if (!bgp_addr_eq(&n->config.addr, from))
            continue;
        if (from->family == BGP_IPV6 && bgp_addr_is_link_local(from)) {
            char name[64];
            size_t len = sizeof name;
            if (uv_if_indextoname(scope, name, &len) != 0 || strcmp(name, n->config.interface) != 0)
                continue;
        }
        return n;
    }
    return NULL;
}

static void on_accept(uv_poll_t *poll, int status, int events)
{
    struct listener *l = poll->data;
    (void)status;
    (void)events;
    for (int i = 0; i < ACCEPT_BUDGET; i++) {
        struct sockaddr_storage from;
        socklen_t len = sizeof from;
        struct bgp_addr addr = { 0 };
        uint32_t scope = 0;
        int fd = accept4(l->fd, (struct sockaddr *)&from, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0)
            return;
        struct bgp_session *n = bgp_socket_addr_parse(&from, &addr, &scope)
                                    ? session_of(l->speaker, &addr, scope)
                                    : NULL;
        if (n == NULL) {
            l->speaker->accepts_unknown++;
            close(fd);
            continue;
        }
        bgp_session_accepted(n, fd);
    }
}

static bool keys_set(struct bgp_speaker *s, int fd, struct err *e)
{
    for (uint32_t i = 0; i < s->session_count; i++) {
        const struct bgp_neighbor_config *c = &s->sessions[i].config;
        struct sockaddr_storage at = { 0 };
        socklen_t len = sizeof at;
        if (c->password == NULL)
            continue;
        /* An IPv4 socket takes no IPv6 key, and never hears from that neighbor. */
        if (getsockname(fd, (struct sockaddr *)&at, &len) == 0 && at.ss_family == AF_INET &&
            c->addr.family == BGP_IPV6)
            continue;
        if (!bgp_socket_md5(fd, &c->addr, c->password))
            return err_set_errno(e, "is TCP_MD5SIG built into this kernel?",
                                 "neighbor %s: TCP-MD5 key on the listener", c->name);
    }
    return true;
}

bool bgp_speaker_listen(struct bgp_speaker *s, int fd, struct err *e)
{
    if (s->listener_count == LISTENERS_MAX) {
        close(fd);
        return err_set(e, ERR_LIMIT, NULL, "more than %d listening sockets", LISTENERS_MAX);
    }
    if (!keys_set(s, fd, e)) {
        close(fd);
        return false;
    }
    if (!bgp_socket_usual(fd, BGP_IPV4) || !bgp_socket_listener_ttl(fd)) {
        err_set_errno(e, NULL, "options of the listening socket");
        close(fd);
        return false;
    }
    struct listener *l = base_calloc(1, sizeof *l);
    l->fd = fd;
    l->speaker = s;
    int failed = uv_poll_init(s->loop, &l->poll, fd);
    if (failed != 0) {
        free(l);
        close(fd);
        return err_set(e, ERR_SYSTEM, NULL, "polling the listening socket: %s",
                       uv_strerror(failed));
    }
    l->poll.data = l;
    uv_poll_start(&l->poll, UV_READABLE, on_accept);
    s->listeners[s->listener_count++] = l;
    s->handles++;
    return true;
}

/* ---- what should be out ----------------------------------------------------------------------- */

static int by_neighbor_and_prefix(const void *a, const void *b)
{
    const struct bgp_route *const *ra = a, *const *rb = b;
    if ((*ra)->neighbor != (*rb)->neighbor)
        return (*ra)->neighbor < (*rb)->neighbor ? -1 : 1;
    return bgp_prefix_cmp(&(*ra)->prefix, &(*rb)->prefix);
}

static bool rows_ok(const struct bgp_speaker *s, const struct bgp_route *set, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct bgp_attrs *a = &set[i].attrs;
        if (set[i].neighbor != BGP_NEIGHBOR_ALL && set[i].neighbor >= s->session_count)
            return false;
        if (a->prepend > BGP_PREPEND_MAX || a->community_count > BGP_COMMUNITIES_MAX ||
            a->large_count > BGP_LARGE_MAX || set[i].prefix.family >= BGP_FAMILIES ||
            set[i].prefix.len > bgp_prefix_len_max(set[i].prefix.family))
            return false;
    }
    return true;
}

/* The rows of one neighbor, sorted: its own, and those for all that it has no own one for. Returns how
 * many, at most one more than BGP_ROUTES_MAX. */
static uint32_t rows_of(const struct bgp_session *n, const struct bgp_route **own,
                        uint32_t own_count, const struct bgp_route **all, uint32_t all_count,
                        struct bgp_rib_want *out)
{
    uint32_t i = 0, k = 0, got = 0;
    while ((i < own_count || k < all_count) && got <= BGP_ROUTES_MAX) {
        int order = i == own_count   ? 1
                    : k == all_count ? -1
                                     : bgp_prefix_cmp(&own[i]->prefix, &all[k]->prefix);
        const struct bgp_route *r = order <= 0 ? own[i] : all[k];
        i += order <= 0;
        k += order >= 0;
        if (!(n->offered & BGP_FAMILY_BIT(r->prefix.family)))
            continue;
        if (got > 0 && bgp_prefix_eq(&out[got - 1].prefix, &r->prefix))
            continue; /* given twice: the first counts */
        out[got++] = (struct bgp_rib_want){ r->prefix, &r->attrs, r->reason };
    }
    return got;
}

/* Two passes over the neighbors: may it be done, then do it. False: a neighbor has too many. */
static bool apply(struct bgp_speaker *s, const struct bgp_route **rows, uint32_t count,
                  const struct bgp_gone *gone, struct bgp_rib_want *want, bool commit)
{
    uint32_t all = 0; /* rows for all neighbors are sorted last */
    mono_t now = time_mono();
    while (all < count && rows[all]->neighbor != BGP_NEIGHBOR_ALL)
        all++;
    uint32_t first = 0;
    for (uint32_t i = 0; i < s->session_count; i++) {
        uint32_t end = first;
        while (end < all && rows[end]->neighbor == i)
            end++;
        uint32_t got =
            rows_of(&s->sessions[i], rows + first, end - first, rows + all, count - all, want);
        first = end;
        if (got > BGP_ROUTES_MAX)
            return false;
        if (commit)
            bgp_session_set(&s->sessions[i], want, got, gone, now);
    }
    return true;
}

bool bgp_speaker_set_routes(struct bgp_speaker *s, const struct bgp_route *set, uint32_t count,
                            const struct bgp_gone *gone)
{
    if (s->stopping || !rows_ok(s, set, count))
        return false;
    const struct bgp_route **rows = base_calloc(count, sizeof *rows);
    struct bgp_rib_want *want = base_calloc(BGP_ROUTES_MAX + 1, sizeof *want);
    for (uint32_t i = 0; i < count; i++)
        rows[i] = &set[i];
    qsort(rows, count, sizeof *rows, by_neighbor_and_prefix);
    bool ok = apply(s, rows, count, gone, want, false) && apply(s, rows, count, gone, want, true);
    free(rows);
    free(want);
    if (!ok)
        return false;
    for (uint32_t i = 0; i < s->session_count; i++)
        bgp_session_push(&s->sessions[i], true);
    for (uint32_t i = 0; i < s->session_count; i++)
        bgp_session_push(&s->sessions[i], false);
    return true;
}

void bgp_speaker_set_watch(struct bgp_speaker *s, const struct bgp_prefix *watch, uint32_t count)
{
    struct bgp_prefix *old = s->watch;
    watch_copy(s, watch, count);
    for (uint32_t i = 0; i < s->session_count; i++)
        bgp_session_watch(&s->sessions[i], s->watch, s->watch_count);
    free(old);
}

/* ---- administration --------------------------------------------------------------------------- */

void bgp_speaker_disable(struct bgp_speaker *s, uint32_t neighbor, const char *text)
{
    base_assert(neighbor < s->session_count);
    struct bgp_session *n = &s->sessions[neighbor];
    n->config.disabled = true;
    bgp_session_end(n, BGP_EV_STOP, BGP_CEASE_SHUTDOWN, text);
}

void bgp_speaker_enable(struct bgp_speaker *s, uint32_t neighbor)
{
    base_assert(neighbor < s->session_count);
    if (s->stopping)
        return;
    s->sessions[neighbor].config.disabled = false;
    bgp_session_start(&s->sessions[neighbor]);
}

void bgp_speaker_reset(struct bgp_speaker *s, uint32_t neighbor, const char *text)
{
    base_assert(neighbor < s->session_count);
    bgp_session_end(&s->sessions[neighbor], BGP_EV_RESET, BGP_CEASE_RESET, text);
}

/* ---- the end ---------------------------------------------------------------------------------- */

static void dispose(struct bgp_speaker *s)
{
    if (!s->freed || s->handles > 0 || s->links.links > 0)
        return;
    for (uint32_t i = 0; i < s->session_count; i++)
        bgp_session_fini(&s->sessions[i]);
    free(s->sessions);
    for (uint32_t i = 0; i < s->event_count; i++)
        seen_free(&s->events[(s->event_first + i) % s->event_cap]);
    free(s->watch);
    free(s->events);
    free(s);
}

/* The last link is gone. */
static void links_empty(void *arg)
{
    struct bgp_speaker *s = arg;
    if (s->stopping && !s->freed)
        say_done(s);
    dispose(s);
}

static void on_handle_closed(uv_handle_t *h)
{
    struct bgp_speaker *s = h->data;
    s->handles--;
    dispose(s);
}

static void on_timer_closed(uv_handle_t *h)
{
    struct bgp_session *n = h->data;
    n->speaker->handles--;
    dispose(n->speaker);
}

static void on_listener_closed(uv_handle_t *h)
{
    struct listener *l = h->data;
    struct bgp_speaker *s = l->speaker;
    free(l);
    s->handles--;
    dispose(s);
}

static void listeners_close(struct bgp_speaker *s)
{
    for (uint32_t i = 0; i < s->listener_count; i++) {
        uv_close((uv_handle_t *)&s->listeners[i]->poll, on_listener_closed);
        close(s->listeners[i]->fd);
    }
    s->listener_count = 0;
}

void bgp_speaker_stop(struct bgp_speaker *s, const char *text, void (*done)(void *arg), void *arg)
{
    const struct bgp_gone gone = { .text = text != NULL ? text : "stopping" };
    if (!s->stopping)
        bgp_speaker_set_routes(s, NULL, 0, &gone);
    s->stopping = true;
    s->done = done;
    s->done_arg = arg;
    listeners_close(s);
    for (uint32_t i = 0; i < s->session_count; i++)
        bgp_session_end(&s->sessions[i], BGP_EV_STOP, BGP_CEASE_SHUTDOWN, text);
    if (s->links.links == 0) /* nobody to wait for; but never call back from within */
        uv_idle_start(&s->idle, deliver);
}

void bgp_speaker_free(struct bgp_speaker *s)
{
    if (s == NULL)
        return;
    s->freed = true;
    listeners_close(s);
    for (uint32_t i = 0; i < s->session_count; i++) {
        bgp_session_abort(&s->sessions[i]);
        uv_close((uv_handle_t *)&s->sessions[i].timer, on_timer_closed);
    }
    uv_close((uv_handle_t *)&s->idle, on_handle_closed);
}

/* ---- what is ---------------------------------------------------------------------------------- */

uint32_t bgp_speaker_neighbor_count(const struct bgp_speaker *s)
{
    return s->session_count;
}

void bgp_speaker_status(const struct bgp_speaker *s, uint32_t neighbor,
                        struct bgp_neighbor_status *out)
{
    base_assert(neighbor < s->session_count);
    const struct bgp_session *n = &s->sessions[neighbor];
    const struct bgp_fsm_conn *c = &n->fsm.conn[bgp_fsm_side(&n->fsm)];
    bool negotiated = c->state >= BGP_OPEN_CONFIRM;
    *out = (struct bgp_neighbor_status){
        .name = n->name,
        .addr = n->config.addr,
        .remote_as = n->config.remote_as,
        .local_as = n->config.local_as,
        .ibgp = n->config.remote_as == n->config.local_as,
        .disabled = n->config.disabled,
        .passive = n->config.passive,
        .state = c->state,
        .since = c->since,
        .next_try =
            mono_min(n->fsm.idle_until, c->state == BGP_ACTIVE ? n->fsm.retry_at : MONO_NEVER),
        .routes_out = n->out.told,
        .routes_due = bgp_rib_out_due(&n->out),
        .routes_seen = n->in.count,
        .counters = n->counters,
        .last_error_at = n->last_error_at,
    };
    if (negotiated) {
        out->remote_id = c->nego.remote_id;
        out->hold_s = c->nego.hold_s;
        out->families = c->nego.families;
        out->as4 = c->nego.as4;
        out->route_refresh = c->nego.route_refresh;
        out->extended_message = c->nego.extended_message;
    }
    memcpy(out->last_error, n->last_error, sizeof out->last_error);
}

uint32_t bgp_speaker_routes(const struct bgp_speaker *s, uint32_t neighbor,
                            struct bgp_route_status *out, uint32_t cap)
{
    base_assert(neighbor < s->session_count);
    const struct bgp_rib_out *rib = &s->sessions[neighbor].out;
    for (uint32_t i = 0; i < rib->count && i < cap; i++) {
        const struct bgp_rib_out_row *row = &rib->rows[i];
        out[i] = (struct bgp_route_status){ .prefix = row->prefix,
                                            .out = row->told,
                                            .wanted = row->wanted,
                                            .attrs = row->told ? row->said : row->want,
                                            .since = row->since };
        memcpy(out[i].reason, row->reason, sizeof out[i].reason);
    }
    return rib->count;
}

uint32_t bgp_speaker_seen(const struct bgp_speaker *s, struct bgp_seen *out, uint32_t cap)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < s->session_count; i++) {
        const struct bgp_rib_in *rib = &s->sessions[i].in;
        for (uint32_t k = 0; k < rib->count; k++) {
            if (count < cap)
                out[count] = rib->rows[k];
            count++;
        }
    }
    return count;
}
