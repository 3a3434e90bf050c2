/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef HEALTH_QUESTION_H
#define HEALTH_QUESTION_H

#include <stdbool.h>
#include <stdint.h>

#include "dns/name.h"
#include "zone/zone.h"

/* What to ask: by turns the SOA of a zone, a record of it, a name or type that does not exist, and
 * below a delegation. A quarter is taken at random, the rest one after the other, so that in time every
 * RRset of every zone is asked for. Pure. */

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

/* Where the walk through all names is, for each kind by itself. Start with all zero. */
struct question_walk {
    uint64_t random; /* state of the generator: the seed */
    struct question_place {
        uint32_t zone_idx;
        const struct zone_node *node; /* NULL: at the apex next */
        uint32_t rrset;               /* RRsets of this node that were asked for */
    } places[QUESTION_KINDS];
};

/* Before the first question to a new set: its nodes are others. */
void health_question_restart(struct question_walk *w);

/* The kinds that the zones of `s` have: referrals only where a delegation is found in a bounded look.
 * QUESTION_BIT()s. */
uint32_t health_question_kinds(const struct zone_set *s);

/* Picks a question of that kind. When the zone at hand has none, one of the kind that comes nearest:
 * look at q->kind. `s` must hold a zone. */
void health_question_pick(const struct zone_set *s, struct question_walk *w,
                          enum question_kind kind, struct question *q);

#endif
