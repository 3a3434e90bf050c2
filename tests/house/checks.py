# SPDX-License-Identifier: GPL-3.0-or-later
"""The house rules that a program can check. Each check is a function from a Tree to its findings, one
sentence each with the place; none is good. tests/house/code runs them over this tree, and
tests/house/planted over small trees with one planted fault each."""
import fnmatch
import glob
import os
import re
import subprocess


class Tree:
    """The files of a checkout: those that git tracks, or all where there is no git."""

    def __init__(self, root, build=None):
        self.root, self.build = root, build
        r = subprocess.run(['git', '-C', root, 'ls-files', '-z', '--cached', '--others',
                            '--exclude-standard'], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        if r.returncode == 0 and os.path.isdir(os.path.join(root, '.git')):
            names = [n for n in r.stdout.decode().split('\0') if n]
        else:
            names = [os.path.relpath(os.path.join(p, f), root) for p, _, files in os.walk(root) for f in files]
            names = [n for n in names if n.split('/')[0] not in ('.git', 'build')]
        self.names = sorted(n for n in names if os.path.isfile(os.path.join(root, n)))
        self._texts = {}

    def some(self, *patterns):
        return [n for n in self.names if any(fnmatch.fnmatch(n, p) for p in patterns)]

    def text(self, name):
        if name not in self._texts:
            with open(os.path.join(self.root, name), errors='replace') as f:
                self._texts[name] = f.read()
        return self._texts[name]

    def has(self, name):
        return os.path.exists(os.path.join(self.root, name))

    def rooms(self):
        """src/ROOMS: room -> what it may include."""
        rows = {}
        for line in self.text('src/ROOMS').splitlines():
            if line.strip() and not line.startswith('#'):
                room, _, rest = line.partition(':')
                rows[room.strip()] = rest.split()
        return rows

    def objects(self):
        """(room, file, path of its object) of everything below src/ in the build."""
        rows = []
        for path in sorted(glob.glob(f'{self.build}/src/*/lib*.a.p/*.o')):
            room = path.split('/')[-3]
            rows.append((room, os.path.basename(path)[:-len('.c.o')], path))
        return rows


TOKEN = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def bare(text, strings=True):
    """C without its comments (and strings): the same lines, blank where they stood."""
    def blank(m):
        if m[0][0] in '"\'' and not strings:
            return m[0]
        return re.sub(r'[^\n]', ' ', m[0])
    return TOKEN.sub(blank, text)


def line_of(text, at):
    return text.count('\n', 0, at) + 1


def c_files(tree):
    return tree.some('src/*.c', 'src/*.h', 'tests/*.c', 'tests/*.h', 'bench/*.c', 'bench/*.h')


INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+"([^"]+)"', re.M)


def layering(tree):
    """A room includes itself, base and what src/ROOMS grants; nobody goes in a circle."""
    rooms, found, edges = tree.rooms(), [], {}
    for name in tree.some('src/*/*.c', 'src/*/*.h'):
        room = name.split('/')[1]
        if room not in rooms:
            found.append(f'{name}: room {room} has no line in src/ROOMS')
            continue
        text = bare(tree.text(name), strings=False)
        for m in INCLUDE.finditer(text):
            target, where = m[1], f'{name}:{line_of(text, m.start())}'
            other = target.split('/')[0]
            if '/' not in target:
                found.append(f'{where}: "{target}" does not name its room')
                continue
            if not target.endswith('.skel.h') and not tree.has(f'src/{target}'):
                found.append(f'{where}: there is no src/{target}')
            if other not in (room, 'base') and not any(
                    g in ('*', other) or fnmatch.fnmatch(target, g) for g in rooms[room]):
                found.append(f'{where}: {room} may not include "{target}" (src/ROOMS)')
            if other != room and room not in ('cmd', 'lab') and not target.endswith('link.h'):
                edges.setdefault(room, {})[other] = where
    return found + circles(edges)


