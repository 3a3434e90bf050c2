/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A byte stream of framed messages, in any pieces: what is found lies within what has come. The first
 * byte says how long the pieces are. */
#include "base/assert.h"
#include "fuzz.h"
#include "serve/frame.h"

#define MESSAGE_MAX 300

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > 65536)
        return 0;
    const uint32_t step = data[0] % 64u + 1, end = (uint32_t)size;
    uint32_t at = 1, have = 1;
    while (have < end) {
        struct frame f;
        enum frame_got got;
        have = have + step < end ? have + step : end;
        while ((got = serve_frame_next(data + at, have - at, MESSAGE_MAX, &f)) == FRAME_MESSAGE) {
            base_assert(f.len <= MESSAGE_MAX);
            base_assert(f.used == f.len + 2);
            base_assert(f.used <= have - at);
            base_assert(f.message == data + at + 2);
            at += f.used;
        }
        if (got == FRAME_TOO_LONG)
            return 0;
        base_assert(have - at < MESSAGE_MAX + 2);
    }
    return 0;
}
