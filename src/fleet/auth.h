/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef FLEET_AUTH_H
#define FLEET_AUTH_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "fleet/fleet.h"

/* HMAC-SHA256 (RFC 2104, RFC 6234) by GnuTLS: the tag that a datagram carries. The edge's part of the
 * fleet room. */
#define FLEET_SECRET_MIN 16 /* bytes; shorter ones are refused: they can be guessed */

/* Writes the tag of `body` to `tag`. False with *e filled in when the secret is too short. */
bool fleet_tag(const uint8_t *secret, size_t secret_len, const uint8_t *body, size_t len,
               uint8_t tag[FLEET_TAG_LEN], struct err *e) BASE_MUST_USE;

#endif
