"""Node ids as pytest has them without pytest-xdist, and a unique name for each test if several share a node id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_NAME: Final = pytest.StashKey[str]()
_ATTRIBUTE: Final = "rewardkit_name"


def have_groups(config: pytest.Config) -> bool:
    """Whether pytest-xdist may append the names of groups to node ids."""
    # The controller has one option for it, the workers another.
    return getattr(config.option, "dist", "no") == "loadgroup" or getattr(config.option, "loadgroup", False)


def without_group(node_id: str) -> str:
    """Return `node_id` without the name of a group at its end."""
    end = max(node_id.rfind("]"), node_id.rfind("::"))
    at = node_id.find("@", end + 1)
    return node_id if at < 0 else node_id[:at]


def told_apart(node_ids: Iterable[str]) -> Iterator[str]:
    """Yield the node ids, and append its number to each one that repeats an earlier one: they are different tests.

    Ids repeat if a file outside the root directory has another one's name, or with ``--keep-duplicates``.
    """
    counts: dict[str, int] = {}
    for node_id in node_ids:
        number = counts[node_id] = counts.get(node_id, 0) + 1
        yield node_id if number == 1 else f"{node_id}#{number}"


def tell_apart(session: pytest.Session) -> None:
    """Name all collected tests; the same tests get the same names in every process."""
    in_plain = without_group if have_groups(session.config) else str
    names = told_apart(in_plain(item.nodeid) for item in session.items)
    for item, own in zip(session.items, names, strict=True):
        if own not in item.nodeid:
            item.stash[_NAME] = own


def name_of(item: pytest.Item) -> str:
    """Return the test's unique name."""
    return item.stash[_NAME] if _NAME in item.stash else plain(item.nodeid, item.config)


def name(report: pytest.TestReport, item: pytest.Item) -> None:
    """Note on `report` which test it is about, if its node id does not tell. pytest-xdist needs that id unchanged."""
    # A stash takes longer to return a default than to say that it has nothing, and most items have no name here.
    if _NAME in item.stash:
        setattr(report, _ATTRIBUTE, item.stash[_NAME])


def named_in(report: pytest.TestReport) -> str | None:
    """Return what `name` left on `report`; None if it left nothing."""
    return getattr(report, _ATTRIBUTE, None)


def plain(node_id: str, config: pytest.Config) -> str:
    """Return `node_id` as pytest has it without pytest-xdist."""
    return without_group(node_id) if have_groups(config) else node_id
