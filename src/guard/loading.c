/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Zones are read by a process of its own, `--role load`: the parser is large and the text is the
 * operator's. It fills a memfd and seals it; guard looks at its exit status and the seals only. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/role.h"
#include "base/sandbox.h"
#include "base/time.h"
#include "guard/load_role.h"
#include "guard/state.h"
#include "zone/check.h"

/* The names of all zones, each text with its final zero: origin, file, origin, file, … */
static int sources_memfd(const struct guard_options *o)
{
    int fd = memfd_create("perigee-zones", MFD_CLOEXEC);
    FILE *f = fd < 0 ? NULL : fdopen(dup(fd), "w");
    if (f == NULL)
        return -1;
    for (uint32_t i = 0; i < o->zone_count; i++)
        fprintf(f, "%s%c%s%c", o->zones[i].origin, 0, o->zones[i].file, 0);
    if (fclose(f) == 0)
        return fd;
    close(fd);
    return -1;
}

static void start_failed(struct guard *g, int error, mono_t now)
{
    struct guard_event ev = { .kind = GUARD_EV_ZONES_FAILED, .load = g->load_of, .at_ns = now.ns };
    snprintf(ev.text, sizeof ev.text, "the loader cannot be started: %s", strerror(error));
    log_error("zones_failed", "why=\"%s\" kept_version=%u", ev.text, g->version);
    if (g->loading_fd >= 0)
        close(g->loading_fd);
    g->loading_fd = -1;
    guard_tell(g, &ev, -1);
}

bool guard_load_start(struct guard *g, mono_t now)
{
    g->load_wanted = g->load.pid != 0 || g->staged_fd >= 0;
    if (g->load_wanted)
        return true;
    g->load_of = g->load_asked;
    int sources = sources_memfd(&g->o);
    g->loading_fd = memfd_create("perigee-image", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    g->load_deadline = mono_add_ms(now, GUARD_LOAD_MS);
    memset(g->load_errors, 0, sizeof *g->load_errors);
    guard_cookies_load_begin(g);
    const int pass[] = { sources, g->loading_fd, g->errors_fd, g->load_cookies_fd };
    const struct guard_start how = {
        .title = "perigee-load",
        .role = "load",
        .pass = pass,
        .pass_count = BASE_COUNT(pass),
        .reads_all_files = true,
    };
    bool ok = sources >= 0 && g->loading_fd >= 0 && guard_child_start(&g->load, &how, &g->identity);
    if (sources >= 0)
        close(sources);
    if (!ok)
        start_failed(g, errno, now);
    return ok;
}

static void load_failed(struct guard *g, int status, mono_t now)
{
    struct guard_event ev = { .kind = GUARD_EV_ZONES_FAILED, .load = g->load_of, .at_ns = now.ns };
    close(g->loading_fd);
    if (g->load_errors->errors != 0) {
        struct zone_error first = g->load_errors->at[0]; /* the loader is gone: nobody changes it */
        first.file[sizeof first.file - 1] = '\0';
        first.what[sizeof first.what - 1] = '\0';
        snprintf(ev.text, sizeof ev.text, "%.100s:%u: %.80s", first.file, first.line, first.what);
    } else {
        snprintf(ev.text, sizeof ev.text, "the loader ended with %s %d",
                 WIFSIGNALED(status) ? "signal" : "exit status",
                 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    }
    if (g->image_fd < 0) {
        if (g->load_errors->errors == 0)
            guard_complain(0, NULL, "cannot load the zones: %s", ev.text);
        g->status = 1;
        g->stop = STOP_OVER;
        return;
    }
    log_error("zones_failed", "why=\"%s\" kept_version=%u", ev.text, g->version);
    guard_tell(g, &ev, -1);
}

void guard_load_ended(struct guard *g, int status, mono_t now)
{
    guard_cookies_load_ended(g);
    const int seals = fcntl(g->loading_fd, F_GET_SEALS);
    const int needed = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW;
    if (g->stop >= STOP_SERVE)
        close(g->loading_fd);
    else if (status != 0 || seals < 0 || (seals & needed) != needed)
        load_failed(g, status, now);
    else
        guard_serving_stage(g, g->loading_fd, now);
    g->loading_fd = -1;
}

static bool read_sources(struct zone_source **sources, uint32_t *count,
                         const struct zone_check_options *check)
{
    off_t size = lseek(LOAD_FD_SOURCES, 0, SEEK_END);
    if (size < 0)
        return false;
    char *text = base_alloc((size_t)size + 1);
    if (pread(LOAD_FD_SOURCES, text, (size_t)size, 0) != size)
        return false;
    text[size] = '\0';
    uint32_t texts = 0;
    for (off_t i = 0; i < size; i++)
        texts += text[i] == '\0';
    *count = texts / 2;
    *sources = base_calloc(*count + 1, sizeof **sources);
    const char *p = text;
    for (uint32_t i = 0; i < *count; i++) {
        (*sources)[i].origin = p;
        p += strlen(p) + 1;
        (*sources)[i].path = p;
        (*sources)[i].check = check;
        p += strlen(p) + 1;
    }
    return true;
}

int guard_load_main(int argc, char **argv)
{
    struct zone_source *sources;
    uint32_t count;
    char text[ZONE_ERROR_TEXT_MAX];
    struct err e = { 0 };
    struct zone_check_options check = ZONE_CHECK_DEFAULTS;
    check.now_s = time_wall().s;
    (void)argc;
    (void)argv;
    log_init("load", LOG_LEVEL_INFO);
    role_begin("perigee-load", LOAD_FD_LINK);
    if (!sandbox_deny())
        return 1;
    struct zone_errors *errs =
        mmap(NULL, sizeof *errs, PROT_READ | PROT_WRITE, MAP_SHARED, LOAD_FD_ERRORS, 0);
    if (errs == MAP_FAILED || !read_sources(&sources, &count, &check)) {
        guard_complain(errno, NULL, "the loader cannot read what to load");
        return 1;
    }
    guard_load_cookies();
    bool ok = zone_build_image(sources, count, LOAD_FD_IMAGE, errs);
    for (uint32_t i = 0; i < errs->kept; i++)
        fprintf(stderr, "perigee: %s\n", zone_error_text(&errs->at[i], text, sizeof text));
    if (errs->errors + errs->warnings > errs->kept)
        fprintf(stderr, "perigee: and %u more\n", errs->errors + errs->warnings - errs->kept);
    if (ok && !zone_image_seal(LOAD_FD_IMAGE, &e)) {
        fprintf(stderr, "perigee: %s\n", err_text(&e, text, sizeof text));
        ok = false;
    }
    return ok ? 0 : 1;
}
