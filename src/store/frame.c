/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The bytes of journals and of what stands behind a snapshot's image. */
#include "store/frame.h"

#include "base/assert.h"
#include "base/crc.h"
#include "dns/type.h"

#define LAYOUT 1
#define FRAME_MAGIC 0x50474631u /* "PGF1" */
static const char journal_magic[8] = "PGJRNL\r\n", snapshot_magic[8] = "PGSNAP\r\n";

#define ITEM_TIMES 0x80
#define ITEM_RECORD 0x40
#define ITEM_OWNER 0x02
#define ITEM_ADD 0x01

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

/* The rest but the last four bytes is zero, and those are the checksum of all before. */
static void end_write(struct wr *w)
{
    size_t left = wr_left(w);
    base_assert(left >= 4);
    uint8_t *p = wr_room(w, left);
    memset(p, 0, left - 4);
    wr_put_u16(p + left - 4, 0);
    uint32_t crc = crc_32c(0, w->begin, wr_len(w) - 4);
    wr_put_u16(p + left - 4, (uint16_t)(crc >> 16));
    wr_put_u16(p + left - 2, (uint16_t)crc);
}

static bool end_good(const uint8_t *bytes, size_t len)
{
    struct rd r = rd_init(bytes + len - 4, 4);
    return rd_u32(&r) == crc_32c(0, bytes, len - 4);
}

void store_head_write(const struct store_head *h, uint8_t out[STORE_HEAD_LEN])
{
    struct wr w = wr_init(out, STORE_HEAD_LEN);
    wr_bytes(&w, journal_magic, sizeof journal_magic);
    wr_u32(&w, LAYOUT);
    wr_u32(&w, h->number);
    wr_u64(&w, h->id);
    wr_u32(&w, h->base_number);
    wr_u64(&w, h->base_id);
    wr_u64(&w, h->base_len);
    end_write(&w);
}

bool store_head_parse(struct store_head *h, const uint8_t bytes[STORE_HEAD_LEN])
{
    struct rd r = rd_init(bytes, STORE_HEAD_LEN);
    const uint8_t *magic = rd_bytes(&r, sizeof journal_magic);
    if (memcmp(magic, journal_magic, sizeof journal_magic) != 0 || rd_u32(&r) != LAYOUT ||
        !end_good(bytes, STORE_HEAD_LEN))
        return false;
    h->number = rd_u32(&r);
    h->id = rd_u64(&r);
    h->base_number = rd_u32(&r);
    h->base_id = rd_u64(&r);
    h->base_len = rd_u64(&r);
    return h->number != 0 && h->base_number < h->number;
}

static uint32_t frame_crc(uint64_t id, const uint8_t bytes[STORE_FRAME_LEN])
{
    uint8_t salt[8];
    struct wr w = wr_init(salt, sizeof salt);
    wr_u64(&w, id);
    return crc_32c(crc_32c(0, salt, sizeof salt), bytes, STORE_FRAME_LEN - 4);
}

void store_frame_write(const struct store_frame *f, uint64_t id, const uint8_t *body,
                       uint8_t out[STORE_FRAME_LEN])
{
    struct wr w = wr_init(out, STORE_FRAME_LEN);
    wr_u32(&w, FRAME_MAGIC);
    wr_u32(&w, f->body_len);
    wr_u64(&w, f->seq);
    wr_u8(&w, f->kind);
    wr_u8(&w, f->flags);
    wr_u16(&w, 0);
    wr_u32(&w, crc_32c(0, body, f->body_len));
    wr_u32(&w, 0);
    wr_u32(&w, frame_crc(id, out));
}

enum store_frame_result store_frame_parse(struct store_frame *f, uint64_t id,
                                          const uint8_t bytes[STORE_FRAME_LEN])
{
    static const uint8_t zero[STORE_FRAME_LEN];
    if (memcmp(bytes, zero, sizeof zero) == 0)
        return STORE_FRAME_NONE;
    struct rd r = rd_init(bytes, STORE_FRAME_LEN);
    uint32_t magic = rd_u32(&r);
    f->body_len = rd_u32(&r);
    f->seq = rd_u64(&r);
    f->kind = rd_u8(&r);
    f->flags = rd_u8(&r);
    rd_skip(&r, 2);
    f->body_crc = rd_u32(&r);
    rd_skip(&r, 4);
    if (magic != FRAME_MAGIC || rd_u32(&r) != frame_crc(id, bytes))
        return STORE_FRAME_BAD;
    /* Right checksums and a content that is never written: another version's, perhaps. */
    bool known = f->kind >= STORE_CHANGE && f->kind <= STORE_TIMES &&
                 (f->flags & ~(STORE_FRAME_FIRST | STORE_FRAME_LAST)) == 0;
    return known && f->body_len <= STORE_BODY_MAX ? STORE_FRAME_GOOD : STORE_FRAME_BAD;
}

