"""The pictures in README.md and docs/how-to/ci.md: terminal and HTML report of the example suites, taken in Chromium.

    python docs/screenshots.py

Needs the extra `dev`, and Chromium with its driver.
"""

from __future__ import annotations

import html
import io
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from chromium import chromium, set_scheme, set_size  # noqa: E402
from PIL import Image  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

IMAGES = ROOT / "docs" / "images"
COMMAND = "pytest --rewardkit example_suites -n 2 --rewardkit-fail-under=0.5"
WIDTHS = {"terminal": 100, "terminal-80": 80}

STYLE = """
html { overflow: hidden; }
body { margin: 0; background: #1b1d21; color: #d9d9d4; font: 14px/1.45 "DejaVu Sans Mono", monospace; }
pre { display: inline-block; margin: 0; padding: 18px 24px; font: inherit; }
.b1 { font-weight: bold }
.b31 { color: #ee8277 }
.b32 { color: #5cb98a }
.b33 { color: #d9a83f }
"""
SEQUENCE = re.compile(r"\x1b\[([0-9;]*)m")


def run(report: Path, columns: int) -> str:
    """Run the example suites as the README shows it, and return what pytest wrote."""
    completed = subprocess.run(
        [sys.executable, "-m", *COMMAND.split(), "--color=yes", "-p", "no:cacheprovider", f"--rewardkit-html={report}"],
        cwd=ROOT,
        env={"COLUMNS": str(columns), "PATH": "/usr/bin:/bin", "HOME": str(report.parent)},
        capture_output=True,
        text=True,
        check=True,
    )
    return completed.stdout


def terminal_page(output: str) -> str:
    """Return a page that shows `output` as a terminal would, without what is about this machine."""
    lines = output.partition("\n\n")[2].splitlines()
    about = ("HTML report", "results: ")
    shown = [f"$ {COMMAND}", *(line for line in lines if str(ROOT) not in line and not line.startswith(about))]
    parts = SEQUENCE.split("\n".join(shown))
    spans, active = [html.escape(parts[0])], set()
    for codes, text in zip(parts[1::2], parts[2::2], strict=True):
        for code in codes.split(";"):
            active = set() if code in ("", "0") else active | {f"b{code}"}
        spans.append(f'<span class="{" ".join(sorted(active))}">{html.escape(text)}</span>')
    return f"<!doctype html><meta charset=utf-8><style>{STYLE}</style><pre>{''.join(spans)}</pre>"


def save(browser: Chrome, name: str) -> None:
    with Image.open(io.BytesIO(browser.get_screenshot_as_png())) as picture:
        # Few colours are in it, and a third of the bytes will do; rare ones must not fall to their neighbours.
        few = picture.convert("RGB").quantize(256, method=Image.Quantize.MAXCOVERAGE, kmeans=4)
        few.save(IMAGES / f"{name}.png", optimize=True)


def take_terminal(browser: Chrome, page: Path, name: str) -> None:
    set_size(browser, 1200, 1200, scale=2)
    browser.get(page.as_uri())
    block = browser.find_element(By.CSS_SELECTOR, "pre").rect
    set_size(browser, round(block["width"]), round(block["height"]), scale=2)
    save(browser, name)


def take_report(browser: Chrome, report: Path) -> None:
    address = report.as_uri()
    set_size(browser, 1280, 800, scale=2)
    for name, scheme, fragment in (
        ("report", "light", ""),
        ("report-test", "light", "#algorithms%2Ftest_graphs.py%3A%3Atest_knapsack"),
        ("report-dark", "dark", "#data_analysis%2Ftest_tables.py%3A%3Atest_best_month"),
    ):
        set_scheme(browser, scheme)
        browser.get("about:blank")
        browser.get(address + fragment)
        save(browser, name)
    set_scheme(browser, "light")
    set_size(browser, 390, 844, scale=2)
    for name, place in (("report-phone", 0), ("report-phone-tests", 1)):
        browser.get("about:blank")
        browser.get(address)
        browser.execute_script("if (arguments[0]) document.getElementById('filters').scrollIntoView()", place)
        save(browser, name)


def main() -> None:
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as directory:
        files = Path(directory)
        report = files / "report.html"
        with chromium(files / "profile") as browser:
            for name, columns in WIDTHS.items():
                page = files / f"{name}.html"
                page.write_text(terminal_page(run(report, columns)), "utf-8")
                take_terminal(browser, page, name)
            take_report(browser, report)


if __name__ == "__main__":
    main()
