/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "guard/child.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "guard/net.h"

bool guard_identity_find(struct guard_identity *id, const char *user)
{
    *id = (struct guard_identity){ .change = false };
    if (user == NULL)
        return true;
    const struct passwd *pw = getpwnam(user);
    if (pw == NULL) {
        guard_complain(0, "make it (useradd --system), or leave `user` out", "there is no user %s",
                       user);
        return false;
    }
    id->uid = pw->pw_uid;
    id->gid = pw->pw_gid;
    id->change = pw->pw_uid != geteuid();
    snprintf(id->name, sizeof id->name, "%s", user);
    if (id->change && geteuid() != 0) {
        guard_complain(0, "start as root, or leave `user` out", "cannot become the user %s", user);
        return false;
    }
    return true;
}

void guard_capabilities_trim(void)
{
    static const unsigned needed[] = { CAP_NET_ADMIN,      CAP_NET_BIND_SERVICE, CAP_KILL,
                                       CAP_SETUID,         CAP_SETGID,           CAP_SETPCAP,
                                       CAP_DAC_READ_SEARCH };
    bool has[BASE_COUNT(needed)];
    for (uint32_t i = 0; i < BASE_COUNT(needed); i++)
        has[i] = capng_have_capability(CAPNG_PERMITTED, needed[i]);
    capng_clear(CAPNG_SELECT_CAPS);
    for (uint32_t i = 0; i < BASE_COUNT(needed); i++)
        if (has[i])
            capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, needed[i]);
    if (capng_apply(CAPNG_SELECT_CAPS) != 0)
        log_warn("capabilities", "what=\"could not drop what guard does not need\"");
}

bool guard_child_reserve(void)
{
    int fd;
    do {
        fd = open("/dev/null", O_RDWR | O_CLOEXEC);
        if (fd < 0) {
            guard_complain(errno, NULL, "cannot open /dev/null");
            return false;
        }
        if (fd <= STDERR_FILENO)
            fcntl(fd, F_SETFD, 0);
    } while (fd < GUARD_CHILD_ABOVE_FD);
    close(fd);
    return true;
}

/* The one capability that a loader has, kept over setuid and exec: zone files of other users, and in
 * folders such as /root, are read all the same. */
static bool keep_reading(void)
{
    capng_clear(CAPNG_SELECT_CAPS);
    capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_INHERITABLE,
                 CAP_DAC_READ_SEARCH);
    return capng_apply(CAPNG_SELECT_CAPS) == 0 &&
           prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_READ_SEARCH, 0, 0) == 0;
}

/* In the child, before exec: no capability survives, not even for the user root, because the bounding
 * set is empty; but that to read files, for the loader of a guard that has it. Nothing to do for a
 * guard that has none itself. */
static bool drop(const struct guard_start *s, const struct guard_identity *id)
{
    const bool keep =
        s->reads_all_files && capng_have_capability(CAPNG_EFFECTIVE, CAP_DAC_READ_SEARCH);
    if (capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP)) {
        for (int cap = 0; cap <= CAP_LAST_CAP; cap++)
            if (!(keep && cap == CAP_DAC_READ_SEARCH) && prctl(PR_CAPBSET_READ, cap) == 1 &&
                prctl(PR_CAPBSET_DROP, cap) != 0)
                return false;
    }
    if (keep && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0)
        return false;
    if (id->change &&
        (initgroups(id->name, id->gid) != 0 || setresgid(id->gid, id->gid, id->gid) != 0 ||
         setresuid(id->uid, id->uid, id->uid) != 0))
        return false;
    if (keep && !keep_reading())
        return false;
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

static bool move_descriptors(const struct guard_start *s, int link)
{
    if (dup2(link, GUARD_CHILD_FIRST_FD) < 0)
        return false;
    for (uint32_t i = 0; i < s->pass_count; i++)
        if (dup2(s->pass[i], GUARD_CHILD_FIRST_FD + 1 + (int)i) < 0)
            return false;
    return true;
}

static void become(const struct guard_start *s, const struct guard_identity *id, int link,
                   pid_t guard) __attribute__((noreturn));
