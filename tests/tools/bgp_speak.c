/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The speaker with a rope around its neck: commands on stdin, events as one JSON object per line on
 * stdout. For the interop tests; announces without asking anybody's health.
 *
 *   bgp-speak --as N --id A.B.C.D [--listen ADDR@PORT]… [--watch PREFIX]… [--no-caps]
 *             --neighbor name=N,addr=A,as=N[,if=I][,port=N][,passive][,password=P][,gtsm=H][,hold=S]
 *                        [,source=A][,families=46][,nh4=A][,nh6=A][,max=N][,retry=MS][,disabled] …
 *
 *   announce PREFIX [n=IDX] [prepend=N] [med=N] [pref=N] [community=C]…     withdraw PREFIX [n=IDX]
 *   status | routes IDX | seen | disable IDX TEXT | enable IDX | reset IDX TEXT | watch PREFIX… |
 *   stop TEXT | begin | commit     (between begin and commit nothing is set)
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <uv.h>

#include "base/log.h"
#include "bgp/socket.h"
#include "bgp/speaker.h"

#define SET_MAX 4096
#define WATCH_MAX 256

struct speak {
    uv_loop_t loop;
    struct bgp_speaker *speaker;
    struct bgp_speaker_options options;
    struct bgp_neighbor_config neighbors[BGP_NEIGHBORS_MAX];
    struct bgp_prefix watch[WATCH_MAX];
    struct bgp_route set[SET_MAX];
    uint32_t set_count;
    bool held, no_caps;
    int listeners[8];
    unsigned listener_count;
    uv_poll_t stdin_poll;
    char line[65536];
    size_t line_len;
};

static void die(const char *what)
{
    fprintf(stderr, "bgp-speak: %s\n", what);
    exit(2);
}

static void json_text(const char *text)
{
    putchar('"');
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            putchar('\\');
        putchar((unsigned char)*text < 0x20 ? '?' : *text);
    }
    putchar('"');
}

static void json_seen(const struct bgp_seen *s)
{
    static const char *const relations[] = { "none", "equal", "covers", "inside" };
    char prefix[BGP_PREFIX_TEXT_MAX];
    printf(
        "{\"prefix\":\"%s\",\"n\":%u,\"relation\":\"%s\",\"own_as\":%s,\"origin_as\":%u,\"path\":[",
        bgp_prefix_text(&s->prefix, prefix), s->neighbor, relations[s->relation],
        s->own_as ? "true" : "false", s->path.origin);
    for (unsigned i = 0; i < s->path.count; i++)
        printf("%s%u", i ? "," : "", s->path.as[i]);
    printf("],\"communities\":[");
    for (unsigned i = 0; i < s->community_count && i < BGP_SEEN_COMMUNITIES_MAX; i++)
        printf("%s\"%u:%u\"", i ? "," : "", s->communities[i] >> 16, s->communities[i] & 0xffff);
    printf("],\"large\":[");
    for (unsigned i = 0; i < s->large_count && i < BGP_SEEN_COMMUNITIES_MAX; i++)
        printf("%s\"%u:%u:%u\"", i ? "," : "", s->large[i].global, s->large[i].local1,
               s->large[i].local2);
    printf("]}");
}

static void on_event(void *arg, const struct bgp_speaker_event *ev)
{
    static const char *const kinds[] = { "", "state", "up", "down", "route", "seen", "gone" };
    char prefix[BGP_PREFIX_TEXT_MAX];
    (void)arg;
    printf("{\"event\":\"%s\",\"n\":%u,\"name\":\"%s\",\"at_us\":%lld", kinds[ev->kind],
           ev->neighbor, ev->name, (long long)(ev->at.ns / 1000));
    if (ev->kind == BGP_SPEAKER_STATE)
        printf(",\"from\":\"%s\",\"to\":\"%s\"", bgp_state_text(ev->from), bgp_state_text(ev->to));
    if (ev->kind == BGP_SPEAKER_ROUTE)
        printf(",\"prefix\":\"%s\",\"old\":%d,\"new\":%d", bgp_prefix_text(&ev->prefix, prefix),
               ev->out_old, ev->out_new);
    if (ev->kind == BGP_SPEAKER_DOWN)
        printf(",\"routes\":%u", ev->routes);
    if (ev->kind == BGP_SPEAKER_SEEN || ev->kind == BGP_SPEAKER_GONE) {
        printf(",\"seen\":");
        json_seen(ev->seen);
    }
    printf(",\"text\":");
    json_text(ev->text);
    printf("}\n");
    fflush(stdout);
}

/* ---- options ---------------------------------------------------------------------------------- */

