"""A proxy between an SDK and a server that breaks chosen answers: cut, stuck, refused or garbled at chosen points.

It forwards one request per connection, so that breaking one request harms no other.
"""

from __future__ import annotations

import re
import socket
import struct
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

_HEAD_END = b"\r\n\r\n"
_RESET = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Fault:
    """A fault that the proxy applies to requests.

    Parameters:
        what: `cut` (the connection is reset), `close` (it is closed), `hang` (nothing more comes), or `answer`.
        method, path: of the affected requests; the path is a regular expression for its beginning.
        after: how much of the real answer is forwarded first: None for nothing, and the server does not even see the
            request; 0 for the head; more for that many bytes of the body.
        answer: the replacement answer for `answer`; see `answered`.
        times: how often the fault applies; None for always.
        seen: how many such requests pass unharmed first.
    """

    what: str
    path: str
    method: str = "(GET|POST|DELETE)"
    after: int | None = None
    answer: bytes = b""
    times: int | None = None
    seen: int = 0


def answered(status: int, body: str = "no", *headers: str) -> bytes:
    """The bytes of an answer."""
    lines = [f"HTTP/1.1 {status} Sorry", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


class FaultyProxy:
    """A proxy on loopback. A context manager.

    Parameters:
        port: the server's port.
    """

    def __init__(self, port: int) -> None:
        self._target = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self._fault: Fault | None = None
        self._met = 0
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._over = threading.Event()

    @property
    def met(self) -> int:
        """How many requests matched the fault."""
        return self._met

    @property
    def hits(self) -> int:
        """How many requests the fault was applied to."""
        return max(self._met - (self._fault.seen if self._fault else 0), 0)

    def spoil(self, fault: Fault | None) -> None:
        """Apply this fault from now on."""
        with self._lock:
            self._fault, self._met = fault, 0

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._over.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for sock in self._open:
                with suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with self._lock:
            self._open.add(client)
        try:
            with client, suppress(OSError):
                self._pass_on(client)
        finally:
            with self._lock:
                self._open.discard(client)

    def _pass_on(self, client: socket.socket) -> None:
        request = b""
        while _HEAD_END not in request:
            data = client.recv(65536)
            if not data:
                return
            request += data
        fault = self._fault_of(request)
        if fault is not None and fault.after is None:
            self._spoil(client, fault)
            return
        head, _, body = request.partition(_HEAD_END)
        head = re.sub(rb"(?im)^connection:.*\r\n", b"", head + b"\r\n") + b"Connection: close"
        with socket.create_connection(self._target) as server:
            server.sendall(head + _HEAD_END + body)
            threading.Thread(target=_pump, args=(client, server), daemon=True).start()
            if fault is None:
                _pump(server, client)
            else:
                self._pass_part(server, client, fault)

    def _pass_part(self, server: socket.socket, client: socket.socket, fault: Fault) -> None:
        answer = b""
        while (position := answer.find(_HEAD_END)) < 0 or len(answer) < position + 4 + (fault.after or 0):
            data = server.recv(65536)
            if not data:
                break
            answer += data
        client.sendall(answer[: answer.find(_HEAD_END) + 4 + (fault.after or 0)])
        self._spoil(client, fault)

    def _spoil(self, client: socket.socket, fault: Fault) -> None:
        if fault.what == "hang":
            self._over.wait()
        elif fault.what == "answer":
            client.sendall(fault.answer)
            client.shutdown(socket.SHUT_WR)
            while client.recv(65536):
                pass  # otherwise the rest of the request would turn the close into a reset
        elif fault.what == "cut":
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            client.shutdown(socket.SHUT_RD)  # a reader would keep it open
        else:
            assert fault.what == "close", fault
            client.shutdown(socket.SHUT_RDWR)

    def _fault_of(self, request: bytes) -> Fault | None:
        method, path, *_ = request.decode("latin-1").split(" ", 2)
        with self._lock:
            fault = self._fault
            if fault is None or not re.fullmatch(fault.method, method) or not re.match(fault.path, path):
                return None
            self._met += 1
            if self._met <= fault.seen or (fault.times is not None and self._met > fault.seen + fault.times):
                return None
            return fault


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
