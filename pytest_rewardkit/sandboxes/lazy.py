"""A sandbox that is created on first use, so that it does not wait idle while a slow model answers.

A sandbox created without the SDK (nearby_sandbox.py) becomes the SDK's object when something needs that.
"""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

from pytest_rewardkit.sandboxes.lifetime import share_life
from pytest_rewardkit.sandboxes.nearby_sandbox import NearbySandbox

if TYPE_CHECKING:
    from collections.abc import Callable

    from e2b_code_interpreter import Sandbox

    Made: TypeAlias = Sandbox | NearbySandbox


_PUT_OFF: Final = "_LazySandbox__put_off"


class LazySandbox:
    """Becomes the SDK's `Sandbox` when any attribute of it is used.

    Parameters:
        create: makes the sandbox.
        discard: ends a created one, so that another may take its place.
    """

    stands_for = "Sandbox"

    def __init__(self, create: Callable[[], Any], discard: Callable[[Any], object]) -> None:
        self.__create = create
        self.__discard = discard
        self.__lock = threading.Lock()
        self.__made: Made | None = None
        self.__put_off: list[Callable[[], object]] = []

    def __getattribute__(self, name: str) -> Any:
        if name == "__class__":
            # Code that checks for the SDK's class has already loaded the SDK.
            sdk, kind = sys.modules.get("e2b_code_interpreter"), type(self)
            return kind if sdk is None else getattr(sdk, kind.stands_for)
        # Python, pytest and debuggers look up these names on their own; that is not a use of the sandbox.
        if name.startswith(("__", "_LazySandbox__")):
            return object.__getattribute__(self, name)
        __tracebackhide__ = True
        with self.__lock:
            if issubclass(type(self), LazySandbox):
                made = self.__found()
                opened = made.opened() if isinstance(made, NearbySandbox) else made
                self.__dict__.update(vars(opened))
                object.__setattr__(self, "__class__", type(opened))
        catch_up(self)
        return getattr(self, name)

    def __nearby(self) -> NearbySandbox | None:
        __tracebackhide__ = True
        with self.__lock:
            made = self.__found() if type(self) is LazySandbox else None
        return made if isinstance(made, NearbySandbox) else None

    def __found(self) -> Made:
        __tracebackhide__ = True
        if self.__made is None:
            self.__made = self.__create()
            if isinstance(self.__made, NearbySandbox):
                share_life(self, self.__made.life)
        return self.__made


class LazyAsyncSandbox(LazySandbox):
    """Becomes the SDK's `AsyncSandbox`; the first use blocks its thread until then."""

    stands_for = "AsyncSandbox"


def lazily(create: Callable[[], Made], discard: Callable[[Any], object]) -> Sandbox:
    """Return a sandbox that `create` makes on first use; `discard` receives what it has made."""
    return cast("Sandbox", LazySandbox(create, discard))


def is_lazy(sandbox: object) -> bool:
    """Whether no attribute of a sandbox has been used that only the SDK's object has."""
    return type(sandbox) is LazySandbox


def is_unused(sandbox: object) -> bool:
    """Whether a sandbox has not been created yet."""
    return is_lazy(sandbox) and vars(sandbox)["_LazySandbox__made"] is None


def nearby_sandbox(sandbox: object) -> NearbySandbox | None:
    """Return the SDK-free form of a sandbox, and create it if needed; None if the sandbox is the SDK's object."""
    __tracebackhide__ = True
    known = object.__getattribute__(sandbox, "_LazySandbox__nearby")() if is_lazy(sandbox) else None
    return cast("NearbySandbox | None", known)


def put_off(sandbox: object, act: Callable[[], object]) -> bool:
    """Postpone `act` until a sandbox is used again, and drop it if the sandbox ends first; return whether that works.

    It does not work if other code holds the SDK's object, because its uses are not visible here.
    """
    if is_lazy(sandbox):
        vars(sandbox)[_PUT_OFF].append(act)
    return is_lazy(sandbox)


def catch_up(sandbox: object) -> None:
    """Do what was postponed."""
    own: dict[str, Any] = getattr(sandbox, "__dict__", {})
    if acts := own.get(_PUT_OFF):
        own[_PUT_OFF] = []
        for act in acts:
            act()


def renewed(sandbox: Sandbox) -> bool:
    """Turn a lost sandbox into one that has not been created yet. Returns whether it had been created."""
    if is_unused(sandbox):
        return False
    own = vars(sandbox)
    create, discard, made = (own[f"_LazySandbox__{name}"] for name in ("create", "discard", "made"))
    discard(made)
    own.clear()
    object.__setattr__(sandbox, "__class__", LazySandbox)
    LazySandbox.__init__(cast("LazySandbox", sandbox), create, discard)
    return True


def opened(sandbox: Sandbox) -> Sandbox:
    """Turn a sandbox into the SDK's object at once; return it."""
    assert sandbox.sandbox_id
    return sandbox


def end(sandbox: Sandbox) -> None:
    """End a sandbox; a lazy one that was never created needs no end."""
    own = vars(sandbox)
    if (made := own.get("_LazySandbox__made")) is not None:
        own["_LazySandbox__discard"](made)
    elif not is_lazy(sandbox):
        sandbox.kill()
