/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CONTROL_CONTROL_H
#define CONTROL_CONTROL_H

/* The process `control`, as guard starts it (guard/link.h): configuration, BGP, health, announcements,
 * the control socket. argv[1] is the node's name. Returns the exit status; usually it ends because the
 * link to guard closes. */
int control_main(int argc, char **argv);

#endif
