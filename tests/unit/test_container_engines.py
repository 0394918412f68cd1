"""The provider that `auto` chooses, and the message if no container is available. The engine here is a command."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import ZipFile

import pytest

from pytest_rewardkit.errors import RewardkitUsageError
from pytest_rewardkit.local.container.engine import Engine
from pytest_rewardkit.local.container.image import ensure_image
from pytest_rewardkit.local.container.options import ContainerOptions
from pytest_rewardkit.local.container.server import ContainerServer
from pytest_rewardkit.local.container.wheel import version, write_wheel
from pytest_rewardkit.local.errors import ContainerError
from pytest_rewardkit.local.settings import ServerSettings
from pytest_rewardkit.sandboxes.absent import ABSENT
from pytest_rewardkit.sandboxes.choice import choose
from pytest_rewardkit.sandboxes.servers import open_server

if TYPE_CHECKING:
    from collections.abc import Callable

ANSWERS = "case $1 in ps) exit 0;; esac"
SILENT = "echo 'Cannot connect to the engine. Is it running?'; exit 1"
READY = 'case $1 in ps) exit 0;; run) echo \'rewardkit-ready {{"version": "{version}", "isolation": "full"}}\';; esac'
IMAGES = """case "$1 $2" in
"ps "*) ;;
"image inspect") test -e "$0.$3" ;;
build*) touch "$0.$3"; cp "$4/Dockerfile" "$4/requirements.txt" "$(dirname "$0")" ;;
esac"""


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Path]:
    """Puts a shell script with the given name on a PATH that has no other engine."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    monkeypatch.setattr(
        "shutil.which", lambda name, found=tmp_path: str(found / name) if (found / name).exists() else None
    )

    def write(name: str, script: str) -> Path:
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
        path.chmod(0o755)
        return path

    return write


