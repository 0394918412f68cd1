"""A server that answers the SDK's calls with constants, at once or late, to measure the cost of the SDK itself."""

from __future__ import annotations

import json
import multiprocessing
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

SANDBOX = {
    "templateID": "base",
    "sandboxID": "istub0000000000000000",
    "clientID": "stub",
    "envdVersion": "0.6.13",
    "envdAccessToken": "stub",
    "domain": None,
}
EXECUTION = (
    {"type": "number_of_executions", "execution_count": 1},
    {"type": "result", "text": "2", "is_main_result": True, "extra": {}},
    {"type": "end_of_execution"},
)


class _Server(ThreadingHTTPServer):
    request_queue_size = 1024  # many simultaneous clients must wait, not be refused


class _Stub(BaseHTTPRequestHandler):
    create_seconds = 0.0
    other_seconds = 0.0
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path.endswith("/execute"):
            time.sleep(self.other_seconds)
            self._answer(200, b"".join(json.dumps(line).encode() + b"\n" for line in EXECUTION))
        else:
            time.sleep(self.create_seconds)
            self._answer(201, json.dumps(SANDBOX).encode())

    def do_DELETE(self) -> None:
        time.sleep(self.other_seconds)
        self._answer(204, b"")

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 -- the base class's name
        pass


def _serve(connection: Any, create_seconds: float, other_seconds: float) -> None:
    handler = type("_Late", (_Stub,), {"create_seconds": create_seconds, "other_seconds": other_seconds})
    server = _Server(("127.0.0.1", 0), handler)
    connection.send(server.server_port)
    server.serve_forever()


@contextmanager
def stub_server(create_seconds: float = 0.0, other_seconds: float = 0.0) -> Iterator[dict[str, str]]:
    """A stub in its own process, which answers after these seconds; yields the variables that point the SDK to it."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, create_seconds, other_seconds), daemon=True)
    process.start()
    try:
        address = f"http://127.0.0.1:{ours.recv()}"
        yield {"E2B_API_KEY": "stub", "E2B_API_URL": address, "E2B_SANDBOX_URL": address}
    finally:
        process.kill()
        process.join()
