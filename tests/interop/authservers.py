# SPDX-License-Identifier: GPL-3.0-or-later
"""Knot DNS, NSD and BIND on loopback ports over the same zone files, and our own answer function
beside them. The caller runs in a network and process namespace of its own (alone()): whatever is
started here ends with it."""
import os
import select
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time

import dnsmsg

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
PEERS = os.path.join(TOP, 'tools', 'peers')
PORTS = {'knot': 5301, 'nsd': 5302, 'bind': 5303, 'perigee': 5304}


def skip_all(why):
    print('1..1')
    print(f'ok 1 # SKIP {why}')
    sys.exit(0)


def alone():
    """Runs this script again in namespaces of its own; returns in there."""
    if os.environ.get('PERIGEE_ALONE') == '1':
        subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)
        return
    if os.geteuid() != 0:
        skip_all('needs root for a network namespace')
    if subprocess.run([PEERS, 'have'], check=False).returncode != 0:
        skip_all('no peers root: run tools/peers')
    os.environ['PERIGEE_ALONE'] = '1'
    argv = ['unshare', '--net', '--pid', '--fork', '--kill-child', '--mount-proc', sys.executable]
    sys.exit(subprocess.run(argv + sys.argv, check=False).returncode)


def find_tool(name):
    """A program of the build beside the checkout: $PERIGEE_BUILD, or where `make` puts it."""
    for d in (os.environ.get('PERIGEE_BUILD'), 'build/release', 'build/test'):
        path = d and os.path.join(TOP, d, 'tests', 'tools', name)
        if path and os.access(path, os.X_OK):
            return path
    skip_all(f'{name} is not built')
    return None


def in_root(*argv, **kw):
    return subprocess.run([PEERS, 'exec', '--', *argv], check=True, capture_output=True, **kw)


def sign(work, origin, path, nsec3=None):
    """Signs with BIND's tools (P-256); `nsec3`: None, or flags of dnssec-signzone. Returns the path."""
    keys = os.path.join(work, 'keys-' + os.path.basename(path))
    os.mkdir(keys)
    in_root('dnssec-keygen', '-q', '-a', 'ECDSAP256SHA256', '-K', keys, origin)
    in_root('dnssec-keygen', '-q', '-a', 'ECDSAP256SHA256', '-f', 'KSK', '-K', keys, origin)
    out = path + '.signed'
    argv = ['dnssec-signzone', '-q', '-S', '-P', '-K', keys, '-d', keys, '-o', origin, '-f', out]
    in_root(*argv, *(nsec3 or []), path)
    return out


