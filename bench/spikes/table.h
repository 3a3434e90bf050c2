/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
#ifndef SPIKES_TABLE_H
#define SPIKES_TABLE_H

/* What the spike's BPF program and its user space agree on: compiled by both. */

/* The table is an mmapable ARRAY of chunks, so that no value is larger than older kernels allow. A
 * reference is a position in units of 8 bytes; nothing crosses a chunk. */
#define CHUNK_BYTES (1u << 20)
#define CHUNK_UNITS (CHUNK_BYTES / 8)
#define NAME_MAX_BYTES 64 /* longer names are left to user space */
#define LABELS_LIMIT 8
#define PAYLOAD_MAX 1400
#define RECORD_MAX 1600 /* a record with the largest name and payload, and something over */

/* Two cache lines that are fetched together. An entry is tag << 32 | reference; 0: free. */
#define BUCKET_ENTRIES 16
#define BUCKET_BYTES (BUCKET_ENTRIES * 8)
#define BUCKETS_PER_CHUNK (CHUNK_BYTES / BUCKET_BYTES)

enum record_kind {
    RECORD_POSITIVE = 1, /* the name's own answer */
    RECORD_CUT,          /* a referral, for this name and all below */
    RECORD_EXISTS,       /* only says that the name exists: what is below does not */
    RECORD_ASK,          /* user space answers */
};

struct record {
    __u32 from; /* the version since which it holds; again behind the payload, to see torn reads */
    __u16 len;  /* bytes of payload */
    __u8 name_len;
    __u8 kind;
    __u64 name[]; /* lower case wire form, zeros up to a multiple of 8; payload; from again */
};

/* The zone's own record: what an update replaces once for all answers of the zone. */
struct zone_part {
    __u64 sequence; /* odd while an update is being published */
    __u32 soa;      /* reference of the record with SOA, its signature and the wildcard's denial */
    __u32 zero;
};

/* Ordered search: heads of canonical keys, eight bytes each as a number that orders like them; every
 * 64th one again in the top array. */
#define ORDER_BLOCK 64

struct query {
    __u8 wire[NAME_MAX_BYTES];
    __u8 len, zero[7];
};

struct outcome {
    __u64 answered[5]; /* by enum record_kind; [0]: denials */
    __u64 passed, torn, zero;
};

/* One answered query, for the checker. */
struct seen {
    __u32 query, name_from, soa_from, kind; /* soa_from: of the zone part, when the answer has it */
};

enum table_mode { MODE_FLAT, MODE_HASH, MODE_OUTER };

struct shape {
    __u32 buckets;     /* a power of two */
    __u32 zone_labels; /* labels of the zone's origin; queries have more */
    __u32 order_top;   /* reference of the first top head; 0: no ordered search */
    __u32 order_tops;  /* how many */
    __u32 order_heads; /* reference of the first head */
    __u32 order_count;
    __u32 order_refs;   /* reference of the first u32 reference of a gap's record */
    __u32 first_bucket; /* chunk */
};

#endif
