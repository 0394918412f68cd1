"""Templates described by tables: their content, their errors, and when two are the same."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING

import pytest
from wheels import make_wheel

from pytest_rewardkit.errors import RewardkitUsageError
from pytest_rewardkit.local.cli.templates import remove_unused
from pytest_rewardkit.local.errors import BuildError, TemplateError
from pytest_rewardkit.local.limits import Limits
from pytest_rewardkit.local.settings import ServerSettings
from pytest_rewardkit.local.templates import build, interpreters
from pytest_rewardkit.local.templates.build import last_words
from pytest_rewardkit.local.templates.cache import VARIABLE, hold, made_once
from pytest_rewardkit.local.templates.contents import digest_of
from pytest_rewardkit.local.templates.interpreters import FoundPython, find_python, own_python
from pytest_rewardkit.local.templates.named_template import NONE, NamedTemplate, template_from, templates_of, to_text
from pytest_rewardkit.pyproject import gates_in, templates_in

if TYPE_CHECKING:
    from pathlib import Path


def test_a_table_is_read_with_paths_from_its_file(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path / "wheels", "tariffs", "1.0", "")
    (tmp_path / "library").mkdir()
    content = {
        "packages": ["numpy<2", "wheels/tariffs-1.0-py3-none-any.whl", "./library", "web @ https://example.com/a.zip"],
        "python": "3.12",
        "preload": ["numpy", "os.path"],
        "limits": {"memory_mb": 2048},
        "find_links": ["wheels", "https://example.com/wheels"],
        "index": False,
    }
    template = template_from("old", content, tmp_path)
    assert template == NamedTemplate(
        name="old",
        packages=("numpy<2", str(wheel), str(tmp_path / "library"), "web @ https://example.com/a.zip"),
        python="3.12",
        preload=("numpy", "os.path"),
        limits={"memory_mb": 2048},
        find_links=(str(tmp_path / "wheels"), "https://example.com/wheels"),
        index=NONE,
    )
    assert template.limits_after(Limits(processes=9)) == Limits(memory_mb=2048, processes=9)
    for one in (
        template,
        template_from("empty", {}, tmp_path),
        template_from("at", {"index": "https://a.b"}, tmp_path),
    ):
        assert templates_of(to_text([one])) == {one.name: one}
    assert to_text([]) == NONE
    assert templates_of(NONE) == {}


WRONG = [
    ('packges = ["a"]', 2, "unknown key 'packges'; did you mean 'packages'?"),
    ('packages = "a"', 2, "packages: must be a list of texts, not 'a'"),
    ("packages = [3]", 2, "packages: must be a list of texts, not [3]"),
    ('packages = ["a b"]', 2, "packages: 'a b' is no requirement ("),
    ('packages = ["-r a.txt"]', 2, "packages: '-r a.txt' is an option of pip's; use find_links or index"),
    (
        'packages = ["./wheel"]',
        2,
        "packages: there is no './wheel', read from the file's folder; did you mean 'wheels'?",
    ),
    ('packages = ["a.whl"]', 2, "packages: there is no 'a.whl', read from the file's folder"),
    ("python = 3.12", 2, 'python: must be a version in quotes, as "3.12", or a path, not 3.12'),
    ('python = "python3"', 2, "python: must be a version, as \"3.12\", or a path, not 'python3'"),
    ('python = "./python"', 2, "python: there is no './python'"),
    ('\npreload = ["a-b"]', 3, "preload: 'a-b' is no name of a module"),
    ("limits = 3", 2, "limits: must be a table, as {memory_mb = 2048}, not 3"),
    ("limits = {memory = 3}", 2, "limits: there is no limit 'memory'; did you mean 'memory_mb'?"),
    ("limits = {memory_mb = 1}", 2, "limits: memory_mb must be a whole number of at least 16, not 1"),
    (
        'find_links = ["wheel"]',
        2,
        "find_links: there is no 'wheel', read from the file's folder; did you mean 'wheels'?",
    ),
    ("index = true", 2, "index: must be a URL, or false for none, not True"),
    ('index = "pypi"', 2, "index: must be a URL, or false for none, not 'pypi'"),
]


@pytest.mark.parametrize(("line", "number", "wrong"), WRONG)
def test_what_is_wrong_is_named_with_its_place(tmp_path: Path, line: str, number: int, wrong: str) -> None:
    (tmp_path / "wheels").mkdir()
    path = tmp_path / "pyproject.toml"
    path.write_text(f"[tool.rewardkit.templates.old]\n{line}\n", "utf-8")
    with pytest.raises(RewardkitUsageError) as refused:
        templates_in(path)
    assert str(refused.value).startswith(f"pyproject.toml:{number}: [tool.rewardkit.templates.old] {wrong}")
    # The same if a server reads the file itself.
    with pytest.raises(ValueError, match=r"pyproject\.toml") as refused_too:
        ServerSettings(templates=str(path))
    assert f"[tool.rewardkit.templates.old] {wrong}" in str(refused_too.value)


@pytest.mark.parametrize("name", ["base", "a b", "../a", ""])
def test_names_that_cannot_be(tmp_path: Path, name: str) -> None:
    with pytest.raises(TemplateError, match="name"):
        template_from(name, {}, tmp_path)


def test_a_file_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match="No such file"):
        templates_of(str(tmp_path / "pyproject.toml"))
    (tmp_path / "pyproject.toml").write_text("[tool.rewardkit]\ntemplates = 3\n")
    with pytest.raises(TemplateError, match="templates must be a table"):
        templates_of(str(tmp_path / "pyproject.toml"))


def test_templates_are_no_gates(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text("[tool.rewardkit.templates.old]\npackages = []\n")
    assert gates_in(path) == []
    assert [template.name for template in templates_in(path)] == ["old"]


def test_the_digest_is_of_what_is_installed(tmp_path: Path) -> None:
    (tmp_path / "library" / "inner").mkdir(parents=True)
    source = tmp_path / "library" / "inner" / "a.py"
    source.write_text("1")
    make_wheel(tmp_path / "wheels", "tariffs", "1.0", "old")

    def digest(python: str = "3.11", **changes: object) -> str:
        content = {"packages": ["tariffs", "./library"], "find_links": ["wheels"], **changes}
        return digest_of(template_from("any", content, tmp_path), python, ["ipython==9"])

    first = digest()
    (tmp_path / "library" / "__pycache__").mkdir()
    (tmp_path / "library" / "__pycache__" / "a.pyc").write_text("built")
    assert digest() == first
    assert digest(limits={"memory_mb": 99}, preload=["tariffs"]) == first
    private = "https://me:{}@example.com/simple"
    assert digest(index=private.format("old")) == digest(index=private.format("new")) != first
    others = {digest("3.12"), digest(index=False), digest(packages=["tariffs"])}
    source.write_text("2")
    others.add(digest())
    source.write_text("1")
    assert digest() == first
    make_wheel(tmp_path / "wheels", "tariffs", "1.0", "new")
    others.add(digest())
    assert len(others | {first}) == 6


def test_passwords_stand_in_no_command_line_and_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The installer fails with its whole command line in its message, and with the address that it was given."""
    monkeypatch.setenv(VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(interpreters, "uv", lambda: str(tmp_path / "uv"))
    monkeypatch.setattr(build, "uv", lambda: str(tmp_path / "uv"))
    (tmp_path / "uv").write_text('#!/bin/sh\necho "args $*; $UV_DEFAULT_INDEX; $(cat | tr "\\n" " ")" >&2\nexit 1\n')
    (tmp_path / "uv").chmod(0o755)
    content = {
        "packages": ["web @ https://me:s3cret@a.example/w.zip"],
        "index": "https://me:s3cret@b.example/simple",
        "find_links": ["https://me:s3cret@c.example/links"],
    }
    told: list[str] = []
    with pytest.raises(BuildError) as failed:
        build.build(template_from("private", content, tmp_path), told.append)
    assert "s3cret" not in str(failed.value) + "".join(told)
    arguments, index, packages = str(failed.value).split(";")
    assert "example" not in arguments
    assert index == " https://****@b.example/simple"
    assert packages.split() == [
        *("--find-links", "https://****@c.example/links", "web", "@", "https://****@a.example/w.zip")
    ]
    private = ServerSettings(templates=to_text([template_from("private", content, tmp_path)]))
    assert "s3cret" not in " ".join(private.arguments())


def test_what_is_half_made_is_made_anew_and_what_fails_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    left = tmp_path / "templates" / "some"
    left.mkdir(parents=True)
    (left / "half").touch()

    def fail(place: Path) -> None:
        (place / "half").touch()
        raise BuildError("no such package")

    with pytest.raises(BuildError, match="no such package"):
        made_once("some", "title", fail, lambda: None)
    assert not left.exists()
    made_once("some", "title", lambda place: (place / "whole").touch(), lambda: None)
    assert {path.name for path in left.iterdir()} == {"whole", "made"}
    made_once("some", "title", fail, lambda: None)


def test_what_is_unused_is_listed_and_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))

    def make(place: Path) -> None:
        (place / "lib").mkdir()
        (place / "lib" / "a.py").write_bytes(b"x" * 2**20)

    places = {name: made_once(name, name, make, lambda: None) for name in ("new", "old", "older", "used")}
    for name, days in (("old", 40), ("older", 50), ("used", 60)):
        os.utime(places[name] / "made", (0, time.time() - days * 86400))
    (tmp_path / "templates" / "half").mkdir()
    assert remove_unused([], 30, yes=False) == 0
    assert [line.partition("  ")[0] for line in capsys.readouterr().out.splitlines()] == [
        *("used", "older", "old", "3 unused, 3 MiB", "--yes removes them")
    ]
    held = hold(places["used"])
    assert remove_unused([], 30, yes=True) == 1
    assert f"{places['used']} is in use" in capsys.readouterr().out
    os.close(held)
    assert {name for name, place in places.items() if place.exists()} == {"new", "used"}
    with pytest.raises(BuildError, match="is gone"):
        hold(places["old"])
    made_once("used", "used", make, lambda: None)  # requested again
    assert remove_unused([], 30, yes=True) == 0
    assert remove_unused(["used"], 0, yes=True) == 0
    assert {name for name, place in places.items() if place.exists()} == {"new"}


