"""The names in docs/architecture.md exist: folders of its drawing, paths of its text, and its answers."""

from __future__ import annotations

import ast
import re

import pytest
from docs.pages import ROOT, sections

PAGE = ROOT / "docs" / "architecture.md"
PACKAGE = ROOT / "pytest_rewardkit"
TEXT = PAGE.read_text("utf-8")

PROSE = re.sub(r"^```.*?^```$", "", TEXT, flags=re.MULTILINE | re.DOTALL)
PATHS = sorted({name for name in re.findall(r"`([^`\n]+)`", PROSE) if re.fullmatch(r"[\w/]+(\.py|/)", name)})
ANSWERS = re.findall(r"^\| (.+) \| `([\w/]+\.py)`: `(\w+)` \|$", TEXT, re.MULTILINE)


@pytest.mark.parametrize("path", PATHS)
def test_path_is_there(path: str) -> None:
    """Relative to the package or to the root; a folder's name alone is enough."""
    places = [ROOT / path, PACKAGE / path, *(PACKAGE.rglob(path) if path.endswith("/") else [])]
    assert any(place.exists() for place in places)


def test_folders_of_the_drawing_are_there() -> None:
    drawing = next(block.text for section in sections(PAGE) if section.title == "The flow" for block in section.blocks)
    names = re.findall(r"(?<!\S)([\w/]+)/(?!\S)", drawing)
    assert len(names) > 10
    assert [name for name in names if not any(place.is_dir() for place in PACKAGE.rglob(name))] == []


@pytest.mark.parametrize(("path", "name"), [answer[1:] for answer in ANSWERS])
def test_answer_is_there(path: str, name: str) -> None:
    defined = ast.parse((PACKAGE / path).read_text("utf-8")).body
    assert name in [
        node.name for node in defined if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    ]


def test_page_answers_ten_questions_and_names_its_paths() -> None:
    assert len({question for question, *_ in ANSWERS}) == 10
    assert len(PATHS) > 30
