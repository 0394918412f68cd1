"""A candidate has its own /home/user, /tmp, /var/tmp and /dev/shm, the same at every level."""

from __future__ import annotations

import ast
import os
import shutil
import textwrap
from typing import TYPE_CHECKING, Any

import pytest
from guest_places import served

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guest_driver import Box, ForkServer, Kernel

AS_ROOT = ("full", "uid", "landlock", "weak", "none")
AS_USER = ("ns-nocap", "landlock", "weak")
PLACES = [*AS_ROOT, *(f"user {level}" for level in AS_USER)] if os.geteuid() == 0 else ["full", *AS_USER]


@pytest.fixture(scope="module", params=PLACES)
def fork_server(request) -> Iterator[ForkServer]:
    with served(request) as server:
        yield server


@pytest.fixture
def box(fork_server: ForkServer) -> Iterator[Box]:
    with fork_server.spawn(processes=2000) as box:
        yield box


def evaluate(kernel: Kernel, code: str) -> Any:
    """Run the code; return the value of its last expression, which must be plain data."""
    outcome = kernel.run(textwrap.dedent(code))
    assert outcome.error is None, outcome.error["traceback"]
    return ast.literal_eval(outcome.text)


FILES = """
import os, pathlib, shutil
there = {path: os.listdir(path) for path in ('/tmp', '/dev/shm')}  # the interpreter, where it lies below
def write(path, text='x'):
    pathlib.Path(path).write_text(text)
def names(path):
    return sorted(set(os.listdir(path)) - set(there.get(path, ())))
"""

