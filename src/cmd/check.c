/* SPDX-License-Identifier: GPL-3.0-or-later */

/* `perigee check`: the fleet file and the zones that it names, every error with file, line and what to
 * do. What it lets pass, `perigee run` starts with; what `perigee run` only warns of and what would be
 * served wrongly or could not be validated is an error here. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/time.h"
#include "cmd/cmd.h"
#include "cmd/fleet_file.h"
#include "zone/check.h"
#include "zone/load.h"

static const char help[] =
    "usage: perigee check -c FILE [--node NAME|all] [options]\n"
    "       perigee check --zone ORIGIN=FILE ... [options]\n"
    "reads the fleet file and its zones as 'perigee run' would, or only zones; exit status 0 when all\n"
    "is right or only warned of, 1 when not, 2 when the command line is wrong\n"
    "  -c, --config FILE       the fleet file\n"
    "      --node NAME         look at the secrets and zones of this node only\n"
    "      --node all          of all nodes (the default)\n"
    "      --zone ORIGIN=FILE  a master file, without a fleet file\n"
    "      --dnssec            verify every signature too: some 10,000 a second\n"
    "      --horizon DAYS      warn of signatures that end within (2)\n"
    "      --no-zonemd         do not verify the digests of zones\n"
    "      --lenient           warn only of what 'perigee run' and 'serve' only warn of\n"
    "      --quiet             errors only, no warnings\n"
    "      --reference         print docs/configuration.md and do nothing else\n";

#define DAYS_MAX 36500

struct check_args {
    const char *path, *node;
    struct zone_source *zones; /* of --zone */
    uint32_t zone_count;
    struct zone_check_options how;
    bool quiet;
};

static void print_error(void *arg, const struct zone_error *ze)
{
    const struct check_args *a = arg;
    char line[ZONE_ERROR_TEXT_MAX];
    if (!ze->warning || !a->quiet)
        fprintf(stderr, "%s\n", zone_error_text(ze, line, sizeof line));
}

static bool sources_check(struct check_args *a, struct zone_source *sources, uint32_t count)
{
    struct err e = { 0 };
    struct zone_errors *found = base_calloc(1, sizeof *found);
    for (uint32_t i = 0; i < count; i++)
        sources[i].check = &a->how;
    found->tell = print_error;
    found->arg = a;
    int fd = zone_image_memfd(&e);
    bool ok = fd >= 0 && zone_build_image(sources, count, fd, found);
    if (fd < 0)
        fprintf(stderr, "perigee: %s\n", e.what);
    else
        close(fd);
    if (found->errors + found->warnings != 0)
        fprintf(stderr, "%u error%s, %u warning%s in the zones\n", found->errors,
                found->errors == 1 ? "" : "s", found->warnings, found->warnings == 1 ? "" : "s");
    free(found);
    return ok;
}

static bool zones_check(struct check_args *a, const struct fleet_file *f,
                        const struct config_node *node, uint32_t *zone_count)
{
    struct guard_zone *zones = fleet_file_zones(f->config, node, zone_count);
    struct zone_source *sources = base_calloc(*zone_count + (size_t)1, sizeof *sources);
    for (uint32_t i = 0; i < *zone_count; i++)
        sources[i] = (struct zone_source){ .origin = zones[i].origin, .path = zones[i].file };
    bool ok = sources_check(a, sources, *zone_count);
    for (uint32_t i = 0; i < *zone_count; i++)
        free((void *)(uintptr_t)zones[i].origin);
    free(zones);
    free(sources);
    return ok;
}

