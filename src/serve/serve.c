/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The process that answers. The first thread, "link", follows guard's orders: it maps and proves
 * images and says when the sockets are read. The workers (worker.c) do all the rest. The only things
 * they share are the pointer to the image and a few numbers (struct serve).
 *
 * A new image is published by one pointer. The old one is unmapped when every worker has advanced its
 * progress twice since, for then each has begun a turn after the new pointer was there. */
#include "serve/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/role.h"
#include "serve/fault.h"
#include "serve/worker.h"

struct link {
    struct serve serve;
    struct worker *worker;
    uint32_t started;                      /* workers that run */
    const struct zone_set *old;            /* waits to be unmapped; NULL: none */
    uint64_t old_since[SERVE_WORKERS_MAX]; /* the workers' progress when it was replaced */
    bool drained_told;
    struct answer_cookies cookies[2]; /* one is in use, the other was before */
    uint32_t cookies_idx;
    uint64_t cookies_since[SERVE_WORKERS_MAX]; /* as old_since */
};

static void *map_fd(int fd, size_t size, int prot)
{
    void *p = mmap(NULL, size, prot, MAP_SHARED, fd, 0);
    return p == MAP_FAILED ? NULL : p;
}

static void set_options(struct serve *s)
{
    const struct serve_setup *setup = s->setup;
    s->options.version = "Perigee " PERIGEE_VERSION;
    s->options.tcp_idle_ms = setup->tcp_idle_ms;
    if (setup->nsid_len == 0 || setup->nsid_len > SERVE_NSID_MAX)
        return;
    s->options.nsid = setup->nsid;
    s->options.nsid_len = (uint16_t)setup->nsid_len;
    memcpy(s->identity, setup->nsid, setup->nsid_len);
    s->options.identity = s->identity;
}

/* Everything that takes a privilege or may fail, before the sandbox closes. */
static bool open_all(struct link *l)
{
    struct serve *s = &l->serve;
    struct stat st;
    if (fstat(SERVE_FD_SETUP, &st) != 0 || (size_t)st.st_size < sizeof *s->setup)
        return false;
    s->setup = map_fd(SERVE_FD_SETUP, (size_t)st.st_size, PROT_READ);
    s->page = map_fd(SERVE_FD_PAGE, sizeof *s->page, PROT_READ | PROT_WRITE);
    if (s->setup == NULL || s->page == NULL || s->setup->workers == 0 ||
        s->setup->workers > SERVE_WORKERS_MAX)
        return false;
    s->flight =
        map_fd(SERVE_FD_FLIGHT, sizeof *s->flight * s->setup->workers, PROT_READ | PROT_WRITE);
    if (s->flight == NULL)
        return false;
    set_options(s);
    l->worker = base_calloc(s->setup->workers, sizeof *l->worker);
    for (uint32_t i = 0; i < s->setup->workers; i++)
        if (!serve_worker_init(&l->worker[i], s, i))
            return false;
    for (; l->started < s->setup->workers; l->started++)
        if (!serve_worker_start(&l->worker[l->started]))
            return false;
    return true;
}

/* A thread that was made may not have run yet; who watches must not take that for a hang. */
static void wait_for_workers(const struct link *l)
{
    for (uint32_t i = 0; i < l->started; i++)
        while (atomic_load_explicit(&l->worker[i].row->tid, memory_order_relaxed) == 0)
            poll(NULL, 0, 1);
}

static void report(enum serve_report_kind kind, uint32_t version, const char *text)
{
    struct serve_report r = { .kind = kind, .version = version };
    snprintf(r.text, sizeof r.text, "%s", text);
    if (send(SERVE_FD_LINK, &r, sizeof r, MSG_NOSIGNAL) < 0)
        _exit(1); /* guard is gone */
}

static void note_progress(const struct link *l, uint64_t since[SERVE_WORKERS_MAX])
{
    for (uint32_t i = 0; i < l->started; i++)
        since[i] = atomic_load_explicit(&l->worker[i].row->progress, memory_order_acquire);
}

/* Whether no worker can hold any more what was replaced then. */
static bool is_over(const struct link *l, const uint64_t since[SERVE_WORKERS_MAX])
{
    for (uint32_t i = 0; i < l->started; i++)
        if (atomic_load_explicit(&l->worker[i].row->progress, memory_order_acquire) < since[i] + 2)
            return false;
    return true;
}

static void free_old(struct link *l)
{
    if (l->old == NULL || !is_over(l, l->old_since))
        return;
    union {
        const struct zone_set *in;
        struct zone_set *out;
    } set = { .in = l->old };
    zone_set_free(set.out);
    l->old = NULL;
}

static void publish(struct link *l, const struct zone_set *zs, uint32_t version)
{
    struct serve *s = &l->serve;
    while (l->old != NULL) { /* two new versions within some milliseconds */
        free_old(l);
        poll(NULL, 0, 1);
    }
    l->old = atomic_exchange_explicit(&s->image, zs, memory_order_acq_rel);
    note_progress(l, l->old_since);
    atomic_store_explicit(&s->page->version, version, memory_order_release);
}

