"""Candidates that read and write files: the files that they leave are judged, read by the sandbox's own files API."""

import json

import pytest

from pytest_rewardkit import extract_code

# With your own model, a test passes if it earns the whole reward.
pytestmark = pytest.mark.reward(threshold=1.0)

INVENTORY = """\
item,stock,minimum
bolts,120,100
nuts,80,100
washers,15,50
screws,300,200
"""


@pytest.mark.deserves(1.0, "passed")
def test_stock_report(sandbox, reward, candidate):
    """Write report.txt with the items whose stock is below the minimum, and how many are missing."""
    sandbox.files.write("inventory.csv", INVENTORY)
    execution = sandbox.run_code(extract_code(candidate))

    assert execution.error is None
    lines = sandbox.files.read("report.txt").splitlines()
    reward.record("nuts: 20 missing" in lines, name="nuts")
    reward.record("washers: 35 missing" in lines, name="washers")
    reward.record(len(lines) == 2, name="nothing else")


ORDERS = """\
id,customer,total
1001,Ada,19.90
1002,Grace,5.00
1003,Edsger,42.50
"""


@pytest.mark.deserves(1 / 2, "partial")
def test_orders_to_json(sandbox, reward, candidate):
    """The candidate writes every number as text; types count double."""
    sandbox.files.write("orders.csv", ORDERS)
    sandbox.run_code(extract_code(candidate))

    orders = json.loads(sandbox.files.read("orders.json"))
    reward.record(len(orders) == 3, name="every row")
    wanted = [(1001, "Ada"), (1002, "Grace"), (1003, "Edsger")]
    reward.record([(int(order["id"]), order["customer"]) for order in orders] == wanted, name="in order")
    reward.record(
        sum(isinstance(order["total"], float) for order in orders) / len(orders),
        name="totals are numbers",
        weight=2,
        reason=f"total is {orders[0]['total']!r}",
    )


SETTINGS = {"theme": "light", "font": {"family": "serif", "size": 12}, "recent": ["a.txt", "b.txt"]}


@pytest.mark.deserves(3 / 4, "partial")
def test_update_settings(sandbox, reward, candidate):
    """The candidate changes the setting it was asked for, and loses the one beside it."""
    sandbox.files.write("settings.json", json.dumps(SETTINGS))
    sandbox.run_code(extract_code(candidate))

    settings = json.loads(sandbox.files.read("settings.json"))
    changed = settings != SETTINGS  # otherwise a candidate that does nothing would count as having kept the rest
    reward.record(settings["theme"] == "dark", name="theme")
    reward.record(settings["font"].get("size") == 14, name="font size")
    reward.record(changed and settings["font"].get("family") == "serif", name="font family kept")
    reward.record(changed and settings.get("recent") == SETTINGS["recent"], name="recent files kept")


@pytest.mark.deserves(1 / 2, "partial")
def test_journal(sandbox, reward, candidate):
    """The candidate opens the journal for writing, which empties it first."""
    sandbox.files.write("journal.txt", "monday: rain\ntuesday: sun\n")
    sandbox.run_code(extract_code(candidate))

    lines = sandbox.files.read("journal.txt").splitlines()
    written = "wednesday: snow" in lines
    reward.record(written, name="new entry")
    reward.record(written and lines[:2] == ["monday: rain", "tuesday: sun"], name="earlier entries kept")


MANIFEST = """\
# Edited by hand.
[package]
name = "compass"
version = "1.9.3"

[dependencies]
needle = "1.9.3"
"""


@pytest.mark.deserves(1.0, "passed")
def test_bump_version(sandbox, reward, candidate):
    """Raise the minor version of the package, and touch nothing else."""
    sandbox.files.write("manifest.toml", MANIFEST)
    sandbox.run_code(extract_code(candidate))

    before, after = MANIFEST.splitlines(), sandbox.files.read("manifest.toml").splitlines()
    changed = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    wanted = [('version = "1.9.3"', 'version = "1.10.0"')]
    reward.record(changed == wanted, name="one line changed", reason=f"changed: {changed}")
