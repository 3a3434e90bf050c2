/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fleet/auth.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

bool fleet_tag(const uint8_t *secret, size_t secret_len, const uint8_t *body, size_t len,
               uint8_t tag[FLEET_TAG_LEN], struct err *e)
{
    if (secret_len < FLEET_SECRET_MIN)
        return err_set(e, ERR_INPUT, "make one with: head -c 32 /dev/urandom | base64",
                       "the fleet's secret has %zu bytes, at least %u are needed", secret_len,
                       FLEET_SECRET_MIN);
    int rc = gnutls_hmac_fast(GNUTLS_MAC_SHA256, secret, secret_len, body, len, tag);
    if (rc < 0)
        return err_set(e, ERR_SYSTEM, NULL, "HMAC-SHA256: %s", gnutls_strerror(rc));
    return true;
}
