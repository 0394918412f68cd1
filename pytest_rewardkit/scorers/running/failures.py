"""What the SDK raises in the midst of scoring, as what it says of the sandbox.

The SDK takes most of a second to import. Test modules import scorers while they are collected, so it waits for use.
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
    """Turn what the SDK raises for a lost sandbox, connection or quota into SandboxUnavailable, with the cause.

    What says that the sandbox itself refused becomes SandboxSpoilt.
    """
    try:
        yield
    except Exception as error:
        refused = is_refusal(error)
        if not refused and not says_nothing(error):
            raise
        cause = f"{type(error).__name__}: {one_line(str(error), 300)}"
        raise (SandboxSpoilt if refused else SandboxUnavailable)(cause) from error
