/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The store in a folder of the kernel's: names, the lock, files of others; and its index beside a list. */
#include <fcntl.h>

#include "dns/type.h"
#include "store/index.h"
#include "store/io.h"
#include "zone_help.h"

static void names_of(const char *path, char *out, size_t cap)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY);
    struct store_io io = store_io_of(&fd);
    static const char *const names[] = { "journal-0000000001",
                                         "journal-0000000002",
                                         "journal-0000000003",
                                         "snapshot-0000000002",
                                         "snapshot-0000000009.tmp",
                                         "journal-1",
                                         "notes" };
    size_t at = 0;
    out[0] = '\0';
    for (size_t i = 0; i < BASE_COUNT(names); i++) {
        int file = io.open(io.arg, names[i], O_RDONLY);
        if (file < 0)
            continue;
        at += (size_t)snprintf(out + at, cap - at, "%s ", names[i]);
        close(file);
    }
    close(fd);
}

static void times_entry(struct store *s, const struct dns_name *origin, int64_t when)
{
    struct err e = { 0 };
    struct store_times t = { .refreshed = when };
    store_begin(s, STORE_TIMES, origin, 0, 0);
    store_times(s, &t);
    assert_true(store_end(s, &e));
    assert_true(store_sync(s, &e));
}

static void folder(void **state)
{
    (void)state;
    char path[] = "/tmp/store-folder-XXXXXX", names[400];
    struct err e = { 0 };
    struct dns_name origin;
    assert_non_null(mkdtemp(path));
    int dir = open(path, O_RDONLY | O_DIRECTORY);
    assert_true(dns_name_from_text(&origin, "example"));
    /* Of others, and a snapshot that was never whole. */
    close(openat(dir, "notes", O_CREAT | O_WRONLY, 0600));
    close(openat(dir, "journal-1", O_CREAT | O_WRONLY, 0600));
    close(openat(dir, "snapshot-0000000009.tmp", O_CREAT | O_WRONLY, 0600));
    struct store *s = store_open(dir, 0, &e);
    assert_non_null(s);
    assert_null(store_open(dir, 0, &e));
    assert_int_equal(e.kind, ERR_PEER);
    names_of(path, names, sizeof names);
    assert_string_equal(names, "journal-1 notes ");
    times_entry(s, &origin, 5);
    struct zone_set *set = zone_help_set("example", "@ 60 SOA a. b. 1 1 1 1 1\n@ 60 NS x.\n");
    struct store_snapshot *n = store_snapshot_begin(s, &e);
    assert_non_null(n);
    assert_true(store_snapshot_write(n, set, &e));
    assert_true(store_snapshot_end(s, n, true, &e));
    times_entry(s, &origin, 6);
    /* No history is kept: the journal before the snapshot is gone. */
    names_of(path, names, sizeof names);
    assert_string_equal(names, "journal-0000000002 snapshot-0000000002 journal-1 notes ");
    store_close(s);
    s = store_open(dir, 0, &e);
    assert_non_null(s);
    times_entry(s, &origin, 7);
    names_of(path, names, sizeof names);
    assert_string_equal(
        names, "journal-0000000002 journal-0000000003 snapshot-0000000002 journal-1 notes ");
    uint64_t bytes, journal_bytes;
    store_usage(s, &bytes, &journal_bytes);
    assert_true(journal_bytes > 0);
    assert_true(bytes > journal_bytes);
    store_close(s);
    zone_set_free(set);
    static const char *const left[] = { "journal-0000000002",
                                        "journal-0000000003",
                                        "snapshot-0000000002",
                                        "journal-1",
                                        "notes",
                                        "lock" };
    for (size_t i = 0; i < BASE_COUNT(left); i++)
        assert_int_equal(unlinkat(dir, left[i], 0), 0);
    close(dir);
    assert_int_equal(rmdir(path), 0);
}

/* ---- the index ---- */

#define ZONES 5
#define STEPS 3000

static uint64_t seed = 88172645463325252u;

static uint32_t rnd(uint32_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 33) % below;
}

/* What was given, and where each zone's history begins. */
static struct store_step given[STEPS];
static uint32_t zone_of[STEPS], givens, begins[ZONES];
static uint32_t lowest_file;

static void check_find(const struct store_index *x, const struct dns_name *origin, uint32_t zone,
                       uint32_t serial, bool must)
{
    for (uint32_t i = begins[zone]; i < givens; i++) {
        uint32_t count, k = 0;
        if (zone_of[i] != zone)
            continue;
        struct store_step *way = store_index_find(x, origin, given[i].from, serial, &count);
        if (given[i].file < lowest_file)
            assert_null(way);
        else if (must)
            assert_non_null(way);
        for (uint32_t j = i; way != NULL && j < givens; j++)
            if (zone_of[j] == zone) {
                assert_int_equal(way[k].at, given[j].at);
                k++;
            }
        if (way != NULL)
            assert_int_equal(k, count);
        free(way);
    }
}

static void index_run(uint32_t steps_max)
{
    struct store_index *x = store_index_new(rnd(1000), steps_max);
    struct dns_name origin[ZONES];
    uint32_t serial[ZONES];
    givens = lowest_file = 0;
    for (uint32_t z = 0; z < ZONES; z++) {
        char text[16];
        snprintf(text, sizeof text, "Z%u.example", z);
        assert_true(dns_name_from_text(&origin[z], text));
        serial[z] = UINT32_MAX - rnd(40); /* they wrap (RFC 1982) */
        begins[z] = 0;
    }
    while (givens < STEPS) {
        uint32_t z = rnd(ZONES) == 0 ? rnd(ZONES) : 0, what = rnd(200);
        if (what == 0) {
            store_index_whole(x, &origin[z]);
            begins[z] = givens;
        } else if (what == 1) {
            store_index_remove(x, &origin[z]);
            begins[z] = givens;
        } else if (what == 2) {
            lowest_file = givens / 50 > 2 ? givens / 50 - 2 : 0;
            store_index_drop(x, lowest_file);
        }
        if (what == 3) { /* a gap, or one that goes back */
            serial[z] += rnd(2) != 0 ? 7 : UINT32_MAX - 5;
            begins[z] = givens;
        }
        struct store_step s = { .at = givens, .file = givens / 50, .from = serial[z] };
        s.to = serial[z] += 1 + rnd(3);
        given[givens] = s;
        zone_of[givens++] = z;
        store_index_step(x, &origin[z], &s);
        if (rnd(20) == 0)
            check_find(x, &origin[z], z, serial[z], steps_max > STEPS);
    }
    store_index_free(x);
}

static void index_beside_a_list(void **state)
{
    (void)state;
    for (uint32_t max = 64; max <= 4096; max *= 2)
        index_run(max);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(folder),
                                        cmocka_unit_test(index_beside_a_list) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
