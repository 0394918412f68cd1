"""Sandboxes with internet: they reach the internet, and nothing on this machine or its private network.

The server runs on a machine made of network namespaces; see outside_world.py. The tests check both what a candidate
got and what the services of the host saw.
"""

from __future__ import annotations

import json
import tempfile
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from e2b import SandboxException
from e2b_code_interpreter import Sandbox
from outside_world import DEAD_SITE, GATEWAY, HOST_ADDRESS, NAME_SERVER, OTHER_SITE, PRIVATE, SITE, World, world
from processes import eventually, open_files
from servers import sdk_address, silent_server

from pytest_rewardkit.local.errors import NoSuchLevelError
from pytest_rewardkit.local.handle import COMMAND, LocalServer
from pytest_rewardkit.local.internet.relay import MAX_CONNECTIONS, MAX_QUERIES
from pytest_rewardkit.local.level import find_level
from pytest_rewardkit.local.settings import ServerSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

    Address = dict[str, str]

RESET = "ConnectionResetError"
REFUSED = "ConnectionRefusedError"
NO_NAME = "gaierror"

TRY = """
import errno, json, os, socket, struct, urllib.request

def fetch(host, port=80, family=socket.AF_UNSPEC):
    try:
        kind = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)[0]
        with socket.socket(*kind[:2]) as sock:
            sock.settimeout(20)
            sock.connect(kind[4])
            sock.sendall(b'GET / HTTP/1.0\\r\\n\\r\\n')
            sock.shutdown(socket.SHUT_WR)
            return sock.makefile('rb').read().rpartition(b'\\r\\n\\r\\n')[2].decode()
    except OSError as error:
        # Which call meets a reset, and how it says so, is a matter of time.
        reset = error.errno in (errno.ECONNRESET, errno.ENOTCONN, errno.EPIPE)
        return 'ConnectionResetError' if reset else type(error).__name__

def ask(name, server='127.0.0.1'):
    question = b''.join(bytes([len(part)]) + part.encode() for part in name.split('.')) + b'\\0\\0\\1\\0\\1'
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(20)
        sock.connect((server, 53))
        sock.send(b'ab\\1\\0\\0\\1\\0\\0\\0\\0\\0\\0' + question)
        reply = sock.recv(4096)
    assert reply[:2] == b'ab', reply
    return [socket.inet_ntoa(reply[-4:])] if reply[7] else reply[3] & 15
"""


def run(sandbox: Sandbox, code: str) -> str:
    """Run the code; return what it printed."""
    execution = sandbox.run_code(textwrap.dedent(code))
    assert execution.error is None, execution.error.traceback
    return "".join(execution.logs.stdout)


def value(sandbox: Sandbox, expression: str) -> Any:
    """The value of an expression in the sandbox, passed through JSON."""
    return json.loads(run(sandbox, f"print(json.dumps({expression}))"))


def fetched(sandbox: Sandbox, *hosts: str, port: int = 80, family: str = "AF_UNSPEC") -> list[str]:
    """The sandbox's result from each host: the address by which a site was reached, or the name of the error."""
    found: list[str] = value(sandbox, f"[fetch(host, {port}, socket.{family}) for host in {hosts!r}]")
    return found


@pytest.fixture(scope="module")
def outside() -> Iterator[World]:
    with tempfile.TemporaryDirectory() as directory, world(Path(directory)) as made:
        yield made
        assert made.contacts() == []


@pytest.fixture(scope="module")
def machine(outside: World) -> Iterator[LocalServer]:
    """The local server on that machine. Its listeners are in the tests' own network, so that the SDK reaches them."""
    with silent_server(command=[str(outside.python()), *COMMAND[1:]]) as server:
        with Sandbox.create(**sdk_address(server)):
            pass
        yield server


@pytest.fixture(scope="module")
def there(machine: LocalServer) -> Address:
    return sdk_address(machine)


@pytest.fixture(scope="module")
def server_pid(machine: LocalServer) -> int:
    assert machine._process is not None
    return machine._process.pid


@pytest.fixture
def sandbox(there: Address) -> Iterator[Sandbox]:
    with Sandbox.create(allow_internet_access=True, **there) as sandbox:
        sandbox.run_code(TRY)
        yield sandbox


@pytest.fixture
def neighbour(there: Address) -> Iterator[Sandbox]:
    """A sandbox that must not notice anything."""
    with Sandbox.create(allow_internet_access=True, **there) as neighbour:
        neighbour.run_code(TRY)
        yield neighbour
        assert fetched(neighbour, "site.example") == [SITE]


