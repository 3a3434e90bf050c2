/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Journal files: making, reading, and which are kept. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/assert.h"
#include "base/log.h"
#include "store/state.h"

#define READ_LEN (256u * 1024)
#define READ_LEN_HEADS 4096u

const char *store_journal_name(uint32_t number, char buf[STORE_NAME_MAX])
{
    snprintf(buf, STORE_NAME_MAX, "journal-%010u", number);
    return buf;
}

const char *store_snapshot_name(uint32_t number, bool whole, char buf[STORE_NAME_MAX])
{
    snprintf(buf, STORE_NAME_MAX, "snapshot-%010u%s", number, whole ? "" : ".tmp");
    return buf;
}

void store_journal_unref(const struct store_io *io, struct store_journal *j)
{
    if (--j->refs != 0)
        return;
    io->close(io->arg, j->fd);
    free(j);
}

void store_journal_add(struct store *s, struct store_journal *j)
{
    if (s->journals == s->journals_cap) {
        s->journals_cap = s->journals_cap == 0 ? 8 : s->journals_cap * 2;
        s->journal = base_realloc(s->journal, s->journals_cap * sizeof(struct store_journal *));
    }
    s->journal[s->journals++] = j;
}

enum store_name store_name_parse(const char *name, uint32_t *number)
{
    static const struct {
        const char *begin, *end;
        enum store_name kind;
    } names[] = {
        { "journal-", "", STORE_NAME_JOURNAL },
        { "snapshot-", "", STORE_NAME_SNAPSHOT },
        { "snapshot-", ".tmp", STORE_NAME_UNFINISHED },
    };
    for (size_t i = 0; i < BASE_COUNT(names); i++) {
        size_t len = strlen(names[i].begin), at = len;
        uint64_t n = 0;
        if (strncmp(name, names[i].begin, len) != 0)
            continue;
        for (; at < len + 10 && name[at] >= '0' && name[at] <= '9'; at++)
            n = n * 10 + (uint64_t)(name[at] - '0');
        if (at != len + 10 || strcmp(name + at, names[i].end) != 0 || n == 0 || n >= UINT32_MAX)
            continue;
        *number = (uint32_t)n;
        return names[i].kind;
    }
    return STORE_NAME_OTHER;
}

static void random_id(uint64_t *id)
{
    /* Of so few bytes the kernel never gives a part; early in the boot it waits. */
    while (getrandom(id, sizeof *id, 0) != (ssize_t)sizeof *id || *id == 0)
        continue;
}

/* The head is durable, and then the name, before the first entry. */
static bool head_store(const struct store_io *io, int fd, const struct store_head *h)
{
    uint8_t bytes[STORE_HEAD_LEN];
    store_head_write(h, bytes);
    return store_io_write(io, fd, bytes, sizeof bytes, 0) && io->sync(io->arg, fd) == 0 &&
           io->sync_folder(io->arg) == 0;
}

bool store_journal_new(struct store *s, struct err *e)
{
    const struct store_io *io = &s->io;
    char name[STORE_NAME_MAX];
    int fd;
    base_assert(s->cur == NULL);
    if (s->next_number == UINT32_MAX)
        return err_set(e, ERR_LIMIT, "empty the folder while the node is down",
                       "the store has no number left for a journal");
    struct store_head h = { .number = s->next_number++,
                            .base_number = s->base_number,
                            .base_id = s->base_id,
                            .base_len = s->base_len };
    random_id(&h.id);
    store_journal_name(h.number, name);
    fd = io->open(io->arg, name, O_RDWR | O_CREAT | O_EXCL);
    if (fd < 0)
        return err_set_errno(e, NULL, "cannot create %s in the store", name);
    if (!head_store(io, fd, &h)) {
        err_set_errno(e, errno == ENOSPC ? "make room on the disk" : NULL, "cannot write %s", name);
        io->close(io->arg, fd);
        io->remove(io->arg, name);
        return false;
    }
    struct store_journal *j = base_calloc(1, sizeof *j);
    *j = (struct store_journal){ .head = h, .fd = fd, .end = STORE_HEAD_LEN, .refs = 1 };
    store_journal_add(s, j);
    s->cur = j;
    s->pen.flushed = STORE_HEAD_LEN;
    s->pen.used = 0;
    s->pen.seq = 0;
    s->pen.broken = false;
    return true;
}

void store_journal_leave(struct store *s)
{
    struct store_journal *j = s->cur;
    s->cur = NULL;
    s->pen.used = 0;
    s->pen.broken = false;
    if (j == NULL)
        return;
    s->base_number = j->head.number;
    s->base_id = j->head.id;
    s->base_len = j->end;
}

uint64_t store_journal_behind(const struct store *s, unsigned *count)
{
    uint64_t bytes = 0;
    *count = 0;
    for (size_t i = s->journals; i != 0 && s->journal[i - 1]->head.number >= s->snapshot[0].number;
         i--) {
        bytes += s->journal[i - 1]->end - STORE_HEAD_LEN;
        ++*count;
    }
    return bytes;
}

/* Whether journal `i` goes: what the older snapshot needs stays, of the rest what history may have. */
static bool is_old(const struct store *s, size_t i, uint32_t needed, uint64_t newer_bytes)
{
    if (s->journal[i]->head.number >= needed)
        return false;
    return newer_bytes + s->journal[i]->end > s->history_max || s->journals - i > STORE_FILES_MAX;
}

