/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/client.h"

#include <errno.h>
#include <getopt.h>
#include <glob.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/time.h"
#include "cmd/cmd.h"
#include "config/config.h"

#define REPLY_MAX (64u << 20) /* bytes: a node with many zones has much to say */
#define PATTERN "/run/perigee/*/control.sock"

static int wrong_usage(const char *command)
{
    fprintf(stderr, "perigee %s: 'perigee %s --help' shows the options\n", command, command);
    return CMD_USAGE;
}

int client_options_parse(struct client_options *o, int argc, char **argv, const char *more,
                         const char *help)
{
    static const struct option all[] = {
        { "socket", required_argument, NULL, 's' }, { "config", required_argument, NULL, 'c' },
        { "node", required_argument, NULL, 'n' },   { "help", no_argument, NULL, 'h' },
        { "json", no_argument, NULL, 'j' },         { "reason", required_argument, NULL, 'r' },
        { "wait", no_argument, NULL, 'w' },         { NULL, 0, NULL, 0 },
    };
    *o = (struct client_options){ 0 };
    int c;
    while ((c = getopt_long(argc, argv, "s:c:h", all, NULL)) != -1) {
        if ((c == 'j' && strstr(more, "json") == NULL) ||
            (c == 'r' && strstr(more, "reason") == NULL) ||
            (c == 'w' && strstr(more, "wait") == NULL)) {
            fprintf(stderr, "perigee %s: no such option here\n", argv[0]);
            c = '?';
        }
        switch (c) {
        case 's':
            o->socket = optarg;
            break;
        case 'c':
            o->config = optarg;
            break;
        case 'n':
            o->node = optarg;
            break;
        case 'j':
            o->json = true;
            break;
        case 'r':
            o->reason = optarg;
            break;
        case 'w':
            o->wait = true;
            break;
        case 'h':
            fputs(help, stdout);
            fputs("  -s, --socket PATH   the node's control socket; without it the one node that "
                  "runs here\n"
                  "  -c, --config FILE   the fleet file that names the socket, with --node NAME if "
                  "the\n"
                  "                      node is not the host's name\n",
                  stdout);
            return CMD_DONE;
        default:
            return wrong_usage(argv[0]);
        }
    }
    if (optind < argc) {
        fprintf(stderr, "perigee %s: what is '%s'?\n", argv[0], argv[optind]);
        return wrong_usage(argv[0]);
    }
    return CLIENT_DONE;
}

/* ---- which socket ----------------------------------------------------------------------------- */

static char *socket_of_config(const struct client_options *o, int *status)
{
    static struct config_errors errors;
    struct err e = { 0 };
    size_t len;
    char line[900], *path = NULL, *yaml = config_slurp(o->config, CONFIG_FILE_MAX, &len, &e);
    *status = CMD_REFUSED;
    if (yaml == NULL) {
        fprintf(stderr, "perigee: %s\n", err_text(&e, line, sizeof line));
        return NULL;
    }
    struct config_source source = { .file = o->config, .yaml = yaml, .len = len, .no_files = true };
    struct config *c = config_parse(&source, &errors);
    config_errors_print(&errors, stderr);
    const struct config_node *n = c != NULL ? config_find_node(c, o->node) : NULL;
    if (n != NULL)
        path = config_expand(c->control_socket, n);
    else if (c != NULL)
        fprintf(stderr, "perigee: %s has no node named '%s'; give one with --node\n", o->config,
                o->node ? o->node : "like this host");
    config_free(c);
    free(yaml);
    return path;
}

/* The sockets of all nodes that run here, at their default places. */
static char *socket_found(int *status)
{
    glob_t found = { 0 };
    char *path = NULL;
    *status = CMD_UNREACHABLE;
    if (glob(PATTERN, 0, NULL, &found) == 0 && found.gl_pathc == 1) {
        path = base_strdup(found.gl_pathv[0]);
    } else if (found.gl_pathc > 1) {
        *status = CMD_USAGE;
        fputs("perigee: several nodes run here; choose one with -s:", stderr);
        for (size_t i = 0; i < found.gl_pathc; i++)
            fprintf(stderr, " %s", found.gl_pathv[i]);
        fputc('\n', stderr);
    } else {
        fputs(
            "perigee: no node runs here (there is no " PATTERN
            "); start one with 'perigee run -c FILE', or name its socket with -s or its fleet file "
            "with -c\n",
            stderr);
    }
    globfree(&found);
    return path;
}

static char *socket_path(const struct client_options *o, int *status)
{
    if (o->socket != NULL)
        return base_strdup(o->socket);
    if (o->config != NULL)
        return socket_of_config(o, status);
    if (o->node != NULL) {
        char path[300];
        snprintf(path, sizeof path, "/run/perigee/%.200s/control.sock", o->node);
        return base_strdup(path);
    }
    return socket_found(status);
}

/* ---- asking ----------------------------------------------------------------------------------- */

static int unreachable(const char *path)
{
    const char *hint = "is this the node's control socket?";
    if (errno == ENOENT)
        hint = "no node runs there: start it with 'perigee run -c FILE'";
    else if (errno == ECONNREFUSED)
        hint = "the node that made it is gone: start it with 'perigee run -c FILE'";
    else if (errno == EACCES)
        hint = "be root, or in the group that owns it";
    fprintf(stderr, "perigee: cannot reach a node at %s: %s; %s\n", path, strerror(errno), hint);
    return -1;
}

