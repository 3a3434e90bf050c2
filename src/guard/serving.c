/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The serve processes: one answers, one stands by, proven. Both hold the same sockets. When the first
 * ends or hangs, the second is told to read at once; what waits in the sockets' queues is answered,
 * and so is what the dead one had read (struct serve_flight).
 *
 * A new image goes to the standby first. Only when that has proven it does the active one get it, so
 * an image that kills a process kills no answer. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "guard/state.h"

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void slot_free(struct serve_slot *s)
{
    if (s->page != NULL)
        munmap(s->page, sizeof *s->page);
    close_fd(&s->page_fd);
    close_fd(&s->flight_fd);
    s->page = NULL;
    s->state = SLOT_FREE;
}

static int shared_memory(const char *name, size_t size)
{
    int fd = memfd_create(name, MFD_CLOEXEC);
    if (fd >= 0 && ftruncate(fd, (off_t)size) != 0)
        close_fd(&fd);
    return fd;
}

static void keep_sockets(void *arg)
{
    const struct serve_setup *setup = arg;
    for (uint32_t i = 0; i < setup->socket_count; i++)
        fcntl(setup->socket[i].fd, F_SETFD, 0);
}

static bool slot_open(struct guard *g, struct serve_slot *s, mono_t now)
{
    s->page_fd = shared_memory("perigee-page", sizeof *s->page);
    s->flight_fd = shared_memory("perigee-flight", sizeof(struct serve_flight) * g->o.workers);
    void *page = s->page_fd < 0 ? MAP_FAILED
                                : mmap(NULL, sizeof *s->page, PROT_READ, MAP_SHARED, s->page_fd, 0);
    if (page == MAP_FAILED || s->flight_fd < 0) {
        log_error("start_failed", "role=serve why=\"%s\"", strerror(errno));
        return false;
    }
    s->page = page;
    s->version = s->ordered = 0;
    s->skip = 0;
    s->was_active = false;
    s->deadline = mono_add_ms(now, GUARD_SERVE_START_MS);
    guard_watch_init(&s->link, now);
    for (uint32_t i = 0; i < g->o.workers; i++)
        guard_watch_init(&s->worker[i], now);
    return true;
}

static bool order(struct serve_slot *s, enum serve_order_kind kind, uint32_t version, int fd)
{
    const struct serve_order o = { .kind = kind, .version = version, .skip = s->skip };
    return guard_child_send(&s->child, &o, sizeof o, fd);
}

static void send_image(struct serve_slot *s, uint32_t version, int fd, mono_t now)
{
    if (order(s, SERVE_ORDER_IMAGE, version, fd)) {
        s->ordered = version;
        s->deadline = mono_add_ms(now, GUARD_SERVE_START_MS);
    }
}

/* Starts a process that will stand by. */
static void start(struct guard *g, mono_t now)
{
    struct serve_slot *s = NULL;
    for (uint32_t i = 0; i < GUARD_SLOTS && s == NULL; i++)
        if (g->slot[i].state == SLOT_FREE)
            s = &g->slot[i];
    if (s == NULL)
        return; /* too many are still dying */
    const bool opened = slot_open(g, s, now);
    const int pass[] = { g->net.setup_fd, s->page_fd, s->flight_fd };
    const struct guard_start how = {
        .title = "perigee-serve",
        .role = "serve",
        .pass = pass,
        .pass_count = BASE_COUNT(pass),
        .keep = keep_sockets,
        .arg = g->net.setup,
    };
    if (!opened || !guard_child_start(&s->child, &how, &g->identity)) {
        slot_free(s);
        g->start_after = mono_add_ms(now, 1000);
        return;
    }
    s->pid = s->child.pid;
    s->state = SLOT_STARTING;
    g->standby = s;
    guard_cookies_send(g, s);
    send_image(s, g->version, g->image_fd, now);
}

static void replay(struct guard *g)
{
    const struct serve_order o = { .kind = SERVE_ORDER_REPLAY, .skip = g->orphan_skip };
    guard_child_send(&g->active->child, &o, sizeof o, g->orphan_fd);
    close_fd(&g->orphan_fd);
}

/* The standby reads the sockets from here on. Then it is told to control: tell_active(). */
static void take_over(struct guard *g)
{
    struct serve_slot *s = g->standby;
    order(s, SERVE_ORDER_ACTIVATE, 0, -1);
    g->standby = NULL;
    g->active = s;
    s->state = SLOT_ACTIVE;
    s->was_active = true;
    if (g->orphan_fd >= 0)
        replay(g);
}

