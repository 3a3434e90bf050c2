/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Reads scenarios. */
#include <stdio.h>
#include <string.h>

#include "lab/step.h"

static const struct {
    const char *name;
    enum step_verb verb;
    bool place; /* needs `at` */
} verbs[] = {
    { "wait", STEP_WAIT, false },
    { "kill-serve", STEP_KILL_SERVE, true },
    { "stop-worker", STEP_STOP_WORKER, true },
    { "stop-serve", STEP_STOP_SERVE, true },
    { "crash-loop", STEP_CRASH_LOOP, true },
    { "stop-control", STEP_STOP_CONTROL, true },
    { "drain", STEP_DRAIN, true },
    { "stop-node", STEP_STOP_NODE, true },
    { "kill-node", STEP_KILL_NODE, true },
    { "cut-host", STEP_CUT_HOST, true },
    { "overload", STEP_OVERLOAD, true },
    { "flood", STEP_FLOOD, false },
};

const char *step_verb_name(enum step_verb v)
{
    for (size_t i = 0; i < BASE_COUNT(verbs); i++)
        if (verbs[i].verb == v)
            return verbs[i].name;
    return "?";
}

static bool is_region(const struct lab_topo *t, const char *name)
{
    for (uint32_t i = 0; i < t->region_count; i++)
        if (strcmp(t->regions[i], name) == 0)
            return true;
    return false;
}

static void read_verb(struct yml *y, yml_node map, struct lab_topo *t, struct step *s)
{
    yml_node n = yml_need(y, map, "do");
    const char *text = yml_text(y, n);
    bool known = false, place = false;
    for (size_t i = 0; text != NULL && i < BASE_COUNT(verbs); i++)
        if (strcmp(verbs[i].name, text) == 0) {
            known = true;
            s->verb = verbs[i].verb;
            place = verbs[i].place;
        }
    if (text != NULL && !known) {
        char hint[160] = "one of";
        for (size_t i = 0; i < BASE_COUNT(verbs); i++)
            snprintf(hint + strlen(hint), sizeof hint - strlen(hint), " %s", verbs[i].name);
        yml_error(y, n, hint, "nothing called '%.40s' can be done", text);
    }
    yml_node at = place ? yml_need(y, map, "at") : yml_get(y, map, "at");
    const char *where = yml_text(y, at);
    if (where == NULL)
        return;
    const struct lab_host *h = lab_topo_find(t, where);
    if ((h != NULL && h->kind == LAB_NODE) || lab_topo_site(t, where) || is_region(t, where))
        snprintf(s->at, sizeof s->at, "%s", where);
    else
        yml_error(y, at, "the topology has their names", "'%.40s' is no node, site or region",
                  where);
}

static int64_t limit(struct yml *y, yml_node map, const char *key)
{
    yml_node n = yml_get(y, map, key);
    return n == NULL ? -1 : (int64_t)yml_u32(y, n, 0, 100000000, 0);
}

static int64_t limit_ms(struct yml *y, yml_node map, const char *key)
{
    yml_node n = yml_get(y, map, key);
    return n == NULL ? -1 : (int64_t)(yml_time_us(y, n, 0) / 1000);
}

/* {europe: 99, asia: 20}: percent by region. */
static void read_shares(struct yml *y, yml_node map, const struct lab_topo *t,
                        int32_t out[LAB_REGIONS_MAX])
{
    const char *names[LAB_REGIONS_MAX + 1] = { NULL };
    for (uint32_t i = 0; i < t->region_count; i++) {
        yml_node n = yml_get(y, map, t->regions[i]);
        names[i] = t->regions[i];
        out[i] = n == NULL ? -1 : (int32_t)yml_u32(y, n, 0, 100, 0);
    }
    yml_keys(y, map, names);
}

