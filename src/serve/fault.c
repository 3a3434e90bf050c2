/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "serve/fault.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/wr.h"
#include "dns/message.h"

enum fault { FAULT_NONE, FAULT_WRONG, FAULT_SERIAL, FAULT_NOSIG };

static const char *const fault_names[] = { "none", "wrong", "serial", "nosig" };
static _Atomic int fault_mode;
static _Atomic bool fault_hidden; /* from the proof */
static pthread_mutex_t fault_lock = PTHREAD_MUTEX_INITIALIZER;

static void set_mode(const char *name, size_t len)
{
    for (uint32_t i = 0; i < BASE_COUNT(fault_names); i++)
        if (strlen(fault_names[i]) == len && memcmp(fault_names[i], name, len) == 0)
            atomic_store(&fault_mode, (int)i);
}

void fault_init(void)
{
    const char *name = getenv("PERIGEE_FAULT_PROOF");
    if (name == NULL) {
        name = getenv("PERIGEE_FAULT");
        fault_hidden = true;
    }
    pthread_mutex_lock(&fault_lock); /* never released */
    if (name != NULL)
        set_mode(name, strlen(name));
}

static bool is(const uint8_t *label, size_t len, const char *name)
{
    return len == strlen(name) && memcmp(label, name, len) == 0;
}

void fault_before(const uint8_t *query, size_t len)
{
    static const char prefix[] = "fault-";
    const size_t skip = sizeof prefix - 1;
    if (len < 13 || query[12] > 63 || len < 13u + query[12] || query[12] <= skip ||
        memcmp(query + 13, prefix, skip) != 0)
        return;
    const uint8_t *name = query + 13 + skip;
    const size_t name_len = query[12] - skip;
    if (is(name, name_len, "spin")) {
        for (_Atomic uint32_t i = 0;; i++) {
        }
    } else if (is(name, name_len, "lock")) {
        pthread_mutex_lock(&fault_lock);
    } else if (is(name, name_len, "crash")) {
        *(_Atomic uint32_t *)8 = 1;
    } else if (is(name, name_len, "exit")) {
        _exit(3);
    } else if (is(name, name_len, "syscall")) {
        (void)!socket(AF_INET, SOCK_STREAM, 0);
    } else {
        fault_hidden = false;
        set_mode((const char *)name, name_len);
    }
}

/* Copies the message without its RRSIGs. Compression pointers stay right as long as none points into
 * or behind a record that is left out, which holds for what answer composes: names are compressed
 * against owners and NS targets, and those come before their signatures or not at all. */
static size_t without_signatures(uint8_t *answer, size_t len)
{
    uint8_t copy[DNS_MESSAGE_MAX];
    struct dns_reader d;
    struct dns_rr rr;
    if (!dns_reader_open(&d, answer, len))
        return len;
    const uint8_t *from = d.r.pos;
    size_t at = (size_t)(from - answer);
    uint16_t left[3] = { d.count[0], d.count[1], d.count[2] };
    memcpy(copy, answer, at);
    while (dns_reader_next(&d, &rr) == DNS_READER_RR) {
        const size_t n = (size_t)(d.r.pos - from);
        if (rr.type == DNS_TYPE_RRSIG) {
            left[rr.section]--;
        } else {
            memcpy(copy + at, from, n);
            at += n;
        }
        from = d.r.pos;
    }
    for (uint32_t i = 0; i < 3; i++)
        wr_put_u16(copy + 6 + 2 * i, left[i]);
    memcpy(answer, copy, at);
    return at;
}

size_t fault_after(uint8_t *answer, size_t len)
{
    const enum fault mode = (enum fault)atomic_load(&fault_mode);
    struct dns_reader d;
    struct dns_rr rr;
    if (mode == FAULT_NONE)
        return len;
    if (mode == FAULT_NOSIG)
        return without_signatures(answer, len);
    if (!dns_reader_open(&d, answer, len))
        return len;
    while (dns_reader_next(&d, &rr) == DNS_READER_RR) {
        const size_t end = (size_t)(d.r.pos - answer);
        if (mode == FAULT_WRONG && rr.section == DNS_ANSWER) {
            answer[end - 1] ^= 1;
            break;
        }
        if (mode == FAULT_SERIAL && rr.type == DNS_TYPE_SOA)
            answer[end - 17]--; /* the serial's last byte: 16 bytes of timers follow it */
    }
    return len;
}

size_t fault_after_proof(uint8_t *answer, size_t len)
{
    return fault_hidden ? len : fault_after(answer, len);
}
