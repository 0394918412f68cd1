"""Resources that a sandbox shares with the machine and its neighbours without reading or writing: locks, leases and
watches on the system's files, and what the kernel counts per user. None may block others, or reveal them.
"""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from guest_driver import MODULE, ForkServer, evaluate
from guest_places import PROMISING, as_ordinary_user, served

if TYPE_CHECKING:
    from collections.abc import Iterator

SYSTEM_FILES = [os.path.realpath("/usr/bin/env"), "/etc/ld.so.cache", "/usr", "/usr/bin", "/etc"]


@pytest.fixture(scope="module", params=PROMISING)
def fork_server(request) -> Iterator[ForkServer]:
    with served(request) as server:
        yield server


@pytest.fixture
def interpreter_files(fork_server: ForkServer) -> list[str]:
    """Files of the fork server's own interpreter, which its user may own."""
    prefix = Path(fork_server.command[-1 - len(MODULE)]).parent.parent
    package = next(prefix.glob("lib/python*/site-packages/IPython/__init__.py"), Path(__import__("IPython").__file__))
    found = [prefix / "pyvenv.cfg", package, package.parent]
    return [str(path) for path in found if path.exists()]


ON_FILES = """
import ctypes, errno, fcntl, os, signal, struct
libc = ctypes.CDLL(None, use_errno=True)
opened = {}
def on(path, action, *arguments):
    try:
        descriptor = opened[path] = os.open(path, os.O_RDONLY)
        action(descriptor, *arguments)
        return 'WORKED'
    except OSError as error:
        return errno.errorcode[error.errno]
"""


def test_nobody_is_held_up_by_leases_or_told_by_notifications(kernel, interpreter_files):
    set_lease, notify, set_delegation = 1024, 1026, 1040
    kernel.run(ON_FILES)
    paths = [*interpreter_files, *SYSTEM_FILES, "own", "."]
    answers = evaluate(
        kernel,
        f"""
        open('own', 'w').close()
        signal.signal(signal.SIGIO, signal.SIG_IGN)
        [
            on(path, fcntl.fcntl, command, argument)
            for path in {paths!r}
            for command, argument in (({set_lease}, fcntl.F_RDLCK), ({set_lease}, fcntl.F_WRLCK),
                                      ({notify}, 0x3f), ({set_delegation}, bytes(8)))
        ]
        """,
    )
    # Some of these files cannot even be opened.
    assert set(answers) - {"EACCES"} == {"EINVAL"}


@pytest.mark.parametrize("own_mode", ["LOCK_EX", "LOCK_SH"])
def test_the_systems_files_are_locked_for_nobody_else(fork_server, box, kernel, interpreter_files, own_mode):
    paths = [*interpreter_files, *SYSTEM_FILES]
    kernel.run(ON_FILES)
    code = f"[on(path, fcntl.flock, fcntl.{own_mode} | fcntl.LOCK_NB) for path in {paths!r}]"
    evaluate(kernel, code)
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        finally:
            os.close(descriptor)
    with fork_server.spawn() as other:
        theirs = other.kernel()
        theirs.run(ON_FILES)
        answers = evaluate(theirs, code.replace(own_mode, "LOCK_EX"))
        assert not set(answers) & {"EAGAIN", "EWOULDBLOCK"}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may write to the system's files")
def test_the_systems_files_are_locked_for_no_writer(kernel, interpreter_files):
    paths = [path for path in (*interpreter_files, *SYSTEM_FILES) if Path(path).is_file()]
    kernel.run(ON_FILES)
    set_lock_of_file = 37
    evaluate(
        kernel,
        f"""
        region = struct.pack('hhqqi4x', fcntl.F_RDLCK, 0, 0, 0, 0)
        commands = (fcntl.F_SETLK, {set_lock_of_file})
        [on(path, fcntl.fcntl, command, region) for path in {paths!r} for command in commands]
        """,
    )
    for path in paths:
        try:
            descriptor = os.open(path, os.O_RDWR)
        except OSError as error:
            assert error.errno == errno.ETXTBSY
            continue
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        finally:
            os.close(descriptor)


def test_what_others_do_is_not_seen_by_watches(fork_server, kernel, interpreter_files):
    directories = ["/usr/bin", "/etc", "/usr", str(Path(interpreter_files[-1]).parent), "/usr/share/../bin"]
    # At this level, the isolation has a gap here.
    relatively = [] if fork_server.greeting["level"] == "ns-nocap" else directories
    kernel.run(ON_FILES)
    evaluate(
        kernel,
        f"""
        IN_ALL_EVENTS = 0xfff
        number = libc.inotify_init1(os.O_NONBLOCK)
        for path in {directories!r}:
            libc.inotify_add_watch(number, path.encode(), IN_ALL_EVENTS)
        here = os.getcwd()
        for path in {relatively!r}:
            os.chdir(path)
            libc.inotify_add_watch(number, b'.', IN_ALL_EVENTS)
            libc.inotify_add_watch(number, b'env', IN_ALL_EVENTS)
        os.chdir(here)
        try:
            while os.read(number, 65536): pass
        except BlockingIOError:
            pass
        0
        """,
    )
    subprocess.run(["/usr/bin/env", "true"], check=True)
    list(Path("/usr/bin").iterdir())
    Path("/etc/ld.so.cache").read_bytes()
    code = """
    try:
        seen = os.read(number, 65536)
    except BlockingIOError:
        seen = b''
    seen
    """
    assert evaluate(kernel, code) == b""


