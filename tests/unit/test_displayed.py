"""The text of an object that a notebook shows."""

from __future__ import annotations

import time
from typing import Any

import pytest
from e2b_code_interpreter import Result

from pytest_rewardkit.scorers.running.displayed import text_shown, words_of


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"text": "<IPython.core.display.Markdown object>", "markdown": "**5**"}, "**5**"),
        (
            {"text": "<a.Styler object at 0x7f>", "html": "<style>td{top:9}</style><td>a &lt; 5</td>"},
            " a < 5 ",
        ),
        ({"text": "<IPython.core.display.Latex object>", "latex": "$5$"}, "$5$"),
        ({"text": "<IPython.core.display.Javascript object>"}, "<IPython.core.display.Javascript object>"),
        ({"text": "   a\n0  5", "html": "<table>6</table>"}, "   a\n0  5"),
        ({"html": "<b>5</b>"}, None),
    ],
)
def test_the_text(data: dict[str, Any], text: str | None) -> None:
    assert text_shown(Result(is_main_result=False, **data)) == text


def test_any_page_takes_little_time() -> None:
    started = time.process_time()
    for piece in ("<style>", "<", "<style", "</style>", "<a &lt;"):
        words_of(piece * 100_000)
    assert time.process_time() - started < 5
