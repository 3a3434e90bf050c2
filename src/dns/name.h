/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DNS_NAME_H
#define DNS_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "base/rd.h"

/* Limits of RFC 1035 section 2.3.4. */
#define DNS_NAME_MAX 255   /* bytes of a name on the wire, the root label included */
#define DNS_LABEL_MAX 63   /* bytes of a label without its length byte */
#define DNS_LABELS_MAX 127 /* labels of a name, without the root label */
#define DNS_TEXT_MAX 1024  /* room for any name as text, escapes and the final zero included */
#define DNS_KEY_MAX 510    /* room for any canonical key, see dns_name_key() */

/* A name in uncompressed wire form, in the case in which it came. `label_at[i]` is where label i
 * begins in `wire` (its length byte); label 0 is the leftmost; the root label is not counted. */
struct dns_name {
    uint8_t len;    /* bytes used in wire[], 1 for the root */
    uint8_t labels; /* 0 for the root */
    uint8_t wire[DNS_NAME_MAX];
    uint8_t label_at[DNS_LABELS_MAX + 1]; /* [labels] is where the root label is */
};

/* Reads an uncompressed name (RFC 1035 section 3.1). False and r->bad when it is broken, too long,
 * or has a compression pointer or another label type. */
bool dns_name_parse(struct dns_name *n, struct rd *r) BASE_MUST_USE;

/* Reads a possibly compressed name (RFC 1035 section 4.1.4) out of the whole message `msg`.
 * Pointers must go strictly backwards, so every input ends. */
bool dns_name_parse_compressed(struct dns_name *n, struct rd *r, const uint8_t *msg,
                               size_t msg_len) BASE_MUST_USE;

/* Reads text ("www.example.com", a final dot or not, \DDD and \X escapes, "." is the root).
 * False when it is not a name. */
bool dns_name_from_text(struct dns_name *n, const char *text) BASE_MUST_USE;

/* Writes text with the final dot, escaped per RFC 1035 section 5.1; returns `buf`. */
const char *dns_name_text(const struct dns_name *n, char buf[DNS_TEXT_MAX]);

/* Equal without regard to the case of ASCII letters (RFC 4343). */
bool dns_name_equal(const struct dns_name *a, const struct dns_name *b);

/* Whether `n` is `ancestor` or below it. */
bool dns_name_is_under(const struct dns_name *n, const struct dns_name *ancestor);

/* The canonical order of RFC 4034 section 6.1: below 0, 0, above 0. */
int dns_name_compare(const struct dns_name *a, const struct dns_name *b);

/* Writes a key whose memcmp order (a shorter one that is a prefix comes first) is the canonical
 * order: labels from the root down, ASCII letters in lower case, each label ended by 0x00; inside a
 * label 0x00 becomes 0x01 0x01 and 0x01 becomes 0x01 0x02. The root has the empty key, and the key of
 * a name is a prefix of the key of every name below it. Returns the length. */
size_t dns_name_key(const struct dns_name *n, uint8_t key[DNS_KEY_MAX]);

/* The ancestor of `n` that has `labels` labels: 0 gives the root, n->labels gives `n`. `out` must not
 * be `n`. */
void dns_name_ancestor(const struct dns_name *n, unsigned labels, struct dns_name *out);

/* The first `count` labels of `n` before `tail`, as DNAME substitutes (RFC 6672 section 2.2). False
 * when that is longer than a name can be. `out` must be neither of them. */
bool dns_name_join(const struct dns_name *n, unsigned count, const struct dns_name *tail,
                   struct dns_name *out) BASE_MUST_USE;

#endif
