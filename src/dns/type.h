/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DNS_TYPE_H
#define DNS_TYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "base/rd.h"
#include "base/wr.h"

/* One row per type that has a mnemonic (IANA "DNS Parameters"): name, number, and the shape of its
 * RDATA as far as names in it matter, see dns_type_shape(). */
#define DNS_TYPES(X)                                                                               \
    X(A, 1, "r")                                                                                   \
    X(NS, 2, "c")                                                                                  \
    X(MD, 3, "c")                                                                                  \
    X(MF, 4, "c")                                                                                  \
    X(CNAME, 5, "c")                                                                               \
    X(SOA, 6, "ccr")                                                                               \
    X(MB, 7, "c")                                                                                  \
    X(MG, 8, "c")                                                                                  \
    X(MR, 9, "c")                                                                                  \
    X(NULL, 10, "r")                                                                               \
    X(WKS, 11, "r")                                                                                \
    X(PTR, 12, "c")                                                                                \
    X(HINFO, 13, "r")                                                                              \
    X(MINFO, 14, "cc")                                                                             \
    X(MX, 15, "2c")                                                                                \
    X(TXT, 16, "r")                                                                                \
    X(RP, 17, "dd")                                                                                \
    X(AFSDB, 18, "2d")                                                                             \
    X(X25, 19, "r")                                                                                \
    X(ISDN, 20, "r")                                                                               \
    X(RT, 21, "2d")                                                                                \
    X(NSAP, 22, "r")                                                                               \
    X(NSAP_PTR, 23, "d")                                                                           \
    X(SIG, 24, "288dr")                                                                            \
    X(KEY, 25, "r")                                                                                \
    X(PX, 26, "2dd")                                                                               \
    X(GPOS, 27, "r")                                                                               \
    X(AAAA, 28, "r")                                                                               \
    X(LOC, 29, "r")                                                                                \
    X(NXT, 30, "dr")                                                                               \
    X(EID, 31, "r")                                                                                \
    X(NIMLOC, 32, "r")                                                                             \
    X(SRV, 33, "24d")                                                                              \
    X(ATMA, 34, "r")                                                                               \
    X(NAPTR, 35, "4sssd")                                                                          \
    X(KX, 36, "2d")                                                                                \
    X(CERT, 37, "r")                                                                               \
    X(A6, 38, "r")                                                                                 \
    X(DNAME, 39, "n")                                                                              \
    X(SINK, 40, "r")                                                                               \
    X(OPT, 41, "r")                                                                                \
    X(APL, 42, "r")                                                                                \
    X(DS, 43, "r")                                                                                 \
    X(SSHFP, 44, "r")                                                                              \
    X(IPSECKEY, 45, "r")                                                                           \
    X(RRSIG, 46, "288nr")                                                                          \
    X(NSEC, 47, "nr")                                                                              \
    X(DNSKEY, 48, "r")                                                                             \
    X(DHCID, 49, "r")                                                                              \
    X(NSEC3, 50, "r")                                                                              \
    X(NSEC3PARAM, 51, "r")                                                                         \
    X(TLSA, 52, "r")                                                                               \
    X(SMIMEA, 53, "r")                                                                             \
    X(HIP, 55, "r")                                                                                \
    X(NINFO, 56, "r")                                                                              \
    X(RKEY, 57, "r")                                                                               \
    X(TALINK, 58, "nn")                                                                            \
    X(CDS, 59, "r")                                                                                \
    X(CDNSKEY, 60, "r")                                                                            \
    X(OPENPGPKEY, 61, "r")                                                                         \
    X(CSYNC, 62, "r")                                                                              \
    X(ZONEMD, 63, "r")                                                                             \
    X(SVCB, 64, "2nr")                                                                             \
    X(HTTPS, 65, "2nr")                                                                            \
    X(DSYNC, 66, "r")                                                                              \
    X(HHIT, 67, "r")                                                                               \
    X(BRID, 68, "r")                                                                               \
    X(SPF, 99, "r")                                                                                \
    X(NID, 104, "r")                                                                               \
    X(L32, 105, "r")                                                                               \
    X(L64, 106, "r")                                                                               \
    X(LP, 107, "2n")                                                                               \
    X(EUI48, 108, "r")                                                                             \
    X(EUI64, 109, "r")                                                                             \
    X(NXNAME, 128, "r")                                                                            \
    X(TKEY, 249, "r")                                                                              \
    X(TSIG, 250, "r")                                                                              \
    X(IXFR, 251, "r")                                                                              \
    X(AXFR, 252, "r")                                                                              \
    X(MAILB, 253, "r")                                                                             \
    X(MAILA, 254, "r")                                                                             \
    X(ANY, 255, "r")                                                                               \
    X(URI, 256, "r")                                                                               \
    X(CAA, 257, "r")                                                                               \
    X(AVC, 258, "r")                                                                               \
    X(DOA, 259, "r")                                                                               \
    X(AMTRELAY, 260, "r")                                                                          \
    X(RESINFO, 261, "r")                                                                           \
    X(WALLET, 262, "r")                                                                            \
    X(CLA, 263, "r")                                                                               \
    X(IPN, 264, "r")                                                                               \
    X(TA, 32768, "r")                                                                              \
    X(DLV, 32769, "r")

