/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Zones on disk. What has been written to a journal and synced counts; a snapshot is an image of all
 * zones, so that the journals before it are history only. docs/store.md has the format.
 *
 * A journal says in its head what state its entries go on from: how many bytes of which journal. So the
 * files make a chain, and what is in no chain never was: the end of a journal whose sync failed, or that
 * was torn by a crash. Nobody writes behind such an end; the next entry goes to a new file. Snapshot N is
 * the state before journal N.
 *
 * Here: opening the folder, which finds the snapshot and the chain, and reads what the index needs. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/assert.h"
#include "base/log.h"
#include "store/state.h"

/* What is in the folder. */
struct found {
    const struct store_io *io;
    uint32_t *journal, *snapshot, *unfinished;
    size_t journals, snapshots, unfinisheds;
};

static void add_number(uint32_t **rows, size_t *count, uint32_t number)
{
    if ((*count & (*count + 1)) == 0)
        *rows = base_realloc(*rows, (*count * 2 + 2) * sizeof **rows);
    (*rows)[(*count)++] = number;
}

static void found_name(void *arg, const char *name)
{
    struct found *f = arg;
    uint32_t number;
    switch (store_name_parse(name, &number)) {
    case STORE_NAME_JOURNAL:
        add_number(&f->journal, &f->journals, number);
        break;
    case STORE_NAME_SNAPSHOT:
        add_number(&f->snapshot, &f->snapshots, number);
        break;
    case STORE_NAME_UNFINISHED:
        add_number(&f->unfinished, &f->unfinisheds, number);
        break;
    case STORE_NAME_OTHER:
        break;
    }
}

static int newest_first(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x < y) - (x > y);
}

static bool look(struct found *f, struct err *e)
{
    if (f->io->list(f->io->arg, found_name, f) != 0)
        return err_set_errno(e, NULL, "cannot list the store's folder");
    if (f->journals != 0)
        qsort(f->journal, f->journals, sizeof *f->journal, newest_first);
    if (f->snapshots != 0)
        qsort(f->snapshot, f->snapshots, sizeof *f->snapshot, newest_first);
    for (size_t i = 0; i < f->unfinisheds; i++) {
        char name[STORE_NAME_MAX];
        f->io->remove(f->io->arg, store_snapshot_name(f->unfinished[i], false, name));
    }
    return true;
}

static void found_fini(struct found *f)
{
    free(f->journal);
    free(f->snapshot);
    free(f->unfinished);
}

/* The newest snapshot that is whole, and one before it that is not looked at. Its descriptor, or -1. */
static int pick_snapshot(struct store *s, const struct found *f, struct store_foot *foot)
{
    int fd = -1;
    size_t i = 0;
    for (; i < f->snapshots && fd < 0; i++) {
        struct err e = { 0 };
        char text[512], quoted[512];
        fd = store_snapshot_check(&s->io, f->snapshot[i], foot, &s->snapshot[0].bytes, &e);
        if (fd < 0)
            log_error("store_snapshot_damaged", "number=%u error=\"%s\"", f->snapshot[i],
                      log_quoted(err_text(&e, text, sizeof text), quoted, sizeof quoted));
    }
    if (fd < 0)
        return -1;
    s->snapshot[0].number = foot->number;
    s->snapshot_journal_id = foot->journal_id;
    s->suspect = i != 1;
    if (i < f->snapshots) {
        char name[STORE_NAME_MAX];
        int older =
            s->io.open(s->io.arg, store_snapshot_name(f->snapshot[i], true, name), O_RDONLY);
        s->snapshot[1].number = f->snapshot[i];
        if (older >= 0) {
            (void)s->io.size(s->io.arg, older, &s->snapshot[1].bytes);
            s->io.close(s->io.arg, older);
        }
    }
    return fd;
}

