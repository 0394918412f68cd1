"""The HTML report as text: what it contains, in which form, and nothing else."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import pytest
from html_samples import PAYLOADS, hostile, ordinary
from hypothesis import given
from hypothesis import strategies as st

from pytest_rewardkit.reports.html import write as module
from pytest_rewardkit.reports.html.island import island
from pytest_rewardkit.reports.html.model import PageAttempt, PageTest, Report
from pytest_rewardkit.reports.html.write import render, write
from pytest_rewardkit.text import one_line

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_rewardkit.reports.html.model import Report as ReportType


class Parsed(HTMLParser):
    """A page as an HTML parser sees it: its tags with their attributes, and the text in each script and style."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, tuple[tuple[str, str | None], ...]]] = []
        self.inside: list[tuple[dict[str, str | None], str]] = []
        self._reading = False
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(attrs)))
        self._reading = tag in ("script", "style")
        if self._reading:
            self.inside.append(({"tag": tag, **dict(attrs)}, ""))

    def handle_endtag(self, tag: str) -> None:
        self.tags.append((f"/{tag}", ()))
        self._reading = False

    def handle_data(self, data: str) -> None:
        if self._reading:
            attributes, text = self.inside[-1]
            self.inside[-1] = (attributes, text + data)

    def island(self, name: str) -> Any:
        (text,) = (text for attributes, text in self.inside if attributes.get("id") == name)
        return json.loads(text)


def page_of(report: ReportType) -> str:
    return "".join(render(report))


def with_text(value: Any, text: str) -> Any:
    """Return `value` with each "plain" in it replaced by `text`."""
    if isinstance(value, str):
        return value.replace("plain", text)
    if isinstance(value, dict):
        return {key: with_text(item, text) for key, item in value.items()}
    if isinstance(value, list):
        return [with_text(item, text) for item in value]
    return value


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)
def test_no_text_changes_what_the_parser_sees(payload: str) -> None:
    assert Parsed(page_of(hostile(payload))).tags == Parsed(page_of(hostile("plain"))).tags


# Longer ones are cut, to different sizes.
@pytest.mark.parametrize("name", [name for name, payload in PAYLOADS.items() if len(payload) <= 100])
def test_every_text_arrives_as_it_was(name: str) -> None:
    payload = PAYLOADS[name]
    found = Parsed(page_of(hostile(payload)))
    plain = Parsed(page_of(hostile("plain")))
    overview = with_text(plain.island("overview"), payload)
    overview["table"]["why"] = [one_line(payload, 160)]
    assert found.island("overview") == overview
    assert found.island("details-0") == with_text(plain.island("details-0"), payload)


@given(st.recursive(st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_an_island_is_ascii_without_markup_and_reads_back_the_same(value: Any) -> None:
    text = island(value)
    assert text.isascii()
    assert not set("<>&") & set(text)
    assert json.loads(text) == value


def test_an_island_takes_no_number_that_json_has_not() -> None:
    with pytest.raises(ValueError, match="JSON"):
        island([float("nan")])


def test_the_policy_lets_nothing_work_but_our_own_script_and_style() -> None:
    parsed = Parsed(page_of(ordinary()))
    (policy,) = (
        dict(attrs)["content"] for tag, attrs in parsed.tags if ("http-equiv", "Content-Security-Policy") in attrs
    )
    directives = {name: values for name, *values in (directive.split() for directive in str(policy).split(";"))}
    (script,) = (
        text for attributes, text in parsed.inside if attributes["tag"] == "script" and "type" not in attributes
    )
    (style,) = (text for attributes, text in parsed.inside if attributes["tag"] == "style")
    assert directives["default-src"] == ["'none'"]
    assert directives["script-src"] == [f"'sha256-{digest(script)}'"]
    assert directives["style-src"] == [f"'sha256-{digest(style)}'"]
    assert directives["img-src"] == ["data:"]
    assert directives["base-uri"] == directives["form-action"] == directives["trusted-types"] == ["'none'"]
    assert directives["require-trusted-types-for"] == ["'script'"]


def digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def test_the_page_needs_no_other_file() -> None:
    page = page_of(ordinary())
    assert page.isascii()
    outside = [
        value
        for tag, attrs in Parsed(page).tags
        for name, value in attrs
        if name in ("src", "href", "action", "srcset") and not str(value).startswith(("#", "data:"))
    ]
    assert outside == []
    assert set(re.findall(r"https?://[^\s\"']+", page)) == {"http://www.w3.org/2000/svg"}  # a name, not an address
    assert not re.search(r"@import|url\(|@font-face", page)


def test_our_own_script_never_makes_markup_of_text() -> None:
    scripts = "".join((files(module.__package__) / "assets" / f"{name}.js").read_text() for name in module.SCRIPTS)
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|\beval\(|new Function|setHTML", scripts
    )


def test_making_a_report_takes_neither_pytest_nor_the_sdk() -> None:
    imports = "import pytest_rewardkit.reports.html.from_ledger, pytest_rewardkit.reports.html.write, sys"
    heavy = "{'pytest', '_pytest', 'e2b', 'httpx', 'asyncio'}"
    check = f"print(sorted({{name.partition('.')[0] for name in sys.modules}} & {heavy}))"
    command = [sys.executable, "-c", f"{imports}; {check}"]
    completed = subprocess.run(command, capture_output=True, text=True, check=True)
    assert completed.stdout == "[]\n"


def test_every_asset_is_in_the_page() -> None:
    assets = {item.name for item in (files(module.__package__) / "assets").iterdir()}
    assert assets == {"page.html", "page.css", *(f"{name}.js" for name in module.SCRIPTS)}


def test_details_come_after_the_table_in_blocks() -> None:
    report = ordinary(module.BLOCK * 2 + 1)
    pieces = list(render(report))
    parsed = Parsed("".join(pieces))
    assert len(parsed.island("overview")["table"]["id"]) == len(report.tests)
    assert [len(parsed.island(f"details-{number}")) for number in range(3)] == [module.BLOCK, module.BLOCK, 1]
    ids = [attributes.get("id") for attributes, _ in parsed.inside]
    assert ids.index("overview") < ids.index(None, 2) < ids.index("details-0")
    assert len(pieces) == 5


def test_what_a_run_lacks_is_left_out() -> None:
    parsed = Parsed(page_of(Report(tests=[PageTest(node_id="a", attempts=[PageAttempt(verdict="passed", value=1.0)])])))
    assert parsed.island("details-0") == [{"attempts": [{"value": 1.0, "verdict": "passed"}]}]
    assert "baseline" not in parsed.island("overview")["table"]


def test_a_report_of_no_test_is_a_page() -> None:
    assert Parsed(page_of(Report(tests=[]))).island("overview")["table"]["id"] == []


def test_writing_makes_directories_and_replaces_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "new" / "report.html"
    write(ordinary(), path)
    path.write_text("old")
    write(ordinary(), path)
    assert path.read_text("ascii") == page_of(ordinary())
    assert [item.name for item in path.parent.iterdir()] == ["report.html"]
    assert path.stat().st_mode & 0o444 == 0o444


def test_a_report_that_cannot_be_made_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("old")
    broken = Report(tests=[PageTest(node_id="a", attempts=[PageAttempt(verdict="passed", value=float("nan"))])])
    with pytest.raises(ValueError, match="JSON"):
        write(broken, path)
    assert path.read_text() == "old"
    assert [item.name for item in tmp_path.iterdir()] == ["report.html"]
