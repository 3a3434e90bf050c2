/* SPDX-License-Identifier: GPL-3.0-or-later */

/* `perigee run`: a node, out of the fleet file. Turns the configuration into what guard wants to know,
 * makes the folders, and becomes guard. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/fleet_file.h"
#include "guard/guard.h"

#define NICE (-10)
#define LINGER_MS 3000 /* beyond the drain's limit: closing sessions, saying so */

static const char help[] =
    "usage: perigee run -c FILE [--node NAME] [--dry-run]\n"
    "runs a node: answers, proves, announces; SIGTERM drains and ends it, SIGHUP loads the zones "
    "again\n"
    "  -c, --config FILE   the fleet file\n"
    "      --node NAME     which of its nodes this is; without it the host's name\n"
    "      --dry-run       decide and log everything, announce nothing, touch no address\n";

struct run {
    struct fleet_file file;
    const struct config_node *node;
    bool dry_run;
    struct guard_options o;
    struct guard_service services[GUARD_SERVICES_MAX];
};

/* mkdir -p; what is there stays as it is. */
static bool folder_make(const char *path)
{
    char *copy = base_strdup(path);
    bool ok = true;
    for (char *p = copy + 1; ok; p++) {
        if (*p != '/' && *p != '\0')
            continue;
        char end = *p;
        *p = '\0';
        if (mkdir(copy, 0755) != 0 && errno != EEXIST) {
            fprintf(stderr, "perigee run: cannot make the folder %s: %s\n", copy, strerror(errno));
            ok = false;
        }
        *p = end;
        if (end == '\0')
            break;
    }
    free(copy);
    return ok;
}

/* Only root can become somebody else; a trial as an ordinary user stays that user. A fresh machine has
 * no user for us yet, but always one without rights. */
static bool user_fill(struct run *r)
{
    const char *user = r->file.config->user;
    if (geteuid() != 0)
        return true;
    if (user == NULL)
        user = getpwnam("perigee") != NULL ? "perigee" : "nobody";
    r->o.user = user;
    if (getpwnam(user) != NULL)
        return true;
    fprintf(stderr,
            "%s: there is no user '%s'; make it (useradd --system %s), or leave 'user' out\n",
            r->file.source.file, user, user);
    return false;
}

/* The folder of the drain's file belongs to the user whom control runs as. */
static bool state_folder(const struct run *r)
{
    char *path = config_expand(r->file.config->state_dir, r->node);
    bool ok = folder_make(path);
    const struct passwd *pw = r->o.user != NULL ? getpwnam(r->o.user) : NULL;
    if (ok && pw != NULL && (chown(path, pw->pw_uid, pw->pw_gid) != 0 || chmod(path, 0750) != 0)) {
        fprintf(stderr, "perigee run: cannot give the folder %s to the user %s: %s\n", path,
                r->o.user, strerror(errno));
        ok = false;
    }
    free(path);
    return ok;
}

static bool socket_folder(struct run *r)
{
    char *path = config_expand(r->file.config->control_socket, r->node);
    r->o.control_socket = path;
    char *folder = base_strdup(path);
    char *slash = strrchr(folder, '/');
    bool ok = true;
    if (slash != NULL && slash != folder) {
        *slash = '\0';
        ok = folder_make(folder);
    }
    free(folder);
    return ok;
}

static void services_fill(struct run *r)
{
    uint32_t pos = 0;
    for (const struct config_service *s;
         (s = config_service_next(r->file.config, r->node, &pos)) != NULL;) {
        for (uint32_t i = 0; i < s->addresses.count; i++)
            r->services[r->o.service_count++] = (struct guard_service){
                .at = s->addresses.at[i],
                .interface = r->node->manage_addresses && !r->dry_run ? r->node->interface : NULL
            };
        if (s->drain_limit_ms + LINGER_MS > r->o.stop_limit_ms)
            r->o.stop_limit_ms = s->drain_limit_ms + LINGER_MS;
    }
    r->o.services = r->services;
}

static bool options_fill(struct run *r)
{
    struct config_bundle b = { .config = r->file.config, .node = r->node, .dry_run = r->dry_run };
    struct err e = { 0 };
    r->o.node = r->node->name;
    services_fill(r);
    r->o.zones = fleet_file_zones(r->file.config, r->node, &r->o.zone_count);
    r->o.workers = r->node->workers;
    r->o.nsid = (const uint8_t *)r->node->nsid;
    const struct config_cookies *cookies = &r->file.config->cookies;
    r->o.cookie_file = cookies->secret_file;
    r->o.cookies_required = cookies->required;
    /* What one of several nodes made up the others would not know. */
    r->o.cookies_random = cookies->secret_file == NULL && r->file.config->nodes.count == 1;
    r->o.nsid_len = (uint32_t)strlen(r->node->nsid);
    if (r->node->bgp_port != 0) {
        r->o.bgp_listeners = r->node->bgp_listen.at;
        r->o.bgp_listener_count = r->node->bgp_listen.count;
    }
    if (r->file.config->nodes.count > 1)
        r->o.fleet = &r->node->addresses.at[0];
    if (!user_fill(r))
        return false;
    r->o.config_fd = config_bundle_new(&b, &r->file.source, &e);
    if (r->o.config_fd < 0)
        fprintf(stderr, "perigee run: %s\n", e.what);
    return r->o.config_fd >= 0 && socket_folder(r) && state_folder(r);
}

static int run(const char *path, const char *node, bool dry_run)
{
    static struct run r;
    static char absolute[PATH_MAX];
    r.dry_run = dry_run;
    /* Other commands look at the file again, from wherever they are started. */
    if (realpath(path, absolute) == NULL)
        snprintf(absolute, sizeof absolute, "%s", path);
    if (!fleet_file_load(&r.file, absolute, node, true))
        return CMD_REFUSED;
    r.node = fleet_file_node(&r.file, node);
    if (r.node == NULL || !options_fill(&r))
        return CMD_REFUSED;
    /* Proof and repair are due within the lease: they must not wait behind other work of the host. Some
     * hosts refuse it, and it then goes without. */
    setpriority(PRIO_PROCESS, 0, NICE);
    log_init("guard", r.file.config->log_debug ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO);
    return guard_run(&r.o);
}

int cmd_run(int argc, char **argv)
{
    static const struct option options[] = {
        { "config", required_argument, NULL, 'c' },
        { "node", required_argument, NULL, 'n' },
        { "dry-run", no_argument, NULL, 'd' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    const char *path = NULL, *node = NULL;
    bool dry_run = false;
    int c;
    while ((c = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
        switch (c) {
        case 'c':
            path = optarg;
            break;
        case 'n':
            node = optarg;
            break;
        case 'd':
            dry_run = true;
            break;
        case 'h':
            fputs(help, stdout);
            return CMD_DONE;
        default:
            return CMD_USAGE;
        }
    }
    if (optind < argc || path == NULL) {
        fprintf(stderr, "perigee run: %s; 'perigee run --help' shows the options\n",
                path == NULL ? "which fleet file? say -c FILE" : "too many words");
        return CMD_USAGE;
    }
    return run(path, node, dry_run);
}
