/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What one answer costs, without sockets: nanoseconds of one core, the best of several passes.
 *
 *     bench-answer ORIGIN FILE [SECONDS-PER-SHAPE [SHAPE]]
 *
 * The names are the zone's own cuts (found with the walk over its nodes), each with a label in front,
 * and names that are not there; in an order that defeats the caches as real traffic does. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer/answer.h"
#include "base/time.h"
#include "zone/load.h"

#define QUERIES_MAX 20000

struct query {
    uint16_t len;
    uint8_t bytes[300];
};

struct shape {
    const char *what;
    const char *prefix; /* before a cut's name; NULL: a name that is not there, below the apex */
    uint16_t qtype;
    bool edns, dnssec_ok, reach; /* reach: the names have a cut */
    uint16_t options_len;
    const char *options;
};

/* RFC 9018 appendix A.1: this client, at this time, by this secret. */
#define COOKIE_CLIENT "\x24\x64\xc4\xab\xcf\x10\xc9\x57"
#define COOKIE_SERVER "\1\0\0\0\x5c\xf7\x9f\x11\x1f\x81\x30\xc3\xee\xe2\x94\x80"
#define COOKIE_TIME_S 1559731985
static const struct answer_cookies cookies = { .count = 1,
                                               .secret = { { 0xe5, 0xe9, 0x73, 0xe5, 0xa6, 0xb2,
                                                             0xa4, 0x3f, 0x48, 0xe7, 0xdc, 0x84,
                                                             0x9e, 0x37, 0xbf, 0xcf } } };

static const struct shape shapes[] = {
    { "referral", "\3www", DNS_TYPE_A, true, false, true },
    { "referral, DO", "\3www", DNS_TYPE_A, true, true, true },
    { "referral, no EDNS", "\3www", DNS_TYPE_A, false, false, true },
    { "DS, DO", "", DNS_TYPE_DS, true, true, true },
    { "NXDOMAIN", NULL, DNS_TYPE_A, true, false, false },
    { "NXDOMAIN, DO", NULL, DNS_TYPE_A, true, true, false },
    { "NXDOMAIN, DO, new cookie", NULL, DNS_TYPE_A, true, true, false, 12,
      "\0\x0a\0\x08" COOKIE_CLIENT },
    { "NXDOMAIN, DO, cookie", NULL, DNS_TYPE_A, true, true, false, 28,
      "\0\x0a\0\x18" COOKIE_CLIENT COOKIE_SERVER },
};

static const struct zone_set *load(const char *origin, const char *path)
{
    static struct zone_errors errs;
    struct zone_source source = { origin, path };
    struct err e = { 0 };
    char text[ZONE_ERROR_TEXT_MAX];
    int fd = zone_image_memfd(&e);
    mono_t begun = time_mono();
    bool ok = fd >= 0 && zone_build_image(&source, 1, fd, &errs);
    for (uint32_t i = 0; i < errs.kept; i++)
        fprintf(stderr, "%s\n", zone_error_text(&errs.at[i], text, sizeof text));
    struct zone_set *zs = ok ? zone_set_map(fd, &e) : NULL;
    if (zs != NULL)
        printf("# %s loaded in %lld ms\n", path, (long long)mono_ms_between(begun, time_mono()));
    return zs;
}

static size_t owners(const struct zone *z, struct dns_name *out, bool cuts)
{
    size_t n = 0, seen = 0;
    for (const struct zone_node *node = zone_apex(z); node != NULL;
         node = zone_node_after(z, node)) {
        if (cuts != ((zone_node_flags(node) & ZONE_NODE_CUT) != 0))
            continue;
        /* of more than fit, an even sample */
        size_t at = n < QUERIES_MAX ? n++ : (size_t)rand() % (seen + 1);
        seen++;
        if (at < QUERIES_MAX)
            zone_node_name(z, node, &out[at]);
    }
    return n;
}

