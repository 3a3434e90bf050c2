/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Spike 1, the zone image: the room's own layout beside LMDB, on three sets of zones
 * (docs/decisions/0001-zone-image.md). `make bench-spike-image` builds it and prints the figures. Both
 * hold the same: every name, empty non-terminals included, under its canonical key, with its RRsets.
 * Timings are processor time, the best of several runs, the candidates in turns. */
#include <fcntl.h>
#include <lmdb.h>
#include <sys/mman.h>

#include "dns/name.h"
#include "sets.h"
#include "zone/apply.h"
#include "zone/image.h"

#define RUNS 5
#define LOOKUPS 500000u
#define CHANGE 100u
#define LMDB_PATH SET_DIR "/lmdb.data"
#define IMAGE_PATH SET_DIR "/image.data"

static void die(const char *what)
{
    fprintf(stderr, "image: %s\n", what);
    exit(1);
}

static void check(int rc, const char *what)
{
    if (rc != 0) {
        fprintf(stderr, "image: %s: %s\n", what, mdb_strerror(rc));
        exit(1);
    }
}

static int build(enum set set, const char *path)
{
    static struct zone_errors errs;
    struct err e = { 0 };
    uint32_t count;
    struct zone_source *s = set_sources(set, &count);
    if (s == NULL)
        exit(0);
    int fd = path ? open(path, O_RDWR | O_CREAT | O_TRUNC, 0644) : zone_image_memfd(&e);
    if (fd < 0 || !zone_build_image(s, count, fd, &errs))
        die(errs.kept ? errs.at[0].what : "cannot build");
    return fd;
}

static struct zone_set *map(int fd)
{
    struct err e = { 0 };
    struct zone_set *s = zone_set_map(fd, &e);
    if (s == NULL)
        die(e.what);
    return s;
}

static uint64_t written(void)
{
    FILE *f = fopen("/proc/self/io", "r");
    char line[80];
    unsigned long long v = 0;
    while (f != NULL && fgets(line, sizeof line, f) != NULL)
        if (sscanf(line, "wchar: %llu", &v) == 1)
            break;
    if (f != NULL)
        fclose(f);
    return v;
}

/* ---- names to ask for: existing ones, and ones below or beside them */

static struct dns_name *ask_exact, *ask_below;
static uint32_t asks;

static void gather_names(const struct zone_set *s)
{
    uint32_t zones = zone_set_count(s), total = 0, want = 200000;
    struct dns_name www;
    if (!dns_name_from_text(&www, "www"))
        die("www");
    for (uint32_t i = 0; i < zones; i++)
        total += zone_set_at(s, i)->node_count;
    ask_exact = calloc(want, sizeof *ask_exact);
    ask_below = calloc(want, sizeof *ask_below);
    uint32_t step = total > want ? total / want : 1, seen = 0;
    for (uint32_t i = 0; i < zones; i++) {
        const struct zone *z = zone_set_at(s, i);
        for (const struct zone_node *n = zone_apex(z); n != NULL && asks < want;
             n = zone_node_after(z, n))
            if (seen++ % step == 0) {
                zone_node_name(z, n, &ask_exact[asks]);
                asks += dns_name_join(&www, 1, &ask_exact[asks], &ask_below[asks]);
            }
    }
    for (uint32_t i = asks; i > 1; i--) { /* in no order */
        uint32_t k = (uint32_t)(rnd() % i);
        struct dns_name t = ask_exact[i - 1];
        ask_exact[i - 1] = ask_exact[k];
        ask_exact[k] = t;
        t = ask_below[i - 1];
        ask_below[i - 1] = ask_below[k];
        ask_below[k] = t;
    }
}

/* ---- LMDB */

struct store {
    MDB_env *env;
    MDB_dbi names, zones;
};

static void store_open(struct store *st, unsigned flags, bool fresh)
{
    MDB_txn *txn;
    if (fresh) {
        unlink(LMDB_PATH);
        unlink(LMDB_PATH "-lock");
    }
    check(mdb_env_create(&st->env), "create");
    check(mdb_env_set_mapsize(st->env, (size_t)4 << 30), "mapsize");
    check(mdb_env_set_maxdbs(st->env, 2), "maxdbs");
    check(mdb_env_open(st->env, LMDB_PATH, MDB_NOSUBDIR | flags, 0644), "open");
    check(mdb_txn_begin(st->env, NULL, fresh ? 0 : MDB_RDONLY, &txn), "begin");
    check(mdb_dbi_open(txn, "names", fresh ? MDB_CREATE : 0, &st->names), "names");
    check(mdb_dbi_open(txn, "zones", fresh ? MDB_CREATE : 0, &st->zones), "zones");
    check(mdb_txn_commit(txn), "commit");
}

