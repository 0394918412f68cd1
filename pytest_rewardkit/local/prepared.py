"""Code of the scorers that sandboxes have in memory from the start, so that no cell has to bring it.

It is identified by its sources: a client finds its very own code in a sandbox, or sends it.
"""

from __future__ import annotations

import hashlib
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

PREPARED: Final = (
    "pytest_rewardkit.local.counted_share",
    *(
        f"pytest_rewardkit.scorers.guest.{name}"
        for name in (
            *("loading", "codec_objects", "codec_libraries", "codec_encoder", "codec_decoder"),
            *("operand_recorder", "inside"),
        )
    ),
    *(
        f"pytest_rewardkit.datasets.testcode.guest.{name}"
        for name in (
            *("digests", "handing", "surroundings", "time_limit", "operation_runner"),
            *("checks", "proxy", "answers", "operations", "candidate_names", "child_process", "row_test", "replying"),
        )
    ),
)
"""Names of modules, each after the modules that it imports; otherwise they need only the standard library."""

_REHEARSAL: Final = "pytest_rewardkit.datasets.testcode.guest.rehearsal"
"""A module whose `rehearse` makes the code do once what it will be asked for."""

UNPREPARED: Final = "rewardkit: not prepared"
"""The answer of a sandbox that lacks the code after all. A sandbox that only pretends to lack it is sent the code."""

FILE: Final = "<rewardkit>"
"""The code's file name, as when it is sent; by this name, tracebacks leave the code out."""


def prepare() -> Callable[[], None]:
    """Load the code into this interpreter, with a mark that identifies it; do nothing if the code is missing.

    Returns:
        a function that rehearses the code, for a cell.
    """
    if not (name := mark()):
        return lambda: None
    for full_name in PREPARED:
        sys.modules[full_name] = _module(full_name)
    sys.modules[name] = ModuleType(name)
    rehearse: Callable[[], None] = _module(_REHEARSAL).rehearse
    return rehearse


def _module(name: str) -> ModuleType:
    code = find_spec(name).loader.get_code(name)  # type: ignore[union-attr]
    module = ModuleType(name)
    exec(_of_no_file(code), module.__dict__)  # noqa: S102
    return module


def _of_no_file(code: CodeType) -> CodeType:
    inner = (_of_no_file(constant) if isinstance(constant, CodeType) else constant for constant in code.co_consts)
    return code.replace(co_filename=FILE, co_consts=tuple(inner))


@cache
def mark() -> str:
    """The name of a module that exists if the code does; "" if the code is missing."""
    digest = hashlib.sha256()
    for name in PREPARED:
        try:
            # Read from its file, because pytest's loader of plugins has no sources.
            digest.update(Path(find_spec(name).origin).read_bytes())  # type: ignore[union-attr,arg-type]
        except (ImportError, OSError):
            return ""
    return f"rewardkit_{digest.hexdigest()}"
