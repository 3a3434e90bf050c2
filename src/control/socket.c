/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The control socket: one line in, one line out, closed. Nothing a client does holds up the loop or
 * grows without bound: so many clients, so many bytes, so many seconds; a reply that is not taken in
 * time is thrown away with its connection. Who may connect is decided by the socket's mode. */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/log.h"
#include "control/parts.h"

#define READ_MS 5000     /* until the whole line is there */
#define WRITE_MS 5000    /* until the reply is taken */
#define RELOAD_MS 600000 /* until zones are loaded: large ones take their time */

struct control_client {
    uv_pipe_t pipe;
    uv_timer_t timer;
    uv_write_t write;
    struct control_socket *socket;
    struct control_client *next;
    char in[CONTROL_REQUEST_MAX];
    size_t in_len;
    char *out;       /* the reply, owned until it is written */
    bool waits;      /* for the end of a reload */
    uint32_t reload; /* its number */
    bool closing;
    int handles; /* open ones of `pipe` and `timer` */
};

static void on_closed(uv_handle_t *handle)
{
    struct control_client *c = handle->data;
    if (--c->handles > 0)
        return;
    struct control_client **at = &c->socket->first;
    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
    c->socket->clients--;
    free(c->out);
    free(c);
}

static void client_close(struct control_client *c)
{
    if (c->closing)
        return;
    c->closing = true;
    c->waits = false;
    uv_close((uv_handle_t *)&c->pipe, on_closed);
    uv_close((uv_handle_t *)&c->timer, on_closed);
}

static void on_timeout(uv_timer_t *timer)
{
    client_close(timer->data);
}

static void on_written(uv_write_t *write, int status)
{
    (void)status;
    client_close(write->data);
}

/* Takes the reference. */
static void client_reply(struct control_client *c, json_t *reply)
{
    char *text = json_dumps(reply, JSON_COMPACT | JSON_REAL_PRECISION(6));
    json_decref(reply);
    if (text == NULL || c->closing) {
        free(text);
        client_close(c);
        return;
    }
    size_t len = strlen(text);
    text[len] = '\n'; /* the final zero is not sent */
    c->out = text;
    c->waits = false;
    c->write.data = c;
    uv_read_stop((uv_stream_t *)&c->pipe);
    uv_timer_start(&c->timer, on_timeout, WRITE_MS, 0);
    uv_buf_t buf = uv_buf_init(text, (unsigned)len + 1);
    if (uv_write(&c->write, (uv_stream_t *)&c->pipe, &buf, 1, on_written) != 0)
        client_close(c);
}

static void client_line(struct control_client *c, size_t len)
{
    struct control_request r;
    struct err e;
    if (!control_request_parse(&r, c->in, len, &e)) {
        client_reply(c, control_report_error(e.what));
        return;
    }
    json_t *reply = c->socket->handler(c->socket->control, &r);
    if (reply != NULL) {
        client_reply(c, reply);
        return;
    }
    c->waits = true;
    c->reload = c->socket->reloads;
    uv_timer_start(&c->timer, on_timeout, RELOAD_MS, 0);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct control_client *c = handle->data;
    (void)suggested;
    *buf = uv_buf_init(c->in + c->in_len, (unsigned)(sizeof c->in - c->in_len));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct control_client *c = stream->data;
    (void)buf;
    if (c->out != NULL || c->closing)
        return;
    if (c->waits) {
        if (n < 0)
            client_close(c); /* it lost its patience */
        c->in_len = 0;       /* whatever else it says is not listened to */
        return;
    }
    if (n < 0) {
        if (n == UV_EOF && c->in_len != 0)
            client_line(c, c->in_len);
        else
            client_close(c);
        return;
    }
    size_t seen = c->in_len;
    c->in_len += (size_t)n;
    const char *end = memchr(c->in + seen, '\n', (size_t)n);
    if (end != NULL)
        client_line(c, (size_t)(end - c->in));
    else if (c->in_len == sizeof c->in)
        client_reply(c, control_report_error("the request is too long"));
}

static void on_connection(uv_stream_t *server, int status)
{
    struct control_socket *s = server->data;
    if (status != 0)
        return;
    struct control_client *c = base_calloc(1, sizeof *c);
    int rc = uv_pipe_init(server->loop, &c->pipe, 0);
    base_assert(rc == 0);
    rc = uv_timer_init(server->loop, &c->timer);
    base_assert(rc == 0);
    c->pipe.data = c->timer.data = c;
    c->handles = 2;
    c->socket = s;
    c->next = s->first;
    s->first = c;
    s->clients++;
    if (uv_accept(server, (uv_stream_t *)&c->pipe) != 0) {
        client_close(c);
        return;
    }
    if (s->clients > CONTROL_CLIENTS_MAX) {
        static const char busy[] =
            "{\"ok\":false,\"error\":\"too many clients at once; try again\"}\n";
        uv_buf_t buf = uv_buf_init((char *)(uintptr_t)busy, sizeof busy - 1);
        (void)uv_try_write((uv_stream_t *)&c->pipe, &buf, 1);
        client_close(c);
        return;
    }
    uv_timer_start(&c->timer, on_timeout, READ_MS, 0);
    uv_read_start((uv_stream_t *)&c->pipe, on_alloc, on_read);
}

bool control_socket_open(struct control_socket *s, uv_loop_t *loop, int fd, struct control *c,
                         control_socket_handler *handler, struct err *e)
{
    s->control = c;
    s->handler = handler;
    int rc = uv_pipe_init(loop, &s->pipe, 0);
    base_assert(rc == 0);
    s->pipe.data = s;
    rc = uv_pipe_open(&s->pipe, fd);
    if (rc == 0)
        rc = uv_listen((uv_stream_t *)&s->pipe, 64, on_connection);
    s->open = rc == 0;
    if (rc != 0)
        return err_set(e, ERR_SYSTEM, NULL, "cannot listen on the control socket: %s",
                       uv_strerror(rc));
    return true;
}

void control_socket_reply_reload(struct control_socket *s, uint32_t after, uint32_t load,
                                 json_t *reply)
{
    struct control_client *next;
    for (struct control_client *c = s->first; c != NULL; c = next) {
        next = c->next;
        if (c->waits && c->reload > after && c->reload <= load)
            client_reply(c, json_incref(reply));
    }
    json_decref(reply);
}
