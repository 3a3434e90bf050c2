/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Whether the node is drained, kept over restarts: one file, there when it is drained, with the reason
 * in it. The disk may take its time, so a thread of libuv's pool writes, one at a time, always the
 * latest wish. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/log.h"
#include "control/parts.h"

struct drain_work {
    uv_work_t req;
    struct control_drain *drain;
    char *path;
    bool wanted;
    char why[CONTROL_REASON_MAX];
    char error[200];
};

static char *text_join(const char *a, const char *b)
{
    size_t cap = strlen(a) + strlen(b) + 1;
    char *text = base_alloc(cap);
    snprintf(text, cap, "%s%s", a, b);
    return text;
}

void control_drain_init(struct control_drain *d, uv_loop_t *loop, const char *state_dir)
{
    d->loop = loop;
    d->path = text_join(state_dir, "/drained");
    d->kept = true;
    FILE *f = fopen(d->path, "re");
    if (f == NULL) {
        if (errno != ENOENT)
            log_warn("drain_file", "file=%s what=\"cannot be read: %s\"", d->path, strerror(errno));
        return;
    }
    d->wanted = true;
    if (fgets(d->why, sizeof d->why, f) == NULL)
        d->why[0] = '\0';
    d->why[strcspn(d->why, "\r\n")] = '\0';
    fclose(f);
    log_info("drain", "wanted=yes reason=\"%s\" kept_in=%s", d->why, d->path);
}

void control_drain_fini(struct control_drain *d)
{
    free(d->path);
    d->path = NULL;
}

static bool fail(struct drain_work *w, const char *what)
{
    snprintf(w->error, sizeof w->error, "%s %.100s: %s", what, w->path, strerror(errno));
    return false;
}

/* So that a crash at any instant leaves the file as it was or as it shall be. */
static bool file_write(struct drain_work *w)
{
    char *tmp = text_join(w->path, ".new");
    bool ok = false;
    int fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    if (fd < 0)
        fail(w, "cannot write");
    else if (dprintf(fd, "%s\n", w->why) < 0 || fsync(fd) != 0)
        fail(w, "cannot write");
    else if (rename(tmp, w->path) != 0)
        fail(w, "cannot rename to");
    else
        ok = true;
    if (fd >= 0)
        close(fd);
    free(tmp);
    return ok;
}

static void folder_sync(const char *path)
{
    char *folder = base_strdup(path);
    char *slash = strrchr(folder, '/');
    if (slash != NULL)
        *slash = '\0';
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
    free(folder);
}

static void on_work(uv_work_t *req)
{
    struct drain_work *w = req->data;
    bool ok = w->wanted ? file_write(w)
                        : unlink(w->path) == 0 || errno == ENOENT || fail(w, "cannot remove");
    if (ok)
        folder_sync(w->path);
}

static void work_start(struct control_drain *d);

static void on_done(uv_work_t *req, int status)
{
    struct drain_work *w = req->data;
    struct control_drain *d = w->drain;
    (void)status;
    d->busy = false;
    snprintf(d->error, sizeof d->error, "%s", w->error);
    bool same = w->wanted == d->wanted && strcmp(w->why, d->why) == 0;
    d->kept = same && w->error[0] == '\0';
    if (w->error[0] != '\0')
        log_error("drain_file", "what=\"%s\" effect=\"a restart forgets it\"", w->error);
    if (!same)
        work_start(d);
    free(w->path);
    free(w);
}

static void work_start(struct control_drain *d)
{
    struct drain_work *w = base_calloc(1, sizeof *w);
    w->req.data = w;
    w->drain = d;
    w->path = base_strdup(d->path);
    w->wanted = d->wanted;
    memcpy(w->why, d->why, sizeof w->why);
    d->busy = true;
    int rc = uv_queue_work(d->loop, &w->req, on_work, on_done);
    base_assert(rc == 0);
}

void control_drain_set(struct control_drain *d, bool wanted, const char *why)
{
    d->wanted = wanted;
    snprintf(d->why, sizeof d->why, "%s", wanted ? why : "");
    d->kept = false;
    log_info("drain", "wanted=%s reason=\"%s\"", wanted ? "yes" : "no", d->why);
    if (!d->busy)
        work_start(d);
}
