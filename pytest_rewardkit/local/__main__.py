"""`pytest-rewardkit serve`, `run` and `doctor`; as a module, `python -m pytest_rewardkit.local`."""

from __future__ import annotations

import argparse
import json
import os
import secrets
import shlex
import socket
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, TypedDict

from pytest_rewardkit.local import settings
from pytest_rewardkit.local.container import options as container_options
from pytest_rewardkit.local.errors import UnsupportedPlatformError
from pytest_rewardkit.local.handle import KEY_VARIABLE, require_platform, variables

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_rewardkit.local.server.table import SandboxTable

PROGRAM = "pytest-rewardkit"


class _About(TypedDict):
    help: str
    description: str
    epilog: str


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    # A process that starts a server for itself passes the templates in this variable. Programs that the server starts
    # must not get it.
    options.templates = os.environ.pop(settings.TEMPLATES_VARIABLE, options.templates)
    if options.action == "templates" and options.unused_days is not None:
        from pytest_rewardkit.local.cli.templates import remove_unused

        return remove_unused(options.names, options.unused_days, yes=options.yes)
    try:
        if not options.docker:
            require_platform()
        chosen = settings.from_options(options)
    except (UnsupportedPlatformError, ValueError) as error:
        parser.exit(2, f"{PROGRAM}: {error}\n")
    try:
        return _act(parser, options, chosen)
    except KeyboardInterrupt:
        return 130


def _act(parser: argparse.ArgumentParser, options: argparse.Namespace, chosen: settings.ServerSettings) -> int:
    command = _command(parser, options.command) if options.action == "run" else []
    if options.action == "templates":
        from pytest_rewardkit.local.cli.templates import make_templates

        return make_templates(chosen.named_templates(), options.names, _say)
    if options.docker:
        return _in_container(options, chosen, command)
    if options.action == "run":
        from pytest_rewardkit.local.cli.run import run
        from pytest_rewardkit.local.handle import LocalServer

        return run(command, LocalServer.listen(chosen, on_death=_say))
    if options.action == "doctor":
        return _doctor(chosen)
    return _serve(options, chosen)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=PROGRAM, description="Local sandboxes for E2B's SDKs, without a key.")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    serve = actions.add_parser(
        "serve",
        **_about("Serve local sandboxes until interrupted, and print the variables to use.", "serve --port 3000"),
    )
    serve.add_argument("--port", type=int, default=0, metavar="N", help="port of the control plane (default: any)")
    serve.add_argument("--traffic-port", type=int, default=0, metavar="N", help="port of the sandboxes (default: any)")
    serve.add_argument("--fds", help=argparse.SUPPRESS)
    serve.add_argument("--fork-server", help=argparse.SUPPRESS)
    serve.add_argument("--container", action="store_true", help=argparse.SUPPRESS)
    run = actions.add_parser(
        "run",
        **_about(
            "Run a command against a fresh local server, and stop the server afterwards.", "run -- python agent.py"
        ),
    )
    run.add_argument("command", nargs=argparse.REMAINDER, metavar="-- COMMAND [ARGUMENT ...]")
    doctor = actions.add_parser(
        "doctor", **_about("Show how sandboxes are isolated on this machine, and how to get more.", "doctor")
    )
    templates = actions.add_parser(
        "templates", **_about("Make a project's templates, so that no test waits for them.", "templates")
    )
    templates.add_argument("names", nargs="*", metavar="NAME", help="templates to make (default: all)")
    templates.add_argument(
        "--unused-days",
        type=int,
        metavar="N",
        help="make nothing, but list the cached templates that nobody has used for N days; 0 lists all",
    )
    templates.add_argument("--yes", action="store_true", help="with --unused-days, remove the listed ones")
    for action in (serve, run, doctor, templates):
        settings.add_options(action)
        container_options.add_options(action)
    templates.set_defaults(templates="pyproject.toml")
    return parser


def _about(purpose: str, example: str) -> _About:
    return {"help": purpose, "description": purpose, "epilog": f"Example: {PROGRAM} {example}"}


