/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CONTROL_PARTS_H
#define CONTROL_PARTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "announce/announce.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/time.h"
#include "bgp/speaker.h"
#include "config/config.h"
#include "control/request.h"
#include "fleet/fleet.h"
#include "guard/link.h"
#include "health/health.h"
#include "serve/link.h"

/* The parts of the process, private to this room. All run in one thread, on one loop. */

struct control;

/* ---- serve.c: the serving processes, as guard tells of them ----------------------------------- */

struct control_serve {
    struct announce_serve levels;  /* what announce asks for */
    const struct serve_page *page; /* of the active process, mapped; NULL: none yet */
    int32_t active_pid, standby_pid;
    mono_t active_since;
    uint32_t downs; /* ends of an active process since control started */
    int32_t down_pid;
    uint32_t down_why, down_arg; /* of the last one; enum guard_down_why */
    mono_t down_at;
    bool down_repaired;
    char standby_text[200];
};

/* Takes GUARD_EV_SERVE_* and GUARD_EV_STANDBY*; `fd` is closed. True when the page changed. */
bool control_serve_event(struct control_serve *s, const struct guard_event *ev, int fd);
/* A page that nobody reads any more; NULL: nothing. */
void control_serve_unmap(const struct serve_page *page);
const char *control_down_words(uint32_t why);

/* ---- zones.c: new zones, mapped by a thread --------------------------------------------------- */

/* Takes the ownership of `set`; NULL: the image of a load could not be had, control_zones.error says
 * why. `load` as in struct guard_event. */
typedef void control_zones_handler(void *arg, struct zone_set *set, uint32_t version,
                                   uint32_t load);

struct control_zones {
    uv_loop_t *loop;
    control_zones_handler *handler;
    void *arg;
    bool busy;   /* an image is being mapped */
    int next_fd; /* the one that comes after it; -1: none */
    uint32_t next_version, next_load;
    mono_t next_at;
    uint32_t load;    /* of the latest image that came, mapped or not yet */
    uint32_t version; /* of the latest that was mapped */
    mono_t at;
    char error[200]; /* of the last reload; empty when it was good */
};

void control_zones_init(struct control_zones *z, uv_loop_t *loop, control_zones_handler *handler,
                        void *arg);
/* Takes GUARD_EV_ZONES and its descriptor. */
void control_zones_event(struct control_zones *z, const struct guard_event *ev, int fd);

/* ---- file.c: whether the fleet file has changed since the start -------------------------------- */

/* Looks in a thread, and logs a warning if it has. */
void control_file_look(uv_loop_t *loop, const struct config_bundle *b);

/* ---- link.c: the link to guard ------------------------------------------------------------------ */

/* `fd` is -1 or owned by the handler. */
typedef void control_link_handler(struct control *c, const struct guard_event *ev, int fd);

struct control_link {
    uv_poll_t poll;
    int fd;
    struct control *control;
    control_link_handler *handler;
};

void control_link_init(struct control_link *l, uv_loop_t *loop, int fd, struct control *c,
                       control_link_handler *handler);
/* `text` may be NULL. A message that does not fit now is lost and logged (false): the link holds
 * hundreds. */
bool control_link_send(struct control_link *l, enum guard_request_kind kind, uint32_t arg,
                       const char *text);

/* ---- drain.c: whether the node is drained, over restarts ----------------------------------------- */

struct control_drain {
    char *path; /* of the file that says so; its folder belongs to this process's user */
    uv_loop_t *loop;
    bool wanted;
    char why[CONTROL_REASON_MAX];
    bool kept;       /* the file agrees with `wanted` */
    bool busy;       /* a write is on its way */
    char error[200]; /* why the last write failed; empty when it did not */
};

/* Reads the file: blocks, so before the loop runs. */
void control_drain_init(struct control_drain *d, uv_loop_t *loop, const char *state_dir);
void control_drain_fini(struct control_drain *d);
/* Written by a thread; the loop does not wait for the disk. */
void control_drain_set(struct control_drain *d, bool wanted, const char *why);

/* ---- fleet.c: datagrams between the nodes ----------------------------------------------------- */

struct control_fleet {
    struct fleet fleet;
    uv_udp_t udp;
    bool configured; /* there are other nodes */
    bool open;       /* there is a socket */
    int family;      /* of the socket */
    const struct config *config;
    struct control *control;
    char datagram[FLEET_DATAGRAM_MAX + 1]; /* the one that is read */
    mono_t last_error;                     /* a socket that refuses is logged once in a while */
};

void control_fleet_init(struct control_fleet *f, const struct config *config,
                        const struct config_node *node, struct control *c);
/* Takes the socket that guard has bound. */
void control_fleet_open(struct control_fleet *f, uv_loop_t *loop, int fd);
/* Sends when it is time, or when something `changed`. */
void control_fleet_send(struct control_fleet *f, const struct announce_config *config,
                        const struct announce_out *out, bool changed, mono_t now);

/* ---- address.c: whether the service addresses are on this host ------------------------------- */

/* `addr` came (or is there again), or went. */
typedef void control_address_handler(void *arg, const union addr *addr, bool here);

