/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Guard: starts the others, owns what must outlive them, and watches that they make progress.
 *
 * One thread and one loop. A turn looks at everything: what the children said, who has ended, whose
 * counter stands still. Descriptors only wake the loop early; they carry no state of their own, so
 * there is nothing to get out of step. Guard reads no byte from any network, waits for nobody, and
 * takes from its children only messages of fixed size. If it dies, the kernel kills the children
 * (PR_SET_PDEATHSIG) and with them everything that the node does. */
#include "guard/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "guard/state.h"

#define DESCRIPTORS_SPARE 64 /* what a process needs beside sockets and connections */

bool guard_hangs(struct watch *w, uint64_t value, pid_t pid, pid_t tid, int64_t limit_ms,
                 int64_t starved_ms, mono_t now)
{
    char state = 0;
    uint64_t cpu_ns = 0;
    switch (guard_watch_look(w, value, now, limit_ms)) {
    case WATCH_FINE:
        return false;
    case WATCH_SUSPECT:
        if (guard_thread_look(pid, tid, &state, &cpu_ns))
            guard_watch_suspect(w, cpu_ns, now);
        return false;
    case WATCH_LATE:
        if (!guard_thread_look(pid, tid, &state, &cpu_ns))
            state = 0;
        return guard_watch_is_hung(w, state, cpu_ns, now, starved_ms);
    }
    return false;
}

/* sd_notify(3) without its library: one datagram. */
static void notify(const char *text)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    if (path == NULL || path[0] == '\0' || strlen(path) >= sizeof un.sun_path)
        return;
    memcpy(un.sun_path, path, strlen(path));
    if (path[0] == '@')
        un.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return;
    const socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
    if (sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&un, len) < 0)
        log_warn("notify_failed", "why=\"%s\"", strerror(errno));
    close(fd);
}

static void fill_defaults(struct guard_options *o)
{
    cpu_set_t cpus;
    if (o->workers == 0)
        o->workers = sched_getaffinity(0, sizeof cpus, &cpus) == 0 ? (uint32_t)CPU_COUNT(&cpus) : 1;
    if (o->workers > SERVE_WORKERS_MAX)
        o->workers = SERVE_WORKERS_MAX;
    if (o->tcp_clients_max == 0)
        o->tcp_clients_max = 1024;
    if (o->tcp_idle_ms == 0)
        o->tcp_idle_ms = 10000;
    if (o->stop_limit_ms == 0)
        o->stop_limit_ms = 10000;
}

static bool check_options(const struct guard_options *o)
{
    if (o->service_count == 0 || o->service_count > GUARD_SERVICES_MAX)
        guard_complain(0, NULL, "a node has 1 to %d service addresses, not %u", GUARD_SERVICES_MAX,
                       o->service_count);
    else if (o->nsid_len > SERVE_NSID_MAX)
        guard_complain(0, "shorten it", "the NSID is longer than %d bytes", SERVE_NSID_MAX);
    else if (o->bgp_listener_count > GUARD_LISTENERS_MAX)
        guard_complain(0, NULL, "at most %d addresses can listen for BGP", GUARD_LISTENERS_MAX);
    else
        return true;
    return false;
}

/* Every serve process holds all sockets and its connections. */
static bool raise_descriptors(struct guard_options *o)
{
    struct rlimit r;
    const rlim_t sockets = (rlim_t)o->service_count * o->workers * 2 + o->workers;
    if (getrlimit(RLIMIT_NOFILE, &r) != 0)
        return true;
    r.rlim_cur = r.rlim_max;
    setrlimit(RLIMIT_NOFILE, &r);
    if (r.rlim_max < sockets + DESCRIPTORS_SPARE + 8) {
        guard_complain(0, "raise it (ulimit -n, or LimitNOFILE=) or use fewer workers",
                       "%llu open files are allowed, and %llu are needed",
                       (unsigned long long)r.rlim_max,
                       (unsigned long long)sockets + DESCRIPTORS_SPARE + 8);
        return false;
    }
    const rlim_t left = r.rlim_max - sockets - DESCRIPTORS_SPARE;
    if (left < o->tcp_clients_max) {
        log_warn("tcp_clients", "wanted=%u allowed=%llu why=\"limit of open files\"",
                 o->tcp_clients_max, (unsigned long long)left);
        o->tcp_clients_max = (uint32_t)left;
    }
    return true;
}

