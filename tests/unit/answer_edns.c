/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The OPT of answers: each option by its RFC, alone and with others. */
#include "zone_help.h"

#include "answer/answer.h"

static const char zone_text[] = "$ORIGIN example.com.\n$TTL 60\n"
                                "@ SOA ns host 2026112501 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n"
                                "sub NS ns.elsewhere.\nout CNAME www.elsewhere.\n";

static struct zone_set *zones;

static int zones_load(void **state)
{
    (void)state;
    zones = zone_help_set("example.com.", zone_text);
    return 0;
}

static int zones_free(void **state)
{
    (void)state;
    zone_set_free(zones);
    return 0;
}

/* ---- options as text: "NAME=hex NAME=hex" ---- */

static size_t hex_read(const char *hex, uint8_t *out, size_t cap)
{
    size_t n = 0;
    for (unsigned v; sscanf(hex, "%2x", &v) == 1; hex += 2) {
        assert_true(n < cap);
        out[n++] = (uint8_t)v;
        if (hex[2] == '\0')
            break;
    }
    return n;
}

static const struct {
    const char *name;
    uint16_t code;
} names[] = {
    { "nsid", DNS_EDNS_NSID },
    { "expire", DNS_EDNS_EXPIRE },
    { "cookie", DNS_EDNS_COOKIE },
    { "keepalive", DNS_EDNS_KEEPALIVE },
    { "padding", DNS_EDNS_PADDING },
    { "ede", DNS_EDNS_EDE },
    { "version", DNS_EDNS_ZONEVERSION },
    { "subnet", 8 },
    { "unknown", 65001 },
};

static uint16_t options_write(const char *text, uint8_t *out, size_t cap)
{
    char copy[512], *save = NULL;
    struct wr w = wr_init(out, cap);
    snprintf(copy, sizeof copy, "%s", text);
    for (char *word = strtok_r(copy, " ", &save); word != NULL; word = strtok_r(NULL, " ", &save)) {
        uint8_t data[128];
        char *eq = strchr(word, '=');
        size_t len = 0, i = 0;
        if (eq != NULL) {
            *eq = '\0';
            len = hex_read(eq + 1, data, sizeof data);
        }
        while (i < BASE_COUNT(names) && strcmp(names[i].name, word) != 0)
            i++;
        assert_true(i < BASE_COUNT(names));
        wr_u16(&w, names[i].code);
        wr_u16(&w, (uint16_t)len);
        wr_bytes(&w, data, len);
    }
    assert_false(w.full);
    return (uint16_t)wr_len(&w);
}

static void options_text(const struct dns_rr *opt, char *out, size_t cap)
{
    struct rd r = opt->rdata;
    size_t at = strlen(out);
    while (rd_left(&r) > 0) {
        uint16_t code = rd_u16(&r), len = rd_u16(&r);
        const uint8_t *data = rd_bytes(&r, len);
        const char *name = "?";
        assert_non_null(data);
        for (size_t i = 0; i < BASE_COUNT(names); i++)
            if (names[i].code == code)
                name = names[i].name;
        at += (size_t)snprintf(out + at, cap - at, " %s", name);
        if (code == DNS_EDNS_PADDING) {
            at += (size_t)snprintf(out + at, cap - at, "(%u)", len);
            for (uint16_t i = 0; i < len; i++)
                assert_int_equal(data[i], 0); /* RFC 7830 section 3 */
            continue;
        }
        for (uint16_t i = 0; i < len; i++)
            at += (size_t)snprintf(out + at, cap - at, "%s%02x", i == 0 ? "=" : "", data[i]);
        assert_true(at < cap);
    }
}

