"""A template as a project describes it, under ``[tool.rewardkit.templates.NAME]`` in its pyproject.toml. Pure, except
that it checks whether the named files exist."""

from __future__ import annotations

import difflib
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pytest_rewardkit.local.errors import TemplateError
from pytest_rewardkit.local.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Collection

NONE: Final = "none"
"""Stands for no templates, or for no index."""

OF_THE_SERVER: Final = ("base", "code-interpreter-v1", "mcp-gateway")
"""Names that every local server knows."""

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*", re.ASCII)
_MODULE: Final = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", re.ASCII)
_ARCHIVES: Final = (".whl", ".tar.gz", ".zip")


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedTemplate:
    """A template.

    Parameters:
        name: the name by which it is requested.
        packages: pip's arguments: requirements, and absolute paths to wheels, archives and folders.
        python: a version, as `3.12`, or an absolute path; "" for the one that the server runs in.
        preload: modules that its sandboxes have imported in advance.
        limits: limits of its sandboxes that differ from the server's.
        find_links: absolute paths of folders, or URLs, where packages are also looked for.
        index: the URL of an index to use instead of the usual one; `NONE` for none.
    """

    name: str
    packages: tuple[str, ...] = ()
    python: str = ""
    preload: tuple[str, ...] = ()
    limits: Mapping[str, int] = field(default_factory=dict)
    find_links: tuple[str, ...] = ()
    index: str = ""

    def limits_after(self, limits: Limits) -> Limits:
        """The limits of its sandboxes, if those of other sandboxes are `limits`."""
        return limits.changed(self.limits)


KEYS: Final = tuple(item.name for item in fields(NamedTemplate) if item.name != "name")


def template_from(name: str, content: object, folder: Path) -> NamedTemplate:
    """The template that a table describes.

    Parameters:
        folder: the folder from which relative paths start.

    Raises:
        TemplateError: the table is wrong.
    """
    if not _NAME.fullmatch(name):
        raise TemplateError(None, f"{name!r} must be a name of letters, digits, '.', '_' and '-'")
    if name in OF_THE_SERVER:
        raise TemplateError(None, f"{name!r} is the name of another template; name it otherwise")
    if not isinstance(content, Mapping):
        raise TemplateError(None, f"must be a table, not {content!r}")
    for key in content:
        if key not in KEYS:
            raise TemplateError(key, f"unknown key {key!r}{nearest(key, KEYS)}")
    return NamedTemplate(
        name=name,
        packages=tuple(_package(text, folder) for text in _texts(content, "packages")),
        python=_python(content.get("python", ""), folder),
        preload=tuple(_module(text) for text in _texts(content, "preload")),
        limits=_limits(content.get("limits", {})),
        find_links=tuple(
            text if "://" in text else _path("find_links", text, folder) for text in _texts(content, "find_links")
        ),
        index=_index(content.get("index", "")),
    )


def templates_of(text: str) -> dict[str, NamedTemplate]:
    """A server's templates by name.

    Parameters:
        text: `NONE`; the path of a pyproject.toml; or a result of `to_text`.

    Raises:
        TemplateError: a table is wrong, or the file cannot be read.
    """
    if text == NONE:
        return {}
    if text.startswith("{"):
        return {name: template_from(name, content, Path("/")) for name, content in json.loads(text).items()}
    path = Path(text).absolute()
    try:
        tables = tables_in(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise TemplateError(None, f"{text}: {error}") from None
    found = {}
    for name, content in tables.items():
        try:
            found[name] = template_from(name, content, path.parent)
        except TemplateError as error:
            raise TemplateError(None, f"{path.name}: [tool.rewardkit.templates.{name}] {error}") from None
    return found


def tables_in(pyproject: str) -> Mapping[str, Any]:
    """The tables of templates in a pyproject.toml's text. Raises ValueError if the text is not valid."""
    content: Mapping[str, Any] = tomllib.loads(pyproject)
    for key in ("tool", "rewardkit", "templates"):
        inner = content.get(key, {})
        if not isinstance(inner, Mapping):
            raise ValueError(f"{key} must be a table, not {inner!r}")
        content = inner
    return content


def to_text(templates: Collection[NamedTemplate]) -> str:
    """Return a text on one line from which `templates_of` restores the templates."""
    if not templates:
        return NONE
    tables = {}
    for template in templates:
        content = {key: value for key, value in asdict(template).items() if value and key != "name"}
        tables[template.name] = {**content, **({"index": False} if template.index == NONE else {})}
    return json.dumps(tables)


def nearest(wrong: str, known: Collection[str]) -> str:
    """Return the known name that is nearest to a wrong one, or all, as the end of a sentence."""
    near = difflib.get_close_matches(wrong, known, n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else f"; known are: {', '.join(known) or 'none'}"


def _texts(content: Mapping[str, Any], key: str) -> list[str]:
    value = content.get(key, [])
    if not isinstance(value, list) or not all(isinstance(text, str) and text.strip() for text in value):
        raise TemplateError(key, f"{key}: must be a list of texts, not {value!r}")
    return value


def _package(text: str, folder: Path) -> str:
    from packaging.requirements import InvalidRequirement, Requirement

    if text.startswith("-"):
        raise TemplateError("packages", f"packages: {text!r} is an option of pip's; use find_links or index")
    if text.startswith((".", "/", "~")) or (text.endswith(_ARCHIVES) and "://" not in text):
        return _path("packages", text, folder)
    try:
        Requirement(text)
    except InvalidRequirement as error:
        reason = str(error).splitlines()[0]
        raise TemplateError(
            "packages", f"packages: {text!r} is no requirement ({reason}); a folder is written as './{text}'"
        ) from None
    return text


def _path(key: str, text: str, folder: Path) -> str:
    path = (folder / Path(text).expanduser()).resolve()
    if path.exists():
        return str(path)
    there = sorted(entry.name for entry in path.parent.iterdir()) if path.parent.is_dir() else []
    near = difflib.get_close_matches(path.name, there, n=1, cutoff=0.6)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise TemplateError(key, f"{key}: there is no {text!r}, read from the file's folder{hint}")


def _python(value: object, folder: Path) -> str:
    if not isinstance(value, str):
        raise TemplateError("python", f'python: must be a version in quotes, as "3.12", or a path, not {value!r}')
    if not value or re.fullmatch(r"3(\.\d+){1,2}", value):
        return value
    if "/" in value:
        # Links are kept: an environment's interpreter finds its packages by the path that it is called by.
        path = Path(folder / Path(value).expanduser()).absolute()
        if path.is_file():
            return str(path)
        raise TemplateError("python", f"python: there is no {value!r}")
    raise TemplateError("python", f'python: must be a version, as "3.12", or a path, not {value!r}')


def _module(text: str) -> str:
    if not _MODULE.fullmatch(text):
        raise TemplateError("preload", f"preload: {text!r} is no name of a module")
    return text


def _limits(value: object) -> dict[str, int]:
    if not isinstance(value, Mapping):
        raise TemplateError("limits", f"limits: must be a table, as {{memory_mb = 2048}}, not {value!r}")
    known = [item.name for item in fields(Limits)]
    for name in value:
        if name not in known:
            raise TemplateError("limits", f"limits: there is no limit {name!r}{nearest(name, known)}")
    try:
        Limits().changed(value)
    except ValueError as error:
        raise TemplateError("limits", f"limits: {error}") from None
    return dict(value)


def _index(value: object) -> str:
    if value is False:
        return NONE
    if isinstance(value, str) and (not value or "://" in value):
        return value
    raise TemplateError("index", f"index: must be a URL, or false for none, not {value!r}")
