/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "guard/watch.h"

void guard_watch_init(struct watch *w, mono_t now)
{
    *w = (struct watch){ .moved = now, .looked = now, .suspected = MONO_NEVER };
}

enum watch_verdict guard_watch_look(struct watch *w, uint64_t value, mono_t now, int64_t limit_ms)
{
    const bool blind = mono_ms_between(w->looked, now) > WATCH_BLIND_MS;
    w->looked = now;
    if (value != w->value || blind) {
        w->value = value;
        w->moved = now;
        w->suspected = MONO_NEVER;
        return WATCH_FINE;
    }
    const int64_t still_ms = mono_ms_between(w->moved, now);
    if (still_ms >= limit_ms)
        return WATCH_LATE;
    if (still_ms >= limit_ms / 2 && w->suspected.ns == MONO_NEVER.ns)
        return WATCH_SUSPECT;
    return WATCH_FINE;
}

void guard_watch_suspect(struct watch *w, uint64_t cpu_ns, mono_t now)
{
    w->suspected = now;
    w->cpu_ns = cpu_ns;
}

bool guard_watch_is_hung(const struct watch *w, char state, uint64_t cpu_ns, mono_t now,
                         int64_t starved_limit_ms)
{
    if (mono_ms_between(w->moved, now) >= starved_limit_ms)
        return true;
    if (state != 'R' && state != 'D')
        return true;
    if (w->suspected.ns == MONO_NEVER.ns)
        return false; /* no processor time to compare with: wait for the longer limit */
    const int64_t wall_ns = now.ns - w->suspected.ns;
    const int64_t ran_ns = (int64_t)(cpu_ns - w->cpu_ns);
    /* Whoever spins for a tick and more of its own time made no progress with it. */
    return ran_ns >= 12000000 || ran_ns * 2 >= wall_ns;
}

void guard_watch_ends_init(struct watch_ends *e)
{
    e->next = 0;
    for (uint32_t i = 0; i < WATCH_ENDS_MAX; i++)
        e->at[i] = MONO_NEVER;
}

void guard_watch_ends_add(struct watch_ends *e, mono_t now)
{
    e->at[e->next] = now;
    e->next = (e->next + 1) % WATCH_ENDS_MAX;
}

uint32_t guard_watch_ends_count(const struct watch_ends *e, mono_t now)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < WATCH_ENDS_MAX; i++)
        if (e->at[i].ns != MONO_NEVER.ns && mono_ms_between(e->at[i], now) < WATCH_WINDOW_MS)
            count++;
    return count;
}

int64_t guard_watch_backoff_ms(uint32_t ends)
{
    if (ends < 3)
        return 0;
    const uint32_t doublings = ends - 3;
    return doublings >= 4 ? 4000 : 250 << doublings;
}
