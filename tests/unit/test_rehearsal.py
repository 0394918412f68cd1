"""The preparation before any sandbox exists works, and leaves nothing that a candidate or a test could see."""

from __future__ import annotations

import subprocess
import sys

REHEARSED = """
import os, random, signal, sys, threading
from pytest_rewardkit.local.prepared import prepare

rehearse = prepare()
guest = "pytest_rewardkit.datasets.testcode.guest"
runner, row_test = sys.modules[f"{guest}.operation_runner"], sys.modules[f"{guest}.row_test"]
outcomes = []
advance = row_test.RowTest.advance
row_test.RowTest.advance = lambda *given: outcomes.append(advance(*given)) or outcomes[-1]

def state():
    handlers = [signal.getsignal(number) for number in (signal.SIGALRM, signal.SIGPROF)]
    timers = [signal.getitimer(timer) for timer in (signal.ITIMER_REAL, signal.ITIMER_PROF)]
    kept = [len(runner._runners), len(row_test._tests)]
    numbers = [sys.get_int_max_str_digits(), sys.getrecursionlimit(), threading.active_count()]
    return (set(sys.modules), handlers, timers, kept, numbers, sys.stdout, sys.stderr, os.getcwd())

before = state()
rehearse()
assert outcomes[-1]["outcome"]["made"] == 2 and outcomes[-1]["outcome"]["stopped"] is None, outcomes[-1]
assert all(check["failed"] == 0 for check in outcomes[-1]["outcome"]["checks"]), outcomes[-1]
after = state()
others = {name for name in after[0] - before[0] if name.partition(".")[0] not in sys.stdlib_module_names}
print(sorted(others), after[1:] == before[1:])
"""


def test_it_leaves_nothing() -> None:
    done = subprocess.run([sys.executable, "-c", REHEARSED], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("[] True\n", "")
