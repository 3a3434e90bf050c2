/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Servers without an address: the commonest mistake in delegations. For a million of them this must be
 * cheap, so the two usual places are looked at before the stage is searched: right behind the cut, where
 * its glue stands, and the servers that were found last, which many delegations share. */
#include "zone/servers.h"

#include "dns/type.h"
#include "zone/errors.h"

#define NEAR 8 /* runs behind the cut that are looked at first */

struct key {
    uint8_t at[DNS_KEY_MAX];
    size_t len;
};

static int compare(const struct zone_stage *s, size_t i, const struct key *key)
{
    const struct zone_stage_run *r = zone_stage_run_at(s, i);
    int c = memcmp(zone_stage_key(r), key->at, r->key_len < key->len ? r->key_len : key->len);
    return c != 0 ? c : (r->key_len > key->len) - (r->key_len < key->len);
}

/* The first run of this name; stage->runs: there is none. */
static size_t find(const struct zone_stage *s, const struct key *key, size_t near)
{
    for (size_t i = near; i < near + NEAR && i < s->runs; i++)
        if (compare(s, i, key) == 0)
            return i;
    size_t lo = 0, hi = s->runs;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (compare(s, mid, key) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < s->runs && compare(s, lo, key) == 0 ? lo : s->runs;
}

/* Whether a run of this name, of which `i` is the first, has a record of this type. */
static bool owns(const struct zone_stage *s, const struct key *key, size_t i, uint16_t type)
{
    for (; i < s->runs && compare(s, i, key) == 0; i++) {
        const struct zone_stage_run *run = zone_stage_run_at(s, i);
        const struct zone_stage_record *rec = zone_stage_first(run);
        for (uint32_t k = 0; k < run->records; k++, rec = zone_stage_after(rec))
            if (rec->type == type)
                return true;
    }
    return false;
}

/* A wildcard that could give the name an address; where none can be meant it costs a search a label. */
static bool has_wildcard(const struct zone_stage *s, const struct key *key)
{
    struct key wild = *key;
    for (size_t len = key->len; len-- > 0;) {
        if (len != 0 && key->at[len - 1] != 0)
            continue;
        wild.at[len] = '*';
        wild.at[len + 1] = 0;
        wild.len = len + 2;
        size_t i = find(s, &wild, s->runs);
        if (owns(s, &wild, i, DNS_TYPE_A) || owns(s, &wild, i, DNS_TYPE_AAAA) ||
            owns(s, &wild, i, DNS_TYPE_CNAME))
            return true;
    }
    return false;
}

static bool has_address(const struct zone_stage *s, const struct key *key, size_t near)
{
    size_t i = find(s, key, near);
    return owns(s, key, i, DNS_TYPE_A) || owns(s, key, i, DNS_TYPE_AAAA) || has_wildcard(s, key);
}

/* The server was found with an address not long ago. */
static bool *remembered(struct zone_build *b, const struct dns_name *server)
{
    uint32_t h = 0;
    for (unsigned i = 0; i < server->len; i++)
        h = (h ^ server->wire[i]) * 16777619u;
    struct zone_build_server *row = &b->server[h % BUILD_SERVERS];
    if (row->name.len != server->len || memcmp(row->name.wire, server->wire, server->len) != 0) {
        row->name = *server;
        row->has_address = false;
    }
    return &row->has_address;
}

/* The whole name of a run's owner, for messages; returns `buf`. */
static const char *owner_text(const struct zone_build *b, const struct zone_stage_run *run,
                              char buf[DNS_TEXT_MAX])
{
    struct zone_build_node n = { .name = zone_stage_name(run), .name_len = run->name_len };
    return zone_build_owner_text(b, &n, buf);
}

static void check_server(struct zone_build *b, const struct zone_stage *stage, size_t at,
                         const struct zone_stage_record *rec, const char *file)
{
    struct dns_name server;
    struct rd r = rd_init(zone_stage_rdata(rec), rec->len);
    if (!dns_name_parse(&server, &r) || !dns_name_is_under(&server, b->origin))
        return;
    bool *known = remembered(b, &server);
    if (*known)
        return;
    struct key key;
    key.len = zone_image_key(server.wire, (size_t)server.len - b->origin->len, key.at);
    *known = has_address(stage, &key, at);
    if (*known)
        return;
    char owner[DNS_TEXT_MAX], text[DNS_TEXT_MAX];
    zone_errors_add(b->errs, true, file, rec->line,
                    "add an A or AAAA record for it, or is a final dot missing?",
                    "the server %s of %s has no address in the zone", dns_name_text(&server, text),
                    owner_text(b, zone_stage_run_at(stage, at), owner));
}

/* Checks a run's NS records; returns whether names below its owner are occluded by it. */
static bool check_run(struct zone_build *b, const struct zone_stage *stage, size_t at,
                      const char *const *file_names)
{
    const struct zone_stage_run *run = zone_stage_run_at(stage, at);
    const struct zone_stage_record *rec = zone_stage_first(run);
    bool occludes = false;
    for (uint32_t k = 0; k < run->records; k++, rec = zone_stage_after(rec)) {
        if (rec->type == DNS_TYPE_NS)
            check_server(b, stage, at, rec, file_names[run->file]);
        occludes |= rec->type == DNS_TYPE_DNAME || (rec->type == DNS_TYPE_NS && run->key_len != 0);
    }
    return occludes;
}

void zone_servers_check(struct zone_build *b, const struct zone_stage *stage,
                        const char *const *file_names)
{
    const struct zone_stage_run *above = NULL; /* the cut or DNAME that occludes */
    memset(b->server, 0, BUILD_SERVERS * sizeof *b->server);
    for (size_t i = 0; i < stage->runs; i++) {
        const struct zone_stage_run *run = zone_stage_run_at(stage, i);
        if (above != NULL && run->key_len > above->key_len &&
            memcmp(zone_stage_key(run), zone_stage_key(above), above->key_len) == 0)
            continue;
        bool same = above != NULL && run->key_len == above->key_len &&
                    memcmp(zone_stage_key(run), zone_stage_key(above), run->key_len) == 0;
        if (check_run(b, stage, i, file_names))
            above = run;
        else if (!same)
            above = NULL;
    }
}
