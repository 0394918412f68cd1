"""Ports of a sandbox, reached by host name and by headers, over HTTP and WebSockets."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import socket
import struct
import urllib.parse
from typing import TYPE_CHECKING

import aiohttp
import pytest
from aiohttp import WSMsgType
from e2b_code_interpreter import Sandbox
from processes import PATIENCE_SECONDS, eventually, open_files
from servers import sdk_address
from yarl import URL

from pytest_rewardkit.local.api.websockets import MAX_MESSAGE_BYTES
from pytest_rewardkit.local.handle import LocalServer
from pytest_rewardkit.local.settings import ServerSettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

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


WEBSOCKETS = f"""
import json, pathlib
from aiohttp import WSMsgType, web
async def echo(request):
    if "refuse" in request.query:
        return web.Response(status=403, reason="Go Away", text="not you", headers={{"X-Own": "yes"}})
    if "moved" in request.query:
        return web.Response(status=302, headers={{"Location": "/elsewhere"}})
    socket = web.WebSocketResponse(protocols=["v2", "v1"], autoping=False, max_msg_size=0)
    await socket.prepare(request)
    async for message in socket:
        if message.data == "seen":
            await socket.send_json({{"path": request.raw_path, "headers": dict(request.headers)}})
        elif message.data == "close":
            await socket.close(code=4001, message="enough".encode())
        elif message.data == "cut":
            request.transport.abort()
        elif message.data == "too much":
            await socket.send_bytes(bytes({MAX_MESSAGE_BYTES}))
        else:
            data = message.data
            await socket.send_frame(data.encode() if message.type is WSMsgType.TEXT else data, message.type)
    pathlib.Path("closed").write_text(str(socket.close_code))
    return socket
application = web.Application()
application.router.add_get("/{{path:.*}}", echo)
web.run_app(application, host="127.0.0.1", port=8000, print=lambda _: print("ready", flush=True))
"""

# Answers on port 8000 after a client has sent a handshake, which is `key`; gets the rest of the connection.
RAW_SERVER = r"""
import base64, hashlib, re, socket, time
listener = socket.create_server(("127.0.0.1", 8000))
listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
print("ready", flush=True)
client, _ = listener.accept()
client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
client.settimeout(2)
handshake = b""
while b"\r\n\r\n" not in handshake:
    handshake += client.recv(4096)
