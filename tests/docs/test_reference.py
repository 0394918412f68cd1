"""The reference's tables list what the plugin registers: all of it, and nothing else."""

from __future__ import annotations

import ast
import inspect
import re
import tomllib
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import pytest
from docs.pages import ROOT, tables

import pytest_rewardkit
from pytest_rewardkit import Case, ChartCheck, FileCheck, Insight, Ledger, Part, Provider, Record, Reward, hooks
from pytest_rewardkit.command_line.commands import COMMANDS
from pytest_rewardkit.datasets.marker import KEYWORDS as DATASET_KEYWORDS
from pytest_rewardkit.ledger.gate import Gate
from pytest_rewardkit.ledger.test import TestResult
from pytest_rewardkit.markers import REWARD_KEYWORDS
from pytest_rewardkit.options import OPTIONS
from pytest_rewardkit.reward import Verdict
from pytest_rewardkit.sandboxes.options import known_keywords
from pytest_rewardkit.scorers.response.extract import POLICIES
from pytest_rewardkit.scorers.values.compare import TEXT_COMPARISONS
from pytest_rewardkit.scorers.values.similarity import SIMILARITIES

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pytest_rewardkit.option import Option

REFERENCE = ROOT / "docs" / "reference"
OPTIONS_PAGE = REFERENCE / "options.md"
FIXTURES_AND_MARKERS = REFERENCE / "fixtures-and-markers.md"
SCORERS = REFERENCE / "scorers.md"
NAMES = REFERENCE / "names.md"
HOOKS = REFERENCE / "hooks.md"


def test_options() -> None:
    shown = tables(OPTIONS_PAGE, "Options")
    assert list(shown) == [option.flag for option in OPTIONS]
    for option in OPTIONS:
        assert shown[option.flag][0] == _default(option.default), option.flag
        assert _choices(_code(shown[option.flag][1]), option) == _choices(re.findall(r"\w+", option.text), option), (
            option.flag
        )


