/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "config/config.h"

/* A good file; each row below spoils one place of it. */
static const char good[] = "services:\n"                                      /* line 1 */
                           "  - name: dns\n"                                  /* 2 */
                           "    addresses: [192.0.2.53, 2001:db8:53::53]\n"   /* 3 */
                           "    announce: [192.0.2.0/24, 2001:db8:53::/48]\n" /* 4 */
                           "    zones:\n"                                     /* 5 */
                           "      - {origin: example.com, file: e.zone}\n"    /* 6 */
                           "    lease: 200ms\n"                               /* 7 */
                           "sites:\n"                                         /* 8 */
                           "  - name: ams\n"                                  /* 9 */
                           "nodes:\n"                                         /* 10 */
                           "  - name: ams1\n"                                 /* 11 */
                           "    site: ams\n"                                  /* 12 */
                           "    addresses: [10.1.0.10, 2001:db8:1::10]\n"     /* 13 */
                           "    as: 65001\n"                                  /* 14 */
                           "    neighbors:\n"                                 /* 15 */
                           "      - address: 10.1.0.1\n"                      /* 16 */
                           "        as: 64501\n"                              /* 17 */
                           "      - address: 2001:db8:1::1\n"                 /* 18 */
                           "        as: 64501\n"                              /* 19 */
                           "        med: 50\n";                               /* 20 */

#define UNICAST "; choose an ordinary unicast address; sharing it is what makes it anycast\n"
#define SERVICE(a) "f.yaml:3:17: " a " cannot be a service address: it "

