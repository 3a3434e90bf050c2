/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>

void base_panic(const char *file, int line, const char *what)
{
    fprintf(stderr, "perigee: bug: %s:%d: %s\n", file, line, what);
    abort();
}
