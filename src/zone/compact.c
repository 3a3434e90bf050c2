/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What looks after an image file as a whole: how much of it is dead, a copy without that, its
 * checksum. */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "zone/apply.h"
#include "zone/build.h"
#include "zone/errors.h"

bool zone_image_usage(int fd, uint64_t *bytes, uint64_t *dead, struct err *e)
{
    struct zone_set *s = zone_set_map(fd, e);
    if (s == NULL)
        return false;
    *bytes = s->slot.end;
    *dead = s->slot.dead;
    zone_set_free(s);
    return true;
}

static void copy_items(struct zone_build *b, size_t *count, const uint8_t *items, uint32_t len,
                       struct zone_build_rr rr)
{
    for (uint32_t at = 0; at < len; at += 2u + rr.len) {
        rr.len = (uint16_t)(items[at] << 8 | items[at + 1]);
        rr.rdata = items + at + 2;
        zone_build_gather(b, count, &rr);
    }
}

/* Copies one tree of names; returns its root. */
static uint32_t copy_tree(struct zone_build *b, const struct zone *z,
                          const struct zone_image_map *m, uint32_t root, struct zone *fields)
{
    struct zone_image_pos pos;
    struct zone_image_entry e;
    struct zone_rrset r;
    bool more = root != 0 && zone_image_first(m, root, &pos), names = root == z->names;
    for (; more && zone_image_entry(&pos, &e); more = zone_image_next(&pos)) {
        const struct zone_node *from = zone_image_node_at(m, e.ref);
        uint8_t key[DNS_KEY_MAX];
        uint32_t at = 0;
        size_t count = 0;
        if (from == NULL || (size_t)e.prefix_len + e.suffix_len > sizeof key)
            continue;
        memcpy(key, e.prefix, e.prefix_len);
        memcpy(key + e.prefix_len, e.suffix, e.suffix_len);
        while (zone_node_next(z, from, &at, &r)) {
            copy_items(b, &count, r.rdata, r.rdata_len,
                       (struct zone_build_rr){ .type = r.type, .ttl_s = r.ttl_s });
            copy_items(b, &count, r.sigs, r.sigs_len,
                       (struct zone_build_rr){ .type = r.type, .ttl_s = r.sig_ttl_s, .sig = true });
        }
        struct zone_build_node n = { .key = key,
                                     .name = (const uint8_t *)(from + 1),
                                     .key_len = (size_t)e.prefix_len + e.suffix_len,
                                     .name_len = from->name_len,
                                     .rr = b->rr,
                                     .count = count,
                                     .flags = from->flags };
        uint32_t ref = zone_build_node_write(b, &n);
        zone_tree_add(&b->names, n.key, n.key_len, ref, n.flags);
        if (names && n.key_len == 0)
            fields->apex = ref;
    }
    uint32_t nodes;
    uint8_t any;
    return zone_tree_end(&b->names, &nodes, &any);
}

bool zone_image_compact(int fd, int fd_out, struct err *e)
{
    struct zone_set *s = zone_set_map(fd, e);
    if (s == NULL)
        return false;
    struct zone_image_writer w;
    struct zone_build b;
    struct zone_errors errs = { 0 };
    bool good = zone_image_writer_init(&w, fd_out, e);
    zone_build_init(&b, &w, &errs);
    for (uint32_t i = 0; good && i < zone_set_count(s); i++) {
        const struct zone *z = zone_set_at(s, i);
        struct dns_name origin;
        if (z == NULL) {
            good = err_set(e, ERR_INPUT, "load the zones again", "the zone image is damaged");
            break;
        }
        struct zone fields = *z;
        zone_origin(z, &origin);
        b.origin = &origin;
        fields.names = copy_tree(&b, z, s->map, z->names, &fields);
        fields.nsec3 = copy_tree(&b, z, s->map, z->nsec3, &fields);
        zone_build_zone_add(&b, &origin, zone_build_zone_write(&w, &origin, &fields));
    }
    uint32_t root = zone_build_zones_end(&b);
    good = good && zone_image_writer_commit(&w, root, (uint32_t)b.zones, 0);
    zone_build_fini(&b);
    zone_image_writer_fini(&w);
    zone_set_free(s);
    return good;
}

bool zone_image_verify(int fd, struct err *e)
{
    struct zone_set *s = zone_set_map(fd, e);
    if (s == NULL)
        return false;
    const uint8_t *from = s->map->base + IMAGE_PAGE;
    bool good = zone_image_crc(0, from, s->slot.end - IMAGE_PAGE) == s->slot.data_crc;
    zone_set_free(s);
    return good || err_set(e, ERR_INPUT, "load the zones again", "the zone image is damaged");
}