static const struct {
    const char *what, *find, *put, *lines;
} rows[] = {
    { "the good file", "", "", "" },

    /* Shape */
    { "an unknown key",
      "lease:", "leese:", "f.yaml:7:5: a service has no key 'leese'; did you mean 'lease'?\n" },
    { "a key of another language", "lease: 200ms", "qwertz: 1",
      "f.yaml:7:5: a service has no key 'qwertz'\n" },
    { "a hyphen for an underscore", "lease: 200ms", "hold-down: 1s",
      "f.yaml:7:5: a service has no key 'hold-down'; did you mean 'hold_down'?\n" },
    { "a secret in the file", "med: 50", "password: x",
      "f.yaml:20:9: a neighbor has no key 'password'; did you mean 'password_file'?\n" },
    { "a key given twice", "lease: 200ms", "name: b",
      "f.yaml:7:5: 'name' is given twice; leave one of them out\n" },
    { "a missing key", "    as: 65001\n", "", "f.yaml:11:5: this node lacks 'as'\n" },
    { "a missing list", "sites:\n  - name: ams\n", "",
      "f.yaml:1:1: this fleet file lacks 'sites'\nf.yaml:10:11: no site is named 'ams'\n" },
    { "an empty list",
      "[192.0.2.53, 2001:db8:53::53]\n    announce: [192.0.2.0/24, 2001:db8:53::/48]", "[]",
      "f.yaml:3:16: 'addresses' is empty; give at least one\n" },
    { "a value that is missing", "as: 65001",
      "as:", "f.yaml:14:8: 'as' has no value; give it a value, or leave it out\n" },
    { "a list for a number", "as: 65001", "as: [1, 2]",
      "f.yaml:14:9: 'as' wants an AS number from 1 to 4294967294, not a list\n" },
    { "a map for a list of addresses", "[10.1.0.10, 2001:db8:1::10]", "{a: b}",
      "f.yaml:13:16: 'addresses' wants an IPv4 or IPv6 address, not a map\n" },
    { "text for a map", "- {origin: example.com, file: e.zone}", "- example.com",
      "f.yaml:6:9: a zone is a map of keys, not text\n" },
    { "a key that is a list", "    lease: 200ms", "    ? [a]\n    : b",
      "f.yaml:7:7: a key is a word, not a list\n" },
    { "a zero byte", "name: dns", "name: \"d\\0s\"",
      "f.yaml:2:11: 'name' has a zero byte in it\n" },
    { "three at once, in the order of the file",
      "lease: 200ms\nsites:\n  - name: ams\nnodes:\n  - name: ams1\n    site: ams\n",
      "lease: 1\nsites:\n  - name: ams\nnodes:\n  - name: a b\n    site: amz\n    workers: 100\n",
      "f.yaml:7:12: 'lease' 1 has no unit; write the unit: 1ms, or s, m, h\n"
      "f.yaml:11:11: 'name' wants a name (letters, digits, '-', '_', '.'), not 'a b'; 1 to 63 of "
      "these, the first no '-' or '.'\n"
      "f.yaml:12:11: no site is named 'amz'; did you mean 'ams'?\n"
      "f.yaml:13:14: 'workers' wants a number from 0 to 64, not '100'\n" },

    /* YAML that a fleet file does without */
    { "an anchor", "as: 65001", "as: &a 65001",
      "f.yaml:14:9: anchors (&name) are not used here; write it out\n" },
    { "an alias", "as: 65001", "as: *a",
      "f.yaml:14:9: aliases (*name) are not used here; write it out\n" },
    { "a tag", "as: 65001", "as: !!int 65001",
      "f.yaml:14:9: tags (!name) are not used here; leave it out; every value has the type of its "
      "key\n" },
    { "a second document", "sites:\n", "---\nsites:\n",
      "f.yaml:8:1: a second document begins here; one file is one document; take the '---' out\n" },
    { "a tab", "    as: 65001", "\tas: 65001",
      "f.yaml:14:1: this is no YAML: found character that cannot start any token while scanning "
      "for the next token; "
      "indent with spaces, never with tabs; quote what begins with % @ or `\n" },
    { "an address that YAML reads otherwise", "[10.1.0.10, 2001:db8:1::10]", "[::1]",
      "f.yaml:13:17: this is no YAML: did not find expected node content while parsing a flow "
      "node; quote what begins "
      "with ':' or ends with it, such as \"::1\"\n" },
    { "bytes that are no text", "name: ams1", "name: \xff\xfe",
      "f.yaml:11:11: this is no text: invalid leading UTF-8 octet; save the file as UTF-8\n" },

    /* Values */
    { "a number of letters", "as: 65001", "as: sixty",
      "f.yaml:14:9: 'as' wants an AS number from 1 to 4294967294, not 'sixty'\n" },
    { "AS 0 (RFC 7607)", "as: 65001", "as: 0",
      "f.yaml:14:9: 'as' wants an AS number from 1 to 4294967294, not '0'\n" },
    { "AS_TRANS", "as: 65001", "as: 23456",
      "f.yaml:14:9: 'as' 23456 is AS_TRANS, which is nobody's (RFC 6793 section 9); write the real "
      "four-octet number\n" },
    { "the last AS number", "as: 65001", "as: 4294967295",
      "f.yaml:14:9: 'as' 4294967295 is reserved (RFC 7300); for private use take 64512 to 65534 "
      "(RFC 6996)\n" },
    { "an AS number too large", "as: 65001", "as: 4294967296",
      "f.yaml:14:9: 'as' wants an AS number from 1 to 4294967294, not '4294967296'\n" },
    { "a negative number", "med: 50", "med: -3",
      "f.yaml:20:14: 'med' wants a number from 0 to 4294967295, not '-3'\n" },
    { "a time without its unit", "200ms", "200",
      "f.yaml:7:12: 'lease' 200 has no unit; write the unit: 200ms, or s, m, h\n" },
    { "a time out of range", "200ms", "5ms",
      "f.yaml:7:12: 'lease' wants a time from 50ms to 1m, not '5ms'\n" },
    { "a time in odd units", "200ms", "2min",
      "f.yaml:7:12: 'lease' wants a time from 50ms to 1m, not '2min'; the units are ms, s, m, h "
      "and d\n" },
    { "half a second of hold time", "med: 50", "hold_time: 3500ms",
      "f.yaml:20:20: 'hold_time' wants a time from 0s to 65535s, not '3500ms'; whole seconds "
      "only\n" },
    { "neither yes nor no", "med: 50", "passive: maybe",
      "f.yaml:20:18: 'passive' wants yes or no, not 'maybe'\n" },
    { "an address with a port", "address: 10.1.0.1\n", "address: 10.1.0.1@179\n",
      "f.yaml:16:18: 'address' wants an IPv4 or IPv6 address, not '10.1.0.1@179'; the address "
      "alone, nothing behind it\n" },
    { "an address that is none", "address: 10.1.0.1\n", "address: 10.1.0.256\n",
      "f.yaml:16:18: 'address' wants an IPv4 or IPv6 address, not '10.1.0.256'\n" },
    { "a next hop of the wrong kind", "med: 50", "next_hop_ipv6: 10.1.0.2",
      "f.yaml:20:24: 'next_hop_ipv6' wants an IPv6 address, not '10.1.0.2'\n" },
    { "a prefix without its length", "[192.0.2.0/24,", "[192.0.2.0,",
      "f.yaml:4:16: 'announce' wants a prefix such as 192.0.2.0/24 or 2001:db8::/48, not "
      "'192.0.2.0'; write its length: "
      "ADDRESS/LENGTH\n" },
    { "a prefix with bits behind its length", "192.0.2.0/24", "192.0.2.53/24",
      "f.yaml:4:16: 'announce' 192.0.2.53/24 has bits set behind its length; did you mean "
      "192.0.2.0/24?\n" },
    { "a prefix longer than its address", "192.0.2.0/24", "192.0.2.0/33",
      "f.yaml:4:16: 'announce' wants a prefix such as 192.0.2.0/24 or 2001:db8::/48, not "
      "'192.0.2.0/33'\n" },
    { "the default route", "192.0.2.0/24", "0.0.0.0/0",
      "f.yaml:4:16: 'announce' 0.0.0.0/0 is the whole address space; announce only what is "
      "yours\n" },
    { "a zone that is no name", "example.com", "a..b",
      "f.yaml:6:18: 'origin' wants the name of a zone, not 'a..b'; labels of at most 63 "
      "characters, 255 in all (RFC 1035)\n" },
    { "a community too large", "med: 50", "communities: [70000:1]",
      "f.yaml:20:23: 'communities' wants a community such as 64500:100, not '70000:1'; both halves "
      "are 0 to 65535; larger "
      "ones go into large_communities\n" },
    { "a large community too short", "med: 50", "large_communities: 1:2",
      "f.yaml:20:28: 'large_communities' wants a large community such as 64500:1:2, not '1:2'\n" },
    { "an unknown family", "med: 50", "families: [ipv5]",
      "f.yaml:20:20: 'families' wants ipv4 or ipv6, not 'ipv5'\n" },

    /* Service addresses that cannot be shared */
    { "IPv4 multicast", "[192.0.2.53", "[224.0.0.5",
      SERVICE("224.0.0.5") "is multicast (RFC 5771)" UNICAST
                           "f.yaml:4:16: 192.0.2.0/24 holds none of the service's addresses; a "
                           "prefix is announced on the proof of an address in it\n" },
    { "IPv4 limited broadcast", "[192.0.2.53", "[192.0.2.9, 255.255.255.255",
      "f.yaml:3:28: 255.255.255.255 cannot be a service address: it is the limited broadcast "
      "address (RFC 919 section 7)" UNICAST },
    { "IPv4 broadcast of its prefix", "[192.0.2.53", "[192.0.2.255",
      "f.yaml:3:17: 192.0.2.255 is the broadcast address of its prefix (RFC 1812 section "
      "4.2.2.11); choose one in between\n" },
    { "IPv4 network address", "[192.0.2.53", "[192.0.2.0",
      "f.yaml:3:17: 192.0.2.0 is the network address of its prefix (RFC 1812 section 4.2.2.11); "
      "choose one in between\n" },
    { "IPv4 reserved", "[192.0.2.53", "[192.0.2.9, 240.0.0.1",
      "f.yaml:3:28: 240.0.0.1 cannot be a service address: it is reserved (RFC 1112 section "
      "4)" UNICAST },
    { "IPv4 loopback", "[192.0.2.53", "[192.0.2.9, 127.0.0.1",
      "f.yaml:3:28: 127.0.0.1 cannot be a service address: it is loopback: it never leaves this "
      "host (RFC 1122 section "
      "3.2.1.3)" UNICAST },
    { "IPv4 unspecified", "[192.0.2.53", "[192.0.2.9, 0.0.0.0",
      "f.yaml:3:28: 0.0.0.0 cannot be a service address: it is \"this network\", no address of a "
      "host (RFC 1122 section "
      "3.2.1.3)" UNICAST },
    { "IPv4 link-local", "[192.0.2.53", "[192.0.2.9, 169.254.1.1",
      "f.yaml:3:28: 169.254.1.1 cannot be a service address: it is link-local: no router forwards "
      "it (RFC 3927 section "
      "2.7)" UNICAST },
    { "IPv6 unspecified", "[192.0.2.53", "[192.0.2.9, \"::\"",
      "f.yaml:3:28: :: cannot be a service address: it is the unspecified address (RFC 4291 "
      "section 2.5.2)" UNICAST },
    { "IPv6 loopback", "[192.0.2.53", "[192.0.2.9, \"::1\"",
      "f.yaml:3:28: ::1 cannot be a service address: it is loopback: it never leaves this host "
      "(RFC 4291 section 2.5.3)" UNICAST },
    { "IPv6 multicast", "[192.0.2.53", "[192.0.2.9, ff02::1",
      "f.yaml:3:28: ff02::1 cannot be a service address: it is multicast (RFC 4291 section "
      "2.7)" UNICAST },
    { "IPv6 link-local", "[192.0.2.53", "[192.0.2.9, fe80::1",
      "f.yaml:3:28: fe80::1 cannot be a service address: it is link-local: no router forwards it "
      "(RFC 4291 section 2.5.6)" UNICAST },
    { "IPv4-mapped", "[192.0.2.53", "[192.0.2.9, \"::ffff:192.0.2.1\"",
      "f.yaml:3:28: ::ffff:192.0.2.1 cannot be a service address: it is IPv4-mapped: write the "
      "IPv4 address (RFC 4291 "
      "section 2.5.5.2)" UNICAST },
    { "subnet-router anycast (RFC 4291 2.6.1)", "2001:db8:53::53]",
      "2001:db8:53::1, \"2001:db8:53:1::\"]",
      "f.yaml:3:45: 2001:db8:53:1:: cannot be a service address: it is the subnet-router anycast "
      "address, which every "
      "router there answers (RFC 4291 section 2.6.1)" UNICAST },
    { "reserved anycast, EUI-64 (RFC 2526)", "2001:db8:53::53]",
      "2001:db8:53::1, 2001:db8:53:0:fdff:ffff:ffff:ff80]",
      "f.yaml:3:45: 2001:db8:53:0:fdff:ffff:ffff:ff80 cannot be a service address: it is one of "
      "the reserved anycast "
      "addresses (RFC 2526 section 2)" UNICAST },
    { "reserved anycast, other subnets (RFC 2526)", "2001:db8:53::53]",
      "2001:db8:53::1, 2001:db8:53:0:ffff:ffff:ffff:ffff]",
      "f.yaml:3:45: 2001:db8:53:0:ffff:ffff:ffff:ffff cannot be a service address: it is one of "
      "the reserved anycast "
      "addresses (RFC 2526 section 2)" UNICAST },
    { "just below the reserved ones", "2001:db8:53::53]", "2001:db8:53:0:fdff:ffff:ffff:ff7f]",
      "" },

    /* Between the values */
    { "an address in no prefix", "[192.0.2.53", "[192.0.2.53, 198.51.100.1",
      "f.yaml:3:29: 198.51.100.1 lies in no prefix of 'announce': nobody would reach it; announce "
      "a prefix that holds it, "
      "or take it out\n" },
    { "a prefix without an address", "[192.0.2.0/24", "[192.0.2.0/24, 198.51.100.0/24",
      "f.yaml:4:30: 198.51.100.0/24 holds none of the service's addresses; a prefix is announced "
      "on the proof of an "
      "address in it\n" },
    { "the same address twice", "[192.0.2.53", "[192.0.2.53, 192.0.2.53",
      "f.yaml:3:29: 192.0.2.53 is there already, on line 3; leave one of them out\n" },
    { "a node's address that is a service's", "[10.1.0.10,", "[10.1.0.10, 192.0.2.53,",
      "f.yaml:13:28: 192.0.2.53 is both a service address and a node's own (line 3); a node's own "
      "address is reached "
      "there and nowhere else\n" },
    { "a node's address that is multicast", "[10.1.0.10,", "[10.1.0.10, 224.1.1.1,",
      "f.yaml:13:28: 224.1.1.1 cannot be a node's own address: it is multicast (RFC 5771); give "
      "the address by which the "
      "other nodes and the routers know it\n" },
    { "a zone twice", "- {origin: example.com, file: e.zone}",
      "- {origin: example.com, file: e.zone}\n      - {origin: EXAMPLE.com., file: f.zone}",
      "f.yaml:7:18: zone EXAMPLE.com. is there already, on line 6; leave one of them out\n" },
    { "a lease shorter than two checks", "lease: 200ms", "check_interval: 101ms",
      "f.yaml:7:21: check_interval 101ms is more than half of the lease, 200ms: one lost packet "
      "would withdraw; make the "
      "lease longer, or check more often\n" },
    { "a prefix twice", "[192.0.2.0/24", "[192.0.2.0/24, 192.0.2.0/24",
      "f.yaml:4:30: 192.0.2.0/24 is announced already, on line 4; put their addresses into one "
      "service\n" },
    { "more communities than fit", "med: 50",
      "communities: [1:1,1:2,1:3,1:4,1:5,1:6,1:7,1:8,1:9,1:10,1:11,1:12,1:13,1:14,1:15,1:16]",
      "f.yaml:20:22: 'communities' has 16 items; at most 15\n" },
    { "a drain that ends before it withdraws", "lease: 200ms", "drain_limit: 1s",
      "f.yaml:7:18: drain_limit 1000ms is shorter than drain_delay, 2000ms; give it at least as "
      "long\n" },
    { "two sites of a name", "nodes:", "  - name: AMS\nnodes:",
      "f.yaml:10:11: site 'AMS' is there already, on line 9; give each its own name\n" },
    { "two nodes of a name", "nodes:\n",
      "nodes:\n  - {name: ams1, site: ams, addresses: 10.1.0.11, as: 65001}\n",
      "f.yaml:12:11: node 'ams1' is there already, on line 11; give each its own name\n" },
    { "two nodes of an address", "nodes:\n",
      "nodes:\n  - {name: ams2, site: ams, addresses: 10.1.0.10, as: 65001}\n",
      "f.yaml:14:17: 10.1.0.10 is there already, on line 11; leave one of them out\n" },
    { "an unknown site", "site: ams", "site: asm",
      "f.yaml:12:11: no site is named 'asm'; did you mean 'ams'?\n" },
    { "an unknown service", "as: 65001", "as: 65001\n    services: [dsn]",
      "f.yaml:15:16: no service is named 'dsn'; did you mean 'dns'?\n" },
    { "no IPv4 address for the router id", "[10.1.0.10, 2001:db8:1::10]", "[2001:db8:1::10]",
      "f.yaml:11:11: a node without an IPv4 address needs router_id (RFC 6286); add router_id: any "
      "IPv4 address that no "
      "other router of the AS has\n" },
    { "a neighbor twice", "address: 2001:db8:1::1", "address: 10.1.0.1",
      "f.yaml:18:18: neighbor 10.1.0.1 is there already, on line 16; one session per neighbor; "
      "'families' lets it carry "
      "both kinds\n" },
    { "hold time 1s (RFC 4271 4.2)", "med: 50", "hold_time: 1s",
      "f.yaml:20:20: hold_time 1s is too short (RFC 4271 section 4.2); use 0s (no timer) or at "
      "least 3s\n" },
    { "hold time 0s is none", "med: 50", "hold_time: 0s", "" },
    { "a source of the other family", "med: 50", "source: 10.1.0.10",
      "f.yaml:20:17: source 10.1.0.10 and the neighbor's address are of different families; take "
      "the node's own address "
      "of the neighbor's kind\n" },
    { "local_pref towards another AS", "med: 50", "local_pref: 200",
      "f.yaml:20:21: local_pref is for iBGP, and AS 64501 is not this node's (RFC 4271 section "
      "5.1.5); use med, prepend "
      "or communities towards another AS\n" },
    { "no IPv6 next hop", "        as: 64501\n      - address: 2001",
      "        as: 64501\n        families: [ipv4, ipv6]\n      - address: 2001",
      "f.yaml:18:19: an IPv4 session that carries ipv6 needs next_hop_ipv6 (RFC 2545 section 3); "
      "add next_hop_ipv6: this "
      "node's IPv6 address on that link\n" },
    { "no IPv4 next hop", "med: 50", "families: [ipv4]",
      "f.yaml:20:19: an IPv6 session that carries ipv4 needs next_hop_ipv4; add next_hop_ipv4: "
      "this node's IPv4 address "
      "on that link\n" },
    { "a next hop that is none", "med: 50", "next_hop_ipv6: fe80::1",
      "f.yaml:20:24: fe80::1 cannot be a next hop: it is link-local: no router forwards it (RFC "
      "4291 section 2.5.6)\n" },
    { "waiting where nobody listens", "as: 65001\n    neighbors:\n      - address: 10.1.0.1\n",
      "as: 65001\n    bgp_port: 0\n    neighbors:\n      - address: 10.1.0.1\n        passive: "
      "yes\n",
      "f.yaml:18:18: waits for a neighbor, but bgp_port 0 listens nowhere; set bgp_port, or let it "
      "connect\n" },
};

