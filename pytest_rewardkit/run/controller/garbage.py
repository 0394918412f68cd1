"""Python's garbage collector, kept from looking through all of a run again and again while reports are made of it."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def garbage_kept() -> Iterator[None]:
    """Collect no garbage inside: for what makes many objects at once, none of which refer to each other in circles.

    Each that is made brings the next collection nearer, and pytest keeps so much of every test that one takes long.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
