/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef GUARD_STATE_H
#define GUARD_STATE_H

/* Inside guard only: what its files share. One thread, one loop (guard.c), three kinds of children:
 * the loader and the serve processes (serving.c), control (control_child.c). */
#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"
#include "guard/child.h"
#include "guard/guard.h"
#include "guard/link.h"
#include "guard/load_role.h"
#include "guard/net.h"
#include "guard/watch.h"
#include "serve/link.h"
#include "zone/load.h"

#define GUARD_TURN_MS 10            /* the loop looks at everything this often */
#define GUARD_SERVE_HANG_MS 80      /* no progress of a worker */
#define GUARD_SERVE_STARVED_MS 2000 /* the same, while it waits for a processor: so would another */
#define GUARD_SERVE_START_MS 30000  /* from start, or from a new image, to "ready" */
#define GUARD_CONTROL_HANG_MS 250   /* no progress of control */
#define GUARD_CONTROL_STARVED_MS 450
#define GUARD_CONTROL_NICE (-10) /* its turns are short, and proofs must not expire in a flood */
#define GUARD_CONTROL_START_MS 10000
#define GUARD_LOAD_MS 600000 /* a loader that takes longer reads from a disk that does not answer */
#define GUARD_DRAIN_MS 1000  /* for serve to answer what is queued, and for the others to end */

enum slot_state {
    SLOT_FREE,
    SLOT_STARTING, /* no image proven yet */
    SLOT_READY,    /* stands by */
    SLOT_ACTIVE,   /* reads the sockets */
    SLOT_DYING,    /* killed, not yet gone */
};

/* A serve process. */
struct serve_slot {
    struct guard_child child;
    pid_t pid; /* stays when the child is reaped */
    enum slot_state state;
    struct serve_page *page;
    int page_fd, flight_fd;
    uint32_t version; /* of the image that it has proven; 0: none */
    uint32_t ordered; /* of the image that it was sent last */
    mono_t deadline;  /* to be ready by then; MONO_NEVER: nothing is awaited */
    uint64_t skip;    /* workers whose query at hand must not be replayed: it may be the cause */
    bool was_active;  /* its flight is of interest when it is gone */
    struct watch link;
    struct watch worker[SERVE_WORKERS_MAX];
};

#define GUARD_SLOTS 4 /* active, standby, and two that are dying */

enum guard_stop {
    STOP_NO,
    STOP_CONTROL, /* control drains, serve goes on */
    STOP_SERVE,   /* serve answers what is queued */
    STOP_OVER,
};

struct guard {
    struct guard_options o; /* defaults filled in */
    struct guard_net net;
    struct guard_identity identity;
    int signals;
    int status; /* exit status */

    enum guard_stop stop;
    mono_t stop_deadline;

    struct serve_slot slot[GUARD_SLOTS];
    struct serve_slot *active, *standby; /* standby: starting or ready */
    struct watch_ends crashes;           /* unplanned ends of the active one */
    struct watch_ends failures;          /* of any serve process, for the back-off */
    mono_t start_after;                  /* no new serve process before */
    int orphan_fd; /* flight of the last active one while there is no other; -1: none */
    uint64_t orphan_skip;

    /* Zones: `image` is in use; `staged` is loaded and being proven, by the standby first. */
    struct guard_child load;
    mono_t load_deadline;
    int loading_fd, errors_fd;
    struct zone_errors *load_errors;
    struct load_cookies *load_cookies;
    int load_cookies_fd;
    bool load_wanted;
    uint32_t load_asked; /* control's latest request, by number */
    uint32_t load_of;    /* load_asked when the latest load started */
    int image_fd, staged_fd;
    uint32_t version, staged_version, last_version;

    struct serve_cookies cookies;
    mono_t cookies_roll; /* random ones are replaced then */

    struct guard_child control;
    struct control_page *control_page;
    struct watch control_watch;
    int control_page_fd;
    struct watch_ends control_ends;
    mono_t control_start_after, control_deadline;
    pid_t told_standby;
};

/* serving.c */
bool guard_load_start(struct guard *g, mono_t now); /* now, or when the running one has ended */
void guard_load_ended(struct guard *g, int status, mono_t now);
void guard_serving_step(struct guard *g, mono_t now); /* reports, ends, hangs, starts */
void guard_serving_stage(struct guard *g, int image_fd, mono_t now); /* takes image_fd */
void guard_serving_replace(struct guard *g, const char *why, mono_t now);
void guard_serving_drain(struct guard *g);
void guard_serving_close(struct guard *g);

/* cookies.c */
void guard_cookies_send(struct guard *g, struct serve_slot *s);
void guard_cookies_load_begin(struct guard *g);
void guard_cookies_load_ended(struct guard *g);
void guard_cookies_step(struct guard *g, mono_t now);

/* control_child.c; all of them do nothing in a node without control */
void guard_control_step(struct guard *g, mono_t now); /* requests, end, hang, start */
void guard_tell(struct guard *g, const struct guard_event *ev, int fd);
void guard_tell_active(struct guard *g, mono_t now);
void guard_tell_standby(struct guard *g, mono_t now);
void guard_tell_zones(struct guard *g, mono_t now);

/* guard.c */
void guard_stop_serving(struct guard *g, mono_t now);
/* Looks at one counter; true when its thread hangs. */
bool guard_hangs(struct watch *w, uint64_t value, pid_t pid, pid_t tid, int64_t limit_ms,
                 int64_t starved_ms, mono_t now);

#endif
