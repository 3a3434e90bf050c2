# SPDX-License-Identifier: GPL-3.0-or-later
"""The rows of tests/interop/zone-check: zones that are right but for one thing."""
import collections
import glob
import os
import time

import authservers

Row = collections.namedtuple('Row', 'chapter title text check load says line why crypto')

GOOD = '''$TTL 3600
@ SOA ns1 host 2026010101 7200 3600 1209600 3600
@ NS ns1
@ NS ns2
ns1 A 192.0.2.1
ns1 AAAA 2001:db8::1
ns2 A 192.0.2.2
www A 192.0.2.10
mail A 192.0.2.25
@ MX 10 mail
sub NS ns.sub
sub NS ns1
ns.sub A 192.0.2.53
alias CNAME www
*.wild TXT "any"
deep.er.down TXT "below empty non-terminals"
'''
AT = GOOD.count('\n') + 1  # the line of what is added

HEAD = '''# What is checked

Made by `tests/interop/zone-check`, which plants each fault in a zone that is right otherwise and asks four programs; do
not edit. *check* is `perigee check` (exit status 1 when it is *refused*), *load* is what `perigee run` and `perigee serve`
do (`perigee check --lenient`), BIND is `named-checkzone -i local` of 9.18, as
named itself checks, Knot is `kzonecheck` 3.2, NSD is
`nsd-checkzone` 4.6. *Refused*: the zone is not served, the old version stays. *Warned*: it is served. `-`: nothing is
said. `kzonecheck` exits with an error for all that it finds; knotd itself then loads the zone, but for what its
manual calls mandatory checks (the SOA, CNAME and DNAME rules).

**The rule.** A load refuses what cannot be served by any reading of the standards, a zone that lost most of its
records, and a digest that is wrong. It warns of everything that is served wrongly or that no resolver can
validate, because the registries of the world publish such zones every day, and an operator's secondary that
goes silent is worse than one that passes on what it was given. `perigee check` is for the moment before: there
these are errors. Warnings are for what is legal and most likely not meant.

All checks but those of the records' form read the built zone, so they hold for text, for AXFR and after an IXFR alike.
After an IXFR only the names that changed are looked at, and the whole digest in the background. Signatures are
checked for presence, times, names and keys in every load; they are verified with `--dnssec` only.
'''

TAIL = '''
## Not in the table

- **A zone that shrank**: not refused yet. The check is there (`zone_check_shrink()`: more than half of the records
  lost, each RRSIG and NSEC3 counts), but a load does not know the version that is served.
- **ZONEMD** with SHA-384 and SHA-512 of scheme 1 (RFC 8976): any one that is right will do; two of one kind are of no
  use (section 4). BIND 9.18 does not verify; Knot does with `zonemd-verify: on`.
- **Signatures**: RSA with SHA-1 (5, 7), SHA-256 (8) and SHA-512 (10), P-256 (13), P-384 (14), Ed25519 (15), Ed448 (16).
  Others are warned of. The signature of each algorithm that the origin's keys have is asked for (RFC 4035 section 2.2).
- **Not checked**: addresses and names outside of the zone (no question is asked of anybody); whether the parent's DS
  fits; names that BIND calls bad (`check-names`): every byte may stand in a label (RFC 2181 section 11).
'''


class Rows(list):
    chapter = ''

    def add(self, title, text, check, load, says, line=None, why='', crypto=False):
        self.append(Row(self.chapter, title, text, check, load, says, line, why, crypto))

    def refused(self, title, text, says, line=None, why=''):
        self.add(title, text, 'refused', 'refused', says, line, why)

    def strict(self, title, text, says, line=None, why='', crypto=False):
        self.add(title, text, 'refused', 'warned', says, line, why, crypto)

    def warned(self, title, text, says, line=None, why=''):
        self.add(title, text, 'warned', 'warned', says, line, why)

    def silent(self, title, text, why=''):
        self.add(title, text, 'silent', 'silent', '', None, why)