key = re.search(rb"(?i)sec-websocket-key: *(.*)\r\n", handshake)
accept = base64.b64encode(hashlib.sha1(key[1] + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()) if key else b""
UPGRADE = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
OPEN = UPGRADE + accept + b"\r\n\r\n"
def flood(frame):
    client.sendall(OPEN)
    try:
        while True: client.sendall(frame * 10_000)
    except TimeoutError: open("nobody reads", "w").close()
"""


HANDSHAKE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "MDEyMzQ1Njc4OWFiY2RlZg==",
}


def serve(sandbox: Sandbox, program: str) -> None:
    """Starts a server on port 8000; returns once it listens."""
    sandbox.files.write("service.py", program)
    for out, err, _ in sandbox.commands.run("python service.py", background=True, timeout=0):
        if out and "ready" in out:
            return
        assert not err, err


@pytest.fixture
def service(sandbox: Sandbox) -> Sandbox:
    """A sandbox in which a server listens on port 8000."""
    serve(sandbox, SERVICE)
    return sandbox


@pytest.fixture
def websockets(sandbox: Sandbox) -> Sandbox:
    """A sandbox in which a WebSocket server listens on port 8000."""
    serve(sandbox, WEBSOCKETS)
    return sandbox


@contextlib.asynccontextmanager
async def opened(
    server: LocalServer,
    headers: Mapping[str, str],
    path: str = "/",
    protocols: tuple[str, ...] = (),
    *,
    autoping: bool = True,
) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """A WebSocket; at the end it is cut off, not closed."""
    url = URL(server.environment()["E2B_SANDBOX_URL"] + path, encoded=True)
    async with aiohttp.ClientSession() as session, asyncio.timeout(4 * PATIENCE_SECONDS):
        yield await session.ws_connect(
            url, headers=headers, protocols=protocols, autoping=autoping, autoclose=False, max_msg_size=0
        )


def handshaken(server: LocalServer, headers: Mapping[str, str]) -> socket.socket:
    """A WebSocket connection, for bytes that no library would send."""
    address = urllib.parse.urlsplit(server.environment()["E2B_SANDBOX_URL"])
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.settimeout(PATIENCE_SECONDS)
    client.connect((address.hostname, address.port))
    lines = "".join(f"{name}: {value}\r\n" for name, value in {**headers, **HANDSHAKE, "Host": "localhost"}.items())
    client.sendall(f"GET / HTTP/1.1\r\n{lines}\r\n".encode())
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):
        answer += client.recv(1)
    assert answer.startswith(b"HTTP/1.1 101 ")
    return client


async def refusal(server: LocalServer, headers: Mapping[str, str], path: str = "/") -> int:
    """The status with which a WebSocket is refused."""
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        async with opened(server, headers, path):
            pass
    return refused.value.status


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


@pytest.mark.parametrize(("method", "target"), [("OPTIONS", "*"), ("GET", "http://localhost:8000/")])
def test_a_port_is_asked_for_paths(server: LocalServer, service: Sandbox, method: str, target: str) -> None:
    for more in ({}, HANDSHAKE):
        status, _, body = fetch(server, target, {**by_header(service), **more}, method)
        assert (status, "must be a path" in json.loads(body)["message"]) == (400, True)


def test_other_protocols_are_refused_by_name(server: LocalServer, service: Sandbox) -> None:
    upgrade = {**by_header(service), "Connection": "Upgrade, HTTP2-ServerSettings", "Upgrade": "h2c"}
    status, _, body = fetch(server, "/", upgrade)
    assert (status, "other protocols than HTTP" in json.loads(body)["message"]) == (501, True)


@pytest.mark.asyncio
async def test_a_websocket_by_headers(server: LocalServer, websockets: Sandbox) -> None:
    headers = {**by_header(websockets), "X-Mine": "kept", "Cookie": "a=b", "Origin": "http://any.example"}
    async with opened(server, headers, "/a%20b?c=d&e=%2F") as client:
        await client.send_str("ü")
        assert (await client.receive())[:2] == (WSMsgType.TEXT, "ü")
        await client.send_bytes(b"\xff\0")
        assert (await client.receive())[:2] == (WSMsgType.BINARY, b"\xff\0")
        await client.send_str("seen")
        seen = await client.receive_json()
    assert seen["path"] == "/a%20b?c=d&e=%2F"
    assert {**seen["headers"], "X-Mine": "kept", "Cookie": "a=b", "Origin": "http://any.example"} == seen["headers"]
    assert not any(name.lower().startswith("e2b-") for name in seen["headers"])


@pytest.mark.asyncio
async def test_a_websocket_by_host_name(server: LocalServer, websockets: Sandbox) -> None:
    async with opened(server, {"Host": websockets.get_host(8000)}) as client:
        await client.send_str("seen")
        assert (await client.receive_json())["headers"]["Host"] == websockets.get_host(8000)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("offered", "chosen"), [(("v1", "v3"), "v1"), (("v1", "v2"), "v1"), (("v3",), None), ((), None)]
)
async def test_the_sandbox_chooses_the_subprotocol(
    server: LocalServer, websockets: Sandbox, offered: tuple[str, ...], chosen: str | None
) -> None:
    async with opened(server, by_header(websockets), protocols=offered) as client:
        assert client.protocol == chosen
        await client.send_str("seen")
        seen = (await client.receive_json())["headers"].get("Sec-WebSocket-Protocol", "")
        assert seen == ",".join(offered)


@pytest.mark.asyncio
async def test_pings_are_the_sandbox_s_to_answer(server: LocalServer, websockets: Sandbox) -> None:
    async with opened(server, by_header(websockets), autoping=False) as client:
        await client.ping(b"are you there")
        # The server in the sandbox answers a ping with a ping.
        assert (await client.receive())[:2] == (WSMsgType.PING, b"are you there")
        await client.pong(b"unasked")
        assert (await client.receive())[:2] == (WSMsgType.PONG, b"unasked")


@pytest.mark.asyncio
async def test_large_messages_pass_both_ways(server: LocalServer, websockets: Sandbox) -> None:
    large = bytes(range(256)) * (MAX_MESSAGE_BYTES // 256 - 1)
    async with opened(server, by_header(websockets)) as client:
        await client.send_bytes(large)
        assert await client.receive_bytes() == large


@pytest.mark.asyncio
async def test_the_sandbox_closes(server: LocalServer, websockets: Sandbox) -> None:
    async with opened(server, by_header(websockets)) as client:
        await client.send_str("close")
        assert tuple(await client.receive()) == (WSMsgType.CLOSE, 4001, "enough")


@pytest.mark.asyncio
@pytest.mark.parametrize(("payload", "code"), [(b"\x0f\xa2gone", 4002), (b"", 0)], ids=["code", "no code"])
async def test_the_client_closes(server: LocalServer, websockets: Sandbox, payload: bytes, code: int) -> None:
    async with opened(server, by_header(websockets)) as client:
        await client.send_frame(payload, WSMsgType.CLOSE)
        assert (await client.receive()).type is WSMsgType.CLOSE
    assert eventually(lambda: websockets.files.exists("closed") and websockets.files.read("closed") == str(code))


@pytest.mark.asyncio
async def test_a_client_that_goes_away_is_missed_in_the_sandbox(server: LocalServer, websockets: Sandbox) -> None:
    async with opened(server, by_header(websockets)) as client:
        await client.send_str("here")
        await client.receive()
    assert eventually(lambda: websockets.files.exists("closed"))


@pytest.mark.asyncio
async def test_a_connection_that_the_sandbox_cuts_is_cut(server: LocalServer, websockets: Sandbox) -> None:
    async with opened(server, by_header(websockets)) as client:
        await client.send_str("cut")
        assert (await client.receive()).type is WSMsgType.CLOSED


@pytest.mark.asyncio
@pytest.mark.parametrize("end", [Sandbox.kill, Sandbox.pause], ids=["kill", "pause"])
async def test_what_ends_a_sandbox_s_connections_ends_websockets(
    server: LocalServer, websockets: Sandbox, end: Callable[[Sandbox], object]
) -> None:
    async with opened(server, by_header(websockets)) as client:
        await client.send_str("here")
        await client.receive()
        await asyncio.to_thread(end, websockets)
        assert (await client.receive()).type is WSMsgType.CLOSED


def test_too_large_a_message_from_the_client(server: LocalServer, websockets: Sandbox) -> None:
    with handshaken(server, by_header(websockets)) as client:
        # The length alone is enough.
        client.sendall(struct.pack("!BBQ", 0x82, 0xFF, MAX_MESSAGE_BYTES))
        assert client.makefile("rb").read() == struct.pack("!BBH", 0x88, 2, 1009)
    assert eventually(lambda: websockets.files.exists("closed") and websockets.files.read("closed") == "1009")


@pytest.mark.asyncio
async def test_too_large_a_message_from_the_sandbox(server: LocalServer, websockets: Sandbox) -> None:
    async with opened(server, by_header(websockets)) as client:
        await client.send_str("too much")
        assert (await client.receive())[:2] == (WSMsgType.CLOSE, 1009)


@pytest.mark.parametrize(("query", "status"), [("refuse", 403), ("moved", 302)])
def test_a_handshake_that_the_sandbox_refuses(
    server: LocalServer, websockets: Sandbox, query: str, status: int
) -> None:
    answered, headers, body = fetch(server, f"/?{query}", {**by_header(websockets), **HANDSHAKE})
    assert answered == status
    assert (headers["X-Own"], body) == ("yes", b"not you") if query == "refuse" else headers["Location"] == "/elsewhere"


def test_a_port_that_knows_no_websockets(server: LocalServer, service: Sandbox) -> None:
    status, headers, body = fetch(server, "/", {**by_header(service), **HANDSHAKE})
    assert (status, headers["X-Own"], json.loads(body)["method"]) == (418, "yes", "GET")


def test_a_websocket_to_a_closed_port(server: LocalServer, sandbox: Sandbox) -> None:
    status, _, body = fetch(server, "/", {**by_header(sandbox), **HANDSHAKE})
    assert (status, json.loads(body)["message"]) == (502, "The sandbox is running but port is not open")


@pytest.mark.parametrize("missing", ["Connection", "Sec-WebSocket-Version", "Sec-WebSocket-Key"])
def test_a_handshake_that_is_none(server: LocalServer, websockets: Sandbox, missing: str) -> None:
    handshake = {name: value for name, value in HANDSHAKE.items() if name != missing}
    status, _, body = fetch(server, "/", {**by_header(websockets), **handshake})
    assert (status, "no valid handshake" in json.loads(body)["message"]) == (400, True)


@pytest.mark.asyncio
async def test_websockets_that_are_not_open_to_everybody(server: LocalServer, address: dict[str, str]) -> None:
    with Sandbox.create(network={"allow_public_traffic": False}, **address) as sandbox:
        serve(sandbox, WEBSOCKETS)
        token = {"E2B-Traffic-Access-Token": sandbox.traffic_access_token or ""}
        assert await refusal(server, by_header(sandbox)) == 403
        assert await refusal(server, {**by_header(sandbox), "E2B-Traffic-Access-Token": "wrong"}) == 403
        async with opened(server, {**by_header(sandbox), **token}) as client:
            await client.send_str("seen")
            assert "traffic" not in str(await client.receive_json()).lower()


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ("b'garbage\\n' * 9", 502),
        ("UPGRADE + b'nothing\\r\\n\\r\\n'", 502),
        ("UPGRADE + accept + b'\\r\\nX: ' + b'x' * 2**20 + b'\\r\\n\\r\\n'", 502),
        ("UPGRADE + accept + b'\\r\\nX: x' * 10_000 + b'\\r\\n\\r\\n'", 502),
        ("b''", 504),
    ],
    ids=["no HTTP", "another's key", "long header", "many headers", "nothing"],
)
async def test_answers_to_a_handshake_that_are_none(
    server: LocalServer, sandbox: Sandbox, answer: str, status: int
) -> None:
    serve(sandbox, f"{RAW_SERVER}\nclient.sendall({answer})\ntime.sleep(600)")
    assert await refusal(server, by_header(sandbox)) == status


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("frames", "code"),
    [("b'\\xff' * 1000", 1002), ("b'\\x81\\x02\\xff\\xff'", 1007), ("b'\\x82\\x7f' + b'\\xff' * 8", 1009)],
    ids=["no frame", "no text", "endless"],
)
async def test_frames_that_are_none_end_their_own_connection(
    server: LocalServer, sandbox: Sandbox, frames: str, code: int
) -> None:
    serve(sandbox, f"{RAW_SERVER}\nclient.sendall(OPEN + {frames})\ntime.sleep(600)")
    async with opened(server, by_header(sandbox)) as client:
        assert (await client.receive())[:2] == (WSMsgType.CLOSE, code)


def test_a_client_that_does_not_read_stops_the_sandbox(server: LocalServer, sandbox: Sandbox) -> None:
    # The smallest possible frames: their number counts, not their bytes.
    serve(sandbox, f"{RAW_SERVER}\nflood(b'\\x82\\x00\\x89\\x00')")
    with handshaken(server, by_header(sandbox)):
        assert eventually(lambda: sandbox.files.exists("nobody reads"))


def test_a_server_that_does_not_read_does_not_hold_what_its_client_has_left() -> None:
    with (
        LocalServer.listen(ServerSettings(warm_sandboxes=0)) as server,
        Sandbox.create(**sdk_address(server)) as sandbox,
    ):
        assert server._process is not None
        pid = server._process.pid
        sandbox.files.write("service.py", f"{RAW_SERVER}\nclient.sendall(OPEN)\ntime.sleep(600)")
        start = "import subprocess as s\ns.Popen(['python', 'service.py'], stdout=s.PIPE).stdout.readline()"
        assert sandbox.run_code(start).text is not None
        before = open_files(pid)
        with handshaken(server, by_header(sandbox)) as client:
            assert open_files(pid) == before + 3
            size = MAX_MESSAGE_BYTES - 1  # more than fits between two sockets
            client.sendall(struct.pack("!BBQ4x", 0x82, 0xFF, size) + bytes(size))
        assert eventually(lambda: open_files(pid) == before)
        assert sandbox.run_code("1 + 1").text == "2"
