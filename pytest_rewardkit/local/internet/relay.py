"""One sandbox's connections to the internet.

In a sandbox's network every address is its own loopback (`guest/network.py`). The relay listens there. For each
connection it opens another one from outside, to the very address that the sandbox connected to, if that is allowed. It
reads bytes from one side as fast as the other takes them. Nothing else leads out of a sandbox.
"""

from __future__ import annotations

import asyncio
import resource
import socket
import struct
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.local.errors import GuestGoneError
from pytest_rewardkit.local.internet import addresses, names

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from pytest_rewardkit.local.internet.rules import NetworkRules
    from pytest_rewardkit.local.server.guest_proxy import GuestProxy

PORTS: Final = (22, 80, 443)
"""The ports whose connections are passed on. They are below 1024, so no candidate can listen there."""

MAX_CONNECTIONS: Final = 64
"""How many connections a sandbox may have at once. Another one waits until one ends."""

MAX_QUERIES: Final = 64
"""How many DNS queries a sandbox may have at once. Another one is lost."""

_ANY_ADDRESS: Final = "0.0.0.0"  # noqa: S104
_BACKLOG: Final = 128
_BUFFER_BYTES: Final = 64 * 2**10
_CONNECT_SECONDS: Final = 30.0
_RETRY_SECONDS: Final = 1.0
_MAX_FOUND: Final = 1024
_MAX_SLOTS: Final = 2048
_DESCRIPTORS_A_SLOT: Final = 2
# struct linger: closing discards unsent data, and tells the other side so.
_RESETTING: Final = struct.pack("ii", 1, 0)


