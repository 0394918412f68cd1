"""docs/e2b-coverage.md is true: it lists every call, its tests make the calls they show, its refused calls fail."""

from __future__ import annotations

import ast
import functools
import inspect
import re
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from e2b import (
    AsyncCommandHandle,
    AsyncCommandInputHandle,
    AsyncSecret,
    AsyncTemplate,
    AsyncVolume,
    AsyncWatchHandle,
    AuthenticationException,
    CommandHandle,
    SandboxException,
    SandboxPaginator,
    SandboxQuery,
    SandboxState,
    Secret,
    Template,
    Volume,
    WatchHandle,
)
from e2b_code_interpreter import AsyncSandbox, Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable

LOCAL_TESTS = Path(__file__).parent
PAGE = LOCAL_TESTS.parents[1] / "docs" / "e2b-coverage.md"
CONSTRAINTS = LOCAL_TESTS.parents[1] / ".ci" / "constraints.txt"


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the page's tables."""

    name: str
    javascript: tuple[str, ...]
    here: str
    shown_by: tuple[str, ...]

    @property
    def method(self) -> str:
        return re.sub(r"\(.*", "", self.name).rpartition(".")[2]

    @property
    def refused(self) -> bool:
        return self.here.startswith("501")


def read_rows() -> list[Row]:
    lines = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    code = functools.partial(re.findall, r"`([^`]+)`")
    return [Row(code(name)[0], tuple(code(js)), here, tuple(code(tests))) for name, js, here, tests in cells]


ROWS = read_rows()
NAMES = {row.name for row in ROWS}


def callables(owner: object) -> set[str]:
    return {name for name in dir(owner) if not name.startswith("_") and callable(getattr(owner, name))}


def of_class(*owners: type) -> set[str]:
    """The methods called on the classes themselves, without those that describe a template."""
    kinds = (classmethod, staticmethod)
    return {
        name
        for owner in owners
        for name in callables(owner) - {"to_json", "to_dockerfile"}
        if isinstance(static := inspect.getattr_static(owner, name), kinds) or type(static).__name__ == "DualMethod"
    }


def test_the_page_is_about_the_releases_that_ci_has() -> None:
    pinned = dict(re.findall(r"^([\w-]+)==([\d.]+)$", CONSTRAINTS.read_text("utf-8"), re.MULTILINE))
    of_python = PAGE.read_text("utf-8").partition("JavaScript")[0]
    said = dict(re.findall(r"`(e2b|e2b-code-interpreter)`\s([\d.]+\d)", of_python))
    assert said == {name: release.rpartition(".")[0] for name, release in pinned.items()}


def test_every_call_of_the_python_sdk_has_a_row(sandbox: Sandbox) -> None:
    calls = {f"Sandbox.{name}" for name in callables(Sandbox) | callables(AsyncSandbox)}
    for part in ("files", "commands", "pty", "git"):
        calls |= {f"{part}.{name}" for name in callables(getattr(sandbox, part))}
    calls |= {f"CommandHandle.{name}" for name in callables(CommandHandle) | callables(AsyncCommandHandle)}
    calls |= {f"WatchHandle.{name}" for name in callables(WatchHandle) | callables(AsyncWatchHandle)}
    calls |= {f"AsyncCommandInputHandle.{name}" for name in callables(AsyncCommandInputHandle)}
    calls |= {f"SandboxPaginator.{name}" for name in callables(SandboxPaginator)}
    calls |= {f"Template.{name}" for name in of_class(Template, AsyncTemplate)}
    calls |= {f"Volume.{name}" for name in of_class(Volume, AsyncVolume)}
    calls |= {f"Secret.{name}" for name in of_class(Secret, AsyncSecret)}
    named = {name for name in NAMES if "(" not in name}
    assert named <= calls
    new = calls - named
    installed = [f"{name}=={version(name)}" for name in ("e2b", "e2b-code-interpreter")]
    if new and not set(installed) <= set(CONSTRAINTS.read_text("utf-8").splitlines()):
        pytest.skip(f"the page is about other releases than {' '.join(installed)}, which add {', '.join(sorted(new))}")
    assert not new


@pytest.mark.asyncio
async def test_the_asynchronous_parts_have_no_other_calls(async_sandbox: AsyncSandbox) -> None:
    for part in ("files", "commands", "pty", "git"):
        assert {f"{part}.{name}" for name in callables(getattr(async_sandbox, part))} <= NAMES


def test_every_row_says_what_happens_and_is_there_once() -> None:
    assert len(NAMES) == len(ROWS) > 80
    for row in ROWS:
        assert re.match(r"works\b|501\b|no call\b|raises `", row.here), row


@functools.cache
def python_functions(file: str) -> dict[str, str]:
    text = (LOCAL_TESTS / file).read_text("utf-8")
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name: ast.unparse(node) for node in ast.walk(ast.parse(text)) if isinstance(node, functions)}


@functools.cache
def javascript_tests() -> dict[str, str]:
    parts = re.split(r"^test\('", (LOCAL_TESTS / "javascript" / "everyday.mjs").read_text("utf-8"), flags=re.MULTILINE)
    return {part.partition("'")[0]: part for part in parts[1:]}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_the_tests_of_a_row_make_its_call(row: Row) -> None:
    in_python = [name for name in row.shown_by if not name.startswith("everyday.mjs: ")]
    for name in set(row.shown_by) - set(in_python):
        source = javascript_tests()[name.removeprefix("everyday.mjs: ")]
        assert any(re.search(rf"\.{call}\(", source) for call in row.javascript), name
    sources = [python_functions(file)[function] for file, _, function in (name.partition("::") for name in in_python)]
    assert sources
    if row.refused:
        assert in_python == ["test_coverage_page.py::test_refused_calls"]
        assert row.name in REFUSED
    else:
        assert re.search(rf"\.{row.method}\(", sources[0])


