"""Every code block of the documentation is executed, or compared with what it describes.

The blocks under one heading belong together: files (a comment with their name opens them) are written into one
directory, tests are run there with `--rewardkit`, other Python is run as a script, and each command of a console block
is run there and must print what the page shows. A line of `...` stands for any lines; times, versions and ports vary.

`<!-- docs-test: tutorial -->` at the top of a page: all its blocks belong together. Comments above a block say what
differs:
`<!-- docs-test: setup -->`: creates an environment and downloads packages, so it is not run, but checked for agreement
with .ci/run and pyproject.toml;
`<!-- docs-test: run by PATH -->`: the named test runs this command, or takes this file or script from the page;
`<!-- docs-test: serves -->`: runs until it is interrupted;
`<!-- docs-test: file NAME -->`: a file that has no comment with its name;
`<!-- docs-test: read by PROGRAM -->`: settings of a program that is not here.
"""

from __future__ import annotations

import contextlib
import re
import shlex
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from docs.pages import PAGES, ROOT, Block, Section, assert_shown, commands, sections

SECTIONS = [section for page in PAGES for section in sections(page)]
FILES = {"python", "toml", "ini", "json", "jsonl", "yaml", "sh"}
TIME_LIMIT = 600
# Other installed plugins make each pytest, and each of its workers, take three times as long to start.
PLUGINS = ("pytest_rewardkit.plugin", "xdist", "asyncio")


@pytest.fixture
def shell(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A directory in which `pytest` and `python` are those that run this test, without an E2B key."""
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:/usr/bin:/bin")
    monkeypatch.setenv("COLUMNS", "96")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    options = [*(f"-p {name}" for name in PLUGINS), "-p no:cacheprovider"]
    monkeypatch.setenv("PYTEST_ADDOPTS", " ".join([*options, "-o asyncio_default_fixture_loop_scope=function"]))
    return pytester


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.id)
def test_section_runs(section: Section, shell: pytest.Pytester) -> None:
    unhandled = [block for block in section.blocks if not _handled(block)]
    assert not unhandled, f"line {unhandled[0].line}: no test for a {unhandled[0].language!r} block"

    scripts, has_tests = [], False
    for number, block in enumerate(section.blocks):
        if block.language in FILES and not block.directive.startswith("run by "):
            name = block.file_name or block.directive.removeprefix("file ") or _default_name(block, number)
            path = shell.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, "utf-8")
            has_tests |= block.has_tests
            if block.language == "python" and not block.has_tests and not block.file_name:
                scripts.append(path)
    for script in scripts:
        _run([sys.executable, str(script)], shell.path)

    shown = [block for block in section.blocks if block.language == "console"]
    for block in shown:
        _run_console(block, shell.path)
    workflow = [line for block in section.blocks if _is_workflow(block) for line in _workflow_steps(block)]
    if has_tests and not any(re.search(r"^\$ (\w+=\S+ )*pytest", block.text, re.MULTILINE) for block in shown):
        for command in workflow or ["pytest --rewardkit"]:
            result = shell.run(*shlex.split(command), timeout=TIME_LIMIT)
            assert result.ret == 0
            assert result.parseoutcomes().get("passed", 0) > 0


SETUP = [block for section in SECTIONS for block in section.blocks if block.directive == "setup"]


@pytest.mark.parametrize("block", SETUP, ids=lambda block: f"line {block.line}")
def test_setup_commands_agree_with_the_project(block: Block) -> None:
    """Not run, because they download packages: their extras exist, and .ci/run, or a test that it runs, installs and
    runs the same, with as many workers as there are cores for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    ci = (ROOT / ".ci" / "run").read_text("utf-8")
    suites = (ROOT / "tests" / "integration" / "test_example_suites.py").read_text("utf-8")
    for line in block.text.strip().splitlines():
        steps = [re.sub(r"\.venv/bin/", "", step).strip() for step in line.split("&&")]
        assert steps[0] == "python3 -m venv .venv"
        for step in steps[1:]:
            arguments = step.split()
            if arguments[0] == "pip":
                extra = re.fullmatch(r"'\.\[(\w+)\]'", arguments[-1])
                assert extra is not None and extra[1] in project["optional-dependencies"]
            else:
                assert arguments[0] == "pytest"
                folders = [argument for argument in arguments[1:] if not argument.startswith("-")]
                assert all((ROOT / folder).is_dir() for folder in folders if not folder.isdigit())
                command = re.sub(r" -n \d+$", "", step)
                assert f"python -m {command} " in ci or f'"{command}"' in suites, f"{step!r} is not what .ci/run runs"


RUN_BY = [block for section in SECTIONS for block in section.blocks if block.directive.startswith("run by ")]


@pytest.mark.parametrize("block", RUN_BY, ids=lambda block: f"line {block.line}")
def test_commands_run_by_other_tests(block: Block) -> None:
    runner = ROOT / block.directive.removeprefix("run by ")
    if block.language != "console":
        assert f'language == "{block.language}"' in runner.read_text("utf-8"), f"{runner.name} takes no such script"
    for command in commands(block):
        assert f'"{command.line}"' in runner.read_text("utf-8"), f"{runner.name} does not run {command.line!r}"


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        ("mean 0.56\n===== 3 passed in 1.2s =====", "mean 0.56\n==== 3 passed in 44ms ====\n", True),
        ("first\n...\nlast", "first\nany\nlines\nlast\n", True),
        ("key e2b_...", "key e2b_1234\n", True),
        ("mean 0.56", "mean 0.57\n", False),
        ("first\nlast", "first\nany\nlast\n", False),
        ("first\n...", "last\n", False),
        ("", "unexpected\n", False),
    ],
)
def test_output_is_compared(shown: str, printed: str, same: bool) -> None:
    with contextlib.nullcontext() if same else pytest.raises(AssertionError, match="the page shows"):
        assert_shown(shown, printed)


