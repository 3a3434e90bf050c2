/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* The spike's program: for each query of a list it does what an XDP responder does between parsing and
 * sending. Lower case, one hash per suffix from the root down, the longest suffix in the table, the
 * ordered search where the name does not exist, the fragments into the packet. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "table.h"

const volatile __u32 mode = MODE_FLAT;
const volatile __u32 guarded =
    1; /* read the sequence before and after; 0: to see the checker fail */
const volatile __u32 traced = 0;
const volatile struct shape shape;

struct chunk {
    __u8 bytes[CHUNK_BYTES];
};

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct chunk);
} flat SEC(".maps");

struct inner {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct chunk);
};

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
    __uint(max_entries, 1);
    __type(key, __u32);
    __array(values, struct inner);
} outer SEC(".maps");

struct hash_key {
    __u64 h[2];
};

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 1);
    __type(key, struct hash_key);
    __type(value, __u32);
} hashed SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct query);
} queries SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct zone_part);
} zone SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct outcome);
} outcomes SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct seen);
} trace SEC(".maps");

/* The name in lower case with zeros behind, and room to read words from any of its bytes. */
struct scratch {
    __u8 name[NAME_MAX_BYTES * 2]; /* aligned */
    __u64 raw[NAME_MAX_BYTES];     /* before mix(): the hash of what begins at each byte */
    __u32 at[LABELS_LIMIT];        /* where labels begin */
    __u32 zero;
};

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct scratch);
} scratches SEC(".maps");

struct run {
    struct xdp_md *ctx;
    __u32 begin, count;
};

static __always_inline __u8 *chunk_at(__u32 i)
{
    __u32 none = 0;
    if (mode != MODE_OUTER)
        return bpf_map_lookup_elem(&flat, &i);
    void *in = bpf_map_lookup_elem(&outer, &none);
    return in ? bpf_map_lookup_elem(in, &i) : 0;
}

/* `room` bytes at a reference; 0 when they are not there. */
static __always_inline void *ref_at(__u32 ref, __u32 room)
{
    __u32 at = ref % CHUNK_UNITS * 8;
    if (at > CHUNK_BYTES - room)
        return 0;
    asm volatile("" : "+r"(at)); /* for the verifier: what was compared is what is added */
    __u8 *chunk = chunk_at(ref / CHUNK_UNITS);
    return chunk ? chunk + at : 0;
}

static __always_inline __u64 mix(__u64 h)
{
    h ^= h >> 32;
    h *= 0xd6e8feb86659fd93ull;
    return h ^ h >> 29;
}

/* The steps below are global functions: the verifier looks at each once, whatever calls it.
 *
 * Lower case, eight bytes at a time (length bytes are below `A`), then the labels from the left.
 * Returns how many labels there are; LABELS_LIMIT: too many. */
__noinline int parse(const struct query *q, struct scratch *s)
{
    const __u64 ones = 0x0101010101010101ull;
    __u32 next = 0;
    if (!q || !s)
        return 0;
    for (__u32 w = 0; w < NAME_MAX_BYTES / 8; w++) {
        __u64 x = ((const __u64 *)q->wire)[w], seven = x & 0x7f * ones;
        __u64 upper = ~x & 0x80 * ones & ((seven + 0x3f * ones) ^ (seven + 0x25 * ones));
        ((__u64 *)s->name)[w] = x | upper >> 2;
    }
    for (__u32 i = 0; i < LABELS_LIMIT; i++) {
        __u32 len = s->name[next & (NAME_MAX_BYTES - 1)];
        if (len == 0)
            return i;
        s->at[i] = next;
        next += 1 + len;
    }
    return LABELS_LIMIT;
}

/* From the root down, so that one pass makes the hashes of all suffixes. */
__noinline int hash_suffixes(struct scratch *s, __u32 len)
{
    __u64 h = 0xcbf29ce484222325ull;
    if (!s)
        return 0;
    for (__u32 i = 0; i < NAME_MAX_BYTES; i++) {
        if (i >= len)
            break;
        __u32 at = (len - 1 - i) & (NAME_MAX_BYTES - 1);
        h = (h ^ s->name[at]) * 0x100000001b3ull;
        s->raw[at] = h;
    }
    return 0;
}