class Servers:
    def __init__(self, zones, which=('knot', 'nsd', 'bind')):
        """`zones`: {origin text: path}."""
        self.dir = tempfile.mkdtemp(prefix='perigee-answers-', dir='/tmp')
        self.zones, self.which, self.procs, self.logs = zones, which, {}, {}

    def __enter__(self):
        for name in self.which:
            argv = getattr(self, name)()
            self.logs[name] = os.path.join(self.dir, name + '.log')
            with open(self.logs[name], 'wb') as log:
                self.procs[name] = subprocess.Popen([PEERS, 'exec', '--', *argv], stdout=log,
                                                    stderr=log, stdin=subprocess.DEVNULL)
        for name in self.which:
            self.wait(name)
        return self

    def __exit__(self, *exc):
        for p in self.procs.values():
            p.terminate()
        for p in self.procs.values():
            try:
                p.wait(10)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()
        if exc[0] is None:
            shutil.rmtree(self.dir)

    def wait(self, name, limit=60):
        """Until it answers for each of its zones."""
        end = time.monotonic() + limit
        for origin in self.zones:
            while True:
                r = self.ask(name, [dnsmsg.query(dnsmsg.name(origin), 6)], wait=0.3, tries=1)[0]
                if r and dnsmsg.Message(r).rcode == 0:
                    break
                if time.monotonic() > end or self.procs[name].poll() is not None:
                    tail = open(self.logs[name], errors='replace').read()[-2000:]
                    raise RuntimeError(f'{name} does not serve {origin}: {tail}')
                time.sleep(0.1)

    def write(self, name, text):
        path = os.path.join(self.dir, name)
        with open(path, 'w') as f:
            f.write(text)
        return path

    def knot(self):
        d = self.dir
        zones = ''.join(f'  - domain: "{o}"\n    file: {p}\n' for o, p in self.zones.items())
        return ['knotd', '-c', self.write('knot.conf', f'''
server:
    rundir: {d}
    user: root
    listen: 127.0.0.1@{PORTS['knot']}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
    udp-max-payload: 1232
    nsid: knot
    identity: me
    version: test
database:
    storage: {d}
log:
  - target: stderr
    any: info
template:
  - id: default
    storage: {d}
    zonefile-sync: -1
    journal-content: none
zone:
{zones}''')]

    def nsd(self):
        d = self.dir
        zones = ''.join(f'zone:\n  name: "{o}"\n  zonefile: "{p}"\n' for o, p in self.zones.items())
        return ['nsd', '-d', '-c', self.write('nsd.conf', f'''
server:
    ip-address: 127.0.0.1@{PORTS['nsd']}
    username: ""
    chroot: ""
    zonesdir: ""
    pidfile: "{d}/nsd.pid"
    database: ""
    zonelistfile: "{d}/nsd.list"
    xfrdfile: "{d}/nsd.xfrd"
    xfrdir: "{d}"
    server-count: 1
    ipv4-edns-size: 1232
    rrl-ratelimit: 0
    nsid: ascii_nsd
    identity: me
    version: test
    minimal-responses: no
    refuse-any: no
remote-control:
    control-enable: no
{zones}''')]

    def bind(self):
        d = self.dir
        zones = ''.join(f'zone "{o}" {{ type primary; file "{p}"; check-names ignore; '
                        f'check-integrity no; check-mx ignore; check-srv-cname ignore; '
                        f'check-mx-cname ignore; check-dup-records ignore; check-wildcard no; }};\n'
                        for o, p in self.zones.items())
        return ['named', '-g', '-n', '1', '-c', self.write('named.conf', f'''
options {{ directory "{d}"; pid-file "{d}/named.pid"; session-keyfile "{d}/session.key";
    listen-on port {PORTS['bind']} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
    recursion no; dnssec-validation no; notify no; max-udp-size 1232; edns-udp-size 1232;
    minimal-responses no-auth; minimal-any no; server-id "bind"; allow-transfer {{ none; }};
    managed-keys-directory "{d}"; querylog no; empty-zones-enable no; zero-no-soa-ttl no; }};
controls {{ }};
{zones}''')]

    def ask(self, name, queries, tcp=False, wait=2.0, tries=4):
        """Sends all of them (their ids are overwritten by their position) and returns the responses in
        order; None for what was not answered."""
        if tcp:
            return [self.ask_tcp(name, q) for q in queries]
        out, missing = [None] * len(queries), list(range(len(queries)))
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            s.connect(('127.0.0.1', PORTS[name]))
            for _ in range(tries):
                for i in missing:
                    try:
                        s.send(struct.pack('>H', i) + queries[i][2:])
                    except ConnectionRefusedError:
                        pass
                left, end = len(missing), time.monotonic() + wait
                while left and select.select([s], [], [], max(0, end - time.monotonic()))[0]:
                    try:
                        r = s.recv(65535)
                    except ConnectionRefusedError:
                        continue
                    i = struct.unpack('>H', r[:2])[0]
                    if i < len(out) and out[i] is None:
                        out[i] = queries[i][:2] + r[2:]
                        left -= 1
                missing = [i for i in missing if out[i] is None]
                if not missing:
                    break
        return out

    @staticmethod
    def ask_tcp(name, query):
        with socket.create_connection(('127.0.0.1', PORTS[name]), 5) as s:
            s.sendall(struct.pack('>H', len(query)) + query)
            f = s.makefile('rb')
            size = f.read(2)
            return f.read(struct.unpack('>H', size)[0]) if len(size) == 2 else None


class Ours:
    """The answer function by its pipe (tests/tools/answer_stdin.c)."""

    def __init__(self, zones, *options):
        argv = [find_tool('answer-stdin'), *options] + [f'{o}={p}' for o, p in zones.items()]
        self.p = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.p.stdin.close()
        self.status = self.p.wait(10)

    def ask(self, query, tcp=False):
        self.p.stdin.write((b't' if tcp else b'u') + struct.pack('>H', len(query)) + query)
        self.p.stdin.flush()
        size = self.p.stdout.read(2)
        if len(size) != 2:
            raise RuntimeError(f'answer-stdin ended with {self.p.wait()}')
        return self.p.stdout.read(struct.unpack('>H', size)[0])
