/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SERVE_SERVE_H
#define SERVE_SERVE_H

/* The process that answers, `perigee-serve --role serve`; serve/link.h says how guard starts it and
 * speaks with it. */
int serve_main(int argc, char **argv);

#endif
