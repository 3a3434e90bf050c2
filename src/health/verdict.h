/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef HEALTH_VERDICT_H
#define HEALTH_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/time.h"

/* What health has found out: not booleans, but evidence with its age. Only types; `announce` may
 * include this header and no other of health.
 *
 * The rule by which evidence is renewed (docs/promise.md, health/check.h):
 *
 *  1. A *path* is one service address by one transport. A probe is a real query to it whose answer
 *     must EQUAL the zone image. A right answer renews the path's evidence with the time at which
 *     its query was *sent*: at that time or later the node answered rightly.
 *  2. A path is `proven` once every kind of question (SOA, a record, a denial, a referral where the
 *     zones have one) has been answered rightly since the zones, or the path, came.
 *  3. Answers that really left (the active process handed answers of this transport, other than to
 *     our own probes, to the kernel while every one of its workers advanced) renew the evidence too, but only of a path that is
 *     proven, has no open fault, and whose last right probe is younger than the proof bound (1 s).
 *     A right answer that came too late to be evidence still says that what is answered is right:
 *     in a flood everybody's answers are late, and a site that answers is not to go for that.
 *     A new active process, or new zones, must be probed rightly once before its answers count.
 *  4. A wrong answer opens a fault on the path. Nothing renews its evidence while a fault is open;
 *     only the right answer to the very question that failed closes it.
 *  5. A probe that is not answered in time proves nothing and opens no fault, unless the kernel says
 *     that nothing can be there (connection refused, unreachable): that is a fault.
 *
 * So evidence just ages when something is wrong. `announce` decides what its age means. */

enum verdict_transport { VERDICT_UDP, VERDICT_TCP };
#define VERDICT_TRANSPORTS 2

#define VERDICT_ADDRESSES_MAX 64
#define VERDICT_PATHS_MAX (VERDICT_ADDRESSES_MAX * VERDICT_TRANSPORTS)

/* What can be wrong with an answer: name (in --json and metrics), and words. */
#define VERDICT_WHYS(X)                                                                            \
    X(FINE, "fine", "nothing is wrong")                                                            \
    X(UNTRIED, "untried", "no probe has come back yet")                                            \
    X(TIMEOUT, "timeout", "no answer in time")                                                     \
    X(REFUSED, "refused", "nothing listens there")                                                 \
    X(UNREACHABLE, "unreachable", "the address cannot be reached from here")                       \
    X(SOURCE, "source", "the answer came from another address")                                    \
    X(BROKEN, "broken", "the answer is not a whole DNS message")                                   \
    X(QUESTION, "question", "the answer is to another question")                                   \
    X(TRUNCATED, "truncated", "truncated although it fits")                                        \
    X(RCODE, "rcode", "another RCODE than the zone asks for")                                      \
    X(AUTHORITY, "aa", "the AA bit is wrong")                                                      \
    X(SERIAL, "serial", "another serial than the zone's")                                          \
    X(RECORD, "record", "a record that is not in the zone")                                        \
    X(MISSING, "missing", "a record of the zone is missing")                                       \
    X(TTL, "ttl", "another TTL than the zone's")                                                   \
    X(SIGNATURE, "signature", "a signature is missing")                                            \
    X(NSID, "nsid", "another server answered (NSID)")

#define VERDICT_WHY_ENUM(id, name, words) VERDICT_##id,
enum verdict_why { VERDICT_WHYS(VERDICT_WHY_ENUM) VERDICT_WHY_COUNT };
#undef VERDICT_WHY_ENUM

/* How evidence was renewed last. */
enum verdict_how {
    VERDICT_BY_NOTHING, /* never */
    VERDICT_BY_PROBE,   /* a probe whose answer equals the zone */
    VERDICT_BY_ANSWERS, /* answers that left, see rule 3 */
};

struct verdict_path {
    union addr addr; /* with its port */
    enum verdict_transport transport;
    bool proven;          /* rule 2 */
    enum verdict_how how; /* of evidence_at */
    mono_t evidence_at;   /* the node answered rightly then, or later; MONO_ZERO: never */
    mono_t probed_at;     /* the same, by probe alone */
    uint32_t rtt_us;      /* of that probe */
    enum verdict_why why; /* VERDICT_FINE, or the open fault */
    mono_t why_since;     /* MONO_ZERO when fine */
    char text[160];       /* what is wrong, in words with names and values; empty when fine */
    uint32_t late_in_row; /* probes without an answer since the last right one */
    uint32_t waiting;     /* probes on their way */
    uint64_t probes_right, probes_wrong, probes_late; /* since the start */
};

struct verdict_set {
    mono_t at;         /* when this was computed */
    bool zones_loaded; /* there is an image, with at least one zone */
    uint32_t zone_count;
    uint32_t version; /* of the image the answers are held against */
    mono_t
        progress_at; /* every worker of the active process has advanced since; MONO_ZERO: there is
                           no active process, or not yet */
    uint32_t worker_count;
    uint32_t worker_slowest; /* the worker that progress_at is of */
    mono_t resumed_at;       /* our own loop ran again then after it had not run for a while: what
                                happened meanwhile could not be seen; MONO_ZERO: never */
    uint32_t path_count;
    struct verdict_path paths[VERDICT_PATHS_MAX];
};

/* Names and words of the above, here in the header so that announce needs no library of health. */

/* "timeout"; part of the output's promise (--json, metrics). */
static inline const char *verdict_why_name(enum verdict_why why)
{
#define VERDICT_WHY_ROW(id, name, words) name,
    static const char *const names[] = { VERDICT_WHYS(VERDICT_WHY_ROW) };
#undef VERDICT_WHY_ROW
    return names[why < VERDICT_WHY_COUNT ? why : VERDICT_FINE];
}

/* "no answer in time" */
static inline const char *verdict_why_words(enum verdict_why why)
{
#define VERDICT_WHY_ROW(id, name, words) words,
    static const char *const all[] = { VERDICT_WHYS(VERDICT_WHY_ROW) };
#undef VERDICT_WHY_ROW
    return all[why < VERDICT_WHY_COUNT ? why : VERDICT_FINE];
}

/* "probe", "answers", "nothing" */
static inline const char *verdict_how_name(enum verdict_how how)
{
    return how == VERDICT_BY_PROBE ? "probe" : how == VERDICT_BY_ANSWERS ? "answers" : "nothing";
}

/* "udp", "tcp" */
static inline const char *verdict_transport_name(enum verdict_transport transport)
{
    return transport == VERDICT_UDP ? "udp" : "tcp";
}

#endif
