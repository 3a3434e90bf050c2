/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "zone/load.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "zone/build.h"
#include "zone/errors.h"
#include "zone/text.h"

static void load_zone(struct zone_build *b, struct zone_stage *stage,
                      const struct zone_source *source)
{
    struct dns_name origin;
    if (!dns_name_from_text(&origin, source->origin)) {
        zone_errors_add(b->errs, false, NULL, 0, "an origin is written like example.com.",
                        "'%.150s' is not a domain name", source->origin);
        return;
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
}

static void refuse_twins(struct zone_build *b)
{
    for (size_t i = 1; i < b->zones; i++) {
        const struct zone_build_zone_ref *x = &b->zone[i - 1], *y = &b->zone[i];
        if (x->key_len != y->key_len || memcmp(x->key, y->key, x->key_len) != 0)
            continue;
        char text[DNS_TEXT_MAX];
        struct rd r = rd_init(y->key + y->key_len, y->origin_len);
        struct dns_name origin;
        if (dns_name_parse(&origin, &r))
            zone_errors_add(b->errs, false, NULL, 0, "name each zone once",
                            "the zone %s is given twice", dns_name_text(&origin, text));
    }
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
    for (uint32_t i = 0; i < count; i++)
        load_zone(&b, &stage, &sources[i]);
    zone_stage_fini(&stage);
    uint32_t root = zone_build_zones_end(&b);
    refuse_twins(&b);
    if (errs->errors == 0)
        zone_image_writer_commit(&w, root, (uint32_t)b.zones, 0);
    if (w.failed)
        zone_errors_add_err(errs, NULL, &e);
    zone_build_fini(&b);
    zone_image_writer_fini(&w);
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
