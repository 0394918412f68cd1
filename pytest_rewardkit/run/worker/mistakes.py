"""Explains a mistake in a test: what is wrong, and where in the test, without this package's frames."""

from __future__ import annotations

import re
import warnings
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Final

import pytest

from pytest_rewardkit.pytest_internals import RUNNER_PACKAGES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager
    from types import TracebackType

_MISMATCH: Final = re.compile(
    r"ScopeMismatch: .*function scoped fixture (?:async_)?sandbox\w* with a (\w+) scoped request", re.DOTALL
)
_SCOPES: Final = {"package": "session"}
"""Scopes that sandboxes cannot have, and the next wider one that they can."""


def explain(excinfo: pytest.ExceptionInfo[BaseException], config: pytest.Config) -> str:
    """Shorten the errors that this package raises on purpose, and clarify pytest's message about its fixtures.

    Returns what to show in place of the traceback if none of its frames is the user's; otherwise "".
    """
    from pytest_rewardkit.errors import RewardkitError

    error = excinfo.value
    if isinstance(error, pytest.fail.Exception) and (found := _MISMATCH.match(str(error.msg))):
        scope = _SCOPES.get(found[1], found[1])
        error.msg = f"{error.msg}\n--rewardkit-sandbox-scope={scope} shares one sandbox with all of a {scope}"
    if isinstance(error, RewardkitError) and not config.getoption("fulltrace", False):
        # Its text names the cause.
        error.__cause__, error.__suppress_context__ = None, True
        if not _leave_theirs(error.__traceback__):
            return f"{type(error).__name__}: {error}"
    return ""


def awaited(item: pytest.Item) -> AbstractContextManager[None]:
    """Raise RewardkitUsageError if a test with an asynchronous sandbox does not await what it calls on it."""
    return _awaited(item) if "async_sandbox" in getattr(item, "fixturenames", ()) else nullcontext()


@contextmanager
def _awaited(item: pytest.Item) -> Iterator[None]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    for warning in caught:
        if issubclass(warning.category, RuntimeWarning) and "was never awaited" in str(warning.message):
            from pytest_rewardkit.errors import RewardkitUsageError

            raise RewardkitUsageError(
                f"{item.nodeid}: {str(warning.message).splitlines()[0]}, so nothing of it ran; write `async def` and "
                "`await`, with pytest-asyncio or anyio, or use the fixture `sandbox`"
            )
        warnings.warn_explicit(
            warning.message, warning.category, warning.filename, warning.lineno, source=warning.source
        )


def _leave_theirs(traceback: TracebackType | None) -> bool:
    """Remove this package's frames from a traceback, and return whether any of the user's frames remains."""
    # In place, because pytest makes its own tracebacks from the frames that Python has linked.
    entries = []
    while traceback is not None:
        entries.append(traceback)
        traceback = traceback.tb_next
    kept = [entry for entry in entries if not _is_of(entry.tb_frame.f_globals, "pytest_rewardkit")]
    while kept and _is_of(kept[-1].tb_frame.f_globals, "functools", "contextlib"):
        kept.pop()
    if not kept or _is_of(kept[-1].tb_frame.f_globals, *RUNNER_PACKAGES):
        return False
    for entry, following in zip(kept, [*kept[1:], None], strict=True):
        entry.tb_next = following
    return True


def _is_of(names: Mapping[str, Any], *packages: str) -> bool:
    """Whether the module with these `names` belongs to one of some packages."""
    return str(names.get("__name__", "")).partition(".")[0] in packages
