/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The command line of perigee-lab. Exit status: 0 as it should be, 1 not, 2 wrong usage or input. */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lab/bench.h"
#include "lab/delay.h"
#include "lab/demo.h"
#include "lab/prompt.h"
#include "lab/show.h"

struct args {
    const char *word[4]; /* what is no option, the command first */
    int words;
    const char *name, *dir, *only, *sabotage, *json, *topology;
    unsigned runs, beside;
    bool keep, no_nodes;
};

static void on_stop(int sig)
{
    (void)sig;
    lab_stop = 1;
}

static int usage(FILE *out)
{
    fputs("perigee-lab: an internet in network namespaces, to try and to test perigee\n\n"
          "  perigee-lab up TOPOLOGY             builds it, starts the nodes, and gives a prompt\n"
          "  perigee-lab run TOPOLOGY SCENARIO   plays a scenario and judges what came out\n"
          "  perigee-lab demo                    the show (make demo)\n"
          "  perigee-lab bench-failover          losses over many runs (make bench-failover)\n"
          "  perigee-lab check TOPOLOGY [SCENARIO]   only reads the files\n"
          "  perigee-lab down NAME               removes what a lab of that name left\n\n"
          "  --name NAME    another name than the topology's, so that two can stand at once\n"
          "  --dir DIR      its files; default build/lab/NAME\n"
          "  --keep         run, demo: gives the prompt before all is taken down\n"
          "  --no-nodes     up: routers and clients only\n"
          "  --only TEXT    run, bench-failover: only what has this text in its title\n"
          "  --break PART   demo: sabotages withdraw, nsid, hang or unicast; must end with 1\n"
          "  --runs N       bench-failover: of each kind; default 20\n"
          "  --beside N     bench-failover: also N runs of Knot DNS with ExaBGP's healthcheck\n"
          "  --json FILE    bench-failover: the figures, for programs\n"
          "  --topology FILE   demo, bench-failover: another one than lab/….yaml\n\n"
          "It needs root. Namespaces are called pgl-NAME-HOST: `ip netns exec` works as usual.\n",
          out);
    return 2;
}

static bool option(struct args *a, int argc, char **argv, int *i)
{
    const struct {
        const char *name;
        const char **value;
    } texts[] = { { "--name", &a->name }, { "--dir", &a->dir },
                  { "--only", &a->only }, { "--break", &a->sabotage },
                  { "--json", &a->json }, { "--topology", &a->topology } };
    if (strcmp(argv[*i], "--keep") == 0)
        return a->keep = true;
    if (strcmp(argv[*i], "--no-nodes") == 0)
        return a->no_nodes = true;
    if (*i + 1 >= argc)
        return false;
    for (size_t k = 0; k < BASE_COUNT(texts); k++)
        if (strcmp(argv[*i], texts[k].name) == 0) {
            *texts[k].value = argv[++*i];
            return true;
        }
    if (strcmp(argv[*i], "--runs") == 0 || strcmp(argv[*i], "--beside") == 0) {
        unsigned *to = argv[*i][2] == 'r' ? &a->runs : &a->beside;
        char *end;
        long n = strtol(argv[++*i], &end, 10);
        *to = (unsigned)n;
        return *end == '\0' && n > 0 && n <= 1000;
    }
    return false;
}

static bool parse(struct args *a, int argc, char **argv)
{
    *a = (struct args){ .runs = 20 };
    for (int i = 1; i < argc; i++) {
        if (argv[i][0] == '-') {
            if (!option(a, argc, argv, &i)) {
                fprintf(stderr, "perigee-lab: '%s' is not understood; see perigee-lab --help\n",
                        argv[i]);
                return false;
            }
        } else if (a->words < 4)
            a->word[a->words++] = argv[i];
    }
    return a->words > 0;
}

static struct lab_topo *read_topology(const struct args *a, const char *path)
{
    struct yml y;
    yml_node root = yml_read_file(&y, path);
    struct lab_topo *t = root ? lab_topo_read(&y, root) : NULL;
    if (t == NULL)
        yml_print(&y, stderr);
    yml_fini(&y);
    if (t != NULL && a->name != NULL && !lab_topo_rename(t, a->name)) {
        fprintf(stderr, "perigee-lab: --name %s: a-z and 0-9, at most 11\n", a->name);
        lab_topo_free(t);
        return NULL;
    }
    return t;
}

