"""Details that the SDK hides: routing, tokens, formats of errors, ranges, frames, cut-off streams."""

from __future__ import annotations

import base64
import gzip
import http.client
import json
import socket
import struct
import urllib.parse
from typing import TYPE_CHECKING, Any

import pytest

from pytest_rewardkit.local.api.connect import frame

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from e2b_code_interpreter import Sandbox

    from pytest_rewardkit.local.handle import LocalServer


class Client:
    """Requests to the server's two ports, as bytes."""

    def __init__(self, server: LocalServer) -> None:
        self._variables = server.environment()

    def connection(self, plane: str) -> http.client.HTTPConnection:
        address = urllib.parse.urlsplit(self._variables["E2B_API_URL" if plane == "control" else "E2B_SANDBOX_URL"])
        return http.client.HTTPConnection(address.hostname or "", address.port, timeout=30)

    def request(
        self, plane: str, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        connection = self.connection(plane)
        try:
            connection.request(method, path, body, dict(headers or {}))
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        finally:
            connection.close()

    def json(self, *arguments: Any, **options: Any) -> tuple[int, Any]:
        status, headers, body = self.request(*arguments, **options)
        assert headers.get_content_type() == "application/json"
        return status, json.loads(body)


@pytest.fixture
def client(server: LocalServer) -> Client:
    return Client(server)


def route(sandbox: Sandbox, port: int = 49983, **more: str) -> dict[str, str]:
    token = sandbox._envd_access_token
    return {"E2b-Sandbox-Id": sandbox.sandbox_id, "E2b-Sandbox-Port": str(port), "X-Access-Token": token or "", **more}


def frames(data: bytes) -> Iterator[tuple[int, Any]]:
    while data:
        flags, length = struct.unpack_from("!BI", data)
        yield flags, json.loads(data[5 : 5 + length])
        data = data[5 + length :]


def start(command: str, **more: Any) -> bytes:
    return frame({"process": {"cmd": "/bin/bash", "args": ["-c", command]}, **more})


STREAM = {"Content-Type": "application/connect+json", "Connect-Protocol-Version": "1"}


def test_the_control_plane_wants_its_key(client: Client) -> None:
    for headers in ({}, {"X-API-Key": ""}, {"X-API-Key": "e2b_wrong"}, {"X-API-Key": "ü"}):
        status, body = client.json("control", "GET", "/v2/sandboxes", headers=headers)
        assert (status, body["code"]) == (401, 401)


def test_errors_of_the_control_plane_are_json_with_a_code(client: Client, address: dict[str, str]) -> None:
    key = {"X-API-Key": address["api_key"]}
    assert client.json("control", "GET", "/sandboxes/nothing", headers=key)[1]["code"] == 404
    for body in (b"{", b"[]", b'{"templateID": 1}', b'{"templateID":"base","timeout":"soon"}', b"[" * 100_000):
        status, answer = client.json("control", "POST", "/v2/sandboxes", body, key)
        assert (status, answer["code"]) == (400, 400)
        assert isinstance(answer["message"], str)
    for method, path in (("POST", "/templates"), ("GET", "/volumes"), ("PUT", "/volumes/x")):
        status, answer = client.json("control", method, path, headers=key)
        assert (status, answer["code"]) == (501, 501)


def test_the_paths_of_older_sdks(client: Client, address: dict[str, str]) -> None:
    key = {"X-API-Key": address["api_key"]}
    status, made = client.json("control", "POST", "/sandboxes", b'{"templateID":"base","secure":true}', key)
    assert status == 201
    path = f"/sandboxes/{made['sandboxID']}"
    assert client.json("control", "POST", f"{path}/connect", b'{"timeout":5}', key)[0] == 200
    assert client.json("control", "POST", f"{path}/resume", b"{}", key)[0] == 409
    assert made["sandboxID"] in [
        one["sandboxID"] for one in client.json("control", "GET", "/sandboxes", headers=key)[1]
    ]
    assert client.request("control", "DELETE", path, headers=key)[0] == 204


def test_a_repeated_create_gives_the_same_sandbox(client: Client, address: dict[str, str]) -> None:
    headers = {"X-API-Key": address["api_key"], "Idempotency-Key": "once"}
    first, second = (
        client.json("control", "POST", "/v2/sandboxes", b'{"templateID":"base"}', headers)[1]["sandboxID"]
        for _ in range(2)
    )
    assert first == second
    client.request("control", "DELETE", f"/sandboxes/{first}", headers=headers)


def test_a_sandbox_that_is_not_there(client: Client) -> None:
    missing = {"E2b-Sandbox-Id": "i00000000000000000000", "E2b-Sandbox-Port": "49983"}
    assert client.json("traffic", "GET", "/health", headers=missing) == (
        502,
        {"sandboxId": "i00000000000000000000", "message": "The sandbox was not found", "code": 502},
    )


def test_a_port_on_which_nothing_listens(client: Client, sandbox: Sandbox) -> None:
    status, body = client.json("traffic", "GET", "/", headers=route(sandbox, 8000))
    assert status == 502
    assert body["message"] == "The sandbox is running but port is not open"
    assert body["port"] == 8000


@pytest.mark.parametrize("port", ["0", "65536", "-1", "x", "1" * 5000])
def test_a_port_that_is_none(client: Client, sandbox: Sandbox, port: str) -> None:
    headers = {"E2b-Sandbox-Id": sandbox.sandbox_id, "E2b-Sandbox-Port": port}
    assert client.json("traffic", "GET", "/health", headers=headers)[0] == 400


def test_the_host_can_name_sandbox_and_port(client: Client, sandbox: Sandbox) -> None:
    host = {"Host": sandbox.get_host(49983), "E2b-Sandbox-Id": "other"}
    assert client.request("traffic", "GET", "/health", headers=host)[0] == 204


def test_everything_but_health_wants_the_token(client: Client, sandbox: Sandbox) -> None:
    headers = route(sandbox, **{"X-Access-Token": "wrong", "Content-Type": "application/json"})
    assert client.request("traffic", "GET", "/health", headers=headers)[0] == 204
    assert client.json("traffic", "POST", "/process.Process/List", b"{}", headers)[0] == 401
    status, body = client.json("traffic", "GET", "/files?path=x", headers=headers)
    assert (status, body["message"]) == (401, "access token present in header but does not match")
    execute = route(sandbox, 49999, **{"X-Access-Token": "wrong"})
    assert client.request("traffic", "POST", "/execute", b'{"code":"1"}', execute)[0] == 401


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/contexts"),
        ("POST", "/contexts"),
        ("POST", "/contexts/x/restart"),
        ("DELETE", "/contexts/x"),
        ("POST", "/execute"),
    ],
)
@pytest.mark.parametrize("header", ["X-Access-Token", "E2B-Traffic-Access-Token"])
def test_the_interpreter_wants_one_of_the_tokens(
    client: Client, sandbox: Sandbox, method: str, path: str, header: str
) -> None:
    nothing = {"X-Access-Token": "", "E2B-Traffic-Access-Token": ""}
    for token in ("", "wrong"):
        headers = route(sandbox, 49999, **{**nothing, header: token})
        assert client.request("traffic", method, path, b"{}", headers)[0] == 401
    token = {"X-Access-Token": sandbox._envd_access_token, "E2B-Traffic-Access-Token": sandbox.traffic_access_token}
    headers = route(sandbox, 49999, **{**nothing, header: str(token[header])})
    assert client.request("traffic", method, path, b"{}", headers)[0] in (200, 400, 404)