static struct bgp_addr addr_of(const char *text)
{
    struct bgp_addr a;
    if (!bgp_addr_parse(text, &a))
        die("not an address");
    return a;
}

static void next_hop(struct bgp_neighbor_config *c, enum bgp_family family, const char *text)
{
    c->has_next_hop[family] = true;
    c->next_hop[family] = addr_of(text);
}

static void neighbor_option(struct bgp_neighbor_config *c, const char *key, const char *value)
{
    if (strcmp(key, "name") == 0)
        c->name = value;
    else if (strcmp(key, "addr") == 0)
        c->addr = addr_of(value);
    else if (strcmp(key, "if") == 0)
        c->interface = value;
    else if (strcmp(key, "as") == 0)
        c->remote_as = (uint32_t)strtoul(value, NULL, 10);
    else if (strcmp(key, "port") == 0)
        c->port = (uint16_t)atoi(value);
    else if (strcmp(key, "passive") == 0)
        c->passive = true;
    else if (strcmp(key, "disabled") == 0)
        c->disabled = true;
    else if (strcmp(key, "password") == 0)
        c->password = value;
    else if (strcmp(key, "gtsm") == 0)
        c->ttl_security_hops = (uint8_t)atoi(value);
    else if (strcmp(key, "hold") == 0)
        c->hold_s = (uint16_t)atoi(value);
    else if (strcmp(key, "max") == 0)
        c->max_prefixes = (uint32_t)atoi(value);
    else if (strcmp(key, "retry") == 0)
        c->connect_retry_ms = (uint32_t)atoi(value);
    else if (strcmp(key, "source") == 0) {
        c->has_source = true;
        c->source = addr_of(value);
    } else if (strcmp(key, "families") == 0)
        c->families = (strchr(value, '4') ? BGP_FAMILY_BIT(BGP_IPV4) : 0) |
                      (strchr(value, '6') ? BGP_FAMILY_BIT(BGP_IPV6) : 0);
    else if (strcmp(key, "nh4") == 0)
        next_hop(c, BGP_IPV4, value);
    else if (strcmp(key, "nh6") == 0)
        next_hop(c, BGP_IPV6, value);
    else
        die("unknown neighbor option");
}

static void neighbor_parse(struct speak *sp, char *text, uint32_t local_as)
{
    struct bgp_neighbor_config *c = &sp->neighbors[sp->options.neighbor_count++];
    *c = (struct bgp_neighbor_config){ .local_as = local_as, .hold_s = BGP_HOLD_DEFAULT_S };
    for (char *save, *item = strtok_r(text, ",", &save); item; item = strtok_r(NULL, ",", &save)) {
        char *value = strchr(item, '=');
        if (value != NULL)
            *value++ = '\0';
        neighbor_option(c, item, value != NULL ? value : "");
    }
}

static int listen_at(const char *text)
{
    char host[64];
    const char *at = strchr(text, '@');
    if (at == NULL || (size_t)(at - text) >= sizeof host)
        die("--listen ADDR@PORT");
    memcpy(host, text, (size_t)(at - text));
    host[at - text] = '\0';
    struct bgp_addr a = addr_of(host);
    struct sockaddr_storage ss;
    socklen_t len = bgp_socket_addr(&a, (uint16_t)atoi(at + 1), 0, &ss);
    int fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1, zero = 0;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (ss.ss_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof zero);
    if (bind(fd, (struct sockaddr *)&ss, len) != 0 || listen(fd, 64) != 0) {
        perror("bgp-speak: listen");
        exit(3);
    }
    return fd;
}

static void drop_capabilities(void)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct none[2] = { { 0 } };
    if (syscall(SYS_capset, &header, none) != 0)
        die("capset");
}

/* ---- commands --------------------------------------------------------------------------------- */

static void set_again(struct speak *sp, const char *why)
{
    if (sp->held)
        return;
    const struct bgp_gone gone = { .text = why };
    mono_t begun = time_mono();
    bool ok = bgp_speaker_set_routes(sp->speaker, sp->set, sp->set_count, &gone);
    printf("{\"event\":\"%s\",\"took_us\":%lld}\n", ok ? "set" : "refused",
           (long long)mono_us_between(begun, time_mono()));
}

static void drop_rows(struct speak *sp, const struct bgp_prefix *p, uint32_t neighbor)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < sp->set_count; i++) {
        if (!bgp_prefix_eq(&sp->set[i].prefix, p) || sp->set[i].neighbor != neighbor)
            sp->set[kept++] = sp->set[i];
    }
    sp->set_count = kept;
}