/* "RCODE option=hex …"; without an OPT "RCODE none". */
static const char *response_text(const uint8_t *msg, size_t len, char *out, size_t cap)
{
    struct dns_reader d;
    struct dns_rr rr, opt = { 0 };
    char rcode[DNS_TYPE_TEXT_MAX];
    enum dns_reader_got got;
    assert_true(dns_reader_open(&d, msg, len));
    while ((got = dns_reader_next(&d, &rr)) == DNS_READER_RR)
        if (rr.type == DNS_TYPE_OPT) {
            assert_int_equal(opt.type, 0);
            opt = rr;
        }
    assert_int_equal(got, DNS_READER_END);
    snprintf(out, cap, "%s",
             dns_rcode_text(dns_full_rcode(d.flags, opt.type != 0 ? &opt : NULL), rcode));
    if (opt.type == 0)
        snprintf(out + strlen(out), cap - strlen(out), " none");
    else
        options_text(&opt, out, cap);
    return out;
}

/* ---- one question ---- */

struct asked {
    const char *name, *options; /* options NULL: no OPT */
    uint16_t qtype, qclass;
    bool empty; /* no question */
    uint8_t version, opcode;
};

static size_t query_write(const struct asked *a, uint8_t out[1024])
{
    uint8_t options[512];
    struct dns_name name;
    assert_true(dns_name_from_text(&name, a->name));
    struct dns_ask ask = { .id = 7,
                           .qname = &name,
                           .qtype = a->qtype != 0 ? a->qtype : DNS_TYPE_A,
                           .qclass = a->qclass != 0 ? a->qclass : DNS_CLASS_IN,
                           .edns = a->options != NULL,
                           .udp_payload = 1232,
                           .options = options };
    if (a->options != NULL)
        ask.options_len = options_write(a->options, options, sizeof options);
    size_t len = dns_ask_write(&ask, out, 1024), question = name.len + 4u;
    out[2] |= (uint8_t)(a->opcode << 3);
    if (a->options != NULL)
        out[DNS_HEADER_LEN + question + 6] = a->version;
    if (a->empty) {
        memmove(out + DNS_HEADER_LEN, out + DNS_HEADER_LEN + question,
                len - DNS_HEADER_LEN - question);
        out[5] = 0;
        len -= question;
    }
    return len;
}

#define SECRET_1 "e5e973e5a6b2a43f48e7dc849e37bfcf"
#define SECRET_OLD "dd3bdf9344b678b185a6f5cb60fca715"
#define SECRET_NEW "445536bcd2513298075a5d379663c962"

static struct answer_cookies cookies_of(const char *secrets)
{
    struct answer_cookies c = { 0 };
    for (; *secrets != '\0'; secrets += strspn(secrets, " ")) {
        char one[33];
        snprintf(one, sizeof one, "%.32s", secrets);
        assert_int_equal(hex_read(one, c.secret[c.count++], ANSWER_COOKIE_SECRET_LEN), 16);
        secrets += 32;
    }
    return c;
}

/* ---- cookies ---- */