def test_only_the_user_exists(client: Client, sandbox: Sandbox) -> None:
    for name, status in (("user", 200), ("root", 401)):
        basic = base64.b64encode(f"{name}:".encode()).decode()
        headers = route(sandbox, **{"Content-Type": "application/json", "Authorization": f"Basic {basic}"})
        assert client.request("traffic", "POST", "/process.Process/List", b"{}", headers)[0] == status
    sandbox.files.write("x", "x")
    assert client.request("traffic", "GET", "/files?path=x&username=root", headers=route(sandbox))[0] == 401


def test_a_range_of_a_file(client: Client, sandbox: Sandbox) -> None:
    sandbox.files.write("digits", "0123456789")
    for asked, status, data in (
        ("bytes=2-4", 206, b"234"),
        ("bytes=7-", 206, b"789"),
        ("bytes=-2", 206, b"89"),
        ("bytes=5-100", 206, b"56789"),
        ("lines=1-2", 200, b"0123456789"),
    ):
        answer = client.request("traffic", "GET", "/files?path=digits", headers=route(sandbox, Range=asked))
        assert (answer[0], answer[2]) == (status, data)
    assert client.json("traffic", "GET", "/files?path=digits", headers=route(sandbox, Range="bytes=10-"))[0] == 416
    head = client.request("traffic", "HEAD", "/files?path=digits", headers=route(sandbox))
    assert (head[0], head[1]["Content-Length"], head[2]) == (200, "10", b"")


@pytest.mark.parametrize(
    ("kind", "body"),
    [("text/plain", b"x"), ("application/octet-stream", b"x"), ("multipart/form-data; boundary=b", b"--b--\r\n")],
)
def test_an_upload_that_makes_no_sense(client: Client, sandbox: Sandbox, kind: str, body: bytes) -> None:
    headers = route(sandbox, **{"Content-Type": kind})
    status, answer = client.json("traffic", "POST", "/files", body, headers)
    assert (status, answer["code"]) == (400, 400)


