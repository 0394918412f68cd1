"""Unix sockets below a sandbox's own directories work at every level; the machine's stay out of reach."""

from __future__ import annotations

import os
import socket
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from guest_places import served
from test_guest_translation import PLACES, evaluate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guest_driver import Box, ForkServer


@pytest.fixture(scope="module", params=PLACES)
def fork_server(request) -> Iterator[ForkServer]:
    with served(request) as server:
        yield server


@pytest.fixture
def box(fork_server: ForkServer) -> Iterator[Box]:
    with fork_server.spawn(processes=2000) as box:
        yield box


@pytest.fixture
def guarded(fork_server: ForkServer) -> None:
    if fork_server.greeting["level"] == "none":
        pytest.skip("this level guards no sockets")


PROGRAM = """
import multiprocessing, sys, threading

def double(number):
    return 2 * number

def work(queue, shared):
    shared["done"] = True
    queue.put(threading.get_ident() > 0)


if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    with context.Pool(2) as pool:
        print(pool.map(double, [1, 2, 3]))
    with context.Manager() as manager:
        shared, queue = manager.dict(), context.Queue()
        process = context.Process(target=work, args=(queue, shared))
        process.start()
        print(queue.get())
        process.join()
        print(dict(shared), process.exitcode)
"""


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing(box, method):
    box.write("program.py", PROGRAM.encode())
    assert box.run(f"python3 program.py {method}") == ("[2, 4, 6]\nTrue\n{'done': True} 0\n", 0)


def test_addresses_are_the_guests(kernel, fork_server):
    code = """
    import os, socket
    def pair(name, other):
        with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as client:
            listener.bind(name)
            listener.listen()
            client.connect(other)
            with listener.accept()[0] as accepted:
                client.sendall(b'through')
                assert accepted.recv(100) == b'through'
            return listener.getsockname(), client.getpeername(), client.getsockname(), os.path.exists(name)
    os.mkdir('/tmp/deep')
    os.mkdir('/tmp/' + 'x' * 50)
    long = '/tmp/' + 'x' * 50 + '/' + 'y' * 50
    [pair('/tmp/a', '/tmp/../tmp/a'), pair('/home/user/b', '//home/user/b'), pair('/dev/shm/c', '/dev/shm/c'),
     pair('/tmp/deep/d', '/var/tmp/deep/d'), pair(long, long) == (long, long, '', True)]
    """
    assert evaluate(kernel, code) == [
        *((name, name, "", True) for name in ("/tmp/a", "/home/user/b", "/dev/shm/c", "/tmp/deep/d")),
        True,
    ]
    if fork_server.greeting["level"] != "ns-nocap":  # at that level the guest cannot see a process's directory
        assert evaluate(kernel, "pair('relative', '/home/user/relative')[2:]") == ("", True)


def test_mistakes(kernel):
    code = """
    import errno, os, socket
    def attempt(call, address):
        with socket.socket(socket.AF_UNIX) as sock:
            try:
                getattr(sock, call)(address)
            except OSError as error:
                return errno.errorcode[error.errno]
        return 'WORKED'
    open('/tmp/file', 'w').close()
    os.mkdir('/tmp/folder')
    left = socket.socket(socket.AF_UNIX); left.bind('/tmp/left'); left.close()
    [attempt('connect', '/tmp/no'), attempt('connect', '/tmp/file'), attempt('connect', '/tmp/left'),
     attempt('connect', '/tmp/file/x'), attempt('connect', '/tmp/folder'), attempt('bind', '/tmp/file'),
     attempt('bind', '/tmp/no/x'), attempt('bind', '/tmp/left')]
    """
    assert evaluate(kernel, code) == [
        *("ENOENT", "ECONNREFUSED", "ECONNREFUSED", "ENOTDIR", "ECONNREFUSED"),
        *("EADDRINUSE", "ENOENT", "EADDRINUSE"),
    ]


def test_a_client_waits_while_too_many_do(kernel):
    code = """
    import os, socket, threading
    listener = socket.socket(socket.AF_UNIX); listener.bind('/tmp/a'); listener.listen(0)
    done = []
    def connect():
        with socket.socket(socket.AF_UNIX) as client:
            client.connect('/tmp/a')
            done.append(client.recv(1))
    threads = [threading.Thread(target=connect) for _ in range(8)]
    for thread in threads: thread.start()
    for _ in threads:
        os.stat('/tmp/a')
        listener.accept()[0].sendall(b'x')
    for thread in threads: thread.join()
    done
    """
    assert evaluate(kernel, code) == [b"x"] * 8


