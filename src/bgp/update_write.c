/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writing UPDATE. Attributes are in the order of their types, but MP_REACH_NLRI comes first (RFC 7606
 * section 5.1), and a message holds one kind of prefixes only. */
#include <string.h>

#include "base/assert.h"
#include "bgp/msg.h"

enum {
    OPTIONAL = 0x80,
    TRANSITIVE = 0x40,
    EXTENDED = 0x10,
};

static void header(struct wr *w)
{
    uint8_t *m = wr_room(w, 16);
    if (m != NULL)
        memset(m, 0xff, 16);
    wr_u16(w, 0);
    wr_u8(w, BGP_UPDATE);
}

/* Whether prefixes of the family go into the old fields of the message: IPv4 with an IPv4 next hop. */
static bool classic(const struct bgp_out_context *ctx, enum bgp_family family)
{
    return family == BGP_IPV4 && ctx->next_hop[BGP_IPV4].family == BGP_IPV4;
}

bool bgp_out_can(const struct bgp_out_context *ctx, enum bgp_family family)
{
    if (!(ctx->families & BGP_FAMILY_BIT(family)) || !ctx->has_next_hop[family])
        return false;
    return ctx->next_hop[family].family == family ||
           (family == BGP_IPV4 && ctx->v4_over_v6_next_hop);
}

/* ---- attributes ------------------------------------------------------------------------------- */

static void attr(struct wr *w, uint8_t flags, uint8_t type, uint8_t len)
{
    wr_u8(w, flags);
    wr_u8(w, type);
    wr_u8(w, len);
}

static void segment(struct wr *w, uint32_t as, unsigned count, bool as4)
{
    wr_u8(w, 2); /* AS_SEQUENCE */
    wr_u8(w, (uint8_t)count);
    for (unsigned i = 0; i < count; i++) {
        if (as4)
            wr_u32(w, as);
        else
            wr_u16(w, as > UINT16_MAX ? (uint16_t)BGP_AS_TRANS : (uint16_t)as);
    }
}

/* RFC 4271 section 5.1.2: empty towards our own AS; else ourselves, as often as asked. */
static void as_path(struct wr *w, const struct bgp_out_context *ctx, const struct bgp_attrs *a)
{
    unsigned count = ctx->ibgp ? 0 : 1u + a->prepend;
    unsigned size = ctx->as4 ? 4 : 2;
    attr(w, TRANSITIVE, 2, (uint8_t)(count == 0 ? 0 : 2 + count * size));
    if (count > 0)
        segment(w, ctx->local_as, count, ctx->as4);
}

/* RFC 6793 section 4.2.2: only where AS_PATH could not say it. */
static void as4_path(struct wr *w, const struct bgp_out_context *ctx, const struct bgp_attrs *a)
{
    if (ctx->as4 || ctx->ibgp || ctx->local_as <= UINT16_MAX)
        return;
    unsigned count = 1u + a->prepend;
    attr(w, OPTIONAL | TRANSITIVE, 17, (uint8_t)(2 + count * 4));
    segment(w, ctx->local_as, count, true);
}

static void attr_u32(struct wr *w, uint8_t flags, uint8_t type, uint32_t v)
{
    attr(w, flags, type, 4);
    wr_u32(w, v);
}

static void communities(struct wr *w, const struct bgp_attrs *a)
{
    if (a->community_count == 0)
        return;
    attr(w, OPTIONAL | TRANSITIVE, 8, (uint8_t)(4 * a->community_count));
    for (unsigned i = 0; i < a->community_count; i++)
        wr_u32(w, a->communities[i]);
}

static void large_communities(struct wr *w, const struct bgp_attrs *a)
{
    if (a->large_count == 0)
        return;
    attr(w, OPTIONAL | TRANSITIVE, 32, (uint8_t)(12 * a->large_count));
    for (unsigned i = 0; i < a->large_count; i++) {
        wr_u32(w, a->large[i].global);
        wr_u32(w, a->large[i].local1);
        wr_u32(w, a->large[i].local2);
    }
}

static void attrs_write(struct wr *w, const struct bgp_out_context *ctx, enum bgp_family family,
                        const struct bgp_attrs *a)
{
    attr(w, TRANSITIVE, 1, 1);
    wr_u8(w, a->origin);
    as_path(w, ctx, a);
    if (classic(ctx, family)) {
        attr(w, TRANSITIVE, 3, 4);
        wr_bytes(w, ctx->next_hop[BGP_IPV4].bytes, 4);
    }
    if (a->has_med)
        attr_u32(w, OPTIONAL, 4, a->med);
    if (ctx->ibgp) /* RFC 4271 section 5.1.5: always inside, never outside */
        attr_u32(w, TRANSITIVE, 5, a->has_local_pref ? a->local_pref : 100);
    communities(w, a);
    as4_path(w, ctx, a);
    large_communities(w, a);
}

/* ---- the message ------------------------------------------------------------------------------ */

static void mp_head(struct bgp_update_writer *u, uint8_t type)
{
    wr_u8(u->w, OPTIONAL | EXTENDED);
    wr_u8(u->w, type);
    u->mp_len = u->w->pos;
    wr_u16(u->w, 0);
    wr_u16(u->w, u->family == BGP_IPV4 ? 1 : 2);
    wr_u8(u->w, 1);
}

