"""Which files decide how tests run and what is reported: they stay the project's, whatever a candidate does. Pure.

The list has the files that pytest and Python read on their own (docs.pytest.org, "Configuration"; docs.python.org,
"site"), those that other test runners read, and files that replace a module that the test run itself imports.
"""

from __future__ import annotations

import sys
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

TESTS: Final = (
    *("test/*", "tests/*", "*/test/*", "*/tests/*", "test_*.py", "*/test_*.py", "*_test.py"),
    *("__tests__/*", "*/__tests__/*", "*.test.?s", "*.test.?s?", "*.spec.?s", "*.spec.?s?", "*.test.?js", "*.spec.?js"),
    *("*_test.go", "*_test.rb", "*_spec.rb", "*Test.java", "*Test.php", "*_test.exs"),
)
"""Where tests are, if a project does not say: the names that pytest and other languages' runners look for."""

_FILES: Final = (
    "conftest.py",
    "pytest.ini",
    ".pytest.ini",
    "pytest.toml",
    ".pytest.toml",
    "pyproject.toml",
    "tox.ini",
    "setup.cfg",
    "setup.py",
    "sitecustomize.py",
    "usercustomize.py",
    "*.pth",
    "*.pyc",
    ".coveragerc",
    "noxfile.py",
    "[Mm]akefile",
    "GNUmakefile",
    "[Jj]ustfile",
    "package.json",
    ".npmrc",
    ".taprc",
    ".rspec",
    "phpunit.xml*",
    "karma.conf.*",
    "ava.config.*",
    "playwright.config.*",
    ".mocharc*",
    "jest.config.*",
    "vitest.config.*",
)
_FOLDERS: Final = ("__pycache__", ".git", "node_modules", "*.egg-info", "*.dist-info")
_IMPORTED: Final = frozenset(
    ("pytest", "_pytest", "pluggy", "iniconfig", "packaging", "pygments", "exceptiongroup", "tomli", "py", "xdist")
)


def steers(path: str, patterns: Iterable[str] = ()) -> bool:
    """Whether a project's file is a test, or decides how tests run.

    Parameters:
        path: below the project's folder, with slashes.
        patterns: the project's own shell patterns, in which ``*`` also matches slashes.
    """
    *folders, name = path.split("/")
    if any(fnmatchcase(name, pattern) for pattern in _FILES):
        return True
    if any(fnmatchcase(folder, pattern) for folder in folders for pattern in _FOLDERS):
        return True
    first = path.split("/", 1)[0].partition(".")[0]
    if first in _IMPORTED or first in sys.stdlib_module_names:
        return True
    return any(fnmatchcase(path, pattern) for pattern in patterns)
