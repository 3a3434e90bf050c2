/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ANSWER_ZONES_H
#define ANSWER_ZONES_H

/* Zones, and what is asked of them: the data of tests/unit/answer_compose.c. */

#define X63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct {
    const char *origin, *text;
} zone_rows[] = {
    { "example.",
      "$ORIGIN example.\n$TTL 3600\n"
      "@ SOA ns1 host 1 2 3 4 300\n"
      "@ NS ns1\n@ NS ns.elsewhere.\n@ MX 10 mail\n"
      "ns1 A 192.0.2.1\nns1 AAAA 2001:db8::1\n"
      "www A 192.0.2.2\nmail A 192.0.2.3\n"
      /* the cuts */
      "sub NS ns.sub\nsub NS ns.other\nsub NS ns.elsewhere.\nns.sub A 192.0.2.4\n"
      "occluded.sub TXT x\nsub DS 1 13 2 "
      "0000000000000000000000000000000000000000000000000000000000000000\n"
      "other NS ns.other\nns.other A 192.0.2.5\nns.other AAAA 2001:db8::5\n"
      "child NS ns.child\nns.child A 192.0.2.6\n"
      /* aliases */
      "c1 CNAME c2\nc2 CNAME www\nout CNAME www.elsewhere.\nnx CNAME nothere\n"
      "l1 CNAME l2\nl2 CNAME l1\nself CNAME self\ncut CNAME a.sub\nfar CNAME www.second.\n"
      "nd CNAME mail\n"
      /* wildcards, RFC 4592 section 2.2.1 in spirit */
      "*.w A 192.0.2.7\n*.w MX 10 mail\nhost.w TXT x\nsub.*.w TXT x\n_ssh._tcp.host1.w A "
      "192.0.2.8\n"
      "*.wn NS ns.elsewhere.\n*.wd DNAME second.\n"
      "*.wc CNAME www\n*.wl CNAME a.wl\n"
      /* a DNAME below a cut */
      "top NS ns.elsewhere.\nd.top DNAME second.\n"
      "a.b.ent A 192.0.2.9\n"
      /* DNAME */
      "d DNAME second.\nd TXT x\ndd DNAME d.example.\nlong DNAME " X63 "." X63 "." X63
      ".\ndl DNAME x.dl2\ndl2 DNAME dl\n"
      "ea DNAME eb\nx.eb CNAME y.ea\ny.eb A 192.0.2.13\nz.eb CNAME ea\n"
      "grow DNAME b.grow2\ngrow2 DNAME c.grow\n"
      /* hosts */
      "srv SRV 1 2 3 ns1\nhttps HTTPS 1 . alpn=h2\nhttps A 192.0.2.10\nsvc SVCB 1 ns1\n"
      "mx MX 1 a.w\nmxx MX 1 a.w\nmxx MX 2 a.w\nmxx MX 3 b.w\n"
      "s1 HTTPS 0 s2\ns2 HTTPS 0 s3\ns3 HTTPS 1 . alpn=h2\ns3 HTTPS 2 www\ns3 A 192.0.2.20\n"
      "sl1 SVCB 0 sl2\nsl2 SVCB 0 sl1\nsself SVCB 0 sself\nsc HTTPS 0 sc1\nsc1 CNAME s3\n"
      "scl HTTPS 1 l1\nsnone HTTPS 0 .\nsnone A 192.0.2.21\nsout HTTPS 0 www.second.\n"
      "scut HTTPS 1 ns.sub\nsw HTTPS 0 x.sww\n*.sww HTTPS 1 . alpn=h3\n*.sww AAAA 2001:db8::22\n"
      "sother SVCB 0 s3\n"
      "sa HTTPS 0 sb\nsb HTTPS 0 sd\nsd HTTPS 0 se\nse HTTPS 0 sf\nsf HTTPS 0 sg\nsg HTTPS 0 sh\n"
      "sh HTTPS 0 si\nsi HTTPS 0 sj\nsj HTTPS 0 sk\nsk HTTPS 0 sm\nsm A 192.0.2.23\n"
      "big TXT \"" X63 X63 X63 "1\"\nbig TXT \"" X63 X63 X63 "2\"\nbig TXT \"" X63 X63 X63
      "3\"\nbig TXT \"" X63 X63 X63 "4\"\nbig TXT \"" X63 X63 X63 "5\"\nbig TXT \"" X63 X63 X63
      "6\"\nbig TXT \"" X63 X63 X63 "7\"\n" },
    { "child.example.", "$ORIGIN child.example.\n$TTL 60\n@ SOA ns host 1 2 3 4 300\n@ NS ns\n"
                        "ns A 192.0.2.6\n" },
    { "second.", "$ORIGIN second.\n$TTL 60\n@ SOA ns host 1 2 3 4 300\n@ NS ns\nns A 192.0.2.11\n"
                 "www A 192.0.2.12\nback CNAME c1.example.\n" },
    /* clang-format off */
    { "signed.",
#define SIG(owner, type) owner " RRSIG " type " 13 1 600 20400101000000 20200101000000 1 signed. AAAA\n"
#define NSEC(owner, next, types) owner " NSEC " next " " types " RRSIG NSEC\n" SIG(owner, "NSEC")
      "$ORIGIN signed.\n$TTL 600\n"
      "@ SOA ns host 1 2 3 4 300\n" SIG("@", "SOA") "@ NS ns\n" SIG("@", "NS") NSEC("@", "a", "NS SOA")
      "a A 192.0.2.1\n" SIG("a", "A") NSEC("a", "ins", "A")
      "ins NS ns.elsewhere.\n" NSEC("ins", "ns", "NS")
      "ns A 192.0.2.2\n" SIG("ns", "A") NSEC("ns", "sec", "A")
      "sec NS ns.sec\nns.sec A 192.0.2.3\n"
      "sec DS 1 13 2 0000000000000000000000000000000000000000000000000000000000000000\n"
      SIG("sec", "DS") NSEC("sec", "*.w", "NS DS")
      "*.w A 192.0.2.4\n" SIG("*.w", "A") NSEC("*.w", "a.w", "A")
      "a.w CNAME q.w\n" SIG("a.w", "CNAME") NSEC("a.w", "b.ent.z", "CNAME")
      "b.ent.z A 192.0.2.5\n" SIG("b.ent.z", "A") NSEC("b.ent.z", "@", "A") },
    /* clang-format on */
};

