"""The local server in a container of a real engine, for machines that cannot run it themselves."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from e2b_code_interpreter import Sandbox
from environments.engine import IMAGE
from environments.machine import REPOSITORY, mounted
from local.processes import eventually

from pytest_rewardkit.local.container.image import LABEL
from pytest_rewardkit.local.container.options import ContainerOptions
from pytest_rewardkit.local.container.server import ContainerServer
from pytest_rewardkit.local.errors import ContainerError
from pytest_rewardkit.local.settings import ServerSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from environments.engine import Engine

NETWORK = "rewardkit-tests"
TIME_LIMIT = 240

# As docs/local-server.md shows them.
TESTS = "pytest --rewardkit --rewardkit-provider=docker"
PROGRAM = "python -m pytest_rewardkit.local run --docker -- python hello.py"


@pytest.fixture(scope="module")
def options(engine: Engine) -> Iterator[ContainerOptions]:
    """A container with this machine's own programs and environment, on a network whose ports can be published."""
    engine.docker("network", "create", NETWORK).check_returncode()
    mounts = " ".join(f"--volume={path}:{path}:ro" for path in mounted())
    path = f"{Path(sys.executable).parent}:/usr/bin"
    more = (
        f"--network={NETWORK} --env=PATH={path} --env=PYTHONPATH={REPOSITORY} --env=PYTHONDONTWRITEBYTECODE=1 {mounts}"
    )
    yield ContainerOptions(docker_image=IMAGE, docker_options=more)
    # The network is an interface of this machine, which would outlive the engine.
    engine.docker("network", "rm", NETWORK).check_returncode()


@pytest.fixture(autouse=True)
def led_to_the_engine(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", engine.host)


@pytest.fixture
def environment(options: ContainerOptions) -> dict[str, str]:
    """Variables with which `pytest` and the command line use such a container."""
    return {
        **os.environ,
        "PYTEST_REWARDKIT_DOCKER_IMAGE": options.docker_image,
        "PYTEST_REWARDKIT_DOCKER_OPTIONS": options.docker_options,
    }


def containers(engine: Engine) -> list[str]:
    return engine.docker("ps", "--all", "--quiet", f"--filter=label={LABEL}").stdout.decode().split()


@contextmanager
def opened(options: ContainerOptions, said: list[str] | None = None) -> Iterator[ContainerServer]:
    told = [].append if said is None else said.append
    with ContainerServer.open(ServerSettings(), options, say=told, on_death=told) as server:
        yield server


def sandbox_of(server: ContainerServer) -> Sandbox:
    variables = server.environment()
    return Sandbox.create(
        api_key=variables["E2B_API_KEY"],
        api_url=variables["E2B_API_URL"],
        sandbox_url=variables["E2B_SANDBOX_URL"],
        domain=variables["E2B_DOMAIN"],
        request_timeout=20,
    )


@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["alone", "xdist"])
def test_everyday_candidates_are_right(
    engine: Engine, environment: dict[str, str], tmp_path: Path, workers: tuple[str, ...]
) -> None:
    shutil.copy(Path(__file__).with_name("everyday.py"), tmp_path / "test_everyday.py")
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = -p no:cacheprovider\n", "utf-8")
    command = [sys.executable, "-m", *TESTS.split(), "--rewardkit-results=results.jsonl", *workers]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=TIME_LIMIT
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "10 passed" in done.stdout
    assert "rewardkit: sandboxes in a container of docker, isolation full" in done.stdout or workers
    lines = [json.loads(line) for line in (tmp_path / "results.jsonl").read_text("utf-8").splitlines()]
    assert lines[0]["sandboxes"] == {"provider": "docker", "isolation": "full"}
    assert {line["reward"] for line in lines if line["type"] == "attempt"} <= {1.0}
    assert containers(engine) == []


def test_the_command_line(engine: Engine, options: ContainerOptions, tmp_path: Path) -> None:
    program = "import e2b_code_interpreter as e2b\nwith e2b.Sandbox.create() as box: print(box.run_code('6 * 7').text)"
    (tmp_path / "hello.py").write_text(program, "utf-8")
    flags = ["--docker", f"--docker-image={options.docker_image}", f"--docker-options={options.docker_options}"]
    before, command = PROGRAM.split(" --docker ")
    words = [sys.executable if word == "python" else word for word in [*before.split(), *flags, *command.split()]]
    ran = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=TIME_LIMIT)
    assert (ran.returncode, ran.stdout) == (0, "42\n"), ran.stderr
    words = [sys.executable, "-m", "pytest_rewardkit.local", "doctor", *flags]
    examined = subprocess.run(words, capture_output=True, text=True, check=False, timeout=TIME_LIMIT)
    assert examined.stdout.startswith("Isolation level: full\n"), examined.stdout + examined.stderr
    assert containers(engine) == []


def test_one_port_serves_everything_that_has_an_address(options: ContainerOptions) -> None:
    with opened(options) as server, sandbox_of(server) as sandbox:
        variables = server.environment()
        assert variables["E2B_API_URL"] == variables["E2B_SANDBOX_URL"]
        sandbox.files.write("note.txt", "from outside")
        assert sandbox.run_code("open('note.txt').read()").text == "from outside"
        assert sandbox.commands.run("cat note.txt").stdout == "from outside"
        assert sandbox.get_host(8000).endswith(variables["E2B_DOMAIN"])
        url = sandbox.download_url("note.txt", use_signature_expiration=60)
        assert subprocess.run(["curl", "-sS", url], capture_output=True, text=True).stdout == "from outside"
        assert sandbox.get_info().sandbox_id == sandbox.sandbox_id


