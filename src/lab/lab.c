/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The lab: what stands (struct lab), how it comes up and how it goes. The pieces: topo.c reads what
 * shall be, net.c makes namespaces and links, delay.c is the distance between continents, bird.c the
 * routers, node.c the perigee nodes, wire.c listens on their links, traffic.c asks, fate.c counts,
 * step.c breaks things and judges, show.c prints. One process with two threads (traffic and wire) and
 * its children. */
#include "lab/lab.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lab/bird.h"
#include "lab/net.h"
#include "lab/proc.h"

/* The directory above the program in which tools/peers is. */
static bool find_repo(char out[256], char exe_dir[256])
{
    char path[256], probe[300];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    if (n <= 0)
        return false;
    path[n] = '\0';
    *strrchr(path, '/') = '\0';
    memcpy(exe_dir, path, strlen(path) + 1);
    for (char *slash = path + n; slash != NULL; slash = strrchr(path, '/')) {
        if (slash < path + n)
            *slash = '\0';
        snprintf(probe, sizeof probe, "%s/tools/peers", path);
        if (access(probe, X_OK) == 0) {
            memcpy(out, path, strlen(path) + 1);
            return true;
        }
    }
    return false;
}

bool lab_init(struct lab *l, struct lab_topo *t, const char *dir, struct err *e)
{
    char exe_dir[256];
    memset(l, 0, sizeof *l);
    l->topo = t;
    l->delay_stdin = -1;
    if (!find_repo(l->repo, exe_dir))
        return err_set(e, ERR_INPUT, "run it from the checkout's build/", "tools/peers not found");
    const char *bin = getenv("PERIGEE_BIN");
    if (bin != NULL && bin[0] != '\0') {
        char *full = realpath(bin, NULL);
        if (full == NULL)
            return err_set_errno(e, NULL, "PERIGEE_BIN=%s", bin);
        snprintf(l->perigee, sizeof l->perigee, "%s", full);
        free(full);
    } else
        snprintf(l->perigee, sizeof l->perigee, "%.240s/perigee", exe_dir);
    if (t == NULL)
        return true; /* only to know where the checkout is */
    if (dir == NULL)
        snprintf(l->dir, sizeof l->dir, "%.230s/build/lab/%s", l->repo, t->name);
    else if (dir[0] == '/')
        snprintf(l->dir, sizeof l->dir, "%s", dir);
    else {
        char cwd[256];
        if (getcwd(cwd, sizeof cwd) == NULL)
            return err_set_errno(e, NULL, "working directory");
        snprintf(l->dir, sizeof l->dir, "%.120s/%.120s", cwd, dir);
    }
    return true;
}

bool lab_mkdir(const struct lab *l, const char *sub, struct err *e)
{
    char path[400];
    snprintf(path, sizeof path, "%s/%s", l->dir, sub);
    for (char *p = path + 1;; p++) {
        if (*p != '/' && *p != '\0')
            continue;
        char keep = *p;
        *p = '\0';
        if (mkdir(path, 0755) != 0 && errno != EEXIST)
            return err_set_errno(e, NULL, "cannot make %s", path);
        *p = keep;
        if (keep == '\0')
            return true;
    }
}

const char *lab_ns(const struct lab *l, const struct lab_host *h, char buf[64])
{
    snprintf(buf, 64, "pgl-%s-%s", l->topo->name, h->name);
    return buf;
}

static void remove_state(const char *name)
{
    char path[64];
    struct err e;
    snprintf(path, sizeof path, LAB_STATE "/%s", name);
    const char *argv[] = { "rm", "-rf", "--one-file-system", path, NULL };
    struct proc_opts o = { .quiet = true };
    if (access(path, F_OK) == 0)
        (void)proc_run(&o, argv, &e);
    (void)rmdir(LAB_STATE); /* unless another lab stands */
}

uint32_t lab_clean(const char *name)
{
    char prefix[64];
    static char found[LAB_HOSTS_MAX * 2][64];
    uint32_t count = 0;
    snprintf(prefix, sizeof prefix, "pgl-%s-", name);
    DIR *d = opendir("/run/netns");
    if (d == NULL)
        return 0;
    for (struct dirent *de; (de = readdir(d)) != NULL;)
        if (strncmp(de->d_name, prefix, strlen(prefix)) == 0 && strlen(de->d_name) < 64 &&
            count < BASE_COUNT(found))
            memcpy(found[count++], de->d_name, strlen(de->d_name) + 1);
    closedir(d);
    for (uint32_t i = 0; i < count; i++)
        netns_kill(found[i]);
    for (uint32_t i = 0; i < count; i++) {
        const char *argv[] = { "ip", "netns", "del", found[i], NULL };
        struct proc_opts o = { .quiet = true };
        struct err e;
        (void)proc_run(&o, argv, &e);
    }
    remove_state(name);
    return count;
}

/* Logs and captures of an earlier run would be taken for this one's. */
static void remove_old_files(const struct lab *l)
{
    static const char *const subs[] = { "bird", "node", "wire" };
    for (size_t i = 0; i < BASE_COUNT(subs); i++) {
        char path[300];
        struct err e;
        snprintf(path, sizeof path, "%s/%s", l->dir, subs[i]);
        const char *argv[] = { "rm", "-rf", "--one-file-system", path, NULL };
        struct proc_opts o = { .quiet = true };
        (void)proc_run(&o, argv, &e);
    }
}

bool lab_up(struct lab *l, struct err *e)
{
    if (geteuid() != 0)
        return err_set(e, ERR_INPUT, "run it as root", "namespaces need root");
    netns_mount_look();
    lab_clean(l->topo->name);
    remove_old_files(l);
    if (lab_mkdir(l, "", e) && net_up(l, e) && bird_up(l, e))
        return true;
    lab_down(l);
    return false;
}

void lab_down(struct lab *l)
{
    lab_clean(l->topo->name);
    if (l->delay_stdin >= 0)
        close(l->delay_stdin);
    l->delay_stdin = -1;
    if (l->delay > 0)
        proc_kill(l->delay);
    l->delay = 0;
    for (uint32_t i = 0; i < l->topo->host_count; i++) {
        proc_kill(l->bird[i]);
        proc_kill(l->node[i].guard);
        proc_kill(l->node[i].dns);
        l->bird[i] = l->node[i].guard = l->node[i].dns = 0;
    }
    netns_mount_undo();
}
