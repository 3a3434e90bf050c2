/* SPDX-License-Identifier: GPL-3.0-or-later */

/* `perigee check`: the fleet file and the zones that it names, every error with file, line and what to
 * do. What it lets pass, `perigee run` starts with. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/fleet_file.h"
#include "zone/load.h"

static const char help[] =
    "usage: perigee check -c FILE [--node NAME|all]\n"
    "reads the fleet file and its zones as 'perigee run' would; exit status 0 when all is right\n"
    "  -c, --config FILE   the fleet file\n"
    "      --node NAME     look at the secrets and zones of this node only\n"
    "      --node all      of all nodes (the default)\n"
    "      --reference     print docs/configuration.md and do nothing else\n";

static bool zones_check(const struct fleet_file *f, const struct config_node *node,
                        uint32_t *zone_count)
{
    struct err e = { 0 };
    char line[ZONE_ERROR_TEXT_MAX];
    struct zone_errors *found = base_calloc(1, sizeof *found);
    struct guard_zone *zones = fleet_file_zones(f->config, node, zone_count);
    struct zone_source *sources = base_calloc(*zone_count + (size_t)1, sizeof *sources);
    for (uint32_t i = 0; i < *zone_count; i++)
        sources[i] = (struct zone_source){ zones[i].origin, zones[i].file };
    int fd = zone_image_memfd(&e);
    bool ok = fd >= 0 && zone_build_image(sources, *zone_count, fd, found);
    if (fd < 0)
        fprintf(stderr, "perigee: %s\n", e.what);
    else
        close(fd);
    for (uint32_t i = 0; i < found->kept; i++)
        fprintf(stderr, "%s\n", zone_error_text(&found->at[i], line, sizeof line));
    if (found->errors + found->warnings > found->kept)
        fprintf(stderr, "and %u more in the zones\n",
                found->errors + found->warnings - found->kept);
    for (uint32_t i = 0; i < *zone_count; i++)
        free((void *)(uintptr_t)zones[i].origin);
    free(zones);
    free(sources);
    free(found);
    return ok;
}

static int check(const char *path, const char *node_name)
{
    struct fleet_file f;
    uint32_t zone_count = 0;
    bool all = node_name == NULL || strcmp(node_name, "all") == 0;
    bool ok = fleet_file_load(&f, path, all ? NULL : node_name, false);
    if (!ok && f.yaml != NULL)
        fprintf(stderr, "%s: the zones were not read; mend the fleet file first\n", path);
    if (ok) {
        const struct config_node *node = all ? NULL : fleet_file_node(&f, node_name);
        ok = (all || node != NULL) && zones_check(&f, node, &zone_count);
        if (ok)
            printf("%s: good: services %u, sites %u, nodes %u, zones %u\n", path,
                   f.config->services.count, f.config->sites.count, f.config->nodes.count,
                   zone_count);
    }
    fleet_file_free(&f);
    return ok ? CMD_DONE : CMD_REFUSED;
}

int cmd_check(int argc, char **argv)
{
    static const struct option options[] = {
        { "config", required_argument, NULL, 'c' },
        { "node", required_argument, NULL, 'n' },
        { "reference", no_argument, NULL, 'r' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    const char *path = NULL, *node = NULL;
    int c;
    while ((c = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
        switch (c) {
        case 'c':
            path = optarg;
            break;
        case 'n':
            node = optarg;
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
    if (optind < argc || path == NULL) {
        fprintf(stderr, "perigee check: %s; 'perigee check --help' shows the options\n",
                path == NULL ? "which fleet file? say -c FILE" : "too many words");
        return CMD_USAGE;
    }
    return check(path, node);
}
