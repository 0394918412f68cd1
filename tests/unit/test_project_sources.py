"""The sources of a project's files."""

import shutil
import subprocess
import tarfile
import zipfile

import pytest

from pytest_rewardkit import Project, RewardkitUsageError


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "words-1.0"
    (folder / "src/words").mkdir(parents=True)
    (folder / "src/words/__init__.py").write_text("x = 1\n")
    (folder / "run.sh").write_text("true\n")
    (folder / "run.sh").chmod(0o755)
    for unwanted in (".git", "__pycache__", ".venv"):
        (folder / unwanted).mkdir()
        (folder / unwanted / "file").write_text("")
    return folder


def brief(project):
    return {path: (file.content, file.executable) for path, file in project.files.items()}


FILES = {"src/words/__init__.py": (b"x = 1\n", False), "run.sh": (b"true\n", True)}


def test_a_folder_without_what_is_not_the_projects(folder):
    assert brief(Project(source=folder)) == FILES
    assert brief(Project(source=str(folder))) == FILES


@pytest.mark.parametrize("compression", ["", "gz", "xz"])
def test_a_tar_without_the_folder_that_all_is_in(folder, tmp_path, compression):
    path = tmp_path / f"words.tar.{compression}"
    with tarfile.open(path, f"w:{compression}") as archive:
        for name in FILES:
            archive.add(folder / name, f"words-1.0/{name}")
    assert brief(Project(source=path)) == FILES


def test_a_zip(folder, tmp_path):
    path = tmp_path / "words.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in FILES:
            archive.write(folder / name, name)
    assert brief(Project(source=path)) == FILES


def test_an_archive_cannot_reach_out(folder, tmp_path):
    path = tmp_path / "words.tar"
    with tarfile.open(path, "w") as archive:
        archive.add(folder / "run.sh", "../run.sh")
    with pytest.raises(RewardkitUsageError, match="outside of the project"):
        Project(source=path)


def test_links_lead_to_what_they_lead_to(folder, tmp_path):
    links = {
        "words": "src/words",
        "run": "run.sh",
        "src/again": "../run",
        "out": "/etc/passwd",
        "up": "../../x",
        "loop": "loop",
        "nowhere": "no-such-file",
    }
    for name, target in links.items():
        if name != "out":  # a folder's links may lead out of it
            (folder / name).symlink_to(target)
    wanted = {
        **FILES,
        "words/__init__.py": (b"x = 1\n", False),
        "run": (b"true\n", True),
        "src/again": (b"true\n", True),
    }
    assert brief(Project(source=folder)) == wanted
    (folder / "out").symlink_to("/etc/passwd")
    with tarfile.open(tmp_path / "words.tar", "w") as archive, zipfile.ZipFile(tmp_path / "words.zip", "w") as zipped:
        for name in (*FILES, *links):
            archive.add(folder / name, f"words-1.0/{name}", recursive=False)
            info = zipfile.ZipInfo(name)
            info.external_attr = (folder / name).lstat().st_mode << 16
            target = links.get(name)
            zipped.writestr(info, target.encode() if target else (folder / name).read_bytes())
        hard = tarfile.TarInfo("words-1.0/src/hard")
        hard.type, hard.linkname = tarfile.LNKTYPE, "words-1.0/run.sh"
        archive.addfile(hard)
    assert brief(Project(source=tmp_path / "words.zip")) == wanted
    assert brief(Project(source=tmp_path / "words.tar")) == {**wanted, "src/hard": (b"true\n", True)}


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_a_commit_has_all_that_is_in_it_and_nothing_else(folder, tmp_path, monkeypatch):
    shutil.rmtree(folder / ".git")

    def git(*arguments, cwd=folder):
        name = ["-c", "user.name=A", "-c", "user.email=a@b.c", "-c", "protocol.file.allow=always"]
        subprocess.run(["git", *name, *arguments], cwd=cwd, check=True, capture_output=True)

    (folder / ".gitattributes").write_text("tests export-ignore\n")
    (folder / ".gitignore").write_text("__pycache__\n.venv\n")
    (folder / "tests").mkdir()
    (folder / "tests/test_caf\u00e9 1.py").write_text("")
    (folder / "link.sh").symlink_to("run.sh")
    git("init")
    git("add", ".")
    git("commit", "-m", "it")
    git("submodule", "add", str(folder), "sub")
    git("commit", "-m", "with a submodule")
    (folder / "run.sh").write_text("changed since\n")
    names = {".gitattributes", ".gitignore", "tests/test_caf\u00e9 1.py", "link.sh", *FILES}
    monkeypatch.setenv("GIT_DIR", str(tmp_path))
    assert {**FILES, "link.sh": (b"true\n", True)}.items() <= brief(Project(source=folder, commit="HEAD")).items()
    assert set(Project(source=folder, commit="HEAD").files) == {*names, ".gitmodules"}
    monkeypatch.delenv("GIT_DIR")
    git("clone", "--depth=1", f"file://{folder}", "shallow", cwd=tmp_path)
    assert set(Project(source=tmp_path / "shallow", commit="HEAD").files) == {*names, ".gitmodules"}
    assert set(Project(source=folder / "src", commit="HEAD").files) == {"words/__init__.py"}
    with pytest.raises(RewardkitUsageError, match=r"the commit 'HEAD~1' of .* cannot be read"):
        Project(source=tmp_path / "shallow", commit="HEAD~1")


def test_what_is_no_archive(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("words")
    with pytest.raises(RewardkitUsageError, match="neither a folder nor an archive"):
        Project(source=path)
