"""Lets a folder in the site's navigation stand for its pages: `how-to/` for each page of that folder, by file name."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def on_config(config: Any) -> Any:
    config.nav = _expanded(config.nav, Path(config.docs_dir))
    return config


def _expanded(entries: list[Any], docs: Path) -> list[Any]:
    found: list[Any] = []
    for entry in entries:
        if isinstance(entry, dict):
            found += [{title: _below(below, docs)} for title, below in entry.items()]
        elif entry.endswith("/"):
            found += sorted(page.relative_to(docs).as_posix() for page in (docs / entry).glob("*.md"))
        else:
            found.append(entry)
    return found


def _below(below: str | list[Any], docs: Path) -> str | list[Any]:
    if isinstance(below, list):
        return _expanded(below, docs)
    return _expanded([below], docs) if below.endswith("/") else below
