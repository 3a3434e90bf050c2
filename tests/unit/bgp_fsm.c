/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The state machine: every state and event, timers in virtual time, collisions. */
#include "bgp_help.h"

#include "base/mem.h"
#include "bgp/fsm.h"

#define MS(n) ((mono_t){ 1000000000000 + (int64_t)(n)*1000000 })
#define NEIGHBOR_ID 0x0a000002u
#define OUR_ID 0x0a000001u

struct bench {
    struct bgp_fsm f;
    struct bgp_fsm_actions out;
    int64_t ms; /* virtual time */
    uint32_t random;
};

static struct bgp_fsm_config config(void)
{
    return (struct bgp_fsm_config){ .local_as = 64512,
                                    .remote_as = 65001,
                                    .router_id = OUR_ID,
                                    .hold_s = 90,
                                    .families = BGP_FAMILY_BIT(BGP_IPV4) };
}

static void bench_init(struct bench *b, const struct bgp_fsm_config *c)
{
    memset(b, 0, sizeof *b);
    bgp_fsm_init(&b->f, c, MS(0));
}

static void step(struct bench *b, struct bgp_fsm_event ev)
{
    ev.random = b->random;
    bgp_fsm_step(&b->f, &ev, MS(b->ms), &b->out);
}

static void simple(struct bench *b, enum bgp_fsm_event_kind kind, enum bgp_conn_side side)
{
    step(b, (struct bgp_fsm_event){ .kind = kind, .side = side });
}

static void message(struct bench *b, enum bgp_conn_side side, const uint8_t *bytes, size_t len)
{
    step(b, (struct bgp_fsm_event){
                .kind = BGP_EV_MESSAGE, .side = side, .bytes = bytes, .len = len });
}

static struct bgp_open their_open(void)
{
    return (struct bgp_open){ .as = 65001,
                              .hold_s = 30,
                              .id = NEIGHBOR_ID,
                              .as4 = true,
                              .families = BGP_FAMILY_ALL,
                              .route_refresh = true,
                              .enhanced_refresh = true };
}

static void open_from(struct bench *b, enum bgp_conn_side side, const struct bgp_open *o)
{
    static uint8_t buf[BGP_MSG_MAX];
    struct wr w = wr_init(buf, sizeof buf);
    bgp_open_write(&w, o);
    message(b, side, buf, wr_len(&w));
}

static void good_open(struct bench *b, enum bgp_conn_side side)
{
    struct bgp_open o = their_open();
    open_from(b, side, &o);
}

static void keepalive(struct bench *b, enum bgp_conn_side side)
{
    static uint8_t buf[32];
    struct wr w = wr_init(buf, sizeof buf);
    bgp_keepalive_write(&w);
    message(b, side, buf, wr_len(&w));
}

static void raw(struct bench *b, enum bgp_conn_side side, const char *text)
{
    static uint8_t buf[256];
    size_t len = hex("ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff", buf, sizeof buf);
    len += hex(text, buf + len, sizeof buf - len);
    message(b, side, buf, len);
}

static enum bgp_state state(const struct bench *b, enum bgp_conn_side side)
{
    return b->f.conn[side].state;
}

/* Brings the outgoing connection into a state. */
static void bring(struct bench *b, enum bgp_state to)
{
    struct bgp_fsm_config c = config();
    bench_init(b, &c);
    if (to == BGP_IDLE)
        return;
    simple(b, BGP_EV_START, BGP_OUT);
    if (to == BGP_ACTIVE)
        simple(b, BGP_EV_TCP_DOWN, BGP_OUT);
    if (to <= BGP_ACTIVE)
        return;
    simple(b, BGP_EV_TCP_UP, BGP_OUT);
    if (to >= BGP_OPEN_CONFIRM)
        good_open(b, BGP_OUT);
    if (to >= BGP_ESTABLISHED)
        keepalive(b, BGP_OUT);
    assert_int_equal(state(b, BGP_OUT), to);
}

/* The NOTIFICATION that the last step sent to `side`: code * 100 + subcode; 0: none. */
static unsigned notified(const struct bench *b, enum bgp_conn_side side)
{
    for (uint32_t i = 0; i < b->out.n; i++) {
        const struct bgp_fsm_action *a = &b->out.a[i];
        if (a->kind == BGP_ACT_SEND && a->side == side && a->bytes[18] == BGP_NOTIFICATION)
            return a->bytes[19] * 100u + a->bytes[20];
    }
    return 0;
}

