/* SPDX-License-Identifier: GPL-3.0-or-later */

/* A topology file; what is good is also read as one that a scenario refers to. */
#include "fuzz.h"

#include "lab/topo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct yml y;
    if (size > 65536)
        return -1;
    yml_node root = yml_read(&y, "fuzz.yaml", (const char *)data, size);
    if (root != NULL)
        lab_topo_free(lab_topo_read(&y, root));
    yml_fini(&y);
    return 0;
}
