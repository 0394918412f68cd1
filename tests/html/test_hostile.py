"""Candidates' bytes in a real browser: they are shown, and have no effect."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from html_samples import PAYLOADS, hostile, ordinary, report
from selenium.webdriver.support.ui import Select

from pytest_rewardkit.reports.html.model import PageTest, Report
from pytest_rewardkit.reward import Part
from pytest_rewardkit.text import printable

if TYPE_CHECKING:
    from conftest import Page

Show = Callable[[Report], "Page"]

# The elements of the page. None of them can run or load anything because of the text in it.
OURS = {
    *("html", "head", "meta", "title", "link", "style", "script", "body", "noscript", "header", "main", "aside"),
    *("section", "h1", "h2", "h3", "p", "a", "div", "span", "strong", "ul", "li", "dl", "dt", "dd", "figure", "img"),
    *("figcaption", "kbd", "mark", "form", "label", "input", "select", "option", "button", "output", "details"),
    *("summary", "pre", "code", "ol", "table", "thead", "tbody", "tr", "th", "td"),
    *("svg", "g", "rect", "line", "circle", "text"),
}

# A hole in the escaping would let this in. It runs from the driver, which the policy does not bind.
INTRUSIONS = {
    "inline script": """
        const script = document.createElement("script");
        script.append("window.hurt = 1");
        document.body.append(script);
    """,
    "handler": """
        document.body.setAttribute("onclick", "window.hurt = 1");
        document.body.click();
    """,
    "markup": "document.body.innerHTML = '<img src=x onerror=window.hurt=1>';",
    "javascript address": """
        const link = document.createElement("a");
        link.href = "javascript:window.hurt=1";
        document.body.append(link);
        link.click();
    """,
    "frame": """
        const frame = document.createElement("iframe");
        frame.src = "data:text/html,<script>parent.hurt=1</script>";
        document.body.append(frame);
    """,
    "style": """
        const style = document.createElement("style");
        style.textContent = "main { display: none }";
        document.body.append(style);
        if (getComputedStyle(document.querySelector("main")).display === "none") window.hurt = 1;
    """,
    "style attribute": """
        const main = document.querySelector("main");
        main.setAttribute("style", "display: none");
        if (getComputedStyle(main).display === "none") window.hurt = 1;
    """,
    "picture from elsewhere": """
        await new Promise((done) => {
            const image = new Image();
            image.onload = () => { window.hurt = 1; done(); };
            image.onerror = done;
            image.src = "http://127.0.0.1:9/pixel.png";
        });
    """,
    "request": "await fetch('data:text/plain,hurt').then(() => { window.hurt = 1; });",
    "form": """
        const form = document.createElement("form");
        form.action = "http://127.0.0.1:9/";
        document.body.append(form);
        form.submit();
    """,
}


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)
def test_no_text_runs_loads_or_hides_anything(show: Show, payload: str) -> None:
    page = show(hostile(payload))
    page.open_row()
    page.run("for (const part of document.querySelectorAll('details')) part.open = true")
    # Buttons must work; everything else must do nothing.
    page.run("""
        for (const element of document.querySelectorAll("*"))
            if (!element.closest("button, [role=button], tr, form"))
                for (const kind of ["mouseover", "focus", "click"]) element.dispatchEvent(new Event(kind));
    """)
    assert page.run("return window.hurt") is None
    loaded = page.run("return performance.getEntriesByType('resource').map(entry => entry.name.slice(0, 5))")
    assert set(loaded) <= {"data:"}
    assert page.browser.current_url.startswith(page.address)
    assert set(page.run("return [...document.querySelectorAll('*')].map(e => e.localName)")) <= OURS
    attributes = page.run("return [...document.querySelectorAll('*')].flatMap(e => e.getAttributeNames())")
    assert not [name for name in set(attributes) if name.startswith("on")]
    assert page.one("#tests").is_displayed()
    assert page.one("#detail").is_displayed()
    assert page.complaints == []


@pytest.mark.parametrize("name", [name for name, text in PAYLOADS.items() if len(text) <= 100 and "\t" not in text])
def test_texts_are_shown_whole_and_what_cannot_be_seen_as_escapes(show: Show, name: str) -> None:
    payload = PAYLOADS[name]
    page = show(hostile(payload))
    page.open_row()
    shown = printable(payload, keep="\n")
    assert page.text("#title") == shown
    assert page.text("#detail .command") == shown
    assert "".join(page.texts("#detail .code code")) == f"{shown}\n"


@pytest.mark.parametrize("intrusion", INTRUSIONS.values(), ids=INTRUSIONS)
def test_what_gets_past_the_escaping_is_stopped_by_the_policy(show: Show, intrusion: str) -> None:
    page = show(ordinary(3))
    page.browser.execute_async_script(
        f"const done = arguments[0]; (async () => {{ {intrusion} }})().catch(() => null).then(() => setTimeout(done))"
    )
    assert page.run("return window.hurt") is None
    assert page.browser.current_url.startswith(page.address)
    said = page.until(lambda: page.complaints)
    assert any("Content Security Policy" in text or "Trusted" in text for text in said), said


def test_long_texts_keep_to_their_place(show: Show) -> None:
    page = show(hostile("W" * 100_000))
    page.open_row()
    assert page.run("return document.documentElement.scrollWidth") <= 1440
    assert page.run("const d = document.getElementById('detail'); return d.scrollWidth <= d.clientWidth") is True


@pytest.mark.parametrize(
    ("expected", "actual"),
    [("ab\n" * 1300, "ba\n" * 1300), ("a " * 2000, "b " * 2000), ("\n" * 4000, " \n" * 2000)],
    ids=["lines", "words", "empty lines"],
)
def test_no_text_makes_the_difference_hang(show: Show, expected: str, actual: str) -> None:
    page = show(report(parts=[Part("differs", 0.0, expected=expected, actual=actual)]))
    # The driver gives up on a page that hangs.
    page.browser.set_script_timeout(10)
    page.open_row()
    assert page.all(".diff .line.expected")


def test_differences_that_would_take_too_long_are_not_looked_for(show: Show) -> None:
    def marks(repeats: int) -> int:
        page = show(report(parts=[Part("differs", 0.0, expected="!?" * repeats, actual="?!" * repeats)]))
        page.open_row()
        assert len(page.all(".diff .line")) == 2
        return len(page.all(".diff mark"))

    assert (marks(50), marks(1500)) == (2, 0)


def test_names_that_look_like_ours_are_only_names(show: Show) -> None:
    names = ["__proto__", "constructor", "toString", "hasOwnProperty"]
    (sample,) = report().tests
    tests = [PageTest(node_id=f"{name}::test", attempts=sample.attempts, group=name) for name in names]
    page = show(Report(tests=tests))
    for name in names:
        Select(page.one("select[data-filter=group]")).select_by_visible_text(name)
        assert page.texts("td.col-id .file") == [name]