#define DNS_TYPE_ENUM_(name, number, shape) DNS_TYPE_##name = number,
enum dns_type { DNS_TYPES(DNS_TYPE_ENUM_) };
#undef DNS_TYPE_ENUM_

enum dns_class {
    DNS_CLASS_IN = 1,
    DNS_CLASS_CH = 3,
    DNS_CLASS_HS = 4,
    DNS_CLASS_NONE = 254,
    DNS_CLASS_ANY = 255,
};

enum dns_opcode {
    DNS_OPCODE_QUERY = 0,
    DNS_OPCODE_IQUERY = 1,
    DNS_OPCODE_STATUS = 2,
    DNS_OPCODE_NOTIFY = 4,
    DNS_OPCODE_UPDATE = 5,
    DNS_OPCODE_DSO = 6,
};

/* Header RCODEs, and from 16 on the extended ones of RFC 6891 section 6.1.3. */
enum dns_rcode {
    DNS_RCODE_NOERROR = 0,
    DNS_RCODE_FORMERR = 1,
    DNS_RCODE_SERVFAIL = 2,
    DNS_RCODE_NXDOMAIN = 3,
    DNS_RCODE_NOTIMP = 4,
    DNS_RCODE_REFUSED = 5,
    DNS_RCODE_YXDOMAIN = 6,
    DNS_RCODE_YXRRSET = 7,
    DNS_RCODE_NXRRSET = 8,
    DNS_RCODE_NOTAUTH = 9,
    DNS_RCODE_NOTZONE = 10,
    DNS_RCODE_BADVERS = 16,
    DNS_RCODE_BADKEY = 17, /* in a TSIG only */
    DNS_RCODE_BADCOOKIE = 23,
};

/* Room for any type as text: "TYPE65535" or "NSEC3PARAM" and the final zero. */
#define DNS_TYPE_TEXT_MAX 16

/* "A", "NSAP-PTR", or "TYPE65280" (RFC 3597 section 5); returns `buf`. */
const char *dns_type_text(uint16_t type, char buf[DNS_TYPE_TEXT_MAX]);

/* Reads a mnemonic in any case, or TYPEn. False when it is neither. */
bool dns_type_from_text(const char *text, uint16_t *type);

/* "NOERROR", …; "RCODE11" for those without a name; returns `buf`. */
const char *dns_rcode_text(uint16_t rcode, char buf[DNS_TYPE_TEXT_MAX]);

/* The fields of RDATA, as far as names matter; never NULL. One letter a field:
 *   c  a name that a writer may compress (RFC 1035 types only, RFC 3597 section 4)
 *   d  a name that a writer must not compress but a reader has to decompress (the same section)
 *   n  a name that is never compressed
 *   1 2 4 8  so many bytes          s  a character-string
 *   r  the rest, of any length, also none */
const char *dns_type_shape(uint16_t type);

/* Whether `type` may own records of a zone: not a question-only or meta type (RFC 6895 section
 * 3.1: 0, 128 to 255 and OPT). */
bool dns_type_is_data(uint16_t type);

/* Whether RDATA, uncompressed, holds what the shape of `type` asks for, names whole. What the shape
 * calls the rest is not looked at. */
bool dns_rdata_valid(uint16_t type, const uint8_t *rdata, size_t len);

/* Writes the RDATA that `r` covers, a part of the whole message `msg`, with its names uncompressed
 * and in their case (RFC 3597 section 4). False when the bytes are broken, a name is compressed
 * where it must not be ('n'), bytes are left over, or `w` is full. */
bool dns_rdata_expand(uint16_t type, struct rd r, const uint8_t *msg, size_t msg_len,
                      struct wr *w) BASE_MUST_USE;

#endif