static char *spoiled(const char *find, const char *put)
{
    char *out = NULL;
    size_t len;
    const char *at = strstr(good, find);
    FILE *f = open_memstream(&out, &len);
    assert_non_null(at);
    fprintf(f, "%.*s%s%s", (int)(at - good), good, put, at + strlen(find));
    fclose(f);
    return out;
}

/* The lines that a reading prints; `yaml` may hold zero bytes. */
static char *lines_of(const char *yaml, size_t len, const char *file, bool no_files, bool *ok)
{
    char *out = NULL;
    size_t out_len;
    struct config_errors *errors = base_calloc(1, sizeof *errors);
    struct config_source source = { .file = file, .yaml = yaml, .len = len, .no_files = no_files };
    FILE *f = open_memstream(&out, &out_len);
    struct config *c = config_parse(&source, errors);
    config_errors_print(errors, f);
    fclose(f);
    *ok = c != NULL;
    config_free(c);
    free(errors);
    return out;
}

static void each_mistake_has_its_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < BASE_COUNT(rows); i++) {
        bool ok;
        char *yaml = spoiled(rows[i].find, rows[i].put);
        char *lines = lines_of(yaml, strlen(yaml), "f.yaml", true, &ok);
        if (strcmp(lines, rows[i].lines) != 0)
            fail_msg("%s:\nwanted: %sgot:    %s", rows[i].what, rows[i].lines, lines);
        if (ok != (rows[i].lines[0] == '\0'))
            fail_msg("%s: %s", rows[i].what, ok ? "accepted" : "refused");
        free(lines);
        free(yaml);
    }
}

