"""The limits on sandboxes alive at once and created per second, over processes."""

from __future__ import annotations

import asyncio
import json
import os
import random
import resource
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from pytest_rewardkit.errors import RewardkitUsageError, SandboxUnavailable
from pytest_rewardkit.sandboxes import factory as factory_module
from pytest_rewardkit.sandboxes import lifetime
from pytest_rewardkit.sandboxes.factory import Factory
from pytest_rewardkit.sandboxes.quota import budget as budget_module
from pytest_rewardkit.sandboxes.quota import pace as pace_module
from pytest_rewardkit.sandboxes.quota import slots as slots_module
from pytest_rewardkit.sandboxes.quota.budget import ANY, TWO, Budget
from pytest_rewardkit.sandboxes.quota.line import WaitingLine
from pytest_rewardkit.sandboxes.quota.pace import Pace, Request
from pytest_rewardkit.sandboxes.usage.bounds import UsageBounds
from pytest_rewardkit.sandboxes.usage.journal import Journal
from pytest_rewardkit.sandboxes.usage.meter import UsageMeter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from e2b_code_interpreter import Sandbox

    from pytest_rewardkit.sandboxes.provider import Provider
    from pytest_rewardkit.sandboxes.quota.slots import Slot

HOLDER = """
import sys
from pathlib import Path
from pytest_rewardkit.sandboxes.quota.budget import Budget
slot = Budget(Path(sys.argv[1]), 1).acquire()
if sys.argv[2]:
    slot.fill(sys.argv[2], 1000)
print("held", flush=True)
sys.stdin.read()
"""


def taken(budget: Budget, **wanted: Any) -> Slot:
    slot = budget.acquire(**wanted)
    assert slot is not None
    return slot


@contextmanager
def another_process(directory: Path, sandbox: str) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the only slot."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(directory), sandbox],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        yield holder
    finally:
        holder.kill()
        holder.communicate()


def test_a_released_slot_is_free_again(tmp_path: Path) -> None:
    budget = Budget(tmp_path, 1)
    budget.give_back(taken(budget))
    slot = taken(budget)
    assert budget.held == 1
    budget.give_back(slot)
    budget.give_back(slot)
    assert budget.held == 0


def test_wanting_more_than_the_limit_is_refused_instead_of_waiting_for_ever(tmp_path: Path) -> None:
    budget = Budget(tmp_path, 2)
    slots = [taken(budget), taken(budget)]
    with pytest.raises(RewardkitUsageError, match=r"3 sandboxes at once.*--rewardkit-max-sandboxes allows 2"):
        budget.acquire()
    for slot in slots:
        budget.give_back(slot)


def test_a_killed_process_gives_its_slot_back_when_its_sandbox_is_gone(tmp_path: Path) -> None:
    ended: list[Any] = []
    answers = iter([False, True])

    def end(known: Any) -> bool:
        ended.append(known["sandbox"])
        return next(answers)

    budget = Budget(tmp_path, 1, end=end)
    acquired = threading.Event()

    def acquire() -> None:
        slot = taken(budget)
        acquired.set()
        budget.give_back(slot)

    waiting = threading.Thread(target=acquire)
    with another_process(tmp_path, "isome") as holder:
        waiting.start()
        assert not acquired.wait(0.2)
        assert ended == []
        holder.kill()
        assert acquired.wait(30)
    waiting.join()
    assert ended == ["isome", "isome"]


def test_a_sandbox_that_was_asked_for_is_waited_for_before_it_is_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    marks: list[str] = []

    def end(known: Any) -> bool:
        marks.append(known["mark"])
        return True

    with another_process(tmp_path, ""):
        pass
    slots = slots_module.Slots(tmp_path, 1, end, "me")
    assert slots.take() is None
    assert marks == []
    monkeypatch.setattr(slots_module, "SETTLE_SECONDS", -1.0)
    assert slots.take() is not None
    assert len(marks) == 1