@pytest.fixture
def no_levels(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Linux that does not support sandboxes."""
    from pytest_rewardkit.local.errors import NoSuchLevelError

    def refuse(isolation: str) -> str:
        raise NoSuchLevelError(f"there is no {isolation}")

    monkeypatch.setattr("pytest_rewardkit.local.level.find_level", refuse)


def test_auto_takes_what_there_is(command: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pytest_rewardkit.local.level.find_level", lambda isolation: "weak")
    assert choose("auto", {}) == "local"
    engine = command("docker", ANSWERS)
    assert choose("auto", {}) == "local"
    for platform in ("darwin", "win32"):
        monkeypatch.setattr(sys, "platform", platform)
        assert choose("auto", {}) == "docker"
        assert choose("auto", {"E2B_API_KEY": "key"}) == "e2b"
    command("docker", SILENT)
    assert choose("auto", {}) == ABSENT
    command("podman", ANSWERS)
    assert choose("auto", {}) == "docker"
    engine.unlink()
    (engine.parent / "podman").unlink()
    assert choose("auto", {}) == ABSENT


def test_auto_on_a_linux_without_isolation(command: Callable[[str, str], Path], no_levels: None) -> None:
    assert choose("auto", {}) == "local"
    command("docker", ANSWERS)
    assert choose("auto", {}) == "docker"
    command("docker", SILENT)
    assert choose("auto", {}) == "local"


def test_what_is_asked_for_by_name_is_taken(command: Callable[[str, str], Path], no_levels: None) -> None:
    command("docker", ANSWERS)
    assert [choose(name, {}) for name in ("local", "docker")] == ["local", "docker"]


def test_a_named_command_is_the_only_one(command: Callable[[str, str], Path]) -> None:
    command("docker", ANSWERS)
    nerdctl = command("nerdctl", ANSWERS)
    assert Engine.find("nerdctl").program == str(nerdctl)
    with pytest.raises(ContainerError, match="the container engine's command 'nerdkontrol' is not on PATH"):
        Engine.find("nerdkontrol")


def test_each_engine_that_does_not_answer_is_named(command: Callable[[str, str], Path]) -> None:
    with pytest.raises(ContainerError, match="neither docker nor podman is on PATH; install Docker, OrbStack, Colima"):
        Engine.find()
    for name in ("docker", "podman"):
        command(name, SILENT)
    with pytest.raises(ContainerError, match=r"docker is there.* start it: Cannot connect.*; podman is there, but"):
        Engine.find()
    with pytest.raises(RewardkitUsageError, match="the docker provider cannot work here: docker is there"):
        open_server("docker")


def test_an_engine_that_hangs_is_not_waited_for(
    command: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Engine(str(command("docker", "exec sleep 1000")))
    with pytest.raises(ContainerError, match=r"`docker ps` has not answered within 0\.2 s"):
        engine.call("ps", seconds=0.2)


def test_another_version_in_the_image_is_refused(command: Callable[[str, str], Path]) -> None:
    command("docker", READY.format(version="0.0.1"))
    with pytest.raises(ContainerError, match=rf"the image has pytest-rewardkit 0\.0\.1, and this is {version()}"):
        ContainerServer.open(ServerSettings(), ContainerOptions(docker_image="mine"), say=print, on_death=print)


def test_what_a_container_says_before_it_ends_is_passed_on(command: Callable[[str, str], Path]) -> None:
    command("docker", "case $1 in run) echo no such network >&2; exit 125;; esac")
    with pytest.raises(ContainerError, match=r"ended before it was ready: no such network"):
        ContainerServer.open(ServerSettings(), ContainerOptions(docker_image="mine"), say=print, on_death=print)


def test_an_image_is_built_once_for_a_set_of_packages(command: Callable[[str, str], Path]) -> None:
    engine = Engine(str(command("docker", IMAGES)))
    said: list[str] = []
    first = ensure_image(engine, ["numpy>=2", "pandas"], said.append)
    assert first.startswith(f"pytest-rewardkit:{version()}-")
    assert len(said) == 2
    assert ensure_image(engine, ["numpy>=2", "pandas"], said.append) == first
    assert len(said) == 2
    assert ensure_image(engine, ["numpy>=2"], said.append) != first
    folder = Path(engine.program).parent
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert (folder / "Dockerfile").read_text("utf-8").startswith(f"FROM docker.io/library/python:{python}-slim\n")
    wanted = (folder / "requirements.txt").read_text("utf-8").splitlines()
    assert "numpy>=2" in wanted
    assert any(line.startswith("aiohttp") for line in wanted)
    assert not any("extra ==" in line for line in wanted)


def test_the_wheel_is_this_package_and_installs(tmp_path: Path) -> None:
    wheel = write_wheel(tmp_path)
    assert write_wheel(tmp_path).read_bytes() == wheel.read_bytes()
    target = tmp_path / "installed"
    with ZipFile(wheel) as archive:
        archive.extractall(target)
    program = (
        "import importlib.metadata as m, pytest_rewardkit; d = m.distribution('pytest-rewardkit');"
        "print(pytest_rewardkit.__file__, d.version, [e.name for e in d.entry_points.select(group='pytest11')],"
        "all(f.locate().is_file() for f in d.files))"
    )
    environment = {**os.environ, "PYTHONPATH": str(target)}
    done = subprocess.run(
        [sys.executable, "-P", "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [str(target / "pytest_rewardkit" / "__init__.py"), version(), "['rewardkit']", "True"]


def test_options_have_twins_in_the_environment(
    command: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    nerdctl = command("nerdctl", ANSWERS)
    monkeypatch.setattr(sys, "platform", "darwin")
    assert choose("auto", {}) == ABSENT
    assert choose("auto", {"PYTEST_REWARDKIT_DOCKER_COMMAND": str(nerdctl)}) == "docker"
    monkeypatch.setenv("PYTEST_REWARDKIT_DOCKER_COMMAND", str(nerdctl))
    monkeypatch.setenv("PYTEST_REWARDKIT_DOCKER_IMAGE", "mine")
    nerdctl.write_text(f"#!/bin/sh\n{READY.format(version='0.0.1')}\n", "utf-8")
    with pytest.raises(RewardkitUsageError, match=r"the image has pytest-rewardkit 0\.0\.1"):
        open_server("docker")
