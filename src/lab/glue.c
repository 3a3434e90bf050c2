/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lab/glue.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lab/proc.h"

struct glue {
    char service4[INET_ADDRSTRLEN], service6[INET6_ADDRSTRLEN]; /* of the service */
    char ns[64], dir[400];
};

static bool prepare(struct lab *l, const struct lab_host *h, struct glue *g, struct err *e)
{
    char sub[64];
    inet_ntop(AF_INET, &l->topo->service4, g->service4, sizeof g->service4);
    inet_ntop(AF_INET6, &l->topo->service6, g->service6, sizeof g->service6);
    lab_ns(l, h, g->ns);
    snprintf(sub, sizeof sub, "node/%s-glue", h->name);
    snprintf(g->dir, sizeof g->dir, "%s/%s", l->dir, sub);
    return lab_mkdir(l, sub, e);
}

static FILE *create(const struct glue *g, const char *name, struct err *e)
{
    char path[500];
    snprintf(path, sizeof path, "%s/%s", g->dir, name);
    FILE *f = fopen(path, "we");
    if (f == NULL)
        err_set_errno(e, NULL, "cannot write %s", path);
    return f;
}

static bool write_knot(struct lab *l, const struct lab_host *h, const struct glue *g, struct err *e)
{
    FILE *f = create(g, "knot.conf", e);
    if (f == NULL)
        return false;
    fprintf(f,
            "server:\n    rundir: \"%s\"\n    user: root:root\n    nsid: \"%s\"\n"
            "    listen: [ \"%s@53\", \"%s@53\" ]\n"
            "log:\n  - target: stderr\n    any: info\n"
            "database:\n    storage: \"%s\"\n"
            "zone:\n  - domain: %s\n    file: \"%s/%s.zone\"\n",
            g->dir, h->name, g->service4, g->service6, g->dir, l->topo->zone, l->dir,
            l->topo->zone);
    return fclose(f) == 0;
}

/* ExaBGP's own figures: look every 5 s, every second once something changes, three times. Tuned to the
 * limit: every second, every 0.2 s, twice. */
static bool write_exabgp(struct lab *l, const struct lab_host *h, const struct glue *g,
                         struct err *e)
{
    const struct lab_link *k = &l->topo->links[h->link];
    char mine[INET6_ADDRSTRLEN], theirs[INET6_ADDRSTRLEN];
    FILE *f = create(g, "exabgp.conf", e);
    if (f == NULL)
        return false;
    fprintf(f,
            "process watch {\n"
            "    run /usr/bin/python3 -m exabgp healthcheck --no-syslog --withdraw-on-down "
            "--no-ip-setup --ip %s/32 --ip %s/128 %s --cmd %s/check.sh;\n"
            "    encoder text;\n}\n",
            g->service4, g->service6,
            l->glue == LAB_GLUE_TUNED ? "--interval 1 --fast-interval 0.2 --rise 2 --fall 2"
                                      : "--interval 5 --fast-interval 1 --rise 3 --fall 3",
            g->dir);
    for (int v6 = 0; v6 < 2; v6++) {
        int family = v6 ? AF_INET6 : AF_INET;
        char id[INET_ADDRSTRLEN];
        inet_ntop(family, v6 ? (const void *)&k->b6 : &k->b4, mine, sizeof mine);
        inet_ntop(family, v6 ? (const void *)&k->a6 : &k->a4, theirs, sizeof theirs);
        fprintf(f,
                "neighbor %s {\n    router-id %s;\n    local-address %s;\n    local-as %u;\n"
                "    peer-as %u;\n    hold-time %u;\n    family {\n        %s unicast;\n    }\n"
                "    api {\n        processes [ watch ];\n    }\n}\n",
                theirs, inet_ntop(AF_INET, &k->b4, id, sizeof id), mine, l->topo->as,
                l->topo->hosts[k->a].as, l->topo->hold_s, v6 ? "ipv6" : "ipv4");
    }
    return fclose(f) == 0;
}

static bool write_check(struct lab *l, const struct glue *g, struct err *e)
{
    FILE *f = create(g, "check.sh", e);
    if (f == NULL)
        return false;
    fprintf(f, "#!/bin/sh\ndig +time=1 +tries=1 @%s www.%s A | grep -q NOERROR\n", g->service4,
            l->topo->zone);
    fchmod(fileno(f), 0755);
    return fclose(f) == 0;
}

static pid_t start(struct lab *l, const struct lab_host *h, const struct glue *g,
                   const char *const *words, struct err *e)
{
    char tool[300], log[400];
    const char *argv[20] = { tool, "exec", "--" };
    int n = 3;
    snprintf(tool, sizeof tool, "%s/tools/peers", l->repo);
    snprintf(log, sizeof log, "%s/node/%s.log", l->dir, h->name);
    for (; *words != NULL && n < 19; words++)
        argv[n++] = *words;
    struct proc_opts o = { .netns = g->ns, .log = log };
    return proc_start(&o, argv, e);
}

bool glue_start_dns(struct lab *l, struct lab_host *h, struct err *e)
{
    struct glue g;
    char conf[500];
    if (!prepare(l, h, &g, e))
        return false;
    snprintf(conf, sizeof conf, "%s/knot.conf", g.dir);
    const char *words[] = { "knotd", "-c", conf, NULL };
    struct lab_node *n = &l->node[h - l->topo->hosts];
    n->dns = start(l, h, &g, words, e);
    return n->dns > 0;
}

bool glue_start(struct lab *l, struct lab_host *h, struct err *e)
{
    struct glue g;
    char conf[500];
    if (!prepare(l, h, &g, e) || !write_knot(l, h, &g, e) || !write_exabgp(l, h, &g, e) ||
        !write_check(l, &g, e))
        return false;
    const char *const addresses[] = { g.service4, g.service6 };
    for (int i = 0; i < 2; i++) {
        const char *add[] = { "ip",         "-n",  g.ns, "address", "replace",
                              addresses[i], "dev", "lo", NULL };
        struct proc_opts o = { .quiet = true };
        if (proc_run(&o, add, e) != 0)
            return false;
    }
    snprintf(conf, sizeof conf, "%s/exabgp.conf", g.dir);
    const char *words[] = { "env",
                            "exabgp.daemon.user=root",
                            "exabgp.daemon.drop=false",
                            "exabgp.api.cli=false",
                            "exabgp.log.destination=stderr",
                            "exabgp",
                            conf,
                            NULL };
    struct lab_node *n = &l->node[h - l->topo->hosts];
    n->started_at = time_mono();
    n->starts++;
    if (!glue_start_dns(l, h, e))
        return false;
    n->guard = start(l, h, &g, words, e);
    return n->guard > 0;
}
