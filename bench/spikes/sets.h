/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SPIKES_SETS_H
#define SPIKES_SETS_H

/* The three sets of zones that both spikes measure with: the signed root, 1,000,000 delegations (one in
 * four with glue of its own), 100,000 zones of ten records. Texts are made below build/spikes. */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "zone/load.h"
#include "zone/zone.h"

#define SET_DIR "build/spikes"

enum set { SET_ROOT, SET_TLD, SET_HOST, SET_COUNT };

static const char *const set_names[SET_COUNT] = { "signed root", "1,000,000 delegations",
                                                  "100,000 zones of ten" };

#define TLD_NAMES 1000000u
#define HOST_ZONES 100000u

static inline double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Processor time of this process: what others on the machine do moves it less. */
static inline double cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static uint64_t spike_seed = 88172645463325252u;

static inline uint64_t rnd(void)
{
    spike_seed ^= spike_seed << 13;
    spike_seed ^= spike_seed >> 7;
    spike_seed ^= spike_seed << 17;
    return spike_seed;
}

/* Delegation i: 6 to 12 letters, no two alike, in no order. */
static inline void tld_label(uint32_t i, char label[16])
{
    uint64_t x = (i * 2654435761u) & 0xfffffffu; /* one to one on 28 bits, which six letters hold */
    uint64_t more = (i + 1) * 0x9e3779b97f4a7c15u >> 20;
    unsigned len = 0;
    for (; len < 6; len++, x /= 26)
        label[len] = (char)('a' + x % 26);
    for (unsigned extra = (unsigned)(more % 7); extra != 0; extra--, more /= 26)
        label[len++] = (char)('a' + more / 7 % 26);
    label[len] = '\0';
}

static inline void make_tld(const char *path)
{
    FILE *f = fopen(path, "w");
    char n[16];
    if (f == NULL)
        return;
    fputs("$TTL 86400\n@ SOA ns1.nic host 1 1800 900 604800 3600\n@ NS ns1.nic\n@ NS ns2.nic\n"
          "ns1.nic A 192.0.2.1\nns2.nic A 192.0.2.2\n",
          f);
    for (uint32_t i = 0; i < TLD_NAMES; i++) {
        tld_label(i, n);
        if (i % 4 == 0)
            fprintf(f, "%s NS ns1.%s\n%s NS ns2.%s\nns1.%s A 198.51.%u.%u\nns2.%s A 203.0.%u.%u\n",
                    n, n, n, n, n, i >> 8 & 255, i & 255, n, i >> 8 & 255, i & 255);
        else
            fprintf(f, "%s NS ns1.host%u.example.net.\n%s NS ns2.host%u.example.net.\n", n,
                    i % 5000, n, i % 5000);
    }
    fclose(f);
}

static inline void make_host(const char *path)
{
    FILE *f = fopen(path, "w");
    if (f == NULL)
        return;
    fputs("$TTL 3600\n@ SOA ns1 host 1 1800 900 604800 300\n@ NS ns1\n@ NS ns2\n@ A 198.18.0.1\n@ "
          "AAAA "
          "2001:db8::1\n@ MX 10 mail\nwww A 198.18.0.1\nns1 A 192.0.2.1\nns2 A 192.0.2.2\nmail A "
          "198.19.0.1\n",
          f);
    fclose(f);
}

/* The signed root: $PERIGEE_SHARED/data, or the folder beside the checkout. NULL: not there. */
static inline const char *root_path(void)
{
    static char path[512];
    const char *shared = getenv("PERIGEE_SHARED");
    snprintf(path, sizeof path, "%s/data/root-signed-2017.zone", shared ? shared : "../shared");
    return access(path, R_OK) == 0 ? path : NULL;
}

/* The zones of a set; NULL when it cannot be had. The caller frees it. */
static inline struct zone_source *set_sources(enum set set, uint32_t *count)
{
    struct zone_source *s;
    const char *path = set == SET_TLD ? SET_DIR "/tld.zone" : SET_DIR "/host.zone";
    mkdir("build", 0777);
    mkdir(SET_DIR, 0777);
    if (set == SET_ROOT && root_path() == NULL) {
        printf("# no signed root: set PERIGEE_SHARED\n");
        return NULL;
    }
    if (set == SET_TLD && access(path, R_OK) != 0)
        make_tld(path);
    if (set == SET_HOST && access(path, R_OK) != 0)
        make_host(path);
    *count = set == SET_HOST ? HOST_ZONES : 1;
    s = calloc(*count, sizeof *s);
    for (uint32_t i = 0; i < *count; i++) {
        char *origin = malloc(32);
        snprintf(origin, 32, "z%05u.example.net.", i);
        s[i].origin = set == SET_ROOT ? "." : set == SET_TLD ? "bench." : origin;
        s[i].path = set == SET_ROOT ? root_path() : path;
    }
    return s;
}

static inline long peak_kb(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return u.ru_maxrss;
}

/* Runs `f` in a process of its own, so that its peak is its own. */
static inline bool in_child(void (*f)(enum set), enum set set)
{
    int status = 1;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        f(set);
        fflush(stdout);
        _exit(0);
    }
    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

#endif
