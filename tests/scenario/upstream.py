# SPDX-License-Identifier: GPL-3.0-or-later
"""A node of a fleet file in one network namespace, a BIRD router in another, a wire between them."""
import datetime
import json
import os
import re
import shutil
import subprocess
import tempfile
import time

from node import BIN, EXAMPLE, TOP, Node, wait_for

NODE4, NODE6 = '10.1.0.10', '2001:db8:1::10'
ROUTER4, ROUTER6 = '10.1.0.1', '2001:db8:1::1'
SERVICE4, SERVICE6 = '192.0.2.53', '2001:db8:53::53'
PREFIX4, PREFIX6 = '192.0.2.0/24', '2001:db8:53::/48'

FLEET = '''
user: nobody
control_socket: {work}/run/{{node}}/control.sock
state_dir: {work}/state/{{node}}
services:
  - name: dns
    addresses: [192.0.2.53, 2001:db8:53::53]
    announce: [192.0.2.0/24, 2001:db8:53::/48]
    zones: [{{origin: example.com, file: example.com.zone}}]
    hold_down: 500ms
    drain_delay: 500ms
    drain_quiet: 500ms
    drain_limit: 20s
sites: [{{name: ams}}]
nodes:
  - name: ams1
    site: ams
    addresses: [10.1.0.10, 2001:db8:1::10]
    as: 65001
    workers: 2
    neighbors:
      - {{address: 10.1.0.1, as: 64501}}
      - {{address: 2001:db8:1::1, as: 64501}}
'''

BIRD = '''
log "{work}/bird.log" all;
timeformat log iso long us;
router id 10.1.0.1;
protocol device {{}}
protocol kernel {{ ipv4 {{ export all; import none; }}; }}
protocol kernel {{ ipv6 {{ export all; import none; }}; }}
protocol bgp n4 {{ local 10.1.0.1 as 64501; neighbor 10.1.0.10 as 65001; debug {{ states, routes }};
  ipv4 {{ import all; export all; }}; }}
protocol bgp n6 {{ local 2001:db8:1::1 as 64501; neighbor 2001:db8:1::10 as 65001;
  debug {{ states, routes }}; ipv6 {{ import all; export all; }}; }}
'''


def run(*argv, check=True):
    r = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if check and r.returncode:
        raise RuntimeError(f'{" ".join(argv)}: {r.stdout}')
    return r.stdout


