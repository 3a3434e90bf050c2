/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Framing, OPEN, NOTIFICATION, KEEPALIVE and ROUTE-REFRESH. UPDATE has files of its own: update.c
 * reads it, update_write.c writes it. */
#include "bgp/msg.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"

static const uint8_t marker[16] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

static void error_set(struct bgp_error *e, uint8_t code, uint8_t subcode, const char *why)
{
    *e = (struct bgp_error){ .code = code, .subcode = subcode, .why = why };
}

static void error_own_u16(struct bgp_error *e, uint16_t v)
{
    wr_put_u16(e->own, v);
    e->data_len = 2;
}

const char *bgp_error_text(uint8_t code, uint8_t subcode, char buf[64])
{
    static const struct {
        uint8_t code, subcode;
        const char *text;
    } rows[] = {
        { 1, 0, "Message Header Error" },
        { 1, 1, "Message Header Error/Connection Not Synchronized" },
        { 1, 2, "Message Header Error/Bad Message Length" },
        { 1, 3, "Message Header Error/Bad Message Type" },
        { 2, 0, "OPEN Message Error" },
        { 2, 1, "OPEN Message Error/Unsupported Version Number" },
        { 2, 2, "OPEN Message Error/Bad Peer AS" },
        { 2, 3, "OPEN Message Error/Bad BGP Identifier" },
        { 2, 4, "OPEN Message Error/Unsupported Optional Parameter" },
        { 2, 6, "OPEN Message Error/Unacceptable Hold Time" },
        { 2, 7, "OPEN Message Error/Unsupported Capability" },
        { 2, 11, "OPEN Message Error/Role Mismatch" },
        { 3, 0, "UPDATE Message Error" },
        { 3, 1, "UPDATE Message Error/Malformed Attribute List" },
        { 3, 2, "UPDATE Message Error/Unrecognized Well-known Attribute" },
        { 3, 3, "UPDATE Message Error/Missing Well-known Attribute" },
        { 3, 4, "UPDATE Message Error/Attribute Flags Error" },
        { 3, 5, "UPDATE Message Error/Attribute Length Error" },
        { 3, 6, "UPDATE Message Error/Invalid ORIGIN Attribute" },
        { 3, 8, "UPDATE Message Error/Invalid NEXT_HOP Attribute" },
        { 3, 9, "UPDATE Message Error/Optional Attribute Error" },
        { 3, 10, "UPDATE Message Error/Invalid Network Field" },
        { 3, 11, "UPDATE Message Error/Malformed AS_PATH" },
        { 4, 0, "Hold Timer Expired" },
        { 5, 0, "Finite State Machine Error" },
        { 5, 1, "Finite State Machine Error/Unexpected Message in OpenSent" },
        { 5, 2, "Finite State Machine Error/Unexpected Message in OpenConfirm" },
        { 5, 3, "Finite State Machine Error/Unexpected Message in Established" },
        { 6, 0, "Cease" },
        { 6, 1, "Cease/Maximum Number of Prefixes Reached" },
        { 6, 2, "Cease/Administrative Shutdown" },
        { 6, 3, "Cease/Peer De-configured" },
        { 6, 4, "Cease/Administrative Reset" },
        { 6, 5, "Cease/Connection Rejected" },
        { 6, 6, "Cease/Other Configuration Change" },
        { 6, 7, "Cease/Connection Collision Resolution" },
        { 6, 8, "Cease/Out of Resources" },
        { 6, 9, "Cease/Hard Reset" },
        { 6, 10, "Cease/BFD Down" },
        { 7, 1, "ROUTE-REFRESH Message Error/Invalid Message Length" },
        { 8, 0, "Send Hold Timer Expired" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].code == code && rows[i].subcode == subcode)
            return rows[i].text;
    }
    snprintf(buf, 64, "code %u subcode %u", code, subcode);
    return buf;
}

/* ---- framing ---------------------------------------------------------------------------------- */

