/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The checks of a built zone: one walk over its names in canonical order, in which each name is looked
 * at by itself (check_data.c, check_rdata.c), with its signatures (check_sig.c) and its link in the
 * chain of denial (check_nsec.c, check_nsec3.c); then the ring of NSEC3 and the digest. What is found is
 * kept until the end, because only then is it known what is worth telling: some of each kind before
 * many of one. */
#include "zone/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dns/type.h"
#include "zone/check_parts.h"
#include "zone/errors.h"
#include "zone/zonemd.h"

#define KEEP_ALL 1000u /* of a kind, where all are told */
#define SHRINK_FROM 10 /* records: a smaller zone may lose them all but what it must have */

#define KIND_ROW(name, level, hint) { CHECK_##level, hint },
static const struct {
    enum check_level level;
    const char *hint;
} kinds[CHECK_KIND_COUNT] = { CHECK_KINDS(KIND_ROW) };
#undef KIND_ROW

void zone_check_found(struct check *c, enum check_kind kind, const struct zone_node *n,
                      uint16_t type, const struct check_item *rdata, const char *fmt, ...)
{
    if (c->count[kind]++ >= c->keep)
        return;
    if (c->found_count == c->found_cap) {
        c->found_cap = c->found_cap * 2 + 16;
        c->found = base_realloc(c->found, c->found_cap * sizeof *c->found);
    }
    struct check_finding *f = &c->found[c->found_count++];
    char text[DNS_TEXT_MAX];
    *f = (struct check_finding){ .kind = kind, .nth = c->count[kind] - 1, .type = type };
    if (rdata != NULL) {
        f->rdata = rdata->rdata;
        f->rdata_len = rdata->len;
    }
    if (n != NULL)
        zone_node_name(c->z, n, &f->name);
    else
        f->name = c->origin;
    size_t len =
        (size_t)snprintf(f->what, sizeof f->what, "%.150s ", dns_name_text(&f->name, text));
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(f->what + len, sizeof f->what - len, fmt, ap);
    va_end(ap);
}

static bool is_warning(const struct check *c, enum check_kind kind)
{
    return kinds[kind].level == CHECK_WARN || (kinds[kind].level == CHECK_STRICT && !c->o->strict);
}

/* Errors first, then the first ones of each kind. */
static int compare_worth(const void *a, const void *b)
{
    const struct check_finding *x = a, *y = b;
    if (kinds[x->kind].level != kinds[y->kind].level)
        return kinds[x->kind].level > kinds[y->kind].level ? -1 : 1;
    if (x->nth != y->nth)
        return x->nth < y->nth ? -1 : 1;
    return (x->kind > y->kind) - (x->kind < y->kind);
}

static int compare_place(const void *a, const void *b)
{
    const struct check_finding *x = a, *y = b;
    int c = strcmp(x->file != NULL ? x->file : "", y->file != NULL ? y->file : "");
    if (c != 0)
        return c;
    if (x->line != y->line)
        return x->line < y->line ? -1 : 1;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    return (x->nth > y->nth) - (x->nth < y->nth);
}

static void find_lines(struct check *c, size_t count, const char *file,
                       zone_check_find_places *find, void *arg)
{
    struct zone_check_place *place = base_calloc(count + 1, sizeof *place);
    for (size_t i = 0; i < count; i++) {
        const struct check_finding *f = &c->found[i];
        place[i] = (struct zone_check_place){
            .owner = &f->name, .rdata = f->rdata, .rdata_len = f->rdata_len, .type = f->type
        };
    }
    if (find != NULL && count != 0)
        find(arg, place, count);
    for (size_t i = 0; i < count; i++) {
        c->found[i].file = place[i].file != NULL ? place[i].file : file;
        c->found[i].line = place[i].file != NULL ? place[i].line : 0;
    }
    free(place);
}