static void become(const struct guard_start *s, const struct guard_identity *id, int link,
                   pid_t guard)
{
    static const int ignored[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE };
    char title[32], role[16], argument[256];
    const struct sigaction ignore = { .sa_handler = SIG_IGN };
    sigset_t none;
    sigemptyset(&none);
    for (uint32_t i = 0; i < BASE_COUNT(ignored); i++)
        sigaction(ignored[i], &ignore, NULL);
    if (s->nice != 0)
        setpriority(PRIO_PROCESS, 0, s->nice); /* without the capability it stays as it is */
    if (!move_descriptors(s, link) || !drop(s, id))
        goto failed;
    if (s->keep != NULL)
        s->keep(s->arg);
    sigprocmask(SIG_SETMASK, &none, NULL);
    /* After setuid, which clears it; the role sets it once more after exec. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != guard)
        goto failed;
    snprintf(title, sizeof title, "%s", s->title);
    snprintf(role, sizeof role, "%s", s->role);
    snprintf(argument, sizeof argument, "%s", s->argument ? s->argument : "");
    char option[] = "--role";
    char *argv[] = { title, option, role, s->argument ? argument : NULL, NULL };
    execv("/proc/self/exe", argv);
failed:
    _exit(127);
}

bool guard_child_start(struct guard_child *c, const struct guard_start *s,
                       const struct guard_identity *id)
{
    int pair[2];
    *c = (struct guard_child){ .pid = 0, .pidfd = -1, .link = -1 };
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
        log_error("start_failed", "role=%s why=\"%s\"", s->role, strerror(errno));
        return false;
    }
    fcntl(pair[0], F_SETFL, O_NONBLOCK);
    const pid_t guard = getpid();
    pid_t pid = fork();
    if (pid == 0)
        become(s, id, pair[1], guard);
    close(pair[1]);
    int pidfd = pid > 0 ? pidfd_open(pid, 0) : -1;
    if (pidfd < 0) {
        log_error("start_failed", "role=%s why=\"%s\"", s->role, strerror(errno));
        close(pair[0]);
        if (pid > 0) {
            kill(pid, SIGKILL);
            waitpid(pid, NULL, 0);
        }
        return false;
    }
    *c = (struct guard_child){ .pid = pid, .pidfd = pidfd, .link = pair[0] };
    return true;
}

bool guard_child_reap(struct guard_child *c, int *status)
{
    if (c->pid == 0 || waitpid(c->pid, status, WNOHANG) != c->pid)
        return false;
    close(c->pidfd);
    close(c->link);
    *c = (struct guard_child){ .pid = 0, .pidfd = -1, .link = -1 };
    return true;
}

void guard_child_kill(const struct guard_child *c)
{
    if (c->pidfd >= 0)
        pidfd_send_signal(c->pidfd, SIGKILL, NULL, 0);
}

bool guard_child_send(const struct guard_child *c, const void *message, uint32_t len, int fd)
{
    union {
        char buf[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = { 0 };
    union {
        const void *in;
        void *out;
    } bytes = { .in = message }; /* struct iovec knows no const */
    struct iovec iov = { .iov_base = bytes.out, .iov_len = len };
    struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
    if (c->link < 0)
        return false;
    if (fd >= 0) {
        m.msg_control = control.buf;
        m.msg_controllen = sizeof control.buf;
        struct cmsghdr *h = CMSG_FIRSTHDR(&m);
        h->cmsg_level = SOL_SOCKET;
        h->cmsg_type = SCM_RIGHTS;
        h->cmsg_len = CMSG_LEN(sizeof fd);
        memcpy(CMSG_DATA(h), &fd, sizeof fd);
    }
    return sendmsg(c->link, &m, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)len;
}

static int take_descriptor(struct msghdr *m)
{
    int fd = -1;
    struct cmsghdr *h = CMSG_FIRSTHDR(m);
    if (h != NULL && h->cmsg_level == SOL_SOCKET && h->cmsg_type == SCM_RIGHTS &&
        h->cmsg_len == CMSG_LEN(sizeof fd))
        memcpy(&fd, CMSG_DATA(h), sizeof fd);
    return fd;
}

int guard_child_receive(const struct guard_child *c, void *message, uint32_t len, int *fd)
{
    union {
        char buf[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = { 0 };
    struct iovec iov = { .iov_base = message, .iov_len = len };
    struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
    if (c->link < 0)
        return -1;
    m.msg_control = control.buf;
    m.msg_controllen = sizeof control.buf;
    ssize_t n = recvmsg(c->link, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -1;
    int got = take_descriptor(&m);
    if (fd != NULL)
        *fd = got;
    else if (got >= 0)
        close(got);
    if (n == (ssize_t)len && (m.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0)
        return 1;
    if (fd != NULL && got >= 0) {
        close(got);
        *fd = -1;
    }
    return -1;
}

static bool read_file(const char *path, char *buf, size_t cap)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t n = read(fd, buf, cap - 1);
    close(fd);
    buf[n > 0 ? n : 0] = '\0';
    return n > 0;
}

bool guard_thread_look(pid_t pid, pid_t tid, char *state, uint64_t *cpu_ns)
{
    char path[64], buf[512];
    unsigned long long ns;
    snprintf(path, sizeof path, "/proc/%d/task/%d/stat", pid, tid);
    if (!read_file(path, buf, sizeof buf))
        return false;
    const char *end = strrchr(buf, ')'); /* the name before may hold anything */
    if (end == NULL || end[1] != ' ')
        return false;
    *state = end[2];
    snprintf(path, sizeof path, "/proc/%d/task/%d/schedstat", pid, tid);
    if (!read_file(path, buf, sizeof buf) || sscanf(buf, "%llu", &ns) != 1)
        return false;
    *cpu_ns = ns;
    return true;
}