static size_t len_min(uint8_t type)
{
    switch (type) {
    case BGP_OPEN:
        return 29;
    case BGP_UPDATE:
        return 23;
    case BGP_NOTIFICATION:
        return 21;
    case BGP_KEEPALIVE:
        return BGP_HEADER_LEN;
    case BGP_ROUTE_REFRESH:
        return BGP_HEADER_LEN; /* RFC 7313 section 5 has an error of its own for its length */
    }
    return 0;
}

enum bgp_frame bgp_msg_frame(const uint8_t *bytes, size_t have, size_t max, size_t *len,
                             struct bgp_error *e)
{
    size_t marker_have = have < sizeof marker ? have : sizeof marker;
    *len = have < BGP_HEADER_LEN ? have : BGP_HEADER_LEN;
    if (memcmp(bytes, marker, marker_have) != 0) {
        error_set(e, BGP_ERR_HEADER, BGP_HEADER_NOT_SYNC, "the marker is not all ones");
        return BGP_FRAME_BAD;
    }
    if (have < BGP_HEADER_LEN)
        return BGP_FRAME_MORE;
    struct rd r = rd_init(bytes + sizeof marker, 3);
    uint16_t claimed = rd_u16(&r);
    uint8_t type = rd_u8(&r);
    /* RFC 4271 section 6.1 asks for length before type; an unknown type has only the general bounds.
     * RFC 8654 section 4: OPEN and KEEPALIVE keep the old bound. */
    size_t type_max = type == BGP_OPEN || type == BGP_KEEPALIVE ? BGP_MSG_MAX : max;
    if (claimed < BGP_HEADER_LEN || claimed > type_max || claimed < len_min(type) ||
        (type == BGP_KEEPALIVE && claimed != BGP_HEADER_LEN)) {
        error_set(e, BGP_ERR_HEADER, BGP_HEADER_BAD_LEN, "the message's length cannot be");
        error_own_u16(e, claimed);
        return BGP_FRAME_BAD;
    }
    if (len_min(type) == 0) {
        error_set(e, BGP_ERR_HEADER, BGP_HEADER_BAD_TYPE, "unknown message type");
        e->own[0] = type;
        e->data_len = 1;
        return BGP_FRAME_BAD;
    }
    if (have < claimed)
        return BGP_FRAME_MORE;
    *len = claimed;
    return BGP_FRAME_WHOLE;
}

/* Header with the length left open; header_end fills it in. */
static uint8_t *header_begin(struct wr *w, uint8_t type)
{
    uint8_t *at = w->pos;
    wr_bytes(w, marker, sizeof marker);
    wr_u16(w, 0);
    wr_u8(w, type);
    return at;
}

static void header_end(struct wr *w, uint8_t *at)
{
    if (!w->full)
        wr_put_u16(at + sizeof marker, (uint16_t)(w->pos - at));
}

/* ---- OPEN ------------------------------------------------------------------------------------- */

enum {
    PARAM_CAPABILITIES = 2, /* RFC 5492 */
    PARAM_EXTENDED = 255,   /* RFC 9072 */
    CAP_MULTIPROTOCOL = 1,
    CAP_ROUTE_REFRESH = 2,
    CAP_EXTENDED_NEXT_HOP = 5,
    CAP_EXTENDED_MESSAGE = 6,
    CAP_GRACEFUL_RESTART = 64,
    CAP_AS4 = 65,
    CAP_ENHANCED_REFRESH = 70,
};

static bool family_of(uint16_t afi, uint8_t safi, uint8_t *family)
{
    if (safi != 1 || afi < 1 || afi > 2)
        return false;
    *family = afi == 1 ? BGP_IPV4 : BGP_IPV6;
    return true;
}

static void next_hop_capability(struct rd *value, struct bgp_open *out)
{
    while (rd_left(value) > 0) {
        uint16_t afi = rd_u16(value), safi = rd_u16(value), next_hop_afi = rd_u16(value);
        if (!value->bad && afi == 1 && safi == 1 && next_hop_afi == 2)
            out->v4_over_v6_next_hop = true;
        if (value->bad)
            return;
    }
}

/* One capability. Unknown ones are passed over (RFC 5492 section 3); known ones of a wrong length too
 * (section 5: "no error when a capability is not understood"), but the 4-octet AS number is needed as
 * it was meant, so that one refuses the OPEN. */
