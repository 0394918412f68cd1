"""Judging what candidates leave takes a bounded amount of the host's memory and time, whatever it is."""

from __future__ import annotations

import json
import time
import tracemalloc
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from pytest_rewardkit.scorers import own_time
from pytest_rewardkit.scorers.cases import score_cases
from pytest_rewardkit.scorers.checks.case import Case
from pytest_rewardkit.scorers.files import score_files
from pytest_rewardkit.scorers.own_time import OwnTime
from pytest_rewardkit.scorers.quality import _JudgedSource
from pytest_rewardkit.scorers.response.extract import find_code
from pytest_rewardkit.scorers.running import snapshot
from pytest_rewardkit.scorers.values.table import table_difference
from pytest_rewardkit.scorers.values.tolerance import Tolerance

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2b_code_interpreter import Sandbox

MEGABYTE = 10**6


@contextmanager
def at_most(size: int) -> Iterator[None]:
    """Python allocates less memory than `size` bytes meanwhile."""
    tracemalloc.start()
    try:
        yield
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < size


LINKS = """
import os
with open("large.bin", "wb") as file:
    file.write(os.urandom({size}))
for number in range({count}):
    os.link("large.bin", f"again{{number}}.bin")
open("right.txt", "w").write("right")
"""


@pytest.mark.parametrize(("count", "size"), [(60, 9_000_000), (200, 3_000_000)])
def test_many_names_of_large_files_take_no_memory(sandbox: Sandbox, count: int, size: int) -> None:
    candidate = LINKS.format(count=count, size=size)
    with at_most(30 * MEGABYTE):
        strict = score_files(sandbox, candidate, [{"path": "right.txt", "content": "right"}], nothing_else=True)
    assert [part.value for part in strict.parts] == [1.0, 0.0]
    assert "again0.bin" in strict.parts[1].reason


def test_many_names_that_are_asked_for_take_bounded_memory(sandbox: Sandbox) -> None:
    candidate = LINKS.format(count=40, size=6_000_000)
    with at_most(snapshot.KEPT_LIMIT + 60 * MEGABYTE):
        reward = score_files(sandbox, candidate, [{"path": "*.bin", "content": "right"}])
    assert reward.value == 0.0


def test_what_is_new_is_not_read(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox.files.write("kept.txt", "kept")
    candidate = "for number in range(2000): open(f'file{number}', 'w').write('x' * 50)"
    read: list[str] = []
    read_file = sandbox.files.read

    def noted(path: str, **options: object) -> object:
        read.append(path)
        return read_file(path, **options)

    monkeypatch.setattr(sandbox.files, "read", noted)
    checks = [{"path": "kept.txt", "type": "unchanged"}]
    reward = score_files(sandbox, candidate, checks, nothing_else=True)
    assert [part.value for part in reward.parts] == [1.0, 0.0]
    assert len([path for path in read if "file" in path.rpartition("/")[2]]) == 0


def test_a_change_of_a_large_file_is_seen_though_its_time_is_not(sandbox: Sandbox) -> None:
    sandbox.files.write("data.bin", bytes(12_000_000))
    candidate = """
    import os
    before = os.stat("data.bin")
    with open("data.bin", "r+b") as file:
        file.seek(6_000_000)
        file.write(b"x")
    os.utime("data.bin", ns=(before.st_atime_ns, before.st_mtime_ns))
    """
    reward = score_files(sandbox, candidate.replace("\n    ", "\n"), [{"path": "data.bin", "type": "unchanged"}])
    assert reward.value == 0.0
    assert "was changed" in reward.parts[0].reason
    untouched = score_files(sandbox, "pass", [{"path": "data.bin", "type": "unchanged"}])
    assert untouched.value == 1.0


def test_no_time_left_is_no_credit(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_time, "OWN_SECONDS", 0.0)
    reward = score_files(sandbox, "open('a.txt', 'w').write('a')", [{"path": "a.txt", "content": "a"}])
    assert reward.value == 0.0
    assert "processor time" in reward.parts[0].reason


def test_time_is_that_of_the_scorers_own_thread() -> None:
    clock = OwnTime(0.05)
    assert not clock.used_up
    while not clock.used_up:
        sum(range(1000))
    assert "0.05 s" in clock.reason


@pytest.mark.parametrize("response", ["\n" * 15_000, "\r\n" * 7_000, "\n \n\t\n" * 3_000 + "x", "if\n\n" * 4_000])
def test_code_is_found_in_linear_time(response: str) -> None:
    began = time.thread_time()
    find_code(response)
    assert time.thread_time() - began < 5.0


def test_a_table_of_millions_of_rows_is_read_as_far_as_it_can_be_right() -> None:
    rows = "1,2\n" * 1_000_000
    with at_most(20 * MEGABYTE):
        reason = table_difference(rows, [[1, 2], [1, 2]], Tolerance(None, None))
    assert reason == "2 rows expected, more given"
    assert table_difference("1,2\n", [[1, 2], [1, 2]], Tolerance(None, None)) == "2 rows expected, 1 given"


def test_no_time_left_is_no_credit_for_cases(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_time, "OWN_SECONDS", 0.0)
    reward = score_cases(sandbox, "def f(): return 1", [Case(call="f", expected=1), Case(code="f()", expected=1)])
    assert [part.value for part in reward.parts] == [0.0, 0.0]
    assert all("processor time" in part.reason for part in reward.parts)


def test_findings_are_placed_in_linear_time() -> None:
    count = 20_000
    source = _JudgedSource("\n".join(f"a{number % 999}()" for number in range(count)))
    found = [
        {"location": {"row": number + 1, "column": 1}, "code": "F821", "message": "Undefined name"}
        for number in range(count)
    ]
    began = time.thread_time()
    assert len(source.findings("ruff", json.dumps(found))) == count
    assert time.thread_time() - began < 10