static void assert_lines(const char *yaml, size_t len, const char *wanted)
{
    bool ok;
    char *lines = lines_of(yaml, len, "f.yaml", true, &ok);
    assert_string_equal(lines, wanted);
    assert_false(ok);
    free(lines);
}

static void nothing_in_the_file(void **state)
{
    (void)state;
    static const char *const empty[] = { "", "\n\n", "# only words\n", "---\n", "\xef\xbb\xbf" };
    for (size_t i = 0; i < BASE_COUNT(empty); i++)
        assert_lines(
            empty[i], strlen(empty[i]),
            "f.yaml: there is nothing in this file; start from examples/perigee.yaml, or read "
            "docs/configuration.md\n");
}

/* Without the limit libyaml takes over ten seconds for this. */
static void nesting_ends_early(void **state)
{
    (void)state;
    char *yaml = base_alloc(200000);
    memset(yaml, '[', 200000);
    assert_lines(
        yaml, 200000,
        "f.yaml:1:17: maps and lists are nested too deep; a fleet file needs four levels\n");
    free(yaml);
}

static void a_file_has_a_size(void **state)
{
    (void)state;
    char *yaml = base_alloc(CONFIG_FILE_MAX + 1u);
    memset(yaml, ' ', CONFIG_FILE_MAX + 1u);
    assert_lines(yaml, CONFIG_FILE_MAX + 1u, "f.yaml: is larger than 16 MiB\n");
    free(yaml);
}

