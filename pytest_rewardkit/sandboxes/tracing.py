"""Notes each step with a sandbox's object: cells, commands and files."""

from __future__ import annotations

import inspect
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def traced(sandbox: Any, note: Callable[[str, str, str], None]) -> Iterator[None]:
    """Call `note` with the kind, the input and the outcome of each cell, command and file until the `with` block ends.

    Works for the SDK's `Sandbox` and `AsyncSandbox`; it shadows the methods of these objects for that time.
    """
    with ExitStack() as stack:
        for owner, method, kind, given in (
            (sandbox, "run_code", "cell", _first),
            (sandbox.commands, "run", "command", _first),
            (sandbox.files, "write", "file", _file),
        ):
            stack.enter_context(_shadowed(owner, method, _noting(getattr(owner, method), kind, given, note)))
        yield


@contextmanager
def _shadowed(owner: Any, name: str, value: Any) -> Iterator[None]:
    before = vars(owner).get(name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        if before is None:
            delattr(owner, name)
        else:
            setattr(owner, name, before)


def _noting(
    method: Any, kind: str, given: Callable[..., str], note: Callable[[str, str, str], None]
) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        what = given(*args, **kwargs)
        try:
            result = method(*args, **kwargs)
        except Exception as error:
            note(kind, what, _said(error))
            raise
        if inspect.isawaitable(result):
            return _awaited(result, what)
        note(kind, what, _outcome(result))
        return result

    async def _awaited(result: Any, what: str) -> Any:
        try:
            found = await result
        except Exception as error:
            note(kind, what, _said(error))
            raise
        note(kind, what, _outcome(found))
        return found

    return call


def _first(*args: Any, **kwargs: Any) -> str:
    return str(next(iter((*args, *kwargs.values())), ""))


def _file(*args: Any, **kwargs: Any) -> str:
    given = [*args, *(kwargs[name] for name in ("path", "data") if name in kwargs)]
    return "\n".join(item if isinstance(item, str) else f"({type(item).__name__})" for item in given[:2])


def _outcome(result: Any) -> str:
    """Return what a cell or a command gave; "" for a file."""
    logs = getattr(result, "logs", None)
    if logs is not None:
        error = getattr(result, "error", None)
        told = [*logs.stdout, *logs.stderr, getattr(result, "text", None), error and f"{error.name}: {error.value}"]
        return "\n".join(str(text).rstrip("\n") for text in told if text)
    texts = [getattr(result, name, None) for name in ("stdout", "stderr")]
    return "\n".join(text.rstrip("\n") for text in texts if isinstance(text, str) and text)


def _said(error: Exception) -> str:
    told = [getattr(error, name, None) for name in ("stdout", "stderr")]
    return "\n".join([*(text for text in told if isinstance(text, str) and text), f"{type(error).__name__}: {error}"])
