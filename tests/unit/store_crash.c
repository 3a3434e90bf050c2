/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The store over crashes: random work on a disk that forgets (store_disk.h), stopped at any call, with calls
 * that fail before. After each start everything that a sync acknowledged is there, and of what was on its way
 * a beginning of it or nothing; each zone is wholly of one version; a history has no gap; and the store can
 * be written to. PERIGEE_STORE_RUNS says how many runs, PERIGEE_STORE_SEED where they begin. */
#include "dns/type.h"
#include "store_disk.h"

#ifdef __SANITIZE_ADDRESS__
#define RUNS 40
#else
#define RUNS 400
#endif
#define ZONES 4
#define LOG_MAX 256
#define EVER_MAX 400

/* A zone as it must be: all its records carry its serial. */
struct state {
    uint32_t serial; /* 0: not there */
    uint32_t bulk;   /* records besides */
    int64_t times;
};

struct got {
    struct state state[ZONES];
};

struct entry {
    unsigned zone;
    struct state to;
};

struct world {
    struct disk *d;
    struct store *s;
    struct state acked[ZONES]; /* what must be there */
    struct state now[ZONES];   /* with what was ended since */
    /* Batches that were not acknowledged: each, as far as it came, may be there after a crash. */
    struct entry tried[LOG_MAX];
    unsigned tries;
    uint32_t reach[ZONES]; /* history of this process goes back to this serial */
    uint32_t clock;
    struct got *ever; /* every state that was, when it is wanted */
    unsigned evers;
};

static struct dns_name origins[ZONES];

/* What happens in a run, with PERIGEE_STORE_SHOW. */
static bool show;
#define SAY(...)                                                                                   \
    do {                                                                                           \
        if (show) {                                                                                \
            fprintf(stderr, __VA_ARGS__);                                                          \
            fputc('\n', stderr);                                                                   \
        }                                                                                          \
    } while (0)

static uint32_t rnd(struct world *w, uint32_t below)
{
    return disk_rnd(w->d, below);
}

static const uint8_t *soa(uint32_t serial, uint16_t *len)
{
    static uint8_t bytes[64];
    struct wr w = wr_init(bytes, sizeof bytes);
    wr_bytes(&w, "\1a\0\1b\0", 6);
    wr_u32(&w, serial);
    for (int i = 0; i < 4; i++)
        wr_u32(&w, 3600);
    *len = (uint16_t)wr_len(&w);
    return bytes;
}

static void give(struct store *s, const struct dns_name *owner, uint16_t type, const void *rdata,
                 uint16_t len, bool add)
{
    struct zone_change c = {
        .owner = owner, .rdata = rdata, .ttl_s = 60, .type = type, .len = len, .add = add
    };
    store_record(s, &c);
}

static void owner_of(unsigned zone, uint32_t i, struct dns_name *out)
{
    char label[16];
    struct dns_name n;
    snprintf(label, sizeof label, "n%u", i);
    assert_true(dns_name_from_text(&n, label));
    assert_true(dns_name_join(&n, 1, &origins[zone], out));
}

/* The records of a version: SOA, NS, and at as many names TXT with its serial. */
static void give_version(struct store *s, unsigned zone, const struct state *v, bool whole,
                         bool add)
{
    uint16_t len;
    const uint8_t *rdata = soa(v->serial, &len);
    give(s, &origins[zone], DNS_TYPE_SOA, rdata, len, add);
    if (whole)
        give(s, &origins[zone], DNS_TYPE_NS, "\1x", 3, add);
    for (uint32_t i = 0; i < v->bulk; i++) {
        struct dns_name owner;
        uint8_t text[201] = { 200 };
        snprintf((char *)text + 1, 200, "%u", v->serial);
        owner_of(zone, i, &owner);
        give(s, &owner, DNS_TYPE_TXT, text, sizeof text, add);
    }
}

static void tried(struct world *w, unsigned zone)
{
    assert_in_range(w->tries, 0, LOG_MAX - 1);
    w->tried[w->tries++] = (struct entry){ .zone = zone, .to = w->now[zone] };
}