bool store_frame_body_good(const struct store_frame *f, const uint8_t *body)
{
    return crc_32c(0, body, f->body_len) == f->body_crc;
}

void store_begin_write(struct wr *w, const struct dns_name *origin, uint32_t from, uint32_t to)
{
    wr_bytes(w, origin->wire, origin->len);
    wr_u32(w, from);
    wr_u32(w, to);
}

bool store_begin_parse(struct store_begin *b, struct rd *r)
{
    if (!dns_name_parse(&b->origin, r))
        return false;
    b->from = rd_u32(r);
    b->to = rd_u32(r);
    return !r->bad;
}

void store_times_write(struct wr *w, const struct store_times *t)
{
    wr_u64(w, (uint64_t)t->refreshed);
    wr_u64(w, (uint64_t)t->expires);
    wr_u64(w, (uint64_t)t->changed);
    wr_u8(w, t->flags);
}

void store_times_parse(struct store_times *t, struct rd *r)
{
    t->refreshed = (int64_t)rd_u64(r);
    t->expires = (int64_t)rd_u64(r);
    t->changed = (int64_t)rd_u64(r);
    t->flags = rd_u8(r);
}

void store_item_times_write(struct wr *w, const struct store_times *t)
{
    wr_u8(w, ITEM_TIMES);
    store_times_write(w, t);
}

void store_item_record_write(struct wr *w, const struct dns_name *origin,
                             const struct zone_change *c, bool with_owner)
{
    wr_u8(w, (uint8_t)(ITEM_RECORD | (with_owner ? ITEM_OWNER : 0) | (c->add ? ITEM_ADD : 0)));
    if (with_owner) {
        /* Its labels below the origin, ended like a name. */
        wr_bytes(w, c->owner->wire, (size_t)(c->owner->len - origin->len));
        wr_u8(w, 0);
    }
    wr_u16(w, c->type);
    wr_u32(w, c->ttl_s);
    wr_u16(w, c->len);
    wr_bytes(w, c->rdata, c->len);
}

bool store_item_next(struct store_item_reader *ir, struct store_item *out)
{
    struct rd *r = &ir->r;
    if (r->bad || rd_left(r) == 0)
        return false;
    uint8_t tag = rd_u8(r);
    out->is_times = tag == ITEM_TIMES;
    if (out->is_times) {
        store_times_parse(&out->times, r);
        return !r->bad;
    }
    if ((tag & ~(ITEM_OWNER | ITEM_ADD)) != ITEM_RECORD) {
        r->bad = true;
        return false;
    }
    struct dns_name below;
    if ((tag & ITEM_OWNER) != 0)
        ir->has_owner = dns_name_parse(&below, r) &&
                        dns_name_join(&below, below.labels, ir->origin, &ir->owner);
    struct zone_change *c = &out->record;
    c->owner = &ir->owner;
    c->add = (tag & ITEM_ADD) != 0;
    c->type = rd_u16(r);
    c->ttl_s = rd_u32(r);
    c->len = rd_u16(r);
    c->rdata = rd_bytes(r, c->len);
    r->bad = r->bad || !ir->has_owner || !dns_type_is_data(c->type) ||
             !dns_rdata_valid(c->type, c->rdata, c->len);
    return !r->bad;
}

void store_foot_write(const struct store_foot *f, uint8_t out[STORE_FOOT_LEN])
{
    struct wr w = wr_init(out, STORE_FOOT_LEN);
    wr_bytes(&w, snapshot_magic, sizeof snapshot_magic);
    wr_u32(&w, LAYOUT);
    wr_u32(&w, f->number);
    wr_u64(&w, f->journal_id);
    wr_u64(&w, f->image_len);
    wr_u64(&w, f->table_len);
    wr_u32(&w, f->count);
    wr_u32(&w, f->table_crc);
    end_write(&w);
}

bool store_foot_parse(struct store_foot *f, const uint8_t bytes[STORE_FOOT_LEN])
{
    struct rd r = rd_init(bytes, STORE_FOOT_LEN);
    const uint8_t *magic = rd_bytes(&r, sizeof snapshot_magic);
    if (memcmp(magic, snapshot_magic, sizeof snapshot_magic) != 0 || rd_u32(&r) != LAYOUT ||
        !end_good(bytes, STORE_FOOT_LEN))
        return false;
    f->number = rd_u32(&r);
    f->journal_id = rd_u64(&r);
    f->image_len = rd_u64(&r);
    f->table_len = rd_u64(&r);
    f->count = rd_u32(&r);
    f->table_crc = rd_u32(&r);
    return f->number != 0;
}
