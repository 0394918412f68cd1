"""Artifact folders: their content, and what is never touched."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_rewardkit import Case, Part, Reward
from pytest_rewardkit.evidence import Evidence
from pytest_rewardkit.reports.artifacts import clear, contents, folder_name, write

NODE_ID = "tests/test_a.py::test_b[x]"
EVIDENCE = Evidence(
    code="print(1)",
    response="```python\nprint(1)\n```",
    stdout="1\n",
    images=("iVBORw0KGgo=", "iVBORw0KGgo!"),
    scorer="score_cases",
    arguments={"cases": [Case(stdin="2", expected="1"), Case(call="f", checker=print)], "setup": "import os"},
)
REWARD = Reward(0.5, (Part("a", 0.5, expected="1", actual="2"),), evidence=(EVIDENCE,))


def test_what_is_kept() -> None:
    files = contents(NODE_ID, REWARD, threshold=0.75, run_number=2)
    assert set(files) == {
        "candidate.py",
        "response.md",
        "stdout.txt",
        "stdin.txt",
        "setup.py",
        "image-1.png",
        "repeat.py",
        "reward.json",
    }
    assert files["candidate.py"] == b"print(1)"
    assert files["stdin.txt"] == b"2"
    about = json.loads(files["reward.json"])
    assert (about["node_id"], about["attempt"], about["reward"], about["threshold"]) == (NODE_ID, 2, 0.5, 0.75)
    assert about["parts"][0]["expected"] == "1"


def test_several_calls_have_files_of_their_own() -> None:
    files = contents(NODE_ID, Reward(0.5, evidence=(EVIDENCE, EVIDENCE)))
    assert {"candidate.py", "candidate-2.py", "stdout-2.txt", "stdin-2.txt", "image-1.png", "image-3.png"} <= set(files)
    assert files["repeat.py"].count(b"    show(reward)\n") == 2


def test_the_script_is_valid_whatever_a_candidate_and_a_test_are_called() -> None:
    hostile = "'''\n\"\"\"\\\udc80{0}\r\x00 import os"
    evidence = Evidence(code=hostile, scorer="score_output", arguments={"expected": hostile, "setup": hostile})
    script = contents(f"test.py::test[{hostile}]", Reward(0.0, evidence=(evidence,)))["repeat.py"].decode()
    names = {node.id for node in ast.walk(ast.parse(script)) if isinstance(node, ast.Name)}
    assert "os" not in names
    assert 'expected=text("expected.txt")' in script


def test_a_scorer_that_cannot_be_called_again_leaves_the_candidate_to_be_run() -> None:
    script = contents(NODE_ID, Reward(0.0, evidence=(Evidence(code="1", scorer="system"),)))["repeat.py"].decode()
    ast.parse(script)
    assert 'sandbox.files.write("candidate.py", text("candidate.py"))' in script
    assert "system" not in script


@given(st.text(st.characters()), st.integers(1, 3))
def test_folder_names_are_one_step_of_plain_characters(node_id: str, attempt: int) -> None:
    name = folder_name(node_id, attempt)
    assert len(name) < 130
    assert name == Path(name).name
    assert not name.startswith(".")
    assert name.isascii()
    assert name.replace("-", "").replace("_", "").replace(".", "").isalnum()


def test_folder_names_differ() -> None:
    ids = ["a::b", "a::b ", "A::b", "a/b", "x" * 300, "x" * 301]
    assert len({folder_name(node_id) for node_id in ids} | {folder_name("a::b", 2)}) == len(ids) + 1


class TestFolder:
    def test_is_replaced_as_a_whole(self, tmp_path: Path) -> None:
        folder = tmp_path / "deep" / "folder"
        write(folder, contents(NODE_ID, REWARD))
        write(folder, contents(NODE_ID, Reward(0.0)))
        assert [path.name for path in folder.iterdir()] == ["reward.json"]

    def test_is_removed_with_what_was_written(self, tmp_path: Path) -> None:
        write(tmp_path / "folder", contents(NODE_ID, REWARD))
        clear(tmp_path / "folder")
        assert not (tmp_path / "folder").exists()

    def test_keeps_what_others_have_put_there(self, tmp_path: Path) -> None:
        write(tmp_path / "folder", contents(NODE_ID, REWARD))
        (tmp_path / "folder" / "NOTES.txt").write_text("mine")
        clear(tmp_path / "folder")
        assert [path.name for path in (tmp_path / "folder").iterdir()] == ["NOTES.txt"]

    def test_of_somebody_else_is_left_alone(self, tmp_path: Path) -> None:
        (tmp_path / "candidate.py").write_text("mine")
        with pytest.raises(FileExistsError):
            write(tmp_path, contents(NODE_ID, REWARD))
        clear(tmp_path)
        assert (tmp_path / "candidate.py").read_text() == "mine"

    def test_links_are_not_followed(self, tmp_path: Path) -> None:
        mine = tmp_path / "mine.txt"
        mine.write_text("mine")
        folder = tmp_path / "folder"
        write(folder, contents(NODE_ID, REWARD))
        (folder / "candidate.py").unlink()
        (folder / "candidate.py").symlink_to(mine)
        write(folder, contents(NODE_ID, REWARD))
        assert mine.read_text() == "mine"
        assert (folder / "candidate.py").read_text() == "print(1)"
