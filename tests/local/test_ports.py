"""Ports of a sandbox, reached by host name and by headers."""

from __future__ import annotations

import http.client
import json
import urllib.parse
from typing import TYPE_CHECKING

import pytest
from e2b_code_interpreter import Sandbox
from processes import eventually

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_rewardkit.local.handle import LocalServer

SERVICE = """
import http.server, json
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        seen = {"method": self.command, "path": self.path, "headers": dict(self.headers), "body": body.decode()}
        if self.path == "/cut":
            self.send_response(200); self.send_header("Content-Length", "1000"); self.end_headers()
            self.wfile.write(b"short"); self.close_connection = True; return
        data = json.dumps(seen).encode()
        self.send_response(418, "Teapot"); self.send_header("X-Own", "yes")
        self.send_header("Content-Length", str(len(data))); self.end_headers(); self.wfile.write(data)
    do_GET = do_POST = do_PUT = answer
    def log_message(self, *arguments): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 8000), Handler)
print("ready", flush=True)
server.serve_forever()
"""


@pytest.fixture
def service(sandbox: Sandbox) -> Sandbox:
    """A sandbox in which a server listens on port 8000."""
    sandbox.files.write("service.py", SERVICE)
    for out, _, _ in sandbox.commands.run("python service.py", background=True):
        if out and "ready" in out:
            break
    return sandbox


def fetch(
    server: LocalServer, path: str, headers: Mapping[str, str], method: str = "GET", body: bytes | None = None
) -> tuple[int, http.client.HTTPMessage, bytes]:
    address = urllib.parse.urlsplit(server.environment()["E2B_SANDBOX_URL"])
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=30)
    try:
        connection.request(method, path, body, dict(headers))
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def by_header(sandbox: Sandbox, port: int = 8000) -> dict[str, str]:
    return {"E2b-Sandbox-Id": sandbox.sandbox_id, "E2b-Sandbox-Port": str(port)}


def test_a_port_by_headers(server: LocalServer, service: Sandbox) -> None:
    headers = {**by_header(service), "X-Mine": "kept", "Host": "any.example"}
    status, answered, body = fetch(server, "/a%20b?c=d&e=%2F", headers, "POST", "ü".encode())
    seen = json.loads(body)
    assert status == 418
    assert answered["X-Own"] == "yes"
    assert (seen["method"], seen["path"], seen["body"]) == ("POST", "/a%20b?c=d&e=%2F", "ü")
    assert (seen["headers"]["X-Mine"], seen["headers"]["Host"]) == ("kept", "any.example")
    assert not any(name.lower().startswith("e2b-") for name in seen["headers"])


def test_a_port_by_host_name(server: LocalServer, service: Sandbox) -> None:
    host = service.get_host(8000)
    assert host.startswith(f"8000-{service.sandbox_id}.localhost:")
    status, _, body = fetch(server, "/", {"Host": host})
    assert status == 418
    assert json.loads(body)["headers"]["Host"] == host


def test_a_body_without_a_length(server: LocalServer, service: Sandbox) -> None:
    address = urllib.parse.urlsplit(server.environment()["E2B_SANDBOX_URL"])
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=30)
    connection.request("PUT", "/", iter([b"in ", b"pieces"]), by_header(service), encode_chunked=True)
    assert connection.getresponse().status == 418
    connection.close()


def test_an_answer_that_is_cut_off_stays_cut_off(server: LocalServer, service: Sandbox) -> None:
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        fetch(server, "/cut", by_header(service))


def test_what_is_no_http_is_a_bad_gateway(server: LocalServer, sandbox: Sandbox) -> None:
    code = "import socket, threading\ns = socket.create_server(('127.0.0.1', 8001))\n"
    sandbox.run_code(
        f"{code}threading.Thread(target=lambda: s.accept()[0].sendall(b'garbage\\n' * 9), daemon=True).start()"
    )
    status, _, body = fetch(server, "/", by_header(sandbox, 8001))
    assert (status, json.loads(body)["code"]) == (502, 502)


def test_sandboxes_have_ports_of_their_own(server: LocalServer, service: Sandbox, address: dict[str, str]) -> None:
    with Sandbox.create(**address) as other:
        assert fetch(server, "/", by_header(other))[0] == 502
        other.commands.run("mkdir empty && python -m http.server -d empty 8000", background=True)
        assert eventually(lambda: fetch(server, "/", by_header(other))[0] == 200)
    assert fetch(server, "/", by_header(service))[0] == 418


def test_the_server_s_own_ports_cannot_be_reached(server: LocalServer, sandbox: Sandbox) -> None:
    for name in ("E2B_API_URL", "E2B_SANDBOX_URL"):
        port = urllib.parse.urlsplit(server.environment()[name]).port or 0
        assert fetch(server, "/health", by_header(sandbox, port))[0] == 502


def test_ports_that_are_not_open_to_everybody(server: LocalServer, address: dict[str, str]) -> None:
    with Sandbox.create(network={"allow_public_traffic": False}, **address) as sandbox:
        sandbox.commands.run("mkdir empty && python -m http.server -d empty 8000", background=True)
        token = {"E2B-Traffic-Access-Token": sandbox.traffic_access_token or ""}
        assert eventually(lambda: fetch(server, "/", {**by_header(sandbox), **token})[0] == 200)
        assert fetch(server, "/", by_header(sandbox))[0] == 403
        assert fetch(server, "/", {**by_header(sandbox), "E2B-Traffic-Access-Token": "wrong"})[0] == 403
        assert sandbox.run_code("1 + 1").text == "2"


def test_other_protocols_are_refused_by_name(server: LocalServer, service: Sandbox) -> None:
    upgrade = {**by_header(service), "Connection": "Upgrade", "Upgrade": "websocket"}
    status, _, body = fetch(server, "/", upgrade)
    assert (status, "other protocols than HTTP" in json.loads(body)["message"]) == (501, True)
