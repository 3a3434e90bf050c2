# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts perigee-lab for the scenarios: under a name of its own, so that several can run at once."""
import json
import os
import shutil
import signal
import subprocess
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
LAB = os.environ.get('PERIGEE_LAB', os.path.join(TOP, 'build', 'perigee-lab'))


class Tap:
    def __init__(self):
        self.count = self.bad = 0

    def ok(self, good, text, note=''):
        self.count += 1
        self.bad += not good
        print(f'{"ok" if good else "not ok"} {self.count} - {text}', flush=True)
        if not good:
            for line in str(note).splitlines()[-60:]:
                print('# ' + line)
        return good

    def end(self):
        print(f'1..{self.count}')
        return 1 if self.bad else 0


class Lab:
    """A folder for the lab's files in build/, and a name; both are gone at the end, unless a test failed."""

    def __init__(self, letter):
        self.name = f'{letter}{os.getpid() % 1000000}'
        os.makedirs(os.path.join(TOP, 'build', 'lab'), exist_ok=True)
        self.dir = tempfile.mkdtemp(prefix=f'{self.name}-', dir=os.path.join(TOP, 'build', 'lab'))
        os.chmod(self.dir, 0o755)
        self.keep = False
        self.running = None

    def start(self, *words, **kw):
        self.running = subprocess.Popen(
            [LAB, *words, '--name', self.name, '--dir', self.dir], text=True,
            stdin=kw.pop('stdin', subprocess.DEVNULL), stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, cwd=TOP, **kw)
        return self.running

    def run(self, *words, limit=280):
        """Returns (exit status, output)."""
        p = self.start(*words)
        try:
            out, _ = p.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            p.send_signal(signal.SIGINT)
            out, _ = p.communicate(timeout=30)
            out += f'\nstopped after {limit} s'
        return p.returncode, out

    def namespaces(self):
        try:
            return [n for n in os.listdir('/run/netns') if n.startswith(f'pgl-{self.name}-')]
        except FileNotFoundError:
            return []

    def figures(self, path):
        with open(os.path.join(self.dir, path), encoding='utf-8') as f:
            return json.load(f)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.running and self.running.poll() is None:
            self.running.send_signal(signal.SIGINT)
            try:
                self.running.communicate(timeout=30)
            except subprocess.TimeoutExpired:
                self.running.kill()
        subprocess.run([LAB, 'down', self.name], stdout=subprocess.DEVNULL, check=False)
        if not self.keep:
            shutil.rmtree(self.dir, ignore_errors=True)