static bool read_scenario(const char *path, struct lab_topo *t, struct scenario *sc)
{
    struct yml y;
    yml_node root = yml_read_file(&y, path);
    bool ok = root != NULL && scenario_read(&y, root, t, sc);
    if (!ok)
        yml_print(&y, stderr);
    yml_fini(&y);
    return ok;
}

/* A second run of the same name would pull the first one's ground away. A socket with an abstract name
 * is a lock that leaves no file and goes with the process. */
static bool take_lock(const char *name)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    int n = snprintf(at.sun_path + 1, sizeof at.sun_path - 1, "perigee-lab-%.32s", name);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && bind(fd, (struct sockaddr *)&at,
                        (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n)) == 0)
        return true; /* held until the process ends */
    if (fd >= 0 && errno == EADDRINUSE)
        fprintf(stderr, "perigee-lab: a lab called '%s' is running; give this one another --name\n",
                name);
    else
        fprintf(stderr, "perigee-lab: cannot take the lock of '%s': %s\n", name, strerror(errno));
    if (fd >= 0)
        close(fd);
    return false;
}

static bool begin(const struct args *a, struct lab *l, struct lab_topo *t)
{
    struct err e = { 0 };
    char text[600];
    if (!take_lock(t->name))
        return false;
    if (lab_init(l, t, a->dir, &e))
        return true;
    fprintf(stderr, "perigee-lab: %s\n", err_text(&e, text, sizeof text));
    return false;
}

static int complain(const struct err *e)
{
    char text[600];
    fprintf(stderr, "perigee-lab: %s\n", err_text(e, text, sizeof text));
    return 1;
}

static int cmd_up(const struct args *a)
{
    static struct lab l;
    struct stage s;
    struct err e = { 0 };
    struct lab_topo *t = a->words == 2 ? read_topology(a, a->word[1]) : NULL;
    if (t == NULL || !begin(a, &l, t))
        return a->words == 2 ? 2 : usage(stderr);
    if (a->no_nodes) {
        if (!lab_up(&l, &e))
            return complain(&e);
        prompt(&l, NULL);
        lab_down(&l);
    } else {
        if (!stage_up(&s, &l, NULL, 30000, &e))
            return complain(&e);
        prompt(&l, &s);
        stage_down(&s);
    }
    lab_topo_free(t);
    return 0;
}

static int play(const struct args *a, struct stage *s, const struct scenario *sc)
{
    static struct step_result r;
    struct show sh;
    struct err e = { 0 };
    uint32_t bad = 0;
    show_init(&sh, stdout);
    s->tick = show_tick;
    s->tick_arg = &sh;
    show_title(&sh, "%s, at %s queries/s per client", sc->name, show_number(sc->qps));
    for (uint32_t i = 0; i < sc->count; i++) {
        if (a->only != NULL && strstr(sc->steps[i].title, a->only) == NULL)
            continue;
        show_begin(&sh, i + 1, &sc->steps[i]);
        if (!step_play(s, &sc->steps[i], &r, &e))
            return complain(&e);
        show_step(&sh, s, &sc->steps[i], &r);
        bad += r.failure_count;
    }
    bad += stage_outside_check(s, stdout);
    s->tick = NULL;
    show_title(&sh, bad == 0 ? "All as it should be." : "NOT as it should be.");
    return bad == 0 ? 0 : 1;
}

static int cmd_run(const struct args *a)
{
    static struct lab l;
    static struct scenario sc;
    struct stage s;
    struct err e = { 0 };
    if (a->words != 3)
        return usage(stderr);
    struct lab_topo *t = read_topology(a, a->word[1]);
    if (t == NULL || !read_scenario(a->word[2], t, &sc) || !begin(a, &l, t))
        return 2;
    if (!stage_up(&s, &l, NULL, 30000, &e))
        return complain(&e);
    int status = stage_ask(&s, sc.qps, &e) ? play(a, &s, &sc) : complain(&e);
    if (a->keep)
        prompt(&l, &s);
    stage_down(&s);
    lab_topo_free(t);
    return status;
}