static __always_inline struct record *record_at(__u32 ref)
{
    return ref_at(ref, RECORD_MAX);
}

static __always_inline int same_name(const struct scratch *s, __u32 at, __u32 len,
                                     const struct record *r)
{
    if (r->name_len != len - at)
        return 0;
    __u32 left = len - at;
    asm volatile("" : "+r"(at)); /* for the verifier: it forgets the bound over spills */
    at &= NAME_MAX_BYTES - 1;
    for (__u32 w = 0; w < NAME_MAX_BYTES / 8; w++) {
        if (w * 8 >= left)
            break;
        if (*(const __u64 *)(s->name + at + w * 8) != r->name[w])
            return 0;
    }
    return 1;
}

/* The reference of the record whose name begins at byte `at`; 0: there is none. */
__noinline int find(const struct scratch *s, __u32 at, __u32 len)
{
    if (!s)
        return 0;
    __u64 h = mix(s->raw[at & (NAME_MAX_BYTES - 1)]);
    if (mode == MODE_HASH) {
        struct hash_key key = { { h, mix(h + 1) } };
        __u32 *ref = bpf_map_lookup_elem(&hashed, &key);
        struct record *r = ref ? record_at(*ref) : 0;
        return r && same_name(s, at, len, r) ? *ref : 0;
    }
    __u32 bucket = (__u32)h & (shape.buckets - 1), tag = (__u32)(h >> 32);
    __u32 ref = (shape.first_bucket + bucket / BUCKETS_PER_CHUNK) * CHUNK_UNITS +
                bucket % BUCKETS_PER_CHUNK * (BUCKET_BYTES / 8);
    const volatile __u64 *e = ref_at(ref, BUCKET_BYTES);
    if (!e)
        return 0;
    for (__u32 i = 0; i < BUCKET_ENTRIES; i++) {
        __u64 entry = e[i];
        if (entry == 0)
            return 0; /* entries are kept together */
        if ((__u32)(entry >> 32) != tag)
            continue;
        struct record *r = record_at((__u32)entry);
        if (r && same_name(s, at, len, r))
            return (__u32)entry;
    }
    return 0;
}

static __always_inline __u64 head_of(const struct scratch *s, __u32 at)
{
    __u64 head = 0;
    asm volatile("" : "+r"(at));
    at &= NAME_MAX_BYTES - 1;
    __u32 label = s->name[at];
    for (__u32 i = 0; i < 8; i++)
        head = head << 8 | (i < label ? s->name[at + 1 + i] : 0);
    return head;
}

/* The last of `count` numbers from `ref` on that is not above `head`; `lo` is 0, but the verifier must
 * not know, or it follows each way through the steps. They have no branch that depends on the data. */
static __always_inline __u32 last_not_above(__u32 ref, __u32 count, __u64 head, __u32 lo,
                                            const __u32 steps)
{
    for (__u32 i = 0; i < steps; i++) {
        __u32 half = 1u << (steps - 1 - i), at = lo + half;
        __u32 inside = (at - count) >> 31;
        const __u64 *p = ref_at(ref + (at & -inside), 8);
        if (!p)
            return lo;
        __u64 v = *p, borrow = ((~head & v) | ((~head | v) & (head - v))) >> 63;
        lo += half & -(inside & (__u32)(1 - borrow));
    }
    return lo;
}

/* The reference of the record of the gap that a name falls into, by its label below the zone. */
__noinline int find_gap(const struct scratch *s, __u32 at)
{
    if (!s)
        return 0;
    __u64 head = head_of(s, at);
    __u32 top = last_not_above(shape.order_top, shape.order_tops, head, s->zero, 14);
    __u32 in = top * ORDER_BLOCK, left = shape.order_count - in;
    __u32 i = in + last_not_above(shape.order_heads + in, left < ORDER_BLOCK ? left : ORDER_BLOCK,
                                  head, s->zero, 6);
    const __u64 *same = ref_at(shape.order_heads + i, 8);
    if (!same || *same == head)
        return 0; /* eight bytes do not tell: user space */
    const __u32 *ref = ref_at(shape.order_refs + i / 2, 8);
    return ref ? ref[i & 1] : 0;
}