static void remove_journals(struct store *s)
{
    char name[STORE_NAME_MAX];
    uint32_t needed = s->snapshot[s->snapshot[1].number != 0 ? 1 : 0].number;
    size_t first = s->journals;
    uint64_t history = 0;
    while (first != 0 && !is_old(s, first - 1, needed, history)) {
        first--;
        if (s->journal[first]->head.number < s->snapshot[0].number)
            history += s->journal[first]->end;
    }
    for (size_t i = 0; i < first; i++) {
        s->io.remove(s->io.arg, store_journal_name(s->journal[i]->head.number, name));
        store_journal_unref(&s->io, s->journal[i]);
    }
    memmove(s->journal, s->journal + first, (s->journals - first) * sizeof(struct store_journal *));
    s->journals -= first;
    store_index_drop(s->index, s->journals != 0 ? s->journal[0]->head.number : UINT32_MAX);
}

/* Files of ours below this number that are no part of what counts. */
struct clean {
    const struct store *s;
    uint32_t below;
};

static bool is_known(const struct store *s, uint32_t number, bool snapshot)
{
    if (snapshot)
        return number == s->snapshot[0].number || number == s->snapshot[1].number;
    for (size_t i = 0; i < s->journals; i++)
        if (s->journal[i]->head.number == number)
            return true;
    return false;
}

static void clean_name(void *arg, const char *name)
{
    const struct clean *c = arg;
    uint32_t number;
    enum store_name kind = store_name_parse(name, &number);
    if ((kind == STORE_NAME_JOURNAL || kind == STORE_NAME_SNAPSHOT) && number < c->below &&
        !is_known(c->s, number, kind == STORE_NAME_SNAPSHOT))
        c->s->io.remove(c->s->io.arg, name);
}

void store_clean(struct store *s)
{
    if (s->snapshot[0].number == 0)
        return;
    remove_journals(s);
    struct clean c = { .s = s, .below = s->snapshot[0].number };
    (void)s->io.list(s->io.arg, clean_name, &c);
}

void store_reader_init(struct store_reader *r, const struct store_io *io,
                       const struct store_journal *j, uint64_t at, uint64_t limit, bool bodies)
{
    *r = (struct store_reader){ .io = io, .j = j, .at = at, .limit = limit, .bodies = bodies };
    r->buf = base_alloc(READ_LEN);
}

void store_reader_fini(struct store_reader *r)
{
    free(r->buf);
    r->buf = NULL;
}

/* `len` bytes at `at`, which are before the limit; NULL when they cannot be read (errno 0: the file is
 * shorter than it was said to be). */
static const uint8_t *bytes_at(struct store_reader *r, uint64_t at, size_t len)
{
    if (at >= r->buf_at && at + len <= r->buf_at + r->have)
        return r->buf + (at - r->buf_at);
    uint64_t want = r->limit - at, most = r->bodies ? READ_LEN : READ_LEN_HEADS;
    want = want < most ? want : most;
    r->have = 0;
    if (!store_io_read(r->io, r->j->fd, r->buf, (size_t)want, at))
        return NULL;
    r->buf_at = at;
    r->have = (size_t)want;
    return r->buf;
}

static enum store_read refused(const struct store_reader *r, struct err *e)
{
    char name[STORE_NAME_MAX];
    store_journal_name(r->j->head.number, name);
    if (errno == 0)
        return STORE_READ_BAD;
    err_set_errno(e, NULL, "cannot read %s of the store", name);
    return STORE_READ_FAILED;
}

/* A frame may follow the one before: numbers go up, by one within an entry, and an entry begins when the
 * last one has ended. */
static bool in_order(const struct store_reader *r, const struct store_frame *f)
{
    bool first = (f->flags & STORE_FRAME_FIRST) != 0;
    if (r->inside)
        return !first && f->seq == r->seq + 1 && f->kind == r->kind;
    return first && f->seq > r->seq;
}

enum store_read store_reader_next(struct store_reader *r, struct store_frame *f,
                                  const uint8_t **body, size_t *body_len, uint64_t *at,
                                  struct err *e)
{
    uint64_t left = r->limit - r->at;
    *at = r->at;
    if (left == 0)
        return r->inside ? STORE_READ_BAD : STORE_READ_END;
    if (left < STORE_FRAME_LEN)
        return STORE_READ_BAD;
    const uint8_t *p = bytes_at(r, r->at, STORE_FRAME_LEN);
    if (p == NULL)
        return refused(r, e);
    enum store_frame_result got = store_frame_parse(f, r->j->head.id, p);
    if (got == STORE_FRAME_NONE && !r->inside)
        return STORE_READ_END;
    if (got != STORE_FRAME_GOOD || !in_order(r, f) || store_frame_room(f->body_len) > left)
        return STORE_READ_BAD;
    size_t want = f->body_len;
    if (!r->bodies)
        want = (f->flags & STORE_FRAME_FIRST) == 0 ? 0
               : want < DNS_NAME_MAX + 8u          ? want
                                                   : DNS_NAME_MAX + 8u;
    *body = bytes_at(r, r->at + STORE_FRAME_LEN, want);
    *body_len = want;
    if (*body == NULL)
        return refused(r, e);
    if (r->bodies && !store_frame_body_good(f, *body))
        return STORE_READ_BAD;
    r->seq = f->seq;
    r->kind = f->kind;
    r->inside = (f->flags & STORE_FRAME_LAST) == 0;
    r->at += store_frame_room(f->body_len);
    return STORE_READ_FRAME;
}
