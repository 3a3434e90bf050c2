/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lab/proc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

void sleep_ms(int64_t ms)
{
    struct timespec ts = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };
    while (nanosleep(&ts, &ts) != 0 && errno == EINTR)
        ;
}

static void netns_path(const char *name, char *path, size_t cap)
{
    snprintf(path, cap, "/run/netns/%s", name);
}

int netns_open(const char *name)
{
    char path[128];
    netns_path(name, path, sizeof path);
    return open(path, O_RDONLY | O_CLOEXEC);
}

/* Runs between fork and exec, in a copy of a threaded process: system calls only. */
static void child(const struct proc_opts *o, int ns, int out, int err, const char *const *argv)
{
    if (!o->outlive)
        prctl(PR_SET_PDEATHSIG, SIGKILL);
    setpgid(0, 0); /* so that a Ctrl-C at the terminal reaches the lab alone */
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    sigaction(SIGPIPE, &(struct sigaction){ .sa_handler = SIG_DFL }, NULL);
    /* As `ip netns exec` does: the namespace's own /sys, seen by this process only. */
    if (ns >= 0) {
        if (setns(ns, CLONE_NEWNET) != 0)
            _exit(126);
        if (unshare(CLONE_NEWNS) == 0 && mount("", "/", "none", MS_SLAVE | MS_REC, NULL) == 0 &&
            umount2("/sys", MNT_DETACH) == 0 && mount("lab", "/sys", "sysfs", 0, NULL) != 0)
            _exit(126);
    }
    int null = open("/dev/null", O_RDWR);
    if (null >= 0)
        dup2(null, 0);
    if (out >= 0)
        dup2(out, 1);
    if (err >= 0)
        dup2(err, 2);
    else if (o->quiet && null >= 0)
        dup2(null, 2);
    if (o->dir != NULL && chdir(o->dir) != 0)
        _exit(126);
    execvp(argv[0], (char *const *)(uintptr_t)argv);
    _exit(127);
}

/* `out` and `err` become the child's stdout and stderr; -1: ours. */
static pid_t start_with(const struct proc_opts *o, int out, int err, const char *const *argv,
                        struct err *e)
{
    int ns = -1;
    if (o->netns != NULL && (ns = netns_open(o->netns)) < 0) {
        err_set_errno(e, NULL, "namespace %s", o->netns);
        return -1;
    }
    pid_t pid = fork();
    if (pid == 0)
        child(o, ns, out, err, argv);
    if (pid < 0)
        err_set_errno(e, NULL, "fork for %s", argv[0]);
    if (ns >= 0)
        close(ns);
    return pid;
}

