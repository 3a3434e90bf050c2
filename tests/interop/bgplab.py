# SPDX-License-Identifier: GPL-3.0-or-later
"""What the BGP interop tests share: a wire between two network namespaces, our speaker on one end
(tests/tools/bgp_speak.c), a peer from the peers' root on the other, and TAP."""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

TOP = os.path.realpath(os.path.join(os.path.dirname(os.path.realpath(__file__)), '..', '..'))
US4, PEER4 = '10.99.0.1', '10.99.0.2'
US6, PEER6 = '2001:db8:99::1', '2001:db8:99::2'
P4, P6 = '192.0.2.0/24', '2001:db8:53::/48'
LIMIT_S = 20  # for events that come within a second or two


def speak_path():
    for d in (os.environ.get('PERIGEE_BUILD'), 'build/test', 'build/release'):
        if d:
            path = os.path.join(TOP, d, 'tests', 'tools', 'bgp-speak')
            if os.path.exists(path):
                return path
    raise SystemExit('Bail out! bgp-speak is not built')


class Tap:
    def __init__(self):
        self.count = self.failed = 0

    def ok(self, good, text, *detail):
        self.count += 1
        self.failed += not good
        print(f'{"ok" if good else "not ok"} {self.count} - {text}', flush=True)
        for d in detail if not good else ():
            for line in str(d).splitlines():
                print(f'#   {line}', flush=True)
        return good

    def skip(self, text, why):
        self.count += 1
        print(f'ok {self.count} - {text} # SKIP {why}', flush=True)

    def end(self):
        print(f'1..{self.count}', flush=True)
        return 1 if self.failed else 0


def run(*argv, check=True):
    r = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, text=True)
    if check and r.returncode:
        raise RuntimeError(f'{" ".join(argv)}: {r.stdout}')
    return r.stdout


def until(what, limit_s=LIMIT_S, every_s=0.05):
    """Asks again and again until what() is true; returns its last answer."""
    end = time.monotonic() + limit_s
    while True:
        got = what()
        if got or time.monotonic() > end:
            return got
        time.sleep(every_s)


class Speak:
    """Our speaker, with its events. `neighbors` are the tool's option texts."""

    def __init__(self, lab, asn, *neighbors, listen=('0.0.0.0@179', '::@179'), watch=(P4, P6),
                 ident='10.99.0.1', caps=False):
        argv = ['ip', 'netns', 'exec', lab.us, speak_path(), '--as', str(asn), '--id', ident]
        if '::@179' in listen:
            listen = ('::@179',)  # one socket for both
        for a in listen:
            argv += ['--listen', a]
        for a in watch:
            argv += ['--watch', a]
        for n in neighbors:
            argv += ['--neighbor', n]
        if not caps:
            argv.append('--no-caps')
        self.log = open(os.path.join(lab.work, f'speak{len(lab.started)}.log'), 'w')
        self.p = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  stderr=self.log, text=True, bufsize=1)
        lab.started.append(self.p)
        self.events, self.mark = [], 0
        self.lock = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.p.stdout:
            with self.lock:
                self.events.append(json.loads(line))
                self.lock.notify_all()

    def cmd(self, line):
        self.p.stdin.write(line + '\n')
        self.p.stdin.flush()

    def wait(self, kind, limit_s=LIMIT_S, **fields):
        """The next event of that kind, after those that were waited for; None: it did not come."""
        end = time.monotonic() + limit_s
        with self.lock:
            while True:
                for i in range(self.mark, len(self.events)):
                    e = self.events[i]
                    if e['event'] == kind and all(e.get(k) == v for k, v in fields.items()):
                        self.mark = i + 1
                        return e
                left = end - time.monotonic()
                if left <= 0:
                    return None
                self.lock.wait(left)

    def ask(self, command, kind):
        self.cmd(command)
        return self.wait(kind)

    def status(self, n=0):
        return self.ask('status', 'status')['neighbors'][n]

    def state(self, n=0):
        return self.status(n)['state']

    def up(self, n=0, limit_s=LIMIT_S):
        return bool(until(lambda: self.state(n) == 'Established', limit_s))

    def seen(self):
        return self.ask('seen', 'seen_all')['rows']

    def stop(self):
        self.p.stdin.close()
        self.p.wait(10)


