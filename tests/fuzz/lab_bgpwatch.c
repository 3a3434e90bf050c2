/* SPDX-License-Identifier: GPL-3.0-or-later */

/* A pcap file through the judge on the wire. */
#include "fuzz.h"

#include "lab/bgpwatch.h"

static void note(void *arg, const struct bgpwatch_event *ev)
{
    *(uint64_t *)arg += ev->announced;
}

static void one(void *arg, const uint8_t *frame, size_t len, int64_t at_ns)
{
    bgpwatch_frame(arg, frame, len, at_ns);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct bgpwatch w;
    static const uint8_t node4[4] = { 100, 64, 0, 38 }, node6[16] = { 0x20, 1 };
    uint64_t sum = 0;
    bgpwatch_init(&w, node4, node6, note, &sum);
    if (!pcap_walk(data, size, one, &w))
        bgpwatch_frame(&w, data, size, 0);
    return 0;
}
