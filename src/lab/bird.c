/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lab/bird.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lab/proc.h"

static void print_filters(const struct lab_topo *t, const struct lab_host *r, FILE *out)
{
    fprintf(
        out,
        "# What a route is to us: (AS,0,1) our customer's, (AS,0,2) a peer's, (AS,0,3) a "
        "provider's.\n"
        "function classify(int kind; int delay_ms) {\n"
        "  bgp_large_community.delete([(%u,0,*)]);\n"
        "  bgp_large_community.add((%u,0,kind));\n"
        "  bgp_med = delay_ms;\n"
        "  if (65535, 0) ~ bgp_community then bgp_local_pref = 0;  # GRACEFUL_SHUTDOWN, RFC 8326\n"
        "}\n"
        "function ours() {\n"
        "  return source = RTS_DEVICE || source = RTS_STATIC || (%u,0,1) ~ bgp_large_community;\n"
        "}\n"
        "filter to_up { if ours() then { bgp_med = 0; accept; } reject; }\n"
        "filter to_down { bgp_med = 0; accept; }\n\n",
        r->as, r->as, r->as);
    fprintf(out,
            "filter service4 { if net ~ [ %s+ ] then { classify(1, 0); accept; } reject; }\n"
            "filter service6 { if net ~ [ %s+ ] then { classify(1, 0); accept; } reject; }\n\n",
            t->prefix4, t->prefix6);
}

/* BIRD's own names: letters, digits, underscores. */
static void symbol(const char *name, char out[LAB_NAME_MAX + 1])
{
    size_t i = 0;
    for (; name[i] != '\0'; i++)
        out[i] = name[i] == '-' ? '_' : name[i];
    out[i] = '\0';
}

struct session {
    const struct lab_host *us, *them;
    const struct lab_link *link;
    bool at_a;
};

static void print_session(const struct lab_topo *t, const struct session *s, int family, FILE *out)
{
    char mine[INET6_ADDRSTRLEN], theirs[INET6_ADDRSTRLEN], name[LAB_NAME_MAX + 1];
    const struct lab_link *k = s->link;
    bool node = s->them->kind == LAB_NODE, v4 = family == 4;
    const void *a = v4 ? (const void *)&k->a4 : (const void *)&k->a6;
    const void *b = v4 ? (const void *)&k->b4 : (const void *)&k->b6;
    inet_ntop(v4 ? AF_INET : AF_INET6, s->at_a ? a : b, mine, sizeof mine);
    inet_ntop(v4 ? AF_INET : AF_INET6, s->at_a ? b : a, theirs, sizeof theirs);
    symbol(s->them->name, name);
    /* What they are to us. */
    int kind = k->relation == LAB_PEERS ? 2 : k->relation == LAB_ATTACHED || s->at_a ? 1 : 3;
    fprintf(out, "protocol bgp %s_%d {\n  local %s as %u;\n  neighbor %s as %u;\n", name, family,
            mine, s->us->as, theirs, node ? t->as : s->them->as);
    fprintf(out,
            "  connect delay time 1;\n  connect retry time 1;\n  error wait time 1, 2;\n"
            "  med metric on;\n  graceful restart off;\n  debug { states, routes, events };\n");
    if (node)
        fprintf(out, "  hold time %u;\n", t->hold_s);
    else
        fprintf(out, "  hold time 90;\n");
    fprintf(out, "  ipv%d {\n", family);
    if (node)
        fprintf(out, "    import filter service%d;\n", family);
    else
        fprintf(out, "    import filter { classify(%d, %llu); accept; };\n", kind,
                (unsigned long long)((k->delay_us + 999) / 1000));
    fprintf(out, "    export filter %s;\n    next hop self;\n  };\n}\n",
            kind == 1 ? "to_down" : "to_up");
}

/* Sabotage for the demo: static routes to the first node that no withdrawal takes away. */
static void print_sticky(const struct lab_topo *t, const struct lab_host *r, FILE *out)
{
    char a[INET_ADDRSTRLEN], b[INET6_ADDRSTRLEN];
    for (uint32_t i = 0; i < t->host_count; i++) {
        if (t->hosts[i].kind != LAB_NODE)
            continue;
        const struct lab_link *k = &t->links[t->hosts[i].link];
        if (&t->hosts[k->a] == r)
            fprintf(out,
                    "protocol static { ipv4; route %s via %s; }\n"
                    "protocol static { ipv6; route %s via %s; }\n\n",
                    t->prefix4, inet_ntop(AF_INET, &k->b4, a, sizeof a), t->prefix6,
                    inet_ntop(AF_INET6, &k->b6, b, sizeof b));
        return;
    }
}

void bird_config(const struct lab *l, const struct lab_host *r, FILE *out)
{
    const struct lab_topo *t = l->topo;
    const char *dir = l->dir;
    uint32_t me = (uint32_t)(r - t->hosts);
    fprintf(out,
            "# %s, AS %u: made by perigee-lab\n"
            "log \"%s/bird/%s.log\" all;\ntimeformat log iso long us;\n"
            "router id 10.255.%u.%u;\n\n"
            "protocol device { scan time 60; }\n"
            "protocol direct { ipv4; ipv6; }\n"
            "protocol kernel { ipv4 { import none; export where source != RTS_DEVICE; }; }\n"
            "protocol kernel { ipv6 { import none; export where source != RTS_DEVICE; }; }\n\n",
            r->name, r->as, dir, r->name, me / 250, me % 250 + 1);
    print_filters(t, r, out);
    if (l->sticky)
        print_sticky(t, r, out);
    for (uint32_t i = 0; i < t->link_count; i++) {
        const struct lab_link *k = &t->links[i];
        if (k->a != me && k->b != me)
            continue;
        struct session s = { .us = r, .link = k, .at_a = k->a == me };
        s.them = &t->hosts[s.at_a ? k->b : k->a];
        if (s.them->kind != LAB_ROUTER && s.them->kind != LAB_NODE)
            continue;
        print_session(t, &s, 4, out);
        print_session(t, &s, 6, out);
    }
}

