/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void fill(struct err *e, enum err_kind kind, const char *hint, const char *fmt, va_list ap)
    __attribute__((format(printf, 4, 0)));

static void fill(struct err *e, enum err_kind kind, const char *hint, const char *fmt, va_list ap)
{
    e->kind = kind;
    e->sys_errno = 0;
    vsnprintf(e->what, sizeof e->what, fmt, ap);
    snprintf(e->hint, sizeof e->hint, "%s", hint ? hint : "");
}

bool err_set(struct err *e, enum err_kind kind, const char *hint, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fill(e, kind, hint, fmt, ap);
    va_end(ap);
    return false;
}

bool err_set_errno(struct err *e, const char *hint, const char *fmt, ...)
{
    int saved = errno;
    va_list ap;
    va_start(ap, fmt);
    fill(e, ERR_SYSTEM, hint, fmt, ap);
    va_end(ap);
    e->sys_errno = saved;
    size_t used = strlen(e->what);
    snprintf(e->what + used, sizeof e->what - used, ": %s", strerror(saved));
    return false;
}

const char *err_text(const struct err *e, char *buf, uint32_t cap)
{
    char where[320] = "";
    if (e->file != NULL && e->line != 0 && e->column != 0)
        snprintf(where, sizeof where, "%s:%u:%u: ", e->file, e->line, e->column);
    else if (e->file != NULL && e->line != 0)
        snprintf(where, sizeof where, "%s:%u: ", e->file, e->line);
    else if (e->file != NULL)
        snprintf(where, sizeof where, "%s: ", e->file);
    snprintf(buf, cap, "%s%s%s%s", where, e->what, e->hint[0] ? "; " : "", e->hint);
    return buf;
}
