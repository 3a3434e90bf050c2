/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef STORE_FRAME_H
#define STORE_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "base/rd.h"
#include "base/wr.h"
#include "dns/name.h"
#include "store/store.h"

/* The bytes of the files (docs/store.md), without the files. Pure. Numbers are in network order.
 *
 * A journal is a head, then frames, each at a multiple of 8 bytes. An entry is one frame or several: the
 * first begins with the zone and its serials, all go on with items. A frame counts when its head has the
 * right checksum, which the journal's random id is part of, and its body has the one that the head says;
 * and an entry when all its frames do. */

/* ---- the head of a journal ---- */

#define STORE_HEAD_LEN 64
struct store_head {
    uint32_t number; /* also in the file's name */
    uint64_t id;     /* random: what else is on a disk is not taken for a frame */
    /* The state that its entries go on from: what journal `base_number` with this id says up to
     * `base_len` bytes. base_number 0: nothing is before it. */
    uint32_t base_number;
    uint64_t base_id, base_len;
};
void store_head_write(const struct store_head *h, uint8_t out[STORE_HEAD_LEN]);
bool store_head_parse(struct store_head *h, const uint8_t bytes[STORE_HEAD_LEN]) BASE_MUST_USE;

/* ---- frames ---- */

#define STORE_FRAME_LEN 32             /* the head of a frame */
#define STORE_BODY_WANTED (64u * 1024) /* a frame is ended when it has so much */
#define STORE_BODY_MAX (136u * 1024)   /* that, and the longest item */
#define STORE_ITEM_MAX (65535u + 600)  /* bytes of an item, and of an entry's begin, at most */
#define STORE_FRAME_FIRST 0x01
#define STORE_FRAME_LAST 0x02

struct store_frame {
    uint64_t seq; /* goes up with each frame of a journal, by one within an entry */
    uint32_t body_len, body_crc;
    uint8_t kind; /* enum store_kind */
    uint8_t flags;
};

/* Bytes of a frame, its padding included. */
static inline uint64_t store_frame_room(uint32_t body_len)
{
    return STORE_FRAME_LEN + (((uint64_t)body_len + 7) & ~(uint64_t)7);
}

/* Writes the head for this body, whose checksum it takes. */
void store_frame_write(const struct store_frame *f, uint64_t id, const uint8_t *body,
                       uint8_t out[STORE_FRAME_LEN]);

enum store_frame_result {
    STORE_FRAME_GOOD,
    STORE_FRAME_NONE, /* zeros: nothing was written here */
    STORE_FRAME_BAD,
};
enum store_frame_result store_frame_parse(struct store_frame *f, uint64_t id,
                                          const uint8_t bytes[STORE_FRAME_LEN]);
bool store_frame_body_good(const struct store_frame *f, const uint8_t *body);

/* ---- bodies ---- */

/* What the first frame of an entry begins with. */
struct store_begin {
    struct dns_name origin;
    uint32_t from, to;
};
void store_begin_write(struct wr *w, const struct dns_name *origin, uint32_t from, uint32_t to);
bool store_begin_parse(struct store_begin *b, struct rd *r) BASE_MUST_USE;

/* Four fields in network order, after which a reader looks at r->bad. */
void store_times_write(struct wr *w, const struct store_times *t);
/* The other way; what is missing is 0, and r->bad. */
void store_times_parse(struct store_times *t, struct rd *r);

/* Items: one record, or the times. An owner is written when it is another than that of the item before
 * in the same frame. */
void store_item_times_write(struct wr *w, const struct store_times *t);
void store_item_record_write(struct wr *w, const struct dns_name *origin,
                             const struct zone_change *c, bool with_owner);

struct store_item {
    bool is_times;
    struct store_times times;
    struct zone_change record; /* owner and RDATA are borrowed from the reader and its bytes */
};
struct store_item_reader {
    struct rd r;
    const struct dns_name *origin; /* borrowed */
    bool has_owner;
    struct dns_name owner;
};
/* False after the last item, or r.bad: broken. */
bool store_item_next(struct store_item_reader *ir, struct store_item *out);

/* ---- the end of a snapshot ---- */

/* Behind the image: the times of the zones that have any, then this. */
#define STORE_FOOT_LEN 64
struct store_foot {
    uint32_t number;     /* also in the file's name: the state before journal `number` */
    uint64_t journal_id; /* of that journal */
    uint64_t image_len, table_len;
    uint32_t count; /* rows of the table */
    uint32_t table_crc;
};
void store_foot_write(const struct store_foot *f, uint8_t out[STORE_FOOT_LEN]);
bool store_foot_parse(struct store_foot *f, const uint8_t bytes[STORE_FOOT_LEN]) BASE_MUST_USE;

#endif