/* Tells what was found; returns whether the zone may be served. */
static bool tell(struct check *c, const char *file, zone_check_find_places *find, void *arg,
                 struct zone_errors *errs)
{
    bool good = true;
    size_t count = c->found_count;
    uint32_t told[CHECK_KIND_COUNT] = { 0 };
    if (count != 0)
        qsort(c->found, count, sizeof *c->found, compare_worth);
    const bool grave = count != 0 && !is_warning(c, c->found[0].kind);
    const uint32_t room = ZONE_ERRORS_KEPT - (grave ? 0 : errs->kept);
    if (errs->tell == NULL && count > room)
        count = room;
    find_lines(c, count, file, find, arg);
    if (count != 0)
        qsort(c->found, count, sizeof *c->found, compare_place);
    for (size_t i = 0; i < count; i++) {
        const struct check_finding *f = &c->found[i];
        told[f->kind]++;
        zone_errors_add(errs, is_warning(c, f->kind), f->file, f->line, kinds[f->kind].hint, "%s",
                        f->what);
    }
    for (unsigned k = 0; k < CHECK_KIND_COUNT; k++) {
        *(is_warning(c, k) ? &errs->warnings : &errs->errors) += c->count[k] - told[k];
        good &= c->count[k] == 0 || is_warning(c, k);
    }
    return good;
}

static void init(struct check *c, const struct zone *z, const struct zone_check_options *o,
                 const struct zone_errors *errs)
{
    *c = (struct check){ .z = z, .map = zone_image_map_of(z), .o = o };
    c->keep = errs->tell != NULL ? KEEP_ALL : ZONE_ERRORS_KEPT;
    zone_origin(z, &c->origin);
    c->servers = z->node_count < CHECK_SERVERS ? CHECK_SERVERS_FEW : CHECK_SERVERS;
}

static void fini(struct check *c)
{
    zone_check_keys_fini(c);
    free(c->scratch.begin);
    free(c->found);
    free(c->server);
}

static void check_digest(struct check *c)
{
    struct zone_zonemd *m = base_alloc(sizeof *m);
    const char *why;
    if (c->o->zonemd == ZONE_CHECK_ZONEMD_OFF) {
        free(m);
        return;
    }
    bool required = c->o->zonemd == ZONE_CHECK_ZONEMD_REQUIRED;
    switch (zone_zonemd_verify(m, c->z, &why)) {
    case ZONE_ZONEMD_GOOD:
        break;
    case ZONE_ZONEMD_NONE:
        if (required)
            zone_check_found(c, CHECK_ZONEMD_MISSING, NULL, 0, NULL, "has no digest (ZONEMD)");
        break;
    case ZONE_ZONEMD_UNSUPPORTED:
        zone_check_found(c, required ? CHECK_ZONEMD_MISSING : CHECK_ZONEMD_UNKNOWN, NULL,
                         DNS_TYPE_ZONEMD, NULL, "has a ZONEMD that cannot be verified: %s", why);
        break;
    case ZONE_ZONEMD_BAD:
        zone_check_found(c, CHECK_ZONEMD_BAD, NULL, DNS_TYPE_ZONEMD, NULL,
                         "has a ZONEMD that is wrong: %s", why);
        break;
    }
    free(m);
}

static bool has_shrunk(const struct zone *z, const struct zone *before, uint8_t percent)
{
    if (before == NULL || percent >= 100 || before->record_count < SHRINK_FROM)
        return false;
    return (uint64_t)z->record_count * 100 < (uint64_t)before->record_count * (100u - percent);
}

static void check_loss(struct check *c, const struct zone *before)
{
    if (has_shrunk(c->z, before, c->o->shrink_percent))
        zone_check_found(c, CHECK_SHRUNK, NULL, 0, NULL,
                         "has %u records instead of %u: it lost more than %u %%",
                         c->z->record_count, before->record_count, c->o->shrink_percent);
}

bool zone_check_shrink(const struct zone *z, const struct zone *before, uint8_t shrink_percent,
                       const char *file, struct zone_errors *errs)
{
    struct zone_check_options o = { .shrink_percent = shrink_percent };
    struct check *c = base_alloc(sizeof *c);
    init(c, z, &o, errs);
    check_loss(c, before);
    bool good = tell(c, file, NULL, NULL, errs);
    fini(c);
    free(c);
    return good;
}

/* The key of the entry at `pos`. */
static size_t key_of(const struct zone_image_entry *e, uint8_t key[DNS_KEY_MAX])
{
    size_t len = (size_t)e->prefix_len + e->suffix_len;
    if (len > DNS_KEY_MAX)
        return 0; /* a broken image */
    memcpy(key, e->prefix, e->prefix_len);
    memcpy(key + e->prefix_len, e->suffix, e->suffix_len);
    return len;
}

