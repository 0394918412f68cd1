"""A sandbox that is created when it is first used: not before a slow model was asked what is to run in it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from e2b_code_interpreter import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable


class LazySandbox(Sandbox):  # type: ignore[misc]
    """One that becomes what `create` returns when anything of it is asked for.

    Parameters:
        create: makes the sandbox.
        discard: ends one that was made, so that another one may take its place.
    """

    def __init__(self, create: Callable[[], Sandbox], discard: Callable[[Sandbox], object]) -> None:
        # Nothing of the SDK's: whatever is asked for is the sandbox's.
        self.__create = create
        self.__discard = discard
        self.__lock = threading.Lock()

    def __getattribute__(self, name: str) -> Any:
        # What Python, pytest and debuggers look for by themselves is no use of it.
        if name.startswith(("__", "_LazySandbox__")):
            return object.__getattribute__(self, name)
        __tracebackhide__ = True
        with self.__lock:
            if type(self) is LazySandbox:
                made = self.__create()
                self.__dict__.update(vars(made))
                self.__class__ = type(made)
        return getattr(self, name)


def is_unused(sandbox: object) -> bool:
    """Whether a sandbox is one that has not been created yet."""
    return type(sandbox) is LazySandbox


def renewed(sandbox: Sandbox) -> bool:
    """Make of a sandbox that is lost one that has not been created yet. Returns whether it had been created at all."""
    if is_unused(sandbox):
        return False
    own = vars(sandbox)
    create, discard = own["_LazySandbox__create"], own["_LazySandbox__discard"]
    discard(sandbox)
    own.clear()
    sandbox.__class__ = LazySandbox
    LazySandbox.__init__(sandbox, create, discard)
    return True
