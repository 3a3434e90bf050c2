# SPDX-License-Identifier: GPL-3.0-or-later
"""One test program as a job: start it, bound its time, read what it says, leave nothing of it behind."""
import os
import signal
import subprocess
import threading
import time
import uuid

from . import tap

MARK = 'PERIGEE_TEST_JOB'


class Job:
    """`name` is what a pattern is matched with, `alone` is for programs that measure."""

    def __init__(self, name, argv, limit_s, env=None, alone=False, judge=None):
        self.name, self.argv, self.limit_s, self.alone = name, argv, limit_s, alone
        self.env, self.judge = env or {}, judge or tap.judge
        self.seconds, self.note, self.result, self.output = 0.0, '', None, ''
        self.mark = f'{uuid.uuid4()}'
        self.process = None

    def run(self, top, logs):
        os.makedirs(logs, exist_ok=True)
        path = os.path.join(logs, self.name.replace('/', '.') + '.log')
        begun, timed_out = time.monotonic(), False
        env = dict(os.environ, **self.env, **{MARK: self.mark})
        with open(path, 'wb') as log:
            try:
                self.process = subprocess.Popen(
                    self.argv, cwd=top, env=env, stdin=subprocess.DEVNULL, stdout=log,
                    stderr=subprocess.STDOUT, start_new_session=True)
            except OSError as e:
                self.result = tap.Result()
                self.result.failures.append(f'cannot start: {e}')
                return
            try:
                status = self.process.wait(self.limit_s)
            except subprocess.TimeoutExpired:
                timed_out = True
                status = self.stop()
        self.seconds = time.monotonic() - begun
        with open(path, 'rb') as log:
            self.output = log.read().decode('utf-8', 'replace')
        self.result = self.judge(self.output, status, timed_out)
        left = end_left_behind(self.mark)
        if left:
            self.result.failures.append('left processes behind: ' + '; '.join(left))

    def stop(self):
        """SIGTERM, so that a script's clean-up runs; SIGKILL if that takes longer than ten seconds."""
        for number, wait_s in ((signal.SIGTERM, 10), (signal.SIGKILL, 10)):
            try:
                os.killpg(self.process.pid, number)
            except ProcessLookupError:
                pass
            try:
                return self.process.wait(wait_s)
            except subprocess.TimeoutExpired:
                continue
        return None


def marked(mark):
    """The living processes that carry the job's mark in their environment: pid -> command line."""
    found = {}
    wanted = f'{MARK}={mark}'.encode()
    for pid in filter(str.isdigit, os.listdir('/proc')):
        try:
            with open(f'/proc/{pid}/environ', 'rb') as f:
                if wanted not in f.read().split(b'\0'):
                    continue
            with open(f'/proc/{pid}/stat') as f:
                if f.read().rsplit(')', 1)[1].split()[0] in 'ZX':
                    continue
            with open(f'/proc/{pid}/cmdline', 'rb') as f:
                found[int(pid)] = f.read().replace(b'\0', b' ').decode('utf-8', 'replace').strip()[:80]
        except OSError:
            continue
    return found


def end_left_behind(mark, grace_s=1.0):
    """Ends what a job left behind and does not end by itself within the grace; returns what that was. A
    process in the middle of an exec has no environment for a moment: nothing is only what two looks tell."""
    until, names, clear = time.monotonic() + grace_s, {}, 0
    while True:
        found = marked(mark)
        clear = 0 if found else clear + 1
        if clear == 2 or time.monotonic() >= until + 10:
            return [f'{pid} {name}' for pid, name in sorted(names.items())]
        if time.monotonic() >= until:
            names.update(found)
            for pid in found:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
        time.sleep(0.05 if found else 0.01)


class Pool:
    """Runs jobs, `width` at a time, and tells `report` of each that ends. Says every 30 s what it waits
    for, so that a long run is never silent."""

    def __init__(self, top, logs, report):
        self.top, self.logs, self.report = top, logs, report
        self.lock = threading.Lock()
        self.running = {}
        self.stopped = False

    def run(self, jobs, width):
        waiting = list(jobs)
        workers = [threading.Thread(target=self._work, args=(waiting,), daemon=True)
                   for _ in range(min(width, len(waiting)))]
        for w in workers:
            w.start()
        told = time.monotonic()
        while any(w.is_alive() for w in workers):
            time.sleep(0.05)
            if time.monotonic() - told >= 30:
                told = time.monotonic()
                with self.lock:
                    now = [f'{j.name} ({told - t:.0f} s)' for j, t in self.running.items()]
                print('  ... running: ' + ', '.join(now), flush=True)

    def _work(self, waiting):
        while not self.stopped:
            with self.lock:
                if not waiting:
                    return
                job = waiting.pop(0)
                self.running[job] = time.monotonic()
            job.run(self.top, self.logs)
            with self.lock:
                del self.running[job]
                self.report(job)

    def stop(self):
        self.stopped = True
        for job in list(self.running):
            if job.process is not None:
                job.stop()
            end_left_behind(job.mark)