def circles(edges):
    found, done = [], set()

    def walk(room, path):
        if room in path:
            ring = path[path.index(room):] + [room]
            found.append(f'rooms include each other in a circle: {" -> ".join(ring)} '
                         f'({edges[ring[-2]][room]})')
            return
        if room in done:
            return
        for other in edges.get(room, {}):
            walk(other, path + [room])
        done.add(room)
    for room in sorted(edges):
        walk(room, [])
    return found


def headers_alone(tree):
    """Every header compiles by itself and has the guard ROOM_FILE_H."""
    found = []
    for name in tree.some('src/*.h'):
        guard = re.sub(r'\W', '_', name[len('src/'):]).upper()
        short = re.sub(r'\W', '_', os.path.basename(name)).upper()  # ROOM_ is in the file's name
        guards = [guard] + ([short] if short.startswith(name.split('/')[1].upper() + '_') else [])
        if not any(f'#ifndef {g}\n#define {g}\n' in tree.text(name) for g in guards):
            found.append(f'{name}: its include guard is not {guard}')
        bpf = re.search(r'\bSEC\("', tree.text(name)) or name.endswith('.bpf.h')
        if bpf:
            continue
        r = subprocess.run(
            ['gcc', '-std=gnu17', '-D_GNU_SOURCE', '-fsyntax-only', '-Wall', '-Wextra', '-Werror',
             '-Wno-unused-function', '-Wno-pragma-once-outside-header', '-I', 'src', '-include', name,
             '-x', 'c', '/dev/null'], cwd=tree.root, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True)
        if r.returncode:
            said = [row for row in r.stdout.splitlines() if 'error' in row] or ['?']
            found.append(f'{name}: does not compile by itself: {said[0]}')
    return found


# pattern over bare C -> what to do instead
CALL = r'(?<![\w.>]){}\s*\('
FORBIDDEN = [
    (CALL.format('v?sprintf'), 'snprintf'),
    (CALL.format('gets'), 'fgets, or read into a bounded buffer'),
    (CALL.format('strtok'), 'strtok_r, or a struct rd'),
    (CALL.format('(?:system|popen)'), 'posix_spawn with an argument vector'),
    (CALL.format('(?:alloca|strdupa)'), 'an array with a named bound'),
    (CALL.format('signal'), 'signalfd, the loop, or sigaction'),
    (CALL.format('(?:gettimeofday|time|ftime)'), 'time_mono or time_wall at an edge, a passed time inside'),
    (CALL.format('(?:tmpnam|mktemp|tempnam)'), 'mkstemp or memfd_create'),
    (CALL.format('(?:inet_ntoa|inet_addr|gethostbyname)'), 'base/addr.h'),
    (CALL.format('(?:setjmp|longjmp)'), 'an error that is returned'),
    (r'#\s*include\s*<assert\.h>', 'base/assert.h'),
    (r'\btypedef\s+struct\s+\w*\s*\{(?![^}]*\}\s*(?:mono_t|wall_t)\b)', 'struct NAME; typedef is for opaque scalars'),
]
# Test programs read their own arguments and build their own texts; the program may not.
PROGRAM = [
    (CALL.format('(?:rand|srand|random|srandom|drand48)'), 'getrandom at an edge, a passed seed inside'),
    (CALL.format('(?:strcpy|stpcpy|strcat|strncpy|strncat)'), 'snprintf or memcpy with a length'),
    (CALL.format('(?:atoi|atol|atoll|atof)'), 'strtoul with every error looked at'),
]
SLEEPS = [(CALL.format('(?:sleep|usleep|nanosleep)'), 'wait for the event, with a limit')]
VOLATILE = [(r'\bvolatile\b(?!\s+sig_atomic_t)', '_Atomic with an explicit order')]


