/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two speakers made of the real cores in virtual time, and a network that cuts, resets and delays, all
 * from one seed. Phase one: faults on, safety checked at every step. Phase two: faults off; both must
 * come up and hold exactly the other's set. Each seed switches some kinds of fault off and weighs the
 * others at random.
 *
 *   unit_bgp_sim [--seed N [--log]]     without: a thousand seeds */
#include "bgp_help.h"

#include "base/assert.h"
#include "base/mem.h"
#include "bgp/fsm.h"
#include "bgp/rib.h"

#define PREFIXES 12
#define QUEUE_MAX 4096
#define PAYLOAD_MAX 2048
#define CONNS 512
#define HEAL_S 400

enum fault {
    FAULT_RESET,
    FAULT_CUT,
    FAULT_PAUSE,
    FAULT_DIE,
    FAULT_ADMIN,
    FAULT_GARBAGE,
    FAULT_KINDS
};

struct node {
    struct bgp_fsm fsm;
    struct bgp_rib_out out;
    struct bgp_rib_out_row rows[2 * PREFIXES];
    struct bgp_rib_in in;
    struct bgp_seen seen[2 * PREFIXES];
    struct bgp_out_context ctx;
    int conn[BGP_CONN_SIDES]; /* -1: none */
    uint32_t wanted;          /* a bit per prefix */
    uint32_t med[PREFIXES];
    int64_t paused_until_us;
    bool up;
    unsigned ups;
};

enum what { W_BYTES, W_TCP_DOWN, W_ARRIVE, W_CONNECTED, W_REFUSED };

struct item {
    int64_t at_us;
    uint64_t order;
    enum what what;
    int node, conn;
    uint32_t len;
    uint8_t bytes[PAYLOAD_MAX];
};

struct conn {
    bool open[2]; /* by initiator (0) and acceptor (1) */
    int initiator;
    int64_t last_us[2]; /* deliveries to a node are in order */
};

struct sim {
    uint64_t seed, rng, order;
    int64_t now_us, cut_until_us;
    struct node nodes[2];
    struct conn conns[CONNS];
    int conn_count;
    struct item queue[QUEUE_MAX];
    unsigned queued;
    unsigned weight[FAULT_KINDS];
    unsigned steps;
    bool log;
};

static const struct bgp_prefix watch_all[] = { { .family = BGP_IPV4 }, { .family = BGP_IPV6 } };
static struct sim sim;

static uint32_t rnd(uint32_t below)
{
    return rng_next(&sim.rng) % below;
}

static mono_t now(void)
{
    return (mono_t){ 1000000000 + sim.now_us * 1000 };
}

static int side_of(const struct node *n, int conn)
{
    return n->conn[BGP_OUT] == conn ? BGP_OUT : n->conn[BGP_IN] == conn ? BGP_IN : -1;
}

static void violated(const char *what)
{
    fail_msg("%s, step %u; replay: unit_bgp_sim --seed 0x%llx --log", what, sim.steps,
             (unsigned long long)sim.seed);
}

/* ---- the network -------------------------------------------------------------------------------- */

static struct item *send_item(enum what what, int node, int conn, int64_t delay_us)
{
    if (sim.queued == QUEUE_MAX)
        violated("the network is full");
    struct item *i = &sim.queue[sim.queued++];
    struct conn *c = &sim.conns[conn];
    int to = node == c->initiator ? 0 : 1;
    int64_t at = sim.now_us + delay_us;
    if (at < c->last_us[to])
        at = c->last_us[to];
    c->last_us[to] = at;
    i->at_us = at;
    i->order = sim.order++;
    i->what = what;
    i->node = node;
    i->conn = conn;
    i->len = 0;
    return i;
}

static int64_t delay(void)
{
    return 100 + rnd(rnd(8) == 0 ? 500000 : 20000);
}

