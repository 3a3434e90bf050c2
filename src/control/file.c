/* SPDX-License-Identifier: GPL-3.0-or-later */

/* A reload takes new zones; a change of the fleet file takes a restart. Who changes the file and reloads
 * shall not believe that all is done, so a thread looks at it. (The file may be root's alone: then
 * nobody can tell here, and `perigee reload`, which root runs, does.) */
#include <stdlib.h>

#include "base/assert.h"
#include "base/log.h"
#include "control/parts.h"

struct file_work {
    uv_work_t req;
    char *path;
    uint64_t hash;
    bool changed;
};

static void on_work(uv_work_t *req)
{
    struct file_work *w = req->data;
    struct err e;
    size_t len;
    char *yaml = config_slurp(w->path, CONFIG_FILE_MAX, &len, &e);
    w->changed = yaml != NULL && config_hash(yaml, len) != w->hash;
    free(yaml);
}

static void on_done(uv_work_t *req, int status)
{
    struct file_work *w = req->data;
    (void)status;
    if (w->changed)
        log_warn("fleet_file_changed", "file=%s effect=\"none before a restart\"", w->path);
    free(w->path);
    free(w);
}

void control_file_look(uv_loop_t *loop, const struct config_bundle *b)
{
    struct file_work *w = base_calloc(1, sizeof *w);
    w->req.data = w;
    w->path = base_strdup(b->file);
    w->hash = b->hash;
    int rc = uv_queue_work(loop, &w->req, on_work, on_done);
    base_assert(rc == 0);
}
