"""Calls guest code with a task and returns its result, either of which may be long."""

from __future__ import annotations

import json
import os
import sys


class Shown:
    """An object whose `repr` is a given text, so that the text leaves the sandbox as the cell's result."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text


def reply(module: str, function: str, task: str, path: str, limit: int) -> Shown | None:
    """Calls a function with a task, and the path of the file that it must write.

    Parameters:
        task: JSON, or the path of a file that holds it.
        limit: the longest result in characters that is returned; a longer one stays in the file.
    """
    getattr(sys.modules[module], function)(json.loads(_taken(task) if task.startswith("/") else task), path)
    return Shown(_taken(path)) if os.path.getsize(path) <= limit else None


def _taken(path: str) -> str:
    """Reads one of our files, and removes it."""
    with open(path) as file:
        text = file.read()
    os.unlink(path)
    return text
