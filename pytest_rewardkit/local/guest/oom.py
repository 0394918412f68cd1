"""Which processes the kernel ends first when memory runs out, in a sandbox's control group or on the whole machine."""

from __future__ import annotations

import contextlib
import os
from typing import Final

_FIRST: Final = b"1000"


class OomScore:
    """This process's own score; open it while the process may still write into /proc.

    A process that is started `with` it is ended first: before the guest, which lives on to report why, and before the
    machine's other processes.
    """

    def __init__(self) -> None:
        self._descriptor: int | None = None
        self._own = _FIRST
        with contextlib.suppress(OSError):
            self._descriptor = os.open("/proc/self/oom_score_adj", os.O_RDWR | os.O_CLOEXEC)
            self._own = os.pread(self._descriptor, 16, 0)

    def fileno(self) -> int | None:
        """Return the descriptor, so that it can be kept; None if there is none."""
        return self._descriptor

    def __enter__(self) -> None:
        self._write(_FIRST)

    def __exit__(self, *_: object) -> None:
        self._write(self._own)

    def _write(self, score: bytes) -> None:
        if self._descriptor is not None:
            os.pwrite(self._descriptor, score, 0)