@pytest.mark.parametrize(
    ("encoding", "body"),
    [("gzip", b"no gzip"), ("gzip", gzip.compress(b"x" * 1000)[:-9]), ("br", b"x")],
    ids=["no gzip", "cut off", "unknown"],
)
def test_an_upload_that_cannot_be_unpacked(client: Client, sandbox: Sandbox, encoding: str, body: bytes) -> None:
    headers = route(sandbox, **{"Content-Type": "application/octet-stream", "Content-Encoding": encoding})
    assert client.json("traffic", "POST", "/files?path=x", body, headers)[0] == 400


def test_a_small_upload_that_unpacks_to_a_large_file_is_bounded(client: Client, sandbox: Sandbox) -> None:
    body = gzip.compress(bytes(600 * 2**20), 1)
    headers = route(sandbox, **{"Content-Type": "application/octet-stream", "Content-Encoding": "gzip"})
    assert client.json("traffic", "POST", "/files?path=bomb", body, headers)[0] == 507
    assert sandbox.is_running()


def test_a_started_process_as_frames(client: Client, sandbox: Sandbox) -> None:
    body = start("printf out; exit 3", stdin=False)
    status, _, data = client.request("traffic", "POST", "/process.Process/Start", body, route(sandbox, **STREAM))
    assert status == 200
    first, *middle, end, last = frames(data)
    assert list(first[1]["event"]["start"]) == ["pid"]
    assert middle == [(0, {"event": {"data": {"stdout": base64.b64encode(b"out").decode()}}})]
    words = "exit status 3"
    assert end[1] == {"event": {"end": {"exitCode": 3, "exited": True, "status": words, "error": words}}}
    assert last == (2, {})


def test_success_leaves_out_what_has_its_default(client: Client, sandbox: Sandbox) -> None:
    headers = route(sandbox, **STREAM)
    data = client.request("traffic", "POST", "/process.Process/Start", start("true"), headers)[2]
    assert list(frames(data))[-2][1] == {"event": {"end": {"exited": True, "status": "exit status 0"}}}


def test_a_call_s_timeout_ends_the_process(client: Client, sandbox: Sandbox) -> None:
    headers = route(sandbox, **STREAM, **{"Connect-Timeout-Ms": "300"})
    body = start("exec sleep 1000", tag="slow")
    data = client.request("traffic", "POST", "/process.Process/Start", body, headers)[2]
    assert list(frames(data))[-1][1]["error"]["code"] == "deadline_exceeded"
    selector = frame({"process": {"tag": "slow"}})
    data = client.request("traffic", "POST", "/process.Process/Connect", selector, route(sandbox, **STREAM))[2]
    events = list(frames(data))
    assert "signal: killed" in json.dumps(events) or events[-1][1]["error"]["code"] == "not_found"


def test_a_keepalive_after_each_silence(client: Client, sandbox: Sandbox) -> None:
    headers = route(sandbox, **STREAM, **{"Keepalive-Ping-Interval": "1"})
    body = start("read line", stdin=True)
    connection = client.connection("traffic")
    connection.request("POST", "/process.Process/Start", body, headers)
    response = connection.getresponse()
    kinds = [next(iter(_read_frame(response)["event"])) for _ in range(3)]
    connection.close()
    assert kinds == ["start", "keepalive", "keepalive"]


def _read_frame(response: http.client.HTTPResponse) -> Any:
    _, length = struct.unpack("!BI", response.read(5))
    return json.loads(response.read(length))


def test_input_as_a_stream(client: Client, sandbox: Sandbox) -> None:
    handle = sandbox.commands.run("head -c 6", background=True, stdin=True)
    text = [base64.b64encode(part).decode() for part in (b"abc", b"def")]
    messages = [{"start": {"process": {"pid": handle.pid}}}, *({"data": {"input": {"stdin": part}}} for part in text)]
    body = b"".join(map(frame, messages))
    status, _, data = client.request("traffic", "POST", "/process.Process/StreamInput", body, route(sandbox, **STREAM))
    assert (status, list(frames(data))) == (200, [(0, {}), (2, {})])
    assert handle.wait().stdout == "abcdef"


def test_old_sdks_get_an_input_pipe_without_asking(client: Client, sandbox: Sandbox) -> None:
    connection = client.connection("traffic")
    connection.request("POST", "/process.Process/Start", start("cat"), route(sandbox, **STREAM))
    response = connection.getresponse()
    pid = _read_frame(response)["event"]["start"]["pid"]
    sandbox.commands.send_stdin(pid, "heard")
    assert base64.b64decode(_read_frame(response)["event"]["data"]["stdout"]) == b"heard"
    connection.close()


