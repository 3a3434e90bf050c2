/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Proofs of what is not there. With NSEC the owner at or before a name in canonical order proves
 * everything about it (RFC 4035 section 3.1.3). With NSEC3 it takes the closest encloser that has an
 * NSEC3, and the one that covers the name a label longer (RFC 5155 section 7.2.1). */
#include <string.h>

#include "answer/state.h"

static void proof_note(struct answer_state *a, const struct zone_node *node, uint16_t type)
{
    if (node == NULL)
        return;
    for (unsigned i = 0; i < a->proofs_used; i++)
        if (a->proofs[i].node == node && a->proofs[i].zone == a->zone)
            return;
    if (a->proofs_used < ANSWER_PROOFS_MAX)
        a->proofs[a->proofs_used++] = (struct answer_proof){ a->zone, node, type };
}

static void nsec_note(struct answer_state *a, const struct dns_name *name)
{
    proof_note(a, zone_nsec_before(a->zone, name), DNS_TYPE_NSEC);
}

/* `*` below the ancestor of sname that has `labels` labels. */
static void wildcard_name(const struct answer_state *a, unsigned labels, struct dns_name *out)
{
    struct dns_name star, encloser;
    struct rd r = rd_init("\1*", 3);
    dns_name_ancestor(a->sname, labels, &encloser);
    if (!dns_name_parse(&star, &r) || !dns_name_join(&star, 1, &encloser, out))
        *out = encloser; /* 254 bytes already: it can have nothing below it */
}

/* ---- NSEC3 ---- */

struct hashing {
    struct nsec3_params params;
    struct dns_name origin;
};

static bool hashing_init(const struct answer_state *a, struct hashing *h)
{
    zone_origin(a->zone, &h->origin);
    return answer_nsec3_params_of(a->zone, &h->params);
}

/* Notes the NSEC3 that matches `name`; false when none does (and nothing is noted). */
static bool nsec3_match(struct answer_state *a, const struct hashing *h,
                        const struct dns_name *name)
{
    struct dns_name owner;
    bool matches = false;
    if (!answer_nsec3_owner(&h->params, name, &h->origin, &owner))
        return false;
    const struct zone_node *n = zone_nsec3_before(a->zone, &owner, &matches);
    if (n == NULL || !matches)
        return false;
    proof_note(a, n, DNS_TYPE_NSEC3);
    return true;
}

static void nsec3_cover(struct answer_state *a, const struct hashing *h,
                        const struct dns_name *name)
{
    struct dns_name owner;
    bool matches;
    if (answer_nsec3_owner(&h->params, name, &h->origin, &owner))
        proof_note(a, zone_nsec3_before(a->zone, &owner, &matches), DNS_TYPE_NSEC3);
}

/* The closest encloser of `name` that can be proven, from `labels` labels upwards (names that exist
 * only for opt-out cuts have no NSEC3: RFC 5155 section 7.2.1), and the cover of the next closer name.
 * Returns the labels of that encloser. */
static unsigned nsec3_encloser(struct answer_state *a, const struct hashing *h,
                               const struct dns_name *name, unsigned labels)
{
    struct dns_name encloser, next;
    for (;; labels--) {
        dns_name_ancestor(name, labels, &encloser);
        if (nsec3_match(a, h, &encloser) || labels <= h->origin.labels)
            break;
    }
    if (labels < name->labels) {
        dns_name_ancestor(name, labels + 1, &next);
        nsec3_cover(a, h, &next);
    }
    return labels;
}

/* ---- either ---- */

enum denial { DENIAL_NONE, DENIAL_NSEC, DENIAL_NSEC3 };

/* A proof costs three hashes and more, each of as many rounds as the zone says: up to 65,536, which is
 * a millisecond's work for a packet that cost nothing. Validators take a zone as insecure from 50 to 150
 * rounds on (RFC 9276 section 3.2) and need to see no more than the number, in an NSEC3 with its
 * signature. So beyond the limit one goes along, whichever comes first, and nothing is hashed. */
static void nsec3_number_only(struct answer_state *a)
{
    struct dns_name first, origin, owner;
    bool matches;
    uint8_t wire[34] = { 32 };
    memset(wire + 1, '0', 32);
    struct rd r = rd_init(wire, sizeof wire);
    zone_origin(a->zone, &origin);
    if (dns_name_parse(&first, &r) && dns_name_join(&first, 1, &origin, &owner))
        proof_note(a, zone_nsec3_before(a->zone, &owner, &matches), DNS_TYPE_NSEC3);
    a->ede = DNS_EDE_NSEC3_ITERATIONS;
}

