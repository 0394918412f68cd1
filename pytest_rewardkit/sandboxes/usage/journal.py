"""The journal of a run: one file to which all its processes write a line for each event of a sandbox."""

from __future__ import annotations

import json
import os
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from pytest_rewardkit.sandboxes.quota.lock import open_in_folder
from pytest_rewardkit.sandboxes.usage.figures import SandboxUsage

if TYPE_CHECKING:
    from pathlib import Path

SUFFIX: Final = ".jsonl"


class Journal:
    """The events of a run's sandboxes, written before they take effect: the process may be killed at any moment.

    Parameters:
        path: of the file, which is created with the first line.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = -1
        self._lock = threading.Lock()
        self._read = 0
        self._rest = b""
        self._usage = SandboxUsage()

    def asked(self, mark: str) -> None:
        """Note that a sandbox is being requested.

        Parameters:
            mark: identifies the request in later lines.
        """
        self._note(asked=mark)

    def created(self, mark: str, sandbox_id: str, lifetime: float, processors: float = 0.0, gib: float = 0.0) -> None:
        """Note the sandbox that the request created, its lifetime in seconds at most, and its size."""
        self._note(created=sandbox_id, mark=mark, ends=time.time() + lifetime, processors=processors, gib=gib)

    def sized(self, sandbox_id: str, processors: float, gib: float) -> None:
        """Note the size of a sandbox."""
        self._note(sized=sandbox_id, processors=processors, gib=gib)

    def prolonged(self, sandbox_id: str, seconds: float) -> None:
        """Note that a sandbox may live so many seconds from now."""
        self._note(prolonged=sandbox_id, ends=time.time() + seconds)

    def refused(self, mark: str) -> None:
        """Note that the request created no sandbox, and will create none."""
        self._note(refused=mark)

    def gone(self, sandbox_id: str) -> None:
        """Note that a sandbox is gone."""
        self._note(gone=sandbox_id)

    def reused(self) -> None:
        """Note that another test received an existing sandbox."""
        self._note(reused=1)

    def asked_again(self) -> None:
        """Note that a failed request for a sandbox was repeated."""
        self._note(again=1)

    def repeated(self) -> None:
        """Note that work is repeated in a fresh sandbox, because the first one was lost."""
        self._note(repeated=1)

    def usage(self) -> SandboxUsage:
        """Return the use of all processes so far."""
        try:
            with self.path.open("rb") as file:
                file.seek(self._read)
                new = file.read()
        except OSError:
            return self._usage
        self._read += len(new)
        *lines, self._rest = (self._rest + new).split(b"\n")
        for line in lines:
            # A line that a full disk has cut is not readable.
            with suppress(ValueError, TypeError):
                self._usage.take(_parsed(line))
        return self._usage

    def close(self, *, remove: bool = False) -> None:
        """Stop writing; with `remove`, also delete the file."""
        if self._file != -1:
            os.close(self._file)
            self._file = -1
        if remove:
            self.path.unlink(missing_ok=True)

    def _note(self, **known: Any) -> None:
        with self._lock:
            if self._file == -1:
                self._file = open_in_folder(self.path, os.O_WRONLY | os.O_APPEND)
        # In one write, because other processes append to the file too.
        os.write(self._file, json.dumps({**known, "at": time.time()}).encode() + b"\n")


def _parsed(line: bytes) -> dict[str, Any]:
    known = json.loads(line)
    return known if isinstance(known, dict) else {}
