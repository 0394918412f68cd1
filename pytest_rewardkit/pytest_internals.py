"""The uses of pytest's internals: why they are needed, and the fallback if a version of pytest lacks one.

`tests/unit/test_pytest_internals.py` shows which of them a new version of pytest has changed.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PYTHON_MODULE: Final = "_pytest.python"
"""The module in which pytest fails a test that it cannot run; no exception class identifies that."""

RUNNER_PACKAGES: Final = ("_pytest", "pluggy")
"""The packages whose frames surround a user's frames in every traceback."""

_PROGRESS: Final = "_get_progress_information_message"
_WIDTH: Final = "_screen_width"


def has_progress(terminalreporter: object) -> bool:
    """Whether text can be added beside pytest's progress. If not, `beside_progress` must not be used."""
    return callable(getattr(terminalreporter, _PROGRESS, None)) and isinstance(
        getattr(terminalreporter, _WIDTH, None), int
    )


@contextmanager
def beside_progress(terminalreporter: object, write: Callable[[str], None], room: int) -> Iterator[None]:
    """Let `write` add to the line, in at most `room` columns, each time before pytest's progress follows.

    pytest has no hook for that place. This way changes the least: it shadows the terminal reporter's method for the
    progress text on that one object, and lowers the width at which the reporter breaks lines.
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
    """Return the encoding of pytest's output; None if it is not known, in which case ASCII is safe.

    pytest exposes its output stream nowhere else, and sys.stdout may be captured.
    """
    return getattr(getattr(config.get_terminal_writer(), "_file", None), "encoding", None)


def tear_down_unused(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """End fixtures of wider scope that earlier tests began and `nextitem` does not need, if `item` itself does not run.

    The hook would also end what other plugins begin with a test. It is called only if there is no other way.
    """
    state = getattr(item.session, "_setupstate", None)
    if state is None:
        item.ihook.pytest_runtest_teardown(item=item, nextitem=nextitem)
    else:
        state.teardown_exact(nextitem)


def run_phases(item: pytest.Item) -> list[pytest.TestReport]:
    """Run a test as pytest does, and return its reports instead of passing them to plugins. Fixtures of wider scope
    stay set up for the next time.

    pytest-rerunfailures does the same. Raises pytest.UsageError if pytest has no such function.
    """
    try:
        from _pytest.runner import runtestprotocol
    except ImportError:
        raise pytest.UsageError(
            f"--rewardkit-selfcheck cannot run a test again with pytest {pytest.__version__}; use an earlier one"
        ) from None
    # The parent is not an item, but pytest only asks it for the collectors above it.
    return runtestprotocol(item, log=False, nextitem=item.parent)  # type: ignore[arg-type]


def forget_sections(item: pytest.Item) -> None:
    """Forget the captured output of `item`, which would otherwise grow with each run."""
    getattr(item, "_report_sections", []).clear()


def keep_fixture(fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest, value: object) -> None:
    """Let other fixtures of the same test receive `value` as the result of `fixturedef`.

    An implementation of pytest_fixture_setup must do this; otherwise the hook is called again for each of them.
    """
    if (key := getattr(fixturedef, "cache_key", None)) is not None:
        fixturedef.cached_result = (value, key(request), None)


@contextmanager
def keeping_failure(fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest) -> Iterator[None]:
    """Make an exception in the `with` block the result of `fixturedef`.

    An implementation of pytest_fixture_setup must do this; otherwise the fixture is not torn down, which breaks the
    next test that uses it.
    """
    try:
        yield
    except BaseException as error:
        key = getattr(fixturedef, "cache_key", None)
        if key is not None and fixturedef.cached_result is None:
            fixturedef.cached_result = (None, key(request), (error, error.__traceback__))
        raise


def requesting_item(request: pytest.FixtureRequest) -> pytest.Item | None:
    """Return the test for which a fixture of any scope is made, which may not be its node; None if it is not known."""
    found = getattr(request, "_pyfuncitem", None)
    return found if isinstance(found, pytest.Item) else None


def fixture_info(item: pytest.Item) -> Any:
    """Return pytest's data on the fixtures that `item` uses, directly or indirectly; None if it is not known."""
    return getattr(item, "_fixtureinfo", None)


def fixtures_named(name: str, session: pytest.Session) -> set[pytest.FixtureDef[Any]] | None:
    """Return the fixtures of that name that the session's tests can use; None if they are not known."""
    find = getattr(getattr(session, "_fixturemanager", None), "getfixturedefs", None)
    if find is None:
        return None
    parents = {item.parent for item in session.items}
    return {fixture for parent in parents for fixture in find(name, parent) or ()}
