"""Has an interpreter tell what the figures show that a candidate makes in it."""

from __future__ import annotations

import inspect
import secrets
from functools import cache
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.scorers.guest import figures

if TYPE_CHECKING:
    from pytest_rewardkit.scorers.running.interpreter import Interpreter

_BEGINNING: Final = """\
(lambda builtins: (lambda module: (
    builtins['exec'](builtins['compile']({source!r}, '<rewardkit>', 'exec'), module.__dict__),
    builtins['__import__']('sys').modules.__setitem__({name!r}, module),
    module.install(),
) and None)(builtins['type'](builtins['__import__']('sys'))({name!r})))((lambda: 0).__builtins__)
"""
_UNSHOWN: Final = """\
(lambda builtins: builtins['type']('Unshown', (), {{
    '__repr__': lambda _: {nonce!r} + builtins['repr'](builtins['__import__']('sys').modules[{name!r}].Unshown())
}})())((lambda: 0).__builtins__)
"""


@cache
def _source() -> str:
    return inspect.getsource(figures)


def begin_reading(interpreter: Interpreter, *, limit: float) -> None:
    """Have each figure that is shown from now on carry a reading (figures.py). Raises SandboxUnavailable."""
    interpreter.run(_BEGINNING.format(source=_source(), name=figures.__name__), limit=limit)


def read_unshown(interpreter: Interpreter, *, limit: float) -> list[str]:
    """Return the readings of figures left open, since a backend such as Agg shows none. Raises SandboxUnavailable."""
    if not interpreter.alive:
        return []
    nonce = secrets.token_hex(16)
    value = interpreter.run(_UNSHOWN.format(nonce=nonce, name=figures.__name__), limit=limit).value
    return value.removeprefix(nonce).splitlines() if value is not None and value.startswith(nonce) else []