def test_options_are_those_of_help(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_inprocess("--help", "-p", "no:asyncio")
    offered = {line.split()[0].partition("=")[0] for line in result.outlines if line.startswith("  --rewardkit")}
    assert offered == set(tables(OPTIONS_PAGE, "Options"))


def test_names_of_options_elsewhere() -> None:
    """The page's rule for names in ini files and the environment, applied to its own example."""
    option = next(option for option in OPTIONS if option.flag == "--rewardkit-max-sandboxes")
    text = OPTIONS_PAGE.read_text("utf-8")
    assert f"`{option.ini} = 4`" in text
    assert f"`{option.variable}=4`" in text


def test_markers(pytester: pytest.Pytester) -> None:
    shown = tables(FIXTURES_AND_MARKERS, "Markers")
    assert set(shown) == _markers(pytester) - _markers(pytester, "-p", "no:rewardkit")
    assert _code(shown["reward"][0]) == set(REWARD_KEYWORDS)
    assert _code(shown["reward_dataset"][0]) == set(DATASET_KEYWORDS)
    assert _code(shown["sandbox"][0]) - {"Sandbox.create"} <= known_keywords()


def test_fixtures(pytester: pytest.Pytester) -> None:
    registered = _fixtures(pytester) - _fixtures(pytester, "-p", "no:rewardkit")
    assert set(tables(FIXTURES_AND_MARKERS, "Fixtures")) == registered


def test_gates() -> None:
    keys = [field.name for field in fields(Gate) if field.name != "name"]
    assert sorted(tables(OPTIONS_PAGE, "Gates")) == sorted(keys)


def test_hooks() -> None:
    shown = tables(HOOKS, "All hooks")
    specified = {
        name: f"{name}({', '.join(inspect.signature(member).parameters)})"
        for name, member in vars(hooks).items()
        if name.startswith("pytest_rewardkit_")
    }
    assert set(shown) == set(specified.values())


def test_types_of_hooks() -> None:
    """The types that the page names exist, as often as it says, and a provider's are complete."""
    ledger = Ledger()
    test = ledger.add("test_one.py::test_one", TestResult("passed", 0.1, Record(Reward(1.0))))
    promised = {title: _attributes(HOOKS, title) for title in ("Your own sandboxes", "A test's record", "The summary")}
    assert promised["Your own sandboxes"] == {name for name in dir(Provider) if name[0] != "_"} | {"name"}
    assert [name for name in promised["A test's record"] if not hasattr(Record(None), name)] == []
    described = (ledger, test, ledger.figures())
    assert [name for name in promised["The summary"] if not any(hasattr(item, name) for item in described)] == []
    assert len(promised["The summary"]) > 15


def test_verdicts() -> None:
    assert list(tables(REFERENCE / "verdicts.md", "What each says")) == [verdict.value for verdict in Verdict]


def test_public_names() -> None:
    shown = tables(NAMES, "Exported names")
    assert set(shown) == set(pytest_rewardkit.__all__)
    for check in (Case, FileCheck, Insight, ChartCheck):
        named = {name.removesuffix("=") for name in _code(shown[check.__name__][0])}
        assert named == {field.name for field in fields(check)}, check.__name__
    assert _code(shown["Part"][0]) == {field.name for field in fields(Part)}


SCORER_NAMES = [name for name in pytest_rewardkit.__all__ if name.startswith("score_")]


@pytest.mark.parametrize("name", SCORER_NAMES)
def test_keywords_of_scorers(name: str) -> None:
    """Each scorer's keywords with their defaults; the text describes the candidate and the expected values."""
    parameters = inspect.signature(getattr(pytest_rewardkit, name)).parameters.values()
    keywords = {it.name: it.default for it in parameters if it.default is not it.empty}
    shown = {keyword: ast.literal_eval(cells[0].strip("`")) for keyword, cells in tables(SCORERS, name).items()}
    assert shown == keywords


def test_keywords_of_asserts() -> None:
    shown = set(tables(SCORERS, "Scorers and their keywords"))
    parameters = inspect.signature(pytest_rewardkit.assert_cases).parameters.values()
    assert shown == {it.name for it in parameters if it.kind is it.KEYWORD_ONLY}


@pytest.mark.parametrize("check", [Case, FileCheck, Insight, ChartCheck])
def test_fields_of_checks(check: type[Any]) -> None:
    assert set(tables(SCORERS, check.__name__)) == {field.name for field in fields(check)}


def test_values_of_keywords() -> None:
    assert {name.strip('"') for name in tables(SCORERS, "compare")} == set(TEXT_COMPARISONS)
    assert {name.strip('"') for name in tables(SCORERS, "extract")} == set(POLICIES)
    section = SCORERS.read_text("utf-8").partition("### similarity\n")[2].partition("\n#")[0]
    assert [name for name in SIMILARITIES if f'`"{name}"`' not in section] == []


def test_dependencies() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    for title, names in [
        ("What the package needs", {re.split(r"[^\w-]", line)[0] for line in project["dependencies"]}),
        ("Extras", set(project["optional-dependencies"])),
    ]:
        section = (REFERENCE / "dependencies.md").read_text("utf-8").partition(f"## {title}\n")[2].partition("\n## ")[0]
        rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| ")]
        assert _code(" ".join(rows[2:])) == names


def test_commands() -> None:
    shown = set(tables(REFERENCE / "command-line.md", "Command line"))
    assert shown == {"pytest-rewardkit", *(command.name for command in COMMANDS)}


def _markers(pytester: pytest.Pytester, *options: str) -> set[str]:
    lines = _listed(pytester, "--markers", *options)
    return {re.split(r"\W", line.split(".")[2])[0] for line in lines if line.startswith("@pytest.mark.")}


def _fixtures(pytester: pytest.Pytester, *options: str) -> set[str]:
    lines = _listed(pytester, "--fixtures", *options)
    return {line.split()[0] for line in lines if re.match(r"[a-z]\w* .*-- ", line)}


def _listed(pytester: pytest.Pytester, *options: str) -> list[str]:
    return pytester.runpytest_subprocess(*options, "-p", "no:asyncio").outlines


def _attributes(page: Path, title: str) -> set[str]:
    """The names in the first cells of the tables under a heading, without their arguments."""
    return {re.split(r"\W", name)[0] for name in tables(page, title)} - {"Provider", "Record", "Ledger"}


def _code(cell: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", cell))


def _choices(words: Iterable[str], option: Option) -> set[str]:
    """The words that the option accepts, if it accepts only certain words."""
    return set() if _takes(option, "anything") else {word for word in words if _takes(option, word)}


def _takes(option: Option, word: str) -> bool:
    try:
        return bool(option.parse(word) == word)
    except ValueError:
        return False


def _default(value: Any) -> str:
    if value is None:
        return "none"
    return {False: "off", True: "on"}[value] if isinstance(value, bool) else f"`{value}`"
