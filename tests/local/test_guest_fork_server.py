"""The fork server itself: its start, its requests, its refusals, and its limits on sandboxes."""

from __future__ import annotations

import os
import signal
import socket
import sys
import textwrap

import pytest
from guest_driver import Connection, ForkServer, RequestFailedError

from pytest_rewardkit.local.wire.channel import Channel


@pytest.fixture(scope="module")
def fork_server():
    with ForkServer() as server:
        yield server


def test_the_greeting_says_what_holds(fork_server):
    greeting = fork_server.greeting
    assert greeting["event"] == "ready"
    assert greeting["level"] in ("full", "no-procfs", "ns-nocap", "uid", "landlock", "weak")
    assert set(greeting["layers"]) == {
        "private root",
        "translated paths",
        "own file locks",
        "own procfs",
        "process namespace",
        "network namespace",
        "user namespace",
        "own user id",
        "landlock abi",
        "seccomp",
        "memory in all",
    }
    assert isinstance(greeting["gaps"], list)
    assert greeting["preloaded"] == []
    assert greeting["boot_ms"] > 0


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"sandbox": "no/such"}, "not a sandbox's id"),
        ({"sandbox": ""}, "not a sandbox's id"),
        ({"limits": {"memory": 5}}, "unknown limit 'memory'; known are memory_mb"),
        ({"limits": {"memory_mb": -1}}, "must be a positive whole number"),
        ({"limits": {"memory_mb": True}}, "must be a positive whole number"),
        ({"limits": {"memory_mb": 1.5}}, "must be a positive whole number"),
        ({"limits": [1]}, "limits must be an object"),
    ],
)
def test_bad_requests_to_spawn(fork_server, fields, message):
    with pytest.raises(RequestFailedError, match=message) as caught:
        fork_server.request("spawn", [0], **{"sandbox": "bad", "limits": {}, **fields})
    assert caught.value.code == "invalid_argument"
    with fork_server.spawn() as box:
        assert box.kernel().run("1 + 1").text == "2"


def test_spawning_takes_one_descriptor(fork_server):
    for descriptors in ([], [0, 1]):
        with pytest.raises(RequestFailedError, match="spawn takes the guest's channel alone"):
            fork_server.request("spawn", descriptors, sandbox="bad", limits={})


def test_a_descriptor_that_is_no_socket_ends_that_sandbox_alone(fork_server):
    pid = fork_server.request("spawn", [0], sandbox="nosocket", limits={})["pid"]
    fork_server.event("exit", pid=pid)
    with fork_server.spawn() as box:
        assert box.kernel().run("1 + 1").text == "2"


def test_unknown_operations_and_processes(fork_server):
    with pytest.raises(RequestFailedError, match="unknown operation 'dance'"):
        fork_server.request("dance")
    for pid in (os.getpid(), 1, 0, -1, None, "1", [1]):
        with pytest.raises(RequestFailedError) as caught:
            fork_server.request("kill", pid=pid)
        assert caught.value.code == "not_found"


def test_a_sandbox_that_cannot_be_set_up_says_why(fork_server):
    with fork_server.spawn(open_files=1) as box:
        assert "Too many open files" in box.event("failed")["message"]
    with fork_server.spawn() as box:
        assert box.kernel().run("1 + 1").text == "2"


def test_requests_may_be_sent_without_waiting(fork_server):
    """The server does so: it asks for the kernel before it knows that the sandbox exists."""
    box = Connection()
    kernel_end, theirs = socket.socketpair()
    reader, writer = os.pipe()
    number = fork_server.send("spawn", [box.theirs.fileno()], sandbox="eager", limits={})
    kernel_request = box.send("kernel", [theirs.fileno(), writer, writer, reader])
    theirs.close()
    os.close(writer)
    kernel = Channel(kernel_end)
    assert kernel.receive().message == {"event": "ready"}
    assert box.answer(kernel_request)[0]["pid"] > 0
    pid = fork_server.answer(number)[0]["pid"]
    fork_server.request("kill", pid=pid)
    fork_server.event("exit", pid=pid, status=-signal.SIGKILL)
    box.theirs.close()
    box.channel.close()
    kernel.close()
    os.close(reader)


def test_open_files_and_processor_time_are_limited(fork_server):
    with fork_server.spawn(open_files=64, cpu_seconds=1) as box:
        kernel = box.kernel()
        assert kernel.run("files = [open('/dev/null') for _ in range(100)]").error["name"] == "OSError"
        pid = kernel.pid
        assert kernel.run("while True: pass").ended is None
        assert box.event("exit", pid=pid)["status"] in (-signal.SIGXCPU, -signal.SIGKILL)


def test_modules_are_preloaded_when_asked_for():
    pytest.importorskip("pandas", reason="needs the extra 'examples'")
    with ForkServer("--preload", "numpy,pandas,matplotlib,no_such_module") as server:
        assert server.greeting["preloaded"] == ["numpy", "pandas", "matplotlib"]
        with server.spawn() as box, server.spawn() as other:
            first, second = box.kernel(), other.kernel()
            draw = "import numpy\nnumpy.random.random()"
            assert first.run(draw).text != second.run(draw).text
            assert "imported" not in first.run("import numpy, pandas, matplotlib").ended
            figure = first.run("import matplotlib.pyplot as plt\nplt.plot([1, 2]);")
            assert set(figure.results[0]) >= {"image/png", "text/plain", "e2b/chart"}


def test_modules_that_start_threads_are_not_forked():
    """A fork copies only one thread, so the locks of the others would stay locked forever."""
    program = """
    import importlib.abc, importlib.machinery, sys, threading
    from pytest_rewardkit.local.guest.__main__ import main

    class Threaded(importlib.abc.MetaPathFinder, importlib.abc.Loader):
        def find_spec(self, name, path, target=None):
            return importlib.machinery.ModuleSpec(name, self) if name == "threaded" else None

        def exec_module(self, module):
            threading.Thread(target=threading.Event().wait, daemon=True).start()

    sys.meta_path.insert(0, Threaded())
    sys.exit(main(sys.argv[1:]))
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    with ForkServer("--preload", "threaded", command=command) as server:
        assert server.greeting["event"] == "failed"
        assert "started threads" in server.greeting["message"]
        assert server.process.wait() == 1


def test_strict_isolation_is_refused_where_it_cannot_be_had():
    """test_guest_levels tests the decision; this tests that the refusal reaches the server."""
    unavailable = "uid" if os.geteuid() else "ns-nocap"
    with ForkServer("--isolation", unavailable) as server:
        assert server.greeting["event"] == "failed"
        assert f"isolation {unavailable!r} does not work here" in server.greeting["message"]
        assert server.process.wait() == 1


def test_the_fork_server_survives_interrupts_of_its_terminal(fork_server):
    fork_server.process.send_signal(signal.SIGINT)
    with fork_server.spawn() as box:
        assert box.kernel().run("1 + 1").text == "2"


def test_the_end_of_the_fork_server_ends_its_sandboxes():
    """Also if it is killed, so that nothing cleans up."""
    server = ForkServer()
    box = server.spawn()
    kernel = box.kernel()
    kernel.start("while True: pass")
    server.process.kill()
    assert kernel.finish().ended is None
    with pytest.raises(EOFError):
        box.event("never")
    server.close()
    box.close()
