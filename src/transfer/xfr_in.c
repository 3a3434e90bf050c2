/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Responses, as a secondary reads them (RFC 5936 section 2.2, RFC 1995 section 4, RFC 1034 section 4.3.5).
 *
 * A transfer is a row of records in which an SOA of the zone says where one is:
 *   whole    S  records…  S                     (S: the new SOA)
 *   changes  S  { A removed… B added… }…  S     (A to B is a step; the last B is S)
 * What the second record is decides which of the two it is. Messages cut the row anywhere. Everything
 * that does not fit ends the transfer: half a zone is none. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "transfer/xfr_parts.h"
#include "zone/rdata.h"

enum stage { FIRST, SECOND, WHOLE, REMOVING, ADDING, END, OVER };

/* One message while it is read. */
struct reading {
    struct xfr_in *x;
    struct dns_reader d;
    struct dns_rr rr;
    const uint8_t *rdata; /* of rr, uncompressed */
    uint16_t rdata_len;
    uint8_t room[DNS_MESSAGE_MAX];
};

static enum xfr_got __attribute__((format(printf, 2, 3)))
fail(struct xfr_in *x, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(x->why, sizeof x->why, fmt, args);
    va_end(args);
    x->stage = OVER;
    return XFR_FAILED;
}

static enum xfr_got over(struct xfr_in *x, enum xfr_got got)
{
    x->stage = OVER;
    return got;
}

void xfr_in_begin(struct xfr_in *x)
{
    x->new_serial = x->expire_s = x->step_serial = 0;
    x->has_expire = false;
    x->rcode = 0;
    x->messages = x->records = x->outside = 0;
    x->bytes = 0;
    x->soa_len = 0;
    x->why[0] = '\0';
    x->stage = FIRST;
}

/* ---- records ---- */

static bool emit(struct reading *m, const struct dns_name *owner, uint16_t type, uint32_t ttl_s,
                 const uint8_t *rdata, uint16_t len, bool add)
{
    struct xfr_in *x = m->x;
    struct zone_change c = {
        .owner = owner, .rdata = rdata, .ttl_s = ttl_s, .type = type, .len = len, .add = add
    };
    if (x->record(x->arg, &c))
        return true;
    if (x->why[0] == '\0')
        (void)fail(x, "a record was not accepted");
    x->stage = OVER;
    return false;
}

static bool emit_this(struct reading *m, bool add)
{
    return emit(m, &m->rr.owner, m->rr.type, m->rr.ttl_s, m->rdata, m->rdata_len, add);
}

static bool begin(struct reading *m, bool changes)
{
    struct xfr_in *x = m->x;
    if (x->begin == NULL || x->begin(x->arg, changes, x->new_serial))
        return true;
    if (x->why[0] == '\0')
        (void)fail(x, "the transfer was not accepted");
    x->stage = OVER;
    return false;
}

static bool same_soa(const struct xfr_in *x, const struct reading *m)
{
    return zone_rdata_compare(DNS_TYPE_SOA, x->soa, x->soa_len, m->rdata, m->rdata_len) == 0;
}

/* The first record, the zone's new SOA. XFR_MORE: go on. */
static enum xfr_got take_first(struct reading *m, bool is_soa, uint32_t serial)
{
    struct xfr_in *x = m->x;
    if (!is_soa)
        return fail(x, "the first record is not the zone's SOA");
    memcpy(x->soa, m->rdata, m->rdata_len);
    x->soa_len = m->rdata_len;
    x->soa_ttl_s = m->rr.ttl_s;
    x->new_serial = serial;
    if (x->have_serial && serial == x->serial)
        return over(x, XFR_UP_TO_DATE);
    if (x->have_serial && !xfr_serial_newer(serial, x->serial)) {
        (void)fail(x, "its serial %u is older than %u, which is had", serial, x->serial);
        return XFR_BEHIND;
    }
    x->stage = SECOND;
    return XFR_MORE;
}

static enum xfr_got take_second(struct reading *m, bool is_soa, uint32_t serial)
{
    struct xfr_in *x = m->x;
    if (is_soa && x->type == XFR_IXFR && x->have_serial && serial != x->new_serial) {
        if (serial != x->serial) {
            (void)fail(x, "changes from serial %u, and %u is had", serial, x->serial);
            return XFR_WANT_AXFR;
        }
        x->step_serial = serial;
        x->stage = REMOVING;
        return begin(m, true) && emit_this(m, false) ? XFR_MORE : XFR_FAILED;
    }
    x->stage = WHOLE;
    if (!begin(m, false) ||
        !emit(m, x->origin, DNS_TYPE_SOA, x->soa_ttl_s, x->soa, x->soa_len, true))
        return XFR_FAILED;
    if (is_soa) {
        x->stage = END;
        return same_soa(x, m) ? XFR_MORE : fail(x, "the last SOA is not the first");
    }
    return emit_this(m, true) ? XFR_MORE : XFR_FAILED;
}