def structure(r):
    r.chapter = 'What makes a zone'
    r.silent('nothing', GOOD)
    r.refused('no SOA', GOOD.replace(GOOD.splitlines()[1] + '\n', ''), 'has no SOA record')
    r.refused('two SOAs', GOOD + '@ SOA ns1 host 7 7200 3600 1209600 3600\n', '2 different SOA records')
    r.refused('a SOA below the origin', GOOD + 'x SOA ns1 host 7 7200 3600 1209600 3600\n',
              "is not the zone's origin and has a SOA", AT, 'it is the file of another zone')
    r.refused('no NS at the origin', GOOD.replace('@ NS ns1\n', '').replace('@ NS ns2\n', ''), 'has no NS record')
    r.refused('a record outside of the zone', GOOD + 'www.example.org. A 192.0.2.1\n', 'is not in the zone', AT,
              'mostly a forgotten dot, or the wrong file')
    r.refused('CNAME and other data', GOOD + 'alias A 192.0.2.1\n', 'has CNAME and other data', 14, 'RFC 2181 section 10.1')
    r.refused('two CNAMEs', GOOD + 'alias CNAME mail\n', '2 different CNAME records')
    r.refused('two DNAMEs', GOOD + 'd DNAME a.\nd DNAME b.\n', '2 different DNAME records', AT + 1)
    r.refused('DNAME and NS', GOOD + 'd DNAME a.\nd NS ns1\n', 'has DNAME and NS', AT)
    r.warned('a record below a DNAME', GOOD + 'd DNAME a.\nx.d A 192.0.2.1\n', 'A is below the DNAME d.example.', AT + 1,
             'RFC 6672 section 2.4 calls it occluded: it is never answered with, and transfers carry it')
    r.refused('a class other than IN', GOOD + 'x CH TXT a\n', 'unsupported|class', AT)
    r.refused('a TTL over 2147483647', GOOD + 'x 2147483648 A 192.0.2.1\n', 'TTL', AT, 'RFC 2181 section 8')
    r.refused('a line that is cut off', GOOD + 'x A 192.0.\n', 'IPv4', AT)
    r.warned('several TTLs in an RRset', GOOD + 'www 60 A 192.0.2.11\n', 'has several TTLs', None,
             'the lowest is used (RFC 2181 section 5.2)')
    r.silent('the same record twice', GOOD + 'www A 192.0.2.10\n', 'it is one record (RFC 2181 section 5)')
    r.silent('`_` in the name of a host', GOOD + 'a_b A 192.0.2.1\n', 'RFC 2181 section 11')

    r.chapter = 'The SOA'
    soa = '7200 3600 1209600 3600'
    r.warned('an @ in the address', GOOD.replace('ns1 host', 'ns1 host\\@example.org.'), 'with an @', 2)
    r.warned('it expires before a second try', GOOD.replace(soa, '7200 3600 10000 3600'), 'expires after 10000 s', 2)
    r.warned('retry above refresh', GOOD.replace(soa, '3600 7200 1209600 3600'), 'above its refresh time', 2)
    r.warned('refresh 0', GOOD.replace(soa, '0 0 1209600 3600'), 'without pause', 2)
    r.warned('absences cached for a week', GOOD.replace(soa, '7200 3600 1209600 604800'), 'over a day', 2,
             'RFC 2308 section 5')

    r.chapter = 'Delegations and servers'
    r.warned('one server of a delegation has no glue', GOOD.replace('ns.sub A 192.0.2.53\n', ''),
             'sub.example. has the server ns.sub.example., which has no address', 11,
             'the delegation works by its other servers')
    r.warned('no server of a delegation has glue', GOOD + 'lame NS ns.lame\n', 'lame.example. has no server with an address',
             AT, "one delegation's fault is not the zone's")
    r.warned("one of the zone's servers has no address", GOOD + '@ NS nowhere\n', 'has the server nowhere.example.', AT,
             'BIND refuses; the zone is reached by its other servers')
    r.strict("none of the zone's servers has an address",
             GOOD.replace('ns1 A 192.0.2.1\nns1 AAAA 2001:db8::1\nns2 A 192.0.2.2\n', '').replace('sub NS ns1\n', ''),
             'example. has no server with an address', 3,
             'the glue at the parent may still lead here, so a load goes on')
    r.warned('a server is an alias', GOOD + '@ NS alias\n', 'which is an alias', AT,
             'RFC 2181 section 10.3; BIND refuses, and most resolvers get through')
    r.warned('a server is an address', GOOD + '@ NS 192.0.2.1.\n', 'has the server 192.0.2.1.', AT)
    r.silent('a server below another delegation, without glue', GOOD + 'lame NS ns.other\nother NS ns1\n',
             'the other zone may know its address')
    r.warned('TXT below a delegation', GOOD + 'x.sub TXT a\n', 'TXT is below the delegation sub.example.', AT,
             'it is never answered with')
    r.warned('TXT at a delegation', GOOD + 'sub TXT a\n', 'TXT stands at a delegation', AT, 'it is never answered with')
    r.silent('an address below a delegation that no server needs', GOOD + 'x.sub A 192.0.2.1\n',
             'registries keep glue for hosts of others')
    r.strict('DS at the origin', GOOD + '@ DS 1 8 2 ' + '00' * 32 + '\n', 'origin and has a DS', AT,
             'a DS is the parent\'s (RFC 4035 section 2.4)')
    r.warned('DS without a delegation', GOOD + 'x DS 1 8 2 ' + '00' * 32 + '\n', 'has a DS and is no delegation', AT)
    r.warned('a DS digest of the wrong length', GOOD + 'sub DS 1 8 2 ' + '00' * 20 + '\n', 'digest of 20 bytes', AT,
             'one that resolvers pass over; another may be good')
    r.warned('NS at a wildcard', GOOD + '*.x NS ns1\n', 'is a wildcard and has NS', AT,
             'RFC 4592 section 4.2 leaves it undefined and does not forbid it')
    r.warned('DNAME at a wildcard', GOOD + '*.x DNAME a.\n', 'is a wildcard and has DNAME', AT, 'RFC 4592 section 4.4')
    r.warned('`*` that is not leftmost', GOOD + 'a.*.x A 192.0.2.1\n', 'that is not leftmost', AT)

    r.chapter = 'Names that records point to'
    r.warned('MX to an alias', GOOD + '@ MX 20 alias\n', 'MX points to alias.example., an alias', AT, 'RFC 2181 section 10.3')
    r.warned('MX to a name without an address', GOOD + '@ MX 20 nowhere\n', 'which has no address', AT)
    r.warned('SRV to an alias', GOOD + '_a._tcp SRV 0 0 1 alias\n', 'SRV points to alias.example., an alias', AT, 'RFC 2782')
    r.warned('SRV to a name without an address', GOOD + '_a._tcp SRV 0 0 1 nowhere\n', 'which has no address', AT)
    r.warned('an alias of a name that does not exist', GOOD + 'x CNAME nowhere\n', 'which does not exist', AT)
    r.warned('an alias that leads back to itself', GOOD + 'x CNAME y\ny CNAME x\n', 'leads back to itself', AT)

    r.chapter = 'The form of records'
    r.warned('two SPF policies', GOOD + '@ TXT "v=spf1 -all"\n@ TXT "v=spf1 mx -all"\n', 'has 2 SPF records', None,
             'RFC 7208 section 3.2')
    r.warned('the type SPF', GOOD + '@ SPF "v=spf1 -all"\n', 'has an SPF record', AT, 'RFC 7208 section 3.1')
    r.refused('TXT whose string is cut off', GOOD + 'x TYPE16 \\# 3 05 6162\n', 'TXT: in generic form', AT)
    r.refused('an address of three bytes', GOOD + 'x TYPE1 \\# 3 c00002\n', '', AT)
    r.refused('SVCB parameters out of order', GOOD + 'x TYPE64 \\# 15 0001 00 0003 0002 0050 0001 0002 0161\n',
              'SVCB: in generic form', AT, 'RFC 9460 section 2.2')
    r.strict('ZONEMD that is too short', GOOD + 'x TYPE63 \\# 10 000000010101 01020304\n', 'ZONEMD: it ends too early', AT)

    r.chapter = 'The digest'
    r.refused('ZONEMD that does not match', GOOD + '@ ZONEMD 2026010101 1 1 ' + '00' * 48 + '\n',
              "is not that of the zone's 15 records", AT, 'RFC 8976; with `--no-zonemd` it is not looked at')
    r.refused('ZONEMD of another serial', GOOD + '@ ZONEMD 7 1 1 ' + '00' * 48 + '\n', 'is of serial 7', AT)
    r.warned('only ZONEMD of unknown kinds', GOOD + '@ ZONEMD 2026010101 1 240 ' + '00' * 48 + '\n', 'cannot be verified', AT)


