/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef BGP_MSG_H
#define BGP_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rd.h"
#include "base/wr.h"
#include "bgp/types.h"

/* BGP messages: bytes to struct and back (RFC 4271 section 4, and the RFCs named below). Pure. */

#define BGP_HEADER_LEN 19
#define BGP_MSG_MAX 4096
#define BGP_MSG_MAX_EXTENDED 65535 /* RFC 8654, not for OPEN and KEEPALIVE */

enum bgp_msg_type {
    BGP_OPEN = 1,
    BGP_UPDATE = 2,
    BGP_NOTIFICATION = 3,
    BGP_KEEPALIVE = 4,
    BGP_ROUTE_REFRESH = 5, /* RFC 2918 */
};

/* NOTIFICATION codes (RFC 4271 section 4.5, 6608, 7313, 9687). */
enum bgp_error_code {
    BGP_ERR_NONE = 0,
    BGP_ERR_HEADER = 1,
    BGP_ERR_OPEN = 2,
    BGP_ERR_UPDATE = 3,
    BGP_ERR_HOLD_EXPIRED = 4,
    BGP_ERR_FSM = 5,
    BGP_ERR_CEASE = 6,
    BGP_ERR_REFRESH = 7,
    BGP_ERR_SEND_HOLD_EXPIRED = 8,
};
enum bgp_err_header { BGP_HEADER_NOT_SYNC = 1, BGP_HEADER_BAD_LEN = 2, BGP_HEADER_BAD_TYPE = 3 };
enum bgp_err_open {
    BGP_OPEN_UNSPECIFIC = 0,
    BGP_OPEN_BAD_VERSION = 1,
    BGP_OPEN_BAD_AS = 2,
    BGP_OPEN_BAD_ID = 3,
    BGP_OPEN_BAD_PARAM = 4,
    BGP_OPEN_BAD_HOLD = 6,
    BGP_OPEN_BAD_CAPABILITY = 7, /* RFC 5492: one that we need is missing */
};
enum bgp_err_update {
    BGP_UPDATE_BAD_ATTR_LIST = 1,
    BGP_UPDATE_UNKNOWN_WELL_KNOWN = 2,
    BGP_UPDATE_MISSING_WELL_KNOWN = 3,
    BGP_UPDATE_BAD_FLAGS = 4,
    BGP_UPDATE_BAD_ATTR_LEN = 5,
    BGP_UPDATE_BAD_ORIGIN = 6,
    BGP_UPDATE_BAD_NEXT_HOP = 8,
    BGP_UPDATE_BAD_OPTIONAL = 9,
    BGP_UPDATE_BAD_NETWORK = 10,
    BGP_UPDATE_BAD_AS_PATH = 11,
};
enum bgp_err_fsm { /* RFC 6608 */
                   BGP_FSM_ERR_UNSPECIFIC = 0,
                   BGP_FSM_ERR_OPEN_SENT = 1,
                   BGP_FSM_ERR_OPEN_CONFIRM = 2,
                   BGP_FSM_ERR_ESTABLISHED = 3,
};
enum bgp_cease { /* RFC 4486, 8538 */
                 BGP_CEASE_MAX_PREFIXES = 1,
                 BGP_CEASE_SHUTDOWN = 2,
                 BGP_CEASE_DECONFIGURED = 3,
                 BGP_CEASE_RESET = 4,
                 BGP_CEASE_REJECTED = 5,
                 BGP_CEASE_CONFIG_CHANGE = 6,
                 BGP_CEASE_COLLISION = 7,
                 BGP_CEASE_RESOURCES = 8,
                 BGP_CEASE_HARD_RESET = 9,
                 BGP_CEASE_BFD_DOWN = 10, /* RFC 9384 */
};

/* What is wrong with a message, as a NOTIFICATION says it. code 0: nothing. `data` is borrowed from
 * the message, or points into `own`. `why` is a literal. */
struct bgp_error {
    uint8_t code, subcode;
    uint16_t data_len;
    uint8_t own[8];
    const uint8_t *data; /* NULL with data_len > 0: in own[] */
    const char *why;
};

/* "Cease", "Cease/Administrative Shutdown"; literals for known codes, else "code 9 subcode 3" in buf. */
const char *bgp_error_text(uint8_t code, uint8_t subcode, char buf[64]) __attribute__((nonnull));

/* ---- framing ---------------------------------------------------------------------------------- */

enum bgp_frame {
    BGP_FRAME_MORE,  /* not all of it is here yet */
    BGP_FRAME_WHOLE, /* *len bytes are one message, its header is right */
    BGP_FRAME_BAD, /* *e says why (RFC 4271 section 6.1); *len bytes, at most what there is, show it */
};