/* An SOA that ends the removals of a step: the version that it leads to. */
static enum xfr_got take_step_to(struct reading *m, uint32_t serial)
{
    struct xfr_in *x = m->x;
    if (!xfr_serial_newer(serial, x->step_serial) ||
        (serial != x->new_serial && !xfr_serial_newer(x->new_serial, serial)))
        return fail(x, "a step from serial %u to %u, on the way to %u", x->step_serial, serial,
                    x->new_serial);
    if (serial == x->new_serial && !same_soa(x, m))
        return fail(x, "the SOA of the last step is not the first");
    x->step_serial = serial;
    x->stage = ADDING;
    return emit_this(m, true) ? XFR_MORE : XFR_FAILED;
}

/* An SOA that ends the additions of a step: the next step, or the end. */
static enum xfr_got take_step_end(struct reading *m, uint32_t serial)
{
    struct xfr_in *x = m->x;
    if (serial != x->step_serial)
        return fail(x, "a step from serial %u, and the one before led to %u", serial,
                    x->step_serial);
    if (serial == x->new_serial) {
        x->stage = END;
        return same_soa(x, m) ? XFR_MORE : fail(x, "the last SOA is not the first");
    }
    x->stage = REMOVING;
    return emit_this(m, false) ? XFR_MORE : XFR_FAILED;
}

/* What the record is worth where it stands. */
static enum xfr_got take(struct reading *m, bool is_soa, uint32_t serial)
{
    struct xfr_in *x = m->x;
    switch ((enum stage)x->stage) {
    case FIRST:
        return take_first(m, is_soa, serial);
    case SECOND:
        return take_second(m, is_soa, serial);
    case WHOLE:
        if (!is_soa)
            return emit_this(m, true) ? XFR_MORE : XFR_FAILED;
        x->stage = END;
        return same_soa(x, m) ? XFR_MORE : fail(x, "the last SOA is not the first");
    case REMOVING:
        if (!is_soa)
            return emit_this(m, false) ? XFR_MORE : XFR_FAILED;
        return take_step_to(m, serial);
    case ADDING:
        if (!is_soa)
            return emit_this(m, true) ? XFR_MORE : XFR_FAILED;
        return take_step_end(m, serial);
    case END:
        return fail(x, "records behind the last SOA");
    case OVER:
        break;
    }
    return fail(x, "it is over");
}

/* RDATA without compression: borrowed from the message where no name can be compressed. */
static bool rdata_read(struct reading *m)
{
    const struct dns_rr *rr = &m->rr;
    const char *shape = dns_type_shape(rr->type);
    size_t len = rd_left(&rr->rdata);
    m->rdata = rr->rdata.pos;
    m->rdata_len = (uint16_t)len;
    if (shape[0] == 'r')
        return true;
    if (strchr(shape, 'c') == NULL && strchr(shape, 'd') == NULL)
        return dns_rdata_valid(rr->type, m->rdata, len);
    int32_t expanded = dns_reader_rdata(&m->d, rr, m->room, sizeof m->room);
    m->rdata = m->room;
    m->rdata_len = (uint16_t)expanded;
    return expanded >= 0;
}

static enum xfr_got answer_record(struct reading *m)
{
    struct xfr_in *x = m->x;
    const struct dns_rr *rr = &m->rr;
    char type[DNS_TYPE_TEXT_MAX];
    struct xfr_soa soa = { 0 };
    if (x->stage == END)
        return fail(x, "records behind the last SOA");
    x->records++;
    if (x->records_max != 0 && x->records > x->records_max)
        return fail(x, "more than %u records", x->records_max);
    if (rr->rclass != DNS_CLASS_IN)
        return fail(x, "a record of class %u", rr->rclass);
    if (!dns_type_is_data(rr->type))
        return fail(x, "a record of type %s, which no zone holds", dns_type_text(rr->type, type));
    if (x->stage != FIRST && !dns_name_is_under(&rr->owner, x->origin)) {
        x->outside++; /* as Knot DNS and NSD do */
        return XFR_MORE;
    }
    if (!rdata_read(m))
        return fail(x, "a broken record of type %s", dns_type_text(rr->type, type));
    const bool apex = rr->owner.len == x->origin->len && dns_name_equal(&rr->owner, x->origin);
    const bool is_soa = rr->type == DNS_TYPE_SOA && apex;
    if (rr->type == DNS_TYPE_SOA && !apex)
        return fail(x, "an SOA of another name than the zone's");
    if (is_soa && !xfr_soa_read(&soa, m->rdata, m->rdata_len))
        return fail(x, "a broken SOA");
    return take(m, is_soa, soa.serial);
}