static unsigned acted(const struct bench *b, enum bgp_fsm_action_kind kind)
{
    unsigned n = 0;
    for (uint32_t i = 0; i < b->out.n; i++)
        n += b->out.a[i].kind == kind;
    return n;
}

static unsigned sent(const struct bench *b, enum bgp_msg_type type)
{
    unsigned n = 0;
    for (uint32_t i = 0; i < b->out.n; i++)
        n += b->out.a[i].kind == BGP_ACT_SEND && b->out.a[i].bytes[18] == type;
    return n;
}

/* ---- every state, every event -------------------------------------------------------------------- */

static void ev_start(struct bench *b)
{
    simple(b, BGP_EV_START, BGP_OUT);
}

static void ev_stop(struct bench *b)
{
    step(b, (struct bgp_fsm_event){
                .kind = BGP_EV_STOP, .cease_subcode = BGP_CEASE_SHUTDOWN, .text = "bye" });
}

static void ev_reset(struct bench *b)
{
    step(b, (struct bgp_fsm_event){ .kind = BGP_EV_RESET, .cease_subcode = BGP_CEASE_RESET });
}

static void ev_early_timer(struct bench *b)
{
    simple(b, BGP_EV_TIMER, BGP_OUT);
}

/* A timer that runs is due now; one that does not run (RFC 4271 stops it in that state) stays so. */
static void expire(struct bench *b, mono_t *timer)
{
    if (timer->ns != MONO_NEVER.ns)
        *timer = MS(b->ms);
    simple(b, BGP_EV_TIMER, BGP_OUT);
}

static void ev_retry(struct bench *b)
{
    expire(b, &b->f.retry_at);
}

static void ev_hold(struct bench *b)
{
    expire(b, &b->f.conn[BGP_OUT].hold_at);
}

static void ev_keepalive_timer(struct bench *b)
{
    expire(b, &b->f.conn[BGP_OUT].keepalive_at);
}

static void ev_send_hold(struct bench *b)
{
    expire(b, &b->f.conn[BGP_OUT].send_hold_at);
}

static void ev_tcp_up(struct bench *b)
{
    simple(b, BGP_EV_TCP_UP, BGP_OUT);
}

static void ev_tcp_down(struct bench *b)
{
    simple(b, BGP_EV_TCP_DOWN, BGP_OUT);
}

static void ev_open(struct bench *b)
{
    good_open(b, BGP_OUT);
}

static void ev_bad_open(struct bench *b)
{
    struct bgp_open o = their_open();
    o.as = 65002;
    open_from(b, BGP_OUT, &o);
}

static void ev_keepalive(struct bench *b)
{
    keepalive(b, BGP_OUT);
}

static void ev_update(struct bench *b)
{
    raw(b, BGP_OUT, "00 17 02 00 00 00 00");
}

static void ev_bad_update(struct bench *b)
{
    raw(b, BGP_OUT, "00 17 02 00 05 00 00");
}

static void ev_notification(struct bench *b)
{
    raw(b, BGP_OUT, "00 15 03 06 02");
}

static void ev_version_notification(struct bench *b)
{
    raw(b, BGP_OUT, "00 17 03 02 01 00 04");
}

static void ev_refresh(struct bench *b)
{
    raw(b, BGP_OUT, "00 17 05 00 01 00 01");
}

static void ev_bad_header(struct bench *b)
{
    raw(b, BGP_OUT, "00 13 09");
}

static void ev_half(struct bench *b)
{
    raw(b, BGP_OUT, "00 17 02");
}

static void ev_sent(struct bench *b)
{
    simple(b, BGP_EV_SENT, BGP_OUT);
}

#define STAYS                                                                                      \
    {                                                                                              \
        -1, 0                                                                                      \
    }
