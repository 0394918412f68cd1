"""Surroundings for a candidate as a program has them, though it runs inside an interpreter's cell."""

from __future__ import annotations

import asyncio
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def as_a_program() -> Iterator[None]:
    """Leaves no event loop in the way of `asyncio.run`, full depth for recursion, and output that goes nowhere."""
    streams, limit = (sys.stdout, sys.stderr), sys.getrecursionlimit()
    sys.setrecursionlimit(limit + _depth())
    sys.stdout = sys.stderr = Nowhere()
    try:
        with _no_running_loop():
            yield
    finally:
        sys.stdout, sys.stderr = streams
        sys.setrecursionlimit(limit)


@contextmanager
def _no_running_loop() -> Iterator[None]:
    """Hides the cell's own event loop and task. From Python 3.14 on a thread, not a loop, has a current task."""
    loop = asyncio._get_running_loop()
    task = asyncio.current_task(loop) if loop else None
    if loop and task:
        asyncio.tasks._leave_task(loop, task)
    asyncio._set_running_loop(None)
    try:
        yield
    finally:
        asyncio._set_running_loop(loop)
        if loop and task:
            asyncio.tasks._enter_task(loop, task)


class Nowhere:
    """Where prints go while values are what counts."""

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


def _depth() -> int:
    depth, frame = 0, sys._getframe()
    while frame := frame.f_back:  # type: ignore[assignment]
        depth += 1
    return depth
