/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Control, as guard sees it: it is told what happens, asks for three things, and is killed when its
 * loop stands still, for then nobody may vouch for the node: its BGP sessions close with it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "guard/state.h"

void guard_tell(struct guard *g, const struct guard_event *ev, int fd)
{
    /* What does not fit into the link of a control that stands still is told to its successor. */
    if (g->control.pid != 0 && !guard_child_send(&g->control, ev, sizeof *ev, fd))
        log_warn("control_deaf", "event=%u why=\"%s\"", ev->kind, strerror(errno));
}

void guard_tell_active(struct guard *g, mono_t now)
{
    const struct guard_event ev = { .kind = GUARD_EV_SERVE_ACTIVE,
                                    .pid = g->active->pid,
                                    .crashes = guard_watch_ends_count(&g->crashes, now),
                                    .at_ns = now.ns };
    guard_tell(g, &ev, g->active->page_fd);
}

void guard_tell_standby(struct guard *g, mono_t now)
{
    const bool ready = g->standby != NULL && g->standby->state == SLOT_READY;
    const struct guard_event ev = { .kind = GUARD_EV_STANDBY,
                                    .pid = ready ? g->standby->pid : 0,
                                    .at_ns = now.ns };
    if (ev.pid == g->told_standby)
        return;
    g->told_standby = ev.pid;
    guard_tell(g, &ev, -1);
}

void guard_tell_zones(struct guard *g, mono_t now)
{
    const struct guard_event ev = {
        .kind = GUARD_EV_ZONES, .arg = g->version, .load = g->load_of, .at_ns = now.ns
    };
    guard_tell(g, &ev, g->image_fd);
}

static void tell_addresses(struct guard *g, mono_t now)
{
    for (uint32_t i = 0; i < g->o.service_count; i++) {
        struct guard_event ev = { .kind = GUARD_EV_ADDRESS, .arg = 1, .at_ns = now.ns };
        if (!g->net.claim[i].added)
            continue;
        addr_host_text(&g->o.services[i].at, ev.text);
        guard_tell(g, &ev, -1);
    }
}

static void tell_everything(struct guard *g, mono_t now)
{
    for (uint32_t i = 0; i < g->net.bgp_count; i++) {
        struct guard_event ev = { .kind = GUARD_EV_BGP_LISTENER, .arg = i, .at_ns = now.ns };
        addr_text(&g->o.bgp_listeners[i], ev.text);
        guard_tell(g, &ev, g->net.bgp[i]);
    }
    if (g->net.fleet >= 0) {
        const struct guard_event ev = { .kind = GUARD_EV_FLEET_SOCKET, .at_ns = now.ns };
        guard_tell(g, &ev, g->net.fleet);
    }
    tell_addresses(g, now);
    if (g->image_fd >= 0)
        guard_tell_zones(g, now);
    if (g->active != NULL)
        guard_tell_active(g, now);
    g->told_standby = 0;
    guard_tell_standby(g, now);
}

static void start(struct guard *g, mono_t now)
{
    const int pass[] = { g->o.config_fd, g->control_page_fd, g->net.control };
    const struct guard_start how = {
        .title = "perigee-control",
        .role = "control",
        .argument = g->o.node ? g->o.node : "",
        .pass = pass,
        .pass_count = BASE_COUNT(pass),
        .nice = GUARD_CONTROL_NICE,
    };
    lseek(g->o.config_fd, 0, SEEK_SET);
    atomic_store_explicit(&g->control_page->progress, 0, memory_order_relaxed);
    if (!guard_child_start(&g->control, &how, &g->identity)) {
        g->control_start_after = mono_add_ms(now, 1000);
        return;
    }
    guard_watch_init(&g->control_watch, now);
    g->control_deadline = mono_add_ms(now, GUARD_CONTROL_START_MS);
    g->load_asked = g->load_of = 0; /* those of the one before */
    log_info("control_started", "pid=%d", g->control.pid);
    tell_everything(g, now);
}

static void ended(struct guard *g, pid_t pid, int status, mono_t now)
{
    guard_watch_ends_add(&g->control_ends, now);
    g->control_start_after =
        mono_add_ms(now, guard_watch_backoff_ms(guard_watch_ends_count(&g->control_ends, now)));
    if (WIFSIGNALED(status))
        log_error("control_down", "pid=%d signal=%d", pid, WTERMSIG(status));
    else if (g->stop == STOP_NO)
        log_error("control_down", "pid=%d exit_status=%d", pid, WEXITSTATUS(status));
    if (g->stop == STOP_CONTROL)
        guard_stop_serving(g, now); /* its sessions are closed: nothing is announced any more */
}

static void read_requests(struct guard *g, mono_t now)
{
    struct guard_request r;
    int got;
    while ((got = guard_child_receive(&g->control, &r, sizeof r, NULL)) == 1) {
        r.text[sizeof r.text - 1] = '\0';
        if (r.kind == GUARD_REQ_RELOAD_ZONES) {
            g->load_asked = r.arg;
            guard_load_start(g, now);
        } else if (r.kind == GUARD_REQ_REPLACE_SERVE) {
            guard_serving_replace(g, r.text, now);
        } else if (r.kind == GUARD_REQ_DRAINED && g->stop == STOP_CONTROL) {
            guard_stop_serving(g, now);
        } else {
            log_warn("control_request", "kind=%u why=\"not expected\"", r.kind);
        }
    }
    if (got < 0)
        guard_child_kill(&g->control);
}

static void watch_progress(struct guard *g, mono_t now)
{
    const uint64_t value = atomic_load_explicit(&g->control_page->progress, memory_order_relaxed);
    if (value == 0) { /* it has not reached its loop yet */
        guard_watch_init(&g->control_watch, now);
        if (mono_before(now, g->control_deadline))
            return;
    } else if (!guard_hangs(&g->control_watch, value, g->control.pid, g->control.pid,
                            GUARD_CONTROL_HANG_MS, GUARD_CONTROL_STARVED_MS, now)) {
        return;
    }
    log_error("control_hung", "pid=%d", g->control.pid);
    guard_child_kill(&g->control);
    guard_watch_init(&g->control_watch, now);
    g->control_deadline = mono_add_ms(now, GUARD_CONTROL_START_MS);
}

void guard_control_step(struct guard *g, mono_t now)
{
    int status;
    if (g->o.control_socket == NULL)
        return;
    if (g->control.pid != 0) {
        const pid_t pid = g->control.pid;
        read_requests(g, now);
        if (guard_child_reap(&g->control, &status))
            ended(g, pid, status, now);
        else if (g->stop < STOP_SERVE)
            watch_progress(g, now);
    }
    if (g->control.pid == 0 && g->stop == STOP_NO && !mono_before(now, g->control_start_after))
        start(g, now);
}