/* A node as bytes: flags, its own labels, its RRsets. */
static size_t pack(const struct zone *z, const struct zone_node *n, uint8_t *out)
{
    uint8_t *p = out;
    struct zone_rrset r;
    uint32_t pos = 0;
    *p++ = n->flags;
    *p++ = n->name_len;
    memcpy(p, n + 1, n->name_len);
    p += n->name_len;
    while (zone_node_next(z, n, &pos, &r)) {
        memcpy(p, &r, 12); /* type, counts, TTL */
        memcpy(p + 12, r.rdata, r.rdata_len);
        p += 12 + r.rdata_len;
        if (r.sigs_len != 0)
            memcpy(p, r.sigs, r.sigs_len);
        p += r.sigs_len;
    }
    return (size_t)(p - out);
}

/* LMDB's keys are the keys of whole names; it orders shorter ones first, as they need. */
static void store_fill(struct store *st, const struct zone_set *s)
{
    static uint8_t value[1 << 20];
    MDB_txn *txn;
    check(mdb_txn_begin(st->env, NULL, 0, &txn), "begin");
    for (uint32_t i = 0; i < zone_set_count(s); i++) {
        const struct zone *z = zone_set_at(s, i);
        uint8_t key[DNS_KEY_MAX];
        struct dns_name name;
        zone_origin(z, &name);
        MDB_val k = { dns_name_key(&name, key), key }, v = { 4, &i };
        if (k.mv_size == 0) /* LMDB has no empty keys: the root's is one byte */
            k = (MDB_val){ 1, (void *)"\0" };
        check(mdb_put(txn, st->zones, &k, &v, MDB_APPEND), "put zone");
        struct zone_image_pos pos;
        struct zone_image_entry e;
        bool more = zone_image_first(s->map, z->names, &pos);
        for (; more && zone_image_entry(&pos, &e); more = zone_image_next(&pos)) {
            const struct zone_node *n = zone_image_node_at(s->map, e.ref);
            zone_node_name(z, n, &name);
            k = (MDB_val){ dns_name_key(&name, key), key };
            if (k.mv_size == 0)
                k = (MDB_val){ 1, (void *)"\0" };
            v = (MDB_val){ pack(z, n, value), value };
            check(mdb_put(txn, st->names, &k, &v, MDB_APPEND), "put name");
        }
    }
    check(mdb_txn_commit(txn), "commit");
}

static size_t cut_label(const uint8_t *key, size_t len)
{
    for (len = len != 0 ? len - 1 : 0; len > 0 && key[len - 1] != 0; len--)
        ;
    return len;
}

/* The longest origin, then the name or its closest encloser by the entry before it: the same work as
 * zone_set_find() and zone_lookup(). */
static unsigned store_look_up(MDB_txn *txn, MDB_cursor *c, const struct store *st,
                              const struct dns_name *name)
{
    uint8_t key[DNS_KEY_MAX];
    size_t len = dns_name_key(name, key), zone_len = len;
    MDB_val k, v;
    for (;; zone_len = cut_label(key, zone_len)) {
        k = (MDB_val){ zone_len ? zone_len : 1, zone_len ? (void *)key : (void *)"\0" };
        if (mdb_get(txn, st->zones, &k, &v) == 0)
            break;
        if (zone_len == 0)
            return 0;
    }
    k = (MDB_val){ len ? len : 1, len ? (void *)key : (void *)"\0" };
    int rc = mdb_cursor_get(c, &k, &v, MDB_SET_RANGE);
    if (rc == 0 && k.mv_size == len && memcmp(k.mv_data, key, len) == 0)
        return *(const uint8_t *)v.mv_data + 1u;
    if (mdb_cursor_get(c, &k, &v, rc == 0 ? MDB_PREV : MDB_LAST) != 0)
        return 0;
    size_t same = 0;
    while (same < len && same < k.mv_size && key[same] == ((const uint8_t *)k.mv_data)[same])
        same++;
    while (same > 0 && key[same - 1] != 0)
        same--;
    if (same == k.mv_size)
        return *(const uint8_t *)v.mv_data + 1u;
    k = (MDB_val){ same ? same : 1, same ? (void *)key : (void *)"\0" };
    return mdb_get(txn, st->names, &k, &v) == 0 ? *(const uint8_t *)v.mv_data + 1u : 0;
}

