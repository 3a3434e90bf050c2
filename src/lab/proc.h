/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LAB_PROC_H
#define LAB_PROC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/time.h"

/* Processes and namespaces. Everything the lab starts dies with it (PR_SET_PDEATHSIG), and whatever
 * runs in one of its namespaces is found there, so that nothing is ever ended by its name. */
struct proc_opts {
    const char *netns; /* its name (`ip netns`); NULL: stays in ours */
    const char *log;   /* stdout and stderr are appended to this file; NULL: ours */
    const char *dir;   /* working directory; NULL: ours */
    bool quiet;        /* stdout and stderr to /dev/null, when `log` is NULL */
    bool outlive;      /* no PDEATHSIG: it forks, and its namespace is cleared at the end */
};

/* Starts argv[0] (looked up in PATH). Returns the pid, -1 with *e filled. The caller waits for it. */
pid_t proc_start(const struct proc_opts *o, const char *const *argv, struct err *e);

/* Starts, waits, returns the exit status (128 + n for a signal), -1 with *e filled. */
int proc_run(const struct proc_opts *o, const char *const *argv, struct err *e);

/* Runs and keeps the first bytes of stdout, ended by zero. Returns the exit status or -1. At most
 * `limit_ms`, then it is killed and -1 is returned. */
int proc_read(const struct proc_opts *o, const char *const *argv, char *out, size_t cap,
              int limit_ms, struct err *e);

/* True when the child has ended (and is reaped). `status` may be NULL. */
bool proc_ended(pid_t pid, int *status);
/* SIGKILL and wait; nothing for a pid of 0 or less. */
void proc_kill(pid_t pid);

/* A descriptor of the namespace; -1 if there is none. The caller closes it. */
int netns_open(const char *name);
/* A socket that lives in that namespace, whatever namespace the caller is in. -1 with errno. */
int netns_socket(const char *name, int domain, int type, int protocol);
/* Writes a sysctl ("net/ipv4/ip_forward") inside the namespace. */
bool netns_sysctl(const char *name, const char *key, const char *value);
/* The processes in the namespace, at most `cap`; returns how many. */
uint32_t netns_pids(const char *name, pid_t *pids, uint32_t cap);
/* The first `ip netns add` of a host makes /run/netns a mount, and nobody undoes it. Call _look before
 * the first, and _undo at the end: it is taken away if there was none and no namespace is in it. */
void netns_mount_look(void);
void netns_mount_undo(void);
/* SIGKILL to all of them, until there are none (at most two seconds). */
void netns_kill(const char *name);

/* Sleeps for all of `ms` milliseconds, whatever signals come. */
void sleep_ms(int64_t ms);

#endif