static void walk_names(struct check *c)
{
    struct zone_image_pos pos;
    struct zone_image_entry e;
    uint8_t key[DNS_KEY_MAX], above[DNS_KEY_MAX];
    size_t above_len = 0;
    c->pos = &pos;
    c->node_key = key;
    for (bool more = c->z->names != 0 && zone_image_first(c->map, c->z->names, &pos); more;
         more = zone_image_next(&pos)) {
        const struct zone_node *n =
            zone_image_entry(&pos, &e) ? zone_image_node_at(c->map, e.ref) : NULL;
        if (n == NULL)
            break;
        c->node_key_len = key_of(&e, key);
        if (c->occluder != NULL &&
            (c->node_key_len <= above_len || memcmp(key, above, above_len) != 0))
            c->occluder = NULL;
        zone_check_node(c, n);
        if (c->nsec)
            zone_check_nsec_name(c, n);
        if (c->nsec3.used)
            zone_check_nsec3_name(c, n);
        if (c->occluder == NULL && (n->flags & (ZONE_NODE_CUT | ZONE_NODE_DNAME)) != 0) {
            c->occluder = n;
            memcpy(above, key, c->node_key_len);
            above_len = c->node_key_len;
        }
    }
    c->pos = NULL;
    if (c->nsec)
        zone_check_nsec_end(c);
}

static void walk_hashed(struct check *c)
{
    struct zone_image_pos pos;
    struct zone_image_entry e;
    for (bool more = c->z->nsec3 != 0 && zone_image_first(c->map, c->z->nsec3, &pos); more;
         more = zone_image_next(&pos)) {
        const struct zone_node *n =
            zone_image_entry(&pos, &e) ? zone_image_node_at(c->map, e.ref) : NULL;
        if (n == NULL)
            break;
        zone_check_sigs(c, n, true);
    }
}

bool zone_check(const struct zone *z, const struct zone *before, const struct zone_check_options *o,
                const char *file, zone_check_find_places *find, void *arg, struct zone_errors *errs,
                struct zone_check_seen *seen)
{
    struct check *c = base_alloc(sizeof *c);
    init(c, z, o, errs);
    if (zone_apex(z) != NULL) {
        check_loss(c, before);
        zone_check_keys(c);
        zone_check_apex(c);
        walk_names(c);
        walk_hashed(c);
        if (c->nsec3.used)
            zone_check_nsec3_ring(c);
        check_digest(c);
    }
    bool good = tell(c, file, find, arg, errs);
    if (seen != NULL)
        *seen = c->seen;
    fini(c);
    free(c);
    return good;
}

static void check_one(struct check *c, const struct dns_name *name)
{
    uint8_t key[DNS_KEY_MAX];
    struct zone_found f;
    bool matches;
    if (!dns_name_is_under(name, &c->origin))
        return;
    const struct zone_node *hashed = zone_nsec3_before(c->z, name, &matches);
    if (matches)
        zone_check_sigs(c, hashed, true);
    zone_lookup(c->z, name, &f);
    if (f.exact == NULL)
        return;
    c->node_key = key;
    c->node_key_len = zone_image_key((const uint8_t *)(f.exact + 1), f.exact->name_len, key);
    c->occluder = f.cut != NULL && f.cut != f.exact ? f.cut : f.dname;
    zone_check_node(c, f.exact);
    if (c->nsec)
        zone_check_nsec_links(c, f.exact);
    if (c->nsec3.used)
        zone_check_nsec3_links(c, f.exact);
}

bool zone_check_names(const struct zone *z, const struct zone *before,
                      const struct zone_check_options *o, const struct dns_name *names,
                      size_t count, struct zone_errors *errs)
{
    struct check *c = base_alloc(sizeof *c);
    init(c, z, o, errs);
    if (zone_apex(z) != NULL) {
        check_loss(c, before);
        zone_check_keys(c);
        zone_check_apex(c);
        for (size_t i = 0; i < count; i++)
            check_one(c, &names[i]);
    }
    bool good = tell(c, NULL, NULL, NULL, errs);
    fini(c);
    free(c);
    return good;
}
