"""Languages that candidates are written in: how a program in each is built and run. Pure.

In commands, ``{file}`` stands for the source file, ``{folder}`` for its folder, ``{program}`` for the file that a build
makes there, and ``{main}`` for the class in which the program begins. Compilers use memory and processes within the
sandbox's limits: of those here, `javac` and `java` need the most, 150 MiB and some 20 threads.
"""

from __future__ import annotations

import re
import shlex
import string
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pytest_rewardkit.errors import RewardkitUsageError, did_you_mean
from pytest_rewardkit.scorers.response.languages import canonical

if TYPE_CHECKING:
    from collections.abc import Mapping

PYTHON: Final = "python"
AUTO: Final = "auto"
"""Instead of a language: the one that the response's fence names."""

BUILD_TIME_LIMIT: Final = 60.0


@dataclass(frozen=True, kw_only=True)
class Language:
    """A language.

    Parameters:
        name: its name in `language=`, and on the fences of responses.
        extension: of source files, without the dot.
        run: the command that runs a program.
        build: the command that makes the program; "" if there is nothing to build.
        version: a command that works if builds do; if it fails, a failed build is not the candidate's fault.
        needs: the commands that must be installed; by default the first words of `build` and `run`.
        build_time_limit: seconds for the build.
        begins: a regular expression that matches where a program begins; it selects one of several blocks.
        stem: a regular expression whose group gives the source file's name; "main" if it does not match.
        main: a regular expression whose group gives the name for ``{main}``; the file's name if it does not match.
        otherwise: the substitute in a sandbox that lacks what this language needs.
    """

    name: str
    extension: str
    run: str
    build: str = ""
    version: str = ""
    needs: tuple[str, ...] = ()
    build_time_limit: float = BUILD_TIME_LIMIT
    begins: str = ""
    stem: str = ""
    main: str = ""
    otherwise: Language | None = None

    def __post_init__(self) -> None:
        for what in ("name", "extension", "run", "build", "version", *_PATTERNS):
            value = getattr(self, what)
            if not isinstance(value, str) or not (value.strip() or what in _MAY_BE_EMPTY):
                raise RewardkitUsageError(f"{what} must be a text{_not_empty(what)}, not {value!r}")
        if not re.fullmatch(r"[\w.+-]+", self.extension):
            raise RewardkitUsageError(f"extension must be a file's ending, not {self.extension!r}")
        if not isinstance(self.needs, tuple) or not all(isinstance(it, str) and it.strip() for it in self.needs):
            raise RewardkitUsageError(f"needs must be a list of commands, not {self.needs!r}")
        limit = self.build_time_limit
        if isinstance(limit, bool) or not isinstance(limit, int | float) or not 0 < limit < float("inf"):
            raise RewardkitUsageError(f"build_time_limit must be a number of seconds above 0, not {limit!r}")
        for what in ("build", "run"):
            _check_command(what, getattr(self, what))
        for what in _PATTERNS:
            _check_pattern(what, getattr(self, what), groups=0 if what == "begins" else 1)

    @property
    def programs(self) -> tuple[str, ...]:
        """The commands that must be installed."""
        if self.needs:
            return self.needs
        words = (next(iter(shlex.split(command)), "") for command in (self.build, self.run))
        return tuple(word for word in words if word and "{" not in word)

    def file_stem(self, source: str) -> str:
        """The name of the source file, without its ending."""
        found = re.search(self.stem, source) if self.stem else None
        return found[1] if found else "main"

    def main_name(self, source: str) -> str:
        """The value of ``{main}``."""
        found = re.search(self.main, source, re.DOTALL) if self.main else None
        return found[1] if found else self.file_stem(source)


_PLACES: Final = ("file", "folder", "program", "main")
_PATTERNS: Final = ("begins", "stem", "main")
_MAY_BE_EMPTY: Final = ("build", "version", *_PATTERNS)


def _not_empty(what: str) -> str:
    return "" if what in _MAY_BE_EMPTY else " that is not empty"


def _check_command(what: str, command: str) -> None:
    try:
        shlex.split(command)
        places = [place for _, *place in string.Formatter().parse(command) if place[0] is not None]
    except ValueError as error:
        raise RewardkitUsageError(f"{what} is not a command: {error} (write {{{{ and }}}} for braces)") from None
    for name, form, conversion in places:
        if name not in _PLACES or form or conversion:
            said = f"{{{name}}} stands for nothing{did_you_mean(str(name), _PLACES)}"
            raise RewardkitUsageError(f"{what}: {said} (write {{{{ and }}}} for braces)")


def _check_pattern(what: str, pattern: str, groups: int) -> None:
    try:
        found = re.compile(pattern).groups
    except re.error as error:
        raise RewardkitUsageError(f"{what} is not a regular expression: {error}") from None
    if pattern and found < groups:
        raise RewardkitUsageError(f"{what} must have a group for the name that it finds: {pattern!r} has none")


_MAIN: Final = r"\bmain\s*\("