/* The SOA's number is its TTL: the lesser of its own and MINIMUM (RFC 2308 section 3) when it is the
 * authority of a negative answer. */
#define SOA_EXAMPLE "example. SOA 300"
#define SOA_SIGNED "signed. SOA 300, signed. RRSIG SOA"

static const struct {
    const char *rfc, *what, *question, *answer;
} answer_rows[] = {
    { "1034 4.3.2 3a", "data", "www.example. A", "NOERROR aa | www.example. A | |" },
    { "1034 4.3.2 3a", "data of the apex, with the addresses of what it names", "example. MX",
      "NOERROR aa | example. MX | | mail.example. A" },
    { "1034 4.3.2 6", "the apex's name servers", "example. NS",
      "NOERROR aa | example. NS ns.elsewhere., example. NS ns1.example. | | ns1.example. A, "
      "ns1.example. AAAA" },
    { "1035 3.2.5", "QCLASS ANY is never authoritative", "www.example. A any",
      "NOERROR | www.example. A | |" },
    { "8906 3.1.2", "another class", "www.example. A hs", "REFUSED | | |" },
    { "1034 4.3.2 2", "no zone of ours", "www.nowhere. A", "REFUSED | | |" },
    { "1034 4.3.2 2", "the root, which is not ours", ". NS", "REFUSED | | |" },
    { "5936 2.2.1", "AXFR is refused", "example. AXFR tcp", "REFUSED | | |" },
    { "5936 2.2.1", "AXFR of what is no zone", "www.example. AXFR tcp", "NOTAUTH | | |" },
    { "5936 2.2.1", "AXFR of no zone of ours", "nowhere. AXFR tcp", "NOTAUTH | | |" },
    { "5936 4.2", "AXFR over UDP", "example. AXFR", "NOTIMP | | |" },
    { "1995 2", "IXFR is refused", "example. IXFR", "REFUSED | | |" },
    /* negative answers */
    { "2308 2.2", "the type is not there", "www.example. TXT", "NOERROR aa | | " SOA_EXAMPLE " |" },
    { "2308 2.1", "the name is not there", "nope.example. A", "NXDOMAIN aa | | " SOA_EXAMPLE " |" },
    { "8020 2", "an empty non-terminal is there", "b.ent.example. A",
      "NOERROR aa | | " SOA_EXAMPLE " |" },
    { "2308 3", "SOA asked for has its own TTL", "example. SOA",
      "NOERROR aa | example. SOA 3600 | |" },
    /* referrals */
    { "9471 3.1", "glue below the cut, of a sibling, and of nobody", "www.sub.example. A",
      "NOERROR | | sub.example. NS ns.sub.example., sub.example. NS ns.other.example., "
      "sub.example. NS "
      "ns.elsewhere. | ns.sub.example. A, ns.other.example. A, ns.other.example. AAAA" },
    { "1034 4.3.2 3b", "the cut itself", "other.example. A",
      "NOERROR | | other.example. NS ns.other.example. | ns.other.example. A, ns.other.example. "
      "AAAA" },
    { "1034 4.3.2 3b", "glue asked for is below the cut", "ns.other.example. A",
      "NOERROR | | other.example. NS ns.other.example. | ns.other.example. A, ns.other.example. "
      "AAAA" },
    { "2136 7.18", "data below the cut is not there", "occluded.sub.example. TXT",
      "NOERROR | | sub.example. NS ns.sub.example., sub.example. NS ns.other.example., "
      "sub.example. NS "
      "ns.elsewhere. | ns.sub.example. A, ns.other.example. A, ns.other.example. AAAA" },
    { "4035 3.1.4.1", "DS is the parent's", "sub.example. DS", "NOERROR aa | sub.example. DS | |" },
    { "4035 3.1.4.1", "no DS at the cut", "other.example. DS", "NOERROR aa | | " SOA_EXAMPLE " |" },
    { "4035 3.1.4.1", "DS of an apex whose parent is ours too", "child.example. DS",
      "NOERROR aa | | " SOA_EXAMPLE " |" },
    { "4035 3.1.4.1", "DS of an apex whose parent is not ours", "example. DS",
      "NOERROR aa | | " SOA_EXAMPLE " |" },
    { "1034 4.3.2 2", "the child is ours too", "ns.child.example. A",
      "NOERROR aa | ns.child.example. A | |" },
    { "4035 3.1.4.1", "DS below a cut is not ours", "x.sub.example. DS",
      "NOERROR | | sub.example. NS ns.sub.example., sub.example. NS ns.other.example., "
      "sub.example. NS "
      "ns.elsewhere. | ns.sub.example. A, ns.other.example. A, ns.other.example. AAAA" },
    /* CNAME */
    { "1034 4.3.2 3a", "a chain", "c1.example. A",
      "NOERROR aa | c1.example. CNAME c2.example., c2.example. CNAME www.example., www.example. A "
      "| |" },
    { "1034 3.6.2", "CNAME asked for is not followed", "c1.example. CNAME",
      "NOERROR aa | c1.example. CNAME c2.example. | |" },
    { "1034 4.3.2 3a", "a chain that leaves us", "out.example. A",
      "NOERROR aa | out.example. CNAME www.elsewhere. | |" },
    { "6604 3", "a chain to nothing", "nx.example. A",
      "NXDOMAIN aa | nx.example. CNAME nothere.example. | " SOA_EXAMPLE " |" },
    { "2308 2.2", "a chain to a name without the type", "nd.example. TXT",
      "NOERROR aa | nd.example. CNAME mail.example. | " SOA_EXAMPLE " |" },
    { "1034 3.6.2", "a loop", "l1.example. A",
      "NOERROR aa | l1.example. CNAME l2.example., l2.example. CNAME l1.example. | |" },
    { "1034 3.6.2", "an alias of itself", "self.example. A",
      "NOERROR aa | self.example. CNAME self.example. | |" },
    { "1034 4.3.2 3b", "a chain to below a cut", "cut.example. A",
      "NOERROR aa | cut.example. CNAME a.sub.example. | sub.example. NS ns.sub.example., "
      "sub.example. NS "
      "ns.other.example., sub.example. NS ns.elsewhere. | ns.sub.example. A, ns.other.example. A, "
      "ns.other.example. AAAA" },
    { "1034 4.3.2 3a", "a chain into another zone of ours", "far.example. A",
      "NOERROR aa | far.example. CNAME www.second., www.second. A | |" },
    { "1034 4.3.2 3a", "a chain into another zone, to nothing", "back.second. TXT",
      "NOERROR aa | back.second. CNAME c1.example., c1.example. CNAME c2.example., c2.example. "
      "CNAME "
      "www.example. | " SOA_EXAMPLE " |" },
    /* wildcards: the questions of RFC 4592 section 2.2.1 */
    { "4592 2.2.1", "host3", "host3.w.example. MX",
      "NOERROR aa | host3.w.example. MX | | mail.example. A" },
    { "4592 2.2.1", "host3, a type that is not there", "host3.w.example. TXT",
      "NOERROR aa | | " SOA_EXAMPLE " |" },
    { "4592 2.2.1", "foo.bar", "foo.bar.w.example. A", "NOERROR aa | foo.bar.w.example. A | |" },
    { "4592 2.2.1", "host1 exists as an empty non-terminal", "host1.w.example. MX",
      "NOERROR aa | | " SOA_EXAMPLE " |" },
    { "4592 2.2.1", "sub.* exists", "sub.*.w.example. MX", "NOERROR aa | | " SOA_EXAMPLE " |" },
    { "4592 2.2.1", "_telnet._tcp.host1: its closest encloser has no wildcard",
      "_telnet._tcp.host1.w.example. SRV", "NXDOMAIN aa | | " SOA_EXAMPLE " |" },
    { "4592 2.2.1", "ghost.*: the closest encloser is the wildcard itself", "ghost.*.w.example. MX",
      "NXDOMAIN aa | | " SOA_EXAMPLE " |" },
    { "4592 2.3", "the wildcard asked for by name", "*.w.example. A",
      "NOERROR aa | *.w.example. A | |" },
    { "4592 4.4", "a wildcard CNAME", "foo.wc.example. A",
      "NOERROR aa | foo.wc.example. CNAME www.example., www.example. A | |" },
    { "4592 4.4", "a wildcard CNAME that leads to itself", "foo.wl.example. A",
      "NOERROR aa | foo.wl.example. CNAME a.wl.example., a.wl.example. CNAME a.wl.example. | |" },
    { "4592 2.2.3", "a wildcard does not reach below a cut", "a.b.sub.example. MX",
      "NOERROR | | sub.example. NS ns.sub.example., sub.example. NS ns.other.example., "
      "sub.example. NS "
      "ns.elsewhere. | ns.sub.example. A, ns.other.example. A, ns.other.example. AAAA" },
    { "4592 4.2", "a wildcard NS refers", "q.wn.example. A",
      "NOERROR | | q.wn.example. NS ns.elsewhere. |" },
    { "4592 4.2", "its DS would be the parent's", "q.wn.example. DS",
      "NOERROR aa | | " SOA_EXAMPLE " |" },
    { "6672 3.3", "a wildcard DNAME is data, and substitutes nothing", "a.wd.example. A",
      "NOERROR aa | | " SOA_EXAMPLE " |" },
    { "6672 3.3", "a wildcard DNAME asked for", "a.wd.example. DNAME",
      "NOERROR aa | a.wd.example. DNAME second. | |" },
    { "6672 3.3", "below the wildcard itself it substitutes", "www.*.wd.example. A",
      "NOERROR aa | *.wd.example. DNAME second., www.*.wd.example. CNAME www.second., www.second. "
      "A | |" },
    /* DNAME */
    { "6672 2.4", "a DNAME below a cut is not there", "www.d.top.example. A",
      "NOERROR | | top.example. NS ns.elsewhere. |" },
    { "6672 3.2", "substitution into another zone of ours", "www.d.example. A",
      "NOERROR aa | d.example. DNAME second., www.d.example. CNAME www.second., www.second. A | "
      "|" },
    { "6672 2.3", "the owner itself is not substituted", "d.example. A",
      "NOERROR aa | | " SOA_EXAMPLE " |" },
    { "6672 2.3", "data beside it", "d.example. TXT", "NOERROR aa | d.example. TXT | |" },
    { "6672 3.2", "DNAME asked for", "d.example. DNAME",
      "NOERROR aa | d.example. DNAME second. | |" },
    { "6672 3.1", "CNAME asked for below it", "www.d.example. CNAME",
      "NOERROR aa | d.example. DNAME second., www.d.example. CNAME www.second. | |" },
    { "6672 3.2", "a chain of two", "www.dd.example. A",
      "NOERROR aa | dd.example. DNAME d.example., www.dd.example. CNAME www.d.example., d.example. "
      "DNAME "
      "second., www.d.example. CNAME www.second., www.second. A | |" },
    { "6672 3.2", "twice through one DNAME: the record comes once", "x.ea.example. A",
      "NOERROR aa | ea.example. DNAME eb.example., x.ea.example. CNAME x.eb.example., x.eb.example. "
      "CNAME y.ea.example., y.ea.example. CNAME y.eb.example., y.eb.example. A | |" },
    { "6672 3.2", "the record that a chain has passed is what was asked for", "z.ea.example. DNAME",
      "NOERROR aa | ea.example. DNAME eb.example., z.ea.example. CNAME z.eb.example., z.eb.example. "
      "CNAME ea.example. | |" },
    { "6672 2.2", "too long", X63 ".long.example. A",
      "YXDOMAIN aa | long.example. DNAME " X63 "." X63 "." X63 ". | |" },
    /* several types, hosts */
    { "8482 4.1", "ANY gives one RRset", "ns1.example. ANY", "NOERROR aa | ns1.example. A | |" },
    { "8482 4.1", "ANY of an alias", "c1.example. ANY",
      "NOERROR aa | c1.example. CNAME c2.example. | |" },
    { "1035 3.2.3", "ANY where nothing is", "b.ent.example. ANY",
      "NOERROR aa | | " SOA_EXAMPLE " |" },
    { "2782", "SRV", "srv.example. SRV",
      "NOERROR aa | srv.example. SRV | | ns1.example. A, ns1.example. AAAA" },
    { "9460 4.1", "SVCB", "svc.example. SVCB",
      "NOERROR aa | svc.example. SVCB | | ns1.example. A, ns1.example. AAAA" },
    { "9460 4.1", "aliases are followed to what they stand for", "s1.example. HTTPS",
      "NOERROR aa | s1.example. HTTPS | | s2.example. HTTPS, s3.example. A, s3.example. HTTPS, "
      "s3.example. HTTPS, www.example. A" },
    { "9460 4.1", "the targets of a service, and no SVCB of theirs", "scut.example. HTTPS",
      "NOERROR aa | scut.example. HTTPS | |" },
    { "9460 4.1", "a loop", "sl1.example. SVCB",
      "NOERROR aa | sl1.example. SVCB | | sl2.example. SVCB" },
    { "9460 2.4.2", "an alias of itself", "sself.example. SVCB",
      "NOERROR aa | sself.example. SVCB | |" },
    { "9460 4.1", "through a CNAME", "sc.example. HTTPS",
      "NOERROR aa | sc.example. HTTPS | | sc1.example. CNAME s3.example., s3.example. A, "
      "s3.example. HTTPS, s3.example. HTTPS, www.example. A" },
    { "9460 4.1", "CNAMEs in a loop", "scl.example. HTTPS",
      "NOERROR aa | scl.example. HTTPS | | l1.example. CNAME l2.example., l2.example. CNAME "
      "l1.example." },
    { "9460 2.5.1", "there is no such service", "snone.example. HTTPS",
      "NOERROR aa | snone.example. HTTPS | |" },
    { "9460 4.1", "targets out of the zone are not ours to give", "sout.example. HTTPS",
      "NOERROR aa | sout.example. HTTPS | |" },
    { "9460 4.1", "a target by a wildcard", "sw.example. HTTPS",
      "NOERROR aa | sw.example. HTTPS | | x.sww.example. AAAA, x.sww.example. HTTPS" },
    { "9460 4.1", "an alias with another type at its end", "sother.example. SVCB",
      "NOERROR aa | sother.example. SVCB | | s3.example. A" },
    { "9460 4.1", "a chain is bounded", "sa.example. HTTPS",
      "NOERROR aa | sa.example. HTTPS | | sb.example. HTTPS, sd.example. HTTPS, se.example. HTTPS, "
      "sf.example. HTTPS, sg.example. HTTPS, sh.example. HTTPS, si.example. HTTPS, sj.example. "
      "HTTPS" },
    { "9460 2.5.2", "HTTPS of the name itself", "https.example. HTTPS",
      "NOERROR aa | https.example. HTTPS | | https.example. A" },
    { "1034 4.3.2 6", "a host that is there by a wildcard", "mx.example. MX",
      "NOERROR aa | mx.example. MX | | a.w.example. A" },
    { "2181 5", "and that is named twice", "mxx.example. MX",
      "NOERROR aa | mxx.example. MX, mxx.example. MX, mxx.example. MX | | a.w.example. A, "
      "b.w.example. A" },
    /* CHAOS */
    { "4892 3", "id.server", "id.server. TXT ch", "NOERROR aa | id.server. TXT | |" },
    { "4892 3", "in any case", "Hostname.BIND. TXT ch", "NOERROR aa | Hostname.BIND. TXT | |" },
    { "4892 3", "version.server", "version.server. TXT ch",
      "NOERROR aa | version.server. TXT | |" },
    { "4892 3", "another name", "example. TXT ch", "REFUSED | | |" },
    /* signed: nothing of it without DO */
    { "4035 3.1", "no DNSSEC without DO", "nope.signed. A edns",
      "NXDOMAIN aa | | signed. SOA 300 |" },
    { "4035 3.1.1", "RRSIG with what it covers", "a.signed. A do",
      "NOERROR aa | a.signed. A, a.signed. RRSIG A | |" },
    { "4035 3.1.3.1", "NODATA", "a.signed. TXT do",
      "NOERROR aa | | " SOA_SIGNED ", a.signed. NSEC, a.signed. RRSIG NSEC |" },
    { "4035 3.1.3.2", "NXDOMAIN: the name and the wildcard", "m.signed. A do",
      "NXDOMAIN aa | | " SOA_SIGNED ", ins.signed. NSEC, ins.signed. RRSIG NSEC, signed. NSEC, "
      "signed. RRSIG NSEC |" },
    { "4035 3.1.3.2", "NXDOMAIN: one NSEC for both", "0.signed. A do",
      "NXDOMAIN aa | | " SOA_SIGNED ", signed. NSEC, signed. RRSIG NSEC |" },
    { "4035 3.1.3.3", "by a wildcard: no closer match", "q.w.signed. A do",
      "NOERROR aa | q.w.signed. A, q.w.signed. RRSIG A | a.w.signed. NSEC, a.w.signed. RRSIG NSEC "
      "|" },
    { "4035 3.1.3.4", "NODATA by a wildcard", "q.w.signed. TXT do",
      "NOERROR aa | | " SOA_SIGNED ", a.w.signed. NSEC, a.w.signed. RRSIG NSEC, *.w.signed. NSEC, "
      "*.w.signed. RRSIG NSEC |" },
    { "4035 3.1.3.3", "a chain through a wildcard: the proof is behind the answers",
      "a.w.signed. A do",
      "NOERROR aa | a.w.signed. CNAME q.w.signed., a.w.signed. RRSIG CNAME, q.w.signed. A, "
      "q.w.signed. "
      "RRSIG A | a.w.signed. NSEC, a.w.signed. RRSIG NSEC |" },
    { "4035 3.1.3.1", "NODATA of an empty non-terminal", "ent.z.signed. A do",
      "NOERROR aa | | " SOA_SIGNED ", a.w.signed. NSEC, a.w.signed. RRSIG NSEC |" },
    { "4035 3.1.4", "a signed referral", "x.sec.signed. A do",
      "NOERROR | | sec.signed. NS ns.sec.signed., sec.signed. DS, sec.signed. RRSIG DS | "
      "ns.sec.signed. A" },
    { "4035 3.1.4", "an unsigned referral", "x.ins.signed. A do",
      "NOERROR | | ins.signed. NS ns.elsewhere., ins.signed. NSEC, ins.signed. RRSIG NSEC |" },
    { "4035 3.1.4.1", "DS that is not there", "ins.signed. DS do",
      "NOERROR aa | | " SOA_SIGNED ", ins.signed. NSEC, ins.signed. RRSIG NSEC |" },
    { "4035 3.1.4.1", "DS", "sec.signed. DS do",
      "NOERROR aa | sec.signed. DS, sec.signed. RRSIG DS | |" },
    { "8482 7", "RRSIG asked for", "a.signed. RRSIG", "NOERROR aa | a.signed. RRSIG A | |" },
    { "4035 3.1.1", "signatures of additional records too", "signed. NS do",
      "NOERROR aa | signed. NS ns.signed., signed. RRSIG NS | | ns.signed. A, ns.signed. RRSIG A" },
};

#endif
