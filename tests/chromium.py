"""Starts Chromium without a window, and without network access of its own."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROGRAMS = ("chromium", "chromedriver")
HOW_TO_INSTALL = "on Debian: apt-get install -y chromium chromium-driver"
SWITCHES = (
    "--headless",
    "--no-sandbox",  # root has no sandbox
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


def missing_programs() -> list[str]:
    return [program for program in PROGRAMS if shutil.which(program) is None]


@contextmanager
def chromium(profile: Path) -> Iterator[Chrome]:
    """Start Chromium with an empty profile directory, and end it afterwards."""
    browser, driver = (shutil.which(program) for program in PROGRAMS)
    options = ChromeOptions()
    options.binary_location = str(browser)
    for switch in (*SWITCHES, f"--user-data-dir={profile}"):
        options.add_argument(switch)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    # Named, or selenium would look for one to download.
    started = Chrome(options=options, service=Service(driver))
    try:
        yield started
    finally:
        started.quit()


def set_size(browser: Chrome, width: int, height: int, *, scale: int = 1) -> None:
    """Make the page `width` by `height` CSS pixels, even if that is narrower than a window may be."""
    size = {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def set_scheme(browser: Chrome, scheme: str) -> None:
    """Prefer "light" or "dark", as a user's settings would; "" for neither."""
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
