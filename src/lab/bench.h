/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LAB_BENCH_H
#define LAB_BENCH_H

#include "lab/lab.h"

struct bench_options {
    unsigned runs;    /* of each kind */
    const char *only; /* part of a kind's title; NULL: all */
    const char *json; /* file for the figures; NULL: DIR/failover.json */
    unsigned
        beside; /* so many runs of Knot with ExaBGP's healthcheck in the same lab, too; 0: none */
};

/* The losses of each way to fail, over many runs: median and worst, UPDATEs, times; each beside what
 * it must reach. Returns 0 when all of it was reached. */
int bench_failover(struct lab *l, const struct bench_options *o);

#endif
