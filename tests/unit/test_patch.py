"""Unified diffs in memory, held against what git and difflib write."""

import difflib
import random
import shutil
import subprocess

import pytest

from pytest_rewardkit.projects.patch import NotApplied, apply_patch, looks_like_patch, read_patch

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
        ("diff --git a/x.png b/x.png\nBinary files a/x.png and b/x.png differ\n", "a binary patch"),
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


def test_prose_is_no_patch():
    assert looks_like_patch("I changed it:\n--- a/it.py\n+++ b/it.py\n@@ -1 +1 @@\n-a\n+b\n")
    assert not looks_like_patch("A rule:\n---\nand --- a dash\n+++ nothing")
