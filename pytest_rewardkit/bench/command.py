"""The command line of `bench`."""

from __future__ import annotations

import argparse
import os
import secrets
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from pytest_rewardkit.bench.figures import CAUSE_LENGTH, HEADING, lines
from pytest_rewardkit.bench.rounds import rounds
from pytest_rewardkit.errors import RewardkitUsageError
from pytest_rewardkit.sandboxes.e2b import RUN_KEY
from pytest_rewardkit.sandboxes.servers import open_server
from pytest_rewardkit.text import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from e2b_code_interpreter import Sandbox

    from pytest_rewardkit.bench.rounds import First

PROGRAM: Final = "pytest-rewardkit bench"

SAYING: Final = "benchmark"
LIFETIME: Final = 120
"""Seconds after which a sandbox ends on its own, if nobody is left to kill it."""

VARIABLES: Final = {
    "api_key": "E2B_API_KEY",
    "api_url": "E2B_API_URL",
    "sandbox_url": "E2B_SANDBOX_URL",
    "domain": "E2B_DOMAIN",
}
"""The SDK's variables, by its keywords."""


def main(words: Sequence[str]) -> int:
    """Runs the command line, whose first word is the command's name; returns the exit status."""
    parser = _parser()
    options = parser.parse_args(words[1:])
    try:
        theirs = _cluster(options, os.environ)
    except RewardkitUsageError as error:
        parser.exit(2, f"{PROGRAM}: {error}\n")
    mark = f"bench-{secrets.token_hex(8)}"
    try:
        well = theirs is None or _measured(_place(theirs), theirs, options, mark)
        return 0 if (options.no_local or _measured_here(options, mark)) and well else 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        PROGRAM,
        description="Measure how long sandboxes take from their creation to their first command's answer: one by one, "
        "at a steady pace, and all at once. Measures a cluster that speaks E2B's protocol, and then a local server.",
        epilog=f"Example: {PROGRAM} --url https://api.cluster.example. The key comes from E2B_API_KEY; without an "
        "address it measures E2B's own cloud, and without a key only the local server.",
    )
    parser.add_argument("--url", help="the cluster's API (default: E2B_API_URL)")
    parser.add_argument("--sandbox-url", metavar="URL", help="where its sandboxes answer (default: E2B_SANDBOX_URL)")
    parser.add_argument("--domain", help="its domain, in place of both (default: E2B_DOMAIN)")
    parser.add_argument("--template", metavar="NAME", help="template of the sandboxes (default: the SDK's)")
    parser.add_argument("-n", type=_count, default=100, metavar="N", help="sandboxes of each round (default: 100)")
    parser.add_argument(
        "--stagger",
        type=_pace,
        default=0.2,
        metavar="SECONDS",
        help="seconds between two, at a steady pace (default: 0.2)",
    )
    parser.add_argument("--no-local", action="store_true", help="leave the local server out")
    return parser


def _count(text: str) -> int:
    if not 1 <= (number := int(text)) <= 1000:
        raise argparse.ArgumentTypeError(f"from 1 to 1000, not {text}")
    return number


def _pace(text: str) -> float:
    if not 0 < (seconds := float(text)) <= 60:
        raise argparse.ArgumentTypeError(f"above 0, and 60 at most, not {text}")
    return seconds


def _cluster(options: argparse.Namespace, environ: Mapping[str, str]) -> dict[str, Any] | None:
    """The SDK's keywords for the cluster; None if there is no cluster to measure.

    Raises:
        RewardkitUsageError: the address is invalid, or the key is missing.
    """
    given = {"api_url": options.url, "sandbox_url": options.sandbox_url, "domain": options.domain}
    address = {name: value or environ.get(VARIABLES[name]) for name, value in given.items()}
    for name in ("api_url", "sandbox_url"):
        if (url := address[name]) and urlsplit(url).scheme not in ("http", "https"):
            raise RewardkitUsageError(f"{url} is not a URL; a URL begins with https:// or http://")
    key = environ.get(VARIABLES["api_key"])
    if not key:
        if any(address.values()):
            raise RewardkitUsageError("set E2B_API_KEY to the cluster's key, or to any text if the cluster needs none")
        if options.no_local:
            raise RewardkitUsageError("nothing to measure: set E2B_API_KEY, or drop --no-local")
        return None
    return {"api_key": key, "template": options.template} | {name: value for name, value in address.items() if value}


def _place(address: Mapping[str, Any]) -> str:
    return str(address.get("api_url") or address.get("domain") or "E2B's cloud")


def _measured_here(options: argparse.Namespace, mark: str) -> bool:
    try:
        server = open_server("local")
    except RewardkitUsageError as error:
        print(f"\nours: not measured: {error}")
        return True
    assert server is not None
    try:
        variables = server.environment()
        address = {name: variables[variable] for name, variable in VARIABLES.items()}
        processors = os.cpu_count() or 1
        return _measured(f"ours: a local server, {processors} processors", address, options, mark)
    finally:
        server.stop()


def _measured(place: str, address: Mapping[str, Any], options: argparse.Namespace, mark: str) -> bool:
    """Measures a place, and prints the results. Returns whether every sandbox answered."""
    print(f"\n{place}", flush=True)
    first = _first(address, mark)
    try:
        first()  # the first one loads and connects, which the others need not do
    except Exception as error:
        print(f"  no sandbox: {_cause(error)}", file=sys.stderr)
        return False
    print(HEADING, flush=True)
    well = True
    for done in rounds(first, options.n, options.stagger):
        print("\n".join(lines(done)), flush=True)
        well = well and not done.causes
    return well


def _first(address: Mapping[str, Any], mark: str) -> First:
    """A function that makes a sandbox and waits for its first answer; nobody's time includes killing it."""
    from e2b_code_interpreter import Sandbox

    def first() -> float:
        begun = time.perf_counter()
        sandbox = Sandbox.create(timeout=LIFETIME, metadata={RUN_KEY: mark}, **address)
        try:
            said = _said(sandbox)
            seconds = time.perf_counter() - begun
        finally:
            with suppress(Exception):  # it ends on its own
                sandbox.kill()
        if said != f"{SAYING}\n":
            raise NoAnswerError(f"a command that says {SAYING!r} has said {said!r}")
        return seconds

    return first


class NoAnswerError(Exception):
    """A sandbox was created, but its first command did not answer as expected."""


def _said(sandbox: Sandbox) -> str:
    try:
        return str(sandbox.commands.run(f"echo {SAYING}").stdout)
    except Exception as error:
        raise NoAnswerError(
            f"a sandbox was created, and cannot be reached ({type(error).__name__}: {error}); "
            "say by --sandbox-url or --domain where sandboxes answer"
        ) from error


def _cause(error: Exception) -> str:
    """Why there is no first sandbox, and what may be missing."""
    from e2b import AuthenticationException, NotFoundException
    from e2b.exceptions import RateLimitException
    from httpx import ConnectError

    hints: dict[type[Exception], str] = {
        AuthenticationException: "is E2B_API_KEY the cluster's?",
        NotFoundException: "name a template of the cluster's by --template",
        RateLimitException: "the account's limit of sandboxes is reached",
        ConnectError: "does anything answer at that address?",
    }
    hint = next((f"; {text}" for kind, text in hints.items() if isinstance(error, kind)), "")
    return one_line(f"{type(error).__name__}: {error}", CAUSE_LENGTH) + hint
