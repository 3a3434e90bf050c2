/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef BGP_SPEAKER_H
#define BGP_SPEAKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/time.h"
#include "bgp/fsm.h"
#include "bgp/rib.h"
#include "bgp/types.h"

/* The speaker: the edge of the room. It puts the pure parts (msg, fsm, rib) on sockets, on a libuv
 * loop of the caller's. One thread: every function here is called from the loop's thread. Nothing
 * blocks. It announces nothing before bgp_speaker_set_routes() says so.
 *
 * What it needs of the process: no capability. A listening socket on port 179 is handed in
 * (bgp_speaker_listen) by somebody who may bind it. TCP-MD5 keys are set on the listener and on each
 * connection by the speaker itself: Linux asks for no capability for TCP_MD5SIG on a socket that one
 * holds (tested in tests/interop/bgp-bird: a speaker without capabilities, sessions in both
 * directions). The same is true of IP_TTL and IP_MINTTL (GTSM). A connection to a link-local address
 * needs the interface's index only. */

struct uv_loop_s;
struct bgp_speaker;

#define BGP_NEIGHBORS_MAX 256
#define BGP_NEIGHBOR_NAME_MAX 64
#define BGP_ERROR_MAX 192
#define BGP_PASSWORD_MAX 80 /* TCP_MD5SIG_MAXKEYLEN of Linux */
#define BGP_MAX_PREFIXES 4000000

/* One neighbor as configured. All pointers are borrowed for the call of bgp_speaker_new only. */
struct bgp_neighbor_config {
    const char *name;      /* the neighbor's identity in the configuration; in logs and status */
    struct bgp_addr addr;  /* where it is */
    const char *interface; /* required when addr is link-local, else NULL */
    uint16_t port;         /* 0: 179 */
    uint32_t remote_as;    /* equal to local_as: iBGP */
    uint32_t local_as;
    bool passive;              /* never connect, only accept */
    const char *password;      /* TCP-MD5 (RFC 2385); NULL: none */
    uint8_t ttl_security_hops; /* GTSM (RFC 5082): 0 off; 1: directly connected, … */
    uint16_t hold_s;           /* 0: no hold timer; else at least 3. BGP_HOLD_DEFAULT_S is usual */
    bool has_source;
    struct bgp_addr source; /* local address of connections, when has_source */
    uint32_t families;      /* BGP_FAMILY_BIT()s to offer; 0: that of addr */
    bool has_next_hop[BGP_FAMILIES];
    struct bgp_addr next_hop[BGP_FAMILIES]; /* for announcements of the family; default: the local
                                             * address of the connection. An IPv6 next hop for
                                             * BGP_IPV4 is RFC 8950, if the neighbor agrees */
    uint32_t max_prefixes;     /* different prefixes that it may announce; one more ends the session
                            * (Cease/Maximum Number of Prefixes). 0: no bound, for nothing is kept
                            * of them; at most BGP_MAX_PREFIXES */
    uint32_t connect_retry_ms; /* 0: BGP_FSM_CONNECT_RETRY_MS; the first waits are shorter */
    bool disabled;             /* starts administratively down */
};

enum bgp_speaker_event_kind {
    BGP_SPEAKER_STATE = 1, /* the neighbor's state changed: from, to, text (why) */
    BGP_SPEAKER_UP,        /* Established; its routes follow at once */
    BGP_SPEAKER_DOWN,  /* was Established, is no more: text (why), routes = those that were out */
    BGP_SPEAKER_ROUTE, /* a route to the neighbor changed: prefix, out_old, out_new, text (reason) */
    BGP_SPEAKER_SEEN,  /* somebody announces a watched, covering or more specific prefix: seen */
    BGP_SPEAKER_GONE,  /* … and does no longer: seen (as it was) */
};

struct bgp_speaker_event {
    enum bgp_speaker_event_kind kind;
    uint32_t neighbor; /* index in the options' list */
    const char *name;  /* its name; valid as long as the speaker */
    mono_t at;         /* when it happened */
    enum bgp_state from, to;
    struct bgp_prefix prefix;
    bool out_old, out_new; /* both true: announced again with other attributes */
    uint32_t routes;
    const struct bgp_seen *seen; /* SEEN, GONE; borrowed for the call; else NULL */
    char text[BGP_REASON_MAX];
};

/* Called from the loop, never from within a function of this header: a handler may call all of them
 * except bgp_speaker_free. The event is borrowed for the call. */
typedef void bgp_speaker_handler(void *arg, const struct bgp_speaker_event *ev);

struct bgp_speaker_options {
    uint32_t router_id; /* BGP Identifier, host order, not 0 (RFC 6286) */
    const struct bgp_neighbor_config *neighbors;
    uint32_t neighbor_count;
    const struct bgp_prefix
        *watch; /* own prefixes, announced or not: what is received is kept if it
                                     * equals, covers or is inside one of these */
    uint32_t watch_count;
    bgp_speaker_handler *handler; /* may be NULL */
    void *arg;
    uint64_t seed; /* for jitter; 0: taken from the kernel */
};

/* Checks the options (all errors of one call in *e's words: the first one) and makes the speaker.
 * Nothing is connected before bgp_speaker_start. NULL with *e filled in. The caller owns it. */