# What a program does, and its result on a machine that really has these directories.
CELLS = {
    "where it is": ("import os\nos.getcwd(), os.environ['HOME'], os.path.expanduser('~')", ("/home/user",) * 3),
    "temporary files": (
        """
        import os, tempfile
        with tempfile.NamedTemporaryFile('w+') as file, tempfile.TemporaryDirectory() as folder:
            file.write('hi')
            file.seek(0)
            found = tempfile.gettempdir(), os.path.dirname(file.name), os.path.dirname(folder), file.read()
        found
        """,
        ("/tmp", "/tmp", "/tmp", "hi"),
    ),
    "unnamed temporary file": ("import tempfile\nfile = tempfile.TemporaryFile()\nfile.write(b'hi')", 2),
    "listing": (
        "write('/home/user/a'); write('/tmp/b'); names('/home/user'), names('/tmp')",
        (["a"], ["b"]),
    ),
    "walk": (
        "os.makedirs('/tmp/a/b'); write('/tmp/a/b/c')\nlist(os.walk('/tmp/a'))",
        [("/tmp/a", ["b"], []), ("/tmp/a/b", [], ["c"])],
    ),
    "glob": (
        "import glob\nwrite('/tmp/a.txt')\nglob.glob('/tmp/*.txt'), glob.glob('*.txt', root_dir='/tmp')",
        (["/tmp/a.txt"], ["a.txt"]),
    ),
    "links with absolute targets": (
        """
        write('/home/user/a', 'text')
        os.symlink('/home/user/a', '/tmp/link')
        os.chdir('/tmp')
        answers = [os.readlink('/tmp/link'), os.readlink('link'), os.path.realpath('link'), open('link').read()]
        answers + [str(pathlib.Path('/tmp/link').resolve()), os.path.islink('/tmp/link')]
        """,
        ["/home/user/a", "/home/user/a", "/home/user/a", "text", "/home/user/a", True],
    ),
    "var/tmp": (
        "write('/var/tmp/a', 'text'); open('/tmp/a').read(), os.path.realpath('/var/tmp/a')",
        ("text", "/tmp/a"),
    ),
    "working directory": ("os.chdir('/tmp'); write('a'); os.getcwd(), names('/tmp')", ("/tmp", ["a"])),
    "by the parents": ("write('/tmp/a', 'text'); open('../../tmp/a').read(), os.path.abspath('..')", ("text", "/home")),
    "detours": (
        """
        write('/tmp/a', 'text')
        paths = ['/usr/../tmp/a', '//tmp//a', '/tmp/./a', '/home/user/../../tmp/a', '/tmp/x/../a', '/./tmp/a']
        os.mkdir('/tmp/x')
        [os.path.exists(path) for path in [*paths, '/home/user/../../usr/bin', '/tmp/../usr/bin']]
        """,
        [True] * 8,
    ),
    "much alike": ("[os.path.exists(path) for path in ('/tmpa', '/home/user2', '/tmp.', '')]", [False] * 4),
    "move between": ("write('/tmp/a', 'x'); shutil.move('/tmp/a', '/home/user/b'); os.listdir('/home/user')", ["b"]),
    "copies": (
        """
        os.mkdir('/tmp/a'); write('/tmp/a/b', 'text')
        shutil.copytree('/tmp/a', '/home/user/c')
        shutil.copy2('/home/user/c/b', '/tmp')
        shutil.rmtree('/tmp/a')
        names('/tmp'), open('/home/user/c/b').read()
        """,
        (["b"], "text"),
    ),
    "renaming": (
        """
        write('a'); os.rename('a', '/home/user/b'); os.replace('/home/user/b', 'c'); os.mkdir('/home/user/d')
        os.rename('/home/user/c', 'd/e'); os.link('d/e', '/home/user/f'); os.rename('d/e', '/home/user/d/g')
        os.unlink('f')
        os.listdir('d'), os.listdir()
        """,
        (["g"], ["d"]),
    ),
    "modes and times": (
        """
        write('/tmp/a'); os.chmod('/tmp/a', 0o640); os.truncate('/tmp/a', 7); os.utime('/tmp/a', (1, 2))
        status = os.stat('/tmp/a')
        oct(status.st_mode), status.st_mtime, status.st_size, os.access('/tmp/a', 4), os.statvfs('/tmp').f_bsize > 0
        """,
        ("0o100640", 2.0, 7, True, True),
    ),
    "umask": (
        "os.umask(0o077); write('/tmp/a'); os.mkdir('/tmp/b', 0o777); oct(os.stat('/tmp/a').st_mode)",
        "0o100600",
    ),
    "relative to a directory": (
        """
        directory = os.open('/tmp', os.O_RDONLY)
        os.mkdir('a', dir_fd=directory)
        os.symlink('/tmp/a', 'b', dir_fd=directory)
        names('/tmp'), os.readlink('b', dir_fd=directory), os.stat('/tmp/b', dir_fd=directory).st_nlink > 0
        """,
        (["a", "b"], "/tmp/a", True),
    ),
    "pipes": (
        """
        import threading
        os.mkfifo('/tmp/pipe')
        writer = threading.Thread(target=lambda: write('/tmp/pipe', 'through'))
        writer.start()
        text = open('/tmp/pipe').read()
        writer.join()
        text
        """,
        "through",
    ),
    "databases": (
        """
        import sqlite3
        connection = sqlite3.connect('/tmp/a.db')
        connection.execute('create table t (x)')
        connection.execute('insert into t values (7)')
        connection.commit()
        sqlite3.connect('file:/tmp/a.db?mode=ro', uri=True).execute('select x from t').fetchall()
        """,
        [(7,)],
    ),
    "archives": (
        """
        import tarfile, zipfile
        write('/tmp/a', 'text'); os.symlink('/tmp/a', '/tmp/b')
        with zipfile.ZipFile('/home/user/z.zip', 'w') as archive:
            archive.write('/tmp/a', 'a')
        with tarfile.open('/tmp/t.tar', 'w') as archive:
            archive.add('/tmp/b', 'b')
        with tarfile.open('/tmp/t.tar') as archive:
            archive.extraction_filter = lambda member, _: member
            archive.extractall('/home/user/out')
        zipfile.ZipFile('/home/user/z.zip').read('a'), os.readlink('/home/user/out/b')
        """,
        (b"text", "/tmp/a"),
    ),
    "locks and shared memory": (
        """
        import multiprocessing
        from multiprocessing.shared_memory import SharedMemory
        context = multiprocessing.get_context('fork')
        memory = SharedMemory(create=True, size=10)
        again = SharedMemory(memory.name)
        memory.buf[0] = 7
        value, lock = again.buf[0], context.Lock()
        with lock, context.Pool(2) as pool:
            answer = pool.map(abs, [-1, -2]), value
        again.close(); memory.close(); memory.unlink()
        answer, names('/dev/shm')
        """,
        (([1, 2], 7), []),
    ),
    "modules": (
        """
        import importlib, sys
        write('/tmp/mine.py', 'where = __file__'); sys.path.insert(0, '/tmp')
        importlib.import_module('mine').where
        """,
        "/tmp/mine.py",
    ),
    "mistakes": (
        """
        import errno
        def attempt(action, *arguments):
            try:
                return action(*arguments)
            except OSError as error:
                return errno.errorcode[error.errno], error.filename
        write('/tmp/a')
        long = '/tmp/' + 'x' * 5000
        [
            attempt(open, '/tmp/no'), attempt(os.mkdir, '/tmp/a'), attempt(os.rmdir, '/tmp/a'),
            attempt(os.listdir, '/home/user/no'), attempt(open, '/tmp/a/b'), attempt(os.stat, long)[0],
            attempt(open, '/tmp/' + 'x' * 300)[0], attempt(os.chdir, '/tmp/a')
        ]
        """,
        [
            ("ENOENT", "/tmp/no"),
            ("EEXIST", "/tmp/a"),
            ("ENOTDIR", "/tmp/a"),
            ("ENOENT", "/home/user/no"),
            ("ENOTDIR", "/tmp/a/b"),
            "ENAMETOOLONG",
            "ENAMETOOLONG",
            ("ENOTDIR", "/tmp/a"),
        ],
    ),
    "programs": (
        """
        import subprocess
        def output(*arguments, **options):
            return subprocess.run(arguments, capture_output=True, text=True, check=True, **options).stdout
        write('/tmp/s.sh', '#!/bin/sh\\necho "$1"; pwd; ls /tmp/s*\\n')
        os.chmod('/tmp/s.sh', 0o755)
        shutil.copy('/bin/echo', '/home/user/echo')
        [
            output('/tmp/s.sh', 'by path'), output('./s.sh', 'relative', cwd='/tmp'),
            output('/home/user/echo', 'copied'),
            output('pwd', cwd='/tmp'), output('cd /tmp && pwd && /home/user/echo $PWD', shell=True),
        ]
        """,
        ["by path\n/home/user\n/tmp/s.sh\n", "relative\n/tmp\n/tmp/s.sh\n", "copied\n", "/tmp\n", "/tmp\n/tmp\n"],
    ),
}