/* More errors than are kept are counted. */
static void errors_are_counted(void **state)
{
    (void)state;
    bool ok;
    char *out = NULL;
    size_t len;
    FILE *f = open_memstream(&out, &len);
    for (int i = 0; i < CONFIG_ERRORS_MAX + 20; i++)
        fprintf(f, "nonsense%d: 1\n", i);
    fclose(f);
    char *lines = lines_of(out, len, "f.yaml", true, &ok);
    /* 120 unknown keys and the three that a fleet file must have */
    assert_non_null(strstr(lines, "\nand 23 more\n"));
    assert_false(ok);
    free(lines);
    free(out);
}

static struct config *parsed(const char *yaml)
{
    static struct config_errors errors;
    struct config_source source = {
        .file = "/etc/perigee/f.yaml", .yaml = yaml, .len = strlen(yaml), .no_files = true
    };
    struct config *c = config_parse(&source, &errors);
    config_errors_print(&errors, stderr);
    assert_non_null(c);
    return c;
}

static void what_was_not_said_is_derived(void **state)
{
    (void)state;
    char text[ADDR_TEXT_MAX], prefix[PREFIX_TEXT_MAX];
    char *yaml = spoiled("    announce: [192.0.2.0/24, 2001:db8:53::/48]\n", "    port: 5300\n");
    struct config *c = parsed(yaml);
    const struct config_service *s = &c->services.at[0];
    assert_int_equal(s->announce.count, 2);
    assert_string_equal(prefix_text(&s->announce.at[0], prefix), "192.0.2.53/32");
    assert_string_equal(prefix_text(&s->announce.at[1], prefix), "2001:db8:53::53/128");
    assert_string_equal(addr_text(&s->addresses.at[0], text), "192.0.2.53@5300");
    assert_string_equal(s->zones.at[0].file, "/etc/perigee/e.zone");
    assert_int_equal(s->lease_ms, 200);
    assert_int_equal(s->check_ms, 50);

    const struct config_node *n = config_find_node(c, "AMS1");
    assert_non_null(n);
    assert_string_equal(addr_host_text(&n->router_id, text), "10.1.0.10");
    assert_string_equal(n->nsid, "ams1");
    assert_string_equal(addr_text(&n->addresses.at[1], text), "2001:db8:1::10@4953");
    assert_int_equal(n->bgp_listen.count, 2);
    assert_string_equal(addr_text(&n->bgp_listen.at[0], text), "10.1.0.10@179");
    assert_string_equal(n->neighbors.at[0].name, "10.1.0.1");
    assert_int_equal(n->neighbors.at[0].families, CONFIG_FAMILY_IPV4);
    assert_int_equal(n->neighbors.at[1].families, CONFIG_FAMILY_IPV6);
    assert_int_equal(n->neighbors.at[0].hold_s, 9);
    assert_false(n->neighbors.at[0].has_med);
    assert_true(n->neighbors.at[1].has_med);
    assert_int_equal(n->neighbors.at[1].med, 50);
    assert_true(n->manage_addresses);
    assert_string_equal(n->interface, "lo");
    assert_null(config_find_node(c, "ams"));

    char *path = config_expand(c->control_socket, n);
    assert_string_equal(path, "/run/perigee/ams1/control.sock");
    free(path);
    uint32_t pos = 0;
    assert_ptr_equal(config_service_next(c, n, &pos), s);
    assert_null(config_service_next(c, n, &pos));
    config_free(c);
    free(yaml);
}