class Capacity:
    """Resources that the relays of a server share.

    Attributes:
        slots: each connection and each query takes one, and never waits for one. They take at most half of the files
            that the server may have open, so that the server keeps the rest.
        turn: a task that passes bytes on waits for it, so that the server's loop has time for other work in between.
    """

    def __init__(self) -> None:
        open_files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.slots = asyncio.Semaphore(min(_MAX_SLOTS, open_files // 2 // _DESCRIPTORS_A_SLOT))
        self.turn = asyncio.Lock()


class Relay:
    """Passes a sandbox's connections on, according to its rules.

    Parameters:
        guest: the sandbox's guest; the relay ends with it.
        capacity: the server's capacity.
    """

    def __init__(self, guest: GuestProxy, capacity: Capacity) -> None:
        self._guest = guest
        self._capacity = capacity
        self._own_slots = asyncio.Semaphore(MAX_CONNECTIONS)
        self._rules: NetworkRules | None = None
        self._listening = False
        self._queries = 0
        self._connections: dict[asyncio.Task[None], IPv4Address] = {}
        self._found: dict[tuple[str, IPv4Address], None] = {}

    async def apply(self, rules: NetworkRules | None) -> None:
        """Apply rules to the sandbox's connections from now on; connections that they do not allow are cut.

        Parameters:
            rules: the rules; None for no internet.

        Raises:
            GuestError: the sandbox has no network of its own.
            GuestGoneError: the sandbox is gone.
            OSError: the server may not listen there.
        """
        self._rules = rules
        for task, address in self._connections.items():
            if not self._allows(address):
                task.cancel()
        if rules is not None and not self._listening:
            self._listening = True
            await self._listen()

    async def _listen(self) -> None:
        ports = (names.PORT, *PORTS)
        datagrams, *listeners = await asyncio.gather(
            self._guest.open_datagram_socket(), *(self._guest.open_socket() for _ in ports)
        )
        if self._guest.closed:
            raise GuestGoneError("the sandbox is gone")  # its end would not stop tasks that began now
        datagrams.setblocking(False)
        datagrams.bind((_ANY_ADDRESS, names.PORT))
        self._guest.background(self._take_queries(datagrams))
        for port, listener in zip(ports, listeners, strict=True):
            listener.setblocking(False)
            listener.bind((_ANY_ADDRESS, port))
            listener.listen(_BACKLOG)
            self._guest.background(self._accept(listener, self._answer if port == names.PORT else self._pass_on))

    async def _accept(
        self, listener: socket.socket, serve: Callable[[socket.socket], Coroutine[None, None, None]]
    ) -> None:
        with listener:
            while True:
                await self._own_slots.acquire()
                try:
                    inside, _ = await asyncio.get_running_loop().sock_accept(listener)
                except OSError:
                    # At present the server has as many open files as it may have.
                    self._own_slots.release()
                    await asyncio.sleep(_RETRY_SECONDS)
                    continue
                self._guest.background(self._serve(inside, serve))

    async def _serve(
        self, inside: socket.socket, serve: Callable[[socket.socket], Coroutine[None, None, None]]
    ) -> None:
        try:
            with inside:
                inside.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESETTING)
                if self._rules is None or self._capacity.slots.locked():
                    return
                async with self._capacity.slots:
                    await serve(inside)
                inside.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, bytes(len(_RESETTING)))
        except* OSError:
            pass  # the sandbox sees its connection reset
        finally:
            self._own_slots.release()

    async def _answer(self, inside: socket.socket) -> None:
        await names.serve_stream(inside, self._may_ask)

    async def _pass_on(self, inside: socket.socket) -> None:
        host, port = inside.getsockname()
        address = IPv4Address(host)
        if not self._allows(address):
            raise PermissionError(f"{address} is not for sandboxes")
        task = asyncio.current_task()
        assert task is not None
        self._connections[task] = address
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as outside:
                async with asyncio.timeout(_CONNECT_SECONDS):
                    await asyncio.get_running_loop().sock_connect(outside, (host, port))
                await self._exchange(inside, outside)
        finally:
            del self._connections[task]

    async def _exchange(self, inside: socket.socket, outside: socket.socket) -> None:
        """Pass bytes on in both directions until both sides have ended.

        Raises:
            ExceptionGroup: of OSError; one side broke the connection.
        """
        async with asyncio.TaskGroup() as ways:
            ways.create_task(self._copy(inside, outside))
            ways.create_task(self._copy(outside, inside))

    async def _copy(self, source: socket.socket, target: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        buffer = memoryview(bytearray(_BUFFER_BYTES))
        while count := await loop.sock_recv_into(source, buffer):
            async with self._capacity.turn:
                await asyncio.sleep(0)  # one buffer in each round of the loop
            await loop.sock_sendall(target, buffer[:count])
        target.shutdown(socket.SHUT_WR)

    def _allows(self, address: IPv4Address) -> bool:
        rules = self._rules
        if rules is None or not addresses.is_public(address) or not addresses.leads_outside(address):
            return False
        return rules.allow_address(address) or any(
            address == found and rules.allow_name(name) for name, found in self._found
        )

    def _may_ask(self, name: str) -> bool:
        return self._rules is not None and self._rules.allow_question(name)

    async def _take_queries(self, datagrams: socket.socket) -> None:
        with datagrams:
            while True:
                query, client = await asyncio.get_running_loop().sock_recvfrom(datagrams, names.MAX_DATAGRAM_BYTES)
                await asyncio.sleep(0)  # if more queries wait already, other tasks would not get their turn
                if self._queries < MAX_QUERIES and not self._capacity.slots.locked():
                    self._queries += 1
                    self._guest.background(self._answer_query(datagrams, query, client))

    async def _answer_query(self, datagrams: socket.socket, query: bytes, client: tuple[str, int]) -> None:
        try:
            async with self._capacity.slots:
                reply = await names.answer(query, socket.SOCK_DGRAM, self._may_ask)
            if reply is not None:
                self._remember(reply)
                await asyncio.get_running_loop().sock_sendto(datagrams, reply, client)
        except OSError:
            pass  # the client has gone; if not, it asks again
        finally:
            self._queries -= 1

    def _remember(self, reply: bytes) -> None:
        """Keep the addresses of allowed names."""
        try:
            name, found = names.found_addresses(reply)
        except ValueError:
            return
        if self._rules is not None and self._rules.allow_name(name):
            self._found.update(dict.fromkeys((name, address) for address in found))
            while len(self._found) > _MAX_FOUND:
                del self._found[next(iter(self._found))]
