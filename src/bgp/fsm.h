/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef BGP_FSM_H
#define BGP_FSM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/time.h"
#include "bgp/msg.h"
#include "bgp/types.h"

/* The state machine of one neighbor (RFC 4271 section 8): an event, the time and a random number go
 * in, actions come out. Pure: no clock, no socket, no memory but the struct.
 *
 * RFC 4271 section 8.2.1 wants one state machine per connection. There are at most two connections to
 * a neighbor: the one that we open, and the one that it opens. So struct bgp_fsm has two of them, with
 * a state each, and settles collisions between them (section 6.8). What an operator calls the state
 * of the neighbor is the further of the two.
 *
 * Where we leave the letter, and why:
 * - A connection attempt that fails (event 18 in Connect) leads to Active, not to Idle, so that the
 *   neighbor can reach us while we wait (as BIRD, FRR and RFC 1771 do).
 * - A NOTIFICATION ends its connection in every state and is never answered (event 25 in OpenSent).
 * - A second OPEN on one connection is a state machine error; collisions are between connections.
 * - DelayOpen (events 12, 20) is not implemented; it is optional.
 * - The retry and idle times start small and double, because a service speaker wants its routes back
 *   (`retry_ms`, `idle_ms`); they fall back once a session has lived for BGP_FSM_STABLE_MS. */

enum bgp_state {
    BGP_IDLE = 0,
    BGP_CONNECT,
    BGP_ACTIVE,
    BGP_OPEN_SENT,
    BGP_OPEN_CONFIRM,
    BGP_ESTABLISHED,
};
#define BGP_STATE_COUNT 6
const char *bgp_state_text(enum bgp_state s); /* "Idle", …, "Established" */

enum bgp_conn_side {
    BGP_OUT = 0, /* we opened it */
    BGP_IN = 1,  /* the neighbor opened it */
};
#define BGP_CONN_SIDES 2

#define BGP_FSM_CONNECT_RETRY_MS 30000 /* the longest wait between two attempts */
#define BGP_FSM_RETRY_FIRST_MS 500
#define BGP_FSM_IDLE_FIRST_MS 500
#define BGP_FSM_IDLE_MAX_MS 30000
#define BGP_FSM_OPEN_HOLD_MS 240000 /* RFC 4271 section 8.2.2: a large value until OPEN came */
#define BGP_FSM_CONNECT_MS 10000    /* a TCP attempt is given up after this */
#define BGP_FSM_STABLE_MS 60000     /* Established this long: back-off starts anew */
#define BGP_FSM_SEND_HOLD_MS 480000 /* RFC 9687: the greater of 8 minutes and twice the hold time */

struct bgp_fsm_config {
    uint32_t local_as, remote_as, router_id; /* host order */
    uint16_t hold_s;
    bool passive;
    uint32_t families;         /* BGP_FAMILY_BIT()s to offer */
    bool v4_over_v6_next_hop;  /* offer RFC 8950 */
    uint32_t connect_retry_ms; /* 0: BGP_FSM_CONNECT_RETRY_MS */
    uint32_t send_hold_ms;     /* 0: as RFC 9687 recommends */
    uint32_t open_hold_ms;     /* 0: BGP_FSM_OPEN_HOLD_MS */
};

/* What both sides agreed to, valid in OpenConfirm and Established. */
struct bgp_negotiated {
    uint32_t remote_id;
    uint16_t hold_s;   /* the smaller of both; 0: neither hold timer nor keepalives */
    uint32_t families; /* both sides spoke of them */
    bool as4;          /* 4-octet AS numbers in AS_PATH */
    bool route_refresh, enhanced_refresh, extended_message, v4_over_v6_next_hop;
    bool peer_restarts; /* it sent Graceful Restart (RFC 4724): known, not used */
};

struct bgp_fsm_conn {
    enum bgp_state state;
    mono_t since;
    mono_t hold_at, keepalive_at, send_hold_at; /* MONO_NEVER: not running */
    bool tcp; /* an open TCP connection, or an attempt at one, belongs to it */
    struct bgp_negotiated nego;
};

struct bgp_fsm {
    struct bgp_fsm_config config;
    struct bgp_fsm_conn conn[BGP_CONN_SIDES];
    bool enabled;                   /* between start and stop */
    mono_t retry_at;                /* ConnectRetryTimer of BGP_OUT */
    mono_t idle_until;              /* IdleHoldTimer: when Idle ends by itself */
    uint32_t retry_ms, idle_ms;     /* the last waits, before jitter */
    uint32_t connect_retry_counter; /* RFC 4271 section 8 */
    uint32_t collisions;
};