static void entry(struct world *w)
{
    unsigned zone = rnd(w, ZONES), kind = rnd(w, 8);
    struct state *now = &w->now[zone], to = *now;
    struct err e = { 0 };
    struct store_times t = { .refreshed = ++w->clock };
    if (kind == 0) {
        to = (struct state){ 0 };
        store_begin(w->s, STORE_REMOVE, &origins[zone], 0, 0);
    } else if (kind == 1 && now->serial != 0) {
        to.times = w->clock;
        store_begin(w->s, STORE_TIMES, &origins[zone], 0, 0);
        store_times(w->s, &t);
    } else {
        to.serial = now->serial + 1 + rnd(w, 3);
        to.bulk = rnd(w, 600) == 0 ? 7000 : rnd(w, 60) == 0 ? 600 : rnd(w, 6);
        bool change = now->serial != 0 && rnd(w, 3) != 0 && now->bulk < 100 && to.bulk < 100;
        store_begin(w->s, change ? STORE_CHANGE : STORE_WHOLE, &origins[zone], now->serial,
                    to.serial);
        if (rnd(w, 2) != 0) {
            to.times = w->clock;
            store_times(w->s, &t);
        }
        if (change)
            give_version(w->s, zone, now, false, false);
        give_version(w->s, zone, &to, !change, true);
        if (!change)
            w->reach[zone] = to.serial;
    }
    if (rnd(w, 10) == 0) {
        store_abort(w->s);
        return;
    }
    if (!store_end(w->s, &e)) {
        SAY("end failed %s", e.what);
        return;
    }
    SAY("entry zone %u serial %u bulk %u times %lld", zone, to.serial, to.bulk,
        (long long)to.times);
    *now = to;
    tried(w, zone);
    if (w->ever != NULL) {
        assert_in_range(w->evers, 0, EVER_MAX - 1);
        memcpy(w->ever[w->evers++].state, w->now, sizeof w->now);
    }
}

static void batch(struct world *w)
{
    struct err e = { 0 };
    unsigned before = w->tries;
    for (uint32_t n = 1 + rnd(w, 3); n != 0; n--)
        entry(w);
    bool synced = store_sync(w->s, &e);
    SAY("sync %d %s", synced, e.what);
    if (synced && w->tries == before)
        return; /* there was nothing to sync */
    if (synced) {
        memcpy(w->acked, w->now, sizeof w->now);
        w->tries = 0;
        return;
    }
    memcpy(w->now, w->acked, sizeof w->now);
    w->tried[w->tries++].zone = ZONES; /* the end of a batch: another would begin anew */
    assert_in_range(w->tries, 0, LOG_MAX - 8);
}

/* The zones as text, built: what the owner of the store has served. */
static struct zone_set *set_of(const struct state *state)
{
    struct zone_source source[ZONES] = { 0 };
    char path[ZONES][32], origin[ZONES][32];
    int fds[ZONES];
    uint32_t n = 0;
    struct err e = { 0 };
    static struct zone_errors errs;
    static char text[ZONES * 7000 * 250];
    for (unsigned z = 0; z < ZONES; z++) {
        if (state[z].serial == 0)
            continue;
        int at =
            snprintf(text, sizeof text, "$TTL 60\n@ SOA a. b. %u 3600 3600 3600 3600\n@ NS x.\n",
                     state[z].serial);
        for (uint32_t i = 0; i < state[z].bulk; i++) {
            at += snprintf(text + at, sizeof text - (size_t)at, "n%u TYPE16 \\# 201 c8", i);
            char serial[12];
            int len = snprintf(serial, sizeof serial, "%u", state[z].serial);
            for (int k = 0; k < 200; k++)
                at +=
                    snprintf(text + at, sizeof text - (size_t)at, "%02x", k < len ? serial[k] : 0);
            at += snprintf(text + at, sizeof text - (size_t)at, "\n");
        }
        fds[n] = zone_help_file(text, (size_t)at, path[n]);
        snprintf(origin[n], sizeof origin[n], "z%u.example", z);
        source[n] = (struct zone_source){ .origin = origin[n], .path = path[n] };
        n++;
    }
    memset(&errs, 0, sizeof errs);
    int fd = zone_image_memfd(&e);
    if (!zone_build_image(source, n, fd, &errs))
        fail_msg("%s", errs.at[0].what);
    for (uint32_t i = 0; i < n; i++)
        close(fds[i]);
    struct zone_set *set = zone_set_map(fd, &e);
    close(fd);
    assert_non_null(set);
    return set;
}

