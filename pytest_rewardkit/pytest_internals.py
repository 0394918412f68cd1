"""What is used of pytest that is no part of its API: why, and what becomes of it where a pytest has it no more.

`tests/unit/test_pytest_internals.py` tells which of it a new version of pytest has changed.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PYTHON_MODULE: Final = "_pytest.python"
"""The module in which pytest fails a test that it cannot run; known by no exception of its own."""

RUNNER_PACKAGES: Final = ("_pytest", "pluggy")
"""The packages whose frames stand around a user's in every traceback."""

_PROGRESS: Final = "_get_progress_information_message"
_WIDTH: Final = "_screen_width"


def has_progress(terminalreporter: object) -> bool:
    """Whether something can be shown beside pytest's progress. Where not, `beside_progress` must not be used."""
    return callable(getattr(terminalreporter, _PROGRESS, None)) and isinstance(
        getattr(terminalreporter, _WIDTH, None), int
    )


@contextmanager
def beside_progress(terminalreporter: object, write: Callable[[str], None], room: int) -> Iterator[None]:
    """Let `write` add to the line, in at most `room` columns, each time that pytest's progress is about to follow.

    pytest has no hook for that place. Of the ways to it, this is the one that touches least: the terminal reporter's
    method that words the progress is shadowed on that one object, and the width at which it breaks lines is lowered.
    """
    progress: Callable[[], str] = getattr(terminalreporter, _PROGRESS)
    width: int = getattr(terminalreporter, _WIDTH)

    def preceded() -> str:
        text = progress()
        write(text)
        return text

    setattr(terminalreporter, _PROGRESS, preceded)
    setattr(terminalreporter, _WIDTH, width - room)
    try:
        yield
    finally:
        delattr(terminalreporter, _PROGRESS)
        setattr(terminalreporter, _WIDTH, width)


def terminal_encoding(config: pytest.Config) -> str | None:
    """Return the encoding of what pytest writes to; None where it is not known, and ASCII is safe.

    pytest says nowhere else what it writes to; sys.stdout may be captured.
    """
    return getattr(getattr(config.get_terminal_writer(), "_file", None), "encoding", None)


def tear_down_unused(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """End fixtures of wider scope that earlier tests began and `nextitem` does not need, where `item` has not begun.

    The hook would also end what other plugins begin with a test; it is called where there is no other way.
    """
    state = getattr(item.session, "_setupstate", None)
    if state is None:
        item.ihook.pytest_runtest_teardown(item=item, nextitem=nextitem)
    else:
        state.teardown_exact(nextitem)


def run_phases(item: pytest.Item) -> list[pytest.TestReport]:
    """Run a test as pytest does, and return its reports instead of telling plugins of them. What is set up above the
    test stays as it is for the next time.

    pytest-rerunfailures does the same. Raises pytest.UsageError where pytest has no such function.
    """
    try:
        from _pytest.runner import runtestprotocol
    except ImportError:
        raise pytest.UsageError(
            f"--rewardkit-selfcheck cannot run a test again with pytest {pytest.__version__}; use an earlier one"
        ) from None
    # Typed as an item, it is only asked for the collectors above it.
    return runtestprotocol(item, log=False, nextitem=item.parent)  # type: ignore[arg-type]


def forget_sections(item: pytest.Item) -> None:
    """Forget the output that reports of `item` were made of; where it runs often it would grow each time."""
    getattr(item, "_report_sections", []).clear()


def keep_fixture(fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest, value: object) -> None:
    """Let other fixtures of the same test have `value` as what `fixturedef` gave.

    Who implements pytest_fixture_setup has to; without, the hook is called again for each of them.
    """
    if (key := getattr(fixturedef, "cache_key", None)) is not None:
        fixturedef.cached_result = (value, key(request), None)


@contextmanager
def keeping_failure(fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest) -> Iterator[None]:
    """Let what is raised in the `with` block be what `fixturedef` came to.

    Who implements pytest_fixture_setup has to; without, the fixture is not torn down, and its next test meets that.
    """
    try:
        yield
    except BaseException as error:
        key = getattr(fixturedef, "cache_key", None)
        if key is not None and fixturedef.cached_result is None:
            fixturedef.cached_result = (None, key(request), (error, error.__traceback__))
        raise


def requesting_item(request: pytest.FixtureRequest) -> pytest.Item | None:
    """Return the test for which a fixture of any scope is made, whose node that need not be; None if unknown."""
    found = getattr(request, "_pyfuncitem", None)
    return found if isinstance(found, pytest.Item) else None


def fixture_info(item: pytest.Item) -> Any:
    """Return what pytest knows of the fixtures that `item` uses by other fixtures; None where that is not known."""
    return getattr(item, "_fixtureinfo", None)
