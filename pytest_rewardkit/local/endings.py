"""The codes by which the server tells how a sandbox has ended: it knows what was its own doing, and what was not."""

from __future__ import annotations

from typing import Final

FROM_WITHIN: Final = "ended_from_within"
"""The code of a sandbox that ended because of what ran in it: its guest was killed, or broke the protocol."""

MACHINE_MEMORY: Final = "machine_memory"
"""The code of a sandbox that was ended because the machine, or the group that the server is in, had no memory left."""

LOST: Final = "lost"
"""The code of a sandbox that ended with its fork server."""

HEADER: Final = "X-Rewardkit-Ending"
"""The header of a request for a sandbox that wants the code with status 410; others get E2B's 404, of which SDKs do not
pass on the text."""