static void tell_active(struct guard *g, mono_t now)
{
    log_info("serve_active", "pid=%d version=%u", g->active->pid, g->active->version);
    guard_tell_active(g, now);
    guard_tell_standby(g, now);
}

static void back_off(struct guard *g, mono_t now)
{
    guard_watch_ends_add(&g->failures, now);
    const int64_t ms = guard_watch_backoff_ms(guard_watch_ends_count(&g->failures, now));
    if (ms > 0)
        g->start_after = mono_add_ms(now, ms);
}

/* The standby is no more, or must not be trusted. */
static void lose_standby(struct guard *g, const char *why, mono_t now)
{
    struct guard_event ev = { .kind = GUARD_EV_STANDBY_FAILED, .pid = g->standby->pid };
    log_warn("standby_failed", "pid=%d why=\"%s\"", g->standby->pid, why);
    snprintf(ev.text, sizeof ev.text, "%s", why);
    ev.at_ns = now.ns;
    g->standby->state = SLOT_DYING;
    g->standby = NULL;
    back_off(g, now);
    guard_tell(g, &ev, -1);
    guard_tell_standby(g, now);
}

static void drop_staged(struct guard *g, const char *why, mono_t now)
{
    struct guard_event ev = { .kind = GUARD_EV_ZONES_FAILED, .load = g->load_of, .at_ns = now.ns };
    if (g->staged_fd < 0)
        return;
    log_error("zones_failed", "version=%u why=\"%s\"", g->staged_version, why);
    snprintf(ev.text, sizeof ev.text, "%s", why);
    close_fd(&g->staged_fd);
    guard_tell(g, &ev, -1);
}

/* The staged image is what is answered from now on. */
static void adopt_staged(struct guard *g, mono_t now)
{
    if (g->image_fd >= 0)
        close(g->image_fd);
    g->image_fd = g->staged_fd;
    g->version = g->staged_version;
    g->staged_fd = -1;
    log_info("zones", "version=%u", g->version);
    guard_tell_zones(g, now);
}

/* The active process is gone, or is given up: `why` and `arg` as in struct guard_event. */
static void lose_active(struct guard *g, enum guard_down_why why, uint32_t arg, const char *text,
                        mono_t now)
{
    struct serve_slot *s = g->active;
    const bool repaired = g->standby != NULL && g->standby->state == SLOT_READY;
    g->active = NULL;
    s->state = SLOT_DYING;
    if (why != GUARD_DOWN_ASKED)
        guard_watch_ends_add(&g->crashes, now);
    back_off(g, now);
    struct guard_event ev = { .kind = GUARD_EV_SERVE_DOWN,
                              .why = why,
                              .pid = s->pid,
                              .repaired = repaired,
                              .crashes = guard_watch_ends_count(&g->crashes, now),
                              .arg = arg,
                              .at_ns = now.ns };
    snprintf(ev.text, sizeof ev.text, "%s", text);
    if (repaired)
        take_over(g); /* first the sockets, then the talk */
    log_warn("serve_down", "pid=%d why=\"%s\" repaired=%s crashes=%u", s->pid, text,
             repaired ? "yes" : "no", ev.crashes);
    guard_tell(g, &ev, -1);
    if (!repaired)
        drop_staged(g, "the serve process ended before it had proven the new zones", now);
    else if (g->staged_fd >= 0 && g->active->version == g->staged_version)
        adopt_staged(g, now);
    if (repaired)
        tell_active(g, now);
}

static void kill_slot(struct serve_slot *s)
{
    guard_child_kill(&s->child);
    s->state = SLOT_DYING;
}

/* Its end has been told before it is gone: hung, or asked for. */
static void give_up_active(struct guard *g, enum guard_down_why why, uint32_t arg, uint64_t skip,
                           const char *text, mono_t now)
{
    g->active->skip = skip;
    guard_child_kill(&g->active->child);
    lose_active(g, why, arg, text, now);
}

void guard_serving_replace(struct guard *g, const char *why, mono_t now)
{
    if (g->active != NULL)
        give_up_active(g, GUARD_DOWN_ASKED, 0, 0, why, now);
}

/* After a crash of its own making the query at hand is suspect: it is not replayed, lest what killed
 * one process kills the next. */
static bool is_own_signal(int number)
{
    return number != SIGKILL && number != SIGTERM && number != SIGINT;
}