static void on_image(struct link *l, uint32_t version, int fd)
{
    char why[200];
    struct err e = { 0 };
    struct zone_set *zs = zone_set_map(fd, &e);
    if (zs == NULL) {
        report(SERVE_REPORT_IMAGE_FAILED, version, err_text(&e, why, sizeof why));
    } else if (!serve_prove_image(&l->serve, zs, why, sizeof why)) {
        zone_set_free(zs);
        report(SERVE_REPORT_IMAGE_FAILED, version, why);
    } else {
        publish(l, zs, version);
        report(SERVE_REPORT_READY, version, "");
    }
}

_Static_assert(SERVE_COOKIE_SECRETS_MAX == ANSWER_COOKIE_SECRETS_MAX &&
                   SERVE_COOKIE_SECRET_LEN == ANSWER_COOKIE_SECRET_LEN,
               "the same secrets");

static void on_cookies(struct link *l, int fd)
{
    struct serve_cookies given;
    if (pread(fd, &given, sizeof given, 0) != (ssize_t)sizeof given ||
        given.count > SERVE_COOKIE_SECRETS_MAX)
        return;
    while (!is_over(l, l->cookies_since)) /* rolled twice within some milliseconds */
        poll(NULL, 0, 1);
    struct answer_cookies *c = &l->cookies[l->cookies_idx ^= 1];
    c->count = given.count;
    c->require = given.require != 0;
    memcpy(c->secret, given.secret, sizeof c->secret);
    l->serve.options.cookies = c;
    atomic_store_explicit(&l->serve.cookies, c, memory_order_release);
    note_progress(l, l->cookies_since);
    explicit_bzero(&given, sizeof given);
}

static void on_activate(struct link *l)
{
    for (uint32_t i = 0; i < l->started; i++)
        if (!serve_worker_activate(&l->worker[i])) {
            log_error("activate_failed", "why=\"%s\"", strerror(errno));
            _exit(1); /* guard starts another */
        }
    atomic_store_explicit(&l->serve.page->active, 1, memory_order_release);
}

static void on_order(struct link *l, const struct serve_order *o, int fd)
{
    switch ((enum serve_order_kind)o->kind) {
    case SERVE_ORDER_IMAGE:
        on_image(l, o->version, fd);
        break;
    case SERVE_ORDER_ACTIVATE:
        on_activate(l);
        break;
    case SERVE_ORDER_REPLAY:
        atomic_fetch_add_explicit(&l->serve.page->replayed,
                                  serve_replay_flight(&l->serve, fd, o->skip),
                                  memory_order_relaxed);
        break;
    case SERVE_ORDER_COOKIES:
        on_cookies(l, fd);
        break;
    case SERVE_ORDER_DRAIN:
        atomic_store_explicit(&l->serve.draining, true, memory_order_release);
        break;
    }
}

static void read_orders(struct link *l)
{
    union {
        char buf[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control;
    struct serve_order o;
    struct iovec iov = { .iov_base = &o, .iov_len = sizeof o };
    struct msghdr m = { .msg_iov = &iov,
                        .msg_iovlen = 1,
                        .msg_control = control.buf,
                        .msg_controllen = sizeof control.buf };
    ssize_t n = recvmsg(SERVE_FD_LINK, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        _exit(0); /* guard has closed the link */
    if (n != sizeof o)
        return;
    int fd = -1;
    struct cmsghdr *h = CMSG_FIRSTHDR(&m);
    if (h != NULL && h->cmsg_type == SCM_RIGHTS)
        memcpy(&fd, CMSG_DATA(h), sizeof fd);
    on_order(l, &o, fd);
    if (fd >= 0)
        close(fd);
}

/* Drained means that every worker found its queues empty. Then it goes on: whatever still comes until
 * guard closes the sockets is answered. */
static void tell_drained(struct link *l)
{
    if (!l->drained_told &&
        atomic_load_explicit(&l->serve.drained, memory_order_acquire) == l->serve.setup->workers) {
        l->drained_told = true;
        report(SERVE_REPORT_DRAINED, 0, "");
    }
}

int serve_main(int argc, char **argv)
{
    struct link *l = base_calloc(1, sizeof *l);
    (void)argc;
    (void)argv;
    log_init("serve", LOG_LEVEL_INFO);
    role_begin("perigee-serve", SERVE_FD_LINK);
    fault_init();
    if (!open_all(l)) {
        log_error("start_failed", "why=\"%s\"", strerror(errno));
        return 1;
    }
    struct serve_worker_page *row = &l->serve.page->link;
    atomic_store_explicit(&row->tid, (int32_t)gettid(), memory_order_relaxed);
    if (!serve_sandbox_enter())
        return 1;
    wait_for_workers(l);
    atomic_store_explicit(&l->serve.page->workers, l->started, memory_order_release);
    for (;;) {
        struct pollfd p = { .fd = SERVE_FD_LINK, .events = POLLIN };
        poll(&p, 1, WORKER_WAIT_MS);
        count_add(&row->progress, 1);
        if (p.revents != 0)
            read_orders(l);
        free_old(l);
        tell_drained(l);
    }
}
