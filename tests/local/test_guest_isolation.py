"""Attacks by a hostile candidate, at every isolation level that promises to stop them.

As root, the tests cover root's levels, and an ordinary user's by dropping to one with setpriv. If the machine does not
support a level, its tests are skipped with what the level needs.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import socket
import subprocess
import tempfile
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from guest_driver import LEAVES_A_DAEMON, MODULE, ForkServer, RequestFailedError, evaluate, processes_below
from guest_places import PROMISING, as_ordinary_user, served
from processes import all_end, eventually, watch

import pytest_rewardkit

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module", params=PROMISING)
def fork_server(request) -> Iterator[ForkServer]:
    with served(request) as server:
        yield server


@pytest.fixture
def level(fork_server: ForkServer) -> str:
    return fork_server.greeting["level"]


@dataclasses.dataclass
class Victim:
    """A process on the host, of the same user as the fork server, that a candidate must not affect."""

    process: subprocess.Popen[bytes]
    secret: str

    @property
    def pid(self) -> int:
        return self.process.pid


@pytest.fixture
def victim(fork_server: ForkServer) -> Iterator[Victim]:
    secret = "the-secret-of-the-host"
    user = as_ordinary_user() if "--clear-groups" in fork_server.command else []
    command = [*user, "sleep", "1000"]
    with subprocess.Popen(command, env={"PATH": os.defpath, "E2B_API_KEY": secret}) as process:
        yield Victim(process, secret)
        process.kill()


TRY = """
import os, socket, errno, signal, ctypes
def attempt(action, *arguments):
    try:
        result = action(*arguments)
    except OSError as error:
        return errno.errorcode[error.errno]
    return 'WORKED'
"""

READ = (
    TRY
    + """
def read(path):
    with open(path, 'rb') as file:
        file.read(1)
