"""Sandboxes of templates, through the real SDK: built when first requested, each with its own packages."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from e2b import BuildException, CommandExitException, SandboxException, Template
from e2b_code_interpreter import Sandbox
from servers import sdk_address, silent_server
from wheels import make_wheel

from pytest_rewardkit.errors import RewardkitUsageError, SandboxUnavailable
from pytest_rewardkit.local.settings import ServerSettings
from pytest_rewardkit.local.templates.cache import VARIABLE
from pytest_rewardkit.sandboxes.local import LocalProvider

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_rewardkit.local.handle import LocalServer

OTHER = "iniconfig"
"""A package that pytest's environment has in another version."""


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, shared_settings: ServerSettings, template_cache: Path
) -> Iterator[LocalServer]:
    folder = tmp_path_factory.mktemp("project")
    make_wheel(folder / "wheels", OTHER, "0.0.1", "VERSION = 'of the template'\n")
    make_wheel(folder / "wheels", "pygments", "0.0.1", "")
    pyproject = folder / "pyproject.toml"
    pyproject.write_text(
        f"""
        [tool.rewardkit.templates.other]
        packages = ["{OTHER}==0.0.1"]
        preload = ["{OTHER}"]
        limits = {{memory_mb = 300}}
        find_links = ["wheels"]
        index = false

        [tool.rewardkit.templates.nowhere]
        packages = ["no-such-package"]
        index = false

        [tool.rewardkit.templates.spoilt]
        packages = ["pygments"]
        find_links = ["wheels"]
        index = false
        """
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(template_cache))
        settings = ServerSettings(isolation=shared_settings.isolation, templates=str(pyproject))
        with silent_server(settings) as server:
            yield server


def test_the_first_who_asks_has_it_made_and_all_get_it(server: LocalServer) -> None:
    told: list[str] = []
    providers = [LocalProvider(server=server, isolation="auto", say=told.append) for _ in range(2)]
    made: list[Sandbox] = []
    threads = [threading.Thread(target=lambda one=one: made.append(one.create(template="other"))) for one in providers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 2
    assert [line.startswith("making the template 'other': Python 3.") for line in told] == [True, False]
    assert told[0].endswith(f", {OTHER}==0.0.1")
    assert told[1].startswith("made the template 'other' in ")
    for sandbox in made:
        with sandbox:
            assert sandbox.run_code(f"import {OTHER}; {OTHER}.VERSION").text == "of the template"
            assert sandbox.get_info().memory_mb == 300
    with providers[0].create(template="other", memory_mb=200) as sandbox:
        assert sandbox.get_info().memory_mb == 200


def test_it_has_its_own_packages_and_no_others(server: LocalServer) -> None:
    address = sdk_address(server)
    with Sandbox.create("other", **address) as sandbox:
        listed = json.loads(sandbox.commands.run("python -m pip list --format=json").stdout)
        assert {"iniconfig": "0.0.1", "pip": "x"}.keys() <= {package["name"] for package in listed}
        shown = sandbox.commands.run(f"python -c 'import {OTHER}; print({OTHER}.VERSION)'").stdout
        assert shown == "of the template\n"
        error = sandbox.run_code("import aiohttp").error
        assert error is not None
        assert error.name == "ModuleNotFoundError"
        place = sandbox.run_code(f"import {OTHER}; {OTHER}.__file__").text or ""
        refused = sandbox.run_code(f"open({place!r}, 'a')").error
        assert refused is not None
        assert refused.name in ("OSError", "PermissionError")
        assert Path(place).read_text() == "VERSION = 'of the template'\n"
    with Sandbox.create(**address) as sandbox:
        usual = sandbox.run_code(f"import {OTHER}; {OTHER}.__file__").text or ""
        assert usual != place


def test_a_template_that_cannot_be_made_or_makes_nothing_is_nobodys_fault(server: LocalServer) -> None:
    told: list[str] = []
    provider = LocalProvider(server=server, isolation="auto", say=told.append)
    with pytest.raises(
        SandboxUnavailable,
        match=r"^the template 'nowhere' cannot be made: .*no-such-package",
    ):
        provider.create(template="nowhere")
    with pytest.raises(SandboxUnavailable, match=r"^the template 'nowhere' cannot be made"):
        provider.create(template="nowhere")
    assert len(told) == 1
    with pytest.raises(SandboxException, match=r"the template 'spoilt' makes no sandboxes: .*pygments"):
        Sandbox.create("spoilt", request_timeout=120, **sdk_address(server))


def test_unknown_names_and_what_the_sdk_builds_on(server: LocalServer) -> None:
    provider = LocalProvider(server=server, isolation="auto")
    with pytest.raises(RewardkitUsageError, match=r"^template 'othr' not found; did you mean 'other'"):
        provider.create(template="othr")
    with pytest.raises(SandboxException, match=r"404: template 'othr' not found; did you mean 'other'"):
        Sandbox.create("othr", **sdk_address(server))
    with pytest.raises(BuildException, match=r"'other' is the name of another template"):
        Template.build(Template().from_python_image(), "other", **sdk_address(server))
    Template.build(Template().from_template("other").set_envs({"MORE": "1"}), "further", **sdk_address(server))
    with provider.create(template="further") as sandbox:
        assert sandbox.run_code(f"import os, {OTHER}; os.environ['MORE'], {OTHER}.VERSION").text == (
            "('1', 'of the template')"
        )
    with provider.create() as sandbox, provider.create(template=sandbox.create_snapshot().snapshot_id) as copy:
        assert copy.run_code("6 * 7").text == "42"


def test_a_sandbox_installs_for_itself(server: LocalServer, tmp_path: Path) -> None:
    with Sandbox.create("other", **sdk_address(server)) as sandbox:
        for name, version in (("tariffs", "1.0"), ("tariffs", "2.0"), (OTHER, "9.0")):
            wheel = make_wheel(tmp_path, name, version, f"VERSION = {version!r}\n")
            sandbox.files.write(wheel.name, wheel.read_bytes())
        shown = sandbox.run_code(
            "%pip install --no-index ./tariffs-1.0-py3-none-any.whl\nimport tariffs; tariffs.VERSION"
        )
        assert shown.error is None
        assert shown.text == "1.0"
        sandbox.run_code(f"!pip install --no-index ./{OTHER}-9.0-py3-none-any.whl")
        assert sandbox.run_code(f"import {OTHER}; {OTHER}.VERSION").text == "9.0"
        ask = "python -c 'import tariffs, sys; print(tariffs.VERSION, tariffs.__file__)'"
        installed = sandbox.commands.run(f"pip install -q --no-index ./tariffs-2.0-py3-none-any.whl && {ask}")
        version, place = installed.stdout.split()
        assert version == "2.0"
        assert place.startswith("/home/user/.local/")
        with pytest.raises(CommandExitException, match="No module named 'tariffs'"):
            sandbox.commands.run(ask, envs={"PYTHONPATH": "/tmp"})


def test_without_internet_the_error_says_so(server: LocalServer) -> None:
    with Sandbox.create("other", **sdk_address(server)) as sandbox:
        failed = sandbox.run_code("!pip install --no-index no-such-package")
        assert any("This sandbox has no internet" in text for text in failed.logs.stderr)
        with pytest.raises(CommandExitException) as refused:
            sandbox.commands.run("pip install --no-index no-such-package")
        assert "This sandbox has no internet" in refused.value.stderr
