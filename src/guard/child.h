/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef GUARD_CHILD_H
#define GUARD_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/mem.h"

/* Who the children run as. */
struct guard_identity {
    bool change; /* false: as guard does */
    uid_t uid;
    gid_t gid;
    char name[64];
};

/* Looks up `user`; NULL means no change. Prints one line and returns false when there is none. */
bool guard_identity_find(struct guard_identity *id, const char *user) BASE_MUST_USE;

/* Drops from guard what it never needs, keeping what opening sockets, addresses and children take. */
void guard_capabilities_trim(void);

/* A process of the node. */
struct guard_child {
    pid_t pid; /* 0: none */
    int pidfd; /* readable when it has ended; -1: none */
    int link;  /* our end of its link; -1: none */
};

#define GUARD_CHILD_FIRST_FD 3 /* where `pass` begins in the child */
#define GUARD_CHILD_PASS_MAX 6
#define GUARD_CHILD_ABOVE_FD (GUARD_CHILD_FIRST_FD + GUARD_CHILD_PASS_MAX)

/* What to start: the same binary, exec'd afresh. */
struct guard_start {
    const char *title; /* argv[0] */
    const char *role;
    const char *argument; /* argv[3]; NULL: none */
    const int *pass;      /* these become descriptors 4, 5, …; 3 is the link */
    uint32_t pass_count;  /* at most GUARD_CHILD_PASS_MAX - 1 */
    int nice;             /* 0: as guard's own was */
    bool reads_all_files; /* a loader started by root reads files of other users too */
    /* The same number in the child, for those that are many: calls `keep(arg)` before exec. */
    void (*keep)(void *arg);
    void *arg;
};

/* Starts it with a new link. False after a log line. The child has no capability (but perhaps the
 * one to read files), ignores SIGINT, SIGTERM, SIGHUP and SIGPIPE, and dies with guard. */
bool guard_child_start(struct guard_child *c, const struct guard_start *s,
                       const struct guard_identity *id) BASE_MUST_USE;
/* Whether it has ended; then *status is as waitpid() gives it, and everything of *c is closed. */
bool guard_child_reap(struct guard_child *c, int *status);
void guard_child_kill(const struct guard_child *c);

/* Sends a fixed-size message, with `fd` unless it is -1. Never blocks; false when it did not go. */
bool guard_child_send(const struct guard_child *c, const void *message, uint32_t len, int fd);
/* Receives a message of exactly `len` bytes and perhaps a descriptor (*fd, -1: none; NULL: not
 * wanted). 1: there is one; 0: nothing waits; -1: the other end is closed or broke the form. */
int guard_child_receive(const struct guard_child *c, void *message, uint32_t len, int *fd);

/* Descriptors below GUARD_CHILD_ABOVE_FD are taken in guard from the start, so
 * that moving a child's descriptors there cannot overwrite another. */
bool guard_child_reserve(void) BASE_MUST_USE;

/* State letter and processor time of a thread from /proc. False when it cannot be read. */
bool guard_thread_look(pid_t pid, pid_t tid, char *state, uint64_t *cpu_ns);

#endif