static const struct {
    const char *rfc, *what, *secrets, *address;
    int64_t now_s;
    const char *sent; /* hex of the option */
    const char *answer;
    enum answer_cookie worth;
    bool require, tcp;
} cookie_rows[] = {
    { "9018 A.1", "learning a new server cookie", SECRET_1, "198.51.100.100", 1559731985,
      "2464c4abcf10c957", "NOERROR cookie=2464c4abcf10c957010000005cf79f111f8130c3eee29480",
      ANSWER_COOKIE_CLIENT, false, false },
    { "9018 A.2", "the same client learning a renewed one", SECRET_1, "198.51.100.100", 1559734385,
      "2464c4abcf10c957010000005cf79f111f8130c3eee29480",
      "NOERROR cookie=2464c4abcf10c957010000005cf7a871d4a564a1442aca77", ANSWER_COOKIE_VALID, false,
      false },
    { "9018 A.3", "another client, reserved bits set, over an hour old", SECRET_1, "203.0.113.203",
      1559734700, "fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5",
      "NOERROR cookie=fc93fc62807ddb86010000005cf7a9acf73a7810aca2381e", ANSWER_COOKIE_CLIENT,
      false, false },
    { "9018 4.2", "reserved bits are kept when it is verified", SECRET_1, "203.0.113.203",
      1559728000, "fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5",
      "NOERROR cookie=fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5", ANSWER_COOKIE_VALID, false,
      false },
    { "9018 A.4", "IPv6, a secret that is on its way out", SECRET_NEW " " SECRET_OLD,
      "2001:db8:220:1:59de:d0f4:8769:82b8", 1559741961,
      "22681ab97d52c298010000005cf7c57926556bd0934c72f8",
      "NOERROR cookie=22681ab97d52c298010000005cf7c609a6bb79d16625507a", ANSWER_COOKIE_VALID, false,
      false },
    { "9018 4.3", "29 minutes old: kept", SECRET_1, "198.51.100.100", 1559731985 + 1740,
      "2464c4abcf10c957010000005cf79f111f8130c3eee29480",
      "NOERROR cookie=2464c4abcf10c957010000005cf79f111f8130c3eee29480", ANSWER_COOKIE_VALID, false,
      false },
    { "9018 4.3", "an hour and a second: required, so it does not do", SECRET_1, "198.51.100.100",
      1559731985 + 3601, "2464c4abcf10c957010000005cf79f111f8130c3eee29480",
      "BADCOOKIE cookie=2464c4abcf10c957010000005cf7ad22", ANSWER_COOKIE_CLIENT, true, false },
    { "9018 4.3", "five minutes ahead of our clock", SECRET_1, "198.51.100.100", 1559731985 - 300,
      "2464c4abcf10c957010000005cf79f111f8130c3eee29480",
      "NOERROR cookie=2464c4abcf10c957010000005cf79f111f8130c3eee29480", ANSWER_COOKIE_VALID, true,
      false },
    { "9018 4.3", "six minutes ahead", SECRET_1, "198.51.100.100", 1559731985 - 360,
      "2464c4abcf10c957010000005cf79f111f8130c3eee29480",
      "BADCOOKIE cookie=2464c4abcf10c957010000005cf79da9", ANSWER_COOKIE_CLIENT, true, false },
    { "9018 4.1", "another version", SECRET_1, "198.51.100.100", 1559731985,
      "2464c4abcf10c957020000005cf79f111f8130c3eee29480",
      "NOERROR cookie=2464c4abcf10c957010000005cf79f111f8130c3eee29480", ANSWER_COOKIE_CLIENT,
      false, false },
    { "7873 5.2.4", "of another client: as if it were not there", SECRET_1, "198.51.100.101",
      1559731985, "2464c4abcf10c957010000005cf79f111f8130c3eee29480",
      "NOERROR cookie=2464c4abcf10c957010000005cf79f11", ANSWER_COOKIE_CLIENT, false, false },
    { "7873 5.2.3", "TCP shows the address itself", SECRET_1, "198.51.100.100", 1559731985,
      "2464c4abcf10c957", "NOERROR cookie=2464c4abcf10c957010000005cf79f111f8130c3eee29480",
      ANSWER_COOKIE_CLIENT, true, true },
    { "7873 5.2.3", "a client's part only, where cookies are required", SECRET_1, "198.51.100.100",
      1559731985, "2464c4abcf10c957",
      "BADCOOKIE cookie=2464c4abcf10c957010000005cf79f111f8130c3eee29480", ANSWER_COOKIE_CLIENT,
      true, false },
    { "7873 5.2.4", "a server cookie of another length", SECRET_1, "198.51.100.100", 1559731985,
      "2464c4abcf10c9570102030405060708",
      "NOERROR cookie=2464c4abcf10c957010000005cf79f111f8130c3eee29480", ANSWER_COOKIE_CLIENT,
      false, false },
    { "7873 5.2.2", "no cookie at all", SECRET_1, "198.51.100.100", 1559731985, "", "FORMERR",
      ANSWER_COOKIE_NONE, false, false },
    { "7873 5.2.2", "7 bytes", SECRET_1, "198.51.100.100", 1559731985, "2464c4abcf10c9", "FORMERR",
      ANSWER_COOKIE_NONE, false, false },
    { "7873 5.2.2", "12 bytes", SECRET_1, "198.51.100.100", 1559731985, "2464c4abcf10c95701000000",
      "FORMERR", ANSWER_COOKIE_NONE, false, false },
    { "7873 5.2.2", "41 bytes", SECRET_1, "198.51.100.100", 1559731985,
      "2464c4abcf10c957010000005cf79f111f8130c3eee294802464c4abcf10c957010000005cf79f1100",
      "FORMERR", ANSWER_COOKIE_NONE, false, false },
    { "7873 5.2.1", "no secret: the option is not known", "", "198.51.100.100", 1559731985,
      "2464c4abcf10c9", "NOERROR", ANSWER_COOKIE_NONE, true, false },
    { "4291 2.5.5.2", "an IPv4 client at an IPv6 socket is the same client", SECRET_1,
      "::ffff:198.51.100.100", 1559731985, "2464c4abcf10c957",
      "NOERROR cookie=2464c4abcf10c957010000005cf79f111f8130c3eee29480", ANSWER_COOKIE_CLIENT,
      false, false },
};

