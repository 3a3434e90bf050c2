/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The timers of a secondary zone: see refresh.h. */
#include <string.h>

#include "transfer/refresh.h"

/* ---- times ---- */

static int64_t ms_of(uint32_t s)
{
    return (int64_t)s * 1000;
}

static uint32_t in_bounds(uint32_t s, const struct transfer_refresh_terms *terms)
{
    uint32_t low = terms->min_s != 0 ? terms->min_s : 1;
    if (s > terms->max_s && terms->max_s >= low)
        s = terms->max_s;
    return s < low ? low : s;
}

/* xorshift32: spreads, and is the same for the same seed. */
static uint32_t draw(struct transfer_refresh *r, uint32_t below)
{
    uint32_t x = r->random;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    r->random = x;
    return below != 0 ? (uint32_t)((uint64_t)x * below >> 32) : 0;
}

/* `s` seconds from `now`, up to a tenth sooner. */
static mono_t about(struct transfer_refresh *r, mono_t now, uint32_t s)
{
    int64_t ms = ms_of(s);
    uint32_t tenth = ms / 10 > UINT32_MAX ? UINT32_MAX : (uint32_t)(ms / 10);
    return mono_add_ms(now, ms - draw(r, tenth));
}

static void take_soa(struct transfer_refresh *r, const struct transfer_refresh_terms *terms,
                     const struct xfr_soa *soa)
{
    r->serial = soa->serial;
    r->refresh_s = in_bounds(soa->refresh_s, terms);
    r->retry_s = in_bounds(soa->retry_s, terms);
    /* At least one refresh and one retry, else a zone would expire whose primary is well (so does BIND). */
    uint64_t least = (uint64_t)r->refresh_s + r->retry_s, expire = soa->expire_s;
    expire = expire > TRANSFER_REFRESH_EXPIRE_MAX_S ? TRANSFER_REFRESH_EXPIRE_MAX_S : expire;
    expire = expire < least ? least : expire;
    r->expire_s = expire > UINT32_MAX ? UINT32_MAX : (uint32_t)expire;
}

/* The version was confirmed: how long it holds (RFC 7314 section 4: what is left at the server that gave
 * it, if that tells, never more than the SOA says). */
static void confirm(struct transfer_refresh *r, const struct transfer_refresh_event *ev, mono_t now,
                    struct transfer_refresh_action *out)
{
    uint32_t s = r->expire_s;
    if (ev->has_expire && ev->expire_s < s)
        s = ev->expire_s;
    mono_t until = mono_add_ms(now, ms_of(s));
    /* A server that is itself about to lose the zone does not shorten what another has granted. */
    if (ev->kind == TRANSFER_REFRESH_GOT || r->expired || mono_before(r->expires, until))
        r->expires = until;
    if (r->expired && mono_before(now, r->expires)) {
        r->expired = false;
        out->revive = true;
    }
}

static void look_at_expiry(struct transfer_refresh *r, mono_t now,
                           struct transfer_refresh_action *out)
{
    if (!r->has_zone || r->expired || mono_before(now, r->expires))
        return;
    r->expired = true;
    out->expire = true;
}

/* ---- rounds ---- */

static void go(struct transfer_refresh *r, enum transfer_refresh_do what,
               struct transfer_refresh_action *out)
{
    r->state =
        what == TRANSFER_REFRESH_ASK ? TRANSFER_REFRESH_ASKING : TRANSFER_REFRESH_TRANSFERRING;
    r->next = MONO_NEVER;
    out->what = what;
    out->primary = r->primary;
    out->whole = r->whole;
}

/* Without a version, or by order, there is nothing to compare: the zone is asked for at once. */
static void ask(struct transfer_refresh *r, struct transfer_refresh_action *out)
{
    go(r, !r->has_zone || r->whole ? TRANSFER_REFRESH_TRANSFER : TRANSFER_REFRESH_ASK, out);
}

static void round_begin(struct transfer_refresh *r, const struct transfer_refresh_terms *terms,
                        int primary, struct transfer_refresh_action *out)
{
    r->primary = primary >= 0 && primary < terms->primaries ? (uint8_t)primary : 0;
    r->tried = 0;
    r->confirmed = r->again = r->must = false;
    r->whole = r->whole || r->order;
    r->order = false;
    ask(r, out);
}

/* The first time after nothing was got is short; it doubles with each round. */
static uint32_t first_wait_s(const struct transfer_refresh *r)
{
    uint32_t s = TRANSFER_REFRESH_FIRST_S;
    for (uint8_t i = 1; i < r->fails && s < TRANSFER_REFRESH_FIRST_MAX_S; i++)
        s *= 2;
    return s < TRANSFER_REFRESH_FIRST_MAX_S ? s : TRANSFER_REFRESH_FIRST_MAX_S;
}

