"""The SDK's code interpreter: results, streams, errors, contexts, environments, interrupts."""

from __future__ import annotations

import ast
import threading

import pytest
from e2b import NotFoundException, SandboxException, TimeoutException
from e2b_code_interpreter import Context, Sandbox

from pytest_rewardkit.local.named_contexts import new_name


def test_the_last_expression_is_the_result(sandbox: Sandbox) -> None:
    execution = sandbox.run_code("x = 1\nx + 1")
    assert execution.text == "2"
    assert execution.results[0].is_main_result
    assert execution.error is None
    assert execution.execution_count == 1


def test_state_stays_and_executions_are_counted(sandbox: Sandbox) -> None:
    sandbox.run_code("x = 41")
    assert sandbox.run_code("x + 1").text == "42"
    assert sandbox.run_code("if").error.name == "SyntaxError"
    assert sandbox.run_code("0").execution_count == 4


def test_texts_lose_one_pair_of_quotes(sandbox: Sandbox) -> None:
    assert sandbox.run_code("'abc'").text == "abc"


def test_one_print_is_one_line(sandbox: Sandbox) -> None:
    execution = sandbox.run_code("import sys\nprint('a', 'b')\nprint('c', file=sys.stderr)")
    assert execution.logs.stdout == ["a b\n"]
    assert execution.logs.stderr == ["c\n"]


def test_output_of_subprocesses_counts_too(sandbox: Sandbox) -> None:
    execution = sandbox.run_code("import subprocess; subprocess.run('echo deep', shell=True, check=True)\nNone")
    assert "".join(execution.logs.stdout) == "deep\n"


def test_an_error_has_name_value_traceback(sandbox: Sandbox) -> None:
    error = sandbox.run_code("print('before')\n1/0").error
    assert error is not None
    assert (error.name, error.value) == ("ZeroDivisionError", "division by zero")
    assert "1/0" in error.traceback


def test_results_in_many_formats(sandbox: Sandbox) -> None:
    execution = sandbox.run_code(
        "from IPython.display import HTML, display\ndisplay(HTML('<b>bold</b>'))\n{'a': [1, 2]}"
    )
    shown, main = execution.results
    assert (shown.html, shown.is_main_result) == ("<b>bold</b>", False)
    assert (main.json, main.is_main_result) == ({"a": [1, 2]}, True)


def test_line_breaks_of_unicode_do_not_break_lines(sandbox: Sandbox) -> None:
    text = "a\u2028b\u2029c\x85d\x0be"
    assert sandbox.run_code(f"print({text!r}, end='')").logs.stdout == [text]


def test_callbacks_get_output_while_the_code_runs(sandbox: Sandbox) -> None:
    seen = threading.Event()
    done: list[bool] = []

    def run() -> None:
        sandbox.run_code(
            "import os, time\nprint('now')\nwhile not os.path.exists('go'): time.sleep(0.01)",
            on_stdout=lambda message: seen.set(),
        )
        done.append(True)

    thread = threading.Thread(target=run)
    thread.start()
    assert seen.wait(10)
    assert not done
    sandbox.files.write("go", "")
    thread.join(10)
    assert done


def test_environment_for_one_run(address: dict[str, str]) -> None:
    from e2b_code_interpreter import Sandbox

    with Sandbox.create(envs={"A": "sandbox"}, **address) as sandbox:
        code = "import os; (os.environ.get('A'), os.environ.get('B'))"
        assert sandbox.run_code(code, envs={"A": "run", "B": "b"}).text == "('run', 'b')"
        assert sandbox.run_code(code).text == "('sandbox', None)"
        assert sandbox.run_code(code).execution_count == 3


def test_files_and_directory_are_the_sandbox_s(sandbox: Sandbox) -> None:
    sandbox.files.write("data.txt", "shared")
    assert sandbox.run_code("open('data.txt').read()").text == "shared"
    assert sandbox.run_code("import os; os.getcwd()").text == "/home/user"


