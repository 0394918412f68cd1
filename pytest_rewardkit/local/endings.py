"""The codes by which the server says how a sandbox has ended: the server knows if it was the sandbox's own doing."""

from __future__ import annotations

from typing import Final

FROM_WITHIN: Final = "ended_from_within"
"""The code of a sandbox that ended because of its contents: its guest was killed, or broke the protocol."""

OWN_MEMORY: Final = "own_memory"
"""The code of a sandbox that ended because its contents took more memory than they may."""

MACHINE_MEMORY: Final = "machine_memory"
"""The code of a sandbox that was ended because the machine, or the group of the server, had no memory left."""

LOST: Final = "lost"
"""The code of a sandbox that ended with its fork server."""

HEADER: Final = "X-Rewardkit-Ending"
"""The header of a request for a sandbox that wants the code with status 410. Other requests get E2B's 404, whose text
SDKs do not pass on."""
