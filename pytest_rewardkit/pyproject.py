"""The settings of a project in its pyproject.toml, under ``[tool.rewardkit]``: gates, threshold, languages, templates.

[tool.rewardkit]
threshold = 0.5
fail_under = 0.8

[tool.rewardkit.groups.sorting]
select = "test_sorting.py and not slow"
must_pass = true

[tool.rewardkit.languages.lua]
extension = "lua"
run = "lua {file}"

[tool.rewardkit.templates.old]
packages = ["pandas<2"]
"""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any, Final

from pytest_rewardkit.errors import RewardkitUsageError, did_you_mean
from pytest_rewardkit.ledger.gate import MUST_PASS, RUN, Gate
from pytest_rewardkit.ledger.selection import Selection

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import pytest

    from pytest_rewardkit.local.templates.named_template import NamedTemplate
    from pytest_rewardkit.scorers.languages.table import Language

_TABLE: Final = "tool.rewardkit"


def threshold_in(path: Path) -> float | None:
    """Return the run's threshold that the file sets; None if it sets none. Raises what `gates_in` raises."""
    content = _read(path)
    if not isinstance(content, dict) or "threshold" not in content:
        return None
    table = _Table(path, _TABLE, {"threshold": content["threshold"]})
    return float(table.values(_OF_RUN)["threshold"])


def languages_in(path: Path) -> dict[str, Language]:
    """Return the languages that the file describes, by name. Raises what `gates_in` raises."""
    content = _read(path)
    if not isinstance(content, dict) or "languages" not in content:
        return {}
    from pytest_rewardkit.scorers.languages.table import language_from

    found = {}
    for name, table in _Table(path, _TABLE, content).inner("languages"):
        try:
            found[name] = language_from(name, table.content)
        except (RewardkitUsageError, TypeError) as error:
            said = str(error)
            key = next(
                (it for it in table.content if said.startswith((f"{it} ", f"{it}:", f"unknown key {it!r}"))), None
            )
            raise table.wrong(key, said) from None
    return found


def templates_in(path: Path) -> list[NamedTemplate]:
    """Return the templates that the file describes. Raises what `gates_in` raises."""
    content = _read(path)
    if not isinstance(content, dict) or "templates" not in content:
        return []
    from pytest_rewardkit.local.errors import TemplateError
    from pytest_rewardkit.local.templates.named_template import template_from

    found = []
    for name, table in _Table(path, _TABLE, content).inner("templates"):
        try:
            found.append(template_from(name, table.content, path.absolute().parent))
        except TemplateError as error:
            raise table.wrong(error.key, str(error)) from None
    return found


def asks_in(path: Path) -> bool:
    """Whether the file asks for gates, valid or not."""
    content = _read(path)
    # `min_kill_rate` alone does not count: a self-check uses it even without reporting.
    return isinstance(content, dict) and not {"groups", *_BOUNDS}.difference({"min_kill_rate"}).isdisjoint(content)


def gates_in(path: Path, *, fail_under: float | None = None, confidence: float | None = None) -> list[Gate]:
    """Return the gates that the file asks for: first the one over the run, then one for each group.

    Parameters:
        path: a pyproject.toml, which need not exist.
        fail_under, confidence: options for the run; they win over the file, and `confidence` also applies to groups.

    Raises RewardkitUsageError, with file and line, for invalid content.
    """
    table = _Table(path, _TABLE, _read(path))
    run = table.values(_BOUNDS | _OF_RUN, also=("groups", "languages", "templates"))
    # The threshold decides tests, not a gate.
    run.pop("threshold", None)
    if fail_under is not None:
        run["fail_under"] = fail_under
    if confidence is not None:
        run["confidence"] = confidence
    gates = [table.gate(RUN, run)]
    for name, group in table.inner("groups"):
        if name in (RUN, MUST_PASS):
            raise group.wrong(None, f"{name!r} is the name of another gate; name the group otherwise")
        values = group.values(_BOUNDS | _OF_GROUPS)
        if confidence is not None or "confidence" not in values:
            values["confidence"] = run.get("confidence")
        gate = group.gate(name, values)
        if not gate.has_conditions:
            raise group.wrong(None, f"asks for nothing; known are: {', '.join(_BOUNDS)}")
        gates.append(gate)
    return [gate for gate in gates if gate.has_conditions]


