/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ANNOUNCE_PARTS_H
#define ANNOUNCE_PARTS_H

#include "announce/announce.h"

/* The leaves of the decision, one file each; announce_step() calls them in this order and is their
 * only caller. */

/* ---- load.c: what clients ask, and whether it is more than this site should take ---- */

#define ANNOUNCE_SAMPLE_MS 100 /* between two samples of the counters */

/* Takes a sample when one is due; averages; keeps a->over and its times. */
void announce_load_step(struct announce *a, const struct announce_input *in);
/* Whether the load stayed above the capacity for long enough although prefixes are prepended. */
bool announce_load_wishes(const struct announce *a, mono_t now);
/* A prefix was withdrawn for load: when it comes back at the latest. */
mono_t announce_load_shed(struct announce *a, mono_t now);
/* A prefix came back: the capacity is tried anew, prepended. */
void announce_load_returned(struct announce *a, mono_t now);

/* ---- proof.c: what a prefix rests on ---- */

struct announce_proof {
    bool hard;          /* must not be out, whatever the evidence's age: `text` says why */
    bool proven;        /* may be announced */
    bool holding;       /* may stay announced */
    mono_t evidence_at; /* the oldest; MONO_ZERO: something was never proven */
    mono_t lease_until; /* when it no longer holds */
    char text[ANNOUNCE_REASON_MAX]; /* what is missing for `proven`; empty when nothing is */
};

void announce_proof_of(const struct announce *a, uint32_t idx, const struct announce_input *in,
                       struct announce_proof *p);
/* Keeps the times of crashes: once a step, before the prefixes. */
void announce_crash_step(struct announce *a, const struct announce_input *in);
/* Whether the standby should take over from a process that answers wrongly; fills `out`. */
void announce_replace_step(struct announce *a, const struct announce_input *in,
                           struct announce_out *out);

/* ---- state.c: one prefix ---- */

/* Moves prefix `idx` to the state it should be in and fills its status in `out`. */
void announce_state_step(struct announce *a, uint32_t idx, const struct announce_input *in,
                         struct announce_out *out);

/* Now, or never when there is no more than that. */
static inline bool announce_passed(mono_t then, mono_t now)
{
    return !mono_before(now, then);
}

#endif
