/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef HEALTH_EXPECT_H
#define HEALTH_EXPECT_H

#include "health/compare.h"

/* The half of compare that knows the zone: what a response must be. compare.c holds it against what
 * came. */
struct expect {
    uint16_t rcode;
    bool aa, any_aa;   /* any_aa: not looked at */
    bool chain;        /* the answer goes on behind an alias: more records may follow */
    bool nsec3;        /* some NSEC3 must be in the authority section */
    uint32_t size_max; /* bytes that the required records need at most, uncompressed */
};

/* Fills c->wants. */
void health_expect_answer(struct compare *c, const struct compare_ask *ask, struct expect *x);

/* Whether RDATA a and b, uncompressed, are the same: names without regard to case (RFC 4343: a pointer
 * to the question has the question's case), all else byte by byte. */
bool health_expect_rdata_equal(uint16_t type, const uint8_t *a, size_t a_len, const uint8_t *b,
                               size_t b_len);

/* The index of an item of `items` (count times { u16 length, bytes }) that equals `rdata`; `count` when
 * there is none. */
uint32_t health_expect_find_item(uint16_t type, const uint8_t *items, size_t items_len,
                                 uint32_t count, const uint8_t *rdata, size_t len);

#endif
