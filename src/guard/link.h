/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef GUARD_LINK_H
#define GUARD_LINK_H

#include <stdatomic.h>
#include <stdint.h>

/* What guard and control say to each other: fixed-size messages over a SOCK_SEQPACKET pair, some
 * with one descriptor (SCM_RIGHTS). Control is started as
 *     perigee-control --role control NODE
 * (role function `int control_main(int argc, char **argv)`, argv[1] is NODE), with SIGINT, SIGTERM,
 * SIGHUP and SIGPIPE ignored (guard says on the link when to stop), and these descriptors open.
 * When the link is closed, guard is gone or wants control to end: it exits at once.
 * A control that is started anew is told the whole state again, as at the start. */
#define GUARD_CONTROL_FD_LINK 3   /* this link */
#define GUARD_CONTROL_FD_CONFIG 4 /* the fleet file's bytes as guard checked them (memfd, sealed) */
#define GUARD_CONTROL_FD_PAGE 5   /* struct control_page, control writes, guard reads (memfd) */
#define GUARD_CONTROL_FD_UNIX 6   /* the listening control socket (unix, SOCK_STREAM) */

/* Control advances this from its own loop at least every CONTROL_TICK_MS. */
#define CONTROL_TICK_MS 20
struct control_page {
    _Atomic uint64_t progress;
};

/* guard to control */
enum guard_event_kind {
    GUARD_EV_BGP_LISTENER =
        1,                 /* fd: a listening TCP socket on port 179 (or as configured) of `arg` */
    GUARD_EV_FLEET_SOCKET, /* fd: the UDP socket bound to the node's own address */
    GUARD_EV_SERVE_ACTIVE, /* fd: the serve_page of the process that answers from here on; pid */
    GUARD_EV_SERVE_DOWN,   /* the active one is gone: pid, why, repaired, crashes */
    GUARD_EV_STANDBY,      /* pid of a standby that is proven and waits; 0: there is none now */
    GUARD_EV_STANDBY_FAILED, /* a standby failed its proof: text */
    GUARD_EV_ZONES,          /* fd: the image of version `arg`, loaded and given to serve */
    GUARD_EV_ZONES_FAILED,   /* a reload was refused, the old version stays: text */
    GUARD_EV_ADDRESS,        /* a service address came (arg = 1) or went (arg = 0): text */
    GUARD_EV_STOP,           /* SIGTERM: drain, then send GUARD_REQ_DRAINED */
    GUARD_EV_RELOAD,         /* SIGHUP */
};

enum guard_down_why {
    GUARD_DOWN_EXIT = 1, /* it exited: arg is the status */
    GUARD_DOWN_SIGNAL,   /* a signal ended it: arg is the number */
    GUARD_DOWN_HANG,     /* a worker made no progress, so guard killed it: arg is the worker */
    GUARD_DOWN_ASKED,    /* control asked for it (GUARD_REQ_REPLACE_SERVE) */
};

struct guard_event {
    uint32_t kind; /* enum guard_event_kind */
    uint32_t why;  /* enum guard_down_why */
    int32_t pid;
    uint32_t repaired; /* 1: a proven standby already reads the same sockets */
    uint32_t crashes;  /* unplanned ends of the active process within the last ten seconds */
    uint32_t arg;
    uint32_t
        load; /* GUARD_EV_ZONES[_FAILED]: every request up to this number was there when the load
                    * started; 0: no request of this control was */
    int64_t at_ns; /* mono_t of the event as guard saw it */
    char text[200];
};

/* control to guard */
enum guard_request_kind {
    GUARD_REQ_RELOAD_ZONES =
        1, /* load all zone files again; arg: number of the request, from 1. Answered by the
            * GUARD_EV_ZONES[_FAILED] whose `load` is not below it */
    GUARD_REQ_REPLACE_SERVE, /* it answers wrongly: kill it, let the standby take over; text: why */
    GUARD_REQ_DRAINED,       /* withdrawn, and no query comes any more: guard may end all */
};

struct guard_request {
    uint32_t kind; /* enum guard_request_kind */
    uint32_t arg;
    char text[200];
};

#endif
