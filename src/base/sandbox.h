/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef BASE_SANDBOX_H
#define BASE_SANDBOX_H

#include <stdbool.h>

#include "base/mem.h"

/* For processes that need much of the system but surely not these: starting programs, looking into
 * other processes, mounting, loading code into the kernel, becoming somebody else, namespaces. A call
 * of one of them ends the process (SIGSYS). Sets the filter for all threads, and no_new_privs. False
 * after a log line. serve has a filter of its own that says what is allowed. */
bool sandbox_deny(void) BASE_MUST_USE;

#endif
