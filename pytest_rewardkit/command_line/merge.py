"""`merge`: one decision over all shards of a run."""

from __future__ import annotations

import argparse
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(words: Sequence[str]) -> int:
    """Report the content of results files, as `pytest --rewardkit --rewardkit-from` does.

    Parameters:
        words: the subcommand's name, results files or folders with them, and options of pytest.

    Returns:
        pytest's exit status.
    """
    parser = argparse.ArgumentParser(
        "pytest-rewardkit merge",
        description="Read the results files of all shards of a run, decide once, and write every report. "
        "Fails if a shard is missing, cut off or given twice.",
        epilog="Example: pytest-rewardkit merge results/ --rewardkit-fail-under=0.8 --rewardkit-html=report.html",
    )
    parser.add_argument("results", nargs="+", metavar="FILE", help="results files, or folders with them")
    options, others = parser.parse_known_args(words[1:])
    stored = [f"--rewardkit-from={it}" for it in options.results]
    # In its own process: pytest warns about plugins that were imported before it.
    return subprocess.call([sys.executable, "-m", "pytest", "--rewardkit", *stored, *others])