static int check(struct check_args *a)
{
    const char *path = a->path, *node_name = a->node;
    struct fleet_file f;
    uint32_t zone_count = 0;
    bool all = node_name == NULL || strcmp(node_name, "all") == 0;
    bool ok = fleet_file_load(&f, path, all ? NULL : node_name, false);
    if (!ok && f.yaml != NULL)
        fprintf(stderr, "%s: the zones were not read; mend the fleet file first\n", path);
    if (ok) {
        const struct config_node *node = all ? NULL : fleet_file_node(&f, node_name);
        ok = (all || node != NULL) && zones_check(a, &f, node, &zone_count);
        if (ok && f.config->nodes.count > 1 && f.config->cookies.secret_file == NULL)
            fprintf(
                stderr,
                "%s: warning: several nodes and no secret that they share for DNS cookies: they "
                "answer without; give 'cookies: {secret_file: ...}'\n",
                path);
        if (ok)
            printf("%s: good: services %u, sites %u, nodes %u, zones %u\n", path,
                   f.config->services.count, f.config->sites.count, f.config->nodes.count,
                   zone_count);
    }
    fleet_file_free(&f);
    return ok ? CMD_DONE : CMD_REFUSED;
}

/* ORIGIN=FILE; false when it is not that. */
static bool add_zone(struct check_args *a, char *text)
{
    char *file = strchr(text, '=');
    if (file == NULL || file == text || file[1] == '\0')
        return false;
    *file++ = '\0';
    a->zones = base_realloc(a->zones, (a->zone_count + (size_t)1) * sizeof *a->zones);
    a->zones[a->zone_count++] = (struct zone_source){ .origin = text, .path = file };
    return true;
}

static bool set_horizon(struct check_args *a, const char *text)
{
    char *end;
    unsigned long days = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || days > DAYS_MAX)
        return false;
    a->how.horizon_s = (uint32_t)(days * 86400);
    return true;
}

static int usage_fault(const char *what)
{
    fprintf(stderr, "perigee check: %s; 'perigee check --help' shows the options\n", what);
    return CMD_USAGE;
}

static int zones_only(struct check_args *a)
{
    bool ok = sources_check(a, a->zones, a->zone_count);
    if (ok)
        printf("good: zones %u\n", a->zone_count);
    free(a->zones);
    return ok ? CMD_DONE : CMD_REFUSED;
}

int cmd_check(int argc, char **argv)
{
    static const struct option options[] = {
        { "config", required_argument, NULL, 'c' },
        { "node", required_argument, NULL, 'n' },
        { "zone", required_argument, NULL, 'z' },
        { "dnssec", no_argument, NULL, 'd' },
        { "horizon", required_argument, NULL, 'o' },
        { "no-zonemd", no_argument, NULL, 'm' },
        { "lenient", no_argument, NULL, 'l' },
        { "quiet", no_argument, NULL, 'q' },
        { "reference", no_argument, NULL, 'r' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    struct check_args a = { .how = ZONE_CHECK_DEFAULTS };
    a.how.now_s = time_wall().s;
    a.how.strict = true;
    int c;
    while ((c = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
        switch (c) {
        case 'c':
            a.path = optarg;
            break;
        case 'n':
            a.node = optarg;
            break;
        case 'z':
            if (!add_zone(&a, optarg))
                return usage_fault("--zone wants ORIGIN=FILE");
            break;
        case 'd':
            a.how.signatures = true;
            break;
        case 'o':
            if (!set_horizon(&a, optarg))
                return usage_fault("--horizon wants a number of days");
            break;
        case 'm':
            a.how.zonemd = ZONE_CHECK_ZONEMD_OFF;
            break;
        case 'l':
            a.how.strict = false;
            break;
        case 'q':
            a.quiet = true;
            break;
        case 'r':
            config_print_reference(stdout);
            return CMD_DONE;
        case 'h':
            fputs(help, stdout);
            return CMD_DONE;
        default:
            return CMD_USAGE;
        }
    }
    if (optind < argc)
        return usage_fault("too many words");
    if ((a.path == NULL) == (a.zone_count == 0))
        return usage_fault(a.path == NULL ? "which fleet file? say -c FILE"
                                          : "-c FILE and --zone do not go together");
    return a.path == NULL ? zones_only(&a) : check(&a);
}
