/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Stops one thread of another process by ptrace and nothing else of it:
 *     stop_thread TID
 * Prints "stopped" and keeps the thread stopped until its own input ends. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    const pid_t tid = argc == 2 ? atoi(argv[1]) : 0;
    char c;
    int status;
    if (tid <= 0) {
        fputs("usage: stop_thread TID\n", stderr);
        return 2;
    }
    if (ptrace(PTRACE_SEIZE, tid, NULL, NULL) != 0 ||
        ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) != 0 || waitpid(tid, &status, __WALL) != tid) {
        fprintf(stderr, "stop_thread: %s\n", strerror(errno));
        return 1;
    }
    puts("stopped");
    fflush(stdout);
    while (read(STDIN_FILENO, &c, 1) > 0) {
    }
    return 0; /* the kernel lets go of it */
}
