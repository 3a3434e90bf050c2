/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef BASE_CRC_H
#define BASE_CRC_H

#include <stddef.h>
#include <stdint.h>

/* CRC-32C (RFC 3720 appendix B.4): finds what a disk or a crash did to bytes, not what an attacker did.
 * Starts with 0; the result goes on with the bytes behind it. */
uint32_t crc_32c(uint32_t crc, const void *bytes, size_t len);

#endif
