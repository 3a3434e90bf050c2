/* SPDX-License-Identifier: GPL-3.0-or-later */

/* `perigee status`, and its parts alone: neighbors, routes, zones. */
#include <inttypes.h>
#include <stdio.h>

#include "cmd/client.h"
#include "cmd/cmd.h"

static const json_t *list_of(const json_t *object, const char *key)
{
    return json_object_get(object, key);
}

static void print_serve(const json_t *s)
{
    char age[CLIENT_AGE_MAX];
    const json_t *serve = json_object_get(s, "serve"), *down = json_object_get(serve, "last_down");
    if (json_is_integer(json_object_get(serve, "pid")))
        printf("serve: pid %" PRId64 " for %s", client_number(serve, "pid"),
               client_age(json_object_get(serve, "since_ms"), age));
    else
        printf("serve: no process answers");
    if (json_is_integer(json_object_get(serve, "standby_pid")))
        printf(", standby pid %" PRId64, client_number(serve, "standby_pid"));
    else
        printf(", no standby");
    printf(", %" PRId64 " crashes in 10s; %" PRId64 " answers/s, %" PRId64 " queries/s\n",
           client_number(serve, "crashes_in_10s"), client_number(serve, "answers_per_s"),
           client_number(serve, "queries_per_s"));
    if (json_is_object(down))
        printf("       pid %" PRId64 " %s (%" PRId64 ") %s ago, repaired: %s\n",
               client_number(down, "pid"), client_text(down, "what"), client_number(down, "arg"),
               client_age(json_object_get(down, "age_ms"), age), client_text(down, "repaired"));
    if (json_is_string(json_object_get(serve, "standby_failed")))
        printf("       a standby failed its proof: %s\n", client_text(serve, "standby_failed"));
}

static void print_head(const json_t *s)
{
    char age[CLIENT_AGE_MAX];
    const json_t *drain = json_object_get(s, "drain");
    printf("%s (site %s), perigee %s, up %s%s%s\n", client_text(s, "node"), client_text(s, "site"),
           client_text(s, "version"), client_age(json_object_get(s, "uptime_ms"), age),
           json_is_true(json_object_get(s, "dry_run")) ? ", DRY RUN: nothing is announced" : "",
           json_is_true(json_object_get(s, "stopping")) ? ", STOPPING" : "");
    if (json_is_true(json_object_get(drain, "wanted"))) {
        const bool why = json_is_string(json_object_get(drain, "reason"));
        printf("drain: wanted%s%s%s, %s\n", why ? " (" : "",
               why ? client_text(drain, "reason") : "", why ? ")" : "",
               json_is_true(json_object_get(drain, "done")) ? "done" : "not done yet");
        if (!json_is_true(json_object_get(drain, "kept_over_restart")))
            printf("       a restart would forget it: %s\n", client_text(drain, "error"));
    }
    print_serve(s);
    if (client_number(s, "capacity") != 0)
        printf("capacity: %" PRId64 " answers/s%s\n", client_number(s, "capacity"),
               json_is_true(json_object_get(s, "over_capacity")) ? ", EXCEEDED" : "");
}

static void print_prefixes(const json_t *s)
{
    static const char *const head[] = { "PREFIX", "STATE", "SINCE", "EVIDENCE",
                                        "LEASE",  "TOLD",  "REASON" };
    struct client_table t;
    char since[CLIENT_AGE_MAX], evidence[CLIENT_AGE_MAX];
    size_t i;
    json_t *p;
    client_table_init(&t, 7);
    for (int k = 0; k < 7; k++)
        client_table_add(&t, "%s", head[k]);
    json_array_foreach(list_of(s, "prefixes"), i, p)
    {
        const char *now = client_text(p, "now");
        bool more = json_is_string(json_object_get(p, "now"));
        client_table_add(&t, "%s", client_text(p, "prefix"));
        client_table_add(&t, "%s", client_text(p, "state"));
        client_table_add(&t, "%s", client_age(json_object_get(p, "since_ms"), since));
        client_table_add(&t, "%s", client_age(json_object_get(p, "evidence_age_ms"), evidence));
        client_table_add(&t, "%" PRId64 "ms", client_number(p, "lease_ms"));
        client_table_add(&t, "%zu", json_array_size(list_of(p, "neighbors")));
        client_table_add(&t, "%s%s%s%s", client_text(p, "reason"), more ? " [now: " : "",
                         more ? now : "", more ? "]" : "");
    }
    fputc('\n', stdout);
    client_table_print(&t);
}