static const struct {
    const char *rfc, *what;
    void (*event)(struct bench *b);
    struct {
        int to; /* -1: the state stays */
        unsigned notification;
    } expect[BGP_STATE_COUNT]; /* Idle, Connect, Active, OpenSent, OpenConfirm, Established */
} matrix[] = {
    { "8.2.2 event 1",
      "start",
      ev_start,
      { { BGP_CONNECT, 0 }, STAYS, STAYS, STAYS, STAYS, STAYS } },
    { "8.2.2 event 2",
      "stop",
      ev_stop,
      { STAYS,
        { BGP_IDLE, 0 },
        { BGP_IDLE, 0 },
        { BGP_IDLE, 602 },
        { BGP_IDLE, 602 },
        { BGP_IDLE, 602 } } },
    { "4486",
      "reset",
      ev_reset,
      { STAYS,
        { BGP_IDLE, 0 },
        { BGP_IDLE, 0 },
        { BGP_IDLE, 604 },
        { BGP_IDLE, 604 },
        { BGP_IDLE, 604 } } },
    { "8.2.2",
      "a timer that is not due",
      ev_early_timer,
      { STAYS, STAYS, STAYS, STAYS, STAYS, STAYS } },
    { "8.2.2 event 9",
      "ConnectRetryTimer",
      ev_retry,
      { STAYS, STAYS, { BGP_CONNECT, 0 }, STAYS, STAYS, STAYS } },
    { "8.2.2 event 10",
      "HoldTimer",
      ev_hold,
      { STAYS, STAYS, STAYS, { BGP_IDLE, 400 }, { BGP_IDLE, 400 }, { BGP_IDLE, 400 } } },
    { "8.2.2 event 11",
      "KeepaliveTimer",
      ev_keepalive_timer,
      { STAYS, STAYS, STAYS, STAYS, STAYS, STAYS } },
    { "9687 event 29",
      "SendHoldTimer",
      ev_send_hold,
      { STAYS, STAYS, STAYS, STAYS, STAYS, { BGP_IDLE, 800 } } },
    { "8.2.2 event 16",
      "TCP connected",
      ev_tcp_up,
      { STAYS, { BGP_OPEN_SENT, 0 }, STAYS, STAYS, STAYS, STAYS } },
    { "8.2.2 event 18",
      "TCP failed",
      ev_tcp_down,
      { STAYS, { BGP_ACTIVE, 0 }, STAYS, { BGP_ACTIVE, 0 }, { BGP_IDLE, 0 }, { BGP_IDLE, 0 } } },
    { "8.2.2 event 19",
      "OPEN",
      ev_open,
      { STAYS, STAYS, STAYS, { BGP_OPEN_CONFIRM, 0 }, { BGP_IDLE, 502 }, { BGP_IDLE, 503 } } },
    { "8.2.2 event 22",
      "an OPEN of another AS",
      ev_bad_open,
      { STAYS, STAYS, STAYS, { BGP_IDLE, 202 }, { BGP_IDLE, 502 }, { BGP_IDLE, 503 } } },
    { "8.2.2 event 26, 6608",
      "KEEPALIVE",
      ev_keepalive,
      { STAYS, STAYS, STAYS, { BGP_IDLE, 501 }, { BGP_ESTABLISHED, 0 }, STAYS } },
    { "8.2.2 event 27, 6608",
      "UPDATE",
      ev_update,
      { STAYS, STAYS, STAYS, { BGP_IDLE, 501 }, { BGP_IDLE, 502 }, STAYS } },
    { "8.2.2 event 28",
      "an UPDATE that resets",
      ev_bad_update,
      { STAYS, STAYS, STAYS, { BGP_IDLE, 501 }, { BGP_IDLE, 502 }, { BGP_IDLE, 301 } } },
    { "8.2.2 event 25",
      "NOTIFICATION",
      ev_notification,
      { STAYS, STAYS, STAYS, { BGP_IDLE, 0 }, { BGP_IDLE, 0 }, { BGP_IDLE, 0 } } },
    { "8.2.2 event 24",
      "NOTIFICATION of a version error",
      ev_version_notification,
      { STAYS, STAYS, STAYS, { BGP_IDLE, 0 }, { BGP_IDLE, 0 }, { BGP_IDLE, 0 } } },
    { "2918, 6608",
      "ROUTE-REFRESH",
      ev_refresh,
      { STAYS, STAYS, STAYS, { BGP_IDLE, 501 }, { BGP_IDLE, 502 }, STAYS } },
    { "8.2.2 event 21",
      "a bad header",
      ev_bad_header,
      { STAYS, STAYS, STAYS, { BGP_IDLE, 103 }, { BGP_IDLE, 103 }, { BGP_IDLE, 103 } } },
    { "4.1", "half a message", ev_half, { STAYS, STAYS, STAYS, STAYS, STAYS, STAYS } },
    { "9687", "TCP took bytes", ev_sent, { STAYS, STAYS, STAYS, STAYS, STAYS, STAYS } },
};

