/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ZONE_ERRORS_H
#define ZONE_ERRORS_H

#include "base/err.h"
#include "zone/load.h"

/* Counts an error or a warning and keeps it while there is room. `file` may be NULL, `hint` too. */
void zone_errors_add(struct zone_errors *errs, bool warning, const char *file, uint64_t line,
                     const char *hint, const char *fmt, ...) __attribute__((format(printf, 6, 7)));

/* The same from *e. */
void zone_errors_add_err(struct zone_errors *errs, const char *file, const struct err *e);

#endif
