"""Translates what the SDK raises during scoring into what it says about the sandbox.

Importing the SDK takes most of a second. Test modules import scorers during collection, so the import waits for use.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from pytest_rewardkit.errors import SandboxSpoilt, SandboxUnavailable
from pytest_rewardkit.sandboxes.failures import is_refusal, says_nothing
from pytest_rewardkit.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def sandbox_failures() -> Iterator[None]:
    """Turn the SDK's errors for a lost sandbox, connection or quota into SandboxUnavailable, with the cause.

    An error by which the sandbox itself refuses becomes SandboxSpoilt.
    """
    try:
        yield
    except Exception as error:
        refused = is_refusal(error)
        if not refused and not says_nothing(error):
            raise
        cause = f"{type(error).__name__}: {one_line(str(error), 300)}"
        raise (SandboxSpoilt if refused else SandboxUnavailable)(cause) from error
