/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What a successor answers of a dead process's flight, and what it makes of one full of lies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "dns/message.h"
#include "serve/worker.h"

#define WORKERS 2

struct scene {
    struct serve serve;
    struct serve_setup *setup;
    struct serve_flight *flight;
    int flight_fd, server, client;
    union addr client_addr;
};

static int udp(union addr *a)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    socklen_t len = sizeof *a;
    assert_true(addr_parse(a, "127.0.0.1", 1));
    a->in.sin_port = 0;
    assert_int_equal(bind(fd, &a->sa, addr_len(a)), 0);
    assert_int_equal(getsockname(fd, &a->sa, &len), 0);
    return fd;
}

static int set_up(void **state)
{
    struct scene *s = base_calloc(1, sizeof *s);
    union addr a;
    const size_t size = WORKERS * sizeof *s->flight;
    s->server = udp(&a);
    s->client = udp(&s->client_addr);
    s->setup = base_calloc(1, sizeof *s->setup + sizeof s->setup->socket[0]);
    s->setup->workers = WORKERS;
    s->setup->socket_count = 1;
    s->setup->socket[0] = (struct serve_socket){ .fd = s->server };
    s->serve.setup = s->setup;
    s->flight_fd = memfd_create("flight", MFD_CLOEXEC);
    assert_int_equal(ftruncate(s->flight_fd, (off_t)size), 0);
    s->flight = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, s->flight_fd, 0);
    assert_ptr_not_equal(s->flight, MAP_FAILED);
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *s = *state;
    close(s->server);
    close(s->client);
    close(s->flight_fd);
    munmap(s->flight, WORKERS * sizeof *s->flight);
    free(s->setup);
    free(s);
    return 0;
}

static void put(struct scene *s, uint32_t worker, uint32_t slot, uint16_t id)
{
    struct serve_flight *f = &s->flight[worker];
    struct dns_name name;
    assert_true(dns_name_from_text(&name, "example.com"));
    const struct dns_ask ask = { .id = id, .qname = &name, .qtype = 1, .qclass = 1 };
    f->rx[slot].msg_len = (unsigned)dns_ask_write(&ask, f->query[slot], SERVE_QUERY_MAX);
    f->from[slot] = s->client_addr;
}

/* The ids of all answers that have come, as a sum and a count. */
static uint32_t drain(struct scene *s, uint32_t *sum)
{
    uint8_t buf[4096];
    uint32_t count = 0;
    for (*sum = 0; recv(s->client, buf, sizeof buf, MSG_DONTWAIT) >= 12; count++)
        *sum += (uint32_t)(buf[0] << 8 | buf[1]);
    return count;
}

static void unanswered_ones_are_answered(void **state)
{
    struct scene *s = *state;
    uint32_t sum;
    put(s, 0, 0, 1);
    put(s, 0, 1, 10);
    put(s, 0, 63, 100);
    put(s, 1, 5, 1000);
    /* Of worker 0, the answer to slot 1 has left, the one to slot 0 was only prepared. */
    s->flight[0].tx_count = 2;
    s->flight[0].tx_slot[0] = 1;
    s->flight[0].tx[0].msg_len = 50;
    s->flight[0].tx_slot[1] = 0;
    assert_int_equal(serve_replay_flight(&s->serve, s->flight_fd, 0), 3);
    assert_int_equal(drain(s, &sum), 3);
    assert_int_equal(sum, 1101);
}

static void the_query_at_hand_is_left_out_if_suspect(void **state)
{
    struct scene *s = *state;
    uint32_t sum;
    for (uint32_t w = 0; w < WORKERS; w++) {
        put(s, w, 0, (uint16_t)(w == 0 ? 1 : 100));
        put(s, w, 1, (uint16_t)(w == 0 ? 10 : 1000));
        s->flight[w].busy_with = 2; /* slot 1 */
    }
    assert_int_equal(serve_replay_flight(&s->serve, s->flight_fd, 1), 3);
    assert_int_equal(drain(s, &sum), 3);
    assert_int_equal(sum, 1101);
}

static void an_empty_one_gives_nothing(void **state)
{
    struct scene *s = *state;
    int small = memfd_create("small", MFD_CLOEXEC);
    assert_int_equal(serve_replay_flight(&s->serve, s->flight_fd, 0), 0);
    assert_int_equal(serve_replay_flight(&s->serve, small, 0), 0);
    assert_int_equal(serve_replay_flight(&s->serve, -1, 0), 0);
    close(small);
}

static void lies_do_no_harm(void **state)
{
    struct scene *s = *state;
    uint32_t sum;
    srand(7);
    for (int round = 0; round < 200; round++) {
        uint8_t *bytes = (uint8_t *)s->flight;
        const size_t head = offsetof(struct serve_flight, query);
        for (size_t i = 0; i < head; i++)
            bytes[i] = (uint8_t)rand();
        for (uint32_t i = 0; i < SERVE_BATCH; i++) {
            struct serve_flight *f = &s->flight[0];
            f->from[i] = s->client_addr; /* answers of noise go nowhere else */
            if (rand() % 2)
                put(s, 0, i, 1);
            if (rand() % 4 == 0)
                f->rx[i].msg_len = (unsigned)rand();
            if (rand() % 4 == 0)
                f->from[i].sa.sa_family = (sa_family_t)rand();
        }
        if (rand() % 2)
            s->flight[0].socket = 0;
        s->setup->socket[0].any = (uint8_t)(rand() % 2);
        serve_replay_flight(&s->serve, s->flight_fd, 0);
        drain(s, &sum);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(unanswered_ones_are_answered, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_query_at_hand_is_left_out_if_suspect, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_empty_one_gives_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(lies_do_no_harm, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("serve_replay", tests, NULL, NULL);
}
