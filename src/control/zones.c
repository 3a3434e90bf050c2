/* SPDX-License-Identifier: GPL-3.0-or-later */

/* New zones from guard. Mapping an image checks every offset in it, which takes a second for millions of
 * names: a thread of libuv's pool does it, one image at a time, and of several that wait only the newest. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/log.h"
#include "control/parts.h"

struct zones_work {
    uv_work_t req;
    struct control_zones *zones;
    int fd;
    uint32_t version, load;
    mono_t at;
    struct zone_set *set; /* the result; NULL: `e` says why */
    struct err e;
};

static void on_work(uv_work_t *req)
{
    struct zones_work *w = req->data;
    w->set = zone_set_map(w->fd, &w->e);
    close(w->fd);
}

static void start(struct control_zones *z, int fd, uint32_t version, uint32_t load, mono_t at);

static void failed(struct control_zones *z, uint32_t version, uint32_t load, const char *what)
{
    log_error("zones", "version=%u what=\"%s\"", version, what);
    snprintf(z->error, sizeof z->error, "%s", what);
    z->handler(z->arg, NULL, version, load);
}

static void on_done(uv_work_t *req, int status)
{
    struct zones_work *w = req->data;
    struct control_zones *z = w->zones;
    (void)status;
    z->busy = false;
    if (z->next_fd >= 0) { /* a newer one has come meanwhile */
        int fd = z->next_fd;
        z->next_fd = -1;
        zone_set_free(w->set);
        start(z, fd, z->next_version, z->next_load, z->next_at);
    } else if (w->set == NULL) {
        char what[sizeof z->error];
        snprintf(what, sizeof what, "cannot map the image: %.160s", w->e.what);
        failed(z, w->version, w->load, what);
    } else {
        z->version = w->version;
        z->at = w->at;
        z->error[0] = '\0';
        log_info("zones", "version=%u count=%u", w->version, zone_set_count(w->set));
        z->handler(z->arg, w->set, w->version, w->load);
    }
    free(w);
}

static void start(struct control_zones *z, int fd, uint32_t version, uint32_t load, mono_t at)
{
    struct zones_work *w = base_calloc(1, sizeof *w);
    *w = (struct zones_work){ .zones = z, .fd = fd, .version = version, .load = load, .at = at };
    w->req.data = w;
    z->busy = true;
    int rc = uv_queue_work(z->loop, &w->req, on_work, on_done);
    base_assert(rc == 0);
}

void control_zones_init(struct control_zones *z, uv_loop_t *loop, control_zones_handler *handler,
                        void *arg)
{
    *z = (struct control_zones){ .loop = loop, .handler = handler, .arg = arg, .next_fd = -1 };
}

void control_zones_event(struct control_zones *z, const struct guard_event *ev, int fd)
{
    z->load = ev->load;
    if (fd < 0) {
        failed(z, ev->arg, ev->load, "guard sent no image");
    } else if (!z->busy) {
        start(z, fd, ev->arg, ev->load, (mono_t){ ev->at_ns });
    } else {
        if (z->next_fd >= 0)
            close(z->next_fd);
        z->next_fd = fd;
        z->next_version = ev->arg;
        z->next_load = ev->load;
        z->next_at = (mono_t){ ev->at_ns };
    }
}
