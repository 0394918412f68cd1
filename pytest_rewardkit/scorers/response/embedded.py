"""Python inside blocks of other languages: files that a shell script writes, the new lines of a diff. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.scorers.response.languages import NO_PROGRAMS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_rewardkit.scorers.response.fences import Block

_HERE_DOCUMENT: Final = re.compile(r"<<-?[ \t]*['\"]?(\w{1,40})")
_NOT_IN_THE_NEW_FILE: Final = ("-", "+++", "@@", "diff ", "index ", "new file", "\\")


def inside_another_language(block: Block) -> Sequence[str]:
    """The texts that may be Python in a block that names another language."""
    if block.language == "bash" and (files := _written_files(block.text)):
        return files
    if block.language == "diff":
        lines = [line for line in block.text.split("\n") if not line.startswith(_NOT_IN_THE_NEW_FILE)]
        return ["\n".join(line[1:] for line in lines) + "\n"]
    return [block.text] if block.language and block.language not in NO_PROGRAMS else []


def _written_files(script: str) -> list[str]:
    """The Python files that a shell script writes with `cat` or `tee`."""
    files: list[list[str]] = []
    end = ""
    for line in script.split("\n"):
        if end:
            end = "" if line.strip() == end else end
            if end:
                files[-1].append(f"{line}\n")
        elif ".py" in line and line.lstrip().startswith(("cat ", "tee ")) and (match := _HERE_DOCUMENT.search(line)):
            end = match[1]
            files.append([])
    return ["".join(lines) for lines in files]
