/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Zone text by libzscanner, and by our own reader what it refuses.
 *
 * The scanner reads record by record. What it refuses, and the few things that it takes without looking
 * at them (RDATA as \#) or that depend on more than it knows ($INCLUDE), is read again by zone/entry.h
 * from the end of the last record on, and the scanner starts anew behind it. So text costs what the
 * scanner costs, and is refused only where our own reader, which knows all types and says what is wrong,
 * refuses it too.
 *
 * Files are read(), never mapped: a mapped file that somebody truncates kills the process (SIGBUS).
 * The whole text is one string for the scanner, because it ends each string with a line end of its own
 * and takes it for the end of the file, which breaks whatever spans two strings ("unclosed multiline
 * block"). Pages that it has passed are given back, so the text is not in memory beside the records. */
#include "zone/text.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <libzscanner/scanner.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dns/type.h"
#include "zone/entry.h"
#include "zone/errors.h"
#include "zone/image.h"
#include "zone/rdata.h"

#define TEXT_GIVE_BACK (4u << 20) /* bytes of text after which passed pages are given back */

/* The scanner's default TTL while the text states none: larger than any TTL may be. */
#define TEXT_TTL_UNSTATED 4294967294u

/* The owner of records behind one whose owner was refused: no name of any zone that is served. */
static const uint8_t refused_owner[] = { 3, 0, 0, 0, 0 };

/* One file being scanned. */
struct scan {
    struct zone_text *t;
    zs_scanner_t *s;
    const char *folder; /* relative includes start from here */
    uint16_t file;
    unsigned depth;
    int start; /* the scanner's state at the beginning of a line */
    const uint8_t *bytes, *end;
    const uint8_t
        *before;   /* the end of the last record: a line end, or the beginning of the text */
    uint32_t line; /* of `before` */
    const uint8_t *generic; /* the next \\# from `before` on; NULL at first */
    struct dns_name origin; /* at `before` */
    bool owner_refused;
    bool ended;
};

static bool scan_bytes(struct zone_text *t, const struct dns_name *origin, const char *path,
                       uint8_t *bytes, size_t len, unsigned depth);

void zone_text_init(struct zone_text *t, const struct dns_name *origin, struct zone_stage *stage,
                    struct zone_errors *errs)
{
    *t = (struct zone_text){ .origin = *origin, .stage = stage, .errs = errs };
}

void zone_text_fini(struct zone_text *t)
{
    for (unsigned i = 0; i < t->files; i++)
        free(t->file[i]);
    free(t->entry);
}

/* Whether the file is what it was. Its content may still have been replaced within the clock's
 * resolution at the same size: no reader can see that. */
static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static bool refuse_errno(struct zone_text *t, const char *path, const char *what)
{
    struct err e = { 0 };
    err_set_errno(&e, "check the path and that the server's user may read it", "cannot %s", what);
    zone_errors_add_err(t->errs, path, &e);
    return false;
}

static bool read_fd(struct zone_text *t, const char *path, int fd, uint8_t **bytes, size_t *len)
{
    struct stat before, after;
    if (fstat(fd, &before) != 0)
        return refuse_errno(t, path, "look at it");
    if (!S_ISREG(before.st_mode)) {
        zone_errors_add(t->errs, false, path, 0, "give a file of zone text", "it is not a file");
        return false;
    }
    size_t cap = (size_t)before.st_size + 1; /* one more, to see that it grew */
    uint8_t *buf = malloc(cap);
    if (buf == NULL)
        return refuse_errno(t, path, "take memory for it");
    *len = 0;
    ssize_t n;
    while (*len < cap && (n = read(fd, buf + *len, cap - *len)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            free(buf);
            return refuse_errno(t, path, "read it");
        }
        *len += (size_t)n;
    }
    if (fstat(fd, &after) != 0 || *len != (size_t)before.st_size || !same_file(&before, &after)) {
        free(buf);
        zone_errors_add(t->errs, false, path, 0,
                        "write a zone under another name and rename it into place",
                        "the file changed while it was read");
        return false;
    }
    *bytes = buf;
    return true;
}

static bool read_file(struct zone_text *t, const char *path, uint8_t **bytes, size_t *len)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return refuse_errno(t, path, "open it");
    bool done = read_fd(t, path, fd, bytes, len);
    close(fd);
    return done;
}

/* Begins a run when the owner is not that of the last record. False: it is outside the zone. */
static bool take_owner(struct scan *sc, const uint8_t *owner, size_t len)
{
    struct zone_text *t = sc->t;
    if (t->owner_len == len && t->owner_file == sc->file && memcmp(t->owner, owner, len) == 0)
        return !t->owner_outside;
    struct rd r = rd_init(owner, len);
    struct dns_name name;
    bool good = dns_name_parse(&name, &r);
    t->owner_len = good ? name.len : 0;
    memcpy(t->owner, name.wire, t->owner_len);
    t->owner_file = sc->file;
    t->owner_outside = !good || !dns_name_is_under(&name, &t->origin);
    if (t->owner_outside)
        return false;
    uint8_t key[DNS_KEY_MAX];
    size_t below = (size_t)name.len - t->origin.len;
    size_t key_len = zone_image_key(name.wire, below, key);
    zone_stage_owner(t->stage, sc->file, key, key_len, name.wire, below);
    return true;
}

/* A record, whoever read it. Borrowed. */
struct record {
    uint64_t line;
    const uint8_t *owner, *rdata;
    size_t owner_len, rdata_len;
    uint32_t ttl_s;
    uint16_t type;
};

static void refuse_outside(struct scan *sc, const struct record *rr)
{
    struct rd r = rd_init(rr->owner, rr->owner_len);
    struct dns_name name;
    char text[DNS_TEXT_MAX], origin[DNS_TEXT_MAX];
    if (!dns_name_parse(&name, &r))
        name = sc->t->origin;
    zone_errors_add(sc->t->errs, false, sc->t->file[sc->file], rr->line,
                    "is a final dot missing, or $ORIGIN wrong?", "%s is not in the zone %s",
                    dns_name_text(&name, text), dns_name_text(&sc->t->origin, origin));
}

static void take_record(struct scan *sc, const struct record *rr)
{
    struct zone_errors *errs = sc->t->errs;
    const char *path = sc->t->file[sc->file];
    char type[DNS_TYPE_TEXT_MAX];
    /* Records without owner behind one whose owner was refused: that one was told. */
    if (sc->owner_refused && rr->owner_len == sizeof refused_owner &&
        memcmp(rr->owner, refused_owner, sizeof refused_owner) == 0)
        return;
    if (rr->ttl_s > INT32_MAX) {
        zone_errors_add(errs, false, path, rr->line, "use at most 2147483647 (RFC 2181 section 8)",
                        "the TTL %u is too large", rr->ttl_s);
        return;
    }
    const char *fault = zone_rdata_fault(rr->type, rr->rdata, rr->rdata_len);
    if (fault != NULL)
        zone_errors_add(errs, false, path, rr->line, NULL, "%s: %s", dns_type_text(rr->type, type),
                        fault);
    else if (!take_owner(sc, rr->owner, rr->owner_len))
        refuse_outside(sc, rr);
    else
        zone_stage_record(sc->t->stage, (uint32_t)rr->line, rr->type, rr->ttl_s, rr->rdata,
                          rr->rdata_len);
}

/* Reads another file in place of the $INCLUDE in hand. */
static bool take_include(struct scan *sc, const char *name, const struct dns_name *origin,
                         uint64_t line)
{
    struct zone_text *t = sc->t;
    const char *what = NULL;
    char path[PATH_MAX];
    int n = snprintf(path, sizeof path, "%s%s%s", name[0] == '/' ? "" : sc->folder,
                     name[0] == '/' ? "" : "/", name);
    if (sc->depth + 1 >= ZONE_INCLUDE_DEPTH_MAX)
        what = "files include each other more than 8 deep";
    else if (t->files == ZONE_FILES_MAX)
        what = "the zone includes more than 1023 files";
    else if (n < 0 || (size_t)n >= sizeof path)
        what = "the name of an included file is too long";
    if (what != NULL) {
        zone_errors_add(t->errs, false, t->file[sc->file], line, "does a file include itself?",
                        "%s", what);
        return false;
    }
    uint8_t *bytes;
    size_t len;
    if (!read_file(t, path, &bytes, &len)) {
        zone_errors_add(t->errs, false, t->file[sc->file], line, NULL,
                        "$INCLUDE of this file failed");
        return false;
    }
    bool good = scan_bytes(t, origin, path, bytes, len, sc->depth + 1);
    free(bytes);
    t->owner_len = 0; /* the next record here begins a run of its own */
    return good;
}

/* Our own reader takes over, and hands back to the scanner. */

/* What the entry at hand takes from those before it. The origin is the one of the last record: a
 * directive that the scanner refuses may have spoilt its own. */
static struct zone_entry_state own_state(const struct scan *sc)
{
    const zs_scanner_t *s = sc->s;
    struct zone_text *t = sc->t;
    struct zone_entry_state st = { .origin = sc->origin,
                                   .has_default_ttl = t->has_default_ttl,
                                   .default_ttl_s = t->default_ttl_s,
                                   .has_last_ttl = t->has_last_ttl,
                                   .last_ttl_s = t->last_ttl_s,
                                   .fallback_ttl_s = ZONE_TTL_DEFAULT_S };
    struct rd r = rd_init(s->r_owner, s->r_owner_length);
    st.has_owner = s->r_owner_length != 0 && dns_name_parse(&st.owner, &r);
    return st;
}

static void keep_state(struct scan *sc, const struct zone_entry_state *st)
{
    zs_scanner_t *s = sc->s;
    sc->origin = st->origin;
    memcpy(s->zone_origin, st->origin.wire, st->origin.len);
    s->zone_origin_length = st->origin.len;
    s->r_owner_length = st->has_owner ? st->owner.len : 0;
    memcpy(s->r_owner, st->owner.wire, s->r_owner_length);
    sc->t->has_default_ttl = st->has_default_ttl;
    sc->t->default_ttl_s = st->default_ttl_s;
    sc->t->has_last_ttl = st->has_last_ttl;
    sc->t->last_ttl_s = st->last_ttl_s;
    s->default_ttl = st->has_default_ttl ? st->default_ttl_s : TEXT_TTL_UNSTATED;
}

/* The scanner goes on at `pos`, which is at a line end or the end of the text. */
static void restart(struct scan *sc, const uint8_t *pos, uint32_t line)
{
    zs_scanner_t *s = sc->s;
    sc->ended =
        pos >= sc->end || zs_set_input_string(s, (const char *)pos, (size_t)(sc->end - pos)) != 0;
    s->cs = sc->start;
    s->top = 0;
    s->multiline = false;
    s->error.code = 0;
    s->error.fatal = false;
    s->line_counter = line;
    sc->before = pos;
    sc->line = line;
}

static bool take_generate(struct scan *sc, struct zone_entry_state *st)
{
    struct zone_entry *en = sc->t->entry;
    struct zone_generate g = en->generate;
    struct zone_entry_state each = *st;
    char *text = base_alloc(ZONE_GENERATE_TEXT);
    uint32_t line = en->line, value = g.first;
    bool good = true;
    for (; good && value <= g.last; value += g.step) {
        zone_generate_step(en, &each, &g, line, value, text);
        good = en->kind == ZONE_ENTRY_RECORD;
        if (!good) {
            zone_errors_add_err(sc->t->errs, sc->t->file[sc->file], &en->err);
            break;
        }
        struct record rr = { .line = line,
                             .owner = each.owner.wire,
                             .owner_len = each.owner.len,
                             .ttl_s = en->ttl_s,
                             .type = en->type,
                             .rdata = en->rdata,
                             .rdata_len = en->rdata_len };
        take_record(sc, &rr);
        if (sc->t->stage->full || g.last - value < g.step)
            break;
    }
    st->has_last_ttl = each.has_last_ttl;
    st->last_ttl_s = each.last_ttl_s;
    free(text);
    return good;
}

/* Does what an entry says; *st is its state, and goes on. */
static bool own_take(struct scan *sc, struct zone_entry_state *st)
{
    struct zone_entry *en = sc->t->entry;
    struct record rr = { .line = en->line,
                         .owner = st->owner.wire,
                         .owner_len = st->owner.len,
                         .ttl_s = en->ttl_s,
                         .type = en->type,
                         .rdata = en->rdata,
                         .rdata_len = en->rdata_len };
    bool good = true;
    switch (en->kind) {
    case ZONE_ENTRY_BLANK:
    case ZONE_ENTRY_SETTING:
        return true;
    case ZONE_ENTRY_RECORD:
        take_record(sc, &rr);
        return true;
    case ZONE_ENTRY_INCLUDE:
        keep_state(sc, st);
        good = take_include(sc, en->path, &en->origin, en->line);
        st->has_default_ttl = sc->t->has_default_ttl;
        st->default_ttl_s = sc->t->default_ttl_s;
        st->has_last_ttl = sc->t->has_last_ttl;
        st->last_ttl_s = sc->t->last_ttl_s;
        return good;
    case ZONE_ENTRY_GENERATE:
        return take_generate(sc, st);
    case ZONE_ENTRY_BAD:
        zone_errors_add_err(sc->t->errs, sc->t->file[sc->file], &en->err);
        if (en->owner_bad) {
            struct rd r = rd_init(refused_owner, sizeof refused_owner);
            st->has_owner = dns_name_parse(&st->owner, &r);
            sc->owner_refused = true;
        }
        return false;
    }
    return false;
}

static bool line_is_directive(const struct zone_lexer *lx)
{
    return lx->pos < lx->end && *lx->pos == '$';
}

/* Moves from behind the last record to the entry that the scanner has in hand: the first that is no
 * directive and not blank, or the directive that reaches up to `now` (NULL: none does). Those before it were read by the
 * scanner and are only followed. */
static struct zone_lexer find_entry(struct scan *sc, struct zone_entry_state *st,
                                    const uint8_t *now)
{
    struct zone_lexer lx = zone_lexer_init(sc->before, (size_t)(sc->end - sc->before), sc->line);
    for (;;) {
        struct zone_lexer begin, probe;
        struct zone_token first;
        if (lx.pos < lx.end && *lx.pos == '\n') {
            lx.pos++;
            lx.line++;
        }
        begin = probe = lx;
        zone_lexer_next(&probe, &first);
        if (lx.pos == lx.end || (first.kind != ZONE_TOKEN_END && !line_is_directive(&lx)))
            return begin;
        zone_lexer_skip(&probe);
        if (first.kind != ZONE_TOKEN_END && now != NULL && probe.pos >= now)
            return begin;
        zone_entry_read(sc->t->entry, st, &lx);
        if (sc->t->entry->kind == ZONE_ENTRY_BAD)
            zone_errors_add_err(sc->t->errs, sc->t->file[sc->file], &sc->t->entry->err);
    }
}

/* Where the scanner is. At the end of the text it looks at a line end of its own. */
static const uint8_t *scanner_at(const struct scan *sc)
{
    const uint8_t *now = (const uint8_t *)sc->s->input.current;
    return now >= sc->bytes && now <= sc->end ? now : sc->end;
}

/* Reads the entry that the scanner has in hand, and lets it go on behind it. */
static bool own_entry(struct scan *sc)
{
    struct zone_entry_state st = own_state(sc);
    struct zone_lexer lx = find_entry(sc, &st, scanner_at(sc));
    zone_entry_read(sc->t->entry, &st, &lx);
    bool good = own_take(sc, &st);
    keep_state(sc, &st);
    restart(sc, lx.pos, lx.line);
    return good;
}

/* The TTL of the record in hand, which the scanner says is not stated, and there is no $TTL. */
static uint32_t unstated_ttl(struct scan *sc)
{
    struct zone_entry_state st = own_state(sc);
    struct zone_lexer lx = find_entry(sc, &st, scanner_at(sc));
    if (zone_entry_states_ttl(lx) || st.has_default_ttl)
        return TEXT_TTL_UNSTATED; /* it is the number that we take for "not stated": too large */
    return sc->t->has_last_ttl ? sc->t->last_ttl_s : ZONE_TTL_DEFAULT_S;
}

/* What $TTL says, which goes on behind an included file. */
static void note_ttl(struct scan *sc)
{
    sc->t->has_default_ttl = sc->s->default_ttl != TEXT_TTL_UNSTATED;
    sc->t->default_ttl_s = sc->s->default_ttl;
}

static void scanner_record(struct scan *sc)
{
    const zs_scanner_t *s = sc->s;
    struct zone_text *t = sc->t;
    struct record rr = { .line = s->line_counter,
                         .owner = s->r_owner,
                         .owner_len = s->r_owner_length,
                         .ttl_s = s->r_ttl,
                         .type = s->r_type,
                         .rdata = s->r_data,
                         .rdata_len = s->r_data_length };
    if (s->zone_origin_length != sc->origin.len ||
        memcmp(s->zone_origin, sc->origin.wire, sc->origin.len) != 0) {
        struct rd r = rd_init(s->zone_origin, s->zone_origin_length);
        struct dns_name name;
        if (dns_name_parse(&name, &r))
            sc->origin = name;
    }
    note_ttl(sc);
    if (rr.ttl_s == TEXT_TTL_UNSTATED) {
        rr.ttl_s = unstated_ttl(sc);
    } else if (!t->has_default_ttl && rr.ttl_s <= INT32_MAX) {
        t->has_last_ttl = true;
        t->last_ttl_s = rr.ttl_s;
    }
    take_record(sc, &rr);
}

/* Whether the scanner may have read the record in hand otherwise than it is meant. It takes a record for
 * whole at a line end inside of parentheses, does not count line ends inside of strings, takes
 * parentheses that touch a word for a part of it, and does not look at angles of LOC, tags of CAA and
 * values of SvcParams written as keyN. */
static bool maybe_misread(const zs_scanner_t *s)
{
    if (s->multiline)
        return true;
    switch (s->r_type) {
    case DNS_TYPE_SVCB:
    case DNS_TYPE_HTTPS:
    case DNS_TYPE_LOC:
    case DNS_TYPE_CAA:
        return true;
    case DNS_TYPE_HINFO:
    case DNS_TYPE_TXT:
    case DNS_TYPE_NAPTR:
    case DNS_TYPE_SPF:
    case DNS_TYPE_URI:
        for (uint32_t i = 0; i < s->r_data_length; i++)
            if (s->r_data[i] == '\n' || s->r_data[i] == '(' || s->r_data[i] == ')')
                return true;
        return false;
    default:
        return false;
    }
}

/* Whether the text of the record in hand has \# in it. What comes so is not looked at by the scanner. */
static bool maybe_generic(struct scan *sc, const uint8_t *now)
{
    while (sc->generic < sc->before) {
        const uint8_t *p = memchr(sc->before, '\\', (size_t)(sc->end - sc->before));
        while (p != NULL && (p + 1 >= sc->end || p[1] != '#'))
            p = memchr(p + 1, '\\', (size_t)(sc->end - p - 1));
        sc->generic = p != NULL ? p : sc->end;
    }
    return sc->generic < now;
}

/* Pages of the text that lie wholly in [from, to) are not needed again. */
static void give_back(const uint8_t *from, const uint8_t *to)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t a = ((uintptr_t)from + page - 1) / page * page, b = (uintptr_t)to / page * page;
    if (a < b)
        madvise((void *)a, b - a, MADV_DONTNEED);
}

