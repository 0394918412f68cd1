"""The tests' own Docker Engine: started in a temporary folder, stopped by its process id, leaves no trace."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

IMAGE = "nearly-empty"
READY_WITHIN = 60
"""Seconds; a busy machine takes five."""


class NoEngineError(Exception):
    """No engine can be started here; the message says why."""


@dataclass(frozen=True, slots=True)
class Engine:
    """A daemon that answers.

    Parameters:
        host: its address, as in `DOCKER_HOST`.
    """

    host: str

    def docker(
        self, *arguments: str, stdin: bytes | None = None, timeout: float = 60
    ) -> subprocess.CompletedProcess[bytes]:
        """Runs a command of Docker's command line."""
        # A user's Docker configuration must not matter.
        environment = {"PATH": os.environ["PATH"], "DOCKER_HOST": self.host}
        return subprocess.run(
            ["docker", *arguments], input=stdin, capture_output=True, env=environment, timeout=timeout, check=False
        )

    def import_image(self, root: bytes) -> None:
        """Makes an image from a root in a tar file, without a registry."""
        self.docker("import", "-", IMAGE, stdin=root).check_returncode()

    def run(self, flags: Sequence[str], command: Sequence[str], *, timeout: float) -> subprocess.CompletedProcess[str]:
        """Runs a command in a fresh container, which does not outlive this call.

        Raises:
            TimeoutExpired: it did not end in time.
        """
        name = f"rewardkit-{secrets.token_hex(6)}"
        try:
            done = self.docker(
                "run", "--rm", "--network=none", f"--name={name}", *flags, IMAGE, *command, timeout=timeout
            )
        except subprocess.TimeoutExpired:
            self.docker("rm", "--force", name)
            raise
        return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


@contextmanager
def started() -> Iterator[Engine]:
    """An engine for as long as the block runs.

    Raises:
        NoEngineError: the engine cannot be started.
    """
    if os.geteuid() != 0:
        raise NoEngineError("only root can start an engine")
    if not (shutil.which("dockerd") and shutil.which("docker")):
        raise NoEngineError("dockerd is not installed (Debian: apt-get install docker.io)")
    # Its socket needs a short path, so not below pytest's own temporary folder.
    folder = Path(tempfile.mkdtemp(prefix="engine-"))
    log = folder / "log"
    with log.open("wb") as output:
        daemon = subprocess.Popen(_daemon(folder), stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    engine = Engine(f"unix://{folder}/socket")
    try:
        _await_answer(engine, daemon, log)
        yield engine
    finally:
        daemon.terminate()
        daemon.wait(60)
        _unmount(folder)
        shutil.rmtree(folder)


def _daemon(folder: Path) -> list[str]:
    # It must not outlive a worker that crashes.
    return [
        *("setpriv", "--pdeathsig", "TERM", "--"),
        *("dockerd", "--iptables=false", "--bridge=none", f"--host=unix://{folder}/socket", f"--pidfile={folder}/pid"),
        *(f"--data-root={folder}/data", f"--exec-root={folder}/run"),
    ]


def _await_answer(engine: Engine, daemon: subprocess.Popen[bytes], log: Path) -> None:
    give_up = time.monotonic() + READY_WITHIN
    while engine.docker("version").returncode != 0:
        if daemon.poll() is not None or time.monotonic() > give_up:
            ended = f"ended with status {daemon.returncode}" if daemon.returncode is not None else "does not answer"
            raise NoEngineError(f"dockerd {ended}: {log.read_text(errors='replace')[-500:]}")
        time.sleep(0.1)


def _unmount(folder: Path) -> None:
    """Unmounts what a daemon left mounted because it was stopped while working."""
    with suppress(FileNotFoundError):
        mounts = [line.split()[1] for line in Path("/proc/mounts").read_text("utf-8").splitlines()]
        for mount in sorted((mount for mount in mounts if mount.startswith(f"{folder}/")), reverse=True):
            subprocess.run(["umount", "--lazy", mount], check=True)
