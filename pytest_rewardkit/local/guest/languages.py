"""The languages of contexts beside Python: a program of the machine runs the cells of each.

A language's driver says how to start the program and how to hand it a cell. The program reads cells from one
descriptor and writes what comes of them to another, as lines of JSON: the kernel's events without their id.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.local.errors import Code, RequestError
from pytest_rewardkit.local.guest import bash, javascript

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, slots=True)
class ContextLanguage:
    """A language that a program of the machine runs.

    Attributes:
        program: the program's name.
        arguments: its arguments, for the descriptors that it reads cells from and writes events to.
        encode: turns a cell and its environment variables into what the program reads; ValueError if it cannot.
        lacking: returns what the program lacks to run the language, for people; "" if nothing.
    """

    program: str
    arguments: Callable[[int, int], list[str]]
    encode: Callable[[str, Mapping[str, str]], bytes]
    lacking: Callable[[str], str] = lambda _program: ""


_LANGUAGES: Final = {
    "bash": ContextLanguage("bash", bash.arguments, bash.encode),
    "javascript": ContextLanguage("node", javascript.arguments, javascript.encode),
    "typescript": ContextLanguage("node", javascript.arguments, javascript.encode_typescript, javascript.lacks_types),
}


def find(name: object, path: str) -> tuple[ContextLanguage, str]:
    """Return a language and where its program is.

    Parameters:
        path: the directories in which to look for it, separated by colons.

    Raises:
        RequestError: the language is unknown, or the machine has no program for it.
    """
    language = _LANGUAGES.get(name) if isinstance(name, str) else None
    if language is None:
        raise RequestError(Code.INVALID_ARGUMENT, f"no language {name!r}")
    program = shutil.which(language.program, path=path)
    if program is None:
        raise RequestError(Code.FAILED_PRECONDITION, f"this machine has no {language.program} that sandboxes can see")
    if lacking := language.lacking(program):
        raise RequestError(Code.FAILED_PRECONDITION, lacking)
    return language, program
