"""Runs a candidate's source in the sandbox, with top-level `await` and with lines that only notebooks have.

The source of this module is sent into sandboxes, so it needs only the standard library.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager, suppress

TYPING = False
if TYPING:
    from collections.abc import Callable, Iterator  # noqa: TC003 - `typing` costs each program time
    from types import CodeType  # noqa: TC003
    from typing import Any

NAME = "candidate.py"
"""The file that tracebacks name."""

MAX_DEPTH = 2**31 - 1
"""The highest recursion limit."""

AWAITS = 0x80 | 0x200
"""Flags of code that must be awaited: of a coroutine, of an asynchronous generator."""


class Program:
    """Compiled source.

    Parameters:
        codes: what to run, one after the other.
        has_value: whether the last of them is an expression.
    """

    def __init__(self, codes: list[CodeType], has_value: bool) -> None:
        self.codes = codes
        self.has_value = has_value

    def run(self, names: dict[str, Any]) -> Any:
        """Run it with the names `names`, and return the value of the last expression."""
        if any(code.co_flags & AWAITS for code in self.codes):
            import asyncio

            return asyncio.run(self._awaited(names))
        value = None
        for code in self.codes:
            value = eval(code, names)  # noqa: S307 - this is what a sandbox is for
        return value

    async def _awaited(self, names: dict[str, Any]) -> Any:
        value = None
        for code in self.codes:
            value = eval(code, names)  # noqa: S307
            if code.co_flags & AWAITS:
                value = await value
        return value


def compiled(source: str, name: str = NAME, shell: Callable[[], Any] | None = None) -> Program:
    """Return the program in `source`. Raises SyntaxError if it does not compile, for whatever reason.

    Parameters:
        shell: makes IPython's shell, which reads lines for the system's shell and magics; raises ImportError without
            IPython.
    """
    try:
        try:
            return _compiled(source, name)
        except SyntaxError:
            if shell is None or not any(map(_is_of_notebooks, source.splitlines())):
                raise
            with suppress(ImportError):
                source = shell().transform_cell(source)
            return _compiled(source, name)
    except (ValueError, OverflowError, RecursionError, MemoryError) as error:
        # Null bytes, lone surrogates, numbers too long to read, or too deep nesting.
        raise SyntaxError(str(error) or type(error).__name__) from None


def _compiled(source: str, name: str) -> Program:
    import ast
    import warnings

    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    with warnings.catch_warnings():
        # Warnings about doubtful code come below, not twice.
        warnings.simplefilter("ignore")
        tree = compile(source, name, "exec", flags | ast.PyCF_ONLY_AST, dont_inherit=True)
    last = tree.body[-1] if tree.body else None
    if not isinstance(last, ast.Expr):
        return Program([compile(tree, name, "exec", flags, dont_inherit=True)], has_value=False)
    statements = compile(ast.Module(tree.body[:-1], []), name, "exec", flags, dont_inherit=True)
    expression = compile(ast.Expression(last.value), name, "eval", flags, dont_inherit=True)
    return Program([statements, expression], has_value=True)


def _is_of_notebooks(line: str) -> bool:
    code = line.strip()
    return code[:1] in ("!", "%", "?") or code[-1:] == "?" or "= !" in code or "= %" in code


@contextmanager
def alone() -> Iterator[None]:
    """Hide the surrounding interpreter from the code inside: its running event loop, and its recursion depth."""
    # Python documents these underscored names for authors of asyncio extensions; no public name does the same.
    import asyncio

    limit = sys.getrecursionlimit()
    loop = asyncio._get_running_loop()
    task = asyncio.current_task(loop) if loop is not None else None
    if loop is not None and task is not None:
        asyncio.tasks._leave_task(loop, task)
    asyncio._set_running_loop(None)
    _forget_loop(asyncio)
    deeper = min(limit + _depth(), MAX_DEPTH)
    sys.setrecursionlimit(deeper)
    try:
        yield
    finally:
        if sys.getrecursionlimit() <= deeper:  # the code inside may have raised the limit for what follows
            sys.setrecursionlimit(limit)
        asyncio._set_running_loop(loop)
        if loop is not None:
            asyncio.set_event_loop(loop)  # `asyncio.run` leaves no loop
            if task is not None:
                asyncio.tasks._enter_task(loop, task)


def _forget_loop(asyncio: Any) -> None:
    """Let `asyncio.get_event_loop` act as in a new interpreter: make a loop or, from 3.14 on, raise."""
    if sys.version_info >= (3, 14):
        asyncio.set_event_loop(None)  # asking for the policy warns, an error if a candidate wants that
        return
    with suppress(AttributeError):
        local = asyncio.get_event_loop_policy()._local
        local._loop = None
        local._set_called = False


def _depth() -> int:
    depth, frame = 0, sys._getframe()
    while frame := frame.f_back:  # type: ignore[assignment]
        depth += 1
    return depth
