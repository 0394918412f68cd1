"""The local server's log as its users read it, from any process of the run."""

from __future__ import annotations

import time
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from pytest_rewardkit.text import one_line

ANSWER_SECONDS: Final = 30.0
"""How long to wait for a server's answer; on a busy machine, one that has just started takes some seconds."""

RETRY_SECONDS: Final = 0.2

_TAIL_BYTES: Final = 4000


class ServerLog:
    """A log that grows while other processes write to it.

    Parameters:
        path: of the file.
        patience: for how many seconds the server may refuse connections while another one takes its place.
    """

    def __init__(self, path: str, *, patience: float = 0.0) -> None:
        self._path = Path(path)
        self._patience = patience

    def size(self) -> int:
        """Its length in bytes; 0 if there is none."""
        try:
            return self._path.stat().st_size
        except OSError:
            return 0

    def obituary(self, since: int) -> str:
        """Return what the log says of a server that ended after the first `since` bytes; "" if none did."""
        from pytest_rewardkit.local.handle import OBITUARY

        lines = [line for line in self._read(since).splitlines() if OBITUARY in line]
        return "the local server " + lines[-1].partition(OBITUARY)[2] if lines else ""

    def last_line(self) -> str:
        """Return the server's last line, as part of a sentence; "" if there is none."""
        lines = self._read(max(self.size() - _TAIL_BYTES, 0)).split("\n")
        last = next((line for line in reversed(lines) if line.strip()), "")
        return f"the local server's log ends with: {one_line(last, 200)}" if last else ""

    def server_answers(self, url: str) -> bool:
        """Whether a server answers. If one has ended, its end is in the log by then.

        Parameters:
            url: of the control plane.
        """
        give_up = time.monotonic() + self._patience
        while not (answers := _answers(url)) and time.monotonic() < give_up:
            time.sleep(RETRY_SECONDS)
        return answers

    def _read(self, since: int) -> str:
        try:
            with self._path.open("rb") as log:
                log.seek(since)
                return log.read().decode(errors="replace")
        except OSError:
            return ""


def _answers(url: str) -> bool:
    address = urlsplit(url)
    with (
        suppress(OSError, HTTPException),
        closing(HTTPConnection(address.hostname or "", address.port, timeout=ANSWER_SECONDS)) as connection,
    ):
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    return False
