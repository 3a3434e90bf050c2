/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef FLEET_FLEET_H
#define FLEET_FLEET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/mem.h"
#include "base/prefix.h"
#include "base/time.h"

/* What the nodes of a fleet tell each other: one small UDP datagram every `send_ms` from each node to
 * every other, at their own addresses: which prefixes it announces, in what state, under what load.
 * So a node knows that another site announces, and the last site never steps back for load alone.
 *
 * Pure: bytes and times in, bytes and facts out. The edge has the socket, the clocks, and computes
 * the tag (fleet/auth.h): HMAC-SHA256 by the fleet's secret over the datagram without its tag.
 *
 * Stepping back for load is agreed, not guessed: a node that would (its *wish*) says so with a number
 * of that wish; a node that announces and has no wish of its own *grants* it by naming node and
 * number in its datagrams. Only a node that holds a fresh grant of an announcing node may withdraw
 * for load, and it comes back as soon as no such grant is fresh any more. A node that has granted
 * makes no soft withdrawal of its own until those whom it granted must have noticed that it no longer
 * does (fleet_grant_hold_ms). So two overloaded sites never leave together, whatever datagrams are
 * lost, as long as one is not older than the hold on arrival. Numbers of wishes start at random:
 * an old datagram grants nothing. */

#define FLEET_NODES_MAX 64
#define FLEET_NODE_ADDRESSES_MAX 8
#define FLEET_PREFIXES_MAX 64
#define FLEET_GRANTS_MAX 64 /* in one datagram, all prefixes together; the rest waits */
#define FLEET_NAME_MAX 63
#define FLEET_TAG_LEN 32        /* bytes at the end of each datagram */
#define FLEET_DATAGRAM_MAX 4096 /* any datagram, its tag included */

#define FLEET_SEND_MS 200
#define FLEET_EXPIRE_MS 1000
#define FLEET_CLOCK_MS 60000

/* What a node says of one prefix. */
enum fleet_state {
    FLEET_OUT = 0,   /* not announced */
    FLEET_ANNOUNCED, /* announced, and will stay */
    FLEET_WISHING,   /* announced, over capacity, would step back */
    FLEET_SHED,      /* stepped back for load: not announced, could be */
    FLEET_DRAINING,  /* announced, about to withdraw */
};
#define FLEET_STATE_COUNT (FLEET_DRAINING + 1)
const char *fleet_state_name(enum fleet_state s); /* "out", "announced", … */

struct fleet_prefix {
    struct prefix prefix;
    enum fleet_state state;
    uint32_t wish; /* number of the wish while WISHING or SHED; else 0 */
};

struct fleet_grant {
    uint64_t node;  /* fleet_node_id() */
    uint32_t wish;  /* its number */
    uint8_t prefix; /* index into the datagram's prefixes */
};

/* A datagram, read. */
struct fleet_message {
    uint64_t node;   /* the sender's fleet_node_id() */
    uint64_t boot;   /* grows with every start of the sender: wall clock, ms, at its start */
    uint64_t seq;    /* grows with every datagram of one boot, from 1 */
    int64_t sent_ms; /* wall clock of the sender, ms since 1970 */
    uint64_t load_qps, capacity_qps; /* capacity 0: no limit */
    bool draining;                   /* the whole node is, or is drained */
    uint32_t prefix_count, grant_count;
    struct fleet_prefix prefixes[FLEET_PREFIXES_MAX];
    struct fleet_grant grants[FLEET_GRANTS_MAX];
};

/* ---- codec ---- */

/* Writes the datagram without its tag; returns the length, 0 when `cap` is too small
 * (FLEET_DATAGRAM_MAX - FLEET_TAG_LEN is always enough). */
size_t fleet_message_write(const struct fleet_message *m, uint8_t *out, size_t cap);

/* Reads a datagram without its tag. False when it is not one, of another version, has a count out
 * of bounds, or bytes left over. */
bool fleet_message_parse(struct fleet_message *m, const uint8_t *body, size_t len) BASE_MUST_USE;

/* Where body and tag part: true when `len` leaves room for both; *body_len is set. */
bool fleet_split(const uint8_t *datagram, size_t len, size_t *body_len,
                 const uint8_t **tag) BASE_MUST_USE;
/* In a time that does not depend on where they differ. */
bool fleet_tag_equal(const uint8_t a[FLEET_TAG_LEN], const uint8_t b[FLEET_TAG_LEN]);

/* FNV-1a (64 bits) of the name: the same fleet file gives the same ids everywhere. */
uint64_t fleet_node_id(const char *name);

/* ---- state ---- */