static void round_end(struct transfer_refresh *r, bool good, mono_t now)
{
    /* Somebody told of a version that no primary gave: look again soon, once. */
    const bool missing =
        r->has_wanted && r->has_zone && xfr_serial_newer(r->wanted, r->serial) && good;
    r->has_wanted = false;
    r->state = TRANSFER_REFRESH_WAITING;
    r->done = now;
    r->tried = 0;
    r->primary = 0;
    if (good)
        r->fails = 0;
    else if (r->fails < UINT8_MAX)
        r->fails++;
    if (r->again) {
        r->next = r->quiet || !good ? mono_add_ms(now, TRANSFER_REFRESH_HOLD_MS) : now;
        return;
    }
    if (!r->has_zone)
        r->next = about(r, now, first_wait_s(r));
    else
        r->next = about(r, now, good && !missing ? r->refresh_s : r->retry_s);
}

/* This primary had nothing: the next one, or the end of the round. */
static void next_primary(struct transfer_refresh *r, const struct transfer_refresh_terms *terms,
                         mono_t now, struct transfer_refresh_action *out)
{
    if (++r->tried >= terms->primaries) {
        r->quiet = true;
        round_end(r, r->confirmed, now);
        return;
    }
    r->primary = (uint8_t)((r->primary + 1u) % terms->primaries);
    ask(r, out);
}

/* ---- events ---- */

static void on_timer(struct transfer_refresh *r, const struct transfer_refresh_terms *terms,
                     mono_t now, struct transfer_refresh_action *out)
{
    if (r->state == TRANSFER_REFRESH_WAITING && !mono_before(now, r->next))
        round_begin(r, terms, -1, out);
}

static void on_notify(struct transfer_refresh *r, const struct transfer_refresh_terms *terms,
                      const struct transfer_refresh_event *ev, mono_t now,
                      struct transfer_refresh_action *out)
{
    if (r->has_zone && ev->has_serial && !r->expired && !xfr_serial_newer(ev->serial, r->serial))
        return; /* RFC 1996 section 3.11: nothing new */
    if (ev->has_serial && (!r->has_wanted || xfr_serial_newer(ev->serial, r->wanted))) {
        r->wanted = ev->serial;
        r->has_wanted = true;
    }
    if (r->state != TRANSFER_REFRESH_WAITING) {
        r->again = true; /* once more, when this is done */
        r->must = r->must || !ev->has_serial;
        return;
    }
    /* Whoever can send a NOTIFY cannot make us ask all the time. */
    mono_t earliest = mono_add_ms(r->done, TRANSFER_REFRESH_HOLD_MS);
    if (r->done.ns != 0 && r->quiet && mono_before(now, earliest)) {
        r->next = mono_min(r->next, earliest);
        return;
    }
    round_begin(r, terms, ev->primary, out);
}

static void on_order(struct transfer_refresh *r, const struct transfer_refresh_terms *terms,
                     bool whole, struct transfer_refresh_action *out)
{
    r->order = r->order || whole;
    if (r->state != TRANSFER_REFRESH_WAITING) {
        r->again = r->must = true;
        return;
    }
    round_begin(r, terms, -1, out);
}

static void on_same(struct transfer_refresh *r, const struct transfer_refresh_terms *terms,
                    const struct transfer_refresh_event *ev, mono_t now,
                    struct transfer_refresh_action *out)
{
    if (!r->has_zone) {
        next_primary(r, terms, now, out); /* the same as nothing: it lies */
        return;
    }
    confirm(r, ev, now, out);
    r->confirmed = r->confirmed || !r->expired;
    if (r->has_wanted && xfr_serial_newer(r->wanted, r->serial)) {
        next_primary(r, terms, now, out); /* another may have what was told of */
        return;
    }
    r->quiet = true;
    round_end(r, r->confirmed, now);
}

static void on_got(struct transfer_refresh *r, const struct transfer_refresh_terms *terms,
                   const struct transfer_refresh_event *ev, mono_t now,
                   struct transfer_refresh_action *out)
{
    r->has_zone = true;
    take_soa(r, terms, &ev->soa);
    confirm(r, ev, now, out);
    r->whole = r->quiet = false;
    if (r->again && !r->must && r->has_wanted && !xfr_serial_newer(r->wanted, r->serial))
        r->again = false; /* what came is what was told of meanwhile */
    round_end(r, true, now);
}