static void route_word(struct bgp_route *r, const char *word)
{
    const char *value = strchr(word, '=');
    size_t len = value ? (size_t)(value - word) : strlen(word);
    uint32_t n = value ? (uint32_t)strtoul(value + 1, NULL, 10) : 0;
    if (strncmp(word, "n", len) == 0)
        r->neighbor = n;
    else if (strncmp(word, "prepend", len) == 0)
        r->attrs.prepend = (uint8_t)n;
    else if (strncmp(word, "med", len) == 0) {
        r->attrs.has_med = true;
        r->attrs.med = n;
    } else if (strncmp(word, "pref", len) == 0) {
        r->attrs.has_local_pref = true;
        r->attrs.local_pref = n;
    } else if (strncmp(word, "community", len) == 0 && value != NULL)
        bgp_attrs_parse_community(&r->attrs, value + 1);
}

static void announce(struct speak *sp, char *args, bool withdraw)
{
    char *save, *word = strtok_r(args, " ", &save);
    struct bgp_route r = { .neighbor = BGP_NEIGHBOR_ALL, .reason = "told to" };
    if (word == NULL || !bgp_prefix_parse(word, &r.prefix)) {
        printf("{\"event\":\"bad_prefix\"}\n");
        return;
    }
    while ((word = strtok_r(NULL, " ", &save)) != NULL)
        route_word(&r, word);
    drop_rows(sp, &r.prefix, r.neighbor);
    if (!withdraw && sp->set_count < SET_MAX)
        sp->set[sp->set_count++] = r;
    set_again(sp, "told to");
}

static void status(struct speak *sp)
{
    printf("{\"event\":\"status\",\"neighbors\":[");
    for (uint32_t i = 0; i < bgp_speaker_neighbor_count(sp->speaker); i++) {
        static const struct bgp_counter_row rows[] = { BGP_COUNTERS(BGP_COUNTER_ROW) };
        struct bgp_neighbor_status s;
        bgp_speaker_status(sp->speaker, i, &s);
        printf("%s{\"name\":\"%s\",\"state\":\"%s\",\"routes_out\":%u,\"routes_due\":%u,"
               "\"routes_seen\":%u,\"hold_s\":%u,\"families\":%u,\"as4\":%d,\"last_error\":",
               i ? "," : "", s.name, bgp_state_text(s.state), s.routes_out, s.routes_due,
               s.routes_seen, s.hold_s, s.families, s.as4);
        json_text(s.last_error);
        for (unsigned k = 0; k < BGP_COUNTER_COUNT; k++)
            printf(",\"%s\":%llu", rows[k].name, (unsigned long long)s.counters.row[k]);
        printf("}");
    }
    printf("]}\n");
}

static void seen(struct speak *sp)
{
    struct bgp_seen rows[64];
    uint32_t count = bgp_speaker_seen(sp->speaker, rows, 64);
    printf("{\"event\":\"seen_all\",\"count\":%u,\"rows\":[", count);
    for (uint32_t i = 0; i < count && i < 64; i++) {
        if (i > 0)
            putchar(',');
        json_seen(&rows[i]);
    }
    printf("]}\n");
}

static void routes(struct speak *sp, uint32_t n)
{
    static struct bgp_route_status rows[BGP_ROUTES_MAX];
    uint32_t count = bgp_speaker_routes(sp->speaker, n, rows, BGP_ROUTES_MAX);
    printf("{\"event\":\"routes\",\"rows\":[");
    for (uint32_t i = 0; i < count && i < BGP_ROUTES_MAX; i++) {
        char prefix[BGP_PREFIX_TEXT_MAX];
        printf("%s{\"prefix\":\"%s\",\"out\":%d,\"wanted\":%d,\"reason\":", i ? "," : "",
               bgp_prefix_text(&rows[i].prefix, prefix), rows[i].out, rows[i].wanted);
        json_text(rows[i].reason);
        printf("}");
    }
    printf("]}\n");
}

