/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lab/node.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab/glue.h"
#include "lab/proc.h"
#include "serve/link.h"

static void write_nodes(const struct lab *l, const struct node_faults *faults, FILE *f)
{
    const struct lab_topo *t = l->topo;
    char a[INET6_ADDRSTRLEN], b[INET6_ADDRSTRLEN];
    fprintf(f, "\nnodes:\n");
    for (uint32_t i = 0; i < t->host_count; i++) {
        const struct lab_host *h = &t->hosts[i];
        if (h->kind != LAB_NODE)
            continue;
        const struct lab_link *k = &t->links[h->link];
        fprintf(f, "  - name: %s\n    site: %s\n    as: %u\n", h->name, t->sites[h->site].name,
                t->as);
        if (faults && faults->nsid_of && strcmp(faults->nsid_of, h->name) == 0)
            fprintf(f, "    nsid: %s\n", faults->nsid_is);
        fprintf(f, "    addresses: [%s, %s]\n    neighbors:\n",
                inet_ntop(AF_INET, &k->b4, a, sizeof a), inet_ntop(AF_INET6, &k->b6, b, sizeof b));
        for (int v6 = 0; v6 < 2; v6++)
            fprintf(
                f, "      - {address: \"%s\", as: %u, hold_time: %us}\n",
                inet_ntop(v6 ? AF_INET6 : AF_INET, v6 ? (const void *)&k->a6 : &k->a4, a, sizeof a),
                t->hosts[k->a].as, t->hold_s);
    }
}

static bool write_fleet(struct lab *l, const struct node_faults *faults, struct err *e)
{
    const struct lab_topo *t = l->topo;
    char path[400], a[INET_ADDRSTRLEN], b[INET6_ADDRSTRLEN];
    snprintf(path, sizeof path, "%s/fleet.yaml", l->dir);
    FILE *f = fopen(path, "we");
    if (f == NULL)
        return err_set_errno(e, NULL, "cannot write %s", path);
    fprintf(f,
            "# The fleet of the lab '%s': every node reads this same file.\n"
            "user: nobody\ncontrol_socket: " LAB_STATE "/%s/{node}/control.sock\n"
            "state_dir: " LAB_STATE "/%s/{node}\n"
            "fleet:\n  secret_file: fleet.secret\n\n"
            "services:\n  - name: dns\n    addresses: [%s, \"%s\"]\n    announce: [%s, \"%s\"]\n"
            "    zones:\n      - {origin: %s, file: %s.zone}\n",
            t->name, t->name, t->name, inet_ntop(AF_INET, &t->service4, a, sizeof a),
            inet_ntop(AF_INET6, &t->service6, b, sizeof b), t->prefix4, t->prefix6, t->zone,
            t->zone);
    for (uint32_t i = 0; i < t->option_count; i++)
        fprintf(f, "    %s: %s\n", t->options[i].key, t->options[i].value);
    fprintf(f, "\nsites:\n");
    for (uint32_t i = 0; i < t->site_count; i++) {
        fprintf(f, "  - name: %s\n", t->sites[i].name);
        if (t->sites[i].capacity > 0)
            fprintf(f, "    capacity: %u\n", t->sites[i].capacity);
    }
    write_nodes(l, faults, f);
    return fclose(f) == 0 || err_set_errno(e, NULL, "cannot write %s", path);
}

static bool write_zone(struct lab *l, struct err *e)
{
    const struct lab_topo *t = l->topo;
    char path[400], a[INET_ADDRSTRLEN], b[INET6_ADDRSTRLEN];
    snprintf(path, sizeof path, "%s/%s.zone", l->dir, t->zone);
    FILE *f = fopen(path, "we");
    if (f == NULL)
        return err_set_errno(e, NULL, "cannot write %s", path);
    fprintf(f,
            "$ORIGIN %s.\n$TTL 300\n"
            "@    SOA ns hostmaster 2026112501 7200 900 1209600 60\n"
            "     NS   ns\n"
            "ns   A    %s\n     AAAA %s\n"
            "*    A    " NODE_EXPECT_A "\n",
            t->zone, inet_ntop(AF_INET, &t->service4, a, sizeof a),
            inet_ntop(AF_INET6, &t->service6, b, sizeof b));
    return fclose(f) == 0 || err_set_errno(e, NULL, "cannot write %s", path);
}