static void every_state_every_event(void **unused)
{
    (void)unused;
    struct bench b;
    for (size_t i = 0; i < BASE_COUNT(matrix); i++) {
        for (int from = 0; from < BGP_STATE_COUNT; from++) {
            bring(&b, (enum bgp_state)from);
            b.ms = 10;
            matrix[i].event(&b);
            int to = matrix[i].expect[from].to < 0 ? from : matrix[i].expect[from].to;
            bool up = from == BGP_ESTABLISHED;
            if (state(&b, BGP_OUT) != (enum bgp_state)to ||
                notified(&b, BGP_OUT) != matrix[i].expect[from].notification)
                fail_msg("RFC 4271 %s: %s in %s: %s, NOTIFICATION %u", matrix[i].rfc,
                         matrix[i].what, bgp_state_text((enum bgp_state)from),
                         bgp_state_text(state(&b, BGP_OUT)), notified(&b, BGP_OUT));
            /* What holds always: the words for the log, UP and DOWN, and that a connection that is
             * no more is closed. */
            assert_int_equal(acted(&b, BGP_ACT_STATE), to != from);
            assert_int_equal(acted(&b, BGP_ACT_DOWN), up && to != BGP_ESTABLISHED);
            assert_int_equal(acted(&b, BGP_ACT_UP), !up && to == BGP_ESTABLISHED);
            assert_int_equal(b.f.conn[BGP_OUT].tcp, to != BGP_IDLE && to != BGP_ACTIVE);
            if (from >= BGP_OPEN_SENT && to < BGP_OPEN_SENT)
                assert_int_equal(acted(&b, BGP_ACT_CLOSE), 1);
            if (from != BGP_IDLE && matrix[i].event != ev_stop)
                assert_true(bgp_fsm_next(&b.f).ns != MONO_NEVER.ns); /* never stuck */
        }
    }
}

/* The same for the connection that the neighbor opened, while ours is in Active. */
static void every_event_incoming(void **unused)
{
    (void)unused;
    static const struct {
        const char *what, *bytes;
        unsigned from, notification;
        enum bgp_state to;
    } rows[] = {
        { "KEEPALIVE", "00 13 04", BGP_OPEN_SENT, 501, BGP_IDLE },
        { "UPDATE", "00 17 02 00 00 00 00", BGP_OPEN_SENT, 501, BGP_IDLE },
        { "KEEPALIVE", "00 13 04", BGP_OPEN_CONFIRM, 0, BGP_ESTABLISHED },
        { "UPDATE", "00 17 02 00 00 00 00", BGP_OPEN_CONFIRM, 502, BGP_IDLE },
        { "garbage", "00 00 00", BGP_OPEN_SENT, 102, BGP_IDLE },
        { "garbage", "00 00 00", BGP_ESTABLISHED, 102, BGP_IDLE },
        { "NOTIFICATION", "00 15 03 06 05", BGP_OPEN_SENT, 0, BGP_IDLE },
        { "NOTIFICATION", "00 15 03 06 05", BGP_ESTABLISHED, 0, BGP_IDLE },
    };
    for (size_t i = 0; i < BASE_COUNT(rows); i++) {
        struct bench b;
        bring(&b, BGP_ACTIVE);
        simple(&b, BGP_EV_TCP_UP, BGP_IN);
        if (rows[i].from >= BGP_OPEN_CONFIRM)
            good_open(&b, BGP_IN);
        if (rows[i].from == BGP_ESTABLISHED)
            keepalive(&b, BGP_IN);
        assert_int_equal(state(&b, BGP_IN), rows[i].from);
        raw(&b, BGP_IN, rows[i].bytes);
        if (state(&b, BGP_IN) != rows[i].to || notified(&b, BGP_IN) != rows[i].notification)
            fail_msg("%s in %s: %s, NOTIFICATION %u", rows[i].what,
                     bgp_state_text((enum bgp_state)rows[i].from),
                     bgp_state_text(state(&b, BGP_IN)), notified(&b, BGP_IN));
        /* ours goes on where it was, unless the session was up and had replaced it */
        if (rows[i].from != BGP_ESTABLISHED && rows[i].to != BGP_ESTABLISHED)
            assert_int_equal(state(&b, BGP_OUT), BGP_ACTIVE);
        assert_true(bgp_fsm_next(&b.f).ns != MONO_NEVER.ns);
    }
}

/* ---- timers ----------------------------------------------------------------------------------- */

/* The next event by time alone; returns how many milliseconds passed. */
static int64_t pass(struct bench *b)
{
    mono_t next = bgp_fsm_next(&b->f);
    assert_true(next.ns != MONO_NEVER.ns);
    int64_t ms = mono_ms_between(MS(b->ms), next);
    b->ms += ms;
    simple(b, BGP_EV_TIMER, BGP_OUT);
    return ms;
}

