/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LAB_STEP_H
#define LAB_STEP_H

#include "lab/stage.h"

/* A scenario is a list of steps: do something to a node, site or region while the clients ask, wait,
 * mend it, and judge what the clients and the wire have seen. docs/lab.md describes the file. */
#define STEPS_MAX 64
#define STEP_CLIENTS_MAX 16
#define STEP_BOTS_MAX 8

enum step_verb {
    STEP_WAIT,         /* nothing */
    STEP_KILL_SERVE,   /* SIGKILL to the process that answers */
    STEP_STOP_WORKER,  /* one thread of it stopped by ptrace */
    STEP_STOP_SERVE,   /* SIGSTOP to all of it */
    STEP_CRASH_LOOP,   /* SIGKILL to each of three in a row */
    STEP_STOP_CONTROL, /* SIGSTOP to control */
    STEP_DRAIN,        /* `perigee drain`; mended by undrain */
    STEP_STOP_NODE,    /* SIGTERM, as systemd does; mended by a start */
    STEP_KILL_NODE,    /* SIGKILL to everything of the node; mended by a start */
    STEP_CUT_HOST,     /* its packets vanish, both ways */
    STEP_OVERLOAD,     /* bots ask more than the capacity */
    STEP_FLOOD,        /* the same while each site's uplink is capped (tbf) */
};

struct step {
    char title[96];
    enum step_verb verb;
    char
        at[LAB_NAME_MAX + 1]; /* node, site or region; of a site: the verbs for one process take the
                                  node that serves, the others all nodes */
    uint64_t for_us;          /* from the deed to its mending */
    char bots[STEP_BOTS_MAX][LAB_NAME_MAX + 1];
    uint32_t bot_qps[STEP_BOTS_MAX]; /* queries a second of each */
    uint32_t bot_count;
    uint64_t cap_bps; /* STEP_FLOOD: of each link to a site's router from its provider */
    /* What must come out. -1: anything. */
    int64_t lost_max, lost_min, late_ms, updates_max, updates_min, outage_ms_max, withdrawn_ms_max;
    char to[LAB_NAME_MAX +
            1]; /* the site to which the clients of the region go meanwhile; "": any */
    bool longer_path,
        graceful; /* UPDATEs with a longer AS path, with GRACEFUL_SHUTDOWN, are seen */
    /* Per region: so many percent of the queries sent between deed and mending are answered. -1: any */
    int32_t answered_min[LAB_REGIONS_MAX], answered_max[LAB_REGIONS_MAX];
};

struct scenario {
    char name[64];
    uint32_t qps;
    struct step steps[STEPS_MAX];
    uint32_t count;
};

/* Pure: text in, steps or errors (in *y) out. `t` is what the names must be of. */
bool scenario_read(struct yml *y, yml_node root, struct lab_topo *t, struct scenario *out);
const char *step_verb_name(enum step_verb v);

/* A machine that stood still for longer cannot be told from a program that did: on a shared virtual
 * machine that happens, and a lease of 200 ms notices. Such a step is played once more, and told. */
#define STEP_STALL_US 50000

struct step_result {
    int64_t begun_ns, deed_ns, mended_ns, ended_ns; /* mono: the window, and the deed in it */
    struct fate_report all;                         /* all clients together; no moves in it */
    struct fate_report
        client[STEP_CLIENTS_MAX]; /* of the whole window; move times count from the deed */
    struct fate_report during[STEP_CLIENTS_MAX]; /* only what was sent between deed and mending */
    const struct lab_host *who[STEP_CLIENTS_MAX];
    uint32_t client_count;
    const struct lab_host *bots[STEP_BOTS_MAX];
    uint32_t bot_qps[STEP_BOTS_MAX]; /* what they really sent, a second */
    uint32_t bot_count;
    struct wire_sum wire; /* of the nodes concerned, from the deed on */
    int64_t
        withdrawn_ms; /* from the deed (of a crash loop: the last) to the last family's withdrawal
                             or the end of the sessions; -1: none */
    int64_t stall_us; /* the machine itself stood still, or was too busy, for that long */
    int64_t back_ms;  /* from the mending to all clients at home; -1: did not come */
    char failures[8][120];
    uint32_t failure_count;
};

/* Caps every link from a provider to a router that has a node; 0 takes the caps away. */
bool step_cap_sites(struct stage *s, uint64_t bps, struct err *e);

/* Plays one step. False with *e only when it could not be played; a judgement is in `out`. */
bool step_play(struct stage *s, const struct step *st, struct step_result *out, struct err *e);

#endif
