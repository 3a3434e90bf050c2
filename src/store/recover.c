/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From the files to an edit: the snapshot's bytes, then the entries behind it. */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/log.h"
#include "store/state.h"
#include "zone/errors.h"

#define LOGGED_MAX 20            /* zones that are told one by one */
#define COMMIT_BYTES (32u << 20) /* of entries: then what was staged for them is let go */
#define PART_LEN (256u * 1024)

/* Records of a change, which zone_edit_change() takes all at once. Owners and RDATA lie in parts that
 * never move. */
struct part {
    struct part *next;
    size_t used, cap;
    uint8_t bytes[];
};

struct replay {
    struct store *s;
    struct zone_edit *ed;
    struct zone_errors *errs;
    struct store_begin begin;
    struct zone_whole *whole; /* of the entry at hand, when it is one */
    struct zone_change *change;
    uint32_t changes, changes_cap;
    const struct dns_name *owner; /* of the last change, in a part */
    struct part *part;
    bool failed; /* the entry at hand cannot be used */
    uint64_t staged, entries;
    uint32_t lost;
};

static void *keep(struct replay *r, const void *bytes, size_t len)
{
    size_t room = (len + 7) & ~(size_t)7;
    if (r->part == NULL || r->part->cap - r->part->used < room) {
        size_t cap = room > PART_LEN ? room : PART_LEN;
        struct part *p = base_alloc(sizeof *p + cap);
        p->next = r->part;
        p->used = 0;
        p->cap = cap;
        r->part = p;
    }
    void *to = r->part->bytes + r->part->used;
    if (len != 0)
        memcpy(to, bytes, len);
    r->part->used += room;
    return to;
}

static void forget_changes(struct replay *r)
{
    while (r->part != NULL) {
        struct part *next = r->part->next;
        free(r->part);
        r->part = next;
    }
    r->changes = 0;
    r->owner = NULL;
}

static void add_change(struct replay *r, const struct zone_change *c)
{
    if (r->changes == r->changes_cap) {
        r->changes_cap = r->changes_cap == 0 ? 256 : r->changes_cap * 2;
        r->change = base_realloc(r->change, r->changes_cap * sizeof *r->change);
    }
    struct zone_change *to = &r->change[r->changes++];
    *to = *c;
    to->rdata = keep(r, c->rdata, c->len);
    if (r->owner == NULL || r->owner->len != c->owner->len ||
        memcmp(r->owner->wire, c->owner->wire, c->owner->len) != 0)
        r->owner = keep(r, c->owner, sizeof *c->owner);
    to->owner = r->owner;
}

/* The zone as it is with all entries so far. */
static const struct zone *zone_now(struct replay *r)
{
    const struct zone *z = zone_edit_pending(r->ed, &r->begin.origin);
    if (z != NULL)
        return z;
    z = zone_set_find(zone_edit_set(r->ed), &r->begin.origin);
    struct dns_name origin;
    if (z == NULL)
        return NULL;
    zone_origin(z, &origin);
    return dns_name_equal(&origin, &r->begin.origin) ? z : NULL;
}

static void tell_lost(struct replay *r, const char *why)
{
    char origin[DNS_TEXT_MAX];
    r->failed = true;
    if (r->lost++ < LOGGED_MAX)
        log_error("store_entry_unusable", "zone=%s from=%u to=%u why=\"%s\"",
                  dns_name_text(&r->begin.origin, origin), r->begin.from, r->begin.to, why);
}

static void begin_entry(struct replay *r, const struct store_frame *f, struct rd *rd)
{
    r->failed = !store_begin_parse(&r->begin, rd);
    base_assert(!r->failed); /* it was read before, when the store was opened */
    if (f->kind == STORE_WHOLE)
        r->whole = zone_whole_new(&r->begin.origin);
}

static void give_item(struct replay *r, const struct store_item *item)
{
    const struct zone_change *c = &item->record;
    if (item->is_times || r->failed)
        return;
    if (r->whole == NULL)
        add_change(r, c);
    else if (!zone_whole_add(r->whole, c->owner, c->type, c->ttl_s, c->rdata, c->len, r->errs))
        tell_lost(r, r->errs->at[0].what);
}

