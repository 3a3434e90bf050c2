/* SPDX-License-Identifier: GPL-3.0-or-later */
/* RDATA that is like no other: LOC, APL, WKS, NSAP, ATMA, A6, IPSECKEY, AMTRELAY, HIP. */
#include <arpa/inet.h>
#include <string.h>

#include "dns/type.h"
#include "zone/rdata_text.h"

/* A decimal number with at most `decimals` digits behind its point, an 'm' behind it or not, as so
 * many parts of one. Signs only if `sign`. */
static bool parse_decimal(const struct zone_token *t, unsigned decimals, bool metres,
                          int64_t *value)
{
    size_t i = 0, len = t->len;
    bool negative = false, point = false;
    unsigned digits = 0, behind = 0;
    int64_t v = 0;
    if (t->kind != ZONE_TOKEN_WORD)
        return false;
    if (metres && len > 1 && (t->at[len - 1] | 0x20) == 'm')
        len--;
    if (metres && len > 1 && (t->at[0] == '-' || t->at[0] == '+'))
        negative = t->at[i++] == '-';
    for (; i < len; i++) {
        uint8_t c = t->at[i];
        if (c == '.' && !point && decimals != 0) {
            point = true;
            continue;
        }
        if (c < '0' || c > '9' || v > INT64_MAX / 100 || (point && behind == decimals))
            return false;
        v = v * 10 + (c - '0');
        digits++;
        behind += point;
    }
    for (; behind < decimals; behind++)
        v = v > INT64_MAX / 10 ? INT64_MAX / 10 : v * 10;
    *value = negative ? -v : v;
    return digits != 0;
}

static bool is_letter(const struct zone_token *t, char a, char b)
{
    return t->kind == ZONE_TOKEN_WORD && t->len == 1 &&
           ((t->at[0] | 0x20) == a || (t->at[0] | 0x20) == b);
}

/* "42 21 54.325 N": thousandths of a second from 2^31 on. */
static bool read_angle(struct zone_rdata_text *t, char plus, char minus, unsigned degrees_max,
                       const char *what)
{
    static const int64_t part_ms[] = { 3600000, 60000, 1 };
    int64_t sum = 0, v;
    for (unsigned i = 0;; i++) {
        if (!zone_rdata_text_word(t, what))
            return false;
        if (i > 0 && is_letter(&t->tok, plus, minus))
            break;
        if (i == 3 || !parse_decimal(&t->tok, i == 2 ? 3 : 0, false, &v) ||
            v > (i == 0   ? (int64_t)degrees_max
                 : i == 1 ? 59
                          : 59999))
            return zone_rdata_text_fault(t, what);
        sum += v * part_ms[i];
    }
    if (sum > (int64_t)degrees_max * 3600000)
        return zone_rdata_text_fault(t, what);
    bool negative = (t->tok.at[0] | 0x20) == minus;
    wr_u32(t->w, (uint32_t)((int64_t)1 << 31) + (uint32_t)(negative ? -sum : sum));
    return true;
}

/* RFC 1876 section 2: a digit, and a power of ten of centimetres. */
static uint8_t loc_precision(int64_t cm)
{
    unsigned power = 0;
    for (; cm >= 10; cm /= 10)
        power++;
    return (uint8_t)((unsigned)cm << 4 | power);
}

static bool read_loc(struct zone_rdata_text *t)
{
    uint8_t precision[3] = { 0x12, 0x16, 0x13 }; /* 1 m, 10 km, 10 m: the defaults of section 3 */
    int64_t alt, v;
    bool end = false;
    uint8_t *head = wr_room(t->w, 4);
    if (!read_angle(t, 'n', 's', 90, "not a latitude (D [M [S.SSS]] N or S)") ||
        !read_angle(t, 'e', 'w', 180, "not a longitude (D [M [S.SSS]] E or W)") ||
        !zone_rdata_text_word(t, "the altitude"))
        return false;
    if (!parse_decimal(&t->tok, 2, true, &alt) || alt < -10000000 || alt > 4284967295)
        return zone_rdata_text_fault(t, "not an altitude from -100000.00 to 42849672.95 metres");
    wr_u32(t->w, (uint32_t)(alt + 10000000));
    for (unsigned i = 0; i < 3; i++) {
        if (!zone_rdata_text_more(t, &end))
            return false;
        if (end)
            break;
        if (!parse_decimal(&t->tok, 2, true, &v) || v < 0 || v > 9000000000)
            return zone_rdata_text_fault(t, "not a size from 0.00 to 90000000.00 metres");
        precision[i] = loc_precision(v);
    }
    if (head != NULL) {
        head[0] = 0;
        memcpy(head + 1, precision, 3);
    }
    return end || zone_rdata_text_more(t, &end);
}

