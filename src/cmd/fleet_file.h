/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CMD_FLEET_FILE_H
#define CMD_FLEET_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "guard/guard.h"

/* What run and check share: reading a fleet file with everything it names. */

struct fleet_file {
    char *yaml;
    struct config_source source;
    struct config *config;
};

/* Reads `path` and the files of `node`; NULL: of the node of this host, or of all nodes. False after
 * printing every error. */
bool fleet_file_load(struct fleet_file *f, const char *path, const char *node, bool this_host);
void fleet_file_free(struct fleet_file *f);

/* The node that is meant by `name` (NULL: the host's name); NULL after printing what there is. */
const struct config_node *fleet_file_node(const struct fleet_file *f, const char *name);

/* The zones that `node` answers (NULL: all of the fleet), each once. The caller frees the list and
 * each `origin`. */
struct guard_zone *fleet_file_zones(const struct config *c, const struct config_node *node,
                                    uint32_t *count);

#endif