def test_contexts_are_apart(sandbox: Sandbox) -> None:
    context = sandbox.create_code_context(cwd="/tmp")
    assert (context.language, context.cwd) == ("python", "/tmp")
    sandbox.run_code("x = 'default'")
    sandbox.run_code("x = 'other'", context=context)
    assert sandbox.run_code("x").text == "default"
    assert sandbox.run_code("x", context=context).text == "other"
    assert sandbox.run_code("import os; os.getcwd()", context=context).text == "/tmp"
    listed = [listed.id for listed in sandbox.list_code_contexts() if listed.language == "python"]
    assert context.id in listed
    assert len(listed) == 2


_NUMBER = "__import__('os').getpid()"


def test_a_first_context_gets_the_interpreter_that_waits(sandbox: Sandbox) -> None:
    context = sandbox.create_code_context()
    first = sandbox.run_code(f"x = 'context'; {_NUMBER}", context=context)
    second = sandbox.run_code(_NUMBER)
    assert (first.execution_count, second.execution_count) == (1, 1)
    assert int(first.text or "") < int(second.text or "")  # the first was started with the sandbox, the second now
    assert sandbox.run_code("globals().get('x')").text is None
    assert sandbox.run_code("x", context=context).text == "context"
    sandbox.remove_code_context(context)
    assert sandbox.run_code(_NUMBER).text == second.text


def test_the_interpreter_that_waits_is_the_default_context_s_when_that_is_used_first(sandbox: Sandbox) -> None:
    first = sandbox.run_code(f"x = 'default'; {_NUMBER}")
    context = sandbox.create_code_context()
    second = sandbox.run_code(_NUMBER, context=context)
    assert int(first.text or "") < int(second.text or "")
    assert sandbox.run_code("x").text == "default"
    assert sandbox.run_code("globals().get('x')", context=context).text is None


@pytest.mark.parametrize("before", ["another directory", "another context", "a command"])
def test_an_interpreter_of_its_own_where_the_waiting_one_is_not_it(sandbox: Sandbox, before: str) -> None:
    match before:
        case "another directory":
            context = sandbox.create_code_context(cwd="/tmp")
        case "another context":
            first = sandbox.create_code_context()
            context = sandbox.create_code_context()
            assert sandbox.run_code(_NUMBER, context=context).text != sandbox.run_code(_NUMBER, context=first).text
        case "a command":
            sandbox.commands.run("true")  # a command might leave something
            context = sandbox.create_code_context()
    own = sandbox.run_code(f"x = 1; {_NUMBER}", context=context)
    assert own.text != sandbox.run_code(_NUMBER).text
    assert sandbox.run_code("globals().get('x')").text is None


def test_an_interpreter_that_waited_has_the_environment_of_a_fresh_one(address: dict[str, str]) -> None:
    envs = {"LEVEL": "1", "TMPDIR": "/home/user/scratch", "MPLBACKEND": "agg"}
    seen = "import os, tempfile; sorted({**os.environ}.items()), tempfile.gettempdir(), os.getcwd()"
    with Sandbox.create(envs=envs, **address) as sandbox:
        waited = sandbox.create_code_context()
        fresh = sandbox.create_code_context()
        there = sandbox.run_code(seen, context=waited)
        assert there.text == sandbox.run_code(seen, context=fresh).text
        assert envs.items() <= dict(ast.literal_eval(there.text or "")[0]).items()
        assert ast.literal_eval(there.text or "")[1:] == ("/home/user/scratch", "/home/user")


def test_a_context_s_directory_is_made(sandbox: Sandbox) -> None:
    context = sandbox.create_code_context(cwd="/home/user/new/one")
    assert sandbox.run_code("import os; os.getcwd()", context=context).text == "/home/user/new/one"
    assert sandbox.list_code_contexts()[-1].cwd == "/home/user/new/one"
    sandbox.files.write("file", "")
    with pytest.raises(SandboxException, match="400"):
        sandbox.create_code_context(cwd="file")