/* `file` in the checkout's lab/, from wherever we are started. */
static void lab_file(const struct lab *l, const char *file, char out[400])
{
    snprintf(out, 400, "%s/lab/%s", l->repo, file);
}

static int cmd_demo(const struct args *a)
{
    static const char *const names[] = { "", "withdraw", "nsid", "hang", "unicast" };
    static struct lab l;
    static struct scenario sc;
    char path[400];
    int sabotage = 0;
    struct err e = { 0 };
    for (int i = 1; a->sabotage != NULL && a->sabotage[0] != '\0' && i < 5; i++)
        if (strcmp(names[i], a->sabotage) == 0)
            sabotage = i;
    if (a->sabotage != NULL && a->sabotage[0] != '\0' && sabotage == 0) {
        fprintf(stderr, "perigee-lab: --break is withdraw, nsid, hang or unicast\n");
        return 2;
    }
    if (!lab_init(&l, NULL, "", &e))
        return complain(&e);
    lab_file(&l, "demo.yaml", path);
    struct lab_topo *t = read_topology(a, a->topology ? a->topology : path);
    lab_file(&l, "demo-steps.yaml", path);
    if (t == NULL || !read_scenario(path, t, &sc) || !begin(a, &l, t))
        return 2;
    int status = demo_run(&l, &sc, (enum demo_break)sabotage, a->keep);
    lab_topo_free(t);
    return status;
}

static int cmd_bench(const struct args *a)
{
    static struct lab l;
    char path[400];
    struct err e = { 0 };
    if (!lab_init(&l, NULL, "", &e))
        return complain(&e);
    lab_file(&l, "failover.yaml", path);
    struct lab_topo *t = read_topology(a, a->topology ? a->topology : path);
    if (t == NULL || !begin(a, &l, t))
        return 2;
    struct bench_options o = { .runs = a->runs, .only = a->only, .json = a->json };
    o.beside = a->beside;
    int status = bench_failover(&l, &o);
    lab_topo_free(t);
    return status;
}

static int cmd_check(const struct args *a)
{
    static struct scenario sc;
    if (a->words != 2 && a->words != 3)
        return usage(stderr);
    struct lab_topo *t = read_topology(a, a->word[1]);
    bool ok = t != NULL && (a->words == 2 || read_scenario(a->word[2], t, &sc));
    lab_topo_free(t);
    return ok ? 0 : 2;
}

static int cmd_down(const struct args *a)
{
    if (a->words != 2)
        return usage(stderr);
    if (!take_lock(a->word[1]))
        return 1;
    printf("%u namespaces of '%s' removed\n", lab_clean(a->word[1]), a->word[1]);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(const struct args *);
    } commands[] = { { "up", cmd_up },       { "run", cmd_run },
                     { "demo", cmd_demo },   { "bench-failover", cmd_bench },
                     { "check", cmd_check }, { "down", cmd_down } };
    struct args a;
    if (argc > 2 && strcmp(argv[1], "--role") == 0 && strcmp(argv[2], "delay") == 0)
        return delay_main(argc - 2, argv + 2);
    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        usage(stdout);
        return 0;
    }
    if (!parse(&a, argc, argv))
        return argc > 1 ? 2 : usage(stderr);
    struct sigaction sa = { .sa_handler = on_stop };
    struct sigaction ignore = { .sa_handler = SIG_IGN };
    sigaction(SIGINT, &sa, NULL);
    sigaction(SIGTERM, &sa, NULL);
    sigaction(SIGHUP, &sa, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
    for (size_t i = 0; i < BASE_COUNT(commands); i++)
        if (strcmp(commands[i].name, a.word[0]) == 0)
            return commands[i].run(&a);
    fprintf(stderr, "perigee-lab: no command '%s'\n", a.word[0]);
    return usage(stderr);
}
