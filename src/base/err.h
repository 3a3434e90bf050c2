/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>
#include <stdint.h>

enum err_kind {
    ERR_NONE = 0,
    ERR_INPUT,  /* what the operator wrote is wrong: file, line, what, hint */
    ERR_SYSTEM, /* the kernel refused: sys_errno is set */
    ERR_LIMIT,  /* a bound of ours was reached */
    ERR_PEER,   /* the other process or host did not do its part */
};

/* One error. Lives on the caller's stack; never allocates. */
struct err {
    enum err_kind kind; /* the only field that code may branch on */
    int sys_errno;      /* 0 if the kernel was not involved */
    const char *file;   /* the operator's file, borrowed; NULL if none */
    uint32_t line;      /* 1-based; 0 if none */
    uint32_t column;    /* 1-based; 0 if none */
    char what[200];     /* "hold_time 2s is too short" */
    char hint[200];     /* "use 0 (no timer) or at least 3s"; empty if there is nothing to say */
};

/* Fills *e and returns false, so that a caller writes `return err_set(e, ERR_INPUT, hint, …)`.
 * `hint` may be NULL. File and line are kept as they are in *e. */
bool err_set(struct err *e, enum err_kind kind, const char *hint, const char *fmt, ...)
    __attribute__((format(printf, 4, 5), nonnull(1, 4)));

/* The same for a refused system call: takes errno, and appends its text to `what`. */
bool err_set_errno(struct err *e, const char *hint, const char *fmt, ...)
    __attribute__((format(printf, 3, 4), nonnull(1, 3)));

/* Writes "file:line:column: what; hint" (the parts there are) to buf, always terminated.
 * Returns buf. */
const char *err_text(const struct err *e, char *buf, uint32_t cap) __attribute__((nonnull));

#endif
