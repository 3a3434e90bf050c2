/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes as datagrams of a fleet: the first byte says how long the first one is, then the next. What
 * is read is written the same way again; the state stays within its bounds. */
#include <string.h>

#include "base/assert.h"
#include "fleet/fleet.h"
#include "fuzz.h"

static struct fleet fleet;
static struct fleet_config config;

static void make(void)
{
    static const char *const names[] = { "ams1", "nyc1", "sin1" };
    config.node_count = 3;
    config.secret = true;
    for (uint32_t i = 0; i < 3; i++)
        memcpy(config.nodes[i].name, names[i], 5);
    fleet_init(&fleet, &config, 1, 1);
}

static void one(const uint8_t *data, size_t size, mono_t now)
{
    static struct fleet_message m;
    static uint8_t again[FLEET_DATAGRAM_MAX];
    static const union addr from;
    const wall_t wall = { .s = 1764000000 };
    struct fleet_others o;
    if (fleet_message_parse(&m, data, size)) {
        size_t len = fleet_message_write(&m, again, sizeof again);
        base_assert(len == size);
        base_assert(memcmp(again, data, size) == 0);
    }
    fleet_receive(&fleet, data, size, &from, true, now, wall);
    for (uint32_t i = 0; i < fleet.peers[1].last.prefix_count; i++)
        fleet_others(&fleet, &fleet.peers[1].last.prefixes[i].prefix, now, &o);
    struct fleet_self self = { .prefix_count = 1 };
    self.prefixes[0].prefix = (struct prefix){ .family = 4, .len = 24, .bytes = { 192, 0, 2 } };
    self.prefixes[0].out = true;
    size_t len = fleet_write(&fleet, &self, now, wall, again, sizeof again - FLEET_TAG_LEN);
    base_assert(len > 0);
    base_assert(fleet_message_parse(&m, again, len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    mono_t now = mono_add_ms(MONO_ZERO, 1000);
    make();
    while (size > 2) {
        size_t len = (size_t)(data[0] << 8 | data[1]);
        data += 2;
        size -= 2;
        len = len < size ? len : size;
        one(data, len, now);
        data += len;
        size -= len;
        now = mono_add_ms(now, 100);
    }
    return 0;
}