static void snapshot(struct world *w)
{
    struct err e = { 0 };
    struct store_snapshot *n = store_snapshot_begin(w->s, &e);
    if (n == NULL)
        return;
    struct zone_set *set = set_of(w->acked);
    if (rnd(w, 2) != 0)
        batch(w);
    bool written = store_snapshot_write(n, set, &e);
    if (rnd(w, 2) != 0)
        batch(w);
    bool ended = store_snapshot_end(w->s, n, written, &e);
    SAY("snapshot %d %s", ended, e.what);
    zone_set_free(set);
}

/* Each step leads from one serial to another, and has the SOAs first. */
static void history(struct world *w, unsigned zone, uint32_t from, bool must)
{
    uint32_t to = w->acked[zone].serial, serial = from, step, last = UINT32_MAX;
    struct store_history *h = store_history_open(w->s, &origins[zone], from, to);
    struct zone_change c;
    struct err e = { 0 };
    if (must && from != to && to != 0)
        assert_non_null(h);
    if (h == NULL)
        return;
    while (store_history_next(h, &c, &step, &e)) {
        char text[12];
        bool first = c.type == DNS_TYPE_SOA;
        uint32_t said = first ? (uint32_t)c.rdata[6] << 24 | (uint32_t)c.rdata[7] << 16 |
                                    (uint32_t)c.rdata[8] << 8 | c.rdata[9]
                              : 0;
        if (first && !c.add) {
            assert_int_equal(step, last + 1);
            assert_int_equal(said, serial);
            last = step;
        } else if (first) {
            assert_int_equal(step, last);
            serial = said;
        } else {
            snprintf(text, sizeof text, "%u", serial);
            assert_string_equal((const char *)c.rdata + 1, text);
        }
    }
    assert_int_equal(e.kind, ERR_NONE);
    assert_int_equal(serial, to);
    store_history_close(h);
}

static void got_zone(void *arg, const struct zone *z, const struct store_times *t)
{
    struct got *g = arg;
    struct dns_name origin, name;
    unsigned i = 0;
    zone_origin(z, &origin);
    while (i < ZONES && !dns_name_equal(&origin, &origins[i]))
        i++;
    assert_in_range(i, 0, ZONES - 1);
    struct state *s = &g->state[i];
    *s = (struct state){ .serial = zone_serial(z), .times = t->refreshed };
    for (const struct zone_node *n = zone_apex(z); n != NULL; n = zone_node_after(z, n)) {
        struct zone_rrset r;
        char text[12];
        zone_node_name(z, n, &name);
        if (!zone_node_find(z, n, DNS_TYPE_TXT, &r))
            continue;
        assert_int_equal(r.count, 1);
        snprintf(text, sizeof text, "%u", s->serial);
        assert_string_equal((const char *)r.rdata + 3, text);
        s->bulk++;
    }
}

static bool same(const struct state *a, const struct state *b)
{
    return memcmp(a, b, sizeof(struct state[ZONES])) == 0;
}

/* What was recovered is what was acknowledged, and then the beginning of one of the batches tried since. */
static void check(struct world *w, const struct got *g)
{
    struct state may[ZONES];
    memcpy(may, w->acked, sizeof may);
    bool good = same(may, g->state);
    for (unsigned i = 0; i < w->tries && !good; i++) {
        if (w->tried[i].zone == ZONES) {
            memcpy(may, w->acked, sizeof may);
        } else {
            may[w->tried[i].zone] = w->tried[i].to;
        }
        good = same(may, g->state);
    }
    if (good)
        return;
    for (unsigned z = 0; z < ZONES; z++)
        print_error("zone %u: acknowledged %u/%u/%lld, there is %u/%u/%lld\n", z,
                    w->acked[z].serial, w->acked[z].bulk, (long long)w->acked[z].times,
                    g->state[z].serial, g->state[z].bulk, (long long)g->state[z].times);
    fail_msg("another state than any that may be");
}

