/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef BGP_HELP_H
#define BGP_HELP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

/* "40 01 01 00" and so on to bytes; blanks do not count. Returns the length. */
static inline size_t hex(const char *text, uint8_t *out, size_t cap)
{
    size_t len = 0;
    unsigned nibbles = 0, value = 0;
    for (; *text != '\0'; text++) {
        if (*text == ' ')
            continue;
        char digit[2] = { *text, '\0' };
        value = value << 4 | (unsigned)strtoul(digit, NULL, 16);
        if (++nibbles % 2 == 0) {
            assert_true(len < cap);
            out[len++] = (uint8_t)value;
            value = 0;
        }
    }
    assert_int_equal(nibbles % 2, 0);
    return len;
}

/* Bytes that end at a page that may not be touched: a read past the end crashes. */
struct guarded {
    uint8_t *map, *end;
    size_t size;
};

static inline struct guarded guarded_new(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), size = 17 * page;
    uint8_t *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(map != MAP_FAILED);
    assert_int_equal(mprotect(map + size - page, page, PROT_NONE), 0);
    return (struct guarded){ map, map + size - page, size };
}

static inline const uint8_t *guarded_put(struct guarded *g, const uint8_t *bytes, size_t len)
{
    if (len > 0)
        memcpy(g->end - len, bytes, len);
    return g->end - len;
}

static inline void guarded_free(struct guarded *g)
{
    munmap(g->map, g->size);
}

/* A small generator with a seed. */
static inline uint32_t rng_next(uint64_t *state)
{
    uint64_t x = *state += 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return (uint32_t)((x ^ x >> 31) >> 32);
}

#endif