"""
)


def test_files_of_the_host_cannot_be_read(kernel, tmp_path):
    key = tmp_path / "id_ed25519"
    key.write_text("private")
    paths = [str(key), __file__, "/etc/shadow", "/etc/ssh/sshd_config", "/dev/mem", "/proc/kcore"]
    paths += [str(Path.home() / ".bashrc")]
    paths += [f"/proc/{os.getpid()}/root{key}", f"/proc/self/root{key}", "/proc/1/root/etc/shadow", "/var/log/dpkg.log"]
    kernel.run(READ)
    assert "WORKED" not in evaluate(kernel, f"[attempt(read, path) for path in {paths!r}]")


def test_nothing_outside_its_directories_can_be_changed(kernel, tmp_path):
    targets = [str(tmp_path), "/etc", "/usr/lib", "/usr/local", "/var", "/", "/home", "/run", "/dev"]
    targets += [str(Path(pytest_rewardkit.__file__).parent), "/opt", "/root", "/proc", "/sys"]
    kernel.run(TRY + "import sysconfig\nsite = sysconfig.get_path('purelib')")
    code = f"""
    [
        attempt(action, directory + '/planted')
        for directory in {targets!r} + [site]
        for action in (os.mkdir, lambda path: os.symlink('/', path), lambda path: open(path, 'w'))
        if directory != {str(tmp_path)!r} or os.path.isdir(directory)
    ]
    """
    assert "WORKED" not in evaluate(kernel, code)
    assert not list(tmp_path.iterdir())


def test_the_hosts_environment_is_out_of_sight(kernel, victim, fork_server):
    kernel.run(READ + "import glob")
    code = """
    found = []
    for path in glob.glob('/proc/*/environ') + glob.glob('/proc/*/cmdline'):
        try:
            found.append(open(path, 'rb').read())
        except OSError:
            pass
    b'\\0'.join(found).decode()
    """
    assert victim.secret not in evaluate(kernel, code)
    outside = [os.getpid(), fork_server.process.pid, fork_server.pid, victim.pid]
    code = f"[attempt(read, f'/proc/{{pid}}/environ') for pid in {outside}]"
    assert "WORKED" not in evaluate(kernel, code)
    names = set(evaluate(kernel, "dict(os.environ)"))
    own = {"ARROW_DEFAULT_MEMORY_POOL", "PATH", "HOME", "LANG", "LOGNAME", "MPLBACKEND", "SHELL", "TMPDIR", "USER"}
    assert names <= own


def test_the_hosts_services_cannot_be_reached(kernel):
    with contextlib.ExitStack() as stack:
        tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        udp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        udp.bind(("127.0.0.1", 0))
        udp.setblocking(False)
        abstract = stack.enter_context(socket.socket(socket.AF_UNIX))
        abstract.bind("\0rewardkit-test")
        abstract.listen()
        directory = stack.enter_context(tempfile.TemporaryDirectory(dir=Path(__file__).parent))
        Path(directory).chmod(0o777)
        by_path = stack.enter_context(socket.socket(socket.AF_UNIX))
        by_path.bind(f"{directory}/stream")
        by_path.listen()
        datagrams = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        datagrams.bind(f"{directory}/datagram")
        datagrams.setblocking(False)
        kernel.run(TRY)
        code = f"""
        def connect(family, address, kind=socket.SOCK_STREAM):
            sock = socket.socket(family, kind)
            sock.settimeout(5)
            sock.connect(address)
        def send(family, address):
            socket.socket(family, socket.SOCK_DGRAM).sendto(b'x', address)
        def send_through_pair(path):
            socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)[0].sendto(b'x', path)
        [
            attempt(connect, socket.AF_INET, {tcp.getsockname()!r}),
            attempt(connect, socket.AF_UNIX, {abstract.getsockname()!r}),
            attempt(connect, socket.AF_UNIX, {by_path.getsockname()!r}),
            attempt(connect, socket.AF_INET, ('1.1.1.1', 53)),
            attempt(connect, socket.AF_INET, ('169.254.169.254', 80)),
            attempt(connect, socket.AF_INET, ('10.0.0.1', 443)),
            attempt(connect, socket.AF_INET6, ('::1', {tcp.getsockname()[1]})),
            attempt(connect, socket.AF_INET6, ('::ffff:127.0.0.1', {tcp.getsockname()[1]})),
            attempt(connect, socket.AF_INET6, ('2606:4700::1111', 443)),
            attempt(send_through_pair, {datagrams.getsockname()!r}),
            attempt(send, socket.AF_UNIX, {datagrams.getsockname()!r}),
        ]
        """
        assert "WORKED" not in evaluate(kernel, code)
        # A datagram to its own loopback is allowed; it must not arrive at the host's.
        evaluate(kernel, f"attempt(send, socket.AF_INET, {udp.getsockname()!r})")
        for sock in (udp, datagrams):
            with pytest.raises(BlockingIOError):
                sock.recv(1)


def test_servers_of_its_own_can_be_reached(fork_server, box):
    if not fork_server.greeting["layers"]["private root"]:
        pytest.skip("without a root of its own a sandbox has no network, not even its own")
    code = """
    import socket
    server = socket.create_server(('127.0.0.1', 8000))
    client = socket.create_connection(('localhost', 8000))
    client.sendall(b'hello')
    server.accept()[0].recv(5)
    """
    assert evaluate(box.kernel(), code) == b"hello"


def test_the_server_gets_sockets_in_the_sandboxs_own_network(fork_server, box):
    """Through these it forwards requests to listeners in the sandbox, and never to listeners on the host."""
    if not fork_server.greeting["layers"]["private root"]:
        with pytest.raises(RequestFailedError, match="no network") as caught:
            box.request("socket")
        assert caught.value.code == "failed_precondition"
        return
    kernel = box.kernel()
    port = evaluate(kernel, "import socket\nserver = socket.create_server(('127.0.0.1', 0))\nserver.getsockname()[1]")
    _, (descriptor,) = box.answer(box.send("socket"))
    with socket.socket(fileno=descriptor) as client:
        client.connect(("127.0.0.1", port))
        client.sendall(b"from outside")
        assert evaluate(kernel, "server.accept()[0].recv(100)") == b"from outside"
    with socket.create_server(("127.0.0.1", 0)) as host:
        _, (descriptor,) = box.answer(box.send("socket"))
        with socket.socket(fileno=descriptor) as client, pytest.raises(ConnectionRefusedError):
            client.connect(host.getsockname())


def test_the_server_listens_in_the_sandbox_where_candidates_may_not(fork_server, box, kernel):
    """Through this it forwards internet connections: every address leads there. The server is not root in it."""
    if not fork_server.greeting["layers"]["private root"]:
        pytest.skip("without a root of its own a sandbox has no network")
    _, (descriptor,) = box.answer(box.send("socket"))
    program = """
    import socket
    listener = socket.socket(fileno=0)
    listener.bind(("0.0.0.0", 443))
    listener.listen()
    print("listening", flush=True)
    print(listener.accept()[0].getsockname()[0])
    """
    user = as_ordinary_user() if "--clear-groups" in fork_server.command else []
    command = [*user, fork_server.command[-1 - len(MODULE)], "-c", textwrap.dedent(program)]
    with subprocess.Popen(command, stdin=descriptor, stdout=subprocess.PIPE, text=True) as server:
        os.close(descriptor)
        assert server.stdout is not None
        assert server.stdout.readline() == "listening\n"
        kernel.run(TRY)
        assert evaluate(kernel, "attempt(socket.create_connection, ('9.9.9.9', 443))") == "WORKED"
        assert server.communicate()[0] == "9.9.9.9\n"
    assert evaluate(kernel, "attempt(socket.create_server, ('127.0.0.1', 443))") == "EACCES"


def test_processes_of_the_host_cannot_be_signalled(kernel, victim, fork_server):
    outside = [victim.pid, os.getpid(), os.getppid(), fork_server.process.pid, fork_server.pid]
    kernel.run(TRY)
    code = f"[attempt(os.kill, pid, number) for pid in {outside} for number in (0, signal.SIGSTOP, signal.SIGKILL)]"
    answers = evaluate(kernel, code)
    if fork_server.greeting["layers"]["process namespace"]:
        # These numbers may belong to the sandbox's own processes; what counts is which processes survive.
        assert set(answers) <= {"ESRCH", "EPERM", "WORKED"}
    else:
        assert set(answers) == {"EPERM"}
    assert victim.process.poll() is None
    assert fork_server.process.poll() is None
    with fork_server.spawn() as other:
        assert other.kernel().run("1 + 1").text == "2"


def test_a_kill_of_everything_spares_all_others(fork_server, box, victim):
    with fork_server.spawn() as sibling:
        witness = sibling.kernel()
        kernel = box.kernel()
        kernel.run("import os, signal\nos.kill(-1, signal.SIGKILL)")
        assert witness.run("1 + 1").text == "2"
        assert victim.process.poll() is None
        # Its own guest, too.
        assert box.run("echo alive")[0] == "alive\n"


def test_the_guest_cannot_be_harmed(box, kernel, fork_server):
    guest = 1 if fork_server.greeting["layers"]["process namespace"] else box.pid
    kernel.run(READ)
    evaluate(
        kernel,
        f"[attempt(os.kill, {guest}, number) for number in range(1, 65) if number not in (32, 33)]",
    )
    paths = [f"/proc/{guest}/{name}" for name in ("mem", "environ", "maps", "fd/3", "root/etc/passwd", "syscall")]
    assert "WORKED" not in evaluate(kernel, f"[attempt(read, path) for path in {paths!r}]")
    assert "WORKED" not in evaluate(kernel, f"[attempt(os.listdir, '/proc/{guest}/fd')]")
    text, _ = box.run(f"kill -KILL {guest}; kill -STOP {guest}; kill -TERM {guest}; kill -INT {guest}; echo done")
    assert text.endswith("done\n")
    assert box.request("stat", path="")["entry"]["path"] == "/home/user"


def test_a_flood_of_signals_does_not_keep_the_guest_from_serving(box, kernel, fork_server):
    guest = 1 if fork_server.greeting["layers"]["process namespace"] else box.pid
    code = f"""
    import multiprocessing
    def flood():
        while True:
            for number in (signal.SIGINT, signal.SIGCHLD, signal.SIGTERM, signal.SIGUSR1, signal.SIGPIPE):
                attempt(os.kill, {guest}, number)
    workers = [multiprocessing.get_context('fork').Process(target=flood) for _ in range(3)]
    [worker.start() for worker in workers]
    len(workers)
    """
    kernel.run(TRY)
    assert evaluate(kernel, code) == 3
    for number in range(20):
        assert box.run(f"echo {number}") == (f"{number}\n", 0)
        assert box.write(f"{number}.txt", b"written")["path"] == f"/home/user/{number}.txt"
    assert box.kernel().run("6 * 7").text == "42"
    assert evaluate(kernel, "[worker.is_alive() for worker in workers]") == [True, True, True]


def test_memory_of_other_processes_is_closed(kernel, box, victim, fork_server):
    guest = 1 if fork_server.greeting["layers"]["process namespace"] else box.pid
    kernel.run(
        TRY
        + """