/* ---- messages ---- */

static void opt_read(struct xfr_in *x, const struct reading *m)
{
    uint16_t len = 0;
    const uint8_t *expire = dns_opt_find(&m->rr, DNS_EDNS_EXPIRE, &len);
    x->rcode = dns_full_rcode(m->d.flags, &m->rr);
    if (expire == NULL || len != 4 || !x->edns)
        return;
    struct rd r = rd_init(expire, len);
    x->has_expire = true;
    x->expire_s = rd_u32(&r);
}

/* A message that is an error, or has nothing to say. */
static enum xfr_got refused(struct xfr_in *x, struct reading *m)
{
    char text[DNS_TYPE_TEXT_MAX];
    enum dns_reader_got got;
    while ((got = dns_reader_next(&m->d, &m->rr)) == DNS_READER_RR)
        if (m->rr.type == DNS_TYPE_OPT && m->rr.section == DNS_ADDITIONAL)
            opt_read(x, m);
    if (got == DNS_READER_BROKEN)
        return fail(x, "a broken message");
    if (x->type == XFR_NOTIFY && x->rcode == DNS_RCODE_NOERROR)
        return over(x, XFR_DONE);
    if (x->rcode == DNS_RCODE_NOERROR)
        (void)fail(x,
                   x->stage == FIRST ? "an answer without records" : "a message without records");
    else
        (void)fail(x, "it answers %s", dns_rcode_text(x->rcode, text));
    if (x->messages > 1)
        return XFR_FAILED;
    switch (x->rcode) {
    case DNS_RCODE_BADVERS:
        return x->edns ? XFR_NO_EDNS : XFR_FAILED;
    case DNS_RCODE_FORMERR:
    case DNS_RCODE_NOTIMP:
        if (x->edns && (x->type != XFR_IXFR || x->rcode == DNS_RCODE_FORMERR))
            return XFR_NO_EDNS;
        return x->type == XFR_IXFR ? XFR_WANT_AXFR : XFR_FAILED;
    case DNS_RCODE_NOERROR:
    case DNS_RCODE_SERVFAIL:
    case DNS_RCODE_REFUSED:
        return x->type == XFR_IXFR ? XFR_WANT_AXFR : XFR_FAILED;
    default:
        return XFR_FAILED;
    }
}

static enum xfr_got soa_answer(struct xfr_in *x, struct reading *m)
{
    struct xfr_soa soa = { 0 };
    bool found = false;
    enum dns_reader_got got;
    if ((m->d.flags & DNS_FLAG_AA) == 0)
        return fail(x, "its answer is not authoritative");
    while ((got = dns_reader_next(&m->d, &m->rr)) == DNS_READER_RR) {
        if (m->rr.section == DNS_ADDITIONAL && m->rr.type == DNS_TYPE_OPT)
            opt_read(x, m);
        if (m->rr.section != DNS_ANSWER || m->rr.type != DNS_TYPE_SOA ||
            m->rr.rclass != DNS_CLASS_IN || !dns_name_equal(&m->rr.owner, x->origin))
            continue;
        if (found)
            return fail(x, "its answer has several SOAs");
        found = true;
        if (!rdata_read(m) || !xfr_soa_read(&soa, m->rdata, m->rdata_len))
            return fail(x, "a broken SOA");
        memcpy(x->soa, m->rdata, m->rdata_len);
        x->soa_len = m->rdata_len;
    }
    if (got == DNS_READER_BROKEN)
        return fail(x, "a broken message");
    if (!found)
        return fail(x, "its answer has no SOA of the zone");
    x->new_serial = soa.serial;
    if (x->have_serial && soa.serial == x->serial)
        return over(x, XFR_UP_TO_DATE);
    if (!x->have_serial || xfr_serial_newer(soa.serial, x->serial))
        return over(x, XFR_NEWER);
    (void)fail(x, "its serial %u is older than %u, which is had", soa.serial, x->serial);
    return XFR_BEHIND;
}

