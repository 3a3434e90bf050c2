/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Adj-RIB-Out: the whole set comes in, the smallest UPDATEs go out. */
#include <string.h>

#include "base/assert.h"
#include "bgp/rib.h"

void bgp_rib_out_init(struct bgp_rib_out *rib, struct bgp_rib_out_row *rows, uint32_t cap)
{
    *rib = (struct bgp_rib_out){ .rows = rows, .cap = cap };
}

static void reason_set(struct bgp_rib_out_row *row, const char *reason)
{
    size_t len = reason != NULL ? strlen(reason) : 0;
    if (len >= sizeof row->reason)
        len = sizeof row->reason - 1;
    if (len > 0)
        memcpy(row->reason, reason, len);
    row->reason[len] = '\0';
}

/* Rows that are neither wanted nor told go. */
static void compact(struct bgp_rib_out *rib)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < rib->count; i++) {
        if (!rib->rows[i].wanted && !rib->rows[i].told)
            continue;
        if (kept != i)
            rib->rows[kept] = rib->rows[i];
        kept++;
    }
    rib->count = kept;
}

/* Rows there will be: those of the set, and those told that are not in it. */
static uint32_t rows_needed(const struct bgp_rib_out *rib, const struct bgp_rib_want *set,
                            uint32_t count)
{
    uint32_t needed = count, j = 0;
    for (uint32_t i = 0; i < rib->count; i++) {
        while (j < count && bgp_prefix_cmp(&set[j].prefix, &rib->rows[i].prefix) < 0)
            j++;
        bool in_set = j < count && bgp_prefix_eq(&set[j].prefix, &rib->rows[i].prefix);
        if (!in_set && rib->rows[i].told)
            needed++;
    }
    return needed;
}

static const char *why_gone(const struct bgp_gone *gone, const struct bgp_prefix *p)
{
    for (uint32_t i = 0; gone != NULL && i < gone->count; i++)
        if (bgp_prefix_eq(&gone->rows[i].prefix, p))
            return gone->rows[i].reason;
    return gone != NULL ? gone->text : NULL;
}

/* Marks what the set says about the rows that are there. */
static void mark(struct bgp_rib_out *rib, const struct bgp_rib_want *set, uint32_t count,
                 const struct bgp_gone *gone)
{
    uint32_t j = 0;
    for (uint32_t i = 0; i < rib->count; i++) {
        struct bgp_rib_out_row *row = &rib->rows[i];
        while (j < count && bgp_prefix_cmp(&set[j].prefix, &row->prefix) < 0)
            j++;
        bool in_set = j < count && bgp_prefix_eq(&set[j].prefix, &row->prefix);
        bool change = in_set != row->wanted || (in_set && !bgp_attrs_eq(&row->want, set[j].attrs));
        if (!change)
            continue;
        rib->dirty = true;
        row->wanted = in_set;
        if (in_set)
            row->want = *set[j].attrs;
        reason_set(row, in_set ? set[j].reason : why_gone(gone, &row->prefix));
    }
}

/* Merges the prefixes that are new into the sorted rows, from the back, so that nothing is
 * overwritten before it has moved. */
static void insert(struct bgp_rib_out *rib, const struct bgp_rib_want *set, uint32_t count,
                   uint32_t needed, mono_t now)
{
    uint32_t i = rib->count, j = count, k = needed;
    while (j > 0) {
        int order = i > 0 ? bgp_prefix_cmp(&rib->rows[i - 1].prefix, &set[j - 1].prefix) : -1;
        if (order < 0) {
            base_assert(k > i); /* rows that stay are never overwritten: needed counts them all */
            rib->rows[--k] = (struct bgp_rib_out_row){
                .prefix = set[j - 1].prefix, .wanted = true, .want = *set[j - 1].attrs, .since = now
            };
            reason_set(&rib->rows[k], set[j - 1].reason);
            rib->dirty = true;
            j--;
            continue;
        }
        if (order == 0)
            j--;
        rib->rows[--k] = rib->rows[--i];
    }
    base_assert(k == i);
    rib->count = needed;
}

