/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef BGP_RIB_H
#define BGP_RIB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/time.h"
#include "bgp/bgp_counters.h"
#include "bgp/msg.h"
#include "bgp/types.h"

/* The two tables of a neighbor. Pure; the caller brings the memory of the rows.
 *
 * Adj-RIB-Out: what the neighbor should hear from us, and what it has been told. The caller says the
 * whole set; bgp_rib_out_write() turns the difference into UPDATEs, withdrawals first. A row whose
 * message was handed over counts as told: TCP delivers it, or the session ends and all is forgotten.
 *
 * Adj-RIB-In: of what the neighbor sends only what concerns our own prefixes, bounded. */

#define BGP_REASON_MAX 256

struct bgp_rib_out_row {
    struct bgp_prefix prefix;
    bool wanted, told;
    bool again; /* told, and to be told again (route refresh) */
    struct bgp_attrs want, said;
    mono_t since;                /* of `told`: when it became true or false */
    char reason[BGP_REASON_MAX]; /* of the last change of `want` */
};

struct bgp_rib_out {
    struct bgp_rib_out_row *rows; /* the caller's; sorted by prefix */
    uint32_t count, cap;
    uint32_t families; /* BGP_FAMILY_BIT()s that can be sent in this session; 0: it is down */
    uint32_t told;     /* rows that the neighbor holds */
    bool dirty;        /* write() may have something to do */
    uint8_t eor_due;   /* BGP_FAMILY_BIT()s whose End-of-RIB follows once nothing is due */
    uint8_t borr_due, eorr_due; /* the same for the marks of RFC 7313 around a refresh */
};

struct bgp_rib_want {
    struct bgp_prefix prefix;
    const struct bgp_attrs *attrs; /* borrowed for the call */
    const char *reason;            /* NULL: none */
};

/* Why prefixes go. */
struct bgp_why {
    struct bgp_prefix prefix;
    const char *reason;
};
struct bgp_gone {
    const struct bgp_why *rows; /* in any order; may name prefixes that do not go */
    uint32_t count;
    const char *text; /* of those that no row names; NULL: none */
};

/* `rows` has room for `cap` and stays with the caller, who may move it to a larger place between calls
 * (rows, cap). */
void bgp_rib_out_init(struct bgp_rib_out *rib, struct bgp_rib_out_row *rows, uint32_t cap);

/* The whole set, sorted by bgp_prefix_cmp without duplicates. A row that is neither wanted nor told
 * goes. False, and nothing changed, when the rows needed (wanted, or still to be withdrawn) exceed
 * cap: cap of twice the largest set always suffices. `gone` (may be NULL) is borrowed for the call. */
bool bgp_rib_out_set(struct bgp_rib_out *rib, const struct bgp_rib_want *set, uint32_t count,
                     const struct bgp_gone *gone, mono_t now);

/* How many rows the neighbor has still to be told about. */
uint32_t bgp_rib_out_due(const struct bgp_rib_out *rib);

/* The session came up: nothing told yet. `families`: those that can be sent (bgp_out_can); an
 * End-of-RIB follows for each of them, and for those in `eor_only` (RFC 4724). */
void bgp_rib_out_up(struct bgp_rib_out *rib, uint32_t families, uint32_t eor_only);
/* The session went down: nothing counts as told. */
void bgp_rib_out_down(struct bgp_rib_out *rib, mono_t now);
/* The neighbor asked for the family again. `marks`: with BoRR and EoRR (RFC 7313). */
void bgp_rib_out_refresh(struct bgp_rib_out *rib, enum bgp_family family, bool marks);

enum bgp_rib_change { BGP_RIB_ANNOUNCED = 1, BGP_RIB_CHANGED, BGP_RIB_WITHDRAWN };

/* Called by bgp_rib_out_write for each row that it put into a message (not for repetitions). */
typedef void bgp_rib_out_told(void *arg, const struct bgp_rib_out_row *row,
                              enum bgp_rib_change change);

/* Writes whole messages to *w as they fit: all withdrawals, then (unless `withdrawals_only`) what is
 * to be announced, grouped by equal attributes, then the marks that are due. Returns true when
 * nothing more is due, false when *w had no room for the rest: call again. Leaves w->full false.
 * `told` may be NULL. */
