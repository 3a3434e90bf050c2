/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The transfer core on a blocking TCP socket of 127.0.0.1, for tests with other servers and clients.
 *
 *     xfr in PORT ORIGIN axfr|SERIAL [ALGORITHM:NAME:SECRET]  a transfer, one record a line: [+-]owner ttl type hex
 *     xfr out PORT ORIGIN FILE [ALGORITHM:NAME:SECRET]        answers AXFR (and IXFR with the whole zone)
 */
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "transfer/xfr.h"
#include "zone/load.h"

static struct tsig_key key;
static bool has_key;
static uint8_t msg[XFR_MESSAGE_CAP + 2];

static bool key_read(const char *text)
{
    char algorithm[32], name[200], secret[700];
    if (sscanf(text, "%31[^:]:%199[^:]:%699s", algorithm, name, secret) != 3)
        return false;
    const char *wrong = tsig_key_parse(&key, name, algorithm, secret);
    if (wrong != NULL)
        fprintf(stderr, "%s\n", wrong);
    has_key = wrong == NULL;
    return has_key;
}

static bool whole(int fd, void *bytes, size_t len)
{
    for (uint8_t *p = bytes; len > 0;) {
        ssize_t n = read(fd, p, len);
        if (n <= 0)
            return false;
        p += n;
        len -= (size_t)n;
    }
    return true;
}

static size_t message_read(int fd)
{
    uint8_t head[2];
    size_t len = whole(fd, head, 2) ? (size_t)(head[0] << 8 | head[1]) : 0;
    return len != 0 && whole(fd, msg, len) ? len : 0;
}

