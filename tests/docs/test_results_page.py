"""The page about the results file lists the fields of the schema: all of them, and nothing else."""

from __future__ import annotations

import pytest
from docs.pages import ROOT, tables

from pytest_rewardkit.reports.results.lines import schema

PAGE = ROOT / "docs" / "reference" / "results.md"


@pytest.mark.parametrize("kind", ["run", "attempt", "end"])
def test_fields(kind: str) -> None:
    assert set(tables(PAGE, f"Line of type {kind}")) == set(schema()["$defs"][kind]["properties"])


def test_fields_that_are_always_there() -> None:
    always = list(tables(PAGE, "Line of type attempt"))[: len(schema()["$defs"]["attempt"]["required"])]
    assert set(always) == set(schema()["$defs"]["attempt"]["required"])
