/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The lab's network, made by iproute2 in batches: one batch on the host makes namespaces and links
 * (each link is born inside its two namespaces, so the host never sees an interface), one batch per
 * namespace gives addresses. */
#include "lab/net.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lab/proc.h"

static const char *v4(struct in_addr a, char buf[INET_ADDRSTRLEN])
{
    return inet_ntop(AF_INET, &a, buf, INET_ADDRSTRLEN);
}

static const char *v6(struct in6_addr a, char buf[INET6_ADDRSTRLEN])
{
    return inet_ntop(AF_INET6, &a, buf, INET6_ADDRSTRLEN);
}

static FILE *batch_open(const struct lab *l, char path[300], struct err *e)
{
    snprintf(path, 300, "%s/ip.batch", l->dir);
    FILE *f = fopen(path, "we");
    if (f == NULL)
        err_set_errno(e, NULL, "cannot write %s", path);
    return f;
}

/* Runs the batch: on the host, or in one namespace. */
static bool batch_run(FILE *f, const char *path, const char *ns, struct err *e)
{
    if (fclose(f) != 0)
        return err_set_errno(e, NULL, "cannot write %s", path);
    const char *host[] = { "ip", "-batch", path, NULL };
    const char *inside[] = { "ip", "-n", ns, "-batch", path, NULL };
    struct proc_opts o = { .netns = NULL };
    return proc_run(&o, ns ? inside : host, e) == 0;
}

static bool make_links(struct lab *l, struct err *e)
{
    char path[300], a[64], b[64];
    FILE *f = batch_open(l, path, e);
    if (f == NULL)
        return false;
    const struct lab_topo *t = l->topo;
    for (uint32_t i = 0; i < t->host_count; i++)
        fprintf(f, "netns add %s\n", lab_ns(l, &t->hosts[i], a));
    if (!batch_run(f, path, NULL, e))
        return false;
    /* Before the links: new interfaces take these from `default`. */
    for (uint32_t i = 0; i < t->host_count; i++) {
        lab_ns(l, &t->hosts[i], a);
        netns_sysctl(a, "net/ipv6/conf/default/accept_dad", "0");
        netns_sysctl(a, "net/ipv6/conf/all/accept_dad", "0");
        netns_sysctl(a, "net/ipv6/conf/default/accept_ra", "0");
        netns_sysctl(a, "net/ipv4/conf/default/rp_filter", "0");
        netns_sysctl(a, "net/ipv4/conf/all/rp_filter", "0");
        if (t->hosts[i].kind == LAB_ROUTER) {
            netns_sysctl(a, "net/ipv4/ip_forward", "1");
            netns_sysctl(a, "net/ipv6/conf/all/forwarding", "1");
        }
    }
    f = batch_open(l, path, e);
    if (f == NULL)
        return false;
    for (uint32_t i = 0; i < t->link_count; i++) {
        const struct lab_host *ha = &t->hosts[t->links[i].a], *hb = &t->hosts[t->links[i].b];
        fprintf(f, "link add name %s netns %s type veth peer name %s netns %s\n", hb->name,
                lab_ns(l, ha, a), ha->name, lab_ns(l, hb, b));
    }
    return batch_run(f, path, NULL, e);
}

static bool make_addresses(struct lab *l, const struct lab_host *h, struct err *e)
{
    char path[300], ns[64], t4[INET_ADDRSTRLEN], t6[INET6_ADDRSTRLEN];
    FILE *f = batch_open(l, path, e);
    if (f == NULL)
        return false;
    const struct lab_topo *t = l->topo;
    uint32_t me = (uint32_t)(h - t->hosts);
    fprintf(f, "link set lo up\n");
    for (uint32_t i = 0; i < t->link_count; i++) {
        const struct lab_link *k = &t->links[i];
        if (k->a != me && k->b != me)
            continue;
        bool at_a = k->a == me;
        const char *dev = t->hosts[at_a ? k->b : k->a].name;
        fprintf(f, "address add %s/30 dev %s\n", v4(at_a ? k->a4 : k->b4, t4), dev);
        fprintf(f, "address add %s/64 dev %s nodad\n", v6(at_a ? k->a6 : k->b6, t6), dev);
        fprintf(f, "link set %s up\n", dev);
        if (h->kind != LAB_ROUTER) {
            fprintf(f, "route add default via %s\n", v4(k->a4, t4));
            fprintf(f, "route add ::/0 via %s\n", v6(k->a6, t6));
        }
    }
    return batch_run(f, path, lab_ns(l, h, ns), e);
}