bool bgp_rib_out_write(struct bgp_rib_out *rib, struct wr *w, const struct bgp_out_context *ctx,
                       bool withdrawals_only, mono_t now, bgp_rib_out_told *told, void *arg);

/* ---- Adj-RIB-In ----------------------------------------------------------------------------------- */

enum bgp_relation {
    BGP_RELATION_NONE = 0,
    BGP_RELATION_EQUAL,  /* the watched prefix itself: another site, or somebody else */
    BGP_RELATION_COVERS, /* a less specific one: the covering route, a default route */
    BGP_RELATION_INSIDE, /* more specific than the watched prefix */
};

#define BGP_SEEN_COMMUNITIES_MAX 16

/* One route that a neighbor announces and that concerns us. */
struct bgp_seen {
    struct bgp_prefix prefix;
    uint32_t neighbor;          /* index */
    enum bgp_relation relation; /* to the closest watched prefix */
    struct bgp_path path;
    bool own_as;          /* our AS is in the path: another site of ours, or a loop */
    uint8_t next_hop_len; /* 4, 16 or 32 */
    uint8_t next_hop[32];
    bool has_med, has_local_pref, has_only_to_customer;
    uint32_t med, local_pref, only_to_customer;
    uint16_t community_count; /* as sent; the first BGP_SEEN_COMMUNITIES_MAX are kept */
    uint16_t large_count;
    uint32_t communities[BGP_SEEN_COMMUNITIES_MAX];
    struct bgp_large large[BGP_SEEN_COMMUNITIES_MAX];
    mono_t since;
    bool stale; /* the neighbor is sending all again (BoRR) and has not sent this one yet */
};

#define BGP_SEEN_MAX 256 /* of one neighbor */

struct bgp_rib_in {
    struct bgp_seen *rows; /* the caller's */
    uint32_t count, cap;
    const struct bgp_prefix *watch; /* borrowed; sorted by bgp_prefix_cmp */
    uint32_t watch_count;
    uint32_t local_as, neighbor;
    uint64_t dropped_full;
};

void bgp_rib_in_init(struct bgp_rib_in *rib, struct bgp_seen *rows, uint32_t cap, uint32_t local_as,
                     uint32_t neighbor);

/* How the prefix concerns the watched ones; equal before inside before covers. */
enum bgp_relation bgp_rib_in_relation(const struct bgp_rib_in *rib, const struct bgp_prefix *p);

/* Called for each route that comes (old NULL), goes (now NULL) or changes its path or communities. */
typedef void bgp_rib_in_changed(void *arg, const struct bgp_seen *old, const struct bgp_seen *now);

/* Applies a parsed UPDATE whose grade is below RESET. `changed` may be NULL. */
void bgp_rib_in_apply(struct bgp_rib_in *rib, const struct bgp_update *u, mono_t now,
                      bgp_rib_in_changed *changed, void *arg);

/* RFC 7313 section 4: between BoRR and EoRR all routes of the family come again; the others go. */
void bgp_rib_in_refresh_begin(struct bgp_rib_in *rib, enum bgp_family family);
void bgp_rib_in_refresh_end(struct bgp_rib_in *rib, enum bgp_family family,
                            bgp_rib_in_changed *changed, void *arg);

/* Session down: everything goes. */
void bgp_rib_in_clear(struct bgp_rib_in *rib, bgp_rib_in_changed *changed, void *arg);

/* Another watch list: rows that concern it no more go. */
void bgp_rib_in_watch(struct bgp_rib_in *rib, const struct bgp_prefix *watch, uint32_t count,
                      bgp_rib_in_changed *changed, void *arg);

/* ---- how many prefixes a neighbor announces ------------------------------------------------------- */

struct bgp_rib_count {
    uint64_t *slots; /* the caller's */
    uint32_t mask, count, max;
    uint64_t seed;
};

/* `slot_count`: a power of two, at least twice `max`. max 0: nothing is counted, no slots needed. */
void bgp_rib_count_init(struct bgp_rib_count *c, uint64_t *slots, uint32_t slot_count, uint32_t max,
                        uint64_t seed);

/* False: there are more than `max` now. */
bool bgp_rib_count_apply(struct bgp_rib_count *c, const struct bgp_update *u);

#endif
