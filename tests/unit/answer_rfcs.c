/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The examples that RFCs give, zone and answers: RFC 1034 section 6, 4035 appendix B, 4592 section 2.2.1, 6672
 * section 2.2. The apex's NS and its addresses that they show beside positive answers are not sent, ANY gives
 * one RRset (decisions/0003), and signatures are made up: nobody looks at them here. */
#include "zone_help.h"

#include "answer_text.h"

struct row {
    const char *rfc, *what, *question, *answer;
};

struct example {
    const char *name;
    struct {
        const char *origin, *text;
    } zones[4];
    const struct row *rows;
    size_t count;
};

/* ---- RFC 1034 section 6.1: what C.ISI.EDU has (shortened), and the queries of section 6.2 ---- */

static const struct row rows_1034[] = {
    { "1034 6.2.1", "QNAME=SRI-NIC.ARPA, QTYPE=A", "sri-nic.arpa. A",
      "NOERROR aa | sri-nic.arpa. A, sri-nic.arpa. A | |" },
    { "1034 6.2.2", "QTYPE=*: one RRset (RFC 8482)", "sri-nic.arpa. ANY",
      "NOERROR aa | sri-nic.arpa. A, sri-nic.arpa. A | |" },
    { "1034 6.2.3", "QTYPE=MX", "sri-nic.arpa. MX",
      "NOERROR aa | sri-nic.arpa. MX | | sri-nic.arpa. A, sri-nic.arpa. A" },
    { "1034 6.2.4", "QTYPE=NS where there is none", "sri-nic.arpa. NS",
      "NOERROR aa | | . SOA 86400 |" },
    { "1034 6.2.5", "a name that is not there", "sir-nic.arpa. A",
      "NXDOMAIN aa | | . SOA 86400 |" },
    { "1034 6.2.6", "below a cut: what the zone knows of its servers", "brl.mil. A",
      "NOERROR | | mil. NS A.ISI.EDU., mil. NS SRI-NIC.ARPA. | A.ISI.EDU. A, SRI-NIC.ARPA. A, "
      "SRI-NIC.ARPA. A" },
    { "1034 6.2.7", "an alias into another zone of this server", "usc-isic.arpa. A",
      "NOERROR aa | usc-isic.arpa. CNAME C.ISI.EDU., C.ISI.EDU. A | |" },
    { "1034 6.2.8", "the alias itself", "usc-isic.arpa. CNAME",
      "NOERROR aa | usc-isic.arpa. CNAME C.ISI.EDU. | |" },
};

/* ---- RFC 4035 appendices A and B ---- */

/* clang-format off */
#define SIG(owner, type) owner " RRSIG " type " 5 2 3600 20400101000000 20200101000000 1 example. AAAA\n"
#define NSEC(owner, next, types) owner " NSEC " next " " types " RRSIG NSEC\n" SIG(owner, "NSEC")
static const char zone_4035[] =
    "$ORIGIN example.\n$TTL 3600\n"
    "@ SOA ns1 bugs.x.w 1081539377 3600 300 3600000 3600\n" SIG("@", "SOA")
    "@ NS ns1\n@ NS ns2\n" SIG("@", "NS") "@ MX 1 xx\n" SIG("@", "MX") NSEC("@", "a", "NS SOA MX")
    "a NS ns1.a\na NS ns2.a\na DS 57855 5 1 B6DCD485719ADCA18E5F3D48A2331627FDD3636B\n"
    SIG("a", "DS") NSEC("a", "ai", "NS DS") "ns1.a A 192.0.2.5\nns2.a A 192.0.2.6\n"
    "ai A 192.0.2.9\n" SIG("ai", "A") "ai HINFO \"KLH-10\" \"ITS\"\n" SIG("ai", "HINFO")
    "ai AAAA 2001:db8::f00:baa9\n" SIG("ai", "AAAA") NSEC("ai", "b", "A HINFO AAAA")
    "b NS ns1.b\nb NS ns2.b\n" NSEC("b", "ns1", "NS") "ns1.b A 192.0.2.7\nns2.b A 192.0.2.8\n"
    "ns1 A 192.0.2.1\n" SIG("ns1", "A") NSEC("ns1", "ns2", "A")
    "ns2 A 192.0.2.2\n" SIG("ns2", "A") NSEC("ns2", "*.w", "A")
    "*.w MX 1 ai\n" SIG("*.w", "MX") NSEC("*.w", "x.w", "MX")
    "x.w MX 1 xx\n" SIG("x.w", "MX") NSEC("x.w", "x.y.w", "MX")
    "x.y.w MX 1 xx\n" SIG("x.y.w", "MX") NSEC("x.y.w", "xx", "MX")
    "xx A 192.0.2.10\n" SIG("xx", "A") "xx HINFO \"KLH-10\" \"TOPS-20\"\n" SIG("xx", "HINFO")
    "xx AAAA 2001:db8::f00:baaa\n" SIG("xx", "AAAA") NSEC("xx", "@", "A HINFO AAAA");