libc = ctypes.CDLL(None, use_errno=True)
def call(name, *arguments):
    ctypes.set_errno(0)
    if getattr(libc, name)(*arguments) == -1:
        return errno.errorcode[ctypes.get_errno()]
    return 'WORKED'
PTRACE_ATTACH, PTRACE_SEIZE = 16, 0x4206
"""
    )
    code = f"""
    buffer = ctypes.create_string_buffer(8)
    class Vector(ctypes.Structure):
        _fields_ = [('base', ctypes.c_void_p), ('length', ctypes.c_size_t)]
    local = Vector(ctypes.addressof(buffer), 8)
    remote = Vector(id(0), 8)
    [
        answer
        for pid in ({guest}, {victim.pid}, {fork_server.pid}, {fork_server.process.pid})
        for answer in (
            call('ptrace', PTRACE_ATTACH, pid, 0, 0),
            call('ptrace', PTRACE_SEIZE, pid, 0, 0),
            call('process_vm_readv', pid, ctypes.byref(local), 1, ctypes.byref(remote), 1, 0),
            call('process_vm_writev', pid, ctypes.byref(local), 1, ctypes.byref(remote), 1, 0),
        )
    ]
    """
    assert set(evaluate(kernel, code)) == {"ENOSYS"}


def test_dangerous_system_calls_fail(kernel):
    kernel.run(TRY + "libc = ctypes.CDLL(None, use_errno=True)\nfrom os import uname")
    code = """
    x86 = uname().machine == 'x86_64'
    numbers = {
        'mount': 165 if x86 else 40, 'umount2': 166 if x86 else 39, 'pivot_root': 155 if x86 else 41,
        'chroot': 161 if x86 else 51, 'unshare': 272 if x86 else 97, 'setns': 308 if x86 else 268,
        'bpf': 321 if x86 else 280, 'keyctl': 250 if x86 else 219, 'add_key': 248 if x86 else 217,
        'perf_event_open': 298 if x86 else 241, 'userfaultfd': 323 if x86 else 282,
        'io_uring_setup': 425, 'clone3': 435, 'open_tree': 428, 'fsopen': 430, 'move_mount': 429,
        'mount_setattr': 442, 'pidfd_getfd': 438, 'name_to_handle_at': 303 if x86 else 264,
        'open_by_handle_at': 304 if x86 else 265, 'init_module': 175 if x86 else 105,
        'kexec_load': 246 if x86 else 104, 'reboot': 169 if x86 else 142, 'swapon': 167 if x86 else 224,
        'syslog': 103 if x86 else 116, 'personality': 135 if x86 else 92, 'quotactl': 179 if x86 else 60,
        'shmget': 29 if x86 else 194, 'msgget': 68 if x86 else 186, 'fanotify_init': 300 if x86 else 262,
        'clock_settime': 227 if x86 else 112, 'sethostname': 170 if x86 else 161,
    }
    if x86:
        # The same calls by the numbers of the x32 ABI.
        numbers.update({'x32 getpid': 0x40000000 + 39, 'x32 mount': 0x40000000 + 165, 'x32 ptrace': 0x40000000 + 521})
    outcomes = {}
    for name, number in numbers.items():
        ctypes.set_errno(0)
        result = libc.syscall(ctypes.c_long(number), 0, 0, 0, 0, 0, 0)
        outcomes[name] = errno.errorcode[ctypes.get_errno()] if result == -1 else 'WORKED'
    outcomes
    """
    outcomes = evaluate(kernel, code)
    assert len(outcomes) > 30
    assert set(outcomes.values()) == {"ENOSYS"}, {name: how for name, how in outcomes.items() if how != "ENOSYS"}


def test_no_new_namespaces(kernel):
    kernel.run(TRY + "libc = ctypes.CDLL(None, use_errno=True)")
    code = """
    outcomes = []
    for flag in (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000):
        pid = libc.syscall(ctypes.c_long(56 if os.uname().machine == 'x86_64' else 220), flag | 17, 0, 0, 0, 0)
        if pid == 0:
            os._exit(0)
        outcomes.append(errno.errorcode[ctypes.get_errno()] if pid == -1 else 'WORKED')
    outcomes
    """
    assert set(evaluate(kernel, code)) == {"EPERM"}


def test_rights_are_gone_for_good(kernel):
    kernel.run(TRY + "libc = ctypes.CDLL(None, use_errno=True)")
    code = """
    PR_GET_SECCOMP, PR_CAPBSET_READ, PR_GET_NO_NEW_PRIVS = 21, 23, 39
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    capabilities = (ctypes.c_uint32 * 6)()
    [
        libc.prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0),
        libc.prctl(PR_GET_SECCOMP, 0, 0, 0, 0),
        libc.capget(header, capabilities),
        list(capabilities),
    ]
    """
    assert evaluate(kernel, code) == [1, 2, 0, [0, 0, 0, 0, 0, 0]]
    code = "[attempt(os.setuid, 0), attempt(os.setgid, 0), attempt(os.chown, os.environ['HOME'], 12345, 12345)]"
    assert "WORKED" not in evaluate(kernel, f"[] if os.getuid() == 0 else {code}")


def test_sandboxes_do_not_see_each_other(fork_server, box):
    with fork_server.spawn() as other:
        other.write("secret.txt", b"of the other sandbox")
        home = other.kernel().run("import os\nos.environ['HOME']").text.strip("'")
        theirs = other.kernel()
        theirs.run("import subprocess\nprocess = subprocess.Popen(['sleep', '987'])")
        kernel = box.kernel()
        kernel.run(READ)
        paths = [f"{home}/secret.txt", f"{home}/../../box1/home/secret.txt", f"/proc/{other.pid}/cwd/secret.txt"]
        if home == "/home/user":
            # The same name in another directory.
            assert evaluate(kernel, "attempt(read, '/home/user/secret.txt')") == "ENOENT"
        assert "WORKED" not in evaluate(kernel, f"[attempt(read, path) for path in {paths!r}]")
        kernel.run("import subprocess\nsubprocess.run(['pkill', '-KILL', 'sleep'])")
        assert theirs.run("process.poll()").results == []


def test_the_home_directory_is_private_to_the_user(box):
    mode = box.request("stat", path="/home/user")["entry"]["permissions"]
    assert mode in ("drwxr-xr-x", "drwx------")


def test_memory_is_limited(fork_server):
    with fork_server.spawn(memory_mb=256) as box:
        kernel = box.kernel()
        assert kernel.run("x = bytearray(2**30)").error["name"] == "MemoryError"
        assert kernel.run("len(bytearray(100 * 2**20))").text == str(100 * 2**20)


def test_memory_of_all_processes_together_is_limited(fork_server):
    """Each process stays below its own limit; all of them end, and the sandbox goes on."""
    with fork_server.spawn(memory_mb=512) as box, fork_server.spawn(memory_mb=512) as other:
        witness = other.kernel()
        kernel = box.kernel()
        pid = kernel.pid
        code = """
        import os, time
        for _ in range(6):
            if os.fork() == 0:
                x = bytearray(300 * 2**20)
                for i in range(0, len(x), 4096):
                    x[i] = 1
                break
        time.sleep(1000)
        """
        assert kernel.run(textwrap.dedent(code)).ended is None
        assert box.event("exit", pid=pid) == {"event": "exit", "pid": pid, "status": -9, "reason": "memory"}
        assert box.kernel().run("1 + 1").text == "2"
        assert witness.run("1 + 1").text == "2"


UNMAPPED_MEMORY = """
import mmap
maps = []
while len(maps) < 60:
    maps.append(mmap.mmap(-1, 6 * 2**20))
    maps[-1].write(b'x' * len(maps[-1]))
    maps[-1].madvise(mmap.MADV_DONTNEED)  # it is shared, so its pages stay, and count as no process's