/* Opens a journal whose head is good; its `end` is the file's. */
static struct store_journal *open_journal(const struct store *s, uint32_t number)
{
    char name[STORE_NAME_MAX];
    uint8_t bytes[STORE_HEAD_LEN];
    struct store_journal *j = base_calloc(1, sizeof *j);
    j->refs = 1;
    j->fd = s->io.open(s->io.arg, store_journal_name(number, name), O_RDONLY);
    errno = 0;
    if (j->fd >= 0 && s->io.size(s->io.arg, j->fd, &j->end) == 0 && j->end >= STORE_HEAD_LEN &&
        store_io_read(&s->io, j->fd, bytes, sizeof bytes, 0) && store_head_parse(&j->head, bytes) &&
        j->head.number == number)
        return j;
    log_warn("store_journal_no_head", "file=%s", name);
    if (j->fd >= 0)
        s->io.close(s->io.arg, j->fd);
    free(j);
    return NULL;
}

/* All journals that have a head, newest first. */
struct heads {
    struct store_journal **j;
    size_t count;
};

static struct store_journal *head_of(const struct heads *h, uint32_t number)
{
    for (size_t i = 0; i < h->count; i++)
        if (h->j[i]->head.number == number)
            return h->j[i];
    return NULL;
}

/* What comes before `j`, with the bytes of it that count; NULL: nothing, or *broken. */
static struct store_journal *base_of(const struct heads *h, const struct store_journal *j,
                                     bool *broken)
{
    struct store_journal *b = head_of(h, j->head.base_number);
    bool good = b != NULL && b->head.id == j->head.base_id && b->end >= j->head.base_len;
    *broken = j->head.base_number != 0 && !good;
    return good ? b : NULL;
}

/* Whether journal `j` goes on, over others, from the state of the snapshot (or from nothing). */
static bool leads_to_snapshot(const struct store *s, const struct heads *h,
                              const struct store_journal *j)
{
    uint32_t number = s->snapshot[0].number;
    bool broken;
    while (j != NULL) {
        if (j->head.number == number)
            return j->head.id == s->snapshot_journal_id;
        if (j->head.number < number)
            return false;
        /* The snapshot's own journal is gone, and none of its entries is built on. */
        if (number != 0 && j->head.base_number == number &&
            j->head.base_id == s->snapshot_journal_id && j->head.base_len <= STORE_HEAD_LEN)
            return true;
        if (j->head.base_number == 0)
            return number == 0;
        j = base_of(h, j, &broken);
    }
    return false;
}

/* Puts the chain that ends with `j` into s->journal, as far back as it goes, and gives each its end. */
static void take_chain(struct store *s, const struct heads *h, struct store_journal *j)
{
    bool broken = false;
    size_t count = 0;
    for (struct store_journal *b = j; b != NULL; b = base_of(h, b, &broken))
        count++;
    s->journal = base_calloc(count + 8, sizeof(struct store_journal *));
    s->journals = count;
    s->journals_cap = count + 8;
    while (count != 0) {
        struct store_journal *before = base_of(h, j, &broken);
        if (before != NULL)
            before->end = j->head.base_len > STORE_HEAD_LEN ? j->head.base_len : STORE_HEAD_LEN;
        j->refs++;
        s->journal[--count] = j;
        j = before;
    }
}

static void find_chain(struct store *s, const struct found *f)
{
    struct heads h = { .j = base_calloc(f->journals + 1, sizeof(struct store_journal *)) };
    size_t tried = 0;
    for (size_t i = 0; i < f->journals; i++) {
        struct store_journal *j = open_journal(s, f->journal[i]);
        if (j != NULL)
            h.j[h.count++] = j;
    }
    while (tried < h.count && !leads_to_snapshot(s, &h, h.j[tried]))
        tried++;
    for (size_t i = 0; i < tried; i++)
        if (h.j[i]->head.number >= s->snapshot[0].number) {
            log_error("store_journal_unconnected",
                      "number=%u what=\"it goes on from a state that is not there: its entries are "
                      "lost\"",
                      h.j[i]->head.number);
            s->suspect = true;
        }
    if (tried < h.count)
        take_chain(s, &h, h.j[tried]);
    for (size_t i = 0; i < h.count; i++)
        store_journal_unref(&s->io, h.j[i]);
    free(h.j);
}

/* An entry while its frames are read. */
struct scan {
    struct store_begin begin;
    struct store_step step;
    struct store_times times;
    bool has_times, bad;
};