static void begin(struct bgp_update_writer *u, struct wr *w, const struct bgp_out_context *ctx,
                  enum bgp_family family, bool withdraw)
{
    *u = (struct bgp_update_writer){ .w = w,
                                     .msg = w->pos,
                                     .family = (uint8_t)family,
                                     .withdraw = withdraw,
                                     .mp = !classic(ctx, family),
                                     .len_max = ctx->len_max };
    header(w);
}

void bgp_update_begin_withdraw(struct bgp_update_writer *u, struct wr *w,
                               const struct bgp_out_context *ctx, enum bgp_family family)
{
    begin(u, w, ctx, family, true);
    if (u->mp) {
        wr_u16(w, 0); /* no withdrawn routes in the old field */
        u->attrs_len = w->pos;
        wr_u16(w, 0);
        mp_head(u, 15);
    } else {
        u->list = w->pos;
        wr_u16(w, 0);
    }
}

/* RFC 2545 section 3: the link-local address goes along when the neighbor is on a common link. A next
 * hop of the neighbor's own kind is all that IPv4 prefixes get. */
static void next_hop(struct wr *w, const struct bgp_out_context *ctx, enum bgp_family family)
{
    const struct bgp_addr *hop = &ctx->next_hop[family];
    bool both = hop->family == BGP_IPV6 && ctx->has_link_local;
    wr_u8(w, hop->family == BGP_IPV4 ? 4 : both ? 32 : 16);
    wr_bytes(w, hop->bytes, hop->family == BGP_IPV4 ? 4 : 16);
    if (both)
        wr_bytes(w, ctx->link_local, 16);
    wr_u8(w, 0); /* reserved */
}

void bgp_update_begin(struct bgp_update_writer *u, struct wr *w, const struct bgp_out_context *ctx,
                      enum bgp_family family, const struct bgp_attrs *a)
{
    base_assert(bgp_out_can(ctx, family));
    begin(u, w, ctx, family, false);
    wr_u16(w, 0); /* no withdrawn routes */
    u->attrs_len = w->pos;
    wr_u16(w, 0);
    if (u->mp) {
        /* MP_REACH_NLRI is the last to be written, though the first that a reader should see: its
         * prefixes are not known yet. end() moves it before the others. */
        u->list = w->pos;
        attrs_write(w, ctx, family, a);
        mp_head(u, 14);
        next_hop(w, ctx, family);
    } else {
        attrs_write(w, ctx, family, a);
        if (!w->full)
            wr_put_u16(u->attrs_len, (uint16_t)(w->pos - u->attrs_len - 2));
    }
}

bool bgp_update_add(struct bgp_update_writer *u, const struct bgp_prefix *p)
{
    struct wr *w = u->w;
    size_t octets = (p->len + 7u) / 8;
    size_t tail = u->withdraw && !u->mp ? 2 : 0; /* the attributes' length, still to come */
    base_assert(p->family == u->family);
    if (w->full || wr_left(w) < 1 + octets + tail ||
        (size_t)(w->pos - u->msg) + 1 + octets + tail > u->len_max)
        return false;
    wr_u8(w, p->len);
    wr_bytes(w, p->addr, octets);
    u->count++;
    return true;
}

/* Moves the MP_REACH_NLRI that begins two octets before mp_len to the front of the attributes. */
static void mp_reach_first(struct bgp_update_writer *u)
{
    uint8_t others[512];
    uint8_t *mp = u->mp_len - 2;
    size_t others_len = (size_t)(mp - u->list), mp_whole = (size_t)(u->w->pos - mp);
    base_assert(others_len <= sizeof others);
    memcpy(others, u->list, others_len);
    memmove(u->list, mp, mp_whole);
    memcpy(u->list + mp_whole, others, others_len);
}

void bgp_update_end(struct bgp_update_writer *u)
{
    struct wr *w = u->w;
    if (u->count == 0) {
        wr_back(w, u->msg);
        return;
    }
    if (u->withdraw && !u->mp) {
        wr_put_u16(u->list, (uint16_t)(w->pos - u->list - 2));
        wr_u16(w, 0); /* add() kept room for it */
    }
    if (u->mp) {
        wr_put_u16(u->mp_len, (uint16_t)(w->pos - u->mp_len - 2));
        wr_put_u16(u->attrs_len, (uint16_t)(w->pos - u->attrs_len - 2));
        if (!u->withdraw)
            mp_reach_first(u);
    }
    wr_put_u16(u->msg + 16, (uint16_t)(w->pos - u->msg));
}

void bgp_end_of_rib_write(struct wr *w, enum bgp_family family)
{
    uint8_t *at = w->pos;
    header(w);
    wr_u16(w, 0);
    wr_u16(w, family == BGP_IPV4 ? 0 : 6);
    if (family != BGP_IPV4) {
        attr(w, OPTIONAL, 15, 3);
        wr_u16(w, 2);
        wr_u8(w, 1);
    }
    if (!w->full)
        wr_put_u16(at + 16, (uint16_t)(w->pos - at));
}
