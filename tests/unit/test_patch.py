"""Unified diffs in memory, compared with those of git and difflib."""

import contextlib
import difflib
import random
import shutil
import subprocess
import time

import pytest

from pytest_rewardkit.projects.changes import changes_of
from pytest_rewardkit.projects.patch import apply_patch, programs_among
from pytest_rewardkit.projects.patch_reading import NotApplied, looks_like_patch, read_patch
from pytest_rewardkit.projects.sources import ProjectFile

FILE = "".join(f"line {number}\n" for number in range(1, 21))


def applied(patch, **files):
    contents = {name.replace("__", "."): text.encode() for name, text in files.items()}
    changes = apply_patch(read_patch(patch), contents)
    return {name: None if content is None else content.decode() for name, content in changes.items()}


def edited(lines, chance):
    """The same lines after some edits."""
    lines = list(lines)
    for _ in range(chance.randrange(1, 5)):
        at = chance.randrange(len(lines) + 1)
        what = chance.randrange(3)
        if what == 0:
            lines[at:at] = [f"new {chance.randrange(9)}"] * chance.randrange(1, 4)
        elif what == 1:
            del lines[at : at + chance.randrange(1, 4)]
        else:
            lines[at : at + 1] = [chance.choice(["", "\tx", "line 3", "--- a", "+++ b"])]
    return lines


@pytest.mark.parametrize("seed", range(60))
def test_what_difflib_writes(seed):
    chance = random.Random(seed)
    before = [chance.choice(["a", "b", "", f"line {n}"]) for n in range(chance.randrange(0, 40))]
    after = edited(before, chance)
    old, new = ("".join(f"{line}\n" for line in lines) for lines in (before, after))
    diff = "\n".join(difflib.unified_diff(before, after, "a/it.py", "b/it.py", lineterm="", n=chance.randrange(4)))
    if diff:
        assert applied(diff + "\n", it__py=old) == {"it.py": new}


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
@pytest.mark.parametrize("seed", range(20))
def test_what_git_writes_with_and_without_last_line_ends(seed, tmp_path):
    chance = random.Random(seed)
    before = [chance.choice(["a", "b", "", f"line {n}"]) for n in range(chance.randrange(1, 30))]
    after = edited(before, chance) or ["x"]
    old, new = ("\n".join(lines) + chance.choice(["", "\n"]) for lines in (before, after))
    for folder, text in (("a", old), ("b", new)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "it.py").write_text(text, "utf-8")
    command = ["git", "diff", "--no-index", "--no-prefix", "a/it.py", "b/it.py"]
    diff = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False).stdout
    if diff:
        assert applied(diff, it__py=old) == {"it.py": new}


def test_new_removed_and_renamed_files():
    patch = """diff --git a/new.py b/new.py
new file mode 100644
index 0000000..e69de29
--- /dev/null
+++ b/new.py
@@ -0,0 +1,2 @@
+x = 1
+y = 2
diff --git a/gone.py b/gone.py
deleted file mode 100644
--- a/gone.py
+++ /dev/null
@@ -1 +0,0 @@
-x = 1
diff --git a/old.py b/moved.py
similarity index 100%
rename from old.py
rename to moved.py
"""
    assert applied(patch, gone__py="x = 1\n", old__py="z = 3\n") == {
        "new.py": "x = 1\ny = 2\n",
        "gone.py": None,
        "moved.py": "z = 3\n",
        "old.py": None,
    }


@pytest.mark.parametrize(
    "header",
    [
        "@@ -5,3 +5,3 @@",
        "@@ -9,3 +9,3 @@ def elsewhere():",
        "@@ -5,99 +5,1 @@",
        "@@ -1,3 +1,3 @@",
        "@@ @@",
        "@@",
    ],
)
def test_numbers_that_models_get_wrong(header):
    patch = f"--- a/it.py\n+++ b/it.py\n{header}\n line 5\n-line 6\n+line six\n line 7\n"
    assert applied(patch, it__py=FILE) == {"it.py": FILE.replace("line 6\n", "line six\n")}