/* clang-format on */

#define SOA "example. SOA 3600, example. RRSIG SOA"
#define N(owner) owner " NSEC, " owner " RRSIG NSEC"
#define ADDRESSES(host) host " A, " host " RRSIG A, " host " AAAA, " host " RRSIG AAAA"
static const struct row rows_4035[] = {
    { "4035 B.1", "answer", "x.w.example. MX do",
      "NOERROR aa | x.w.example. MX, x.w.example. RRSIG MX | | " ADDRESSES("xx.example.") },
    { "4035 B.2", "name error", "ml.example. A do",
      "NXDOMAIN aa | | " SOA ", " N("b.example.") ", " N("example.") " |" },
    { "4035 B.3", "no data", "ns1.example. MX do",
      "NOERROR aa | | " SOA ", " N("ns1.example.") " |" },
    { "4035 B.4", "referral to signed zone", "mc.a.example. MX do",
      "NOERROR | | a.example. NS ns1.a.example., a.example. NS ns2.a.example., a.example. DS, "
      "a.example. RRSIG DS | ns1.a.example. A, ns2.a.example. A" },
    { "4035 B.5", "referral to unsigned zone", "mc.b.example. MX do",
      "NOERROR | | b.example. NS ns1.b.example., b.example. NS ns2.b.example., " N(
          "b.example.") " | ns1.b.example. A, ns2.b.example. A" },
    { "4035 B.6", "wildcard expansion", "a.z.w.example. MX do",
      "NOERROR aa | a.z.w.example. MX, a.z.w.example. RRSIG MX | " N(
          "x.y.w.example.") " | " ADDRESSES("ai.example.") },
    { "4035 B.7", "wildcard no data", "a.z.w.example. AAAA do",
      "NOERROR aa | | " SOA ", " N("x.y.w.example.") ", " N("*.w.example.") " |" },
    { "4035 B.8", "DS child zone no data", "example. DS do",
      "NOERROR aa | | " SOA ", " N("example.") " |" },
};

/* ---- RFC 4592 section 2.2.1 ---- */

static const struct row rows_4592[] = {
    { "4592 2.2.1", "host3.example. MX: synthesized", "host3.example. MX",
      "NOERROR aa | host3.example. MX | | host1.example. A" },
    { "4592 2.2.1", "host3.example. A: no error, no data", "host3.example. A",
      "NOERROR aa | | example. SOA 3600 |" },
    { "4592 2.2.1", "foo.bar.example. TXT: synthesized", "foo.bar.example. TXT",
      "NOERROR aa | foo.bar.example. TXT | |" },
    { "4592 2.2.1", "host1.example. MX: the name exists", "host1.example. MX",
      "NOERROR aa | | example. SOA 3600 |" },
    { "4592 2.2.1", "sub.*.example. MX: the name exists", "sub.*.example. MX",
      "NOERROR aa | | example. SOA 3600 |" },
    { "4592 2.2.1", "_telnet._tcp.host1.example. SRV: an encloser without a wildcard",
      "_telnet._tcp.host1.example. SRV", "NXDOMAIN aa | | example. SOA 3600 |" },
    { "4592 2.2.1", "host.subdel.example. A: below a cut", "host.subdel.example. A",
      "NOERROR | | subdel.example. NS ns.example.com., subdel.example. NS ns.example.net. |" },
    { "4592 2.2.1", "ghost.*.example. MX: below the wildcard itself", "ghost.*.example. MX",
      "NXDOMAIN aa | | example. SOA 3600 |" },
    { "4592 2.2.2", "an empty non-terminal exists", "_tcp.host2.example. TXT",
      "NOERROR aa | | example. SOA 3600 |" },
    { "4592 2.2.2", "and so does one a level above it", "host2.example. MX",
      "NOERROR aa | | example. SOA 3600 |" },
    { "4592 2.3", "the wildcard asked for by name is a name", "*.example. TXT",
      "NOERROR aa | *.example. TXT | |" },
    { "4592 3.3.1", "its case is as it is asked for", "HosT3.ExamplE. TXT",
      "NOERROR aa | HosT3.ExamplE. TXT | |" },
};

