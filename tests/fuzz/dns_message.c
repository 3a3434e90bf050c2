/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes as a query and as a response. */
#include "base/assert.h"
#include "dns/message.h"
#include "fuzz.h"

static void as_query(const uint8_t *data, size_t size)
{
    struct dns_query q;
    enum dns_grade grade = dns_query_parse(&q, data, size);
    if (grade == DNS_GRADE_DROP)
        return;
    base_assert(size >= DNS_HEADER_LEN);
    if (grade == DNS_GRADE_OK || grade == DNS_GRADE_BADVERS)
        base_assert(q.question);
    if (q.question)
        base_assert(DNS_HEADER_LEN + (size_t)q.question_len <= size);
    base_assert(q.udp_payload >= DNS_UDP_PLAIN_MAX);
    if (q.cookie_len > 0)
        base_assert(q.cookie + q.cookie_len <= data + size);
    if (q.tsig)
        base_assert(q.tsig_at < size);
}

static void as_response(const uint8_t *data, size_t size)
{
    static uint8_t rdata[DNS_MESSAGE_MAX];
    struct dns_reader d;
    struct dns_rr rr;
    if (!dns_reader_open(&d, data, size))
        return;
    enum dns_reader_got got;
    unsigned seen = 0;
    while ((got = dns_reader_next(&d, &rr)) == DNS_READER_RR) {
        seen++;
        base_assert(rr.rdata.pos >= data);
        base_assert(rr.rdata.end <= data + size);
        int32_t len = dns_reader_rdata(&d, &rr, rdata, sizeof rdata);
        if (len >= 0)
            base_assert(dns_rdata_valid(rr.type, rdata, (size_t)len));
        uint16_t option_len = 0;
        const uint8_t *option = dns_opt_find(&rr, DNS_EDNS_NSID, &option_len);
        if (option != NULL)
            base_assert(option + option_len <= data + size);
    }
    if (got == DNS_READER_END)
        base_assert(seen == (unsigned)d.count[0] + d.count[1] + d.count[2]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    as_query(data, size);
    as_response(data, size);
    return 0;
}