static void on_result(struct transfer_refresh *r, const struct transfer_refresh_terms *terms,
                      const struct transfer_refresh_event *ev, mono_t now,
                      struct transfer_refresh_action *out)
{
    if (r->state == TRANSFER_REFRESH_WAITING)
        return;
    switch (ev->kind) {
    case TRANSFER_REFRESH_SAME:
        on_same(r, terms, ev, now, out);
        return;
    case TRANSFER_REFRESH_NEWER:
        if (r->state == TRANSFER_REFRESH_ASKING)
            go(r, TRANSFER_REFRESH_TRANSFER, out);
        else
            next_primary(r, terms, now, out);
        return;
    case TRANSFER_REFRESH_GOT:
        if (r->state == TRANSFER_REFRESH_TRANSFERRING)
            on_got(r, terms, ev, now, out);
        return;
    default: /* FAILED, BEHIND */
        next_primary(r, terms, now, out);
        return;
    }
}

void transfer_refresh_step(struct transfer_refresh *r, const struct transfer_refresh_terms *terms,
                           const struct transfer_refresh_event *ev, mono_t now,
                           struct transfer_refresh_action *out)
{
    *out = (struct transfer_refresh_action){ .what = TRANSFER_REFRESH_NOTHING };
    switch (ev->kind) {
    case TRANSFER_REFRESH_TIMER:
        on_timer(r, terms, now, out);
        break;
    case TRANSFER_REFRESH_NOTIFIED:
        on_notify(r, terms, ev, now, out);
        break;
    case TRANSFER_REFRESH_ORDER:
    case TRANSFER_REFRESH_ORDER_WHOLE:
        on_order(r, terms, ev->kind == TRANSFER_REFRESH_ORDER_WHOLE, out);
        break;
    case TRANSFER_REFRESH_SAME:
    case TRANSFER_REFRESH_BEHIND:
    case TRANSFER_REFRESH_NEWER:
    case TRANSFER_REFRESH_GOT:
    case TRANSFER_REFRESH_FAILED:
        on_result(r, terms, ev, now, out);
        break;
    }
    look_at_expiry(r, now, out);
    if (out->expire)
        out->revive = false;
}

/* ---- around it ---- */

mono_t transfer_refresh_next(const struct transfer_refresh *r)
{
    mono_t next = r->state == TRANSFER_REFRESH_WAITING ? r->next : MONO_NEVER;
    return r->has_zone && !r->expired ? mono_min(next, r->expires) : next;
}

void transfer_refresh_begin(struct transfer_refresh *r, const struct transfer_refresh_terms *terms,
                            const struct transfer_refresh_start *start, mono_t now, wall_t wall)
{
    memset(r, 0, sizeof *r);
    r->random = start->seed * 0x9e3779b1u ^ 0x5bd1e995u;
    if (r->random == 0)
        r->random = 1; /* where xorshift would stay */
    r->expires = MONO_NEVER;
    r->next = mono_add_ms(now, draw(r, start->spread_ms));
    if (!start->has_zone)
        return;
    r->has_zone = true;
    take_soa(r, terms, &start->soa);
    int64_t left = r->expire_s;
    if (start->times.expires != 0) {
        left = start->times.expires - wall.s;
        /* The calendar may have been set back: a zone is not good for longer than its SOA says. */
        left = left > (int64_t)r->expire_s ? (int64_t)r->expire_s : left;
    }
    r->expires = left > 0 ? mono_add_ms(now, left * 1000) : now;
    r->expired = left <= 0;
    int64_t age = start->times.refreshed != 0 ? wall.s - start->times.refreshed : 0;
    if (age >= 0 && age < (int64_t)r->refresh_s && !r->expired) {
        mono_t due = about(r, now, r->refresh_s - (uint32_t)age);
        if (mono_before(r->next, due))
            r->next = due;
    }
}

void transfer_refresh_bound(struct transfer_refresh *r, const struct transfer_refresh_terms *terms,
                            mono_t now)
{
    if (r->primary >= terms->primaries)
        r->primary = 0;
    if (!r->has_zone)
        return;
    r->refresh_s = in_bounds(r->refresh_s, terms);
    r->retry_s = in_bounds(r->retry_s, terms);
    mono_t latest = mono_add_ms(now, ms_of(r->fails == 0 ? r->refresh_s : r->retry_s));
    if (r->state == TRANSFER_REFRESH_WAITING)
        r->next = mono_min(r->next, latest);
}

void transfer_refresh_times(const struct transfer_refresh *r, struct store_times *times, mono_t now,
                            wall_t wall)
{
    if (!r->has_zone)
        return;
    int64_t left = mono_ms_between(now, r->expires) / 1000;
    times->expires = wall.s + (left > 0 ? left : 0);
    if (r->done.ns != 0 && r->fails == 0)
        times->refreshed = wall.s - mono_ms_between(r->done, now) / 1000;
}

uint32_t transfer_refresh_left_s(const struct transfer_refresh *r, mono_t now)
{
    int64_t left = r->has_zone && !r->expired ? mono_ms_between(now, r->expires) / 1000 : 0;
    return left <= 0 ? 0 : left > UINT32_MAX ? UINT32_MAX : (uint32_t)left;
}