static void communities_are_numbers(void **state)
{
    (void)state;
    char *yaml = spoiled("med: 50", "communities: [64500:100, no-export, blackhole]\n"
                                    "        large_communities: 64500:1:4294967295");
    struct config *c = parsed(yaml);
    const struct config_neighbor *n = &c->nodes.at[0].neighbors.at[1];
    assert_int_equal(n->communities.count, 3);
    assert_int_equal(n->communities.at[0], 64500u << 16 | 100);
    assert_int_equal(n->communities.at[1], 0xffffff01);
    assert_int_equal(n->communities.at[2], 0xffff029a);
    assert_int_equal(n->large_communities.count, 1);
    assert_int_equal(n->large_communities.at[0].local2, UINT32_MAX);
    config_free(c);
    free(yaml);
}

static void file_put(const char *path, const char *text, mode_t mode)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    assert_int_equal(chmod(path, mode), 0);
}

/* The secrets of DNS cookies are looked at, and told where they are named. */
static void cookie_secrets_are_read(void **state)
{
    (void)state;
    char folder[] = "/tmp/perigee-config-XXXXXX", path[64], wanted[600], *lines;
    bool ok;
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    snprintf(path, sizeof path, "%s/f.yaml", folder);
    file_put("e.zone", "", 0644);
    char *yaml = spoiled("med: 50\n", "med: 50\ncookies:\n  secret_file: c\n  required: yes\n");
    file_put("c", "# nothing\n", 0600);
    lines = lines_of(yaml, strlen(yaml), path, false, &ok);
    snprintf(wanted, sizeof wanted, "%s:22:16: secret file %s/c: there is no secret in it; ", path,
             folder);
    if (strncmp(lines, wanted, strlen(wanted)) != 0)
        fail_msg("%s", lines);
    free(lines);
    file_put("c", "00112233445566778899aabbccddeeff\n", 0600);
    lines = lines_of(yaml, strlen(yaml), path, false, &ok);
    assert_string_equal(lines, "");
    assert_true(ok);
    free(lines);
    free(yaml);
    unlink("c");
    unlink("e.zone");
    assert_int_equal(chdir("/"), 0);
    rmdir(folder);
}