/* Asks the kernel itself, on an interface of ours that is configured anyway. */
static bool has_netem(struct lab *l)
{
    char ns[64];
    const struct lab_link *k = &l->topo->links[0];
    const char *dev = l->topo->hosts[k->b].name;
    lab_ns(l, &l->topo->hosts[k->a], ns);
    const char *try[] = { "tc", "-n",   ns,      "qdisc", "add", "dev",
                          dev,  "root", "netem", "delay", "1ms", NULL };
    const char *undo[] = { "tc", "-n", ns, "qdisc", "del", "dev", dev, "root", NULL };
    struct proc_opts o = { .quiet = true };
    struct err e;
    if (getenv("LAB_NO_NETEM") != NULL || proc_run(&o, try, &e) != 0)
        return false;
    return proc_run(&o, undo, &e) == 0;
}

static bool netem_on(struct lab *l, const struct lab_host *from, const struct lab_host *to,
                     uint64_t us, struct err *e)
{
    char ns[64], delay[32];
    snprintf(delay, sizeof delay, "%lluus", (unsigned long long)us);
    const char *argv[] = { "tc",     "-n",    lab_ns(l, from, ns),
                           "qdisc",  "add",   "dev",
                           to->name, "root",  "netem",
                           "limit",  "60000", "delay",
                           delay,    NULL };
    struct proc_opts o = { .netns = NULL };
    return proc_run(&o, argv, e) == 0;
}

/* Everything that comes in by this interface waits in queue `num`, before it is routed: a packet that
 * waited behind the routing decision would be lost with its route (seen with IPv6, where BIRD deletes
 * and adds to replace: the held packets' MTU was gone, and Packet Too Big came back). */
static bool queue_on(struct lab *l, const struct lab_host *at, const struct lab_host *from,
                     uint32_t num, struct err *e)
{
    static const char *const tools[] = { "iptables-legacy", "ip6tables-legacy" };
    char ns[64], queue[16];
    snprintf(queue, sizeof queue, "%u", num);
    lab_ns(l, at, ns);
    for (int i = 0; i < 2; i++) {
        const char *argv[] = {
            tools[i],   "-w", "-t",      "mangle",      "-A",  "PREROUTING",     "-i",
            from->name, "-j", "NFQUEUE", "--queue-num", queue, "--queue-bypass", NULL
        };
        struct proc_opts o = { .netns = ns };
        if (proc_run(&o, argv, e) != 0)
            return false;
    }
    return true;
}

struct delays {
    char specs[2 * LAB_LINKS_MAX][80];
    uint32_t count;
};

/* Routers hold what they get (or, with netem, what they send); clients and nodes never do, so that
 * nothing of ours runs beside the program under test. The link of a client or node is delayed twice by
 * its router, in one direction. */
static bool delay_link(struct lab *l, const struct lab_link *k, struct delays *d, struct err *e)
{
    const struct lab_host *ends[2] = { &l->topo->hosts[k->a], &l->topo->hosts[k->b] };
    for (int i = 0; i < 2; i++) {
        const struct lab_host *at = ends[i], *other = ends[1 - i];
        uint64_t us = k->delay_us * (other->kind == LAB_ROUTER ? 1 : 2);
        if (at->kind != LAB_ROUTER)
            continue;
        if (l->netem) {
            if (!netem_on(l, at, other, us, e))
                return false;
            continue;
        }
        char ns[64];
        uint32_t num = d->count + 1;
        snprintf(d->specs[d->count++], sizeof d->specs[0], "%s:%u:%llu", lab_ns(l, at, ns), num,
                 (unsigned long long)us);
        if (!queue_on(l, at, other, num, e))
            return false;
    }
    return true;
}

/* The delay process holds the sockets; it says "ready" when all queues are bound, and ends when the
 * pipe to its stdin closes. */
