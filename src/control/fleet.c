/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The edge of the fleet room: its socket, its tags, its clocks. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/log.h"
#include "control/parts.h"
#include "fleet/auth.h"

#define ERROR_EVERY_MS 60000

void control_fleet_init(struct control_fleet *f, const struct config *config,
                        const struct config_node *node, struct control *c)
{
    struct fleet_config *fc = base_calloc(1, sizeof *fc); /* large */
    uint32_t random = 1;
    wall_t now = time_wall();
    control_fleet_config(fc, config, node);
    if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
        random = (uint32_t)now.ns; /* an early boot without entropy: still not the one before */
    f->config = config;
    f->control = c;
    f->configured = fc->node_count > 1;
    fleet_init(&f->fleet, fc, (uint64_t)now.s * 1000 + (uint64_t)(now.ns / 1000000), random);
    free(fc);
}

static void socket_error(struct control_fleet *f, const char *what)
{
    mono_t now = time_mono();
    if (f->last_error.ns != 0 && mono_ms_between(f->last_error, now) < ERROR_EVERY_MS)
        return;
    f->last_error = now;
    log_warn("fleet_socket", "what=\"%s\"", what);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct control_fleet *f = handle->data;
    (void)suggested;
    *buf = uv_buf_init(f->datagram, sizeof f->datagram); /* done with before the next is read */
}

/* Before anything is computed for it: a flood of strangers costs a comparison each. */
static bool is_from_node(const struct control_fleet *f, const union addr *from)
{
    for (uint32_t i = 0; i < f->config->nodes.count; i++) {
        const struct config_addresses *list = &f->config->nodes.at[i].addresses;
        for (uint32_t j = 0; j < list->count; j++)
            if (addr_same_host(&list->at[j], from))
                return true;
    }
    return false;
}

static void on_datagram(uv_udp_t *udp, ssize_t n, const uv_buf_t *buf, const struct sockaddr *from,
                        unsigned flags)
{
    struct control_fleet *f = udp->data;
    const uint8_t *bytes = (const uint8_t *)buf->base, *tag;
    uint8_t right[FLEET_TAG_LEN];
    union addr source = { 0 };
    size_t body_len;
    struct err e;
    if (n < 0)
        socket_error(f, uv_strerror((int)n));
    if (n <= 0 || from == NULL || (flags & UV_UDP_PARTIAL) ||
        !fleet_split(bytes, (size_t)n, &body_len, &tag))
        return;
    memcpy(&source, from,
           from->sa_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6));
    if (!is_from_node(f, &source))
        return;
    const char *secret = f->config->fleet.secret;
    bool ok = secret != NULL &&
              fleet_tag((const uint8_t *)secret, strlen(secret), bytes, body_len, right, &e) &&
              fleet_tag_equal(right, tag);
    if (fleet_receive(&f->fleet, bytes, body_len, &source, ok, time_mono(), time_wall()) ==
        FLEET_TAKEN)
        control_wake(f->control);
}

void control_fleet_open(struct control_fleet *f, uv_loop_t *loop, int fd)
{
    union addr own = { 0 };
    socklen_t len = sizeof own;
    if (f->open || fd < 0 || getsockname(fd, &own.sa, &len) != 0) {
        if (fd >= 0)
            close(fd);
        return;
    }
    f->family = own.sa.sa_family;
    int rc = uv_udp_init(loop, &f->udp);
    base_assert(rc == 0);
    f->udp.data = f;
    rc = uv_udp_open(&f->udp, fd);
    if (rc == 0)
        rc = uv_udp_recv_start(&f->udp, on_alloc, on_datagram);
    if (rc != 0)
        log_error("fleet_socket", "what=\"%s\"", uv_strerror(rc));
    f->open = rc == 0;
}

/* The address of a node in the family of our socket; NULL: it has none. */
static const union addr *node_address(const struct control_fleet *f, const struct config_node *n)
{
    for (uint32_t i = 0; i < n->addresses.count; i++)
        if (n->addresses.at[i].sa.sa_family == f->family)
            return &n->addresses.at[i];
    return NULL;
}

static void self_fill(struct fleet_self *self, const struct announce_config *config,
                      const struct announce_out *out)
{
    *self = (struct fleet_self){ .load_qps = out->load_qps, .capacity_qps = config->capacity_qps };
    self->prefix_count = config->prefix_count;
    for (uint32_t i = 0; i < config->prefix_count; i++) {
        const struct announce_status *s = &out->prefixes[i];
        self->prefixes[i].prefix = config->prefixes[i].prefix;
        self->prefixes[i].out = announce_state_is_out(s->state) && !config->dry_run;
        self->prefixes[i].wish = s->wish || s->state == ANNOUNCE_SHED;
        self->prefixes[i].draining = s->state == ANNOUNCE_DRAINING;
        self->draining = self->draining || s->state == ANNOUNCE_DRAINING ||
                         s->state == ANNOUNCE_EMPTYING || s->state == ANNOUNCE_DRAINED;
    }
}

void control_fleet_send(struct control_fleet *f, const struct announce_config *config,
                        const struct announce_out *out, bool changed, mono_t now)
{
    uint8_t bytes[FLEET_DATAGRAM_MAX];
    struct fleet_self self;
    struct err e;
    if (!f->configured || !f->open ||
        (!changed && f->fleet.sent_at.ns != 0 &&
         mono_ms_between(f->fleet.sent_at, now) < FLEET_SEND_MS))
        return;
    self_fill(&self, config, out);
    size_t len =
        fleet_write(&f->fleet, &self, now, time_wall(), bytes, sizeof bytes - FLEET_TAG_LEN);
    const char *secret = f->config->fleet.secret;
    if (len == 0)
        return;
    if (secret == NULL)
        memset(bytes + len, 0, FLEET_TAG_LEN);
    else if (!fleet_tag((const uint8_t *)secret, strlen(secret), bytes, len, bytes + len, &e)) {
        socket_error(f, e.what);
        return;
    }
    uv_buf_t buf = uv_buf_init((char *)bytes, (unsigned)(len + FLEET_TAG_LEN));
    for (uint32_t i = 0; i < f->config->nodes.count; i++) {
        const union addr *to = node_address(f, &f->config->nodes.at[i]);
        if (i == f->fleet.config.self || to == NULL)
            continue;
        /* A node that is not there is no error of ours: it is heard or it is not. */
        (void)uv_udp_try_send(&f->udp, &buf, 1, &to->sa);
    }
}