static void watch(struct speak *sp, char *args)
{
    uint32_t n = 0;
    for (char *save, *w = strtok_r(args, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
        if (n < WATCH_MAX && bgp_prefix_parse(w, &sp->watch[n]))
            n++;
    }
    bgp_speaker_set_watch(sp->speaker, sp->watch, n);
}

static void stopped(void *arg)
{
    struct speak *sp = arg;
    printf("{\"event\":\"stopped\"}\n");
    fflush(stdout);
    bgp_speaker_free(sp->speaker);
    sp->speaker = NULL;
    uv_close((uv_handle_t *)&sp->stdin_poll, NULL);
}

static void administer(struct speak *sp, const char *verb, char *args)
{
    char *text;
    uint32_t n = (uint32_t)strtoul(args, &text, 10);
    text = *text == ' ' ? text + 1 : NULL;
    if (n >= bgp_speaker_neighbor_count(sp->speaker))
        return;
    if (strcmp(verb, "disable") == 0)
        bgp_speaker_disable(sp->speaker, n, text);
    else if (strcmp(verb, "enable") == 0)
        bgp_speaker_enable(sp->speaker, n);
    else if (strcmp(verb, "reset") == 0)
        bgp_speaker_reset(sp->speaker, n, text);
    else if (strcmp(verb, "routes") == 0)
        routes(sp, n);
}

static void command(struct speak *sp, char *line)
{
    char *args = strchr(line, ' ');
    if (args != NULL)
        *args++ = '\0';
    else
        args = line + strlen(line);
    if (strcmp(line, "announce") == 0)
        announce(sp, args, false);
    else if (strcmp(line, "withdraw") == 0)
        announce(sp, args, true);
    else if (strcmp(line, "begin") == 0)
        sp->held = true;
    else if (strcmp(line, "commit") == 0) {
        sp->held = false;
        set_again(sp, "told to");
    } else if (strcmp(line, "status") == 0)
        status(sp);
    else if (strcmp(line, "seen") == 0)
        seen(sp);
    else if (strcmp(line, "watch") == 0)
        watch(sp, args);
    else if (strcmp(line, "stop") == 0)
        bgp_speaker_stop(sp->speaker, args, stopped, sp);
    else
        administer(sp, line, args);
    fflush(stdout);
}

static void on_stdin(uv_poll_t *poll, int status_, int events)
{
    struct speak *sp = poll->data;
    (void)status_;
    (void)events;
    ssize_t n = read(STDIN_FILENO, sp->line + sp->line_len, sizeof sp->line - 1 - sp->line_len);
    if (n <= 0)
        exit(0); /* the test is gone */
    sp->line_len += (size_t)n;
    char *end;
    while (sp->speaker != NULL && (end = memchr(sp->line, '\n', sp->line_len)) != NULL) {
        char line[sizeof sp->line];
        size_t len = (size_t)(end - sp->line);
        memcpy(line, sp->line, len);
        line[len] = '\0';
        sp->line_len -= len + 1;
        memmove(sp->line, end + 1, sp->line_len);
        command(sp, line);
    }
}

static void arguments(struct speak *sp, int argc, char **argv)
{
    uint32_t as = 0;
    struct bgp_addr id = { 0 };
    for (int i = 1; i < argc; i++) {
        char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(argv[i], "--no-caps") == 0) {
            sp->no_caps = true;
            continue;
        }
        if (value == NULL)
            die("a value is missing");
        if (strcmp(argv[i], "--as") == 0)
            as = (uint32_t)strtoul(value, NULL, 10);
        else if (strcmp(argv[i], "--id") == 0)
            id = addr_of(value);
        else if (strcmp(argv[i], "--listen") == 0 && sp->listener_count < 8)
            sp->listeners[sp->listener_count++] = listen_at(value);
        else if (strcmp(argv[i], "--watch") == 0 && sp->options.watch_count < WATCH_MAX) {
            if (!bgp_prefix_parse(value, &sp->watch[sp->options.watch_count++]))
                die("not a prefix");
        } else if (strcmp(argv[i], "--neighbor") == 0)
            neighbor_parse(sp, value, as);
        else
            die("unknown option");
        i++;
    }
    struct rd r = rd_init(id.bytes, 4);
    sp->options.router_id = rd_u32(&r);
    sp->options.neighbors = sp->neighbors;
    sp->options.watch = sp->watch;
    sp->options.handler = on_event;
    sp->options.arg = sp;
}

int main(int argc, char **argv)
{
    static struct speak sp;
    struct err e = { 0 };
    char text[512];
    log_init("bgp-speak", LOG_LEVEL_DEBUG);
    arguments(&sp, argc, argv);
    if (sp.no_caps)
        drop_capabilities();
    uv_loop_init(&sp.loop);
    sp.speaker = bgp_speaker_new(&sp.loop, &sp.options, &e);
    if (sp.speaker == NULL)
        die(err_text(&e, text, sizeof text));
    for (unsigned i = 0; i < sp.listener_count; i++) {
        if (!bgp_speaker_listen(sp.speaker, sp.listeners[i], &e))
            die(err_text(&e, text, sizeof text));
    }
    uv_poll_init(&sp.loop, &sp.stdin_poll, STDIN_FILENO);
    sp.stdin_poll.data = &sp;
    uv_poll_start(&sp.stdin_poll, UV_READABLE, on_stdin);
    bgp_speaker_start(sp.speaker);
    uv_run(&sp.loop, UV_RUN_DEFAULT);
    uv_loop_close(&sp.loop);
    return 0;
}