# Without these, a JVM sizes itself by the machine's memory and processors, and does not start.
_JVM_OPTIONS: Final = (
    *("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
    *("-XX:ReservedCodeCacheSize=64m", "-XX:CompressedClassSpaceSize=64m"),
)
_JVM: Final = " ".join(_JVM_OPTIONS)
_JVM_BUILDS: Final = " ".join(f"-J{option}" for option in _JVM_OPTIONS)

# A build uses only what is in its sandbox: nothing is fetched, and the cache stays for the next build.
_GO: Final = (
    "GOCACHE=${{GOCACHE:-$HOME/.cache/go-build}} GOTOOLCHAIN=local GOPROXY=off GO111MODULE=off "
    "GOPATH=${{GOPATH:-$HOME/go}}:/usr/share/gocode"
)

_LANGUAGES: Final = (
    Language(name="javascript", extension="js", run="node {file}", version="node --version"),
    Language(
        name="typescript",
        extension="ts",
        build="tsc --noCheck --target es2022 --module commonjs --esModuleInterop --outDir {folder}/out {file}",
        run="node {folder}/out/{main}.js",
        version="tsc --version",
        # TypeScript can skip type checks from 5.6 on.
        needs=("tsc --noCheck --version", "node"),
        # Node strips types from 22.6 on, and does not support enums then.
        otherwise=Language(
            name="typescript",
            extension="ts",
            run="node --experimental-strip-types --no-warnings {file}",
            needs=("node --experimental-strip-types -e 0",),
        ),
    ),
    Language(name="bash", extension="sh", run="bash {file}", version="bash --version"),
    Language(
        name="c",
        extension="c",
        build="gcc -O2 -std=gnu17 -o {program} {file} -lm",
        run="{program}",
        version="gcc --version",
        begins=_MAIN,
    ),
    Language(
        name="cpp",
        extension="cpp",
        build="g++ -O2 -std=gnu++17 -o {program} {file}",
        run="{program}",
        version="g++ --version",
        begins=_MAIN,
    ),
    Language(
        name="java",
        extension="java",
        build=f"javac {_JVM_BUILDS} -encoding UTF-8 -cp '/usr/share/java/*' -d {{folder}} {{file}}",
        run=f"java {_JVM} -Xss64m -ea -cp {{folder}}:/usr/share/java/* {{main}}",
        version=f"javac {_JVM_BUILDS} -version && java {_JVM} -version",
        begins=_MAIN,
        stem=r"\bpublic\s+(?:final\s+|abstract\s+)*class\s+(\w+)",
        main=r"\bclass\s+(\w+)(?:(?!\bclass\s).)*?\bvoid\s+main\s*\(",
    ),
    Language(
        name="go",
        extension="go",
        build=f"{_GO} go build -o {{program}} {{file}}",
        run="{program}",
        version="go version",
        needs=("go",),
        begins=r"\bfunc main\(",
    ),
    Language(
        name="go_test",
        extension="_test.go",
        build=f"{_GO} go test -c -vet=off -o {{program}} {{file}}",
        run="{program} -test.v -test.paniconexit0",
        version="go version",
        needs=("go",),
        build_time_limit=3 * BUILD_TIME_LIMIT,  # a library for tests may need half of the standard limit
    ),
    Language(
        name="rust",
        extension="rs",
        build="rustc --edition 2021 -O -o {program} {file}",
        run="{program}",
        version="rustc --version",
        begins=r"\bfn main\(",
    ),
    Language(
        name="rust_test",
        extension="rs",
        build="rustc --edition 2021 -O --test -o {program} {file}",
        run="{program} --test-threads=1 --nocapture",
        version="rustc --version",
    ),
    Language(name="ruby", extension="rb", run="ruby {file}", version="ruby --version"),
    Language(name="perl", extension="pl", run="perl {file}", version="perl --version"),
    Language(
        name="php", extension="php", run="php -d display_errors=stderr -d log_errors=0 {file}", version="php --version"
    ),
)
LANGUAGES: Final[Mapping[str, Language]] = {language.name: language for language in _LANGUAGES}

_FIELDS: Final = ("extension", "run", "build", "version", "needs", "build_time_limit", "begins", "stem", "main")


def find_language(name: str, others: Mapping[str, Language]) -> Language | None:
    """Return the language with a name, which may be any that fences use; None for Python.

    Parameters:
        others: the user's own languages, which take precedence.

    Raises RewardkitUsageError for an unknown name, with the nearest known one.
    """
    if not isinstance(name, str):
        raise RewardkitUsageError(f"language must be the name of a language, not {name!r}")
    for known in (name, canonical(name)):
        if known in others:
            return others[known]
        if known == PYTHON:
            return None
        if known in LANGUAGES:
            return LANGUAGES[known]
    names = [PYTHON, AUTO, *LANGUAGES, *others]
    raise RewardkitUsageError(f"no language {name!r}{did_you_mean(name, names)}; known are: {', '.join(names)}")


def language_from(name: str, content: Mapping[str, Any]) -> Language:
    """Return the language that a table of a project's configuration describes. Raises RewardkitUsageError."""
    for key in content:
        if key not in _FIELDS:
            raise RewardkitUsageError(f"unknown key {key!r}{did_you_mean(key, _FIELDS)}")
    for key in ("extension", "run"):
        if key not in content:
            raise RewardkitUsageError(f"{key} is missing")
    given = dict(content)
    if isinstance(given.get("needs"), list):
        given["needs"] = tuple(given["needs"])
    return Language(name=name, **given)