class UnheardGates:
    """Says at the end of a run without ``--rewardkit`` that the file's gates did not decide anything."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.write_line(
            f"the gates of [{_TABLE}] in {self._path.name} decide nothing without --rewardkit", yellow=True
        )


def _read(path: Path) -> Any:
    if not path.is_file():
        return {}
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RewardkitUsageError(f"{path.name}: {error}") from None
    return content.get("tool", {}).get("rewardkit", {})


class _Table:
    """A table of the file, checked value by value."""

    def __init__(self, path: Path, title: str, content: Any) -> None:
        self._path = path
        self._title = title
        self._content: Mapping[str, Any] = content if isinstance(content, dict) else {}
        if not isinstance(content, dict):
            raise self.wrong(None, f"must be a table, not {content!r}")

    @property
    def content(self) -> Mapping[str, Any]:
        """The content of the table, unchecked."""
        return self._content

    def values(self, known: Mapping[str, Callable[[Any], Any]], also: tuple[str, ...] = ()) -> dict[str, Any]:
        """Return the table's values, each parsed by the function of its key in `known`."""
        values = {}
        for key, value in self._content.items():
            if key in also:
                continue
            if key not in known:
                raise self.wrong(key, f"unknown key {key!r}{did_you_mean(key, [*known, *also])}")
            try:
                values[key] = known[key](value)
            except (ValueError, RewardkitUsageError) as error:
                raise self.wrong(key, f"{key}: {error}") from None
        return values

    def inner(self, key: str) -> list[tuple[str, _Table]]:
        """Return the tables inside the table `key`, by name."""
        title = f"{self._title}.{key}"
        tables = _Table(self._path, title, self._content.get(key, {}))
        return [(name, _Table(self._path, f"{title}.{name}", content)) for name, content in tables._content.items()]

    def gate(self, name: str, values: Mapping[str, Any]) -> Gate:
        try:
            return Gate(name=name, **values)
        except RewardkitUsageError as error:
            raise self.wrong(None, str(error)) from None

    def wrong(self, key: str | None, what: str) -> RewardkitUsageError:
        return RewardkitUsageError(f"{self._path.name}:{self._line(key)}: [{self._title}] {what}")

    def _line(self, key: str | None) -> int:
        """Return the line of `key` in this table, else that of the table's header, else the first."""
        head, found = 1, False
        for number, line in enumerate(self._path.read_text("utf-8").splitlines(), 1):
            if title := re.fullmatch(r"\s*\[\s*([^\[\]]+?)\s*\]\s*(#.*)?", line):
                found = re.sub(r"[\s\"']", "", title[1]) == re.sub(r"\s", "", self._title)
                head = number if found else head
            elif found and key is not None and re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=", line):
                return number
        return head


def _fraction(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError(f"must be a number in [0, 1], not {value!r}")
    return float(value)


def _confidence(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.5 <= value < 1:
        raise ValueError(f"must be a number from 0.5 to under 1, not {value!r}")
    return float(value)


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"must be a whole number, 0 or more, not {value!r}")
    return value


def _switch(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"must be true or false, not {value!r}")
    return value


def _selection(value: Any) -> Selection:
    if not isinstance(value, str):
        raise ValueError(f"must be an expression in quotes, not {value!r}")
    return Selection(value)


_BOUNDS: Final[dict[str, Callable[[Any], Any]]] = {
    "fail_under": _fraction,
    "min_pass_rate": _fraction,
    "max_unscored": _count,
    "must_pass": _switch,
    "min_kill_rate": _fraction,
    "confidence": _confidence,
}
_OF_RUN: Final[dict[str, Callable[[Any], Any]]] = {"threshold": _fraction}
_OF_GROUPS: Final[dict[str, Callable[[Any], Any]]] = {"select": _selection}