static void start(struct world *w, bool must_be_acked)
{
    struct store_io io = disk_io(w->d);
    struct err e = { 0 };
    struct zone_version v;
    struct got g = { 0 };
    w->s = store_open_io(&io, 100000, &e);
    if (w->s == NULL)
        fail_msg("%s", e.what);
    struct zone_edit *ed = store_recover(w->s, 0, got_zone, &g, &v, &e);
    if (ed == NULL)
        fail_msg("%s", e.what);
    zone_edit_free(ed);
    if (must_be_acked)
        w->tries = 0;
    check(w, &g);
    w->tries = 0;
    memcpy(w->acked, g.state, sizeof w->acked);
    memcpy(w->now, g.state, sizeof w->now);
    for (unsigned z = 0; z < ZONES; z++) {
        w->reach[z] = w->acked[z].serial;
        for (uint32_t back = 1; back < 8 && back < w->acked[z].serial; back++)
            history(w, z, w->acked[z].serial - back, false);
    }
}

static void work(struct world *w, unsigned steps)
{
    while (steps-- != 0) {
        unsigned zone = rnd(w, ZONES);
        if (rnd(w, 5) == 0)
            snapshot(w);
        else
            batch(w);
        disk_reap(w->d);
        if (!disk_is_off(w->d))
            history(w, zone, w->acked[zone].serial - rnd(w, 4), false);
    }
}

/* One seed: some lives of the store, each with faults of its own. */
static void run(uint64_t seed)
{
    static struct disk d;
    memset(&d, 0, sizeof d);
    d.seed = seed * 0x9e3779b97f4a7c15u | 1;
    struct world w = { .d = &d };
    bool errors = disk_rnd(&d, 2) != 0, full = disk_rnd(&d, 4) == 0;
    enum disk_keep keep = disk_rnd(&d, DISK_KEEPS + 1);
    start(&w, true);
    for (unsigned lives = 1 + disk_rnd(&d, 5); lives != 0; lives--) {
        if (disk_rnd(&d, 4) != 0)
            d.off_at = d.calls + 1 + disk_rnd(&d, 60);
        if (errors) {
            d.fail_from = d.calls + disk_rnd(&d, 40);
            d.fail_count = 1 + disk_rnd(&d, 3);
            d.error = disk_rnd(&d, 2) != 0 ? EIO : ENOSPC;
        }
        d.room = full ? disk_used(&d) + disk_rnd(&d, 20000) : 0;
        work(&w, 1 + disk_rnd(&d, 12));
        store_close(w.s);
        SAY("crash");
        disk_crash(&d, keep < DISK_KEEPS ? keep : disk_rnd(&d, DISK_KEEPS));
        start(&w, false);
    }
    /* It can be written to, and what is written is there. */
    w.tries = 0;
    batch(&w);
    assert_int_equal(w.tries, 0);
    store_close(w.s);
    disk_crash(&d, DISK_KEEP_NONE);
    start(&w, true);
    store_close(w.s);
    disk_fini(&d);
}

static uint64_t number_of(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text == NULL ? otherwise : strtoull(text, NULL, 0);
}

/* What a bad disk or a careless hand does to a file. */
static const char *damage(struct disk *d)
{
    static char what[100];
    struct disk_file *f;
    do
        f = &d->file[disk_rnd(d, 24)];
    while (!f->used || strcmp(f->name, "lock") == 0);
    size_t len = disk_len(f), at = len == 0 ? 0 : disk_rnd(d, (uint32_t)len);
    uint8_t sector[DISK_SECTOR];
    unsigned kind = disk_rnd(d, 5);
    snprintf(what, sizeof what, "%s: kind %u at %zu of %zu", f->name, kind, at, len);
    for (size_t i = 0; i < sizeof sector; i++)
        sector[i] = kind == 2 ? 0 : (uint8_t)disk_rnd(d, 256);
    if (kind == 0 && len != 0) {
        assert_int_equal(pread(f->fd, sector, 1, (off_t)at), 1);
        sector[0] ^= (uint8_t)(1u << disk_rnd(d, 8));
        assert_int_equal(pwrite(f->fd, sector, 1, (off_t)at), 1);
    } else if (kind == 1) {
        assert_int_equal(ftruncate(f->fd, (off_t)at), 0);
    } else if (kind < 4) {
        at = at / DISK_SECTOR * DISK_SECTOR;
        assert_int_equal(pwrite(f->fd, sector, sizeof sector, (off_t)at), (ssize_t)sizeof sector);
    } else {
        disk_drop(f);
    }
    return what;
}