static enum xfr_got transfer_message(struct xfr_in *x, struct reading *m)
{
    enum dns_reader_got got;
    while ((got = dns_reader_next(&m->d, &m->rr)) == DNS_READER_RR) {
        if (m->rr.section == DNS_ADDITIONAL && m->rr.type == DNS_TYPE_OPT)
            opt_read(x, m);
        if (m->rr.section != DNS_ANSWER)
            continue; /* RFC 5936 section 2.2.4: of no meaning */
        enum xfr_got taken = answer_record(m);
        if (taken != XFR_MORE)
            return taken;
    }
    if (got == DNS_READER_BROKEN)
        return fail(x, "a broken message");
    if (x->stage == END)
        return tsig_may_end(&x->tsig) ? over(x, XFR_DONE)
                                      : fail(x, "the last message is not signed");
    return x->udp ? over(x, XFR_WANT_TCP) : XFR_MORE;
}

/* The question, where there is one, is the one that was asked (RFC 5936 section 2.2.2). */
static bool question_ok(const struct xfr_in *x, const struct dns_reader *d)
{
    static const uint16_t qtypes[] = { [XFR_SOA] = DNS_TYPE_SOA,
                                       [XFR_IXFR] = DNS_TYPE_IXFR,
                                       [XFR_AXFR] = DNS_TYPE_AXFR,
                                       [XFR_NOTIFY] = DNS_TYPE_SOA };
    if (d->qdcount == 0)
        return true;
    return d->qdcount == 1 && d->qclass == DNS_CLASS_IN && d->qtype == qtypes[x->type] &&
           dns_name_equal(&d->qname, x->origin);
}

/* XFR_DONE: it is signed as it should be. */
static enum xfr_got signature(struct xfr_in *x, uint8_t *msg, size_t *len, wall_t now)
{
    char text[DNS_TYPE_TEXT_MAX];
    uint16_t rcode = (uint16_t)(msg[3] & 15);
    enum tsig_status s = tsig_verify_response(&x->tsig, msg, *len, now, len);
    if (s == TSIG_OK || s == TSIG_UNSIGNED)
        return XFR_DONE;
    x->rcode = rcode;
    if (s == TSIG_TOLD)
        return fail(x, "it answers %s, its TSIG says %s", dns_rcode_text(rcode, text),
                    tsig_error_text(x->tsig.error));
    if (rcode != 0)
        return fail(x, "it answers %s; %s", dns_rcode_text(rcode, text), tsig_status_text(s));
    return fail(x, "%s", tsig_status_text(s));
}

enum xfr_got xfr_in_message(struct xfr_in *x, uint8_t *msg, size_t len, wall_t now)
{
    struct reading m;
    if (x->stage == OVER)
        return x->why[0] != '\0' ? XFR_FAILED : fail(x, "a message behind the last one");
    if (x->udp && (len < DNS_HEADER_LEN || (msg[0] << 8 | msg[1]) != x->id))
        return XFR_MORE; /* somebody else's: wait for ours */
    x->messages++;
    x->bytes += len;
    if (x->bytes_max != 0 && x->bytes > x->bytes_max)
        return fail(x, "more than %llu bytes", (unsigned long long)x->bytes_max);
    if (len < DNS_HEADER_LEN)
        return fail(x, "a message without a header");
    enum xfr_got signed_ok = signature(x, msg, &len, now);
    if (signed_ok != XFR_DONE)
        return signed_ok;
    m.x = x;
    if (!dns_reader_open(&m.d, msg, len))
        return fail(x, "a broken message");
    const uint8_t opcode = x->type == XFR_NOTIFY ? DNS_OPCODE_NOTIFY : DNS_OPCODE_QUERY;
    if (m.d.id != x->id || (m.d.flags & DNS_FLAG_QR) == 0 || DNS_FLAGS_OPCODE(m.d.flags) != opcode)
        return fail(x, "a message that is no answer to what was asked");
    x->rcode = DNS_FLAGS_RCODE(m.d.flags);
    if (!question_ok(x, &m.d) && x->rcode != DNS_RCODE_FORMERR)
        return fail(x, "the answer to another question");
    if ((m.d.flags & DNS_FLAG_TC) != 0 && x->rcode == DNS_RCODE_NOERROR)
        return x->udp ? over(x, XFR_WANT_TCP) : fail(x, "truncated, and not over UDP");
    if (x->rcode != DNS_RCODE_NOERROR || m.d.count[DNS_ANSWER] == 0 || x->type == XFR_NOTIFY)
        return refused(x, &m);
    return x->type == XFR_SOA ? soa_answer(x, &m) : transfer_message(x, &m);
}