static void cookies(void **state)
{
    (void)state;
    for (size_t i = 0; i < BASE_COUNT(cookie_rows); i++) {
        uint8_t query[1024], out[ANSWER_UDP_CAP];
        char options[256], text[1024];
        struct answer_cookies c = cookies_of(cookie_rows[i].secrets);
        struct answer_info info;
        union addr addr;
        assert_true(addr_parse(&addr, cookie_rows[i].address, 53));
        c.require = cookie_rows[i].require;
        const struct answer_options o = { .cookies = &c };
        const struct answer_client client = { .transport =
                                                  cookie_rows[i].tcp ? ANSWER_TCP : ANSWER_UDP,
                                              .addr = &addr,
                                              .now.s = cookie_rows[i].now_s };
        snprintf(options, sizeof options, "cookie=%s", cookie_rows[i].sent);
        const struct asked a = { .name = "ns.example.com.", .options = options };
        size_t len = query_write(&a, query);
        len = answer_compose(&o, zones, &client, query, len, out, sizeof out, &info);
        response_text(out, len, text, sizeof text);
        /* a row may leave out the hash */
        if (strncmp(text, cookie_rows[i].answer, strlen(cookie_rows[i].answer)) != 0 ||
            info.cookie != cookie_rows[i].worth)
            fail_msg("RFC %s, %s:\n  is  %s (%d)\n  not %s (%d)", cookie_rows[i].rfc,
                     cookie_rows[i].what, text, info.cookie, cookie_rows[i].answer,
                     cookie_rows[i].worth);
    }
}

/* Whatever we make we take back, from that client alone, for an hour. */
static void cookies_round(void **state)
{
    (void)state;
    struct answer_cookies c = cookies_of(SECRET_1);
    struct answer_cookies two = cookies_of(SECRET_NEW " " SECRET_1);
    for (int i = 0; i < 200; i++) {
        uint8_t query[1024], out[ANSWER_UDP_CAP];
        char address[64], options[256] = "cookie=0011223344556677", text[1024];
        struct answer_info info;
        union addr addr;
        snprintf(address, sizeof address, i % 2 ? "192.0.2.%d" : "2001:db8::%x", i);
        assert_true(addr_parse(&addr, address, 53));
        struct answer_options o = { .cookies = &c };
        struct answer_client client = { .addr = &addr, .now.s = 0xfffff000 + (int64_t)i * 50 };
        struct asked a = { .name = "example.com.", .options = options };
        size_t len = query_write(&a, query);
        len = answer_compose(&o, zones, &client, query, len, out, sizeof out, &info);
        snprintf(options, sizeof options, "%s",
                 response_text(out, len, text, sizeof text) + strlen("NOERROR "));
        static const int64_t ages_s[] = { -300, 0, 3600 };
        for (size_t age = 0; age < BASE_COUNT(ages_s); age++) {
            client.now.s += ages_s[age];
            o.cookies = &two;
            len = query_write(&a, query);
            (void)answer_compose(&o, zones, &client, query, len, out, sizeof out, &info);
            assert_int_equal(info.cookie, ANSWER_COOKIE_VALID);
            addr.sa.sa_family = AF_INET;
            addr.in.sin_addr.s_addr ^= 1;
            (void)answer_compose(&o, zones, &client, query, len, out, sizeof out, &info);
            assert_int_equal(info.cookie, ANSWER_COOKIE_CLIENT);
            assert_true(addr_parse(&addr, address, 53));
            client.now.s -= ages_s[age];
        }
    }
}

