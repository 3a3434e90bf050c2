/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

static void *must(void *p)
{
    if (p == NULL)
        base_panic(__FILE__, __LINE__, "out of memory");
    return p;
}

void *base_alloc(size_t size)
{
    return must(malloc(size ? size : 1));
}

void *base_calloc(size_t count, size_t size)
{
    return must(calloc(count ? count : 1, size ? size : 1));
}

void *base_realloc(void *p, size_t size)
{
    return must(realloc(p, size ? size : 1));
}

char *base_strdup(const char *s)
{
    return must(strdup(s));
}