# ---- signed zones -----------------------------------------------------------------------------------

def sign(work, tag, algorithms, flags=(), text=GOOD):
    """The lines of a signed zone, one record each."""
    keys = os.path.join(work, f'keys-{tag}')
    os.mkdir(keys)
    for a in algorithms:
        bits = ['-b', '2048'] if a.startswith('RSA') else []
        authservers.in_root('dnssec-keygen', '-q', '-a', a, *bits, '-K', keys, 'example')
        authservers.in_root('dnssec-keygen', '-q', '-a', a, *bits, '-f', 'KSK', '-K', keys, 'example')
    path = os.path.join(work, f'plain-{tag}')
    with open(path, 'w') as f:
        f.write(text)
    authservers.in_root('dnssec-signzone', '-q', '-S', '-P', '-K', keys, '-d', keys, '-o', 'example', '-O', 'full',
                        '-f', path + '.signed', *flags, path)
    lines = open(path + '.signed').read().splitlines()
    return [' '.join(x.split()) for x in lines if x and not x.startswith(';')], keys


def records(lines, owner, kind):
    """Indexes of records: kind is a type, or 'RRSIG TYPE'."""
    out = []
    for i, line in enumerate(lines):
        f = line.split()
        if f[0] == owner and (f[3] == kind or f'{f[3]} {f[4]}' == kind):
            out.append(i)
    assert out, (owner, kind)
    return out