static bool message_write(int fd, const uint8_t *bytes, size_t len)
{
    uint8_t head[2] = { (uint8_t)(len >> 8), (uint8_t)len };
    return send(fd, head, 2, MSG_MORE | MSG_NOSIGNAL) == 2 &&
           send(fd, bytes, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static bool on_begin(void *arg, bool changes, uint32_t serial)
{
    (void)serial;
    *(bool *)arg = changes;
    return true;
}

static bool on_record(void *arg, const struct zone_change *c)
{
    char name[DNS_TEXT_MAX];
    printf("%s%s %u %u ", *(bool *)arg ? c->add ? "+" : "-" : "", dns_name_text(c->owner, name),
           c->ttl_s, c->type);
    for (unsigned i = 0; i < c->len; i++)
        printf("%02x", c->rdata[i]);
    printf("\n");
    return true;
}

static int transfer_in(int fd, const struct dns_name *origin, const char *what)
{
    bool changes;
    const bool axfr = strcmp(what, "axfr") == 0;
    struct xfr_in x = { .type = axfr ? XFR_AXFR : XFR_IXFR,
                        .id = 4711,
                        .origin = origin,
                        .edns = true,
                        .have_serial = !axfr,
                        .serial = axfr ? 0 : (uint32_t)strtoul(what, NULL, 10),
                        .begin = on_begin,
                        .record = on_record,
                        .arg = &changes };
    struct xfr_ask a = {
        .type = x.type, .id = 4711, .origin = origin, .serial = x.serial, .edns = true
    };
    tsig_begin(&x.tsig, has_key ? &key : NULL);
    size_t len = xfr_ask_write(&a, msg, sizeof msg);
    len = tsig_sign(&x.tsig, msg, len, sizeof msg, time_wall());
    enum xfr_got got = message_write(fd, msg, len) ? XFR_MORE : XFR_FAILED;
    xfr_in_begin(&x);
    while (got == XFR_MORE && (len = message_read(fd)) != 0)
        got = xfr_in_message(&x, msg, len, time_wall());
    static const char *const words[] = { "more",      "done",     "up-to-date", "behind", "newer",
                                         "want-axfr", "want-tcp", "no-edns",    "failed" };
    fprintf(stderr, "%s serial=%u messages=%u records=%u expire=%d %s\n", words[got], x.new_serial,
            x.messages, x.records, x.has_expire ? (int)x.expire_s : -1, x.why);
    return got == XFR_DONE || got == XFR_UP_TO_DATE ? 0 : 1;
}

static const struct tsig_key *find_key(void *arg, const struct dns_name *name)
{
    (void)arg;
    return has_key && dns_name_equal(&key.name, name) ? &key : NULL;
}

/* One response on its way. */
struct answering {
    const struct zone *z;
    const struct dns_name *origin;
    struct tsig tsig;
    struct xfr_request request;
    struct xfr_out out;
    size_t reply; /* length of one that stands by itself */
};

static void answer_begin(struct answering *a, size_t len, bool udp)
{
    size_t body;
    uint16_t rcode;
    struct xfr_request *r = &a->request;
    enum tsig_status s =
        tsig_verify_request(&a->tsig, msg, len, find_key, NULL, time_wall(), &body);
    bool is = xfr_request_parse(r, msg, body, &rcode);
    if (!is && r->question && r->qtype == DNS_TYPE_SOA) { /* what BIND asks first, by UDP */
        is = true;
        r->type = XFR_SOA;
    }
    if (rcode == 0 && s == TSIG_FORMERR)
        rcode = DNS_RCODE_FORMERR;
    if (rcode == 0 && s != TSIG_OK && (has_key || s != TSIG_ABSENT))
        rcode = DNS_RCODE_NOTAUTH;
    a->reply = 0;
    if (!is || rcode != 0 || !dns_name_equal(&r->origin, a->origin)) {
        len = xfr_reply_write(r, rcode != 0 ? rcode : DNS_RCODE_REFUSED, -1, msg, sizeof msg);
        a->reply = tsig_sign(&a->tsig, msg, len, sizeof msg, time_wall());
        return;
    }
    a->out = (struct xfr_out){ .type = XFR_AXFR,
                               .qtype = r->qtype,
                               .id = r->id,
                               .flags = r->flags,
                               .origin = &r->origin,
                               .zone = a->z,
                               .edns = r->edns,
                               .expire_asked = r->expire_asked,
                               .expire_s = 1000,
                               .udp_max = udp ? r->udp_payload : 0,
                               .tsig = a->tsig };
    if (r->type == XFR_SOA ||
        (r->type == XFR_IXFR && !xfr_serial_newer(zone_serial(a->z), r->serial)))
        a->out.type = XFR_SOA;
    xfr_out_begin(&a->out);
}

static size_t answer_next(struct answering *a)
{
    size_t len = a->reply;
    a->reply = 0;
    return len != 0 || a->out.origin == NULL
               ? len
               : xfr_out_message(&a->out, msg, XFR_MESSAGE_CAP, time_wall());
}

static void answer_tcp(int fd, struct answering *a)
{
    size_t len;
    while ((len = message_read(fd)) != 0) {
        a->out.origin = NULL;
        answer_begin(a, len, false);
        while ((len = answer_next(a)) != 0)
            if (!message_write(fd, msg, len))
                return;
    }
}

static void answer_udp(int fd, struct answering *a)
{
    struct sockaddr_in from;
    socklen_t from_len = sizeof from;
    ssize_t len = recvfrom(fd, msg, sizeof msg, 0, (void *)&from, &from_len);
    if (len < DNS_HEADER_LEN)
        return;
    a->out.origin = NULL;
    answer_begin(a, (size_t)len, true);
    (void)sendto(fd, msg, answer_next(a), 0, (void *)&from, from_len);
}

static int transfer_out(int fd, const struct sockaddr_in *at, const struct dns_name *origin,
                        const char *origin_text, const char *file)
{
    static struct zone_errors errs;
    static struct answering a;
    struct err e = { 0 };
    struct zone_source source = { origin_text, file };
    int image = zone_image_memfd(&e);
    if (image < 0 || !zone_build_image(&source, 1, image, &errs))
        return 1;
    struct zone_set *set = zone_set_map(image, &e);
    int udp = socket(AF_INET, SOCK_DGRAM, 0);
    if (set == NULL || listen(fd, 8) != 0 || bind(udp, (const void *)at, sizeof *at) != 0)
        return 1;
    a.z = zone_set_at(set, 0);
    a.origin = origin;
    printf("ready\n");
    fflush(stdout);
    for (;;) {
        struct pollfd fds[] = { { fd, POLLIN, 0 }, { udp, POLLIN, 0 } };
        if (poll(fds, 2, -1) < 0)
            return 1;
        if (fds[1].revents != 0)
            answer_udp(udp, &a);
        if (fds[0].revents == 0)
            continue;
        int c = accept(fd, NULL, NULL);
        answer_tcp(c, &a);
        close(c);
    }
}

int main(int argc, char **argv)
{
    struct dns_name origin;
    if (argc < 5 || !dns_name_from_text(&origin, argv[3]) || (argc > 5 && !key_read(argv[5])))
        return 2;
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)strtoul(argv[2], NULL, 10)),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    const bool in = strcmp(argv[1], "in") == 0;
    if ((in ? connect(fd, (void *)&to, sizeof to) : bind(fd, (void *)&to, sizeof to)) != 0) {
        perror("xfr");
        return 1;
    }
    return in ? transfer_in(fd, &origin, argv[4])
              : transfer_out(fd, &to, &origin, argv[3], argv[4]);
}
