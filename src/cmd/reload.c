/* SPDX-License-Identifier: GPL-3.0-or-later */

/* `perigee reload`: the zones again, without losing a query. A change of the fleet file is told, for it
 * takes a restart. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/client.h"
#include "cmd/cmd.h"
#include "config/config.h"

static void warn_of_changes(const struct client_options *o)
{
    struct client_options quiet = *o;
    struct err e = { 0 };
    int status;
    size_t len;
    char hash[20];
    quiet.json = false;
    json_t *reply = client_ask(&quiet, "status", &status);
    if (reply == NULL)
        return;
    const char *file = client_text(reply, "file");
    char *yaml = config_slurp(file, CONFIG_FILE_MAX, &len, &e);
    if (yaml != NULL) {
        snprintf(hash, sizeof hash, "%016" PRIx64, config_hash(yaml, len));
        if (strcmp(hash, client_text(reply, "file_hash")) != 0)
            fprintf(stderr,
                    "perigee: %s has changed since the node started; reload takes new zone data, "
                    "changes of the fleet file take a restart\n",
                    file);
    }
    free(yaml);
    json_decref(reply);
}

int cmd_reload(int argc, char **argv)
{
    struct client_options o;
    int status = client_options_parse(
        &o, argc, argv, "json",
        "usage: perigee reload [--json] [-s SOCKET | -c FILE [--node NAME]]\n"
        "reads all zone files again and answers from them; when one is wrong, nothing changes\n");
    if (status != CLIENT_DONE)
        return status;
    json_t *reply = client_ask(&o, "reload", &status);
    if (reply != NULL && !o.json)
        printf("%" PRId64 " zones loaded, version %" PRId64 "\n", client_number(reply, "zones"),
               client_number(reply, "version"));
    json_decref(reply);
    if (status != CMD_UNREACHABLE)
        warn_of_changes(&o);
    return status;
}