static void scan_frame(struct store *s, struct scan *c, const struct store_frame *f,
                       const uint8_t *body, size_t len, bool bodies)
{
    struct rd r = rd_init(body, len);
    if ((f->flags & STORE_FRAME_FIRST) != 0) {
        c->step.bytes = 0;
        c->has_times = false;
        c->bad = !store_begin_parse(&c->begin, &r);
    }
    uint64_t bytes = (uint64_t)c->step.bytes + f->body_len;
    c->step.bytes = bytes < UINT32_MAX ? (uint32_t)bytes : UINT32_MAX;
    struct store_item_reader ir = { .r = r, .origin = &c->begin.origin };
    struct store_item item;
    while (bodies && !c->bad && store_item_next(&ir, &item))
        if (item.is_times) {
            c->times = item.times;
            c->has_times = true;
        }
    c->bad = c->bad || ir.r.bad;
    if ((f->flags & STORE_FRAME_LAST) == 0 || c->bad)
        return;
    c->step.from = c->begin.from;
    c->step.to = c->begin.to;
    store_index_entry(s->index, f->kind, &c->begin.origin, &c->step,
                      c->has_times ? &c->times : NULL);
}

/* Reads a journal into the index; returns how many bytes of it are good, whole entries only. */
static uint64_t scan_journal(struct store *s, const struct store_journal *j, bool bodies,
                             enum store_read *got)
{
    struct store_reader r;
    struct scan c = { .step.file = j->head.number };
    struct store_frame f;
    const uint8_t *body;
    size_t len;
    uint64_t at, good = STORE_HEAD_LEN;
    struct err e = { 0 };
    store_reader_init(&r, &s->io, j, STORE_HEAD_LEN, j->end, bodies);
    while ((*got = store_reader_next(&r, &f, &body, &len, &at, &e)) == STORE_READ_FRAME) {
        if ((f.flags & STORE_FRAME_FIRST) != 0)
            c.step.at = at;
        scan_frame(s, &c, &f, body, len, bodies);
        if (c.bad) {
            *got = STORE_READ_BAD;
            break;
        }
        if ((f.flags & STORE_FRAME_LAST) != 0)
            good = r.at;
    }
    store_reader_fini(&r);
    char text[512], quoted[512];
    if (*got == STORE_READ_FAILED)
        log_error("store_journal_unreadable", "number=%u error=\"%s\"", j->head.number,
                  log_quoted(err_text(&e, text, sizeof text), quoted, sizeof quoted));
    return good;
}

/* The journals behind the snapshot, up to the first byte that is not good. What is behind that never was,
 * since a state is rebuilt from all that came before. */
static void scan_behind(struct store *s, size_t first)
{
    for (size_t i = first; i < s->journals; i++) {
        struct store_journal *j = s->journal[i];
        enum store_read got;
        uint64_t good = scan_journal(s, j, true, &got), end = j->end;
        bool last = i + 1 == s->journals;
        j->end = good;
        if (good == end)
            continue;
        if (last && got == STORE_READ_END)
            continue;
        if (last && got == STORE_READ_BAD) {
            log_warn("store_journal_cut",
                     "number=%u at=%llu bytes=%llu what=\"the end was not synced when the node "
                     "stopped, or is damaged\"",
                     j->head.number, (unsigned long long)good, (unsigned long long)(end - good));
            continue;
        }
        log_error("store_journal_damaged",
                  "number=%u at=%llu what=\"what was written behind it is lost: zones are as they "
                  "were before, until they are transferred or loaded again\"",
                  j->head.number, (unsigned long long)good);
        s->suspect = true;
        while (s->journals > i + 1)
            store_journal_unref(&s->io, s->journal[--s->journals]);
    }
}

static void scan_all(struct store *s, int snapshot_fd, const struct store_foot *foot)
{
    size_t first = 0;
    enum store_read got;
    while (first < s->journals && s->journal[first]->head.number < s->snapshot[0].number) {
        struct store_journal *j = s->journal[first++];
        uint64_t good = scan_journal(s, j, false, &got);
        if (good == j->end)
            continue;
        log_warn("store_history_damaged", "number=%u at=%llu", j->head.number,
                 (unsigned long long)good);
        store_index_drop(s->index, UINT32_MAX); /* a history has no gaps */
    }
    store_index_times_clear(s->index);
    if (snapshot_fd >= 0 && !store_snapshot_times(&s->io, snapshot_fd, foot, s->index))
        log_error("store_times_damaged", "number=%u", s->snapshot[0].number);
    scan_behind(s, first);
    /* The next journal goes on from the end of the last, or from the snapshot. */
    s->base_number = s->snapshot[0].number;
    s->base_id = s->snapshot_journal_id;
    s->base_len = 0;
    if (s->journals != first) {
        s->cur = s->journal[s->journals - 1];
        store_journal_leave(s);
    }
}

