/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An image of any bytes: a reader may find nonsense or nothing, but ends, and inside the image. Head and
 * root slot are made to look right, so that what lies behind them is reached, whatever layout the seeds
 * are of. */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/assert.h"
#include "fuzz.h"
#include "zone/image.h"

static void read_all(const struct zone *z, const struct zone_node *n)
{
    struct zone_rrset r;
    uint32_t pos = 0;
    unsigned sum = 0;
    while (zone_node_next(z, n, &pos, &r)) {
        for (uint32_t i = 0; i < r.rdata_len; i++)
            sum += r.rdata[i];
        for (uint32_t i = 0; i < r.sigs_len; i++)
            sum += r.sigs[i];
    }
    (void)sum;
    (void)zone_node_find(z, n, 6, &r);
    (void)zone_node_flags(n);
}

static void look_up(const struct zone *z, const struct dns_name *name)
{
    struct zone_found f;
    bool matches;
    zone_lookup(z, name, &f);
    base_assert((f.encloser != NULL) == (zone_state(z) != ZONE_EMPTY));
    if (f.encloser != NULL)
        read_all(z, f.encloser);
    if (f.wildcard != NULL)
        read_all(z, f.wildcard);
    if (f.cut != NULL)
        read_all(z, f.cut);
    const struct zone_node *n = zone_nsec_before(z, name);
    if (n != NULL)
        read_all(z, n);
    n = zone_nsec3_before(z, name, &matches);
    if (n != NULL)
        read_all(z, n);
}

static void read_zone(const struct zone *z)
{
    static const char *const below[] = {
        "www", "a.b.c.d", "*.wild", "ns.sub", "zz", "q.al", "\\000"
    };
    struct dns_name origin, name, all;
    zone_origin(z, &origin);
    for (size_t i = 0; i < BASE_COUNT(below); i++) {
        base_assert(dns_name_from_text(&name, below[i]));
        if (dns_name_join(&name, name.labels, &origin, &all))
            look_up(z, &all);
    }
    unsigned left = 10000;
    for (const struct zone_node *n = zone_apex(z); n != NULL && left-- != 0;
         n = zone_node_after(z, n)) {
        zone_node_name(z, n, &name);
        read_all(z, n);
        if (dns_name_is_under(&name, &origin))
            look_up(z, &name);
    }
    (void)zone_has_nsec(z);
    (void)zone_has_nsec3(z);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = { 0 };
    int fd = memfd_create("image", MFD_CLOEXEC);
    base_assert(fd >= 0);
    base_assert(write(fd, data, size) == (ssize_t)size);
    if (size >= IMAGE_PAGE) {
        struct zone_image_head head = { .layout = IMAGE_LAYOUT, .endian = IMAGE_ENDIAN };
        struct zone_image_slot slot;
        memcpy(head.magic, IMAGE_MAGIC, sizeof head.magic);
        base_assert(pwrite(fd, &head, sizeof head, 0) == (ssize_t)sizeof head);
        memcpy(&slot, data + IMAGE_SLOT_A, sizeof slot);
        slot.version |= 1;
        slot.end = size & ~(size_t)7;
        slot.crc = zone_image_crc(0, &slot, offsetof(struct zone_image_slot, crc));
        base_assert(pwrite(fd, &slot, sizeof slot, IMAGE_SLOT_A) == (ssize_t)sizeof slot);
    }
    struct zone_set *s = zone_set_map(fd, &e);
    for (uint32_t i = 0; s != NULL && i < zone_set_count(s) && i < 4; i++) {
        const struct zone *z = zone_set_at(s, i);
        if (z != NULL)
            read_zone(z);
    }
    struct dns_name name;
    base_assert(dns_name_from_text(&name, "x.www.example.com"));
    if (s != NULL)
        (void)zone_set_find(s, &name);
    zone_set_free(s);
    close(fd);
    return 0;
}
