"""Functions that modules register for a fork: gathered on import, and called only in processes that run their code."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    Call = Callable[[], object]

_IN_CHILD: Final = "after_in_child"
_OF_LOCKS: Final = "logging"
"""Renews locks that other threads may hold; in the process that forks, only one thread logs."""


class ForkCalls:
    """Gathers what modules give to `os.register_at_fork`, from its creation until `register_no_more`."""

    def __init__(self) -> None:
        self._register = os.register_at_fork
        self._gathered: list[dict[str, Call]] = []
        os.register_at_fork = self._gather  # type: ignore[assignment]

    def register_no_more(self) -> None:
        """Stop gathering: leave modules that are imported from here on to Python."""
        os.register_at_fork = self._register

    def in_child(self) -> None:
        """Call what is registered for a child; as in Python, one failure does not keep the others from being called."""
        for calls in self._gathered:
            call = calls.get(_IN_CHILD)
            if call is not None and getattr(call, "__module__", None) != _OF_LOCKS:
                with contextlib.suppress(Exception):
                    call()

    def hand_over(self) -> None:
        """Have Python call all of it when this process forks."""
        for calls in self._gathered:
            self._register(**calls)

    def _gather(self, **calls: Call) -> None:
        self._gathered.append(calls)
