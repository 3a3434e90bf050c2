/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a whole zone costs as AXFR, written and read, without sockets: seconds of one core, the best of
 * several passes.
 *
 *     bench-transfer ORIGIN FILE [PASSES]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/time.h"
#include "transfer/xfr.h"
#include "zone/load.h"

struct kept {
    uint8_t *bytes; /* two of length before each message */
    size_t len, cap;
};

static void keep(struct kept *k, const uint8_t *msg, size_t len)
{
    if (k->len + len + 2 > k->cap) {
        k->cap = (k->len + len + 2) * 2;
        k->bytes = base_realloc(k->bytes, k->cap);
    }
    k->bytes[k->len] = (uint8_t)(len >> 8);
    k->bytes[k->len + 1] = (uint8_t)len;
    memcpy(k->bytes + k->len + 2, msg, len);
    k->len += len + 2;
}

static bool on_record(void *arg, const struct zone_change *c)
{
    *(uint64_t *)arg += c->len;
    return true;
}

static const struct tsig_key *find_key(void *arg, const struct dns_name *name)
{
    (void)name;
    return arg;
}

static void pass(const struct zone *z, const struct tsig_key *key, struct kept *kept,
                 struct xfr_out *out, double *write_s, double *read_s)
{
    static uint8_t msg[XFR_MESSAGE_CAP];
    struct tsig_key copy;
    struct dns_name origin;
    uint8_t ask[1024];
    uint64_t sum = 0;
    size_t body;
    wall_t now = time_wall();
    zone_origin(z, &origin);
    struct xfr_in in = {
        .type = XFR_AXFR, .id = 1, .origin = &origin, .record = on_record, .arg = &sum
    };
    *out = (struct xfr_out){
        .type = XFR_AXFR, .qtype = DNS_TYPE_AXFR, .id = 1, .origin = &origin, .zone = z
    };
    tsig_begin(&in.tsig, key);
    struct xfr_ask a = { .type = XFR_AXFR, .id = 1, .origin = &origin };
    size_t len = tsig_sign(&in.tsig, ask, xfr_ask_write(&a, ask, sizeof ask), sizeof ask, now);
    if (key != NULL)
        copy = *key;
    (void)tsig_verify_request(&out->tsig, ask, len, find_key, key != NULL ? &copy : NULL, now,
                              &body);
    xfr_out_begin(out);
    xfr_in_begin(&in);
    kept->len = 0;
    mono_t t = time_mono();
    while ((len = xfr_out_message(out, msg, sizeof msg, now)) != 0)
        keep(kept, msg, len);
    double wrote = (double)mono_us_between(t, time_mono()) / 1e6;
    enum xfr_got got = XFR_MORE;
    t = time_mono();
    for (size_t at = 0; at < kept->len; at += len + 2) {
        len = (size_t)kept->bytes[at] << 8 | kept->bytes[at + 1];
        got = xfr_in_message(&in, kept->bytes + at + 2, len, now);
    }
    double read = (double)mono_us_between(t, time_mono()) / 1e6;
    if (got != XFR_DONE || out->failed)
        fprintf(stderr, "not whole: %s\n", in.why);
    *write_s = wrote < *write_s ? wrote : *write_s;
    *read_s = read < *read_s ? read : *read_s;
}

int main(int argc, char **argv)
{
    static struct zone_errors errs;
    struct err e = { 0 };
    if (argc < 3) {
        fprintf(stderr, "usage: bench-transfer ORIGIN FILE [PASSES]\n");
        return 2;
    }
    struct zone_source source = { argv[1], argv[2] };
    int fd = zone_image_memfd(&e);
    if (fd < 0 || !zone_build_image(&source, 1, fd, &errs)) {
        fprintf(stderr, "%s: cannot be loaded\n", argv[2]);
        return 1;
    }
    struct zone_set *set = zone_set_map(fd, &e);
    static struct tsig_key key;
    if (tsig_key_parse(&key, "key.example.", "hmac-sha256", "c2VjcmV0IHNlY3JldA==") != NULL)
        return 1;
    int passes = argc > 3 ? atoi(argv[3]) : 5;
    for (int is_signed = 0; is_signed < 2; is_signed++) {
        struct kept kept = { 0 };
        struct xfr_out out;
        double wrote = 1e9, read = 1e9;
        for (int i = 0; i < passes; i++)
            pass(zone_set_at(set, 0), is_signed ? &key : NULL, &kept, &out, &wrote, &read);
        printf("%-7s %u records, %u messages, %.1f MB: written in %.3f s, read in %.3f s\n",
               is_signed ? "TSIG" : "plain", out.records, out.messages, (double)out.bytes / 1e6,
               wrote, read);
        free(kept.bytes);
    }
    zone_set_free(set);
    return 0;
}
