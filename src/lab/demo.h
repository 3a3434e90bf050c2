/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LAB_DEMO_H
#define LAB_DEMO_H

#include "lab/show.h"

/* What is sabotaged on purpose, to see that the demo would notice: it must end with 1 then. */
enum demo_break {
    DEMO_BREAK_NONE,
    DEMO_BREAK_WITHDRAW, /* a router keeps the route of a node that is gone */
    DEMO_BREAK_NSID,     /* a node calls itself by another's name */
    DEMO_BREAK_HANG,     /* guard is stopped, too, so that nobody repairs a stopped worker */
    DEMO_BREAK_UNICAST,  /* each client compares with the server next door, not with a far one */
};

/* Plays it all on a lab that is down, and leaves it down (`keep`: after a prompt). Returns the exit
 * status. */
int demo_run(struct lab *l, struct scenario *sc, enum demo_break sabotage, bool keep);

#endif
