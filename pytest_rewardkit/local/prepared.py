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
from typing import Final

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


FILE: Final = "<rewardkit>"
"""What the code names as its file, as when it is sent: by this, tracebacks are without it."""


def prepare() -> None:
    """Load the code into this interpreter, with a mark that tells which it is; where it is not, do nothing."""
    if not (name := mark()):
        return
    for full_name in PREPARED:
        code = find_spec(full_name).loader.get_code(full_name)  # type: ignore[union-attr]
        module = sys.modules[full_name] = ModuleType(full_name)
        exec(_of_no_file(code), module.__dict__)  # noqa: S102
    sys.modules[name] = ModuleType(name)


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
