"""Cells in a kernel: outputs, errors, interrupts, endings, and candidates that tamper with the interpreter."""

from __future__ import annotations

import contextlib
import os
import signal
import textwrap
import time

import pytest
from guest_driver import Box, ForkServer, Kernel


@pytest.fixture(scope="module")
def fork_server():
    with ForkServer() as server:
        yield server


@pytest.fixture(scope="module")
def box(fork_server: ForkServer):
    with fork_server.spawn() as box:
        yield box


@pytest.fixture
def kernel(box: Box):
    kernel = box.kernel()
    yield kernel
    kernel.close()


def interrupt(box: Box, kernel: Kernel) -> None:
    box.request("signal", pid=kernel.pid, signal=signal.SIGINT)


def wait_for_output(kernel: Kernel, wanted: str) -> None:
    """Wait until the running cell has printed something."""
    deadline = time.monotonic() + 300
    text = ""
    while wanted not in text:
        assert time.monotonic() < deadline, text
        text += kernel.output()[0]


def test_the_last_expression_is_the_main_result(kernel):
    outcome = kernel.run("x = 20\nx + 1\nx + 2")
    assert outcome.results == [{"text/plain": "22"}]
    assert outcome.main == {"text/plain": "22"}
    assert kernel.run("_ + 1").text == "23"


def test_a_semicolon_silences_the_result(kernel):
    assert kernel.run("1;").results == []


def test_output_goes_to_its_stream_and_arrives_before_the_end(kernel):
    outcome = kernel.run("import sys\nprint('out')\nprint('err', file=sys.stderr)")
    assert (outcome.stdout, outcome.stderr) == ("out\n", "err\n")


def test_output_of_programs_and_of_writes_to_the_descriptor_is_caught(kernel):
    code = "import os, subprocess\nos.write(1, b'direct\\n')\nsubprocess.run(['echo', 'program'])"
    assert kernel.run(code).stdout == "direct\nprogram\n"


def test_state_lasts_from_cell_to_cell_but_not_to_another_kernel(box, kernel):
    kernel.run("x = 1")
    assert kernel.run("x").text == "1"
    other = box.kernel()
    assert other.run("x").error["name"] == "NameError"
    other.close()


def test_displayed_objects_are_no_main_results(kernel):
    outcome = kernel.run("from IPython.display import HTML, display\ndisplay(HTML('<b>x</b>'))\nprint(1)")
    assert outcome.results == [{"text/plain": "<IPython.core.display.HTML object>", "text/html": "<b>x</b>"}]
    assert outcome.main is None


def test_updates_and_clearing_of_displays_are_dropped(kernel):
    outcome = kernel.run(
        "from IPython.display import clear_output, display\n"
        "h = display(1, display_id=True)\nh.update(2)\nclear_output()"
    )
    assert [result["text/plain"] for result in outcome.results] == ["1"]
    assert outcome.stdout == ""


def test_an_error_has_name_value_and_traceback(kernel):
    outcome = kernel.run("def f():\n    return 1 / 0\nf()")
    assert outcome.error["name"] == "ZeroDivisionError"
    assert outcome.error["value"] == "division by zero"
    assert "----> 2     return 1 / 0" in outcome.error["traceback"]
    assert "\x1b" not in outcome.error["traceback"]


def test_a_syntax_error_counts_as_an_execution(kernel):
    first = kernel.run("1 +")
    assert first.error["name"] == "SyntaxError"
    assert kernel.run("1").count == first.count + 1


def test_a_silent_cell_does_not_count_and_shows_no_result(kernel):
    before = kernel.run("1").count
    assert kernel.run("print(2)\n2", silent=True).results == []
    assert kernel.run("1").count == before + 1


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("raise ExceptionGroup('many', [ValueError(1), TypeError(2)])", "ExceptionGroup"),
        ("class E(Exception):\n    def __str__(self): raise RuntimeError\nraise E", "E"),
        ("class E(Exception):\n    def _render_traceback_(self): raise RuntimeError\nraise E", "E"),
        ("import asyncio\nawait asyncio.sleep(0)\n1 / 0", "ZeroDivisionError"),
        ("raise SystemExit(3)", "SystemExit"),
        ("import sys\nsys.exit('bye')", "SystemExit"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("class E(BaseException): pass\nraise E", "E"),
        ("def f(): f()\nf()", "RecursionError"),
        ("%nosuchmagic", "UsageError"),
        ("raise GeneratorExit", "GeneratorExit"),
        ("raise StopIteration", "StopIteration"),
        ("import asyncio\nraise asyncio.CancelledError", "CancelledError"),
        ("import asyncio\nasync def f(): raise SystemExit(3)\nawait f()", "SystemExit"),
    ],
)
def test_every_way_to_raise_gives_one_error_and_a_usable_kernel(kernel, code, name):
    outcome = kernel.run(code)
    assert outcome.error is not None
    assert outcome.error["name"] == name
    assert outcome.errors == 1
    assert kernel.run("1 + 1").text == "2"


