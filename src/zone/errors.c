/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "zone/errors.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Room for one more, which an error takes from the last warning if need be; NULL when there is none. */
static struct zone_error *room_for(struct zone_errors *errs, bool warning)
{
    if (errs->kept < ZONE_ERRORS_KEPT)
        return &errs->at[errs->kept++];
    for (uint32_t i = ZONE_ERRORS_KEPT; !warning && i-- > 0;) {
        if (!errs->at[i].warning)
            continue;
        memmove(&errs->at[i], &errs->at[i + 1], (ZONE_ERRORS_KEPT - 1 - i) * sizeof errs->at[0]);
        return &errs->at[ZONE_ERRORS_KEPT - 1];
    }
    return NULL;
}

void zone_errors_add(struct zone_errors *errs, bool warning, const char *file, uint64_t line,
                     const char *hint, const char *fmt, ...)
{
    *(warning ? &errs->warnings : &errs->errors) += 1;
    struct zone_error told, *ze = room_for(errs, warning);
    if (ze == NULL && errs->tell == NULL)
        return;
    if (ze == NULL)
        ze = &told;
    memset(ze, 0, sizeof *ze);
    ze->warning = warning;
    ze->line = (uint32_t)line;
    size_t len = file != NULL ? strlen(file) : 0;
    if (len >= sizeof ze->file)
        snprintf(ze->file, sizeof ze->file, "...%s", file + len - (sizeof ze->file - 4));
    else if (file != NULL)
        memcpy(ze->file, file, len);
    snprintf(ze->hint, sizeof ze->hint, "%s", hint != NULL ? hint : "");
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(ze->what, sizeof ze->what, fmt, ap);
    va_end(ap);
    if (errs->tell != NULL)
        errs->tell(errs->arg, ze);
}

void zone_errors_add_err(struct zone_errors *errs, const char *file, const struct err *e)
{
    zone_errors_add(errs, false, file, e->line, e->hint, "%s", e->what);
}

const char *zone_error_text(const struct zone_error *ze, char *buf, uint32_t cap)
{
    char where[ZONE_PATH_MAX + 16] = "";
    if (ze->file[0] != '\0' && ze->line != 0)
        snprintf(where, sizeof where, "%s:%u: ", ze->file, ze->line);
    else if (ze->file[0] != '\0')
        snprintf(where, sizeof where, "%s: ", ze->file);
    snprintf(buf, cap, "%s%s%s%s%s", where, ze->warning ? "warning: " : "", ze->what,
             ze->hint[0] != '\0' ? "; " : "", ze->hint);
    return buf;
}