def without(lines, *pairs):
    gone = {i for owner, kind in pairs for i in records(lines, owner, kind)}
    return [x for i, x in enumerate(lines) if i not in gone]


def changed(lines, owner, kind, old, new):
    out = list(lines)
    for i in records(lines, owner, kind):
        assert old in out[i], (old, out[i])
        out[i] = out[i].replace(old, new, 1)
    return out


def field(lines, owner, kind, n, new):
    """Replaces field n of the RDATA of the first such record."""
    out = list(lines)
    i = records(lines, owner, kind)[0]
    f = out[i].split()
    f[4 + n] = new(f[4 + n]) if callable(new) else new
    out[i] = ' '.join(f)
    return out


def join(lines):
    return '\n'.join(lines) + '\n'


def at(lines, owner, kind):
    return records(lines, owner, kind)[0] + 1


def stamp(seconds):
    return time.strftime('%Y%m%d%H%M%S', time.gmtime(time.time() + seconds))


def spoilt(text):
    """Base64 with one letter changed."""
    return ('B' if text[8] != 'B' else 'C').join((text[:8], text[9:]))


W = 'www.example.'


def signatures(r, work, z):
    r.chapter = 'Signatures'
    plain = z
    r.silent('nothing, signed with NSEC', join(z))
    for title, algorithms in (('RSA with SHA-256', ['RSASHA256']), ('RSA with SHA-512', ['RSASHA512']),
                              ('P-384', ['ECDSAP384SHA384']), ('Ed25519', ['ED25519']), ('Ed448', ['ED448'])):
        lines, _ = sign(work, algorithms[0], algorithms)
        r.add(f'nothing, signed with {title}', join(lines), 'silent', 'silent', '', None, '', True)
    lines, _ = sign(work, 'sha1', ['RSASHA1'])
    r.add('nothing, signed with RSA and SHA-1', join(lines), 'warned', 'warned', 'which signs SHA-1', None,
          'RFC 8624 section 3.1', True)
    two, _ = sign(work, 'two', ['ECDSAP256SHA256', 'ED25519'])
    r.silent('nothing, signed with two algorithms', join(two))
    late, _ = sign(work, 'late', ['ECDSAP256SHA256'], ['-s', stamp(-30 * 86400), '-e', stamp(-86400)])
    r.strict('signatures have ended', join(late), 'has a signature that ended at')
    early, _ = sign(work, 'early', ['ECDSAP256SHA256'], ['-s', stamp(86400), '-e', stamp(30 * 86400)])
    r.strict('signatures are of the future', join(early), 'has a signature that begins at')
    soon, _ = sign(work, 'soon', ['ECDSAP256SHA256'], ['-e', stamp(86400)])
    r.warned('signatures end tomorrow', join(soon), 'has a signature that ends at', None, 'the horizon is two days')
    r.strict('an RRset is not signed', join(without(z, (W, 'RRSIG A'))), 'www.example. A is not signed', at(z, W, 'A'))
    i = [i for i in records(two, W, 'RRSIG A') if two[i].split()[5] == '15']
    r.strict('an RRset is not signed with one of two algorithms', join([x for n, x in enumerate(two) if n not in i]),
             'A has no good signature of algorithm 15', None, 'RFC 4035 section 2.2')
    r.strict('the SOA is not signed', join(without(z, ('example.', 'RRSIG SOA'))), 'has keys, and its SOA is not signed')
    r.strict('no DNSKEY', join(without(z, ('example.', 'DNSKEY'), ('example.', 'RRSIG DNSKEY'))),
             'is signed, and the zone has no keys')
    bad = field(z, W, 'RRSIG A', 6, '1')
    r.strict('a signature by a key that is not there', join(bad), 'by a key that the zone does not have', at(z, W, 'RRSIG A'))
    bad = field(z, W, 'RRSIG A', 7, 'example.org.')
    r.strict('another signer', join(bad), 'signed in the name of example.org.', at(z, W, 'RRSIG A'))
    r.strict('another number of labels', join(field(z, W, 'RRSIG A', 2, '1')), 'a name of 1 labels', at(z, W, 'RRSIG A'))
    r.warned('another TTL than was signed', join(changed(z, W, 'A', '3600', '60')), 'TTL 60, its signature 3600', None,
             'RFC 4035 section 2.2; resolvers put the original TTL in its place')
    bad = field(z, W, 'RRSIG A', 8, spoilt)
    r.strict('a signature that is wrong', join(bad), 'A has a signature by key', at(z, W, 'RRSIG A'),
             'with `--dnssec`; kzonecheck verifies always', True)
    bad = field(z, W, 'A', 0, '192.0.2.11')
    r.strict('data that is not what was signed', join(bad), 'A has a signature by key', None, 'with `--dnssec`', True)
    r.warned('a signature of nothing', join(changed(without(z, (W, 'A')), W, 'NSEC', ' A ', ' ')),
             'has a signature of A and no such record')
    glue = [x.replace('www.example.', 'ns.sub.example.') for x in z if x.startswith(W) and ' RRSIG A ' in x]
    r.warned('glue that is signed', join(z + glue), "not this zone's to sign")
    bad = field(z, 'example.', 'DNSKEY', 1, '4')
    r.strict('a key of protocol 4', join(bad), 'protocol is not 3')
    key = next(x for x in z if ' DNSKEY 257 ' in x)
    signed_cds(r, plain, key)