struct fleet_node_config {
    char name[FLEET_NAME_MAX + 1];
    uint32_t address_count;
    union addr addresses[FLEET_NODE_ADDRESSES_MAX]; /* the port does not matter */
};

struct fleet_config {
    uint32_t self;       /* index of this node in `nodes` */
    uint32_t node_count; /* itself included */
    struct fleet_node_config nodes[FLEET_NODES_MAX];
    uint32_t send_ms, expire_ms; /* 0: the defaults above */
    uint32_t clock_ms; /* how far the sender's wall clock may be from ours; 0: FLEET_CLOCK_MS */
    bool secret;       /* there is one: only datagrams with a right tag count. Without, those count
                            whose source is an address of the node that they speak for */
};

/* One other node, as last heard. */
struct fleet_peer {
    uint64_t id;
    bool heard; /* ever */
    mono_t heard_at;
    int64_t
        clock_ms; /* its clock before (+) or behind (-) ours when last heard, transit included */
    struct fleet_message last;
};

/* What became of a datagram. Each has a counter. */
enum fleet_grade {
    FLEET_TAKEN,
    FLEET_BAD_FORM,   /* no datagram of ours */
    FLEET_BAD_TAG,    /* the tag is wrong */
    FLEET_BAD_SOURCE, /* no secret, and not from an address of the node it speaks for */
    FLEET_UNKNOWN,    /* of a node that is not in the fleet file */
    FLEET_SELF,       /* of this node */
    FLEET_OLD,   /* heard already, or older than what was: a copy by another address, or a replay */
    FLEET_CLOCK, /* its wall clock is too far from ours: a replay, or a clock to be set */
};
#define FLEET_GRADE_COUNT (FLEET_CLOCK + 1)
const char *fleet_grade_name(enum fleet_grade g); /* "taken", "form", … */

/* What this node says of itself; from announce_out each time. */
struct fleet_self {
    uint64_t load_qps, capacity_qps;
    bool draining;
    uint32_t prefix_count;
    struct {
        struct prefix prefix;
        bool out;      /* routes of it are out */
        bool wish;     /* would step back, or has (announce_status.wish, or state SHED) */
        bool draining; /* state DRAINING */
    } prefixes[FLEET_PREFIXES_MAX];
};

struct fleet {
    struct fleet_config config;
    uint64_t boot, seq;
    uint32_t wish_next;
    struct {
        struct prefix prefix;
        uint32_t wish; /* 0: none */
    } wishes[FLEET_PREFIXES_MAX];
    uint32_t wish_count;
    mono_t granted_at;
    mono_t sent_at;
    struct fleet_peer peers[FLEET_NODES_MAX]; /* in the order of the configuration */
    uint64_t grades[FLEET_GRADE_COUNT];
};

/* `boot` must be greater at every start (wall clock in ms); `random` starts the numbers of wishes. */
void fleet_init(struct fleet *f, const struct fleet_config *c, uint64_t boot, uint32_t random);
/* A new configuration: nodes that stay keep what was heard of them, by name. */
void fleet_configure(struct fleet *f, const struct fleet_config *c);

/* Writes the next datagram (without tag) and remembers what it granted. Send it to an address of
 * every other node, at least every send_ms and at once when a state of a prefix changed. */
size_t fleet_write(struct fleet *f, const struct fleet_self *self, mono_t now, wall_t wall,
                   uint8_t *out, size_t cap);

/* A datagram's body came. `tag_right`: the tag was there and right (unused without a secret). When the
 * result is FLEET_TAKEN, decide anew (announce_step) in this turn of the loop. */
enum fleet_grade fleet_receive(struct fleet *f, const uint8_t *body, size_t len,
                               const union addr *from, bool tag_right, mono_t now, wall_t wall);

/* What others say of `prefix`: the first three of struct announce_others. */
struct fleet_others {
    uint32_t heard;      /* nodes heard within the expiry */
    uint32_t announcing; /* of these, who has it out (ANNOUNCED, WISHING, DRAINING) */
    bool permit;         /* one of them is ANNOUNCED and grants our present wish */
    uint64_t permit_by;  /* its id; 0: none */
};
void fleet_others(const struct fleet *f, const struct prefix *prefix, mono_t now,
                  struct fleet_others *out);

/* When this node last granted a wish; MONO_ZERO: never. And how long after that a soft withdrawal of
 * its own has to wait. */
mono_t fleet_granted_at(const struct fleet *f);
uint32_t fleet_grant_hold_ms(const struct fleet *f);

/* When to write again, or when what was heard of a node expires: whichever comes first. */
mono_t fleet_next(const struct fleet *f, mono_t now);

/* Whether peers[idx] was heard within the expiry. */
bool fleet_is_fresh(const struct fleet *f, uint32_t idx, mono_t now);

#endif