/* RFC 4271 section 10: jitter between 75 and 100 percent. */
static void keepalives_are_jittered(void **unused)
{
    (void)unused;
    static const struct {
        uint32_t random;
        int64_t ms;
    } rows[] = { { 0, 7500 }, { 256, 10000 }, { 128, 8750 } };
    for (size_t i = 0; i < BASE_COUNT(rows); i++) {
        struct bench b;
        bring(&b, BGP_ESTABLISHED);
        b.random = rows[i].random;
        pass(&b);
        assert_int_equal(sent(&b, BGP_KEEPALIVE), 1);
        assert_int_equal(pass(&b), rows[i].ms); /* hold time 30 s: a third of it, 4271 4.4 */
    }
}

static void hold_time_is_the_smaller(void **unused)
{
    (void)unused;
    static const struct {
        uint16_t ours, theirs, hold;
    } rows[] = { { 90, 30, 30 }, { 9, 30, 9 }, { 0, 30, 0 }, { 90, 0, 0 }, { 3, 3, 3 } };
    for (size_t i = 0; i < BASE_COUNT(rows); i++) {
        struct bench b;
        struct bgp_fsm_config c = config();
        c.hold_s = rows[i].ours;
        bench_init(&b, &c);
        simple(&b, BGP_EV_START, BGP_OUT);
        simple(&b, BGP_EV_TCP_UP, BGP_OUT);
        struct bgp_open o = their_open();
        o.hold_s = rows[i].theirs;
        open_from(&b, BGP_OUT, &o);
        assert_int_equal(b.f.conn[BGP_OUT].nego.hold_s, rows[i].hold);
        keepalive(&b, BGP_OUT);
        if (rows[i].hold == 0) /* RFC 4271 section 4.4: no keepalives either */
            assert_true(bgp_fsm_next(&b.f).ns == MONO_NEVER.ns);
        else
            assert_int_equal(mono_ms_between(MS(0), b.f.conn[BGP_OUT].hold_at),
                             rows[i].hold * 1000);
    }
}

/* KEEPALIVE and UPDATE restart the hold timer (RFC 4271 section 4.2), nothing else does. */
static void hold_timer_restarts(void **unused)
{
    (void)unused;
    static const struct {
        const char *bytes;
        bool restarts;
    } rows[] = { { "00 13 04", true },
                 { "00 17 02 00 00 00 00", true },
                 { "00 17 05 00 01 00 01", false } };
    for (size_t i = 0; i < BASE_COUNT(rows); i++) {
        struct bench b;
        bring(&b, BGP_ESTABLISHED);
        b.ms = 20000;
        raw(&b, BGP_OUT, rows[i].bytes);
        assert_int_equal(mono_ms_between(MS(0), b.f.conn[BGP_OUT].hold_at),
                         rows[i].restarts ? 50000 : 30000);
    }
}

static void hold_timer_ends_the_session(void **unused)
{
    (void)unused;
    struct bench b;
    bring(&b, BGP_ESTABLISHED);
    for (int i = 0; i < 10 && state(&b, BGP_OUT) == BGP_ESTABLISHED; i++)
        pass(&b);
    assert_int_equal(b.ms, 30000);
    assert_int_equal(notified(&b, BGP_OUT), 400);
}

/* RFC 9687: eight minutes, or twice the hold time if that is longer; restarted by progress. */
static void send_hold_time(void **unused)
{
    (void)unused;
    struct bench b;
    bring(&b, BGP_ESTABLISHED);
    assert_int_equal(mono_ms_between(MS(0), b.f.conn[BGP_OUT].send_hold_at), 480000);
    b.ms = 5000;
    simple(&b, BGP_EV_SENT, BGP_OUT);
    assert_int_equal(mono_ms_between(MS(0), b.f.conn[BGP_OUT].send_hold_at), 485000);
    struct bgp_fsm_config c = config();
    c.hold_s = 65535;
    bench_init(&b, &c);
    simple(&b, BGP_EV_START, BGP_OUT);
    simple(&b, BGP_EV_TCP_UP, BGP_OUT);
    struct bgp_open o = their_open();
    o.hold_s = 600;
    open_from(&b, BGP_OUT, &o);
    keepalive(&b, BGP_OUT);
    assert_int_equal(mono_ms_between(MS(0), b.f.conn[BGP_OUT].send_hold_at), 1200000);
}

