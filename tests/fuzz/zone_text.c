/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Zone text of any bytes: refused with errors, or an image in which every name is found. */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/assert.h"
#include "fuzz.h"
#include "zone/load.h"
#include "zone/zone.h"

/* Other files are no part of the input. */
static bool includes(const uint8_t *data, size_t size)
{
    for (size_t i = 0; i + 8 <= size; i++)
        if (strncasecmp((const char *)data + i, "$INCLUDE", 8) == 0)
            return true;
    return false;
}

static void walk(const struct zone *z)
{
    struct dns_name name;
    struct zone_found f;
    for (const struct zone_node *n = zone_apex(z); n != NULL; n = zone_node_after(z, n)) {
        struct zone_rrset r;
        uint32_t pos = 0;
        int before = -1;
        zone_node_name(z, n, &name);
        zone_lookup(z, &name, &f);
        base_assert(f.exact == n);
        base_assert(f.encloser == n);
        while (zone_node_next(z, n, &pos, &r)) {
            base_assert(r.type > before);
            base_assert(r.count + r.sig_count != 0);
            before = r.type;
        }
        base_assert((before == -1) == ((zone_node_flags(n) & ZONE_NODE_EMPTY) != 0));
        (void)zone_nsec_before(z, &name);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct zone_errors errs;
    struct err e = { 0 };
    char path[32];
    if (includes(data, size))
        return -1;
    int text = memfd_create("text", MFD_CLOEXEC), fd = zone_image_memfd(&e);
    base_assert(text >= 0);
    base_assert(fd >= 0);
    base_assert(write(text, data, size) == (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", text);
    struct zone_source source = { .origin = "example.com", .path = path };
    memset(&errs, 0, sizeof errs);
    bool built = zone_build_image(&source, 1, fd, &errs);
    base_assert(built == (errs.errors == 0));
    struct zone_set *s = zone_set_map(fd, &e);
    base_assert(built == (s != NULL));
    if (s != NULL)
        walk(zone_set_at(s, 0));
    zone_set_free(s);
    close(fd);
    close(text);
    return 0;
}
