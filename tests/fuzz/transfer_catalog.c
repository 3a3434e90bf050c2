/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two catalogs in several versions, made of any bytes: what the events say of each zone is what the table
 * says; comparing all and comparing what was touched come to the same; nobody has a zone twice. Bytes: the
 * high bits of each say what comes, the low ones which. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/assert.h"
#include "fuzz.h"
#include "transfer/members.h"
#include "zone/load.h"

#define NAMES 8

struct seen {
    int catalog[NAMES]; /* that has the zone; -1: none */
};

static unsigned number_of(const struct dns_name *origin)
{
    base_assert(origin->labels == 1);
    base_assert(origin->wire[1] >= 'a' && origin->wire[1] < 'a' + NAMES);
    return origin->wire[1] - 'a';
}

static void follow(void *arg, const struct transfer_members_event *ev)
{
    struct seen *s = arg;
    int *has = &s->catalog[number_of(ev->origin)];
    switch (ev->what) {
    case TRANSFER_MEMBERS_ADDED:
        base_assert(*has == -1);
        *has = ev->catalog;
        break;
    case TRANSFER_MEMBERS_REMOVED:
        base_assert(*has == ev->catalog);
        *has = -1;
        break;
    case TRANSFER_MEMBERS_MOVED:
        base_assert(*has == ev->before);
        base_assert(ev->before != ev->catalog);
        *has = ev->catalog;
        break;
    case TRANSFER_MEMBERS_RESET:
    case TRANSFER_MEMBERS_GROUPS:
        base_assert(*has == ev->catalog);
        break;
    case TRANSFER_MEMBERS_IGNORED:
        base_assert(ev->configured || *has == ev->before);
        break;
    }
}

/* The catalog that these bytes say, as text; returns how many were read. */
static size_t text_of(const uint8_t *p, size_t len, char *text, size_t cap)
{
    size_t i = 0;
    int at = snprintf(text, cap, "@ 0 SOA . . 1 1 1 1 1\n@ 0 NS invalid.\nversion 0 TXT 2\n");
    for (; i < len && p[i] < 0xc0 && i < 60; i++) {
        unsigned label = p[i] & 7, name = p[i] >> 3 & 7;
        char value = (char)('0' + (name & 1)), *to = text + at;
        size_t room = cap - (size_t)at;
        if (p[i] < 0x40)
            at += snprintf(to, room, "l%u.zones 0 PTR %c.\n", label, 'a' + (int)name);
        else if (p[i] < 0x60)
            at += snprintf(to, room, "coo.l%u.zones 0 PTR cat%c.\n", label, value);
        else if (p[i] < 0x80)
            at += snprintf(to, room, "group.l%u.zones 0 TXT g%c\n", label, value);
        else
            at += snprintf(to, room, "x.ext.l%u.zones 0 TXT g%c\n", label, value);
    }
    return i < len && p[i] >= 0xc0 ? i + 1 : i;
}

static struct zone_set *set_of(const char *name, const char *text)
{
    static struct zone_errors errs;
    struct err e = { 0 };
    char path[40];
    int in = memfd_create("text", MFD_CLOEXEC), out = zone_image_memfd(&e);
    base_assert(in >= 0 && out >= 0);
    base_assert(write(in, text, strlen(text)) == (ssize_t)strlen(text));
    snprintf(path, sizeof path, "/proc/self/fd/%d", in);
    struct zone_source source = { .origin = name, .path = path };
    memset(&errs, 0, sizeof errs);
    base_assert(zone_build_image(&source, 1, out, &errs));
    struct zone_set *s = zone_set_map(out, &e);
    base_assert(s != NULL);
    close(in);
    close(out);
    return s;
}

static void check(const struct transfer_members *m, const struct seen *s)
{
    uint32_t count = 0;
    for (int i = 0; i < NAMES; i++) {
        char text[2] = { (char)('a' + i), '\0' };
        struct dns_name origin;
        uint16_t catalog = 99;
        base_assert(dns_name_from_text(&origin, text));
        bool has = transfer_members_find(m, &origin, &catalog, NULL);
        base_assert(has == (s->catalog[i] >= 0));
        base_assert(!has || catalog == s->catalog[i]);
        count += has;
    }
    base_assert(count == transfer_members_count(m));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* One compares all, the other what was touched; every label may be. */
    struct transfer_members *all = transfer_members_new(1), *some = transfer_members_new(2);
    struct seen by_all, by_some;
    uint8_t labels[8][TRANSFER_CATALOG_LABEL];
    memset(&by_all, 0xff, sizeof by_all);
    memset(&by_some, 0xff, sizeof by_some);
    for (unsigned i = 0; i < 8; i++)
        memcpy(labels[i], (uint8_t[]){ 2, 'l', (uint8_t)('0' + i) }, 3);
    for (size_t at = 0, round = 0; at < size && round < 12; round++) {
        char text[4000], why[TRANSFER_CATALOG_WHY];
        uint8_t what = data[at++];
        const char *name = (what & 1) == 0 ? "cat0" : "cat1";
        struct dns_name origin;
        if (what >= 0xf0) { /* the operator's file */
            text[0] = (char)('a' + (what & 7));
            text[1] = '\0';
            base_assert(dns_name_from_text(&origin, text));
            transfer_members_configured(all, &origin, (what & 8) != 0, follow, &by_all);
            transfer_members_configured(some, &origin, (what & 8) != 0, follow, &by_some);
        } else {
            at += text_of(data + at, size - at, text, sizeof text);
            struct zone_set *s = set_of(name, text);
            const struct zone *z = zone_set_at(s, 0);
            base_assert(dns_name_from_text(&origin, name));
            bool one =
                transfer_members_update(all, what & 1, &origin, z, NULL, 0, follow, &by_all, why);
            bool two = transfer_members_update(some, what & 1, &origin, z,
                                               (const uint8_t(*)[TRANSFER_CATALOG_LABEL])labels, 8,
                                               follow, &by_some, why);
            base_assert(one == two);
            zone_set_free(s);
        }
        check(all, &by_all);
        check(some, &by_some);
        base_assert(memcmp(&by_all, &by_some, sizeof by_all) == 0);
    }
    transfer_members_free(all);
    transfer_members_free(some);
    return 0;
}