static bool capability(uint8_t code, struct rd value, struct bgp_open *out)
{
    switch (code) {
    case CAP_MULTIPROTOCOL: {
        uint16_t afi = rd_u16(&value);
        rd_u8(&value); /* reserved */
        uint8_t safi = rd_u8(&value), family;
        if (value.bad || rd_left(&value) != 0)
            return true;
        out->multiprotocol = true;
        if (family_of(afi, safi, &family))
            out->families |= BGP_FAMILY_BIT(family);
        return true;
    }
    case CAP_ROUTE_REFRESH:
        out->route_refresh = true;
        return true;
    case CAP_ENHANCED_REFRESH:
        out->enhanced_refresh = true;
        return true;
    case CAP_EXTENDED_MESSAGE:
        out->extended_message = true;
        return true;
    case CAP_EXTENDED_NEXT_HOP:
        next_hop_capability(&value, out);
        return true;
    case CAP_GRACEFUL_RESTART: {
        uint16_t field = rd_u16(&value);
        out->graceful_restart = !value.bad;
        out->restart_flags = (uint8_t)(field >> 12);
        out->restart_s = field & 0x0fff;
        return true;
    }
    case CAP_AS4: {
        uint32_t as = rd_u32(&value);
        if (value.bad || rd_left(&value) != 0)
            return false;
        out->as4 = true;
        out->as = as;
        return true;
    }
    }
    return true;
}

static bool bad_param(struct bgp_error *e, const char *why)
{
    error_set(e, BGP_ERR_OPEN, BGP_OPEN_UNSPECIFIC, why);
    return false;
}

static bool params_parse(struct rd params, bool extended, struct bgp_open *out, struct bgp_error *e)
{
    while (rd_left(&params) > 0) {
        uint8_t type = rd_u8(&params);
        struct rd value = rd_sub(&params, extended ? rd_u16(&params) : rd_u8(&params));
        if (params.bad)
            return bad_param(e, "an optional parameter ends behind the message");
        if (type != PARAM_CAPABILITIES) {
            error_set(e, BGP_ERR_OPEN, BGP_OPEN_BAD_PARAM, "unknown optional parameter");
            return false;
        }
        while (rd_left(&value) > 0) {
            uint8_t code = rd_u8(&value);
            struct rd cap = rd_sub(&value, rd_u8(&value));
            if (value.bad)
                return bad_param(e, "a capability ends behind its parameter");
            if (!capability(code, cap, out))
                return bad_param(e, "the capability for 4-octet AS numbers is malformed");
        }
    }
    return true;
}

/* Optional parameters: with one octet of length, or in the extended form of RFC 9072. */
static bool open_params(struct rd *body, struct bgp_open *out, struct bgp_error *e)
{
    uint8_t len = rd_u8(body);
    bool extended = false;
    struct rd params;
    if (len != 0 && rd_left(body) > 0 && body->pos[0] == PARAM_EXTENDED) {
        extended = true;
        rd_u8(body);
        params = rd_sub(body, rd_u16(body));
    } else {
        params = rd_sub(body, len);
    }
    if (body->bad || rd_left(body) != 0)
        return bad_param(e, "the optional parameters' length is not what is left of the message");
    return params_parse(params, extended, out, e);
}

/* RFC 4271 section 6.2, in its order. */
static bool open_check(const struct bgp_open *o, const struct bgp_open_expect *x,
                       struct bgp_error *e)
{
    bool ibgp = x->local_as == x->remote_as;
    if (o->as == 0) { /* RFC 7607 */
        error_set(e, BGP_ERR_OPEN, BGP_OPEN_BAD_AS, "AS 0");
        return false;
    }
    if (o->as != x->remote_as) {
        error_set(e, BGP_ERR_OPEN, BGP_OPEN_BAD_AS, "not the AS number that is configured here");
        return false;
    }
    if (o->hold_s == 1 || o->hold_s == 2) {
        error_set(e, BGP_ERR_OPEN, BGP_OPEN_BAD_HOLD, "a hold time of one or two seconds");
        return false;
    }
    /* RFC 6286 section 2.2: not zero, and within an AS not ours. */
    if (o->id == 0 || (ibgp && o->id == x->router_id)) {
        error_set(e, BGP_ERR_OPEN, BGP_OPEN_BAD_ID,
                  o->id == 0 ? "the BGP Identifier is zero" : "the BGP Identifier is our own");
        return false;
    }
    return true;
}

