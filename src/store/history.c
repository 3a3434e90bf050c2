/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The changes of a zone, read out of the journals for IXFR out (RFC 1995). */
#include <stdlib.h>

#include "base/assert.h"
#include "store/state.h"

struct store_history {
    const struct store_io *io; /* of the store */
    struct store_step *step;
    struct store_journal **journal; /* of each step; each holds a reference */
    uint32_t steps, at;
    bool reading; /* a frame of step `at` is at hand */
    bool last;    /* … its last */
    struct store_reader reader;
    struct store_begin begin;
    struct store_item_reader items;
};

static struct store_journal *journal_of(const struct store *s, uint32_t number)
{
    for (size_t i = s->journals; i != 0; i--)
        if (s->journal[i - 1]->head.number == number)
            return s->journal[i - 1];
    return NULL;
}

struct store_history *store_history_open(struct store *s, const struct dns_name *origin,
                                         uint32_t from_serial, uint32_t to_serial)
{
    uint32_t count;
    struct store_step *step = store_index_find(s->index, origin, from_serial, to_serial, &count);
    if (step == NULL)
        return NULL;
    struct store_history *h = base_calloc(1, sizeof *h);
    h->io = &s->io;
    h->step = step;
    h->steps = count;
    h->journal = base_calloc(count, sizeof(struct store_journal *));
    for (uint32_t i = 0; i < count; i++) {
        h->journal[i] = journal_of(s, step[i].file);
        base_assert(h->journal[i] != NULL);
        h->journal[i]->refs++;
    }
    return h;
}

static bool damaged(const struct store_history *h, struct err *e)
{
    char name[STORE_NAME_MAX];
    return err_set(e, ERR_INPUT, NULL, "%s of the store is damaged",
                   store_journal_name(h->journal[h->at]->head.number, name));
}

/* Whether the entry is the one that the index means. */
static bool is_step(const struct store_history *h, const struct store_frame *f)
{
    const struct store_step *s = &h->step[h->at];
    return f->kind == STORE_CHANGE && h->begin.from == s->from && h->begin.to == s->to;
}

/* Brings the next frame of the step at hand; false with *e. */
static bool next_frame(struct store_history *h, struct err *e)
{
    const struct store_step *s = &h->step[h->at];
    const struct store_journal *j = h->journal[h->at];
    struct store_frame f;
    const uint8_t *body;
    size_t len;
    uint64_t at;
    bool first = !h->reading;
    if (first) {
        store_reader_fini(&h->reader);
        store_reader_init(&h->reader, h->io, j, s->at, j->end, true);
    }
    enum store_read got = store_reader_next(&h->reader, &f, &body, &len, &at, e);
    if (got == STORE_READ_FAILED)
        return false;
    if (got != STORE_READ_FRAME)
        return damaged(h, e);
    h->items.r = rd_init(body, len);
    if (first && (!store_begin_parse(&h->begin, &h->items.r) || !is_step(h, &f)))
        return damaged(h, e);
    h->items.origin = &h->begin.origin;
    h->items.has_owner = false;
    h->reading = true;
    h->last = (f.flags & STORE_FRAME_LAST) != 0;
    return true;
}

bool store_history_next(struct store_history *h, struct zone_change *out, uint32_t *step,
                        struct err *e)
{
    struct store_item item;
    while (h->at < h->steps) {
        if (!h->reading && !next_frame(h, e))
            break;
        while (store_item_next(&h->items, &item))
            if (!item.is_times) {
                *out = item.record;
                *step = h->at;
                return true;
            }
        if (h->items.r.bad) {
            (void)damaged(h, e);
            break;
        }
        if (h->last) {
            h->reading = false;
            h->at++;
        } else if (!next_frame(h, e)) {
            break;
        }
    }
    h->at = h->steps; /* nothing comes after an error */
    return false;
}

uint64_t store_history_bytes(const struct store_history *h)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < h->steps; i++)
        bytes += h->step[i].bytes;
    return bytes;
}

void store_history_close(struct store_history *h)
{
    if (h == NULL)
        return;
    for (uint32_t i = 0; i < h->steps; i++)
        store_journal_unref(h->io, h->journal[i]);
    store_reader_fini(&h->reader);
    free(h->journal);
    free(h->step);
    free(h);
}
