"""The HTML report in a real Chromium, without a window."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from chromium import HOW_TO_INSTALL, chromium, missing_programs, set_scheme, set_size
from selenium.webdriver import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from pytest_rewardkit.reports.html.write import write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from selenium.webdriver import Chrome
    from selenium.webdriver.remote.webelement import WebElement

    from pytest_rewardkit.reports.html.model import Report

SECONDS = 20


class Page:
    """An open report."""

    def __init__(self, browser: Chrome, address: str) -> None:
        self.browser = browser
        self.address = address

    def open(self, name: str = "") -> None:
        """Open the report anew, at the test called `name`."""
        # The browser would not reload the same document with another fragment.
        self.browser.get("about:blank")
        self.browser.get(self.address + name)

    def one(self, selector: str) -> WebElement:
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector: str) -> list[WebElement]:
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def text(self, selector: str) -> str:
        return str(self.one(selector).get_property("textContent"))

    def texts(self, selector: str) -> list[str]:
        return list(self.run("return [...document.querySelectorAll(arguments[0])].map(e => e.textContent)", selector))

    def run(self, script: str, *arguments: Any) -> Any:
        return self.browser.execute_script(script, *arguments)

    def keys(self, *keys: str) -> None:
        """Press `keys` one after another, wherever the focus is."""
        ActionChains(self.browser).send_keys(*keys).perform()

    def until(self, condition: Callable[[], Any]) -> Any:
        """Wait until `condition` holds, and return what it returned."""
        return WebDriverWait(self.browser, SECONDS, poll_frequency=0.02).until(lambda _: condition())

    @property
    def rows(self) -> list[str]:
        """The names of the tests in the existing rows, from the top."""
        return self.texts("#tests tbody .col-id .name")

    @property
    def count(self) -> str:
        return self.text("#count")

    def open_row(self, place: int = 0) -> None:
        """Open the test in row `place` by a click."""
        self.run("document.getElementById('tests').scrollIntoView()")
        # Found and clicked at once, because scrolling replaces the rows.
        click = "const row = document.querySelector(arguments[0]); row?.click(); return row !== null"
        self.until(lambda: self.run(click, f"#tests tbody tr[data-position='{place}']"))

    @property
    def focused(self) -> str:
        """The id of the focused element, else the name of its tag."""
        return str(self.run("const e = document.activeElement; return e.id || e.tagName.toLowerCase()"))

    @property
    def complaints(self) -> list[str]:
        """What Chromium has written to the console since the last call."""
        return [entry["message"] for entry in self.browser.get_log("browser")]


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    if missing := missing_programs():
        pytest.skip(f"no {' and no '.join(missing)} here; {HOW_TO_INSTALL}")
    with chromium(tmp_path_factory.mktemp("chromium")) as started:
        yield started


@pytest.fixture
def show(browser: Chrome, tmp_path: Path) -> Iterator[Callable[[Report], Page]]:
    """Write a report and open it. A page that complains on the console fails the test."""
    pages: list[Page] = []

    def open_report(report: Report) -> Page:
        path = tmp_path / f"report {len(pages)}.html"
        write(report, path)
        page = Page(browser, path.as_uri())
        pages.append(page)
        set_size(browser, 1440, 900)
        page.open()
        return page

    yield open_report
    for page in pages:
        page.run("try { localStorage.clear() } catch {}")
        set_scheme(browser, "")
        assert page.complaints == []
