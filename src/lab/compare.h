/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LAB_COMPARE_H
#define LAB_COMPARE_H

#include "lab/show.h"

/* The other way to run the same servers: one plain `perigee serve` in the first node's host of each
 * site, at the host's own address, no BGP. What is measured is single queries, no retries. */
struct compare_unicast {
    uint32_t servers;
    uint32_t rtt_us[STEP_CLIENTS_MAX][LAB_SITES_MAX]; /* client by site: median of right answers */
    double flood_answered[STEP_CLIENTS_MAX]; /* percent of the queries to the flooded address */
    uint32_t dead_lost; /* queries to the address whose server was killed … */
    uint32_t dead_sent;
    int64_t ready_us; /* from the command to the first right answer at a client; the slowest site */
    const struct lab_host *who[STEP_CLIENTS_MAX];
    uint32_t client_count;
    char command[400]; /* as typed */
};

/* The nodes must be stopped, the clients silent. `near` sabotages: clients ask the nearest server
 * only, whatever address is meant. */
bool compare_unicast(struct stage *s, const struct step *flood, uint32_t qps, bool near,
                     struct compare_unicast *out, struct err *e);

#endif