def forbidden(tree):
    """No call that bounds, determinism or the loop forbid."""
    found = []
    for name in c_files(tree):
        rules = FORBIDDEN + (PROGRAM if name.startswith('src/') else [])
        if name.startswith('src/') and not name.startswith(('src/lab/', 'src/cmd/')):
            rules += SLEEPS
        if name.startswith('src/') and '/xdp/' not in name and '.bpf.' not in name:
            rules += VOLATILE
        text = bare(tree.text(name))
        text = re.sub(r'\b(?:asm|__asm__)\s+volatile\b', lambda m: ' ' * len(m[0]), text)
        for pattern, instead in rules:
            for m in re.finditer(pattern, text):
                what = re.sub(r'\s+', ' ', m[0]).rstrip('( ')
                found.append(f'{name}:{line_of(text, m.start())}: {what}: use {instead}')
    return found


# What pure code may call outside the house: functions of their arguments alone.
PURE_LIBC = set('''memcpy memmove memset memcmp memchr memrchr memmem rawmemchr strlen strnlen strcmp strncmp
    strcasecmp strncasecmp strchr strrchr strstr strspn strcspn strpbrk snprintf vsnprintf strtoul strtoull strtol
    strtoll qsort bsearch tolower toupper inet_pton inet_ntop strerror __errno_location __ctype_b_loc
    __ctype_tolower_loc __ctype_toupper_loc __stack_chk_fail __memcpy_chk __memmove_chk __memset_chk
    __snprintf_chk __vsnprintf_chk __strcpy_chk __fdelt_chk _GLOBAL_OFFSET_TABLE_ __popcountdi2
    __isoc99_sscanf __isoc23_strtoul abort __cpu_model __cpu_indicator_init'''.split())
# libnettle's hashes and codes: contexts of a fixed size, no state of their own.
PURE_NETTLE = 'nettle_'
# The end of the process on a fault of our own: not a way to reach the world.
PURE_EDGE = {'base_panic'}


def pure_patterns(tree):
    rows = {}
    for line in tree.text('src/PURE').splitlines():
        if line.strip() and not line.startswith('#'):
            room, _, rest = line.partition(':')
            rows[room.strip()] = rest.split()
    return rows


def symbols(path):
    """(undefined names, {defined global name: section})."""
    r = subprocess.run(['nm', '-f', 'sysv', path], stdout=subprocess.PIPE, text=True, check=True)
    undefined, defined = set(), {}
    for line in r.stdout.splitlines():
        cells = [c.strip() for c in line.split('|')]
        if len(cells) < 7:
            continue
        if cells[2] == 'U':
            undefined.add(cells[0])
        else:
            defined[cells[0]] = (cells[2], cells[3], cells[6])
    return undefined, defined


def purity(tree):
    """Pure rooms reach no clock, socket, file, thread, random number or heap, directly or through
    others (by the undefined symbols of their objects)."""
    patterns, found = pure_patterns(tree), []
    undefined, owner, files = {}, {}, []
    for room, file, path in tree.objects():
        u, d = symbols(path)
        undefined[path] = u
        for symbol, (kind, _, _) in d.items():
            if kind.isupper():
                owner[symbol] = path
        if any(fnmatch.fnmatch(file, p) for p in patterns.get(room, [])):
            files.append((room, file, path))
    for room, globs in patterns.items():
        for g in globs:
            if tree.some(f'src/{room}/*.c') and not any(
                    r == room and fnmatch.fnmatch(f, g) for r, f, _ in files):
                found.append(f'src/PURE: {room}: no object of the build matches {g}')
    for room, file, path in files:
        seen, waiting = set(), [(s, []) for s in sorted(undefined[path])]
        while waiting:
            symbol, way = waiting.pop()
            if symbol in seen or symbol in PURE_EDGE:
                continue
            seen.add(symbol)
            if symbol in owner:
                waiting += [(s, way + [symbol]) for s in sorted(undefined[owner[symbol]])]
            elif symbol not in PURE_LIBC and not symbol.startswith(('__sanitizer', PURE_NETTLE)):
                through = f' through {" -> ".join(way)}' if way else ''
                found.append(f'src/{room}/{file}.c: pure, but reaches {symbol}{through}')
    return found


# Parts of a room whose own name is as well known as the room's.
PART_NAMES = {'dns': {'tsig'}, 'transfer': {'xfr'}}


