"""A sandbox that is created when it is first used: not before a slow model was asked what is to run in it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from e2b_code_interpreter import AsyncSandbox, Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable


class _Lazy:
    """A sandbox that becomes what `create` returns when anything of it is asked for.

    Parameters:
        create: makes the sandbox.
        discard: ends one that was made, so that another one may take its place.
    """

    def __init__(self, create: Callable[[], Any], discard: Callable[[Any], object]) -> None:
        # Nothing of the SDK's: whatever is asked for is the sandbox's.
        self.__create = create
        self.__discard = discard
        self.__lock = threading.Lock()

    def __getattribute__(self, name: str) -> Any:
        # What Python, pytest and debuggers look for by themselves is no use of it.
        if name.startswith(("__", "_Lazy__")):
            return object.__getattribute__(self, name)
        __tracebackhide__ = True
        with self.__lock:
            if is_unused(self):
                made = self.__create()
                self.__dict__.update(vars(made))
                self.__class__ = type(made)
        return getattr(self, name)


class LazySandbox(_Lazy, Sandbox):  # type: ignore[misc]
    """A `Sandbox` that is created when it is first used."""


class LazyAsyncSandbox(_Lazy, AsyncSandbox):  # type: ignore[misc]
    """An `AsyncSandbox` that is; whoever uses it first waits for it with the thread, as the SDK's attributes do."""


def is_unused(sandbox: object) -> bool:
    """Whether a sandbox is one that has not been created yet."""
    return issubclass(type(sandbox), _Lazy)


def renewed(sandbox: Sandbox) -> bool:
    """Make of a sandbox that is lost one that has not been created yet. Returns whether it had been created at all."""
    if is_unused(sandbox):
        return False
    own = vars(sandbox)
    create, discard = own["_Lazy__create"], own["_Lazy__discard"]
    discard(sandbox)
    own.clear()
    sandbox.__class__ = LazySandbox
    LazySandbox.__init__(sandbox, create, discard)
    return True