enum bgp_fsm_event_kind {
    BGP_EV_START = 1, /* events 1, 3 */
    BGP_EV_STOP,      /* events 2, 8: cease_subcode, text; no restart until START */
    BGP_EV_RESET,     /* the same, and it starts again by itself */
    BGP_EV_TIMER,     /* time has passed: events 9, 10, 11, 13, 29 as they are due */
    BGP_EV_TCP_UP,    /* events 16 (side BGP_OUT), 17 (side BGP_IN): connected */
    BGP_EV_TCP_DOWN,  /* event 18: refused, reset or closed; text says how */
    BGP_EV_MESSAGE, /* events 19 to 28: one whole message, or what cannot be one (bgp_msg_frame) */
    BGP_EV_SENT,    /* TCP took bytes of the connection: the send hold timer starts anew */
};
#define BGP_FSM_EVENT_COUNT 8

struct bgp_fsm_event {
    enum bgp_fsm_event_kind kind;
    enum bgp_conn_side side; /* TCP_UP, TCP_DOWN, MESSAGE, SENT */
    uint32_t random;         /* uniform: all jitter of this step comes from it */
    const uint8_t *bytes;    /* MESSAGE: header and body, borrowed for the step */
    size_t len;
    uint8_t cease_subcode; /* STOP, RESET: enum bgp_cease */
    const char *text;      /* STOP, RESET: shutdown communication, TCP_DOWN: cause; or NULL */
};

enum bgp_fsm_action_kind {
    BGP_ACT_CONNECT = 1, /* start a TCP connection (side BGP_OUT) */
    BGP_ACT_SEND,        /* bytes to put into the connection `side` */
    BGP_ACT_CLOSE,       /* let the connection `side` go (after what was sent has left) */
    BGP_ACT_STATE,       /* for the log: from, to, why */
    BGP_ACT_UP,          /* Established on `side`: nego is in conn[side] */
    BGP_ACT_DOWN,        /* Established no more: why; nothing announced counts any more */
    BGP_ACT_UPDATE,      /* out->update is to be applied (grade: none, discard or withdraw) */
    BGP_ACT_REFRESH, /* ROUTE-REFRESH of `family`: a request, or a mark of RFC 7313 (`refresh`) */
    BGP_ACT_ERROR,   /* for the log and status: why (a NOTIFICATION sent or received) */
};

#define BGP_FSM_WHY_MAX 192
#define BGP_FSM_ACTIONS_MAX 24

struct bgp_fsm_action {
    enum bgp_fsm_action_kind kind;
    enum bgp_conn_side side;
    enum bgp_state from, to;
    uint8_t family;       /* REFRESH */
    uint8_t refresh;      /* REFRESH: enum bgp_refresh_kind */
    const uint8_t *bytes; /* SEND: into out->buf */
    uint32_t len;
    const char *why; /* into out->text, never NULL for STATE, DOWN, ERROR */
};

struct bgp_fsm_actions {
    uint32_t n;
    struct bgp_fsm_action a[BGP_FSM_ACTIONS_MAX];
    struct bgp_update update; /* borrows from the event's bytes */
    uint32_t buf_len, text_len;
    uint8_t buf[2 * BGP_MSG_MAX];
    char text[8 * BGP_FSM_WHY_MAX];
};

void bgp_fsm_init(struct bgp_fsm *f, const struct bgp_fsm_config *config, mono_t now);

/* One event. Actions are to be carried out in their order; nothing of what they cause may be fed back
 * before this step's actions are done. */
void bgp_fsm_step(struct bgp_fsm *f, const struct bgp_fsm_event *ev, mono_t now,
                  struct bgp_fsm_actions *out);

/* When to feed BGP_EV_TIMER next; MONO_NEVER if nothing waits. */
mono_t bgp_fsm_next(const struct bgp_fsm *f);

/* The further of both connections, and which one that is. */
enum bgp_state bgp_fsm_state(const struct bgp_fsm *f);
enum bgp_conn_side bgp_fsm_side(const struct bgp_fsm *f);

/* Whether a connection that the neighbor opens now would be taken (BGP_EV_TCP_UP, side BGP_IN). */
bool bgp_fsm_accepts(const struct bgp_fsm *f);

#endif