@pytest.mark.parametrize("name", CELLS)
def test_cells(kernel, name):
    code, expected = CELLS[name]
    kernel.run(FILES)
    assert evaluate(kernel, code) == expected


COMMANDS = {
    "pwd; echo $HOME ~": "/home/user\n/home/user /home/user\n",
    "cd /tmp && pwd && echo hi > a && cat /tmp/a && ls a*": "/tmp\nhi\na\n",
    "sh -c 'cd /tmp; pwd; cd ~; pwd'": "/tmp\n/home/user\n",
    "mktemp | cut -c1-9": "/tmp/tmp.\n",
    "ln -s /tmp/a b; readlink b; readlink -f b; realpath .": "/tmp/a\n/tmp/a\n/home/user\n",
    "echo 'print(__file__)' > /tmp/s.py; python3 /tmp/s.py": "/tmp/s.py\n",
    "mkdir -p /tmp/a/x; find /tmp/a; rm -r /tmp/a/x; ls -A /tmp/a | wc -l": "/tmp/a\n/tmp/a/x\n0\n",
    "mkdir -p /tmp/a/b && cd /tmp/a/b && cd ../.. && pwd": "/tmp\n",
    "tar -C /usr -cf /tmp/t.tar share/zoneinfo/UTC 2>/dev/null; tar -tf /tmp/t.tar | head -1 | wc -l": "1\n",
    "echo 'text' | tee /dev/shm/a; cat < /dev/shm/a": "text\ntext\n",
}


@pytest.mark.parametrize("command", COMMANDS)
def test_commands(box, command):
    assert box.run(command) == (COMMANDS[command], 0)


def test_a_command_of_the_guests_path(box):
    box.write("/home/user/run.sh", b"#!/bin/sh\npwd\n")
    assert box.run("chmod +x run.sh") == ("", 0)
    assert box.run("", cmd="/home/user/run.sh", args=[], cwd="/tmp") == ("/tmp\n", 0)


