"""Sandboxes made for one candidate, which end with it: nothing needs to be cleared away in them."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from e2b_code_interpreter import Sandbox

_sandboxes: Final[weakref.WeakSet[Sandbox]] = weakref.WeakSet()


def devote(sandbox: Sandbox) -> Sandbox:
    """Note that a sandbox serves one candidate and ends with it; return the sandbox."""
    _sandboxes.add(sandbox)
    return sandbox


def is_for_one(sandbox: Sandbox) -> bool:
    """Whether a sandbox ends with the candidate that runs in it."""
    return sandbox in _sandboxes