/* Looks at the `have` bytes received so far. `len_max` is BGP_MSG_MAX, or BGP_MSG_MAX_EXTENDED when
 * both sides agreed. A wrong marker, length or type is told as soon as the bytes of it are there. */
enum bgp_frame bgp_msg_frame(const uint8_t *bytes, size_t have, size_t len_max, size_t *len,
                             struct bgp_error *e) __attribute__((nonnull));

/* ---- OPEN ------------------------------------------------------------------------------------- */

struct bgp_open {
    uint8_t version;
    uint16_t as2; /* the field "My Autonomous System" */
    uint32_t as;  /* that of the 4-octet capability, else as2 */
    uint16_t hold_s;
    uint32_t id;        /* BGP Identifier, host order */
    bool as4;           /* RFC 6793 capability present */
    bool multiprotocol; /* any RFC 4760 capability present */
    uint32_t families;  /* BGP_FAMILY_BIT()s of it; without any: IPv4 (RFC 4760 section 8) */
    bool route_refresh, enhanced_refresh, extended_message;
    bool v4_over_v6_next_hop; /* RFC 8950 for AFI 1, SAFI 1, next hop AFI 2 */
    bool graceful_restart;
    uint8_t restart_flags; /* upper four bits of the restart field, RFC 4724, 8538 */
    uint16_t restart_s;
};

/* What the receiver of an OPEN expects (RFC 4271 section 6.2, 6286). */
struct bgp_open_expect {
    uint32_t local_as, remote_as, router_id;
};

/* The body of an OPEN (without header). False: *e is what to answer. */
bool bgp_open_parse(struct rd body, const struct bgp_open_expect *expect, struct bgp_open *out,
                    struct bgp_error *e) __attribute__((nonnull));

/* Whole message with header. Extended optional parameters (RFC 9072) are read, and not needed to
 * write. */
void bgp_open_write(struct wr *w, const struct bgp_open *open) __attribute__((nonnull));

/* ---- NOTIFICATION, KEEPALIVE, ROUTE-REFRESH ------------------------------------------------------ */

#define BGP_SHUTDOWN_TEXT_MAX 255 /* RFC 9003 */

struct bgp_notification {
    uint8_t code, subcode;
    const uint8_t *data; /* borrowed */
    uint16_t data_len;
    bool hard; /* RFC 8538: came wrapped in Cease/Hard Reset; code and subcode are the inner ones */
    char
        text[BGP_SHUTDOWN_TEXT_MAX + 1]; /* Cease 2 or 4: the peer's words, printable; else empty */
};

/* False when not even code and subcode are there. Errors in a NOTIFICATION are not answered. */
bool bgp_notification_parse(struct rd body, struct bgp_notification *out) __attribute__((nonnull));
void bgp_notification_write(struct wr *w, const struct bgp_error *e) __attribute__((nonnull));
/* Cease with a shutdown communication (RFC 9003); text may be NULL, and is cut at a character's end. */
void bgp_cease_write(struct wr *w, uint8_t subcode, const char *text) __attribute__((nonnull(1)));

void bgp_keepalive_write(struct wr *w) __attribute__((nonnull));

enum bgp_refresh_kind {
    BGP_REFRESH_REQUEST = 0, /* RFC 2918 */
    BGP_REFRESH_BEGIN = 1,   /* BoRR, RFC 7313 */
    BGP_REFRESH_END = 2,     /* EoRR */
};
struct bgp_refresh {
    uint16_t afi;
    uint8_t safi, kind;
    bool known; /* family is valid: AFI and SAFI are ours, kind is one of the three */
    uint8_t family;
};
/* False: a length error. e->code is set when RFC 7313 section 5 wants it answered (if that was agreed;
 * the data is the whole message, which the caller has); else the message is passed over. */
bool bgp_refresh_parse(struct rd body, struct bgp_refresh *out, struct bgp_error *e)
    __attribute__((nonnull));
void bgp_refresh_write(struct wr *w, enum bgp_family family, enum bgp_refresh_kind kind)
    __attribute__((nonnull));

/* ---- UPDATE ------------------------------------------------------------------------------------- */

/* How bad it is (RFC 7606 section 2), ordered: the worst of a message counts. */
enum bgp_grade {
    BGP_GRADE_NONE = 0,
    BGP_GRADE_DISCARD,  /* an attribute was passed over, the routes count */
    BGP_GRADE_WITHDRAW, /* treat-as-withdraw: all announced prefixes count as withdrawn */
    BGP_GRADE_RESET,    /* the message cannot be understood: NOTIFICATION *error */
};

struct bgp_update_context {
    bool as4; /* AS_PATH has 4 octets per AS */
    bool ibgp;
    bool v4_over_v6_next_hop; /* RFC 8950 was agreed */
    uint32_t families;        /* agreed; NLRI of others is passed over */
    uint32_t local_as;        /* looked for in AS_PATH: path.own */
};

