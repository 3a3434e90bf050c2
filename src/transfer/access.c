/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "transfer/access.h"

/* What a dual-stack socket gives for a client that speaks IPv4. */
static const union addr *plain(const union addr *from, union addr *room)
{
    if (from->sa.sa_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&from->in6.sin6_addr))
        return from;
    memset(room, 0, sizeof *room);
    room->in.sin_family = AF_INET;
    room->in.sin_port = from->in6.sin6_port;
    memcpy(&room->in.sin_addr, from->in6.sin6_addr.s6_addr + 12, 4);
    return room;
}

bool transfer_access_allows(const struct transfer_access *rules, uint32_t count,
                            const union addr *from, const struct tsig_key *key)
{
    union addr room;
    from = plain(from, &room);
    for (uint32_t i = 0; i < count; i++) {
        const struct transfer_access *rule = &rules[i];
        if (rule->prefix.family != 0 && !prefix_holds(&rule->prefix, from))
            continue;
        if (rule->key == NULL) {
            if (rule->prefix.family != 0)
                return true;
            continue; /* neither: a rule that was never filled in allows nothing */
        }
        if (key != NULL && dns_name_equal(&rule->key->name, &key->name))
            return true;
    }
    return false;
}
