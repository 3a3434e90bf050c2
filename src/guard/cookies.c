/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Secrets of DNS cookies. A file's are read by the loader, at the start and with each reload, so that
 * they are rolled without a restart; a file that cannot be used leaves the old ones. Without a file
 * they are random, for a node that is alone, and rolled once a day: the one before still verifies. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/log.h"
#include "base/secret_file.h"
#include "guard/load_role.h"
#include "guard/state.h"

#define ROLL_MS (24 * 3600 * 1000)

static int cookies_memfd(const struct serve_cookies *c)
{
    int fd = memfd_create("perigee-cookies", MFD_CLOEXEC);
    if (fd < 0 || write(fd, c, sizeof *c) == (ssize_t)sizeof *c)
        return fd;
    close(fd);
    return -1;
}

void guard_cookies_send(struct guard *g, struct serve_slot *s)
{
    const struct serve_order o = { .kind = SERVE_ORDER_COOKIES };
    if (g->cookies.count == 0)
        return;
    int fd = cookies_memfd(&g->cookies);
    if (fd < 0 || !guard_child_send(&s->child, &o, sizeof o, fd))
        log_warn("cookies_failed", "pid=%d", s->pid);
    if (fd >= 0)
        close(fd);
}

static void send_all(struct guard *g)
{
    for (uint32_t i = 0; i < GUARD_SLOTS; i++)
        if (g->slot[i].state != SLOT_FREE && g->slot[i].state != SLOT_DYING)
            guard_cookies_send(g, &g->slot[i]);
}

void guard_cookies_load_begin(struct guard *g)
{
    memset(g->load_cookies, 0, sizeof *g->load_cookies);
    if (g->o.cookie_file != NULL)
        snprintf(g->load_cookies->file, sizeof g->load_cookies->file, "%s", g->o.cookie_file);
}

/* The loader is gone: nobody changes what it left. */
void guard_cookies_load_ended(struct guard *g)
{
    struct load_cookies *l = g->load_cookies;
    struct serve_cookies c = { .count = l->count, .require = g->o.cookies_required };
    if (g->o.cookie_file == NULL)
        return;
    if (c.count == 0 || c.count > SERVE_COOKIE_SECRETS_MAX) {
        l->why[sizeof l->why - 1] = '\0';
        log_error("cookies_failed", "why=\"%s\" kept=%u", l->why, g->cookies.count);
        return;
    }
    memcpy(c.secret, l->secret, sizeof c.secret);
    if (memcmp(&c, &g->cookies, sizeof c) != 0) {
        g->cookies = c;
        log_info("cookies", "secrets=%u", c.count);
        send_all(g);
    }
    explicit_bzero(l, sizeof *l);
}

void guard_cookies_step(struct guard *g, mono_t now)
{
    struct serve_cookies *c = &g->cookies;
    if (!g->o.cookies_random || mono_before(now, g->cookies_roll))
        return;
    g->cookies_roll = mono_add_ms(now, ROLL_MS);
    memcpy(c->secret[1], c->secret[0], sizeof c->secret[0]);
    if (getrandom(c->secret[0], sizeof c->secret[0], GRND_NONBLOCK) != sizeof c->secret[0]) {
        memcpy(c->secret[0], c->secret[1], sizeof c->secret[0]);
        return; /* not on a machine that has just started: then without, for a day */
    }
    c->count = c->count == 0 ? 1 : 2;
    c->require = g->o.cookies_required;
    send_all(g);
}

void guard_load_cookies(void)
{
    struct err e = { 0 };
    struct load_cookies *l =
        mmap(NULL, sizeof *l, PROT_READ | PROT_WRITE, MAP_SHARED, LOAD_FD_COOKIES, 0);
    if (l == MAP_FAILED || l->file[0] == '\0')
        return;
    l->file[sizeof l->file - 1] = '\0';
    l->count = secret_file_read(l->file, l->secret[0], SERVE_COOKIE_SECRET_LEN,
                                SERVE_COOKIE_SECRETS_MAX, &e);
    if (l->count == 0)
        (void)err_text(&e, l->why, sizeof l->why);
}