def test_an_error_of_any_length_is_cut(kernel):
    outcome = kernel.run("raise ValueError('x' * 50_000_000)")
    assert outcome.error["name"] == "ValueError"
    assert len(outcome.error["value"]) < 2_000_000
    assert "characters left out" in outcome.error["value"]


def test_await_at_top_level(kernel):
    assert kernel.run("import asyncio\nawait asyncio.sleep(0, 'slept')").text == "'slept'"


def test_tasks_go_on_between_cells(kernel):
    kernel.run("import asyncio\nevent = asyncio.Event()\ntask = asyncio.create_task(event.wait())")
    assert kernel.run("event.set()\nawait task").text == "True"


def test_an_indented_cell_runs(kernel):
    assert kernel.run("    x = 1\n    x + 1").text == "2"


def test_shell_lines_and_magics(kernel):
    assert kernel.run("!echo $((20 + 3))").stdout == "23\r\n"
    assert kernel.run("lines = !printf 'a\\nb'\nlines").main["text/plain"] == "['a', 'b']"
    assert kernel.run("%cd /tmp").stdout == "/tmp\n"
    assert kernel.run("%pwd").text == "'/tmp'"
    assert kernel.run("%%bash\necho from bash").stdout == "from bash\n"
    assert kernel.run("%%capture c\nprint(1)").stdout == ""
    assert "1 loop each" in kernel.run("%timeit -n1 -r1 1").stdout
    assert kernel.run("len?").stdout == ""


def test_nothing_is_left_in_the_sandbox_by_the_shell_itself(fork_server):
    with fork_server.spawn() as box:
        box.kernel().run("%cd /tmp\n%cd -")
        assert [entry["name"] for entry in box.request("list", path="/home/user")["entries"]] == []
        assert not [entry for entry in box.request("list", path="/tmp")["entries"] if "python" in entry["name"]]


@pytest.mark.parametrize("code", ["input('?')", "import getpass\ngetpass.getpass()"])
def test_there_is_nobody_to_ask(kernel, code):
    assert kernel.run(code).error["name"] == "StdinNotImplementedError"


def test_environment_of_one_cell(box):
    kernel = box.kernel(envs={"GLOBAL": "sandbox"})
    code = "import os\n[os.environ.get(name) for name in ('GLOBAL', 'OWN')]"
    assert kernel.run(code).text == "['sandbox', None]"
    assert kernel.run(code, envs={"GLOBAL": "cell", "OWN": "cell"}).text == "['cell', 'cell']"
    assert kernel.run(code).text == "['sandbox', None]"
    assert kernel.run("!echo $OWN", envs={"OWN": "for programs"}).stdout == "for programs\r\n"
    kernel.close()


def test_lists_and_dicts_are_json_too(kernel):
    outcome = kernel.run("{'a': [1, 2.5, float('nan'), None, True, (1,)], 3: 'x', True: 1}")
    assert outcome.main["application/json"] == {"a": [1, 2.5, None, None, True, [1]], "3": "x", "true": 1}


@pytest.mark.parametrize("code", ["[object()]", "x = []\nx.append(x)\nx"])
def test_what_has_no_json_form_has_text_alone(kernel, code):
    outcome = kernel.run(code)
    assert outcome.error is None
    assert "application/json" not in outcome.main


def test_a_result_too_large_to_send_is_left_out_with_a_note(kernel):
    outcome = kernel.run("'x' * 20_000_000")
    assert outcome.results == [{}] or "text/plain" not in outcome.results[0]
    assert "left out" in outcome.stderr
    assert kernel.run("1 + 1").text == "2"


def test_a_flood_of_output_reaches_the_end(kernel):
    kernel.start("for _ in range(2000):\n    print('x' * 1000)")
    text = ""
    while len(text) < 2000 * 1001:
        text += kernel.output()[0]
    assert kernel.finish().ended is not None


def test_interrupting_a_loop_leaves_a_usable_kernel(box, kernel):
    kernel.run("x = 5")
    kernel.start("print('running', flush=True)\nwhile True:\n    pass")
    wait_for_output(kernel, "running")
    interrupt(box, kernel)
    assert kernel.finish().error["name"] == "KeyboardInterrupt"
    assert kernel.run("x").text == "5"