def test_who_comes_second_waits_for_the_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    begun, waiting = threading.Event(), threading.Event()
    made = []

    def make(_: Path) -> None:
        begun.set()
        assert waiting.wait(30)
        made.append(1)

    first = threading.Thread(target=made_once, args=("some", "title", make, lambda: None))
    first.start()
    assert begun.wait(30)
    made_once("some", "title", lambda _: made.append(2), waiting.set)
    first.join()
    assert made == [1]


def test_no_place_is_an_error_that_names_the_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv(VARIABLE, str(tmp_path / "file"))
    with pytest.raises(BuildError, match=rf"Not a directory: .* \({VARIABLE} names another directory\)"):
        made_once("some", "title", lambda _: None, lambda: None)


def test_an_interpreter_is_found_by_version_and_by_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.executable", own := own_python().path)

    def run(_: object) -> None:
        raise AssertionError

    version = ".".join(map(str, own_python().version[:2]))
    assert find_python("", run) == find_python(version, run) == find_python(own, run) == own_python()
    with pytest.raises(BuildError, match=r"no Python 3\.99 here, and no uv, which would fetch it"):
        find_python("3.99", run)
    old = tmp_path / "python3.9"
    old.write_text('#!/bin/sh\necho \'["/usr/bin/python3.9", [3, 9, 1], "cpython-x"]\'\n')
    old.chmod(0o755)
    with pytest.raises(BuildError, match=r"Python 3\.9\.1 is too old: sandboxes have 3\.11 and later"):
        find_python("3.9", run)
    old.write_text("#!/bin/sh\nexit 1\n")
    with pytest.raises(BuildError, match="no Python that works"):
        find_python(str(old), run)


