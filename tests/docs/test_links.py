"""Links of pages lead somewhere, including README's and CONTRIBUTING's, which the site lacks. And no page is lost."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from docs.pages import PAGES, ROOT
from markdown_it import MarkdownIt

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DOCS = ROOT / "docs"
INDEX = DOCS / "index.md"


def place(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def links(page: Path) -> Iterator[tuple[Path, str]]:
    """The files that `page` links to, with the part after `#`; without links to the web."""
    for token in MarkdownIt().enable("table").parse(page.read_text("utf-8")):
        for child in token.children or []:
            target = str(child.attrs.get("href") or child.attrs.get("src") or "")
            if target and "://" not in target:
                path, _, anchor = target.partition("#")
                yield (page.parent / path).resolve() if path else page, anchor


def anchors(page: Path) -> set[str]:
    """The headings of `page` as anchors, by GitHub's rule."""
    tokens = MarkdownIt().parse(page.read_text("utf-8"))
    headings = [after.content for token, after in pairwise(tokens) if token.type == "heading_open"]
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=place)
def test_links_lead_somewhere(page: Path) -> None:
    dead = [
        f"{target.name}#{anchor}"
        for target, anchor in links(page)
        if not target.exists() or (anchor and anchor not in anchors(target))
    ]
    assert dead == []


@pytest.mark.parametrize("page", sorted(set(DOCS.rglob("*.md")) - {INDEX}), ids=place)
def test_page_is_linked_from_the_index(page: Path) -> None:
    """So a reader finds it from the README in two clicks; the site's navigation has it anyway."""
    assert page in {target for target, _ in links(INDEX)}, f"give {page.name} a line in docs/index.md"


def test_readme_is_short_and_leads_to_the_index() -> None:
    readme = ROOT / "README.md"
    assert INDEX in {target for target, _ in links(readme)}
    assert len(readme.read_text("utf-8").splitlines()) <= 250