/* Waits double up to their bound, and start small again after a session that was stable. */
static void waits_double(void **unused)
{
    (void)unused;
    struct bench b;
    struct bgp_fsm_config c = config();
    bench_init(&b, &c);
    b.random = 256; /* no jitter */
    simple(&b, BGP_EV_START, BGP_OUT);
    static const int64_t waits[] = { 500, 1000, 2000, 4000, 8000, 16000, 30000, 30000 };
    for (size_t i = 0; i < BASE_COUNT(waits); i++) {
        simple(&b, BGP_EV_TCP_DOWN, BGP_OUT);
        assert_int_equal(state(&b, BGP_OUT), BGP_ACTIVE);
        assert_int_equal(pass(&b), waits[i]);
        assert_int_equal(state(&b, BGP_OUT), BGP_CONNECT);
        assert_int_equal(acted(&b, BGP_ACT_CONNECT), 1);
    }
    for (unsigned i = 0; i < 4; i++) { /* sessions that fall after a second */
        simple(&b, BGP_EV_TCP_UP, BGP_OUT);
        good_open(&b, BGP_OUT);
        keepalive(&b, BGP_OUT);
        b.ms += 1000;
        simple(&b, BGP_EV_TCP_DOWN, BGP_OUT);
        assert_int_equal(pass(&b), 500 << i);
    }
    simple(&b, BGP_EV_TCP_UP, BGP_OUT);
    good_open(&b, BGP_OUT);
    keepalive(&b, BGP_OUT);
    b.ms += BGP_FSM_STABLE_MS;
    simple(&b, BGP_EV_TCP_DOWN, BGP_OUT);
    assert_int_equal(pass(&b), 500);
}

static void connect_attempt_is_given_up(void **unused)
{
    (void)unused;
    struct bench b;
    bring(&b, BGP_CONNECT);
    assert_int_equal(pass(&b), BGP_FSM_CONNECT_MS);
    assert_int_equal(acted(&b, BGP_ACT_CLOSE), 1);
    assert_int_equal(acted(&b, BGP_ACT_CONNECT), 1);
    assert_int_equal(b.out.a[0].kind, BGP_ACT_CLOSE); /* the old one first */
    assert_int_equal(state(&b, BGP_OUT), BGP_CONNECT);
}

static void passive_never_connects(void **unused)
{
    (void)unused;
    struct bench b;
    struct bgp_fsm_config c = config();
    c.passive = true;
    bench_init(&b, &c);
    assert_false(bgp_fsm_accepts(&b.f)); /* RFC 4271 8.2.2: Idle refuses */
    simple(&b, BGP_EV_START, BGP_OUT);
    assert_int_equal(state(&b, BGP_OUT), BGP_ACTIVE);
    assert_int_equal(acted(&b, BGP_ACT_CONNECT), 0);
    assert_true(bgp_fsm_next(&b.f).ns == MONO_NEVER.ns);
    assert_true(bgp_fsm_accepts(&b.f));
    simple(&b, BGP_EV_TCP_UP, BGP_IN);
    good_open(&b, BGP_IN);
    keepalive(&b, BGP_IN);
    assert_int_equal(bgp_fsm_state(&b.f), BGP_ESTABLISHED);
    assert_false(bgp_fsm_accepts(&b.f));
    simple(&b, BGP_EV_TCP_DOWN, BGP_IN);
    assert_int_equal(bgp_fsm_state(&b.f), BGP_IDLE);
    assert_false(bgp_fsm_accepts(&b.f));
    pass(&b);
    assert_int_equal(bgp_fsm_state(&b.f), BGP_ACTIVE);
    assert_true(bgp_fsm_accepts(&b.f));
}

/* ---- collisions (RFC 4271 section 6.8) ------------------------------------------------------------ */

static const struct {
    const char *rfc, *what;
    uint32_t our_id, their_id, our_as, their_as;
    bool ours_first; /* whose OPEN comes first */
    enum bgp_conn_side stays;
} collisions[] = {
    { "4271 6.8", "we are the higher: ours stays", 2, 1, 64512, 65001, true, BGP_OUT },
    { "4271 6.8", "we are the higher: ours stays, theirs first", 2, 1, 64512, 65001, false,
      BGP_OUT },
    { "4271 6.8", "they are the higher: theirs stays", 1, 2, 64512, 65001, true, BGP_IN },
    { "4271 6.8", "they are the higher: theirs stays, theirs first", 1, 2, 64512, 65001, false,
      BGP_IN },
    { "4271 6.8", "compared as numbers, without sign", 0x80000000, 1, 64512, 65001, true, BGP_OUT },
    { "6286 2.3", "the same identifier, our AS is the larger", 1, 1, 65002, 65001, true, BGP_OUT },
    { "6286 2.3", "the same identifier, their AS is the larger", 1, 1, 64512, 65001, true, BGP_IN },
};

