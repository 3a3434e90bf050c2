# SPDX-License-Identifier: GPL-3.0-or-later
"""What makes two answers the same, and the differences that have a reason. The reasons, with RFC and
paragraph: docs/decisions/0003-answers-where-peers-differ.md."""
import struct

import dnsmsg

RULES = {
    'any': 'ANY gives one RRset of the name',
    'rrsig': 'RRSIG asked for as a type gives the signatures of one RRset',
    'cname-nsec': 'a CNAME is followed for NSEC too, where there is none',
    'ds-wildcard': 'DS that is not there by a wildcard: the whole proof, opt-out or not',
    'cut-off': 'the RCODE of a chain that was cut off before its end',
    'fits': 'a peer that compresses less cut the answer off',
    'glue-tc': 'TC is set when glue below the cut does not fit',
    'ent-wildcard': 'NODATA by a wildcard that is an empty non-terminal proves that it is one',
    'additional-more': 'we give addresses that a peer leaves out',
    'additional-room': 'addresses that are not glue were left out for want of room',
    'occluded-wildcard': 'no glue from a wildcard below a cut',
    'svcb': 'SVCB and HTTPS: aliases are followed to their end, and no proof of what is not there',
    'cross-zone': 'a chain is followed into other zones of ours',
    'no-majority': 'the peers differ among themselves, and we are as one of them is',
    'knot-alone': 'Knot differs from the other two, and we are as they are',
    'nsd-alone': 'NSD differs from the other two, and we are as they are',
    'bind-alone': 'BIND differs from the other two, and we are as they are',
}


