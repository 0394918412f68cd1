"""A machine with an outside, made of two network namespaces: a local server runs in one, "the internet" is the other.

`host` has a public address, services on it and on its loopback, and a name server in its private network. `outside` has
public and private addresses, so that it is the server that refuses a connection, and not a missing route.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

SITE = "9.9.9.9"
OTHER_SITE = "9.9.9.10"
DEAD_SITE = "9.9.9.11"
HOST_ADDRESS = "5.5.5.2"
GATEWAY = "5.5.5.1"
NAME_SERVER = "10.255.255.53"
PRIVATE = ("10.1.2.3", "172.16.1.1", "192.168.1.1", "100.100.100.200", "169.254.169.254", "168.63.129.16")

PROGRAMS = Path(__file__).parent / "outside_programs"


def require_privileges() -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root, to make network namespaces that are connected")
    for program in ("ip", "nsenter", "unshare"):
        if shutil.which(program) is None:
            pytest.skip(f"needs `{program}`, of iproute2 or util-linux")


@contextlib.contextmanager
def namespace() -> Iterator[list[str]]:
    """A network namespace, as the command that enters it."""
    holder = subprocess.Popen(
        ["unshare", "--net", "sh", "-c", "ip link set lo up && echo && exec cat"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with holder:
        assert holder.stdout is not None
        if holder.stdout.readline() != b"\n":
            pytest.skip("needs the right to make network namespaces")
        yield ["nsenter", f"--net=/proc/{holder.pid}/ns/net"]
        holder.kill()


class World:
    """The two namespaces with their programs running."""

    def __init__(self, host: list[str], outside: list[str], directory: Path) -> None:
        self.host = host
        self.outside = outside
        self.directory = directory

    def python(self) -> Path:
        """A program that is this Python, run on the host."""
        settings = self.directory / "resolv.conf"
        settings.write_text(f"nameserver {NAME_SERVER}\n")
        wrapper = self.directory / "python"
        inner = f'mount --bind {settings} /etc/resolv.conf && exec {sys.executable} "$@"'
        wrapper.write_text(f"#!/bin/sh\nexec {' '.join(self.host)} unshare --mount sh -c '{inner}' sh \"$@\"\n")
        wrapper.chmod(0o755)
        return wrapper

    def contacts(self) -> list[str]:
        """The clients that have reached a service of the host, and which service."""
        return (self.directory / "contacts").read_text().splitlines()


@contextlib.contextmanager
def world(directory: Path) -> Iterator[World]:
    """Make the namespaces, and start their programs."""
    require_privileges()
    with contextlib.ExitStack() as stack:
        host, outside = (stack.enter_context(namespace()) for _ in range(2))
        outside_pid = outside[1].split("/")[2]
        for command in (
            [*host, "ip", "link", "add", "up0", "type", "veth", "peer", "name", "down0", "netns", outside_pid],
            [*host, "ip", "address", "add", f"{HOST_ADDRESS}/24", "dev", "up0"],
            [*outside, "ip", "address", "add", f"{GATEWAY}/24", "dev", "down0"],
            [*host, "ip", "link", "set", "up0", "up"],
            [*outside, "ip", "link", "set", "down0", "up"],
            [*host, "ip", "route", "add", "default", "via", GATEWAY],
            [*outside, "sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward"],
            [*outside, "ip", "route", "add", "unreachable", DEAD_SITE],
            *(
                [*outside, "ip", "address", "add", f"{address}/32", "dev", "lo"]
                for address in (SITE, OTHER_SITE, NAME_SERVER, *PRIVATE)
            ),
        ):
            subprocess.run(command, check=True)
        (directory / "contacts").touch()
        for enter, program in ((outside, "sites.py"), (outside, "names.py"), (host, "services.py")):
            started = subprocess.Popen(
                [*enter, sys.executable, PROGRAMS / program, directory / "contacts"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
            stack.enter_context(started)
            stack.callback(started.kill)
            assert started.stdout is not None
            assert started.stdout.readline() == b"ready\n"
        yield World(host, outside, directory)
