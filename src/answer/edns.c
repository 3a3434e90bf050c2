/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The OPT of an answer (RFC 6891 section 6.1.3) and what is in it: NSID (RFC 5001), COOKIE (7873, 9018),
 * keepalive (7828), EXPIRE (7314), ZONEVERSION (9660), extended errors (8914), padding (7830, 8467). Room for those that
 * are known at the beginning is held back; an extended error and padding take what is left. */
#include <string.h>

#include "answer/state.h"

#define OPT_LEN 11
#define OPTION_LEN 4 /* of an option without its data */
#define KEEPALIVE_LEN (OPTION_LEN + 2)
#define EXPIRE_LEN (OPTION_LEN + 4)
#define EDE_LEN (OPTION_LEN + 2)
#define ZONEVERSION_LEN (OPTION_LEN + 6)
#define PADDING_BLOCK 468 /* RFC 8467 section 4.1 */

static bool nsid_due(const struct answer_state *a)
{
    return a->q->nsid_asked && a->o->nsid_len > 0 && a->o->nsid_len <= ANSWER_NSID_MAX;
}

static bool keepalive_due(const struct answer_state *a)
{
    return a->q->keepalive_asked && a->client->transport != ANSWER_UDP && a->o->tcp_idle_ms != 0;
}

/* RFC 7314 section 3: to SOA queries (transfers are answered elsewhere). */
static bool expire_due(const struct answer_state *a)
{
    return a->q->expire_asked && a->q->qtype == DNS_TYPE_SOA && a->client->expire_s != 0;
}

/* For the zone of the question's own name, wherever the answer leads (RFC 9660 section 3.2); not where the
 * zone was not looked at. */
static bool zoneversion_due(const struct answer_state *a)
{
    return a->q->zoneversion_asked && a->info->zone != NULL &&
           (a->rcode == DNS_RCODE_NOERROR || a->rcode == DNS_RCODE_NXDOMAIN ||
            a->rcode == DNS_RCODE_YXDOMAIN);
}

static uint16_t cookie_read(struct answer_state *a)
{
    const struct answer_cookies *c = a->o->cookies;
    const struct dns_query *q = a->q;
    if (c == NULL || c->count == 0 || q->cookie == NULL || !answer_cookie_may(a->client))
        return DNS_RCODE_NOERROR;
    if (q->cookie_len == 0) /* of a length that none has (RFC 7873 section 5.2.2) */
        return DNS_RCODE_FORMERR;
    a->info->cookie = answer_cookie_read(c, a->client, q->cookie, q->cookie_len, a->cookie);
    a->cookie_due = true;
    if (a->info->cookie == ANSWER_COOKIE_VALID)
        return DNS_RCODE_NOERROR;
    /* Who asks for nothing but a cookie, and shows one, wants to know (section 5.4). TCP shows the
     * client's address as well as any cookie does (section 5.2.3). */
    bool shown = q->empty && q->cookie_len > ANSWER_COOKIE_CLIENT_LEN;
    bool required = c->require && a->client->transport == ANSWER_UDP && !q->empty;
    return shown || required ? DNS_RCODE_BADCOOKIE : DNS_RCODE_NOERROR;
}

uint16_t answer_edns_begin(struct answer_state *a)
{
    const struct dns_query *q = a->q;
    a->opt_len = 0;
    a->cookie_due = false;
    if (!q->edns)
        return DNS_RCODE_NOERROR;
    uint16_t rcode = cookie_read(a);
    if (q->keepalive_broken && a->client->transport != ANSWER_UDP)
        rcode = DNS_RCODE_FORMERR;
    a->opt_len = OPT_LEN;
    if (nsid_due(a))
        a->opt_len += (uint16_t)(OPTION_LEN + a->o->nsid_len);
    if (a->cookie_due)
        a->opt_len += OPTION_LEN + ANSWER_COOKIE_LEN;
    if (keepalive_due(a))
        a->opt_len += KEEPALIVE_LEN;
    if (expire_due(a))
        a->opt_len += EXPIRE_LEN;
    if (q->zoneversion_asked)
        a->opt_len += ZONEVERSION_LEN;
    return rcode;
}

