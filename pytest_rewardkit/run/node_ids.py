"""Node ids, as pytest has them without pytest-xdist."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


def plain(node_id: str, config: pytest.Config) -> str:
    """Return `node_id` without the name of the group that pytest-xdist's loadgroup may have put at its end."""
    # The controller knows of it by one option, the workers by another.
    if getattr(config.option, "dist", "no") != "loadgroup" and not getattr(config.option, "loadgroup", False):
        return node_id
    end = max(node_id.rfind("]"), node_id.rfind("::"))
    at = node_id.find("@", end + 1)
    return node_id if at < 0 else node_id[:at]
