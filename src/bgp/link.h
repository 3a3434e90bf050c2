/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef BGP_LINK_H
#define BGP_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/time.h"
#include "base/wr.h"
#include "bgp/fsm.h"

/* One TCP connection with a neighbor: bytes in, bytes out. A link belongs to its session until
 * bgp_link_let_go(), then to nobody: it says what it still has to say, waits for the neighbor to
 * close, and goes by itself, after BGP_LINK_LINGER_MS at the latest. Sends are tried in the call
 * itself (no turn of the loop in between); what TCP does not take waits in the buffer. */

#define BGP_LINK_LINGER_MS 1000
#define BGP_LINK_TX_CAP 65536
#define BGP_LINK_RX_CAP (BGP_MSG_MAX_EXTENDED + 1)
#define BGP_LINK_READ_BUDGET (256 * 1024) /* bytes per turn of the loop */

struct bgp_link;

/* What a link tells its session. Called from the loop only. */
struct bgp_link_owner {
    void *arg;
    void (*connected)(void *arg, struct bgp_link *l); /* an attempt became a connection */
    /* One whole message, or the bytes that cannot be one. The link may be let go within. */
    void (*message)(void *arg, struct bgp_link *l, const uint8_t *bytes, size_t len);
    void (*down)(void *arg, struct bgp_link *l, const char *cause);
    void (*room)(void *arg, struct bgp_link *l); /* TCP took bytes of the buffer */
};

/* Counts links that still use the loop: bgp_link_new adds one, the last callback takes it away and
 * calls `empty`. */
struct bgp_link_count {
    uint32_t links;
    void (*empty)(void *arg);
    void *arg;
};

/* Takes the descriptor (non-blocking). `connecting`: a connect() is under way. */
struct bgp_link *bgp_link_new(uv_loop_t *loop, int fd, bool connecting, enum bgp_conn_side side,
                              const struct bgp_link_owner *owner, struct bgp_link_count *count);

enum bgp_conn_side bgp_link_side(const struct bgp_link *l);
int bgp_link_fd(const struct bgp_link *l); /* borrowed */

/* Room at the end of the buffer, for a writer; then how much of it was used. */
struct wr bgp_link_room(struct bgp_link *l);
void bgp_link_wrote(struct bgp_link *l, size_t len);
/* False: no room. */
bool bgp_link_write(struct bgp_link *l, const uint8_t *bytes, size_t len);

enum bgp_flush {
    BGP_FLUSH_DONE,    /* the buffer is empty */
    BGP_FLUSH_BLOCKED, /* TCP is full; `room` follows */
    BGP_FLUSH_BROKEN,  /* errno says why; the session has to let it go */
};
/* *sent: bytes that TCP took. */
enum bgp_flush bgp_link_flush(struct bgp_link *l, size_t *sent);

/* What has come is read now (before a hold timer is believed). May call `message` and `down`. */
void bgp_link_read(struct bgp_link *l);

/* The longest message that may come; set once OPEN has been exchanged. */
void bgp_link_len_max(struct bgp_link *l, size_t len_max);

/* The session is done with it. Speaks no more to the owner. */
void bgp_link_let_go(struct bgp_link *l);
/* The same without waiting for anybody. */
void bgp_link_abort(struct bgp_link *l);

#endif