static bool open_signals(struct guard *g)
{
    const struct sigaction ignored = { .sa_handler = SIG_IGN };
    const struct sigaction usual = { .sa_handler = SIG_DFL };
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    sigaction(SIGPIPE, &ignored, NULL);
    sigaction(SIGCHLD, &usual, NULL); /* an inherited SIG_IGN would take the exit statuses away */
    g->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    return g->signals >= 0;
}

static void *map_shared(const char *name, size_t size, int *fd)
{
    *fd = memfd_create(name, MFD_CLOEXEC);
    if (*fd < 0 || ftruncate(*fd, (off_t)size) != 0)
        return NULL;
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
    return p == MAP_FAILED ? NULL : p;
}

static bool open_shared(struct guard *g)
{
    if (g->o.control_socket != NULL) { /* away from where the children's descriptors are put */
        g->o.config_fd = fcntl(g->o.config_fd, F_DUPFD_CLOEXEC, GUARD_CHILD_ABOVE_FD);
        if (g->o.config_fd < 0) {
            guard_complain(errno, NULL, "cannot keep the configuration for control");
            return false;
        }
    }
    g->load_errors = map_shared("perigee-errors", sizeof *g->load_errors, &g->errors_fd);
    g->load_cookies =
        map_shared("perigee-load-cookies", sizeof *g->load_cookies, &g->load_cookies_fd);
    g->control_page = map_shared("perigee-control", sizeof *g->control_page, &g->control_page_fd);
    if (g->load_errors != NULL && g->load_cookies != NULL && g->control_page != NULL)
        return true;
    guard_complain(errno, NULL, "cannot make shared memory");
    return false;
}

void guard_stop_serving(struct guard *g, mono_t now)
{
    log_info("stopping", "what=serve");
    g->stop = STOP_SERVE;
    g->stop_deadline = mono_add_ms(now, GUARD_DRAIN_MS);
    guard_serving_drain(g);
}

static void stop(struct guard *g, mono_t now)
{
    const struct guard_event ev = { .kind = GUARD_EV_STOP, .at_ns = now.ns };
    if (g->stop == STOP_NO && g->control.pid != 0) {
        log_info("stopping", "what=announcements limit_ms=%u", g->o.stop_limit_ms);
        g->stop = STOP_CONTROL;
        g->stop_deadline = mono_add_ms(now, g->o.stop_limit_ms);
        guard_tell(g, &ev, -1);
    } else if (g->stop < STOP_SERVE) {
        guard_stop_serving(g, now);
    } else {
        g->stop = STOP_OVER;
    }
    notify("STOPPING=1");
}

static void read_signals(struct guard *g, mono_t now)
{
    struct signalfd_siginfo info;
    const struct guard_event ev = { .kind = GUARD_EV_RELOAD, .at_ns = now.ns };
    while (read(g->signals, &info, sizeof info) == sizeof info) {
        if (info.ssi_signo != SIGHUP) {
            stop(g, now);
        } else if (g->stop == STOP_NO) {
            log_info("reload", "why=SIGHUP");
            guard_tell(g, &ev, -1);
            guard_load_start(g, now);
        }
    }
}

static void step_stop(struct guard *g, mono_t now)
{
    const bool late = !mono_before(now, g->stop_deadline);
    if (g->stop == STOP_CONTROL && late)
        guard_stop_serving(g, now);
    else if (g->stop == STOP_SERVE && (late || g->active == NULL))
        g->stop = STOP_OVER;
}

static uint32_t wake_list(const struct guard *g, struct pollfd *fds)
{
    const struct guard_child *children[GUARD_SLOTS + 2];
    uint32_t n = 0, count = 0;
    for (uint32_t i = 0; i < GUARD_SLOTS; i++)
        children[n++] = &g->slot[i].child;
    children[n++] = &g->load;
    children[n++] = &g->control;
    fds[count++] = (struct pollfd){ .fd = g->signals, .events = POLLIN };
    for (uint32_t i = 0; i < n; i++) {
        if (children[i]->pid == 0)
            continue;
        fds[count++] = (struct pollfd){ .fd = children[i]->pidfd, .events = POLLIN };
        fds[count++] = (struct pollfd){ .fd = children[i]->link, .events = POLLIN };
    }
    return count;
}

