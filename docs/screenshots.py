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
COLUMNS = 100

STYLE = """
body { margin: 0; background: #1b1d21; color: #d9d9d4; font: 14px/1.45 "DejaVu Sans Mono", monospace; }
pre { display: inline-block; margin: 0; padding: 18px 24px; font: inherit; }
.b1 { font-weight: bold }
.b31 { color: #ee8277 }
.b32 { color: #5cb98a }
.b33 { color: #d9a83f }
"""
SEQUENCE = re.compile(r"\x1b\[([0-9;]*)m")


def run(report: Path) -> str:
    """Run the example suites as the README shows it, and return what pytest wrote."""
    completed = subprocess.run(
        [sys.executable, "-m", *COMMAND.split(), "--color=yes", "-p", "no:cacheprovider", f"--rewardkit-html={report}"],
        cwd=ROOT,
        env={"COLUMNS": str(COLUMNS), "PATH": "/usr/bin:/bin", "HOME": str(report.parent)},
        capture_output=True,
        text=True,
        check=True,
    )
    return completed.stdout


def terminal_page(output: str) -> str:
    """Return a page that shows `output` as a terminal would, without what is about this machine."""
    lines = output.partition("\n\n")[2].splitlines()
    shown = [f"$ {COMMAND}", *(line for line in lines if str(ROOT) not in line and not line.startswith("HTML report"))]
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


def take_terminal(browser: Chrome, page: Path) -> None:
    set_size(browser, 1200, 1200, scale=2)
    browser.get(page.as_uri())
    block = browser.find_element(By.CSS_SELECTOR, "pre").rect
    set_size(browser, round(block["width"]), round(block["height"]), scale=2)
    save(browser, "terminal")


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
    set_size(browser, 390, 780, scale=2)
    browser.get("about:blank")
    browser.get(address)
    save(browser, "report-phone")


def main() -> None:
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as directory:
        report, page = Path(directory) / "report.html", Path(directory) / "terminal.html"
        page.write_text(terminal_page(run(report)), "utf-8")
        with chromium(Path(directory) / "profile") as browser:
            take_terminal(browser, page)
            take_report(browser, report)


if __name__ == "__main__":
    main()
