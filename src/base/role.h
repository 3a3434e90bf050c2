/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef BASE_ROLE_H
#define BASE_ROLE_H

/* What every process that guard starts does first: takes the name that ps and top show, and asks to be
 * killed when guard dies, whose end may already have come: then the link in descriptor `link_fd` is
 * closed on the other side, and the process exits here. */
void role_begin(const char *name, int link_fd);

#endif
