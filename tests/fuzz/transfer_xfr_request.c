/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes as a request or a NOTIFY; what is answered is a whole message of the same id and question. */
#include "base/assert.h"
#include "fuzz.h"
#include "transfer/xfr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct xfr_request r;
    struct dns_reader d;
    struct dns_rr rr;
    uint8_t out[DNS_UDP_PLAIN_MAX];
    uint16_t rcode;
    enum dns_reader_got got;
    if (!xfr_request_parse(&r, data, size, &rcode))
        return 0;
    base_assert(r.type == XFR_AXFR || r.type == XFR_IXFR || r.type == XFR_NOTIFY);
    base_assert(rcode != 0 || r.question);
    base_assert(rcode != 0 || r.type != XFR_IXFR || r.has_serial);
    base_assert(r.udp_payload >= DNS_UDP_PLAIN_MAX);
    size_t len = xfr_reply_write(&r, rcode, DNS_EDE_PROHIBITED, out, sizeof out);
    base_assert(len >= DNS_HEADER_LEN);
    base_assert(dns_reader_open(&d, out, len));
    base_assert(d.id == r.id && (d.flags & DNS_FLAG_QR) != 0 && d.question == r.question);
    while ((got = dns_reader_next(&d, &rr)) == DNS_READER_RR)
        base_assert(rr.type == DNS_TYPE_OPT && r.edns);
    base_assert(got == DNS_READER_END);
    return 0;
}