/* The store as it is after that: a state that was once, and it goes on. */
static void damaged_life(struct disk *d, const struct got *ever, unsigned count)
{
    struct world w = { .d = d };
    struct store_io io = disk_io(d);
    struct err e = { 0 };
    struct zone_version v;
    for (int again = 0; again < 2; again++) {
        struct got g = { 0 };
        unsigned i = 0;
        w.s = store_open_io(&io, 100000, &e);
        assert_non_null(w.s);
        struct zone_edit *ed = store_recover(w.s, 0, got_zone, &g, &v, &e);
        assert_non_null(ed);
        zone_edit_free(ed);
        if (again != 0) {
            assert_true(same(g.state, w.acked));
        } else {
            while (i < count && !same(ever[i].state, g.state))
                i++;
            assert_true(i < count);
        }
        memcpy(w.acked, g.state, sizeof w.acked);
        memcpy(w.now, g.state, sizeof w.now);
        for (unsigned z = 0; z < ZONES; z++)
            for (uint32_t back = 1; back < 8 && back < w.acked[z].serial; back++) {
                struct store_history *h = store_history_open(
                    w.s, &origins[z], w.acked[z].serial - back, w.acked[z].serial);
                struct zone_change c;
                uint32_t step;
                while (h != NULL && store_history_next(h, &c, &step, &e))
                    continue;
                store_history_close(h);
            }
        batch(&w);
        if (again == 0 && rnd(&w, 2) != 0)
            snapshot(&w);
        batch(&w);
        store_close(w.s);
    }
}

static void damages(void **state)
{
    (void)state;
    static struct disk d, copy;
    static struct got ever[EVER_MAX];
    uint64_t seed = number_of("PERIGEE_STORE_SEED", 1);
    for (uint64_t runs = number_of("PERIGEE_STORE_RUNS", RUNS) / 20; runs != 0; runs--) {
        memset(&d, 0, sizeof d);
        d.seed = ++seed * 0x9e3779b97f4a7c15u | 1;
        struct world w = { .d = &d, .ever = ever, .evers = 1 };
        memset(ever, 0, sizeof ever);
        start(&w, true);
        for (unsigned lives = 1 + disk_rnd(&d, 3); lives != 0; lives--) {
            for (unsigned n = disk_rnd(&d, 12); n != 0; n--)
                (disk_rnd(&d, 5) == 0 ? snapshot : batch)(&w);
            store_close(w.s);
            start(&w, true);
        }
        store_close(w.s);
        for (int i = 0; i < 20; i++) {
            disk_copy(&copy, &d);
            copy.seed = d.seed + (uint64_t)i * 77777;
            const char *what = damage(&copy);
            SAY("PERIGEE_STORE_SEED=%llu %s", (unsigned long long)seed, what);
            damaged_life(&copy, ever, w.evers);
            disk_fini(&copy);
        }
        disk_fini(&d);
    }
}

static void crashes(void **state)
{
    (void)state;
    uint64_t seed = number_of("PERIGEE_STORE_SEED", 1),
             runs = number_of("PERIGEE_STORE_RUNS", RUNS);
    for (uint64_t i = 0; i < runs; i++) {
        SAY("PERIGEE_STORE_SEED=%llu", (unsigned long long)(seed + i));
        run(seed + i);
    }
}

int main(void)
{
    show = getenv("PERIGEE_STORE_SHOW") != NULL;
    for (unsigned z = 0; z < ZONES; z++) {
        char text[32];
        snprintf(text, sizeof text, "z%u.example", z);
        if (!dns_name_from_text(&origins[z], text))
            return 1;
    }
    const struct CMUnitTest tests[] = { cmocka_unit_test(crashes), cmocka_unit_test(damages) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
