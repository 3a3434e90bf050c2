/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CMD_CMD_H
#define CMD_CMD_H

/* The commands of the command line, one file each: src/cmd/NAME.c. argv[0] is the command's name.
 * Each returns the exit status: */
#define CMD_DONE 0        /* done */
#define CMD_REFUSED 1     /* the check refused it, or it could not be done */
#define CMD_USAGE 2       /* wrong usage: said on stderr, with what to do */
#define CMD_UNREACHABLE 3 /* no node answers on the control socket */

/* `perigee serve`; returns when the server has been stopped. */
int cmd_serve(int argc, char **argv);

/* A node, from the fleet's file; returns when it has been stopped. */
int cmd_run(int argc, char **argv);
/* The fleet file and its zones: every mistake, with file, line and what to do. */
int cmd_check(int argc, char **argv);

/* A running node, through its control socket. */
int cmd_status(int argc, char **argv);
int cmd_neighbors(int argc, char **argv);
int cmd_routes(int argc, char **argv);
int cmd_zones(int argc, char **argv);
int cmd_drain(int argc, char **argv);
int cmd_undrain(int argc, char **argv);
int cmd_reload(int argc, char **argv);

/* Any anycast service, from here: which site answers, how fast, how right. */
int cmd_probe(int argc, char **argv);

#endif
