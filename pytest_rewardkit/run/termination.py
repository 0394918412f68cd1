"""Lets a run that receives a signal go through its teardown, so that sandboxes that cost money end with it."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

_SIGNALS: Final = ("SIGTERM", "SIGHUP")


def end_in_order() -> Callable[[], None]:
    """From now on, a signal that would end the process ends pytest's session instead; a second one ends the process.

    Returns a function that undoes it.
    """
    taken: list[int] = []
    if threading.current_thread() is threading.main_thread():
        for name in _SIGNALS:
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, _end)
                taken.append(number)

    def undo() -> None:
        for number in taken:
            signal.signal(number, signal.SIG_DFL)

    return undo


def _end(number: int, _: FrameType | None) -> None:
    signal.signal(number, signal.SIG_DFL)
    pytest.exit(f"ended by {signal.Signals(number).name}", returncode=128 + number)