/* ---- RFC 6672 section 2.2, table 1 ---- */

static const struct row rows_6672[] = {
    { "6672 2.2", "above the owner", "com. A", "REFUSED | | |" },
    { "6672 2.2", "the owner", "d1.example.com. A", "NOERROR aa | | example.com. SOA 60 |" },
    { "6672 2.2", "a below it", "a.d1.example.com. A",
      "NOERROR aa | d1.example.com. DNAME example.net., a.d1.example.com. CNAME a.example.net. | |" },
    { "6672 2.2", "a.b below it", "a.b.d1.example.com. A",
      "NOERROR aa | d1.example.com. DNAME example.net., a.b.d1.example.com. CNAME "
      "a.b.example.net. | |" },
    { "6672 2.2", "a name that only ends alike", "ad1.example.com. A",
      "NXDOMAIN aa | | example.com. SOA 60 |" },
    { "6672 2.2", "a longer target", "foo.d2.example.com. A",
      "NOERROR aa | d2.example.com. DNAME y.example.net., foo.d2.example.com. CNAME "
      "foo.y.example.net. | |" },
    { "6672 2.2", "into itself", "cyc.c1.example.com. A",
      "NOERROR aa | c1.example.com. DNAME c1.example.com., cyc.c1.example.com. CNAME "
      "cyc.c1.example.com. | |" },
    { "6672 2.2", "to the root, twice: the loop gets shorter", "shortloop.x.x. A",
      "NOERROR aa | x. DNAME ., shortloop.x.x. CNAME shortloop.x., shortloop.x. CNAME shortloop. | "
      "|" },
    { "6672 2.2", "to the root", "shortloop.x. A",
      "NOERROR aa | x. DNAME ., shortloop.x. CNAME shortloop. | |" },
    { "6672 3.2", "the apex's own data is not substituted", "x. NS",
      "NOERROR aa | x. NS ns.elsewhere. | |" },
    { "6672 5.3.1", "the CNAME has no signature", "a.s1.example.com. A do",
      "NOERROR aa | s1.example.com. DNAME example.net., s1.example.com. RRSIG DNAME, "
      "a.s1.example.com. CNAME a.example.net. | |" },
};

