/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Domain names on the wire, as text, in canonical order (RFC 1035, 4034, 4343). */
#include <string.h>

#include "dns/name.h"

/* ASCII letters only (RFC 4343 section 3): every other byte is itself, whatever the locale. */
static inline uint8_t lower(uint8_t c)
{
    return (uint8_t)(c - 'A') < 26 ? (uint8_t)(c | 0x20) : c;
}

static inline void name_begin(struct dns_name *n)
{
    n->len = 0;
    n->labels = 0;
}

/* Appends a label's length byte and bytes; false when the name would exceed 255 bytes with a root
 * label behind it. */
static bool name_append(struct dns_name *n, const uint8_t *label, uint8_t len)
{
    if ((size_t)n->len + 1 + len + 1 > DNS_NAME_MAX)
        return false;
    n->label_at[n->labels++] = n->len;
    n->wire[n->len] = len;
    memcpy(n->wire + n->len + 1, label, len);
    n->len = (uint8_t)(n->len + 1 + len);
    return true;
}

/* There is always room: name_append() keeps a byte free. */
static void name_end(struct dns_name *n)
{
    n->label_at[n->labels] = n->len;
    n->wire[n->len++] = 0;
}

bool dns_name_parse(struct dns_name *n, struct rd *r)
{
    size_t left = r->bad ? 0 : rd_left(r), at = 0;
    if (left > DNS_NAME_MAX)
        left = DNS_NAME_MAX;
    n->labels = 0;
    while (at < left) {
        uint8_t len = r->pos[at];
        n->label_at[n->labels] = (uint8_t)at;
        if (len == 0) {
            n->len = (uint8_t)(at + 1);
            memcpy(n->wire, r->pos, n->len);
            r->pos += n->len;
            return true;
        }
        if (len > DNS_LABEL_MAX || n->labels == DNS_LABELS_MAX)
            break;
        n->labels++;
        at += 1u + len;
    }
    name_begin(n);
    r->bad = true;
    return false;
}

bool dns_name_parse_compressed(struct dns_name *n, struct rd *r, const uint8_t *msg, size_t msg_len)
{
    struct rd here = *r; /* reads labels; r itself stops behind the first pointer */
    bool jumped = false;
    size_t limit = r->bad ? 0 : (size_t)(r->pos - msg); /* a pointer must go before this */
    name_begin(n);
    for (;;) {
        uint8_t len = rd_u8(&here);
        if (here.bad)
            break;
        if (len >= 0xc0) {
            size_t to = (size_t)(len & 0x3f) << 8 | rd_u8(&here);
            if (here.bad || to >= limit || to >= msg_len)
                break;
            if (!jumped)
                r->pos = here.pos;
            jumped = true;
            limit = to;
            here = rd_init(msg + to, msg_len - to);
            continue;
        }
        if (len == 0) {
            name_end(n);
            if (!jumped)
                r->pos = here.pos;
            return true;
        }
        const uint8_t *label = len <= DNS_LABEL_MAX ? rd_bytes(&here, len) : NULL;
        if (label == NULL || !name_append(n, label, len))
            break;
    }
    r->bad = true;
    return false;
}

/* One byte of text, or an escape of RFC 1035 section 5.1; NULL when the escape is broken. */
static const char *text_byte(const char *s, uint8_t *byte)
{
    if (*s != '\\') {
        *byte = (uint8_t)*s;
        return s + 1;
    }
    s++;
    if (*s == '\0')
        return NULL;
    if (*s < '0' || *s > '9') {
        *byte = (uint8_t)*s;
        return s + 1;
    }
    unsigned v = 0;
    for (int i = 0; i < 3; i++, s++) {
        if (*s < '0' || *s > '9')
            return NULL;
        v = v * 10 + (unsigned)(*s - '0');
    }
    *byte = (uint8_t)v;
    return v <= 255 ? s : NULL;
}

bool dns_name_from_text(struct dns_name *n, const char *text)
{
    name_begin(n);
    if (text[0] == '.' && text[1] == '\0') {
        name_end(n);
        return true;
    }
    uint8_t label[DNS_LABEL_MAX], len = 0;
    const char *s = text;
    while (*s != '\0') {
        if (*s == '.') {
            if (len == 0 || !name_append(n, label, len))
                return false;
            len = 0;
            s++;
            continue;
        }
        if (len == DNS_LABEL_MAX)
            return false;
        s = text_byte(s, &label[len++]);
        if (s == NULL)
            return false;
    }
    if (len != 0 && !name_append(n, label, len))
        return false;
    if (n->labels == 0)
        return false; /* no text at all */
    name_end(n);
    return true;
}