bool bgp_rib_out_set(struct bgp_rib_out *rib, const struct bgp_rib_want *set, uint32_t count,
                     const struct bgp_gone *gone, mono_t now)
{
    uint32_t needed = rows_needed(rib, set, count);
    if (needed > rib->cap)
        return false;
    mark(rib, set, count, gone);
    compact(rib);
    insert(rib, set, count, needed, now);
    return true;
}

static bool row_due(const struct bgp_rib_out *rib, const struct bgp_rib_out_row *row)
{
    if (!(rib->families & BGP_FAMILY_BIT(row->prefix.family)))
        return false;
    if (row->wanted != row->told)
        return true;
    return row->wanted && (row->again || !bgp_attrs_eq(&row->want, &row->said));
}

uint32_t bgp_rib_out_due(const struct bgp_rib_out *rib)
{
    uint32_t due = 0;
    for (uint32_t i = 0; i < rib->count; i++)
        due += row_due(rib, &rib->rows[i]);
    return due;
}

void bgp_rib_out_up(struct bgp_rib_out *rib, uint32_t families, uint32_t eor_only)
{
    base_assert(rib->told == 0);
    rib->families = families;
    rib->dirty = true;
    rib->eor_due = (uint8_t)(families | eor_only);
    rib->borr_due = rib->eorr_due = 0;
}

void bgp_rib_out_down(struct bgp_rib_out *rib, mono_t now)
{
    for (uint32_t i = 0; i < rib->count; i++) {
        struct bgp_rib_out_row *row = &rib->rows[i];
        if (row->told)
            row->since = now;
        row->told = row->again = false;
    }
    compact(rib);
    rib->told = 0;
    rib->families = 0;
    rib->dirty = false;
    rib->eor_due = rib->borr_due = rib->eorr_due = 0;
}

void bgp_rib_out_refresh(struct bgp_rib_out *rib, enum bgp_family family, bool marks)
{
    uint8_t bit = (uint8_t)BGP_FAMILY_BIT(family);
    if (!(rib->families & bit))
        return;
    for (uint32_t i = 0; i < rib->count; i++) {
        if (rib->rows[i].prefix.family == family && rib->rows[i].told)
            rib->rows[i].again = true;
    }
    /* RFC 7313 section 4: no BoRR before the End-of-RIB; what is still to come needs no marks. */
    if (marks && !(rib->eor_due & bit)) {
        rib->borr_due |= bit;
        rib->eorr_due |= bit;
    }
    rib->dirty = true;
}

/* ---- writing ---------------------------------------------------------------------------------- */

struct out {
    struct bgp_rib_out *rib;
    struct wr *w;
    const struct bgp_out_context *ctx;
    bgp_rib_out_told *told;
    void *arg;
    mono_t now;
};

static void report(struct out *o, struct bgp_rib_out_row *row, enum bgp_rib_change change)
{
    if (o->told != NULL)
        o->told(o->arg, row, change);
}

static bool withdraw_family(struct out *o, enum bgp_family family)
{
    struct bgp_update_writer u;
    uint32_t i = 0;
    while (i < o->rib->count) {
        bgp_update_begin_withdraw(&u, o->w, o->ctx, family);
        for (; i < o->rib->count; i++) {
            struct bgp_rib_out_row *row = &o->rib->rows[i];
            if (row->prefix.family != family || row->wanted || !row->told)
                continue;
            if (!bgp_update_add(&u, &row->prefix))
                break;
            row->told = row->again = false;
            row->since = o->now;
            o->rib->told--;
            report(o, row, BGP_RIB_WITHDRAWN);
        }
        uint32_t count = u.count;
        bgp_update_end(&u);
        if (count == 0 && i < o->rib->count)
            return false; /* not even one more */
    }
    return true;
}