static double store_pass(const struct store *st, const struct dns_name *ask, unsigned *found)
{
    MDB_txn *txn;
    MDB_cursor *c;
    check(mdb_txn_begin(st->env, NULL, MDB_RDONLY, &txn), "begin");
    check(mdb_cursor_open(txn, st->names, &c), "cursor");
    double t = cpu_s();
    for (uint32_t i = 0; i < LOOKUPS; i++)
        *found += store_look_up(txn, c, st, &ask[i % asks]) != 0;
    t = cpu_s() - t;
    mdb_cursor_close(c);
    mdb_txn_abort(txn);
    return t;
}

static void store_change(const struct store *st, const char *what)
{
    double best = 1e9;
    uint64_t bytes = 0;
    for (int run = 0; run < RUNS; run++) {
        uint64_t before = written();
        double t = cpu_s();
        MDB_txn *txn;
        check(mdb_txn_begin(st->env, NULL, 0, &txn), "begin");
        for (uint32_t i = 0; i < CHANGE; i++) {
            uint8_t key[DNS_KEY_MAX], copy[4096];
            MDB_val k = { dns_name_key(&ask_exact[(uint32_t)run * CHANGE + i], key), key }, v;
            if (k.mv_size == 0)
                k = (MDB_val){ 1, (void *)"\0" };
            if (mdb_get(txn, st->names, &k, &v) != 0 || v.mv_size > sizeof copy - 8)
                continue;
            memcpy(copy, v.mv_data, v.mv_size);
            v = (MDB_val){ v.mv_size + 8, copy };
            check(mdb_put(txn, st->names, &k, &v, 0), "put");
        }
        check(mdb_txn_commit(txn), "commit");
        t = cpu_s() - t;
        best = t < best ? t : best;
        bytes = written() - before;
    }
    printf("  100 names changed, LMDB, %s: %.2f ms, %llu bytes\n", what, best * 1e3,
           (unsigned long long)bytes);
}

/* ---- the room's own layout */

static double own_pass(const struct zone_set *s, const struct dns_name *ask, bool nsec,
                       unsigned *found)
{
    double t = cpu_s();
    for (uint32_t i = 0; i < LOOKUPS; i++) {
        const struct dns_name *name = &ask[i % asks];
        const struct zone *z = zone_set_find(s, name);
        struct zone_found f;
        if (z == NULL)
            continue;
        if (nsec) {
            *found += zone_nsec_before(z, name) != NULL;
        } else {
            zone_lookup(z, name, &f);
            *found += zone_node_flags(f.encloser) + 1;
        }
    }
    return cpu_s() - t;
}

/* In turns, so that a busy machine slows both. */
static void both_lookups(const struct zone_set *s, const struct store *st,
                         const struct dns_name *ask, const char *what)
{
    double own = 1e9, lmdb = 1e9;
    unsigned found = 0;
    for (int run = 0; run < RUNS; run++) {
        double t = own_pass(s, ask, false, &found);
        own = t < own ? t : own;
        t = store_pass(st, ask, &found);
        lmdb = t < lmdb ? t : lmdb;
    }
    printf("  look-ups, %s: own %.2f M/s, LMDB %.2f M/s%s\n", what, LOOKUPS / own / 1e6,
           LOOKUPS / lmdb / 1e6, found ? "" : " (nothing found)");
}

static void own_nsec(const struct zone_set *s)
{
    double best = 1e9;
    unsigned found = 0;
    for (int run = 0; run < RUNS; run++) {
        double t = own_pass(s, ask_below, true, &found);
        best = t < best ? t : best;
    }
    if (found != 0)
        printf("  look-ups, the NSEC before a name: own %.2f M/s\n", LOOKUPS / best / 1e6);
}

static void own_change(int fd, const char *what)
{
    static struct zone_errors errs;
    static const uint8_t rdata[8] = "\7changed";
    double best = 1e9;
    uint64_t bytes = 0;
    uint32_t changed = 0;
    for (int run = 0; run < RUNS; run++) {
        struct zone_change c[CHANGE];
        struct zone_set *s = map(fd);
        uint32_t from = (uint32_t)run * CHANGE;
        /* Updates are per zone: with many zones the change is of one of them, all its names. */
        struct dns_name origin;
        zone_origin(zone_set_find(s, &ask_exact[from]), &origin);
        uint32_t n = 0;
        for (uint32_t i = 0; n < CHANGE && i < asks; i++) {
            const struct dns_name *name = &ask_exact[(from + i) % asks];
            struct zone_found f;
            if (!dns_name_is_under(name, &origin))
                continue;
            zone_lookup(zone_set_find(s, name), name, &f);
            if ((zone_node_flags(f.exact) & ZONE_NODE_CNAME) == 0)
                c[n++] = (struct zone_change){ .owner = name,
                                               .rdata = rdata,
                                               .len = sizeof rdata,
                                               .ttl_s = 60,
                                               .type = 65280,
                                               .add = true };
        }
        zone_set_free(s);
        uint64_t before = written();
        double t = cpu_s();
        if (!zone_image_apply(fd, &origin, c, n, &errs))
            die(errs.at[0].what);
        t = cpu_s() - t;
        best = t < best ? t : best;
        bytes = written() - before;
        changed = n;
    }
    printf("  %u names changed, own,  %s: %.2f ms, %llu bytes\n", changed, what, best * 1e3,
           (unsigned long long)bytes);
}

