/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Server cookies that every server with the same secret understands (RFC 9018 section 4): version 1, three
 * bytes of nothing, the time of making, and SipHash-2-4 over the client's cookie, those eight bytes and
 * the client's address. So there is no state, and an hour later a cookie is worth nothing. */
#include <string.h>

#include "answer/state.h"
#include "base/siphash.h"

#define COOKIE_VERSION 1
#define COOKIE_MADE_LEN 8         /* version, reserved, timestamp: what the hash covers */
#define COOKIE_AGE_MAX_S 3600     /* RFC 9018 section 4.3 */
#define COOKIE_AGE_RENEWED_S 1800 /* one this old is replaced */
#define COOKIE_AHEAD_MAX_S 300    /* clocks of a fleet may differ by so much */

bool answer_cookie_may(const struct answer_client *client)
{
    return client->addr != NULL &&
           (client->addr->sa.sa_family == AF_INET || client->addr->sa.sa_family == AF_INET6);
}

/* Client cookie, what was made, and the address behind it; returns the length. */
static unsigned hashed(const uint8_t *client, const uint8_t *made, const union addr *addr,
                       uint8_t out[32])
{
    memcpy(out, client, ANSWER_COOKIE_CLIENT_LEN);
    memcpy(out + 8, made, COOKIE_MADE_LEN);
    if (addr->sa.sa_family == AF_INET) {
        memcpy(out + 16, &addr->in.sin_addr, 4);
        return 20;
    }
    if (IN6_IS_ADDR_V4MAPPED(&addr->in6.sin6_addr)) { /* the same client, whatever the socket */
        memcpy(out + 16, &addr->in6.sin6_addr.s6_addr[12], 4);
        return 20;
    }
    memcpy(out + 16, &addr->in6.sin6_addr, 16);
    return 32;
}

static uint64_t hash(const uint8_t *secret, const uint8_t *message, unsigned len)
{
    return len == 20 ? siphash24(secret, message, 20) : siphash24(secret, message, len);
}

static void put_le64(uint8_t *p, uint64_t v)
{
    for (unsigned i = 0; i < 8; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

/* A new cookie into out[8..23]; out[0..7] is the client's. */
static void make(const struct answer_cookies *c, const struct answer_client *client,
                 uint8_t out[ANSWER_COOKIE_LEN])
{
    uint8_t message[32], *made = out + ANSWER_COOKIE_CLIENT_LEN;
    uint32_t now_s = (uint32_t)client->now.s;
    memset(made, 0, COOKIE_MADE_LEN);
    made[0] = COOKIE_VERSION;
    wr_put_u16(made + 4, (uint16_t)(now_s >> 16));
    wr_put_u16(made + 6, (uint16_t)now_s);
    unsigned len = hashed(out, made, client->addr, message);
    put_le64(made + COOKIE_MADE_LEN, hash(c->secret[0], message, len));
}

/* Which secret made the cookie; -1: none of ours. */
static int made_by(const struct answer_cookies *c, const struct answer_client *client,
                   const uint8_t *cookie)
{
    uint8_t message[32];
    unsigned len = hashed(cookie, cookie + ANSWER_COOKIE_CLIENT_LEN, client->addr, message);
    uint64_t theirs = siphash_le64(cookie + ANSWER_COOKIE_CLIENT_LEN + COOKIE_MADE_LEN);
    for (uint32_t i = 0; i < c->count && i < ANSWER_COOKIE_SECRETS_MAX; i++)
        if (hash(c->secret[i], message, len) == theirs)
            return (int)i;
    return -1;
}

enum answer_cookie answer_cookie_read(const struct answer_cookies *c,
                                      const struct answer_client *client, const uint8_t *cookie,
                                      uint8_t len, uint8_t out[ANSWER_COOKIE_LEN])
{
    const uint8_t *made = cookie + ANSWER_COOKIE_CLIENT_LEN;
    memcpy(out, cookie, ANSWER_COOKIE_CLIENT_LEN);
    if (len == ANSWER_COOKIE_LEN && made[0] == COOKIE_VERSION) {
        struct rd r = rd_init(made + 4, 4);
        /* Serial arithmetic (RFC 1982), so that it goes on after 2106. */
        int32_t age_s = (int32_t)((uint32_t)client->now.s - rd_u32(&r));
        if (age_s >= -COOKIE_AHEAD_MAX_S && age_s <= COOKIE_AGE_MAX_S) {
            int secret = made_by(c, client, cookie);
            if (secret == 0 && age_s <= COOKIE_AGE_RENEWED_S)
                memcpy(out, cookie, ANSWER_COOKIE_LEN);
            else
                make(c, client, out);
            return secret >= 0 ? ANSWER_COOKIE_VALID : ANSWER_COOKIE_CLIENT;
        }
    }
    make(c, client, out);
    return ANSWER_COOKIE_CLIENT;
}
