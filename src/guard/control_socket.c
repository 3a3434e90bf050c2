/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "guard/net.h"

/* Opens the directory of `path`, made if it is missing. Its lock, held between looking and binding,
 * keeps two nodes that start at once apart, and leaves no lock file behind. */
static int lock_directory(const char *path)
{
    char copy[sizeof((struct sockaddr_un *)0)->sun_path];
    snprintf(copy, sizeof copy, "%s", path);
    const char *dir = dirname(copy);
    if (mkdir(dir, 0755) != 0 && errno != EEXIST) {
        guard_complain(errno, "make it, or give another control_socket",
                       "cannot make the directory %s for the control socket", dir);
        return -1;
    }
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || flock(fd, LOCK_EX) != 0) {
        guard_complain(errno, NULL, "cannot open the directory %s of the control socket", dir);
        if (fd >= 0)
            close(fd);
        return -1;
    }
    return fd;
}

/* Whether somebody listens on it. */
static bool is_listening(const struct sockaddr_un *un, int *error)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool connected = fd >= 0 && connect(fd, (const struct sockaddr *)un, sizeof *un) == 0;
    *error = errno;
    if (fd >= 0)
        close(fd);
    return connected || *error == EAGAIN;
}

static bool make_way(const struct sockaddr_un *un, mono_t patience)
{
    int error;
    struct stat st;
    if (lstat(un->sun_path, &st) != 0)
        return true;
    if (!S_ISSOCK(st.st_mode)) {
        guard_complain(0, "give another control_socket, or remove it",
                       "%s is there and is not a socket", un->sun_path);
        return false;
    }
    bool listening;
    do
        listening = is_listening(un, &error);
    while (listening && guard_patience(patience));
    if (listening) {
        guard_complain(0, "stop it first, or give each node its own control_socket",
                       "a node is already running on the control socket %s", un->sun_path);
        return false;
    }
    if ((error != ECONNREFUSED && error != ENOENT) ||
        (unlink(un->sun_path) != 0 && errno != ENOENT)) {
        guard_complain(error, NULL, "cannot replace the old control socket %s", un->sun_path);
        return false;
    }
    return true;
}

static int control_socket_in(const struct sockaddr_un *un, mono_t patience)
{
    if (!make_way(un, patience))
        return -1;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t mask = umask(0117); /* owner and group */
    int bound = bind(fd, (const struct sockaddr *)un, sizeof *un);
    umask(mask);
    if (bound == 0 && listen(fd, 64) == 0)
        return fd;
    guard_complain(errno, NULL, "cannot make the control socket %s", un->sun_path);
    if (fd >= 0)
        close(fd);
    return -1;
}

int guard_control_socket(const char *path, mono_t patience)
{
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    if (strlen(path) >= sizeof un.sun_path) {
        guard_complain(0, "use a shorter path", "the control socket's path is longer than %zu: %s",
                       sizeof un.sun_path - 1, path);
        return -1;
    }
    memcpy(un.sun_path, path, strlen(path));
    int dir = lock_directory(path);
    if (dir < 0)
        return -1;
    int fd = control_socket_in(&un, patience);
    close(dir);
    return fd;
}
