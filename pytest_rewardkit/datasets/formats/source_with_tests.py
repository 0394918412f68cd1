"""Combines given source, a candidate in any language, and tests in the same language. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.datasets.formats.go_source import is_go, with_one_package

if TYPE_CHECKING:
    from collections.abc import Sequence

_COMMENT: Final = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_NO_CODE: Final = re.compile(rf"{_COMMENT.pattern}|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.DOTALL)
"""Comments and strings, in which a brace does not count."""

_NEEDED: Final = re.compile(r"^[ \t]*(?:#include\b|using |import |use |require).*$", re.MULTILINE)
_NAMES: Final = (
    r"\b(?:function|def|sub|fn|func)\s+(\w+)",
    r"\b(?:const|let|var)\s+(\w+)\s*=",
    r"\b(\w+)\s*\([^;{}]*\)[^;{}()]*\{",
)
_KEYWORDS: Final = frozenset(("if", "while", "for", "switch", "catch"))
_MAINS: Final = {
    "c": (r"\bint(\s+)main(?=\s*\()", r"int\1main_of_candidate"),
    "cpp": (r"\bint(\s+)main(?=\s*\()", r"int\1main_of_candidate"),
    "rust": (r"\bfn(\s+)main(?=\s*\()", r"fn\1main_of_candidate"),
    "java": (r"\bvoid(\s+)main(?=\s*\()", r"void\1mainOfCandidate"),
}


def source_with_tests(
    code: str, language: str, *, begun: str, tests: str, name: str = "", before: str = "", stops: Sequence[str] = ()
) -> str:
    """Return the source of a program that tests a candidate.

    Parameters:
        code: the candidate: the continuation of `begun`, or a whole definition of its own.
        language: the language's name.
        begun: ends in the beginning of a definition.
        tests: the source after the candidate.
        name: another name of what `begun` defines.
        before: the source before everything else, such as imports.
        stops: texts at which a candidate that continues `begun` is cut off.
    """
    is_whole = begun.strip() in code or any(_defines(code, it) for it in {name, _name_in(begun)} if it)
    if language == "java":
        code = re.sub(r"^([ \t]*)public\s+(?=(?:final\s+|abstract\s+)*class\b)", r"\1", code, flags=re.MULTILINE)
    if language in _MAINS and re.search(_MAINS[language][0], tests):
        code = re.sub(*_MAINS[language], code)
    if not is_whole:
        code = begun + (code if language == "java" else _cut(code, stops))
    elif begun.strip() not in code:
        code = _with_preamble(code, language, begun)
    if language == "php":
        code = "<?php\n" + re.sub(r"\A\s*<\?php|\?>\s*\Z", "", code)
    parts = [before, *_with_braces(code, tests)]
    source = "\n".join(part for part in parts if part)
    return with_one_package(source) if is_go(language) else source


def _name_in(begun: str) -> str:
    """The name that a beginning defines; "" if none is found."""
    bare = _COMMENT.sub("", begun)
    for pattern in _NAMES:
        if names := [it for it in re.findall(pattern, bare) if it not in _KEYWORDS]:
            return str(names[-1])
    return ""


def _defines(code: str, name: str) -> bool:
    """Whether a candidate is a whole definition, not the rest of one, which may call itself."""
    word = re.escape(name)
    forms = (
        rf"\b(?:function|def|sub|fn|func|const|let|var)\s+{word}\b",
        rf"(?<!\bif)(?<!\breturn)(?<!\belse)(?<!\bwhile)(?<=[\w>\]&*])\s+[&*]*{word}\s*\([^;{{}}]*\)[^;{{}}()]*\{{",
        rf"(?m:^)\s*{word}\s*\(\s*\)\s*\{{",
    )
    return any(re.search(form, code) for form in forms)


def _with_preamble(code: str, language: str, begun: str) -> str:
    """A whole candidate, with what precedes the definition in the beginning, and inside its class."""
    bare = _COMMENT.sub("", begun)
    if is_go(language):
        return bare[: bare.rfind("func")] + code
    needed = [line for line in _NEEDED.findall(bare) if line.strip() not in code]
    if language == "java" and (opened := re.search(r"\bclass\s+(\w+)[^{]*\{", bare)):
        own = re.search(r"\bclass\s+(\w+)", _NO_CODE.sub("", code))
        if own is None:
            imports = re.findall(r"^\s*import .*$", code, re.MULTILINE)
            body = re.sub(r"^\s*import .*$", "", code, flags=re.MULTILINE)
            return "\n".join([*needed, *imports, opened[0], body])
        if not re.search(rf"\bclass\s+{opened[1]}\b", code):
            code = re.sub(rf"\b{re.escape(own[1])}\b", opened[1], code)
    return "\n".join([*needed, code])


def _cut(code: str, stops: Sequence[str]) -> str:
    places = [place for stop in stops if stop and (place := code.find(stop)) >= 0]
    return code[: min(places)] if places else code


def _with_braces(code: str, tests: str) -> tuple[str, str]:
    """Candidate and tests with matching braces: some tests close the candidate's function and class, closed or not."""
    awaited = max(0, -_opened(tests))
    open_ = _opened(code)
    if tests.lstrip().startswith("}") and open_ < awaited:
        tests = tests.lstrip()[1:]
        awaited -= 1
        for _ in range(awaited - max(open_, 0)):
            code = code[: code.rstrip().rfind("}")]
    elif not awaited and open_ == 1 and "class" in code.partition("{")[0]:
        code += "\n}"  # the end of its class, which a lone method lacks
    return code, tests


def _opened(code: str) -> int:
    """How many braces a source leaves open; below 0 if it closes more."""
    bare = _NO_CODE.sub("", code)
    return bare.count("{") - bare.count("}")
