"""The SDK's code interpreter in languages other than Python: bash, and JavaScript if the machine has node."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from e2b import SandboxException, TimeoutException

from pytest_rewardkit.local.errors import RequestError
from pytest_rewardkit.local.guest import javascript, languages

if TYPE_CHECKING:
    from e2b_code_interpreter import Execution, Sandbox

NODE = shutil.which("node", path="/usr/local/bin:/usr/bin:/bin")
FROM_THE_START = ["python", "javascript"] if NODE else ["python"]
needs_node = pytest.mark.skipif(NODE is None, reason="node is not where sandboxes can see it")


def failure(execution: Execution) -> tuple[str, str]:
    assert execution.error is not None
    return execution.error.name, execution.error.value


def test_a_shell_keeps_its_state_and_its_streams_are_apart(sandbox: Sandbox) -> None:
    execution = sandbox.run_code("x=5\necho 'a  b'\necho \"it's\" >&2", language="bash")
    assert (execution.logs.stdout, execution.logs.stderr) == (["a  b\n"], ["it's\n"])
    assert (execution.error, execution.results, execution.execution_count) == (None, [], 1)
    execution = sandbox.run_code("f() { echo $x; }; f; pwd", language="bash")
    assert execution.logs.stdout == ["5\n/home/user\n"]
    assert execution.execution_count == 2


def test_a_shell_s_failure_is_its_exit_status(sandbox: Sandbox) -> None:
    assert failure(sandbox.run_code("x=5; (exit 3)", language="bash")) == ("ExitStatus", "3")
    broken = sandbox.run_code("if", language="bash")
    assert failure(broken)[0] == "ExitStatus"
    assert "syntax error" in "".join(broken.logs.stderr)
    assert sandbox.run_code("echo $x", language="bash").logs.stdout == ["5\n"]
    assert failure(sandbox.run_code("exit 4", language="bash")) == ("ExitStatus", "4")
    assert sandbox.run_code("echo ${x-gone}", language="bash").logs.stdout == ["gone\n"]
    assert failure(sandbox.run_code("kill -KILL $$", language="bash"))[0] == "ContextRestarting"


def test_a_shell_s_variables_of_one_run(address: dict[str, str]) -> None:
    from e2b_code_interpreter import Sandbox

    with Sandbox.create(envs={"A": "sandbox"}, **address) as sandbox:
        code = "echo ${A-none} ${B-none}; sh -c 'echo $A'"
        execution = sandbox.run_code(code, language="bash", envs={"A": "it's $x", "B": "b"})
        assert "".join(execution.logs.stdout) == "it's $x b\nit's $x\n"
        assert "".join(sandbox.run_code(code, language="bash").logs.stdout) == "sandbox none\nsandbox\n"
        assert failure(sandbox.run_code("true", language="bash", envs={"a;b": ""}))[0] == "ValueError"


@pytest.mark.parametrize("code", ["f() { while :; do :; done; }; f; x=lost", "sleep 1000; x=lost"])
def test_a_timeout_interrupts_a_shell(sandbox: Sandbox, code: str) -> None:
    sandbox.run_code("x=kept", language="bash")
    with pytest.raises(TimeoutException):
        sandbox.run_code(code, language="bash", timeout=0.5)
    assert sandbox.run_code("echo $x", language="bash").logs.stdout == ["kept\n"]


def test_a_shell_s_standard_input_is_empty(sandbox: Sandbox) -> None:
    assert sandbox.run_code("cat; read line; echo end", language="bash").logs.stdout == ["end\n"]


def test_contexts_of_a_language(sandbox: Sandbox) -> None:
    context = sandbox.create_code_context(cwd="/tmp", language="bash")
    assert (context.language, context.cwd) == ("bash", "/tmp")
    sandbox.run_code("x=other", context=context)
    sandbox.run_code("x=default", language="bash")
    assert sandbox.run_code("echo $x; pwd", context=context).logs.stdout == ["other\n/tmp\n"]
    assert sandbox.run_code("echo $x", language="bash").logs.stdout == ["default\n"]
    assert sorted(listed.language for listed in sandbox.list_code_contexts()) == sorted(
        ["bash", "bash", *FROM_THE_START]
    )
    sandbox.restart_code_context(context)
    execution = sandbox.run_code("echo ${x-gone}; pwd", context=context)
    assert execution.logs.stdout == ["gone\n/tmp\n"]
    assert execution.execution_count == 1
    sandbox.remove_code_context(context)
    assert context.id not in [listed.id for listed in sandbox.list_code_contexts()]


def test_a_removed_context_s_processes_end(sandbox: Sandbox) -> None:
    context = sandbox.create_code_context(language="bash")
    sandbox.run_code("sleep 4321 &", context=context)
    sandbox.commands.run("until pgrep -f '^sleep 4321'; do sleep 0.01; done", timeout=120)
    sandbox.remove_code_context(context)
    sandbox.commands.run("while pgrep -f '^sleep 4321'; do sleep 0.01; done", timeout=120)


def test_the_limits_hold_for_a_shell_too(sandbox: Sandbox) -> None:
    execution = sandbox.run_code("ls /root; ulimit -d; ulimit -u; id -un", language="bash")
    python = sandbox.commands.run("ls /root; ulimit -d; ulimit -u; id -un")
    assert "".join(execution.logs.stdout) == python.stdout
    assert "unlimited" not in python.stdout


@needs_node
def test_the_last_expression_of_javascript_is_the_result(sandbox: Sandbox) -> None:
    execution = sandbox.run_code("const x = 1\nconsole.log('out'); console.error('err')\nx + 1", language="js")
    assert execution.text == "2"
    assert execution.results[0].is_main_result
    assert (execution.logs.stdout, execution.logs.stderr) == (["out\n"], ["err\n"])
    assert execution.execution_count == 1
    assert sandbox.run_code("const x = 'again'; x", language="javascript").text == "again"
    assert sandbox.run_code("({a: [1, 2]})", language="js").text == "{ a: [ 1, 2 ] }"
    assert sandbox.run_code("{a: 1}", language="js").text == "{ a: 1 }"
    assert sandbox.run_code("undefined", language="js").results == []
    assert sandbox.run_code("typeof later; let later = 1; later", language="js").error is not None
    assert sandbox.run_code("1", language="js").execution_count == 7


@needs_node
@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("await new Promise(resolve => setTimeout(() => resolve('done'), 10))", "done"),
        ("import fs, {existsSync as there} from 'fs'\nthere('/') && fs.existsSync('/')", "true"),
        ("import * as path from 'node:path'; path.sep", "/"),
        ("(await import('fs')).existsSync('/')", "true"),
        ("require('fs').existsSync('/')", "true"),
        ("// import(\n`import('x')` + \"import fs from 'fs'\"", "import('x')import fs from 'fs'"),
        ("import value from './module.mjs'\nvalue", "of the module"),
    ],
)
def test_javascript_awaits_and_imports(sandbox: Sandbox, code: str, text: str) -> None:
    sandbox.files.write("module.mjs", "export default 'of the module'")
    execution = sandbox.run_code(code, language="js")
    assert execution.error is None
    assert execution.text == text


@needs_node
@pytest.mark.parametrize(
    ("code", "name", "value", "in_traceback"),
    [
        ("function f() { throw new RangeError('deep') }\nf()", "RangeError", "deep", "at f (<anonymous>:2:"),
        ("1 +", "SyntaxError", "Unexpected end of input", "SyntaxError"),
        ("await Promise.reject(new TypeError('later'))", "TypeError", "later", "TypeError"),
        ("throw 5", "Uncaught", "5", ""),
        ("process.exit(4)", "ExitStatus", "4", "4"),
        ("process.kill(process.pid, 'SIGKILL')", "ContextRestarting", "Context was restarted", ""),
    ],
)
def test_javascript_s_errors(sandbox: Sandbox, code: str, name: str, value: str, in_traceback: str) -> None:
    execution = sandbox.run_code(f"console.log('before')\n{code}", language="js")
    assert failure(execution) == (name, value)
    assert execution.error is not None
    assert in_traceback in execution.error.traceback
    assert "node:inspector" not in execution.error.traceback
    assert execution.logs.stdout == (["before\n"] if name != "SyntaxError" else [])
    assert sandbox.run_code("1 + 1", language="js").text == "2"


@needs_node
@pytest.mark.parametrize("code", ["while (true) {}", "await new Promise(() => {})"])
def test_a_timeout_interrupts_javascript(sandbox: Sandbox, code: str) -> None:
    sandbox.run_code("let x = 'kept'", language="js")
    with pytest.raises(TimeoutException):
        sandbox.run_code(code, language="js", timeout=0.5)
    assert sandbox.run_code("x", language="js").text == "kept"


@needs_node
def test_javascript_s_variables_directory_and_files(sandbox: Sandbox) -> None:
    assert sandbox.run_code("process.env.A", language="js", envs={"A": "run"}).text == "run"
    assert sandbox.run_code("process.env.A", language="js").results == []
    sandbox.files.write("/tmp/data", "shared")
    context = sandbox.create_code_context(cwd="/tmp", language="javascript")
    assert context.language == "javascript"
    assert sandbox.run_code("require('fs').readFileSync('data', 'utf8')", context=context).text == "shared"
    sandbox.run_code("x = 1", context=context)
    sandbox.restart_code_context(context)
    assert sandbox.run_code("typeof x", context=context).text == "undefined"


@needs_node
def test_typescript_where_node_can_strip_types(sandbox: Sandbox) -> None:
    assert NODE is not None
    if lacking := javascript.lacks_types(NODE):
        with pytest.raises(SandboxException, match="cannot strip types"):
            sandbox.run_code("1", language="ts")
        assert "22.13" in lacking
    else:
        assert sandbox.run_code("const x: number = 1; x", language="ts").text == "1"


def test_a_language_without_its_program_is_refused_by_the_reason() -> None:
    with pytest.raises(RequestError, match="this machine has no node"):
        languages.find("javascript", "/nonexistent")


@pytest.mark.parametrize("language", ["r", "java"])
def test_languages_that_are_not_here_are_refused_by_name(sandbox: Sandbox, language: str) -> None:
    with pytest.raises(SandboxException, match=f"501.*python, bash, javascript, typescript, not '{language}'"):
        sandbox.run_code("1", language=language)
    with pytest.raises(SandboxException, match="501"):
        sandbox.create_code_context(language=language)
    assert [context.language for context in sandbox.list_code_contexts()] == FROM_THE_START
