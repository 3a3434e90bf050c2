/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The datagram on the wire, all numbers in network order:
 *
 *     "PGFL"  version  flags  prefixes  grants            4 + 4 bytes
 *     node  boot  seq  sent_ms  load_qps  capacity_qps    8 bytes each
 *     prefixes times:  family  len  state  0  wish(4)  address(4 or 16)
 *     grants times:    node(8)  wish(4)  prefix  0 0 0
 *     tag(32)          HMAC-SHA256 of all before it; zero without a secret
 *
 * A reader refuses what it does not know, rather than guess: a fleet of two versions hears nothing of
 * the other half, and each then acts as if it were alone, which announces more and not less. */
#include <string.h>

#include "base/assert.h"
#include "base/rd.h"
#include "base/wr.h"
#include "fleet/fleet.h"

#define VERSION 1
#define FLAG_DRAINING 0x01

static const uint8_t magic[4] = { 'P', 'G', 'F', 'L' };

static void wr_u64(struct wr *w, uint64_t v)
{
    wr_u32(w, (uint32_t)(v >> 32));
    wr_u32(w, (uint32_t)v);
}

static uint64_t rd_u64(struct rd *r)
{
    uint64_t high = rd_u32(r);
    return high << 32 | rd_u32(r);
}

static size_t addr_bytes(uint8_t family)
{
    return family == 4 ? 4 : 16;
}

size_t fleet_message_write(const struct fleet_message *m, uint8_t *out, size_t cap)
{
    base_assert(m->prefix_count <= FLEET_PREFIXES_MAX);
    base_assert(m->grant_count <= FLEET_GRANTS_MAX);
    struct wr w = wr_init(out, cap);
    wr_bytes(&w, magic, sizeof magic);
    wr_u8(&w, VERSION);
    wr_u8(&w, m->draining ? FLAG_DRAINING : 0);
    wr_u8(&w, (uint8_t)m->prefix_count);
    wr_u8(&w, (uint8_t)m->grant_count);
    wr_u64(&w, m->node);
    wr_u64(&w, m->boot);
    wr_u64(&w, m->seq);
    wr_u64(&w, (uint64_t)m->sent_ms);
    wr_u64(&w, m->load_qps);
    wr_u64(&w, m->capacity_qps);
    for (uint32_t i = 0; i < m->prefix_count; i++) {
        const struct fleet_prefix *p = &m->prefixes[i];
        wr_u8(&w, p->prefix.family);
        wr_u8(&w, p->prefix.len);
        wr_u8(&w, (uint8_t)p->state);
        wr_u8(&w, 0);
        wr_u32(&w, p->wish);
        wr_bytes(&w, p->prefix.bytes, addr_bytes(p->prefix.family));
    }
    for (uint32_t i = 0; i < m->grant_count; i++) {
        wr_u64(&w, m->grants[i].node);
        wr_u32(&w, m->grants[i].wish);
        wr_u8(&w, m->grants[i].prefix);
        wr_u8(&w, 0);
        wr_u16(&w, 0);
    }
    return w.full ? 0 : wr_len(&w);
}

static bool parse_prefix(struct fleet_prefix *p, struct rd *r)
{
    p->prefix.family = rd_u8(r);
    p->prefix.len = rd_u8(r);
    uint8_t state = rd_u8(r);
    uint8_t zero = rd_u8(r);
    p->wish = rd_u32(r);
    size_t len = addr_bytes(p->prefix.family);
    const uint8_t *bytes = rd_bytes(r, len);
    if (bytes == NULL)
        return false;
    memcpy(p->prefix.bytes, bytes, len);
    p->state = state;
    return prefix_valid(&p->prefix) && state < FLEET_STATE_COUNT && zero == 0;
}

static bool parse_grant(struct fleet_grant *g, struct rd *r, uint32_t prefix_count)
{
    g->node = rd_u64(r);
    g->wish = rd_u32(r);
    g->prefix = rd_u8(r);
    uint8_t zero = rd_u8(r);
    uint16_t zeros = rd_u16(r);
    return !r->bad && g->prefix < prefix_count && zero == 0 && zeros == 0;
}

bool fleet_message_parse(struct fleet_message *m, const uint8_t *body, size_t len)
{
    memset(m, 0, sizeof *m);
    struct rd r = rd_init(body, len);
    const uint8_t *start = rd_bytes(&r, sizeof magic);
    uint8_t version = rd_u8(&r);
    uint8_t flags = rd_u8(&r);
    m->prefix_count = rd_u8(&r);
    m->grant_count = rd_u8(&r);
    m->node = rd_u64(&r);
    m->boot = rd_u64(&r);
    m->seq = rd_u64(&r);
    m->sent_ms = (int64_t)rd_u64(&r);
    m->load_qps = rd_u64(&r);
    m->capacity_qps = rd_u64(&r);
    if (r.bad || memcmp(start, magic, sizeof magic) != 0 || version != VERSION ||
        (flags & ~FLAG_DRAINING) != 0 || m->sent_ms < 0 || m->seq == 0)
        return false;
    if (m->prefix_count > FLEET_PREFIXES_MAX || m->grant_count > FLEET_GRANTS_MAX)
        return false;
    m->draining = (flags & FLAG_DRAINING) != 0;
    for (uint32_t i = 0; i < m->prefix_count; i++)
        if (!parse_prefix(&m->prefixes[i], &r))
            return false;
    for (uint32_t i = 0; i < m->grant_count; i++)
        if (!parse_grant(&m->grants[i], &r, m->prefix_count))
            return false;
    return rd_left(&r) == 0;
}

bool fleet_split(const uint8_t *datagram, size_t len, size_t *body_len, const uint8_t **tag)
{
    if (len <= FLEET_TAG_LEN || len > FLEET_DATAGRAM_MAX)
        return false;
    *body_len = len - FLEET_TAG_LEN;
    *tag = datagram + *body_len;
    return true;
}

bool fleet_tag_equal(const uint8_t a[FLEET_TAG_LEN], const uint8_t b[FLEET_TAG_LEN])
{
    uint8_t differ = 0;
    for (uint32_t i = 0; i < FLEET_TAG_LEN; i++)
        differ |= a[i] ^ b[i];
    return differ == 0;
}

uint64_t fleet_node_id(const char *name)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (; *name != '\0'; name++)
        h = (h ^ (uint8_t)*name) * 0x100000001b3u;
    return h;
}