/* "!1:192.0.2.0/24" (RFC 3123 section 5) */
static bool read_prefix(struct zone_rdata_text *t)
{
    uint8_t addr[16] = { 0 };
    char text[INET6_ADDRSTRLEN] = "";
    struct zone_token family = t->tok, plen = t->tok;
    uint64_t afi, bits;
    bool negated = t->tok.len != 0 && t->tok.at[0] == '!';
    const uint8_t *from = t->tok.at + negated, *end = t->tok.at + t->tok.len;
    const uint8_t *colon = memchr(from, ':', (size_t)(end - from));
    const uint8_t *slash = memchr(from, '/', (size_t)(end - from));
    if (t->tok.kind != ZONE_TOKEN_WORD || colon == NULL || slash == NULL || slash < colon ||
        (size_t)(slash - colon) > sizeof text)
        return zone_rdata_text_fault(t, "not [!]FAMILY:ADDRESS/PREFIXLENGTH");
    family.at = from;
    family.len = (size_t)(colon - from);
    plen.at = slash + 1;
    plen.len = (size_t)(end - plen.at);
    memcpy(text, colon + 1, (size_t)(slash - colon - 1));
    if (!zone_token_number(&family, UINT16_MAX, &afi) || afi < 1 || afi > 2)
        return zone_rdata_text_fault(t, "the family is 1 (IPv4) or 2 (IPv6)");
    if (inet_pton(afi == 1 ? AF_INET : AF_INET6, text, addr) != 1)
        return zone_rdata_text_fault(t, "invalid address");
    if (!zone_token_number(&plen, afi == 1 ? 32 : 128, &bits))
        return zone_rdata_text_fault(t, "a prefix length that is too large");
    unsigned len = afi == 1 ? 4 : 16;
    while (len > 0 && addr[len - 1] == 0) /* section 4: no trailing zero bytes */
        len--;
    wr_u16(t->w, (uint16_t)afi);
    wr_u8(t->w, (uint8_t)bits);
    wr_u8(t->w, (uint8_t)(negated ? 0x80 | len : len));
    wr_bytes(t->w, addr, len);
    return true;
}

static bool read_apl(struct zone_rdata_text *t)
{
    for (bool end = false;;) {
        if (!zone_rdata_text_more(t, &end))
            return false;
        if (end)
            return true;
        if (!read_prefix(t))
            return false;
    }
}

/* The services that RFC 1035 section 3.4.2 leaves to "Assigned Numbers" (RFC 1340) and that are still
 * met; others by number. */
static const struct {
    const char *name;
    uint16_t port;
} services[] = {
    { "echo", 7 },         { "discard", 9 },       { "systat", 11 },       { "daytime", 13 },
    { "netstat", 15 },     { "qotd", 17 },         { "chargen", 19 },      { "ftp-data", 20 },
    { "ftp", 21 },         { "ssh", 22 },          { "telnet", 23 },       { "smtp", 25 },
    { "time", 37 },        { "rlp", 39 },          { "nameserver", 42 },   { "whois", 43 },
    { "nicname", 43 },     { "tacacs", 49 },       { "domain", 53 },       { "bootps", 67 },
    { "bootpc", 68 },      { "tftp", 69 },         { "gopher", 70 },       { "finger", 79 },
    { "http", 80 },        { "www", 80 },          { "kerberos", 88 },     { "supdup", 95 },
    { "hostname", 101 },   { "hostnames", 101 },   { "iso-tsap", 102 },    { "rtelnet", 107 },
    { "pop2", 109 },       { "pop3", 110 },        { "sunrpc", 111 },      { "auth", 113 },
    { "sftp", 115 },       { "uucp-path", 117 },   { "nntp", 119 },        { "ntp", 123 },
    { "netbios-ns", 137 }, { "netbios-dgm", 138 }, { "netbios-ssn", 139 }, { "imap", 143 },
    { "imap2", 143 },      { "snmp", 161 },        { "snmp-trap", 162 },   { "snmptrap", 162 },
    { "xdmcp", 177 },      { "bgp", 179 },         { "irc", 194 },         { "ldap", 389 },
    { "https", 443 },      { "submission", 587 },  { "ldaps", 636 },       { "imaps", 993 },
    { "pop3s", 995 },
};

