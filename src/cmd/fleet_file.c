/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/fleet_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

bool fleet_file_load(struct fleet_file *f, const char *path, const char *node, bool this_host)
{
    static struct config_errors errors;
    struct err e = { 0 };
    char line[900];
    size_t len;
    *f = (struct fleet_file){ .yaml = config_slurp(path, CONFIG_FILE_MAX, &len, &e) };
    if (f->yaml == NULL) {
        fprintf(stderr, "perigee: %s\n", err_text(&e, line, sizeof line));
        return false;
    }
    f->source = (struct config_source){
        .file = path, .yaml = f->yaml, .len = len, .node = node, .this_host = this_host
    };
    f->config = config_parse(&f->source, &errors);
    config_errors_print(&errors, stderr);
    return f->config != NULL;
}

void fleet_file_free(struct fleet_file *f)
{
    config_free(f->config);
    free(f->yaml);
    *f = (struct fleet_file){ 0 };
}

const struct config_node *fleet_file_node(const struct fleet_file *f, const char *name)
{
    char host[256] = "";
    const struct config_node *n = config_find_node(f->config, name);
    if (n != NULL)
        return n;
    if (name == NULL && gethostname(host, sizeof host - 1) == 0)
        fprintf(stderr, "%s: no node has this host's name, '%s'; say --node NAME:", f->source.file,
                host);
    else
        fprintf(stderr, "%s: no node is named '%s'; there are:", f->source.file, name ? name : "");
    for (uint32_t i = 0; i < f->config->nodes.count; i++)
        fprintf(stderr, " %s", f->config->nodes.at[i].name);
    fputc('\n', stderr);
    return NULL;
}

static int zone_compare(const void *a, const void *b)
{
    const struct config_zone *const *x = a, *const *y = b;
    int c = dns_name_compare(&(*x)->origin, &(*y)->origin);
    return c != 0 ? c : (*x < *y ? -1 : *x > *y);
}

struct guard_zone *fleet_file_zones(const struct config *c, const struct config_node *node,
                                    uint32_t *count)
{
    uint32_t cap = 0, n = 0, pos = 0;
    char text[DNS_TEXT_MAX];
    static const struct config_node everything; /* a node that names no service offers all */
    for (uint32_t i = 0; i < c->services.count; i++)
        cap += c->services.at[i].zones.count;
    const struct config_zone **all = base_calloc(cap + (size_t)1, sizeof *all);
    for (const struct config_service *s;
         (s = config_service_next(c, node ? node : &everything, &pos)) != NULL;)
        for (uint32_t i = 0; i < s->zones.count; i++)
            all[n++] = &s->zones.at[i];
    qsort(all, n, sizeof *all, zone_compare);
    struct guard_zone *zones = base_calloc(n + (size_t)1, sizeof *zones);
    *count = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (i > 0 && dns_name_equal(&all[i]->origin, &all[i - 1]->origin))
            continue; /* two services may answer it; config_check saw that the file is the same */
        zones[(*count)++] =
            (struct guard_zone){ .origin = base_strdup(dns_name_text(&all[i]->origin, text)),
                                 .file = all[i]->file };
    }
    free(all);
    return zones;
}