static void option(struct wr *w, uint16_t code, const void *data, uint16_t len)
{
    wr_u16(w, code);
    wr_u16(w, len);
    wr_bytes(w, data, len);
}

static void option_u16(struct wr *w, uint16_t code, uint16_t value)
{
    uint8_t data[2];
    wr_put_u16(data, value);
    option(w, code, data, sizeof data);
}

static void zoneversion_write(struct answer_state *a)
{
    struct dns_name origin;
    struct wr *w = &a->m.w;
    zone_origin(a->info->zone, &origin);
    wr_u16(w, DNS_EDNS_ZONEVERSION);
    wr_u16(w, 6);
    wr_u8(w, origin.labels);
    wr_u8(w, 0); /* SOA-SERIAL */
    wr_u32(w, zone_serial(a->info->zone));
}

/* Up to a multiple of the block, with the TSIG that will follow; where that is too long, up to the
 * limit. Zeros (RFC 7830 section 3). */
static void padding_write(struct answer_state *a)
{
    struct wr *w = &a->m.w;
    if (a->client->transport != ANSWER_TLS || !a->q->padding_asked || wr_left(w) < OPTION_LEN)
        return;
    size_t len = wr_len(w) + OPTION_LEN + a->client->tsig_room;
    size_t pad = (PADDING_BLOCK - len % PADDING_BLOCK) % PADDING_BLOCK;
    if (pad > wr_left(w) - OPTION_LEN)
        pad = wr_left(w) - OPTION_LEN;
    wr_u16(w, DNS_EDNS_PADDING);
    wr_u16(w, (uint16_t)pad);
    uint8_t *p = wr_room(w, pad);
    if (p != NULL)
        memset(p, 0, pad);
}

static void options_write(struct answer_state *a)
{
    struct wr *w = &a->m.w;
    if (nsid_due(a))
        option(w, DNS_EDNS_NSID, a->o->nsid, a->o->nsid_len);
    if (a->cookie_due)
        option(w, DNS_EDNS_COOKIE, a->cookie, ANSWER_COOKIE_LEN);
    if (keepalive_due(a)) { /* units of 100 ms (RFC 7828 section 3.1) */
        uint32_t units = a->o->tcp_idle_ms / 100;
        option_u16(w, DNS_EDNS_KEEPALIVE, (uint16_t)(units > UINT16_MAX ? UINT16_MAX : units));
    }
    if (expire_due(a)) {
        wr_u16(w, DNS_EDNS_EXPIRE);
        wr_u16(w, 4);
        wr_u32(w, a->client->expire_s);
    }
    if (zoneversion_due(a))
        zoneversion_write(a);
    if (a->ede != DNS_EDE_NONE && wr_left(w) >= EDE_LEN) {
        option_u16(w, DNS_EDNS_EDE, a->ede);
        a->info->ede = a->ede;
    }
    padding_write(a);
}

void answer_edns_write(struct answer_state *a)
{
    if (a->opt_len == 0)
        return;
    struct wr *w = &a->m.w;
    uint8_t *p = wr_room(w, OPT_LEN);
    if (p == NULL)
        return;
    memset(p, 0,
           OPT_LEN); /* root, our version whatever theirs (RFC 6891 section 6.1.3), no length */
    wr_put_u16(p + 1, DNS_TYPE_OPT);
    wr_put_u16(p + 3, answer_payload_max(a->o));
    p[5] = (uint8_t)(a->rcode >> 4);
    wr_put_u16(p + 7, a->q->dnssec_ok ? DNS_EDNS_DO : 0); /* RFC 3225 section 3 */
    if (a->opt_len > OPT_LEN || a->ede != DNS_EDE_NONE || a->q->padding_asked) {
        options_write(a);
        wr_put_u16(p + 9, (uint16_t)(w->pos - (p + OPT_LEN)));
    }
    a->m.count[DNS_ADDITIONAL]++;
}
