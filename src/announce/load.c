/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Load is what clients were answered per second, averaged with a time constant of one second. Integers
 * only: the same input gives the same decision everywhere. */
#include "announce/parts.h"

#define TAU_US 1000000

/* Thousandths per second, from a count in `us` microseconds. */
static uint64_t rate_mqps(uint64_t count, uint64_t us)
{
    if (count > UINT64_MAX / 1000000000u) /* no counter of ours moves so far at once */
        count = UINT64_MAX / 1000000000u;
    return count * 1000000000u / us;
}

/* One step of the average towards `sample` over `us`: the weight us/(tau+us) is that of an implicit
 * Euler step, stable for any interval. */
static uint64_t average(uint64_t avg, uint64_t sample, uint64_t us)
{
    if (us > 1000u * TAU_US)
        return sample;
    uint64_t distance = avg < sample ? sample - avg : avg - sample;
    if (distance > UINT64_MAX / (1000u * (uint64_t)TAU_US))
        return sample;
    uint64_t move = distance * us / (TAU_US + us);
    return avg < sample ? avg + move : avg - move;
}

static void sample(struct announce *a, const struct announce_input *in)
{
    if (a->rate_at.ns != MONO_NEVER.ns) {
        uint64_t us = (uint64_t)mono_us_between(a->rate_at, in->now);
        /* Counters do not go back; one that does anyway counts as standing still. */
        uint64_t queries = in->queries > a->rate_queries ? in->queries - a->rate_queries : 0;
        uint64_t answers = in->answers > a->rate_answers ? in->answers - a->rate_answers : 0;
        a->query_last_mqps = rate_mqps(queries, us);
        a->query_mqps = average(a->query_mqps, a->query_last_mqps, us);
        a->answer_mqps = average(a->answer_mqps, rate_mqps(answers, us), us);
    }
    a->rate_at = in->now;
    a->rate_queries = in->queries;
    a->rate_answers = in->answers;
}

void announce_load_step(struct announce *a, const struct announce_input *in)
{
    if (a->rate_at.ns == MONO_NEVER.ns ||
        announce_passed(mono_add_ms(a->rate_at, ANNOUNCE_SAMPLE_MS), in->now))
        sample(a, in);
    const struct announce_config *c = &a->config;
    if (c->capacity_qps == 0) {
        a->over = false;
        return;
    }
    uint64_t limit = (uint64_t)c->capacity_qps * 1000;
    uint64_t low = limit / 100 * c->capacity_low_percent;
    if (a->answer_mqps <= limit)
        a->above_since = MONO_NEVER;
    else if (a->above_since.ns == MONO_NEVER.ns)
        a->above_since = in->now;
    if (a->answer_mqps >= low)
        a->below_since = MONO_NEVER;
    else if (a->below_since.ns == MONO_NEVER.ns)
        a->below_since = in->now;

    if (!a->over && a->above_since.ns != MONO_NEVER.ns) {
        a->over = true;
        a->over_since = in->now;
    } else if (a->over && a->below_since.ns != MONO_NEVER.ns) {
        mono_t since = mono_before(a->below_since, a->over_since) ? a->over_since : a->below_since;
        a->over = !announce_passed(mono_add_ms(since, c->capacity_calm_ms), in->now);
    }
    if (a->sheds > 0 &&
        announce_passed(mono_add_ms(a->shed_at, c->capacity_return_max_ms), in->now)) {
        a->sheds--;
        a->shed_at = in->now;
    }
}

bool announce_load_wishes(const struct announce *a, mono_t now)
{
    if (!a->over || a->above_since.ns == MONO_NEVER.ns)
        return false;
    mono_t since = mono_before(a->above_since, a->over_since) ? a->over_since : a->above_since;
    return announce_passed(mono_add_ms(since, a->config.capacity_stay_ms), now);
}

mono_t announce_load_shed(struct announce *a, mono_t now)
{
    /* Prefixes that leave together are one withdrawal. */
    if (a->sheds == 0 || mono_ms_between(a->shed_at, now) >= a->config.capacity_stay_ms) {
        if (a->sheds < 32)
            a->sheds++;
        a->shed_at = now;
    }
    uint64_t ms = (uint64_t)a->config.capacity_return_ms << (a->sheds - 1);
    if (ms > a->config.capacity_return_max_ms)
        ms = a->config.capacity_return_max_ms;
    return mono_add_ms(now, (int64_t)ms);
}

void announce_load_returned(struct announce *a, mono_t now)
{
    a->over = true;
    a->over_since = now;
}
