"""The contents of `Template.build`, as far as a local server can make them. Pure."""

from __future__ import annotations

import posixpath
import re
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from pytest_rewardkit.local.errors import StepError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

HOME: Final = "/home/user"
TEMPORARY: Final = "/tmp"  # noqa: S108 - of sandboxes
BASE_STEP: Final = "base"
FINAL_STEP: Final = "finalize"
"""The SDK's names for the work before the first step and after the last one."""

_OWN_FOLDERS: Final = (HOME, TEMPORARY)
_PYTHON_IMAGE: Final = re.compile(r"(?:docker\.io/)?(?:library/)?python:(3(?:\.\d{1,2}){0,2})(?:-[\w.-]+)?", re.ASCII)
_BASE_IMAGE: Final = re.compile(r"e2bdev/base(?::[\w.-]+)?", re.ASCII)
_PIP: Final = re.compile(r"(?:(?:\S*/)?python3?(?:\.\d+)? -m )?pip3? install|uv pip install")
_WITHOUT_MEANING: Final = ("-q", "--quiet", "--user", "--no-cache-dir", "--system", "--break-system-packages")
_PATTERN: Final = re.compile(r"[*?\[\]]")


@dataclass(frozen=True, slots=True)
class Copy:
    """Files that are copied into each sandbox.

    Parameters:
        step: the number of the step.
        archive: the digest of the packed files.
        source: a file or a folder in the archive.
        target: its destination, an absolute path; if this ends with `/`, the folder for it.
        mode: the mode for `chmod`; "" to leave it.
    """

    step: str
    archive: str
    source: str
    target: str
    mode: str

    @property
    def file(self) -> str:
        """Its path in the sandbox, if it is a file."""
        return self.target + posixpath.basename(self.source) if self.target.endswith("/") else self.target


@dataclass(slots=True)
class Recipe:
    """The contents of a template.

    Parameters:
        python: the version of Python; "" for any.
        base: the template that it starts from; "" for none.
        packages: requirements.
        copies: files, in order.
        envs: variables of its sandboxes.
    """

    python: str = ""
    base: str = ""
    packages: list[str] = field(default_factory=list)
    copies: list[Copy] = field(default_factory=list)
    envs: dict[str, str] = field(default_factory=dict)


def recipe_of(body: Mapping[str, Any], read: Callable[[Copy], str]) -> Recipe:
    """Return the recipe of a build.

    Parameters:
        body: the message of the SDK.
        read: returns a copied file's text.

    Raises:
        StepError: it asks for something that is not possible here.
    """
    recipe = _begun(body)
    workdir = HOME
    for number, step in enumerate(body.get("steps") or [], start=1):
        kind, args = step.get("type"), [str(arg) for arg in step.get("args") or []]
        if kind == "ENV":
            recipe.envs.update(zip(args[::2], args[1::2], strict=False))
        elif kind == "WORKDIR" and args:
            workdir = posixpath.normpath(posixpath.join(workdir, args[0]))
        elif kind == "COPY" and len(args) >= 2:
            recipe.copies.append(_copy(str(number), step, args, workdir))
        elif kind == "RUN" and args:
            for command in args[0].split("&&"):
                recipe.packages += _packages(str(number), command.strip(), workdir, recipe.copies, read)
        elif kind != "USER":  # there is only one user, and it does all steps
            raise StepError(str(number), f"a local template has no step {kind!r}")
    if body.get("startCmd"):
        raise StepError(
            FINAL_STEP, "a local template starts no command; run it in the sandbox: commands.run(..., background=True)"
        )
    return recipe


def _begun(body: Mapping[str, Any]) -> Recipe:
    if base := body.get("fromTemplate"):
        return Recipe(base=str(base))
    image = str(body.get("fromImage") or "")
    if found := _PYTHON_IMAGE.fullmatch(image):
        return Recipe(python="" if found[1] == "3" else found[1])
    if _BASE_IMAGE.fullmatch(image):
        return Recipe()
    raise StepError(
        BASE_STEP,
        f"the image {image!r} cannot be had by a local server, which has the machine's programs; "
        "use from_python_image(), from_base_image() or from_template()",
    )


def _copy(number: str, step: Mapping[str, Any], args: Sequence[str], workdir: str) -> Copy:
    source, wanted = posixpath.normpath(args[0]), args[1]
    target = posixpath.normpath(posixpath.join(workdir, wanted))
    if not any(target == folder or target.startswith(f"{folder}/") for folder in _OWN_FOLDERS):
        raise StepError(number, f"{wanted!r} is outside of {HOME} and /tmp, where local sandboxes have their files")
    if _PATTERN.search(source) or source.startswith(("/", "..")):
        raise StepError(number, f"{args[0]!r} must name one file or folder here, without a pattern")
    mode = args[3] if len(args) > 3 else ""
    if mode and not re.fullmatch(r"[0-7]{3,4}", mode):
        raise StepError(number, f"the mode {mode!r} must be octal digits")
    into = wanted.endswith("/") or wanted in (".", "") or target in _OWN_FOLDERS
    return Copy(number, str(step.get("filesHash")), source, f"{target}/" if into else target, mode)


def _packages(
    number: str, command: str, workdir: str, copies: Sequence[Copy], read: Callable[[Copy], str]
) -> list[str]:
    found = _PIP.match(command)
    if found is None:
        hint = "install it on this machine" if re.search(r"\bapt\b", command) else "do it in the sandbox"
        raise StepError(number, f"{command[:200]!r} is not run here, as only packages of pip's are installed; {hint}")
    try:
        words = shlex.split(command[found.end() :])
    except ValueError as error:
        raise StepError(number, f"{command[:200]!r}: {error}") from None
    packages = []
    while words:
        word = words.pop(0)
        if word in ("-r", "--requirement") and words:
            packages += _listed(number, posixpath.normpath(posixpath.join(workdir, words.pop(0))), copies, read)
        elif word not in _WITHOUT_MEANING:
            packages.append(_package(number, word))
    return packages


def _listed(number: str, path: str, copies: Sequence[Copy], read: Callable[[Copy], str]) -> list[str]:
    copied = next((copy for copy in reversed(copies) if copy.file == path), None)
    if copied is None:
        raise StepError(number, f"{path} has not been copied by a step before, as a file")
    lines = (re.sub(r"(^|\s)#.*", "", line).strip() for line in read(copied).splitlines())
    return [_package(number, line) for line in lines if line]


def _package(number: str, text: str) -> str:
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        Requirement(text)
    except InvalidRequirement:
        raise StepError(
            number, f"pip's {text[:200]!r} is not served here; name packages, or use a table in pyproject.toml"
        ) from None
    return text
