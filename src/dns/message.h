/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DNS_MESSAGE_H
#define DNS_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "base/rd.h"
#include "dns/name.h"
#include "dns/type.h"

#define DNS_HEADER_LEN 12
#define DNS_UDP_PLAIN_MAX 512  /* a response without EDNS (RFC 1035 section 4.2.1) */
#define DNS_MESSAGE_MAX 65535  /* over TCP (section 4.2.2) */
#define DNS_POINTER_MAX 0x3fff /* the last offset a compression pointer can name */

/* The second 16 bits of the header (RFC 1035 section 4.1.1, RFC 4035 section 3.1.6). */
#define DNS_FLAG_QR 0x8000
#define DNS_FLAG_AA 0x0400
#define DNS_FLAG_TC 0x0200
#define DNS_FLAG_RD 0x0100
#define DNS_FLAG_RA 0x0080
#define DNS_FLAG_AD 0x0020
#define DNS_FLAG_CD 0x0010
#define DNS_FLAGS_OPCODE(flags) ((uint8_t)((flags) >> 11 & 15))
#define DNS_FLAGS_RCODE(flags) ((uint8_t)((flags)&15))

#define DNS_EDNS_DO 0x8000 /* in the OPT's 16 flag bits (RFC 3225) */
enum dns_edns_option {
    DNS_EDNS_NSID = 3,         /* RFC 5001 */
    DNS_EDNS_EXPIRE = 9,       /* RFC 7314 */
    DNS_EDNS_COOKIE = 10,      /* RFC 7873 */
    DNS_EDNS_KEEPALIVE = 11,   /* RFC 7828 */
    DNS_EDNS_PADDING = 12,     /* RFC 7830 */
    DNS_EDNS_EDE = 15,         /* RFC 8914 */
    DNS_EDNS_ZONEVERSION = 19, /* RFC 9660 */
};

/* Extended DNS errors, those that an authority sends (RFC 8914 section 4). */
enum dns_ede {
    DNS_EDE_OTHER = 0,
    DNS_EDE_NOT_READY = 14,
    DNS_EDE_BLOCKED = 15,
    DNS_EDE_PROHIBITED = 18,
    DNS_EDE_NOT_AUTHORITATIVE = 20,
    DNS_EDE_NOT_SUPPORTED = 21,
    DNS_EDE_INVALID_DATA = 24,
    DNS_EDE_NSEC3_ITERATIONS = 27, /* RFC 9276 section 3.2 */
    DNS_EDE_NONE = 0xffff,         /* none is sent */
};

/* ---- what a server reads ---- */

/* What a query deserves. Worst first is not implied; see dns_query_parse(). */
enum dns_grade {
    DNS_GRADE_OK,      /* opcode QUERY, one question, EDNS version 0 or none */
    DNS_GRADE_DROP,    /* no answer: shorter than a header, or itself a response */
    DNS_GRADE_FORMERR, /* broken, more or less than one question, several OPTs, bytes left over */
    DNS_GRADE_NOTIMP,  /* another opcode */
    DNS_GRADE_BADVERS, /* an EDNS version above 0 (RFC 6891 section 6.1.3) */
};

/* A query as read. `question` and `edns` are right also for grades other than OK, so that the answer
 * can echo the question and carry an OPT; everything else is only set when they are. */
struct dns_query {
    uint16_t id, flags; /* as in the header, host order */
    uint8_t opcode;

    bool empty;    /* no question was announced, and the message is whole (RFC 7873 section 5.4) */
    bool question; /* exactly one question was announced and could be read */
    struct dns_name qname;
    uint16_t qtype, qclass;
    uint16_t question_len; /* bytes from the header's end to the question's end */

    bool edns; /* one well-formed OPT was found in the additional section */
    bool dnssec_ok;
    uint8_t edns_version;
    uint16_t udp_payload; /* the client's, at least 512 (RFC 6891 section 6.2.3) */
    /* Options; all others are passed over (section 6.1.2). */
    bool nsid_asked;        /* whatever its payload (RFC 5001 section 2.1) */
    bool zoneversion_asked; /* likewise (RFC 9660 section 3.2) */
    bool expire_asked;      /* RFC 7314 */
    bool padding_asked;     /* RFC 7830 */
    bool keepalive_asked;   /* RFC 7828 */
    bool keepalive_broken;  /* it has a timeout, which only servers send (section 3.2.1) */
    uint8_t cookie_len;     /* of the first COOKIE option: 8, or 16 to 40; 0: of another length */
    const uint8_t *cookie;  /* NULL when there is none */

    bool tsig; /* the last record is a TSIG: tsig_at is where it begins (RFC 8945 section 5.1) */
    uint16_t tsig_at;
};

/* Reads a whole query. Never fails otherwise than by its grade; `q` borrows from `msg`. */
enum dns_grade dns_query_parse(struct dns_query *q, const uint8_t *msg, size_t len) BASE_MUST_USE;

/* ---- what a client writes and reads ---- */

struct dns_ask {
    uint16_t id;
    bool rd, cd;
    const struct dns_name *qname;
    uint16_t qtype, qclass;
    bool edns; /* with an OPT; the rest counts only then */
    bool dnssec_ok, nsid;
    uint16_t udp_payload;
    const uint8_t *options; /* more of them, as on the wire; may be NULL */
    uint16_t options_len;
};

/* Writes a query; returns its length, 0 when `cap` is too small (512 is always enough). */
size_t dns_ask_write(const struct dns_ask *ask, uint8_t *out, size_t cap);

enum dns_section { DNS_ANSWER, DNS_AUTHORITY, DNS_ADDITIONAL };

/* One record of a message. */
struct dns_rr {
    enum dns_section section;
    struct dns_name owner;
    uint16_t type, rclass;
    uint32_t ttl_s;
    struct rd rdata; /* as in the message: borrowed, names may be compressed */
};

/* Walks over a message (a response mostly; any opcode). Everything is borrowed from the message. */
struct dns_reader {
    const uint8_t *msg;
    size_t len;
    struct rd r;
    uint16_t id, flags;
    uint16_t qdcount, count[3], left[3]; /* records announced, and not yet read, by section */
    bool question;                       /* there is one, and it is the three below */
    struct dns_name qname;
    uint16_t qtype, qclass;
};

/* False when the header or a question is broken. Questions after the first are passed over. */
bool dns_reader_open(struct dns_reader *d, const uint8_t *msg, size_t len) BASE_MUST_USE;

enum dns_reader_got {
    DNS_READER_RR,     /* *rr is the next record */
    DNS_READER_END,    /* all counted records were read, and no byte is left */
    DNS_READER_BROKEN, /* it breaks off, or bytes are left over */
};
enum dns_reader_got dns_reader_next(struct dns_reader *d, struct dns_rr *rr);

/* The RDATA of `rr` with names uncompressed, as in a struct zone_rrset. Returns the length, or -1
 * when it is broken or `cap` is too small (DNS_MESSAGE_MAX is always enough for what is right). */
int32_t dns_reader_rdata(const struct dns_reader *d, const struct dns_rr *rr, uint8_t *out,
                         size_t cap);

/* Finds an option in an OPT record's RDATA; NULL when it is not there or the RDATA is broken. */
const uint8_t *dns_opt_find(const struct dns_rr *opt, uint16_t code, uint16_t *len);

/* The whole RCODE: 4 bits of the header, 8 of the OPT; `opt` may be NULL. */
uint16_t dns_full_rcode(uint16_t flags, const struct dns_rr *opt);

#endif