static void tcp_send(int from, int conn, const uint8_t *bytes, size_t len)
{
    struct conn *c = &sim.conns[conn];
    int peer_end = from == c->initiator ? 1 : 0;
    if (!c->open[peer_end])
        return;
    while (len > 0) { /* cut anywhere, as TCP does */
        uint32_t part = 1 + rnd((uint32_t)(len < PAYLOAD_MAX ? len : PAYLOAD_MAX));
        struct item *i = send_item(W_BYTES, !from, conn, delay());
        memcpy(i->bytes, bytes, part);
        i->len = part;
        bytes += part;
        len -= part;
    }
}

static void tcp_close(int from, int conn)
{
    struct conn *c = &sim.conns[conn];
    int end = from == c->initiator ? 0 : 1;
    if (!c->open[end])
        return;
    c->open[end] = false;
    send_item(W_TCP_DOWN, !from, conn, delay());
}

/* ---- nodes -------------------------------------------------------------------------------------- */

static void feed(int at, struct bgp_fsm_event ev);

static void push(int at)
{
    struct node *n = &sim.nodes[at];
    int conn = n->conn[bgp_fsm_side(&n->fsm)];
    if (bgp_fsm_state(&n->fsm) != BGP_ESTABLISHED || conn < 0)
        return;
    bool done = false;
    while (!done && n->out.dirty) {
        uint8_t buf[1500];
        struct wr w = wr_init(buf, 100 + rnd(1400));
        done = bgp_rib_out_write(&n->out, &w, &n->ctx, false, now(), NULL, NULL);
        tcp_send(at, conn, buf, wr_len(&w));
    }
}

static void set_wanted(int at)
{
    struct node *n = &sim.nodes[at];
    struct bgp_rib_want want[PREFIXES];
    static struct bgp_attrs attrs[PREFIXES];
    uint32_t count = 0;
    for (unsigned i = 0; i < PREFIXES; i++) {
        if (!(n->wanted & 1u << i))
            continue;
        attrs[i] = (struct bgp_attrs){ .has_med = true, .med = n->med[i] };
        struct bgp_prefix p = { .family = i >= PREFIXES / 2, .len = 32 };
        p.addr[0] = (uint8_t)(1 + at);
        p.addr[3] = (uint8_t)i;
        want[count++] = (struct bgp_rib_want){ p, &attrs[i], "sim" };
    }
    bool fits = bgp_rib_out_set(&n->out, want, count, NULL, now());
    base_assert(fits);
    push(at);
}

static void node_init(int at)
{
    struct node *n = &sim.nodes[at];
    uint32_t wanted = n->wanted;
    static const uint16_t holds[] = { 3, 9, 30, 90, 0 };
    struct bgp_fsm_config c = {
        .local_as = 64512 + (uint32_t)at,
        .remote_as = 64513 - (uint32_t)at,
        .router_id = sim.seed & 16 ? 7 : 7 + (uint32_t)at, /* RFC 6286: may be the same */
        .hold_s = holds[(sim.seed >> (4 * at)) % BASE_COUNT(holds)],
        .passive = at == 0 && sim.seed % 3 == 0,
        .families = BGP_FAMILY_ALL,
    };
    memset(n, 0, offsetof(struct node, wanted));
    n->wanted = wanted;
    n->up = false;
    n->conn[0] = n->conn[1] = -1;
    bgp_fsm_init(&n->fsm, &c, now());
    bgp_rib_out_init(&n->out, n->rows, 2 * PREFIXES);
    bgp_rib_in_init(&n->in, n->seen, 2 * PREFIXES, c.local_as, 0);
    bgp_rib_in_watch(&n->in, watch_all, 2, NULL, NULL);
    set_wanted(at);
    feed(at, (struct bgp_fsm_event){ .kind = BGP_EV_START });
}

