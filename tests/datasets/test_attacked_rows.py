"""Rows that attack their sandboxes, among others: what each earns, and what is left. The benchmark does it with 300."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_attacking_rows_earn_nothing_and_leave_the_others_alone() -> None:
    command = [sys.executable, "-m", "benchmarks.attacked", "--rows", "36", "-n", "2"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "'attack': 12" in done.stdout
