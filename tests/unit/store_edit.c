/* SPDX-License-Identifier: GPL-3.0-or-later */
/* zone/edit.h, small and slow: each commit builds all zones anew from text. */
#include "zone/edit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/assert.h"
#include "dns/type.h"
#include "zone/errors.h"

struct rec {
    struct dns_name owner;
    uint16_t type, len;
    uint32_t ttl_s;
    uint8_t *rdata;
};

struct zone_whole {
    struct dns_name origin;
    struct rec *rec;
    size_t count;
};

struct zone_edit {
    struct zone_whole *zone[64];
    size_t zones;
    struct zone_set *set, *pending;
    uint64_t version;
};

static void rec_add(struct zone_whole *w, const struct dns_name *owner, uint16_t type,
                    uint32_t ttl_s, const uint8_t *rdata, uint16_t len)
{
    w->rec = base_realloc(w->rec, (w->count + 1) * sizeof *w->rec);
    struct rec *r = &w->rec[w->count++];
    *r = (struct rec){ .owner = *owner, .type = type, .len = len, .ttl_s = ttl_s };
    r->rdata = base_alloc(len + 1u);
    memcpy(r->rdata, rdata, len);
}

struct zone_whole *zone_whole_new(const struct dns_name *origin)
{
    struct zone_whole *w = base_calloc(1, sizeof *w);
    w->origin = *origin;
    return w;
}

void zone_whole_free(struct zone_whole *w)
{
    for (size_t i = 0; w != NULL && i < w->count; i++)
        free(w->rec[i].rdata);
    if (w != NULL)
        free(w->rec);
    free(w);
}

bool zone_whole_add(struct zone_whole *w, const struct dns_name *owner, uint16_t type,
                    uint32_t ttl_s, const uint8_t *rdata, uint16_t len, struct zone_errors *errs)
{
    (void)errs;
    rec_add(w, owner, type, ttl_s, rdata, len);
    return true;
}

static void build(struct zone_whole *const *zone, size_t zones, int fd)
{
    static struct zone_errors errs;
    struct zone_source source[64] = { 0 };
    char path[64][32], origin[64][DNS_TEXT_MAX], owner[DNS_TEXT_MAX];
    int text[64];
    memset(&errs, 0, sizeof errs);
    for (size_t i = 0; i < zones; i++) {
        text[i] = memfd_create("text", 0);
        FILE *f = fdopen(dup(text[i]), "w");
        for (size_t k = 0; k < zone[i]->count; k++) {
            const struct rec *r = &zone[i]->rec[k];
            fprintf(f, "%s %u TYPE%u \\# %u ", dns_name_text(&r->owner, owner), r->ttl_s, r->type,
                    r->len);
            for (unsigned b = 0; b < r->len; b++)
                fprintf(f, "%02x", r->rdata[b]);
            fprintf(f, "\n");
        }
        fclose(f);
        snprintf(path[i], sizeof path[i], "/proc/self/fd/%d", text[i]);
        source[i] = (struct zone_source){ .origin = dns_name_text(&zone[i]->origin, origin[i]),
                                          .path = path[i] };
    }
    bool good = zone_build_image(source, (uint32_t)zones, fd, &errs);
    if (!good)
        fprintf(stderr, "%s\n", errs.at[0].what);
    base_assert(good);
    for (size_t i = 0; i < zones; i++)
        close(text[i]);
}

static struct zone_set *build_set(struct zone_whole *const *zone, size_t zones)
{
    struct err e = { 0 };
    int fd = zone_image_memfd(&e);
    build(zone, zones, fd);
    struct zone_set *s = zone_set_map(fd, &e);
    close(fd);
    base_assert(s != NULL);
    return s;
}

struct zone_edit *zone_edit_new(uint64_t last_version, struct err *e)
{
    (void)e;
    struct zone_edit *ed = base_calloc(1, sizeof *ed);
    ed->version = last_version;
    ed->set = build_set(NULL, 0);
    return ed;
}

static void read_items(struct zone_whole *w, const struct dns_name *owner, uint16_t type,
                       uint32_t ttl_s, const uint8_t *p, uint32_t len)
{
    for (uint32_t at = 0; at < len;) {
        uint16_t n = (uint16_t)(p[at] << 8 | p[at + 1]);
        rec_add(w, owner, type, ttl_s, p + at + 2, n);
        at += 2u + n;
    }
}