def test_there_is_something_to_test() -> None:
    assert {section.page.name for section in SECTIONS} >= {"README.md", "CONTRIBUTING.md"}
    assert sum(block.language == "python" for section in SECTIONS for block in section.blocks) > 10


def _handled(block: Block) -> bool:
    directives = block.directive == "setup" or block.directive.startswith("run by ")
    return block.language in {*FILES, "console", "text"} or directives


def _default_name(block: Block, number: int) -> str:
    suffix = "py" if block.language == "python" else block.language
    return f"test_block_{number}.{suffix}" if block.has_tests else f"block_{number}.{suffix}"


def _is_workflow(block: Block) -> bool:
    return block.language == "yaml" and not block.directive.startswith("read by ")


def _workflow_steps(block: Block) -> list[str]:
    """The steps of a CI workflow that run pytest; the others set up the machine."""
    steps: list[str] = re.findall(r"^ *- (?:run: )?(pytest .*)$", block.text, re.MULTILINE)
    assert steps, f"line {block.line}: the workflow runs no pytest"
    return steps


def _run_console(block: Block, directory: Path) -> None:
    if block.directive.startswith("run by "):
        return
    for command in commands(block):
        if block.directive == "serves":
            _serve(command.line, command.output, directory)
        else:
            completed = subprocess.run(
                command.line, shell=True, cwd=directory, capture_output=True, text=True, timeout=TIME_LIMIT, check=False
            )
            assert_shown(command.output, completed.stdout + completed.stderr)


def _serve(line: str, shown: str, directory: Path) -> None:
    """Runs a command that serves until interrupted, and compares what it prints before."""
    server = subprocess.Popen(f"exec {line}", shell=True, cwd=directory, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        printed = "".join(server.stdout.readline() for _ in shown.splitlines())
        server.send_signal(signal.SIGINT)
        rest, _ = server.communicate(timeout=TIME_LIMIT)
    finally:
        server.kill()
        server.wait()
    assert_shown(shown, printed + rest)
    assert server.returncode == 0


def _run(arguments: list[str], directory: Path) -> None:
    completed = subprocess.run(
        arguments, cwd=directory, capture_output=True, text=True, timeout=TIME_LIMIT, check=False
    )
    assert completed.returncode == 0, completed.stderr