def test_packages_are_for_one_minor_version_and_one_machine() -> None:
    here = FoundPython("a", (3, 11, 2), "cpython-x86_64")
    assert here.takes_packages_of(FoundPython("b", (3, 11, 9), "cpython-x86_64"))
    assert not here.takes_packages_of(FoundPython("a", (3, 12, 2), "cpython-x86_64"))
    assert not here.takes_packages_of(FoundPython("a", (3, 11, 2), "cpython-aarch64"))


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("", ""),
        ("Looking\nERROR: no distribution for nope\n\n[notice] A new release\n", "ERROR: no distribution for nope"),
        ("WARNING: odd\nERROR: it is not there\nWARNING: and more\n", "ERROR: it is not there"),
        (
            "  x No solution found:\n  ╰─▶ Because nope was not found and you\n      require nope, we can conclude.\n",
            "Because nope was not found and you require nope, we can conclude.",
        ),
        (
            "Using Python\nerror: Failed to fetch\n  cause: error sending request\n  cause: Connection refused\n",
            "Failed to fetch: error sending request: Connection refused (the index was not reached)",
        ),
        (
            "ERROR: Cannot install a==1 and a==2 because these conflict.\nERROR: ResolutionImpossible: for help\n",
            "Cannot install a==1 and a==2 because these conflict.",
        ),
        ("WARNING: Retrying\nERROR: No match for a\n", "ERROR: No match for a (the index was not reached)"),
        ("ERROR: [Errno 28] No space left on device: '/a'\n", "there is no space left on the disk"),
    ],
)
def test_an_installers_last_words(output: str, words: str) -> None:
    assert last_words(output) == words
    assert len(last_words("x" * 10_000)) == 500
