"""Node ids, as pytest has them without pytest-xdist."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


def have_groups(config: pytest.Config) -> bool:
    """Whether pytest-xdist may put the names of groups at the ends of node ids."""
    # The controller knows of it by one option, the workers by another.
    return getattr(config.option, "dist", "no") == "loadgroup" or getattr(config.option, "loadgroup", False)


def without_group(node_id: str) -> str:
    """Return `node_id` without the name of the group that may stand at its end."""
    end = max(node_id.rfind("]"), node_id.rfind("::"))
    at = node_id.find("@", end + 1)
    return node_id if at < 0 else node_id[:at]


def plain(node_id: str, config: pytest.Config) -> str:
    """Return `node_id` as pytest has it without pytest-xdist."""
    return without_group(node_id) if have_groups(config) else node_id
