/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef BGP_SESSION_H
#define BGP_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "bgp/link.h"
#include "bgp/speaker.h"

/* One neighbor on its sockets: state machine and tables inside, links and a timer outside. Internal to
 * the room; the contract for others is bgp/speaker.h. */

struct bgp_session {
    struct bgp_speaker *speaker;
    uint32_t idx;
    /* configuration, owned */
    char name[BGP_NEIGHBOR_NAME_MAX];
    char interface[32];
    char password[BGP_PASSWORD_MAX + 1]; /* empty: none */
    struct bgp_neighbor_config config;   /* its pointers point to the three above, or are NULL */
    uint32_t offered;                    /* BGP_FAMILY_BIT()s */
    /* the pure parts */
    struct bgp_fsm fsm;
    struct bgp_rib_out out;
    struct bgp_rib_in in;
    struct bgp_rib_count announced;
    struct bgp_out_context out_ctx; /* of the session that is up */
    /* the outside */
    uv_timer_t timer;
    struct bgp_link *links[BGP_CONN_SIDES];
    bool broken[BGP_CONN_SIDES]; /* to be told to the machine once this step's actions are done */
    bool sent[BGP_CONN_SIDES];   /* the same for BGP_EV_SENT */
    char broken_why[BGP_CONN_SIDES][64];
    bool stepping;
    bool max_reached;
    /* for status */
    struct bgp_counters counters;
    char last_error[BGP_ERROR_MAX];
    mono_t last_error_at;
    mono_t seen_log_at; /* lines about routes of others: so many per second at most */
    uint32_t seen_log_count;
};

/* Checks the neighbor's configuration; false with *e. */
bool bgp_session_check(const struct bgp_neighbor_config *c, struct err *e);

/* *s is zeroed memory that stays where it is until the timer is closed. */
void bgp_session_init(struct bgp_session *s, struct bgp_speaker *speaker, uint32_t idx,
                      const struct bgp_neighbor_config *c);
/* Frees the tables; the timer and the links are gone by now. */
void bgp_session_fini(struct bgp_session *s);

void bgp_session_start(struct bgp_session *s);
/* BGP_EV_STOP or BGP_EV_RESET. */
void bgp_session_end(struct bgp_session *s, enum bgp_fsm_event_kind kind, uint8_t subcode,
                     const char *text);
/* Closes everything without a word. */
void bgp_session_abort(struct bgp_session *s);

/* A connection from its address: takes the descriptor, or closes it. */
void bgp_session_accepted(struct bgp_session *s, int fd);
bool bgp_session_accepts(const struct bgp_session *s);

/* The whole set for this neighbor, sorted. Then push: withdrawals first, of all sessions. */
void bgp_session_set(struct bgp_session *s, const struct bgp_rib_want *set, uint32_t count,
                     const struct bgp_gone *gone, mono_t now);
void bgp_session_push(struct bgp_session *s, bool withdrawals_only);

/* Another watch list, borrowed until the next one; asks the neighbor for all its routes again. */
void bgp_session_watch(struct bgp_session *s, const struct bgp_prefix *watch, uint32_t count);

/* ---- what a session asks of its speaker (speaker.c) --------------------------------------------- */

uv_loop_t *bgp_speaker_loop(struct bgp_speaker *sp);
struct bgp_link_count *bgp_speaker_links(struct bgp_speaker *sp);
uint32_t bgp_speaker_random(struct bgp_speaker *sp);
uint64_t bgp_speaker_seed(const struct bgp_speaker *sp);
uint32_t bgp_speaker_router_id(const struct bgp_speaker *sp);
/* Queues a copy. */
void bgp_speaker_event(struct bgp_speaker *sp, const struct bgp_speaker_event *ev);

#endif
