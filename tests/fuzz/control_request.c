/* SPDX-License-Identifier: GPL-3.0-or-later */

/* A line on the control socket, of any bytes. */
#include <string.h>

#include "base/assert.h"
#include "control/request.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct control_request r;
    struct err e = { 0 };
    if (!control_request_parse(&r, (const char *)data, size, &e)) {
        base_assert(e.what[0] != '\0');
        return 0;
    }
    base_assert(control_command_name(r.command) != NULL);
    for (size_t i = 0; r.reason[i] != '\0'; i++) {
        base_assert((unsigned char)r.reason[i] >= 0x20);
        base_assert(r.reason[i] != '"');
    }
    return 0;
}