"""


def test_memory_that_no_process_has_mapped_is_limited(fork_server):
    if fork_server.greeting["layers"]["memory in all"] == "watchdog":
        pytest.skip("needs control groups that this user may make")
    with fork_server.spawn(memory_mb=128, disk_mb=8) as box, fork_server.spawn() as other:
        witness = other.kernel()
        kernel = box.kernel()
        pid = kernel.pid
        assert kernel.run(UNMAPPED_MEMORY).ended is None
        assert box.event("exit", pid=pid)["reason"] == "memory"
        assert box.kernel().run("1 + 1").text == "2"
        assert witness.run("1 + 1").text == "2"


def test_a_sandbox_does_not_see_where_its_group_is(fork_server, level):
    if level != "full":
        pytest.skip("without namespaces of its own a process sees its group's path, and can do nothing with it")
    with fork_server.spawn() as box:
        assert evaluate(box.kernel(), "open('/proc/self/cgroup').read().count('rewardkit')") == 0


def test_a_full_disk_is_no_lack_of_memory(fork_server):
    """Files are in memory, and so count in a control group, at levels with their own root."""
    with fork_server.spawn(memory_mb=128, disk_mb=160) as box:
        kernel = box.kernel()
        code = """
        with open('big', 'wb', buffering=0) as file:
            for _ in range(200):
                file.write(bytes(2**20))
        """
        assert kernel.run(textwrap.dedent(code)).error["name"] == "OSError"
        assert kernel.run("len(b'x' * (60 * 2**20))").text == str(60 * 2**20)


FORK_UNTIL_REFUSED = """
import os, time
pids = []
try:
    while len(pids) < 1000:
        pid = os.fork()
        if pid == 0:
            time.sleep(1000)
        pids.append(pid)
