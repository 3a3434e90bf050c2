# SPDX-License-Identifier: GPL-3.0-or-later
"""Zones and questions from a seed: deep names, empty non-terminals, wildcards in odd places, cuts with
and without DS and glue, CNAME and DNAME chains, occluded data, odd labels, odd types. Every zone is one
that Knot, NSD and BIND load."""
import dnsmsg

LABELS = ['a', 'b', 'c', 'd', 'ns', 'www', 'mail', 'x1', '*', 'A', 'Bb', 'zz', '_tcp', '0', '-', '--',
          '\\000', '\\001', '\\255z', 'a\\.b', 'l' * 63, 'k' * 40, '\\*', 'xn--p1ai', 'e\\032f', 'M']
TTLS = [0, 1, 60, 300, 3600, 86400]


def show(labels):
    return dnsmsg.text(labels)


def under(n, above):
    n, above = dnsmsg.lower(n), dnsmsg.lower(above)
    return len(n) >= len(above) and n[len(n) - len(above):] == above


class Zone:
    def __init__(self, rng, origin, foreign=(), size=80, child=None, odd=True):
        self.rng, self.origin, self.odd = rng, dnsmsg.name(origin), odd
        self.foreign = [dnsmsg.name(f) for f in foreign]  # other zones that names may lead into
        self.data = {}                                    # owner -> {type: (ttl, [rdata text])}
        self.spelled = {}                                 # lower case owner -> as written
        self.cuts, self.dnames = [], []
        self.names = self.make_names(size)
        self.child = dnsmsg.name(child) if child else None
        self.apex()
        self.split()
        for n in self.names:
            self.fill(n)
        self.delegate()
        # BIND loads no zone of which a name server inside it has no address of its own.
        hosts = [n for n, types in self.data.items() if ('A' in types or 'AAAA' in types)
                 and not any(under(n, c) for c in self.cuts)]
        self.add(self.origin, 'NS', *[show(rng.choice(hosts)) for _ in range(rng.choice([0, 1, 2]))])

    # -- names

    def label(self):
        return dnsmsg.name(self.rng.choice(LABELS))[0]

    def make_names(self, size):
        r, names = self.rng, []
        for _ in range(size):
            base = r.choice(names) if names and r.random() < 0.6 else self.origin
            for _ in range(r.choice([1, 1, 1, 2, 3])):
                base = (self.label(),) + base
            if sum(len(x) + 1 for x in base) < 180 and dnsmsg.lower(base) not in self.spelled:
                self.spelled[dnsmsg.lower(base)] = base
                names.append(base)
        return names

    def any_name(self):
        """A name that a record may point at: there, near, below, in another zone, or nowhere."""
        r = self.rng
        pick = r.random()
        if pick < 0.5 and self.names:
            return r.choice(self.names)
        if pick < 0.7 and self.names:
            return (self.label(),) + r.choice(self.names)
        if pick < 0.8:
            return (self.label(),) + self.origin
        if pick < 0.9 and self.foreign:
            return (self.label(),) + r.choice(self.foreign)
        return dnsmsg.name(r.choice(['out.invalid', 'ns.example.net', 'invalid', '.']))

    def add(self, owner, rtype, *rdata, ttl=None):
        types = self.data.setdefault(owner, {})
        if ttl is None:
            ttl = self.rng.choice(TTLS)
        old = types.get(rtype, (ttl, []))
        types[rtype] = (old[0], sorted(set(old[1]) | set(rdata)))

    # -- records

    def apex(self):
        r, o = self.rng, self.origin
        self.add(o, 'SOA', f'ns.{show(o)} host.{show(o)} {r.randrange(1, 9999)} 7200 900 604800 '
                 f'{r.choice([0, 60, 300, 90000])}', ttl=r.choice([60, 3600]))
        self.add(o, 'NS', f'ns0.{show(o)}', *r.choice([[], ['ns.example.net.']]))
        self.add((b'ns0',) + o, 'A', '192.0.2.53')
        self.add((b'ns0',) + o, 'AAAA', '2001:db8::53')
        if r.random() < 0.5:
            self.add(o, 'MX', f'10 {show(self.any_name())}')
            self.add(o, 'TXT', '"apex"')
        self.reserved = {dnsmsg.lower((b'ns0',) + o)}
        self.names = [n for n in self.names if dnsmsg.lower(n) not in self.reserved]

    def split(self):
        """Which names are cuts and DNAMEs; what is below them."""
        r = self.rng
        for n in self.names:
            taken = any(under(n, x) for x in self.cuts + self.dnames) or under(self.ns0(), n)
            above = self.child and (under(self.child, n) or under(n, self.child))
            if taken or above or n[0] == b'*':
                continue
            if r.random() < 0.15:
                self.cuts.append(n)
            elif r.random() < 0.06 and not any(under(c, n) for c in self.cuts):
                self.dnames.append(n)
        if self.child:
            self.names = [n for n in self.names if not under(n, self.child)]
            self.cuts.append(self.child)
        self.names = [n for n in self.names
                      if not any(under(n, d) and len(n) > len(d) for d in self.dnames)]

    def ns0(self):
        return (b'ns0',) + self.origin

    def address(self, owner):
        r = self.rng
        kinds = r.choice([('A',), ('AAAA',), ('A', 'AAAA'), ('A', 'A', 'A')])
        for kind in kinds:
            self.add(owner, kind, f'192.0.2.{r.randrange(256)}' if kind == 'A' else
                     f'2001:db8::{r.randrange(65536):x}')

    def fill(self, n):
        r = self.rng
        if n in self.cuts:
            return
        if n in self.dnames:
            self.add(n, 'DNAME', show(self.dname_target(n)))
            if r.random() < 0.5:
                self.add(n, 'TXT', '"beside DNAME"')
            return
        if any(under(n, c) for c in self.cuts):  # glue, or occluded
            if r.random() < 0.7:
                self.address(n)
            elif self.odd:
                self.add(n, 'TXT', '"occluded"')
            return
        if r.random() < 0.25:
            self.add(n, 'CNAME', show(self.any_name()))
            return
        for _ in range(r.choice([1, 1, 2, 3])):
            self.some_rrset(n)

    def dname_target(self, n):
        for _ in range(20):
            target = self.any_name()
            if not under(target, n):
                return target
        return dnsmsg.name('elsewhere.invalid')

    def some_rrset(self, n):
        r, host = self.rng, lambda: show(self.any_name())
        kind = r.choice(['addr', 'addr', 'addr', 'TXT', 'MX', 'SRV', 'CAA', 'PTR', 'TYPE65280', 'NAPTR',
                         'HINFO', 'AFSDB', 'RP', 'KX', 'SVCB', 'HTTPS', 'LOC', 'SSHFP', 'TLSA', 'big'])
        if kind == 'addr':
            self.address(n)
        elif kind == 'TXT':
            self.add(n, 'TXT', *[f'"{"t" * r.choice([0, 1, 50, 255])}"' for _ in range(r.choice([1, 2]))])
        elif kind == 'big':
            self.add(n, 'TXT', *[f'"{i}" "{"u" * r.randrange(100, 255)}"' for i in range(r.randrange(2, 12))])
        elif kind in ('MX', 'AFSDB', 'KX'):
            self.add(n, kind, *[f'{r.randrange(50)} {host()}' for _ in range(r.choice([1, 1, 3]))])
        elif kind == 'SRV':
            self.add(n, kind, *[f'{r.randrange(9)} 5 53 {host()}' for _ in range(r.choice([1, 2]))])
        elif kind == 'PTR':
            self.add(n, kind, host())
        elif kind == 'RP':
            self.add(n, kind, f'{host()} {host()}')
        elif kind in ('SVCB', 'HTTPS'):
            self.add(n, kind, r.choice([f'1 {host()} alpn=h2', '1 . port=53', f'0 {show(self.out())}']))
        else:
            self.add(n, kind, {
                'CAA': '0 issue "ca.example"', 'TYPE65280': '\\# 4 c00c0001', 'HINFO': '"pc" "os"',
                'NAPTR': f'1 2 "u" "E2U+sip" "!x!y!" {host()}', 'LOC': '52 22 23 N 4 53 32 E -2m',
                'SSHFP': '1 1 ' + 'ab' * 20, 'TLSA': '3 1 1 ' + 'cd' * 32}[kind])

    def out(self):
        return dnsmsg.name(self.rng.choice(['svc.example.net', 'out.invalid']))

    def delegate(self):
        r = self.rng
        for cut in self.cuts:
            for _ in range(r.choice([1, 1, 2, 4])):
                pick = r.random()
                if pick < 0.35:
                    host = (self.rng.choice([b'ns', b'ns1', b'NS2']),) + cut
                    if sum(len(x) + 1 for x in host) < 250 and r.random() < 0.9:
                        self.address(self.spelled.setdefault(dnsmsg.lower(host), host))
                elif pick < 0.45:
                    host = cut
                    self.address(cut)
                elif pick < 0.6 and len(self.cuts) > 1:
                    host = (b'ns',) + r.choice(self.cuts)
                else:
                    host = self.any_name()
                self.add(cut, 'NS', show(host))
            if r.random() < 0.4:
                self.add(cut, 'DS', f'{r.randrange(65536)} 13 2 ' + '%064x' % r.getrandbits(256))

    # -- as a file, and what to ask

    def text(self):
        lines = [f'$ORIGIN {show(self.origin)}']
        for owner in [self.origin] + [n for n in self.data if n != self.origin]:
            for rtype in sorted(self.data[owner], key=lambda t: t != 'SOA'):
                ttl, rdata = self.data[owner][rtype]
                lines += [f'{show(owner)} {ttl} IN {rtype} {x}' for x in rdata]
        return '\n'.join(lines) + '\n'

    def questions(self, count):
        r, out = self.rng, []
        owners = list(self.data)
        targets = [t for t in dnsmsg.TYPES if t not in ('OPT', 'TSIG', 'TKEY', 'AXFR', 'IXFR', 'MAILA',
                                                        'MAILB')]
        for _ in range(count):
            n = r.choice(owners)
            pick = r.random()
            if pick < 0.15:
                n = (self.label(),) + n
            elif pick < 0.25:
                n = (self.label(), self.label()) + n
            elif pick < 0.35 and len(n) > len(self.origin):
                n = (self.label(),) + n[1:]
            elif pick < 0.45 and len(n) > len(self.origin):
                n = n[1:]
            elif pick < 0.55 and len(n) > len(self.origin):
                first = bytearray(n[0])
                first[-1] = (first[-1] + r.choice([-1, 1])) % 256
                n = (bytes(first),) + n[1:]
            if sum(len(x) + 1 for x in n) > 254:
                continue
            if r.random() < 0.2:
                n = tuple(bytes(c ^ 0x20 if 65 <= c & 0xdf <= 90 and r.random() < .5 else c for c in x)
                          for x in n)
            here = [t for t in self.data.get(n, {})]
            if here and r.random() < 0.5:
                qtype = r.choice(here)
            else:
                qtype = r.choice(['A', 'A', 'AAAA', 'NS', 'DS', 'TXT', 'MX', 'CNAME', 'DNAME', 'SOA',
                                  'ANY', r.choice(targets)])
            number = int(qtype[4:]) if qtype.startswith('TYPE') else dnsmsg.TYPES[qtype]
            out.append((n, number))
        return out