static void collisions_are_settled(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < BASE_COUNT(collisions); i++) {
        struct bench b;
        struct bgp_fsm_config c = config();
        c.router_id = collisions[i].our_id;
        c.local_as = collisions[i].our_as;
        bench_init(&b, &c);
        simple(&b, BGP_EV_START, BGP_OUT);
        simple(&b, BGP_EV_TCP_UP, BGP_OUT);
        simple(&b, BGP_EV_TCP_UP, BGP_IN);
        struct bgp_open o = their_open();
        o.id = collisions[i].their_id;
        o.as = collisions[i].their_as;
        enum bgp_conn_side first = collisions[i].ours_first ? BGP_OUT : BGP_IN;
        open_from(&b, first, &o);
        assert_int_equal(state(&b, first), BGP_OPEN_CONFIRM);
        assert_int_equal(state(&b, (enum bgp_conn_side) !first), BGP_OPEN_SENT);
        open_from(&b, (enum bgp_conn_side) !first, &o);
        enum bgp_conn_side stays = collisions[i].stays, goes = (enum bgp_conn_side) !stays;
        if (state(&b, stays) != BGP_OPEN_CONFIRM || state(&b, goes) != BGP_IDLE ||
            notified(&b, goes) != 607 || notified(&b, stays) != 0)
            fail_msg("RFC %s, %s: out %s, in %s", collisions[i].rfc, collisions[i].what,
                     bgp_state_text(state(&b, BGP_OUT)), bgp_state_text(state(&b, BGP_IN)));
        keepalive(&b, stays);
        assert_int_equal(state(&b, stays), BGP_ESTABLISHED);
    }
}

/* An Established session stays, whatever the identifiers say. */
static void established_wins(void **unused)
{
    (void)unused;
    struct bench b;
    bring(&b, BGP_ESTABLISHED);
    assert_true(bgp_fsm_accepts(&b.f));
    simple(&b, BGP_EV_TCP_UP, BGP_IN);
    good_open(&b, BGP_IN);
    assert_int_equal(state(&b, BGP_IN), BGP_IDLE);
    assert_int_equal(notified(&b, BGP_IN), 607);
    assert_int_equal(state(&b, BGP_OUT), BGP_ESTABLISHED);
    assert_int_equal(acted(&b, BGP_ACT_DOWN), 0);
    simple(&b, BGP_EV_TCP_UP, BGP_IN);
    raw(&b, BGP_IN, "00 00 00"); /* garbage beside an Established session */
    assert_int_equal(state(&b, BGP_IN), BGP_IDLE);
    assert_int_equal(state(&b, BGP_OUT), BGP_ESTABLISHED);
}

/* The one that is established first ends the other, whatever state that was in. */
static void establishing_ends_the_other(void **unused)
{
    (void)unused;
    for (int other = BGP_CONNECT; other <= BGP_OPEN_SENT; other++) {
        struct bench b;
        bring(&b, (enum bgp_state)other);
        simple(&b, BGP_EV_TCP_UP, BGP_IN);
        good_open(&b, BGP_IN);
        keepalive(&b, BGP_IN);
        assert_int_equal(state(&b, BGP_IN), BGP_ESTABLISHED);
        assert_int_equal(state(&b, BGP_OUT), BGP_IDLE);
        assert_int_equal(notified(&b, BGP_OUT), other == BGP_OPEN_SENT ? 607 : 0);
        assert_int_equal(bgp_fsm_side(&b.f), BGP_IN);
        assert_int_equal(acted(&b, BGP_ACT_CLOSE), other == BGP_ACTIVE ? 0 : 1);
    }
}

/* ---- details ---------------------------------------------------------------------------------- */

static void no_common_family(void **unused)
{
    (void)unused;
    struct bench b;
    bring(&b, BGP_OPEN_SENT);
    struct bgp_open o = their_open();
    o.families = BGP_FAMILY_BIT(BGP_IPV6);
    open_from(&b, BGP_OUT, &o);
    assert_int_equal(notified(&b, BGP_OUT),
                     207); /* RFC 5492 section 3, the data is the capability */
    assert_int_equal(b.out.a[0].len, 21 + 6);
    assert_memory_equal(b.out.a[0].bytes + 21, "\1\4\0\1\0\1", 6);
}

