/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

#define BASE_MUST_USE __attribute__((warn_unused_result))
#define BASE_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* One owner, early returns: `AUTO(zone_set) s = …;` frees *s at the end of the scope by
 * zone_set_cleanup(struct zone_set **), and TAKE(s) moves the ownership out of the scope. */
#define AUTO(type) __attribute__((cleanup(type##_cleanup))) struct type *
#define TAKE(p)                                                                                    \
    __extension__({                                                                                \
        __typeof__(p) taken_ = (p);                                                                \
        (p) = NULL;                                                                                \
        taken_;                                                                                    \
    })

/* malloc, calloc and realloc that do not return when there is no memory: for start-up and
 * configuration, where nothing can be repaired. Never on the way of a query. */
void *base_alloc(size_t size) __attribute__((malloc, returns_nonnull, alloc_size(1)));
void *base_calloc(size_t count, size_t size)
    __attribute__((malloc, returns_nonnull, alloc_size(1, 2)));
void *base_realloc(void *p, size_t size) __attribute__((returns_nonnull, alloc_size(2)));
char *base_strdup(const char *s) __attribute__((malloc, returns_nonnull, nonnull));

#endif