class Case:
    def __init__(self, question, query, tcp, zones):
        self.name, self.qtype = question
        self.query, self.tcp, self.zones = query, tcp, zones
        self.edns = query[11] == 1
        tail = query[-11:] if self.edns else b''
        self.do = bool(self.edns and tail[7] & 0x80)
        self.limit = 65535 if tcp else min(1232, struct.unpack('>H', tail[3:5])[0]) if self.edns else 512

    def __str__(self):
        return (f'{dnsmsg.text(self.name)} {dnsmsg.type_text(self.qtype)}{" do" if self.do else ""}'
                f'{" tcp" if self.tcp else f" udp {self.limit}"}')

    def sound(self, m):
        """What every response must be, whatever the peers say."""
        assert m.qr, 'QR is not set'
        assert m.id == struct.unpack('>H', self.query[:2])[0], 'another id'
        assert len(m.wire) <= self.limit, f'{len(m.wire)} bytes for {self.limit}'
        assert m.question == [(self.name, self.qtype, 1)], 'the question is not echoed as it came'
        assert m.opts == (1 if self.edns else 0), f'{m.opts} OPTs'
        if self.edns:
            assert bool(m.opt.ttl & 0x8000) == self.do, 'DO is not echoed'
        for section in m.sections:
            keys = [rr.key() for rr in section]
            assert len(keys) == len(set(keys)), 'a record twice in a section'
            if not self.do:
                for rr in section:
                    assert rr.type not in (46, 47, 50) or self.qtype in (rr.type, 255), 'unasked DNSSEC'

    @staticmethod
    def keys(section):
        return frozenset(rr.key() for rr in section)

    def authority(self, m):
        """Without the apex's NS that some add to positive answers (RFC 1034 section 6.2.1 has them, and
        nobody needs them)."""
        rrs = m.authority
        if m.answer and m.rcode == 0:
            owners = {rr.owner for rr in rrs if rr.type == 2}
            apexes = {dnsmsg.lower(z.origin) for z in self.zones.values()} | ({()} if not self.zones else set())
            drop = owners & apexes
            rrs = [rr for rr in rrs if not (rr.owner in drop and (
                rr.type == 2 or rr.type == 46 and rr.rdata[:2] == b'\0\2'))]
        return self.keys(rrs)

    def additional(self, m, mine):
        """Without the addresses of the apex's name servers, where that NS was left out above."""
        hosts = {dnsmsg.read_name(rr.rdata, 0)[0] for rr in m.authority
                 if rr.type == 2 and rr.key() not in self.authority(m)}
        ours = {rr.owner for rr in mine.additional}
        return self.keys(rr for rr in m.additional if rr.owner not in hosts - ours)

    def view(self, m, mine):
        return {'rcode': m.rcode, 'aa': m.aa, 'answer': self.keys(m.answer), 'authority': self.authority(m),
                'tc': m.tc, 'additional': self.additional(m, mine)}

    def compare(self, mine, peers):
        """Yields (rule or None, what). Nothing when we are as the peers are."""
        my = self.view(mine, mine)
        for field in ('rcode', 'aa', 'answer', 'authority', 'tc', 'additional'):
            views = {s: self.view(m, mine) for s, m in peers.items()}
            if my['tc'] and any(v['tc'] for v in views.values()) and field in ('answer', 'authority', 'additional'):
                continue  # both are cut off: what is left is a matter of taste
            differ = [s for s, v in views.items() if v[field] != my[field]]
            if differ:
                rule = self.explain(field, mine, peers, differ)
                yield rule, f'{field} differs from {", ".join(differ)}'
                if rule is None:
                    return

    def explain(self, field, mine, peers, differ):
        if self.qtype == 255 and field != 'rcode':
            return 'any'
        if self.qtype == 46 and field in ('answer', 'tc'):
            return 'rrsig'
        if self.crosses(mine):
            return 'cross-zone'
        if self.qtype in (47, 50) and 'bind' in differ and mine.answer and mine.answer[-1].type in (5, 46):
            return 'cname-nsec'
        if not mine.tc and all(peers[s].tc for s in differ):
            return 'fits'
        if field == 'tc' and mine.tc and any(rr.type == 2 for rr in mine.authority):
            return 'glue-tc'
        if field == 'rcode' and mine.tc and all(peers[s].tc for s in differ):
            return 'cut-off'
        if field in ('authority', 'tc') and self.more_denial(mine, peers, set(differ) - {'nsd'}):
            return 'ent-wildcard'
        if field in ('authority', 'tc') and self.qtype == 43 and 'bind' not in differ and \
                self.more_denial(mine, peers, differ):
            return 'ds-wildcard'
        if field == 'additional':
            rule = self.explain_additional(mine, peers, differ)
            if rule:
                return rule
        if len(differ) == 1 and len(peers) == 3:
            return f'{differ[0]}-alone'
        views = [(self.view(peers[s], mine)[field], peers[s].tc) for s in differ]
        if len(peers) == 3 and len(differ) == 2 and views[0] != views[1]:
            return 'no-majority'
        return None

    def explain_additional(self, mine, peers, differ):
        my = self.additional(mine, mine)
        missing = [key for s in differ for key in self.additional(peers[s], mine) - my]
        if not missing:
            return 'additional-more'
        if any(rr.type in (64, 65) for rr in mine.answer):
            return 'svcb'
        if all(self.occluded_wildcard(key[0]) for key in missing):
            return 'occluded-wildcard'
        cuts = {rr.owner for rr in mine.authority if rr.type == 2} if not mine.aa else set()
        glue = any(owner[len(owner) - len(c):] == c for c in cuts for owner, *_ in missing)
        need = sum(60 + len(key[4]) for key in missing)
        if not glue and len(mine.wire) + need > self.limit:
            return 'additional-room'
        return None

    def occluded_wildcard(self, owner):
        """A name that is only there by a wildcard below a cut, where none can be."""
        for z in self.zones.values():
            for cut in z.cuts:
                cut = dnsmsg.lower(cut)
                if owner[len(owner) - len(cut):] == cut and len(owner) > len(cut):
                    return owner not in {dnsmsg.lower(n) for n in z.data}
        return False

    def more_denial(self, mine, peers, differ):
        """NODATA with all the proof that those peers have, and more of it."""
        my = self.authority(mine)
        chain = all(rr.type in (5, 39, 46) for rr in mine.answer)
        return chain and mine.rcode == 0 and bool(differ) and all(
            (self.authority(peers[s]) <= my or mine.tc) and
            all(key[1] in (46, 47, 50) for key in my - self.authority(peers[s])) for s in differ)

    def zone_of(self, name):
        best = None
        for z in self.zones.values():
            origin = dnsmsg.lower(z.origin)
            if name[len(name) - len(origin):] == origin and (best is None or len(origin) > len(best)):
                best = origin
        return best

    def crosses(self, m):
        """The chain goes from one of the served zones into another."""
        here = self.zone_of(dnsmsg.lower(self.name))
        return any(rr.type == 5 and self.zone_of(dnsmsg.read_name(rr.rdata, 0)[0]) not in (here, None)
                   for rr in m.answer)
