/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writing entries. They go through a buffer to the end of the current journal; store_sync() makes them
 * count. When a write fails, the file goes back to where the entry began. When a sync fails, nobody knows
 * what the disk has: the kernel may have dropped the pages and would call the next sync good. So the file
 * is left as it was at the last good sync, and the next entry begins a new one that says so. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/log.h"
#include "dns/type.h"
#include "store/state.h"

static void fail(struct store_pen *p, const struct err *e)
{
    if (!p->failed)
        p->why = *e;
    p->failed = true;
}

static const char *room_hint(void)
{
    return errno == ENOSPC || errno == EDQUOT ? "make room on the disk of state_dir" : NULL;
}

/* Writes the buffer behind what is in the file. */
static bool flush(struct store *s, struct err *e)
{
    struct store_pen *p = &s->pen;
    char name[STORE_NAME_MAX];
    if (p->used == 0)
        return true;
    if (!store_io_write(&s->io, s->cur->fd, p->buf, p->used, p->flushed))
        return err_set_errno(e, room_hint(), "cannot write %s of the store",
                             store_journal_name(s->cur->head.number, name));
    p->flushed += p->used;
    p->used = 0;
    return true;
}

/* The entries that were ended and not synced are void. */
static void forget_pending(struct store_pen *p)
{
    for (size_t i = 0; i < p->pendings; i++)
        free(p->pending[i].origin);
    p->pendings = 0;
}

/* The journal as it was at the last good sync is what counts; what waits for a sync is void. */
static void give_up_journal(struct store *s)
{
    struct store_journal *j = s->cur;
    char name[STORE_NAME_MAX];
    forget_pending(&s->pen);
    s->pen.used = 0;
    s->pen.broken = false;
    s->suspect = true;
    if (j->end > STORE_HEAD_LEN || j->pinned) {
        store_journal_leave(s);
        return;
    }
    /* Nothing of it counts: without the file the next one goes on from where this one did. */
    s->cur = NULL;
    s->journals--;
    s->io.remove(s->io.arg, store_journal_name(j->head.number, name));
    store_journal_unref(&s->io, j);
}

/* Back to `at`, where the entry at hand began. What the file has of it is taken off, so that its room is
 * free; where that fails it is no harm: it has no last frame, and none that is written later fits behind
 * its first ones, since an entry's numbers have no gap. */
static void go_back(struct store *s, uint64_t at)
{
    struct store_pen *p = &s->pen;
    if (at >= p->flushed) {
        p->used = (size_t)(at - p->flushed);
        return;
    }
    p->flushed = at;
    p->used = 0;
    (void)s->io.truncate(s->io.arg, s->cur->fd, at);
}

void store_begin(struct store *s, enum store_kind kind, const struct dns_name *origin,
                 uint32_t from_serial, uint32_t to_serial)
{
    struct store_pen *p = &s->pen;
    struct err e = { 0 };
    base_assert(!p->open);
    p->open = true;
    p->failed = false;
    p->kind = kind;
    p->origin = *origin;
    p->from = from_serial;
    p->to = to_serial;
    p->has_owner = p->has_times = false;
    p->first = true;
    p->items_bytes = 0;
    if (p->broken && p->pendings == 0)
        give_up_journal(s);
    if (p->broken)
        fail(p, &p->why_broken);
    else if (s->cur == NULL && !store_journal_new(s, &e))
        fail(p, &e);
    p->start = store_pen_at(p);
    p->w = wr_init(p->body, STORE_BODY_MAX);
    store_begin_write(&p->w, origin, from_serial, to_serial);
}

/* Ends the frame at hand and begins the next. */
static void end_frame(struct store *s, bool last)
{
    struct store_pen *p = &s->pen;
    struct err e = { 0 };
    struct store_frame f = { .seq = ++p->seq,
                             .body_len = (uint32_t)wr_len(&p->w),
                             .kind = (uint8_t)p->kind,
                             .flags = (uint8_t)((p->first ? STORE_FRAME_FIRST : 0) |
                                                (last ? STORE_FRAME_LAST : 0)) };
    size_t room = (size_t)store_frame_room(f.body_len);
    uint8_t *out = p->buf + p->used;
    base_assert(!p->w.full);
    store_frame_write(&f, s->cur->head.id, p->body, out);
    memcpy(out + STORE_FRAME_LEN, p->body, f.body_len);
    memset(out + STORE_FRAME_LEN + f.body_len, 0, room - STORE_FRAME_LEN - f.body_len);
    p->used += room;
    p->first = p->has_owner = false;
    p->w = wr_init(p->body, STORE_BODY_MAX);
    if (p->used <= STORE_BUFFER || flush(s, &e))
        return;
    /* The file may have any part of the buffer now. */
    p->broken = true;
    p->why_broken = e;
    fail(p, &e);
}

