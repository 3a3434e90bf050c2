/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ANSWER_WIRE_H
#define ANSWER_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/wr.h"
#include "dns/message.h"
#include "zone/zone.h"

/* A response under construction. Inside the room only.
 *
 * Names are compressed over a small trie in fixed arrays on the stack: an entry is one label at an
 * offset of the message, hanging under the entry of the labels behind it (0: the root). To write a
 * name is to walk from its last label down as far as the trie goes, write the labels that are left
 * and a pointer, and enter them. Comparing ignores case (RFC 4343); the question keeps the client's
 * case and is what later names point at. */
#define WIRE_NAMES_MAX 160
#define WIRE_BUCKETS 64
#define WIRE_POINTERS_MAX 127
struct answer_wire_name {
    uint16_t at, parent;
    uint8_t next, bucket; /* next: index + 1 of the older entry in the bucket, 0 for none */
};

struct wire {
    struct wr w; /* its end is the limit of the response, less what is held back for OPT */
    uint16_t count[3];
    uint8_t heads[WIRE_BUCKETS]; /* index + 1 of the youngest entry, 0 for none */
    uint8_t names_used, pointers_used;
    struct answer_wire_name names[WIRE_NAMES_MAX];
    uint16_t
        pointer_at[WIRE_POINTERS_MAX + 1]; /* where pointers were written; full: some are missing */
};

/* The header's room is left open; the limit is `limit` bytes of `out`. */
void answer_wire_init(struct wire *m, uint8_t *out, size_t limit);

/* Makes the last `labels` labels of the question's name known as targets of pointers. */
void answer_wire_question(struct wire *m, const struct dns_name *qname, unsigned labels);

/* Writes a name, compressed. Returns its offset (where the whole name can be pointed at, which may be
 * before what was written), or 0 when it is the root, lies beyond the reach of pointers, or did not
 * fit: m->w.full tells. */
uint16_t answer_wire_name(struct wire *m, const struct dns_name *n);

/* Where `n` is in the message already, in whole; 0 when it is not. */
uint16_t answer_wire_name_find(const struct wire *m, const struct dns_name *n);

/* Whose record it is: by name, or sooner by offset if that is known (not 0). */
struct wire_owner {
    const struct dns_name *name;
    uint16_t at;
};

enum wire_part {
    WIRE_DATA = 1, /* the records */
    WIRE_SIGS = 2, /* their RRSIGs */
};

/* Writes the RRset, or its signatures, or both, whole or not at all; false when they do not fit.
 * owner->at is filled in. */
bool answer_wire_rrset(struct wire *m, enum dns_section section, struct wire_owner *owner,
                       const struct zone_rrset *set, unsigned parts);

/* Begins a record by owner, type, class, TTL and returns where its RDLENGTH goes (NULL: full); then
 * the RDATA is written, then answer_wire_rr_end() sets the length. */
uint8_t *answer_wire_rr_begin(struct wire *m, struct wire_owner *owner, uint16_t type,
                              uint16_t rclass, uint32_t ttl_s);
void answer_wire_rr_end(struct wire *m, enum dns_section section, uint8_t *rdlength);

/* Takes back everything written since. */
struct answer_wire_mark {
    uint8_t *pos;
    uint16_t count[3];
    uint8_t names_used, pointers_used;
};
struct answer_wire_mark answer_wire_mark(const struct wire *m);
void answer_wire_back(struct wire *m, const struct answer_wire_mark *mark);

#endif
