/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ZONE_RDATA_H
#define ZONE_RDATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The order of RDATA in its canonical form (RFC 4034 sections 6.2 and 6.3, RFC 6840 section 5.1):
 * names of the older types in lower case, then as bytes. 0: the same record (RFC 2181 section 5). */
int zone_rdata_compare(uint16_t type, const uint8_t *a, size_t a_len, const uint8_t *b,
                       size_t b_len);

/* Writes RDATA in its canonical form (RFC 4034 section 6.2), which is as long, to `out`. */
void zone_rdata_canonical(uint16_t type, const uint8_t *rdata, size_t len, uint8_t *out);

/* NULL when a zone may hold such RDATA, else what is wrong with it. */
const char *zone_rdata_fault(uint16_t type, const uint8_t *rdata, size_t len);

/* The serial of SOA RDATA that zone_rdata_fault() found right. */
uint32_t zone_soa_serial(const uint8_t *rdata, size_t len);

#endif
