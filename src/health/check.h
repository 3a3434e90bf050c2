/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef HEALTH_CHECK_H
#define HEALTH_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"
#include "health/question.h"
#include "health/verdict.h"

/* The rules of verdict.h as a pure machine: results of probes and samples of the serving process's
 * counters go in, verdicts come out, and when to ask which path what. No clock, no socket, no zone:
 * the edge (health.c) asks and compares. */

#define CHECK_FAULTS_MAX                                                                           \
    8 /* questions of one path that were answered wrongly and are asked again */
#define CHECK_WORKERS_MAX 64   /* as SERVE_WORKERS_MAX */
#define CHECK_IN_FLIGHT_MAX 32 /* probes of one path on their way */
#define CHECK_EAGER_MS 10      /* between two probes of a path that is not proven, or has a fault */
#define CHECK_BURST_MAX 4      /* probes of one path in one turn of the loop */
#define CHECK_BURST_PATHS 32   /* with more paths, one each must do */
#define CHECK_BURST_MS 50      /* one more for each so long without evidence */
#define CHECK_SAMPLE_MS 10     /* between two samples of the counters */
#define CHECK_STALL_MS 30      /* a loop that sampled nothing for so long did not run */

struct check_fault {
    struct question q;
    mono_t since;
    enum verdict_why why;
    char text[160];
};

struct check_path {
    struct verdict_path v;
    uint32_t check_ms;
    uint32_t kinds;       /* QUESTION_BIT()s that were answered rightly since the zones came */
    mono_t next_at;       /* when to ask again */
    mono_t asked_at;      /* when it was asked last */
    uint32_t burst;       /* that may be asked in addition at this moment */
    uint32_t in_flight;   /* not older than may be */
    uint32_t overdue;     /* older, but an answer could still come */
    mono_t vouched_at;    /* the last right answer, also a late one: when it was sent */
    uint32_t turn;        /* counts questions: which kind is next, which fault is asked again */
    mono_t vouched_after; /* answers count only when a probe sent later than this was right */
    bool gone;            /* the address is not there: no probe helps */
    bool refused;         /* a fault without a question: any right answer closes it */
    enum verdict_why refused_why;
    mono_t refused_since;
    char refused_text[160];
    uint32_t fault_count;
    struct check_fault faults[CHECK_FAULTS_MAX];
};

struct check_worker {
    uint64_t progress;
    mono_t advanced_at; /* it has advanced since; MONO_ZERO: not yet */
};

struct check {
    uint32_t path_count;
    struct check_path paths[VERDICT_PATHS_MAX];
    uint32_t proof_ms;     /* rule 3 */
    uint32_t kinds;        /* that the zones have */
    bool active;           /* there is a process to ask */
    uint32_t worker_count; /* of the active process; 0: none, or not known yet */
    struct check_worker workers[CHECK_WORKERS_MAX];
    uint64_t sent[VERDICT_TRANSPORTS]; /* answers that left, at the last sample */
    bool sampled;                      /* since the process came */
    mono_t sampled_at, progress_at, resumed_at;
    uint32_t worker_slowest;
};

/* `proof_ms` 0: 1000. */
void health_check_init(struct check *c, uint32_t proof_ms);
/* Adds the two paths of an address. False when there is no room. */
bool health_check_add(struct check *c, const union addr *addr, uint32_t check_ms);

/* New zones with these kinds of questions: every path has to be proven anew, and asked by the new
 * ones before answers count; open faults are asked again. */
void health_check_zones(struct check *c, uint32_t kinds, mono_t now);
/* A process became the active one, or (false) there is none. */
void health_check_process(struct check *c, bool active, mono_t now);
void health_check_address(struct check *c, const union addr *addr, bool present, mono_t now);

/* What the active process counted, all at one moment. */
struct check_sample {
    uint32_t worker_count;
    uint64_t progress[CHECK_WORKERS_MAX];
    uint64_t sent[VERDICT_TRANSPORTS]; /* sum over the workers */
};
void health_check_sample(struct check *c, const struct check_sample *s, mono_t now);

/* What to ask a path that is due: a fault again, or a new question of some kind. */
struct check_turn {
    bool again; /* `fault` is an index into its faults; else `kind` is wanted */
    uint32_t fault;
    enum question_kind kind;
};
/* False: not due, or too many on their way. True: a probe is counted as on its way, and next_at moved.
 * Call it until it is false: a path whose evidence runs out is asked several times at once. */
bool health_check_take_turn(struct check *c, uint32_t path, mono_t now, struct check_turn *t);
/* When the next path is due. */
mono_t health_check_next(const struct check *c);

enum check_outcome {
    CHECK_RIGHT,   /* equals the zone, in time */
    CHECK_LATE,    /* equals the zone, but came later than it may: no evidence, but vouches */
    CHECK_WRONG,   /* `why` and `text` say what: a fault of this question */
    CHECK_REFUSED, /* the kernel, or a closed connection: `why` and `text`; a fault of the path */
    CHECK_SILENT,  /* no answer in time */
    CHECK_UNASKED, /* it could not be sent for a reason of our own: says nothing */
};

struct check_result {
    enum check_outcome outcome;
    const struct question *q;  /* that was asked */
    enum question_kind wanted; /* the kind it was picked for */
    bool overdue;              /* health_check_overdue() was told before */
    bool partial;              /* RIGHT, but of the zones before, or truncated: proves no kind */
    mono_t sent_at;
    uint32_t rtt_us;
    enum verdict_why why;
    const char *text;
};

/* A probe ended. True when something got worse or better: decide anew. */
bool health_check_ended(struct check *c, uint32_t path, const struct check_result *r, mono_t now);

/* A probe has had no answer for as long as one may take (SILENT), but goes on; at its end `r->overdue`
 * is to be set. */
void health_check_overdue(struct check *c, uint32_t path, mono_t now);

/* Writes the verdicts of all paths (the zones' fields of *out are the caller's). */
void health_check_verdict(const struct check *c, mono_t now, struct verdict_set *out);

#endif
