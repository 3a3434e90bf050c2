/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef HEALTH_COMPARE_H
#define HEALTH_COMPARE_H

#include <stdbool.h>
#include <stdint.h>

#include "dns/message.h"
#include "health/question.h"
#include "health/verdict.h"
#include "zone/zone.h"

/* Whether a response equals the zone. What it must be is worked out here from the image alone, and
 * not by the room that answers: two ways to the same answer, so that a mistake of one shows. Pure.
 *
 * For any question of class IN to the zones of a set: RCODE, AA; every RRset that the answer must have,
 * whole, with its TTL, and with its signatures when they were asked for and the zone has them; the
 * proof of a denial (RFC 4035 section 3.1.3; of NSEC3 only that there is some, and that all that is
 * there is the zone's); the glue below a cut (RFC 9471). Everything else that is there must be of the
 * zone as well, owner, type, TTL and RDATA. */

struct compare_ask {
    const struct zone_set *zones;
    const struct question *q;
    bool dnssec_ok;
    const uint8_t *nsid; /* what the OPT must say; not looked at when nsid_len is 0 */
    uint32_t nsid_len;
    uint16_t
        udp_payload; /* a whole answer of up to so many bytes must not be truncated; 0: never */
};

struct compare_result {
    enum verdict_why why; /* FINE, or the first thing that is wrong */
    bool truncated;       /* FINE, but cut off as it had to be: what is there is right */
    char text[160];       /* what is wrong, in words; empty when fine */
};

#define COMPARE_RECORDS_MAX 256 /* in one response */
#define COMPARE_WANTS_MAX 128   /* RRsets that one response must have, or may */
#define COMPARE_ITEMS_MAX 128   /* records of one RRset that are told apart */

/* Room to work in: large, the caller's, no state. */
struct compare_record {
    enum dns_section section;
    struct dns_name owner;
    uint16_t type, covered; /* of an RRSIG: the type it covers; else 0 */
    uint32_t ttl_s;
    uint32_t at, len; /* of its RDATA in bytes[], names uncompressed */
};

struct compare_want {
    enum dns_section section;
    bool required;
    struct dns_name owner;
    struct zone_rrset set;
    uint32_t ttl_s, sig_ttl_s; /* a denial's SOA has less than the zone says (RFC 2308 section 3) */
    uint64_t seen[COMPARE_ITEMS_MAX / 64], sig_seen[COMPARE_ITEMS_MAX / 64];
};

struct compare {
    uint32_t record_count, want_count, used;
    struct compare_record records[COMPARE_RECORDS_MAX];
    struct compare_want wants[COMPARE_WANTS_MAX];
    uint8_t bytes[2 * DNS_MESSAGE_MAX];
};

/* `msg` is any bytes; that they belong to the query was asked before (probe_response_belongs). */
void health_compare_answer(struct compare *c, const struct compare_ask *ask, const uint8_t *msg,
                           size_t len, struct compare_result *out);

#endif
