/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SERVE_FAULT_H
#define SERVE_FAULT_H

/* Faults on purpose, for tests and demonstrations. Only in a build with -Dfaults=true; in any other
 * these are empty and cost nothing.
 *
 * A query whose first label is one of these makes the worker that reads it (whatever the zone):
 *     fault-spin     loop for ever
 *     fault-lock     wait for a lock that nobody releases
 *     fault-crash    write to address 8
 *     fault-exit     end the process with status 3
 *     fault-syscall  call what the sandbox forbids
 *     fault-wrong    change a byte of the first record of each answer from now on, in this process
 *     fault-serial   give the serial of SOA records one too low
 *     fault-nosig    leave the signatures out
 *     fault-none     answer rightly again
 * The environment variable PERIGEE_FAULT (wrong, serial, nosig) sets one of the last in every process
 * from the start, unseen by the proof before "ready"; PERIGEE_FAULT_PROOF the same, and the proof sees
 * it too. */
#include <stddef.h>
#include <stdint.h>

#ifdef PERIGEE_FAULTS
void fault_init(void);
void fault_before(const uint8_t *query, size_t len);
size_t fault_after(uint8_t *answer, size_t len);       /* of a worker */
size_t fault_after_proof(uint8_t *answer, size_t len); /* of the process's proof to itself */
#else
static inline void fault_init(void)
{
}
static inline void fault_before(const uint8_t *query, size_t len)
{
    (void)query;
    (void)len;
}
static inline size_t fault_after(uint8_t *answer, size_t len)
{
    (void)answer;
    return len;
}
static inline size_t fault_after_proof(uint8_t *answer, size_t len)
{
    (void)answer;
    return len;
}
#endif

#endif