def test_a_restarted_context_keeps_its_id_and_loses_its_state(sandbox: Sandbox) -> None:
    context = sandbox.create_code_context(cwd="/tmp")
    sandbox.run_code("x = 1", context=context)
    sandbox.restart_code_context(context)
    execution = sandbox.run_code("x", context=context)
    assert execution.error is not None
    assert execution.error.name == "NameError"
    assert execution.execution_count == 1
    assert sandbox.run_code("import os; os.getcwd()", context=context).text == "/tmp"


def test_a_removed_context_is_not_there(sandbox: Sandbox) -> None:
    context = sandbox.create_code_context()
    sandbox.remove_code_context(context)
    with pytest.raises(NotFoundException, match=f"Context {context.id} not found"):
        sandbox.run_code("1", context=context)
    with pytest.raises(NotFoundException):
        sandbox.restart_code_context(context)
    with pytest.raises(NotFoundException):
        sandbox.remove_code_context(context)


def test_code_makes_the_context_that_its_user_has_named(sandbox: Sandbox) -> None:
    one, other = (Context(new_name(), "python", "/home/user") for _ in range(2))
    assert sandbox.run_code("x = 1\nimport os\nos.getcwd()", context=one).text == "/home/user"
    assert sandbox.run_code("x", context=other).error.name == "NameError"
    assert sandbox.run_code("x", context=one).text == "1"
    assert {one.id, other.id} <= {context.id for context in sandbox.list_code_contexts()}


def test_a_context_that_its_user_has_named_ends_for_good(sandbox: Sandbox) -> None:
    named = Context(new_name(), "python", "/home/user")
    sandbox.run_code("x = 1", context=named)
    sandbox.remove_code_context(named)
    with pytest.raises(NotFoundException):
        sandbox.run_code("x", context=named)


def test_no_context_is_made_for_any_other_name(sandbox: Sandbox) -> None:
    for name in ("mine", "rewardkit-", f"{new_name()}0"):
        with pytest.raises(NotFoundException, match=name):
            sandbox.run_code("1", context=Context(name, "python", "/home/user"))


def test_results_and_output_come_in_their_order(sandbox: Sandbox) -> None:
    come: list[str] = []
    sandbox.run_code(
        "for n in range(300):\n    display(n)\n    print(f'after {n}')\ndisplay('last')",
        on_stdout=lambda message: come.append(message.line),
        on_result=lambda result: come.append(result.text),
    )
    assert come == [each for n in range(300) for each in (f"{n}", f"after {n}\n")] + ["last"]


def test_output_of_subprocesses_is_in_order_with_results(sandbox: Sandbox) -> None:
    come: list[str] = []
    sandbox.run_code(
        "import os\n"
        "for n in range(30):\n"
        "    os.system(f'echo before {n}')\n"
        "    display(n)\n"
        "    os.write(1, b'after\\n')",
        on_stdout=lambda message: come.extend(message.line.splitlines()),
        on_result=lambda result: come.append(result.text),
    )
    assert come == [each for n in range(30) for each in (f"before {n}", f"{n}", "after")]


def test_threads_and_handlers_may_display(sandbox: Sandbox) -> None:
    execution = sandbox.run_code(
        "import signal, threading\n"
        # The next alarm is set after one has been shown: on a busy machine that takes longer than any interval.
        "def show(*_): display('alarm'); signal.setitimer(signal.ITIMER_REAL, 0.001)\n"
        "signal.signal(signal.SIGALRM, show)\n"
        "signal.setitimer(signal.ITIMER_REAL, 0.001)\n"
        "threads = [threading.Thread(target=lambda: [display(n) for n in range(20)]) for _ in range(5)]\n"
        "for thread in threads: thread.start()\n"
        "for n in range(50): display('main')\n"
        "for thread in threads: thread.join()\n"
        "signal.signal(signal.SIGALRM, signal.SIG_IGN)\n"
        "'end'"
    )
    assert execution.text == "end"
    texts = [result.text for result in execution.results]
    assert texts.count("main") == 50
    assert sum(text.isdigit() for text in texts if text) == 100
    assert "alarm" in texts


