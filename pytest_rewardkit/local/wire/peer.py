"""Requests and answers over a channel to a guest, which may be hostile."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from pytest_rewardkit.local.errors import (
    ChannelError,
    Code,
    GuestError,
    GuestGoneError,
    GuestSilentError,
    UnansweredError,
)
from pytest_rewardkit.local.wire.async_channel import AsyncChannel
from pytest_rewardkit.local.wire.bounds import BOUNDS, bounded
from pytest_rewardkit.local.wire.frames import MAX_DESCRIPTORS, Frame

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator, Callable, Sequence

    from pytest_rewardkit.local.wire.share import Share

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class GuestAnswer:
    """The good answer to a request, with the descriptors that came with it."""

    fields: dict[str, Any]
    descriptors: tuple[int, ...] = ()

    def integer(self, name: str) -> int:
        """The field `name`, which must be a positive integer."""
        return positive_integer(self.fields, name)


@dataclass(slots=True)
class _Pending:
    future: asyncio.Future[Any]
    accept: Callable[[GuestAnswer], Any]


class Peer:
    """One end of a channel that carries requests one way, and answers and events the other.

    Parameters:
        sock: a connected UNIX socket; the peer owns it.
        on_event: called with each event; it may raise `ChannelError` if the event breaks the protocol.
        on_close: called once with the reason when the other side is gone; not after `close`.
        name: the other side's name in errors.
        patience: how many seconds `ask` waits for an answer.
        share: how much of the loop's time the other side may take; None for no limit.
    """

    def __init__(
        self,
        sock: socket.socket,
        on_event: Callable[[dict[str, Any]], None],
        on_close: Callable[[Exception | None], None],
        *,
        name: str = "the sandbox",
        patience: float = BOUNDS.request,
        share: Share | None = None,
    ) -> None:
        self._name = name
        self._patience = patience
        self._on_event = on_event
        self._on_close = on_close
        self._ids = itertools.count(1)
        self._pending: dict[int, _Pending] = {}
        self._channel = AsyncChannel(sock, self._receive, self._lost, max_descriptors=MAX_DESCRIPTORS, share=share)

    def request(
        self,
        operation: str,
        accept: Callable[[GuestAnswer], T],
        descriptors: Sequence[int] = (),
        **fields: Any,
    ) -> asyncio.Future[T]:
        """Send a request at once; the future gets the answer.

        Parameters:
            operation: the request's `op`.
            accept: turns the answer into the result. It is called as soon as the answer comes, before any later message
                is seen, and also if nobody waits any more. It owns the answer's descriptors, and raises `ChannelError`
                if the answer breaks the protocol.
            descriptors: sent along; the caller may close its own at once.
            fields: the request's other fields.

        Returns:
            A future of the result of `accept`. It fails with GuestError if the guest refused, and with GuestGoneError
            if the guest ended first.
        """
        number = next(self._ids)
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._pending[number] = _Pending(future, accept)
        try:
            self._channel.send({"op": operation, "id": number, **fields}, descriptors)
        except ValueError as error:
            self._pending.pop(number, None)
            future.set_exception(GuestError(Code.RESOURCE_EXHAUSTED, str(error)))
        except OSError as error:
            self._pending.pop(number, None)
            if not future.done():
                future.set_exception(GuestGoneError(str(error)))
        return future

    @property
    def closed(self) -> bool:
        """Whether the other side is gone."""
        return self._channel.closed

    async def ask(self, operation: str, accept: Callable[[GuestAnswer], T], **fields: Any) -> T:
        """Like `request`, but wait for the answer.

        Raises:
            GuestError: the guest refused, or does not answer.
            GuestGoneError: it ended first.
        """
        async with self.patience(operation):
            return await self.request(operation, accept, **fields)

    @contextlib.asynccontextmanager
    async def patience(self, operation: str) -> AsyncIterator[None]:
        """Limits the wait inside for an answer to `operation`. Raises GuestError if it takes too long."""
        try:
            async with bounded(self._patience, f"{self._name} did not answer {operation!r}"):
                yield
        except UnansweredError as error:
            raise GuestSilentError(error) from None

    def close(self) -> None:
        """Close the channel; callers that wait for an answer get `GuestGoneError`."""
        self._channel.close()
        self._abandon(None)

    def _receive(self, frame: Frame) -> None:
        message = frame.message
        if "id" not in message:
            frame.close()
            if not isinstance(message.get("event"), str):
                raise ChannelError("a message is neither an answer nor an event")
            self._on_event(message)
            return
        number = message["id"]
        pending = self._pending.pop(number, None) if isinstance(number, int) else None
        if pending is None:
            frame.close()
            raise ChannelError("an answer to nothing that was asked")
        self._settle(pending, frame)

    def _settle(self, pending: _Pending, frame: Frame) -> None:
        future = pending.future
        error = frame.message.get("error")
        fields = frame.message.get("ok")
        if isinstance(error, dict):
            frame.close()
            if not future.done():
                future.set_exception(GuestError(error.get("code"), error.get("message")))
            return
        try:
            if not isinstance(fields, dict):
                raise ChannelError("an answer has neither ok nor error")
            result = pending.accept(GuestAnswer(fields, frame.descriptors))
        except ChannelError:
            frame.close()
            if not future.done():
                future.set_exception(GuestGoneError("the guest broke the protocol"))
            raise
        if not future.done():
            future.set_result(result)

    def _lost(self, error: Exception | None) -> None:
        self._abandon(error)
        self._on_close(error)

    def _abandon(self, error: Exception | None) -> None:
        reason = f"{self._name} is gone" + (f": {error}" if error is not None else "")
        for pending in self._pending.values():
            if not pending.future.done():
                pending.future.set_exception(GuestGoneError(reason))
        self._pending.clear()


def positive_integer(message: dict[str, Any], name: str) -> int:
    """A field of a guest's message that must be a positive integer.

    Raises:
        ChannelError: it is something else.
    """
    value = message.get(name)
    if type(value) is not int or not 0 < value < 2**31:
        raise ChannelError(f"{name} must be a positive integer")
    return value