class TestReached:
    @pytest.mark.parametrize("port", [22, 80, 443])
    def test_public_addresses(self, sandbox: Sandbox, port: int) -> None:
        assert fetched(sandbox, SITE, GATEWAY, port=port) == [SITE, GATEWAY]

    def test_names_by_a_name_server_in_the_private_network(self, sandbox: Sandbox) -> None:
        assert fetched(sandbox, "site.example", "OTHER.example", "nowhere.example") == [SITE, OTHER_SITE, NO_NAME]
        assert value(sandbox, "[ask('site.example', '8.8.8.8'), ask('nowhere.example')]") == [[SITE], 3]

    def test_names_whose_answer_takes_a_connection(self, sandbox: Sandbox) -> None:
        assert fetched(sandbox, "many.example") == [SITE]

    def test_programs_as_they_are(self, sandbox: Sandbox) -> None:
        assert sandbox.commands.run("curl -sS http://site.example/").stdout == SITE
        assert value(sandbox, "urllib.request.urlopen('http://site.example').read().decode()") == SITE

    def test_much_both_ways(self, sandbox: Sandbox) -> None:
        assert value(sandbox, "len(urllib.request.urlopen('http://site.example/large').read())") == 8 * 2**20
        upload = "int(urllib.request.urlopen('http://site.example/', data=b'x' * 3_000_000).read())"
        assert value(sandbox, upload) == 3_000_000

    def test_a_site_that_is_not_there(self, sandbox: Sandbox) -> None:
        assert fetched(sandbox, DEAD_SITE) == [RESET]

    def test_its_own_ports_as_ever(self, sandbox: Sandbox, there: Address) -> None:
        sandbox.commands.run("python -m http.server 8000", background=True)
        sandbox.files.write("index.html", "its own page")
        headers = {"E2b-Sandbox-Id": sandbox.sandbox_id, "E2b-Sandbox-Port": "8000"}
        assert eventually(lambda: fetched(sandbox, "localhost", port=8000) == ["its own page"])
        assert httpx.get(f"{there['sandbox_url']}/", headers=headers).text == "its own page"

    def test_copies_have_it_too(self, sandbox: Sandbox) -> None:
        (copy,) = sandbox.fork()
        with copy:
            copy.run_code(TRY)
            assert fetched(copy, "site.example") == [SITE]

    def test_nothing_without_being_asked_for(self, there: Address) -> None:
        with Sandbox.create(**there) as sandbox:
            sandbox.run_code(TRY)
            for port in (22, 53, 80, 443):
                assert set(fetched(sandbox, SITE, HOST_ADDRESS, "127.0.0.1", *PRIVATE, port=port)) == {REFUSED}
            assert fetched(sandbox, "site.example") == [NO_NAME]
            assert sandbox.get_info().allow_internet_access is False