static void act_up(struct node *n, int side)
{
    if (n->up)
        violated("up twice");
    n->up = true;
    n->ups++;
    n->ctx = (struct bgp_out_context){ .as4 = n->fsm.conn[side].nego.as4,
                                       .local_as = n->fsm.config.local_as,
                                       .families = n->fsm.conn[side].nego.families,
                                       .has_next_hop = { true, true },
                                       .len_max = BGP_MSG_MAX };
    bgp_addr_parse("10.0.0.1", &n->ctx.next_hop[BGP_IPV4]);
    bgp_addr_parse("2001:db8::1", &n->ctx.next_hop[BGP_IPV6]);
    bgp_rib_out_up(&n->out, BGP_FAMILY_ALL, 0);
}

static void act_connect(int at)
{
    struct node *n = &sim.nodes[at];
    if (sim.conn_count == CONNS)
        sim.conn_count = 0; /* old ones are long forgotten */
    int conn = sim.conn_count++;
    for (unsigned i = 0; i < sim.queued; i++) {
        if (sim.queue[i].conn == conn)
            sim.queue[i].conn = -1;
    }
    sim.conns[conn] = (struct conn){ .open = { true, false }, .initiator = at };
    n->conn[BGP_OUT] = conn;
    send_item(W_ARRIVE, !at, conn, delay());
}

static void carry_out(int at, const struct bgp_fsm_actions *out)
{
    struct node *n = &sim.nodes[at];
    for (uint32_t i = 0; i < out->n; i++) {
        const struct bgp_fsm_action *a = &out->a[i];
        switch (a->kind) {
        case BGP_ACT_CONNECT:
            act_connect(at);
            break;
        case BGP_ACT_SEND:
            if (n->conn[a->side] < 0)
                violated("bytes for a connection that is not there");
            tcp_send(at, n->conn[a->side], a->bytes, a->len);
            break;
        case BGP_ACT_CLOSE:
            if (n->conn[a->side] >= 0)
                tcp_close(at, n->conn[a->side]);
            n->conn[a->side] = -1;
            break;
        case BGP_ACT_STATE:
            if (sim.log)
                printf("%10.6f node %d %s %s -> %s: %s\n", (double)sim.now_us / 1e6, at,
                       a->side ? "in " : "out", bgp_state_text(a->from), bgp_state_text(a->to),
                       a->why);
            break;
        case BGP_ACT_UP:
            act_up(n, a->side);
            break;
        case BGP_ACT_DOWN:
            n->up = false;
            bgp_rib_out_down(&n->out, now());
            bgp_rib_in_clear(&n->in, NULL, NULL);
            break;
        case BGP_ACT_UPDATE:
            bgp_rib_in_apply(&n->in, &out->update, now(), NULL, NULL);
            break;
        case BGP_ACT_REFRESH:
        case BGP_ACT_ERROR:
            break;
        }
    }
}

static void check(int at)
{
    const struct node *n = &sim.nodes[at];
    const struct bgp_fsm *f = &n->fsm;
    bool up = bgp_fsm_state(f) == BGP_ESTABLISHED;
    if (n->up != up)
        violated("UP and DOWN do not follow the state");
    if (f->conn[0].state == BGP_ESTABLISHED && f->conn[1].state == BGP_ESTABLISHED)
        violated("two established connections");
    if (!up && n->out.told > 0)
        violated("routes count as told without a session");
    if (!up && n->in.count > 0)
        violated("routes of a neighbor without a session");
    if (f->enabled && bgp_fsm_next(f).ns == MONO_NEVER.ns && !up && !f->config.passive)
        violated("stuck: nothing will happen any more");
    for (int side = 0; side < BGP_CONN_SIDES; side++) {
        if (f->conn[side].tcp != (n->conn[side] >= 0))
            violated("the machine and the network disagree about a connection");
    }
}

static void feed(int at, struct bgp_fsm_event ev)
{
    static struct bgp_fsm_actions out[2];
    struct node *n = &sim.nodes[at];
    ev.random = rng_next(&sim.rng);
    sim.steps++;
    bgp_fsm_step(&n->fsm, &ev, now(), &out[at]);
    carry_out(at, &out[at]);
    push(at);
    check(at);
}