static void run(struct guard *g)
{
    struct pollfd fds[1 + 2 * (GUARD_SLOTS + 2)];
    const char *watchdog = getenv("WATCHDOG_USEC");
    const int64_t watchdog_ms = watchdog != NULL ? strtoll(watchdog, NULL, 10) / 2000 : 0;
    mono_t notify_at = MONO_ZERO;
    bool ready = false;
    while (g->stop != STOP_OVER) {
        poll(fds, wake_list(g, fds), GUARD_TURN_MS);
        const mono_t now = time_mono();
        read_signals(g, now);
        guard_serving_step(g, now);
        guard_control_step(g, now);
        guard_cookies_step(g, now);
        step_stop(g, now);
        if (g->load_wanted && g->stop == STOP_NO && g->load.pid == 0 && g->staged_fd < 0)
            guard_load_start(g, now);
        if (!ready && g->active != NULL) {
            ready = true;
            notify("READY=1");
        }
        if (watchdog_ms > 0 && !mono_before(now, notify_at)) {
            notify_at = mono_add_ms(now, watchdog_ms);
            notify("WATCHDOG=1");
        }
    }
}

static bool anybody_left(struct guard *g)
{
    int status;
    bool left = false;
    for (uint32_t i = 0; i < GUARD_SLOTS; i++) {
        guard_child_reap(&g->slot[i].child, &status);
        left = left || g->slot[i].child.pid != 0;
    }
    guard_child_reap(&g->load, &status);
    guard_child_reap(&g->control, &status);
    return left || g->load.pid != 0 || g->control.pid != 0;
}

/* The others are killed; control, whose link is closed, may first close its sessions by itself. */
static void end_children(struct guard *g)
{
    const mono_t begin = time_mono();
    bool killed = false;
    guard_serving_close(g);
    if (g->control.link >= 0)
        shutdown(g->control.link, SHUT_RDWR);
    while (anybody_left(g) && mono_ms_between(begin, time_mono()) < 2 * GUARD_DRAIN_MS) {
        if (!killed && mono_ms_between(begin, time_mono()) > GUARD_DRAIN_MS / 2) {
            guard_child_kill(&g->control);
            killed = true;
        }
        poll(NULL, 0, 1);
    }
}

/* Guard's turns are a few microseconds, but they must come when a flood takes all processors. Its
 * children do not inherit that. Where it is not allowed (no CAP_SYS_NICE) it goes without. */
static void raise_priority(void)
{
    const struct sched_param p = { .sched_priority = 1 };
    if (sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &p) != 0)
        log_debug("priority", "why=\"%s\"", strerror(errno));
}

static void init(struct guard *g, const struct guard_options *o)
{
    const struct guard_child none = { .pid = 0, .pidfd = -1, .link = -1 };
    const mono_t now = time_mono();
    *g = (struct guard){
        .o = *o, .signals = -1, .loading_fd = -1, .errors_fd = -1, .load_cookies_fd = -1
    };
    fill_defaults(&g->o);
    for (uint32_t i = 0; i < GUARD_SLOTS; i++) {
        g->slot[i].child = none;
        g->slot[i].page_fd = g->slot[i].flight_fd = -1;
    }
    g->load = g->control = none;
    g->image_fd = g->staged_fd = g->control_page_fd = g->orphan_fd = -1;
    guard_watch_ends_init(&g->crashes);
    guard_watch_ends_init(&g->failures);
    guard_watch_ends_init(&g->control_ends);
    guard_watch_init(&g->control_watch, now);
}

int guard_run(const struct guard_options *o)
{
    struct guard *g = base_calloc(1, sizeof *g); /* until the process ends */
    init(g, o);
    if (!check_options(&g->o) || !guard_child_reserve() ||
        !guard_identity_find(&g->identity, o->user) || !raise_descriptors(&g->o) ||
        !open_signals(g) || !open_shared(g))
        return 1;
    guard_cookies_step(g, time_mono());
    if (!guard_net_open(&g->net, &g->o) || !guard_load_start(g, time_mono())) {
        guard_net_close(&g->net, &g->o);
        return 1;
    }
    guard_capabilities_trim();
    raise_priority();
    run(g);
    end_children(g);
    guard_net_close(&g->net, &g->o);
    log_info("stopped", "exit_status=%d", g->status);
    return g->status;
}
