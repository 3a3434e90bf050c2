/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What a serve process may still ask the kernel for. It holds sockets that the whole world writes to:
 * whoever takes it over gets no file, no new socket, no process, no signal to others. */
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/log.h"
#include "serve/worker.h"

/* clang-format off */
static const int sandbox_allowed[] = {
    /* the way of a query */
    SCMP_SYS(recvmmsg), SCMP_SYS(sendmmsg), SCMP_SYS(recvmsg), SCMP_SYS(sendmsg), SCMP_SYS(recvfrom),
    SCMP_SYS(sendto), SCMP_SYS(accept4), SCMP_SYS(close), SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait),
    SCMP_SYS(epoll_ctl), SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(clock_gettime),
    /* images */
    SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(lseek), SCMP_SYS(pread64),
    SCMP_SYS(madvise),
    /* libc: memory, locks, threads, the end */
    SCMP_SYS(brk), SCMP_SYS(futex), SCMP_SYS(sched_yield), SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn), SCMP_SYS(restart_syscall), SCMP_SYS(set_robust_list), SCMP_SYS(rseq),
    SCMP_SYS(getrandom), SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(getpid), SCMP_SYS(gettid),
    SCMP_SYS(write), /* to stderr, and to nothing else that is open */
};
/* clang-format on */

static int allow_all(scmp_filter_ctx ctx)
{
    for (uint32_t i = 0; i < BASE_COUNT(sandbox_allowed); i++) {
        int error = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, sandbox_allowed[i], 0);
        if (error != 0)
            return error;
    }
    /* Memory, but never memory that is code. */
    const int maps[] = { SCMP_SYS(mmap), SCMP_SYS(mprotect) };
    for (uint32_t i = 0; i < BASE_COUNT(maps); i++) {
        int error = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, maps[i], 1,
                                     SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
        if (error != 0)
            return error;
    }
    /* A thread's name, and abort() for a fault of our own (base_panic). */
    int error = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1,
                                 SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME));
    if (error == 0)
        error = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
                                 SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()));
    if (error == 0)
        error = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(rt_sigaction), 0);
    /* Whether an image may still grow (zone/map.c); no other question to a descriptor. */
    if (error == 0)
        error = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1,
                                 SCMP_A1(SCMP_CMP_EQ, F_GET_SEALS));
    return error;
}

bool serve_sandbox_enter(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    log_warn("sandbox", "what=\"none in a build with sanitizers: they need more system calls\"");
    return true;
#endif
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
    int error = ctx == NULL ? -ENOMEM : 0;
    /* The workers run already: all threads of the process get the filter at once. */
    if (error == 0)
        error = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1);
    if (error == 0)
        error = allow_all(ctx);
    if (error == 0)
        error = seccomp_load(ctx);
    if (ctx != NULL)
        seccomp_release(ctx);
    if (error != 0)
        log_error("sandbox_failed", "why=\"%s\"", strerror(-error));
    return error == 0;
}
