/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lab/prompt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lab/bird.h"
#include "lab/proc.h"

volatile sig_atomic_t lab_stop;

static void list(struct lab *l)
{
    static const char *const kinds[] = { "router", "node", "client", "bots" };
    const struct lab_topo *t = l->topo;
    char ns[64];
    for (uint32_t i = 0; i < t->host_count; i++)
        printf("  %-11s %-7s %-10s AS%-6u %s\n", t->hosts[i].name, kinds[t->hosts[i].kind],
               t->regions[t->hosts[i].region], t->hosts[i].as, lab_ns(l, &t->hosts[i], ns));
}

static void exec_in(struct lab *l, const struct lab_host *h, const char *command)
{
    char ns[64];
    struct err e;
    const char *argv[] = { "sh", "-c", command, NULL };
    struct proc_opts o = { .netns = lab_ns(l, h, ns) };
    fflush(stdout);
    (void)proc_run(&o, argv, &e);
}

static void birdc(struct lab *l, const struct lab_host *h, const char *command)
{
    static char out[262144];
    struct err e;
    if (!bird_ask(l, h, command, out, sizeof out, &e)) {
        printf("%s\n", e.what);
        return;
    }
    char *rest;
    for (char *p = strtok_r(out, "\n", &rest); p != NULL; p = strtok_r(NULL, "\n", &rest))
        printf("%s\n", p[0] == ' ' ? p + 1 : strlen(p) > 5 ? p + 5 : "");
}

void prompt(struct lab *l)
{
    char line[512], verb[32], name[32];
    int rest;
    bool tty = isatty(0);
    for (;;) {
        if (tty)
            printf("%s> ", l->topo->name), fflush(stdout);
        if (lab_stop || fgets(line, sizeof line, stdin) == NULL)
            return;
        line[strcspn(line, "\n")] = '\0';
        rest = 0;
        verb[0] = name[0] = '\0';
        int n = sscanf(line, "%31s %31s %n", verb, name, &rest);
        struct lab_host *h = n >= 2 ? lab_topo_find(l->topo, name) : NULL;
        if (n < 1)
            continue;
        if (strcmp(verb, "quit") == 0)
            return;
        if (strcmp(verb, "list") == 0)
            list(l);
        else if (h == NULL)
            printf("which host? `list` has their names\n");
        else if (strcmp(verb, "exec") == 0)
            exec_in(l, h, line + rest);
        else if (strcmp(verb, "birdc") == 0)
            birdc(l, h, line + rest);
        else
            printf("no command '%s'; `help` lists them\n", verb);
    }
}