@pytest.mark.parametrize(
    "code",
    [
        "import time\nprint('running', flush=True)\ntime.sleep(1000)",
        "import asyncio\nprint('running', flush=True)\nawait asyncio.sleep(1000)",
        "import asyncio\nawait asyncio.sleep(0)\nprint('running', flush=True)\nwhile True: pass",
        "import subprocess\nprint('running', flush=True)\nsubprocess.run(['sleep', '1000'])",
        "print('running', flush=True)\n!sleep 1000",
        "import threading\nprint('running', flush=True)\nthreading.Event().wait()",
    ],
)
def test_interrupting_whatever_waits(box, kernel, code):
    kernel.start(code)
    wait_for_output(kernel, "running")
    interrupt(box, kernel)
    outcome = kernel.finish()
    if "!sleep" not in code:
        # IPython stops the command and continues after it.
        assert outcome.error["name"] == "KeyboardInterrupt"
    assert kernel.run("1 + 1").text == "2"


def test_an_interrupt_that_python_swallows_comes_again(box, kernel):
    kernel.start(
        "import time\nclass Waits:\n    def __del__(self):\n"
        "        print('running', flush=True)\n        time.sleep(1000)\n"
        "Waits()\nwhile True: pass"
    )
    wait_for_output(kernel, "running")
    interrupt(box, kernel)
    assert kernel.finish().error["name"] == "KeyboardInterrupt"
    assert kernel.run("1 + 1").text == "2"


def test_an_idle_kernel_ignores_interrupts(box, kernel):
    for _ in range(3):
        interrupt(box, kernel)
    assert kernel.run("1 + 1").text == "2"


def test_a_cell_cannot_keep_interrupts_off_the_next_one(box, kernel):
    kernel.run("import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)")
    kernel.start("print('running', flush=True)\nwhile True: pass")
    wait_for_output(kernel, "running")
    interrupt(box, kernel)
    assert kernel.finish().error["name"] == "KeyboardInterrupt"


@pytest.mark.parametrize("code", ["exit()", "quit()", "get_ipython().ask_exit()"])
def test_exit_ends_the_kernel_after_the_cell(box, code):
    kernel = box.kernel()
    outcome = kernel.run(f"{code}\nprint('still here')")
    assert outcome.stdout == "still here\n"
    assert outcome.ended is not None
    assert kernel.channel.receive() is None
    assert box.event("exit", pid=kernel.pid)["status"] == 0
    kernel.close()


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("import os\nos._exit(7)", 7),
        ("import os\nos.kill(os.getpid(), 9)", -signal.SIGKILL),
        ("import os\nos.abort()", -signal.SIGABRT),
        ("import ctypes\nctypes.string_at(0)", -signal.SIGSEGV),
        ("import os\nos.closerange(0, 1000)\nos._exit(7)", 7),
    ],
)
def test_a_dead_kernel_is_reported_and_the_sandbox_lives(box, code, status):
    kernel = box.kernel()
    outcome = kernel.run(f"print('last words', flush=True)\n{code}")
    assert outcome.ended is None
    assert outcome.stdout == "last words\n"
    assert box.event("exit", pid=kernel.pid)["status"] == status
    kernel.close()
    assert box.kernel().run("1 + 1").text == "2"


def test_a_fork_of_the_cell_ends_with_the_cell(box, kernel):
    outcome = kernel.run("import os\npid = os.fork()\nprint('both')\nif pid: status = os.waitpid(pid, 0)[1]")
    assert outcome.stdout == "both\nboth\n"
    assert outcome.error is None
    assert kernel.run("status").text == "0"


def test_pools_of_processes_and_threads(kernel):
    code = """
    import concurrent.futures, multiprocessing
    def square(n): return n * n
    with multiprocessing.get_context('fork').Pool(2) as pool:
        processes = pool.map(square, range(4))
    with concurrent.futures.ThreadPoolExecutor(2) as threads:
        assert list(threads.map(square, range(4))) == processes
    processes
    """
    assert kernel.run(textwrap.dedent(code)).text == "[0, 1, 4, 9]"