static const struct example examples[] = {
    { "RFC 1034",
      { { ".", "$ORIGIN .\n$TTL 86400\n"
               "@ SOA SRI-NIC.ARPA. HOSTMASTER.SRI-NIC.ARPA. 870611 1800 300 604800 86400\n"
               "@ NS A.ISI.EDU.\n@ NS C.ISI.EDU.\n@ NS SRI-NIC.ARPA.\n"
               "MIL. NS SRI-NIC.ARPA.\nMIL. NS A.ISI.EDU.\n"
               "EDU. NS SRI-NIC.ARPA.\nEDU. NS C.ISI.EDU.\n"
               "SRI-NIC.ARPA. A 26.0.0.73\nSRI-NIC.ARPA. A 10.0.0.51\nSRI-NIC.ARPA. MX 0 "
               "SRI-NIC.ARPA.\nSRI-NIC.ARPA. HINFO DEC-2060 TOPS20\n"
               "ACC.ARPA. A 26.6.0.65\nUSC-ISIC.ARPA. CNAME C.ISI.EDU.\n"
               "A.ISI.EDU. A 26.3.0.103\nC.ISI.EDU. A 10.0.0.52\n" },
        { "EDU.", "$ORIGIN EDU.\n$TTL 86400\n"
                  "@ SOA SRI-NIC.ARPA. HOSTMASTER.SRI-NIC.ARPA. 870729 1800 300 604800 86400\n"
                  "@ NS SRI-NIC.ARPA.\n@ NS C.ISI.EDU.\n"
                  "ISI NS VAXA.ISI\nISI NS A.ISI\nVAXA.ISI A 10.2.0.27\nA.ISI A 26.3.0.103\n"
                  "C.ISI A 10.0.0.52\n" },
        { "ISI.EDU.", "$ORIGIN ISI.EDU.\n$TTL 86400\n"
                      "@ SOA VAXA ACTION.DOMAINS 870611 1800 300 604800 86400\n"
                      "@ NS VAXA\n@ NS A\nVAXA A 10.2.0.27\nA A 26.3.0.103\nC A 10.0.0.52\n" } },
      rows_1034,
      BASE_COUNT(rows_1034) },
    { "RFC 4035", { { "example.", zone_4035 } }, rows_4035, BASE_COUNT(rows_4035) },
    { "RFC 4592",
      { { "example.",
          "$ORIGIN example.\n$TTL 3600\n"
          "@ SOA ns.example.com. host 1 7200 3600 604800 3600\n"
          "@ NS ns.example.com.\n@ NS ns.example.net.\n"
          "* TXT \"this is a wildcard\"\n* MX 10 host1\nsub.* TXT \"this is not a wildcard\"\n"
          "host1 A 192.0.2.1\n_ssh._tcp.host1 SRV 0 0 22 host1\n_ssh._tcp.host2 SRV 0 0 22 host2\n"
          "subdel NS ns.example.com.\nsubdel NS ns.example.net.\n" } },
      rows_4592,
      BASE_COUNT(rows_4592) },
    { "RFC 6672",
      { { "example.com.",
          "$ORIGIN example.com.\n$TTL 60\n@ SOA ns host 1 7200 3600 604800 60\n@ NS ns\nns A "
          "192.0.2.1\n"
          "d1 DNAME example.net.\nd2 DNAME y.example.net.\nc1 DNAME c1\ns1 DNAME example.net.\n"
          "s1 RRSIG DNAME 5 3 60 20400101000000 20200101000000 1 example.com. AAAA\n" },
        { "x.", "$ORIGIN x.\n$TTL 60\n@ SOA ns.elsewhere. host.elsewhere. 1 7200 3600 604800 60\n@ "
                "NS ns.elsewhere.\n@ DNAME .\n" } },
      rows_6672,
      BASE_COUNT(rows_6672) },
};

static struct zone_set *load(const struct example *x)
{
    static struct zone_errors errs;
    struct zone_source sources[BASE_COUNT(x->zones)];
    char paths[BASE_COUNT(x->zones)][32];
    int fds[BASE_COUNT(x->zones)];
    struct err e = { 0 };
    uint32_t count = 0;
    for (; count < BASE_COUNT(x->zones) && x->zones[count].origin != NULL; count++) {
        const char *text = x->zones[count].text;
        fds[count] = zone_help_file(text, strlen(text), paths[count]);
        sources[count] = (struct zone_source){ x->zones[count].origin, paths[count] };
    }
    memset(&errs, 0, sizeof errs);
    int fd = zone_image_memfd(&e);
    bool ok = zone_build_image(sources, count, fd, &errs);
    for (uint32_t i = 0; i < errs.kept && !ok; i++)
        print_error("%s: %s\n", x->name, errs.at[i].what);
    assert_true(ok);
    struct zone_set *zs = zone_set_map(fd, &e);
    assert_non_null(zs);
    close(fd);
    for (uint32_t i = 0; i < count; i++)
        close(fds[i]);
    return zs;
}

static void examples_are_answered(void **state)
{
    (void)state;
    const struct answer_options o = { 0 };
    for (size_t i = 0; i < BASE_COUNT(examples); i++) {
        struct zone_set *zs = load(&examples[i]);
        for (size_t j = 0; j < examples[i].count; j++) {
            const struct row *row = &examples[i].rows[j];
            uint8_t query[512], out[DNS_MESSAGE_MAX];
            enum answer_transport t;
            struct answer_info info;
            struct text got;
            size_t len = query_of(row->question, query, &t);
            len = answer_compose(&o, zs, over(t), query, len, out, sizeof out, &info);
            if (strcmp(response_text(out, len, &got), row->answer) != 0)
                fail_msg("RFC %s, %s: %s\n  is     %s\n  not    %s", row->rfc, row->what,
                         row->question, got.buf, row->answer);
        }
        zone_set_free(zs);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(examples_are_answered) };
    return cmocka_run_group_tests_name("answer_rfcs", tests, NULL, NULL);
}
