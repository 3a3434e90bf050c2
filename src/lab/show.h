/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LAB_SHOW_H
#define LAB_SHOW_H

#include <stdio.h>

#include "lab/step.h"

/* Words for people. Colour only when `out` is a terminal; nothing here decides anything. */
struct show {
    FILE *out;
    bool color;
    int64_t begun_ns;
};

void show_init(struct show *sh, FILE *out);

void show_title(struct show *sh, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* One line, indented; `show_ok` and `show_bad` put a mark in front. */
void show_line(struct show *sh, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void show_ok(struct show *sh, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void show_bad(struct show *sh, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* What is going on, while it does: on a terminal replaced by the next line, else a line of its own. */
void show_doing(struct show *sh, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* "12,345"; a few buffers in turn. */
const char *show_number(uint64_t n);
/* "12.3 ms", "1.25 s" */
const char *show_us(uint64_t us);

/* What came out of a step, client by client, and the verdict: lines on `out`. Borrows all of it. */
void show_step(struct show *sh, const struct stage *s, const struct step *st,
               const struct step_result *r);
/* For struct stage: how long it has been waited, on the last line of a terminal; elsewhere a line every
 * ten seconds. `arg` is a struct show. */
void show_tick(void *arg, int64_t waited_ms);
/* Before it is played: its title. */
void show_begin(struct show *sh, uint32_t number, const struct step *st);

#endif