class TestRefused:
    @pytest.mark.parametrize("port", [22, 53, 80, 443])
    def test_addresses_that_are_not_the_internets(self, sandbox: Sandbox, neighbour: Sandbox, port: int) -> None:
        """On port 53, questions are answered whichever address is asked, and nothing else is forwarded."""
        own = ("127.0.0.1", "127.0.0.53", "127.255.255.254", "0.0.0.0", HOST_ADDRESS)
        assert set(fetched(sandbox, *own, NAME_SERVER, *PRIVATE, port=port)) == {RESET}

    def test_other_ports(self, sandbox: Sandbox, there: Address) -> None:
        servers_own = (int(there[url].rpartition(":")[2]) for url in ("api_url", "sandbox_url"))
        for port in (*servers_own, 8080):
            assert set(fetched(sandbox, SITE, HOST_ADDRESS, "127.0.0.1", port=port)) == {REFUSED}

    def test_names_that_lead_inside(self, sandbox: Sandbox) -> None:
        assert value(sandbox, "[ask('metadata.example'), ask('loopback.example')]") == [
            ["169.254.169.254"],
            ["127.0.0.1"],
        ]
        assert fetched(sandbox, "metadata.example", "loopback.example") == [RESET, RESET]

    def test_names_that_lead_elsewhere_each_time(self, sandbox: Sandbox) -> None:
        assert set(fetched(sandbox, *["rebind.example"] * 20)) == {SITE, RESET}

    def test_ipv6_and_ipv4_in_its_clothes(self, sandbox: Sandbox) -> None:
        plain = ("fe80::1%1", "fd00:ec2::254", "2606:4700::1111", "64:ff9b::7f00:1", "2002:7f00:1::1", "::127.0.0.1")
        assert set(fetched(sandbox, *plain, family="AF_INET6")) <= {"OSError"}  # there is no route
        assert fetched(sandbox, "::1", "::", family="AF_INET6") == [REFUSED, REFUSED]
        mapped = (f"::ffff:{address}" for address in ("127.0.0.1", "0.0.0.0", HOST_ADDRESS, *PRIVATE))
        assert set(fetched(sandbox, *mapped, family="AF_INET6")) == {RESET}

    def test_datagrams(self, sandbox: Sandbox, outside: World) -> None:
        code = f"""
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for address in ('127.0.0.1', '127.0.0.53', {HOST_ADDRESS!r}, {NAME_SERVER!r}, '255.255.255.255', '224.0.0.251'):
            for port in (53, 123, 5353):
                try:
                    sock.sendto(b'x' * 20, (address, port))
                except OSError:
                    pass
        """
        run(sandbox, code)
        assert value(sandbox, "ask('site.example')") == [SITE]
        assert outside.contacts() == []

    def test_sockets_by_name_and_path(self, sandbox: Sandbox) -> None:
        code = """
        def connect(address):
            try:
                socket.socket(socket.AF_UNIX).connect(address)
            except OSError as error:
                return type(error).__name__
        """
        run(sandbox, code)
        names = ["\0rewardkit-test-host", "/run/dbus/system_bus_socket", "/var/run/docker.sock"]
        got = value(sandbox, f"[connect(name) for name in {names!r}]")
        assert got == [REFUSED, "FileNotFoundError", "FileNotFoundError"]

    def test_its_network_is_not_its_own_to_change(self, sandbox: Sandbox) -> None:
        code = """
        def attempt(action, *arguments, **keywords):
            try:
                action(*arguments, **keywords)
            except OSError as error:
                return type(error).__name__
        attempts = [
            attempt(socket.socket, socket.AF_NETLINK, socket.SOCK_RAW),
            attempt(socket.socket, socket.AF_PACKET, socket.SOCK_RAW),
            attempt(socket.socket, socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP),
            attempt(socket.socket, socket.AF_VSOCK),
            attempt(socket.create_server, ('127.0.0.1', 443)),
            attempt(socket.create_server, ('127.0.0.1', 444)),
            attempt(socket.create_server, ('', 80), reuse_port=True),
        ]
        """
        run(sandbox, code)
        assert set(value(sandbox, "attempts")) == {"PermissionError"}

    def test_the_servers_own_way_in_does_not_lead_out(self, sandbox: Sandbox, there: Address) -> None:
        """The server reaches a port of the sandbox over its loopback, from which no connection is forwarded."""
        headers = {"E2b-Sandbox-Id": sandbox.sandbox_id, "E2b-Sandbox-Port": "80"}
        assert httpx.get(f"{there['sandbox_url']}/", headers=headers).status_code == 502


