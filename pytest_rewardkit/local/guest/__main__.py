"""Starts the fork server: ``python -I -m pytest_rewardkit.local.guest --fd N``."""

from __future__ import annotations

import argparse
import os
import socket
import sys
import tempfile
import time
from dataclasses import replace
from typing import Final

from pytest_rewardkit.local.channel import Channel
from pytest_rewardkit.local.guest import cgroups, identity, levels, probe
from pytest_rewardkit.local.guest.levels import Level
from pytest_rewardkit.local.guest.root import HOME, Root

# One thread each: a process with more than one thread cannot be forked safely.
_SINGLE_THREADED: Final = {
    "JE_ARROW_MALLOC_CONF": "background_thread:false",  # pyarrow, which pandas imports where it is installed
    "MKL_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
# pyarrow, which pandas imports where it is installed, otherwise reserves a GiB at once, beyond any limit on memory.
_ALLOCATORS: Final = {"ARROW_DEFAULT_MEMORY_POOL": "system"}
_SYSTEM_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def main(arguments: list[str] | None = None) -> int:
    """Build the jail, warm the interpreter and serve; returns the exit status."""
    started = time.perf_counter()
    options = _parse(arguments)
    findings = probe.probe(thorough=options.isolation not in (levels.AUTO, levels.STRICT))
    available = levels.available(findings)
    level = next((level for level in levels.wanted(options.isolation) if level in available), None)
    refused = f"isolation {options.isolation!r} cannot be had here; the strongest level is {available[0]}"
    if options.fd is None:
        print(level or refused)
        return 0 if level else 1
    channel = Channel(socket.socket(fileno=options.fd))
    os.umask(0o022)
    if level is None:
        channel.send({"event": "failed", "message": refused})
        return 1
    plan = levels.plan(findings, level)
    # Out of sight in the jail, and another user's in a user namespace.
    groups = cgroups.open_groups(count_processes=not plan.counts_processes)
    plan = replace(plan, groups=groups.version if groups else "")
    # Imported only here: probing forks, which is cheap as long as little is loaded; and in the jail this package may be
    # out of sight.
    from pytest_rewardkit.local.guest import shell, warmup, zygote

    own_root = Root() if plan.mount_right else None
    if own_root is not None and plan.mount_right:
        probe.take_mount_right(plan.mount_right)
        own_root.enter()
    os.environ.update(_SINGLE_THREADED | _ALLOCATORS, HOME=HOME)
    with tempfile.TemporaryDirectory(prefix="rewardkit-ipython-") as directory:
        os.environ["IPYTHONDIR"] = directory
        preloaded = warmup.preload(options.preload)
        if zygote.thread_count() > 1:
            channel.send({"event": "failed", "message": f"importing {options.preload} started threads"})
            return 1
        the_shell = shell.make_shell(directory)
        the_shell.terminals = plan.private_root
        warmup.warm_up(the_shell)
    if own_root is not None:
        own_root.seal()
    server = zygote.Zygote(channel, plan, the_shell, own_root, groups, _environment())
    boot_ms = round((time.perf_counter() - started) * 1000, 1)
    channel.send(
        {
            "event": "ready",
            "level": level.value,
            "layers": plan.layers(),
            "gaps": plan.gaps(),
            "preloaded": preloaded,
            "boot_ms": boot_ms,
        }
    )
    server.serve()
    return 0


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="pytest_rewardkit.local.guest", description="The local server's fork server.")
    parser.add_argument(
        "--fd", type=int, help="The connected socket to the server; without it, print the level and end"
    )
    parser.add_argument(
        "--isolation",
        choices=[levels.AUTO, levels.STRICT, *Level],
        default=levels.AUTO,
        help="The strongest level there is, the same but no weak one, or a level by name",
    )
    parser.add_argument(
        "--preload",
        type=lambda names: [name for name in names.split(",") if name],
        default=[],
        help="Modules to import in advance, with commas",
    )
    return parser.parse_args(arguments)


def _environment() -> dict[str, str]:
    """Return what every process of a sandbox has in its environment."""
    return {
        "PATH": f"{os.path.dirname(sys.executable)}:{_SYSTEM_PATH}",
        "LANG": "C.UTF-8",
        "SHELL": "/bin/bash",
        "USER": identity.GUEST_NAME,
        "LOGNAME": identity.GUEST_NAME,
        **_ALLOCATORS,
    }


if __name__ == "__main__":
    sys.exit(main())
