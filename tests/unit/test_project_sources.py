"""The sources of a project's files."""

import io
import shutil
import struct
import subprocess
import tarfile
import tracemalloc
import zipfile

import pytest

from pytest_rewardkit import Project, RewardkitUsageError
from pytest_rewardkit.projects import sources


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


ZEROS = bytes(300_000)


def packed(path, method):
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("zeros", ZEROS)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_is_unpacked_up_to_what_its_files_may_have(tmp_path, monkeypatch, method):
    """Also one that declares fewer bytes than it has: no more of it is unpacked than that."""
    path = tmp_path / "words.zip"
    packed(path, method)
    assert Project(source=path).files["zeros"].content == ZEROS
    monkeypatch.setattr(sources, "MAX_BYTES", len(ZEROS) - 1)
    with monkeypatch.context() as patched, pytest.raises(RewardkitUsageError, match="more than"):
        patched.setattr(zipfile.ZipFile, "open", None)
        Project(source=path)
    path.write_bytes(path.read_bytes().replace(struct.pack("<L", len(ZEROS)), struct.pack("<L", 10)))
    with pytest.raises(RewardkitUsageError, match=r"cannot be read|has 10"):
        Project(source=path)


def test_a_zip_that_unpacks_to_more_than_it_says_does_not_fill_memory(tmp_path):
    path = tmp_path / "words.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("zeros", "w") as file:
        for _ in range(100):
            file.write(bytes(1_000_000))
    path.write_bytes(path.read_bytes().replace(struct.pack("<L", 100_000_000), struct.pack("<L", 10)))
    tracemalloc.start()
    with pytest.raises(RewardkitUsageError, match="cannot be read"):
        Project(source=path)
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()


def tar_of(path, mode, *members):
    with tarfile.open(path, mode) as archive:
        for name, kind, content in members:
            info = tarfile.TarInfo(name)
            info.type, info.size = kind, len(content)
            archive.addfile(info, io.BytesIO(content))


@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, b"?"])
@pytest.mark.parametrize("compression", ["", "gz", "xz", "bz2"])
def test_a_tar_is_unpacked_up_to_what_its_files_may_have(tmp_path, monkeypatch, kind, compression):
    """A long name and extended headers are read whole into memory, and so count too."""
    path = tmp_path / "words.tar"
    tar_of(path, f"w:{compression}", ("zeros", kind, ZEROS), ("small", tarfile.REGTYPE, b"x"))
    monkeypatch.setattr(sources, "MAX_BYTES", 100_000)
    monkeypatch.setattr(sources, "MAX_TAR_BYTES", 200_000)
    with pytest.raises(RewardkitUsageError, match="more than 20,000 files or 100,000 bytes"):
        Project(source=path)


def test_an_archive_of_too_many_files(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "MAX_FILES", 3)
    folders = [(f"folder{n}", tarfile.DIRTYPE, b"") for n in range(4)]
    files = [(f"file{n}", tarfile.REGTYPE, b"x") for n in range(4)]
    tar_of(tmp_path / "few.tar", "w", *folders, *files[:3])
    assert len(Project(source=tmp_path / "few.tar").files) == 3
    tar_of(tmp_path / "many.tar", "w", *files)
    with pytest.raises(RewardkitUsageError, match="more than 3 files"):
        Project(source=tmp_path / "many.tar")


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_a_commit_that_is_too_large(folder, monkeypatch):
    shutil.rmtree(folder / ".git")
    for command in (["init"], ["add", "."], ["-c", "user.name=A", "-c", "user.email=a@b.c", "commit", "-m", "it"]):
        subprocess.run(["git", *command], cwd=folder, check=True, capture_output=True)
    monkeypatch.setattr(sources, "MAX_BYTES", 5)
    with pytest.raises(RewardkitUsageError, match="more than 20,000 files or 5 bytes"):
        Project(source=folder, commit="HEAD")