/* ---- the other options ---- */

#define COOKIE "2464c4abcf10c957"
#define COOKIE_GIVEN "cookie=2464c4abcf10c957010000005cf79f111f8130c3eee29480"

static const struct {
    const char *rfc, *what;
    struct asked asked;
    enum answer_transport t;
    const char *answer;
} rows[] = {
    { "6891 6.1.1",
      "no OPT asked, none sent",
      { "ns.example.com.", NULL },
      ANSWER_UDP,
      "NOERROR none" },
    { "6891 6.1.2",
      "an unknown option is passed over",
      { "ns.example.com.", "unknown=0102 subnet=000118" },
      ANSWER_UDP,
      "NOERROR" },
    { "5001 2.1",
      "NSID, whatever its payload",
      { "ns.example.com.", "nsid=aa" },
      ANSWER_UDP,
      "NOERROR nsid=66726131" },
    { "6891 6.1.3",
      "another version: BADVERS, with ours",
      { "ns.example.com.", "", .version = 1 },
      ANSWER_UDP,
      "BADVERS" },
    /* keepalive */
    { "7828 3.3.2",
      "asked over TCP",
      { "ns.example.com.", "keepalive" },
      ANSWER_TCP,
      "NOERROR keepalive=0064" },
    { "7828 3.3.2",
      "asked over TLS",
      { "ns.example.com.", "keepalive" },
      ANSWER_TLS,
      "NOERROR keepalive=0064" },
    { "7828 3.2.1",
      "over UDP it is passed over",
      { "ns.example.com.", "keepalive=1234" },
      ANSWER_UDP,
      "NOERROR" },
    { "7828 3.2.1",
      "a client has no timeout to tell",
      { "ns.example.com.", "keepalive=0064" },
      ANSWER_TCP,
      "FORMERR keepalive=0064" },
    { "7828 3.3.2", "not told unasked", { "ns.example.com.", "" }, ANSWER_TCP, "NOERROR" },
    /* ZONEVERSION */
    { "9660 3.2",
      "the zone of the name, by its labels",
      { "ns.example.com.", "version" },
      ANSWER_UDP,
      "NOERROR version=020078c405f5" },
    { "9660 3.2",
      "a payload is passed over",
      { "ns.example.com.", "version=0200" },
      ANSWER_UDP,
      "NOERROR version=020078c405f5" },
    { "9660 3.2",
      "NXDOMAIN",
      { "no.example.com.", "version" },
      ANSWER_UDP,
      "NXDOMAIN version=020078c405f5" },
    { "9660 3.2",
      "a referral",
      { "a.sub.example.com.", "version" },
      ANSWER_UDP,
      "NOERROR version=020078c405f5" },
    { "9660 3.2",
      "a chain that leads away",
      { "out.example.com.", "version" },
      ANSWER_UDP,
      "NOERROR version=020078c405f5" },
    { "9660 3.2",
      "no zone of ours",
      { "example.net.", "version" },
      ANSWER_UDP,
      "REFUSED ede=0014" },
    { "9660 3.2",
      "a transfer that is refused",
      { "example.com.", "version", .qtype = DNS_TYPE_AXFR },
      ANSWER_TCP,
      "REFUSED ede=0012" },
    /* EXPIRE */
    { "7314 3",
      "the SOA",
      { "example.com.", "expire", .qtype = DNS_TYPE_SOA },
      ANSWER_UDP,
      "NOERROR expire=00015180" },
    { "7314 3", "not asked for the SOA", { "example.com.", "expire" }, ANSWER_UDP, "NOERROR" },
    /* extended errors */
    { "8914 4.21", "not authoritative", { "example.net.", "" }, ANSWER_UDP, "REFUSED ede=0014" },
    { "8914 2", "none without OPT", { "example.net.", NULL }, ANSWER_UDP, "REFUSED none" },
    { "8914 4.22",
      "an opcode that is not served",
      { "example.com.", "", .opcode = 5 },
      ANSWER_UDP,
      "NOTIMP ede=0015" },
    { "8914 4.22",
      "a class that is not served",
      { "example.com.", "", .qclass = DNS_CLASS_HS },
      ANSWER_UDP,
      "REFUSED ede=0015" },
    { "8914 4.19",
      "transfers are not for everybody",
      { "example.com.", "", .qtype = DNS_TYPE_AXFR },
      ANSWER_TCP,
      "REFUSED ede=0012" },
    { "8914 4.22",
      "AXFR is not defined over UDP",
      { "example.com.", "", .qtype = DNS_TYPE_AXFR },
      ANSWER_UDP,
      "NOTIMP ede=0015" },
    { "4892 3",
      "CHAOS that is not served",
      { "example.com.", "", .qclass = DNS_CLASS_CH },
      ANSWER_UDP,
      "REFUSED ede=0015" },
    /* cookies where there is no ordinary answer */
    { "7873 5.4",
      "no question: NOERROR, and a cookie",
      { "example.com.", "cookie=" COOKIE, .empty = true },
      ANSWER_UDP,
      "NOERROR " COOKIE_GIVEN },
    { "7873 5.4",
      "no question, a cookie that is right",
      { "example.com.", COOKIE_GIVEN, .empty = true },
      ANSWER_UDP,
      "NOERROR " COOKIE_GIVEN },
    { "7873 5.4",
      "no question, a cookie that is wrong",
      { "example.com.", COOKIE_GIVEN "00", .empty = true },
      ANSWER_TCP,
      "BADCOOKIE " COOKIE_GIVEN },
    { "9619 4",
      "no question and no cookie",
      { "example.com.", "nsid", .empty = true },
      ANSWER_UDP,
      "FORMERR nsid=66726131" },
    { "9619 4",
      "no question and a broken cookie",
      { "example.com.", "cookie=00", .empty = true },
      ANSWER_UDP,
      "FORMERR" },
    { "6891 6.1.3",
      "no question, another version",
      { "example.com.", "cookie=" COOKIE, .empty = true, .version = 1 },
      ANSWER_UDP,
      "FORMERR " COOKIE_GIVEN },
    { "7873 5.2",
      "with every RCODE",
      { "example.net.", "cookie=" COOKIE },
      ANSWER_UDP,
      "REFUSED " COOKIE_GIVEN " ede=0014" },
    { "7873 5.2",
      "the first of two counts",
      { "ns.example.com.", "cookie=" COOKIE " cookie=01" },
      ANSWER_UDP,
      "NOERROR " COOKIE_GIVEN },
    /* padding */
    { "7830 4",
      "not where everybody can read along",
      { "ns.example.com.", "padding=0000" },
      ANSWER_TCP,
      "NOERROR" },
    { "7830 4", "not over UDP", { "ns.example.com.", "padding" }, ANSWER_UDP, "NOERROR" },
    { "7830 4", "not unasked", { "ns.example.com.", "" }, ANSWER_TLS, "NOERROR" },
    { "8467 4.1",
      "up to 468 bytes",
      { "ns.example.com.", "padding=00" },
      ANSWER_TLS,
      "NOERROR padding(405)" },
    { "8467 4.1",
      "errors too, behind all other options",
      { "example.net.", "padding nsid cookie=" COOKIE " keepalive" },
      ANSWER_TLS,
      "REFUSED nsid=66726131 " COOKIE_GIVEN " keepalive=0064 ede=0014 padding(376)" },
};

