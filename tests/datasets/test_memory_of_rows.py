"""A candidate that exceeds its sandbox's memory gets that verdict from a row's test code, too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from benchmark_rows import MBPP_SANITIZED

from pytest_rewardkit.datasets.formats import find_format
from pytest_rewardkit.datasets.row import Row
from pytest_rewardkit.datasets.score import score_row
from pytest_rewardkit.reward import Verdict

if TYPE_CHECKING:
    from pytest_rewardkit.datasets.testcode.test_runner import TestRunner
    from pytest_rewardkit.sandboxes.provider import Provider

WORDS = "import re\ndef words(text):\n    return re.findall(r'\\b\\w{4,}\\b', text)\n"
ONE_PROCESS = "data = b'x' * (600 * 2**20)"
SEVERAL_PROCESSES = """
    import os, time
    for _ in range(4):
        if os.fork() == 0:
            data = b'x' * (120 * 2**20)
            time.sleep(60)
    time.sleep(60)
"""


@pytest.mark.parametrize("bomb", [ONE_PROCESS, SEVERAL_PROCESSES], ids=["one process", "several processes"])
def test_memory_in_a_function(provider: Provider, test_runner: TestRunner, bomb: str) -> None:
    row = Row(MBPP_SANITIZED.row, id="x", place="here", format=find_format(MBPP_SANITIZED.format))
    sandbox = provider.create(memory_mb=256)
    try:
        candidate = f"{WORDS}\ndef found(text):\n    {bomb.strip()}\n    return True\n"
        reward = score_row(sandbox, row, candidate, test_runner=test_runner, time_limit=30)
        assert [part.verdict for part in reward.parts[:2]] == [Verdict.PASSED, Verdict.MEMORY]
        while_loading = score_row(
            sandbox, row, f"if True:\n    {bomb.strip()}\n", test_runner=test_runner, time_limit=30
        )
        assert (while_loading.value, while_loading.verdict) == (0.0, Verdict.MEMORY)
    finally:
        sandbox.kill()
