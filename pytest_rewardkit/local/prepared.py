"""Code of the scorers' that sandboxes have in memory from the start, so that no cell needs to bring it along.

It is known by its sources: who asks a sandbox for it has the very same, or sends its own.
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
"""Names of modules, each after those that it imports; besides, they need the standard library alone."""

_REHEARSAL: Final = "pytest_rewardkit.datasets.testcode.guest.rehearsal"
"""A module whose `rehearse` has the code do once what it will be asked for."""

UNPREPARED: Final = "rewardkit: not prepared"
"""What a sandbox says that was thought to have the code; who only claims to lack it is sent it."""

FILE: Final = "<rewardkit>"
"""What the code names as its file, as when it is sent: by this, tracebacks are without it."""


def prepare() -> Callable[[], None]:
    """Load the code into this interpreter, with a mark that tells which it is; where it is not, do nothing.

    Returns what rehearses it, in a cell.
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
    """The name of a module that is where the code is; "" where there is none of it."""
    digest = hashlib.sha256()
    for name in PREPARED:
        try:
            # By its file: pytest's loader of plugins has no sources.
            digest.update(Path(find_spec(name).origin).read_bytes())  # type: ignore[union-attr,arg-type]
        except (ImportError, OSError):
            return ""
    return f"rewardkit_{digest.hexdigest()}"