@dataclass(frozen=True, slots=True)
class Sdk:
    """The synchronous or asynchronous SDK, pointed to the server, with its own sandbox."""

    address: dict[str, Any]
    sandbox: Any
    Sandbox: Any
    Template: Any
    Volume: Any
    Secret: Any


REFUSED: dict[str, Callable[[Sdk], Any]] = {
    'Sandbox.create(network={"rules":…})': lambda sdk: sdk.Sandbox.create(
        network={"rules": {"any.example": [{"transform": {"headers": {"any": "any"}}}]}}, **sdk.address
    ),
    "Sandbox.create(volume_mounts=)": lambda sdk: sdk.Sandbox.create(volume_mounts={"/data": "any"}, **sdk.address),
    "Sandbox.create(iam=)": lambda sdk: sdk.Sandbox.create(
        iam={"tokens": {"any": {"audience": "any", "token_type": "JWT"}}}, **sdk.address
    ),
    'Sandbox.run_code(language="r")': lambda sdk: sdk.sandbox.run_code("1", language="r"),
    'Sandbox.create_code_context(language="r")': lambda sdk: sdk.sandbox.create_code_context(language="r"),
    "Template.assign_tags": lambda sdk: sdk.Template.assign_tags("any:one", "two", **sdk.address),
    "Template.remove_tags": lambda sdk: sdk.Template.remove_tags("any", "one", **sdk.address),
    "Template.get_tags": lambda sdk: sdk.Template.get_tags("any", **sdk.address),
    "Volume.create": lambda sdk: sdk.Volume.create("any", **sdk.address),
    "Volume.connect": lambda sdk: sdk.Volume.connect("any", **sdk.address),
    "Volume.get_info": lambda sdk: sdk.Volume.get_info("any", **sdk.address),
    "Volume.list": lambda sdk: sdk.Volume.list(**sdk.address),
    "Volume.destroy": lambda sdk: sdk.Volume.destroy("any", **sdk.address),
    "Secret.create": lambda sdk: sdk.Secret.create("any", "value", **sdk.address),
    "Secret.update": lambda sdk: sdk.Secret.update("any", "value", **sdk.address),
    "Secret.get_info": lambda sdk: sdk.Secret.get_info("any", **sdk.address),
    "Secret.list": lambda sdk: sdk.Secret.list(**sdk.address).next_items(),
    "Secret.exists": lambda sdk: sdk.Secret.exists("any", **sdk.address),
    "Secret.destroy": lambda sdk: sdk.Secret.destroy("any", **sdk.address),
}


@pytest.mark.asyncio
@pytest.mark.parametrize("name", [row.name for row in ROWS if row.refused])
async def test_refused_calls(name: str, sandbox: Sandbox, async_sandbox: AsyncSandbox, address: dict[str, str]) -> None:
    for sdk in (
        Sdk(address, sandbox, Sandbox, Template, Volume, Secret),
        Sdk(address, async_sandbox, AsyncSandbox, AsyncTemplate, AsyncVolume, AsyncSecret),
    ):
        with pytest.raises(Exception, match=r"^501.*the local server (does not serve|runs python)") as caught:
            answer = REFUSED[name](sdk)
            if inspect.isawaitable(answer):
                await answer
        assert type(caught.value).__module__ == "e2b.exceptions"


def test_a_create_call_sent_again(address: dict[str, str]) -> None:
    with (
        Sandbox.create(idempotency_key="test-again", **address) as first,
        Sandbox.create(idempotency_key="test-again", **address) as second,
    ):
        assert first.sandbox_id == second.sandbox_id


def test_old_names_of_calls(sandbox: Sandbox) -> None:
    assert sandbox.beta_pause() is True
    assert sandbox.get_info().state == SandboxState.PAUSED


@pytest.mark.asyncio
async def test_an_mcp_gateway_cannot_be_started(address: dict[str, str]) -> None:
    mark = {"test": "mcp"}
    with pytest.raises(SandboxException, match=r"(?s)Failed to start MCP gateway: .*mcp-gateway.*not found"):
        Sandbox.create(mcp={"any": {}}, metadata=mark, **address)
    with pytest.raises(SandboxException, match="Failed to start MCP gateway"):
        await AsyncSandbox.create(mcp={"any": {}}, metadata=mark, **address)
    assert Sandbox.list(query=SandboxQuery(metadata=mark), **address).next_items() == []
    with pytest.raises(SandboxException, match="template 'mcp-gateway' not found"):
        Sandbox.create("mcp-gateway", **address)


def test_there_is_no_mcp_gateway(sandbox: Sandbox) -> None:
    assert sandbox.get_mcp_url().startswith(f"https://50005-{sandbox.sandbox_id}.")
    with pytest.raises(AuthenticationException, match="unknown user 'root'"):
        sandbox.get_mcp_token()


@pytest.mark.asyncio
async def test_there_is_one_user(sandbox: Sandbox, async_sandbox: AsyncSandbox) -> None:
    for call in (sandbox.commands.run, sandbox.files.read, sandbox.files.list):
        with pytest.raises(AuthenticationException, match="unknown user 'root'"):
            call("any", user="root")
    for async_call in (async_sandbox.commands.run, async_sandbox.files.read, async_sandbox.files.list):
        with pytest.raises(AuthenticationException, match="unknown user 'root'"):
            await async_call("any", user="root")


def test_secrets_are_only_named() -> None:
    assert Secret.fill("any") == AsyncSecret.fill("any")
    assert "any" in Secret.fill("any")
    token = Secret.iam_token(audience="any", token_type="JWT")
    assert token == AsyncSecret.iam_token(audience="any", token_type="JWT")
    assert token["audience"] == "any"