def test_what_does_not_block_goes_on_like_that(kernel, fork_server):
    if fork_server.greeting["level"] == "ns-nocap":
        pytest.skip("the guest cannot see what a process's descriptors are like")
    code = """
    import errno, socket
    listener = socket.socket(socket.AF_UNIX); listener.setblocking(False); listener.bind('/tmp/a'); listener.listen(0)
    clients = [socket.socket(socket.AF_UNIX) for _ in range(9)]
    for client in clients: client.setblocking(False)
    def attempt(action, *arguments):
        try:
            return action(*arguments)
        except BlockingIOError as error:
            return errno.errorcode[error.errno]
    [attempt(listener.accept), attempt(clients[0].connect, '/tmp/a'), attempt(clients[0].recv, 1),
     [attempt(client.connect, '/tmp/a') for client in clients[1:]][-1]]
    """
    assert evaluate(kernel, code) == ["EAGAIN", None, "EAGAIN", "EAGAIN"]


def test_an_event_loop(kernel):
    code = """
    import asyncio
    async def echo(reader, writer):
        writer.write(await reader.readexactly(2**21))
        await writer.drain()
        writer.close()
    async def main():
        async with await asyncio.start_unix_server(echo, '/tmp/loop', limit=2**22):
            reader, writer = await asyncio.open_unix_connection('/tmp/loop', limit=2**22)
            writer.write(bytes(2**21))
            return len(await reader.readexactly(2**21))
    await main()
    """
    assert evaluate(kernel, code) == 2**21


@pytest.fixture
def host() -> Iterator[tuple[str, str]]:
    """A listener of the machine that everybody may connect to: its path and its abstract name."""
    taken: list[str] = []
    with tempfile.TemporaryDirectory(dir="/var/tmp") as directory:
        Path(directory).chmod(0o777)
        listeners = []
        for address in (f"{directory}/socket", f"\0rewardkit-test-{os.getpid()}"):
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(address)
            listener.listen()
            listeners.append(listener)
        Path(directory, "socket").chmod(0o777)
        yield f"{directory}/socket", f"\0rewardkit-test-{os.getpid()}"
        for listener in listeners:
            listener.setblocking(False)
            try:
                listener.accept()
                taken.append(str(listener.getsockname()))
            except BlockingIOError:
                pass
            listener.close()
    assert not taken


HOSTILE = """
import ctypes, errno, os, socket, threading
libc = ctypes.CDLL(None, use_errno=True)
def attempt(action, *arguments):
    try:
        action(*arguments)
    except OSError as error:
        return errno.errorcode[error.errno]
    return 'WORKED'
def connect(address):
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(address)
def bind(address):
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(address)
"""


@pytest.mark.usefixtures("guarded")
def test_the_machines_sockets_are_out_of_reach(kernel, host, fork_server):
    path, abstract = host
    kernel.run(HOSTILE)
    code = f"""
    path, abstract = {path!r}, {abstract!r}
    folder = os.path.dirname(path)
    os.symlink(path, '/tmp/link')
    os.symlink(folder, '/tmp/folder')
    os.symlink('/', '/tmp/root')
    ways = [path, '/tmp/link', '/tmp/folder/socket', '/tmp/root' + path, '/home/user/../..' + path,
            '/proc/self/root' + path, '/proc/1/root' + path, '/proc/self/cwd/../../../../../..' + path, abstract,
            '../' * 20 + path[1:], 'a', '']
    [attempt(connect, way) for way in ways] + [attempt(os.link, path, '/tmp/hard'), attempt(os.rename, path, '/tmp/b')]
    """
    assert "WORKED" not in evaluate(kernel, code)
    if not fork_server.greeting["layers"]["private root"]:
        places = "['/etc/a', '/root/a', '/tmp/root/var/tmp/a', '/usr/tmp/a', chr(0) + 'rewardkit-mine', '']"
        assert set(evaluate(kernel, f"[attempt(bind, place) for place in {places}]")) <= {"EACCES", "EINVAL"}


