"""A class's name stands for one thing in the whole package."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

import pytest_rewardkit

PACKAGE = Path(pytest_rewardkit.__file__).parent

TWINS = {
    # The server's side of a thing, and the thing itself in the sandbox.
    "Agent",
    "Command",
    "Kernel",
    "Limits",
    "Sandbox",
    "Zygote",
    # What a scorer asks cells to be run by, and what runs one cell in the guest: each is the interpreter to its side.
    "Interpreter",
    # What comes back for one request: a scorer's question, or a frame to the guest. They never meet.
    "Answer",
    # Rules of a firewall and of Landlock, each by its field's own word.
    "Rules",
    # A candidate's source code; a descriptor that the server reads from.
    "Source",
}
"""The names that stand twice, and why."""


def test_no_name_of_a_class_stands_twice() -> None:
    places = defaultdict(list)
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(path.relative_to(PACKAGE).as_posix())
    twice = {name: found for name, found in places.items() if len(found) > 1}
    assert {name: found for name, found in twice.items() if name not in TWINS} == {}
    assert TWINS - twice.keys() == set(), "these stand once by now"
