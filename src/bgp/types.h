/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef BGP_TYPES_H
#define BGP_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The words that messages, state machine, tables and speaker share. */

enum bgp_family {
    BGP_IPV4 = 0, /* AFI 1, SAFI 1 */
    BGP_IPV6 = 1, /* AFI 2, SAFI 1 */
};
#define BGP_FAMILIES 2
#define BGP_FAMILY_BIT(family) (1u << (family))
#define BGP_FAMILY_ALL 3u

#define BGP_AS_TRANS 23456u /* RFC 6793: stands for a 4-octet AS towards a speaker of 2 octets */
#define BGP_HOLD_DEFAULT_S 90
#define BGP_HOLD_MIN_S 3 /* RFC 4271 section 4.2: zero or at least three seconds */
#define BGP_PORT 179

/* Well-known communities. */
#define BGP_COMMUNITY_GRACEFUL_SHUTDOWN 0xffff0000u /* RFC 8326 */
#define BGP_COMMUNITY_BLACKHOLE 0xffff029au         /* RFC 7999 */
#define BGP_COMMUNITY_NO_EXPORT 0xffffff01u         /* RFC 1997 */
#define BGP_COMMUNITY_NO_ADVERTISE 0xffffff02u      /* RFC 1997 */

/* An address without a port. The unused bytes of an IPv4 address are zero, so that two addresses
 * can be compared as bytes. */
struct bgp_addr {
    uint8_t family;    /* enum bgp_family */
    uint8_t bytes[16]; /* network order; the first 4 for IPv4 */
};

/* A prefix. All bits behind `len` are zero, so that two prefixes can be compared as bytes. */
struct bgp_prefix {
    uint8_t family; /* enum bgp_family */
    uint8_t len;    /* bits: at most 32 or 128 */
    uint8_t addr[16];
};

#define BGP_ADDR_TEXT_MAX 48
#define BGP_PREFIX_TEXT_MAX 52

/* "192.0.2.1", "2001:db8::1". False when it is not an address. No scope: see the neighbor's
 * interface. */
bool bgp_addr_parse(const char *text, struct bgp_addr *a) __attribute__((nonnull));
const char *bgp_addr_text(const struct bgp_addr *a, char buf[BGP_ADDR_TEXT_MAX])
    __attribute__((nonnull));
bool bgp_addr_eq(const struct bgp_addr *a, const struct bgp_addr *b) __attribute__((nonnull));
bool bgp_addr_is_zero(const struct bgp_addr *a) __attribute__((nonnull));
bool bgp_addr_is_link_local(const struct bgp_addr *a) __attribute__((nonnull));

/* "192.0.2.0/24", "2001:db8::/32". False when it is not a prefix, or when a bit behind its length is
 * set. */
bool bgp_prefix_parse(const char *text, struct bgp_prefix *p) __attribute__((nonnull));
const char *bgp_prefix_text(const struct bgp_prefix *p, char buf[BGP_PREFIX_TEXT_MAX])
    __attribute__((nonnull));
bool bgp_prefix_eq(const struct bgp_prefix *a, const struct bgp_prefix *b) __attribute__((nonnull));
/* A total order: family, address, length. <0, 0, >0. */
int bgp_prefix_cmp(const struct bgp_prefix *a, const struct bgp_prefix *b) __attribute__((nonnull));
/* Whether every address of `inner` is in `outer` (equal prefixes cover each other). */
bool bgp_prefix_covers(const struct bgp_prefix *outer, const struct bgp_prefix *inner)
    __attribute__((nonnull));
uint8_t bgp_prefix_len_max(uint8_t family);

/* Large community, RFC 8092. */
struct bgp_large {
    uint32_t global, local1, local2;
};

#define BGP_COMMUNITIES_MAX 16 /* of one route of ours */
#define BGP_LARGE_MAX 16
#define BGP_PREPEND_MAX 32

enum bgp_origin { BGP_ORIGIN_IGP = 0, BGP_ORIGIN_EGP = 1, BGP_ORIGIN_INCOMPLETE = 2 };

/* What goes with a route of ours to one neighbor. Zero is a good default: IGP, nothing else.
 * Next hop, AS path and the default LOCAL_PREF (100, iBGP) come from the neighbor. */
struct bgp_attrs {
    uint8_t origin;  /* enum bgp_origin */
    uint8_t prepend; /* own AS this many times more (eBGP); at most BGP_PREPEND_MAX */
    bool has_med;
    bool has_local_pref; /* sent to iBGP neighbors only (RFC 4271 section 5.1.5) */
    uint32_t med, local_pref;
    uint8_t community_count, large_count;
    uint32_t communities[BGP_COMMUNITIES_MAX]; /* host order, (as << 16 | value) */
    struct bgp_large large[BGP_LARGE_MAX];
};

bool bgp_attrs_eq(const struct bgp_attrs *a, const struct bgp_attrs *b) __attribute__((nonnull));

/* False when it is there already or there is no room; for the names of sets in a configuration. */
bool bgp_attrs_add_community(struct bgp_attrs *a, uint32_t community) __attribute__((nonnull));
bool bgp_attrs_add_large(struct bgp_attrs *a, struct bgp_large large) __attribute__((nonnull));

/* "65535:0", "64512:1:2", "no-export", "no-advertise", "graceful-shutdown", "blackhole": adds it to
 * *a as what it is. False when it is none of these or there is no room. */
bool bgp_attrs_parse_community(struct bgp_attrs *a, const char *text) __attribute__((nonnull));

#endif
