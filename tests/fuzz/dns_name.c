/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names out of any bytes: the first two say where in the "message" the name begins. What is read is a
 * name within the limits, and goes through text, key and comparison unharmed. */
#include <string.h>

#include "base/assert.h"
#include "dns/name.h"
#include "fuzz.h"

static void name_holds(const struct dns_name *n)
{
    struct dns_name again;
    char text[DNS_TEXT_MAX];
    uint8_t key[DNS_KEY_MAX];
    base_assert(n->len >= 1);
    base_assert(n->wire[n->len - 1] == 0);
    base_assert(n->label_at[n->labels] == n->len - 1);
    base_assert(strlen(dns_name_text(n, text)) < DNS_TEXT_MAX);
    base_assert(dns_name_from_text(&again, text));
    base_assert(again.len == n->len);
    base_assert(memcmp(again.wire, n->wire, n->len) == 0);
    base_assert(dns_name_key(n, key) <= DNS_KEY_MAX);
    base_assert(dns_name_compare(n, &again) == 0);
    for (unsigned labels = 0; labels <= n->labels; labels++) {
        struct dns_name above, back;
        dns_name_ancestor(n, labels, &above);
        base_assert(dns_name_is_under(n, &above));
        base_assert(dns_name_join(n, n->labels - labels, &above, &back));
        base_assert(dns_name_equal(n, &back));
        base_assert((dns_name_compare(n, &above) == 0) == (labels == n->labels));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    const uint8_t *msg = data + 2;
    size_t len = size - 2, at = (size_t)data[0] << 8 | data[1];
    struct dns_name n, plain;
    struct rd r = rd_init(msg + (at < len ? at : len), at < len ? len - at : 0), p = r;
    bool ok = dns_name_parse_compressed(&n, &r, msg, len);
    base_assert(ok == !r.bad);
    if (ok)
        name_holds(&n);
    if (dns_name_parse(&plain, &p)) {
        base_assert(ok);
        base_assert(p.pos == r.pos);
        base_assert(dns_name_equal(&plain, &n));
    }
    char text[512];
    size_t text_len = len < sizeof text - 1 ? len : sizeof text - 1;
    memcpy(text, msg, text_len);
    text[text_len] = '\0';
    if (dns_name_from_text(&n, text))
        name_holds(&n);
    return 0;
}
