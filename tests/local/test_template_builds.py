"""`Template.build` through the real SDK: Python packages, files and variables, without an index."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from e2b import AsyncTemplate, BuildException, Template
from e2b_code_interpreter import AsyncSandbox, Sandbox
from servers import sdk_address, silent_server
from wheels import make_wheel

from pytest_rewardkit.local.settings import ServerSettings
from pytest_rewardkit.local.templates.cache import VARIABLE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def address(
    tmp_path_factory: pytest.TempPathFactory, shared_settings: ServerSettings, template_cache: Path
) -> Iterator[dict[str, str]]:
    folder = tmp_path_factory.mktemp("wheels")
    make_wheel(folder, "tariffs", "1.0", "VERSION = 'first'\n")
    make_wheel(folder, "tariffs", "2.0", "VERSION = 'second'\n")
    make_wheel(folder, "invoices", "1.0", "")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(template_cache))
        for tool in ("PIP", "UV"):
            patch.setenv(f"{tool}_NO_INDEX", "1")
            patch.setenv(f"{tool}_FIND_LINKS", str(folder))
        with silent_server(ServerSettings(isolation=shared_settings.isolation)) as server:
            yield sdk_address(server)


@pytest.fixture
def context(tmp_path: Path) -> Path:
    (tmp_path / "requirements.txt").write_text("# what is needed\ntariffs==1.0  # the old one\n\ninvoices\n")
    (tmp_path / "data" / "inner").mkdir(parents=True)
    (tmp_path / "data" / "a b.txt").write_text("one")
    (tmp_path / "data" / "inner" / "c.txt").write_text("two")
    (tmp_path / "data" / "link").symlink_to("/etc/passwd")
    return tmp_path


def test_packages_files_and_variables(address: dict[str, str], context: Path) -> None:
    template = (
        Template(file_context_path=context)
        .from_python_image("3")
        .copy("requirements.txt", "/home/user/")
        .run_cmd("pip install -r /home/user/requirements.txt")
        .copy("data", "/tmp/data", mode=0o700)
        .set_envs({"GREETING": "hello", "OTHER": "template"})
    )
    told: list[str] = []
    assert not Template.exists("numbers", **address)
    info = Template.build(template, "numbers", on_build_logs=lambda entry: told.append(entry.message), **address)
    assert any(line.startswith("making the template 'numbers': Python 3.") for line in told)
    assert Template.exists("numbers", **address)
    assert Template.alias_exists("numbers", **address)
    assert Template.get_build_status(info, **address).status == "ready"
    with Sandbox.create("numbers", envs={"OTHER": "sandbox"}, **address) as sandbox:
        assert sandbox.run_code("import tariffs, invoices; tariffs.VERSION").text == "first"
        shown = sandbox.commands.run("cd /tmp/data; cat 'a b.txt' inner/c.txt; stat -c %a .; echo $GREETING $OTHER")
        assert shown.stdout == "onetwo700\nhello sandbox\n"
        assert sandbox.commands.run("readlink /tmp/data/link").stdout == "/etc/passwd\n"
        assert sandbox.run_code("import aiohttp").error is not None
    onward = Template().from_template("numbers").pip_install(["tariffs==2.0"]).set_envs({"OTHER": "onward"})
    with pytest.raises(BuildException, match=r"tariffs"):
        Template.build(onward, "conflict", **address)
    assert not Template.exists("conflict", **address)
    Template.build(Template().from_template("numbers").set_envs({"OTHER": "onward"}), "more:v1", **address)
    with Sandbox.create("more:v1", **address) as sandbox:
        shown = sandbox.commands.run("cat requirements.txt | wc -l; echo $GREETING $OTHER; python -c 'import tariffs'")
        assert shown.stdout == "4\nhello onward\n"
    assert Sandbox.list_snapshots(**address).next_items() == []


@pytest.mark.asyncio
async def test_the_asynchronous_sdk(address: dict[str, str]) -> None:
    template = AsyncTemplate().from_base_image().pip_install("tariffs")
    info = await AsyncTemplate.build_in_background(template, alias="later", memory_mb=300, **address)
    while (status := await AsyncTemplate.get_build_status(info, **address)).status == "building":
        pass
    assert status.status == "ready", status.reason
    assert await AsyncTemplate.exists("later", **address)
    assert await AsyncTemplate.alias_exists("code-interpreter-v1", **address)
    async with await AsyncSandbox.create("later", **address) as sandbox:
        assert (await sandbox.run_code("import tariffs; tariffs.VERSION")).text == "second"
        assert (await sandbox.get_info()).memory_mb == 300


Steps = "Callable[[TemplateBuilder], TemplateClass]"

NOT_HERE: list[tuple[Steps, str]] = [
    (lambda it: it.apt_install("git"), "'apt-get update' is not run here, .*; install it on this machine"),
    (lambda it: it.run_cmd("make"), "'make' is not run here, as only packages of pip's are installed"),
    (lambda it: it.run_cmd("pip install x; touch /y"), "pip's 'x;' is not served here; name packages"),
    (lambda it: it.pip_install(), r"pip's '\.' is not served here; name packages, or use a table in pyproject.toml"),
    (lambda it: it.pip_install(["--index-url=https://a.b", "c"]), "pip's '--index-url=https://a.b' is not served here"),
    (lambda it: it.run_cmd("pip install -r other.txt"), "/home/user/other.txt has not been copied by a step before"),
    (lambda it: it.pip_install("no-such-package"), "the template 'wrong' cannot be made: .*no-such-package"),
    (lambda it: it.copy("data", "/app"), "'/app' is outside of /home/user and /tmp"),
    (lambda it: it.copy("data/*", "/tmp/x"), "must name one file or folder here, without a pattern"),
    (lambda it: it.copy("data", "/tmp/../etc"), "'/tmp/../etc' is outside of /home/user and /tmp"),
    (lambda it: it.set_start_cmd("server", "true"), "a local template starts no command"),
]


@pytest.mark.parametrize(("steps", "reason"), NOT_HERE, ids=[reason[:20] for _, reason in NOT_HERE])
def test_what_cannot_be_done_here_is_said(address: dict[str, str], context: Path, steps: Steps, reason: str) -> None:
    template = steps(Template(file_context_path=context).from_python_image())
    with pytest.raises(BuildException, match=reason):
        Template.build(template, "wrong", **address)
    assert not Template.exists("wrong", **address)


def test_bases_and_names_that_are_not_here(address: dict[str, str]) -> None:
    with pytest.raises(BuildException, match=r"the image 'ubuntu:24.04' cannot be had .*; use from_python_image\(\)"):
        Template.build(Template().from_ubuntu_image("24.04"), "wrong", **address)
    with pytest.raises(BuildException, match=r"goes on from 'code-interpreter-v1' here; name all packages after"):
        Template.build(Template().from_template("code-interpreter-v1"), "wrong", **address)
    with pytest.raises(BuildException, match=r"400: 'base' is the name of another template"):
        Template.build(Template().from_python_image(), "base", **address)
    with pytest.raises(BuildException, match="must be a name of letters"):
        Template.build(Template().from_python_image(), "a b", **address)
