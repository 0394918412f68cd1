"""Brings guest code into a sandbox that may not have this package: with each call, or as files.

A sandbox of a local server has most of it from the start (local/prepared.py), and nothing is sent.

Guest modules need only the standard library and refer to each other by ``from package.module import name``. Such an
import needs only the module itself, which is there under its full name.
"""

from __future__ import annotations

import binascii
import inspect
import marshal
import sys
import zlib
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from pytest_rewardkit.sandboxes.direct import GuestFunction
from pytest_rewardkit.sandboxes.nearby import UNPREPARED, prepared_mark
from pytest_rewardkit.scorers.guest import codec_decoder, codec_encoder, codec_libraries, codec_objects, unpacking

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import ModuleType

    from pytest_rewardkit.scorers.running.cell import Cell
    from pytest_rewardkit.scorers.running.interpreter import Interpreter

CODEC: Final = (codec_objects, codec_libraries, codec_encoder, codec_decoder)
"""Modules that carry values into and out of a sandbox."""

NAMES: Final = "(lambda: 0).__globals__"
"""The source of an argument: the names of the cell, which are the candidate's."""


def call(
    interpreter: Interpreter, modules: tuple[ModuleType, ...], function: str, *arguments: str, limit: float
) -> Cell:
    """Call a function of guest code in an interpreter, sending along whatever code that does not have yet.

    The cell looks up no name that a candidate may have redefined. The candidate can reach the modules, and must gain
    nothing by that.

    Parameters:
        modules: the code, each module after those that it imports; the last one has the function.
        arguments: the source of each argument.
        limit: seconds until the cell is ended, with the interpreter.

    Returns the cell, whose value is the text of the function's result. Raises SandboxUnavailable.
    """
    called = f"modules[{modules[-1].__name__!r}].{function}({', '.join(arguments)})"
    missing = tuple(module for module in modules if module not in interpreter.guest_modules)
    mark = prepared_mark(interpreter.sandbox, [module.__name__ for module in missing]) if missing else ""
    if mark:
        cell = _run(interpreter, _if_prepared(called, mark), missing, limit)
        if cell.value != UNPREPARED:
            return cell
    return _run(interpreter, f"({_loading(missing)}, {called})[-1]" if missing else called, missing, limit)


def call_plainly(
    interpreter: Interpreter, modules: tuple[ModuleType, ...], function: str, *values: Any, limit: float
) -> Cell:
    """Like `call`, with plain values; asks an interpreter of ours for the function directly, without a cell."""
    sources, last = list(map(repr, values)), modules[-1].__name__
    mark = prepared_mark(interpreter.sandbox, [module.__name__ for module in modules])
    if mark:
        code = _cell(_if_prepared(f"modules[{last!r}].{function}({', '.join(sources)})", mark))
        cell = interpreter.call(GuestFunction(mark, last, function, values, code), limit=limit)
        if cell.value != UNPREPARED:
            if interpreter.alive:
                interpreter.guest_modules.update(modules)
            return cell
    return call(interpreter, modules, function, *sources, limit=limit)


def _if_prepared(expression: str, mark: str) -> str:
    return f"{expression} if {mark!r} in modules else {UNPREPARED!r}"


def _cell(expression: str) -> str:
    names = "(lambda: 0).__builtins__, (lambda: 0).__builtins__['__import__']('sys').modules"
    return f"(lambda builtins, modules: {expression})({names})"


def _run(interpreter: Interpreter, expression: str, modules: tuple[ModuleType, ...], limit: float) -> Cell:
    """Run a cell; if the interpreter outlives it, the interpreter has these modules."""
    cell = interpreter.run(_cell(expression), limit=limit)
    if interpreter.alive and cell.value != UNPREPARED:
        interpreter.guest_modules.update(modules)
    return cell


def as_files(modules: Iterable[ModuleType]) -> dict[str, str]:
    """Return the files of guest modules, by module name without the package."""
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
