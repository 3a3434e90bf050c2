/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/time.h"

#include <time.h>

mono_t time_mono(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (mono_t){ (int64_t)t.tv_sec * 1000000000 + t.tv_nsec };
}

wall_t time_wall(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (wall_t){ .s = t.tv_sec, .ns = (int32_t)t.tv_nsec };
}

int time_poll_ms(mono_t now, mono_t then)
{
    if (then.ns == INT64_MAX)
        return -1;
    if (then.ns <= now.ns)
        return 0;
    int64_t ms = (then.ns - now.ns + 999999) / 1000000;
    return ms > INT32_MAX ? INT32_MAX : (int)ms;
}
