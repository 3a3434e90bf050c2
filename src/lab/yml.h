/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LAB_YML_H
#define LAB_YML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <yaml.h>

#include "base/err.h"

/* Topologies and scenarios are YAML. This walks a libyaml document and keeps every error with file,
 * line, column and a hint; a reader goes on after an error, so that all are told at once. */
#define YML_ERRORS_MAX 50     /* more are counted, not kept */
#define YML_FILE_MAX 1048576u /* bytes */
#define YML_DEPTH_MAX 12      /* nested maps and lists */

struct yml {
    const char *file; /* borrowed, for the errors */
    yaml_document_t doc;
    bool loaded;
    struct err at[YML_ERRORS_MAX];
    uint32_t errors; /* all that were found */
};

/* A place in the document. NULL stands for "not there", and every function below takes it. */
typedef const yaml_node_t *yml_node;

/* Reads the text; `name` is borrowed until yml_fini(). Returns the root map, NULL when there is none
 * (an error was added). yml_fini() is needed in every case. */
yml_node yml_read(struct yml *y, const char *name, const char *text, size_t len);
/* The same for a file. Blocks on disk. */
yml_node yml_read_file(struct yml *y, const char *path);
void yml_fini(struct yml *y);

/* One line per error. */
void yml_print(const struct yml *y, FILE *out);

/* Adds an error at `n` (NULL: at the top of the file); always false. */
bool yml_error(struct yml *y, yml_node n, const char *hint, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Refuses keys that `allowed` (ended by NULL) does not have, and keys given twice. */
void yml_keys(struct yml *y, yml_node map, const char *const *allowed);

/* The value of `key`, NULL if absent. yml_need() adds an error when it is absent. */
yml_node yml_get(struct yml *y, yml_node map, const char *key);
yml_node yml_need(struct yml *y, yml_node map, const char *key);

/* A list's length (an absent one has 0; a scalar is an error) and its items. */
uint32_t yml_count(struct yml *y, yml_node list);
yml_node yml_at(struct yml *y, yml_node list, uint32_t idx);

/* A scalar's text, borrowed until yml_fini(); NULL when it is absent or no scalar (an error then). */
const char *yml_text(struct yml *y, yml_node n);

/* Scalars with a unit; `n` NULL gives `absent`. Wrong ones add an error and give `absent` too. */
uint32_t yml_u32(struct yml *y, yml_node n, uint32_t min, uint32_t max, uint32_t absent);
uint64_t yml_time_us(struct yml *y, yml_node n, uint64_t absent); /* 3us, 40ms, 2s, 1m */
uint64_t yml_rate(struct yml *y, yml_node n, uint64_t absent);    /* bits/s: 500kbit 4mbit 1gbit */
bool yml_bool(struct yml *y, yml_node n, bool absent);            /* yes, no, true, false */

#endif
