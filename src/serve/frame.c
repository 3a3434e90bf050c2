/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "serve/frame.h"

#include "base/rd.h"

enum frame_got serve_frame_next(const uint8_t *bytes, uint32_t len, uint32_t max, struct frame *out)
{
    struct rd r = rd_init(bytes, len);
    const uint32_t message_len = rd_u16(&r);
    if (r.bad)
        return FRAME_MORE;
    if (message_len > max)
        return FRAME_TOO_LONG;
    const uint8_t *message = rd_bytes(&r, message_len);
    if (message == NULL)
        return FRAME_MORE;
    *out = (struct frame){ .message = message, .len = message_len, .used = 2 + message_len };
    return FRAME_MESSAGE;
}
