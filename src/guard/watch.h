/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef GUARD_WATCH_H
#define GUARD_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"

/* The judgements of guard, as pure functions of what it saw and of the time: who hangs, how often
 * something crashed lately, how long to wait before it is started again. */

/* One progress counter of another process. */
struct watch {
    uint64_t value;
    mono_t moved;     /* when it was last seen to move, or guard last excused it */
    mono_t looked;    /* when it was last looked at */
    mono_t suspected; /* when `cpu_ns` was noted; MONO_NEVER: no suspicion */
    uint64_t cpu_ns;  /* processor time of the thread at that moment */
};

enum watch_verdict {
    WATCH_FINE,
    WATCH_SUSPECT, /* half of the limit has passed: note the thread's processor time */
    WATCH_LATE,    /* the limit has passed: look at the thread, then ask guard_watch_is_hung() */
};

/* A look that comes this much after the one before it says that guard itself, or the whole machine,
 * was not running: nobody is blamed for that time. */
#define WATCH_BLIND_MS 40

void guard_watch_init(struct watch *w, mono_t now);
/* One look: `value` is what the counter shows, `limit_ms` how long it may stand still. */
enum watch_verdict guard_watch_look(struct watch *w, uint64_t value, mono_t now, int64_t limit_ms);
void guard_watch_suspect(struct watch *w, uint64_t cpu_ns, mono_t now);

/* After WATCH_LATE. `state` is the thread's letter in /proc/PID/task/TID/stat (0: not known),
 * `cpu_ns` its processor time. A thread that is ready to run (R) or waits for the disk (D), but got
 * hardly any processor time since it was suspected, is starved and not hung: it is left alone until
 * `starved_limit_ms`, for a successor would starve the same way. */
bool guard_watch_is_hung(const struct watch *w, char state, uint64_t cpu_ns, mono_t now,
                         int64_t starved_limit_ms);

/* When the last ends came. */
#define WATCH_WINDOW_MS 10000
#define WATCH_ENDS_MAX 16
struct watch_ends {
    mono_t at[WATCH_ENDS_MAX]; /* ring */
    uint32_t next;
};

void guard_watch_ends_init(struct watch_ends *e);
void guard_watch_ends_add(struct watch_ends *e, mono_t now);
/* How many within the last WATCH_WINDOW_MS, `now` included; counts up to WATCH_ENDS_MAX. */
uint32_t guard_watch_ends_count(const struct watch_ends *e, mono_t now);
/* How long to wait before the next start: nothing for the first two ends of the window, then 250 ms,
 * doubled with each, at most 4 s. */
int64_t guard_watch_backoff_ms(uint32_t ends);

#endif
