# SPDX-License-Identifier: GPL-3.0-or-later
"""The builds that tests run from, each in a directory of its own below build/."""
import json
import os
import shutil
import subprocess

MESON, NINJA = '/usr/bin/meson', '/usr/bin/ninja'
STRICT = ['-Dwerror=true']
ABORT = '-fno-sanitize-recover=all'
# clang's check refuses NULL + 0, the empty range, which C2y defines; gcc's knows the difference, so that
# real overflows of pointers are still seen in build/asan.
NULL_PLUS_ZERO = '-fno-sanitize=pointer-overflow'


class Build:
    def __init__(self, name, what, compiler, options, env=None, prefix=()):
        self.name, self.what, self.compiler, self.options = name, what, compiler, options
        self.env, self.prefix = env or {}, list(prefix)

    def path(self, top):
        return os.path.join(top, 'build', self.name)

    def targets(self, top):
        """Programs of this build: name -> path."""
        with open(os.path.join(self.path(top), 'meson-info', 'intro-targets.json')) as f:
            return {t['name']: t['filename'][0] for t in json.load(f) if t['type'] == 'executable'}

    def configure(self, top, log):
        """Sets the directory up, anew when it was made with other options than today's."""
        path, stamp = self.path(top), os.path.join(self.path(top), '.options')
        wanted = ' '.join([self.compiler] + self.options)
        if os.path.exists(os.path.join(path, 'build.ninja')) and os.path.exists(stamp):
            with open(stamp) as f:
                if f.read() == wanted:
                    return self._call([NINJA, '-C', path, 'build.ninja'], log)
        shutil.rmtree(path, ignore_errors=True)
        if not self._call([MESON, 'setup', path, top] + self.options, log, CC=self.compiler):
            return False
        with open(stamp, 'w') as f:
            f.write(wanted)
        return True

    def compile(self, top, targets, log):
        return self._call([NINJA, '-C', self.path(top)] + targets, log)

    def _call(self, argv, log, **env):
        log.write(('$ ' + ' '.join(argv) + '\n').encode())
        log.flush()
        return subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                              env=dict(os.environ, **env)).returncode == 0


# Address randomisation of today's kernels is wider than what these compilers' sanitizers expect.
NO_ASLR = ['/usr/bin/setarch', '-R']

BUILDS = {b.name: b for b in [
    Build('test', 'gcc, warnings are errors', 'gcc', STRICT),
    Build('asan', 'gcc, address and undefined behaviour sanitizers', 'gcc',
          ['-Dwerror=false', '-Db_sanitize=address,undefined', '-Doptimization=1',
           f'-Dc_args={ABORT}'],
          {'ASAN_OPTIONS': 'abort_on_error=1:strict_string_checks=1:detect_stack_use_after_return=1',
           'UBSAN_OPTIONS': 'print_stacktrace=1'}, NO_ASLR),
    Build('tsan', 'gcc, thread sanitizer', 'gcc',
          ['-Dwerror=false', '-Db_sanitize=thread', '-Doptimization=1', f'-Dc_args={ABORT}'],
          {'TSAN_OPTIONS': 'halt_on_error=1:second_deadlock_stack=1'}, NO_ASLR),
    Build('fuzz', 'clang, warnings are errors, libFuzzer with sanitizers', 'clang-14',
          STRICT + ['-Dfuzz=true', '-Dtests=false', '-Db_lundef=false', '-Doptimization=1',
                    '-Db_sanitize=address,undefined',
                    f"-Dc_args=['-fsanitize=fuzzer-no-link', '{ABORT}', '{NULL_PLUS_ZERO}']"],
          {'ASAN_OPTIONS': 'abort_on_error=1', 'UBSAN_OPTIONS': 'print_stacktrace=1'}, NO_ASLR),
]}