def test_of_equal_places_the_nearest_is_meant():
    text = "a\nb\n" * 10
    patch = "--- a/it.py\n+++ b/it.py\n@@ -11,2 +11,2 @@\n-a\n+A\n b\n"
    assert applied(patch, it__py=text)["it.py"].splitlines()[10] == "A"


def test_blanks_at_the_ends_of_lines_and_other_line_ends_do_not_matter():
    patch = "--- a/it.py\n+++ b/it.py\n@@ -1,4 +1,4 @@\n one  \n\n-two\n+TWO\n three\n"
    assert applied(patch, it__py="one\n\ntwo\nthree\n") == {"it.py": "one\n\nTWO\nthree\n"}
    assert applied(patch, it__py="one\r\n\r\ntwo\r\nthree\r\n") == {"it.py": "one\r\n\r\nTWO\r\nthree\r\n"}


def test_context_at_the_ends_may_differ_by_two_lines():
    patch = "--- a/it.py\n+++ b/it.py\n@@ -4,5 +4,5 @@\n other\n line 5\n-line 6\n+six\n line 7\n other\n"
    assert applied(patch, it__py=FILE) == {"it.py": FILE.replace("line 6\n", "six\n")}


@pytest.mark.parametrize(
    ("patch", "reason"),
    [
        ("--- a/it.py\n+++ b/it.py\n@@ -1 +1 @@\n-nowhere\n+x\n", "hunk 1 of it.py does not fit at line 1: 'nowhere'"),
        ("--- a/none.py\n+++ b/none.py\n@@ -1 +1 @@\n-x\n+y\n", "none.py: there is no such file"),
        ("diff --git a/l b/l\nnew file mode 120000\n--- /dev/null\n+++ b/l\n@@ -0,0 +1 @@\n+/etc\n", "symbolic link"),
        ("diff --git a/x.png b/x.png\nGIT binary patch\ndelta 3\nKc$\n", "a binary patch that does not hold"),
        ("just words", "no change of a file"),
    ],
)
def test_what_does_not_fit_says_where(patch, reason):
    with pytest.raises(NotApplied) as caught:
        applied(patch, it__py=FILE)
    assert reason in str(caught.value)


def test_a_patch_applies_as_a_whole_or_not_at_all():
    patch = "--- a/it.py\n+++ b/it.py\n@@ -1 +1 @@\n-line 1\n+one\n@@ -9 +9 @@\n-nowhere\n+x\n"
    with pytest.raises(NotApplied, match="hunk 2 of it"):
        applied(patch, it__py=FILE)


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_a_mail_of_gits_with_all_that_git_knows(tmp_path):
    def git(*arguments):
        name = ["-c", "user.name=A", "-c", "user.email=a@b.c", "-c", "init.defaultBranch=main"]
        done = subprocess.run(["git", *name, *arguments], cwd=tmp_path, check=True, capture_output=True)
        return done.stdout.decode()

    before = {
        "it.py": FILE.encode(),
        "a b/caf\u00e9 b/x.txt": b"one\n",
        "run.sh": b"echo\n",
        "mixed.txt": b"one\r\ntwo\nthree\r\n",
        "moved.txt": FILE.encode(),
        "picture.bin": b"\0\1",
    }
    after = {
        "it.py": FILE.replace("line 20\n", "- \n").encode(),
        "a b/caf\u00e9 b/x.txt": b"two",
        "run.sh": b"echo\n",
        "mixed.txt": b"one\r\nTWO\nthree\r\n",
        'deep/er/"new".txt': b"new\n",
        "elsewhere/moved.txt": FILE.replace("line 3", "line three").encode(),
        "picture.bin": bytes(range(256)) * 3,
    }
    git("init")
    for files in (before, after):
        for path in tmp_path.rglob("*"):
            if path.is_file() and ".git" not in path.parts:
                path.unlink()
        for name, content in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes(content)
        (tmp_path / "run.sh").chmod(0o755 if files is after else 0o644)
        git("add", "-A")
        git("commit", "-m", "it")
    patches = read_patch(git("format-patch", "-1", "--stdout", "--binary", "-M"))
    changes = apply_patch(patches, before)
    left = {name: content for name, content in (before | changes).items() if content is not None}
    assert left == after
    assert {name: it for name, it in programs_among(patches).items() if it} == {"run.sh": True}


