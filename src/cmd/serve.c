/* SPDX-License-Identifier: GPL-3.0-or-later */

/* `perigee serve`: just the server. Guard, serve and its standby; no control, no announcement. */
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/secret_file.h"
#include "cmd/cmd.h"
#include "dns/name.h"
#include "guard/guard.h"
#include "serve/link.h"

static const char serve_help[] =
    "usage: perigee serve --listen ADDR[@PORT] ... --zone ORIGIN=FILE ... [options]\n"
    "answers from zone files until SIGTERM; SIGHUP loads them again\n"
    "      --listen ADDR[@PORT]  by UDP and TCP; port 53 if none is given; 0.0.0.0 and :: are all\n"
    "      --zone ORIGIN=FILE    a master file; the root's origin is a dot\n"
    "      --nsid TEXT           said to those who ask (NSID, and CHAOS TXT id.server)\n"
    "      --workers N           threads; one per processor if not given\n"
    "      --interface NAME      put the addresses there (lo), take them away at the end\n"
    "      --user NAME           answer as this user, without privilege\n"
    "      --tcp-clients N       connections at one time, 1024 if not given\n"
    "      --tcp-idle-ms N       an idle one is closed after this, 10000 if not given\n"
    "      --cookie-secrets FILE shared secrets of DNS cookies, 32 hexadecimal digits a line;\n"
    "                            random ones if not given\n";

struct serve_args {
    struct guard_options o;
    struct guard_service service[GUARD_SERVICES_MAX];
    struct guard_zone *zone;
    const char *interface; /* to put the addresses on; NULL: they are there */
    uint32_t errors;
};

static void complain(struct serve_args *a, const char *what, const char *value, const char *hint)
{
    fprintf(stderr, "perigee serve: %s '%s'; %s\n", what, value, hint);
    a->errors++;
}

static bool is_given(const struct serve_args *a, const union addr *addr)
{
    char text[ADDR_TEXT_MAX], other[ADDR_TEXT_MAX];
    addr_text(addr, text);
    for (uint32_t i = 0; i < a->o.service_count; i++)
        if (strcmp(addr_text(&a->service[i].at, other), text) == 0)
            return true;
    return false;
}

static void add_listen(struct serve_args *a, const char *text)
{
    if (a->o.service_count == GUARD_SERVICES_MAX)
        complain(a, "one address too many:", text, "64 are the most");
    else if (!addr_parse(&a->service[a->o.service_count].at, text, 53))
        complain(a, "--listen wants ADDR or ADDR@PORT, not", text,
                 "for example 192.0.2.1, 127.0.0.1@5300 or ::1@5300");
    else if (is_given(a, &a->service[a->o.service_count].at))
        complain(a, "--listen given twice:", text, "once is enough");
    else
        a->o.service_count++;
}

static void add_zone(struct serve_args *a, char *text)
{
    struct dns_name name;
    char *file = strchr(text, '=');
    if (file == NULL || file[1] == '\0') {
        complain(a, "--zone wants ORIGIN=FILE, not", text,
                 "for example example.com=examples/example.com.zone");
        return;
    }
    *file++ = '\0';
    if (!dns_name_from_text(&name, text)) {
        complain(a, "--zone: this is no domain name:", text, "the root is written as a dot");
        return;
    }
    a->zone = base_realloc(a->zone, (a->o.zone_count + (size_t)1) * sizeof *a->zone);
    a->zone[a->o.zone_count++] = (struct guard_zone){ .origin = text, .file = file };
}

/* Once here, so that a mistake is told at once; the loader reads it again. */
static void add_cookies(struct serve_args *a, const char *path)
{
    uint8_t secrets[SERVE_COOKIE_SECRETS_MAX][SERVE_COOKIE_SECRET_LEN];
    struct err e = { 0 };
    a->o.cookie_file = path;
    if (secret_file_read(path, secrets[0], SERVE_COOKIE_SECRET_LEN, SERVE_COOKIE_SECRETS_MAX, &e) ==
        0) {
        fprintf(stderr, "perigee serve: %s%s%s\n", e.what, e.hint[0] != '\0' ? "; " : "", e.hint);
        a->errors++;
    }
    explicit_bzero(secrets, sizeof secrets);
}

static uint32_t number(struct serve_args *a, const char *option, const char *text, uint32_t max)
{
    char *end;
    unsigned long v = strtoul(text, &end, 10);
    if (text[0] >= '0' && text[0] <= '9' && *end == '\0' && v >= 1 && v <= max)
        return (uint32_t)v;
    char hint[64];
    snprintf(hint, sizeof hint, "use 1 to %u", max);
    complain(a, option, text, hint);
    return 0;
}

static void parse(struct serve_args *a, int argc, char **argv)
{
    enum { LISTEN = 256, ZONE, NSID, WORKERS, USER, INTERFACE, CLIENTS, IDLE, COOKIES };
    static const struct option options[] = {
        { "listen", required_argument, NULL, LISTEN },
        { "zone", required_argument, NULL, ZONE },
        { "nsid", required_argument, NULL, NSID },
        { "workers", required_argument, NULL, WORKERS },
        { "user", required_argument, NULL, USER },
        { "interface", required_argument, NULL, INTERFACE },
        { "tcp-clients", required_argument, NULL, CLIENTS },
        { "tcp-idle-ms", required_argument, NULL, IDLE },
        { "cookie-secrets", required_argument, NULL, COOKIES },
        { NULL, 0, NULL, 0 },
    };
    int c;
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (c) {
        case LISTEN:
            add_listen(a, optarg);
            break;
        case ZONE:
            add_zone(a, optarg);
            break;
        case NSID:
            a->o.nsid = (const uint8_t *)optarg;
            a->o.nsid_len = (uint32_t)strlen(optarg);
            if (a->o.nsid_len > SERVE_NSID_MAX)
                complain(a, "this NSID is too long:", optarg, "128 bytes are the most");
            break;
        case WORKERS:
            a->o.workers = number(a, "--workers: not", optarg, SERVE_WORKERS_MAX);
            break;
        case USER:
            a->o.user = optarg;
            break;
        case INTERFACE:
            a->interface = optarg;
            break;
        case CLIENTS:
            a->o.tcp_clients_max = number(a, "--tcp-clients: not", optarg, 100000);
            break;
        case IDLE:
            a->o.tcp_idle_ms = number(a, "--tcp-idle-ms: not", optarg, 3600000);
            break;
        case COOKIES:
            add_cookies(a, optarg);
            break;
        default: /* getopt has said what */
            a->errors++;
        }
    }
    for (; optind < argc; optind++)
        complain(a, "what is", argv[optind], "options begin with --");
}

int cmd_serve(int argc, char **argv)
{
    static struct serve_args a = { .o = { .config_fd = -1 } };
    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        fputs(serve_help, stdout);
        return CMD_DONE;
    }
    parse(&a, argc, argv);
    if (a.errors == 0 && a.o.service_count == 0)
        complain(&a, "no address to answer at:", "--listen", "give it once or more often");
    if (a.errors == 0 && a.o.zone_count == 0)
        complain(&a, "no zone to answer from:", "--zone", "give it once or more often");
    if (a.errors != 0) {
        fputs("perigee serve: 'perigee serve --help' shows the options\n", stderr);
        return CMD_USAGE;
    }
    for (uint32_t i = 0; i < a.o.service_count; i++)
        a.service[i].interface = a.interface;
    a.o.services = a.service;
    a.o.zones = a.zone;
    a.o.cookies_random = a.o.cookie_file == NULL;
    log_init("guard", LOG_LEVEL_INFO);
    return guard_run(&a.o);
}