static bool make(const struct shape *s, const struct dns_name *near, struct query *q)
{
    struct dns_name front, name;
    uint8_t wire[16];
    size_t len = 0;
    if (s->prefix != NULL) {
        len = strlen(s->prefix);
        memcpy(wire, s->prefix, len);
    } else {
        wire[len++] = 10;
        for (int i = 0; i < 10; i++)
            wire[len++] = (uint8_t)('a' + rand() % 26);
    }
    wire[len++] = 0;
    struct rd r = rd_init(wire, len);
    if (!dns_name_parse(&front, &r) || !dns_name_join(&front, front.labels, near, &name))
        return false;
    struct dns_ask ask = { .id = (uint16_t)rand(),
                           .qname = &name,
                           .qtype = s->qtype,
                           .qclass = DNS_CLASS_IN,
                           .edns = s->edns,
                           .dnssec_ok = s->dnssec_ok,
                           .udp_payload = 1232,
                           .options = (const uint8_t *)s->options,
                           .options_len = s->options_len };
    q->len = (uint16_t)dns_ask_write(&ask, q->bytes, sizeof q->bytes);
    return q->len > 0;
}

static void run(const struct zone_set *zs, const struct shape *s, const struct query *queries,
                size_t count, double seconds)
{
    static uint8_t out[ANSWER_UDP_CAP];
    static struct answer_options o = { .nsid = (const uint8_t *)"x",
                                       .nsid_len = 1,
                                       .cookies = &cookies };
    if (o.cache == NULL)
        o.cache = calloc(1, answer_cache_size());
    union addr addr;
    if (!addr_parse(&addr, "198.51.100.100", 53))
        return;
    const struct answer_client client = { .transport = ANSWER_UDP,
                                          .addr = &addr,
                                          .now.s = COOKIE_TIME_S };
    struct answer_info info = { 0 };
    double best = 1e9;
    uint64_t bytes = 0, answers = 0, sum = 0;
    mono_t end = mono_add_ms(time_mono(), (int64_t)(seconds * 1000));
    do {
        mono_t begun = time_mono();
        for (size_t i = 0; i < count; i++) {
            size_t len = answer_compose(&o, zs, &client, queries[i].bytes, queries[i].len, out,
                                        sizeof out, &info);
            bytes += len;
            sum += out[len / 2];
        }
        double ns = (double)(time_mono().ns - begun.ns) / (double)count;
        answers += count;
        best = ns < best ? ns : best;
    } while (mono_before(time_mono(), end));
    printf("%-24s %7.0f ns  %5.0f bytes  kind %d rcode %u  # %llu\n", s->what, best,
           (double)bytes / (double)answers, info.kind, info.rcode, (unsigned long long)sum % 10);
}

int main(int argc, char **argv)
{
    static struct query queries[QUERIES_MAX];
    if (argc < 3) {
        fprintf(stderr, "usage: bench-answer ORIGIN FILE [SECONDS]\n");
        return 2;
    }
    const struct zone_set *zs = load(argv[1], argv[2]);
    if (zs == NULL)
        return 1;
    srand(1);
    const struct zone *z = zone_set_at(zs, 0);
    struct dns_name *cuts = calloc(QUERIES_MAX, sizeof *cuts), origin;
    if (cuts == NULL)
        return 1;
    size_t cut_count = owners(z, cuts, true);
    zone_origin(z, &origin);
    for (size_t s = 0; s < BASE_COUNT(shapes); s++) {
        size_t n = 0;
        if (argc > 4 && strcmp(argv[4], shapes[s].what) != 0)
            continue;
        for (size_t i = 0; i < QUERIES_MAX && (cut_count > 0 || !shapes[s].reach); i++)
            n += make(&shapes[s], shapes[s].reach ? &cuts[(size_t)rand() % cut_count] : &origin,
                      &queries[n]);
        if (n > 0)
            run(zs, &shapes[s], queries, n, argc > 3 ? atof(argv[3]) : 0.5);
    }
    free(cuts);
    return 0;
}
