/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lab/prompt.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lab/bird.h"
#include "lab/proc.h"
#include "lab/show.h"

volatile sig_atomic_t lab_stop;

struct asked {
    struct lab *l;
    struct stage *s;
    struct lab_host *h; /* NULL: none was named */
    const char *rest;   /* what follows the name */
};

static void do_list(struct asked *a)
{
    static const char *const kinds[] = { "router", "node", "client", "bots" };
    const struct lab_topo *t = a->l->topo;
    char ns[64];
    for (uint32_t i = 0; i < t->host_count; i++)
        printf("  %-11s %-7s %-10s AS%-6u %s\n", t->hosts[i].name, kinds[t->hosts[i].kind],
               t->regions[t->hosts[i].region], t->hosts[i].as, lab_ns(a->l, &t->hosts[i], ns));
}

static void do_exec(struct asked *a)
{
    char ns[64];
    struct err e;
    const char *argv[] = { "sh", "-c", a->rest[0] ? a->rest : "ip -br address; ip route", NULL };
    struct proc_opts o = { .netns = lab_ns(a->l, a->h, ns) };
    fflush(stdout);
    (void)proc_run(&o, argv, &e);
}

static void do_birdc(struct asked *a)
{
    static char out[262144];
    struct err e;
    char *save;
    if (!bird_ask(a->l, a->h, a->rest[0] ? a->rest : "show protocols", out, sizeof out, &e)) {
        printf("%s\n", e.what);
        return;
    }
    for (char *p = strtok_r(out, "\n", &save); p != NULL; p = strtok_r(NULL, "\n", &save))
        printf("%s\n", p[0] == ' ' ? p + 1 : strlen(p) > 5 ? p + 5 : "");
}

static void do_dig(struct asked *a)
{
    char command[600], a4[INET_ADDRSTRLEN], a6[INET6_ADDRSTRLEN];
    const struct lab_topo *t = a->l->topo;
    inet_ntop(AF_INET, &t->service4, a4, sizeof a4);
    inet_ntop(AF_INET6, &t->service6, a6, sizeof a6);
    snprintf(command, sizeof command,
             "dig +nsid +tries=1 +timeout=2 @%s www.%s A %.100s; "
             "dig +nsid +tries=1 +timeout=2 @%s www.%s A %.100s | grep -E 'NSID|time|SERVER'",
             a4, t->zone, a->rest, a6, t->zone, a->rest);
    a->rest = command;
    do_exec(a);
}

static void do_who(struct asked *a)
{
    const struct lab_topo *t = a->l->topo;
    struct err e = { 0 };
    bool ours = true;
    for (uint32_t i = 0; i < t->host_count; i++)
        ours = ours && a->s->flow[i] < 0;
    if (ours && !stage_ask(a->s, 100, &e))
        printf("%s\n", e.what);
    stage_sleep(1000);
    for (uint32_t i = 0; i < t->host_count; i++) {
        if (t->hosts[i].kind != LAB_CLIENT || a->s->flow[i] < 0)
            continue;
        uint32_t n;
        const struct fate *f = traffic_fates(a->s->t, a->s->flow[i], &n);
        struct fate_filter filter = { .to_ns = time_mono().ns - 400000000, .target = -1 };
        filter.from_ns = filter.to_ns - 500000000;
        struct fate_report r;
        fate_count(f, n, &filter, NULL, &r);
        printf("  %-11s %u asked, %u lost; fastest %s; by", t->hosts[i].name, r.sent, r.lost,
               show_us(r.rtt_us_min));
        for (uint32_t k = 0; k < a->s->server_count; k++)
            if (r.by_server[k] > 0)
                printf(" %s", a->s->servers[k]);
        printf("\n");
    }
    for (uint32_t i = 0; ours && i < t->host_count; i++) {
        traffic_end(a->s->t, a->s->flow[i]);
        a->s->flow[i] = -1;
    }
}

static void node_verb(struct asked *a, const char *verb)
{
    static char out[65536];
    const char *words[] = { verb, NULL };
    int status = node_command(a->l, a->h, words, out, sizeof out);
    printf("%s", out);
    if (status != 0)
        printf("(exit status %d)\n", status);
}

static void do_status(struct asked *a)
{
    node_verb(a, "status");
}

static void do_drain(struct asked *a)
{
    node_verb(a, "drain");
}

static void do_undrain(struct asked *a)
{
    node_verb(a, "undrain");
}

