/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DNS_TSIG_H
#define DNS_TSIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "base/time.h"
#include "dns/name.h"

/* Transaction signatures (RFC 8945), with HMAC-SHA-256, -384 and -512; SHA-1, SHA-224 and MD5 are not
 * spoken. Pure: the time is an argument. */
enum tsig_algorithm { TSIG_HMAC_SHA256, TSIG_HMAC_SHA384, TSIG_HMAC_SHA512, TSIG_ALGORITHMS };

#define TSIG_SECRET_MAX 512
#define TSIG_MAC_MAX 64
#define TSIG_FUDGE_S 300
#define TSIG_ERROR_BADSIG 16
#define TSIG_ERROR_BADKEY 17
#define TSIG_ERROR_BADTIME 18
#define TSIG_ERROR_BADTRUNC 22

struct tsig_key {
    struct dns_name name;
    enum tsig_algorithm algorithm;
    uint16_t secret_len;
    uint8_t secret[TSIG_SECRET_MAX];
};

/* "hmac-sha256", with or without the final dot, in any case. */
bool tsig_algorithm_parse(enum tsig_algorithm *a, const char *text) BASE_MUST_USE;
const char *tsig_algorithm_name(enum tsig_algorithm a);

/* One exchange: a request and its response of one or more messages (section 5.3). */
struct tsig {
    const struct tsig_key *key; /* borrowed; NULL: the exchange is not signed */
    uint8_t mac[TSIG_MAC_MAX];  /* of the message before */
    uint8_t mac_len;
    uint16_t error;          /* TSIG_ERROR_* of what was received, for the response; 0 */
    bool first_done;         /* the response's first message has been signed or verified */
    uint16_t unsigned_count; /* messages since the last signed one, at most 99 (section 5.3.1) */
    struct tsig_pending
        *pending; /* what the digest of the next signature has seen so far: in `room` */
    _Alignas(16) uint8_t room[512];
};

enum tsig_status {
    TSIG_OK,       /* verified */
    TSIG_ABSENT,   /* the message has none */
    TSIG_UNSIGNED, /* a message in the middle of a stream without one, which is allowed */
    TSIG_FORMERR,  /* not the last record, several, broken */
    TSIG_BADKEY,   /* unknown key or algorithm */
    TSIG_BADSIG,
    TSIG_BADTIME,
    TSIG_BADTRUNC,
};
const char *tsig_status_text(enum tsig_status s);

/* Finds the key by name; NULL: unknown. */
typedef const struct tsig_key *tsig_find(void *arg, const struct dns_name *name);

/* Server: looks at a request. On TSIG_OK the exchange is signed and *body_len is the message's length
 * without the TSIG, whose count in the header of `msg` is already one less, as is the id the original
 * one: so that the message can be read as if it had none. On other errors than ABSENT *t is ready for
 * tsig_sign() of an error response, which carries the TSIG that section 5.3.2 asks for. */
enum tsig_status tsig_verify_request(struct tsig *t, uint8_t *msg, size_t len, tsig_find *find,
                                     void *arg, wall_t now, size_t *body_len);

/* Client: begins an exchange with `key` (NULL: unsigned; then the calls below do nothing). */
void tsig_begin(struct tsig *t, const struct tsig_key *key);

/* Appends a TSIG to the message of `len` bytes in `msg` and counts it in the header; returns the new
 * length, 0 when `cap` is too small (TSIG_ROOM is always enough). For requests and responses alike, each
 * message of a stream in turn. An unsigned exchange returns `len`. */
#define TSIG_ROOM (DNS_NAME_MAX + 10 + DNS_NAME_MAX + 16 + TSIG_MAC_MAX + 6)
size_t tsig_sign(struct tsig *t, uint8_t *msg, size_t len, size_t cap, wall_t now);

/* Client: looks at the next message of the response. `last` messages must be signed; so must the first.
 * Call tsig_may_end() when the stream is over. */
enum tsig_status tsig_verify_response(struct tsig *t, uint8_t *msg, size_t len, wall_t now,
                                      size_t *body_len);
/* Whether the last message of the stream was a signed one (section 5.3.1). */
bool tsig_may_end(const struct tsig *t);

#endif
