/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What guard tells of the serving processes, kept as the levels that announce asks for. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "control/parts.h"

static const char *const down_words[] = {
    [GUARD_DOWN_EXIT] = "exited",
    [GUARD_DOWN_SIGNAL] = "was killed by a signal",
    [GUARD_DOWN_HANG] = "hung",
    [GUARD_DOWN_ASKED] = "answered wrongly and was replaced",
};

const char *control_down_words(uint32_t why)
{
    return why < BASE_COUNT(down_words) && down_words[why] ? down_words[why] : "ended";
}

static bool on_active(struct control_serve *s, const struct guard_event *ev, int fd)
{
    const struct serve_page *page = NULL;
    if (fd >= 0) {
        void *p = mmap(NULL, sizeof *page, PROT_READ, MAP_SHARED, fd, 0);
        page = p == MAP_FAILED ? NULL : p;
    }
    if (page == NULL) {
        /* Without its counters nothing can be proven; the lease runs out by itself. */
        log_error("serve_page", "pid=%d what=\"cannot map its page\"", ev->pid);
        return false;
    }
    s->page = page; /* the one before is health's until it has this one */
    s->levels.active = true;
    s->active_pid = ev->pid;
    s->active_since = (mono_t){ ev->at_ns };
    if (s->standby_pid == ev->pid) {
        s->standby_pid = 0;
        s->levels.standby = false;
    }
    log_info("serve_active", "pid=%d", ev->pid);
    return true;
}

static bool on_down(struct control_serve *s, const struct guard_event *ev)
{
    s->downs++;
    s->down_pid = ev->pid;
    s->down_why = ev->why;
    s->down_arg = ev->arg;
    s->down_at = (mono_t){ ev->at_ns };
    s->down_repaired = ev->repaired != 0;
    s->levels.active = ev->repaired != 0;
    s->levels.crashes = ev->crashes;
    if (ev->why != GUARD_DOWN_ASKED)
        s->levels.crashed_at = s->down_at;
    s->active_pid = 0;
    s->levels.standby = false; /* if there was one, it is the active one now */
    s->standby_pid = 0;
    log_warn("serve_down", "pid=%d what=\"%s\" arg=%u repaired=%s crashes=%u", ev->pid,
             control_down_words(ev->why), ev->arg, ev->repaired ? "yes" : "no", ev->crashes);
    if (s->levels.active)
        return false; /* GUARD_EV_SERVE_ACTIVE brings the new page */
    s->page = NULL;
    return true;
}

static void on_standby(struct control_serve *s, const struct guard_event *ev)
{
    s->standby_pid = ev->pid;
    s->levels.standby = ev->pid != 0;
    if (ev->pid != 0)
        s->levels.standby_proven_at = (mono_t){ ev->at_ns };
    log_info("standby", "pid=%d ready=%s", ev->pid, ev->pid != 0 ? "yes" : "no");
}

static void on_standby_failed(struct control_serve *s, const struct guard_event *ev)
{
    snprintf(s->standby_text, sizeof s->standby_text, "%.*s", (int)sizeof ev->text, ev->text);
    s->levels.standby_text = s->standby_text;
    s->levels.standby_failed_at = (mono_t){ ev->at_ns };
    log_error("standby_failed", "what=\"%s\"", s->standby_text);
}

bool control_serve_event(struct control_serve *s, const struct guard_event *ev, int fd)
{
    bool changed = false;
    if (ev->kind == GUARD_EV_SERVE_ACTIVE)
        changed = on_active(s, ev, fd);
    else if (ev->kind == GUARD_EV_SERVE_DOWN)
        changed = on_down(s, ev);
    else if (ev->kind == GUARD_EV_STANDBY)
        on_standby(s, ev);
    else if (ev->kind == GUARD_EV_STANDBY_FAILED)
        on_standby_failed(s, ev);
    if (fd >= 0)
        close(fd);
    return changed;
}

void control_serve_unmap(const struct serve_page *page)
{
    union {
        const void *in;
        void *out;
    } map = { .in = page };
    if (page != NULL)
        munmap(map.out, sizeof *page);
}