static void options(void **state)
{
    (void)state;
    struct answer_cookies c = cookies_of(SECRET_1);
    const struct answer_options o = {
        .nsid = (const uint8_t *)"fra1", .nsid_len = 4, .tcp_idle_ms = 10000, .cookies = &c
    };
    union addr addr;
    assert_true(addr_parse(&addr, "198.51.100.100", 53));
    for (size_t i = 0; i < BASE_COUNT(rows); i++) {
        uint8_t query[1024], out[ANSWER_UDP_CAP];
        char text[1024];
        struct answer_info info;
        const struct answer_client client = {
            .transport = rows[i].t, .addr = &addr, .now.s = 1559731985, .expire_s = 86400
        };
        size_t len = query_write(&rows[i].asked, query);
        len = answer_compose(&o, zones, &client, query, len, out, sizeof out, &info);
        response_text(out, len, text, sizeof text);
        if (strcmp(text, rows[i].answer) != 0)
            fail_msg("RFC %s, %s:\n  is  %s\n  not %s", rows[i].rfc, rows[i].what, text,
                     rows[i].answer);
        assert_true(strstr(text, "padding") == NULL || len % 468 == 0);
        assert_true((info.ede != DNS_EDE_NONE) == (strstr(text, "ede=") != NULL));
    }
}