PROGRAM = r"""
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
int main(int count, char **arguments) {
    char path[PATH_MAX];
    if (count == 1) {
        if (chdir("/tmp")) return 1;
        puts(getcwd(path, sizeof path));
        fflush(stdout);
        return execl("/home/user/program", "program", "again", NULL);
    }
    int file = open("/tmp/made", O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
    if (file < 0 || write(file, "text", 4) != 4) return 2;
    struct stat status;
    if (stat("made", &status)) return 3;
    printf("%s %ld\n", arguments[1], (long)status.st_size);
    return 0;
}
"""


@pytest.mark.skipif(not shutil.which("cc"), reason="needs a C compiler")
def test_a_compiled_program_whose_paths_are_constants(box):
    box.write("program.c", PROGRAM.encode())
    output = box.run("cc -o /home/user/program program.c && /home/user/program")
    if "cannot find" in output[0] or "No such file" in output[0]:
        pytest.skip(f"the compiler does not work in a sandbox here: {output[0]}")
    assert output == ("/tmp\nagain 4\n", 0)


HOSTILE = (
    FILES
    + """
import ctypes, errno
libc = ctypes.CDLL(None, use_errno=True)
def attempt(action, *arguments):
    try:
        action(*arguments)
    except OSError as error:
        return errno.errorcode[error.errno]
    return 'WORKED'
"""
)


@pytest.fixture
def guarded(fork_server: ForkServer) -> None:
    if fork_server.greeting["level"] == "none":
        pytest.skip("this level guards no files")


@pytest.mark.usefixtures("guarded")
def test_links_lead_no_further_than_without_them(fork_server, kernel):
    kernel.run(HOSTILE)
    code = """
    os.symlink('/etc/shadow', '/tmp/shadow'); os.symlink('/', '/tmp/root')
    os.symlink('../../../../../../../../../etc/shadow', '/tmp/up')
    paths = ['/tmp/shadow', '/tmp/root/etc/shadow', '/tmp/up', '/tmp/../etc/shadow', '/home/user/../../etc/shadow']
    [attempt(open, path) for path in paths]
    """
    assert "WORKED" not in evaluate(kernel, code)
    with fork_server.spawn(processes=2000) as other:
        other.write("secret", b"secret")
        others = evaluate(other.kernel(), "import os\nos.readlink('/proc/self/cwd'), os.getpid()")
        assert others[0] == "/home/user"
        # The path by which one sandbox knows its directory means another directory to another sandbox.
        assert evaluate(kernel, "attempt(open, '/home/user/secret')") == "ENOENT"
        assert evaluate(kernel, f"attempt(open, '/proc/{others[1]}/cwd/secret')") in ("ENOENT", "EACCES", "EPERM")


def test_paths_that_are_none(kernel):
    kernel.run(HOSTILE)
    code = """
    import mmap
    page = mmap.mmap(-1, 2 * mmap.PAGESIZE)
    start = ctypes.addressof(ctypes.c_char.from_buffer(page))
    libc.mprotect(ctypes.c_void_p(start + mmap.PAGESIZE), mmap.PAGESIZE, 0)
    write('/tmp/a')
    page.seek(mmap.PAGESIZE - 7); page.write(b'/tmp/a\\0')
    def call(address):
        ctypes.set_errno(0)
        result = libc.access(ctypes.c_void_p(address), 0)
        return errno.errorcode.get(ctypes.get_errno(), result)
    ends = start + mmap.PAGESIZE
    [call(ends - 7), call(ends - 6), call(ends), call(ends - 1), call(0), call(8), call(2**63), call(2**47 - 1)]
    """
    assert evaluate(kernel, code) == [0, "ENOENT", "EFAULT", "ENOENT", "EFAULT", "EFAULT", "EFAULT", "EFAULT"]


@pytest.mark.usefixtures("guarded")
def test_a_path_that_changes_meanwhile_leads_nowhere_else(kernel):
    kernel.run(HOSTILE)
    code = """
    import threading, time
    write('/tmp/a', 'mine')
    buffer = ctypes.create_string_buffer(b'/tmp/a', 64)
    going = True
    def change():
        while going:
            buffer.value = b'/etc/shadow'
            buffer.value = b'/tmp/a'
    changer = threading.Thread(target=change)
    changer.start()
    found = set()
    for _ in range(300):
        descriptor = libc.open(buffer, os.O_RDONLY)
        if descriptor >= 0:
            found.add(os.read(descriptor, 100))
            os.close(descriptor)
    going = False
    changer.join()
    found <= {b'mine'}
    """
    assert evaluate(kernel, code) is True


