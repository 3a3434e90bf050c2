/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SERVE_FRAME_H
#define SERVE_FRAME_H

#include <stddef.h>
#include <stdint.h>

/* DNS messages in a byte stream: two bytes of length before each (RFC 1035 section 4.2.2), any number
 * of them one after the other (RFC 7766 section 6.2.1.1), cut anywhere. Pure. */
enum frame_got {
    FRAME_MESSAGE,  /* one whole message */
    FRAME_MORE,     /* it goes on: wait for more bytes */
    FRAME_TOO_LONG, /* its length says more than `max` bytes */
};

struct frame {
    const uint8_t *message; /* borrowed from the bytes given */
    uint32_t len;
    uint32_t used; /* bytes that the message and its length took */
};

/* Looks at what has come so far. */
enum frame_got serve_frame_next(const uint8_t *bytes, uint32_t len, uint32_t max,
                                struct frame *out);

#endif