def _command(parser: argparse.ArgumentParser, words: list[str]) -> list[str]:
    command = words[1:] if words[:1] == ["--"] else words
    if not command:
        parser.exit(2, f"{PROGRAM}: run needs a command, as in: {PROGRAM} run -- pytest\n")
    return command


def _doctor(chosen: settings.ServerSettings) -> int:
    from pytest_rewardkit.local.cli.advice import advice
    from pytest_rewardkit.local.cli.place import look_around
    from pytest_rewardkit.local.errors import NoSuchLevelError
    from pytest_rewardkit.local.level import examine

    try:
        isolation = examine(chosen.guest_options(chosen.preloaded()))
    except NoSuchLevelError as error:
        print(f"There can be no sandboxes: {error}")
        return 1
    print(isolation.table(advice(look_around(), isolation)))
    return 0


def _in_container(options: argparse.Namespace, chosen: settings.ServerSettings, command: Sequence[str]) -> int:
    from pytest_rewardkit.local.cli.run import run
    from pytest_rewardkit.local.container.server import ContainerServer, examine
    from pytest_rewardkit.local.errors import ContainerError

    container = container_options.from_options(options)
    try:
        if options.action == "doctor":
            status, text = examine(chosen, container, _say)
            print(text)
            return status
        port = options.port if options.action == "serve" else 0
        server = ContainerServer.open(chosen, container, say=_say, on_death=_say, port=port)
    except ContainerError as error:
        _say(str(error))
        return 2
    if options.action == "run":
        return run(command, server)
    with server, suppress(KeyboardInterrupt):
        _show(server.environment(), f"{server.isolation}, in {server.place}")
        while True:
            time.sleep(60)  # on Windows no other wait can be interrupted
    return 0


def _say(text: str) -> None:
    print(f"{PROGRAM}: {text}", file=sys.stderr)


def _show(variables: Mapping[str, str], isolation: str) -> None:
    print(f"# Local sandboxes, isolation {isolation}. Stop with Ctrl-C. Use them with:")
    for name, value in variables.items():
        print(f"export {name}={shlex.quote(value)}")
    sys.stdout.flush()


def _serve(options: argparse.Namespace, chosen: settings.ServerSettings) -> int:
    from pytest_rewardkit.local.server.launch import handed_over, launch

    if options.fork_server is not None:
        launched = handed_over(options.fork_server)
    else:
        launched = launch(chosen.guest_options(chosen.preloaded()))  # it boots during the other imports

    import asyncio

    from pytest_rewardkit.local.container.container import READY_PREFIX
    from pytest_rewardkit.local.container.lifeline import stop_without_owner
    from pytest_rewardkit.local.container.wheel import version
    from pytest_rewardkit.local.errors import ForkServerError
    from pytest_rewardkit.local.serve import serve

    owned = options.fds is not None
    traffic: socket.socket | None
    if owned:
        control, traffic = (socket.socket(fileno=int(number)) for number in options.fds.split(","))
    elif options.container:
        control, traffic = _listener("0.0.0.0", options.port), None  # noqa: S104 - only loopback's port leads here
    else:
        control, traffic = (_listener("127.0.0.1", port) for port in (options.port, options.traffic_port))
    api_key = os.environ.pop(KEY_VARIABLE, "") or "e2b_" + secrets.token_hex(20)

    async def announce(table: SandboxTable) -> None:
        level = (await table.isolation()).level
        if traffic is None:
            print(READY_PREFIX + json.dumps({"version": version(), "isolation": level}), flush=True)
        else:
            _show(variables(control.getsockname()[1], traffic.getsockname()[1], api_key), level)

    serving = serve(
        control,
        traffic,
        api_key=api_key,
        settings=chosen,
        launched=launched,
        owner=os.getppid() if owned else None,
        lifeline=stop_without_owner if options.container else None,
        on_serving=None if owned else announce,
    )
    try:
        asyncio.run(serving)
    except ForkServerError as error:
        print(f"{PROGRAM}: {error}", file=sys.stderr)
        return 1
    return 0


def _listener(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), backlog=1024)
    except OSError as error:
        raise SystemExit(f"{PROGRAM}: cannot listen on port {port}: {error.strerror}") from error


if __name__ == "__main__":
    sys.exit(main())