@pytest.mark.parametrize(
    ("method", "message", "code", "status"),
    [
        ("process.Process/SendSignal", {"process": {"pid": 4321}, "signal": "SIGNAL_SIGKILL"}, "not_found", 404),
        ("process.Process/Nothing", {}, "unimplemented", 501),
        ("filesystem.Filesystem/Stat", {"path": "/nowhere"}, "not_found", 404),
        ("filesystem.Filesystem/Stat", {"path": "~root/x"}, "invalid_argument", 400),
        ("filesystem.Filesystem/Stat", {"path": 1}, "invalid_argument", 400),
        ("filesystem.Filesystem/MakeDir", {"path": "/tmp"}, "already_exists", 409),
    ],
)
def test_errors_of_unary_calls(
    client: Client, sandbox: Sandbox, method: str, message: Any, code: str, status: int
) -> None:
    headers = route(sandbox, **{"Content-Type": "application/json"})
    answer = client.json("traffic", "POST", f"/{method}", json.dumps(message).encode(), headers)
    assert (answer[0], answer[1]["code"]) == (status, code)


def test_errors_of_the_interpreter_are_text(client: Client, sandbox: Sandbox) -> None:
    body = json.dumps({"code": "1", "context_id": "x", "language": "python"}).encode()
    status, headers, text = client.request("traffic", "POST", "/execute", body, route(sandbox, 49999))
    assert status == 400
    assert headers.get_content_type() == "text/plain"
    assert text == b"Only one of context_id or language can be provided"


def test_lines_of_an_execution(client: Client, sandbox: Sandbox) -> None:
    body = json.dumps({"code": "print('ü\\u2028')\n'é'"}).encode()
    status, _, data = client.request("traffic", "POST", "/execute", body, route(sandbox, 49999))
    assert status == 200
    assert data.isascii()
    lines = [json.loads(line) for line in data.decode().split("\n")[:-1]]
    assert [line["type"] for line in lines] == ["number_of_executions", "stdout", "result", "end_of_execution"]
    assert lines[2] == {"type": "result", "text": "é", "is_main_result": True, "extra": {}}


def test_a_silent_execution_is_kept_alive(client: Client, sandbox: Sandbox) -> None:
    body = json.dumps({"code": "import time; time.sleep(6)"}).encode()
    data = client.request("traffic", "POST", "/execute", body, route(sandbox, 49999))[2]
    assert [json.loads(line)["type"] for line in data.splitlines()] == [
        "number_of_executions",
        "keepalive",
        "end_of_execution",
    ]


def test_a_kill_cuts_the_body_off_and_health_says_so(client: Client, sandbox: Sandbox) -> None:
    connection = client.connection("traffic")
    body = json.dumps({"code": "print('go', flush=True)\nwhile True: pass"}).encode()
    connection.request("POST", "/execute", body, route(sandbox, 49999))
    response = connection.getresponse()
    while b"stdout" not in response.readline():
        pass
    sandbox.kill()
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        response.read()
    connection.close()
    status, answer = client.json("traffic", "GET", "/health", headers=route(sandbox))
    assert (status, answer["message"]) == (502, "The sandbox was not found")


def test_a_body_over_the_bound_is_refused(client: Client, sandbox: Sandbox) -> None:
    connection = client.connection("traffic")
    connection.putrequest("POST", "/execute")
    for name, value in {**route(sandbox, 49999), "Content-Length": str(2**40)}.items():
        connection.putheader(name, value)
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()


def test_a_client_that_asks_first_is_invited(sandbox: Sandbox, server: LocalServer) -> None:
    address = urllib.parse.urlsplit(server.environment()["E2B_SANDBOX_URL"])
    headers = {
        **route(sandbox),
        "Host": "x",
        "Content-Type": "application/octet-stream",
        "Content-Length": "4",
        "Expect": "100-continue",
        "Connection": "close",
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=30) as raw:
        raw.sendall(f"POST /files?path=asked HTTP/1.1\r\n{head}\r\n".encode())
        assert raw.recv(4096) == b"HTTP/1.1 100 Continue\r\n\r\n"
        raw.sendall(b"body")
        answer = b"".join(iter(lambda: raw.recv(4096), b""))
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert sandbox.files.read("asked") == "body"


def test_nonsense_bytes_do_not_hurt(client: Client, sandbox: Sandbox, server: LocalServer) -> None:
    address = urllib.parse.urlsplit(server.environment()["E2B_SANDBOX_URL"])
    for data in (b"\0" * 1000, b"GET / HTTP/9.9\r\n\r\n", b"POST /execute HTTP/1.1\r\nContent-Length: x\r\n\r\n"):
        with socket.create_connection((address.hostname or "", address.port or 0)) as raw:
            raw.sendall(data)
            raw.shutdown(socket.SHUT_WR)
            raw.recv(4096)
    assert sandbox.is_running()