const char *dns_name_text(const struct dns_name *n, char buf[DNS_TEXT_MAX])
{
    char *t = buf;
    if (n->labels == 0)
        *t++ = '.';
    for (unsigned i = 0; i < n->labels; i++) {
        const uint8_t *label = n->wire + n->label_at[i];
        for (unsigned k = 1; k <= label[0]; k++) {
            uint8_t c = label[k];
            if (c <= ' ' || c >= 127) {
                *t++ = '\\';
                *t++ = (char)('0' + c / 100);
                *t++ = (char)('0' + c / 10 % 10);
                *t++ = (char)('0' + c % 10);
                continue;
            }
            if (strchr(".\\\"();@$", c) != NULL)
                *t++ = '\\';
            *t++ = (char)c;
        }
        *t++ = '.';
    }
    *t = '\0';
    return buf;
}

/* Length bytes are at most 63 and so no letters: names can be compared without looking at labels.
 * Eight bytes at a time when they are the same, which they mostly are. */
static bool equal_bytes(const uint8_t *a, const uint8_t *b, size_t len)
{
    size_t i = 0;
    for (; i + 8 <= len; i += 8) {
        if (memcmp(a + i, b + i, 8) == 0)
            continue;
        for (size_t k = i; k < i + 8; k++)
            if (lower(a[k]) != lower(b[k]))
                return false;
    }
    for (; i < len; i++)
        if (lower(a[i]) != lower(b[i]))
            return false;
    return true;
}

bool dns_name_equal(const struct dns_name *a, const struct dns_name *b)
{
    return a->len == b->len && equal_bytes(a->wire, b->wire, a->len);
}

bool dns_name_is_under(const struct dns_name *n, const struct dns_name *ancestor)
{
    if (n->labels < ancestor->labels)
        return false;
    uint8_t at = n->label_at[n->labels - ancestor->labels];
    return n->len - at == ancestor->len && equal_bytes(n->wire + at, ancestor->wire, ancestor->len);
}

int dns_name_compare(const struct dns_name *a, const struct dns_name *b)
{
    unsigned la = a->labels, lb = b->labels;
    while (la > 0 && lb > 0) {
        const uint8_t *x = a->wire + a->label_at[--la], *y = b->wire + b->label_at[--lb];
        unsigned len = x[0] < y[0] ? x[0] : y[0];
        for (unsigned i = 1; i <= len; i++) {
            int d = lower(x[i]) - lower(y[i]);
            if (d != 0)
                return d;
        }
        if (x[0] != y[0])
            return x[0] - y[0];
    }
    return (int)la - (int)lb;
}

size_t dns_name_key(const struct dns_name *n, uint8_t key[DNS_KEY_MAX])
{
    uint8_t *k = key;
    for (unsigned i = n->labels; i-- > 0;) {
        const uint8_t *label = n->wire + n->label_at[i];
        for (unsigned b = 1; b <= label[0]; b++) {
            uint8_t c = lower(label[b]);
            if (c > 1) {
                *k++ = c;
                continue;
            }
            *k++ = 1;
            *k++ = (uint8_t)(c + 1);
        }
        *k++ = 0;
    }
    return (size_t)(k - key);
}

void dns_name_ancestor(const struct dns_name *n, unsigned labels, struct dns_name *out)
{
    if (labels > n->labels)
        labels = n->labels;
    unsigned first = n->labels - labels;
    uint8_t at = n->label_at[first];
    out->labels = (uint8_t)labels;
    out->len = (uint8_t)(n->len - at);
    memcpy(out->wire, n->wire + at, out->len);
    for (unsigned i = 0; i <= labels; i++)
        out->label_at[i] = (uint8_t)(n->label_at[first + i] - at);
}

bool dns_name_join(const struct dns_name *n, unsigned count, const struct dns_name *tail,
                   struct dns_name *out)
{
    if (count > n->labels)
        count = n->labels;
    uint8_t head = n->label_at[count];
    if ((size_t)head + tail->len > DNS_NAME_MAX)
        return false;
    memcpy(out->wire, n->wire, head);
    memcpy(out->wire + head, tail->wire, tail->len);
    out->len = (uint8_t)(head + tail->len);
    out->labels = (uint8_t)(count + tail->labels);
    memcpy(out->label_at, n->label_at, count);
    for (unsigned i = 0; i <= tail->labels; i++)
        out->label_at[count + i] = (uint8_t)(head + tail->label_at[i]);
    return true;
}
