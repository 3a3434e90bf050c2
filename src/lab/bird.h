/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LAB_BIRD_H
#define LAB_BIRD_H

#include <stdio.h>

#include "lab/lab.h"

/* Writes the configuration of one router to `out`. Pure but for the FILE. Policy: customers are told
 * everything; peers and providers only of the router itself and of its customers; GRACEFUL_SHUTDOWN
 * (RFC 8326) makes a route the last choice; of equally long paths the smaller delay wins (as MED). */
void bird_config(const struct lab *l, const struct lab_host *router, FILE *out);

/* Starts a BIRD in every router's namespace and waits until all control sockets are there. */
bool bird_up(struct lab *l, struct err *e);

/* Waits until every session between routers is established. False after `limit_ms`. */
bool bird_wait(struct lab *l, int limit_ms, struct err *e);

/* Runs birdc COMMAND at a router; output to `out`. False when it does not answer. */
bool bird_ask(const struct lab *l, const struct lab_host *router, const char *command, char *out,
              size_t cap, struct err *e);

#endif