static bool write_secret(struct lab *l, struct err *e)
{
    char path[400];
    uint8_t secret[16];
    snprintf(path, sizeof path, "%s/fleet.secret", l->dir);
    unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 || getrandom(secret, sizeof secret, 0) != sizeof secret)
        return err_set_errno(e, NULL, "cannot write %s", path);
    FILE *f = fdopen(fd, "w");
    for (size_t i = 0; i < sizeof secret; i++)
        fprintf(f, "%02x", secret[i]);
    return fclose(f) == 0 || err_set_errno(e, NULL, "cannot write %s", path);
}

bool node_files(struct lab *l, const struct node_faults *faults, struct err *e)
{
    return lab_mkdir(l, "node", e) && write_fleet(l, faults, e) && write_zone(l, e) &&
           write_secret(l, e);
}

bool node_start(struct lab *l, struct lab_host *h, struct err *e)
{
    char ns[64], log[400], fleet[400];
    struct lab_node *n = &l->node[h - l->topo->hosts];
    if (l->glue != LAB_GLUE_NONE)
        return glue_start(l, h, e);
    snprintf(log, sizeof log, "%s/node/%s.log", l->dir, h->name);
    snprintf(fleet, sizeof fleet, "%s/fleet.yaml", l->dir);
    if (n->starts == 0)
        unlink(log);
    const char *argv[] = { l->perigee, "run", "-c", fleet, "--node", h->name, NULL };
    struct proc_opts o = { .netns = lab_ns(l, h, ns), .log = log };
    n->started_at = time_mono();
    n->guard = proc_start(&o, argv, e);
    n->starts++;
    return n->guard > 0;
}

bool node_stop(struct lab *l, struct lab_host *h, int limit_ms)
{
    struct lab_node *n = &l->node[h - l->topo->hosts];
    mono_t until = mono_add_ms(time_mono(), limit_ms);
    if (n->guard <= 0)
        return true;
    kill(n->guard, SIGTERM);
    while (!proc_ended(n->guard, NULL)) {
        if (!mono_before(time_mono(), until))
            return false;
        sleep_ms(5);
    }
    n->guard = 0;
    return true;
}

void node_kill(struct lab *l, struct lab_host *h)
{
    char ns[64];
    struct lab_node *n = &l->node[h - l->topo->hosts];
    netns_kill(lab_ns(l, h, ns));
    proc_kill(n->guard);
    proc_kill(n->dns);
    n->guard = n->dns = 0;
}

bool node_wait(struct lab *l, struct wire *w, const struct lab_host *h, int limit_ms, struct err *e)
{
    struct lab_node *n = &l->node[h - l->topo->hosts];
    mono_t until = mono_add_ms(time_mono(), limit_ms);
    int status = 0;
    while (wire_announced(w, h) < 2) {
        if (n->guard <= 0 || proc_ended(n->guard, &status)) {
            n->guard = 0;
            return err_set(e, ERR_PEER, NULL, "node %s ended with status %d: see %s/node/%s.log",
                           h->name, status, l->dir, h->name);
        }
        if (!mono_before(time_mono(), until))
            return err_set(e, ERR_PEER, NULL,
                           "node %s announced %u of 2 prefixes in %d ms: see %s/node/%s.log",
                           h->name, wire_announced(w, h), limit_ms, l->dir, h->name);
        sleep_ms(5);
    }
    return true;
}

/* The words after the program's name, zeros between; returns how many bytes. */
static size_t command_line(pid_t pid, char *out, size_t cap)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/cmdline", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, out, cap - 1);
    if (fd >= 0)
        close(fd);
    out[n > 0 ? n : 0] = '\0';
    return n > 0 ? (size_t)n : 0;
}

