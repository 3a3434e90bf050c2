# SPDX-License-Identifier: GPL-3.0-or-later
"""DNS messages for the tests: queries are made, responses are taken apart, independent of our own
code and of any library. Names are tuples of byte strings, the root is ()."""
import struct

TYPES = {
    'A': 1, 'NS': 2, 'CNAME': 5, 'SOA': 6, 'PTR': 12, 'HINFO': 13, 'MX': 15, 'TXT': 16, 'RP': 17,
    'AFSDB': 18, 'AAAA': 28, 'LOC': 29, 'SRV': 33, 'NAPTR': 35, 'KX': 36, 'DNAME': 39, 'OPT': 41,
    'DS': 43, 'SSHFP': 44, 'RRSIG': 46, 'NSEC': 47, 'DNSKEY': 48, 'NSEC3': 50, 'NSEC3PARAM': 51,
    'TLSA': 52, 'CDS': 59, 'SVCB': 64, 'HTTPS': 65, 'SPF': 99, 'TKEY': 249, 'TSIG': 250, 'IXFR': 251,
    'AXFR': 252, 'MAILB': 253, 'MAILA': 254, 'ANY': 255, 'CAA': 257}
NAMES = {v: k for k, v in TYPES.items()}
RCODES = {0: 'NOERROR', 1: 'FORMERR', 2: 'SERVFAIL', 3: 'NXDOMAIN', 4: 'NOTIMP', 5: 'REFUSED',
          6: 'YXDOMAIN', 9: 'NOTAUTH', 16: 'BADVERS',
          23: 'BADCOOKIE'}
# Where names are in RDATA (RFC 1035, 2782, 3403, 4034, 6672, 9460): n a name, digits bytes, s a string.
SHAPES = {2: 'n', 5: 'n', 6: 'nn', 12: 'n', 15: '2n', 17: 'nn', 18: '2n', 33: '6n', 35: '4sssn',
          36: '2n', 39: 'n', 64: '2n', 65: '2n'}
LOWER = bytes(c + 32 if 65 <= c <= 90 else c for c in range(256))


class Broken(Exception):
    pass


def name(text):
    """From text with \\DDD and \\X escapes."""
    labels, label, i = [], bytearray(), 0
    raw = text.encode('latin-1')
    while i < len(raw):
        c = raw[i]
        if c == 0x5c:
            if raw[i + 1:i + 4].isdigit():
                label.append(int(raw[i + 1:i + 4]))
                i += 4
            else:
                label.append(raw[i + 1])
                i += 2
            continue
        i += 1
        if c == 0x2e:
            if label:
                labels.append(bytes(label))
            label = bytearray()
        else:
            label.append(c)
    if label:
        labels.append(bytes(label))
    return tuple(labels)


def text(labels):
    out = ''
    for label in labels:
        for c in label:
            ch = chr(c)
            out += ch if c < 128 and (ch.isalnum() or ch in '-_*') else '\\%03d' % c
        out += '.'
    return out or '.'


def lower(labels):
    return tuple(x.translate(LOWER) for x in labels)


def wire(labels):
    return b''.join(bytes([len(x)]) + x for x in labels) + b'\0'


def type_text(t):
    return NAMES.get(t, 'TYPE%d' % t)


def query(qname, qtype, qid=1, qclass=1, edns=True, do=False, size=1232, flags=0, options=b'',
          version=0):
    msg = struct.pack('>6H', qid, flags, 1, 0, 0, 1 if edns else 0)
    msg += wire(qname) + struct.pack('>HH', qtype, qclass)
    if edns:
        msg += b'\0' + struct.pack('>HHBBHH', 41, size, 0, version, 0x8000 if do else 0, len(options))
        msg += options
    return msg


def read_name(msg, at):
    labels, end, limit = [], None, at
    while True:
        if at >= len(msg):
            raise Broken('a name breaks off')
        n = msg[at]
        if n >= 0xc0:
            if at + 1 >= len(msg):
                raise Broken('half a pointer')
            to = (n & 0x3f) << 8 | msg[at + 1]
            if to >= limit:
                raise Broken('a pointer that does not go back')
            if end is None:
                end = at + 2
            at = limit = to
        elif n > 63:
            raise Broken('a label type')
        elif n == 0:
            if sum(len(x) + 1 for x in labels) > 254:
                raise Broken('a name of over 255 bytes')
            return tuple(labels), at + 1 if end is None else end
        else:
            if at + 1 + n > len(msg):
                raise Broken('a label breaks off')
            labels.append(msg[at + 1:at + 1 + n])
            at += 1 + n