def test_nothing_is_given_away(engine: Engine, options: ContainerOptions) -> None:
    with opened(options) as server:
        (container,) = containers(engine)
        (seen,) = json.loads(engine.docker("inspect", container).stdout)
        (bindings,) = seen["HostConfig"]["PortBindings"].values()
        assert [binding["HostIp"] for binding in bindings] == ["127.0.0.1"]
        assert {mount["Source"] for mount in seen["Mounts"]} == {str(path) for path in mounted()}
        assert seen["HostConfig"]["CapAdd"] is None
        assert not seen["HostConfig"]["Privileged"]
        key = server.environment()["E2B_API_KEY"]
        for command in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                assert key.encode() not in command.read_bytes()
            except OSError:
                continue  # it has just ended
    assert containers(engine) == []


@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["alone", "xdist"])
def test_nothing_is_left_when_pytest_is_killed(
    engine: Engine, environment: dict[str, str], tmp_path: Path, workers: tuple[str, ...]
) -> None:
    ready = tmp_path / "ready"
    os.mkfifo(ready)
    os.mkfifo(tmp_path / "never")
    suite = f"""
def test_hangs(sandbox):
    with open({str(ready)!r}, "w") as file:
        file.write("ready")
    open({str(tmp_path / "never")!r}).read()
"""
    (tmp_path / "test_hangs.py").write_text(suite, "utf-8")
    process = subprocess.Popen(
        [sys.executable, "-m", *TESTS.split(), "-p", "no:cacheprovider", *workers],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.DEVNULL,
    )
    try:
        assert ready.read_text("utf-8") == "ready"
        assert len(containers(engine)) == 1
        process.kill()
        process.wait()
        assert eventually(lambda: containers(engine) == [])
    finally:
        process.kill()
        descriptor = os.open(tmp_path / "never", os.O_RDWR | os.O_NONBLOCK)  # releases whatever waits for it
        os.close(descriptor)


def test_a_container_that_dies_is_replaced_at_the_same_address(engine: Engine, options: ContainerOptions) -> None:
    said: list[str] = []
    with opened(options, said) as server:
        sandbox_of(server)
        (container,) = containers(engine)
        engine.docker("kill", container).check_returncode()

        def another() -> bool:
            try:
                with sandbox_of(server) as sandbox:
                    return sandbox.run_code("6 * 7").text == "42"
            except Exception:
                return False

        assert eventually(another)
        assert containers(engine) != [container]
        assert said[0].startswith("the local server in its container has ended; another one takes its place")
    assert containers(engine) == []


def test_a_run_outlives_its_container(engine: Engine, environment: dict[str, str], tmp_path: Path) -> None:
    """The test that loses its sandbox in use is unscored; the next one gets a sandbox in a new container."""
    suite = """
import subprocess
def test_lost(sandbox, reward):
    sandbox.run_code("0")
    (container,) = subprocess.check_output(["docker", "ps", "-q", "--filter=label=pytest-rewardkit"]).split()
    subprocess.run(["docker", "kill", container], check=True)
    sandbox.run_code("1")
    reward.record(1.0)
def test_next(sandbox, reward):
    reward.record(float(sandbox.run_code("1").text))
"""
    (tmp_path / "test_suite.py").write_text(suite, "utf-8")
    command = [sys.executable, "-m", *TESTS.split(), "-p", "no:cacheprovider", "--rewardkit-results=results.jsonl"]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=TIME_LIMIT
    )
    lines = [json.loads(line) for line in (tmp_path / "results.jsonl").read_text("utf-8").splitlines()]
    rewards = [line["reward"] for line in lines if line["type"] == "attempt"]
    assert rewards == [None, 1.0], done.stdout + done.stderr
    assert "rewardkit: the local server in its container has ended; another one takes its place" in done.stdout
    assert containers(engine) == []


def test_a_client_that_is_killed_takes_its_container_along(engine: Engine, options: ContainerOptions) -> None:
    with opened(options) as server:
        (container,) = containers(engine)
        os.kill(server._container._client.pid, signal.SIGKILL)
        assert eventually(lambda: container not in containers(engine))
        assert eventually(lambda: len(containers(engine)) == 1)
    assert containers(engine) == []


def test_an_image_without_the_package_is_named(engine: Engine, options: ContainerOptions) -> None:
    without = options.docker_options.replace(f"--env=PYTHONPATH={REPOSITORY}", "--env=PYTHONPATH=/").replace(
        str(Path(sys.executable).parent), "/nowhere"
    )
    with (
        pytest.raises(ContainerError, match=r"the image has no pytest-rewardkit that `python` finds"),
        opened(ContainerOptions(docker_image=IMAGE, docker_options=without)),
    ):
        pass
    assert containers(engine) == []


def test_an_image_that_cannot_be_built_ends_with_the_log(engine: Engine) -> None:
    """This engine has no registry, so there is no Python to begin with."""
    said: list[str] = []
    with pytest.raises(ContainerError, match=r"could not be built; the end of the build's log:\n(.|\n)*python:"):
        ContainerServer.open(ServerSettings(), ContainerOptions(), say=said.append, on_death=said.append)
    assert "once for this version and these packages" in said[0]


def test_an_engine_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/socket")
    with pytest.raises(ContainerError, match=r"docker is there, but its engine does not answer, so start it"):
        ContainerServer.open(ServerSettings(), ContainerOptions(docker_command="docker"), say=print, on_death=print)
