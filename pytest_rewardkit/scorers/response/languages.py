"""Recognises programming languages by the name on a fence, and by the look of the code."""

from __future__ import annotations

import re
from typing import Final

_NAMES: Final = {
    "python": "python py python3 py3 python2 ipython ipython3 pycon jupyter python-repl pyi ipynb",
    "javascript": "javascript js node nodejs mjs cjs jsx",
    "typescript": "typescript ts tsx",
    "bash": "bash sh shell zsh console shell-session shellscript bat cmd powershell ps1 terminal",
    "cpp": "cpp c++ cc cxx hpp",
    "c": "c h",
    "csharp": "csharp c# cs",
    "java": "java",
    "kotlin": "kotlin kt",
    "scala": "scala",
    "swift": "swift",
    "go": "go golang",
    "rust": "rust rs",
    "ruby": "ruby rb",
    "php": "php",
    "perl": "perl pl",
    "lua": "lua",
    "haskell": "haskell hs",
    "julia": "julia jl",
    "r": "r rlang",
    "sql": "sql mysql postgresql sqlite",
    "html": "html css scss svg",
    "text": "text txt plain plaintext output out stdout stderr result log none markdown md latex tex math csv tsv",
    "diff": "diff patch udiff",
    "data": "json jsonl yaml yml toml ini xml dockerfile makefile mermaid dot",
}
"""Each language with its names and file endings; the last ones are not languages for programs."""

_BY_NAME: Final = {name: language for language, names in _NAMES.items() for name in names.split()}
_SHOWN: Final = {
    "javascript": "JavaScript",
    "typescript": "TypeScript",
    "bash": "shell",
    "cpp": "C++",
    "csharp": "C#",
    "php": "PHP",
    "sql": "SQL",
    "html": "HTML",
}
_WORD: Final = re.compile(r"[\w+#-]+")

NO_PROGRAMS: Final = ("text", "data", "diff")


def language_of(info: str) -> str:
    """Return the language named by a fence's info string: its first word, or a file's ending; "" for others."""
    words = _WORD.findall(info[:200].lower())
    if not words or info.lstrip().startswith(("<", "[")):  # a mark or a tag directly after the fence
        return ""
    if words[0] in _BY_NAME:
        return _BY_NAME[words[0]]
    # "solution.py", "Python3.11", "title=main.py": the part after a dot, or the word without its number.
    endings = [word for word in words[1:3] if f".{word}" in info.lower()]
    guesses = [*endings, re.sub(r"[\d-]+$", "", words[0])]
    return next((_BY_NAME[word] for word in guesses if word in _BY_NAME), "")


def canonical(language: str) -> str:
    """Return the name that `language_of` uses for a language."""
    return _BY_NAME.get(language.lower(), language.lower())


def shown_name(language: str) -> str:
    """Return a language's name as people write it."""
    return _SHOWN.get(language, language.capitalize())


_SIGNS: Final = {
    "php": r"^<\?php|^[ \t]*+\$\w+ = .*;$",
    "cpp": r"^#include <(?:iostream|vector|string|bits/stdc\+\+\.h|map|algorithm)>|\bstd::|^using namespace ",
    "c": r"^#include [<\"]|^int main\(",
    "csharp": r"^using System|Console\.Write",
    "java": r"\bpublic (?:static |final )*(?:class|void|int|String)\b|System\.out\.print|^import java\.",
    "go": r"^package \w+$|^func (?:\(.*?\) )?\w+\(.*\{$|:= |fmt\.Print",
    "rust": r"\bfn \w+(?:<.*?>)?\(.*?\)(?: -> .*?)? ?\{|println!\(|\blet mut ",
    "kotlin": r"^fun \w+\(",
    "typescript": (
        r"^(?:export )?(?:interface|type|enum) \w+|^(?:export )?function \w+\(.*?: ?\w+|\b(?:const|let) \w+: "
    ),
    "javascript": (
        r"^[ \t]*+(?:export |async )*function\*? ?\w*\(.*?\) ?\{"
        r"|^[ \t]*+(?:const|let|var) [\w{\[].*=|=> ?[{(\w]|console\.log\("
        r"|module\.exports|require\(['\"]|^[ \t]*+(?:if|for|while|switch) ?\(.*\) ?\{"
    ),
    "ruby": r"^[ \t]*+(?:puts|require) |^[ \t]*+def \w+(?:\(.*\))?$(?:.|\n)*^[ \t]*+end$",
    "bash": r"^#!/(?:usr/)?bin/(?:env )?(?:ba|z)?sh|^[ \t]*+(?:fi|done|esac)$|^[ \t]*+echo \S",
    "sql": r"(?i)^[ \t]*+(?:select .*|insert into|create table|update \w+ set|with \w+ as \()",
    "html": r"(?i)^[ \t]*+<(?:!doctype html|html|div|body|head)\b",
}
_SIGN: Final = {language: re.compile(sign, re.MULTILINE) for language, sign in _SIGNS.items()}
_PYTHON: Final = re.compile(
    r"^[ \t]*(?:(?:async )?def \w+\(.*[:,(]|class \w+.*:|(?:if|for|while|with|elif) .*[^{]:|(?:else|try|finally):)"
    r"[ \t]*(?:#.*)?$"
    r"|^(?:import \w+(?: as \w+)?|from [\w.]+ import [\w*(, ]+)$",
    re.MULTILINE,
)
LOOKED_AT: Final = 20_000


def foreign_language(code: str) -> str | None:
    """Return the language of code that does not look like Python; None for what may be Python with a mistake."""
    code = "\n".join(line[:300] for line in code[:LOOKED_AT].split("\n"))
    if _PYTHON.search(code):
        return None
    return next((language for language, sign in _SIGN.items() if sign.search(code)), None)
