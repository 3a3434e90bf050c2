/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef BASE_WR_H
#define BASE_WR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The bounded writer, the twin of struct rd. Sticky: after the first write that does not fit, `full`
 * is set and nothing more is written, so that one question at the end is enough. Numbers are taken
 * in host order and written in network order. */
struct wr {
    uint8_t *begin, *pos, *end;
    bool full;
};

static inline struct wr wr_init(void *buf, size_t cap)
{
    uint8_t *p = buf;
    return (struct wr){ .begin = p, .pos = p, .end = p + cap, .full = false };
}

static inline size_t wr_len(const struct wr *w)
{
    return (size_t)(w->pos - w->begin);
}

static inline size_t wr_left(const struct wr *w)
{
    return (size_t)(w->end - w->pos);
}

/* Room for `len` bytes that the caller fills; NULL when it is not there. */
static inline uint8_t *wr_room(struct wr *w, size_t len)
{
    if (w->full || wr_left(w) < len) {
        w->full = true;
        return NULL;
    }
    uint8_t *p = w->pos;
    w->pos += len;
    return p;
}

static inline void wr_bytes(struct wr *w, const void *bytes, size_t len)
{
    uint8_t *p = wr_room(w, len);
    if (p != NULL && len != 0)
        memcpy(p, bytes, len);
}

static inline void wr_u8(struct wr *w, uint8_t v)
{
    uint8_t *p = wr_room(w, 1);
    if (p != NULL)
        p[0] = v;
}

static inline void wr_put_u16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static inline void wr_u16(struct wr *w, uint16_t v)
{
    uint8_t *p = wr_room(w, 2);
    if (p != NULL)
        wr_put_u16(p, v);
}

static inline void wr_u32(struct wr *w, uint32_t v)
{
    uint8_t *p = wr_room(w, 4);
    if (p != NULL) {
        wr_put_u16(p, (uint16_t)(v >> 16));
        wr_put_u16(p + 2, (uint16_t)v);
    }
}

/* Goes back to an earlier position (taken from w->pos), for what must be whole or absent. */
static inline void wr_back(struct wr *w, uint8_t *pos)
{
    w->pos = pos;
    w->full = false;
}

#endif
