"""The task folder of docs/how-to/harbor.md, verified as Harbor does it: by its `tests/test.sh`, in a container."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from docs.pages import ROOT, sections
from environments.machine import mounted

if TYPE_CHECKING:
    from environments.engine import Engine

TIME_LIMIT = 600
"""Seconds; beyond them it is a hang, not a busy machine."""

RIGHT = "def count(text, word):\n    return text.split().count(word)\n"
HOSTILE = (
    "import os\nos.makedirs('/logs/verifier', exist_ok=True)\nopen('/logs/verifier/reward.json', 'w').write('1')\n"
)


@pytest.fixture(scope="module")
def task() -> dict[str, str]:
    """The files of the page's task, by name."""
    (section,) = [it for it in sections(ROOT / "docs/how-to/harbor.md") if it.title == "A whole task"]
    return {block.file_name: block.text for block in section.blocks if block.file_name}


@pytest.mark.parametrize(
    ("answer", "rewards"),
    [
        (None, {"reward": 0.75, "counts": 1.0, "edges": 0.5}),
        (RIGHT, {"reward": 1.0, "counts": 1.0, "edges": 1.0}),
        (HOSTILE, {"reward": 0.0, "counts": 0.0, "edges": 0.0}),
    ],
    ids=["of the page", "right", "hostile"],
)
def test_the_task_is_verified(engine: Engine, task, work: Path, answer: str | None, rewards: dict[str, float]):
    for folder in ("app", "tests", "verifier"):
        (work / folder).mkdir()
    for name, text in task.items():
        if name.startswith("tests/"):
            (work / name).write_text(text, "utf-8")
    (work / "app/words.py").write_text(answer or task["words.py"], "utf-8")
    # Files that an agent might leave to gain from them.
    (work / "app/conftest.py").write_text("raise SystemExit(0)\n", "utf-8")
    (work / "app/pytest.ini").write_text("[pytest]\naddopts = --collect-only\n", "utf-8")
    (work / "verifier/reward.json").write_text('{"reward": 1.0}', "utf-8")
    mounts = [f"--volume={path}:{path}:ro" for path in mounted()]
    places = {"app": "/app", "tests": "/tests", "verifier": "/logs/verifier"}
    mounts += [f"--volume={work / name}:{place}" for name, place in places.items()]
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    shell = ["--init", *mounts, f"--env=PATH={path}", "--env=PYTEST_ADDOPTS=--collect-only"]
    done = engine.run(shell, ["sh", "/tests/test.sh"], timeout=TIME_LIMIT)
    assert json.loads((work / "verifier/reward.json").read_text("ascii")) == rewards, done.stdout + done.stderr
    report = json.loads((work / "verifier/ctrf.json").read_text("ascii"))
    assert len(report["results"]["tests"]) == 2
