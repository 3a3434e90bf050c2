/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes as a message: framing, and the bodies of all types but UPDATE. What is taken is within the
 * limits; what is refused names an error; an OPEN that is taken can be written and read again. */
#include <string.h>

#include "base/assert.h"
#include "bgp/msg.h"
#include "fuzz.h"

static void open_holds(struct rd body)
{
    const struct bgp_open_expect expect = { 64512, 65001, 1 };
    struct bgp_open o, again;
    struct bgp_error e = { 0 };
    if (!bgp_open_parse(body, &expect, &o, &e)) {
        base_assert(e.code == BGP_ERR_OPEN);
        base_assert(e.why != NULL);
        return;
    }
    base_assert(o.version == 4);
    base_assert(o.as == 65001);
    base_assert(o.hold_s == 0 || o.hold_s >= BGP_HOLD_MIN_S);
    base_assert((o.families & ~BGP_FAMILY_ALL) == 0);
    uint8_t buf[BGP_MSG_MAX];
    struct wr w = wr_init(buf, sizeof buf);
    bgp_open_write(&w, &o);
    base_assert(!w.full);
    base_assert(bgp_open_parse(rd_init(buf + BGP_HEADER_LEN, wr_len(&w) - BGP_HEADER_LEN), &expect,
                               &again, &e));
    base_assert(again.hold_s == o.hold_s);
    base_assert(again.id == o.id);
    base_assert(again.as4 == o.as4);
    base_assert(again.extended_message == o.extended_message);
}

static void notification_holds(struct rd body)
{
    struct bgp_notification n;
    char buf[64];
    if (!bgp_notification_parse(body, &n))
        return;
    base_assert(strlen(n.text) <= BGP_SHUTDOWN_TEXT_MAX);
    for (const char *c = n.text; *c != '\0'; c++)
        base_assert((unsigned char)*c >= 0x20);
    base_assert(strlen(bgp_error_text(n.code, n.subcode, buf)) > 0);
}

static void refresh_holds(struct rd body)
{
    struct bgp_refresh r;
    struct bgp_error e;
    if (bgp_refresh_parse(body, &r, &e) && r.known)
        base_assert(r.family < BGP_FAMILIES);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t len;
    struct bgp_error e = { 0 };
    enum bgp_frame frame = bgp_msg_frame(data, size, BGP_MSG_MAX_EXTENDED, &len, &e);
    if (frame == BGP_FRAME_WHOLE)
        base_assert(len >= BGP_HEADER_LEN && len <= size);
    if (frame == BGP_FRAME_BAD) {
        base_assert(e.code == BGP_ERR_HEADER);
        base_assert(len <= size);
        uint8_t buf[BGP_MSG_MAX];
        struct wr w = wr_init(buf, sizeof buf);
        bgp_notification_write(&w, &e);
        base_assert(!w.full);
    }
    /* the bodies also without a header that is right */
    size_t skip = size >= BGP_HEADER_LEN ? BGP_HEADER_LEN : 0;
    struct rd body = rd_init(data + skip, size - skip);
    open_holds(body);
    notification_holds(body);
    refresh_holds(body);
    return 0;
}
