"""Rows of the format `project`: a project and the tests that a patch must pass."""

import json

import pytest

from pytest_rewardkit import RewardkitUsageError, evaluate_dataset

ALONE = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
"""Without the plugins installed here, which take longer to load than these tests."""

IT = "def double(n):\n    return n\n\n\ndef half(n):\n    return n / 2\n"
TESTS = """
from it import double, half

def test_two():
    assert double(2) == 4

def test_half():
    assert half(2) == 1
"""
RIGHT = "--- a/it.py\n+++ b/it.py\n@@ -1,2 +1,2 @@\n def double(n):\n-    return n\n+    return 2 * n\n"
WRONG = RIGHT.replace("2 * n", "n * n * n")


@pytest.fixture
def folder(tmp_path):
    project = tmp_path / "projects/it"
    project.mkdir(parents=True)
    (project / "it.py").write_text(IT)
    (project / "test_it.py").write_text(TESTS)
    return tmp_path


def evaluated(folder, **fields):
    row = {"id": "a", "project": "projects/it", "envs": ALONE, **fields}
    (folder / "rows.jsonl").write_text(json.dumps(row) + "\n")
    (result,) = evaluate_dataset(None, folder / "rows.jsonl", format="project", provider="local", progress=False)
    return result.reward


def test_a_row_names_a_project_from_its_files_folder_on(folder):
    assert evaluated(folder, candidate=RIGHT).value == 1.0
    assert evaluated(folder, candidate=WRONG).value == 0.0


def test_lists_may_be_json_as_in_swe_bench(folder):
    lists = {
        "fail_to_pass": json.dumps(["test_it.py::test_two"]),
        "pass_to_pass": json.dumps(["test_it.py::test_half"]),
    }
    reward = evaluated(folder, candidate=RIGHT, **lists)
    assert [(part.name, part.value, part.weight) for part in reward.parts] == [
        ("test_it.py::test_two", 1.0, 1.0),
        ("test_it.py::test_half", 1.0, 0.0),
    ]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"files": {}}, "either a project or files"),
        ({"project": 3}, "'project' must hold a path"),
        ({"project": "nowhere"}, "no project at"),
        ({"time_limit": "long"}, "'time_limit' must hold a number"),
        ({"fail_to_pass": [1]}, "'fail_to_pass' must hold a list of texts"),
        ({"weights": {"x": 1}}, "there is no test 'x'"),
        ({"fail_to_pas": []}, "did you mean 'fail_to_pass'"),
    ],
)
def test_what_a_row_has_wrong_is_named(folder, fields, reason):
    with pytest.raises(RewardkitUsageError, match=reason):
        evaluated(folder, **{"candidate": RIGHT, **fields})
