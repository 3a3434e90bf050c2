/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stddef.h>

/* One line is one event: a name, then key=value pairs (logfmt):
 *     bgp_down neighbor=192.0.2.1 why=hold_expired after_ms=9000 routes=2
 * Levels by what the operator does. The edge that handles an event logs it; the layers below return
 * it. Lines go to stderr in one write(2) each, at most 1,024 bytes, control characters as '?'; never from
 * the way of a query. */
enum log_level {
    LOG_LEVEL_ERROR, /* act now */
    LOG_LEVEL_WARN,  /* will hurt if it stays */
    LOG_LEVEL_INFO,  /* a state changed */
    LOG_LEVEL_DEBUG, /* for us */
};

/* Set once at start: lines above `level` are dropped; `process` ("guard", "control", …) is borrowed
 * for the life of the process and printed in each line. */
void log_init(const char *process, enum log_level level);

/* Writes one line, cut at the limit. `event` is one word; `fmt` gives the pairs. Any thread. Never
 * waits for the reader: lines that do not fit are counted and told by the next that does (log_lost). */
void log_event(enum log_level level, const char *event, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* A text of others as the value in `key="%s"`: no quote ends it and no control character is left. Cut at
 * `cap`; returns `buf`. */
const char *log_quoted(const char *text, char *buf, size_t cap);

#define log_error(event, ...) log_event(LOG_LEVEL_ERROR, event, __VA_ARGS__)
#define log_warn(event, ...) log_event(LOG_LEVEL_WARN, event, __VA_ARGS__)
#define log_info(event, ...) log_event(LOG_LEVEL_INFO, event, __VA_ARGS__)
#define log_debug(event, ...) log_event(LOG_LEVEL_DEBUG, event, __VA_ARGS__)

#endif
