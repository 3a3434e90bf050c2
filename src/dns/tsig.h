/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DNS_TSIG_H
#define DNS_TSIG_H

#include <nettle/hmac.h>
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
#define TSIG_UNSIGNED_MAX 99 /* messages of a stream between two signed ones (section 5.3.1) */
#define TSIG_ERROR_BADSIG 16
#define TSIG_ERROR_BADKEY 17
#define TSIG_ERROR_BADTIME 18
#define TSIG_ERROR_BADTRUNC 22

struct tsig_key {
    struct dns_name name;
    enum tsig_algorithm algorithm;
    uint8_t
        mac_min; /* bytes of the shortest MAC that is taken; 0: what section 5.2.2.1 allows, half */
    uint16_t secret_len;
    uint8_t secret[TSIG_SECRET_MAX];
};

/* "hmac-sha256", with or without the final dot, in any case. */
bool tsig_algorithm_parse(enum tsig_algorithm *a, const char *text) BASE_MUST_USE;
const char *tsig_algorithm_name(enum tsig_algorithm a);

/* A key from text: its name, its algorithm, the secret in base64 (white space is passed over). Returns
 * NULL, or what is wrong. */
const char *tsig_key_parse(struct tsig_key *k, const char *name, const char *algorithm,
                           const char *secret) BASE_MUST_USE;

/* One exchange: a request and its response of one or more messages (section 5.3). May be copied. */
struct tsig {
    const struct tsig_key *key; /* borrowed; NULL: the exchange is not signed */
    uint8_t mac[TSIG_MAC_MAX];  /* of the message before, as it was on the wire */
    uint8_t mac_len;
    bool response;           /* what is signed or verified next is of the response */
    bool first_done;         /* and not its first message */
    bool pending;            /* the digest of the next signature has begun, in `room` */
    bool ended_signed;       /* the last message was a signed one */
    uint16_t unsigned_count; /* messages since the last signed one */
    /* Server: the error in the request that the response will tell. Client: the one that a response
     * told. TSIG_ERROR_*, or 0. */
    uint16_t error;
    uint16_t fudge_s; /* of the request that had BADTIME, and */
    int64_t time_s;   /* its time; client: the server's, when that told BADTIME */
    union {
        struct hmac_sha256_ctx sha256; /* nettle's are of a fixed size and own nothing */
        struct hmac_sha512_ctx sha512; /* -384 too */
        struct {
            uint8_t name_len, algorithm_len, name[DNS_NAME_MAX], algorithm[DNS_NAME_MAX];
        } unknown; /* the key of a request with BADKEY: the response repeats it */
    } room;
};

enum tsig_status {
    TSIG_OK,       /* verified */
    TSIG_ABSENT,   /* the message has none, and should */
    TSIG_UNSIGNED, /* a message in the middle of a stream without one, which is allowed */
    TSIG_FORMERR,  /* not the last record, several, broken */
    TSIG_BADKEY,   /* unknown key or algorithm */
    TSIG_BADSIG,
    TSIG_BADTIME,
    TSIG_BADTRUNC,
    TSIG_TOLD, /* client: the server found an error in what was signed: t->error */
};
const char *tsig_status_text(enum tsig_status s);
/* "BADKEY", …; "error 23" for others. */
const char *tsig_error_text(uint16_t error);

/* Finds the key by name; NULL: unknown. */
typedef const struct tsig_key *tsig_find(void *arg, const struct dns_name *name);

/* Server: looks at a request. On TSIG_OK the exchange is signed and *body_len is the message's length
 * without the TSIG, whose count in the header of `msg` is already one less: so that the message can be
 * read as if it had none. Its id stays the one it came with, which may be a forwarder's (section 5.5).
 * TSIG_ABSENT: *body_len is `len` and the exchange is unsigned. On other errors *t is ready for
 * tsig_sign() of an error response, NOTAUTH (FORMERR for TSIG_FORMERR), which carries the TSIG that
 * section 5.3.2 asks for; *body_len is the length without the TSIG if one was found, else `len`. */
enum tsig_status tsig_verify_request(struct tsig *t, uint8_t *msg, size_t len, tsig_find *find,
                                     void *arg, wall_t now, size_t *body_len);

/* Client: begins an exchange with `key` (NULL: unsigned; then the calls below do nothing). */
void tsig_begin(struct tsig *t, const struct tsig_key *key);

/* Appends a TSIG to the message of `len` bytes in `msg` and counts it in the header; returns the new
 * length, 0 when `cap` is too small (TSIG_ROOM is always enough). For requests and responses alike, each
 * message of a stream in turn. An unsigned exchange returns `len`. */
#define TSIG_ROOM (DNS_NAME_MAX + 10 + DNS_NAME_MAX + 16 + TSIG_MAC_MAX + 6)
size_t tsig_sign(struct tsig *t, uint8_t *msg, size_t len, size_t cap, wall_t now);
/* How many bytes the next tsig_sign() will add. */
size_t tsig_size(const struct tsig *t);

/* Client: looks at the next message of the response; the first must be signed, and so must the last: call
 * tsig_may_end() when the stream is over. *body_len as above. In an unsigned exchange always TSIG_OK. */
enum tsig_status tsig_verify_response(struct tsig *t, uint8_t *msg, size_t len, wall_t now,
                                      size_t *body_len);
/* Whether the last message of the stream was a signed one (section 5.3.1). */
bool tsig_may_end(const struct tsig *t);

#endif
