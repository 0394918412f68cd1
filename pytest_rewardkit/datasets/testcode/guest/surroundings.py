"""Gives a candidate the surroundings of a program, though it runs in an interpreter's cell."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pytest_rewardkit.scorers.guest.loading import alone

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def as_a_program() -> Iterator[None]:
    """Removes a running event loop for `asyncio.run`, allows the full recursion depth, and discards output.

    From then on, whole numbers are written and read at any length.
    """
    if hasattr(sys, "set_int_max_str_digits"):
        sys.set_int_max_str_digits(0)
    streams = sys.stdout, sys.stderr
    sys.stdout = sys.stderr = Nowhere()
    try:
        with alone():
            yield
    finally:
        sys.stdout, sys.stderr = streams


class Nowhere:
    """Discards output while only values count."""

    encoding = "utf-8"
    errors = "replace"

    def write(self, text: str) -> int:
        return len(text)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None: ...

    def isatty(self) -> bool:
        return False

    def fileno(self) -> int:
        raise OSError("the output goes nowhere")
