/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A session as the neighbor's bytes make it. The input is a list of steps, an octet each and what it
 * needs: time passes, TCP comes and goes, administration, or a piece of the byte stream of one of the
 * connections, which is cut into messages as the edge does it. Whatever comes, the machine keeps its
 * promises (below, `check`). */
#include <string.h>

#include "base/assert.h"
#include "base/rd.h"
#include "bgp/fsm.h"
#include "fuzz.h"

struct session {
    struct bgp_fsm f;
    struct bgp_fsm_actions out;
    int64_t now_ms;
    bool up;
    struct {
        uint8_t bytes[8192];
        size_t len;
    } stream[BGP_CONN_SIDES];
};

static mono_t now(const struct session *s)
{
    return (mono_t){ 1000000000 + s->now_ms * 1000000 };
}

static void sent_holds(const struct bgp_fsm_action *a)
{
    size_t len;
    struct bgp_error e;
    base_assert(bgp_msg_frame(a->bytes, a->len, BGP_MSG_MAX, &len, &e) == BGP_FRAME_WHOLE);
    base_assert(len == a->len);
}

static void check(struct session *s)
{
    for (uint32_t i = 0; i < s->out.n; i++) {
        const struct bgp_fsm_action *a = &s->out.a[i];
        base_assert(a->why != NULL);
        base_assert(strlen(a->why) < BGP_FSM_WHY_MAX);
        if (a->kind == BGP_ACT_SEND)
            sent_holds(a);
        if (a->kind == BGP_ACT_CLOSE)
            s->stream[a->side].len = 0;
        if (a->kind == BGP_ACT_UP) {
            base_assert(!s->up);
            s->up = true;
        }
        if (a->kind == BGP_ACT_DOWN) {
            base_assert(s->up);
            s->up = false;
        }
        if (a->kind == BGP_ACT_UPDATE) {
            base_assert(s->up);
            base_assert(s->out.update.grade != BGP_GRADE_RESET);
        }
    }
    base_assert(s->up == (bgp_fsm_state(&s->f) == BGP_ESTABLISHED));
    base_assert(s->f.conn[0].state != BGP_ESTABLISHED || s->f.conn[1].state != BGP_ESTABLISHED);
    if (s->f.enabled && !s->up)
        base_assert(bgp_fsm_next(&s->f).ns != MONO_NEVER.ns); /* never stuck */
}

static void step(struct session *s, struct bgp_fsm_event ev)
{
    bgp_fsm_step(&s->f, &ev, now(s), &s->out);
    check(s);
}

static void stream(struct session *s, enum bgp_conn_side side, const uint8_t *bytes, size_t len)
{
    if (s->f.conn[side].state < BGP_OPEN_SENT)
        return;
    if (len > sizeof s->stream[side].bytes - s->stream[side].len)
        return;
    memcpy(s->stream[side].bytes + s->stream[side].len, bytes, len);
    s->stream[side].len += len;
    for (;;) {
        size_t whole;
        struct bgp_error e;
        uint8_t message[8192];
        size_t have = s->stream[side].len;
        enum bgp_frame frame = bgp_msg_frame(s->stream[side].bytes, have, BGP_MSG_MAX, &whole, &e);
        if (frame == BGP_FRAME_MORE)
            return;
        memcpy(message, s->stream[side].bytes, whole);
        memmove(s->stream[side].bytes, s->stream[side].bytes + whole, have - whole);
        s->stream[side].len -= whole;
        step(s, (struct bgp_fsm_event){
                    .kind = BGP_EV_MESSAGE, .side = side, .bytes = message, .len = whole });
        if (frame == BGP_FRAME_BAD)
            base_assert(s->f.conn[side].state < BGP_OPEN_SENT);
        if (s->f.conn[side].state < BGP_OPEN_SENT)
            return; /* check() has emptied the stream */
    }
}

/* Messages with their header left out, so that few bytes go far. */
static void message(struct session *s, enum bgp_conn_side side, struct rd *r)
{
    uint8_t type = rd_u8(r), len = rd_u8(r), buf[BGP_HEADER_LEN + 255];
    const uint8_t *body = rd_bytes(r, len);
    if (body == NULL)
        return;
    memset(buf, 0xff, 16);
    wr_put_u16(buf + 16, (uint16_t)(BGP_HEADER_LEN + len));
    buf[18] = type;
    memcpy(buf + BGP_HEADER_LEN, body, len);
    stream(s, side, buf, BGP_HEADER_LEN + len);
}

static void one(struct session *s, struct rd *r)
{
    uint8_t what = rd_u8(r);
    enum bgp_conn_side side = what & 0x80 ? BGP_IN : BGP_OUT;
    struct bgp_fsm_event ev = { .side = side, .random = (uint32_t)what * 0x01010101u };
    switch (what & 0x0f) {
    case 0:
        ev.kind = BGP_EV_START;
        break;
    case 1:
        ev.kind = BGP_EV_STOP;
        ev.cease_subcode = rd_u8(r);
        ev.text = "a text";
        break;
    case 2:
        ev.kind = BGP_EV_RESET;
        ev.cease_subcode = rd_u8(r);
        break;
    case 3: /* exactly until the next timer */
        ev.kind = BGP_EV_TIMER;
        if (bgp_fsm_next(&s->f).ns != MONO_NEVER.ns && mono_before(now(s), bgp_fsm_next(&s->f)))
            s->now_ms += mono_ms_between(now(s), bgp_fsm_next(&s->f)) + 1;
        break;
    case 4:
        ev.kind = BGP_EV_TIMER;
        s->now_ms += rd_u16(r);
        break;
    case 5:
        ev.kind = BGP_EV_TCP_UP;
        break;
    case 6:
        ev.kind = BGP_EV_TCP_DOWN;
        break;
    case 7:
        ev.kind = BGP_EV_SENT;
        break;
    case 8: {
        uint8_t len = rd_u8(r);
        const uint8_t *bytes = rd_bytes(r, len);
        if (bytes != NULL)
            stream(s, side, bytes, len);
        return;
    }
    default:
        message(s, side, r);
        return;
    }
    step(s, ev);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct session s;
    struct rd r = rd_init(data, size);
    uint8_t how = rd_u8(&r);
    struct bgp_fsm_config c = { .local_as = 64512,
                                .remote_as = how & 1 ? 64512 : 65001,
                                .router_id = 0x0a000001,
                                .hold_s = how & 2 ? 9 : 0,
                                .families = how & 8 ? BGP_FAMILY_ALL : 1,
                                .v4_over_v6_next_hop = how & 16,
                                .open_hold_ms = 5000,
                                .send_hold_ms = how & 32 ? 10000 : 0 };
    memset(&s, 0, sizeof s);
    bgp_fsm_init(&s.f, &c, now(&s));
    step(&s, (struct bgp_fsm_event){ .kind = BGP_EV_START });
    while (rd_left(&r) > 0 && !r.bad)
        one(&s, &r);
    return 0;
}