def test_a_slot_whose_sandbox_could_not_be_killed_is_not_free(tmp_path: Path) -> None:
    budget = Budget(tmp_path, 1, end=lambda _: False, patience=0.1)
    slot = taken(budget)
    slot.fill("isome", 1000)
    budget.give_back(slot, gone=False)
    with pytest.raises(SandboxUnavailable, match=r"none of the 1 sandboxes .* nothing has moved for 0\.1 s"):
        budget.acquire()
    slots_module._write(tmp_path / "slot.0.json", {"sandbox": "isome", "ends": time.time() - 1})
    budget.give_back(taken(budget))


def test_those_that_wait_for_each_other_are_told_so(tmp_path: Path) -> None:
    """Also if both are threads of one process, each with its own budget, as two workers have."""
    outcomes: list[str] = []
    both = threading.Barrier(2)

    def take_two() -> None:
        budget = Budget(tmp_path, 2)
        first = taken(budget)
        both.wait()
        try:
            budget.give_back(taken(budget))
            outcomes.append("two")
        except SandboxUnavailable as error:
            outcomes.append(str(error))
        budget.give_back(first)

    threads = [threading.Thread(target=take_two) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(outcomes)[1] == "two"
    assert "each of the 2 sandboxes that --rewardkit-max-sandboxes allows is held by a test that waits" in min(outcomes)


def test_those_that_want_any_number_take_turns(tmp_path: Path) -> None:
    mine, theirs, third = (Budget(tmp_path, 3, patience=0.1) for _ in range(3))
    first = taken(mine, wants=ANY)
    with pytest.raises(SandboxUnavailable):
        theirs.acquire(wants=ANY)
    third.give_back(taken(third))  # a client that wants only one does not wait
    second = taken(mine, wants=ANY)
    mine.give_back(second)
    with pytest.raises(SandboxUnavailable):
        theirs.acquire(wants=ANY)
    mine.give_back(first)
    theirs.give_back(taken(theirs, wants=ANY))
    mine.give_back(taken(mine, wants=ANY))


def test_those_that_want_two_leave_one_free_for_whoever_goes_on(tmp_path: Path) -> None:
    budgets = [Budget(tmp_path, 4, patience=0.1) for _ in range(3)]
    firsts = [taken(budget, wants=TWO) for budget in budgets[:2]]
    with pytest.raises(SandboxUnavailable):
        budgets[2].acquire(wants=TWO)
    second = taken(budgets[0])
    budgets[0].give_back(second)
    budgets[0].give_back(firsts[0])
    budgets[2].give_back(taken(budgets[2], wants=TWO))
    budgets[1].give_back(firsts[1])


def test_what_is_kept_for_other_tests_does_not_keep_the_turn(tmp_path: Path) -> None:
    mine, theirs = (Budget(tmp_path, 4, patience=0.1) for _ in range(2))
    first = taken(mine, wants=ANY)
    kept = taken(mine, keep=True)
    mine.give_back(first)
    theirs.give_back(taken(theirs, wants=ANY))
    mine.give_back(kept)


def test_first_come_first_served_and_holders_before_all(tmp_path: Path) -> None:
    line = WaitingLine(tmp_path, "ticket", "me")
    first, second = line.join(holds=False), line.join(holds=False)
    holder = line.join(holds=True)
    assert [ticket.is_first for ticket in (first, second, holder)] == [False, False, True]
    holder.leave()
    assert first.is_first
    first.leave()
    assert second.is_first
    second.leave()
    assert line.first() == ""


def test_a_leaving_one_wakes_the_next(tmp_path: Path) -> None:
    line = WaitingLine(tmp_path, "ticket", "me")
    first, second = line.join(holds=False), line.join(holds=False)
    first.leave()
    began = time.monotonic()
    second.wait(60)
    assert time.monotonic() - began < 30
    second.leave()


def test_a_bell_is_heard_where_many_files_are_open(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(2048, hard), hard))
    with ExitStack() as opened:
        opened.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        while opened.enter_context(Path(os.devnull).open("rb")).fileno() < 1024:
            pass
        test_a_leaving_one_wakes_the_next(tmp_path)