void store_record(struct store *s, const struct zone_change *c)
{
    struct store_pen *p = &s->pen;
    struct err e = { 0 };
    base_assert(p->open);
    base_assert(p->kind == STORE_CHANGE || p->kind == STORE_WHOLE);
    base_assert(dns_name_is_under(c->owner, &p->origin));
    if (p->failed)
        return;
    /* What would be refused when it is read again is not written. */
    if (!dns_type_is_data(c->type) || !dns_rdata_valid(c->type, c->rdata, c->len)) {
        char owner[DNS_TEXT_MAX], type[DNS_TYPE_TEXT_MAX];
        (void)err_set(&e, ERR_INPUT, NULL, "a record of %.120s %s is broken",
                      dns_name_text(c->owner, owner), dns_type_text(c->type, type));
        fail(p, &e);
        return;
    }
    bool same = p->has_owner && p->owner.len == c->owner->len &&
                memcmp(p->owner.wire, c->owner->wire, c->owner->len) == 0;
    store_item_record_write(&p->w, &p->origin, c, !same);
    if (!same)
        p->owner = *c->owner;
    p->has_owner = true;
    p->items_bytes += 12u + c->len;
    if (wr_len(&p->w) > STORE_BODY_WANTED)
        end_frame(s, false);
}

void store_times(struct store *s, const struct store_times *times)
{
    struct store_pen *p = &s->pen;
    base_assert(p->open);
    base_assert(p->kind != STORE_REMOVE);
    if (p->failed)
        return;
    p->times = *times;
    p->has_times = true;
    store_item_times_write(&p->w, times);
}

static void add_pending(struct store *s)
{
    struct store_pen *p = &s->pen;
    if (p->pendings == p->pendings_cap) {
        p->pendings_cap = p->pendings_cap == 0 ? 16 : p->pendings_cap * 2;
        p->pending = base_realloc(p->pending, p->pendings_cap * sizeof *p->pending);
    }
    uint64_t bytes = p->items_bytes < UINT32_MAX ? p->items_bytes : UINT32_MAX;
    struct store_pending *n = &p->pending[p->pendings++];
    *n = (struct store_pending){ .origin = base_alloc(p->origin.len),
                                 .kind = p->kind,
                                 .has_times = p->has_times,
                                 .times = p->times,
                                 .step = { .at = p->start,
                                           .file = s->cur->head.number,
                                           .from = p->from,
                                           .to = p->to,
                                           .bytes = (uint32_t)bytes } };
    memcpy(n->origin, p->origin.wire, p->origin.len);
}

void store_abort(struct store *s)
{
    struct store_pen *p = &s->pen;
    base_assert(p->open);
    p->open = false;
    if (s->cur != NULL && !p->broken)
        go_back(s, p->start);
}

bool store_end(struct store *s, struct err *e)
{
    struct store_pen *p = &s->pen;
    base_assert(p->open);
    if (!p->failed)
        end_frame(s, true);
    if (p->failed) {
        *e = p->why;
        store_abort(s);
        return false;
    }
    add_pending(s);
    p->open = false;
    return true;
}

/* What was synced now counts for the index as well. */
static void take_pending(struct store *s)
{
    struct store_pen *p = &s->pen;
    for (size_t i = 0; i < p->pendings; i++) {
        struct store_pending *n = &p->pending[i];
        struct dns_name origin;
        struct rd r = rd_init(n->origin, DNS_NAME_MAX);
        bool good = dns_name_parse(&origin, &r);
        base_assert(good);
        store_index_entry(s->index, n->kind, &origin, &n->step, n->has_times ? &n->times : NULL);
        free(n->origin);
    }
    p->pendings = 0;
}

bool store_sync(struct store *s, struct err *e)
{
    struct store_pen *p = &s->pen;
    char name[STORE_NAME_MAX];
    base_assert(!p->open);
    if (p->pendings == 0)
        return true;
    if (p->broken || !flush(s, e)) {
        if (p->broken)
            *e = p->why_broken;
        give_up_journal(s);
        return false;
    }
    if (s->io.sync(s->io.arg, s->cur->fd) != 0) {
        store_journal_name(s->cur->head.number, name);
        err_set_errno(e, room_hint(), "cannot sync %s of the store: what it has is not known",
                      name);
        log_error("store_sync_failed", "file=%s at=%llu", name, (unsigned long long)s->cur->end);
        give_up_journal(s);
        return false;
    }
    s->cur->end = p->flushed;
    take_pending(s);
    return true;
}

static void zone_items(struct store *s, struct zone_change *c, const uint8_t *items, uint32_t len)
{
    for (uint32_t at = 0; at + 2 <= len; at += 2u + c->len) {
        c->len = (uint16_t)(items[at] << 8 | items[at + 1]);
        c->rdata = items + at + 2;
        store_record(s, c);
    }
}

bool store_zone(struct store *s, const struct zone *z, const struct store_times *times,
                struct err *e)
{
    struct dns_name origin, owner;
    struct zone_walk walk;
    const struct zone_node *n;
    struct zone_rrset r;
    zone_origin(z, &origin);
    store_begin(s, STORE_WHOLE, &origin, 0, zone_serial(z));
    if (times != NULL)
        store_times(s, times);
    zone_walk_begin(&walk, z);
    while ((n = zone_walk_next(&walk)) != NULL) {
        uint32_t pos = 0;
        zone_node_name(z, n, &owner);
        while (zone_node_next(z, n, &pos, &r)) {
            struct zone_change c = {
                .owner = &owner, .type = r.type, .ttl_s = r.ttl_s, .add = true
            };
            zone_items(s, &c, r.rdata, r.rdata_len);
            c.type = DNS_TYPE_RRSIG;
            c.ttl_s = r.sig_ttl_s;
            zone_items(s, &c, r.sigs, r.sigs_len);
        }
    }
    return store_end(s, e);
}