/* What the dead one had read is answered by the one that is active now, or that will be. */
static void leave_flight(struct guard *g, struct serve_slot *dead)
{
    if (!dead->was_active)
        return;
    close_fd(&g->orphan_fd);
    g->orphan_fd = dead->flight_fd;
    g->orphan_skip = dead->skip;
    dead->flight_fd = -1;
    if (g->active != NULL)
        replay(g);
}

static void slot_ended(struct guard *g, struct serve_slot *s, int status, mono_t now)
{
    char text[96];
    const bool signalled = WIFSIGNALED(status);
    const uint32_t arg = (uint32_t)(signalled ? WTERMSIG(status) : WEXITSTATUS(status));
    snprintf(text, sizeof text, "%s %u%s%s", signalled ? "signal" : "exit status", arg,
             signalled ? " " : "", signalled ? sigabbrev_np((int)arg) : "");
    if (s == g->active) {
        if (!signalled || is_own_signal((int)arg))
            s->skip = ~UINT64_C(0);
        if (g->stop == STOP_SERVE)
            g->active = NULL;
        else
            lose_active(g, signalled ? GUARD_DOWN_SIGNAL : GUARD_DOWN_EXIT, arg, text, now);
    } else if (s == g->standby) {
        if (s->ordered == g->staged_version && s->version != g->staged_version)
            drop_staged(g, "the standby ended while it proved the new zones", now);
        lose_standby(g, text, now);
    }
    leave_flight(g, s);
    slot_free(s);
}

static void on_ready(struct guard *g, struct serve_slot *s, uint32_t version, mono_t now)
{
    s->version = version;
    if (s->ordered == version)
        s->deadline = MONO_NEVER;
    if (s->state == SLOT_STARTING) {
        s->state = SLOT_READY;
        log_info("serve_ready", "pid=%d version=%u", s->pid, version);
        if (g->active == NULL) {
            take_over(g);
            tell_active(g, now);
        } else {
            guard_tell_standby(g, now);
        }
    }
    if (g->staged_fd < 0) {
        if (s->ordered != g->version) /* the zones changed while it got ready */
            send_image(s, g->version, g->image_fd, now);
    } else if (s->ordered != g->staged_version)
        send_image(s, g->staged_version, g->staged_fd, now);
    else if (s == g->active && version == g->staged_version)
        adopt_staged(g, now);
    else if (g->active != NULL && g->active->ordered != g->staged_version)
        send_image(g->active, g->staged_version, g->staged_fd, now);
}

static void on_image_failed(struct guard *g, struct serve_slot *s, const char *text, mono_t now)
{
    log_error("proof_failed", "pid=%d why=\"%s\"", s->pid, text);
    s->deadline = MONO_NEVER;
    const bool was_staged = g->staged_fd >= 0 && s->ordered == g->staged_version;
    if (was_staged)
        drop_staged(g, text, now);
    if (s == g->active)
        s = g->standby; /* it proved what the active one did not: start it anew with the old */
    if (s != NULL && s == g->standby && (s->state == SLOT_STARTING || s->version != g->version)) {
        guard_child_kill(&s->child);
        lose_standby(g, text, now);
    }
}

static void read_reports(struct guard *g, struct serve_slot *s, mono_t now)
{
    struct serve_report r;
    int got = 0;
    while (s->state != SLOT_FREE && s->state != SLOT_DYING &&
           (got = guard_child_receive(&s->child, &r, sizeof r, NULL)) == 1) {
        r.text[sizeof r.text - 1] = '\0';
        if (r.kind == SERVE_REPORT_READY)
            on_ready(g, s, r.version, now);
        else if (r.kind == SERVE_REPORT_IMAGE_FAILED)
            on_image_failed(g, s, r.text, now);
        else if (r.kind == SERVE_REPORT_DRAINED && s == g->active && g->stop == STOP_SERVE)
            g->stop_deadline = mono_min(g->stop_deadline, mono_add_ms(now, 50));
    }
    if (got < 0) /* it ends, or breaks the form: then it shall end */
        guard_child_kill(&s->child);
}

static pid_t tid_of(const struct serve_worker_page *p)
{
    return atomic_load_explicit(&p->tid, memory_order_relaxed);
}

static uint64_t progress_of(const struct serve_worker_page *p)
{
    return atomic_load_explicit(&p->progress, memory_order_relaxed);
}

/* Which workers make no progress, as a mask; *idx is one of them. The thread that reads the orders
 * may take its time while it proves an image. */