static __always_inline const void *payload(const struct record *r)
{
    __u32 name = r->name_len;
    asm volatile("" : "+r"(name));
    return (const __u8 *)r + sizeof *r + ((name + 7) & 0x78);
}

static __always_inline int put(struct xdp_md *ctx, __u32 at, const struct record *r)
{
    __u32 len = r->len;
    asm volatile("" : "+r"(len));
    if (len == 0 || len > PAYLOAD_MAX)
        return 0;
    return bpf_xdp_store_bytes(ctx, at, (void *)payload(r), len) == 0;
}

static __always_inline __u32 tail_of(const struct record *r)
{
    __u32 len = r->len;
    asm volatile("" : "+r"(len));
    if (len > PAYLOAD_MAX)
        return 0;
    return *(const volatile __u32 *)((const __u8 *)payload(r) + len);
}

static long one(__u32 i, void *arg)
{
    struct run *run = arg;
    __u32 none = 0, which = run->begin + i;
    struct scratch *s = bpf_map_lookup_elem(&scratches, &none);
    const struct query *q = bpf_map_lookup_elem(&queries, &which);
    const volatile struct zone_part *z = bpf_map_lookup_elem(&zone, &none);
    struct outcome *o = bpf_map_lookup_elem(&outcomes, &none);
    if (!s || !q || !z || !o)
        return 1;
    __u64 sequence = z->sequence;
    __u32 labels = parse(q, s), len = q->len;
    if (guarded && (sequence & 1)) {
        o->passed++;
        return 0;
    }
    hash_suffixes(s, len);
    struct record *r = 0, *soa = 0;
    __u32 ref = 0, hit = 0;
    for (__u32 k = 0; k < 4; k++) {
        if (k + shape.zone_labels >= labels)
            break;
        hit = k;
        ref = find(s, s->at[k], len);
        if (ref)
            break;
    }
    r = ref ? record_at(ref) : 0;
    __u32 kind = r ? r->kind : RECORD_EXISTS;
    if (kind == RECORD_EXISTS || (kind == RECORD_POSITIVE && hit != 0)) {
        kind = 0; /* a denial: the gap's record, if the zone is signed, and the zone's part */
        r = 0;
        if (shape.order_count) {
            ref = find_gap(s, s->at[(labels - shape.zone_labels - 1) & (LABELS_LIMIT - 1)]);
            r = ref ? record_at(ref) : 0;
            if (!r)
                kind = RECORD_ASK;
        }
        soa = record_at(z->soa);
    }
    __u32 from = r ? *(volatile __u32 *)&r->from : 0;
    __u32 soa_from = soa ? *(volatile __u32 *)&soa->from : 0;
    if (kind == RECORD_ASK || (r && !put(run->ctx, 64, r)) || (soa && !put(run->ctx, 64, soa))) {
        o->passed++;
        return 0;
    }
    __u32 from_end = r ? tail_of(r) : 0;
    asm volatile("" ::: "memory");
    if (guarded && z->sequence != sequence) {
        o->passed++;
        return 0;
    }
    if (from != from_end)
        o->torn++;
    o->answered[kind & 3]++;
    if (traced) {
        struct seen *seen = bpf_map_lookup_elem(&trace, &which);
        if (seen)
            *seen = (struct seen){ which, from, soa_from, kind + 1 };
    }
    return 0;
}

SEC("xdp")
int table_run(struct xdp_md *ctx)
{
    void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
    if (data + 16 > end)
        return XDP_ABORTED;
    struct run run = { ctx, ((__u32 *)data)[0], ((__u32 *)data)[1] };
    bpf_loop(run.count, one, &run, 0);
    return XDP_PASS;
}

char licence_of_program[] SEC("license") = "GPL";
