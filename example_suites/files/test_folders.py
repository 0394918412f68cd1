"""Candidates that move files."""

import pytest

from pytest_rewardkit import extract_code

# With your own model, a test passes if it earns the whole reward.
pytestmark = pytest.mark.reward(threshold=1.0)


@pytest.mark.deserves(4 / 5, "partial")
def test_sort_by_extension(sandbox, reward, candidate):
    """The candidate treats .PNG and .png as different extensions; each file is a part."""
    wanted = {
        "notes.txt": "txt/notes.txt",
        "todo.txt": "txt/todo.txt",
        "logo.png": "png/logo.png",
        "SCAN.PNG": "png/SCAN.PNG",
        "archive.tar.gz": "gz/archive.tar.gz",
    }
    for name in wanted:
        sandbox.files.write(f"inbox/{name}", f"content of {name}")
    sandbox.run_code(extract_code(candidate))

    for name, place in wanted.items():
        path = f"inbox/{place}"
        arrived = sandbox.files.exists(path) and sandbox.files.read(path) == f"content of {name}"
        reward.record(arrived, name=name, reason="" if arrived else f"not at {place}")


@pytest.mark.deserves(2 / 3, "partial")
def test_flatten(sandbox, reward, candidate):
    """Move all files of a tree into one folder. The candidate lets files with the same name overwrite each other."""
    for path in ("a/one.txt", "a/b/two.txt", "a/b/c/one.txt"):
        sandbox.files.write(f"tree/{path}", path)
    sandbox.run_code(extract_code(candidate))

    files = [entry for entry in sandbox.files.list("flat") if entry.type.value == "file"]
    contents = {sandbox.files.read(entry.path) for entry in files}
    for path in ("a/one.txt", "a/b/two.txt", "a/b/c/one.txt"):
        reward.record(path in contents, name=path)


@pytest.mark.deserves(1.0, "passed")
def test_remove_empty_folders(sandbox, reward, candidate):
    """Deepest first, so that a folder that only held empty folders is removed as well."""
    sandbox.files.write("tree/kept/file.txt", "x")
    for path in ("tree/empty", "tree/nested/inner/innermost"):
        sandbox.files.make_dir(path)
    execution = sandbox.run_code(extract_code(candidate))

    assert execution.error is None
    left = sorted(entry.name for entry in sandbox.files.list("tree"))
    reward.record(left == ["kept"], name="only what holds files is left", reason=f"left: {left}")