static void read_expect(struct yml *y, yml_node map, struct lab_topo *t, struct step *s)
{
    static const char *const keys[] = {
        "lost",     "lost_least",    "late", "updates",     "updates_least",
        "outage",   "withdrawn",     "to",   "longer_path", "graceful_shutdown",
        "answered", "answered_most", NULL
    };
    if (map != NULL)
        yml_keys(y, map, keys);
    s->lost_max = limit(y, map, "lost");
    s->lost_min = limit(y, map, "lost_least");
    s->late_ms = limit_ms(y, map, "late");
    s->updates_max = limit(y, map, "updates");
    s->updates_min = limit(y, map, "updates_least");
    s->outage_ms_max = limit_ms(y, map, "outage");
    s->withdrawn_ms_max = limit_ms(y, map, "withdrawn");
    s->longer_path = yml_bool(y, yml_get(y, map, "longer_path"), false);
    s->graceful = yml_bool(y, yml_get(y, map, "graceful_shutdown"), false);
    read_shares(y, yml_get(y, map, "answered"), t, s->answered_min);
    read_shares(y, yml_get(y, map, "answered_most"), t, s->answered_max);
    yml_node to = yml_get(y, map, "to");
    const char *site = yml_text(y, to);
    if (site != NULL && lab_topo_site(t, site) == NULL)
        yml_error(y, to, NULL, "there is no site '%.40s'", site);
    else if (site != NULL)
        snprintf(s->to, sizeof s->to, "%s", site);
}

/* {bots-eu: 3000, bots-as: 12000}: queries a second of each. */
static void read_bots(struct yml *y, yml_node map, const struct lab_topo *t, struct step *s)
{
    const char *names[LAB_HOSTS_MAX + 1];
    uint32_t known = 0;
    for (uint32_t i = 0; i < t->host_count; i++) {
        if (t->hosts[i].kind != LAB_BOT)
            continue;
        yml_node n = yml_get(y, map, t->hosts[i].name);
        names[known++] = t->hosts[i].name;
        if (n == NULL)
            continue;
        if (s->bot_count == STEP_BOTS_MAX) {
            yml_error(y, map, NULL, "more than %d bots in a step", STEP_BOTS_MAX);
            return;
        }
        s->bot_qps[s->bot_count] = yml_u32(y, n, 1, 1000000, 1);
        snprintf(s->bots[s->bot_count++], sizeof s->bots[0], "%s", t->hosts[i].name);
    }
    names[known] = NULL;
    yml_keys(y, map, names);
}

static void read_step(struct yml *y, yml_node map, struct lab_topo *t, struct step *s)
{
    static const char *const keys[] = { "title", "do", "at", "for", "bots", "cap", "expect", NULL };
    memset(s, 0, sizeof *s);
    yml_keys(y, map, keys);
    read_verb(y, map, t, s);
    const char *title = yml_text(y, yml_get(y, map, "title"));
    snprintf(s->title, sizeof s->title, "%s", title ? title : step_verb_name(s->verb));
    s->for_us = yml_time_us(y, yml_get(y, map, "for"), 2000000);
    s->cap_bps = yml_rate(y, yml_get(y, map, "cap"), 0);
    read_bots(y, yml_get(y, map, "bots"), t, s);
    if ((s->verb == STEP_OVERLOAD || s->verb == STEP_FLOOD) && s->bot_count == 0)
        yml_error(y, map, "bots: {bots-eu: 3000}", "%s needs 'bots'", step_verb_name(s->verb));
    if (s->verb == STEP_FLOOD && s->cap_bps == 0)
        yml_error(y, map, "cap: 5mbit", "flood needs 'cap'");
    read_expect(y, yml_get(y, map, "expect"), t, s);
}

bool scenario_read(struct yml *y, yml_node root, struct lab_topo *t, struct scenario *out)
{
    static const char *const keys[] = { "scenario", "queries_per_second", "steps", NULL };
    memset(out, 0, sizeof *out);
    yml_keys(y, root, keys);
    const char *name = yml_text(y, yml_get(y, root, "scenario"));
    snprintf(out->name, sizeof out->name, "%s", name ? name : "");
    out->qps = yml_u32(y, yml_get(y, root, "queries_per_second"), 1, 100000, 1000);
    yml_node steps = yml_need(y, root, "steps");
    uint32_t count = yml_count(y, steps);
    if (count > STEPS_MAX)
        yml_error(y, steps, NULL, "more than %d steps", STEPS_MAX);
    for (uint32_t i = 0; i < count && i < STEPS_MAX; i++)
        read_step(y, yml_at(y, steps, i), t, &out->steps[out->count++]);
    return y->errors == 0;
}