static bool find_service(const struct zone_token *t, uint64_t *port)
{
    for (size_t i = 0; i < BASE_COUNT(services); i++)
        if (zone_token_is(t, services[i].name)) {
            *port = services[i].port;
            return true;
        }
    return zone_token_number(t, UINT16_MAX, port);
}

static bool read_wks(struct zone_rdata_text *t)
{
    uint8_t bits[8192] = { 0 };
    uint64_t v;
    size_t len = 0;
    bool end;
    if (!zone_rdata_text_word(t, "the protocol"))
        return false;
    if (zone_token_is(&t->tok, "tcp"))
        v = 6;
    else if (zone_token_is(&t->tok, "udp"))
        v = 17;
    else if (!zone_token_number(&t->tok, UINT8_MAX, &v))
        return zone_rdata_text_fault(t, "a protocol is tcp, udp or a number");
    wr_u8(t->w, (uint8_t)v);
    for (;;) {
        if (!zone_rdata_text_more(t, &end))
            return false;
        if (end)
            break;
        if (!find_service(&t->tok, &v))
            return zone_rdata_text_fault(t, "a service that is not known; give its port number");
        bits[v / 8] |= (uint8_t)(0x80 >> v % 8);
        len = v / 8 + 1 > len ? v / 8 + 1 : len;
    }
    wr_bytes(t->w, bits, len);
    return true;
}

/* Hexadecimal with periods between its pairs of digits, for readers. */
static bool read_dotted_hex(struct zone_rdata_text *t, const uint8_t *at, size_t len)
{
    if (t->tok.kind != ZONE_TOKEN_WORD || len == 0)
        return zone_rdata_text_fault(t, "invalid hexadecimal");
    for (const uint8_t *end = at + len; at < end;) {
        const uint8_t *dot = memchr(at, '.', (size_t)(end - at));
        const uint8_t *stop = dot != NULL ? dot : end;
        if (!zone_rdata_text_hex(t, at, (size_t)(stop - at)))
            return false;
        at = stop + 1;
    }
    return true;
}

static bool read_nsap(struct zone_rdata_text *t)
{
    bool end;
    if (!zone_rdata_text_word(t, "the address"))
        return false;
    if (t->tok.len < 3 || t->tok.at[0] != '0' || (t->tok.at[1] | 0x20) != 'x')
        return zone_rdata_text_fault(t, "an address begins with 0x");
    return read_dotted_hex(t, t->tok.at + 2, t->tok.len - 2) && zone_rdata_text_more(t, &end);
}

/* ATM Forum af-saa-0069.000: format 1 is E.164, format 0 an ATM end system address. */
static bool read_atma(struct zone_rdata_text *t)
{
    bool end;
    if (!zone_rdata_text_word(t, "the address"))
        return false;
    bool e164 = t->tok.len > 1 && t->tok.at[0] == '+';
    wr_u8(t->w, e164);
    if (!e164)
        return read_dotted_hex(t, t->tok.at, t->tok.len) && zone_rdata_text_more(t, &end);
    for (size_t i = 1; i < t->tok.len; i++) {
        if (t->tok.at[i] == '.')
            continue;
        if (t->tok.at[i] < '0' || t->tok.at[i] > '9')
            return zone_rdata_text_fault(t, "an E.164 address has digits only");
        wr_u8(t->w, t->tok.at[i]);
    }
    return zone_rdata_text_more(t, &end);
}

