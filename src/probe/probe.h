/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef PROBE_PROBE_H
#define PROBE_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/addr.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/time.h"
#include "dns/name.h"

/* A DNS client on a libuv loop: many questions in flight, each with its own socket (so its own source
 * port, and the kernel's errors come back to it), each answered exactly once, with an answer or with
 * the reason why there is none. One thread: the loop's. For a few thousand questions a second; it is
 * no load generator. */

#define PROBE_NSID_MAX 128 /* bytes of an NSID that are kept; longer ones are cut */

enum probe_status {
    PROBE_ANSWERED, /* a whole message, which belongs to the query; nothing said about its content */
    PROBE_TIMEOUT,  /* nothing (that belongs to the query) came in time */
    PROBE_REFUSED,  /* ICMP port unreachable, or the connection was refused */
    PROBE_UNREACHABLE, /* no way there: no route, no such address here, prohibited */
    PROBE_CLOSED,      /* TCP: closed before the whole answer had come */
    PROBE_SOURCE,      /* UDP: a response with our id and question came, from another address */
    PROBE_BROKEN,      /* TCP: what came is no response to the query */
    PROBE_FULL,        /* too many in flight; nothing was sent */
    PROBE_NO_SOCKET,   /* no descriptor, port or memory was left */
};
#define PROBE_STATUS_COUNT (PROBE_NO_SOCKET + 1)
/* "answered", "timeout", … */
const char *probe_status_name(enum probe_status status);

struct probe_question {
    union addr addr; /* with its port */
    bool tcp;
    union addr source;     /* sa_family AF_UNSPEC (0): the kernel chooses */
    struct dns_name qname; /* the case of its letters is mixed at random on the wire and must come
                              back so, unless keep_case */
    uint16_t qtype, qclass;
    bool keep_case;
    bool reset; /* TCP: end with a reset, so that the port is free again at once: for a service of
                   our own that is asked many times a second */
    bool rd;
    bool edns; /* with an OPT; the next three count only then */
    bool dnssec_ok, nsid;
    uint16_t udp_payload;
    uint32_t timeout_ms; /* for the whole exchange, TCP's handshake included */
};

struct probe_answer {
    enum probe_status status;
    int sys_errno;               /* of REFUSED, UNREACHABLE, CLOSED, NO_SOCKET; else 0 */
    mono_t sent_at, received_at; /* the last byte of the query; of the answer (or of giving up) */
    uint32_t rtt_us;             /* between the two; with TCP the handshake is not in it */
    uint32_t connect_us;         /* TCP: the handshake; else 0 */
    uint32_t stray;              /* datagrams that came and did not belong to the query */
    const uint8_t *msg;          /* ANSWERED: the message, borrowed until the callback returns */
    size_t len;
    union addr from; /* SOURCE: who sent it */
};

/* Called once per probe_ask() that returned true, never before that returns, always from the loop. It
 * may call probe_ask(). */
typedef void probe_done(void *arg, const struct probe_question *q, const struct probe_answer *a);

struct probe_client;

/* `in_flight_max` bounds descriptors and memory; `seed` decides ids and letters' case (not secret:
 * read it from the kernel, or fix it in a test). The caller owns the result. */
struct probe_client *probe_client_new(uv_loop_t *loop, uint32_t in_flight_max, uint64_t seed,
                                      struct err *e) BASE_MUST_USE;

/* Gives up what is in flight, without calling back. libuv ends handles in its own time: the memory is
 * released when the loop has run their close callbacks. */
void probe_client_free(struct probe_client *c);

/* Copies *q, sends, and will call `done(arg, …)`. The only false is PROBE_FULL: then nothing is
 * called and nothing was sent. */
bool probe_ask(struct probe_client *c, const struct probe_question *q, probe_done *done,
               void *arg) BASE_MUST_USE;

/* Questions that have been asked and not been called back for. */
uint32_t probe_in_flight(const struct probe_client *c);

/* ---- the pure part (probe/message.c): no socket, no clock ---- */

/* Writes the query with this id, letters of QNAME mixed by the bits of `mix` (RFC 4343 lets any case
 * through; draft-vixie-dnsext-dns0x20). Returns its length; `out` has room for 512. */
size_t probe_query_write(const struct probe_question *q, uint16_t id, uint64_t mix, uint8_t *out,
                         size_t cap);

/* Whether `msg` is a response to the query `query` of `query_len` bytes: a header with QR, the same
 * id and opcode, and the very same question, letter for letter. Responses without a question are
 * taken when their RCODE is FORMERR, NOTIMP or REFUSED (a server that cannot read queries may leave
 * it out). */
bool probe_response_belongs(const uint8_t *query, size_t query_len, const uint8_t *msg, size_t len);

/* What a person wants to see of a response. False when it is broken. */
struct probe_summary {
    uint16_t rcode; /* the EDNS bits included */
    bool aa, tc, ad, edns;
    uint16_t answers, authority, additional; /* records, the OPT included */
    bool has_nsid;
    uint8_t nsid_len;
    uint8_t nsid[PROBE_NSID_MAX];
    bool has_serial; /* a SOA in answer or authority */
    uint32_t serial;
    char text[256]; /* CHAOS: the first TXT string, bytes that do not print as \DDD; else empty */
};
bool probe_summary_read(const uint8_t *msg, size_t len, struct probe_summary *s) BASE_MUST_USE;

/* An NSID as text: itself when it prints, else hexadecimal. */
#define PROBE_NSID_TEXT_MAX (2 * PROBE_NSID_MAX + 1)
const char *probe_nsid_text(const uint8_t *nsid, size_t len, char buf[PROBE_NSID_TEXT_MAX]);

#endif