static void row_tell(struct out *o, struct bgp_rib_out_row *row)
{
    bool was = row->told, changed = was && !bgp_attrs_eq(&row->want, &row->said);
    row->told = true;
    row->again = false;
    row->said = row->want;
    if (was && !changed)
        return;
    if (!was) {
        row->since = o->now;
        o->rib->told++;
    }
    report(o, row, was ? BGP_RIB_CHANGED : BGP_RIB_ANNOUNCED);
}

/* One message for all that is due with the attributes of row `first`. False: no room. */
static bool announce_group(struct out *o, enum bgp_family family, uint32_t first)
{
    struct bgp_update_writer u;
    struct bgp_attrs attrs = o->rib->rows[first].want;
    bgp_update_begin(&u, o->w, o->ctx, family, &attrs);
    for (uint32_t i = first; i < o->rib->count; i++) {
        struct bgp_rib_out_row *row = &o->rib->rows[i];
        if (row->prefix.family != family || !row->wanted || !row_due(o->rib, row) ||
            !bgp_attrs_eq(&row->want, &attrs))
            continue;
        if (!bgp_update_add(&u, &row->prefix))
            break; /* this message is full: the rest is found again as first of the next */
        row_tell(o, row);
    }
    uint32_t count = u.count;
    bgp_update_end(&u);
    return count > 0;
}

static bool announce_family(struct out *o, enum bgp_family family)
{
    for (uint32_t i = 0; i < o->rib->count; i++) {
        struct bgp_rib_out_row *row = &o->rib->rows[i];
        while (row->prefix.family == family && row->wanted && row_due(o->rib, row)) {
            if (!announce_group(o, family, i))
                return false;
        }
    }
    return true;
}

/* A mark of fixed size, whole or not at all. Clears the bit when it is written. */
static bool mark_write(struct out *o, uint8_t *due, enum bgp_family family, int kind)
{
    uint8_t bit = (uint8_t)BGP_FAMILY_BIT(family);
    if (!(*due & bit))
        return true;
    uint8_t *at = o->w->pos;
    if (kind < 0)
        bgp_end_of_rib_write(o->w, family);
    else
        bgp_refresh_write(o->w, family, (enum bgp_refresh_kind)kind);
    if (o->w->full) {
        wr_back(o->w, at);
        return false;
    }
    *due &= (uint8_t)~bit;
    return true;
}

static bool write_all(struct out *o, bool withdrawals_only)
{
    static const enum bgp_family families[] = { BGP_IPV4, BGP_IPV6 };
    for (unsigned i = 0; i < BGP_FAMILIES; i++) {
        if ((o->rib->families & BGP_FAMILY_BIT(families[i])) && !withdraw_family(o, families[i]))
            return false;
    }
    if (withdrawals_only)
        return true;
    for (unsigned i = 0; i < BGP_FAMILIES; i++) {
        enum bgp_family family = families[i];
        if (!mark_write(o, &o->rib->borr_due, family, BGP_REFRESH_BEGIN))
            return false;
        if ((o->rib->families & BGP_FAMILY_BIT(family)) && !announce_family(o, family))
            return false;
        if (!mark_write(o, &o->rib->eor_due, family, -1) ||
            !mark_write(o, &o->rib->eorr_due, family, BGP_REFRESH_END))
            return false;
    }
    o->rib->dirty = false;
    return true;
}

bool bgp_rib_out_write(struct bgp_rib_out *rib, struct wr *w, const struct bgp_out_context *ctx,
                       bool withdrawals_only, mono_t now, bgp_rib_out_told *told, void *arg)
{
    if (!rib->dirty)
        return true;
    struct out o = { rib, w, ctx, told, arg, now };
    bool done = write_all(&o, withdrawals_only);
    compact(rib);
    return done && !rib->dirty;
}