static bool take_lock(struct store *s, struct err *e)
{
    s->lock = s->io.open(s->io.arg, "lock", O_RDWR | O_CREAT);
    if (s->lock < 0)
        return err_set_errno(e, "the folder must be writable by the node's user",
                             "cannot open the store's lock");
    if (s->io.lock(s->io.arg, s->lock) == 0)
        return true;
    if (errno != EWOULDBLOCK)
        return err_set_errno(e, NULL, "cannot lock the store");
    return err_set(e, ERR_PEER, "give each node a state_dir of its own",
                   "the store belongs to another running process");
}

static uint64_t seed_of(void)
{
    uint64_t seed = 0;
    (void)!getrandom(&seed, sizeof seed, 0);
    return seed;
}

/* The newest number of all, so that no name is used twice. */
static uint32_t number_after(const struct found *f)
{
    uint32_t n = f->journals != 0 ? f->journal[0] : 0;
    return 1 + (f->snapshots != 0 && f->snapshot[0] > n ? f->snapshot[0] : n);
}

struct store *store_open_io(const struct store_io *io, uint64_t history_max, struct err *e)
{
    struct store *s = base_calloc(1, sizeof *s);
    s->io = *io;
    s->dirfd = s->lock = -1;
    s->history_max = history_max;
    s->index = store_index_new(seed_of(), STORE_STEPS_MAX);
    s->pen.body = base_alloc(STORE_BODY_MAX);
    s->pen.buf = base_alloc(STORE_BUFFER + STORE_FRAME_LEN + STORE_BODY_MAX + 8);
    struct found f = { .io = &s->io };
    struct store_foot foot = { 0 };
    if (!take_lock(s, e) || !look(&f, e)) {
        found_fini(&f);
        store_close(s);
        return NULL;
    }
    s->next_number = number_after(&f);
    int fd = pick_snapshot(s, &f, &foot);
    find_chain(s, &f);
    scan_all(s, fd, &foot);
    if (fd >= 0)
        s->io.close(s->io.arg, fd);
    if (s->snapshot[0].number == 0 && f.snapshots != 0)
        s->suspect = true;
    found_fini(&f);
    return s;
}

struct store *store_open(int dirfd, uint64_t history_max, struct err *e)
{
    struct store_io io = store_io_of(&dirfd);
    struct store *s = store_open_io(&io, history_max, e);
    if (s == NULL)
        return NULL;
    s->dirfd = dirfd;
    s->io.arg = &s->dirfd;
    return s;
}

void store_close(struct store *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < s->journals; i++)
        store_journal_unref(&s->io, s->journal[i]);
    free(s->journal);
    for (size_t i = 0; i < s->pen.pendings; i++)
        free(s->pen.pending[i].origin);
    free(s->pen.pending);
    free(s->pen.body);
    free(s->pen.buf);
    store_index_free(s->index);
    if (s->lock >= 0)
        s->io.close(s->io.arg, s->lock);
    free(s);
}

bool store_is_due(const struct store *s)
{
    unsigned count;
    uint64_t bytes = store_journal_behind(s, &count);
    if (s->snapshot_going || bytes < s->not_due)
        return false;
    uint64_t most = s->snapshot[0].bytes / 2;
    return s->suspect || count > STORE_DUE_FILES ||
           bytes > (most > STORE_DUE_MIN ? most : STORE_DUE_MIN);
}

void store_usage(const struct store *s, uint64_t *bytes, uint64_t *journal_bytes)
{
    *journal_bytes = 0;
    for (size_t i = 0; i < s->journals; i++)
        *journal_bytes += s->journal[i]->end;
    *bytes = *journal_bytes + s->snapshot[0].bytes + s->snapshot[1].bytes;
}
