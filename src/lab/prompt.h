/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LAB_PROMPT_H
#define LAB_PROMPT_H

#include <signal.h>

#include "lab/stage.h"

/* Reads commands from stdin until `quit` or its end: look around in a lab that stands, and break
 * things. `help` lists them. `s` NULL: no nodes were started. */
void prompt(struct lab *l, struct stage *s);

/* Set by SIGINT and SIGTERM: whatever waits must come to an end. */
extern volatile sig_atomic_t lab_stop;

#endif