def signed_cds(r, z, key):
    """CDS and CDNSKEY; they are not signed here, which is told as well."""
    f = key.split()
    cdnskey = f'example. 3600 IN CDNSKEY {" ".join(f[4:])}'
    r.strict('CDS of a key that the zone does not have', join(z + ['example. 3600 IN CDS 1 13 2 ' + '00' * 32]),
             'has CDS of a key that it does not have', None, 'RFC 7344 section 4.1')
    r.strict('a request for removal and CDNSKEY', join(z + ['example. 3600 IN CDS 0 0 0 00', cdnskey]),
             'CDS and CDNSKEY that do not say the same', None, 'RFC 8078 section 4')
    r.strict('a request for removal and another', join(z + ['example. 3600 IN CDNSKEY 0 3 0 AA==', cdnskey]),
             'ask for removal and for something else')
    r.warned('CDS below the origin', GOOD + 'www CDS 1 13 2 ' + '00' * 32 + '\n', 'origin and has CDS', AT)
    r.warned('DNSKEY below the origin', GOOD + f'www DNSKEY {" ".join(f[4:])}\n', 'origin and has DNSKEY', AT)


def denial(r, work, z):
    r.chapter = 'NSEC'
    gone = without(z, (W, 'NSEC'), (W, 'RRSIG NSEC'))
    r.strict('a name without NSEC', join(gone), 'www.example. has no NSEC')
    r.strict('a name that the chain skips', join(gone[:-1] + [gone[-1]]), 'NSEC does not point to the next name|has no NSEC')
    bad = changed(z, 'mail.example.', 'NSEC', 'ns1.example.', 'ns2.example.')
    r.strict('an NSEC that points too far', join(bad), 'mail.example. NSEC does not point to the next name, ns1.example.')
    last = next(x.split()[0] for x in z if ' IN NSEC example. ' in x)
    bad = field(z, last, 'NSEC', 0, 'sub.example.')
    r.strict('a chain that is not closed', join(bad), 'NSEC does not point to the next name, example.')
    r.strict('an NSEC that lists too little', join(changed(z, W, 'NSEC', ' A ', ' ')), 'NSEC does not list A')
    r.strict('an NSEC that lists too much', join(changed(z, W, 'NSEC', ' A ', ' A AAAA ')), 'NSEC lists AAAA, which is not there')
    glue = [x.replace('www.example.', 'ns.sub.example.', 1) for x in z if x.startswith(W) and ' IN NSEC ' in x]
    r.strict('an NSEC at glue', join(z + glue), 'has NSEC and is below a delegation')
    nothing = [x for x in z if ' IN NSEC ' not in x and ' RRSIG NSEC ' not in x]
    r.strict('a signed zone without NSEC and NSEC3', join(nothing), 'has neither NSEC nor NSEC3')

    r.chapter = 'NSEC3'
    n, _ = sign(work, 'nsec3', ['ECDSAP256SHA256'], ['-3', '-', '-H', '0'])
    r.silent('nothing, signed with NSEC3', join(n))
    owners = [x.split()[0] for x in n if ' IN NSEC3 ' in x]
    by_types = {x.split()[0]: x.split()[9:] for x in n if ' IN NSEC3 ' in x}
    empty = next(o for o in owners if not by_types[o])
    web = next(o for o in owners if by_types[o] == ['A', 'RRSIG'])
    for title, owner in (('a name', web), ('an empty non-terminal', empty)):
        r.strict(f'{title} without NSEC3', join(without(n, (owner, 'NSEC3'), (owner, 'RRSIG NSEC3'))), 'has no NSEC3')
    hashes = sorted(o.split('.')[0] for o in owners)
    bad = field(n, hashes[0] + '.example.', 'NSEC3', 4, hashes[2])
    r.strict('an NSEC3 that points too far', join(bad), 'NSEC3 does not point to the next hash')
    r.strict('an NSEC3 that lists too little', join(changed(n, web, 'NSEC3', ' A ', ' ')), 'NSEC3 does not list A')
    r.strict('an NSEC3 that lists too much', join(changed(n, web, 'NSEC3', ' A ', ' A TXT ')), 'NSEC3 lists TXT')
    r.strict('an NSEC3 of no name', join(without(n, ('mail.example.', 'A'), ('mail.example.', 'RRSIG A'))),
             'NSEC3 is the hash of no name')
    r.strict('no NSEC3PARAM', join(without(n, ('example.', 'NSEC3PARAM'), ('example.', 'RRSIG NSEC3PARAM'))),
             'has NSEC3 and no NSEC3PARAM')
    r.strict('NSEC3PARAM with flags', join(field(n, 'example.', 'NSEC3PARAM', 1, '1')), 'with flags 1', None,
             'RFC 5155 section 4.1.2: it does not count')
    r.strict('NSEC3PARAM of another salt', join(field(n, 'example.', 'NSEC3PARAM', 3, 'AB')), 'has no NSEC3')
    few, _ = sign(work, 'ten', ['ECDSAP256SHA256'], ['-3', '-', '-H', '10'])
    r.warned('10 iterations', join(few), 'hashes its names 10 times more', None, 'RFC 9276 section 3.1')
    many, _ = sign(work, 'hundred', ['ECDSAP256SHA256'], ['-3', '-', '-H', '100'])
    r.strict('100 iterations', join(many), 'hashes its names 100 times more', None,
             'Unbound and BIND take more than 50 to 150 for unsigned or broken')
    r.refused('3000 iterations', join(field(n, 'example.', 'NSEC3PARAM', 2, '3000')), 'hashes its names 3000 times more', None,
              'RFC 5155 section 10.3 allows 2500 at most; each would be paid for by every absent name')
    out, _ = sign(work, 'out', ['ECDSAP256SHA256'], ['-3', '-', '-H', '0', '-A'])
    r.silent('nothing, signed with opt-out', join(out), 'an unsigned delegation needs no NSEC3')
    shut = [x.replace(' IN NSEC3 1 1 ', ' IN NSEC3 1 0 ') for x in out]
    r.strict('opt-out without its flag', join(shut), 'has no NSEC3 and is not opted out')


def rows(work):
    r = Rows()
    structure(r)
    z, _ = sign(work, 'nsec', ['ECDSAP256SHA256'])
    signatures(r, work, z)
    denial(r, work, z)
    return r
