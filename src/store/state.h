/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef STORE_STATE_H
#define STORE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/frame.h"
#include "store/index.h"
#include "store/io.h"
#include "store/store.h"

/* What the files of this room share. */

#define STORE_NAME_MAX 32
#define STORE_BUFFER (1024u * 1024)       /* of what goes to a journal */
#define STORE_DUE_MIN (16u * 1024 * 1024) /* journals behind a snapshot that are not much */
#define STORE_DUE_FILES 32                /* so many of them are too many */
#define STORE_FILES_MAX 256               /* of old journals */

/* A journal that counts. Its file stays open; readers of history hold it beyond its removal. */
struct store_journal {
    struct store_head head;
    int fd;
    uint64_t end; /* bytes that count */
    bool
        pinned; /* a snapshot names it, whether or not that was made: all that follows goes on from it */
    unsigned refs;
};

struct store_snapshot_file {
    uint32_t number;
    uint64_t bytes;
};

/* The entry between store_begin() and store_end(), and what waits for store_sync(). */
struct store_pen {
    bool open;   /* an entry is being given */
    bool failed; /* … and cannot be written: `why` */
    struct err why;
    bool broken; /* a write failed: no sync of what waits will be good */
    struct err why_broken;
    enum store_kind kind;
    struct dns_name origin, owner;
    uint32_t from, to;
    bool has_owner, has_times, first; /* first: of the frame at hand */
    struct store_times times;
    uint64_t start;       /* where the entry begins in the file */
    uint64_t items_bytes; /* of its records, about */
    uint8_t *body;        /* of the frame at hand, STORE_BODY_MAX */
    struct wr w;          /* over body */
    uint8_t *buf;         /* what is not in the file yet, STORE_BUFFER and a frame */
    size_t used;
    uint64_t flushed; /* bytes that are in the file */
    uint64_t seq;     /* of the last frame */
    struct store_pending *pending;
    size_t pendings, pendings_cap;
};

/* An entry that was ended and not synced: what it will mean to the index. */
struct store_pending {
    uint8_t *origin; /* wire form, owned */
    enum store_kind kind;
    bool has_times;
    struct store_step step;
    struct store_times times;
};

struct store {
    struct store_io io;
    int dirfd; /* what io.arg points to when it is the kernel's */
    int lock;
    uint64_t history_max;
    struct store_index *index;
    struct store_journal **journal; /* by number: those of the chain */
    size_t journals, journals_cap;
    struct store_journal *cur; /* the last of them, when it is written to; or NULL: one is made */
    uint32_t next_number;
    /* What the next journal goes on from. */
    uint32_t base_number;
    uint64_t base_id, base_len;
    /* Snapshots: [0] the newest, [1] the one before; number 0: none. */
    struct store_snapshot_file snapshot[2];
    uint64_t snapshot_journal_id;
    uint64_t not_due;    /* journal bytes at which a snapshot was tried last and failed */
    bool suspect;        /* a file failed: a snapshot is wanted */
    bool snapshot_going; /* between begin and end */
    struct store_pen pen;
};

static inline uint64_t store_pen_at(const struct store_pen *p)
{
    return p->flushed + p->used;
}

const char *store_journal_name(uint32_t number, char buf[STORE_NAME_MAX]);
const char *store_snapshot_name(uint32_t number, bool whole, char buf[STORE_NAME_MAX]);
/* What a name in the folder is; *number for all but STORE_NAME_OTHER. */
enum store_name {
    STORE_NAME_OTHER, /* not ours */
    STORE_NAME_JOURNAL,
    STORE_NAME_SNAPSHOT,
    STORE_NAME_UNFINISHED, /* a snapshot that was never whole */
};
enum store_name store_name_parse(const char *name, uint32_t *number);

/* Makes the next journal, durable with its name, and the one that is written to. */
bool store_journal_new(struct store *s, struct err *e);
/* Adds to s->journal, which owns it from then on. */
void store_journal_add(struct store *s, struct store_journal *j);
void store_journal_unref(const struct store_io *io, struct store_journal *j);
/* Nothing more is written to s->cur; the next entry makes a new one that goes on from its `end`. */
void store_journal_leave(struct store *s);
/* Bytes of the journals that the newest snapshot does not have, and how many. */
uint64_t store_journal_behind(const struct store *s, unsigned *count);
/* Removes journals and snapshots that nothing needs. */
void store_clean(struct store *s);

/* Reading a journal from a place to a limit, frame by frame. */
enum store_read {
    STORE_READ_FRAME,
    STORE_READ_END,    /* exactly at the limit, or before zeros */
    STORE_READ_BAD,    /* the bytes at `at` are no frame, or an incomplete one */
    STORE_READ_FAILED, /* the system refused: *e */
};
struct store_reader {
    const struct store_io *io;
    const struct store_journal *j;
    uint64_t at, limit; /* of the next frame; and where to end */
    uint64_t seq;       /* of the frame before */
    bool inside;        /* … which was not the last of its entry */
    bool bodies;        /* read and check bodies; else only the first bytes of entries, unchecked */
    uint8_t kind;
    uint8_t *buf; /* owned */
    uint64_t buf_at;
    size_t have;
};
void store_reader_init(struct store_reader *r, const struct store_io *io,
                       const struct store_journal *j, uint64_t at, uint64_t limit, bool bodies);
void store_reader_fini(struct store_reader *r);
/* `body` stays until the next call; without bodies *body has *body_len bytes of it. *at is where the frame
 * begins. */
enum store_read store_reader_next(struct store_reader *r, struct store_frame *f,
                                  const uint8_t **body, size_t *body_len, uint64_t *at,
                                  struct err *e);

/* Opens a snapshot and looks at every byte of it: -1 with *e when it is not whole. */
int store_snapshot_check(const struct store_io *io, uint32_t number, struct store_foot *foot,
                         uint64_t *bytes, struct err *e);
/* Gives the rows of its table to the index, in place of what that had. False when it is broken. */
bool store_snapshot_times(const struct store_io *io, int fd, const struct store_foot *foot,
                          struct store_index *x);

#endif
