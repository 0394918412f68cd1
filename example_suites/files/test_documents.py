"""Candidates that read and write files: the files that they leave are judged, read by the sandbox's own files API."""

import json

from pytest import approx

from pytest_rewardkit import extract_code

INVENTORY = """\
item,stock,minimum
bolts,120,100
nuts,80,100
washers,15,50
screws,300,200
"""


def test_stock_report(sandbox, reward, response):
    """Write report.txt with the items whose stock is below the minimum, and how many are missing."""
    sandbox.files.write("inventory.csv", INVENTORY)
    execution = sandbox.run_code(extract_code(response))

    assert execution.error is None
    lines = sandbox.files.read("report.txt").splitlines()
    reward.record("nuts: 20 missing" in lines, name="nuts")
    reward.record("washers: 35 missing" in lines, name="washers")
    reward.record(len(lines) == 2, name="nothing else")
    assert reward.reward.value == 1.0


ORDERS = """\
id,customer,total
1001,Ada,19.90
1002,Grace,5.00
1003,Edsger,42.50
"""


def test_orders_to_json(sandbox, reward, response):
    """The candidate writes every number as text; types count double."""
    sandbox.files.write("orders.csv", ORDERS)
    sandbox.run_code(extract_code(response))

    orders = json.loads(sandbox.files.read("orders.json"))
    reward.record(len(orders) == 3, name="every row")
    reward.record([order["customer"] for order in orders] == ["Ada", "Grace", "Edsger"], name="in order")
    reward.record(
        sum(isinstance(order["total"], float) for order in orders) / len(orders),
        name="totals are numbers",
        weight=2,
        reason=f"total is {orders[0]['total']!r}",
    )
    assert reward.reward.value == approx(1 / 2)
    assert reward.reward.verdict == "partial"


SETTINGS = {"theme": "light", "font": {"family": "serif", "size": 12}, "recent": ["a.txt", "b.txt"]}


def test_update_settings(sandbox, reward, response):
    """The candidate sets what it was asked to set, and throws away its neighbour."""
    sandbox.files.write("settings.json", json.dumps(SETTINGS))
    sandbox.run_code(extract_code(response))

    settings = json.loads(sandbox.files.read("settings.json"))
    reward.record(settings["theme"] == "dark", name="theme")
    reward.record(settings["font"].get("size") == 14, name="font size")
    reward.record(settings["font"].get("family") == "serif", name="font family kept")
    reward.record(settings.get("recent") == SETTINGS["recent"], name="recent files kept")
    assert reward.reward.value == approx(3 / 4)


def test_journal(sandbox, reward, response):
    """The candidate opens the journal for writing, which empties it first."""
    sandbox.files.write("journal.txt", "monday: rain\ntuesday: sun\n")
    sandbox.run_code(extract_code(response))

    lines = sandbox.files.read("journal.txt").splitlines()
    reward.record("wednesday: snow" in lines, name="new entry")
    reward.record(lines[:2] == ["monday: rain", "tuesday: sun"], name="earlier entries kept")
    assert reward.reward.value == approx(1 / 2)


MANIFEST = """\
# Edited by hand.
[package]
name = "compass"
version = "1.9.3"

[dependencies]
needle = "1.9.3"
"""


def test_bump_version(sandbox, reward, response):
    """Raise the minor version of the package, and touch nothing else."""
    sandbox.files.write("manifest.toml", MANIFEST)
    sandbox.run_code(extract_code(response))

    before, after = MANIFEST.splitlines(), sandbox.files.read("manifest.toml").splitlines()
    changed = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    wanted = [('version = "1.9.3"', 'version = "1.10.0"')]
    reward.record(changed == wanted, name="one line changed", reason=f"changed: {changed}")
    assert reward.reward.value == 1.0
