/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CMD_CLIENT_H
#define CMD_CLIENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* What the commands that speak with a running node share: their options, the control socket, tables. */

struct client_options {
    const char *socket; /* -s: its path */
    const char *config; /* -c and --node: the fleet file that says it */
    const char *node;
    bool json;          /* --json: the reply as it came */
    const char *reason; /* --reason, of drain */
    bool wait;          /* --wait, of drain */
};

#define CLIENT_DONE (-1)

/* Reads the options; `more` names those beyond -s, -c, --node and --help: any of "json", "reason", "wait".
 * Returns CLIENT_DONE to go on, else the exit status (after --help, or a mistake that it has told). */
int client_options_parse(struct client_options *o, int argc, char **argv, const char *more,
                         const char *help);

/* Asks the node. A new reference, or NULL with the exit status in *status after saying why on stderr. */
json_t *client_ask(const struct client_options *o, const char *command, int *status);

/* "12ms", "3.4s", "5m07s", "2h05m", "3d04h"; "-" for null. */
#define CLIENT_AGE_MAX 24
const char *client_age(const json_t *ms, char buf[CLIENT_AGE_MAX]);

/* Text, numbers and booleans of an object as words; "-" when they are not there or null. Borrowed from
 * the object, or from `buf`. */
const char *client_text(const json_t *object, const char *key);
int64_t client_number(const json_t *object, const char *key);

/* Rows of text in columns that are as wide as they must be. */
#define CLIENT_COLUMNS_MAX 10
struct client_table {
    uint32_t columns, rows, cap;
    char **cells;
};
void client_table_init(struct client_table *t, uint32_t columns);
/* One cell after the other, row by row. */
void client_table_add(struct client_table *t, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Prints to stdout and frees. The last column is not padded. */
void client_table_print(struct client_table *t);

#endif