except BlockingIOError:
    pass
"""


def test_processes_left_behind_do_not_keep_the_next_kernel_from_starting(fork_server, level):
    if level == "landlock":
        pytest.skip("this level counts the processes of all sandboxes together, and root's not at all")
    with fork_server.spawn(processes=20) as box:
        first = box.kernel()
        first.run(FORK_UNTIL_REFUSED)
        kernel = box.kernel()
        assert box.run("echo fine")[0] == "fine\n"
        assert evaluate(kernel, "6 * 7") == 42
        refused = """
        import os
        try:
            os.fork()
            answer = 'WORKED'
        except BlockingIOError:
            answer = 'refused'
        """
        kernel.run(textwrap.dedent(refused))
        assert evaluate(kernel, "answer") == "refused"
        first.run("import signal\nfor pid in pids:\n    os.kill(pid, signal.SIGKILL)\n    os.waitpid(pid, 0)")


def test_shared_pages_are_not_counted_for_each_process(fork_server):
    with fork_server.spawn(memory_mb=512) as box:
        code = """
        import os
        shared = b'x' * (200 * 2**20)
        pids = []
        for _ in range(6):
            reader, writer = os.pipe()
            pid = os.fork()
            if pid == 0:
                os.close(writer)
                os.read(reader, 1)
                os._exit(0)
            pids.append((pid, reader, writer))
        """
        kernel = box.kernel()
        kernel.run(textwrap.dedent(code))
        # Longer than the watch waits between two checks.
        assert kernel.run("import time\ntime.sleep(1.2)\n[os.close(writer) for *_, writer in pids]\n1").text == "1"


def test_processes_are_limited_to_the_sandbox(fork_server):
    if fork_server.greeting["level"] == "landlock":
        pytest.skip("this level counts the processes of all sandboxes together, and root's not at all")
    with fork_server.spawn(processes=40) as box, fork_server.spawn(processes=40) as other:
        kernel = box.kernel()
        kernel.run(FORK_UNTIL_REFUSED)
        assert 30 <= evaluate(kernel, "len(pids)") < 40
        assert other.run("echo fine")[0] == "fine\n"


def test_disk_is_limited(fork_server):
    with fork_server.spawn(disk_mb=16) as box:
        kernel = box.kernel()
        code = """
        import errno
        def fill(path, count):
            try:
                with open(path, 'wb', buffering=0) as file:
                    for _ in range(count):
                        if file.write(bytes(2**20)) != 2**20:
                            return 'short'
                return 'WORKED'
            except OSError as error:
                return errno.errorcode[error.errno]
        """
        kernel.run(textwrap.dedent(code))
        assert evaluate(kernel, "fill('one', 64)") in ("ENOSPC", "EFBIG", "short")
        if fork_server.greeting["layers"]["private root"]:
            # All directories together.
            kernel.run("import os\nos.unlink('one')")
            outcomes = evaluate(kernel, "[fill(path + '/f', 6) for path in ('/home/user', '/tmp', '/dev/shm')]")
            assert outcomes[:2] == ["WORKED", "WORKED"]
            assert outcomes[2] in ("ENOSPC", "short")


def test_killing_leaves_no_process(fork_server):
    before = set(processes_below(os.getpid()))
    box = fork_server.spawn()
    assert box.run("sleep 1000 > /dev/null 2>&1 & (sleep 1000 > /dev/null 2>&1 &)")[1] == 0
    kernel = box.kernel()
    code = """
    import os, signal, time
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    for _ in range(3):
        pid = os.fork()
        if pid == 0:
            os.setsid()
            if os.fork() == 0:
                time.sleep(1000)
            os._exit(0)
        os.waitpid(pid, 0)
    """
    kernel.run(textwrap.dedent(code))
    kernel.start("while True: pass")
    assert len(set(processes_below(os.getpid())) - before) >= 7
    box.kill()
    assert eventually(lambda: set(processes_below(os.getpid())) <= before)


def test_closing_the_guests_channel_ends_the_sandbox(fork_server):
    before = set(processes_below(os.getpid()))
    box = fork_server.spawn()
    kernel = box.kernel()
    kernel.run("import subprocess\nsubprocess.Popen(['sleep', '1000'], start_new_session=True)")
    box.close()
    fork_server.event("exit", pid=box.pid)
    assert eventually(lambda: set(processes_below(os.getpid())) <= before)


@pytest.fixture(params=["uid", "landlock", "none"])
def doomed(request) -> Iterator[ForkServer]:
    """A fork server that the test may end."""
    with served(request) as server:
        yield server


def test_the_end_of_a_fork_server_ends_daemons_of_candidates(doomed):
    """Also if it is killed together with a sandbox's first process."""
    box = doomed.spawn()
    box.kernel().run(LEAVES_A_DAEMON)
    left = watch(processes_below(doomed.pid))
    for pid in (doomed.pid, box.pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    assert doomed.process.wait() == -signal.SIGKILL
    box.close()
    assert len(left) > 1
    assert all_end(left)


def test_many_sandboxes_leave_nothing_behind(fork_server, level):
    def traces() -> tuple[object, ...]:
        server = Path(f"/proc/{fork_server.pid}")
        # Even root's tests cannot read the descriptors of an ordinary user's fork server.
        descriptors = len(list((server / "fd").iterdir())) if os.access(server / "fd", os.R_OK) else None
        directories = sorted(home.parents[1].glob("box*"))
        # Containers come and go meanwhile.
        mounts = [line for line in Path("/proc/self/mounts").read_text().splitlines() if "rewardkit" in line]
        return processes_below(os.getpid()), descriptors, directories, mounts

    with fork_server.spawn() as box:
        home = Path(box.run("echo $HOME")[0].strip())
    before = traces()
    for _ in range(50 if level == "full" else 10):
        with fork_server.spawn() as box:
            box.write("f", b"x" * 1000)
            assert box.kernel().run("1 + 1").text == "2"
    assert eventually(lambda: traces() == before)


def test_a_sandbox_that_has_only_just_been_made_can_be_ended(fork_server):
    for _ in range(30):
        fork_server.spawn().kill()
    with fork_server.spawn() as box:
        assert box.kernel().run("1 + 1").text == "2"


def test_the_end_of_the_fork_servers_channel_ends_everything(fork_server, level):
    before = set(processes_below(os.getpid()))
    server = ForkServer("--isolation", level, command=fork_server.command)
    boxes = [server.spawn() for _ in range(3)]
    for box in boxes:
        box.kernel().start("while True: pass")
    assert server.close() == 0
    assert eventually(lambda: set(processes_below(os.getpid())) <= before)
    for box in boxes:
        box.close()