static void unexpected_message_names_its_type(void **unused)
{
    (void)unused;
    struct bench b;
    bring(&b, BGP_OPEN_SENT);
    keepalive(&b, BGP_OUT);
    assert_int_equal(b.out.a[0].len, 22); /* RFC 6608 section 4 */
    assert_int_equal(b.out.a[0].bytes[21], BGP_KEEPALIVE);
}

static void stop_says_its_text(void **unused)
{
    (void)unused;
    struct bench b;
    bring(&b, BGP_ESTABLISHED);
    step(&b, (struct bgp_fsm_event){
                 .kind = BGP_EV_STOP, .cease_subcode = BGP_CEASE_SHUTDOWN, .text = "maintenance" });
    assert_int_equal(b.out.a[0].kind, BGP_ACT_SEND);
    assert_memory_equal(b.out.a[0].bytes + 21, "\013maintenance", 12);
    assert_int_equal(acted(&b, BGP_ACT_DOWN), 1);
    assert_true(bgp_fsm_next(&b.f).ns == MONO_NEVER.ns);
    assert_false(bgp_fsm_accepts(&b.f));
}

static void refresh_is_passed_on(void **unused)
{
    (void)unused;
    struct bench b;
    bring(&b, BGP_ESTABLISHED);
    raw(&b, BGP_OUT, "00 17 05 00 01 01 01");
    assert_int_equal(b.out.n, 1);
    assert_int_equal(b.out.a[0].kind, BGP_ACT_REFRESH);
    assert_int_equal(b.out.a[0].refresh, BGP_REFRESH_BEGIN);
    raw(&b, BGP_OUT, "00 17 05 00 02 00 01"); /* a family that was not agreed */
    assert_int_equal(b.out.n, 0);
    raw(&b, BGP_OUT, "00 18 05 00 01 01 01 00"); /* RFC 7313 section 5 */
    assert_int_equal(notified(&b, BGP_OUT), 701);
    assert_int_equal(b.out.a[0].len, 21 + 24); /* the whole message is the data */
}

static void max_prefix_waits_long(void **unused)
{
    (void)unused;
    struct bench b;
    bring(&b, BGP_ESTABLISHED);
    b.random = 256;
    step(&b,
         (struct bgp_fsm_event){ .kind = BGP_EV_RESET, .cease_subcode = BGP_CEASE_MAX_PREFIXES });
    assert_int_equal(notified(&b, BGP_OUT), 601);
    assert_int_equal(pass(&b), BGP_FSM_IDLE_MAX_MS);
}

/* Words are always terminated and within their buffer, however long the peer's are. */
static void long_words(void **unused)
{
    (void)unused;
    struct bench b;
    bring(&b, BGP_ESTABLISHED);
    uint8_t buf[512];
    char text[256];
    memset(text, 'x', sizeof text);
    text[255] = '\0';
    struct wr w = wr_init(buf, sizeof buf);
    bgp_cease_write(&w, BGP_CEASE_SHUTDOWN, text);
    message(&b, BGP_OUT, buf, wr_len(&w));
    assert_int_equal(state(&b, BGP_OUT), BGP_IDLE);
    for (uint32_t i = 0; i < b.out.n; i++)
        assert_true(strlen(b.out.a[i].why) < BGP_FSM_WHY_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_state_every_event),
        cmocka_unit_test(every_event_incoming),
        cmocka_unit_test(keepalives_are_jittered),
        cmocka_unit_test(hold_time_is_the_smaller),
        cmocka_unit_test(hold_timer_restarts),
        cmocka_unit_test(hold_timer_ends_the_session),
        cmocka_unit_test(send_hold_time),
        cmocka_unit_test(waits_double),
        cmocka_unit_test(connect_attempt_is_given_up),
        cmocka_unit_test(passive_never_connects),
        cmocka_unit_test(collisions_are_settled),
        cmocka_unit_test(established_wins),
        cmocka_unit_test(establishing_ends_the_other),
        cmocka_unit_test(no_common_family),
        cmocka_unit_test(unexpected_message_names_its_type),
        cmocka_unit_test(stop_says_its_text),
        cmocka_unit_test(refresh_is_passed_on),
        cmocka_unit_test(max_prefix_waits_long),
        cmocka_unit_test(long_words),
    };
    return cmocka_run_group_tests_name("bgp_fsm", tests, NULL, NULL);
}