pid_t proc_start(const struct proc_opts *o, const char *const *argv, struct err *e)
{
    int out = -1;
    if (o->log != NULL)
        out = open(o->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    else if (o->quiet)
        out = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (out < 0 && (o->log != NULL || o->quiet)) {
        err_set_errno(e, NULL, "log file %s", o->log ? o->log : "/dev/null");
        return -1;
    }
    pid_t pid = start_with(o, out, out, argv, e);
    if (out >= 0)
        close(out);
    return pid;
}

static int exit_status(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int proc_run(const struct proc_opts *o, const char *const *argv, struct err *e)
{
    pid_t pid = proc_start(o, argv, e);
    int status;
    if (pid < 0)
        return -1;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    if (exit_status(status) != 0)
        err_set(e, ERR_PEER, NULL, "%s %s … ended with status %d", argv[0], argv[1] ? argv[1] : "",
                exit_status(status));
    return exit_status(status);
}

int proc_read(const struct proc_opts *o, const char *const *argv, char *out, size_t cap,
              int limit_ms, struct err *e)
{
    int fds[2];
    size_t len = 0;
    if (pipe2(fds, O_CLOEXEC) != 0) {
        err_set_errno(e, NULL, "pipe");
        return -1;
    }
    pid_t pid = start_with(o, fds[1], -1, argv, e);
    close(fds[1]);
    mono_t until = mono_add_ms(time_mono(), limit_ms);
    bool late = false;
    while (pid > 0) {
        struct pollfd p = { .fd = fds[0], .events = POLLIN };
        int n = poll(&p, 1, time_poll_ms(time_mono(), until));
        char waste[512];
        late = n == 0;
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        bool room = len + 1 < cap;
        ssize_t got = read(fds[0], room ? out + len : waste, room ? cap - 1 - len : sizeof waste);
        if (got <= 0)
            break;
        if (room)
            len += (size_t)got;
    }
    close(fds[0]);
    out[len] = '\0';
    if (pid < 0)
        return -1;
    int status = 0;
    if (late) {
        proc_kill(pid);
        err_set(e, ERR_PEER, NULL, "%s gave no answer within %d ms", argv[0], limit_ms);
        return -1;
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return exit_status(status);
}

bool proc_ended(pid_t pid, int *status)
{
    int st;
    pid_t got = waitpid(pid, &st, WNOHANG);
    if (got == pid && status != NULL)
        *status = exit_status(st);
    return got == pid || (got < 0 && errno == ECHILD);
}

void proc_kill(pid_t pid)
{
    if (pid <= 0)
        return;
    kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

/* Puts this thread into the namespace; returns a descriptor of the one it came from, -1 on failure. */
static int enter(const char *name)
{
    int ns = netns_open(name);
    int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    bool ok = ns >= 0 && home >= 0 && setns(ns, CLONE_NEWNET) == 0;
    int keep = errno;
    if (ns >= 0)
        close(ns);
    if (!ok && home >= 0)
        close(home);
    errno = keep;
    return ok ? home : -1;
}

static void leave(int home)
{
    int keep = errno;
    if (setns(home, CLONE_NEWNET) != 0)
        abort(); /* everything after would act in the wrong place */
    close(home);
    errno = keep;
}

int netns_socket(const char *name, int domain, int type, int protocol)
{
    int home = enter(name);
    if (home < 0)
        return -1;
    int fd = socket(domain, type | SOCK_CLOEXEC, protocol);
    leave(home);
    return fd;
}

bool netns_sysctl(const char *name, const char *key, const char *value)
{
    char path[160];
    snprintf(path, sizeof path, "/proc/sys/%s", key);
    int home = enter(name);
    if (home < 0)
        return false;
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool ok = fd >= 0 && write(fd, value, strlen(value)) == (ssize_t)strlen(value);
    if (fd >= 0)
        close(fd);
    leave(home);
    return ok;
}

uint32_t netns_pids(const char *name, pid_t *pids, uint32_t cap)
{
    char path[300];
    struct stat want, got;
    uint32_t count = 0;
    netns_path(name, path, sizeof path);
    DIR *d = stat(path, &want) == 0 ? opendir("/proc") : NULL;
    if (d == NULL)
        return 0;
    for (struct dirent *de; (de = readdir(d)) != NULL && count < cap;) {
        if (de->d_name[0] < '1' || de->d_name[0] > '9')
            continue;
        snprintf(path, sizeof path, "/proc/%s/ns/net", de->d_name);
        if (stat(path, &got) == 0 && got.st_ino == want.st_ino && got.st_dev == want.st_dev)
            pids[count++] = (pid_t)strtol(de->d_name, NULL, 10);
    }
    closedir(d);
    return count;
}

void netns_kill(const char *name)
{
    pid_t pids[256];
    for (int tries = 0; tries < 200; tries++) {
        uint32_t n = netns_pids(name, pids, 256);
        if (n == 0)
            return;
        for (uint32_t i = 0; i < n; i++)
            if (pids[i] != getpid())
                kill(pids[i], SIGKILL);
        sleep_ms(10);
        for (uint32_t i = 0; i < n; i++)
            waitpid(pids[i], NULL, WNOHANG); /* ours; the others are init's or their parent's */
    }
}

static bool netns_was_free; /* no mount at /run/netns when netns_mount_look() was called */

static bool netns_is_mount(void)
{
    char line[1024];
    bool found = false;
    FILE *f = fopen("/proc/self/mounts", "re");
    while (f != NULL && !found && fgets(line, sizeof line, f) != NULL)
        found = strstr(line, " /run/netns ") != NULL;
    if (f != NULL)
        fclose(f);
    return found;
}

void netns_mount_look(void)
{
    netns_was_free = !netns_is_mount();
}

void netns_mount_undo(void)
{
    DIR *d = netns_was_free ? opendir("/run/netns") : NULL;
    if (d == NULL)
        return;
    bool empty = true;
    for (struct dirent *de; (de = readdir(d)) != NULL;)
        empty = empty && de->d_name[0] == '.';
    closedir(d);
    while (empty && netns_is_mount() && umount2("/run/netns", MNT_DETACH) == 0)
        ;
    if (empty)
        (void)rmdir("/run/netns");
}
