/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef BASE_TIME_H
#define BASE_TIME_H

#include <stdbool.h>
#include <stdint.h>

/* Time is a type, so that the compiler refuses seconds where nanoseconds are due. mono_t is for
 * intervals and time-outs (CLOCK_MONOTONIC); wall_t is the calendar's, for signatures and logs.
 * Cores take the time as an argument; only edges call time_mono() and time_wall(). */
typedef struct {
    int64_t ns;
} mono_t;

typedef struct {
    int64_t s; /* seconds since 1970-01-01 UTC */
    int32_t ns;
} wall_t;

#define MONO_NEVER ((mono_t){ INT64_MAX }) /* a time that does not come */
#define MONO_ZERO ((mono_t){ 0 })          /* before any time that is read */

/* The clocks of this moment. They cannot fail. */
mono_t time_mono(void);
wall_t time_wall(void);

static inline bool mono_before(mono_t a, mono_t b)
{
    return a.ns < b.ns;
}

static inline mono_t mono_min(mono_t a, mono_t b)
{
    return a.ns < b.ns ? a : b;
}

static inline mono_t mono_add_ms(mono_t t, int64_t ms)
{
    return t.ns == INT64_MAX ? t : (mono_t){ t.ns + ms * 1000000 };
}

static inline mono_t mono_add_us(mono_t t, int64_t us)
{
    return t.ns == INT64_MAX ? t : (mono_t){ t.ns + us * 1000 };
}

/* Whole units from `from` to `to`, rounded down; negative when `to` is the earlier. */
static inline int64_t mono_ms_between(mono_t from, mono_t to)
{
    return (to.ns - from.ns) / 1000000;
}

static inline int64_t mono_us_between(mono_t from, mono_t to)
{
    return (to.ns - from.ns) / 1000;
}

/* Milliseconds to wait from `now` until `then`, rounded up, for poll() and friends:
 * 0 when it has passed, -1 for MONO_NEVER, at most INT32_MAX. */
int time_poll_ms(mono_t now, mono_t then);

#endif
