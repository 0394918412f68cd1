"""Detects changes in a sandbox from listings; and which sandboxes are not reused."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from e2b import CommandExitException

from pytest_rewardkit import RewardkitUsageError
from pytest_rewardkit.sandboxes import again
from pytest_rewardkit.sandboxes.reuse.reset import NotCleanError, observe, require_lesser_user
from pytest_rewardkit.sandboxes.reuse.state import (
    SeenProcess,
    State,
    changed_paths,
    new_paths,
    read_files,
    read_processes,
    strange_processes,
)

INIT = SeenProcess(1, 0, 10, is_own=True)
SERVER = SeenProcess(5, 1, 20, is_own=False)


def stat(pid: int, parent: int, began: int, *, name: str = "python", state: str = "S", threads: int = 1) -> str:
    return f"{pid} ({name}) {state} {parent} {'0 ' * 15}{threads} 0 {began} 0 0\n"


def listed(*processes: tuple[int, str, str]) -> str:
    return "".join(f"{pid}\0{own}\0{line}\0" for pid, own, line in processes)


def state(*processes: SeenProcess, files: dict[str, tuple[str, ...]] | None = None) -> State:
    return State(frozenset(processes), files or {})


def test_processes_are_read_whatever_their_names() -> None:
    text = listed(
        (1, "1", stat(1, 0, 10)),
        (7, "1", stat(7, 1, 30, name="a) S 5 0\n0 (")),
        (8, "0", stat(8, 5, 40, state="Z")),
        (9, "1", stat(9, 1, 50, state="Z", threads=2)),
        (11, "1", stat(11, 1, 60)),
    )
    # A dead process does not count; one whose first thread alone has ended does.
    assert read_processes(text, but=11) == {INIT, SeenProcess(7, 1, 30, True), SeenProcess(9, 1, 50, True)}


@pytest.mark.parametrize("text", ["", "1\0001", listed((1, "1", stat(1, 0, 10))), "1\0001\0(a) S\0"])
def test_what_is_no_listing_of_processes(text: str) -> None:
    with pytest.raises((ValueError, IndexError)):
        read_processes(text, but=11)


@pytest.mark.parametrize(
    ("process", "strange"),
    [
        (SERVER, False),
        (SeenProcess(6, 5, 99, is_own=True), False),  # a server's new interpreter
        (SeenProcess(6, 1, 99, is_own=True), True),  # an orphan
        (SeenProcess(6, 5, 99, is_own=False), False),
        (SeenProcess(6, 1, 99, is_own=False), True),
        (SeenProcess(5, 1, 99, is_own=False), True),  # it reuses the number of an old process
        (SeenProcess(7, 1, 30, is_own=True), True),  # it existed before, and a candidate may have run in it
    ],
)
def test_who_has_no_business_there(process: SeenProcess, strange: bool) -> None:
    before = state(INIT, SERVER, SeenProcess(7, 1, 30, is_own=True))
    assert strange_processes([INIT, process], before) == ([process] if strange else [])


def test_files_that_are_new_or_changed() -> None:
    before = read_files("/home\0d\x000\x00755\x001\x0040\x001.5\0/home/a\0f\x000\x00644\x002\x003\x001.5\0")
    later = "/home\0d\x000\x00755\x001\x0060\x009.5\0/home/b\0d\x000\x00755\x005\x0040\x009.5\0"
    now = read_files(later + "/home/b/c\nd\0f\x000\x00644\x006\x001\x009.5\0")
    assert new_paths(state(files=now), state(files=before)) == ["/home/b"]
    assert changed_paths(state(files=now), state(files=before)) == ["/home/a"]
    touched = {**before, "/home/a": ("f", "0", "644", "2", "3", "2.5")}
    assert changed_paths(state(files=touched), state(files=before)) == ["/home/a"]
    opened = {**before, "/home": ("d", "0", "777", "1")}
    assert changed_paths(state(files=opened), state(files=before)) == ["/home"]


class _Commands:
    """Commands that print something, or whose connection is lost."""

    def __init__(self, *said: str | Exception) -> None:
        self._said = list(said)

    def run(self, command: str, **keywords: Any) -> Any:
        said = self._said.pop(0) if len(self._said) > 1 else self._said[0]
        if isinstance(said, Exception):
            raise said
        return SimpleNamespace(stdout=said)


def sandbox(*said: str | Exception) -> Any:
    return SimpleNamespace(commands=_Commands(*said))


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(again, "PAUSES", (0.0, 0.0))


def test_where_the_user_can_do_anything() -> None:
    with pytest.raises(RewardkitUsageError, match=r"become root.*--rewardkit-sandbox-scope=function"):
        require_lesser_user(sandbox("all\n"))
    require_lesser_user(sandbox(""))


def test_a_lost_answer_is_asked_for_again() -> None:
    require_lesser_user(sandbox(OSError("lost"), OSError("lost"), ""))


def test_a_command_that_fails_is_not_run_again() -> None:
    failed = CommandExitException(stderr="no bash", stdout="", exit_code=127, error="")
    with pytest.raises(NotCleanError, match="CommandExitException"):
        require_lesser_user(sandbox(failed, ""))


@pytest.mark.parametrize("said", ["", "hacked\n", "/a\0f\0", OSError("lost"), "x" * 5_000_000])
def test_what_cannot_be_told_is_not_clean(said: str | Exception) -> None:
    with pytest.raises(NotCleanError):
        observe(sandbox(said))
