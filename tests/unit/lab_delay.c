/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lab/delay.h"

static void packets_leave_in_order_when_due(void **state)
{
    (void)state;
    struct delay_ring *r = calloc(1, sizeof *r);
    uint32_t id = 0;
    assert_int_equal(delay_ring_take(r, 1000, &id), 0);
    assert_true(delay_ring_next(r) == INT64_MAX);
    for (uint32_t i = 1; i <= 5; i++)
        assert_true(delay_ring_push(r, i, i * 10));
    assert_true(delay_ring_next(r) == 10);
    assert_int_equal(delay_ring_take(r, 9, &id), 0);
    assert_int_equal(delay_ring_take(r, 30, &id), 3); /* one verdict stands for three */
    assert_int_equal(id, 3);
    assert_true(delay_ring_next(r) == 40);
    assert_int_equal(delay_ring_take(r, 1000, &id), 2);
    assert_int_equal(id, 5);
    free(r);
}

static void a_full_ring_says_so_and_goes_on(void **state)
{
    (void)state;
    struct delay_ring *r = calloc(1, sizeof *r);
    uint32_t id = 0;
    for (uint32_t i = 0; i < DELAY_RING; i++)
        assert_true(delay_ring_push(r, i, i));
    assert_false(delay_ring_push(r, 7, 7));
    assert_int_equal(delay_ring_take(r, 99, &id), 100);
    assert_true(delay_ring_push(r, DELAY_RING, DELAY_RING)); /* around the end */
    assert_int_equal(delay_ring_take(r, INT64_MAX, &id), DELAY_RING - 99);
    assert_int_equal(id, DELAY_RING);
    free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packets_leave_in_order_when_due),
        cmocka_unit_test(a_full_ring_says_so_and_goes_on),
    };
    return cmocka_run_group_tests_name("lab_delay", tests, NULL, NULL);
}
