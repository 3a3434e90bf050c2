/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "zone/load.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "zone/build.h"
#include "zone/check.h"
#include "zone/errors.h"
#include "zone/place.h"
#include "zone/text.h"

/* Returns whether nothing was wrong with it. */
static bool load_zone(struct zone_build *b, struct zone_stage *stage,
                      const struct zone_source *source)
{
    struct dns_name origin;
    if (!dns_name_from_text(&origin, source->origin)) {
        zone_errors_add(b->errs, false, NULL, 0, "an origin is written like example.com.",
                        "'%.150s' is not a domain name", source->origin);
        return false;
    }
    struct zone_text *t = base_alloc(sizeof *t);
    uint32_t errors_before = b->errs->errors;
    zone_stage_reset(stage);
    zone_text_init(t, &origin, stage, b->errs);
    zone_text_file(t, source->path);
    if (stage->full)
        zone_errors_add(b->errs, false, source->path, 0, NULL, "the zone has more than 16 GiB");
    zone_build_zone(b, &origin, stage, (const char *const *)t->file,
                    b->errs->errors == errors_before);
    zone_text_fini(t);
    free(t);
    return b->errs->errors == errors_before;
}

static bool has_twins(struct zone_build *b)
{
    bool any = false;
    for (size_t i = 1; i < b->zones; i++) {
        const struct zone_build_zone_ref *x = &b->zone[i - 1], *y = &b->zone[i];
        if (x->key_len != y->key_len || memcmp(x->key, y->key, x->key_len) != 0)
            continue;
        any = true;
        char text[DNS_TEXT_MAX];
        struct rd r = rd_init(y->key + y->key_len, y->origin_len);
        struct dns_name origin;
        if (dns_name_parse(&origin, &r))
            zone_errors_add(b->errs, false, NULL, 0, "name each zone once",
                            "the zone %s is given twice", dns_name_text(&origin, text));
    }
    return any;
}

static void check_zone(const struct zone_set *set, const struct zone_source *source,
                       struct zone_errors *errs)
{
    struct zone_check_options o = ZONE_CHECK_DEFAULTS;
    struct dns_name origin, name;
    o.zonemd = ZONE_CHECK_ZONEMD_OFF;
    const struct zone *z =
        dns_name_from_text(&origin, source->origin) ? zone_set_find(set, &origin) : NULL;
    if (z == NULL)
        return;
    zone_origin(z, &name);
    struct zone_place place = { .origin = &name, .path = source->path };
    if (dns_name_equal(&name, &origin))
        zone_check(z, NULL, source->check != NULL ? source->check : &o, source->path,
                   zone_place_find, &place, errs, NULL);
    zone_place_fini(&place);
}

/* Checks what was built, but for zones of which it is known that they are not whole. */
static void check_all(int fd, const struct zone_source *sources, const bool *good, uint32_t count,
                      struct zone_errors *errs)
{
    struct err e = { 0 };
    struct zone_set *set = zone_set_map(fd, &e);
    if (set == NULL) {
        zone_errors_add_err(errs, NULL, &e);
        return;
    }
    for (uint32_t i = 0; i < count; i++)
        if (good[i])
            check_zone(set, &sources[i], errs);
    zone_set_free(set);
}

bool zone_build_image(const struct zone_source *sources, uint32_t count, int fd_out,
                      struct zone_errors *errs)
{
    struct err e = { 0 };
    struct zone_image_writer w;
    struct zone_build b;
    struct zone_stage stage;
    zone_image_writer_init(&w, fd_out, &e);
    zone_build_init(&b, &w, errs);
    zone_stage_init(&stage);
    bool *good = base_calloc(count + (size_t)1, sizeof *good);
    for (uint32_t i = 0; i < count; i++)
        good[i] = load_zone(&b, &stage, &sources[i]);
    zone_stage_fini(&stage);
    uint32_t root = zone_build_zones_end(&b);
    /* What is wrong with one zone does not hide what is wrong with another. */
    bool built =
        !has_twins(&b) && !w.failed && zone_image_writer_commit(&w, root, (uint32_t)b.zones, 0);
    if (w.failed)
        zone_errors_add_err(errs, NULL, &e);
    if (built)
        check_all(fd_out, sources, good, count, errs);
    free(good);
    zone_build_fini(&b);
    zone_image_writer_fini(&w);
    /* Of an image with an error nothing is left that could be taken for a good one. */
    if (errs->errors != 0 && ftruncate(fd_out, 0) != 0)
        zone_errors_add(errs, false, NULL, 0, NULL, "the zone image cannot be emptied");
    return errs->errors == 0;
}

int zone_image_memfd(struct err *e)
{
    int fd = memfd_create("perigee-zones", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        err_set_errno(e, NULL, "cannot make memory for the zone image");
    return fd;
}

bool zone_image_seal(int fd, struct err *e)
{
    if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) != 0)
        return err_set_errno(e, NULL, "cannot seal the zone image");
    return true;
}