def read_rdata(msg, at, length, rtype):
    """Canonical bytes: names uncompressed and in lower case."""
    end, out = at + length, b''
    for field in SHAPES.get(rtype, ''):
        if field == 'n':
            labels, at = read_name(msg, at)
            out += wire(lower(labels))
            continue
        size = msg[at] + 1 if field == 's' else int(field)
        out += msg[at:at + size]
        at += size
    if at > end:
        raise Broken('RDATA breaks off')
    if rtype in (46, 47):  # RRSIG and NSEC: one name in the middle, never compressed
        head = 18 if rtype == 46 else 0
        labels, after = read_name(msg[:end], at + head)
        return msg[at:at + head] + wire(lower(labels)) + msg[after:end]
    return out + msg[at:end]


class RR:
    __slots__ = ('owner', 'type', 'rclass', 'ttl', 'rdata', 'raw_owner')

    def key(self):
        return (self.owner, self.type, self.rclass, self.ttl, self.rdata)

    def __repr__(self):
        data = self.rdata
        if self.type in (2, 5, 12, 39):
            shown = text(read_name(data, 0)[0])
        elif self.type == 46:
            shown = type_text(struct.unpack('>H', data[:2])[0]) + ' …'
        elif self.type == 47:
            shown = text(read_name(data, 0)[0]) + ' …'
        else:
            shown = data.hex() if len(data) < 40 else data[:40].hex() + '…'
        return f'{text(self.owner)} {self.ttl} {type_text(self.type)} {shown}'


class Message:
    """A response, wholly read; raises Broken when it is not exactly what its counts say."""

    def __init__(self, msg):
        if len(msg) < 12:
            raise Broken('no header')
        self.wire = msg
        self.id, self.flags, qd, *counts = struct.unpack('>6H', msg[:12])
        self.qr, self.aa, self.tc = bool(self.flags & 0x8000), bool(self.flags & 0x400), \
            bool(self.flags & 0x200)
        at, self.question = 12, []
        for _ in range(qd):
            labels, at = read_name(msg, at)
            if at + 4 > len(msg):
                raise Broken('a question breaks off')
            self.question.append((labels, *struct.unpack('>HH', msg[at:at + 4])))
            at += 4
        self.sections, self.opt, self.opts = [[], [], []], None, 0
        for section, count in zip(self.sections, counts):
            for _ in range(count):
                rr, at = self.record(msg, at)
                if rr.type == 41:
                    self.opt, self.opts = rr, self.opts + 1
                else:
                    section.append(rr)
        if at != len(msg):
            raise Broken('bytes left over')
        self.answer, self.authority, self.additional = self.sections
        self.rcode = self.flags & 15 | ((self.opt.ttl >> 24) << 4 if self.opt else 0)

    @staticmethod
    def record(msg, at):
        rr = RR()
        rr.raw_owner, at = read_name(msg, at)
        if at + 10 > len(msg):
            raise Broken('a record breaks off')
        rr.owner = lower(rr.raw_owner)
        rr.type, rr.rclass, rr.ttl, length = struct.unpack('>HHIH', msg[at:at + 10])
        at += 10
        if at + length > len(msg):
            raise Broken('RDATA breaks off')
        rr.rdata = read_rdata(msg, at, length, rr.type)
        return rr, at + length

    def options(self):
        out, data = {}, self.opt.rdata if self.opt else b''
        while data:
            code, length = struct.unpack('>HH', data[:4])
            out[code] = data[4:4 + length]
            data = data[4 + length:]
        return out

    def show(self, size=True):
        lines = [f'{RCODES.get(self.rcode, self.rcode)}{" aa" if self.aa else ""}'
                 f'{" tc" if self.tc else ""}' + (f' {len(self.wire)} bytes' if size else '')]
        for label, section in zip(('answer', 'authority', 'additional'), self.sections):
            lines += [f'  {label}: {x}' for x in sorted({repr(rr) for rr in section})]
        return '\n'.join(lines)