struct bgp_speaker *bgp_speaker_new(struct uv_loop_s *loop,
                                    const struct bgp_speaker_options *options,
                                    struct err *e) BASE_MUST_USE;

/* Takes a listening TCP socket (any port, IPv4, IPv6 or both), sets the MD5 keys of the neighbors on
 * it, and accepts from here on. On failure the descriptor is closed and *e says why. Several may be
 * given. Without one the speaker only connects. */
bool bgp_speaker_listen(struct bgp_speaker *s, int fd, struct err *e);

/* Starts all neighbors that are not disabled. */
void bgp_speaker_start(struct bgp_speaker *s);

/* One route that should be out. */
struct bgp_route {
    struct bgp_prefix prefix;
    uint32_t
        neighbor; /* index; BGP_NEIGHBOR_ALL: every neighbor that has no row of its own for this
                        * prefix. A prefix of a family that a neighbor does not speak is passed over */
    struct bgp_attrs attrs;
    const char *reason; /* borrowed for the call, may be NULL: why it is out, for the log line */
};
#define BGP_NEIGHBOR_ALL UINT32_MAX
#define BGP_ROUTES_MAX 1024 /* prefixes to one neighbor */

/* The whole set of routes that should be out from now on; what is not in it is withdrawn.
 * `gone` (may be NULL) has the reasons for the log lines of prefixes that go. The difference is
 * written to the sockets of all established sessions within this call, withdrawals of all
 * neighbors before any announcement (a session whose socket is full follows as soon as it drains).
 * False, and nothing changed, when there are more than BGP_ROUTES_MAX prefixes or a row names no
 * neighbor. */
bool bgp_speaker_set_routes(struct bgp_speaker *s, const struct bgp_route *set, uint32_t count,
                            const struct bgp_gone *gone);

/* Replaces the watched prefixes. Neighbors are asked to send their routes again (RFC 2918). */
void bgp_speaker_set_watch(struct bgp_speaker *s, const struct bgp_prefix *watch, uint32_t count);

/* Administrative actions on one neighbor (index). Texts go to the peer (RFC 9003), at most 255
 * bytes of UTF-8; NULL: none. */
void bgp_speaker_disable(struct bgp_speaker *s, uint32_t neighbor, const char *text);
void bgp_speaker_enable(struct bgp_speaker *s, uint32_t neighbor);
void bgp_speaker_reset(struct bgp_speaker *s, uint32_t neighbor, const char *text);

/* Withdraws everything, ends every session with Cease/Administrative Shutdown and `text`, stops
 * accepting. `done` (may be NULL) is called from the loop when the last connection is closed, which
 * takes at most BGP_SPEAKER_LINGER_MS. */
#define BGP_SPEAKER_LINGER_MS 1000
void bgp_speaker_stop(struct bgp_speaker *s, const char *text, void (*done)(void *arg), void *arg);

/* Closes what is still open, at once and without a word, and frees. The loop must run once more for
 * libuv to let go of the handles (uv_run until it returns 0). NULL is fine. */
void bgp_speaker_free(struct bgp_speaker *s);

/* What `status` shows of one neighbor. */
struct bgp_neighbor_status {
    const char *name; /* valid as long as the speaker */
    struct bgp_addr addr;
    uint32_t remote_as, local_as;
    bool ibgp, disabled, passive;
    enum bgp_state state;
    mono_t since;       /* of the state; of Established: since when it is up */
    mono_t next_try;    /* Idle, Active: when it connects next; MONO_NEVER */
    uint32_t remote_id; /* 0 before the OPEN */
    uint16_t hold_s;    /* negotiated; 0: none */
    uint32_t families;  /* negotiated */
    bool as4, route_refresh, extended_message;
    uint32_t routes_out;  /* announced to it now */
    uint32_t routes_due;  /* should be out or withdrawn, and is not written yet */
    uint32_t routes_seen; /* of interest, kept */
    struct bgp_counters counters;
    char last_error[BGP_ERROR_MAX]; /* empty: none so far */
    mono_t last_error_at;
};

uint32_t bgp_speaker_neighbor_count(const struct bgp_speaker *s);
/* How the neighbor (index) stands now; a copy, but for `name`. */
void bgp_speaker_status(const struct bgp_speaker *s, uint32_t neighbor,
                        struct bgp_neighbor_status *out);

/* One route as it is out at a neighbor (written to its socket), or due. */
struct bgp_route_status {
    struct bgp_prefix prefix;
    bool out;               /* the neighbor has been told */
    bool wanted;            /* it should be */
    struct bgp_attrs attrs; /* as told if out, else as wanted */
    mono_t since;           /* of `out` */
    char reason[BGP_REASON_MAX];
};

/* Fills at most `cap` rows and returns how many there are in all. */
uint32_t bgp_speaker_routes(const struct bgp_speaker *s, uint32_t neighbor,
                            struct bgp_route_status *out, uint32_t cap);

/* The routes of others that equal, cover or lie inside a watched prefix, of all neighbors
 * (struct bgp_seen.neighbor). Fills at most `cap`, returns how many there are in all. */
uint32_t bgp_speaker_seen(const struct bgp_speaker *s, struct bgp_seen *out, uint32_t cap);

#endif