static void read_set(struct zone_edit *ed, const struct zone_set *s)
{
    for (uint32_t i = 0; i < zone_set_count(s); i++) {
        const struct zone *z = zone_set_at(s, i);
        struct dns_name name;
        zone_origin(z, &name);
        struct zone_whole *w = zone_whole_new(&name);
        for (const struct zone_node *n = zone_apex(z); n != NULL; n = zone_node_after(z, n)) {
            struct zone_rrset r;
            uint32_t pos = 0;
            zone_node_name(z, n, &name);
            while (zone_node_next(z, n, &pos, &r))
                read_items(w, &name, r.type, r.ttl_s, r.rdata, r.rdata_len);
        }
        ed->zone[ed->zones++] = w;
    }
}

struct zone_edit *zone_edit_from(int fd, uint64_t last_version, struct err *e)
{
    struct zone_set *s = zone_set_map(fd, e);
    if (s == NULL)
        return NULL;
    struct zone_edit *ed = zone_edit_new(last_version, e);
    read_set(ed, s);
    zone_set_free(ed->set);
    ed->set = s;
    return ed;
}

void zone_edit_free(struct zone_edit *ed)
{
    if (ed == NULL)
        return;
    for (size_t i = 0; i < ed->zones; i++)
        zone_whole_free(ed->zone[i]);
    zone_set_free(ed->set);
    zone_set_free(ed->pending);
    free(ed);
}

const struct zone_set *zone_edit_set(const struct zone_edit *ed)
{
    return ed->set;
}

static size_t place_of(const struct zone_edit *ed, const struct dns_name *origin)
{
    size_t i = 0;
    while (i < ed->zones && !dns_name_equal(&ed->zone[i]->origin, origin))
        i++;
    return i;
}

bool zone_edit_change(struct zone_edit *ed, const struct dns_name *origin,
                      const struct zone_change *c, uint32_t count, struct zone_errors *errs)
{
    size_t at = place_of(ed, origin);
    base_assert(at < ed->zones);
    struct zone_whole *w = ed->zone[at];
    for (uint32_t i = 0; i < count; i++, c++) {
        if (c->add) {
            rec_add(w, c->owner, c->type, c->ttl_s, c->rdata, c->len);
            continue;
        }
        size_t k = 0;
        while (k < w->count && !(w->rec[k].type == c->type && w->rec[k].len == c->len &&
                                 dns_name_equal(&w->rec[k].owner, c->owner) &&
                                 memcmp(w->rec[k].rdata, c->rdata, c->len) == 0))
            k++;
        if (k == w->count) {
            zone_errors_add(errs, false, NULL, 0, NULL, "not there");
            return false;
        }
        free(w->rec[k].rdata);
        w->rec[k] = w->rec[--w->count];
    }
    return true;
}

bool zone_edit_replace(struct zone_edit *ed, struct zone_whole *w, struct zone_errors *errs)
{
    (void)errs;
    size_t at = place_of(ed, &w->origin);
    struct zone_whole *mine = zone_whole_new(&w->origin);
    mine->rec = w->rec;
    mine->count = w->count;
    w->rec = NULL;
    w->count = 0;
    if (at == ed->zones)
        ed->zones++;
    else
        zone_whole_free(ed->zone[at]);
    ed->zone[at] = mine;
    return true;
}

void zone_edit_remove(struct zone_edit *ed, const struct dns_name *origin)
{
    size_t at = place_of(ed, origin);
    if (at == ed->zones)
        return;
    zone_whole_free(ed->zone[at]);
    ed->zone[at] = ed->zone[--ed->zones];
}

const struct zone *zone_edit_pending(struct zone_edit *ed, const struct dns_name *origin)
{
    size_t at = place_of(ed, origin);
    zone_set_free(ed->pending);
    ed->pending = at < ed->zones ? build_set(&ed->zone[at], 1) : NULL;
    return ed->pending == NULL ? NULL : zone_set_at(ed->pending, 0);
}

bool zone_edit_commit(struct zone_edit *ed, struct zone_version *out, struct err *e)
{
    (void)e;
    zone_set_free(ed->set);
    ed->set = build_set(ed->zone, ed->zones);
    *out = (struct zone_version){ .version = ++ed->version };
    return true;
}

bool zone_set_write(const struct zone_set *s, int fd_out, struct err *e)
{
    struct zone_edit ed = { .zones = 0 };
    (void)e;
    read_set(&ed, s);
    build(ed.zone, ed.zones, fd_out);
    for (size_t i = 0; i < ed.zones; i++)
        zone_whole_free(ed.zone[i]);
    return true;
}