/* Bytes of the stream to messages; what is left over waits in the connection's own buffer. */
static struct {
    uint8_t bytes[BGP_MSG_MAX + PAYLOAD_MAX];
    size_t len;
    int conn;
} inbox[2][BGP_CONN_SIDES];

static void receive(int at, int side, int conn, const uint8_t *bytes, size_t len)
{
    if (inbox[at][side].conn != conn)
        inbox[at][side].len = 0;
    inbox[at][side].conn = conn;
    memcpy(inbox[at][side].bytes + inbox[at][side].len, bytes, len);
    inbox[at][side].len += len;
    for (;;) {
        size_t have = inbox[at][side].len, whole;
        struct bgp_error e;
        enum bgp_frame frame = bgp_msg_frame(inbox[at][side].bytes, have, BGP_MSG_MAX, &whole, &e);
        if (frame == BGP_FRAME_MORE || sim.nodes[at].conn[side] != conn)
            return;
        if (frame == BGP_FRAME_BAD && sim.weight[FAULT_GARBAGE] == 0)
            violated("bytes that were sent do not parse");
        uint8_t message[BGP_MSG_MAX];
        memcpy(message, inbox[at][side].bytes, whole);
        if (frame == BGP_FRAME_WHOLE) {
            memmove(inbox[at][side].bytes, inbox[at][side].bytes + whole, have - whole);
            inbox[at][side].len -= whole;
        }
        feed(at, (struct bgp_fsm_event){ .kind = BGP_EV_MESSAGE,
                                         .side = (enum bgp_conn_side)side,
                                         .bytes = message,
                                         .len = whole });
        if (frame == BGP_FRAME_BAD)
            return;
    }
}

static void arrive(struct item *i)
{
    struct node *n = &sim.nodes[i->node];
    struct conn *c = &sim.conns[i->conn];
    if (!c->open[0])
        return; /* given up meanwhile */
    if (!bgp_fsm_accepts(&n->fsm)) {
        send_item(W_REFUSED, !i->node, i->conn, delay());
        return;
    }
    c->open[1] = true;
    send_item(W_CONNECTED, !i->node, i->conn, delay());
    if (n->conn[BGP_IN] >= 0) { /* as the edge does it */
        feed(i->node, (struct bgp_fsm_event){ .kind = BGP_EV_TCP_DOWN, .side = BGP_IN });
    }
    n->conn[BGP_IN] = i->conn;
    feed(i->node, (struct bgp_fsm_event){ .kind = BGP_EV_TCP_UP, .side = BGP_IN });
}

static void deliver(struct item *i)
{
    struct node *n = &sim.nodes[i->node];
    int side = i->conn < 0 ? -1 : side_of(n, i->conn);
    if (i->what == W_ARRIVE && i->conn >= 0) {
        arrive(i);
        return;
    }
    if (side < 0)
        return;
    switch (i->what) {
    case W_BYTES:
        receive(i->node, side, i->conn, i->bytes, i->len);
        return;
    case W_CONNECTED:
        feed(i->node, (struct bgp_fsm_event){ .kind = BGP_EV_TCP_UP, .side = BGP_OUT });
        return;
    case W_TCP_DOWN:
    case W_REFUSED:
        feed(i->node,
             (struct bgp_fsm_event){ .kind = BGP_EV_TCP_DOWN, .side = (enum bgp_conn_side)side });
        return;
    case W_ARRIVE:
        return;
    }
}

/* ---- faults ------------------------------------------------------------------------------------- */

static void reset_connection(int at)
{
    int side = (int)rnd(2), conn = sim.nodes[at].conn[side];
    if (conn < 0)
        return;
    tcp_close(at, conn);
    tcp_close(!at, conn);
    feed(at, (struct bgp_fsm_event){ .kind = BGP_EV_TCP_DOWN, .side = (enum bgp_conn_side)side });
}