def test_callers_that_are_killed_hold_up_nobody(box, kernel):
    kernel.run(HOSTILE)
    code = """
    import signal, time
    write('/tmp/a')
    for round in range(30):
        pid = os.fork()
        if pid == 0:
            while True:
                os.stat('/tmp/a')
                os.chdir('/tmp')
                os.getcwd()
        time.sleep(0.001 * (round % 7))
        os.kill(pid, signal.SIGKILL)
        assert os.waitpid(pid, 0)[1] == signal.SIGKILL
    os.getcwd()
    """
    assert evaluate(kernel, code) == "/home/user"
    assert box.run("cd /tmp; ls a*") == ("a\n", 0)


def test_many_threads_at_once(kernel):
    kernel.run(HOSTILE)
    code = """
    import threading
    threading.stack_size(2**16)
    done = []
    def work(number):
        path = f'/tmp/{number}'
        write(path, str(number))
        if open(path).read() == str(number) and os.getcwd() == '/home/user':
            done.append(number)
    threads = [threading.Thread(target=work, args=[number]) for number in range(300)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    len(done), len(names('/tmp'))
    """
    assert evaluate(kernel, code) == (300, 300)


def test_signals_come_through(kernel):
    kernel.run(HOSTILE)
    code = """
    import signal
    write('/tmp/a')
    count = 0
    def handler(*_):
        global count
        count += 1
    signal.signal(signal.SIGALRM, handler)
    signal.siginterrupt(signal.SIGALRM, False)
    signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
    good = sum(os.stat('/tmp/a').st_size == 1 and os.getcwd() == '/home/user' for _ in range(500))
    signal.setitimer(signal.ITIMER_REAL, 0)
    good, count > 0
    """
    assert evaluate(kernel, code) == (500, True)


def test_neither_guest_nor_others_can_be_traced(box, kernel, fork_server):
    kernel.run(HOSTILE)
    code = f"""
    pid = os.fork()
    if pid == 0:
        import time
        time.sleep(1000)
    def ptrace(request, pid):
        ctypes.set_errno(0)
        return libc.ptrace(request, pid, 0, 0) or ctypes.get_errno() and 'refused'
    buffer = ctypes.create_string_buffer(8)
    def read(pid):
        vector = (ctypes.c_uint64 * 2)(ctypes.addressof(buffer), 8)
        return libc.process_vm_readv(pid, vector, 1, vector, 1, 0)
    answers = [ptrace(0x4206, other) for other in (pid, os.getppid(), {box.pid})] + [read(pid), read(os.getppid())]
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    answers
    """
    assert evaluate(kernel, code) == [-1] * 5


def test_a_candidates_own_end_is_told_from_its_being_held(box):
    """A wait for the kernel's processes must not mistake a stopped process for an ended one."""
    kernel = box.kernel()
    kernel.start("import os\nfor _ in range(3000): os.getcwd()\nos._exit(3)")
    for _ in range(20):
        assert box.run("cd /tmp; exit 5") == ("", 5)
    assert kernel.finish().ended is None
    assert box.event("exit", pid=kernel.pid)["status"] == 3


def test_the_interpreters_own_directory_stays_visible_below_tmp(kernel):
    code = "import os, sys, json\nos.path.exists(json.__file__), os.path.exists(sys.executable)"
    assert evaluate(kernel, code) == (True, True)


def test_a_cells_command_writes_the_same(kernel):
    outcome = kernel.run("!echo out; echo err >&2; pwd; exit 3")
    assert (outcome.stdout, outcome.stderr) == ("out\r\nerr\r\n/home/user\r\n", "")
    assert evaluate(kernel, "_exit_code") == 3
    outcome = kernel.run("!sleep 1000 & echo started")
    assert outcome.stdout == "started\r\n"
    assert kernel.run("!printf 'a\\303\\244'").stdout == "aä"
    assert kernel.run("found = !echo one; echo two\nfound").text == "['one', 'two']"
