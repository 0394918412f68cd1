"""Writes a report as one HTML file that needs nothing else and loads nothing."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files
from itertools import islice
from string import Template
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.reports.html.details import details
from pytest_rewardkit.reports.html.island import island
from pytest_rewardkit.reports.html.overview import overview
from pytest_rewardkit.reports.whole_file import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_rewardkit.reports.html.model import Report

BLOCK: Final = 40
"""Tests whose details share one block; the page reads a block when one of its tests is opened."""

# In dependency order; together they are one script.
SCRIPTS: Final = ("text", "labels", "diff", "highlight", "parts", "charts", "detail", "table", "page")


def write(report: Report, path: Path) -> None:
    """Write `report` as an HTML file. An existing file is replaced when the new one is complete.

    Raises OSError if that fails.
    """
    write_whole(path, render(report))


def render(report: Report) -> Iterator[str]:
    """Yield the page in pieces, all ASCII: the head, the initial view, then the tests' details in blocks.

    The page can be used before its last blocks have been read.
    """
    assets = files(__package__) / "assets"
    style = (assets / "page.css").read_text("utf-8")
    script = '"use strict";\n{\n' + "".join((assets / f"{name}.js").read_text("utf-8") for name in SCRIPTS) + "}\n"
    head, tail = (
        Template((assets / "page.html").read_text("utf-8"))
        .substitute(
            policy=_policy(script, style), style=style, script=script, overview=island(overview(report)), block=BLOCK
        )
        .split("<!-- details -->")
    )
    yield head
    remaining = details(report.tests)
    for number in range(0, len(report.tests), BLOCK):
        block = list(islice(remaining, BLOCK))
        yield f'<script type="application/json" id="details-{number // BLOCK}">{island(block)}</script>\n'
    yield tail


def _policy(script: str, style: str) -> str:
    """Return a content security policy that allows only our own script and style, and loads nothing.

    With trusted types, a bug that would turn text into markup is an error instead.
    """
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src '{_digest(script)}'",
            f"style-src '{_digest(style)}'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        ]
    )


def _digest(content: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode('ascii')}"
