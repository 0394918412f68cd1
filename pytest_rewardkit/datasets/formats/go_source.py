"""Go sources assembled from several: makes one package and one list of imports. Pure."""

from __future__ import annotations

import re
from typing import Final

_PACKAGE: Final = re.compile(r"^package[ \t]+(\w+)[ \t]*;?[ \t]*$", re.MULTILINE)
_IMPORT: Final = re.compile(r"^import[ \t]*(?:\(([^)]*)\)|([^\n(]+))", re.MULTILINE)
_SPEC: Final = re.compile(r'(?:([\w.]+)[ \t]+)?"([^"\n]+)"')
_STANDARD: Final = (
    *("bytes", "crypto/md5", "errors", "fmt", "math", "math/rand", "os", "regexp"),
    *("sort", "strconv", "strings", "time", "unicode"),
)


def is_go(language: str) -> bool:
    """Whether a language's sources are Go."""
    return language in ("go", "go_test")


def with_one_package(source: str) -> str:
    """Return the source with only its first package clause, and with each used import once.

    Candidates omit imports that tests have, or repeat them. Go accepts neither, nor an unused import.
    """
    package = _PACKAGE.search(source)
    specs = {match[0]: _known_as(*match.groups()) for block in _IMPORT.finditer(source) for match in _specs(block)}
    body = _IMPORT.sub("", _PACKAGE.sub("", source))
    named = set(specs.values())
    specs |= {f'"{path}"': name for path in _STANDARD if (name := _known_as(None, path)) not in named}
    used = sorted(spec for spec, name in specs.items() if name in "._" or re.search(rf"\b{name}\.", body))
    imports = "".join(f"\t{spec}\n" for spec in used)
    return f"package {package[1] if package else 'main'}\n\nimport (\n{imports})\n{body}"


def _specs(block: re.Match[str]) -> list[re.Match[str]]:
    return list(_SPEC.finditer(block[1] or block[2] or ""))


def _known_as(alias: str | None, path: str) -> str:
    return alias or path.rpartition("/")[2]