def prefixes(tree):
    """Every symbol that leaves its file carries its room's name (in base: its header's)."""
    found = []
    stems = {os.path.basename(n)[:-2] for n in tree.some('src/base/*.h')} | {'base', 'mono', 'wall'}
    for room, file, path in tree.objects():
        if room == 'lab':  # a program of its own, that no room links
            continue
        for symbol, (kind, _, _) in symbols(path)[1].items():
            if not kind.isupper() or kind == 'V' or symbol.startswith(('_', '.')):
                continue
            allowed = stems if room == 'base' else {room} | PART_NAMES.get(room, set())
            if not any(symbol == p or symbol.startswith(p + '_') for p in allowed):
                found.append(f'src/{room}/{file}.c: {symbol} does not carry the prefix {room}_')
    return found


def mutable_globals(tree):
    """No state outside of a struct that somebody passes; the exceptions have a line with a reason in
    tests/house/globals.txt."""
    allowed = {}
    for line in tree.text('tests/house/globals.txt').splitlines():
        if line.strip() and not line.startswith('#'):
            name, _, why = line.partition(' ')
            allowed[name] = why.strip()
    found, used = [], set()
    for room, file, path in tree.objects():
        if room == 'lab':  # one thread, one lab
            continue
        for symbol, (kind, what, section) in symbols(path)[1].items():
            if section.split('.')[1:2] not in (['bss'], ['data'], ['tbss'], ['tdata']) or what != 'OBJECT' \
                    or section.startswith('.data.rel.ro'):
                continue
            key = f'{room}/{file}.c:{symbol.split(".")[0]}'
            used.add(key)
            if not allowed.get(key):
                found.append(f'src/{key} is a global that changes; pass it, or say why in '
                             'tests/house/globals.txt')
    return found + [f'tests/house/globals.txt: {k} is not there any more' for k in sorted(set(allowed) - used)
                    if tree.has('src/' + k.split(':')[0].rsplit('.', 1)[0] + '.c')]


CODE_LICENCE = 'SPDX-License-Identifier: GPL-3.0-or-later'
BPF_LICENCE = 'SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause'


def licence_lines(tree):
    """Every file of code names its licence; what runs in the kernel names the kernel's."""
    shared = set()
    for name in tree.some('src/*.bpf.c'):
        shared |= {f'src/{m}' for m in INCLUDE.findall(tree.text(name))}
    found = []
    for name in tree.names:
        head = '\n'.join(tree.text(name).splitlines()[:4]) if is_code(tree, name) else None
        if head is None:
            continue
        wanted = BPF_LICENCE if name.endswith('.bpf.c') or name in shared else CODE_LICENCE
        if wanted not in head and not (wanted == CODE_LICENCE and BPF_LICENCE in head):
            found.append(f'{name}: its first lines lack "{wanted}"')
    return found


def is_code(tree, name):
    if name.startswith(('tests/fuzz/corpus/', 'LICENSES/')):
        return False
    return name.endswith(('.c', '.h', '.py', '.sh')) or tree.text(name)[:2] == '#!'


def layout(tree):
    """clang-format has nothing to change."""
    files = c_files(tree)
    if not files:
        return []
    r = subprocess.run(['clang-format-14', '--dry-run', '--ferror-limit=1'] + files, cwd=tree.root,
                       stderr=subprocess.PIPE, text=True)
    return [f'{m[0]}:{m[1]}: run `make format`'
            for m in re.findall(r'^(\S+?):(\d+):\d+: warning', r.stderr, re.M)]


UNFINISHED = re.compile(r'\b(?:TO' r'DO|FIX' r'ME|X' r'XX|HA' r'CK)\b|\bfor ' r'now\b|\bnot yet imple' r'mented\b|'
                        r'\btempo' r'rarily\b|/wo' r'rk/(?:team|main|shared)')


def unfinished(tree):
    """No note in the code that something is missing: it is done, or stands in ARCHITECTURE.md."""
    found = []
    for name in tree.names:
        if not (is_code(tree, name) or name.endswith(('.md', 'meson.build', 'Makefile', '.yaml'))):
            continue
        text = tree.text(name)
        for m in UNFINISHED.finditer(text):
            found.append(f'{name}:{line_of(text, m.start())}: "{m[0]}"')
    return found