bool bgp_open_parse(struct rd body, const struct bgp_open_expect *expect, struct bgp_open *out,
                    struct bgp_error *e)
{
    *out = (struct bgp_open){ 0 };
    out->version = rd_u8(&body);
    out->as2 = rd_u16(&body);
    out->hold_s = rd_u16(&body);
    out->id = rd_u32(&body);
    out->as = out->as2;
    if (!body.bad && out->version != 4) {
        error_set(e, BGP_ERR_OPEN, BGP_OPEN_BAD_VERSION, "not BGP version 4");
        error_own_u16(e, 4); /* the largest version that we speak */
        return false;
    }
    if (!open_params(&body, out, e) || !open_check(out, expect, e))
        return false;
    if (!out->multiprotocol)
        out->families = BGP_FAMILY_BIT(BGP_IPV4);
    return true;
}

static void cap_multiprotocol(struct wr *w, enum bgp_family family)
{
    wr_u8(w, CAP_MULTIPROTOCOL);
    wr_u8(w, 4);
    wr_u16(w, family == BGP_IPV4 ? 1 : 2);
    wr_u8(w, 0);
    wr_u8(w, 1);
}

static void cap_empty(struct wr *w, uint8_t code)
{
    wr_u8(w, code);
    wr_u8(w, 0);
}

static void capabilities_write(struct wr *w, const struct bgp_open *o)
{
    if (o->families & BGP_FAMILY_BIT(BGP_IPV4))
        cap_multiprotocol(w, BGP_IPV4);
    if (o->families & BGP_FAMILY_BIT(BGP_IPV6))
        cap_multiprotocol(w, BGP_IPV6);
    if (o->route_refresh)
        cap_empty(w, CAP_ROUTE_REFRESH);
    if (o->v4_over_v6_next_hop) {
        wr_u8(w, CAP_EXTENDED_NEXT_HOP);
        wr_u8(w, 6);
        wr_u16(w, 1);
        wr_u16(w, 1);
        wr_u16(w, 2);
    }
    if (o->extended_message)
        cap_empty(w, CAP_EXTENDED_MESSAGE);
    if (o->graceful_restart) {
        wr_u8(w, CAP_GRACEFUL_RESTART);
        wr_u8(w, 2);
        wr_u16(w, (uint16_t)(o->restart_flags << 12 | (o->restart_s & 0x0fff)));
    }
    if (o->as4) {
        wr_u8(w, CAP_AS4);
        wr_u8(w, 4);
        wr_u32(w, o->as);
    }
    if (o->enhanced_refresh)
        cap_empty(w, CAP_ENHANCED_REFRESH);
}

void bgp_open_write(struct wr *w, const struct bgp_open *o)
{
    uint8_t *at = header_begin(w, BGP_OPEN);
    wr_u8(w, 4);
    wr_u16(w, o->as > UINT16_MAX ? (uint16_t)BGP_AS_TRANS : (uint16_t)o->as);
    wr_u16(w, o->hold_s);
    wr_u32(w, o->id);
    uint8_t *len = wr_room(w, 3); /* parameters' length, one parameter, its length */
    capabilities_write(w, o);
    if (w->full)
        return;
    size_t caps = (size_t)(w->pos - len - 3);
    base_assert(caps <= 253); /* bounded by the struct: no need for RFC 9072 */
    len[0] = (uint8_t)(caps + 2);
    len[1] = PARAM_CAPABILITIES;
    len[2] = (uint8_t)caps;
    if (caps == 0) {
        len[0] = 0;
        wr_back(w, len + 1);
    }
    header_end(w, at);
}

/* ---- NOTIFICATION ----------------------------------------------------------------------------- */

/* Copies the peer's words so that they fit in a log line: control characters become '?'. UTF-8 is
 * kept as it is. */