class Upstream:
    """Use with `with`: what was made goes, what was started ends."""

    def __init__(self):
        self.id = f'c-{os.getpid()}'
        self.ns, self.router = f'{self.id}-n', f'{self.id}-r'
        self.work = tempfile.mkdtemp(prefix='perigee-node-')
        os.chmod(self.work, 0o755)
        self.bird = None
        self.nodes = []

    def __enter__(self):
        try:
            self.make()
        except BaseException:
            self.__exit__()
            raise
        return self

    def make(self):
        for ns in (self.ns, self.router):
            run('ip', 'netns', 'add', ns)
            run('ip', '-n', ns, 'link', 'set', 'lo', 'up')
        run('ip', 'link', 'add', 'up0', 'netns', self.ns, 'type', 'veth', 'peer', 'name', 'dn0', 'netns',
            self.router)
        for ns, dev, a4, a6 in ((self.ns, 'up0', NODE4, NODE6), (self.router, 'dn0', ROUTER4, ROUTER6)):
            run('ip', '-n', ns, 'addr', 'add', f'{a4}/24', 'dev', dev)
            run('ip', '-n', ns, 'addr', 'add', f'{a6}/64', 'dev', dev, 'nodad')
            run('ip', '-n', ns, 'link', 'set', dev, 'up')
        run('ip', '-n', self.ns, 'route', 'add', 'default', 'via', ROUTER4)
        run('ip', '-n', self.ns, '-6', 'route', 'add', 'default', 'via', ROUTER6)
        shutil.copy(EXAMPLE, os.path.join(self.work, 'example.com.zone'))
        self.fleet(FLEET)
        open(os.path.join(self.work, 'bird.conf'), 'w').write(BIRD.format(work=self.work))
        open(os.path.join(self.work, 'bird.log'), 'w').close()
        os.chmod(os.path.join(self.work, 'bird.log'), 0o666)
        self.bird_out = open(os.path.join(self.work, 'bird.out'), 'w')
        self.bird = subprocess.Popen(
            ['ip', 'netns', 'exec', self.router, os.path.join(TOP, 'tools', 'peers'), 'exec', '--', 'bird',
             '-f', '-c', f'{self.work}/bird.conf', '-s', f'{self.work}/bird.ctl'],
            stdout=self.bird_out, stderr=subprocess.STDOUT)
        if not wait_for(lambda: 'Daemon is up' in self.birdc('show status'), 20):
            raise RuntimeError('BIRD does not start: ' + open(self.bird_out.name).read())

    def __exit__(self, *_):
        for n in self.nodes:
            n.end()
        if self.bird is not None:
            self.bird.kill()
            self.bird.wait()
        for ns in (self.ns, self.router):
            run('ip', 'netns', 'del', ns, check=False)
        shutil.rmtree(self.work, ignore_errors=True)

    # -- the node

    def fleet(self, text):
        with open(os.path.join(self.work, 'fleet.yaml'), 'w') as f:
            f.write(text.format(work=self.work))

    def zone_path(self):
        return os.path.join(self.work, 'example.com.zone')

    def zone(self, change):
        with open(self.zone_path()) as f:
            text = f.read()
        with open(self.zone_path() + '.new', 'w') as f:
            f.write(change(text))
        os.rename(self.zone_path() + '.new', self.zone_path())

    def start(self, *more, binary=BIN, env=None, prefix=None):
        n = Node(['run', '-c', os.path.join(self.work, 'fleet.yaml'), '--node', 'ams1', *more],
                 binary=binary, env=env, prefix=prefix or ('ip', 'netns', 'exec', self.ns))
        self.nodes.append(n)
        return n

    def socket(self):
        return os.path.join(self.work, 'run', 'ams1', 'control.sock')

    def perigee(self, *argv):
        """A command on the node's socket: exit status, stdout, stderr."""
        r = subprocess.run([BIN, argv[0], '-s', self.socket(), *argv[1:]], stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, text=True, timeout=60)
        return r.returncode, r.stdout, r.stderr

    def status(self):
        code, out, err = self.perigee('status', '--json')
        return json.loads(out) if code == 0 else {}

    def state(self, prefix=PREFIX4):
        for p in self.status().get('prefixes', []):
            if p['prefix'] == prefix:
                return p['state']
        return None

    def wait_state(self, *states, seconds=10.0):
        return wait_for(lambda: self.state() in states, seconds)

    def in_node(self, *argv, **kw):
        return subprocess.Popen(['ip', 'netns', 'exec', self.ns, *argv], text=True, **kw)

    def fault(self, name):
        """Asks the process that answers for a fault (a build with -Dfaults=true)."""
        run('ip', 'netns', 'exec', self.ns, '/usr/bin/python3', '-c',
            f'import sys; sys.path.insert(0, {os.path.dirname(os.path.realpath(__file__))!r})\n'
            f'from node import ask, query\n'
            f'for i in range(16): ask(query("{name}.example.com", qid=i), "{SERVICE4}", 53, 0.2)')

    def ask(self, address=SERVICE4):
        """Whether the node answers at a service address, asked from its own namespace."""
        return run('ip', 'netns', 'exec', self.ns, '/usr/bin/python3', '-c',
                   f'import sys; sys.path.insert(0, {os.path.dirname(os.path.realpath(__file__))!r})\n'
                   f'from node import ask\nprint(ask(address="{address}", port=53) is not None)'
                   ).strip() == 'True'

    # -- the router

    def birdc(self, command):
        return run(os.path.join(TOP, 'tools', 'peers'), 'exec', '--', 'birdc', '-s',
                   f'{self.work}/bird.ctl', *command.split(), check=False)

    def route(self, prefix=PREFIX4):
        """`show route all` of the prefix; empty when the router has none."""
        out = self.birdc(f'show route {prefix} all')
        return out if 'BGP.as_path' in out else ''

    def has_routes(self):
        return bool(self.route(PREFIX4)) and bool(self.route(PREFIX6))

    def wait_routes(self, seconds=10.0):
        return wait_for(self.has_routes, seconds)

    def wait_no_routes(self, seconds=10.0):
        return wait_for(lambda: not self.route(PREFIX4) and not self.route(PREFIX6), seconds)

    def updates(self):
        """How many routes and withdrawals BIRD has been sent over both sessions."""
        total = 0
        for p in ('n4', 'n6'):
            for line in re.findall(r'Import (?:updates|withdraws): +(\d+)', self.birdc(f'show protocols all {p}')):
                total += int(line)
        return total

    def log(self, since=0.0):
        """BIRD's log lines after a time (seconds of the wall clock): (time, text)."""
        found = []
        for line in open(os.path.join(self.work, 'bird.log'), errors='replace'):
            m = re.match(r'(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}) <\w+> (.*)', line)
            if not m:
                continue
            at = datetime.datetime.strptime(m[1], '%Y-%m-%d %H:%M:%S.%f').timestamp()
            if at >= since:
                found.append((at, m[2]))
        return found

    def first(self, pattern, since=0.0):
        """When a line first said that; None: not yet."""
        for at, text in self.log(since):
            if re.search(pattern, text):
                return at
        return None

    def wait_log(self, pattern, since, seconds=5.0):
        return wait_for(lambda: self.first(pattern, since), seconds)


def now():
    return time.time()
