"""Doing once more what the infrastructure has failed at, where doing it twice does no harm.

That is creating, reading, writing and removing. Running a candidate is none of it: whoever runs twice in one sandbox
finds there what it has left the first time.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, TypeVar

from pytest_rewardkit.sandboxes.failures import is_refusal, says_nothing

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

PAUSES: Final = (0.1, 0.5, 1.5)
"""Seconds before each further try."""

PATIENCE: Final = 20.0
"""Seconds after the first try in which there may be another, so that nobody waits long for many answers."""


def again(call: Callable[[], T]) -> T:
    """Return what `call` returns, which is tried more than once where its failure says nothing and may pass.

    Raises what it raises the last time.
    """
    begun = time.monotonic()
    for pause in PAUSES:
        try:
            return call()
        except Exception as error:
            if not _may_pass(error) or time.monotonic() + pause > begun + PATIENCE:
                raise
        time.sleep(pause)
    return call()


def _may_pass(error: Exception) -> bool:
    from e2b import AuthenticationException
    from e2b.exceptions import SandboxNotFoundException, SandboxNotRunningException

    lasting = isinstance(error, AuthenticationException | SandboxNotFoundException | SandboxNotRunningException)
    return says_nothing(error) and not is_refusal(error) and not lasting