class _Clock:
    """Advances by the time slept."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> _Clock:
    clock = _Clock()
    monkeypatch.setattr(pace_module, "time", clock)
    return clock


@pytest.mark.parametrize("rate", [0.25, 1.0, 2.5, 5.0])
def test_no_more_arrive_than_are_allowed_however_long_each_is_on_its_way(
    tmp_path: Path, clock: _Clock, rate: float
) -> None:
    chance = random.Random(rate)
    paces = [Pace(tmp_path, rate) for _ in range(3)]
    arrived = []
    for number in range(60):
        with paces[number % 3].request():
            clock.sleep(chance.choice([0.0, 0.1, 0.9]) / rate)
            arrived.append(clock.now)
            clock.sleep(chance.choice([0.0, 0.1]) / rate)
    many = max(1, int(rate))
    apart = min(late - early for early, late in zip(arrived, arrived[many:], strict=False))
    assert apart >= many / rate - 1e-9


def test_what_has_no_answer_keeps_others_for_a_period(tmp_path: Path, clock: _Clock) -> None:
    with Pace(tmp_path, 1.0).request():  # and another process waits meanwhile
        begun = clock.now
        with Pace(tmp_path, 1.0).request():
            assert clock.now - begun == 2.0


def test_an_answer_lets_the_next_one_go_after_a_period(tmp_path: Path, clock: _Clock) -> None:
    with pytest.raises(ValueError, match="refused"), Pace(tmp_path, 1.0).request():
        clock.sleep(0.25)
        raise ValueError("refused")
    answered = clock.now
    with Pace(tmp_path, 1.0).request():
        assert clock.now - answered == 1.0


def test_five_a_second_are_a_fifth_apart(tmp_path: Path, clock: _Clock) -> None:
    pace, sent = Pace(tmp_path, 5.0), []
    for _ in range(11):
        with pace.request():
            sent.append(clock.now)
    assert sent == pytest.approx([1000 + number / 5 for number in range(11)])


@pytest.mark.parametrize(
    ("asked", "waited"), [(0.0, 1.0), (0.5, 1.0), (20.0, 20.0), (1e9, pace_module.MAX_REST_SECONDS)]
)
def test_nobody_asks_while_the_service_wants_to_be_left_alone(
    tmp_path: Path, clock: _Clock, monkeypatch: pytest.MonkeyPatch, asked: float, waited: float
) -> None:
    monkeypatch.setattr(pace_module, "retry_after", lambda _: asked)
    requests = [Pace(tmp_path, 2.0).request() for _ in range(5)]
    for request in requests[:4]:  # in flight together
        request.__enter__()
    refused = clock.now
    requests[0].__exit__(None, OSError("429"), None)
    for request in requests[1:4]:
        request.__exit__(None, None, None)
    with requests[4]:
        assert clock.now - refused == pytest.approx(waited)
    after = clock.now
    with Pace(tmp_path, 2.0).request():
        assert clock.now - after < 2


def test_who_awaits_a_turn_stops_nobody(tmp_path: Path) -> None:
    """The plain form in another process, or thread, and the awaited one share a pace."""
    sent: dict[str, float] = {}

    class Watched(Pace):
        def _write(self, requests: Sequence[Request], rests_until: float) -> None:
            sent.update({request.mark: request.sent for request in requests})
            super()._write(requests, rests_until)

    pace = Watched(tmp_path, 20.0)

    async def one() -> None:
        async with pace.request():
            await asyncio.sleep(0)

    def plainly() -> None:
        for _ in range(5):
            with pace.request():
                pass

    async def several() -> int:
        waiting = asyncio.gather(*(one() for _ in range(5)))
        ticks = 0
        while not waiting.done():
            await asyncio.sleep(0.001)
            ticks += 1
        return ticks

    with ThreadPoolExecutor(1) as beside:
        done = beside.submit(plainly)
        assert asyncio.run(several()) > 5
        done.result()
    assert len(sent) == 10
    assert min(later - early for early, later in pairwise(sorted(sent.values()))) >= 0.05 - 1e-9


def test_who_awaits_a_turn_can_be_stopped(tmp_path: Path) -> None:
    with Pace(tmp_path, 0.01).request():
        pass

    async def stopped() -> None:
        async with asyncio.timeout(0.01):
            async with Pace(tmp_path, 0.01).request():
                pytest.fail("there was no turn yet")

    with pytest.raises(TimeoutError):
        asyncio.run(stopped())


@pytest.mark.parametrize(
    "text", ["", "[", "{}", "[[1]]", "[1]", '[0, ["m", "x", null]]', '[9999.0, ["m", 9999.0, null]]', "12", '["x"]']
)
def test_what_says_nothing_of_this_time_keeps_nobody(tmp_path: Path, clock: _Clock, text: str) -> None:
    """Such as a truncated file, one of another version, or one from before a reboot."""
    (tmp_path / "pace.json").write_text(text)
    with Pace(tmp_path, 0.001).request():
        assert clock.now == 1000.0


def test_waiting_for_the_pace_is_told_apart(tmp_path: Path, clock: _Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget_module, "time", SimpleNamespace(perf_counter=clock.monotonic))
    monkeypatch.setattr(factory_module, "time", SimpleNamespace(perf_counter=clock.monotonic))
    told: list[tuple[float, float]] = []
    factory = Factory(
        cast("Provider", _Provider(takes=lambda: clock.sleep(0.25))),
        {},
        budget=Budget(tmp_path, None, 1.0),
        note=lambda waited, start, _: told.append((waited, start)),
    )
    factory.create()
    factory.create()
    assert told == [(0.0, 0.25), (1.0, 0.25)]


def test_threads_of_a_test_take_turns_within_the_bound(tmp_path: Path) -> None:
    """As awaited reward functions do, which create their own sandboxes while the test has one too."""
    budget = Budget(tmp_path, 3)
    taken(budget)
    alive, most = 0, 0
    lock = threading.Lock()

    def work(_: int) -> None:
        nonlocal alive, most
        own = budget.for_thread()
        slot = taken(own)
        with lock:
            alive, most = alive + 1, max(most, alive + 1)
        time.sleep(0.01)  # the others wait meanwhile
        with lock:
            alive -= 1
        own.give_back(slot)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(8)))
    assert most <= 2


def test_a_thread_that_waits_for_what_its_test_has_is_told_so(tmp_path: Path) -> None:
    alone = Budget(tmp_path / "alone", 1)
    taken(alone)
    with pytest.raises(RewardkitUsageError, match="this test wants 2 sandboxes at once"):
        alone.for_thread().acquire()
    tests = [Budget(tmp_path, 2, patience=30) for _ in range(2)]
    slots = [taken(test) for test in tests]
    with ThreadPoolExecutor(2) as threads:
        waits = {
            threads.submit(test.for_thread().acquire): (test, slot) for test, slot in zip(tests, slots, strict=True)
        }
        first = next(as_completed(waits))
        test, slot = waits.pop(first)
        test.give_back(slot)
        with pytest.raises(SandboxUnavailable, match="held by a test that waits for"):
            first.result()
        assert [wait.result() is not None for wait in waits] == [True]


@pytest.mark.parametrize(
    ("owners", "waiting", "all_wait"),
    [
        ({"a", "b"}, {"a", "b", "c"}, True),
        ({"a", "b"}, {"a"}, False),
        ({"a", "b"}, {"a+1", "b+1"}, True),
        ({"a", "a+1"}, {"a+2"}, False),
        ({"a", "a+1"}, {"a+1", "a+2"}, True),
        ({"a", "b"}, {"a+1"}, False),
    ],
)
def test_who_waits(owners: set[str], waiting: set[str], all_wait: bool) -> None:
    assert budget_module._are_waiting(owners, waiting) is all_wait


def test_without_a_bound_on_sandboxes_there_are_no_slots(tmp_path: Path) -> None:
    budget = Budget(tmp_path, None, 100.0)
    assert budget.acquire() is None
    with budget.pace():
        pass


def test_a_bound_may_be_beyond_all_that_is_ever_used(tmp_path: Path) -> None:
    budget = Budget(tmp_path, 10**12, 1e9)
    with budget.pace():
        budget.give_back(taken(budget))


class _Provider:
    """Makes fake sandboxes."""

    limits = ()

    def __init__(self, takes: Callable[[], object] = lambda: None) -> None:
        self._takes = takes

    def create(self, **options: Any) -> Any:
        self._takes()
        return SimpleNamespace(sandbox_id="plain", kill=lambda: None)

    async def create_async(self, **options: Any) -> Any:
        async def kill() -> None: ...

        return SimpleNamespace(sandbox_id="asynchronous", kill=kill)


def test_asynchronous_sandboxes_count_as_others_do(tmp_path: Path) -> None:
    factory, another = (
        Factory(cast("Provider", _Provider()), {}, budget=Budget(tmp_path, 1, patience=0), note=lambda *_: None)
        for _ in range(2)
    )
    factory.create_async()
    with pytest.raises(RewardkitUsageError, match="wants 2 sandboxes at once"):
        factory.create()
    with pytest.raises(SandboxUnavailable, match="became free"):
        another.create_async()
    factory.close()
    another.create_async()
    another.close()


def test_a_prolonged_life_is_known_before_it_is_prolonged(tmp_path: Path) -> None:
    """Whoever is killed then leaves a note of it to those who end what is left, and who pay for it."""

    class Killed(BaseException): ...

    def prolong(seconds: int, **_: object) -> None:
        raise Killed

    soon = datetime.now(UTC) + timedelta(seconds=1)
    made = SimpleNamespace(
        sandbox_id="slow", kill=lambda: None, get_info=lambda **_: SimpleNamespace(end_at=soon), set_timeout=prolong
    )
    provider = SimpleNamespace(limits=(), create=lambda **_: made)
    journal = Journal(tmp_path / "run.jsonl")
    factory = Factory(
        cast("Provider", provider),
        {"timeout": 1},
        budget=Budget(tmp_path, 1),
        meter=UsageMeter(journal, UsageBounds()),
        note=lambda *_: None,
    )
    factory.create()
    later = time.time() + lifetime.USUAL_LIFETIME - 10
    assert journal.usage().left(later) == []
    with pytest.raises(Killed):
        lifetime.outlast(cast("Sandbox", made), 30)
    assert journal.usage().left(later) == ["slow"]
    assert journal.usage().left(later + 20) == []
    assert journal.usage().seconds(later) > 200
    assert later < json.loads((tmp_path / "slot.0.json").read_text())["ends"] < later + 20


def test_what_is_set_aside_is_given_up_by_who_waits(tmp_path: Path) -> None:
    """All slots are reserved for later tests, and each process wants one more: none waits for the others."""
    budgets = [Budget(tmp_path, 2, patience=0.1) for _ in range(2)]
    for budget in budgets:
        kept = taken(budget, wants=TWO, keep=True)
        budget.set_aside(partial(budget.give_back, kept))
    first = taken(budgets[0], wants=TWO)
    assert budgets[0].held == 1
    budgets[0].use_again()
    budgets[0].give_back(first)


def test_what_is_set_aside_is_given_up_for_others(tmp_path: Path) -> None:
    mine, theirs = Budget(tmp_path, 1), Budget(tmp_path, 1)
    kept = taken(mine, keep=True)
    mine.set_aside(partial(mine.give_back, kept))
    mine.yield_to_others()
    assert mine.held == 1
    waiting = threading.Thread(target=lambda: theirs.give_back(taken(theirs)))
    waiting.start()
    while mine.held:
        mine.yield_to_others()
    waiting.join(30)
    assert not waiting.is_alive()


def test_what_is_used_again_is_not_given_up(tmp_path: Path) -> None:
    budget = Budget(tmp_path, 2, patience=0.1)
    kept = taken(budget, wants=TWO, keep=True)
    budget.set_aside(partial(budget.give_back, kept))
    budget.use_again()
    other = taken(budget)
    budget.yield_to_others()
    assert (budget.held, kept.is_held) == (2, True)
    budget.give_back(other)
    budget.give_back(kept)