EXHAUST = """
import ctypes, os, signal
libc = ctypes.CDLL(None, use_errno=True)
had = {'instances': 0, 'watches': 0, 'timers': 0, 'signals': 0}
keep = []
while had['instances'] < 10**6 and (number := libc.inotify_init1(0)) >= 0:
    had['instances'] += 1
    keep.append(number)
os.makedirs('many', exist_ok=True)
timer = ctypes.create_string_buffer(8)
while had['timers'] < 10**6 and libc.timer_create(0, None, timer) == 0:
    had['timers'] += 1
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGRTMIN])
pid = os.getpid()
while had['signals'] < 10**6 and libc.sigqueue(pid, signal.SIGRTMIN, None) == 0:
    had['signals'] += 1
had
"""

AS_THE_HOST = """
import ctypes, os, select, signal, sys, time
libc = ctypes.CDLL(None, use_errno=True)
numbers = [libc.inotify_init1(0) for _ in range(16)]
timer = ctypes.create_string_buffer(8)
timers = [libc.timer_create(0, None, timer) for _ in range(100)]
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGRTMIN])
signals = [libc.sigqueue(os.getpid(), signal.SIGRTMIN, None) for _ in range(100)]
print(min(numbers) >= 0, set(timers), set(signals))
"""


def test_what_the_kernel_counts_for_a_user_is_left_for_others(fork_server, kernel):
    had = evaluate(kernel, EXHAUST)
    assert all(had[name] > 5 for name in ("instances", "timers")), had
    user = as_ordinary_user() if "--clear-groups" in fork_server.command else []
    python = fork_server.command[-1 - len(MODULE)]
    host = subprocess.run([*user, python, "-c", AS_THE_HOST], capture_output=True, text=True, check=True)
    assert host.stdout == "True {0} {0}\n"
    with fork_server.spawn() as other:
        assert other.kernel().run("1 + 1").text == "2"


def test_own_files_are_locked_as_ever(box):
    first, second = box.kernel(), box.kernel()
    for kernel in (first, second):
        kernel.run(ON_FILES)
    evaluate(first, "held = open('own', 'w'); fcntl.flock(held, fcntl.LOCK_EX); ranged = open('ranged', 'w'); 0")
    evaluate(
        first, "fcntl.lockf(ranged, fcntl.LOCK_EX); os.mkdir('directory'); on('directory', fcntl.flock, fcntl.LOCK_SH)"
    )
    code = """
    def attempt(lock, path, how):
        with open(path, 'r+' if os.path.isfile(path) else 'r') as file:
            try:
                lock(file, how | fcntl.LOCK_NB)
                return 'WORKED'
            except OSError as error:
                return errno.errorcode[error.errno]
    def attempts():
        descriptor = os.open('directory', os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        finally:
            os.close(descriptor)
        return [attempt(fcntl.flock, 'own', fcntl.LOCK_SH), attempt(fcntl.lockf, 'ranged', fcntl.LOCK_EX)]
    attempts()
    """
    assert evaluate(second, code) == ["EAGAIN", "EAGAIN"]
    evaluate(first, "fcntl.flock(held, fcntl.LOCK_UN); fcntl.lockf(ranged, fcntl.LOCK_UN); 0")
    assert evaluate(second, "attempts()") == ["WORKED", "WORKED"]
    # A process that waits gets it as soon as it is free, also in a thread; copies and forks keep their locks.
    code = """
    import threading, time
    held = open('own', 'w')
    fcntl.flock(held, fcntl.LOCK_EX)
    copy = os.dup(held.fileno())
    held.close()
    order = []
    def wait():
        with open('own', 'w') as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            order.append('had')
    thread = threading.Thread(target=wait)
    thread.start()
    thread.join(0.2)
    order.append('let go')
    os.close(copy)
    thread.join()
    order
    """
    assert evaluate(first, code) == ["let go", "had"]


def test_programs_that_lock_work(box):
    kernel = box.kernel()
    code = """
    import multiprocessing, os, sqlite3, subprocess
    database = sqlite3.connect('base.db')
    database.execute('create table t (x)')
    with database:
        database.execute('insert into t values (1)')
    context = multiprocessing.get_context('fork')
    lock, count = context.Lock(), context.Value('i', 0)
    def add():
        for _ in range(50):
            with count.get_lock():
                count.value += 1
    workers = [context.Process(target=add) for _ in range(2)]
    [worker.start() for worker in workers]
    [worker.join() for worker in workers]
    script = 'exec 9>lock.file; flock 9; echo locked; flock -u 9; flock -n lock.file echo again'
    output = subprocess.run(['sh', '-c', script], capture_output=True, text=True)
    [database.execute('select count(*) from t').fetchone(), count.value, output.stdout + output.stderr]
    """
    assert evaluate(kernel, code) == [(1,), 100, "locked\nagain\n"]


def test_own_directories_are_watched_as_ever(kernel):
    kernel.run(ON_FILES)
    code = """
    os.makedirs('watched/deeper', exist_ok=True)
    number = libc.inotify_init1(os.O_NONBLOCK)
    places = [b'watched', os.path.abspath('watched/deeper').encode(), b'/tmp']
    IN_CREATE = 0x100
    watches = [libc.inotify_add_watch(number, place, IN_CREATE) for place in places]
    for path in ('watched/one', 'watched/deeper/two', '/tmp/three'):
        open(path, 'w').close()
    seen = os.read(number, 65536)
    [len(set(watches)), min(watches) > 0, [name in seen for name in (b'one', b'two', b'three')]]
    """
    assert evaluate(kernel, code) == [3, True, [True, True, True]]
    code = """
    missing = libc.inotify_add_watch(number, b'missing', IN_CREATE), errno.errorcode[ctypes.get_errno()]
    [missing, libc.inotify_rm_watch(number, watches[0])]
    """
    assert evaluate(kernel, code) == [(-1, "ENOENT"), 0]