/* RFC 2874 section 3.1: the bits behind the prefix, in as few bytes as they need, and whose prefix. */
static bool read_a6(struct zone_rdata_text *t)
{
    uint64_t prefix;
    bool end;
    if (!zone_rdata_text_number(t, "the prefix length", 128, &prefix))
        return false;
    wr_u8(t->w, (uint8_t)prefix);
    if (prefix < 128) {
        uint8_t addr[16];
        struct wr whole = wr_init(addr, sizeof addr), *w = t->w;
        t->w = &whole;
        bool good = zone_rdata_text_address(t, AF_INET6);
        t->w = w;
        if (!good)
            return false;
        size_t skip = (size_t)prefix / 8;
        addr[skip] &= (uint8_t)(0xff >> prefix % 8);
        wr_bytes(t->w, addr + skip, sizeof addr - skip);
    }
    return (prefix == 0 || zone_rdata_text_name(t)) && zone_rdata_text_more(t, &end);
}

/* A gateway or relay: none, an address or a name, as `kind` says. */
static bool read_gateway(struct zone_rdata_text *t, uint64_t kind)
{
    switch (kind) {
    case 0:
        if (!zone_rdata_text_word(t, "the gateway"))
            return false;
        return zone_token_is(&t->tok, ".") ||
               zone_rdata_text_fault(t, "no gateway is written as .");
    case 1:
        return zone_rdata_text_address(t, AF_INET);
    case 2:
        return zone_rdata_text_address(t, AF_INET6);
    case 3:
        return zone_rdata_text_name(t);
    default:
        return zone_rdata_text_fault(t, "a type is 0 (none), 1 (IPv4), 2 (IPv6) or 3 (name)");
    }
}

static bool read_ipseckey(struct zone_rdata_text *t)
{
    uint64_t precedence, kind, algorithm;
    if (!zone_rdata_text_number(t, "the precedence", UINT8_MAX, &precedence) ||
        !zone_rdata_text_number(t, "the gateway type", UINT8_MAX, &kind) ||
        !zone_rdata_text_number(t, "the algorithm", UINT8_MAX, &algorithm))
        return false;
    wr_u8(t->w, (uint8_t)precedence);
    wr_u8(t->w, (uint8_t)kind);
    wr_u8(t->w, (uint8_t)algorithm);
    return read_gateway(t, kind) && zone_rdata_text_base64_rest(t, true);
}

static bool read_amtrelay(struct zone_rdata_text *t)
{
    uint64_t precedence, discovery, kind;
    bool end;
    if (!zone_rdata_text_number(t, "the precedence", UINT8_MAX, &precedence) ||
        !zone_rdata_text_number(t, "the discovery bit", 1, &discovery) ||
        !zone_rdata_text_number(t, "the relay type", 127, &kind))
        return false;
    wr_u8(t->w, (uint8_t)precedence);
    wr_u8(t->w, (uint8_t)(discovery << 7 | kind));
    return read_gateway(t, kind) && zone_rdata_text_more(t, &end);
}

/* RFC 8005 section 5: the lengths come first on the wire. */
static bool read_hip(struct zone_rdata_text *t)
{
    uint64_t algorithm;
    bool end;
    uint8_t *head = wr_room(t->w, 4);
    if (!zone_rdata_text_number(t, "the algorithm", UINT8_MAX, &algorithm) ||
        !zone_rdata_text_word(t, "the HIT"))
        return false;
    const uint8_t *from = t->w->pos;
    if (t->tok.kind != ZONE_TOKEN_WORD || t->tok.len == 0 || t->tok.len > 510)
        return zone_rdata_text_fault(t, "a HIT has 1 to 255 bytes");
    if (!zone_rdata_text_hex(t, t->tok.at, t->tok.len) || !zone_rdata_text_word(t, "the key"))
        return false;
    size_t hit = (size_t)(t->w->pos - from);
    from = t->w->pos;
    if (t->tok.kind != ZONE_TOKEN_WORD || t->tok.len == 0)
        return zone_rdata_text_fault(t, "invalid Base64");
    if (!zone_rdata_text_base64(t, t->tok.at, t->tok.len))
        return false;
    size_t key = (size_t)(t->w->pos - from);
    if (head != NULL) {
        head[0] = (uint8_t)hit;
        head[1] = (uint8_t)algorithm;
        wr_put_u16(head + 2, (uint16_t)key);
    }
    for (;;) {
        struct zone_lexer before = *t->lx;
        if (!zone_rdata_text_more(t, &end))
            return false;
        if (end)
            return true;
        *t->lx = before;
        if (!zone_rdata_text_name(t))
            return false;
    }
}