static void do_start(struct asked *a)
{
    struct err e = { 0 };
    if (a->l->node[a->h - a->l->topo->hosts].guard > 0)
        printf("it is running\n");
    else if (!stage_start(a->s, a->h, &e))
        printf("%s\n", e.what);
}

static void do_stop(struct asked *a)
{
    printf(node_stop(a->l, a->h, 20000) ? "stopped\n" : "did not stop within 20 s\n");
}

static void do_kill(struct asked *a)
{
    node_kill(a->l, a->h);
}

static void do_kill_serve(struct asked *a)
{
    struct node_procs p;
    node_procs(a->l, a->h, &p);
    printf("guard %d, control %d, serve %d (%u workers), standby %d\n", p.guard, p.control, p.serve,
           p.worker_count, p.standby);
    if (p.serve > 0)
        kill(p.serve, SIGKILL);
}

static void cut(struct asked *a, bool on)
{
    struct err e = { 0 };
    if (!lab_cut(a->l, a->h, on, &e))
        printf("%s\n", e.what);
}

static void do_cut(struct asked *a)
{
    cut(a, true);
}

static void do_mend(struct asked *a)
{
    cut(a, false);
}

static const struct {
    const char *name;
    void (*run)(struct asked *);
    bool host, node, stage; /* needs a host's name; a node's; started nodes */
    const char *help;
} commands[] = {
    { "list", do_list, false, false, false, "list                 the hosts and their namespaces" },
    { "who", do_who, false, false, true, "who                  which node answers which client" },
    { "exec", do_exec, true, false, false, "exec HOST [COMMAND]  in its namespace" },
    { "dig", do_dig, true, false, false,
      "dig HOST [OPTIONS]   asks the service address from there" },
    { "birdc", do_birdc, true, false, false,
      "birdc ROUTER [COMMAND]   show route, show protocols, …" },
    { "status", do_status, true, true, true, "status NODE" },
    { "drain", do_drain, true, true, true, "drain NODE, undrain NODE" },
    { "undrain", do_undrain, true, true, true, NULL },
    { "stop", do_stop, true, true, true,
      "stop NODE            SIGTERM; start NODE starts it again" },
    { "start", do_start, true, true, true, NULL },
    { "kill", do_kill, true, true, true, "kill NODE            -9, all its processes" },
    { "kill-serve", do_kill_serve, true, true, true,
      "kill-serve NODE      -9, the one that answers" },
    { "cut", do_cut, true, true, false, "cut NODE, mend NODE  its packets vanish" },
    { "mend", do_mend, true, true, false, NULL },
};

static void run(struct asked *a, const char *verb)
{
    if (strcmp(verb, "help") == 0) {
        for (size_t i = 0; i < BASE_COUNT(commands); i++)
            if (commands[i].help != NULL)
                printf("  %s\n", commands[i].help);
        printf("  quit                 takes all of it down\n");
        return;
    }
    for (size_t i = 0; i < BASE_COUNT(commands); i++) {
        if (strcmp(commands[i].name, verb) != 0)
            continue;
        if (commands[i].host && a->h == NULL)
            printf("which host? `list` has their names\n");
        else if (commands[i].node && (a->h == NULL || a->h->kind != LAB_NODE))
            printf("it must be a node\n");
        else if (commands[i].stage && a->s == NULL)
            printf("no nodes were started\n");
        else
            commands[i].run(a);
        return;
    }
    printf("no command '%s'; `help` lists them\n", verb);
}

void prompt(struct lab *l, struct stage *s)
{
    char line[512], verb[32], name[32];
    bool tty = isatty(0);
    if (tty)
        printf("`help` lists the commands; files are in %s\n", l->dir);
    for (;;) {
        int rest = 0;
        if (tty)
            printf("%s> ", l->topo->name);
        fflush(stdout);
        if (lab_stop || fgets(line, sizeof line, stdin) == NULL)
            return;
        line[strcspn(line, "\n")] = '\0';
        verb[0] = name[0] = '\0';
        int n = sscanf(line, "%31s %31s %n", verb, name, &rest);
        if (n < 1)
            continue;
        if (strcmp(verb, "quit") == 0)
            return;
        struct asked a = { .l = l, .s = s, .rest = rest > 0 ? line + rest : "" };
        a.h = n >= 2 ? lab_topo_find(l->topo, name) : NULL;
        run(&a, verb);
    }
}
