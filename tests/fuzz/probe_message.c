/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes as a response: whether they belong to the query, and what a person is shown of them. A
 * response that belongs has the query's question. */
#include <string.h>

#include "base/assert.h"
#include "dns/message.h"
#include "fuzz.h"
#include "probe/probe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct probe_question q = {
        .qtype = 6, .qclass = 1, .edns = true, .nsid = true, .udp_payload = 1232
    };
    struct probe_summary s;
    char text[PROBE_NSID_TEXT_MAX];
    uint8_t query[512];
    struct dns_reader d;
    bool good = dns_name_from_text(&q.qname, "www.example.");
    base_assert(good);
    size_t len = probe_query_write(&q, 0x1234, 0x5a5a, query, sizeof query);
    if (probe_response_belongs(query, len, data, size)) {
        good = dns_reader_open(&d, data, size);
        base_assert(good);
        base_assert(d.id == 0x1234);
        base_assert(!d.question || dns_name_equal(&d.qname, &q.qname));
    }
    if (probe_summary_read(data, size, &s)) {
        base_assert(strlen(s.text) < sizeof s.text);
        base_assert(strlen(probe_nsid_text(s.nsid, s.nsid_len, text)) < sizeof text);
    }
    return 0;
}