static int connect_to(const char *path)
{
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    if (strlen(path) >= sizeof un.sun_path) {
        fprintf(stderr, "perigee: the path is too long for a socket: %s\n", path);
        return -1;
    }
    memcpy(un.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&un, sizeof un) != 0) {
        unreachable(path);
        if (fd >= 0)
            close(fd);
        return -1;
    }
    return fd;
}

static bool send_line(int fd, const json_t *request)
{
    char *line = json_dumps(request, JSON_COMPACT);
    size_t len = strlen(line), done = 0;
    line[len++] = '\n';
    while (done < len) {
        ssize_t n = send(fd, line + done, len - done, MSG_NOSIGNAL);
        if (n < 0 && errno != EINTR)
            break;
        done += n > 0 ? (size_t)n : 0;
    }
    free(line);
    return done == len;
}

/* The reply up to its end; NULL when there was none within `limit_ms`. */
static char *read_reply(int fd, int limit_ms, size_t *len)
{
    size_t cap = 65536;
    char *text = base_alloc(cap);
    *len = 0;
    mono_t end = mono_add_ms(time_mono(), limit_ms);
    for (;;) {
        struct pollfd p = { .fd = fd, .events = POLLIN };
        if (*len + 1 >= cap) {
            cap *= 2;
            text = base_realloc(text, cap);
        }
        if (cap > REPLY_MAX || poll(&p, 1, time_poll_ms(time_mono(), end)) <= 0)
            break;
        ssize_t n = read(fd, text + *len, cap - *len - 1);
        if (n == 0 && *len > 0)
            return text;
        if (n <= 0 && errno != EINTR)
            break;
        *len += n > 0 ? (size_t)n : 0;
    }
    free(text);
    return NULL;
}

static json_t *request_new(const struct client_options *o, const char *command)
{
    json_t *request = json_pack("{s:s}", "command", command);
    if (o->reason != NULL && json_object_set_new(request, "reason", json_string(o->reason)) != 0) {
        fprintf(stderr, "perigee: the reason is not UTF-8\n");
        json_decref(request);
        return NULL;
    }
    return request;
}

static json_t *ask_at(const struct client_options *o, const char *path, const char *command,
                      int *status)
{
    json_error_t why;
    size_t len = 0;
    *status = CMD_USAGE;
    json_t *request = request_new(o, command);
    if (request == NULL)
        return NULL;
    *status = CMD_UNREACHABLE;
    int fd = connect_to(path);
    if (fd < 0) {
        json_decref(request);
        return NULL;
    }
    int limit_ms = strcmp(command, "reload") == 0 ? 600000 : 10000;
    char *text = send_line(fd, request) ? read_reply(fd, limit_ms, &len) : NULL;
    json_t *reply = text != NULL ? json_loadb(text, len, 0, &why) : NULL;
    if (reply == NULL)
        fprintf(stderr, "perigee: the node at %s gave no answer; see its log\n", path);
    free(text);
    json_decref(request);
    close(fd);
    return reply;
}

json_t *client_ask(const struct client_options *o, const char *command, int *status)
{
    char *path = socket_path(o, status);
    json_t *reply = path != NULL ? ask_at(o, path, command, status) : NULL;
    free(path);
    if (reply == NULL)
        return NULL;
    if (o->json) {
        json_dumpf(reply, stdout, JSON_INDENT(2));
        fputc('\n', stdout);
    }
    *status = CMD_DONE;
    if (json_is_true(json_object_get(reply, "ok")))
        return reply;
    *status = CMD_REFUSED;
    fprintf(stderr, "perigee: %s: %s\n", command, client_text(reply, "error"));
    json_decref(reply);
    return NULL;
}

/* ---- words ------------------------------------------------------------------------------------ */

const char *client_age(const json_t *ms, char buf[CLIENT_AGE_MAX])
{
    long long v = json_integer_value(ms);
    if (!json_is_integer(ms))
        snprintf(buf, CLIENT_AGE_MAX, "-");
    else if (v < 1000)
        snprintf(buf, CLIENT_AGE_MAX, "%lldms", v);
    else if (v < 60000)
        snprintf(buf, CLIENT_AGE_MAX, "%lld.%llds", v / 1000, v % 1000 / 100);
    else if (v < 3600000)
        snprintf(buf, CLIENT_AGE_MAX, "%lldm%02llds", v / 60000, v / 1000 % 60);
    else if (v < 86400000)
        snprintf(buf, CLIENT_AGE_MAX, "%lldh%02lldm", v / 3600000, v / 60000 % 60);
    else
        snprintf(buf, CLIENT_AGE_MAX, "%lldd%02lldh", v / 86400000, v / 3600000 % 24);
    return buf;
}

const char *client_text(const json_t *object, const char *key)
{
    const json_t *v = json_object_get(object, key);
    if (json_is_string(v) && json_string_length(v) != 0)
        return json_string_value(v);
    return json_is_boolean(v) ? (json_is_true(v) ? "yes" : "no") : "-";
}

int64_t client_number(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}
