"""The files scorer, end to end: each operation, each kind of content, and files made to deceive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_rewardkit.errors import RewardkitUsageError
from pytest_rewardkit.scorers.checks.file_check import FileCheck
from pytest_rewardkit.scorers.files import score_files
from pytest_rewardkit.scorers.running.tree import path_pattern

if TYPE_CHECKING:
    from e2b_code_interpreter import Sandbox

    from pytest_rewardkit import Reward


def values(reward: Reward) -> list[float | None]:
    return [part.value for part in reward.parts]


CANDIDATE = """
import os
open("new.txt", "w").write("hello\\nworld\\n")
open("old.txt", "a").write("more\\n")
open("same.txt", "w").write("same\\n")
os.remove("gone.txt")
os.makedirs("out/deep", exist_ok=True)
open("out/deep/a.json", "w").write('{"mean": 0.30000000000000004, "names": ["x"]}')
open("out/table.csv", "w").write("name,mean\\nx,0.333\\ny,2\\n")
open("out/raw.bin", "wb").write(bytes(range(256)))
"""


@pytest.fixture
def prepared(sandbox: Sandbox) -> Sandbox:
    for name in ("old", "same", "gone", "kept"):
        sandbox.files.write(f"{name}.txt", f"{name}\n")
    return sandbox


def test_what_became_of_files(prepared: Sandbox) -> None:
    right = [
        {"path": "new.txt", "content": "hello\nworld"},
        {"path": "new.txt", "type": "create"},
        {"path": "out", "type": "exists"},
        {"path": "out/deep/a.json", "type": "exists", "content": {"mean": 0.3, "names": ["x"]}},
        {"path": "/home/user/old.txt", "type": "modify", "content": "old\nmore\n"},
        {"path": "gone.txt", "type": "absent"},
        {"path": "kept.txt", "type": "unchanged"},
        {"path": "same.txt", "type": "unchanged"},
        {"path": "out/table.csv", "content": [["name", "mean"], ["x", 0.333], ["y", 2.0]]},
        {"path": "out/table.csv", "content": [{"name": "x", "mean": 0.333}, {"name": "y", "mean": 2}]},
        {"path": "out/table.csv", "content": "name, mean\nx, 0.3330\ny, 2\n", "compare": "csv"},
        {"path": "out/raw.bin", "content": bytes(range(256))},
        {"path": "**/*.json", "type": "exists"},
        {"path": "*.tmp", "type": "absent"},
        {"path": "kep?.txt", "type": "unchanged"},
    ]
    reward = score_files(prepared, CANDIDATE, right)
    assert [part for part in reward.parts if part.value != 1.0] == []
    assert reward.value == 1.0


def test_what_did_not_become_of_files(prepared: Sandbox) -> None:
    wrong = {
        "there is no such file": {"path": "newer.txt"},
        "it was there before": {"path": "old.txt", "type": "create"},
        "it was not changed": {"path": "same.txt", "type": "modify"},
        "it was not there before": {"path": "new.txt", "type": "modify"},
        "'new.txt' is there": {"path": "new.txt", "type": "absent"},
        "'old.txt' was changed": {"path": "o*.txt", "type": "unchanged"},
        "'gone.txt' was removed": {"path": "gone.txt", "type": "unchanged"},
        "there was no such file before": {"path": "new.txt", "type": "unchanged"},
        "it is a folder": {"path": "out", "type": "create"},
        "line 2 differs": {"path": "new.txt", "content": "hello\nWorld"},
        "expected 0.5": {"path": "out/deep/a.json", "content": {"mean": 0.5, "names": ["x"]}},
        "row 2, column 2: expected 0.3": {"path": "out/table.csv", "content": [["name", "mean"], ["x", 0.3], ["y", 2]]},
        "4 rows expected, 3 given": {
            "path": "out/table.csv",
            "content": [["name", "mean"], ["x", 0.333], ["y", 2], []],
        },
        "256 bytes expected": {"path": "new.txt", "content": b"hello\nworld\n" + bytes(244)},
        "it is no UTF-8 text": {"path": "out/raw.bin", "content": "text"},
        "it is not JSON": {"path": "new.txt", "content": [1]},
    }
    reward = score_files(prepared, CANDIDATE, list(wrong.values()))
    for reason, part in zip(wrong, reward.parts, strict=True):
        assert (part.value, part.verdict) == (0.0, "wrong_output"), part
        assert reason in part.reason


def test_nothing_else_is_touched(prepared: Sandbox) -> None:
    made = "open('a.txt', 'w').write('a')\nopen('.cache', 'w').write('x')"
    checks = [{"path": "a.txt"}]
    assert values(score_files(prepared, made, checks, nothing_else=True)) == [1.0, 1.0]
    prepared.files.remove("a.txt")
    more = made + "\nopen('b.txt', 'w').write('b')\nopen('kept.txt', 'w').write('KEPT\\n')"
    reward = score_files(prepared, more, checks, nothing_else=True)
    assert values(reward) == [1.0, 0.0]
    assert reward.parts[1].reason == "touched as well: ['b.txt', 'kept.txt']"


def test_a_change_that_keeps_size_and_time_is_noticed(prepared: Sandbox) -> None:
    candidate = """
