"""The stand-in that a test has for a value of the candidate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from pytest_rewardkit.datasets.testcode.guest.digests import digest
from pytest_rewardkit.datasets.testcode.guest.handing import SENT_TYPE, Sender, Unsendable
from pytest_rewardkit.scorers.guest.codec_decoder import decode
from pytest_rewardkit.scorers.guest.codec_encoder import encode
from pytest_rewardkit.scorers.guest.codec_objects import Opaque, TooLargeError

if TYPE_CHECKING:
    from collections.abc import Callable

LARGE_KINDS = {kind.__name__: kind for kind in (str, bytes, int, list, tuple, dict, set, frozenset)}


class Asker(Protocol):
    """Accepts operations."""

    def ask(self, operation: dict[str, Any], shown: str, handed: Handed | None = None) -> Any:
        """Returns the value of an operation on the candidate, or a proxy; raises what the candidate raised.

        Parameters:
            handed: the test's own values passed to the operation, which take over the operation's changes to them.
        """
        ...


class UnknownValue(Exception):  # noqa: N818 - it names a state
    """The test used a value that is not known yet."""


class CannotBeSent(BaseException):
    """The test passes the candidate something that cannot leave the test's process."""


class CandidateFailed(Exception):  # noqa: N818 - it names a state
    """The candidate raised an exception class of its own, or ran out of time."""


class Handed(NamedTuple):
    """The arguments of a call, in the test's process."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]


class ProxyState(NamedTuple):
    asker: Asker
    number: int
    shown: str
    known: bool
    digest: str | None
    of: type | None


_SAID: dict[str, Callable[[Any], Any]] = {
    "list": list,
    "len": len,
    "str": str,
    "bool": bool,
    "itself": lambda value: value,
}


class Proxy:
    """The stand-in that a test has for a value of the candidate.

    Whether or not its value is known, it can be called, and its attributes can be read and set: these become
    operations. Every other use needs the value. If the value is not known yet, the test cannot continue; a large value
    is compared by its digest first.
    """

    def __init__(
        self,
        asker: Asker,
        number: int,
        shown: str,
        *,
        known: bool,
        digest: str | None = None,
        of: type | None = None,
    ) -> None:
        state = ProxyState(asker, number, shown, known, digest, of)
        object.__setattr__(self, "_proxy_state", state)

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return object.__getattribute__(self, "_proxy_state").of or Proxy

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        state = self._proxy_state
        arguments, keywords = _encoded(list(args)), _encoded(kwargs)
        listed = ", ".join([*map(short, args), *(f"{name}={short(item)}" for name, item in kwargs.items())])
        operation = {"do": "call", "of": state.number, "args": arguments, "kwargs": keywords}
        return state.asker.ask(operation, f"{state.shown}({listed})"[:400], Handed(args, kwargs))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        state = self._proxy_state
        return state.asker.ask({"do": "get", "of": state.number, "name": name}, f"{state.shown}.{name}")

    def __setattr__(self, name: str, value: Any) -> None:
        state = self._proxy_state
        operation = {"do": "set", "of": state.number, "name": name, "value": _encoded(value)}
        state.asker.ask(operation, f"{state.shown}.{name} = {short(value)}")

    def __value(self, do: str) -> Any:
        """The candidate process's answer for it; for a large value, the value itself."""
        state = self._proxy_state
        if not state.known:
            raise UnknownValue
        if state.digest is not None:
            whole = state.asker.ask({"do": "whole", "of": state.number}, state.shown)
            if type(whole) is Proxy:
                raise CandidateFailed(f"{state.shown} is too large")
            return _SAID[do](whole)
        return self if do == "itself" else state.asker.ask({"do": do, "of": state.number}, f"{do}({state.shown})")

    def __iter__(self) -> Any:
        return iter(self.__items())

    def __items(self) -> list[Any]:
        items = self.__value("list")
        if type(items) is Proxy:
            raise CandidateFailed(f"what is in {self._proxy_state.shown} cannot be taken out of the sandbox")
        return list(items)

    def __reversed__(self) -> Any:
        return reversed(self.__items())  # ignores the length that the candidate reports

    def __len__(self) -> int:
        return int(self.__value("len"))

    def __bool__(self) -> bool:
        return bool(self.__value("bool"))

    def __str__(self) -> str:
        return str(self.__value("str"))

    def __repr__(self) -> str:
        return str(self._proxy_state.number)  # the encoded text names it to the candidate's side

    def __getitem__(self, key: Any) -> Any:
        value = self.__value("itself")
        return (value if value is not self else self.__items())[key]

    def __contains__(self, item: Any) -> bool:
        return item in self.__items()

    def __eq__(self, other: object) -> bool:
        state = self._proxy_state
        if state.known and state.digest is not None and digest(other) == state.digest:
            return True
        value = self.__value("itself")
        # A candidate's own object is equal only to itself: its `__eq__` is not called.
        return value is other if value is self else bool(value == other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        self.__value("itself")
        return id(self)


def _forward(name: str) -> Any:
    def method(self: Proxy, *others: Any) -> Any:
        value = self._Proxy__value("itself")
        if value is self:
            raise TypeError(f"an object of the candidate's does not take part in {name.strip('_')}")
        return getattr(value, name)(*others)

    return method


for _name in (
    *("lt", "le", "gt", "ge", "add", "radd", "sub", "rsub", "mul", "rmul", "truediv", "rtruediv", "floordiv", "mod"),
    *("pow", "rpow", "neg", "pos", "abs", "int", "float", "complex", "index", "round", "and", "or", "xor", "rfloordiv"),
):
    setattr(Proxy, f"__{_name}__", _forward(f"__{_name}__"))


def _encoded(value: Any) -> Any:
    try:
        data = Sender(encode).encoded(value)
    except TooLargeError:
        raise CannotBeSent("the test gives the candidate a value too large to leave the test's process") from None
    except Unsendable as error:
        raise CannotBeSent(f"the test gives the candidate a {error}, which cannot leave the test's process") from None
    if foreign := _foreign(decode(data)):
        raise CannotBeSent(f"the test gives the candidate a {foreign}, which cannot leave the test's process")
    return data


def _foreign(value: Any) -> str | None:
    """The type of the first object in a value that is neither plain data nor a proxy."""
    if isinstance(value, Opaque):
        return None if value.type_name in (_OWN_TYPE, SENT_TYPE) else value.type_name
    if isinstance(value, dict):
        value = [*value.keys(), *value.values()]
    if isinstance(value, list | tuple | set | frozenset):
        return next((found for item in value if (found := _foreign(item))), None)
    return None


_OWN_TYPE = f"{Proxy.__module__}.{Proxy.__qualname__}"


def short(value: Any) -> str:
    """Returns a value in the form that failure messages show."""
    if type(value) is Proxy:
        return str(value._proxy_state.shown)
    try:
        text = repr(value)
    except Exception:
        text = f"<{type(value).__name__}>"
    return text if len(text) <= 200 else f"{text[:150]}...{text[-40:]}"