/* Every secret and zone file that is wrong, each with its line; and what is right comes through the
 * bundle that control gets. */
static void files_are_read(void **state)
{
    (void)state;
    char folder[] = "/tmp/perigee-config-XXXXXX", path[64], wanted[1200], *lines;
    bool ok;
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    char *yaml = spoiled("med: 50\n", "password_file: md5\n"
                                      "fleet:\n"
                                      "  secret_file: secret\n");
    file_put("secret", "short\n", 0600);
    file_put("md5", "open to all\n", 0644);
    snprintf(path, sizeof path, "%s/f.yaml", folder);
    lines = lines_of(yaml, strlen(yaml), path, false, &ok);
    snprintf(
        wanted, sizeof wanted,
        "%s:6:37: cannot open zone file %s/e.zone: No such file or directory\n"
        "%s:20:24: secret file %s/md5 can be read by others (mode 644); chmod 600 %s/md5\n"
        "%s:22:16: the secret in %s/secret has 5 characters; it must have 16 to 255; head -c 32 "
        "/dev/urandom | base64\n",
        path, folder, path, folder, folder, path, folder);
    assert_string_equal(lines, wanted);
    assert_false(ok);
    free(lines);

    file_put("secret", "0123456789abcdef\n", 0600);
    file_put("md5", "two\nlines\n", 0600);
    file_put("e.zone", "", 0644);
    lines = lines_of(yaml, strlen(yaml), path, false, &ok);
    snprintf(wanted, sizeof wanted,
             "%s:20:24: secret file %s/md5 is not one line; write one line of text into it\n", path,
             folder);
    assert_string_equal(lines, wanted);
    free(lines);

    file_put("md5", "geheim\n", 0600);
    static struct config_errors errors;
    struct config_source source = {
        .file = path, .yaml = yaml, .len = strlen(yaml), .node = "ams1"
    };
    struct config *c = config_parse(&source, &errors);
    struct err e;
    assert_non_null(c);
    struct config_bundle b = { .config = c, .node = &c->nodes.at[0], .dry_run = true };
    int fd = config_bundle_new(&b, &source, &e);
    assert_true(fd >= 0);
    config_free(c);
    assert_int_equal(write(fd, "x", 1), -1); /* sealed */
    b = (struct config_bundle){ 0 };
    assert_true(config_bundle_open(&b, fd, &e));
    assert_true(b.dry_run);
    assert_string_equal(b.node->name, "ams1");
    assert_string_equal(b.config->fleet.secret, "0123456789abcdef");
    assert_null(b.node->neighbors.at[0].password);
    assert_string_equal(b.node->neighbors.at[1].password, "geheim");
    assert_string_equal(b.file, path);
    assert_true(b.hash == config_hash(yaml, strlen(yaml)));
    free(b.file);
    config_free(b.config);
    close(fd);
    free(yaml);
    static const char *const made[] = { "secret", "md5", "e.zone" };
    for (size_t i = 0; i < BASE_COUNT(made); i++)
        unlink(made[i]);
    assert_int_equal(chdir("/"), 0);
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_mistake_has_its_line), cmocka_unit_test(nothing_in_the_file),
        cmocka_unit_test(nesting_ends_early),        cmocka_unit_test(a_file_has_a_size),
        cmocka_unit_test(errors_are_counted),        cmocka_unit_test(what_was_not_said_is_derived),
        cmocka_unit_test(communities_are_numbers),   cmocka_unit_test(files_are_read),
        cmocka_unit_test(cookie_secrets_are_read),
    };
    return cmocka_run_group_tests_name("config_parse", tests, NULL, NULL);
}
