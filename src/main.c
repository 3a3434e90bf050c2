/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The command line. A command is a row of `commands`; its code is src/cmd/NAME.c. The processes of a
 * node are the same binary, exec'd afresh with `--role NAME` as the first argument: rows of `roles`. */
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "control/control.h"
#include "guard/load_role.h"
#include "serve/serve.h"

struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *args; /* as shown by --help */
    const char *help; /* one line */
};

static const struct command commands[] = {
    { "serve", cmd_serve,
      "--listen ADDR[@PORT] ... --zone ORIGIN=FILE ... [--nsid TEXT] [--workers N] [--user NAME]",
      "answer from zone files, without a file of configuration" },
    { "run", cmd_run, "-c FILE [--node NAME] [--dry-run]", "a node, from the fleet's file" },
    { "check", cmd_check, "-c FILE [--node NAME|all]",
      "the fleet file and its zones: every mistake, with file, line and what to do" },
    { "status", cmd_status, "[--json] [-s SOCKET]", "how the node that runs here is, and why" },
    { "neighbors", cmd_neighbors, "[--json] [-s SOCKET]", "its BGP sessions" },
    { "routes", cmd_routes, "[--json] [-s SOCKET]", "what it announces, and what others do" },
    { "zones", cmd_zones, "[--json] [-s SOCKET]", "the zones that it answers" },
    { "drain", cmd_drain, "[--wait] [--reason TEXT] [-s SOCKET]",
      "lead the clients to other sites, then withdraw; kept over restarts" },
    { "undrain", cmd_undrain, "[-s SOCKET]", "announce again, after proof" },
    { "reload", cmd_reload, "[-s SOCKET]", "read the zones again, without losing a query" },
    { "probe", cmd_probe,
      "ADDR[@PORT] … [--name NAME] [--type TYPE] [--count N] [--udp|--tcp] [--json]",
      "which site answers, how fast, how right: each address by UDP and TCP" },
    { NULL, NULL, NULL, NULL },
};

/* A process that guard starts; never typed by a person. */
struct role {
    const char *name;
    int (*run)(int argc, char **argv);
};

static const struct role roles[] = {
    { "serve", serve_main },
    { "load", guard_load_main },
    { "control", control_main },
    { NULL, NULL },
};

static void print_help(FILE *out)
{
    fputs("Perigee: anycast DNS in one program\n\nusage:\n", out);
    for (const struct command *c = commands; c->name != NULL; c++)
        fprintf(out, "  perigee %s %s\n      %s\n", c->name, c->args, c->help);
    fputs("  perigee --help\n  perigee --version\n", out);
}

static int run_role(int argc, char **argv)
{
    const char *name = argc > 2 ? argv[2] : "";
    for (const struct role *r = roles; r->name != NULL; r++)
        if (strcmp(r->name, name) == 0)
            return r->run(argc - 2, argv + 2);
    fprintf(stderr, "perigee: no role '%s'; --role is used by perigee itself only\n", name);
    return CMD_USAGE;
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        print_help(stdout);
        return CMD_DONE;
    }
    if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0) {
        puts("perigee " PERIGEE_VERSION);
        return CMD_DONE;
    }
    if (strcmp(name, "--role") == 0)
        return run_role(argc, argv);
    for (const struct command *c = commands; c->name != NULL; c++)
        if (strcmp(c->name, name) == 0)
            return c->run(argc - 1, argv + 1);
    if (name[0] == '\0')
        print_help(stderr);
    else
        fprintf(stderr, "perigee: no command '%s'; 'perigee --help' lists them\n", name);
    return CMD_USAGE;
}