static void print_paths(const json_t *s)
{
    static const char *const head[] = { "ADDRESS", "BY",     "EVIDENCE", "RENEWED BY",
                                        "PROBED",  "RTT us", "STATE" };
    struct client_table t;
    char age[CLIENT_AGE_MAX], probed[CLIENT_AGE_MAX];
    int64_t lease_ms = 0; /* the longest: a path's own is not told */
    size_t i;
    json_t *p;
    json_array_foreach(list_of(s, "prefixes"), i, p)
    {
        if (client_number(p, "lease_ms") > lease_ms)
            lease_ms = client_number(p, "lease_ms");
    }
    client_table_init(&t, 7);
    for (int k = 0; k < 7; k++)
        client_table_add(&t, "%s", head[k]);
    json_array_foreach(list_of(s, "paths"), i, p)
    {
        const char *text = client_text(p, "fault_text");
        client_table_add(&t, "%s", client_text(p, "address"));
        client_table_add(&t, "%s", client_text(p, "transport"));
        client_table_add(&t, "%s", client_age(json_object_get(p, "evidence_age_ms"), age));
        client_table_add(&t, "%s", client_text(p, "evidence_by"));
        client_table_add(&t, "%s", client_age(json_object_get(p, "probed_age_ms"), probed));
        client_table_add(&t, "%" PRId64, client_number(p, "rtt_us"));
        if (json_is_string(json_object_get(p, "fault_text")))
            client_table_add(&t, "%s: %s", client_text(p, "fault"), text);
        else
            client_table_add(&t, "%s",
                             !json_is_true(json_object_get(p, "proven")) ? "not proven yet"
                             : client_number(p, "evidence_age_ms") > lease_ms
                                 ? "no answer: the proof ran out"
                                 : "proven");
    }
    fputc('\n', stdout);
    client_table_print(&t);
}

static void print_neighbors(const json_t *s)
{
    static const char *const head[] = { "NEIGHBOR", "AS",     "STATE",     "SINCE",
                                        "HOLD",     "ROUTES", "LAST ERROR" };
    struct client_table t;
    char age[CLIENT_AGE_MAX];
    size_t i;
    json_t *n;
    client_table_init(&t, 7);
    for (int k = 0; k < 7; k++)
        client_table_add(&t, "%s", head[k]);
    json_array_foreach(list_of(s, "neighbors"), i, n)
    {
        client_table_add(&t, "%s", client_text(n, "neighbor"));
        client_table_add(&t, "%" PRId64, client_number(n, "as"));
        client_table_add(&t, "%s", client_text(n, "state"));
        client_table_add(&t, "%s", client_age(json_object_get(n, "since_ms"), age));
        client_table_add(&t, "%" PRId64 "s", client_number(n, "hold_time_s"));
        client_table_add(&t, "%" PRId64 " out, %" PRId64 " seen", client_number(n, "routes_out"),
                         client_number(n, "routes_seen"));
        client_table_add(&t, "%s", client_text(n, "last_error"));
    }
    client_table_print(&t);
}

static void print_zones(const json_t *s)
{
    struct client_table t;
    char age[CLIENT_AGE_MAX];
    const json_t *zones = json_object_get(s, "zones");
    size_t i;
    json_t *z;
    client_table_init(&t, 3);
    client_table_add(&t, "ZONE");
    client_table_add(&t, "SERIAL");
    client_table_add(&t, "DENIAL");
    json_array_foreach(list_of(zones, "zones"), i, z)
    {
        client_table_add(&t, "%s", client_text(z, "zone"));
        client_table_add(&t, "%" PRId64, client_number(z, "serial"));
        client_table_add(&t, "%s", client_text(z, "denial"));
    }
    client_table_print(&t);
    int64_t count = client_number(zones, "count"),
            shown = (int64_t)json_array_size(list_of(zones, "zones"));
    if (shown < count)
        printf("and %" PRId64 " more zones\n", count - shown);
    printf("version %" PRId64 ", loaded %s ago\n", client_number(zones, "version"),
           client_age(json_object_get(zones, "age_ms"), age));
    if (json_is_string(json_object_get(zones, "reload_error")))
        printf("the last reload was refused: %s\n", client_text(zones, "reload_error"));
}

static void print_fleet(const json_t *s)
{
    struct client_table t;
    char age[CLIENT_AGE_MAX];
    size_t i, k;
    json_t *n, *p;
    if (json_array_size(list_of(s, "fleet")) == 0)
        return;
    client_table_init(&t, 5);
    client_table_add(&t, "NODE");
    client_table_add(&t, "SITE");
    client_table_add(&t, "HEARD");
    client_table_add(&t, "ANSWERS/S");
    client_table_add(&t, "PREFIXES");
    json_array_foreach(list_of(s, "fleet"), i, n)
    {
        char text[400] = "-";
        size_t used = 0;
        json_array_foreach(list_of(n, "prefixes"), k, p)
        {
            if (used + 80 < sizeof text)
                used += (size_t)snprintf(text + used, sizeof text - used, "%s%s %s", k ? ", " : "",
                                         client_text(p, "prefix"), client_text(p, "state"));
        }
        client_table_add(&t, "%s", client_text(n, "node"));
        client_table_add(&t, "%s", client_text(n, "site"));
        client_table_add(&t, "%s%s", client_age(json_object_get(n, "heard_age_ms"), age),
                         json_is_true(json_object_get(n, "heard")) ? "" : " (lost)");
        client_table_add(&t, "%" PRId64, client_number(n, "answers_per_s"));
        client_table_add(&t, "%s", text);
    }
    fputc('\n', stdout);
    client_table_print(&t);
}

