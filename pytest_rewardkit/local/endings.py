"""How sandboxes have ended, for those who ask later: the server knows what was its own doing, and what was not."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final, Protocol

FROM_WITHIN: Final = "ended_from_within"
"""The code of a sandbox that ended because of what ran in it: its agent was killed, or broke the protocol."""

MACHINE_MEMORY: Final = "machine_memory"
"""The code of a sandbox that was ended because the machine, or the group that the server is in, had no memory left."""

LOST: Final = "lost"
"""The code of a sandbox that ended with its fork server."""

HEADER: Final = "X-Rewardkit-Ending"
"""The header of a request for a sandbox that wants the code with status 410; others get E2B's 404, of which SDKs do not
pass on the text."""

MOST_KEPT: Final = 10_000


class ForkServer(Protocol):
    """What has made a sandbox."""

    async def answers(self) -> bool:
        """Whether it is there still."""
        ...

    def lacked_memory(self, pid: int) -> bool:
        """Whether a sandbox of its was ended because the machine had no memory left."""
        ...


class Endings:
    """The sandboxes that ended though nobody asked for it, the last `MOST_KEPT` of them."""

    def __init__(self) -> None:
        self._ended: OrderedDict[str, tuple[ForkServer, int]] = OrderedDict()

    def note(self, sandbox_id: str, fork_server: ForkServer, pid: int) -> None:
        """Note that a sandbox, whose first process had that number, has ended by itself."""
        self._ended[sandbox_id] = fork_server, pid
        while len(self._ended) > MOST_KEPT:
            self._ended.popitem(last=False)

    async def code(self, sandbox_id: str) -> str:
        """How a sandbox has ended, as one of the codes above; nothing if somebody wanted it to, or it never was."""
        if sandbox_id not in self._ended:
            return ""
        fork_server, pid = self._ended[sandbox_id]
        # A sandbox ends with its fork server too, and may be seen to end before that.
        if not await fork_server.answers():
            return LOST
        return MACHINE_MEMORY if fork_server.lacked_memory(pid) else FROM_WITHIN
