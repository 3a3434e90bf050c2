/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef BASE_RD_H
#define BASE_RD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The one bounds-checked reader of outside bytes. It is sticky: read the whole fixed part, then ask
 * `bad` once. After the first short read every read gives 0 or NULL and moves nothing. Multi-byte
 * numbers are read in network order and returned in host order. */
struct rd {
    const uint8_t *pos, *end;
    bool bad;
};

static inline struct rd rd_init(const void *bytes, size_t len)
{
    const uint8_t *p = bytes;
    return (struct rd){ .pos = p, .end = p + len, .bad = false };
}

static inline size_t rd_left(const struct rd *r)
{
    return (size_t)(r->end - r->pos);
}

/* Borrowed: points into the reader's bytes. NULL when fewer than `len` are left. */
static inline const uint8_t *rd_bytes(struct rd *r, size_t len)
{
    if (r->bad || rd_left(r) < len) {
        r->bad = true;
        return NULL;
    }
    const uint8_t *p = r->pos;
    r->pos += len;
    return p;
}

static inline void rd_skip(struct rd *r, size_t len)
{
    (void)rd_bytes(r, len);
}

static inline uint8_t rd_u8(struct rd *r)
{
    const uint8_t *p = rd_bytes(r, 1);
    return p ? p[0] : 0;
}

static inline uint16_t rd_u16(struct rd *r)
{
    const uint8_t *p = rd_bytes(r, 2);
    return p ? (uint16_t)(p[0] << 8 | p[1]) : 0;
}

static inline uint32_t rd_u32(struct rd *r)
{
    const uint8_t *p = rd_bytes(r, 4);
    return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3] : 0;
}

/* A reader over the next `len` bytes, which this one passes over. Bad when they are not there. */
static inline struct rd rd_sub(struct rd *r, size_t len)
{
    const uint8_t *p = rd_bytes(r, len);
    return (struct rd){ .pos = p, .end = p ? p + len : p, .bad = p == NULL };
}

#endif