static void print_status(const json_t *s)
{
    print_head(s);
    print_prefixes(s);
    print_paths(s);
    fputc('\n', stdout);
    print_neighbors(s);
    fputc('\n', stdout);
    print_zones(s);
    print_fleet(s);
}

static void print_routes(const json_t *s)
{
    struct client_table t;
    char line[300];
    size_t i, k;
    json_t *r, *as;
    client_table_init(&t, 5);
    client_table_add(&t, "OUT");
    client_table_add(&t, "NEIGHBOR");
    client_table_add(&t, "STATE");
    client_table_add(&t, "ATTRIBUTES");
    client_table_add(&t, "REASON");
    json_array_foreach(list_of(s, "out"), i, r)
    {
        bool out = json_is_true(json_object_get(r, "announced")),
             wanted = json_is_true(json_object_get(r, "wanted"));
        size_t used =
            (size_t)snprintf(line, sizeof line, "prepend %" PRId64, client_number(r, "prepend"));
        json_array_foreach(list_of(r, "communities"), k, as)
        {
            if (used + 40 < sizeof line)
                used +=
                    (size_t)snprintf(line + used, sizeof line - used, " %s", json_string_value(as));
        }
        client_table_add(&t, "%s", client_text(r, "prefix"));
        client_table_add(&t, "%s", client_text(r, "neighbor"));
        client_table_add(&t, "%s", out && wanted ? "announced" : wanted ? "waits" : "withdrawn");
        client_table_add(&t, "%s", line);
        client_table_add(&t, "%s", client_text(r, "reason"));
    }
    client_table_print(&t);
    if (json_array_size(list_of(s, "seen")) == 0)
        return;
    client_table_init(&t, 5);
    client_table_add(&t, "SEEN");
    client_table_add(&t, "NEIGHBOR");
    client_table_add(&t, "RELATION");
    client_table_add(&t, "OTHER SITE");
    client_table_add(&t, "PATH");
    json_array_foreach(list_of(s, "seen"), i, r)
    {
        size_t used = 0;
        line[0] = '\0';
        json_array_foreach(list_of(r, "path"), k, as)
        {
            if (used + 20 < sizeof line)
                used += (size_t)snprintf(line + used, sizeof line - used, "%s%" JSON_INTEGER_FORMAT,
                                         k ? " " : "", json_integer_value(as));
        }
        client_table_add(&t, "%s", client_text(r, "prefix"));
        client_table_add(&t, "%s", client_text(r, "neighbor"));
        client_table_add(&t, "%s", client_text(r, "relation"));
        client_table_add(&t, "%s", client_text(r, "other_site"));
        client_table_add(&t, "%s", line);
    }
    fputc('\n', stdout);
    client_table_print(&t);
}

static int view(int argc, char **argv, void (*print)(const json_t *), const char *help)
{
    struct client_options o;
    int status = client_options_parse(&o, argc, argv, "json", help);
    if (status != CLIENT_DONE)
        return status;
    json_t *reply = client_ask(&o, argv[0], &status);
    if (reply != NULL && !o.json)
        print(reply);
    json_decref(reply);
    return status;
}

#define VIEW_HELP(command, what)                                                                   \
    "usage: perigee " command " [--json] [-s SOCKET | -c FILE [--node NAME]]\n" what "\n"

int cmd_status(int argc, char **argv)
{
    return view(argc, argv, print_status,
                VIEW_HELP("status",
                          "each prefix with its state and reason, each neighbor, each zone, the "
                          "serving processes, the other nodes"));
}

int cmd_neighbors(int argc, char **argv)
{
    return view(argc, argv, print_neighbors, VIEW_HELP("neighbors", "the BGP sessions"));
}

int cmd_routes(int argc, char **argv)
{
    return view(argc, argv, print_routes,
                VIEW_HELP("routes", "what is announced to whom, and what others announce of it"));
}

int cmd_zones(int argc, char **argv)
{
    return view(argc, argv, print_zones, VIEW_HELP("zones", "the zones that are answered"));
}