# Verbs that mean the same in every room (CONTRIBUTING.md), so that a comment would only repeat them.
SPEAKING = re.compile(r'_(?:init|fini|free|cleanup|text|name|count|write|eq|equal)$')
PROTOTYPE = re.compile(r'^(?!typedef\b|static\b|return\b|struct \w+ *\{)[a-z][\w \t*]*?\b(\w+)\([^;{}]*\)[^;{}()]*'
                       r'(?:__attribute__[^;{}]*)?;', re.M)


def documented(tree):
    """Every function of a header stands in a paragraph with a comment, unless its verb says it all."""
    found = []
    for name in tree.some('src/*.h'):
        text, plain, at = tree.text(name), bare(tree.text(name)), 0
        for block in re.split(r'(\n[ \t]*\n)', text):
            code, start = plain[at:at + len(block)], at
            at += len(block)
            if '/*' in block or '//' in block or '#define' in code:
                continue
            for m in PROTOTYPE.finditer(code):
                if not SPEAKING.search(m[1]):
                    found.append(f'{name}:{line_of(text, start + m.start())}: {m[1]} says nothing of '
                                 'units, ownership or errors')
    return found


def built(tree):
    """Every C file is named in the meson.build of its folder, every header is included by someone."""
    found, included = [], set()
    for name in c_files(tree) + tree.some('src/*.bpf.c'):
        for target in INCLUDE.findall(tree.text(name)):
            included |= {target, os.path.basename(target)} if '/' not in target else {target}
    for name in tree.some('src/*.c', 'tests/*.c', 'bench/*.c'):
        folder, known = os.path.dirname(name), False
        while folder:
            meson, path = f'{folder}/meson.build', name[len(folder) + 1:]
            known |= tree.has(meson) and (f"'{path}'" in tree.text(meson) or f"'{path[:-2]}'" in tree.text(meson))
            folder = os.path.dirname(folder)
        if not known:
            found.append(f'{name}: no meson.build builds it')
    for name in tree.some('src/*.h'):
        if name[len('src/'):] not in included:
            found.append(f'{name}: nobody includes it')
    return found


def fuzz_seeds(tree):
    """Every fuzz target has seeds."""
    targets = [n for n in tree.some('tests/fuzz/*.c') if 'LLVMFuzzerTestOneInput' in tree.text(n)
               and os.path.dirname(n) == 'tests/fuzz' and not n.endswith('/replay.c')]
    return [f'{n}: tests/fuzz/corpus/{os.path.basename(n)[:-2]}/ holds no seed' for n in targets
            if not tree.some(f'tests/fuzz/corpus/{os.path.basename(n)[:-2]}/*')]


LINK = re.compile(r'(?<!!)\[[^\]]*\]\(([^)\s]+)\)')


def anchors(text):
    names = set()
    for title in re.findall(r'^#+\s+(.*)$', text, re.M):
        plain = re.sub(r'[`*_]|\[([^\]]*)\]\([^)]*\)', r'\1', title).lower()
        names.add(re.sub(r'[^\w\- ]', '', plain).strip().replace(' ', '-'))
    return names


def links(tree):
    """Every link of a page leads somewhere, and every page of docs/ is linked from its README."""
    index = tree.text('docs/README.md') if tree.has('docs/README.md') else ''
    found = [f'{n}: docs/README.md does not name it' for n in tree.some('docs/*.md')
             if n.count('/') == 1 and n != 'docs/README.md' and f'({n[len("docs/"):]})' not in index]
    for name in tree.some('*.md'):
        text = re.sub(r'```.*?```', lambda m: re.sub(r'[^\n]', ' ', m[0]), tree.text(name), flags=re.S)
        for m in LINK.finditer(text):
            target, _, anchor = m[1].partition('#')
            if re.match(r'[a-z]+:', target):
                continue
            path = os.path.normpath(os.path.join(os.path.dirname(name), target)) if target else name
            where = f'{name}:{line_of(text, m.start())}'
            if not tree.has(path):
                found.append(f'{where}: no {path}')
            elif anchor and path.endswith('.md') and anchor not in anchors(tree.text(path)):
                found.append(f'{where}: {path} has no section #{anchor}')
    return found


