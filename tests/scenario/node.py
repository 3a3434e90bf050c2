# SPDX-License-Identifier: GPL-3.0-or-later
"""A Perigee node under test in a network namespace of its own, and clients for it."""
import ctypes
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import traceback

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
BUILD = os.environ.get('PERIGEE_BUILD', os.path.join(TOP, 'build', 'test'))
BIN = os.environ.get('PERIGEE_BIN', os.path.join(TOP, 'build', 'perigee'))
EXAMPLE = os.path.join(TOP, 'examples', 'example.com.zone')
PORT = 5300


def own_network():
    """This process and its children get a network with nothing but a loopback. It goes with them."""
    if ctypes.CDLL(None, use_errno=True).unshare(0x40000000) != 0:
        raise OSError(ctypes.get_errno(), 'unshare')
    subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)


def tool(name):
    return os.path.join(BUILD, 'tests', 'tools', name)


def faults_binary():
    """The program with faults on purpose, built when it is asked for. None when that fails."""
    path = os.path.join(TOP, 'build', 'faults')
    if not os.path.exists(os.path.join(path, 'build.ninja')):
        subprocess.run(['/usr/bin/meson', 'setup', path, TOP, '-Dfaults=true', '-Dtests=false'],
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    done = subprocess.run(['/usr/bin/ninja', '-C', path, 'src/perigee'], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        print(done.stdout[-2000:])
        return None
    return os.path.join(path, 'src', 'perigee')


def wait_for(what, seconds=10.0):
    """The first true value of what(), asked again and again; the last value when time is up."""
    until = time.monotonic() + seconds
    while True:
        value = what()
        if value or time.monotonic() > until:
            return value
        time.sleep(0.005)


def children(pid):
    """pid -> command name of the living children."""
    found = {}
    for entry in filter(str.isdigit, os.listdir('/proc')):
        try:
            with open(f'/proc/{entry}/stat') as f:
                text = f.read()
        except OSError:
            continue
        rest = text.rsplit(')', 1)[1].split()
        if int(rest[1]) == pid and rest[0] not in 'ZX':
            found[int(entry)] = text.split('(', 1)[1].rsplit(')', 1)[0]
    return found


def alive(pid):
    try:
        with open(f'/proc/{pid}/stat') as f:
            return f.read().rsplit(')', 1)[1].split()[0] not in 'ZX'
    except OSError:
        return False


class Node:
    """`perigee ARGS`; what it prints is kept in `self.log()`."""

    def __init__(self, args, binary=BIN, env=None, prefix=()):
        self.out = tempfile.TemporaryFile('w+')
        self.process = subprocess.Popen(list(prefix) + [binary] + args, stdin=subprocess.DEVNULL,
                                        stdout=self.out, stderr=subprocess.STDOUT,
                                        env=dict(os.environ, **(env or {})), start_new_session=True)
        self.pid = self.process.pid

    def log(self):
        size = os.fstat(self.out.fileno()).st_size
        return os.pread(self.out.fileno(), size, 0).decode('utf-8', 'replace')

    def events(self, name):
        """The log lines of an event, each as a dictionary."""
        found = []
        for line in self.log().splitlines():
            words = line.split(' ', 4)
            if len(words) >= 4 and words[3] == name:
                pairs = re.findall(r'(\w+)=("[^"]*"|\S+)', words[4] if len(words) > 4 else '')
                found.append({k: v.strip('"') for k, v in pairs})
        return found

    def wait_event(self, name, count=1, seconds=10.0):
        return wait_for(lambda: len(self.events(name)) >= count, seconds)

    def active(self):
        """pid of the serve process that answers now."""
        return int(self.events('serve_active')[-1]['pid'])

    def standby(self):
        """pid of a standby that is ready, or None."""
        active = self.active()
        for e in reversed(self.events('serve_ready')):
            pid = int(e['pid'])
            if pid != active and alive(pid):
                return pid
        return None

    def ready(self, seconds=20.0):
        """Waits until one answers and one stands by."""
        return bool(self.wait_event('serve_active', 1, seconds) and wait_for(self.standby, seconds))

    def kill(self, number=signal.SIGKILL):
        os.kill(self.pid, number)

    def wait(self, seconds=10.0):
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def stop(self, seconds=10.0):
        if self.process.poll() is None:
            self.kill(signal.SIGTERM)
        status = self.wait(seconds)
        self.end()
        return status

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def serve(*more, listen=('127.0.0.1',), zones=(('example.com', EXAMPLE),), workers=2, **kw):
    """`perigee serve` with the usual options."""
    args = ['serve', '--workers', str(workers)]
    for a in listen:
        args += ['--listen', a if '@' in a else f'{a}@{PORT}']
    for origin, path in zones:
        args += ['--zone', f'{origin}={path}']
    return Node(args + list(more), **kw)


class Paced:
    """The paced client, running; `result()` waits for its end and gives its figures."""

    def __init__(self, address, rate, seconds, *more, prefix=()):
        self.process = subprocess.Popen(list(prefix) + [tool('paced'), address, str(rate),
                                                        str(seconds)] + list(more),
                                        stdout=subprocess.PIPE, text=True)
        self.process.stdout.readline()

    def result(self):
        return json.loads(self.process.communicate()[0])


def query(name='www.example.com', qtype=1, qid=0x1234, edns=True):
    labels = b''.join(bytes([len(x)]) + x.encode() for x in name.strip('.').split('.') if x)
    opt = b'\0\0\x29\x04\xd0\0\0\0\0\0\0' if edns else b''
    return struct.pack('>6H', qid, 0, 1, 0, 0, 1 if edns else 0) + labels + \
        struct.pack('>BHH', 0, qtype, 1) + opt


def ask(message=None, address='127.0.0.1', port=PORT, timeout=2.0):
    """One query by UDP; the answer's bytes or None."""
    family = socket.AF_INET6 if ':' in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as s:
        s.settimeout(timeout)
        s.connect((address, port))
        try:
            s.send(message if message is not None else query())
            return s.recv(65535)
        except OSError:
            return None


def tcp(address='127.0.0.1', port=PORT, timeout=3.0):
    return socket.create_connection((address, port), timeout)


def framed(message):
    return struct.pack('>H', len(message)) + message


def read_framed(s):
    """One message from a connection; None at its end."""
    data = b''
    while len(data) < 2 or len(data) < 2 + struct.unpack('>H', data[:2])[0]:
        want = 2 - len(data) if len(data) < 2 else 2 + struct.unpack('>H', data[:2])[0] - len(data)
        try:
            more = s.recv(want)
        except ConnectionResetError:
            return None
        if not more:
            return None
        data += more
    return data[2:]


class Tap:
    def __init__(self):
        self.count, self.failed = 0, 0

    def ok(self, good, text, note=''):
        self.count += 1
        self.failed += not good
        print(f'{"ok" if good else "not ok"} {self.count} - {text}', flush=True)
        if note and not good:
            for line in str(note).splitlines():
                print(f'# {line}', flush=True)
        return good

    def skip(self, text, why):
        self.count += 1
        print(f'ok {self.count} - {text} # SKIP {why}', flush=True)

    def end(self):
        print(f'1..{self.count}', flush=True)
        sys.exit(1 if self.failed else 0)


def run_all(tests):
    """Calls each test with the counter; one that raises is a failed case, and the others go on."""
    t = Tap()
    wanted = os.environ.get('ONLY')
    for test in tests:
        if wanted and wanted not in test.__name__:
            continue
        try:
            test(t)
        except Exception as e:  # noqa: BLE001
            t.ok(False, f'{test.__name__}: {type(e).__name__}', traceback.format_exc())
    t.end()
