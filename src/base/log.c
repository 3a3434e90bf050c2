/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/time.h"

static const char *log_process = "perigee";
static enum log_level log_limit = LOG_LEVEL_INFO;

void log_init(const char *process, enum log_level level)
{
    log_process = process;
    log_limit = level;
}

/* `used` after a snprintf that wanted `n` more bytes of `cap`. */
static size_t advance(size_t used, int n, size_t cap)
{
    if (n < 0)
        return used;
    used += (size_t)n;
    return used < cap ? used : cap - 1;
}

void log_event(enum log_level level, const char *event, const char *fmt, ...)
{
    static const char *const names[] = { "error", "warn", "info", "debug" };
    if (level > log_limit)
        return;

    char line[1024];
    const size_t cap = sizeof line - 1; /* the last byte is for the line's end */
    wall_t now = time_wall();
    struct tm tm;
    time_t s = (time_t)now.s;
    gmtime_r(&s, &tm);
    size_t used = strftime(line, cap, "%Y-%m-%dT%H:%M:%S", &tm);
    used = advance(used,
                   snprintf(line + used, cap - used, ".%03dZ %s %s %s ", now.ns / 1000000,
                            names[level], log_process, event),
                   cap);
    va_list ap;
    va_start(ap, fmt);
    used = advance(used, vsnprintf(line + used, cap - used, fmt, ap), cap);
    va_end(ap);
    /* One event is one line, whatever bytes of others it carries. */
    for (size_t i = 0; i < used; i++)
        if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
            line[i] = '?';
    while (used > 0 && line[used - 1] == ' ')
        used--;
    line[used++] = '\n';
    /* A log that cannot be written must not stop the node; there is nowhere to say it. */
    ssize_t ignored = write(STDERR_FILENO, line, used);
    (void)ignored;
}
