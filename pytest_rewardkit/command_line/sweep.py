"""`sweep`: finds the sandboxes that runs have left behind in a cloud or a cluster."""

from __future__ import annotations

import argparse
import os
import re
import sys
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.formatting import counted
from pytest_rewardkit.text import one_line, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_rewardkit.sandboxes.usage.sweep import LeftSandbox

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def main(words: Sequence[str]) -> int:
    """List them, and kill them with `--yes`.

    Returns the exit status: 1 if anything requested has failed.
    """
    asked = _parser().parse_args(words[1:])
    if not os.environ.get("E2B_API_KEY"):
        print("pytest-rewardkit: sweep: set E2B_API_KEY: local sandboxes end with their run", file=sys.stderr)
        return 2
    from pytest_rewardkit.sandboxes.e2b import kill
    from pytest_rewardkit.sandboxes.usage.sweep import find_left, forget_ended

    try:
        found = find_left(os.environ)
        chosen = [it for it in found if _is_meant(it, asked.run, asked.older_than)]
        _show(chosen)
        others = [it for it in found if asked.run is None and it.goes_on and it.seconds >= asked.older_than]
        if others:
            print(f"{len(others):,} more of runs that go on here; --run KEY names one of these all the same")
        if not asked.yes:
            if chosen:
                print("--yes ends them")
            return 0
        for left in chosen:
            kill(left.sandbox_id)
        forget_ended(os.environ)
        print(f"ended {len(chosen)}")
    except Exception as error:
        print(f"pytest-rewardkit: sweep: {one_line(f'{type(error).__name__}: {error}', 300)}", file=sys.stderr)
        return 1
    return 0


def _is_meant(left: LeftSandbox, run: str | None, older_than: float) -> bool:
    return left.seconds >= older_than and (not left.goes_on if run is None else left.run == run)


def _show(found: Sequence[LeftSandbox]) -> None:
    for left in found:
        print(printable(f"{left.sandbox_id}  run {left.run}  {_age(left.seconds)}"))
    runs = len({left.run for left in found})
    print(f"{counted(len(found), 'sandbox', 'sandboxes')} left" + (f" by {counted(runs, 'run')}" if found else ""))


def _age(seconds: float) -> str:
    unit = next((unit for unit in "dhm" if seconds >= _UNITS[unit]), "s")
    return f"{seconds / _UNITS[unit]:.0f} {unit}"


def _seconds(text: str) -> float:
    found = re.fullmatch(r"(\d{1,9})([smhd])", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"must be a time such as 90s, 30m, 1h or 2d, not {text!r}")
    return float(found[1]) * _UNITS[found[2]]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "pytest-rewardkit sweep",
        description="List the sandboxes that runs of this package have left behind in the cloud or cluster that E2B's "
        "variables name, and end them with --yes.",
        epilog="Example: pytest-rewardkit sweep --older-than 1h --yes",
    )
    parser.add_argument("--run", metavar="KEY", help="only the sandboxes of one run, by the key in its summary")
    parser.add_argument(
        "--older-than", metavar="TIME", type=_seconds, default=0.0, help="only those older than 90s, 30m, 1h or 2d"
    )
    parser.add_argument("--yes", action="store_true", help="end the listed sandboxes")
    return parser
