/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef HEALTH_QUESTION_H
#define HEALTH_QUESTION_H

#include <stdbool.h>
#include <stdint.h>

#include "dns/name.h"
#include "zone/zone.h"

/* What to ask: by turns the SOA of a zone, a record of it, a name or type that does not exist, and
 * below a delegation. Half of the names are taken at random, half one after the other, so that in time
 * every name of every zone is asked. Pure. */

enum question_kind { QUESTION_SOA, QUESTION_RECORD, QUESTION_DENIAL, QUESTION_REFERRAL };
#define QUESTION_KINDS (QUESTION_REFERRAL + 1)
#define QUESTION_BIT(kind) (1u << (kind))
const char *health_question_kind_name(enum question_kind k);

struct question {
    enum question_kind kind;
    struct dns_name qname;
    uint16_t qtype;
};

bool health_question_equal(const struct question *a, const struct question *b);

/* Where the walk through all names is. Start with all zero, and again with every new set. */
struct question_walk {
    uint32_t zone_idx;
    const struct zone_node *node; /* NULL: at the apex next */
    uint64_t random;              /* state of the generator; keep it over a new set */
};

/* The kinds that the zones of `s` have: referrals only where a delegation is found in a bounded look.
 * QUESTION_BIT()s. */
uint32_t health_question_kinds(const struct zone_set *s);

/* Picks a question of that kind. When the zone at hand has none, one of the kind that comes nearest:
 * look at q->kind. `s` must hold a zone. */
void health_question_pick(const struct zone_set *s, struct question_walk *w,
                          enum question_kind kind, struct question *q);

#endif
