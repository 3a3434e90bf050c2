/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The answer function without a server: reads queries from stdin and writes responses to stdout.
 *
 *     answer-stdin [--nsid TEXT] [--identity TEXT] [--version TEXT] [--any-full] ORIGIN=FILE …
 *
 * Every answer is composed four times: without a cache, and three times with one (noticed, kept, taken). It exits with 3 when they
 * are not the same bytes.
 *
 * A query is a byte 'u' or 't' (UDP or TCP), its length in two bytes, network order, and the message;
 * a response is its length and the message, length 0 where nothing is sent. It exits at the end of the
 * input, and with 1 when a zone is wrong. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer/answer.h"
#include "zone/load.h"

#define ZONES_MAX 256

static const struct zone_set *load(char **args, int count)
{
    struct zone_source sources[ZONES_MAX];
    static struct zone_errors errs;
    struct err e = { 0 };
    char text[ZONE_ERROR_TEXT_MAX];
    for (int i = 0; i < count; i++) {
        char *eq = strchr(args[i], '=');
        if (eq == NULL)
            return NULL;
        *eq = '\0';
        sources[i] = (struct zone_source){ .origin = args[i], .path = eq + 1 };
    }
    int fd = zone_image_memfd(&e);
    bool ok = fd >= 0 && zone_build_image(sources, (uint32_t)count, fd, &errs);
    for (uint32_t i = 0; i < errs.kept; i++)
        if (!errs.at[i].warning) /* test zones are odd on purpose */
            fprintf(stderr, "%s\n", zone_error_text(&errs.at[i], text, sizeof text));
    struct zone_set *zs = ok ? zone_set_map(fd, &e) : NULL;
    if (zs == NULL && e.kind != ERR_NONE)
        fprintf(stderr, "%s\n", err_text(&e, text, sizeof text));
    return zs;
}

static struct answer_cache *cache;

static bool one(const struct answer_options *o, const struct zone_set *zs)
{
    static uint8_t query[DNS_MESSAGE_MAX], out[DNS_MESSAGE_MAX], again[DNS_MESSAGE_MAX];
    uint8_t head[3];
    if (fread(head, 1, 3, stdin) != 3)
        return false;
    size_t len = (size_t)head[1] << 8 | head[2];
    if (fread(query, 1, len, stdin) != len)
        return false;
    struct answer_info info;
    const struct answer_client client = { .transport = head[0] == 't' ? ANSWER_TCP : ANSWER_UDP };
    size_t got = answer_compose(o, zs, &client, query, len, out, sizeof out, &info);
    struct answer_options cached = *o;
    cached.cache = cache;
    for (int i = 0; i < 3; i++) {
        struct answer_info info2;
        size_t len2 = answer_compose(&cached, zs, &client, query, len, again, sizeof again, &info2);
        if (len2 != got || memcmp(out, again, got) != 0 || info2.kind != info.kind) {
            fprintf(stderr, "the cache changes an answer\n");
            exit(3);
        }
    }
    uint8_t size[2] = { (uint8_t)(got >> 8), (uint8_t)got };
    return fwrite(size, 1, 2, stdout) == 2 && fwrite(out, 1, got, stdout) == got;
}

int main(int argc, char **argv)
{
    struct answer_options o = { .version = "test" };
    int i = 1;
    for (; i < argc && strncmp(argv[i], "--", 2) == 0; i++) {
        if (strcmp(argv[i], "--any-full") == 0) {
            o.any_full = true;
        } else if (i + 1 < argc && strcmp(argv[i], "--nsid") == 0) {
            o.nsid = (const uint8_t *)argv[++i];
            o.nsid_len = (uint16_t)strlen(argv[i]);
        } else if (i + 1 < argc && strcmp(argv[i], "--identity") == 0) {
            o.identity = argv[++i];
        } else if (i + 1 < argc && strcmp(argv[i], "--version") == 0) {
            o.version = argv[++i];
        } else {
            break;
        }
    }
    if (argc - i < 1 || argc - i > ZONES_MAX || strncmp(argv[i], "--", 2) == 0) {
        fprintf(stderr, "usage: answer-stdin [--nsid TEXT] [--identity TEXT] [--version TEXT] "
                        "[--any-full] ORIGIN=FILE ...\n");
        return 2;
    }
    const struct zone_set *zs = load(argv + i, argc - i);
    if (zs == NULL)
        return 1;
    cache = calloc(1, answer_cache_size());
    if (cache == NULL)
        return 1;
    setvbuf(stdin, NULL, _IOFBF, 1 << 16);
    while (one(&o, zs))
        fflush(stdout);
    return 0;
}
