"""A digest of all that a template's environment depends on: the same contents are made only once."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.local.templates.credentials import without_credentials

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pytest_rewardkit.local.templates.named_template import NamedTemplate

FORM: Final = 1
"""The version of the environments' form; to be changed with the form."""

_NOT_CONTENT: Final = ("__pycache__", "build", "dist", "node_modules")


def digest_of(template: NamedTemplate, python: str, support: Iterable[str]) -> str:
    """Return the digest of an environment's contents.

    Parameters:
        python: the interpreter, in detail.
        support: the packages that the fork server needs, with versions.
    """
    packages = [Path(text) for text in template.packages if text.startswith("/")]
    linked = [Path(text) for text in template.find_links if text.startswith("/")]
    archives = [path for folder in linked for path in sorted(folder.iterdir()) if path.is_file()]
    told = [FORM, template.packages, template.find_links, template.index, python, list(support)]
    # An index remains the same if its password changes.
    found = hashlib.sha256(without_credentials(json.dumps(told)).encode())
    for path in (*packages, *archives):
        for name, content in _files(path):
            found.update(json.dumps([name, hashlib.sha256(content).hexdigest()]).encode())
    return found.hexdigest()[:32]


def digest_of_texts(texts: Iterable[str]) -> str:
    """Return the digest of the whole that these texts describe."""
    return hashlib.sha256(json.dumps([FORM, *texts]).encode()).hexdigest()[:32]


def _files(path: Path) -> Iterator[tuple[str, bytes]]:
    if not path.is_dir():
        yield path.name, path.read_bytes()
        return
    for folder, folders, names in os.walk(path):
        # Files that a build leaves there do not count.
        folders[:] = sorted(
            name for name in folders if name not in _NOT_CONTENT and not name.startswith(".") and ".egg-" not in name
        )
        for name in sorted(names):
            file = Path(folder, name)
            if file.is_file():
                yield str(file.relative_to(path)), file.read_bytes()
