/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/role.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>

void role_begin(const char *name, int link_fd)
{
    struct pollfd p = { .fd = link_fd, .events = POLLIN };
    prctl(PR_SET_NAME, name);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (poll(&p, 1, 0) < 0 || (p.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0)
        exit(1);
}
