"""Makes a template's environment, with uv if it is there, else with pip."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.local.errors import BuildError
from pytest_rewardkit.local.templates import cache, support
from pytest_rewardkit.local.templates.contents import digest_of, digest_of_texts
from pytest_rewardkit.local.templates.credentials import without_credentials
from pytest_rewardkit.local.templates.interpreters import find_python, own_python, uv
from pytest_rewardkit.local.templates.named_template import NONE
from pytest_rewardkit.local.templates.package_environment import PackageEnvironment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pytest_rewardkit.local.templates.interpreters import FoundPython
    from pytest_rewardkit.local.templates.named_template import NamedTemplate

MAX_SECONDS: Final = 1800.0
"""The limit for one step: an installer that asks or hangs must end some time."""

SUPPORT_TITLE: Final = "(what every template's sandboxes need)"

_WORTH_SAYING: Final = 1.0
_MAX_REASON: Final = 500
_NOTICE: Final = re.compile(r"\[notice\]|WARNING:|\s*$")
_DISK_FULL: Final = ("No space left on device", "os error 28")
_CONFLICT: Final = re.compile(r"ERROR: (Cannot install .* because .*)")
_CAUSES: Final = re.compile(r"^error: (.*)", re.DOTALL | re.MULTILINE)
_UNREACHED: Final = re.compile(
    r"WARNING: Retrying|name resolution|dns error|failed to lookup|error sending request|[Cc]onnection refused"
)


def build(template: NamedTemplate, say: Callable[[str], None]) -> PackageEnvironment:
    """Return a template's environment; make it if it does not exist.

    Parameters:
        say: gets messages about slow steps, one line each.

    Raises:
        BuildError: it cannot be made; the message ends with the installer's last words.
    """
    os.umask(0o022)  # sandboxes may run as other users
    begun = time.monotonic()
    title = f"the template {template.name!r}"

    def wait() -> None:
        say(f"another process makes {title}, which is waited for")

    try:
        python = find_python(template.python, _run)
        installation = _Installation(python, template)

        def make(place: Path) -> None:
            version = ".".join(map(str, python.version))
            say(without_credentials(f"making {title}: {', '.join([f'Python {version}', *template.packages])}"))
            installation.make_environment(place)

        pinned = support.pinned()
        place = cache.made_once(digest_of(template, repr(python), pinned), template.name, make, wait)
        needed = cache.made_once(
            digest_of_texts([repr(python), *pinned]), SUPPORT_TITLE, installation.make_support, wait
        )
    except (BuildError, OSError) as error:
        raise BuildError(f"{title} cannot be made: {error}") from None
    if (seconds := time.monotonic() - begun) > _WORTH_SAYING:
        say(f"made {title} in {seconds:.0f} s")
    return PackageEnvironment(str(place / "bin" / "python"), (str(needed / "site-packages"),))


@dataclass(frozen=True, slots=True)
class _Installation:
    """Makes the directories that a template's sandboxes need.

    Parameters:
        python: the template's interpreter.
        template: the template.
    """

    python: FoundPython
    template: NamedTemplate

    def make_environment(self, place: Path) -> None:
        """Make the template's own environment in an empty directory."""
        own = str(place / "bin" / "python")
        _run([self.python.path, "-I", "-m", "venv", "--without-pip", str(place)])
        self._give_pip(place)
        if self.template.packages:
            self._install(own, self.template.packages)
        self._compile(place / "lib")

    def make_support(self, place: Path) -> None:
        """Put the packages that the fork server needs into an empty directory."""
        if self.python.takes_packages_of(own_python()):
            support.copy_to(place / "site-packages", support.OF_FORK_SERVERS)
        else:
            self._install(self.python.path, support.pinned(), "--target", str(place / "site-packages"))
        self._compile(place)

    def _give_pip(self, place: Path) -> None:
        """Make candidates' `pip` the environment's; Python's ensurepip takes seconds, and is not everywhere."""
        python = place / "bin" / "python"
        if not (self.python.takes_packages_of(own_python()) and support.is_here(support.PIP)):
            _try([str(python), "-I", "-m", "ensurepip", "--default-pip"])
            return
        major, minor, _ = self.python.version
        support.copy_to(place / "lib" / f"python{major}.{minor}" / "site-packages", support.PIP)
        for name in ("pip", "pip3"):
            command = place / "bin" / name
            command.write_text(f'#!/bin/sh\nexec "{python}" -m pip "$@"\n', "utf-8")
            command.chmod(0o755)

    def _install(self, python: str, packages: Sequence[str], *options: str) -> None:
        """Install packages. They and their sources may hold passwords, so no command line names them."""
        if self.template.index == NONE:
            options = ("--no-index", *options)
        wanted = "\n".join(
            [*(f"--find-links {_url(place)}" for place in self.template.find_links), *map(_url, packages)]
        )
        environment = _environment(self.template.index)
        if (tool := uv()) is not None:
            command = [tool, "pip", "install", "--no-progress", "--python", python, *options, "-r", "-"]
        elif _try([python, "-I", "-m", "pip", "--version"]):
            command = [python, "-I", "-m", "pip", *_QUIET, "install", "--no-warn-script-location", *options, *_STDIN]
        else:
            command = [sys.executable, "-m", "pip", "--python", python, *_QUIET, "install", *options, *_STDIN]
        _run(command, wanted, environment)

    def _compile(self, place: Path) -> None:
        # Sandboxes cannot write there, so Python's compiled files are made in advance.
        _try([self.python.path, "-I", "-m", "compileall", "-q", str(place)])


_QUIET: Final = ("--no-input", "--disable-pip-version-check", "--quiet")
_STDIN: Final = ("-r", "/dev/stdin")


def _url(text: str) -> str:
    """A requirement, or a place of packages, in the form for a requirements file: its paths have no spaces."""
    return Path(text).as_uri() if text.startswith("/") else text


def _environment(index: str) -> dict[str, str]:
    """The installers' settings in their environment, which other users cannot read."""
    if index in ("", NONE):
        return dict(os.environ)
    others = {name: value for name, value in os.environ.items() if name != "UV_INDEX_URL"}
    return {**others, "PIP_INDEX_URL": index, "UV_DEFAULT_INDEX": index}


def _run(command: Sequence[str], text: str = "", environment: Mapping[str, str] | None = None) -> None:
    try:
        done = subprocess.run(
            command, input=text.encode(), env=environment, capture_output=True, timeout=MAX_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise BuildError(f"{command[0]} did not end within {MAX_SECONDS:g} s") from None
    if done.returncode != 0:
        output = without_credentials((done.stderr + done.stdout).decode("utf-8", "replace"))
        raise BuildError(last_words(output) or f"{command[0]} failed")


def _try(command: Sequence[str]) -> bool:
    try:
        _run(command)
    except BuildError:
        return False
    return True


def last_words(output: str) -> str:
    """Return on one line why an installer has failed: its last message, or the cause of that."""
    if any(sign in output for sign in _DISK_FULL):
        return "there is no space left on the disk"
    lines = [line for line in output.splitlines() if not _NOTICE.match(line)]
    if not lines:
        return ""
    if conflict := _CONFLICT.search(output):
        reason = conflict[1]
    elif "╰─▶" in output:
        reason = "\n".join(lines).rpartition("╰─▶")[2]
    elif causes := _CAUSES.search(output):
        reason = re.sub(r"\n\s*(?:cause|hint): ", ": ", causes[1])
    else:
        reason = lines[-1]
    hint = " (the index was not reached)" if _UNREACHED.search(output) else ""
    return " ".join(reason.split())[:_MAX_REASON] + hint