static void shutdown_text(struct bgp_notification *n)
{
    struct rd r = rd_init(n->data, n->data_len);
    uint8_t len = rd_u8(&r);
    const uint8_t *text = rd_bytes(&r, len);
    if (text == NULL)
        return;
    for (size_t i = 0; i < len; i++)
        n->text[i] = text[i] < 0x20 || text[i] == 0x7f ? '?' : (char)text[i];
    n->text[len] = '\0';
}

bool bgp_notification_parse(struct rd body, struct bgp_notification *out)
{
    *out = (struct bgp_notification){ 0 };
    out->code = rd_u8(&body);
    out->subcode = rd_u8(&body);
    if (body.bad)
        return false;
    if (out->code == BGP_ERR_CEASE && out->subcode == BGP_CEASE_HARD_RESET && rd_left(&body) >= 2) {
        out->hard = true; /* RFC 8538 section 3: the real reason is inside */
        out->code = rd_u8(&body);
        out->subcode = rd_u8(&body);
    }
    out->data = body.pos;
    out->data_len = (uint16_t)rd_left(&body);
    if (out->code == BGP_ERR_CEASE &&
        (out->subcode == BGP_CEASE_SHUTDOWN || out->subcode == BGP_CEASE_RESET))
        shutdown_text(out);
    return true;
}

void bgp_notification_write(struct wr *w, const struct bgp_error *e)
{
    const size_t data_max = BGP_MSG_MAX - BGP_HEADER_LEN - 2;
    size_t len = e->data_len < data_max ? e->data_len : data_max;
    uint8_t *at = header_begin(w, BGP_NOTIFICATION);
    wr_u8(w, e->code);
    wr_u8(w, e->subcode);
    wr_bytes(w, e->data != NULL ? e->data : e->own, len);
    header_end(w, at);
}

void bgp_cease_write(struct wr *w, uint8_t subcode, const char *text)
{
    size_t len = text != NULL ? strlen(text) : 0;
    if (len > BGP_SHUTDOWN_TEXT_MAX) {
        len = BGP_SHUTDOWN_TEXT_MAX;
        while (len > 0 && ((uint8_t)text[len] & 0xc0) == 0x80)
            len--; /* not in the middle of a UTF-8 character */
    }
    uint8_t *at = header_begin(w, BGP_NOTIFICATION);
    wr_u8(w, BGP_ERR_CEASE);
    wr_u8(w, subcode);
    if (len > 0 && (subcode == BGP_CEASE_SHUTDOWN || subcode == BGP_CEASE_RESET)) {
        wr_u8(w, (uint8_t)len);
        wr_bytes(w, text, len);
    }
    header_end(w, at);
}

/* ---- KEEPALIVE, ROUTE-REFRESH ----------------------------------------------------------------- */

void bgp_keepalive_write(struct wr *w)
{
    header_end(w, header_begin(w, BGP_KEEPALIVE));
}

bool bgp_refresh_parse(struct rd body, struct bgp_refresh *out, struct bgp_error *e)
{
    *out = (struct bgp_refresh){ 0 };
    *e = (struct bgp_error){ 0 };
    out->afi = rd_u16(&body);
    out->kind = rd_u8(&body);
    bool has_kind = !body.bad;
    out->safi = rd_u8(&body);
    if (body.bad || rd_left(&body) != 0) {
        /* A longer request carries an ORF (RFC 5291) that we did not agree to: passed over. */
        if (has_kind && (out->kind == BGP_REFRESH_BEGIN || out->kind == BGP_REFRESH_END))
            error_set(e, BGP_ERR_REFRESH, 1, "a ROUTE-REFRESH mark of another length than four");
        return false;
    }
    out->known = family_of(out->afi, out->safi, &out->family) && out->kind <= BGP_REFRESH_END;
    return true;
}

void bgp_refresh_write(struct wr *w, enum bgp_family family, enum bgp_refresh_kind kind)
{
    uint8_t *at = header_begin(w, BGP_ROUTE_REFRESH);
    wr_u16(w, family == BGP_IPV4 ? 1 : 2);
    wr_u8(w, (uint8_t)kind);
    wr_u8(w, 1);
    header_end(w, at);
}
