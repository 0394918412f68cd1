"""Where a project's files come from."""

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


def test_what_is_no_archive(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("words")
    with pytest.raises(RewardkitUsageError, match="neither a folder nor an archive"):
        Project(source=path)
