/* SPDX-License-Identifier: GPL-3.0-or-later */

/* `perigee probe ADDR…`: which site answers, how fast, how right; each address by UDP and by TCP, all of
 * them at the same time, several times. */
#include <getopt.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <uv.h>

#include "base/mem.h"
#include "cmd/client.h"
#include "cmd/cmd.h"
#include "dns/type.h"
#include "probe/probe.h"

#define TARGETS_MAX 64
#define ROUNDS_MAX 10000
#define SITES_MAX 8 /* names kept per target; more are counted together */
#define CLASS_IN 1
#define CLASS_CHAOS 3
#define IN_FLIGHT_MAX (4 * TARGETS_MAX)

struct site {
    char name[PROBE_NSID_TEXT_MAX];
    uint32_t answers;
};

struct probe_args {
    struct dns_name name;
    bool has_name, udp, tcp, json, help;
    uint16_t type;
    uint32_t count, interval_ms, timeout_ms;
    union addr source;
    union addr targets[TARGETS_MAX];
    uint32_t target_count, errors;
};

static const char help[] =
    "usage: perigee probe ADDR[@PORT] ... [options]\n"
    "asks each address by UDP and TCP, and says which site answers, how fast and how right\n"
    "      --name NAME         a name of a zone that is answered there; without it id.server. (CHAOS)\n"
    "      --type TYPE         with --name: SOA, A, TYPE65, ...; SOA if not given\n"
    "      --count N           questions per address and transport, 5 if not given\n"
    "      --interval-ms N     from one to the next, 200 if not given\n"
    "      --timeout-ms N      lost after this, 2000 if not given\n"
    "      --source ADDR       ask from this address\n"
    "      --udp, --tcp        by this transport only\n"
    "      --json              for programs\n";

/* One address by one transport. */
struct target {
    const struct probe_args *args;
    struct probe_client *client;
    union addr addr;
    bool tcp;
    uv_timer_t timer;
    uint32_t asked, answered, right, done;
    uint32_t *rtt_us; /* of the answers, in the order in which they came */
    uint32_t site_count, flips;
    struct site sites[SITES_MAX];
    uint32_t site_last;
    bool has_serial;
    uint32_t serial;
    char what[64];  /* the last answer, in words */
    char wrong[96]; /* the first thing that was wrong; empty: nothing */
};

/* ---- arguments ---- */

static void complain(struct probe_args *a, const char *what, const char *value, const char *hint)
{
    fprintf(stderr, "perigee probe: %s '%s'; %s\n", what, value, hint);
    a->errors++;
}

static uint32_t number(struct probe_args *a, const char *option, const char *text, uint32_t max)
{
    char *end, hint[64];
    unsigned long v = strtoul(text, &end, 10);
    if (text[0] >= '0' && text[0] <= '9' && *end == '\0' && v >= 1 && v <= max)
        return (uint32_t)v;
    snprintf(hint, sizeof hint, "use 1 to %u", max);
    complain(a, option, text, hint);
    return 1;
}

static void parse_option(struct probe_args *a, int c)
{
    switch (c) {
    case 'n':
        a->has_name = dns_name_from_text(&a->name, optarg);
        if (!a->has_name)
            complain(a, "--name: this is no domain name:", optarg, "the root is written as a dot");
        break;
    case 't':
        if (!dns_type_from_text(optarg, &a->type))
            complain(a, "--type: no such type:", optarg, "for example SOA, A or TYPE65");
        break;
    case 'c':
        a->count = number(a, "--count: not", optarg, ROUNDS_MAX);
        break;
    case 'i':
        a->interval_ms = number(a, "--interval-ms: not", optarg, 3600000);
        break;
    case 'w':
        a->timeout_ms = number(a, "--timeout-ms: not", optarg, 60000);
        break;
    case 's':
        if (!addr_parse(&a->source, optarg, 1))
            complain(a, "--source: this is no address:", optarg, "for example 192.0.2.1");
        break;
    case 'u':
        a->udp = true;
        break;
    case 'T':
        a->tcp = true;
        break;
    case 'j':
        a->json = true;
        break;
    case 'h':
        a->help = true;
        break;
    default:
        a->errors++;
    }
}

