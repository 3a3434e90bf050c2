/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The secrets of DNS cookies. Here they are only looked at, so that a mistake is told at once: the loader
 * reads them for serve, with each reload again (guard/cookies.c). */
#include <string.h>

#include "base/secret_file.h"
#include "config/config.h"
#include "config/schema.h"

void config_check_cookies(struct config_reading *r)
{
    const struct config_cookies *c = &r->c->cookies;
    uint8_t secrets[CONFIG_COOKIE_SECRETS_MAX][CONFIG_COOKIE_SECRET_LEN];
    struct err e = { 0 };
    if (c->secret_file != NULL &&
        secret_file_read(c->secret_file, secrets[0], CONFIG_COOKIE_SECRET_LEN,
                         CONFIG_COOKIE_SECRETS_MAX, &e) == 0)
        err_set(config_error_of(r, &c->secret_file, NULL), e.kind, e.hint[0] ? e.hint : NULL, "%s",
                e.what);
    explicit_bzero(secrets, sizeof secrets);
    if (c->secret_file == NULL && c->required && r->c->nodes.count > 1)
        err_set(config_error_of(r, &c->required, NULL), ERR_INPUT,
                "give 'secret_file', the same on all nodes",
                "nodes without a common secret have no cookies that could be required");
}