class TestFloods:
    def test_of_connections(self, sandbox: Sandbox, neighbour: Sandbox, server_pid: int) -> None:
        before = open_files(server_pid)
        code = f"""
        socks = []
        for _ in range(400):
            sock = socket.socket()
            sock.setblocking(False)
            sock.connect_ex(({SITE!r}, 80))
            socks.append(sock)
        """
        run(sandbox, code)
        assert fetched(neighbour, "site.example") == [SITE]
        assert open_files(server_pid) - before <= 2 * MAX_CONNECTIONS + 8
        run(sandbox, "for sock in socks: sock.close()")
        assert fetched(sandbox, "site.example") == [SITE]

    def test_of_questions(self, sandbox: Sandbox, neighbour: Sandbox, server_pid: int) -> None:
        """Unanswered ones, with invalid ones between them; the server takes them as fast as they come."""
        before = open_files(server_pid)
        code = """
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.connect(('127.0.0.1', 53))
        for number in range(5000):
            sock.send(os.urandom(12 + number % 500))
            sock.send(struct.pack('!HHHHHH', number, 256, 1, 0, 0, 0) + b'\\6silent\\7example\\0\\0\\1\\0\\1')
        """
        run(sandbox, code)
        assert open_files(server_pid) - before <= MAX_QUERIES + 8
        assert fetched(neighbour, "site.example") == [SITE]

    @pytest.mark.parametrize(
        "data",
        [
            "b'\\0'",
            "b'\\0\\3abc'",
            "b'\\xff\\xff' + b'x' * 70000",
            "b'\\0\\x0c' + b'\\xff' * 12",
            "b'\\0\\x0c' + b'\\0' * 12",
        ],
    )
    def test_what_is_no_question(self, sandbox: Sandbox, neighbour: Sandbox, data: str) -> None:
        code = f"""
        got = b''
        with socket.create_connection(('127.0.0.1', 53)) as sock:
            try:
                sock.sendall({data})
                sock.shutdown(socket.SHUT_WR)
                got = sock.makefile('rb').read()
            except OSError as error:
                pass
        """
        run(sandbox, code)
        assert value(sandbox, "len(got)") == 0

    def test_of_what_nobody_reads(self, sandbox: Sandbox, neighbour: Sandbox, server_pid: int) -> None:
        before = resident_kb(server_pid)
        code = """
        socks = [socket.create_connection(('site.example', 80)) for _ in range(50)]
        for sock in socks:
            sock.sendall(b'GET /large HTTP/1.0\\r\\n\\r\\n')
        """
        run(sandbox, code)
        assert fetched(neighbour, "site.example") == [SITE]
        assert resident_kb(server_pid) - before < 30_000  # instead of 400 MB


def resident_kb(pid: int) -> int:
    return int(Path(f"/proc/{pid}/status").read_text().partition("VmRSS:")[2].split()[0])


def connections_to_sites(server_pid: int) -> int:
    lines = Path(f"/proc/{server_pid}/net/tcp").read_text().splitlines()
    return sum(1 for line in lines if line.split()[2] == "09090909:0050" and line.split()[3] == "01")


def test_a_killed_sandbox_leaves_nothing(there: Address, server_pid: int) -> None:
    assert eventually(lambda: connections_to_sites(server_pid) == 0)
    before = open_files(server_pid)
    for _ in range(10):
        with Sandbox.create(allow_internet_access=True, **there) as sandbox:
            sandbox.run_code(TRY)
            run(sandbox, "socks = [urllib.request.urlopen('http://site.example/slow') for _ in range(20)]")
            assert connections_to_sites(server_pid) == 20
        assert eventually(lambda: connections_to_sites(server_pid) == 0)
    # The listeners of ten relays are 50 files; warm sandboxes and idle SDK connections come and go.
    assert eventually(lambda: open_files(server_pid) < before + 30)


class TestRules:
    def test_what_is_denied(self, there: Address) -> None:
        network = {"deny_out": ["9.9.9.0/28"], "allow_out": [OTHER_SITE]}
        with Sandbox.create(allow_internet_access=True, network=network, **there) as sandbox:
            sandbox.run_code(TRY)
            assert fetched(sandbox, SITE, OTHER_SITE, GATEWAY) == [RESET, OTHER_SITE, GATEWAY]
            info = sandbox.get_info()
            assert info.network is not None
            assert (info.network["allow_out"], info.network["deny_out"]) == ([OTHER_SITE], ["9.9.9.0/28"])

    def test_hosts_by_name(self, there: Address) -> None:
        network = {"deny_out": lambda context: [context.all_traffic], "allow_out": ["Site.example", "loopback.example"]}
        with Sandbox.create(allow_internet_access=True, network=network, **there) as sandbox:
            sandbox.run_code(TRY)
            assert fetched(sandbox, SITE) == [RESET]  # nobody has asked for its name
            names = ("site.example", "other.example", "below.site.example", "loopback.example")
            assert fetched(sandbox, *names) == [SITE, NO_NAME, NO_NAME, RESET]
            assert fetched(sandbox, OTHER_SITE) == [RESET]

    def test_hosts_below_a_name(self, there: Address) -> None:
        network = {"deny_out": ["0.0.0.0/0"], "allow_out": ["*.site.example"]}
        with Sandbox.create(allow_internet_access=True, network=network, **there) as sandbox:
            sandbox.run_code(TRY)
            assert fetched(sandbox, "site.example", "below.site.example") == [NO_NAME, OTHER_SITE]

    def test_what_is_not_the_internets_cannot_be_allowed(self, there: Address) -> None:
        network = {"allow_out": ["127.0.0.1", "10.0.0.0/8", HOST_ADDRESS, "169.254.169.254", "0.0.0.0/0"]}
        with Sandbox.create(allow_internet_access=True, network=network, **there) as sandbox:
            sandbox.run_code(TRY)
            assert set(fetched(sandbox, "127.0.0.1", HOST_ADDRESS, *PRIVATE)) == {RESET}

    def test_other_rules_while_it_runs(self, sandbox: Sandbox) -> None:
        run(sandbox, "slow = urllib.request.urlopen('http://site.example/slow')")
        sandbox.update_network({"deny_out": [SITE]})
        assert fetched(sandbox, SITE, OTHER_SITE) == [RESET, OTHER_SITE]
        assert sandbox.run_code("slow.read()").error.name == RESET
        sandbox.update_network({})
        assert fetched(sandbox, SITE) == [SITE]
        sandbox.update_network({"allow_internet_access": False})
        assert fetched(sandbox, SITE, "site.example") == [RESET, NO_NAME]
        assert sandbox.get_info().allow_internet_access is False

    def test_internet_asked_for_later(self, there: Address) -> None:
        with Sandbox.create(**there) as sandbox:
            sandbox.run_code(TRY)
            assert fetched(sandbox, SITE) == [REFUSED]
            sandbox.update_network({"allow_internet_access": True})
            assert fetched(sandbox, "site.example", "10.1.2.3") == [SITE, RESET]


