"""Candidates that move files about."""

from pytest import approx

from pytest_rewardkit import extract_code


def test_sort_by_extension(sandbox, reward, response):
    """The candidate takes .PNG for another extension than .png; each file is a part."""
    wanted = {
        "notes.txt": "txt/notes.txt",
        "todo.txt": "txt/todo.txt",
        "logo.png": "png/logo.png",
        "SCAN.PNG": "png/SCAN.PNG",
        "archive.tar.gz": "gz/archive.tar.gz",
    }
    for name in wanted:
        sandbox.files.write(f"inbox/{name}", f"content of {name}")
    sandbox.run_code(extract_code(response))

    for name, place in wanted.items():
        path = f"inbox/{place}"
        arrived = sandbox.files.exists(path) and sandbox.files.read(path) == f"content of {name}"
        reward.record(arrived, name=name, reason="" if arrived else f"not at {place}")
    assert reward.reward.value == approx(4 / 5)


def test_flatten(sandbox, reward, response):
    """Move all files of a tree into one folder. The candidate lets files of the same name overwrite each other."""
    for path in ("a/one.txt", "a/b/two.txt", "a/b/c/one.txt"):
        sandbox.files.write(f"tree/{path}", path)
    sandbox.run_code(extract_code(response))

    files = [entry for entry in sandbox.files.list("flat") if entry.type.value == "file"]
    contents = {sandbox.files.read(entry.path) for entry in files}
    for path in ("a/one.txt", "a/b/two.txt", "a/b/c/one.txt"):
        reward.record(path in contents, name=path)
    assert reward.reward.value == approx(2 / 3)


def test_remove_empty_folders(sandbox, reward, response):
    """Deepest first, so that a folder which only held empty folders goes as well."""
    sandbox.files.write("tree/kept/file.txt", "x")
    for path in ("tree/empty", "tree/nested/inner/innermost"):
        sandbox.files.make_dir(path)
    execution = sandbox.run_code(extract_code(response))

    assert execution.error is None
    left = sorted(entry.name for entry in sandbox.files.list("tree"))
    reward.record(left == ["kept"], name="only what holds files is left", reason=f"left: {left}")
    assert reward.reward.value == 1.0
