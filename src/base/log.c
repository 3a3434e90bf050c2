/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/log.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/time.h"

static const char *log_process = "perigee";
static enum log_level log_limit = LOG_LEVEL_INFO;
static _Atomic uint32_t log_lost; /* lines that nobody took, since the last one that was */

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

/* Time, level, process and event; returns how many bytes. */
static size_t begin(char *line, size_t cap, enum log_level level, const char *event)
{
    static const char *const names[] = { "error", "warn", "info", "debug" };
    wall_t now = time_wall();
    struct tm tm;
    time_t s = (time_t)now.s;
    gmtime_r(&s, &tm);
    size_t used = strftime(line, cap, "%Y-%m-%dT%H:%M:%S", &tm);
    return advance(used,
                   snprintf(line + used, cap - used, ".%03dZ %s %s %s ", now.ns / 1000000,
                            names[level], log_process, event),
                   cap);
}

/* Never waits: a reader that stands still (a journal that is stuck, a pager, a terminal's Ctrl-S) must
 * not make guard and control stand still, whose routes would stay out meanwhile. No O_NONBLOCK: that
 * would change the descriptor of whoever started us as well. */
static bool put(const char *line, size_t len)
{
    struct pollfd p = { .fd = STDERR_FILENO, .events = POLLOUT };
    ssize_t n = send(STDERR_FILENO, line, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && errno == ENOTSOCK)
        n = poll(&p, 1, 0) == 1 && (p.revents & POLLOUT) != 0 ? write(STDERR_FILENO, line, len)
                                                              : -1;
    return n >= 0;
}

static void tell_lost(void)
{
    char line[128];
    const uint32_t lost = atomic_exchange_explicit(&log_lost, 0, memory_order_relaxed);
    if (lost == 0)
        return;
    size_t used = begin(line, sizeof line, LOG_LEVEL_WARN, "log_lost");
    used =
        advance(used, snprintf(line + used, sizeof line - used, "lines=%u\n", lost), sizeof line);
    if (!put(line, used))
        atomic_fetch_add_explicit(&log_lost, lost, memory_order_relaxed);
}

void log_event(enum log_level level, const char *event, const char *fmt, ...)
{
    if (level > log_limit)
        return;

    char line[1024];
    const size_t cap = sizeof line - 1; /* the last byte is for the line's end */
    size_t used = begin(line, cap, level, event);
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
    tell_lost();
    if (!put(line, used))
        atomic_fetch_add_explicit(&log_lost, 1, memory_order_relaxed);
}

const char *log_quoted(const char *text, char *buf, size_t cap)
{
    size_t i = 0;
    for (; text[i] != '\0' && i + 1 < cap; i++)
        buf[i] = text[i] == '"' ? '\'' : (unsigned char)text[i] < 0x20 ? ' ' : text[i];
    buf[i] = '\0';
    return buf;
}