static void end_entry(struct replay *r, const struct store_frame *f)
{
    const struct zone *z;
    switch ((enum store_kind)f->kind) {
    case STORE_CHANGE:
        z = r->failed ? NULL : zone_now(r);
        if (z == NULL || zone_state(z) == ZONE_EMPTY || zone_serial(z) != r->begin.from)
            tell_lost(r, "the version that it changes is not there");
        else if (!zone_edit_change(r->ed, &r->begin.origin, r->change, r->changes, r->errs))
            tell_lost(r, r->errs->at[0].what);
        break;
    case STORE_WHOLE:
        if (!r->failed && !zone_edit_replace(r->ed, r->whole, r->errs))
            tell_lost(r, r->errs->at[0].what);
        break;
    case STORE_REMOVE:
        zone_edit_remove(r->ed, &r->begin.origin);
        break;
    case STORE_TIMES:
        break;
    }
    zone_whole_free(r->whole);
    r->whole = NULL;
    forget_changes(r);
    memset(r->errs, 0, sizeof *r->errs);
    r->entries++;
}

/* All entries of a journal, whose `end` is after a whole one. */
static bool replay_journal(struct replay *r, const struct store_journal *j, struct err *e)
{
    struct store_reader reader;
    struct store_frame f;
    struct zone_version v;
    const uint8_t *body;
    size_t len;
    uint64_t at;
    enum store_read got = STORE_READ_END;
    bool good = true;
    store_reader_init(&reader, &r->s->io, j, STORE_HEAD_LEN, j->end, true);
    while (good &&
           (got = store_reader_next(&reader, &f, &body, &len, &at, e)) == STORE_READ_FRAME) {
        struct store_item_reader ir = { .r = rd_init(body, len) };
        struct store_item item;
        if ((f.flags & STORE_FRAME_FIRST) != 0)
            begin_entry(r, &f, &ir.r);
        ir.origin = &r->begin.origin;
        while (store_item_next(&ir, &item))
            give_item(r, &item);
        r->staged += len;
        if ((f.flags & STORE_FRAME_LAST) != 0)
            end_entry(r, &f);
        if ((f.flags & STORE_FRAME_LAST) != 0 && r->staged > COMMIT_BYTES) {
            good = zone_edit_commit(r->ed, &v, e);
            r->staged = 0;
        }
    }
    store_reader_fini(&reader);
    if (good && got == STORE_READ_BAD)
        good = err_set(e, ERR_INPUT, NULL, "a journal of the store changed while it was read");
    return good && got == STORE_READ_END;
}

static bool replay_all(struct store *s, struct zone_edit *ed, struct zone_version *out,
                       struct err *e)
{
    struct replay r = { .s = s, .ed = ed, .errs = base_calloc(1, sizeof *r.errs) };
    bool good = true;
    for (size_t i = 0; good && i < s->journals; i++)
        if (s->journal[i]->head.number >= s->snapshot[0].number)
            good = replay_journal(&r, s->journal[i], e);
    good = good && zone_edit_commit(ed, out, e);
    zone_whole_free(r.whole);
    forget_changes(&r);
    free(r.change);
    free(r.errs);
    if (r.lost != 0) {
        log_error("store_entries_unusable", "entries=%u of=%llu", r.lost,
                  (unsigned long long)r.entries);
        s->suspect = true;
    }
    return good;
}

static struct zone_edit *start(struct store *s, uint64_t last_version, struct err *e)
{
    struct store_foot foot;
    uint64_t bytes;
    if (s->snapshot[0].number == 0)
        return zone_edit_new(last_version, e);
    int fd = store_snapshot_check(&s->io, s->snapshot[0].number, &foot, &bytes, e);
    if (fd < 0)
        return NULL;
    struct zone_edit *ed = zone_edit_from(fd, last_version, e);
    s->io.close(s->io.arg, fd);
    return ed;
}

struct zone_edit *store_recover(struct store *s, uint64_t last_version, store_zone_handler *each,
                                void *arg, struct zone_version *out, struct err *e)
{
    static const struct store_times none;
    struct zone_edit *ed = start(s, last_version, e);
    if (ed == NULL)
        return NULL;
    if (!replay_all(s, ed, out, e)) {
        zone_edit_free(ed);
        return NULL;
    }
    const struct zone_set *set = zone_edit_set(ed);
    for (uint32_t i = 0; each != NULL && i < zone_set_count(set); i++) {
        const struct zone *z = zone_set_at(set, i);
        struct dns_name origin;
        if (z == NULL)
            break;
        zone_origin(z, &origin);
        const struct store_times *t = store_index_times(s->index, &origin);
        each(arg, z, t != NULL ? t : &none);
    }
    return ed;
}
