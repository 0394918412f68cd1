"""Guest code on its way into a sandbox, which need not have the package: with the call of it, or as files.

Guest modules need the standard library alone and name each other as ``from package.module import name``: such an import
asks for nothing but the module itself, which is there under its full name.
"""

from __future__ import annotations

import binascii
import inspect
import marshal
import sys
import zlib
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from pytest_rewardkit.scorers.guest import codec_decoder, codec_encoder, codec_libraries, codec_objects, unpacking

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import ModuleType

    from pytest_rewardkit.scorers.running.cell import Cell
    from pytest_rewardkit.scorers.running.interpreter import Interpreter

CODEC: Final = (codec_objects, codec_libraries, codec_encoder, codec_decoder)
"""What takes values over the border of a sandbox."""

NAMES: Final = "(lambda: 0).__globals__"
"""The source of an argument: the names of the cell, which are the candidate's."""


def call(
    interpreter: Interpreter, modules: tuple[ModuleType, ...], function: str, *arguments: str, limit: float
) -> Cell:
    """Call a function of guest code in an interpreter; what that does not have yet of the code is sent along.

    The cell looks up no name that a candidate may have given another meaning. The modules stay where the candidate can
    reach them, and must gain nothing by that.

    Parameters:
        modules: the code, each module after those that it imports; the last one has the function.
        arguments: the source of each.
        limit: seconds until the cell is ended, with the interpreter.

    Returns the cell, whose value is the text of what the function returns. Raises SandboxUnavailable.
    """
    called = f"builtins['__import__']('sys').modules[{modules[-1].__name__!r}].{function}({', '.join(arguments)})"
    if missing := tuple(module for module in modules if module not in interpreter.guest_modules):
        called = f"({_loading(missing)}, {called})[-1]"
    cell = interpreter.run(f"(lambda builtins: {called})((lambda: 0).__builtins__)", limit=limit)
    if interpreter.alive:
        interpreter.guest_modules.update(missing)
    return cell


def as_files(modules: Iterable[ModuleType]) -> dict[str, str]:
    """Return the files of guest modules, by their names without the packages'."""
    return {f"{module.__name__.rpartition('.')[2]}.py": source(module) for module in modules}


@cache
def source(module: ModuleType) -> str:
    """Return the source of a guest module."""
    return inspect.getsource(module)


@cache
def _loading(modules: tuple[ModuleType, ...]) -> str:
    """An expression that makes guest modules."""
    sources = [(module.__name__, source(module)) for module in modules]
    codes = [(name, compile(text, "<rewardkit>", "exec", dont_inherit=True)) for name, text in sources]
    packed = f"{sys.implementation.cache_tag!r}, {_packed(codes)!r}, {_packed(sources)!r}"
    loader = source(unpacking)
    return f"(lambda names: (builtins['exec']({loader!r}, names), names['unpack']({packed})))({{}})"


def _packed(value: Any) -> bytes:
    return binascii.b2a_base64(zlib.compress(marshal.dumps(value)), newline=False)
