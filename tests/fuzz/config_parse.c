/* SPDX-License-Identifier: GPL-3.0-or-later */

/* A fleet file of any bytes: read or refused, with a line for every error, and never more. */
#include <stdlib.h>

#include "base/assert.h"
#include "config/config.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct config_errors errors;
    struct config_source source = {
        .file = "fuzz/f.yaml", .yaml = (const char *)data, .len = size, .no_files = true
    };
    struct config *c = config_parse(&source, &errors);
    base_assert((c == NULL) == (errors.count != 0));
    for (uint32_t i = 0; i < errors.count && i < CONFIG_ERRORS_MAX; i++) {
        base_assert(errors.at[i].what[0] != '\0');
        base_assert(errors.at[i].kind != ERR_NONE);
    }
    if (c != NULL)
        for (uint32_t i = 0; i < c->nodes.count; i++)
            free(config_expand(c->control_socket, &c->nodes.at[i]));
    config_free(c);
    return 0;
}