static void own_build(enum set set)
{
    double best = 1e9, best_cpu = 1e9;
    long long size = 0;
    for (int run = 0; run < RUNS; run++) {
        double t = now_s(), c = cpu_s();
        int fd = build(set, NULL);
        t = now_s() - t;
        c = cpu_s() - c;
        best = t < best ? t : best;
        best_cpu = c < best_cpu ? c : best_cpu;
        size = lseek(fd, 0, SEEK_END);
        close(fd);
    }
    printf(
        "  own, from text to an image: %.3f s (processor time %.3f s); peak of the process %ld MB, the "
        "image %lld MB\n",
        best, best_cpu, peak_kb() / 1024, size >> 20);
}

static uint32_t count_names(const struct zone_set *s)
{
    uint32_t names = 0;
    for (uint32_t i = 0; i < zone_set_count(s); i++)
        names += zone_set_at(s, i)->node_count;
    return names;
}

static void store_figures(int fd, const struct zone_set *s, struct store *st)
{
    struct err e = { 0 };
    MDB_envinfo info = { 0 };
    double own = 1e9, lmdb = 1e9, t;
    uint32_t names = count_names(s);
    for (int run = 0; run < RUNS; run++) {
        int copy = zone_image_memfd(&e);
        t = cpu_s();
        if (!zone_image_compact(fd, copy, &e))
            die(e.what);
        t = cpu_s() - t;
        own = t < own ? t : own;
        close(copy);
        t = cpu_s();
        store_open(st, MDB_NOSYNC | MDB_WRITEMAP, true);
        store_fill(st, s);
        t = cpu_s() - t;
        lmdb = t < lmdb ? t : lmdb;
        mdb_env_info(st->env, &info);
        mdb_env_close(st->env);
    }
    printf("  written from names in order: own %.3f s, LMDB %.3f s\n", own, lmdb);
    printf("  bytes a name (%u names): own %.0f, LMDB %.0f\n", names,
           (double)lseek(fd, 0, SEEK_END) / names, (double)(info.me_last_pgno + 1) * 4096 / names);
    own = lmdb = 1e9;
    for (int run = 0; run < RUNS; run++) {
        t = cpu_s();
        zone_set_free(map(fd));
        t = cpu_s() - t;
        own = t < own ? t : own;
        t = cpu_s();
        store_open(st, 0, false);
        t = cpu_s() - t;
        lmdb = t < lmdb ? t : lmdb;
        if (run + 1 < RUNS)
            mdb_env_close(st->env);
    }
    printf("  mapped again: own %.3f ms, LMDB %.3f ms\n", own * 1e3, lmdb * 1e3);
    t = cpu_s();
    if (!zone_image_verify(fd, &e))
        die(e.what);
    printf("  every byte against its checksum: own %.1f ms (LMDB has none)\n", (cpu_s() - t) * 1e3);
}

static void compare(enum set set)
{
    struct err e = { 0 };
    struct store st;
    int fd = build(set, IMAGE_PATH), memory = zone_image_memfd(&e);
    struct zone_set *s = map(fd);
    store_figures(fd, s, &st);
    gather_names(s);
    both_lookups(s, &st, ask_exact, "names that exist   ");
    both_lookups(s, &st, ask_below, "www below such ones");
    own_nsec(s);
    own_change(fd, "on disk  ");
    store_change(&st, "on disk  ");
    mdb_env_close(st.env);
    if (!zone_image_compact(fd, memory, &e))
        die(e.what);
    store_open(&st, MDB_NOSYNC, false);
    own_change(memory, "in memory");
    store_change(&st, "no sync  ");
    mdb_env_close(st.env);
    zone_set_free(s);
    close(fd);
    close(memory);
    unlink(IMAGE_PATH);
    unlink(LMDB_PATH);
    unlink(LMDB_PATH "-lock");
}

int main(void)
{
    bool good = true;
    for (enum set set = 0; set < SET_COUNT; set++) {
        uint32_t count;
        printf("%s\n", set_names[set]);
        if (set_sources(set, &count) == NULL)
            continue;
        good &= in_child(own_build, set);
        good &= in_child(compare, set);
    }
    return good ? 0 : 1;
}
