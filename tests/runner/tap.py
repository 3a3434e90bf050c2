# SPDX-License-Identifier: GPL-3.0-or-later
"""What a test program said in TAP, and what it therefore counts as."""
import re

CASE = re.compile(r'^(not )?ok\b(?:\s+(\d+))?\s*(?:-\s*)?(.*)$')
PLAN = re.compile(r'^1\.\.(\d+)(?:\s*#\s*(?:SKIP\b)?\s*(.*))?$', re.I)
SKIP = re.compile(r'#\s*SKIP\b\s*(.*)$', re.I)


class Result:
    """Cases of one program: counts, and a sentence for each case that failed or was skipped."""

    def __init__(self):
        self.passed = 0
        self.failures = []
        self.skips = []

    def ran(self):
        return self.passed + len(self.failures) + len(self.skips)


def judge(text, status, timed_out=False):
    """The Result of a program that printed `text` and ended with `status` (negative: by a signal).

    Nothing is taken on trust: a program that prints no plan, fewer cases than planned, or ends badly
    without having said why, has failed once more."""
    result, planned = Result(), None
    for line in text.splitlines():
        plan = PLAN.match(line)
        if plan:
            # cmocka prints one plan per group of tests.
            planned = (planned or 0) + int(plan[1])
            if plan[1] == '0':
                result.skips.append(plan[2] or 'it has no case')
            continue
        case = CASE.match(line)
        if not case:
            continue
        skip = SKIP.search(case[3])
        if skip:  # cmocka writes "not ok 3 # SKIP name"
            what = case[3][:skip.start()].strip()
            result.skips.append(f'{what}: {skip[1]}' if what and skip[1] else what or skip[1])
        elif case[1]:
            result.failures.append(case[3] or f'case {case[2]}')
        else:
            result.passed += 1
    if timed_out:
        result.failures.append('the time limit passed')
    elif planned is None:
        result.failures.append(f'no plan was printed ({ending(status)})')
    elif result.ran() < planned:
        missing = planned - result.ran()
        result.failures += [f'planned, never reported ({ending(status)})'] * missing
    elif result.ran() > planned and planned:
        result.failures.append(f'{result.ran()} cases reported, {planned} planned')
    elif status != 0 and not result.failures:
        result.failures.append(ending(status))
    return result


def ending(status):
    if status is None:
        return 'it did not end'
    return f'signal {-status}' if status < 0 else f'exit status {status}'