static bool parse(struct probe_args *a, int argc, char **argv)
{
    static const struct option options[] = {
        { "name", required_argument, NULL, 'n' },
        { "type", required_argument, NULL, 't' },
        { "count", required_argument, NULL, 'c' },
        { "interval-ms", required_argument, NULL, 'i' },
        { "timeout-ms", required_argument, NULL, 'w' },
        { "source", required_argument, NULL, 's' },
        { "udp", no_argument, NULL, 'u' },
        { "tcp", no_argument, NULL, 'T' },
        { "json", no_argument, NULL, 'j' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    int c;
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
        parse_option(a, c);
    for (int i = optind; i < argc; i++) {
        if (a->target_count == TARGETS_MAX)
            complain(a, "one address too many:", argv[i], "64 are the most");
        else if (!addr_parse(&a->targets[a->target_count], argv[i], 53))
            complain(a, "this is no address:", argv[i],
                     "for example 192.0.2.53, 2001:db8::53 or 127.0.0.1@5300");
        else
            a->target_count++;
    }
    if (a->target_count == 0 && a->errors == 0 && !a->help)
        complain(a, "no address is given:", "perigee probe",
                 "for example perigee probe 192.0.2.53");
    if (!a->udp && !a->tcp)
        a->udp = a->tcp = true;
    return a->errors == 0;
}

/* ---- asking ---- */

static void saw_site(struct target *t, const char *name)
{
    uint32_t i = 0;
    while (i < t->site_count && strcmp(t->sites[i].name, name) != 0)
        i++;
    if (i == SITES_MAX)
        i = SITES_MAX - 1;
    if (i == t->site_count)
        snprintf(t->sites[t->site_count++].name, sizeof t->sites[0].name, "%s", name);
    t->flips += t->answered > 1 && i != t->site_last;
    t->site_last = i;
    t->sites[i].answers++;
}

static void is_wrong(struct target *t, const char *what, const char *detail)
{
    if (t->wrong[0] == '\0')
        snprintf(t->wrong, sizeof t->wrong, "%s%s", what, detail);
}

/* What is asked of a right answer: for a name of a zone NOERROR or NXDOMAIN with authority (or a
 * referral), whole over TCP; for CHAOS a text. */
static bool is_right(struct target *t, const struct probe_summary *s)
{
    char rcode[DNS_TYPE_TEXT_MAX];
    if (s->rcode != 0 && !(s->rcode == 3 && t->args->has_name)) {
        is_wrong(t, "", dns_rcode_text(s->rcode, rcode));
        return false;
    }
    if (s->tc && t->tcp) {
        is_wrong(t, "truncated over TCP", "");
        return false;
    }
    if (t->args->has_name && !s->aa && (s->answers > 0 || s->authority == 0)) {
        is_wrong(t, "not authoritative", "");
        return false;
    }
    if (!t->args->has_name && s->text[0] == '\0') {
        is_wrong(t, "no text in id.server.", "");
        return false;
    }
    return true;
}

static void take_answer(struct target *t, const struct probe_answer *a)
{
    struct probe_summary s;
    char rcode[DNS_TYPE_TEXT_MAX], nsid[PROBE_NSID_TEXT_MAX];
    t->rtt_us[t->answered++] = a->rtt_us;
    if (!probe_summary_read(a->msg, a->len, &s)) {
        is_wrong(t, "the message is broken", "");
        return;
    }
    if (s.has_nsid)
        saw_site(t, probe_nsid_text(s.nsid, s.nsid_len, nsid));
    else if (!t->args->has_name && s.text[0] != '\0')
        saw_site(t, s.text);
    else
        saw_site(t, "?");
    if (s.has_serial && t->has_serial && s.serial != t->serial)
        is_wrong(t, "the serial differs between answers", "");
    t->has_serial = t->has_serial || s.has_serial;
    t->serial = s.has_serial ? s.serial : t->serial;
    t->right += is_right(t, &s);
    snprintf(t->what, sizeof t->what, "%s%s%s", dns_rcode_text(s.rcode, rcode), s.aa ? " aa" : "",
             s.tc ? " tc" : "");
}

static void on_done(void *arg, const struct probe_question *q, const struct probe_answer *a)
{
    struct target *t = arg;
    (void)q;
    t->done++;
    if (a->status == PROBE_ANSWERED) {
        take_answer(t, a);
        return;
    }
    char from[ADDR_TEXT_MAX];
    if (a->status == PROBE_SOURCE)
        is_wrong(t, "an answer came from ", addr_text(&a->from, from));
    else
        is_wrong(t, probe_status_name(a->status), "");
}

static void on_timer(uv_timer_t *timer)
{
    struct target *t = timer->data;
    const struct probe_args *args = t->args;
    struct probe_question q = { .addr = t->addr,
                                .tcp = t->tcp,
                                .source = args->source,
                                .qname = args->name,
                                .qtype = args->has_name ? args->type : DNS_TYPE_TXT,
                                .qclass = args->has_name ? CLASS_IN : CLASS_CHAOS,
                                .edns = true,
                                .dnssec_ok = args->has_name,
                                .nsid = true,
                                .udp_payload = 1232,
                                .timeout_ms = args->timeout_ms };
    if (args->source.sa.sa_family != t->addr.sa.sa_family)
        q.source.sa.sa_family = AF_UNSPEC;
    if (probe_ask(t->client, &q, on_done, t))
        t->asked++;
    if (t->asked == args->count)
        uv_close((uv_handle_t *)timer, NULL);
}

/* ---- telling ---- */

static int compare_us(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static json_t *to_json(const struct target *t)
{
    char addr[ADDR_TEXT_MAX];
    json_t *sites = json_array();
    for (uint32_t i = 0; i < t->site_count; i++)
        json_array_append_new(sites, json_pack("{s:s, s:i}", "site", t->sites[i].name, "answers",
                                               t->sites[i].answers));
    json_t *rtt = json_null();
    if (t->answered > 0)
        rtt = json_pack("{s:I, s:I, s:I}", "min", (json_int_t)t->rtt_us[0], "median",
                        (json_int_t)t->rtt_us[t->answered / 2], "max",
                        (json_int_t)t->rtt_us[t->answered - 1]);
    json_t *serial = t->has_serial ? json_integer(t->serial) : json_null();
    json_t *wrong = t->wrong[0] != '\0' ? json_string(t->wrong) : json_null();
    return json_pack("{s:s, s:i, s:s, s:i, s:i, s:i, s:i, s:o, s:o, s:o, s:s, s:o}", "address",
                     addr_host_text(&t->addr, addr), "port", addr_port(&t->addr), "transport",
                     t->tcp ? "tcp" : "udp", "asked", t->asked, "answered", t->answered, "right",
                     t->right, "flips", t->flips, "sites", sites, "rtt_us", rtt, "serial", serial,
                     "answer", t->what, "wrong", wrong);
}

static void sites_text(const struct target *t, char *buf, size_t cap)
{
    size_t at = 0;
    snprintf(buf, cap, "-");
    for (uint32_t i = 0; i < t->site_count && at < cap; i++)
        at +=
            (size_t)(t->site_count == 1 ? snprintf(buf + at, cap - at, "%s", t->sites[i].name)
                                        : snprintf(buf + at, cap - at, "%s%s %u", i > 0 ? ", " : "",
                                                   t->sites[i].name, t->sites[i].answers));
}

static void add_row(struct client_table *table, const struct target *t)
{
    char addr[ADDR_TEXT_MAX], sites[512], serial[32] = "";
    const char *sep = t->what[0] != '\0' && t->wrong[0] != '\0' ? ": " : "";
    sites_text(t, sites, sizeof sites);
    client_table_add(table, "%s", addr_text(&t->addr, addr));
    client_table_add(table, "%s", t->tcp ? "tcp" : "udp");
    client_table_add(table, "%s", sites);
    client_table_add(table, "%u/%u", t->asked - t->answered, t->asked);
    uint32_t middle = t->answered / 2;
    if (t->answered > 0)
        client_table_add(table, "%.2f / %.2f / %.2f", t->rtt_us[0] / 1000.0,
                         t->rtt_us[middle] / 1000.0, t->rtt_us[t->answered - 1] / 1000.0);
    else
        client_table_add(table, "-");
    if (t->has_serial)
        snprintf(serial, sizeof serial, " serial %u", t->serial);
    client_table_add(table, "%s%s%s%s", t->what, serial, sep, t->wrong);
}

static bool tell(struct target *targets, uint32_t count, bool as_json)
{
    bool good = true;
    json_t *list = json_array();
    struct client_table table;
    client_table_init(&table, 6);
    static const char *const heads[] = {
        "ADDRESS", "BY", "SITE", "LOST", "RTT MS", "ANSWER (rtt: least / median / most)"
    };
    for (uint32_t i = 0; i < 6; i++)
        client_table_add(&table, "%s", heads[i]);
    for (uint32_t i = 0; i < count; i++) {
        struct target *t = &targets[i];
        qsort(t->rtt_us, t->answered, sizeof *t->rtt_us, compare_us);
        good = good && t->right == t->asked && t->wrong[0] == '\0';
        if (as_json)
            json_array_append_new(list, to_json(t));
        add_row(&table, t);
    }
    if (as_json) {
        json_dumpf(list, stdout, JSON_INDENT(2));
        putchar('\n');
    } else {
        client_table_print(&table);
    }
    json_decref(list);
    return good;
}

static uint32_t make_targets(const struct probe_args *a, struct probe_client *client,
                             uv_loop_t *loop, struct target *targets)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < a->target_count; i++)
        for (int tcp = 0; tcp < 2; tcp++) {
            if (tcp ? !a->tcp : !a->udp)
                continue;
            struct target *t = &targets[count++];
            t->args = a;
            t->client = client;
            t->addr = a->targets[i];
            t->tcp = tcp != 0;
            t->rtt_us = base_calloc(a->count, sizeof *t->rtt_us);
            uv_timer_init(loop, &t->timer);
            t->timer.data = t;
            uv_timer_start(&t->timer, on_timer, 0, a->interval_ms);
        }
    return count;
}

int cmd_probe(int argc, char **argv)
{
    static struct probe_args a = {
        .type = DNS_TYPE_SOA, .count = 5, .interval_ms = 200, .timeout_ms = 2000
    };
    struct err e = { 0 };
    char text[512];
    uint64_t seed = 0;
    uv_loop_t loop;
    if (!parse(&a, argc, argv)) {
        fputs("perigee probe: 'perigee probe --help' shows the options\n", stderr);
        return CMD_USAGE;
    }
    if (a.help) {
        fputs(help, stdout);
        return CMD_DONE;
    }
    if (!a.has_name && !dns_name_from_text(&a.name, "id.server."))
        return CMD_REFUSED;
    if (getrandom(&seed, sizeof seed, 0) != sizeof seed || uv_loop_init(&loop) != 0) {
        fprintf(stderr, "perigee probe: the system gives no random numbers or no event loop\n");
        return CMD_REFUSED;
    }
    struct probe_client *client = probe_client_new(&loop, IN_FLIGHT_MAX, seed, &e);
    if (client == NULL) {
        fprintf(stderr, "perigee probe: %s\n", err_text(&e, text, sizeof text));
        return CMD_REFUSED;
    }
    struct target *targets = base_calloc(2 * TARGETS_MAX, sizeof *targets);
    uint32_t count = make_targets(&a, client, &loop, targets);
    uv_run(&loop, UV_RUN_DEFAULT);
    probe_client_free(client);
    uv_loop_close(&loop);
    bool good = tell(targets, count, a.json);
    for (uint32_t i = 0; i < count; i++)
        free(targets[i].rtt_us);
    free(targets);
    return good ? CMD_DONE : CMD_REFUSED;
}