/* Text from a system that ends lines with CR LF, as its first line shows: the scanner wants LF. */
static size_t drop_carriage_returns(uint8_t *bytes, size_t len)
{
    const uint8_t *lf = len != 0 ? memchr(bytes, '\n', len) : NULL;
    if (lf == NULL || lf == bytes || lf[-1] != '\r')
        return len;
    size_t kept = 0;
    for (size_t i = 0; i < len; i++)
        if (bytes[i] != '\r' || i + 1 == len || bytes[i + 1] != '\n')
            bytes[kept++] = bytes[i];
    return kept;
}

static bool scan_own(struct scan *sc)
{
    bool good = true;
    while (!sc->ended)
        good &= own_entry(sc);
    return good;
}

/* Whether nothing is left behind the last record: the scanner says nothing of an escape that the text ends
 * in. */
static bool is_all_read(struct scan *sc)
{
    struct zone_entry_state st = own_state(sc);
    return find_entry(sc, &st, NULL).pos == sc->end;
}

static bool scan_all(struct scan *sc)
{
    zs_scanner_t *s = sc->s;
    bool good = true;
    const uint8_t *given = sc->bytes;
    while (!sc->ended && !sc->t->stage->full) {
        (void)zs_parse_record(s); /* says in s->state what there is */
        const uint8_t *now = scanner_at(sc);
        switch (s->state) {
        case ZS_STATE_DATA:
            if (s->r_class == DNS_CLASS_IN && !maybe_generic(sc, now) && !maybe_misread(s)) {
                scanner_record(sc);
                sc->before = now;
                sc->line = (uint32_t)s->line_counter;
                break;
            }
            good &= own_entry(sc);
            break;
        case ZS_STATE_ERROR:
        case ZS_STATE_INCLUDE:
            good &= own_entry(sc);
            break;
        default:
            if (is_all_read(sc)) {
                note_ttl(sc);
                return good;
            }
            good &= own_entry(sc);
        }
        if (sc->before >= given + TEXT_GIVE_BACK) {
            give_back(given, sc->before);
            given = sc->before;
        }
    }
    return good;
}