class Lab:
    """Two namespaces and a wire. Use with `with`; all that was started ends, all that was made goes."""

    def __init__(self, name):
        self.id = f'b{os.getpid() % 100000}'
        self.us, self.peer = f'{self.id}-us', f'{self.id}-{name}'
        self.work = tempfile.mkdtemp(prefix=f'perigee-{name}-')
        os.chmod(self.work, 0o755)
        self.started = []

    def __enter__(self):
        try:
            self.make()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def make(self):
        for ns in (self.us, self.peer):
            run('ip', 'netns', 'add', ns)
            run('ip', '-n', ns, 'link', 'set', 'lo', 'up')
        run('ip', '-n', self.us, 'link', 'add', 'wire', 'type', 'veth', 'peer', 'name', 'wire',
            'netns', self.peer)
        for ns, v4, v6 in ((self.us, US4, US6), (self.peer, PEER4, PEER6)):
            run('ip', '-n', ns, 'addr', 'add', f'{v4}/24', 'dev', 'wire')
            run('ip', '-n', ns, 'addr', 'add', f'{v6}/64', 'dev', 'wire', 'nodad')
            run('ip', '-n', ns, 'link', 'set', 'wire', 'up')
        until(lambda: all('tentative' not in run('ip', '-n', ns, 'addr', 'show', 'dev', 'wire')
                          for ns in (self.us, self.peer)))

    def link_local(self, ns):
        for word in run('ip', '-n', ns, '-6', 'addr', 'show', 'dev', 'wire', 'scope', 'link').split():
            if word.startswith('fe80:'):
                return word.split('/')[0]
        return None

    def file(self, name, text):
        path = os.path.join(self.work, name)
        with open(path, 'w') as f:
            f.write(text)
        os.chmod(path, 0o644)
        return path

    def start_peer(self, *argv, name='peer', env=None):
        """A program of the peers' root in the peer's namespace."""
        log = open(os.path.join(self.work, f'{name}.log'), 'a')
        p = subprocess.Popen(['ip', 'netns', 'exec', self.peer, os.path.join(TOP, 'tools', 'peers'),
                              'exec', '--', *argv], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                             env=dict(os.environ, **(env or {})))
        self.started.append(p)
        return p

    def in_root(self, *argv):
        return run('ip', 'netns', 'exec', self.peer, os.path.join(TOP, 'tools', 'peers'), 'exec', '--',
                   *argv, check=False)

    def end(self, p):
        if p.poll() is None:
            p.terminate()
            try:
                p.wait(5)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()

    def logs(self):
        out = []
        for name in sorted(os.listdir(self.work)):
            if name.endswith('.log'):
                with open(os.path.join(self.work, name), errors='replace') as f:
                    out.append(f'--- {name}\n' + ''.join(f.readlines()[-40:]))
        return '\n'.join(out)

    def __exit__(self, *_):
        for p in reversed(self.started):
            self.end(p)
        for ns in (self.us, self.peer):
            subprocess.run(['ip', 'netns', 'del', ns], stderr=subprocess.DEVNULL)
        if not os.environ.get('PERIGEE_KEEP'):
            shutil.rmtree(self.work, ignore_errors=True)


def have_peer(tap, path, name):
    """False, with a skip, when the peer is not there."""
    peers = os.path.join(TOP, 'tools', 'peers')
    if os.geteuid() != 0:
        tap.skip(name, 'needs root')
        return False
    if subprocess.run([peers, 'exec', '--', 'test', '-x', path]).returncode != 0:
        tap.skip(name, f'{path} is not in the peers\' root (tools/peers)')
        return False
    return True


def main(name, path, body):
    """Runs body(lab, tap) with what it needs; the exit status of the test."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was made goes
    tap = Tap()
    if not have_peer(tap, path, name):
        sys.exit(tap.end())
    with Lab(name) as lab:
        try:
            body(lab, tap)
        except Exception as e:  # a failed step: say where we stood
            tap.ok(False, f'{name}: {type(e).__name__}: {e}', lab.logs())
        if tap.failed:
            print('\n'.join('# ' + line for line in lab.logs().splitlines()), flush=True)
    sys.exit(tap.end())