@pytest.mark.parametrize(
    "code",
    [
        "import io, sys\nsys.stdout = sys.stderr = io.StringIO()",
        "import sys\nsys.stdout.close()\nsys.stderr.close()",
        "import sys\nsys.stdout = None",
        "import builtins\nbuiltins.print = None",
        "import json\njson.dumps = json.loads = json.JSONEncoder = json.JSONDecoder = None",
        "import sys\nsys.displayhook = sys.excepthook = None",
        "import os\nos.environ.clear()",
        "import os\nos.write = os.read = None",
        "import traceback, socket\ntraceback.format_exception = None\nsocket.socket = None",
        "import socket\nsocket.socket.send = socket.socket.sendmsg = socket.socket.recvmsg = None",
        "import gc\ngc.disable()",
        "import time\ntime.sleep = time.time = None",
        "import atexit\natexit._clear()",
    ],
)
def test_a_kernel_survives_what_a_candidate_patches(box, code):
    kernel = box.kernel()
    assert kernel.run(code).ended is not None
    assert kernel.run("1 / 0").error["name"] == "ZeroDivisionError"
    assert kernel.run("1 + 1").text == "2"
    kernel.close()


@pytest.mark.parametrize(
    "code",
    [
        "import builtins\nbuiltins.len = builtins.str = builtins.isinstance = None",
        "import sys\nsys.modules.clear()",
        "import asyncio\nasyncio.current_task = asyncio.ensure_future = None",
        "import os, signal\nsignal.signal = None",
        "import sys\nsys.setrecursionlimit(60)",
        "import asyncio\nasyncio.get_running_loop().stop()",
        "import asyncio\nasyncio.get_running_loop().close()",
        "import os\nos.closerange(0, 1000)",
        "get_ipython().emit = None",
        "get_ipython().run_cell_async = None",
        "import gc\n[setattr(o, '_channel', None) for o in gc.get_objects() if type(o).__name__ == 'Kernel']",
    ],
)
def test_a_kernel_that_breaks_itself_ends_or_goes_on_but_does_not_hang(box, code):
    kernel = box.kernel()
    if kernel.run(code).ended is not None:
        with contextlib.suppress(BrokenPipeError):  # it ended after the cell
            kernel.run("1 + 1")
    kernel.close()
    other = box.kernel()
    assert other.run("1 + 1").text == "2"
    other.close()


def test_each_kernel_draws_its_own_random_numbers(box):
    draws = set()
    for _ in range(3):
        kernel = box.kernel()
        draws.add(kernel.run("import random, uuid\nrandom.random(), uuid.uuid4()").text)
        kernel.close()
    assert len(draws) == 3


def test_imports_from_the_working_directory(box, kernel):
    box.write("/home/user/mine.py", b"value = 42")
    assert kernel.run("import mine\nmine.value").text == "42"


def test_the_environments_packages_are_there_and_cannot_be_changed(kernel):
    kernel.run("import IPython, os\npath = IPython.__file__")
    assert kernel.run("open(path, 'a')").error["name"] in ("OSError", "PermissionError")
    assert kernel.run("os.unlink(path)").error["name"] in ("OSError", "PermissionError")
    assert kernel.run("os.access(os.path.dirname(path), os.W_OK)").text == "False"


def test_kernels_start_in_the_directory_asked_for(box):
    box.request("mkdir", path="/home/user/work")
    kernel = box.kernel(cwd="/home/user/work")
    assert kernel.run("import os\nos.getcwd()").text == "'/home/user/work'"
    kernel.close()


def test_libraries_take_the_kernel_for_a_notebook(kernel):
    assert kernel.run("type(get_ipython()).__name__").text == "'ZMQInteractiveShell'"


def test_the_kernel_is_a_plain_interpreter_to_the_cell(kernel):
    assert kernel.run("import sys\nsys.argv, __name__, sys.stdin.read()").text == "([''], '__main__', '')"
    assert kernel.run("import os\nsorted(map(int, os.listdir('/proc/self/fd')))[:3]").text == "[0, 1, 2]"


def test_the_end_names_slow_modules_that_the_cell_imported(kernel):
    pytest.importorskip("numpy", reason="needs the extra 'examples'")
    assert kernel.run("import numpy").ended["imported"] == ["numpy"]
    assert "imported" not in kernel.run("import numpy").ended


def test_a_closed_channel_ends_the_kernel(box):
    kernel = box.kernel()
    pid = kernel.pid
    kernel.close()
    assert box.event("exit", pid=pid)["status"] == 0


def test_many_descriptors_do_not_reach_the_kernel(box):
    pipes = [os.pipe() for _ in range(20)]
    kernel = box.kernel()
    assert int(kernel.run("import os\nlen(os.listdir('/proc/self/fd'))").text) < 12
    kernel.close()
    for pair in pipes:
        for descriptor in pair:
            os.close(descriptor)
