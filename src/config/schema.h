/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CONFIG_SCHEMA_H
#define CONFIG_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"

/* What may stand in a fleet file: one row per key. Private to this room. */

enum config_kind {
    CONFIG_KIND_TEXT,            /* char *, min..max bytes */
    CONFIG_KIND_NAME,            /* char *: letters, digits, '-', '_' and '.'; at most 63 */
    CONFIG_KIND_FILE,            /* char *, with the fleet file's folder in front when relative */
    CONFIG_KIND_NUMBER,          /* uint32_t, min..max */
    CONFIG_KIND_AS,              /* uint32_t, min..max, and none of the reserved numbers */
    CONFIG_KIND_TIME_MS,         /* uint32_t, min..max milliseconds, written with a unit */
    CONFIG_KIND_TIME_S,          /* uint32_t, min..max whole seconds, written with a unit */
    CONFIG_KIND_BOOL,            /* bool: yes, no, true, false, on, off */
    CONFIG_KIND_LOG_LEVEL,       /* bool: info, debug */
    CONFIG_KIND_ADDRESS,         /* union addr; `min` 4 or 6 asks for that family */
    CONFIG_KIND_PREFIX,          /* struct config_prefix */
    CONFIG_KIND_ORIGIN,          /* struct dns_name */
    CONFIG_KIND_COMMUNITY,       /* uint32_t */
    CONFIG_KIND_LARGE_COMMUNITY, /* struct config_large_community */
    CONFIG_KIND_FAMILY,          /* uint32_t: CONFIG_FAMILY_* of all items of the list together */
    CONFIG_KIND_TABLE,           /* the struct of `sub` */
};

struct config_table;

struct config_key {
    const char *name;
    enum config_kind kind;
    bool list;     /* the field is { pointer, uint32_t count }; a single value is a list of one */
    bool required; /* an error where it is missing */
    uint32_t offset;
    uint32_t has_offset; /* of a bool that tells whether it was given; 0: there is none */
    uint32_t min, max;   /* by kind; of a list: of each item */
    uint32_t most;       /* items of a list; 0: any number */
    const char *def;     /* the default as the operator would write it; NULL: none */
    const struct config_table *sub;
    const char *doc; /* sentences; the first one says what it is */
};

struct config_table {
    const char *name; /* "neighbor" */
    const char *doc;
    const struct config_key *keys;
    uint32_t count; /* of keys */
    uint32_t size;  /* of the struct */
};

extern const struct config_table config_table_root;

/* Bytes of one value (of one item, if it is a list). */
size_t config_kind_size(const struct config_key *key);
/* "a time with a unit, 20ms to 10s": what the key wants, as words for errors and the reference. */
const char *config_kind_text(const struct config_key *key, char *buf, size_t cap);

/* Parses one scalar into *out. False with e->what and e->hint filled in; the caller adds the place. */
bool config_value_parse(const struct config_key *key, const char *folder, const char *text,
                        void *out, struct err *e) BASE_MUST_USE;
/* Frees what the value (or the table, and everything below it) at `field` owns; not `field`. */
void config_value_free(const struct config_key *key, void *field);
void config_table_free(const struct config_table *table, void *base);

/* The candidate nearest to `text`, for "did you mean"; NULL when none is near. */
const char *config_nearest(const char *text, const char *const *candidates, uint32_t count);

/* Where each value stood, found by the field that holds it. */
struct config_place {
    const void *field;
    uint32_t line, column;
};
struct config_places {
    struct config_place *at;
    uint32_t count, cap;
};
void config_place_add(struct config_places *p, const void *field, uint32_t line, uint32_t column);
/* NULL when the value was not in the file but is a default. */
const struct config_place *config_place_find(const struct config_places *p, const void *field);

struct config;
struct config_errors;

/* One reading. */
struct config_reading {
    struct config *c;
    const struct config_source *source;
    struct config_places places;
    struct config_errors *errors;
};

/* The next error, standing at that place (0: the file as a whole); fill it by err_set(). */
struct err *config_error_at(struct config_reading *r, uint32_t line, uint32_t column);
/* The same, at the place of `field` or, when it was not given, of `or_field` (parse.c). */
struct err *config_error_of(struct config_reading *r, const void *field, const void *or_field);

/* Errors that lie between values: names that nobody has, addresses outside every prefix (check.c). */
void config_check(struct config_reading *r);
/* Reads secrets and asks whether zone files can be read (files.c). */
void config_check_files(struct config_reading *r);
/* Reads the secrets of DNS cookies, and forgets them (cookies.c). */
void config_check_cookies(struct config_reading *r);
/* Gives what follows from other values when it is not given: router_id, nsid, ports (derive.c). */
void config_derive(struct config *c);

#endif
