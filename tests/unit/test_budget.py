"""The bound on sandboxes alive at once, over processes."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from pytest_rewardkit.errors import RewardkitUsageError, SandboxUnavailable
from pytest_rewardkit.sandboxes.budget import Budget

HOLDER = """
import sys
from pathlib import Path
from pytest_rewardkit.sandboxes.budget import Budget
slot = Budget(Path(sys.argv[1]), 1).acquire()
print("held", flush=True)
sys.stdin.read()
"""


def test_a_released_slot_is_free_again(tmp_path):
    budget = Budget(tmp_path, 1)
    budget.acquire().release()
    slot = budget.acquire()
    assert budget.held == 1
    slot.release()
    slot.release()
    assert budget.held == 0


def test_wanting_more_than_the_limit_is_refused_instead_of_waiting_for_ever(tmp_path):
    budget = Budget(tmp_path, 2)
    slots = [budget.acquire(), budget.acquire()]
    with pytest.raises(RewardkitUsageError, match=r"3 sandboxes at once.*--rewardkit-max-sandboxes allows 2"):
        budget.acquire()
    for slot in slots:
        slot.release()


def test_another_process_waits_and_a_killed_one_gives_its_slot_back(tmp_path):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None and holder.stdout.readline() == "held\n"
    acquired = threading.Event()
    budget = Budget(tmp_path, 1)

    def acquire():
        slot = budget.acquire()
        acquired.set()
        slot.release()

    waiting = threading.Thread(target=acquire)
    waiting.start()
    assert not acquired.wait(0.2)
    holder.kill()
    holder.communicate()
    assert acquired.wait(30)
    waiting.join()


def test_two_that_wait_for_each_other_do_not_wait_for_ever(tmp_path):
    mine, theirs = (Budget(tmp_path, 2, patience=0.1) for _ in range(2))
    slots = [mine.acquire(), theirs.acquire()]
    with pytest.raises(SandboxUnavailable, match="none of the 2 sandboxes"):
        mine.acquire()
    for slot in slots:
        slot.release()


def test_those_that_want_several_take_turns(tmp_path):
    mine, theirs, third = (Budget(tmp_path, 2, patience=0.1) for _ in range(3))
    first = mine.acquire(several=True)
    with pytest.raises(SandboxUnavailable, match="none of the 2 sandboxes"):
        theirs.acquire(several=True)
    alone = third.acquire()  # who wants one only is not kept
    alone.release()
    second = mine.acquire(several=True)
    second.release()
    with pytest.raises(SandboxUnavailable, match="none of the 2 sandboxes"):
        theirs.acquire(several=True)
    first.release()
    theirs.acquire(several=True).release()
    mine.acquire(several=True).release()
