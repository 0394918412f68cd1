"""Everyday use of the JavaScript SDK, run by Node against the server: `javascript/everyday.mjs`, test by test.

npm installs the SDK once, into a temporary directory or into that of `REWARDKIT_JAVASCRIPT_PACKAGES`.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from docs.pages import ROOT, sections

if TYPE_CHECKING:
    from pytest_rewardkit.local.handle import LocalServer

SCRIPTS = Path(__file__).parent / "javascript"
DIRECTORY_VARIABLE = "REWARDKIT_JAVASCRIPT_PACKAGES"
PAGE = ROOT / "docs" / "local-server.md"
COVERAGE = ROOT / "docs" / "e2b-coverage.md"
OLDEST_NODE = (20, 18)
UNREACHABLE = ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "ENETUNREACH", "EHOSTUNREACH")
TESTS = re.findall(r"^test\('([^']+)'", (SCRIPTS / "everyday.mjs").read_text("utf-8"), re.MULTILINE)


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the scripts and the SDK that they import."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            pytest.skip(f"needs {program}")
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if tuple(map(int, re.findall(r"\d+", version)[:2])) < OLDEST_NODE:
        pytest.skip(f"needs Node 20.18 or later, not {version}")
    directory = _directory(tmp_path_factory)
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # other workers install into the same directory
        for script in SCRIPTS.iterdir():
            shutil.copy(script, directory)
        _install(directory)
    return directory


def _directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if named := os.environ.get(DIRECTORY_VARIABLE):
        return Path(named)
    own = tmp_path_factory.getbasetemp()
    return (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "javascript"


def _install(directory: Path) -> None:
    # An existing installation needs no registry.
    command = ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--prefer-offline"]
    installed = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    if installed.returncode != 0:
        if any(f"code {code}" in installed.stderr for code in UNREACHABLE):
            pytest.skip("needs the npm registry, which cannot be reached")
        pytest.fail(f"npm install failed:\n{installed.stderr}")


def node(server: LocalServer, directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["node", *arguments],
        cwd=directory,
        env={**os.environ, **server.environment()},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


@pytest.mark.parametrize("name", TESTS)
def test_everyday_use(name: str, server: LocalServer, packages: Path) -> None:
    only = f"--test-name-pattern=^{re.escape(name)}$"
    # After a refused `runCode` the SDK keeps a timer for a minute; Node would wait for it.
    ran = node(server, packages, "--test-reporter=tap", "--test-force-exit", only, "everyday.mjs")
    said = ran.stdout + ran.stderr
    assert ran.returncode == 0, said
    outcome = re.search(rf"^ok \d+ - {re.escape(name)}( # SKIP .*)?$", ran.stdout, re.MULTILINE)
    assert outcome is not None, said
    if outcome[1]:
        assert " # SKIP needs " in outcome[1], said
        pytest.skip(outcome[1].removeprefix(" # SKIP "))


def test_the_script_of_the_documentation(server: LocalServer, packages: Path, tmp_path: Path) -> None:
    found = [block for section in sections(PAGE) for block in section.blocks if block.language == "javascript"]
    for block in found:
        script = packages / f"{tmp_path.name}.mjs"
        script.write_text(block.text, "utf-8")
        ran = node(server, packages, script.name)
        assert (ran.stdout, ran.stderr, ran.returncode) == ("42\n", "", 0)
    assert len(found) == 1


METHODS = """
import { Sandbox, Secret, Template, Volume } from '@e2b/code-interpreter'
const named = (owner) => Object.getOwnPropertyNames(owner)
const names = new Set([...named(Template), ...named(Volume), ...named(Secret)])
for (let type = Sandbox; type.name; type = Object.getPrototypeOf(type))
  for (const name of [...named(type), ...named(type.prototype)]) names.add(name)
const sandbox = await Sandbox.create()
for (const part of ['files', 'commands', 'pty', 'git'])
  for (const name of named(Object.getPrototypeOf(sandbox[part]))) names.add(name)
await sandbox.kill()
console.log([...names].join(' '))
"""
NO_CALLS = {
    *("constructor", "length", "name", "prototype", "defaultTemplate", "defaultMcpTemplate"),
    # These describe a template, and send nothing to a server.
    *("toJSON", "toDockerfile"),
    # Private in the SDK's types, or a property.
    *("boundOpts", "connectSandbox", "createSandbox", "fileUrl", "forkSandbox", "getJupyterRequestUrl", "getRemoteUrl"),
    *("handleRequestError", "hasUpstream", "includeDiagnostics", "jupyterUrl", "resolveApiOpts", "resolveOpts"),
    *("resolveRemoteName", "runGit", "runShell", "start", "supportsStdinClose", "withRemoteCredentials"),
}


def test_every_call_is_in_the_documentation(server: LocalServer, packages: Path, tmp_path: Path) -> None:
    script = packages / f"{tmp_path.name}.mjs"
    script.write_text(METHODS, "utf-8")
    ran = node(server, packages, script.name)
    assert ran.returncode == 0, ran.stderr
    rows = re.findall(r"^\| `.*?` \| (.*?) \|", COVERAGE.read_text("utf-8"), re.MULTILINE)
    shown = {name for cell in rows for name in re.findall(r"`(\w+)`", cell)}
    # Calls return the handles of commands and watches.
    assert set(ran.stdout.split()) - NO_CALLS == shown - {"nextItems", "stop", "wait", "disconnect"}


def test_every_test_of_the_script_is_run() -> None:
    script = (SCRIPTS / "everyday.mjs").read_text("utf-8")
    assert len(TESTS) == len(set(TESTS)) == script.count("\ntest(")