/* An AS path as far as it interests us. */
#define BGP_PATH_MAX 32
struct bgp_path {
    uint16_t len;           /* RFC 4271 section 9.1.2.2: a set counts as one */
    uint16_t count;         /* of as[]; the path's first ones when it is longer (`cut`) */
    bool cut, has_set;      /* has_set: there is an AS_SET, no single origin */
    bool own;               /* our AS is in it, also behind a cut */
    uint32_t first, origin; /* neighbor AS and origin AS; 0: empty path, or the place is a set */
    uint32_t as[BGP_PATH_MAX];
};

struct bgp_update_attrs {
    bool has_origin, has_path, has_next_hop, has_med, has_local_pref, atomic_aggregate;
    bool has_only_to_customer; /* RFC 9234 */
    uint8_t origin;
    uint32_t med, local_pref, only_to_customer;
    uint8_t next_hop[4];
    struct bgp_path path; /* merged with AS4_PATH (RFC 6793 section 4.2.3) */
    /* All borrowed from the message, in network order, lengths checked: */
    const uint8_t *communities, *large; /* 4 and 12 bytes each */
    uint16_t community_count, large_count;
};

/* One parsed UPDATE. All readers borrow the message's bytes; the prefixes in them have been checked,
 * walk them with bgp_nlri_next(). */
struct bgp_update {
    enum bgp_grade grade;
    struct bgp_error error;          /* of the worst grade; code 0 when none */
    struct rd withdrawn, nlri;       /* IPv4 */
    struct rd mp_withdrawn, mp_nlri; /* of mp_*_family, empty when absent or of no family of ours */
    uint8_t mp_withdrawn_family, mp_nlri_family;
    bool has_mp_reach, has_mp_unreach;
    uint8_t mp_next_hop_len;
    uint8_t mp_next_hop[32]; /* as sent; global, then link-local if 32 */
    bool end_of_rib;         /* RFC 4724 section 2, of end_of_rib_family */
    uint8_t end_of_rib_family;
    uint32_t prefix_count; /* in all four readers */
    struct bgp_update_attrs attrs;
};

/* The body of an UPDATE. Returns out->grade. Prefixes with a wrong length reset the session where RFC
 * 7606 section 5.3 says so. */
enum bgp_grade bgp_update_parse(struct rd body, const struct bgp_update_context *ctx,
                                struct bgp_update *out) __attribute__((nonnull));

/* The next prefix of a checked reader; false at its end. */
bool bgp_nlri_next(struct rd *r, enum bgp_family family, struct bgp_prefix *p)
    __attribute__((nonnull));

/* ---- writing UPDATEs ------------------------------------------------------------------------------ */

/* How to speak to one neighbor. */
struct bgp_out_context {
    bool as4, ibgp, v4_over_v6_next_hop;
    uint32_t local_as;
    uint32_t families; /* agreed */
    bool has_next_hop[BGP_FAMILIES];
    struct bgp_addr next_hop[BGP_FAMILIES]; /* for prefixes of the family */
    bool has_link_local;                    /* RFC 2545 section 3: the peer is on a common link */
    uint8_t link_local[16];
    size_t len_max; /* BGP_MSG_MAX */
};

/* Whether prefixes of the family can be sent at all: agreed, and with a next hop that may be used. */
bool bgp_out_can(const struct bgp_out_context *ctx, enum bgp_family family)
    __attribute__((nonnull));

/* An UPDATE in the making: as many prefixes of one family as fit, all announced with the same
 * attributes or all withdrawn. Between begin and end, add() returns false when one more does not
 * fit. RFC 7606 section 5.1: one kind of prefix list per message, MP_REACH first. */
struct bgp_update_writer {
    struct wr *w;
    uint8_t *msg, *list, *attrs_len, *mp_len; /* positions to be filled in by end() */
    uint8_t family;
    bool withdraw, mp;
    size_t len_max;
    uint32_t count;
};
void bgp_update_begin_withdraw(struct bgp_update_writer *u, struct wr *w,
                               const struct bgp_out_context *ctx, enum bgp_family family)
    __attribute__((nonnull));
void bgp_update_begin(struct bgp_update_writer *u, struct wr *w, const struct bgp_out_context *ctx,
                      enum bgp_family family, const struct bgp_attrs *attrs)
    __attribute__((nonnull));
bool bgp_update_add(struct bgp_update_writer *u, const struct bgp_prefix *p)
    __attribute__((nonnull));
/* Fills in the lengths. A message without a prefix is taken back. */
void bgp_update_end(struct bgp_update_writer *u) __attribute__((nonnull));

void bgp_end_of_rib_write(struct wr *w, enum bgp_family family) __attribute__((nonnull));

#endif
