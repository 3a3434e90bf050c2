/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LAB_GLUE_H
#define LAB_GLUE_H

#include "lab/lab.h"

/* What operators build today, in a node's place, to be measured beside it: Knot DNS, and ExaBGP with
 * its healthcheck, both out of the peers' root. The service addresses stay on the loopback. */
bool glue_start(struct lab *l, struct lab_host *h, struct err *e);
/* Knot alone, again. It must have ended. */
bool glue_start_dns(struct lab *l, struct lab_host *h, struct err *e);

#endif