@pytest.mark.parametrize("level", ["uid", "landlock", "weak"])
def test_below_full_there_is_no_internet(level: str) -> None:
    try:
        find_level(level)
    except NoSuchLevelError as error:
        pytest.skip(f"level {level!r} cannot be had here: {error}")
    with LocalServer.listen(ServerSettings(isolation=level)) as server:
        with pytest.raises(SandboxException, match=rf"501: .*internet access at isolation level '{level}'.* 'full'"):
            Sandbox.create(allow_internet_access=True, **sdk_address(server))
        with Sandbox.create(**sdk_address(server)) as sandbox:
            assert sandbox.run_code("1 + 1").text == "2"
            sandbox.update_network({"deny_out": ["0.0.0.0/0"]})
            with pytest.raises(SandboxException, match=r"501: .*internet access at isolation level"):
                sandbox.update_network({"allow_internet_access": True})


def test_without_isolation_the_network_is_the_machines() -> None:
    with LocalServer.listen(ServerSettings(isolation="none")) as server:
        with Sandbox.create(allow_internet_access=True, **sdk_address(server)) as sandbox:
            assert sandbox.get_info().allow_internet_access is True
        with pytest.raises(SandboxException, match=r"501: .*network rules at isolation level 'none'"):
            Sandbox.create(allow_internet_access=True, network={"deny_out": [SITE]}, **sdk_address(server))


@pytest.fixture(scope="module")
def here(address: Address) -> Iterator[Sandbox]:
    """A sandbox of the shared server."""
    with Sandbox.create(**address) as sandbox:
        yield sandbox


@pytest.mark.parametrize(
    ("network", "error"),
    [
        (
            {"allow_out": ["site.example"]},
            r"400: network.allowOut has host names \(site.example\), which needs 0.0.0.0/0 in",
        ),
        ({"deny_out": ["site.example"]}, r"400: network.denyOut: 'site.example' is no IPv4 address or network"),
        ({"allow_out": ["1.2.3.400"]}, r"400: network.allowOut: '1.2.3.400' is no IPv4 address or network"),
        ({"allow_out": ["a b"]}, r"400: network.allowOut: 'a b' is neither an IPv4 address or network nor a host name"),
        ({"deny_out": ["1.1.1.1"] * 1001}, r"400: network.1001 network rules are over the limit of 1000"),
        ({"dns_servers": ["1.1.1.1"]}, r"501: .*network rules \(dnsServers\)"),
        ({"rules": {"site.example": []}}, r"501: .*network rules \(rules\)"),
    ],
)
def test_rules_that_make_no_sense(address: Address, here: Sandbox, network: Any, error: str) -> None:
    with pytest.raises(SandboxException, match=error):
        Sandbox.create(allow_internet_access=True, network=network, **address)
    with pytest.raises(SandboxException, match=error):
        here.update_network({**network, "allow_internet_access": True})


def test_allowing_without_internet_is_refused(address: Address) -> None:
    with pytest.raises(SandboxException, match=r"400: network.allowOut needs allow_internet_access"):
        Sandbox.create(network={"allow_out": ["1.1.1.1"]}, **address)