/* What is no zone text at all is told in one line, not in one for each of its lines. */
static const char *not_text(const uint8_t *bytes, size_t len)
{
    size_t odd = 0, looked = len < 1024 ? len : 1024;
    if (len >= 2 &&
        ((bytes[0] == 0xff && bytes[1] == 0xfe) || (bytes[0] == 0xfe && bytes[1] == 0xff)))
        return "the file is UTF-16; save it as ASCII or UTF-8";
    if (len >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b)
        return "the file is compressed; unpack it with gunzip";
    if (len >= 8 && memcmp(bytes, "\0\0\0", 3) == 0 && bytes[3] >= 1 && bytes[3] <= 3)
        return "the file is in BIND's raw format; turn it into text with named-compilezone -f raw -F "
               "text";
    for (size_t i = 0; i < looked; i++)
        odd += bytes[i] < ' ' && bytes[i] != '\t' && bytes[i] != '\n' && bytes[i] != '\r' &&
               bytes[i] != '\f';
    return odd > 8 && odd > looked / 10 ? "the file is not text" : NULL;
}

/* The scanner of a file: it begins with `origin`. */
static bool scanner_init(struct scan *sc, const struct dns_name *origin)
{
    zs_scanner_t *s = sc->s;
    if (zs_init(s, ".", DNS_CLASS_IN, TEXT_TTL_UNSTATED) != 0)
        return false;
    sc->start = s->cs;
    struct zone_entry_state st = own_state(sc);
    st.origin = *origin;
    keep_state(sc, &st);
    restart(sc, sc->bytes, 1);
    return true;
}

