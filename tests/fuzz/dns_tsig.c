/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes as a request with TSIG, and as a response to one; the first byte chooses key and time. */
#include <string.h>

#include "base/assert.h"
#include "dns/message.h"
#include "dns/tsig.h"
#include "fuzz.h"

static struct tsig_key key = { .secret_len = 6, .secret = "secret" };

static const struct tsig_key *find_key(void *arg, const struct dns_name *name)
{
    (void)arg;
    return dns_name_equal(name, &key.name) ? &key : NULL;
}

static void answer(struct tsig *t, uint8_t *msg, size_t body, wall_t now)
{
    size_t size = tsig_size(t), len = tsig_sign(t, msg, body, body + size, now);
    base_assert(size <= TSIG_ROOM);
    base_assert(len == body + size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t msg[DNS_MESSAGE_MAX + TSIG_ROOM], again[DNS_MESSAGE_MAX + TSIG_ROOM];
    struct tsig t, client;
    size_t body;
    if (size < 1 + DNS_HEADER_LEN || size > DNS_MESSAGE_MAX)
        return 0;
    wall_t now = { (data[0] & 4) != 0 ? 0x6b066f85 : 1700000000, 0 };
    key.algorithm = (enum tsig_algorithm)(data[0] % TSIG_ALGORITHMS);
    base_assert(dns_name_from_text(&key.name, "key.example."));
    memcpy(msg, data + 1, size - 1);
    enum tsig_status s = tsig_verify_request(&t, msg, size - 1, find_key, NULL, now, &body);
    base_assert(body <= size - 1);
    base_assert(s != TSIG_OK || t.key == &key);
    if (body >= DNS_HEADER_LEN)
        answer(&t, msg, body, now);
    /* As a response, first and later. */
    for (int i = 0; i < 2; i++) {
        memcpy(again, data + 1, size - 1);
        tsig_begin(&client, &key);
        client.response = true;
        client.first_done = i != 0;
        s = tsig_verify_response(&client, again, size - 1, now, &body);
        base_assert(body <= size - 1);
        base_assert(s != TSIG_UNSIGNED || i != 0);
    }
    /* What is signed here verifies, whatever it is. */
    memcpy(msg, data + 1, size - 1);
    tsig_begin(&client, &key);
    size_t len = tsig_sign(&client, msg, size - 1, sizeof msg, now);
    if (tsig_verify_request(&t, msg, len, find_key, NULL, now, &body) == TSIG_OK)
        base_assert(body == size - 1 && memcmp(msg, data + 1, body) == 0);
    return 0;
}
