/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TRANSFER_XFR_PARTS_H
#define TRANSFER_XFR_PARTS_H

#include "base/wr.h"
#include "transfer/xfr.h"

/* What the files of the transfer core share. */

/* An OPT (RFC 6891 section 6.1.2), the last record but for TSIG. */
struct xfr_opt {
    uint16_t rcode;    /* whole; its upper bits go here */
    bool expire_asked; /* the empty EXPIRE option of a request (RFC 7314 section 2) */
    bool expire;       /* the one of a response (section 3) */
    uint32_t expire_s;
    int ede;          /* RFC 8914; below 0: none */
    uint16_t padding; /* block; 0: none */
    size_t behind;    /* bytes that will follow: a TSIG */
};
#define XFR_PAYLOAD 1232                 /* bytes of UDP that are taken */
#define XFR_OPT_MAX (11 + 4 + 8 + 6 + 4) /* without the padding itself */
/* Padding is cut where there is no room for all of it. Counts the record in the header that `w` began with. */
void xfr_opt_write(struct wr *w, const struct xfr_opt *o);

#endif