def test_a_cell_that_is_interrupted_while_it_displays_goes_on_with_the_next(sandbox: Sandbox) -> None:
    with pytest.raises(TimeoutException):
        sandbox.run_code("x = 'kept'\nwhile True: display('x' * 1000)", timeout=0.5)
    execution = sandbox.run_code("display(1); print('a'); display(2)\nx")
    assert [result.text for result in execution.results] == ["1", "2", "kept"]


def test_a_timeout_interrupts_the_code(sandbox: Sandbox) -> None:
    sandbox.run_code("x = 'kept'")
    with pytest.raises(TimeoutException):
        sandbox.run_code("while True: pass", timeout=0.5)
    assert sandbox.run_code("x").text == "kept"


def test_a_timeout_restarts_what_ignores_the_interrupt(sandbox: Sandbox) -> None:
    sandbox.files.write("stays", "here")
    code = "import signal, time\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nx = 1\nwhile True: time.sleep(0.1)"
    with pytest.raises(TimeoutException):
        sandbox.run_code(code, timeout=0.5)
    execution = sandbox.run_code("open('stays').read()")
    assert execution.text == "here"
    assert sandbox.run_code("x").error.name == "NameError"


def test_executions_of_a_context_wait_for_each_other(sandbox: Sandbox) -> None:
    started = threading.Event()
    seen: list[str | None] = []

    def first() -> None:
        sandbox.run_code(
            "import os, time\nprint('go')\nwhile not os.path.exists('go'): time.sleep(0.01)\ndone = True",
            on_stdout=lambda message: started.set(),
        )

    def second() -> None:
        seen.append(sandbox.run_code("done").text)

    threads = [threading.Thread(target=first), threading.Thread(target=second)]
    threads[0].start()
    assert started.wait(10)
    threads[1].start()
    sandbox.files.write("go", "")
    for thread in threads:
        thread.join(30)
    assert seen == ["True"]


@pytest.mark.parametrize("code", ["import os; os._exit(1)", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"])
def test_a_kernel_that_dies_costs_its_execution_and_its_state(sandbox: Sandbox, code: str) -> None:
    sandbox.run_code("x = 1")
    sandbox.files.write("stays", "here")
    execution = sandbox.run_code(f"print('before', flush=True)\n{code}")
    assert execution.error is not None
    assert execution.error.name == "ContextRestarting"
    assert execution.logs.stdout == ["before\n"]
    assert sandbox.run_code("open('stays').read()").text == "here"
    assert sandbox.run_code("x").error.name == "NameError"


def test_a_flood_of_output_is_cut_with_a_note(sandbox: Sandbox) -> None:
    execution = sandbox.run_code("for _ in range(100): print('x' * 1_000_000)\n'done'")
    assert execution.text == "done"
    assert sum(map(len, execution.logs.stdout)) <= 16 * 2**20
    assert "output beyond 16 MiB was dropped" in "".join(execution.logs.stderr)
    assert sandbox.run_code("print('next')").logs.stdout == ["next\n"]


def test_killing_the_sandbox_ends_the_execution_with_an_error(address: dict[str, str]) -> None:
    from e2b_code_interpreter import Sandbox

    sandbox = Sandbox.create(**address)
    with pytest.raises(TimeoutException, match="sandbox was killed"):
        sandbox.run_code("print('now')\nwhile True: pass", on_stdout=lambda message: sandbox.kill())


def test_a_frame_with_two_columns_of_one_name_warns_nobody(sandbox: Sandbox) -> None:
    execution = sandbox.run_code("import pandas\npandas.DataFrame([[1, 2]], columns=['a', 'a'])")
    assert execution.logs.stderr == []
    assert execution.results[0].html is not None
    warned = sandbox.run_code("import warnings; warnings.warn('mine')").logs.stderr
    assert "mine" in "".join(warned)
