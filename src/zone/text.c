/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Zone text by libzscanner.
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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dns/type.h"
#include "zone/errors.h"
#include "zone/image.h"
#include "zone/rdata.h"

#define TEXT_GIVE_BACK (4u << 20) /* bytes of text after which passed pages are given back */

/* One file being scanned. */
struct scan {
    struct zone_text *t;
    zs_scanner_t *s;
    uint16_t file;
    unsigned depth;
};

static bool scan_bytes(struct zone_text *t, const zs_scanner_t *from, const char *path,
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
static bool take_owner(struct scan *sc)
{
    struct zone_text *t = sc->t;
    const zs_scanner_t *s = sc->s;
    if (t->owner_len == s->r_owner_length && t->owner_file == sc->file &&
        memcmp(t->owner, s->r_owner, t->owner_len) == 0)
        return !t->owner_outside;
    struct rd r = rd_init(s->r_owner, s->r_owner_length);
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

static void take_record(struct scan *sc)
{
    const zs_scanner_t *s = sc->s;
    struct zone_errors *errs = sc->t->errs;
    const char *path = sc->t->file[sc->file];
    char text[DNS_TEXT_MAX], type[DNS_TYPE_TEXT_MAX];
    struct dns_name name;
    if (s->r_class != DNS_CLASS_IN) {
        zone_errors_add(errs, false, path, s->line_counter, "only the class IN is served",
                        "a record of class %u", s->r_class);
        return;
    }
    if (s->r_ttl > INT32_MAX) {
        zone_errors_add(errs, false, path, s->line_counter,
                        "use at most 2147483647 (RFC 2181 section 8)", "the TTL %u is too large",
                        s->r_ttl);
        return;
    }
    const char *fault = zone_rdata_fault(s->r_type, s->r_data, s->r_data_length);
    if (fault != NULL) {
        zone_errors_add(errs, false, path, s->line_counter, NULL, "%s: %s",
                        dns_type_text(s->r_type, type), fault);
        return;
    }
    if (!take_owner(sc)) {
        struct rd r = rd_init(s->r_owner, s->r_owner_length);
        if (!dns_name_parse(&name, &r))
            name = sc->t->origin;
        char origin[DNS_TEXT_MAX];
        zone_errors_add(errs, false, path, s->line_counter,
                        "is a final dot missing, or $ORIGIN wrong?", "%s is not in the zone %s",
                        dns_name_text(&name, text), dns_name_text(&sc->t->origin, origin));
        return;
    }
    zone_stage_record(sc->t->stage, (uint32_t)s->line_counter, s->r_type, s->r_ttl, s->r_data,
                      s->r_data_length);
}

static const char *hint_for(int code)
{
    switch (code) {
    case ZS_UNSUPPORTED_TYPE:
        return "write it as TYPEn \\# length hexadecimal (RFC 3597 section 5)";
    case ZS_BAD_DIRECTIVE:
        return "known are $ORIGIN, $TTL and $INCLUDE";
    case ZS_BAD_INCLUDE_ORIGIN:
        return "write the origin in full, with its final dot";
    case ZS_UNCLOSED_MULTILINE:
        return "a closing parenthesis is missing";
    default:
        return NULL;
    }
}

static void take_error(struct scan *sc)
{
    const zs_scanner_t *s = sc->s;
    char near[24];
    size_t n = 0;
    for (; n < sizeof near - 1 && n < s->buffer_length && s->buffer[n] != '\0'; n++)
        near[n] = s->buffer[n] >= ' ' && s->buffer[n] < 127 ? (char)s->buffer[n] : '?';
    near[n] = '\0';
    const char *end = s->error.fatal ? "; the rest of the file was not read" : "";
    if (n != 0)
        zone_errors_add(sc->t->errs, false, sc->t->file[sc->file], s->line_counter,
                        hint_for(s->error.code), "%s before '%s'%s", zs_strerror(s->error.code),
                        near, end);
    else
        zone_errors_add(sc->t->errs, false, sc->t->file[sc->file], s->line_counter,
                        hint_for(s->error.code), "%s%s", zs_strerror(s->error.code), end);
}

/* The scanner has put the folder of this file in front of a relative name. */
static bool take_include(struct scan *sc)
{
    const zs_scanner_t *s = sc->s;
    struct zone_text *t = sc->t;
    const char *what = NULL;
    if (sc->depth + 1 >= ZONE_INCLUDE_DEPTH_MAX)
        what = "files include each other more than 8 deep";
    else if (t->files == ZONE_FILES_MAX)
        what = "the zone includes more than 1023 files";
    if (what != NULL) {
        zone_errors_add(t->errs, false, t->file[sc->file], s->line_counter,
                        "does a file include itself?", "%s", what);
        return false;
    }
    uint8_t *bytes;
    size_t len;
    if (!read_file(t, s->include_filename, &bytes, &len)) {
        zone_errors_add(t->errs, false, t->file[sc->file], s->line_counter, NULL,
                        "$INCLUDE of this file failed");
        return false;
    }
    bool good = scan_bytes(t, s, s->include_filename, bytes, len, sc->depth + 1);
    free(bytes);
    t->owner_len = 0; /* the next record here begins a run of its own */
    return good;
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

static bool scan_all(struct scan *sc, uint8_t *bytes, size_t len)
{
    zs_scanner_t *s = sc->s;
    bool good = true;
    size_t given = 0;
    if (len == 0 || zs_set_input_string(s, (const char *)bytes, len) != 0)
        return true;
    for (;;) {
        (void)zs_parse_record(s); /* says in s->state what there is */
        switch (s->state) {
        case ZS_STATE_DATA:
            take_record(sc);
            break;
        case ZS_STATE_ERROR:
            take_error(sc);
            good = false;
            if (s->error.fatal)
                return false;
            break;
        case ZS_STATE_INCLUDE:
            good &= take_include(sc);
            break;
        default:
            return good;
        }
        /* At the end of the text the scanner looks at a line end of its own, not at `bytes`. */
        const uint8_t *now = (const uint8_t *)s->input.current;
        if (now >= bytes + given + TEXT_GIVE_BACK && now <= bytes + len) {
            give_back(bytes + given, now);
            given = (size_t)(now - bytes);
        }
    }
}

/* The scanner of a file, with what it has from the one that includes it (NULL: the zone's own). */
static bool scanner_init(struct zone_text *t, zs_scanner_t *s, const zs_scanner_t *from,
                         const char *path)
{
    char origin[DNS_TEXT_MAX];
    uint32_t ttl_s = from != NULL ? from->default_ttl : ZONE_TTL_DEFAULT_S;
    dns_name_text(&t->origin, origin);
    /* An included origin comes as text in which each byte may take four: too long for zs_init(). */
    if (zs_init(s, ".", DNS_CLASS_IN, ttl_s) != 0)
        return false;
    struct dns_name name = t->origin;
    if (from != NULL && !dns_name_from_text(&name, (const char *)from->buffer))
        return false;
    memcpy(s->zone_origin, name.wire, name.len);
    s->zone_origin_length = name.len;
    char *copy = base_strdup(path);
    free(s->path);
    s->path = strdup(dirname(copy));
    free(copy);
    return s->path != NULL;
}

static bool scan_bytes(struct zone_text *t, const zs_scanner_t *from, const char *path,
                       uint8_t *bytes, size_t len, unsigned depth)
{
    struct scan sc = { .t = t, .file = (uint16_t)t->files, .depth = depth };
    t->file[t->files++] = base_strdup(path);
    t->owner_len = 0;
    sc.s = base_alloc(sizeof *sc.s); /* 206 KB: not on the stack */
    bool good = scanner_init(t, sc.s, from, path);
    len = drop_carriage_returns(bytes, len);
    if (!good)
        zone_errors_add(t->errs, false, path, 0, NULL, "the parser of zone text cannot start");
    good = good && scan_all(&sc, bytes, len);
    zs_deinit(sc.s);
    free(sc.s);
    return good;
}

bool zone_text_bytes(struct zone_text *t, const char *path, uint8_t *bytes, size_t len)
{
    return scan_bytes(t, NULL, path, bytes, len, 0);
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