static bool write_config(struct lab *l, const struct lab_host *r, struct err *e)
{
    char path[320];
    snprintf(path, sizeof path, "%s/bird/%s.conf", l->dir, r->name);
    FILE *f = fopen(path, "we");
    if (f == NULL)
        return err_set_errno(e, NULL, "cannot write %s", path);
    bird_config(l, r, f);
    if (fclose(f) != 0)
        return err_set_errno(e, NULL, "cannot write %s", path);
    snprintf(path, sizeof path, "%s/bird/%s.log", l->dir, r->name);
    unlink(path);
    snprintf(path, sizeof path, "%s/bird/%s.ctl", l->dir, r->name);
    unlink(path);
    return true;
}

static bool start(struct lab *l, uint32_t idx, struct err *e)
{
    const struct lab_host *r = &l->topo->hosts[idx];
    char ns[64], tool[300], conf[320], ctl[320], out[320];
    snprintf(tool, sizeof tool, "%s/tools/peers", l->repo);
    snprintf(conf, sizeof conf, "%s/bird/%s.conf", l->dir, r->name);
    snprintf(ctl, sizeof ctl, "%s/bird/%s.ctl", l->dir, r->name);
    snprintf(out, sizeof out, "%s/bird/%s.out", l->dir, r->name);
    const char *argv[] = { tool, "exec", "--", "bird", "-f", "-c", conf, "-s", ctl, NULL };
    struct proc_opts o = { .netns = lab_ns(l, r, ns), .log = out };
    l->bird[idx] = proc_start(&o, argv, e);
    return l->bird[idx] > 0;
}

bool bird_ask(const struct lab *l, const struct lab_host *r, const char *command, char *out,
              size_t cap, struct err *e)
{
    /* birdc's own protocol, so that no process is needed: a greeting, lines "NNNN-text" and, last,
     * "NNNN text". */
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    char line[256];
    size_t len = 0;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int n = snprintf(to.sun_path, sizeof to.sun_path, "%s/bird/%s.ctl", l->dir, r->name);
    out[0] = '\0';
    if (fd < 0 || n >= (int)sizeof to.sun_path ||
        connect(fd, (struct sockaddr *)&to, sizeof to) != 0) {
        err_set_errno(e, NULL, "BIRD of %s", r->name);
        if (fd >= 0)
            close(fd);
        return false;
    }
    struct timeval limit = { .tv_sec = 5 };
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    bool done = false;
    int ends = 0;
    snprintf(line, sizeof line, "%s\n", command);
    if (write(fd, line, strlen(line)) < 0)
        done = true;
    char *at = out; /* start of the line that is being received */
    while (!done && len + 1 < cap) {
        ssize_t got = read(fd, out + len, cap - 1 - len);
        if (got <= 0)
            break;
        len += (size_t)got;
        out[len] = '\0';
        for (char *nl; (nl = strchr(at, '\n')) != NULL; at = nl + 1)
            if (at[0] >= '0' && at[0] <= '9' && nl - at > 4 && at[4] == ' ')
                done = ++ends == 2; /* the greeting ends with such a line, too */
    }
    close(fd);
    return ends == 2 || err_set(e, ERR_PEER, NULL, "BIRD of %s did not answer", r->name);
}

bool bird_wait(struct lab *l, int limit_ms, struct err *e)
{
    static char out[65536];
    mono_t until = mono_add_ms(time_mono(), limit_ms);
    for (uint32_t i = 0; i < l->topo->host_count; i++) {
        const struct lab_host *r = &l->topo->hosts[i];
        while (r->kind == LAB_ROUTER) {
            uint32_t waiting = 0;
            if (bird_ask(l, r, "show protocols", out, sizeof out, e)) {
                char *rest;
                for (char *p = strtok_r(out, "\n", &rest); p != NULL;
                     p = strtok_r(NULL, "\n", &rest)) {
                    char name[32], kind[32], table[32], state[32];
                    if (sscanf(p + (p[0] == ' ' ? 1 : 5), "%31s %31s %31s %31s", name, kind, table,
                               state) == 4 &&
                        strcmp(kind, "BGP") == 0 && strcmp(state, "up") != 0) {
                        name[strlen(name) - 2] = '\0';
                        for (char *c = name; *c != '\0'; c++)
                            *c = *c == '_' ? '-' : *c;
                        const struct lab_host *them = lab_topo_find(l->topo, name);
                        waiting += them == NULL || them->kind == LAB_ROUTER;
                    }
                }
                if (waiting == 0)
                    break;
            }
            if (proc_ended(l->bird[i], NULL)) {
                l->bird[i] = 0;
                return err_set(e, ERR_PEER,
                               "tools/peers makes BIRD's root; its last words are there",
                               "BIRD of %s ended: see %s/bird/%s.out", r->name, l->dir, r->name);
            }
            if (!mono_before(time_mono(), until))
                return err_set(e, ERR_PEER, NULL, "router %s has %u sessions down after %d ms",
                               r->name, waiting, limit_ms);
            sleep_ms(50);
        }
    }
    return true;
}

bool bird_up(struct lab *l, struct err *e)
{
    if (!lab_mkdir(l, "bird", e))
        return false;
    for (uint32_t i = 0; i < l->topo->host_count; i++)
        if (l->topo->hosts[i].kind == LAB_ROUTER &&
            (!write_config(l, &l->topo->hosts[i], e) || !start(l, i, e)))
            return false;
    return bird_wait(l, 20000, e);
}
