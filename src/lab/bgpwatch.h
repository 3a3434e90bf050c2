/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LAB_BGPWATCH_H
#define LAB_BGPWATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The judge on the wire: frames of a BGP session in, UPDATEs out. Own code on purpose, apart from the
 * bgp room: it must not share that room's mistakes. Pure: no clock, no socket.
 *
 * Takes Ethernet frames with IPv4 or IPv6 and TCP, puts each direction's stream together (overlaps
 * trimmed; after a hole it looks for the next marker, RFC 4271 section 4.1), and reports messages. */
enum bgpwatch_kind {
    BGPWATCH_OPEN = 1,
    BGPWATCH_UPDATE,
    BGPWATCH_NOTIFICATION,
    BGPWATCH_CLOSED, /* FIN or RST */
};

struct bgpwatch_event {
    int64_t at_ns;
    enum bgpwatch_kind kind;
    bool by_first;  /* the sender is the address given to bgpwatch_init() */
    uint8_t family; /* of an UPDATE's prefixes: 4, 6, 0: none (End-of-RIB); else of the session */
    uint16_t announced, withdrawn; /* prefixes */
    uint16_t path_len;             /* AS numbers in AS_PATH */
    bool graceful_shutdown;        /* community 65535:0 (RFC 8326) */
    uint8_t code, subcode;         /* of a NOTIFICATION */
    uint16_t connection;           /* its port that is not 179: tells two of a collision apart */
};

typedef void bgpwatch_fn(void *arg, const struct bgpwatch_event *ev);

#define BGPWATCH_STREAMS 8
#define BGPWATCH_BUFFER 8192

struct bgpwatch_stream {
    bool used, synced;
    uint8_t src[16], dst[16]; /* IPv4 in the first four bytes, the rest zero */
    uint16_t sport, dport;
    uint8_t family;
    uint32_t next_seq;
    uint32_t len;
    uint64_t touched;
    uint8_t buf[BGPWATCH_BUFFER];
};

struct bgpwatch {
    uint8_t first4[4], first6[16];
    bgpwatch_fn *fn;
    void *arg;
    uint64_t frames, holes;
    struct bgpwatch_stream stream[BGPWATCH_STREAMS];
};

/* `first4` and `first6`: the addresses of the node, so that events say who spoke. */
void bgpwatch_init(struct bgpwatch *w, const uint8_t first4[4], const uint8_t first6[16],
                   bgpwatch_fn *fn, void *arg);

/* One frame, as captured. What is no TCP on port 179 is passed over. */
void bgpwatch_frame(struct bgpwatch *w, const uint8_t *frame, size_t len, int64_t at_ns);

/* A pcap file (either byte order, microseconds or nanoseconds) frame by frame; `at_ns` is the file's
 * time. False when it is no such file or breaks off. */
typedef void pcap_fn(void *arg, const uint8_t *frame, size_t len, int64_t at_ns);
bool pcap_walk(const uint8_t *bytes, size_t len, pcap_fn *fn, void *arg);

/* The 24 and 16 bytes in front of a file and of a frame (nanoseconds, Ethernet, host byte order). */
#define PCAP_HEADER_LEN 24
#define PCAP_FRAME_LEN 16
void pcap_header(uint8_t out[PCAP_HEADER_LEN]);
void pcap_frame(uint8_t out[PCAP_FRAME_LEN], int64_t wall_ns, uint32_t kept, uint32_t len);

#endif
