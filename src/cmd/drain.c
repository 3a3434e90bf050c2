/* SPDX-License-Identifier: GPL-3.0-or-later */

/* `perigee drain` and `undrain`. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cmd/client.h"
#include "cmd/cmd.h"

#define POLL_MS 200

static bool drain_is(const json_t *reply, const char *key)
{
    return json_is_true(json_object_get(json_object_get(reply, "drain"), key));
}

static bool is_done(const json_t *reply)
{
    return drain_is(reply, "done");
}

/* Somebody else said undrain meanwhile. */
static bool is_called_off(const json_t *reply)
{
    return !drain_is(reply, "wanted") && !json_is_true(json_object_get(reply, "stopping"));
}

/* Until every prefix is drained, which the node sees to at its limit, or nobody wants it any more. */
static json_t *wait_done(const struct client_options *o, json_t *reply, int *status)
{
    struct client_options quiet = *o;
    quiet.json = false;
    quiet.reason = NULL;
    while (reply != NULL && !is_done(reply) && !is_called_off(reply)) {
        struct timespec pause = { 0, POLL_MS * 1000000L };
        json_decref(reply);
        nanosleep(&pause, NULL);
        reply = client_ask(&quiet, "status", status);
    }
    return reply;
}

static void print_prefixes(const json_t *reply)
{
    size_t i;
    json_t *p;
    json_array_foreach(json_object_get(reply, "prefixes"), i, p)
    {
        const char *state = client_text(p, "state"), *reason = client_text(p, "reason");
        if (strncmp(reason, state, strlen(state)) == 0) /* the reason says it already */
            printf("%s: %s\n", client_text(p, "prefix"), reason);
        else
            printf("%s: %s, %s\n", client_text(p, "prefix"), state, reason);
    }
}

int cmd_drain(int argc, char **argv)
{
    struct client_options o;
    int status = client_options_parse(
        &o, argc, argv, "json reason wait",
        "usage: perigee drain [--wait] [--reason TEXT] [--json] [-s SOCKET | -c FILE [--node "
        "NAME]]\n"
        "leads the clients to other sites, then withdraws; kept over restarts, until 'perigee "
        "undrain'\n"
        "  --wait              return when no query comes any more (or the drain's limit passed)\n"
        "  --reason TEXT       for status and log\n");
    if (status != CLIENT_DONE)
        return status;
    struct client_options ask = o;
    ask.json = o.json && !o.wait; /* who waits is shown the end */
    json_t *reply = client_ask(&ask, "drain", &status);
    if (o.wait)
        reply = wait_done(&ask, reply, &status);
    if (o.wait && o.json && reply != NULL) {
        json_dumpf(reply, stdout, JSON_INDENT(2));
        fputc('\n', stdout);
    }
    if (o.wait && reply != NULL && is_called_off(reply)) {
        fputs("perigee drain: the drain was called off before it was done\n", stderr);
        status = CMD_REFUSED;
    }
    if (reply != NULL && !o.json) {
        print_prefixes(reply);
        if (!is_done(reply) && !is_called_off(reply))
            puts("draining; 'perigee status' shows when it is done, 'perigee drain --wait' waits");
    }
    json_decref(reply);
    return status;
}

int cmd_undrain(int argc, char **argv)
{
    struct client_options o;
    int status =
        client_options_parse(&o, argc, argv, "json",
                             "usage: perigee undrain [--json] [-s SOCKET | -c FILE [--node NAME]]\n"
                             "ends a drain: announces again, after proof\n");
    if (status != CLIENT_DONE)
        return status;
    json_t *reply = client_ask(&o, "undrain", &status);
    if (reply != NULL && !o.json)
        print_prefixes(reply);
    json_decref(reply);
    return status;
}
