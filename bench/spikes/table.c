/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Spike 2, the kernel table: three kinds of maps under one BPF program, on three sets of zones
 * (docs/decisions/0002-kernel-table.md). `make bench-spike-table`, as root, builds it and prints the
 * figures. Program time comes from BPF_PROG_TEST_RUN: one run answers a list of queries in no order,
 * so that caches are as cold as they are in life. Best of several runs, the kinds in turns. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>

#include "dns/name.h"
#include "dns/type.h"
#include "sets.h"
#include "table.h"
#include "table.skel.h"
#include "zone/image.h"

#define QUERIES 200000u
#define RUNS 7
#define CHANGE 100u

static void die(const char *what)
{
    fprintf(stderr, "table: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* ---- the table, made from an image */

struct owner {
    uint64_t hash;
    uint32_t ref, alternate; /* its record now, and where the next one goes */
    uint32_t gap, gap_alternate;
    uint32_t gap_idx; /* its place in the order, plus one */
    uint8_t kind, len;
    uint8_t wire[NAME_MAX_BYTES];
};

static uint8_t *table; /* of chunks * CHUNK_BYTES */
static uint32_t chunks, used_units;
static struct owner *owner;
static uint32_t owners, owners_cap;
static struct shape made;
static uint32_t soa_ref, soa_alternate, passed_up;
static uint64_t *head;
static uint32_t *gap_ref;

static uint32_t take(uint32_t bytes)
{
    uint32_t units = (bytes + 7) / 8;
    /* Nothing crosses a chunk, and every record can be read at its largest. */
    uint32_t room = (RECORD_MAX + 7) / 8;
    if (used_units % CHUNK_UNITS + (units > room ? units : room) > CHUNK_UNITS)
        used_units += CHUNK_UNITS - used_units % CHUNK_UNITS;
    uint32_t ref = used_units;
    used_units += units;
    if (used_units / CHUNK_UNITS >= chunks)
        die("the table is full");
    return ref;
}

static void *at(uint32_t ref)
{
    return table + (size_t)ref * 8;
}

static uint64_t mix(uint64_t h)
{
    h ^= h >> 32;
    h *= 0xd6e8feb86659fd93ull;
    return h ^ h >> 29;
}

static uint64_t hash_name(const uint8_t *wire, uint32_t len)
{
    uint64_t h = 0xcbf29ce484222325ull;
    for (uint32_t i = len; i-- > 0;)
        h = (h ^ wire[i]) * 0x100000001b3ull;
    return mix(h);
}

static uint32_t put_record(uint32_t ref, const uint8_t *wire, uint8_t len, uint8_t kind,
                           const uint8_t *payload, uint32_t payload_len, uint32_t from)
{
    uint32_t name = (len + 7u) & ~7u;
    if (ref == 0)
        ref = take((uint32_t)sizeof(struct record) + name + payload_len + 4);
    struct record *r = at(ref);
    r->from = from;
    r->len = (uint16_t)payload_len;
    r->name_len = len;
    r->kind = kind;
    uint8_t *p = (uint8_t *)(r + 1);
    memset(p, 0, name);
    memcpy(p, wire, len);
    memcpy(p + name, payload, payload_len);
    memcpy(p + name + payload_len, &from, 4);
    return ref;
}

struct bytes {
    uint32_t len;
    uint8_t at[PAYLOAD_MAX];
};

static void add_bytes(struct bytes *b, const uint8_t *p, uint32_t len)
{
    len = len < PAYLOAD_MAX - b->len ? len : PAYLOAD_MAX - b->len;
    memcpy(b->at + b->len, p, len);
    b->len += len;
}

static void add_rrset(struct bytes *b, const struct zone *z, const struct zone_node *n,
                      uint16_t type)
{
    struct zone_rrset r;
    if (n == NULL || !zone_node_find(z, n, type, &r))
        return;
    add_bytes(b, r.rdata, r.rdata_len);
    if (r.sigs_len != 0)
        add_bytes(b, r.sigs, r.sigs_len);
}

/* Servers, DS, and the addresses that the zone has of the servers. */
static void referral(struct bytes *b, const struct zone *z, const struct zone_node *n)
{
    struct zone_rrset r;
    struct dns_name origin, name;
    struct zone_found f;
    add_rrset(b, z, n, DNS_TYPE_NS);
    add_rrset(b, z, n, DNS_TYPE_DS);
    zone_origin(z, &origin);
    if (!zone_node_find(z, n, DNS_TYPE_NS, &r))
        return;
    for (const uint8_t *p = r.rdata; p != r.rdata + r.rdata_len; p += 2 + (p[0] << 8 | p[1])) {
        struct rd rd = rd_init(p + 2, (size_t)(p[0] << 8 | p[1]));
        if (!dns_name_parse(&name, &rd) || !dns_name_is_under(&name, &origin))
            continue;
        zone_lookup(z, &name, &f);
        add_rrset(b, z, f.exact, DNS_TYPE_A);
        add_rrset(b, z, f.exact, DNS_TYPE_AAAA);
    }
}

static struct owner *new_owner(void)
{
    if (owners == owners_cap) {
        owners_cap = owners_cap * 2 + 1024;
        owner = realloc(owner, owners_cap * sizeof *owner);
    }
    memset(&owner[owners], 0, sizeof *owner);
    return &owner[owners++];
}

static void add_name(const struct zone *z, const struct zone_node *n)
{
    struct bytes b = { 0 };
    struct dns_name name;
    uint32_t flags = zone_node_flags(n);
    zone_node_name(z, n, &name);
    if ((flags & ZONE_NODE_OCCLUDED) != 0 || name.len > NAME_MAX_BYTES ||
        name.labels > LABELS_LIMIT)
        return;
    struct owner *o = new_owner();
    o->len = name.len;
    for (unsigned i = 0; i < name.len; i++)
        o->wire[i] = (uint8_t)(name.wire[i] - 'A') < 26 ? name.wire[i] | 0x20 : name.wire[i];
    o->hash = hash_name(o->wire, o->len);
    o->kind = flags & ZONE_NODE_CUT     ? RECORD_CUT
              : flags & ZONE_NODE_EMPTY ? RECORD_EXISTS
                                        : RECORD_POSITIVE;
    if (o->kind == RECORD_CUT)
        referral(&b, z, n);
    else
        add_rrset(&b, z, n, DNS_TYPE_A);
    if (o->kind == RECORD_POSITIVE && b.len == 0)
        add_rrset(&b, z, n, DNS_TYPE_NS);
    o->ref = put_record(0, o->wire, o->len, o->kind, b.at, b.len, 0);
    struct zone_rrset r;
    if (zone_node_find(z, n, DNS_TYPE_NSEC, &r)) {
        struct bytes g = { 0 };
        add_rrset(&g, z, n, DNS_TYPE_NSEC);
        o->gap = put_record(0, o->wire, 0, 0, g.at, g.len, 0);
    }
}

static void add_buckets(void)
{
    uint32_t want = owners / 8 + 1, n = 1;
    while (n < want)
        n *= 2;
    made.buckets = n;
    used_units = (used_units + CHUNK_UNITS - 1) / CHUNK_UNITS * CHUNK_UNITS;
    made.first_bucket = used_units / CHUNK_UNITS;
    used_units += n < BUCKETS_PER_CHUNK ? CHUNK_UNITS : n / BUCKETS_PER_CHUNK * CHUNK_UNITS;
    for (uint32_t i = 0; i < owners; i++) {
        uint64_t *e = at(made.first_bucket * CHUNK_UNITS +
                         ((uint32_t)owner[i].hash & (n - 1)) * (BUCKET_BYTES / 8));
        unsigned k = 0;
        while (k < BUCKET_ENTRIES && e[k] != 0)
            k++;
        if (k < BUCKET_ENTRIES)
            e[k] = owner[i].hash >> 32 << 32 | owner[i].ref;
        else
            passed_up++; /* a full bucket: the real table marks it, and user space answers */
    }
}

/* Heads of all gaps in order, by the label below a root or a top-level zone. `all`: of every name,
 * each with the same gap, to see what the search costs in a million. */
static void add_order(bool all, unsigned below)
{
    uint32_t n = 0, same = 0;
    head = calloc(owners + 1, 8);
    gap_ref = calloc(owners + 1, 4);
    for (uint32_t i = 0; i < owners; i++) {
        uint64_t h = 0;
        unsigned labels = 0, label_at = 0;
        for (unsigned k = 0; owner[i].wire[k] != 0; k += 1u + owner[i].wire[k])
            labels++;
        for (unsigned k = labels; k > below + 1; k--)
            label_at += 1u + owner[i].wire[label_at];
        for (unsigned k = 0; k < 8; k++)
            h = h << 8 | (k < owner[i].wire[label_at] ? owner[i].wire[label_at + 1 + k] : 0);
        if (!all && owner[i].gap == 0)
            continue;
        if (all && same == 0)
            same = put_record(0, owner[i].wire, 0, 0, owner[i].wire, 60, 0);
        head[n] = labels > below ? h : 0;
        if (!all)
            owner[i].gap_idx = n + 1;
        gap_ref[n++] = all ? same : owner[i].gap;
    }
    if (n == 0)
        return;
    used_units = (used_units + CHUNK_UNITS - 1) / CHUNK_UNITS * CHUNK_UNITS;
    made.order_count = n;
    made.order_heads = used_units;
    memcpy(at(used_units), head, (size_t)n * 8);
    used_units = (used_units + n + CHUNK_UNITS - 1) / CHUNK_UNITS * CHUNK_UNITS;
    made.order_refs = used_units;
    memcpy(at(used_units), gap_ref, (size_t)n * 4);
    used_units = (used_units + n / 2 + CHUNK_UNITS) / CHUNK_UNITS * CHUNK_UNITS;
    made.order_top = used_units;
    for (uint32_t i = 0; i < n; i += ORDER_BLOCK)
        memcpy((uint64_t *)at(made.order_top) + made.order_tops++, &head[i], 8);
    used_units += CHUNK_UNITS;
}

static void make_table(const struct zone_set *s, enum set set, bool order_all)
{
    struct bytes b = { 0 };
    chunks = set == SET_ROOT ? 16 : 320;
    table = mmap(NULL, (size_t)chunks * CHUNK_BYTES, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    used_units = 8; /* 0 is no reference */
    made = (struct shape){ .zone_labels = set == SET_ROOT ? 0 : set == SET_TLD ? 1 : 2 };
    const struct zone *z = zone_set_at(s, 0);
    add_rrset(&b, z, zone_apex(z), DNS_TYPE_SOA);
    add_rrset(&b, z, zone_apex(z), DNS_TYPE_NSEC);
    soa_ref = put_record(0, b.at, 0, 0, b.at, b.len, 0);
    soa_alternate = put_record(0, b.at, 0, 0, b.at, b.len, 0);
    for (uint32_t i = 0; i < zone_set_count(s); i++) {
        z = zone_set_at(s, i);
        for (const struct zone_node *n = zone_apex(z); n != NULL; n = zone_node_after(z, n))
            add_name(z, n);
    }
    add_buckets();
    if (set == SET_ROOT || order_all)
        add_order(order_all, made.zone_labels);
}

/* ---- the maps */

struct loaded {
    struct table *skel;
    uint8_t *flat;
    struct query *queries;
    struct zone_part *zone;
    struct outcome *outcome;
    struct seen *trace;
};

static void *map_of(struct bpf_map *m, size_t bytes)
{
    size_t page = 4096;
    void *p = mmap(NULL, (bytes + page - 1) / page * page, PROT_READ | PROT_WRITE, MAP_SHARED,
                   bpf_map__fd(m), 0);
    if (p == MAP_FAILED)
        die("mmap of a map");
    return p;
}

/* Loads the program for one kind of maps. `share`: use its flat table instead of filling another. */
static void load(struct loaded *l, enum table_mode mode, const struct loaded *share, bool guarded,
                 bool traced)
{
    uint32_t none = 0;
    struct table *k = table__open();
    if (k == NULL)
        die("open");
    l->skel = k;
    k->rodata->mode = mode;
    k->rodata->guarded = guarded;
    k->rodata->traced = traced;
    memcpy((void *)(uintptr_t)&k->rodata->shape, &made, sizeof made);
    bpf_map__set_max_entries(k->maps.flat, chunks);
    bpf_map__set_max_entries(k->maps.queries, QUERIES);
    bpf_map__set_max_entries(k->maps.trace, traced ? QUERIES : 1);
    bpf_map__set_max_entries(k->maps.hashed, mode == MODE_HASH ? owners + 1 : 1);
    if (share != NULL && bpf_map__reuse_fd(k->maps.flat, bpf_map__fd(share->skel->maps.flat)) != 0)
        die("reuse");
    if (mode == MODE_OUTER &&
        bpf_map__set_inner_map_fd(k->maps.outer, bpf_map__fd(share->skel->maps.flat)) != 0)
        die("inner");
    if (table__load(k) != 0)
        die("load");
    l->flat = map_of(k->maps.flat, (size_t)chunks * CHUNK_BYTES);
    if (share == NULL)
        memcpy(l->flat, table, (size_t)chunks * CHUNK_BYTES);
    l->queries = map_of(k->maps.queries, QUERIES * sizeof(struct query));
    l->zone = map_of(k->maps.zone, sizeof *l->zone);
    l->outcome = map_of(k->maps.outcomes, sizeof *l->outcome);
    l->trace = map_of(k->maps.trace, (traced ? QUERIES : 1) * sizeof *l->trace);
    l->zone->soa = soa_ref;
    int flat_fd = bpf_map__fd(k->maps.flat);
    if (mode == MODE_OUTER &&
        bpf_map_update_elem(bpf_map__fd(k->maps.outer), &none, &flat_fd, BPF_ANY) != 0)
        die("outer");
    for (uint32_t i = 0; mode == MODE_HASH && i < owners; i++) {
        uint64_t key[2] = { owner[i].hash, mix(owner[i].hash + 1) };
        if (bpf_map_update_elem(bpf_map__fd(k->maps.hashed), key, &owner[i].ref, BPF_ANY) != 0)
            die("hash");
    }
}

/* Runs the program over all queries; nanoseconds each. */
static double run(const struct loaded *l)
{
    uint32_t packet[400] = { 0, QUERIES };
    LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = packet, .data_size_in = sizeof packet,
                .repeat = 1);
    if (bpf_prog_test_run_opts(bpf_program__fd(l->skel->progs.table_run), &o) != 0)
        die("test run");
    return (double)o.duration / QUERIES;
}

enum ask { ASK_CUT, ASK_POSITIVE, ASK_DENIAL, ASK_MIX };

static bool is_cut(const struct owner *o)
{
    return o->kind == RECORD_CUT;
}

/* A query of this kind; false when the set has none. */
static bool make_query(struct query *q, enum ask ask, uint32_t *which)
{
    memset(q, 0, sizeof *q);
    if (ask == ASK_MIX)
        ask = rnd() % 10 < 3 ? ASK_DENIAL : ASK_CUT;
    for (uint32_t tries = 0; tries < 100000; tries++) {
        *which = (uint32_t)(rnd() % owners);
        const struct owner *o = &owner[*which];
        const uint8_t *wire = o->wire;
        uint32_t len = o->len;
        uint8_t pre[16];
        uint32_t pre_len = 0;
        if ((ask == ASK_CUT && !is_cut(o)) || (ask == ASK_POSITIVE && o->kind != RECORD_POSITIVE))
            continue;
        if (ask == ASK_CUT)
            memcpy(pre, "\3wWw", pre_len = 4);
        if (ask ==
            ASK_DENIAL) { /* another label in place of the first, or above a zone of few names */
            if (o->wire[0] == 0 || (made.zone_labels == 2 && o->wire[0] != 6))
                continue;
            if (made.zone_labels != 2) {
                wire += 1 + o->wire[0];
                len -= 1u + o->wire[0];
            }
            pre[0] = 9;
            for (pre_len = 1; pre_len < 10; pre_len++)
                pre[pre_len] = (uint8_t)('a' + rnd() % 26);
        }
        if (pre_len + len > NAME_MAX_BYTES)
            continue;
        memcpy(q->wire, pre, pre_len);
        memcpy(q->wire + pre_len, wire, len);
        q->len = (uint8_t)(pre_len + len);
        return true;
    }
    return false;
}

static void measure(struct loaded l[3], enum ask ask, const char *what)
{
    static struct query q[QUERIES];
    double best[3] = { 1e9, 1e9, 1e9 };
    uint32_t which;
    for (uint32_t i = 0; i < QUERIES; i++)
        if (!make_query(&q[i], ask, &which))
            return;
    for (int m = 0; m < 3; m++)
        memcpy(l[m].queries, q, sizeof q);
    for (int r = 0; r < RUNS; r++)
        for (int m = 0; m < 3; m++) {
            memset(l[m].outcome, 0, sizeof *l[m].outcome);
            double ns = run(&l[m]);
            best[m] = ns < best[m] ? ns : best[m];
        }
    const struct outcome *o = l[MODE_FLAT].outcome;
    uint64_t answered = o->answered[0] + o->answered[1] + o->answered[2];
    printf("  %s: flat %4.0f ns, array of maps %4.0f ns, hash %4.0f ns; answered %.2f %%\n", what,
           best[MODE_FLAT], best[MODE_OUTER], best[MODE_HASH], 100.0 * (double)answered / QUERIES);
}

/* ---- updates while queries run */

static _Atomic bool stop_updates;
static struct loaded *live;
static uint32_t pace_us, version, update_count, *cuts, cut_count;
static double publish_us_max, publish_us_sum, prepare_us_sum;
/* The last versions in which an owner changed, by the thread that updates; the length is stored after
 * the version, and read before it by the checker. */
static uint32_t *history;
static _Atomic uint32_t *history_len;

#define HISTORY 512

static void *live_at(uint32_t ref)
{
    return live->flat + (size_t)ref * 8;
}

/* A copy of a record, of another version, at the alternate place. */
static uint32_t rewrite(uint32_t ref, uint32_t *alternate, uint32_t from)
{
    struct record *r = live_at(ref);
    uint32_t bytes = (uint32_t)sizeof *r + ((r->name_len + 7u) & ~7u) + r->len;
    if (*alternate == 0)
        *alternate = take(bytes + 4);
    struct record *to = live_at(*alternate);
    memcpy(to, r, bytes);
    to->from = from;
    memcpy((uint8_t *)to + bytes, &from, 4);
    uint32_t now = *alternate;
    *alternate = ref;
    return now;
}

static _Atomic uint64_t *entry_of(const struct owner *o)
{
    uint64_t *e = live_at(made.first_bucket * CHUNK_UNITS +
                          ((uint32_t)o->hash & (made.buckets - 1)) * (BUCKET_BYTES / 8));
    for (unsigned k = 0; k < BUCKET_ENTRIES; k++)
        if (e[k] == (o->hash >> 32 << 32 | o->ref))
            return (_Atomic uint64_t *)&e[k];
    return NULL;
}

static void update_once(void)
{
    uint32_t which[CHANGE], now[CHANGE], gap_now[CHANGE];
    _Atomic uint64_t *entry[CHANGE];
    double t0 = now_s();
    version++;
    for (uint32_t i = 0; i < CHANGE; i++) {
        which[i] = cuts[(version * 7919u + i * 104729u) % cut_count];
        struct owner *o = &owner[which[i]];
        bool twice = history_len[which[i]] != 0 &&
                     history[which[i] * HISTORY + (history_len[which[i]] - 1) % HISTORY] == version;
        entry[i] = twice ? NULL : entry_of(o);
        if (entry[i] == NULL)
            continue;
        uint32_t len = history_len[which[i]];
        history[which[i] * HISTORY + len % HISTORY] = version;
        atomic_store(&history_len[which[i]], len + 1);
        now[i] = rewrite(o->ref, &o->alternate, version);
        gap_now[i] = o->gap ? rewrite(o->gap, &o->gap_alternate, version) : 0;
    }
    uint32_t soa_now = rewrite(soa_ref, &soa_alternate, version);
    _Atomic uint64_t *sequence = (_Atomic uint64_t *)&live->zone->sequence;
    double t1 = now_s();
    atomic_fetch_add(sequence, 1);
    for (uint32_t i = 0; i < CHANGE; i++) {
        struct owner *o = &owner[which[i]];
        if (entry[i] == NULL)
            continue;
        o->ref = now[i];
        atomic_store(entry[i], o->hash >> 32 << 32 | now[i]);
        if (gap_now[i] == 0)
            continue;
        o->gap = gap_now[i];
        ((uint32_t *)live_at(made.order_refs))[o->gap_idx - 1] = gap_now[i];
    }
    soa_ref = soa_now;
    atomic_store((_Atomic uint32_t *)&live->zone->soa, soa_now);
    atomic_fetch_add(sequence, 1);
    double t2 = now_s();
    prepare_us_sum += (t1 - t0) * 1e6;
    publish_us_sum += (t2 - t1) * 1e6;
    publish_us_max = (t2 - t1) * 1e6 > publish_us_max ? (t2 - t1) * 1e6 : publish_us_max;
    update_count++;
}

static void *updates(void *arg)
{
    (void)arg;
    while (!atomic_load(&stop_updates)) {
        update_once();
        if (pace_us != 0)
            usleep(pace_us);
    }
    return NULL;
}

/* The version of an owner's records in the zone's version `v`; UINT32_MAX when that is forgotten. */
static uint32_t version_in(uint32_t which, uint32_t v)
{
    uint32_t n = history_len[which], kept = n < HISTORY ? n : HISTORY;
    for (uint32_t i = 0; i < kept; i++) {
        uint32_t at_version = history[which * HISTORY + (n - 1 - i) % HISTORY];
        if (at_version <= v)
            return at_version;
    }
    return n <= HISTORY ? 0 : UINT32_MAX;
}

/* Ten updates a second, or as many as go; queries all the while. Prints what was answered and whether
 * an answer mixed two versions. */
static uint64_t under_updates(double seconds, uint32_t us, bool guarded, const char *what)
{
    static struct query q[QUERIES];
    static uint32_t who[QUERIES];
    struct loaded l;
    pthread_t thread;
    uint64_t mixed = 0, torn = 0, answered = 0, passed = 0, checked = 0;
    load(&l, MODE_FLAT, NULL, guarded, true);
    live = &l;
    pace_us = us;
    update_count = 0;
    publish_us_max = publish_us_sum = prepare_us_sum = 0;
    for (uint32_t i = 0; i < QUERIES; i++) {
        make_query(&q[i], ASK_MIX, &who[i]);
        if (owner[who[i]].gap != 0 && owner[who[i]].wire[0] < 8 && rnd() % 2 != 0) {
            /* A name in this owner's gap: its own label with a letter more. */
            uint8_t label = owner[who[i]].wire[0];
            memset(&q[i], 0, sizeof q[i]);
            memcpy(q[i].wire, owner[who[i]].wire, 1u + label);
            q[i].wire[0] = (uint8_t)(label + 1);
            q[i].wire[1 + label] = '0';
            q[i].len = (uint8_t)(label + 3);
        }
    }
    memcpy(l.queries, q, sizeof q);
    atomic_store(&stop_updates, false);
    if (pthread_create(&thread, NULL, updates, NULL) != 0)
        die("thread");
    for (double end = now_s() + seconds; now_s() < end;) {
        memset(l.trace, 0, QUERIES * sizeof *l.trace);
        memset(l.outcome, 0, sizeof *l.outcome);
        run(&l);
        answered += l.outcome->answered[0] + l.outcome->answered[1] + l.outcome->answered[2];
        passed += l.outcome->passed;
        torn += l.outcome->torn;
        /* History moves on while this runs; what is checked is older than that. */
        for (uint32_t i = 0; i < QUERIES; i++) {
            const struct seen *s = &l.trace[i];
            if (s->kind != 1 || owner[who[i]].gap == 0 || q[i].wire[0] == 9)
                continue;
            uint32_t want = version_in(who[i], s->soa_from);
            if (want == UINT32_MAX)
                continue;
            checked++;
            mixed += s->name_from != want;
        }
    }
    atomic_store(&stop_updates, true);
    pthread_join(thread, NULL);
    printf("  %s: %u updates, %.3f %% of %.1f million answered in the kernel; prepared in %.0f us, "
           "published in %.1f us (most %.0f)\n",
           what, update_count, 100.0 * (double)answered / (double)(answered + passed),
           (double)(answered + passed) / 1e6, prepare_us_sum / update_count,
           publish_us_sum / update_count, publish_us_max);
    printf("    torn records %llu; answers of two versions %llu of %llu checked\n",
           (unsigned long long)torn, (unsigned long long)mixed, (unsigned long long)checked);
    memcpy(table, l.flat, (size_t)chunks * CHUNK_BYTES); /* the next run goes on from here */
    table__destroy(l.skel);
    munmap(l.flat, (size_t)chunks * CHUNK_BYTES);
    return mixed + torn;
}

static struct zone_set *image_of(enum set set)
{
    static struct zone_errors errs;
    struct err e = { 0 };
    uint32_t count;
    struct zone_source *s = set_sources(set, &count);
    int fd = zone_image_memfd(&e);
    if (s == NULL)
        _exit(0);
    if (!zone_build_image(s, count, fd, &errs))
        die(errs.at[0].what);
    struct zone_set *z = zone_set_map(fd, &e);
    close(fd);
    return z;
}

static bool sound = true;

static void look_up_set(enum set set, bool order_all)
{
    struct zone_set *s = image_of(set);
    struct loaded l[3];
    double t = now_s();
    make_table(s, set, order_all);
    t = now_s() - t;
    zone_set_free(s);
    printf("  %u names in %.1f MB, made from the image in %.3f s; %u names left to user space\n",
           owners, (double)used_units * 8 / 1e6, t, passed_up);
    load(&l[MODE_FLAT], MODE_FLAT, NULL, true, false);
    load(&l[MODE_HASH], MODE_HASH, &l[MODE_FLAT], true, false);
    load(&l[MODE_OUTER], MODE_OUTER, &l[MODE_FLAT], true, false);
    if (!order_all)
        measure(l, ASK_CUT, "referral");
    if (set == SET_HOST)
        measure(l, ASK_POSITIVE, "positive");
    measure(l, ASK_DENIAL, order_all ? "denial by a search among all names" : "denial  ");
}

static void measure_set(enum set set)
{
    look_up_set(set, false);
}

static void measure_order(enum set set)
{
    look_up_set(set, true);
}

static void update_set(enum set set)
{
    make_table(image_of(set), set, false);
    cuts = calloc(owners, sizeof *cuts);
    history = calloc((size_t)owners * HISTORY, sizeof *history);
    history_len = calloc(owners, sizeof *history_len);
    for (uint32_t i = 0; i < owners; i++)
        if (is_cut(&owner[i]))
            cuts[cut_count++] = i;
    uint64_t wrong = under_updates(5, 100000, true, "10 updates/s of 100 names");
    if (set == SET_ROOT) {
        wrong += under_updates(3, 0, true, "as many updates as go");
        if (under_updates(3, 0, false, "the same, sequence not read") == 0) {
            printf("    the checker saw nothing where there must be something\n");
            wrong++;
        }
    }
    if (wrong != 0)
        _exit(1);
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (enum set set = 0; set < SET_COUNT; set++) {
        printf("%s\n", set_names[set]);
        sound &= in_child(measure_set, set);
        if (set == SET_TLD)
            sound &= in_child(measure_order, set);
        if (set != SET_HOST)
            sound &= in_child(update_set, set);
    }
    return sound ? 0 : 1;
}