static uint64_t hung_workers(struct guard *g, struct serve_slot *s, uint32_t *idx, mono_t now)
{
    uint64_t mask = 0;
    const pid_t pid = s->pid;
    if (atomic_load_explicit(&s->page->workers, memory_order_acquire) == 0)
        return 0;
    for (uint32_t i = 0; i < g->o.workers; i++) {
        const struct serve_worker_page *p = &s->page->worker[i];
        if (guard_hangs(&s->worker[i], progress_of(p), pid, tid_of(p), GUARD_SERVE_HANG_MS,
                        GUARD_SERVE_STARVED_MS, now)) {
            mask |= UINT64_C(1) << i;
            *idx = i;
        }
    }
    return mask;
}

static bool link_hangs(struct serve_slot *s, mono_t now)
{
    const struct serve_worker_page *p = &s->page->link;
    if (s->deadline.ns != MONO_NEVER.ns) {
        guard_watch_init(&s->link, now);
        return !mono_before(now, s->deadline);
    }
    return guard_hangs(&s->link, progress_of(p), s->pid, tid_of(p), GUARD_SERVE_HANG_MS,
                       GUARD_SERVE_STARVED_MS, now);
}

/* Stopped threads (T, t) hold no query that hurt them. Of the others, spinning or waiting for ever,
 * one may be stuck because of what it was asked. */
static uint64_t not_to_replay(struct serve_slot *s, uint64_t hung)
{
    uint64_t skip = 0;
    char state;
    uint64_t cpu_ns;
    for (uint32_t i = 0; i < SERVE_WORKERS_MAX; i++)
        if ((hung >> i & 1) != 0 &&
            (!guard_thread_look(s->pid, tid_of(&s->page->worker[i]), &state, &cpu_ns) ||
             (state != 'T' && state != 't')))
            skip |= UINT64_C(1) << i;
    return skip;
}

static void watch_slot(struct guard *g, struct serve_slot *s, mono_t now)
{
    char text[96];
    uint32_t idx = 0;
    if (s->state == SLOT_FREE || s->state == SLOT_DYING)
        return;
    const uint64_t hung = hung_workers(g, s, &idx, now);
    if (hung == 0 && !link_hangs(s, now))
        return;
    if (hung != 0)
        snprintf(text, sizeof text, "worker %u made no progress for %lld ms", idx,
                 (long long)mono_ms_between(s->worker[idx].moved, now));
    else
        snprintf(text, sizeof text, "it did not follow its orders");
    if (s == g->active) {
        give_up_active(g, GUARD_DOWN_HANG, idx, not_to_replay(s, hung), text, now);
    } else {
        guard_child_kill(&s->child);
        if (s->ordered == g->staged_version && s->version != g->staged_version)
            drop_staged(g, text, now);
        lose_standby(g, text, now);
    }
}

/* A freshly loaded image. The very first is adopted as it is: nothing runs that could prove it. */
void guard_serving_stage(struct guard *g, int image_fd, mono_t now)
{
    g->staged_fd = image_fd;
    g->staged_version = ++g->last_version;
    if (g->standby != NULL && g->standby->state == SLOT_READY)
        send_image(g->standby, g->staged_version, g->staged_fd, now);
    else if (g->active != NULL)
        send_image(g->active, g->staged_version, g->staged_fd, now);
    else
        adopt_staged(g, now);
}

void guard_serving_step(struct guard *g, mono_t now)
{
    int status;
    for (uint32_t i = 0; i < GUARD_SLOTS; i++) {
        struct serve_slot *s = &g->slot[i];
        if (s->state == SLOT_FREE)
            continue;
        read_reports(g, s, now);
        if (guard_child_reap(&s->child, &status))
            slot_ended(g, s, status, now);
        else if (g->stop < STOP_SERVE)
            watch_slot(g, s, now);
    }
    if (guard_child_reap(&g->load, &status))
        guard_load_ended(g, status, now);
    else if (g->load.pid != 0 && !mono_before(now, g->load_deadline))
        guard_child_kill(&g->load);
    if (g->stop < STOP_SERVE && g->image_fd >= 0 && g->standby == NULL &&
        !mono_before(now, g->start_after))
        start(g, now);
}

void guard_serving_drain(struct guard *g)
{
    if (g->standby != NULL)
        kill_slot(g->standby);
    g->standby = NULL;
    guard_child_kill(&g->load);
    if (g->active != NULL)
        order(g->active, SERVE_ORDER_DRAIN, 0, -1);
}

void guard_serving_close(struct guard *g)
{
    for (uint32_t i = 0; i < GUARD_SLOTS; i++)
        if (g->slot[i].state != SLOT_FREE)
            kill_slot(&g->slot[i]);
    guard_child_kill(&g->load);
}