static bool start_delay(struct lab *l, const struct delays *d, struct err *e)
{
    const char *argv[2 * LAB_LINKS_MAX + 4] = { "/proc/self/exe", "--role", "delay" };
    int in[2], out[2];
    char word[16] = "";
    for (uint32_t i = 0; i < d->count; i++)
        argv[3 + i] = d->specs[i];
    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0)
        return err_set_errno(e, NULL, "pipe");
    char path[300];
    snprintf(path, sizeof path, "%s/delay.log", l->dir);
    int log = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        if (log >= 0)
            dup2(log, 2);
        setpgid(0, 0);
        execv(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    if (log >= 0)
        close(log);
    l->delay = pid;
    l->delay_stdin = in[1];
    bool ready = pid > 0 && read(out[0], word, sizeof word - 1) > 0 && word[0] == 'r';
    close(out[0]);
    return ready || err_set(e, ERR_PEER, NULL, "the delay process did not start");
}

static bool make_delays(struct lab *l, struct err *e)
{
    static struct delays d;
    d.count = 0;
    l->netem = has_netem(l);
    for (uint32_t i = 0; i < l->topo->link_count; i++) {
        const struct lab_link *k = &l->topo->links[i];
        if (k->delay_us > 0 && !delay_link(l, k, &d, e))
            return false;
        if (k->rate_bps > 0 && !lab_rate(l, k, k->rate_bps, e))
            return false;
    }
    return d.count == 0 || start_delay(l, &d, e);
}

bool net_up(struct lab *l, struct err *e)
{
    if (!make_links(l, e))
        return false;
    for (uint32_t i = 0; i < l->topo->host_count; i++)
        if (!make_addresses(l, &l->topo->hosts[i], e))
            return false;
    return make_delays(l, e);
}

bool lab_rate(struct lab *l, const struct lab_link *k, uint64_t bps, struct err *e)
{
    char ns[64], rate[32], delay[32], limit[32];
    const char *dev = l->topo->hosts[k->b].name;
    lab_ns(l, &l->topo->hosts[k->a], ns);
    snprintf(rate, sizeof rate, "%llubit", (unsigned long long)bps);
    snprintf(delay, sizeof delay, "%lluus", (unsigned long long)k->delay_us);
    /* A queue of 20 ms, as a router's port has it; at least a few packets. */
    snprintf(limit, sizeof limit, "%llu", (unsigned long long)(bps / 8 / 50 + 16000));
    const char *netem[] = { "tc",   "-n",    ns,      "qdisc", "replace", "dev", dev,
                            "root", "netem", "delay", delay,   "rate",    rate,  NULL };
    const char *tbf[] = { "tc",  "-n",   ns,   "qdisc", "replace", "dev",   dev,   "root",
                          "tbf", "rate", rate, "burst", "16kb",    "limit", limit, NULL };
    const char *off[] = { "tc", "-n", ns, "qdisc", "del", "dev", dev, "root", NULL };
    struct proc_opts o = { .quiet = bps == 0 };
    if (bps == 0) {
        if (l->netem && k->delay_us > 0)
            return netem_on(l, &l->topo->hosts[k->a], &l->topo->hosts[k->b], k->delay_us, e);
        (void)proc_run(&o, off, e); /* there may be none */
        return true;
    }
    return proc_run(&o, l->netem && k->delay_us > 0 ? netem : tbf, e) == 0;
}

bool lab_cut(struct lab *l, const struct lab_host *h, bool cut, struct err *e)
{
    static const char *const rules[][2] = {
        { "INPUT", "-i" }, { "FORWARD", "-i" }, { "FORWARD", "-o" }, { "OUTPUT", "-o" }
    };
    static const char *const tools[] = { "iptables-legacy", "ip6tables-legacy" };
    char ns[64];
    struct proc_opts o = { .netns = lab_ns(l, lab_topo_router(l->topo, h), ns) };
    for (int t = 0; t < 2; t++)
        for (int i = 0; i < 4; i++) {
            const char *argv[] = { tools[t],    "-w",        cut ? "-I" : "-D",
                                   rules[i][0], rules[i][1], h->name,
                                   "-j",        "DROP",      NULL };
            if (proc_run(&o, argv, e) != 0)
                return false;
        }
    return true;
}
