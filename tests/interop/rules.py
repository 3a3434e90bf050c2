# SPDX-License-Identifier: GPL-3.0-or-later
"""What makes two answers the same, and the differences that have a reason. The reasons, with RFC and
paragraph: docs/decisions/0003-answers-where-peers-differ.md."""
import struct

import dnsmsg

RULES = {}


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

    def view(self, m):
        return {'rcode': m.rcode, 'aa': m.aa, 'answer': self.keys(m.answer), 'authority': self.authority(m),
                'tc': m.tc}

    def compare(self, mine, peers):
        """Yields (rule or None, what). Nothing when we are as the peers are."""
        my = self.view(mine)
        for field in ('rcode', 'aa', 'answer', 'authority', 'tc'):
            views = {s: self.view(m) for s, m in peers.items()}
            if my['tc'] and any(v['tc'] for v in views.values()) and field in ('answer', 'authority'):
                continue  # both are cut off: what is left is a matter of taste
            differ = [s for s, v in views.items() if v[field] != my[field]]
            if differ:
                rule = self.explain(field, mine, peers, differ)
                yield rule, f'{field} differs from {", ".join(differ)}'
                if rule is None:
                    return

    def explain(self, field, mine, peers, differ):
        return None
