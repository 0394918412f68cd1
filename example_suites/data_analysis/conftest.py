"""The data for the analyses, uploaded into each test's sandbox under its own name."""

from pathlib import Path

import pytest

DATA = Path(__file__).parent / "data"


@pytest.fixture
def sales(sandbox):
    """24 sales: date, region, product, units, price."""
    return sandbox.files.write("sales.csv", (DATA / "sales.csv").read_bytes())


@pytest.fixture
def survey(sandbox):
    """18 respondents in three groups, some answers missing."""
    return sandbox.files.write("survey.csv", (DATA / "survey.csv").read_bytes())


@pytest.fixture
def weather(sandbox):
    """30 days: temperature in degrees Celsius, rain in millimetres."""
    return sandbox.files.write("weather.csv", (DATA / "weather.csv").read_bytes())
