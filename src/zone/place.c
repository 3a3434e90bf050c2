/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "zone/place.h"

#include <stdlib.h>
#include <string.h>

#include "dns/type.h"
#include "zone/image.h"
#include "zone/rdata.h"

struct owner {
    uint8_t key[DNS_KEY_MAX];
    size_t len;
};

struct owners {
    struct owner *at; /* sorted */
    size_t count;
};

static int compare(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
    int c = memcmp(a, b, a_len < b_len ? a_len : b_len);
    return c != 0 ? c : (a_len > b_len) - (a_len < b_len);
}

static int compare_owners(const void *a, const void *b)
{
    const struct owner *x = a, *y = b;
    return compare(x->key, x->len, y->key, y->len);
}

static bool is_wanted(void *arg, const uint8_t *key, size_t key_len)
{
    const struct owners *o = arg;
    size_t lo = 0, hi = o->count;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        int c = compare(o->at[mid].key, o->at[mid].len, key, key_len);
        if (c == 0)
            return true;
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return false;
}

/* How well a record is what is looked for: 3 the very one, 2 of its type, 1 of its owner. */
static unsigned rate(const struct zone_check_place *p, const struct zone_stage_record *rec)
{
    if (p->type != 0 && rec->type != p->type)
        return 1;
    if (p->rdata == NULL ||
        zone_rdata_compare(rec->type, p->rdata, p->rdata_len, zone_stage_rdata(rec), rec->len) == 0)
        return 3;
    return 2;
}

static void find_one(const struct zone_place *z, const struct zone_stage *s,
                     struct zone_check_place *p, const struct owner *o)
{
    unsigned best = 0;
    for (size_t i = 0; i < s->runs; i++) {
        const struct zone_stage_run *run = zone_stage_run_at(s, i);
        if (run->key_len != o->len || memcmp(zone_stage_key(run), o->key, o->len) != 0)
            continue;
        const struct zone_stage_record *rec = zone_stage_first(run);
        for (uint32_t k = 0; k < run->records; k++, rec = zone_stage_after(rec)) {
            unsigned good = rate(p, rec);
            if (good <= best)
                continue;
            best = good;
            p->file = z->text->file[run->file];
            p->line = rec->line;
        }
    }
}

void zone_place_find(void *place, struct zone_check_place *wanted, size_t count)
{
    struct zone_place *p = place;
    struct zone_errors *errs =
        base_calloc(1, sizeof *errs); /* all was told when it was read first */
    struct owners o = { .at = base_calloc(count, sizeof *o.at), .count = count };
    struct zone_stage s;
    for (size_t i = 0; i < count; i++)
        o.at[i].len = zone_image_key(wanted[i].owner->wire,
                                     (size_t)wanted[i].owner->len - p->origin->len, o.at[i].key);
    struct owner *by_place = base_alloc((count + 1) * sizeof *by_place);
    memcpy(by_place, o.at, count * sizeof *by_place);
    qsort(o.at, count, sizeof *o.at, compare_owners);
    zone_stage_init(&s);
    s.want = is_wanted;
    s.want_arg = &o;
    p->text = base_alloc(sizeof *p->text);
    zone_text_init(p->text, p->origin, &s, errs);
    zone_text_file(p->text, p->path);
    for (size_t i = 0; i < count; i++)
        find_one(p, &s, &wanted[i], &by_place[i]);
    zone_stage_fini(&s);
    free(by_place);
    free(o.at);
    free(errs);
}

void zone_place_fini(struct zone_place *p)
{
    if (p->text != NULL)
        zone_text_fini(p->text);
    free(p->text);
}
