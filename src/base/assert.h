/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef BASE_ASSERT_H
#define BASE_ASSERT_H

/* For faults of our own only: never on a condition that bytes from outside can reach. Stays in
 * release builds, because a crashed process is seen and withdrawn in milliseconds and a confused one
 * is not. Write `a` and `b` as two assertions, so that the message says which. */
#define base_assert(cond)                                                                          \
    do {                                                                                           \
        if (__builtin_expect(!(cond), 0))                                                          \
            base_panic(__FILE__, __LINE__, #cond);                                                 \
    } while (0)

#define base_unreachable(what) base_panic(__FILE__, __LINE__, "unreachable: " what)

/* Prints one line to stderr and aborts. Allocates nothing. */
void base_panic(const char *file, int line, const char *what)
    __attribute__((noreturn, nonnull, cold));

#endif
