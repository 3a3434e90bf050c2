/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TRANSFER_ACCESS_H
#define TRANSFER_ACCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/prefix.h"
#include "dns/tsig.h"

/* Who may: an access list, made of the fleet file's (config/config.h, struct config_access). A remote
 * becomes one rule per address of it, with its key; a prefix or address a rule without key; `key:NAME` a
 * rule without prefix. Pure. */
struct transfer_access {
    struct prefix prefix;       /* where it must come from; family 0: from anywhere */
    const struct tsig_key *key; /* what it must be signed with; NULL: with any key, or not at all */
};

/* Whether one of the rules holds. `key`: the one that the request was verified with; NULL: it was not
 * signed. IPv4 addresses that come mapped into IPv6 (RFC 4291 section 2.5.5.2) are IPv4. No rule: nobody. */
bool transfer_access_allows(const struct transfer_access *rules, uint32_t count,
                            const union addr *from, const struct tsig_key *key);

#endif