/* Whatever is asked for with whatever limit: a whole message that is not too long, and the room for a TSIG
 * stays free. */
static void limits(void **state)
{
    (void)state;
    struct answer_cookies c = cookies_of(SECRET_1);
    uint8_t nsid[ANSWER_NSID_MAX] = { 1 };
    const struct answer_options o = {
        .nsid = nsid, .nsid_len = sizeof nsid, .tcp_idle_ms = 1, .cookies = &c
    };
    union addr addr;
    assert_true(addr_parse(&addr, "2001:db8::1", 53));
    char label[65], name[300];
    snprintf(label, sizeof label, "%.*s", 62,
             "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    snprintf(name, sizeof name, "%s.%s.%s.%.47s.example.com.", label, label, label, label);
    const struct asked a = { .name = name,
                             .options = "nsid keepalive version padding cookie=" COOKIE };
    for (int t = ANSWER_UDP; t <= ANSWER_TLS; t++)
        for (uint16_t room = 0; room <= 600; room += 50)
            for (size_t cap = 512; cap < 2000; cap += 37) {
                uint8_t query[1024], out[2000];
                char text[8192];
                struct answer_info info;
                const struct answer_client client = { .transport = (enum answer_transport)t,
                                                      .addr = &addr,
                                                      .tsig_room = room };
                size_t len = query_write(&a, query);
                len = answer_compose(&o, zones, &client, query, len, out, cap, &info);
                response_text(out, len, text, sizeof text);
                assert_true(len <= cap);
                assert_int_equal(out[3] & 15, DNS_RCODE_NXDOMAIN);
                if (cap > 512u + room)
                    assert_true(len + room <= cap);
                if (t == ANSWER_TLS && cap > 1404)
                    assert_int_equal((len + room) % 468, 0);
            }
}

/* Who decides elsewhere says so here. */
static void verdicts(void **state)
{
    (void)state;
    static const struct {
        struct asked asked;
        struct answer_verdict verdict;
        const char *answer;
    } given[] = {
        { { "example.com.", "" }, { DNS_RCODE_REFUSED, DNS_EDE_PROHIBITED }, "REFUSED ede=0012" },
        { { "example.com.", "nsid" }, { DNS_RCODE_SERVFAIL, DNS_EDE_NONE }, "SERVFAIL nsid=78" },
        { { "example.com.", NULL }, { DNS_RCODE_REFUSED, DNS_EDE_BLOCKED }, "REFUSED none" },
        { { "example.com.", "", .version = 3 }, { DNS_RCODE_REFUSED, 0 }, "BADVERS" },
    };
    const struct answer_options o = { .nsid = (const uint8_t *)"x", .nsid_len = 1 };
    const struct answer_client client = { .transport = ANSWER_UDP };
    for (size_t i = 0; i < BASE_COUNT(given); i++) {
        uint8_t query[1024], out[ANSWER_UDP_CAP];
        char text[1024];
        struct answer_info info;
        size_t len = query_write(&given[i].asked, query);
        len = answer_error(&o, &client, &given[i].verdict, query, len, out, sizeof out, &info);
        assert_string_equal(response_text(out, len, text, sizeof text), given[i].answer);
        assert_true(info.kind == ANSWER_ERROR || info.kind == ANSWER_REFUSED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cookies), cmocka_unit_test(cookies_round), cmocka_unit_test(options),
        cmocka_unit_test(limits),  cmocka_unit_test(verdicts),
    };
    return cmocka_run_group_tests_name("answer_edns", tests, zones_load, zones_free);
}
