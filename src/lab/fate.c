/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lab/fate.h"

#include <stdlib.h>
#include <string.h>

#define BUCKET_MS 50 /* who answered is judged over so long */

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* The majority of one bucket becomes a move when it is another than before. */
static void close_bucket(struct fate_report *r, uint32_t tally[FATE_SERVERS_MAX], uint32_t asked,
                         int32_t at_ms)
{
    uint8_t best = FATE_SERVER_NONE;
    uint32_t most = 0, all = 0;
    for (uint32_t s = 0; s < FATE_SERVERS_MAX; s++) {
        all += tally[s];
        if (tally[s] > most) {
            most = tally[s];
            best = (uint8_t)s;
        }
    }
    memset(tally, 0, FATE_SERVERS_MAX * sizeof tally[0]);
    if (asked == 0)
        return;
    if (all * 2 < asked)
        best = FATE_SERVER_NONE;
    if (r->move_count > 0 && r->moves[r->move_count - 1].server == best)
        return;
    if (r->move_count < FATE_MOVES_MAX)
        r->moves[r->move_count++] = (struct fate_move){ .at_ms = at_ms, .server = best };
}

static void count_one(struct fate_report *r, uint64_t o, uint32_t late_us)
{
    r->sent++;
    uint32_t rtt = fate_rtt_of(o);
    switch (fate_state_of(o)) {
    case FATE_RIGHT:
        r->right++;
        if (fate_server_of(o) < FATE_SERVERS_MAX)
            r->by_server[fate_server_of(o)]++;
        if (rtt > r->rtt_us_max)
            r->rtt_us_max = rtt;
        if (r->rtt_us_min == 0 || rtt < r->rtt_us_min)
            r->rtt_us_min = rtt;
        r->late += late_us > 0 && rtt > late_us;
        return;
    case FATE_WRONG:
        r->wrong++;
        return;
    case FATE_UNSENT:
        r->unsent++;
        r->lost++;
        return;
    case FATE_OPEN:
        r->lost++;
        return;
    }
}

static void end_outage(struct fate_report *r, int64_t *from, int64_t at)
{
    if (*from >= 0 && (at - *from) / 1000 > r->outage_us)
        r->outage_us = (at - *from) / 1000;
    *from = -1;
}

void fate_count(const struct fate *at, uint32_t count, const struct fate_filter *f,
                uint32_t *scratch, struct fate_report *r)
{
    uint32_t tally[FATE_SERVERS_MAX] = { 0 }, asked = 0, values = 0;
    int64_t bucket = -1, outage_from[2] = { -1, -1 }, last[2] = { 0, 0 };
    *r = (struct fate_report){ .lost_first_ms = -1, .lost_last_ms = -1 };
    for (uint32_t i = 0; i < count; i++) {
        const struct fate *q = &at[i];
        if (q->sent_ns < f->from_ns || q->sent_ns >= f->to_ns ||
            (f->family != 0 && f->family != q->family) ||
            (f->target >= 0 && f->target != q->target))
            continue;
        uint64_t o = atomic_load_explicit(&q->outcome, memory_order_acquire);
        int64_t at_ms = (q->sent_ns - f->from_ns) / 1000000;
        if (at_ms / BUCKET_MS != bucket) {
            close_bucket(r, tally, asked, (int32_t)(bucket * BUCKET_MS));
            bucket = at_ms / BUCKET_MS;
            asked = 0;
        }
        asked++;
        int v6 = q->family == 6;
        last[v6] = q->sent_ns;
        count_one(r, o, f->late_us);
        bool right = fate_state_of(o) == FATE_RIGHT;
        if (right && fate_server_of(o) < FATE_SERVERS_MAX)
            tally[fate_server_of(o)]++;
        if (right && scratch != NULL)
            scratch[values++] = fate_rtt_of(o);
        if (right || fate_state_of(o) == FATE_WRONG) {
            end_outage(r, &outage_from[v6], q->sent_ns);
            continue;
        }
        *(v6 ? &r->lost6 : &r->lost4) += 1;
        if (outage_from[v6] < 0)
            outage_from[v6] = q->sent_ns;
        if (r->lost_first_ms < 0)
            r->lost_first_ms = at_ms;
        r->lost_last_ms = at_ms;
    }
    close_bucket(r, tally, asked, (int32_t)(bucket * BUCKET_MS));
    end_outage(r, &outage_from[0], last[0]);
    end_outage(r, &outage_from[1], last[1]);
    if (values > 0) {
        qsort(scratch, values, sizeof scratch[0], by_value);
        r->rtt_us_median = scratch[values / 2];
        r->rtt_us_p95 = scratch[values - 1 - values / 20];
    }
}

uint32_t fate_pace_us(const struct fate *at, uint32_t count, uint32_t qps, int64_t from_ns,
                      int64_t to_ns, uint32_t *scratch)
{
    /* Nothing leaves before its time, so the earliest of all, measured by its place, is the one that
     * was on time. */
    int64_t least = INT64_MAX;
    uint32_t n = 0;
    for (int pass = 0; pass < 2; pass++)
        for (uint32_t i = 0; i < count; i++) {
            if (at[i].sent_ns < from_ns || at[i].sent_ns >= to_ns)
                continue;
            int64_t off = at[i].sent_ns - (int64_t)(i * 1000000000ull / qps);
            if (pass == 0)
                least = off < least ? off : least;
            else
                scratch[n++] = (uint32_t)((off - least) / 1000);
        }
    if (n == 0)
        return 0;
    qsort(scratch, n, sizeof scratch[0], by_value);
    return scratch[n - 1 - n / 100];
}

void fate_add(struct fate_report *sum, const struct fate_report *m)
{
    sum->sent += m->sent;
    sum->right += m->right;
    sum->wrong += m->wrong;
    sum->lost += m->lost;
    sum->late += m->late;
    sum->unsent += m->unsent;
    sum->lost4 += m->lost4;
    sum->lost6 += m->lost6;
    if (m->outage_us > sum->outage_us)
        sum->outage_us = m->outage_us;
    if (m->lost_first_ms >= 0 && (sum->lost_first_ms < 0 || m->lost_first_ms < sum->lost_first_ms))
        sum->lost_first_ms = m->lost_first_ms;
    if (m->lost_last_ms > sum->lost_last_ms)
        sum->lost_last_ms = m->lost_last_ms;
    if (m->rtt_us_max > sum->rtt_us_max)
        sum->rtt_us_max = m->rtt_us_max;
    if (m->rtt_us_min != 0 && (sum->rtt_us_min == 0 || m->rtt_us_min < sum->rtt_us_min))
        sum->rtt_us_min = m->rtt_us_min;
    for (uint32_t s = 0; s < FATE_SERVERS_MAX; s++)
        sum->by_server[s] += m->by_server[s];
}