def commands(tree):
    """The commands that the pages show exist: of the program, of make, files of tools and tests."""
    known = set(re.findall(r'^\s*\{\s*"([a-z-]+)",\s*cmd_', tree.text('src/main.c'), re.M))
    goals = set()
    for row in re.findall(r'^\.PHONY:\s*(.*)$', tree.text('Makefile'), re.M):
        goals |= set(row.split())
    found = []
    for name in tree.some('README.md', 'CONTRIBUTING.md', 'ARCHITECTURE.md', 'docs/*.md'):
        text = tree.text(name)
        for m in re.finditer(r'(?:```.*?```|`[^`\n]+`)', text, re.S):
            for pattern, what in ((r'(?<![\w/.-])(?:build/)?perigee ([a-z][a-z-]*)', 'perigee'),
                                  (r'(?<![\w/.-])make ([a-z][a-z-]*)', 'make'),
                                  (r'(?<![\w/.-])((?:tools|tests|bench|examples)/[\w./-]*\w)', 'file')):
                for c in re.finditer(pattern, m[0]):
                    if re.search(r'[A-Z]{3}', c[1]):  # stands for a name
                        continue
                    good = c[1] in known if what == 'perigee' else c[1] in goals if what == 'make' \
                        else tree.has(c[1]) or glob.glob(os.path.join(tree.root, c[1] + '*'))
                    if not good:
                        found.append(f'{name}:{line_of(text, m.start() + c.start())}: there is no {c[0]}')
    return found


def decisions(tree):
    """Decision records are numbered without a gap and listed in their README."""
    rows = [n for n in tree.some('docs/decisions/*.md') if re.match(r'\d{4}-', os.path.basename(n))]
    numbers = sorted(int(os.path.basename(n)[:4]) for n in rows)
    found = [] if len(set(numbers)) == len(numbers) else ['docs/decisions: a number is used twice']
    readme = tree.text('docs/decisions/README.md') if tree.has('docs/decisions/README.md') else ''
    return found + [f'{n}: not listed in docs/decisions/README.md' for n in rows
                    if os.path.basename(n) not in readme]


CHECKS = [
    (layering, 'rooms include only what src/ROOMS grants'),
    (headers_alone, 'every header compiles by itself'),
    (forbidden, 'no forbidden call'),
    (purity, 'pure rooms reach nothing of the world'),
    (prefixes, "exported symbols carry their room's name"),
    (mutable_globals, 'no mutable globals but those with a reason'),
    (licence_lines, 'every file of code names its licence'),
    (layout, 'clang-format has nothing to change'),
    (unfinished, 'no note of unfinished work in the tree'),
    (documented, 'functions of headers are documented'),
    (built, 'every C file is built, every header included'),
    (fuzz_seeds, 'every fuzz target has seeds'),
    (links, 'links of pages lead somewhere'),
    (commands, 'commands that pages show exist'),
    (decisions, 'decision records are numbered and listed'),
]


def longest(tree, count=10):
    """The longest functions and files of src, for information: rows of (lines, where)."""
    files = tree.some('src/*.c')
    sizes = sorted(((tree.text(n).count('\n'), n) for n in tree.some('src/*.c', 'src/*.h')), reverse=True)
    functions = []
    if files:
        r = subprocess.run(['ctags-universal', '--languages=C', '--kinds-C=f', '--fields=ne', '-f', '-'] + files,
                           cwd=tree.root, stdout=subprocess.PIPE, text=True)
        for m in re.findall(r'^(\w+)\t(\S+)\t.*line:(\d+)\tend:(\d+)', r.stdout, re.M):
            functions.append((int(m[3]) - int(m[2]) + 1, f'{m[1]}:{m[2]} {m[0]}'))
    return sorted(functions, reverse=True)[:count], sizes[:count]