struct control_address {
    uv_poll_t poll;
    int fd; /* netlink */
    union addr at[CONFIG_ADDRESSES_MAX];
    bool here[CONFIG_ADDRESSES_MAX];
    uint32_t count;
    control_address_handler *handler;
    void *arg;
};

/* Tells at once of each that is not there, and later of each change. */
void control_address_init(struct control_address *w, uv_loop_t *loop, const struct config_bundle *b,
                          control_address_handler *handler, void *arg);

/* ---- routes.c: what announce wants, as routes of BGP -------------------------------------------- */

struct control_routes {
    struct bgp_route *rows; /* room for ANNOUNCE_ROUTES_MAX */
    uint32_t count;
    struct bgp_why why[ANNOUNCE_PREFIXES_MAX]; /* of the prefixes that are not out */
    struct bgp_gone gone;                      /* borrows `why` and announce's reasons */
};

void control_routes_init(struct control_routes *r);
void control_routes_fini(struct control_routes *r);
void control_routes_fill(struct control_routes *r, const struct config_node *node,
                         const struct announce_config *config, const struct announce_out *out);
/* Whether a route that a neighbor sent tells that another site of the fleet announces the prefix. */
bool control_routes_is_other_site(const struct config *config, const struct config_node *node,
                                  const struct bgp_seen *seen);

/* ---- setup.c: the configuration, as each room wants it ---------------------------------------- */

/* The same prefix in the words of the other room. */
struct bgp_prefix control_bgp_prefix(const struct prefix *p);
struct prefix control_prefix(const struct bgp_prefix *p); /* and back */
/* Fills *a; it borrows the names of the services. */
void control_announce_config(struct announce_config *a, const struct config_bundle *b);
/* Fills *f; borrows nothing. */
void control_fleet_config(struct fleet_config *f, const struct config *c,
                          const struct config_node *node);
/* What health_new() makes of the node's service addresses; NULL with *e filled in. */
struct health *control_health_new(uv_loop_t *loop, const struct config_bundle *b,
                                  void (*changed)(void *), void *arg, struct err *e) BASE_MUST_USE;
/* What bgp_speaker_new() makes of the node's neighbors and prefixes; NULL with *e filled in. */
struct bgp_speaker *control_speaker_new(uv_loop_t *loop, const struct config_bundle *b,
                                        const struct announce_config *a,
                                        bgp_speaker_handler *handler, void *arg,
                                        struct err *e) BASE_MUST_USE;

/* ---- socket.c: the control socket ------------------------------------------------------------- */

/* Answers a request: a new reference to a JSON object, or NULL when it comes later by
 * control_socket_reply_reload(); then it has counted control_socket.reloads up. */
typedef json_t *control_socket_handler(struct control *c, const struct control_request *r);

#define CONTROL_CLIENTS_MAX 16

struct control_socket {
    uv_pipe_t pipe;
    bool open;
    uint32_t clients;
    uint32_t reloads; /* requests so far, and so the number of the latest */
    struct control_client *first;
    struct control *control;
    control_socket_handler *handler;
};

/* `fd` is a listening unix socket. */
bool control_socket_open(struct control_socket *s, uv_loop_t *loop, int fd, struct control *c,
                         control_socket_handler *handler, struct err *e);
/* Answers those who wait for the end of a reload and whose request has a number above `after`, at most
 * `load`. Takes the reference. */
void control_socket_reply_reload(struct control_socket *s, uint32_t after, uint32_t load,
                                 json_t *reply);

/* ---- control.c: the process ------------------------------------------------------------------- */

struct control {
    uv_loop_t *loop;
    struct config_bundle bundle;
    struct control_page *page;
    uv_timer_t tick;
    uv_timer_t due;   /* announce's next deadline */
    uv_check_t check; /* decides, after the loop has read its sockets */
    uv_idle_t soon;   /* keeps the loop from sleeping while a decision is due */
    bool dirty;
    struct control_link link;
    struct control_serve serve;
    struct control_zones zones;
    struct control_drain drain;
    struct control_fleet fleet;
    struct control_address address;
    struct control_routes routes;
    struct control_socket socket;
    struct health *health;
    struct bgp_speaker *bgp;
    struct bgp_seen *seen; /* scratch, CONTROL_SEEN_MAX */
    bool seen_changed;
    bool other_seen[ANNOUNCE_PREFIXES_MAX];
    struct announce announce;
    struct announce_out out;
    mono_t started_at;
    wall_t started_wall;
    bool stopping, drained_said;
    mono_t replaced_at; /* when guard was last asked to replace the serving process */
    mono_t replace_due; /* when it shall be asked again, if a fault is still there; or MONO_NEVER */
    char replace_why[ANNOUNCE_REASON_MAX];
    uint64_t decisions;
};
#define CONTROL_SEEN_MAX 1024

/* Decides now: everything known in, routes out. */
void control_decide(struct control *c);
/* Decide in this turn of the loop. */
void control_wake(struct control *c);

/* ---- report.c: what status and the other views show ------------------------------------------- */

json_t *control_report_status(struct control *c);
json_t *control_report_neighbors(struct control *c);
json_t *control_report_routes(struct control *c);
json_t *control_report_zones(struct control *c);
/* {"ok": false, "error": text} */
json_t *control_report_error(const char *text);

#endif
