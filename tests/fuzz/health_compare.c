/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes as an answer, held against a small signed zone: the first byte chooses the question. A fine
 * answer has nothing to say, every other one has; and what is fine is a message that can be read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"
#include "fuzz.h"
#include "health/compare.h"
#include "zone/load.h"

static const char text[] =
    "$ORIGIN t.\n$TTL 60\n"
    "@ SOA ns host 1 2 3 4 5\n@ RRSIG SOA 13 1 60 20300101000000 20200101000000 1 t. AAAA\n"
    "@ NS ns\n@ NSEC a NS SOA RRSIG NSEC\n@ MX 5 a\n"
    "@ RRSIG NSEC 13 1 60 20300101000000 20200101000000 1 t. AAAA\n"
    "a A 192.0.2.7\na A 192.0.2.8\na AAAA 2001:db8::1\na NSEC ns A AAAA NSEC\n"
    "ns A 192.0.2.1\nns NSEC sub A NSEC\n"
    "sub NS ns.sub\nsub NS ns.other.\nsub NSEC *.w NS NSEC\nns.sub A 192.0.2.2\n"
    "*.w TXT wild\n*.w NSEC t. TXT NSEC\n";

static struct zone_set *zones;
static struct compare *scratch;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static struct zone_errors errs;
    struct err e = { 0 };
    char path[] = "/tmp/perigee-fuzz-XXXXXX";
    (void)argc;
    (void)argv;
    int file = mkstemp(path);
    base_assert(file >= 0);
    base_assert(write(file, text, sizeof text - 1) == (ssize_t)sizeof text - 1);
    close(file);
    struct zone_source source = { .origin = "t.", .path = path };
    int fd = zone_image_memfd(&e);
    bool good = fd >= 0 && zone_build_image(&source, 1, fd, &errs);
    unlink(path);
    base_assert(good);
    zones = zone_set_map(fd, &e);
    close(fd);
    base_assert(zones != NULL);
    scratch = malloc(sizeof *scratch);
    base_assert(scratch != NULL);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct {
        const char *name;
        uint16_t type;
    } questions[] = { { "t.", 6 },       { "a.t.", 1 },    { "a.t.", 16 }, { "nope.t.", 1 },
                      { "x.sub.t.", 1 }, { "x.w.t.", 16 }, { "w.t.", 16 }, { "other.", 1 } };
    struct question q = { .kind = QUESTION_RECORD };
    struct compare_result r;
    struct dns_reader d;
    if (size < 1)
        return -1;
    uint32_t i = data[0] % 8;
    bool good = dns_name_from_text(&q.qname, questions[i].name);
    base_assert(good);
    q.qtype = questions[i].type;
    struct compare_ask ask = { .zones = zones,
                               .q = &q,
                               .dnssec_ok = (data[0] & 8) == 0,
                               .nsid = (const uint8_t *)"s",
                               .nsid_len = data[0] >> 4 & 1,
                               .udp_payload = (data[0] & 32) == 0 ? 1232 : 0 };
    health_compare_answer(scratch, &ask, data + 1, size - 1, &r);
    base_assert(r.why < VERDICT_WHY_COUNT);
    base_assert((r.why == VERDICT_FINE) == (r.text[0] == '\0'));
    base_assert(!r.truncated || r.why == VERDICT_FINE);
    if (r.why == VERDICT_FINE) {
        good = dns_reader_open(&d, data + 1, size - 1);
        base_assert(good);
    }
    return 0;
}