@pytest.mark.usefixtures("guarded")
def test_other_kinds_of_sockets(kernel, host, fork_server):
    path, abstract = host
    kernel.run(HOSTILE)
    code = f"""
    path, abstract = {path!r}, {abstract!r}
    def stream(way):
        socket.socket(socket.AF_UNIX).sendto(b'x', way)
    def message(way):
        socket.socket(socket.AF_UNIX).sendmsg([b'x'], [], 0, way)
    def paired(kind, way):
        socket.socketpair(socket.AF_UNIX, kind)[0].connect(way)
    def sent(kind, way):
        socket.socketpair(socket.AF_UNIX, kind)[0].sendto(b'x', way)
    [attempt(*call, way) for way in (path, abstract) for call in (
        [stream], [message], [paired, socket.SOCK_STREAM], [paired, socket.SOCK_SEQPACKET],
        [sent, socket.SOCK_STREAM], [sent, socket.SOCK_SEQPACKET])]
    """
    assert "WORKED" not in evaluate(kernel, code)
    if not fork_server.greeting["layers"]["private root"]:
        kinds = "(socket.SOCK_DGRAM, socket.SOCK_SEQPACKET, socket.SOCK_RAW)"
        code = f"[attempt(socket.socket, socket.AF_UNIX, kind) for kind in {kinds}]"
        assert evaluate(kernel, code) == ["EACCES"] * 3
        assert evaluate(kernel, "attempt(socket.socketpair, socket.AF_UNIX, socket.SOCK_DGRAM)") == "EACCES"
        assert evaluate(
            kernel, "attempt(socket.socket, socket.AF_INET), attempt(socket.socket, socket.AF_NETLINK)"
        ) == (
            "EACCES",
            "EACCES",
        )


@pytest.mark.usefixtures("guarded")
@pytest.mark.parametrize("what", ["link", "folder", "address"])
def test_what_changes_meanwhile_leads_nowhere_else(kernel, host, what):
    path, abstract = host
    kernel.run(HOSTILE)
    # Half of the time, all paths lead to a listener of the candidate's own.
    code = f"""
    path, abstract, what = {path!r}, {abstract!r}, {what!r}
    listeners = []
    os.makedirs('/tmp/a/b')
    for place in ('/tmp/own', '/tmp/a/b/socket'):
        listener = socket.socket(socket.AF_UNIX); listener.bind(place); listener.listen(4000)
        listeners.append(listener)
    os.symlink(os.path.dirname(path), '/tmp/a/out')
    os.symlink(path, '/tmp/out')
    buffer = ctypes.create_string_buffer(b'', 110)
    def write(name):
        ctypes.memmove(buffer, socket.AF_UNIX.to_bytes(2, 'little') + name.encode().ljust(108, b'\\0'), 110)
    renameat2 = lambda one, other: libc.renameat2(-100, one, -100, other, 2)
    change = {{
        'link': lambda: renameat2(b'/tmp/out', b'/tmp/own'),
        'folder': lambda: renameat2(b'/tmp/a/out', b'/tmp/a/b'),
        'address': lambda: (write(path), write(abstract), write('/tmp/own')),
    }}[what]
    write({{'link': '/tmp/own', 'folder': '/tmp/a/b/socket', 'address': '/tmp/own'}}[what])
    going = True
    def changing():
        while going:
            change()
    changer = threading.Thread(target=changing)
    changer.start()
    tries = connected = 0
    while tries < 300 or not connected:
        tries += 1
        with socket.socket(socket.AF_UNIX) as sock:
            connected += libc.connect(sock.fileno(), buffer, 110) == 0
    going = False
    changer.join()
    connected > 0
    """
    assert evaluate(kernel, code) is True


def test_one_sandboxs_sockets_are_not_anothers(fork_server, kernel):
    kernel.run(HOSTILE)
    evaluate(kernel, "mine = socket.socket(socket.AF_UNIX); mine.bind('/tmp/mine'); mine.listen()\n1")
    with fork_server.spawn(processes=2000) as other:
        beside = other.kernel()
        beside.run(HOSTILE)
        assert evaluate(beside, "attempt(connect, '/tmp/mine')") == "ENOENT"
    assert evaluate(kernel, "attempt(connect, '/tmp/mine')") == "WORKED"