REMARK = "- the second line\n- nothing else\n"
HUNK = "--- a/it.py\n+++ b/it.py\n@@ -1,2 +1,2 @@\n line 1\n-line 2\n+two\n"


@pytest.mark.parametrize(
    "response",
    [
        f"```diff\n{HUNK}```\nDone.",
        f"I changed it.\n\n{HUNK}\nThat is all.\n\nBye",
        f"{HUNK}\nI changed\n\n{REMARK}",
        f"{HUNK}\n{REMARK}",
        HUNK.replace("\n", "\r\n"),
        HUNK.rstrip("\n"),
        HUNK.replace("a/it.py", "it.py.orig").replace("b/it.py", "it.py"),
        HUNK.replace("a/", "").replace("b/", ""),
        HUNK.replace("a/it.py", "./it.py\t2026-01-01 00:00:00").replace("b/it.py", "./it.py"),
        f"```diff\n{HUNK.replace('line 2', 'nowhere')}```\nNo, rather:\n```diff\n{HUNK}```\n",
        f"```diff\n{HUNK}```\nand\n```diff\n{HUNK.replace('it.py', 'other.py')}```\n",
    ],
)
def test_what_stands_around_a_diff_does_not_matter(response):
    files = {name: ProjectFile(FILE.encode()) for name in ("it.py", "other.py")}
    assert changes_of(response, files)["it.py"].content == FILE.replace("line 2\n", "two\n", 1).encode()


def test_a_copy_leaves_the_file_where_it_is():
    patch = "diff --git a/it.py b/copy.py\nsimilarity index 100%\ncopy from it.py\ncopy to copy.py\n"
    assert applied(patch, it__py=FILE) == {"copy.py": FILE}


@pytest.mark.parametrize(
    "patch",
    [
        "--- a/it.py\n+++ b/it.py\n" + "@@ -1 +1 @@\n-line 1\n+line 1\n" * 5_000,
        "--- a/it.py\n+++ b/it.py\n@@ -1 +1 @@\n" + "+x\n" * 50_000 + "-nowhere\n",
        "diff --git a/" + " b/" * 300_000 + "\n" + HUNK,
        f"--- a/it.py\n+++ b/it.py\n@@ -{'9' * 5000},{'9' * 5000} +1 @@\n-line 1\n+one\n",
        'diff --git "a/\\303\ud800" "b/x"\nnew file mode 100644\n',
    ],
    ids=["hunks", "lines", "names", "numbers", "surrogates"],
)
def test_a_hostile_patch_costs_little(patch):
    began = time.process_time()
    with contextlib.suppress(NotApplied):
        changes_of(patch, {"it.py": ProjectFile((FILE * 100).encode())})
    assert time.process_time() - began < 10


def test_prose_is_no_patch():
    assert looks_like_patch("I changed it:\n--- a/it.py\n+++ b/it.py\n@@ -1 +1 @@\n-a\n+b\n")
    assert not looks_like_patch("A rule:\n---\nand --- a dash\n+++ nothing")


@pytest.mark.parametrize(("old", "new"), [("i", "w"), ("c", "i"), ("o", "w"), ("a", "b")])
def test_git_may_name_the_sides_otherwise(old, new):
    patch = f"diff --git {old}/it.py {new}/it.py\n--- {old}/it.py\n+++ {new}/it.py\n@@ -1 +1 @@\n-x\n+y\n"
    assert applied(patch, it__py="x\n") == {"it.py": "y\n"}


def test_a_folder_of_one_letter_is_a_folder():
    contents = {"c/it.py": b"x\n", "it.py": b"x\n"}
    changes = apply_patch(read_patch("--- c/it.py\n+++ c/it.py\n@@ -1 +1 @@\n-x\n+y\n"), contents)
    assert changes == {"c/it.py": b"y\n"}


def test_context_may_have_lost_its_sign():
    patch = "--- a/it.py\n+++ b/it.py\n@@ -1,3 +1,3 @@\ndef f():\n-    return 1\n+    return 2\n\nDone.\n"
    assert applied(patch, it__py="def f():\n    return 1\n") == {"it.py": "def f():\n    return 2\n"}
