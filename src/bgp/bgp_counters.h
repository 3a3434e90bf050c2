/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef BGP_COUNTERS_H
#define BGP_COUNTERS_H

#include <stdint.h>

/* Counted per neighbor, since the start of the process. Declared once, exported everywhere. */
#define BGP_COUNTERS(X)                                                                            \
    X(rx_messages, "messages received")                                                            \
    X(rx_updates, "UPDATE messages received")                                                      \
    X(rx_keepalives, "KEEPALIVE messages received")                                                \
    X(rx_notifications, "NOTIFICATION messages received")                                          \
    X(rx_refreshes, "ROUTE-REFRESH messages received")                                             \
    X(rx_bytes, "bytes received")                                                                  \
    X(rx_prefixes, "prefixes received in UPDATEs, announced and withdrawn")                        \
    X(rx_discarded, "UPDATEs with an attribute discarded, RFC 7606")                               \
    X(rx_as_withdraw, "UPDATEs treated as withdrawal, RFC 7606")                                   \
    X(rx_seen_full, "routes of interest that were dropped because the table was full")             \
    X(tx_messages, "messages sent")                                                                \
    X(tx_updates, "UPDATE messages sent")                                                          \
    X(tx_keepalives, "KEEPALIVE messages sent")                                                    \
    X(tx_notifications, "NOTIFICATION messages sent")                                              \
    X(tx_bytes, "bytes handed to TCP")                                                             \
    X(tx_blocked, "times that TCP took fewer bytes than there were")                               \
    X(connects, "connections attempted")                                                           \
    X(accepts, "connections accepted")                                                             \
    X(accepts_refused, "connections from the neighbor's address that were refused")                \
    X(collisions, "connections closed because another one was kept, RFC 4271 6.8")                 \
    X(established, "times that the session came up")                                               \
    X(downs, "times that an established session ended")

#define BGP_COUNTER_ENUM(name, help) BGP_##name,
enum bgp_counter { BGP_COUNTERS(BGP_COUNTER_ENUM) BGP_COUNTER_COUNT };
#undef BGP_COUNTER_ENUM

struct bgp_counters {
    uint64_t row[BGP_COUNTER_COUNT];
};

/* "rx_messages", and what it counts. */
struct bgp_counter_row {
    const char *name, *help;
};
#define BGP_COUNTER_ROW(name, help) { #name, help },
/* static const struct bgp_counter_row rows[] = { BGP_COUNTERS(BGP_COUNTER_ROW) }; */

#endif