/* "serve" in "perigee-serve\0--role\0serve"; "run" in "perigee\0run\0…". */
static const char *role_of(pid_t pid, char buf[512])
{
    size_t len = command_line(pid, buf, 512);
    const char *p = buf, *end = buf + len;
    const char *first = p + strlen(p) + 1;
    if (first >= end)
        return "";
    if (strcmp(first, "--role") != 0)
        return first;
    const char *second = first + strlen(first) + 1;
    return second < end ? second : "";
}

static bool read_page(pid_t pid, struct serve_page *page)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/fd/%d", pid, SERVE_FD_PAGE);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool ok = fd >= 0 && pread(fd, page, sizeof *page, 0) == (ssize_t)sizeof *page;
    if (fd >= 0)
        close(fd);
    return ok;
}

static void take_serve(pid_t pid, struct node_procs *out)
{
    static struct serve_page page;
    if (!read_page(pid, &page))
        return;
    if (page.active == 0) {
        if (page.workers > 0)
            out->standby = pid;
        return;
    }
    out->serve = pid;
    out->worker_count = 0;
    for (uint32_t i = 0; i < page.workers && i < NODE_WORKERS_MAX; i++)
        if (page.worker[i].tid > 0)
            out->workers[out->worker_count++] = page.worker[i].tid;
}

void node_procs(struct lab *l, const struct lab_host *h, struct node_procs *out)
{
    char ns[64], buf[512];
    pid_t pids[256];
    *out = (struct node_procs){ .guard = l->node[h - l->topo->hosts].guard };
    if (l->glue != LAB_GLUE_NONE) { /* Knot has no standby, and ExaBGP is all that controls */
        out->control = out->guard;
        out->serve = out->standby = out->workers[0] = l->node[h - l->topo->hosts].dns;
        out->worker_count = 1;
        return;
    }
    uint32_t n = netns_pids(lab_ns(l, h, ns), pids, 256);
    for (uint32_t i = 0; i < n; i++) {
        const char *role = role_of(pids[i], buf);
        if (strcmp(role, "control") == 0)
            out->control = pids[i];
        else if (strcmp(role, "serve") == 0 || strcmp(role, "standby") == 0)
            take_serve(pids[i], out);
    }
}

bool node_ready(struct lab *l, const struct lab_host *h, int limit_ms, struct node_procs *out)
{
    mono_t until = mono_add_ms(time_mono(), limit_ms);
    for (;;) {
        node_procs(l, h, out);
        if (out->serve > 0 && out->standby > 0 && out->control > 0 && out->worker_count > 0)
            return true;
        if (!mono_before(time_mono(), until))
            return false;
        sleep_ms(5);
    }
}

int node_command(struct lab *l, const struct lab_host *h, const char *const *verb, char *out,
                 size_t cap)
{
    char ns[64], sock[400];
    struct err e = { 0 };
    const char *argv[16] = { l->perigee };
    int n = 1;
    snprintf(sock, sizeof sock, LAB_STATE "/%s/%s/control.sock", l->topo->name, h->name);
    for (int i = 0; verb[i] != NULL && n < 12; i++)
        argv[n++] = verb[i];
    argv[n++] = "-s";
    argv[n++] = sock;
    struct proc_opts o = { .netns = lab_ns(l, h, ns) };
    return proc_read(&o, argv, out, cap, 20000, &e);
}

bool node_freeze_thread(pid_t tid, struct err *e)
{
    if (ptrace(PTRACE_SEIZE, tid, NULL, NULL) != 0 ||
        ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) != 0)
        return err_set_errno(e, NULL, "cannot stop thread %d", tid);
    int status;
    while (waitpid(tid, &status, __WALL) < 0)
        if (errno != EINTR)
            return err_set_errno(e, NULL, "thread %d does not stop", tid);
    return true;
}
