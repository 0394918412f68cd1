"""Starts the fork server: ``python -I -m pytest_rewardkit.local.guest --fd N``."""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import sys
import tempfile
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.local.errors import PreloadError, RefusedModuleError
from pytest_rewardkit.local.guest import cgroups, identity, keeper, levels, probe
from pytest_rewardkit.local.guest.layout import HOME
from pytest_rewardkit.local.guest.plan import Level
from pytest_rewardkit.local.guest.root import Root
from pytest_rewardkit.local.wire.channel import Channel

if TYPE_CHECKING:
    from pytest_rewardkit.local.guest.fork_server import ForkServer
    from pytest_rewardkit.local.guest.plan import IsolationPlan

# One thread each: a process with more than one thread cannot be forked safely.
_SINGLE_THREADED: Final = {
    "JE_ARROW_MALLOC_CONF": "background_thread:false",  # pyarrow, which pandas imports if it is installed
    "MKL_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
# If pyarrow is installed, pandas imports it. Its own pool reserves a GiB at once, beyond any limit on memory.
_ALLOCATORS: Final = {"ARROW_DEFAULT_MEMORY_POOL": "system"}
_ROOT_SECONDS: Final = 30.0
_SYSTEM_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def main(arguments: list[str] | None = None) -> int:
    """Build the jail, warm the interpreter, try it out and serve; return the exit status."""
    started = time.perf_counter()
    options = _parse(arguments)
    channel = Channel(socket.socket(fileno=options.fd))
    os.umask(0o022)
    failed: dict[str, str] = options.failed
    findings = probe.probe(thorough=bool(failed) or options.isolation not in (levels.AUTO, levels.STRICT))
    plan = levels.strongest(findings, options.isolation, failed)
    refusals = levels.refusals(findings, options.isolation, failed, plan)
    if plan is None:
        channel.send({"event": "failed", "message": _refusal(options.isolation, findings, refusals)})
        return 1
    channel.send({"event": "trying", "plan": plan.name})
    if not plan.process_namespace:
        keeper.go_on_below_keeper()
    try:
        server, preloaded = _make(plan, options.preload, options.learned, warm=not options.cold)
    except RefusedModuleError as error:
        channel.send({"event": "failed", "module": error.module, "message": str(error)})
        return 1
    except PreloadError as error:
        channel.send({"event": "failed", "message": str(error)})
        return 1
    except Exception as error:
        # Whatever fails here, a weaker plan may work.
        channel.send({"event": "failed", "plan": plan.name, "message": str(error) or type(error).__name__})
        return 1
    boot_ms = round((time.perf_counter() - started) * 1000, 1)
    channel.send(
        {
            "event": "ready",
            "level": plan.level.value,
            "layers": server.plan.layers(),
            "gaps": server.plan.gaps(),
            "refusals": refusals,
            "preloaded": preloaded,
            "boot_ms": boot_ms,
        }
    )
    server.serve(channel)
    return 0


def _refusal(name: str, findings: levels.MachineFindings, refusals: dict[str, str]) -> str:
    from pytest_rewardkit.local import isolation
    from pytest_rewardkit.local.cli import advice, place

    reasons = "; ".join(f"{level}: {reason}" for level, reason in refusals.items())
    layers = levels.plan(findings, Level.WEAK).layers()
    lines = advice.mending(place.look_around(), isolation.Isolation("", layers, (), 0, refusals))
    return "; ".join([f"isolation {name!r} does not work here: {reasons}", *lines])


def _make(plan: IsolationPlan, preload: list[str], named: list[str], *, warm: bool) -> tuple[ForkServer, list[str]]:
    """Make this process a fork server whose sandboxes work; return it and the modules that it has loaded.

    Raises:
        PreloadError, RefusedModuleError: the plan would work without a module.
        Exception: the plan does not work here.
    """
    # In the jail the groups are out of sight, and in a user namespace they belong to another user.
    groups = cgroups.open_groups(count_processes=not plan.counts_processes)
    machines_kills = cgroups.open_machines_kills()
    plan = replace(plan, groups=groups.version if groups else "")
    # Imported only here, because probing forks, and a fork is cheap while little is loaded. In the jail this package
    # may be out of sight.
    from pytest_rewardkit.local.guest.fork_calls import ForkCalls

    fork_calls = ForkCalls()
    from pytest_rewardkit.local.guest import becoming, fork_server, learned, shelf, shell, warmup
    from pytest_rewardkit.local.prepared import prepare

    rehearse = prepare()
    own_root = None
    if plan.mount_right is not None:
        own_root = Root(overlays=plan.overlays)
        # A mount may wait for a file server that is gone. Only a signal that ends the process ends that wait.
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, _ROOT_SECONDS)
        probe.take_mount_right(plan.mount_right)
        own_root.enter()
        signal.setitimer(signal.ITIMER_REAL, 0)
        if plan.overlays:
            plan = replace(plan, shared_directories=own_root.shared_directories)
    environment = _environment()
    # Modules that are imported in advance must find the environment that they would find in a sandbox.
    os.environ.update(environment | _SINGLE_THREADED, HOME=HOME)
    with tempfile.TemporaryDirectory(prefix="rewardkit-ipython-") as directory:
        os.environ["IPYTHONDIR"] = directory
        preloaded = warmup.preload(preload)
        if fork_server.thread_count() > 1:
            raise PreloadError(f"importing {preload} started threads")
        the_shell = shell.make_shell(directory)
        the_shell.terminals = plan.private_root
        if warm:
            warmup.warm_up(the_shell, rehearse)
        the_shelf = shelf.Shelf({**environment, "HOME": HOME})
        sys.meta_path.insert(0, the_shelf)
        the_shell.shelf = the_shelf
        if named and plan.private_root:
            preloaded += learned.stock(the_shelf, named)
        fork_calls.register_no_more()
        # If only the kernels did this, they could close descriptors that belong to others by then, such as fonts'.
        fork_calls.in_child()
        if warm:
            warmup.make_ready_to_fork()
    if own_root is not None:
        own_root.seal()
    template = becoming.Template(plan, the_shell, own_root, environment, fork_calls)
    server = fork_server.ForkServer(template, groups, machines_kills)
    server.try_out()
    return server, preloaded


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="pytest_rewardkit.local.guest", description="The local server's fork server.")
    parser.add_argument("--fd", type=int, required=True, help="The connected socket to the server")
    parser.add_argument(
        "--isolation",
        choices=[levels.AUTO, levels.STRICT, *Level],
        default=levels.AUTO,
        help="The strongest level there is, the same but no weak one, or a level by name",
    )
    for option, what in (("preload", "Modules"), ("learned", "Modules that candidates have named, and that may fail,")):
        parser.add_argument(
            f"--{option}",
            type=lambda names: [name for name in names.split(",") if name],
            default=[],
            help=f"{what} to import in advance, with commas",
        )
    parser.add_argument("--cold", action="store_true", help="Do not warm the interpreter, which sandboxes then do each")
    parser.add_argument(
        "--failed",
        type=json.loads,
        default={},
        help="Plans that others have tried in vain, with their reasons, as a JSON object",
    )
    return parser.parse_args(arguments)


def _environment() -> dict[str, str]:
    """Return the environment that every process of a sandbox has."""
    return {
        "PATH": f"{os.path.dirname(sys.executable)}:{_SYSTEM_PATH}",
        "LANG": "C.UTF-8",
        "SHELL": "/bin/bash",
        "USER": identity.GUEST_NAME,
        "LOGNAME": identity.GUEST_NAME,
        **_ALLOCATORS,
    }


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BrokenPipeError:
        # The process that started this one is gone, and has reported why.
        sys.exit(1)