static bool scan_bytes(struct zone_text *t, const struct dns_name *origin, const char *path,
                       uint8_t *bytes, size_t len, unsigned depth)
{
    struct scan sc = { .t = t, .file = (uint16_t)t->files, .depth = depth };
    const char *wrong = not_text(bytes, len);
    t->file[t->files++] = base_strdup(path);
    t->owner_len = 0;
    if (wrong != NULL) {
        zone_errors_add(t->errs, false, path, 0, "give a file of zone text (RFC 1035 section 5)",
                        "%s", wrong);
        return false;
    }
    if (len >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0) { /* the mark that UTF-8 needs not */
        bytes += 3;
        len -= 3;
    }
    len = drop_carriage_returns(bytes, len);
    sc.bytes = sc.before = sc.generic = bytes;
    sc.end = bytes + len;
    sc.generic = NULL;
    char *copy = base_strdup(path);
    sc.folder = dirname(copy);
    sc.s = base_alloc(sizeof *sc.s); /* 206 KB: not on the stack */
    if (t->entry == NULL)
        t->entry = base_alloc(sizeof *t->entry);
    bool good = scanner_init(&sc, origin);
    if (!good)
        zone_errors_add(t->errs, false, path, 0, NULL, "the parser of zone text cannot start");
    good = good && (t->own_only ? scan_own(&sc) : scan_all(&sc));
    zs_deinit(sc.s);
    free(sc.s);
    free(copy);
    return good;
}

bool zone_text_bytes(struct zone_text *t, const char *path, uint8_t *bytes, size_t len)
{
    return scan_bytes(t, &t->origin, path, bytes, len, 0);
}

bool zone_text_file(struct zone_text *t, const char *path)
{
    uint8_t *bytes;
    size_t len;
    if (!read_file(t, path, &bytes, &len)) {
        t->file[t->files++] = base_strdup(path);
        return false;
    }
    bool good = zone_text_bytes(t, path, bytes, len);
    free(bytes);
    return good;
}