static void die(int at)
{
    for (int side = 0; side < BGP_CONN_SIDES; side++) {
        if (sim.nodes[at].conn[side] >= 0)
            tcp_close(at, sim.nodes[at].conn[side]);
    }
    node_init(at);
}

static void garbage(int at)
{
    uint8_t bytes[40];
    int conn = sim.nodes[at].conn[rnd(2)];
    for (unsigned i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(rnd(3) ? 0xff : rnd(256));
    if (conn >= 0)
        tcp_send(at, conn, bytes, 1 + rnd(sizeof bytes));
}

static void administer(int at)
{
    static const enum bgp_fsm_event_kind kinds[] = { BGP_EV_STOP, BGP_EV_START, BGP_EV_RESET };
    feed(at, (struct bgp_fsm_event){
                 .kind = kinds[rnd(3)], .cease_subcode = BGP_CEASE_SHUTDOWN, .text = "sim" });
}

static void fault(void)
{
    unsigned total = 0;
    for (unsigned k = 0; k < FAULT_KINDS; k++)
        total += sim.weight[k];
    if (total == 0)
        return;
    unsigned pick = rnd(total), k = 0;
    while (pick >= sim.weight[k])
        pick -= sim.weight[k++];
    int at = (int)rnd(2);
    switch ((enum fault)k) {
    case FAULT_RESET:
        reset_connection(at);
        return;
    case FAULT_CUT:
        sim.cut_until_us = sim.now_us + rnd(20000000);
        return;
    case FAULT_PAUSE:
        sim.nodes[at].paused_until_us = sim.now_us + rnd(15000000);
        return;
    case FAULT_DIE:
        die(at);
        return;
    case FAULT_ADMIN:
        administer(at);
        return;
    case FAULT_GARBAGE:
        garbage(at);
        return;
    case FAULT_KINDS:
        return;
    }
}

static void change_routes(void)
{
    int at = (int)rnd(2);
    unsigned i = rnd(PREFIXES);
    if (rnd(3) == 0)
        sim.nodes[at].med[i] = rnd(4);
    else
        sim.nodes[at].wanted ^= 1u << i;
    set_wanted(at);
}

/* ---- time --------------------------------------------------------------------------------------- */

static bool runs(int at)
{
    return sim.nodes[at].paused_until_us <= sim.now_us;
}

/* When the node's timer or a delivery is due; a paused node's waits, so does everything while the link
 * is cut. A node that wakes reads its sockets before it believes its timers (session.c does). */
static int64_t next_us(int *item, int *timer)
{
    int64_t best = INT64_MAX;
    uint64_t order = 0;
    *item = *timer = -1;
    for (unsigned i = 0; i < sim.queued; i++) {
        int64_t at = sim.queue[i].at_us, wake = sim.nodes[sim.queue[i].node].paused_until_us;
        if (at < sim.cut_until_us)
            at = sim.cut_until_us;
        if (at < wake)
            at = wake;
        if (at < best || (at == best && sim.queue[i].order < order)) {
            best = at;
            order = sim.queue[i].order;
            *item = (int)i;
        }
    }
    for (int n = 0; n < 2; n++) {
        mono_t due = bgp_fsm_next(&sim.nodes[n].fsm);
        if (due.ns == INT64_MAX)
            continue;
        int64_t at = (due.ns - 1000000000 + 999) / 1000;
        if (at < sim.nodes[n].paused_until_us)
            at = sim.nodes[n].paused_until_us;
        if (at < best) {
            best = at;
            *item = -1;
            *timer = n;
        }
    }
    return best;
}

static void run_until(int64_t end_us)
{
    for (;;) {
        int item, timer;
        int64_t at = next_us(&item, &timer);
        if (at > end_us)
            break;
        if (at > sim.now_us)
            sim.now_us = at;
        if (item >= 0) {
            static struct item i;
            i = sim.queue[item];
            /* keep the order: the last one moves into the hole, `order` decides */
            sim.queue[item] = sim.queue[--sim.queued];
            deliver(&i);
        } else if (timer >= 0) {
            feed(timer, (struct bgp_fsm_event){ .kind = BGP_EV_TIMER });
        }
    }
    sim.now_us = end_us;
}

static bool agrees(int at)
{
    const struct node *n = &sim.nodes[at], *other = &sim.nodes[!at];
    unsigned want = 0;
    for (unsigned i = 0; i < PREFIXES; i++) {
        if (!(other->wanted & 1u << i))
            continue;
        want++;
        bool found = false;
        for (unsigned k = 0; k < n->in.count; k++)
            found |= n->in.rows[k].prefix.addr[3] == i && n->in.rows[k].med == other->med[i];
        if (!found)
            return false;
    }
    return n->in.count == want && other->out.told == want;
}

static void run_seed(uint64_t seed, bool log)
{
    memset(&sim, 0, sizeof sim);
    memset(inbox, 0, sizeof inbox);
    sim.seed = seed;
    sim.rng = seed;
    sim.log = log;
    for (unsigned k = 0; k < FAULT_KINDS; k++)
        sim.weight[k] = rnd(2) ? rnd(10) : 0;
    unsigned pace_ms = 1 + rnd(3000);
    node_init(0);
    node_init(1);
    for (unsigned i = 0; i < 60; i++) {
        run_until(sim.now_us + 1 + rnd(1000 * pace_ms));
        if (rnd(2) && runs(0) && runs(1))
            fault();
        if (rnd(2))
            change_routes();
    }
    memset(sim.weight, 0, sizeof sim.weight);
    sim.weight[FAULT_GARBAGE] = 1; /* what is on its way may still be garbage */
    sim.cut_until_us = 0;
    for (int n = 0; n < 2; n++) {
        sim.nodes[n].paused_until_us = 0;
        feed(n, (struct bgp_fsm_event){ .kind = BGP_EV_START });
    }
    int64_t healed_us = sim.now_us;
    while (!(sim.nodes[0].up && sim.nodes[1].up && agrees(0) && agrees(1))) {
        if (sim.now_us > healed_us + HEAL_S * 1000000ll)
            violated("the sets do not agree long after the faults have ended");
        run_until(sim.now_us + 100000);
    }
    if (log)
        printf("seed 0x%llx: %u steps, up %u and %u times, healed in %.1f s\n",
               (unsigned long long)seed, sim.steps, sim.nodes[0].ups, sim.nodes[1].ups,
               (double)(sim.now_us - healed_us) / 1e6);
    /* A withdrawal of a live session arrives within the link's delay. */
    sim.nodes[0].wanted = 0;
    set_wanted(0);
    run_until(sim.now_us + 600000);
    if (sim.nodes[1].up && sim.nodes[1].in.count != 0)
        violated("a withdrawal was not delivered");
}

static uint64_t only_seed;
static bool only;

static void converges(void **state)
{
    (void)state;
    if (only) {
        run_seed(only_seed, true);
        return;
    }
    uint64_t steps = 0;
    for (uint64_t seed = 1; seed <= 1000; seed++) {
        run_seed(seed * 0x9e3779b97f4a7c15u, false);
        steps += sim.steps;
    }
    print_message("%llu steps of 1000 seeds\n", (unsigned long long)steps);
}

int main(int argc, char **argv)
{
    for (int i = 1; i + 1 < argc; i++) {
        if (strcmp(argv[i], "--seed") == 0) {
            only = true;
            only_seed = strtoull(argv[i + 1], NULL, 0);
        }
    }
    const struct CMUnitTest tests[] = { cmocka_unit_test(converges) };
    return cmocka_run_group_tests_name("bgp_sim", tests, NULL, NULL);
}