static enum denial denial_of(struct answer_state *a, struct hashing *h)
{
    if (!a->signed_wanted)
        return DENIAL_NONE;
    if (zone_has_nsec(a->zone))
        return DENIAL_NSEC;
    if (!zone_has_nsec3(a->zone) || !hashing_init(a, h))
        return DENIAL_NONE;
    if (h->params.iterations <= NSEC3_ITERATIONS_MAX)
        return DENIAL_NSEC3;
    nsec3_number_only(a);
    return DENIAL_NONE;
}

void answer_prove_nodata(struct answer_state *a, const struct zone_found *f)
{
    struct hashing h;
    (void)f;
    switch (denial_of(a, &h)) {
    case DENIAL_NONE:
        return;
    case DENIAL_NSEC: /* an empty non-terminal has none of its own: the one before it covers it */
        nsec_note(a, a->sname);
        return;
    case DENIAL_NSEC3: /* RFC 5155 sections 7.2.3 and 7.2.4 */
        if (!nsec3_match(a, &h, a->sname) && a->sname->labels > h.origin.labels)
            (void)nsec3_encloser(a, &h, a->sname, a->sname->labels - 1u);
        return;
    }
}

void answer_prove_wildcard_nodata(struct answer_state *a, const struct zone_found *f)
{
    struct hashing h;
    struct dns_name wildcard;
    enum denial d = denial_of(a, &h);
    if (d == DENIAL_NONE)
        return;
    wildcard_name(a, f->encloser_labels, &wildcard);
    if (d == DENIAL_NSEC) {
        nsec_note(a, a->sname);
        nsec_note(a, &wildcard);
        return;
    }
    (void)nsec3_encloser(a, &h, a->sname, f->encloser_labels); /* RFC 5155 section 7.2.5 */
    if (!nsec3_match(a, &h, &wildcard))
        nsec3_cover(a, &h, &wildcard);
}

void answer_prove_nxdomain(struct answer_state *a, const struct zone_found *f)
{
    struct hashing h;
    struct dns_name wildcard;
    enum denial d = denial_of(a, &h);
    if (d == DENIAL_NONE)
        return;
    if (d == DENIAL_NSEC) {
        proof_note(a, f->nsec, DNS_TYPE_NSEC);
        wildcard_name(a, f->encloser_labels, &wildcard);
        nsec_note(a, &wildcard);
        return;
    }
    /* RFC 5155 section 7.2.2; the wildcard is that of the encloser that can be proven */
    wildcard_name(a, nsec3_encloser(a, &h, a->sname, f->encloser_labels), &wildcard);
    nsec3_cover(a, &h, &wildcard);
}

void answer_prove_wildcard(struct answer_state *a, const struct zone_found *f)
{
    struct hashing h;
    struct dns_name next;
    switch (denial_of(a, &h)) {
    case DENIAL_NONE:
        return;
    case DENIAL_NSEC: /* RFC 4035 section 3.1.3.3 */
        nsec_note(a, a->sname);
        return;
    case DENIAL_NSEC3: /* RFC 5155 section 7.2.6 */
        dns_name_ancestor(a->sname, f->encloser_labels + 1u, &next);
        nsec3_cover(a, &h, &next);
        return;
    }
}

void answer_prove_insecure_cut(struct answer_state *a, const struct zone_node *cut,
                               const struct dns_name *cut_name)
{
    struct hashing h;
    (void)cut;
    switch (denial_of(a, &h)) {
    case DENIAL_NONE:
        return;
    case DENIAL_NSEC:
        nsec_note(a, cut_name);
        return;
    case DENIAL_NSEC3: /* RFC 5155 section 7.2.7 */
        if (!nsec3_match(a, &h, cut_name) && cut_name->labels > h.origin.labels)
            (void)nsec3_encloser(a, &h, cut_name, cut_name->labels - 1u);
        return;
    }
}

void answer_prove_write(struct answer_state *a)
{
    for (unsigned i = 0; i < a->proofs_used; i++) {
        const struct answer_proof *p = &a->proofs[i];
        struct zone_rrset set;
        struct dns_name name;
        if (!zone_node_find(p->zone, p->node, p->type, &set))
            continue;
        zone_node_name(p->zone, p->node, &name);
        struct wire_owner owner = { .name = &name };
        if (!answer_put(a, DNS_AUTHORITY, &owner, &set))
            return;
    }
}