bool zone_rdata_text_odd(struct zone_rdata_text *t, char field)
{
    switch (field) {
    case 'L':
        return read_loc(t);
    case 'P':
        return read_apl(t);
    case 'W':
        return read_wks(t);
    case 'N':
        return read_nsap(t);
    case 'M':
        return read_atma(t);
    case '6':
        return read_a6(t);
    case 'I':
        return read_ipseckey(t);
    case 'R':
        return read_amtrelay(t);
    default:
        return read_hip(t);
    }
}

/* Wire form. */

static const char *wire_name(struct rd *r)
{
    struct dns_name name;
    return dns_name_parse(&name, r) ? NULL : "a broken name";
}

static const char *wire_loc(struct rd *r)
{
    uint8_t version = rd_u8(r);
    for (unsigned i = 0; i < 3 && version == 0; i++) {
        uint8_t p = rd_u8(r);
        if (p >> 4 > 9 || (p & 15) > 9)
            return "a size of LOC has a digit over 9";
    }
    uint32_t latitude = rd_u32(r), longitude = rd_u32(r);
    (void)rd_u32(r);
    if (r->bad || version != 0)
        return version != 0 ? "a version of LOC that is not known" : NULL;
    uint32_t centre = 1u << 31, quarter = 90u * 3600000;
    if (latitude < centre - quarter || latitude > centre + quarter)
        return "a latitude over 90 degrees";
    if (longitude < centre - 2 * quarter || longitude > centre + 2 * quarter)
        return "a longitude over 180 degrees";
    return NULL;
}

static const char *wire_apl(struct rd *r)
{
    while (!r->bad && rd_left(r) != 0) {
        uint16_t family = rd_u16(r);
        uint8_t prefix = rd_u8(r), len = rd_u8(r) & 0x7f;
        const uint8_t *p = rd_bytes(r, len);
        if (p == NULL)
            break;
        if (len != 0 && p[len - 1] == 0)
            return "an address of APL ends with a zero byte (RFC 3123 section 4)";
        if ((family == 1 && (prefix > 32 || len > 4)) ||
            (family == 2 && (prefix > 128 || len > 16)))
            return "a prefix of APL is too long for its family";
    }
    return NULL;
}

static const char *wire_a6(struct rd *r)
{
    uint8_t prefix = rd_u8(r);
    if (prefix > 128)
        return "a prefix length over 128";
    rd_skip(r, 16 - prefix / 8);
    return prefix != 0 && !r->bad ? wire_name(r) : NULL;
}

static const char *wire_gateway(struct rd *r, uint8_t kind)
{
    if (kind == 3)
        return wire_name(r);
    if (kind > 3)
        return "a type of gateway that is not known";
    rd_skip(r, kind == 1 ? 4 : kind == 2 ? 16 : 0);
    return NULL;
}

static const char *wire_ipseckey(struct rd *r)
{
    (void)rd_u8(r);
    uint8_t kind = rd_u8(r);
    (void)rd_u8(r);
    const char *fault = wire_gateway(r, kind);
    rd_skip(r, rd_left(r));
    return fault;
}

static const char *wire_hip(struct rd *r)
{
    uint8_t hit = rd_u8(r);
    (void)rd_u8(r);
    uint16_t key = rd_u16(r);
    rd_skip(r, (size_t)hit + key);
    if (!r->bad && (hit == 0 || key == 0))
        return "a HIT or a key without bytes";
    const char *fault = NULL;
    while (!r->bad && rd_left(r) != 0 && fault == NULL)
        fault = wire_name(r);
    return fault;
}

static const char *wire_some(struct rd *r, size_t least)
{
    const char *fault = rd_left(r) < least ? "the data ends early" : NULL;
    rd_skip(r, rd_left(r));
    return fault;
}

const char *zone_rdata_wire_odd(struct rd *r, char field)
{
    switch (field) {
    case 'L':
        return wire_loc(r);
    case 'P':
        return wire_apl(r);
    case 'W':
        return rd_left(r) > 1 + 8192 ? "a service over 65535" : wire_some(r, 1);
    case 'N':
        return wire_some(r, 1);
    case 'M':
        return wire_some(r, 2);
    case '6':
        return wire_a6(r);
    case 'I':
        return wire_ipseckey(r);
    case 'R':
        (void)rd_u8(r);
        return wire_gateway(r, rd_u8(r) & 0x7f);
    default:
        return wire_hip(r);
    }
}