import os
stat = os.stat("kept.txt")
open("kept.txt", "w").write("KEPT\\n")
os.utime("kept.txt", ns=(stat.st_atime_ns, stat.st_mtime_ns))
"""
    checks = [{"path": "kept.txt", "type": "unchanged"}]
    assert values(score_files(prepared, candidate, checks)) == [0.0]


def test_similarity_and_weights(sandbox: Sandbox) -> None:
    candidate = "open('a.txt', 'w').write('the cat sat')"
    checks = [FileCheck(path="a.txt", content="the cat sat down", weight=3), FileCheck(path="b.txt")]
    assert score_files(sandbox, candidate, checks).value == 0.0
    assert score_files(sandbox, "import os; os.remove('a.txt')\n" + candidate, checks, similarity="words").value == 0.0
    sandbox.files.remove("a.txt")
    assert score_files(sandbox, candidate, checks, similarity="words").value == 0.75 * 0.75


@pytest.mark.parametrize(
    ("candidate", "verdict"),
    [
        ("open('a.txt', 'w').write('a')\n1 / 0", "runtime_error"),
        ("open('a.txt', 'w').write('a')\nwhile True: pass", "timeout"),
        ("open('a.txt', 'w'", "compile_error"),
        ("I have written the file for you.", "no_code"),
    ],
)
def test_a_candidate_that_fails_earns_nothing(sandbox: Sandbox, candidate: str, verdict: str) -> None:
    reward = score_files(sandbox, candidate, [{"path": "a.txt"}], time_limit=3, nothing_else=True)
    assert (reward.value, reward.verdict) == (0.0, verdict)


@pytest.mark.parametrize(
    "path", ["it's.txt", 'a"b.txt', "a b;c.txt", "$(touch hacked).txt", "'); import os; ('.txt", "ünï.txt", "[x].txt"]
)
def test_paths_are_data(sandbox: Sandbox, path: str) -> None:
    candidate = f"open({path!r}, 'w').write('x')"
    assert score_files(sandbox, candidate, [{"path": path, "content": "x"}], nothing_else=True).value == 1.0


HOSTILE = {
    "patched open": "import builtins\nbuiltins.open = lambda *a, **k: __import__('io').StringIO('right')",
    "patched path": "import os\nos.path.exists = lambda *a: True",
    "link to a device": "import os\nos.symlink('/dev/zero', 'a.txt')",
    "pipe": "import os\nos.mkfifo('a.txt')",
    "folder": "import os\nos.mkdir('a.txt')",
    "dangling link": "import os\nos.symlink('nowhere', 'a.txt')",
    "link to itself": "import os\nos.symlink('a.txt', 'a.txt')",
    "unreadable": "import os\nopen('a.txt', 'w').write('wrong')\nos.chmod('a.txt', 0)",
    "huge": "open('a.txt', 'w').truncate(10**8)",
    "no home any more": "import os, shutil\nos.chdir('/')\nshutil.rmtree('/home/user', ignore_errors=True)",
    "a thread that nobody waits for": """
import threading, time
def later():
    time.sleep(60)
    open("/home/user/a.txt", "w").write("right")
threading.Thread(target=later, daemon=True).start()
""",
}


@pytest.mark.parametrize("trick", HOSTILE)
def test_no_trick_pays(sandbox: Sandbox, trick: str) -> None:
    reward = score_files(sandbox, HOSTILE[trick], [{"path": "a.txt", "content": "right"}])
    assert reward.value == 0.0


def test_a_sandbox_that_is_gone_is_unscored(sandbox: Sandbox) -> None:
    sandbox.kill()
    assert score_files(sandbox, "x = 1", [{"path": "a.txt"}]).value is None


@pytest.mark.parametrize(
    ("check", "message"),
    [
        ({"path": "a.txt", "type": "created"}, "no operation 'created'; did you mean 'create'"),
        ({"path": "a.txt", "contents": "x"}, "no field 'contents' in a check; did you mean 'content'"),
        ({"path": "../a.txt"}, "must not leave the root"),
        ({"path": "/etc/passwd"}, "not below '/home/user'"),
        ({"path": ""}, "must be the path of a file"),
        ({"path": "a.txt", "type": "absent", "content": "x"}, "does not go with type='absent'"),
        ({"path": "a.txt", "compare": "cvs"}, "did you mean 'csv'"),
        ({"path": "a.txt", "weight": -1}, "weight must be a finite number"),
    ],
)
def test_wrong_checks_are_refused(sandbox: Sandbox, check: dict[str, Any], message: str) -> None:
    with pytest.raises(RewardkitUsageError) as caught:
        score_files(sandbox, "x = 1", [check])
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("*.txt", "a.txt", True),
        ("*.txt", "out/a.txt", False),
        ("**/*.txt", "a.txt", True),
        ("**/*.txt", "out/deep/a.txt", True),
        ("out/**/a.txt", "out/a.txt", True),
        ("out/?.txt", "out/ab.txt", False),
        ("a.txt", "abtxt", False),
        ("[x].txt", "x.txt", False),
    ],
)
def test_patterns(pattern: str, path: str, matches: bool) -> None:
    assert bool(path_pattern(pattern).fullmatch(path)) is matches


def test_json_is_shown_beside_what_was_expected_in_one_layout(sandbox: Sandbox) -> None:
    candidate = (
        """open("a.json", "w").write('{"names": ["x"], "mean": 0.5}')\nopen("b.json", "w").write('{"mean": 0.5')"""
    )
    content = {"mean": 0.25, "names": ["x"]}
    checks = [FileCheck(path="a.json", content=content), FileCheck(path="b.json", content=content)]
    laid_out, broken = score_files(sandbox, candidate, checks).parts
    assert laid_out.expected == '{\n  "mean": 0.25,\n  "names": [\n    "x"\n  ]\n}'
    assert laid_out.actual == '{\n  "mean": 0.5,\n  "names": [\n    "x"\n  ]\n}'
    assert broken.actual == '{"mean": 0.5'
