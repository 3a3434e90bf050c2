/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef BASE_PREFIX_H
#define BASE_PREFIX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/mem.h"

/* An IPv4 or IPv6 prefix. Bits behind `len` and unused bytes are zero, so that two prefixes may be
 * compared as bytes. */
struct prefix {
    uint8_t family;    /* 4 or 6; 0: none */
    uint8_t len;       /* bits: at most 32 or 128 */
    uint8_t bytes[16]; /* network order; an IPv4 prefix uses the first 4 */
};

#define PREFIX_TEXT_MAX 52 /* room for any prefix as text, the final zero included */

/* The prefix of `len` bits that `a` is in. `len` must be one of its family. */
struct prefix prefix_of(const union addr *a, uint8_t len);

/* "192.0.2.0/24", "2001:db8::/32"; an address alone is its host prefix. False when it is no prefix, or
 * a bit behind the length is set. */
bool prefix_parse(struct prefix *p, const char *text) BASE_MUST_USE;
const char *prefix_text(const struct prefix *p, char buf[PREFIX_TEXT_MAX]);

/* Whether the parts agree: a family, no longer than it, no bit set behind the length. For prefixes
 * that came from outside. */
bool prefix_valid(const struct prefix *p);
bool prefix_equal(const struct prefix *a, const struct prefix *b);
/* Whether `a` is one of the addresses of `p`. */
bool prefix_holds(const struct prefix *p, const union addr *a);

#endif
