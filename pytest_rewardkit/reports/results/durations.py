"""How long tests took: from a results file, or from the durations file of pytest-split."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from pytest_rewardkit.errors import RewardkitUsageError
from pytest_rewardkit.reports.results.file import read
from pytest_rewardkit.reports.results.lines import RUN

if TYPE_CHECKING:
    from pathlib import Path


def read_durations(path: Path) -> dict[str, float]:
    """Return seconds by node id. Raises RewardkitUsageError for a file of neither kind."""
    content = None if path.suffix == ".gz" else _json_in(path)
    if not isinstance(content, dict) or content.get("type") == RUN:
        tests = read(path, details=False).ledger.tests
        return {test.node_id: math.fsum(result.duration for result in test.results) for test in tests}
    for node_id, seconds in content.items():
        if type(seconds) not in (int, float) or not 0 <= seconds < math.inf:
            raise RewardkitUsageError(f"{path}: {node_id!r} must have seconds, not {seconds!r}")
    return content


def _json_in(path: Path) -> Any:
    """Return a file's content as one JSON value; None if it is not one, such as lines of results."""
    try:
        return json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise RewardkitUsageError(f"cannot read durations from {path}: {error.strerror or error}") from None
    except (ValueError, RecursionError):
        return None
