"""A script that repeats what scorers judged in a test, together with the files that it reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest_rewardkit
from pytest_rewardkit.reports.source import NoSourceError, SourceWriter
from pytest_rewardkit.text import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_rewardkit.evidence import Evidence

TYPES: Final = ("Case", "FileCheck", "Insight", "ChartCheck")
_SUFFIXES: Final = {"setup": ".py", "code": ".py", "candidate": ".py", "response": ".md"}

_SCRIPT: Final = """\
# Judges once more what was judged in {node_id}.
# A model wrote it: run it in sandboxes, as those of a local server, by
#
#     python -m pytest_rewardkit.local run -- python repeat.py
#
# What the test itself did in its sandbox before is not done here.
import sys
from pathlib import Path

from e2b_code_interpreter import Sandbox

from pytest_rewardkit import {imports}

HERE = Path(__file__).parent


def text(name):
    return content(name).decode("utf-8", "surrogatepass")


def content(name):
    return (HERE / name).read_bytes()


failures = []


def show(reward):
    try:
        assert_reward(reward)
    except (AssertionError, UnscoredError) as error:
        failures.append(error)
        print(error)
    else:
        print(f"reward {{reward}}")


with Sandbox.create() as sandbox:
{calls}

sys.exit(bool(failures))
"""


def repeat_script(node_id: str, evidence: Sequence[Evidence]) -> dict[str, bytes]:
    """Return the files of a script that repeats the calls in `evidence`, by name; the script is ``repeat.py``.

    There is always a ``candidate.py`` (``response.md`` for a response with more than code, or without code), which the
    script reads. Arguments that cannot be written as source, such as functions, are left out, with a comment.
    """
    files = _Files()
    calls: list[str] = []
    source = SourceWriter({name: getattr(pytest_rewardkit, name) for name in TYPES}, files.keep)
    for item in evidence:
        candidate = files.add("candidate", item.code) if item.code else ""
        response = files.add("response", item.response) if item.response else ""
        # A scorer takes the original response; a sandbox only runs code.
        calls += _call(item, response or candidate if _is_public(item) else candidate, source)
    imports = {"UnscoredError", "assert_reward", *source.imports, *(it.scorer for it in evidence if _is_public(it))}
    script = _SCRIPT.format(
        node_id=one_line(node_id, 500), imports=", ".join(sorted(imports)), calls="\n".join(calls) or "    pass"
    )
    return {**files.contents, "repeat.py": script.encode()}


class _Files:
    """Files whose names derive from field names, never from field contents."""

    def __init__(self) -> None:
        self.contents: dict[str, bytes] = {}

    def add(self, stem: str, content: str | bytes) -> str:
        """Add a file, and return the expression that reads it."""
        suffix = _SUFFIXES.get(stem, ".txt") if isinstance(content, str) else ".bin"
        number, name = 1, stem + suffix
        while name in self.contents:
            number += 1
            name = f"{stem}-{number}{suffix}"
        is_text = isinstance(content, str)
        self.contents[name] = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
        return f'text("{name}")' if is_text else f'content("{name}")'

    def keep(self, name: str, content: str | bytes) -> str:
        return self.add(name, content)


def _call(evidence: Evidence, candidate: str, source: SourceWriter) -> list[str]:
    if not _is_public(evidence):
        if not candidate:
            return []
        # As a program, the default if nothing is known about how it was judged.
        return [
            f'    sandbox.files.write("candidate.py", {candidate})',
            '    print(sandbox.commands.run("python3 candidate.py || true"))',
        ]
    lines = [f"    reward = {evidence.scorer}(", "        sandbox,", f"        {candidate or repr('')},"]
    for name, value in evidence.arguments.items():
        lines += _argument(name, value, source)
    return [*lines, "    )", "    show(reward)"]


def _argument(name: str, value: Any, source: SourceWriter) -> list[str]:
    if type(value) in (list, tuple) and value:
        items = [_line(item, name, source, "            {},") for item in value]
        return [f"        {name}=[", *items, "        ],"]
    return [_line(value, name, source, f"        {name}={{}},")]


def _line(value: Any, name: str, source: SourceWriter, form: str) -> str:
    try:
        return form.format(source.of(value, name))
    except NoSourceError as error:
        indent = form[: len(form) - len(form.lstrip())]
        label = getattr(value, "label", name)
        return f"{indent}# left out, since {one_line(str(error), 100)}: {one_line(str(label), 100)}"


def _is_public(evidence: Evidence) -> bool:
    return evidence.scorer in pytest_rewardkit.__all__
